"""Who did what in an org, over the wire: the mock org, and answers in the shape that Salesforce documents."""

from collections.abc import Mapping

import pytest

from providers.mock import Org
from reconciler.drift import compare
from reconciler.drift.attribution import attributed
from reconciler.errors import NotAllowedError
from reconciler.model.applied import Applied, Baseline
from reconciler.model.facts import AuditEntry, Deployment, History
from reconciler.model.finding import Finding
from reconciler.model.live import LiveState
from tests.mock.wire import Wire, package
from tests.mock.wire import app as app_file
from tests.salesforce.build import global_oauth, handler
from tests.salesforce.conftest import Connected, calls
from tests.salesforce.questions.test_facts import org_that, quiet, records, refused
from tests.salesforce.test_provider import deployed, everything

DANA, ADMIN, ELI = "dana@acme.example", "admin@acme.example", "eli@acme.example"
GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
ENABLED = "OauthTokenExchangeHandler/PartnerIdp/enablements/portal"
LEGACY = "OauthTokenExchangeHandler/PartnerIdp/enablements/Legacy_ERP"
EVER = ""


def baseline(live: LiveState, *ours: str) -> Baseline:
    """Everything that the org has now, as if we had just applied it."""
    applied = {address: Applied(have.body, have.record) for address, have in live.resources.items()}
    return Baseline(live.org.id, "p", 1, resources=applied, deployments=ours)


def drifted(connected: Connected, base: Baseline, since: str = EVER) -> dict[str, Finding]:
    """What differs now, with who and when, by address: the way that the engine goes."""
    provider = connected()
    live = provider.read([], quiet)
    history = provider.history(since, quiet, enablements=True)
    names = {address: applied.record for address, applied in base.resources.items()}
    names |= {address: have.record for address, have in live.resources.items()}
    findings = attributed(compare.findings(base, live), history, base.deployments, names)
    return {str(finding.address): finding for finding in findings}


def who(finding: Finding) -> tuple[str, str, str]:
    assert finding.attribution is not None
    return finding.attribution.by, str(finding.attribution.confidence), finding.attribution.delegate


def touched(finding: Finding) -> list[str]:
    assert finding.attribution is not None
    return [one.by for one in finding.attribution.also]


@pytest.fixture
def base(connected: Connected, org: Org) -> Baseline:
    """An org with an app, a class and a handler that is enabled for the app, all ours."""
    provider = connected()
    done = deployed(provider, everything("portal"))
    assert done.success
    return baseline(provider.read([], quiet), done.id)


def at_enablements(wire: Wire, method: str, row: Mapping[str, object], record: str = "") -> None:
    """Plain REST DML, past every metadata tool."""
    url = f"{wire.base}/services/data/v66.0/sobjects/OauthTokenExchHandlerApp/{record}"
    assert wire.session.request(method, url, json=row, headers=wire.bearer).status_code < 300


def id_of(wire: Wire, table: str, where: str) -> str:
    return str(wire.rows(f"SELECT Id FROM {table} WHERE {where}")[0]["Id"])


# -- who did it --------------------------------------------------------------------------------------------------------


def test_a_change_in_setup_has_a_name(connected: Connected, org: Org, base: Baseline):
    """The whole point: who, with what confidence, and on whose behalf; though the app was deployed by somebody else."""
    org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA, delegate=ADMIN)
    found = drifted(connected, base)

    assert {GLOBAL: (DANA, "high", ADMIN)} == {address: who(finding) for address, finding in found.items()}
    assert found[GLOBAL].attribution.date[:16] == found[GLOBAL].modified.date[:16]


def test_without_the_trail_a_name_is_less_sure(connected: Connected, org: Org, base: Baseline):
    """A login without "View Setup and Configuration" still learns whom the record names: as the last one at the record,
    who need not have changed this field."""
    org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    org.switch("unreadable_objects", ["SetupAuditTrail", "DeployRequest"])

    found = drifted(connected, base)[GLOBAL]
    assert (("", "unknown", ""), ["Dana Reyes"]) == (who(found), touched(found))
    unknown = connected().history(EVER, quiet, enablements=True).unknown
    assert {"audit", "deployments"} == unknown.keys()
    assert "sObject type 'SetupAuditTrail' is not supported." in unknown["audit"]
    assert "sObject type 'DeployRequest' is not supported." in unknown["deployments"]


