"""Scripted failures, each seen by a client that is not ours: a raw socket, http.client, requests."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from lxml import etree

from providers.mock import Faults, FaultsError, Org, mount, serving
from providers.mock.faults import FAULTS, script
from tests.mock.wire import NS, Wire, app, package, whole

X = f"{{{NS}}}"


@contextmanager
def failing(org: Org, faults: Faults, **how: Any) -> Iterator[Wire]:
    """A client over a real socket of an org that fails so."""
    with serving(org, faults=faults, **how) as served:
        wire = Wire(org, base=served.url, token=org.access_token())
        yield wire
        wire.session.close()


def raw(wire: Wire, path: str = "/services/data") -> tuple[bytes, bool]:
    """All bytes of an answer as they come, and whether a reset ended them."""
    found = urlsplit(wire.base)
    with socket.create_connection((found.hostname, found.port or 0), timeout=10) as stream:
        bearer = f"Authorization: Bearer {wire.token}\r\n"
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{bearer}Connection: close\r\n\r\n".encode())
        heard = b""
        try:
            while piece := stream.recv(65536):
                heard += piece
        except ConnectionResetError:
            return heard, True
        return heard, False


def deploy(wire: Wire, *pieces: Any) -> requests.Response:
    zipped = base64.b64encode(package(*pieces)).decode()
    options = (
        "<DeployOptions><rollbackOnError>true</rollbackOnError><singlePackage>true</singlePackage></DeployOptions>"
    )
    return wire.post_soap(f'<deploy xmlns="{NS}"><ZipFile>{zipped}</ZipFile>{options}</deploy>')


def started(answer: requests.Response) -> str:
    return str(etree.fromstring(answer.content).findtext(f".//{X}result/{X}id"))


def polled(wire: Wire, job: str) -> etree._Element:
    answer = wire.post_soap(
        f'<checkDeployStatus xmlns="{NS}"><asyncProcessId>{job}</asyncProcessId>'
        "<includeDetails>true</includeDetails></checkDeployStatus>"
    )
    found = etree.fromstring(answer.content).find(f".//{X}result")
    assert found is not None, answer.text
    return found


def states(wire: Wire, job: str, times: int) -> list[str | None]:
    return [polled(wire, job).findtext(f"{X}status") for _ in range(times)]


def listing(wire: Wire) -> requests.Response:
    return wire.post_soap(f'<listMetadata xmlns="{NS}"><queries><type>Profile</type></queries></listMetadata>')


def retrieving(wire: Wire) -> str:
    return started(
        wire.post_soap(
            f'<retrieve xmlns="{NS}"><request><apiVersion>64.0</apiVersion><unpackaged><types><members>*</members>'
            "<name>ConnectedApp</name></types><version>64.0</version></unpackaged></request></retrieve>"
        )
    )


def retrieved(wire: Wire, job: str) -> requests.Response:
    return wire.post_soap(
        f'<checkRetrieveStatus xmlns="{NS}"><asyncProcessId>{job}</asyncProcessId></checkRetrieveStatus>'
    )


def archive(answer: requests.Response) -> zipfile.ZipFile:
    content = etree.XML(answer.content, etree.XMLParser(huge_tree=True)).findtext(f".//{X}zipFile") or ""
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(content)))


def has(org: Org, name: str) -> bool:
    with org.reading() as world:
        return world.component("ExternalClientApplication", name) is not None


# -- the connection ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
def test_reset_happens_before_the_org_has_done_anything(org: Org, tls: bool) -> None:
    """A client that deploys again after this one is right."""
    with serving(org, tls=tls, faults=Faults().on("deploy", "reset")) as (url, certificate):
        wire = Wire(org, base=url, token=org.access_token())
        wire.session.verify = str(certificate) if tls else True
        wire.session.trust_env = False
        # Over TLS the reset reaches OpenSSL, which calls it an end.
        with pytest.raises(requests.ConnectionError, match=r"reset|EOF|closed"):
            deploy(wire, app("order"))

    assert (False, 0) == (has(org, "order"), org.calls.get("deploy", 0))


def test_lost_answer_comes_after_the_org_has_done_it(org: Org) -> None:
    """A client that deploys again after this one deploys twice."""
    with (
        failing(org, Faults().on("deploy", "lost_answer", times=1)) as wire,
        pytest.raises(requests.ConnectionError, match="reset"),
    ):
        deploy(wire, app("order"))

    assert (True, 1) == (has(org, "order"), org.calls["deploy"])


def test_reset_midway_ends_in_a_reset_and_cut_short_in_silence(org: Org) -> None:
    """One is seen as an error of the socket, the other only by who counts."""
    with failing(org, Faults().on("versions", "reset_midway", times=1).on("versions", "cut_short", times=1)) as wire:
        broken, was_reset = raw(wire)
        short, was_reset_too = raw(wire)
        whole_answer, _ = raw(wire)

    assert (True, False) == (was_reset, was_reset_too)
    body = whole_answer.partition(b"\r\n\r\n")[2]
    for heard in (broken, short):
        head, _, half = heard.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert body[: len(body) // 2] == half


def test_silence_lasts_until_the_server_ends_and_holds_nobody_else(org: Org) -> None:
    """The fault that time-outs are for."""
    with failing(org, Faults().on("versions", "silence", seconds=3600, times=1)) as wire:
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{wire.base}/services/data", timeout=0.2)
        assert 200 == wire.get("/services/data").status_code


def test_silence_ends_in_a_closed_connection(org: Org) -> None:
    """No time-out helps a client whose server hangs up."""
    with (
        failing(org, Faults().on("deploy", "silence", seconds=0, done=True)) as wire,
        pytest.raises(requests.ConnectionError, match="closed"),
    ):
        deploy(wire, app("order"))

    assert has(org, "order")


def test_drip_loses_nothing(org: Org) -> None:
    """A client whose time limit is for the gaps gets everything, one whose limit is for the whole may not."""
    with failing(org, Faults().on("versions", "drip", size=7, seconds=0, times=1)) as wire:
        found = urlsplit(wire.base)
        connection = http.client.HTTPConnection(found.hostname or "", found.port, timeout=5)
        connection.request("GET", "/services/data")
        slow = connection.getresponse().read()
        connection.request("GET", "/services/data")

        assert connection.getresponse().read() == slow
        connection.close()


# -- gateways, documents, refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_status_is_a_page_of_a_gateway(org: Org, code: int) -> None:
    """It is neither XML nor JSON."""
    with failing(org, Faults().on("soap", "status", code=code, retry_after=7)) as wire:
        answer = deploy(wire, app("order"))

    assert (code, "7", True) == (
        answer.status_code,
        answer.headers["Retry-After"],
        answer.text.startswith("<!DOCTYPE html>"),
    )
    assert not has(org, "order")


def test_html_page_says_that_all_is_well(org: Org) -> None:
    """A client that looks at the status only takes a login page for an answer."""
    with failing(org, Faults().on("listMetadata", "html_page")) as wire:
        answer = listing(wire)

    assert (200, "text/html; charset=UTF-8") == (answer.status_code, answer.headers["Content-Type"])


@pytest.mark.parametrize("name", ["truncated", "malformed", "wrong_encoding"])
def test_a_broken_document_cannot_be_read(org: Org, name: str) -> None:
    """HTTP is in order: only a parser notices."""
    faults = Faults().on("soap", name, times=1).on("query", name, times=1)
    with failing(org, faults) as wire:
        document = listing(wire)
        rows = wire.query("SELECT Id, Name FROM User")
        again = listing(wire)

    assert (200, 200, []) == (document.status_code, rows.status_code, faults.unused())
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(document.content)
    with pytest.raises(ValueError, match=r"line 1|can't decode"):
        json.loads(rows.content)
    etree.fromstring(again.content)


def test_utf_16_is_sent_as_utf_8(org: Org) -> None:
    """Every second byte is a zero."""
    with failing(org, Faults().on("soap", "wrong_encoding", sent="utf-16")) as wire:
        answer = listing(wire)

    assert "text/xml; charset=utf-8" == answer.headers["Content-Type"]
    assert "listMetadataResponse" in answer.content.decode("utf-16")


def test_refused_has_the_form_of_the_call(org: Org) -> None:
    """SOAP, REST and OAuth each say no in their own way, and clients look for exactly that."""
    code = "REQUEST_LIMIT_EXCEEDED"
    faults = (
        Faults().on(["listMetadata", "query"], "refused", code=code).on("token", "refused", code="invalid_client_id")
    )
    with failing(org, faults) as wire:
        soap, rest = listing(wire), wire.query("SELECT Id FROM User")
        token = wire.session.post(f"{wire.base}/services/oauth2/token", data={"grant_type": "x"})

    assert 500 == soap.status_code
    assert (
        f"<faultcode>sf:{code}</faultcode><faultstring>{code}: TotalRequests Limit exceeded.</faultstring>" in soap.text
    )
    assert (403, [{"message": "TotalRequests Limit exceeded.", "errorCode": code}]) == (rest.status_code, rest.json())
    assert (400, "invalid_client_id") == (token.status_code, token.json()["error"])


def test_dead_session_is_dead_until_somebody_logs_in(org: Org) -> None:
    """A client that only repeats the call never gets anywhere."""
    with failing(org, Faults().on("listMetadata", "dead_session", after=1, times=1)) as wire:
        assert [200, 500, 500] == [listing(wire).status_code for _ in range(3)]
        assert 401 == wire.query("SELECT Id FROM User").status_code
        wire.token = org.access_token()

        assert 200 == listing(wire).status_code


def test_jwt_refused_is_about_soap_only(org: Org) -> None:
    """The same token goes on working for REST."""
    with failing(org, Faults().on("*", "jwt_refused")) as wire:
        soap, rest = listing(wire), wire.query("SELECT Id FROM User")

    assert (200, True) == (rest.status_code, "sf:INVALID_SESSION_ID" in soap.text and "JWT" in soap.text)


# -- jobs -------------------------------------------------------------------------------------------------------------


def test_standing_queue_moves_on_after_so_many_polls(org: Org) -> None:
    """A queue at peak time; nothing that is asked in between makes it faster."""
    with failing(org, Faults().on("deploy", "standing_queue", polls=2)) as wire:
        job = started(deploy(wire, app("order")))
        assert not has(org, "order")

        assert ["Pending", "Pending", "Succeeded"] == states(wire, job, 3)


def test_standing_queue_may_stand_for_ever_and_can_be_left(org: Org) -> None:
    """Who waits without a limit waits for ever; who cancels is let go, and so are those behind."""
    with failing(org, Faults().on("deploy", "standing_queue", times=1)) as wire:
        first, second = started(deploy(wire, app("order"))), started(deploy(wire, app("other")))
        assert (["Pending"] * 5, ["Pending"] * 5) == (states(wire, first, 5), states(wire, second, 5))

        wire.soap("cancelDeploy", f"<id>{first}</id>")

        assert (["Canceled"], ["Succeeded"]) == (states(wire, first, 1), states(wire, second, 1))


def test_never_ends(org: Org) -> None:
    """A retrieve that is always almost done, and a deployment that can be cancelled while it runs."""
    with failing(org, Faults().on(["deploy", "retrieve"], "never_ends")) as wire:
        job = retrieving(wire)
        assert ["InProgress"] * 4 == [
            etree.fromstring(retrieved(wire, job).content).findtext(f".//{X}status") for _ in range(4)
        ]
        job = started(deploy(wire, app("order")))
        assert ["InProgress"] * 3 == states(wire, job, 3)
        wire.soap("cancelDeploy", f"<id>{job}</id>")

        assert ["Canceled"] == states(wire, job, 1)
    assert not has(org, "order")


def test_cancelled_by_org(org: Org) -> None:
    """Nothing landed, and nobody here asked for that."""
    with failing(org, Faults().on("deploy", "cancelled_by_org", polls=1)) as wire:
        assert ["InProgress", "Canceled"] == states(wire, started(deploy(wire, app("order"))), 2)
    assert not has(org, "order")


def test_restarted_by_org(org: Org) -> None:
    """The status goes backwards, and the deployment still runs once."""
    with failing(org, Faults().on("deploy", "restarted_by_org", polls=2)) as wire:
        job = started(deploy(wire, app("order")))

        assert ["InProgress", "InProgress", "Pending", "Succeeded"] == states(wire, job, 4)
    assert has(org, "order")


def test_locked_row_fails_one_component_and_nothing_lands(org: Org) -> None:
    """The next try works, since nobody holds the row any more."""
    with failing(org, Faults().on("deploy", "locked_row", component="order_oauth", times=1)) as wire:
        first = polled(wire, started(deploy(wire, *whole("order"))))
        assert ("Failed", ["order_oauth"]) == (
            first.findtext(f"{X}status"),
            [each.text for each in first.findall(f".//{X}componentFailures/{X}fullName")],
        )
        assert "UNABLE_TO_LOCK_ROW" in str(first.findtext(f".//{X}problem"))
        assert not has(org, "order")

        assert ["Succeeded"] == states(wire, started(deploy(wire, *whole("order"))), 1)


# -- hostile ----------------------------------------------------------------------------------------------------------


def test_external_entity_names_a_file_of_the_reader(org: Org, tmp_path: Path) -> None:
    """A parser that resolves it shows what is in the file."""
    secret = tmp_path / "secret"
    secret.write_text("canary")
    with failing(org, Faults().on("listMetadata", "external_entity", system=secret.as_uri())) as wire:
        content = listing(wire).content

    careless = etree.XMLParser(resolve_entities=True, load_dtd=True, no_network=False)
    assert "canary" in "".join(etree.fromstring(content, careless).itertext())


def test_entity_expansion_is_small_and_becomes_large(org: Org) -> None:
    """Three levels are a thousand; ten are ten thousand million."""
    faults = Faults().on("listMetadata", "entity_expansion", levels=3, times=1).on("listMetadata", "entity_expansion")
    with failing(org, faults) as wire:
        few, many = listing(wire).content, listing(wire).content

    text = "".join(etree.fromstring(few, etree.XMLParser(resolve_entities=True)).itertext())
    assert 1000 == text.count("ha")
    assert len(many) < len(few) + 1000


def test_zip_bomb_and_climbing_entry_wait_for_the_zip(org: Org) -> None:
    """They are in the answer that brings it, not in the polls before."""
    org.switch("retrieve_polls", 2)
    faults = Faults().on("checkRetrieveStatus", "zip_bomb", megabytes=20, times=1)
    with failing(org, faults.on("checkRetrieveStatus", "climbing_entry", times=1)) as wire:
        job = retrieving(wire)
        answers = [retrieved(wire, job) for _ in range(4)]

    bomb, climbing = archive(answers[2]), archive(answers[3])
    assert (
        20_000_000 == sum(each.file_size for each in bomb.infolist()) == len(bomb.read("unpackaged/classes/Bomb.cls"))
    )
    assert len(answers[2].content) < 100_000
    assert "../../climbed.txt" in climbing.namelist()
    assert [] == faults.unused()


def test_million_elements_come_as_many_as_asked(org: Org) -> None:
    """Made while they are sent: the server does not need the memory that the reader would."""
    with failing(org, Faults().on("listMetadata", "million_elements", count=12_345)) as wire:
        content = listing(wire).content

    assert 12_345 == content.count(b"<result/>")
    etree.fromstring(content)


def test_endless_answer_goes_on_until_the_reader_has_enough(org: Org) -> None:
    """And the server is not kept by it: it ends, and so does this test."""
    with (
        failing(org, Faults().on("versions", "endless_answer")) as wire,
        requests.get(f"{wire.base}/services/data", stream=True, timeout=5) as answer,
    ):
        heard = 0
        for piece in answer.iter_content(100_000):
            heard += len(piece)
            if heard > 3_000_000:
                break

    assert heard > 3_000_000


def test_deep_nesting_is_as_deep_as_asked(org: Org) -> None:
    """A reader that recurses falls over."""
    with failing(org, Faults().on(["listMetadata", "versions"], "deep_nesting", depth=5000)) as wire:
        document, value = listing(wire).content, wire.get("/services/data").content

    assert 5000 == document.count(b"<a>") == document.count(b"</a>")
    # Python before 3.13 cannot even read it.
    assert 5000 <= max(value.count(b"["), value.count(b"{"))


# -- which call, and which times --------------------------------------------------------------------------------------


def test_calls_are_chosen_by_count(org: Org) -> None:
    """after lets some go by, every takes each so-manieth, times ends it."""
    with failing(org, Faults().on("versions", "status", code=502, after=2, every=2, times=2)) as wire:
        codes = [wire.get("/services/data").status_code for _ in range(8)]

    assert [200, 200, 502, 200, 502, 200, 200, 200] == codes


def test_a_rule_sees_what_the_rules_before_it_left(org: Org) -> None:
    """Two rules for one call read as a sequence."""
    faults = Faults().on("versions", "status", code=502, times=1).on("versions", "status", code=503, after=1, times=1)
    with failing(org, faults) as wire:
        assert [502, 200, 503, 200] == [wire.get("/services/data").status_code for _ in range(4)]


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ("soap", [True, False, False]),
        ("rest", [False, True, True]),
        ("listMetadata", [True, False, False]),
        ("query", [False, True, False]),
        ("/services/data/*/query", [False, True, False]),
        ("GET /services/*", [False, True, True]),
        ("POST /services/*", [True, False, False]),
    ],
)
def test_calls_are_chosen_by_name_or_path(org: Org, pattern: str, hit: list[bool]) -> None:
    """A SOAP operation is what the body says, not SOAPAction or the path."""
    with failing(org, Faults().on(pattern, "status", code=504)) as wire:
        answers = [listing(wire), wire.query("SELECT Id FROM User"), wire.get("/services/data")]

    assert hit == [each.status_code == 504 for each in answers]


def test_a_client_s_whole_body_still_arrives(org: Org) -> None:
    """Looking at the beginning of a large package must not lose it, in no form that it is sent in."""
    with failing(org, Faults().on("retrieve", "reset")) as wire:
        noise = {f"junk{n}.txt": bytes(range(256)) * 2000 for n in range(3)}
        zipped = base64.b64encode(package(app("order"), extra=noise)).decode()
        body = f'<deploy xmlns="{NS}"><ZipFile>{zipped}</ZipFile><DeployOptions/></deploy>'
        assert 200 == wire.post_soap(body).status_code
        rest = wire.session.post(
            f"{wire.base}/services/data/v64.0/metadata/deployRequest",
            files={"json": (None, '{"deployOptions":{}}', "application/json"), "file": ("p.zip", package(app("two")))},
            headers=wire.bearer,
        )

        assert 201 == rest.status_code
    assert (True, True) == (has(org, "order"), has(org, "two"))


def test_unused_rules_are_known(org: Org) -> None:
    """A test that passes because its fault never happened has tested nothing."""
    faults = Faults().on("versions", "status", code=500).on("deploy", "lost_answer")
    with failing(org, faults) as wire:
        wire.get("/services/data")

    assert (["lost_answer on deploy"], [1, 0]) == (faults.unused(), faults.hits())


def test_a_rule_with_a_limit_keeps_to_it_between_threads(org: Org) -> None:
    """Several connections at once must not each be the first."""
    with failing(org, Faults().on("versions", "status", code=502, times=3)) as wire:
        codes: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: codes.append(requests.get(f"{wire.base}/services/data", timeout=5).status_code)
            )
            for _ in range(12)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert 3 == codes.count(502)


# -- in this process --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "seen"),
    [
        ("reset", {}, requests.ConnectionError),
        ("lost_answer", {}, requests.ConnectionError),
        ("reset_midway", {}, requests.exceptions.ChunkedEncodingError),
        ("cut_short", {}, requests.exceptions.ChunkedEncodingError),
        ("silence", {"seconds": 3600}, requests.ReadTimeout),
        ("silence", {"seconds": 0}, requests.ConnectionError),
        ("drip", {"seconds": 3600}, requests.ConnectionError),
    ],
)
def test_a_mounted_org_fails_as_a_served_one(
    org: Org, name: str, options: dict[str, Any], seen: type[Exception]
) -> None:
    """The embedded org is what most tests use; nobody waits for an hour here."""
    with requests.Session() as session:
        url = mount(session, org, faults=Faults().on("versions", name, times=1, **options))
        began = time.monotonic()
        with pytest.raises(seen):
            session.get(f"{url}/services/data", timeout=30)

        assert 200 == session.get(f"{url}/services/data", timeout=30).status_code
        assert time.monotonic() - began < 20


def test_a_mounted_org_never_ends_its_answer_either(org: Org) -> None:
    """A bound on what is read is testable without a socket."""
    with requests.Session() as session:
        url = mount(session, org, faults=Faults().on("versions", "endless_answer"))
        answer = session.get(f"{url}/services/data", stream=True)

        assert 5_000_000 == len(answer.raw.read(5_000_000))
        answer.close()


# -- scripts ----------------------------------------------------------------------------------------------------------


def test_a_script_is_read_from_a_file(org: Org, tmp_path: Path) -> None:
    """What `mock serve --faults` takes."""
    file = tmp_path / "faults.yaml"
    file.write_text(
        "faults:\n- {call: deploy, fault: lost_answer, times: 1}\n"
        "- call: [query, 'GET /services/data']\n  after: 1\n  fault: {status: {code: 429, retry_after: 3}}\n"
    )
    faults = Faults.load(file)
    with failing(org, faults) as wire:
        assert [200, 429] == [wire.query("SELECT Id FROM User").status_code for _ in range(2)]

    assert [f"{file}:2: lost_answer on deploy"] == faults.unused()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("faults: [", "not YAML"),
        ("fault: []", "1:1: a script has one key, faults"),
        ("faults: {}", "1:9: faults is a list"),
        ("faults: [deploy]", "1:10: a rule is a mapping"),
        ("faults: [{fault: reset}]", "1:10: a rule needs a call"),
        ("faults: [{call: deploy}]", "1:10: a rule needs a fault"),
        ("faults: [{call: deploi, fault: reset}]", "1:11: no call is called 'deploi' (did you mean deploy?)"),
        ("faults: [{call: deploy, fault: resett}]", "1:25: no fault is called 'resett' (did you mean reset?)"),
        ("faults: [{call: deploy, fault: reset, time: 1}]", "1:39: no key is called 'time' (did you mean times?)"),
        ("faults: [{call: deploy, fault: reset, times: 0}]", "1:39: times cannot be 0 (it is a whole number, 1 or more)"),
        ("faults: [{call: deploy, fault: reset, times: null}]", "1:39: times cannot be None"),
        ("faults: [{call: deploy, fault: reset, after: true}]", "1:39: after cannot be True"),
        ("faults: [{call: deploy, fault: reset, after: 1.5}]", "1:39: after cannot be 1.5"),
        ("faults: [{call: x, fault: {status: {cod: 1}}}]", "1:37: status has no option 'cod' (did you mean code?)"),
        ("faults: [{call: token, fault: {status: {code: 99}}}]", "1:41: code of status cannot be 99 (it is between 400"),
        ("faults: [{call: token, fault: {status: {code: '503'}}}]", "code of status cannot be '503'"),
        ("faults: [{call: token, fault: {reset: {x: 1}}}]", "reset has no option 'x' (it takes no options)"),
        ("faults: [{call: token, fault: {wrong_encoding: {sent: ebcdic}}}]", "(it is one of latin-1, utf-16)"),
        ("faults: [{call: query, fault: never_ends}]", "1:11: never_ends cannot happen to query (it happens to deploy"),
        ("faults: [{call: deploy, call: deploy, fault: reset}]", "1:25: call stands here twice"),
        ("faults: [&a {call: deploy, fault: reset}, *a]", "an alias"),
        ("faults: [!!python/object:os.system {call: deploy, fault: reset}]", "1:10: a tag"),
        ("[" * 5000, "1:9: too deep"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_script_has_its_place_and_its_mend(text: str, expected: str) -> None:
    """A rule that does not mean what its author meant makes a test that tests nothing."""
    with pytest.raises(FaultsError) as wrong:
        script.parse(text)

    assert expected in str(wrong.value)


def test_all_mistakes_of_a_script_are_told_together() -> None:
    """Nobody mends a file one run at a time."""
    with pytest.raises(FaultsError) as wrong:
        script.parse("faults:\n- {call: deploi, fault: rest}\n- {call: query, fault: never_ends, after: -1}\n")

    assert [(2, 4), (2, 18), (3, 4), (3, 36)] == sorted((each.line, each.column) for each in wrong.value.problems)


@pytest.mark.parametrize(
    "make", [lambda file: file.write_bytes(b"#" * 300_000), lambda file: file.mkdir(), lambda _: None]
)
def test_a_script_that_is_too_large_or_not_there_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """The command line says so in one line."""
    make(tmp_path / "faults.yaml")

    with pytest.raises(FaultsError, match=r"larger than|cannot be read|not a plain file"):
        Faults.load(tmp_path / "faults.yaml")


def test_every_fault_is_tried_here() -> None:
    """A new one without a test would be documented and untried."""
    text = Path(__file__).read_text(encoding="utf-8")

    assert [] == [name for name in FAULTS if f'"{name}"' not in text]
