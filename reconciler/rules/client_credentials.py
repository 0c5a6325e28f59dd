"""Rules about the client credentials flow: a program gets tokens with an app's key and secret, and acts as one user.

An external client app has two switches, one in its OAuth settings and one in its policies, and names the user in the
policies. A connected app has one switch and names the user beside it. Where no one knows whether an app uses the flow,
CC01 says so for the whole family.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from reconciler.model.address import Address
from reconciler.model.facts import NOT_ASKED, Facts, User
from reconciler.rules import Broken, NotChecked, Verdicts, rule
from reconciler.rules.examples import CLIENT_CREDENTIALS as GOOD
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE
from reconciler.rules.unknowns import unknown
from reconciler.schema.severity import Severity
from reconciler.world.apps import (
    CLIENT_CREDENTIALS,
    CLIENT_CREDENTIALS_POLICY,
    CLIENT_CREDENTIALS_USER,
    OAUTH_POLICY,
    POLICY,
    SCOPES,
    App,
)
from reconciler.world.users import is_administrator, look_up, unusable
from reconciler.world.world import UNKNOWN, World

ECA_SETUP = 'Salesforce Help, "Configure an External Client App for OAuth 2.0 Client Credentials Flow"'
APP_SETUP = (
    'Salesforce Help, "Configure a Connected App for the OAuth 2.0 Client Credentials Flow"'
    " (connected_app_client_credentials_setup)"
)
FLOW = 'Salesforce Help, "OAuth 2.0 Client Credentials Flow for Server-to-Server Integration"'
GUIDE = "Metadata API Developer Guide"

NEVER_ISSUED = frozenset({"Full", "Web", "RefreshToken", "OfflineAccess"})
MAX_AGE = 365
"""Days. Salesforce says "periodically" and no number; a year is ours."""
FIELDS = ("isClientCredentialsFlowEnabled", "clientCredentialsFlowUser")

_USER = "integration@acme.example"
_CONNECTED = CONNECTED_TOKEN_EXCHANGE.but(
    "  isTokenExchangeEnabled: true\n",
    f"  isTokenExchangeEnabled: true\n  isClientCredentialEnabled: true\n  oauthClientCredentialUser: {_USER}\n",
)


def _knowing(user: User) -> Facts:
    return Facts({user.username: user}, frozenset({"Reporting_API"}), secrets={"reporting_service": "2026-06-01"})


def _switches(app: App) -> list[object]:
    settings = [CLIENT_CREDENTIALS] if app.is_connected else [CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_POLICY]
    return [app.value(setting) for setting in settings]


def _both(app: App, but: Address) -> tuple[Address, ...]:
    """The records of the flow's two switches, but for the one that a rule is reported at: a change there may be what
    breaks it."""
    return app.records(CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_POLICY, but=but)


def using(world: World) -> Iterator[App]:
    """The apps that are known to use the flow, or to mean to."""
    return (app for app in world.apps() if True in _switches(app))


@rule(
    "CC01",
    Severity.HIGH,
    "The client credentials flow of an external client app is on in its OAuth settings and in its policies, or in neither",
    hurts="The program's requests are refused, although whoever looks at one of the two places sees the flow switched on.",
    source=f"{ECA_SETUP}; it names ExtlClntAppConfigurablePolicies for the second switch, which stands in"
    f" ExtlClntAppOauthConfigurablePolicies ({GUIDE}; Salesforce's WSDL v63)",
    good=GOOD,
    bad=GOOD.but(
        "isClientCredentialsFlowEnabled: true\n  isConsumerSecretOptional",
        "isClientCredentialsFlowEnabled: false\n  isConsumerSecretOptional",
    ),
)
def both_switches(world: World) -> Verdicts:
    for app in world.apps():
        values = _switches(app)
        if all(value is UNKNOWN for value in values):
            address, path = app.spot(CLIENT_CREDENTIALS)
            why = f"{world.why_unknown(address)}; rules on that flow were not judged"
            yield NotChecked(address, f"whether it uses the client credentials flow is not known: {why}", path)
            continue
        if app.is_connected or True not in values:
            continue
        for setting, value, other in (
            (CLIENT_CREDENTIALS, values[0], CLIENT_CREDENTIALS_POLICY),
            (CLIENT_CREDENTIALS_POLICY, values[1], CLIENT_CREDENTIALS),
        ):
            address, path = app.spot(setting)
            if value is UNKNOWN:
                yield unknown(world, address, path)
            elif value is not True:
                on = app.spot(other)
                yield Broken(
                    address,
                    f"{path[-1]} is off here, but on in {on.address}",
                    path,
                    mend=f"write {app.write(setting, 'true')}, or {app.write(other, 'false')}",
                    also=(on.address,),
                )


@rule(
    "CC02",
    Severity.HIGH,
    "The client credentials flow names an active, API-only user, and nothing does where the flow is off",
    hurts="The program's requests are refused, or one flipped switch lets whoever has the secret act as that user.",
    source=f"{GUIDE}, ExtlClntAppOauthConfigurablePolicies and ConnectedApp: the user must be API-only, which {APP_SETUP}"
    " only recommends; hence medium for that. That no user should be left where the flow is off is inferred",
    good=GOOD,
    bad=GOOD.but(f"  clientCredentialsFlowUser: {_USER}\n", '  clientCredentialsFlowUser: ""\n'),
    asks_org=True,
)
def flow_user(world: World) -> Verdicts:
    """That a connected app names a user at all is CC06."""
    for app in world.apps():
        switches, user = _switches(app), app.value(CLIENT_CREDENTIALS_USER)
        if True in switches:
            if user is UNKNOWN or user:
                yield from _usable(app, user)
            elif not app.is_connected and switches[1] is True:
                yield from _missing(app)
        elif user is not UNKNOWN and user and UNKNOWN not in switches and not app.is_connected:
            yield from _left_over(app, user)


def _missing(app: App) -> Verdicts:
    address, path = app.spot(CLIENT_CREDENTIALS_USER)
    yield Broken(
        address,
        f"{app.name} uses the client credentials flow, but {path[-1]} names nobody",
        path,
        mend=f"write {app.write(CLIENT_CREDENTIALS_USER, '…')}, the username of an active, API-only integration user",
        also=_both(app, address),
    )


def _left_over(app: App, user: str) -> Verdicts:
    address, path = app.spot(CLIENT_CREDENTIALS_USER)
    yield Broken(
        address,
        f"{path[-1]} is {user}, but {app.name} does not use the client credentials flow",
        path,
        mend=f'write {path[-1]}: ""',
        also=_both(app, address),
        severity=Severity.MEDIUM,
    )


def _usable(app: App, username: object) -> Verdicts:
    address, path = app.spot(CLIENT_CREDENTIALS_USER)
    if not isinstance(username, str):
        yield unknown(app.world, address, path)
        return
    user, why = look_up(app.world, username)
    mend, also = f"name an active, API-only integration user: {path[-1]}: …", _both(app, address)
    if why:
        yield NotChecked(address, f"what kind of user {username} is, is not known: {why}", path)
    elif user is None or not user.active:
        yield Broken(address, unusable(username, user), path, mend=mend, also=also)
    elif user.api_only is None:
        yield NotChecked(address, f"whether {username} is API-only is not known: the org did not tell", path)
    elif not user.api_only:
        message = f"{username} is not API-only, so it may log in like a person"
        yield Broken(address, message, path, mend=mend, also=also, severity=Severity.MEDIUM)


@rule(
    "CC03",
    Severity.MEDIUM,
    "The client credentials flow does not run as an administrator",
    hurts="Whoever has the app's key and secret can do everything in the org.",
    source=f"{ECA_SETUP}: an integration user; any person or app that has the consumer key and secret can get a token."
    ' Salesforce Help, "Give Integration Users API Only Access" (platform.integration_user)',
    good=GOOD,
    bad=replace(
        GOOD,
        facts=_knowing(User(_USER, active=True, api_only=True, profile="System Administrator", user_type="Standard")),
    ),
    asks_org=True,
)
def no_administrator(world: World) -> Verdicts:
    """That the user is not API-only, so perhaps a person's, is CC02."""
    for app in using(world):
        username = app.value(CLIENT_CREDENTIALS_USER)
        address, path = app.spot(CLIENT_CREDENTIALS_USER)
        if username is UNKNOWN:
            yield unknown(world, address, path)
            continue
        user, why = look_up(world, username) if username else (None, "")
        if why:
            yield NotChecked(address, f"which profile {username} has, is not known: {why}", path)
        elif user is not None and is_administrator(user):
            yield Broken(
                address,
                f"{username} has the profile {user.profile}",
                path,
                mend=f"name a user who may do what the program needs and no more: {path[-1]}: …",
                also=_both(app, address),
            )
        elif user is not None and not user.profile:
            yield NotChecked(address, f"which profile {username} has, is not known: the org did not tell", path)


