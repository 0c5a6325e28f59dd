"""Asks a person for a yes, where there is a terminal to ask on."""

import sys
from typing import TYPE_CHECKING

from reconciler.cli.streams import lost
from reconciler.errors import Complaint, RefusedError
from reconciler.redaction import redacted

if TYPE_CHECKING:
    from reconciler.model.live import OrgInfo


def org_in_words(org: "OrgInfo") -> str:
    """The org as a question names it: `prod (Acme, 00D…)`."""
    from reconciler.render.words.safe import line

    own = ", ".join(line(part) for part in (org.name, org.id) if part)
    return f"{line(org.alias)} ({own})" if org.alias else own


def refuse_unasked() -> None:
    """Raise RefusedError where there is no terminal to ask on."""
    if not has_terminal():
        raise RefusedError(
            Complaint(
                "there is no terminal to ask on", mend="apply a saved plan, or say --auto-approve; nothing was changed"
            )
        )


def is_confirmed(shown: str, question: str) -> bool:
    refuse_unasked()
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
    """Throw away what was typed before the question was asked: it is no answer to it."""
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


def has_terminal() -> bool:
    """Whether there is a terminal to ask on. Python has no standard input at all where it was closed before the start."""
    try:
        return sys.stdin is not None and sys.stdin.isatty() and not lost(sys.stderr)
    except ValueError:
        return False
