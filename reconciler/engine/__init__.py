"""Plan, apply, drift, check: the only place where things happen in order. What is decided is decided elsewhere, on values.

`session` is one run and how an org is read, `planning` and `applying` change an org, `looking` never does. `examining` and
`verifying` are imported by the one command that needs each: they would make every plan start later.
"""

from reconciler.engine.applying import apply, check, failed, validate
from reconciler.engine.looking import check_files, check_org, drift, refuse_unread
from reconciler.engine.planning import plan, stopping
from reconciler.engine.session import Baselines, Session, read

__all__ = [
    "Baselines",
    "Session",
    "apply",
    "check",
    "check_files",
    "check_org",
    "drift",
    "failed",
    "plan",
    "read",
    "refuse_unread",
    "stopping",
    "validate",
]
