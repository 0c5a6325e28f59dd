"""What the baseline becomes, and what it must not become by itself."""

from dataclasses import replace

import pytest

from reconciler.baseline.accept import accepted, forgotten
from reconciler.baseline.advance import advanced, at_version, seen
from reconciler.model.applied import Applied, Baseline
from reconciler.model.declared import Lifecycle
from reconciler.model.live import Modified
from reconciler.schema.values import Body, SecretRef
from tests.build import NOTHING_OWNED, address, baseline, desired, live, plan

CA, ECA = "ConnectedApp/legacy", "ExternalClientApplication/portal"
GLOBAL, POLICIES = "ExtlClntAppGlobalOauthSettings/portal", "ExtlClntAppConfigurablePolicies/portal"
HANDLER = "OauthTokenExchangeHandler/idp"


def after(want, before_live, after_live, base=NOTHING_OWNED, watch_all=False, **more) -> Baseline:
    """The baseline after an apply; of what no file declares only what belongs to it, if not asked for all."""
    changes = plan(want, before_live, base).changes
    chosen, before = want.resources.keys() | base.resources.keys(), seen(before_live, base)
    base = at_version(base, before_live)
    return advanced(base, want, before, after_live, changes, chosen=chosen, watch_all=watch_all, **more)


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
    now = live({ECA: {"label": "y"}, GLOBAL: new})
    made = advanced(base, want, seen(have, base), now, changes, chosen=base.resources.keys(), watch_all=False)

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
    made = accepted(
        accepted(base, live({ECA: {}}), address(ECA), watch_all=False), live({ECA: {}}), address(CA), watch_all=False
    )

    assert ({ECA}, {}) == (made.unmanaged, made.resources)


def test_forgetting_leaves_it_in_the_org_as_a_known_stranger():
    made = forgotten(baseline({CA: {"label": "x"}}), address(CA), watch_all=False)

    assert ({CA}, {}) == (made.unmanaged, made.resources)
    with pytest.raises(KeyError):
        forgotten(made, address(CA))


def test_forgetting_lets_go_of_what_was_watched_for_its_sake():
    """Whoever handed an app over would be told of every edit of its policies."""
    base = watching(baseline({ECA: {"label": "x"}, POLICIES: {}, CA: {"label": "x"}}), POLICIES)

    assert ({address(CA)}, {ECA, POLICIES}) == (
        set(forgotten(base, address(ECA), watch_all=False).resources),
        forgotten(base, address(ECA), watch_all=False).unmanaged,
    )


# --- only what the apply itself brought about ------------------------------------------------------------------------


def test_what_others_edit_between_plan_and_read_back_is_drift():
    """Unchanged in the plan, weakened by another person before the org is read again: the baseline keeps what it had."""
    base = baseline({CA: {"label": "x"}, ECA: {"label": "y", "description": "ours"}})
    want = desired({CA: {"label": "n"}, ECA: {"label": "y"}})
    before = live({CA: {"label": "x"}, ECA: {"label": "y", "description": "ours"}})
    now = live({CA: {"label": "n"}, ECA: {"label": "theirs", "description": "theirs"}})
    made = after(want, before, now, base)

    assert {"label": "y", "description": "ours"} == made.resources[address(ECA)].body


def test_what_was_sent_is_kept_as_it_was_sent():
    """Another value in the read-back came from elsewhere."""
    base = baseline({CA: {"label": "x"}})
    made = after(desired({CA: {"label": "n"}}), live({CA: {"label": "x"}}), live({CA: {"label": "theirs"}}), base)

    assert {"label": "n"} == made.resources[address(CA)].body


def test_what_is_adopted_is_taken_as_the_plan_saw_it():
    have, now = live({CA: {"label": "x", "description": "a"}}), live({CA: {"label": "x", "description": "b"}})
    made = after(desired({CA: {"label": "x"}}), have, now)

    assert {"label": "x", "description": "a"} == made.resources[address(CA)].body


def test_a_created_record_that_another_user_touched_is_as_we_sent_it():
    """What the org fills in by itself is ours; what a person filled in after that is not."""
    want, now = desired({ECA: {"label": "y"}}), live({ECA: {"label": "y", "infoUrl": "https://theirs.example"}})
    have = now.resources[address(ECA)]
    touched = replace(now, resources={have.address: replace(have, created=Modified("", "005000000000009AAA"))})

    assert {"label": "y"} == after(want, live({}), touched).resources[address(ECA)].body
    assert have.body == after(want, live({}), now).resources[address(ECA)].body


