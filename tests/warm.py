"""`reconciler` as a command that need not start: a process that has loaded everything forks for each call of it.

Most of what a short command costs is loading rules and kinds. A script of the same name takes the arguments, the folder, the
environment and the three streams of its caller, closed ones as closed, to a process that is warm. What is about the start
of the interpreter, about signals or terminals needs the installed command instead.
"""

import array
import atexit
import functools
import io
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SCRIPT = """#!{python} -IS
import array, json, os, socket, sys
streams = []
for number in range(3):
    try:
        os.fstat(number)
        streams.append(number)
    except OSError:
        pass
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), streams]).encode() + b"\\n"
sent = server.sendmsg([call], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))] if streams else [])
server.sendall(call[sent:])
os._exit(int(server.recv(16) or 70))
"""


@functools.cache
def folder() -> Path:
    """The folder of the script, to be put first on the path. Its server ends with this process."""
    made = Path(tempfile.mkdtemp(prefix="warm-"))
    address = str(made / "socket")
    script = made / "reconciler"
    script.write_text(_SCRIPT.format(python=sys.executable, address=address), encoding="utf-8")
    script.chmod(0o755)
    command = [sys.executable, "-m", "tests.warm", address]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert server.stdout is not None
    assert b"ready\n" == server.stdout.readline()

    def stop() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(30)
        shutil.rmtree(made)

    atexit.register(stop)
    return made


def _load() -> None:
    """Run the commands that load nearly all there is, on the example."""
    from reconciler import redaction
    from reconciler.cli.program import run

    with tempfile.TemporaryDirectory() as project, chdir(project):
        shutil.copytree(ROOT / "desired", "desired")
        Path("reconciler.yaml").write_text(
            "project: acme\norgs: {dev: {mock: dev.db, variables: {integration_user: integration@acme.example}}}\n",
            encoding="utf-8",
        )
        for words in (["apply", "--auto-approve"], ["plan", "--output", "json"], ["drift"], ["check"]):
            with redaction.running(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                assert run(words) in (0, 2), words


def _serve(address: str) -> None:
    """Fork for each call, until standard input ends. Who goes away ends its command."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    os.write(1, b"ready\n")
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(listening, selectors.EVENT_READ)
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj == 0:
                for pid, _caller in running.values():
                    os.kill(pid, signal.SIGTERM)
                return
            if key.fileobj is listening:
                caller, _ = listening.accept()
                pid = _forked(caller, listening)
                done = os.pidfd_open(pid)
                running[done] = pid, caller
                waiting.register(done, selectors.EVENT_READ, "done")
                waiting.register(caller, selectors.EVENT_READ, pid)
            elif key.data == "done":
                pid, caller = running.pop(key.fd)
                waiting.unregister(key.fd)
                os.close(key.fd)
                if caller.fileno() in waiting.get_map():
                    waiting.unregister(caller)
                _, status = os.waitpid(pid, 0)
                code = os.waitstatus_to_exitcode(status)
                with suppress(OSError):
                    caller.sendall(str(code if code >= 0 else 128 - code).encode())
                caller.close()
            elif key.fileobj in waiting.get_map():
                # The caller has ended before its command.
                waiting.unregister(key.fileobj)
                os.kill(key.data, signal.SIGTERM)


def _forked(caller: socket.socket, listening: socket.socket) -> int:
    call, passed = _received(caller)
    arguments, cwd, environment, streams = json.loads(call)
    pid = os.fork()
    if pid:
        for number in passed:
            os.close(number)
        return pid
    listening.close()
    caller.close()
    # Above the three first, so that none is written over before it is put in its place.
    high = [os.dup2(number, 100 + place) for place, number in enumerate(passed)]
    os.closerange(0, 100)
    for number, place in zip(streams, high, strict=True):
        os.dup2(place, number)
        os.close(place)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["reconciler", *arguments]
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))  # type: ignore[assignment]
    code: object = 70
    try:
        from reconciler.cli import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code if isinstance(code, int) else 1)


def _received(caller: socket.socket) -> tuple[bytes, list[int]]:
    call, ancillary, _, _ = caller.recvmsg(1 << 20, socket.CMSG_SPACE(12))
    while not call.endswith(b"\n"):
        call += caller.recv(1 << 20)
    passed = array.array("i")
    for _, _, data in ancillary:
        passed.frombytes(data)
    return call, list(passed)


def _stream(number: int) -> io.TextIOWrapper | None:
    """Standard stream of that number as the interpreter makes it."""
    try:
        os.fstat(number)
    except OSError:
        return None
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
    raw = open(number, "rb" if number == 0 else "wb", closefd=False)  # noqa: SIM115 - for the whole process
    lines = number == 2 or raw.isatty()
    return io.TextIOWrapper(
        raw, encoding, errors or ("backslashreplace" if number == 2 else None), line_buffering=lines
    )


if __name__ == "__main__":
    _load()
    _serve(sys.argv[1])
