"""One size, measured: the client's commands against a served org, the floor, and the peer."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import apps, peer
from benchmarks.measured import Usage, middle, run
from benchmarks.org import ROOT, Project, served

APPLY, UNCHANGED, DRIFT, CHANGED = "apply of everything", "plan, no change", "drift, none", "plan, 1 % change"
DRIFTED, CHECK, AUDIT = "drift, 5 % of the apps", "check of the files", "check --live"
FLOOR, PEER = "floor of the plan", "terraform plan, no change"
PULL, PULLED, TREE = "pull of everything", "pull, nothing to do", "plan of metadata files, no change"


@dataclass(slots=True)
class Size:
    """What was measured with so many apps; by name of what was done."""

    apps: int
    usages: dict[str, Usage] = field(default_factory=dict)
    calls: int = 0
    """HTTP calls of the plan that finds nothing to change."""

    @property
    def components(self) -> int:
        return self.apps * apps.COMPONENTS


def measure(number: int, folder: Path, *, repeat: int, terraform: str | None, tell: Callable[[str], None]) -> Size:
    """Measure everything for so many apps, in a new folder. The apply runs once, all else `repeat` times."""
    size = Size(number)

    with served(folder / "project") as project:
        apps.write(project.desired, number)
        tell(f"{number:,} apps: {APPLY}")
        size.usages[APPLY] = project.reconciler("apply", "--auto-approve", says="Applied")
        before = project.calls()
        zips = project.zips()
        taken: dict[str, list[Usage]] = {UNCHANGED: [], FLOOR: [], DRIFT: [], CHANGED: []}
        # In turns, so that a busy moment of the machine meets the floor and what is above it.
        for turn in range(repeat):
            tell(f"{number:,} apps: plan, floor, drift ({turn + 1} of {repeat})")
            taken[UNCHANGED].append(project.reconciler("plan", says="No changes."))
            size.calls = size.calls or project.calls() - before
            taken[FLOOR].append(floor(project, zips, size.components))
            taken[DRIFT].append(project.reconciler("drift", says="No drift."))
        for turn in range(repeat):
            tell(f"{number:,} apps: {CHECK}, {AUDIT} ({turn + 1} of {repeat})")
            taken.setdefault(CHECK, []).append(
                project.reconciler("check", says=f"Check: {size.components:,} resources")
            )
            taken.setdefault(AUDIT, []).append(project.reconciler("check", "--live", says="Check: ", codes=(0, 2)))
        drifted = project.drift(apps.some(number, 5))
        for turn in range(repeat):
            tell(f"{number:,} apps: {DRIFTED} ({turn + 1} of {repeat})")
            says = f"Drift: {drifted:,} finding"
            taken.setdefault(DRIFTED, []).append(project.reconciler("drift", says=says, codes=(2,)))
        project.undrift(apps.some(number, 5))
        changed = apps.change(project.desired, number)
        for turn in range(repeat):
            tell(f"{number:,} apps: {CHANGED} ({turn + 1} of {repeat})")
            taken[CHANGED].append(project.reconciler("plan", says=f"Plan: 0 to create, {changed} to update"))
        for turn in range(repeat):
            tell(f"{number:,} apps: {PULL}, {PULLED}, {TREE} ({turn + 1} of {repeat})")
            project.begin_anew(metadata=False)
            taken.setdefault(PULL, []).append(project.reconciler("pull", says="adopted"))
            taken.setdefault(PULLED, []).append(project.reconciler("pull", says="Pull: nothing to do."))
            project.begin_anew(metadata=True)
            project.reconciler("pull", says="adopted")
            taken.setdefault(TREE, []).append(project.reconciler("plan", says="No changes."))
        size.usages.update({name: middle(runs) for name, runs in taken.items()})
    if terraform is not None and size.components <= peer.MOST:
        tell(f"{number:,} apps: {PEER}")
        peer.prepare(folder / "terraform", number)
        size.usages[PEER] = middle([peer.plan(terraform, folder / "terraform") for _ in range(repeat)])
    return size


def floor(project: Project, zips: Path, components: int) -> Usage:
    """The floor for the project's files and the org's answer."""
    command = [sys.executable, "-m", "benchmarks.floor", str(project.desired), str(zips)]
    return run(command, ROOT, says=f"{components} equal")
