"""Logins by SFDX auth URL."""

import json

import pytest
import requests

from providers.salesforce.login.sfdx_url import parse
from reconciler.errors import InputError, NotAllowedError, RefusedError, UnreachableError
from reconciler.redaction import MARK, redacted
from tests.salesforce.build import HOST
from tests.salesforce.login.build import FRESH, Login, Vault, granted, ref, refused

URL = "force://PlatformCLI::5Aep861canaryRefresh@acme.my.salesforce.com"
WITH_SECRET = "force://3MVG9.app:canaryClientSecret:5Aep861canaryRefresh@acme.my.salesforce.com"


def login(url: str = URL, answer=lambda _: granted(), instance_url: str = HOST) -> Login:
    return Login("sfdx_url", answer, instance_url=instance_url, vault=Vault(URL=url), auth_url=ref("URL"))


@pytest.mark.parametrize(
    ("url", "form"),
    [
        (URL, {"client_id": "PlatformCLI"}),
        (WITH_SECRET, {"client_id": "3MVG9.app", "client_secret": "canaryClientSecret"}),
        ("force://5Aep861canaryRefresh@acme.my.salesforce.com", {"client_id": "PlatformCLI"}),
        (f"  {URL}/\n", {"client_id": "PlatformCLI"}),
        (json.dumps({"status": 0, "result": {"sfdxAuthUrl": URL}}), {"client_id": "PlatformCLI"}),
        (json.dumps({"sfdxAuthUrl": URL}), {"client_id": "PlatformCLI"}),
    ],
)
def test_the_refresh_token_is_exchanged_for_an_access_token(url: str, form: dict[str, str]):
    """What people have in their pipelines already, in every form that the Salesforce CLI takes."""
    it = login(url)

    assert FRESH == it.enter()
    assert f"{HOST}/services/oauth2/token" == it.sent[0].url
    assert {"grant_type": "refresh_token", "refresh_token": "5Aep861canaryRefresh", **form} == it.form


def test_the_host_in_the_url_is_enough():
    """The secret says where the org is; the file need not say it again."""
    it = login(instance_url="")

    assert HOST == it.session.origin
    assert FRESH == it.enter()
    assert 1 == len(it.sent)


def test_a_url_of_the_login_host_finds_its_org():
    """Old ones were made at login.salesforce.com."""
    it = login(URL.replace("acme.my", "login"))

    assert FRESH == it.enter()
    assert "https://login.salesforce.com/services/oauth2/token" == it.sent[0].url


@pytest.mark.parametrize(
    "host", ["evil.example", "salesforce.com.evil.example", "10.0.0.1", "acme.my.salesforce.com:8443"]
)
def test_a_refresh_token_goes_to_salesforce_only(host: str):
    """A secret that was tampered with must not send itself away."""
    it = login(URL.replace("acme.my.salesforce.com", host), instance_url="")
    with pytest.raises(RefusedError):
        it.enter()
    assert [] == it.sent


def test_a_refresh_token_for_another_org_is_not_sent():
    """The pipeline of production got the sandbox's secret: nobody's token should travel because of it."""
    it = login(URL.replace("acme.my", "acme--uat.sandbox.my"))
    with pytest.raises(RefusedError) as wrong:
        it.enter()
    message = wrong.value.complaints[0].message

    assert [] == it.sent
    assert "acme--uat.sandbox.my.salesforce.com" in message
    assert HOST in message


@pytest.mark.parametrize(
    "text",
    ["", "canaryRefresh", "force://", "https://canaryRefresh@acme.my.salesforce.com", "force://a:b:canaryRefresh@", "{", "[]",
     '{"result": 1}', "force://a:b:c d@acme.my.salesforce.com", '{"result": {"sfdxAuthUrl": "[REDACTED]"}}', "{" * 100_000],
)  # fmt: skip
def test_what_is_no_auth_url_is_not_shown(text: str):
    """It is a secret all the same."""
    with pytest.raises(InputError) as wrong:
        parse(text)
    assert "auth_url holds no SFDX auth URL" in str(wrong.value)
    assert "canaryRefresh" not in repr(wrong.value.complaints)


def test_a_refresh_token_that_was_exchanged_is_followed():
    """With refresh token rotation the old one is dead after the first use: an apply of an hour must not die of it."""
    it = login(answer=lambda _: granted(refresh_token=f"5Aep861canaryNext{len(it.sent)}"))
    it.credentials.alive(lambda token: token)
    it.credentials._token = ""
    assert FRESH == it.enter()
    first, second = (request.body for request in it.sent)

    assert "refresh_token=5Aep861canaryRefresh" in str(first)
    assert "refresh_token=5Aep861canaryNext1" in str(second)


def test_every_part_of_the_url_is_kept_out_of_what_is_written():
    """The whole is a secret of the run; an org that repeats a part of it in an error must not undo that."""
    login(WITH_SECRET, lambda _: granted(refresh_token="5Aep861canaryAfter")).enter()

    for part in ("canaryClientSecret", "5Aep861canaryRefresh", "5Aep861canaryAfter", FRESH):
        assert f"said {MARK}." == redacted(f"said {part}.")


def test_a_dead_refresh_token_says_how_to_get_another():
    """`expired access/refresh token` does not say what a person has to do."""
    with pytest.raises(NotAllowedError) as wrong:
        login(answer=lambda _: refused("invalid_grant", "expired access/refresh token")).enter()
    (complaint,) = wrong.value.complaints

    assert "invalid_grant: expired access/refresh token" == complaint.quote
    assert "sf org auth show-sfdx-auth-url" in complaint.mend


@pytest.mark.parametrize(
    ("trouble", "asked"), [(requests.ReadTimeout("late"), 1), (requests.ConnectTimeout("late"), 4)]
)
def test_a_refresh_token_that_may_be_used_up_is_not_sent_again(trouble: Exception, asked: int):
    """With rotation, whoever uses a former one again ends the whole family: the pipeline would be locked out for good."""
    it = login(answer=lambda _: trouble)
    with pytest.raises(UnreachableError):
        it.enter()
    assert asked == len(it.sent)
