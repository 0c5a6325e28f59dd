"""`mock set` says what came of it."""

from tests.e2e.build import DANA, GLOBAL, portal
from tests.e2e.project import Project


def test_a_value_that_did_not_change_is_said(project: Project) -> None:
    """Who tries out drift would look for it in vain."""
    project.declare(portal())
    project.apply()

    def edited(*changes: str) -> list[str]:
        found = project.run("mock", "set", GLOBAL, *changes, "--as", DANA)
        assert 0 == found.code, found.said
        return found.out.splitlines()

    assert [f"{DANA} changed label of {GLOBAL}"] == edited("label=New")
    assert [f"label of {GLOBAL} did not change: it is New already"] == edited("label=New")
    assert [
        f"{DANA} changed label of {GLOBAL}",
        f"isPkceRequired of {GLOBAL} did not change: it is true whatever is set: the org does not take false",
    ] == edited("label=Newer", "isPkceRequired=false")
    assert ("Newer", "true") == (project.held(GLOBAL, "label"), project.held(GLOBAL, "isPkceRequired"))
