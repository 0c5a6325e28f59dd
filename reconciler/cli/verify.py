"""The command `verify`: runs the OAuth flows that the configuration promises, and those that it must refuse."""

import sys
from typing import Annotated

import typer

from reconciler.cli.options import AllowCommands, AsJson, OrgName, Output, ProjectFile, Quiet, Verbose, seconds
from reconciler.cli.output import Outputs, asked_about
from reconciler.errors import Exit


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
    output: Output = [],
    as_json: AsJson = False,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Run the OAuth flows that the files promise. Those that they must refuse, too; exit 7 if the org does otherwise."""
    from reconciler.cli.overwriting import keep_apart
    from reconciler.cli.workspace import Choices, Workspace
    from reconciler.engine import verify
    from reconciler.render import report
    from reconciler.render.json import verify_document
    from reconciler.render.text import calls

    outputs = Outputs.of(output, as_json=as_json, whose=asked_about(org, project))
    patience = seconds(wait, "--wait", 7200)
    keep_apart(outputs, project)
    with outputs.telling("verify"):
        space = Workspace.open(Choices(org, project, allow_commands=allow_commands, quiet=quiet, verbose=verbose))
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
