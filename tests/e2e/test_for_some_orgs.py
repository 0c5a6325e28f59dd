"""What is declared for some orgs of a project only: folders of an org, and documents that say when."""

import pytest
import yaml

from tests.e2e.build import app
from tests.e2e.project import Project

ORGS = {"dev": {"mock": ".reconciler/orgs/dev.db"}, "prod": {"mock": ".reconciler/orgs/prod.db"}}
ORGS |= {f"uat-{n}": {"mock": f".reconciler/orgs/uat-{n}.db"} for n in (1, 2)}


@pytest.fixture
def several(project: Project) -> Project:
    content = {"project": "acme", "default_org": "dev", "orgs": {**ORGS, "dev": {**ORGS["dev"], "desired": "only-dev"}}}
    (project.root / "reconciler.yaml").write_text(yaml.safe_dump(content))
    (project.root / "only-dev").mkdir()
    return project


def declared(project: Project, org: str) -> set[str]:
    found = project.run("plan", "--org", org, "--output", "json")
    assert 0 == found.code, found.said
    return {one["address"].rpartition("/")[2] for one in found.json["resource_changes"]}


@pytest.mark.parametrize(
    ("when", "orgs"),
    [
        ("prod", {"prod"}),
        (["prod", "uat-*"], {"prod", "uat-1", "uat-2"}),
        (["*"], set(ORGS)),
    ],
)
def test_a_document_is_for_the_orgs_that_it_names(several: Project, when, orgs) -> None:
    """The app that there is in production alone, and that a plan of the test org would create."""
    several.declare(app("everywhere"), {**app("some"), "when": {"org": when}})

    assert {org: {"everywhere", "some"} if org in orgs else {"everywhere"} for org in ORGS} == {
        org: declared(several, org) for org in ORGS
    }


def test_an_org_may_have_folders_of_its_own(several: Project) -> None:
    several.declare(app("everywhere"))
    (several.root / "only-dev" / "a.yaml").write_text(yaml.safe_dump(dict(app("here"))))

    assert {"everywhere", "here"} == declared(several, "dev")
    assert {"everywhere"} == declared(several, "prod")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("when: prod", "when must name orgs"),
        ("when: {org: []}", "when must name orgs"),
        ("when: {org: [1]}", "when must name orgs"),
        ("when: {org: prod, env: x}", "when must name orgs"),
        ("when: {org: [prod, prodd]}", "did you mean prod?"),
        ("when:", "when must name orgs"),
    ],
)
def test_a_document_for_no_org_that_there_is_is_an_error(several: Project, when, said) -> None:
    several.declare(f"{when}\nkind: ExternalClientApplication\nname: a\nlabel: a\ncontactEmail: a@acme.example\n")

    found = several.run("check")

    assert (3, True) == (found.code, said in found.err), found.said
    assert "desired/identity.yaml:1:" in found.err
