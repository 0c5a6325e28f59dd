"""Apps that are in order: no rule complains, whatever is left out of their files, and nothing fails."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kinds import ENABLEMENT, all_kinds
from reconciler.model.address import Address
from reconciler.model.declared import Origin, Resource
from reconciler.model.live import OrgInfo
from reconciler.rules import all_rules, judge
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body
from reconciler.world.world import World
from tests.rules.build import found, world
from tests.rules.ordinary_apps import ORDINARY, SINGLE_PAGE
from tests.strategies import bodies, enablements

ORG = OrgInfo("00D000000000001EAA", api_version="66.0")
GENERATED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", ORDINARY)
def test_no_rule_complains_about_an_app_that_is_in_order(name: str, tmp_path: Path) -> None:
    """Whoever gets a warning on an app that is right switches the rule off, and with it the next true one."""
    findings, _ = found(ORDINARY[name], tmp_path)

    assert [] == [(one.id, str(one.address), one.message) for one in findings]


def test_an_app_in_a_browser_gets_one_low_finding_that_can_be_waived(tmp_path: Path) -> None:
    """With PKCE it is as safe as it can be: it must not stand among what has to be mended."""
    findings, _ = found(SINGLE_PAGE, tmp_path)

    assert [("OA04", Severity.LOW)] == [(one.id, one.severity) for one in findings]


NAMES = ("connectedApp", "externalClientApp", "externalClientApplication")
"""What a record is known by: reading files refuses one without."""


def parts(body: Body, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where something stands in a body: fields, sections and what is in those."""
    for name, value in body.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from parts(value, (*path, name))


def without(body: Body, gone: set[tuple[str, ...]], path: tuple[str, ...] = ()) -> Body:
    return {
        name: without(value, gone, (*path, name)) if isinstance(value, dict) else value
        for name, value in body.items()
        if (*path, name) not in gone
    }


@pytest.fixture(scope="module", params=ORDINARY)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(ORDINARY[request.param], tmp_path_factory.mktemp("app"))


@settings(GENERATED, max_examples=15)
@given(data=st.data())
def test_what_a_file_does_not_say_is_never_held_against_it(whole: World, data: st.DataObject) -> None:
    """A file that holds a part of an app is right in every part of it: the org may hold the rest."""
    left: dict[Address, Body] = {}
    for address, body in whole.bodies.items():
        if data.draw(st.booleans(), label=str(address)):
            places = sorted(one for one in parts(body) if one[0] not in NAMES)
            gone = set(data.draw(st.lists(st.sampled_from(places), unique=True))) if places else set()
            left[address] = without(body, gone)
    declared = {address: Resource(address, body, Origin("desired.yaml", 1)) for address, body in left.items()}

    findings, _ = judge(World(left, complete=False, today=whole.today, declared=declared))

    assert [] == [(one.id, str(one.address), one.message) for one in findings]


@st.composite
def records(draw: st.DrawFn) -> dict[Address, Body]:
    """Records of every kind that belong to each other: two apps, their satellites, a handler and its enablements."""
    found: dict[Address, Body] = {}
    refs = {"ExternalClientApplication": ["shop"], "ConnectedApp": ["erp"], "ApexClass": ["Exchange"]}
    for kind in all_kinds().values():
        if draw(st.booleans(), label=kind.__name__):
            name = {"ConnectedApp": "erp", "ApexClass": "Exchange"}.get(kind.__name__, "shop")
            owner = kind.owner_field()
            body = draw(bodies(kind, refs=refs))
            found[Address(kind.__name__, name)] = body | ({owner: "shop"} if owner else {})
    if draw(st.booleans(), label=ENABLEMENT):
        body = draw(enablements(refs=refs))
        app = draw(st.sampled_from(["shop", "erp"]))
        found[Address("OauthTokenExchangeHandler", "shop", f"{ENABLEMENT}/{app}")] = body
    return found


@GENERATED
@given(found=records(), data=st.data(), complete=st.booleans())
def test_no_record_makes_a_rule_fail(found: dict[Address, Body], data: st.DataObject, complete: bool) -> None:
    """One traceback, and nobody hears of what is wrong with all the other apps."""
    left: dict[Address, Body] = {}
    for address, body in found.items():
        gone = data.draw(st.lists(st.sampled_from(sorted(body)), unique=True)) if body else []
        left[address] = {name: value for name, value in body.items() if name not in gone}
    declared: Any = {address: Resource(address, body, Origin("desired.yaml", 1)) for address, body in left.items()}
    seen = World(
        left, complete=complete, today=date(2026, 11, 22), org=ORG if complete else None, declared=declared, live=left
    )

    for rule in all_rules().values():
        judge(seen, rules=[rule])
