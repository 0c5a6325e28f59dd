"""Rules on addresses, beyond their two examples: callback URLs as attackers write them, logout URLs, ranges."""

from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.rules.addresses import Reach, reach, wrongs
from tests.rules.apps import Bodies, broken, connected, external, in_files, in_org, unchecked, verdicts


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://erp.acme.example/callback?env=prod", Reach.WEB),
        ("https://erp.acme.example:8443", Reach.WEB),
        ("https://192.0.2.7/callback", Reach.WEB),
        ("https://xn--mnchen-3ya.example/", Reach.WEB),
        ("https://localhost", Reach.LOOPBACK),
        ("http://localhost:1717/OauthRedirect", Reach.LOOPBACK),
        ("http://127.0.0.1/", Reach.LOOPBACK),
        ("http://127.9.9.9/", Reach.LOOPBACK),
        ("http://[::1]:8080/", Reach.LOOPBACK),
        ("HTTP://LOCALHOST/", Reach.LOOPBACK),
        ("acmeerp://callback", Reach.APP),
        ("com.acme.erp:/oauth", Reach.APP),
        ("sfdc://success", Reach.APP),
    ],
)
def test_what_people_rightly_use_is_let_through(url: str, expected: Reach):
    """A false alarm on a callback stops an apply."""
    assert ((), expected) == (wrongs(url), reach(url))


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://erp.acme.example/", "unencrypted"),
        ("http://localhost.evil.example/", "unencrypted"),
        ("http://127.0.0.1.evil.example/", "unencrypted"),
        ("http://0x7f.1/", "unencrypted"),
        ("https://*.acme.example/callback", "wildcard"),
        ("https://acme.example/*", "wildcard"),
        ("https://acme.example/callback#token", "fragment"),
        ("https://good.example@evil.example/", "hides its host, evil.example"),
        ("https://good.example\\@evil.example/", "backslash"),
        ("https://acme.example/a b", "U+0020"),
        ("https://acme.example/\u202egpj.exe", "U+202E"),
        ("java\nscript:alert(1)", "U+000A"),
        ("https://a\x00cme.example/", "U+0000"),
        ("https://аcme.example/", "ASCII"),
        ("https://acme.example/ä", "ASCII"),
        ("javascript:alert(1)", "javascript:"),
        ("JavaScript:alert(1)//https://acme.example", "javascript:"),
        ("data:text/html,<script>", "data:"),
        ("vbscript:x", "vbscript:"),
        ("file:///etc/passwd", "file:"),
        ("view-source:https://acme.example", "view-source:"),
        ("acme.example/callback", "no scheme"),
        ("//acme.example/callback", "no scheme"),
        ("localhost:8080/callback", "no scheme"),
        ("https:///callback", "no host"),
        ("https:acme.example", "no host"),
        ("https://", "no host"),
        ("https://[::1", "no URL"),
        ("https://acme.example:99999/", "no URL"),
    ],
)
def test_what_hands_codes_to_somebody_else_is_found(url: str, word: str):
    """Each of these has stolen a login somewhere, or will do so when the next parser reads it."""
    assert word in "; ".join(what for what, _ in wrongs(url))
    assert reach(url) is None


def test_an_org_holds_many_urls_in_one_field_and_each_is_judged():
    """One bad line among good ones is how it happens."""
    app = connected(callbackUrl="https://a.example/cb\r\n\r\n  https://b.example/cb\nhttp://c.example/cb")
    message = "http://c.example/cb sends the authorization code unencrypted"
    assert [f"ConnectedApp/erp oauthConfig.callbackUrl: {message}"] == broken("OA06", in_org(app))


def test_a_url_that_an_org_holds_twice_is_found():
    """Files with it are refused; an org may hold it, and whoever removes one of them believes that it is gone."""
    app = external(flows={"callbackUrl": "https://a.example\nhttps://b.example\nhttps://a.example"})
    message = "https://a.example is given 2 times"
    assert [f"ExtlClntAppGlobalOauthSettings/shop callbackUrl: {message}"] == broken("OA06", in_org(app))


@pytest.mark.parametrize(("more", "expected"), [(0, 0), (1, 1)])
def test_two_thousand_characters_is_the_limit_of_all_together(more: int, expected: int):
    """The 2,001st is cut off or refused, depending on who is asked."""
    first = "https://a.example"
    second = "https://b.example/".ljust(2000 - len(first) - 1 + more, "x")
    app = connected(callbackUrl=[first, second])
    assert expected == len(broken("OA06", in_files(app)))


