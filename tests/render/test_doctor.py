"""What `doctor` writes: one line for each thing, the mend under it, and nothing that a terminal or a CI runner obeys."""

import json
from dataclasses import replace

from reconciler.doctor import DoctorEntry, DoctorReport, Health, Surroundings, of_answers, of_error, of_surroundings
from reconciler.errors import Complaint, Exit, NotAllowedError, RefusedError, UnreachableError
from reconciler.model.doctor_answers import DoctorAnswers
from reconciler.model.live import OrgInfo
from reconciler.render.json import doctor_document
from reconciler.render.text import doctor_text

ORG = OrgInfo("00D000000000001EAA", "Acme", "CS42", True, "Enterprise Edition", "63.0", "ci@acme.example")
SICK = DoctorReport(
    (
        DoctorEntry("login", Health.OK, "logged in as ci@acme.example"),
        DoctorEntry("clock", Health.WARNING, "this machine's clock is 90 seconds behind", "set the clock"),
        DoctorEntry("permissions", Health.PROBLEM, "our user lacks API Enabled", "give it", "NO: no", Exit.NOT_ALLOWED),
        DoctorEntry("secrets", Health.PROBLEM, "not there", exit=Exit.BAD_INPUT),
    ),
    ORG,
    "2026-01-01T00:00:00Z",
)
STOPPED = DoctorReport(tuple(of_error(UnreachableError(Complaint("nobody answers", mend="try again")))))
GOOD = DoctorAnswers(
    ORG,
    host="https://acme.my.salesforce.com",
    versions=("62.0", "63.0"),
    permissions={"ApiEnabled": True, "ModifyMetadata": True, "ModifyAllData": False, "ExternalClientAppAdmin": True},
    calls_left=10_000,
    calls_a_day=15_000,
    calls=9,
    ahead=0.5,
    by_rest=True,
)


def health(found: DoctorAnswers, topic: str, around: Surroundings | None = None) -> list[Health]:
    return [one.health for one in of_answers(found, around or Surroundings()) if one.topic == topic]


def changed(**fields: object) -> DoctorAnswers:
    return replace(GOOD, **fields)


def test_people_read_the_worst_with_its_mend():
    """The whole of it, as it stands in a terminal."""
    assert (
        "Org: Acme, 00D000000000001EAA, CS42, Enterprise Edition, sandbox, API 63.0, as ci@acme.example\n"
        "\n"
        "ok       login: logged in as ci@acme.example\n"
        "warning  clock: this machine's clock is 90 seconds behind\n"
        "           mend: set the clock\n"
        "problem  permissions: our user lacks API Enabled\n"
        "           mend: give it\n"
        "           Salesforce: NO: no\n"
        "problem  secrets: not there\n"
        "\n"
        "Doctor: 2 problems, 1 warning.\n"
    ) == doctor_text.text(SICK)
    assert doctor_text.text(STOPPED).endswith("Doctor: 1 problem.\n")


def test_the_exit_code_is_that_of_the_first_problem():
    """As the next command would end."""
    assert (Exit.NOT_ALLOWED, Exit.FAILED, Exit.OK) == (SICK.exit, STOPPED.exit, DoctorReport(SICK.entries[:2]).exit)
    assert 5 == json.loads(doctor_document.json(SICK))["exit_code"]


def test_an_orgs_words_obey_nobody():
    """The name of an org, and what it says, are a stranger's."""
    evil = "\x1b[2Jgone\n::set-output name=x::y\u202e##vso[task.complete]"
    text = doctor_text.text(DoctorReport((DoctorEntry(evil, Health.PROBLEM, evil, evil, evil),), OrgInfo("00D", evil)))

    assert not any(bad in text for bad in ("\x1b", "\u202e", "\n::", "##vso"))
    assert 7 == text.count("\n")


def test_each_error_has_its_topic():
    """What stopped the examination is what the command was run for."""
    found = [
        of_error(kind(Complaint("no", mend="m", quote="q")))[0]
        for kind in (RefusedError, NotAllowedError, UnreachableError)
    ]

    assert [("org", 4), ("login", 5), ("connection", 1)] == [(one.topic, int(one.exit)) for one in found]
    assert {("no", "m", "q", Health.PROBLEM)} == {(one.message, one.mend, one.quote, one.health) for one in found}


def test_what_is_well_is_well():
    """A warning that is always there is none."""
    assert {Health.OK} == {one.health for one in of_answers(GOOD, Surroundings())}


def test_each_thing_is_judged_by_its_limit():
    """The borders, at which somebody else's pipeline would stop."""
    ok, warning, problem = [Health.OK], [Health.WARNING], [Health.PROBLEM]

    assert ok == health(changed(calls_left=180), "calls")
    assert warning == health(changed(calls_left=179), "calls")
    assert warning == health(changed(calls_left=9), "calls")
    assert problem == health(changed(calls_left=8), "calls")
    assert warning == health(changed(calls_left=None), "calls")
    assert ok == health(changed(ahead=-60.0), "clock")
    assert warning == health(changed(ahead=-61.0), "clock")
    assert warning == health(changed(ahead=3600.0), "clock")
    assert [] == health(changed(ahead=None), "clock")
    assert warning == health(changed(by_rest=None), "deployments")
    assert ok == health(changed(by_rest=False), "deployments")
    assert problem == health(changed(jwt_token=True), "deployments")
    assert warning == health(changed(unknown={"identity": "no"}), "login")
    assert problem == health(changed(unread=(Complaint("no"),)), "kinds")
    assert problem == health(changed(permissions={"ApiEnabled": False}), "permissions")
    assert ok == health(changed(permissions={"ModifyMetadata": False, "ModifyAllData": True}), "permissions")


def test_an_org_is_as_it_is_pinned():
    """Production that nothing pins is the one that a wrong login changes."""
    production = OrgInfo("00D000000000001EAA", "Acme", "NA1", False, "Enterprise Edition", "63.0")

    assert [Health.WARNING] == health(changed(org=production), "org")
    assert [Health.OK] == health(changed(org=production), "org", Surroundings(pinned_org_id="00D000000000001"))
    assert [Health.PROBLEM] == health(changed(org=production), "org", Surroundings(pinned_org_id="00D000000000002AAA"))
    assert [Health.WARNING] == health(changed(org=OrgInfo("00D", organization_type="Team Edition")), "edition")


def test_a_kind_that_is_too_new_is_a_matter_of_the_version():
    """It is not the user who lacks something."""
    around = Surroundings(kinds={"Old": 60.0, "New": 66.0})
    found = changed(unreadable={"New": "it begins with 66.0", "Old/x": "INSUFFICIENT_ACCESS"})

    assert [Health.WARNING] == health(found, "api version", around)
    (sick,) = [one for one in of_answers(found, around) if one.health is Health.PROBLEM]
    assert sick.message.startswith("Old/x cannot be read")


def test_our_own_side_is_looked_at():
    """Secrets by reference, the baseline by what stands in its way."""
    found = of_surroundings(
        Surroundings(
            secrets={"(secret from env A)": "", "(secret from env B)": "not set"},
            baseline_trouble=(Complaint("locked"),),
        )
    )

    assert [("secrets", "problem", 3), ("secrets", "ok", 0), ("baseline", "problem", 4)] == [
        (one.topic, str(one.health), int(one.exit)) for one in found
    ]
    assert [Health.WARNING] == [one.health for one in of_surroundings(Surroundings(secrets=None))]