def test_two_people_at_one_record_leave_a_doubt(connected: Connected, org: Org, base: Baseline):
    """The record's last change is Dana's; the field's may be the admin's."""
    org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=ADMIN)
    org.set(GLOBAL, {"isIntrospectAllTokens": "true"}, as_user=DANA)

    found = drifted(connected, base)
    assert {(GLOBAL, "", "unknown", (ADMIN, DANA))} == {
        (address, *who(finding)[:2], tuple(sorted(touched(finding)))) for address, finding in found.items()
    }


def test_an_entry_that_names_the_field_tells_two_people_apart(connected: Connected, org: Org, base: Baseline):
    """Whether an org's entries name fields is not documented; where they do, the name is worth having."""
    org.switch("audit_names_fields", True)
    org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=ELI)
    org.set(GLOBAL, {"isIntrospectAllTokens": "true"}, as_user=DANA)
    provider = connected()
    live, history = provider.read([], quiet), provider.history(EVER, quiet, enablements=True)
    names = {address: applied.record for address, applied in base.resources.items()}
    found = attributed(compare.findings(base, live), history, base.deployments, names)

    assert {
        ("isSecretRequiredForRefreshToken", ELI, "medium", (DANA,)),
        ("isIntrospectAllTokens", DANA, "medium", (ELI,)),
    } == {(one.path[0], *who(one)[:2], tuple(touched(one))) for one in found}


def test_what_was_deleted_has_a_name(connected: Connected, org: Org, base: Baseline):
    """An app that is gone has no last change any more."""
    org.delete(ENABLED, as_user=ADMIN)
    org.delete("ExternalClientApplication/portal", as_user=DANA)
    found = drifted(connected, base)

    assert (DANA, "medium", "") == who(found["ExternalClientApplication/portal"])
    assert (ADMIN, "medium", "") == who(found[ENABLED])


# -- the channel that no metadata tool watches -------------------------------------------------------------------------


def test_dml_on_an_enablement_is_blamed_on_who_did_it(connected: Connected, org: Org, base: Baseline):
    """The handler's last change is the admin's deployment, and stays so."""
    wire = Wire(org, DANA)
    row = {"ApexExecutionUserId": id_of(wire, "User", f"Username = '{DANA}'")}
    at_enablements(wire, "PATCH", row, id_of(wire, "OauthTokenExchHandlerApp", "IsDefault = false"))
    finding = drifted(connected, base)[ENABLED]

    assert ((ADMIN, DANA), "") == ((finding.old, finding.new), finding.modified.by)
    assert (DANA, "high", "") == who(finding)


def test_an_enablement_added_by_dml_is_blamed_on_who_did_it(connected: Connected, org: Org, base: Baseline):
    """Of a connected app too, which queries know by its label and metadata by its name."""
    wire = Wire(org, DANA)
    row = {
        "OauthTokenExchangeHandlerId": id_of(wire, "OauthTokenExchangeHandler", "DeveloperName = 'PartnerIdp'"),
        "ConnectedApplicationId": id_of(wire, "ConnectedApplication", "Name = 'Legacy ERP'"),
        "ApexExecutionUserId": id_of(wire, "User", f"Username = '{DANA}'"),
    }
    at_enablements(wire, "POST", row)
    found = drifted(connected, base)

    assert {LEGACY} == found.keys()
    assert (DANA, "high", "") == who(found[LEGACY])


def test_an_enablement_removed_by_dml_is_blamed_on_who_did_it(connected: Connected, org: Org, base: Baseline):
    """Only the trail is left."""
    wire = Wire(org, DANA)
    at_enablements(wire, "DELETE", {}, id_of(wire, "OauthTokenExchHandlerApp", "IsDefault = false"))

    assert (DANA, "medium", "") == who(drifted(connected, base)[ENABLED])


# -- deployments -------------------------------------------------------------------------------------------------------


def test_our_own_deployment_is_recognised(connected: Connected, org: Org, base: Baseline):
    """A run that was interrupted before it kept its baseline is no stranger."""
    done = deployed(connected(), [global_oauth(isIntrospectAllTokens=True)])
    strange = drifted(connected, base)[GLOBAL].attribution
    ids = (*base.deployments, done.id[:15])
    ours = drifted(connected, Baseline(base.org_id, "p", 1, resources=base.resources, deployments=ids))

    assert (done.id, False) == (strange.deployment, strange.ours)
    assert (done.id, True) == (ours[GLOBAL].attribution.deployment, ours[GLOBAL].attribution.ours)


