"""What holds for every way to log in: whom credentials go to, what is believed, what is said, and how often."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from providers import Connection, connect
from providers.salesforce.login import ways
from providers.salesforce.login.place import Access
from providers.salesforce.wire.refusals import SessionDiedError
from reconciler.errors import InputError, NotAllowedError, ReconcilerError, RefusedError, UnreachableError
from reconciler.project import login_section
from reconciler.schema.values import SecretRef
from tests.packaging.locked import ROOT
from tests.salesforce.build import HOST
from tests.salesforce.login.build import FRESH, Login, Vault, granted, ref, refused

KEYS: dict[str, dict[str, Any]] = {
    "token": {"access_token": ref("TOKEN")},
    "sfdx_url": {"auth_url": ref("URL")},
    "sf": {"alias": "acme"},
    "jwt": {"client_id": "3MVG9", "username": "ci@acme.example", "private_key": ref("KEY")},
    "client_credentials": {"client_id": "3MVG9", "client_secret": ref("SECRET")},
    "password": {"username": "ci@acme.example", "password": ref("PW")},
}
BY_TOKEN_ENDPOINT = ("sfdx_url", "jwt", "client_credentials")


@pytest.fixture
def vault(private_key: str) -> Vault:
    url = "force://PlatformCLI::5Aep861refresh@acme.my.salesforce.com"
    return Vault(TOKEN="00D000000000001!given", URL=url, KEY=private_key, SECRET="canarySecret", PW="canaryPassword")


def never(reference: SecretRef) -> str:
    raise AssertionError(f"{reference} was looked for")


def test_the_project_file_and_the_client_know_the_same_ways():
    """A way that passes the check of the files and then is none would be found in production."""
    assert list(login_section.FLOWS) == list(ways.FLOWS), "project/login_section.py and login/ways.py list them alike"
    assert list(ways.FLOWS) == list(KEYS), "add what it needs to KEYS above"
    for name, flow in login_section.FLOWS.items():
        assert set(flow.needed) == KEYS[name].keys()


@pytest.mark.parametrize("flow", ways.FLOWS)
def test_a_way_to_log_in_is_explained(flow: str):
    """Whoever looks in the documents for how to log in."""
    page = (ROOT / "docs" / "logins.md").read_text(encoding="utf-8")

    assert f"\n## {flow}\n" in page, f"add a section `## {flow}` to docs/logins.md"
    assert f"\n| [`{flow}`](#{flow}) |" in page, "add a row to the table of docs/logins.md"


@pytest.mark.parametrize("flow", KEYS)
@pytest.mark.parametrize("missing_at", range(3))
def test_what_the_section_needs_the_client_needs(flow: str, missing_at: int):
    """The two must not drift apart: a key that only one of them asks for is an error without a place."""
    names = list(KEYS[flow])
    name = names[missing_at % len(names)]
    with pytest.raises(InputError, match=f"login: {name} is missing"):
        Login(flow, **{**KEYS[flow], name: None})


@pytest.mark.parametrize("flow", KEYS)
@pytest.mark.parametrize(
    "url", ["https://evil.example", "http://acme.my.salesforce.com", "https://acme.my.salesforce.com.evil.example"]
)
def test_a_wrong_host_gets_nothing_and_no_secret_is_looked_for(flow: str, url: str):
    """A pull request from a stranger can edit the project file: it must not choose who gets the credentials."""
    with pytest.raises(RefusedError):
        connect(Connection(instance_url=url, login={"flow": flow, **KEYS[flow]}), never)


@pytest.mark.parametrize("flow", KEYS)
def test_nothing_is_looked_for_before_the_first_call(flow: str):
    """Files are checked in pipelines that have no credentials."""
    connect(Connection(instance_url=HOST, login={"flow": flow, **KEYS[flow]}), never)


@pytest.mark.parametrize("flow", BY_TOKEN_ENDPOINT)
@pytest.mark.parametrize(
    "place",
    ["https://evil.example", "http://acme.my.salesforce.com", "https://acme.my.salesforce.com@evil.example", "", "x",
     "http://127.0.0.1:8080", "https://[::1", "https://acme.lightning.force.com", "javascript:alert(1)"],
)  # fmt: skip
def test_an_answer_that_names_a_strange_org_is_not_believed(vault: Vault, flow: str, place: str):
    """Whoever answers in Salesforce's place must not send our token on."""
    it = Login(flow, lambda _: granted(place), vault=vault, **KEYS[flow])
    with pytest.raises(RefusedError):
        it.enter()


