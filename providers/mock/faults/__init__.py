"""Failures on demand: which call, which times, and what happens. For tests of clients of Salesforce.

`Faults().on("deploy", "lost_answer", times=1).on("query", "status", code=503, after=2)` or `Faults.load` of a file;
then `serving(org, faults=…)`, `serve(…)` or `mount(…)`. The faults are the functions of this folder's modules.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from providers.mock.faults import answers, calls, connections, hostile, queues
from providers.mock.faults.calls import GROUPS, REST, SOAP, Answer, Call, Missed
from providers.mock.faults.kinds import FAULTS, Fault, closest
from providers.mock.state.errors import MockOrgError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from providers.mock.org import Org

__all__ = ["FAULTS", "Answer", "Call", "Fault", "Faults", "FaultsError", "Problem", "Rule"]

# Importing them makes their faults known.
_MODULES = (answers, connections, hostile, queues)
_KEYS = ("call", "fault", "after", "times", "every")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a script of faults: where (from 1; 0 where there is no file), what, and what to do about it."""

    text: str
    mend: str = ""
    line: int = 0
    column: int = 0
    key: str = ""
    """The key of the rule, or the option of its fault, that it is about."""

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.text}{f' ({self.mend})' if self.mend else ''}"


class FaultsError(MockOrgError):
    """A script of faults cannot be used; `problems` are all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem], file: str = "") -> None:
        self.problems, self.file = tuple(problems), file
        super().__init__("; ".join(f"{file}:{each}" if file else str(each) for each in self.problems))


@dataclass(slots=True)
class Rule:
    """One rule of a script: what happens to which call, and when.

    `call` are names of calls, groups, or paths with a method before them or none; `after` calls go by unharmed, then
    every `every`-th is hit, `times` times or always.
    """

    call: tuple[str, ...]
    fault: Fault
    options: Mapping[str, Any] = field(default_factory=dict)
    after: int = 0
    times: int | None = None
    every: int = 1
    place: str = ""
    _seen: int = 0
    _hit: int = 0

    def __str__(self) -> str:
        return f"{self.place}{self.fault.name} on {', '.join(self.call)}"

    def takes(self, call: Call) -> bool:
        """Whether the rule's fault happens to `call`; counts the call if the rule applies to it."""
        if (self.times is not None and self._hit >= self.times) or not any(call.fits(each) for each in self.call):
            return False
        self._seen += 1
        if self._seen <= self.after or (self._seen - self.after - 1) % self.every:
            return False
        self._hit += 1
        return True

    def missed(self) -> None:
        """Undo the count of a call to which the fault could not happen, so that the next call gets it."""
        self._hit -= 1
        self._seen -= 1

    @property
    def hits(self) -> int:
        return self._hit


class Faults:
    """A script of failures, which counts how often each has happened. Use one script for one server or mount."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = list(rules)
        self._lock = threading.Lock()

    @classmethod
    def load(cls, file: str | Path) -> Faults:
        """Read a script; raises `FaultsError`, which names line, column and mend of each mistake."""
        from providers.mock.faults import script  # noqa: PLC0415 (only a file needs YAML)

        return cls(script.read(Path(file)))

    def on(
        self, call: str | Iterable[str], fault: str, *, after: int = 0, times: int | None = None, every: int = 1,
        **options: Any,
    ) -> Faults:  # fmt: skip
        """Add a rule and return the script; raises `FaultsError`."""
        given: dict[str, Any] = {"call": call if isinstance(call, str) else list(call), "after": after, "every": every}
        given |= {"fault": {fault: options} if options else fault}
        given |= {"times": times} if times is not None else {}
        self.rules.append(rule(given))
        return self

    def unused(self) -> list[str]:
        """Return the rules whose fault has never happened."""
        with self._lock:
            return [str(each) for each in self.rules if not each.hits]

    def hits(self) -> list[int]:
        """Return how often each rule's fault has happened, in the order of the rules."""
        with self._lock:
            return [each.hits for each in self.rules]

    def around(self, app: WSGIApplication, org: Org) -> WSGIApplication:
        """Return `app`, the application of `org`, with these faults in it."""

        def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            call = calls.read(environ, app, org)
            answer = self._answer(call)
            start_response(answer.line, list(answer.headers))
            return [answer.body] if isinstance(answer.body, bytes) else answer.body

        return answering

    def _answer(self, call: Call) -> Answer:
        with self._lock:
            # A call that one rule takes is not counted by those after it.
            taken = next((each for each in self.rules if each.takes(call)), None)
        if taken is None:
            return call.answer()
        try:
            return taken.fault(call, **taken.options)
        except Missed as missed:
            with self._lock:
                taken.missed()
            return missed.answer


