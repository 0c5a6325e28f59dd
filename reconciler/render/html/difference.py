"""Shows in HTML how a field changed: entries added and removed, lines of a source, or the old and the new value."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from reconciler.render.html.element import Markup, element, joined
from reconciler.render.words import value_text
from reconciler.render.words.safe import line
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Certificate
from reconciler.schema.values import Path, RawXml, Value

LINES, WIDTH, CONTEXT = 120, 240, 2
"""Lines of a difference, characters of a line, and unchanged lines around."""
COMPARED = 400
"""Up to as many differing lines are compared one by one; comparing takes their number's square in the worst case."""


def difference(struct: type[Struct] | None, path: Path, old: Value, new: Value, *, secret: bool = False) -> Markup:
    """Show how one field went from `old` to `new`. Secrets never show."""
    if secret:
        return element("span", value_text.difference(struct, path, old, new, secret=True))
    before, after = value_text.hidden_at(struct, path, old), value_text.hidden_at(struct, path, new)
    field = value_text.field_at(struct, path)
    if field is not None and field.has(Certificate):
        return element("span", value_text.difference(struct, path, old, new))
    if value_text.is_list(before) or value_text.is_list(after):
        return _entries(before, after)
    if _is_source(before) and _is_source(after) and "\n" in f"{before}{after}".strip():
        return element("pre", _lines(str(before).splitlines(), str(after).splitlines()), tabindex=0)
    return joined(
        (
            element("span", "from ", class_="unseen"),
            element("del", value_text.shown(before)),
            element("span", " → ", aria_hidden="true"),
            element("span", " to ", class_="unseen"),
            element("ins", value_text.shown(after)),
        )
    )


def _is_source(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, RawXml)


def _entries(old: Value, new: Value) -> Markup:
    before, after = value_text.entries([] if old is None else old), value_text.entries([] if new is None else new)
    had, has = set(map(repr, before)), set(map(repr, after))
    come, gone = [e for e in after if repr(e) not in had], [e for e in before if repr(e) not in has]
    if not come and not gone:
        return element("span", f"{value_text.shown(old)} → {value_text.shown(new)}")
    shown = [("ins", "+ ", "added ", e) for e in come] + [("del", "− ", "removed ", e) for e in gone]
    rows = [
        element(
            "li",
            element(
                name,
                element("span", sign, aria_hidden="true"),
                element("span", word, class_="unseen"),
                value_text.shown(entry, 200),
            ),
        )
        for name, sign, word, entry in shown[: value_text.ENTRIES]
    ]
    if len(shown) > value_text.ENTRIES:
        rows.append(element("li", f"and {len(shown) - value_text.ENTRIES:,} more"))
    return element("ul", rows, class_="entries")


def _lines(before: Sequence[str], after: Sequence[str]) -> Markup:
    rows = list(_rows(before, after))
    if not rows:
        return Markup("only line endings differ")
    more = [Markup(f"… {len(rows) - LINES:,} more lines\n")] if len(rows) > LINES else []
    return joined([*rows[:LINES], *more])


def _rows(before: Sequence[str], after: Sequence[str]) -> Iterator[Markup]:
    """Yield the lines that differ, each marked as added or removed, with a few lines around them.

    Equal beginnings and ends are cut off before anything is compared.
    """
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    end = next((i for i in range(shorter - start) if before[-1 - i] != after[-1 - i]), shorter - start)
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    if not gone and not come:
        return
    yield Markup(f"@@ line {start + 1:,} @@\n")
    yield from (_row("span", "  ", text) for text in before[max(0, start - CONTEXT) : start])
    if len(gone) + len(come) > COMPARED:
        yield from (_row("del", "- ", text) for text in gone[: LINES // 2])
        if len(gone) > LINES // 2:
            yield Markup(f"… {len(gone) - LINES // 2:,} more lines removed\n")
        yield from (_row("ins", "+ ", text) for text in come)
    else:
        for kind, a, b, c, d in SequenceMatcher(None, gone, come, autojunk=False).get_opcodes():
            if kind == "equal":
                yield from (_row("span", "  ", text) for text in gone[a:b])
            else:
                yield from (_row("del", "- ", text) for text in gone[a:b])
                yield from (_row("ins", "+ ", text) for text in come[c:d])
    yield from (_row("span", "  ", text) for text in before[len(before) - end :][:CONTEXT])


def _row(name: str, sign: str, text: str) -> Markup:
    # Tabs are how sources are indented; anything else that cannot be seen is written out.
    return joined((element(name, f"{sign}{line(text.expandtabs(4), WIDTH)}"), Markup("\n")))
