"""Reports to be drawn and shown as a page: the smallest, the usual one, a hostile one and a huge one."""

from dataclasses import replace

from reconciler.errors import Place
from reconciler.model.address import Address, enablement
from reconciler.model.changes import Change, FieldChange, Reason, Refusal
from reconciler.model.deployment import ComponentFailure, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Attribution, Confidence, Finding, Touch, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.render.report import Report
from reconciler.render.text.plain import worst_first
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body, SecretRef

ORG = OrgInfo("00D000000000001EAA", "Acme", "CS42", False, "Enterprise Edition", "63.0", "ci@acme.example")
ECA, HANDLER, APEX, CONNECTED = "ExternalClientApplication", "OauthTokenExchangeHandler", "ApexClass", "ConnectedApp"
GLOBAL, POLICY = "ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthConfigurablePolicies"
PORTAL = "desired/apps/order_portal.yaml"
SOURCE = "public class PartnerIdpTokenHandler {\n    void a() {\n        verify(token);\n    }\n}\n"
USER = "integration@acme.example"
DANA = Attribution("dana@acme.example", "005000000000002AAA", "2026-05-04T08:15:00Z", Confidence.HIGH)


def enabled(app: str, *, connected: bool = False, user: str = USER, default: bool = True) -> Body:
    """An enablement's body."""
    return {"connectedApp" if connected else "externalClientApp": app, "apexExecutionUser": user, "isDefault": default}


def handler(apex: str = "PartnerIdpTokenHandler", **more: object) -> Body:
    return {"developerName": "PartnerIdp", "tokenHandlerApex": apex, "isEnabled": True, "isJwtSupported": True, **more}  # type: ignore[dict-item]


BODIES: dict[Address, Body] = {
    Address(ECA, "order_portal"): {"label": "Order portal"},
    Address(GLOBAL, "order_portal"): {"isTokenExchangeEnabled": True},
    Address(CONNECTED, "Partner_Portal"): {"label": "Partner Portal", "oauthConfig": {"isTokenExchangeEnabled": True}},
    Address(HANDLER, "PartnerIdp"): handler(),
    enablement("PartnerIdp", "order_portal"): enabled("order_portal"),
    enablement("PartnerIdp", "Partner_Portal"): enabled("Partner_Portal", connected=True, user="dana@acme.example"),
    Address(APEX, "PartnerIdpTokenHandler"): {"content": SOURCE},
    Address(ECA, "reporting_service"): {"label": "Reporting service"},
    Address(POLICY, "reporting_service"): {
        "isClientCredentialsFlowEnabled": True,
        "clientCredentialsFlowUser": "Integration@acme.example",
    },
    Address(ECA, "intranet"): {"label": "Intranet"},
    Address(CONNECTED, "Legacy_ERP"): {"label": "Legacy ERP"},
}
"""Two apps at one handler, an app with client credentials, and two that take part in neither."""


def found(address: Address, *path: str, severity: Severity = Severity.HIGH, **more: object) -> Finding:
    facts: dict[str, object] = {"id": "drift.changed", "message": f"{'.'.join(path)} changed", "path": path}
    return Finding(**{**facts, **more, "address": address, "severity": severity})  # type: ignore[arg-type]


def report(*findings: Finding, **more: object) -> Report:
    facts: dict[str, object] = {
        "command": "drift",
        "trailer": "Drift: 2 findings (1 critical, 1 high).",
        "org": ORG,
        "created": "2026-05-04T09:00:00Z",
        "bodies": BODIES,
    }
    return Report(**{**facts, **more, "findings": worst_first(findings)})  # type: ignore[arg-type]


