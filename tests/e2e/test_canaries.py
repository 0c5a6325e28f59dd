"""Canary secrets, planted in every place where a secret can stand, come out nowhere.

`PLACES` names the places, `OUTLETS` where one could come out. Each scene plants canaries made at run time, proves that they
travelled (found by the same search in what was sent and came back), and looks for them in all that the commands said
and left behind.
"""

import base64
import gzip
import io
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

import pytest
import requests

from providers.mock import open_org, serving
from providers.salesforce.files import archive, package
from providers.salesforce.login import endpoint, ways
from providers.salesforce.recordings import recorder, scrubbing
from providers.salesforce.wire import rest, session, soap
from providers.salesforce.wire.polling import Patience
from reconciler.baseline import store
from reconciler.engine import apply
from reconciler.model.formats import FORMATS
from reconciler.project.login_section import FLOWS
from tests.e2e.acme import Acme, acme, signer
from tests.e2e.build import DANA, app, enablement, handler, portal
from tests.e2e.canaries import FORMS, Aviary, Watch, canary, crashing, unforeseen, watching
from tests.e2e.project import Project, Result
from tests.e2e.served import behind
from tests.e2e.test_logins import OURS, refresh_token
from tests.e2e.test_secret_ages import rotate

PLACES = {
    "files: env": "a reference of the desired files to an environment variable",
    "files: file": "… to a file of the project",
    "files: command": "… to what a program says",
    "files: connected app": "the consumer secret of a connected app that is created",
    "files: literal": "a secret that somebody wrote into a file all the same",
    "files: Apex": "a secret written into a class that is declared",
    "login: access token": "flow token",
    "login: client secret": "flow client_credentials",
    "login: SFDX client secret": "flow sfdx_url",
    "login: SFDX refresh token": "flow sfdx_url",
    "login: private key": "flow jwt",
    "login: password": "flow password",
    "login: security token": "flow password",
    "login: sf": "flow sf: what the Salesforce CLI hands out",
    "org: access token": "what the token endpoint gives, once and again after a session has died",
    "org: refresh token": "what a rotation gives in the place of the one that we had",
    "org: id token": "what the token endpoint gives besides",
    "org: session id": "what SOAP's login gives",
    "org: cookie": "what the org sets",
    "org: consumer secret": "what an org gives back that is told to",
    "org: rotated secret": "what the REST resource of consumer credentials tells",
    "org: staged secret": "… of a rotation that is under way",
    "org: Apex": "a secret in a class that somebody else wrote",
    "org: text": "a token of ours that the org writes into a description",
    "verify: client secret": "section verify",
    "verify: subject token": "section verify, the sort jwt",
    "verify: other subject tokens": "section verify, the other four sorts, and those that must be refused",
    "verify: private key": "section verify",
    "verify: assertion": "what we sign",
    "verify: token": "what the org gives to a verify",
    "options: scrub key": "the key of --scrub-key",
    "options: scrub key itself": "… given where its variable's name belongs",
    "environment": "a variable that nobody refers to",
}
OUTLETS = (
    "stdout, stderr and progress of each command, in each format of --output",
    "saved plans, baselines, the journal at each of its writings, lock and owner files, recordings, all files of the project",
    "errors of an org or a proxy that repeats what it was sent, whole, in part or in another form",
    "tracebacks with RECONCILER_DEBUG=1, and the line without it, of crashes on the way of each secret",
    "warnings and log lines of libraries, with Python's own switches on",
    "argv and environ of reconciler's children, argv of reconciler; temporary files while it runs; their modes",
    "what `mock serve` says and runs as; the modes of the org's files",
)
COVERED: dict[str, set[str]] = {}
"""Scene -> places; `covers` fills it."""


def covers(*places: str) -> Any:
    """Which places a scene is about."""

    def note(scene: Any) -> Any:
        COVERED[scene.__name__] = set(places)
        return scene

    return note


def places_of(scene: str) -> set[str]:
    return COVERED[scene]


TAPE = "org.tape"


@pytest.fixture
def watch(project: Project) -> Iterator[Watch]:
    with watching(project) as found:
        found.environment["NOBODY_ASKED"] = found.plant("environment")
        yield found


