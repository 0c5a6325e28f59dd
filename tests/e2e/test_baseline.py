"""docs/semantics.md (The baseline; Both sides moved): what we last applied, and what is reported against it."""

import json
import re

import pytest

from tests.e2e.build import (
    APP,
    DANA,
    GLOBAL,
    HANDLER,
    LEGACY,
    OAUTH,
    POLICY,
    SECRET,
    app,
    enablement,
    handler,
    handler_class,
    legacy,
    oidc,
    portal,
    record,
)
from tests.e2e.project import Project


def test_the_baseline_holds_whole_records_and_strangers(project: Project):
    """*Whole records, unmanaged ones too*: drift of what no file names is seen all the same."""
    project.declare(legacy(label="ERP"))
    project.apply()
    body = project.baseline[LEGACY]["body"]

    assert ("ERP", "https://erp.acme.example/oauth/callback") == (body["label"], body["oauthConfig"]["callbackUrl"])
    strangers = {"ConnectedApp/Partner_Portal", "ExternalClientApplication/Marketing_Dashboard"}
    assert strangers < set(project.baseline)
    assert {LEGACY} == set(project.managed)
    assert "partners@acme.example" == project.baseline["ConnectedApp/Partner_Portal"]["body"]["contactEmail"]


def test_drift_of_undeclared_fields_stays_until_it_is_accepted(project: Project):
    """An apply of something else, even of the same record, must not sweep a weakening under the carpet."""
    project.declare(legacy(label="ERP"))
    project.apply()
    project.org.set(LEGACY, {"oauthConfig.isConsumerSecretOptional": "true"}, as_user=DANA)
    drift = {f"{LEGACY}.oauthConfig.isConsumerSecretOptional": (False, True)}
    project.declare(legacy(label="ERP 2"))

    assert {f"update {LEGACY}": {"label": ("ERP", "ERP 2")}} == project.planned()
    project.apply()
    assert drift == project.drifted()
    project.apply()
    assert drift == project.drifted()
    assert 0 == project.run("baseline", "accept", f"{LEGACY}.oauthConfig.isConsumerSecretOptional").code
    assert {} == project.drifted()
    assert "true" == project.held(LEGACY, "oauthConfig.isConsumerSecretOptional")


def test_drift_that_is_undone_is_gone(project: Project):
    """*Or undone*: nobody has to accept what is as it was."""
    project.declare(legacy(label="ERP"))
    project.apply()
    project.org.set(LEGACY, {"oauthConfig.isConsumerSecretOptional": "true"}, as_user=DANA)
    project.org.set(LEGACY, {"oauthConfig.isConsumerSecretOptional": "false"}, as_user=DANA)

    assert {} == project.drifted()


def test_accepting_one_field_accepts_no_other(project: Project):
    """Two edits of one evening; one was agreed upon."""
    project.declare(legacy(label="ERP"))
    project.apply()
    edits = {"oauthConfig.isConsumerSecretOptional": "true", "oauthConfig.isPkceRequired": "true"}
    project.org.set(LEGACY, edits, as_user=DANA)

    project.run("baseline", "accept", f"{LEGACY}.oauthConfig.isPkceRequired")

    assert {f"{LEGACY}.oauthConfig.isConsumerSecretOptional": (False, True)} == project.drifted()


def test_accepting_a_resource_accepts_all_of_it(project: Project):
    """`baseline accept ADDRESS`: the record is what it is now."""
    project.declare(legacy(label="ERP"))
    project.apply()
    edits = {"oauthConfig.isConsumerSecretOptional": "true", "description": "Old"}
    project.org.set(LEGACY, edits, as_user=DANA)

    project.run("baseline", "accept", LEGACY)

    assert {} == project.drifted()


def test_accepting_drift_of_a_declared_field_does_not_change_the_files(project: Project):
    """The files still say otherwise, and the next plan says so."""
    project.declare(legacy(label="ERP"))
    project.apply()
    project.org.set(LEGACY, {"label": "Theirs"}, as_user=DANA)

    project.run("baseline", "accept", f"{LEGACY}.label")

    assert ({}, {f"update {LEGACY}": {"label": ("Theirs", "ERP")}}) == (project.drifted(), project.planned())


