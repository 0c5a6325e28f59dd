"""The mock org's HTTP server, seen by clients made of bytes: what proxies, scripts and other languages' clients do."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from providers.mock import Faults, Org, Served, serve, serving
from providers.mock.http.wsgi import MAX_BODY

VERSIONS = b"GET /services/data HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def url(org: Org) -> Iterator[str]:
    with serving(org) as served:
        yield served.url


def connected(url: str) -> socket.socket:
    found = urlsplit(url)
    return socket.create_connection((found.hostname, found.port or 0), timeout=10)


def answer(stream: socket.socket) -> http.client.HTTPResponse:
    found = http.client.HTTPResponse(stream)
    found.begin()
    return found


def test_one_connection_serves_many_requests(url: str) -> None:
    """Every client here keeps connections; an answer too long or too short would be read as the next one's."""
    with connected(url) as stream:
        for path in ("/services/data", "/nowhere", "/services/data"):
            stream.sendall(VERSIONS.replace(b"/services/data", path.encode()))
            found = answer(stream)
            assert (404 if path == "/nowhere" else 200) == found.status
            assert found.read()


def test_requests_that_come_together_are_answered_in_turn(url: str) -> None:
    """A client that pipelines gets each answer once."""
    with connected(url) as stream:
        stream.sendall(VERSIONS * 2 + VERSIONS.replace(b"localhost\r\n", b"localhost\r\nConnection: close\r\n"))

        assert 3 == stream.makefile("rb").read().count(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("left", [b"", b"0", b"x" * 100_000])
def test_a_body_that_nobody_read_is_no_request(url: str, left: bytes) -> None:
    """A refused upload must not have its bytes read as the next request."""
    with connected(url) as stream:
        stream.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(left), left))
        found = answer(stream)
        assert 404 == found.status
        found.read()

        stream.sendall(VERSIONS)

        assert 200 == answer(stream).status


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


def test_a_chunked_body_is_put_together(org: Org, url: str) -> None:
    """Salesforce CLI and jsforce send every token request and SOAP login so."""
    from tests.mock.wire import NS

    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="{NS}"><sessionId>{org.access_token()}</sessionId></SessionHeader></e:Header>'
        f'<e:Body><listMetadata xmlns="{NS}"><queries><type>Profile</type></queries></listMetadata></e:Body></e:Envelope>'
    ).encode()
    head = b"POST /services/Soap/m/64.0 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(url) as stream:
        for end in (b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n"):
            stream.sendall(head + chunked(body[:7], body[7:300], body[300:], end=end))
            found = answer(stream)
            assert 200 == found.status
            assert b"<fullName>Admin</fullName>" in found.read()


def test_a_client_that_asks_first_is_told_to_go_on(url: str) -> None:
    """curl waits a second before it sends a large zip, unless it is told."""
    with connected(url) as stream:
        stream.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        told = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert told == stream.recv(len(told))
        stream.sendall(b"abc")

        assert 404 == answer(stream).status


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: -1",
        b"Content-Length: 1_0",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding:\r\n chunked",
        b"Content-Length : 3",
        b"no header\r\nContent-Length: 3",
        b"X: a\0b",
        b"Host: y",
        b"X: " + b"x" * 70_000,
        b"\r\n".join(b"X%d: x" % n for n in range(200)),
    ],
)
def test_a_request_of_two_minds_is_refused(url: str, lines: bytes) -> None:
    """What one reads as the end of a request and another as its middle is how requests are smuggled."""
    with connected(url) as stream:
        stream.sendall(b"POST /services/data HTTP/1.1\r\nHost: x\r\n%b\r\n\r\nabc" % lines)
        found = answer(stream)

        assert found.status in {400, 431}
        assert "close" == found.getheader("Connection")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /services/data HTTP/1.1\r\n Host: x\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /services/data HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /services/data HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /services/data HTTP/1.1 x\r\nHost: x\r\n\r\n",
        b"GET /services/data HTTP/1.1\r\nHost: x/services?\r\n\r\n",
        b"\x16\x03\x01\x02\r\n",
    ],
)
def test_what_cannot_be_read_is_answered_as_a_bad_request(url: str, head: bytes) -> None:
    """A status is what a client shows its user; a page without one is an error of its library."""
    with connected(url) as stream:
        stream.sendall(head)

        assert 400 == answer(stream).status


