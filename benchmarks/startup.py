"""Start-up: how long a command takes that does nothing, beside the import of the library that it talks with."""

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measured import Usage, run
from benchmarks.org import RECONCILER

_RUNS = 11
_COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "python -c 'import simple_salesforce'": (sys.executable, "-c", "import simple_salesforce"),
    "reconciler --version": (RECONCILER, "--version"),
    "reconciler --help": (RECONCILER, "--help"),
}


@dataclass(frozen=True, slots=True)
class StartUp:
    """Medians of wall and CPU seconds, by command."""

    wall: dict[str, float]
    cpu: dict[str, float]

    @property
    def ratio(self) -> float:
        """Of `--help` to the import, in wall time: what somebody waits for."""
        _, imported, _, shown = self.wall.values()
        return shown / imported


def measure(folder: Path) -> StartUp:
    """Run the commands in turns, so that a busy moment meets all of them."""
    found: dict[str, list[Usage]] = {name: [] for name in _COMMANDS}
    for _ in range(_RUNS + 1):
        for name, command in _COMMANDS.items():
            found[name].append(run(command, folder))
    # The first round is dropped: it may find nothing in the caches.
    kept = {name: runs[1:] for name, runs in found.items()}
    return StartUp(
        {name: median(r.wall for r in runs) for name, runs in kept.items()},
        {name: median(r.cpu for r in runs) for name, runs in kept.items()},
    )
