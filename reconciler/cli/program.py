"""The command line: arguments in, text and an exit code out. No logic; heavy imports happen inside the commands."""

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler import __version__, files
from reconciler.cli.apply import apply
from reconciler.cli.arguments import arranged
from reconciler.cli.baseline import baseline_app
from reconciler.cli.cassette import cassette
from reconciler.cli.check import check
from reconciler.cli.compare import compare
from reconciler.cli.complaining import complain
from reconciler.cli.doctor import doctor
from reconciler.cli.drift import drift
from reconciler.cli.explain import explain, schema
from reconciler.cli.fmt import fmt
from reconciler.cli.init import init
from reconciler.cli.mock import mock_app
from reconciler.cli.options import (
    Asked,
    Shown,
    grouped,
)
from reconciler.cli.output import say
from reconciler.cli.own_providers import prefer_ours
from reconciler.cli.plan import plan
from reconciler.cli.pull import pull
from reconciler.cli.streams import take_over
from reconciler.cli.verify import verify
from reconciler.errors import Complaint, Exit, InputError, ReconcilerError
from reconciler.redaction import begin, redacted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType


app = typer.Typer(
    help="Plan, apply and watch the identity configuration of Salesforce orgs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"reconciler {__version__}\n")
        raise typer.Exit


@app.callback()
@grouped
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    shown: Shown = Shown(),
    asked: Asked = Asked(),
) -> None:
    """Plan, apply and watch the identity configuration of Salesforce orgs."""
    # Options before the command are handed to the command: `arguments.arranged`.


@app.command("version", hidden=True)
def print_version() -> None:
    """Print the version."""
    _version(True)


for command in (init, plan, apply, drift, pull, compare, check, fmt, verify, doctor, cassette, explain, schema):
    app.command()(command)
app.add_typer(baseline_app, name="baseline")
app.add_typer(mock_app, name="mock")


def main() -> None:
    """Run one command. The only place where errors become text and exit codes."""
    # One command, then the process ends: looking for cycles costs a third of a large plan and frees nothing.
    gc.disable()
    begin()
    take_over()
    sys.excepthook = unexpected
    # CI runners end a job with SIGTERM, a terminal that is closed with SIGHUP: an apply then cancels its deployment, as
    # with Ctrl-C. Who started us with `nohup` meant us to go on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Nor does the interpreter need to look for them when it ends.
    gc.freeze()
    sys.exit(code)


def unexpected(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    """Report an error that we did not raise on purpose: one line and a mend, no traceback (RECONCILER_DEBUG=1 shows it)."""
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


def run(arguments: "Sequence[str]") -> int:
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
        return complain(_usage_error(wrong))
    except ReconcilerError as error:
        return complain(error)
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
    """The commands that can follow what was typed, one line each."""
    known = getattr(context.command if context is not None else typer.main.get_command(app), "commands", {})
    shown = {name: one for name, one in known.items() if not one.hidden}
    width = max(map(len, shown), default=0)
    return "\n".join(f"{name:{width}}  {one.get_short_help_str(90)}" for name, one in shown.items())
