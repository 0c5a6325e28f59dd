"""What a run has held as a secret leaves the process in no form that a text carries it in."""

import base64
import contextvars
import html
import json
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import redaction
from reconciler.redaction import MARK, hold, holds, redacted

SECRET = 'p4ss "wörd" & <more>\'s/+='


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    with redaction.running():
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


def token(number: int) -> str:
    """A session id, which begins as all of its org do."""
    letters = "".join(chr(ord("a") + (number * 7 + i * i) % 26) + str((number + i) % 10) for i in range(40))
    return f"00D5f000000abcdEAA!AQEAQ{letters}"


def test_what_a_run_held_is_forgotten_at_its_end():
    """A server that lives for months would keep every token that it ever saw."""
    before = redaction.held()
    with redaction.running() as run:
        hold(RANDOM)
        assert MARK == redacted(RANDOM)
    assert RANDOM == redacted(RANDOM)
    assert RANDOM in run.held()
    assert before == redaction.held()


def test_runs_at_the_same_time_keep_their_own_secrets():
    """Two sessions in two threads of one process: each must not show its own, whatever the other does."""
    ready, written = threading.Barrier(2, timeout=10), {}

    def run(number: int) -> None:
        with redaction.running():
            for one in range(number, 40, 2):
                hold(token(one))
            ready.wait()
            written[number] = [redacted(f"say {token(one)}.") for one in range(number, 40, 2)]
            ready.wait()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert {0: [f"say {MARK}."] * 20, 1: [f"say {MARK}."] * 20} == written


def test_a_thread_without_a_run_is_a_part_of_every_run_that_is_open():
    """A run's own threads do not know whose they are; what they get must not be shown by any."""
    seen: list[str] = []
    with redaction.running():
        hold(RANDOM)

        def work() -> None:
            hold(token(1))
            seen.append(redacted(f"{RANDOM} {token(1)}"))

        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        assert f"say {MARK}" == redacted(f"say {token(1)}")

    assert [f"{MARK} {MARK}"] == seen


def test_without_a_run_the_latest_secrets_are_kept(monkeypatch: pytest.MonkeyPatch):
    """Who uses us as a library and opens no run is not left without, and does not fill their memory."""
    monkeypatch.setattr(redaction, "_outside", redaction.Redaction(10))

    def work() -> None:
        for number in range(30):
            hold(token(number))
            assert MARK == redacted(token(number))

    contextvars.Context().run(work)

    kept = [number for number in range(30) if MARK == redaction._outside.redacted(token(number))]
    assert 5 <= len(kept) <= 10
    assert 29 == kept[-1]


@pytest.mark.parametrize("number", [1, 300])
def test_of_many_secrets_that_begin_alike_each_is_found(number: int):
    """Tokens of one org have two dozen characters in common, and a token is found by any twelve of its own."""
    for one in range(number):
        hold(token(one))
    for one in (0, number - 1):
        assert f"a {MARK} b" == redacted(f"a {token(one)} b")
        assert f"a {MARK} b" == redacted(f"a {token(one)[30:42]} b")
        assert token(one)[40:60] not in redacted(base64.b64encode(token(one).encode()).decode())
    assert "00D5f000000abcdEAA" == redacted("00D5f000000abcdEAA")


@given(
    secrets=st.lists(st.text("aB3", min_size=14, max_size=30), min_size=1, max_size=40),
    cut=st.tuples(st.integers(0, 18), st.integers(12, 20)),
    around=st.text("xY7 -", max_size=20),
)
def test_no_twelve_characters_of_a_secret_are_left(secrets: list[str], cut: tuple[int, int], around: str):
    """With few letters nearly everything begins like something else, and the same six stand in all of them."""
    with redaction.running():
        for one in secrets:
            hold(one)
        for one in secrets:
            piece = one[cut[0] : cut[0] + cut[1]]
            if len(piece) >= 12 and redaction._in_disorder(piece):
                shown = redacted(f"{around}\n{piece}\n{around}")
                assert MARK in shown
                assert piece not in shown


@given(
    secrets=st.lists(st.text("ab1", min_size=6, max_size=9), min_size=1, max_size=6),
    text=st.text("ab1 ", max_size=60),
)
def test_few_and_many_secrets_are_taken_out_alike(secrets: list[str], text: str):
    """The number of secrets decides how they are looked for, and nothing else."""
    run = redaction.Redaction()
    for one in secrets:
        run.hold(one)

    assert set(run._few(text)) == set(run._many(text))
    assert not any(one in run.redacted(text) for one in secrets)
