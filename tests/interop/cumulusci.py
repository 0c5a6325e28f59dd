"""CumulusCI, run as a user would run it, in a project of its own."""

from collections.abc import Mapping
from pathlib import Path

from tests.interop import installed
from tests.mock.wire import Piece, manifest

VERSION = "64.0"
_PROJECT = """\
minimum_cumulusci_version: "4.0.0"
project:
    name: interop
    package: {{name: interop, api_version: "{version}"}}
    source_format: mdapi
"""


class CumulusCi:
    """`cci("task", "run", …)` runs a command and gives what it said."""

    def __init__(self, project: Path, env: Mapping[str, str]) -> None:
        self.project, self._env = project, env
        project.mkdir()
        self.file("cumulusci.yml", _PROJECT.format(version=VERSION))
        # It works in a repository that has a commit, and nowhere else.
        somebody = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false")
        for command in ("init --quiet .", "commit --quiet --allow-empty --message=begin"):
            self._run("git", *somebody, *command.split())

    def __call__(self, *words: str) -> str:
        """A command that has to succeed."""
        return self._run("cci", *words).out

    def refused(self, *words: str) -> str:
        """A command that has to fail."""
        found = installed.run("cci", *words, cwd=self.project, env=self._env)
        assert found.code == 1, found.said
        return " ".join(found.said.split())

    def _run(self, *command: str) -> installed.Answer:
        found = installed.run(*command, cwd=self.project, env=self._env)
        assert found.code == 0, found.said
        return found

    def write(self, folder: str, *pieces: Piece) -> None:
        """Put components and their manifest into a folder, in metadata format."""
        types: dict[str, list[str]] = {}
        for piece in pieces:
            types.setdefault(piece.type_name, []).append(piece.name)
            self.file(f"{folder}/{piece.path}", piece.body)
        self.file(f"{folder}/package.xml", manifest(types, VERSION))

    def file(self, path: str, content: str | bytes) -> None:
        """Write a file of the project."""
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
