"""Reading and deploying through the real wire, against the mock org that judges by Salesforce's own WSDL."""

import re
from collections.abc import Sequence
from math import ceil

import pytest

from providers.mock import Org
from providers.mock.metadata import retrieve as mock_retrieve
from providers.salesforce.files.packing import Limits
from providers.salesforce.login import Credentials
from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.wire.metadata_api import QUERIES_PER_LISTING, Way
from reconciler.errors import NotAllowedError
from reconciler.kinds import all_kinds, kind
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed
from reconciler.model.live import LiveState
from reconciler.provider import Provider
from reconciler.schema.values import RawXml
from reconciler.xml.codec import encode
from reconciler.xml.markup import NAMESPACE
from tests.salesforce.build import SECRET, apex, app, component, global_oauth, handler, oauth
from tests.salesforce.conftest import Connected, calls

ADMIN = "admin@acme.example"


def quiet(stage: str) -> None:
    """A progress that nobody watches."""


def deployed(provider: SalesforceProvider, components: Sequence[Component], *, check_only: bool = False) -> Deployed:
    return provider.deploy(
        components,
        quiet,
        check_only=check_only,
        secrets=lambda ref: "hunter2hunter2",
        options={},
        started=lambda job: None,
    )


def enabled(name: str, **fields: object) -> dict[str, object]:
    return {"apexExecutionUser": ADMIN, "externalClientApp": name, "isDefault": False, **fields}


def everything(*names: str) -> list[Component]:
    """Apps with satellites, a class, and a handler that is enabled for them."""
    apps = [part for name in names for part in (app(name), oauth(name), global_oauth(name))]
    return [*apps, apex(), handler(enablements=[enabled(name) for name in names])]


def xml(kind_name: str, inside: str) -> bytes:
    return f'<?xml version="1.0"?><{kind_name} xmlns="{NAMESPACE}">{inside}</{kind_name}>'.encode()


def shape(live: LiveState) -> dict[str, tuple[str, object]]:
    """What was read, without who and when."""
    return {str(address): (found.record, found.body) for address, found in live.resources.items()}


def test_it_is_a_provider(connected: Connected):
    """The engine knows the Protocol and nothing else."""
    provider: Provider = connected()
    assert provider.split([]) == []


def test_the_org_says_who_it_is(connected: Connected, org: Org):
    """The wrong org is the most expensive mistake there is."""
    found = connected().org()

    assert (org.org_id, org.name, org.instance) == (found.id, found.name, found.instance)
    assert "66.0" == found.api_version


def test_a_read_of_an_unchanged_org_takes_at_most_six_calls(connected: Connected):
    """Over a slow line, calls are what a plan costs; and they count against a daily limit."""
    assert deployed(connected(), everything("portal", "shop")).success
    provider = connected()
    provider.read([], quiet)
    unknown_class = calls(provider)
    provider = connected()
    provider.read(["PartnerIdpHandler"], quiet)

    assert (6, 4) == (unknown_class, calls(provider))
    provider = connected(api_version="63.0")
    provider.read(["PartnerIdpHandler"], quiet)
    assert 3 == calls(provider)


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
def test_what_was_deployed_is_read_back(connected: Connected, way: Way):
    """Both ways in, all kinds of a scenario, addresses instead of record names."""
    provider = connected(way=way)
    assert deployed(provider, everything("portal")).success
    live = provider.read([], quiet)
    found = shape(live)

    assert not live.unreadable
    assert "portal_glbloauth" == found["ExtlClntAppGlobalOauthSettings/portal"][0]
    assert "portal_oauth_defaultPolicy" == found["ExtlClntAppOauthConfigurablePolicies/portal"][0]
    assert enabled("portal") == found["OauthTokenExchangeHandler/PartnerIdp/enablements/portal"][1]
    assert "enablements" not in live.resources[Address("OauthTokenExchangeHandler", "PartnerIdp")].body
    assert apex().body == found["ApexClass/PartnerIdpHandler"][1]
    assert "OauthOidcSettings/OauthOidc" in found


