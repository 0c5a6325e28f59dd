"""Mounts the application into a `requests` session: same bytes as over a socket, and no socket."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse

from providers.mock.org import Org
from providers.mock.wsgi import application

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def mount(session: requests.Session, org: Org, url: str | None = None) -> str:
    """Let *session* reach *org* under the returned base URL; everything else goes where it went before.

    The default host is in `.invalid`, which no resolver knows (RFC 2606): a request that slips past the mount cannot
    reach anybody.
    """
    base = (url or f"https://{re.sub('[^a-z0-9]+', '-', org.name.lower())}-dev.mock.invalid").rstrip("/")
    # With the slash, so that no other host which begins like ours is caught.
    session.mount(f"{base}/", _Adapter(application(org)))
    return base


class _Adapter(BaseAdapter):
    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer *request* by calling the application in this thread."""
        status: list[str] = []
        headers: list[tuple[str, str]] = []

        def start_response(
            line: str, sent: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], object]:
            status[:], headers[:] = [line], sent
            return lambda _: None

        chunks = self._app(_environ(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return _response(request, status[0], headers, body)

    def close(self) -> None:
        """Nothing to close: the org belongs to who opened it."""


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
    request: requests.PreparedRequest, line: str, headers: list[tuple[str, str]], body: bytes
) -> requests.Response:
    code, _, reason = line.partition(" ")
    raw = HTTPResponse(
        body=io.BytesIO(body),
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
