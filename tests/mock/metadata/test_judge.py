"""What the org refuses before it looks at any other component: files that do not fit their type."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from providers.mock.catalog import TYPES
from providers.mock.metadata import schema
from providers.mock.metadata.judge import judge
from providers.mock.record import NS, read, write
from providers.mock.state.errors import Refusal
from tests.mock.wire import Piece, Wire, app, component, file_of, global_oauth, oauth, policy, setting, whole

Q = f"{{{NS}}}"


def test_an_unknown_element_is_refused_with_its_line_and_column(wire: Wire) -> None:
    """Whoever mistypes a field would otherwise believe that it is set."""
    problem = wire.deploy(app("order", isPkceRequierd=True)).failures[0]

    expected = f"Error parsing file: Element {Q}isPkceRequierd invalid at this location in type ExternalClientApplication (5:21)"
    assert expected == problem["problem"]
    assert (5, 21) == (problem["lineNumber"], problem["columnNumber"])


def test_an_element_inside_a_part_is_refused_by_the_part_s_type(wire: Wire) -> None:
    """An audience spelled as in the other app type names the type that knows better."""
    problem = wire.refused(
        global_oauth("order", idTokenConfig="<idTokenIncludeCustomPerms>true</idTokenIncludeCustomPerms>")
    )

    assert f"Element {Q}idTokenIncludeCustomPerms invalid at this location in type ExternalAppIdTokenConfig" in problem


def test_repeats_that_do_not_stand_together_are_refused() -> None:
    """Merged files scatter repeated elements, and real orgs refuse those."""
    text = "<scopes>Api</scopes><callbackUrl>https://a.example</callbackUrl><scopes>Web</scopes>"
    data = file_of(
        "ConnectedApp", f"<contactEmail>a@b.example</contactEmail><label>x</label><oauthConfig>{text}</oauthConfig>"
    )

    with pytest.raises(Refusal) as refused:
        judge("ConnectedApp", data.encode(), 66)

    assert "Element scopes is duplicated at this location in type ConnectedAppOauthConfig" in refused.value.problem


def test_a_single_element_given_twice_is_refused(wire: Wire) -> None:
    """Two labels leave open which one counts."""
    assert "Element label is duplicated at this location in type ExternalClientApplication" in wire.refused(
        app("order", label=["a", "b"])
    )


def test_elements_in_another_order_are_taken(wire: Wire) -> None:
    """Real files are not sorted, and Salesforce's own samples are not."""
    body = file_of("ExternalClientApplication", "<label>x</label><contactEmail>a@b.example</contactEmail>")

    wire.deployed(Piece("ExternalClientApplication", "order", body))


def test_a_value_outside_an_enumeration_is_refused(wire: Wire) -> None:
    """The near miss that real files hold would silently leave an app open to everybody."""
    wire.deployed(*whole("order"))

    problem = wire.refused(
        component(
            "ExtlClntAppOauthConfigurablePolicies",
            "order_oauth_defaultPolicy",
            externalClientApplication="order",
            permittedUsersPolicyType="AdminApprovedUsers",
        )
    )

    assert "'AdminApprovedUsers' is not a valid value for the enum 'PermittedUsersPolicyType'" == problem


def test_a_value_of_the_wrong_form_is_refused(wire: Wire) -> None:
    """ "yes" is no boolean."""
    assert "'yes' is not a valid value for the type xsd:boolean" == wire.refused(app("order", isProtected="yes"))


def test_a_missing_required_element_is_named(wire: Wire) -> None:
    """A policy without isEnabled could mean either."""
    wire.deployed(app("order"))
    body = file_of("ExtlClntAppConfigurablePolicies", "<externalClientApplication>order</externalClientApplication>")

    assert "Required field is missing: isEnabled" == wire.refused(
        Piece("ExtlClntAppConfigurablePolicies", "order_defaultPolicy", body)
    )


def test_a_field_newer_than_the_package_is_refused_by_version(wire: Wire) -> None:
    """A pinned old version must not get fields that it does not know."""
    wire.deployed(app("order"))

    problem = wire.refused(policy("order", "order_defaultPolicy", isCanvasPluginEnabled=True), version="65.0")

    assert problem.startswith("Property 'isCanvasPluginEnabled' not valid in version 65.0 (")
    wire.deployed(policy("order", "order_defaultPolicy", isCanvasPluginEnabled=True), version="66.0")


