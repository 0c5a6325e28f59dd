"""SARIF 2.1.0, which code scanning services read: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.

What GitHub makes of it, and its limits: "SARIF support for code scanning",
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.deployment import ComponentFailure, Landing
from reconciler.model.finding import Finding, Unchecked
from reconciler.render.markdown_words import prose
from reconciler.render.report import Report
from reconciler.render.text import calls
from reconciler.render.words import value_text
from reconciler.render.words.about import ERROR, FAILED, About, about, all_about
from reconciler.render.words.recorded import heading
from reconciler.render.words.safe import json_page, line
from reconciler.render.words.what import WORDS, way, what, where
from reconciler.render.words.who import uncounted, who
from reconciler.schema.marks import SourceText
from reconciler.schema.severity import Severity
from reconciler.verify.verdicts import Standing, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
PROJECT_FILE = "reconciler.yaml"
"""Where a finding without a place is shown: a result without a file is not shown at all on GitHub."""
RESULTS = 25_000
"""GitHub refuses a run with more results."""
NAME = 255
"""So many characters of one name."""

Json = dict[str, Any]

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""Inside GitHub's bands: over 9.0 is critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low; none for info."""
_DRIVE = re.compile(r"[A-Za-z]:")


def page(report: Report) -> str:
    """A report as SARIF: all rules, and a result for each finding and failed component, failures first."""
    results = [*_failed(report), *(_from_finding(finding) for finding in report.findings)]
    left_out = len(results) - RESULTS
    results = results[:RESULTS]
    rules = _rules((id, severity) for id, severity, _ in results)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    told = heading(report.org, report.created)
    notes = [*([_note(told)] if told else []), *(_not_checked(one, index) for one in report.unchecked)]
    notes += [_note(_not_run(verdict)) for verdict in report.verdicts if verdict.standing is Standing.NOT_RUN]
    if left_out > 0:
        notes.append(_note(f"{left_out:,} more results are left out: code scanning takes {RESULTS:,}"))
    which = line(report.org.id, NAME) if report.org is not None else "files"
    run = {
        "tool": {"driver": {"name": "reconciler", "version": __version__, "rules": rules}},
        # Without a category of its own, one org's upload would take the place of another's.
        "automationDetails": {
            "id": f"reconciler/{line(report.command, NAME)}/{which}/",
            **({"description": {"text": line(report.org.called, NAME)}} if report.org and report.org.called else {}),
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder of the project file."}}},
        "invocations": [
            {
                "executionSuccessful": _succeeded(report),
                "toolExecutionNotifications": notes,
            }
        ],
        "results": [_numbered(id, severity, result, index) for id, severity, result in results],
    }
    return json_page({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _not_run(verdict: Verdict) -> str:
    return f"{line(verdict.probe.app, NAME)}: not run: {calls.call(verdict)}: {line(verdict.message, WORDS)}"


def _rules(used: Iterable[tuple[str, Severity]]) -> list[Json]:
    """One descriptor for each rule, and one more for each severity that is not its own.

    How bad it is belongs to the rule and not to the result (`security-severity`), and a project may have severities
    of its own; drift has that of the field.
    """
    wanted = {(one.id, one.severity) for one in all_about().values()} | set(used)
    return [_rule(about(id), severity) for id, severity in sorted(wanted)]


def _succeeded(report: Report) -> bool:
    stopped = any(finding.id == ERROR for finding in report.findings)
    return not (stopped or report.unreadable) and all(landing is Landing.LANDED for landing in report.landings.values())


@cache
def _rule(told: About, severity: Severity) -> Json:
    help = {"Who is hurt": told.hurts, "Source": told.source}
    score = {"security-severity": _SCORES[severity]} if severity in _SCORES else {}
    return {
        "id": _rule_id(told.id, severity),
        "name": line(told.name, NAME) or "Unknown",
        "shortDescription": {"text": _message(told.title, 1024)},
        "fullDescription": {"text": _message(told.hurts or told.title, 1024)},
        "help": {
            "text": _message("\n".join([told.title, *(f"{head}: {text}" for head, text in help.items() if text)])),
            "markdown": "\n\n".join(
                [
                    prose(told.title, WORDS),
                    *(f"**{head}:** {prose(text, WORDS)}" for head, text in help.items() if text),
                ]
            ),
        },
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": ["security"], **score},
    }


def _rule_id(id: str, severity: Severity) -> str:
    """The id of a rule in SARIF, with the severity added if it is not the rule's own: `drift.changed/critical`."""
    return line(id, NAME) if severity is about(id).severity else f"{line(id, NAME)}/{severity}"


def _numbered(id: str, severity: Severity, result: Json, index: Mapping[str, int]) -> Json:
    own = _rule_id(id, severity)
    return {"ruleId": own, "ruleIndex": index[own], "level": _LEVELS[severity], **result}


def _from_finding(finding: Finding) -> tuple[str, Severity, Json]:
    found = finding.attribution
    modified = finding.modified
    facts = {
        "address": str(finding.address),
        "path": ".".join(finding.path),
        "severity": str(finding.severity),
        "direction": way(finding),
        "subject": finding.subject,
        "who": found.by or found.by_id if found is not None else "",
        "when": found.date if found is not None else "",
        "confidence": str(found.confidence) if found is not None else "",
        "because": found.because if found is not None else "",
        "touched": ", ".join(
            f"{one.by or one.by_id or 'unknown'} at {one.date or 'an unknown time'}" for one in found.also
        )
        if found is not None
        else str(modified)
        if modified.by or modified.date
        else "",
        "deployment": found.deployment if found is not None else "",
        "mend": finding.mend,
    }
    result: Json = {
        "message": {"text": _message(_told(finding))},
        "locations": [_location(_place(finding), finding.address, finding.path)],
        "partialFingerprints": _fingerprints(finding.key),
        "properties": {name: line(fact, WORDS) for name, fact in facts.items() if fact},
    }
    if finding.known is not None:
        result["baselineState"] = "unchanged" if finding.known else "new"
    if not finding.counts:
        status = "underReview" if finding.deferred and not finding.waived else "accepted"
        why = line(uncounted(finding), WORDS)
        result["suppressions"] = [{"kind": "external", "status": status, "justification": why}]
    return finding.id, finding.severity, result


def _told(finding: Finding) -> str:
    """Return a finding's text. What happened comes first, since some viewers show the first sentence only."""
    position = f"Line {finding.position[0]}, column {finding.position[1]} of the source." if finding.position else ""
    person = who(finding)
    by = f"{person[:1].upper()}{person[1:]}." if person else ""
    mend = f"Mend: {line(finding.mend, WORDS)}." if finding.mend else ""
    return " ".join(
        text
        for text in (f"{where(finding)}: {what(finding)}.", position, by, line(finding.meaning, WORDS), mend)
        if text
    )


def _place(finding: Finding) -> Place | None:
    """The place of a finding: the line inside the Apex source where there is one, else where it is declared."""
    schema = value_text.schema(finding.address)
    field = value_text.field_at(schema, finding.path)
    if finding.place is not None and finding.position is not None and field is not None and field.has(SourceText):
        return Place(finding.place.file, *finding.position)
    return finding.place


def _failed(report: Report) -> list[tuple[str, Severity, Json]]:
    """Results for a failed apply: what the org said of each component.

    Where the org said nothing, a result for each change that is not known to have landed.
    """
    severity = about(FAILED).severity
    if report.failures:
        return [(FAILED, severity, _from_failure(failure)) for failure in report.failures]
    lost = [(address, landing) for address, landing in report.landings.items() if landing is not Landing.LANDED]
    return [(FAILED, severity, _failure(address, f"{landing}", None)) for address, landing in lost]


def _from_failure(failure: ComponentFailure) -> Json:
    address = failure.address or Address(failure.kind, failure.record)
    return _failure(address, f"Salesforce: {failure.problem}", failure.place)


def _failure(address: Address, words: str, place: Place | None) -> Json:
    key = sha256("\x1f".join((FAILED, str(address), words)).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return {
        "message": {"text": _message(f"{line(address, NAME)}: {line(words, WORDS)}")},
        "locations": [_location(place, address)],
        "partialFingerprints": _fingerprints(key),
        "properties": {"address": line(address, WORDS), "severity": str(about(FAILED).severity)},
    }


def _fingerprints(key: str) -> Json:
    """The fingerprints of a result: ours, and the one that GitHub looks at.

    Without the second, all findings without a line would be one alert on GitHub.
    """
    return {"reconciler/v1": key, "primaryLocationLineHash": f"{key}:1"}


def _location(place: Place | None, address: Address, path: tuple[str, ...] = ()) -> Json:
    uri = _uri(place.file) if place is not None else ""
    region = {"startLine": 1}
    if place is not None and uri:
        region = {"startLine": max(1, place.line)} | ({"startColumn": place.column} if place.column > 0 else {})
    name = ".".join([str(address), *path])
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri or PROJECT_FILE, "uriBaseId": "%SRCROOT%"},
            "region": region,
        },
        "logicalLocations": [{"fullyQualifiedName": line(name, WORDS), "kind": "resource"}],
    }


def _uri(file: str) -> str:
    """Return a file's path as a relative reference; empty for a file outside of the project, whose place is not shown."""
    path = file.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        return ""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and not parts:
            return ""
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(quote(part, safe="", errors="surrogatepass") for part in parts)


def _not_checked(one: Unchecked, index: Mapping[str, int]) -> Json:
    text = f"{line(one.id, NAME)} was not checked on {line(one.address, NAME)}: {line(one.message, WORDS)}"
    id = _rule_id(one.id, about(one.id).severity)
    rule = {"associatedRule": {"id": id, "index": index[id]}} if id in index else {}
    return {**_note(text), **rule}


def _note(text: str) -> Json:
    return {"level": "note", "message": {"text": _message(text)}}


def _message(text: str, limit: int = 4 * WORDS) -> str:
    """Text that SARIF does not read as a placeholder (section 3.11.5) or as a link (3.11.6)."""
    shown = "\n".join(line(part) for part in text.split("\n"))
    shown = shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
    return shown.replace("{", "{{").replace("}", "}}").replace("](", "\\](") or "-"
