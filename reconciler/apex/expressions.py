"""Stretches of Apex code: where a value ends, what is compared with what, and what a value may come from. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.apex.code import LONGEST_TYPE, Code, Span
from reconciler.apex.lexer import Sort

COMPARING: Final = frozenset({"==", "!=", "===", "!==", "<>", "<", ">", "<=", ">="})


ASSIGNING: Final = frozenset({"=", "+=", "-=", "*=", "/=", "|=", "&=", "^="})


EXPRESSION_ENDS: Final = (
    frozenset({";", ",", "&&", "||", "?", ":", "=>", "return", "throw", "else", "on", "when"}) | COMPARING | ASSIGNING
)


VALUE_ENDS: Final = frozenset({";", ",", "return", "if", "for", "while"}) | ASSIGNING


OPENING: Final = frozenset("([{")


CLOSING: Final = frozenset(")]}")


MANY: Final = 2000
"""Blocks and places in one method. Beyond, nothing is said to be wrong there: looking would take minutes. That it was not
looked at is said (`Handler.overlooked`)."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set: tables of words are written as one text."""
    return frozenset(text.split())


class Trace:
    """Finds the places in a class where one of the given terms stands."""

    def __init__(self, codes: Iterable[Code], found: frozenset[str]) -> None:
        self._places: dict[Code, tuple[list[int], list[int]]] = {}
        self.is_cut = False
        """Whether a stretch of code named them too often to look at all places."""
        for code in codes:
            making = _making(code)
            places = [at for at in range(len(code.tokens)) if not found.isdisjoint(_terms_at(code, at))]
            self._places[code] = places, [making[at] for at in places]

    def touches(self, code: Code, span: Span) -> bool:
        """Whether one of them is among the `terms` of a stretch of code; quick, however long that is."""
        places, making = self._places[code]
        first, last = bisect_left(places, span[0]), bisect_left(places, span[1])
        found = any(making[i] < span[0] for i in range(first, min(last, first + MANY)))
        self.is_cut = self.is_cut or (not found and last - first > MANY)
        return found


def _making(code: Code) -> list[int]:
    """For each token the innermost `new X(…)` whose arguments it is among, as the index of the word `new`, or -1."""
    found: list[int] = []
    stack: list[tuple[int, int]] = []
    opens: dict[int, int] = {}
    for at, token in enumerate(code.tokens):
        while stack and stack[-1][0] <= at:
            stack.pop()
        found.append(stack[-1][1] if stack else -1)
        if token.key == "new":
            opens[_after_type(code, at + 1)] = at
        elif at in opens and token.key == "(":
            stack.append((code.partner[at], opens[at]))
    return found


def _after_type(code: Code, at: int) -> int:
    """The index after a type such as `Map<String, Auth.JWT>`."""
    for _ in range(LONGEST_TYPE):
        if at >= len(code.tokens) or not (code.tokens[at].sort is Sort.WORD or code.tokens[at].key in ".<>,"):
            break
        at += 1
    return at


def terms(code: Code, span: Span) -> Iterator[str]:
    """What a value may come from: variables, `.field`, `method()`, `'text'`. What a new object is made of is left out:
    that a user's data hold a claim makes the data no claim."""
    at = span[0]
    while at < min(span[1], len(code.tokens)):
        if code.tokens[at].key == "new":
            at = _after_type(code, at + 1)
            if at < span[1] and code.tokens[at].key == "(":
                at = code.partner[at] + 1
            continue
        if code.tokens[at].key.startswith("validatejwt") and at + 1 < span[1] and code.tokens[at + 1].key == "(":
            # What a verified token says comes from the token, and not from where its keys are.
            for first in code.split(at + 2, code.partner[at + 1])[:1]:
                yield from terms(code, first)
            at = code.partner[at + 1] + 1
            continue
        yield from _terms_at(code, at)
        at += 1


