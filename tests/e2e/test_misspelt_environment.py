"""An environment variable of ours that nothing reads: a pipeline sets it, and believes that it counts."""

import pytest

from tests.e2e.build import app
from tests.e2e.project import Project


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("RECONCILER_VAR_integraton_user", "did you mean RECONCILER_VAR_integration_user?"),
        ("RECONCILER_ORGS", "did you mean RECONCILER_ORG?"),
        ("RECONCILER_PROJEKT", "did you mean RECONCILER_PROJECT?"),
    ],
)
def test_a_name_that_is_almost_ours_is_a_warning(project: Project, name, said) -> None:
    project.declare(app())

    found = project.run("check", **{name: "x"})

    assert (0, True) == (found.code, f"{name} is set, and nothing reads it; {said}" in found.err), found.said


@pytest.mark.parametrize(
    "name", ["RECONCILER_VAR_integration_user", "RECONCILER_VAR_something_else", "RECONCILER_CORPUS"]
)
def test_what_is_read_or_of_another_org_is_none(project: Project, name) -> None:
    project.declare(app())

    assert "nothing reads it" not in project.run("check", **{name: "x@acme.example"}).err
