"""`reconciler drift`: shows what changed behind the files' back. Arguments in, text out; no logic."""

from typing import Annotated

import typer

from reconciler.cli.counting import counted, earlier_report, severity, sound_files
from reconciler.cli.options import Asked, Recorded, Shown, Since, Summary, grouped
from reconciler.errors import Exit, InputError


@grouped
def drift(
    against: Annotated[str, typer.Option("--against", help="baseline, or desired.", metavar="WHAT")] = "baseline",
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 2 from this severity on.", metavar="SEVERITY")
    ] = "low",
    since: Since = None,
    shown: Shown = Shown(),
    summary: Summary = False,
    recorded: Recorded = Recorded(),
    asked: Asked = Asked(),
) -> None:
    """Show what changed behind the files' back. Says how bad it is, and who did it; changes and proposes nothing."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import drift
    from reconciler.engine.session import refuse_unread
    from reconciler.render import report
    from reconciler.render.json import documents, earlier
    from reconciler.render.text import plain

    outputs, least = shown.outputs(asked), severity(fail_on)
    if against not in ("baseline", "desired"):
        raise InputError(f"--against {against}: write baseline or desired")
    keep_apart(outputs, asked.project, {"--record": recorded.record}, {"the recording": recorded.replay})
    with outputs.telling("drift", keep=since):
        before = earlier_report(since, "drift")
        kept = recorded.kept()
        space = asked.workspace(record=kept, replay=recorded.replay)
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
