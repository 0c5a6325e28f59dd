"""Plan, apply, drift, check: the only place where things happen in order. What is decided is decided elsewhere, on values.

`session` is one run and how an org is read, `planning` and `applying` change an org, `looking` never does.
"""

from reconciler.engine.applying import apply, check, failed, validate
from reconciler.engine.examining import examine
from reconciler.engine.looking import check_files, check_org, drift, refuse_unread
from reconciler.engine.planning import plan, stopping
from reconciler.engine.session import Baselines, Session, read
from reconciler.engine.verifying import verify

__all__ = [
    "Baselines",
    "Session",
    "apply",
    "check",
    "check_files",
    "check_org",
    "drift",
    "examine",
    "failed",
    "plan",
    "read",
    "refuse_unread",
    "stopping",
    "validate",
    "verify",
]
