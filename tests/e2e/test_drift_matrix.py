"""Every row of the table "security direction of a change", made by a named person over HTTP, as `drift` reports it.

The table is that of the facts that the kinds cite; `tests/schema/test_marks.py` holds the marks against it, this the
product. Each change is made behind the files' back on an org that was applied, with the session of somebody else than
who applied it, through the API that they would use: the Metadata API's CRUD calls, a deployment for Apex, REST DML for
enablements. Then it is accepted, somebody else changes it back, and that is reported too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds import all_kinds
from tests.e2e.build import (
    CODE,
    DANA,
    GLOBAL,
    HANDLER,
    INTEGRATION,
    LEGACY,
    OAUTH,
    PEM,
    POLICY,
    Document,
    app,
    enablement,
    handler,
    handler_class,
    legacy,
    oidc,
    scope,
)
from tests.e2e.stage import Stage, Value, staged
from tests.schema.test_meanings import marked

OMAR = "omar@acme.example"
PARTNER = "ConnectedApp/Partner_Portal"
APP_POLICY = "ExtlClntAppConfigurablePolicies/portal"
SECURITY = "ExtlClntAppOauthSecuritySettings/portal"
ENABLED = f"{HANDLER}/enablements/portal"
SECOND = "OauthTokenExchangeHandler/SecondIdp/enablements/portal"
OIDC = "OauthOidcSettings/OauthOidc"
ECA_SETTINGS = "ExternalClientAppSettings/ExternalClientApp"
CA_SETTINGS = "ConnectedAppSettings/ConnectedApp"
CRITICAL, HIGH, MEDIUM, LOW = "critical", "high", "medium", "low"
OTHER_PEM = PEM.replace("MIIBszCC", "MIICszCC")
NARROW, WIDE, INSIDE = ("10.0.0.1", "10.0.0.9"), ("10.0.0.1", "10.0.9.9"), ("10.0.0.2", "10.0.0.3")


@dataclass(frozen=True)
class Row:
    """One change: `old` to `new` is bad, by how much says `severity`."""

    address: str
    values: Mapping[str, tuple[Value, Value]]
    severity: str
    back: str = "tightens"
    """The direction of the way back. Where the table says "changed", both ways hand trust to something else."""
    back_severity: str = LOW
    version: str = "66.0"

    def __str__(self) -> str:
        return f"{self.address}." + " ".join(
            f"{path}={old!s:.20}→{new!s:.20}" for path, (old, new) in self.values.items()
        )


def field(address: str, path: str, old: Value, new: Value, severity: str, **more: str) -> Row:
    return Row(address, {path: (old, new)}, severity, **more)


def switched_on(severity: str, address: str, *paths: str, **more: str) -> list[Row]:
    return [field(address, path, False, True, severity, **more) for path in paths]


def switched_off(severity: str, address: str, *paths: str) -> list[Row]:
    return [field(address, path, True, False, severity) for path in paths]


def changed(address: str, path: str, old: Value, new: Value) -> Row:
    return field(address, path, old, new, CRITICAL, back="weakens", back_severity=CRITICAL)


def ranges(start: str, end: str, *pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{start: first, end: last} for first, last in pairs]


def address_lists(address: str, path: str, start: str, end: str) -> list[Row]:
    """A list of addresses that is widened, and one that is emptied, which lets everybody in."""
    before = ranges(start, end, NARROW)
    return [
        field(address, path, before, ranges(start, end, WIDE), HIGH),
        field(address, path, before, ranges(start, end, NARROW, ("10.1.0.1", "10.1.0.1")), HIGH),
        field(address, path, before, None, HIGH),
        field(address, path, ranges(start, end, INSIDE), before, HIGH),
    ]


def refresh(old: tuple[Value, Value, Value], new: tuple[Value, Value, Value], severity: str) -> Row:
    """An external client app's refresh policy: three fields that only mean something together."""
    names = ("refreshTokenPolicyType", "refreshTokenValidityPeriod", "refreshTokenValidityUnit")
    return Row(POLICY, dict(zip(names, zip(old, new, strict=True), strict=True)), severity)


