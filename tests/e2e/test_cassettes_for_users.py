"""`--record` and `--replay` as users run them: the same words without an org, nothing secret in the file."""

import base64
import io
import json
import re
import socket
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests
import vcr

from reconciler.cli import workspace
from tests.e2e.build import APP, CODE, DANA, HANDLER, INTEGRATION, app, enablement, handler, handler_class, oidc, portal
from tests.e2e.project import Project, Result
from tests.e2e.served import App, behind, served
from tests.salesforce.scrub import everything_in

TAPE = "org.json"
COMMANDS = ("plan", "drift", "drift --against desired", "check --live")
FORMATS = ("text", "json", "markdown", "sarif", "junit", "html")
ALL_RULES: dict[str, Any] = {}
CANARY = "canaryOfTheTape0123456789"


# -- the same words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_replay_says_what_the_org_said(drifted: Project, command: str, form: str) -> None:
    """Whoever reviews a fork's pull request by a replay that says something else approves another change."""
    live = drifted.run(*command.split(), "--output", form)
    drifted.run("plan", "--record", TAPE)

    again = drifted.replay(*command.split(), "--output", form)

    assert live.code == again.code
    assert _plain(live.out) == _plain(again.out)
    assert "REPLAY of a recording made at " in _words(again.out) or form == "json"


@pytest.mark.parametrize("by", COMMANDS)
def test_any_command_makes_a_recording_for_all_of_them(drifted: Project, by: str) -> None:
    """A pipeline that records its nightly drift check has what its pull requests need."""
    drifted.run(*by.split(), "--record", TAPE)

    for command in COMMANDS:
        live = drifted.run(*command.split())
        again = drifted.replay(*command.split())
        assert (live.code, _plain(live.out)) == (again.code, _plain(again.out))


def test_a_new_app_needs_no_new_recording(drifted: Project) -> None:
    """Otherwise every pull request that adds something would fail until somebody with a login records again."""
    drifted.run("drift", "--record", TAPE)
    drifted.source("NewIdpHandler", handler_class("NewIdpHandler"))
    drifted.declare(
        *_files(),
        app("shop", oauthPolicies={"permittedUsersPolicyType": "AllSelfAuthorized"}),
        handler("NewIdp", tokenHandlerApex="NewIdpHandler"),
        enablement("shop", "NewIdp", apexExecutionUser=DANA),
        enablement("portal", "NewIdp", apexExecutionUser="nobody@acme.example"),
    )

    for form in ("text", "json"):
        live = drifted.run("plan", "--output", form)
        again = drifted.replay("plan", "--output", form)
        assert (live.code, _plain(live.out)) == (again.code, _plain(again.out))
    assert "the org has no user nobody@acme.example" in again.out
    assert "ApexClass/NewIdpHandler" in again.out


def test_who_did_it_is_told_from_the_recording(drifted: Project) -> None:
    """Drift without a name is a riddle for whoever is on call."""
    drifted.run("plan", "--record", TAPE)

    assert DANA in drifted.replay("drift").out


def test_a_recording_with_polls_is_replayed_with_its_last_word(project: Project) -> None:
    """An org that was slow when it was recorded would make every replay wait, or end in its first "not yet"."""
    project.org.switch("retrieve_polls", 3)
    project.declare(portal())
    project.run("plan", "--record", TAPE)

    calls = [one["request"]["body"] or "" for one in _recording(project)["interactions"]]

    assert 1 == sum("checkRetrieveStatus" in body for body in calls)
    assert 0 == project.run("plan", "--replay", TAPE).code


def test_two_recordings_of_the_same_org_are_the_same(drifted: Project) -> None:
    """Somebody keeps them under version control and reads the difference."""
    for name in ("one.json", "two.json"):
        drifted.run("drift", "--record", name)

    one, two = ((drifted.root / name).read_text(encoding="utf-8") for name in ("one.json", "two.json"))

    assert _without_date(one) == _without_date(two)


