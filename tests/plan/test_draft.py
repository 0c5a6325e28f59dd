"""What the planner promises, one promise a test."""

import pytest

from reconciler.model.changes import Action
from reconciler.model.declared import Lifecycle
from reconciler.schema.values import Body, RawXml, SecretRef
from tests.build import NOTHING_OWNED, address, baseline, desired, live, plan, shown

ECA = "ExternalClientApplication/portal"
GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
OAUTH = "ExtlClntAppOauthSettings/portal"
POLICIES = "ExtlClntAppOauthConfigurablePolicies/portal"
CA = "ConnectedApp/legacy"
HANDLER = "OauthTokenExchangeHandler/idp"
ENABLED = "OauthTokenExchangeHandler/idp/enablements/portal"
STRANGER = "OauthTokenExchangeHandler/idp/enablements/stranger"

APP: Body = {"label": "Portal", "contactEmail": "a@acme.example", "distributionState": "Local"}
CONNECTED: Body = {
    "contactEmail": "a@acme.example",
    "label": "Legacy",
    "oauthConfig": {"callbackUrl": "https://a.example", "consumerKey": "KEY12345", "isPkceRequired": False},
}
IDP: Body = {
    "description": "d",
    "developerName": "idp",
    "isAccessTokenSupported": False,
    "isEnabled": True,
    "isIdTokenSupported": False,
    "isJwtSupported": True,
    "isRefreshTokenSupported": False,
    "isSaml2Supported": False,
    "isUserCreationAllowed": False,
    "masterLabel": "idp",
    "tokenHandlerApex": "Handler",
}
ENABLEMENT: Body = {"apexExecutionUser": "i@acme.example", "externalClientApp": "portal", "isDefault": True}


def test_what_the_org_lacks_is_created():
    assert {f"create {ECA}": {"label": (None, "Portal")}} == {
        action: {"label": fields["label"]} for action, fields in shown(plan(desired({ECA: APP}), live({}))).items()
    }


def test_only_the_declared_field_changes_and_the_rest_is_sent_as_it_is_in_the_org():
    """A deployment replaces the whole record: what a colleague set in Setup must survive our change of one field."""
    made = plan(desired({CA: {"label": "New"}}), live({CA: CONNECTED | {"mystery": "kept", "raw": RawXml("<raw/>")}}))

    assert {f"update {CA}": {"label": ("Legacy", "New")}} == shown(made)
    (component,) = made.groups[0]
    assert component.body is not None
    assert "kept" == component.body["mystery"]
    assert RawXml("<raw/>") == component.body["raw"]
    assert "https://a.example" == component.body["oauthConfig"]["callbackUrl"]


def test_a_connected_apps_key_is_never_sent_back():
    """The org answers an update that repeats the key with "You cannot provide a Consumer Key"."""
    made = plan(desired({CA: {"label": "New"}}), live({CA: CONNECTED}))

    assert made.groups[0][0].body is not None
    assert "consumerKey" not in made.groups[0][0].body["oauthConfig"]


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ({"callbackUrl": "https://b\r\n\r\nhttps://a "}, {"callbackUrl": ["https://a", "https://b"]}),
        ({"isPkceRequired": True}, {"isPkceRequired": True}),
        ({}, {"isTokenExchangeEnabled": False}),
        ({}, {"isSecretRequiredForRefreshToken": True}),
        ({"label": "x"}, {"label": " x\n"}),
        ({"label": ""}, {"label": ""}),
        ({"label": None}, {"label": ""}),
        ({"idTokenConfig": {"idTokenAudience": "a"}}, {"idTokenConfig": {"idTokenAudience": "a"}}),
    ],
)
def test_what_means_the_same_is_no_change(have: Body, want: Body):
    """A plan that cries wolf is not read, and then the real change is missed."""
    made = plan(desired({GLOBAL: want}), live({GLOBAL: have, ECA: APP}))

    assert () == made.changes
    assert 1 == made.unchanged


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ({"commaSeparatedOauthScopes": "Web,Api"}, {"commaSeparatedOauthScopes": ["Api", "Web"]}),
        ({"commaSeparatedOauthScopes": "Api,  Web, "}, {"commaSeparatedOauthScopes": ["Web", "Api"]}),
    ],
)
def test_comma_lists_are_sets(have: Body, want: Body):
    assert () == plan(desired({OAUTH: want}), live({OAUTH: have, ECA: APP})).changes


def test_scopes_that_come_back_under_another_name_are_the_same():
    have = CONNECTED | {"oauthConfig": {"callbackUrl": "https://a", "scopes": ["Basic", "RefreshToken"]}}
    want = {"oauthConfig": {"scopes": ["Email", "Profile", "OfflineAccess"]}}

    assert () == plan(desired({CA: want}), live({CA: have})).changes


