"""The blocks of a method that do not always run, and what that says of a place where a token is verified. Pure."""

from typing import Final, NamedTuple

from reconciler.apex.code import Code, Method, Span
from reconciler.apex.expressions import MANY, end_of

FEW: Final = 5
"""Blocks that verify in one method, whose marks are looked for."""


class Guard(NamedTuple):
    """A place where a token is verified."""

    at: int
    blocks: tuple[Span, ...]
    """What may be passed by, and has to be entered to get there."""
    others: tuple[Span, ...]
    """The other branches: who is there does not get here."""
    loops: tuple[Span, ...]

    def covers(self, at: int, *, late: bool) -> bool:
        """Whether code at another place never runs without this verification: before it or, unless that is `late`,
        after it."""
        if late and at < self.at and not any(a <= at < b for a, b in self.loops):
            return False
        return all(a <= at < b for a, b in self.blocks) and not any(a <= at < b for a, b in self.others)


class Branches(NamedTuple):
    """The blocks of a method that do not always run."""

    conditions: list[Span]
    """What may be passed by, so that what it verifies is verified only at times."""
    others: list[tuple[Span, Span]]
    """A block, and another that runs instead of it."""
    loops: list[Span]
    is_cut: bool = False
    """Whether there are too many to be looked at."""


def branches(code: Code, body: Span) -> Branches:
    """The blocks of a method that do not always run.

    Nothing in a loop is a condition: one that looks for the right key among many verifies in it. Nor is a block whose
    other side leaves the method: who comes behind it came through it.
    """
    conditions: list[Span] = []
    others: list[tuple[Span, Span]] = []
    loops: list[Span] = []
    for at in code.inside(body):
        key = code.tokens[at].key
        if key == "switch" and at + 1 < body[1] and code.tokens[at + 1].key == "on":
            blocks, is_whole = _whens(code, at, body[1])
            others += [(one, other) for one in blocks[:FEW] for other in blocks[:FEW] if other != one]
        elif key == "if" and at + 1 < body[1] and code.tokens[at + 1].key == "(":
            blocks, is_whole = _ifs(code, at, body[1])
            others += [(one, other) for one in blocks[:FEW] for other in blocks[:FEW] if other != one]
            if len(blocks) > 2:
                continue  # Which of many was run, a mark tells mostly.
        else:
            if key in ("for", "while") and at + 1 < body[1] and code.tokens[at + 1].key == "(":
                loops.append(code.block_after(code.partner[at + 1] + 1, body[1]))
            continue
        staying = [one for one in blocks if not _leaves(code, one)]
        conditions += [one for one in blocks if not (is_whole and staying in ([], [one]))]
    if len(loops) * (len(conditions) + len(others)) > MANY * 10:
        return Branches([], [], loops, is_cut=True)
    return Branches(
        [one for one in conditions if not _in_any(one, loops)],
        [(one, other) for one, other in others if not _in_any(one, loops)],
        loops,
    )


def _leaves(code: Code, span: Span) -> bool:
    return any(code.tokens[at].key in ("return", "throw") for at in code.inside(span))


def _in_any(block: Span, loops: list[Span]) -> bool:
    return any(x <= block[0] and block[1] <= y for x, y in loops)


def _ifs(code: Code, at: int, end: int) -> tuple[list[Span], bool]:
    """The branches of an if statement with those of `else if`, as far as they are looked at, and whether one of them
    always runs."""
    blocks: list[Span] = []
    while len(blocks) < FEW and at + 1 < end and code.tokens[at].key == "if" and code.tokens[at + 1].key == "(":
        blocks.append(code.block_after(code.partner[at + 1] + 1, end))
        after = blocks[-1][1]
        after += after < end and code.tokens[after].key == "}"
        if after >= end or code.tokens[after].key != "else":
            return blocks, False
        at = after + 1
    return [*blocks, code.block_after(at, end)], True


def _whens(code: Code, at: int, end: int) -> tuple[list[Span], bool]:
    """Return the blocks of a switch statement, and whether one of them always runs."""
    opening = end_of(code, at + 2, min(at + 66, end), frozenset({"{", ";"}))
    if opening >= end or code.tokens[opening].key != "{":
        return [], False
    blocks: list[Span] = []
    is_whole = False
    inner, last = opening + 1, min(code.partner[opening], end)
    while inner < last:
        if code.tokens[inner].key == "when":
            is_whole = is_whole or (inner + 1 < last and code.tokens[inner + 1].key == "else")
            start = end_of(code, inner + 1, last, frozenset({"{", ";"}))
            if start < last and code.tokens[start].key == "{":
                blocks.append(code.block_after(start, last))
                inner = blocks[-1][1]
        inner += 1
    return blocks, is_whole


def in_tests_only(method: Method, at: int) -> bool:
    """Whether a place is in a block that runs in Apex tests only."""
    code = method.code
    for start, end in branches(code, method.body).conditions if method.body is not None else ():
        if start <= at < end and start >= 2 and code.tokens[start - 1].key == "{" and code.tokens[start - 2].key == ")":
            keys = {code.tokens[i].key for i in range(max(code.partner[start - 2], 0), start - 2)}
            if "isrunningtest" in keys and keys.isdisjoint({"||", "!"}):
                return True
    return False
