"""Rules on references and on the shape of an app, beyond their two examples."""

from dataclasses import replace

import pytest

from reconciler.model.address import Address
from reconciler.model.facts import Facts
from reconciler.rules import Broken
from reconciler.schema.severity import Severity
from tests.rules.apps import ORG, Bodies, broken, connected, external, in_files, in_org, unchecked, verdicts

OAUTH, GLOBAL = "ExtlClntAppOauthSettings/shop", "ExtlClntAppGlobalOauthSettings/shop"
POLICIES = "ExtlClntAppOauthConfigurablePolicies/shop"
SCOPES = {"commaSeparatedOauthScopes": "Api"}


def without_app(bodies: Bodies) -> Bodies:
    return {address: body for address, body in bodies.items() if address.kind != "ExternalClientApplication"}


# -- RF01, RF02: the records of an app --------------------------------------------------------------------------------


def test_each_record_of_an_app_that_is_gone_is_found():
    """What is left of an app that somebody deleted by hand still looks like a policy."""
    left = without_app(external(flows={}, policies={}))
    message = "externalClientApplication is shop, and there is no such app"
    assert [
        f"{GLOBAL} externalClientApplication: {message}",
        f"{POLICIES} externalClientApplication: {message}",
    ] == sorted(broken("RF01", in_org(left)), key=len)


def test_an_app_that_another_file_or_a_package_may_hold_is_not_missed():
    """Absence is not concluded from files alone, nor from a list that leaves installed apps out."""
    left = without_app(external(policies={}))
    assert [f"{POLICIES} externalClientApplication"] == unchecked("RF01", in_files(left))
    hidden = in_org(left, unreadable={"ExternalClientApplication": "INSUFFICIENT_ACCESS"})
    assert ([], 1) == (broken("RF01", hidden), len(unchecked("RF01", hidden)))
    installed = in_org(without_app(external("acme__shop", policies={})))
    assert ([], 1) == (broken("RF01", installed), len(unchecked("RF01", installed)))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, []),
        ({"flows": {}, "oauth": SCOPES}, []),
        ({"switches": {"isEnabled": True}}, []),
        ({"flows": {}}, [f"{GLOBAL}: there is no {OAUTH}, which this record adds to"]),
        ({"policies": {}}, [f"{POLICIES}: there is no {OAUTH}, which this record adds to"]),
        ({"flows": {}, "policies": {}}, [f"{GLOBAL}: there is no {OAUTH}, which this record adds to"]),
        ({"oauth": SCOPES}, [f"{OAUTH}: there is no {GLOBAL}: no flow is on, and no client has a key"]),
    ],
)
def test_the_two_halves_of_the_oauth_settings_go_together(parts: dict[str, dict[str, str]], expected: list[str]):
    """One alone is refused, or lets nobody in. Policies that are missing the org makes by itself: no finding."""
    assert expected == broken("RF02", in_org(external(**parts)))  # type: ignore[arg-type]


def test_an_installed_app_has_its_global_settings_elsewhere():
    """A package does not bring them along."""
    assert [] == verdicts("RF02", in_org(external("acme__shop", oauth=SCOPES)))


def test_half_an_app_in_the_files_is_not_half_an_app():
    """The other half may be another team's, or live."""
    assert [OAUTH] == unchecked("RF02", in_files(external(flows={})))
    assert [GLOBAL] == unchecked("RF02", in_files(external(oauth=SCOPES)))


# -- RF03, RF04: who may use it ---------------------------------------------------------------------------------------


def grants(permission_sets: str = "", profiles: str = "") -> Bodies:
    return external(policies={"commaSeparatedPermissionSet": permission_sets, "commaSeparatedProfile": profiles})


