"""Every way to log in, over HTTP, against an org whose token endpoint really runs the flows."""

import base64
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from providers.mock import serving
from providers.salesforce.wire.session import OrgSession
from tests.e2e.build import DANA, portal
from tests.e2e.project import Project, Result
from tests.e2e.served import served

KEY, SECRET = "3MVG9canaryConsumerKey", "canaryConsumerSecret42"
OURS = """<?xml version="1.0" encoding="UTF-8"?>
<ConnectedApp xmlns="http://soap.sforce.com/2006/04/metadata">
  <contactEmail>iam@acme.example</contactEmail><label>ci</label>
  <oauthConfig>
    <callbackUrl>https://acme.example/cb</callbackUrl><certificate>{certificate}</certificate>
    <consumerKey>{key}</consumerKey><isAdminApproved>true</isAdminApproved>
    <isClientCredentialEnabled>true</isClientCredentialEnabled><isConsumerSecretOptional>false</isConsumerSecretOptional>
    <oauthClientCredentialUser>{user}</oauthClientCredentialUser><scopes>Api</scopes><scopes>RefreshToken</scopes>
  </oauthConfig>
  <profileName>System Administrator</profileName>
</ConnectedApp>"""


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A private key and its certificate, as openssl writes them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ci")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return pem.decode(), made.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Remote:
    """A project whose org is reached over HTTP, with an app in it to log in with."""

    project: Project
    url: str
    key: str
    folder: Path

    def use(self, flow: str, instance_url: str | None = "", **keys: Any) -> None:
        """Write the project file; `None` leaves out instance_url."""
        where = {} if instance_url is None else {"instance_url": instance_url or self.url}
        self.project.configure(mock=None, **where, login={"flow": flow, **keys})

    def run(self, *arguments: str, **environment: str) -> Result:
        found = self.project.run(*arguments, KEY=self.key, SECRET=SECRET, **environment)
        assert not any(canary in found.said for canary in (SECRET, self.key[40:80], "!AQ")), found.said
        return found

    def jwt(self, **keys: Any) -> None:
        self.use("jwt", client_id=KEY, username=DANA, private_key={"secret": {"env": "KEY"}}, **keys)


@pytest.fixture
def remote(project: Project, pair: tuple[str, str]) -> Iterator[Remote]:
    key, certificate = pair
    project.org.load_component("ConnectedApp", "ci", OURS.format(certificate=certificate, key=KEY, user=DANA).encode())
    with sqlite3.connect(project.database) as db:
        db.execute("UPDATE component SET secret = ? WHERE kind = 'ConnectedApp' AND name = 'ci'", (SECRET,))
    db.close()
    project.declare(portal())
    with served(project.org) as url:
        yield Remote(project, url, key, project.root)


def who(remote: Remote, **environment: str) -> str:
    """As whom we are logged in, by `doctor`."""
    found = remote.run("doctor", "--output", "json", **environment)
    assert found.code == 0, found.said
    return str(found.json["org"]["username"])


def test_jwt(remote: Remote):
    """What a pipeline should use."""
    remote.jwt()

    assert DANA == who(remote)
    assert 0 == remote.run("plan").code


def test_client_credentials(remote: Remote):
    """The app acts as the user that an admin chose for it."""
    remote.use("client_credentials", client_id=KEY, client_secret={"secret": {"env": "SECRET"}})

    assert DANA == who(remote)


def test_a_wrong_secret_is_told_in_salesforces_words(remote: Remote):
    """Exit 5, and what to do about it."""
    remote.use("client_credentials", client_id=KEY, client_secret={"secret": {"env": "OTHER"}})
    found = remote.run("plan", OTHER="canaryWrongSecret")

    assert 5 == found.code
    assert "invalid_client: invalid client credentials" in found.err
    assert "a rotation replaces" in found.err
    assert "canaryWrongSecret" not in found.said


def test_a_user_who_was_not_approved_is_told_so(remote: Remote):
    """The mistake that everybody makes once."""
    remote.use("jwt", client_id=KEY, username="eli@acme.example", private_key={"secret": {"env": "KEY"}})
    found = remote.run("plan")

    assert 5 == found.code
    assert "pre-authorized" in found.err


def test_a_key_of_another_app_is_told_so(remote: Remote):
    """`invalid assertion` alone helps nobody."""
    remote.use("jwt", client_id=KEY, username=DANA, private_key={"secret": {"env": "OTHER"}})
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    found = remote.run("plan", OTHER=other.decode())

    assert 5 == found.code
    assert "the certificate in the app belongs to private_key" in found.err


