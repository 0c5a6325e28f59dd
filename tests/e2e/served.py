"""An org over a real socket, and the real executable in a process of its own."""

import io
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from providers.mock import Org, application, serving
from providers.mock.http import adapter
from tests.e2e.project import Project, Result

App = Callable[..., Iterable[bytes]]


@contextmanager
def served(org: Org) -> Iterator[str]:
    """The org at a loopback URL."""
    with serving(org) as found:
        yield found.url


def closed_port() -> str:
    """A loopback URL where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}"


@contextmanager
def behind(wrap: Callable[[App], App]) -> Iterator[None]:
    """Put something between the client and the embedded mock org: `wrap` gets the org's application."""
    with patch.object(adapter, "application", lambda org: wrap(application(org))):
        yield


def rewriting(sent: bytes, kept: bytes) -> Callable[[App], App]:
    """The org keeps something else than what it is sent: changed on the way in, so that its reads agree."""
    return _on_packages(lambda files: {name: data.replace(sent, kept) for name, data in files.items()})


@contextmanager
def overheard() -> Iterator[dict[str, bytes]]:
    """What is deployed to the embedded mock org: the files of all packages, by path."""
    heard: dict[str, bytes] = {}
    with behind(_on_packages(lambda files: heard.update(files) or files)):
        yield heard


def _on_packages(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Callable[[App], App]:
    """Change the files of each zip that a request brings."""

    def changed(data: bytes) -> bytes:
        start = data.find(b"PK\x03\x04")
        if start < 0:
            return data
        end = data.find(b"\r\n--", data.rfind(b"PK\x05\x06"))
        with zipfile.ZipFile(io.BytesIO(data[start:end])) as source:
            files = {name: source.read(name) for name in source.namelist()}
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as target:
            for name, content in change(files).items():
                target.writestr(name, content)
        return data[:start] + sink.getvalue() + data[end:]

    def wrap(application: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            data = changed(environ["wsgi.input"].read())
            brought = {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}
            return application({**environ, **brought}, start_response)

        return answer

    return wrap


def executable(project: Project, *arguments: str, interrupt_at: str = "", **environment: str) -> Result:
    """Run `reconciler` in a process; it gets Ctrl-C once it says `interrupt_at` on standard error."""
    command = [str(Path(sys.executable).with_name("reconciler")), *arguments]
    process = subprocess.Popen(
        command,
        cwd=project.root,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    heard = ""
    if interrupt_at:
        while interrupt_at not in heard and (line := process.stderr.readline() if process.stderr else ""):
            heard += line
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return Result(process.returncode, out, heard + err)