FACTS = Facts(permission_sets=frozenset({"Shop_User"}), profiles=frozenset({"System Administrator"}))


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (grants("Shop_User", "System Administrator"), []),
        (grants("shop_user", "system administrator"), []),
        (grants("Shop_Usr"), [None]),
        (grants("Shop_User, Shop_Admin"), [None]),
        (grants("0PS5g000001AbCd"), [None]),
        (grants("Shop User"), [Severity.MEDIUM]),  # the label: some orgs give it back
        (grants(profiles="Systemadministrator"), [Severity.MEDIUM]),  # German
    ],
)
def test_who_is_let_in_has_to_exist(app: Bodies, expected: list[Severity | None]):
    """A name that nobody has lets nobody in; one in another language may be right."""
    found = verdicts("RF03", in_org(app, facts=FACTS))
    assert expected == [one.severity for one in found if isinstance(one, Broken)]


def test_what_the_org_did_not_tell_is_not_judged():
    """A login that may not read permission sets would report each of them missing."""
    half = replace(FACTS, permission_sets=frozenset(), unknown={"permission_sets": "INSUFFICIENT_ACCESS"})
    world = in_org(grants("Shop_User", "Gone"), facts=half)
    assert ([f"{POLICIES} commaSeparatedPermissionSet"], 1) == (unchecked("RF03", world), len(broken("RF03", world)))
    assert [] == broken("RF03", in_org(grants("Shop_User"), facts=None))


def test_a_permission_set_of_a_package_is_not_missed():
    """Whether an org lists it depends on who asks."""
    world = in_org(grants("acme__Shop_User"), facts=FACTS)
    assert ([], 1) == (broken("RF03", world), len(unchecked("RF03", world)))


def test_a_name_that_an_org_holds_twice_is_found_for_both_sorts_of_app():
    """The org refuses to take back what it gave."""
    old = connected(top={"profileName": ["Sales", "Support", "Sales"]})
    assert ["ConnectedApp/erp profileName: Sales is given 2 times (Sales, Sales)"] == broken("RF04", in_org(old))
    assert 1 == len(broken("RF04", in_org(grants("A, B,a ,A"))))


# -- RF05: two apps of one name ---------------------------------------------------------------------------------------


def test_two_apps_of_one_name_are_one_finding_whatever_the_case():
    """Both would be reported, and whoever mends one has to wonder about the other."""
    both = connected("Shop") | external("shop")
    assert ["ExternalClientApplication/shop: there is a connected app of that name too, Shop"] == broken(
        "RF05", in_org(both)
    )
    assert [] == unchecked("RF05", in_files(both))


def test_files_with_one_of_them_cannot_tell_of_the_other():
    """The connected app that the file is to replace may still be there."""
    assert ["ExternalClientApplication/shop"] == unchecked("RF05", in_files(external()))
    hidden = in_org(external(), unreadable={"ConnectedApp": "INSUFFICIENT_ACCESS"})
    assert ["ExternalClientApplication/shop"] == unchecked("RF05", hidden)


# -- RF06, RF07: what another version or org has ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "expected"),
    [("62.0", ["startPage"]), ("63.0", []), ("65.0", []), ("66.0", [])],
)
def test_a_field_is_measured_against_the_orgs_version(version: str, expected: list[str]):
    """The same file goes to a sandbox that is one release ahead."""
    app = external(switches={"startPage": "OAuth"})
    world = in_org(app, declared=app, org=replace(ORG, api_version=version))
    assert expected == [".".join(one.path) for one in verdicts("RF06", world)]


def test_fields_inside_of_sections_and_whole_records_have_a_version_too():
    """A section is refused with the field in it."""
    security = {Address("ExtlClntAppOauthSecuritySettings", "shop"): {"label": "x"}}
    app = connected(callbackUrl=["https://a.example"], isDPopEnabled=True)
    both = {**security, **app}
    lines = broken("RF06", in_org(both, declared=both, org=replace(ORG, api_version="63.0")))
    assert ["ExtlClntAppOauthSecuritySettings/shop", "ConnectedApp/erp oauthConfig.isDPopEnabled"] == [
        line.partition(":")[0] for line in lines
    ]