ROWS: list[Row] = [
    # permittedUsersPolicyType / isAdminApproved
    field(POLICY, "permittedUsersPolicyType", "AdminApprovedPreAuthorized", "AllSelfAuthorized", CRITICAL),
    *switched_off(CRITICAL, LEGACY, "oauthConfig.isAdminApproved"),
    # scopes: any addition, Full above all; custom scopes
    field(OAUTH, "commaSeparatedOauthScopes", "Api", "Api, Full", CRITICAL),
    field(OAUTH, "commaSeparatedOauthScopes", "Api", "Api, Web", HIGH),
    field(OAUTH, "commaSeparatedOauthScopes", "Api", "Api, Chatter", HIGH),
    field(LEGACY, "oauthConfig.scopes", ["Api"], ["Api", "Full"], CRITICAL),
    field(LEGACY, "oauthConfig.scopes", ["Api"], ["Api", "Web"], HIGH),
    field(LEGACY, "oauthConfig.scopes", ["Api"], ["Api", "Chatter"], HIGH),
    field(OAUTH, "commaSeparatedCustomScopes", None, "orders", HIGH),
    field(POLICY, "commaSeparatedCustomScopes", None, "orders", HIGH),
    field("OauthCustomScope/orders", "assignedTo", None, [{"connectedApp": "Legacy_ERP"}], HIGH),
    # callbackUrl: added, plain http, a wildcard, another host
    *(
        field(address, path, "https://a.acme.example/cb", url, CRITICAL)
        for address, path in ((GLOBAL, "callbackUrl"), (LEGACY, "oauthConfig.callbackUrl"))
        for url in (
            "https://a.acme.example/cb\nhttps://b.acme.example/cb",
            "https://a.acme.example/cb\nhttp://a.acme.example/cb",
            "https://a.acme.example/cb\nhttps://*.acme.example/cb",
        )
    ),
    # isSecretRequiredForTokenExchange, isSecretRequiredForRefreshToken
    *switched_off(HIGH, GLOBAL, "isSecretRequiredForTokenExchange", "isSecretRequiredForRefreshToken"),
    *switched_off(
        HIGH, LEGACY, "oauthConfig.isSecretRequiredForTokenExchange", "oauthConfig.isSecretRequiredForRefreshToken"
    ),
    # isConsumerSecretOptional
    *switched_on(HIGH, GLOBAL, "isConsumerSecretOptional"),
    *switched_on(HIGH, LEGACY, "oauthConfig.isConsumerSecretOptional"),
    # isPkceRequired, of apps and of the org
    *switched_off(HIGH, GLOBAL, "isPkceRequired"),
    *switched_off(HIGH, LEGACY, "oauthConfig.isPkceRequired"),
    *switched_off(HIGH, OIDC, "isPkceRequired"),
    # rotation, time limit, sender constraints
    *switched_off(
        HIGH, GLOBAL, "isRefreshTokenRotationEnabled", "isEnforceRefreshTokenTTL", "isDPopEnabled", "isMtlsEnabled"
    ),
    *switched_off(
        HIGH, LEGACY, "oauthConfig.isRefreshTokenRotationEnabled", "oauthConfig.isEnforceRefreshTokenTTL",
        "oauthConfig.isDPopEnabled", "oauthConfig.isPKImTLSEnabled",
    ),
    *switched_off(MEDIUM, LEGACY, "oauthConfig.isIpBindingEnabled"),
    # ipRelaxation, each step towards Bypass
    *(
        field(address, path, old, new, HIGH)
        for address, path, scale in (
            (POLICY, "ipRelaxationPolicyType", ("Enforce", "Enforce_relaxrefresh", "Bypass_2factor", "Bypass")),
            (LEGACY, "oauthPolicy.ipRelaxation", ("ENFORCE", "ENFORCE_RELAXREFRESH", "BYPASS_2FACTOR", "BYPASS")),
        )
        for old, new in pairwise(scale)
    ),
    # trustedIpRanges / ipRanges / tokenIpRanges
    *address_lists(OAUTH, "trustedIpRanges", "startIpAddress", "endIpAddress"),
    *address_lists(SECURITY, "tokenIpRanges", "startIpAddress", "endIpAddress"),
    *address_lists(LEGACY, "ipRanges", "start", "end"),
    # refresh policy, short to long to Infinite
    refresh(("Zero", None, None), ("SpecificLifetime", 1, "Hours"), MEDIUM),
    refresh(("SpecificLifetime", 1, "Hours"), ("SpecificLifetime", 30, "Hours"), MEDIUM),
    refresh(("SpecificInactivity", 30, "Days"), ("SpecificInactivity", 2, "Months"), MEDIUM),
    refresh(("SpecificLifetime", 365, "Days"), ("Infinite", None, None), HIGH),
    field(LEGACY, "oauthPolicy.refreshTokenPolicy", "zero", "specific_lifetime:24:HOURS", MEDIUM),
    field(LEGACY, "oauthPolicy.refreshTokenPolicy", "specific_inactivity:30:DAYS", "specific_inactivity:2:MONTHS", MEDIUM),
    field(LEGACY, "oauthPolicy.refreshTokenPolicy", "specific_lifetime:12:MONTHS", "infinite", HIGH),
    # sessionTimeout, JWT timeout, id and asset token validity
    field(POLICY, "sessionTimeoutInMinutes", "15", "120", MEDIUM),
    field(LEGACY, "sessionPolicy.sessionTimeout", "15", "120", MEDIUM),
    field(POLICY, "guestJwtTimeout", "5", "30", MEDIUM),
    field(POLICY, "namedUserJwtTimeout", "5", "30", MEDIUM),
    field(GLOBAL, "idTokenConfig.idTokenValidityInMinutes", "2", "720", MEDIUM),
    field(LEGACY, "oauthConfig.idTokenConfig.idTokenValidity", "2", "720", MEDIUM),
    field(OAUTH, "assetTokenValidity", "10", "100", MEDIUM),
    field(LEGACY, "oauthConfig.assetTokenConfig.assetValidityPeriod", "10", "100", MEDIUM),
    # requiredSessionLevel / policyAction
    field(POLICY, "requiredSessionLevel", "HIGH_ASSURANCE", "STANDARD", MEDIUM),
    field(POLICY, "requiredSessionLevel", "HIGH_ASSURANCE", "LOW", MEDIUM),
    field(LEGACY, "sessionPolicy.sessionLevel", "HIGH_ASSURANCE", "STANDARD", MEDIUM),
    field(LEGACY, "sessionPolicy.sessionLevel", "HIGH_ASSURANCE", "LOW", MEDIUM),
    field(POLICY, "policyAction", "RaiseSessionLevel", None, MEDIUM),
    field(POLICY, "policyAction", "StepUpMFA", None, MEDIUM),
    field(LEGACY, "sessionPolicy.policyAction", "RaiseSessionLevel", None, MEDIUM),
    # isIntrospectAllTokens
    *switched_on(HIGH, GLOBAL, "isIntrospectAllTokens"),
    *switched_on(HIGH, LEGACY, "oauthConfig.isIntrospectAllTokens"),
    # flow switches
    *switched_on(
        HIGH, GLOBAL, "isTokenExchangeEnabled", "isClientCredentialsFlowEnabled", "isDeviceFlowEnabled",
        "isCodeCredFlowEnabled", "isNamedUserJwtEnabled",
    ),
    *switched_on(
        HIGH, POLICY, "isTokenExchangeFlowEnabled", "isClientCredentialsFlowEnabled", "isGuestCodeCredFlowEnabled"
    ),
    *switched_on(HIGH, POLICY, "isNamedUserJwtEnabled", version="63.0"),
    *switched_on(
        HIGH, LEGACY, "oauthConfig.isTokenExchangeEnabled", "oauthPolicy.isTokenExchangeFlowEnabled",
        "oauthConfig.isClientCredentialEnabled", "oauthConfig.isDeviceFlowEnabled",
        "oauthConfig.isCodeCredentialEnabled", "oauthConfig.isNamedUserJwtEnabled",
    ),
    *switched_on(HIGH, OIDC, "oAuthCdCrdtFlowEnable"),
    # whom clients, handlers and plug-ins act as: either way
    changed(POLICY, "clientCredentialsFlowUser", INTEGRATION, DANA),
    changed(POLICY, "executeHandlerAs", INTEGRATION, DANA),
    changed(LEGACY, "oauthConfig.oauthClientCredentialUser", INTEGRATION, DANA),
    changed(LEGACY, "pluginExecutionUser", INTEGRATION, DANA),
    changed(ENABLED, "apexExecutionUser", INTEGRATION, DANA),
    # code that decides: either way
    changed(HANDLER, "tokenHandlerApex", "PartnerIdpHandler", "OtherHandler"),
    changed(POLICY, "apexHandler", "PartnerIdpHandler", "OtherHandler"),
    changed(LEGACY, "plugin", "PartnerIdpHandler", "OtherHandler"),
    changed(CODE, "content", handler_class(), handler_class(comment="lets everybody in")),
    # handler is*Supported, isUserCreationAllowed, isContactCreationAllowed
    *switched_on(
        HIGH, HANDLER, "isAccessTokenSupported", "isIdTokenSupported", "isJwtSupported", "isRefreshTokenSupported",
        "isSaml2Supported", "isUserCreationAllowed", "isContactCreationAllowed",
    ),
    # certificate: another one either way; the first one opens a flow, none locks out
    changed(GLOBAL, "certificate", PEM, OTHER_PEM),
    changed(LEGACY, "oauthConfig.certificate", PEM, OTHER_PEM),
    field(GLOBAL, "certificate", PEM, None, CRITICAL, back="weakens", back_severity=HIGH),
    field(LEGACY, "oauthConfig.certificate", PEM, None, CRITICAL, back="weakens", back_severity=HIGH),
    # who is pre-authorised
    field(POLICY, "commaSeparatedPermissionSet", "Order_Portal_User", "Order_Portal_User, Reporting_API", HIGH),
    field(POLICY, "commaSeparatedProfile", "Standard User", "Standard User, System Administrator", HIGH),
    field(PARTNER, "permissionSetName", ["Partner_Portal_User"], ["Partner_Portal_User", "Reporting_API"], HIGH),
    field(PARTNER, "profileName", ["Standard User"], ["Standard User", "System Administrator"], HIGH),
    # isEnabled / isOauthPluginEnabled: on exposes, off is an outage
    *switched_on(MEDIUM, APP_POLICY, "isEnabled", "isOauthPluginEnabled", back_severity=MEDIUM),
    *switched_on(MEDIUM, HANDLER, "isEnabled", back_severity=MEDIUM),
    # settings of the org
    *switched_on(MEDIUM, ECA_SETTINGS, "enableClientSecretInRestApiAccess", "enableConsumerSecretApiAccess"),
    *switched_off(HIGH, OIDC, "blockOAuthUnPwFlow", "blockOAuthUsrAgtFlow"),
    *switched_off(HIGH, CA_SETTINGS, "enableAdminApprovedAppsOnly", "enableAdminApprovedAppsOnlyForExternalUser"),
]  # fmt: skip


