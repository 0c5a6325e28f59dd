"""Each weakening of the table "security direction of a change" that a flow can feel makes `verify` fail.

An administrator makes it in Setup, behind the files' back; put back, all promises hold again. What no flow can feel is
listed, with the reason, in docs/verify.md.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from providers.mock import open_org
from tests.e2e.acme import AUDIENCE, ELI, ISSUER, NORA, Acme, acme, signer
from tests.e2e.build import DANA, INTEGRATION

GLOBAL, OAUTH = "ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthSettings"
POLICY, SWITCH = "ExtlClntAppOauthConfigurablePolicies", "ExtlClntAppConfigurablePolicies"
PARTNER, ERP = "ConnectedApp/Partner_Portal", "ConnectedApp/Legacy_ERP"
HANDLER = "OauthTokenExchangeHandler/PartnerIdp"
OIDC = "OauthOidcSettings/OauthOidc"
THROUGH = "token_exchange.PartnerIdp"

Change = tuple[str, Mapping[str, tuple[str | None, str | None]]]
"""An address, and fields with what they hold before and after."""


@dataclass(frozen=True)
class Row:
    """One weakening, and calls that have to feel it (others may)."""

    name: str
    changes: tuple[Change, ...]
    app: str
    """The one that is run; empty: all."""
    feel: tuple[str, ...]
    prepare: Callable[[Acme], object] | None = None
    """What has to be there before, as promised."""

    def __str__(self) -> str:
        return self.name


def row(
    name: str,
    app: str,
    *feel: str,
    address: str,
    prepare: Callable[[Acme], object] | None = None,
    **fields: tuple[str | None, str | None],
) -> Row:
    """One record is changed; `__` in a field's name is a dot."""
    return Row(name, ((address, fields),), app, feel, prepare)


def eca(kind: str, app: str = "order_portal") -> str:
    return f"{kind}/{app}"


ON, OFF = ("false", "true"), ("true", "false")


def rewritten(file: str, old: str, new: str) -> Callable[[Acme], None]:
    """The files say something else, and so does the org."""

    def prepare(example: Acme) -> None:
        path = example.root / "desired" / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        example.apply("--fail-on", "critical")

    return prepare


def another_handler(example: Acme) -> None:
    """Somebody else's handler, which no file knows."""
    flags = {f"is{kind}Supported": "false" for kind in ("AccessToken", "IdToken", "RefreshToken", "Saml2")}
    texts = {
        "masterLabel": "Other",
        "description": "Other",
        "developerName": "Other",
        "tokenHandlerApex": "PartnerIdpTokenHandler",
    }
    switches = {"isJwtSupported": "true", "isEnabled": "true", "isUserCreationAllowed": "false"}
    example.org.create("OauthTokenExchangeHandler/Other", {**texts, **flags, **switches}, as_user=DANA)


def lax_class(example: Acme) -> None:
    """A class that takes the tokens of another audience."""
    example.org.add_apex_class("Lax", "public class Lax extends Auth.Oauth2TokenExchangeHandler {}")
    example.org.set_rule("Lax", issuer=ISSUER, audience="https://elsewhere.example")


def lax_org(example: Acme) -> None:
    """An org that takes anybody's exchange, where an app asks for no approval: whether Salesforce does is not documented."""
    example.org.switch("token_exchange_needs_preauthorization", False)


def may_run_eli(example: Acme) -> None:
    """So that the flow, once open, lets him in."""
    example.org.assign(ELI, "Reporting_API")


