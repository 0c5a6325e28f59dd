"""`Records`: what reading, comparing and deploying promise, of every provider."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.errors import RefusedError
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed, Landing, Sent
from reconciler.provider import Provider
from reconciler.schema.values import SecretRef
from tests.provider.conftest import SECRET, Candidate, quiet, value_of
from tests.salesforce.build import apex, app, component, global_oauth, handler, oauth

PORTAL = Address("ExternalClientApplication", "portal")
WHOLE = (app(), oauth(), global_oauth(), apex(), handler())


def deploy(provider: Provider, *components: Component, check_only: bool = False, started=lambda sent: None) -> Deployed:
    return provider.deploy(
        components, quiet, check_only=check_only, secrets=value_of, options={}, started=started, last_look=lambda: None
    )


def test_the_org_says_which_it_is_and_the_same_each_time(candidate: Candidate) -> None:
    """A plan is pinned to the org by this."""
    assert candidate.provider.org() == candidate.provider.org()
    assert candidate.provider.org().id.startswith("00D")


def test_what_is_read_twice_is_the_same(candidate: Candidate) -> None:
    first, second = candidate.provider.read([], quiet), candidate.provider.read([], quiet)

    assert first.resources == second.resources
    assert first.resources


def test_the_addresses_of_what_is_read_are_those_of_its_records(candidate: Candidate) -> None:
    for address, have in candidate.provider.read([], quiet).resources.items():
        assert address == have.address


def test_what_was_deployed_is_read_back(changing: Candidate) -> None:
    """Else the second plan would not be empty."""
    done = deploy(changing.provider, *WHOLE)
    live = changing.provider.read(["PartnerIdpHandler"], quiet)

    assert (True, Landing.LANDED) == (done.success, done.landing), done
    assert {one.address for one in WHOLE} <= live.resources.keys()
    assert "portal" == live.resources[PORTAL].body["label"]


def test_single_records_are_read_as_all_are(changing: Candidate) -> None:
    deploy(changing.provider, *WHOLE)
    everything = changing.provider.read(["PartnerIdpHandler"], quiet).resources
    some = changing.provider.read_records(WHOLE, quiet).resources

    assert {address: everything[address].body for address in some} == {a: one.body for a, one in some.items()}
    assert PORTAL in some


def test_a_deployment_lands_as_a_whole_or_not_at_all(changing: Candidate) -> None:
    """A step is one transaction."""
    broken = component("ExtlClntAppOauthSettings/nobody", {"externalClientApplication": "nobody"}, create=True)
    before = changing.provider.read([], quiet).resources.keys()
    done = deploy(changing.provider, app(), broken)

    assert (False, Landing.NOT_LANDED) == (done.success, done.landing)
    assert {"nobody"} == {failure.record for failure in done.failures}
    assert before == changing.provider.read([], quiet).resources.keys()


def test_a_check_changes_nothing(changing: Candidate) -> None:
    before = changing.provider.read([], quiet).resources.keys()
    assert deploy(changing.provider, *WHOLE, check_only=True).success
    assert before == changing.provider.read([], quiet).resources.keys()


def test_a_removed_record_is_gone(changing: Candidate) -> None:
    deploy(changing.provider, app(), oauth())
    assert deploy(changing.provider, component(str(PORTAL))).success
    assert not [a for a in changing.provider.read([], quiet).resources if a.name == "portal"]


def test_what_finds_a_deployment_again_is_said_before_it_is_sent(changing: Candidate) -> None:
    """A process that is killed in between has to find it, and must not send it twice."""
    said: list[Sent | None] = []
    looked: list[int] = []
    changing.provider.deploy(
        [app()],
        quiet,
        check_only=False,
        secrets=value_of,
        options={},
        started=said.append,
        last_look=lambda: looked.append(len(said)),
    )
    first, *_, last = said

    assert [0] == looked, "the last look comes before anything is said to be on its way"
    assert first is not None and last is not None
    assert ("", True) == (first.id, bool(last.id))
    assert (("ExternalClientApplication", "portal"),) == first.components


def test_a_last_look_that_raises_stops_the_deployment(changing: Candidate) -> None:
    said: list[Sent | None] = []

    def look() -> None:
        raise RefusedError("moved")

    with pytest.raises(RefusedError, match="moved"):
        changing.provider.deploy(
            [app()], quiet, check_only=False, secrets=value_of, options={}, started=said.append, last_look=look
        )
    assert [] == said
    assert PORTAL not in changing.provider.read([], quiet).resources


def test_a_deployment_is_found_again_by_its_id_and_without_one(changing: Candidate) -> None:
    said: list[Sent | None] = []
    done = deploy(changing.provider, app(), started=said.append)
    first, last = said[0], said[-1]
    assert first is not None and last is not None

    assert [(done.id, Landing.LANDED)] == [(one.id, one.landing) for one in changing.provider.ended(last, quiet)]
    assert [done.id] == [one.id for one in changing.provider.ended(first, quiet, wait=0.0)]
    assert [] == list(changing.provider.ended(replace(last, id="0Af000000000000AAA"), quiet))


def test_the_payload_is_what_is_sent_and_holds_no_secret(changing: Candidate) -> None:
    """A saved plan binds by it, and is shown to everybody."""
    one, other = SecretRef("env", "ONE"), SecretRef("env", "OTHER")
    digests = [changing.provider.payload([global_oauth(consumerSecret=ref)]) for ref in (one, one, other)]

    assert digests[0] == digests[1] != digests[2]
    assert changing.provider.payload([app()]) != changing.provider.payload([app(label="Another")])
    assert SECRET not in "".join(digests)


def test_groups_are_kept_whole_and_in_order(candidate: Candidate) -> None:
    groups: Sequence[Sequence[Component]] = [[app(name), oauth(name)] for name in ("a", "b", "c")]
    steps = candidate.provider.split(groups)

    assert [one for group in groups for one in group] == [one for step in steps for one in step]
    for group in groups:
        assert 1 == sum(any(one in step for one in group) for step in steps)
    assert [] == candidate.provider.split([])


def test_a_kind_that_may_not_be_read_is_named_and_absence_is_not_concluded(changing: Candidate) -> None:
    changing.org.switch("unreadable_kinds", ["ConnectedApp"])
    live = changing.provider.read([], quiet)

    assert "ConnectedApp" in live.unreadable
    assert live.reason_unreadable(Address("ConnectedApp", "any"))


def test_nothing_can_be_changed_by_a_replay(replaying: Candidate) -> None:
    with pytest.raises(RefusedError, match="replay"):
        deploy(replaying.provider, app())
