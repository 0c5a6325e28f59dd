"""Text from an org or a file, made fit to be shown: one line, nothing hidden, nothing that a terminal or CI obeys.

An administrator of an org, or the author of a pull request, chooses names and descriptions. Our output goes to
terminals, which obey escape sequences, and to logs of CI runners, which obey commands in the text of a line:

- GitHub Actions: `::command::` at the start of a line, blanks aside, and `##[command]` anywhere in it
  (github.com/actions/runner, `ActionCommand.cs`);
- Azure Pipelines: `##vso[...]`, TeamCity: `##teamcity[...]`.
"""

import json
import re
import unicodedata
from collections.abc import Iterable

ELLIPSIS = "…"

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Zs"})
# Letters, marks and symbols drawn as nothing: fillers, the grapheme joiner, variation selectors, blank braille.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(first, last + 1)
}
_COMMAND_ANYWHERE = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)")
_OUR_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def is_hidden(character: str) -> bool:
    """True for a character that cannot be seen, moves others, or ends a line; an ordinary blank is none."""
    if " " <= character <= "~":
        return False
    return character in _BLANK or unicodedata.category(character) in _HIDDEN_CATEGORIES


def line(text: object, limit: int = 0) -> str:
    """`text` on one line, with everything invisible written out; at most `limit` characters if that is not 0."""
    shown = str(text)
    if limit and len(shown) > limit:
        shown = shown[: limit - 1] + ELLIPSIS
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(_written_out(c) if is_hidden(c) else c for c in shown)
    return _disarmed(shown)


def page(lines: Iterable[str]) -> str:
    """Join finished lines, ending with a line break.

    Each part went through `line` before; this looks once more at what putting parts together may have made.
    """
    return "".join(f"{_guarded(text)}\n" for text in lines)


def json_page(content: object) -> str:
    """Canonical JSON, in ASCII: sorted keys, and nothing in it that a CI runner obeys."""
    # A `#` can only stand inside a JSON string.
    return json.dumps(content, sort_keys=True, indent=2, allow_nan=False).replace("##", "#\\u0023") + "\n"


def _guarded(text: str) -> str:
    if not ("#" in text or ":" in text):
        return text
    bare = _OUR_COLOURS.sub("", text) if "\x1b" in text else text
    disarmed = _disarmed(bare)
    # Colours are given up where there is a command: they could stand in the middle of what is taken apart.
    return text if disarmed == bare else disarmed


def _disarmed(text: str) -> str:
    if "##" in text:
        text = _COMMAND_ANYWHERE.sub(r"#\\x23", text)
    return _COMMAND_AT_START.sub(r"\1\\x3a", text) if "::" in text else text


def _written_out(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
