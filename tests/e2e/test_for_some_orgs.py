"""What is declared for some orgs of a project only: folders of an org, and documents that say when."""

import pytest
import yaml

from providers.mock import open_org
from tests.e2e.build import DANA, app
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


# --- overlays --------------------------------------------------------------------------------------------------------

BASE = """\
kind: ExternalClientApplication
name: portal
label: Portal   # everywhere
contactEmail: iam@acme.example
description: For partners
policies: {isEnabled: true}
---
kind: ExternalClientApplication
name: old
label: Old
contactEmail: iam@acme.example
"""


@pytest.fixture
def overlaid(project: Project) -> Project:
    content = {
        "project": "acme",
        "default_org": "dev",
        "orgs": {**ORGS, "prod": {**ORGS["prod"], "overlay": "overlays/prod"}},
    }
    (project.root / "reconciler.yaml").write_text(yaml.safe_dump(content))
    (project.root / "overlays/prod").mkdir(parents=True)
    project.declare(BASE)
    return project


def lay(project: Project, text: str) -> None:
    (project.root / "overlays/prod/a.yaml").write_text(text)


def created(project: Project, org: str) -> dict[str, dict[str, object]]:
    found = project.run("plan", "--org", org, "--output", "json")
    assert 0 == found.code, found.said
    changes = found.json["resource_changes"]
    return {one["address"]: one["change"]["after"] for one in changes if one["change"]["actions"] == ["create"]}


def test_an_overlay_changes_fields_for_one_org(overlaid: Project) -> None:
    """Production with its own contact and its own label, and everything else as everywhere."""
    lay(
        overlaid,
        "kind: ExternalClientApplication\nname: portal\nlabel: Shop\ndescription: null\npolicies: {isEnabled: false}\n",
    )

    dev, prod = (created(overlaid, org) for org in ("dev", "prod"))

    app_ = "ExternalClientApplication/portal"
    assert ("Portal", "Shop") == (dev[app_]["label"], prod[app_]["label"])
    assert ("iam@acme.example", True, False) == (
        prod[app_]["contactEmail"],
        "description" in dev[app_],
        bool(prod[app_].get("description")),
    )
    assert (True, False) == tuple(one["ExtlClntAppConfigurablePolicies/portal"]["isEnabled"] for one in (dev, prod))


def test_folders_of_an_org_may_stand_inside_of_the_others(overlaid: Project) -> None:
    """`desired/overlays/prod`, where people look for it: no document of it is declared twice, or for every org."""
    config = (overlaid.root / "reconciler.yaml").read_text().replace("overlays/prod", "desired/overlays/prod")
    (overlaid.root / "reconciler.yaml").write_text(config)
    (overlaid.root / "overlays").rename(overlaid.root / "desired/overlays")
    (overlaid.root / "desired/overlays/prod/a.yaml").write_text(
        "kind: ExternalClientApplication\nname: portal\nlabel: Shop\n"
    )

    app_ = "ExternalClientApplication/portal"
    assert ("Portal", "Shop") == tuple(created(overlaid, org)[app_]["label"] for org in ("dev", "prod"))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("ExternalClientApplication/old: null\n", {"ExternalClientApplication/old"}),
        (
            "kind: ExternalClientApplication\nname: portal\npolicies: null\n",
            {"ExtlClntAppConfigurablePolicies/portal"},
        ),
    ],
)
def test_null_takes_a_document_or_a_section_away(overlaid: Project, text, gone) -> None:
    lay(overlaid, text)

    assert gone == created(overlaid, "dev").keys() - created(overlaid, "prod").keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: ExternalClientApplication\nname: portl\nlabel: x\n", "which no document declares"),
        ("ExternalClientApplication/portl: null\n", "did you mean ExternalClientApplication/portal?"),
        ("Portal/portl: null\n", "is no address"),
        ("kind: ExternalClientApplication\nname: portal\nlable: x\n", "lable is not a field"),
        ("kind: ExternalClientApplication\nname: portal\nlabel: [\n", "not valid YAML"),
    ],
)
def test_an_overlay_of_nothing_is_an_error(overlaid: Project, text, said) -> None:
    """A misspelt name would leave production as the test org is."""
    lay(overlaid, text)

    found = overlaid.run("check", "--org", "prod")

    assert (3, True, True) == (found.code, said in found.err, "overlays/prod/a.yaml:" in found.err), found.said
    assert 0 == overlaid.run("check", "--org", "dev").code


def test_what_drifted_is_pulled_into_the_overlay_that_says_it(overlaid: Project) -> None:
    lay(overlaid, "kind: ExternalClientApplication\nname: portal\nlabel: Shop   # in production\n")
    overlaid.run("apply", "--org", "prod", "--auto-approve")
    org = open_org(overlaid.root / ".reconciler/orgs/prod.db")
    try:
        fields = {"label": "Store", "contactEmail": "shop@acme.example"}
        org.set("ExternalClientApplication/portal", fields, as_user=DANA)
    finally:
        org.close()

    found = overlaid.run("pull", "--org", "prod", "ExternalClientApplication/portal")

    assert 0 == found.code, found.said
    assert "label: Store   # in production\n" in (overlaid.root / "overlays/prod/a.yaml").read_text()
    assert (
        "label: Portal   # everywhere\ncontactEmail: shop@acme.example"
        in (overlaid.root / "desired/identity.yaml").read_text()
    )
    assert {} == created(overlaid, "prod")
