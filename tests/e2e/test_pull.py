"""`pull`: from an org that is already there to files, and from what drifted in it back into them."""

import json
import re
import shutil
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.engine import pull as pulling
from tests.e2e.build import (
    DANA,
    HANDLER,
    INTEGRATION,
    LEGACY,
    OAUTH,
    app,
    enablement,
    handler,
    handler_class,
    item,
    portal,
)
from tests.e2e.project import Project

FILE = "desired/identity.yaml"


@pytest.fixture
def adopted(project: Project) -> Project:
    """A project whose files were pulled from the fresh org."""
    assert 0 == project.run("pull").code
    return project


def written(project: Project, file: str = FILE) -> str:
    return (project.root / file).read_bytes().decode()


def write(project: Project, text: str, file: str = FILE) -> None:
    (project.root / file).write_bytes(text.encode())


def files(project: Project) -> list[str]:
    return sorted(str(path.relative_to(project.root)) for path in (project.root / "desired").rglob("*.*"))


# --- everything that is there ----------------------------------------------------------------------------------------


def test_an_org_of_many_years_is_adopted_by_one_command(project: Project) -> None:
    """The one who starts with dozens of apps, and would have to type them."""
    before = project.content()

    found = project.run("pull")

    assert (0, True) == (found.code, "adopted 10." in found.out), found.said
    assert ({}, {}) == (project.planned(), project.drifted())
    assert "desired/connectedApps/Legacy_ERP.yaml" in files(project)
    assert 10 == len(project.managed)
    assert before == project.content()
    assert "Pull: nothing to do." in project.run("pull").out


def test_what_is_at_its_default_is_not_written_unless_asked_for(project: Project) -> None:
    project.run("pull", LEGACY)
    short = written(project, "desired/connectedApps/Legacy_ERP.yaml")
    shutil.rmtree(project.root / "desired/connectedApps")
    shutil.rmtree(project.root / ".reconciler/baselines")

    project.run("pull", LEGACY, "--full")

    long = written(project, "desired/connectedApps/Legacy_ERP.yaml")
    assert set(short.splitlines()) < set(long.splitlines())
    assert "isAdminApproved" not in short
    assert "isAdminApproved: false" in long


def test_a_stub_puts_a_record_under_watch_and_manages_nothing_more(project: Project) -> None:
    """The one who wants to hear of every change, and to decide later what to manage."""
    project.run("pull", "ConnectedApp/*", "--stubs")

    declared = yaml.safe_load(written(project, "desired/connectedApps/Legacy_ERP.yaml"))
    assert {"kind", "name", "label", "contactEmail"} == declared.keys() - {"oauthConfig", "oauthPolicy"}
    project.org.set(LEGACY, {"description": "another"}, as_user=DANA)
    assert {f"{LEGACY}.description"} == project.drifted().keys()
    assert {} == project.planned()


@pytest.mark.parametrize("arguments", [("ConnectedApp/*",), ("Legacy_ERP",), ("connectedapp/Legacy_ERP",)])
def test_only_what_fits_an_address_is_pulled(project: Project, arguments) -> None:
    found = project.run("pull", *arguments)

    if "*" in arguments[0]:
        assert ["desired/connectedApps/Legacy_ERP.yaml", "desired/connectedApps/Partner_Portal.yaml"] == files(project)
    else:
        assert (3, []) == (found.code, files(project))
        assert "did you mean ConnectedApp/Legacy_ERP?" in found.err


def test_a_handler_comes_with_its_enablements_and_its_class(project: Project) -> None:
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app("a"), handler(enablements=[item("a")]))
    project.apply()
    shutil.rmtree(project.root / "desired")
    shutil.rmtree(project.root / ".reconciler/baselines")

    found = project.run("pull", HANDLER)

    assert 0 == found.code, found.said
    declared = yaml.safe_load(written(project, "desired/oauthtokenexchangehandlers/PartnerIdp.yaml"))
    enabled = {"externalClientApp": "a", "apexExecutionUser": "${var.integration_user}", "isDefault": False}
    assert [enabled] == declared["enablements"]
    assert handler_class() == written(project, "desired/classes/PartnerIdpHandler.cls")
    assert ({}, {}) == (project.planned(), project.drifted())


