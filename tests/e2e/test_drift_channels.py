"""The ways by which an org changes behind the files' back that no metadata tool watches, each seen by `drift`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.build import (
    APP,
    CODE,
    DANA,
    GLOBAL,
    HANDLER,
    INTEGRATION,
    POLICY,
    app,
    enablement,
    handler,
    handler_class,
    portal,
)
from tests.e2e.stage import Person, Stage, elements, staged
from tests.mock.wire import global_oauth, oauth

ENABLED = f"{HANDLER}/enablements/portal"
BARE = "ExternalClientApplication/bare"
SECURITY = "ExtlClntAppOauthSecuritySettings/portal"
SHADOW = "ExternalClientApplication/Shadow"
STRANGER = f"{HANDLER}/enablements/Marketing_Dashboard"


def prepare(stage: Stage) -> None:
    stage.source("PartnerIdpHandler", handler_class())
    stage.source("OtherHandler", handler_class("OtherHandler"))
    stage.declare(
        portal(policies={"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}),
        app("bare"),
        handler(),
        enablement("portal"),
    )
    stage.apply()


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("channels") / "project", fresh_org, prepare) as stage:
        yield stage


@pytest.fixture
def stage(applied: Stage) -> Stage:
    applied.restore()
    return applied


def seen(stage: Stage) -> dict[str, tuple[str, str, str]]:
    """What is reported: by address and field, the rule, the severity and the direction."""
    return shape(stage.findings())


def shape(findings: list[dict[str, Any]]) -> dict[str, tuple[str, str, str]]:
    return {
        ".".join([one["address"], *one["path"]]): (one["id"], one["severity"], one["direction"]) for one in findings
    }


# --- the channels ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Channel:
    """Something that somebody does over HTTP, how it reads, and how it is undone (`None`: it cannot be)."""

    do: Callable[[Person], object]
    reads: dict[str, tuple[str, str, str]]
    undo: Callable[[Person], object] | None = None


def patched(**columns: Any) -> Callable[[Person], object]:
    """Columns of the handler's row, by plain REST."""
    return lambda person: person.update_handler("PartnerIdp", **columns)


def secured(person: Person) -> None:
    """A satellite that nobody declared, of an app that we manage."""
    ranges = "<tokenIpRanges>" + elements(endIpAddress="10.0.0.9", startIpAddress="10.0.0.1") + "</tokenIpRanges>"
    inside = elements(externalClientApplication="portal", label="portal_oauthSecurity") + ranges
    person.create("ExtlClntAppOauthSecuritySettings", "portal_oauthSecurity", inside)


def opened(person: Person) -> None:
    """OAuth for an app that we manage and that had none."""
    person.deployed(oauth("bare", commaSeparatedOauthScopes="Full"), global_oauth("bare"))


CHANGED, GONE, UNMANAGED = "drift.changed", "drift.gone", "drift.unmanaged"
CHANNELS = {
    "an enablement is added by DML": Channel(
        lambda person: person.enable("PartnerIdp", "Marketing_Dashboard", user=INTEGRATION),
        {STRANGER: (UNMANAGED, "high", "weakens")},
        lambda person: person.disable(STRANGER),
    ),
    "an enablement is removed by DML": Channel(
        lambda person: person.disable(ENABLED),
        {ENABLED: (GONE, "medium", "tightens")},
        lambda person: person.enable("PartnerIdp", "portal", user=INTEGRATION),
    ),
    "an enablement becomes the default by DML": Channel(
        lambda person: person.set(ENABLED, "isDefault", True),
        {f"{ENABLED}.isDefault": (CHANGED, "high", "weakens")},
        lambda person: person.set(ENABLED, "isDefault", False),
    ),
    "an enablement runs as somebody else by DML": Channel(
        lambda person: person.set(ENABLED, "apexExecutionUser", DANA),
        {f"{ENABLED}.apexExecutionUser": (CHANGED, "critical", "weakens")},
        lambda person: person.set(ENABLED, "apexExecutionUser", INTEGRATION),
    ),
    "a handler may create users by DML": Channel(
        patched(IsUserCreationAllowed=True),
        {f"{HANDLER}.isUserCreationAllowed": (CHANGED, "high", "weakens")},
        patched(IsUserCreationAllowed=False),
    ),
    "a handler takes other tokens by DML": Channel(
        patched(SupportedTokenTypesSaml2=True, SupportedTokenTypesJwt=False),
        {
            f"{HANDLER}.isJwtSupported": (CHANGED, "low", "tightens"),
            f"{HANDLER}.isSaml2Supported": (CHANGED, "high", "weakens"),
        },
        patched(SupportedTokenTypesSaml2=False, SupportedTokenTypesJwt=True),
    ),
    "a handler is switched off by DML": Channel(
        patched(IsEnabled=False), {f"{HANDLER}.isEnabled": (CHANGED, "medium", "tightens")}, patched(IsEnabled=True)
    ),
    "a handler runs another class by DML": Channel(
        lambda person: person.update_handler(
            "PartnerIdp", TokenHandlerApexId=person.id_of("ApexClass", "OtherHandler")
        ),
        {f"{HANDLER}.tokenHandlerApex": (CHANGED, "critical", "weakens")},
        lambda person: person.update_handler(
            "PartnerIdp", TokenHandlerApexId=person.id_of("ApexClass", "PartnerIdpHandler")
        ),
    ),
    "the handler's class is deployed anew": Channel(
        lambda person: person.set(CODE, "content", handler_class(comment="lets everybody in")),
        {f"{CODE}.content": (CHANGED, "critical", "weakens")},
        lambda person: person.set(CODE, "content", handler_class()),
    ),
    "a satellite is created beside a managed app": Channel(
        secured,
        {SECURITY: (UNMANAGED, "high", "neutral")},
        lambda person: person.delete(SECURITY),
    ),
    "a managed app is given OAuth": Channel(
        opened,
        {
            "ExtlClntAppOauthSettings/bare": (UNMANAGED, "critical", "weakens"),
            "ExtlClntAppGlobalOauthSettings/bare": (UNMANAGED, "critical", "weakens"),
            "ExtlClntAppOauthConfigurablePolicies/bare": (UNMANAGED, "high", "neutral"),
        },
    ),
    "an app is created": Channel(
        lambda person: person.create(
            "ExternalClientApplication", "Shadow", elements(contactEmail="x@acme.example", label="Shadow")
        ),
        {
            SHADOW: (UNMANAGED, "medium", "neutral"),
            "ExtlClntAppConfigurablePolicies/Shadow": (UNMANAGED, "medium", "neutral"),
        },
        lambda person: person.delete(SHADOW),
    ),
    "an app is deleted": Channel(
        lambda person: person.delete(APP),
        {
            APP: (GONE, "high", "neutral"),
            ENABLED: (GONE, "medium", "tightens"),
        },
    ),
}


