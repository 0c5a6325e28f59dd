"""One furnished project for all cells of a worker: each gets a copy."""

from pathlib import Path

import pytest

from tests.e2e.conftest import fresh_org
from tests.e2e.project import Project
from tests.faults.scene import furnish, hurried

__all__ = ["fresh_org"]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Project:
    with hurried():
        return furnish(tmp_path_factory.mktemp("furnished"), fresh_org)
