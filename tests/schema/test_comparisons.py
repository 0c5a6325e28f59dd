"""The same is the same: each field has one comparison, and the spelling of a value is never a change."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.drift import compare
from reconciler.kinds import ENABLEMENT, all_kinds
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.live import LiveResource, LiveState, OrgInfo
from reconciler.plan.diff import field_changes
from reconciler.schema import comparisons
from reconciler.schema.body import covers, overlaid
from reconciler.schema.comparisons import Comparison
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import Forced, Immutable, OrgBound
from reconciler.schema.severity import Severity
from tests.respelling import different, respelled
from tests.strategies import values

FIELDS: list[tuple[type[Struct], Field]] = [
    (kind, field) for kind in all_kinds().values() for field in kind.fields().values() if field.compared
]
IDS = [f"{kind.__name__}.{field.name}" for kind, field in FIELDS]


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=IDS)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_the_spelling_of_a_value_is_no_change_and_no_drift(
    data: st.DataObject, kind: type[Struct], field: Field
) -> None:
    """False alarms teach people to look away, and a plan that is never empty hides the one that matters."""
    value = data.draw(values(field))
    first, second = data.draw(respelled(field, value)), data.draw(respelled(field, value))
    live = {field.name: second}

    assert () == field_changes(kind, {field.name: first}, live)
    if not field.has(OrgBound, Forced):
        assert covers(kind, live, {field.name: value})
        assert () == field_changes(kind, live, overlaid(kind, live, {field.name: value}))
    assert [] == drifted(kind, {field.name: first}, live)


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=IDS)
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_another_value_is_seen_however_both_are_spelled(data: st.DataObject, kind: type[Struct], field: Field) -> None:
    """What is not known to be the same is a change: a stranger's address must not pass for ours."""
    value = data.draw(values(field))
    assume(value != {})
    other = different(field, value)
    first, second = data.draw(respelled(field, value)), data.draw(respelled(field, other))

    assert field_changes(kind, {field.name: first}, {field.name: second})
    assert drifted(kind, {field.name: first}, {field.name: second})
    if not field.has(OrgBound, Immutable, Forced):
        assert not covers(kind, {field.name: second}, {field.name: value})


def drifted(kind: type[Struct], before: dict[str, Any], now: dict[str, Any]) -> list[Any]:
    address = Address(kind.__name__, "x")
    live = LiveState(OrgInfo("00D000000000001EAA"), {address: LiveResource(address, now, "x")})
    return list(compare.findings(Baseline(serial=1, resources={address: Applied(before, "x")}), live))


PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmg\n-----END CERTIFICATE-----"
SAME: list[tuple[Comparison, str, str]] = [
    (comparisons.TEXT, " a\r\nb\r", "a\nb"),
    (comparisons.TEXT, unicodedata.normalize("NFD", "Zürich"), "Zürich"),
    (comparisons.USERNAME, "Integration@Acme.Example", "integration@acme.example"),
    (comparisons.NAME, "order_portal", "Order_Portal"),
    (comparisons.NAME, "0P1dsoc0000000k", "0P1dsoc0000000kIAB"),
    (comparisons.LIFETIME, "specific_lifetime:024:HOURS", "Specific_Lifetime:24:hours"),
    (comparisons.BOOLEAN, "TRUE", " 1"),
    (comparisons.INTEGER, "030", "+30"),
    (comparisons.DECIMAL, "63", "63.00"),
    (comparisons.CERTIFICATE, PEM, "MIIBszCCAVmg"),
    (comparisons.CERTIFICATE, PEM, PEM.replace("\n", "")),
    (comparisons.CERTIFICATE, PEM, PEM.replace("BszC", "Bs\r\n zC")),
    (comparisons.CERTIFICATE, PEM, f"Bag Attributes: <No Attributes>\n{PEM}\n\n"),
    (comparisons.CERTIFICATE, f"{PEM}\n{PEM}", PEM + PEM.replace("\n", "\r\n")),
    (comparisons.IP, "2001:DB8:0::1", "2001:db8::1"),
]
OTHER: list[tuple[Comparison, str, str]] = [
    (comparisons.TEXT, "a b", "a  b"),
    (comparisons.TEXT, "Label", "label"),
    (comparisons.URL, "https://shop.acme.example/cb", "https://shop.acme.example/cb/"),
    (comparisons.URL, "https://shop.acme.example/cb", "https://Shop.acme.example/cb"),
    (comparisons.SOURCE, "return 'a';", "return 'A';"),
    (comparisons.SOURCE, f"return '{unicodedata.normalize('NFD', 'ü')}';", "return 'ü';"),
    (comparisons.INTEGER, "3_0", "30"),
    (comparisons.BOOLEAN, "yes", "true"),
    (comparisons.CERTIFICATE, PEM, PEM.replace("BszC", "BszD")),
    (comparisons.CERTIFICATE, f"{PEM}\n{PEM}", PEM),
    (comparisons.PERHAPS_CERTIFICATE, "My_Cert", "my_cert"),
    (comparisons.NAME, "0P1dsoc0000000k", "0P1dsoc0000000K"),
    (comparisons.IP, "010.0.0.1", "10.0.0.1"),
]


