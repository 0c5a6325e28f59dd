"""jsforce: what most Node scripts, and the Salesforce CLI itself, talk to an org with."""

import base64

import pytest

from tests.interop.covers import covers
from tests.interop.jsforce import Jsforce
from tests.interop.stand import Stand
from tests.mock.wire import Piece, app, file_of, manifest, package, zipped

ADMIN = "admin@acme.example"
BROKEN = Piece(
    "ExternalClientApplication", "broken", file_of("ExternalClientApplication", "    <label>b</label>\n    <nonsense/>")
)
DEPLOY = """
const zip = Buffer.from(given.zip, "base64");
return await conn.metadata[given.way](zip, { rollbackOnError: true, singlePackage: true, ...given.options }).complete(true);
"""
SOAP = pytest.param("deploy", marks=covers("jsforce", "SOAP"), id="soap")
REST = pytest.param("deployRest", marks=covers("jsforce", "REST"), id="rest")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def outcomes(result: dict, what: str) -> dict[str, dict]:
    """The messages of a deployment by name; one alone is no list in SOAP."""
    found = result["details"].get(what) or []
    return {one["fullName"]: one for one in (found if isinstance(found, list) else [found])}


@covers("jsforce", "access token", "who am I", "a dead session is told as one")
def test_knows_who_it_is(jsforce: Jsforce, org: Stand) -> None:
    """Scripts that write down who ran them, and that must notice when their session has ended."""
    me = jsforce("return await conn.identity();")
    org.org.reset()
    rest = jsforce.refused("return await conn.query('SELECT Id FROM Organization');")
    soap = jsforce.refused("return await conn.metadata.describe('64.0');")

    assert (ADMIN, "Ada Admin") == (me["username"], me["display_name"])
    assert "INVALID_SESSION_ID" == rest["code"]
    assert "sf:INVALID_SESSION_ID" == soap["code"]


@covers("jsforce", "access token over TLS")
def test_talks_tls(jsforce: Jsforce, org: Stand) -> None:
    """Whoever wants the mock org to look like an org."""
    found = jsforce(
        "const safe = new jsforce.Connection({ instanceUrl: given.url, accessToken: given.token });"
        "return await safe.query('SELECT Name FROM Organization');",
        url=org.tls,
        token=org.token,
    )

    assert ["Acme"] == [one["Name"] for one in found["records"]]


@covers("jsforce", "metadata types", "list", "list of an unknown type is refused")
def test_lists(jsforce: Jsforce) -> None:
    """Scripts that compare orgs."""
    types, listed = jsforce(
        "return [await conn.metadata.describe('64.0'),"
        " await conn.metadata.list([{ type: 'ConnectedApp' }, { type: 'ExternalClientApplication' }], '64.0')];"
    )
    error = jsforce.refused("return await conn.metadata.list([{ type: 'Nonsense' }], '64.0');")

    assert "extlClntAppOauthSettings" in [one["directoryName"] for one in types["metadataObjects"]]
    assert {
        ("ConnectedApp", "Legacy_ERP"),
        ("ConnectedApp", "Partner_Portal"),
        ("ExternalClientApplication", "Marketing_Dashboard"),
    } == {(one["type"], one["fullName"]) for one in listed}
    assert "sf:INVALID_TYPE" == error["code"]


@covers("jsforce", "query", "tooling query", "a query for what is not there is refused")
def test_queries(jsforce: Jsforce) -> None:
    """Scripts that look for users and jobs."""
    users, jobs = jsforce(
        "return [await conn.query('SELECT Username FROM User WHERE IsActive = true ORDER BY Username'),"
        " await conn.tooling.query('SELECT Id FROM DeployRequest')];"
    )
    error = jsforce.refused("return await conn.query('SELECT Id FROM Nonsense__c');")

    assert [ADMIN, "dana@acme.example", "eli@acme.example", "integration@acme.example"] == [
        one["Username"] for one in users["records"]
    ]
    assert (0, []) == (jobs["totalSize"], jobs["records"])
    assert "INVALID_TYPE" == error["code"]


@covers("jsforce", "readMetadata", "what is not there is named")
def test_reads_records(jsforce: Jsforce) -> None:
    """Scripts that look at one field of many apps."""
    several, absent = jsforce(
        "return [await conn.metadata.read('ConnectedApp', ['Legacy_ERP', 'Partner_Portal']),"
        " await conn.metadata.read('ConnectedApp', 'Ghost')];"
    )

    assert ["Legacy ERP", "Partner Portal"] == [one["label"] for one in several]
    assert ["Api", "OpenID", "RefreshToken"] == several[1]["oauthConfig"]["scopes"]
    assert "fullName" not in absent


