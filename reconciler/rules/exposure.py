"""How much an app opens: its scopes, from where it may be used, and for whom. None of it is forbidden; an audit names it."""

from collections.abc import Iterator

from reconciler.rules import Broken, NotChecked, rule
from reconciler.rules.examples import WEB_SERVER
from reconciler.rules.unknowns import unknown
from reconciler.schema.severity import Severity
from reconciler.world.apps import IP_RELAXATION, PROFILES, SCOPES
from reconciler.world.users import ADMINISTRATORS
from reconciler.world.world import UNKNOWN, World

Verdicts = Iterator[Broken | NotChecked]

_POLICIES = "  permittedUsersPolicyType: AdminApprovedPreAuthorized\n"


@rule(
    "EX01",
    Severity.MEDIUM,
    "An app has the scopes that its clients use, and not Full",
    hurts="A stolen token of the app does everything that its user may do.",
    source='Salesforce Help, "OAuth Tokens and Scopes" (xcloud.remoteaccess_oauth_tokens_scopes): full takes in every other'
    " scope; that no app should have it is our own judgement",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("[Api, RefreshToken]", "[Full, RefreshToken]"),
)
def not_everything(world: World) -> Verdicts:
    """Where a file does not say the scopes, the org may hold any."""
    for app in world.apps():
        scopes = app.value(SCOPES)
        address, path = app.spot(SCOPES)
        if scopes is UNKNOWN:
            yield unknown(world, address, path)
        elif "Full" in (scopes or ()):
            yield Broken(address, "the scope Full takes in all others", path, mend="name the scopes that clients use")


@rule(
    "EX02",
    Severity.MEDIUM,
    "An app keeps to the org's IP restrictions",
    hurts="A stolen token of the app works from anywhere, although the org lets nobody log in from there.",
    source='Salesforce Help, "Manage OAuth Access Policies for a Connected App: IP Relaxation Control"'
    " (xcloud.shr_manage_oauth_access_policies_for_a_connected_app_ip_relaxation), which recommends to enforce them",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("ipRelaxationPolicyType: Enforce", "ipRelaxationPolicyType: Bypass"),
)
def restricted_addresses(world: World) -> Verdicts:
    """Relaxing for refresh tokens, or with a second factor, still asks for something; bypassing asks for nothing."""
    for app in world.apps():
        value = app.value(IP_RELAXATION)
        address, path = app.spot(IP_RELAXATION)
        if value is UNKNOWN:
            yield unknown(world, address, path)
        elif str(value).casefold() == "bypass":
            strict = "ENFORCE" if app.is_connected else "Enforce"
            mend = f"write {app.write(IP_RELAXATION, strict)}, and the client's addresses into the profile of its users"
            yield Broken(address, f"{path[-1]} is {value}", path, mend=mend)


@rule(
    "EX03",
    Severity.MEDIUM,
    "No app is pre-authorized for all administrators",
    hurts="Whoever gets hold of one administrator's session, or of the app, has the other: with it the whole org.",
    source="our own judgement; a permission set that only those have who need the app gives the same with less",
    good=WEB_SERVER,
    bad=WEB_SERVER.but(_POLICIES, f"{_POLICIES}  commaSeparatedProfile: [System Administrator]\n"),
)
def not_every_administrator(world: World) -> Verdicts:
    """The profile is known under the names that `users.ADMINISTRATORS` lists."""
    for app in world.apps():
        profiles = app.value(PROFILES)
        address, path = app.spot(PROFILES)
        if profiles is UNKNOWN:
            yield unknown(world, address, path)
        elif found := sorted(ADMINISTRATORS.intersection(profiles or ())):
            mend = "name a permission set instead, for those who need the app"
            yield Broken(address, f"the profile {found[0]} is pre-authorized", path, mend=mend, subject=found[0])
