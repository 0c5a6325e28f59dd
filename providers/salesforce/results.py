"""An org's last word on a deployment -> `Deployed`: failures by kind and record, with Salesforce's text as it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.salesforce.package import kind_of_path
from reconciler.kinds import all_kinds, settings
from reconciler.model import ComponentFailure, Deployed


def deployed(job: str, result: Mapping[str, Any]) -> Deployed:
    """What became of a deployment, from a DeployResult in REST's form."""
    details = result.get("details")
    details = details if isinstance(details, Mapping) else {}
    tests = details.get("runTestResult")
    failures = [*_components(details), *_tests(tests if isinstance(tests, Mapping) else {})]
    error = ": ".join(filter(None, (_text(result, "errorStatusCode"), _text(result, "errorMessage"))))
    return Deployed(
        job,
        result.get("success") in (True, "true"),
        _text(result, "status"),
        tuple(failures),
        error,
        tuple(_warnings(details)),
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
    """Failed tests and missing coverage stop a deployment as a component's fault does."""
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
    """Kind and record that a message is about. Settings go by their own type, by `Settings`, or by their file."""
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