def test_a_secret_in_a_class_does_not_get_into_a_file(project: Project) -> None:
    secret = "kJ8s7Dk2Lq9Zx1Vb4Nm6"
    source = handler_class().replace("// validates", f"String clientSecret = '{secret}';")
    project.source("PartnerIdpHandler", source)
    project.declare(handler())
    project.apply()
    shutil.rmtree(project.root / "desired")
    shutil.rmtree(project.root / ".reconciler/baselines")

    found = project.run("pull")

    assert 0 == found.code, found.said
    assert "its source holds what looks like a secret" in found.out
    assert not any(secret in (project.root / name).read_text() for name in files(project))


def test_a_user_that_another_org_does_not_have_becomes_a_variable(project: Project) -> None:
    project.org.add_user("svc-idp@acme.example.uat")
    project.org.set(LEGACY, {"pluginExecutionUser": "svc-idp@acme.example.uat"}, as_user=DANA)
    write(project, written(project, "reconciler.yaml") + "# the end\n", "reconciler.yaml")

    found = project.run("pull", LEGACY)

    assert 'pluginExecutionUser: "${var.svc_idp}"' in written(project, "desired/connectedApps/Legacy_ERP.yaml")
    config = written(project, "reconciler.yaml")
    assert config.endswith("# the end\n")
    variables = yaml.safe_load(config)["orgs"]["dev"]["variables"]
    assert {"integration_user": INTEGRATION, "svc_idp": "svc-idp@acme.example.uat"} == variables
    assert "svc_idp: svc-idp@acme.example.uat" in found.out
    assert ({}, {}) == (project.planned(), project.drifted())


def test_a_file_that_is_there_is_never_overwritten(project: Project) -> None:
    (project.root / "desired/connectedApps").mkdir()
    write(project, "# mine\n", "desired/connectedApps/legacy_erp.yaml")

    found = project.run("pull", LEGACY)

    assert "there is another file where it would go" in found.out
    assert ["desired/connectedApps/legacy_erp.yaml"] == files(project)


def test_the_project_folder_itself_may_be_the_folder_of_desired_files(project: Project) -> None:
    config = written(project, "reconciler.yaml")
    write(project, f"{config}desired: .\n", "reconciler.yaml")

    found = project.run("pull")

    assert (0, True) == (found.code, (project.root / "connectedApps/Legacy_ERP.yaml").is_file()), found.said
    assert ({}, {}) == (project.planned(), project.drifted())


# --- what drifted ----------------------------------------------------------------------------------------------------

COMMENTED = """\
# The old ERP.
kind: ConnectedApp
name:   Legacy_ERP   # as in the contract
label: 'Legacy  ERP'
contactEmail: it@acme.example
oauthConfig:
    # where codes go
    callbackUrl:
        - https://erp.acme.example/oauth/callback   # production
        - "https://erp.acme.example/spare"
    scopes: [ Api,  RefreshToken ]  # no more
"""


def applied(project: Project, text: str) -> Project:
    write(project, text)
    project.apply()
    return project


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_only_what_drifted_changes_in_a_file(project: Project, ends) -> None:
    """The one whose comments, quotes and columns are gone after a tool wrote into the file."""
    applied(project, COMMENTED.replace("\n", ends))
    edit = {
        "label": "ERP",
        "oauthConfig.callbackUrl": "https://erp.acme.example/spare\nhttps://erp.acme.example/new",
        "oauthConfig.scopes": "Api, RefreshToken, Web",
    }
    project.org.set(LEGACY, edit, as_user=DANA)

    found = project.run("pull")

    expected = (
        COMMENTED.replace("label: 'Legacy  ERP'", "label: ERP")
        .replace("        - https://erp.acme.example/oauth/callback   # production\n", "")
        .replace('/spare"\n', '/spare"\n        - https://erp.acme.example/new\n')
        .replace("RefreshToken ]", "RefreshToken, Web ]")
    )
    assert (0, expected.replace("\n", ends)) == (found.code, written(project)), found.said
    assert ({}, {}) == (project.planned(), project.drifted())


