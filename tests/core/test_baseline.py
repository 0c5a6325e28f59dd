"""What the baseline becomes, and what it must not become by itself."""

from dataclasses import replace

import pytest

from reconciler.baseline import accepted, advanced, forgotten
from reconciler.kind import Body, SecretRef
from reconciler.model import Applied, Baseline, Lifecycle
from tests.core.build import NOTHING_OWNED, address, baseline, desired, live, plan

CA, ECA = "ConnectedApp/legacy", "ExternalClientApplication/portal"
GLOBAL, POLICIES = "ExtlClntAppGlobalOauthSettings/portal", "ExtlClntAppConfigurablePolicies/portal"
HANDLER = "OauthTokenExchangeHandler/idp"


def after(want, before_live, after_live, base=NOTHING_OWNED, **more) -> Baseline:
    changes = plan(want, before_live, base).changes
    chosen = want.resources.keys() | base.resources.keys()
    return advanced(base, want, after_live, changes, chosen=chosen, **more)


def test_a_first_apply_takes_whole_records_and_knows_all_strangers():
    have = live({CA: {"label": "x", "description": "theirs"}, ECA: {"label": "y"}})
    made = after(desired({CA: {"label": "x"}}), have, have)

    assert {"label": "x", "description": "theirs"} == made.resources[address(CA)].body
    assert (("label",),) == made.resources[address(CA)].declared
    assert {ECA} == made.unmanaged
    assert 1 == made.serial


def test_a_later_apply_advances_only_what_is_declared():
    """Drift of a field that no file speaks of must not vanish because somebody changed another field."""
    base = baseline({CA: {"label": "x", "description": "a"}})
    drifted = live({CA: {"label": "x", "description": "b"}})
    made = after(desired({CA: {"label": "n"}}), drifted, live({CA: {"label": "n", "description": "b"}}), base)

    assert {"label": "n", "description": "a"} == made.resources[address(CA)].body


def test_a_stranger_that_appeared_is_not_accepted_by_an_apply():
    base = baseline({CA: {"label": "x"}})
    have = live({CA: {"label": "x"}, ECA: {"label": "backdoor"}})

    assert frozenset() == after(desired({CA: {"label": "n"}}), have, have, base).unmanaged


def test_what_the_org_creates_along_with_our_app_is_watched():
    """The org makes policies for a new app by itself: they decide who may use it, declared or not, and are no drift."""
    base = baseline({CA: {"label": "x"}})
    want = desired({CA: {"label": "x"}, ECA: {"label": "y"}})
    made = after(want, live({CA: {"label": "x"}}), live({CA: {"label": "x"}, ECA: {"label": "y"}, POLICIES: {}}), base)

    assert (frozenset(), True) == (made.unmanaged, made.resources[address(POLICIES)].watched)


def test_nothing_to_do_is_the_same_baseline():
    have = live({CA: {"label": "x"}})
    base = after(desired({CA: {"label": "x"}}), have, have)

    assert base is after(desired({CA: {"label": "x"}}), have, have, base)


def watching(base: Baseline, *texts: str) -> Baseline:
    """The same baseline, with these resources watched and not declared."""
    watched = {address(text): replace(base.resources[address(text)], declared=(), watched=True) for text in texts}
    return replace(base, resources={**base.resources, **watched})


def test_an_enablement_of_another_team_goes_with_the_app_that_we_delete():
    """It would be reported as gone in every drift check from then on, because of our own apply."""
    enabled = f"{HANDLER}/enablements/portal"
    base = watching(baseline({HANDLER: {"description": "x"}, ECA: {"label": "y"}, enabled: {}}), enabled)
    have = live({HANDLER: {"description": "x"}, ECA: {"label": "y"}, enabled: {"externalClientApp": "portal"}})
    made = after(desired({HANDLER: {"description": "x"}}), have, live({HANDLER: {"description": "x"}}), base)

    assert {address(HANDLER)} == made.resources.keys()


def test_what_a_replacement_made_anew_is_no_drift_of_what_is_watched():
    """The org gives a replaced app another key: nobody but us did that. What somebody edited before stays drift."""
    old, new = {"consumerKey": "old", "label": "a"}, {"consumerKey": "new", "label": "b"}
    base = watching(baseline({ECA: {"label": "y"}, GLOBAL: old}), GLOBAL)
    want, have = desired({ECA: {"label": "y"}}), live({ECA: {"label": "y"}, GLOBAL: {**old, "label": "b"}})
    changes = plan(want, have, base, replace=frozenset({address(ECA)})).changes
    made = advanced(base, want, live({ECA: {"label": "y"}, GLOBAL: new}), changes, chosen=base.resources.keys())

    assert {"consumerKey": "new", "label": "a"} == made.resources[address(GLOBAL)].body


@pytest.mark.parametrize("handler", [{}, {HANDLER: {"tokenHandlerApex": "Other"}}])
def test_a_class_that_no_managed_handler_has_any_more_is_let_go(handler: Body):
    """Somebody else's class would be reported for ever, and after `--destroy` the baseline would never be empty."""
    code = "ApexClass/Code"
    base = watching(baseline({HANDLER: {"tokenHandlerApex": "Code"}, code: {"content": "x"}}), code)
    before = live({HANDLER: {"tokenHandlerApex": "Code"}, code: {"content": "x"}})
    made = after(desired(handler), before, live({**handler, code: {"content": "x"}}), base)

    assert (set(handler), {code}) == ({str(a) for a in made.resources}, made.unmanaged)


