"""What an org says about each file of a retrieve and each entry of a listing: name, place, who changed it last."""

from typing import NamedTuple

from lxml import etree

from providers.salesforce.markup import NAMESPACE

_TAG = f"{{{NAMESPACE}}}"


class FileProperties(NamedTuple):
    """One of them. `installed`: part of a managed package."""

    type: str
    id: str
    full_name: str
    file_name: str
    modified_by: str
    modified_by_id: str
    modified_date: str
    installed: bool = False


def file_properties(element: etree._Element) -> FileProperties:
    """One of them, from its element."""
    texts = {child.tag: child.text or "" for child in element}
    get = texts.get
    state = get(f"{_TAG}manageableState", "")
    return FileProperties(
        get(f"{_TAG}type", ""),
        get(f"{_TAG}id", ""),
        get(f"{_TAG}fullName", ""),
        get(f"{_TAG}fileName", ""),
        get(f"{_TAG}lastModifiedByName", ""),
        get(f"{_TAG}lastModifiedById", ""),
        get(f"{_TAG}lastModifiedDate", ""),
        # An org that develops a package has its own prefix on components that it may well change: their state tells.
        state.startswith("installed") or (not state and bool(get(f"{_TAG}namespacePrefix"))),
    )
