"""The command line: arguments in, text and an exit code out. No logic; heavy imports happen inside the commands."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler import __version__
from reconciler.errors import Complaint, Exit, InputError, ReconcilerError, RefusedError
from reconciler.mock_cli import OrgName, ProjectFile, mock_app

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from reconciler.model import Plan, Snapshot
    from reconciler.planner import Request
    from reconciler.security import Severity
    from reconciler.workspace import Workspace

app = typer.Typer(
    help="Plan, apply and watch the identity configuration of Salesforce orgs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
baseline_app = typer.Typer(
    help="What we manage, and what we last applied.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(baseline_app, name="baseline")
app.add_typer(mock_app, name="mock")

Output = Annotated[
    list[str],
    typer.Option("--output", help="text or json, =FILE to write it there; may be repeated.", metavar="FORMAT[=FILE]"),
]
Target = Annotated[
    list[str],
    typer.Option("--target", help="Only this resource, with its satellites and enablements.", metavar="ADDRESS"),
]
Replace = Annotated[
    list[str], typer.Option("--replace", help="Delete this app or handler and create it anew.", metavar="ADDRESS")
]
Destroy = Annotated[bool, typer.Option("--destroy", help="Plan to delete what we created and to give up the rest.")]
Allow = Annotated[
    list[str], typer.Option("--allow", help="Lift a guard by name: delete, replace, protected.", metavar="GUARD")
]
AllowCommands = Annotated[bool, typer.Option("--allow-commands", help="Let secret references run commands.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Plan, apply and watch the identity configuration of Salesforce orgs."""
    if version:
        sys.stdout.write(f"reconciler {__version__}\n")
        raise typer.Exit