def test_what_comes_while_a_deployment_is_under_way_is_deferred(connected: Connected, org: Org, base: Baseline):
    """Nobody is called at night for a release that is just going on; a stranger's change at the same time still counts."""
    org.switch("deploy_polls", 1000)
    dana = Wire(org, DANA)
    job = dana.start(package(app_file("late")))
    dana.poll(job)
    dana.poll(job)
    org.set(GLOBAL, {"label": "Late"}, as_user=DANA)
    org.set("ExternalClientApplication/portal", {"description": "x"}, as_user=ADMIN)
    found = drifted(connected, base)

    assert (job, False) == (found[GLOBAL].deferred, found[GLOBAL].counts)
    assert ("", True) == (
        found["ExternalClientApplication/portal"].deferred,
        found["ExternalClientApplication/portal"].counts,
    )
    (flying,) = (one for one in connected().history(EVER, quiet, enablements=False).deployments if one.in_flight)
    assert (job, "InProgress", DANA, "") == (flying.id, flying.status, flying.by, flying.completed)


def test_what_opens_the_org_is_not_put_off_for_a_deployment(connected: Connected, org: Org, base: Baseline):
    """An admin who starts a long deployment could do in Setup what he likes meanwhile, and no alarm would ring."""
    org.switch("deploy_polls", 1000)
    dana = Wire(org, DANA)
    job = dana.start(package(app_file("late")))
    dana.poll(job)
    dana.poll(job)
    org.set(GLOBAL, {"isIntrospectAllTokens": "true"}, as_user=DANA)

    assert ("", True) == ((found := drifted(connected, base)[GLOBAL]).deferred, found.counts)


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_the_trail_begins_where_it_is_asked_to(connected: Connected, org: Org):
    """An old org has thousands of lines; those before the baseline are nobody's business."""
    org.set("ConnectedApp/Legacy_ERP", {"description": "x"}, as_user=DANA)
    (row,) = org.audit()
    history = connected().history

    for since, count in {
        row.created_date: 1,
        row.created_date.replace("Z", "+0000"): 1,
        "2100-01-01T00:00:00Z": 0,
        "nonsense": 1,
        "x' OR Id != '": 1,
        "": 1,
    }.items():
        assert count == len(history(since, quiet, enablements=False).entries), since
    (entry,) = history("", quiet, enablements=False).entries
    assert (DANA, row.created_date, "Connected Apps", "Changed ConnectedApp Legacy_ERP", "") == (
        entry.by,
        entry.date,
        entry.section,
        entry.display,
        entry.delegate,
    )


def test_deployments_since_then_and_those_under_way(connected: Connected, org: Org, base: Baseline):
    """One that began long ago may still be the one."""
    org.switch("deploy_polls", 1000)
    job = Wire(org, DANA).start(package(app_file("late")))

    found = connected().history("2100-01-01T00:00:00Z", quiet, enablements=False).deployments
    assert [(job, "Pending", True)] == [(one.id, one.status, one.in_flight) for one in found]
    assert 2 == len(connected().history("", quiet, enablements=False).deployments)


def test_it_costs_two_calls_and_two_more_for_enablements(connected: Connected, org: Org, base: Baseline):
    """A drift check with one finding is not to cost more than reading the org."""
    costs = []
    for enablements in (False, True):
        provider = connected(api_version="66.0")
        provider.history(EVER, quiet, enablements=enablements)
        costs.append(calls(provider))

    assert [2, 4] == costs
    deployed(connected(), [handler()])
    provider = connected(api_version="66.0")
    assert {} == provider.history(EVER, quiet, enablements=True).enablements
    assert 3 == calls(provider)


def test_a_login_that_may_not_look_is_told_so_topic_by_topic(connected: Connected, org: Org, base: Baseline):
    """A pipeline with few permissions still gets its findings."""
    found = connected(as_user=ELI).history(EVER, quiet, enablements=True)

    assert {"audit", "deployments", "enablements"} == found.unknown.keys()
    assert "INSUFFICIENT_ACCESS" in found.unknown["enablements"]
    assert History((), (), {}, found.unknown) == found


def test_a_wrong_login_is_no_topic(connected: Connected, org: Org):
    """It would make every finding anonymous."""
    provider = connected(api_version="66.0")
    org.reset()
    with pytest.raises(NotAllowedError, match="does not accept the login"):
        provider.history(EVER, quiet, enablements=False)


# -- answers as Salesforce documents them ------------------------------------------------------------------------------

