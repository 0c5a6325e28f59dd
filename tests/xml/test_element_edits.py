"""Edits of metadata files: the element changes, and no other byte does."""

import pytest

from reconciler.kinds import kind
from reconciler.xml.codec import decode
from reconciler.xml.element_edits import ElementEdit, edited

FILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<ConnectedApp xmlns="http://soap.sforce.com/2006/04/metadata">
    <!-- whose it is -->
    <contactEmail>it@acme.example</contactEmail>
    <ipRanges>
        <end>10.0.0.9</end>
        <start>10.0.0.1</start>
    </ipRanges>
    <label>A &amp; B</label>  <!-- kept -->
    <oauthConfig>
        <callbackUrl>https://a.example</callbackUrl>
        <scopes>Api</scopes>
        <scopes>Web</scopes>
    </oauthConfig>
    <startUrl/>
</ConnectedApp>
"""
SCHEMA = kind("ConnectedApp")


@pytest.mark.parametrize(
    ("edits", "old", "new"),
    [
        ([(("label",), "C < D")], "A &amp; B", "C &lt; D"),
        ([(("startUrl",), "https://s.example")], "<startUrl/>", "<startUrl>https://s.example</startUrl>"),
        ([(("contactEmail",), None)], "    <contactEmail>it@acme.example</contactEmail>\n", ""),
        (
            [(("description",), "x")],
            "it@acme.example</contactEmail>\n",
            "it@acme.example</contactEmail>\n    <description>x</description>\n",
        ),
        ([(("attributes", 0), {"key": "k", "formula": "f"})],
         "    <!-- whose it is -->\n    <contactEmail>",
         "    <!-- whose it is -->\n    <attributes>\n        <formula>f</formula>\n        <key>k</key>\n    </attributes>\n"
         "    <contactEmail>"),
        ([(("oauthConfig", "isAdminApproved"), True)],
         "a.example</callbackUrl>\n",
         "a.example</callbackUrl>\n        <isAdminApproved>true</isAdminApproved>\n"),
        ([(("oauthConfig", "scopes", 0), None)], "        <scopes>Api</scopes>\n", ""),
        ([(("oauthConfig", "scopes", 2), "Full")],
         "<scopes>Web</scopes>\n",
         "<scopes>Web</scopes>\n        <scopes>Full</scopes>\n"),
        ([(("ipRanges", 0, "end"), "10.0.0.8")], "10.0.0.9", "10.0.0.8"),
        ([(("ipRanges", 1), {"start": "1.1.1.1", "end": "1.1.1.2"})],
         "    </ipRanges>\n",
         "    </ipRanges>\n    <ipRanges>\n        <end>1.1.1.2</end>\n        <start>1.1.1.1</start>\n    </ipRanges>\n"),
        ([(("oauthPolicy", "ipRelaxation"), "ENFORCE")],
         "    </oauthConfig>\n",
         "    </oauthConfig>\n    <oauthPolicy>\n        <ipRelaxation>ENFORCE</ipRelaxation>\n    </oauthPolicy>\n"),
        ([(("oauthConfig",), None)], FILE[FILE.index("    <oauthConfig>"):FILE.index("    <startUrl/>")], ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_an_edit_changes_one_stretch_of_the_text(edits, old, new, ends) -> None:
    """The one whose diff of one value is a file that another tool has laid out anew."""
    assert 1 == FILE.count(old)

    found = edited(FILE.replace("\n", ends).encode(), SCHEMA, [ElementEdit(*one) for one in edits], "x").decode()

    assert FILE.replace(old, new).replace("\n", ends) == found
    decode(SCHEMA, found.encode())


def test_what_stands_on_one_line_stays_there() -> None:
    flat = '<ConnectedApp xmlns="http://soap.sforce.com/2006/04/metadata"><label>A</label><oauthConfig/></ConnectedApp>'

    edits = [
        ElementEdit(("contactEmail",), "x@acme.example"),
        ElementEdit(("oauthConfig", "callbackUrl"), "https://a.example"),
    ]
    found = edited(flat.encode(), SCHEMA, edits, "x").decode()

    assert "<contactEmail>x@acme.example</contactEmail><label>A</label><oauthConfig>" in found
    assert {
        "contactEmail": "x@acme.example",
        "label": "A",
        "oauthConfig": {"callbackUrl": "https://a.example"},
    } == decode(SCHEMA, found.encode())