def test_who_changed_a_record_and_when_is_known(connected: Connected, org: Org):
    """Drift without a name is a riddle."""
    org.set(
        "ExtlClntAppOauthConfigurablePolicies/Marketing_Dashboard",
        {"permittedUsersPolicyType": "AllSelfAuthorized"},
        as_user="dana@acme.example",
    )
    live = connected().read([], quiet)
    found = live.resources[Address("ExtlClntAppOauthConfigurablePolicies", "Marketing_Dashboard")].modified

    assert "Dana Reyes" == found.by
    assert found.by_id.startswith("005")
    assert found.date.endswith("Z")


def test_a_secret_is_sent_and_never_comes_back(connected: Connected, org: Org):
    """An org may be told to give secrets back; our model must still hold none."""
    org.switch("consumer_secret_api_access", True)
    assert deployed(connected(), [component("ExternalClientAppSettings/x", {"enableConsumerSecretApiAccess": True})])
    assert deployed(connected(), [app(), oauth(), global_oauth(consumerSecret=SECRET)]).success

    assert "hunter2hunter2" not in str(connected().read([], quiet))


def test_satellites_are_addressed_by_their_app_whatever_they_are_called(connected: Connected, org: Org):
    """Setup, the API and packages give the same record different names."""
    body = {"externalClientApplication": "Marketing_Dashboard", "isEnabled": True}
    org.delete("ExtlClntAppConfigurablePolicies/Marketing_Dashboard", as_user=ADMIN)
    org.load_component(
        "ExtlClntAppConfigurablePolicies", "Odd_Name", encode(kind("ExtlClntAppConfigurablePolicies"), body)
    )
    live = connected().read([], quiet)

    found = live.resources[Address("ExtlClntAppConfigurablePolicies", "Marketing_Dashboard")]
    assert ("Odd_Name", body) == (found.record, found.body)


def test_two_satellites_of_one_app_are_both_kept_and_neither_is_judged(connected: Connected, org: Org):
    """Choosing one would overwrite the other's settings without a word."""
    body = {"externalClientApplication": "Marketing_Dashboard", "isEnabled": False}
    org.load_component(
        "ExtlClntAppConfigurablePolicies", "A_Second", encode(kind("ExtlClntAppConfigurablePolicies"), body)
    )
    live = connected().read([], quiet)

    address = Address("ExtlClntAppConfigurablePolicies", "Marketing_Dashboard")
    assert "A_Second" == live.resources[address].record
    other = Address("ExtlClntAppConfigurablePolicies", "Marketing_Dashboard_plcy")
    assert "Marketing_Dashboard_plcy" == live.resources[other].record
    assert "both belong to Marketing_Dashboard" in (live.reason_unreadable(address) or "")
    assert live.reason_unreadable(other)


def test_a_second_enablement_of_one_app_has_an_address_of_its_own(connected: Connected, org: Org):
    """Setup lets nobody do this, an old package might have."""
    body = {**(handler().body or {}), "enablements": [enabled("a"), enabled("a", isDefault=True), enabled("b")]}
    org.load_component("OauthTokenExchangeHandler", "PartnerIdp", encode(kind("OauthTokenExchangeHandler"), body))
    live = connected().read([], quiet)

    parts = [address.part for address in live.resources if address.is_enablement]
    assert ["enablements/a", "enablements/a~2", "enablements/b"] == parts


def test_an_enablement_without_an_app_makes_its_handler_unreadable(connected: Connected, org: Org):
    """A deployment would have to leave it out, and nobody asked for that."""
    body = {**(handler().body or {}), "enablements": [{"apexExecutionUser": ADMIN, "isDefault": True}]}
    org.load_component("OauthTokenExchangeHandler", "PartnerIdp", encode(kind("OauthTokenExchangeHandler"), body))
    live = connected().read([], quiet)

    assert "names no app" in (live.reason_unreadable(Address("OauthTokenExchangeHandler", "PartnerIdp")) or "")


def test_what_no_schema_knows_comes_along(connected: Connected, org: Org):
    """The next release's field must survive today's client."""
    inside = "<contactEmail>a@b.example</contactEmail><isNewIn99>true</isNewIn99><label>x</label><new><er>1</er></new>"
    org.load_component("ExternalClientApplication", "future", xml("ExternalClientApplication", inside))
    body = connected().read([], quiet).resources[Address("ExternalClientApplication", "future")].body

    assert "true" == body["isNewIn99"]
    assert isinstance(body["new"], RawXml)


