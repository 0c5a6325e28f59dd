"""`reconciler mock serve`: what it says when it is ready, what it refuses, and that it ends."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.e2e.project import Project


@contextmanager
def serving(project: Project, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [str(Path(sys.executable).with_name("reconciler")), "mock", "serve", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=project.root, text=True, env={**os.environ}, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def test_a_script_gets_all_it_needs_on_one_line(project: Project) -> None:
    """A CI job starts the server, reads one line and runs its clients; then it ends it, and learns what never happened."""
    faults = project.root / "faults.yaml"
    faults.write_text(
        "faults:\n- {call: versions, fault: {status: {code: 502}}, times: 1}\n- {call: deploy, fault: reset}\n"
    )
    with serving(project, "--tls", "--output", "json", "--faults", "faults.yaml") as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        url, certificate = said["url"], said["certificate"]
        codes = [requests.get(f"{url}/services/data", verify=certificate, timeout=10).status_code for _ in range(2)]
        who = requests.get(
            f"{url}/services/oauth2/userinfo",
            headers={"Authorization": f"Bearer {said['clients']['sf']['environment']['SF_ACCESS_TOKEN']}"},
            verify=said["clients"]["simple-salesforce"]["environment"]["REQUESTS_CA_BUNDLE"],
            timeout=10,
        ).json()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    assert ([502, 200], said["org_id"], said["username"]) == (codes, who["organization_id"], who["preferred_username"])
    assert (0, "", "never happened: faults.yaml:3: reset on deploy\n") == (process.returncode, out, err)
    assert not Path(certificate).exists()
    organization = json.loads(said["clients"]["CumulusCI"]["environment"]["CUMULUSCI_ORG_mock"])
    assert (url, said["token"]) == (organization["instance_url"], organization["access_token"])


def test_a_person_gets_lines_to_copy(project: Project) -> None:
    """And is told which clients do not speak plain http, before they fail."""
    with serving(project) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while "orgs:" not in lines[-1]:
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    url, token = lines[0].split()[-1], lines[1].split()[-1]
    assert 0 == process.returncode
    assert f"export SF_ACCESS_TOKEN={shlex.quote(token)}\n" in lines
    assert f"sf org login access-token --instance-url {url} --no-prompt --alias mock\n" in lines
    assert "# simple-salesforce: speaks https only: serve with --tls\n" in lines
    assert not any("CUMULUSCI" in line or "CA_BUNDLE" in line for line in lines)


def test_our_own_client_takes_the_line_that_is_meant_for_it(project: Project) -> None:
    """What is printed for reconciler.yaml is a login that works."""
    with serving(project, "--tls", "--output", "json") as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        client = said["clients"]["reconciler"]
        (project.root / "served.yaml").write_text(f"project: served\ndefault_org: served\n{client['line']}\n")
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("reconciler")),
                "check",
                "--live",
                "--output",
                "json",
                "--project",
                "served.yaml",
            ],
            cwd=project.root,
            env={**os.environ, **client["environment"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    # 2: the company that a fresh org is furnished with has things to find.
    assert (2, said["org_id"]) == (done.returncode, json.loads(done.stdout)["org"]["id"]), done.stderr
    assert said["token"] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--latency", "soon"), "--latency soon is no number of seconds"),
        (("--latency", "0.3-0.1"), "--latency 0.3-0.1"),
        (("--latency", "nan"), "--latency nan"),
        (("--latency", "-1"), "--latency -1"),
        (("--output", "yaml"), "--output yaml: no such format"),
        (("--host", "0.0.0.0"), "loopback only"),  # noqa: S104
        (("--faults", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (("--faults", "bad.yaml"), "bad.yaml:2:4: no call is called 'deploi'"),
        (("--faults", "bad.yaml"), "bad.yaml:3:18: no fault is called 'rest'"),
        (("--faults", "bad.yaml"), "did you mean deploy?"),
    ],
)
def test_what_cannot_be_served_is_said_before_it_starts(
    project: Project, arguments: tuple[str, str], said: str
) -> None:
    """Somebody who mistyped gets place and mend, and no server."""
    (project.root / "bad.yaml").write_text("faults:\n- {call: deploi, fault: reset}\n- {call: deploy, fault: rest}\n")

    result = project.run("mock", "serve", *arguments)

    assert (3, "") == (result.code, result.out)
    assert said in result.err


def test_a_port_that_is_taken_is_said(project: Project) -> None:
    """Two servers on one port are one mistake, and no traceback."""
    with serving(project) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rstrip().rpartition(":")[2]

        result = project.run("mock", "serve", "--port", port)

    assert 3 == result.code
    assert f"cannot listen on 127.0.0.1, port {port}" in result.err
