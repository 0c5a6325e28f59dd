"""What a finding says to write is written: the finding goes away, and no other comes."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.kinds import satellites
from reconciler.model.address import Address
from reconciler.model.finding import Finding
from reconciler.rules import Rule, all_rules, judge
from reconciler.schema.values import Body
from reconciler.world.world import World, section
from tests.rules.build import world

WRITTEN = re.compile(r"\b(\w+): ([\w.:/-]+|\[[\w, ]+\]|\"\")(?: under (\w+))?(?=$|[,;) ])")
"""`isPkceRequired: true under oauthConfig`. What holds a … is for a person to fill in."""


def written(finding: Finding) -> list[tuple[str, Any, str]]:
    """Field, value and section of what a mend says to write, up to its first alternative."""
    first = re.split(r", or |; or |; if |, once |; assign |; until ", finding.mend)[0]
    if not first.startswith("write "):
        return []
    return [(name, yaml.safe_load(value), under) for name, value, under in WRITTEN.findall(first)]


def place(finding: Finding, under: str) -> tuple[Address, tuple[str, ...]]:
    """The record and the section of it that a value goes to."""
    if under in satellites():
        return Address(section(under), finding.address.name), ()
    return finding.address, (under,) if under else finding.path[:-1]


def mended(seen: World, finding: Finding) -> World:
    bodies: dict[Address, Body] = {address: dict(body) for address, body in seen.bodies.items()}
    for name, value, under in written(finding):
        address, path = place(finding, under)
        if not path and under == "" and name not in address.struct.fields():
            address = next(one for one in finding.also if name in one.struct.fields())
        body = bodies.setdefault(address, {})
        for part in path:
            body[part] = dict(body.get(part) or {})
            body = body[part]
        body[name] = value
    declared = {a: replace(r, body=bodies[a]) for a, r in seen.declared.items() if a in bodies}
    return replace(seen, bodies=bodies, declared=declared)


LITERAL = (
    *("CC01", "CC05", "FL01", "OA01", "OA02", "OA03", "OA04", "OA05", "OA07", "OA09", "OA10", "OA14", "OA15", "OA20"),
    *("OA23", "OA24", "OA25", "TX01", "TX02", "TX03", "TX05", "TX06", "TX08", "TX09", "TX13", "TX14", "TX15"),
)
"""Rules whose mend can be written into a file as it stands. The others leave something to the reader: a name, Apex."""


@pytest.mark.parametrize("rule", [all_rules()[id] for id in LITERAL], ids=lambda rule: rule.id)
def test_a_mend_that_is_written_as_it_stands_mends(rule: Rule, tmp_path: Path) -> None:
    """Whoever does what he is told and is told something else the next time trusts none of it."""
    seen = world(rule.bad, tmp_path)
    (finding,) = judge(seen, rules=[rule])[0]
    assert written(finding), finding.mend

    findings, _ = judge(mended(seen, finding))

    assert [] == [(one.id, str(one.address), one.message) for one in findings], finding.mend
