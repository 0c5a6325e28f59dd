"""New, known, resolved: what a second run can say, and which files it refuses to be compared with."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InputError
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.model.reports import CheckReport, DriftReport
from reconciler.render.json import documents, earlier
from reconciler.render.json.earlier import compared, read_report, since

from .anything import DRIFTS_OF_ANYTHING
from .samples import CHECKS, DRIFT_REPORTS, GLOBAL, HANDLER, ORG, PLANS, finding

WEAKENED = finding(path=("isPkceRequired",), old=True, new=False, message="isPkceRequired changed")
RENAMED = finding(path=("label",), old="a", new="b", message="label changed")


def drift(*findings: Finding, org: OrgInfo = ORG, against: str = "baseline") -> DriftReport:
    return DriftReport(org, findings, against)


def read(report: DriftReport | CheckReport) -> earlier.Earlier:
    if isinstance(report, DriftReport):
        return read_report(documents.drift(report), "drift.json", "drift")
    return read_report(documents.check(report), "check.json", "check")


def changed(report: DriftReport, **more: object) -> str:
    return json.dumps({**json.loads(documents.drift(report)), **more})


def test_new_known_and_resolved_are_told_apart():
    """Whoever is paged at night, and only for what is new."""
    told = since(drift(WEAKENED, replace(WEAKENED, path=("callbackUrl",))), read(drift(WEAKENED, RENAMED)))

    assert [True, False] == [f.known for f in told.findings]
    assert (f"{GLOBAL}.label: label changed",) == told.resolved


def test_who_and_when_make_no_other_finding():
    """Whoever has a finding that somebody touches every day."""
    then = replace(WEAKENED, attribution=None, message="was changed", mend="x")

    assert [True] == [f.known for f in since(drift(WEAKENED), read(drift(then))).findings]


def test_a_field_that_moved_on_is_new_and_not_resolved():
    """Whoever would read "resolved" and go home, while the URL was only replaced by another bad one."""
    told = since(drift(replace(RENAMED, new="c")), read(drift(RENAMED)))

    assert [False] == [f.known for f in told.findings]
    assert () == told.resolved


def test_what_was_waived_and_counts_now_is_new():
    """Whoever let a waiver expire."""
    rule = finding(id="TX03")
    told = since(CheckReport((rule,)), read(CheckReport((replace(rule, waived="dana"),))))

    assert [False] == [f.known for f in told.findings]


def test_what_is_waived_now_is_neither_gone_nor_new():
    """Whoever takes a waiver for a repair."""
    rule = finding(id="TX03")
    told = since(CheckReport((replace(rule, waived="dana"),)), read(CheckReport((rule,))))

    assert [True] == [f.known for f in told.findings]
    assert () == told.resolved


def test_what_could_not_be_judged_is_not_resolved():
    """Whoever lost the permission to read users, and with it a finding about one."""
    rule = finding(id="TX08", address=HANDLER)
    now = CheckReport(unchecked=(Unchecked("TX08", HANDLER, "users could not be read"),))

    assert () == since(now, read(CheckReport((rule,)))).resolved


def test_a_plan_can_be_compared_too():
    """Whoever keeps the plan of the last pull request."""
    plan = PLANS["everything-at-once"]
    found, resolved = compared(plan.drift, read_report(documents.plan(plan), "plan.json", "plan"))

    assert [True] == [f.known for f in found]
    assert 1 == len(resolved)


@given(report=DRIFTS_OF_ANYTHING)
def test_whatever_we_wrote_we_can_read(report):
    """Whoever has an org in which somebody names things so that the comparison of the next night would fail."""
    told = since(report, read(report))

    assert all(f.known for f in told.findings if f.counts)
    assert () == told.resolved


def test_another_org_is_refused():
    """Whoever gives the production report to the sandbox job: everything would be new, and everything resolved."""
    other = drift(WEAKENED, org=replace(ORG, id="00D000000000002EAA"))

    with pytest.raises(InputError, match="00D000000000002EAA"):
        since(drift(WEAKENED), read(other))


def test_files_and_an_org_are_not_the_same():
    """Whoever compares a check of files with a check of the org."""
    with pytest.raises(InputError, match="files alone"):
        since(CheckReport(org=ORG), read(CheckReport()))


def test_the_same_org_with_15_or_18_characters_is_the_same():
    """Whoever's two sources give the id in its two forms."""
    assert [True] == [
        f.known for f in since(drift(WEAKENED), read(drift(WEAKENED, org=replace(ORG, id=ORG.id[:15])))).findings
    ]


