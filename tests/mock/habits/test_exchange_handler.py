"""Token exchange handlers, their Apex classes and their enablements."""

from __future__ import annotations

import pytest

from providers.mock import Org
from providers.mock.habits.apex import extends
from tests.mock.wire import Wire, apex, app, enablement, handler, manifest, whole, zipped

NAME = "OauthTokenExchangeHandler"


@pytest.fixture
def ready(wire: Wire) -> Wire:
    """An org with a class and an app that handlers can name."""
    wire.deployed(apex("Exchange"), *whole("order"))
    return wire


def test_class_app_and_handler_may_come_together(wire: Wire) -> None:
    """One deployment sets the whole flow up."""
    wire.deployed(handler("Idp", enablement("order")), *whole("order"), apex("Exchange"))

    assert "integration@acme.example" == wire.read(NAME, "Idp", "enablements", "apexExecutionUser")


@pytest.mark.parametrize(
    ("enabled", "problem"),
    [
        ([enablement("nobody")], "In field: externalClientApp - no ExternalClientApplication named nobody found"),
        ([enablement("nobody", connected=True)], "In field: connectedApp - no ConnectedApp named nobody found"),
        ([enablement("order", user="nobody@acme.example")], "In field: apexExecutionUser - no User named nobody@acme.example found"),
        ([enablement("order", user="former@acme.example")], "In field: apexExecutionUser - no User named former@acme.example found"),
        ([enablement("order"), enablement("order")], "duplicate value found: order is enabled twice for this handler"),
        (
            [enablement("order").replace("<isDefault>", "<connectedApp>Legacy_ERP</connectedApp><isDefault>")],
            "An enablement names exactly one of connectedApp and externalClientApp",
        ),
        (
            [enablement("order").replace("<externalClientApp>order</externalClientApp>", "")],
            "An enablement names exactly one of connectedApp and externalClientApp",
        ),
    ],
)  # fmt: skip
def test_an_enablement_is_checked(ready: Wire, enabled: list[str], problem: str) -> None:
    """A handler that runs as nobody, or for no app, fails at a partner's first call."""
    assert problem == ready.refused(handler("Idp", *enabled))


def test_an_app_has_one_default_handler(ready: Wire) -> None:
    """Which of two defaults runs is not what anybody reviewed."""
    ready.deployed(handler("Idp", enablement("order", default=True)))

    assert "An app can have only one default handler" in ready.refused(
        handler("Other", enablement("order", default=True))
    )
    # Moving the default is one deployment, in either order of its two handlers.
    ready.deployed(handler("Idp", enablement("order")), handler("Another", enablement("order", default=True)))


def test_two_apps_may_each_have_their_default(ready: Wire) -> None:
    """Salesforce's sample has two in one handler."""
    ready.deployed(
        handler("Idp", enablement("order", default=True), enablement("Legacy_ERP", default=True, connected=True))
    )


def test_the_class_must_exist_and_extend_the_base_class(wire: Wire) -> None:
    """Another class would compile and fail at run time."""
    assert "In field: tokenHandlerApex - no ApexClass named Exchange found" == wire.refused(handler("Idp"))

    problem = wire.refused(
        handler("Idp"), apex("Exchange", "public class Exchange { /* extends Auth.Oauth2TokenExchangeHandler */ }")
    )

    assert "The Apex class Exchange must extend Auth.Oauth2TokenExchangeHandler" == problem


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("public class A extends Auth.Oauth2TokenExchangeHandler {}", True),
        ("global with sharing class A EXTENDS auth.oauth2tokenexchangehandler implements X {}", True),
        ("// class B {\npublic class A /* { */ extends Auth.Oauth2TokenExchangeHandler {}", True),
        ("public class A { class B extends Auth.Oauth2TokenExchangeHandler {} }", False),
        ("public class A { String s = 'class B extends Auth.Oauth2TokenExchangeHandler {'; }", False),
        ("public class A extends Oauth2TokenExchangeHandler {}", False),
        ("", False),
    ],
)
def test_what_a_class_extends_is_read_as_the_compiler_reads_it(source: str, fits: bool) -> None:
    """Letter case, comments and texts do not count."""
    assert fits == extends(source, "Auth.Oauth2TokenExchangeHandler")


def test_a_class_without_a_declaration_or_with_another_name_is_refused(wire: Wire) -> None:
    """A file saved under the wrong name would replace another class."""
    assert "Unexpected token" in wire.refused(apex("Exchange", "nothing"))
    assert "Other does not match Exchange" in wire.refused(apex("Exchange", "public class Other {}"))


