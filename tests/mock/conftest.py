"""An org of its own for each test, in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.mock import Org, open_org
from tests.mock.wire import Wire


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    found = open_org(tmp_path / "org.db")
    yield found
    found.close()


@pytest.fixture
def wire(org: Org) -> Iterator[Wire]:
    found = Wire(org)
    yield found
    found.session.close()
