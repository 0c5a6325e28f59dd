"""Where credentials go, and where they never go."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from providers import Connection, connect
from providers.salesforce.wire.hosts import origin_of
from providers.salesforce.wire.session import OrgSession, carrier, token_of
from reconciler.errors import InputError, NotAllowedError, RefusedError, UnreachableError
from reconciler.schema.values import SecretRef
from tests.salesforce.build import HOST, TOKEN, Stub

TOKEN_REF = SecretRef("env", "SF_TOKEN")


def never(ref: SecretRef) -> str:
    raise AssertionError(f"{ref} was looked for")


def session_to(stub: Stub, origin: str = HOST, **options: int) -> OrgSession:
    session = OrgSession(**options)
    session.bind(origin)
    session.mount(f"{origin}/", stub)
    return session


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://acme.my.salesforce.com", HOST),
        ("https://ACME.my.salesforce.com/", HOST),
        ("https://acme.my.salesforce.com:443", HOST),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("https://acme.my.salesforce.mil", "https://acme.my.salesforce.mil"),
        ("https://acme.my.sfcrmproducts.cn", "https://acme.my.sfcrmproducts.cn"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_credentials_go_to_salesforce_and_to_loopback(url: str, origin: str):
    """Everything that a real user has must still work."""
    assert origin == origin_of(url)


@pytest.mark.parametrize(
    ("url", "instead"),
    [
        ("https://acme.lightning.force.com", "https://acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.lightning.force.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("https://acme.my.salesforce-setup.com", "https://acme.my.salesforce.com"),
        ("https://evil.example", "the org's My Domain, e.g. https://acme.my.salesforce.com"),
        ("https://acme.lightning.force.com.evil.example", "the org's My Domain, e.g. https://acme.my.salesforce.com"),
    ],
)
def test_the_address_of_a_browser_is_answered_with_the_one_to_write(url: str, instead: str):
    """People paste what stands in their browser, which serves no Metadata API."""
    with pytest.raises(RefusedError) as raised:
        origin_of(url)
    assert f"set instance_url to {instead}" == raised.value.complaints[0].mend


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://acme.lightning.force.com",
        "https://salesforce.com",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com@evil.example",
        "https://user:password@acme.my.salesforce.com",
        "https://acme.my.salesforce.com/path",
        "https://acme.my.salesforce.com?x=evil.example",
        "https://evil.example#.my.salesforce.com",
        "https://evil.example\\.my.salesforce.com",
        "https://acme_.my.salesforce.com",
        "https://аcme.salesforce.com",
        "ftp://acme.my.salesforce.com",
        "file:///etc/passwd",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "https://[::1",
        "https://acme.my.salesforce.com:port",
        "acme.my.salesforce.com",
        "",
    ],
)
def test_any_other_host_is_refused_before_credentials_are_looked_for(url: str):
    """A pull request from a stranger can edit the project file: it must not choose who gets the token."""
    with pytest.raises((RefusedError, InputError)):
        connect(Connection(instance_url=url, login={"flow": "token", "access_token": TOKEN_REF}), never)


def test_the_refusal_does_not_repeat_a_password():
    """What stands in a URL by mistake must not stand in a build log too."""
    with pytest.raises(RefusedError) as wrong:
        origin_of("https://ci:hunter2@acme.my.salesforce.com")
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize("login", [{}, {"flow": "magic"}, {"flow": 7}, {"flow": ["jwt"]}])
def test_a_flow_that_there_is_not_says_which_there_are(login: dict[str, object]):
    """Nobody should have to read our source to log in."""
    with pytest.raises(InputError) as wrong:
        connect(Connection(instance_url=HOST, login=login), never)
    assert "token" in wrong.value.complaints[0].mend


@pytest.mark.parametrize("token", ["", " ", "two words", "line\nbreak", "naïve", '"quoted" token'])
def test_a_token_that_is_none_is_refused_without_being_shown(token: str):
    """A file with a whole JSON document in it would end up in a header, or in a log."""
    with pytest.raises(NotAllowedError) as wrong:
        token_of(token, "login.access_token")
    assert not token.strip() or token not in str(wrong.value)


@pytest.mark.parametrize(("given", "version"), [("63", "63.0"), ("63.0", "63.0"), ("v63.0", "63.0"), ("", "")])
def test_an_api_version_may_be_written_in_any_common_way(given: str, version: str):
    """YAML turns 63.0 into a number and people write v63."""
    login = {"flow": "token", "access_token": TOKEN}
    provider = connect(Connection(instance_url=HOST, api_version=given, login=login), never)

    assert version == provider.calls.pinned


@pytest.mark.parametrize("given", ["latest", "63.1", "-1", "6३"])
def test_an_api_version_that_is_none_is_an_error(given: str):
    """It would go into a URL."""
    with pytest.raises(InputError, match="no API version"):
        connect(Connection(instance_url=HOST, api_version=given), never)


def test_a_session_talks_to_its_own_org_only():
    """A bug that builds a wrong URL must not leak a token."""
    stub = Stub(lambda request: (200, {}, b""))
    session = session_to(stub)
    session.mount("https://", stub)

    for url in ("https://evil.example/", "http://acme.my.salesforce.com/", f"{HOST}.evil.example/", f"{HOST}:8443/"):
        with pytest.raises(RefusedError, match="was stopped"):
            session.get(url, headers={"Authorization": "Bearer x"})
    with pytest.raises(RefusedError, match="was stopped"):
        OrgSession().get(f"{HOST}/")
    assert [] == stub.asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["https://evil.example/x?token=1", "/elsewhere", f"{HOST}/x", "http://[x"])
def test_a_redirect_is_refused(status: int, target: str):
    """An open redirect on a trusted host would carry the token away."""
    stub = Stub(lambda request: (status, {"Location": target}, b"x" * 100))

    with pytest.raises(RefusedError, match="redirects to"):
        session_to(stub).get(f"{HOST}/services/data")
    assert 1 == len(stub.asked)


def test_an_answer_without_end_is_cut():
    """A host that sends for ever must not fill the memory of a build machine."""
    stub = Stub(lambda request: (200, {}, b"x" * 5000))

    with pytest.raises(UnreachableError, match="sends more than 1000 bytes"):
        session_to(stub, max_bytes=1000).get(f"{HOST}/")


def test_a_compressed_answer_without_end_is_cut():
    """The same, a thousandfold smaller on the wire."""
    import gzip

    stub = Stub(lambda request: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 5_000_000)))

    with pytest.raises(UnreachableError, match="sends more than"):
        session_to(stub, max_bytes=1 << 20).get(f"{HOST}/")


def test_every_call_has_a_time_limit():
    """requests waits for ever unless told otherwise; a pipeline would hang until it is killed."""
    seen: list[object] = []

    class Timed(Stub):
        def send(self, request: requests.PreparedRequest, *args: object, **options: object) -> requests.Response:
            seen.append(options.get("timeout"))
            return super().send(request)

    session = session_to(Timed(lambda request: (200, {}, b"[]")))
    session.get(f"{HOST}/services/data")
    carrier(session, TOKEN, "63.0").restful("limits")

    assert all(isinstance(limit, tuple) and all(limit) for limit in seen)
    assert 2 == len(seen)


def test_credentials_of_a_netrc_file_do_not_replace_our_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """requests prefers them silently: the call would go out as somebody else."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine acme.my.salesforce.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    stub = Stub(lambda request: (200, {}, b"{}"))

    carrier(session_to(stub), TOKEN, "63.0").restful("limits")

    assert f"Bearer {TOKEN}" == stub.asked[0].headers["Authorization"]


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"])
def test_the_library_that_insists_on_https_reaches_a_plain_mock_org(origin: str):
    """simple_salesforce writes https in front of every host, which a mock org on loopback does not speak."""
    stub = Stub(lambda request: (200, {}, b"{}"))

    carrier(session_to(stub, origin), TOKEN, "63.0").restful("limits")

    assert f"{origin}/services/data/v63.0/limits" == stub.asked[0].url


