"""A project of its own for each test, with a fresh mock org that is copied from one made for the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.mock import open_org
from tests.e2e.project import Project


@pytest.fixture(scope="session")
def fresh_org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a fresh mock org: making one costs more than copying it."""
    path = tmp_path_factory.mktemp("org") / "org.db"
    open_org(path).close()
    return path


@pytest.fixture
def project(tmp_path: Path, fresh_org: Path) -> Iterator[Project]:
    made = Project(tmp_path, fresh_org)
    yield made
    made.org.close()
