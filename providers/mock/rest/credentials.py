"""Consumer keys and secrets of external client apps by Connect REST: read, stage, rotate, revoke.

An app has its primary set, and a slot for one other: staged, it works beside the primary one and waits to take its place;
rotated out, it works on for 30 days (https://lekkimworld.com/author/lekkim, and what sfdx-hardis says of its command
`hardis:org:ext-client-app:rotate-credentials`). Shapes: Connect REST API Developer Guide, "OAuth Credentials Resources"
(https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/connect_resources_oauth_credentials_resources.htm).
"""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from providers.mock.habits import consumer_keys
from providers.mock.metadata.package import parse_version
from providers.mock.org import Org
from providers.mock.record import one
from providers.mock.rest.entry import Json, answered, enter, not_found, sent
from providers.mock.state import ids, permissions
from providers.mock.state.errors import Fault
from providers.mock.state.world import Component, Landing, User, World

_GLOBAL, _OAUTH = "ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthSettings"
_STAGED_SINCE, _SINCE = 65, 60
_LARGEST_PAGE = 100


def usage(org: Org, request: Request, version: str) -> Response:
    """List the external client apps that have OAuth settings."""
    user = _enter(org, request, version, _SINCE)
    page, size = (_number(request, name, default) for name, default in (("page", 0), ("pageSize", 25)))
    size = max(1, min(size, _LARGEST_PAGE))
    with org.reading() as world:
        if "ExternalClientAppViewer" not in permissions.held(world, user):
            raise _not_enabled()
        found = [each for each in world.components("ExternalClientApplication") if world.satellite(_GLOBAL, each.name)]
    here = f"/services/data/v{version}/apps/oauth/usage"
    more = len(found) > (page + 1) * size
    return answered(
        {
            "apps": [
                {"developerName": each.name, "identifier": each.id} for each in found[page * size : (page + 1) * size]
            ],
            "currentPageUrl": f"{here}?page={page}&pageSize={size}",
            "nextPageUrl": f"{here}?page={page + 1}&pageSize={size}" if more else None,
        }
    )


def consumers(org: Org, request: Request, version: str, app_id: str) -> Response:
    """List the consumers of an app: there is one."""
    user = _enter(org, request, version, _SINCE)
    with org.reading() as world:
        _check(world, user)
        app = _app(world, app_id)
        found = world.satellite(_GLOBAL, app.name)
        here = f"/services/data/v{version}/apps/oauth/credentials/{app.id}"
        consumer = _consumer_id(world, app)
        listed: list[Json] = []
        if found is not None and consumer:
            url = f"{here}/{consumer}"
            key = one(found.values(), "consumerKey")
            links = {"url": url, "stagedCredentialsUrl": f"{url}/staged"}
            listed.append({"id": consumer, "key": key, "name": found.name, **links})
    return answered({"consumers": listed, "currentPageUrl": here, "nextPageUrl": None})


def consumer(org: Org, request: Request, version: str, app_id: str, consumer_id: str) -> Response:
    """Answer with the consumer key, the secret or both, as the parameter `part` asks."""
    user = _enter(org, request, version, _SINCE)
    part = request.args.get("part", "key").lower()
    if part not in {"key", "secret", "keyandsecret"}:
        text = "The value for part is not valid: it is key, secret, or keyandsecret"
        raise Fault("ILLEGAL_QUERY_PARAMETER_VALUE", text)
    with org.reading() as world:
        _check(world, user)
        found = _settings(world, app_id, consumer_id)
        answer: Json = {"id": consumer_id, "name": found.name}
        if "key" in part:
            answer["key"] = one(found.values(), "consumerKey")
        if "secret" in part:
            answer["secret"] = found.secret
    return answered({**answer, "url": request.path})


def staged(org: Org, request: Request, version: str, app_id: str, consumer_id: str) -> Response:
    """Answer with the staged credentials, if there are any."""
    user = _enter(org, request, version, _STAGED_SINCE)
    with org.reading() as world:
        _check(world, user)
        found = consumer_keys.spare(world, _settings(world, app_id, consumer_id))
        return answered(_collection(request.path, [found] if found else []))


def stage(org: Org, request: Request, version: str, app_id: str, consumer_id: str) -> Response:
    """Stage a second key and secret, which may be rotated in for 30 days. Nothing in the request's body means anything."""
    user = _enter(org, request, version, _STAGED_SINCE, writes=True)
    with org.writing() as world:
        world.user_id = user.id
        _check(world, user)
        settings = _settings(world, app_id, consumer_id)
        there = consumer_keys.spare(world, settings)
        if there is not None and there.state != "Expired":
            # That there is one set at most is known from sfdx-hardis; the sentence is ours.
            raise Fault("INVALID_OPERATION", "Staged credentials already exist for this consumer. Delete them first.")
        found = consumer_keys.stage(world, settings)
        world.audit("stagedConsumer", "External Client Apps", f"Staged consumer credentials of {settings.owner}")
        return answered(_collection(request.path, [found]), 201)


