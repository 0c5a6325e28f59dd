"""Plans, findings and results to be shown: each of them one case folder. Only what a case is about is spelled out."""

from reconciler.errors import Place
from reconciler.model.address import Address, enablement
from reconciler.model.changes import Change, Component, FieldChange, Plan, Reason, Refusal, Release, Step
from reconciler.model.deployment import ComponentFailure, Deployed, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Attribution, Confidence, Finding, Unchecked
from reconciler.model.live import Modified, OrgInfo
from reconciler.model.reports import (
    ApplyResult,
    CheckReport,
    DriftReport,
    PulledField,
    PulledFile,
    PullReport,
    StepResult,
)
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import SecretRef

__all__ = [
    "CHECKS",
    "DANA",
    "DRIFT_REPORTS",
    "GLOBAL",
    "ORG",
    "PLANS",
    "PULLS",
    "RESULTS",
    "finding",
    "plan_of",
    "update",
]

ORG = OrgInfo("00D000000000001EAA", "Acme", "CS42", True, "Developer Edition", "63.0", "admin@acme.example")
DANA = Modified("dana@acme.example", "005000000000002AAA", "2026-05-04T08:15:00Z")
NOBODY = Modified()
GLOBAL = Address("ExtlClntAppGlobalOauthSettings", "order_portal")
HANDLER = Address("OauthTokenExchangeHandler", "PartnerIdp")
PORTAL = "desired/apps/order_portal.yaml"


def update(address: Address, *fields: FieldChange, line: int = 1, modified: Modified = NOBODY) -> Change:
    before = {field.path[0]: field.old for field in fields}
    after = {field.path[0]: field.new for field in fields}
    return Change(address, before, after, Reason.EDITED, fields, place=Place(PORTAL, line), modified=modified)


def plan_of(*changes: Change, **more: object) -> Plan:
    return Plan(ORG, (Step(changes, ()),) if changes else (), created="2026-05-04T09:00:00Z", **more)  # type: ignore[arg-type]


def finding(**more: object) -> Finding:
    facts: dict[str, object] = {"id": "drift.changed", "severity": Severity.HIGH, "address": GLOBAL, "message": ""}
    return Finding(**{**facts, **more})  # type: ignore[arg-type]


SECRET_SWITCHED_OFF = finding(
    path=("isSecretRequiredForTokenExchange",),
    old=True,
    new=False,
    direction=Direction.WEAKENS,
    modified=DANA,
    place=Place(PORTAL, 12),
)

_BODY = """public with sharing class H {
    void a() {
        one();
    }
}
"""

