"""What of a conversation is kept, and what a recording is worth when somebody else made it."""

import base64
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from providers import replay
from providers.mock import Org, mount
from providers.salesforce.calls import Calls
from providers.salesforce.files.archive import ZipError, write_zip
from providers.salesforce.login import Credentials
from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.recordings import file as tape
from providers.salesforce.recordings.file import Head, Interaction
from providers.salesforce.recordings.inspection import inspect
from providers.salesforce.recordings.player import NotRecordedError
from providers.salesforce.recordings.recorder import Recording, request_of
from providers.salesforce.recordings.whole_org import WholeOrg
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import InputError, ReconcilerError, RefusedError, UnreachableError
from reconciler.model.address import Address
from reconciler.model.facts import AuditEntry, Facts, History, User
from reconciler.model.live import NOT_RECORDED
from reconciler.schema.values import SecretRef
from tests.salesforce.build import HOST, app, no_time

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOAP = "/services/Soap/m/63.0"
SECRET = "hunter-two/is&secret"


def quiet(stage: str) -> None:
    """A progress that nobody watches."""


class Scripted(BaseAdapter):
    """An org that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: bytes, status: int = 200) -> None:
        super().__init__()
        self._answers, self._status = list(answers), status

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        response = requests.Response()
        response.status_code, response.request, response.url = self._status, request, request.url or ""
        response.raw = HTTPResponse(body=io.BytesIO(body), preload_content=False)
        return response

    def close(self) -> None:
        """Nothing was opened."""


def recorded(*answers: bytes, scrub: frozenset[str] = frozenset(), **options: Any) -> tuple[OrgSession, Recording]:
    """A session with a scripted org behind it, and what records it."""
    session, recording = OrgSession(**options), Recording(scrub)
    session.bind(HOST)
    session.mount(HOST, Scripted(*answers))
    recording.attach(session)
    return session, recording


def written(recording: Recording) -> str:
    return recording.finished("00D000000000001EAA", "63.0", NOW).decode()


def soap(operation: str) -> bytes:
    return f'<e:Envelope xmlns:e="x"><e:Body><{operation} xmlns="y"/></e:Body></e:Envelope>'.encode()


# -- what is kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/services/oauth2/token", b"grant_type=password"),
        ("GET", "/services/oauth2/userinfo", b""),
        ("POST", "/services/oauth2/revoke", b"token=x"),
        ("POST", "/services/Soap/u/63.0", soap("login")),
        ("POST", SOAP, soap("deploy")),
        ("POST", SOAP, soap("updateMetadata")),
        ("POST", SOAP, b"<no operation/>"),
        ("POST", "/services/data/v63.0/metadata/deployRequest", b"zip"),
        ("DELETE", "/services/data/v63.0/sobjects/User/005", b""),
        ("GET", "/secur/frontdoor.jsp", b""),
        ("GET", "/services/database", b""),
    ],
)
def test_logins_and_changes_are_not_kept(method: str, path: str, body: bytes) -> None:
    """Their bodies are secrets from the first to the last byte, and nobody may play a change again."""
    session, recording = recorded(b"{}")
    session.request(method, HOST + path, data=body)

    assert 0 == recording.calls


def test_the_last_answer_to_a_request_counts() -> None:
    """A session that had died, an org that was busy: how it ended is what a replay needs."""
    session, recording = recorded(b'{"a": "busy"}', b'{"a": "done"}')
    for parameters in ("a=1&b=2", "b=2&a=1"):
        session.get(f"{HOST}/services/data/v63.0/query?{parameters}")

    (one,) = json.loads(written(recording))["interactions"]
    assert {"a": "done"} == json.loads(one["response"]["body"]["string"])


def test_neither_tokens_nor_cookies_nor_the_host_are_kept() -> None:
    """Headers are where a session lives; and whose org it is, its head says."""
    session, recording = recorded(b"<a/>")
    session.get(
        f"{HOST}/services/data", headers={"Authorization": "Bearer token-of-mine", "Cookie": "sid=token-of-mine"}
    )
    session.post(
        HOST + SOAP, data=soap("retrieve").replace(b"<e:Body>", b"<sessionId>token-of-mine</sessionId><e:Body>")
    )

    text = written(recording)

    assert ("token-of-mine" in text, "acme" in text, "Cookie" in text, "Authorization" in text) == (False,) * 4
    assert "<sessionId>(scrubbed)</sessionId>" in text


def test_an_answer_without_end_is_not_recorded_without_end() -> None:
    """Recording must not undo the bounds of the session."""
    session, recording = recorded(b"x" * 10_000, max_bytes=1_000)

    with pytest.raises(UnreachableError, match="more than 1000 bytes"):
        session.get(f"{HOST}/services/data")
    assert 0 == recording.calls


@pytest.mark.parametrize(
    "answer",
    [
        f'{{"a": "{SECRET}"}}',
        '{"a": "hunter-two%2Fis%26secret"}',
        "<a>hunter-two/is&amp;secret</a>",
        f'{{"a": "{base64.b64encode(f"for you alone: {SECRET} !".encode()).decode()}"}}',
        f'{{"a": {json.dumps(json.dumps({"b": SECRET}))}}}',
    ],
)
def test_a_secret_that_is_left_over_stops_the_recording(answer: str) -> None:
    """The last look, which knows no schema and no pattern: what this run knows must not be in the file."""
    session, recording = recorded(answer.encode())
    recording.hearing(lambda ref: SECRET)(SecretRef("env", "PORTAL_SECRET"))
    session.get(f"{HOST}/services/data")

    with pytest.raises(ReconcilerError, match=r"would hold \(secret from env PORTAL_SECRET\)") as stopped:
        written(recording)
    assert SECRET not in str(stopped.value)


def test_a_secret_in_a_file_of_a_zip_stops_the_recording() -> None:
    """It is published packed, and unpacked by whoever is curious."""
    path = "unpackaged/connectedApps/Portal.connectedApp"
    packed = base64.b64encode(write_zip({path: b"<a><description>hunter-two/is&amp;secret</description></a>"}))
    session, recording = recorded(b"<a><zipFile>" + packed + b"</zipFile></a>")
    recording.hearing(lambda ref: SECRET)(SecretRef("env", "PORTAL_SECRET"))
    session.post(HOST + SOAP, data=soap("checkRetrieveStatus"))

    with pytest.raises(ReconcilerError, match=r"Portal\.connectedApp"):
        written(recording)


def test_a_token_in_an_answer_stops_the_recording() -> None:
    """An org, or what stands before it, that echoes what it was sent."""
    session, recording = recorded(b'{"you": "sent opaque-token"}')
    session.get(f"{HOST}/services/data", headers={"Authorization": "Bearer opaque-token"})

    with pytest.raises(ReconcilerError, match="would hold an access token"):
        written(recording)


# -- an org as a whole ------------------------------------------------------------------------------------------------


@pytest.fixture
def whole(org: Org) -> tuple[WholeOrg, Recording]:
    session, recording = OrgSession(), Recording(frozenset())
    session.bind(mount(session, org))
    recording.attach(session)
    credentials = Credentials.fixed(org.access_token())
    inner = SalesforceProvider(Calls(session, credentials, patience=no_time()))
    return WholeOrg(inner, recording=recording), recording


def replayed(recording: Recording, folder: Path) -> WholeOrg:
    path = folder / "org.json"
    tape.write(path, recording.finished("00D", "66.0", NOW))
    found = replay(path)
    assert isinstance(found, WholeOrg)
    return found


def test_what_is_asked_does_not_depend_on_what_is_wanted(whole: tuple[WholeOrg, Recording], tmp_path: Path) -> None:
    """A replay that is asked for other users, dates and classes than the recording finds all that there is."""
    provider, recording = whole
    provider.read([], quiet)
    again = replayed(recording, tmp_path)

    live = again.read(["NobodyHasThis"], quiet)

    assert "2026-03-01T00:00:00Z" == again.org().recorded
    assert {} == live.unreadable
    assert {"admin@acme.example"} == set(again.facts(["Admin@acme.example", "nobody@acme.example"], quiet).users)
    assert () == again.history("2999-01-01T00:00:00Z", quiet, enablements=False).entries


def test_a_class_that_the_org_has_and_nobody_recorded_is_not_absent(
    org: Org, whole: tuple[WholeOrg, Recording], connected: Callable[..., Any], tmp_path: Path
) -> None:
    """A plan that creates what is there is refused by the org, on the day of the rollout."""
    from tests.salesforce.build import apex
    from tests.salesforce.conversations import deploy

    assert deploy(connected(), apex("Kept"), apex("Other")).success
    provider, recording = whole
    provider.read(["Kept"], quiet)

    live = replayed(recording, tmp_path).read(["Kept", "Other", "None"], quiet)

    assert Address("ApexClass", "Kept") in live.resources
    assert {"ApexClass/Other": NOT_RECORDED} == live.unreadable


def test_nothing_can_be_changed_by_a_replay(whole: tuple[WholeOrg, Recording], tmp_path: Path) -> None:
    """Whatever calls it: there is no org behind it."""
    provider, recording = whole
    provider.read([], quiet)
    again = replayed(recording, tmp_path)

    with pytest.raises(RefusedError):
        again.deploy([app()], quiet, check_only=True, secrets=str, options={}, started=lambda sent: None)
    with pytest.raises(RefusedError):
        again.read_records([app()], quiet)
    with pytest.raises(NotRecordedError):
        again.calls.api.listing(["Flow"])


def test_a_trail_that_was_cut_off_is_only_told_of_where_it_matters() -> None:
    """The newest two thousand lines are enough for whoever asks about yesterday."""
    provider = WholeOrg(SalesforceProvider(Calls(OrgSession(), Credentials.fixed("x"))))
    entries = tuple(AuditEntry("ada", "005", f"2026-02-{day:02}T00:00:00.000Z", "", "") for day in range(20, 0, -1))
    provider._everything = History(entries * 100, unknown={"audit": "only its newest", "enablements": "no"})

    yesterday = provider.history("2026-02-20T00:00:00Z", quiet, enablements=False)
    ever = provider.history("2026-01-01T00:00:00Z", quiet, enablements=True)

    assert (100, {}) == (len(yesterday.entries), yesterday.unknown)
    assert (2_000, {"audit": "only its newest", "enablements": "no"}) == (len(ever.entries), ever.unknown)


def test_in_a_very_large_org_a_user_may_be_there_and_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """ "The org has no such user" must be true."""
    monkeypatch.setattr("providers.salesforce.recordings.whole_org.MOST_USERS", 1)
    provider = WholeOrg(SalesforceProvider(Calls(OrgSession(), Credentials.fixed("x"))))
    provider._everybody = Facts({"ada": User("ada", active=True)})

    assert "users" not in provider.facts(["Ada"], quiet).unknown
    assert "first 1 users" in provider.facts(["bob"], quiet).unknown["users"]


# -- recordings of strangers ------------------------------------------------------------------------------------------


def made(*interactions: Interaction, **head: Any) -> tape.Recording:
    about = {"recorded_at": "2026-03-01T00:00:00Z", "org_id": "00D", "api_version": "63.0", "reconciler_version": "1"}
    return tape.Recording(Head(**{**about, **head}), interactions)


def answer(text: str, **fields: Any) -> Interaction:
    about = {
        "method": "POST",
        "path": SOAP,
        "body": soap("listMetadata").decode(),
        "status": 200,
        "content_type": "text/xml",
    }
    return Interaction(**{**about, "answer": text, **fields})


def test_a_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """The two halves are only ever used by different people."""
    whole = made(
        answer("<ä/>"), answer("", body="", method="GET"), scrub=("emails",), scrubbed={"emails": 3}, classes=("A",)
    )
    tape.write(tmp_path / "org.json", tape.dumped(whole))

    assert whole == tape.read(tmp_path / "org.json")


def test_a_recording_of_another_version_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    """Fields that one version does not have would look removed."""
    tape.write(tmp_path / "org.json", tape.dumped(made()))

    with pytest.raises(InputError, match=r"recorded at API version 63\.0; the project file pins 66\.0"):
        replay(tmp_path / "org.json", api_version="66.0")


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["interactions"][0]["request"].update(uri="https://evil.example/services/data"),
        lambda one: one["interactions"][0]["request"].update(uri="https://org.invalid.evil.example/"),
        lambda one: one["interactions"][0]["response"]["status"].update(code=True),
        lambda one: one["interactions"][0]["response"]["status"].update(code=99),
        lambda one: one["interactions"][0]["response"]["headers"].update({"Content-Type": ["a\r\nSet-Cookie: b"]}),
        lambda one: one["interactions"][0]["response"]["headers"].update({"Content-Type": []}),
        lambda one: one["interactions"][0]["response"]["body"].update(string=["a"]),
        lambda one: one["recording"].update(api_version="nan"),
        lambda one: one["recording"].update(more=1),
        lambda one: one["recording"].update(scrubbed={"a": "b"}),
        lambda one: one.update(interactions=one["interactions"] * 10_001),
    ],
)
def test_a_file_that_is_not_as_we_write_it_is_refused(change: Callable[[Any], Any], tmp_path: Path) -> None:
    """It may come from a pull request."""
    content = json.loads(tape.dumped(made(answer("<a/>"))))
    change(content)
    (tmp_path / "org.json").write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(InputError):
        tape.read(tmp_path / "org.json")


def test_two_answers_to_one_call_are_none(tmp_path: Path) -> None:
    """Which of them counts nobody would see in a review."""
    tape.write(tmp_path / "org.json", tape.dumped(made(answer("<a/>"), answer("<b/>"))))

    with pytest.raises(InputError, match="answers twice to listMetadata"):
        replay(tmp_path / "org.json")


def test_a_job_that_never_ends_in_a_recording_ends_at_once(whole: tuple[WholeOrg, Recording], tmp_path: Path) -> None:
    """An hour of a runner, paid by whoever replays what a stranger has changed."""
    provider, recording = whole
    provider.read((), quiet)
    path = tmp_path / "org.json"
    data = recording.finished("00D", "66.0", NOW)
    for ended, going_on in ((b"<done>true<", b"<done>false<"), (b"<status>Succeeded<", b"<status>InProgress<")):
        data = data.replace(ended, going_on)
    tape.write(path, data)

    with pytest.raises(UnreachableError, match="did not come to an end"):
        replay(path).read((), quiet)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a device that never ends."""
    monkeypatch.setattr(tape, "MOST_BYTES", 10)
    (tmp_path / "org.json").write_bytes(b" " * 11)

    with pytest.raises(InputError, match="more than 10 bytes are not read"):
        tape.read(tmp_path / "org.json")