AUDIT_ROW = {
    "attributes": {
        "type": "SetupAuditTrail",
        "url": "/services/data/v63.0/sobjects/SetupAuditTrail/0Ym000000000001AAA",
    },
    "Display": "Changed OAuth policies of portal",
    "Section": "External Client Apps",
    "CreatedById": "005000000000001AAA",
    "CreatedBy": {"attributes": {"type": "User"}, "Username": DANA},
    "CreatedDate": "2026-03-01T12:00:00.000+0000",
    "DelegateUser": None,
}
DEPLOYMENT_ROW = {
    "attributes": {
        "type": "DeployRequest",
        "url": "/services/data/v63.0/tooling/sobjects/DeployRequest/0Af000000000001AAA",
    },
    "Id": "0Af000000000001AAA",
    "Status": "InProgress",
    "CheckOnly": False,
    "CreatedById": "005000000000001AAA",
    "CreatedBy": {"attributes": {"type": "User"}, "Username": DANA},
    "StartDate": "2026-03-01T12:00:01.000+0000",
    "CompletedDate": None,
}


def test_rows_as_salesforce_gives_them():
    """Nulls, nested attributes, dates with +0000."""
    provider, stub = org_that(
        {"FROM SetupAuditTrail": records(AUDIT_ROW), "FROM DeployRequest": records(DEPLOYMENT_ROW)}
    )
    found = provider.history("2026-03-01T10:00:00.000Z", quiet, enablements=False)

    noon = "2026-03-01T12:00:0{}.000Z"
    entry = AuditEntry(DANA, "005000000000001AAA", noon.format(0), "External Client Apps", AUDIT_ROW["Display"])
    flying = Deployment("0Af000000000001AAA", "InProgress", DANA, "005000000000001AAA", noon.format(1))
    assert History((entry,), (flying,)) == found
    trail, deployments = (request.url for request in stub.asked)
    assert "/services/data/v63.0/query/?q=" in trail
    assert "CreatedDate+%3E%3D+2026-03-01T09%3A58%3A00Z" in trail
    assert "/services/data/v63.0/tooling/query/?q=" in deployments


def test_a_trail_that_is_longer_than_what_is_read_says_so(monkeypatch: pytest.MonkeyPatch):
    """Whoever changed the record earlier than that is not seen: a name without that remark would be taken for sure."""
    monkeypatch.setattr("providers.salesforce.questions.history.MOST_ROWS", 2)
    provider, _ = org_that({"FROM SetupAuditTrail": records(AUDIT_ROW, AUDIT_ROW), "FROM DeployRequest": records()})
    found = provider.history("", quiet, enablements=False)

    assert (2, "only its newest 2 entries were read, back to 2026-03-01T12:00:00.000Z") == (
        len(found.entries),
        found.unknown["audit"],
    )


def test_rows_of_a_process_without_a_user():
    """Salesforce's own processes have no CreatedBy, and sometimes no text."""
    row = {**AUDIT_ROW, "CreatedBy": None, "CreatedById": None, "Display": None, "Section": None, "CreatedDate": 7}
    provider, _ = org_that({"FROM SetupAuditTrail": records(row), "FROM DeployRequest": records({})})
    found = provider.history("", quiet, enablements=False)

    assert (AuditEntry("", "", "", "", ""),) == found.entries
    assert (Deployment("", "", "", ""),) == found.deployments


@pytest.mark.parametrize(
    "answer",
    [
        refused("INVALID_TYPE", "sObject type 'SetupAuditTrail' is not supported."),
        refused("INSUFFICIENT_ACCESS", "insufficient access rights on object id", 403),
        refused("INVALID_FIELD", "No such column 'DelegateUser' on entity 'SetupAuditTrail'."),
        refused("FUNCTIONALITY_NOT_ENABLED", "not enabled", 403),
    ],
)
def test_one_topic_that_is_refused_leaves_the_other(answer: tuple):
    """With the org's words, which name what is missing."""
    provider, _ = org_that({"FROM SetupAuditTrail": answer, "FROM DeployRequest": records(DEPLOYMENT_ROW)})
    found = provider.history("", quiet, enablements=False)

    assert {"audit"} == found.unknown.keys()
    assert found.unknown["audit"].startswith(("INVALID", "INSUFFICIENT", "FUNCTIONALITY"))
    assert 1 == len(found.deployments)


def test_an_app_made_after_the_baseline_has_its_maker(connected: Connected, org: Org, base: Baseline):
    """A satellite added by hand, an app that nobody declared."""
    org.create("ExternalClientApplication/shadow", {"contactEmail": "a@b.example", "label": "x"}, as_user=DANA)
    found = drifted(connected, base)

    assert {"ExternalClientApplication/shadow", "ExtlClntAppConfigurablePolicies/shadow"} == found.keys()
    assert {(DANA, "high", "")} == set(map(who, found.values()))
