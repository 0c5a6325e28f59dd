"""The journal of an apply: what it keeps survives the file, and what it approves is exactly what somebody said yes to."""

import json
from dataclasses import replace

import pytest

from reconciler.baseline import journal as journals
from reconciler.baseline.journal import Intent, Journal, approval
from reconciler.model.address import Address
from reconciler.model.changes import Action, Component, Plan, Step
from reconciler.model.deployment import Deployed, Landing, Sent
from reconciler.model.live import LiveResource, LiveState, OrgInfo
from reconciler.model.request import Request
from reconciler.schema.values import SecretRef

APP, GLOBAL = Address("ExternalClientApplication", "a"), Address("ExtlClntAppGlobalOauthSettings", "a")
SECRET = SecretRef("command", ("pass", "portal"))
INTENTS = (
    Intent(APP, Action.CREATE, {"label": "A"}, "a", frozenset({"delete"}), (("label",),)),
    Intent(GLOBAL, Action.REPLACE, {"consumerSecret": SECRET, "callbackUrl": ["https://a.example"]}, "a_glbloauth"),
    Intent(Address("OauthCustomScope", "gone"), Action.DELETE, record="gone"),
)
FULL = Journal(
    "00D000000000001EAA",
    "acme",
    "2026-05-04T10:00:00Z",
    Request((APP,), frozenset({APP}), destroy=False),
    frozenset({"delete", "replace"}),
    "files",
    "payload",
    frozenset({"ExternalClientApplication/a 1234"}),
    1,
    2,
    "salt",
    Sent("0Af1", (("ExternalClientApplication", "a"),), False, ("0Af0",), "2026-05-04T09:00:00Z", listed=True),
    "2026-05-04T10:00:01Z",
    INTENTS,
    {SECRET: "digest"},
)


def live(**bodies: object) -> LiveState:
    """An org that has these: `app`, `settings`, `scope`."""
    addresses = {"app": APP, "settings": GLOBAL, "scope": INTENTS[2].address}
    found = {addresses[name]: LiveResource(addresses[name], body, "r") for name, body in bodies.items()}  # type: ignore[arg-type]
    return LiveState(OrgInfo("00D000000000001EAA", api_version="63.0"), found)


def test_what_is_written_is_what_is_read():
    """The reader is another process, perhaps on another machine."""
    assert FULL == journals.parse(json.loads(json.dumps(journals.dump(FULL))))


@pytest.mark.parametrize(
    ("words", "state", "landing"),
    [
        (["Succeeded"], live(), Landing.LANDED),
        (["Failed"], live(app={"label": "A"}, settings={"callbackUrl": ["https://a.example"]}), Landing.NOT_LANDED),
        ([], live(), Landing.NOT_LANDED),
        ([], live(app={"label": "A"}, settings={"callbackUrl": ["https://a.example"]}), Landing.LANDED),
        ([], live(app={"label": "B"}, settings={"callbackUrl": ["https://a.example"]}), Landing.NOT_LANDED),
        ([], live(app={"label": "A"}, settings={"callbackUrl": ["https://a.example"]}, scope={}), Landing.NOT_LANDED),
        (
            ["FinalizingFailed"],
            live(app={"label": "A"}, settings={"callbackUrl": ["https://a.example"]}),
            Landing.LANDED,
        ),
        (["Succeeded", "Failed"], live(), Landing.NOT_LANDED),
    ],
)
def test_the_org_s_word_counts_and_else_what_it_has(words: list[str], state: LiveState, landing: Landing):
    """All of a deployment lands or nothing: one record that is not as it was sent says that it did not."""
    found = [Deployed("0Af1", word == "Succeeded", word) for word in words]

    assert landing is FULL.landing(found, state, may_come=True)


REPLACED = live(app={"label": "A"})


@pytest.mark.parametrize(
    ("action", "words", "state", "may_come", "landing"),
    [
        (Action.REPLACE, ["Succeeded"], REPLACED, True, Landing.LANDED),
        (Action.REPLACE, [], REPLACED, True, Landing.NOT_LANDED),
        (Action.REPLACE, ["FinalizingFailed"], REPLACED, True, Landing.UNKNOWN),
        (Action.REPLACE, None, REPLACED, False, Landing.UNKNOWN),
        (Action.REPLACE, None, live(), False, Landing.NOT_LANDED),
        (Action.CREATE, None, REPLACED, True, Landing.LANDED),
        (Action.CREATE, None, live(), True, Landing.UNKNOWN),
        (Action.CREATE, None, live(), False, Landing.NOT_LANDED),
    ],
)
def test_what_nobody_can_tell_is_not_guessed(
    action: Action, words: list[str] | None, state: LiveState, may_come: bool, landing: Landing
):
    """A replaced app looks as before; and what an org does not show may still be on its way."""
    journal = replace(FULL, intents=(replace(INTENTS[0], action=action),))
    found = None if words is None else [Deployed("0Af1", word == "Succeeded", word) for word in words]

    assert landing is journal.landing(found, state, may_come=may_come)


def test_only_what_was_approved_goes_without_a_new_yes():
    """Another value, another record, or a removal is something that nobody has seen."""
    seen, other = Component(APP, "a", {"label": "A"}), Component(APP, "a", {"label": "B"})
    approved = Journal("", "", "", approved=approval([seen, Component(GLOBAL, "g", {})]))

    def approves(*components: Component) -> bool:
        return approved.approves(Plan(OrgInfo(""), (Step((), components),)))

    gone = Component(APP, "a", None)
    assert [True, True, False, False, False] == [
        approves(), approves(seen), approves(seen, other), approves(other), approves(gone)
    ]  # fmt: skip


def test_a_replacement_that_landed_is_not_asked_for_again():
    """Each one takes the app's consumer key away."""
    assert (frozenset(), frozenset({APP})) == (
        FULL.settled(landed=True).request.replace,
        FULL.settled(landed=False).request.replace,
    )
