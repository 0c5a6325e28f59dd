"""Metadata files as desired state: planned as they are, and written back into, element by element."""

import json
import re
import shutil

import pytest

from providers.mock import MockOrgError
from tests.e2e.build import DANA, HANDLER, INTEGRATION, LEGACY, app, handler, handler_class, item
from tests.e2e.corpus import RealFile, furnish, some_files
from tests.e2e.project import Project
from tests.e2e.test_corpus import ONE_FIELD, REFUSED_BY_US, each, hold

NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
FILE = "force-app/main/default/connectedApps/Legacy_ERP.connectedApp-meta.xml"
TEXT = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<ConnectedApp {NAMESPACE}>
    <!-- the old ERP -->
    <contactEmail>it@acme.example</contactEmail>
    <label>Legacy ERP</label>
    <oauthConfig>
        <callbackUrl>https://erp.acme.example/oauth/callback</callbackUrl>
        <scopes>Api</scopes>  <!-- no more -->
        <scopes>RefreshToken</scopes>
    </oauthConfig>
    <oauthPolicy>
        <ipRelaxation>BYPASS</ipRelaxation>
        <refreshTokenPolicy>infinite</refreshTokenPolicy>
    </oauthPolicy>
</ConnectedApp>
"""


@pytest.fixture
def sources(project: Project) -> Project:
    """A project of the Salesforce CLI, with one app of the org, as desired state."""
    project.configure()
    text = (project.root / "reconciler.yaml").read_text()
    (project.root / "reconciler.yaml").write_text(text + "desired: .\n")
    shutil.rmtree(project.root / "desired")
    (project.root / "sfdx-project.json").write_text(json.dumps({"packageDirectories": [{"path": "force-app"}]}))
    path = project.root / FILE
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    return project


def test_a_tree_of_the_salesforce_cli_plans_nothing_for_the_org_that_it_is_of(sources: Project) -> None:
    assert {} == sources.planned()
    sources.apply()
    assert {} == sources.drifted()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_only_the_elements_that_drifted_change(sources: Project, ends) -> None:
    """The one whose diff of one value is a file that was laid out anew."""
    path = sources.root / FILE
    path.write_bytes(TEXT.replace("\n", ends).encode())
    sources.apply()
    edit = {
        "label": "ERP & more",
        "oauthConfig.scopes": "Api, Web",
        "oauthConfig.callbackUrl": "https://erp.acme.example/oauth/callback\nhttps://new.example",
        "contactPhone": "+49 1",
    }
    sources.org.set(LEGACY, edit, as_user=DANA)

    found = sources.run("pull")

    expected = (
        TEXT.replace("Legacy ERP", "ERP &amp; more")
        .replace("callback</", "callback\nhttps://new.example</")
        .replace("        <scopes>RefreshToken</scopes>\n", "        <scopes>Web</scopes>\n")
        .replace("example</contactEmail>\n", "example</contactEmail>\n    <contactPhone>+49 1</contactPhone>\n")
    )
    assert (0, expected.replace("\n", ends)) == (found.code, path.read_bytes().decode()), found.said
    assert ({}, {}) == (sources.planned(), sources.drifted())


def test_what_is_new_in_the_org_becomes_files_as_the_salesforce_cli_has_them(sources: Project) -> None:
    sources.apply()

    found = sources.run("pull")

    assert 0 == found.code, found.said
    default = sources.root / "force-app/main/default"
    names = {path.name for path in default.rglob("*.xml")}
    assert {"Partner_Portal.connectedApp-meta.xml", "Marketing_Dashboard.eca-meta.xml"} < names
    assert not list(sources.root.rglob("*/externalClientApps/*.yaml"))
    assert ({}, {}) == (sources.planned(), sources.drifted())
    assert "Pull: nothing to do" in sources.run("pull").out


def test_a_project_without_a_file_yet_is_filled(sources: Project) -> None:
    shutil.rmtree(sources.root / "force-app")

    found = sources.run("pull")

    assert (0, True) == (found.code, "adopted 10." in found.out), found.said
    assert ({}, {}) == (sources.planned(), sources.drifted())


def test_what_is_gone_from_the_org_goes_from_the_tree(sources: Project) -> None:
    sources.apply()
    sources.run("pull")
    sources.org.delete("ExternalClientApplication/Marketing_Dashboard", as_user=DANA)

    found = sources.run("pull")

    assert 0 == found.code, found.said
    assert not list((sources.root / "force-app").rglob("*Marketing*"))
    assert ({}, {}) == (sources.planned(), sources.drifted())


def test_a_handler_with_its_enablements_and_its_class_is_written_and_kept_up(sources: Project) -> None:
    first = sources.root / "desired"
    first.mkdir()
    text = (sources.root / "reconciler.yaml").read_text()
    (sources.root / "reconciler.yaml").write_text(text.replace("desired: .", "desired: desired"))
    sources.source("PartnerIdpHandler", handler_class())
    sources.declare(app("a"), app("b"), handler(enablements=[item("a")]))
    sources.apply()
    shutil.rmtree(first)
    shutil.rmtree(sources.root / ".reconciler/baselines")
    (sources.root / "reconciler.yaml").write_text(text)

    assert 0 == sources.run("pull").code
    place = f"{HANDLER}/enablements/b"
    sources.org.create(place, {"apexExecutionUser": INTEGRATION, "isDefault": "false"}, as_user=DANA)
    sources.org.set(f"{HANDLER}/enablements/a", {"apexExecutionUser": "admin@acme.example"}, as_user=DANA)
    found = sources.run("pull")

    assert 0 == found.code, found.said
    written = next((sources.root / "force-app").rglob("PartnerIdp.*-meta.xml")).read_text()
    assert 2 == written.count("<enablements>")
    assert "<apexExecutionUser>admin@acme.example</apexExecutionUser>" in written
    assert ({}, {}) == (sources.planned(), sources.drifted())


def test_of_a_field_in_both_the_document_is_written(sources: Project) -> None:
    (sources.root / "force-app/over.yaml").write_text("kind: ConnectedApp\nname: Legacy_ERP\nlabel: ERP   # ours\n")
    sources.apply()
    sources.org.set(LEGACY, {"label": "Other", "contactEmail": "x@acme.example"}, as_user=DANA)

    found = sources.run("pull")

    assert 0 == found.code, found.said
    assert "label: Other   # ours\n" in (sources.root / "force-app/over.yaml").read_text()
    assert TEXT.replace("it@acme", "x@acme") == (sources.root / FILE).read_text()
    assert ({}, {}) == (sources.planned(), sources.drifted())


# --- real files ------------------------------------------------------------------------------------------------------

FILES = some_files(8)
NO_TEXT = {"consumerKey", "consumerSecret"}


@pytest.mark.skipif(not FILES, reason="RECONCILER_CORPUS names no folder of real metadata files")
@each(FILES)
def test_a_real_file_in_a_tree_plans_nothing_and_takes_one_value_in(sources: Project, file: RealFile) -> None:
    """*plan is empty; one value edited in the org → pull changes exactly that element.*"""
    if str(file) in REFUSED_BY_US:
        pytest.skip("it holds a value that no org has")
    furnish(sources, file)
    (sources.root / FILE).unlink()
    tree = sources.root / "force-app"
    prepared = Project.__new__(Project)
    prepared.__dict__.update(sources.__dict__)
    (sources.root / "desired").mkdir()
    config = (sources.root / "reconciler.yaml").read_text()
    (sources.root / "reconciler.yaml").write_text(config.replace("desired: .", "desired: desired"))
    hold(prepared, file)
    shutil.rmtree(sources.root / "desired")
    shutil.rmtree(sources.root / ".reconciler/baselines", ignore_errors=True)
    (sources.root / "reconciler.yaml").write_text(config)
    sources.run("pull", "--full")
    path = next(tree.rglob(f"{name_of(sources, file)}.{file.kind.suffix}-meta.xml"))
    before = {one: one.read_text() for one in tree.rglob("*.xml")}
    field, value = ONE_FIELD[file.kind.__name__]

    changed = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        sources.org.set(file.address, {field: changed}, as_user=DANA)
    except MockOrgError:
        # It holds what Setup would not take: another record of it, then.
        changed_otherwise(sources, file, field, changed)
    found = sources.run("pull", file.address, "--output", "json")

    assert 0 == found.code, found.said
    after = {one: one.read_text() for one in before}
    assert [path] == [one for one in after if after[one] != before[one]]
    lines = set(after[path].splitlines()) ^ set(before[path].splitlines())
    # An edit in Setup makes some orgs say more of the record than they did before.
    taken = {one["path"][-1] for one in found.json["fields"]}
    assert field in taken
    root = (f"<{file.kind.__name__} ", f"</{file.kind.__name__}>")
    assert [] == [one for one in lines if not one.startswith(root) and one.strip("</ >").partition(">")[0] not in taken]
    drifted = [one for one in sources.drifted() if one.startswith(file.address)]
    assert ({}, []) == (sources.planned(), drifted)


def changed_otherwise(project: Project, file: RealFile, field: str, value: str) -> None:
    """Change a field of a record that the org has taken once, and would not take again."""
    kind, name = file.kind.__name__, name_of(project, file)
    with project.org.reading() as world:
        body = world.component(kind, name).body
    text = re.sub(rf"\s*<{field}>.*?</{field}>", "", body if isinstance(body, str) else body.decode())
    project.org.load_component(kind, name, text.replace(f"</{kind}>", f"<{field}>{value}</{field}></{kind}>").encode())


def name_of(project: Project, file: RealFile) -> str:
    """The name of the record that the file became."""
    if file.app:
        with project.org.reading() as world:
            return str(world.satellite(file.kind.__name__, file.app).name)
    return file.record
