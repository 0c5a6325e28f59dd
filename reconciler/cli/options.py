"""Options that several commands have in common: spelled once, and explained in the same words everywhere."""

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from reconciler.cli.output import Outputs, asked_about, writable
from reconciler.errors import Complaint, InputError
from reconciler.model.formats import FORMATS, PLAIN, listed

if TYPE_CHECKING:
    from reconciler.cli.workspace import Record, Workspace
    from reconciler.model.request import Request


def _orgs(incomplete: str) -> list[str]:
    """Return the project's orgs for shell completion."""
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
        help=f"{listed()}; =FILE to write it there. Repeatable.",
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


# --- options that go together ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """How a result is shown, and where it goes."""

    output: Output = field(default_factory=list)
    as_json: AsJson = False

    def outputs(self, asked: "Asked") -> Outputs:
        """Return where the result goes. Raises InputError for an unknown format, or a file that cannot be written."""
        return Outputs.of(self.output, as_json=self.as_json, whose=asked_about(asked.org, asked.project))


@dataclass(frozen=True, slots=True)
class ShownPlainly:
    """How a result is shown by a command that knows text and JSON only."""

    output: PlainOutput = field(default_factory=list)
    as_json: AsJson = False

    def outputs(self) -> Outputs:
        """Return where the result goes. Raises InputError for an unknown format, or a file that cannot be written."""
        return Outputs.of(self.output, PLAIN, as_json=self.as_json)


@dataclass(frozen=True, slots=True)
class Requested:
    """The options that narrow or change what a plan does: targets, replacements, and whether to destroy."""

    target: Target = field(default_factory=list)
    replace: Replace = field(default_factory=list)
    destroy: Destroy = False

    @property
    def anything(self) -> bool:
        """Whether any of the three options is given."""
        return bool(self.target or self.replace or self.destroy)

    def request(self) -> "Request":
        """Return the options as a request to the engine. Raises InputError for what is no address."""
        from reconciler.engine.baseline import typed_address as address
        from reconciler.model.request import Request

        return Request(tuple(map(address, self.target)), frozenset(map(address, self.replace)), self.destroy)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The options for making a recording of the run, or for using one in place of the org."""

    record: RecordTo = None
    replay: ReplayFrom = None
    scrub: Scrub = field(default_factory=list)
    scrub_key: ScrubKey = None

    def kept(self, *, asks_org: bool = True, validate: bool = False) -> "Record | None":
        """The recording to be made, if any. Raises InputError where the options contradict each other."""
        from reconciler.cli.workspace import Record

        if self.record is not None and self.replay is not None:
            raise InputError("--record and --replay: a replay has nothing to record")
        if (self.record is not None or self.replay is not None) and not asks_org:
            raise InputError("--record and --replay are about an org: with check they go with --live")
        if self.replay is not None and validate:
            raise InputError(
                Complaint(
                    "--validate lets the org check the plan, and with --replay there is none",
                    mend="leave one of them out",
                )
            )
        parts = [part.strip() for one in self.scrub for part in one.split(",")]
        if not all(parts):
            raise InputError(
                Complaint("--scrub names nothing between two commas", mend="write --scrub emails,certificates")
            )
        what = frozenset(parts)
        if self.record is None:
            if what or self.scrub_key:
                raise InputError("--scrub and --scrub-key go with --record")
            return None
        writable(self.record)
        return Record(self.record, what, self.scrub_key or "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The options that choose a project and one of its orgs."""

    org: OrgName = None
    project: ProjectFile = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that choose a project and one of its orgs, and say how the org is asked."""

    allow_commands: AllowCommands = False
    quiet: Quiet = False
    verbose: Verbose = False
    org: OrgName = None
    project: ProjectFile = None

    def workspace(self, **more: Any) -> "Workspace":
        """Open the project and the org; `more` are further fields of `Choices`. Raises InputError."""
        from reconciler.cli.workspace import Choices, Workspace

        return Workspace.open(
            Choices(
                self.org,
                self.project,
                allow_commands=self.allow_commands,
                quiet=self.quiet,
                verbose=self.verbose,
                **more,
            )
        )


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take options that go together as one value.

    A parameter whose type is one of the dataclasses above stands for an option of each of its fields, at its place. Typer
    reads the signature, so the command gets one in which they are spelled out.
    """
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    for parameter in inspect.signature(command).parameters.values():
        group = parameter.annotation
        if not is_dataclass(group):
            parameters.append(parameter)
            continue
        groups[parameter.name] = group  # type: ignore[assignment]
        hints = get_type_hints(group, include_extras=True)
        for one in fields(group):
            default = one.default if one.default_factory is MISSING else one.default_factory()
            parameters.append(parameter.replace(name=one.name, default=default, annotation=hints[one.name]))

    def run(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in fields(group)})
        command(**given)

    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