@rule(
    "CC04",
    Severity.MEDIUM,
    "An app's secret is not older than a year",
    hurts="Everybody who ever had the secret, former colleagues and old backups included, can still get tokens with it.",
    source=f"{ECA_SETUP}: maintain security by periodically changing your consumer secret. The number of days is ours",
    good=GOOD,
    bad=replace(
        GOOD,
        facts=Facts(
            {_USER: User(_USER, active=True, api_only=True, profile="Minimum Access - API Only Integrations")},
            frozenset({"Reporting_API"}),
            secrets={"reporting_service": "2025-11-21"},
        ),
    ),
    asks_org=True,
)
def young_secret(world: World) -> Verdicts:
    """For every app whose secret's date the org tells. That it does not is said only of apps whose secret is all that a
    client needs."""
    dates = world.facts.secrets if world.facts is not None else {}
    for app in world.apps():
        made = _date(dates.get(app.name, ""))
        if made is not None:
            age = (world.today - made).days
            if age > MAX_AGE:
                yield Broken(
                    app.address,
                    f"the secret of {app.name} was made on {made.isoformat()}, {age} days ago; {MAX_AGE} are the limit",
                    mend="stage a new secret, give it to the clients, and rotate",
                )
        elif True in _switches(app):
            yield NotChecked(app.address, f"how old its secret is, is not known: {_why_no_date(world)}")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _why_no_date(world: World) -> str:
    if world.facts is None:
        return "no org was asked"
    reason = world.facts.unknown.get("secrets")
    if reason == NOT_ASKED:
        return "check --live --secret-ages asks the org, which sends the secrets along"
    return f"the org did not tell ({reason})" if reason else "the org tells it of staged and rotated secrets only"


