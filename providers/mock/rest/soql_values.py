"""Values of SOQL: literals, date literals, and how rows compare with them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ORDERINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time that a date literal means: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime


def moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _escaped(found: re.Match[str]) -> str:
    text = found.group(1)
    if len(text) == 5:
        return chr(int(text[1:], 16))
    if text.lower() in _ESCAPES:
        return _ESCAPES[text.lower()]
    raise ValueError(text)


def spelled(quoted: str) -> str:
    """Return the text of a quoted literal; raises ValueError for an escape that SOQL does not have."""
    return _ESCAPE.sub(_escaped, quoted[1:-1])


def likeness(quoted: str) -> Callable[[str], bool]:
    r"""Read a literal after LIKE, where `\%` and `\_` mean themselves; raises ValueError for other escapes."""
    runs: list[list[str]] = [[]]
    place, text = 0, quoted[1:-1]
    while place < len(text):
        letter = text[place]
        if letter == "\\" and text[place + 1 : place + 2] in {"%", "_"}:
            runs[-1].append(re.escape(text[place + 1]))
            place += 2
        elif letter == "\\":
            found = _ESCAPE.match(text, place)
            if found is None:
                raise ValueError(text)
            runs[-1].append(re.escape(_escaped(found)))
            place = found.end()
        elif letter == "%":
            runs.append([])
            place += 1
        else:
            runs[-1].append("." if letter == "_" else re.escape(letter))
            place += 1
    # One expression with ".*" for each "%" would try every way to share a text out among them: hours for a few of them.
    first, *rest = (re.compile("".join(run), re.IGNORECASE | re.DOTALL) for run in runs)
    ending = len(runs[-1])

    def test(value: str) -> bool:
        if not rest:
            return first.fullmatch(value) is not None
        found = first.match(value)
        for each in rest[:-1]:
            found = each.search(value, found.end()) if found is not None else None
        start = len(value) - ending
        return found is not None and start >= found.end() and rest[-1].match(value, start) is not None

    return test


_UNITS = ("DAY", "WEEK", "MONTH", "YEAR")
_LITERAL = re.compile(
    r"(?P<word>TODAY|YESTERDAY|TOMORROW)|(?P<which>LAST|THIS|NEXT)_(?P<unit>WEEK|MONTH|YEAR)|(?P<ninety>LAST|NEXT)_90_DAYS"
    r"|(?P<side>LAST|NEXT)_N_(?P<units>DAY|WEEK|MONTH|YEAR)S:(?P<n>\d{1,5})|N_(?P<back>DAY|WEEK|MONTH|YEAR)S_AGO:(?P<ago>\d{1,5})"
)


def literal(word: str, now: datetime) -> Any:
    """Return what an unquoted word means: true, false, null, or a date literal; raises ValueError for another word.

    Days begin at midnight UTC and weeks on Sunday, as in an org of the United States whose user is at UTC.
    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
    """
    if word.lower() in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[word.lower()]
    found = _LITERAL.fullmatch(word.upper())
    if found is None:
        raise ValueError(word)
    given = found.groupdict()
    if given["word"]:
        return _unit("DAY", now, {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}[given["word"]])
    if given["which"]:
        return _unit(given["unit"], now, {"LAST": -1, "THIS": 0, "NEXT": 1}[given["which"]])
    if given["back"]:
        return _unit(given["back"], now, -int(given["ago"]))
    side, unit, count = given["side"] or given["ninety"], given["units"] or "DAY", int(given["n"] or 90)
    if side == "NEXT":
        return Span(_unit(unit, now, 1).start, _unit(unit, now, count).end)
    # Of days, today counts; of weeks, months and years the running one does not.
    last = _unit(unit, now, 0 if unit == "DAY" else -1)
    return Span(_unit(unit, now, -count).start, last.end)


def _unit(unit: str, now: datetime, shift: int) -> Span:
    """The day, week, month or year that is `shift` away from now."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "DAY":
        return Span(day + timedelta(days=shift), day + timedelta(days=shift + 1))
    if unit == "WEEK":
        start = day - timedelta(days=(day.weekday() + 1) % 7) + timedelta(weeks=shift)
        return Span(start, start + timedelta(weeks=1))
    if unit == "MONTH":
        return Span(_month(day, shift), _month(day, shift + 1))
    start = day.replace(month=1, day=1)
    return Span(start.replace(year=day.year + shift), start.replace(year=day.year + shift + 1))


def _month(day: datetime, shift: int) -> datetime:
    year, month = divmod(day.year * 12 + day.month - 1 + shift, 12)
    return day.replace(year=year, month=month + 1, day=1)


def keyed(value: Any) -> Any:
    """A value as a key for grouping, sorting and joins: text without case, an id by its first 15 characters."""
    if isinstance(value, str):
        return value[:15] if _is_id(value) else value.lower()
    return value


def _is_id(value: str) -> bool:
    return len(value) in {15, 18} and value.isalnum() and value[:1].isdigit()


def same(left: Any, right: Any) -> bool:
    """Whether a row's value is the one asked for: text in any case, ids in either length but in their own case."""
    if isinstance(right, Span):
        at = moment(left) if isinstance(left, str) else None
        return at is not None and right.start <= at < right.end
    if isinstance(right, datetime):
        return isinstance(left, str) and moment(left) == right
    if isinstance(left, str) and isinstance(right, str):
        if _is_id(left) and _is_id(right):
            return left[:15] == right[:15]
        return left.lower() == right.lower()
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def comparison(sign: str, value: Any) -> Callable[[Any], bool] | None:
    """Return the test of a row's value against `sign value`, or None for an unknown `sign`. Null has no order."""
    if sign == "=":
        return lambda left: same(left, value)
    if sign in {"!=", "<>"}:
        return lambda left: not same(left, value)
    if sign not in _ORDERINGS:
        return None
    ordered = _ORDERINGS[sign]
    # "> a day" is after its end, ">= a day" from its beginning on.
    bound = (value.end if sign in {"<=", ">"} else value.start) if isinstance(value, Span) else value
    if isinstance(value, Span) and sign in {"<=", ">"}:
        ordered = operator.lt if sign == "<=" else operator.ge

    def test(left: Any) -> bool:
        here = moment(left) if isinstance(bound, datetime) and isinstance(left, str) else left
        if here is None or bound is None or isinstance(here, bool) or isinstance(bound, bool):
            return False
        if isinstance(here, str) and isinstance(bound, str):
            return bool(ordered(here.lower(), bound.lower()))
        if isinstance(here, str) or isinstance(bound, str):
            return False
        return bool(ordered(here, bound))

    return test