def test_a_field_that_came_and_went_is_known_only_in_between() -> None:
    """`isNamedUserJwtEnabled` was a policy's field from 61 to 63 only."""
    data = file_of(
        "ExtlClntAppOauthConfigurablePolicies",
        "<externalClientApplication>a</externalClientApplication><isNamedUserJwtEnabled>true</isNamedUserJwtEnabled>",
    ).encode()

    accepted = [version for version in range(60, 67) if _takes("ExtlClntAppOauthConfigurablePolicies", data, version)]
    assert [61, 62, 63] == accepted


def test_a_scope_newer_than_the_version_is_no_value_of_the_enumeration() -> None:
    """MCP is in no schema up to 63."""
    text = "<callbackUrl>https://a.example</callbackUrl><scopes>MCP</scopes>"
    data = file_of(
        "ConnectedApp", f"<contactEmail>a@b.example</contactEmail><label>x</label><oauthConfig>{text}</oauthConfig>"
    ).encode()

    assert not _takes("ConnectedApp", data, 63)
    assert _takes("ConnectedApp", data, 66)


def _takes(kind: str, data: bytes, version: int) -> bool:
    try:
        judge(kind, data, version)
    except Refusal:
        return False
    return True


def test_a_later_field_is_not_returned_to_an_earlier_version(wire: Wire) -> None:
    """A client of v63 would not know what to do with it."""
    wire.deployed(*whole("order"))

    assert "false" == wire.read("ExtlClntAppGlobalOauthSettings", "order_glbloauth", "isDPopEnabled")
    assert wire.read("ExtlClntAppGlobalOauthSettings", "order_glbloauth", "isDPopEnabled", version="63.0") is None


def test_a_type_newer_than_the_package_is_not_available(wire: Wire) -> None:
    """Security settings cannot be sent by a client that pins v63."""
    wire.deployed(app("order"))
    piece = component("ExtlClntAppOauthSecuritySettings", "order_oauthSecurity", externalClientApplication="order")

    assert "not available in this api version" in wire.refused(piece, version="63.0")
    wire.deployed(piece)


@pytest.mark.parametrize("body", ["<a", "", "<!DOCTYPE x [<!ENTITY a 'b'>]><ExternalClientApplication/>"])
def test_what_is_not_plain_xml_is_refused_as_unparsable(wire: Wire, body: str) -> None:
    """A truncated file must not be taken for an empty one, and entities are never expanded."""
    assert wire.refused(Piece("ExternalClientApplication", "order", body)).startswith("Error parsing file: ")


def test_a_billion_laughs_is_refused_at_once() -> None:
    """Whoever sends it wants the org's memory."""
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    data = f'<!DOCTYPE x [<!ENTITY a0 "ha">{levels}]><ExternalClientApplication><label>&a11;</label></ExternalClientApplication>'

    with pytest.raises(Refusal):
        judge("ExternalClientApplication", data.encode(), 66)


def test_deep_nesting_is_refused() -> None:
    """libxml2's own bound of depth is in force."""
    with pytest.raises(Refusal, match="depth"):
        judge("ExternalClientApplication", b"<a>" * 5000 + b"</a>" * 5000, 66)


def test_nil_says_nothing_but_its_name_must_exist() -> None:
    """Retrieved files hold nil elements; a nil that no type has is still a mistake."""
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
    known = file_of("ExternalClientAppSettings", f"<enableConsumerSecretApiAccess {nil}/>").encode()
    unknown = file_of("ExternalClientAppSettings", f"<enableExternalClientApps {nil}/>").encode()

    assert {} == judge("ExternalClientAppSettings", known, 66)
    with pytest.raises(Refusal, match="enableExternalClientApps"):
        judge("ExternalClientAppSettings", unknown, 66)


def test_settings_fields_that_no_schema_knows_are_refused(wire: Wire) -> None:
    """Old files of public repositories hold `enableHdlessFgtPswFlow`, and real orgs refuse it."""
    problem = wire.refused(setting("OauthOidcSettings", "OauthOidc", enableHdlessFgtPswFlow=False))

    assert f"Element {Q}enableHdlessFgtPswFlow invalid at this location in type OauthOidcSettings" in problem


