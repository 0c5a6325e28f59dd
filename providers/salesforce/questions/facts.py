"""What rules ask an org besides its metadata: users, permission sets, profiles, the ages of consumer secrets.

As few calls as will do: one for users (more only if they are hundreds), one for permission sets and profiles together,
one for permissions by assignment, and that one only if a user's profile leaves the question open.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from providers.salesforce.wire.refusals import noting
from providers.salesforce.wire.rest import Rest
from reconciler.errors import Complaint, ReconcilerError
from reconciler.model.facts import NOT_ASKED, Facts, User, moment
from reconciler.provider import Progress

_USERS = (
    "SELECT Id, Username, IsActive, UserType, Profile.Name, Profile.PermissionsApiUserOnly FROM User"
    " WHERE Username IN ({})"
)
_API_ONLY = (
    "SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.PermissionsApiUserOnly = true"
    " AND AssigneeId IN ({})"
)
MOST_USERS = 10_000
"""Of everyone: beyond, it is not everyone."""
_EVERYBODY = f"{_USERS.partition(' WHERE ')[0]} ORDER BY Username LIMIT {MOST_USERS}"
_ANYBODY_API_ONLY = _API_ONLY.partition(" AND ")[0]
_SETS = "SELECT Name, NamespacePrefix, IsOwnedByProfile, Profile.Name FROM PermissionSet"
_LONGEST_USERNAME = 80
"""https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm"""
_LONGEST_LIST = 6_000
"""Characters of a list in a URL. URI and headers together may have 16,384 bytes, and a query grows inside Salesforce
(https://help.salesforce.com/s/articleView?id=000386264)."""
_STAGED_SINCE = 65.0
"""The first API version that tells of staged credentials
(https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/connect_resources_oauth_credentials_resources.htm)."""
_OVERLAP = timedelta(days=30)
"""So long the former secret is kept after a rotation."""
_USAGE_PAGE = 100
_MOST_PAGES = 1_000
"""More than any org has apps for."""


def facts(rest: Rest, users: Collection[str] | None, progress: Progress, secrets: Collection[str] = ()) -> Facts:
    """Ask about the users of these names (`None`: everyone), and the consumer secrets of the apps named in `secrets`.

    A topic that the org does not tell is named in `unknown`. Raises NotAllowedError for the login, UnreachableError.
    """
    unknown: dict[str, str] = {}
    progress("asking for users and permission sets")
    people: dict[str, User] = {}
    with noting(unknown, "users"):
        people = _people(rest, users, unknown)
    sets, profiles = frozenset[str](), frozenset[str]()
    with noting(unknown, "permission_sets"):
        sets, profiles = _holders(rest.query(_SETS))
    if "permission_sets" in unknown:
        unknown["profiles"] = unknown["permission_sets"]
    ages: dict[str, str] = {}
    if secrets:
        progress("asking for the ages of consumer secrets")
        with noting(unknown, "secrets"):
            ages = dict(_secrets(rest, frozenset(secrets)))
    else:
        unknown["secrets"] = NOT_ASKED
    return Facts(people, sets, profiles, ages, unknown)


def _people(rest: Rest, users: Collection[str] | None, unknown: dict[str, str]) -> dict[str, User]:
    rows: dict[str, Mapping[str, Any]] = {}
    named = {name.casefold() for name in users or () if 0 < len(name) <= _LONGEST_USERNAME}
    for query in [_USERS.format(listed) for listed in _lists(named)] if users is not None else [_EVERYBODY]:
        rows |= {str(row.get("Username") or "").casefold(): row for row in rest.query(query)}
    by_profile = {name for name, row in rows.items() if _inner(row, "Profile", "PermissionsApiUserOnly") is True}
    by_set: set[str] = set()
    with noting(unknown, "api_only"):
        left = (str(row.get("Id") or "") for name, row in rows.items() if name not in by_profile)
        for query in (
            [_API_ONLY.format(listed) for listed in _lists(left)] if users is not None else [_ANYBODY_API_ONLY]
        ):
            # A permission set group has an aggregate permission set, which its assignments point at.
            by_set |= {str(row.get("AssigneeId") or "")[:15] for row in rest.query(query)}
    return {
        name: User(
            username=str(row.get("Username") or ""),
            active=row.get("IsActive") is True,
            api_only=True
            if name in by_profile or str(row.get("Id") or "")[:15] in by_set
            # What a profile that no one may see says is as little known as an assignment.
            else None
            if "api_only" in unknown or not isinstance(row.get("Profile"), Mapping)
            else False,
            profile=str(_inner(row, "Profile", "Name") or ""),
            user_type=str(row.get("UserType") or ""),
        )
        for name, row in rows.items()
    }


def _holders(rows: Iterable[Mapping[str, Any]]) -> tuple[frozenset[str], frozenset[str]]:
    """Names of permission sets, and of profiles, each of which owns a permission set of its own."""
    sets, profiles = set(), set()
    for row in rows:
        name, namespace = str(row.get("Name") or ""), row.get("NamespacePrefix")
        if row.get("IsOwnedByProfile") is True:
            profiles.add(str(_inner(row, "Profile", "Name") or ""))
        else:
            # Metadata names a package's permission set with its prefix.
            sets.add(f"{namespace}__{name}" if namespace else name)
    return frozenset(sets - {""}), frozenset(profiles - {""})


def _inner(row: Mapping[str, Any], parent: str, field: str) -> object:
    """The value of a field of a related record; empty where the relation leads nowhere, or the login may not follow it."""
    related = row.get(parent)
    return related.get(field) if isinstance(related, Mapping) else None


def _lists(values: Iterable[str]) -> Iterator[str]:
    """Yield the values as lists for the SOQL operator `IN`, each short enough for a URL."""
    from simple_salesforce.format import quote_soql_value  # noqa: PLC0415 (see session.carrier)

    listed, length = "", 0
    for value in sorted(filter(None, values)):
        literal = quote_soql_value(value)
        more = len(quote(literal, safe="")) + 3
        if listed and length + more > _LONGEST_LIST:
            yield listed
            listed, length = "", 0
        listed, length = f"{listed},{literal}" if listed else literal, length + more
    if listed:
        yield listed


def _secrets(rest: Rest, apps: frozenset[str]) -> Iterator[tuple[str, str]]:
    """When the apps' consumer secrets came into force, as far as the org tells.

    It keeps a date of the primary credentials nowhere. But for 30 days after a rotation the former ones stand in the slot
    for staged ones, marked Rotated, and their end tells when it was
    (https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/connect_responses_app_oauth_staged_credentials.htm).
    The answers hold secrets; nothing but the date leaves this function.
    """
    if float(rest.api_version) < _STAGED_SINCE:
        raise ReconcilerError(
            Complaint(f"API version {rest.api_version} does not tell it; it begins with {_STAGED_SINCE:.1f}")
        )
    for name, identifier in _usage(rest, apps):
        consumers = rest.resource(f"apps/oauth/credentials/{identifier}").get("consumers")
        for consumer in consumers if isinstance(consumers, list) else ():
            at = f"apps/oauth/credentials/{identifier}/{_segment(consumer, 'id')}/staged"
            staged = rest.resource(at).get("stagedCredentials")
            for slot in staged if isinstance(staged, list) else ():
                if isinstance(slot, Mapping) and str(slot.get("state")).casefold() == "rotated":
                    end = moment(str(slot.get("expirationDate")))
                    if end is not None:
                        yield name, f"{end - _OVERLAP:%Y-%m-%dT%H:%M:%SZ}"


def _usage(rest: Rest, apps: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Return name and identifier of those of the apps that the org knows."""
    for page in range(_MOST_PAGES):
        found = rest.resource("apps/oauth/usage", page=str(page), pageSize=str(_USAGE_PAGE)).get("apps")
        rows = found if isinstance(found, list) else []
        for row in rows:
            if isinstance(row, Mapping) and row.get("developerName") in apps:
                yield str(row["developerName"]), _segment(row, "identifier")
        if len(rows) < _USAGE_PAGE:
            return
    raise ReconcilerError(Complaint(f"its list of apps did not end after {_MOST_PAGES:,} pages"))


def _segment(row: object, name: str) -> str:
    """An id as a part of a path, whatever an org puts there."""
    return quote(str(row.get(name) or "") if isinstance(row, Mapping) else "", safe="") or "none"
