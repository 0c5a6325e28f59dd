"""Whatever a client sends, the mock org answers it, and goes on with what others have sent."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
import sqlite3
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from providers.mock import Org, open_org, serving
from providers.mock.http import connection
from providers.mock.metadata import jobs
from providers.mock.metadata.package import MAX_CONTENT
from tests.mock.wire import NS, Wire, apex, app, handler, manifest, package, whole, zipped

SOME = package(*whole("one"), apex("H"), handler("X", tokenHandlerApex="H"))
EACH_TIME = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FINISHED = {"Succeeded", "Failed", "SucceededPartial"}


def with_a_wrong_offset() -> bytes:
    """A zip whose central directory is said to begin where it does not: `zipfile` seeks to before the file."""
    data = bytearray(zipped({"package.xml": "<Package/>"}))
    end = data.rfind(b"PK\5\6")
    struct.pack_into("<I", data, end + 16, struct.unpack_from("<I", data, end + 16)[0] + 1000)
    return bytes(data)


def soap_status(wire: Wire, job: str) -> etree._Element:
    return wire.soap(
        "checkDeployStatus", f"<asyncProcessId>{job}</asyncProcessId><includeDetails>true</includeDetails>"
    )


@st.composite
def damaged(draw: st.DrawFn, data: bytes = SOME) -> bytes:
    found = bytearray(data)
    for bit in draw(st.lists(st.integers(0, len(data) * 8 - 1), min_size=1, max_size=6)):
        found[bit // 8] ^= 1 << (bit % 8)
    # Most of what `zipfile` believes stands in the last bytes.
    for at in draw(st.lists(st.integers(1, 120), max_size=2)):
        found[-at] = draw(st.integers(0, 255))
    return bytes(found[: draw(st.sampled_from([len(data), len(data), len(data) - 1, len(data) // 2]))])


# -- zips ------------------------------------------------------------------------------------------------------------


def test_one_bad_zip_fails_and_the_next_deployment_lands(wire: Wire) -> None:
    """It once stopped the queue of everybody for ever."""
    bad = wire.start(with_a_wrong_offset(), checkOnly=True)
    good = wire.start(package(app("one")))

    assert "Failed" == wire.poll(bad).status
    assert "Succeeded" == wire.poll(good).status


@EACH_TIME
@given(data=damaged())
def test_no_damaged_zip_stops_the_queue(wire: Wire, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Any bits of it may be wrong: the deployment ends, and both interfaces can tell how."""
    job = wire.start(data)

    assert wire.poll(job).status in FINISHED
    assert "true" == soap_status(wire, job).findtext(f".//{{{NS}}}done")
    assert "Succeeded" == wire.deploy(app("after")).status
    assert "" == capfd.readouterr().err


@pytest.mark.parametrize("name", ["a\x01b.xml", "\u202e.xml", "x" * 60_000, "classes/\ufffe.cls", "a\rb", "CON", "."])
def test_a_file_of_any_name_is_told_of_in_readable_xml(wire: Wire, name: str) -> None:
    """A control character in an answer is an answer that no client can read."""
    job = wire.start(zipped({"package.xml": manifest({}), name: "x"}))

    assert wire.poll(job).status in FINISHED
    assert "true" == soap_status(wire, job).findtext(f".//{{{NS}}}done")


def test_a_control_character_in_a_refused_name_leaves_the_answer_readable(wire: Wire) -> None:
    job = wire.start(zipped({"package.xml": manifest({}), "a/../\x01": "x"}))

    (problem,) = (each.text or "" for each in soap_status(wire, job).iter(f"{{{NS}}}problem"))
    assert problem.endswith("leaves it: a/../\ufffd")


