"""References to secrets: reads them from files, and finds the value behind one at the last moment before it is sent."""

import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from reconciler import files
from reconciler.errors import Complaint, InputError
from reconciler.files import FileError
from reconciler.redaction import hold
from reconciler.schema.values import SecretRef
from reconciler.yaml.source import is_variable

MAX_SECRET = 100_000
"""Bytes. A PEM key with its whole chain is a tenth of it."""
COMMAND_SECONDS = 30.0

_SOURCES = ("env", "file", "command")


class NoReferenceError(ValueError):
    """A value is no reference to a secret. The message never quotes the value: it may be the secret itself."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message, self.mend = message, mend


def reference(name: str, value: Any, *, root: Path, allow_commands: bool) -> SecretRef:
    """Read `{secret: {env: VARIABLE}}`, `{secret: {file: path}}` or `{secret: {command: [program, argument]}}`.

    `name` is the field, for the messages. A file lies inside of `root`, symbolic links followed; it need not exist yet.
    Raises NoReferenceError.
    """
    form = f"write a reference: {name}: {{secret: {{env: VARIABLE}}}}"
    if not isinstance(value, dict) or list(value) != ["secret"]:
        raise NoReferenceError(f"{name} is a secret and cannot stand in a file", form)
    inner = value["secret"]
    if not isinstance(inner, dict) or len(inner) != 1 or next(iter(inner)) not in _SOURCES:
        raise NoReferenceError(f"{name}: a secret comes from one of env, file and command", form)
    ((source, target),) = inner.items()
    if source == "command":
        if not isinstance(target, list) or not target or not all(isinstance(part, str) and part for part in target):
            raise NoReferenceError(f"{name}: a command is a list of texts", "write command: [program, argument]")
        if not allow_commands:
            raise NoReferenceError(
                f"{name}: commands are not run unless they are allowed",
                "pass --allow-commands if you trust these files, or use env or file",
            )
        return SecretRef("command", tuple(target))
    if not isinstance(target, str) or not target:
        raise NoReferenceError(f"{name}: {source} must be a text", form)
    if source == "env":
        if not is_variable(target):
            raise NoReferenceError(f"{name}: this is not the name of an environment variable", form)
        return SecretRef("env", target)
    if (problem := _outside(target, root)) is not None:
        raise NoReferenceError(f"{name}: {problem}", "put the file into the project folder, by a relative path")
    return SecretRef("file", target)


def _outside(target: str, root: Path) -> str | None:
    """Return why a secret's file may not be read (it is outside of the project), or `None`."""
    if "\x00" in target or "\\" in target or ":" in target:
        return "the path of a secret's file holds a character that it must not hold"
    if PurePosixPath(target).is_absolute():
        return f"the path {target!r} is absolute"
    try:
        inside = (root / target).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return f"the path {target!r} leads nowhere"
    return None if inside else f"the path {target!r} leads out of the project folder"


def secret_value(ref: SecretRef, *, root: Path, environment: Mapping[str, str], allow_commands: bool) -> str:
    """Return the secret that a reference points to, without the line break at its end.

    Raises InputError that says where it was looked for, never what was found.
    """
    if ref.source == "command":
        value = _output_of(ref, allow_commands)
    elif ref.source == "env":
        name = str(ref.target)
        if name not in environment:
            raise _error(f"the environment variable {name} is not set", "set it where this runs")
        value = environment[name]
    else:
        value = _decoded(_content_of(str(ref.target), root), f"the file {ref.target}")
    # The mark that PowerShell and some editors put before a text; a secret from the environment may carry it along.
    value = value.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
    if not value:
        raise _error(f"the secret from {ref.source} {_target(ref)} is empty", "put the secret there")
    return hold(value)


def _error(message: str, mend: str) -> InputError:
    return InputError(Complaint(message, mend=mend))


def _target(ref: SecretRef) -> str:
    # Arguments of a command may be sensitive themselves.
    return ref.target if isinstance(ref.target, str) else ref.target[0]


def _decoded(data: bytes, what: str) -> str:
    if len(data) > MAX_SECRET:
        raise _error(f"{what} holds more than {MAX_SECRET:,} bytes, which is no secret", "check what it is")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error(f"{what} is UTF-16, not UTF-8", "save it as UTF-8 (Windows PowerShell's > writes UTF-16)")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _error(f"{what} holds no UTF-8 text", "check what it is") from None


def _content_of(target: str, root: Path) -> bytes:
    # Looked at again: the file may have become a link since the reference was read.
    if (problem := _outside(target, root)) is not None:
        raise _error(problem, "put the file into the project folder")
    path = (root / target).resolve()
    try:
        return files.read(path, MAX_SECRET)
    except FileError as wrong:
        near = files.nearest(root / target) if wrong.missing else ""
        mend = "; ".join(part for part in (wrong.mend or "put the secret there", near) if part)
        raise _error(f"the file {target} {wrong.problem}", mend) from None


def _output_of(ref: SecretRef, allow_commands: bool) -> str:
    program = _target(ref)
    if not allow_commands:
        raise _error(
            f"a secret comes from the command {program}, and commands are not run unless they are allowed",
            "pass --allow-commands if you trust these files",
        )
    try:
        done = subprocess.run(  # no shell; standard error goes to the user, who may have to be asked for a PIN
            list(ref.target), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _error(
            f"the command {program} gave no secret within {COMMAND_SECONDS:.0f} seconds", "run it by hand to see why"
        ) from None
    except (OSError, ValueError):
        raise _error(f"the command {program} cannot be run", "check its name and permissions") from None
    if done.returncode != 0:
        raise _error(f"the command {program} failed with exit code {done.returncode}", "run it by hand to see why")
    return _decoded(done.stdout, f"the output of {program}")
