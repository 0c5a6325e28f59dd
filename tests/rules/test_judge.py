"""Running rules: severities, scope, and what is not known."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.model.facts import Facts
from reconciler.rules import Broken, Example, NotChecked, Rule, judge
from reconciler.schema.severity import Severity
from reconciler.world.world import UNKNOWN, World

PORTAL = Address("ExternalClientApplication", "portal")
OTHER = Address("ExternalClientApplication", "other")
GLOBAL = Address("ExtlClntAppGlobalOauthSettings", "portal")


def a_rule(*verdicts: Broken | NotChecked, id: str = "T1", severity: Severity = Severity.HIGH) -> Rule:
    def check(_: World) -> Iterator[Broken | NotChecked]:
        yield from verdicts

    return Rule(id, severity, "title", "hurts", "source", check, Example(""), Example(""))


def world(bodies: dict[Address, dict[str, Any]] | None = None, *, complete: bool = True, **more: Any) -> World:
    return World(bodies or {}, complete=complete, today=date(2026, 11, 22), facts=Facts(), **more)


def test_a_projects_severity_goes_before_the_rules_own_and_before_a_findings() -> None:
    """A team that says `info` must not be stopped by what the rule thinks of a case."""
    rule = a_rule(Broken(PORTAL, "m", severity=Severity.CRITICAL))

    assert [Severity.CRITICAL] == [f.severity for f in judge(world(), rules=[rule])[0]]
    assert [Severity.INFO] == [f.severity for f in judge(world(), rules=[rule], severities={"T1": Severity.INFO})[0]]


def test_a_rule_that_is_switched_off_says_nothing_at_all() -> None:
    """Neither that it is broken nor that it was not checked."""
    rule = a_rule(Broken(PORTAL, "m"), NotChecked(PORTAL, "n"))

    assert ((), ()) == judge(world(), rules=[rule], severities={"T1": None})


def test_a_scope_keeps_what_is_on_it_or_depends_on_it() -> None:
    """A bad app that a plan does not touch must not block it; one that the plan makes bad must."""
    rule = a_rule(Broken(OTHER, "elsewhere"), Broken(OTHER, "caused here", also=(PORTAL,)), Broken(PORTAL, "here"))

    assert {"caused here", "here"} == {f.message for f in judge(world(), rules=[rule], scope={PORTAL})[0]}


def test_the_worst_comes_first() -> None:
    """Whoever reads ten lines of a report reads the ten that matter."""
    rules = [a_rule(Broken(PORTAL, "mild"), id="A1", severity=Severity.LOW), a_rule(Broken(PORTAL, "bad"), id="Z9")]

    assert ["bad", "mild"] == [f.message for f in judge(world(), rules=rules)[0]]


def test_what_no_file_says_is_not_known_and_cannot_be_taken_for_false() -> None:
    """A rule that takes silence for `false` cries wolf on every app that is managed in part."""
    files = world({PORTAL: {}, GLOBAL: {"isTokenExchangeEnabled": True}}, complete=False)

    assert True is files.value(GLOBAL, ("isTokenExchangeEnabled",))
    assert UNKNOWN is files.value(GLOBAL, ("isPkceRequired",))
    assert UNKNOWN is files.value(Address("ExtlClntAppOauthSettings", "portal"), ("label",))
    with pytest.raises(TypeError):
        bool(files.value(GLOBAL, ("isPkceRequired",)))


def test_in_an_org_what_is_unset_holds_the_platforms_default() -> None:
    """An audit that calls everything unknown is worth nothing."""
    org = world({PORTAL: {}, GLOBAL: {}})

    assert (True, None) == (org.value(GLOBAL, ("isPkceRequired",)), org.value(GLOBAL, ("certificate",)))


def test_what_an_org_did_not_show_is_not_known() -> None:
    """A login without a permission would get a clean bill of health."""
    org = world({}, unreadable={GLOBAL.kind: "insufficient access"})

    assert (UNKNOWN, False) == (org.has(GLOBAL), org.has(PORTAL))
