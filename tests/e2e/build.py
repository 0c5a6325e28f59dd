"""Desired documents that show only what matters in a test, and what an org is loaded with."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

DANA = "dana@acme.example"
INTEGRATION = "integration@acme.example"
GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
OAUTH = "ExtlClntAppOauthSettings/portal"
POLICY = "ExtlClntAppOauthConfigurablePolicies/portal"
APP = "ExternalClientApplication/portal"
HANDLER = "OauthTokenExchangeHandler/PartnerIdp"
CODE = "ApexClass/PartnerIdpHandler"
LEGACY = "ConnectedApp/Legacy_ERP"
PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCARwCCQD\n-----END CERTIFICATE-----"
SECRET = "canarySecret0123456789"

_TOKENS = ("AccessToken", "IdToken", "Jwt", "RefreshToken", "Saml2")


def app(name: str = "portal", **sections: Any) -> Document:
    """An external client app; a section's name with its fields, or a field of the app itself."""
    common = {"label": name, "contactEmail": "iam@acme.example"}
    return {"kind": "ExternalClientApplication", "name": name, **common, **sections}


def portal(name: str = "portal", policies: Document | None = None, **fields: Any) -> Document:
    """An app with OAuth settings; `fields` are those of its global OAuth settings."""
    more = {} if policies is None else {"oauthPolicies": policies}
    return app(
        name,
        globalOauthSettings={"callbackUrl": ["https://portal.acme.example/callback"], **fields},
        oauthSettings={"commaSeparatedOauthScopes": ["Api"]},
        **more,
    )


def legacy(**fields: Any) -> Document:
    """The connected app that the fresh org has had for years."""
    return {"kind": "ConnectedApp", "name": "Legacy_ERP", **fields}


def handler(name: str = "PartnerIdp", **fields: Any) -> Document:
    """A token exchange handler; its class is `PartnerIdpHandler`."""
    flags = {f"is{token}Supported": token == "Jwt" for token in _TOKENS}
    texts = {"masterLabel": name, "description": name, "tokenHandlerApex": "PartnerIdpHandler"}
    kind = "OauthTokenExchangeHandler"
    return {"kind": kind, "name": name, **texts, **flags, "isEnabled": True, "isUserCreationAllowed": False, **fields}


def enablement(app: str, handler: str = "PartnerIdp", **fields: Any) -> Document:
    """An enablement document: `handler` may be used by an external client app."""
    return {
        "kind": "HandlerEnablement",
        "handler": handler,
        "externalClientApp": app,
        "apexExecutionUser": INTEGRATION,
        "isDefault": False,
        **fields,
    }


def item(app: str, **fields: Any) -> Document:
    """The same inside of a handler."""
    return {key: value for key, value in enablement(app, **fields).items() if key not in ("kind", "handler")}


def scope(name: str = "orders", **fields: Any) -> Document:
    """A custom scope."""
    return {"kind": "OauthCustomScope", "name": name, "masterLabel": name, "description": f"About {name}", **fields}


def oidc(**fields: Any) -> Document:
    """The OpenID Connect settings of the org."""
    return {"kind": "OauthOidcSettings", **fields}


def handler_class(name: str = "PartnerIdpHandler", comment: str = "validates") -> str:
    """Apex that an org takes as a handler's class."""
    return f"public with sharing class {name} extends Auth.Oauth2TokenExchangeHandler {{\n    // {comment}\n}}\n"


def record(kind: str, inside: str) -> bytes:
    """A metadata file."""
    return f'<?xml version="1.0"?><{kind} xmlns="http://soap.sforce.com/2006/04/metadata">{inside}</{kind}>'.encode()