def test_the_spelling_of_ip_relaxation_does_not_matter():
    have, want = {"ipRelaxationPolicyType": "Enforce_relaxrefresh"}, {"ipRelaxationPolicyType": "Enforce_RelaxRefresh"}

    assert () == plan(desired({POLICIES: want}), live({POLICIES: have, ECA: APP})).changes


def test_pkce_that_will_not_go_off_is_planned_as_on_and_noted():
    """The org says yes to `false` and keeps `true`: planned as `false`, the plan would never become empty."""
    made = plan(desired({GLOBAL: {"isPkceRequired": False}}), live({GLOBAL: {"isPkceRequired": True}, ECA: APP}))

    assert ((), (address(GLOBAL),)) == (made.changes, made.overridden)


def test_commands_are_no_state():
    have, want = {"shouldRotateConsumerKey": True}, {"shouldRotateConsumerKey": False, "label": "n"}
    made = plan(desired({GLOBAL: want}), live({GLOBAL: have, ECA: APP}))

    assert {f"update {GLOBAL}": {"label": (None, "n")}} == shown(made)
    assert made.groups[0][0].body is not None
    assert "shouldRotateConsumerKey" not in made.groups[0][0].body


def test_a_secret_is_sent_on_create_only():
    ref = SecretRef("env", "S")
    want = desired({ECA: APP, GLOBAL: {"externalClientApplication": "portal", "consumerSecret": ref}})

    (group,) = plan(want, live({})).groups
    assert [ref] == [c.body["consumerSecret"] for c in group if c.body and "consumerSecret" in c.body]
    kept = plan(want, live({ECA: APP, GLOBAL: {"externalClientApplication": "portal"}}))
    assert () == kept.changes
    assert [f"{GLOBAL}: consumerSecret is not compared, as it is sent on create only; change it in Setup"] == list(
        kept.notes
    )


def test_null_is_the_platforms_default():
    made = plan(
        desired({GLOBAL: {"isConsumerSecretOptional": None}}), live({GLOBAL: {"isConsumerSecretOptional": True}})
    )

    assert {f"update {GLOBAL}": {"isConsumerSecretOptional": (True, False)}} == shown(made)


def test_null_leaves_a_field_out_that_has_no_default():
    made = plan(
        desired({GLOBAL: {"label": None}}), live({GLOBAL: {"label": "x", "externalClientApplication": "portal"}})
    )

    assert {f"update {GLOBAL}": {"label": ("x", None)}} == shown(made)
    assert made.groups[0][0].body is not None
    assert "label" not in made.groups[0][0].body


def test_an_empty_list_clears_by_one_empty_element():
    """An absent element would leave the permission sets as they are, and the plan would repeat for ever."""
    made = plan(desired({CA: {"permissionSetName": []}}), live({CA: CONNECTED | {"permissionSetName": ["A", "B"]}}))

    assert {f"update {CA}": {"permissionSetName": (frozenset({"A", "B"}), None)}} == shown(made)
    assert made.groups[0][0].body is not None
    assert [""] == made.groups[0][0].body["permissionSetName"]


def test_never_deletes_what_we_did_not_apply():
    """Somebody else's login setup survives an empty desired/."""
    assert () == plan(desired({}), live({CA: CONNECTED, ECA: APP, HANDLER: IDP, ENABLED: ENABLEMENT})).changes


def test_a_removed_app_of_ours_is_deleted():
    made = plan(desired({}), live({ECA: APP}), baseline({ECA: APP}))

    assert [(Action.DELETE, address(ECA))] == [(c.action, c.address) for c in made.changes]
    assert [None] == [c.body for group in made.groups for c in group]


def test_a_removed_section_is_released_not_deleted():
    made = plan(desired({ECA: APP}), live({ECA: APP, GLOBAL: {}}), baseline({ECA: APP, GLOBAL: {"label": "x"}}))

    assert () == made.changes
    assert [GLOBAL] == [str(r) for r in made.released]


def test_a_removed_field_is_released_and_keeps_its_live_value():
    made = plan(desired({ECA: {"label": "Portal"}}), live({ECA: APP}), baseline({ECA: APP}))

    assert () == made.changes
    assert [f"{ECA}.contactEmail", f"{ECA}.distributionState"] == [str(r) for r in made.released]


def test_a_removed_apex_class_is_never_deleted():
    code = {"ApexClass/Handler": {"content": "class", "apiVersion": 63.0, "status": "Active"}}
    made = plan(desired({}), live(code), baseline(code))

    assert () == made.changes
    assert ["ApexClass/Handler"] == [str(r) for r in made.released]


def test_satellites_of_a_deleted_app_go_without_being_mentioned():
    made = plan(desired({}), live({ECA: APP, GLOBAL: {}}), baseline({ECA: APP, GLOBAL: {"label": "x"}}))

    assert [address(ECA)] == [c.address for c in made.changes]
    assert () == made.released


