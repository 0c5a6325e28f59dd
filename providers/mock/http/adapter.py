"""Mounts the application into a `requests` session: same bytes as over a socket, and no socket."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable, Iterable
from http.client import RemoteDisconnected
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError

from providers.mock.http.breaking import WAIT, Hangup, Reset
from providers.mock.http.wsgi import application
from providers.mock.org import Org

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from providers.mock.faults import Faults


def mount(session: requests.Session, org: Org, url: str | None = None, *, faults: Faults | None = None) -> str:
    """Let `session` reach `org` under the returned base URL; everything else goes where it went before.

    The default host is in `.invalid`, which no resolver knows (RFC 2606): a request that slips past the mount cannot
    reach anyone. `faults` happen as far as they can without a socket: the session sees the exception that it would
    see over one, and never waits longer than it was ready to.
    """
    base = (url or f"https://{re.sub('[^a-z0-9]+', '-', org.name.lower())}-dev.mock.invalid").rstrip("/")
    app = application(org)
    # With the slash, so that no other host which begins like ours is caught.
    session.mount(f"{base}/", _Adapter(app if faults is None else faults.around(app, org)))
    return base


class _Adapter(BaseAdapter):
    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *_: Any,
        **__: Any,
    ) -> requests.Response:
        """Answer `request` by calling the application in this thread."""
        status: list[str] = []
        headers: list[tuple[str, str]] = []

        def start_response(
            line: str, sent: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], object]:
            status[:], headers[:] = [line], sent
            return lambda _: None

        try:
            chunks = self._app({**_environ(request), WAIT: _waiting(timeout)}, start_response)
        except Reset:
            raise requests.ConnectionError(
                _aborted(ConnectionResetError(104, "reset by peer")), request=request
            ) from None
        except Hangup:
            closed = RemoteDisconnected("Remote end closed connection without response")
            raise requests.ConnectionError(_aborted(closed), request=request) from None
        except TimeoutError as late:
            raise requests.ReadTimeout(str(late), request=request) from None
        return _response(request, status[0], headers, _Stream(chunks))

    def close(self) -> None:
        """Do nothing: the org belongs to the code that opened it."""


def _aborted(cause: Exception) -> ProtocolError:
    return ProtocolError("Connection aborted.", cause)


def _waiting(timeout: Any) -> Callable[[float], None]:
    """Return a function that waits, or raises a time-out at once if the session would not wait that long."""
    patience = timeout[1] if isinstance(timeout, tuple) else getattr(timeout, "read_timeout", timeout)

    def wait(seconds: float) -> None:
        if patience is not None and seconds >= patience:
            raise TimeoutError(f"Read timed out. (read timeout={patience})")
        time.sleep(seconds)

    return wait


class _Stream(io.RawIOBase):
    """The body of an answer, which the application may still be making."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._pieces, self._left = chunks, iter(chunks), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            try:
                piece = next(self._pieces, None)
            except Reset:
                raise ConnectionResetError(104, "Connection reset by peer") from None
            except Hangup:
                piece = None
            if piece is None:
                return 0
            self._left = piece
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None and not self.closed:
            close()
        super().close()


def _environ(request: requests.PreparedRequest) -> WSGIEnvironment:
    parts = urlsplit(request.url or "")
    body = _body(request.body)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method or "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "HTTP_HOST": parts.netloc.rpartition("@")[2],
    }
    for name, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ["CONTENT_TYPE"] = text
        elif key not in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
            environ[f"HTTP_{key}"] = text
    return environ


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if hasattr(body, "read"):
        return bytes(body.read())
    pieces: Iterable[bytes] = body
    return b"".join(pieces)


def _response(
    request: requests.PreparedRequest, line: str, headers: list[tuple[str, str]], body: _Stream
) -> requests.Response:
    code, _, reason = line.partition(" ")
    raw = HTTPResponse(
        body=io.BufferedReader(body),
        headers=HTTPHeaderDict(headers),
        status=int(code),
        reason=reason,
        preload_content=False,
        request_method=request.method,
    )
    response = requests.Response()
    response.status_code, response.reason = int(code), reason
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.raw, response.url, response.request = raw, request.url or "", request
    return response
