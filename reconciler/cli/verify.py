"""The command `verify`: runs the OAuth flows that the configuration promises, and those that it must refuse."""

import sys
from typing import Annotated

import typer

from reconciler.cli.options import (
    Asked,
    Shown,
    grouped,
    seconds,
)
from reconciler.errors import Exit


@grouped
def verify(
    names: Annotated[
        list[str], typer.Argument(help="Only these apps, by name or address; default: all.", metavar="APP")
    ] = [],
    wait: Annotated[
        str,
        typer.Option(
            "--wait",
            help="So long, over the whole run, an app that the org does not know yet is asked for again.",
            metavar="DURATION",
        ),
    ] = "10m",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 7 too if a promised call could not be run, for want of a token say.")
    ] = False,
    shown: Shown = Shown(),
    asked: Asked = Asked(),
) -> None:
    """Run the OAuth flows that the files promise. Those that they must refuse, too; exit 7 if the org does otherwise."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.engine import verify
    from reconciler.render import report
    from reconciler.render.json import verify_document
    from reconciler.render.text import calls

    outputs = shown.outputs(asked)
    patience = seconds(wait, "--wait", 7200)
    keep_apart(outputs, asked.project)
    with outputs.telling("verify"):
        space = asked.workspace()
        with space.session() as session:
            found = verify.verify(session, space.org.verify, names, org=space.org.name, wait=patience, strict=strict)
    code = outputs.emit(
        lambda colour: calls.verify(found, colour=colour),
        lambda: verify_document.verify(found),
        lambda: report.of_verify(found),
    )
    if strict and found.missing and not found.findings:
        sys.stderr.write(f"--strict: {len(found.missing)} promises were not looked at\n")
    raise typer.Exit(code if found.kept else Exit.NOT_CONVERGED)
