"""A large org: 400 resources change, and 1,000 findings are there to be read besides."""

from reconciler.errors import Place
from reconciler.model.address import Address, enablement
from reconciler.model.changes import Change, FieldChange, Plan, Reason, Step
from reconciler.model.finding import Finding
from reconciler.model.reports import CheckReport, DriftReport
from reconciler.rules import all_rules
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body

from .reports_html import DANA, ECA, GLOBAL, HANDLER, POLICY, enabled, handler
from .samples import ORG, update

HANDLERS = ("PartnerIdp", "SupplierIdp", "WorkforceIdp")
RULES = tuple(id for id in all_rules() if id[:2] in ("OA", "TX"))[:12]


def apps(count: int) -> list[str]:
    return [f"app_{number:03}" for number in range(count)]


def bodies(count: int) -> dict[Address, Body]:
    """`count` apps, each of which is enabled for one of three handlers and has its own execution user, or none."""
    found: dict[Address, Body] = {Address(HANDLER, name): handler(f"{name}Handler") for name in HANDLERS}
    for number, name in enumerate(apps(count)):
        found[Address(ECA, name)] = {"label": name}
        found[Address(GLOBAL, name)] = {"isTokenExchangeEnabled": True}
        of = HANDLERS[number % 3]
        found[enablement(of, name)] = enabled(name, user=f"{name if number % 10 == 0 else 'svc'}@acme.example")
    return found


def broken_rules(count: int, of: int) -> tuple[Finding, ...]:
    """`count` broken rules, dealt out over `of` apps."""
    names, all_of_them = apps(of), all_rules()
    return tuple(
        Finding(
            id,
            all_of_them[id].severity,
            Address(GLOBAL, name),
            f"what {id} asks for is not there, number {number}",
            path=("isTokenExchangeEnabled",),
            place=Place(f"desired/apps/{name}.yaml", 7, 3),
            mend=f"mend what {id} is about",
            subject=str(number),
        )
        for number in range(count)
        for name in (names[number % of],)
        for id in (RULES[number // 7 % len(RULES)],)
    )


def drifted(count: int, of: int) -> tuple[Finding, ...]:
    """`count` fields that somebody changed, the worst of them in the last app."""
    names = apps(of)
    return tuple(
        Finding(
            "drift.changed",
            Severity.CRITICAL if number == count - 1 else list(Severity)[number % 4],
            Address(GLOBAL, names[number % of]),
            "",
            path=(("isPkceRequired", "isIntrospectAllTokens", "label", "isCodeFlowEnabled")[number // of % 4],),
            old=True,
            new=False,
            direction=Direction.WEAKENS,
            attribution=DANA,
            meaning="Clients can do what they could not do before.",
        )
        for number in range(count)
    )


def changes(count: int) -> tuple[Change, ...]:
    """Three changes an app: it is made, its settings and its policies are another."""
    made = []
    for number in range(count):
        name = f"app_{number // 3:03}"
        place = Place(f"desired/apps/{name}.yaml", 1 + number % 3)
        if number % 3 == 0:
            body: Body = {"label": name, "contactEmail": "iam@acme.example", "distributionState": "Local"}
            made.append(Change(Address(ECA, name), None, body, Reason.DECLARED, place=place))
        elif number % 3 == 1:
            weaker = FieldChange(("isPkceRequired",), True, False, Direction.WEAKENS, Severity.HIGH)
            fields = (weaker,) if number % 30 == 1 else (FieldChange(("callbackUrl",), "https://a", "https://b"),)
            made.append(update(Address(GLOBAL, name), *fields, line=8))
        else:
            made.append(update(Address(POLICY, name), FieldChange(("label",), "old", "new"), line=12))
    return tuple(made)


def plan(resources: int = 400, findings: int = 1_000) -> Plan:
    """Half of the findings are drift."""
    half = findings // 2
    return Plan(
        ORG,
        (Step(changes(resources), ()),),
        created="2026-05-04T09:00:00Z",
        drift=drifted(half, 300),
        findings=broken_rules(findings - half, 300),
        bodies=bodies(300),
    )


def check(findings: int = 942, of: int = 314) -> CheckReport:
    found = bodies(of)
    return CheckReport(broken_rules(findings, of), checked=tuple(found), bodies=found)


def drift(findings: int = 1_000, of: int = 300) -> DriftReport:
    found = bodies(of)
    return DriftReport(ORG, drifted(findings, of), compared=tuple(found), bodies=found)
