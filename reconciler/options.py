"""Options that several commands have in common: spelled once, and explained in the same words everywhere."""

from pathlib import Path
from typing import Annotated

import typer

OrgName = Annotated[
    str, typer.Option("--org", help="Org of reconciler.yaml; default: its default_org.", metavar="NAME")
]
ProjectFile = Annotated[
    Path | None,
    typer.Option("--project", help="The project file; default: reconciler.yaml here or above.", metavar="FILE"),
]
AllowCommands = Annotated[bool, typer.Option("--allow-commands", help="Let secret references run commands.")]

Output = Annotated[
    list[str],
    typer.Option(
        "--output",
        help="text, json, markdown, sarif, junit, html, graph (Mermaid) or dot; =FILE to write it there. Repeatable.",
        metavar="FORMAT[=FILE]",
    ),
]
PlainOutput = Annotated[
    list[str],
    typer.Option("--output", help="text or json; =FILE to write it there. Repeatable.", metavar="FORMAT[=FILE]"),
]
Summary = Annotated[bool, typer.Option("--summary", help="Text: one line for each change or finding.")]
Since = Annotated[
    Path | None,
    typer.Option("--since", help="An earlier JSON report: what is new, known, resolved?", metavar="FILE"),
]

StopOn = Annotated[
    str, typer.Option("--fail-on", help="Broken rules from this severity on stop an apply.", metavar="SEVERITY")
]
Target = Annotated[
    list[str],
    typer.Option(
        "--target", help="Only this resource, with its satellites and enablements. Repeatable.", metavar="ADDRESS"
    ),
]
Replace = Annotated[
    list[str],
    typer.Option("--replace", help="Delete this app or handler and create it anew. Repeatable.", metavar="ADDRESS"),
]
Destroy = Annotated[bool, typer.Option("--destroy", help="Plan to delete what we created and to give up the rest.")]

RecordTo = Annotated[
    Path | None,
    typer.Option("--record", help="Keep what the org says, scrubbed, to be replayed anywhere.", metavar="FILE"),
]
ReplayFrom = Annotated[
    Path | None,
    typer.Option("--replay", help="Ask a recording instead of the org: no network, no login.", metavar="FILE"),
]
Scrub = Annotated[
    list[str],
    typer.Option(
        "--scrub",
        help="With --record: besides secrets also emails (and usernames) or certificates. Repeatable.",
        metavar="WHAT",
    ),
]
ScrubKey = Annotated[
    str,
    typer.Option(
        "--scrub-key",
        help="With --scrub: environment variable with the key of the pseudonyms, so that two recordings agree.",
        metavar="VARIABLE",
    ),
]
