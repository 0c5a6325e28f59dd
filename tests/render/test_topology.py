"""The drawing shows who trusts whom, and marks what a person must look at."""

import pytest

from reconciler.model.address import Address, enablement
from reconciler.model.changes import Action, Change, FieldChange, Reason
from reconciler.render.report import of_plan
from reconciler.render.topology import LIMIT, Edge, Mark, Node, Role, Topology, topology
from reconciler.schema.severity import Severity

from . import large
from .reports_html import (
    APEX,
    BODIES,
    CHANGES,
    CONNECTED,
    ECA,
    EXECUTION_USER,
    HANDLER,
    HOSTILE_TEXTS,
    POLICY,
    SECRET_SWITCH,
    enabled,
    found,
    handler,
    hostile,
    huge,
    report,
)

PORTAL_ENABLED = enablement("PartnerIdp", "order_portal")
CLASS = ("Apex class", "PartnerIdpTokenHandler")
THE_HANDLER = ("handler", "PartnerIdp")


def named(drawn: Topology, id: str) -> tuple[str, str]:
    node = next(node for node in drawn.nodes if node.id == id)
    return str(node.role), node.name


def edges(drawn: Topology) -> set[tuple[tuple[str, str], str, tuple[str, str]]]:
    return {(named(drawn, e.source), e.words, named(drawn, e.target)) for e in drawn.edges}


def node(drawn: Topology, name: str, role: Role = Role.APP) -> Node:
    return next(node for node in drawn.nodes if (node.role, node.name) == (role, name))


def marked(drawn: Topology) -> dict[str, Mark]:
    """Everything that is marked, in words."""
    shown = {" ".join(named(drawn, n.id)): n.mark for n in drawn.nodes}
    shown |= {" ".join((*named(drawn, e.source), e.words, *named(drawn, e.target))): e.mark for e in drawn.edges}
    return {name: mark for name, mark in shown.items() if mark != Mark()}


def edge(drawn: Topology, source: str, target: str) -> Edge:
    return next(e for e in drawn.edges if (named(drawn, e.source)[1], named(drawn, e.target)[1]) == (source, target))


def test_trust_is_drawn_from_the_identity_provider_to_the_execution_user():
    """Whoever asks "as whom does this token end up?" and has four metadata types to put together."""
    provider = ("identity provider", "of PartnerIdp")
    portal, partner, reporting = ("app", "order_portal"), ("app", "Partner_Portal"), ("app", "reporting_service")
    integration, dana = ("execution user", "integration@acme.example"), ("execution user", "dana@acme.example")

    assert {
        (provider, "gives tokens to", portal),
        (provider, "gives tokens to", partner),
        (portal, "is enabled for (default)", THE_HANDLER),
        (partner, "is enabled for (default)", THE_HANDLER),
        (THE_HANDLER, "decides with", CLASS),
        (CLASS, "runs as", integration),
        (CLASS, "runs as", dana),
        (reporting, "runs as (client credentials)", integration),
    } == edges(topology(report()))


def test_a_username_is_one_node_whatever_its_case():
    """Whoever counts the users that code runs as: the org does not tell `A@x` from `a@x`."""
    users = [node.name.casefold() for node in topology(report()).nodes if node.role is Role.USER]

    assert ["dana@acme.example", "integration@acme.example"] == sorted(users)


def test_an_app_that_takes_part_in_nothing_is_drawn_only_if_something_is_wrong_with_it():
    """An org with 2,000 apps of which five exchange tokens."""
    calm = {node.name for node in topology(report()).nodes}
    alarmed = {node.name for node in topology(report(found(Address(ECA, "intranet"), "label"))).nodes}

    assert "intranet" not in calm
    assert {"intranet"} == alarmed - calm


def test_what_is_found_in_a_satellite_marks_its_app():
    """An admin knows apps; nobody knows ExtlClntAppGlobalOauthSettings."""
    drawn = topology(report(SECRET_SWITCH))

    assert {"app order_portal": Mark(Severity.HIGH, 1)} == marked(drawn)
    assert (node(drawn, "order_portal").id,) == drawn.touched(SECRET_SWITCH.address)


