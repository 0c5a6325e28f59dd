"""Reads the desired files into the desired state, with the place of every value.

All that is wrong in all files is reported together. Places are found by reading a file once more, so they cost only
those who ask for one.
"""

import gc
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath

from reconciler.desired import apex_source, metadata_source
from reconciler.desired.declaration import Declaration
from reconciler.desired.document import HANDLER_ENABLEMENT, MAX_ISSUES, Documents, Issue, Spot, is_secret
from reconciler.desired.fields import Values
from reconciler.desired.tree import Places, Tree
from reconciler.errors import Complaint, InputError, Place, suggestion
from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.model.declared import Resource, Snapshot
from reconciler.model.finding import REFERENCE, Unchecked
from reconciler.model.spelling import folded
from reconciler.schema.paths import references
from reconciler.xml import file_names
from reconciler.yaml.reader import Reader

MAX_COMPLAINTS = 200
"""More than that is one mistake made many times."""


def load(
    folders: Sequence[Path],
    *,
    root: Path,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    allow_commands: bool = False,
    tell: Callable[[str], None] = lambda words: None,
    changed: Mapping[str, bytes | None] | None = None,
    org: str = "",
    orgs: Sequence[str] = (),
    overlays: Sequence[Path] = (),
    apart: Sequence[Path] = (),
) -> Snapshot:
    """Read all YAML files, metadata files and Apex classes below some folders; files are named relative to `root`, the project
    folder.

    `variables` are the org's, and `RECONCILER_VAR_x` of the environment goes before them. `org` is the org's name in the
    project file and `orgs` are all of them, for documents that are for some orgs only. `overlays` are folders whose documents
    lie over the others, `apart` all folders of single orgs, which may stand inside of the others. `changed` are files as they
    are going to be, by name, `None` for those that are going to be gone. `tell` hears which files there are not read.

    Raises InputError with everything that is wrong, sorted by place.
    """
    with _no_collection():
        places = Places(root, is_secret, changed)
        values = Values(variables, environment, root, allow_commands)
        return _load(folders, root, Documents(values, places, org, tuple(orgs)), tell, changed or {}, overlays, apart)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Switch garbage collection off while files are read.

    Hundreds of thousands of values are made and none of them is in a cycle, so looking through them again and again is an
    eighth of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _load(
    folders: Sequence[Path],
    root: Path,
    documents: Documents,
    tell: Callable[[str], None],
    changed: Mapping[str, bytes | None],
    overlays: Sequence[Path],
    apart: Sequence[Path],
) -> Snapshot:
    tree = Tree.walk(folders, root, {*all_kinds(), HANDLER_ENABLEMENT}, changed, apart)
    places, values = documents.places, documents.values
    reader = Reader(is_secret)
    digests: dict[str, bytes] = {}
    complaints: list[Complaint] = []
    for file, data in tree.contents(tree.yaml):
        digests[file] = hashlib.sha256(data).digest()
        reading = reader.read(data, file)
        complaints += reading.complaints
        for document in reading.documents:
            if len(documents.issues) > MAX_ISSUES:
                break
            Declaration(documents, Spot(file, document.index), document, reading.plain).declare()
    unknown: list[str] = []
    for file, data in tree.contents(tree.metadata):
        digests[file] = hashlib.sha256(data).digest()
        named = file_names.named(file.rpartition("/")[2])
        source = metadata_source.read(data, file, named, is_secret) if named is not None else None
        if source is None or len(documents.issues) > MAX_ISSUES:
            continue
        complaints += source.complaints
        unknown += [f"{file}: {path}" for path in source.unknown]
        if source.document is not None:
            Declaration(documents, Spot(file, 0), source.document, plain=True, overlaid=True).declare()
    apex = dict(tree.contents(_declared_classes(tree, documents)))
    digests.update((file, hashlib.sha256(data).digest()) for file, data in apex.items())
    for resource in apex_source.classes(apex, complaints):
        documents.add_class(resource)
    if overlays:
        complaints += _lay_over(documents, overlays, root, changed, reader, digests)
    documents.finish()
    complaints += tree.complaints
    if complaints or documents.issues:
        raise InputError(*_together(complaints, documents.issues, places))
    if passed_by := tree.passed_by():
        tell(passed_by)
    for words in _remarks(unknown, documents.overlays):
        tell(words)
    return Snapshot(
        documents.resources,
        frozenset(documents.authoritative),
        _digest(digests),
        {file: digest.hex() for file, digest in digests.items()},
        dict(values.used),
    )


def _lay_over(
    documents: Documents,
    folders: Sequence[Path],
    root: Path,
    changed: Mapping[str, bytes | None],
    reader: Reader,
    digests: dict[str, bytes],
) -> list[Complaint]:
    """Read the documents of overlays, lay them over the others, and return what is wrong with their files."""
    tree = Tree.walk(folders, root, {*all_kinds(), HANDLER_ENABLEMENT}, changed)
    upper = Documents(documents.values, documents.places, documents.org, documents.orgs)
    complaints: list[Complaint] = []
    for file, data in tree.contents(tree.yaml):
        digests[file] = hashlib.sha256(data).digest()
        reading = reader.read(data, file)
        complaints += reading.complaints
        for document in reading.documents:
            Declaration(upper, Spot(file, document.index), document, reading.plain, is_overlay=True).declare()
    documents.lay_over(upper)
    mend = "write it as YAML, or put it into a folder of `desired:`"
    complaints += [Complaint("an overlay is YAML", Place(file), mend) for file in (*tree.metadata, *tree.apex)]
    return complaints + tree.complaints


