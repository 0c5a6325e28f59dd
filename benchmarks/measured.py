"""One process, run and measured: CPU seconds and peak memory as the kernel counts them, for that process alone."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    memory: float
    """Peak, in MB (10^6 bytes)."""


class FailedError(Exception):
    """A process that is measured did not do what it was asked; what it wrote is the message."""


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    says: str = "",
    codes: Sequence[int] = (0,),
) -> Usage:
    """Run to the end and measure. Raises FailedError for another exit code, or if the output does not hold `says`.

    The process inherits our own peak of memory as its least, since it is started as a copy of us: so the benchmark
    itself imports little and keeps nothing.
    """
    with tempfile.TemporaryFile() as output:
        begun = monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes or says:
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
            if process.returncode not in codes or says not in said:
                shown = " ".join(command)
                raise FailedError(f"{shown}: exit {process.returncode}, wanted {codes} and {says!r}\n{said[-4000:]}")
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024 / 1e6)


def middle(runs: Sequence[Usage]) -> Usage:
    """The median of several runs, each figure by itself."""
    return Usage(median(r.cpu for r in runs), median(r.wall for r in runs), median(r.memory for r in runs))
