"""Refusals that several types share, in Salesforce's words where a source quotes them."""

from __future__ import annotations

from providers.mock.state.errors import Refusal


def no_such(field: str, kind: str, name: str) -> Refusal:
    """The refusal of a reference to a component that does not exist, in Salesforce's pattern for such references."""
    return Refusal(f"In field: {field} - no {kind} named {name} found", "INVALID_CROSS_REFERENCE_KEY")


def no_such_app(app: str) -> Refusal:
    """The refusal of a satellite whose app does not exist: reports give the code, not the sentence after it."""
    text = f"INVALID_CROSS_REFERENCE_KEY: We couldn't find an external client app called {app}"
    return Refusal(text, "INVALID_CROSS_REFERENCE_KEY")


def duplicate(record_id: str) -> Refusal:
    """The refusal of a second record where an app may have one."""
    text = f"duplicate value found: ExternalClientApplicationId duplicates value on record with id: {record_id}"
    return Refusal(text, "DUPLICATE_VALUE")


def not_one_of(value: str, field: str, allowed: tuple[str, ...]) -> Refusal:
    """The refusal of a value that is not one of a field's; the sentence is ours, no source quotes Salesforce's."""
    return Refusal(f"'{value}' is not a valid value for {field}. Valid values are: {', '.join(allowed)}")


def required(field: str) -> Refusal:
    return Refusal(f"Required field is missing: {field}", "REQUIRED_FIELD_MISSING")
