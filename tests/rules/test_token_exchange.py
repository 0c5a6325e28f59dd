"""Rules of the token exchange flow, beyond their two examples."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.model.facts import Facts, User
from reconciler.model.live import OrgInfo
from reconciler.rules import Broken, Example, NotChecked, Rule, judge
from reconciler.rules import token_exchange as tx
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE as CONNECTED
from reconciler.rules.examples import TOKEN_EXCHANGE as GOOD
from reconciler.rules.examples import WEB_SERVER
from reconciler.schema.severity import Severity
from reconciler.world.world import World
from tests.rules.build import found, world

USER = "integration@acme.example"
ENABLEMENT = "OauthTokenExchangeHandler/PartnerIdp/enablements/order_portal"
RULES = [value for value in vars(tx).values() if isinstance(value, Rule)]
BY_ID = {rule.id: rule for rule in RULES}


def broken(example: Example, folder: Path, rules: list[Rule] | None = None) -> list[tuple[str, str, str]]:
    """Rule, address and field of every finding."""
    findings, _ = found(example, folder, rules or RULES)
    return [(f.id, str(f.address), ".".join(f.path)) for f in findings]


def unchecked(
    example: Example, folder: Path, rules: list[Rule] | None = None, *, offline: bool = True
) -> list[tuple[str, str, str]]:
    findings, not_checked = found(example, folder, rules or RULES, offline=offline)
    assert () == findings
    return [(u.id, str(u.address), ".".join(u.path)) for u in not_checked]


def verdicts(rule: Rule, world: World) -> list[Broken | NotChecked]:
    return list(rule.check(world))


def odd(example: Example, bodies: Mapping[str, dict[str, Any]]) -> Example:
    return replace(example, odd=bodies)


def knowing(**user: Any) -> Facts:
    of = User(USER, **{"active": True, "api_only": True, "profile": "Minimum Access - API Only Integrations", **user})
    return Facts({USER: of})


# -- which apps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offline", [False, True])
def test_an_app_that_says_it_does_not_exchange_tokens_hears_nothing(tmp_path: Path, offline: bool) -> None:
    """A page of "not checked" about a flow that nobody uses hides what matters."""
    example = WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  isTokenExchangeEnabled: false\n")

    assert ((), ()) == found(example, tmp_path, RULES, offline=offline)


def test_an_app_of_which_nothing_is_said_is_named_once(tmp_path: Path) -> None:
    """Silence would be read as "fine", and one line a rule would be read by nobody."""
    assert [
        ("TX01", "ExtlClntAppGlobalOauthSettings/help_desk", "isTokenExchangeEnabled"),
    ] == unchecked(WEB_SERVER, tmp_path)


def test_a_mistake_in_an_app_with_two_handlers_is_one_finding_that_names_both(tmp_path: Path) -> None:
    """Who mends the app once has mended it for both, and a change of either handler's enablement leads here."""
    example = tx.one_default.good.but("isTokenExchangeEnabled: true", "isTokenExchangeEnabled: false")

    ((finding,), _) = found(example, tmp_path, RULES)
    assert "TX01" == finding.id
    assert {ENABLEMENT, ENABLEMENT.replace("PartnerIdp", "ZetaIdp")} <= {str(address) for address in finding.also}
    assert (
        "isTokenExchangeEnabled is false, but the handler PartnerIdp and 1 more is enabled for order_portal"
        == finding.message
    )
    written, _, removed = finding.mend.partition(", or ")
    assert "write isTokenExchangeEnabled: true under globalOauthSettings" == written
    assert "remove its enablement for PartnerIdp and ZetaIdp if nobody meant it" == removed


