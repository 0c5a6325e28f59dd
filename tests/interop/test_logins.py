"""How pipelines log in: with a key, a secret or a refresh token of an app, or with a password."""

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from tests.interop.covers import covers
from tests.interop.jsforce import Jsforce
from tests.interop.pipeline import USER, Pipeline
from tests.interop.sf import Sf
from tests.interop.stand import Stand

ADMIN = "admin@acme.example"
LIST = "return [(await conn.identity()).username, (await conn.query('SELECT Name FROM Organization')).records[0].Name];"


def whole(org: Stand) -> str:
    """A password as it is typed where nobody trusts the network: with the security token behind it."""
    return org.org.password(ADMIN) + org.org.security_token(ADMIN)


# -- the Salesforce CLI -----------------------------------------------------------------------------------------------


@covers("sf", "JWT bearer", "a session that died is renewed")
def test_sf_logs_in_with_a_key(fresh_sf: Sf, pipeline: Pipeline, org: Stand) -> None:
    """Every pipeline of the Salesforce CLI. When a session ends in the middle, it must not fail."""
    key = "--client-id", pipeline.key, "--jwt-key-file", str(pipeline.key_file)
    made = fresh_sf("org login jwt", *key, "--username", USER, "--instance-url", org.url)
    org.org.end_sessions()
    listed = fresh_sf("org list metadata", "--metadata-type", "ConnectedApp", "--target-org", USER)

    assert (USER, org.org.org_id) == (made["username"], made["orgId"])
    assert {"Legacy_ERP", "Partner_Portal"} == {one["fullName"] for one in listed}


@covers("sf", "refresh token (SFDX auth URL)", "a session that died is renewed")
def test_sf_logs_in_with_an_auth_url(fresh_sf: Sf, pipeline: Pipeline, org: Stand) -> None:
    """Pipelines that were set up by copying one line."""
    made = fresh_sf("org login sfdx-url", "--sfdx-url-file", fresh_sf.file("auth-url", pipeline.auth_url(org)))
    org.org.end_sessions()
    found = fresh_sf("data query", "--query", "SELECT Name FROM Organization", "--target-org", USER)

    assert (USER, org.tls) == (made["username"], made["instanceUrl"])
    assert ["Acme"] == [one["Name"] for one in found["records"]]


# -- jsforce ----------------------------------------------------------------------------------------------------------


@covers("jsforce", "client credentials")
def test_jsforce_logs_in_with_a_secret(jsforce: Jsforce, pipeline: Pipeline, org: Stand) -> None:
    """Services."""
    found = jsforce(
        "const conn = new jsforce.Connection({ instanceUrl: given.url, oauth2: { loginUrl: given.url, clientId: given.key,"
        " clientSecret: given.secret } }); await conn.authorize({ grant_type: 'client_credentials' });" + LIST,
        url=org.url,
        key=pipeline.key,
        secret=pipeline.secret,
    )

    assert [USER, "Acme"] == found


@covers("jsforce", "refresh token (SFDX auth URL)", "a session that died is renewed")
def test_jsforce_renews_its_session(jsforce: Jsforce, pipeline: Pipeline, org: Stand) -> None:
    """Services that run for days."""
    found = jsforce(
        "const conn = new jsforce.Connection({ instanceUrl: given.url, accessToken: 'dead', refreshToken: given.token,"
        " oauth2: { loginUrl: given.url, clientId: given.key, clientSecret: given.secret } });" + LIST,
        url=org.url,
        key=pipeline.key,
        secret=pipeline.secret,
        token=pipeline.refresh_token(),
    )

    assert [USER, "Acme"] == found


@covers("jsforce", "user name and password, SOAP")
def test_jsforce_logs_in_with_a_password(jsforce: Jsforce, org: Stand) -> None:
    """Scripts that are older than OAuth; and whoever mistypes."""
    login = "const conn = new jsforce.Connection({ loginUrl: given.url, version: '64.0' }); await conn.login(given.name, given.word);"
    found = jsforce(login + LIST, url=org.url, name=ADMIN, word=whole(org))
    error = jsforce.refused(login, url=org.url, name=ADMIN, word="wrong")

    assert [ADMIN, "Acme"] == found
    assert "INVALID_LOGIN" in error["message"]


# -- simple-salesforce: the host cannot be set, but what is put behind it falls into the query ----------------------------


@covers("simple-salesforce", "user name and password, SOAP", "a session that died is renewed")
def test_simple_salesforce_logs_in_with_a_password(org: Stand, trusting: None) -> None:
    """Notebooks."""
    host = org.tls.removeprefix("https://")
    who = {
        "username": ADMIN,
        "security_token": org.org.security_token(ADMIN),
        "domain": f"{host}/services/Soap/u/64.0?",
    }
    client = Salesforce(password=org.org.password(ADMIN), version="64.0", **who)
    first = client.query("SELECT Name FROM Organization")["totalSize"]
    org.org.end_sessions()
    second = client.query("SELECT Name FROM Organization")["totalSize"]
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(password="wrong", version="64.0", **who)

    assert (1, 1) == (first, second)
    assert "Legacy ERP" == client.mdapi.ConnectedApp.read("Legacy_ERP").label


@covers("simple-salesforce", "client credentials")
def test_simple_salesforce_logs_in_with_a_secret(pipeline: Pipeline, org: Stand, trusting: None) -> None:
    """Services."""
    domain = f"{org.tls.removeprefix('https://')}/services/oauth2/token?"
    client = Salesforce(consumer_key=pipeline.key, consumer_secret=pipeline.secret, domain=domain, version="64.0")

    assert 1 == client.query("SELECT Name FROM Organization")["totalSize"]
    assert "Legacy ERP" == client.mdapi.ConnectedApp.read("Legacy_ERP").label
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        Salesforce(consumer_key=pipeline.key, consumer_secret="wrong", domain=domain, version="64.0")


@covers("simple-salesforce", "JWT bearer")
def test_simple_salesforce_logs_in_with_a_key(pipeline: Pipeline, org: Stand, trusting: None) -> None:
    """Pipelines."""
    client = Salesforce(
        username=USER,
        consumer_key=pipeline.key,
        privatekey_file=str(pipeline.key_file),
        instance_url=f"{org.tls.removeprefix('https://')}/services/oauth2/token?",
        version="64.0",
    )

    assert 1 == client.query("SELECT Name FROM Organization")["totalSize"]