def test_check_says_what_would_be_written_and_writes_nothing(project: Project) -> None:
    applied(project, COMMENTED)
    project.org.set(LEGACY, {"label": "ERP"}, as_user=DANA)
    before = project.baseline_file.read_bytes()

    found = project.run("pull", LEGACY, "--check")

    assert (2, COMMENTED, before) == (found.code, written(project), project.baseline_file.read_bytes())
    assert "label: Legacy  ERP → ERP" in found.out
    assert "Pull: 1 file would be written, 1 field would be changed." in found.out
    project.run("pull", LEGACY)
    assert 0 == project.run("pull", LEGACY, "--check").code


def test_a_field_that_no_file_declares_is_written_down_once_it_drifts(project: Project) -> None:
    applied(project, COMMENTED)
    project.org.set(LEGACY, {"oauthPolicy.refreshTokenPolicy": "zero", "description": "odd"}, as_user=DANA)

    project.run("pull", LEGACY)

    declared = yaml.safe_load(written(project))
    assert ({"refreshTokenPolicy": "zero"}, "odd") == (declared["oauthPolicy"], declared["description"])
    assert COMMENTED.splitlines()[:3] == written(project).splitlines()[:3]
    assert ({}, {}) == (project.planned(), project.drifted())


def test_an_edit_that_was_not_applied_yet_is_left_alone(project: Project) -> None:
    """*Nothing is ever overwritten*: the one who is about to apply, and pulls a colleague's change first."""
    applied(project, COMMENTED)
    project.org.set(LEGACY, {"contactEmail": "erp@acme.example"}, as_user=DANA)
    mine = COMMENTED.replace("'Legacy  ERP'", "Mine")
    write(project, mine)

    found = project.run("pull")

    assert mine.replace("it@acme.example", "erp@acme.example") == written(project), found.said
    assert "the file was edited since the last apply or pull" in found.out
    assert {f"update {LEGACY}": {"label": ("Legacy  ERP", "Mine")}} == project.planned()
    assert {} == project.drifted()
    project.run("pull", "--overwrite")
    assert "label: Legacy  ERP" in written(project)
    assert ({}, {}) == (project.planned(), project.drifted())


def test_what_was_removed_from_the_files_and_not_applied_yet_stays_removed(project: Project) -> None:
    applied(project, "---\n".join([COMMENTED, yaml.safe_dump(dict(app("old")))]))
    write(project, COMMENTED)

    found = project.run("pull")

    assert "ExternalClientApplication/old: it was removed from the files" in found.out
    assert not any("old" in name for name in files(project))
    assert ["delete ExternalClientApplication/old"] == [*project.planned()]


def test_what_is_gone_from_the_org_goes_from_the_files(project: Project) -> None:
    project.declare(app("one"), portal("two"), app("three"))
    project.apply()
    project.org.delete("ExternalClientApplication/two", as_user=DANA)

    found = project.run("pull", "*/one", "*/two", "*/three")

    assert 0 == found.code, found.said
    assert ["one", "three"] == [one["name"] for one in yaml.safe_load_all(written(project))]
    assert ({}, {}) == (project.planned(), project.drifted())