SCOPES = {"commaSeparatedOauthScopes": "Api, RefreshToken"}
ROWS: list[Row] = [
    # permittedUsersPolicyType / isAdminApproved
    row("an external client app is no longer for approved users", "order_portal", THROUGH,
        address=eca(POLICY), permittedUsersPolicyType=("AdminApprovedPreAuthorized", "AllSelfAuthorized")),
    row("a connected app is no longer for approved users", "Partner_Portal", THROUGH,
        address=PARTNER, oauthConfig__isAdminApproved=OFF),
    row("anybody may use an external client app", "order_portal", "token_exchange.not_preauthorised", prepare=lax_org,
        address=eca(POLICY), permittedUsersPolicyType=("AdminApprovedPreAuthorized", "AllSelfAuthorized")),
    row("anybody may use a connected app", "Partner_Portal", "token_exchange.not_preauthorised", prepare=lax_org,
        address=PARTNER, oauthConfig__isAdminApproved=OFF),
    row("nobody is approved for JWT bearer any more", "Legacy_ERP", "jwt_bearer",
        address=ERP, oauthConfig__isAdminApproved=OFF),
    # scopes
    *(
        row(f"scope {scope} added to an external client app", "order_portal", THROUGH, "refresh",
            address=eca(OAUTH), commaSeparatedOauthScopes=("Api, RefreshToken", f"Api, RefreshToken, {scope}"))
        for scope in ("Full", "Web", "Chatter")
    ),
    row("scope Full can be asked for", "order_portal", "token_exchange.scope",
        address=eca(OAUTH), commaSeparatedOauthScopes=("Api, RefreshToken", "Api, RefreshToken, Full")),
    row("scope added to a connected app", "Partner_Portal", THROUGH,
        address=PARTNER, oauthConfig__scopes=("Api,OpenID,RefreshToken", "Api,OpenID,RefreshToken,Web")),
    row("scope added to a service", "reporting_service", "client_credentials",
        address=eca(OAUTH, "reporting_service"), commaSeparatedOauthScopes=("Api", "Api, Chatter")),
    row("scope added to a JWT bearer client", "Legacy_ERP", "jwt_bearer",
        address=ERP, oauthConfig__scopes=("Api,RefreshToken", "Api,RefreshToken,Web")),
    # callback URLs
    row("callback URL added to an external client app", "order_portal", "web_server.undeclared",
        address=eca(GLOBAL), callbackUrl=("https://portal.acme.example/callback", "https://portal.acme.example/callback\nhttps://evil.example/cb")),
    row("callback URL added to a connected app", "Partner_Portal", "web_server.undeclared",
        address=PARTNER, oauthConfig__callbackUrl=("https://partners.acme.example/callback", "https://partners.acme.example/callback\nhttps://evil.example/cb")),
    # secrets
    row("no secret for token exchange, external client app", "order_portal", "token_exchange.no_secret",
        address=eca(GLOBAL), isSecretRequiredForTokenExchange=OFF),
    row("no secret for token exchange, connected app", "Partner_Portal", "token_exchange.no_secret",
        address=PARTNER, oauthConfig__isSecretRequiredForTokenExchange=OFF),
    row("no secret for refreshing, external client app", "order_portal", "refresh.no_secret",
        address=eca(GLOBAL), isSecretRequiredForRefreshToken=OFF),
    row("no secret for refreshing, connected app", "Partner_Portal", "refresh.no_secret",
        address=PARTNER, oauthConfig__isSecretRequiredForRefreshToken=OFF),
    row("no secret for refreshing, where nobody has a token", "Legacy_ERP", "refresh.made_up.no_secret",
        address=ERP, oauthConfig__isSecretRequiredForRefreshToken=OFF),
    row("secret optional, external client app", "order_portal", "web_server.code.no_secret",
        address=eca(GLOBAL), isConsumerSecretOptional=ON),
    row("secret optional, connected app", "Partner_Portal", "web_server.code.no_secret",
        address=PARTNER, oauthConfig__isConsumerSecretOptional=ON),
    # PKCE: app and org both ask for it, so both have to be off to be felt
    Row("no PKCE, external client app",
        ((eca(GLOBAL), {"isPkceRequired": OFF}), (OIDC, {"isPkceRequired": OFF})), "order_portal", ("web_server.no_pkce",),
        lambda example: example.org.switch("pkce_forced_on_eca", False)),
    Row("no PKCE, connected app",
        ((PARTNER, {"oauthConfig.isPkceRequired": OFF}), (OIDC, {"isPkceRequired": OFF})), "Partner_Portal", ("web_server.no_pkce",)),
    # rotation
    row("no rotation, external client app", "order_portal", "refresh", "refresh.rotated",
        address=eca(GLOBAL), isRefreshTokenRotationEnabled=OFF),
    row("no rotation, connected app", "Partner_Portal", "refresh", "refresh.rotated",
        address=PARTNER, oauthConfig__isRefreshTokenRotationEnabled=OFF),
    # refresh policy
    row("refresh tokens live on, external client app", "order_portal", "refresh.zero",
        address=eca(POLICY), refreshTokenPolicyType=("Zero", "Infinite"),
        prepare=rewritten("apps/order_portal.yaml", "  refreshTokenPolicyType: SpecificInactivity\n  refreshTokenValidityPeriod: 30\n  refreshTokenValidityUnit: Days\n", "  refreshTokenPolicyType: Zero\n")),
    row("refresh tokens live on, connected app", "Partner_Portal", "refresh.zero",
        address=PARTNER, oauthPolicy__refreshTokenPolicy=("zero", "infinite"),
        prepare=rewritten("apps/partner_portal.yaml", "refreshTokenPolicy: specific_inactivity:30:DAYS", "refreshTokenPolicy: zero")),
    # flow switches
    Row("client credentials switched on, external client app",
        ((eca(GLOBAL), {"isClientCredentialsFlowEnabled": ON}),
         (eca(POLICY), {"isClientCredentialsFlowEnabled": ON, "clientCredentialsFlowUser": (None, ELI)})),
        "order_portal", ("client_credentials.off",)),
    Row("client credentials switched on for a user who is not approved",
        ((eca(GLOBAL), {"isClientCredentialsFlowEnabled": ON}),
         (eca(POLICY), {"isClientCredentialsFlowEnabled": ON, "clientCredentialsFlowUser": (None, INTEGRATION)})),
        "order_portal", ("client_credentials.off",)),
    Row("client credentials switched on, connected app",
        ((PARTNER, {"oauthConfig.isClientCredentialEnabled": ON, "oauthConfig.oauthClientCredentialUser": (None, ELI)}),),
        "Partner_Portal", ("client_credentials.off",)),
    Row("token exchange switched on for another app",
        ((eca(GLOBAL, "reporting_service"), {"isTokenExchangeEnabled": ON}),
         (eca(POLICY, "reporting_service"), {"isTokenExchangeFlowEnabled": ON}),
         (f"{HANDLER}/enablements/reporting_service",
          {"externalClientApp": (None, "reporting_service"), "apexExecutionUser": (None, INTEGRATION), "isDefault": (None, "true")})),
        "reporting_service", ("token_exchange.off.default", "token_exchange.off.PartnerIdp"), may_run_eli),
    row("JWT access tokens switched on", "Partner_Portal", THROUGH,
        address=PARTNER, oauthConfig__isNamedUserJwtEnabled=ON),
    # introspection: a token of another app is needed, so all of them are run
    row("an app may ask about every token", "", "Partner_Portal: introspection.anothers",
        address=PARTNER, oauthConfig__isIntrospectAllTokens=ON),
    # whom clients act as
    row("another run-as user", "reporting_service", "client_credentials",
        address=eca(POLICY, "reporting_service"), clientCredentialsFlowUser=(INTEGRATION, NORA)),
    # the handler
    *(
        row(f"handler takes {kind}", "order_portal", f"{THROUGH}.as_{name}", address=HANDLER, **{f"is{kind}Supported": ON})
        for kind, name in (("AccessToken", "access_token"), ("IdToken", "id_token"), ("RefreshToken", "refresh_token"), ("Saml2", "saml2"))
    ),
    row("handler may create users", "order_portal", "token_exchange.unknown_user", address=HANDLER, isUserCreationAllowed=ON),
    row("another handler class", "order_portal", THROUGH, address=HANDLER, prepare=lax_class,
        tokenHandlerApex=("PartnerIdpTokenHandler", "Lax")),
    row("handler switched off", "order_portal", THROUGH, "token_exchange.default", address=HANDLER, isEnabled=OFF),
    row("handler switched on", "order_portal", "token_exchange.disabled.PartnerIdp", address=HANDLER, isEnabled=ON,
        prepare=rewritten("handlers/partner_idp.yaml", "isEnabled: true", "isEnabled: false")),
    # enablements
    Row("enabled for another handler",
        (("OauthTokenExchangeHandler/Other/enablements/order_portal",
          {"externalClientApp": (None, "order_portal"), "apexExecutionUser": (None, INTEGRATION), "isDefault": (None, "false")}),),
        "order_portal", ("token_exchange.not_enabled.Other",), another_handler),
    row("no default handler any more", "order_portal", "token_exchange.default",
        address=f"{HANDLER}/enablements/order_portal", isDefault=OFF),
    row("a default handler where there was none", "order_portal", "token_exchange.no_default",
        address=f"{HANDLER}/enablements/order_portal", isDefault=ON,
        prepare=rewritten("handlers/enablements/order_portal.yaml", "isDefault: true", "isDefault: false")),
    # certificate
    row("another certificate", "Legacy_ERP", "jwt_bearer", address=ERP, oauthConfig__certificate=("", signer()[1])),
    row("no certificate any more", "Legacy_ERP", "jwt_bearer", address=ERP, oauthConfig__certificate=("", None)),
    # who is pre-authorised
    row("permission set added to an external client app", "order_portal", "token_exchange.not_preauthorised",
        address=eca(POLICY), commaSeparatedPermissionSet=("Order_Portal_User", "Order_Portal_User, Reporting_API")),
    row("permission set added to a connected app", "Partner_Portal", "token_exchange.not_preauthorised",
        address=PARTNER, permissionSetName=("Partner_Portal_User", "Partner_Portal_User,Reporting_API")),
    row("permission set added to a JWT bearer client", "Legacy_ERP", "jwt_bearer.not_preauthorised",
        address=ERP, permissionSetName=("Reporting_API", "Reporting_API,Order_Portal_User")),
    # isEnabled / isOauthPluginEnabled: off is an outage, on exposes
    row("app switched off", "order_portal", THROUGH, "web_server", address=eca(SWITCH), isEnabled=OFF),
    row("OAuth switched off", "reporting_service", "client_credentials", address=eca(SWITCH, "reporting_service"), isOauthPluginEnabled=OFF),
    row("app switched on", "order_portal", "token_exchange.off.PartnerIdp", "web_server.off", address=eca(SWITCH), isEnabled=ON,
        prepare=rewritten("apps/order_portal.yaml", "policies:\n  isEnabled: true", "policies:\n  isEnabled: false")),
    row("OAuth switched on", "reporting_service", "client_credentials.off", address=eca(SWITCH, "reporting_service"), isOauthPluginEnabled=ON,
        prepare=rewritten("apps/reporting_service.yaml", "policies:\n  isEnabled: true", "policies:\n  isEnabled: true\n  isOauthPluginEnabled: false")),
]  # fmt: skip


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Acme]:
    """The example, applied once; nobody changes it."""
    with acme(tmp_path_factory.mktemp("acme") / "project", fresh_org) as made:
        yield made


