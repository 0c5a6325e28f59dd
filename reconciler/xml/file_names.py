"""Which record a file of metadata holds, by its name: in a package (`Portal.connectedApp`), or in a project of the Salesforce
CLI (`Portal.connectedApp-meta.xml`). Pure.

Source: Salesforce DX Developer Guide, "Salesforce DX Project Structure and Source Format"; Metadata API Developer Guide,
"package.xml Manifest File".
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from reconciler.kinds import all_kinds
from reconciler.schema.kind import Kind
from reconciler.schema.marks import SourceText

META = "-meta.xml"
MANIFESTS = ("package.xml", "destructiveChanges.xml", "destructiveChangesPre.xml", "destructiveChangesPost.xml")


class Named(NamedTuple):
    """The kind and the name of the record in a file."""

    kind: type[Kind]
    record: str


def named(file: str) -> Named | None:
    """The record in a file of that name, without folders; `None` for a file of another type, and for an Apex class, which
    is two files."""
    stem, dot, suffix = file.removesuffix(META).rpartition(".")
    if not dot or not stem:
        return None
    kind = _settings().get(stem) if suffix == "settings" else _by_suffix().get(suffix)
    return Named(kind, stem) if kind is not None else None


def other_type(file: str) -> str:
    """The type of a metadata file that holds no record of ours, by its suffix; empty for what is no such file."""
    name = file.removesuffix(META)
    return name.rpartition(".")[2] if name != file and "." in name else ""


@cache
def _by_suffix() -> Mapping[str, type[Kind]]:
    """The kinds by the suffix of their files, settings and source files left out."""
    kinds = (kind for kind in all_kinds().values() if not kind.singleton)
    return {kind.suffix: kind for kind in kinds if not any(one.has(SourceText) for one in kind.fields().values())}


@cache
def _settings() -> Mapping[str, type[Kind]]:
    return {kind.singleton: kind for kind in all_kinds().values() if kind.singleton}
