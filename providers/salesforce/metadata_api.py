"""The Metadata API of one org: retrieve, list, deploy, and waiting for each.

Source: Metadata API Developer Guide v66, "File-Based Calls" and "REST Resources". Reading is SOAP
only. A deployment goes by REST, whose zip needs no base64, and by SOAP where an org closes that.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import requests

from providers.salesforce import soap
from providers.salesforce.archive import ZipError
from providers.salesforce.file_properties import FileProperties, file_properties, plain_file_properties
from providers.salesforce.login import Credentials
from providers.salesforce.polling import BusyError, Patience, unreachable
from providers.salesforce.refusals import refusal
from providers.salesforce.rest import Rest, RestDeployClosedError
from providers.salesforce.session import OrgSession
from reconciler.errors import ReconcilerError

_BUSY = (502, 503, 504)
QUERIES_PER_LISTING = 3
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
    """The org did not take a deployment. Nothing has happened; its words are the message."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieve brought: its zip, who changed what, and what could not be had."""

    zip_bytes: bytes
    properties: Sequence[FileProperties]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A deployment that the org has taken, and the way it went: its status is asked for the same way."""

    id: str
    by_rest: bool


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
        messages = tuple(soap.text(one, "problem") for one in result.iter(f"{soap.TAG}messages"))
        properties = [file_properties(one) for one in result.iter(f"{soap.TAG}fileProperties")]
        properties += plain_file_properties(list(answer.plain))
        try:
            packed = binascii.a2b_base64(answer.zip_file or b"")
        except binascii.Error:
            raise ZipError("its base64 is damaged") from None
        return Retrieved(packed, properties, messages)

    def listing(self, types: Sequence[str]) -> list[FileProperties]:
        """Everything that there is of at most three types, installed components included."""
        queries = [{"type": name} for name in types]
        asked: dict[str, soap.Parameter] = {"queries": queries, "asOfVersion": self.api_version}
        answer = self._reading("listMetadata", asked, flat="result")
        return [*(file_properties(one) for one in answer.results), *plain_file_properties(list(answer.plain))]

    def start_deploy(self, package: bytes, options: Mapping[str, soap.Parameter]) -> Job:
        """Send a zip, once. Raises DeployRefusedError if the org refused, UnreachableError if its answer was lost."""
        if self.way is not Way.SOAP:
            try:
                return Job(self._rest.start_deploy(package, options), by_rest=True)
            except RestDeployClosedError as closed:
                if self.way is Way.REST:
                    raise DeployRefusedError(str(closed)) from None
                self.way = Way.SOAP
            except ReconcilerError as error:
                raise _refused(error) from None
        parameters: dict[str, soap.Parameter] = {
            "ZipFile": base64.b64encode(package).decode(),
            "DeployOptions": {name: options[name] for name in sorted(options)},
        }
        try:
            answer = self._call("deploy", parameters)
        except (requests.RequestException, BusyError) as lost:
            raise unreachable(self.host, lost) from None
        except ReconcilerError as error:
            raise _refused(error) from None
        return Job(_id(answer, self.host), by_rest=False)

    def deployed(self, job: Job, *, components: int) -> dict[str, Any]:
        """Wait for a deployment of so many components. Returns the DeployResult in REST's form."""
        details = components <= _FULL_DETAILS
        for _ in self._patience.pauses(f"deployment {job.id}"):
            status = self._status(job, details=details)
            if status.get("done") in (True, "true"):
                return status if details else self._status(job, details=True)
        raise AssertionError("the wait ends with a result or an error")

    def _status(self, job: Job, *, details: bool) -> dict[str, Any]:
        if job.by_rest:
            return self._rest.deploy_status(job.id, details=details)
        answer = self._reading("checkDeployStatus", {"asyncProcessId": job.id, "includeDetails": details})
        return soap.as_json(_one(answer, self.host))

    def cancel(self, job: str) -> bool:
        """Ask the org to stop a deployment; True if it already has."""
        return soap.true(_one(self._call("cancelDeploy", {"String": job}), self.host), "done")

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
        if response.status_code in _BUSY:
            raise BusyError(response.status_code)
        answer = soap.read_answer(response.content, self.host, flat)
        if answer.fault is not None:
            raise refusal(self.host, answer.fault.code, answer.fault.text)
        return answer


def _refused(error: ReconcilerError) -> Exception:
    """The error of a deploy call that the org answered: who has no permission is told so in its own way, anything else
    is the org's last word on this deployment."""
    plain = type(error) is ReconcilerError
    return DeployRefusedError(error.complaints[0].quote or str(error)) if plain else error


def _one(answer: soap.Answer, host: str) -> Any:
    if not answer.results:
        raise soap.not_an_org(host, b"an answer without a result")
    return answer.results[0]


def _id(answer: soap.Answer, host: str) -> str:
    found = soap.text(_one(answer, host), "id")
    if not found:
        raise soap.not_an_org(host, b"an answer without an id")
    return found