def test_one_switch_alone_promises_the_flow(tmp_path: Path) -> None:
    """An app that is half switched on looks finished to whoever sees that half."""
    example = WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  isTokenExchangeEnabled: true\n")

    ((finding,), _) = found(example, tmp_path, RULES)
    assert ("TX02", "isTokenExchangeFlowEnabled is false, but isTokenExchangeEnabled is true") == (
        finding.id,
        finding.message,
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "isTokenExchangeEnabled: true",
            "isTokenExchangeEnabled: false",
            ("TX01", "oauthConfig.isTokenExchangeEnabled"),
        ),
        ("  isTokenExchangeFlowEnabled: true\n", "", ("TX02", "oauthPolicy.isTokenExchangeFlowEnabled")),
        ("isAdminApproved: true", "isAdminApproved: false", ("TX03", "oauthConfig.isAdminApproved")),
        ("permissionSetName: [Partner_Portal_User]", "permissionSetName: []", ("TX04", "permissionSetName")),
        (
            "isConsumerSecretOptional: false",
            "isConsumerSecretOptional: true",
            ("TX05", "oauthConfig.isSecretRequiredForTokenExchange"),
        ),
        ("scopes: [Api]", "scopes: []", ("TX15", "oauthConfig.scopes")),
        ("scopes: [Api]", "scopes: [Api, OfflineAccess]", ("TX18", "oauthConfig.scopes")),
    ],
)
def test_a_connected_app_is_judged_where_it_keeps_the_same_setting(
    tmp_path: Path, old: str, new: str, expected: tuple[str, str]
) -> None:
    """Both sorts of app exchange tokens; a rule that knows one sort only leaves the other open."""
    rule, path = expected

    assert [(rule, "ConnectedApp/Partner_Portal", path)] == broken(CONNECTED.but(old, new), tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  isTokenExchangeEnabled: true\n", ("TX01", "ExtlClntAppGlobalOauthSettings", "isTokenExchangeEnabled")),
        (
            "  isTokenExchangeFlowEnabled: true\n",
            ("TX02", "ExtlClntAppOauthConfigurablePolicies", "isTokenExchangeFlowEnabled"),
        ),
        (
            "  permittedUsersPolicyType: AdminApprovedPreAuthorized\n",
            ("TX03", "ExtlClntAppOauthConfigurablePolicies", "permittedUsersPolicyType"),
        ),
        (
            "  commaSeparatedPermissionSet: [Order_Portal_User]\n",
            ("TX04", "ExtlClntAppOauthConfigurablePolicies", "commaSeparatedPermissionSet"),
        ),
        (
            "  callbackUrl: [https://portal.acme.example/callback]\n",
            ("TX05", "ExtlClntAppGlobalOauthSettings", "callbackUrl"),
        ),
        ("  isConsumerSecretOptional: false\n", ("TX05", "ExtlClntAppGlobalOauthSettings", "isConsumerSecretOptional")),
        (
            "oauthSettings:\n  commaSeparatedOauthScopes: [Api]\n",
            ("TX15", "ExtlClntAppOauthSettings", "commaSeparatedOauthScopes"),
        ),
    ],
)
def test_a_line_that_is_missing_offline_is_not_checked_there(
    tmp_path: Path, line: str, expected: tuple[str, str, str]
) -> None:
    """The org may hold anything: neither an alarm nor "fine"."""
    rule, kind, path = expected
    judged = [BY_ID[id] for id in {rule, "TX01"}]

    assert [(rule, f"{kind}/order_portal", path)] == unchecked(GOOD.but(line, ""), tmp_path, judged)


# -- TX04, TX05 -------------------------------------------------------------------------------------------------------------


def test_an_app_for_everybody_names_nobody(tmp_path: Path) -> None:
    """Whoever may approve themselves needs no permission set."""
    assert [] == broken(
        WEB_SERVER.but("AdminApprovedPreAuthorized", "AllSelfAuthorized").but("[Help_Desk_Agent]", "[]"), tmp_path
    )


def test_a_profile_is_as_good_as_a_permission_set(tmp_path: Path) -> None:
    """Salesforce Help speaks of profiles only: who followed it is right."""
    example = GOOD.but("commaSeparatedPermissionSet: [Order_Portal_User]", "commaSeparatedProfile: [Partner User]")

    assert [] == broken(example, tmp_path)


def test_an_app_of_the_client_credentials_flow_alone_need_not_approve_anybody(tmp_path: Path) -> None:
    """The policy does not apply to the user that it runs as: approving nobody is its safest form."""
    example = Example(
        "kind: ExternalClientApplication\nname: batch\nglobalOauthSettings: {isClientCredentialsFlowEnabled: true}\n"
        "oauthPolicies: {permittedUsersPolicyType: AdminApprovedPreAuthorized}\n"
    )

    assert [] == broken(example, tmp_path, [tx.somebody_approved])
    assert [("TX04", "ExtlClntAppOauthConfigurablePolicies/batch", "commaSeparatedPermissionSet")] == broken(
        example.but("isClientCredentialsFlowEnabled: true", "isClientCredentialsFlowEnabled: false"),
        tmp_path / "people",
        [tx.somebody_approved],
    )