def test_an_app_that_was_enabled_in_setup_gets_into_the_list_of_its_handler(project: Project) -> None:
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app("a"), app("b"), handler(enablements=[item("a")]))
    project.apply()
    place = f"{HANDLER}/enablements/b"
    project.org.create(place, {"apexExecutionUser": INTEGRATION, "isDefault": "false"}, as_user=DANA)

    found = project.run("pull", HANDLER)

    assert 0 == found.code, found.said
    declared = [*yaml.safe_load_all(written(project))]
    assert ["a", "b"] == [one["externalClientApp"] for one in declared[2]["enablements"]]
    assert ({}, {}) == (project.planned(), project.drifted())


def test_an_enablement_beside_those_of_other_teams_gets_a_file_of_its_own(project: Project) -> None:
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app("a"), app("b"), handler(), enablement("a"))
    project.apply()
    place = f"{HANDLER}/enablements/b"
    project.org.create(place, {"apexExecutionUser": INTEGRATION, "isDefault": "false"}, as_user=DANA)

    project.run("pull", HANDLER)

    declared = yaml.safe_load(written(project, "desired/oauthtokenexchangehandlers/PartnerIdp.b.yaml"))
    assert ("HandlerEnablement", "PartnerIdp", "b") == tuple(
        declared[key] for key in ("kind", "handler", "externalClientApp")
    )
    assert ({}, {}) == (project.planned(), project.drifted())


def test_a_section_is_taken_in_only_by_name(project: Project) -> None:
    """*What is not written is not managed*: a section that a person left out does not come by itself."""
    project.declare(portal())
    project.apply()
    document = {key: value for key, value in portal().items() if key != "oauthSettings"}
    project.declare(document)
    shutil.rmtree(project.root / ".reconciler/baselines")
    before = written(project)

    found = project.run("pull", "--check")
    assert f"{OAUTH}: no file has this section of a declared app (reconciler pull {OAUTH})" in found.out
    project.run("pull", OAUTH)

    assert before in written(project)
    assert ["Api"] == yaml.safe_load(written(project))["oauthSettings"]["commaSeparatedOauthScopes"]
    assert {} == project.planned()


# --- variables -------------------------------------------------------------------------------------------------------

CONFIG = """\
# Ours.
project: acme
orgs:
  dev:
    mock: .reconciler/orgs/dev.db
    variables:
      host: erp.acme.example   # moves in spring
      mail: it@acme.example
"""
WITH_VARIABLES = """\
kind: ConnectedApp
name: Legacy_ERP
contactEmail: ${var.mail}   # theirs
oauthConfig:
  callbackUrl:
    - https://${var.host}/oauth/callback  # main
"""


@pytest.fixture
def varied(project: Project) -> Project:
    write(project, CONFIG, "reconciler.yaml")
    return applied(project, WITH_VARIABLES)


def test_a_value_that_is_a_variable_changes_in_the_project_file(varied: Project) -> None:
    varied.org.set(LEGACY, {"contactEmail": "erp@acme.example"}, as_user=DANA)

    found = varied.run("pull", LEGACY)

    assert WITH_VARIABLES == written(varied), found.said
    assert CONFIG.replace("mail: it@", "mail: erp@") == written(varied, "reconciler.yaml")
    assert ({}, {}) == (varied.planned(), varied.drifted())


def test_a_variable_stays_where_only_what_stands_around_it_changed(varied: Project) -> None:
    varied.org.set(LEGACY, {"oauthConfig.callbackUrl": "https://erp.acme.example/new"}, as_user=DANA)
    varied.declare(WITH_VARIABLES.replace("contactEmail", "description: at ${var.host}, room 1\ncontactEmail"))
    varied.run("pull", LEGACY, "--overwrite")
    varied.apply()
    varied.org.set(LEGACY, {"description": "at erp.acme.example, room 2"}, as_user=DANA)

    varied.run("pull", LEGACY)

    assert 'description: "at ${var.host}, room 2"' in written(varied)
    assert CONFIG == written(varied, "reconciler.yaml")
    assert ({}, {}) == (varied.planned(), varied.drifted())


