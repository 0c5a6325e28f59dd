"""`rules:` and `waivers:` of the project file."""

from datetime import date
from pathlib import Path

import pytest

from reconciler.rules import all_rules
from reconciler.schema.severity import Severity
from tests.project.test_file import complaints, load

RULE = next(iter(all_rules()))
START = f"project: a\norgs: {{dev: {{mock: a.db}}, prod: {{mock: b.db, rules: {{{RULE}: critical}}}}}}\n"
WAIVER = f"""\
waivers:
  - rule: {RULE}
    address: ExternalClientApplication/portal
    reason: an old client
    owner: iam@acme.example
    expires: 2027-01-31
"""


def test_an_orgs_severities_go_before_the_projects(tmp_path: Path) -> None:
    """What is a note in a sandbox may be grave in production."""
    project = load(tmp_path, f"{START}rules: {{{RULE}: info}}\n")

    assert (Severity.INFO, Severity.CRITICAL) == (
        project.org("dev").rules.severities[RULE],
        project.org("prod").rules.severities[RULE],
    )


@pytest.mark.parametrize("word", ["off", "'off'", "false"])
def test_a_rule_can_be_switched_off(tmp_path: Path, word: str) -> None:
    """`off` means something else to some readers of YAML; whoever writes it means the same."""
    assert {RULE: None} == load(tmp_path, f"{START}rules: {{{RULE}: {word}}}\n").org("dev").rules.severities


def test_a_waiver_names_rule_address_reason_owner_and_end(tmp_path: Path) -> None:
    """An exception without an owner or an end is for ever."""
    (waiver,) = load(tmp_path, START + WAIVER).org("dev").rules.waivers

    assert (RULE, "ExternalClientApplication/portal", "an old client", "iam@acme.example", date(2027, 1, 31)) == (
        waiver.rule, str(waiver.address), waiver.reason, waiver.owner, waiver.expires,
    )  # fmt: skip
    assert waiver.place is not None
    assert ("reconciler.yaml", 4) == (waiver.place.file, waiver.place.line)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("rules: {XX99: info}\n", "XX99 is not a rule", 3),
        ("rules: {drift.changed: off}\n", "drift.changed is not a rule", 3),
        (f"rules: {{{RULE}: grave}}\n", "'grave' is not a severity", 3),
        ("rules: [OA01]\n", "rules must be ids of rules and severities", 3),
        (WAIVER.replace("    owner: iam@acme.example\n", ""), "owner is missing", 4),
        (WAIVER.replace("owner:", "ownr:"), "ownr is not a key of a waiver", 7),
        (WAIVER.replace("2027-01-31", "soon"), "'soon' is not a day", 8),
        (WAIVER.replace("ExternalClientApplication/portal", "portal"), "'portal' is not an address", 5),
        (WAIVER.replace("ExternalClientApplication/", "ExternalClientApp/"), "ExternalClientApp is not a kind", 5),
        ("waivers: {rule: x}\n", "waivers must be a list", 3),
        ("waivers: [x]\n", "a waiver must hold the keys", 3),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, says: str, line: int) -> None:
    """A waiver that silently covers nothing, or a severity that silently does not hold, is worse than none."""
    found = complaints(tmp_path, START + text)

    assert any(says in c.message and c.place is not None and c.place.line == line and c.mend for c in found), found
