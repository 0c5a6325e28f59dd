"""Options that several commands have in common: spelled once, and explained in the same words everywhere."""

import re
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.output import FORMATS
from reconciler.errors import Complaint, InputError


def _orgs(incomplete: str) -> list[str]:
    """The orgs of the project, for a shell that completes."""
    import os

    from reconciler.errors import ReconcilerError
    from reconciler.project.file import load_project

    try:
        given = os.environ.get("RECONCILER_PROJECT")
        project = load_project(Path(given) if given else None, environment=os.environ)
    except ReconcilerError:
        return []
    return [name for name in project.orgs if name.startswith(incomplete)]


def _formats(incomplete: str) -> list[str]:
    return [name for name in FORMATS if name.startswith(incomplete)]


OrgName = Annotated[
    str | None,
    typer.Option(
        "--org",
        "-o",
        help="Org of reconciler.yaml; default: its default_org.",
        metavar="NAME",
        envvar="RECONCILER_ORG",
        show_envvar=True,
        autocompletion=_orgs,
    ),
]
ProjectFile = Annotated[
    Path | None,
    typer.Option(
        "--project",
        help="The project file; default: reconciler.yaml here or above.",
        metavar="FILE",
        envvar="RECONCILER_PROJECT",
        show_envvar=True,
    ),
]
LockTimeout = Annotated[
    str,
    typer.Option(
        "--lock-timeout",
        help="How long to wait while somebody else has the baseline: 30s, 5m, 1h.",
        metavar="DURATION",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Do not say what is being done; results and errors stay.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say on standard error what the org is asked.")]
AllowCommands = Annotated[bool, typer.Option("--allow-commands", help="Let secret references run commands.")]

Output = Annotated[
    list[str],
    typer.Option(
        "--output",
        help="text, json, markdown, sarif, junit, html, graph (Mermaid) or dot; =FILE to write it there. Repeatable.",
        metavar="FORMAT[=FILE]",
        autocompletion=_formats,
    ),
]
PlainOutput = Annotated[
    list[str],
    typer.Option("--output", help="text or json; =FILE to write it there. Repeatable.", metavar="FORMAT[=FILE]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --output json.")]
Summary = Annotated[bool, typer.Option("--summary", help="Text: one line for each change or finding.")]
Since = Annotated[
    Path | None,
    typer.Option("--since", help="An earlier JSON report: what is new, known, resolved?", metavar="FILE"),
]

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|h|sec|seconds?|min|minutes?|hours?)?", re.IGNORECASE)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
MOST_WAITING = 86400.0
"""Seconds: a pipeline that waits longer has another trouble."""


def seconds(text: str, option: str, most: float = MOST_WAITING) -> float:
    """A duration as people write it: `90`, `30s`, `5m`, `1h`. Raises InputError."""
    found = _DURATION.fullmatch(text.strip())
    value = float(found[1]) * _SECONDS[(found[2] or "")[:1].lower()] if found is not None else -1.0
    if not 0 <= value <= most:
        message = f"{option} {text}: this is no duration from 0 to {most:.0f} seconds"
        raise InputError(Complaint(message, mend=f"write {option} 90, 30s or 5m"))
    return value


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
    str | None,
    typer.Option(
        "--scrub-key",
        help="With --scrub: environment variable with the key of the pseudonyms, so that two recordings agree.",
        metavar="VARIABLE",
    ),
]
