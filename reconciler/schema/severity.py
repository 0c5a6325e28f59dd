"""How bad a change is, and in which direction it goes: severities, and the marks that say what weakens a field.

Source of the judgements on single fields: the "security direction" table of the facts that the kinds cite; the marks
on the fields of `kinds/` are that table.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any


class Severity(IntEnum):
    """How bad a change or finding is, on one scale for everything that a person must look at."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> "Severity":
        """`"high"` -> `HIGH`; raises ValueError that lists the choices."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise ValueError(f"{text!r} is not a severity ({', '.join(str(s) for s in reversed(cls))})") from None


class Direction(StrEnum):
    """What a change does to the security of the org."""

    WEAKENS = "weakens"
    TIGHTENS = "tightens"
    NEUTRAL = "neutral"


Verdict = tuple[Direction, Severity]
"""Direction and severity of one change of one field. A tightening keeps a severity: it can break clients."""

Judge = Callable[[Any, Any], Verdict | None]


def _flip(severity: Severity, weaker: bool) -> Verdict:
    return (Direction.WEAKENS, severity) if weaker else (Direction.TIGHTENS, Severity.LOW)


@dataclass(frozen=True, slots=True)
class Weaker:
    """A mark: which change of the field weakens security, and how badly. Built by the class methods only."""

    judge: Judge
    """(old, new) in canonical form, `None` where absent -> verdict, or `None` if neither weaker nor stronger."""
    words: str
    """For documentation: "true", "longer", "towards Bypass"."""

    @classmethod
    def when(cls, value: Any, severity: Severity, *, back: Severity = Severity.LOW) -> "Weaker":
        """Weaker when the field becomes `value`, stronger when it ceases to be it; `back` is how grave that is."""

        def judge(old: Any, new: Any) -> Verdict | None:
            if (new == value) == (old == value):
                return None
            return (Direction.WEAKENS, severity) if new == value else (Direction.TIGHTENS, back)

        return cls(judge, f"{str(value).lower() if isinstance(value, bool) else value}")

    @classmethod
    def when_not(cls, value: Any, severity: Severity) -> "Weaker":
        """Weaker when the field ceases to be `value` (also by being absent)."""

        def judge(old: Any, new: Any) -> Verdict | None:
            if (new == value) == (old == value):
                return None
            return _flip(severity, new != value)

        return cls(judge, f"not {str(value).lower() if isinstance(value, bool) else value}")

    @classmethod
    def when_added(cls, severity: Severity, worst: Mapping[str, Severity] | None = None) -> "Weaker":
        """Weaker when a set gains an entry; `worst` names entries that are graver than the rest."""
        graver = {entry.casefold(): grave for entry, grave in (worst or {}).items()}

        def judge(old: Any, new: Any) -> Verdict | None:
            before, after = frozenset(old or ()), frozenset(new or ())
            added = after - before
            if added:
                return Direction.WEAKENS, max(graver.get(str(entry).casefold(), severity) for entry in added)
            return (Direction.TIGHTENS, Severity.LOW) if before - after else None

        return cls(judge, "an entry added")

    @classmethod
    def towards(cls, order: Iterable[str], severity: Severity) -> "Weaker":
        """Weaker along `order`, which lists the values from strict to lax."""
        ranks = {value.casefold(): rank for rank, value in enumerate(order)}

        def judge(old: Any, new: Any) -> Verdict | None:
            before, after = ranks.get(str(old).casefold()), ranks.get(str(new).casefold())
            if any(rank is None and value is not None for rank, value in ((before, old), (after, new))):
                # A spelling that no one documents: it matters, and no one can say which way.
                return Direction.NEUTRAL, severity
            if before is None and after is None:
                return None
            # No value at all asks for nothing.
            lax = len(ranks)
            before, after = lax if before is None else before, lax if after is None else after
            return None if before == after else _flip(severity, after > before)

        return cls(judge, "towards " + (list(ranks)[-1] if ranks else ""))

    @classmethod
    def when_longer(cls, severity: Severity) -> "Weaker":
        """Weaker when a number grows, or when a limit is gone. A first limit is a change without a direction, since
        what the org did before is not known."""

        def judge(old: Any, new: Any) -> Verdict | None:
            if old is None or new is None:
                return None if old == new else (Direction.WEAKENS if new is None else Direction.NEUTRAL, severity)
            try:
                before, after = float(old), float(new)
            except (TypeError, ValueError):
                return None if old == new else (Direction.WEAKENS, severity)
            return None if before == after else _flip(severity, after > before)

        return cls(judge, "longer")

    @classmethod
    def when_changed(cls, severity: Severity) -> "Weaker":
        """Weaker whenever the field changes: any change hands trust to another user, class or key."""

        def judge(old: Any, new: Any) -> Verdict | None:
            return None if old == new else (Direction.WEAKENS, severity)

        return cls(judge, "changed")

    @classmethod
    def when_wider(cls, severity: Severity) -> "Weaker":
        """For allow lists of addresses: weaker when more addresses pass, or when the list is emptied.

        An empty list restricts nothing. Entries are (start, end) pairs.
        """

        def judge(old: Any, new: Any) -> Verdict | None:
            before, after = _address_count(old), _address_count(new)
            if before == after and old == new:
                return None
            if before is None or after is None:
                return None if before is after else _flip(severity, after is None)
            if after > before:
                return Direction.WEAKENS, severity
            # As many or fewer addresses, but other ones: someone may now come in who could not before.
            grown = frozenset(new or ()) - frozenset(old or ())
            inside = all(any(_within(n, o) for o in old or ()) for n in grown)
            return _flip(severity, not inside)

        return cls(judge, "wider or emptied")

    @classmethod
    def by(cls, judge: Judge, words: str) -> "Weaker":
        """Weaker as the function `judge` decides, for a field or group that none of the other marks suits."""
        return cls(judge, words)


def _address_count(ranges: Iterable[tuple[str, str]] | None) -> int | None:
    """Return how many addresses the ranges cover; `None` for no range at all, which restricts nothing."""
    pairs = list(ranges or ())
    if not pairs:
        return None
    return sum(_number(end) - _number(start) + 1 for start, end in pairs)


def _number(address: str) -> int:
    try:
        return int(ipaddress.ip_address(address.strip()))
    except ValueError:
        return 0


def _within(inner: tuple[str, str], outer: tuple[str, str]) -> bool:
    return _number(outer[0]) <= _number(inner[0]) and _number(inner[1]) <= _number(outer[1])


@dataclass(frozen=True, slots=True)
class Group:
    """A mark on a class: fields that only have a direction together, judged on their values in this order."""

    fields: tuple[str, ...]
    weaker: Weaker
    weakened: str
    """What it means for the clients of the app, in one sentence, when the fields became weaker."""
    tightened: str
    """When they became stronger: what may stop working."""


def certificate_trust(old: Any, new: Any) -> Verdict | None:
    """Judge a signing certificate: the first one switches a flow on; another, or none, locks clients out or others in."""
    if old == new:
        return None
    return Direction.WEAKENS, Severity.CRITICAL if old else Severity.HIGH


_HOURS = {"hours": 1, "days": 24, "months": 24 * 30}


def _lifetime(policy: str, period: Any, unit: Any) -> float:
    """The hours that a refresh token lives: 0 for "immediately expire", infinity for "until revoked"."""
    kind = str(policy or "infinite").casefold().replace("_", "")
    if kind == "zero":
        return 0.0
    if kind == "infinite":
        return float("inf")
    try:
        return float(period) * _HOURS[str(unit).casefold()]
    except (TypeError, ValueError, KeyError):
        return float("inf")


def _judge_lifetime(old: float, new: float) -> Verdict | None:
    if old == new:
        return None
    if new < old:
        return Direction.TIGHTENS, Severity.LOW
    return Direction.WEAKENS, Severity.HIGH if new == float("inf") else Severity.MEDIUM


def refresh_token_lifetime(old: Any, new: Any) -> Verdict | None:
    """Judge (type, period, unit) triples of an external client app's refresh token policy."""
    return _judge_lifetime(_lifetime(*(old or ("", None, None))), _lifetime(*(new or ("", None, None))))


def refresh_token_policy(old: Any, new: Any) -> Verdict | None:
    """Judge a connected app's `refreshTokenPolicy`: `infinite`, `zero`, `specific_lifetime:24:HOURS` …"""

    def hours(value: Any) -> float:
        kind, period, unit = [*str(value or "infinite").split(":"), None, None][:3]
        return _lifetime(str(kind), period, unit)

    return _judge_lifetime(hours(old), hours(new))
