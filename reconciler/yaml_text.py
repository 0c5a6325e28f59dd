"""The text of a YAML file before and beside its values: encoding, lines, faults, and what of it may be shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Complaint, Place

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
    """The text of one file, and the same as the parser gets it.

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
        """Raises EncodingError if this is not UTF-8."""
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
    """Whether this can be the name of an environment variable, alone or with variables of ours in it."""
    return _VARIABLE.fullmatch(text) is not None


def unmask(text: str) -> str:
    """The value as it was written."""
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
    """A message that quotes a text of any length, cut."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def snippet(lines: list[str], line: int) -> str:
    """One source line as it may stand in a message; lines count from 0."""
    return lines[line][:_MAX_SNIPPET] if 0 <= line < len(lines) else ""


_KEY = re.compile(r"""(?:^|[\s{,\["'?])([A-Za-z_][\w.-]*)["']?\s*:""")
_FORM = r"\{\s*(env|file|command)\s*:[^{}]*\}"
_SAFE = re.compile(
    rf"""[ \t]*(\{{\s*secret\s*:\s*{_FORM}\s*\}}|\n\s+secret\s*:[ \t]*({_FORM}|\n\s+(env|file|command)\s*:[^\n]*))"""
)


def hide(text: str, line: int, is_secret: Callable[[str], bool]) -> bool:
    """Whether, up to that line, a secret may stand in the text. Asked of broken text, so: if in doubt, yes."""
    known = "\n".join(lines_of(text)[: line + 1])
    return any(is_secret(key[1]) and not _SAFE.match(known, key.end()) for key in _KEY.finditer(known))


_IN_URL = re.compile(
    r"(://)[^/\s@\"']{1,2000}@|([?&;#](?:sid|\w*(?:token|secret|password|assertion))=)[^\s&\"']{1,2000}", re.IGNORECASE
)


def uncommented(line: str, is_secret: Callable[[str], bool]) -> str:
    """The line without a secret that somebody left in a comment (`# consumerSecret: …`) or in a URL (`https://me:…@host`)."""
    line = _IN_URL.sub(lambda found: f"{found[1]}(hidden)@" if found[1] else f"{found[2]}(hidden)", line)
    start = line.find("#")
    keys = _KEY.finditer(line, start) if start >= 0 else ()
    end = next((key.end() for key in keys if is_secret(key[1])), None)
    return line if end is None else f"{line[:end]} (hidden)"


_FAULTS = (
    ("found character that cannot start any token", "\t", "indent with blanks, not with tabs"),
    ("found character that cannot start any token", "", "put the value in quotes"),
    ("mapping values are not allowed", "", "put a value that holds `: ` in quotes, or check the indentation"),
    ("could not find expected ':'", "", "a colon is missing here or above, or a quote or bracket is not closed"),
    ("did not find expected key", "", "check how far the line is indented, and the quotes and brackets above it"),
    ("did not find expected ',' or", "", "close the bracket, or put the value in quotes"),
    ("found unexpected end of stream", "", "close the quote or bracket"),
    ("did not find expected '-' indicator", "", "a list and keys cannot stand side by side; check the indentation"),
    ("did not find expected <document start>", "", "check how far the line is indented, and what stands before it"),
    ("found undefined tag handle", "", "remove the tag"),
    ("found unknown escape character", "", "write \\\\ for a backslash, or use single quotes"),
    ("found a tab character", "", "indent with blanks, not with tabs"),
    ("exceeded maximum nesting depth", "", "no kind needs that; flatten it"),
    # What another version of libyaml says.
    ("", "\t", "indent with blanks, not with tabs"),
    ("", "", "check the quotes, the brackets and how far the line is indented, here and above"),
)  # fmt: skip


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
    here = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    mend = next((m for words, sign, m in _FAULTS if problem.startswith(words) and sign in here), "")
    return mark.line, mark.column, f"not valid YAML: {problem}", mend


def is_reference(value: Any) -> bool:
    """Whether this has the form of a secret reference, `{secret: {env: X}}`; nothing else may be shown."""
    inner = value.get("secret") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(inner, dict) or len(inner) != 1:
        return False
    ((source, target),) = inner.items()
    # What cannot be a variable's name may be the secret itself.
    return source in ("file", "command") or (source == "env" and isinstance(target, str) and is_variable(target))