# -- no network, no credentials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_replay_needs_neither_network_nor_secrets(drifted: Project, command: str) -> None:
    """The pull request of a stranger runs without both, and must not find a way to ask for them."""
    drifted.run("plan", "--record", TAPE)
    secret = {"secret": {"env": "NOT_SET_ANYWHERE"}}
    drifted.configure(
        mock=None,
        instance_url="${env.NOT_SET_EITHER}",
        login={"flow": "token", "access_token": secret},
        rules=ALL_RULES,
    )
    drifted.declare(*_files(consumerSecret=secret))

    with (
        patch.object(socket.socket, "connect", side_effect=AssertionError("a socket was opened")),
        patch.object(workspace, "secret_value", side_effect=AssertionError("a secret was looked for")),
    ):
        found = drifted.replay(*command.split())

    assert "REPLAY" in found.out
    assert "NOT_SET" not in found.said


def test_a_replay_leaves_the_baseline_alone(drifted: Project) -> None:
    """A baseline that advances by what somebody recorded forgets what is in the org."""
    drifted.run("plan", "--record", TAPE)
    before = drifted.baseline_file.read_bytes() if drifted.baseline_file else b""

    for command in COMMANDS:
        drifted.replay(*command.split())

    assert drifted.baseline_file is not None
    assert before == drifted.baseline_file.read_bytes()


def test_the_recording_of_another_org_is_refused(drifted: Project) -> None:
    """A reviewer who sees the plan for a sandbox takes it for the one for production."""
    drifted.run("plan", "--record", TAPE)
    drifted.configure(org_id="00D000000000001EAA")

    found = drifted.run("plan", "--replay", TAPE)

    assert (4, True) == (found.code, "pins 00D000000000001EAA" in found.err)


def test_a_plan_from_a_recording_is_never_applied(drifted: Project) -> None:
    """Whoever can hand in a recording could choose what is applied."""
    drifted.run("plan", "--record", TAPE)
    drifted.replay("plan", "--out", "plan.json")

    found = drifted.run("apply", "plan.json")

    assert (4, True) == (found.code, "made from a recording" in found.err)
    assert json.loads((drifted.root / "plan.json").read_text(encoding="utf-8"))["applyable"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        "apply --replay org.json",
        "plan --validate --replay org.json",
        "plan --record a.json --replay org.json",
        "check --replay org.json",
        "check --record a.json",
        "plan --scrub emails",
        "plan --record a.json --scrub phones",
        "plan --record no/such/folder.json",
        "plan --record a.json --scrub emails --scrub-key NOT_SET_ANYWHERE",
    ],
)
def test_what_makes_no_sense_is_said_so(drifted: Project, arguments: str) -> None:
    """An option that is silently ignored is believed."""
    drifted.run("plan", "--record", TAPE)

    assert 3 == drifted.run(*arguments.split()).code
    assert not (drifted.root / "a.json").exists()


# -- what is not in the recording -------------------------------------------------------------------------------------


def test_a_call_that_was_not_recorded_is_an_error_that_shows_the_nearest(drifted: Project) -> None:
    """A replay that guesses shows a plan that nobody can trust."""
    drifted.run("plan", "--record", TAPE)
    content = _recording(drifted)
    for one in content["interactions"]:
        one["request"]["body"] = (one["request"]["body"] or "").replace("<name>OauthCustomScope<", "<name>Another<")
    (drifted.root / TAPE).write_text(json.dumps(content), encoding="utf-8")

    found = drifted.run("plan", "--replay", TAPE)

    assert 1 == found.code
    assert "the recording does not hold this call: retrieve (POST /services/Soap/m/66.0)" in found.err
    assert "the nearest is retrieve" in found.err
    assert "<name>OauthCustomScope<" in found.err
    assert "<name>Another<" in found.err


