"""`reconciler drift`: shows what changed behind the files' back. Arguments in, text out; no logic."""

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.meanings import counted, earlier_report, severity, sound_files, workspace
from reconciler.cli.options import (
    AllowCommands,
    AsJson,
    OrgName,
    Output,
    ProjectFile,
    Quiet,
    RecordTo,
    ReplayFrom,
    Scrub,
    ScrubKey,
    Since,
    Summary,
    Verbose,
)
from reconciler.cli.output import Outputs, asked_about
from reconciler.cli.recording import recorded_to
from reconciler.errors import Exit, InputError

if TYPE_CHECKING:
    pass


def drift(
    against: Annotated[str, typer.Option("--against", help="baseline, or desired.", metavar="WHAT")] = "baseline",
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 2 from this severity on.", metavar="SEVERITY")
    ] = "low",
    since: Since = None,
    output: Output = [],
    as_json: AsJson = False,
    summary: Summary = False,
    record: RecordTo = None,
    replay: ReplayFrom = None,
    scrub: Scrub = [],
    scrub_key: ScrubKey = None,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Show what changed behind the files' back. Says how bad it is, and who did it; changes and proposes nothing."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import drift
    from reconciler.engine.session import refuse_unread
    from reconciler.render import report
    from reconciler.render.json import documents, earlier
    from reconciler.render.text import plain

    outputs, least = Outputs.of(output, as_json=as_json, whose=asked_about(org, project)), severity(fail_on)
    if against not in ("baseline", "desired"):
        raise InputError(f"--against {against}: write baseline or desired")
    keep_apart(outputs, project, {"--record": record}, {"the recording": replay})
    with outputs.telling("drift", keep=since):
        before = earlier_report(since, "drift")
        kept = recorded_to(record, replay, scrub, scrub_key)
        space = workspace(
            org, project, quiet=quiet, verbose=verbose, allow_commands=allow_commands, record=kept, replay=replay
        )
        desired = None if against == "desired" else sound_files(space, "drift is shown", "nothing counts as ignored")
        with space.session(desired=desired) as session:
            found = drift.drift(session, against=against)
        if before is not None:
            found = earlier.since(found, before)
    code = outputs.emit(
        lambda colour: plain.drift(found, colour=colour, summary=summary),
        lambda: documents.drift(found),
        lambda: report.of_drift(found),
    )
    refuse_unread(found, session.desired)
    raise typer.Exit(Exit.DIFFERENCES if counted(found.findings, least) else code)
