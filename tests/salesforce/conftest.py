"""A mock org of its own for each test, and a provider that is connected to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.mock import Org, mount, open_org
from providers.salesforce.calls import Calls
from providers.salesforce.files.packing import Limits
from providers.salesforce.login import Credentials
from providers.salesforce.provider import SalesforceProvider
from providers.salesforce.wire.metadata_api import Way
from providers.salesforce.wire.session import OrgSession
from tests.salesforce.build import no_time

Connected = Callable[..., SalesforceProvider]


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    found = open_org(tmp_path / "org.db")
    yield found
    found.close()


@pytest.fixture
def connected(org: Org) -> Connected:
    """Makes providers for the org: `connected(way=…, limits=…, api_version=…)`."""

    def connect(
        *, way: Way = Way.AUTO, limits: Limits | None = None, api_version: str = "", as_user: str | None = None
    ) -> SalesforceProvider:
        session = OrgSession()
        session.bind(mount(session, org))
        token = org.access_token(as_user)
        return SalesforceProvider(
            Calls(
                session, Credentials.fixed(token), api_version=api_version, way=way, limits=limits, patience=no_time()
            )
        )

    return connect


def calls(provider: SalesforceProvider) -> int:
    """HTTP requests that a provider has sent so far."""
    return provider.calls.session.calls
