"""Logins that the Salesforce CLI has made: which program is asked, how, and what is believed of it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from providers.salesforce.login import sf as module
from reconciler.errors import InputError, NotAllowedError, RefusedError, UnreachableError
from tests.salesforce.build import HOST
from tests.salesforce.login.build import FRESH, Login

# What CLIs since 2.136 show in its place (plugin-org, messages/secrets-redacted.md).
HIDDEN = "[REDACTED] Use 'sf org auth show-access-token' to view"
DISPLAY = {"id": "00D000000000001EAA", "instanceUrl": HOST, "username": "ci@acme.example", "accessToken": HIDDEN}


class Cli:
    """A program that says what it is told to, and writes down how it was run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.log = folder / "log"
        self.answers = folder / "answers.json"
        self.says(display=DISPLAY, token={"accessToken": FRESH})
        self.path = folder / "sf"
        self.path.write_text(
            f"#!{sys.executable}\n"
            "import json, os, sys\n"
            f"open({str(self.log)!r}, 'a').write(json.dumps([sys.argv[1:], os.getcwd()]) + '\\n')\n"
            f"answers = json.load(open({str(self.answers)!r}))\n"
            "found = answers['display' if 'display' in sys.argv else 'token']\n"
            "print(' ›   Warning: a newer version is there', file=sys.stderr)\n"
            "print(found if isinstance(found, str) else json.dumps(found))\n"
        )
        self.path.chmod(0o755)

    def says(self, **answers: Any) -> None:
        """`display` and `token`: a result, or the text that is printed."""
        kept = json.loads(self.answers.read_text()) if self.answers.exists() else {}
        told = {name: {"status": 0, "result": a} if isinstance(a, dict) else a for name, a in answers.items()}
        self.answers.write_text(json.dumps({**kept, **told}))

    @property
    def runs(self) -> list[tuple[list[str], str]]:
        return [tuple(json.loads(line)) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that we work in; nothing but what a test puts there is on PATH."""
    folder = tmp_path / "project"
    folder.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(module.PROGRAM, raising=False)
    return folder


@pytest.fixture
def cli(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    made = Cli(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.folder))
    return made


def login(alias: str = "acme", instance_url: str = HOST) -> Login:
    return Login("sf", instance_url=instance_url, alias=alias)


def test_the_cli_is_asked_for_the_org_and_then_for_the_token(cli: Cli, tmp_path: Path):
    """Whoever works with the Salesforce CLI has logged in already."""
    it = login()

    assert FRESH == it.enter()
    assert [] == it.sent
    home = str(tmp_path / "home")
    assert [
        (["org", "display", "--target-org", "acme", "--json"], home),
        (["org", "auth", "show-access-token", "--target-org", "acme", "--json"], home),
    ] == cli.runs


def test_an_older_cli_says_all_at_once(cli: Cli):
    """Its `org display` shows the token, and it does not know the other command."""
    cli.says(display={**DISPLAY, "accessToken": FRESH}, token="no such command")

    assert FRESH == login().enter()
    assert 1 == len(cli.runs)


def test_the_cli_says_where_the_org_is(cli: Cli):
    """With an alias there is nothing else to write."""
    it = login(instance_url="")

    assert HOST == it.session.origin
    assert FRESH == it.enter()
    assert 2 == len(cli.runs)


def test_a_session_that_has_died_is_asked_for_anew(cli: Cli):
    """The CLI renews it, by whatever way it logged in."""
    it = login()
    it.enter()
    it.credentials._token = ""
    cli.says(token={"accessToken": "00D000000000001!renewed"})

    assert "00D000000000001!renewed" == it.enter()


@pytest.mark.parametrize(
    "alias", ["", "-o", "--json", "a b", "a;b", "$(touch x)", "../x", "a\nb", "00D000000000001!token", "x" * 300, "é"]
)
def test_an_alias_is_never_an_option_nor_a_token(cli: Cli, alias: str):
    """The file names an alias; with an option it would steer a program, and a token belongs in no file."""
    with pytest.raises(InputError) as wrong:
        login(alias)
    assert [] == cli.runs
    # It may come from any variable of the environment.
    assert not alias or alias == "-o" or alias not in str(wrong.value)


def test_a_program_in_the_folder_that_we_work_in_is_never_run(project: Path, monkeypatch: pytest.MonkeyPatch):
    """A pull request can add a file named sf, and npm puts such folders on PATH."""
    inside = Cli(project / "node_modules" / ".bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(inside.folder), ".", "", "node_modules/.bin"]))
    (project / "sf").symlink_to(inside.path)
    with pytest.raises(InputError, match="no sf on PATH outside of this folder"):
        login().enter()
    assert [] == inside.runs


def test_nor_is_one_elsewhere_in_the_repository(project: Path, monkeypatch: pytest.MonkeyPatch):
    """A job that works in a folder of its repository has the repository's node_modules on PATH."""
    inside = Cli(project / "node_modules" / ".bin")
    (project / ".git").mkdir()
    (project / "salesforce").mkdir()
    monkeypatch.chdir(project / "salesforce")
    monkeypatch.setenv("PATH", str(inside.folder))
    with pytest.raises(InputError, match="no sf on PATH"):
        login().enter()
    assert [] == inside.runs


def test_the_users_own_program_is_found_behind_such_a_folder(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """`npm run` puts its folder first."""
    inside = Cli(project / "node_modules" / ".bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(inside.folder), str(cli.folder)]))

    assert FRESH == login().enter()
    assert ([], 2) == (inside.runs, len(cli.runs))


def test_a_relative_folder_on_path_counts_for_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """What it means depends on where we are, and a repository chooses where jobs begin."""
    monkeypatch.setenv("PATH", "../bin")
    with pytest.raises(InputError, match="no sf on PATH"):
        login().enter()
    assert [] == cli.runs


def test_a_link_on_path_into_the_project_is_not_followed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """`npm link` makes such links."""
    inside = Cli(project / "cli")
    outside = tmp_path / "links"
    outside.mkdir()
    (outside / "sf").symlink_to(inside.path)
    monkeypatch.setenv("PATH", str(outside))
    with pytest.raises(InputError, match="no sf on PATH"):
        login().enter()
    assert [] == inside.runs


def test_the_environment_may_name_the_program(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Who sets the environment decides what runs here anyway; who edits a file does not."""
    inside = Cli(project / "node_modules" / ".bin")
    monkeypatch.setenv(module.PROGRAM, str(inside.path))

    assert FRESH == login().enter()
    for wrong in ("sf", "node_modules/.bin/sf", "/nowhere/sf"):
        monkeypatch.setenv(module.PROGRAM, wrong)
        with pytest.raises(InputError, match="names no program"):
            login().enter()


def test_an_org_that_was_not_meant_is_refused_before_its_token_is_shown(cli: Cli):
    """An alias is a word on one machine: `prod` may be anything."""
    cli.says(display={**DISPLAY, "instanceUrl": "https://other.my.salesforce.com"})
    with pytest.raises(RefusedError, match="is for the org at https://other"):
        login().enter()
    assert 1 == len(cli.runs)


def test_a_strange_place_is_refused(cli: Cli):
    """A CLI that is told a wrong instance must not send our calls there."""
    cli.says(display={**DISPLAY, "instanceUrl": "https://evil.example"})
    with pytest.raises(RefusedError):
        login(instance_url="").enter()


def test_what_the_cli_objects_to_is_told(cli: Cli):
    """Most often: nobody has logged in on this machine."""
    error = {"status": 2, "name": "NamedOrgNotFoundError", "message": "No authorization information found for acme."}
    cli.says(display=json.dumps(error))
    with pytest.raises(NotAllowedError) as wrong:
        login().enter()
    (complaint,) = wrong.value.complaints

    assert "NamedOrgNotFoundError: No authorization information found for acme." == complaint.quote
    assert "sf org login web" in complaint.mend


@pytest.mark.parametrize(
    "text", ["", "not JSON", "{", "[]", '{"status": 0}', '{"status": 0, "result": []}', "{" * 100_000]
)
def test_any_other_answer_is_an_error(cli: Cli, text: str):
    """Another program of that name may be on PATH."""
    cli.says(display=text)
    with pytest.raises(NotAllowedError):
        login().enter()


@pytest.mark.parametrize("token", [HIDDEN, "", "two words"])
def test_a_token_that_is_none_is_not_sent(cli: Cli, token: str):
    """An org's 401 would tell nobody that the CLI hides tokens."""
    cli.says(token={"accessToken": token})
    with pytest.raises(NotAllowedError, match="no access token"):
        login().enter()


def test_a_cli_that_hangs_is_ended(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """It may ask something that nobody hears."""
    cli.path.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(module, "SECONDS", 0.1)
    with pytest.raises(UnreachableError, match="gave no answer"):
        login().enter()
