"""Takes over standard input, output and error, so that a run goes on even if they are closed or fail.

A log collector goes away, a disk is full, a runner starts us with a closed stream, a console of Windows knows no arrows.
None of this may stop an apply half-way, or turn a plan's answer into a crash. So what cannot be written is dropped, the
stream remembers why (`lost`), and the code that has a result to show asks it and shows that elsewhere.
"""

import codecs
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO, cast

from reconciler.redaction import redacted

READER_LEFT = "its reader has gone away"
_CLOSED = "it is closed"
_ERRORS = "reconciler.plain"
_PLAIN = {
    "→": "->",
    "←": "<-",
    "↔": "<->",
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "·": "-",
    "•": "*",
    "×": "x",
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
    "“": '"',
    "”": '"',
    "„": '"',
    "‘": "'",
    "’": "'",
    "✓": "+",
    "✗": "x",
    "│": "|",
    "─": "-",
    "├": "|",
    "└": "`",
}
"""What we write ourselves and an encoding may lack. Anything else is written as its number: a name that only looks like
the right one would be worse."""


def _plain(wrong: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(wrong, UnicodeEncodeError):
        raise wrong
    lacking = wrong.object[wrong.start : wrong.end]
    return "".join(_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), wrong.end


codecs.register_error(_ERRORS, _plain)


class Stream:
    """Standard output or standard error. Writing to it never raises; `lost` says why nothing arrives any more."""

    def __init__(self, stream: TextIO | None, shown: Callable[[str], str] = str) -> None:
        self._stream = stream
        self._shown = shown
        self.lost = "" if stream is not None else _CLOSED
        self.used = False
        """Whether anything was written to it."""
        # A text that the encoding lacks is no reason to stop. What is no file (a test's) has no encoding either.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERRORS)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            # Typer finds out by this whether a stream takes bytes.
            raise TypeError("standard output and error take text")
        if text and not self.lost and self._stream is not None:
            self.used = True
            try:
                self._stream.write(self._shown(text))
            except (OSError, ValueError) as wrong:
                self._lose(wrong)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for one in lines:
            self.write(one)

    def flush(self) -> None:
        if not self.lost and self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as wrong:
                self._lose(wrong)

    def isatty(self) -> bool:
        try:
            return not self.lost and self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def _lose(self, wrong: Exception) -> None:
        if isinstance(wrong, BrokenPipeError):
            self.lost = READER_LEFT
        else:
            self.lost = (wrong.strerror if isinstance(wrong, OSError) else None) or _CLOSED
        try:
            # What is still in the buffer goes there when the process ends, instead of ending it with an error.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, cast(TextIO, self._stream).fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def take_over() -> None:
    """Put our streams in the place of Python's, for this process.

    Secrets are taken out of all that goes to standard error at once: warnings, threads and libraries write there, too,
    and know nothing of them.
    """
    _fill_gaps()
    sys.stdout = cast(TextIO, Stream(sys.stdout))
    sys.stderr = cast(TextIO, Stream(sys.stderr, redacted))


def _fill_gaps() -> None:
    """Open a harmless file in the place of each closed standard stream.

    Else the next file that is opened, a baseline say, would get the stream's number and what is written to it. From the
    lowest on, because a new file takes the lowest free number.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            continue
        if number and hasattr(os, "get_blocking") and not os.get_blocking(number):
            # Left so by the process that started us (Node does): a long result would be cut off in the middle.
            os.set_blocking(number, True)


def lost(stream: object) -> str:
    """Why text written to `stream` no longer arrives; empty if it does."""
    return _CLOSED if stream is None else str(getattr(stream, "lost", ""))
