"""One HTTP session to one org: bound to its host, with time limits, bounded answers and no redirects.

`simple_salesforce` carries the session for REST. Its habits that matter here: it writes `https://` in
front of every host, which `OrgSession.request` turns back into the org's real address; and its `.mdapi` goes around the
session and brings zeep, so it is never touched: SOAP is spoken in `metadata_api`.
"""

import os
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from providers.salesforce.hosts import is_loopback
from reconciler.errors import Complaint, NotAllowedError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

CONNECT_SECONDS, READ_SECONDS = 10.0, 120.0
"""To connect, and between two pieces of an answer."""
ANSWER_SECONDS = 600.0
"""For the whole of one answer, however slowly it drips."""
MAX_ANSWER_BYTES = 128 * 1024 * 1024
"""More than the 39 MB of a retrieve in base64 with the properties of 10,000 files."""


class OrgSession(requests.Session):
    """Talks to one origin only. Bind it before the first request."""

    def __init__(self, *, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        super().__init__()
        self.origin = ""
        self.max_bytes = max_bytes
        self.calls = 0
        """Requests sent so far."""
        # With credentials of its own, requests would prefer those of a netrc file to the token that we send.
        self.auth = _keep
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def bind(self, origin: str) -> None:
        """The one place that this session may send anything to."""
        self.origin = origin
        # A proxy from the environment has no business between us and our own machine.
        if is_loopback(urlsplit(origin).hostname or ""):
            self.trust_env = False
            self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        address = url.decode() if isinstance(url, bytes) else url
        assumed = f"https://{_authority(self.origin)}"
        if self.origin and address.startswith(f"{assumed}/"):
            address = self.origin + address.removeprefix(assumed)
        return super().request(method, address, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Raises RefusedError for another host or a redirect, UnreachableError for an answer beyond all bounds."""
        target = urlsplit(request.url or "")
        if not self.origin or f"{target.scheme}://{target.netloc}" != self.origin:
            raise RefusedError(
                Complaint(f"a request to {target.scheme}://{target.hostname} was stopped: the org is {self.origin}")
            )
        self.calls += 1
        kwargs.update(stream=True, allow_redirects=False)
        response = super().send(request, **kwargs)
        if response.is_redirect:
            response.close()
            there = urlsplit(response.headers.get("Location", ""))
            raise RefusedError(
                Complaint(
                    f"{self.origin} redirects to {there.hostname or target.hostname}; credentials do not follow",
                    mend="set instance_url to the org's My Domain, e.g. https://acme.my.salesforce.com",
                )
            )
        self._drain(response)
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never: what requests would do to look ahead reads an answer without bound."""
        return

    def _drain(self, response: requests.Response) -> None:
        """Read the answer, but not more than `max_bytes` of it once unpacked."""
        chunks, total, until = [], 0, time.monotonic() + ANSWER_SECONDS
        for chunk in response.iter_content(1 << 16):
            total += len(chunk)
            if time.monotonic() > until:
                response.close()
                raise UnreachableError(Complaint(f"{self.origin} did not finish its answer in {ANSWER_SECONDS:.0f} s"))
            if total > self.max_bytes:
                response.close()
                raise UnreachableError(
                    Complaint(f"{self.origin} sends more than {self.max_bytes} bytes, which no org does in one answer")
                )
            chunks.append(chunk)
        response._content = b"".join(chunks)


def _authority(origin: str) -> str:
    """Host and port as simple_salesforce writes them."""
    url = urlsplit(origin)
    return f"{url.hostname}:{url.port}" if url.port not in (None, 443) else f"{url.hostname}"


def _keep(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def carrier(session: OrgSession, token: str, api_version: str) -> "Salesforce":
    """simple_salesforce's client over our session."""
    from simple_salesforce.api import Salesforce  # noqa: PLC0415 (its import costs 150 ms that `--help` should not pay)

    return Salesforce(session_id=token, instance_url=session.origin, session=session, version=api_version)


def token_of(value: object, where: str) -> str:
    """A token as it may stand in a header. Raises NotAllowedError for what is none, without showing it."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise NotAllowedError(
            Complaint(f"{where} holds no access token", mend="see what the secret's source gives: one line, no quotes")
        )
    return text