@pytest.mark.parametrize("flow", BY_TOKEN_ENDPOINT)
def test_an_answer_for_another_org_names_both(vault: Vault, flow: str):
    """A client id of the sandbox in the pipeline of production; or a My Domain that was renamed."""
    it = Login(flow, lambda _: granted("https://other.my.salesforce.com"), vault=vault, **KEYS[flow])
    with pytest.raises(RefusedError) as wrong:
        it.enter()
    (complaint,) = wrong.value.complaints

    assert (
        "the login is for the org at https://other.my.salesforce.com, and instance_url says https://acme.my.salesforce.com"
        == complaint.message
    )
    assert "set instance_url to https://other.my.salesforce.com" in complaint.mend


def test_a_login_at_salesforce_leads_to_no_port_of_this_machine(vault: Vault):
    """Where nothing is pinned, the answer alone decides where the token goes."""
    it = Login("jwt", lambda _: granted("http://127.0.0.1:8080"), instance_url="", vault=vault, **KEYS["jwt"])
    with pytest.raises(RefusedError, match="gets no credentials of ours"):
        it.enter()


def test_an_org_that_the_login_found_stays_the_same(private_key: str, vault: Vault):
    """Half an apply in one org and half in another is worse than none."""
    places = iter([HOST, "https://other.my.salesforce.com"])
    it = Login("jwt", lambda _: granted(next(places)), instance_url="", vault=vault, **KEYS["jwt"])

    assert HOST == it.session.origin
    it.credentials._token = ""
    with pytest.raises(RefusedError, match="is for the org at https://other"):
        it.enter()


@pytest.mark.parametrize("flow", [flow for flow in KEYS if flow not in ("sf", "password")])
def test_a_login_is_sent_once_and_again_when_the_session_has_died(vault: Vault, flow: str):
    """A session that ends in the middle of a poll is nobody's reason to start over."""
    tokens = iter(["00D000000000001!one", "00D000000000001!two"])
    it = Login(flow, lambda _: granted(access_token=next(tokens)), vault=vault, **KEYS[flow])
    heard: list[str] = []

    def call(token: str) -> str:
        heard.append(token)
        if len(heard) == 1:
            raise SessionDiedError("over")
        return "done"

    if flow in ways.FIXED:
        with pytest.raises(SessionDiedError):
            it.credentials.alive(call)
        assert (["00D000000000001!given"], 0) == (heard, len(it.sent))
    else:
        assert "done" == it.credentials.alive(call)
        assert (["00D000000000001!one", "00D000000000001!two"], 2) == (heard, len(it.sent))


@pytest.mark.parametrize(
    ("flow", "error", "description", "mend"),
    [
        ("jwt", "invalid_grant", "user hasn't approved this consumer", "pre-authorized"),
        ("jwt", "invalid_app_access", "user is not admin approved to access this app", "pre-authorized"),
        ("jwt", "invalid_grant", "audience is invalid", "the audience is https://login.salesforce.com: set `sandbox: true`"),
        ("jwt", "invalid_grant", "Audience validation failed", "`sandbox: true`"),
        ("jwt", "invalid_grant", "invalid assertion", "certificate in the app belongs to private_key"),
        ("jwt", "invalid_client_id", "client identifier invalid", "up to 10 minutes"),
        ("client_credentials", "invalid_client", "invalid client credentials", "a rotation replaces"),
        ("jwt", "invalid_client", "External client app is not installed in this org", "the app is not in this org"),
        ("jwt", "invalid_client", "invalid client credentials", "the app is in this org and has the certificate"),
        ("sfdx_url", "invalid_client", "invalid client credentials", "log in again with the Salesforce CLI"),
        ("client_credentials", "invalid_grant", "no client credentials user enabled", "the user to run as"),
        ("client_credentials", "invalid_grant", "request not supported on this domain", "My Domain"),
        ("client_credentials", "unsupported_grant_type", "grant type not supported", "switch this flow on"),
        ("sfdx_url", "invalid_grant", "expired access/refresh token", "refresh token rotation"),
        ("sfdx_url", "inactive_user", "user is inactive", "the user is inactive"),
        ("sfdx_url", "invalid_grant", "ip restricted", "Login IP Ranges"),
        ("jwt", "something_new", "", "look at the app in Setup"),
    ],
)  # fmt: skip
def test_a_refusal_keeps_salesforces_words_and_says_what_to_do(
    vault: Vault, flow: str, error: str, description: str, mend: str
):
    """Nobody should have to look these words up on a Friday evening."""
    it = Login(flow, lambda _: refused(error, description), vault=vault, **KEYS[flow])
    with pytest.raises(NotAllowedError) as wrong:
        it.enter()
    (complaint,) = wrong.value.complaints

    assert (f"{error}: {description}" if description else error) == complaint.quote
    assert mend in complaint.mend
    assert 1 == len(it.sent)