def test_an_app_that_appears_is_drift_until_it_is_accepted(project: Project):
    """Shadow IT: an app in Setup that is in nobody's files."""
    project.declare(app())
    project.apply()
    fields = {"label": "Shadow", "contactEmail": "x@acme.example"}
    project.org.create("ExternalClientApplication/Shadow", fields, as_user=DANA)
    addresses = {"ExternalClientApplication/Shadow", "ExtlClntAppConfigurablePolicies/Shadow"}

    assert addresses == set(project.drifted())
    project.apply()
    assert addresses == set(project.drifted())
    assert 0 == project.run("baseline", "accept", *addresses).code
    assert {} == project.drifted()


def test_what_came_along_with_what_we_created_is_no_drift(project: Project):
    """The org makes policies for each new app; reporting them after every apply would bury what matters."""
    project.declare(app("first"))
    project.apply()
    project.declare(app("first"), portal())
    project.apply()

    assert {} == project.drifted()


def test_a_managed_resource_that_vanished_is_drift_and_comes_back(project: Project):
    """An outage that somebody caused in Setup; the plan mends it."""
    project.declare(portal())
    project.apply()
    project.org.delete(APP, as_user=DANA)

    assert {APP: (None, None)} == {a: v for a, v in project.drifted().items() if a == APP}
    assert f"create {APP}" in project.planned()
    project.apply()
    assert ({}, {}) == (project.drifted(), project.planned())


def test_drift_names_field_old_new_severity_direction_who_and_when(project: Project):
    """Half of the answer to "what happened?" is who to ask."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)

    (found,) = project.run("drift", "--output", "json").json["findings"]
    text = project.run("drift").out

    shown = (GLOBAL, ["isSecretRequiredForRefreshToken"], True, False, "high", "weakens", "Dana Reyes")
    keys = ("address", "path", "old", "new", "severity", "direction")
    assert shown == (*(found[key] for key in keys), found["modified"]["by"])
    assert f"high  {GLOBAL}.isSecretRequiredForRefreshToken: true → false   (weakens)" in text
    assert f"changed by {DANA} at {found['attribution']['date']}" in text


def test_a_conflict_is_marked_with_who_and_when_and_the_file_wins(project: Project):
    """*Where file and org changed the same field since the baseline*: somebody's edit is about to be lost."""
    project.declare(legacy(label="ERP"))
    project.apply()
    project.org.set(LEGACY, {"label": "Theirs"}, as_user=DANA)
    project.declare(legacy(label="Ours"))

    text = project.run("plan").out
    (change,) = project.plan()["resource_changes"]

    assert [True] == [field["conflict"] for field in change["fields"]]
    assert f"in the org last touched by Dana Reyes at {change['modified']['date']}" in text
    project.apply()
    assert "Ours" == project.held(LEGACY, "label")


@pytest.mark.parametrize(("theirs", "ours"), [("Theirs", "ERP"), ("ERP", "Ours"), ("Same", "Same")])
def test_one_side_alone_is_no_conflict(project: Project, theirs: str, ours: str):
    """Drift that is undone, an edit of the file, and both sides with the same idea."""
    project.declare(legacy(label="ERP"))
    project.apply()
    project.org.set(LEGACY, {"label": theirs}, as_user=DANA)
    project.declare(legacy(label=ours))

    assert [] == [f for c in project.plan()["resource_changes"] for f in c["fields"] if f["conflict"]]


def test_without_a_baseline_drift_says_so(project: Project):
    """*Drift says so and exits 4*: an empty answer would be read as "no drift"."""
    project.declare(portal())

    found = project.run("drift")

    assert (4, True) == (found.code, "no baseline" in found.err)


def test_against_desired_is_explicit(project: Project):
    """Before the first apply: how the org departs from what the files say, as a drift from them."""
    project.declare(legacy(label="ERP", oauthConfig={"isSecretRequiredForRefreshToken": True}))

    found = project.run("drift", "--against", "desired", "--output", "json")

    field = "oauthConfig.isSecretRequiredForRefreshToken"
    assert {(f"{LEGACY}.label", "ERP", "Legacy ERP"), (f"{LEGACY}.{field}", True, False)} == {
        (".".join([f["address"], *f["path"]]), f["old"], f["new"]) for f in found.json["findings"]
    }
    assert (2, {}) == (found.code, project.baseline)


