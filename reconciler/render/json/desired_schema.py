"""The JSON Schema (draft 7) of a desired document, for editors: allowed fields and their meaning. Made from the kinds.

An editor that knows it completes kinds, fields and values, and marks what `reconciler check` would refuse. It is not as strict:
what depends on several fields, or on an org, only `check` and `plan` know.
"""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.kinds import ENABLEMENT, HANDLER, all_kinds, satellites
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import (
    ApiKey,
    Commas,
    Default,
    Forced,
    Immutable,
    Imperative,
    Known,
    Lines,
    Means,
    Ref,
    Since,
    SourceText,
    Until,
    WriteOnly,
)

DIALECT = "http://json-schema.org/draft-07/schema#"
APP = "ExternalClientApplication"
_VARIABLE = {"type": "string", "pattern": r"^\$\{var\.[A-Za-z_][A-Za-z0-9_]*\}$"}
_NAME = {"type": "string", "pattern": r"^([A-Za-z][A-Za-z0-9_]*|.*\$\{var\..*)$"}
_SECRET: dict[str, Any] = {
    "description": "A reference to a secret; its value stands in no file.",
    "type": "object",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {
        "secret": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "env": {"type": "string", "description": "An environment variable."},
                "file": {"type": "string", "description": "A file inside of the project."},
                "command": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "A program with its arguments; runs only with --allow-commands.",
                },
            },
        }
    },
}
_LIFECYCLE: dict[str, Any] = {
    "type": "object",
    "description": "What must not happen to the resource, and which fields keep their live value.",
    "additionalProperties": False,
    "properties": {
        "protect": {
            "type": "array",
            "items": {"enum": ["delete", "replace"]},
            "description": "Refused however it is asked for.",
        },
        "ignore": {"type": "array", "items": {"type": "string"}, "description": "Fields that keep their live value."},
    },
}
_ORGS: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_WHEN: dict[str, Any] = {
    "type": "object",
    "description": "The orgs that the document is for, by their names in reconciler.yaml; * and ? fit several.",
    "required": ["org"],
    "additionalProperties": False,
    "properties": {"org": _ORGS},
}


def schema() -> str:
    """The JSON Schema of one desired document. A file may contain several; each is checked by itself."""
    kinds = {name: kind for name, kind in all_kinds().items() if not _is_source(kind)}
    names = [*kinds, "HandlerEnablement"]
    definitions = {name: _document(kind) for name, kind in kinds.items()}
    definitions["HandlerEnablement"] = _enablement_document()
    definitions |= {kind.__name__ + "Section": _section(kind) for kind in satellites().values()}
    content = {
        "$schema": DIALECT,
        "$id": "urn:reconciler:schema:desired:1",
        "title": "reconciler: a desired document",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": names, "description": "What the document declares."}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/definitions/{name}"},
            }
            for name in names
        ],
        "definitions": definitions,
    }
    return json.dumps(content, indent=2) + "\n"


def _is_source(kind: type[Kind]) -> bool:
    """Whether records of a kind are written as a source and a meta file (Apex), not as a YAML document."""
    return any(one.has(SourceText) for one in kind.fields().values())


def _document(kind: type[Kind]) -> dict[str, Any]:
    properties: dict[str, Any] = {"kind": {"const": kind.__name__}, "lifecycle": _LIFECYCLE, "when": _WHEN}
    required = ["kind"]
    if kind.section:
        properties["name"] = {**_NAME, "description": "The record's name in the org; not needed."}
        required.append(kind.owner_field())
    elif not kind.singleton:
        properties["name"] = {**_NAME, "description": "The API name."}
        required.append("name")
    if kind.__name__ == APP:
        for key, section in satellites().items():
            properties[key] = {"$ref": f"#/definitions/{section.__name__}Section"}
    return _object({**properties, **_fields(kind)}, _about(kind), required)


def _section(kind: type[Kind]) -> dict[str, Any]:
    own = {name: one for name, one in _fields(kind).items() if name != kind.owner_field()}
    return _object({"name": _NAME, **own}, _about(kind), [])


def _enablement_document() -> dict[str, Any]:
    struct = all_kinds()[HANDLER].fields()[ENABLEMENT].struct or Struct
    properties = {"kind": {"const": "HandlerEnablement"}, "handler": _NAME, "lifecycle": _LIFECYCLE, "when": _WHEN}
    return _object({**properties, **_fields(struct)}, "An app that may use a handler.", ["kind", "handler"])


def _about(kind: type[Kind]) -> str:
    return f"{' '.join((kind.__doc__ or '').split())} Since API version {kind.since:.1f}."


def _object(properties: Mapping[str, Any], about: str, required: list[str]) -> dict[str, Any]:
    found = {"type": "object", "description": about, "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": required} if required else found


def _fields(struct: type[Struct]) -> dict[str, Any]:
    return {name: _field(one) for name, one in struct.fields().items() if not one.has(SourceText)}


def _field(one: Field) -> dict[str, Any]:
    about = _words(one)
    described = {"description": about} if about else {}
    if one.has(Imperative):
        return {**described, "enum": [False, None]}
    if one.has(WriteOnly):
        return {**_SECRET, "description": f"{_SECRET['description']} {about}".strip()}
    choices = _value(one)
    if not one.required and not one.has(ApiKey):
        choices.append({"type": "null"})
    return {**described, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}


def _value(one: Field) -> list[dict[str, Any]]:
    """The schemas that a field's value may match; one of them is enough."""
    if one.struct is not None:
        inner: dict[str, Any] = _object(_fields(one.struct), "", [])
        del inner["description"]
        return [{"type": "array", "items": inner}] if one.repeated else [inner]
    if one.repeated or one.has(Commas, Lines):
        entry = _entry(one)
        lists: list[dict[str, Any]] = [{"type": "array", "items": entry}]
        return [*lists, {"type": "string"}] if one.has(Commas, Lines) else lists
    return [_entry(one)]


def _entry(one: Field) -> dict[str, Any]:
    known = one.mark(Known)
    values = one.values or (known.values if known is not None and not known.pattern and not known.ignore_case else ())
    if values:
        return {"anyOf": [{"enum": list(values)}, _VARIABLE]}
    kind = {"boolean": "boolean", "int": "integer", "double": "number"}.get(one.wire)
    return {"anyOf": [{"type": kind}, _VARIABLE]} if kind is not None else {"type": ["string", "number", "boolean"]}


def _words(one: Field) -> str:
    """The description of a field in a few sentences, which editors show."""
    parts = []
    means = one.mark(Means)
    if means is not None:
        parts.append(f"When it becomes weaker: {means.weakened}")
        if means.tightened:
            parts.append(f"When it becomes stronger: {means.tightened}")
    ref, default, forced = one.mark(Ref), one.mark(Default), one.mark(Forced)
    if ref is not None:
        parts.append(f"Names a {ref.kind}.")
    if default is not None:
        parts.append(f"Default: {json.dumps(default.value) if not isinstance(default.value, frozenset) else 'none'}.")
    if forced is not None:
        parts.append(f"The org holds {json.dumps(forced.value)} whatever is sent: {forced.why}")
    if one.has(Immutable):
        parts.append("Settable when the record is created, never afterwards.")
    since, until = one.mark(Since), one.mark(Until)
    if since is not None:
        parts.append(f"Since API version {since.version:.1f}.")
    if until is not None:
        parts.append(f"Until API version {until.version:.1f}.")
    return " ".join(parts)
