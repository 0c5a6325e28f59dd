"""Runs the core of the suite with other versions than those that are locked: so that a break is seen by us first.

usage: python -m tests.packaging.other_versions UV oldest|newest

`oldest` takes the lowest versions that pyproject.toml allows of what reconciler needs, on the oldest Python that it allows;
`newest` the highest, as an index has them today, on the newest Python that this machine has. What the tests themselves need
stays as it is locked. The wheel is built, installed and run from outside of the clone too: people have no clone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.locked import FOLDER, ROOT, pins, project

CORE = ("apex", "baseline", "desired", "drift", "engine", "kinds", "mock", "model", "packaging", "plan", "project", "rules",
        "salesforce", "schema", "verify", "yaml", "test_files.py", "test_redaction.py", "test_secret_refs.py", "render/test_text.py",
        "e2e/test_exit_codes.py", "e2e/test_idempotence.py", "e2e/test_interrupts.py", "e2e/test_logins.py",
        "e2e/test_mock_serve.py", "e2e/test_output.py", "e2e/test_saved_plan.py")  # fmt: skip
"""Where it leans on what others wrote."""
TOOLS = ("authlib", "hypothesis", "junitparser", "packaging", "pytest", "pytest-xdist", "requests-oauthlib", "vcrpy")
"""What these tests import. What checks types or reads reports is no part of it: it wants newer versions of what we need."""
MINORS = range(11, 15)
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}


def main(uv: str, which: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python = interpreter(oldest=which == "oldest")
        print(f"{which}: {run([python, '--version'], folder).strip()}", flush=True)
        needed = resolved(uv, python, which, folder)
        for line in differences(needed):
            print(f"  {line}", flush=True)
        home = folder / "venv"
        run([uv, "venv", "--quiet", "--python", python, str(home)], folder)
        own = str(home / ("Scripts" if os.name == "nt" else "bin") / "python")
        run([uv, "pip", "install", "--quiet", "--python", own, "-r", str(needed)], folder)
        wheel = built(uv, python, which, folder)
        run([uv, "pip", "install", "--quiet", "--python", own, "--no-deps", str(wheel)], folder)
        try_it(Path(own).with_name("reconciler"), folder)
        sys.exit(
            subprocess.run(
                [own, "-m", "pytest", "-n", "2", *(f"tests/{name}" for name in CORE)], cwd=ROOT, check=False
            ).returncode
        )


def interpreter(*, oldest: bool) -> str:
    """The oldest or newest Python of those that we support and this machine has."""
    found = [path for minor in MINORS for path in interpreters(minor)]
    return found[0 if oldest else -1] if found else sys.executable


def interpreters(minor: int) -> Iterator[str]:
    """Those of one minor version, on the path or as pyenv keeps them, that can be started."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = shutil.which(f"python3.{minor}")
    own = [sys.executable] if sys.version_info[:2] == (3, minor) else []
    for path in [*own, *([named] if named else []), *sorted(map(str, kept.glob(f"3.{minor}.*/bin/python3")))]:
        if 0 == subprocess.run([path, "-c", "import venv"], capture_output=True, check=False).returncode:
            yield path
            return


def resolved(uv: str, python: str, which: str, folder: Path) -> Path:
    """A requirements file: what we need in the versions that are asked for, and the tools as they are locked."""
    ours, both, kept, found = (folder / name for name in ("ours.txt", "both.in", "kept.txt", "found.txt"))
    compile_ = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python", python]
    run([*compile_, "--resolution", RESOLUTIONS[which], str(ROOT / "pyproject.toml"), "-o", str(ours)], folder)
    needed = {pin.name for pin in pins(ours)}
    kept.write_text("".join(f"{pin.requirement}\n" for pin in pins(FOLDER / "dev.txt") if pin.name not in needed))
    both.write_text(ours.read_text() + "".join(f"{name}\n" for name in TOOLS))
    run([*compile_, str(both), "-c", str(kept), "-o", str(found)], folder)
    return found


def differences(found: Path) -> list[str]:
    """What is another version than the one that is locked."""
    locked = {pin.name: pin.version for pin in pins(FOLDER / "dev.txt")}
    return [
        f"{pin.name} {pin.version} (locked: {locked.get(pin.name, 'not at all')})"
        for pin in pins(found)
        if locked.get(pin.name) != pin.version
    ]


def built(uv: str, python: str, which: str, folder: Path) -> Path:
    """The wheel, by the oldest or the newest build backend that pyproject.toml allows."""
    backend = [Requirement(text) for text in project()["build-system"]["requires"]]
    lowest = [
        f"{canonicalize_name(need.name)}=={bound.version}"
        for need in backend
        for bound in need.specifier
        if bound.operator == ">="
    ]
    (folder / "backend.txt").write_text("".join(f"{line}\n" for line in lowest) if which == "oldest" else "")
    # From a copy: a build leaves its traces where it is made.
    copy = folder / "source"
    for name in ("reconciler", "providers"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    out = folder / "dist"
    run([uv, "build", "--quiet", "--wheel", "--python", python, "--build-constraints", str(folder / "backend.txt"), "--out-dir", str(out), str(copy)], folder)  # fmt: skip
    (wheel,) = out.glob("sf_reconciler-*.whl")
    return wheel


def try_it(program: Path, folder: Path) -> None:
    """As somebody who has the wheel and no clone: the help, and a plan of the example against a mock org."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(ROOT / "desired", elsewhere / "desired")
    shutil.copy(ROOT / "reconciler.yaml", elsewhere)
    where = run([str(program.with_name("python")), "-c", "import reconciler, providers; print(reconciler.__file__, providers.__file__)"], elsewhere)  # fmt: skip
    assert str(ROOT) not in where, where
    assert "Usage" in run([str(program), "--help"], elsewhere)
    assert "to create" in run([str(program), "plan", "--detailed-exitcode"], elsewhere, code=2)
    run([str(program), "apply", "--auto-approve", "--output", "html=apply.html"], elsewhere)
    run([str(program), "plan", "--detailed-exitcode"], elsewhere)
    run([str(program), "explain", "TX08"], elsewhere)


def run(command: Sequence[str], folder: Path, code: int = 0) -> str:
    """What a command says; it has to end with this exit code."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(command)}\nexit code {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()), sys.argv[2])