def test_a_path_is_not_taken_for_an_address(url: str) -> None:
    """A whole address in the request line is for proxies; one inside a path is a part of it."""
    with connected(url) as stream:
        for target, status in (("http://elsewhere/services/data", 200), ("/nowhere://elsewhere/services/data", 404)):
            stream.sendall(VERSIONS.replace(b"/services/data", target.encode()))
            found = answer(stream)
            assert (target, status) == (target, found.status)
            found.read()


def test_an_empty_line_between_requests_is_passed_over(url: str) -> None:
    """Some clients end a form with one that its length does not count."""
    with connected(url) as stream:
        for _ in range(2):
            stream.sendall(b"\r\n" + VERSIONS)
            found = answer(stream)
            assert 200 == found.status
            found.read()


def test_an_answer_that_breaks_off_is_not_filled_up(org: Org, capsys: pytest.CaptureFixture[str]) -> None:
    """The page of an error would be read as the rest of what the client had asked for."""

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    class Broken(Faults):
        def around(self, *_: Any) -> Any:
            def app(_: Any, start_response: Any) -> Iterator[bytes]:
                start_response("200 OK", [("Content-Length", "1000")])
                return pieces()

            return app

    with serving(org, faults=Broken()) as (url, _), connected(url) as stream:
        stream.sendall(VERSIONS)

        assert stream.makefile("rb").read().endswith(b"\r\n\r\nhalf")
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    "sent",
    [
        b"zz\r\n", b"-1\r\n", b"+3\r\nabc\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", b"5\r\nabc",
        b"3\r\nabcdef\r\n0\r\n\r\n", b"3\r\nabcd\n0\r\n\r\n", b"3\r\nabc\r\n", b"9" * 5000,
    ],
)  # fmt: skip
def test_a_broken_chunk_ends_the_connection(url: str, sent: bytes) -> None:
    """Half a body is not a request, and gets no answer."""
    with connected(url) as stream:
        head = b"POST /services/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        stream.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + sent)
        stream.shutdown(socket.SHUT_WR)
        try:
            heard = stream.makefile("rb").read()
        except ConnectionResetError:
            heard = b""

    assert b"" == heard