def test_a_satellite_is_adopted_whatever_its_record_is_called():
    """One record per app: a second one under our own name is refused with DUPLICATE_VALUE."""
    have = live(
        {ECA: APP, POLICIES: {"externalClientApplication": "portal"}}, records={POLICIES: "portal_oauth_defaultPolicy"}
    )
    made = plan(desired({POLICIES: {"startUrl": "https://a"}}), have)

    assert ["portal_oauth_defaultPolicy"] == [c.record for c in made.groups[0]]


def test_a_new_satellite_gets_the_name_that_the_org_would_give():
    want = desired(
        {ECA: APP, POLICIES: {"externalClientApplication": "portal"}, OAUTH: {"externalClientApplication": "portal"}}
    )

    assert {"portal", "portal_oauth", "portal_oauth_defaultPolicy"} == {
        c.record for c in plan(want, live({})).groups[0]
    }


def test_another_explicit_record_name_is_an_error():
    want = desired({POLICIES: {"startUrl": "https://a"}}, records={POLICIES: "mine"})
    have = live({ECA: APP, POLICIES: {"externalClientApplication": "portal"}}, records={POLICIES: "theirs"})

    assert [f"the record of {POLICIES} is called theirs in the org, the file says mine"] == [
        p.message for p in plan(want, have).problems
    ]


def test_a_consumer_key_that_differs_is_an_error_that_names_both():
    made = plan(desired({CA: {"oauthConfig": {"consumerKey": "OTHER678"}}}), live({CA: CONNECTED}))

    assert ["oauthConfig.consumerKey cannot change: the org has KEY12345, the file says OTHER678"] == [
        p.message for p in made.problems
    ]


def test_a_record_that_is_created_must_be_complete():
    made = plan(desired({CA: {"label": "x"}}), live({}))

    assert [f"contactEmail is required to create {CA}"] == [p.message for p in made.problems]


def test_a_field_that_the_orgs_version_lacks_is_an_error():
    made = plan(desired({GLOBAL: {"isDPopEnabled": True}}), live({GLOBAL: {"externalClientApplication": "portal"}}))

    assert ["isDPopEnabled needs API version 64.0; the org is read at 63.0"] == [p.message for p in made.problems]


def test_values_of_another_org_are_not_sent():
    """`oauthLink` of the org that a file was copied from breaks the deployment with a database error."""
    want = {"externalClientApplication": "portal", "oauthLink": "00DZZZ000000000:888"}
    made = plan(desired({ECA: APP, OAUTH: want}), live({}))

    assert all("oauthLink" not in (c.body or {}) for c in made.groups[0])
    assert [f"{OAUTH}: oauthLink is of another org and is not sent"] == list(made.notes)


def test_both_sides_moved_is_a_conflict_and_the_file_wins():
    base, have, want = (
        {"startUrl": v, "externalClientApplication": "portal"} for v in ("https://old", "https://org", "https://file")
    )
    (change,) = plan(desired({POLICIES: want}), live({POLICIES: have}), baseline({POLICIES: base})).changes

    assert ("https://org", "https://file", True) == (
        change.fields[0].old,
        change.fields[0].new,
        change.fields[0].conflict,
    )
    assert "Dana Admin" == change.modified.by


def test_drift_that_is_put_back_is_no_conflict():
    base, have = ({"startUrl": v, "externalClientApplication": "portal"} for v in ("https://old", "https://org"))
    (change,) = plan(desired({POLICIES: base}), live({POLICIES: have}), baseline({POLICIES: base})).changes

    assert not change.fields[0].conflict


def test_an_ignored_field_keeps_its_live_value():
    want = desired({CA: {"label": "New", "description": "ours"}}, lifecycle={CA: Lifecycle(ignore=(("description",),))})
    made = plan(want, live({CA: CONNECTED | {"description": "theirs"}}))

    assert {f"update {CA}": {"label": ("Legacy", "New")}} == shown(made)
    assert made.groups[0][0].body is not None
    assert "theirs" == made.groups[0][0].body["description"]


def test_additive_enablements_leave_strangers_alone():
    have = live({HANDLER: IDP, STRANGER: ENABLEMENT | {"externalClientApp": "stranger"}, ECA: APP})
    made = plan(desired({ENABLED: ENABLEMENT}), have)

    assert [f"create {ENABLED}"] == list(shown(made))
    (component,) = made.groups[0]
    assert component.body is not None
    assert ["stranger", "portal"] == [e["externalClientApp"] for e in component.body["enablements"]]
    assert "Handler" == component.body["tokenHandlerApex"]


