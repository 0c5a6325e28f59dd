"""OAuth clients made of forms: nothing of ours stands between test and org, and apps show only what matters."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from providers.mock import Org
from tests.mock.wire import Piece, Wire, apex, app, component, enablement, global_oauth, handler, oauth, oauth_policy

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TYPE = "urn:ietf:params:oauth:token-type:"
CALLBACK = "https://x.acme.example/cb"
ISSUER, AUDIENCE = "https://idp.partners.acme.example/", "https://acme.my.salesforce.com"
ELI, INTEGRATION, ADMIN = "eli@acme.example", "integration@acme.example", "admin@acme.example"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Client:
    """An app's back end. Whatever is None in a form is left out."""

    wire: Wire
    name: str
    base: str = ""

    def __post_init__(self) -> None:
        self.base = self.base or self.wire.base
        self.key, self.secret = self.org.consumer(self.name)

    @property
    def org(self) -> Org:
        return self.wire.org

    def post(self, path: str = "/services/oauth2/token", **form: str | None) -> requests.Response:
        sent = {"client_id": self.key, "client_secret": self.secret, **form}
        data = {name: value for name, value in sent.items() if value is not None}
        return self.wire.session.post(f"{self.base}{path}", data=data)

    def granted(self, **form: str | None) -> dict[str, Any]:
        answer = self.post(**form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def refused(self, **form: str | None) -> tuple[str, str]:
        """Return error and description of what must be refused, with the status that Salesforce uses."""
        answer = self.post(**form)
        assert answer.status_code == 400, answer.text
        assert set(answer.json()) == {"error", "error_description"}
        return answer.json()["error"], answer.json()["error_description"]

    def exchange_form(self, token_type: str = "jwt", subject: str = "eli.novak", **issue: Any) -> dict[str, str]:  # noqa: S107 (a kind of token)
        token = self.org.subject_token(subject, token_type=token_type, **issue)
        return {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": f"{TYPE}{token_type}"}

    def authorize(
        self, method: str = "GET", headers: dict[str, str] | None = None, **query: str | None
    ) -> requests.Response:
        sent: dict[str, str | None] = {
            "response_type": "code", "client_id": self.key, "redirect_uri": CALLBACK, "login_hint": ELI,
            "code_challenge": CHALLENGE, "code_challenge_method": "S256", **query,
        }  # fmt: skip
        params = {name: value for name, value in sent.items() if value is not None}
        url = f"{self.base}/services/oauth2/authorize"
        named = {"params" if method == "GET" else "data": params}
        return self.wire.session.request(method, url, headers=headers, allow_redirects=False, **named)

    def told(self, **query: str | None) -> dict[str, str]:
        """Return what the callback is told."""
        answer = self.authorize(**query)
        assert answer.status_code == 302, answer.text
        target = urlsplit(answer.headers["Location"])
        assert CALLBACK == f"{target.scheme}://{target.netloc}{target.path}"
        return {name: values[0] for name, values in parse_qs(target.query).items()}

    def code_form(self, **query: str | None) -> dict[str, str]:
        code = self.told(**query)["code"]
        return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}

    def rest(
        self, token: str, path: str = "/services/data/v66.0/query?q=SELECT+Id+FROM+User+LIMIT+1"
    ) -> requests.Response:
        return self.wire.session.get(f"{self.base}{path}", headers={"Authorization": f"Bearer {token}"})

    def works(self, token: str) -> bool:
        """Whether a token gets data."""
        answer = self.rest(token)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200


def pieces(
    name: str,
    *,
    settings: dict[str, Any] | None = None,
    scopes: str = "Api, RefreshToken",
    policy: dict[str, Any] | None = None,
) -> list[Piece]:
    """The records of an external client app."""
    return [
        app(name),
        oauth(name, commaSeparatedOauthScopes=scopes),
        global_oauth(name, **(settings or {})),
        oauth_policy(name, **(policy or {})),
    ]


def client_app(wire: Wire, name: str = "Some_App", **more: Any) -> Client:
    """Deploy an external client app that anybody may use; return its back end."""
    wire.deployed(*pieces(name, **more))
    return Client(wire, name)


def connected_app(wire: Wire, name: str = "Old_App", top: str = "", policy: str = "", **config: Any) -> Client:
    wire.org.switch("allow_connected_app_creation", True)
    scopes = config.pop("scopes", ["Api", "RefreshToken"])
    lines = "".join(f"<scopes>{each}</scopes>" for each in scopes)
    rest = "".join(
        f"<{name}>{str(value).lower() if isinstance(value, bool) else value}</{name}>" for name, value in config.items()
    )
    wire.deployed(
        component(
            "ConnectedApp", name, contactEmail="a@b.example", label=name,
            oauthConfig=f"<callbackUrl>{CALLBACK}</callbackUrl>{rest}{lines}",
            oauthPolicy=f"<ipRelaxation>ENFORCE</ipRelaxation>{policy}<refreshTokenPolicy>infinite</refreshTokenPolicy>",
        )
    )  # fmt: skip
    return Client(wire, name)


HANDLER: dict[str, Any] = {
    **dict.fromkeys(
        (
            "isAccessTokenSupported",
            "isIdTokenSupported",
            "isJwtSupported",
            "isRefreshTokenSupported",
            "isSaml2Supported",
        ),
        True,
    ),
    "isEnabled": True,
    "isUserCreationAllowed": False,
}
SETTINGS = {"isTokenExchangeEnabled": True, "isSecretRequiredForTokenExchange": True}
POLICY = {
    "commaSeparatedPermissionSet": "Order_Portal_User",
    "isTokenExchangeFlowEnabled": True,
    "permittedUsersPolicyType": "AdminApprovedPreAuthorized",
}


def exchanging(wire: Wire, *, enabled: bool = True, default: bool = True, **more: Any) -> Client:
    """Deploy an app for token exchange, with a handler; `more` are fields of the handler."""
    wire.deployed(
        apex("Exchange"),
        *pieces("order_portal", settings=SETTINGS, policy=POLICY),
        handler("PartnerIdp", *([enablement("order_portal", default=default)] if enabled else []), **(HANDLER | more)),
    )
    wire.org.set_rule("Exchange", issuer=ISSUER, audience=AUDIENCE)
    return Client(wire, "order_portal")


@dataclass
class Signer:
    """Who holds a private key, and the certificate that an app knows it by."""

    key: rsa.RSAPrivateKey
    certificate: str

    @classmethod
    def made(cls) -> Signer:
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ci")])
        start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=36500)).sign(key, hashes.SHA256())
        )  # fmt: skip
        return cls(key, made.public_bytes(serialization.Encoding.PEM).decode())

    def assertion(self, client: Client, **claims: Any) -> str:
        told = {
            "iss": client.key, "sub": INTEGRATION, "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 180, **claims,
        }  # fmt: skip
        return jwt.encode(
            {name: value for name, value in told.items() if value is not None}, self.key, algorithm="RS256"
        )


def peek(token: str) -> dict[str, Any]:
    """Read a JWT without trusting it."""
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