@pytest.mark.parametrize(
    ("callback", "public"),
    [
        ("https://portal.acme.example/callback", False),
        ("acmeportal://callback", True),
        ("http://localhost:1717/OauthRedirect", True),
        ("http://127.0.0.1:8080/cb", True),
        ("http://[::1]:8080/cb", True),
        ("https://localhost.acme.example/cb", False),
    ],
)
def test_a_callback_tells_whether_the_client_can_keep_a_secret(tmp_path: Path, callback: str, public: bool) -> None:
    """A phone that must send a secret either cannot log in or carries it around."""
    example = GOOD.but("https://portal.acme.example/callback", f"'{callback}'")

    findings, not_checked = found(example, tmp_path, RULES)
    assert ((["TX05"] if public else []), ()) == ([f.id for f in findings], not_checked)


def test_whether_a_secret_is_asked_matters_offline_only_for_a_public_client(tmp_path: Path) -> None:
    """A server may always be asked for one."""
    example = GOOD.but("  isSecretRequiredForTokenExchange: true\n", "")
    public = example.but("https://portal.acme.example/callback", "acmeportal://callback")

    assert [] == unchecked(example, tmp_path, [tx.secret_of_private_clients])
    assert [
        ("TX05", "ExtlClntAppGlobalOauthSettings/order_portal", "isSecretRequiredForTokenExchange"),
    ] == unchecked(public, tmp_path / "public", [tx.secret_of_private_clients])


def test_a_public_client_without_a_secret_is_fine(tmp_path: Path) -> None:
    """Salesforce Help asks for exactly that."""
    example = GOOD.but("https://portal.acme.example/callback", "acmeportal://callback")

    assert [] == broken(
        example.but("isSecretRequiredForTokenExchange: true", "isSecretRequiredForTokenExchange: false"), tmp_path
    )


# -- handlers and enablements -------------------------------------------------------------------------------------------------


def test_a_handler_that_no_file_declares_is_not_checked(tmp_path: Path) -> None:
    """The enablement may be another team's file."""
    start = GOOD.files.index("kind: OauthTokenExchangeHandler")
    end = GOOD.files.index("kind: HandlerEnablement")
    example = Example(GOOD.files[:start] + GOOD.files[end:])

    assert [("TX06", "OauthTokenExchangeHandler/PartnerIdp", "isEnabled")] == unchecked(
        example, tmp_path, [tx.handler_enabled]
    )
    assert [] == broken(example, tmp_path / "org", [tx.handler_enabled])


def test_a_handler_that_is_off_says_for_whom(tmp_path: Path) -> None:
    """Whose clients stand before a closed door decides how urgent it is."""
    second = {f"{ENABLEMENT[:-12]}zeta": {"externalClientApp": "zeta", "apexExecutionUser": USER, "isDefault": True}}

    ((finding,), _) = found(tx.handler_enabled.bad, tmp_path, [tx.handler_enabled])
    assert "isEnabled is false, but PartnerIdp is enabled for order_portal" == finding.message
    ((finding,), _) = found(odd(tx.handler_enabled.bad, second), tmp_path / "two", [tx.handler_enabled])
    assert "isEnabled is false, but PartnerIdp is enabled for order_portal and 1 more" == finding.message


def test_an_enablement_of_both_sorts_or_of_none_is_broken(tmp_path: Path) -> None:
    """An org that was changed by hand may hold what no file may."""
    both = {"externalClientApp": "order_portal", "connectedApp": "order_portal", "apexExecutionUser": USER}
    neither = {"apexExecutionUser": USER}

    assert [("TX07", ENABLEMENT, "connectedApp")] == broken(
        odd(GOOD, {ENABLEMENT: both}), tmp_path, [tx.one_existing_app]
    )
    assert [("TX07", ENABLEMENT, "")] == broken(odd(GOOD, {ENABLEMENT: neither}), tmp_path / "2", [tx.one_existing_app])


def test_an_app_of_the_other_sort_is_recognised(tmp_path: Path) -> None:
    """The commonest cause of "no such app" is the wrong one of two fields."""
    example = GOOD.but("externalClientApp: order_portal", "connectedApp: Order_Portal")

    ((finding,), _) = found(example, tmp_path, [tx.one_existing_app])
    assert ("there is no ConnectedApp Order_Portal", ("connectedApp",)) == (finding.message, finding.path)
    assert "write externalClientApp: Order_Portal, because that is what it is" == finding.mend


