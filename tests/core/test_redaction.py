"""What a run has held as a secret leaves the process in no form that a text carries it in."""

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import redaction
from reconciler.redaction import MARK, hold, holds, redacted

SECRET = 'p4ss "wörd" & <more>\'s/+='


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction, "_held", set())
    monkeypatch.setattr(redaction, "_grams", {})
    yield


@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda s: quote(s, safe=""),
        quote,
        quote_plus,
        lambda s: json.dumps({"a": s}),
        lambda s: json.dumps({"a": s}, ensure_ascii=False),
        html.escape,
        lambda s: html.escape(s, quote=False),
        lambda s: html.escape(s).replace("&#x27;", "&apos;"),
    ],
    ids=["plain", "url", "path", "form", "json", "json in UTF-8", "xml", "text of xml", "value in xml"],
)
def test_a_secret_is_taken_out_however_a_text_carries_it(form):
    """A proxy's error page repeats the request that it did not like."""
    hold(SECRET)

    assert MARK in redacted(f"no: {form(SECRET)} is wrong")
    assert "p4ss" not in redacted(f"no: {form(SECRET)} is wrong")


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_secret_is_taken_out_of_basic_authentication(before: bytes, after: bytes):
    """Client id and secret travel as base64 of both together: what stands before shifts every letter."""
    hold(SECRET)
    text = base64.b64encode(before + SECRET.encode() + after).decode()

    shown = redacted(text)

    assert MARK in shown
    left = max(len(part) for part in shown.split(MARK))
    assert left <= len(base64.b64encode(before + after)) + 8


def test_each_line_of_a_key_is_a_secret():
    """Errors are shown on one line, so the key as a whole is never found in them."""
    hold(
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"
    )

    assert f"cannot read {MARK}" == redacted("cannot read AASCBKcwggSjAgEAAoIBAQC7")
    assert "-----BEGIN PRIVATE KEY-----" == redacted("-----BEGIN PRIVATE KEY-----")


def test_the_longer_secret_goes_first():
    """A token that begins with another secret would leave its end behind."""
    hold("abcdefgh")
    hold("abcdefgh-and-more")

    assert f"<{MARK}>" == redacted("<abcdefgh-and-more>")


def test_a_word_that_is_too_short_to_be_a_secret_garbles_nothing():
    """Whoever sets a secret to `on` would otherwise read nothing any more."""
    hold("on")

    assert "reconciler runs on" == redacted("reconciler runs on")


def test_bytes_are_searched_as_well():
    """What is written to a file that is no text has to be looked through, too."""
    hold(SECRET)

    assert holds(b"PK" + SECRET.encode())
    assert not holds(b"PK")


RANDOM = "q7Xp2vLm9RtY4bHd8sWc"


@pytest.mark.parametrize(
    "form",
    [
        str.upper,
        lambda s: s[:12],
        lambda s: s[3:17],
        "-".join,
        lambda s: f"{s[:8]}\\_{s[8:]}",
        lambda s: base64.b64encode(s[:15].encode()).decode(),
        lambda s: s.encode().hex(),
    ],
    ids=["capitals", "beginning", "middle", "spread", "Markdown", "base64", "hexadecimal"],
)
def test_a_piece_of_a_secret_is_taken_out(form):
    """Half a secret in a log is half the work of guessing it; capitals are a password that is tried twice."""
    hold(RANDOM)

    assert f"no: {MARK}" == redacted(f"no: {form(RANDOM)}").rstrip("=").replace(f"{MARK}M", MARK)
    assert holds(f"no: {form(RANDOM)}".encode())


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("integration-password-of-acme", "the integration password of acme is wrong"),
        (f"00D000000000001EAA!{RANDOM}", "org 00D000000000001EAA"),
        (f"force://PlatformCLI::{RANDOM}@acme--uat2.sandbox.my.salesforce.com", "acme--uat2.sandbox.my.salesforce.com"),
        (f"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhY21lIn0.{RANDOM}", "eyJhbGciOiJSUzI1NiJ9"),
        (RANDOM, '["q7Xp2v", "Lm9RtY4b"]'),
    ],
    ids=["words", "org id", "host", "head of a token", "two values"],
)
def test_what_is_no_secret_of_its_own_stays(secret, text):
    """An output in which the org's id or host is gone tells nobody where it was; JSON that is cut in two is none."""
    hold(secret)

    assert text == redacted(text)
