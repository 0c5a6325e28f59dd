"""Who did what in an org: the Setup audit trail, the deployments, and the rows of enablements.

FileProperties say of each record who changed it last by name (`lastModifiedByName`, a person's, not a username) and by id
(`lastModifiedById`). Rows of the trail have username and id. The two are joined on the id's first 15 characters.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from providers.salesforce.files.file_properties import FileProperties
from providers.salesforce.wire.refusals import noting
from providers.salesforce.wire.rest import Rest
from reconciler.model.facts import AuditEntry, Deployment, History, moment
from reconciler.provider import Progress

Listing = Callable[[Sequence[str]], Sequence[FileProperties]]
"""Lists the components of a few kinds."""
MOST_ROWS = 2_000
"""Newest first: one page of answers. Salesforce keeps the trail for 180 days."""
MARGIN = timedelta(minutes=2)
"""An edit is written into the trail a little before or after it is stored."""
# Neither Display nor Section can stand in a WHERE, nor may rows be counted in groups:
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_setupaudittrail.htm
_TRAIL = (
    "SELECT Display, Section, CreatedById, CreatedBy.Username, CreatedDate, DelegateUser FROM SetupAuditTrail{}"
    " ORDER BY CreatedDate DESC LIMIT {}"
)
# Of the Tooling API only:
# https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_deployrequest.htm
_DEPLOYMENTS = (
    "SELECT Id, Status, CheckOnly, CreatedById, CreatedBy.Username, StartDate, CompletedDate FROM DeployRequest{}"
    " ORDER BY CreatedDate DESC LIMIT {}"
)
# https://developer.salesforce.com/docs/atlas.en-us.sfFieldRef.meta/sfFieldRef/salesforce_field_reference_OauthTokenExchHandlerApp.htm
_ENABLEMENTS = (
    "SELECT OauthTokenExchangeHandlerId, ConnectedApplicationId, ExternalClientApplicationId,"
    " LastModifiedById, LastModifiedBy.Username, LastModifiedDate FROM OauthTokenExchHandlerApp"
)
_NAMED = ("ConnectedApp", "ExternalClientApplication", "OauthTokenExchangeHandler")


def history(
    rest: Rest, listing: Listing, since: str, progress: Progress, *, enablements: bool, exact: bool = False
) -> History:
    """What happened since a date (ISO 8601), and a little before it unless `exact`; since ever, where that is no date.

    A topic that the org does not tell is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
    """
    progress("asking who changed what")
    unknown: dict[str, str] = {}
    begin = moment(since)
    date = f"{begin - (timedelta() if exact else MARGIN):%Y-%m-%dT%H:%M:%SZ}" if begin is not None else ""
    entries: tuple[AuditEntry, ...] = ()
    with noting(unknown, "audit"):
        found = rest.query(_TRAIL.format(f" WHERE CreatedDate >= {date}" if date else "", MOST_ROWS))
        entries = tuple(map(_entry, found))
        if len(entries) >= MOST_ROWS:
            unknown["audit"] = f"only its newest {MOST_ROWS:,} entries were read, back to {entries[-1].date}"
    deployments: tuple[Deployment, ...] = ()
    with noting(unknown, "deployments"):
        # Those that overlap the time since then: a long one may have begun earlier.
        where = f" WHERE CompletedDate = null OR CompletedDate >= {date}" if date else ""
        deployments = tuple(map(deployment, rest.query(_DEPLOYMENTS.format(where, MOST_ROWS), tooling=True)))
    rows: dict[tuple[str, str], tuple[str, str, str]] = {}
    if enablements:
        with noting(unknown, "enablements"):
            rows = dict(_rows(rest.query(_ENABLEMENTS), listing))
    return History(entries, deployments, rows, unknown)


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        by=_username(row, "CreatedBy"),
        by_id=_text(row, "CreatedById"),
        date=_date(row, "CreatedDate"),
        section=_text(row, "Section"),
        display=_text(row, "Display"),
        delegate=_text(row, "DelegateUser"),
    )


def deployment(row: Mapping[str, Any]) -> Deployment:
    return Deployment(
        id=_text(row, "Id"),
        status=_text(row, "Status"),
        by=_username(row, "CreatedBy"),
        by_id=_text(row, "CreatedById"),
        started=_date(row, "StartDate"),
        completed=_date(row, "CompletedDate"),
        check_only=row.get("CheckOnly") is True,
    )


def _rows(
    rows: Sequence[Mapping[str, Any]], listing: Listing
) -> Iterator[tuple[tuple[str, str], tuple[str, str, str]]]:
    """Each enablement by handler and app, and who changed it last.

    A row knows both by id, and the query API knows a connected app by its label only: so they are listed, in one call.
    """
    if not rows:
        return
    names = {one.id[:15]: one.full_name for one in listing(_NAMED) if one.id}
    for row in rows:
        handler = names.get(_text(row, "OauthTokenExchangeHandlerId")[:15])
        app = names.get((_text(row, "ConnectedApplicationId") or _text(row, "ExternalClientApplicationId"))[:15])
        if handler and app:
            by = _username(row, "LastModifiedBy"), _text(row, "LastModifiedById"), _date(row, "LastModifiedDate")
            yield (handler, app), by


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _username(row: Mapping[str, Any], name: str) -> str:
    related = row.get(name)
    return _text(related, "Username") if isinstance(related, Mapping) else ""


def _date(row: Mapping[str, Any], name: str) -> str:
    """A date as metadata spells it, in UTC with a Z; as it came if it is none."""
    text = _text(row, name)
    found = moment(text)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}Z" if found is not None else text
