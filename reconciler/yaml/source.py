"""Handles the text of a YAML file: its encoding, its lines, its faults, and what of it may be shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Complaint, Place
from reconciler.yaml.merge_marks import MEND as MERGE_MEND
from reconciler.yaml.merge_marks import conflict

_LEFT, _RIGHT = "\ue000", "\ue001"
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What neither YAML nor XML can hold as it is."""
_VARIABLE = re.compile(r"([A-Za-z_]|\$\{[\w.]+\})([A-Za-z0-9_]|\$\{[\w.]+\}){0,255}")
_MAX_SNIPPET = 160
_MAX_MESSAGE = 300


class EncodingError(Exception):
    """The bytes are no text. `offset` counts bytes, or characters where `text` is known."""

    def __init__(self, message: str, mend: str, offset: int) -> None:
        super().__init__(message)
        self.message, self.mend, self.offset = message, mend, offset

    def complaint(self, file: str, data: bytes, is_secret: Callable[[str], bool]) -> Complaint:
        before = data[: self.offset]
        line = before.count(b"\n")
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace"))
        text = data.decode("utf-8", "replace")
        shown = "" if b"\x00" in data or hide(text, line, is_secret) else snippet(text.split("\n"), line)
        return Complaint(self.message, Place(file, line + 1, column + 1, shown), self.mend)


@dataclass(frozen=True, slots=True)
class Masked:
    """The text of one file, and the altered text that the parser gets.

    `{client_id: ${env.ID}}` is not YAML: inside of braces, a brace ends a text. So the braces of references are handed
    to the parser as two characters of the private use area, and put back into the values; lines and columns stay.
    """

    text: str
    parsed: str
    masked: bool
    plain: bool
    """True if the values of the file can hold neither `${` nor a control character."""

    @classmethod
    def of(cls, data: bytes) -> "Masked":
        """Read the bytes of a file. Raises EncodingError if they are not UTF-8."""
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise EncodingError("the file is UTF-16, not UTF-8", "save it as UTF-8", 0)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as wrong:
            raise EncodingError(
                f"byte 0x{data[wrong.start]:02x} is not UTF-8", "save the file as UTF-8", wrong.start
            ) from None
        masked = "${" in text and _LEFT not in text and _RIGHT not in text
        parsed = _REFERENCE.sub(_mask, text) if masked else text
        return cls(text, parsed, masked, "${" not in text and "\\" not in text)


def _mask(reference: re.Match[str]) -> str:
    return f"${_LEFT}{reference[1]}{_RIGHT}"


def is_variable(text: str) -> bool:
    """Whether a text can be the name of an environment variable, also with `${…}` variables in it."""
    return _VARIABLE.fullmatch(text) is not None


def unmask(text: str) -> str:
    """Return a text with the marks of `Masked` turned back into braces, as it was written."""
    return text.replace(_LEFT, "{").replace(_RIGHT, "}")


_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]{1,4000}|0o[0-7]{1,4000}|0x[0-9a-fA-F]{1,4000}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SPECIAL = frozenset("-+.0123456789~nNtTfF")


def scalar(text: str) -> Any:
    """The value of a plain scalar by the core rules of YAML 1.2 (https://yaml.org/spec/1.2.2/#1032-tag-resolution)."""
    if text and text[0] not in _SPECIAL:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2])
        return int(text) if base is None else int(text[2:], base)
    if _FLOAT.fullmatch(text):
        return float(text.replace(".", "", 1) if text[-1] in "fFnN" else text)
    return text


def lines_of(text: str) -> list[str]:
    """The lines as libyaml counts them."""
    return _LINE_BREAK.split(text)