def test_a_bomb_is_refused_before_it_is_unpacked(wire: Wire) -> None:
    """Its directory tells how large it is, and nothing in it may be larger than that."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package.xml", manifest({}))
        with archive.open("bomb", "w") as stream:
            for _ in range(4):
                stream.write(bytes(1 << 20))
    data = bytearray(buffer.getvalue())
    at = data.rfind(b"PK\1\2")
    struct.pack_into("<I", data, at + 24, MAX_CONTENT)

    begun = time.process_time()
    done = wire.poll(wire.start(bytes(data)))

    assert f"LIMIT_EXCEEDED: The unzipped files are larger than {MAX_CONTENT} bytes" == done.result["errorMessage"]
    assert time.process_time() - begun < 2


_DEEP = "<a>" * 5000 + "</a>" * 5000
_MANIFESTS = [
    "", "\0", "<", "<Package>", "<Package/>", "<x/>", _DEEP, f"<Package>{_DEEP}</Package>",
    "<Package><types/><types><name/><members/></types><version/></Package>",
    "<Package><version>99999999999999999999</version></Package>", "<Package><version>-1.0</version></Package>",
    "<Package><types><name>*</name><members>*</members></types></Package>",
    "<Package><types><members>../../x</members><members>a/b/c</members><name>ApexClass</name></types></Package>",
    f"<Package><types><members>{'x' * 100_000}</members><name>ConnectedApp</name></types></Package>",
    "<Package><types><name>Settings</name><members>*</members><members></members></types></Package>",
    '<!DOCTYPE a [<!ENTITY b "c">]><Package>&b;</Package>', "<?x y?><Package><!--x--><types><?a?></types></Package>",
    '<Package xmlns="\u0130"><types><name>\u212a</name></types></Package>',
]  # fmt: skip


@pytest.mark.parametrize("text", _MANIFESTS)
@pytest.mark.parametrize("name", ["package.xml", "destructiveChanges.xml"])
def test_an_absurd_manifest_ends_its_own_deployment_only(
    wire: Wire, text: str, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    job = wire.start(zipped({"package.xml": manifest({}), name: text}))

    assert wire.poll(job).status in FINISHED
    assert "Succeeded" == wire.deploy(app("after")).status
    assert "" == capfd.readouterr().err


# -- what no check foresaw -------------------------------------------------------------------------------------------


def broken(*_: Any, **__: Any) -> Any:
    raise RecursionError("what no check foresaw")


def test_what_no_check_foresaw_fails_one_deployment_and_changes_nothing(
    wire: Wire, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An org answers such a thing with a number for its support; the trace is for whoever runs the mock org."""
    wire.deployed(app("before"))
    real, count = jobs.run, iter(range(10))

    def run(world: Any, *rest: Any) -> Any:
        found = real(world, *rest)
        return broken() if next(count) == 0 else found

    monkeypatch.setattr(jobs, "run", run)
    first, second = wire.start(package(app("lost"))), wire.start(package(app("kept")))

    failed = wire.poll(first)
    assert "Failed" == failed.status
    assert "UNKNOWN_EXCEPTION" == failed.result["errorStatusCode"]
    assert failed.result["errorMessage"].startswith(
        "UNKNOWN_EXCEPTION: An unexpected error occurred. Please include this"
    )
    assert "Succeeded" == wire.poll(second).status
    names = {row["DeveloperName"] for row in wire.rows("SELECT DeveloperName FROM ExternalClientApplication")}
    assert {"before", "kept"} == names & {"before", "lost", "kept"}


def test_what_no_check_foresaw_fails_one_retrieve(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.deployed(app("one"))
    request = "<retrieveRequest><apiVersion>66.0</apiVersion><unpackaged><types/></unpackaged></retrieveRequest>"
    job = wire.soap("retrieve", request).findtext(f".//{{{NS}}}id")
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "retrieve", broken)
        result = wire.soap("checkRetrieveStatus", f"<asyncProcessId>{job}</asyncProcessId>")

    assert "Failed" == result.findtext(f".//{{{NS}}}status")
    assert "UNKNOWN_EXCEPTION" == result.findtext(f".//{{{NS}}}errorStatusCode")
    assert {"package.xml", "externalClientApps/one.eca"} == set(
        wire.retrieve({"ExternalClientApplication": ["one"]}).files
    )


@pytest.mark.parametrize(
    ("zip_", "options", "fate"),
    [
        (with_a_wrong_offset(), "{}", None),
        (None, "{}", None),
        (SOME, '{"anOptionOfAnotherVersion": true}', None),
        (SOME, "[]", None),
        (SOME, "{", None),
        (SOME, "{}", '{"anything": 1}'),
    ],
)
def test_a_job_that_an_earlier_version_left_stuck_ends(
    tmp_path: Path, zip_: bytes | None, options: str, fate: str | None
) -> None:
    """Its file lies in a project's folder, and a new version of ours is started on it."""
    org = open_org(tmp_path / "old.db")
    with sqlite3.connect(tmp_path / "old.db") as db:
        db.execute(
            "INSERT INTO job (id, what, user, created_at, status, polls, options, zip, fate)"
            " VALUES ('0Af000000000001AAA', 'deploy', 'nobody', '2026-01-01T00:00:00.000Z', 'InProgress', 9, ?, ?, ?)",
            (options, zip_, fate),
        )
    db.close()
    org.close()
    again = open_org(tmp_path / "old.db")
    wire = Wire(again)

    assert "Succeeded" == wire.deploy(app("after")).status
    assert wire.poll("0Af000000000001AAA").status in FINISHED
    again.close()


