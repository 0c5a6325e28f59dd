"""What a project gives for one app: tokens and keys by reference, and names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.errors import Place
from reconciler.schema.values import SecretRef

SECRETS: Mapping[str, str] = {
    "client_secret": "the app's consumer secret; if not given, the one that the files refer to",
    "subject_token": "a token of the identity provider, for somebody who may use the app",
    "wrong_audience": "a subject token that is meant for somebody else",
    "expired": "a subject token whose time is over",
    "forged": "a subject token with a signature of somebody else; if not given, one is made of a JWT",
    "not_preauthorised": "a subject token for a user of the org who may not use the app",
    "unknown_user": "a subject token for somebody who has no user: if the promise is broken, the org makes one",
    "access_token": "the same person's token, of this type: what a handler that is not for the type is tried with",
    "id_token": "the same, as an ID token",
    "refresh_token": "the same, as a refresh token of the identity provider",
    "saml2": "the same, as a SAML assertion",
    "private_key": "the key, in PEM, that belongs to the app's certificate",
}
"""Keys that hold references to secrets -> what they are."""
TEXTS: Mapping[str, str] = {
    "subject_token_type": "jwt, id_token, access_token, refresh_token or saml2",
    "user": "the username that the subject token has to lead to",
    "username": "the user whom the JWT bearer flow asks for",
    "not_preauthorised_username": "a user of the org who may not use the app, for the JWT bearer flow",
    "audience": "what the JWT bearer flow puts into aud, if not login.salesforce.com or test.salesforce.com",
    "token_handler": "name, or class: what the parameter token_handler holds; Salesforce's pages disagree",
}
"""Keys that hold plain texts -> what they are."""


@dataclass(frozen=True, slots=True)
class Given:
    """What stands under `orgs.ORG.verify.APP` of the project file."""

    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = field(default=None, compare=False)

    def text(self, key: str) -> str:
        """The text under a key; empty if it is not given."""
        return self.texts.get(key, "")