def test_a_proxy_is_not_asked_about_our_own_machine(monkeypatch: pytest.MonkeyPatch):
    """A token for a local mock org has no business on somebody's proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    session = OrgSession()
    session.bind("http://127.0.0.1:8080")

    assert {} == dict(session.merge_environment_settings("http://127.0.0.1:8080/", {}, None, None, None)["proxies"])


@pytest.mark.parametrize(("no_proxy", "proxies"), [("", {"https": "http://proxy.example:3128"}), ("acme.example", {})])
def test_a_proxy_and_certificates_of_the_environment_carry_each_call(
    monkeypatch, no_proxy: str, proxies: dict[str, str]
):
    """Behind a company's proxy an org is reached by it or not at all, and its certificate is the company's own."""
    for name, value in (
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("REQUESTS_CA_BUNDLE", "ours.pem"),
        ("NO_PROXY", no_proxy),
    ):
        monkeypatch.setenv(name, value)
    session = OrgSession()
    seen: dict[str, object] = {}

    class Carrier(requests.adapters.BaseAdapter):
        def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
            seen.update(verify=verify, proxies={scheme: url for scheme, url in proxies.items() if scheme == "https"})
            raise requests.ConnectionError

        def close(self) -> None: ...

    session.mount("https://", Carrier())
    session.bind("https://acme.example")

    with pytest.raises(requests.ConnectionError):
        session.get("https://acme.example/")
    assert {"verify": "ours.pem", "proxies": proxies} == seen


def test_connecting_sends_nothing(tmp_path: Path):
    """`reconciler check` must work on a train."""
    provider = connect(Connection(mock=tmp_path / "org.db"), never)

    assert 0 == provider.calls.api._session.calls


def test_importing_the_providers_is_cheap():
    """`reconciler --help` must not pay for an HTTP client."""
    code = "import sys, providers; print([m for m in ('requests', 'lxml', 'simple_salesforce', 'zeep') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == found.stdout.strip()


def test_the_client_never_loads_zeep_for_soap(tmp_path: Path):
    """Its own HTTP session would go around ours: no limits, no host check."""
    code = (
        "import sys; from pathlib import Path; from providers import Connection, connect;"
        f"p = connect(Connection(mock=Path({str(tmp_path / 'org.db')!r})), str); p.read([], lambda s: None);"
        "print(p.calls.rest._carrier[1]._mdapi)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "None" == found.stdout.strip()
