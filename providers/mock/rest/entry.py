"""The general part of REST: access, versions, limits, deployRequest. Queries and DML have modules of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from werkzeug.wrappers import Request, Response

from providers.mock.catalog import NEWEST, OLDEST_ACCEPTED, OLDEST_OFFERED
from providers.mock.metadata import jobs
from providers.mock.metadata.deploy import DeployOptions
from providers.mock.metadata.package import parse_version
from providers.mock.metadata.soap import deploy_options
from providers.mock.org import Org
from providers.mock.state import permissions, sessions
from providers.mock.state.errors import Fault
from providers.mock.state.world import User, World

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


def bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def refusal(fault: Fault) -> Response:
    """Return an error as REST does: always an array."""
    return answered([{"message": fault.text, "errorCode": fault.code}], fault.status)


def answered(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json;charset=UTF-8")


def not_found() -> Fault:
    """The refusal for anything that the org does not have; the Salesforce CLI requires this exact sentence."""
    return Fault("NOT_FOUND", "The requested resource does not exist", 404)


def enter(org: Org, request: Request, version: str, operation: str, *, writes: bool = False) -> User:
    """Check that a REST call is allowed, count it, and return its user.

    Raises `Fault` for no session, no such version, a user without the API, and a day without requests left.
    """
    with org.reading_only() as world:
        user = sessions.user(world.db, bearer(request))
        _version(version)
        permissions.check_api(world, user)
    org.count(operation, writes=writes, spends=True)
    return user


def administrator(org: Org, request: Request, version: str, operation: str, *, writes: bool = False) -> User:
    """Return the user of a request, if that user may use the Metadata API; else raise a fault."""
    user = enter(org, request, version, operation, writes=writes)
    with org.reading_only() as world:
        permissions.check_metadata(world, user)
    return user


def _version(text: str) -> int:
    version = parse_version(text)
    if version is not None and version < OLDEST_ACCEPTED:
        # https://developer.salesforce.com/docs/platform/api-tooling/guide/tooling-api-eol.html; the sentence is ours
        raise Fault("GONE", f"API version {text} is retired and no longer available", 410)
    if version is None or version > NEWEST:
        raise not_found()
    return version


# -- what is here ----------------------------------------------------------------------------------------------------


def versions(org: Org, request: Request) -> Response:
    """Answer with the API versions, ascending: some clients take the last, some the largest. Needs no session, as in orgs."""
    org.count("versions")
    offered = range(OLDEST_OFFERED, NEWEST + 1)
    return answered([{"label": _RELEASES[v], "url": f"/services/data/v{v}.0", "version": f"{v}.0"} for v in offered])


def resources(org: Org, request: Request, version: str) -> Response:
    user = enter(org, request, version, "resources")
    base = f"/services/data/v{version}"
    links = {name: f"{base}/{name}" for name in ("limits", "metadata", "query", "queryAll", "sobjects", "tooling")}
    return answered({**links, "identity": f"{request.host_url}id/{org.org_id}/{user.id}"})


def limits(org: Org, request: Request, version: str) -> Response:
    """Answer with the limits: calls a day is the only one that this org really keeps."""
    enter(org, request, version, "limits")
    used, most = org.api_requests
    return answered({"DailyApiRequests": {"Max": most, "Remaining": max(0, most - used)}})


# -- deployRequest ---------------------------------------------------------------------------------------------------


def deploy(org: Org, request: Request, version: str) -> Response:
    """Start a deployment (multipart), or deploy a validation (JSON)."""
    if request.mimetype == "application/json":
        user = administrator(org, request, version, "deployRequest", writes=True)
        body = sent(request)
        with org.writing() as world:
            world.user_id = user.id
            _check_open(world)
            job = jobs.start_quick_deploy(world, str(body.get("validatedDeployRequestId") or ""))
            return _started(world, job, body)
    user = administrator(org, request, version, "deployRequest")
    described, content = _parts(request)
    given = described.get("deployOptions") or {}
    options = _options(given)
    if not options.checkOnly:
        org.count("write:deployRequest")
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
    return answered({**body, "id": job, "deployResult": _shaped(result)}, 201)


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


def sent(request: Request) -> Json:
    return _decoded(request.get_data().decode("utf-8", "replace"))


def _options(given: object) -> DeployOptions:
    if not isinstance(given, Mapping):
        raise Fault("JSON_PARSER_ERROR", "deployOptions is not an object")
    texts = {str(name): "" if value is None else str(value) for name, value in given.items()}
    tests = given.get("runTests")
    return deploy_options(texts, tuple(map(str, tests)) if isinstance(tests, list) else ())


def _shaped(result: Json) -> Json:
    """Add to a deployment's result the arrays that JSON clients expect even if they are empty."""
    details = {"componentFailures": [], "componentSuccesses": [], "runTestResult": None, **result["details"]}
    return {**result, "details": details}


def deploy_status(org: Org, request: Request, version: str, job: str) -> Response:
    user = administrator(org, request, version, "deployRequestStatus")
    details = request.args.get("includeDetails", "").lower() == "true"
    with org.writing(settle=False) as world:
        world.user_id = user.id
        row = jobs.poll_deploy(world, job)
        result = _shaped(jobs.deploy_result(world.db, row, details=details))
    return answered(
        {
            "id": row["id"],
            "validatedDeployRequestId": None,
            "deployResult": result,
            "deployOptions": asdict(jobs.options_of(row)),
        }
    )


def deploy_cancel(org: Org, request: Request, version: str, job: str) -> Response:
    user = administrator(org, request, version, "cancelDeploy")
    wanted = sent(request).get("deployResult")
    if not isinstance(wanted, dict) or wanted.get("status") != "Canceling":
        raise Fault("INVALID_FIELD", "deployResult.status can only be set to Canceling")
    with org.writing(settle=False) as world:
        world.user_id = user.id
        jobs.cancel(world, job)
        row = world.db.execute("SELECT * FROM job WHERE id = ? OR substr(id, 1, 15) = ?", (job, job)).fetchone()
        return answered(
            {"id": row["id"], "deployResult": _shaped(jobs.deploy_result(world.db, row, details=False))}, 202
        )
