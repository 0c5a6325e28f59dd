"""What was measured -> a table and the goals with their verdicts, as Markdown that reads well on a terminal."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.measured import Usage
from benchmarks.measuring import (
    APPLY,
    AUDIT,
    CHANGED,
    CHECK,
    DRIFT,
    DRIFTED,
    FLOOR,
    PEER,
    PULL,
    PULLED,
    TREE,
    UNCHANGED,
    Size,
)
from benchmarks.startup import StartUp

_ROWS = (UNCHANGED, FLOOR, CHANGED, DRIFT, DRIFTED, CHECK, AUDIT, APPLY, PULL, PULLED, TREE, PEER)
_FILES = 10_000
"""Of an org, from which on a plan needs more than one retrieve."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, and what was measured; `None` where it was not."""

    text: str
    measured: float | None
    most: float
    unit: str = ""

    def __str__(self) -> str:
        if self.measured is None:
            return f"| {self.text} | not measured | |"
        verdict = "met" if self.measured <= self.most else "**missed**"
        return f"| {self.text} | {_figure(self.measured)}{self.unit} | {verdict} |"


def page(sizes: Sequence[Size], start: StartUp, repeat: int) -> str:
    """The whole report."""
    return "\n".join([*_head(repeat), "", *_table(sizes), "", *_start_up(start), "", *_goals(sizes, start), ""])


def _head(repeat: int) -> Iterator[str]:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    cores = {1: "one core", 2: "two shared cores", 4: "four cores", 8: "eight cores"}
    count = os.cpu_count() or 1
    machine = cores.get(count, f"{count} cores")
    runs = "one run" if repeat == 1 else f"medians of {repeat} runs (apply: one)"
    yield f"{day}, {machine}, Python {platform.python_version()}, {runs}. CPU seconds (user and system) and peak memory"
    yield "of the client's process; wall seconds hold the mock org's own work."


def _table(sizes: Sequence[Size]) -> Iterator[str]:
    yield "| | " + " | ".join(f"{size.apps:,} apps" for size in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for row in _ROWS:
        if any(row in size.usages for size in sizes):
            yield f"| {row} | " + " | ".join(_cell(size.usages.get(row)) for size in sizes) + " |"
    yield "| HTTP calls, no change | " + " | ".join(str(size.calls) for size in sizes) + " |"


def _cell(usage: Usage | None) -> str:
    if usage is None:
        return "not run"
    return f"{_figure(usage.cpu)} s CPU, {_figure(usage.wall)} s wall, {usage.memory:.0f} MB"


def _figure(value: float) -> str:
    if value < 0.1:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _start_up(start: StartUp) -> Iterator[str]:
    yield "| start-up | wall | CPU |"
    yield "|---|---|---|"
    for name in start.wall:
        yield f"| `{name}` | {start.wall[name] * 1000:.0f} ms | {start.cpu[name] * 1000:.0f} ms |"


def _goals(sizes: Sequence[Size], start: StartUp) -> Iterator[str]:
    yield "| goal | measured | |"
    yield "|---|---|---|"
    yield from map(str, goals(sizes, start))


def goals(sizes: Sequence[Size], start: StartUp) -> Iterator[Goal]:
    """The goals, with what was measured."""
    known = {size.apps: size for size in sizes}
    thousand, ten = known.get(1_000), known.get(10_000)
    yield Goal(
        "each app between 1,000 and 10,000: at most 2.5 times the floor's CPU",
        _slope(thousand, ten, UNCHANGED) / _slope(thousand, ten, FLOOR) if thousand and ten else None,
        2.5,
        " times",
    )
    for row in (PULL, TREE):
        yield Goal(
            f"{row}, of 1,000 apps: at most 3 times the floor's CPU",
            thousand.usages[row].cpu / thousand.usages[FLOOR].cpu if thousand else None,
            3,
            " times",
        )
    peer = thousand.usages.get(PEER) if thousand else None
    yield Goal(
        "a plan of 1,000 apps: at most 1/20 of terraform's CPU for 5,000 resources",
        thousand.usages[UNCHANGED].cpu / peer.cpu if thousand and peer else None,
        1 / 20,
    )
    yield Goal(
        "10,000 apps: less than 400 MB",
        max(usage.memory for name, usage in ten.usages.items() if name not in (FLOOR, PEER)) if ten else None,
        400,
        " MB",
    )
    yield Goal(
        "drift of 1,000 apps of which 5 % drifted: at most 1.3 times the CPU of their plan without a change",
        thousand.usages[DRIFTED].cpu / thousand.usages[UNCHANGED].cpu if thousand else None,
        1.3,
        " times",
    )
    small = [size.calls for size in sizes if size.components < _FILES]
    yield Goal("a plan of fewer than 10,000 files: at most 6 HTTP calls", max(small, default=None), 6)
    yield Goal("`--help`: at most 0.6 times the import of simple_salesforce", start.ratio, 0.6, " times")


def _slope(small: Size, large: Size, name: str) -> float:
    return (large.usages[name].cpu - small.usages[name].cpu) / (large.apps - small.apps)
