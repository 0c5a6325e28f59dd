"""`reconciler check`: judges the files, or with --live an org. Arguments in, text out; no logic."""

from typing import Annotated

import typer

from reconciler.cli.counting import counted, earlier_report, severity, sound_files, stop
from reconciler.cli.options import Asked, Recorded, Shown, Since, Summary, grouped
from reconciler.errors import Exit, InputError


@grouped
def check(
    live: Annotated[bool, typer.Option("--live", help="Judge the org as it is; the files do not matter.")] = False,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on",
            help="Exit 3 (with --live: 2) from this severity on; high, with --live low, if not given.",
            metavar="SEVERITY",
        ),
    ] = None,
    secret_ages: Annotated[
        bool,
        typer.Option(
            "--secret-ages", help="With --live: also ask how old consumer secrets are. The org sends them along."
        ),
    ] = False,
    since: Since = None,
    shown: Shown = Shown(),
    summary: Summary = False,
    recorded: Recorded = Recorded(),
    asked: Asked = Asked(),
) -> None:
    """Check the files alone: syntax, schema, references, rules. Asks no org, unless --live lets the rules judge one."""
    from datetime import UTC, datetime

    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import check
    from reconciler.engine.session import refuse_unread
    from reconciler.render import report
    from reconciler.render.json import documents, earlier
    from reconciler.render.text import plain

    outputs, least = (
        shown.outputs(asked),
        severity(fail_on or ("low" if live else "high")),
    )
    if secret_ages and not live:
        raise InputError("--secret-ages asks an org: it goes with --live")
    keep_apart(outputs, asked.project, {"--record": recorded.record}, {"the recording": recorded.replay})
    with outputs.telling("check", keep=since):
        before = earlier_report(since, "check")
        kept = recorded.kept(asks_org=live)
        space = asked.workspace(record=kept, replay=recorded.replay)
        if live:
            with space.session(desired=sound_files(space, "the org is judged", "findings have no place")) as session:
                found = check.check_org(session, secrets=secret_ages)
        else:
            found = check.check_files(space.desired(), space.org.rules, datetime.now(UTC))
        if before is not None:
            found = earlier.since(found, before)
    code = outputs.emit(
        lambda colour: plain.check(found, colour=colour, summary=summary),
        lambda: documents.check(found),
        lambda: report.of_check(found),
    )
    if live:
        refuse_unread(found, session.desired)
    grave = counted(found.findings, least)
    if live:
        raise typer.Exit(Exit.DIFFERENCES if grave else code)
    stop(grave, least, ("has to be mended, or waived in reconciler.yaml", "have to be mended, or waived"))
    raise typer.Exit(code)
