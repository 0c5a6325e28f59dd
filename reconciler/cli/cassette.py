"""`reconciler cassette`: looks through a recording. Arguments in, text out; no logic."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import ShownPlainly, grouped
from reconciler.errors import Exit


@grouped
def cassette(
    file: Annotated[Path, typer.Argument(help="A file that --record wrote.", metavar="FILE")],
    shown: ShownPlainly = ShownPlainly(),
) -> None:
    """Look through a recording. Shows its age, its calls, and anything in it that looks like a secret (then exit 2)."""
    from providers.salesforce.recordings.inspection import inspect
    from reconciler.cli.overwriting import keep_apart
    from reconciler.render import recordings as pages

    outputs = shown.outputs()
    keep_apart(outputs, None, given={"the recording": file})
    with outputs.telling("cassette"):
        found = inspect(file)
    summary = pages.Cassette(
        str(file),
        found.bytes,
        found.head.recorded_at,
        found.head.org_id,
        found.head.api_version,
        found.head.reconciler_version,
        found.head.scrub,
        found.head.scrubbed,
        found.head.classes,
        found.head.secret_ages,
        tuple((name, number, found.sizes[name]) for name, number in found.calls.items()),
        tuple((one.where, one.what) for one in found.suspicions),
    )
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    code = outputs.emit(lambda colour: pages.text(summary, now, colour=colour), lambda: pages.json(summary, now))
    raise typer.Exit(Exit.DIFFERENCES if found.suspicions else code)
