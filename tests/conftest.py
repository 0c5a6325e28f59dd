"""For all tests: speed is never asserted, and what hypothesis found once is not remembered between machines.

With RECONCILER_SAME_EXAMPLES it takes the same examples in every run: whether a change may land must not depend on luck.
Elsewhere it takes new ones each time, and what it finds is mended. `make properties` takes more of them.

Ctrl-C is ignored by whatever a shell starts in the background, and by `nohup`; children inherit that, and those that a test
interrupts would go on for ever. What is `caught` goes back to the default in a child, so here it is caught, and still ignored.
"""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from reconciler import redaction
from tests.desired.build import Folder

settings.register_profile(
    "project",
    deadline=None,
    database=None,
    max_examples=int(os.environ.get("RECONCILER_EXAMPLES", "50")),
    derandomize=bool(os.environ.get("RECONCILER_SAME_EXAMPLES")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("project")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, lambda _number, _frame: None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """What a test holds as a secret is none in the next one: else the order of tests would decide what is masked."""
    with redaction.running():
        return (yield)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder of desired files."""
    return Folder(tmp_path)