# --- the org before anybody touches it -------------------------------------------------------------------------------


def strict(newest: bool) -> list[Document]:
    """A configuration as a careful company keeps it; `newest` brings what is newer than API version 63."""
    newer = {"isEnforceRefreshTokenTTL": True, "isDPopEnabled": True}
    secured = {"oauthSecuritySettings": {"tokenIpRanges": ranges("startIpAddress", "endIpAddress", NARROW)}}
    return [
        app(
            globalOauthSettings={
                "callbackUrl": ["https://a.acme.example/cb"],
                "certificate": PEM,
                "idTokenConfig": {"idTokenValidityInMinutes": 2},
                "isSecretRequiredForTokenExchange": True,
                "isRefreshTokenRotationEnabled": True,
                **({**newer, "isMtlsEnabled": True} if newest else {}),
            },
            oauthSettings={
                "commaSeparatedOauthScopes": ["Api"],
                "assetTokenValidity": 10,
                "trustedIpRanges": ranges("startIpAddress", "endIpAddress", NARROW),
            },
            oauthPolicies={
                "permittedUsersPolicyType": "AdminApprovedPreAuthorized",
                "commaSeparatedPermissionSet": ["Order_Portal_User"],
                "commaSeparatedProfile": ["Standard User"],
                "refreshTokenPolicyType": "SpecificLifetime",
                "refreshTokenValidityPeriod": 1,
                "refreshTokenValidityUnit": "Hours",
                "requiredSessionLevel": "HIGH_ASSURANCE",
                "policyAction": "RaiseSessionLevel",
                "sessionTimeoutInMinutes": 15,
                "guestJwtTimeout": 5,
                "namedUserJwtTimeout": 5,
                "apexHandler": "PartnerIdpHandler",
                "executeHandlerAs": INTEGRATION,
                "clientCredentialsFlowUser": INTEGRATION,
            },
            policies={"isEnabled": False, "isOauthPluginEnabled": False},
            **(secured if newest else {}),
        ),
        legacy(
            ipRanges=ranges("start", "end", NARROW),
            plugin="PartnerIdpHandler",
            pluginExecutionUser=INTEGRATION,
            oauthConfig={
                "callbackUrl": ["https://a.acme.example/cb"],
                "certificate": PEM,
                "scopes": ["Api"],
                "isAdminApproved": True,
                "isPkceRequired": True,
                "isRefreshTokenRotationEnabled": True,
                "isSecretRequiredForRefreshToken": True,
                "isSecretRequiredForTokenExchange": True,
                "oauthClientCredentialUser": INTEGRATION,
                "idTokenConfig": {"idTokenValidity": 2},
                "assetTokenConfig": {
                    "assetAudiences": "devices",
                    "assetIncludeAttributes": False,
                    "assetIncludeCustomPerms": False,
                    "assetSigningCertId": "Partner_Asset_Signing",
                    "assetValidityPeriod": 10,
                },
                **({**newer, "isPKImTLSEnabled": True, "isIpBindingEnabled": True} if newest else {}),
            },
            oauthPolicy={"ipRelaxation": "ENFORCE", "refreshTokenPolicy": "zero"},
            sessionPolicy={"policyAction": "RaiseSessionLevel", "sessionLevel": "HIGH_ASSURANCE", "sessionTimeout": 15},
        ),
        legacy(
            oauthConfig={"isAdminApproved": True},
            permissionSetName=["Partner_Portal_User"],
            profileName=["Standard User"],
        )
        | {"name": "Partner_Portal"},
        handler(isEnabled=False, isJwtSupported=False),
        handler("SecondIdp"),
        enablement("portal", isDefault=True),
        enablement("portal", "SecondIdp"),
        scope(),
        oidc(blockOAuthUnPwFlow=True, blockOAuthUsrAgtFlow=True, isPkceRequired=True),
        {"kind": "ExternalClientAppSettings"},
        {
            "kind": "ConnectedAppSettings",
            "enableAdminApprovedAppsOnly": True,
            "enableAdminApprovedAppsOnlyForExternalUser": True,
        },
    ]  # fmt: skip


