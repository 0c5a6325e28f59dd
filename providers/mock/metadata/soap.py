"""The Metadata API over SOAP: liberal with what clients send, exact with what they get.

What real clients do differently from each other, and all of it must work: prefixes, parameters called otherwise than in
the WSDL, elements without a namespace, "True" for true, stray text, optional elements left out, any SOAPAction.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from providers.mock.catalog import NEWEST, OLDEST_ACCEPTED, TYPES, manifest_types
from providers.mock.metadata import crud, jobs
from providers.mock.metadata.answer import Value, Verbatim, envelope, fault, xml
from providers.mock.metadata.deploy import DeployOptions
from providers.mock.metadata.package import MAX_ZIP, manifest, parse_version
from providers.mock.metadata.retrieve import Request, listing
from providers.mock.metadata.schema import load
from providers.mock.org import Org
from providers.mock.record import NS, has_doctype, local, parser
from providers.mock.state import permissions, sessions
from providers.mock.state.errors import Fault
from providers.mock.state.world import User

MAX_QUERIES = 3
_ZIP = re.compile(rb"<((?:[\w.-]+:)?ZipFile)(?:\s[^<>]*)?>")


@dataclass(frozen=True, slots=True)
class Call:
    """One SOAP call; `zip` is the content of ZipFile, cut out before parsing since libxml2 limits text lengths."""

    org: Org
    user: User
    element: etree._Element
    version: int
    zip: bytes
    all_or_none: bool

    def children(self, name: str) -> list[etree._Element]:
        return [child for child in self.element if local(child) == name]

    def text(self, position: int, *names: str) -> str | None:
        """Return the text of a parameter: the one with any of `names`, or, without names, the one at `position`."""
        elements = list(self.element)
        named = [child for child in elements if local(child) in names]
        found = named[0] if named else elements[position] if not names and len(elements) > position else None
        return None if found is None else (found.text or "").strip()


def answer(org: Org, url_version: str, data: bytes, bearer: str) -> tuple[int, bytes]:
    """Return HTTP status and body for one SOAP request."""
    try:
        version = _version(url_version)
        operation, call = _read(org, version, data, bearer)
        return 200, envelope(f'<{operation}Response xmlns="{NS}">{OPERATIONS[operation](call)}</{operation}Response>')
    except Fault as refused:
        return 500, fault(refused.code, refused.text)


def _version(text: str) -> int:
    version = parse_version(text)
    if version is None or not OLDEST_ACCEPTED <= version <= NEWEST:
        raise Fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    return version


def _read(org: Org, version: int, data: bytes, bearer: str) -> tuple[str, Call]:
    data, content = _cut(data)
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as broken:
        raise Fault("soapenv:Client", f"Malformed request: {broken.msg}") from None
    if has_doctype(root):
        raise Fault("soapenv:Client", "Malformed request: DOCTYPE is not allowed")
    body = next((child for child in root if local(child) == "Body"), None)
    element = next((child for child in body if isinstance(child.tag, str)), None) if body is not None else None
    if element is None:
        raise Fault("soapenv:Client", "Malformed request: no operation in the body")
    operation = local(element)
    org.count(operation, writes=operation in _WRITES and not _validates(element))
    if operation not in OPERATIONS:
        text = f"No operation available for request {element.tag}, please check the WSDL for the service."
        raise Fault("soapenv:Client", text)
    headers = {local(child): child for header in root if local(header) == "Header" for child in header}
    user = _login(org, headers, bearer)
    all_or_none = (
        "".join(str(text) for text in headers["AllOrNoneHeader"].itertext()) if "AllOrNoneHeader" in headers else ""
    )
    return operation, Call(org, user, element, version, content, _true(all_or_none.strip(), default=False))


def _login(org: Org, headers: Mapping[str, etree._Element], bearer: str) -> User:
    session = headers.get("SessionHeader")
    token = (
        next(((child.text or "").strip() for child in session if local(child) == "sessionId"), "")
        if session is not None
        else ""
    )
    token = token or bearer
    if sessions.is_jwt(token):
        raise Fault("INVALID_SESSION_ID", "SOAP API does not support JWT-based access tokens")
    with org.reading_only() as world:
        try:
            user = sessions.user(world.db, token)
        except Fault:
            text = "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key"
            raise Fault("INVALID_SESSION_ID", text) from None
        permissions.check_api(world, user)
        permissions.check_metadata(world, user)
    org.spend()
    return user


def _cut(data: bytes) -> tuple[bytes, bytes]:
    found = _ZIP.search(data)
    end = data.find(b"</", found.end()) if found else -1
    if found is None or end < 0:
        return data, b""
    if end - found.end() > MAX_ZIP * 3 // 2:
        raise Fault("LIMIT_EXCEEDED", f"The zip file is larger than {MAX_ZIP // 1024 // 1024} MB")
    try:
        return data[: found.end()] + data[end:], base64.b64decode(data[found.end() : end])
    except binascii.Error:
        raise Fault("soapenv:Client", "ZipFile is not base64") from None


def _true(text: str | None, *, default: bool) -> bool:
    return default if not text else text.lower() in {"true", "1"}


def _validates(element: etree._Element) -> bool:
    only = (child.text for child in element.iter() if isinstance(child.tag, str) and local(child) == "checkOnly")
    return local(element) == "deploy" and _true(next(only, None), default=False)


# -- deploy ----------------------------------------------------------------------------------------------------------


def _deploy(call: Call) -> str:
    given = {local(child): (child.text or "").strip() for part in call.children("DeployOptions") for child in part}
    tests = tuple(
        (c.text or "") for part in call.children("DeployOptions") for c in part if local(c) == "runTests" and c.text
    )
    options = deploy_options(given, tests)
    with call.org.writing(settle=False) as world:
        if world.switches.soap_deploy_refused:
            raise Fault("INSUFFICIENT_ACCESS", "deploy is not available through SOAP in this org")
        world.user_id = call.user.id
        job = jobs.start_deploy(world, call.zip, options)
    return xml("result", {"done": False, "id": job, "state": "Queued"})


def deploy_options(given: Mapping[str, str], tests: tuple[str, ...]) -> DeployOptions:
    """Read options from text: "True", "true" and "1" are true, what is unknown or odd is not asked about."""
    level = given.get("testLevel") or ""
    return DeployOptions(
        **{
            name: _true(given.get(name), default=False)
            for name in (
                "allowMissingFiles",
                "checkOnly",
                "ignoreWarnings",
                "rollbackOnError",
                "purgeOnDelete",
                "singlePackage",
            )
        },
        testLevel=level if level in TEST_LEVELS else "NoTestRun",
        runTests=tests,
    )


TEST_LEVELS = frozenset({"NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests"})


def _check_deploy_status(call: Call) -> str:
    job = call.text(0, "asyncProcessId", "id") or call.text(0) or ""
    details = _true(call.text(1, "includeDetails"), default=False)
    with call.org.writing(settle=False) as world:
        world.user_id = call.user.id
        result = jobs.deploy_result(world.db, jobs.poll_deploy(world, job), details=details)
    return xml("result", result)


def _cancel_deploy(call: Call) -> str:
    with call.org.writing(settle=False) as world:
        world.user_id = call.user.id
        job = call.text(0) or ""
        done = jobs.cancel(world, job)
    return xml("result", {"done": done, "id": job})


def _deploy_recent_validation(call: Call) -> str:
    with call.org.writing() as world:
        world.user_id = call.user.id
        return xml("result", jobs.start_quick_deploy(world, call.text(0) or ""))


# -- retrieve --------------------------------------------------------------------------------------------------------


def _retrieve(call: Call) -> str:
    request = next(iter(call.element), None)
    children = [] if request is None else list(request)
    given = {local(child): child for child in children}
    unpackaged = given.get("unpackaged")
    asked = manifest(unpackaged) if unpackaged is not None else None
    version = parse_version(given["apiVersion"].text) if "apiVersion" in given else None
    version = (asked.version if asked else None) or version or call.version
    if version > NEWEST:
        raise Fault("UNSUPPORTED_API_VERSION", f"Invalid version specified: {version}.0")
    single = given.get("singlePackage")
    files = tuple((child.text or "").strip() for child in children if local(child) == "specificFiles")
    with call.org.writing() as world:
        world.user_id = call.user.id
        single_package = _true(single.text if single is not None else None, default=False)
        job = jobs.start_retrieve(world, Request(asked.types if asked else {}, version, single_package, files))
    return xml("result", {"done": False, "id": job, "state": "Queued"})


def _check_retrieve_status(call: Call) -> str:
    job = call.text(0, "asyncProcessId", "id") or call.text(0) or ""
    include_zip = _true(call.text(1, "includeZip"), default=True)
    with call.org.writing() as world:
        world.user_id = call.user.id
        row = jobs.poll_retrieve(world, job)
    done = row["status"] in {"Succeeded", "Failed"}
    result = json.loads(row["result"]) if row["result"] else {}
    error = result.get("errorMessage")
    content: Value = Verbatim('<zipFile xsi:nil="true"/>')
    if include_zip and row["zip"]:
        content = Verbatim(f"<zipFile>{base64.b64encode(row['zip']).decode()}</zipFile>")
    return xml(
        "result",
        {
            "done": done,
            "errorMessage": error,
            "errorStatusCode": result.get("errorStatusCode", "LIMIT_EXCEEDED") if error else None,
            "fileProperties": result.get("fileProperties"),
            "id": row["id"],
            "messages": result.get("messages"),
            "status": row["status"],
            "success": row["status"] == "Succeeded",
            "zipFile": content,
        },
    )


def _check_status(call: Call) -> str:
    """Answer checkStatus, which is gone from the WSDL and which one client still polls with."""
    job = call.text(0) or ""
    with call.org.writing(settle=False) as world:
        world.user_id = call.user.id
        poll = jobs.poll_deploy if jobs.what_is(world.db, job) == "deploy" else jobs.poll_retrieve
        status = poll(world, job)["status"]
    done = status not in {"Pending", "InProgress", "Canceling"}
    state = "Completed" if done else "Queued" if status == "Pending" else "InProgress"
    return xml("result", {"done": done, "id": job, "state": state})


# -- describe and list -----------------------------------------------------------------------------------------------


def _list_metadata(call: Call) -> str:
    queries = call.children("queries")
    if len(queries) > MAX_QUERIES:
        raise Fault("LIMIT_EXCEEDED", f"at most {MAX_QUERIES} queries are allowed in one listMetadata call")
    wanted = [next(((child.text or "").strip() for child in query if local(child) == "type"), "") for query in queries]
    found: list[Value] = []
    with call.org.reading() as world:
        for name in wanted:
            types = manifest_types(name)
            if not types:
                raise Fault("INVALID_TYPE", f"Unknown type:{name}")
            for one in types:
                if one.name in world.switches.unreadable_kinds:
                    raise Fault("INSUFFICIENT_ACCESS", f"You do not have the proper permissions to access {one.name}")
                found += listing(world, one)
    return xml("result", found)


def _describe_metadata(call: Call) -> str:
    version = parse_version(call.text(0)) or call.version
    objects: dict[str, Value] = {}
    for one in TYPES:
        if one.since <= version:
            objects[one.manifest_name] = {
                "directoryName": one.folder,
                "inFolder": False,
                "metaFile": one.with_content,
                "suffix": one.suffix,
                "xmlName": one.manifest_name,
            }
    listed = [objects[name] for name in sorted(objects)]
    result: dict[str, Value] = {"metadataObjects": listed}
    result |= {"organizationNamespace": "", "partialSaveAllowed": True, "testRequired": False}
    return xml("result", result)


def _describe_value_type(call: Call) -> str:
    name = re.sub(r"^\{.*\}", "", call.text(0) or "").rpartition(":")[2]
    if not any(one.name == name for one in TYPES):
        raise Fault("INVALID_TYPE", f"Unknown type:{name}")
    able = not any(one.name == name and one.with_content for one in TYPES)
    return xml(
        "result",
        {
            "apiCreatable": able,
            "apiDeletable": able,
            "apiReadable": True,
            "apiUpdatable": able,
            "valueTypeFields": _fields(name),
        },
    )


def _fields(type_name: str) -> list[Value]:
    schema = load()
    described: list[Value] = []
    for element in schema.types[type_name].values():
        values: list[Value] = [
            {"active": True, "defaultValue": False, "label": value, "value": value}
            for value in schema.enums.get(element.type, ())
        ]
        described.append(
            {
                "fields": _fields(element.type) if element.type in schema.types else None,
                "isForeignKey": False,
                "isNameField": element.name == "fullName",
                "minOccurs": int(element.required),
                "name": element.name,
                "picklistValues": values,
                "soapType": element.type,
                "valueRequired": element.required,
            }
        )
    return described


# -- CRUD ------------------------------------------------------------------------------------------------------------


def _save(mode: crud.Mode) -> Callable[[Call], str]:
    def operation(call: Call) -> str:
        with call.org.writing() as world:
            world.user_id, world.version = call.user.id, call.version
            results = crud.save(world, mode, call.children("metadata"), all_or_none=call.all_or_none)
        return xml("result", results)

    return operation


def _delete(call: Call) -> str:
    names = [(child.text or "").strip() for child in call.children("fullNames")]
    with call.org.writing() as world:
        world.user_id = call.user.id
        results = crud.delete(world, call.text(0, "type") or "", names, all_or_none=call.all_or_none)
    return xml("result", results)


def _rename(call: Call) -> str:
    with call.org.writing() as world:
        world.user_id, world.version = call.user.id, call.version
        old, new = (call.text(place, name) or "" for place, name in ((1, "oldFullName"), (2, "newFullName")))
        result = crud.rename(world, call.text(0, "type") or "", old, new)
    return xml("result", result)


def _read_metadata(call: Call) -> str:
    names = [(child.text or "").strip() for child in call.children("fullNames")]
    with call.org.reading() as world:
        records = crud.read(world, call.text(0, "type") or "", names, call.version)
    return f"<result>{''.join(records)}</result>"


OPERATIONS: Mapping[str, Callable[[Call], str]] = {
    "cancelDeploy": _cancel_deploy,
    "checkDeployStatus": _check_deploy_status,
    "checkRetrieveStatus": _check_retrieve_status,
    "checkStatus": _check_status,
    "createMetadata": _save("create"),
    "deleteMetadata": _delete,
    "deploy": _deploy,
    "deployRecentValidation": _deploy_recent_validation,
    "describeMetadata": _describe_metadata,
    "describeValueType": _describe_value_type,
    "listMetadata": _list_metadata,
    "readMetadata": _read_metadata,
    "renameMetadata": _rename,
    "retrieve": _retrieve,
    "updateMetadata": _save("update"),
    "upsertMetadata": _save("upsert"),
}
_WRITES = frozenset(
    {
        "createMetadata",
        "deleteMetadata",
        "deploy",
        "deployRecentValidation",
        "renameMetadata",
        "updateMetadata",
        "upsertMetadata",
    }
)
