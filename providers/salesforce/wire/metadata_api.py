"""The Metadata API of one org: retrieve, list, deploy, and waiting for each.

Source: Metadata API Developer Guide v66, "File-Based Calls" and "REST Resources". Reading is SOAP
only. A deployment goes by REST, whose zip needs no base64, and by SOAP where an org closes that.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from providers.salesforce.files.archive import ZipError
from providers.salesforce.files.file_properties import FileProperties, file_properties, plain_file_properties
from providers.salesforce.login import Credentials
from providers.salesforce.questions import unanswered
from providers.salesforce.questions.history import deployment
from providers.salesforce.questions.unanswered import Fit
from providers.salesforce.results import is_ended, stage
from providers.salesforce.wire import soap
from providers.salesforce.wire.polling import LOST, BusyError, Patience, never_sent, not_busy, unreachable
from providers.salesforce.wire.refusals import LOCKED, LimitError, SessionDiedError, UnknownJobError, refusal
from providers.salesforce.wire.rest import Rest, RestDeployClosedError
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import Complaint, NotAllowedError, ReconcilerError, RefusedError, UnreachableError
from reconciler.model.deployment import Sent
from reconciler.model.facts import Deployment, moment
from reconciler.provider import Progress

QUERIES_PER_LISTING = 3
_TOO_MANY = 429
_RETRIEVES = 2
"""Of the same, where the first one's zip was damaged or lost on the way."""
_FULL_DETAILS = 1000
"""Up to so many components each status call brings all details; beyond, only the last one does."""


class Way(StrEnum):
    """How deployments are sent."""

    AUTO = "auto"
    """REST, and SOAP from the first refusal on."""
    REST = "rest"
    SOAP = "soap"


class TooManyFilesError(Exception):
    """The org holds more than one retrieve may bring."""


class DeployRefusedError(Exception):
    """The org did not take a deployment. Nothing has happened; its words are the message, `why` is what we say of them."""

    status = "Refused"

    def __init__(self, said: str, *why: Complaint) -> None:
        super().__init__(said)
        self.why = why


class NotSentError(DeployRefusedError):
    """There was no connection: the org has never heard of the deployment."""

    status = "not sent"