def test_too_many_logins_are_no_lack_of_permission(vault: Vault):
    """It passes by itself: exit 1, not 5."""
    with pytest.raises(UnreachableError, match="refuses the login"):
        Login(
            "jwt", lambda _: refused("rate_limit_exceeded", "login rate exceeded"), vault=vault, **KEYS["jwt"]
        ).enter()


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b'{"access_token": "00D000000000001!cut'),
        (200, {}, b'{"access_token": 7, "instance_url": "https://acme.my.salesforce.com"}'),
        (200, {}, b"[]"),
        (200, {}, b""),
        (200, {}, b'{"access_token": "two words", "instance_url": "https://acme.my.salesforce.com"}'),
        (200, {}, b"[" * 100_000),
        (404, {"Content-Type": "text/html"}, b"<html>not here</html>"),
        (400, {}, b'{"error": {"nested": true}}'),
        (302, {"Location": "https://evil.example/"}, b""),
    ],
)
@pytest.mark.parametrize("flow", BY_TOKEN_ENDPOINT)
def test_any_other_answer_is_an_error_that_shows_no_token(vault: Vault, flow: str, answer: Any):
    """Half an answer holds half a token, which nobody knows to keep out of the log."""
    it = Login(flow, lambda _: answer, vault=vault, **KEYS[flow])
    with pytest.raises(ReconcilerError) as wrong:
        it.enter()
    assert "00D000000000001!cut" not in repr(wrong.value.complaints)
    assert "evil.example/" not in it.sent[-1].url


@pytest.mark.parametrize(
    "trouble", [requests.ConnectionError("reset"), requests.Timeout("late"), (503, {}, b"later"), (429, {}, b"slower")]
)
def test_a_login_is_tried_again_where_nobody_answers(vault: Vault, trouble: Any):
    """A login changes nothing, and a hiccup should not fail the night's drift check."""
    answers: list[Any] = [trouble, granted()]
    it = Login("jwt", lambda _: answers.pop(0), vault=vault, **KEYS["jwt"])

    assert FRESH == it.enter()
    assert 2 == len(it.sent)


def test_an_endless_answer_is_cut(vault: Vault):
    """A host that sends for ever must not fill the memory of a build machine."""
    from providers.salesforce.login.endpoint import MAX_ANSWER_BYTES, open_session

    assert MAX_ANSWER_BYTES == open_session(HOST).max_bytes
    assert HOST == open_session(HOST).origin


@pytest.mark.parametrize(
    "shown",
    [
        lambda it: repr(it.credentials),
        lambda it: repr(Access("canaryToken", HOST)),
        lambda it: repr(it.credentials.__dict__),
        lambda it: str(it.session),
    ],
)
def test_nothing_shows_a_token(vault: Vault, shown: Callable[[Login], str]):
    """It ends up in the message of an assertion, or of a crash, one day."""
    it = Login("token", vault=vault, **KEYS["token"])
    text = shown(it)

    assert "canaryToken" not in text
    assert "given" not in text


def test_login_errors_carry_no_chain_with_a_secret(vault: Vault):
    """RECONCILER_DEBUG prints what led to an error: a library's words about our request are among it."""
    it = Login(
        "client_credentials",
        lambda _: requests.ConnectionError("canarySecret in a header"),
        vault=vault,
        **KEYS["client_credentials"],
    )
    with pytest.raises(UnreachableError) as wrong:
        it.enter()
    assert wrong.value.__suppress_context__
    assert "canarySecret" not in json.dumps([str(c) for c in wrong.value.complaints])