def test_of_queries_the_nearest_is_a_query(drifted: Project) -> None:
    """Whoever has to find out what has changed looks at the two side by side."""
    drifted.run("plan", "--record", TAPE)
    content = _recording(drifted)
    content["interactions"] = [one for one in content["interactions"] if "SetupAuditTrail" not in one["request"]["uri"]]
    (drifted.root / TAPE).write_text(json.dumps(content), encoding="utf-8")

    found = drifted.run("drift", "--replay", TAPE)

    assert 1 == found.code
    assert "does not hold this call: query SetupAuditTrail" in found.err
    assert "the nearest is query " in found.err


def test_a_class_that_was_not_recorded_is_not_taken_for_absent(project: Project) -> None:
    """A handler that names a class of the org would be refused as pointing nowhere, or planned as new."""
    project.configure(rules=ALL_RULES)
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal())
    project.run("apply", "--auto-approve", "--fail-on", "critical")
    # Somebody else's from here on: neither the files nor the baseline speak of it.
    project.remove_source("PartnerIdpHandler")
    assert project.baseline_file is not None
    project.baseline_file.unlink()
    project.run("plan", "--record", TAPE)
    project.declare(portal(isTokenExchangeEnabled=True), handler(), enablement("portal"))

    named = project.run("plan", "--replay", TAPE)
    project.source("PartnerIdpHandler", handler_class())
    declared = project.run("plan", "--replay", TAPE)

    assert "+ OauthTokenExchangeHandler/PartnerIdp " in named.out, named.said
    assert (
        "ApexClass/PartnerIdpHandler is not judged: the org has it, and the recording does not: record again"
        in named.out
    )
    assert (5, True) == (declared.code, "is in the org and not in the recording" in declared.err), declared.said


# -- fields that were scrubbed ----------------------------------------------------------------------------------------


def test_what_was_scrubbed_is_neither_changed_nor_drifted_nor_judged(drifted: Project) -> None:
    """A pseudonym that is taken for a value turns every address of an org into a false alarm."""
    drifted.run("plan", "--record", TAPE, "--scrub", "emails,certificates")

    plan = drifted.replay("plan", "--output", "json").json
    drift = drifted.replay("drift", "--output", "json").json
    check = drifted.replay("check", "--live", "--output", "json").json

    changed = {(one["address"], field["path"][0]) for one in plan["resource_changes"] for field in one["fields"]}
    assert {("ExtlClntAppGlobalOauthSettings/portal", "isSecretRequiredForRefreshToken")} == changed
    assert ["isSecretRequiredForRefreshToken"] == [path for one in drift["findings"] for path in one["path"]]
    assert [] == [one for one in check["findings"] if "scrubbed" in json.dumps(one)]
    for found in (plan, drift, check):
        (note,) = [note for note in found["notes"] if "not comparable" in note]
        assert f"{APP}.contactEmail" in note
        assert f"{HANDLER}/enablements/portal.apexExecutionUser" in note


def test_a_scrubbed_recording_holds_no_address(drifted: Project) -> None:
    """Usernames are people."""
    drifted.run("plan", "--record", TAPE, "--scrub", "emails")

    assert [] == [layer for layer in _layers(drifted.root / TAPE) if b"@acme" in layer or b"%40acme" in layer]


def test_two_recordings_with_one_key_agree(drifted: Project) -> None:
    """Whoever compares last week's with today's sees which address changed, and whose it is nobody can tell."""
    for name in ("one.json", "two.json"):
        options = ("--scrub", "emails", "--scrub-key", "TAPE_KEY")
        drifted.run("plan", "--record", name, *options, TAPE_KEY="a key for two")
    drifted.run("plan", "--record", "other.json", "--scrub", "emails")

    one, two, other = (
        _without_date((drifted.root / name).read_text(encoding="utf-8"))
        for name in ("one.json", "two.json", "other.json")
    )

    assert one == two
    assert one != other


