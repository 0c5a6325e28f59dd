"""What a fresh machine installs is locked: to the byte, for every Python that we support, from whatever index it uses."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.packaging.locked import CUMULUSCI, FOLDER, allowed, pins, project

OURS = [FOLDER / name for name in ("install.txt", "run.txt", "dev.txt", "uv.txt")]
PLATFORMS = [("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows")]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def environment(python: str, platform: tuple[str, str]) -> dict[str, str]:
    sys_platform, system = platform
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": sys_platform,
        "platform_system": system,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def test_no_lock_file_is_forgotten() -> None:
    """A file that no test knows is one that nobody renews."""
    assert sorted(OURS) == sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", [*OURS, CUMULUSCI], ids=lambda file: file.name)
def test_every_file_that_may_be_installed_has_a_hash(file: Path) -> None:
    """What an index serves tomorrow under the same version is not what was tried."""
    found = list(pins(file))

    assert found
    assert [] == [pin.name for pin in found if not pin.hashes]
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", text) for pin in found for text in pin.hashes)


@pytest.mark.parametrize("file", [*OURS, CUMULUSCI], ids=lambda file: file.name)
def test_no_index_and_no_address_is_named(file: Path) -> None:
    """A machine behind a mirror has only that one; and an address of ours is an address of one machine."""
    text = file.read_text(encoding="utf-8")

    assert [] == re.findall(r"\S*://\S*|\S+ @ \S+|^\s*-\S+.*", text.replace("    --hash", " hash"), re.MULTILINE)


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
@pytest.mark.parametrize("python", PYTHONS)
def test_each_thing_has_one_version_and_one_that_is_allowed(file: Path, python: str) -> None:
    """`make lock` was forgotten, otherwise."""
    for platform in PLATFORMS:
        held: dict[str, str] = {}
        for pin in pins(file):
            if pin.holds_for(environment(python, platform)):
                assert pin.name not in held
                held[pin.name] = pin.version
        wanted = [need for need in allowed(file) if need.marker is None or need.marker.evaluate()]

        assert [] == [str(need) for need in wanted if not satisfies(held.get(canonicalize_name(need.name)), need)]


def satisfies(version: str | None, need: Requirement) -> bool:
    return version is not None and need.specifier.contains(version, prereleases=True)


def test_the_tests_run_what_the_demo_runs() -> None:
    """Two versions of one thing, and the suite says nothing about what people use."""
    tried, run = (
        {(pin.name, pin.version): pin.hashes for pin in pins(FOLDER / name)} for name in ("dev.txt", "run.txt")
    )

    assert {} == {which: hashes for which, hashes in run.items() if tried.get(which) != hashes}


def test_every_python_that_may_install_it_is_one_that_is_locked_for() -> None:
    """A lower bound that moves has to move here too."""
    supported = SpecifierSet(project()["project"]["requires-python"])

    assert ["3.11", "3.12", "3.13", "3.14"] == [minor for minor in ("3.10", *PYTHONS) if supported.contains(minor)]
