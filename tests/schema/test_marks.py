"""Which changes weaken security, and how badly: each row of the facts' table "security direction of a change"."""

from typing import Any

import pytest

from reconciler.kinds import all_kinds
from reconciler.plan.diff import field_changes
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body

CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
ON, OFF = (False, True), (True, False)
"""What happens to a switch."""

APP = "ConnectedApp"
GLOBAL = "ExtlClntAppGlobalOauthSettings"
OAUTH = "ExtlClntAppOauthSettings"
POLICY = "ExtlClntAppOauthConfigurablePolicies"
APP_POLICY = "ExtlClntAppConfigurablePolicies"
SECURITY = "ExtlClntAppOauthSecuritySettings"
HANDLER = "OauthTokenExchangeHandler"

Row = tuple[str, str, Any, Any, Severity]


def switches(severity: Severity, change: tuple[bool, bool], *fields: str) -> list[Row]:
    """Rows for switches, each written `Kind/path`."""
    return [(*field.split("/"), *change, severity) for field in fields]  # type: ignore[misc]


def _ranges(start: str, end: str, *pairs: tuple[str, str]) -> list[Body]:
    return [{start: first, end: last} for first, last in pairs]


NARROW, WIDE = ("10.0.0.1", "10.0.0.9"), ("10.0.0.1", "10.0.9.9")