def test_an_app_that_is_written_in_other_letters_is_the_orgs(project: Project):
    """For the org it is the same name: neither an app to create nor one that nobody declared."""
    project.declare({**legacy(label="ERP", contactEmail="it@acme.example"), "name": "legacy_erp"})

    found = project.run("drift", "--against", "desired", "--output", "json")

    assert [("ConnectedApp/legacy_erp", ["label"])] == [(f["address"], f["path"]) for f in found.json["findings"]]
    assert 2 == found.code


def test_an_ignored_field_keeps_its_live_value_and_its_drift_is_marked(project: Project):
    """*A field under `lifecycle.ignore` keeps its live value, and its drift is still reported, marked ignored.*"""
    ignoring = {"lifecycle": {"ignore": ["label"]}}
    project.declare(legacy(label="ERP", description="Ours", **ignoring))
    project.apply()
    assert "Legacy ERP" == project.held(LEGACY, "label")
    project.org.set(LEGACY, {"label": "Theirs"}, as_user=DANA)

    found = project.run("drift", "--output", "json")

    assert [("label", True)] == [(f["path"][0], f["ignored"]) for f in found.json["findings"]]
    assert (0, {}) == (found.code, project.planned())
    project.apply()
    assert ["label"] == [f["path"][0] for f in project.run("drift", "--output", "json").json["findings"]]


def test_an_ignored_field_is_set_when_its_resource_is_created(project: Project):
    """There is no live value to keep yet."""
    project.declare(portal() | {"lifecycle": {"ignore": ["globalOauthSettings.callbackUrl"]}})
    project.apply()
    assert "https://portal.acme.example/callback" == project.held(GLOBAL, "callbackUrl")
    project.org.set(GLOBAL, {"callbackUrl": "https://theirs.example/cb"}, as_user=DANA)

    assert {} == project.planned()


def test_a_target_advances_nothing_else(project: Project):
    """What was not looked at keeps its drift, and what was not applied is not ours yet."""
    project.declare(legacy(label="ERP"))
    project.apply()
    project.org.set(LEGACY, {"label": "Theirs"}, as_user=DANA)
    project.declare(legacy(label="ERP"), portal(), app("other"))

    project.apply("--target", APP)

    assert {APP, GLOBAL, OAUTH, LEGACY} == set(project.managed)
    assert {POLICY, "ExtlClntAppConfigurablePolicies/portal"} < set(project.baseline)
    assert {f"{LEGACY}.label": ("ERP", "Theirs")} == project.drifted()
    assert {f"update {LEGACY}", "create ExternalClientApplication/other"} == set(project.planned())


def test_the_baseline_is_canonical_json_that_an_idle_apply_leaves_alone(project: Project):
    """*It is canonical JSON, safe to commit*: a commit must show what changed, and nothing besides."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(consumerSecret={"secret": {"env": "S"}}), handler())
    project.apply(S=SECRET)
    before = project.baseline_file.read_bytes()
    content = json.loads(before)

    project.apply(S=SECRET)

    assert before == project.baseline_file.read_bytes()
    resources = content.pop("resources")
    assert (sorted(content), sorted(resources)) == (list(content), list(resources))
    assert SECRET.encode() not in before


def test_a_baseline_that_a_formatter_went_over_still_counts(project: Project):
    """Pre-commit hooks indent JSON."""
    project.declare(portal())
    project.apply()
    file = project.baseline_file
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")), indent=2), encoding="utf-8")

    assert ({}, {}) == (project.planned(), project.drifted())


def test_the_baseline_belongs_to_one_org_and_one_project(project: Project):
    """A refreshed sandbox is another org: what we applied to the old one says nothing about it."""
    project.declare(portal())
    project.apply()
    project.org.reset()

    assert 4 == project.run("drift").code
    assert f"create {APP}" in project.planned()
    project.declare(app("other"))
    assert ["create ExternalClientApplication/other"] == list(project.planned())


def test_forgetting_gives_a_resource_up_without_touching_it(project: Project):
    """A team hands an app over to another project."""
    project.declare(portal(), app("kept"))
    project.apply()
    project.run("baseline", "forget", APP, GLOBAL, OAUTH)
    project.declare(app("kept"))

    assert ({}, {}) == (project.planned(), project.drifted())


def test_a_handler_and_its_enablements_may_be_forgotten_together(project: Project):
    """`baseline list` shows them side by side; whoever names them all must not be told that one is not there."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app("a"), handler(), enablement("a"))
    project.apply()

    assert 0 == project.run("baseline", "forget", HANDLER, f"{HANDLER}/enablements/a").code


