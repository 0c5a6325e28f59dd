"""What the options of several commands mean: a severity, a request, an earlier report, the files and the org."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.complaining import complain
from reconciler.cli.output import read
from reconciler.errors import Exit, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.workspace import Record, Workspace
    from reconciler.model.declared import Snapshot
    from reconciler.model.finding import Finding
    from reconciler.model.request import Request
    from reconciler.render.json.earlier import Earlier
    from reconciler.schema.severity import Severity


def workspace(
    org: str | None,
    project: Path | None,
    *,
    quiet: bool,
    verbose: bool,
    allow: "Sequence[str]" = (),
    allow_commands: bool = False,
    fail_on: "Severity | None" = None,
    record: "Record | None" = None,
    replay: Path | None = None,
    lock_timeout: float = 0.0,
) -> "Workspace":
    from reconciler.cli.workspace import Choices, Workspace
    from reconciler.schema.severity import Severity

    return Workspace.open(
        Choices(
            org,
            project,
            allow=tuple(allow),
            allow_commands=allow_commands,
            fail_on=Severity.HIGH if fail_on is None else fail_on,
            record=record,
            replay=replay,
            quiet=quiet,
            verbose=verbose,
            lock_timeout=lock_timeout,
        )
    )


def sound_files(space: "Workspace", still: str, but: str) -> "Snapshot":
    """The files, for places and ignored fields. An org's state does not depend on them: broken ones must not silence it."""
    from reconciler.model.declared import Snapshot

    if not space.project.desired.is_dir():
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
    """End with the code for broken rules, if there are any. `words`: what one does, and what several do."""
    if number:
        one, many = words
        told = f"1 finding of severity {least} or worse {one}" if number == 1 else f"{number} findings … {many}"
        sys.stderr.write(f"{told.replace('…', f'of severity {least} or worse')}\n")
        raise typer.Exit(Exit.BAD_INPUT)


def request_of(target: "Sequence[str]", replace: "Sequence[str]", destroy: bool) -> "Request":
    from reconciler.engine.baseline import typed_address as address
    from reconciler.model.request import Request

    return Request(tuple(address(t) for t in target), frozenset(address(r) for r in replace), destroy)


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
