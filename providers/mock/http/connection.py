"""One connection of a client: requests in, answers out, HTTP/1.1, kept alive.

A thread each, so that a slow, a silent or a broken client keeps no other client waiting; what any of them may send is bounded.
Written on `http.server` of the standard library, since the servers that are ready to be had shake hands for TLS in the
loop that accepts, hold a few threads for all, or close after every answer.
"""

from __future__ import annotations

import io
import re
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

from providers.mock.http.breaking import WAIT, Hangup, Reset
from providers.mock.http.wsgi import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from providers.mock.http.server import Listener

_IDLE = 120.0
"""Seconds that a client may say nothing in, between two requests or inside one, and that one piece of an answer takes."""
_HEAD = 60.0
"""Seconds for the headers of a request, from its first line on, however slowly they drip."""
_BODY = 600.0
"""Seconds for the body of a request."""
_HANDSHAKE = 0x16
_CONTROL = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_LINE = 4096
_PIECE = 64 * 1024

_BROKEN_HEADERS = (MissingHeaderBodySeparatorDefect, FirstHeaderLineIsContinuationDefect)
"""Other defects are about the parts of a body, which the parser of headers misses in every multipart request."""


class Connection(BaseHTTPRequestHandler):
    """Answers the requests of one client, one after the other."""

    protocol_version = "HTTP/1.1"
    # What the library takes a request for that it cannot read; to one of 0.9 it answers without a status.
    default_request_version = "HTTP/1.0"
    server_version, sys_version = "mock", ""
    timeout = _IDLE
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        self.request.settimeout(_IDLE)
        context = self.server.tls
        if context is not None:
            if self.request.recv(1, socket.MSG_PEEK) not in {b"", bytes([_HANDSHAKE])}:
                # Closing with something unread would reset the connection, and the answer with it.
                self.request.recv(_PIECE)
                self.request.sendall(_PLAIN)
                raise Hangup
            # Here and not where connections are accepted: a client that says nothing would keep all others out.
            self.request = context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
            self.server.opened(self.request)
            try:
                self.request.do_handshake()
            except BaseException:
                self.server.closed(self.request)
                self.request.close()
                raise
        super().setup()
        # Kept, since what follows counts the time of a whole request: the socket counts that of one piece only.
        self._incoming = _Incoming(self.rfile.detach(), self.connection)
        self.rfile = io.BufferedReader(self._incoming)

    def handle(self) -> None:
        try:
            super().handle()
        except Reset:
            self.close_connection = True
            # Closed with a time of zero to linger, TCP sends RST. The files over the socket keep it open: they go first.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        except (Hangup, OSError):
            self.close_connection = True

    def finish(self) -> None:
        self.server.closed(self.request)
        # After a reset there is nothing left to flush into.
        if not self.wfile.closed:
            super().finish()

    def handle_one_request(self) -> None:
        # Between two requests as well: a first line that drips is a client that says nothing.
        self._incoming.finish_within(_IDLE)
        self.raw_requestline = self.rfile.readline(64 * 1024 + 1)
        if self.raw_requestline == b"\r\n":
            # Some clients send an empty line behind a body (RFC 9112, 2.2).
            self.raw_requestline = self.rfile.readline(64 * 1024 + 1)
        if len(self.raw_requestline) > 64 * 1024:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        if not self.raw_requestline.endswith(b"\n"):
            # Nothing more comes: the end of a kept connection, or a client that went away in the middle of a line.
            self.close_connection = True
            return
        self._incoming.finish_within(_HEAD)
        if not self.parse_request():
            return
        self._incoming.finish_within(_BODY)
        try:
            self._check_headers()
            body = self._body()
        except ValueError as wrong:
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, str(wrong))
            return
        self._answer(body)
        if not self.close_connection:
            self.close_connection = not body.drained()

    def log_message(self, *_: Any) -> None:
        """Write nothing to the terminal: the command that serves uses it."""

    # -- in -----------------------------------------------------------------------------------------------------------

    def _check_headers(self) -> None:
        """Raise `ValueError` for headers that other programs read differently, as after a line without a colon."""
        broken = any(isinstance(each, _BROKEN_HEADERS) for each in self.headers.defects)
        if broken or any(_CONTROL.search(each) for each in self.headers.values()):
            raise ValueError("A header is not a name, a colon and a value on one line")
        hosts = self.headers.get_all("Host", [])
        if len(hosts) > 1 or (not hosts and self.request_version >= "HTTP/1.1"):
            raise ValueError("There is one Host")
        # All addresses in answers are made of it.
        if hosts and not _HOST.fullmatch(hosts[0].strip()):
            raise ValueError("Host is a name or an address, and perhaps a port")

    def _body(self) -> _Body:
        coding = self.headers.get_all("Transfer-Encoding", [])
        lengths = {each.strip() for each in self.headers.get_all("Content-Length", [])}
        if coding:
            modern = self.request_version >= "HTTP/1.1"
            if [each.strip().lower() for each in coding] != ["chunked"] or lengths or not modern:
                raise ValueError("Transfer-Encoding is chunked and nothing else, and without a Content-Length")
            return _Body(_dechunked(self.rfile))
        length = lengths.pop() if lengths else "0"
        if lengths or not (length.isascii() and length.isdigit() and len(length) <= 15):
            raise ValueError("Content-Length is one number")
        return _Body(_counted(self.rfile, int(length)))

    def _environ(self, body: _Body) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        if not path.startswith("/") and "://" in path:
            path = "/" + path.partition("://")[2].partition("/")[2]
        host, port = self.server.server_address[:2]
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command or "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": str(self.client_address[0]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self.server.tls else "http",
            "wsgi.input": io.BufferedReader(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            WAIT: self.server.wait,
        }
        for name in set(self.headers.keys()):
            # A name with "_" could pass for another one with "-".
            if "_" not in name:
                key = name.upper().replace("-", "_")
                key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
                environ[key] = ",".join(each.strip() for each in self.headers.get_all(name, []))
        return environ

    # -- out ----------------------------------------------------------------------------------------------------------

    def _answer(self, body: _Body) -> None:
        head: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(line: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., object]:
            head[:] = [(line, headers)]
            return lambda _: None

        pieces: Iterable[bytes] = ()
        self._begun = False
        try:
            pieces = self.server.app(self._environ(body), start_response)
            self._send(*head[0], pieces)
        except (Reset, Hangup, OSError):
            raise
        except _TooLargeError:
            self.close_connection = True
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except Exception:  # whatever went wrong, the client hears of it and the server stays
            traceback.print_exc(file=sys.stderr)
            self.close_connection = True
            # Behind the beginning of an answer it would pass for its rest.
            if not self._begun:
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _send(self, line: str, headers: list[tuple[str, str]], pieces: Iterable[bytes]) -> None:
        code = int(line.partition(" ")[0])
        names = {name.lower() for name, _ in headers}
        bodiless = self.command == "HEAD" or code in {204, 304}
        modern = self.request_version >= "HTTP/1.1"
        chunked = not bodiless and "content-length" not in names and modern
        if not bodiless and "content-length" not in names and not modern:
            self.close_connection = True
        lines = [
            f"HTTP/1.1 {line}",
            f"Date: {self.date_time_string()}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        lines += ["Transfer-Encoding: chunked"] if chunked else []
        lines += ["Connection: close"] if self.close_connection else [] if modern else ["Connection: keep-alive"]
        # In one packet with the first piece of the body, as far as there is one.
        waiting = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._begun = True
        try:
            for piece in pieces:
                if piece and not bodiless:
                    self.wfile.write(waiting + (b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece))
                    waiting = b""
        finally:
            # What was written before it broke off, the client is to see.
            waiting += b"0\r\n\r\n" if chunked and sys.exc_info()[0] is None else b""
            if waiting:
                self.wfile.write(waiting)


_PLAIN = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 38\r\nConnection: close\r\n\r\n"
    b"This port speaks https and not http.\r\n"
)


class _Incoming(io.RawIOBase):
    """The bytes that a client sends; reading raises `TimeoutError` when they come too slowly."""

    def __init__(self, stream: Any, connection: socket.socket) -> None:
        self._stream, self._connection = stream, connection
        self._until = time.monotonic() + _IDLE

    def finish_within(self, seconds: float) -> None:
        """Set the time limit, in seconds, for everything that is read from now on, together."""
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client sends too slowly")
        self._connection.settimeout(min(left, _IDLE))
        try:
            read: int | None = self._stream.readinto(buffer)
        finally:
            self._connection.settimeout(_IDLE)
        return read

    def close(self) -> None:
        self._stream.close()
        super().close()


class _TooLargeError(Exception):
    """Raised where a body of unknown length turns out to be longer than any may be."""


class _Body(io.RawIOBase):
    """A request's body, which ends where the request does."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = next(self._pieces, b"")
            self._read += len(self._left)
            # Not more than that: who reads no further than it is allowed to would take the beginning for the whole.
            if self._read >= MAX_BODY:
                raise _TooLargeError
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        """Do nothing: a reader may close the body, and the rest of it has still to be read off the connection."""

    def drained(self) -> bool:
        """Read what the application left, so that the next request can be found; False when that is too much."""
        for piece in self._pieces:
            self._read += len(piece)
            if self._read > MAX_BODY:
                return False
        return True


def _counted(stream: BinaryIO | io.BufferedIOBase, length: int) -> Iterator[bytes]:
    while length > 0:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise Hangup
        length -= len(piece)
        yield piece


def _dechunked(stream: BinaryIO | io.BufferedIOBase) -> Iterator[bytes]:
    while size := _chunk_size(stream.readline(_LINE)):
        yield from _counted(stream, size)
        if stream.readline(_LINE) != b"\r\n":
            raise Hangup
    # Trailers mean nothing here. They are headers, and bounded as those are.
    for _ in range(100):
        if stream.readline(_LINE) in {b"\r\n", b""}:
            return
    raise Hangup


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    # int() takes signs, spaces and underscores, which RFC 9112 does not.
    if not line.endswith(b"\n") or not 0 < len(digits) <= 8 or digits.strip(b"0123456789abcdefABCDEF"):
        raise Hangup
    return int(digits, 16)
