"""The few REST calls that we make, through simple_salesforce: API versions, queries, deployments, resources."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import requests
from urllib3.filepost import encode_multipart_formdata

from providers.salesforce.login import Credentials
from providers.salesforce.wire.polling import BUSY, BusyError, PassingError, Patience, not_busy
from providers.salesforce.wire.refusals import refusal
from providers.salesforce.wire.session import OrgSession, carrier
from providers.salesforce.wire.soap import is_id, not_an_org
from reconciler.errors import Complaint, ReconcilerError, UnreachableError

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_MOST_PAGES = 1_000
"""Of one query, 2,000 rows each: more than any org has of what we ask for."""
_DEPLOYMENTS = (
    "SELECT Id, CheckOnly, CreatedDate, Status, StartDate, CreatedById, CreatedBy.Username FROM DeployRequest{}"
)
_NEWEST, _SINCE = " ORDER BY CreatedDate DESC LIMIT 50", " WHERE CreatedDate >= {} ORDER BY CreatedDate LIMIT 200"
_CLOSED = (404, 405, 501)
_CLOSED_CODES = ("FUNCTIONALITY_NOT_ENABLED", "API_DISABLED_FOR_ORG", "NOT_FOUND", "METHOD_NOT_ALLOWED")


class RestDeployClosedError(Exception):
    """This org takes no deployments by REST. Nothing has happened; SOAP is the other way in."""


class Rest:
    """REST to one org as one user."""

    def __init__(
        self, session: OrgSession, credentials: Credentials, patience: Patience, version: Callable[[], str]
    ) -> None:
        self._session, self._credentials, self._patience = session, credentials, patience
        self._carrier: tuple[str, Salesforce] | None = None
        self._after: str | None = None
        self._version = version
        # simple_salesforce's errors keep the body of an answer and lose its headers.
        session.hooks["response"].append(self._note)

    @cached_property
    def api_version(self) -> str:
        """The version that is spoken, e.g. `63.0`: which one is known when the org has said what it offers."""
        return self._version()

    @property
    def host(self) -> str:
        return self._session.origin

    def _note(self, response: requests.Response, **_: Any) -> None:
        self._after = response.headers.get("Retry-After")

    def versions(self) -> list[str]:
        """The API versions that the org offers, e.g. `63.0`. Needs no login."""

        def call() -> list[str]:
            answer = self._session.get(f"{self.host}/services/data", headers={"Accept": "application/json"})
            not_busy(answer)
            try:
                return [str(one["version"]) for one in answer.json()]
            except (ValueError, TypeError, KeyError, RecursionError):
                raise not_an_org(self.host, answer.content) from None

        return self._patience.insist(call, self.host)

    def query(self, soql: str, *, tooling: bool = False) -> list[Mapping[str, Any]]:
        """All records of a query, page by page. Raises NotAllowedError, UnreachableError."""
        path = "tooling/query/" if tooling else "query/"
        answer = self._reading(partial(_resource, path, {"params": {"q": soql}}))
        found = self._records(answer)
        for _ in range(_MOST_PAGES):
            more = answer.get("nextRecordsUrl")
            if answer.get("done") is not False or not more:
                return found
            if not isinstance(more, str) or not more.startswith("/services/data/"):
                break
            answer = self._reading(partial(_page, more))
            found += self._records(answer)
        raise not_an_org(self.host, json.dumps({**answer, "records": []}).encode())

    def _records(self, answer: object) -> list[Mapping[str, Any]]:
        records = answer.get("records") if isinstance(answer, Mapping) else None
        if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
            raise not_an_org(self.host, json.dumps(answer).encode())
        return records

    def resource(self, path: str, **params: str) -> Mapping[str, Any]:
        """What a resource under `/services/data/vXX.X/` says. Raises NotAllowedError, UnreachableError."""
        answer = self._reading(partial(_resource, path, {"params": params}))
        if not isinstance(answer, Mapping):
            raise not_an_org(self.host, json.dumps(answer).encode())
        return answer

    def username(self, user_id: str) -> str:
        """Return the username of a user's id (letters and digits); empty if there is no such user, or none that we may
        see."""
        rows = self.query(f"SELECT Username FROM User WHERE Id = '{user_id}'")  # noqa: S608
        return str(rows[0].get("Username") or "") if rows else ""

    def start_deploy(self, package: bytes, options: Mapping[str, object]) -> str:
        """Send a deployment, once. Returns its id.

        Raises RestDeployClosedError if this way in is closed, and what the HTTP library raises if the answer was lost:
        then no one knows whether the org took it.
        """
        # The boundary is a digest of the zip: the same deployment is the same request, and the zip cannot hold it.
        boundary = hashlib.sha256(package).hexdigest()
        body, content_type = encode_multipart_formdata(
            {
                "json": ("", json.dumps({"deployOptions": options}), "application/json"),
                "file": ("package.zip", package, "application/zip"),
            },
            boundary,
        )
        sent = {"method": "POST", "data": body, "headers": {"Content-Type": content_type}}
        answer = self._call(partial(_resource, "metadata/deployRequest", sent))
        job = answer.get("id") if isinstance(answer, Mapping) else None
        if not isinstance(job, str) or not is_id(job):
            raise not_an_org(self.host, json.dumps(answer).encode())
        return job

    def deploy_status(self, job: str, *, details: bool) -> dict[str, Any]:
        """The deployResult of a deployment. Raises RestDeployClosedError where REST knows none of that id."""
        wanted = "true" if details else "false"
        asked = {"params": {"includeDetails": wanted}}
        answer = self._insist(partial(_resource, f"metadata/deployRequest/{job}", asked))
        found = answer.get("deployResult") if isinstance(answer, Mapping) else None
        if not isinstance(found, dict):
            raise not_an_org(self.host, json.dumps(answer).encode())
        return found

    def cancel_deploy(self, job: str) -> None:
        """Ask the org to stop a deployment. Asking twice is asking once."""
        sent = {"method": "PATCH", "data": json.dumps({"deployResult": {"status": "Canceling"}})}
        self._insist(partial(_resource, f"metadata/deployRequest/{job}", sent))

    def _insist(self, call: "Callable[[Salesforce], Any]") -> Any:
        return self._patience.insist(lambda: self._call(call), self.host)

    def deployments(self, since: str) -> list[Mapping[str, Any]]:
        """Deployments as the org lists them: from a date (ISO 8601) on, the oldest first; without one, the newest 50.

        Raises NotAllowedError, and the errors of any query: a user who may not see them gets an empty list.
        """
        return self.query(_DEPLOYMENTS.format(_SINCE.format(since) if since else _NEWEST), tooling=True)

    def _reading(self, call: "Callable[[Salesforce], Any]") -> Any:
        try:
            return self._insist(call)
        except RestDeployClosedError as closed:
            mend = f"check that the org has API version {self.api_version}"
            raise ReconcilerError(Complaint(f"{self.host} refused the call", mend=mend, quote=str(closed))) from None

    def _call(self, call: "Callable[[Salesforce], Any]") -> Any:
        return self._credentials.alive(partial(self._call_with, call))

    def _call_with(self, call: "Callable[[Salesforce], Any]", token: str) -> Any:
        from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415 (see session.carrier)

        if self._carrier is None or self._carrier[0] != token:
            self._carrier = token, carrier(self._session, token, self.api_version)
        try:
            return call(self._carrier[1])
        except SalesforceError as wrong:
            raise self._error(wrong.status, wrong.content) from None
        except requests.JSONDecodeError as wrong:
            raise not_an_org(self.host, wrong.doc.encode()) from None
        except requests.RequestException:
            raise
        except (ValueError, RecursionError) as wrong:
            raise not_an_org(self.host, f"{type(wrong).__name__}".encode()) from None

    def _error(self, status: int, content: object) -> ReconcilerError | BusyError | RestDeployClosedError:
        first = content[0] if isinstance(content, list) and content else content
        if not isinstance(first, Mapping):
            return BusyError(status, self._after) if status in BUSY else not_an_org(self.host, str(content).encode())
        code, text = str(first.get("errorCode", "")), str(first.get("message", ""))
        if status in _CLOSED or (status == 403 and code in _CLOSED_CODES):
            return RestDeployClosedError(f"{code}: {text}")
        error = refusal(self.host, "INVALID_SESSION_ID" if status == 401 and not code else code, text)
        if status in BUSY and not isinstance(error, UnreachableError):
            return BusyError(status, self._after)
        if status == 500 and not isinstance(error, UnreachableError):
            return PassingError(*error.complaints)
        return error


def _resource(path: str, sent: dict[str, Any], client: "Salesforce") -> Any:
    try:
        return client.restful(path, **sent)
    except TypeError:
        return None  # simple_salesforce takes the length of every answer, and of `null` there is none


def _page(url: str, client: "Salesforce") -> Any:
    return client.query_more(url, identifier_is_url=True)
