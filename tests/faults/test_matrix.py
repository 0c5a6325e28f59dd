"""Every failure at every call of plan, drift and apply: what comes of it, and that the next run makes all well.

RECONCILER_FAULTS=all (`make faults`) takes every pair of a failure and a call; with `share` each failure and each call has
its turn at least once, always in the same pairs.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from providers.mock import Faults
from tests.e2e.cut import cancel_in_setup, journal
from tests.e2e.project import Project
from tests.faults.expected import (
    EXIT,
    FINE,
    MOMENTS,
    NOT_LANDED,
    ROWS,
    UNKNOWN,
    At,
    Moment,
    Row,
    Way,
    can_happen,
    end,
    moments,
)
from tests.faults.scene import COMMANDS, UNDISTURBED, Copy, Hearing, hurried, impatient


@dataclass(frozen=True)
class Cell:
    """One failure at one call, once or from then on."""

    row: Row
    way: Way
    moment: Moment
    for_ever: bool

    def __str__(self) -> str:
        return f"{self.way}{' for ever' if self.for_ever else ''} at {self.moment}"

    @property
    def faults(self) -> Faults:
        at, script = self.moment, Faults()
        if self.way.fault.startswith("outage"):
            if self.way.done:
                script.on(at.operation, "lost_answer", after=at.nth, times=1)
            return script.on("*", "reset", after=at.index)
        times = {} if self.for_ever else {"times": 1}
        return script.on(at.operation, self.way.fault, after=at.nth, **times, **self.way.options)


def all_cells() -> list[Cell]:
    ways = [(row, way) for row in ROWS for way in row.ways]
    found, firsts = [], _firsts()
    for row, way in ways:
        for moment in moments():
            # What both ways to deploy have in common is tried once.
            alike = moment.command == "apply by SOAP" and moment.at not in (At.SENDING, At.FOLLOWING)
            if can_happen(way, moment) and not alike:
                found.append(Cell(row, way, moment, for_ever=False))
                if moment in firsts:
                    found.append(Cell(row, way, moment, for_ever=True))
    return found


def _firsts() -> set[Moment]:
    """The first call of each operation in each stage: what fails for ever, fails at the first one."""
    found = {(moment.command, moment.operation, moment.at): moment for moment in reversed(moments())}
    return set(found.values())


def share(cells: list[Cell]) -> list[Cell]:
    """Few cells in which each way to fail occurs, once and for ever, and at the call that deploys; and each call.

    Of what fits, the call that had fewest turns so far.
    """
    turns: Counter[Moment] = Counter()
    chosen: dict[Cell, None] = {}
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.way, cell.for_ever), []).append(cell)
        if cell.moment.at is At.SENDING and not cell.for_ever and not cell.moment.refused:
            groups.setdefault((cell.way, At.SENDING), []).append(cell)
        groups.setdefault((cell.moment,), []).append(cell)
    for group in sorted(groups.values(), key=len):
        if chosen.keys().isdisjoint(group):
            least = min(group, key=lambda cell: turns[cell.moment])
            turns[least.moment] += 1
            chosen[least] = None
    return sorted(chosen, key=cells.index)


WANTED = os.environ.get("RECONCILER_FAULTS", "")
CELLS = all_cells()
CHOSEN = CELLS if WANTED == "all" else share(CELLS)


@pytest.fixture(autouse=True)
def _hurried() -> Iterator[None]:
    with hurried():
        yield


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory, furnished: Project) -> tuple[object, object]:
    """What the org holds and the baseline says after an apply that nothing disturbed."""
    with hurried():
        project = Copy(tmp_path_factory.mktemp("settled"), furnished)
        with closing(project.org), project.at(Faults()):
            assert 0 == project.ask(*COMMANDS["apply"]).code
        return project.holds(), project.kept()


@pytest.fixture
def project(tmp_path: Path, furnished: Project) -> Iterator[Copy]:
    made = Copy(tmp_path, furnished)
    with closing(made.org):
        yield made


@pytest.mark.parametrize("command", COMMANDS)
def test_everything_that_a_command_asks_is_in_the_matrix(project: Copy, command: str):
    """A new call that no failure was ever tried on. (If this fails: write it into MOMENTS.)"""
    heard = Hearing()
    with project.at(heard, command):
        found = project.ask(*COMMANDS[command])

    # The trail since the last look has one page or two: entries of the same second count as well.
    calls = re.sub(r"(SetupAuditTrail)(?: queryMore)*(?= toolingQuery:DeployRequest$)", r"\1", " ".join(heard.heard))
    assert (UNDISTURBED[command], MOMENTS[command]) == (found.code, calls)


@pytest.mark.skipif(not WANTED, reason="RECONCILER_FAULTS says how much of the matrix")
@pytest.mark.parametrize("cell", CHOSEN, ids=str)
def test_a_failure_ends_as_it_should_and_the_next_run_makes_all_well(
    project: Copy, settled: tuple[object, object], cell: Cell
):
    """Half an apply, one that ran twice, or a message that nobody can act on."""
    command, expected = cell.moment.command, end(cell.row, cell.way, cell.moment, for_ever=cell.for_ever)
    content, holds, files, faults = project.content(), project.holds(), project.files(), cell.faults
    with project.at(faults, command), impatient() if cell.way.fault == "silence" else nullcontext():
        found = project.ask(*COMMANDS[command])

    assert [] == faults.unused()
    assert EXIT.get(expected, UNDISTURBED[command]) == found.code, found.said
    if expected is not FINE:
        assert any(words in found.said for words in cell.row.says), found.said
        assert "mend:" in found.said, found.said
    if command in ("plan", "drift"):
        assert (content, files) == (project.content(), project.files())
        return
    assert (expected is UNKNOWN) == (": unknown" in found.out), found.said
    assert (expected is NOT_LANDED) == (": not landed" in found.out), found.said
    done = settled[0] == project.holds()
    assert done or holds == project.holds()
    if expected is FINE or cell.moment.at in (At.READING_BACK, At.WATCHING):
        assert done
    elif expected is not UNKNOWN:
        assert (content, files) == (project.content(), project.files(journal=False))

    with project.at(Faults(), command):
        if journal(project) is not None:
            if "did not come to an end" in found.said:
                cancel_in_setup(project)
            again = project.ask("apply", "--resume")
        else:
            again = project.ask(*COMMANDS[command])
        assert 0 == again.code, (found.said, again.said)
        plan = project.ask(*COMMANDS["plan"])
        assert 0 == plan.code, plan.said
        drift = project.ask("drift")
        assert 0 == drift.code, drift.said

    assert settled == (project.holds(), project.kept())
    assert 1 == project.deployed().count("Succeeded"), project.deployed()
    assert None is journal(project)
