"""Providers act on orgs. `connect` is the only way in; what it needs is imported when it is needed."""
# ruff: noqa: PLC0415 (a client that is not used should cost no start-up time)

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import Complaint, InputError
from reconciler.provider import Progress, Provider, Secrets

if TYPE_CHECKING:
    from providers.salesforce.login import Credentials
    from providers.salesforce.recordings.recorder import Recording
    from providers.salesforce.wire.session import OrgSession


@dataclass(frozen=True, slots=True)
class Connection:
    """An org as the project file describes it: a mock org's file, or a URL and a login."""

    name: str = ""
    """What the project file calls it."""
    mock: Path | None = None
    """The file of an embedded mock org; made if it is not there."""
    instance_url: str = ""
    api_version: str = ""
    """Pinned, e.g. `63.0`; empty: the newest that both the org and our kinds know."""
    login: Mapping[str, object] = field(default_factory=dict)
    """`{flow: …}` and what that needs, see docs/logins.md; of a mock org, at most `{username: …}`."""
    deploy_by: str = "auto"
    """`rest`, `soap`, or `auto`: REST, and SOAP from the first refusal on."""


def connect(
    connection: Connection,
    secrets: Secrets,
    *,
    recording: "Recording | None" = None,
    tell: Progress | None = None,
    report: Progress | None = None,
) -> Provider:
    """The provider for one org; with a `recording`, one that reads everything and keeps what it hears. Sends nothing yet.

    `tell` hears why nothing seems to happen, where an org has to be asked again; `report` hears of each call.

    Credentials are looked for last, with the first call: a host that they must not go to is refused before
    (RefusedError). Raises InputError for a login flow that there is not, or that lacks a key.
    """
    from providers.salesforce.calls import Calls
    from providers.salesforce.provider import SalesforceProvider
    from providers.salesforce.wire.metadata_api import Way
    from providers.salesforce.wire.session import OrgSession

    version = _version(connection.api_version)
    if connection.deploy_by not in list(Way):
        raise InputError(f"deployments go by {', '.join(Way)}, not by {connection.deploy_by!r}")
    session = OrgSession()
    session.report = report
    login = _mock_login if connection.mock else _login
    credentials = login(connection, session, secrets)
    way = Way(connection.deploy_by)
    calls = Calls(session, credentials, api_version=version, way=way, tell=tell, alias=connection.name)
    provider = SalesforceProvider(calls)
    if recording is not None:
        from providers.salesforce.recordings.whole_org import WholeOrg

        recording.attach(session)
        return WholeOrg(provider, recording=recording)
    return provider


def recording(scrub: frozenset[str], key: str = "") -> "Recording":
    """Begin a recording: `scrub` what besides secrets, under a `key` of its own if none is given. Raises InputError."""
    from providers.salesforce.recordings.recorder import Recording

    return Recording(scrub, key)


def replay(file: Path, *, api_version: str = "", name: str = "") -> Provider:
    """A recording in the place of an org: nothing is sent, no credential is looked for, nothing can be changed.

    Raises InputError for what is no recording, or one of another API version than the one that is pinned.
    """
    from providers.salesforce.calls import Calls
    from providers.salesforce.login import Credentials
    from providers.salesforce.provider import SalesforceProvider
    from providers.salesforce.recordings import file as recordings
    from providers.salesforce.recordings import player
    from providers.salesforce.recordings.whole_org import WholeOrg
    from providers.salesforce.wire.polling import Patience
    from providers.salesforce.wire.session import OrgSession

    pinned, found = _version(api_version), recordings.read(file)
    if pinned and float(pinned) != float(found.head.api_version):
        message = f"{file} was recorded at API version {found.head.api_version}; the project file pins {pinned}"
        raise InputError(Complaint(message, mend="record again"))
    session = OrgSession()
    player.attach(session, found)
    # Whatever a recording says, no one is made to wait by it: asked again, it says the same.
    patience = Patience(tries=1, total=0.0, sleep=lambda seconds: None)
    credentials = Credentials.fixed("a-replay-has-no-token")
    version = found.head.api_version
    calls = Calls(session, credentials, api_version=version, patience=patience, alias=name)
    return WholeOrg(SalesforceProvider(calls), head=found.head)


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

    def log_in() -> str:
        try:
            return org.access_token(str(username) if username else None)
        except MockOrgError as wrong:
            raise InputError(Complaint(f"login: {wrong}", mend="name one of them, or leave username out")) from None

    return Credentials(log_in)


def _login(connection: Connection, session: "OrgSession", secrets: Secrets) -> "Credentials":
    from providers.salesforce.login.ways import credentials

    return credentials(connection.instance_url, connection.login, session, secrets)


def _version(text: str) -> str:
    """An API version as the wire spells it: `63`, `63.0` and `v63.0` are one version."""
    if not text:
        return ""
    number, _, rest = text.removeprefix("v").partition(".")
    if not number.isascii() or not number.isdigit() or rest.strip("0"):
        raise InputError(Complaint(f"{text!r} is no API version", mend='write it as "63.0"'))
    return f"{int(number)}.0"
