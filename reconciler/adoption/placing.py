"""What is taken in -> the bytes of files: edits of what is there, new files for what is new.

Where a value comes from a variable, the variable takes the new value; where only what stands around it has changed, it
stays. What is written in a way that no edit can follow is left alone, with the reason.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Any

from reconciler.adoption.decision import Decision, Left, Taken
from reconciler.adoption.metadata_placing import ElementEdits, new_files
from reconciler.adoption.writing import Writing
from reconciler.apex.hardcoded import masked
from reconciler.desired.document import Find, Overlaid
from reconciler.errors import Complaint, InputError, Place
from reconciler.kinds import APP, ENABLEMENT, HANDLER, satellites
from reconciler.model.address import Address
from reconciler.model.declared import Resource, Snapshot
from reconciler.model.live import LiveResource, LiveState
from reconciler.schema.kind import Field
from reconciler.schema.marks import Commas, SourceText
from reconciler.schema.paths import field_at, get
from reconciler.schema.values import Path
from reconciler.xml.element_edits import edited as edited_elements
from reconciler.yaml import rendering
from reconciler.yaml.editing import REMOVED, Edit, NotEditableError, edited
from reconciler.yaml.events import RawPath

_TOKEN = re.compile(r"\$\{var\.([A-Za-z_][A-Za-z0-9_]*)\}|\$\$\{")


@dataclass(slots=True)
class Contents:
    """The files as they are to be: what changes, by name relative to the project folder; `None` removes a file."""

    files: dict[str, bytes | None] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    variables: dict[str, str] = field(default_factory=dict)
    """Variables of the org that take another value, or are new."""
    placed: dict[Address, str] = field(default_factory=dict)
    """The file that a new resource stands in."""
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Folder:
    """The desired files as they are now."""

    name: str
    """Of the folder that new files go to, relative to the project folder."""
    read: Mapping[str, bytes]
    """Those that may change, by name."""
    taken: frozenset[str]
    """Names in any letters that a new file cannot have."""
    variables: Mapping[str, str]
    """The org's, as the project file has them."""
    is_metadata: bool = False
    """Whether new records go into metadata files, and not into YAML."""
    packaged: bool = False
    """Whether metadata files are named as in a package."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Variables that are not to be changed, and why, in words that follow their name."""


def placed(decision: Decision, desired: Snapshot, live: LiveState, folder: Folder, writing: Writing) -> Contents:
    """The files with everything in them that was decided; what cannot be placed is in `left`."""
    contents = Contents()
    edits: dict[str, list[Edit]] = {}
    place = _Placing(desired, live, folder, writing, contents, edits)
    for address in decision.gone:
        place.remove(address)
    for taken in decision.fields:
        place.take(taken)
    place.add(decision.new)
    for file, own in edits.items():
        _edit(file, own, folder, contents)
    for file, elements in place.elements.by_file.items():
        if file not in contents.files:
            kind = place.elements.kinds[file]
            contents.files[file] = edited_elements(folder.read[file], kind, elements, file)
    return contents


def _edit(file: str, edits: list[Edit], folder: Folder, contents: Contents) -> None:
    try:
        new = edited(folder.read[file], edits)
    except NotEditableError as wrong:
        where = ".".join(map(str, wrong.path[1:]))
        message = f"{where} cannot be changed by itself: {wrong.why}; nothing was written"
        raise InputError(
            Complaint(message, Place(file), "write it as the documentation does, then pull again")
        ) from None
    contents.files[file] = new if new.strip() else None


