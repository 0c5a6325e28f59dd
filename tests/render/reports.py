"""Reports to be shown, one of each command, with everything that a report can hold. `hostile` builds one of any text."""

from collections.abc import Sequence

from hypothesis import strategies as st

from reconciler.errors import Place
from reconciler.model.address import Address, enablement
from reconciler.model.changes import Change, FieldChange, Plan, Reason, Refusal, Step
from reconciler.model.deployment import ComponentFailure, Deployed, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Attribution, Confidence, Finding, Touch, Unchecked
from reconciler.model.live import Modified, OrgInfo
from reconciler.model.reports import ApplyResult, CheckReport, DriftReport, StepResult
from reconciler.render.report import Report, of_apply, of_check, of_drift, of_plan
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import RawXml

from .samples import DANA, GLOBAL, HANDLER, ORG, PORTAL, finding, plan_of, update

APP = Address("ExternalClientApplication", "order_portal")
APEX = Address("ApexClass", "PartnerIdpTokenHandler")
LEGACY = Address("ConnectedApp", "Legacy_ERP")
SECRET = "s3cr3t-of-the-portal"

BY_DANA = Attribution(
    "dana@acme.example",
    "005000000000002AAA",
    "2026-05-04T08:15:00Z",
    Confidence.HIGH,
    delegate="root@acme.example",
)

SWITCHED_OFF = finding(
    path=("isSecretRequiredForTokenExchange",),
    old=True,
    new=False,
    direction=Direction.WEAKENS,
    attribution=BY_DANA,
    place=Place(PORTAL, 12, 5),
    meaning="Whoever has a client id can exchange a token without the secret.",
    mend="apply, or accept it",
    known=False,
)
URL_ADDED = finding(
    severity=Severity.CRITICAL,
    path=("callbackUrl",),
    old=frozenset({"https://portal.acme.example/cb"}),
    new=frozenset({"https://portal.acme.example/cb", "http://evil.example/cb"}),
    direction=Direction.WEAKENS,
    modified=DANA,
    place=Place(PORTAL, 14),
    known=True,
)
GONE = finding(id="drift.gone", address=LEGACY, message="is no longer in the org")
UNMANAGED = finding(
    id="drift.unmanaged",
    severity=Severity.MEDIUM,
    address=enablement("PartnerIdp", "shadow_app"),
    message="appeared in the org; no file declares it",
    direction=Direction.WEAKENS,
)
TIGHTENED = finding(
    severity=Severity.LOW, path=("isPkceRequired",), old=False, new=True, direction=Direction.TIGHTENS, modified=DANA
)
BROKEN = finding(
    id="TX99",
    severity=Severity.MEDIUM,
    address=HANDLER,
    message="the handler runs as admin@acme.example, who is an administrator",
    path=("enablements",),
    place=Place("desired/handlers/partner idp.yaml", 7, 3),
    mend="run it as an integration user",
)
IN_SOURCE = finding(
    id="TX98",
    severity=Severity.CRITICAL,
    address=APEX,
    path=("content",),
    message="the signature is never verified",
    place=Place("desired/apex/PartnerIdpTokenHandler.cls", 1),
    position=(23, 9),
    subject="validateIncomingToken",
)
WAIVED = finding(
    id="OA97",
    address=LEGACY,
    message="the app has no PKCE",
    waived="an ERP of 2009 (ops@acme.example, until 2026-12-31)",
)
IGNORED = finding(path=("label",), old="a", new="b", severity=Severity.LOW, ignored=True)
DEFERRED = finding(path=("oauthPolicies",), old="a", new="b", deferred="0Af000000000001AAA")
ROTATED = finding(path=("consumerSecret",), old=SECRET, new=f"{SECRET}2")
DRIFT = (ROTATED, SWITCHED_OFF, URL_ADDED, GONE, UNMANAGED, TIGHTENED, IGNORED, DEFERRED)
RULES = (BROKEN, IN_SOURCE, WAIVED)

UNCHECKED = (
    Unchecked("TX97", HANDLER, "not declared; the org may hold anything"),
    Unchecked("TX97", APEX, "not declared; the org may hold anything"),
)

