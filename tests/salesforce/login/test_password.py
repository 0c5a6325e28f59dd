"""Logins by username, password and security token."""

import pytest
import requests
from lxml import etree
from simple_salesforce.login import SalesforceLogin

from providers.salesforce.wire.polling import PassingError
from reconciler.errors import NotAllowedError, RefusedError, UnreachableError
from tests.salesforce.build import HOST, Answer, Stub, fault
from tests.salesforce.login.build import FRESH, Login, Vault, ref

UAT = "https://acme--uat.sandbox.my.salesforce.com"


def taken(server: str = f"{HOST}/services/Soap/u/64.0/00D000000000001", expired: str = "false") -> Answer:
    inside = (
        f"<metadataServerUrl>{HOST}/services/Soap/m/64.0/00D</metadataServerUrl><passwordExpired>{expired}</passwordExpired>"
        f"<sandbox>false</sandbox><serverUrl>{server}</serverUrl><sessionId>{FRESH}</sessionId><userId>005</userId>"
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns="urn:partner.soap.sforce.com"'
        ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><loginResponse>'
        f"<result>{inside}</result></loginResponse></soapenv:Body></soapenv:Envelope>"
    )
    return 200, {"Content-Type": "text/xml;charset=UTF-8"}, text.encode()


def login(answer=lambda _: taken(), instance_url: str = HOST, **keys: object) -> Login:
    keys = {"username": "ci@acme.example", "password": ref("PW"), "security_token": ref("TOKEN"), **keys}
    vault = Vault(PW="pass&word<1>", TOKEN="canaryToken")
    return Login("password", answer, instance_url=instance_url, vault=vault, **keys)


def said(request: requests.PreparedRequest) -> dict[str, str]:
    """What a login asks, whatever its prefixes."""
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    found = next(one for one in etree.fromstring(body).iter() if str(one.tag) == "{urn:partner.soap.sforce.com}login")
    return {etree.QName(child).localname: child.text or "" for child in found}


def test_the_request_is_the_one_that_simple_salesforce_sends():
    """Their users log in to real orgs with it every day."""
    it, theirs = login(), Stub(lambda _: taken())
    session = requests.Session()
    session.mount("https://", theirs)
    SalesforceLogin(
        "ci@acme.example", "pass&word<1>", "canaryToken", domain="acme.my", sf_version="64.0", session=session
    )

    assert FRESH == it.enter()
    assert theirs.asked[0].url == it.sent[0].url
    assert said(theirs.asked[0]) == said(it.sent[0])
    assert {"username": "ci@acme.example", "password": "pass&word<1>canaryToken"} == said(it.sent[0])


@pytest.mark.parametrize(
    ("keys", "place"),
    [({}, "https://login.salesforce.com"), ({"sandbox": True}, "https://test.salesforce.com")],
)
def test_without_an_org_of_its_own_the_login_tells_which_it_is(keys: dict[str, object], place: str):
    """The three things in a password manager name no org."""
    it = login(lambda _: taken(f"{UAT}/services/Soap/u/64.0/00D"), instance_url="", **keys)

    assert UAT == it.session.origin
    assert f"{place}/services/Soap/u/64.0" == it.sent[0].url


def test_a_network_that_the_org_trusts_needs_no_security_token():
    """That is what trusted ranges are for."""
    it = login(security_token=None)

    assert FRESH == it.enter()
    assert "pass&word<1>" == said(it.sent[0])["password"]


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("INVALID_LOGIN", "Login History"),
        ("LOGIN_MUST_USE_SECURITY_TOKEN", "add security_token"),
        ("INVALID_OPERATION", "ends with Summer '27: log in by jwt"),
        ("UNSUPPORTED_API_VERSION", "Use Any API Auth"),
    ],
)
def test_a_refusal_keeps_salesforces_words_and_says_what_to_do(code: str, mend: str):
    """From Summer '27 on every one of these logins fails, and somebody has to learn why from this line."""
    with pytest.raises(NotAllowedError) as wrong:
        login(lambda _: fault(code, "no")).enter()
    (complaint,) = wrong.value.complaints

    assert f"{code}: no" == complaint.quote
    assert mend in complaint.mend


@pytest.mark.parametrize("code", ["SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"])
def test_a_trouble_of_the_org_is_no_verdict_on_the_login(code: str):
    """Whoever reads "not allowed" changes passwords; an hour later it would have worked."""
    with pytest.raises(PassingError) as wrong:
        login(lambda _: fault(code, "no")).enter()

    assert "try again" in wrong.value.complaints[0].mend


def test_a_password_that_has_expired_is_no_login():
    """Its session can do nothing but set a new password."""
    with pytest.raises(NotAllowedError, match="password has expired"):
        login(lambda _: taken(expired="true")).enter()


def test_another_org_is_refused():
    """Two orgs with like users: the files of one must not be applied to the other."""
    with pytest.raises(RefusedError, match="is for the org at https://other"):
        login(lambda _: taken("https://other.my.salesforce.com/services/Soap/u/64.0")).enter()


def test_half_an_answer_is_not_quoted():
    """It may hold half a session id, which nobody knows to keep out of the log."""
    half = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><sessionId>' + FRESH[:18].encode()
    with pytest.raises(UnreachableError) as wrong:
        login(lambda _: (200, {}, half)).enter()
    assert FRESH[:18] not in repr(wrong.value.complaints)
