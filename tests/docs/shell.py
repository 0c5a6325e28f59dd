"""Blocks for a shell, run or taken apart: what is ours runs, what others made is a stand-in that notes how it was called."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import typer

from reconciler.cli.arguments import arranged
from reconciler.cli.program import app
from tests import warm

OTHERS = ("make", "pipx", "uv", "pip", "gh", "sf", "jq", "python", "openssl")
"""Programs that a block may call, and that are not ours. Any other one that is missing makes the block fail."""
_STAND_IN = """#!/bin/sh
{ printf '%s' "${0##*/} $*" | tr '\\n' ' '; echo; } >> "$CALLS"
exec 2> /dev/null
[ -x "$ANSWERS/${0##*/}" ] && exec "$ANSWERS/${0##*/}" "$@"
exit 0
"""


@dataclass(frozen=True)
class Ran:
    """What became of a block."""

    code: int
    out: str
    err: str
    calls: tuple[str, ...]
    """How programs of others were called, in their order."""


def lines_typed(text: str) -> str:
    """Of a console block the lines after the prompt; of a script all."""
    prompted = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    return "\n".join(prompted) if prompted else text


def run(
    script: str, folder: Path, answers: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None
) -> Ran:
    """Run it as a CI runner would, with the stand-ins first on the path. What it left running is ended with it.

    `answers` are what stand-ins do besides noting their call: name -> a shell script.
    """
    tools, own = folder.parent / "stand-ins", folder.parent / "answers"
    tools.mkdir(exist_ok=True)
    own.mkdir(exist_ok=True)
    calls = folder.parent / "calls"
    calls.write_text("", encoding="utf-8")
    for name in OTHERS:
        _program(tools / name, _STAND_IN)
    for file in own.iterdir():
        file.unlink()
    for name, does in (answers or {}).items():
        _program(own / name, f"#!/bin/sh\n{does}\n")
    path = os.pathsep.join([str(tools), str(warm.folder()), str(Path(sys.executable).parent), os.environ["PATH"]])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RECONCILER_", "GITHUB_", "SF_", "CI_"))}
    environ = {**inherited, "PATH": path, "CALLS": str(calls), "ANSWERS": str(own), "HOME": str(folder), **(env or {})}
    process = subprocess.Popen(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environ,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        # What was left in the background holds the pipes open: it is ended before they are read to their end.
        process.wait(timeout=240)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return Ran(process.returncode, out, err, tuple(calls.read_text(encoding="utf-8").splitlines()))


def is_shell(script: str) -> None:
    """Raises AssertionError with bash's own words."""
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert ("", 0) == (checked.stderr, checked.returncode), script


def commands(script: str) -> Iterator[list[str]]:
    """The words of each `reconciler …` in a script."""
    joined = script.replace("\\\n", " ")
    for line in re.sub(r"\s\d?>>?\s*(?:&\d|\S+)", "", joined).splitlines():
        for part in re.split(r"\$\(|[|;&)]+|\|\|", line):
            if not re.match(r"\s*reconciler\b", part):
                continue
            words = shlex.split(part, comments=True)
            yield words[1:]


def parsed(words: list[str]) -> None:
    """Raises what the real command line raises for an unknown command, option or value, and runs nothing."""
    command = typer.main.get_command(app)
    with suppress(typer.Exit):  # --help and --version have all that they need
        context = command.make_context("reconciler", arranged(command, list(words), {}))
        while rest := [*context._protected_args, *context.args]:
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, rest, parent=context)
            if not hasattr(command, "resolve_command"):
                return


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