def test_a_kind_that_may_not_be_read_is_named_with_the_orgs_words(connected: Connected, org: Org):
    """Not seeing a resource is no proof that it is gone."""
    org.switch("unreadable_kinds", ["ExtlClntAppOauthSettings"])
    live = connected().read([], quiet)

    assert {"ExtlClntAppOauthSettings"} == live.unreadable.keys()
    assert "INSUFFICIENT_ACCESS" in live.unreadable["ExtlClntAppOauthSettings"]
    assert Address("ExtlClntAppGlobalOauthSettings", "Marketing_Dashboard") in live.resources


def test_a_class_that_is_not_there_is_merely_absent(connected: Connected):
    """The declared class of a handler that has yet to be deployed."""
    live = connected().read(["Not_Yet"], quiet)

    assert {} == live.unreadable
    assert Address("ApexClass", "Not_Yet") not in live.resources


def test_an_older_api_version_does_not_conclude_absence(connected: Connected, org: Org):
    """A kind that this version does not have is not asked for, and not thought to be gone."""
    live = connected(api_version="63.0").read([], quiet)

    assert {"ExtlClntAppOauthSecuritySettings"} == live.unreadable.keys()
    assert "63.0 does not have it" in live.unreadable["ExtlClntAppOauthSecuritySettings"]


def test_classes_of_unknown_handlers_are_read_too(connected: Connected):
    """Drift of a handler's code is drift, also where no file declares it."""
    assert deployed(connected(), everything("portal")).success

    assert Address("ApexClass", "PartnerIdpHandler") in connected().read([], quiet).resources


def test_a_login_that_the_org_does_not_know_is_a_matter_of_permission(connected: Connected):
    """Exit 5 and not a traceback."""
    provider = connected()
    provider.calls.api._credentials = provider.calls.rest._credentials = Credentials.fixed("00Dnonsense")

    with pytest.raises(NotAllowedError, match="does not accept the login"):
        provider.read([], quiet)


def test_beyond_the_limit_everything_is_read_in_parts(connected: Connected, org: Org, monkeypatch: pytest.MonkeyPatch):
    """An org with ten thousand apps must give the same answer as one with ten, only in more calls."""
    assert deployed(connected(), everything("portal", "shop", "wiki")).success
    whole = shape(connected().read([], quiet))
    stages: list[str] = []
    monkeypatch.setattr(mock_retrieve, "MAX_FILES", 8)
    provider = connected(limits=Limits(retrieved_files=7))
    live = provider.read(["PartnerIdpHandler"], stages.append)

    assert whole == shape(live)
    assert {} == live.unreadable
    assert "retrieving part 1 of 4" in stages
    listed = [kind for kind in all_kinds().values() if not kind.singleton and kind.__name__ != "ApexClass"]
    assert 2 + 2 + ceil(len(listed) / QUERIES_PER_LISTING) + 4 * 2 == calls(provider)


def test_a_kind_that_cannot_be_listed_does_not_hide_the_others(
    connected: Connected, org: Org, monkeypatch: pytest.MonkeyPatch
):
    """Three kinds are listed in one call; one refusal must not take two others along."""
    org.switch("unreadable_kinds", ["ExternalClientApplication"])
    monkeypatch.setattr(mock_retrieve, "MAX_FILES", 5)
    live = connected(limits=Limits(retrieved_files=4)).read([], quiet)

    assert {"ExternalClientApplication"} == live.unreadable.keys()
    assert Address("ConnectedApp", "Legacy_ERP") in live.resources
    assert Address("ExtlClntAppGlobalOauthSettings", "Marketing_Dashboard") in live.resources