def test_a_file_of_another_type_is_refused(wire: Wire) -> None:
    """A policy saved under an app's name must not become an app."""
    body = file_of("ExtlClntAppOauthSettings", "")

    assert "invalid at this location in type ExternalClientApplication" in wire.refused(
        Piece("ExternalClientApplication", "order", body)
    )


def test_every_line_of_the_supplement_has_a_source() -> None:
    """A field that nobody can trace is a field that we made up."""
    assert [] == [line for line in schema.supplement() if not line.source.strip()]


def test_the_supplement_repeats_nothing_that_the_wsdl_has() -> None:
    """Where the WSDL knows a field, the supplement only dates it."""
    whole_wsdl = etree.parse(str(schema.wsdl())).getroot()
    x = "{http://www.w3.org/2001/XMLSchema}"
    known = {
        (node.get("name"), child.get("name"))
        for node in whole_wsdl.iter(f"{x}complexType")
        for child in node.iter(f"{x}element")
    }

    assert [] == [line for line in schema.supplement() if line.xsd and (line.type, line.member) in known]


VALUES = {
    "boolean": st.sampled_from(["true", "false", "0", "1", "yes", ""]),
    "int": st.sampled_from(["0", "-7", "+3", "2147483647", "2147483648", "1.5", "x"]),
    "double": st.sampled_from(["63.0", "1e3", "NaN", "x"]),
    "string": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5),
    "base64Binary": st.sampled_from(["", "YQ==", "%", "YQ", "Y Q = =", "YR==", "YWI=", "YWJj"]),
    "dateTime": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+01:00", "2026"]),
}


@st.composite
def files(draw: st.DrawFn, kind: str) -> bytes:
    """A file of `kind` from its own fields, some left out, some doubled, now and then a stranger or a wrong value."""
    known = schema.load()

    def element(type_name: str, depth: int) -> str:
        parts = []
        for each in known.types[type_name].values():
            times = draw(
                st.sampled_from([0, 1, 1, 2] if each.repeated else [0, 1, 1, 1, 1] if each.required else [0, 0, 0, 1])
            )
            for _ in range(times):
                if each.type in known.types:
                    inner = element(each.type, depth + 1) if depth < 2 else ""
                elif each.type in known.enums:
                    inner = draw(st.sampled_from([*known.enums[each.type][:3], "Nonsense"]))
                else:
                    inner = draw(VALUES[each.type]).replace("&", "").replace("<", "").replace(">", "")
                parts.append(f"<{each.name}>{inner}</{each.name}>")
        if draw(st.integers(0, 19)) == 0:
            parts.append("<stranger/>")
        return "".join(parts)

    return file_of(kind, element(kind, 0)).encode()


OURS = [one.name for one in TYPES if one.name not in {"Profile", "PermissionSet", "Certificate"}]


@settings(deadline=None)
@given(data=st.sampled_from(OURS).flatmap(lambda kind: st.tuples(st.just(kind), files(kind))))
def test_the_walk_finds_words_for_all_that_the_schema_refuses(data: tuple[str, bytes]) -> None:
    """If only one of the two said no, people would get libxml2's words, or files would pass that Salesforce refuses."""
    kind, content = data
    try:
        body = judge(kind, content, 66, after_63=60)
    except Refusal as refused:
        words = (
            "invalid at this location",
            "is duplicated at",
            "is not a valid value",
            "Required field is",
            "not valid in version",
        )
        assert any(word in refused.text for word in words), refused.text
    else:
        assert body == read(etree.fromstring(write(kind, body)))
        # ":nil" anywhere makes the walk look even where the schema is content.
        assert body == judge(
            kind, content.replace(b"</" + kind.encode(), b"<!-- :nil --></" + kind.encode()), 66, after_63=60
        )


def test_the_mock_imports_nothing_of_ours() -> None:
    """A mock that shared code with the client would share its mistakes."""
    root = Path(schema.__file__).parents[1]
    imported = {
        name
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert [] == sorted(
        name
        for name in imported
        if name.startswith(("reconciler", "simple_salesforce", "zeep"))
        or (name.startswith("providers") and not name.startswith("providers.mock"))
    )


def test_oauth_settings_are_judged_before_their_app_is_looked_for(wire: Wire) -> None:
    """A mistyped field is told as such even when the app is missing too."""
    assert "invalid at this location" in wire.refused(oauth("nobody", nonsense=True))