@rule(
    "CC05",
    Severity.MEDIUM,
    "An app of the client credentials flow has no scopes that the flow never gives",
    hurts="The program's calls are refused although its app seems to have the scope; with no other scope, it gets no token.",
    source=f"{FLOW}, as quoted in simple-salesforce pull request 662: all scopes but full, web, offline_access and"
    ' refresh_token. Without any other: "invalid_grant: no valid scopes defined" (reports since Winter \'26)',
    good=GOOD,
    bad=GOOD.but("commaSeparatedOauthScopes: [Api]", "commaSeparatedOauthScopes: [Api, Web]"),
)
def scopes_that_are_given(world: World) -> Verdicts:
    """Graver where no other scope is left. An app that people log in to as well may need them: then waive it."""
    for app in using(world):
        scopes = app.value(SCOPES)
        address, path = app.spot(SCOPES)
        if world.has(address) is False:
            # That the whole record is missing is RF02.
            continue
        if scopes is UNKNOWN:
            yield unknown(world, address, path)
            continue
        dropped, left = sorted(NEVER_ISSUED & set(scopes or ())), sorted(set(scopes or ()) - NEVER_ISSUED)
        mend = f"write {app.write(SCOPES, '[' + ', '.join(left or ['Api']) + ']')}"
        if left or (custom := app.custom_scopes) is UNKNOWN or custom:
            if dropped:
                message = f"{app.name} has {' and '.join(dropped)}, which the client credentials flow never gives"
                yield Broken(address, message, path, mend=mend, also=_both(app, address))
        else:
            what = f"no scope but {' and '.join(dropped)}" if dropped else "no scope"
            message = f"{app.name} has {what}, so the client credentials flow gives it no token"
            yield Broken(address, message, path, mend=mend, also=_both(app, address), severity=Severity.HIGH)


@rule(
    "CC06",
    Severity.HIGH,
    "A connected app names a user exactly where its client credentials flow is on",
    hurts="The program's requests are refused, or one flipped switch lets whoever has the secret act as that user.",
    source=f"{GUIDE}, ConnectedApp: isClientCredentialEnabled needs oauthClientCredentialUser; {APP_SETUP}. That no user"
    " should be left where the flow is off is inferred",
    good=_CONNECTED,
    bad=_CONNECTED.but(f"  oauthClientCredentialUser: {_USER}\n", ""),
)
def connected_app_user(world: World) -> Verdicts:
    """What kind of user it is, is CC02."""
    for app in world.apps():
        switch, user = app.value(CLIENT_CREDENTIALS), app.value(CLIENT_CREDENTIALS_USER)
        if not app.is_connected or switch is UNKNOWN:
            continue
        address, path = app.spot(CLIENT_CREDENTIALS_USER)
        if switch is True and user is UNKNOWN:
            yield unknown(world, address, path)
        elif switch is True and not user:
            yield from _missing(app)
        elif switch is not True and user is not UNKNOWN and user:
            yield from _left_over(app, user)


@rule(
    "CC07",
    Severity.HIGH,
    "No field of the client credentials flow stands in ExtlClntAppConfigurablePolicies",
    hurts="The deployment fails, or the flow stays off although the file says that it is on.",
    source=f"{ECA_SETUP} puts two fields there; {GUIDE} and Salesforce's WSDL v63 have them in"
    " ExtlClntAppOauthConfigurablePolicies",
    good=GOOD,
    bad=replace(
        GOOD,
        odd={
            f"{POLICY}/reporting_service": {
                "externalClientApplication": "reporting_service",
                "isEnabled": True,
                "isOauthPluginEnabled": True,
                "isClientCredentialsFlowEnabled": "true",
            }
        },
    ),
)
def right_policies(world: World) -> Verdicts:
    """In a file this is an error of its own, before any rule runs."""
    for app in world.apps():
        address = app.satellite(POLICY)
        body = world.bodies.get(address, {})
        for name in () if app.is_connected else FIELDS:
            if name in body:
                yield Broken(
                    address,
                    f"{name} is no field of {POLICY}",
                    (name,),
                    mend=f"write it under oauthPolicies, which is {OAUTH_POLICY}",
                    also=(Address(OAUTH_POLICY, app.name),),
                )
