"""`fmt`: desired files in canonical form."""

import pytest
import yaml

from tests.e2e.project import Project
from tests.packaging.locked import ROOT

MESSY = "name: portal  # ours\nkind: ExternalClientApplication\nlabel:   P\ncontactEmail: a@acme.example\n"
NEAT = "kind: ExternalClientApplication\nname: portal  # ours\ncontactEmail: a@acme.example\nlabel: P\n"


def test_a_file_is_rewritten_once_and_means_the_same(project: Project) -> None:
    project.declare(MESSY)
    project.apply()

    asked = project.run("fmt", "--check")
    assert (2, MESSY) == (asked.code, (project.root / "desired/identity.yaml").read_text())
    done = project.run("fmt")

    assert (0, NEAT) == (done.code, (project.root / "desired/identity.yaml").read_text()), done.said
    assert ({}, 0) == (project.planned(), project.run("fmt", "--check").code)


def test_only_what_is_named_is_rewritten(project: Project) -> None:
    project.declare(MESSY)
    (project.root / "desired/other.yaml").write_text(MESSY.replace("portal", "other"))

    assert 0 == project.run("fmt", "desired/other.yaml").code

    assert MESSY == (project.root / "desired/identity.yaml").read_text()
    assert NEAT.replace("portal", "other") == (project.root / "desired/other.yaml").read_text()


@pytest.mark.parametrize("arguments", [("nonsense.yaml",), ("reconciler.yaml",)])
def test_what_is_no_desired_file_is_refused(project: Project, arguments) -> None:
    project.declare(MESSY)

    found = project.run("fmt", *arguments)

    assert (3, True) == (found.code, "holds no desired file" in found.err), found.said


def test_the_hooks_for_pre_commit_run_what_they_say(project: Project) -> None:
    """The hook that a team switches on, and that fails at the first commit because a command is called otherwise."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    project.declare(NEAT)

    assert {"reconciler-check", "reconciler-fmt"} == {hook["id"] for hook in hooks}
    for hook in hooks:
        program, *words = hook["entry"].split()
        found = project.run(*words, *hook.get("args", []))
        assert ("reconciler", 0) == (program, found.code), found.said
        assert hook["pass_filenames"] is False
