"""Logins by JWT bearer: what is signed, for whom, and where it is sent."""

import jwt as pyjwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from simple_salesforce.login import SalesforceLogin

from providers.salesforce.login.jwt import GRANT, jwt
from providers.salesforce.login.keys import Given
from reconciler.errors import InputError, NotAllowedError, RefusedError
from tests.salesforce.build import HOST, Stub
from tests.salesforce.login.build import FRESH, Login, Vault, door, form_of, granted, ref, refused

UAT = "https://acme--uat.sandbox.my.salesforce.com"


def login(key: str, answer=lambda _: granted(), **keys: object) -> Login:
    keys = {"client_id": "3MVG9", "username": "ci@acme.example", "private_key": ref("KEY"), **keys}
    return Login("jwt", answer, vault=Vault(KEY=key), **keys)


def claims(private_key: str, assertion: str) -> dict[str, object]:
    """What is signed, after the signature was checked; the time is none of this test's business."""
    public = load_pem_private_key(private_key.encode(), None).public_key()
    return pyjwt.decode(assertion, public, algorithms=["RS256"], options={"verify_aud": False})


def test_a_login_gives_the_token_for_the_org(private_key: str):
    """The way that every pipeline should log in."""
    it = login(private_key)

    assert FRESH == it.enter()
    assert [f"{HOST}/services/oauth2/token"] == [request.url for request in it.sent]
    assert GRANT == it.form["grant_type"]
    assert HOST == it.session.origin


def test_nothing_is_looked_for_before_the_first_call(private_key: str):
    """`reconciler check` in a pipeline that has no key must work."""
    it = login(private_key)

    assert ([], []) == (it.vault.asked, it.sent)


@pytest.mark.parametrize(
    ("instance_url", "keys", "audience", "place"),
    [
        (HOST, {}, "https://login.salesforce.com", HOST),
        (UAT, {}, "https://test.salesforce.com", UAT),
        (UAT, {"sandbox": False}, "https://login.salesforce.com", UAT),
        (HOST, {"sandbox": True}, "https://test.salesforce.com", HOST),
        ("https://acme--uat.my.salesforce.com", {}, "https://test.salesforce.com", "https://acme--uat.my.salesforce.com"),
        ("https://x.scratch.my.salesforce.com", {}, "https://test.salesforce.com", "https://x.scratch.my.salesforce.com"),
        ("https://acme--uat.cs42.my.salesforce.com", {}, "https://test.salesforce.com", "https://acme--uat.cs42.my.salesforce.com"),
        ("https://cs42.salesforce.com", {}, "https://test.salesforce.com", "https://cs42.salesforce.com"),
        ("https://a-dev-ed.develop.my.salesforce.com", {}, "https://login.salesforce.com", "https://a-dev-ed.develop.my.salesforce.com"),
        (HOST, {"audience": "https://login.acme.my.salesforce.com/"}, "https://login.acme.my.salesforce.com", HOST),
    ],
)  # fmt: skip
def test_the_audience_is_where_people_of_that_org_log_in(
    private_key: str, instance_url: str, keys: dict[str, object], audience: str, place: str
):
    """A sandbox's My Domain as audience is refused, and the message does not say what would not be."""
    it = login(private_key, lambda _: granted(instance_url), instance_url=instance_url, **keys)

    assert FRESH == it.enter()
    assert audience == claims(private_key, it.form["assertion"])["aud"]
    assert f"{place}/services/oauth2/token" == it.sent[0].url


@pytest.mark.parametrize(
    ("instance_url", "keys", "place"),
    [
        ("", {}, "https://login.salesforce.com"),
        ("", {"sandbox": True}, "https://test.salesforce.com"),
        ("https://login.salesforce.com", {}, "https://login.salesforce.com"),
        ("https://test.salesforce.com", {}, "https://test.salesforce.com"),
    ],
)
def test_without_an_org_of_its_own_the_login_tells_which_it_is(
    private_key: str, instance_url: str, keys: dict[str, object], place: str
):
    """Many have only ever known login.salesforce.com."""
    it = login(private_key, lambda _: granted(UAT), instance_url=instance_url, **keys)

    assert UAT == it.session.origin
    assert f"{place}/services/oauth2/token" == it.sent[0].url
    assert place == claims(private_key, it.form["assertion"])["aud"]
    assert FRESH == it.enter()
    assert 1 == len(it.sent)


def test_an_assertion_is_good_for_three_minutes_only(private_key: str):
    """What is longer good is longer worth stealing."""
    stub = Stub(lambda _: granted())
    given = Given("jwt", {"client_id": "a", "username": "b", "private_key": ref("KEY")}, Vault(KEY=private_key))
    jwt(given, HOST, door(stub), now=lambda: 1000.9)()
    payload = pyjwt.decode(form_of(stub.asked[0])["assertion"], options={"verify_signature": False})

    assert {"iss": "a", "sub": "b", "aud": "https://login.salesforce.com", "exp": 1180} == payload


def test_the_request_is_the_one_that_simple_salesforce_sends(private_key: str):
    """Their users log in to real orgs with it every day."""
    it, theirs = login(private_key), Stub(lambda _: granted())
    session = requests.Session()
    session.mount("https://", theirs)
    SalesforceLogin(
        username="ci@acme.example",
        consumer_key="3MVG9",
        privatekey=private_key,
        instance_url="acme.my",
        session=session,
    )
    assert FRESH == it.enter()
    ours, other = it.form, form_of(theirs.asked[0])

    assert theirs.asked[0].url == it.sent[0].url
    assert other.keys() == ours.keys()
    assert other["grant_type"] == ours["grant_type"]
    mine, his = (claims(private_key, form["assertion"]) for form in (ours, other))
    assert his.keys() == mine.keys()
    assert {name: his[name] for name in ("iss", "sub", "aud")} == {name: mine[name] for name in ("iss", "sub", "aud")}
    assert abs(int(str(his["exp"])) - int(str(mine["exp"]))) < 30


@pytest.mark.parametrize(
    "key", ["", "hunter2 is no key", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"]
)
def test_a_key_that_is_none_is_not_shown(key: str):
    """Somebody puts the passphrase into the variable that the key belongs in."""
    with pytest.raises(InputError) as wrong:
        login(key).enter()
    assert "private_key holds no RSA private key" in str(wrong.value)
    assert "hunter2" not in repr(wrong.value.complaints)
    assert wrong.value.__cause__ is None
    assert wrong.value.__suppress_context__


@pytest.mark.parametrize("missing", ["client_id", "username", "private_key"])
def test_a_missing_key_is_named_at_once(private_key: str, missing: str):
    """Before a network is asked, and before a secret is looked for."""
    with pytest.raises(InputError, match=f"login: {missing} is missing"):
        login(private_key, **{missing: None})


def test_a_foreign_audience_is_refused(private_key: str):
    """An assertion for somebody else is not made, whoever asks for it."""
    with pytest.raises(RefusedError):
        login(private_key, audience="https://evil.example")


def test_a_clock_that_is_wrong_is_told_where_the_login_fails(private_key: str):
    """`expired` about something that was made this second sends people to look at everything but the clock."""
    late = refused("invalid_grant", "expired authorization code", Date="Thu, 01 Jan 1970 00:00:00 GMT")
    with pytest.raises(NotAllowedError) as wrong:
        login(private_key, lambda _: late).enter()
    (complaint,) = wrong.value.complaints

    assert "this machine's clock is" in complaint.mend
    assert "minutes ahead of Salesforce's" in complaint.mend