def test_a_literal_that_was_scrubbed_hides_no_code(drifted: Project) -> None:
    """A handler with a hard-coded secret is the one whose other lines must be watched most closely."""
    first, other = (_with_a_secret(f"return {value};") for value in ("one", "two"))
    drifted.source("PartnerIdpHandler", first)
    drifted.run("apply", "--auto-approve", "--fail-on", "critical")
    drifted.run("plan", "--record", TAPE)

    same = drifted.replay("plan", "--output", "json").json
    drifted.source("PartnerIdpHandler", first.replace(CANARY, "anotherSecret0123456789"))
    rotated = drifted.replay("plan", "--output", "json").json
    drifted.source("PartnerIdpHandler", other)
    changed = drifted.replay("plan", "--output", "json").json

    assert CANARY not in (drifted.root / TAPE).read_text(encoding="utf-8")
    assert [[], [], [CODE]] == [
        [one["address"] for one in plan["resource_changes"] if one["type"] == "ApexClass"]
        for plan in (same, rotated, changed)
    ]
    assert [True, True, True] == [
        any(f"not comparable, scrubbed from the recording: {CODE}.content" in note for note in plan["notes"])
        for plan in (same, rotated, changed)
    ]


def _with_a_secret(body: str) -> str:
    inside = f"    String clientSecret = '{CANARY}';\n    String other() {{ {body} }}\n"
    return handler_class().replace("{\n", "{\n" + inside, 1)


def test_ages_of_secrets_are_told_if_they_were_recorded(drifted: Project) -> None:
    """What was not asked must not look as if the org had nothing to say."""
    drifted.org.set("ExtlClntAppGlobalOauthSettings/portal", {"isClientCredentialsFlowEnabled": "true"}, as_user=DANA)
    with behind(_planting):
        live = drifted.run("check", "--live", "--secret-ages", "--record", TAPE)
    again = drifted.replay("check", "--live", "--secret-ages")
    drifted.run("check", "--live", "--record", TAPE)
    without = drifted.replay("check", "--live", "--secret-ages")

    assert live.code == again.code
    assert "without --secret-ages" not in again.out
    assert "the recording was made without --secret-ages" in without.out


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_no_canary_is_found_in_a_recording(drifted: Project) -> None:
    """The file is handed to strangers: one secret in it, however deep, is everybody's."""
    with behind(_planting):
        recorded = drifted.run("check", "--live", "--secret-ages", "--record", TAPE)

    assert (drifted.root / TAPE).is_file(), recorded.said
    found = [layer for layer in _layers(drifted.root / TAPE) if CANARY.encode() in layer]
    assert [] == found
    assert 0 == drifted.run("cassette", TAPE).code
    token = drifted.org.access_token().encode()
    assert [] == [layer for layer in _layers(drifted.root / TAPE) if token in layer]


