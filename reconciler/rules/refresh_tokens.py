"""Refresh tokens: who gets them, how long they live, from where they work, and whether one works twice."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from reconciler.rules import Broken, NotChecked, Verdicts, rule
from reconciler.rules.addresses import OAUTH_SETTINGS, SECURITY, Reach, reaches
from reconciler.rules.examples import WEB_SERVER
from reconciler.rules.flows import gives_refresh_tokens
from reconciler.rules.tokens import POLICIES_GUIDE
from reconciler.rules.unknowns import shown, some, unknown, unknowns
from reconciler.schema.paths import get
from reconciler.schema.severity import Severity
from reconciler.world.apps import GLOBAL, OAUTH, OAUTH_POLICY, REFRESH_POLICY, ROTATION, SCOPES, App, Setting
from reconciler.world.world import UNKNOWN, Unknown, World

VALIDITY_PERIOD = Setting("", OAUTH_POLICY, "refreshTokenValidityPeriod")
VALIDITY_UNIT = Setting("", OAUTH_POLICY, "refreshTokenValidityUnit")

MAX_IDLE_DAYS = 30
SECURITY_SINCE = 64
"""The first API version that shows the addresses that refresh tokens may be used from."""
_DAYS = {"hours": 1 / 24, "days": 1, "months": 30}
_CONNECTED_POLICY = re.compile(r"specific_(lifetime|inactivity):([0-9]+):(HOURS|DAYS|MONTHS)")


class RefreshPolicy(NamedTuple):
    """How long an app's refresh tokens live."""

    type: str
    """`infinite`, `zero`, `lifetime`, `inactivity`; anything else as it stands there."""
    days: float | None = None
    """`None` where the type has none, or where it is not known."""


def refresh_policy(app: App) -> RefreshPolicy | Unknown:
    """The policy of an app of either sort; what was never set is the platform's default."""
    value = app.value(REFRESH_POLICY)
    if isinstance(value, Unknown):
        return value
    if app.is_connected:
        text = str(value or "infinite")
        found = _CONNECTED_POLICY.fullmatch(text)
        return RefreshPolicy(found[1], int(found[2]) * _DAYS[found[3].casefold()]) if found else RefreshPolicy(text)
    text = str(value or "SpecificLifetime")
    period, unit = app.value(VALIDITY_PERIOD), app.value(VALIDITY_UNIT)
    days = period * _DAYS.get(str(unit).casefold(), 0) if isinstance(period, int) and unit is not UNKNOWN else None
    return RefreshPolicy(text.casefold().removeprefix("specific"), days or None)


def _thirty_days(app: App) -> str:
    if app.is_connected:
        return "write refreshTokenPolicy: specific_inactivity:30:DAYS under oauthPolicy"
    return (
        "write refreshTokenPolicyType: SpecificInactivity, refreshTokenValidityPeriod: 30 and "
        "refreshTokenValidityUnit: Days under oauthPolicies"
    )


@rule(
    "OA03",
    Severity.MEDIUM,
    "An app that gets refresh tokens has them rotated",
    hurts="A refresh token that was stolen once works for as long as its owner's does, and nobody notices.",
    source=f"{OAUTH_SETTINGS}, step 13: a security best practice; RFC 9700 §4.14.2",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("isRefreshTokenRotationEnabled: true", "isRefreshTokenRotationEnabled: false"),
)
def rotation(world: World) -> Verdicts:
    for app in world.apps():
        rotates, refreshes, policy = app.value(ROTATION), gives_refresh_tokens(app), refresh_policy(app)
        # A refresh token that is void at once need not be rotated.
        if rotates is True or rotates is None or refreshes is False:
            continue
        if policy is not UNKNOWN and policy.type == "zero":
            continue
        if UNKNOWN in (rotates, refreshes, policy):
            yield from unknowns(app, ROTATION, SCOPES, REFRESH_POLICY)
            continue
        address, path = app.spot(ROTATION)
        message = "the app gets refresh tokens, and one works as often as it is used"
        mend = f"write {app.write(ROTATION, 'true')}, once the client keeps the new token that each refresh brings"
        yield Broken(address, message, path, mend, also=app.elsewhere(ROTATION, SCOPES, REFRESH_POLICY))