PLANS = {
    "nothing-to-do": plan_of(unchanged=14),
    "an-app-is-created": plan_of(
        Change(
            Address("ExternalClientApplication", "order_portal"),
            None,
            {"label": "Order portal", "contactEmail": "iam@acme.example", "distributionState": "Local"},
            Reason.DECLARED,
            place=Place(PORTAL, 3),
        ),
        Change(
            GLOBAL,
            None,
            {
                "externalClientApplication": "order_portal",
                "callbackUrl": ["https://portal.acme.example/callback", "https://portal.acme.example/silent"],
                "consumerSecret": SecretRef("env", "PORTAL_SECRET"),
                "isPkceRequired": True,
                "idTokenConfig": {"idTokenValidityInMinutes": 2},
            },
            Reason.DECLARED,
            place=Place(PORTAL, 8),
        ),
        Change(
            enablement("PartnerIdp", "order_portal"),
            None,
            {"externalClientApp": "order_portal", "apexExecutionUser": "integration@acme.example", "isDefault": True},
            Reason.DECLARED,
            place=Place("desired/handlers/enablements.yaml", 2),
        ),
    ),
    "fields-that-weaken-and-tighten": plan_of(
        update(
            GLOBAL,
            FieldChange(("isPkceRequired",), True, False, Direction.WEAKENS, Severity.HIGH),
            FieldChange(
                ("isSecretRequiredForTokenExchange",), False, True, Direction.TIGHTENS, Severity.LOW, conflict=True
            ),
            FieldChange(
                ("callbackUrl",),
                frozenset({"https://a.example/cb", "https://b.example/cb"}),
                frozenset({"https://b.example/cb", "https://c.example/cb"}),
                Direction.WEAKENS,
                Severity.CRITICAL,
            ),
            FieldChange(("label",), None, "Order portal", Direction.NEUTRAL),
            FieldChange(("consumerSecret",), "s3cr3t-value", "an0ther-value", secret=True),
            line=8,
            modified=DANA,
        ),
        Change(
            Address("ApexClass", "H"),
            {"content": _BODY},
            {"content": _BODY.replace("one", "two")},
            Reason.EDITED,
            (FieldChange(("content",), _BODY, _BODY.replace("one", "two"), Direction.WEAKENS, Severity.CRITICAL),),
            place=Place("desired/apex/H.cls", 1),
        ),
        unchanged=1,
    ),
    "everything-at-once": Plan(
        ORG,
        (
            Step(
                (
                    update(GLOBAL, FieldChange(("label",), "a", "b"), line=8),
                    Change(HANDLER, {}, {}, Reason.ASKED, replace=True, place=Place("desired/h.yaml", 1)),
                ),
                (),
            ),
            Step(
                (Change(Address("ConnectedApp", "Legacy_ERP"), {"label": "x"}, None, Reason.REMOVED, modified=DANA),),
                (),
            ),
        ),
        drift=(SECRET_SWITCHED_OFF,),
        findings=(
            finding(
                id="TX02",
                message="the policy-side switch of the token exchange flow is off",
                path=("isTokenExchangeFlowEnabled",),
                place=Place(PORTAL, 20),
                mend="write isTokenExchangeFlowEnabled: true",
            ),
        ),
        refusals=(
            Refusal("delete", Address("ConnectedApp", "Legacy_ERP"), "1 of 3 resources would go", "--allow delete"),
            Refusal("protect", HANDLER, "lifecycle.protect forbids replace"),
        ),
        released=(Release(GLOBAL, ("label",)), Release(Address("OauthOidcSettings", "OauthOidc"))),
        adopted=(Address("ConnectedApp", "Partner_Portal"),),
        notes=(f"{GLOBAL}: consumerSecret is not compared, as it is sent on create only; change it in Setup",),
        unchanged=3,
        targets=("ConnectedApp/Legacy_ERP",),
        replaced=(str(HANDLER),),
        fingerprints={str(GLOBAL): "ab12"},
        payload="cd34",
        desired="ef56",
        baseline_serial=7,
        created="2026-05-04T09:00:00Z",
    ),
}

DRIFTS = {
    "drift-none": (),
    "drift-of-a-secret-switch": (
        finding(
            id="drift.unmanaged",
            severity=Severity.LOW,
            address=Address("ExternalClientApplication", "Marketing_Dashboard"),
            message="in the org, in no file",
        ),
        SECRET_SWITCHED_OFF,
        finding(
            severity=Severity.LOW,
            path=("label",),
            old="Order portal",
            new="Orders",
            ignored=True,
            modified=Modified("eli@acme.example", "", "2026-05-03T10:00:00Z"),
        ),
    ),
}

_WEAKENED = finding(
    path=("isSecretRequiredForTokenExchange",),
    old=True,
    new=False,
    message="isSecretRequiredForTokenExchange changed",
    direction=Direction.WEAKENS,
    modified=DANA,
    place=Place(PORTAL, 12),
    meaning="Whoever knows the consumer key can exchange tokens.",
    attribution=Attribution(
        "dana@acme.example",
        "005000000000002AAA",
        "2026-05-04T08:15:00Z",
        Confidence.HIGH,
        delegate="support@acme.example",
    ),
    known=True,
)

DRIFT_REPORTS = {
    "drift-with-who-and-when": DriftReport(
        ORG,
        (
            _WEAKENED,
            finding(
                address=Address("ApexClass", "PartnerIdpTokenHandler"),
                severity=Severity.CRITICAL,
                path=("content",),
                old=_BODY,
                new=_BODY.replace("one", "two"),
                deferred="0Af000000000009",
                attribution=Attribution(deployment="0Af000000000009"),
            ),
        ),
        compared=(GLOBAL, HANDLER, Address("ApexClass", "PartnerIdpTokenHandler")),
        in_flight=(Deployment("0Af000000000009", "InProgress", "ci@acme.example", "005000000000003AAA"),),
        notes=("the audit trail could not be read: insufficient access rights",),
        resolved=(f"{GLOBAL}.label: label changed",),
        created="2026-05-04T09:00:00Z",
    )
}

