"""A mistake that two records make together is found by whichever plan makes it, of the one or of the other."""

from collections.abc import Mapping
from datetime import date

import pytest

from reconciler.model.facts import Facts
from reconciler.rules import all_rules, judging
from reconciler.rules.settings import RuleSettings
from reconciler.schema.values import Body
from tests.build import baseline, desired, live, plan

APP, OTHER, CONNECTED = "ExternalClientApplication/shop", "ExternalClientApplication/desk", "ConnectedApp/Shop"
FLOWS, OTHER_FLOWS = "ExtlClntAppGlobalOauthSettings/shop", "ExtlClntAppGlobalOauthSettings/desk"
SCOPES, POLICIES = "ExtlClntAppOauthSettings/shop", "ExtlClntAppOauthConfigurablePolicies/shop"
HANDLER, SECOND = "OauthTokenExchangeHandler/Idp", "OauthTokenExchangeHandler/Next"
ENABLED, ENABLED_TOO = f"{HANDLER}/enablements/shop", f"{SECOND}/enablements/shop"
CLASS = "ApexClass/Exchange"
ORG = "OauthOidcSettings/OauthOidc"

Records = Mapping[str, Body]
APPROVED: Body = {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}
EVERYBODY: Body = {"permittedUsersPolicyType": "AllSelfAuthorized"}
FOR_SHOP: Body = {"externalClientApp": "shop", "apexExecutionUser": "robot@acme.example", "isDefault": True}
SHOP: Records = {APP: {"label": "Shop"}, SCOPES: {"commaSeparatedOauthScopes": "Api"}}


def exchanging(developer: bool, admin: bool, users: Body = APPROVED) -> Records:
    return {
        **SHOP,
        FLOWS: {"callbackUrl": "https://shop.example", "isTokenExchangeEnabled": developer},
        POLICIES: {**users, "isTokenExchangeFlowEnabled": admin},
        HANDLER: {"tokenHandlerApex": "Exchange", "isEnabled": True, "isJwtSupported": True},
        CLASS: {"content": "class Exchange {}"},
    }


def programs(developer: bool, admin: bool) -> Records:
    return {
        **SHOP,
        FLOWS: {"callbackUrl": "https://shop.example", "isClientCredentialsFlowEnabled": developer},
        POLICIES: {"isClientCredentialsFlowEnabled": admin, "clientCredentialsFlowUser": "robot@acme.example"},
    }


def headless(app: bool, org: bool) -> Records:
    return {
        **SHOP,
        FLOWS: {"callbackUrl": "https://shop.example", "isCodeCredFlowEnabled": app},
        ORG: {"oAuthCdCrdtFlowEnable": org},
    }


def looking(one: bool, other: bool) -> Records:
    return {
        **SHOP,
        OTHER: {"label": "Desk"},
        FLOWS: {"callbackUrl": "https://shop.example", "isIntrospectAllTokens": one},
        OTHER_FLOWS: {"callbackUrl": "https://desk.example", "isIntrospectAllTokens": other},
    }


def defaults(one: bool, other: bool) -> Records:
    both = {SECOND: exchanging(True, True)[HANDLER]}
    enabled: Records = {ENABLED: {**FOR_SHOP, "isDefault": one}, ENABLED_TOO: {**FOR_SHOP, "isDefault": other}}
    return {**exchanging(True, True), **both, **enabled}


def without(records: Records, gone: str) -> Records:
    return {address: body for address, body in records.items() if address != gone}


