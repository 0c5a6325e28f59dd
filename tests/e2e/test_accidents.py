"""What goes wrong around a run: a network that dies, files that are broken, folders that may not be written."""

import json
import os
import subprocess
import sys

import pytest

from reconciler.engine import deploying
from reconciler.errors import UnreachableError
from tests.e2e.build import DANA, GLOBAL, app, enablement, handler, handler_class, legacy, portal, scope
from tests.e2e.project import Project

HANDLER = "OauthTokenExchangeHandler/PartnerIdp"


@pytest.fixture
def exchange(project: Project) -> Project:
    """Two apps that a handler lets in, each by a document of its own."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app("a"), app("b"), handler(), enablement("a"), enablement("b"))
    project.apply()
    return project


def enabled(project: Project) -> set[str]:
    found = project.held(HANDLER).get("enablements", [])
    return {(one.get("externalClientApp") or one["connectedApp"])[0] for one in found}


def test_a_replaced_handler_keeps_all_its_enablements_strangers_too(exchange: Project):
    """Otherwise no app can exchange a token until somebody notices."""
    exchange.declare(app("a"), app("b"), handler(), enablement("a"))
    exchange.run("baseline", "forget", f"{HANDLER}/enablements/b")

    exchange.apply("--replace", HANDLER, "--allow", "replace")

    assert {"a", "b"} == enabled(exchange)
    assert {} == exchange.planned()


@pytest.mark.parametrize("way", ["its handler", "its app"])
def test_what_is_protected_does_not_go_with_its_owner(exchange: Project, way: str):
    """Protection of a part is no protection if deleting the whole takes the part along."""
    protected = enablement("a") | {"lifecycle": {"protect": ["delete"]}}
    section = portal() | {"lifecycle": {"protect": ["delete"]}}
    exchange.declare(app("a"), app("b"), handler(), protected, enablement("b"), section)
    exchange.apply()
    exchange.declare(app("a"), app("b"), section) if way == "its handler" else exchange.declare(
        app("a"), app("b"), handler(), protected, enablement("b")
    )
    before = exchange.content()

    found = exchange.run("apply", "--auto-approve", "--allow", "delete")

    assert (4, True, before) == (found.code, "is protected from delete" in found.err, exchange.content())


def test_what_landed_is_ours_though_it_could_not_be_read_back(project: Project, monkeypatch: pytest.MonkeyPatch):
    """The network dies right after a deployment: what it made must not look like somebody else's later on."""
    project.declare(portal())
    project.apply()
    project.declare(portal(), scope("sc1"))
    read, calls = deploying.read_live, []

    def dying(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise UnreachableError("the network is gone")
        return read(*arguments)

    # Of an apply's own looks the first is the one before the deployment, the second the one after it.
    monkeypatch.setattr(deploying, "read_live", dying)
    found = project.run("apply", "--auto-approve")
    monkeypatch.undo()

    assert (1, True) == (found.code, "landed" in found.out and "the network is gone" in found.err), found.said
    assert "OauthCustomScope/sc1" in project.baseline
    assert {} == project.planned()
    project.declare(portal())
    assert ["delete OauthCustomScope/sc1"] == list(project.planned())


def test_a_deployment_whose_end_nobody_saw_is_ours(project: Project, monkeypatch: pytest.MonkeyPatch):
    """It landed all the same: whoever reads the drift must not go and look for the person who did it."""
    project.declare(portal())
    project.apply()
    project.declare(portal(isIntrospectAllTokens=True))
    deploy = deploying.deploy

    def dying(*arguments, **more):
        deploy(*arguments, **more)
        raise UnreachableError("the network is gone")

    monkeypatch.setattr(deploying, "deploy", dying)
    assert 6 == project.run("apply", "--auto-approve").code
    monkeypatch.undo()

    (found,) = project.run("drift", "--output", "json").json["findings"]
    assert (["isIntrospectAllTokens"], True) == (found["path"], found["attribution"]["ours"])


@pytest.mark.parametrize("output", ["json=missing/report.json", "text=desired"])
def test_a_report_that_cannot_be_written_stops_an_apply_before_it_begins(project: Project, output: str):
    """Afterwards nobody would know what it did."""
    project.declare(portal())

    found = project.run("apply", "--auto-approve", "--output", output)

    assert (3, 0) == (found.code, project.org.write_calls)


def test_broken_files_do_not_silence_drift_or_the_baseline(project: Project):
    """*Desired plays no part in it*: one bad commit must not blind the scheduled check."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isPkceRequired": "true", "isIntrospectAllTokens": "true"}, as_user=DANA)
    project.declare("kind: ConnectedApp\nname: [\n")

    assert {f"{GLOBAL}.isIntrospectAllTokens": (False, True)} == project.drifted()
    assert 0 == project.run("baseline", "list").code
    assert 0 == project.run("baseline", "accept", f"{GLOBAL}.isIntrospectAllTokens").code
    assert {} == project.drifted()


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x" * 101])
def test_a_project_name_that_is_a_path_is_refused(project: Project, name: str):
    """It becomes part of file names."""
    text = (project.root / "reconciler.yaml").read_text(encoding="utf-8")
    (project.root / "reconciler.yaml").write_text(text.replace("acme\n", f"{name!r}\n", 1), encoding="utf-8")

    assert 3 == project.run("plan").code


@pytest.mark.parametrize(
    ("key", "value"), [("serial", "x"), ("unmanaged", ["garbage"]), ("unmanaged", ["Foo/bar"]), ("salt", None)]
)
def test_a_baseline_that_somebody_edited_badly_is_a_clear_error(project: Project, key: str, value: object):
    project.declare(portal())
    project.apply()
    content = json.loads(project.baseline_file.read_bytes())
    project.baseline_file.write_text(json.dumps(content | {key: value}), encoding="utf-8")

    found = project.run("drift")

    assert (3, True) == (found.code, "the baseline cannot be read" in found.err)


def test_a_mock_org_file_that_is_none_is_a_clear_error(project: Project):
    project.declare(portal())
    project.org.close()
    project.database.write_text("garbage", encoding="utf-8")

    found = project.run("plan")

    assert (3, True) == (found.code, "not a mock org" in found.err)


def test_a_folder_that_may_not_be_written_is_said_before_anything_is_sent(project: Project):
    """Landed, and nowhere written down, is the worst of both."""
    (project.root / ".reconciler" / "baselines").write_text("a file stands in the way", encoding="utf-8")
    project.declare(portal())

    found = project.run("apply", "--auto-approve")

    # Whether there is a baseline cannot be seen either, so not even a plan is made.
    assert (3, 0) == (found.code, project.org.write_calls), found.said
    assert "baselines is no folder" in found.err


def test_a_reader_that_goes_away_changes_no_exit_code(project: Project):
    """`reconciler plan | head -1` in a script with `pipefail`."""
    project.declare(legacy(label="New"))
    command = [sys.executable, "-c", "from reconciler.cli import main; main()", "plan", "--detailed-exitcode"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(command, cwd=project.root, stdout=gone, stderr=subprocess.PIPE, timeout=120, check=False)

    assert (2, False) == (done.returncode, b"Error" in done.stderr), done.stderr
