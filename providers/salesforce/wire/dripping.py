"""Connections whose answers have to be complete in time, however slowly they drip.

A socket's time limit is for one piece, and each piece starts it anew: an org, or what stands in its place, that sends
its headers a byte a minute keeps a client for ever. `requests` and `urllib3` know no limit for the whole; here the
stream that both read an answer from counts it.
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HEADER_SECONDS = 180.0
"""For the headers of one answer. Salesforce ends a request of its REST API after 120 s."""
ANSWER_SECONDS = 600.0
"""For the whole of one answer behind its headers."""


class OverdueError(TimeoutError):
    """The whole of an answer took too long, although its pieces came."""


def is_overdue(error: BaseException | None) -> bool:
    """Whether an `OverdueError` is at the bottom of what `requests` and `urllib3` wrapped around it."""
    while error is not None and not isinstance(error, OverdueError):
        error = error.__cause__ or error.__context__
    return error is not None


class _Timed(io.RawIOBase):
    """The bytes of one answer, until its time is up."""

    def __init__(self, stream: Any, connection: socket.socket) -> None:
        self._stream, self._connection = stream, connection
        self._piece = connection.gettimeout()
        self.until = time.monotonic() + HEADER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise OverdueError
        self._connection.settimeout(left if self._piece is None else min(left, self._piece))
        try:
            read: int | None = self._stream.readinto(buffer)
        except TimeoutError:
            if time.monotonic() < self.until:
                raise
            raise OverdueError from None
        self._connection.settimeout(self._piece)
        return read

    def close(self) -> None:
        self._stream.close()
        super().close()


class TimedResponse(HTTPResponse):
    """An answer of `http.client` whose headers, and whose whole, have to come in time."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._timed = _Timed(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._timed)

    def begin(self) -> None:
        super().begin()
        self._timed.until = time.monotonic() + ANSWER_SECONDS


class _Pool(HTTPConnectionPool):
    def _new_conn(self) -> Any:
        return _timed(super()._new_conn())


class _SecurePool(HTTPSConnectionPool):
    def _new_conn(self) -> Any:
        return _timed(super()._new_conn())


def _timed(connection: Any) -> Any:
    # On the connection and not by a class of ours: who records conversations puts a class of their own in its place.
    connection.response_class = TimedResponse
    return connection


class TimedAdapter(HTTPAdapter):
    """Carries the requests of a session, through a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        found = super().proxy_manager_for(*args, **kwargs)
        found.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return found


def mount(session: requests.Session) -> None:
    """Have all requests of a session carried by such connections."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, TimedAdapter())