def _declared_classes(tree: Tree, documents: Documents) -> list[str]:
    """The class files that are declared: all in a folder of our own; of a project with many those that a record runs."""
    if not tree.optional:
        return tree.apex
    bodies = ((resource.address.struct, resource.body) for resource in documents.resources.values())
    run = {name.casefold() for struct, body in bodies for _, _, name in references(struct, body, _APEX)}
    kept = []
    for file in tree.apex:
        if file not in tree.optional or PurePosixPath(file).name.partition(".")[0].casefold() in run:
            kept.append(file)
        elif file.endswith(apex_source.CLASS):
            tree.others["cls"] += 1
    return kept


_APEX = frozenset({"ApexClass"})
_NAMED = 5


def _remarks(unknown: list[str], overlays: list[str]) -> Iterator[str]:
    """What a reader of metadata files has to know: elements that are not compared, and fields that YAML overlays."""
    for what, found in (("not compared, since no kind has it", unknown), ("in YAML too, which counts", overlays)):
        if found:
            more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
            yield f"{what}: {', '.join(found[:_NAMED])}{more}"


def _digest(digests: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for file in sorted(digests):
        name = file.encode()
        whole.update(len(name).to_bytes(4, "big") + name + digests[file])
    return whole.hexdigest()


def _together(complaints: list[Complaint], issues: list[Issue], places: Places) -> list[Complaint]:
    """Sort complaints in the order of the files, without looking up places that will not be shown."""
    by_file: dict[str, list[Issue]] = {}
    for issue in issues:
        by_file.setdefault(issue.spot.file, []).append(issue)
    ready: dict[str, list[Complaint]] = {}
    for complaint in complaints:
        ready.setdefault(complaint.place.file if complaint.place else "", []).append(complaint)
    total = len(complaints) + len(issues)
    shown: list[Complaint] = []
    for file in sorted(by_file.keys() | ready.keys()):
        here = [*ready.get(file, ()), *(issue.complaint(places) for issue in by_file.get(file, ()))]
        shown += sorted(here, key=lambda c: (c.place.line, c.place.column) if c.place else (0, 0))
        if len(shown) > MAX_COMPLAINTS:
            break
    if total > MAX_COMPLAINTS:
        least = "at least " if len(issues) > MAX_ISSUES else ""
        more = Complaint(f"… and {least}{total - MAX_COMPLAINTS:,} more", mend="mend these first")
        return [*shown[:MAX_COMPLAINTS], more]
    return shown


def dangling(
    snapshot: Snapshot, live_addresses: Callable[[Address], bool], going: Collection[Address] = ()
) -> list[Complaint]:
    """List references to resources of managed kinds that no file declares and the org lacks, or will lack.

    `live_addresses` says whether the org has an address, `going` are those that it has and that will be deleted because no
    file declares them any more. Components of installed packages (`namespace__Name`) are not
    looked for, because what an org lists of them depends on the login.
    """
    known: dict[str, list[str]] = {}
    for address in snapshot.resources:
        if not address.part:
            known.setdefault(address.kind, []).append(address.name)
    found = []
    deleted = {folded(address) for address in going}
    for resource, path, target in _leaving(snapshot):
        if folded(target) in deleted:
            message = f"{_field(path)} points at {target}, which no file declares any more, so that it would be deleted"
            mend = f"put the file of {target.name} back, or take away what points at it, too"
        elif not live_addresses(target):
            message = f"{_field(path)} points at {target}, which is neither declared nor in the org"
            mend = suggestion(target.name, known.get(target.kind, ())) or "declare it, or mend the name"
        else:
            continue
        found.append(Complaint(message, resource.origin.at(path), mend))
    return sorted(found, key=_place_order)


def undeclared(snapshot: Snapshot) -> list[Unchecked]:
    """References to resources of managed kinds that no file declares: only the org can tell whether they are there."""
    return [
        Unchecked(
            REFERENCE,
            resource.address,
            f"{_field(path)} points at {target}, which no file declares",
            path,
            resource.origin.at(path),
        )
        for resource, path, target in _leaving(snapshot)
    ]


def _leaving(snapshot: Snapshot) -> Iterator[tuple[Resource, tuple[str, ...], Address]]:
    # The org compares names without regard to case.
    known = {folded(address) for address in snapshot.resources}
    for resource in snapshot.resources.values():
        for path, target in _references(resource):
            if "__" not in target.name and target not in snapshot.resources and folded(target) not in known:
                yield resource, path, target


def _field(path: tuple[str, ...]) -> str:
    return ".".join(path) or "handler"


def _place_order(complaint: Complaint) -> tuple[str, int, int]:
    place = complaint.place or Place("")
    return place.file, place.line, place.column


def _references(resource: Resource) -> Iterator[tuple[tuple[str, ...], Address]]:
    """Return what one resource refers to: the path of each reference, and the address that it names."""
    address = resource.address
    if address.is_enablement:
        yield ("handler",), address.component
        for name, kind in (("connectedApp", "ConnectedApp"), ("externalClientApp", "ExternalClientApplication")):
            if resource.body.get(name):
                yield (name,), Address(kind, resource.body[name])
        return
    for path, kind, name in references(address.schema, resource.body, _managed()):
        yield path, Address(kind, name)


@cache
def _managed() -> frozenset[str]:
    return frozenset(all_kinds())
