"""Who changed what: read as text where the org writes it plainly, as a tree where it does not."""

import pytest

from providers.salesforce.files.file_properties import FileProperties, file_properties, plain_file_properties
from providers.salesforce.wire.soap import TAG, read_answer
from reconciler.errors import UnreachableError

FIELDS = {
    "createdById": "005A",
    "fileName": "unpackaged/externalClientApps/portal.eca",
    "fullName": "portal",
    "id": "0xI1",
    "lastModifiedById": "005B",
    "lastModifiedByName": "Dana Reyes",
    "lastModifiedDate": "2026-01-02T03:04:05.000Z",
    "manageableState": "unmanaged",
    "type": "ExternalClientApplication",
}


def answer(*elements: str, prefix: str = "", space: str = "") -> bytes:
    """A retrieve's answer with these fileProperties."""
    name = f"{prefix}fileProperties"
    inside = space.join(f"<{name}>{element}</{name}>" for element in elements)
    declared = f'xmlns{":" + prefix[:-1] if prefix else ""}="http://soap.sforce.com/2006/04/metadata"'
    operation, result = f"{prefix}checkRetrieveStatusResponse", f"{prefix}result"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f"<{operation} {declared}><{result}>{inside}<{prefix}done>true</{prefix}done></{result}></{operation}>"
        "</e:Body></e:Envelope>"
    ).encode()


def written(prefix: str = "", space: str = "", **more: str) -> str:
    fields = {**FIELDS, **more}
    return space.join(f"<{prefix}{name}>{value}</{prefix}{name}>" for name, value in fields.items())


def read(data: bytes) -> list[FileProperties]:
    found = read_answer(data, "https://org", flat="fileProperties")
    trees = [file_properties(one) for one in found.results[0].iter(f"{TAG}fileProperties")]
    return sorted([*trees, *plain_file_properties(list(found.plain))])


def slowly(data: bytes) -> list[FileProperties]:
    found = read_answer(data, "https://org")
    return sorted(file_properties(one) for one in found.results[0].iter(f"{TAG}fileProperties"))


@pytest.mark.parametrize(
    "data",
    [
        answer(written()),
        answer(written(), written(fullName="b", namespacePrefix="ns")),
        answer(written(manageableState="installed")),
        answer(written(lastModifiedByName="R&amp;D &lt;team&gt;"), written(lastModifiedByName="Zoë 山田")),
        answer(written(space="\n  "), space="\n"),
        answer(written("met:"), prefix="met:"),
        answer(written(lastModifiedByName="<!-- -->Dana")),
        answer(written() + '<extra xmlns="x">1</extra>'),
        answer(),
    ],
    ids=["plain", "prefix of a package", "installed", "escaped", "indented", "qualified", "comment", "foreign", "none"],
)
def test_the_fast_way_and_the_slow_way_agree(data: bytes):
    """A name that only one of them can read would be a change that nobody made."""
    assert slowly(data) == read(data)


def test_plain_ones_do_not_become_trees():
    """Of fifty thousand records this is a tenth of a plan's time."""
    found = read_answer(answer(written(), written(lastModifiedByName="R&amp;D")), "https://org", flat="fileProperties")

    assert (1, 1) == (len(found.plain), len(list(found.results[0].iter(f"{TAG}fileProperties"))))


def test_what_is_not_text_is_not_an_org():
    with pytest.raises(UnreachableError):
        read_answer(answer(written(fullName="x")).replace(b"Dana", b"\xff\xfe"), "https://org", flat="fileProperties")
