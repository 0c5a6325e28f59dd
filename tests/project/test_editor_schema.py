"""The schema that editors check `reconciler.yaml` by."""

import json
import re
from typing import Any

import pytest
import yaml

from reconciler.project import editor_schema
from reconciler.project.login_section import FLOWS
from tests.packaging.locked import ROOT

# The oldest and newest versions of what we need are tried without the tools of the tests.
Draft7Validator = pytest.importorskip("jsonschema").Draft7Validator
SCHEMA = json.loads(editor_schema.schema())
VALIDATOR = Draft7Validator(SCHEMA)


def wrong(text: str) -> list[Any]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


def test_our_own_project_file_and_that_of_the_readme_fit() -> None:
    blocks = re.findall(r"```yaml\n(project:.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)

    assert blocks
    for text in (*blocks, (ROOT / "reconciler.yaml").read_text(encoding="utf-8")):
        assert [] == wrong(text)


@pytest.mark.parametrize("name", FLOWS)
def test_each_way_to_log_in_has_its_keys(name) -> None:
    flow = FLOWS[name]
    keys = {**dict.fromkeys(flow.texts, "x"), **{key: {"secret": {"env": "X"}} for key in flow.secrets}}
    good = {
        "project": "p",
        "orgs": {"a": {"instance_url": "https://a.my.salesforce.com", "login": {"flow": name, **keys}}},
    }
    bad = {"project": "p", "orgs": {"a": {"login": {"flow": name, **keys, "pasword": "x"}}}}

    assert [] == wrong(json.dumps(good))
    assert wrong(json.dumps(bad))


@pytest.mark.parametrize(
    "text",
    [
        "orgs: {a: {mock: a.db}}",
        "project: p",
        "project: p\norgs: {}",
        "project: p\norg: {a: {mock: a.db}}",
        "project: p\norgs: {a: {mok: a.db}}",
        "project: p\norgs: {a: {mock: a.db, api_version: 63}}",
        "project: p\norgs: {a: {mock: a.db, rules: {OA99: high}}}",
        "project: p\norgs: {a: {mock: a.db, rules: {OA01: grave}}}",
        "project: p\ndesired: []\norgs: {a: {mock: a.db}}",
    ],
)
def test_what_is_mistyped_is_marked(text) -> None:
    assert wrong(text)
