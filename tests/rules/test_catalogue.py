"""Every rule is tested by its own examples: the good one breaks nothing, the bad one breaks exactly that rule."""

import re
from pathlib import Path

import pytest

from reconciler.rules import Rule, all_rules
from tests.rules.build import found, world

RULES = list(all_rules().values())
CATALOGUE = {"TX": 18, "CC": 7, "OA": 25, "RF": 8}
"""The families and how many rules each has. OA26, secrets in the body of a request only, is about clients: no
configuration shows it."""


def test_the_catalogue_is_whole() -> None:
    """A rule that was lost with its file would be missed by nobody."""
    promised = {f"{family}{number:02}" for family, count in CATALOGUE.items() for number in range(1, count + 1)}
    assert set() == promised - all_rules().keys()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_good_example_breaks_no_rule(rule: Rule, tmp_path: Path) -> None:
    """A user whose files are in order would drown in false alarms."""
    findings, _ = found(rule.good, tmp_path)
    assert [] == [(f.id, str(f.address), f.message) for f in findings]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_bad_example_breaks_exactly_that_rule(rule: Rule, tmp_path: Path) -> None:
    """A rule that never fires protects nobody; one mistake that fires many rules hides what it is."""
    findings, _ = found(rule.bad, tmp_path)
    assert [rule.id] == [f.id for f in findings], (
        "`bad` of the rule",
        [(f.id, str(f.address), f.message) for f in findings],
    )
    assert findings[0].message
    assert findings[0].mend


@pytest.mark.parametrize("rule", [r for r in RULES if r.asks_org], ids=lambda rule: rule.id)
def test_offline_a_rule_that_asks_the_org_says_not_checked(rule: Rule, tmp_path: Path) -> None:
    """Silence would be read as "fine" by a team that only checks its files."""
    findings, unchecked = found(rule.good, tmp_path, [rule], offline=True)
    assert () == findings
    assert unchecked


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_offline_no_example_is_broken_by_what_is_not_said(rule: Rule, tmp_path: Path) -> None:
    """A file holds a part only: what it does not say, the org may."""
    assert () == found(rule.good, tmp_path, offline=True)[0]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_a_rule_says_of_itself_can_be_read(rule: Rule) -> None:
    """These words stand in SARIF viewers, in pull-request comments and in `explain`."""
    assert re.fullmatch(r"[A-Z]{2}[0-9]{2}", rule.id)
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.hurts[0].isupper()
    assert rule.hurts.endswith(".")
    assert rule.source
    for words in (rule.title, rule.hurts, rule.source):
        assert words.isprintable()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_finding_leads_to_something_that_can_be_changed(rule: Rule, tmp_path: Path) -> None:
    """A finding whose resource nobody has cannot be mended, waived or shown in its file."""
    (finding,) = found(rule.bad, tmp_path, [rule])[0]
    seen = world(rule.bad, tmp_path / "again")
    assert finding.address in {*seen.bodies, *seen.live}
    assert rule.hurts == finding.meaning