def test_the_canaries_are_there_to_be_found(drifted: Project) -> None:
    """A search that finds nothing anywhere proves nothing."""
    heard: list[bytes] = []

    def listening(application: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            heard.append(b"".join(application(environ, start_response)))
            return [heard[-1]]

        return answer

    with behind(lambda application: listening(_planting(application))):
        drifted.run("check", "--live", "--secret-ages", "--record", TAPE)

    layers = [layer for body in heard for layer in everything_in(body)]
    assert 30 < sum(CANARY.encode() in layer for layer in layers)


def test_a_secret_of_the_run_in_what_the_org_says_stops_the_recording(drifted: Project) -> None:
    """Somebody has written the client secret into a description: no pattern knows it, and it must not be published."""
    drifted.org.set(APP, {"description": "our secret is hunter-two"}, as_user=DANA)

    found = drifted.run("plan", "--record", TAPE, "--scrub", "emails", "--scrub-key", "KEY", KEY="hunter-two")

    assert (1, True) == (found.code, "the recording would hold the key of the pseudonyms" in found.err)
    assert "hunter-two" not in found.said.replace("our secret is hunter-two", "")
    assert not (drifted.root / TAPE).exists()


def test_a_recording_is_for_its_owner_alone_and_is_to_be_looked_at(drifted: Project) -> None:
    """On a shared machine everybody could read it before anybody has looked through it."""
    found = drifted.run("plan", "--record", TAPE)

    assert 0o600 == (drifted.root / TAPE).stat().st_mode & 0o777
    assert f"reconciler cassette {TAPE}" in found.err
    assert [] == [file.name for file in drifted.root.iterdir() if file.name.startswith(".org")]


def test_files_that_are_wrong_do_not_stop_a_recording(project: Project) -> None:
    """What is read does not depend on the files, so neither does whether it is kept."""
    project.declare(portal(), enablement("portal", "Nowhere"))

    found = project.run("plan", "--record", TAPE)

    assert (3, True) == (found.code, (project.root / TAPE).is_file())


def test_an_org_that_could_not_be_read_is_not_recorded(drifted: Project) -> None:
    """Half an org in a file looks like an org in which half is gone."""

    def refusing(application: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if "Soap" in environ["PATH_INFO"]:
                start_response("500 Error", [("Content-Type", "text/xml")])
                return [_FAULT]
            return application(environ, start_response)

        return answer

    with behind(refusing):
        found = drifted.run("plan", "--record", TAPE)

    assert (5, False) == (found.code, (drifted.root / TAPE).exists())
    assert "nothing was recorded" in found.err


@pytest.mark.parametrize("form", FORMATS)
def test_an_org_over_a_socket_is_recorded_like_any_other(drifted: Project, form: str) -> None:
    """The embedded org is one way to reach an org; nobody records that one."""
    with served(drifted.org) as url:
        token = {"secret": {"env": "SF_TOKEN"}}
        drifted.configure(mock=None, instance_url=url, login={"flow": "token", "access_token": token}, rules=ALL_RULES)
        live = drifted.run("drift", "--record", TAPE, "--output", form, SF_TOKEN=drifted.org.access_token())

    again = drifted.replay("drift", "--output", form)

    assert (2, _plain(live.out)) == (again.code, _plain(again.out)), live.said


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("serializer", ["json", "yaml"])
def test_vcrpy_can_play_it(drifted: Project, serializer: str) -> None:
    """Whoever tests a client of their own has a conversation with a real org to test it with."""
    drifted.run("plan", "--record", TAPE)
    content = _recording(drifted)["interactions"]

    player = vcr.VCR(record_mode="none", serializer=serializer, match_on=["method", "uri", "raw_body"])
    with player.use_cassette(str(drifted.root / TAPE), allow_playback_repeats=True) as tape:
        heard = [
            requests.request(
                one["request"]["method"], one["request"]["uri"], data=one["request"]["body"], timeout=5
            ).text
            for one in content
        ]

    assert tape.all_played
    assert [one["response"]["body"]["string"] for one in content] == heard


def test_cassette_tells_what_is_in_it(drifted: Project) -> None:
    """Somebody found the file in a bucket and wonders whether it may stay there."""
    drifted.run("plan", "--record", TAPE, "--scrub", "emails")

    text, content = drifted.run("cassette", TAPE), drifted.run("cassette", TAPE, "--output", "json").json

    assert 0 == text.code
    assert re.search(r"Cassette: \d+ calls, nothing looks like a secret\.", text.out)
    assert ("66.0", drifted.org.org_id, ["emails"]) == (content["api_version"], content["org_id"], content["scrub"])
    assert content["scrubbed"]["emails"] > 5
    assert {"operation", "calls", "bytes"} == content["calls"][0].keys()


@pytest.mark.parametrize(
    "planted",
    [
        "00D000000000001!AQ8AQOABCDEFGHIJKLMNOPQRST",
        "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl",
    ],
)
def test_cassette_finds_what_looks_like_a_secret(drifted: Project, planted: str) -> None:
    """One that was made by another tool, or edited, is looked through as if nothing had been scrubbed."""
    drifted.run("plan", "--record", TAPE)
    content = _recording(drifted)
    _into_the_zip(content, lambda data: data.replace(b"<label>portal<", f"<label>{planted}<".encode()))
    (drifted.root / TAPE).write_text(json.dumps(content), encoding="utf-8")

    found = drifted.run("cassette", TAPE)

    assert 2 == found.code
    assert "portal.eca" in found.out
    assert planted not in found.said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"interactions: []",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"interactions": [], "interactions": [], "recording": {}, "version": 1}',
        b'{"interactions": [{"request": {}}], "recording": {"format": 1}, "version": 1}',
        b'{"interactions": [], "recording": {"format": 99}, "version": 1}',
        b'&a ["x", *a]',
    ],
)
@pytest.mark.parametrize("command", ["plan --replay", "cassette"])
def test_what_is_no_recording_is_refused(project: Project, content: bytes, command: str) -> None:
    """The file may come from a pull request."""
    project.declare(portal())
    (project.root / TAPE).write_bytes(content)

    assert 3 == project.run(*command.split(), TAPE).code


