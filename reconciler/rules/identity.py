"""What an app is known by: its consumer key, commands to change it, and apps that cannot be made, or be made again."""

import re

from reconciler.model.address import Address
from reconciler.rules import Broken, Example, NotChecked, Verdicts, rule
from reconciler.rules.addresses import OAUTH_SETTINGS
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE, WEB_SERVER
from reconciler.rules.unknowns import shown
from reconciler.schema.paths import get
from reconciler.schema.severity import Severity
from reconciler.schema.values import SecretRef
from reconciler.world.apps import CONSUMER_KEY, EXTERNAL, GLOBAL, App, Setting
from reconciler.world.world import World

GLOBAL_GUIDE = "Metadata API Developer Guide, ExtlClntAppGlobalOauthSettings"
NO_NEW_ONES = "Salesforce Help 005228017, New connected apps can no longer be created in Spring '26"
CONSUMER_SECRET = Setting("oauthConfig.consumerSecret", GLOBAL, "consumerSecret")

_KEY = re.compile(r"[A-Za-z0-9]{8,256}")
_GENERATED_KEY = re.compile(r"[A-Za-z0-9._]{8,256}")
"""Keys that the org made hold dots and underscores; those that it is given may not."""


def declared_value(app: App, setting: Setting) -> object:
    """What a file says of a setting, as it says it; `None` if none does."""
    address, path = app.spot(setting)
    declared = app.world.declared.get(address)
    return get(address.struct, declared.body, path) if declared is not None else None


def live_value(app: App, setting: Setting) -> object:
    """Return a field's live value as the org says it; `None` if there is none, or no org was asked."""
    address, path = app.spot(setting)
    live = app.world.live.get(address)
    return get(address.struct, live, path) if live is not None else None


@rule(
    "OA19",
    Severity.HIGH,
    "A consumer key that a new app is given has 8 to 256 letters and digits, and no secret stands in a file",
    hurts="The org refuses the deployment; or everybody who can read the repository can take the place of the app.",
    source=f"Metadata API Developer Guide, ConnectedApp (consumerKey, consumerSecret); {GLOBAL_GUIDE}: not to be added to "
    "source control",
    good=WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  consumerKey: HelpDesk2026\n"),
    bad=WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  consumerKey: help desk\n"),
)
def consumer_keys(world: World) -> Verdicts:
    """Only what files say: what an org has, it took. A secret in plain text is refused while files are read, before any
    rule runs; here it is for code that makes the files' content in another way."""
    for app in world.apps():
        key, secret = declared_value(app, CONSUMER_KEY), declared_value(app, CONSUMER_SECRET)
        if secret is not None and not isinstance(secret, SecretRef):
            where = app.spot(CONSUMER_SECRET)
            mend = "write a reference: consumerSecret: {secret: {env: VARIABLE}}, and change the secret, which is known now"
            yield Broken(where.address, "the consumer secret stands in the file", where.path, mend)
        if not isinstance(key, str) or not key or _KEY.fullmatch(key) or key == live_value(app, CONSUMER_KEY):
            continue
        address, path = app.spot(CONSUMER_KEY)
        if _GENERATED_KEY.fullmatch(key) and (not world.complete or address in world.live):
            message = "whether the org made this key, which holds more than letters and digits, is not known"
            yield NotChecked(address, message, path)
        else:
            message = f"{shown(key)} is no key that an app can be given"
            mend = "write 8 to 256 letters and digits, or remove the line: then the org makes one"
            yield Broken(address, message, path, mend)


_COMMANDS = ("shouldRotateConsumerKey", "shouldRotateConsumerSecret")


@rule(
    "OA20",
    Severity.HIGH,
    "No record asks for its consumer key or secret to be rotated",
    hurts="Whoever deploys the record next gives the app new credentials, and locks out every client that has the old ones.",
    source=f"{GLOBAL_GUIDE} (shouldRotateConsumerKey, shouldRotateConsumerSecret)",
    good=WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  shouldRotateConsumerKey: false\n"),
    bad=Example(
        WEB_SERVER.files,
        odd={
            f"{GLOBAL}/help_desk": {
                "externalClientApplication": "help_desk",
                "callbackUrl": "https://help.acme.example/callback",
                "isRefreshTokenRotationEnabled": True,
                "shouldRotateConsumerSecret": True,
            }
        },
    ),
)
def rotations(world: World) -> Verdicts:
    """In a file it is refused before any rule runs, and we never send it; other tools send back what they read."""
    for address in world.of_kind(GLOBAL):
        body = world.bodies[address]
        for name in _COMMANDS if world.only is None or address.name in world.only else ():
            if str(body.get(name)).casefold() == "true":
                message = f"{name} is true: each deployment rotates"
                yield Broken(address, message, (name,), f"write {name}: false; rotating is a command, not a state")


@rule(
    "OA21",
    Severity.HIGH,
    "No file declares a connected app that the org does not have",
    hurts="The org refuses the whole deployment, on the day of the rollout.",
    source=f"{NO_NEW_ONES}; {OAUTH_SETTINGS}, which names the exception: Salesforce Support can allow it, and a managed "
    "package brings its own",
    good=CONNECTED_TOKEN_EXCHANGE,
    bad=Example(CONNECTED_TOKEN_EXCHANGE.files, CONNECTED_TOKEN_EXCHANGE.sources),
)
def new_connected_apps(world: World) -> Verdicts:
    for address in world.of_kind("ConnectedApp"):
        if address not in world.declared or address in world.live or "__" in address.name:
            continue
        reason = world.reason_unreadable(address)
        if world.org is None or reason is not None:
            why = f"it could not be read ({reason})" if reason is not None else "no org was asked"
            yield NotChecked(address, f"whether the org has this connected app is not known: {why}")
        elif world.only is None or address.name in world.only:
            mend = (
                f"declare it as kind: {EXTERNAL}, or switch this rule off where Salesforce Support has allowed new ones"
            )
            yield Broken(address, "the org does not have this connected app, and no new ones can be made", mend=mend)


@rule(
    "OA22",
    Severity.MEDIUM,
    "No app is deleted without need",
    hurts="Every client of the app is locked out at once: its tokens are revoked, its key is gone, and a connected app cannot "
    "be made again.",
    source=f"{NO_NEW_ONES}; that tokens go with their app is general knowledge of Salesforce and inferred here",
    good=CONNECTED_TOKEN_EXCHANGE,
    bad=Example(
        "kind: OauthOidcSettings\nblockOAuthUnPwFlow: true\nblockOAuthUsrAgtFlow: true\n",
        live=CONNECTED_TOKEN_EXCHANGE.live,
    ),
)
def deletions(world: World) -> Verdicts:
    """The org has it, and after the plan it does not. A replacement cannot be seen here; its guard says the same."""
    for address in world.live:
        if address.kind not in ("ConnectedApp", EXTERNAL) or address in world.bodies:
            continue
        if world.only is None or address.name in world.only:
            yield Broken(address, _lost(address), mend="keep it in the files, with its clients' owners asked first")


def _lost(address: Address) -> str:
    if address.kind == "ConnectedApp":
        return "this connected app would be deleted: it cannot be made again, and its tokens are revoked"
    return "this app would be deleted: its tokens are revoked, and a new one has another consumer key"
