"""Components <-> the files of a deployment package: one file a record, `package.xml`, and what is to be removed.

Layout (Metadata API Developer Guide, "File Suffix and Directory Location"): `<folder>/<record>.<suffix>`; an Apex class
is its source and `<record>.cls-meta.xml`; settings are `settings/<singleton>.settings` and are called `Settings` in a manifest.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from reconciler.errors import Complaint, InputError
from reconciler.kinds import all_kinds
from reconciler.model.changes import Component
from reconciler.schema.kind import Kind
from reconciler.schema.marks import SourceText
from reconciler.schema.values import SecretRef, Value
from reconciler.xml.codec import encode
from reconciler.xml.markup import NAMESPACE, escape

MANIFEST = "package.xml"
REMOVE_FIRST = "destructiveChangesPre.xml"
REMOVE_LAST = "destructiveChangesPost.xml"
"""What is removed goes last: `destructiveChanges.xml` removes before it adds, and whatever still refers to a record (a
handler's enablement, a policy's scope) would stand in the way although this same package takes the reference out."""

MANIFESTS = frozenset({MANIFEST, REMOVE_FIRST, REMOVE_LAST})

Secrets = Callable[[SecretRef], str]


def manifest_type(kind: type[Kind]) -> str:
    """What package.xml calls the kind: all settings are one type."""
    return "Settings" if kind.singleton else kind.__name__


def file_count(kind: type[Kind]) -> int:
    """How many files one record of the kind is."""
    return 2 if source_field(kind) else 1


@cache
def source_field(kind: type[Kind]) -> str:
    """The name of the field that is a file of its own, as an Apex class's source is; empty if the kind has none."""
    return next((name for name, field in kind.fields().items() if field.has(SourceText)), "")


def record_name(component: Component) -> str:
    """The name of the component's record. Raises InputError for what can be no file name."""
    name = component.kind.singleton or component.record or component.address.name
    if not name or name in (".", "..") or _UNSAFE.search(name):
        raise InputError(
            Complaint(
                f"{component.address}: {name!r} cannot be the name of a file in a package",
                component.place,
                "use letters, digits and underscores, as Salesforce does",
            )
        )
    return name


_UNSAFE = re.compile(r"[/\\:\0-\x1f\x7f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def files_of(component: Component, secrets: Secrets) -> Mapping[str, bytes]:
    """The files of one component that is to be created or updated."""
    kind, name = component.kind, record_name(component)
    if component.body is None:
        return {}
    path = f"{kind.folder}/{name}.{kind.suffix}"
    record = encode(kind, component.body, secrets, path)
    source = source_field(kind)
    if not source:
        return {path: record}
    text: Value = component.body.get(source)
    if not isinstance(text, str):
        raise InputError(
            Complaint(
                f"{component.address} has no source", component.place, f"put {name}.{kind.suffix} beside its record"
            )
        )
    return {path: text.encode(), f"{path}-meta.xml": record}


def build(components: Sequence[Component], api_version: str, secrets: Secrets = str) -> dict[str, bytes]:
    """Every file of the package, manifests included, by path. Without `secrets` references stand where values would.

    A component that is removed and created in one package is replaced: the removal goes first.
    Raises InputError for names that are no file names, MetadataXmlError for values that are no XML.
    """
    files: dict[str, bytes] = {}
    members: defaultdict[str, set[str]] = defaultdict(set)
    removed: defaultdict[str, set[str]] = defaultdict(set)
    for component in components:
        name = record_name(component)
        if component.body is None:
            removed[manifest_type(component.kind)].add(name)
            continue
        members[manifest_type(component.kind)].add(name)
        for path, data in files_of(component, secrets).items():
            if path in files:
                raise InputError(Complaint(f"{component.address}: two components are {path}", component.place))
            files[path] = data
    first = {kind: names & members[kind] for kind, names in removed.items() if names & members[kind]}
    last = {kind: names - members[kind] for kind, names in removed.items() if names - members[kind]}
    files[MANIFEST] = manifest({k: v for k, v in members.items() if v}, api_version)
    if first:
        files[REMOVE_FIRST] = manifest(first, api_version)
    if last:
        files[REMOVE_LAST] = manifest(last, api_version)
    return files


def manifest(members: Mapping[str, Iterable[str]], api_version: str) -> bytes:
    """Make a package.xml, or a destructiveChanges.xml that lists what to remove."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<Package xmlns="{NAMESPACE}">']
    for kind in sorted(members):
        lines.append("    <types>")
        lines += [f"        <members>{escape(name)}</members>" for name in sorted(members[kind])]
        lines += [f"        <name>{escape(kind)}</name>", "    </types>"]
    lines += [f"    <version>{escape(api_version)}</version>", "</Package>", ""]
    return "\n".join(lines).encode()


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of paths and contents. Build the files without secrets, so that the digest tells nothing about them."""
    found = hashlib.sha256()
    for path in sorted(files):
        name, data = path.encode(), files[path]
        found.update(f"{len(name)} {len(data)} ".encode())
        found.update(name)
        found.update(data)
    return found.hexdigest()


def kind_of_path(path: str) -> tuple[type[Kind], str, bool] | None:
    """What a file of a package is: kind, record, and whether it is the source that a record describes.

    `None` for manifests and for what we do not manage.
    """
    folder, _, file = path.rpartition("/")
    described = file.removesuffix("-meta.xml")
    name, _, suffix = described.rpartition(".")
    kind = _by_folder().get((folder.rpartition("/")[2], name if suffix == "settings" else suffix))
    if kind is None or not name:
        return None
    return kind, name, described == file and bool(source_field(kind))


@cache
def _by_folder() -> Mapping[tuple[str, str], type[Kind]]:
    """Kinds by the folder and suffix of their files; settings share both, so they go by their one name."""
    return {(kind.folder, kind.singleton or kind.suffix): kind for kind in all_kinds().values()}