def everywhere(watch: Watch) -> None:
    """All that shows what is there, in each format."""
    for command in ("plan --out saved.json", "drift", "check", "check --live --secret-ages"):
        name = command.replace(" ", "")
        files = [part for form in FORMATS for part in ("--output", f"{form}={len(watch.outlets)}-{name}.{form}")]
        watch.run(*command.split(), "--allow-commands", "--output", "text", *files)
    for command in ("baseline list", "doctor --output json"):
        watch.run(*command.split())
    if (watch.project.root / ".reconciler" / "baselines").exists():
        for form in ("text", "json"):
            assert 0 == watch.run("baseline", "show", *watch.project.baseline, "--output", form).code


# -- the files --------------------------------------------------------------------------------------------------------

GLOBAL = {"callbackUrl": ["https://portal.acme.example/callback"]}


@covers("files: env", "files: file", "files: command", "files: connected app", "environment")
def test_what_files_refer_to(watch: Watch) -> None:
    """A baseline goes into version control, a plan into a comment, a log to everybody."""
    project = watch.project
    project.org.switch("allow_connected_app_creation", True)
    project.org.switch("consumer_secret_api_access", True)
    project.org.set(
        "ExternalClientAppSettings/ExternalClientApp", {"enableConsumerSecretApiAccess": "true"}, as_user=DANA
    )
    config = {"callbackUrl": ["https://acme.example/cb"], "scopes": ["Api"], "consumerKey": "3MVG9fromOurFiles"}
    project.declare(
        portal("one", consumerSecret=watch.env("files: env")),
        portal("two", consumerSecret=watch.file("files: file")),
        portal("three", consumerSecret=watch.command("files: command")),
        {
            "kind": "ConnectedApp",
            "name": "four",
            "label": "four",
            "contactEmail": "iam@acme.example",
            "oauthConfig": {**config, "consumerSecret": watch.env("files: connected app")},
        },
    )
    everywhere(watch)
    done = watch.run("apply", "--auto-approve", "--allow-commands", "--output", "json")
    everywhere(watch)

    assert 0 == done.code, done.said
    assert places_of("test_what_files_refer_to") - {"environment"} == watch.travelled()
    assert {} == watch.leaks()


@covers("files: literal", "files: Apex", "options: scrub key itself")
def test_what_somebody_wrote_where_it_does_not_belong(watch: Watch) -> None:
    """The error that tells them so must not repeat it: their pipeline's log is read by more people than the file."""
    project, secret = watch.project, watch.plant("files: literal")
    watch.inputs |= {"desired/identity.yaml", "reconciler.yaml", "desired/PartnerIdpHandler.cls"}
    wrong = (
        portal(consumerSecret=secret),
        portal(consumerSecret={"secret": secret}),
        portal(consumerSecret={"secret": {"value": secret}}),
        portal(consumerSecrets=secret),
        app(consumerSecret=secret),
        f"kind: ExternalClientApplication\nname: portal\nconsumerSecret: {secret}\n  broken: [\n",
    )
    codes = set()
    for document in wrong:
        project.declare(document)
        codes |= {watch.run("check", "--output", form).code for form in ("text", "json", "sarif")}
    project.declare(portal())
    url = "https://acme.my.salesforce.com"
    for keys in (
        {"login": {"flow": "token", "access_token": secret}},
        {"login": {"flow": "password", "username": "a", "password": secret, "securityToken": secret}},
        {"login": {"flow": "jwt", "client_id": "a", "username": "b", "privateKey": secret}},
        {"instance_url": f"https://ci:{secret}@acme.my.salesforce.com"},
        {"instance_url": f"force://PlatformCLI::{secret}@acme.my.salesforce.com"},
        {"instance_url": f"{url}/secur/frontdoor.jsp?sid={secret}"},
    ):
        login = {"flow": "token", "access_token": {"secret": {"env": "NOBODY_ASKED"}}}
        project.configure(mock=None, **{"instance_url": url, "login": login, **keys})
        codes |= {watch.run("plan", "--output", form).code for form in ("text", "json")}
    project.configure(verify={"portal": {"client_secret": secret}})
    codes.add(watch.run("verify").code)
    project.configure()
    codes.add(watch.run("plan", "--record", TAPE, "--scrub", "emails", "--scrub-key", canaried(watch)).code)
    project.declare(portal(), handler(), enablement("portal"))
    project.source("PartnerIdpHandler", SOURCE.format(watch.plant("files: Apex")))
    assert 0 == watch.run("apply", "--auto-approve").code
    project.source("PartnerIdpHandler", SOURCE.format(watch.plant("files: Apex")))
    everywhere(watch)

    assert codes <= {3, 4}
    assert {} == watch.leaks()


