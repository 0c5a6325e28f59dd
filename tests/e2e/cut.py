"""Applies that do not come to their own end: killed or interrupted at a chosen call, or in a process at a chosen line."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.e2e.project import Project, Result
from tests.e2e.served import App, served

TOKEN = "RESUME_TOKEN"


class KilledError(BaseException):
    """The process is gone, and nobody can tidy up."""


class Cutting:
    """Raises `error` at the n-th request of one kind, before or after the org has done what it is asked."""

    def __init__(self, method: str, path: str, error: type[BaseException], *, nth: int = 1, done: bool = True) -> None:
        self._method, self._path, self._error, self._left, self._done = method, path, error, nth, done

    def __call__(self, application: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            hit = environ["REQUEST_METHOD"] == self._method and self._path in environ["PATH_INFO"]
            self._left -= hit
            cut = hit and self._left == 0
            if cut and not self._done:
                raise self._error
            found = application(environ, start_response)
            if cut:
                list(found)
                raise self._error
            return found

        return answer


@contextmanager
def over_http(project: Project, **keys: Any) -> Iterator[dict[str, str]]:
    """The project's org over HTTP. Yields the environment that its login needs."""
    with served(project.org) as url:
        login = {"flow": "token", "access_token": {"secret": {"env": TOKEN}}}
        project.configure(mock=None, instance_url=url, login=login, **keys)
        yield {TOKEN: project.org.access_token()}


def cut_at(
    project: Project,
    *arguments: str,
    at: Sequence[tuple[str, signal.Signals]],
    environment: dict[str, str],
    behind: Sequence[str] = (),
) -> Result:
    """Run `reconciler` in a process; each signal is sent once the text before it stands on standard error.

    `behind` is a command that starts it, such as `nohup`.
    """
    process = subprocess.Popen(
        [*behind, str(Path(sys.executable).with_name("reconciler")), *arguments],
        cwd=project.root,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    heard = ""
    for text, sent in at:
        while text not in heard and (line := process.stderr.readline()):
            heard += line
        process.send_signal(sent)
    out, err = process.communicate(timeout=120)
    return Result(process.returncode, out, heard + err)


def journal(project: Project) -> Path | None:
    """The journal of an apply that was cut off, if there is one."""
    return next((project.root / ".reconciler" / "baselines").glob("*.journal"), None)


def deployments(project: Project) -> list[str]:
    """What became of each deployment that the org has taken, the oldest first."""
    with project.org.reading() as world:
        rows = world.db.execute("SELECT status FROM job WHERE what = 'deploy' ORDER BY number")
        return [str(row["status"]) for row in rows]


def cancel_in_setup(project: Project) -> None:
    """Somebody stops the deployment that is under way, in Setup."""
    with served(project.org) as url:
        session, token = requests.Session(), project.org.access_token()
        session.headers["Authorization"] = f"Bearer {token}"
        listed = session.get(
            f"{url}/services/data/v63.0/tooling/query",
            params={"q": "SELECT Id FROM DeployRequest ORDER BY CreatedDate DESC LIMIT 1"},
            timeout=30,
        ).json()
        job = f"{url}/services/data/v63.0/metadata/deployRequest/{listed['records'][0]['Id']}"
        session.patch(job, json={"deployResult": {"status": "Canceling"}}, timeout=30)
        session.get(job, timeout=30)
