"""Runs only where it is asked for: RECONCILER_INTEROP is `all`, or `python` for the clients that pip installs.

Asked for, a client that is missing is a failure and no test is skipped.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop import covers
from tests.interop.cumulusci import CumulusCi
from tests.interop.installed import OUTSIDE, environment
from tests.interop.jsforce import Jsforce
from tests.interop.pipeline import Pipeline
from tests.interop.sf import Sf
from tests.interop.stand import Stand, standing

if TYPE_CHECKING:
    from simple_salesforce import Salesforce

    from tests.interop.strict import Strict

ASKED = os.environ.get("RECONCILER_INTEROP", "")
NPM = {"fresh_sf", "jsforce"}
"""Fixtures that need what npm installs."""
collect_ignore = ["test_table.py"] if ASKED else [f"{name}.py" for name in covers.MODULES]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "covers(client, *rows): the cells of docs/interop.md that a test fills")
    if ASKED not in ("", "all", "python"):
        raise pytest.UsageError(f"RECONCILER_INTEROP is all or python, not {ASKED}")
    if ASKED:
        from tests.interop.loopback import sitecustomize  # noqa: F401 (from here on this process is held to it too)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties += [("covers", cell) for cell in covers.cells(item.iter_markers("covers"))]
    if ASKED == "python":
        npm = [item for item in items if NPM & {*getattr(item, "fixturenames", ())}]
        items[:] = [item for item in items if item not in npm]
        config.hook.pytest_deselected(items=npm)


# -- the page ---------------------------------------------------------------------------------------------------------

_passed: dict[covers.Cell, bool] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With several workers this is called where they report to."""
    for name, cell in report.user_properties:
        if name == "covers" and (report.when == "call" or not report.passed):
            _passed[tuple(cell)] = _passed.get(tuple(cell), True) and report.passed


def pytest_sessionfinish(session: pytest.Session) -> None:
    if ASKED == "all" and os.environ.get("REWRITE_DOCS") and not hasattr(session.config, "workerinput"):
        covers.PAGE.write_text(covers.page(cell for cell, passed in _passed.items() if passed), encoding="utf-8")


# -- what tests get ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("org")) as found:
        yield found


@pytest.fixture
def org(stand: Stand) -> Stand:
    """The org as it was when it was new."""
    stand.restore()
    return stand


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for clients. Whoever talks to anybody but this machine is told on."""
    found = tmp_path / "home"
    outside = found / "outside"
    # For the clients that are libraries, and run in this process.
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.lower(), raising=False)
    monkeypatch.setenv(OUTSIDE, str(outside))
    yield found
    assert "" == (outside.read_text(encoding="utf-8") if outside.exists() else "")


@pytest.fixture(scope="session")
def logged_in(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the Salesforce CLI is logged in to the org, over HTTP."""
    stand.restore()
    home = tmp_path_factory.mktemp("sf") / "home"
    sf = Sf(home.with_name("project"), environment(home, stand.http.environment("sf")))
    sf("org login access-token", "--instance-url", stand.url, "--no-prompt")
    return home


@pytest.fixture
def fresh_sf(tmp_path: Path, home: Path, org: Stand) -> Sf:
    """The Salesforce CLI of somebody who has never logged in anywhere."""
    return Sf(tmp_path / "project", environment(home, org.https.environment("sf")))


@pytest.fixture
def sf(fresh_sf: Sf, home: Path, org: Stand, logged_in: Path) -> Sf:
    """The Salesforce CLI, in a project of its own, logged in to the org."""
    shutil.copytree(logged_in, home, dirs_exist_ok=True)
    fresh_sf.env["SF_TARGET_ORG"] = org.org.admin_username
    return fresh_sf


@pytest.fixture
def jsforce(home: Path, org: Stand) -> Jsforce:
    """jsforce, with a connection to the org."""
    return Jsforce(org.http.line("jsforce"), environment(home, org.https.environment("jsforce")))


@pytest.fixture
def trusting(home: Path, org: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries in this process trust the org's certificate, as `mock serve` says."""
    for name, value in org.https.environment("simple-salesforce").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def simple(org: Stand, trusting: None) -> "Salesforce":
    """simple-salesforce's client of somebody who has a token."""
    from simple_salesforce import Salesforce

    return Salesforce(session_id=org.token, instance_url=org.tls, version="64.0")


@pytest.fixture
def strict(org: Stand, trusting: None) -> Iterator["Strict"]:
    """zeep, with the WSDL."""
    from tests.interop.strict import Strict

    found = Strict(org.https.line("zeep"), org.token)
    yield found
    found.session.close()


@pytest.fixture
def cci(tmp_path: Path, home: Path, org: Stand) -> CumulusCi:
    """CumulusCI, in a project of its own; it knows the org as `mock`. The Salesforce CLI is there for it to ask."""
    served = org.https.environment("sf"), org.https.environment("CumulusCI")
    return CumulusCi(tmp_path / "cumulusci", environment(home, *served))


@pytest.fixture
def pipeline(tmp_path: Path, org: Stand) -> Pipeline:
    """An app of the org that pipelines log in with."""
    return Pipeline.made(org, tmp_path)
