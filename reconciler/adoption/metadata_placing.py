"""What is taken in -> edits of metadata files, and new ones: as the Salesforce CLI would have retrieved them. Pure."""

from collections.abc import Mapping
from typing import Any

from reconciler.adoption.writing import Writing
from reconciler.desired.document import Find
from reconciler.kinds import ENABLEMENT, HANDLER, satellites
from reconciler.model.address import Address
from reconciler.model.live import LiveResource
from reconciler.schema.kind import Field, Kind
from reconciler.schema.marks import Commas, Lines
from reconciler.schema.values import Path
from reconciler.xml.codec import encode
from reconciler.xml.element_edits import ElementEdit, ElementPath
from reconciler.xml.file_names import META


class ElementEdits:
    """Gathers the edits of metadata files, by file."""

    def __init__(self) -> None:
        self.by_file: dict[str, list[ElementEdit]] = {}
        self.kinds: dict[str, type[Kind]] = {}
        self._added: dict[tuple[str, ElementPath], int] = {}

    def note(self, find: Find, path: ElementPath, value: Any) -> None:
        file = find.spot.file
        edit = ElementEdit(path, value)
        if edit not in self.by_file.setdefault(file, []):
            self.by_file[file].append(edit)

    def take(self, find: Find, path: Path, one: Field, value: Any, *, is_item: bool) -> None:
        """Give a field, or one item of a list, the org's value; `None` takes it away."""
        raw, written, rest = find.locate(path)
        at: ElementPath = raw[1:]
        if value is None:
            if not rest:
                self.note(find, at, None)
        elif one.is_set and one.has(Commas, Lines) and not is_item:
            self.note(find, (*at, *rest), _merged(written if not rest else "", value, one) or None)
        elif is_item:
            if rest:
                self._append(find, (*at, *rest[:-1]), written if len(rest) == 1 else [], value)
            else:
                self.note(find, at, value)
        elif isinstance(value, list):
            self._list(find, (*at, *rest), written if not rest else [], value, one)
        else:
            self.note(find, (*at, *rest), value)

    def _append(self, find: Find, at: ElementPath, written: Any, value: Any) -> None:
        known = len(written) if isinstance(written, list) else 0
        number = self._added.get((find.spot.file, at), 0)
        self._added[find.spot.file, at] = number + 1
        self.note(find, (*at, known + number), value)

    def _list(self, find: Find, at: ElementPath, written: Any, value: list[Any], one: Field) -> None:
        """Elements that repeat: those that stay are not touched."""
        have = written if isinstance(written, list) else [written] if written not in (None, "") else []
        if one.struct is not None:
            for index in range(len(have)):
                self.note(find, (*at, index), None)
            for item in value:
                self._append(find, at, have, item)
            return
        wanted = {_key(one, entry): entry for entry in value}
        for index, entry in enumerate(have):
            if wanted.pop(_key(one, entry), None) is None:
                self.note(find, (*at, index), None)
        for entry in wanted.values():
            self._append(find, at, have, entry)


def _key(one: Field, entry: Any) -> Any:
    return one.comparison.key(one.comparison.read(str(entry).strip()))


def _merged(written: Any, value: list[Any], one: Field) -> str:
    """A list in one text with the entries that the org has: those that stay keep their letters and their order."""
    separator, joint = (",", ", ") if one.has(Commas) else ("\n", "\n")
    wanted = {_key(one, entry): str(entry) for entry in value}
    kept = []
    for part in str(written or "").split(separator):
        if part.strip() and wanted.pop(_key(one, part), None) is not None:
            kept.append(part.strip())
    return joint.join([*kept, *wanted.values()])


def new_files(
    have: LiveResource,
    sections: Mapping[Address, LiveResource],
    enabled: list[LiveResource],
    writing: Writing,
    *,
    packaged: bool,
) -> dict[Address, tuple[str, bytes]]:
    """The files of one record with its satellites, or with its enablements: address -> name and content. `packaged` names
    them as a package does, else as a project of the Salesforce CLI."""
    found = {have.address: _file(have, _body(have, enabled, writing), packaged=packaged)}
    for kind in satellites().values():
        section = sections.get(Address(kind.__name__, have.address.name))
        if section is not None and have.address.kind == "ExternalClientApplication":
            found[section.address] = _file(section, _body(section, [], writing), packaged=packaged)
    return found


def _body(have: LiveResource, enabled: list[LiveResource], writing: Writing) -> dict[str, Any]:
    kind = have.address.schema
    body = writing.section(have)
    if kind.section:
        body[kind.owner_field()] = have.address.name
    for name, one in kind.fields().items():
        if one.required and name not in body and name in have.body:
            body[name] = have.body[name]
    if have.address.kind == HANDLER and enabled:
        body[ENABLEMENT] = [writing.section(one) for one in enabled]
    return body


def _file(have: LiveResource, body: dict[str, Any], *, packaged: bool) -> tuple[str, bytes]:
    kind = have.address.schema
    record = kind.singleton or have.record or have.address.name
    return f"{kind.folder}/{record}.{kind.suffix}{'' if packaged else META}", encode(kind, body)
