"""A value that is secret stands in no output, wherever it came from."""

from collections.abc import Callable

import pytest

from reconciler.model.address import Address
from reconciler.model.changes import Change, FieldChange, Plan, Reason
from reconciler.model.deployment import Landing
from reconciler.model.finding import Finding
from reconciler.model.formats import REPORTS as REPORT_FORMATS
from reconciler.model.reports import ApplyResult, CheckReport, DriftReport, StepResult
from reconciler.render import report
from reconciler.render.json import documents
from reconciler.render.pages import page_of
from reconciler.render.report import Report
from reconciler.render.text import outcome, plain
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body, RawXml, SecretRef

from .samples import GLOBAL, ORG, finding, plan_of

CANARY = "s3cr3t-that-nobody-may-see"
LEGACY = Address("ConnectedApp", "Legacy_ERP")

BODIES: dict[Address, Body] = {
    GLOBAL: {
        "label": "seen",
        "isTokenExchangeEnabled": True,
        "consumerSecret": CANARY,
        "clientSecretOfTomorrow": CANARY,
        "newSection": RawXml(f"<newSection><consumerSecret>{CANARY}</consumerSecret></newSection>"),
    },
    LEGACY: {
        "label": "seen",
        "oauthConfig": {
            "isTokenExchangeEnabled": True,
            "consumerSecret": CANARY,
            "later": SecretRef("command", ("vault", CANARY)),
        },
    },
}
FIELDS = (
    FieldChange(("consumerSecret",), CANARY, CANARY + "2", secret=True),
    FieldChange(("consumerSecret",), None, CANARY),
    FieldChange(("unmarked",), CANARY, CANARY + "2", secret=True),
    FieldChange(("label",), "seen", SecretRef("env", CANARY)),
    FieldChange(("newSection",), None, BODIES[GLOBAL]["newSection"]),
    FieldChange(("clientSecretOfTomorrow",), CANARY, CANARY + "2"),
)
FINDINGS = (
    *(
        finding(path=field.path, old=field.old, new=field.new, message="changed")
        for field in FIELDS
        if not field.secret
    ),
    finding(address=LEGACY, path=("oauthConfig",), old=None, new=BODIES[LEGACY]["oauthConfig"]),
    finding(address=LEGACY, path=("oauthConfig", "consumerSecret"), old=CANARY, new=None),
)


def plan() -> Plan:
    return plan_of(
        Change(GLOBAL, BODIES[GLOBAL], {**BODIES[GLOBAL], "consumerSecret": CANARY + "2"}, Reason.EDITED, FIELDS),
        Change(LEGACY, None, BODIES[LEGACY], Reason.DECLARED),
        Change(Address("ConnectedApp", "Old"), BODIES[LEGACY], None, Reason.REMOVED),
        Change(Address("ConnectedApp", "New"), BODIES[LEGACY], BODIES[LEGACY], Reason.ASKED, replace=True),
        drift=FINDINGS,
        findings=FINDINGS,
        bodies=BODIES,
    )


def result() -> ApplyResult:
    made = plan()
    return ApplyResult(made, tuple(StepResult(step, Landing.LANDED) for step in made.steps), made.changes)


def drift() -> DriftReport:
    return DriftReport(ORG, FINDINGS, compared=tuple(BODIES), bodies=BODIES)


def check() -> CheckReport:
    return CheckReport(FINDINGS, checked=tuple(BODIES), org=ORG, bodies=BODIES)


REPORTS: dict[str, Callable[[], Report]] = {
    "plan": lambda: report.of_plan(plan()),
    "apply": lambda: report.of_apply(result()),
    "drift": lambda: report.of_drift(drift()),
    "check": lambda: report.of_check(check()),
}
PAGES: dict[str, Callable[[Report], str]] = {form: page_of(form) for form in REPORT_FORMATS}
TEXTS: dict[str, Callable[[], str]] = {
    "plan as text": lambda: plain.plan(plan()),
    "plan as json": lambda: documents.plan(plan()),
    "apply as text": lambda: outcome.apply_result(result()),
    "apply as json": lambda: documents.apply_result(result()),
    "drift as text": lambda: plain.drift(drift()),
    "drift as json": lambda: documents.drift(drift()),
    "check as text": lambda: plain.check(check()),
    "check as json": lambda: documents.check(check()),
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_and_no_json_holds_a_secret(name):
    """Whoever's client secret an org gave back, and whose CI log is public."""
    told = TEXTS[name]()

    assert "Legacy_ERP" in told
    assert CANARY not in told


@pytest.mark.parametrize("format", PAGES)
@pytest.mark.parametrize("command", REPORTS)
def test_no_report_holds_a_secret(command, format):
    """Whoever puts a report on a pull request, or keeps it for a year."""
    told = PAGES[format](REPORTS[command]())

    assert "Legacy_ERP" in told
    assert CANARY not in told


def test_a_secret_written_into_a_class_is_shown_nowhere() -> None:
    """The rule that finds it must not be outdone by the report that prints the class."""
    code = Address("ApexClass", "PartnerIdpTokenHandler")
    source = "public class PartnerIdpTokenHandler {{\n    private static final String CLIENT_SECRET = '{}';\n}}\n"
    old, new = (source.format(f"{CANARY}{number}x9Q") for number in (1, 2))
    drifted = Finding("drift.changed", Severity.CRITICAL, code, "content changed", ("content",), old, new)
    found = DriftReport(ORG, (drifted,), bodies={code: {"content": new}})

    said = [plain.drift(found), documents.drift(found), *(page(report.of_drift(found)) for page in PAGES.values())]

    assert [] == [one for one in said if CANARY in one]
