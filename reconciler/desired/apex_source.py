"""Apex classes among the desired files: `<Name>.cls` and, beside it, `<Name>.cls-meta.xml`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from reconciler.errors import Complaint, Place, suggestion
from reconciler.kinds import kind
from reconciler.model.address import Address
from reconciler.model.declared import Origin, Resource
from reconciler.schema.kind import Struct
from reconciler.schema.problems import problems_of
from reconciler.schema.values import Body
from reconciler.yaml.source import EncodingError, Masked, lines_of, snippet

CLASS = ".cls"
META = ".cls-meta.xml"
_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_WIRE: dict[str, Callable[[str], Any]] = {"int": int, "double": float, "string": str}


@dataclass(frozen=True, slots=True)
class _Find:
    """Places in an Apex class: its source, and the elements of its meta file."""

    file: str
    lines: dict[str, int]

    def __call__(self, path: tuple[str, ...]) -> Place:
        line = self.lines.get(path[0]) if path else None
        return Place(self.file, 1) if line is None else Place(self.file.removesuffix(CLASS) + META, line)


def classes(files: Mapping[str, bytes], complaints: list[Complaint]) -> Iterator[Resource]:
    """Read the Apex classes among the files; note what is wrong, also a source or a meta file without the other."""
    for file, data in files.items():
        if file.endswith(META):
            if (source := file.removesuffix(META) + CLASS) not in files:
                name = source.rpartition("/")[2]
                complaints.append(
                    Complaint(f"{name} is missing beside this file", Place(file), "add the source, or remove this file")
                )
        elif (meta := file.removesuffix(CLASS) + META) in files:
            resource = _read(file, data, files[meta], complaints)
            if resource is not None:
                yield resource
        else:
            mend = "add it, with <apiVersion> and <status>Active</status> in an <ApexClass>"
            complaints.append(Complaint(f"{meta.rpartition('/')[2]} is missing beside this file", Place(file), mend))


def _read(file: str, source: bytes, meta: bytes, complaints: list[Complaint]) -> Resource | None:
    """Return the class as a resource; `None`, with complaints, if something is wrong. `file` is the `.cls`."""
    before = len(complaints)
    content = _content(file, source, complaints)
    body, lines = _Meta(file.removesuffix(CLASS) + META, meta, complaints).body()
    if len(complaints) > before:
        return None
    name = file.rpartition("/")[2].removesuffix(CLASS)
    return Resource(Address("ApexClass", name), {**body, "content": content}, Origin(file, 1, _Find(file, lines)))


def _content(file: str, source: bytes, complaints: list[Complaint]) -> str:
    """The source with the line ends that the org keeps: LF, and exactly one at the end."""
    try:
        text = Masked.of(source).text.removeprefix("\ufeff")
    except EncodingError as wrong:
        complaints.append(wrong.complaint(file, source, lambda _: False))
        return ""
    if "\x00" in text or not text.strip():
        what = "the file holds NUL characters: it is no text" if text.strip() else "the file is empty"
        complaints.append(Complaint(what, Place(file, 1), "put the class there, or remove the file and its meta file"))
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


class _Meta:
    """Reads one `-meta.xml` file."""

    def __init__(self, file: str, data: bytes, complaints: list[Complaint]) -> None:
        self._file = file
        self._data = data
        self._complaints = complaints

    def body(self) -> tuple[Body, dict[str, int]]:
        """Return the fields of the meta file, and the lines that they stand on."""
        # Entities are not resolved, nothing is loaded, and lxml's own limits of size and depth hold.
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = etree.fromstring(self._data, parser)
        except (etree.XMLSyntaxError, ValueError) as wrong:
            line, column = getattr(wrong, "position", (1, 0))
            self._note(line, f"not valid XML: {getattr(wrong, 'msg', None) or 'it cannot be read'}", "", column)
            return {}, {}
        if root.getroottree().docinfo.internalDTD is not None:
            self._note(1, "a document type is not allowed", "remove the <!DOCTYPE …>")
            return {}, {}
        schema = kind("ApexClass")
        if root.tag not in (f"{_NAMESPACE}ApexClass", "ApexClass"):
            self._note(
                root.sourceline or 1, "this is no ApexClass", f'start with <ApexClass xmlns="{_NAMESPACE[1:-1]}">'
            )
            return {}, {}
        before = len(self._complaints)
        body, lines = self._struct(schema, root)
        if len(self._complaints) == before:
            for problem in problems_of(schema, body):
                line = lines.get(str(problem.path[0]) if problem.path else "", 1)
                self._note(line, problem.message, problem.mend)
            for path in schema.missing(body):
                self._note(1, f"{'.'.join(map(str, path))} is missing", f"add <{path[-1]}>")
        return body, lines

    def _struct(self, schema: type[Struct], element: Any) -> tuple[Body, dict[str, int]]:
        body: Body = {}
        lines: dict[str, int] = {}
        fields = {name: one for name, one in schema.fields().items() if name != "content"}
        for child in element:
            name = str(child.tag).removeprefix(_NAMESPACE) if isinstance(child.tag, str) else "an entity"
            one = fields.get(name)
            if one is None:
                self._note(child.sourceline, f"{name} is not a field of {schema.__name__}", suggestion(name, fields))
            elif name in body and not one.repeated:
                self._note(child.sourceline, f"{name} is given twice", "remove one of the two")
            elif one.struct is not None:
                body.setdefault(name, []).append(self._struct(one.struct, child)[0])
                lines.setdefault(name, child.sourceline)
            else:
                body[name] = self._value(child, name, one.wire)
                lines[name] = child.sourceline
        return body, lines

    def _value(self, element: Any, name: str, wire: str) -> Any:
        text = (element.text or "").strip()
        try:
            return _WIRE[wire](text)
        except ValueError:
            self._note(element.sourceline, f"{name} must be a number, not {text[:40]!r}", "write it like 63.0")
            return None

    def _note(self, line: Any, message: str, mend: str, column: int = 0) -> None:
        lines = lines_of(self._data.decode("utf-8", "replace"))
        self._complaints.append(Complaint(message, Place(self._file, line, column, snippet(lines, line - 1)), mend))
