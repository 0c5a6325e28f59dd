"""Recognises which API call a request is, sends it on to the org, and builds the answers that faults give instead."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from providers.mock.http.breaking import WAIT
from providers.mock.metadata.answer import fault as soap_fault
from providers.mock.state import sessions
from providers.mock.state.errors import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from providers.mock.org import Org

_V = r"/services/data/v\d+\.0"
REST: tuple[tuple[str, str, str], ...] = (
    ("token", "POST", r"/services/oauth2/token/?"),
    ("authorize", "GET POST", r"/services/oauth2/authorize/?"),
    ("revoke", "GET POST", r"/services/oauth2/revoke/?"),
    ("introspect", "POST", r"/services/oauth2/introspect/?"),
    ("userinfo", "GET POST", r"/services/oauth2/userinfo/?"),
    ("identity", "GET", r"/id/\w+/\w+/?"),
    ("versions", "GET", r"/services/data/?"),
    ("resources", "GET", _V + r"/?"),
    ("limits", "GET", _V + r"/limits/?"),
    ("query", "GET", _V + r"/(?:query|queryAll)/?"),
    ("toolingQuery", "GET", _V + r"/tooling/(?:query|queryAll)/?"),
    ("queryMore", "GET", _V + r"/(?:tooling/)?(?:query|queryAll)/[^/]+"),
    ("deployRequest", "POST", _V + r"/metadata/deployRequest/?"),
    ("deployRequestStatus", "GET", _V + r"/metadata/deployRequest/\w+/?"),
    ("deployRequestCancel", "PATCH", _V + r"/metadata/deployRequest/\w+/?"),
    ("record", "GET", _V + r"/(?:tooling/)?sobjects/.*"),
    ("create", "POST", _V + r"/(?:tooling/)?sobjects/\w+/?"),
    ("update", "PATCH", _V + r"/(?:tooling/)?sobjects/\w+/\w+/?"),
    ("remove", "DELETE", _V + r"/(?:tooling/)?sobjects/\w+/\w+/?"),
    ("credentials", "GET POST PATCH DELETE", _V + r"/apps/oauth/.*"),
)
"""Names of REST calls, with their methods and paths; the first that fits."""
SOAP = (
    "cancelDeploy", "checkDeployStatus", "checkRetrieveStatus", "checkStatus", "createMetadata", "deleteMetadata",
    "deploy", "deployRecentValidation", "describeMetadata", "describeValueType", "listMetadata", "login",
    "readMetadata", "renameMetadata", "retrieve", "updateMetadata", "upsertMetadata",
)  # fmt: skip
"""Names of SOAP calls: the operation, which is the first element of the body, whatever SOAPAction says."""
GROUPS = ("*", "soap", "rest")
_REST = tuple((name, frozenset(methods.split()), re.compile(path)) for name, methods, path in REST)
_PEEK = 64 * 1024
_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}Body"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets: `line` is status and reason, `body` may have no end."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | Iterable[bytes]

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)

    @property
    def is_xml(self) -> bool:
        return self.content.lstrip().startswith(b"<?xml")

    def having(self, body: bytes) -> Answer:
        """Return the same answer with another body, and with the length of that."""
        return replace(self, body=body, headers=self._without_length((("Content-Length", str(len(body))),)))

    def streaming(self, body: Iterable[bytes], length: int | None = None) -> Answer:
        """Return the same answer with a body that is made while it is sent, chunked unless `length` is claimed."""
        return replace(
            self,
            body=body,
            headers=self._without_length((("Content-Length", str(length)),) if length is not None else ()),
        )

    def _without_length(self, beside: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return (*(each for each in self.headers if each[0].lower() != "content-length"), *beside)


class Missed(Exception):  # noqa: N818 (nothing is wrong: the fault waits for the next call)
    """The fault has nothing to act upon in this answer, which goes out as it is; the rule has not been used."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `operation` is its name in `SOAP` or `REST`, "" for any other."""

    operation: str
    method: str
    path: str
    token: str
    is_soap: bool
    wait: Callable[[float], None]
    """Waits so many seconds, or less when the server ends; in process, not longer than the client would."""
    end_sessions: Callable[[], bool]
    """Ends every session of the user whose token this call brought; False where it brought none that is good."""
    answer: Callable[[], Answer]
    """Lets the org do what was asked and returns what it says."""

    def fits(self, pattern: str) -> bool:
        """Whether `pattern`, a name, a group or `[METHOD ]/path/*`, means this call."""
        if pattern in GROUPS:
            return pattern == "*" or (pattern == "soap") == self.is_soap
        if "/" not in pattern:
            return pattern == self.operation
        method, _, path = pattern.rpartition(" ")
        return method in {"", self.method} and fnmatch.fnmatchcase(self.path, path)

    def refusal(self, code: str, text: str, status: int = 0) -> Answer:
        """Return a refusal in the form of this call: a SOAP fault, an error of OAuth, or the array of REST."""
        if self.is_soap:
            return page(status or 500, soap_fault(code, text), "text/xml; charset=utf-8")
        if self.path.startswith("/services/oauth2/") and self.operation != "userinfo":
            return json_page(status or 400, {"error": code, "error_description": text})
        return json_page(status or _STATUS.get(code, 400), [{"message": text, "errorCode": code}])


