"""Desired files, an org and what is given, with only what matters in a test; and an org that answers by script."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.model.address import Address, enablement
from reconciler.model.declared import Origin, Resource, Snapshot
from reconciler.model.live import LiveResource, LiveState, OrgInfo
from reconciler.model.oauth import AuthorizeAnswer, TokenAnswer, Tokens
from reconciler.schema.values import Body, SecretRef
from reconciler.verify.inputs import SECRETS, Given
from reconciler.verify.probe import Probe
from reconciler.verify.promises import apps, completed, promises

ORG = OrgInfo("00D000000000001EAA", "Acme", "MOCK1", False, "Developer Edition", "63.0")
PORTAL = Address("ExternalClientApplication", "portal")
GLOBAL = Address("ExtlClntAppGlobalOauthSettings", "portal")
OAUTH = Address("ExtlClntAppOauthSettings", "portal")
POLICY = Address("ExtlClntAppOauthConfigurablePolicies", "portal")
SWITCH = Address("ExtlClntAppConfigurablePolicies", "portal")
HANDLER = Address("OauthTokenExchangeHandler", "Idp")
LEGACY = Address("ConnectedApp", "erp")
KEY = "3MVG9portal"
URL = "https://portal.acme.example/callback"

Bodies = Mapping[Address, Body]


def handler(**fields: Any) -> Body:
    kinds = ("AccessToken", "IdToken", "Jwt", "RefreshToken", "Saml2")
    flags = {f"is{kind}Supported": kind == "Jwt" for kind in kinds}
    return {"isEnabled": True, "isUserCreationAllowed": False, "tokenHandlerApex": "IdpHandler", **flags, **fields}


def exchanging(*, default: bool = True, of: Address = HANDLER, **settings: Any) -> dict[Address, Body]:
    """An app that exchanges tokens through a handler; `settings` are those of its global OAuth settings."""
    return {
        PORTAL: {"label": "Portal"},
        GLOBAL: {"isTokenExchangeEnabled": True, "isSecretRequiredForTokenExchange": True, **settings},
        OAUTH: {"commaSeparatedOauthScopes": ["Api", "RefreshToken"]},
        POLICY: {"isTokenExchangeFlowEnabled": True, "permittedUsersPolicyType": "AdminApprovedPreAuthorized"},
        HANDLER: handler(),
        enablement(of.name, "portal"): {"externalClientApp": "portal", "isDefault": default},
    }


def service(**policies: Any) -> dict[Address, Body]:
    """An app for the client credentials flow."""
    on = {"isClientCredentialsFlowEnabled": True}
    return {
        PORTAL: {"label": "Portal"},
        GLOBAL: dict(on),
        OAUTH: {"commaSeparatedOauthScopes": ["Api"]},
        POLICY: {**on, "clientCredentialsFlowUser": "bot@acme.example", **policies},
    }


def snapshot(bodies: Bodies) -> Snapshot:
    return Snapshot({a: Resource(a, body, Origin("desired/portal.yaml", 3)) for a, body in bodies.items()})


def live(bodies: Bodies, unreadable: Mapping[str, str] | None = None) -> LiveState:
    """An org that holds this, and the consumer keys of its apps."""
    held = {address: dict(body) for address, body in bodies.items()}
    held[GLOBAL] = {"consumerKey": KEY, **held.get(GLOBAL, {})}
    return LiveState(ORG, {a: LiveResource(a, body, a.name) for a, body in held.items()}, unreadable or {})


def everything(**texts: str) -> Given:
    """All secrets are given, each under its own name."""
    return Given({key: SecretRef("env", key) for key in SECRETS}, {"user": "pat@acme.example", **texts})


def probes(
    desired: Bodies, held: Bodies | None = None, given: Given | None = None, unreadable: Mapping[str, str] | None = None
) -> dict[str, Probe]:
    """What is promised of the app, by id."""
    files = snapshot(desired)
    known = {app: everything() if given is None else given for app in apps(files)}
    found = promises(files, live(held or desired, unreadable), completed(files, known), apps(files))
    return {probe.id: probe for probe in found}


Script = Callable[[Mapping[str, str]], TokenAnswer]


class ScriptedOrg:
    """A provider whose token endpoint is a function. Everything that it was asked is in `asked`."""

    def __init__(self, held: Bodies, answer: Script, authorize: Script | None = None) -> None:
        self._held, self._answer = held, answer
        self.asked: list[dict[str, str]] = []
        self.revoked: list[str] = []

    def org(self) -> OrgInfo:
        return ORG

    def read(self, _classes: Sequence[str], _progress: Any) -> LiveState:
        return live(self._held)

    def ask_token(self, form: Mapping[str, str]) -> TokenAnswer:
        self.asked.append(dict(form))
        return self._answer(form)

    def authorize(self, params: Mapping[str, str]) -> AuthorizeAnswer:
        self.asked.append(dict(params))
        return AuthorizeAnswer(302)

    def introspect(self, tokens: Tokens, client: Mapping[str, str]) -> TokenAnswer:
        self.asked.append({**client, "introspected": tokens.access})
        return self.introspected

    introspected = TokenAnswer(200, "inactive")

    def revoke(self, tokens: Tokens) -> bool:
        self.revoked += [token for token in (tokens.access, tokens.refresh) if token]
        return True


def granted(*scopes: str, user: str = "", refresh: str = "", access: str = "access") -> TokenAnswer:
    return TokenAnswer(200, scopes=frozenset(scopes), user_id="005", username=user, tokens=Tokens(access, refresh))


def refused(error: str = "invalid_grant", description: str = "") -> TokenAnswer:
    return TokenAnswer(400, error, description)