class AnswerLostError(Exception):
    """A deployment was sent, and it is not known whether the org took it. `why` is what happened to its answer."""

    def __init__(self, why: UnreachableError) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class Message:
    """What a retrieve says of what it could not bring."""

    problem: str
    file: str = ""
    """The file in the package that it is about; often the manifest, which names nothing."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieve brought: its zip, who changed what, and what could not be had."""

    zip_bytes: bytes
    properties: Sequence[FileProperties]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A deployment that the org has taken, and the way it went: its status is asked for the same way."""

    id: str
    by_rest: bool = True


class MetadataApi:
    """One org's Metadata API as one user. Every call that only reads is tried again; a deployment is sent once."""

    def __init__(
        self, session: OrgSession, credentials: Credentials, rest: Rest, patience: Patience, way: Way = Way.AUTO
    ) -> None:
        self._session, self._credentials, self._rest, self._patience = session, credentials, rest, patience
        self.way = way

    @property
    def host(self) -> str:
        return self._session.origin

    @property
    def api_version(self) -> str:
        return self._rest.api_version

    def retrieve(self, members: Mapping[str, Sequence[str]]) -> Retrieved:
        """Fetch these members (`*` is all) by manifest type. Raises TooManyFilesError, and the errors of any call."""
        types = [{"members": list(names), "name": name} for name, names in members.items() if names]
        request: dict[str, soap.Parameter] = {
            "apiVersion": self.api_version,
            "singlePackage": True,
            "unpackaged": {"types": types, "version": self.api_version},
        }
        for attempt in range(_RETRIEVES):
            try:
                return self._retrieve(request)
            except (ZipError, UnknownJobError):
                # What was lost on the way may be gone for good: an org keeps a zip until it has sent it.
                if attempt + 1 == _RETRIEVES:
                    raise
        raise AssertionError("at least one try")

    def _retrieve(self, request: Mapping[str, soap.Parameter]) -> Retrieved:
        job = _id(self._reading("retrieve", {"retrieveRequest": request}), self.host)
        for _ in self._patience.pauses("the retrieve"):
            answer = self._reading(
                "checkRetrieveStatus", {"asyncProcessId": job, "includeZip": True}, flat="fileProperties"
            )
            result = _one(answer, self.host)
            if soap.true(result, "done") or soap.text(result, "status") in ("Succeeded", "Failed"):
                return self._retrieved(answer)
        raise AssertionError("the wait ends with a result or an error")

    def _retrieved(self, answer: soap.Answer) -> Retrieved:
        result = _one(answer, self.host)
        said = soap.text(result, "errorMessage")
        if soap.text(result, "status") != "Succeeded":
            code = soap.text(result, "errorStatusCode") or said.partition(":")[0]
            if code == "LIMIT_EXCEEDED" or "too many files" in said.casefold():
                raise TooManyFilesError(said)
            raise refusal(self.host, code, said or "the retrieve failed")
        messages = tuple(
            Message(soap.text(one, "problem"), soap.text(one, "fileName")) for one in result.iter(f"{soap.TAG}messages")
        )
        properties = [file_properties(one) for one in result.iter(f"{soap.TAG}fileProperties")]
        properties += plain_file_properties(list(answer.plain))
        if not answer.zip_file:
            raise ZipError("it did not come")
        try:
            packed = binascii.a2b_base64(answer.zip_file)
        except binascii.Error:
            raise ZipError("its base64 is damaged") from None
        return Retrieved(packed, properties, messages)

    def listing(self, types: Sequence[str]) -> list[FileProperties]:
        """List the components of at most three types, installed ones included."""
        queries = [{"type": name} for name in types]
        asked: dict[str, soap.Parameter] = {"queries": queries, "asOfVersion": self.api_version}
        answer = self._reading("listMetadata", asked, flat="result")
        return [*(file_properties(one) for one in answer.results), *plain_file_properties(list(answer.plain))]

    def start_deploy(self, package: bytes, options: Mapping[str, soap.Parameter]) -> Job:
        """Send a zip; again only where it certainly did not arrive. Raises DeployRefusedError if the org refused,
        AnswerLostError if that is not known, and NotAllowedError."""
        if self.way is not Way.SOAP:
            try:
                return Job(self._once(lambda: self._rest.start_deploy(package, options)))
            except RestDeployClosedError as closed:
                if self.way is Way.REST:
                    raise DeployRefusedError(str(closed)) from None
                self.way = Way.SOAP
        parameters: dict[str, soap.Parameter] = {
            "ZipFile": base64.b64encode(package).decode(),
            "DeployOptions": {name: options[name] for name in sorted(options)},
        }
        return Job(self._once(lambda: _id(self._call("deploy", parameters), self.host)), by_rest=False)

    def _once(self, send: Callable[[], str]) -> str:
        def sent() -> str:
            try:
                return send()
            except LOST as broken:
                if _is_unheard(broken):
                    raise
                raise AnswerLostError(unreachable(self.host, broken)) from None
            except ReconcilerError as error:
                raise _refused(error) from None

        try:
            return self._patience.insist(sent, self.host, again=_is_unheard)
        except UnreachableError as nobody:
            raise NotSentError(str(nobody), *nobody.complaints) from None

    def result_of(self, job: Job, tell: Progress, *, components: int, most: float | None = None) -> dict[str, Any]:
        """Wait for a deployment of so many components. Returns the DeployResult in REST's form."""
        details = components <= _FULL_DETAILS
        mend = (
            "it goes on in the org: apply again to find out what became of it, or cancel it in Setup, Deployment Status"
        )
        for _ in self._patience.pauses(f"deployment {job.id}", most, mend):
            status = self._status(job, details=details)
            if is_ended(status):
                return status if details else self._status(job, details=True)
            tell(f"deployment {job.id}: {stage(status)}")
        raise AssertionError("the wait ends with a result or an error")

    def _status(self, job: Job, *, details: bool) -> dict[str, Any]:
        if job.by_rest and self.way is not Way.SOAP:
            try:
                return self._rest.deploy_status(job.id, details=details)
            except RestDeployClosedError:
                # Closed, or none of that id: SOAP knows which.
                pass
        answer = self._reading("checkDeployStatus", {"asyncProcessId": job.id, "includeDetails": details})
        return soap.as_json(_one(answer, self.host))

    def others(self, tell: Progress) -> list[Deployment]:
        """The deployments of others that may change the org, once they are over, or those that still are under way when
        our patience ends. One question if there is none.

        What they bring is not known before they have ended: DeployRequest does not list components. So each may be about
        the same records. Raises the errors of any query: a user who may not see them gets an empty list.
        """
        return self._without_others(tell)[1]

    def _without_others(self, tell: Progress) -> tuple[list[Mapping[str, Any]], list[Deployment]]:
        rows: list[Mapping[str, Any]] = []
        running: list[Deployment] = []
        for _ in self._patience.looks(self._patience.others):
            rows = self._rest.deployments("")
            running = [one for one in map(deployment, rows) if one.in_flight]
            if not running:
                break
            tell(f"waiting for what may change the same records: {_named(running[0])}")
        return rows, running

    def about_to_send(self, components: Sequence[tuple[str, str]], *, check_only: bool, tell: Progress) -> Sent:
        """Note what will find the deployment again that is sent next: above all, which deployments there already are.

        Waits first until no deployment of others is under way, unless it only checks: an org would let it wait all the
        same, and what it then replaces is not what was read. Raises RefusedError if that takes too long.
        """
        try:
            if check_only:
                rows = self._rest.deployments("")
            else:
                rows, running = self._without_others(tell)
                if running:
                    raise RefusedError(*map(_in_the_way, running))
        except RefusedError:
            raise
        except (UnreachableError, SessionDiedError):
            raise
        except ReconcilerError:
            # A user who may deploy may see this, as a rule. Without it a lost answer stays lost.
            return Sent(components=tuple(components), check_only=check_only)
        newest = moment(str(rows[0].get("CreatedDate"))) if rows else None
        since = f"{newest:%Y-%m-%dT%H:%M:%SZ}" if newest is not None else ""
        known = tuple(str(row.get("Id")) for row in rows)
        return Sent("", tuple(components), check_only, known, since, listed=True)

    def candidates(self, sent: Sent, foreign: set[str]) -> dict[str, tuple[Fit, dict[str, Any]]]:
        """The deployments that may be the one that was sent, by id. Those that are not are added to `foreign`.

        Raises NotAllowedError where the org does not show its deployments.
        """
        if not sent.listed:
            raise NotAllowedError(
                Complaint(f"{self.host} did not show its deployments", mend="see Setup, Deployment Status")
            )
        found = {}
        for job in unanswered.new(self._rest.deployments(sent.since), sent):
            if job not in foreign:
                status = self._status(Job(job), details=True)
                found[job] = unanswered.fit(status, sent), status
                if found[job][0] is Fit.NO:
                    foreign.add(job)
                    del found[job]
        return found

    def search(self, sent: Sent, tell: Progress, wait: float) -> dict[str, dict[str, Any]]:
        """The results of the deployments that can be the one that was sent, by id, each waited for to its end.

        Empty if none was listed within `wait` seconds. One that is certain leaves out those that are not.
        """
        foreign: set[str] = set()
        weak: dict[str, dict[str, Any]] = {}
        tell("looking for the deployment among those that the org lists")
        for _ in self._patience.looks(wait):
            certain = {}
            for job, (_, status) in self.candidates(sent, foreign).items():
                ended = status
                if not is_ended(status):
                    ended = self.result_of(Job(job), tell, components=0)
                match unanswered.fit(ended, sent):
                    case Fit.NO:
                        foreign.add(job)
                        weak.pop(job, None)
                    case Fit.YES:
                        certain[job] = ended
                    case _:
                        weak[job] = ended
            if certain:
                return certain
        return weak

    def cancel(self, job: Job) -> None:
        """Ask the org to stop a deployment. Raises ReconcilerError where it is too late."""
        if job.by_rest and self.way is not Way.SOAP:
            try:
                self._rest.cancel_deploy(job.id)
            except RestDeployClosedError:
                pass
            else:
                return
        self._reading("cancelDeploy", {"String": job.id})

    def _reading(self, operation: str, parameters: Mapping[str, soap.Parameter], *, flat: str = "") -> soap.Answer:
        return self._patience.insist(lambda: self._call(operation, parameters, flat), self.host)

    def _call(self, operation: str, parameters: Mapping[str, soap.Parameter], flat: str = "") -> soap.Answer:
        return self._credentials.alive(lambda token: self._call_with(token, operation, parameters, flat))

    def _call_with(
        self, token: str, operation: str, parameters: Mapping[str, soap.Parameter], flat: str
    ) -> soap.Answer:
        response = self._session.post(
            f"{self.host}/services/Soap/m/{self.api_version}",
            data=soap.envelope(operation, parameters, token),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        )
        answer = soap.read_answer(not_busy(response).content, self.host, flat)
        if answer.fault is not None:
            raise refusal(self.host, answer.fault.code, answer.fault.text)
        return answer