@pytest.mark.parametrize("way", ["length", "chunked"])
def test_a_body_that_is_too_large_is_refused_and_not_kept(url: str, way: str) -> None:
    """A client gone wrong must not fill the machine's memory."""
    with connected(url) as stream:
        head = b"POST /services/Soap/m/64.0 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
        if way == "length":
            stream.sendall(head + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1))
            stream.shutdown(socket.SHUT_WR)
            assert 413 == answer(stream).status
            return
        stream.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        piece = chunked(bytes(1024 * 1024), end=b"")
        try:
            for _ in range(MAX_BODY // (1024 * 1024) + 2):
                stream.sendall(piece)
        except OSError:
            return
        assert 413 == answer(stream).status


def test_an_old_client_gets_its_answer_and_the_end(url: str) -> None:
    """HTTP/1.0 knows neither chunks nor kept connections."""
    with connected(url) as stream:
        stream.sendall(b"GET /services/data HTTP/1.0\r\n\r\n")
        everything = stream.makefile("rb").read()

    assert everything.startswith(b"HTTP/1.1 200 ")
    assert b"chunked" not in everything


def test_a_slow_and_a_silent_client_keep_nobody_waiting(url: str) -> None:
    """Thirty connections that say nothing, or half a request, are thirty threads asleep and nothing else."""
    streams = [connected(url) for _ in range(30)]
    for stream in streams[::2]:
        stream.sendall(b"POST /services/data HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")

    assert 200 == requests.get(f"{url}/services/data", timeout=5).status_code

    for stream in streams:
        stream.close()


def test_many_connections_at_once_are_all_answered(url: str) -> None:
    """The Salesforce CLI makes a manifest of an org with 500 of them, and leaves out in silence what is not answered."""
    streams = [connected(url) for _ in range(500)]
    for stream in streams:
        stream.sendall(VERSIONS)

    assert {200} == {answer(stream).status for stream in streams}

    for stream in streams:
        stream.close()


def test_ends_with_connections_open_and_leaves_nothing_behind(org: Org) -> None:
    """Threads and sockets of one test must not be the next one's."""
    before = set(threading.enumerate())
    with serving(org) as (url, certificate):
        kept, half = connected(url), connected(url)
        for each in (kept, half):
            each.sendall(VERSIONS)
            answer(each).read()
        half.sendall(b"GET /serv")
        assert certificate is None

    assert before == set(threading.enumerate())
    assert (b"", b"") == (kept.recv(1), half.recv(1))
    with pytest.raises(OSError):
        connected(url)
    assert ["org.db"] == [each.name for each in org.file.parent.iterdir() if not each.name.startswith("org.db-")]


def test_ends_with_a_connection_whose_thread_has_not_begun(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal that ends a server may come in the middle of accepting somebody."""

    def interrupted(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    def ready(served: Served) -> None:
        streams.append(connected(served.url))
        monkeypatch.setattr(threading.Thread, "start", interrupted)

    streams: list[socket.socket] = []

    serve(org, ready=ready)

    assert b"" == streams[0].recv(1)


def test_a_connection_holds_the_file_no_longer_than_it_lasts(org: Org) -> None:
    """A client that opens a connection for each call would leave one to the file each time."""
    before = len(org._store._open)
    with serving(org) as (url, _):
        for _ in range(5):
            requests.get(f"{url}/services/data", headers={"Connection": "close"}, timeout=5)

    assert before == len(org._store._open)


def test_latency_is_added_to_every_answer(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's patience is tried without a slow network."""
    from providers.mock.http.server import Listener

    waited: list[float] = []
    monkeypatch.setattr(Listener, "wait", lambda _, seconds: waited.append(seconds))
    with serving(org, latency=(2.0, 3.0)) as (url, _):
        requests.get(f"{url}/services/data", timeout=5)
        requests.get(f"{url}/nowhere", timeout=5)

    assert [True, True] == [2.0 <= each <= 3.0 for each in waited]


def test_an_error_in_the_application_is_an_answer(org: Org, capfd: pytest.CaptureFixture[str]) -> None:
    """One broken answer must not take the server with it; the traceback is for whoever serves."""
    org.close()
    org.file.unlink()
    org.file.write_bytes(b"no database any more" * 100)
    with serving(org) as (url, _):
        assert 500 == requests.get(f"{url}/services/data", timeout=5).status_code
        assert 500 == requests.get(f"{url}/services/data", timeout=5).status_code

    assert "not a mock org" in capfd.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", ""])  # noqa: S104
def test_others_cannot_reach_it(org: Org, host: str) -> None:
    """It has no passwords."""
    with pytest.raises(ValueError, match="loopback"):
        serve(org, host)


SCRIPT = """
import sys
from providers.mock import Faults, open_org, serve
org = open_org(sys.argv[1])
serve(org, tls=True, faults=Faults().on("versions", "silence", seconds=3600, after=1),
      ready=lambda at: print(at.url, at.certificate, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_whatever_it_is_in_the_middle_of(tmp_path: Path, how: signal.Signals) -> None:
    """A CI job that stops its server must not wait for a client's connection, or for a fault that holds one."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "org.db")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            url, certificate = process.stdout.readline().split()
            session = requests.Session()
            assert 200 == session.get(f"{url}/services/data", timeout=5, verify=certificate).status_code
            with pytest.raises(requests.ReadTimeout):
                session.get(f"{url}/services/data", timeout=0.2, verify=certificate)
            with connected(url):
                process.send_signal(how)
                out, err = process.communicate(timeout=10)
        finally:
            process.kill()

    assert ("ended\n", "", 0) == (out, err, process.returncode)
    assert not Path(certificate).exists()
    session.close()