# -- requests --------------------------------------------------------------------------------------------------------

_NASTY = st.sampled_from(
    [
        *(b"\0", b"\xff", b"\xed\xa0\x80", b"<", b"&#0;", b"&a;", b"''", b'"', b"%00", b"9" * 400, b"-1", b"null"),
        *(b"[]", b"{}", b"[" * 2000, b"(" * 200, b"\\ud800", b"1e999", b"NaN", b"<a/>", b"<!--x-->", b"\r\n", b"--x"),
        *(b"..", b"=", b"&", "\u0130\u212a\u00b2\u0663\u202e".encode(), b"2026-13-45T99:99:99Z"),
        b"eyJhbGciOiJub25lIn0.W10.",
    ]
)


def in_soap(operation: str, inner: str) -> tuple[str, str, str, bytes]:
    envelope = (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><SessionHeader'
        f' xmlns="{NS}"><sessionId>TOKEN</sessionId></SessionHeader></e:Header><e:Body><{operation} xmlns="{NS}"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{inner}</{operation}></e:Body></e:Envelope>'
    )
    return "POST", "/services/Soap/m/66.0", "text/xml", envelope.encode()


def in_parts(described: object, data: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n'
    middle = b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    return head + json.dumps(described).encode() + middle + data + b"\r\n--x--\r\n"


_V = "/services/data/v66.0"
_FORM = "application/x-www-form-urlencoded"
_TYPES = "<types><members>*</members><name>ConnectedApp</name></types><version>66.0</version>"
REQUESTS = [
    in_soap("deploy", "<ZipFile>UEsFBg==</ZipFile><DeployOptions><checkOnly>true</checkOnly></DeployOptions>"),
    in_soap("retrieve", f"<retrieveRequest><unpackaged>{_TYPES}</unpackaged></retrieveRequest>"),
    in_soap("listMetadata", "<queries><type>Profile</type></queries><asOfVersion>66.0</asOfVersion>"),
    in_soap("readMetadata", "<type>ExternalClientApplication</type><fullNames>one</fullNames>"),
    in_soap(
        "upsertMetadata", '<metadata xsi:type="ExternalClientApplication"><fullName>q</fullName><label>q</label></metadata>'
    ),
    in_soap("deleteMetadata", "<type>ConnectedApp</type><fullNames>q</fullNames>"),
    in_soap("describeValueType", f"<type>{{{NS}}}ConnectedApp</type>"),
    in_soap("checkDeployStatus", "<asyncProcessId>0Af000000000001AAA</asyncProcessId>"),
    ("POST", f"{_V}/metadata/deployRequest", "multipart/form-data; boundary=x", in_parts({"deployOptions": {}}, SOME)),
    ("POST", f"{_V}/metadata/deployRequest", "application/json", b'{"validatedDeployRequestId": "0Af"}'),
    ("PATCH", f"{_V}/metadata/deployRequest/0Af1", "application/json", b'{"deployResult": {"status": "Canceling"}}'),
    ("GET", f"{_V}/query?q=SELECT+Id,Name+FROM+User+WHERE+(Name='a'+OR+Id!=null)+ORDER+BY+Name+LIMIT+5", "", b""),
    ("GET", f"{_V}/tooling/query?q=SELECT+Id+FROM+DeployRequest+WHERE+CreatedDate>2020-01-01T00:00:00Z", "", b""),
    ("GET", f"{_V}/sobjects/User/005000000000001?fields=Id,Name", "", b""),
    ("POST", f"{_V}/sobjects/PermissionSetAssignment", "application/json", b'{"AssigneeId": "005", "PermissionSetId": 1}'),
    ("POST", "/services/oauth2/token", _FORM, b"grant_type=client_credentials&client_id=a&client_secret=b"),
    ("POST", "/services/oauth2/token", _FORM, b"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=eyJ9.e30.a"),
    ("POST", "/services/oauth2/introspect", _FORM, b"token=x&client_id=y&client_secret=z"),
    ("GET", "/services/oauth2/authorize?response_type=code&client_id=x&redirect_uri=https://x.example/&scope=api", "", b""),
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(found)))
        found[at : at + draw(st.sampled_from([0, 1, 5, 20]))] = draw(
            st.one_of(_NASTY, st.just(b""), st.binary(max_size=2))
        )
    return bytes(found)


