"""Connected apps: closed creation, keys for life, scopes in another spelling, lists that absent and empty treat apart."""

from __future__ import annotations

from typing import Any

import pytest

from providers.mock import Org
from providers.mock.state.world import TAKEN_ELSEWHERE
from tests.mock.wire import Piece, Wire, app, component, fields, file_of

SUFFIX = "connectedApps/{}.connectedApp"


def connected(
    name: str, oauth: dict[str, Any] | None = None, policy: dict[str, Any] | None = None, **values: Any
) -> Piece:
    oauth = {"callbackUrl": "https://a.acme.example/cb", "scopes": ["Api"], **(oauth or {})}
    body = fields(contactEmail="a@acme.example", label=name, oauthConfig=fields(**oauth))
    if policy is not None:
        body += fields(oauthPolicy=fields(**{"ipRelaxation": "ENFORCE", "refreshTokenPolicy": "infinite", **policy}))
    return Piece("ConnectedApp", name, file_of("ConnectedApp", body + fields(**values)))


@pytest.fixture
def open_wire(wire: Wire, org: Org) -> Wire:
    org.switch("allow_connected_app_creation", True)
    return wire


def test_creation_is_refused_unless_it_is_switched_on(wire: Wire, org: Org) -> None:
    """Since Spring '26; an update of an app that exists still works."""
    assert "can't create a connected app" in wire.refused(connected("Portal"))
    wire.deployed(connected("Partner_Portal"))

    org.switch("allow_connected_app_creation", True)

    wire.deployed(connected("Portal"))


def test_a_deleted_connected_app_cannot_come_back(wire: Wire) -> None:
    """The reason why a replace is irreversible."""
    assert "deleted" == wire.destroy("ConnectedApp", "Legacy_ERP").state("Legacy_ERP")

    assert "can't create" in wire.refused(connected("Legacy_ERP"))


def test_a_key_on_update_is_refused_even_if_it_is_the_same(wire: Wire) -> None:
    """A client that echoes what it read fails, as it does in the field."""
    key = wire.read("ConnectedApp", "Partner_Portal", "oauthConfig", "consumerKey")

    assert "You cannot provide a Consumer Key" == wire.refused(connected("Partner_Portal", {"consumerKey": key}))
    wire.deployed(connected("Partner_Portal", {"consumerKey": ""}))
    assert key == wire.read("ConnectedApp", "Partner_Portal", "oauthConfig", "consumerKey")


def test_a_taken_key_is_refused_on_creation(open_wire: Wire) -> None:
    """Pain number one of everybody who copies an app between orgs."""
    open_wire.deployed(connected("Portal", {"consumerKey": "OurOwnKey0001"}))

    for key in ("OurOwnKey0001", TAKEN_ELSEWHERE[1]):
        assert "The consumer key is already taken" == open_wire.refused(connected("Other", {"consumerKey": key}))


def test_scopes_come_back_canonical(open_wire: Wire) -> None:
    """Profile, Email, Address and Phone are Basic; OfflineAccess is RefreshToken."""
    scopes = ["Profile", "Email", "OfflineAccess", "Api", "RefreshToken", "Address", "Phone"]
    open_wire.deployed(connected("Portal", {"scopes": scopes}))

    read = open_wire.retrieve({"ConnectedApp": ["Portal"]})

    assert ["Basic", "RefreshToken", "Api"] == read.texts(SUFFIX.format("Portal"), "oauthConfig", "scopes")


def test_defaults_and_the_policy_are_filled_in(open_wire: Wire) -> None:
    """An app without oauthPolicy reads back with one."""
    open_wire.deployed(connected("Portal"))

    read = open_wire.retrieve({"ConnectedApp": ["Portal"]})

    path = SUFFIX.format("Portal")
    assert "true" == read.text(path, "oauthConfig", "isSecretRequiredForRefreshToken")
    assert "false" == read.text(path, "oauthConfig", "isTokenExchangeEnabled")
    assert ("ENFORCE", "infinite") == (
        read.text(path, "oauthPolicy", "ipRelaxation"),
        read.text(path, "oauthPolicy", "refreshTokenPolicy"),
    )


@pytest.mark.parametrize(
    ("policy", "taken"),
    [
        ({"refreshTokenPolicy": "zero"}, True),
        ({"refreshTokenPolicy": "specific_lifetime:30:DAYS"}, True),
        ({"refreshTokenPolicy": "specific_inactivity:4:HOURS"}, True),
        ({"refreshTokenPolicy": "immediate"}, False),
        ({"refreshTokenPolicy": "specific_lifetime:30:WEEKS"}, False),
        ({"ipRelaxation": "BYPASS_2FACTOR"}, True),
        ({"ipRelaxation": "Enforce"}, False),
    ],
)
def test_policy_strings_are_checked_by_the_server(wire: Wire, policy: dict[str, str], taken: bool) -> None:
    """The schema calls them strings."""
    done = wire.deploy(connected("Partner_Portal", policy=policy))

    assert ("Succeeded" if taken else "Failed") == done.status


def names(wire: Wire, field: str = "permissionSetName") -> list[str]:
    return wire.retrieve({"ConnectedApp": ["Partner_Portal"]}).texts(SUFFIX.format("Partner_Portal"), field)