def test_another_comparison_is_refused():
    """Whoever compares drift from the baseline with drift from the files."""
    with pytest.raises(InputError, match="desired"):
        since(drift(WEAKENED), read(drift(WEAKENED, against="desired")))


def test_the_report_of_another_command_is_refused():
    """Whoever mixes up two artifacts."""
    with pytest.raises(InputError, match="of check, not of drift"):
        read_report(documents.check(CHECKS["check-of-an-org"]), "check.json", "drift")


@pytest.mark.parametrize("version", ["2.0", "0.9", "", None, 1, 1.2, "1", "\ud800"])
def test_another_format_is_refused(version):
    """Whoever upgrades between two runs."""
    text = changed(drift(WEAKENED), format_version=version)
    if version == "1":
        assert read_report(text, "drift.json", "drift").findings
    else:
        with pytest.raises(InputError, match="format version"):
            read_report(text, "drift.json", "drift")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "drift: none",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format_version": "1.2", "seconds": NaN}',
        '{"format_version": "1.2", "seconds": -Infinity}',
        '{"format_version": "1.2", "seconds": ' + "9" * 10_000 + "}",
        '{"command": "drift", "command": "drift"}',
        '{"command": "\ud800',
    ],
)
def test_hostile_json_is_bad_input(text):
    """A runner that downloads the last report from where others can write."""
    with pytest.raises(InputError, match="no JSON object"):
        read_report(text, "drift.json", "drift")


@given(
    key=st.sampled_from(["org", "findings", "against"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "key"]), inner, max_size=2),
        max_leaves=4,
    ),
)
def test_a_report_with_a_part_of_another_shape_is_read_or_refused(key, value):
    """Whoever edits a report by hand must not see a traceback."""
    try:
        read_report(changed(drift(WEAKENED), **{key: value}), "drift.json", "drift")
    except InputError as wrong:
        assert "drift.json" == str(wrong.complaints[0].place)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("key", "f" * 15),
        ("key", "G" * 16),
        ("key", 7),
        ("path", "label"),
        ("path", [1]),
        ("counts", 1),
        ("message", {}),
    ],
)
def test_a_finding_of_another_shape_is_refused(key, value):
    """A comparison that silently knows nothing would call everything new."""
    (told,) = json.loads(documents.drift(drift(WEAKENED)))["findings"]

    with pytest.raises(InputError, match="not a whole report"):
        read_report(changed(drift(WEAKENED), findings=[{**told, key: value}]), "drift.json", "drift")


def test_a_huge_file_is_not_parsed(monkeypatch):
    """A CI runner with 4 GB of memory."""
    monkeypatch.setattr(earlier, "LARGEST", 10)

    with pytest.raises(InputError, match="larger"):
        read(drift())


def test_labels_are_one_harmless_line():
    """A CI log that shows what is resolved, from a file that others can write."""
    evil = replace(WEAKENED, message="x\n::error::boom\x1b[2J\u202e" + "y" * 1000)
    (label,) = since(drift(), read(drift(evil))).resolved

    assert label.isprintable()
    assert len(label) < 500


def test_the_answer_is_in_the_next_report():
    """Whoever reads JSON."""
    report = DRIFT_REPORTS["drift-with-who-and-when"]
    told = json.loads(documents.drift(since(report, read(drift(RENAMED)))))

    assert [False, False] == [f["known"] for f in told["findings"]]
    assert [f"{GLOBAL}.label: label changed"] == told["resolved"]