def key(comparison: Comparison, text: str) -> Any:
    return comparison.key(comparison.read(text))


@pytest.mark.parametrize(("comparison", "left", "right"), SAME)
def test_these_are_one_value(comparison: Comparison, left: str, right: str) -> None:
    """Each of them was, or may be, given back by an org for the other."""
    assert key(comparison, left) == key(comparison, right)


@pytest.mark.parametrize(("comparison", "left", "right"), OTHER)
def test_these_are_two_values(comparison: Comparison, left: str, right: str) -> None:
    """No source says that an org takes one for the other."""
    assert key(comparison, left) != key(comparison, right)


def test_a_private_key_beside_a_certificate_is_not_hidden_by_the_layout() -> None:
    """The rule that warns of it has to see it."""
    both = f"{PEM}\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"

    assert "PRIVATE KEY" in comparisons.certificate(both)


def test_a_name_is_shown_as_the_org_spells_it_and_only_what_differs_is_a_change() -> None:
    """A reader who sees a permission set go and come again in other letters looks for a reason that there is not."""
    policies = all_kinds()["ExtlClntAppOauthConfigurablePolicies"]
    before = {"commaSeparatedPermissionSet": "Order_Portal_User, Reporting_API"}
    after = overlaid(policies, before, {"commaSeparatedPermissionSet": ["order_portal_user", "Help_Desk"]})

    (change,) = field_changes(policies, before, after)

    assert frozenset({"Order_Portal_User", "Reporting_API"}) == change.old
    assert frozenset({"Order_Portal_User", "Help_Desk"}) == change.new


def test_a_scope_in_other_letters_is_as_grave_as_it_is() -> None:
    """Full access, written "full", is full access."""
    oauth = all_kinds()["ExtlClntAppOauthSettings"]

    (change,) = field_changes(oauth, {"commaSeparatedOauthScopes": "Api"}, {"commaSeparatedOauthScopes": "api, FULL"})

    assert (Severity.CRITICAL, frozenset({"Api", "FULL"})) == (change.severity, change.new)


def test_an_item_of_a_list_is_found_by_its_key_in_any_spelling() -> None:
    """Else an app that a scope is assigned to would go and come again at every apply."""
    scope = all_kinds()["OauthCustomScope"]
    live = {"assignedTo": [{"connectedApp": "Legacy_ERP"}, {"connectedApp": "Portal"}]}

    assert covers(scope, live, {"assignedTo": [{"connectedApp": "portal"}, {"connectedApp": "legacy_erp"}]})
    assert not covers(scope, live, {"assignedTo": [{"connectedApp": "portal"}]})


def test_every_reference_and_key_is_compared_without_letter_case() -> None:
    """Whoever adds a kind need not think of it."""
    exact = [
        f"{struct.__name__}.{field.name}"
        for struct, field in everything()
        if field.name in ("developerName", "externalClientApplication")
        or any(type(m).__name__ == "Ref" for m in field.marks)
        if not field.comparison.folds
    ]

    assert [] == exact


def everything() -> Iterator[tuple[type[Struct], Field]]:
    """Every field of every kind and structure."""

    def inside(struct: type[Struct]) -> Iterator[tuple[type[Struct], Field]]:
        for field in struct.fields().values():
            yield struct, field
            if field.struct is not None:
                yield from inside(field.struct)

    for kind in all_kinds().values():
        yield from inside(kind)


def test_every_comparison_has_a_name_of_its_own_and_is_used() -> None:
    """The page lists them by name."""
    used = {field.comparison.type for _, field in everything()}

    assert sorted(one.type for one in comparisons.ALL) == sorted(used)
    assert ENABLEMENT in {field.name for _, field in everything()}
