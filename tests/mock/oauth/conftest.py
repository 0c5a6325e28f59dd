"""Orgs whose key pairs were made before: making one for each test would be most of the time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.mock import Org, open_org
from providers.mock.oauth import signing_keys
from tests.mock.oauth.client import Client, Signer, exchanging
from tests.mock.wire import Wire


@pytest.fixture(scope="session")
def pems() -> list[bytes]:
    pair = [rsa.generate_private_key(65537, 2048) for _ in range(2)]
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return [each.private_bytes(*form) for each in pair]


@pytest.fixture(scope="session")
def signer() -> Signer:
    """A client's own key and certificate."""
    return Signer.made()


@pytest.fixture(autouse=True)
def ready_keys(pems: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    # An org has two pairs, and they differ.
    ready = itertools.cycle(pems)
    monkeypatch.setattr(signing_keys, "_made", lambda: next(ready))


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


@pytest.fixture
def portal(wire: Wire) -> Client:
    """The example: an app, its handler and the rule that stands in for the handler's class."""
    return exchanging(wire)
