"""One HTTP session to one org: bound to its host, with time limits, bounded answers and no redirects.

`simple_salesforce` carries the session for REST. Its habits that matter here: it writes `https://` in
front of every host, which `OrgSession.request` turns back into the org's real address; and its `.mdapi` goes around the
session and brings zeep, so it is never touched: SOAP is spoken in `metadata_api`.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.utils import get_environ_proxies

from providers.salesforce.wire import dripping
from providers.salesforce.wire.hosts import is_loopback
from providers.salesforce.wire.polling import PassingError
from providers.salesforce.wire.surroundings import BUNDLES
from reconciler.errors import Complaint, NotAllowedError, RefusedError, UnreachableError
from reconciler.xml.markup import is_json_crowd, is_xml

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

CONNECT_SECONDS, READ_SECONDS = 10.0, 120.0
"""To connect, and between two pieces of an answer."""
MAX_ANSWER_BYTES = 128 * 1024 * 1024
"""More than the 39 MB of a retrieve in base64 with the properties of 10,000 files."""

QUOTES = "\"'`"
STRANGER = "check instance_url, and what stands between this machine and the org"
"""What to do about an answer that no org gives."""


class OrgSession(requests.Session):
    """Talks to one origin only. Bind it before the first request."""

    def __init__(self, *, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        super().__init__()
        dripping.mount(self)
        self._origin = ""
        self._find: Callable[[], object] | None = None
        self.max_bytes = max_bytes
        self.calls = 0
        """Requests sent so far."""
        self.report: Callable[[str], None] | None = None
        """Called with a line for each call: what was asked, the answer's status and size, and how long it took."""
        self.ahead: float | None = None
        """Seconds that our clock was ahead of the org's in its last answer; `None` if no answer had the time."""
        # With credentials of its own, requests would prefer those of a netrc file to the token that we send.
        self.auth = _keep
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    @property
    def origin(self) -> str:
        """Scheme, host and port of the org. Where only a login tells, this logs in, and raises what that raises."""
        if not self._origin and self._find is not None:
            self._find()
        return self._origin

    def bind_by(self, find: Callable[[], object]) -> None:
        """Set how the session is bound when an org's place is not known yet: `find` logs in and binds it."""
        self._find = find

    def bind(self, origin: str) -> None:
        """Bind the session to the one origin that it may send anything to."""
        self._origin = origin
        # The environment is asked once, not for each call, which took a tenth of a call's time. A proxy has no business
        # between us and our own machine.
        self.trust_env = False
        self.proxies = {} if is_loopback(urlsplit(origin).hostname or "") else get_environ_proxies(origin)
        self.verify = next((bundle for name in BUNDLES if (bundle := os.environ.get(name))), True)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        address = url.decode() if isinstance(url, bytes) else url
        assumed = f"https://{_authority(self.origin)}"
        if self.origin and address.startswith(f"{assumed}/"):
            address = self.origin + address.removeprefix(assumed)
        return super().request(method, address, *args, **kwargs)

    def look(self, url: str, params: dict[str, str]) -> requests.Response:
        """A GET that carries no credential and whose redirect is the answer: where an org would send a browser."""
        request = self.prepare_request(requests.Request("GET", url, params=params, headers={"Accept": "text/html"}))
        settings = self.merge_environment_settings(request.url, {}, None, None, None)
        return self.send(request, redirect_is_answer=True, timeout=(CONNECT_SECONDS, READ_SECONDS), **settings)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request. Raises RefusedError for another host or a redirect, UnreachableError for an answer beyond all
        bounds."""
        target = urlsplit(request.url or "")
        if not self.origin or f"{target.scheme}://{target.netloc}" != self.origin:
            raise RefusedError(
                Complaint(f"a request to {target.scheme}://{target.hostname} was stopped: the org is {self.origin}")
            )
        redirect_is_answer = kwargs.pop("redirect_is_answer", False)
        self.calls += 1
        kwargs.update(stream=True, allow_redirects=False)
        begun = time.monotonic()
        try:
            response = super().send(request, **kwargs)
        except requests.RequestException as lost:
            if self.report is not None:
                self.report(f"{_asked(request)}: {type(lost).__name__}")
            raise
        self.ahead = _ahead(response.headers.get("Date", ""))
        if response.is_redirect and not redirect_is_answer:
            response.close()
            raise RefusedError(
                Complaint(
                    f"{self.origin} redirects to {_host(response) or target.hostname}; credentials do not follow",
                    mend="set instance_url to the org's My Domain, e.g. https://acme.my.salesforce.com",
                )
            )
        self._drain(response)
        if self.report is not None:
            size, took = len(response._content or b""), time.monotonic() - begun
            self.report(f"{_asked(request)}: {response.status_code}, {size:,} bytes, {took:.2f} s")
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return `None`, always: what requests would do to look ahead reads an answer without bound."""
        return

    def _drain(self, response: requests.Response) -> None:
        """Read the answer, but not more than `max_bytes` of it once unpacked."""
        chunks, total, until = [], 0, time.monotonic() + dripping.ANSWER_SECONDS
        late = Complaint(f"{self.origin} did not finish its answer in {dripping.ANSWER_SECONDS:.0f} s", mend=STRANGER)
        try:
            for chunk in response.iter_content(1 << 16):
                total += len(chunk)
                # Of what no socket carries, a tape or a server in this process, too.
                if time.monotonic() > until:
                    response.close()
                    raise UnreachableError(late)
                if total > self.max_bytes:
                    response.close()
                    raise UnreachableError(
                        Complaint(
                            f"{self.origin} sends more than {self.max_bytes} bytes, which no org does in one answer",
                            mend=STRANGER,
                        )
                    )
                chunks.append(chunk)
        except requests.ConnectionError as lost:
            if dripping.is_overdue(lost):
                raise UnreachableError(late) from None
            raise
        response._content = b"".join(chunks)
        # Salesforce speaks UTF-8; to guess would take minutes for an answer of this size that is none.
        response.encoding = "utf-8"
        if is_xml(response._content):
            return
        if is_json_crowd(response._content):
            raise UnreachableError(
                Complaint(f"{self.origin} sends more values than any org does in one answer", mend=STRANGER)
            )
        try:
            response._content.decode()
        except UnicodeDecodeError:
            raise PassingError(
                Complaint(
                    f"{self.origin} answers in another encoding than UTF-8",
                    mend=STRANGER,
                )
            ) from None


def _asked(request: requests.PreparedRequest) -> str:
    """Method and path, and a query's text: what else stands behind a `?` may be of a login."""
    target = urlsplit(request.url or "")
    query = parse_qs(target.query).get("q", [""])[0]
    return f"{request.method} {target.path}{f' {query}' if query else ''}"


def _host(redirect: requests.Response) -> str:
    """The host that a redirect leads to; empty for the same host, and for what is no address."""
    try:
        return urlsplit(redirect.headers.get("Location", "")).hostname or ""
    except ValueError:
        return ""


def _ahead(date: str) -> float | None:
    """Our time minus that of an HTTP date, in seconds. It has whole seconds, and was on its way for a while."""
    try:
        there = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return None
    there = there if there.tzinfo is not None else there.replace(tzinfo=UTC)
    return (datetime.now(UTC) - there).total_seconds()


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
    if len(text) > 2 and text[0] == text[-1] and text[0] in QUOTES:
        raise NotAllowedError(
            Complaint(f"{where} stands in quotes, which are no part of a token", mend="take the quotes away")
        )
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise NotAllowedError(
            Complaint(f"{where} holds no access token", mend="see what the secret's source gives: one line, no quotes")
        )
    return text
