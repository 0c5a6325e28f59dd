"""The org: `mock serve` in a process of its own, on loopback, and the project that talks to it over HTTP."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured import FailedError, Usage, run

ROOT = Path(__file__).parent.parent
RECONCILER = str(Path(sysconfig.get_path("scripts")) / "reconciler")
"""The command as it is installed beside the interpreter that runs us."""
_SERVER = """\
project: benchmark
orgs:
  served: {mock: org.db}
"""
_CLIENT = """\
project: benchmark
orgs:
  live:
    instance_url: %s
    login: {flow: token, access_token: {secret: {env: BENCHMARK_TOKEN}}}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder whose org is being served."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def desired(self) -> Path:
        return self.folder / "desired"

    def reconciler(self, *arguments: str, says: str, codes: Sequence[int] = (0,)) -> Usage:
        """Run one command of the client and measure it. Raises FailedError if it does not say that."""
        return run([RECONCILER, *arguments], self.folder, self.environment, says=says, codes=codes)

    def drift(self, apps: Sequence[str]) -> int:
        """Switch a secret requirement of these apps off, in Setup. Returns how many they are."""
        _ask("set", str(self.folder / "org.db"), "false", *apps)
        return len(apps)

    def undrift(self, apps: Sequence[str]) -> None:
        """Switch it on again."""
        _ask("set", str(self.folder / "org.db"), "true", *apps)

    def begin_anew(self, *, metadata: bool) -> None:
        """Take files and baselines away, as before the first pull; `metadata`: into a project of the Salesforce CLI."""
        shutil.rmtree(self.desired)
        shutil.rmtree(self.folder / ".reconciler")
        self.desired.mkdir()
        if metadata:
            content = '{"packageDirectories": [{"path": "force-app"}]}'
            (self.desired / "sfdx-project.json").write_text(content, encoding="utf-8")

    def calls(self) -> int:
        """How many API calls the org has answered so far."""
        return int(_ask("calls", str(self.folder / "org.db")))

    def zips(self) -> Path:
        """Write what the org gives in retrieves of all apps; the folder of the zip files."""
        folder = self.folder / "zips"
        _ask("zips", str(self.folder / "org.db"), str(folder))
        return folder


def _ask(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.mock_org", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def served(folder: Path) -> Iterator[Project]:
    """Serve a fresh org for as long as the block lasts."""
    (folder / "desired").mkdir(parents=True)
    (folder / "server.yaml").write_text(_SERVER, encoding="utf-8")
    command: Sequence[str] = [RECONCILER, "mock", "serve", "--project", "server.yaml"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        url, token = _first_lines(server)
        (folder / "reconciler.yaml").write_text(_CLIENT % url, encoding="utf-8")
        yield Project(folder, {"BENCHMARK_TOKEN": token})
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _first_lines(server: "subprocess.Popen[str]") -> tuple[str, str]:
    """URL and access token, as `mock serve` says them once it accepts connections."""
    if server.stdout is None:
        raise AssertionError("the server was started with a pipe")
    head, token = server.stdout.readline().split(), server.stdout.readline().split()
    if not head or not token:
        raise FailedError("mock serve did not start: see server.log")
    return head[-1], token[-1]