def test_without_an_org_only_fields_that_some_versions_lack_are_left_open():
    """A thousand "not checked" for fields that are everywhere would hide the one that matters."""
    app = external(policies={"isNamedUserJwtEnabled": True, "isTokenExchangeFlowEnabled": True})
    assert [f"{POLICIES} isNamedUserJwtEnabled"] == unchecked("RF06", in_files(app))


def test_what_is_live_is_not_measured():
    """An org does not show what its version does not have."""
    app = external(switches={"isCanvasPluginEnabled": True})
    assert [] == verdicts("RF06", in_org(app, org=replace(ORG, api_version="63.0")))


@pytest.mark.parametrize(("org", "expected"), [("00D000000000001", 0), ("00D00000000000A", 1), ("00D", 1)])
def test_a_link_of_another_org_is_found(org: str, expected: int):
    """Copied along with the file, it ends in a database error."""
    app = external(oauth={**SCOPES, "oauthLink": f"{org}:888bm000002gH3J"})
    assert expected == len(broken("RF07", in_org(app, declared=app)))
    assert [] == verdicts("RF07", in_org(app))
    assert [f"{OAUTH} oauthLink"] == unchecked("RF07", in_files(app))


def test_a_key_that_is_not_the_orgs_is_graver():
    """It cannot change, and it belongs to another app."""
    want, have = external(flows={"consumerKey": "AAAAAAAAA"}), external(flows={"consumerKey": "BBBBBBBBB"})
    (found,) = verdicts("RF07", in_org(want, declared=want, live=have))
    assert isinstance(found, Broken)
    assert (Severity.HIGH, "consumerKey is AAAAAAAAA, and the org's is BBBBBBBBB") == (found.severity, found.message)
    assert [] == verdicts("RF07", in_org(want, declared=want, live=want))
    assert [] == verdicts("RF07", in_org(want, declared=want, live=external(flows={})))


# -- RF08: scopes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "mend"),
    [
        ("SFAP", "write SFApiPlatform"),
        ("refresh_token", "write RefreshToken"),
        ("api", "write Api"),
        ("OpenId", "did you mean OpenID?"),
        ("orders", "write commaSeparatedCustomScopes: [orders] under oauthSettings: it is a custom scope"),
    ],
)
def test_a_scope_by_another_name_is_told_its_own(scope: str, mend: str):
    """Three vocabularies for one thing: nobody knows all of them by heart."""
    app = external(oauth={"commaSeparatedOauthScopes": [scope]})
    orders = {Address("OauthCustomScope", "orders"): {"masterLabel": "orders"}}
    (found,) = verdicts("RF08", in_org(app, orders, declared=app))
    assert isinstance(found, Broken)
    assert (scope, mend) == (found.subject, found.mend)


def test_a_scope_that_is_newer_than_all_we_know_is_left_open_and_one_that_is_live_is_right():
    """An org that took it knows better than we do."""
    new = in_files(external(oauth={"commaSeparatedOauthScopes": ["A2A"]}))
    assert [] == broken("RF08", new)
    assert f"{OAUTH} commaSeparatedOauthScopes" in unchecked("RF08", new)
    assert [] == verdicts("RF08", in_org(external(oauth={"commaSeparatedOauthScopes": "Brandnew"})))


def test_custom_scopes_have_to_exist():
    """The app would ask for a permission that no API ever hears of."""
    app = external(oauth={**SCOPES, "commaSeparatedCustomScopes": "orders, acme__stock"})
    orders = {Address("OauthCustomScope", "Orders"): {"masterLabel": "orders"}}
    world = in_org(app)
    assert [f"{OAUTH} commaSeparatedCustomScopes: there is no custom scope orders"] == broken("RF08", world)
    assert [f"{OAUTH} commaSeparatedCustomScopes"] == unchecked("RF08", world)
    assert [] == broken("RF08", in_org(app, orders))
    assert [] == broken("RF08", in_files(app))
