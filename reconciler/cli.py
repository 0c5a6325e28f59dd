"""The command line: arguments in, text and an exit code out. No logic; heavy imports happen inside the commands."""

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler import __version__, files
from reconciler.baseline_cli import baseline_app
from reconciler.cassette_cli import cassette, recorded_to
from reconciler.command_line import arranged
from reconciler.doctor_cli import doctor
from reconciler.errors import Complaint, Exit, InputError, ReconcilerError, RefusedError
from reconciler.mock_cli import mock_app
from reconciler.options import (
    AllowCommands,
    AsJson,
    Destroy,
    LockTimeout,
    OrgName,
    Output,
    ProjectFile,
    Quiet,
    RecordTo,
    Replace,
    ReplayFrom,
    Scrub,
    ScrubKey,
    Since,
    StopOn,
    Summary,
    Target,
    Verbose,
    seconds,
)
from reconciler.output import Outputs, asked_about, colour, read, say, writable, write
from reconciler.own_providers import prefer_ours
from reconciler.redaction import begin, redacted
from reconciler.streams import lost, take_over
from reconciler.verify_cli import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from reconciler.model.changes import Plan
    from reconciler.model.declared import Snapshot
    from reconciler.model.finding import Finding
    from reconciler.model.live import OrgInfo
    from reconciler.model.request import Request
    from reconciler.render.json.earlier import Earlier
    from reconciler.schema.severity import Severity
    from reconciler.workspace import Record, Workspace

app = typer.Typer(
    help="Plan, apply and watch the identity configuration of Salesforce orgs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Allow = Annotated[
    list[str],
    typer.Option("--allow", help="Lift a guard by name: delete, replace, protected. Repeatable.", metavar="GUARD"),
]


