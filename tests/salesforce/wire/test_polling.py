"""Trying again: what, how often, for how long, and never for hours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from providers.salesforce.wire.polling import BusyError, PassingError, Patience, is_distrust, never_sent
from reconciler.errors import UnreachableError
from tests.salesforce.build import HOST, Answer, fault, no_time, stubbed
from tests.salesforce.wire.test_metadata_api import as_json, organisation, read, retrieve_started, script, zip_answer

PAGE = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
WHOLE = zip_answer({})[2]


def org(*answers: Answer | Exception) -> tuple[object, list[float], int]:
    """What a first query comes to, the pauses, and how often it was asked."""
    waits: list[float] = []
    queue = iter(answers)
    provider, stub = stubbed(lambda request: next(queue), patience=no_time(waits))
    try:
        found: object = provider.org().name
    except UnreachableError as lost:
        found = lost
    return found, waits, len(stub.asked)


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {}, b""),
        (420, {}, b""),
        (504, {"Content-Type": "text/html"}, PAGE),
        (500, {"Content-Type": "text/html"}, PAGE),
        (200, {"Content-Type": "text/html"}, PAGE),
        (200, {"Content-Type": "application/json"}, b'{"totalSize": 1, "rec'),
        (200, {"Content-Type": "application/json"}, b"[" * 100_000),
        (200, {"Content-Type": "application/json"}, b"[" + b"9" * 10_000 + b"]"),
        (200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"no gzip"),
        (503, {}, b'[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]'),
        (500, {}, b'[{"errorCode": "UNKNOWN_EXCEPTION", "message": "ErrorId: 1"}]'),
        requests.exceptions.ChunkedEncodingError("reset in the middle of a body"),
        requests.exceptions.SSLError("EOF occurred in violation of protocol (_ssl.c:2396)"),
    ],
)
def test_what_passes_is_tried_again_over_rest(trouble: Answer | Exception):
    """A load balancer that answers for an org once should not fail a nightly check."""
    assert ("Acme", 2) == org(trouble, organisation())[::2]


@pytest.mark.parametrize(
    "trouble",
    [
        (200, {"Content-Type": "text/html"}, PAGE),
        (200, {}, WHOLE[:200]),
        (200, {}, b""),
        (500, {}, PAGE),
        fault("SERVER_UNAVAILABLE", "busy"),
        fault("UNABLE_TO_LOCK_ROW", "busy"),
        fault("UNKNOWN_EXCEPTION", "ErrorId: 1"),
        fault("INVALID_OPERATION", "Unable to complete the creation of the query cursor at this time"),
    ],
)
def test_what_passes_is_tried_again_over_soap(trouble: Answer):
    """In the middle of a poll, too: the retrieve goes on in the org."""
    live, stub = read(script(retrieve=[trouble, retrieve_started()], checkRetrieveStatus=[trouble, zip_answer({})]))

    assert ("Acme", 4) == (live.org.name, sum("Soap" in (request.url or "") for request in stub.asked))


@pytest.mark.parametrize("zip_file", ["", "<zipFile/>", "<zipFile>UEsDB</zipFile>"])
def test_a_retrieve_whose_zip_was_lost_begins_anew(zip_file: str):
    """The status says Succeeded, and the bytes are gone: a second retrieve costs less than a failed run."""
    inside = f"<result><done>true</done><status>Succeeded</status><success>true</success>{zip_file}</result>"
    damaged = (
        200,
        {},
        zip_answer({})[2].partition(b"<result>")[0]
        + inside.encode()
        + b"</checkRetrieveStatusResponse></soapenv:Body></soapenv:Envelope>",
    )
    live, stub = read(script(retrieve=retrieve_started(), checkRetrieveStatus=[damaged, zip_answer({})]))

    assert ("Acme", 2) == (
        live.org.name,
        sum(b"<retrieve " in (request.body or b"") for request in stub.asked if isinstance(request.body, bytes)),
    )


def test_retry_after_is_honoured():
    """Coming back earlier is what gets an integration user blocked."""
    assert [7.0] == org((503, {"Retry-After": "7"}, b""), organisation())[1]


def test_retry_after_may_be_a_date():
    """RFC 9110 allows both."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    (pause,) = org((429, {"Retry-After": until}, b""), organisation())[1]

    assert 25 < pause <= 30


@pytest.mark.parametrize("after", ["soon", "-5", "", "1e9", f"Wed, 21 Oct {'9' * 20} 07:28:00 GMT"])
def test_a_retry_after_that_is_none_is_passed_over(after: str):
    assert [0.5] == org((429, {"Retry-After": after}, b""), organisation())[1]