@pytest.fixture
def example(applied: Acme, tmp_path: Path) -> Iterator[Acme]:
    """A copy of it for one test."""
    applied.org.close()
    shutil.copytree(applied.root, tmp_path / "project")
    copy = object.__new__(Acme)
    copy.root, copy.key, copy.secrets = tmp_path / "project", applied.key, applied.secrets
    copy.database = copy.root / ".reconciler" / "orgs" / "dev.db"
    copy.org = open_org(copy.database)
    yield copy
    copy.org.close()


def make(example: Acme, changes: tuple[Change, ...]) -> None:
    for address, fields in changes:
        if "/enablements/" in address and all(old is None for old, _ in fields.values()):
            example.org.create(address, {name: new for name, (_, new) in fields.items()}, as_user=DANA)
        else:
            example.dana(address, **{name: new for name, (_, new) in fields.items()})


def undo(example: Acme, changes: tuple[Change, ...], before: Mapping[tuple[str, str], str | None]) -> None:
    for address, fields in reversed(changes):
        if "/enablements/" in address and all(old is None for old, _ in fields.values()):
            example.org.delete(address, as_user=DANA)
        else:
            example.dana(address, **{name: before.get((address, name), old) for name, (old, _) in fields.items()})


@pytest.mark.parametrize("weakening", ROWS, ids=str)
def test_a_weakening_is_felt_and_its_opposite_heals(example: Acme, weakening: Row) -> None:
    """Whoever was careful in the files, and never looked at what the org does with them."""
    apps = [weakening.app] if weakening.app else []
    if weakening.prepare is not None:
        # Without it, this is what test_verify looks at.
        weakening.prepare(example)
        assert set() == example.broken(*apps)
    # What is long is not written twice: the certificate is that of the files.
    before = {(ERP, "oauthConfig__certificate"): example.held(ERP, "oauthConfig.certificate")}
    make(example, weakening.changes)
    felt = example.broken(*apps)
    assert {id if ": " in id else f"{weakening.app}: {id}" for id in weakening.feel} <= felt

    undo(example, weakening.changes, before)
    if any(user.username == "kim@partners.example" for user in example.org.users()):
        # Somebody has to look after the user that the org made.
        example.org.set_active("kim@partners.example", False)
    assert set() == example.broken(*apps)


def test_every_row_has_a_name_of_its_own() -> None:
    """A row that another one hides is not run."""
    assert len(ROWS) == len({str(one) for one in ROWS})
    assert AUDIENCE != ISSUER