def test_a_message_stays_short_however_long_the_url_is():
    """A report with one value of 100,000 characters is a report that nobody reads."""
    app = connected(callbackUrl=["http://a.example/" + "x" * 100_000])
    assert all(len(line) < 300 for line in broken("OA06", in_files(app)))


def test_callbacks_that_no_file_names_are_not_checked():
    """The org may hold any."""
    assert ["ExtlClntAppGlobalOauthSettings/shop callbackUrl"] == unchecked("OA06", in_files(external()))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/logout", 0),
        ("", 0),
        (None, 0),
        ("http://a.example/logout", 1),
        ("http://localhost/logout", 1),
        ("/logout", 1),
        ("a.example/logout", 1),
        ("acme://logout", 1),
        ("javascript:alert(1)", 1),
        ("https://a.example@evil.example", 1),
    ],
)
def test_people_are_logged_out_through_an_absolute_https_url(url: str | None, expected: int):
    """Those who share a computer rely on it."""
    app = external(oauth={"singleLogoutUrl": url}, policies={"singleLogoutUrl": None})
    assert expected == len(broken("OA09", in_org(app)))


def test_the_policies_logout_url_counts_too():
    """Admins set it there."""
    expected = ["ConnectedApp/erp oauthPolicy.singleLogoutUrl: singleLogoutUrl is /x, which is no absolute https URL"]
    assert expected == broken(
        "OA09", in_org(connected(callbackUrl="https://a.example", policy={"singleLogoutUrl": "/x"}))
    )


def _trusted(*ranges: tuple[Any, Any]) -> Bodies:
    return external(oauth={"trustedIpRanges": [{"startIpAddress": a, "endIpAddress": b} for a, b in ranges]})


def _tokens(*ranges: tuple[str, str]) -> Bodies:
    body = {"tokenIpRanges": [{"startIpAddress": a, "endIpAddress": b} for a, b in ranges]}
    return external() | {Address("ExtlClntAppOauthSecuritySettings", "shop"): body}


@pytest.mark.parametrize(
    ("start", "end", "word"),
    [
        ("192.0.2.9", "192.0.2.1", "ends before it begins"),
        ("192.0.2.1", "2001:db8::1", "IPv4"),
        ("192.0.2.0/24", "192.0.2.255", "192.0.2.0/24"),
        ("everywhere", "192.0.2.1", "everywhere"),
        ("", "192.0.2.1", "''"),
        ("192.0.2.1", None, "''"),
    ],
)
def test_a_range_that_is_none_is_found_where_it_stands(start: str, end: str | None, word: str):
    """One typo locks a site out."""
    (line,) = broken("OA17", in_org(_trusted((start, end), ("192.0.2.1", "192.0.2.1"))))
    assert word in line
    assert line.startswith("ExtlClntAppOauthSettings/shop trustedIpRanges.")


def test_an_external_app_has_at_most_128_ranges_and_a_connected_one_as_many_as_it_likes():
    """No limit is documented for the latter: an invented one would stop an apply."""
    ranges = [(f"10.0.{n}.1", f"10.0.{n}.2") for n in range(129)]
    assert 1 == len(broken("OA17", in_org(_trusted(*ranges))))
    assert [] == verdicts("OA17", in_org(_trusted(*ranges[:128])))
    app = connected(top={"ipRanges": [{"start": start, "end": end} for start, end in ranges]})
    assert [] == verdicts("OA17", in_org(app))


@pytest.mark.parametrize(("last", "expected"), [("10.0.0.255", 0), ("10.0.1.0", 1)])
def test_refresh_tokens_are_tied_to_256_addresses_at_most(last: str, expected: int):
    """The org refuses the 257th."""
    assert expected == len(broken("OA17", in_org(_tokens(("10.0.0.0", last)))))
    assert expected == len(broken("OA17", in_org(_tokens(("10.0.0.0", "10.0.0.9"), ("10.0.0.10", last)))))


def test_a_whole_ipv6_network_is_counted_and_not_listed():
    """An audit that counts to 2**64 never ends."""
    assert 1 == len(broken("OA17", in_org(_tokens(("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff")))))