def test_a_resource_that_already_is_as_declared_is_adopted_without_a_write(project: Project):
    """The first run over an org that somebody set up by hand."""
    project.declare(legacy(label="Legacy ERP"))

    assert [LEGACY] == project.plan()["adopted"]
    project.apply()
    assert ({LEGACY}, 0) == (set(project.managed), project.org.write_calls)
    assert [] == project.plan()["adopted"]


def test_a_satellite_is_adopted_whatever_its_record_is_called(project: Project):
    """Setup calls it `_oauthPlcy`, the API `_defaultPolicy`; a second record would be `DUPLICATE_VALUE`."""
    project.declare(portal("Marketing_Dashboard", policies={"sessionTimeoutInMinutes": 30}))

    project.apply()

    with project.org.reading() as world:
        found = world.satellite("ExtlClntAppOauthConfigurablePolicies", "Marketing_Dashboard")
    assert found is not None
    assert ("Marketing_Dashboard_oauthPlcy", ["30"]) == (found.name, found.values()["sessionTimeoutInMinutes"])


def test_another_explicit_record_name_is_an_error(project: Project):
    """*A different explicit name is an error*: the record cannot be renamed."""
    project.declare(portal(policies={"name": "portal_mine"}))
    project.apply()
    project.declare(portal(policies={"name": "portal_other"}))

    found = project.run("plan")

    assert (3, True) == (found.code, "portal_mine" in found.err and "portal_other" in found.err)


RANGE = {"start": "10.0.0.1", "end": "10.0.0.9"}


def test_a_section_that_is_written_empty_declares_nothing_in_it(project: Project):
    """`oauthConfig: {}` is a place-holder; it must not swallow the drift of all that it could hold."""
    project.declare(legacy(label="ERP", oauthConfig={}))
    project.apply()
    project.org.set(LEGACY, {"oauthConfig.isConsumerSecretOptional": "true"}, as_user=DANA)

    project.apply()

    assert {f"{LEGACY}.oauthConfig.isConsumerSecretOptional": (False, True)} == project.drifted()


def test_a_section_that_is_ignored_as_a_whole_stays_reported(project: Project):
    """*Its drift is still reported*: also when the whole section is ignored, and after every further apply."""
    project.declare(legacy(label="ERP", oauthConfig={"isPkceRequired": False}, lifecycle={"ignore": ["oauthConfig"]}))
    project.apply()
    project.org.set(LEGACY, {"oauthConfig.isPkceRequired": "true"}, as_user=DANA)
    project.apply()

    found = project.run("drift", "--output", "json")

    assert [(["oauthConfig", "isPkceRequired"], True)] == [(f["path"], f["ignored"]) for f in found.json["findings"]]
    assert "true" == project.held(LEGACY, "oauthConfig.isPkceRequired")


def test_an_ignored_field_of_a_list_entry_keeps_its_live_value(project: Project):
    """The range is ours, the words beside it are the network team's."""
    ignoring = {"ignore": ["ipRanges.10.0.0.1-10.0.0.9.description"]}
    project.declare(legacy(ipRanges=[{**RANGE, "description": "Ours"}], lifecycle=ignoring))
    project.apply()
    theirs = f"<description>Theirs</description><end>{RANGE['end']}</end><start>{RANGE['start']}</start>"
    swap(project, "ipRanges", theirs)

    assert {} == project.planned()
    assert {} == project.drifted()


def test_a_conflict_inside_of_a_list_is_marked_too(project: Project):
    """Both sides gave one range another description since the last apply."""
    project.declare(legacy(ipRanges=[{**RANGE, "description": "Office"}]))
    project.apply()
    swap(
        project,
        "ipRanges",
        f"<description>Theirs</description><end>{RANGE['end']}</end><start>{RANGE['start']}</start>",
    )
    project.declare(legacy(ipRanges=[{**RANGE, "description": "Ours"}]))

    (change,) = project.plan()["resource_changes"]

    assert [("Theirs", "Ours", True)] == [(f["old"], f["new"], f["conflict"]) for f in change["fields"]]


