"""Exit codes of `check`, `plan` and `drift` for every combination of what is found and of `--fail-on`."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from reconciler.rules import all_rules
from reconciler.schema.severity import Severity
from tests.e2e.build import APP, DANA, GLOBAL, portal
from tests.e2e.project import Project

RULE = "OA06"
BROKEN = portal(callbackUrl=["https://portal.acme.example/callback#fragment"])
"""Breaks that rule."""
NOTHING = None
FOUND: tuple[Severity | None, ...] = (NOTHING, *Severity)
DRIFT: Mapping[Severity, tuple[str, dict[str, str]]] = {
    Severity.LOW: (APP, {"infoUrl": "https://acme.example/info"}),
    Severity.MEDIUM: ("ExtlClntAppConfigurablePolicies/portal", {"isEnabled": "false"}),
    Severity.HIGH: (GLOBAL, {"isSecretRequiredForRefreshToken": "false"}),
    Severity.CRITICAL: (GLOBAL, {"callbackUrl": "https://portal.acme.example/callback\nhttps://evil.example/x"}),
}
COMMANDS = {
    # command -> its code where nothing is grave enough, and where something is
    "check": (0, 3),
    "check --live": (0, 2),
    "plan": (0, 3),
    "plan --detailed-exitcode": (2, 3),
}
DEFAULTS = {"check": "high", "check --live": "low", "plan": "high", "drift": "low"}


def ruled(project: Project, severity: Severity | None, **more: Any) -> None:
    """Only that rule is on, and as grave as the case wants it."""
    off = dict.fromkeys(all_rules(), "off")
    project.configure(rules={**off, RULE: "off" if severity is None else str(severity)}, **more)


@pytest.mark.parametrize("command", COMMANDS)
def test_broken_rules(project: Project, command: str) -> None:
    """A pipeline that goes on after a finding that its owner called grave, or stops at one that he did not."""
    project.declare(BROKEN)
    if command == "check --live":
        project.apply()
    below, above = COMMANDS[command]
    expected, got = {}, {}
    for found, fail_on in product(FOUND, Severity):
        ruled(project, found)
        case = f"{command}: {found} found, --fail-on {fail_on}"
        expected[case] = above if found is not NOTHING and found >= fail_on else below
        got[case] = project.run(*command.split(), "--fail-on", str(fail_on)).code

    assert expected == got


@pytest.mark.parametrize("severity", [NOTHING, *DRIFT])
def test_drift(project: Project, severity: Severity | None) -> None:
    """A nightly check that wakes nobody, or everybody."""
    project.declare(portal())
    project.apply()
    if severity is not NOTHING:
        address, fields = DRIFT[severity]
        project.org.set(address, fields, as_user=DANA)

    expected = {fail_on: 2 if severity is not NOTHING and severity >= fail_on else 0 for fail_on in Severity}

    assert expected == {fail_on: project.run("drift", "--fail-on", str(fail_on)).code for fail_on in Severity}


@pytest.mark.parametrize("command", DEFAULTS)
def test_the_severity_that_holds_if_none_is_said(project: Project, command: str) -> None:
    """The documentation promises one."""
    project.declare(BROKEN)
    ruled(project, NOTHING)
    if command in ("check --live", "drift"):
        project.apply()
    codes = {}
    for severity in DRIFT if command == "drift" else Severity:
        if command == "drift":
            address, fields = DRIFT[severity]
            project.org.set(address, fields, as_user=DANA)
        else:
            ruled(project, severity)
        codes[severity] = project.run(*command.split()).code

    assert {severity: severity >= Severity.parse(DEFAULTS[command]) for severity in codes} == {
        severity: code != 0 for severity, code in codes.items()
    }


@pytest.mark.parametrize(
    ("command", "code"), [("check --fail-on", 3), ("plan --fail-on", 3), ("drift --fail-on", 3), ("apply --fail-on", 3)]
)
def test_a_severity_that_does_not_exist_is_an_error(project: Project, command: str, code: int) -> None:
    """`--fail-on hihg` would otherwise never fail."""
    found = project.run(*command.split(), "hihg")

    assert (code, True) == (found.code, "'hihg' is not a severity" in found.err)