@pytest.mark.parametrize("way", [Way.REST, Way.SOAP])
def test_a_failure_names_component_line_and_words(connected: Connected, way: Way):
    """The engine turns this into a place in somebody's YAML."""
    done = deployed(
        connected(way=way),
        [app(contactEmial="x"), component("OauthOidcSettings/OauthOidc", {"isPkceRequired": "maybe"})],
    )

    assert not done.success
    assert {("ExternalClientApplication", "portal"), ("OauthOidcSettings", "OauthOidc")} == {
        (failure.kind, failure.record) for failure in done.failures
    }
    app_failure = next(failure for failure in done.failures if failure.record == "portal")
    assert "contactEmial invalid at this location" in app_failure.problem
    assert app_failure.line > 0


def test_a_failed_deployment_leaves_the_org_as_it_was(connected: Connected):
    """A step is one transaction."""
    before = shape(connected().read([], quiet))
    assert not deployed(connected(), [app("good"), app("bad", distributionState="Nowhere")]).success

    assert before == shape(connected().read([], quiet))


def test_a_check_changes_nothing(connected: Connected):
    """`plan --validate` is safe to run on production."""
    before = shape(connected().read([], quiet))
    assert deployed(connected(), everything("portal"), check_only=True).success

    assert before == shape(connected().read([], quiet))


def test_rest_is_left_for_soap_where_the_org_refuses_it(connected: Connected, org: Org):
    """Some orgs have it switched off."""
    org.switch("rest_deploy_refused", True)
    provider = connected()

    assert deployed(provider, [app("one")]).success
    assert deployed(provider, [app("two")]).success


def test_a_removed_record_is_gone_and_a_replaced_one_is_new(connected: Connected):
    """Deleting and re-creating in one deployment: either both or neither."""
    assert deployed(
        connected(), [app("old"), oauth("old"), global_oauth("old"), app("keep"), oauth("keep"), global_oauth("keep")]
    ).success
    key = connected().read([], quiet).resources[Address("ExtlClntAppGlobalOauthSettings", "keep")].body["consumerKey"]
    again = [component("ExternalClientApplication/keep"), app("keep"), oauth("keep"), global_oauth("keep")]
    assert deployed(connected(), [component("ExternalClientApplication/old"), *again]).success
    live = connected().read([], quiet)

    assert Address("ExternalClientApplication", "old") not in live.resources
    assert Address("ExtlClntAppGlobalOauthSettings", "old") not in live.resources
    assert key != live.resources[Address("ExtlClntAppGlobalOauthSettings", "keep")].body["consumerKey"]


def test_a_handler_may_lose_an_app_in_the_deployment_that_deletes_the_app(connected: Connected):
    """Removals before updates would be refused: the handler still refers to the app."""
    assert deployed(connected(), everything("portal", "shop")).success
    done = deployed(
        connected(), [component("ExternalClientApplication/shop"), handler(enablements=[enabled("portal")])]
    )

    assert done.success, done.failures


@pytest.mark.parametrize("label", ["A & B", "<script>", "日本語 ✓", 'it\'s "quoted"', "a\nb", "]]>"])
def test_odd_texts_survive_the_whole_way(connected: Connected, label: str):
    """Names of real companies are like that."""
    assert deployed(connected(), [app(label=label)]).success

    assert label == connected().read([], quiet).resources[Address("ExternalClientApplication", "portal")].body["label"]


def test_what_is_sent_back_unchanged_changes_nothing(connected: Connected):
    """Live overlaid with nothing is what an update of one field sends of all the others."""
    assert deployed(connected(), everything("portal")).success
    live = connected().read([], quiet)
    before = shape(live)
    again = [
        component(
            str(address),
            {k: v for k, v in found.body.items() if not re.match("should|orgScoped|oauthLink", k)},
            found.record,
        )
        for address, found in live.resources.items()
        if address.kind.startswith(("Ext", "OauthOidc")) and not address.is_enablement
    ]
    done = deployed(connected(), again)

    assert done.success, done.failures
    assert before == shape(connected().read([], quiet))


def test_every_kind_is_asked_for(connected: Connected, org: Org):
    """A kind that nobody retrieves would look deleted in every plan."""
    live = connected().read(["X"], quiet)

    assert {} == live.unreadable
    assert {k.__name__ for k in all_kinds().values() if k.singleton} <= {a.kind for a in live.resources}