def rule(given: Mapping[str, Any], place: str = "") -> Rule:
    """Build a rule from a mapping of its keys; raises `FaultsError`, whose problems name the key that each is about."""
    problems: list[Problem] = []
    for key in given:
        if key not in _KEYS:
            problems.append(
                _problem(key, f"no key is called {key!r}", closest(key, _KEYS) or f"keys: {', '.join(_KEYS)}")
            )
    found, options = _fault(given.get("fault"), problems)
    patterns = _calls(given.get("call"), found, problems)
    numbers = {name: given.get(name, default) for name, default in (("after", 0), ("times", None), ("every", 1))}
    for name, least in (("after", 0), ("times", 1), ("every", 1)):
        value = numbers[name]
        wrong = isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 1_000_000_000
        if wrong and not (value is None and name == "times" and name not in given):
            problems.append(_problem(name, f"{name} cannot be {value!r}", f"it is a whole number, {least} or more"))
    if problems or found is None:
        raise FaultsError(problems)
    return Rule(patterns, found, options, **numbers, place=place)


def _problem(key: str, text: str, mend: str) -> Problem:
    return Problem(text, mend, key=key)


def _fault(given: object, problems: list[Problem]) -> tuple[Fault | None, Mapping[str, Any]]:
    options: object = {}
    name = given
    if isinstance(given, Mapping) and len(given) == 1:
        name, options = next(iter(given.items()))
        options = {} if options is None else options
    if not isinstance(name, str):
        mend = "fault: lost_answer, or with options fault: {status: {code: 503}}"
        problems.append(_problem("fault", "a rule needs a fault", mend))
        return None, {}
    found = FAULTS.get(name)
    if found is None:
        mend = closest(name, FAULTS) or f"faults: {', '.join(sorted(FAULTS))}"
        problems.append(_problem("fault", f"no fault is called {name!r}", mend))
        return None, {}
    if not isinstance(options, Mapping) or not all(isinstance(each, str) for each in options):
        problems.append(_problem("fault", f"options of {name} are not a mapping", f"fault: {{{name}: {{…}}}}"))
        return None, {}
    for option, text, mend in found.wrong(options):
        problems.append(_problem(option, text, mend))
    return found, options


def _calls(given: object, found: Fault | None, problems: list[Problem]) -> tuple[str, ...]:
    patterns = [given] if isinstance(given, str) else given
    if not isinstance(patterns, list) or not patterns or not all(isinstance(each, str) for each in patterns):
        problems.append(_problem("call", "a rule needs a call", "call: deploy, or several: call: [deploy, query]"))
        return ()
    known = (*SOAP, *(name for name, _, _ in REST), *GROUPS)
    for each in patterns:
        if "/" not in each and each not in known:
            mend = closest(each, known) or f"calls: {', '.join(known)}, or a path such as 'GET /services/data/*'"
            problems.append(_problem("call", f"no call is called {each!r}", mend))
        elif found is not None and found.misplaced(each):
            mend = f"it happens to {', '.join(found.calls)}"
            problems.append(_problem("call", f"{found.name} cannot happen to {each}", mend))
    return tuple(patterns)