def _version(wanted: bool) -> None:
    if wanted:
        say(f"reconciler {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    output: Output = [],
    as_json: AsJson = False,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Plan, apply and watch the identity configuration of Salesforce orgs."""
    # Options before the command are handed to the command: `command_line.arranged`.


@app.command("version", hidden=True)
def print_version() -> None:
    """Print the version."""
    _version(True)


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
    as_json: AsJson = False,
    summary: Summary = False,
    fail_on: StopOn = "high",
    record: RecordTo = None,
    replay: ReplayFrom = None,
    scrub: Scrub = [],
    scrub_key: ScrubKey = None,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Show what apply would change. Changes nothing."""
    from reconciler.engine import apply, plan
    from reconciler.overwriting import keep_apart
    from reconciler.render import report
    from reconciler.render.json import documents
    from reconciler.render.text import plain

    outputs, least = Outputs.of(output, as_json=as_json, whose=asked_about(org, project)), _severity(fail_on)
    if out is not None:
        writable(out)
    keep_apart(outputs, project, {"--out": out, "--record": record}, {"the recording": replay})
    with outputs.telling("plan"):
        request = _request(target, replace, destroy)
        kept = recorded_to(record, replay, scrub, scrub_key, validate=validate)
        space = _workspace(
            org, project, quiet=quiet, verbose=verbose, allow_commands=allow_commands, record=kept, replay=replay
        )
        with space.session() as session:
            made = plan.plan(session, request)
            judged = apply.validate(session, made) if validate else ()
    not_saved = ""
    if out is not None:
        saved = documents.plan(made)
        if redacted(saved) != saved:
            message = "the plan repeats a secret of this run, and without it could not be applied: it is not saved"
            raise RefusedError(Complaint(message, mend="see which value in the files or in the org is a secret, too"))
        not_saved = write(out, saved)
    code = outputs.emit(
        lambda colour: plain.plan(made, colour=colour, summary=summary),
        lambda: documents.plan(made),
        lambda: report.of_plan(made),
    )
    apply.check(judged, made, session.desired)
    _stop(len(plan.stopping(made, least)), least, ("stops an apply", "stop an apply"))
    if not_saved:
        raise ReconcilerError(
            Complaint(f"the plan is not saved: {not_saved}", mend="plan again, with room for the file")
        )
    raise typer.Exit(Exit.DIFFERENCES if detailed_exitcode and made.changes else code)


@app.command()
def apply(
    saved: Annotated[Path | None, typer.Argument(help="A plan that was saved by plan --out.", metavar="[PLAN]")] = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", "-y", help="Do not ask.")] = False,
    allow: Allow = [],
    target: Target = [],
    replace: Replace = [],
    destroy: Destroy = False,
    resume: Annotated[bool, typer.Option("--resume", help="Carry on the apply that was cut off.")] = False,
    output: Output = [],
    as_json: AsJson = False,
    fail_on: StopOn = "high",
    lock_timeout: LockTimeout = "0s",
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Make the org equal to the files. Applies a plan that was saved, or a fresh one after yes."""
    from reconciler.engine import apply
    from reconciler.overwriting import keep_apart
    from reconciler.render import report
    from reconciler.render.json import documents
    from reconciler.render.json.saved_plan import read_plan
    from reconciler.render.text import outcome, plain

    outputs, least = Outputs.of(output, as_json=as_json, whose=asked_about(org, project)), _severity(fail_on)
    wait = seconds(lock_timeout, "--lock-timeout")
    keep_apart(outputs, project, given={"the saved plan": saved})

    def confirm(made: "Plan") -> bool:
        if saved is not None or auto_approve:
            return True
        return _asked(plain.plan(made, colour=colour(sys.stderr)), f"Apply this to {_whose(made.org)}?")

    with outputs.telling("apply"):
        if resume and (saved or target or replace or destroy):
            raise InputError(
                "--resume carries on what was asked for then: it takes no plan, target, replace or destroy"
            )
        reviewed = None
        if saved is not None:
            reviewed = read_plan(read(saved, "make one with: reconciler plan --out FILE"), str(saved))
        if reviewed is None:
            request = _request(target, replace, destroy)
        elif target or replace or destroy:
            raise InputError("a saved plan already says what it is for: --target, --replace and --destroy go with plan")
        else:
            request = _request(reviewed.targets, reviewed.replaced, reviewed.destroy)
        space = _workspace(
            org,
            project,
            quiet=quiet,
            verbose=verbose,
            allow=allow,
            allow_commands=allow_commands,
            fail_on=least,
            lock_timeout=wait,
        )
        if reviewed is None and not auto_approve and not resume:
            # Reading a large org takes minutes; what was approved before it was cut off is not asked for again.
            _refuse_unasked()
        with space.session() as session:
            result = apply.apply(session, request, saved=reviewed, resume=resume, confirm=confirm)
    code = outputs.emit(
        lambda colour: outcome.apply_result(result, colour=colour),
        lambda: documents.apply_result(result),
        lambda: report.of_apply(result),
        acted=True,
    )
    if result.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    error = apply.failed(result)
    if error is not None and result.unread:
        raise error
    raise typer.Exit(error.exit if error is not None else code)


@app.command()
def drift(
    against: Annotated[str, typer.Option("--against", help="baseline, or desired.", metavar="WHAT")] = "baseline",
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 2 from this severity on.", metavar="SEVERITY")
    ] = "low",
    since: Since = None,
    output: Output = [],
    as_json: AsJson = False,
    summary: Summary = False,
    record: RecordTo = None,
    replay: ReplayFrom = None,
    scrub: Scrub = [],
    scrub_key: ScrubKey = None,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Show what changed behind the files' back. Says how bad it is, and who did it; changes and proposes nothing."""
    from reconciler.engine import drift
    from reconciler.engine.session import refuse_unread
    from reconciler.overwriting import keep_apart
    from reconciler.render import report
    from reconciler.render.json import documents, earlier
    from reconciler.render.text import plain

    outputs, least = Outputs.of(output, as_json=as_json, whose=asked_about(org, project)), _severity(fail_on)
    if against not in ("baseline", "desired"):
        raise InputError(f"--against {against}: write baseline or desired")
    keep_apart(outputs, project, {"--record": record}, {"the recording": replay})
    with outputs.telling("drift", keep=since):
        before = _earlier(since, "drift")
        kept = recorded_to(record, replay, scrub, scrub_key)
        space = _workspace(
            org, project, quiet=quiet, verbose=verbose, allow_commands=allow_commands, record=kept, replay=replay
        )
        desired = None if against == "desired" else _sound(space, "drift is shown", "nothing counts as ignored")
        with space.session(desired=desired) as session:
            found = drift.drift(session, against=against)
        if before is not None:
            found = earlier.since(found, before)
    code = outputs.emit(
        lambda colour: plain.drift(found, colour=colour, summary=summary),
        lambda: documents.drift(found),
        lambda: report.of_drift(found),
    )
    refuse_unread(found, session.desired)
    raise typer.Exit(Exit.DIFFERENCES if _counted(found.findings, least) else code)


@app.command()
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
    output: Output = [],
    as_json: AsJson = False,
    summary: Summary = False,
    record: RecordTo = None,
    replay: ReplayFrom = None,
    scrub: Scrub = [],
    scrub_key: ScrubKey = None,
    allow_commands: AllowCommands = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    org: OrgName = None,
    project: ProjectFile = None,
) -> None:
    """Check the files alone: syntax, schema, references, rules. Asks no org, unless --live lets the rules judge one."""
    from datetime import UTC, datetime

    from reconciler.engine import check
    from reconciler.engine.session import refuse_unread
    from reconciler.overwriting import keep_apart
    from reconciler.render import report
    from reconciler.render.json import documents, earlier
    from reconciler.render.text import plain

    outputs, least = (
        Outputs.of(output, as_json=as_json, whose=asked_about(org, project)),
        _severity(fail_on or ("low" if live else "high")),
    )
    if secret_ages and not live:
        raise InputError("--secret-ages asks an org: it goes with --live")
    keep_apart(outputs, project, {"--record": record}, {"the recording": replay})
    with outputs.telling("check", keep=since):
        before = _earlier(since, "check")
        kept = recorded_to(record, replay, scrub, scrub_key, asks_org=live)
        space = _workspace(
            org, project, quiet=quiet, verbose=verbose, allow_commands=allow_commands, record=kept, replay=replay
        )
        if live:
            with space.session(desired=_sound(space, "the org is judged", "findings have no place")) as session:
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
    grave = _counted(found.findings, least)
    if live:
        raise typer.Exit(Exit.DIFFERENCES if grave else code)
    _stop(grave, least, ("has to be mended, or waived in reconciler.yaml", "have to be mended, or waived"))
    raise typer.Exit(code)


app.command()(verify)
app.command()(doctor)
app.command()(cassette)


@app.command()
def explain(
    name: Annotated[
        str, typer.Argument(help="A finding's id, Kind, Kind.field, a guard or an exit code.", metavar="NAME")
    ],
) -> None:
    """Explain a rule, a field, a guard or an exit code. Names its source."""
    from reconciler.render.explain import explain as explained

    say(explained(name))


@app.command()
def schema(
    name: Annotated[
        str, typer.Argument(help="plan, apply, drift, check, doctor, verify or error.", metavar="NAME")
    ] = "plan",
) -> None:
    """Print the JSON Schema of what a command writes as JSON."""
    from reconciler.render.json import schemas

    if name not in schemas.NAMES:
        raise InputError(Complaint(f"there is no schema called {name}", mend=f"one of: {', '.join(schemas.NAMES)}"))
    say(schemas.schema(name))


app.add_typer(baseline_app, name="baseline")
app.add_typer(mock_app, name="mock")


def _workspace(
    org: str | None,
    project: Path | None,
    *,
    quiet: bool,
    verbose: bool,
    allow: "Sequence[str]" = (),
    allow_commands: bool = False,
    fail_on: "Severity | None" = None,
    record: "Record | None" = None,
    replay: Path | None = None,
    lock_timeout: float = 0.0,
) -> "Workspace":
    from reconciler.schema.severity import Severity
    from reconciler.workspace import Choices, Workspace

    return Workspace.open(
        Choices(
            org,
            project,
            allow=tuple(allow),
            allow_commands=allow_commands,
            fail_on=Severity.HIGH if fail_on is None else fail_on,
            record=record,
            replay=replay,
            quiet=quiet,
            verbose=verbose,
            lock_timeout=lock_timeout,
        )
    )


def _sound(space: "Workspace", still: str, but: str) -> "Snapshot":
    """The files, for places and ignored fields. An org's state does not depend on them: broken ones must not silence it."""
    from reconciler.model.declared import Snapshot

    if not space.project.desired.is_dir():
        return Snapshot({})
    try:
        return space.desired()
    except InputError as broken:
        _complain(broken)
        sys.stderr.write(f"the files are left aside: {still} without their lines, and {but}\n")
        return Snapshot({})


def _counted(findings: "Sequence[Finding]", least: "Severity") -> int:
    return sum(finding.counts and finding.severity >= least for finding in findings)


def _stop(number: int, least: "Severity", words: tuple[str, str]) -> None:
    """End with the code for broken rules, if there are any. `words`: what one does, and what several do."""
    if number:
        one, many = words
        told = f"1 finding of severity {least} or worse {one}" if number == 1 else f"{number} findings … {many}"
        sys.stderr.write(f"{told.replace('…', f'of severity {least} or worse')}\n")
        raise typer.Exit(Exit.BAD_INPUT)


def _request(target: "Sequence[str]", replace: "Sequence[str]", destroy: bool) -> "Request":
    from reconciler.engine.baseline import typed_address as address
    from reconciler.model.request import Request

    return Request(tuple(address(t) for t in target), frozenset(address(r) for r in replace), destroy)


def _earlier(since: Path | None, command: str) -> "Earlier | None":
    if since is None:
        return None
    from reconciler.render.json.earlier import read_report

    return read_report(read(since, f"make one with: reconciler {command} --output json=FILE"), str(since), command)


def _severity(text: str) -> "Severity":
    from reconciler.schema.severity import Severity

    try:
        return Severity.parse(text)
    except ValueError as wrong:
        raise InputError(f"--fail-on: {wrong}") from None


def _whose(org: "OrgInfo") -> str:
    """`prod (Acme, 00D…)`."""
    from reconciler.render.words.safe import line

    own = ", ".join(line(part) for part in (org.name, org.id) if part)
    return f"{line(org.alias)} ({own})" if org.alias else own


def _refuse_unasked() -> None:
    """Raise RefusedError where there is no terminal to ask on."""
    if not _somebody_is_there():
        raise RefusedError(
            Complaint(
                "there is no terminal to ask on", mend="apply a saved plan, or say --auto-approve; nothing was changed"
            )
        )


def _asked(shown: str, question: str) -> bool:
    _refuse_unasked()
    _forget_typed()
    sys.stderr.write(f"{redacted(shown)}\n{question} Only `yes` is accepted: ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip() == "yes"
    except (OSError, ValueError):
        # The terminal is gone, or what was typed is no text.
        return False
    except KeyboardInterrupt:
        # What is said next begins on a line of its own.
        sys.stderr.write("\n")
        raise


def _forget_typed() -> None:
    """What was typed before the question is no answer to it."""
    try:
        import termios
    except ImportError:
        # Windows: there is no such queue.
        return
    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except (OSError, ValueError, termios.error):
        # Not a terminal of the system's own, or it has just gone: reading from it says which.
        return


def _somebody_is_there() -> bool:
    """Whether there is a terminal to ask on. Python has no standard input at all where it was closed before the start."""
    try:
        return sys.stdin is not None and sys.stdin.isatty() and not lost(sys.stderr)
    except ValueError:
        return False


def main() -> None:
    """Run one command. The only place where errors become text and exit codes."""
    # One command, then the process ends: looking for cycles costs a third of a large plan and frees nothing.
    gc.disable()
    begin()
    take_over()
    sys.excepthook = _unexpected
    # CI runners end a job with SIGTERM, a terminal that is closed with SIGHUP: an apply then cancels its deployment, as
    # with Ctrl-C. Who started us with `nohup` meant us to go on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    code = _run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Nor does the interpreter need to look for them when it ends.
    gc.freeze()
    sys.exit(code)


def _unexpected(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    """What nobody foresaw is our defect; its traceback is for us, not for the user."""
    if os.environ.get("RECONCILER_DEBUG"):
        import traceback

        sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))
        return
    from reconciler.render.words.safe import line

    # Cut off afterwards: the beginning of a secret is harder to find than the whole.
    message = line(redacted(f"{kind.__name__}: {error}"), 500)
    mend = files.of_the_machine(error) or "this is a defect of ours; RECONCILER_DEBUG=1 shows where"
    sys.stderr.write(f"unexpected error: {message}\n  mend: {mend}\n")


COMPLETING = "_RECONCILER_COMPLETE"
"""The variable by which a shell asks for completions."""


def _run(arguments: "Sequence[str]") -> int:
    command = typer.main.get_command(app)
    try:
        prefer_ours()
        # A shell that completes says elsewhere what was typed.
        words = list(arguments) if COMPLETING in os.environ else arranged(command, arguments, os.environ)
        code = int(command.main(words, prog_name="reconciler", standalone_mode=False) or 0)
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
    if not message or message.startswith(("Usage:", "Missing command")):
        # No command at all: what there is, is the answer.
        return InputError(Complaint("which command?", mend=f"one of:\n{_commands(context)}"))
    return InputError(Complaint(message.rstrip("."), mend=f"{command} --help shows what there is"))


def _commands(context: "typer.Context | None") -> str:
    """The commands there are behind what was typed, a line each."""
    known = getattr(context.command if context is not None else typer.main.get_command(app), "commands", {})
    shown = {name: one for name, one in known.items() if not one.hidden}
    width = max(map(len, shown), default=0)
    return "\n".join(f"{name:{width}}  {one.get_short_help_str(90)}" for name, one in shown.items())


def _complain(error: ReconcilerError) -> int:
    from reconciler.render.text import complaints

    # Where nobody reads standard error, it is told on standard output, unless a result stands there already.
    silent = lost(sys.stderr) and not getattr(sys.stdout, "used", False)
    stream = sys.stdout if silent else sys.stderr
    stream.write(redacted(complaints.complaints(error, colour=colour(stream))))
    return error.exit