ONE_WAY: list[Row] = [
    # permittedUsersPolicyType / isAdminApproved
    (POLICY, "permittedUsersPolicyType", "AdminApprovedPreAuthorized", "AllSelfAuthorized", CRITICAL),
    (APP, "oauthConfig.isAdminApproved", True, False, CRITICAL),
    # scopes
    (APP, "oauthConfig.scopes", ["Api"], ["Api", "Full"], CRITICAL),
    (APP, "oauthConfig.scopes", ["Api"], ["Api", "Web"], HIGH),
    (OAUTH, "commaSeparatedOauthScopes", ["Api"], ["Api", "Full"], CRITICAL),
    (OAUTH, "commaSeparatedOauthScopes", ["Api"], ["Api", "Web"], HIGH),
    (OAUTH, "commaSeparatedCustomScopes", [], ["orders"], HIGH),
    (POLICY, "commaSeparatedCustomScopes", [], ["orders"], HIGH),
    ("OauthCustomScope", "assignedTo", [], [{"connectedApp": "Legacy_ERP"}], HIGH),
    # callbackUrl
    (APP, "oauthConfig.callbackUrl", ["https://a.example"], ["https://a.example", "https://b.example"], CRITICAL),
    (GLOBAL, "callbackUrl", ["https://a.example"], ["https://a.example", "http://b.example"], CRITICAL),
    # secrets
    *switches(
        HIGH,
        OFF,
        f"{GLOBAL}/isSecretRequiredForTokenExchange",
        f"{GLOBAL}/isSecretRequiredForRefreshToken",
        f"{APP}/oauthConfig.isSecretRequiredForTokenExchange",
        f"{APP}/oauthConfig.isSecretRequiredForRefreshToken",
    ),
    *switches(HIGH, ON, f"{GLOBAL}/isConsumerSecretOptional", f"{APP}/oauthConfig.isConsumerSecretOptional"),
    # PKCE. That of an external client app cannot go off for real; a baseline may still have seen it otherwise.
    *switches(
        HIGH, OFF, f"{GLOBAL}/isPkceRequired", f"{APP}/oauthConfig.isPkceRequired", "OauthOidcSettings/isPkceRequired"
    ),
    # rotation, lifetimes, sender constraints
    *switches(
        HIGH,
        OFF,
        f"{GLOBAL}/isRefreshTokenRotationEnabled",
        f"{GLOBAL}/isEnforceRefreshTokenTTL",
        f"{GLOBAL}/isDPopEnabled",
        f"{GLOBAL}/isMtlsEnabled",
        f"{APP}/oauthConfig.isRefreshTokenRotationEnabled",
        f"{APP}/oauthConfig.isEnforceRefreshTokenTTL",
        f"{APP}/oauthConfig.isDPopEnabled",
        f"{APP}/oauthConfig.isPKImTLSEnabled",
    ),
    *switches(MEDIUM, OFF, f"{APP}/oauthConfig.isIpBindingEnabled"),
    # ipRelaxation, each step of the scale
    (APP, "oauthPolicy.ipRelaxation", "ENFORCE", "ENFORCE_RELAXREFRESH", HIGH),
    (APP, "oauthPolicy.ipRelaxation", "ENFORCE_RELAXREFRESH", "BYPASS_2FACTOR", HIGH),
    (APP, "oauthPolicy.ipRelaxation", "BYPASS_2FACTOR", "BYPASS", HIGH),
    (POLICY, "ipRelaxationPolicyType", "Enforce", "Enforce_relaxrefresh", HIGH),
    (POLICY, "ipRelaxationPolicyType", "Enforce_relaxrefresh", "Bypass_2factor", HIGH),
    (POLICY, "ipRelaxationPolicyType", "Bypass_2factor", "Bypass", HIGH),
    # address ranges: widened, or emptied
    (APP, "ipRanges", _ranges("start", "end", NARROW), _ranges("start", "end", WIDE), HIGH),
    (APP, "ipRanges", _ranges("start", "end", NARROW), [], HIGH),
    (OAUTH, "trustedIpRanges", _ranges("startIpAddress", "endIpAddress", NARROW), [], HIGH),
    (
        OAUTH,
        "trustedIpRanges",
        _ranges("startIpAddress", "endIpAddress", NARROW),
        _ranges("startIpAddress", "endIpAddress", WIDE),
        HIGH,
    ),
    (SECURITY, "tokenIpRanges", _ranges("startIpAddress", "endIpAddress", NARROW), [], HIGH),
    # refresh policy of connected apps (that of external client apps is a group, below)
    (APP, "oauthPolicy.refreshTokenPolicy", "zero", "specific_lifetime:24:HOURS", MEDIUM),
    (APP, "oauthPolicy.refreshTokenPolicy", "specific_inactivity:30:DAYS", "specific_inactivity:2:MONTHS", MEDIUM),
    (APP, "oauthPolicy.refreshTokenPolicy", "specific_lifetime:12:MONTHS", "infinite", HIGH),
    # timeouts and validity
    (APP, "sessionPolicy.sessionTimeout", 15, 120, MEDIUM),
    (APP, "oauthConfig.idTokenConfig.idTokenValidity", 2, 720, MEDIUM),
    (APP, "oauthConfig.assetTokenConfig.assetValidityPeriod", 10, 100, MEDIUM),
    (GLOBAL, "idTokenConfig.idTokenValidityInMinutes", 2, 720, MEDIUM),
    (OAUTH, "assetTokenValidity", 10, 100, MEDIUM),
    (POLICY, "sessionTimeoutInMinutes", 15, 120, MEDIUM),
    (POLICY, "guestJwtTimeout", 5, 30, MEDIUM),
    (POLICY, "namedUserJwtTimeout", 5, 30, MEDIUM),
    # session level and what happens below it
    (POLICY, "requiredSessionLevel", "HIGH_ASSURANCE", "STANDARD", MEDIUM),
    (POLICY, "requiredSessionLevel", "STANDARD", "LOW", MEDIUM),
    (POLICY, "policyAction", "RaiseSessionLevel", None, MEDIUM),
    (POLICY, "policyAction", "StepUpMFA", None, MEDIUM),
    (APP, "sessionPolicy.policyAction", "RaiseSessionLevel", None, MEDIUM),
    (APP, "sessionPolicy.sessionLevel", "HIGH_ASSURANCE", "STANDARD", MEDIUM),
    # introspection and flows
    *switches(
        HIGH,
        ON,
        f"{APP}/oauthConfig.isIntrospectAllTokens",
        f"{APP}/oauthConfig.isTokenExchangeEnabled",
        f"{APP}/oauthConfig.isClientCredentialEnabled",
        f"{APP}/oauthConfig.isDeviceFlowEnabled",
        f"{APP}/oauthConfig.isCodeCredentialEnabled",
        f"{APP}/oauthConfig.isNamedUserJwtEnabled",
        f"{APP}/oauthPolicy.isTokenExchangeFlowEnabled",
        f"{GLOBAL}/isIntrospectAllTokens",
        f"{GLOBAL}/isTokenExchangeEnabled",
        f"{GLOBAL}/isClientCredentialsFlowEnabled",
        f"{GLOBAL}/isDeviceFlowEnabled",
        f"{GLOBAL}/isCodeCredFlowEnabled",
        f"{GLOBAL}/isNamedUserJwtEnabled",
        f"{POLICY}/isTokenExchangeFlowEnabled",
        f"{POLICY}/isClientCredentialsFlowEnabled",
        f"{POLICY}/isGuestCodeCredFlowEnabled",
        f"{POLICY}/isNamedUserJwtEnabled",
        "OauthOidcSettings/oAuthCdCrdtFlowEnable",
    ),
    # handlers
    *switches(
        HIGH,
        ON,
        f"{HANDLER}/isAccessTokenSupported",
        f"{HANDLER}/isIdTokenSupported",
        f"{HANDLER}/isJwtSupported",
        f"{HANDLER}/isRefreshTokenSupported",
        f"{HANDLER}/isSaml2Supported",
        f"{HANDLER}/isUserCreationAllowed",
        f"{HANDLER}/isContactCreationAllowed",
    ),
    (HANDLER, "enablements", [], [{"externalClientApp": "a", "apexExecutionUser": "u", "isDefault": False}], HIGH),
    # who is pre-authorised
    (POLICY, "commaSeparatedPermissionSet", ["A"], ["A", "B"], HIGH),
    (POLICY, "commaSeparatedProfile", ["A"], ["A", "System Administrator"], HIGH),
    (APP, "permissionSetName", ["A"], ["A", "B"], HIGH),
    (APP, "profileName", ["A"], ["A", "System Administrator"], HIGH),
    # whole apps and handlers switched on
    *switches(MEDIUM, ON, f"{APP_POLICY}/isEnabled", f"{APP_POLICY}/isOauthPluginEnabled", f"{HANDLER}/isEnabled"),
    # settings
    *switches(
        MEDIUM,
        ON,
        "ExternalClientAppSettings/enableClientSecretInRestApiAccess",
        "ExternalClientAppSettings/enableConsumerSecretApiAccess",
    ),
    *switches(
        HIGH,
        OFF,
        "OauthOidcSettings/blockOAuthUnPwFlow",
        "OauthOidcSettings/blockOAuthUsrAgtFlow",
        "ConnectedAppSettings/enableAdminApprovedAppsOnly",
        "ConnectedAppSettings/enableAdminApprovedAppsOnlyForExternalUser",
    ),
]

