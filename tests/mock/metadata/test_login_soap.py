"""SOAP login: what scripts with a password have used for twenty years, and how it ends."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
import simple_salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from providers.mock import Org, mount
from tests.mock.wire import Wire

DANA = "dana@acme.example"


class Login:
    """A client that speaks SOAP by hand."""

    def __init__(self, org: Org) -> None:
        self.org, self.session = org, requests.Session()
        self.base = mount(self.session, org)

    def call(self, inner: str, path: str = "u/64.0", token: str = "") -> requests.Response:
        kind = "partner" if path.startswith("u") else "enterprise"
        header = f"<urn:SessionHeader><urn:sessionId>{token}</urn:sessionId></urn:SessionHeader>" if token else ""
        envelope = (
            '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:urn="urn:{kind}.soap.sforce.com"><se:Header>{header}</se:Header><se:Body>{inner}</se:Body></se:Envelope>'
        )
        return self.session.post(f"{self.base}/services/Soap/{path}", data=envelope.encode())

    def login(self, username: str, password: str, path: str = "u/64.0") -> requests.Response:
        inner = f"<urn:login><urn:username>{username}</urn:username><urn:password>{password}</urn:password></urn:login>"
        return self.call(inner, path)

    def right(self, username: str = DANA, path: str = "u/64.0") -> requests.Response:
        return self.login(username, self.org.password(username) + self.org.security_token(username), path)


@pytest.fixture
def client(org: Org) -> Login:
    return Login(org)


def tag(answer: requests.Response, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", answer.text)
    assert found is not None, answer.text
    return found.group(1)


@pytest.mark.parametrize("path", ["u/64.0", "c/64.0", "u/31.0/"])
def test_a_password_and_its_token_give_a_session(client: Login, org: Org, path: str) -> None:
    """Bare tags without attributes: one client cuts them out of the text. Addresses lead back to this very server."""
    answer = client.right(path=path)

    assert 200 == answer.status_code
    assert tag(answer, "serverUrl").startswith(f"{client.base}/services/Soap/{path.rstrip('/')}/00D")
    assert tag(answer, "metadataServerUrl").startswith(f"{client.base}/services/Soap/m/")
    assert (org.org_id, DANA, "Dana Reyes") == (
        tag(answer, "organizationId"),
        tag(answer, "userName"),
        tag(answer, "userFullName"),
    )
    wire = Wire(org, token=tag(answer, "sessionId"))
    assert [{"Username": DANA}] == wire.rows(f"SELECT Username FROM User WHERE Id = '{tag(answer, 'userId')}'")
    assert (
        "describeMetadataResponse"
        in wire.post_soap('<describeMetadata xmlns="http://soap.sforce.com/2006/04/metadata"/>').text
    )


@pytest.mark.parametrize("wrong", ["", "password alone", "nobody", "former"])
def test_a_wrong_login_is_a_login_fault(client: Login, org: Org, wrong: str) -> None:
    """Scripts read code and text out of these tags; which part was wrong nobody is told."""
    username = {"nobody": "nobody@acme.example", "former": "former@acme.example"}.get(wrong, DANA)
    answer = client.login(username, org.password(DANA) if wrong == "password alone" else "guess")

    assert 500 == answer.status_code
    assert '<sf:LoginFault xsi:type="sf:LoginFault">' in answer.text
    assert "<faultcode>sf:INVALID_LOGIN</faultcode>" in answer.text
    assert ("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.") == (
        tag(answer, "sf:exceptionCode"),
        tag(answer, "sf:exceptionMessage"),
    )


def test_login_is_gone_from_version_65_on(client: Login, org: Org) -> None:
    """Raising the API version of an old script ends it: better here than in production."""
    answer = client.right(path="u/65.0")

    assert (500, "INVALID_OPERATION") == (answer.status_code, tag(answer, "sf:exceptionCode"))
    assert "is not available in the API version specified (65.0)" in tag(answer, "faultstring")


def test_new_orgs_have_it_disabled(client: Login, org: Org) -> None:
    """Who tests against an old sandbox does not see it."""
    org.switch("soap_login_enabled", False)

    assert tag(client.right(), "faultstring").startswith("INVALID_OPERATION: SOAP API login() is disabled by default")


def test_a_user_without_the_api_cannot_log_in(client: Login, org: Org) -> None:
    """A right password is not enough."""
    org.add_user("desk@acme.example", profile="Minimum Access - Salesforce")

    assert "API_DISABLED_FOR_ORG" == tag(client.right("desk@acme.example"), "sf:exceptionCode")
    answer = Wire(org, "desk@acme.example").query("SELECT Id FROM User")
    assert (403, "API_DISABLED_FOR_ORG") == (answer.status_code, answer.json()[0]["errorCode"])


def test_a_session_can_be_asked_about_and_ended(client: Login) -> None:
    """What clients do with a session besides using it."""
    token = tag(client.right(), "sessionId")

    assert DANA == tag(client.call("<urn:getUserInfo/>", token=token), "userName")
    assert tag(client.call("<urn:getServerTimestamp/>", token=token), "timestamp").endswith("Z")
    assert "<logoutResponse/>" in client.call("<urn:logout/>", token=token).text
    assert "INVALID_SESSION_ID" == tag(client.call("<urn:getUserInfo/>", token=token), "sf:exceptionCode")


@pytest.mark.parametrize(
    "body", ["<urn:query><urn:queryString>SELECT Id FROM User</urn:queryString></urn:query>", "", "<urn:"]
)
def test_the_rest_of_these_apis_is_not_here(client: Login, body: str) -> None:
    """A fault that names what was asked, never a made-up answer."""
    answer = client.call(body)

    assert 500 == answer.status_code
    assert "<faultcode>soapenv:Client</faultcode>" in answer.text


def test_simple_salesforce_logs_in_with_a_password(org: Org) -> None:
    """The way most scripts begin; the library's host is fixed, so the mount takes that very address."""
    session = requests.Session()
    mount(session, org, "https://login.salesforce.com")
    given: dict[str, Any] = {"username": DANA, "password": org.password(DANA), "session": session, "version": "64.0"}

    client = simple_salesforce.Salesforce(**given, security_token=org.security_token(DANA))

    assert "login.salesforce.com" == client.sf_instance
    assert 5 == client.query("SELECT COUNT() FROM User")["totalSize"]
    with pytest.raises(SalesforceAuthenticationFailed, match=r"\(code: INVALID_LOGIN\): Invalid username, password"):
        simple_salesforce.Salesforce(**given, security_token="wrong")
