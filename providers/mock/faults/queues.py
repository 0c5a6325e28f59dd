"""Faults of deployments and retrieves: decided when the job starts, seen by the clients that poll it."""

from __future__ import annotations

from typing import Annotated

from providers.mock.faults.calls import Answer, Call, Missed
from providers.mock.faults.kinds import DEPLOYS, STARTS_A_JOB, Between, fault
from providers.mock.metadata import jobs

_FAMILY = "Deployments and retrieves"


def _fated(call: Call, fate: jobs.Fate) -> Answer:
    with jobs.fated(fate):
        answer = call.answer()
        # A call that was refused started nothing.
        if jobs.awaits_a_job():
            raise Missed(answer)
    return answer


@fault(_FAMILY, STARTS_A_JOB)
def standing_queue(call: Call, *, polls: Annotated[int | None, Between(1, 100_000)] = None) -> Answer:
    """The job that this call starts stays Pending for so many polls, or for ever; a deployment keeps those behind it
    waiting.
    """
    return _fated(call, jobs.Fate(("Pending",) * (polls or 1), for_ever=polls is None))


@fault(_FAMILY, STARTS_A_JOB)
def never_ends(call: Call) -> Answer:
    """The job that this call starts is InProgress for ever. A deployment can still be cancelled."""
    return _fated(call, jobs.Fate(("InProgress",), for_ever=True))


@fault(_FAMILY, DEPLOYS)
def cancelled_by_org(call: Call, *, polls: Annotated[int, Between(0, 100_000)] = 1) -> Answer:
    """The deployment is InProgress for so many polls, and then Canceled though no client asked for that."""
    return _fated(call, jobs.Fate(("InProgress",) * polls, end="canceled"))


@fault(_FAMILY, DEPLOYS)
def restarted_by_org(call: Call, *, polls: Annotated[int, Between(1, 100_000)] = 1) -> Answer:
    """The deployment is InProgress for so many polls, then Pending again, as after an upgrade of the service, and then
    it runs from the beginning.
    """
    return _fated(call, jobs.Fate((*("InProgress",) * polls, "Pending")))


@fault(_FAMILY, DEPLOYS)
def locked_row(call: Call, *, component: str = "") -> Answer:
    """The deployment fails, and nothing lands: one component, the first or the one of that full name, says
    UNABLE_TO_LOCK_ROW.
    """
    return _fated(call, jobs.Fate(end="locked", component=component))