def _named(one: Deployment) -> str:
    begun = f"since {one.started}" if one.started else "not begun yet"
    return f"deployment {one.id} of {one.by or one.by_id or 'an unknown user'} is {one.status}, {begun}"


def _in_the_way(one: Deployment) -> Complaint:
    mend = "apply again when it is over; or cancel it in Setup, Deployment Status, if its owner agrees"
    return Complaint(f"{_named(one)}, and may change the same records: nothing was sent", mend=mend)


def _is_unheard(broken: Exception) -> bool:
    """True if a deployment certainly was not taken: no connection, or turned away at the door (429)."""
    return never_sent(broken) or (isinstance(broken, BusyError) and broken.status == _TOO_MANY)


def _refused(error: ReconcilerError) -> Exception:
    """The error of a deploy call that got an answer: a lack of permission has an error of its own; what the org says
    of this deployment is its last word; and where the answer is none of an org's, no one knows."""
    said = error.complaints[0].quote or str(error)
    if isinstance(error, LimitError) or said.startswith(LOCKED) or type(error) in (ReconcilerError, UnknownJobError):
        return DeployRefusedError(said, *error.complaints)
    return AnswerLostError(error) if isinstance(error, UnreachableError) else error


def _one(answer: soap.Answer, host: str) -> Any:
    if not answer.results:
        raise soap.not_an_org(host, b"an answer without a result")
    return answer.results[0]


def _id(answer: soap.Answer, host: str) -> str:
    found = soap.text(_one(answer, host), "id")
    if not soap.is_id(found):
        raise soap.not_an_org(host, b"an answer without an id")
    return found
