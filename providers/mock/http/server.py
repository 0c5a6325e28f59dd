"""Serves an org over HTTP or TLS, to this machine only."""

from __future__ import annotations

import ipaddress
import random
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from providers.mock.http.breaking import WAIT, Hangup
from providers.mock.http.connection import Connection
from providers.mock.http.wsgi import application
from providers.mock.org import Org

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from providers.mock.faults import Faults

_CONNECTIONS = 1000
"""The Salesforce CLI, making a manifest of an org, opens 500 at once; one that is refused costs a type without a word."""
_FILES = 4 * _CONNECTIONS + 100
"""A connection is a socket, and up to three files of the org."""
_ENDING = 3.0
"""Seconds that answers which are being made may still take when the server ends."""

Latency = float | tuple[float, float]
"""Seconds that every answer takes longer, or the least and the most of them."""


class Served(NamedTuple):
    """Where an org is served; `certificate` is what its clients have to trust, None without TLS."""

    url: str
    certificate: Path | None = None


def serve(
    org: Org,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: bool = False,
    faults: Faults | None = None,
    latency: Latency = 0.0,
    ready: Callable[[Served], None] | None = None,
) -> None:
    """Serve `org` until interrupted or terminated; `ready` is called with the address once connections are accepted.

    Raises `ValueError` for a `host` that others can reach: the org has no passwords. Port 0 takes a free one. With
    `tls` a certificate is made; it lies beside the org's file for as long as this lasts, under a name that is the same
    each time for the same port (`dev.db.8443.pem`), so that what clients were given stays true. Its key lies nowhere.
    """
    with (
        _ending_on_terminate(),
        _listening(org, host, port, tls, faults, latency) as (listener, served),
        # An interrupt ends the loop, and one that arrives before it is no error either.
        suppress(KeyboardInterrupt, SystemExit),
    ):
        if ready is not None:
            ready(served)
        listener.serve_forever(0.5)


@contextmanager
def serving(
    org: Org,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: bool = False,
    faults: Faults | None = None,
    latency: Latency = 0.0,
) -> Iterator[Served]:
    """Serve `org` from a thread of this process for as long as the block lasts, as `serve` does.

    `with serving(org, tls=True) as (url, certificate): requests.get(url, verify=certificate)`
    """
    with _listening(org, host, port, tls, faults, latency) as (listener, served):
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            listener.shutdown()
            thread.join()


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Accepts connections and keeps account of them, so that it can end them."""

    allow_reuse_address = True
    request_queue_size = 128
    # We join the threads ourselves, after we have ended what they are waiting for.
    block_on_close = False

    def __init__(self, org: Org, family: socket.AddressFamily, address: tuple[str, int], app: WSGIApplication) -> None:
        self.address_family = family
        self.app = app
        self.tls: ssl.SSLContext | None = None
        self._org = org
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)
        self._ending = threading.Event()
        super().__init__(address, Connection)

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds. Raises Hangup where the server ends before they are over."""
        if self._ending.wait(seconds):
            raise Hangup

    def process_request(self, request: Any, client_address: Any) -> None:
        # More than that are closed at once: a client that opens so many is a broken one.
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        worker = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        # Here and not in the thread, which may not have begun when the server ends.
        with self._lock:
            self._workers.add(worker)
        self.opened(request)
        worker.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.closed(request)
            self._org.leave()
            self._slots.release()
            with self._lock:
                self._workers.discard(threading.current_thread())

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        if self._ending.is_set():
            _shut(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away, or cannot agree on TLS, is none of our errors.
        if not isinstance(sys.exception(), (OSError, Hangup)):
            super().handle_error(request, client_address)

    def end(self) -> None:
        """Close every connection, whatever it is in the middle of, and let the threads go."""
        self._ending.set()
        self.server_close()
        with self._lock:
            connections, workers = list(self._connections), list(self._workers)
        for connection in connections:
            _shut(connection)
        deadline = time.monotonic() + _ENDING
        for worker in workers:
            # A signal may have come before the last one was started, and then there is nothing to wait for.
            with suppress(RuntimeError):
                worker.join(max(0.0, deadline - time.monotonic()))


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        # Of TLS too: it is the thread's connection, and this only wakes the thread.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


@contextmanager
def _listening(
    org: Org, host: str, port: int, tls: bool, faults: Faults | None, latency: Latency
) -> Iterator[tuple[Listener, Served]]:
    if host != "localhost" and not _loopback(host):
        raise ValueError(f"the mock org is served on loopback only, not on {host}")
    _allow_files()
    app = application(org)
    if faults is not None:
        app = faults.around(app, org)
    if latency:
        app = _delayed(app, latency)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = Listener(org, family, ("127.0.0.1" if host == "localhost" else host, port), app)
    certificate: Path | None = None
    try:
        scheme, port = "https" if tls else "http", listener.server_address[1]
        if tls:
            # Costs as much as all the rest of starting, so only who asks for TLS pays for it.
            from providers.mock.http.tls import keep, server_context  # noqa: PLC0415

            listener.tls, text = server_context(host)
            certificate = org.file.with_name(f"{org.file.name}.{port}.pem").absolute()
            keep(text, certificate)
        yield listener, Served(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}", certificate)
    finally:
        listener.end()
        if certificate is not None:
            certificate.unlink(missing_ok=True)


def _allow_files() -> None:
    """Let this process open as many files as its connections need; often 1024 are allowed, and more if one asks."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # Windows has no such limit
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _delayed(app: WSGIApplication, latency: Latency) -> WSGIApplication:
    least, most = latency if isinstance(latency, tuple) else (latency, latency)

    def later(environ: Any, start_response: Any) -> Any:
        environ[WAIT](random.uniform(least, most))  # noqa: S311 (no one has to guess it)
        return app(environ, start_response)

    return later


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _ending_on_terminate() -> Iterator[None]:
    """Treat SIGTERM as an interrupt. Only the main thread may choose what a signal does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
