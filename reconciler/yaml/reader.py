"""Reads YAML text into plain values, and finds the place of each of them.

Places are not kept: a file is read a second time, with places, when someone asks for one (`Positions`).
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.errors import Complaint, Place
from reconciler.yaml.events import Builder, Document, IsSecret, RawPath, StopError
from reconciler.yaml.source import EncodingError, Masked, fault, hide, lines_of, short, snippet, uncommented


@dataclass(slots=True)
class Reading:
    """What one file holds: its documents as far as they could be read, and what is wrong with the text."""

    documents: list[Document] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    plain: bool = True
    """True if no text of the file can hold `${` or a control character, so that no one has to look."""


class Reader:
    """Reads the text of YAML files one after the other; equal short texts are one object in all of them."""

    def __init__(self, is_secret: IsSecret) -> None:
        self._is_secret = is_secret
        self._plain: dict[str, Any] = {}

    def read(self, data: bytes, file: str) -> Reading:
        """Read one file. Never raises for what stands in it: what is wrong is among the complaints."""
        reading = Reading()
        try:
            text = Masked.of(data)
        except EncodingError as wrong:
            reading.complaints.append(wrong.complaint(file, data, self._is_secret))
            return reading
        reading.plain = text.plain
        builder = Builder(text, self._plain)
        try:
            reading.documents.extend(builder.documents())
        except yaml.YAMLError as wrong:
            line, column, message, mend = fault(wrong, text.text)
            shown = "" if hide(text.text, line, self._is_secret) else snippet(lines_of(text.text), line)
            reading.complaints.append(Complaint(message, Place(file, line + 1, column + 1, shown), mend))
        except StopError as stop:
            builder.troubles.append(stop.trouble)
        if builder.troubles:
            positions = Positions(data, file, self._is_secret)
            reading.complaints += [
                Complaint(
                    short(t.message),
                    positions.at(t.line, t.column),
                    t.mend,
                    positions.place(t.first) if t.first is not None else None,
                )
                for t in builder.troubles
            ]
        return reading


class Positions:
    """The place of every value of one file, and its text as it may be shown: without secrets."""

    def __init__(self, data: bytes, file: str, is_secret: IsSecret) -> None:
        """Find the places in `data`, which may be any bytes: what cannot be read has no places."""
        self.file = file
        self.values: dict[int, Any] = {}
        """The documents by number."""
        self._spots: dict[RawPath, tuple[int, int]] = {}
        self._texts: dict[RawPath, str] = {}
        self._lines: list[str] = []
        self._is_secret = is_secret
        try:
            text = Masked.of(data)
        except EncodingError:
            return
        builder = Builder(text, {}, self._spots, is_secret, self._texts)
        complete = False
        try:
            for document in builder.documents():
                self.values[document.index] = document.value
            complete = True
        except (yaml.YAMLError, StopError):
            pass
        lines = lines_of(text.text)
        if not complete and hide(text.text, len(lines), is_secret):
            # What a broken file means by its last lines is a guess, so none of it is shown.
            return
        for span in builder.secrets:
            _blank(lines, span)
        self._lines = lines

    def at(self, line: int, column: int) -> Place:
        """The place of a line and column, which count from 0 here."""
        return Place(self.file, line + 1, column + 1, uncommented(snippet(self._lines, line), self._is_secret))

    def text(self, path: RawPath) -> str | None:
        """How a number, `true` or `false` is written; `None` for every other value.

        `0049 30 1` is a text, `004930` a number for YAML: a phone number is what stands in the file.
        """
        return self._texts.get(path)

    def place(self, path: RawPath) -> Place:
        """The place of a key, list item or document; of the nearest thing around it where it has none."""
        while path and path not in self._spots:
            path = path[:-1]
        return self.at(*self._spots[path]) if path else Place(self.file, 1)


def _blank(lines: list[str], span: tuple[int, int, int, int]) -> None:
    """Replace the text between two parser marks by `(hidden)`, in each line."""
    first, start, last, end = span
    for number in range(first, min(last, len(lines) - 1) + 1):
        line = lines[number]
        left = line[:start] if number == first else ""
        right = line[end:] if number == last else ""
        if number != last or end > 0:
            lines[number] = f"{left}(hidden){right}"