def short(message: str) -> str:
    """Cut a message, which may quote a text of any length."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def snippet(lines: list[str], line: int) -> str:
    """Return one source line as it may be shown in a message; lines count from 0."""
    return lines[line][:_MAX_SNIPPET] if 0 <= line < len(lines) else ""


_KEY = re.compile(r"""(?:^|[\s{,\["'?])([A-Za-z_][\w.-]*)["']?\s*:""")
_FORM = r"\{\s*(env|file|command)\s*:[^{}]*\}"
_SAFE = re.compile(
    rf"""[ \t]*(\{{\s*secret\s*:\s*{_FORM}\s*\}}|\n\s+secret\s*:[ \t]*({_FORM}|\n\s+(env|file|command)\s*:[^\n]*))"""
)


def hide(text: str, line: int, is_secret: Callable[[str], bool]) -> bool:
    """Whether a secret may stand in the text up to that line. Asked of broken text: if in doubt, True."""
    known = "\n".join(lines_of(text)[: line + 1])
    return any(is_secret(key[1]) and not _SAFE.match(known, key.end()) for key in _KEY.finditer(known))


_IN_URL = re.compile(
    r"(://)[^/\s@\"']{1,2000}@|([?&;#](?:sid|\w*(?:token|secret|password|assertion))=)[^\s&\"']{1,2000}", re.IGNORECASE
)


def uncommented(line: str, is_secret: Callable[[str], bool]) -> str:
    """Return the line without secrets in a comment (`# consumerSecret: …`) or in a URL (`https://me:…@host`)."""
    line = _IN_URL.sub(lambda found: f"{found[1]}(hidden)@" if found[1] else f"{found[2]}(hidden)", line)
    start = line.find("#")
    keys = _KEY.finditer(line, start) if start >= 0 else ()
    end = next((key.end() for key in keys if is_secret(key[1])), None)
    return line if end is None else f"{line[:end]} (hidden)"


_FAULTS = (
    # the parser's words, what stands there, ours, what to do
    ("found character that cannot start any token", "\t", "the line is indented with a tab", "indent with blanks"),
    ("found character that cannot start any token", "", "no value can begin with this character", "put the value in quotes"),
    ("mapping values are not allowed", "", "a second `: ` in one line, or a line that is indented too far",
     "put a value that holds `: ` in quotes, or check the indentation"),
    ("could not find expected ':'", "", "here or just above stands a line that is neither `key: value` nor an item of a list",
     "a colon is missing, or a quote or bracket is not closed"),
    ("did not find expected key", "", "the line does not fit to those above it",
     "check how far the line is indented, and the quotes and brackets above it"),
    ("did not find expected ',' or", "", "a bracket is not closed", "close the bracket, or put the value in quotes"),
    ("found unexpected end of stream", "", "the file ends inside of a quote or bracket", "close the quote or bracket"),
    ("did not find expected '-' indicator", "", "a key stands beside the items of a list",
     "a list and keys cannot stand side by side; check the indentation"),
    ("did not find expected <document start>", "", "the line belongs to nothing above it",
     "check how far the line is indented, and what stands before it"),
    ("found undefined tag handle", "", "a tag that is not known", "remove the tag"),
    ("found unknown escape character", "", "a backslash in double quotes that escapes nothing",
     "write \\\\ for a backslash, or use single quotes"),
    ("found a tab character", "", "the line is indented with a tab", "indent with blanks"),
)  # fmt: skip
_INDENTED = ("did not find expected key", "mapping values are not allowed", "did not find expected <block end>",
             "did not find expected '-' indicator", "did not find expected <document start>")  # fmt: skip


def _indent(line: str) -> int:
    """Return how many blanks a line begins with; -1 for an empty line or a comment."""
    text = line.lstrip(" ")
    return -1 if not text.strip() or text.startswith("#") else len(line) - len(text)


@dataclass(frozen=True, slots=True)
class _Misfit:
    """A line that is indented wrongly, and the line above that it should go with."""

    number: int
    """Of the line, from 0."""
    message: str
    mend: str


def _open_levels(lines: list[str], number: int) -> dict[int, int]:
    """Return the indentations that a line may have, each with the line above (from 1) that it goes on with; deepest first.

    A line belongs to the nearest line above with its indentation, and to none behind one that is indented less: walking
    up, the levels that are still open only get smaller.
    """
    found: dict[int, int] = {}
    for above in range(number - 1, max(-1, number - 10_000), -1):
        level = _indent(lines[above])
        if level >= 0 and (not found or level < min(found)):
            found[level] = above + 1
    return found


def _misfit(lines: list[str], number: int) -> _Misfit | None:
    """Say which indentation is wrong where a line matches none above: its own, or that of one above; `None` if none is."""
    mine = _indent(lines[number]) if number < len(lines) else -1
    levels = _open_levels(lines, number)
    if mine < 0 or not levels or mine in levels:
        return None
    below = max((n for n in levels if n < mine), default=None)
    if below is not None:
        # A line that was moved to the left closes what it stood in: the next line is refused, and nothing is wrong with it.
        moved = levels[below] - 1
        if mine in _open_levels(lines, moved):
            message = f"this line is indented by {_blanks(below)}, less than the lines before and after it"
            return _Misfit(moved, message, f"indent it by {_blanks(mine)}, or line {number + 1} by {_blanks(below)}")
    before = max(levels)
    if mine > before:
        message = (
            f"this line is indented by {_blanks(mine)}, deeper than line {levels[before]}, which has a value already"
        )
        return _Misfit(number, message, f"indent it by {_blanks(before)}")
    over = min(n for n in levels if n > mine)
    places = " or ".join(f"{_blanks(n)} (line {levels[n]})" for n in (below, over) if n is not None)
    message = f"this line is indented by {_blanks(mine)}, and no line that it could belong to is"
    return _Misfit(number, message, f"indent it by {places}")


def _blanks(count: int) -> str:
    return "no blank" if count == 0 else f"{count} blank{'' if count == 1 else 's'}"


def fault(wrong: Exception, text: str) -> tuple[int, int, str, str]:
    """Line and column (from 0), message and mend for what the YAML parser could not read."""
    mark: Any = getattr(wrong, "problem_mark", None) or getattr(wrong, "context_mark", None)
    bad = UNPRINTABLE.search(text) if mark is None else None
    if bad is not None:
        before = lines_of(text[: bad.start()])
        return (
            len(before) - 1,
            len(before[-1]),
            f"the control character U+{ord(bad[0]):04X} is not allowed",
            "remove it",
        )
    if mark is None:
        return 0, 0, "not valid YAML", ""
    problem = str(getattr(wrong, "problem", "") or "it cannot be read")
    lines = lines_of(text)
    if line := conflict(lines):
        return line - 1, 0, "the marks of an unsettled merge", MERGE_MEND
    if problem.startswith(_INDENTED) and (misfit := _misfit(lines, mark.line)) is not None:
        column = mark.column if misfit.number == mark.line else _indent(lines[misfit.number])
        return misfit.number, column, f"not valid YAML: {misfit.message}", misfit.mend
    here = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    known = (found for found in _FAULTS if problem.startswith(found[0]) and found[1] in here)
    _, _, ours, mend = next(known, ("", "", "", "check the indentation, the quotes and the brackets here and above"))
    return mark.line, mark.column, f"not valid YAML: {f'{ours} ({problem})' if ours else problem}", mend


def is_reference(value: Any) -> bool:
    """Whether this has the form of a secret reference, `{secret: {env: X}}`; nothing else may be shown."""
    inner = value.get("secret") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(inner, dict) or len(inner) != 1:
        return False
    ((source, target),) = inner.items()
    # What cannot be a variable's name may be the secret itself.
    return source in ("file", "command") or (source == "env" and isinstance(target, str) and is_variable(target))
