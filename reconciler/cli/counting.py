"""Counts findings of a severity and compares them with an earlier report, for several commands."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.complaining import complain
from reconciler.cli.output import read
from reconciler.errors import Exit, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.workspace import Workspace
    from reconciler.model.declared import Snapshot
    from reconciler.model.finding import Finding
    from reconciler.render.json.earlier import Earlier
    from reconciler.schema.severity import Severity


def sound_files(space: "Workspace", still: str, but: str) -> "Snapshot":
    """Read the desired files for places and ignored fields; if they are broken, complain and go on without them.

    An org's state does not depend on the files: broken ones must not hide it.
    """
    from reconciler.model.declared import Snapshot

    if not any(folder.is_dir() for folder in space.folders):
        return Snapshot({})
    try:
        return space.desired()
    except InputError as broken:
        complain(broken)
        sys.stderr.write(f"the files are left aside: {still} without their lines, and {but}\n")
        return Snapshot({})


def counted(findings: "Sequence[Finding]", least: "Severity") -> int:
    return sum(finding.counts and finding.severity >= least for finding in findings)


def stop(number: int, least: "Severity", words: tuple[str, str]) -> None:
    """End with the exit code for broken rules if `number` is not 0. `words`: what one finding does, what several do."""
    if number:
        one, many = words
        told = f"1 finding of severity {least} or worse {one}" if number == 1 else f"{number} findings … {many}"
        sys.stderr.write(f"{told.replace('…', f'of severity {least} or worse')}\n")
        raise typer.Exit(Exit.BAD_INPUT)


def earlier_report(since: Path | None, command: str) -> "Earlier | None":
    if since is None:
        return None
    from reconciler.render.json.earlier import read_report

    return read_report(read(since, f"make one with: reconciler {command} --output json=FILE"), str(since), command)


def severity(text: str) -> "Severity":
    from reconciler.schema.severity import Severity

    try:
        return Severity.parse(text)
    except ValueError as wrong:
        raise InputError(f"--fail-on: {wrong}") from None