class _Placing:
    """Finds the place of each value, one after the other."""

    def __init__(
        self,
        desired: Snapshot,
        live: LiveState,
        folder: Folder,
        writing: Writing,
        contents: Contents,
        edits: dict[str, list[Edit]],
    ) -> None:
        self._desired = desired
        self._live = live
        self._folder = folder
        self._writing = writing
        self._contents = contents
        self._edits = edits
        self._added: dict[tuple[str, RawPath], int] = {}
        """How many items were added to a list."""
        self._done: set[tuple[str, RawPath]] = set()
        self._names = set(folder.taken)
        """Names that a new file cannot have, in small letters."""
        self._plain = writing.as_metadata()
        self.elements = ElementEdits()

    def _find(self, address: Address, path: Path = ()) -> Find | None:
        """What finds a field in its file: of a metadata file with YAML over it, in the one of the two that declares it."""
        find = self._desired.resources[address].origin.find
        while isinstance(find, Overlaid):
            find = find.of(path).origin.find
        return find if isinstance(find, Find) else None

    def _leave(self, address: Address, path: Path, why: str, mend: str = "edit it by hand") -> None:
        self._contents.left.append(Left(address, path, why, mend))

    def _note(self, file: str, path: RawPath, value: Any) -> None:
        if (file, path) not in self._done:
            self._done.add((file, path))
            self._edits.setdefault(file, []).append(Edit(path, value))

    # -- what is gone -------------------------------------------------------------------------------------------------

    def remove(self, address: Address) -> None:
        for one in _every(self._desired.resources[address]):
            if not isinstance(one, Find):
                file = self._desired.resources[address].origin.file
                self._contents.files[file] = self._contents.files[f"{file}-meta.xml"] = None
            elif not one.is_metadata:
                self._note(one.spot.file, (one.spot.document, *one.spot.path), REMOVED)
            elif one.spot.path:
                self._element(one, address)
                self.elements.note(one, one.spot.path, None)
            else:
                self._contents.files[one.spot.file] = None

    def _element(self, find: Find, address: Address) -> None:
        """Remember which kind the root of a metadata file is."""
        self.elements.kinds[find.spot.file] = address.schema

    # -- fields of declared records -----------------------------------------------------------------------------------

    def take(self, taken: Taken) -> None:
        address, have = taken.address, self._live.resources[taken.address]
        find = self._find(address, taken.path)
        fields = list(field_at(address.struct, taken.path))
        if find is None or not fields or fields[-1].has(SourceText):
            self._take_source(taken, have)
            return
        path, value = self._settled(taken, have, fields, self._plain if find.is_metadata else self._writing)
        if find.is_metadata:
            gone = value is REMOVED or value == [] or value is None
            is_item = path == taken.path and path[-1] != fields[-1].name
            self._element(find, address)
            self.elements.take(find, path, fields[-1], None if gone else value, is_item=is_item)
            return
        raw, written, rest = find.locate(path)
        spot = find.spot.file
        if value is REMOVED:
            if not rest:
                self._note(spot, raw, REMOVED)
            return
        one = fields[-1]
        if rest:
            self._add_at(spot, raw, written, rest, value)
        elif one.is_set and isinstance(written, list) and isinstance(value, list):
            self._merge(find, raw, written, value, one)
        elif one.is_set and isinstance(written, str) and isinstance(value, list):
            self._note(spot, raw, _merged_text(find, written, value, one))
        elif isinstance(written, str) and "${" in written:
            self._behind_variables(taken, find, raw, written, value)
        else:
            self._note(spot, raw, value)

    @staticmethod
    def _settled(taken: Taken, have: LiveResource, fields: list[Field], writing: Writing) -> tuple[Path, Any]:
        """The path to write at, and what is to stand there; `REMOVED` where the org has no such section or item."""
        address, struct = taken.address, taken.address.struct
        for depth in range(1, len(taken.path)):
            above = taken.path[:depth]
            if get(struct, have.body, above) is None:
                return above, REMOVED
        value = get(struct, have.body, taken.path)
        if taken.path[-1] != fields[-1].name:
            # The path ends in the key of an item.
            if not isinstance(value, dict):
                return taken.path, REMOVED
            written = writing.value(address, taken.path, fields[-1], [value])
            return taken.path, written[0]
        if value in (None, "", []) and (fields[-1].struct is None or fields[-1].repeated):
            return taken.path, [] if fields[-1].is_set or fields[-1].repeated else None
        return taken.path, writing.value(address, taken.path, fields[-1], value)

    def _add_at(self, file: str, raw: RawPath, written: Any, rest: Path, value: Any) -> None:
        """Add a value whose key, or some keys around it, the file does not have."""
        if isinstance(written, list):
            number = self._added.get((file, raw), 0)
            self._added[file, raw] = number + 1
            self._note(file, (*raw, len(written) + number), value)
            return
        # Several fields of one new section are one edit each: they grow together.
        self._note(file, (*raw, *rest), value)

    def _merge(self, find: Find, raw: RawPath, written: list[Any], value: list[Any], one: Field) -> None:
        """Take entries out of a list and add others; those that stay keep their place and their letters."""
        key = one.comparison.key
        wanted = {key(one.comparison.read(str(entry).replace("$${", "${"))): entry for entry in value}
        kept = set()
        for index, entry in enumerate(written):
            filled = find.values.text(entry, (), []) if isinstance(entry, str) else str(entry)
            same = key(one.comparison.read((filled or "").strip()))
            if same in wanted and same not in kept:
                kept.add(same)
            else:
                self._note(find.spot.file, (*raw, index), REMOVED)
        for same, entry in wanted.items():
            if same not in kept:
                self._add_at(find.spot.file, raw, written, ("",), entry)

    def _behind_variables(self, taken: Taken, find: Find, raw: RawPath, written: str, value: Any) -> None:
        names = [found[1] for found in _TOKEN.finditer(written) if found[1]]
        new = _text_of(value)
        if not names:
            self._note(find.spot.file, raw, value)
            return
        values = {name: find.values.lookup(name) or "" for name in names}
        kept = _around(written, new, values)
        if kept is not None:
            self._note(find.spot.file, raw, kept)
            return
        solved = _solved(written, new, names)
        if solved is None:
            what = f"what the org has, {new!r}, cannot be written with {', '.join(f'${{var.{n}}}' for n in names)}"
            self._leave(taken.address, taken.path, what)
            return
        for name, found in solved.items():
            if name in self._folder.fixed:
                what = f"its value comes from the variable {name}, {self._folder.fixed[name]}"
                self._leave(taken.address, taken.path, what, "change the variable, or write the value here")
                return
            if self._contents.variables.get(name, found) != found:
                self._leave(taken.address, taken.path, f"the variable {name} would have to be two values at once")
                return
        self._contents.variables.update(solved)

    def _take_source(self, taken: Taken, have: LiveResource) -> None:
        """The source of an Apex class: a file of its own, with the line ends that it had."""
        file = self._desired.resources[taken.address].origin.file
        content = have.body.get("content")
        if taken.path != ("content",) or not isinstance(content, str):
            self._leave(taken.address, taken.path, "it stands in the meta file of a class")
            return
        ends = "\r\n" if b"\r\n" in self._folder.read.get(file, b"") else "\n"
        self._contents.files[file] = content.replace("\n", ends).encode()

    # -- what is new --------------------------------------------------------------------------------------------------

    def add(self, new: tuple[Address, ...]) -> None:
        live = self._live.resources
        chosen = frozenset(new)
        sections = {a: live[a] for a in new if a.is_satellite and Address(APP, a.name) in chosen}
        by_app: dict[str, list[Address]] = {}
        for section in sections:
            by_app.setdefault(section.name, []).append(section)
        for address in new:
            have, owner = live[address], Address(APP, address.name)
            if address in sections or (address.part and address.component in chosen):
                continue
            if address.kind == "ApexClass":
                self._add_class(have)
            elif address.part and self._add_element(have):
                continue
            elif self._folder.is_metadata and not address.part:
                self._write_metadata(have, sections, [live[a] for a in new if a.part and a.component == address])
            elif address.is_satellite and owner in self._desired.resources and self._is_yaml(owner):
                self._add_section(have, owner)
            elif address.is_satellite:
                self._write(address, self._writing.satellite(have))
            elif address.part:
                self._add_enablement(have)
            elif address.kind == HANDLER:
                enabled = [live[a] for a in new if a.part and a.component == address]
                self._write(address, self._writing.handler(have, enabled))
                self._contents.placed.update((one.address, self._contents.placed[address]) for one in enabled)
            else:
                self._write(address, self._writing.app(have, sections))
                own = by_app.get(address.name, []) if address.kind == APP else []
                self._contents.placed.update((one, self._contents.placed[address]) for one in own)

    def _add_element(self, have: LiveResource) -> bool:
        """Add an enablement to the metadata file of its handler; false if the handler has none."""
        handler = have.address.component
        find = self._find(handler) if handler in self._desired.resources else None
        if find is None or not find.is_metadata:
            return False
        known = sum(one.part != "" and one.component == handler for one in self._desired.resources)
        number = self._added.get((find.spot.file, (ENABLEMENT,)), 0)
        self._added[find.spot.file, (ENABLEMENT,)] = number + 1
        self._element(find, handler)
        self.elements.note(find, (ENABLEMENT, known + number), self._plain.section(have))
        self._contents.placed[have.address] = find.spot.file
        return True

    def _write_metadata(
        self, have: LiveResource, sections: Mapping[Address, LiveResource], enabled: list[LiveResource]
    ) -> None:
        made = new_files(have, sections, enabled, self._plain, packaged=self._folder.packaged)
        for address, (name, content) in made.items():
            file = self._new_file(name)
            if file is None:
                self._leave(address, (), f"there is another file where it would go, {name}", "move that file")
                continue
            self._contents.files[file] = content
            self._contents.created.add(file)
            self._contents.placed[address] = file
        self._contents.placed.update((one.address, self._contents.placed.get(have.address, "")) for one in enabled)

    def _is_yaml(self, address: Address) -> bool:
        find = self._find(address)
        return find is not None and not find.is_metadata

    def _add_section(self, have: LiveResource, owner: Address) -> None:
        find = self._find(owner)
        key = next(key for key, kind in satellites().items() if kind.__name__ == have.address.kind)
        if find is not None:
            self._note(find.spot.file, (find.spot.document, key), self._writing.section(have))
            self._contents.placed[have.address] = find.spot.file

    def _add_enablement(self, have: LiveResource) -> None:
        handler = have.address.component
        find = self._find(handler) if handler in self._desired.resources else None
        if find is not None and handler.name in self._desired.authoritative:
            raw, written, rest = find.locate((ENABLEMENT,))
            if not rest and isinstance(written, list):
                self._add_at(find.spot.file, raw, written, ("",), self._writing.section(have))
                self._contents.placed[have.address] = find.spot.file
                return
        self._write(have.address, self._writing.enablement(have), f"{handler.name}.{have.address.app}")

    def _add_class(self, have: LiveResource) -> None:
        address, content = have.address, have.body.get("content")
        if not isinstance(content, str):
            return
        if masked(content) != content:
            why = "its source holds what looks like a secret, which belongs into no file"
            self._leave(address, (), why, "take the secret out of the class, and pull again")
            return
        file = self._new_file(f"classes/{address.name}.cls")
        if file is None:
            self._leave(address, (), f"there is another file of the name {address.name}.cls", "move it")
            return
        version, status = have.body.get("apiVersion"), have.body.get("status") or "Active"
        meta = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">\n'
            f"    <apiVersion>{version}</apiVersion>\n    <status>{status}</status>\n</ApexClass>\n"
        )
        for name, text in ((file, content), (f"{file}-meta.xml", meta)):
            self._contents.files[name] = text.encode()
            self._contents.created.add(name)
        self._contents.placed[address] = file

    def _write(self, address: Address, document: dict[str, Any], name: str = "") -> None:
        schema = address.schema
        file = self._new_file(f"{schema.folder}/{name or (schema.__name__ if schema.singleton else address.name)}.yaml")
        if file is None:
            why = f"there is another file where it would go, {schema.folder}/{name or address.name}.yaml"
            self._leave(address, (), why, "move that file, or write this one by hand")
            return
        self._contents.files[file] = rendering.document(document).encode()
        self._contents.created.add(file)
        self._contents.placed[address] = file

    def _new_file(self, name: str) -> str | None:
        """The name of a file that is not there yet, in whatever letters; `None` if there is one."""
        file = normpath(join(self._folder.name, name))
        if file.casefold() in self._names:
            return None
        self._names.add(file.casefold())
        return file