def test_another_execution_user_marks_the_edge_to_that_user():
    """Whoever must see at once `where` somebody became somebody else."""
    drawn = topology(report(EXECUTION_USER))

    assert {
        "Apex class PartnerIdpTokenHandler runs as execution user dana@acme.example": Mark(Severity.CRITICAL, 1)
    } == marked(drawn)


def test_an_enablement_belongs_to_its_app_its_handler_and_its_user():
    """Whoever chooses one of the three to see what was found there."""
    drawn = topology(report(EXECUTION_USER))
    nodes = {named(drawn, id) for id in drawn.touched(EXECUTION_USER.address)}

    assert {("app", "Partner_Portal"), THE_HANDLER, ("execution user", "dana@acme.example")} == nodes


def test_another_default_marks_the_edge_to_the_handler():
    """Which handler runs is not what anybody reviewed."""
    drawn = topology(report(found(PORTAL_ENABLED, "isDefault")))

    assert ["app order_portal is enabled for (default) handler PartnerIdp"] == list(marked(drawn))


def test_an_enablement_that_appeared_marks_both_of_its_edges():
    """Neither the way in nor the rights behind it were reviewed."""
    drawn = topology(report(found(PORTAL_ENABLED, id="drift.unmanaged")))

    assert {
        "app order_portal is enabled for (default) handler PartnerIdp",
        "Apex class PartnerIdpTokenHandler runs as execution user integration@acme.example",
    } == set(marked(drawn))


def test_another_class_marks_the_edge_to_the_class_and_a_token_type_the_handler():
    """Code that decides in place of other code, and a handler that takes more than before."""
    other_class = found(Address(HANDLER, "PartnerIdp"), "tokenHandlerApex")
    more_tokens = found(Address(HANDLER, "PartnerIdp"), "isIdTokenSupported")

    assert ["handler PartnerIdp decides with Apex class PartnerIdpTokenHandler"] == list(
        marked(topology(report(other_class)))
    )
    assert ["handler PartnerIdp"] == list(marked(topology(report(more_tokens))))


def test_another_client_credentials_user_marks_the_edge_of_its_app():
    """Everything that the program does is now done as somebody else."""
    drawn = topology(report(found(Address(POLICY, "reporting_service"), "clientCredentialsFlowUser")))

    assert ["app reporting_service runs as (client credentials) execution user integration@acme.example"] == list(
        marked(drawn)
    )


def test_a_client_credentials_user_that_is_gone_marks_the_app():
    """There is no edge any more that could be marked."""
    bodies = {**BODIES, Address(POLICY, "reporting_service"): {"isClientCredentialsFlowEnabled": True}}
    drawn = topology(report(found(Address(POLICY, "reporting_service"), "clientCredentialsFlowUser"), bodies=bodies))

    assert ["app reporting_service"] == list(marked(drawn))


def test_the_worst_of_several_findings_colours_a_node():
    """A critical finding must not hide behind a later one of low severity."""
    drawn = topology(report(SECRET_SWITCH, found(Address(ECA, "order_portal"), "label", severity=Severity.LOW)))

    assert Mark(Severity.HIGH, 2) == node(drawn, "order_portal").mark
    assert "high: 2 findings" == node(drawn, "order_portal").mark.words


def test_what_is_ignored_or_waived_marks_nothing():
    """Whoever agreed to it would look at a red box for ever."""
    address = Address(ECA, "order_portal")
    drawn = topology(
        report(found(address, ignored=True), found(address, waived="by it"), found(address, deferred="0Af"))
    )

    assert {} == marked(drawn)


def test_a_class_that_is_not_there_is_drawn_as_missing():
    """A handler without its class refuses every token: an outage that no single record shows."""
    bodies = {a: b for a, b in BODIES.items() if a.kind != APEX}
    drawn = topology(report(bodies=bodies))
    offline = topology(report(bodies=bodies, org=None))

    assert "not seen in the org" == node(drawn, "PartnerIdpTokenHandler", Role.APEX).mark.absent
    assert "not seen in the org" == edge(drawn, "PartnerIdp", "PartnerIdpTokenHandler").mark.absent
    assert "not in the files" == node(offline, "PartnerIdpTokenHandler", Role.APEX).mark.absent


