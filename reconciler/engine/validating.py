"""Lets an org validate a plan without carrying it out."""

from collections.abc import Sequence

from reconciler.engine.deploying import cancelled, deploy
from reconciler.engine.session import Session
from reconciler.errors import (
    Complaint,
    InputError,
)
from reconciler.model.changes import Plan
from reconciler.model.declared import Snapshot
from reconciler.model.deployment import Deployed, Sent
from reconciler.plan.failures import explained


def validate(session: Session, plan: Plan) -> tuple[Deployed, ...]:
    """Let the org validate each step without carrying it out. Stops at the first that fails."""
    found: list[Deployed] = []
    for step in plan.steps:
        session.progress(f"validating {len(step.components)} components")
        sent: list[Sent | None] = []
        try:
            done = deploy(session, step, check_only=True, secret=session.secret, started=sent.append)
        except KeyboardInterrupt:
            if sent and sent[-1] is not None:
                cancelled(session, sent[-1])
            raise
        found.append(done)
        if not done.success:
            break
    return tuple(found)


def check(validated: Sequence[Deployed], made: Plan, desired: Snapshot) -> None:
    """Raise InputError with everything that the org objected to in a validation: the files are what has to change."""
    complaints = []
    for done, step in zip(validated, made.steps, strict=False):
        for failure in explained(done.failures, step, desired):
            where = str(failure.address or f"{failure.kind}/{failure.record}")
            complaints.append(Complaint(f"the org would refuse {where}", failure.place, quote=failure.problem))
        if not done.success and not done.failures:
            complaints.append(Complaint("the org would refuse the deployment", quote=done.error or done.status))
    if complaints:
        raise InputError(*complaints)
