"""JUnit for CI servers: one case a resource, numbers that add up, read back by another program, well formed whatever is in it."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from lxml import etree

from reconciler.model.deployment import Landing
from reconciler.model.finding import Unchecked
from reconciler.render import junit
from reconciler.render.report import Report

from .reports import (
    APP,
    BROKEN,
    GLOBAL,
    HANDLER,
    LEGACY,
    NASTY,
    REFUSED,
    REPORTS,
    SECRET,
    SWITCHED_OFF,
    URL_ADDED,
    WAIVED,
    apply_of,
    check_of,
    drift_of,
    hostile,
    hostile_reports,
)
from .samples import finding, update

TestCase.__test__ = TestSuite.__test__ = False  # the reader's classes, no tests of ours


def suite_of(report: Report) -> TestSuite:
    (suite,) = JUnitXml.fromstring(junit.page(report).encode())
    return suite


def cases(report: Report) -> dict[str, TestCase]:
    return {str(case.name): case for case in suite_of(report)}


def outcome(case: TestCase) -> list[type]:
    return [type(result) for result in case.result]


def numbers(element: etree._Element) -> dict[str, int]:
    return {name: int(str(element.get(name))) for name in ("tests", "failures", "errors", "skipped")}


def counted(suite: etree._Element) -> dict[str, int]:
    """The numbers as they really are."""
    found = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    told = {name: len(suite.xpath(f"testcase[{tag}]")) for name, tag in found.items()}
    return {"tests": len(suite.xpath("testcase")), **told}


def assert_adds_up(page: str) -> None:
    root = etree.fromstring(page.encode())
    (suite,) = root
    assert counted(suite) == numbers(suite) == numbers(root)
    assert ["0", "0"] == [root.get("time"), suite.get("time")]
    assert 0 == len(suite.xpath("testcase[count(failure | error | skipped) > 1]"))


@pytest.mark.parametrize("name", REPORTS)
def test_numbers_add_up(name: str):
    """The CI server that shows a red build with no failure in it."""
    assert_adds_up(junit.page(REPORTS[name]))


@pytest.mark.parametrize("name", REPORTS)
def test_junitparser_counts_the_same(name: str):
    """Whoever merges reports with another program."""
    suite = suite_of(REPORTS[name])
    before = (suite.tests, suite.failures, suite.errors, suite.skipped)
    suite.update_statistics()

    assert before == (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert suite.tests > 0


def test_each_resource_is_a_case():
    """Whoever wants to see what was looked at, and not only what was wrong."""
    found = cases(drift_of(SWITCHED_OFF))

    assert [str(LEGACY), str(APP), str(GLOBAL), str(HANDLER)] == list(found)
    assert {"ConnectedApp", "ExternalClientApplication", GLOBAL.kind, HANDLER.kind} == {
        str(case.classname) for case in found.values()
    }
    assert [[], [], [Failure], []] == [outcome(case) for case in found.values()]


def test_a_failure_has_the_worst_as_its_message_and_all_as_its_text():
    """Whoever sees one line in the list, and opens it."""
    (failure,) = cases(drift_of(SWITCHED_OFF, URL_ADDED))[str(GLOBAL)].result

    assert f"critical {GLOBAL}.callbackUrl: + http://evil.example/cb (weakens) [drift.changed]" == failure.message
    assert (
        f"critical {GLOBAL}.callbackUrl: + http://evil.example/cb (weakens) [drift.changed]\n"
        "  last touched by dana@acme.example at 2026-05-04T08:15:00Z\n"
        "  declared at desired/apps/order_portal.yaml:14\n"
        f"high {GLOBAL}.isSecretRequiredForTokenExchange: true → false (weakens) [drift.changed]\n"
        "  changed by dana@acme.example at 2026-05-04T08:15:00Z "
        "(the audit trail agrees, root@acme.example had logged in as that user)\n"
        "  means: Whoever has a client id can exchange a token without the secret.\n"
        "  declared at desired/apps/order_portal.yaml:12:5\n"
        "  mend: apply, or accept it"
    ) == failure.text


def test_a_case_names_the_file_and_line_of_its_worst_finding():
    """The CI server that links a failed test to its source."""
    case = etree.fromstring(junit.page(drift_of(SWITCHED_OFF, URL_ADDED)).encode()).xpath("//testcase[failure]")[0]

    assert ("desired/apps/order_portal.yaml", "14") == (case.get("file"), case.get("line"))


def test_what_does_not_count_fails_nothing():
    """Whoever waived a rule, and has a green build."""
    case = cases(check_of(WAIVED))[str(LEGACY)]

    assert [] == outcome(case)
    assert (
        f"waived: an ERP of 2009 (ops@acme.example, until 2026-12-31): high {LEGACY}: the app has no PKCE [OA97]"
        == (case.system_out)
    )


def test_a_resource_that_could_not_be_judged_is_skipped_and_never_passed():
    """Whoever would take silence for praise."""
    blind = Unchecked("TX97", HANDLER, "not declared; the org may hold anything")
    only, both = (cases(check_of(*found, unchecked=(blind,)))[str(HANDLER)] for found in ((), (BROKEN,)))

    assert ([Skipped], [Failure]) == (outcome(only), outcome(both))
    assert "TX97 was not checked: not declared; the org may hold anything" == only.system_out == both.system_out


def test_an_apply_has_a_case_for_each_change():
    """Whoever has to know what is in the org after a failed apply."""
    failed = cases(REPORTS["apply-fails"])
    landed = cases(REPORTS["apply-lands"])
    unknown = cases(REPORTS["apply-unknown"])

    assert ([[Failure]] * 5, [[]] * 5, [[Error]] * 5) == tuple(
        [outcome(case) for case in found.values()] for found in (failed, landed, unknown)
    )
    assert (
        "Salesforce: Apex class does not extend Auth.Oauth2TokenExchangeHandler" == failed[str(HANDLER)].result[0].text
    )
    assert "not landed: its step failed as a whole" == failed[str(APP)].result[0].message
    assert "create: landed" == landed[str(APP)].system_out


def test_a_refused_component_that_is_no_change_is_a_case_of_its_own():
    """Whoever would look for the one failure in a list where it is not."""
    found = cases(apply_of(Landing.NOT_LANDED, update(APP), failures=(REFUSED,)))

    assert [str(APP), str(HANDLER)] == list(found)
    assert REFUSED.problem in str(found[str(HANDLER)].result[0].text)


def test_drift_from_before_fails_no_apply():
    """The pipeline that is red although everything landed."""
    report = apply_of(Landing.LANDED, update(GLOBAL), drift=(SWITCHED_OFF,))

    assert 0 == suite_of(report).failures
    assert "found before: high" in junit.page(report)


def test_the_suite_names_command_and_org():
    """Whoever merges the reports of two orgs."""
    assert ["reconciler plan 00D000000000001EAA", "reconciler check files"] == [
        suite_of(REPORTS[name]).name for name in ("plan", "check")
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_no_secret_is_in_a_test_report(name: str):
    """Everybody whose secret would be shown to all who can see the build."""
    assert SECRET not in junit.page(REPORTS[name])


def test_control_characters_are_written_out():
    """The parser that gives up on the whole report because of one byte."""
    page = junit.page(check_of(finding(id="TX99", message="a\x00b\x1b[31m\u202ec\ud800")))

    assert "a\\x00b\\x1b[31m\\u202ec\\ud800 [TX99]" in page


def assert_well_formed(reports: Sequence[Report]) -> None:
    for report in reports:
        page = junit.page(report)
        assert_adds_up(page)
        assert not re.search(r"(?m)^\s*::|##\[|##vso\[|[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", page)
        assert {"testsuites", "testsuite", "testcase", "properties", "property"} >= {
            str(element.tag) for element in etree.fromstring(page.encode()).iter()
        } - {"failure", "error", "skipped", "system-out"}


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_hostile_text_stays_text(text: str):
    """The CI server that reads what anybody may write into an app's description."""
    assert_well_formed(hostile([text] * 10))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(reports=hostile_reports())
def test_any_text_stays_text(reports: list[Report]):
    """The same for texts that nobody thought of."""
    assert_well_formed(reports)


def test_nothing_is_judged_twice():
    """Whoever counts cases: a finding on a resource that was not listed adds one, a second finding none."""
    again = replace(BROKEN, subject="again")

    assert 1 == suite_of(check_of(BROKEN, again)).tests