@rule(
    "OA14",
    Severity.HIGH,
    "A refresh token policy that ends after a time says after which, and only such a policy does",
    hurts="The org refuses the deployment, or refresh tokens live for another time than the file's reader believes.",
    source=f"{POLICIES_GUIDE} and ConnectedApp (refreshTokenPolicy)",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("  refreshTokenValidityPeriod: 30\n", ""),
)
def refresh_policies(world: World) -> Verdicts:
    for app in world.apps():
        value = app.value(REFRESH_POLICY)
        if value is UNKNOWN:
            yield from unknowns(app, REFRESH_POLICY)
        elif app.is_connected:
            yield from _connected_policy(app, str(value or "infinite"))
        elif str(value).startswith("Specific"):
            yield from _timed(app, str(value))
        else:
            yield from _untimed(app, str(value))


def _connected_policy(app: App, text: str) -> Iterator[Broken]:
    address, path = app.spot(REFRESH_POLICY)
    policy = refresh_policy(app)
    mend = "write infinite, zero, specific_lifetime:N:DAYS or specific_inactivity:N:DAYS (HOURS, DAYS or MONTHS)"
    if text not in ("infinite", "zero") and policy is not UNKNOWN and not policy.days:
        yield Broken(address, f"{shown(text)} is not a refresh token policy", path, mend)


def _timed(app: App, kind: str) -> Verdicts:
    period, unit = app.value(VALIDITY_PERIOD), app.value(VALIDITY_UNIT)
    # Where no one chose a policy, the org fills in all three.
    if period is None and unit is None and not _declares(app, REFRESH_POLICY):
        return
    yield from unknowns(app, VALIDITY_PERIOD, VALIDITY_UNIT)
    for setting, value, fits, example in (
        (VALIDITY_PERIOD, period, isinstance(period, int) and period > 0, "30"),
        (VALIDITY_UNIT, unit, str(unit).casefold() in _DAYS, "Days"),
    ):
        address, path = app.spot(setting)
        if value is not UNKNOWN and not fits:
            what = "is not given" if value in (None, "") else f"is {shown(str(value))}"
            message = f"refreshTokenPolicyType is {kind}, and {path[-1]} {what}"
            yield Broken(address, message, path, f"write {path[-1]}: {example}, say")


def _untimed(app: App, kind: str) -> Iterator[Broken]:
    """Only what a file says: what an org keeps beside the policy means nothing there."""
    for setting in (VALIDITY_PERIOD, VALIDITY_UNIT):
        address, path = app.spot(setting)
        if _declares(app, setting):
            message = f"{path[-1]} means nothing where refreshTokenPolicyType is {kind}"
            mend = "remove the line, or write refreshTokenPolicyType: SpecificInactivity"
            yield Broken(address, message, path, mend)


def _declares(app: App, setting: Setting) -> bool:
    address, path = app.spot(setting)
    declared = app.world.declared.get(address)
    return declared is not None and get(address.struct, declared.body, path) is not None


_PACKAGED = WEB_SERVER.but("distributionState: Local", "distributionState: Packaged").but(
    "oauthPolicies:\n",
    """\
oauthSecuritySettings:
  tokenIpRanges:
  - {startIpAddress: 192.0.2.1, endIpAddress: 192.0.2.20}
oauthPolicies:
""",
)
"""A partner's web application, which customers install."""

_MANDATE = (
    "Salesforce packaging guide, Secure Your Connected Apps and External Client Apps (secure_code_ac_eca), for partners' apps "
    "that more than two customers use in production; the dates from which it is enforced differ (2026-05-11, 2026-06-25)"
)