def test_a_key_file_lies_inside_of_the_project(remote: Remote):
    """As the example of the README has it."""
    (remote.folder / "server.key").write_text(remote.key)
    remote.use("jwt", client_id=KEY, username=DANA, private_key={"secret": {"file": "server.key"}})

    assert DANA == who(remote)


def test_a_missing_secret_is_bad_input_and_nothing_is_sent(remote: Remote):
    """Exit 3: the pipeline is wrong, not the login."""
    remote.use("jwt", client_id=KEY, username=DANA, private_key={"secret": {"env": "NOWHERE"}})
    found = remote.run("plan")

    assert 3 == found.code
    assert "the environment variable NOWHERE is not set" in found.err
    assert "token" not in remote.project.org.calls


def test_an_sfdx_auth_url(remote: Remote):
    """What a pipeline has already; here its host is this machine's, by the scheme of instance_url."""
    remote.use("sfdx_url", auth_url={"secret": {"env": "URL"}})
    url = f"force://{KEY}:{SECRET}:{refresh_token(remote)}@{remote.url.removeprefix('http://')}"

    assert DANA == who(remote, URL=url)
    found = remote.run("plan", URL=url.replace("5Aep861", "5Aep862"))
    assert 5 == found.code
    assert "expired access/refresh token" in found.err
    assert "5Aep862" not in found.said


def test_a_refresh_token_that_is_exchanged_for_a_new_one(remote: Remote, monkeypatch: pytest.MonkeyPatch):
    """With rotation a run goes on with the new one, and the next run has to be told that the old one is dead."""
    org = remote.project.org
    org.set("ConnectedApp/ci", {"oauthConfig.isRefreshTokenRotationEnabled": "true"}, as_user=DANA)
    url = f"force://{KEY}:{SECRET}:{refresh_token(remote)}@{remote.url.removeprefix('http://')}"
    remote.use("sfdx_url", auth_url={"secret": {"env": "URL"}})
    ended = ending(remote, monkeypatch, lambda request: "/query" in str(request.url))
    first, second = remote.run("plan", URL=url), remote.run("plan", URL=url)

    assert (0, 1) == (first.code, len(ended)), first.said
    assert 5 == second.code
    assert "refresh token rotation" in second.err


def test_username_and_password(remote: Remote):
    """By SOAP, as long as there is one."""
    org = remote.project.org
    keys = {"password": {"secret": {"env": "PW"}}, "security_token": {"secret": {"env": "ST"}}}
    remote.use("password", username=DANA, **keys)
    word, token = org.password(DANA), org.security_token(DANA)

    assert DANA == who(remote, PW=word, ST=token)
    found = remote.run("plan", PW=word, ST="canaryWrong")
    assert 5 == found.code
    assert "INVALID_LOGIN" in found.err
    assert "canaryWrong" not in found.said


@pytest.mark.parametrize("way", ["by REST", "by SOAP"])
@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
def test_a_session_that_ends_while_a_deployment_is_polled_is_renewed(
    remote: Remote, flow: str, way: str, monkeypatch: pytest.MonkeyPatch
):
    """An apply outlives its session: it goes on, and nothing is deployed twice."""
    if flow == "jwt":
        remote.jwt()
    else:
        remote.use(flow, client_id=KEY, client_secret={"secret": {"env": "SECRET"}})
    org = remote.project.org
    org.switch("deploy_polls", 3)
    org.switch("rest_deploy_refused", way == "by SOAP")
    ended = ending(remote, monkeypatch, polls)
    found = remote.run("apply", "--auto-approve")

    assert 0 == found.code, found.said
    assert (1, 1) == (len(ended), deployments(remote))
    assert 0 == remote.run("plan", "--detailed-exitcode").code


def test_a_token_that_nobody_can_renew_ends_the_command(remote: Remote, monkeypatch: pytest.MonkeyPatch):
    """And says that it was the login."""
    remote.use("token", access_token={"secret": {"env": "TOKEN"}})
    ended = ending(remote, monkeypatch, lambda request: "/query" in str(request.url))
    found = remote.run("plan", TOKEN=remote.project.org.access_token(DANA))

    assert (5, 1) == (found.code, len(ended))
    assert "INVALID_SESSION_ID" in found.err
    assert "log in again" in found.err