def test_the_org_compares_names_without_regard_to_case(tmp_path: Path) -> None:
    """An alarm about a difference that the org does not see would be a false one."""
    example = GOOD.but("externalClientApp: order_portal", "externalClientApp: Order_Portal")

    assert [] == broken(example, tmp_path)
    switched_off = example.but("isTokenExchangeEnabled: true", "isTokenExchangeEnabled: false").but(
        "isTokenExchangeFlowEnabled: true", "isTokenExchangeFlowEnabled: false"
    )
    assert ["TX01", "TX02"] == [id for id, *_ in broken(switched_off, tmp_path / "off")]


def test_an_app_that_could_not_be_read_or_is_installed_is_not_checked(tmp_path: Path) -> None:
    """Not seeing an app is no proof that it is gone."""
    example = GOOD.but("externalClientApp: order_portal", "externalClientApp: elsewhere")
    unreadable = {"ExternalClientApplication": "INSUFFICIENT_ACCESS"}
    (verdict,) = verdicts(tx.one_existing_app, replace(world(example, tmp_path), unreadable=unreadable))
    assert isinstance(verdict, NotChecked)
    assert "INSUFFICIENT_ACCESS" in verdict.message

    installed = GOOD.but("externalClientApp: order_portal", "externalClientApp: acme__elsewhere")
    assert [("TX07", f"{ENABLEMENT[:-12]}acme__elsewhere", "externalClientApp")] == unchecked(
        installed, tmp_path / "installed", [tx.one_existing_app], offline=False
    )


def test_each_app_has_a_default_of_its_own(tmp_path: Path) -> None:
    """Salesforce's own sample has two defaults in one handler, for two apps: that is no mistake."""
    second = CONNECTED.files.replace("PartnerIdp\n", "ZetaIdp\n").replace("Partner_Portal", "order_portal")
    example = Example(
        GOOD.files.replace("kind: OauthOidcSettings\nblockOAuthUnPwFlow: true\nblockOAuthUsrAgtFlow: true\n", second),
        GOOD.sources,
    )

    assert [] == broken(example, tmp_path)


def test_two_defaults_name_each_other(tmp_path: Path) -> None:
    """Whoever reads it must see which two handlers compete."""
    ((finding,), _) = found(tx.one_default.bad, tmp_path, RULES)

    assert "order_portal already has a default handler, PartnerIdp" == finding.message
    assert ENABLEMENT.replace("PartnerIdp", "ZetaIdp") == str(finding.address)
    assert [ENABLEMENT] == [str(address) for address in finding.also]


def test_a_default_that_is_not_declared_may_be_the_second(tmp_path: Path) -> None:
    """Offline, one declared default says nothing about the others."""
    example = tx.one_default.good.but("isDefault: false\n", "")

    assert [("TX08", ENABLEMENT.replace("PartnerIdp", "ZetaIdp"), "isDefault")] == unchecked(
        example, tmp_path, [tx.one_default]
    )


def test_no_default_is_only_said_where_all_handlers_are_known(tmp_path: Path) -> None:
    """A handler in another team's files, or one that could not be read, may be the default."""
    assert [("TX09", ENABLEMENT, "isDefault")] == unchecked(tx.a_default.bad, tmp_path, [tx.a_default])

    unsaid = tx.one_default.good.but("isDefault: true", "isDefault: no-default").but("isDefault: false\n", "")
    unsaid = unsaid.but("isDefault: no-default", "isDefault: false")
    zeta = ENABLEMENT.replace("PartnerIdp", "ZetaIdp")
    assert [("TX09", zeta, "isDefault")] == unchecked(unsaid, tmp_path / "unsaid", [tx.a_default])

    seen = world(tx.a_default.bad, tmp_path / "org")
    (verdict,) = verdicts(tx.a_default, replace(seen, unreadable={"OauthTokenExchangeHandler/Odd": "not UTF-8"}))
    assert isinstance(verdict, NotChecked)


def test_no_default_of_two_handlers_is_one_finding(tmp_path: Path) -> None:
    """One of the two has to become it: both are named, once each."""
    example = tx.one_default.good.but("isDefault: true", "isDefault: false ")

    ((finding,), _) = found(example, tmp_path, RULES)
    assert ("TX09", ENABLEMENT) == (finding.id, str(finding.address))
    assert [ENABLEMENT.replace("PartnerIdp", "ZetaIdp")] == [str(address) for address in finding.also]


