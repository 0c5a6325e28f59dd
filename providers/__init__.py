"""Providers act on orgs. `connect` is the only way in; what it needs is imported when it is needed."""
# ruff: noqa: PLC0415 (a client that is not used should cost no start-up time)

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import Complaint, InputError
from reconciler.provider import Provider, Secrets

if TYPE_CHECKING:
    from providers.salesforce.login import Credentials
    from providers.salesforce.session import OrgSession

_FLOWS = ("token",)
"""Ways to log in that are built. `jwt`, `client_credentials` and `password` go into `_login`."""
_EXAMPLE = "login: {flow: token, access_token: {secret: {env: SF_TOKEN}}}"


@dataclass(frozen=True, slots=True)
class Connection:
    """An org as the project file describes it: a mock org's file, or a URL and a login."""

    mock: Path | None = None
    """The file of an embedded mock org; made if it is not there."""
    instance_url: str = ""
    api_version: str = ""
    """Pinned, e.g. `63.0`; empty: the newest that both the org and our kinds know."""
    login: Mapping[str, object] = field(default_factory=dict)
    """`{flow: token, access_token: SecretRef or text}`; of a mock org, at most `{username: …}`."""
    deploy_by: str = "auto"
    """`rest`, `soap`, or `auto`: REST, and SOAP from the first refusal on."""


def connect(connection: Connection, secrets: Secrets) -> Provider:
    """The provider for one org. Sends nothing yet.

    Credentials are looked for last: a host that they must not go to is refused before (RefusedError). Raises InputError
    for a login flow that there is not, NotAllowedError for a token that is none.
    """
    from providers.salesforce.metadata_api import Way
    from providers.salesforce.provider import SalesforceProvider
    from providers.salesforce.session import OrgSession

    version = _version(connection.api_version)
    if connection.deploy_by not in list(Way):
        raise InputError(f"deployments go by {', '.join(Way)}, not by {connection.deploy_by!r}")
    session = OrgSession()
    login = _mock_login if connection.mock else _login
    credentials = login(connection, session, secrets)
    return SalesforceProvider(session, credentials, api_version=version, way=Way(connection.deploy_by))


def _mock_login(connection: Connection, session: "OrgSession", _secrets: Secrets) -> "Credentials":
    """Put an embedded mock org behind the session; no port is opened."""
    from providers.mock import MockOrgError, mount, open_org
    from providers.salesforce.login import Credentials

    if connection.mock is None:
        raise AssertionError("asked for a mock org without a file")
    username = connection.login.get("username")
    try:
        org = open_org(connection.mock)
    except MockOrgError as wrong:
        raise InputError(Complaint(str(wrong), mend="remove the file: a new org is made in its place")) from None
    session.bind(mount(session, org))
    return Credentials(lambda: org.access_token(str(username) if username else None))


def _login(connection: Connection, session: "OrgSession", secrets: Secrets) -> "Credentials":
    from providers.salesforce.hosts import origin_of
    from providers.salesforce.login import Credentials
    from providers.salesforce.session import token_of
    from reconciler.kind import SecretRef

    if not connection.instance_url:
        raise InputError(
            Complaint("the org has neither instance_url nor mock", mend="set one of them in the project file")
        )
    session.bind(origin_of(connection.instance_url))
    flow = connection.login.get("flow")
    if flow not in _FLOWS:
        raise InputError(
            Complaint(
                f"login flow {flow!r} is not supported" if flow else "the org has no login",
                mend=f"supported: {', '.join(_FLOWS)}, as in {_EXAMPLE}",
            )
        )
    given = connection.login.get("access_token")
    return Credentials.fixed(token_of(secrets(given) if isinstance(given, SecretRef) else given, "login.access_token"))


def _version(text: str) -> str:
    """`63`, `63.0` and `v63.0` are one version."""
    if not text:
        return ""
    number, _, rest = text.removeprefix("v").partition(".")
    if not number.isascii() or not number.isdigit() or rest.strip("0"):
        raise InputError(Complaint(f"{text!r} is no API version", mend='write it as "63.0"'))
    return f"{int(number)}.0"
