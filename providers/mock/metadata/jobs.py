"""Asynchronous jobs: deployments and retrieves that a client starts, polls and may cancel.

Nothing runs in the background. A status call moves the oldest open deployment on by one poll, and with its last poll
carries it out; deployments behind it stay Pending, since an org runs one at a time. Any other call
first lets deployments finish that have no polls left, so that a deployment no one polls still happens.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from providers.mock.metadata.deploy import DeployOptions, Report, run
from providers.mock.metadata.retrieve import Parcel, Request, retrieve
from providers.mock.state.errors import Fault
from providers.mock.state.world import World

_KEPT_ZIPS = 8
_OPEN = "('Pending', 'InProgress', 'Canceling')"
_UNEXPECTED = "UNKNOWN_EXCEPTION"
_PREFIX = {"deploy": "0Af", "retrieve": "09S"}


@dataclass(slots=True)
class Fate:
    """How a job behaves other than usual. Decided when the job starts, and stored with it.

    `shows` are the statuses that its first polls find, in turn; then it goes on as usual, unless `for_ever` has the last
    of them stay. `end` is what happens instead of carrying a deployment out: the org cancels it ("canceled"), or one
    component (`component`, its full name, or the first) is locked by another user ("locked").
    """

    shows: tuple[str, ...] = ()
    for_ever: bool = False
    end: str = ""
    component: str = ""

    def dump(self) -> str:
        return json.dumps(asdict(self))


_next: ContextVar[Fate | None] = ContextVar("next", default=None)
_LOCKED = "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record or 1 records"


@contextmanager
def fated(fate: Fate) -> Iterator[None]:
    """Give `fate` to the job that this thread starts inside the block; to the first, if there are several."""
    before = _next.set(fate)
    try:
        yield
    finally:
        _next.reset(before)


def awaits_a_job() -> bool:
    """Whether this thread is inside a `fated` block and no job has started there yet."""
    return _next.get() is not None


def _fate(row: sqlite3.Row) -> Fate:
    try:
        return Fate(**json.loads(row["fate"])) if row["fate"] else Fate()
    except (ValueError, TypeError):
        # Of another version of the mock org: a job must not stand in the queue for what cannot be read of it.
        return Fate()


def options_of(row: sqlite3.Row) -> DeployOptions:
    """Return the options that a deployment was started with."""
    try:
        return DeployOptions(**json.loads(row["options"]))
    except (ValueError, TypeError):
        # Of another version; to change nothing is the safe reading.
        return DeployOptions(checkOnly=True)


@contextmanager
def _one_job(world: World) -> Iterator[list[str]]:
    """Keep an error inside the block to this one job: undo what the block did and put the error into the yielded list.

    Whatever a client sent, it must not keep the jobs behind its own waiting. The trace goes to stderr, since an error
    that no check foresaw is a defect of the mock org.
    """
    wrong: list[str] = []
    user = world.user_id
    world.db.execute("SAVEPOINT job")
    try:
        yield wrong
    except Exception as error:
        if not world.db.in_transaction:
            # The file itself is broken or full: not this job's fault, and there is nowhere to write it down.
            raise
        traceback.print_exception(error, file=sys.stderr)
        world.db.execute("ROLLBACK TO job")
        world.user_id = user
        # The sentence of an org; the number is ours, and the same for the same error.
        number = zlib.crc32(repr(error).encode("utf-8", "replace"))
        wrong.append(f"An unexpected error occurred. Please include this ErrorId if you contact support: {number}")
    world.db.execute("RELEASE job")


def _shown(row: sqlite3.Row, polls: int) -> str | None:
    """Return the status that a poll sees while the job is not due, else None; usually it is due after `polls` polls."""
    fate, poll = _fate(row), int(row["polls"])
    if poll < len(fate.shows) or fate.for_ever:
        return fate.shows[min(poll, len(fate.shows) - 1)]
    poll -= len(fate.shows)
    if poll < polls:
        return "InProgress" if poll or polls == 1 or row["what"] == "retrieve" else "Pending"
    return None


def start_deploy(world: World, data: bytes, options: DeployOptions) -> str:
    """Queue a deployment and return its id."""
    return _start(world, "deploy", json.dumps(asdict(options)), data)


def start_retrieve(world: World, request: Request) -> str:
    """Queue a retrieve and return its id."""
    return _start(world, "retrieve", json.dumps(asdict(request)), None)


def _start(world: World, what: str, options: str, data: bytes | None) -> str:
    job = world.new_id(_PREFIX[what])
    fate = _next.get()
    _next.set(None)
    world.db.execute(
        "INSERT INTO job (id, what, user, created_at, status, options, zip, fate) VALUES (?,?,?,?,'Pending',?,?,?)",
        (job, what, world.user_id, world.now, options, data, fate.dump() if fate else None),
    )
    return job


def start_quick_deploy(world: World, validation: str) -> str:
    """Deploy what `validation` validated: in this org, with tests, successfully, in the last ten days."""
    row = _find(world.db, "deploy", validation)
    options = options_of(row)
    fresh = row["completed_at"] and _moment(world.now) - _moment(row["completed_at"]) <= timedelta(days=10)
    # Salesforce's sentence for a validation that cannot be used is not in our sources.
    if row["status"] != "Succeeded" or not options.checkOnly or not fresh or options.testLevel == "NoTestRun":
        raise Fault("INVALID_ID_FIELD", f"{validation} is not a validation that can be deployed quickly")
    quick = {**asdict(options), "checkOnly": False}
    return _start(world, "deploy", json.dumps(quick), row["zip"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _find(db: sqlite3.Connection, what: str, job: str) -> sqlite3.Row:
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM job WHERE what = ? AND (id = ? OR substr(id, 1, 15) = ?)", (what, job, job)
    ).fetchone()
    if found is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {job}", 404)
    return found


def what_is(db: sqlite3.Connection, job: str) -> str:
    """Return what a job is, "deploy" or "retrieve"; raises `Fault` for an unknown id."""
    found = db.execute("SELECT what FROM job WHERE id = ? OR substr(id, 1, 15) = ?", (job, job)).fetchone()
    if found is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {job}", 404)
    return str(found["what"])


def unfinished(db: sqlite3.Connection) -> bool:
    """Whether any deployment is unfinished: a cheap check before `settle`."""
    return db.execute(f"SELECT 1 FROM job WHERE what = 'deploy' AND status IN {_OPEN} LIMIT 1").fetchone() is not None  # noqa: S608


def settle(world: World) -> None:
    """Carry out deployments that have no polls left."""
    while (head := _head(world.db)) is not None and _shown(head, world.switches.deploy_polls) is None:
        _finish(world, head)


def poll_deploy(world: World, job: str) -> sqlite3.Row:
    """Advance the queue of deployments by one poll and return the row of `job`."""
    row = _find(world.db, "deploy", job)
    while row["status"] in {"Pending", "InProgress", "Canceling"}:
        head = _head(world.db)
        if head is None:
            break
        status = _shown(head, world.switches.deploy_polls)
        if head["status"] != "Canceling" and status is not None:
            started = world.now if status == "InProgress" else None
            world.db.execute(
                "UPDATE job SET polls = polls + 1, status = ?, started_at = coalesce(started_at, ?) WHERE number = ?",
                (status, started, head["number"]),
            )
            break
        _finish(world, head)
        row = _find(world.db, "deploy", job)
    return _find(world.db, "deploy", job)


def _head(db: sqlite3.Connection) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        f"SELECT * FROM job WHERE what = 'deploy' AND status IN {_OPEN} ORDER BY number LIMIT 1"  # noqa: S608
    ).fetchone()
    return found


def _finish(world: World, row: sqlite3.Row) -> None:
    options = options_of(row)
    fate = _fate(row)
    if row["status"] == "Canceling" or fate.end == "canceled":
        report = Report(status="Canceled")
    else:
        poller, report = world.user_id, Report(status="Failed")
        with _one_job(world) as wrong:
            world.user_id = row["user"]
            locked = fate.end == "locked"
            report = run(world, row["zip"] or b"", replace(options, checkOnly=True) if locked else options)
            if locked:
                _lock(report, fate.component)
        if wrong:
            text = f"{_UNEXPECTED}: {wrong[0]}"
            report = Report(status="Failed", errorMessage=text, errorStatusCode=_UNEXPECTED)
        world.user_id = poller
    keep = options.checkOnly and report.status == "Succeeded"
    world.db.execute(
        "UPDATE job SET status = ?, started_at = coalesce(started_at, ?), completed_at = ?, result = ?, zip = ?"
        " WHERE number = ?",
        (report.status, world.now, world.now, json.dumps(report.dump()), row["zip"] if keep else None, row["number"]),
    )


def _lock(report: Report, component: str) -> None:
    """Refuse one component of a deployment, which then changes nothing: another process holds its row."""
    report.messages = [each for each in report.messages if each.fullName != "package.xml"]
    for message in report.messages:
        if message.fullName == component or not component:
            message.success, message.changed, message.created, message.deleted = False, False, False, False
            message.problem, message.problemType = _LOCKED, "Error"
            report.status = "Failed"
            break


def cancel(world: World, job: str) -> bool:
    """Ask a deployment to stop; return whether it already has. What is finished cannot be canceled."""
    row = _find(world.db, "deploy", job)
    if row["status"] not in {"Pending", "InProgress", "Canceling"}:
        raise Fault("INVALID_ID_FIELD", f"Deployment already completed: {job}")
    status = "Canceling" if row["status"] == "InProgress" else "Canceled"
    done = status == "Canceled"
    report = json.dumps({**Report(status="Canceled").dump(), "canceled_by": world.user_id})
    world.db.execute(
        "UPDATE job SET status = ?, completed_at = ?, result = ?, zip = NULL WHERE number = ?",
        (status, world.now if done else None, report if done else None, row["number"]),
    )
    return done


def deploy_result(db: sqlite3.Connection, row: sqlite3.Row, *, details: bool) -> dict[str, Any]:
    """Return the WSDL's DeployResult, its fields in the WSDL's order; None is an element that is absent."""
    options = options_of(row)
    report: dict[str, Any] = json.loads(row["result"]) if row["result"] else {}
    people = {each["id"]: each["name"] for each in db.execute("SELECT id, name FROM user")}
    messages: list[dict[str, Any]] = report.get("messages", [])
    counted = [each for each in messages if each["fullName"] != "package.xml"]
    failed = sum(not each["success"] for each in counted)
    done = row["status"] not in {"Pending", "InProgress", "Canceling"}
    canceled = row["status"] == "Canceled"
    shown: dict[str, Any] = {}
    if details:
        shown["componentFailures"] = [each for each in messages if not each["success"]]
        shown["componentSuccesses"] = [each for each in messages if each["success"]]
        shown["runTestResult"] = {"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0}
    return {
        "canceledBy": report.get("canceled_by", row["user"]) if canceled else None,
        "canceledByName": people.get(report.get("canceled_by", row["user"])) if canceled else None,
        "checkOnly": options.checkOnly,
        "completedDate": row["completed_at"],
        "createdBy": row["user"],
        "createdByName": people.get(row["user"], ""),
        "createdDate": row["created_at"],
        "details": shown,
        "done": done,
        "errorMessage": report.get("errorMessage"),
        "errorStatusCode": report.get("errorStatusCode"),
        "id": row["id"],
        "ignoreWarnings": options.ignoreWarnings,
        "lastModifiedDate": row["completed_at"] or row["started_at"] or row["created_at"],
        "numberComponentErrors": failed,
        "numberComponentsDeployed": len(counted) - failed,
        "numberComponentsTotal": max(report.get("total", 0), len(counted)),
        "numberTestErrors": 0,
        "numberTestsCompleted": 0,
        "numberTestsTotal": 0,
        "rollbackOnError": options.rollbackOnError,
        "runTestsEnabled": options.testLevel != "NoTestRun",
        "startDate": row["started_at"],
        "status": row["status"],
        "success": row["status"] in {"Succeeded", "SucceededPartial"},
    }


def poll_retrieve(world: World, job: str) -> sqlite3.Row:
    """Move a retrieve on by one poll and return its row; with the last poll its snapshot is taken and kept."""
    row = _find(world.db, "retrieve", job)
    if row["status"] not in {"Pending", "InProgress"}:
        return row
    if (status := _shown(row, world.switches.retrieve_polls)) is not None:
        world.db.execute("UPDATE job SET polls = polls + 1, status = ? WHERE number = ?", (status, row["number"]))
        return _find(world.db, "retrieve", job)
    parcel = Parcel(b"", [], [])
    with _one_job(world) as wrong:
        request = json.loads(row["options"])
        parcel = retrieve(world, Request(**{**request, "specific_files": tuple(request["specific_files"])}))
    if wrong:
        parcel = Parcel(b"", [], [], f"{_UNEXPECTED}: {wrong[0]}", _UNEXPECTED)
    _keep(world, row["number"], parcel)
    return _find(world.db, "retrieve", job)


def _keep(world: World, number: int, parcel: Parcel) -> None:
    result = {"fileProperties": parcel.properties, "messages": parcel.messages, "errorMessage": parcel.error}
    result |= {"errorStatusCode": parcel.code} if parcel.error else {}
    status = "Failed" if parcel.error else "Succeeded"
    world.db.execute(
        "UPDATE job SET status = ?, completed_at = ?, result = ?, zip = ? WHERE number = ?",
        (status, world.now, json.dumps(result), parcel.zip or None, number),
    )
    # A client fetches its zip at once; older ones only make the file grow.
    world.db.execute(
        "UPDATE job SET zip = NULL, result = '{}' WHERE what = 'retrieve' AND zip IS NOT NULL AND number <="
        " (SELECT number FROM job WHERE what = 'retrieve' ORDER BY number DESC LIMIT 1 OFFSET ?)",
        (_KEPT_ZIPS,),
    )
