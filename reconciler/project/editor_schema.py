"""The JSON Schema (draft 7) of `reconciler.yaml`, for editors: what may stand there. Made from what reads it.

`${env.NAME}` may stand in most texts, so these are not looked at more closely; `check` is.
"""

import json
from typing import Any, get_args

from reconciler.project.loading import TestLevel
from reconciler.project.login_section import FLOWS
from reconciler.rules import all_rules
from reconciler.rules.settings import OWN
from reconciler.schema.severity import Severity
from reconciler.verify.inputs import SECRETS, TEXTS

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_FOLDERS: dict[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_SECRET: dict[str, Any] = {
    "type": "object",
    "description": "A reference to a secret; its value stands in no file.",
    "required": ["secret"],
    "additionalProperties": False,
    "properties": {"secret": {"type": "object", "minProperties": 1, "maxProperties": 1}},
}


def schema() -> str:
    """The schema of the project file."""
    content = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:reconciler:schema:project:1",
        "title": "reconciler: the project file",
        "type": "object",
        "required": ["project", "orgs"],
        "additionalProperties": False,
        "properties": {
            "project": {**_TEXT, "description": "The project's name: baselines belong to it and to an org."},
            "desired": {**_FOLDERS, "description": "The folder of desired files, or several; `desired` if not given."},
            "default_org": {**_TEXT, "description": "The org that is meant where --org is not given."},
            "watch": {"enum": ["all", "managed"], "description": "What drift is looked for in."},
            "orgs": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/definitions/org"}},
            "rules": {"$ref": "#/definitions/rules"},
            "waivers": {"type": "array", "items": _waiver()},
        },
        "definitions": {"org": _org(), "login": _login(), "rules": _rules(), "verify": _verify()},
    }
    return json.dumps(content, indent=2) + "\n"


def _org() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "One org: a mock org's file, or an address and a login.",
        "additionalProperties": False,
        "properties": {
            "mock": {**_TEXT, "description": "The file of a mock org on this machine, made when it is first used."},
            "instance_url": {**_TEXT, "description": "The org's address: https://acme.my.salesforce.com."},
            "org_id": {**_TEXT, "description": "15 or 18 characters; another org is refused."},
            "api_version": {"type": "string", "pattern": r"^[1-9][0-9]{1,2}\.0$"},
            "test_level": {"enum": list(get_args(TestLevel))},
            "tests": {"type": "array", "items": _TEXT},
            "protected": {"type": "boolean", "description": "Applies only plans that were saved."},
            "desired": {**_FOLDERS, "description": "Folders of desired files for this org alone."},
            "overlay": {
                **_FOLDERS,
                "description": "Folders of documents that change fields of the others for this org.",
            },
            "variables": {"type": "object", "additionalProperties": {"type": "string"}},
            "login": {"$ref": "#/definitions/login"},
            "rules": {"$ref": "#/definitions/rules"},
            "verify": {"$ref": "#/definitions/verify"},
        },
    }


def _login() -> dict[str, Any]:
    """One choice for each way to log in; the mock org takes a username alone."""
    choices: list[dict[str, Any]] = [
        {"type": "object", "additionalProperties": False, "properties": {"username": _TEXT}},
    ]
    for name, flow in FLOWS.items():
        keys: dict[str, Any] = {"flow": {"const": name}}
        keys |= {key: {"anyOf": [_TEXT, _SECRET]} for key in (*flow.texts, *flow.maybe)}
        keys |= dict.fromkeys((*flow.secrets, *flow.maybe_secrets), _SECRET)
        keys |= {key: {"type": "boolean"} for key in flow.flags}
        required = ["flow", *flow.needed]
        choices.append(
            {
                "type": "object",
                "description": f"{flow.about[0].upper()}{flow.about[1:]}.",
                "required": required,
                "additionalProperties": False,
                "properties": keys,
            }
        )
    return {"anyOf": choices}


def _rules() -> dict[str, Any]:
    severity = {"enum": [*(str(one) for one in Severity), "off", False]}
    known = {rule.id: {**severity, "description": rule.title} for rule in all_rules().values()}
    return {"type": "object", "properties": {**known, **dict.fromkeys(OWN, severity)}, "additionalProperties": False}


def _waiver() -> dict[str, Any]:
    keys = ("rule", "address", "reason", "owner", "expires")
    properties: dict[str, Any] = dict.fromkeys(keys, _TEXT)
    return {"type": "object", "required": list(keys), "additionalProperties": False, "properties": properties}


def _verify() -> dict[str, Any]:
    keys = {key: {**_SECRET, "description": words} for key, words in SECRETS.items()}
    keys |= {key: {**_TEXT, "description": words} for key, words in TEXTS.items()}
    app = {"type": "object", "additionalProperties": False, "properties": keys}
    return {"type": "object", "additionalProperties": app}
