"""Serves an org over HTTP, to this machine only."""

from __future__ import annotations

import ipaddress
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import waitress  # type: ignore[import-untyped]  # ships no types

from providers.mock.org import Org
from providers.mock.wsgi import MAX_BODY, application


def serve(org: Org, host: str = "127.0.0.1", port: int = 0, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve *org* until interrupted or terminated; *ready* gets the URL once connections are accepted.

    Raises ``ValueError`` for a *host* that others can reach: the org has no passwords. Port 0 takes a free one.
    """
    if host != "localhost" and not _loopback(host):
        raise ValueError(f"the mock org is served on loopback only, not on {host}")
    server = waitress.create_server(
        application(org),
        host=host,
        port=port,
        threads=4,
        ident="mock",
        max_request_body_size=MAX_BODY,
        clear_untrusted_proxy_headers=True,
    )
    try:
        shown = f"[{host}]" if ":" in host else host
        with _ending_on_terminate():
            if ready is not None:
                ready(f"http://{shown}:{_port(server)}")
            server.run()
    except (KeyboardInterrupt, SystemExit):
        # Waitress ends its loop on both; they come here when they arrive before the loop began.
        return
    finally:
        server.close()


def _port(server: object) -> int:
    # "localhost" may stand for an IPv4 and an IPv6 address: then waitress makes several servers in one.
    listening = getattr(server, "effective_listen", None)
    return int(listening[0][1]) if listening else int(getattr(server, "effective_port", 0))


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
