"""Every error that we raise on purpose. One handler in `cli` turns them into a message and an exit code.

ReconcilerError                 exit 1
├── InputError                  exit 3   many problems of files or usage, reported together
├── RefusedError                exit 4   a guard, a stale or altered plan, the wrong org, a lock that is taken, no baseline
├── NotAllowedError             exit 5   login or permission
├── UnreachableError            exit 1   the org does not answer, or not as an org answers
├── DeploymentError             exit 6   a deployment failed: each step landed, not landed or unknown
├── NotConvergedError           exit 7   applied, but the second plan is not empty
└── MisbehavedError             exit 7   a flow that `verify` ran did not do what the configuration promises
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """The exit codes of the command, each with one meaning."""

    OK = 0
    FAILED = 1
    DIFFERENCES = 2
    BAD_INPUT = 3
    REFUSED = 4
    NOT_ALLOWED = 5
    APPLY_FAILED = 6
    NOT_CONVERGED = 7
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file. Line and column count from 1; 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0
    snippet: str = ""
    """The source line, if it could be read."""

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong: where, what, and what to do about it."""

    message: str
    place: Place | None = None
    mend: str = ""
    also: Place | None = None
    """A second place, where the same thing is written twice."""
    quote: str = ""
    """Salesforce's own text, verbatim."""


class ReconcilerError(Exception):
    """The base class of all errors that we raise on purpose. `complaints` is what a person sees."""

    exit: Exit = Exit.FAILED

    def __init__(self, *complaints: Complaint | str) -> None:
        self.complaints: Sequence[Complaint] = tuple(Complaint(c) if isinstance(c, str) else c for c in complaints)
        super().__init__("; ".join(c.message for c in self.complaints))


class InputError(ReconcilerError):
    """Files, project file or usage are wrong; all complaints of the run together."""

    exit = Exit.BAD_INPUT


class RefusedError(ReconcilerError):
    """We refuse what could be done, until the user allows it by name or the reason goes away."""

    exit = Exit.REFUSED


class NotAllowedError(ReconcilerError):
    """The org does not let us: login, permission, or a kind that could not be read."""

    exit = Exit.NOT_ALLOWED


class UnreachableError(ReconcilerError):
    """The org does not answer, or does not answer as an org does."""


class DeploymentError(ReconcilerError):
    """A deployment failed. The engine says of each step whether it landed."""

    exit = Exit.APPLY_FAILED


class NotConvergedError(ReconcilerError):
    """Every step was deployed, and still a second plan is not empty."""

    exit = Exit.NOT_CONVERGED


class MisbehavedError(ReconcilerError):
    """The org let a flow through that the configuration refuses, or refused one that the configuration promises."""

    exit = Exit.NOT_CONVERGED


def suggestion(word: str, known: Any, *, every: bool = False) -> str:
    """Return "did you mean X?" if a known word is similar; else all known words if `every` is set, else an empty text."""
    from difflib import get_close_matches

    words = [str(w) for w in known]
    lower = {w.casefold(): w for w in words}
    near = get_close_matches(word.casefold(), lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {lower[near[0]]}?"
    return "one of: " + ", ".join(words) if every and words else ""
