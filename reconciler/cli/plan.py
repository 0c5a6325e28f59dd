"""`reconciler plan`: shows what apply would change. Arguments in, text out; no logic."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.meanings import request_of, severity, stop, workspace
from reconciler.cli.options import (
    AllowCommands,
    AsJson,
    Destroy,
    OrgName,
    Output,
    ProjectFile,
    Quiet,
    RecordTo,
    Replace,
    ReplayFrom,
    Scrub,
    ScrubKey,
    StopOn,
    Summary,
    Target,
    Verbose,
)
from reconciler.cli.output import Outputs, asked_about, writable, write
from reconciler.cli.recording import recorded_to
from reconciler.errors import Complaint, Exit, ReconcilerError, RefusedError
from reconciler.redaction import redacted

if TYPE_CHECKING:
    pass


def plan(
    out: Annotated[
        Path | None, typer.Option("--out", help="Save the plan, to be applied as it is.", metavar="FILE")
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")
    ] = False,
    validate: Annotated[bool, typer.Option("--validate", help="Let the org check the plan without doing it.")] = False,
    target: Target = [],
    replace: Replace = [],
    destroy: Destroy = False,
    output: Output = [],
    as_json: AsJson = False,
    summary: Summary = False,
    fail_on: StopOn = "high",
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
    """Show what apply would change. Changes nothing."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import apply, plan
    from reconciler.render import report
    from reconciler.render.json import documents
    from reconciler.render.text import plain

    outputs, least = Outputs.of(output, as_json=as_json, whose=asked_about(org, project)), severity(fail_on)
    if out is not None:
        writable(out)
    keep_apart(outputs, project, {"--out": out, "--record": record}, {"the recording": replay})
    with outputs.telling("plan"):
        request = request_of(target, replace, destroy)
        kept = recorded_to(record, replay, scrub, scrub_key, validate=validate)
        space = workspace(
            org, project, quiet=quiet, verbose=verbose, allow_commands=allow_commands, record=kept, replay=replay
        )
        with space.session() as session:
            made = plan.plan(session, request)
            judged = apply.validate(session, made) if validate else ()
    not_saved = ""
    if out is not None:
        saved = documents.plan(made)
        if redacted(saved) != saved:
            message = "the plan repeats a secret of this run, and without it could not be applied: it is not saved"
            raise RefusedError(Complaint(message, mend="see which value in the files or in the org is a secret, too"))
        not_saved = write(out, saved)
    code = outputs.emit(
        lambda colour: plain.plan(made, colour=colour, summary=summary),
        lambda: documents.plan(made),
        lambda: report.of_plan(made),
    )
    apply.check(judged, made, session.desired)
    stop(len(plan.stopping(made, least)), least, ("stops an apply", "stop an apply"))
    if not_saved:
        raise ReconcilerError(
            Complaint(f"the plan is not saved: {not_saved}", mend="plan again, with room for the file")
        )
    raise typer.Exit(Exit.DIFFERENCES if detailed_exitcode and made.changes else code)