def test_a_variable_that_others_use_too_is_not_changed(varied: Project) -> None:
    """The one whose other app would silently get another address."""
    other = yaml.safe_dump({**app("other"), "contactEmail": "${var.mail}"})
    applied(varied, f"{WITH_VARIABLES}---\n{other}")
    varied.org.set(LEGACY, {"contactEmail": "erp@acme.example"}, as_user=DANA)
    before = written(varied), written(varied, "reconciler.yaml")

    found = varied.run("pull")

    assert before == (written(varied), written(varied, "reconciler.yaml"))
    assert "the variable mail" in found.said
    assert {f"{LEGACY}.contactEmail"} == varied.drifted().keys()


def test_a_variable_of_the_environment_is_not_changed(varied: Project) -> None:
    varied.org.set(LEGACY, {"contactEmail": "erp@acme.example"}, as_user=DANA)

    found = varied.run("pull", LEGACY, RECONCILER_VAR_mail="it@acme.example")

    assert (WITH_VARIABLES, CONFIG) == (written(varied), written(varied, "reconciler.yaml"))
    assert "the variable mail, which is set in the environment" in found.out


# --- troubles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Nonsense/x",), "nothing in the org or in the files fits Nonsense/x"),
        (("ConnectedApp/Legacy_ER",), "did you mean ConnectedApp/Legacy_ERP?"),
        (("",), "is empty"),
        (("--stubs", "--full"), "contradict each other"),
        (("--output", "sarif"), "sarif"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(project: Project, arguments, said) -> None:
    found = project.run("pull", *arguments)

    assert (3, True, []) == (found.code, said in found.err, files(project)), found.said


def test_a_file_that_is_edited_while_the_org_is_read_is_not_written(project: Project, monkeypatch) -> None:
    """The one who saves in the editor while a pull is running."""
    applied(project, COMMENTED)
    project.org.set(LEGACY, {"label": "ERP"}, as_user=DANA)
    mine = COMMENTED.replace("it@acme.example", "mine@acme.example")
    decide = pulling.decide

    def meanwhile(*arguments: Any) -> Any:
        write(project, mine)
        return decide(*arguments)

    monkeypatch.setattr(pulling, "decide", meanwhile)

    found = project.run("pull")

    assert (3, mine) == (found.code, written(project)), found.said
    assert "was changed while the org was read" in found.err


def test_what_could_not_be_read_is_named_and_is_no_success(project: Project) -> None:
    """The one whose login sees half of the org, and who commits the other half as gone."""
    project.org.switch("unreadable_kinds", ["ConnectedApp"])

    found = project.run("pull")

    assert (5, True) == (found.code, "Could not be read, and is in no file for that:" in found.out), found.said
    assert "ConnectedApp: " in found.out
    assert any("externalClientApps" in name for name in files(project))


def test_a_file_in_the_place_of_the_folder_is_bad_input(project: Project) -> None:
    shutil.rmtree(project.root / "desired")
    (project.root / "desired").write_text("")

    found = project.run("pull")

    assert (3, True) == (found.code, "is not a folder" in found.err), found.said


def test_an_apply_that_was_cut_off_comes_first(project: Project) -> None:
    project.declare(app())
    project.apply()
    journal = project.baseline_file.with_suffix(".journal")
    journal.write_text(json.dumps({}))

    found = project.run("pull")

    assert 0 != found.code
    assert [FILE] == files(project)


def test_json_says_the_same_as_the_text(project: Project) -> None:
    found = project.run("pull", "ConnectedApp/*", "--output", "json").json

    assert ("pull", True, 2) == (found["command"], found["written"], found["adopted"])
    assert {"ConnectedApp/Legacy_ERP", "ConnectedApp/Partner_Portal"} == {one["address"] for one in found["taken"]}
    assert {"create"} == {one["action"] for one in found["files"]}


# --- any edit of the org, any file -----------------------------------------------------------------------------------

SHARED = """\
# Two apps that share what they can.
kind: ConnectedApp   # old
name: Legacy_ERP
label: &label "The ERP"   # as people say
contactEmail: &mail ${var.mail}
description: *label
oauthConfig: # how
  callbackUrl: &urls
    # first
    - https://${var.host}/oauth/callback  # main
    - https://spare.example/cb
  scopes: [Api, RefreshToken]   # no more
oauthPolicy: {ipRelaxation: BYPASS, refreshTokenPolicy: infinite}  # lax
---
# The second.
kind: ConnectedApp
name: Partner_Portal
label: Partner   # them
contactEmail: partners@acme.example
oauthConfig:
  callbackUrl: [ "https://${var.host}/p",   https://p.example/q ]
  scopes:
  # all
  - Api
  - Web    # pages
"""
COMMENTS = re.findall(r"#[^\n]*", SHARED)
TEXTS = st.sampled_from(["x", "The ERP", "a: b", "# no comment", "${var.mail}", "é 漢", "'", '"', "- a", "true", "0x1"])
URLS = st.lists(
    st.sampled_from(
        ["https://erp.acme.example/oauth/callback", "https://erp.acme.example/p", "https://spare.example/cb"]
    )
    | st.integers(1, 9).map(lambda n: f"https://new{n}.example/cb?a=1#b"),
    min_size=1,
    max_size=4,
    unique=True,
).map("\n".join)
SCOPES = st.lists(st.sampled_from(["Api", "Web", "RefreshToken", "OpenID", "Full"]), min_size=1, unique=True).map(
    ", ".join
)
FIELDS: dict[str, st.SearchStrategy[str]] = {
    "label": TEXTS,
    "description": TEXTS,
    "contactEmail": st.sampled_from(["it@acme.example", "new@acme.example", "partners@acme.example"]),
    "contactPhone": st.sampled_from(["0049 30 1", "+49", "1e5"]),
    "oauthConfig.callbackUrl": URLS,
    "oauthConfig.scopes": SCOPES,
    "oauthPolicy.ipRelaxation": st.sampled_from(["ENFORCE", "BYPASS"]),
    "oauthPolicy.refreshTokenPolicy": st.sampled_from(["infinite", "zero", "specific_lifetime:24:HOURS"]),
    "oauthConfig.isAdminApproved": st.sampled_from(["true", "false"]),
    "oauthConfig.isSecretRequiredForRefreshToken": st.sampled_from(["true", "false"]),
}
EDITS = st.fixed_dictionaries({}, optional=FIELDS)


# Each example is a project with an org of its own: a quarter of what other properties get.
@settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=EDITS, second=EDITS, ends=st.sampled_from(["\n", "\r\n"]))
def test_whatever_changed_in_the_org_is_pulled_into_whatever_stands_in_the_files(
    tmp_path_factory, fresh_org, first: Any, second: Any, ends: str
) -> None:
    """*After pull, plan is empty, and everything that a person wrote is still there.*"""
    project = Project(tmp_path_factory.mktemp("pull"), fresh_org)
    try:
        write(project, CONFIG, "reconciler.yaml")
        applied(project, SHARED.replace("\n", ends))
        for name, edits in (("Legacy_ERP", first), ("Partner_Portal", second)):
            if edits:
                project.org.set(f"ConnectedApp/{name}", edits, as_user=DANA)

        found = project.run("pull", "ConnectedApp/*")

        assert 0 == found.code, found.said
        if "left as it is" not in found.out:
            assert ({}, {}) == (project.planned(), project.drifted()), found.said
        text = written(project)
        gone = [one for one in COMMENTS if one not in text]
        assert set(gone) <= {"# main", "# pages"}, text
        assert ends == "\n" or "\n" not in text.replace("\r\n", "")
    finally:
        project.org.close()