def test_a_record_that_is_deleted_right_after_it_was_sent_is_gone_and_not_unknown():
    made = after(desired({ECA: {"label": "y"}}), live({}), live({}))

    assert {"label": "y"} == made.resources[address(ECA)].body


# --- the whole org is watched ----------------------------------------------------------------------------------------


def test_a_first_apply_watches_everything_as_the_plan_saw_it():
    have, now = live({CA: {"label": "x"}, ECA: {"label": "y"}}), live({CA: {"label": "x"}, ECA: {"label": "theirs"}})
    made = after(desired({CA: {"label": "x"}}), have, now, watch_all=True)

    assert ({"label": "y"}, True) == (made.resources[address(ECA)].body, made.resources[address(ECA)].watched)
    assert ({address(CA)}, frozenset()) == (made.managed, made.unmanaged)


def test_what_is_known_by_name_only_is_watched_from_the_next_apply_on():
    """A baseline of 0.1.0 holds the names of strangers, and not what they are."""
    base = replace(baseline({CA: {"label": "x"}}), unmanaged=frozenset({ECA}))
    have = live({CA: {"label": "x"}, ECA: {"label": "y"}})
    made = after(desired({CA: {"label": "x"}}), have, have, base, watch_all=True)

    assert ({"label": "y"}, frozenset()) == (made.resources[address(ECA)].body, made.unmanaged)


def test_what_appeared_is_not_watched_before_it_is_accepted():
    base = baseline({CA: {"label": "x"}})
    have = live({CA: {"label": "x"}, ECA: {"label": "backdoor"}})
    made = after(desired({CA: {"label": "n"}}), have, have, base, watch_all=True)

    assert {address(CA)} == made.resources.keys()
    assert accepted(made, have, address(ECA)).resources[address(ECA)].watched


def test_what_is_released_or_given_up_goes_on_being_watched():
    base = baseline({GLOBAL: {"label": "y"}, ECA: {"label": "x"}})
    have = live({ECA: {"label": "x"}, GLOBAL: {"label": "drifted"}})
    released = after(desired({ECA: {"label": "x"}}), have, have, base, watch_all=True).resources[address(GLOBAL)]

    assert ({"label": "y"}, True, ()) == (released.body, released.watched, released.declared)
    assert forgotten(base, address(ECA)).resources[address(ECA)].watched


def test_what_is_only_watched_is_let_go_where_only_what_is_managed_is_watched():
    """`watch: managed` in a project that watched everything."""
    base = watching(baseline({CA: {"label": "x"}, ECA: {"label": "y"}}), ECA)
    have = live({CA: {"label": "x"}, ECA: {"label": "y"}})
    made = after(desired({CA: {"label": "x"}}), have, have, base)

    assert ({address(CA)}, {ECA}) == (set(made.resources), made.unmanaged)


# --- another record of that name -------------------------------------------------------------------------------------


def with_id(found, id: str):
    return replace(found, resources={a: replace(one, id=id) for a, one in found.resources.items()})


def test_a_record_keeps_the_id_that_it_was_first_seen_with():
    """Adopting another record in silence would let us delete it."""
    have = with_id(live({CA: {"label": "x"}}), "0H4A")
    base = after(desired({CA: {"label": "x"}}), have, have)
    again = with_id(have, "0H4B")

    assert "0H4A" == base.resources[address(CA)].id
    assert "0H4A" == after(desired({CA: {"label": "x"}}), again, again, base).resources[address(CA)].id


def test_what_is_changed_though_it_is_another_record_is_ours_from_then_on():
    """A guard asks before; whoever allowed it has taken it over."""
    have = with_id(live({CA: {"label": "x"}}), "0H4A")
    base = after(desired({CA: {"label": "x"}}), have, have)
    other = with_id(have, "0H4B")
    now = with_id(live({CA: {"label": "n"}}), "0H4B")

    assert "0H4B" == after(desired({CA: {"label": "n"}}), other, now, base).resources[address(CA)].id
    assert "0H4B" == accepted(base, other, address(CA)).resources[address(CA)].id