def test_drift_inside_of_a_list_is_accepted_by_the_name_that_it_is_reported_under(project: Project):
    """People copy what the report says."""
    project.declare(legacy(ipRanges=[{**RANGE, "description": "Office"}]))
    project.apply()
    swap(
        project,
        "ipRanges",
        f"<description>Theirs</description><end>{RANGE['end']}</end><start>{RANGE['start']}</start>",
    )
    (name,) = project.drifted()

    found = project.run("baseline", "accept", name)

    assert (0, {}) == (found.code, project.drifted()), found.said


def test_accepting_a_field_that_there_is_not_is_bad_input(project: Project):
    """*Unknown addresses are errors*: a typo that is "accepted" leaves the drift, and nobody looks again."""
    project.declare(legacy(label="ERP"))
    project.apply()

    assert 3 == project.run("baseline", "accept", f"{LEGACY}.labl").code


def test_accepting_that_something_is_gone_lets_go_of_it(project: Project):
    """Somebody deleted an app that nobody declares any more; that is fine with everybody."""
    project.declare(portal(), app("gone"))
    project.apply()
    project.org.delete("ExternalClientApplication/gone", as_user=DANA)
    project.run("baseline", "accept", "ExternalClientApplication/gone")
    project.declare(portal())

    assert ({}, {}) == (project.drifted(), project.planned())


def test_a_policy_that_no_file_declares_is_watched_with_its_app(project: Project):
    """The org made it, nobody wrote it down, and it decides who may use the app."""
    project.declare(portal())
    project.apply()
    project.org.set(POLICY, {"ipRelaxationPolicyType": "Bypass"}, as_user=DANA)

    assert {f"{POLICY}.ipRelaxationPolicyType": ("Enforce", "Bypass")} == project.drifted()
    project.apply()
    assert {f"{POLICY}.ipRelaxationPolicyType": ("Enforce", "Bypass")} == project.drifted()
    project.run("baseline", "accept", POLICY)
    assert {} == project.drifted()


def test_an_element_that_no_schema_knows_drifts_like_any_other(project: Project):
    """What Salesforce adds next year weakens an org as well as what we know."""
    oidc_record(project, "true")
    project.declare(oidc())
    project.apply()
    assert {} == project.drifted()
    oidc_record(project, "false")

    assert ["OauthOidcSettings/OauthOidc.enableSomethingNew"] == list(project.drifted())


def oidc_record(project: Project, new: str) -> None:
    inside = f"<blockOAuthUnPwFlow>false</blockOAuthUnPwFlow><enableSomethingNew>{new}</enableSomethingNew>"
    project.org.load_component("OauthOidcSettings", "OauthOidc", record("OauthOidcSettings", inside))


def swap(project: Project, element: str, inside: str) -> None:
    """Put one element of the old app into the org as it is given."""
    with project.org.reading() as world:
        found = world.component("ConnectedApp", "Legacy_ERP")
    text = re.sub(
        f"<{element}>.*</{element}>", f"<{element}>{inside}</{element}>", found.body.decode(), flags=re.DOTALL
    )
    project.org.load_component("ConnectedApp", "Legacy_ERP", text.encode())


@pytest.mark.parametrize(("gone", "words"), [(True, "is no longer in the org"), (False, "is new in the org")])
def test_one_field_of_what_came_or_went_cannot_be_accepted(project: Project, gone: bool, words: str):
    """Whoever accepts a label would have accepted an app that nobody knows, or the loss of one, without a word."""
    project.declare(*([app()] if gone else []), app("kept"))
    project.apply()
    if gone:
        project.org.delete(APP, as_user=DANA)
    else:
        project.org.create(APP, {"label": "Theirs", "contactEmail": "x@acme.example"}, as_user=DANA)
    before = project.baseline

    found = project.run("baseline", "accept", f"{APP}.label")

    assert (3, True, before) == (found.code, words in found.err, project.baseline)


def test_a_project_whose_secrets_come_from_commands_can_be_watched(project: Project):
    """Its ignored fields would count, its lines be missing, and with a login of that sort nobody could look at all."""
    secret = {"secret": {"command": ["echo", SECRET]}}
    project.declare(portal(consumerSecret=secret) | {"lifecycle": {"ignore": ["label"]}})
    project.apply("--allow-commands")
    project.org.set(APP, {"label": "Theirs"}, as_user=DANA)

    found = project.run("drift", "--allow-commands")

    assert (0, True) == (found.code, "left aside" not in found.err)
    assert 0 == project.run("baseline", "list", "--allow-commands").code