# -- what the tests are made of ---------------------------------------------------------------------------------------

_FAULT = (
    b'<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b"<soapenv:Fault><faultcode>sf:INSUFFICIENT_ACCESS</faultcode><faultstring>INSUFFICIENT_ACCESS: no</faultstring>"
    b"</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


class Replaying(Project):
    def replay(self, *arguments: str) -> Result:
        """A command with a recording in the place of the org; what would reach the org fails."""
        with patch.object(requests.Session, "get_adapter", _only_the_tape):
            return self.run(*arguments, "--replay", TAPE)


_get_adapter = requests.Session.get_adapter


def _only_the_tape(session: requests.Session, url: str) -> Any:
    assert url.startswith("https://org.invalid/"), url
    return _get_adapter(session, url)


@pytest.fixture
def drifted(tmp_path: Path, fresh_org: Path) -> Iterator[Replaying]:
    """An org with an app, a handler and its enablement, in which somebody has weakened the app since."""
    made = Replaying(tmp_path, fresh_org)
    made.configure(rules=ALL_RULES)
    made.source("PartnerIdpHandler", handler_class())
    made.declare(*_files())
    found = made.run("apply", "--auto-approve", "--fail-on", "critical")
    assert found.code == 0, found.said
    made.org.set("ExtlClntAppGlobalOauthSettings/portal", {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    yield made
    made.org.close()


def _files(**fields: Any) -> list[Any]:
    return [
        portal(isTokenExchangeEnabled=True, isSecretRequiredForRefreshToken=True, **fields),
        handler(),
        enablement("portal", apexExecutionUser=INTEGRATION),
        oidc(isPkceRequired=True),
    ]


def _recording(project: Project) -> Any:
    return json.loads((project.root / TAPE).read_text(encoding="utf-8"))


def _without_date(text: str) -> str:
    return re.sub(r'"recorded_at": "[^"]*"', "", text)


def _words(text: str) -> str:
    return re.sub(r"[`*]", "", text)


def _plain(text: str) -> str:
    """An output without what may differ: when it was made, and that it is a replay."""
    if text.startswith("{"):
        return _plain_json(json.loads(text))
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z(?:`? ?\(\d+ \w+ ago\))?", "(date)", text)
    text = re.sub(r'<p class="replay">.*?</p>', "", text)
    lines = [line for line in text.splitlines() if "REPLAY of a recording" not in line]
    # What the heading leaves behind in Markdown and XML: an empty line.
    return "\n".join(line for line in lines if line.strip())


def _plain_json(content: Any) -> str:
    if "runs" in content:
        told = content["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        told[:] = [one for one in told if "REPLAY" not in json.dumps(one)]
    for key in ("timestamp", "plan_digest", "applyable"):
        content.pop(key, None)
    if content.get("org"):
        content["org"].pop("recorded")
    return json.dumps(content, indent=1, sort_keys=True)


def _layers(file: Path) -> Iterator[bytes]:
    """Everything that a reader of the file can find, by other code than ours."""
    yield file.read_bytes()
    todo: list[Any] = [json.loads(file.read_bytes())]
    while todo:
        match todo.pop():
            case dict() as held:
                todo += [*held.keys(), *held.values()]
            case list() as held:
                todo += held
            case str() as text:
                yield from everything_in(text.encode())


def _into_the_zip(content: Any, change: Callable[[bytes], bytes]) -> None:
    """Change each file of each zip of a recording."""
    for one in content["interactions"]:
        held = one["response"]["body"]
        held["string"] = _ZIP.sub(lambda found: f"{found[1]}{_repacked(found[2], change)}{found[3]}", held["string"])


_ZIP = re.compile(r"(<zipFile>)([^<]+)(</zipFile>)")


def _repacked(packed: str, change: Callable[[bytes], bytes]) -> str:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as source, zipfile.ZipFile(sink, "w") as target:
        for name in source.namelist():
            target.writestr(name, change(source.read(name)))
    return base64.b64encode(sink.getvalue()).decode()


def _planting(application: App) -> App:
    """An org that writes secrets wherever one can stand: headers, texts, elements, literals, credentials."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
            return start_response(status, [*kept, ("Set-Cookie", f"sid={CANARY}"), ("Authorization", CANARY)], *more)

        path = environ["PATH_INFO"]
        if "/apps/oauth/" in path:
            started("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(_credentials(path)).encode()]
        body = b"".join(application(environ, started)).decode()
        if body.startswith("{"):
            content = json.loads(body)
            for record in content.get("records", []):
                record |= {"sessionId": CANARY, "Note": _texts(), "nested": {"client_secret": {"value": CANARY}}}
            return [json.dumps({**content, "access_token": CANARY, "serverUrl": f"/?sid={CANARY}"}).encode()]
        planted = f"<sessionId>{CANARY}</sessionId><note>{_texts()}</note>"
        body = body.replace("<result>", f"<result>{planted}", 1)
        return [_ZIP.sub(lambda found: f"{found[1]}{_repacked(found[2], _into_file)}{found[3]}", body).encode()]

    return answer


def _texts() -> str:
    """A canary in each form that is known by its looks."""
    return (
        f"00D000000000001!{CANARY} eyJhbGciOiJub25lIn0.eyJ{CANARY}.{CANARY} force://id:{CANARY}:5Aep861{CANARY}"
        f" Bearer {CANARY} client_secret={CANARY} -----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"
    )


def _credentials(path: str) -> Any:
    if path.endswith("/usage"):
        return {"apps": [{"developerName": "portal", "identifier": "0xI1", "consumerSecret": CANARY}]}
    if path.endswith("/staged"):
        rotated = {"state": "rotated", "expirationDate": "2030-01-01T00:00:00Z", "secret": CANARY, "other": CANARY}
        return {"stagedCredentials": [rotated]}
    return {"consumers": [{"id": "888", "name": "portal", "key": "3MVG9abc", "secret": CANARY, "unheardOf": CANARY}]}


def _into_file(data: bytes) -> bytes:
    text = data.decode()
    if "<" not in text:
        return f"{text}\n// {_texts()}\nclass C {{ String clientSecret = '{CANARY}'; }}".encode()
    inside = (
        f"<consumerSecret>{CANARY}</consumerSecret><newSecret><value>{CANARY}</value></newSecret>"
        f"<password><![CDATA[{CANARY}]]></password><!-- {CANARY} --><clientSecret a='{CANARY}'>x</clientSecret>"
        f"<description>{_texts()}</description><sessionId>{''.join(f'&#{ord(char)};' for char in CANARY)}</sessionId>"
    )
    return re.sub(r"(</\w+>\s*)\Z", lambda found: inside + found[1], text).encode()