def prepare(stage: Stage, version: str = "66.0") -> None:
    # Otherwise the org keeps PKCE on whatever it is told, and there is nothing to find.
    stage.org.switch("pkce_forced_on_eca", False)
    stage.org.switch("allow_connected_app_creation", True)
    stage.org.add_user(OMAR, "Omar Haddad", profile="System Administrator")
    stage.configure(api_version=version)
    stage.source("PartnerIdpHandler", handler_class())
    stage.source("OtherHandler", handler_class("OtherHandler"))
    stage.declare(*strict(newest=version == "66.0"))
    stage.apply()
    assert [] == stage.findings()


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Callable[[str], Stage]]:
    """One applied project for each API version that a row asks for."""
    open_stages: dict[str, tuple[Any, Stage]] = {}

    def stage(version: str) -> Stage:
        if version not in open_stages:
            root = tmp_path_factory.mktemp("matrix") / version
            context = staged(root, fresh_org, lambda made: prepare(made, version))
            open_stages[version] = (context, context.__enter__())
        found = open_stages[version][1]
        found.restore()
        return found

    yield stage
    for context, _ in open_stages.values():
        context.__exit__(None, None, None)


@pytest.fixture
def stage(stages: Callable[[str], Stage]) -> Stage:
    return stages("66.0")