def canaried(watch: Watch) -> str:
    return watch.plant("options: scrub key itself")


META = b"""<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata"><apiVersion>63.0</apiVersion><status>Active</status>
</ApexClass>"""
SOURCE = """public class PartnerIdpHandler extends Auth.Oauth2TokenExchangeHandler {{
    private static final String clientSecret = '{}';
}}
"""


# -- the org ----------------------------------------------------------------------------------------------------------


@covers(
    "org: consumer secret",
    "org: rotated secret",
    "org: staged secret",
    "org: Apex",
    "org: cookie",
    "options: scrub key",
)
def test_what_an_org_gives(watch: Watch) -> None:
    """An org gives more than anybody asked for; a recording of it goes to people who may not read the org."""
    project, org = watch.project, watch.project.org
    org.switch("consumer_secret_api_access", True)
    settings = {"enableConsumerSecretApiAccess": "true", "enableClientSecretInRestApiAccess": "true"}
    org.set("ExternalClientAppSettings/ExternalClientApp", settings, as_user=DANA)
    project.declare(portal(), handler(), enablement("portal"))
    project.source("PartnerIdpHandler", SOURCE.format("changeme"))
    assert 0 == watch.run("apply", "--auto-approve").code
    staged, rotated = rotate(project)
    watch.plant("org: staged secret", staged)
    watch.plant("org: rotated secret", rotated)
    for name, secret in ((n, org.consumer(n)[1]) for n in ("portal", "Marketing_Dashboard", "Legacy_ERP")):
        if secret not in (staged, rotated):
            watch.plant(f"org: consumer secret{'' if name == 'portal' else f' of {name}'}", secret)
    org.load_component("ApexClass", "PartnerIdpHandler", META, content=SOURCE.format(watch.plant("org: Apex")).encode())
    cookie = watch.plant("org: cookie")
    watch.environment["SCRUB"] = watch.plant("options: scrub key")

    def setting(application: Any) -> Any:
        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                return start_response(status, [*headers, ("Set-Cookie", f"sid={cookie}; Secure")], *more)

            return application(environ, start)

        return answer

    with behind(setting):
        everywhere(watch)
        made = watch.run("drift", "--record", TAPE, "--scrub", "emails", "--scrub-key", "SCRUB")
        watch.run("check", "--live", "--secret-ages", "--record", "ages.tape")
    for form in ("text", "json"):
        watch.run("cassette", TAPE, "--output", form)
        watch.run("drift", "--replay", TAPE, "--output", form)
        watch.run("plan", "--replay", "ages.tape", "--output", form)
    assert 0 == watch.run("baseline", "accept", "ApexClass/PartnerIdpHandler").code
    everywhere(watch)

    assert (project.root / TAPE).exists(), made.said
    travelled = watch.travelled()
    assert {"org: Apex", "org: cookie"} <= travelled
    # Which of the three an app has now depends on which app was rotated.
    assert len(travelled & {"org: consumer secret", "org: staged secret", "org: rotated secret"}) >= 1
    assert {} == watch.leaks()


@covers("org: text")
def test_what_an_org_writes_into_a_text(watch: Watch) -> None:
    """An integration that keeps a session id in a description makes every recording of the org a login."""
    token = watch.plant("org: text", watch.project.org.access_token())
    project = watch.project
    project.declare(app("Marketing_Dashboard", description="ours"))
    project.org.set(
        "ExternalClientApplication/Marketing_Dashboard", {"description": f"see {token[35:65]}"}, as_user=DANA
    )
    made = watch.run("drift", "--against", "desired", "--record", TAPE)
    everywhere(watch)

    assert (1, False) == (made.code, (project.root / TAPE).exists())
    assert {"org: text"} <= watch.travelled()
    assert {} == watch.leaks()


# -- logging in -------------------------------------------------------------------------------------------------------

KEY = "3MVG9someConsumerKey"


