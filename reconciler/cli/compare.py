"""`reconciler compare`: two orgs side by side. Arguments in, text out; no logic."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.counting import counted, severity
from reconciler.cli.options import AllowCommands, ProjectFile, Quiet, Shown, Summary, Verbose, grouped
from reconciler.errors import Exit


@grouped
def compare(
    first: Annotated[str, typer.Argument(metavar="ORG", help="An org of the project file.")],
    second: Annotated[str, typer.Argument(metavar="ORG", help="Another one; or a recording, by its file.")],
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 2 from this severity on.", metavar="SEVERITY")
    ] = "low",
    shown: Shown = Shown(),
    summary: Summary = False,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    project: ProjectFile = None,
) -> None:
    """Show where one org differs from another. Sets aside what belongs to one org alone: ids, keys, links, usernames."""
    from contextlib import ExitStack

    from reconciler.cli.options import Asked
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import compare
    from reconciler.model.declared import Snapshot
    from reconciler.render import report
    from reconciler.render.json import documents
    from reconciler.render.text import plain

    asked = [Asked(allow_commands, quiet, verbose, org=one, project=project) for one in (first, second)]
    outputs, least = shown.outputs(asked[1]), severity(fail_on)
    recording = Path(second) if Path(second).is_file() else None
    keep_apart(outputs, project, {}, {"the recording": recording})
    with outputs.telling("compare"):
        one = asked[0].workspace()
        other = asked[0].workspace(replay=recording) if recording is not None else asked[1].workspace()
        with ExitStack() as both:
            sessions = [both.enter_context(space.session(desired=Snapshot({}))) for space in (one, other)]
            found = compare.compare(sessions[0], sessions[1], (one.org.variables, other.org.variables))
    code = outputs.emit(
        lambda colour: plain.compare(found, colour=colour, summary=summary),
        lambda: documents.compare(found),
        lambda: report.of_compare(found),
    )
    if found.unreadable:
        raise typer.Exit(Exit.NOT_ALLOWED)
    raise typer.Exit(Exit.DIFFERENCES if counted(found.findings, least) else code)
