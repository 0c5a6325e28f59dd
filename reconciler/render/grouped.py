"""Many findings and changes put together: how many of which rule and of which app, and in groups to be read. Pure.

Every format for people shows the same groups and counts, so that what a comment names is found again in the page.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.model.changes import Action, Change
from reconciler.model.finding import Finding
from reconciler.render.words.about import about
from reconciler.render.words.value_text import count
from reconciler.schema.severity import Direction, Severity

FEW = 20
"""Up to as many findings, or changes, are shown one by one: that is read faster than a table of them."""
ROWS = 20
"""As many rows of a table are shown; the last one counts the rest."""

CONNECTED, EXTERNAL = "ConnectedApp", "ExternalClientApplication"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of counts: a rule, an app or a kind, and how often it occurs in each column."""

    name: str
    about: str
    """What it stands for, in words; empty where the name says it."""
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of counts of findings or changes, by rule, app or kind: the worst and the most frequent first."""

    title: str
    columns: tuple[str, ...]
    """Severities or actions, as many as occur."""
    noun: str
    """What a row is: `rule`, `app`, `kind`."""
    rows: tuple[Row, ...]
    rest: Row | None = None
    """All rows that are too many to be shown, as one."""
    total: Row | None = None
    """All rows together, where that is worth a line."""

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """All rows of the table, with the row for the rest and the row of the total if there are any."""
        return (*self.rows, *(row for row in (self.rest, self.total) if row is not None))


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one severity that say the same of several resources."""

    severity: Severity
    name: str
    """The rule, or the sort of drift."""
    about: str
    findings: tuple[Finding, ...]
    """By app, then by address."""

    @property
    def meaning(self) -> str:
        """What the findings mean for the clients of the apps; empty if that is not the same for all findings."""
        return _shared(finding.meaning for finding in self.findings)

    @property
    def mend(self) -> str:
        """What to do about each finding; empty if that is not the same for all findings."""
        return _shared(finding.mend for finding in self.findings)


def groups(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Group findings by severity and rule: groups that count first, the worst of them first; inside a group by app."""
    found: dict[tuple[bool, Severity, str, str], list[Finding]] = {}
    for one in findings:
        found.setdefault((one.counts, one.severity, *_sort(one)), []).append(one)
    ordered = sorted(found, key=lambda key: (not key[0], -key[1], *key[2:]))
    return tuple(Group(*key[1:], tuple(sorted(found[key], key=_place))) for key in ordered)


def grouped(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort the findings in the order of their groups, in which every format for people shows them."""
    return tuple(finding for group in groups(findings) for finding in group.findings)


def finding_tables(findings: Sequence[Finding]) -> tuple[Table, ...]:
    """Tables of how many findings count, by rule and by app; empty if there are only a few."""
    counted = [finding for finding in findings if finding.counts]
    if len(counted) <= FEW:
        return ()
    columns = tuple(
        severity for severity in sorted(Severity, reverse=True) if any(f.severity is severity for f in counted)
    )

    def of(title: str, noun: str, named: Callable[[Finding], tuple[str, str]]) -> Table:
        return _table(title, noun, tuple(map(str, columns)), [(*named(f), columns.index(f.severity)) for f in counted])

    return (
        of("Findings by rule", "rule", _sort),
        of("Findings by app", "app", lambda finding: (str(owner(finding.address)), "")),
    )


def change_tables(changes: Sequence[Change]) -> tuple[Table, ...]:
    """A table of how many resources of each kind are created, updated, …; empty if there are only a few changes."""
    if len(changes) <= FEW:
        return ()
    columns = tuple(action for action in Action if any(change.action is action for change in changes))
    entries = [(change.address.kind, "", columns.index(change.action)) for change in changes]
    return (_table("Changes by kind", "kind", tuple(map(str, columns)), entries),)


@dataclass(frozen=True, slots=True)
class AppChanges:
    """What is to happen to one app and everything that belongs to it."""

    app: Address
    changes: tuple[Change, ...]
    """In their own order."""

    @property
    def actions(self) -> Mapping[Action, int]:
        """How many changes there are of each action, for the actions that occur."""
        return {action: n for action in Action if (n := sum(change.action is action for change in self.changes))}

    @property
    def weakens(self) -> Severity | None:
        """Return the worst severity among the changes that weaken something."""
        fields = (field for change in self.changes for field in change.fields)
        return max((f.severity for f in fields if f.direction is Direction.WEAKENS), default=None)

    @property
    def told(self) -> str:
        """The number of each action in words: `2 to create, 1 to update`"""
        return ", ".join(f"{number:,} to {action}" for action, number in self.actions.items())


def changes_by_app(changes: Iterable[Change]) -> tuple[AppChanges, ...]:
    """Group changes by app, sorted by address, for places where there is no room to show each change."""
    found: dict[Address, list[Change]] = {}
    for one in changes:
        found.setdefault(owner(one.address), []).append(one)
    return tuple(AppChanges(app, tuple(of)) for app, of in sorted(found.items()))


def owner(address: Address) -> Address:
    """The app that a resource is or belongs to; the handler of an enablement; else the resource itself."""
    return app_of(address) or address.component


def app_of(address: Address) -> Address | None:
    """The app that a resource is, or belongs to; `None` for what is neither."""
    kind = all_kinds().get(address.kind)
    if kind is None or address.part:
        return None
    if address.kind in (CONNECTED, EXTERNAL):
        return address
    return Address(EXTERNAL, address.name) if kind.section else None


def _sort(finding: Finding) -> tuple[str, str]:
    """Return what a finding is grouped by: its id, and the field that drifted or the title of the rule.

    So the same change of many apps is one group.
    """
    if finding.is_drift and finding.path:
        return finding.id, f"{finding.address.kind}.{'.'.join(finding.path)}"
    return finding.id, _title(finding.id)


@cache
def _title(id: str) -> str:
    return about(id).title


def _place(finding: Finding) -> tuple[object, ...]:
    return owner(finding.address), finding.address, finding.path, finding.subject


def _shared(texts: Iterable[str]) -> str:
    found = set(texts)
    return found.pop() if len(found) == 1 else ""


def _table(title: str, noun: str, columns: tuple[str, ...], entries: Sequence[tuple[str, str, int]]) -> Table:
    """Return a table of counts. `entries` are the name of a row, what it stands for, and the column that it counts in."""
    counted: dict[tuple[str, str], list[int]] = {}
    for name, words, column in entries:
        counted.setdefault((name, words), [0] * len(columns))[column] += 1
    # By the columns from the left: of severities the worst.
    ordered = sorted(counted.items(), key=lambda item: ([-number for number in item[1]], item[0]))
    rows = [Row(name, words, tuple(numbers)) for (name, words), numbers in ordered]
    total = _together(f"in all: {len(entries):,}", rows) if len(rows) > 1 and noun != "app" else None
    if len(rows) <= ROWS:
        return Table(title, columns, noun, tuple(rows), total=total)
    left = rows[ROWS - 1 :]
    return Table(
        title, columns, noun, tuple(rows[: ROWS - 1]), _together(count(len(left), f"more {noun}"), left), total
    )


def _together(name: str, rows: Sequence[Row]) -> Row:
    return Row(name, "", tuple(map(sum, zip(*(row.counts for row in rows), strict=True))))