def _every(resource: Resource) -> Iterator[object]:
    """What finds a resource in each of the files that declare it."""
    find = resource.origin.find
    if isinstance(find, Overlaid):
        yield from _every(find.over)
        yield from _every(find.under)
    else:
        yield find


def _merged_text(find: Find, written: str, value: list[Any], one: Field) -> Any:
    """A list that is written as one text, with its entries as the org has them: those that stay keep their letters."""
    separator = "," if one.has(Commas) else "\n"
    key = one.comparison.key
    wanted = {key(one.comparison.read(str(entry).replace("$${", "${"))): str(entry) for entry in value}
    kept = []
    for part in written.split(separator):
        same = key(one.comparison.read((find.values.text(part, (), []) or "").strip()))
        if wanted.pop(same, None) is not None:
            kept.append(part.strip())
    entries = [*kept, *wanted.values()]
    return (", " if separator == "," else "\n").join(entries) if entries else []


def _text_of(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value).replace("$${", "${")


def _around(written: str, new: str, values: Mapping[str, str]) -> str | None:
    """The new text with the references to variables that it can keep; `None` if a variable's value is not in it any more.

    Each has to be there once: else it would be a guess which of the places is meant.
    """
    result = new.replace("${", "$${")
    for value in values.values():
        if len(value) < 3 or result.count(value) != 1:
            return None
    for name, value in values.items():
        result = result.replace(value, f"${{var.{name}}}")
    return result if set(_names(result)) == set(_names(written)) else None


def _names(text: str) -> Iterator[str]:
    return (found[1] for found in _TOKEN.finditer(text) if found[1])


def _solved(written: str, new: str, names: list[str]) -> dict[str, str] | None:
    """The values that variables need for a text to become `new`; `None` if there are none, or more than one answer."""
    if len(set(names)) != 1:
        return None
    pattern, at = "", 0
    for found in _TOKEN.finditer(written):
        pattern += re.escape(written[at : found.start()])
        pattern += re.escape("${") if not found[1] else "(?P<v>.*)" if "(?P<v>" not in pattern else "(?P=v)"
        at = found.end()
    match = re.fullmatch(pattern + re.escape(written[at:]), new, re.DOTALL)
    return {names[0]: match["v"]} if match is not None and match["v"] else None