CHECKS = {
    "check-of-files-that-are-fine": CheckReport(checked=(GLOBAL, HANDLER), created="2026-05-04T09:00:00Z"),
    "check-of-an-org": CheckReport(
        (
            finding(
                id="TX16",
                severity=Severity.CRITICAL,
                address=Address("ApexClass", "PartnerIdpTokenHandler"),
                message="the signature of the token is never verified",
                path=("content",),
                position=(12, 9),
                subject="validateIncomingToken",
                also=(HANDLER,),
                meaning="Anybody can make a token and be let in.",
                mend="call Auth.JWTUtil.validateJWTWithCert",
            ),
            finding(
                id="TX03",
                message="no secret is asked for",
                path=("isSecretRequiredForTokenExchange",),
                waived="dana: the partner cannot keep one, until 2026-12-31",
            ),
        ),
        (Unchecked("TX08", HANDLER, "the user could not be read", ("apexExecutionUser",), Place(PORTAL, 9)),),
        (GLOBAL, HANDLER),
        ORG,
        notes=("1 kind could not be read",),
        created="2026-05-04T09:00:00Z",
    ),
}

_STEPS = tuple(
    Step((change,), (Component(change.address, f"{change.address.name}_glbloauth", {}, Place(PORTAL, 8, 3)),))
    for change in PLANS["an-app-is-created"].changes
)

RESULTS = {
    "applied": ApplyResult(
        PLANS["an-app-is-created"],
        (
            StepResult(
                PLANS["an-app-is-created"].steps[0], Landing.LANDED, Deployed("0Af000000000001", True, "Succeeded")
            ),
        ),
        seconds=3.21,
    ),
    "one-step-failed": ApplyResult(
        PLANS["an-app-is-created"],
        (
            StepResult(_STEPS[0], Landing.LANDED, Deployed("0Af000000000001", True, "Succeeded")),
            StepResult(
                _STEPS[1],
                Landing.NOT_LANDED,
                Deployed(
                    "0Af000000000002",
                    False,
                    "Failed",
                    (
                        ComponentFailure(
                            "ExtlClntAppGlobalOauthSettings",
                            "order_portal_glbloauth",
                            "There's a problem with your scope(s): X",
                            4,
                            11,
                            "extlClntAppGlobalOauthSets/order_portal_glbloauth.ecaGlblOauth",
                            Address("ExtlClntAppGlobalOauthSettings", "order_portal"),
                            Place(PORTAL, 8, 3),
                        ),
                    ),
                ),
            ),
            StepResult(_STEPS[2], Landing.UNKNOWN),
        ),
        seconds=61,
    ),
    "not-converged": ApplyResult(
        PLANS["an-app-is-created"],
        (
            StepResult(
                PLANS["an-app-is-created"].steps[0], Landing.LANDED, Deployed("0Af000000000001", True, "Succeeded")
            ),
        ),
        (update(GLOBAL, FieldChange(("isPkceRequired",), True, False)),),
        4.0,
    ),
    "nothing-applied": ApplyResult(PLANS["nothing-to-do"]),
}


_APP = Address("ExternalClientApplication", "order_portal")
PULLS = {
    "nothing": PullReport(ORG, created="2026-05-04T09:00:00Z"),
    "everything": PullReport(
        ORG,
        files=(
            PulledFile(PORTAL, "create"),
            PulledFile("desired/a.yaml", "change"),
            PulledFile("desired/b.yaml", "remove"),
        ),
        taken={_APP: PORTAL, GLOBAL: PORTAL},
        fields=(
            PulledField(
                Address("ConnectedApp", "Portal"),
                ("oauthConfig", "callbackUrl"),
                frozenset({"https://a.example"}),
                frozenset({"https://a.example", "https://b.example"}),
                "desired/a.yaml",
                direction=Direction.WEAKENS,
                severity=Severity.CRITICAL,
            ),
            PulledField(
                Address("ConnectedApp", "Portal"), ("oauthConfig", "consumerSecret"), "a", "b", "desired/a.yaml", True
            ),
        ),
        gone=(Address("ConnectedApp", "Old"),),
        accepted=((Address("ConnectedApp", "Portal"), ("description",)),),
        left=(("ConnectedApp/Other.label", "the file was edited", "apply it"),),
        omitted=(
            (GLOBAL, ("consumerKey",), "it belongs to this org"),
            (_APP, ("consumerKey",), "it belongs to this org"),
        ),
        variables={"svc_idp": "svc-idp@acme.example"},
        unreadable={"OauthCustomScope": "INSUFFICIENT_ACCESS"},
        adopted=2,
        created="2026-05-04T09:00:00Z",
    ),
    "only asked": PullReport(
        ORG,
        checked=True,
        files=(PulledFile(PORTAL, "create"),),
        taken={_APP: PORTAL},
        adopted=1,
        created="2026-05-04T09:00:00Z",
    ),
}