def reported(stage: Stage, paths: Mapping[str, Any] | None = None) -> set[tuple[str, str, str, str, str]]:
    """Each finding as address, field, severity, direction, and the id of who did it; all say what they mean.

    An entry of a keyed list counts as its list, if `paths` names that.
    """
    findings = stage.findings()
    assert [] == [one for one in findings if not one["meaning"].endswith(".")]
    return {
        (one["address"], field_of(one["path"], paths or {}), one["severity"], one["direction"], author(one))
        for one in findings
    }


def field_of(path: list[str], paths: Mapping[str, Any]) -> str:
    name = ".".join(path)
    return next((known for known in paths if name == known or name.startswith(f"{known}.")), name)


def author(finding: Mapping[str, Any]) -> str:
    """Who did it; of an enablement, whose row another reading gives no date of, who touched it last."""
    found = finding["attribution"]
    if "/enablements/" in finding["address"] and not found["by_id"]:
        return str(found["also_touched"][0]["by_id"])
    return str(found["by_id"])


def same(one: Value, other: Value) -> bool:
    """Whether two values read the same on the wire."""
    return wire(one) == wire(other)


def wire(value: Value) -> Any:
    return str(value).lower() if isinstance(value, bool | int) else value


def begin(stage: Stage, row: Row) -> None:
    """Where the strict org holds something else than the row begins with, that is what was applied and accepted."""
    admin = stage.person(stage.org.admin_username, version=row.version)
    before = {path: old for path, (old, _) in row.values.items() if not same(old, admin.held(row.address, path))}
    if before:
        admin.set_all(row.address, before)
        stage.accept(row.address)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_weakening_is_reported_with_severity_direction_and_person_and_so_is_the_way_back(
    stages: Callable[[str], Stage], row: Row
):
    """Whoever answers for the app, and hears of it from `drift` or from an incident."""
    stage = stages(row.version)
    begin(stage, row)
    dana, omar = (stage.person(name, version=row.version) for name in (DANA, OMAR))

    dana.set_all(row.address, {path: new for path, (_, new) in row.values.items()})

    found = reported(stage, row.values)
    assert found, "not reported"
    assert {(row.address, row.severity, "weakens", dana.id)} == {(a, s, d, who) for a, _, s, d, who in found}
    assert {path for _, path, *_ in found} <= set(row.values)
    stage.accept(row.address)

    omar.set_all(row.address, {path: old for path, (old, _) in row.values.items()})

    found = reported(stage, row.values)
    assert found, "the way back is not reported"
    assert {(row.address, row.back_severity, row.back, omar.id)} == {(a, s, d, who) for a, _, s, d, who in found}