CHANGES = (
    Change(
        APP,
        None,
        {"label": "Order portal", "contactEmail": "iam@acme.example", "consumerSecret": SECRET},
        Reason.DECLARED,
        place=Place(PORTAL, 3),
    ),
    update(
        GLOBAL,
        FieldChange(("isPkceRequired",), True, False, Direction.WEAKENS, Severity.HIGH),
        FieldChange(("label",), "Portal", "Order portal", conflict=True),
        FieldChange(("callbackUrl",), frozenset({"https://a.example"}), frozenset({"https://b.example"})),
        FieldChange(("consumerSecret",), SECRET, f"{SECRET}2", secret=True),
        line=8,
    ),
    Change(
        APEX,
        {"content": "class A {\n  one();\n}\n"},
        {"content": "class A {\n  two();\n}\n"},
        Reason.EDITED,
        (FieldChange(("content",), "class A {\n  one();\n}\n", "class A {\n  two();\n}\n"),),
    ),
    Change(HANDLER, {"description": "old"}, {"description": "new"}, Reason.ASKED, replace=True),
    Change(LEGACY, {"label": "ERP", "oauthConfig": {"consumerSecret": SECRET}}, None, Reason.REMOVED),
)


def drift_of(*findings: Finding, **more: object) -> Report:
    compared = (GLOBAL, HANDLER, LEGACY, APP)
    return of_drift(DriftReport(ORG, findings, compared=compared, created="2026-05-04T09:00:00Z", **more))  # type: ignore[arg-type]


def check_of(*findings: Finding, unchecked: Sequence[Unchecked] = (), checked: Sequence[Address] = ()) -> Report:
    return of_check(CheckReport(findings, tuple(unchecked), tuple(checked)))


def apply_of(landing: Landing, *changes: Change, failures: Sequence[ComponentFailure] = (), **more: object) -> Report:
    deployed = Deployed("0Af000000000001AAA", landing is Landing.LANDED, "Failed", tuple(failures))
    plan = plan_of(*changes, **more)
    return of_apply(ApplyResult(plan, (StepResult(plan.steps[0], landing, deployed),), seconds=3.2))


REFUSED = ComponentFailure(
    "OauthTokenExchangeHandler",
    "PartnerIdp",
    "Apex class does not extend Auth.Oauth2TokenExchangeHandler",
    address=HANDLER,
    place=Place("desired/handlers/partner idp.yaml", 4, 1),
)

REPORTS = {
    "check": check_of(*RULES, unchecked=UNCHECKED, checked=(APP, HANDLER, APEX, GLOBAL)),
    "check-finds-nothing": check_of(checked=(APP, GLOBAL)),
    "plan": of_plan(
        Plan(
            ORG,
            (Step(CHANGES, ()),),
            drift=(SWITCHED_OFF,),
            findings=RULES,
            unchecked=UNCHECKED,
            refusals=(Refusal("replace", HANDLER, "an app gets a new consumer key", "--allow replace"),),
            notes=("2 variables are not used",),
        )
    ),
    "apply-lands": apply_of(Landing.LANDED, *CHANGES),
    "apply-fails": apply_of(Landing.NOT_LANDED, *CHANGES, failures=(REFUSED,), drift=(SWITCHED_OFF,)),
    "apply-unknown": apply_of(Landing.UNKNOWN, *CHANGES),
    "drift": drift_of(
        *DRIFT,
        in_flight=(Deployment("0Af000000000001AAA", "InProgress", "eve@acme.example", "005000000000003AAA"),),
        notes=("the audit trail could not be read",),
        resolved=("ConnectedApp/Legacy_ERP.label",),
    ),
    "drift-finds-nothing": drift_of(),
}
"""One of each command, and of each way that it can end."""

