"""Refusals that several types share, in Salesforce's words where a source quotes them."""

from __future__ import annotations

from providers.mock.state.errors import Refusal


def no_such(field: str, kind: str, name: str) -> Refusal:
    """A reference that leads nowhere; the pattern is Salesforce's for references between components."""
    return Refusal(f"In field: {field} - no {kind} named {name} found", "INVALID_CROSS_REFERENCE_KEY")


def no_such_app(app: str) -> Refusal:
    """A satellite's app does not exist: reports give the code, not the sentence after it."""
    text = f"INVALID_CROSS_REFERENCE_KEY: We couldn't find an external client app called {app}"
    return Refusal(text, "INVALID_CROSS_REFERENCE_KEY")


def duplicate(record_id: str) -> Refusal:
    """A second record where an app may have one."""
    text = f"duplicate value found: ExternalClientApplicationId duplicates value on record with id: {record_id}"
    return Refusal(text, "DUPLICATE_VALUE")


def not_one_of(value: str, field: str, allowed: tuple[str, ...]) -> Refusal:
    """A string field whose values the server checks; the sentence is ours, no source quotes Salesforce's."""
    return Refusal(f"'{value}' is not a valid value for {field}. Valid values are: {', '.join(allowed)}")


def required(field: str) -> Refusal:
    return Refusal(f"Required field is missing: {field}", "REQUIRED_FIELD_MISSING")