def test_a_connected_app_and_an_external_client_app_of_one_name_are_two(tmp_path: Path) -> None:
    """For the org they are: enabling both is no repetition."""
    other = {f"{ENABLEMENT}~2": {"connectedApp": "order_portal", "apexExecutionUser": USER, "isDefault": True}}
    rules = [tx.one_default, tx.once_for_each_app]

    assert [] == broken(odd(GOOD, other), tmp_path, rules)


def test_a_handler_that_is_enabled_twice_is_not_two_defaults(tmp_path: Path) -> None:
    """One mistake, one finding."""
    twice = {f"{ENABLEMENT}~2": {"externalClientApp": "order_portal", "apexExecutionUser": USER, "isDefault": True}}

    assert [("TX10", f"{ENABLEMENT}~2", "externalClientApp")] == broken(odd(GOOD, twice), tmp_path)


# -- TX11 -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "severity", "message"),
    [
        (Facts(), Severity.HIGH, f"the org has no user {USER}"),
        (knowing(active=False), Severity.HIGH, f"{USER} is inactive"),
        (knowing(profile="System Administrator"), Severity.MEDIUM, f"{USER} has the profile System Administrator"),
        (knowing(profile="システム管理者"), Severity.MEDIUM, f"{USER} has the profile システム管理者"),
        (knowing(api_only=False), Severity.MEDIUM, f"{USER} may log in like a person (is not API-only)"),
        (
            knowing(api_only=False, profile="System Administrator"),
            Severity.MEDIUM,
            f"{USER} has the profile System Administrator and may log in like a person (is not API-only)",
        ),
        (knowing(api_only=None, profile="System Administrator"), Severity.MEDIUM, f"{USER} has the profile System Administrator"),
    ],
)  # fmt: skip
def test_who_must_not_run_a_handler(tmp_path: Path, facts: Facts, severity: Severity, message: str) -> None:
    """Whoever finds a hole in the handler can do what that user can."""
    ((finding,), _) = found(replace(GOOD, facts=facts), tmp_path, [tx.integration_user])

    assert (severity, message, ENABLEMENT, ("apexExecutionUser",)) == (
        finding.severity,
        finding.message,
        str(finding.address),
        finding.path,
    )


def test_usernames_are_found_however_they_are_written(tmp_path: Path) -> None:
    """Usernames have no case."""
    example = replace(GOOD.but(USER, "Integration@ACME.example"), facts=knowing())

    assert [] == broken(example, tmp_path, [tx.integration_user])


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(unknown={"users": "INSUFFICIENT_ACCESS"}), "the org did not tell (INSUFFICIENT_ACCESS)"),
        (knowing(api_only=None), "whether integration@acme.example is API-only is not known"),
    ],
)
def test_a_user_of_whom_the_org_says_nothing_is_not_checked(tmp_path: Path, facts: Facts, reason: str) -> None:
    """Without the permission to see users, neither "fine" nor an alarm is true."""
    findings, (not_checked,) = found(replace(GOOD, facts=facts), tmp_path, [tx.integration_user])

    assert () == findings
    assert reason in not_checked.message


def test_an_enablement_that_says_no_user_is_not_checked_offline_and_no_concern_in_an_org(tmp_path: Path) -> None:
    """The field is required: no org holds one without."""
    example = GOOD.but(f"apexExecutionUser: {USER}\n", "")

    assert [("TX11", ENABLEMENT, "apexExecutionUser")] == unchecked(example, tmp_path, [tx.integration_user])
    assert ((), ()) == found(example, tmp_path / "org", [tx.integration_user])


# -- TX13 to TX18 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tx.TOKEN_TYPES)
def test_any_type_of_token_will_do(tmp_path: Path, name: str) -> None:
    """Which one an identity provider issues is its own affair."""
    example = GOOD.but("isJwtSupported: true", "isJwtSupported: false")
    wanted = "isJwtSupported: false" if name == "isJwtSupported" else f"{name}: false"

    assert [] == broken(example.but(wanted, f"{name}: true"), tmp_path)


def test_a_handler_that_is_switched_off_needs_no_type(tmp_path: Path) -> None:
    """It promises nothing; that it is switched off is TX06."""
    example = GOOD.but("isJwtSupported: true", "isJwtSupported: false")

    assert ["TX06"] == [
        id for id, *_ in broken(example.but("isEnabled: true\nisJwt", "isEnabled: false\nisJwt"), tmp_path)
    ]


def test_creating_contacts_is_said_too(tmp_path: Path) -> None:
    """A contact with a portal user is a way in as well."""
    example = GOOD.but("isUserCreationAllowed: false", "isUserCreationAllowed: false\nisContactCreationAllowed: true")

    assert [("TX14", "OauthTokenExchangeHandler/PartnerIdp", "isContactCreationAllowed")] == broken(example, tmp_path)