@rule(
    "OA24",
    Severity.MEDIUM,
    "A packaged external client app limits its refresh tokens to 30 idle days and to the addresses of its servers",
    hurts="Salesforce may suspend the partner's application, and a token that is stolen from the partner works from anywhere.",
    source=f"{_MANDATE}; Salesforce Help 005225370, which exempts native apps. PKCE and rotation are OA01 and OA03",
    good=_PACKAGED,
    bad=_PACKAGED.but("refreshTokenValidityPeriod: 30", "refreshTokenValidityPeriod: 90"),
)
def partners(world: World) -> Verdicts:
    for app in world.apps():
        if app.is_connected:
            continue
        state, refreshes = world.value(app.address, ("distributionState",)), gives_refresh_tokens(app)
        if refreshes is False or (state is not UNKNOWN and state not in ("Packaged", "Managed")):
            continue
        if state is UNKNOWN:
            yield unknown(world, app.address, ("distributionState",))
            continue
        yield from unknowns(app, SCOPES, REFRESH_POLICY)
        policy = refresh_policy(app)
        # One without an end is OA25's.
        if refreshes is True and policy is not UNKNOWN and policy.type in ("lifetime", "inactivity"):
            yield from _idle(app, policy)
        if refreshes is True and (policy is UNKNOWN or policy.type != "zero"):
            yield from _allow_list(app)


def _idle(app: App, policy: RefreshPolicy) -> Verdicts:
    yield from unknowns(app, VALIDITY_PERIOD, VALIDITY_UNIT)
    limited = app.value_of(GLOBAL, "isEnforceRefreshTokenTTL") is True
    address, path = app.spot(REFRESH_POLICY)
    if limited or UNKNOWN in (app.value(VALIDITY_PERIOD), app.value(VALIDITY_UNIT)):
        return
    if policy.type == "lifetime" or (policy.days or 0) > MAX_IDLE_DAYS:
        idle = "as long as they live" if policy.type == "lifetime" else f"{policy.days:g} days"
        message = f"refresh tokens may lie idle for {idle}; partners may allow {MAX_IDLE_DAYS} days"
        yield Broken(
            address, message, path, _thirty_days(app), also=(app.address, *app.elsewhere(REFRESH_POLICY, SCOPES))
        )


def _allow_list(app: App) -> Verdicts:
    address, path = app.satellite(SECURITY), ("tokenIpRanges",)
    world = app.world
    version = float(world.org.api_version or 0) if world.org is not None else 0.0
    ranges, found = world.value(address, path), reaches(app)
    if some(ranges) or (found and Reach.WEB not in found):
        return
    if ranges is UNKNOWN:
        yield unknown(world, address, path)
    elif 0 < version < SECURITY_SINCE:
        message = f"API version {version} does not show from where refresh tokens work; {SECURITY_SINCE}.0 does"
        yield NotChecked(address, message, path)
    else:
        message = "refresh tokens work from every address"
        mend = "write tokenIpRanges under oauthSecuritySettings, with the addresses of the servers"
        if world.has(address) is True:
            yield Broken(address, message, path, mend, also=(app.address,))
        else:
            yield Broken(app.address, message, (), mend, also=(address, app.satellite(OAUTH)))


@rule(
    "OA25",
    Severity.MEDIUM,
    "Refresh tokens that an app gets end some day, and its files say when",
    hurts="A refresh token that was lost years ago still opens the org; or, where the org limits idle tokens, it ends after "
    "30 days although the metadata says that it never does.",
    source="Salesforce Help, Limit the Idle Refresh Token TTL in Connected Apps (connected_app_limit_idle_ttl) and in "
    "External Client Apps (eca_limit_idle_refresh_token_ttl)",
    good=WEB_SERVER,
    bad=WEB_SERVER.but(
        "  refreshTokenPolicyType: SpecificInactivity\n"
        "  refreshTokenValidityPeriod: 30\n"
        "  refreshTokenValidityUnit: Days\n",
        "  refreshTokenPolicyType: Infinite\n",
    ),
)
def endless(world: World) -> Verdicts:
    for app in world.apps():
        refreshes, policy = gives_refresh_tokens(app), refresh_policy(app)
        if refreshes is False or (policy is not UNKNOWN and policy.type != "infinite"):
            continue
        if UNKNOWN in (refreshes, policy):
            yield from unknowns(app, SCOPES, REFRESH_POLICY)
            continue
        address, path = app.spot(REFRESH_POLICY)
        said = "is not set, which means infinite" if app.value(REFRESH_POLICY) is None else "has no end"
        yield Broken(
            address,
            f"the refresh token policy {said}",
            path,
            _thirty_days(app),
            also=app.elsewhere(REFRESH_POLICY, SCOPES),
        )