NASTY = (
    "plain words",
    "| a | b |",
    "\\| \\\\| x",
    "</details></summary><script>alert(1)</script>",
    "<!-- --> <b>bold</b> &lt;i&gt; &#64;octocat",
    "@octocat #1 GH-1 octo/repo#12 octo/repo@deadbeef1 deadbeef deadbeefcafe1234567",
    "http://evil.example www.evil.example mailto:a@evil.example a@evil.example ftp://x",
    "[a](http://evil.example) ![b](http://evil.example/x.png) [c]: http://evil.example",
    "`x` ``y`` " + "`" * 100 + "z",
    "```\n# heading\n```",
    "~~~\n- list\n1. one\n***\n---\n===",
    "# heading",
    "1. one",
    "2) two",
    "- item",
    "> quote",
    "    code",
    "*em* **strong** _em_ ~~gone~~ $x^2$ :smile:",
    "\n::error::owned\n##[error]owned ##vso[x]",
    "::error file=x::y",
    "\x00\x01\x1b[31m\x7f\x85\u2028\u2029\ufeff\ufffe",
    "\u202eevil\u2066x\u200b",
    "lone \ud800 and \udfff",
    "]]> <![CDATA[ &amp; %00 ../../x",
    "  blanks  ",
    "",
    "x" * 100_000,
    "`" * 100_000,
    "<" * 100_000,
    "{0} {1} \\ [x](0)",
)
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.text(st.sampled_from("`|\\<>[]()!@#&*_~-=+.:/ \n\t1a\u202e"), max_size=60),
)


def named(text: str) -> str:
    """A name is never empty."""
    return text or "-"


def hostile(texts: Sequence[str]) -> list[Report]:
    """All four commands, with these texts (ten of them) wherever an org, a file or a person writes one."""
    a, b, c, d, e, f, g, h, i, j = texts
    org = OrgInfo(a, b, c, True, d, e, f, alias=g)
    app, other = Address("ConnectedApp", named(a)), Address("OauthTokenExchangeHandler", named(b), f"enablements/{c}")
    place = Place(named(g), 3, 2)
    by = Attribution(h, i, j, Confidence.MEDIUM, delegate=a, deployment=b, because=c, also=(Touch(d, e, f, g),))
    found = (
        Finding("drift.changed", Severity.HIGH, app, c, (named(d),), e, f, Direction.WEAKENS, attribution=by, mend=g),
        Finding("drift.changed", Severity.LOW, app, a, ("label",), {"x": i}, [j, a], modified=Modified(b, c, d)),
        Finding("drift.unmanaged", Severity.INFO, other, e, new=RawXml(f), place=place, meaning=g, known=True),
        Finding("TX01", Severity.CRITICAL, app, h, ("oauthConfig", named(i)), place=place, mend=j, subject=a),
        Finding("TX02", Severity.MEDIUM, other, b, waived=c, position=(2, 3), known=False),
        Finding("TX03", Severity.MEDIUM, app, d, ignored=True),
        Finding("drift.changed", Severity.MEDIUM, app, e, ("label",), f, g, deferred=h),
    )
    unchecked = (Unchecked("TX04", app, i, (j,)),)
    changes = (
        Change(app, {"label": a, named(b): c}, {"label": d}, Reason.EDITED, (FieldChange(("label", named(e)), f, g),)),
        Change(other, None, {"description": h, named(i): [j, a]}, Reason.DECLARED, place=place),
        Change(Address("ConnectedApp", named(c)), {"label": b}, None, Reason.REMOVED),
    )
    failure = ComponentFailure(named(a), named(b), c, 1, 1, d, place=place)
    plan = Plan(
        org,
        (Step(changes, ()),),
        drift=found[:3],
        findings=found[3:],
        unchecked=unchecked,
        refusals=(Refusal(e, app, f, g),),
        notes=(h, i),
    )
    step = StepResult(plan.steps[0], Landing.NOT_LANDED, Deployed(a, False, b, (failure,)))
    in_flight = (Deployment(c, d, e, f),)
    return [
        of_plan(plan),
        of_apply(ApplyResult(plan, (step,))),
        of_drift(DriftReport(org, found, compared=(app,), in_flight=in_flight, notes=(g,), resolved=(h,))),
        of_check(CheckReport(found, unchecked, (app, other), notes=(j,))),
    ]


def hostile_reports() -> st.SearchStrategy[list[Report]]:
    return st.lists(TEXTS, min_size=10, max_size=10).map(hostile)