# Trust goes to somebody or something else: there is no way back that is safer by itself.
EITHER_WAY: list[Row] = [
    (POLICY, "clientCredentialsFlowUser", "a@acme.example", "admin@acme.example", CRITICAL),
    (POLICY, "executeHandlerAs", "a@acme.example", "admin@acme.example", CRITICAL),
    (POLICY, "apexHandler", "A", "B", CRITICAL),
    (APP, "oauthConfig.oauthClientCredentialUser", "a@acme.example", "admin@acme.example", CRITICAL),
    (APP, "pluginExecutionUser", "a@acme.example", "admin@acme.example", CRITICAL),
    (APP, "plugin", "A", "B", CRITICAL),
    (HANDLER, "tokenHandlerApex", "A", "B", CRITICAL),
    ("ApexClass", "content", "class A {}", "class A { }", CRITICAL),
    (APP, "oauthConfig.certificate", "A", "B", CRITICAL),
    (GLOBAL, "certificate", "A", "B", CRITICAL),
    (APP, "oauthConfig.consumerKey", "A", "B", CRITICAL),
    (GLOBAL, "consumerKey", "A", "B", CRITICAL),
]


def body(path: str, value: Any) -> Body:
    """A record that holds one value, at a path; nothing at all for `None`."""
    name, _, rest = path.partition(".")
    return {name: body(rest, value) if rest else value} if value is not None or rest else {}


def verdict(kind: str, path: str, old: Any, new: Any) -> tuple[Direction, Severity]:
    """The worst of what changes: an entry of a keyed list may be one that goes and one that comes."""
    changes = field_changes(all_kinds()[kind], body(path, old), body(path, new))
    assert changes, "nothing changed"
    return max(((c.direction, c.severity) for c in changes), key=lambda v: (v[0] is Direction.WEAKENS, v[1]))


def named(rows: list[Row]) -> list[Any]:
    return [pytest.param(*row, id=f"{row[0]}.{row[1]}: {row[2]} to {row[3]}") for row in rows]


@pytest.mark.parametrize(("kind", "path", "old", "new", "severity"), named(ONE_WAY + EITHER_WAY))
def test_a_change_that_weakens_says_how_badly(kind, path, old, new, severity):
    """Whoever sets --fail-on high and goes to sleep."""
    assert (Direction.WEAKENS, severity) == verdict(kind, path, old, new)


@pytest.mark.parametrize(("kind", "path", "old", "new", "severity"), named(ONE_WAY))
def test_the_way_back_tightens(kind, path, old, new, severity):
    """Whoever would learn to ignore warnings about what they just repaired."""
    assert Direction.TIGHTENS == verdict(kind, path, new, old)[0]


@pytest.mark.parametrize(("kind", "path", "old", "new", "severity"), named(EITHER_WAY))
def test_trust_that_moves_back_is_as_grave(kind, path, old, new, severity):
    """Whoever restores a user or a class that was taken out for a reason."""
    assert (Direction.WEAKENS, severity) == verdict(kind, path, new, old)