def _terms_at(code: Code, at: int) -> tuple[str, ...]:
    token = code.tokens[at]
    if token.sort is Sort.WORD:
        if at + 1 < len(code.tokens) and code.tokens[at + 1].key == "(":
            return (f"{token.key}()",)
        if at and code.tokens[at - 1].key in (".", "?."):
            return token.key, f".{token.key}"
        return (token.key,)
    return (token.text,) if token.sort is Sort.STRING else ()


def is_null(code: Code, span: Span) -> bool:
    return span[1] == span[0] + 1 and code.tokens[span[0]].key == "null"


def end_of(code: Code, at: int, end: int, stops: frozenset[str]) -> int:
    """The index of the first of some symbols outside of inner brackets, or of what closes the bracket around."""
    while at < min(end, len(code.tokens)):
        key = code.tokens[at].key
        if key in stops or key in CLOSING:
            return at
        at = max(code.partner[at], at) + 1 if key in OPENING else at + 1
    return min(end, len(code.tokens))


def starts_statement(code: Code, at: int) -> bool:
    return at > 0 and code.tokens[at - 1].key in (";", "{", "}")


def any_in(places: list[int], span: Span) -> bool:
    first = bisect_left(places, span[0])
    return first < len(places) and places[first] < span[1]


def within(span: Span, block: Span) -> bool:
    return block[0] <= span[0] < block[1]


def is_name(code: Code, span: Span, names: set[str]) -> bool:
    return span[1] == span[0] + 1 and code.tokens[span[0]].key in names


def returns(code: Code, span: Span) -> Iterator[Span]:
    """What the return statements in a stretch of code return."""
    for at in code.inside(span):
        if code.tokens[at].key == "return":
            yield at + 1, code.statement_end(at + 1, span[1])


def comparisons(code: Code, span: Span) -> Iterator[tuple[Span, Span]]:
    """The two sides of each comparison."""
    for at in code.inside(span):
        key = code.tokens[at].key
        if key not in COMPARING or (key in ("<", ">") and _is_angle(code, at)):
            continue
        left = at - 1
        while left >= span[0] and code.tokens[left].key not in EXPRESSION_ENDS:
            if code.tokens[left].key in CLOSING and code.partner[left] >= 0:
                left = code.partner[left]
            elif code.tokens[left].key in OPENING or code.tokens[left].key in CLOSING:
                break
            left -= 1
        right = at + 1
        while right < span[1] and code.tokens[right].key not in EXPRESSION_ENDS:
            if code.tokens[right].key in OPENING:
                right = code.partner[right]
            elif code.tokens[right].key in CLOSING:
                break
            right += 1
        yield (left + 1, at), (at + 1, min(right, span[1]))


def _is_angle(code: Code, at: int) -> bool:
    """Whether `<` or `>` belongs to a type, `Map<String, Object>`, and compares nothing."""
    step = 1 if code.tokens[at].key == "<" else -1
    opened = 0
    for _ in range(LONGEST_TYPE):
        if not 0 <= at < len(code.tokens):
            return False
        token = code.tokens[at]
        if token.key in "<>" and token.sort is Sort.SYMBOL:
            opened += step if token.key == "<" else -step
            if opened == 0:
                return True
        elif token.sort is not Sort.WORD and token.key not in (".", ",", "[", "]"):
            return False
        at += step
    return False


def asked(code: Code, body: Span) -> Iterator[Span]:
    """The expressions that queries bind (`:name`), and those that switch statements decide on."""
    for at in code.inside(body):
        key = code.tokens[at].key
        following = code.tokens[at + 1].key if at + 1 < body[1] else ""
        if key == "[" and following in ("select", "find"):
            for inner in range(at + 1, min(code.partner[at], body[1]) - 1):
                if code.tokens[inner].key == ":":
                    yield inner + 1, end_of(code, inner + 1, min(inner + 9, code.partner[at]), EXPRESSION_ENDS)
        elif key == "switch" and following == "on":
            yield at + 2, end_of(code, at + 2, min(at + 66, body[1]), frozenset({"{", ";"}))