EXECUTION_USER = found(
    enablement("PartnerIdp", "Partner_Portal"),
    "apexExecutionUser",
    severity=Severity.CRITICAL,
    old=USER,
    new="dana@acme.example",
    direction=Direction.WEAKENS,
    attribution=DANA,
    meaning="The handler's code now runs with the rights of another user.",
    place=Place("desired/handlers/enablements/partner_portal.yaml", 5),
    known=False,
)
SECRET_SWITCH = found(
    Address(GLOBAL, "order_portal"),
    "isSecretRequiredForTokenExchange",
    old=True,
    new=False,
    direction=Direction.WEAKENS,
    attribution=replace(DANA, confidence=Confidence.MEDIUM, delegate="eli@acme.example"),
    meaning="Whoever knows the app's public key can exchange tokens.",
    place=Place(PORTAL, 15),
    mend="reconciler apply",
    known=True,
)
CLASS_BODY = found(
    Address(APEX, "PartnerIdpTokenHandler"),
    "content",
    severity=Severity.CRITICAL,
    old=SOURCE,
    new=SOURCE.replace("verify(token);", "// verify(token);"),
    direction=Direction.WEAKENS,
    known=False,
)
SCOPES = found(
    Address("ExtlClntAppOauthSettings", "order_portal"),
    "commaSeparatedOauthScopes",
    severity=Severity.MEDIUM,
    old=frozenset({"Api", "Web"}),
    new=frozenset({"Api", "Full"}),
    direction=Direction.WEAKENS,
    known=True,
)
RULE = found(
    Address(POLICY, "order_portal"),
    "isTokenExchangeFlowEnabled",
    severity=Severity.MEDIUM,
    id="TX02",
    message="the policy-side switch of the token exchange flow is off",
    mend="write isTokenExchangeFlowEnabled: true",
    known=True,
)
APPEARED = found(
    Address(ECA, "shadow_app"), severity=Severity.LOW, id="drift.unmanaged", message="appeared in the org", known=False
)
IGNORED = found(Address(ECA, "order_portal"), "label", severity=Severity.LOW, old="a", new="b", ignored=True)
WAIVED = found(
    Address(CONNECTED, "Legacy_ERP"),
    "oauthConfig",
    "isPkceRequired",
    id="OA03",
    message="PKCE is not required",
    waived="by it@acme.example until 2026-12-31: the client is being replaced",
)

CHANGES = (
    Change(
        Address(GLOBAL, "order_portal"),
        {"isSecretRequiredForTokenExchange": False},
        {"isSecretRequiredForTokenExchange": True},
        Reason.EDITED,
        (
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
            FieldChange(("consumerSecret",), "s3cr3t-value", "an0ther-value", secret=True),
        ),
        place=Place(PORTAL, 9),
    ),
    Change(
        Address(ECA, "billing"),
        None,
        {"label": "Billing", "distributionState": "Local", "consumerSecret": SecretRef("env", "BILLING")},
        Reason.DECLARED,
        place=Place("desired/apps/billing.yaml", 2),
    ),
    Change(Address(CONNECTED, "Legacy_ERP"), {"label": "Legacy ERP"}, None, Reason.REMOVED),
)

DRIFT = report(EXECUTION_USER, SECRET_SWITCH, CLASS_BODY, SCOPES, APPEARED, IGNORED, WAIVED, notes=("a note",))
PLAN = report(
    SECRET_SWITCH,
    RULE,
    command="plan",
    trailer="Plan: 1 to create, 1 to update, 1 to delete.",
    changes=CHANGES,
    unchecked=(
        Unchecked("TX07", enablement("PartnerIdp", "order_portal"), "users could not be read"),
        Unchecked("TX07", enablement("PartnerIdp", "Partner_Portal"), "users could not be read"),
    ),
    refusals=(Refusal("delete", Address(CONNECTED, "Legacy_ERP"), "1 of 11 resources would go", "--allow delete"),),
)
APPLIED = replace(
    PLAN,
    command="apply",
    trailer="Apply failed: 1 step: 0 landed, 1 not landed, 0 unknown, in 3.2 s.",
    landings={change.address: Landing.NOT_LANDED for change in CHANGES},
    failures=(ComponentFailure(GLOBAL, "order_portal_glbloauth", "Value too long for field: callbackUrl", 4, 11),),
    in_flight=(Deployment("0Af000000000009", "InProgress", "eli@acme.example", "005", "2026-05-04T08:59:00Z"),),
    resolved=("ConnectedApp/Partner_Portal.label",),
)
FILES_ONLY = report(RULE, command="check", trailer="Check: 11 resources, 1 finding (1 medium).", org=None)
NOTHING = report(bodies={}, trailer="No drift.")

