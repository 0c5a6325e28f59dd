"""Another package called `providers`, earlier on Python's path: a usual name, and no reason for a crash."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import own_providers
from tests.e2e.build import app
from tests.e2e.project import Project

ANOTHER = {
    "a package": {"providers/__init__.py": "raise SystemExit('the wrong one')"},
    "a module": {"providers.py": "raise SystemExit('the wrong one')"},
    "one with parts of ours": {"providers/__init__.py": "", "providers/mock/__init__.py": ""},
    "a folder": {"providers/aws.py": ""},
}


def _python(project: Project, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "another"),
    [
        *(("plan --output json", another) for another in ANOTHER),
        ("mock users", "a package"),
        ("mock audit", "a module"),
    ],
)
def test_ours_is_found_though_another_one_is_earlier_on_the_path(project: Project, another: str, command: str) -> None:
    """The user's own folder of that name has nothing to do with us."""
    project.declare(app())
    _write(project.root / "lib", ANOTHER[another])

    done = _python(project, "-m", "reconciler", *command.split(), path=project.root / "lib")

    assert (0, False) == (done.returncode, "wrong one" in done.stdout + done.stderr), done.stderr


def test_a_folder_of_that_name_where_we_are_run_is_none_of_ours(project: Project) -> None:
    """`python -m` puts the working folder first on the path."""
    project.declare(app())
    _write(project.root, ANOTHER["a package"])

    done = _python(project, "-m", "reconciler", "plan", "--output", "json", path=project.root / "nothing")

    assert (0, "1 to create") == (
        done.returncode,
        "1 to create" * (len(json.loads(done.stdout)["resource_changes"]) == 1),
    )


def test_another_one_that_is_loaded_already_is_named(project: Project) -> None:
    """A program that uses us as a library and has its own: an ImportError would look like a defect of ours."""
    _write(project.root / "lib", {"providers/__init__.py": ""})
    code = "import sys, providers; from reconciler.cli import main; sys.argv = ['reconciler', 'plan']; main()"

    done = _python(project, "-c", code, path=project.root / "lib")

    place = str((project.root / "lib" / "providers").resolve())
    assert (3, True, True) == (done.returncode, place in done.stderr, "unexpected" not in done.stderr), done.stderr


def test_a_program_keeps_its_own_providers_until_an_org_is_asked(project: Project) -> None:
    """Whoever only reads desired files with us has lost nothing."""
    _write(project.root / "lib", {"providers/__init__.py": "mine = True"})
    code = "import reconciler.desired.load, reconciler.cli.workspace, providers; print(providers.mine)"

    assert "True\n" == _python(project, "-c", code, path=project.root / "lib").stdout


def test_our_folder_is_where_the_package_is() -> None:
    """Beside `reconciler`, in a wheel and in a clone alike."""
    assert (own_providers.FOLDER / "salesforce").is_dir()
