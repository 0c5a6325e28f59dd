"""An org's last word on a deployment -> `Deployed`: failures by kind and record, with Salesforce's text as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers.salesforce.files.package import MANIFESTS, kind_of_path
from providers.salesforce.wire.refusals import LOCKED
from reconciler.kinds import all_kinds, settings
from reconciler.model.deployment import ComponentFailure, Deployed


def deployed(job: str, result: Mapping[str, Any]) -> Deployed:
    """What became of a deployment, from a DeployResult in REST's form."""
    details = result.get("details")
    details = details if isinstance(details, Mapping) else {}
    tests = details.get("runTestResult")
    failures = [*_components(details), *_tests(tests if isinstance(tests, Mapping) else {})]
    error = ": ".join(filter(None, (_text(result, "errorStatusCode"), _text(result, "errorMessage"))))
    if _text(result, "status") == "Canceled" and not error and _text(result, "canceledByName"):
        error = f"canceled by {_text(result, 'canceledByName')}"
    return Deployed(
        job,
        result.get("success") in (True, "true"),
        _text(result, "status"),
        tuple(failures),
        error,
        tuple(_warnings(details)),
        ids={
            _what(one): id
            for one in _list(details, "componentSuccesses")
            # What is replaced is named twice: as it was, and as it is.
            if (id := _text(one, "id")).strip("0A") and one.get("deleted") not in (True, "true")
        },
    )


_ENDED = ("Succeeded", "SucceededPartial", "Failed", "Canceled", "FinalizingFailed", "FinalizingDeployFailed")
"""https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apex/apex_enum_Metadata_DeployStatus.htm calls the last
one so; others were seen to drop `Deploy`."""


def is_ended(result: Mapping[str, Any]) -> bool:
    """Whether a deployment is over for good. A restarted deployment goes back to Pending, and is as open as before."""
    return result.get("done") in (True, "true") or _text(result, "status") in _ENDED


def stage(result: Mapping[str, Any]) -> str:
    """How far a deployment is, for people: the org's word, and in steps of tenths how much of it is done."""
    done, total = _number(result, "numberComponentsDeployed"), _number(result, "numberComponentsTotal")
    share = f", {done * 10 // total * 10} % of {total} components" if total and done <= total else ""
    return f"{_text(result, 'status') or 'unknown'}{share}"


@dataclass(frozen=True, slots=True)
class Seen:
    """The components that an org's messages about a deployment name."""

    named: frozenset[tuple[str, str]]
    absent: int
    """Removals of what was not there: the org names the list instead of the component."""


def components_of(result: Mapping[str, Any]) -> Seen:
    """Kind and record of each component that a DeployResult speaks of, manifests left out."""
    details = result.get("details")
    named, absent = set(), 0
    for name in ("componentSuccesses", "componentFailures"):
        for one in _list(details if isinstance(details, Mapping) else {}, name):
            if _text(one, "fullName") not in MANIFESTS:
                named.add(_what(one))
            elif _text(one, "componentType"):
                absent += 1
    return Seen(frozenset(named), absent)


_LOCK_TEXTS = ("unable to obtain exclusive access", *(code.casefold() for code in LOCKED))


def is_locked(done: Deployed) -> bool:
    """True for a deployment that failed because of locked records, and for no other reason.

    It did nothing (rollbackOnError), so it may be sent again.
    """
    said = [failure.problem for failure in done.failures] or [done.error]
    return done.status in ("Failed", "Refused") and all(
        any(text in problem.casefold() for text in _LOCK_TEXTS) for problem in said
    )


def _components(details: Mapping[str, Any]) -> Iterator[ComponentFailure]:
    for one in _list(details, "componentFailures"):
        kind, record = _what(one)
        yield ComponentFailure(
            kind,
            record,
            _text(one, "problem"),
            _number(one, "lineNumber"),
            _number(one, "columnNumber"),
            _text(one, "fileName"),
        )


def _tests(result: Mapping[str, Any]) -> Iterator[ComponentFailure]:
    """The failed tests and missing coverage of a deployment as failures: they stop it as a component's fault does."""
    for one in _list(result, "failures"):
        problem = ": ".join(filter(None, (_text(one, "methodName"), _text(one, "message"))))
        yield ComponentFailure("ApexClass", _text(one, "name"), problem)
    for one in _list(result, "codeCoverageWarnings"):
        yield ComponentFailure("ApexClass", _text(one, "name"), _text(one, "message"))


def _warnings(details: Mapping[str, Any]) -> Iterator[str]:
    for one in _list(details, "componentSuccesses"):
        if _text(one, "problemType") == "Warning" and _text(one, "problem"):
            kind, record = _what(one)
            yield f"{kind}/{record}: {_text(one, 'problem')}" if kind else f"{record}: {_text(one, 'problem')}"


def _what(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and record that a message is about. Settings go by their own type, by `Settings`, or by their file."""
    kind, record = _text(message, "componentType"), _text(message, "fullName")
    if kind in all_kinds():
        return kind, record
    if kind == "Settings":
        return next((name for name, one in settings().items() if one.singleton == record), kind), record
    found = kind_of_path(_text(message, "fileName"))
    return (found[0].__name__, record or found[1]) if found is not None and not kind else (kind, record)


def _list(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = values.get(name)
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]


def _text(values: Mapping[str, Any], name: str) -> str:
    found = values.get(name)
    return "" if found is None else str(found)


def _number(values: Mapping[str, Any], name: str) -> int:
    found = _text(values, name)
    return int(found) if found.isascii() and found.isdigit() else 0
