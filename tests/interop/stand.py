"""An org that `reconciler mock serve` serves, over HTTP and over TLS, and that goes back to how it was for each test."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from providers.mock import Org, open_org


@dataclass(frozen=True)
class Served:
    """What `mock serve` says: where the org is, and what each client needs."""

    said: Mapping[str, Any]

    @property
    def url(self) -> str:
        return str(self.said["url"])

    @property
    def certificate(self) -> str:
        return self.said["certificate"] or ""

    def environment(self, client: str) -> dict[str, str]:
        """What a client is to find in its environment."""
        return dict(self.said["clients"][client]["environment"])

    def line(self, client: str) -> str:
        """What a client is to begin with."""
        return str(self.said["clients"][client]["line"])


@dataclass(frozen=True)
class Stand:
    """The org, and its two servers."""

    org: Org
    http: Served
    https: Served

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def tls(self) -> str:
        return self.https.url

    @property
    def token(self) -> str:
        return self.org.access_token()

    def names(self, kind: str = "ExternalClientApplication") -> set[str]:
        """What the org has of a kind."""
        with self.org.reading() as world:
            return {each.name for each in world.components(kind)}

    def save(self) -> None:
        """What the org is now is what it goes back to."""
        _copy(self.org.file, self._saved)

    def restore(self) -> None:
        """The org as it was saved. The servers hold its file open and see it at once."""
        _copy(self._saved, self.org.file)

    @property
    def _saved(self) -> Path:
        return self.org.file.with_suffix(".saved")


@contextmanager
def standing(root: Path) -> Iterator[Stand]:
    """A fresh org under `root`, served twice."""
    (root / "desired").mkdir()
    (root / "reconciler.yaml").write_text("project: interop\norgs: {dev: {mock: dev.db}}\n", encoding="utf-8")
    with _serve(root) as http, _serve(root, "--tls") as https:
        org = open_org(root / "dev.db", create=False)
        try:
            stand = Stand(org, http, https)
            stand.save()
            yield stand
        finally:
            org.close()


@contextmanager
def _serve(project: Path, *options: str) -> Iterator[Served]:
    """`reconciler mock serve` in a process of its own; it says where it is on one line, and ends without a word."""
    command = [str(Path(sys.executable).with_name("reconciler")), "mock", "serve", "--output", "json", *options]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            assert said, process.communicate()
            yield Served(json.loads(said))
        finally:
            process.terminate()
            left = process.communicate(timeout=20)
    assert (0, ("", "")) == (process.returncode, left)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