def test_a_custom_scope_is_a_scope(tmp_path: Path) -> None:
    """An app for APIs outside Salesforce may have nothing else."""
    example = GOOD.but(
        "commaSeparatedOauthScopes: [Api]", "commaSeparatedOauthScopes: []\n  commaSeparatedCustomScopes: [Orders]"
    )
    assert [] == broken(example, tmp_path, [tx.a_scope])

    scope = "kind: OauthCustomScope\nname: Orders\nmasterLabel: Orders\ndescription: d\nassignedTo: [{connectedApp: Partner_Portal}]\n---\n"
    connected = CONNECTED.but("scopes: [Api]", "scopes: []")
    assert [] == broken(replace(connected, files=scope + connected.files), tmp_path / "connected", [tx.a_scope])
    assert [("TX15", "ConnectedApp/Partner_Portal", "oauthConfig.scopes")] == unchecked(
        connected, tmp_path / "offline", [tx.a_scope]
    )  # fmt: skip


def test_an_app_without_its_settings_record_is_not_told_of_scopes(tmp_path: Path) -> None:
    """That the record is missing is said once, by the rule about records."""
    assert [] == broken(GOOD.but("oauthSettings:\n  commaSeparatedOauthScopes: [Api]\n", ""), tmp_path)


@pytest.mark.parametrize(
    ("edition", "expected"),
    [
        ("Enterprise Edition", []),
        ("Unlimited Edition", []),
        ("Developer Edition", []),
        ("Performance Edition", []),
        ("Professional Edition", ["broken"]),
        ("Team Edition", ["broken"]),
        ("Base Edition", ["broken"]),
        ("Galactic Edition", ["not checked"]),
        ("", ["not checked"]),
    ],
)
def test_which_editions_have_the_flow(tmp_path: Path, edition: str, expected: list[str]) -> None:
    """A name that nobody has seen before must not be taken for one without the flow."""
    findings, not_checked = found(replace(GOOD, org=OrgInfo("00D", organization_type=edition)), tmp_path, [tx.edition])

    assert expected == ["broken"] * len(findings) + ["not checked"] * len(not_checked)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("refreshTokenPolicyType: Zero", "refreshTokenPolicyType: SpecificInactivity"),
        ("callbackUrl:", "certificate: PEM\n  callbackUrl:"),
    ],
)
def test_refresh_tokens_that_are_of_use_are_let_pass(tmp_path: Path, old: str, new: str) -> None:
    """Tokens that live are refreshed, and the JWT bearer flow, which needs a certificate, asks for the scope."""
    assert [] == broken(tx.no_idle_refresh_scope.bad.but(old, new), tmp_path, [tx.no_idle_refresh_scope])


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        (rule, f"{kind}/order_portal")
        for rule in (
            tx.app_switch,
            tx.policy_switch,
            tx.admin_approved,
            tx.secret_of_private_clients,
            tx.a_scope,
            tx.edition,
            tx.no_idle_refresh_scope,
        )
        for kind in ("ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthConfigurablePolicies")
    ],
    ids=lambda value: value.id if isinstance(value, Rule) else value,
)
def test_a_plan_that_makes_the_promise_is_told_what_is_missing(tmp_path: Path, rule: Rule, changed: str) -> None:
    """A plan is judged by what it changes; switching the flow on in one record may break a rule in another."""
    for scope in (changed, ENABLEMENT):
        findings, _ = judge(world(rule.bad, tmp_path / scope), rules=[rule], scope={Address.parse(scope)})
        assert [rule.id] == [f.id for f in findings]


def test_an_app_out_of_scope_is_not_judged(tmp_path: Path) -> None:
    """A plan for one app of ten thousand must not pay for the others."""
    bad = tx.app_switch.bad

    judged = [verdicts(rule, replace(world(bad, tmp_path / rule.id), only={"other"})) for rule in RULES[:5]]
    assert [[]] * 5 == judged


def test_an_enablement_is_judged_though_its_app_is_out_of_scope(tmp_path: Path) -> None:
    """A plan may change an enablement alone."""
    seen = replace(world(tx.one_existing_app.bad, tmp_path), only={"other"})

    assert [Address.parse(f"{ENABLEMENT[:-12]}order_portl")] == [v.address for v in verdicts(tx.one_existing_app, seen)]