def test_a_class_in_use_cannot_be_deleted(ready: Wire) -> None:
    """The handler would be dead; together with its handler it may go."""
    ready.deployed(handler("Idp"))

    done = ready.destroy("ApexClass", "Exchange")

    assert "referenced elsewhere" in done.problems[0]
    files = ready.retrieve({"ApexClass": ["*"]}).files
    assert {"classes/Exchange.cls", "classes/Exchange.cls-meta.xml", "package.xml"} == set(files)
    both = {"ApexClass": ["Exchange"], "OauthTokenExchangeHandler": ["Idp"]}
    package = zipped({"package.xml": manifest({}), "destructiveChanges.xml": manifest(both)})
    assert "Succeeded" == ready.poll(ready.start(package)).status


def test_enablements_go_with_their_app(ready: Wire) -> None:
    """A handler that names an app that is gone could not be deployed again."""
    ready.deployed(handler("Idp", enablement("order", default=True), enablement("Legacy_ERP", connected=True)))

    ready.destroy("ExternalClientApplication", "order")

    assert ["Legacy_ERP"] == [
        row["ConnectedApplicationId"] and "Legacy_ERP"
        for row in ready.rows("SELECT ConnectedApplicationId FROM OauthTokenExchHandlerApp")
    ]
    assert ready.read(NAME, "Idp", "enablements", "externalClientApp") is None


def test_the_flow_may_be_a_condition_of_an_enablement(ready: Wire, org: Org) -> None:
    """Setup's picker lists only apps that are configured; a switch, since the API's rule is not known."""
    org.switch("enablement_requires_flow", True)

    assert "order isn't configured for the token exchange flow" == ready.refused(handler("Idp", enablement("order")))
    admin = org.admin_username
    org.set("ExtlClntAppGlobalOauthSettings/order", {"isTokenExchangeEnabled": "true"}, as_user=admin)
    approved = {"permittedUsersPolicyType": "AdminApprovedPreAuthorized", "isTokenExchangeFlowEnabled": "true"}
    org.set("ExtlClntAppOauthConfigurablePolicies/order", approved, as_user=admin)

    ready.deployed(handler("Idp", enablement("order")))


def test_a_field_that_is_typed_as_required_and_documented_as_internal_is_neither_needed_nor_refused(
    ready: Wire,
) -> None:
    """`isContactCreationAllowed`: no file that people keep has it."""
    ready.deployed(handler("Idp"))
    ready.deployed(handler("Idp", isContactCreationAllowed=False))


def test_records_of_enablements_keep_their_id_and_their_dates(ready: Wire) -> None:
    """Whoever looks up who enabled an app must not find the last deployment of something else."""
    ready.deployed(handler("Idp", enablement("order")))
    soql = "SELECT Id, LastModifiedDate FROM OauthTokenExchHandlerApp"
    before = ready.rows(soql)

    ready.deployed(handler("Idp", enablement("order"), isJwtSupported=True))

    assert before == ready.rows(soql)


def test_dml_is_a_way_around_metadata_tools(ready: Wire) -> None:
    """The drift that only a query or a retrieve shows."""
    ready.deployed(handler("Idp"), app("other"))
    ids = {
        row["DeveloperName"]: row["Id"] for row in ready.rows("SELECT Id, DeveloperName FROM ExternalClientApplication")
    }
    handler_id = ready.rows("SELECT Id FROM OauthTokenExchangeHandler")[0]["Id"]
    user = ready.rows("SELECT Id FROM User WHERE Username = 'dana@acme.example'")[0]["Id"]
    path = f"{ready.base}/services/data/v66.0/sobjects/OauthTokenExchHandlerApp"
    row = {
        "OauthTokenExchangeHandlerId": handler_id,
        "ExternalClientApplicationId": ids["order"],
        "ApexExecutionUserId": user,
        "IsDefault": False,
    }

    created = ready.session.post(path, json=row, headers=ready.bearer)
    assert 201 == created.status_code
    record = f"{path}/{created.json()['id']}"
    assert 204 == ready.session.patch(record, json={"IsDefault": True}, headers=ready.bearer).status_code
    assert ready.get(f"/services/data/v66.0/sobjects/OauthTokenExchHandlerApp/{created.json()['id']}").json()[
        "IsDefault"
    ]
    assert ("dana@acme.example", "true") == (
        ready.read(NAME, "Idp", "enablements", "apexExecutionUser"),
        ready.read(NAME, "Idp", "enablements", "isDefault"),
    )
    assert 400 == ready.session.post(path, json=row, headers=ready.bearer).status_code
    assert 204 == ready.session.delete(record, headers=ready.bearer).status_code
    assert ready.read(NAME, "Idp", "enablements") is None
