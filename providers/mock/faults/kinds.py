"""What a fault is: a function of a call, found by its name; its options are its keyword arguments."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.mock.faults.calls import Answer, Call

Act = Callable[..., Answer]
FAULTS: dict[str, Fault] = {}
STARTS_A_JOB = ("deploy", "deployRequest", "deployRecentValidation", "retrieve")
DEPLOYS = STARTS_A_JOB[:-1]


@dataclass(frozen=True, slots=True)
class Between:
    """The least and the most that an option may be."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class OneOf:
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One keyword argument of a fault: its type, its values, and its default."""

    type: type
    default: Any
    optional: bool = False
    limit: Between | OneOf | None = None

    def wrong(self, value: object) -> str:
        """Return what `value` should be instead, "" where it is right."""
        if value is None and self.optional:
            return ""
        allowed: tuple[type, ...] = (int, float) if self.type is float else (self.type,)
        # True is a number to Python, and a mistake here.
        if not isinstance(value, allowed) or (isinstance(value, bool) and self.type is not bool):
            return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[self.type]
        if isinstance(self.limit, Between) and not self.limit.least <= value <= self.limit.most:  # type: ignore[operator]
            return f"between {self.limit.least:g} and {self.limit.most:g}"
        if isinstance(self.limit, OneOf) and value not in self.limit.values:
            return f"one of {', '.join(self.limit.values)}"
        if isinstance(value, str) and len(value) > 2000:
            return "a text of at most 2000 characters"
        return ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `calls` are those it can happen to, () for any."""

    name: str
    act: Act
    about: str
    family: str
    calls: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)

    def wrong(self, options: Mapping[str, object]) -> list[tuple[str, str, str]]:
        """Return option, problem and mend of everything that is wrong with `options`."""
        found = []
        for name, value in options.items():
            if name not in self.options:
                known = f"options of {self.name}: {', '.join(self.options)}" if self.options else "it takes no options"
                found.append((name, f"{self.name} has no option {name!r}", closest(name, self.options) or known))
            elif mend := self.options[name].wrong(value):
                found.append((name, f"{name} of {self.name} cannot be {value!r}", f"it is {mend}"))
        return found

    def misplaced(self, pattern: str) -> bool:
        return bool(self.calls) and pattern not in self.calls

    def __call__(self, call: Call, **options: Any) -> Answer:
        return self.act(call, **options)


def fault(family: str, calls: tuple[str, ...] = ()) -> Callable[[Act], Act]:
    """Have a function be a fault: its name, its docstring and its keyword arguments are what users see."""

    def known(act: Act) -> Act:
        about = " ".join(inspect.cleandoc(act.__doc__ or "").split())
        FAULTS[act.__name__] = Fault(act.__name__, act, about, family, calls, _options(act))
        return act

    return known


def _options(act: Act) -> dict[str, Option]:
    hints = typing.get_type_hints(act, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(act).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            hint, limit = hints[name], None
            if typing.get_origin(hint) is typing.Annotated:
                hint, limit = typing.get_args(hint)
            optional = isinstance(hint, types.UnionType)
            plain = next(each for each in typing.get_args(hint) if each is not type(None)) if optional else hint
            found[name] = Option(plain, parameter.default, optional, limit)
    return found


def closest(name: str, known: typing.Iterable[str]) -> str:
    """Return "did you mean …?" where some known name is close."""
    found = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {found[0]}?" if found else ""