@app.command()
def plan(
    out: Annotated[
        Path | None, typer.Option("--out", help="Save the plan, to be applied as it is.", metavar="FILE")
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")
    ] = False,
    validate: Annotated[bool, typer.Option("--validate", help="Let the org check the plan without doing it.")] = False,
    target: Target = [],
    replace: Replace = [],
    destroy: Destroy = False,
    output: Output = [],
    allow_commands: AllowCommands = False,
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Show what apply would change. Changes nothing."""
    from reconciler import engine
    from reconciler.render import json_plan, text

    sinks = _sinks(output)
    if out is not None:
        _writable(out)
    request = _request(target, replace, destroy)
    with _workspace(org, project, allow_commands=allow_commands).session() as session:
        made = engine.plan(session, request)
        judged = engine.validate(session, made) if validate else ()
    if out is not None:
        _write(out, json_plan.plan(made))
    _emit(sinks, as_text=lambda colour: text.plan(made, colour=colour), as_json=lambda: json_plan.plan(made))
    engine.check(judged, made, session.desired)
    raise typer.Exit(Exit.DIFFERENCES if detailed_exitcode and made.changes else Exit.OK)


@app.command()
def apply(
    saved: Annotated[Path | None, typer.Argument(help="A plan that was saved by plan --out.", metavar="[PLAN]")] = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask.")] = False,
    allow: Allow = [],
    target: Target = [],
    replace: Replace = [],
    destroy: Destroy = False,
    output: Output = [],
    allow_commands: AllowCommands = False,
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Make the org equal to the files: a plan that was saved, or a fresh one after yes."""
    from reconciler import engine
    from reconciler.render import json_plan, outcome, text
    from reconciler.render.saved_plan import read_plan

    sinks = _sinks(output)
    reviewed = read_plan(_read(saved), str(saved)) if saved is not None else None
    if reviewed is not None and (target or replace or destroy):
        raise InputError("a saved plan already says what it is for: --target, --replace and --destroy go with plan")
    request = (
        _request(reviewed.targets, reviewed.replaced, reviewed.destroy)
        if reviewed
        else _request(target, replace, destroy)
    )

    def confirm(made: "Plan") -> bool:
        if reviewed is not None or auto_approve:
            return True
        return _asked(text.plan(made, colour=_colour(sys.stderr)), f"Apply this to {made.org.name} ({made.org.id})?")

    with _workspace(org, project, allow=allow, allow_commands=allow_commands).session() as session:
        result = engine.apply(session, request, saved=reviewed, confirm=confirm)
    _emit(
        sinks,
        as_text=lambda colour: outcome.apply_result(result, colour=colour),
        as_json=lambda: json_plan.apply_result(result),
    )
    error = engine.failed(result)
    if error is not None and result.unread:
        raise error
    raise typer.Exit(error.exit if error is not None else Exit.OK)


@app.command()
def drift(
    against: Annotated[str, typer.Option("--against", help="baseline, or desired.", metavar="WHAT")] = "baseline",
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 2 from this severity on.", metavar="SEVERITY")
    ] = "low",
    output: Output = [],
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Show what changed behind the files' back, how bad it is, and who did it. Changes and proposes nothing."""
    from reconciler import engine
    from reconciler.render import json_plan, text

    sinks, least = _sinks(output), _severity(fail_on)
    if against not in ("baseline", "desired"):
        raise InputError(f"--against {against}: write baseline or desired")
    space = _workspace(org, project)
    desired = None if against == "desired" else _sound(space)
    with space.session(desired=desired) as session:
        report = engine.drift(session, against=against)
    _emit(
        sinks,
        as_text=lambda colour: text.drift(report.org, report.findings, colour=colour),
        as_json=lambda: json_plan.drift(report.org, report.findings),
    )
    counts = any(f.severity >= least and not f.ignored for f in report.findings)
    raise typer.Exit(Exit.DIFFERENCES if counts else Exit.OK)


@app.command()
def check(
    output: Output = [],
    allow_commands: AllowCommands = False,
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Check the files alone: syntax, schema, references. Asks no org."""
    from reconciler import engine
    from reconciler.render import checked

    sinks = _sinks(output)
    report = engine.check_files(_workspace(org, project, allow_commands=allow_commands).desired())
    _emit(
        sinks,
        as_text=lambda _: checked.text(report.resources, report.not_checked),
        as_json=lambda: checked.json(report.resources, report.not_checked),
    )


@baseline_app.command("list")
def baseline_list(output: Output = [], org: OrgName = "", project: ProjectFile = None) -> None:
    """List what we manage in the org."""
    from reconciler import ownership
    from reconciler.render import json_baseline, text

    sinks = _sinks(output)
    with _workspace(org, project).session(files=False) as session:
        found = ownership.baseline(session)
    _emit(
        sinks,
        as_text=lambda colour: text.baseline_list(found, colour=colour),
        as_json=lambda: json_baseline.baseline(found),
    )


@baseline_app.command("show")
def baseline_show(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS…")],
    output: Output = [],
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Show what we last applied for a resource."""
    from reconciler import ownership
    from reconciler.render import json_baseline, text
    from reconciler.workspace import address

    sinks, only = _sinks(output), [address(a) for a in addresses]
    with _workspace(org, project).session(files=False) as session:
        found = ownership.baseline(session, only)
    _emit(
        sinks,
        as_text=lambda colour: text.baseline_show(found, colour=colour),
        as_json=lambda: json_baseline.baseline(found),
    )


@baseline_app.command("accept")
def baseline_accept(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS[.FIELD]…")],
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Take what the org has now as what should be: its drift is no longer reported."""
    from reconciler import ownership
    from reconciler.workspace import address

    chosen = []
    for given in addresses:
        head, dot, path = given.rpartition("/")[2].partition(".")
        prefix = given.rpartition("/")[0]
        chosen.append((address(f"{prefix}/{head}" if prefix else head), path if dot else ""))
    with _workspace(org, project).session(files=False) as session:
        ownership.accept(session, chosen)
    sys.stdout.writelines(f"accepted {given}\n" for given in addresses)


@baseline_app.command("forget")
def baseline_forget(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS…")],
    org: OrgName = "",
    project: ProjectFile = None,
) -> None:
    """Give resources up: they stay in the org, and we no longer own them."""
    from reconciler import ownership
    from reconciler.workspace import address

    chosen = [address(a) for a in addresses]
    with _workspace(org, project).session(files=False) as session:
        ownership.forget(session, chosen)
    sys.stdout.writelines(f"forgot {given}\n" for given in addresses)


def _workspace(
    org: str, project: Path | None, *, allow: "Sequence[str]" = (), allow_commands: bool = False
) -> "Workspace":
    from reconciler.workspace import Choices, Workspace

    return Workspace.open(Choices(org, project, tuple(allow), allow_commands))


def _sound(space: "Workspace") -> "Snapshot":
    """The files for places and ignored fields. Drift does not depend on them, so broken ones must not silence it."""
    from reconciler.model import Snapshot

    try:
        return space.desired()
    except InputError as broken:
        _complain(broken)
        sys.stderr.write(
            "the files are left aside: drift is shown without their lines, and nothing counts as ignored\n"
        )
        return Snapshot({})


def _request(target: "Sequence[str]", replace: "Sequence[str]", destroy: bool) -> "Request":
    from reconciler.planner import Request
    from reconciler.workspace import address

    return Request(tuple(address(t) for t in target), frozenset(address(r) for r in replace), destroy)


def _severity(text: str) -> "Severity":
    from reconciler.security import Severity

    try:
        return Severity.parse(text)
    except ValueError as wrong:
        raise InputError(f"--fail-on: {wrong}") from None


def _sinks(output: "Sequence[str]") -> list[tuple[str, Path | None]]:
    """`text`, `json=plan.json` … -> (format, file or None for standard output)."""
    sinks: list[tuple[str, Path | None]] = []
    for given in output or ["text"]:
        form, _, file = given.partition("=")
        if form not in ("text", "json"):
            raise InputError(Complaint(f"--output {given}: no such format", mend="one of: text, json"))
        path = Path(file) if file not in ("", "-") else None
        if path is not None:
            _writable(path)
        sinks.append((form, path))
    return sinks


def _emit(
    sinks: "Sequence[tuple[str, Path | None]]", *, as_text: "Callable[[bool], str]", as_json: "Callable[[], str]"
) -> None:
    for form, file in sinks:
        content = as_text(file is None and _colour(sys.stdout)) if form == "text" else as_json()
        if file is None:
            _print(content if content.endswith("\n") else content + "\n")
        else:
            _write(file, content)


def _print(content: str) -> None:
    try:
        sys.stdout.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`| head`): that is its good right, and changes nothing of what was done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as wrong:
        raise ReconcilerError(f"standard output cannot be written: {wrong.strerror}") from None


def _writable(file: Path) -> None:
    """Said before anything is done: an apply whose report is lost is hard to explain."""
    if not file.parent.is_dir() or file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputError(Complaint(f"{file} cannot be written", mend="name a file in a folder that exists"))


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as wrong:
        raise InputError(f"{file} cannot be written: {wrong.strerror}") from None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{file} cannot be read: {getattr(wrong, 'strerror', None) or 'not text in UTF-8'}") from None


def _asked(shown: str, question: str) -> bool:
    if not sys.stdin.isatty():
        raise RefusedError(
            Complaint(
                "there is no terminal to ask on", mend="apply a saved plan, or say --auto-approve; nothing was changed"
            )
        )
    sys.stderr.write(f"{shown}\n{question} Only `yes` is accepted: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"


def _colour(stream: object) -> bool:
    return bool(getattr(stream, "isatty", bool)()) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def main() -> None:
    """Run one command. The only place where errors become text and exit codes."""
    # One command, then the process ends: looking for cycles costs a third of a large plan and frees nothing.
    gc.disable()
    sys.excepthook = _unexpected
    sys.exit(_run(sys.argv[1:]))


def _unexpected(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    """What nobody foresaw is our defect; its traceback is for us, not for the user."""
    if os.environ.get("RECONCILER_DEBUG"):
        sys.__excepthook__(kind, error, trace)
        return
    from reconciler.render.safe import line

    message = line(f"{kind.__name__}: {error}", 500)
    sys.stderr.write(f"unexpected error: {message}\n  mend: this is a defect of ours; RECONCILER_DEBUG=1 shows where\n")


def _run(arguments: "Sequence[str]") -> int:
    command = typer.main.get_command(app)
    try:
        code = int(command.main(list(arguments), prog_name="reconciler", standalone_mode=False) or 0)
    except typer.Exit as ended:
        # Typer turns Ctrl-C inside of a command into one of these.
        code = ended.exit_code
    except (typer.Abort, KeyboardInterrupt):
        code = Exit.INTERRUPTED
    except typer.TyperException as wrong:
        return _complain(_usage_error(wrong))
    except ReconcilerError as error:
        return _complain(error)
    if code == Exit.INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return code


def _usage_error(wrong: "typer.TyperException") -> InputError:
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "reconciler"
    message = wrong.format_message()
    if not message or message.startswith("Usage:"):
        # No command at all: what there is, is the answer.
        return InputError(Complaint("which command?", mend=f"{command} --help lists them"))
    return InputError(Complaint(message.rstrip("."), mend=f"{command} --help shows what there is"))


def _complain(error: ReconcilerError) -> int:
    from reconciler.render import outcome

    sys.stderr.write(outcome.complaints(error, colour=_colour(sys.stderr)))
    return error.exit
