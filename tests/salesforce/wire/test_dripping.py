"""An org, or what stands in its place, that never comes to the end of an answer."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from providers.salesforce.wire import dripping
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import UnreachableError

Drips = Callable[[bytes, bytes], str]

HEADERS = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "a header": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "a status line": (b"", b"H"),
    "headers": (HEADERS, b"X: y\r\n"),
    "provisional answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": (HEADERS + b"Content-Length: 100000\r\n\r\n", b"a"),
    "a chunk": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n", b"a"),
    "chunks": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "the head of a chunk": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailers": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "a packed body": (
        HEADERS + b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n\x1f\x8b\x08" + bytes(7),
        b"\0",
    ),
}


@pytest.fixture
def dripping_org() -> Iterator[Drips]:
    """Starts a server whose every answer begins as given, and then goes on with a few bytes each 20 ms, for ever."""
    servers: list[socket.socket] = []
    ending = threading.Event()
    threads: list[threading.Thread] = []

    def answer(client: socket.socket, begun: bytes, drop: bytes) -> None:
        with client:
            try:
                client.recv(1 << 16)
                client.sendall(begun)
                while not ending.wait(0.02):
                    client.sendall(drop)
            except OSError:
                return

    def start(begun: bytes, drop: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=answer, args=(client, begun, drop), daemon=True))
                threads[-1].start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    ending.set()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join(5)


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_that_drips_ends_in_time(dripping_org: Drips, monkeypatch: pytest.MonkeyPatch, what: str):
    """A limit for each piece is none for the whole: a run of CI would hang until its hours are used up."""
    monkeypatch.setattr(dripping, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(dripping, "ANSWER_SECONDS", 0.4)
    origin = dripping_org(*ENDLESS[what])
    session = OrgSession()
    session.bind(origin)

    begun = time.monotonic()
    with pytest.raises((requests.RequestException, UnreachableError)):
        session.get(f"{origin}/services/data")

    assert time.monotonic() - begun < 5


def test_an_answer_in_many_pieces_is_read_to_its_end(dripping_org: Drips):
    """Slow is not endless."""
    origin = dripping_org(HEADERS + b"Content-Length: 12\r\n\r\n", b"abcd")
    session = OrgSession()
    session.bind(origin)

    assert "abcdabcdabcd" == session.get(f"{origin}/services/data").text


def test_the_time_of_an_answer_is_its_own(dripping_org: Drips, monkeypatch: pytest.MonkeyPatch):
    """On a kept connection the next answer begins anew."""
    monkeypatch.setattr(dripping, "HEADER_SECONDS", 5.0)
    monkeypatch.setattr(dripping, "ANSWER_SECONDS", 5.0)
    origin = dripping_org(b"", HEADERS + b"Content-Length: 1\r\n\r\na")
    session = OrgSession()
    session.bind(origin)
    first = session.get(f"{origin}/services/data")
    monkeypatch.setattr(time, "monotonic", lambda real=time.monotonic: real() + 60)

    assert first.text == session.get(f"{origin}/services/data").text


@pytest.mark.parametrize("what", ["a header", "a chunk"])
def test_a_plan_against_it_ends_with_exit_1(dripping_org: Drips, tmp_path: Path, what: str):
    """With the whole program around it, which tries again what fails in passing."""
    origin = dripping_org(*ENDLESS[what])
    (tmp_path / "desired").mkdir()
    (tmp_path / "reconciler.yaml").write_text(
        f"project: x\ndesired: desired\norgs: {{dev: {{instance_url: '{origin}',"
        " login: {flow: token, access_token: {secret: {env: TOK}}}}}\n"
    )
    (tmp_path / "desired" / "a.yaml").write_text(
        "kind: ExternalClientApplication\nname: one\nlabel: one\ncontactEmail: a@acme.example\ndistributionState: Local\n"
    )
    program = (
        "from providers.salesforce.wire import dripping; dripping.HEADER_SECONDS = dripping.ANSWER_SECONDS = 0.3\n"
        "from reconciler.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "plan"],
        cwd=tmp_path, env={**os.environ, "TOK": "00Dx!abcdefgh"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert 1 == done.returncode, done.stderr
    assert origin in done.stderr