def test_an_app_and_a_handler_that_are_only_named_are_drawn_as_missing():
    """An enablement that outlives its app, or names a handler with a slip of the pen."""
    drawn = topology(report(bodies={enablement("Nobody", "ghost"): enabled("ghost")}))

    assert {"ghost", "Nobody"} == {n.name for n in drawn.nodes if n.mark.absent}
    assert "not seen in the org" == edge(drawn, "ghost", "Nobody").mark.absent
    assert "runs as" == edge(drawn, "Nobody", "integration@acme.example").words


def test_nothing_is_missing_where_nothing_is_known():
    """An apply keeps no copy of the org: its picture holds what it changed, and must not cry wolf about the rest."""
    created = Change(PORTAL_ENABLED, None, enabled("order_portal"), Reason.DECLARED)
    drawn = topology(report(bodies={}, changes=(created,)))

    assert {"order_portal", "PartnerIdp", "integration@acme.example"} == {node.name for node in drawn.nodes}
    assert [] == [name for name, mark in marked(drawn).items() if mark.absent]


def test_an_enablement_that_is_gone_is_still_drawn():
    """Whoever looks for the app whose logins fail since this morning."""
    bodies = {a: b for a, b in BODIES.items() if a != PORTAL_ENABLED}
    drawn = topology(report(found(PORTAL_ENABLED, id="drift.gone"), bodies=bodies))

    assert Mark(Severity.HIGH, 1, absent="gone from the org") == edge(drawn, "order_portal", "PartnerIdp").mark


def test_planned_changes_are_marked_and_what_goes_is_still_drawn():
    """A reviewer who approves a plan by its picture."""
    drawn = topology(report(changes=CHANGES))

    assert {
        "app billing": Mark(action=Action.CREATE),
        "app order_portal": Mark(action=Action.UPDATE),
        "app Legacy_ERP": Mark(action=Action.DELETE),
    } == marked(drawn)


def test_an_app_that_gets_another_record_is_updated_not_created():
    """A reviewer who reads "create" looks for a new app."""
    change = Change(Address(POLICY, "order_portal"), None, {"isTokenExchangeFlowEnabled": True}, Reason.DECLARED)

    assert {"app order_portal": Mark(action=Action.UPDATE)} == marked(topology(report(changes=(change,))))


def test_an_app_that_comes_with_all_its_records_is_created():
    """Whatever the order of the plan."""
    app = Change(Address(ECA, "billing"), None, {"label": "Billing"}, Reason.DECLARED)
    policy = Change(Address(POLICY, "billing"), None, {"isTokenExchangeFlowEnabled": True}, Reason.DECLARED)

    for changes in ((app, policy), (policy, app)):
        assert {"app billing": Mark(action=Action.CREATE)} == marked(topology(report(changes=changes)))


def test_a_planned_execution_user_marks_its_edge():
    """The one field of a plan that hands rights to somebody else."""
    field = FieldChange(("apexExecutionUser",), "dana@acme.example", "integration@acme.example")
    drawn = topology(report(changes=(Change(PORTAL_ENABLED, {}, {}, Reason.EDITED, (field,)),)))

    assert ["Apex class PartnerIdpTokenHandler runs as execution user integration@acme.example"] == list(marked(drawn))


def test_an_identity_provider_says_only_what_the_handler_knows():
    """Nobody should read an issuer into the drawing that no metadata holds."""
    bodies = {Address(HANDLER, "PartnerIdp"): handler(isSaml2Supported=True)}
    provider = node(topology(report(bodies=bodies)), "of PartnerIdp", Role.PROVIDER)

    assert "gives out: JWT, SAML 2.0 assertion" == provider.about
    assert provider.address is None