@covers("jsforce", "createMetadata", "updateMetadata", "upsertMetadata", "deleteMetadata")
def test_writes_records(jsforce: Jsforce) -> None:
    """Scripts that change one record without a package."""
    fields = {"fullName": "orders", "contactEmail": "iam@acme.example", "label": "Orders", "distributionState": "Local"}
    kind = "'ExternalClientApplication'"
    results = jsforce(
        f"const app = given.app, kind = {kind};"
        "return [await conn.metadata.create(kind, app), await conn.metadata.update(kind, { ...app, label: 'Two' }),"
        " await conn.metadata.upsert(kind, [{ ...app, label: 'Three' }, { ...app, fullName: 'second' }]),"
        " await conn.metadata.read(kind, 'orders'), await conn.metadata.delete(kind, ['orders', 'second', 'ghost'])];",
        app=fields,
    )
    created, updated, upserted, read, deleted = results

    assert (True, True) == (created["success"], updated["success"])
    assert [("orders", True, False), ("second", True, True)] == [
        (one["fullName"], one["success"], one["created"]) for one in upserted
    ]
    assert "Three" == read["label"]
    assert [True, True, False] == [one["success"] for one in deleted]


@covers("jsforce", "retrieve by manifest, wildcards", "what is not there is named")
def test_retrieves(jsforce: Jsforce) -> None:
    """Backups."""
    types = [{"name": "ConnectedApp", "members": ["*", "Ghost"]}]
    result = jsforce(
        "return await conn.metadata.retrieve({ apiVersion: '64.0', unpackaged: { types: given.types, version: '64.0' } })"
        ".complete();",
        types=types,
    )

    assert "Succeeded" == result["status"]
    assert {"Legacy_ERP", "Partner_Portal", "unpackaged/package.xml"} == {
        one["fullName"] for one in result["fileProperties"]
    }
    assert ["Entity of type 'ConnectedApp' named 'Ghost' cannot be found"] == [
        one["problem"] for one in result["messages"]
    ]
    assert base64.b64decode(result["zipFile"]).startswith(b"PK")


@pytest.mark.parametrize("way", [SOAP, REST])
@covers("jsforce", "created, changed, unchanged", "failures with line and column; nothing landed", "check only")
def test_deploys(jsforce: Jsforce, way: str) -> None:
    """Pipelines that are scripts."""
    zips = [package(app("orders")), package(app("orders"), app("second")), package(app("third"), BROKEN)]
    check = jsforce(DEPLOY, zip=text(zips[0]), way=way, options={"checkOnly": True})
    first, second, third = (jsforce(DEPLOY, zip=text(data), way=way, options={}) for data in zips)
    names = jsforce(
        "return (await conn.metadata.list([{ type: 'ExternalClientApplication' }], '64.0')).map((one) => one.fullName);"
    )

    def told(result: dict) -> dict[str, tuple[bool, bool]]:
        return {name: (one["created"], one["changed"]) for name, one in outcomes(result, "componentSuccesses").items()}

    assert (True, (True, True)) == (check["checkOnly"], told(check)["orders"])
    assert (True, True) == told(first)["orders"]
    assert ((False, False), (True, True)) == (told(second)["orders"], told(second)["second"])
    assert (False, "Failed") == (third["success"], third["status"])
    broken = outcomes(third, "componentFailures")["broken"]
    assert (4, "Error") == (int(broken["lineNumber"]), broken["problemType"])
    assert ["Marketing_Dashboard", "orders", "second"] == sorted(names)


@covers("jsforce", "validate, quick deploy, report", "cancel", "destructive changes")
def test_knows_the_rest_of_deploying(jsforce: Jsforce, org: Stand) -> None:
    """Release tools that were built on it."""
    options = {"checkOnly": True, "testLevel": "RunLocalTests"}
    validated = jsforce(DEPLOY, zip=text(package(app("orders"))), way="deploy", options=options)
    quick = jsforce(
        "const id = await conn.metadata.deployRecentValidation({ id: given.id, rest: given.rest });"
        "return await conn.metadata.checkDeployStatus(id, true);",
        id=validated["id"],
        rest=False,
    )
    files = {"package.xml": manifest({}), "destructiveChanges.xml": manifest({"ExternalClientApplication": ["orders"]})}
    gone = jsforce(DEPLOY, zip=text(zipped(files)), way="deploy", options={})
    org.org.switch("deploy_polls", 1000)
    canceled = jsforce(
        "const { id } = await conn.metadata.deploy(Buffer.from(given.zip, 'base64'), { singlePackage: true });"
        "await conn.metadata.cancelDeploy(id); return await conn.metadata.checkDeployStatus(id, true);",
        zip=text(package(app("never"))),
    )

    assert (True, False) == (outcomes(quick, "componentSuccesses")["orders"]["created"], quick["checkOnly"])
    assert outcomes(gone, "componentSuccesses")["orders"]["deleted"]
    assert "Canceled" == canceled["status"]
