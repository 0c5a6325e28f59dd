"""Token exchange handlers and their enablements."""

from __future__ import annotations

from collections.abc import Iterator

from providers.mock.habits.apex import extends
from providers.mock.habits.texts import no_such, required
from providers.mock.record import Body, default, one, parts, true
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Landing, World

PARENT = "Auth.Oauth2TokenExchangeHandler"


def settle(landing: Landing, world: World) -> None:
    default(landing.body, {"isProtected": "false"})
    seen: set[tuple[str, str]] = set()
    for enablement in parts(landing.body, "enablements"):
        app = one(enablement, "connectedApp"), one(enablement, "externalClientApp")
        if bool(app[0]) == bool(app[1]):
            raise Refusal("An enablement names exactly one of connectedApp and externalClientApp")
        pair = ((app[0] or "").lower(), (app[1] or "").lower())
        if pair in seen:
            raise Refusal(
                f"duplicate value found: {app[0] or app[1]} is enabled twice for this handler", "DUPLICATE_VALUE"
            )
        seen.add(pair)


def check(name: str, body: Body, world: World) -> Iterator[Refusal]:
    yield from _check_class(body, world)
    for enablement in parts(body, "enablements"):
        yield from _check_enablement(name, enablement, world)


def _check_class(body: Body, world: World) -> Iterator[Refusal]:
    name = one(body, "tokenHandlerApex") or ""
    found = world.component("ApexClass", name) if name else None
    if not name:
        yield required("tokenHandlerApex")
    elif found is None:
        yield no_such("tokenHandlerApex", "ApexClass", name)
    elif not extends((found.content or b"").decode("utf-8", "replace"), PARENT):
        yield Refusal(f"The Apex class {name} must extend {PARENT}")


def _check_enablement(handler: str, enablement: Body, world: World) -> Iterator[Refusal]:
    connected, client = one(enablement, "connectedApp"), one(enablement, "externalClientApp")
    kind, app = ("ConnectedApp", connected) if connected else ("ExternalClientApplication", client)
    field = "connectedApp" if connected else "externalClientApp"
    if not world.has(kind, app or ""):
        yield no_such(field, kind, app or "")
    elif world.switches.enablement_requires_flow and not _configured(kind, app or "", world):
        yield Refusal(f"{app} isn't configured for the token exchange flow")
    user = one(enablement, "apexExecutionUser")
    if not world.active_user(user):
        yield no_such("apexExecutionUser", "User", user or "")
    if true(enablement, "isDefault"):
        statement = "SELECT handler FROM enablement WHERE target = ? AND app = ? AND is_default AND handler <> ?"
        other = world.db.execute(statement, (kind, app, handler)).fetchone()
        if other is not None:
            # The sentence is that of requirement S002; no source quotes the server's.
            text = f"An app can have only one default handler: {other['handler']} is the default of {app}"
            yield Refusal(text, "DUPLICATE_VALUE")


def _configured(kind: str, app: str, world: World) -> bool:
    """Whether Setup's app picker would list the app: both switches on, users approved by an admin (S000, S002)."""
    if kind == "ConnectedApp":
        found = world.component(kind, app)
        body = found.values() if found else {}
        return (
            true(body, "oauthConfig", "isTokenExchangeEnabled")
            and true(body, "oauthPolicy", "isTokenExchangeFlowEnabled")
            and true(body, "oauthConfig", "isAdminApproved")
        )
    global_oauth = world.satellite("ExtlClntAppGlobalOauthSettings", app)
    policy = world.satellite("ExtlClntAppOauthConfigurablePolicies", app)
    if global_oauth is None or policy is None:
        return False
    rules = policy.values()
    approved = one(rules, "permittedUsersPolicyType") == "AdminApprovedPreAuthorized"
    return (
        true(global_oauth.values(), "isTokenExchangeEnabled") and true(rules, "isTokenExchangeFlowEnabled") and approved
    )


def forget_app(kind: str, app: str, world: World) -> None:
    """Take away the enablements of an app that is gone."""
    field = "connectedApp" if kind == "ConnectedApp" else "externalClientApp"
    rows = world.db.execute("SELECT handler FROM enablement WHERE target = ? AND app = ?", (kind, app)).fetchall()
    for row in rows:
        found = world.component("OauthTokenExchangeHandler", row["handler"])
        if found is None:
            continue
        old = found.values()
        kept = [each for each in parts(old, "enablements") if (one(each, field) or "").lower() != app.lower()]
        new: Body = {**old, "enablements": list(kept)}
        if not kept:
            new.pop("enablements")
        world.save(Landing(found.kind, found.name, new, before=found, old=old))
