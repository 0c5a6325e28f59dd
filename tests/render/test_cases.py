"""Whole outputs, one folder a case. `REWRITE_CASES=1 pytest tests/render` writes them anew; read that diff."""

import os
from pathlib import Path

import pytest

from reconciler.model.reports import DriftReport
from reconciler.render.json import documents
from reconciler.render.text import outcome, plain

from . import samples

CASES = Path(__file__).parent / "cases"
OUTPUTS = {
    **{f"{name}/plan.txt": plain.plan(plan) for name, plan in samples.PLANS.items()},
    **{f"{name}/plan.json": documents.plan(plan) for name, plan in samples.PLANS.items()},
    **{
        f"{name}/drift.txt": plain.drift(DriftReport(samples.ORG, tuple(found)))
        for name, found in samples.DRIFTS.items()
    },
    **{
        f"{name}/drift.json": documents.drift(DriftReport(samples.ORG, tuple(found)))
        for name, found in samples.DRIFTS.items()
    },
    **{f"{name}/result.txt": outcome.apply_result(result) for name, result in samples.RESULTS.items()},
    **{f"{name}/drift.json": documents.drift(report) for name, report in samples.DRIFT_REPORTS.items()},
    **{f"{name}/drift.txt": plain.drift(report) for name, report in samples.DRIFT_REPORTS.items()},
    **{f"{name}/check.txt": plain.check(report) for name, report in samples.CHECKS.items()},
    **{f"{name}/check.json": documents.check(report) for name, report in samples.CHECKS.items()},
    **{f"{name}/result.json": documents.apply_result(result) for name, result in samples.RESULTS.items()},
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_is_what_a_reader_agreed_to(name):
    """A reviewer who approves plans by their looks, and the scripts that search them."""
    expected = CASES / name
    if os.environ.get("REWRITE_CASES"):
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_text(OUTPUTS[name], encoding="utf-8")

    assert expected.read_text(encoding="utf-8") == OUTPUTS[name]


def test_no_case_folder_is_left_over():
    """Whoever reads an expected output that nothing produces any more."""
    assert {str(p.relative_to(CASES)) for p in CASES.rglob("*") if p.is_file()} == set(OUTPUTS)