@pytest.mark.parametrize(
    ("old", "new", "severity"), [("A", None, CRITICAL), (None, "A", HIGH)], ids=["removed", "first one"]
)
def test_a_certificate_that_goes_locks_clients_out_and_a_first_one_switches_a_flow_on(old, new, severity):
    """Whoever finds every pipeline locked out, or a login flow that nobody asked for."""
    assert (Direction.WEAKENS, severity) == verdict(GLOBAL, "certificate", old, new)


@pytest.mark.parametrize(
    ("kind", "path"), [(APP_POLICY, "isEnabled"), (APP_POLICY, "isOauthPluginEnabled"), (HANDLER, "isEnabled")]
)
def test_switching_off_is_an_outage(kind, path):
    """Whoever runs the app that nobody can log in to any more."""
    assert (Direction.TIGHTENS, MEDIUM) == verdict(kind, path, True, False)


def test_a_spelling_that_nobody_documents_has_no_direction():
    """The literals of sessionLevel differ from page to page of the documentation."""
    assert (Direction.NEUTRAL, MEDIUM) == verdict(APP, "sessionPolicy.sessionLevel", "HIGH_ASSURANCE", "High Assurance")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (("Zero", None, None), ("SpecificLifetime", 1, "Hours"), (Direction.WEAKENS, MEDIUM)),
        (("SpecificInactivity", 30, "Days"), ("SpecificInactivity", 2, "Months"), (Direction.WEAKENS, MEDIUM)),
        (("SpecificLifetime", 365, "Days"), ("Infinite", None, None), (Direction.WEAKENS, HIGH)),
        (("Infinite", None, None), ("SpecificLifetime", 365, "Days"), (Direction.TIGHTENS, Severity.LOW)),
        (("SpecificLifetime", 2, "Days"), ("SpecificLifetime", 24, "Hours"), (Direction.TIGHTENS, Severity.LOW)),
    ],
)
def test_a_refresh_token_lifetime_is_judged_as_a_whole(old, new, expected):
    """Whoever reads "30 to 2" and does not see that days became months."""
    fields = ("refreshTokenPolicyType", "refreshTokenValidityPeriod", "refreshTokenValidityUnit")
    before, after = (
        {name: value for name, value in zip(fields, side, strict=True) if value is not None} for side in (old, new)
    )
    changes = field_changes(all_kinds()[POLICY], before, after)

    assert {expected} == {(change.direction, change.severity) for change in changes}


@pytest.mark.parametrize(
    ("field", "old", "new", "severity"),
    [("apexExecutionUser", "a@acme.example", "admin@acme.example", CRITICAL), ("isDefault", False, True, HIGH)],
)
def test_an_enablement_is_judged_by_itself(field, old, new, severity):
    """Whoever's handler suddenly runs as an administrator."""
    same = {"externalClientApp": "order_portal", "apexExecutionUser": "x", "isDefault": False}
    struct = all_kinds()[HANDLER].fields()["enablements"].struct
    (alone,) = field_changes(struct, {**same, field: old}, {**same, field: new})
    (inside,) = field_changes(
        all_kinds()[HANDLER], {"enablements": [{**same, field: old}]}, {"enablements": [{**same, field: new}]}
    )

    assert (Direction.WEAKENS, severity) == (alone.direction, alone.severity)
    assert (Direction.WEAKENS, severity) == (inside.direction, inside.severity)


def test_fields_outside_the_table_are_low_and_neutral():
    """Whoever renames an app."""
    assert (Direction.NEUTRAL, Severity.LOW) == verdict(GLOBAL, "label", "a", "b")


def test_every_field_with_a_mark_is_in_the_tables():
    """Whoever adds a mark that no source asks for."""
    seen = {(kind, path.split(".")[-1]) for kind, path, *_ in ONE_WAY + EITHER_WAY}
    seen |= {(HANDLER, "apexExecutionUser"), (HANDLER, "isDefault")}
    # Beyond the table: SAML's certificate is one too, and a changed certificate subject or assertion key is another client.
    seen |= {(APP, "certificate"), (SECURITY, "tlsClientAuthCertParamValue"), (OAUTH, "clientAssertionCertificate")}
    marked = {(name, field) for name, kind in all_kinds().items() for field in _marked(kind)}

    assert set() == marked - seen, "a new mark: add a row to ONE_WAY or EITHER_WAY above"


def _marked(struct: Any) -> set[str]:
    from reconciler.schema.severity import Weaker

    found = {name for name, field in struct.fields().items() if field.has(Weaker)}
    for field in struct.fields().values():
        found |= _marked(field.struct) if field.struct is not None else set()
    return found