def _bomb() -> str:
    packed = base64.b64encode(write_zip({"unpackaged/connectedApps/A.connectedApp": b" " * 20_000_000})).decode()
    return f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><zipFile>{packed}</zipFile></e:Envelope>'


def test_a_zip_bomb_in_a_recording_is_not_unpacked(tmp_path: Path) -> None:
    """A replay and a look at it run where a stranger's file was put."""
    from providers.salesforce.recordings.layers import layers

    tape.write(tmp_path / "org.json", tape.dumped(made(answer(_bomb()))))

    assert "a zip that cannot be looked into" in [one.what for one in inspect(tmp_path / "org.json").suspicions]
    with pytest.raises(ZipError):
        list(layers((tmp_path / "org.json").read_bytes()))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<a><consumerSecret>31337</consumerSecret></a>", "a value called consumerSecret"),
        ('{"client_secret": "31337"}', "a value called client_secret"),
        ('{"deep": [{"password": 31337}]}', "a value called password"),
        ('{"a": "Zk3vQ9xW1pL7tR5yB8nM2cD6fH4jK0sG"}', "a long random text in a"),
        ("<a>00D000000000001!AQ8AQOABCDEFGH</a>", "a session id"),
    ],
)
def test_what_looks_like_a_secret_is_found(text: str, what: str, tmp_path: Path) -> None:
    """A recording that another version made, or that somebody edited."""
    nested = f"<a>{base64.b64encode(json.dumps({'inside': text}).encode()).decode()}</a>"
    for told in (text, nested):
        tape.write(tmp_path / "org.json", tape.dumped(made(answer(told))))
        assert what in [one.what for one in inspect(tmp_path / "org.json").suspicions]


@pytest.mark.parametrize(
    "text",
    [
        "<a><consumerSecret>(scrubbed)</consumerSecret><shouldRotateConsumerSecret>true</shouldRotateConsumerSecret></a>",
        '{"consumerKey": "3MVG9Zk3vQ9xW1pL7tR5yB8nM2cD6fH4jK0sGabc", "password": null, "id": "00D000000000001EAA"}',
        '{"digest": "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184"}',
        '{"url": "/services/data/v66.0/sobjects/Organization/00DYfpdxl51hi4MMAQ"}',
    ],
)
def test_what_is_harmless_is_left_in_peace(text: str, tmp_path: Path) -> None:
    """An alarm that always rings is switched off."""
    tape.write(tmp_path / "org.json", tape.dumped(made(answer(text))))

    assert () == inspect(tmp_path / "org.json").suspicions


def test_requests_are_told_apart_by_what_they_ask() -> None:
    """Two queries that are taken for one give one's answer to the other."""
    one, two = (
        request_of(requests.Request("GET", f"{HOST}/services/data/v63.0/query", params={"q": q}).prepare())
        for q in ("SELECT Id FROM User", "SELECT Id FROM Profile")
    )

    assert (one == two, "query User", "query Profile") == (False, one.operation, two.operation)