def test_of_a_large_org_the_worst_is_kept_and_the_rest_is_folded():
    """An org with 300 apps, one of which was broken into."""
    whole = topology(huge(300, 0), limit=10_000)
    victim = enablement("PartnerIdp", "app_00299")
    alarmed = report(found(victim, "apexExecutionUser", severity=Severity.CRITICAL), bodies=huge(300, 0).bodies)
    drawn = topology(alarmed, limit=50)

    assert 50 >= len(drawn.nodes)
    assert len(whole.nodes) == sum(node.stands_for for node in drawn.nodes)
    assert drawn.folded == sum(node.stands_for for node in drawn.nodes if node.stands_for > 1)
    assert {"app_00299", "of PartnerIdp", "integration@acme.example"} <= {node.name for node in drawn.nodes}
    assert "PartnerIdp" == named(drawn, edge(drawn, "app_00299", "PartnerIdp").target)[1]


def test_who_is_trusted_and_what_decides_is_drawn_however_many_apps_have_findings():
    """Whoever opens the picture of 300 apps to see which identity providers get in."""
    drawn = topology(of_plan(large.plan(400, 1_000)))
    of = {role: {node.name for node in drawn.nodes if node.role is role} for role in Role}

    assert LIMIT >= len(drawn.nodes)
    assert set(large.HANDLERS) == of[Role.HANDLER]
    assert {f"of {name}" for name in large.HANDLERS} == of[Role.PROVIDER]
    assert {f"{name}Handler" for name in large.HANDLERS} == of[Role.APEX]
    assert 300 == sum(node.stands_for for node in drawn.nodes if node.role is Role.APP)
    folds = [node for node in drawn.nodes if node.stands_for > 1 and node.role is Role.APP]
    assert 3 == len(folds)
    assert set(large.HANDLERS) == {
        named(drawn, edge.target)[1] for edge in drawn.edges for node in folds if edge.source == node.id
    }


def test_a_folded_node_has_what_all_of_its_apps_have():
    """Whoever would take an app for fine because it is not drawn by itself, or looks for its findings by a click."""
    plan = of_plan(large.plan(400, 1_000))
    drawn = topology(plan)
    fold = next(node for node in drawn.nodes if node.stands_for > 1 and node.role is Role.APP)
    inside = {a for a in plan.bodies if a.kind == ECA and drawn.touched(a) == (fold.id,)}
    worst = max(f.severity for f in plan.findings if Address(ECA, f.address.name) in inside)

    assert fold.stands_for == len(inside)
    assert worst == fold.mark.severity
    assert fold.mark.findings == sum(Address(ECA, f.address.name) in inside for f in plan.findings)


@pytest.mark.parametrize("limit", [0, 1, 5, 20, 60])
def test_hundreds_of_handlers_are_folded_too(limit: int):
    """An org in which every app has a handler of its own: nothing is lost without a number."""
    bodies = {Address(HANDLER, f"h{n:03}"): handler(f"H{n:03}") for n in range(200)}
    bodies |= {
        enablement(f"h{n:03}", f"app_{n:03}"): enabled(f"app_{n:03}", user=f"u{n}@acme.example") for n in range(200)
    }
    drawn = topology(report(bodies=bodies), limit)

    assert max(limit, len(Role)) >= len(drawn.nodes)
    assert 5 * 200 == sum(node.stands_for for node in drawn.nodes)
    assert set(Role) == {node.role for node in drawn.nodes}


def test_the_same_report_is_always_drawn_alike():
    """Whoever keeps the drawing in a repository and reads its differences."""
    shouted = {enablement("PartnerIdp", "intranet"): enabled("intranet", user="INTEGRATION@acme.example")}
    bodies = {**BODIES, **shouted}
    backwards = dict(reversed(bodies.items()))

    assert topology(report(SECRET_SWITCH, EXECUTION_USER, bodies=bodies)) == topology(
        report(EXECUTION_USER, SECRET_SWITCH, bodies=backwards)
    )


def test_hostile_names_are_names():
    """Everybody, of whose org one administrator is the enemy."""
    drawn = topology(hostile(*HOSTILE_TEXTS), limit=1_000)

    assert set(HOSTILE_TEXTS) <= {n.name for n in drawn.nodes if n.role is Role.APP and n.address.kind == CONNECTED}
    assert all(n.id == f"n{number}" for number, n in enumerate(drawn.nodes, 1))