HOSTILE_TEXTS = (
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "</style></title></textarea><svg onload=window.hacked=1>",
    "javascript:window.hacked=1",
    '" onmouseover="window.hacked=1" x=\'',
    "' onfocus='window.hacked=1' autofocus '",
    "<!-- --><iframe src=https://evil.example/></iframe>",
    "&lt;script&gt; &#x3c;b&#x3e; ]]> <![CDATA[",
    "<link rel=stylesheet href=https://evil.example/x.css><style>@import url(https://evil.example)</style>",
    '"]; click n1 href "javascript:window.hacked=1"',
    'x\\"]; n2 [URL="javascript:1"]; n1 [label="\\',
    "`**bold**` %% comment\n  end\n:::critical",
    "1. first\n- second",
    "\u202egnp.exe\u2066\u200b\x1b[2J\x00\ud800\u2028",
    "##[command]x ::error::boom",
    "x" * 300,
)


def hostile(*texts: str) -> Report:
    """Everything that an org or a file has a say in says this."""
    findings, changes, bodies = [], [], dict(BODIES)
    for number, text in enumerate(texts):
        app, named = Address(ECA, text), Address(CONNECTED, text)
        who = Attribution(text, text, text, Confidence.MEDIUM, text, text, True, text, (Touch(text, text, text, text),))
        place = Place(text, 3, 4, text)
        bodies |= {
            app: {"label": text},
            Address(HANDLER, text): handler(text),
            enablement(text, text): enabled(text, user=text),
            enablement("PartnerIdp", text): enabled(text, connected=bool(number % 2), user=text),
        }
        findings += [
            found(app, text, text, old=text, new=[text], attribution=who, meaning=text, place=place, mend=text),
            found(enablement(text, text), id=text, message=text, subject=text, also=(named,)),
            found(Address(text, text, text), "label", old={text: text}, new=text + "\n" + text, waived=text),
            found(Address(APEX, text), "content", old=f"a\n{text}\nb", new=f"a\n{text}{text}\nc", ignored=True),
        ]
        fields = (FieldChange((text,), text, {text}, conflict=True), FieldChange(("label",), text, f"{text}\n{text}"))
        changes += [
            Change(app, {"label": "x"}, {"label": text}, Reason.EDITED, fields, place=place),
            Change(named, None, {text: text, "label": text, "oauthConfig": {"callbackUrl": text}}, Reason.DECLARED),
            Change(Address(HANDLER, text), {}, None, Reason.REMOVED),
        ]
    first = texts[0] if texts else ""
    return report(
        *findings,
        command="apply",
        trailer=first,
        org=OrgInfo(first, first, first, True, first, first, first, alias=first),
        created=first,
        bodies=bodies,
        changes=tuple(changes),
        unchecked=tuple(Unchecked(text, Address(text, text), text, (text,)) for text in texts),
        refusals=tuple(Refusal(text, Address(ECA, text), text, text) for text in texts),
        failures=tuple(ComponentFailure(text, text, text, 1, 1, text) for text in texts),
        in_flight=tuple(Deployment(text, text, text, text, text) for text in texts),
        landings={change.address: Landing.UNKNOWN for change in changes},
        notes=texts,
        resolved=texts,
    )


def huge(apps: int = 2_000, each: int = 5) -> Report:
    """An org in which every app has findings."""
    bodies: dict[Address, Body] = {Address(HANDLER, "PartnerIdp"): handler(), **BODIES}
    findings = []
    for number in range(apps):
        name = f"app_{number:05}"
        bodies[Address(ECA, name)] = {"label": name}
        bodies[Address(GLOBAL, name)] = {"isTokenExchangeEnabled": True}
        bodies[enablement("PartnerIdp", name)] = enabled(name)
        for index in range(each):
            severity = list(Severity)[(number + index) % 5]
            text = f"the switch number {index} of {name} is not as the files say"
            findings.append(
                found(
                    Address(GLOBAL, name),
                    f"isSwitch{index}Enabled",
                    severity=severity,
                    message=text,
                    old=True,
                    new=False,
                    meaning="Clients of this app can do what they could not do before.",
                    attribution=DANA,
                    place=Place(f"desired/apps/{name}.yaml", 10 + index),
                )
            )
    return report(*findings, bodies=bodies, trailer=f"Drift: {len(findings):,} findings.")
