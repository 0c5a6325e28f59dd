"""`init`: from an empty folder to a project, by one command."""

from contextlib import chdir
from io import StringIO
from pathlib import Path

import pytest

from reconciler.cli import program
from tests.e2e.project import Terminal


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """A command in a fresh folder, called `acme & co`."""
    folder = tmp_path / "acme & co"
    folder.mkdir()

    def runs(*words: str, answer: str | None = None) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", Terminal(answer) if answer is not None else StringIO())
        with chdir(folder):
            code = int(program.run(words))
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out + said.err

    runs.folder = folder
    return runs


def test_a_tour_needs_no_org_and_three_commands(run) -> None:
    """The one who wants to see what it is before asking for a login."""
    assert 0 == run("init", "--mock")[0]
    assert "adopted 10." in run("pull")[1]
    code, said = run("plan", "--detailed-exitcode")

    assert (0, True) == (code, "No changes." in said)
    assert 0 == run("drift")[0]


def test_a_project_of_the_salesforce_cli_is_desired_state_as_it_is(run) -> None:
    """The team whose apps are in an SFDX project already."""
    (run.folder / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')

    assert 0 == run("init", "--mock")[0]
    code, said = run("pull")

    assert (0, True) == (code, "adopted 10." in said), said
    assert not (run.folder / "desired").exists()
    assert (run.folder / "force-app/main/default/connectedApps/Legacy_ERP.connectedApp-meta.xml").is_file()
    assert "No changes." in run("plan")[1]


def test_git_keeps_baselines_and_nothing_else_of_ours(run) -> None:
    (run.folder / ".gitignore").write_text("node_modules/")

    run("init", "--mock")

    ignored = (run.folder / ".gitignore").read_text()
    assert ignored.startswith("node_modules/\n\n# Baselines")
    assert "!.reconciler/baselines/*.json\n" in ignored
    (run.folder / "reconciler.yaml").unlink()
    run("init", "--mock")
    assert ignored == (run.folder / ".gitignore").read_text()


@pytest.mark.parametrize(
    ("words", "answer", "expected"),
    [
        (("--mock",), None, "  dev:\n    mock: .reconciler/orgs/dev.db "),
        ((), "mock", "  dev:\n    mock: .reconciler/orgs/dev.db "),
        (("--org", "uat"), None, "  uat:\n    login: {flow: sf, alias: uat} "),
        ((), "uat", "  uat:\n    login: {flow: sf, alias: uat} "),
        (("--instance-url", "https://acme.my.salesforce.com/"), None, "instance_url: https://acme.my.salesforce.com\n"),
        ((), "acme--uat.sandbox.my.salesforce.com", "  acme--uat:\n    instance_url: https://acme--uat.sandbox.my."),
    ],
)
def test_an_org_is_named_or_asked_for(run, words, answer, expected) -> None:
    code, said = run("init", *words, answer=answer)

    text = (run.folder / "reconciler.yaml").read_text()
    assert (0, True) == (code, expected in text), said + text
    assert "project: acme-co\n" in text
    assert (run.folder / "desired").is_dir()


@pytest.mark.parametrize(
    ("words", "answer", "said"),
    [
        ((), None, "give one of --org ALIAS, --instance-url URL and --mock"),
        ((), "", "no org was named"),
        (("--mock", "--org", "x"), None, "contradict each other"),
        (("--instance-url", "https://me:pw@acme.my.salesforce.com"), None, "this is not the address of an org"),
        (("--instance-url", "ftp://acme.example"), None, "this is not the address of an org"),
    ],
)
def test_nonsense_writes_nothing(run, words, answer, said) -> None:
    code, found = run("init", *words, answer=answer)

    assert (3, True, []) == (code, said in found, [*run.folder.iterdir()]), found
    assert "pw" not in found


def test_a_project_that_is_there_is_never_overwritten(run) -> None:
    (run.folder / "reconciler.yaml").write_text("mine")

    code, said = run("init", "--mock")

    assert (3, "mine", True) == (code, (run.folder / "reconciler.yaml").read_text(), "already" in said)
    assert ["reconciler.yaml"] == [path.name for path in run.folder.iterdir()]
