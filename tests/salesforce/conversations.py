"""The conversations that are kept on tape: each a name, how the org was prepared, what is said, and what must come out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import vcr

from providers.salesforce.calls import Calls
from providers.salesforce.login import Credentials
from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.wire.metadata_api import Way
from providers.salesforce.wire.polling import Patience
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import NotAllowedError
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.deployment import Deployed
from tests.salesforce.build import SECRET, apex, app, component, global_oauth, handler, oauth
from tests.salesforce.scrub import scrub_request, scrub_response

FOLDER = Path(__file__).parents[2] / "cassettes"
ADMIN = "admin@acme.example"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One tape. `talk` is run when it is recorded and when it is replayed, and asserts the same both times."""

    name: str
    talk: Callable[[SalesforceProvider], None]
    way: Way = Way.AUTO
    switches: Mapping[str, object] = field(default_factory=dict)
    token: str = ""
    """Another token than the admin's."""

    @property
    def tape(self) -> Path:
        return FOLDER / f"{self.name}.yaml"


def quiet(stage: str) -> None:
    """A progress that nobody watches."""


def deploy(provider: SalesforceProvider, *components: Component, check_only: bool = False) -> Deployed:
    return provider.deploy(
        components,
        quiet,
        check_only=check_only,
        secrets=lambda ref: "Aa1NotForTapes",
        options={"testLevel": "RunLocalTests"},
        started=lambda job: None,
    )


def scenario() -> list[Component]:
    enablement = {"apexExecutionUser": ADMIN, "externalClientApp": "portal", "isDefault": True}
    return [
        app(label="Order & portal"),
        oauth(commaSeparatedOauthScopes=["Api", "RefreshToken"]),
        global_oauth(isTokenExchangeEnabled=True, isSecretRequiredForTokenExchange=True, consumerSecret=SECRET),
        apex(),
        handler(enablements=[enablement]),
        component("OauthOidcSettings/OauthOidc", {"isPkceRequired": True}),
    ]


def read_a_fresh_org(provider: SalesforceProvider) -> None:
    """Who it is, and all that it holds, in four calls."""
    live = provider.read([], quiet)
    assert "66.0" == live.org.api_version
    assert "Acme" == live.org.name
    assert {} == live.unreadable
    assert "Legacy_ERP" == live.resources[Address("ConnectedApp", "Legacy_ERP")].record
    assert live.resources[Address("ExternalClientApplication", "Marketing_Dashboard")].modified.by


def deploy_and_read_back(provider: SalesforceProvider) -> None:
    """Everything of a token exchange, in one deployment, and how the org shows it."""
    done = deploy(provider, *scenario())
    assert (True, "Succeeded", ()) == (done.success, done.status, done.failures)
    live = provider.read(["PartnerIdpHandler"], quiet)
    settings = live.resources[Address("ExtlClntAppGlobalOauthSettings", "portal")]
    assert settings.body["isSecretRequiredForTokenExchange"] is True
    assert "consumerSecret" not in settings.body
    assert Address("OauthTokenExchangeHandler", "PartnerIdp", "enablements/portal") in live.resources
    assert live.resources[Address("ApexClass", "PartnerIdpHandler")].body["content"].startswith("public class")
    assert "Order & portal" == live.resources[Address("ExternalClientApplication", "portal")].body["label"]


def fail_and_say_why(provider: SalesforceProvider) -> None:
    """A check that fails at two components, with the org's words and places."""
    done = deploy(
        provider,
        app(contactEmial="x"),
        component("OauthOidcSettings/OauthOidc", {"isPkceRequired": "maybe"}),
        check_only=True,
    )
    assert (False, "Failed") == (done.success, done.status)
    assert {"portal", "OauthOidc"} == {failure.record for failure in done.failures}
    assert all(failure.line for failure in done.failures)


def be_turned_away(provider: SalesforceProvider) -> None:
    """A token that the org does not know."""
    with pytest.raises(NotAllowedError, match="does not accept the login"):
        provider.read([], quiet)


def miss_a_kind(provider: SalesforceProvider) -> None:
    """A kind that our user may not see."""
    live = provider.read([], quiet)
    assert {"ExtlClntAppOauthSettings"} == live.unreadable.keys()


def wait_for_the_org(provider: SalesforceProvider) -> None:
    """Jobs that are not done at the first question."""
    assert deploy(provider, component("OauthOidcSettings/OauthOidc", {"blockOAuthUnPwFlow": True})).success
    body = provider.read([], quiet).resources[Address("OauthOidcSettings", "OauthOidc")].body
    assert body["blockOAuthUnPwFlow"] is True


def remove_an_app(provider: SalesforceProvider) -> None:
    """A removal, which takes the satellites along."""
    assert deploy(provider, component("ExternalClientApplication/Marketing_Dashboard")).success
    assert not [address for address in provider.read([], quiet).resources if address.name == "Marketing_Dashboard"]


CONVERSATIONS = [
    Conversation("read-a-fresh-org", read_a_fresh_org),
    Conversation("deploy-by-rest", deploy_and_read_back, Way.REST),
    Conversation("deploy-by-soap", deploy_and_read_back, Way.SOAP),
    Conversation("deploy-by-soap-where-rest-is-refused", remove_an_app, switches={"rest_deploy_refused": True}),
    Conversation("fail-by-rest", fail_and_say_why, Way.REST),
    Conversation("fail-by-soap", fail_and_say_why, Way.SOAP),
    Conversation("unknown-token", be_turned_away, token="00D000000000001!nobody"),
    Conversation("unreadable-kind", miss_a_kind, switches={"unreadable_kinds": ["ExtlClntAppOauthSettings"]}),
    Conversation("slow-org", wait_for_the_org, switches={"deploy_polls": 2, "retrieve_polls": 2}),
]


def recorder(mode: str) -> vcr.VCR:
    """A recorder that keeps no secret, and takes a request for another unless all of it is the same."""
    return vcr.VCR(
        record_mode=mode,
        match_on=["method", "path", "query", "body"],
        before_record_request=scrub_request,
        before_record_response=scrub_response,
        decode_compressed_response=True,
    )


def provider_at(origin: str, token: str, way: Way, *, waits: bool) -> SalesforceProvider:
    """A provider at a real address. On tape nobody waits."""
    session = OrgSession()
    session.bind(origin)
    patience = Patience() if waits else Patience(sleep=lambda seconds: None)
    return SalesforceProvider(Calls(session, Credentials.fixed(token), way=way, patience=patience))