@settings(EACH_TIME, max_examples=300)
@given(data=st.data())
def test_no_request_is_answered_with_an_error_of_ours(
    wire: Wire, data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    """A client that gets something wrong is told so; a trace tells it nothing, and hides what it did wrong."""
    method, path, kind, body = data.draw(st.sampled_from(REQUESTS))
    if body and data.draw(st.booleans()):
        body = data.draw(mutated(body.replace(b"TOKEN", wire.token.encode())))
    else:
        body = body.replace(b"TOKEN", wire.token.encode())
        path = "/" + re.sub(r"[\0-\x20\x7f-\xff#]", "", data.draw(mutated(path[1:].encode())).decode("latin-1"))
    answer = wire.session.request(
        method, wire.base + path, data=body, headers={**wire.bearer, "Content-Type": kind}, allow_redirects=False
    )

    assert answer.status_code < 500 or b"<faultcode>" in answer.content, (path, body, answer.text)
    assert "" == capfd.readouterr().err


@pytest.fixture
def address(org: Org) -> Iterator[tuple[str, int]]:
    with serving(org) as served:
        found = urlsplit(served.url)
        yield found.hostname or "", found.port or 0


@settings(EACH_TIME, max_examples=150)
@given(data=st.data())
def test_no_bytes_on_the_wire_are_answered_with_an_error_of_ours(
    address: tuple[str, int], data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = data.draw(
        mutated(
            b"POST /services/oauth2/token?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"
            b"Authorization: Basic YTpi\r\nAccept: */*\r\nContent-Length: 9\r\n\r\ngrant=abc"
        )
    )
    heard = b""
    with socket.create_connection(address, timeout=10) as stream:
        stream.sendall(sent)
        stream.shutdown(socket.SHUT_WR)
        try:
            while piece := stream.recv(1 << 16):
                heard += piece
        except ConnectionResetError:
            pass

    statuses = [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3})", heard)]
    assert [] == [each for each in statuses if each == 500]
    assert "" == capfd.readouterr().err


# -- time ------------------------------------------------------------------------------------------------------------

_HEAD = b"POST /services/oauth2/token HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("limit", "begun", "drop"),
    [
        ("_IDLE", b"", b"G"),
        ("_HEAD", _HEAD, b"X: y\r\n"),
        ("_BODY", _HEAD + b"Content-Length: 100000\r\n\r\n", b"a"),
        ("_BODY", _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
)  # fmt: skip
def test_a_client_that_drips_is_let_go(
    org: Org, monkeypatch: pytest.MonkeyPatch, limit: str, begun: bytes, drop: bytes
) -> None:
    """Each piece comes in time, and the whole never: a thousand such connections are all that there are."""
    monkeypatch.setattr(connection, limit, 0.4)
    with serving(org) as served:
        found = urlsplit(served.url)
        with socket.create_connection((found.hostname, found.port or 0), timeout=0.05) as stream:
            stream.sendall(begun)
            until = time.monotonic() + 8
            while time.monotonic() < until:
                try:
                    stream.sendall(drop)
                    if stream.recv(1000) == b"":
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            else:
                pytest.fail("the connection is still open")


def test_a_connection_that_asks_again_and_again_is_kept(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are for one request, not for a connection."""
    for limit in ("_IDLE", "_HEAD", "_BODY"):
        monkeypatch.setattr(connection, limit, 0.5)
    with serving(org) as served:
        found = urlsplit(served.url)
        with socket.create_connection((found.hostname, found.port or 0), timeout=5) as stream:
            for _ in range(4):
                stream.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = http.client.HTTPResponse(stream)
                answer.begin()
                assert 404 == answer.status
                answer.read()
                time.sleep(0.2)
