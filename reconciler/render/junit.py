"""JUnit's XML, which every CI server shows as tests: a component is a test case, and a finding makes it fail.

No one owns the format; this is the part that Jenkins' `junit-10.xsd` (jenkinsci/xunit-plugin) and others agree on, with
`file` and `line` as pytest writes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.changes import Change
from reconciler.model.deployment import Landing
from reconciler.model.finding import UNDONE, Finding
from reconciler.render.report import Report
from reconciler.render.text import calls
from reconciler.render.words.recorded import heading
from reconciler.render.words.safe import line
from reconciler.render.words.what import WORDS, what, where
from reconciler.render.words.who import uncounted, who
from reconciler.verify.verdicts import Standing

NAME = 500
"""So many characters of one name."""


@dataclass(slots=True)
class Case:
    """One JUnit test case: a resource, or a change of a resource."""

    address: Address
    name: str = ""
    """What the test is called; empty: like the resource."""
    place: Place | None = None
    failures: list[str] = field(default_factory=list)
    """The worst first; the first line of each is its message."""
    type: str = "finding"
    error: str = ""
    """No one knows how it ended."""
    skipped: str = ""
    out: list[str] = field(default_factory=list)
    """What does not make it fail."""


def page(report: Report) -> str:
    """A report as JUnit XML: a case for each change of an apply, each call of a verify, else for each resource."""
    if report.verdicts:
        cases = list(_verified(report))
    else:
        cases = list(_landed(report) if report.command == "apply" and report.landings else _judged(report))
    which = report.org.id if report.org is not None else "files"
    counts = {
        "tests": len(cases),
        "failures": sum(bool(case.failures) for case in cases),
        "errors": sum(bool(case.error) for case in cases),
        "skipped": sum(bool(case.skipped) for case in cases),
        "time": 0,
    }
    root = _element("testsuites", {"name": "reconciler", **counts})
    suite = _element("testsuite", {"name": f"reconciler {report.command} {which}", **counts})
    root.append(suite)
    properties = _element("properties", {})
    for name, value in _properties(report):
        properties.append(_element("property", {"name": name, "value": value}))
    suite.append(properties)
    for case in cases:
        suite.append(_case(case))
    if told := [*_about_the_run(report)]:
        suite.append(_element("system-out", {}, told))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True).decode("utf-8")


def _judged(report: Report) -> Iterator[Case]:
    """Test cases of resources: one fails by the findings that count, and is skipped where rules could not be judged and
    nothing else is known."""
    found: dict[Address, list[Finding]] = {address: [] for address in report.components}
    for finding in report.findings:
        found.setdefault(finding.address, []).append(finding)
    unchecked: dict[Address, list[str]] = {}
    for one in report.unchecked:
        found.setdefault(one.address, [])
        unchecked.setdefault(one.address, []).append(
            f"{line(one.id, NAME)} was not checked: {line(one.message, WORDS)}"
        )
    for address in sorted(found):
        counted = [finding for finding in found[address] if finding.counts]
        others = [finding for finding in found[address] if not finding.counts]
        blind = unchecked.get(address, [])
        skipped = "" if counted or others or not blind else f"rules that could not be judged: {len(blind)}"
        place = next((finding.place for finding in counted if finding.place is not None), None)
        told = [f"{uncounted(finding)}: {_told(finding)[0]}" for finding in others]
        failures = ["\n".join(_told(finding)) for finding in counted]
        yield Case(address, "", place, failures, skipped=skipped, out=[*told, *blind])
    for hidden, why in report.unreadable.items():
        kind, _, name = hidden.partition("/")
        yield Case(Address(kind, name or "*"), error=f"could not be read, and is not judged: {line(why, WORDS)}")


def _verified(report: Report) -> Iterator[Case]:
    """Test cases of `verify` calls: one fails if the promise is broken, and is skipped if the call was not made."""
    for verdict in report.verdicts:
        case = Case(verdict.probe.app, calls.call(verdict), verdict.place if verdict.counts else None)
        if verdict.counts:
            case.failures = ["\n".join(_told(verdict.finding()))]
        elif verdict.standing is Standing.NOT_RUN:
            case.skipped = f"not run: {line(verdict.message, WORDS)}"
        elif verdict.message:
            case.out = [line(verdict.message, WORDS)]
        yield case


def _landed(report: Report) -> Iterator[Case]:
    """Test cases of changes: one fails with what the org said of its component, or because its step did not land."""
    said: dict[Address, list[str]] = {}
    for finding in report.findings:
        if finding.id == UNDONE:
            said.setdefault(finding.address, []).append("\n".join(_told(finding)))
    for failure in report.failures:
        address = failure.address or Address(failure.kind, failure.record)
        said.setdefault(address, []).append(f"Salesforce: {line(failure.problem, WORDS)}")
    for change in report.changes:
        landing = report.landings.get(change.address)
        case = Case(change.address, "", change.place, type="deployment", out=[_doing(change, landing)])
        failed = said.pop(change.address, [])
        if landing is not Landing.LANDED:
            case.failures = failed or ([] if landing is Landing.UNKNOWN else ["not landed: its step failed as a whole"])
            # A case that both fails and errs would be counted twice.
            case.error = "" if case.failures else "it is unknown whether this landed"
        elif change.address in report.left:
            case.failures = ["landed, and still not as declared", *failed]
        else:
            case.failures = failed
        yield case
    for address in sorted(set(report.left) - {change.address for change in report.changes}):
        yield Case(address, failures=["not as declared, although everything landed"], type="deployment")
    for address, words in said.items():
        yield Case(address, failures=words, type="deployment")


def _doing(change: Change, landing: Landing | None) -> str:
    return f"{change.action}: {landing if landing is not None else 'not sent'}"


def _told(finding: Finding) -> list[str]:
    """The text of a finding: how bad, what and where; who and when; what it means; what to do."""
    told = [f"{finding.severity} {where(finding)}: {what(finding)} [{line(finding.id, NAME)}]"]
    if by := who(finding):
        told.append(f"  {by}")
    if finding.meaning:
        told.append(f"  means: {line(finding.meaning, WORDS)}")
    if finding.place is not None:
        told.append(f"  declared at {line(finding.place, WORDS)}")
    if finding.position is not None:
        told.append(f"  line {finding.position[0]}, column {finding.position[1]} of the source")
    if finding.mend:
        told.append(f"  mend: {line(finding.mend, WORDS)}")
    return told


def _about_the_run(report: Report) -> Iterator[str]:
    """Lines about the whole run that belong to no single test case: refusals, notes, deployments under way."""
    if report.command == "apply":
        for finding in report.findings:
            yield f"found before: {_told(finding)[0]}"
    for refusal in report.refusals:
        what = f"{line(refusal.address, NAME)}: " if refusal.address is not None else ""
        yield f"refused: {line(refusal.guard, NAME)}: {what}{line(refusal.message, WORDS)}"
    for one in report.in_flight:
        yield f"under way: deployment {line(one.id, NAME)} by {line(one.by or one.by_id, NAME)}: {line(one.status, NAME)}"
    yield from (f"note: {line(note, WORDS)}" for note in report.notes)
    yield from (f"resolved: {line(text, WORDS)}" for text in report.resolved)


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "summary", report.trailer
    if report.created:
        yield "created", report.created
    if report.org is not None:
        yield "org", report.org.id
        yield "org.alias", report.org.alias
        yield "org.name", report.org.name
        yield "org.kind", "sandbox" if report.org.is_sandbox else "production"
    if told := heading(report.org, report.created):
        yield "replay", told


def _case(case: Case) -> etree._Element:
    at: dict[str, object] = {}
    if case.place is not None:
        at = {"file": case.place.file, "line": max(1, case.place.line)}
    group, name = (case.address, case.name) if case.name else (case.address.kind, case.address)
    made = _element("testcase", {"classname": group, "name": name, "time": 0, **at})
    if case.failures:
        message = case.failures[0].partition("\n")[0]
        made.append(_element("failure", {"message": message, "type": case.type}, case.failures))
    if case.error:
        made.append(_element("error", {"message": case.error, "type": "unknown"}))
    if case.skipped:
        made.append(_element("skipped", {"message": case.skipped}))
    if case.out:
        made.append(_element("system-out", {}, case.out))
    return made


def _element(tag: str, attributes: Mapping[str, object], lines: Sequence[str] = ()) -> etree._Element:
    """An element around lines that went through `line` already: what XML cannot hold is written out by it."""
    made = etree.Element(tag, {name: line(value, WORDS) for name, value in attributes.items()})
    if lines:
        made.text = "\n".join(lines)
    return made