def each(channels: dict[str, Channel]) -> Any:
    return pytest.mark.parametrize("channel", [pytest.param(channel, id=name) for name, channel in channels.items()])


@each(CHANNELS)
def test_a_change_that_no_metadata_tool_watches_is_reported_with_who_did_it(stage: Stage, channel: Channel):
    """Whoever watches deployments only, and never sees what a script wrote straight into the org."""
    dana = stage.person(DANA)

    channel.do(dana)

    findings = stage.findings()
    assert channel.reads == shape(findings)
    assert {dana.id} == {str((one["attribution"] or {}).get("by_id")) for one in findings}
    assert [] == [one["address"] for one in findings if not one["meaning"].endswith(".")]


@each({name: channel for name, channel in CHANNELS.items() if channel.undo is not None})
def test_what_has_drifted_stays_reported_until_it_is_undone(stage: Stage, channel: Channel):
    """Whoever was on holiday when it was reported for the first time."""
    dana = stage.person(DANA)
    channel.do(dana)

    assert [channel.reads] * 2 == [seen(stage), seen(stage)]
    assert channel.undo is not None
    channel.undo(dana)
    assert {} == seen(stage)


@each(CHANNELS)
def test_what_has_drifted_stays_reported_until_it_is_accepted(stage: Stage, channel: Channel):
    """Whoever agreed to it, once, and does not want to hear of it again."""
    channel.do(stage.person(DANA))

    first, *rest = sorted({one["address"] for one in stage.findings()})
    stage.accept(first)
    assert set(rest) == {one["address"] for one in stage.findings()}
    for address in rest:
        stage.accept(address)
    assert {} == seen(stage)


def test_an_apply_of_something_else_does_not_sweep_it_under_the_carpet(stage: Stage):
    """Somebody deploys a label, and a stranger's enablement must still be news tomorrow."""
    stage.person(DANA).enable("PartnerIdp", "Marketing_Dashboard", user=INTEGRATION)
    stage.declare(
        portal(policies={"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}) | {"label": "Portal"},
        app("bare"),
        handler(),
        enablement("portal"),
    )

    stage.apply()

    assert {STRANGER: (UNMANAGED, "high", "weakens")} == seen(stage)


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", [APP, GLOBAL, POLICY, HANDLER, CODE], ids=lambda address: str(address).partition("/")[0]
)
def test_what_cannot_be_read_is_never_gone(stage: Stage, address: str):
    """A permission that somebody took from the drift check's user must not read like a deleted app, or like peace."""
    stage.org.switch("unreadable_kinds", [address.partition("/")[0]])

    found = stage.run("drift", "--output", "json")

    assert (5, True) == (found.code, f"{address} could not be read" in found.err)
    assert [False, False] == [words in found.said for words in ("no longer in the org", "drift.gone")]


def test_strangers_that_cannot_be_read_are_neither_gone_nor_forgotten(stage: Stage):
    """Connected apps are not ours here; once they can be read again, the one that came meanwhile is news."""
    stage.org.switch("allow_connected_app_creation", True)
    stage.org.switch("unreadable_kinds", ["ConnectedApp"])
    config = "<oauthConfig>" + elements(callbackUrl="https://x.acme.example/cb") + "</oauthConfig>"
    stage.person(DANA).create("ConnectedApp", "Shadow", elements(contactEmail="x@acme.example", label="S") + config)

    found = stage.run("drift", "--output", "json")
    assert (5, []) == (found.code, found.json["findings"])
    stage.org.switch("unreadable_kinds", [])
    assert {"ConnectedApp/Shadow": (UNMANAGED, "medium", "neutral")} == seen(stage)


def test_a_kind_that_could_not_be_read_is_said(stage: Stage):
    """An empty report over an org of which a part was hidden must not read as "all is well"."""
    stage.org.switch("unreadable_kinds", ["ConnectedApp"])

    notes = stage.run("drift", "--output", "json").json["notes"]

    assert [True] == [note.startswith("ConnectedApp") for note in notes], notes