# --- rows that are no edit of one record ------------------------------------------------------------------------------


def test_an_app_that_is_enabled_is_reported_and_one_that_is_taken_out_tightens(stage: Stage):
    """*enablements: app added*: a stranger's app may exchange tokens; the way back refuses somebody's client."""
    dana, omar = stage.person(DANA), stage.person(OMAR)

    dana.enable("PartnerIdp", "Marketing_Dashboard", user=INTEGRATION)
    omar.disable(SECOND)

    added, gone = f"{HANDLER}/enablements/Marketing_Dashboard", SECOND
    assert {(added, "", HIGH, "weakens", dana.id), (gone, "", MEDIUM, "tightens", omar.id)} == reported(stage)


def test_a_default_handler_that_moves_is_reported_on_both_sides(stage: Stage):
    """*isDefault moved*: the same request is answered by another handler. Moved back, it is moved again."""
    dana, omar = stage.person(DANA), stage.person(OMAR)

    dana.set(ENABLED, "isDefault", False)
    dana.set(SECOND, "isDefault", True)

    assert {(ENABLED, "isDefault", HIGH, "weakens", dana.id), (SECOND, "isDefault", HIGH, "weakens", dana.id)} == (
        reported(stage)
    )
    for address in (ENABLED, SECOND):
        stage.accept(address)
    omar.set(SECOND, "isDefault", False)
    omar.set(ENABLED, "isDefault", True)
    assert {(ENABLED, "isDefault", HIGH, "weakens", omar.id), (SECOND, "isDefault", HIGH, "weakens", omar.id)} == (
        reported(stage)
    )


