"""`compare`: two orgs side by side."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from providers.mock import Org, open_org
from tests.e2e.build import APP, DANA, LEGACY, portal
from tests.e2e.project import Project


@pytest.fixture
def uat(project: Project, fresh_org: Path) -> Org:
    """A second org of the project, called `uat`, whose people have other names."""
    database = project.root / ".reconciler" / "orgs" / "uat.db"
    database.write_bytes(fresh_org.read_bytes())
    content = yaml.safe_load((project.root / "reconciler.yaml").read_text())
    variables = {"integration_user": "integration@acme.example.uat"}
    content["orgs"]["uat"] = {**content["orgs"]["dev"], "mock": ".reconciler/orgs/uat.db", "variables": variables}
    content["default_org"] = "dev"
    (project.root / "reconciler.yaml").write_text(yaml.safe_dump(content))
    made = open_org(database)
    made.reset()
    made.add_user("integration@acme.example.uat")
    yield made
    made.close()


def test_two_orgs_with_other_keys_are_alike(project: Project, uat: Org) -> None:
    """The one who would otherwise read through three hundred consumer keys."""
    found = project.run("compare", "dev", "uat")

    assert (0, True) == (found.code, "alike." in found.out), found.said


def test_what_differs_is_graded_from_the_first_to_the_second(project: Project, uat: Org) -> None:
    uat.set(
        LEGACY, {"oauthConfig.callbackUrl": "https://erp.acme.example/oauth/callback\nhttps://x.example"}, as_user=DANA
    )
    uat.delete("ConnectedApp/Partner_Portal", as_user=DANA)
    project.org.set(LEGACY, {"pluginExecutionUser": "integration@acme.example"}, as_user=DANA)
    uat.set(LEGACY, {"pluginExecutionUser": "integration@acme.example.uat"}, as_user=DANA)

    found = project.run("compare", "dev", "uat", "--output", "json")

    assert 2 == found.code, found.said
    assert [
        ("ConnectedApp/Legacy_ERP", "oauthConfig.callbackUrl differs", "critical", "weakens"),
        ("ConnectedApp/Partner_Portal", "is in dev and not in uat", "medium", "neutral"),
    ] == [(one["address"], one["message"], one["severity"], one["direction"]) for one in found.json["findings"]]
    assert "dev" == found.json["against"]


@pytest.mark.parametrize("form", ["text", "json", "markdown", "sarif", "junit", "html", "graph", "dot"])
def test_every_format_shows_it(project: Project, uat: Org, form) -> None:
    uat.set(LEGACY, {"label": "Other ERP"}, as_user=DANA)

    found = project.run("compare", "dev", "uat", "--output", form)

    assert (2, True) == (found.code, "Legacy_ERP" in found.out), found.said


def test_an_org_is_compared_with_a_recording(project: Project, uat: Org) -> None:
    project.run("drift", "--against", "desired", "--record", "dev.json")
    assert (project.root / "dev.json").is_file()

    alike = project.run("compare", "dev", "dev.json")
    uat.set(LEGACY, {"label": "Other ERP"}, as_user=DANA)
    other = project.run("compare", "uat", "dev.json")

    assert (0, 2) == (alike.code, other.code), alike.said + other.said
    assert "Other ERP → Legacy ERP" in other.out


def test_what_was_pulled_from_one_org_makes_the_other_alike(project: Project, uat: Org) -> None:
    """*Pulled files put onto a second org and applied → compare of the two is empty.*"""
    project.declare(portal(policies={"isTokenExchangeFlowEnabled": True}, isTokenExchangeEnabled=True))
    project.apply()
    shutil.rmtree(project.root / "desired")
    shutil.rmtree(project.root / ".reconciler/baselines")
    assert 2 == project.run("compare", "dev", "uat").code
    assert 0 == project.run("pull").code
    assert 0 == project.run("apply", "--org", "uat", "--auto-approve").code

    found = project.run("compare", "dev", "uat")

    assert (0, True) == (found.code, "alike." in found.out), found.said
    assert json.loads(project.run("compare", "dev", "uat", "--json").out)["findings"] == []
    assert APP.partition("/")[2] in (project.root / "desired/externalClientApps/portal.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dev",), "Missing argument"),
        (("dev", "prodd"), "'prodd' is not an org of this project"),
        (("", "dev"), "is empty"),
    ],
)
def test_nonsense_is_refused(project: Project, uat: Org, arguments, said) -> None:
    found = project.run("compare", *arguments)

    assert (3, True) == (found.code, said in found.err), found.said
