"""Judges an org's answers to `doctor`: what is well, what will cause trouble, what stops us, and what to do about each."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.errors import Complaint, Exit, InputError, NotAllowedError, ReconcilerError, RefusedError
from reconciler.model import unread
from reconciler.model.doctor_answers import DoctorAnswers
from reconciler.model.live import OrgInfo
from reconciler.schema.record_id import same_id

DEVELOPER = "Developer Edition"
EDITIONS = ("Enterprise Edition", "Performance Edition", "Unlimited Edition", DEVELOPER)
"""Values of Organization.OrganizationType whose orgs have the Metadata API and token exchange
(https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_metadata_perm.htm,
Salesforce Help, "OAuth 2.0 Token Exchange Flow")."""
_FEW_RUNS = 20
"""With calls left for fewer runs than this, a pipeline fails before the day is over."""
_CLOCK_SECONDS = 60.0
"""Beyond it a login by JWT, whose assertion is good for three minutes, may fail."""
_APP_KINDS = ("ExternalClientApplication", "ExtlClntApp")


class Health(StrEnum):
    """How well one thing is: fine, worth a warning, or a problem."""

    OK = "ok"
    WARNING = "warning"
    """Something works less well, or will stop working."""
    PROBLEM = "problem"
    """Something does not work."""


@dataclass(frozen=True, slots=True)
class DoctorEntry:
    """One thing that `doctor` looked at, with its health and its mend."""

    topic: str
    health: Health
    message: str
    mend: str = ""
    quote: str = ""
    """Salesforce's own words."""
    exit: Exit = Exit.OK
    """Of a problem: the code with which plan or apply would end because of it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What `doctor` knows besides the org's answers: what is pinned, the secrets, the baseline."""

    pinned_org_id: str = ""
    pinned_version: str = ""
    kinds: Mapping[str, float] | None = None
    """Every kind that we manage -> the API version that it begins with."""
    secrets: Mapping[str, str] | None = None
    """Reference of a desired secret -> why it cannot be found, empty if it can; `None` where the files are broken."""
    baseline: str = ""
    """The state of the baseline, in words."""
    needed: Collection[str] | None = None
    """Kinds and addresses that plan and apply have to read, because files or baseline hold them; `None` if no one knows."""
    baseline_trouble: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What `doctor` says of an org: an entry for each thing that it looked at."""

    entries: tuple[DoctorEntry, ...]
    org: OrgInfo | None = None
    created: str = ""

    def as_written(self, written: Callable[[str], str]) -> "DoctorReport":
        """Return the report with `written` applied to its problems, which may quote what was read from the environment."""
        told = (
            replace(one, message=written(one.message), mend=written(one.mend), quote=written(one.quote))
            if one.health is Health.PROBLEM
            else one
            for one in self.entries
        )
        return replace(self, entries=tuple(told))

    @property
    def exit(self) -> Exit:
        """The code of the first problem, in the order in which another command would meet them; 0 without one."""
        return next((one.exit for one in self.entries if one.health is Health.PROBLEM), Exit.OK)

    def count(self, health: Health) -> int:
        return sum(one.health is health for one in self.entries)


def of_error(error: ReconcilerError) -> list[DoctorEntry]:
    """Return the entries for an error that stopped `doctor`."""
    topics = {RefusedError: "org", NotAllowedError: "login", InputError: "project"}
    topic = next((word for kind, word in topics.items() if isinstance(error, kind)), "connection")
    return [
        DoctorEntry(topic, Health.PROBLEM, one.message, one.mend, one.quote, error.exit) for one in error.complaints
    ]


def of_answers(found: DoctorAnswers, around: Surroundings) -> list[DoctorEntry]:
    """Judge all answers of an org; the entries come in the order in which another command would meet the problems."""
    return [
        *_login(found),
        *_org(found, around),
        *_version(found, around),
        *_edition(found),
        *_permissions(found),
        *_kinds(found, around),
        *_ways(found),
        *_calls(found),
        *_clock(found),
        *_attribution(found),
    ]


def of_surroundings(around: Surroundings) -> list[DoctorEntry]:
    """Judge what is around the org: secrets of the files, and the baseline."""
    return [*_secrets(around), *_baseline(around)]


def _login(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    if "identity" in found.unknown:
        yield DoctorEntry(
            "login",
            Health.WARNING,
            f"logged in at {found.host}, and the org does not say as whom",
            "let the user see users: View Setup and Configuration, or access to their own record",
            found.unknown["identity"],
        )
    else:
        yield DoctorEntry("login", Health.OK, f"logged in as {found.org.username} at {found.host}")


def _org(found: DoctorAnswers, around: Surroundings) -> Iterator[DoctorEntry]:
    org, pinned = found.org, around.pinned_org_id
    what = f"{org.called} ({org.id}), {'a sandbox' if org.is_sandbox else 'production'} on {org.instance}"
    if pinned and not same_id(pinned, org.id):
        yield DoctorEntry(
            "org",
            Health.PROBLEM,
            f"this is {what}; reconciler.yaml pins {pinned}",
            "log in to the pinned org, or change org_id (a refreshed sandbox has a new one)",
            exit=Exit.REFUSED,
        )
    elif not pinned and not org.is_sandbox and org.organization_type != DEVELOPER:
        yield DoctorEntry(
            "org",
            Health.WARNING,
            f"{what}, and nothing pins it",
            f"write org_id: {org.id} into reconciler.yaml: a login to another org is then refused",
        )
    else:
        yield DoctorEntry("org", Health.OK, f"{what}{', as pinned' if pinned else ''}")


def _version(found: DoctorAnswers, around: Surroundings) -> Iterator[DoctorEntry]:
    used, pinned = found.org.api_version, around.pinned_version
    offered = max((v for v in found.versions if v.replace(".", "", 1).isdigit()), key=float, default="")
    too_new = sorted(kind for kind, since in (around.kinds or {}).items() if since > float(used or 0))
    if too_new:
        mend = "remove api_version, or raise it" if pinned else "they come with the org's next release"
        yield DoctorEntry(
            "api version", Health.WARNING, f"{used} does not have {', '.join(too_new)}: they are not read", mend
        )
    else:
        newer = f"; the org's newest is {offered}" if offered and offered != used else ""
        yield DoctorEntry("api version", Health.OK, f"{used}{', as pinned' if pinned else ''}{newer}")


def _edition(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    edition = found.org.organization_type
    if edition in EDITIONS:
        yield DoctorEntry("edition", Health.OK, edition)
    else:
        yield DoctorEntry(
            "edition",
            Health.WARNING,
            f"{edition or 'unknown'}: the Metadata API and token exchange are of Enterprise, Performance, Unlimited and"
            " Developer Edition",
            "expect refusals in this org",
        )


def _permissions(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    held = found.permissions
    if "permissions" in found.unknown:
        yield DoctorEntry(
            "permissions",
            Health.WARNING,
            "the org does not say what our user may do",
            "see what is read below; if a deployment is refused, the user lacks a permission",
            found.unknown["permissions"],
        )
        return
    missing = list(_missing(held))
    yield from missing
    if held and not missing:
        yield DoctorEntry(
            "permissions", Health.OK, f"our user has {', '.join(sorted(n for n, on in held.items() if on))}"
        )


def _missing(held: Mapping[str, bool]) -> Iterator[DoctorEntry]:
    give = "give it to the user by a permission set"
    if held.get("ApiEnabled") is False:
        yield DoctorEntry("permissions", Health.PROBLEM, "our user lacks API Enabled", give, exit=Exit.NOT_ALLOWED)
    if held.get("ModifyMetadata") is False and held.get("ModifyAllData") is False:
        yield DoctorEntry(
            "permissions",
            Health.PROBLEM,
            "our user lacks Modify Metadata Through Metadata API Functions, and Modify All Data: the Metadata API is closed",
            give,
            exit=Exit.NOT_ALLOWED,
        )
    for name, label, what in (
        ("CustomizeApplication", "Customize Application", "settings and connected apps cannot be changed"),
        ("ViewSetup", "View Setup and Configuration", "nobody can be named who changed something in Setup"),
        ("AuthorApex", "Author Apex", "classes of token exchange handlers may not be deployable"),
    ):
        if held.get(name) is False:
            yield DoctorEntry("permissions", Health.WARNING, f"our user lacks {label}: {what}", give)
    apps = [held[name] for name in ("ExternalClientAppAdmin", "ExternalClientAppDeveloper") if name in held]
    if apps and not any(apps) and not held.get("ModifyAllData"):
        yield DoctorEntry(
            "permissions",
            Health.WARNING,
            "our user lacks Create, edit, and delete External Client Apps, and View all External Client Apps, view their"
            " settings, and edit their policies: apps cannot be managed",
            give,
        )


def _kinds(found: DoctorAnswers, around: Surroundings) -> Iterator[DoctorEntry]:
    for one in found.unread:
        yield DoctorEntry("kinds", Health.PROBLEM, one.message, one.mend, one.quote, exit=Exit.NOT_ALLOWED)
    if found.unread:
        return
    used = float(found.org.api_version or 0)
    too_new = {kind for kind, since in (around.kinds or {}).items() if since > used}
    for what, why in sorted(found.unreadable.items()):
        if what in too_new:
            continue
        if around.needed is not None and what not in around.needed:
            yield DoctorEntry(
                "kinds",
                Health.WARNING,
                f"{what} cannot be read, and neither files nor baseline hold any",
                f"before the files do: {unread.mend(why)}",
                why,
            )
        else:
            yield DoctorEntry(
                "kinds",
                Health.PROBLEM,
                f"{what} cannot be read: what the files say of it cannot be planned",
                f"{unread.mend(why)}; or leave it out of the files",
                why,
                exit=Exit.NOT_ALLOWED if unread.lacks_permission(why) else Exit.FAILED,
            )
    hidden = found.unreadable.keys()
    visible = sorted(kind for kind in around.kinds or found.seen if kind not in hidden)
    if visible:
        told = ", ".join(f"{kind} ({found.seen[kind]})" if kind in found.seen else kind for kind in visible)
        yield DoctorEntry("kinds", Health.OK, f"{len(visible)} can be read: {told}")


def _ways(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    if found.jwt_token:
        yield DoctorEntry(
            "deployments",
            Health.PROBLEM,
            "the access token is a JWT, which SOAP does not take, and only SOAP reads metadata",
            "switch off JWT-based access tokens (isNamedUserJwtEnabled) for the app that we log in with",
            exit=Exit.NOT_ALLOWED,
        )
    elif found.by_rest is False:
        yield DoctorEntry(
            "deployments", Health.OK, "by SOAP: this org offers no deployments by REST, and a zip is limited to 39 MB"
        )
    elif found.by_rest:
        yield DoctorEntry("deployments", Health.OK, "by REST, and by SOAP if the org refuses that")
    else:
        yield DoctorEntry(
            "deployments",
            Health.WARNING,
            "the org does not say whether it takes deployments by REST: it is tried, and then SOAP",
            quote=found.unknown.get("resources", ""),
        )


def _calls(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    cost = f"a plan takes about {found.calls} calls"
    if found.calls_left is None:
        yield DoctorEntry(
            "calls",
            Health.WARNING,
            f"the org does not say how many API calls are left today; {cost}",
            quote=found.unknown.get("limits", ""),
        )
        return
    told = f"{found.calls_left:,} of {found.calls_a_day:,} API calls are left of the last 24 hours; {cost}"
    if found.calls_left < found.calls:
        yield DoctorEntry(
            "calls", Health.PROBLEM, told, "wait, or find out in Setup who uses them up: Company Information",
            exit=Exit.FAILED,
        )  # fmt: skip
    elif found.calls_left < found.calls * _FEW_RUNS:
        yield DoctorEntry("calls", Health.WARNING, told, "find out in Setup who uses them up, or run less often")
    else:
        yield DoctorEntry("calls", Health.OK, told)


def _clock(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    if found.ahead is None:
        return
    off = abs(found.ahead)
    if off > _CLOCK_SECONDS:
        way = "ahead of" if found.ahead > 0 else "behind"
        yield DoctorEntry(
            "clock",
            Health.WARNING,
            f"this machine's clock is {off:.0f} seconds {way} Salesforce's: a login by jwt fails beyond minutes, and dates"
            " in reports are wrong",
            "set the clock: switch on its synchronisation",
        )
    else:
        yield DoctorEntry("clock", Health.OK, "this machine's clock agrees with Salesforce's")


_LOSSES = {
    "audit": ("the Setup audit trail cannot be read", "drift names who changed a record last, less surely"),
    "deployments": ("deployments cannot be read", "drift cannot tell a deployment under way from somebody's change"),
    "users": ("users cannot be read", "rules about users are not judged"),
    "api_only": ("permissions of other users cannot be read", "the rule about API-only users is not judged"),
    "permission_sets": ("permission sets and profiles cannot be read", "rules about them are not judged"),
}


def _attribution(found: DoctorAnswers) -> Iterator[DoctorEntry]:
    lost = False
    for topic, (what, loss) in _LOSSES.items():
        if topic in found.unknown:
            lost = True
            mend = "give the user View Setup and Configuration"
            yield DoctorEntry("who and what", Health.WARNING, f"{what}: {loss}", mend, found.unknown[topic])
    if not lost:
        yield DoctorEntry(
            "who and what", Health.OK, "audit trail, deployments, users, permission sets and profiles can be read"
        )


def _secrets(around: Surroundings) -> Iterator[DoctorEntry]:
    if around.secrets is None:
        yield DoctorEntry(
            "secrets", Health.WARNING, "the files are wrong, so their secrets were not looked for", "reconciler check"
        )
        return
    for reference, why in around.secrets.items():
        if why:
            yield DoctorEntry("secrets", Health.PROBLEM, f"{reference}: {why}", "put it there", exit=Exit.BAD_INPUT)
    good = sum(not why for why in around.secrets.values())
    if good:
        yield DoctorEntry("secrets", Health.OK, f"{good} of the files can be found")


def _baseline(around: Surroundings) -> Iterator[DoctorEntry]:
    for one in around.baseline_trouble:
        yield DoctorEntry("baseline", Health.PROBLEM, one.message, one.mend, one.quote, exit=Exit.REFUSED)
    if around.baseline:
        yield DoctorEntry("baseline", Health.OK, around.baseline)
