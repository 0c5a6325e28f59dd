"""The schema that editors check desired documents by: what `check` takes it takes, and it marks what is mistyped."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from reconciler.kinds import all_kinds
from reconciler.render.json import desired_schema
from reconciler.rules import all_rules
from tests.packaging.locked import ROOT

SCHEMA = json.loads(desired_schema.schema())
VALIDATOR = Draft7Validator(SCHEMA)
EXAMPLES = sorted((ROOT / "desired").rglob("*.yaml"))


def wrong(document: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.name)
def test_the_example_fits(file: Path) -> None:
    """The one whose editor marks a file that `check` takes."""
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        assert [] == wrong(document)


@pytest.mark.parametrize("rule", [rule for rule in all_rules().values() if rule.good.files], ids=lambda rule: rule.id)
def test_the_good_examples_of_all_rules_fit(rule) -> None:
    for document in yaml.safe_load_all(rule.good.files):
        assert [] == wrong(document)


APP = {"kind": "ExternalClientApplication", "name": "portal"}


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "ExternalClientAplication", "name": "portal"},
        {**APP, "lable": "x"},
        {"kind": "ExternalClientApplication"},
        {**APP, "globalOauthSettings": {"isTokenExchangeEnabled": "yes"}},
        {**APP, "globalOauthSettings": {"consumerSecret": "hunter2"}},
        {**APP, "globalOauthSettings": {"shouldRotateConsumerSecret": True}},
        {**APP, "distributionState": "local-ish"},
        {**APP, "lifecycle": {"protect": ["everything"]}},
        {**APP, "when": {"orgs": ["prod"]}},
        {"kind": "ConnectedApp", "name": "a", "oauthConfig": {"scopes": ["Apy"]}},
        {"kind": "OauthOidcSettings", "name": "x"},
        [],
    ],
)
def test_what_is_mistyped_is_marked(document) -> None:
    assert wrong(document)


@pytest.mark.parametrize(
    "document",
    [
        {**APP, "globalOauthSettings": {"isTokenExchangeEnabled": "${var.on}", "callbackUrl": "https://a.example"}},
        {**APP, "oauthSettings": {"commaSeparatedOauthScopes": ["Api", "${var.more}"]}},
        {**APP, "globalOauthSettings": {"consumerSecret": {"secret": {"env": "X"}}}, "when": {"org": "prod"}},
        {**APP, "contactPhone": 49301, "description": None},
        {
            "kind": "HandlerEnablement",
            "handler": "Idp",
            "externalClientApp": "a",
            "apexExecutionUser": "u",
            "isDefault": True,
        },
    ],
)
def test_variables_references_and_null_fit(document) -> None:
    assert [] == wrong(document)


def test_every_kind_but_classes_has_its_part() -> None:
    assert {*all_kinds(), "HandlerEnablement"} - {"ApexClass"} == set(SCHEMA["properties"]["kind"]["enum"])
    assert "becomes weaker" in json.dumps(SCHEMA["definitions"]["ConnectedApp"])