def test_an_external_client_apps_key_that_is_rotated_is_critical_each_time(stage: Stage):
    """*consumerKey changed*: every client is locked out, and somebody holds the new key."""
    dana, omar = stage.person(DANA), stage.person(OMAR)

    dana.set(GLOBAL, "shouldRotateConsumerKey", True)

    assert {(GLOBAL, "consumerKey", CRITICAL, "weakens", dana.id)} == reported(stage)
    stage.accept(GLOBAL)
    omar.set(GLOBAL, "shouldRotateConsumerKey", True)
    assert {(GLOBAL, "consumerKey", CRITICAL, "weakens", omar.id)} == reported(stage)


def test_a_connected_app_that_is_replaced_has_another_key(stage: Stage):
    """*consumerKey changed*: everything else reads as before, and it is another app."""
    dana = stage.person(DANA)
    record = dana.record(PARTNER)

    dana.delete(PARTNER)
    dana.save("createMetadata", record)

    assert {(PARTNER, "", CRITICAL, "weakens", dana.id)} == reported(stage)


def test_a_callback_on_another_host_is_critical_both_ways(stage: Stage):
    """*callbackUrl: host changed*: nothing was added to the count, and logins end up elsewhere. So they do on the way back."""
    dana, omar = stage.person(DANA), stage.person(OMAR)
    (before, after) = ("https://a.acme.example/cb", "https://a.acme.example.evil.example/cb")

    for address, path in ((GLOBAL, "callbackUrl"), (LEGACY, "oauthConfig.callbackUrl")):
        dana.set(address, path, after)
        assert {(address, path, CRITICAL, "weakens", dana.id)} == reported(stage)
        stage.accept(address)
        omar.set(address, path, before)
        assert {(address, path, CRITICAL, "weakens", omar.id)} == reported(stage)
        stage.accept(address)


def test_the_table_covers_every_field_with_a_direction():
    """Whoever gives a further field a direction and forgets to see it reported."""
    seen = {(_kind(row.address), path.rpartition(".")[2]) for row in ROWS for path in row.values}
    seen |= {("OauthTokenExchangeHandler", name) for name in ("enablements", "isDefault")}
    seen |= {("ConnectedApp", "consumerKey"), ("ExtlClntAppGlobalOauthSettings", "consumerKey")}
    # Beyond the table.
    seen |= {
        ("ExtlClntAppOauthSettings", "clientAssertionCertificate"),
        ("ExtlClntAppOauthSecuritySettings", "tlsClientAuthCertParamValue"),
    }
    with_direction = {
        (kind, name.rpartition(".")[2]) for kind, schema in all_kinds().items() for name, _ in marked(kind, schema)
    }
    grouped = {(kind, name) for kind, name in with_direction if "+" in name}

    assert set() == with_direction - grouped - seen, "a field got a direction: add a row to ROWS above"


def _kind(address: str) -> str:
    return address.partition("/")[0]
