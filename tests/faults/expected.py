"""What has to come of a failure, for whoever runs a command: the table that the matrix asserts and docs/failures.md shows.

It is argued from what is right for a user, not from what the code does:

- Nobody is to start a pipeline anew because a gateway hiccuped: what passes while we only read is asked again.
- A deployment is never sent twice on a guess. If its answer is lost it is looked for, and if it is found, all is well.
- "Unknown" is said only where nobody can know, "not landed" only where the org certainly did nothing.
- What no org answers is no accident, and is not asked for again and again.
- What only adds to a report (who did it, whether a user exists) stops no command where the org refuses to tell it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class End(Enum):
    """How a command ends."""

    FINE = "as if nothing had happened"
    UNREACHED = "exit 1"
    NOT_ALLOWED = "exit 5"
    NOT_LANDED = "exit 6, not landed"
    UNKNOWN = "exit 6, unknown"


FINE, UNREACHED, NOT_ALLOWED, NOT_LANDED, UNKNOWN = End
EXIT = {UNREACHED: 1, NOT_ALLOWED: 5, NOT_LANDED: 6, UNKNOWN: 6}


class At(Enum):
    """What a call is for."""

    LOGIN = "logging in"
    READING = "reading, before anything is sent"
    ASKING = "asking for what only adds to a report"
    SENDING = "sending the deployment"
    FOLLOWING = "asking how the deployment goes"
    READING_BACK = "reading back what has landed"
    WATCHING = "asking what others did, once it has landed"


@dataclass(frozen=True)
class Way:
    """One way to fail, as the mock org plays it. `done`: the org does what it is asked; `on`: to which calls it can happen."""

    fault: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    done: bool = False
    on: str = ""

    def __str__(self) -> str:
        return " ".join([self.fault, *(f"{name}={value}" for name, value in self.options.items())])


def way(fault: str, *, after_it_is_done: bool = False, on: str = "", **options: Any) -> Way:
    return Way(fault, options, after_it_is_done, on)


def both(fault: str, **options: Any) -> tuple[Way, Way]:
    """Before the org has done anything, and after it has done all: who only reads cannot tell the one from the other."""
    return way(fault, **options), way(fault, after_it_is_done=True, on="starting", **options, done=True)


@dataclass(frozen=True)
class Row:
    """What happens, what comes of it, and what whoever runs the command does then.

    `reading` is the end of a call that only reads, when it happens once and when it does not stop. `sending` is the same
    of the call that sends a deployment if the org did not do it, `done` if it did. `says` are words that the error has to
    hold, one of them.
    """

    happens: str
    ways: tuple[Way, ...]
    reading: tuple[End, End]
    sending: tuple[End, End]
    done: tuple[End, End] = (FINE, FINE)
    says: tuple[str, ...] = ()
    we: str = ""
    you: str = ""
    optional: End | None = None
    """The end of a call that only asks for more, where that is another one."""


PASSES = (FINE, UNREACHED)
LOST = (UNKNOWN, UNKNOWN)
AGAIN = "ask again, up to four times"
LOOK = "look for the deployment among those that the org lists"
LATER = "run it again later"
HOSTILE = "find out what answers at that host"

ROWS = (
    Row(
        "the connection breaks, or nothing is heard",
        (
            way("reset"),
            way("lost_answer", after_it_is_done=True),
            way("reset_midway", after_it_is_done=True),
            way("cut_short", after_it_is_done=True),
            *both("silence"),
        ),
        reading=PASSES,
        sending=LOST,
        says=("cannot be reached",),
        we=AGAIN,
        you="check the network, then run it again",
    ),
    Row(
        "the network is gone, for good",
        (way("outage", on="any"), way("outage after", after_it_is_done=True, on="any")),
        reading=(UNREACHED, UNREACHED),
        sending=LOST,
        done=LOST,
        says=("cannot be reached",),
        we="give up after four tries",
        you="when the network is back: apply again",
    ),
    Row(
        "the answer comes slowly",
        (way("drip", after_it_is_done=True, size=700, seconds=0.001),),
        reading=(FINE, FINE),
        sending=(FINE, FINE),
        we="wait, up to 10 minutes for one answer",
    ),
    Row(
        "a gateway answers: 500, 502, 503, 504",
        (*both("status", code=500), *both("status", code=502), *both("status", code=503, retry_after=1)),
        reading=PASSES,
        sending=LOST,
        says=("HTTP 50", "a web page"),
        we=AGAIN,
        you=LATER,
    ),
    Row(
        "too many calls at once: 429",
        (way("status", code=429),),
        reading=PASSES,
        sending=(FINE, NOT_LANDED),
        says=("HTTP 429",),
        we="ask again, and send again: it never arrived",
        you=LATER,
    ),
    Row(
        "it asks us to come back in hours",
        (way("status", code=503, retry_after=7200),),
        reading=(UNREACHED, UNREACHED),
        sending=LOST,
        says=("come back in 120 minutes",),
        we="give up: nobody wants to pay a runner for that",
        you=LATER,
    ),
    Row(
        "a login or maintenance page answers",
        both("html_page"),
        reading=PASSES,
        sending=LOST,
        says=("a web page",),
        we=AGAIN,
        you="check instance_url; see status.salesforce.com",
    ),
    Row(
        "half a document, or a broken one",
        (
            way("truncated", after_it_is_done=True),
            way("malformed", after_it_is_done=True),
            way("wrong_encoding", after_it_is_done=True),
        ),
        reading=PASSES,
        sending=LOST,
        says=("answered with", "answers in another encoding", "zip file cannot be used"),
        we=AGAIN,
        you=LATER,
    ),
    Row(
        "a passing trouble of the org: SERVER_UNAVAILABLE, UNKNOWN_EXCEPTION",
        (
            *both("refused", code="SERVER_UNAVAILABLE"),
            *both("refused", code="UNKNOWN_EXCEPTION", text="ErrorId: 0-0 (0)"),
        ),
        reading=PASSES,
        sending=LOST,
        says=("SERVER_UNAVAILABLE", "HTTP 503", "UNKNOWN_EXCEPTION"),
        we=AGAIN,
        you=LATER,
    ),
    Row(
        "somebody else holds the records: UNABLE_TO_LOCK_ROW",
        (way("refused", code="UNABLE_TO_LOCK_ROW", on="session"),),
        reading=PASSES,
        sending=(FINE, NOT_LANDED),
        says=("UNABLE_TO_LOCK_ROW",),
        we="ask again; send again twice, 15 and 30 s later",
        you="run it when nobody else deploys",
    ),
    Row(
        "the same, found out while it deploys",
        (way("locked_row", on="deploying", after_it_is_done=True),),
        reading=(FINE, FINE),
        sending=(FINE, NOT_LANDED),
        done=(FINE, NOT_LANDED),
        says=("UNABLE_TO_LOCK_ROW",),
        we="send again twice, 15 and 30 s later",
        you="run it when nobody else deploys",
    ),
    Row(
        "the session dies",
        (way("dead_session", on="session"), way("refused", code="INVALID_SESSION_ID", on="session")),
        reading=(FINE, NOT_ALLOWED),
        sending=(FINE, NOT_ALLOWED),
        optional=NOT_ALLOWED,
        says=("INVALID_SESSION_ID",),
        we="log in again, once for each call; a given token cannot be renewed",
        you="log in again",
    ),
    Row(
        "the day's calls are used up: REQUEST_LIMIT_EXCEEDED",
        (way("refused", code="REQUEST_LIMIT_EXCEEDED", on="session"),),
        reading=(UNREACHED, UNREACHED),
        sending=(NOT_LANDED, NOT_LANDED),
        says=("REQUEST_LIMIT_EXCEEDED",),
        we="give up at once",
        you="wait: the limit counts the last 24 hours",
    ),
    Row(
        "the user may not do it",
        (way("refused", code="INSUFFICIENT_ACCESS", on="session"),),
        reading=(NOT_ALLOWED, NOT_ALLOWED),
        sending=(NOT_ALLOWED, NOT_ALLOWED),
        optional=FINE,
        says=("INSUFFICIENT_ACCESS",),
        we="give up; what only adds to a report is named as not known",
        you="give the user the permission that is named; `doctor` lists them",
    ),
    Row(
        "SOAP does not take the token, because it is a JWT",
        (way("jwt_refused", on="SOAP session"),),
        reading=(NOT_ALLOWED, NOT_ALLOWED),
        sending=(NOT_ALLOWED, NOT_ALLOWED),
        says=("JWT-based",),
        we="give up",
        you="switch off JWT-based access tokens for the app",
    ),
    Row(
        "the queue stands still for a while, or the org starts a deployment anew",
        (
            way("standing_queue", polls=3, on="job", after_it_is_done=True),
            way("restarted_by_org", polls=2, on="deploying", after_it_is_done=True),
        ),
        reading=(FINE, FINE),
        sending=(FINE, FINE),
        we="wait, up to an hour for one deployment",
    ),
    Row(
        "the queue stands still, or a job never ends",
        (
            way("standing_queue", on="job", after_it_is_done=True),
            way("never_ends", on="job", after_it_is_done=True),
        ),
        reading=(UNREACHED, UNREACHED),
        sending=LOST,
        done=LOST,
        says=("did not come to an end",),
        we="give up after an hour",
        you="`apply --resume`, or cancel it in Setup, Deployment Status",
    ),
    Row(
        "somebody or the org cancels the deployment",
        (way("cancelled_by_org", on="deploying", after_it_is_done=True),),
        reading=(FINE, FINE),
        sending=(NOT_LANDED, NOT_LANDED),
        done=(NOT_LANDED, NOT_LANDED),
        says=("Canceled",),
        we="say so",
        you="apply again",
    ),
    Row(
        "XML with entities, or nested without end",
        (
            way("external_entity", on="XML", after_it_is_done=True),
            way("entity_expansion", on="XML", levels=20, after_it_is_done=True),
            way("deep_nesting", after_it_is_done=True),
        ),
        reading=PASSES,
        sending=LOST,
        says=("answered with",),
        we="refuse it, ask again",
        you=HOSTILE,
    ),
    Row(
        "a zip that unpacks to gigabytes, or that climbs out of its folder",
        (
            way("zip_bomb", on="zip", megabytes=1000, after_it_is_done=True),
            way("climbing_entry", on="zip", after_it_is_done=True),
        ),
        reading=(UNREACHED, UNREACHED),
        sending=LOST,
        says=("zip file cannot be used",),
        we="refuse it",
        you=HOSTILE,
    ),
    Row(
        "a million elements, an answer without end",
        (
            way("million_elements", on="XML", count=5_000_000, after_it_is_done=True),
            way("endless_answer", after_it_is_done=True),
        ),
        reading=(UNREACHED, UNREACHED),
        sending=LOST,
        says=("no org does", "any org does"),
        we="refuse it within bounds of memory and time",
        you=HOSTILE,
    ),
)

MOMENTS: Mapping[str, str] = {
    "plan": "versions login query:Organization retrieve checkRetrieveStatus query:User query:PermissionSet queryMore",
    "drift": "versions login query:Organization retrieve checkRetrieveStatus query:SetupAuditTrail queryMore queryMore"
    " toolingQuery:DeployRequest query:OauthTokenExchHandlerApp listMetadata",
    "apply": "versions login query:Organization retrieve checkRetrieveStatus query:User query:PermissionSet queryMore"
    " query:UserPermissionAccess toolingQuery:DeployRequest retrieve checkRetrieveStatus"
    " deployRequest deployRequestStatus deployRequestStatus toolingQuery:DeployRequest retrieve checkRetrieveStatus"
    " query:SetupAuditTrail toolingQuery:DeployRequest",
    "apply by SOAP": "versions login query:Organization retrieve checkRetrieveStatus query:User query:PermissionSet"
    " queryMore query:UserPermissionAccess toolingQuery:DeployRequest retrieve checkRetrieveStatus"
    " deployRequest deploy checkDeployStatus checkDeployStatus toolingQuery:DeployRequest retrieve checkRetrieveStatus"
    " query:SetupAuditTrail toolingQuery:DeployRequest",
}
"""Everything that the commands ask an org, in order; a test compares it with what they really ask."""
ASKING = (
    "User",
    "PermissionSet",
    "SetupAuditTrail",
    "OauthTokenExchHandlerApp",
    "UserPermissionAccess",
    "DeployRequest",
)
SENDING, FOLLOWING = ("deployRequest", "deploy"), ("deployRequestStatus", "checkDeployStatus")
SOAP = ("login", "retrieve", "checkRetrieveStatus", "listMetadata", "deploy", "checkDeployStatus")


@dataclass(frozen=True)
class Moment:
    """One call of a command: the `index`-th of all, and the `nth` of its operation (from 0)."""

    command: str
    call: str
    index: int
    nth: int
    at: At
    refused: bool = False
    """Whether the org refuses it anyway: it is then sent another way."""

    @property
    def operation(self) -> str:
        return self.call.partition(":")[0]

    def __str__(self) -> str:
        return f"{self.command}, {self.call} {self.nth + 1}"


def moments() -> list[Moment]:
    """All calls of all commands."""
    found = []
    for command, text in MOMENTS.items():
        calls = text.split()
        names = [call.partition(":")[0] for call in calls]
        followed = [index for index, name in enumerate(names) if name in FOLLOWING]
        for index, (call, name) in enumerate(zip(calls, names, strict=True)):
            refused = command == "apply by SOAP" and name == "deployRequest"
            at = _at(call, name, after=bool(followed) and index > followed[-1])
            found.append(Moment(command, call, index, names[:index].count(name), at, refused))
    return found


def _at(call: str, name: str, *, after: bool) -> At:
    if name == "login":
        return At.LOGIN
    if name in SENDING:
        return At.SENDING
    if name in FOLLOWING:
        return At.FOLLOWING
    if after and (name in ("toolingQuery", "query", "queryMore")):
        return At.WATCHING
    if name in ("queryMore", "listMetadata") or call.partition(":")[2] in ASKING:
        return At.ASKING
    return At.READING_BACK if after else At.READING


def can_happen(way: Way, moment: Moment) -> bool:
    """Whether the mock org can play this failure at this call."""
    name, session = moment.operation, moment.operation not in ("login", "versions")
    last = moment.index + 1 == len(MOMENTS[moment.command].split())
    if moment.at is At.WATCHING and last and way.fault.startswith("outage"):
        # It begins at a number of calls, and how many pages the trail has since the last look depends on the second.
        return False
    match way.on:
        case "XML":
            return name in SOAP
        case "session":
            return session
        case "SOAP session":
            return session and name in SOAP
        case "zip":
            return name == "checkRetrieveStatus"
        case "starting":
            return moment.at is At.SENDING or name == "retrieve"
        case "deploying":
            return moment.at is At.SENDING and not moment.refused
        case "job":
            return (moment.at is At.SENDING or name == "retrieve") and not moment.refused
    return True


def end(row: Row, way: Way, moment: Moment, *, for_ever: bool) -> End:
    """How the command has to end."""
    if moment.at is At.SENDING:
        return (row.done if way.done and not moment.refused else row.sending)[for_ever]
    if moment.at is At.WATCHING:
        # It only adds to what is said; but what is gone for good is gone for what has to be read after it, too.
        reads_on = "retrieve" in MOMENTS[moment.command].split()[moment.index :]
        return UNREACHED if reads_on and way.fault.startswith("outage") else FINE
    found = row.reading[for_ever]
    if found is FINE:
        return FINE
    if moment.at is At.ASKING and row.optional is not None:
        return row.optional
    # The org goes on: "not allowed" alone would say that nothing has happened.
    return {At.FOLLOWING: UNKNOWN, At.READING_BACK: UNREACHED}.get(moment.at, found)