def test_over_tls_with_a_certificate_of_ones_own(remote: Remote):
    """A test org behind a company's own authority: REQUESTS_CA_BUNDLE counts for the login, too."""
    with serving(remote.project.org, tls=True) as (url, certificate):
        remote.jwt(instance_url=url)

        assert DANA == who(remote, REQUESTS_CA_BUNDLE=str(certificate))
        untrusted = remote.run("plan")
    assert 1 == untrusted.code
    assert "its certificate is not trusted" in untrusted.err


class Parrot(BaseHTTPRequestHandler):
    """Refuses every login, and repeats in the error whatever it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = f"{self.headers.get('Authorization')} {body} {unquote_plus(body)}"
        answer = json.dumps({"error": "invalid_grant", "error_description": said}).encode()
        if "/Soap/" in self.path:
            text = f"<faultcode>sf:INVALID_LOGIN</faultcode><faultstring>{escape(said)}</faultstring>"
            envelope = "http://schemas.xmlsoap.org/soap/envelope/"
            answer = (
                f'<e:Envelope xmlns:e="{envelope}"><e:Body><e:Fault>{text}</e:Fault></e:Body></e:Envelope>'.encode()
            )
        self.send_response(400)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        return


@pytest.mark.parametrize("flow", ["sfdx_url", "jwt", "client_credentials", "password"])
@pytest.mark.parametrize("output", ["text", "json"])
def test_what_an_org_repeats_is_not_shown(project: Project, pair: tuple[str, str], flow: str, output: str):
    """A proxy, or a mock of somebody's, that puts our request into its error puts our secrets into the log."""
    canaries = ["canaryPassword1", "canarySecurityToken", "canarySecret1", "5Aep861canaryRefresh"]
    keys: dict[str, dict[str, Any]] = {
        "sfdx_url": {"auth_url": {"secret": {"env": "URL"}}},
        "jwt": {"client_id": KEY, "username": DANA, "private_key": {"secret": {"env": "KEY"}}},
        "client_credentials": {"client_id": KEY, "client_secret": {"secret": {"env": "SECRET"}}},
        "password": {
            "username": DANA,
            "password": {"secret": {"env": "PW"}},
            "security_token": {"secret": {"env": "ST"}},
        },
    }
    server = HTTPServer(("127.0.0.1", 0), Parrot)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        place = f"127.0.0.1:{server.server_port}"
        project.configure(
            mock=None, instance_url=f"http://{place}", api_version="63.0", login={"flow": flow, **keys[flow]}
        )
        environment = {
            "URL": f"force://{KEY}:canarySecret1:5Aep861canaryRefresh@{place}",
            "KEY": pair[0], "SECRET": "canarySecret1", "PW": "canaryPassword1", "ST": "canarySecurityToken",
        }  # fmt: skip
        found = project.run("plan", "--output", output, **environment)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert 5 == found.code, found.said
    assert "[secret]" in found.said
    basic = base64.b64encode(f"{KEY}:canarySecret1".encode()).decode()
    assert not any(canary in found.said for canary in (*canaries, basic[-16:-4], "eyJhbGciOi"))


def polls(request: Any) -> bool:
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    return "/metadata/deployRequest/" in request.url or b"checkDeployStatus" in body


def ending(remote: Remote, monkeypatch: pytest.MonkeyPatch, when: Callable[[Any], bool]) -> list[str]:
    """All sessions end once, when a call of that sort has been answered."""
    ended: list[str] = []
    send = OrgSession.send

    def sending(self: OrgSession, request: Any, **more: Any) -> Any:
        answer = send(self, request, **more)
        if not ended and when(request):
            ended.append(str(request.url))
            remote.project.org.end_sessions()
        return answer

    monkeypatch.setattr(OrgSession, "send", sending)
    return ended


def deployments(remote: Remote) -> int:
    """How many the org has taken."""
    with remote.project.org.reading() as world:
        return int(world.db.execute("SELECT COUNT(*) FROM job WHERE id LIKE '0Af%'").fetchone()[0])


def refresh_token(remote: Remote) -> str:
    """One that Dana's browser would have got."""
    from providers.mock.oauth import apps, tokens

    with remote.project.org.writing() as world:
        app, user = apps.named(world, "ci"), world.user(DANA)
        assert app is not None
        assert user is not None
        return tokens.refresh(world, app, user.id, app.scopes, tokens.new_family())
