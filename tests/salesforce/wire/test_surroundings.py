"""What this machine's settings say of the way to an org is looked at before anything is sent, and named by its variable."""

from pathlib import Path

import certifi
import pytest

from providers.salesforce.wire.surroundings import problems

ORG = "https://acme.my.salesforce.com"


def told(origin: str = ORG, **environment: str) -> list[str]:
    return [f"{one.message} / {one.mend}" for one in problems(origin, environment)]


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_is_none_is_named_by_its_variable(tmp_path: Path, name: str):
    """A runner's setting is no defect of ours, and nothing else tells which of them it is."""
    (tmp_path / "garbage").write_text("garbage")
    (tmp_path / "empty").touch()
    for file, problem in (
        ("absent", "does not exist"),
        ("garbage", "holds no certificates"),
        ("empty", "holds no certificates"),
    ):
        path = tmp_path / file
        mend = "set it to a file of certificates (PEM), or unset it"
        assert [f"{name} names {path}, which {problem} / {mend}"] == told(**{name: str(path)})


def test_a_bundle_that_is_one_is_taken(tmp_path: Path):
    assert [] == told(REQUESTS_CA_BUNDLE=certifi.where(), CURL_CA_BUNDLE="/not/looked/at")
    assert [] == told(REQUESTS_CA_BUNDLE=str(tmp_path))
    assert [] == told("http://127.0.0.1:8080", REQUESTS_CA_BUNDLE="/not/looked/at")


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        ("http://:::", "it is no address with a port"),
        ("proxy.example:port", "it is no address with a port"),
        ("http://[::1", "it is no address with a port"),
        ("ftp://me:hunter2@proxy.example:3128", "it is neither http nor https"),
        ("http://me:hunter2@:3128", "it has no host"),
    ],
)
def test_a_proxy_that_is_none_is_named_and_never_shown(proxy: str, problem: str):
    """Its address may hold a password."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        expected = f"{name} names no proxy that can be used: {problem} / write it as http://HOST:PORT, or unset it"
        assert [expected] == told(**{name: proxy})
        assert [] == told(**{name: proxy, "NO_PROXY": "salesforce.com"})
        assert [] == told("http://127.0.0.1:8080", **{name: proxy})


@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", "proxy.example:3128", "https://me:word@proxy.example"])
def test_a_proxy_that_is_one_is_taken(proxy: str):
    assert [] == told(HTTPS_PROXY=proxy)