class Door:
    """A project that logs in over HTTP to an org that has an app for it; `use` chooses the way."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.org, self.url = watch, watch.project.org, ""
        self.key, certificate = signer()
        self.secret = canary()
        xml = OURS.format(certificate=certificate, key=KEY, user=DANA)
        self.org.load_component("ConnectedApp", "ci", xml.encode())
        with sqlite3.connect(watch.project.database) as db:
            db.execute("UPDATE component SET secret = ? WHERE kind = 'ConnectedApp' AND name = 'ci'", (self.secret,))
        db.close()

    def use(self, way: str) -> None:
        watch, url = self.watch, self.url
        login: dict[str, Any] = {"flow": way}
        if way == "token":
            login["access_token"] = watch.env("login: access token", self.org.access_token(DANA))
        elif way == "client_credentials":
            login |= {"client_id": KEY, "client_secret": watch.env("login: client secret", self.secret)}
        elif way == "jwt":
            login |= {"client_id": KEY, "username": DANA, "private_key": watch.file("login: private key", self.key)}
        elif way == "password":
            watch.plant("login: password", self.org.password(DANA))
            login |= {"username": DANA, "password": watch.env("login: password", self.org.password(DANA))}
            login["security_token"] = watch.env("login: security token", self.org.security_token(DANA))
        elif way == "sfdx_url":
            watch.plant("login: SFDX client secret", self.secret)
            token = watch.plant("login: SFDX refresh token", refresh_token(self))  # type: ignore[arg-type]
            host = url.partition("://")[2]
            watch.environment["URL"] = f"force://{KEY}:{self.secret}:{token}@{host}"
            login["auth_url"] = {"secret": {"env": "URL"}}
        else:
            login |= {"alias": "prod"}
            token = watch.plant("login: sf", self.org.access_token(DANA))
            told = {"instanceUrl": url, "accessToken": token, "username": DANA}
            watch.environment["RECONCILER_SF"] = str(
                program(watch, f"echo '{json.dumps({'status': 0, 'result': told})}'")
            )
        watch.project.configure(mock=None, instance_url=url, login=login, api_version="66.0")

    @property
    def project(self) -> Project:
        return self.watch.project


def program(watch: Watch, script: str) -> Path:
    """A program beside the project."""
    file = watch.project.root.parent / f"program-{len(watch.inputs)}"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return file


WAYS = ("token", "client_credentials", "jwt", "password", "sfdx_url", "sf")
GIVEN = {
    "token": {"login: access token"},
    "client_credentials": {"login: client secret", "org: access token"},
    "jwt": {"org: access token", "verify: assertion"},
    "password": {"login: password", "login: security token", "org: session id"},
    "sfdx_url": {"login: SFDX client secret", "login: SFDX refresh token", "org: access token", "org: refresh token"},
    "sf": {"login: sf"},
}
TOKENS = {
    "org: access token": rb'"access_token": ?"([^"]+)"',
    "org: refresh token": rb'"refresh_token": ?"([^"]+)"',
    "org: id token": rb'"id_token": ?"([^"]+)"',
    "org: session id": rb"<sessionId>([^<(]+)<",
    "verify: assertion": rb"assertion=(eyJ[\w-]+\.[\w-]+\.[\w-]{300,})",
}
"""What only the conversation tells, found in it afterwards."""


def test_every_way_to_log_in_is_watched() -> None:
    """Whoever adds a login whose secrets no test looks for."""
    assert set(FLOWS) == set(WAYS) == GIVEN.keys(), "add its secrets to PLACES, and the login to WAYS, GIVEN and Door"


@covers(*{place for places in GIVEN.values() for place in places}, "login: private key")
@pytest.mark.parametrize("way", WAYS)
def test_what_a_login_is_given_and_gets(watch: Watch, way: str) -> None:
    """A log of a pipeline that shows a token is a login for whoever reads it."""
    door = Door(watch)
    if way == "sfdx_url":
        door.org.set("ConnectedApp/ci", {"oauthConfig.isRefreshTokenRotationEnabled": "true"}, as_user=DANA)
    watch.project.declare(portal(consumerSecret=watch.env("files: env")))
    with serving(door.org) as served:
        door.url = served.url
        door.use(way)
        done = [watch.run("apply", "--auto-approve", "--output", "json")]
        if way != "sfdx_url":
            done += [watch.run("doctor"), watch.run("drift", "--record", TAPE)]
    for place, pattern in TOKENS.items():
        for number, token in enumerate(watch.heard(pattern)):
            watch.plant(place if not number else f"{place}, {number}", token)

    assert {0} == {one.code for one in done}, done[-1].said
    assert GIVEN[way] <= watch.travelled()
    assert {} == watch.leaks()


class Parrot(BaseHTTPRequestHandler):
    """Refuses everything, and repeats what it was sent and what it knows, in a form that somebody chose."""

    said: Any = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        told = f"{self.headers.get('Authorization')} {body} {unquote_plus(body)}"
        self.server.heard.append(told.encode())  # type: ignore[attr-defined]
        status, kind, answer = self.server.answer(told, self.path)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(answer.encode())

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        return


SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def fault(text: str) -> str:
    inside = f"<faultcode>sf:INVALID_LOGIN</faultcode><faultstring>{escape(text)}</faultstring>"
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Body><e:Fault>{inside}</e:Fault></e:Body></e:Envelope>'


SHAPES = {
    "error of OAuth": lambda text: (400, "application/json", json.dumps({"error": "x", "error_description": text})),
    "error of REST": lambda text: (400, "application/json", json.dumps([{"errorCode": "NO", "message": text}])),
    "fault": lambda text: (500, "text/xml", fault(text)),
    "page": lambda text: (403, "text/html", f"<html>{text}"),
    "garbage": lambda text: (400, "text/plain", text),
}


@contextmanager
def repeating(shape: str, aviary: Aviary) -> Iterator[tuple[str, list[bytes]]]:
    """Somebody at a URL who repeats what he hears, and each canary that he has heard, in all forms."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    turn, known = iter(range(1_000_000)), set()

    def answer(told: str, path: str) -> tuple[int, str, str]:
        # A page is cut off: each time another form comes first.
        forms = list(FORMS.values())
        at = next(turn) % len(forms)
        known.update(aviary.values[place] for place in aviary.found(told.encode()))
        texts = [form(value) for form in (*forms[at:], *forms[:at]) for value in known]
        if "/Soap/" in path and shape.startswith("error"):
            return SHAPES["fault"](" ".join([*texts, told]))
        return SHAPES[shape](" ".join([*texts, told]))

    server.answer, server.heard = answer, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.heard  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("shape", SHAPES)
