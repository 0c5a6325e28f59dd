"""Who is asked: any provider whose org can be made afresh. The author of another one adds a line to `CHANGING`.

A maker yields a provider and, for tests that need another hand in the org, what edits it. A replay answers from a recording of
the same org, so it is asked only what can be read.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers import Connection, connect, recording, replay
from providers.mock import Org, open_org, serving
from reconciler.provider import Provider
from reconciler.schema.values import SecretRef

SECRET = "hunter2hunter2hunter2"


def quiet(_stage: str) -> None:
    """A progress that is not shown."""


def value_of(_ref: SecretRef) -> str:
    return SECRET


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider, and its org as others see it."""

    provider: Provider
    org: Org
    """Only tests that need somebody else's hand touch it: a provider for another system brings its own."""


@contextmanager
def _opened(folder: Path) -> Iterator[Org]:
    org = open_org(folder / "org.db")
    try:
        yield org
    finally:
        org.close()


def _token(url: str, by: str = "auto") -> Connection:
    login = {"flow": "token", "access_token": SecretRef("env", "TOKEN")}
    return Connection(name="org", instance_url=url, login=login, deploy_by=by)


@contextmanager
def embedded(folder: Path) -> Iterator[Candidate]:
    """A mock org in this process, without a socket."""
    with _opened(folder) as org:
        yield Candidate(connect(Connection(mock=folder / "org.db"), value_of), org)


def served(by: str) -> Callable[[Path], AbstractContextManager[Candidate]]:
    """A mock org over HTTP; deployments go by REST or by SOAP."""

    @contextmanager
    def make(folder: Path) -> Iterator[Candidate]:
        with _opened(folder) as org, serving(org) as (url, _):
            token = org.access_token()
            yield Candidate(connect(_token(url, by), lambda ref: token), org)

    return make


@contextmanager
def recorded(folder: Path) -> Iterator[Candidate]:
    """A mock org that is being recorded."""
    with _opened(folder) as org:
        kept = recording(frozenset())
        yield Candidate(connect(Connection(mock=folder / "org.db"), value_of, recording=kept), org)


@contextmanager
def replayed(folder: Path) -> Iterator[Candidate]:
    """A recording of a mock org."""
    from providers.salesforce.recordings.file import write

    with _opened(folder) as org:
        kept = recording(frozenset())
        live = connect(Connection(mock=folder / "org.db"), value_of, recording=kept)
        live.read([], quiet)
        found = live.org()
        write(folder / "org.json", kept.finished(found.id, found.api_version, datetime.now(UTC)))
        yield Candidate(replay(folder / "org.json"), org)


CHANGING: Mapping[str, Callable[[Path], AbstractContextManager[Candidate]]] = {
    "embedded": embedded,
    "by REST": served("rest"),
    "by SOAP": served("soap"),
    "recorded": recorded,
}
MAKERS = {**CHANGING, "replayed": replayed}


@pytest.fixture(params=MAKERS)
def candidate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Candidate]:
    """Any provider."""
    with MAKERS[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=CHANGING)
def changing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Candidate]:
    """Any provider whose org can be changed."""
    with CHANGING[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def replaying(tmp_path: Path) -> Iterator[Candidate]:
    with replayed(tmp_path) as made:
        yield made