def test_a_class_that_a_handler_has_since_somebody_edited_it_stays_watched():
    """The handler's own drift is reported; the new class must not change unseen meanwhile."""
    code = "ApexClass/Theirs"
    base = baseline({HANDLER: {"tokenHandlerApex": "Ours", "description": "x"}, CA: {"label": "x"}})
    have = live({HANDLER: {"tokenHandlerApex": "Theirs", "description": "x"}, code: {"content": "a"}})
    want = desired({HANDLER: {"description": "x"}})
    made = after(want, have, have, base)
    edited = live({HANDLER: {"tokenHandlerApex": "Theirs", "description": "x"}, code: {"content": "b"}})

    assert {"content": "a"} == after(want, edited, edited, made).resources[address(code)].body


def test_a_secret_is_kept_as_a_digest_and_its_reference():
    ref = SecretRef("env", "S")
    want = desired({GLOBAL: {"consumerSecret": ref, "externalClientApplication": "portal"}})
    made = after(want, live({}), live({GLOBAL: {"externalClientApplication": "portal"}}), secrets={ref: "d1g3st"})
    held = made.resources[address(GLOBAL)].body["consumerSecret"]

    assert {"$digest": "d1g3st", "$ref": "(secret from env S)"} == held
    again = after(
        want,
        live({GLOBAL: {"externalClientApplication": "portal"}}),
        live({GLOBAL: {"externalClientApplication": "portal"}}),
        made,
    )
    assert held == again.resources[address(GLOBAL)].body["consumerSecret"]


def test_a_certificate_that_does_not_come_back_is_kept_as_sent():
    want = desired({GLOBAL: {"certificate": "PEM", "externalClientApplication": "portal"}})
    made = after(want, live({}), live({GLOBAL: {"externalClientApplication": "portal"}}))

    assert ("PEM", (("certificate",),)) == (
        made.resources[address(GLOBAL)].body["certificate"],
        made.resources[address(GLOBAL)].unseen,
    )


def test_protection_outlives_the_file():
    have = live({ECA: {"label": "x"}})
    want = desired({ECA: {"label": "x"}}, lifecycle={ECA: Lifecycle(frozenset({"delete"}))})

    assert frozenset({"delete"}) == after(want, have, have).resources[address(ECA)].protect


def test_the_class_of_a_managed_handler_is_kept_though_undeclared():
    """It decides whom tokens are given to: a change of it must be seen."""
    have = live({HANDLER: {"tokenHandlerApex": "Code"}, "ApexClass/Code": {"content": "class"}})
    made = after(desired({HANDLER: {"tokenHandlerApex": "Code"}}), have, have)

    assert {"content": "class"} == made.resources[address("ApexClass/Code")].body
    assert () == made.resources[address("ApexClass/Code")].declared


def test_a_deleted_app_takes_its_satellites_out_of_the_baseline():
    base = baseline({ECA: {"label": "x"}, GLOBAL: {"label": "y"}})

    assert {} == after(desired({}), live({ECA: {"label": "x"}, GLOBAL: {}}), live({}), base).resources


def test_a_released_resource_becomes_a_known_stranger():
    base = baseline({GLOBAL: {"label": "y"}, ECA: {"label": "x"}})
    have = live({ECA: {"label": "x"}, GLOBAL: {"label": "y"}})
    made = after(desired({ECA: {"label": "x"}}), have, have, base)

    assert {address(ECA)} == made.resources.keys()
    assert {GLOBAL} == made.unmanaged


def test_accepting_a_field_accepts_no_other():
    base = baseline({CA: {"label": "x", "description": "a"}})
    made = accepted(base, live({CA: {"label": "n", "description": "b"}}), address(CA), ("label",))

    assert {"label": "n", "description": "a"} == made.resources[address(CA)].body
    assert base.serial + 1 == made.serial


def test_accepting_a_resource_keeps_what_never_comes_back():
    body = {"label": "x", "certificate": "PEM", "consumerSecret": {"$digest": "d", "$ref": "r"}}
    applied = Applied(body, "r", (("label",),), (("certificate",),))
    base = replace(NOTHING_OWNED, serial=1, resources={address(GLOBAL): applied})
    made = accepted(base, live({GLOBAL: {"label": "n"}}), address(GLOBAL))

    assert body | {"label": "n"} == made.resources[address(GLOBAL)].body


def test_accepting_a_stranger_and_an_absence():
    base = baseline({CA: {"label": "x"}})
    made = accepted(accepted(base, live({ECA: {}}), address(ECA)), live({ECA: {}}), address(CA))

    assert ({ECA}, {}) == (made.unmanaged, made.resources)


def test_forgetting_leaves_it_in_the_org_as_a_known_stranger():
    made = forgotten(baseline({CA: {"label": "x"}}), address(CA))

    assert ({CA}, {}) == (made.unmanaged, made.resources)
    with pytest.raises(KeyError):
        forgotten(made, address(CA))


def test_forgetting_lets_go_of_what_was_watched_for_its_sake():
    """Whoever handed an app over would be told of every edit of its policies."""
    base = watching(baseline({ECA: {"label": "x"}, POLICIES: {}, CA: {"label": "x"}}), POLICIES)

    assert ({address(CA)}, {ECA, POLICIES}) == (
        set(forgotten(base, address(ECA)).resources),
        forgotten(base, address(ECA)).unmanaged,
    )
