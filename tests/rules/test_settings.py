"""Waivers: what somebody takes the responsibility for, and what becomes of it."""

from datetime import date
from typing import Any

from reconciler.model.address import Address
from reconciler.model.finding import Finding
from reconciler.rules.settings import RuleSettings, Waiver, waived
from reconciler.schema.severity import Severity

TODAY = date(2026, 11, 22)
APP = Address("ExternalClientApplication", "portal")


def broken(rule: str = "OA01", address: Address = APP) -> Finding:
    return Finding(rule, Severity.HIGH, address, "wrong")


def waiver(rule: str = "OA01", address: str = "ExternalClientApplication/portal", **more: Any) -> Waiver:
    facts = {"reason": "legacy client", "owner": "iam@acme.example", "expires": date(2026, 12, 31), **more}
    return Waiver(rule, Address.parse(address), **facts)


def shown(*findings: Finding, by: Waiver, seen: bool = True) -> list[tuple[str, bool]]:
    """Each finding's id, and whether it counts."""
    return [(f.id, f.counts) for f in waived(findings, RuleSettings(waivers=(by,)), TODAY, seen=lambda _: seen)]


def test_a_waived_finding_is_shown_and_does_not_count() -> None:
    """A team with a known exception, whose pipeline would be red until nobody looks any more."""
    (found,) = waived([broken()], RuleSettings(waivers=(waiver(),)), TODAY, seen=lambda _: True)

    assert (False, "legacy client (iam@acme.example, until 2026-12-31)") == (found.counts, found.waived)


def test_a_waiver_holds_for_its_last_day_and_not_one_longer() -> None:
    """An exception that was granted for a time lasts for ever if nobody counts the days."""
    assert [("OA01", False)] == shown(broken(), by=waiver(expires=TODAY))
    assert [("OA01", True), ("waiver.expired", True)] == shown(broken(), by=waiver(expires=date(2026, 11, 21)))


def test_a_waiver_covers_its_rule_and_its_address_only() -> None:
    """One exception would silence a whole rule, or a whole app."""
    for other in (broken("OA02"), broken(address=Address("ExternalClientApplication", "other"))):
        assert [(other.id, True), ("waiver.unused", True)] == shown(other, by=waiver())


def test_a_waiver_of_a_prefix_covers_what_begins_so() -> None:
    """A team with twenty apps of one sort would write the same waiver twenty times."""
    found = [broken(address=Address("ExternalClientApplication", name)) for name in ("dev_a", "dev_b", "portal")]

    assert [False, False, True] == [
        counts for _, counts in shown(*found, by=waiver(address="ExternalClientApplication/dev_*"))
    ]


def test_brackets_in_a_name_are_no_pattern() -> None:
    """A name is what it is; only the star at the end means more."""
    assert [("OA01", True)] == shown(broken(), by=waiver(address="ExternalClientApplication/[p]ortal"), seen=False)


def test_an_unused_waiver_is_only_known_where_everything_was_looked_at() -> None:
    """A plan looks at what it changes: a waiver of the rest is not superfluous."""
    assert [("waiver.unused", True)] == shown(by=waiver())
    assert [] == shown(by=waiver(), seen=False)


def test_what_is_wrong_with_a_waiver_has_a_severity_of_the_projects_own() -> None:
    """A team that does not care for unused waivers says so, as for any rule."""
    settings = RuleSettings(
        {"waiver.unused": None, "waiver.expired": Severity.INFO}, (waiver(expires=date(2020, 1, 1)),)
    )

    assert [] == list(waived([], settings, TODAY, seen=lambda _: True))
    assert Severity.INFO == waived([broken()], settings, TODAY, seen=lambda _: True)[1].severity


def test_a_waiver_is_for_a_name_in_any_letters_and_for_a_kind_as_it_is():
    """An org calls `Legacy_ERP` and `legacy_erp` one."""
    erp = Address.parse("ConnectedApp/legacy_erp")

    assert [True, True, False, False] == [
        waiver(address=of).names(erp)
        for of in ("ConnectedApp/Legacy_ERP", "ConnectedApp/LEGACY*", "ConnectedApp/Legacy", "connectedapp/legacy_erp")
    ]
