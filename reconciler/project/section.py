"""Reads the sections of the project file: each is described by a value (`Section`), and read by that description.

A section is a mapping whose keys are known. Each key has a reader for what stands behind it, which notes what is wrong and
then returns `NOTHING`. Everything that is wrong in a file is noted; nothing is raised before the whole file was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from reconciler.errors import Complaint, Place, suggestion
from reconciler.schema.kind import Struct
from reconciler.schema.problems import problems_of
from reconciler.secret_refs import NoReferenceError, reference
from reconciler.yaml.events import RawPath
from reconciler.yaml.reader import Positions

NOTHING: Final = object()
"""What a reader returns where there is nothing that can be used."""


class Notes:
    """What is wrong in one project file, each with its place; and the folder that references are relative to."""

    def __init__(self, root: Path, positions: Positions, complaints: Sequence[Complaint] = ()) -> None:
        self.root = root
        self.complaints = list(complaints)
        self._positions = positions

    def __call__(self, path: RawPath, message: str, mend: str) -> None:
        """Note that something is wrong at a path: what, and what to do about it."""
        self.complaints.append(Complaint(message, self.place(path), mend))

    def place(self, path: RawPath) -> Place:
        """The line and column of what stands at a path."""
        return self._positions.place((0, *path))


class ReadValue(Protocol):
    """Reads what stands behind one key, or notes what is wrong and returns `NOTHING`."""

    def __call__(self, key: str, value: Any, at: RawPath, notes: Notes) -> Any: ...


@dataclass(frozen=True, slots=True)
class Section:
    """What a mapping in the project file may hold."""

    what: str
    """What errors call it: `an org`, `a waiver`."""
    keys: Mapping[str, ReadValue]
    shape: tuple[str, str] = ("", "")
    """What is said of something that is no mapping: what is wrong, and what to write."""
    more: tuple[str, ...] = ()
    """Keys of the same mapping that others read."""

    @classmethod
    def of(cls, schema: type[Struct], what: str, more: tuple[str, ...]) -> "Section":
        """Return the section whose keys are the fields of a structure."""
        return cls(what, dict.fromkeys(schema.fields(), as_it_is), more=more)

    def read(self, raw: Any, at: RawPath, notes: Notes) -> dict[str, Any] | None:
        """Read a mapping: return the usable values by key, or `None` if `raw` is no mapping. What is wrong is noted."""
        if not isinstance(raw, dict):
            notes(at, *self.shape)
            return None
        values = ((key, self.keys[key](key, raw[key], (*at, key), notes)) for key in self.known(raw, at, notes))
        return {key: value for key, value in values if value is not NOTHING}

    def known(self, raw: Mapping[str, Any], at: RawPath, notes: Notes) -> list[str]:
        """The keys of a mapping that the section has; the others are noted, with the nearest one."""
        known = (*self.keys, *self.more)
        for key in raw:
            if key not in self.keys:
                notes((*at, key), f"{key} is not a key of {self.what}", suggestion(str(key), known, every=True))
        return [key for key in raw if key in self.keys]


def as_it_is(key: str, value: Any, at: RawPath, notes: Notes) -> Any:
    """Take a value as it stands: it is checked elsewhere."""
    return value


def text(words: str, choices: Sequence[str] = ()) -> ReadValue:
    """Return a reader for texts that are not blank, and one of `choices` if there are any; `words` say what to write."""

    def read(key: str, value: Any, at: RawPath, notes: Notes) -> Any:
        if not isinstance(value, str) or not value.strip():
            notes(at, f"{key} must be a text", f"write {words}")
            return NOTHING
        if choices and value not in choices:
            notes(at, f"{value!r} is not a {key}", f"one of: {', '.join(choices)}")
            return NOTHING
        return value.strip()

    return read


def secret(key: str, value: Any, at: RawPath, notes: Notes) -> Any:
    """Read a reference to a secret. A command is let through here, and refused only where it would run.

    So the login of one org does not stop a plan for another.
    """
    try:
        return reference(key, value, root=notes.root, allow_commands=True)
    except NoReferenceError as wrong:
        notes(at, wrong.message, wrong.mend)
        return NOTHING


def checked(schema: type[Struct], body: Mapping[str, Any], at: RawPath, notes: Notes) -> None:
    """Note what is wrong with the types of a section whose keys are the fields of a structure, and what is missing."""
    for problem in problems_of(schema, dict(body)):
        notes((*at, *problem.path), problem.message, problem.mend)
    for path in schema.missing(dict(body)):
        notes(at, f"{path[-1]} is missing", f"add {path[-1]}: and a name")