def test_whoever_has_to_wait_is_told_why():
    """A minute in which nothing moves looks like a program that hangs."""
    told: list[str] = []
    answers = iter([(503, {"Retry-After": "7"}, b""), organisation()])
    patience = replace(no_time(), tell=told.append)
    provider, _ = stubbed(lambda request: next(answers), patience=patience)
    provider.org()

    assert [
        f"{HOST} cannot be reached: HTTP 503, and asks to come back in 7 seconds; once more in 7.0 s (2 of 4)"
    ] == told


def test_an_org_that_asks_for_an_hour_is_not_waited_for():
    """Nor asked again before: the run ends, and says why."""
    found, waits, asked = org((503, {"Retry-After": "3600"}, b""))

    assert ([], 1, True) == (waits, asked, "asks to come back in 60 minutes" in str(found))


def test_a_used_up_limit_is_not_asked_again():
    """Each further question would count as well."""
    over = as_json([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], 403)
    found, waits, asked = org(over)

    assert ([], 1, True) == (waits, asked, "daily limit is used up" in str(found))


def test_pauses_are_jittered():
    """All pipelines of a company lose their org in the same second, and should not come back in one."""
    pauses = [Patience(chance=lambda share=share: share).jittered(2.0) for share in (0.0, 0.5, 1.0)]  # type: ignore[misc]

    assert [1.0, 2.0, 3.0] == pauses


def test_all_troubles_of_a_run_share_one_allowance():
    """Four tries of each of a thousand calls would otherwise be a night."""
    waits: list[float] = []
    patience = no_time(waits)
    calls = 0

    def slow_failure() -> None:
        nonlocal calls
        calls += 1
        waits.append(120.0)
        raise requests.ReadTimeout("slow")

    for _ in range(50):
        with pytest.raises(UnreachableError):
            patience.insist(slow_failure, HOST)

    # Of the first call four tries, of the second as many as are left; of all others one.
    assert 50 + 3 + 3 == calls


def test_all_waits_of_a_run_share_one_allowance():
    """Ten deployments that each take their hour are a queue that stands still."""
    waits: list[float] = []
    patience = no_time(waits)
    for _ in range(3):
        with pytest.raises(UnreachableError, match="did not come to an end within"):
            for _ in patience.pauses("the job"):
                pass

    assert 7200 <= sum(waits) < 7300


@pytest.mark.parametrize(
    ("why", "unsent", "distrust"),
    [
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), True, True),
        (requests.exceptions.SSLError("EOF occurred in violation of protocol"), False, False),
        (requests.ConnectTimeout("slow"), True, False),
        (requests.ReadTimeout("slow"), False, False),
        (requests.ConnectionError("reset by peer"), False, False),
        (requests.exceptions.ChunkedEncodingError("cut"), False, False),
        (BusyError(502), False, False),
        (PassingError("x"), False, False),
    ],
)
def test_only_what_had_no_connection_was_certainly_not_sent(why: Exception, unsent: bool, distrust: bool):
    """Whatever is called unsent is sent again: a mistake here deploys twice."""
    assert (unsent, distrust) == (never_sent(why), is_distrust(why))


# -- answers that would fill the memory -----------------------------------------------------------------------------------


def soap_of(inside: bytes) -> Answer:
    head, _, _ = WHOLE.partition(b"<result>")
    return 200, {}, head + inside + b"</checkRetrieveStatusResponse></soapenv:Body></soapenv:Envelope>"


@pytest.mark.parametrize(
    "inside",
    [b"<a/>" * 2_100_000, b"<a " + b'b="" ' * 2_100_000 + b"/>", b"<a>" * 5_000 + b"</a>" * 5_000],
    ids=["elements", "attributes", "depth"],
)
def test_more_than_any_org_says_is_refused_before_it_becomes_a_tree(inside: bytes):
    """Four bytes on the wire are a hundred and thirty in memory."""
    with pytest.raises(UnreachableError):
        read(script(retrieve=retrieve_started(), checkRetrieveStatus=soap_of(inside)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037", "utf-7"])
def test_an_encoding_that_hides_markup_is_refused(encoding: str):
    """`<!DOCTYPE` looks like something else in it, and an org speaks UTF-8."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    whole = (text + WHOLE.partition(b"?>")[2].decode()).encode(encoding)

    with pytest.raises(UnreachableError):
        read(script(retrieve=retrieve_started(), checkRetrieveStatus=(200, {}, whole)))


@pytest.mark.parametrize("body", [b"[" + b"[]," * 2_000_000 + b"1]", b" " * (33 << 20)], ids=["lists", "size"])
def test_json_that_nobody_needs_is_refused_before_it_becomes_values(body: bytes):
    """Three bytes on the wire are sixty in memory."""
    provider, stub = stubbed(lambda request: (200, {"Content-Type": "application/json"}, body), max_bytes=1 << 27)

    with pytest.raises(UnreachableError, match="more values than any org"):
        provider.org()
    assert 1 == len(stub.asked)
