"""Whether a value can be equal to what a recording holds of it after its secrets were scrubbed."""

import re

from reconciler.schema.values import Value


def could_be_source(left: tuple[str, ...], value: Value) -> bool:
    """Return whether `value` can be the source text of which a recording still holds the parts `left`.

    A scrubbed part was a word, or what stood between two quotes: it never hides a line. Of a text that was scrubbed as a whole
    nothing is left, and any value can be it.
    """
    if not any(part.strip() for part in left):
        return True
    if not isinstance(value, str):
        return False
    before, *rest = (part.replace("\r\n", "\n") for part in left)
    text, before, rest[-1] = value.replace("\r\n", "\n").strip(), before.lstrip(), rest[-1].rstrip()
    if not text.startswith(before):
        return False
    at = len(before)
    for number, part in enumerate(rest, 1):
        quoted = before.endswith("'") and part.startswith("'")
        if quoted:
            gap = _QUOTED.match(text, at)
            found = gap.end() if gap is not None else at
        else:
            found = text.find(part, at) if number < len(rest) else len(text) - len(part)
        if found < at or not text.startswith(part, found) or not (quoted or _WORD.fullmatch(text, at, found)):
            return False
        at, before = found + len(part), part
    return at == len(text)


def could_be_value(left: tuple[str, ...], value: Value) -> bool:
    """Return whether `value` can be the text or list of which a recording still holds the parts `left`.

    Text is compared as a whole, unordered lists element by element. A scrubbed part may have been anything, but no further
    element of a list.
    """
    if not any(part.strip() for part in left):
        return True
    found = value if isinstance(value, list | tuple | frozenset) else [value]
    texts = [one for one in found if isinstance(one, str)]
    if len(texts) == 1 and _stands_in_order(left, texts[0]):
        return True
    # A list of the org's is one text, with line breaks or commas; one of the files is a list.
    ours = [tuple(one.split(_GONE)) for one in _split(_GONE.join(left))]
    theirs = [one for text in texts for one in _split(text)]
    return (
        len(ours) <= len(theirs)
        and all(any(_stands_in_order(one, text) for text in theirs) for one in ours)
        and all(any(_stands_in_order(one, text) for one in ours) for text in theirs)
    )


def _stands_in_order(left: tuple[str, ...], text: str) -> bool:
    """Whether the parts of a scrubbed text stand in another text, in their order, from its begin to its end."""
    text, begin, *rest = text.strip(), left[0].lstrip(), *left[1:]
    if not rest:
        return text == begin.rstrip()
    *middle, end = rest
    at = len(begin) if text.startswith(begin) else -1
    for part in middle:
        found = text.find(part, at) if at >= 0 else -1
        at = found + len(part) if found >= 0 else -1
    return 0 <= at <= len(text) - len(end.rstrip()) and text.endswith(end.rstrip())


def _split(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[\r\n,]+", text) if one.strip()]


_GONE = "\0"
"""No text of an org holds it: XML has no such character."""
_QUOTED = re.compile(r"(?:[^'\\\n]|\\.)*")
_WORD = re.compile(r"\S*")
