"""What an org gives back in another spelling is no change and no drift, through the real codec, protocol and mock org."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds import all_kinds
from reconciler.schema.body import entries
from reconciler.schema.values import Body
from reconciler.xml.codec import decode, encode
from tests.e2e.build import (
    APP,
    DANA,
    GLOBAL,
    LEGACY,
    OAUTH,
    POLICY,
    app,
    enablement,
    handler,
    handler_class,
    legacy,
    portal,
)
from tests.e2e.project import Project
from tests.e2e.test_idempotence import applied, assert_settled, through_the_wire
from tests.e2e.worlds import World, worlds
from tests.respelling import respelled_body


def given_back(project: Project) -> Mapping[tuple[str, str], Body]:
    """Every record of the org, as it would give it to us."""
    with sqlite3.connect(project.database) as org:
        rows = org.execute("SELECT kind, name, body FROM component").fetchall()
    return {(kind, name): decode(all_kinds()[kind], body) for kind, name, body in rows if kind in all_kinds()}


def give_back(project: Project, kind: str, name: str, body: Body) -> None:
    """From now on the org gives the record back so."""
    with sqlite3.connect(project.database) as org:
        org.execute(
            "UPDATE component SET body = ? WHERE kind = ? AND name = ?", (encode(all_kinds()[kind], body), kind, name)
        )


@through_the_wire
@given(data=st.data(), world=worlds())
def test_whatever_the_org_spells_otherwise_is_neither_planned_nor_drift(
    fresh_org: Path, data: st.DataObject, world: World
):
    """A report that cries for nothing is not read when it matters."""
    with applied(world, fresh_org) as project:
        for (kind, name), body in given_back(project).items():
            schema = all_kinds()[kind]
            known = {field: value for field, value in body.items() if field in schema.fields()}
            plain = {field: value for field, value in known.items() if schema.fields()[field].struct is None}
            spelled = data.draw(respelled_body(schema, _entries(schema, plain)))
            give_back(project, kind, name, {**body, **spelled})

        assert_settled(project)


def _entries(schema: Any, body: Body) -> Body:
    """Texts that are lists, as lists: the strategy takes them so."""
    return {n: entries(schema.fields()[n], v) if schema.fields()[n].is_set else v for n, v in body.items()}


CASES = [
    (POLICY, "clientCredentialsFlowUser", "Integration@ACME.example"),
    (POLICY, "commaSeparatedPermissionSet", " order_portal_USER ,"),
    (GLOBAL, "callbackUrl", "\r\nhttps://portal.acme.example/callback \r\n"),
    (GLOBAL, "isPkceRequired", "TRUE"),
    (OAUTH, "commaSeparatedOauthScopes", " API,"),
]


@pytest.mark.parametrize(("address", "field", "text"), CASES)
def test_a_record_in_another_spelling_is_left_as_it_is(project: Project, address: str, field: str, text: str):
    """Nothing is sent: what the org spells stays as the org spells it."""
    policies = {
        "isClientCredentialsFlowEnabled": True,
        "clientCredentialsFlowUser": "integration@acme.example",
        "commaSeparatedPermissionSet": ["Order_Portal_User"],
    }
    project.declare(portal(policies=policies, isClientCredentialsFlowEnabled=True, isPkceRequired=True))
    project.apply()
    kind, _, owner = address.partition("/")
    ((name, body),) = [
        (name, body)
        for (found, name), body in given_back(project).items()
        if found == kind and body.get("externalClientApplication") == owner
    ]
    assert body[field] != text
    give_back(project, kind, name, {**body, field: text})

    assert_settled(project)


def test_an_app_and_what_refers_to_it_may_be_written_in_any_letters(project: Project):
    """For the org they are one app, one handler and one class."""
    exchange = {"isTokenExchangeEnabled": True}
    policies = {"isTokenExchangeFlowEnabled": True, "permittedUsersPolicyType": "AdminApprovedPreAuthorized"}
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(policies=policies, **exchange), handler(), enablement("portal"))
    project.apply()
    project.declare(
        {**portal(policies=policies, **exchange), "name": "PORTAL", "label": "portal"},
        {**handler(), "name": "partneridp", "tokenHandlerApex": "partneridpHANDLER"},
        enablement("Portal", "PARTNERIDP"),
    )

    assert {} == project.planned()
    assert {} == project.drifted()
    project.apply()
    assert {} == project.planned()
    found = project.run("plan", "--detailed-exitcode")
    assert (0, True) == (found.code, "No changes." in found.out)


def test_an_empty_consumer_key_asks_for_nothing(project: Project):
    """Real files hold one: the org makes the key, and nothing can take it away again."""
    project.declare(portal(consumerKey=""))
    project.apply()

    assert_settled(project)
    assert project.held(GLOBAL, "consumerKey")


def test_an_empty_consumer_key_of_a_connected_app_asks_for_nothing(project: Project):
    """As it is retrieved by some tools, and adopted then."""
    project.declare(legacy(label="ERP", oauthConfig={"consumerKey": ""}))
    project.apply()

    assert_settled(project)
    assert project.held(LEGACY, "oauthConfig.consumerKey")


# -- what a person types ---------------------------------------------------------------------------------------------


def test_an_address_is_typed_in_any_letters(project: Project) -> None:
    """Names differ by more than letters, so whoever types one need not look its capitals up."""
    project.declare(portal(), app("other"))

    planned = project.planned("--target", "ExternalClientApplication/PORTAL")
    assert {APP, GLOBAL} <= {one.partition(" ")[2] for one in planned}
    assert "create ExternalClientApplication/other" not in planned
    project.apply("--target", "ExternalClientApplication/Portal")
    assert APP in project.managed

    assert 0 == project.run("baseline", "show", "ExternalClientApplication/pORTAL").code
    replaced = project.planned("--replace", "ExternalClientApplication/PORTAL")
    assert f"replace {APP}" in replaced

    forgotten = project.run("baseline", "forget", "ExternalClientApplication/Portal")
    assert (0, f"forgot {APP}\n") == (forgotten.code, forgotten.out)
    assert APP not in project.managed


@pytest.mark.parametrize(
    "typed", [GLOBAL.replace("portal", "PORTAL"), "ExtlClntAppGlobalOauthSettings/P*L", "*/Port?l", "*PORTAL"]
)
def test_drift_is_accepted_in_any_letters(project: Project, typed: str) -> None:
    """By its address, and by a pattern."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)

    accepted = project.run("baseline", "accept", typed)

    assert (0, f"accepted {GLOBAL}\n", {}) == (accepted.code, accepted.out, project.drifted()), accepted.err


def test_the_name_of_a_kind_is_typed_as_it_is(project: Project) -> None:
    """It is a word of Salesforce's schema, and a near one may be another."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)

    assert 3 == project.run("baseline", "show", "externalclientapplication/portal").code
    assert 3 == project.run("baseline", "accept", "extlclntappglobaloauthsettings/*").code