def staged_set(org: Org, request: Request, version: str, app_id: str, consumer_id: str, staged_id: str) -> Response:
    user = _enter(org, request, version, _STAGED_SINCE)
    with org.reading() as world:
        _check(world, user)
        found = _slot(world, _settings(world, app_id, consumer_id), staged_id)
        return answered(_shown(request.path.rpartition("/")[0], found))


def rotate(org: Org, request: Request, version: str, app_id: str, consumer_id: str, staged_id: str) -> Response:
    """Swap the staged key and secret with the primary ones."""
    user = _enter(org, request, version, _STAGED_SINCE, writes=True)
    command = sent(request).get("command")
    if str(command).lower() != "rotate":
        raise Fault("INVALID_API_INPUT", "The command can only be rotate")
    with org.writing() as world:
        world.user_id = user.id
        _check(world, user)
        settings = _settings(world, app_id, consumer_id)
        found = _slot(world, settings, staged_id)
        if found.state != "Active":
            raise Fault("INVALID_OPERATION", f"The staged credentials are {found.state.lower()} and can't be rotated.")
        body = settings.values()
        old = settings.values()
        former = one(body, "consumerKey") or "", settings.secret or ""
        body["consumerKey"] = [found.key]
        world.save(Landing(settings.kind, settings.name, body, before=settings, old=old, secret=found.secret))
        world.audit("rotatedConsumer", "External Client Apps", f"Rotated consumer credentials of {settings.owner}")
        rotated = consumer_keys.rotated_out(world, settings, found, *former)
        return answered(_shown(request.path.rpartition("/")[0], rotated))


def unstage(org: Org, request: Request, version: str, app_id: str, consumer_id: str, staged_id: str) -> Response:
    """Remove the staged credentials: they work no more."""
    user = _enter(org, request, version, _STAGED_SINCE, writes=True)
    with org.writing() as world:
        world.user_id = user.id
        _check(world, user)
        settings = _settings(world, app_id, consumer_id)
        consumer_keys.forget_spare(world, _slot(world, settings, staged_id))
        world.audit("deletedConsumer", "External Client Apps", f"Deleted staged credentials of {settings.owner}")
    return Response(status=204)


def _enter(org: Org, request: Request, version: str, since: int, *, writes: bool = False) -> User:
    user = enter(org, request, version, "credentials", writes=writes)
    if (parse_version(version) or 0) < since:
        raise not_found()
    return user


def _number(request: Request, name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default


def _not_enabled() -> Fault:
    return Fault("FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user.", 403)


def _check(world: World, user: User) -> None:
    """Refuse a user without the permissions, or in an org without the setting (help: xcloud.eca_stage_oauth_credentials)."""
    wanted = {"ExternalClientAppDeveloper", "ViewClientSecret"}
    if not world.setting("ExternalClientAppSettings", "enableClientSecretInRestApiAccess"):
        raise _not_enabled()
    if not wanted <= permissions.held(world, user):
        raise _not_enabled()


def _app(world: World, app_id: str) -> Component:
    for found in world.components("ExternalClientApplication"):
        if found.id[:15] == ids.short(app_id):
            return found
    raise not_found()


def _consumer_id(world: World, app: Component) -> str:
    """Return the id that the org gave the app's consumer, from the link in its OAuth settings."""
    oauth = world.satellite(_OAUTH, app.name)
    link = one(oauth.values(), "oauthLink") if oauth is not None else None
    short = (link or "").partition(":")[2]
    return short + ids.checksum(short) if short else ""


def _settings(world: World, app_id: str, consumer_id: str) -> Component:
    app = _app(world, app_id)
    found = world.satellite(_GLOBAL, app.name)
    wanted = ids.short(consumer_id)
    if found is None or not wanted or ids.short(_consumer_id(world, app)) != wanted:
        raise not_found()
    return found


def _slot(world: World, settings: Component, staged_id: str) -> consumer_keys.Spare:
    found = consumer_keys.spare(world, settings)
    if found is None or found.id[:15] != ids.short(staged_id):
        raise not_found()
    return found


def _collection(here: str, found: list[consumer_keys.Spare]) -> Json:
    return {"stagedCredentials": [_shown(here, each) for each in found], "url": here}


def _shown(here: str, found: consumer_keys.Spare) -> Json:
    """Return one set of credentials as JSON. (`url` is that of the set under `here`: clients delete what it names.)"""
    return {
        "createdBy": found.created_by,
        "createdDate": found.created_at,
        "expirationDate": found.expires_at,
        "id": found.id,
        "key": found.key,
        "secret": found.secret,
        "stagedCredentialsUrl": f"{here}/{found.id}",
        "state": found.state,
        "url": f"{here}/{found.id}",
    }