def test_a_handlers_own_list_is_the_whole_list():
    have = live({HANDLER: IDP, STRANGER: ENABLEMENT | {"externalClientApp": "stranger"}, ECA: APP})
    made = plan(desired({HANDLER: IDP, ENABLED: ENABLEMENT}, authoritative=("idp",)), have)

    assert [f"create {ENABLED}", f"delete {STRANGER}"] == list(shown(made))
    assert made.groups[0][0].body is not None
    assert ["portal"] == [e["externalClientApp"] for e in made.groups[0][0].body["enablements"]]


def test_a_removed_enablement_of_ours_is_taken_out():
    have = live({HANDLER: IDP, ENABLED: ENABLEMENT})
    made = plan(desired({HANDLER: IDP}), have, baseline({HANDLER: IDP, ENABLED: ENABLEMENT}))

    assert [f"delete {ENABLED}"] == list(shown(made))
    assert made.groups[0][0].body is not None
    assert "enablements" not in made.groups[0][0].body


def test_what_could_not_be_read_is_not_judged():
    """No permission to see an app is no proof that it is gone: creating it again would make a second one."""
    made = plan(
        desired({CA: CONNECTED}),
        live({}, unreadable={"ConnectedApp": "no", "ExternalClientApplication": "no"}),
        baseline({CA: CONNECTED, ECA: APP}),
    )

    assert () == made.changes
    assert () == made.released


def test_a_target_brings_its_satellites_and_nothing_else():
    want = desired({ECA: APP, GLOBAL: {"externalClientApplication": "portal"}, CA: {"label": "New"}})
    made = plan(want, live({CA: CONNECTED}), targets=(address(ECA),))

    assert [f"create {ECA}", f"create {GLOBAL}"] == list(shown(made))


def test_replacing_an_app_takes_undeclared_satellites_and_enablements_along():
    """Deleting the app deletes them: without this a replaced app comes back bare and cut off from its handler."""
    satellite = {"externalClientApplication": "portal", "consumerKey": "K", "label": "theirs"}
    have = live({ECA: APP, GLOBAL: satellite, HANDLER: IDP, ENABLED: ENABLEMENT})
    made = plan(desired({ECA: APP}), have, replace=frozenset({address(ECA)}))

    assert [f"replace {ECA}", f"replace {GLOBAL}"] == list(shown(made))
    sent = {(str(c.address), c.body is None): c.body for group in made.groups for c in group}
    assert {(ECA, True), (ECA, False), (GLOBAL, False), (HANDLER, False)} == sent.keys()
    assert {"externalClientApplication": "portal", "label": "theirs"} == sent[(GLOBAL, False)]


def test_destroy_deletes_what_we_own_and_releases_the_rest():
    have = live({ECA: APP, GLOBAL: {}, CA: CONNECTED, "OauthOidcSettings/OauthOidc": {}})
    base = baseline({ECA: APP, GLOBAL: {"label": "x"}, "OauthOidcSettings/OauthOidc": {"isPkceRequired": True}})
    made = plan(desired({ECA: APP}), have, base, destroy=True)

    assert [f"delete {ECA}"] == list(shown(made))
    assert ["OauthOidcSettings/OauthOidc"] == [str(r) for r in made.released]


def test_references_come_before_what_refers_to_them_and_removals_come_last():
    want = desired(
        {
            HANDLER: IDP,
            ENABLED: ENABLEMENT,
            ECA: APP,
            "ApexClass/Handler": {"content": "c", "apiVersion": 63.0, "status": "Active"},
            "OauthOidcSettings/OauthOidc": {"isPkceRequired": True},
        }
    )
    made = plan(want, live({CA: CONNECTED}), baseline({CA: CONNECTED}))
    order = [str(c.address) for group in made.groups for c in group]

    assert order.index("ApexClass/Handler") < order.index(HANDLER)
    assert order.index(ECA) < order.index(HANDLER)
    assert CA == order[-1]


def test_a_certificate_that_the_org_never_returns_is_sent_again_and_planned_once():
    """An update that leaves the certificate out wipes JWT bearer for every pipeline that logs in with it."""
    from dataclasses import replace

    pem = "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----"
    body = {"externalClientApplication": "portal", "certificate": pem, "label": "x"}
    base = baseline({GLOBAL: body})
    (applied,) = base.resources.values()
    base = replace(base, resources={address(GLOBAL): replace(applied, unseen=(("certificate",),))})
    have = live({GLOBAL: {"externalClientApplication": "portal", "label": "x"}})

    assert () == plan(desired({GLOBAL: body}), have, base).changes
    made = plan(desired({GLOBAL: {"label": "y"}}), have, base)
    assert {f"update {GLOBAL}": {"label": ("x", "y")}} == shown(made)
    assert made.groups[0][0].body is not None
    assert pem == made.groups[0][0].body["certificate"]


def test_adopted_is_what_already_is_as_declared():
    assert (address(ECA),) == plan(desired({ECA: APP}), live({ECA: APP}), NOTHING_OWNED).adopted