ON: Records = {ENABLED: FOR_SHOP}
ASSETS: Body = {
    "commaSeparatedOauthScopes": "Api, OpenID",
    "assetTokenSigningCertificate": "Devices",
    "assetTokenAudiences": "https://devices.example",
    "assetTokenValidity": 10,
}
NAMESAKES: Records = {**SHOP, CONNECTED: {"label": "Shop", "contactEmail": "it@acme.example"}}
BEFORE_AND_AFTER: dict[str, tuple[str, Records, Records]] = {
    "CC01 by the policies": ("CC01", programs(False, False), programs(False, True)),
    "CC01 by the settings": ("CC01", programs(False, False), programs(True, False)),
    "CC01 by switching one off": ("CC01", programs(True, True), programs(True, False)),
    "TX01 by the app": ("TX01", {**exchanging(True, True), **ON}, {**exchanging(False, True), **ON}),
    "TX01 by the enablement": ("TX01", exchanging(False, False), {**exchanging(False, False), **ON}),
    "TX01 by the policies": ("TX01", exchanging(False, False), exchanging(False, True)),
    "TX02 by the policies": ("TX02", {**exchanging(True, True), **ON}, {**exchanging(True, False), **ON}),
    "TX02 by the enablement": ("TX02", exchanging(False, False), {**exchanging(False, False), **ON}),
    "TX02 by the app": ("TX02", exchanging(False, False), exchanging(True, False)),
    "TX03 by the policies": ("TX03", exchanging(True, True), exchanging(True, True, EVERYBODY)),
    "TX03 by the app": ("TX03", exchanging(False, False, EVERYBODY), exchanging(True, False, EVERYBODY)),
    "TX03 by the enablement": (
        "TX03",
        exchanging(False, False, EVERYBODY),
        {**exchanging(False, False, EVERYBODY), **ON},
    ),
    "TX07 by the enablement": (
        "TX07",
        exchanging(True, True),
        {**exchanging(True, True), f"{HANDLER}/enablements/shopp": {**FOR_SHOP, "externalClientApp": "shopp"}},
    ),
    "TX08 by the first": ("TX08", defaults(False, True), defaults(True, True)),
    "TX08 by the second": ("TX08", defaults(True, False), defaults(True, True)),
    "TX09 by the one that was the default": ("TX09", defaults(True, False), defaults(False, False)),
    "TX09 by its removal": ("TX09", defaults(True, False), without(defaults(True, False), ENABLED)),
    "OA10 by the first": ("OA10", looking(False, True), looking(True, True)),
    "OA10 by the second": ("OA10", looking(True, False), looking(True, True)),
    "OA15 by the app": ("OA15", headless(False, False), headless(True, False)),
    "OA15 by the org": ("OA15", headless(True, True), headless(True, False)),
    "OA08 by the asset tokens": ("OA08", {**SHOP, FLOWS: {}}, {APP: SHOP[APP], SCOPES: ASSETS, FLOWS: {}}),
    "RF05 by the external client app": ("RF05", without(NAMESAKES, APP), NAMESAKES),
    "RF05 by the connected app": ("RF05", without(NAMESAKES, CONNECTED), NAMESAKES),
}


def planned(rule: str, before: Records, after: Records) -> list[str]:
    """What one rule says of the plan that leads from one org to another, and touches what differs only."""
    have = live(before)
    changed = {address: body for address, body in after.items() if before.get(address) != body}
    gone = {address: body for address, body in before.items() if address not in after}
    draft = plan(desired(changed), have, baseline(gone))
    assert {*changed, *gone} == {str(change.address) for change in draft.changes}
    settings = RuleSettings({id: None for id in all_rules() if id != rule})
    bodies = judging.planned(have, draft.changes)
    found, _ = judging.plan(bodies, draft, desired(changed), have, Facts(), settings, date(2026, 11, 22))
    return [one.id for one in found]


@pytest.mark.parametrize(
    ("rule", "before", "after"), BEFORE_AND_AFTER.values(), ids=[name.replace(" ", "_") for name in BEFORE_AND_AFTER]
)
def test_whichever_record_breaks_a_rule_is_stopped(rule: str, before: Records, after: Records) -> None:
    """The second half of a mistake is made by another team than the first, in a file that does not show it."""
    assert [rule] == planned(rule, before, after)
