"""`reconciler plan`: shows what apply would change. Arguments in, text out; no logic."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.counting import severity, stop
from reconciler.cli.options import (
    Asked,
    Recorded,
    Requested,
    Shown,
    StopOn,
    Summary,
    grouped,
)
from reconciler.cli.output import writable, write
from reconciler.errors import Complaint, Exit, ReconcilerError, RefusedError
from reconciler.redaction import redacted


@grouped
def plan(
    out: Annotated[
        Path | None, typer.Option("--out", help="Save the plan, to be applied as it is.", metavar="FILE")
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")
    ] = False,
    validate: Annotated[bool, typer.Option("--validate", help="Let the org check the plan without doing it.")] = False,
    requested: Requested = Requested(),
    shown: Shown = Shown(),
    summary: Summary = False,
    fail_on: StopOn = "high",
    recorded: Recorded = Recorded(),
    asked: Asked = Asked(),
) -> None:
    """Show what apply would change. Changes nothing."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import plan, validating
    from reconciler.render import report
    from reconciler.render.json import documents
    from reconciler.render.text import plain

    outputs, least = shown.outputs(asked), severity(fail_on)
    if out is not None:
        writable(out)
    keep_apart(outputs, asked.project, {"--out": out, "--record": recorded.record}, {"the recording": recorded.replay})
    with outputs.telling("plan"):
        request = requested.request()
        kept = recorded.kept(validate=validate)
        space = asked.workspace(record=kept, replay=recorded.replay)
        with space.session() as session:
            made = plan.plan(session, request)
            judged = validating.validate(session, made) if validate else ()
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
    validating.check(judged, made, session.desired)
    stop(len(plan.stopping(made, least)), least, ("stops an apply", "stop an apply"))
    if not_saved:
        raise ReconcilerError(
            Complaint(f"the plan is not saved: {not_saved}", mend="plan again, with room for the file")
        )
    raise typer.Exit(Exit.DIFFERENCES if detailed_exitcode and made.changes else code)