APPROVED = {"isAdminApproved": True}


def test_an_absent_list_keeps_and_an_empty_element_clears(wire: Wire) -> None:
    """Two instructions that look alike: one of them locks everybody out."""
    wire.deployed(connected("Partner_Portal", APPROVED, permissionSetName=["Order_Portal_User", "Partner_Portal_User"]))
    wire.deployed(connected("Partner_Portal", APPROVED))
    assert ["Order_Portal_User", "Partner_Portal_User"] == names(wire)

    wire.deployed(connected("Partner_Portal", APPROVED, permissionSetName=""))

    assert [] == names(wire)


@pytest.mark.parametrize(
    ("oauth", "values", "problem"),
    [
        (APPROVED, {"permissionSetName": ["Reporting_API", "Reporting_API"]}, "listed more than once"),
        (APPROVED, {"permissionSetName": "Nobody"}, "In field: permissionSetName - no PermissionSet named Nobody found"),
        (APPROVED, {"profileName": "Nobody"}, "In field: profileName - no Profile named Nobody found"),
        ({}, {"permissionSetName": "Reporting_API"}, "requires oauthConfig.isAdminApproved"),
    ],
)  # fmt: skip
def test_lists_of_approved_users_are_checked(
    wire: Wire, oauth: dict[str, Any], values: dict[str, Any], problem: str
) -> None:
    """Nobody is approved by a name that leads nowhere."""
    assert problem in wire.refused(connected("Partner_Portal", oauth, **values))


def test_profiles_are_given_by_their_label(wire: Wire) -> None:
    """As real files have them."""
    wire.deployed(connected("Partner_Portal", APPROVED, profileName="System Administrator"))

    assert ["System Administrator"] == names(wire, "profileName")


@pytest.mark.parametrize(
    ("oauth", "problem"),
    [
        ({"isClientCredentialEnabled": True}, "Required field is missing: oauthClientCredentialUser"),
        (
            {"isClientCredentialEnabled": True, "oauthClientCredentialUser": "former@acme.example"},
            "In field: oauthClientCredentialUser - no User named former@acme.example found",
        ),
    ],
)
def test_client_credentials_need_an_active_user(wire: Wire, oauth: dict[str, Any], problem: str) -> None:
    """An app that runs as somebody who left runs as nobody."""
    assert problem == wire.refused(connected("Partner_Portal", oauth))


def test_an_invalid_plugin_user_is_removed_without_a_word(wire: Wire) -> None:
    """The guide says silently, so a read-back is the only way to notice."""
    wire.deployed(connected("Partner_Portal", pluginExecutionUser="nobody@acme.example"))
    assert wire.read("ConnectedApp", "Partner_Portal", "pluginExecutionUser") is None

    wire.deployed(connected("Partner_Portal", pluginExecutionUser="dana@acme.example"))

    assert "dana@acme.example" == wire.read("ConnectedApp", "Partner_Portal", "pluginExecutionUser")


def test_the_two_app_types_share_their_names(wire: Wire, org: Org) -> None:
    """A migration that keeps the name must delete the old app first."""
    assert "A connected app named Partner_Portal already exists" == wire.refused(app("Partner_Portal"))

    org.switch("allow_connected_app_creation", True)

    assert "An external client app named Marketing_Dashboard already exists" == wire.refused(
        connected("Marketing_Dashboard")
    )


def test_deleting_an_app_takes_its_custom_scope_assignments(open_wire: Wire) -> None:
    """A scope that is assigned to nobody's app would fail its next deployment."""
    assigned = fields(connectedApp="Legacy_ERP")
    values = {"assignedTo": assigned, "description": "orders", "developerName": "orders", "masterLabel": "orders"}
    open_wire.deployed(component("OauthCustomScope", "orders", **values))
    assert "Legacy_ERP" == open_wire.read("OauthCustomScope", "orders", "assignedTo", "connectedApp")

    open_wire.destroy("ConnectedApp", "Legacy_ERP")

    assert open_wire.read("OauthCustomScope", "orders", "assignedTo") is None


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"assignedTo": fields(connectedApp="Nobody")}, "In field: connectedApp - no ConnectedApp named Nobody found"),
        ({"masterLabel": "1st"}, "masterLabel must begin with a letter"),
        ({"description": "x" * 61}, "at most 60 characters"),
    ],
)
def test_a_custom_scope_is_checked(wire: Wire, values: dict[str, Any], problem: str) -> None:
    """Each of these would be found only at a client's first login."""
    values = {"description": "orders", "developerName": "orders", "masterLabel": "orders", **values}
    assert problem in wire.refused(component("OauthCustomScope", "orders", **values))


def test_labels_and_descriptions_of_scopes_are_unique(wire: Wire) -> None:
    """Two scopes of one label could not be told apart on a consent page."""
    wire.deployed(component("OauthCustomScope", "a", description="one", developerName="a", masterLabel="first"))

    problem = wire.refused(
        component("OauthCustomScope", "b", description="two", developerName="b", masterLabel="first")
    )

    assert problem.startswith("duplicate value found: masterLabel")
