"""The published schemas say the truth: all of it, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from reconciler.errors import Complaint, InputError, Place
from reconciler.render.json import doctor_document, documents, pull_document, schemas, verify_document

from . import samples
from .anything import CHECKS_OF_ANYTHING, DRIFTS_OF_ANYTHING
from .test_doctor import SICK, STOPPED
from .test_text import PLANS_OF_ANYTHING, RESULTS_OF_ANYTHING
from .test_verified import KEPT, REPORT

OUTPUTS = [
    *(("plan", documents.plan(plan)) for plan in samples.PLANS.values()),
    *(("apply", documents.apply_result(result)) for result in samples.RESULTS.values()),
    *(("drift", documents.drift(report)) for report in samples.DRIFT_REPORTS.values()),
    *(("compare", documents.compare(report)) for report in samples.DRIFT_REPORTS.values()),
    *(("check", documents.check(report)) for report in samples.CHECKS.values()),
    *(("doctor", doctor_document.json(found)) for found in (SICK, STOPPED)),
    *(("verify", verify_document.verify(found)) for found in (REPORT, KEPT)),
    *(("pull", pull_document.pull(found)) for found in samples.PULLS.values()),
    ("error", documents.complaints(InputError(Complaint("wrong", Place("app.yaml", 3, 1), "mend it", quote="no")))),
]


def strict(schema: Any) -> Any:
    """A copy that allows no key that it does not name."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {**closed, **{key: strict(value) for key, value in schema.items()}}


PUBLISHED = {name: json.loads(schemas.schema(name)) for name in schemas.NAMES}
STRICT = {name: Draft202012Validator(strict(schema)) for name, schema in PUBLISHED.items()}


def wrong(name: str, text: str) -> list[str]:
    return [error.message for error in STRICT[name].iter_errors(json.loads(text))]


def keys(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all keys of ours; what stands in `before`, `after`, `old` and `new` is Salesforce's."""
    found = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, dict):
            found.append((*path, key))
        if isinstance(item, dict | list) and key not in (
            "before",
            "after",
            "old",
            "new",
            "fingerprints",
            "summary",
            "unreadable",
        ):
            found += keys(item, (*path, key))
    return [one for one in found if not {"after_unknown", "before_sensitive", "after_sensitive"} & {*one[:-1]}]


@pytest.mark.parametrize("name", schemas.NAMES)
def test_a_schema_is_one(name):
    """An editor, or a code generator, that refuses a schema that breaks its own rules."""
    Draft202012Validator.check_schema(PUBLISHED[name])

    assert "https://json-schema.org/draft/2020-12/schema" == PUBLISHED[name]["$schema"]
    assert f"urn:reconciler:schema:{name}:1.2" == PUBLISHED[name]["$id"]


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_key_is_described(name):
    """Whoever reads the schema because that is all the documentation there is."""
    every = [PUBLISHED[name], *PUBLISHED[name]["$defs"].values()]

    assert [] == [key for part in every for key, told in part["properties"].items() if not told.get("description")]


@pytest.mark.parametrize("name", schemas.NAMES)
def test_more_keys_are_allowed(name):
    """Whoever validates with the schema of last year's minor version."""
    text = next(text for command, text in OUTPUTS if command == name)

    assert Draft202012Validator(PUBLISHED[name]).is_valid({**json.loads(text), "new_in_1_3": 1})
    assert not STRICT[name].is_valid({**json.loads(text), "new_in_1_3": 1})


@pytest.mark.parametrize(("name", "text"), OUTPUTS)
def test_every_sample_fits(name, text):
    """Whoever generated types from the schema."""
    assert [] == wrong(name, text)


@settings(max_examples=30)
@given(plan=PLANS_OF_ANYTHING)
def test_every_plan_fits(plan):
    """Whoever's pipeline stops on a plan that does not fit, on the one night that matters."""
    assert [] == wrong("plan", documents.plan(plan))


@settings(max_examples=30)
@given(result=RESULTS_OF_ANYTHING)
def test_every_result_fits(result):
    """The same, after an apply."""
    assert [] == wrong("apply", documents.apply_result(result))


@settings(max_examples=30)
@given(report=DRIFTS_OF_ANYTHING)
def test_every_drift_report_fits(report):
    """The same, of the nightly drift."""
    assert [] == wrong("drift", documents.drift(report))


@settings(max_examples=30)
@given(report=CHECKS_OF_ANYTHING)
def test_every_check_fits(report):
    """The same, of a pull request."""
    assert [] == wrong("check", documents.check(report))


@pytest.mark.parametrize(("name", "text"), [OUTPUTS[3], OUTPUTS[5], OUTPUTS[-3], OUTPUTS[-2]])
def test_a_key_that_is_missing_is_noticed(name, text):
    """Whoever relies on a key because the schema says that it is always there."""
    unnoticed = []
    for path in keys(json.loads(text)):
        content = json.loads(text)
        inner = content
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        if STRICT[name].is_valid(content):
            unnoticed.append(path)

    assert [] == unnoticed
