"""The lock files, read as pip reads them."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
CUMULUSCI = ROOT / "tests" / "interop" / "cci.txt"


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of one distribution, with the hashes of the files that may be installed."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (only,) = self.requirement.specifier
        assert "==" == only.operator
        return only.version

    def holds_for(self, environment: dict[str, str]) -> bool:
        return self.requirement.marker is None or self.requirement.marker.evaluate(environment)


def pins(file: Path) -> Iterator[Pin]:
    """Every pin of a lock file."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.strip().startswith("#"):
            said, *hashes = line.split("--hash=")
            yield Pin(Requirement(said.strip()), tuple(found.strip() for found in hashes))


def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def allowed(file: Path) -> list[Requirement]:
    """What pyproject.toml wants to be locked in that file."""
    said = project()
    wanted = {
        "install.txt": said["build-system"]["requires"] + said["dependency-groups"]["install"],
        "run.txt": said["project"]["dependencies"],
        "dev.txt": said["project"]["dependencies"] + said["project"]["optional-dependencies"]["dev"],
        "uv.txt": said["dependency-groups"]["uv"],
    }
    return [Requirement(text) for text in wanted[file.name]]
