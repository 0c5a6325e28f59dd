"""The Salesforce CLI, run as a user would run it, in a project of its own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.interop import installed
from tests.mock.wire import Piece, manifest

VERSION = "64.0"


class Sf:
    """`sf("project deploy start", …)` runs a command with `--json` and gives its result."""

    def __init__(self, project: Path, env: dict[str, str]) -> None:
        self.project, self.env = project, env
        self.source = project / "force-app" / "main" / "default"
        self.source.mkdir(parents=True)
        about = {"packageDirectories": [{"path": "force-app", "default": True}], "sourceApiVersion": VERSION}
        (project / "sfdx-project.json").write_text(json.dumps(about), encoding="utf-8")

    def __call__(self, command: str, *arguments: str, **environment: str) -> Any:
        """A command that has to succeed."""
        found = self._run(command, arguments, environment)
        assert found.code == 0, found.said
        return found.json["result"]

    def refused(self, command: str, *arguments: str, **environment: str) -> Any:
        """A command that has to fail: its result, or the error."""
        found = self._run(command, arguments, environment)
        assert found.code == 1, found.said
        return found.json.get("result", found.json)

    def _run(self, command: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> installed.Answer:
        words = ("sf", *command.split(), *arguments, "--json")
        return installed.run(*words, cwd=self.project, env={**self.env, **environment})

    def write(self, *pieces: Piece) -> None:
        """Put components into the project, in source format."""
        for piece in pieces:
            self.file(f"{self.source}/{piece.path}{'' if piece.meta else '-meta.xml'}", piece.body)
            if piece.meta:
                self.file(f"{self.source}/{piece.path}-meta.xml", piece.meta)

    def read(self, piece: Piece) -> str:
        """A component of the project, as it is now."""
        return Path(f"{self.source}/{piece.path}{'' if piece.meta else '-meta.xml'}").read_text(encoding="utf-8")

    def manifest(self, name: str, types: Mapping[str, list[str]]) -> str:
        """Write a manifest and return its path."""
        return self.file(name, manifest(types, VERSION))

    def file(self, path: str, content: str | bytes) -> str:
        """Write a file of the project and return its path."""
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def states(result: Any) -> set[str]:
    """The table that a deployment or a retrieve ends with: what became of each component."""
    return {f"{one['state']} {one['type']} {one['fullName']}" for one in result["files"]}