def test_what_an_org_repeats(watch: Watch, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    """A proxy that puts our request into its error page, in capitals or in base64, or only its first twenty characters."""
    monkeypatch.setattr(Patience, "pause", lambda *_: None)
    door = Door(watch)
    watch.project.declare(portal())
    for way in WAYS:
        with repeating(shape, watch.aviary) as (door.url, heard):
            door.use(way)
            assert watch.run("plan", "--output", "text", "--output", "json=told.json").code in (1, 4, 5), way
        watch.wire += heard

    sent = {place for places in GIVEN.values() for place in places if place.startswith("login")}
    assert sent <= watch.travelled()
    assert any(b"[secret]" in said for said in watch.outlets.values()) or shape == "garbage"
    assert {} == watch.leaks()


# -- crashes ----------------------------------------------------------------------------------------------------------

APPLY, RECORD = "apply --auto-approve", "drift --against desired --record x.tape"
CRASHES = (
    (session.OrgSession, "send", APPLY),
    (rest, "carrier", APPLY),
    (endpoint, "token_of", APPLY),
    (endpoint.Door, "ask", APPLY),
    (ways, "org_at", APPLY),
    (soap, "envelope", APPLY),
    (soap, "read_answer", APPLY),
    (package, "encode", APPLY),
    (rest.Rest, "query", APPLY),
    (apply, "sha256", APPLY),
    (store, "_dump", APPLY),
    (recorder, "request_of", RECORD),
    (scrubbing.Scrubber, "text", RECORD),
)
"""Functions on the way of secrets, which are given them or hold them, and who gets there."""


@pytest.mark.parametrize("debug", [True, False], ids=["with RECONCILER_DEBUG", "without"])
def test_what_a_crash_tells(watch: Watch, debug: bool) -> None:
    """Somebody pastes a traceback into a public issue."""
    door, died = Door(watch), set()
    watch.project.declare(portal(consumerSecret=watch.file("files: file")))
    with serving(door.org) as served:
        door.url = served.url
        for number, (where, name, command) in enumerate(CRASHES):
            door.use(("client_credentials", "jwt", "sfdx_url")[number % 3])
            with crashing(where, name) as calls:
                told = unforeseen(watch, *command.split(), debug=debug)
            if calls and "CrashError" in told:
                died.add(name)

    for place, pattern in TOKENS.items():
        for number, token in enumerate(watch.heard(pattern)):
            watch.plant(f"{place} {number}", token)
    assert {name for _, name, _ in CRASHES} == died
    assert {} == watch.leaks()


# -- verify -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Acme]:
    with acme(tmp_path_factory.mktemp("verify") / "acme", fresh_org) as found:
        yield found


@covers("verify: client secret", "verify: subject token", "verify: other subject tokens", "verify: private key",
        "verify: assertion", "verify: token", "org: id token")  # fmt: skip
@pytest.mark.parametrize("repeated", [False, True], ids=["as it is", "repeating"])
def test_what_a_verify_is_given_and_gets(example: Acme, repeated: bool) -> None:
    """Its tokens are of real people and live on; its report goes to a dashboard."""
    places = {"SUBJECT_TOKEN": "verify: subject token", "ERP_KEY": "verify: private key"}
    with watching(example) as watch:
        for number, (name, value) in enumerate(example.secrets.items()):
            secret = "verify: client secret" if name.startswith("SECRET") else "verify: other subject tokens"
            watch.plant(places.get(name, f"{secret} {number}"), value)
            watch.environment[name] = value
        files = [part for form in FORMATS for part in ("--output", f"{form}=verify.{form}")]
        with behind(_repeating) if repeated else nullcontext():
            done = watch.run("verify", "--wait", "0", "--output", "text", *files)
        travelled = {place.rpartition(" ")[0] if place[-1].isdigit() else place for place in watch.travelled()}
        for place, pattern in {**TOKENS, "verify: token": TOKENS["org: access token"]}.items():
            for number, token in enumerate(watch.heard(pattern)):
                watch.plant(f"{place} {number}", token)

    assert done.code in (0, 7), done.said
    assert {"verify: client secret", "verify: subject token", "verify: other subject tokens"} <= travelled
    assert any(place.startswith("verify: assertion") for place in watch.aviary.values)
    assert {} == watch.leaks()


def _repeating(application: Any) -> Any:
    """An org whose token endpoint repeats in a refusal what it was asked."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ["PATH_INFO"].endswith("/oauth2/token"):
            return application(environ, start_response)
        asked = environ["wsgi.input"].read()
        status: list[Any] = []
        brought = {**environ, "wsgi.input": io.BytesIO(asked), "CONTENT_LENGTH": str(len(asked))}
        said = b"".join(application(brought, lambda *given: status.append(given)))
        found = json.loads(said)
        if "error_description" in found:
            text = unquote_plus(asked.decode())
            found["error_description"] += " " + " ".join([text, text.upper(), text[:300]])
            said = json.dumps(found).encode()
        heads = [(name, value) for name, value in status[0][1] if name.lower() != "content-length"]
        start_response(status[0][0], [*heads, ("Content-Length", str(len(said)))])
        return [said]

    return answer


# -- processes --------------------------------------------------------------------------------------------------------

HOOK = """
import logging, threading, warnings
from providers.salesforce.wire import soap
real = soap.envelope
def told(operation, parameters, session_id):
    warnings.warn(f"a warning about {session_id}", stacklevel=1)
    logging.getLogger("a.library").warning("a line about %s", session_id)
    thread = threading.Thread(target=lambda: int(session_id))
    thread.start(), thread.join()
    return real(operation, parameters, session_id)
soap.envelope = told
from reconciler.cli import main
main()
"""
"""Python's switches, libraries that log, a thread that dies: what writes to standard error besides us."""


@covers("login: client secret", "files: env", "files: file", "files: command", "environment")
def test_what_a_process_shows_to_others(watch: Watch, tmp_path: Path) -> None:
    """On a shared machine everybody may read the arguments of each process, and what lies open in a folder."""
    door, project = Door(watch), watch.project
    door.org.switch("deploy_polls", 3)
    kept = tmp_path / "kept"
    kept.mkdir()
    watch.inputs |= {"kept/argv", "kept/environ"}
    # The program that tells a secret keeps what others could see while it runs.
    script = f'tr "\\0" "\\n" </proc/$$/environ >>{kept}/environ; ps -eo args >>{kept}/argv; cat "$1"'
    told = watch.command("files: command")
    told["secret"]["command"][0] = str(program(watch, script))
    project.declare(
        portal("one", consumerSecret=watch.env("files: env")),
        portal("two", consumerSecret=watch.file("files: file")),
        portal("three", consumerSecret=told),
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    switches = {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "always", "PYTHONFAULTHANDLER": "1", "PYTHONASYNCIODEBUG": "1"}
    with serving(door.org) as served:
        door.url = served.url
        door.use("client_credentials")
        process = subprocess.Popen(
            [sys.executable, "-c", HOOK, "apply", "--auto-approve", "--allow-commands"],
            cwd=project.root,
            env={**os.environ, **watch.environment, **switches, "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        loose: set[str] = set()
        while process.poll() is None:
            for path in (*temporary.rglob("*"), *(project.root / ".reconciler").rglob("*")):
                with suppress(OSError):
                    if path.is_file() and "orgs" not in path.parts:
                        watch.outlets[f"while it runs: {path.name}"] = path.read_bytes()
                        if path.suffix in (".json", ".journal") and stat.S_IMODE(path.stat().st_mode) & 0o077:
                            loose.add(path.name)
            with suppress(OSError):
                watch.outlets[f"argv {len(watch.outlets)}"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            time.sleep(0.02)
        said = Result(process.returncode, *process.communicate())
    watch.keep("apply", said)
    watch.outlets["argv of all, while a program ran"] = (kept / "argv").read_bytes()
    given = Aviary()
    for place in ("files: file", "files: command"):
        given.plant(place, watch.aviary.values[place])
    for number, token in enumerate(re.findall(r"00D\w+!\S+", door.org.access_token(DANA))):
        given.plant(f"token {number}", token)

    assert (0, True) == (said.code, "a warning about" in said.err), said.err
    assert "a line about [secret]" in said.err
    assert "Exception in thread" in said.err
    assert set() == given.found((kept / "environ").read_bytes())
    assert set() == loose
    assert {} == watch.leaks()


def test_what_a_served_org_shows_to_others(watch: Watch) -> None:
    """The file of a mock org holds the keys of its identity provider, and secrets that people try things with."""
    project = watch.project
    project.configure(mock=".reconciler/orgs/own.db")
    project.database = project.root / ".reconciler" / "orgs" / "own.db"
    org = open_org(project.database)
    watch.plant("org: consumer secret", org.consumer("Legacy_ERP")[1])
    watch.plant("login: password", org.password(DANA))
    watch.plant("login: security token", org.security_token(DANA))
    org.set_rule("PartnerIdpHandler", issuer="https://idp.example/", audience="https://acme.example")
    subject = watch.plant("verify: subject token", org.subject_token("dana.reyes"))
    for number, (pem,) in enumerate(_rows(project, "SELECT pem FROM key_pair")):
        watch.plant(f"key of the identity provider {number}", pem)
    command = [str(Path(sys.executable).with_name("reconciler")), "mock", "serve", "--output", "json"]
    with subprocess.Popen(
        command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first, process.communicate()
            url = json.loads(first)["url"]
            form = {"grant_type": "password", "username": DANA, "password": org.password(DANA), "client_id": "x"}
            requests.post(f"{url}/services/oauth2/token", data=form, timeout=10)
            requests.get(f"{url}/services/oauth2/authorize", params={"code": subject}, timeout=10)
            watch.outlets["argv"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in project.database.parent.glob("own*")}
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    watch.keep("mock serve", Result(0, first + out, err))
    for arguments in ("mock users", "mock audit", "mock rules"):
        watch.run(*arguments.split())

    assert {"own.db": 0o600, "own.db-wal": 0o600, "own.db-shm": 0o600} == modes
    assert {} == watch.leaks()


def _rows(project: Project, query: str) -> list[Any]:
    with sqlite3.connect(project.database) as db:
        found = db.execute(query).fetchall()
    db.close()
    return found


# -- the search itself ------------------------------------------------------------------------------------------------


def test_every_place_is_covered() -> None:
    """A place that nobody plants a canary in is a place that leaks."""
    assert PLACES.keys() == {place for places in COVERED.values() for place in places}


@pytest.mark.parametrize("form", FORMS)
def test_the_search_finds_a_canary_in_every_form(form: str) -> None:
    """A search that finds nothing proves nothing."""
    aviary = Aviary()
    secret = aviary.plant("here")
    assert {"here"} == aviary.found(f"<p>{FORMS[form](secret)}</p>".encode())


def test_the_search_looks_into_zips_and_base64() -> None:
    """That is where recordings and requests keep what they have."""
    aviary = Aviary()
    data = archive.write_zip({"a/b.xml": f"<a>{aviary.plant('here')}</a>".encode()})
    packed = json.dumps({"zip": base64.b64encode(gzip.compress(data)).decode()})

    assert {"here"} == aviary.found(packed.encode())
    assert set() == aviary.found(json.dumps({"zip": canary()}).encode())