_STATUS = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "INSUFFICIENT_ACCESS": 403,
    "NOT_FOUND": 404,
    "UNKNOWN_EXCEPTION": 500,
    "SERVER_UNAVAILABLE": 503,
}
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout",
    420: "Enhance Your Calm", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


def page(status: int, body: bytes, content_type: str) -> Answer:
    line = f"{status} {REASONS.get(status, 'Unknown')}"
    return Answer(line, (("Content-Type", content_type), ("Content-Length", str(len(body)))), body)


def json_page(status: int, value: object) -> Answer:
    return page(status, json.dumps(value).encode(), "application/json;charset=UTF-8")


def read(environ: WSGIEnvironment, app: WSGIApplication, org: Org) -> Call:
    """Return the call that a request makes. Of its body only the beginning is read."""
    method, path = str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"])
    is_soap = method == "POST" and path.startswith("/services/Soap/")
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    operation = ""
    if is_soap:
        begin = environ["wsgi.input"].read(_length(environ, _PEEK))
        environ = {**environ, "wsgi.input": _Rejoined(begin, environ["wsgi.input"])}
        operation, session = _soap(begin)
        token = session or token
    else:
        operation = next((name for name, methods, each in _REST if method in methods and each.fullmatch(path)), "")
    return Call(
        operation, method, path, token, is_soap, environ[WAIT],
        end_sessions=lambda: _end_sessions(org, token),
        answer=lambda: _ask(app, environ),
    )  # fmt: skip


def _end_sessions(org: Org, token: str) -> bool:
    with org.writing(settle=False) as world:
        try:
            sessions.end(world.db, sessions.session(world.db, token).user.id)
        except Fault:
            return False
    return True


def _length(environ: Mapping[str, Any], most: int) -> int:
    if environ.get("wsgi.input_terminated"):
        return most
    text = str(environ.get("CONTENT_LENGTH") or "0")
    return min(most, int(text)) if text.isdigit() else 0


def _soap(begin: bytes) -> tuple[str, str]:
    """Return the operation and the session id that an envelope begins with, "" for what is not there."""
    parser = etree.XMLPullParser(events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False)
    session, inside = "", False
    # What comes before a mistake is enough, if there is anything.
    with suppress(etree.XMLSyntaxError):
        parser.feed(begin)
    with suppress(etree.XMLSyntaxError):
        for event, found in parser.read_events():
            element = cast("etree._Element", found)
            name = etree.QName(element).localname if isinstance(element.tag, str) else ""
            if event == "end" and name == "sessionId" and not inside:
                session = (element.text or "").strip()
            elif event == "start" and element.tag == _ENVELOPE:
                inside = True
            elif event == "start" and inside and name:
                return name, session
    return "", session


class _Rejoined:
    """A request body of which the beginning was already read: gives that beginning again, then the rest."""

    def __init__(self, begin: bytes, rest: Any) -> None:
        self._begin, self._rest = begin, rest

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            begin, self._begin = self._begin, b""
            return begin + bytes(self._rest.read())
        if self._begin:
            begin, self._begin = self._begin[:size], self._begin[size:]
            return begin
        return bytes(self._rest.read(size))

    def readline(self, size: int = -1) -> bytes:
        line = b""
        while not line.endswith(b"\n") and (size < 0 or len(line) < size) and (piece := self.read(1)):
            line += piece
        return line

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


def _ask(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    head: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(line: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., object]:
        head[:] = [(line, headers)]
        return lambda _: None

    pieces = app(environ, start_response)
    try:
        body = b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    line, headers = head[0]
    return Answer(line, tuple(headers), body)
