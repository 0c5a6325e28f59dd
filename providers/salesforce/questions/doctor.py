"""What `doctor` asks an org: who we are, what we may, what we see, how much is left of the day."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.salesforce.login import Credentials
from providers.salesforce.questions.facts import facts
from providers.salesforce.questions.history import Listing, history
from providers.salesforce.wire.refusals import noting
from providers.salesforce.wire.rest import Rest
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import Complaint, ReconcilerError, UnreachableError
from reconciler.model.doctor_answers import DoctorAnswers
from reconciler.model.live import LiveState, OrgInfo
from reconciler.provider import Progress
from reconciler.redaction import is_jwt

NEEDED = ("ApiEnabled", "ModifyMetadata", "ModifyAllData", "CustomizeApplication", "ViewSetup")
"""Permissions that every org knows. What each is for:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_metadata_perm.htm."""
FOR_APPS = ("AuthorApex", "ExternalClientAppAdmin", "ExternalClientAppDeveloper")
"""Those that an org may not know. ExternalClientAppAdmin is "View all External Client Apps, view their settings, and edit
their policies", ExternalClientAppDeveloper "Create, edit, and delete External Client Apps"
(https://developer.salesforce.com/docs/atlas.en-us.sfFieldRef.meta/sfFieldRef/salesforce_field_reference_MutingPermissionSet.htm)."""
_ACCESS = "SELECT {} FROM UserPermissionAccess"
"""One row: the permissions of the user who asks
(https://developer.salesforce.com/docs/atlas.en-us.sfFieldRef.meta/sfFieldRef/salesforce_field_reference_UserPermissionAccess.htm)."""


_USER = re.compile(r"/id/\w{15,18}/(005\w{12,15})$", re.ASCII)


def permissions(rest: Rest, names: Sequence[str]) -> dict[str, bool]:
    """Which of these permissions our user holds. Raises what a query raises."""
    rows = rest.query(_ACCESS.format(", ".join(f"Permissions{name}" for name in names)))
    row: Mapping[str, Any] = rows[0] if rows else {}
    return {name: row[f"Permissions{name}"] is True for name in names if f"Permissions{name}" in row}


def lacking(found: Mapping[str, bool]) -> str | None:
    """What a user with these permissions lacks to deploy, in words, with what to do; `None` if nothing, or not known."""
    missing = []
    if found.get("ApiEnabled") is False:
        missing.append("API Enabled")
    if found.get("ModifyMetadata") is False and found.get("ModifyAllData") is False:
        missing.append("Modify Metadata Through Metadata API Functions (or Modify All Data)")
    if not missing:
        return None
    return f"our user lacks {' and '.join(missing)}: give it to them by a permission set"


def doctor_answers(
    session: OrgSession,
    credentials: Credentials,
    rest: Rest,
    read: Callable[[], LiveState],
    listing: Listing,
    org: OrgInfo,
    offered: Sequence[str],
    progress: Progress,
) -> DoctorAnswers:
    """Ask the org everything. What it does not tell is named in `unknown`. Raises NotAllowedError for the login,
    UnreachableError."""
    unknown: dict[str, str] = {}
    progress("asking who we are")
    username, links, by_rest = "", dict[str, Any](), None
    with noting(unknown, "resources"):
        links |= rest.resource("")
        by_rest = "metadata" in links
    with noting(unknown, "identity"):
        username = _username(rest, str(links.get("identity") or ""))
    held: dict[str, bool] = {}
    with noting(unknown, "permissions"):
        held |= permissions(rest, NEEDED)
    with noting(unknown, "app_permissions"):
        held |= permissions(rest, FOR_APPS)
    left, a_day = None, 0
    with noting(unknown, "limits"):
        left, a_day = _daily(rest.resource("limits"))
    before = session.calls
    unread: tuple[Complaint, ...] = ()
    seen: dict[str, int] = {}
    state = LiveState(org, {})
    try:
        state = read()
    except UnreachableError:
        raise
    except ReconcilerError as no:
        unread = tuple(no.complaints)
    for address in state.resources:
        kind = "HandlerEnablement" if address.is_enablement else address.kind
        seen[kind] = seen.get(kind, 0) + 1
    # Someone has to be asked for, to see whether users are shown.
    unknown |= facts(rest, [username or "nobody@invalid"], progress).unknown
    del unknown["secrets"]  # no one asked for them
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    unknown |= history(rest, listing, yesterday, progress, enablements=False).unknown
    return DoctorAnswers(
        org=replace(org, username=username),
        host=session.origin,
        versions=tuple(offered),
        permissions=held,
        seen=seen,
        unreadable=state.unreadable,
        unread=unread,
        calls_left=left,
        calls_a_day=a_day,
        # Which org it is and its versions are asked as well.
        calls=session.calls - before + 2,
        ahead=session.ahead,
        jwt_token=is_jwt(credentials.token),
        by_rest=by_rest,
        unknown=unknown,
    )


def _username(rest: Rest, identity: str) -> str:
    """Who we are, by the identity URL that any token is shown; the endpoints that tell it at once want a scope for it."""
    found = _USER.search(identity)
    username = rest.username(found[1]) if found else ""
    if not username:
        raise ReconcilerError(Complaint("the org does not say who we are", quote=f"identity {identity!r}"[:200]))
    return username


def _daily(limits: Mapping[str, Any]) -> tuple[int | None, int]:
    found = limits.get("DailyApiRequests")
    if not isinstance(found, Mapping):
        return None, 0
    left, most = found.get("Remaining"), found.get("Max")
    return (left if isinstance(left, int) else None), (most if isinstance(most, int) else 0)
