"""`reconciler cassette`: looks through a recording. Arguments in, text out; no logic."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.options import AsJson, PlainOutput
from reconciler.cli.output import PLAIN, Outputs
from reconciler.errors import Exit

if TYPE_CHECKING:
    pass


def cassette(
    file: Annotated[Path, typer.Argument(help="A file that --record wrote.", metavar="FILE")],
    output: PlainOutput = [],
    as_json: AsJson = False,
) -> None:
    """Look through a recording. Shows its age, its calls, and anything in it that looks like a secret (then exit 2)."""
    from providers.salesforce.tape.inspecting import inspect
    from reconciler.cli.overwriting import keep_apart
    from reconciler.render import cassette as shown

    outputs = Outputs.of(output, PLAIN, as_json=as_json)
    keep_apart(outputs, None, given={"the recording": file})
    with outputs.telling("cassette"):
        found = inspect(file)
    summary = shown.Cassette(
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
    code = outputs.emit(lambda colour: shown.text(summary, now, colour=colour), lambda: shown.json(summary, now))
    raise typer.Exit(Exit.DIFFERENCES if found.suspicions else code)
