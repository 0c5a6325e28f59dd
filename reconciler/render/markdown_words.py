"""Text as Markdown that is no markup: words, code, and fenced blocks."""

import re
from collections.abc import Iterable

from reconciler.render.words.safe import line

NAME, WORDS = 200, 600
"""So many characters of one name and of one sentence are shown, so that a single finding always fits."""

_PLAIN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|\d[\d,]*(?:\.\d+)?")
_ENDS = re.compile(r"([(\"'“]*)(.*?)([)\"'”.,;:!?…]*)", re.DOTALL)
_RISKY = re.compile(r"(\(?)([^()]+?)(\)?[,.;]?)", re.DOTALL)
_MARKS = frozenset("—–→…")
_REFERENCE = re.compile(r"[0-9a-fA-F]{7,}|.*-\d.*", re.DOTALL)
"""A commit, as GitHub finds it, and numbers of trackers (`GH-1`)."""


def code(text: object, limit: int = NAME) -> str:
    """`text` as code on one line, fit for a table's cell. Empty text shows as two quotes."""
    shown = line(text, limit).replace("`", r"\x60").replace("|", r"\x7c")
    # One blank at both ends would be taken off; nothing is seen of blanks alone.
    return f"` {shown} `" if shown[:1] == " " or shown[-1:] == " " else f"`{shown}`" if shown else '`""`'


def prose(text: object, limit: int = WORDS) -> str:
    """A sentence on one line: plain words as they are, every other word (a URL, a name, a value) as code."""
    words = " ".join(_word(word) for word in line(text, limit).split())
    # No code holds a backtick: two that stand side by side become one.
    return words.replace("` `", " ") or code("")


def _word(word: str) -> str:
    found = _ENDS.fullmatch(word)
    before, core, after = found.groups() if found else ("", word, "")
    # `1.` and `1)` begin a list.
    listed = core.isdecimal() and after[:1] in (".", ")")
    if word in _MARKS or (_PLAIN.fullmatch(core) and not _REFERENCE.fullmatch(core) and "::" not in after + before):
        return word if not listed else code(word, 0)
    found = _RISKY.fullmatch(word)
    before, core, after = found.groups() if found else ("", word, "")
    return f"{before}{code(core, 0)}{after}"


def fenced(lines: Iterable[str], language: str = "diff") -> list[str]:
    """A code block around finished lines: its fence is longer than any run of backticks inside."""
    inside = list(lines)
    longest = max((len(run) for text in inside for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *inside, fence]
