"""The rules: what makes an app unsafe, useless or impossible, each with its source and with an example of both sides.

One file a family, one function a rule. A rule is a generator over a `World`; it yields `Broken` where it is broken and
`NotChecked` where it cannot know. `judge` runs them and turns what they say into findings.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from reconciler.model.address import Address
from reconciler.model.facts import Facts
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body, Path
from reconciler.world.world import World


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where a rule is broken."""

    address: Address
    message: str
    path: Path = ()
    mend: str = ""
    subject: str = ""
    """What in the field, where the rule can be broken more than once in one: a URL, a method."""
    position: tuple[int, int] | None = None
    """Line and column inside the value, where that is source text."""
    also: tuple[Address, ...] = ()
    """Other resources that it depends on: a change of one of them may have caused it."""
    severity: Severity | None = None
    """Where it is not the rule's own."""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """The verdict of a rule on a place that it cannot judge, and why: `"not declared; the org may hold anything"`."""

    address: Address
    message: str
    path: Path = ()


Verdicts = Iterator[Broken | NotChecked]


@dataclass(frozen=True, slots=True)
class Example:
    """Desired documents (YAML) and what else a rule sees: a test that is also documentation.

    Examples are judged as a whole org: what is not written holds the platform's default.
    """

    files: str
    sources: Mapping[str, str] = field(default_factory=dict)
    """Apex class -> its body."""
    facts: Facts | None = None
    """`None`: the facts of an org in which everyone and everything that the files name exists and is in order."""
    live: str = ""
    """Documents that the org has and the files do not, for rules that compare the two."""
    org: OrgInfo | None = None
    """`None`: an org of Enterprise Edition with the newest API version that the kinds know."""
    odd: Mapping[str, Body] = field(default_factory=dict)
    """Address -> body, for what only an org can hold: our files would be refused."""

    def but(self, old: str, new: str) -> "Example":
        """Return the example with one passage replaced. Raises ValueError if it does not stand there exactly once."""
        if self.files.count(old) != 1:
            raise ValueError(f"{old!r} stands {self.files.count(old)} times in the example")
        return replace(self, files=self.files.replace(old, new))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id and what a person wants to know about it."""

    id: str
    severity: Severity
    title: str
    """What should be, in one sentence without a full stop."""
    hurts: str
    """Who would be hurt if it is not so, and how, in one sentence."""
    source: str
    """A document of Salesforce, an RFC, or our own judgement, said so."""
    check: Callable[[World], Verdicts]
    good: Example
    bad: Example
    asks_org: bool = False
    """True if it needs facts that no file holds."""


def rule(
    id: str,
    severity: Severity,
    title: str,
    *,
    hurts: str,
    source: str,
    good: Example,
    bad: Example,
    asks_org: bool = False,
) -> Callable[[Callable[[World], Verdicts]], Rule]:
    """Make a rule of a function."""
    return lambda check: Rule(id, severity, title, hurts, source, check, good, bad, asks_org)


@cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule by its id. Found by walking this folder: a new rule is one new function."""
    found: dict[str, Rule] = {}
    for module in iter_modules(__path__):
        for _, value in inspect.getmembers(import_module(f"{__name__}.{module.name}")):
            if isinstance(value, Rule) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"two rules are called {value.id}")
    return dict(sorted(found.items()))


def judge(
    world: World,
    *,
    severities: Mapping[str, Severity | None] | None = None,
    rules: Iterable[Rule] | None = None,
    scope: Collection[Address] | None = None,
) -> tuple[tuple[Finding, ...], tuple[Unchecked, ...]]:
    """Run the rules over a world: what is broken (worst first), and what could not be judged.

    `severities` are a project's own: rule id -> severity, `None` for a rule that is switched off. `scope` keeps only
    what is on, or depends on, one of these resources.
    """
    chosen = severities or {}
    broken: list[Finding] = []
    unchecked: list[Unchecked] = []
    for one in rules if rules is not None else all_rules().values():
        severity = chosen.get(one.id, one.severity)
        if severity is None:
            continue
        for verdict in one.check(world):
            if isinstance(verdict, Broken) and verdict.path and world.is_scrubbed(verdict.address, verdict.path):
                # A rule that looks past `World.value` has judged a pseudonym.
                message = f"{'.'.join(verdict.path)} is not known: it was scrubbed from the recording"
                verdict = NotChecked(verdict.address, message, verdict.path)
            if isinstance(verdict, NotChecked):
                if scope is None or verdict.address in scope:
                    unchecked.append(Unchecked(one.id, verdict.address, verdict.message, verdict.path))
            elif scope is None or verdict.address in scope or any(a in scope for a in verdict.also):
                broken.append(_finding(one, verdict, severity if one.id in chosen else verdict.severity or severity))
    broken.sort(key=lambda f: (-f.severity, f.address, f.id, f.path, f.subject))
    unchecked.sort(key=lambda u: (u.id, u.address, u.path))
    return tuple(broken), tuple(unchecked)


def _finding(rule: Rule, broken: Broken, severity: Severity) -> Finding:
    return Finding(
        rule.id,
        severity,
        broken.address,
        broken.message,
        broken.path,
        mend=broken.mend,
        meaning=rule.hurts,
        subject=broken.subject,
        position=broken.position,
        also=broken.also,
    )
