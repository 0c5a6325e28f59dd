"""The REST half: versions, deployRequest, queries, a few records, and DML on handler enablements."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from providers.mock import jobs, sessions, setup
from providers.mock.catalog import NEWEST, OLDEST_ACCEPTED, OLDEST_OFFERED
from providers.mock.deploy import DeployOptions
from providers.mock.errors import Fault, MockOrgError
from providers.mock.org import Org
from providers.mock.package import parse_version
from providers.mock.soap import deploy_options
from providers.mock.soql import parse, select, unknown
from providers.mock.tables import TABLES, TOOLING_ONLY, rows, shown
from providers.mock.world import User, World

Json = dict[str, Any]
_RELEASES = {
    60: "Spring '24",
    61: "Summer '24",
    62: "Winter '25",
    63: "Spring '25",
    64: "Summer '25",
    65: "Winter '26",
    66: "Spring '26",
}
_DML = "OauthTokenExchHandlerApp"
_HANDLER = "OauthTokenExchangeHandler"
_TOKENS = ("AccessToken", "IdToken", "Jwt", "RefreshToken", "Saml2")
_SWITCHES = {
    "IsEnabled": "isEnabled",
    "IsUserCreationAllowed": "isUserCreationAllowed",
    **{f"SupportedTokenTypes{each}": f"is{each}Supported" for each in _TOKENS},
}
_TEXTS = {"Description": "description", "MasterLabel": "masterLabel"}


def bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def refusal(fault: Fault) -> Response:
    """Return an error as REST does: always an array."""
    return _json([{"message": fault.text, "errorCode": fault.code}], fault.status)


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json;charset=UTF-8")


def _login(org: Org, request: Request) -> User:
    with org.reading_only() as world:
        return sessions.user(world.db, bearer(request))


def _administrator(org: Org, request: Request) -> User:
    user = _login(org, request)
    with org.reading_only() as world:
        if not sessions.may_administer(world, user):
            text = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
            raise Fault("INSUFFICIENT_ACCESS", text, 403)
    return user


def _version(text: str) -> int:
    version = parse_version(text)
    if version is None or not OLDEST_ACCEPTED <= version <= NEWEST:
        raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
    return version


# -- what is here ----------------------------------------------------------------------------------------------------


def versions(org: Org, request: Request) -> Response:
    """Ascending: some clients take the last, some the largest. Answered without a session, as orgs do."""
    org.count("versions")
    offered = range(OLDEST_OFFERED, NEWEST + 1)
    return _json([{"label": _RELEASES[v], "url": f"/services/data/v{v}.0", "version": f"{v}.0"} for v in offered])


def resources(org: Org, request: Request, version: str) -> Response:
    user, number = _login(org, request), _version(version)
    base = f"/services/data/v{number}.0"
    links = {name: f"{base}/{name}" for name in ("limits", "metadata", "query", "queryAll", "sobjects", "tooling")}
    return _json({**links, "identity": f"{request.host_url}id/{org.org_id}/{user.id}"})


def limits(org: Org, request: Request, version: str) -> Response:
    _login(org, request)
    _version(version)
    used = sum(count for name, count in org.calls.items() if not name.startswith("write:"))
    return _json({"DailyApiRequests": {"Max": 15000, "Remaining": max(0, 15000 - used)}})


def _person(org: Org, request: Request, user: User) -> Json:
    with org.reading_only() as world:
        organization = world.org_id
    return {
        "sub": f"{request.host_url}id/{organization}/{user.id}",
        "user_id": user.id,
        "organization_id": organization,
        "preferred_username": user.username,
        "name": user.name,
        "email": user.username,
        "active": user.is_active,
        "user_type": "STANDARD",
    }


def userinfo(org: Org, request: Request) -> Response:
    org.count("userinfo")
    return _json(_person(org, request, _login(org, request)))


def identity(org: Org, request: Request, organization: str, user_id: str) -> Response:
    user = _login(org, request)
    person = _person(org, request, user)
    if (organization[:15], user_id[:15]) != (person["organization_id"][:15], user.id[:15]):
        raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
    return _json({**person, "id": person["sub"], "username": user.username, "display_name": user.name})


# -- deployRequest ---------------------------------------------------------------------------------------------------


def deploy(org: Org, request: Request, version: str) -> Response:
    """Start a deployment (multipart), or deploy a validation (JSON)."""
    user, _ = _administrator(org, request), _version(version)
    if request.mimetype == "application/json":
        body = _body(request)
        org.count("deployRequest", writes=True)
        with org.writing() as world:
            world.user_id = user.id
            _check_open(world)
            job = jobs.start_quick_deploy(world, str(body.get("validatedDeployRequestId") or ""))
            return _started(world, job, body)
    described, content = _parts(request)
    given = described.get("deployOptions") or {}
    options = _options(given)
    org.count("deployRequest", writes=not options.checkOnly)
    with org.writing(settle=False) as world:
        world.user_id = user.id
        _check_open(world)
        return _started(world, jobs.start_deploy(world, content, options), {"deployOptions": given})


def _check_open(world: World) -> None:
    if world.switches.rest_deploy_refused:
        raise Fault("FUNCTIONALITY_NOT_ENABLED", "deployRequest is not enabled for this organization", 403)


def _started(world: World, job: str, body: Json) -> Response:
    row = world.db.execute("SELECT * FROM job WHERE id = ?", (job,)).fetchone()
    result = jobs.deploy_result(world.db, row, details=False)
    return _json({**body, "id": job, "deployResult": _shaped(result)}, 201)


def _parts(request: Request) -> tuple[Json, bytes]:
    """Return the options and the zip; the JSON part is called `json` by some clients and `entity_content` by others."""
    described, content = "", b""
    for name in ("json", "entity_content"):
        if name in request.form:
            described = request.form[name]
        elif name in request.files:
            described = request.files[name].read().decode("utf-8", "replace")
    if "file" in request.files:
        content = request.files["file"].read()
    elif "file" in request.form:
        content = request.form["file"].encode("latin-1", "replace")
    if not described or not content:
        raise Fault("INVALID_MULTIPART_REQUEST", "The request needs a part json and a part file")
    return _decoded(described), content


def _decoded(text: str) -> Json:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Fault("JSON_PARSER_ERROR", "The request body is not JSON") from None
    if not isinstance(value, dict):
        raise Fault("JSON_PARSER_ERROR", "The request body is not a JSON object")
    return value


def _body(request: Request) -> Json:
    return _decoded(request.get_data().decode("utf-8", "replace"))


def _options(given: object) -> DeployOptions:
    if not isinstance(given, Mapping):
        raise Fault("JSON_PARSER_ERROR", "deployOptions is not an object")
    texts = {str(name): "" if value is None else str(value) for name, value in given.items()}
    tests = given.get("runTests")
    return deploy_options(texts, tuple(map(str, tests)) if isinstance(tests, list) else ())


def _shaped(result: Json) -> Json:
    """Give the arrays that JSON clients expect even while nothing is in them."""
    details = {"componentFailures": [], "componentSuccesses": [], "runTestResult": None, **result["details"]}
    return {**result, "details": details}


def deploy_status(org: Org, request: Request, version: str, job: str) -> Response:
    user, _ = _administrator(org, request), _version(version)
    org.count("deployRequestStatus")
    details = request.args.get("includeDetails", "").lower() == "true"
    with org.writing(settle=False) as world:
        world.user_id = user.id
        row = jobs.poll_deploy(world, job)
        result = _shaped(jobs.deploy_result(world.db, row, details=details))
    return _json(
        {
            "id": row["id"],
            "validatedDeployRequestId": None,
            "deployResult": result,
            "deployOptions": json.loads(row["options"]),
        }
    )


def deploy_cancel(org: Org, request: Request, version: str, job: str) -> Response:
    user, _ = _administrator(org, request), _version(version)
    org.count("cancelDeploy")
    wanted = _body(request).get("deployResult")
    if not isinstance(wanted, dict) or wanted.get("status") != "Canceling":
        raise Fault("INVALID_FIELD", "deployResult.status can only be set to Canceling")
    with org.writing(settle=False) as world:
        world.user_id = user.id
        jobs.cancel(world, job)
        row = world.db.execute("SELECT * FROM job WHERE id = ? OR substr(id, 1, 15) = ?", (job, job)).fetchone()
        return _json({"id": row["id"], "deployResult": _shaped(jobs.deploy_result(world.db, row, details=False))}, 202)


# -- queries and records ---------------------------------------------------------------------------------------------


def query(org: Org, request: Request, version: str, tooling: str | None) -> Response:
    return _page(org, request, version, tooling or "", request.args.get("q", ""), 0)


def query_more(org: Org, request: Request, version: str, tooling: str | None, locator: str) -> Response:
    """The next page: a locator holds its query and how far it got, so nothing is kept in between."""
    asked, _, reached = locator.removeprefix("01g").rpartition("-")
    try:
        text, offset = base64.urlsafe_b64decode(asked).decode(), int(reached)
    except ValueError:
        raise Fault("INVALID_QUERY_LOCATOR", "invalid query locator") from None
    return _page(org, request, version, tooling or "", text, offset)


def _page(org: Org, request: Request, version: str, tooling: str, text: str, offset: int) -> Response:
    user = _login(org, request)
    _version(version)
    org.count("query")
    asked = parse(text, tooling=bool(tooling))
    with org.reading() as world:
        if not shown(world, user, asked.table):
            raise unknown(asked.table)
        found = select(asked, rows(world, asked.table))
        size = max(1, world.switches.query_page)
    if request.args.get("columns") == "true":
        columns = [
            {"aggregate": False, "columnName": name, "displayName": name, "joinColumns": []} for name in asked.fields
        ]
        return _json({"columnMetadata": columns, "entityName": asked.table, "groupBy": False})
    if asked.count:
        return _json({"totalSize": found[0]["count"], "done": True, "records": []})
    base = f"/services/data/v{version}/{tooling}sobjects/{asked.table}"
    records = [
        {"attributes": {"type": asked.table, "url": f"{base}/{row.get('Id') or ''}"}, **row}
        for row in found[offset : offset + size]
    ]
    answer: Json = {"totalSize": len(found), "done": offset + size >= len(found), "records": records}
    if not answer["done"]:
        locator = f"01g{base64.urlsafe_b64encode(text.encode()).decode()}-{offset + size}"
        answer["nextRecordsUrl"] = f"/services/data/v{version}/{tooling}query/{locator}"
    return _json(answer)


def record(org: Org, request: Request, version: str, kind: str, record_id: str) -> Response:
    user = _login(org, request)
    _version(version)
    org.count("record")
    with org.reading() as world:
        if kind not in TABLES or kind in TOOLING_ONLY or not shown(world, user, kind):
            raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
        for row in rows(world, kind):
            if str(row["Id"])[:15] == record_id[:15]:
                flat = {name: value for name, value in row.items() if "." not in name}
                attributes = {"type": kind, "url": f"/services/data/v{version}/sobjects/{kind}/{row['Id']}"}
                return _json({"attributes": attributes, **flat})
    raise Fault("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + record_id, 404)


def create(org: Org, request: Request, version: str, kind: str) -> Response:
    """Enable an app for a handler by plain DML: a way past every metadata tool."""
    user = _dml(org, request, version, kind)
    body = _body(request)
    with org.writing() as world:
        world.user_id, world.in_setup = user.id, True
        handler = _named(world, "OauthTokenExchangeHandler", body.get("OauthTokenExchangeHandlerId"))
        app = _app(world, body)
        fields = {
            "apexExecutionUser": _username(world, body.get("ApexExecutionUserId")),
            "isDefault": _flag(body.get("IsDefault")),
        }
        _edit(world, f"OauthTokenExchangeHandler/{handler}/enablements/{app}", fields, setup.create)
        found = world.db.execute("SELECT id FROM enablement WHERE handler = ? AND app = ?", (handler, app)).fetchone()
        return _json({"id": found["id"], "success": True, "errors": []}, 201)


def update(org: Org, request: Request, version: str, kind: str, record_id: str) -> Response:
    """Edit an enablement, or a handler itself, by plain DML."""
    user = _dml(org, request, version, kind, _DML, _HANDLER)
    body = _body(request)
    with org.writing() as world:
        world.user_id, world.in_setup = user.id, True
        if kind == _HANDLER:
            fields = dict(_handler_field(world, name, value) for name, value in body.items())
            _edit(world, f"{_HANDLER}/{_named(world, _HANDLER, record_id)}", fields, setup.edit)
        else:
            fields = dict(_enablement_field(world, name, value) for name, value in body.items())
            _edit(world, _enablement(world, record_id), fields, setup.edit)
    return Response(status=204)


def _enablement_field(world: World, column: str, value: object) -> tuple[str, str | None]:
    if column == "IsDefault":
        return "isDefault", _flag(value)
    if column == "ApexExecutionUserId":
        return "apexExecutionUser", _username(world, value)
    raise Fault("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {column}.")


def _handler_field(world: World, column: str, value: object) -> tuple[str, str | None]:
    if column in _SWITCHES:
        return _SWITCHES[column], _flag(value)
    if column in _TEXTS:
        return _TEXTS[column], str(value)
    if column == "TokenHandlerApexId":
        return "tokenHandlerApex", _named(world, "ApexClass", value)
    raise Fault("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {column}.")


def delete(org: Org, request: Request, version: str, kind: str, record_id: str) -> Response:
    user = _dml(org, request, version, kind)
    with org.writing() as world:
        world.user_id, world.in_setup = user.id, True
        place = _enablement(world, record_id)
        try:
            setup.delete(world, place)
        except MockOrgError as refused:
            raise Fault("FIELD_INTEGRITY_EXCEPTION", str(refused)) from None
    return Response(status=204)


def _dml(org: Org, request: Request, version: str, kind: str, *known: str) -> User:
    _login(org, request)
    _version(version)
    org.count("dml", writes=True)
    if kind not in TABLES:
        raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
    if kind not in (known or (_DML,)):
        raise Fault("METHOD_NOT_ALLOWED", f"{kind} cannot be written by this mock org", 405)
    return _administrator(org, request)


def _edit(world: World, place: str, fields: Mapping[str, str | None], change: Any) -> None:
    try:
        change(world, place, fields)
    except MockOrgError as refused:
        raise Fault("FIELD_INTEGRITY_EXCEPTION", str(refused)) from None


def _enablement(world: World, record_id: str) -> str:
    found = world.db.execute(
        "SELECT handler, app FROM enablement WHERE substr(id, 1, 15) = ?", (record_id[:15],)
    ).fetchone()
    if found is None:
        raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
    return f"OauthTokenExchangeHandler/{found['handler']}/enablements/{found['app']}"


def _named(world: World, kind: str, record_id: object) -> str:
    statement = "SELECT name FROM component WHERE kind = ? AND substr(id, 1, 15) = ?"
    found = world.db.execute(statement, (kind, str(record_id or "")[:15])).fetchone()
    if found is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {record_id}")
    return str(found["name"])


def _app(world: World, body: Json) -> str:
    connected, client = body.get("ConnectedApplicationId"), body.get("ExternalClientApplicationId")
    if bool(connected) == bool(client):
        raise Fault(
            "REQUIRED_FIELD_MISSING", "Exactly one of ConnectedApplicationId and ExternalClientApplicationId is needed"
        )
    if connected:
        return _named(world, "ConnectedApp", connected)
    return _named(world, "ExternalClientApplication", client)


def _username(world: World, user_id: object) -> str:
    found = world.db.execute(
        "SELECT username FROM user WHERE substr(id, 1, 15) = ?", (str(user_id or "")[:15],)
    ).fetchone()
    if found is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {user_id}")
    return str(found["username"])


def _flag(value: object) -> str:
    return "true" if value is True or str(value).lower() == "true" else "false"
