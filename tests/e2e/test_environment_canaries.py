"""A project file may name any variable of the machine: what stands in it is in no refusal and in no report."""

import os
import string
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.salesforce.wire.polling import Patience
from reconciler import redaction
from reconciler.cli import program
from reconciler.project.file import load_project
from reconciler.project.filling import as_written

CANARY = "Zq9xK27mWpLr4TtVbN8s"
TOKEN = "login: {flow: token, access_token: {secret: {env: TOK}}}"
ORGS = {
    "a strange host": f'instance_url: "https://${{env.CANARY}}.evil.example", {TOKEN}',
    "a host": f'instance_url: "${{env.CANARY}}", {TOKEN}',
    "a host of Salesforce": f'instance_url: "https://${{env.CANARY}}.my.salesforce.com.invalid", {TOKEN}',
    "a port": f'instance_url: "https://acme.my.salesforce.com:${{env.CANARY}}", {TOKEN}',
    "a path": f'instance_url: "https://evil.example/${{env.CANARY}}", {TOKEN}',
    "a user": f'instance_url: "https://${{env.CANARY}}@evil.example", {TOKEN}',
    "another scheme": f'instance_url: "${{env.CANARY}}://evil.example", {TOKEN}',
    "an org id": f'instance_url: "https://evil.example", org_id: "${{env.CANARY}}", {TOKEN}',
    "an alias": 'login: {flow: sf, alias: "${env.CANARY} x"}',
    "a client id": 'instance_url: "http://127.0.0.1:1", login: {flow: client_credentials, client_id: "${env.CANARY}",'
    " client_secret: {secret: {env: TOK}}}",
    "a user name": 'instance_url: "http://127.0.0.1:1", login: {flow: password, username: "${env.CANARY}",'
    " password: {secret: {env: TOK}}}",
    "an audience": 'instance_url: "http://127.0.0.1:1", login: {flow: jwt, client_id: a, username: b,'
    ' private_key: {secret: {env: TOK}}, audience: "https://${env.CANARY}.evil.example"}',
    "a flow": 'instance_url: "https://evil.example", login: {flow: "${env.CANARY}"}',
    "an API version": f'instance_url: "https://evil.example", api_version: "${{env.CANARY}}", {TOKEN}',
    "a mock org": 'mock: "${env.CANARY}/../../x.db"',
    "a mock org's user": 'mock: o.db, login: {username: "${env.CANARY}"}',
    "an unused variable": f'instance_url: "https://evil.example", variables: {{x: "${{env.CANARY}}"}}, {TOKEN}',
}  # fmt: skip


def project(folder: Path, org: str) -> Path:
    (folder / "desired").mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text(f"project: x\ndesired: desired\norgs: {{dev: {{{org}}}}}\n")
    (folder / "desired" / "a.yaml").write_text(
        "kind: ExternalClientApplication\nname: one\nlabel: one\ncontactEmail: a@acme.example\ndistributionState: Local\n"
    )
    return folder


def everything(folder: Path, said: str) -> str:
    written = [file.read_bytes().decode("utf-8", "replace") for file in folder.glob("report.*")]
    return "\n".join([said, *written])


def in_a_process(words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """As a user would: with what a process writes when it ends."""
    call = [sys.executable, "-c", "from reconciler.cli import main; main()", *words]
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def in_this_one(words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """The same without half a second of imports."""
    said = StringIO()
    with (
        chdir(folder),
        patch.dict(os.environ, environment),
        redaction.running(),
        redirect_stdout(said),
        redirect_stderr(said),
    ):
        code = int(program.run(words))
    return code, said.getvalue()


@pytest.mark.parametrize(
    ("command", "where"),
    [
        *(("plan", where) for where in ORGS),
        *(("doctor", where) for where in ORGS),
        ("check", "a flow"),
        ("check", "a mock org"),
    ],
)
def test_what_the_environment_holds_is_not_repeated(
    tmp_path: Path, where: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull request may edit the project file, and its job's log and reports are for everybody to read."""
    monkeypatch.setattr(Patience, "pause", lambda *_: None)
    project(tmp_path, ORGS[where])
    formats = ("json",) if command == "doctor" else ("json", "markdown", "sarif", "junit", "html")
    arguments = [f"--output={form}=report.{form}" for form in formats]
    environment = {**os.environ, "CANARY": CANARY, "TOK": "tok"}
    words = [command, "--output=text", *arguments]
    code, told = (in_a_process if where == "a strange host" else in_this_one)(words, tmp_path, environment)
    said = everything(tmp_path, told)

    assert "Traceback" not in said
    assert CANARY.lower() not in said.lower()
    if where == "a strange host" and command == "plan":
        assert 4 == code
        assert "credentials are not sent to 'https://${env.CANARY}.evil.example': it is no host of Salesforce" in said


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.text(string.ascii_letters + string.digits, min_size=16, max_size=40).filter(
        lambda text: any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    ),
    before=st.text("ab -/'", max_size=5),
    change=st.sampled_from([str, str.lower, str.upper, lambda text: text[:14], lambda text: text[2:], repr]),
)
def test_any_value_is_shown_as_the_file_has_it(
    tmp_path: Path, value: str, before: str, change: Callable[[str], str]
) -> None:
    project(tmp_path, f'instance_url: "https://${{env.CANARY}}.my.salesforce.com", {TOKEN}')
    environment: Mapping[str, str] = {"CANARY": value}
    org = load_project(tmp_path / "reconciler.yaml", environment=environment).org()

    shown = as_written(org, f"{before}\n{change(value)}\n no")

    assert "${env.CANARY}" in shown
    assert value.lower()[2:14] not in shown.lower()


@pytest.mark.parametrize(
    "value", ["https://acme--uat.sandbox.my.salesforce.com", "http://127.0.0.1:8080", "00D000000000001EAA"]
)
def test_the_place_of_an_org_may_be_named(tmp_path: Path, value: str) -> None:
    """It is nothing but the place of an org, and a refusal without it helps nobody."""
    project(
        tmp_path,
        f'instance_url: "${{env.CANARY}}", {TOKEN}' if "://" in value else 'mock: o.db, org_id: "${env.CANARY}"',
    )
    org = load_project(tmp_path / "reconciler.yaml", environment={"CANARY": value}).org()

    assert f"{value} cannot be reached" == as_written(org, f"{value} cannot be reached")
