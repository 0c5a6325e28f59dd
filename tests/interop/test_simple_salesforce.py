"""simple-salesforce: what most Python scripts talk to an org with. Unmodified, since the org can be served over TLS."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

from tests.interop.covers import covers
from tests.interop.stand import Stand
from tests.mock.wire import Piece, app, file_of, manifest, package, zipped

VERSION = "64.0"
BROKEN = Piece(
    "ExternalClientApplication", "broken", file_of("ExternalClientApplication", "    <label>b</label>\n    <nonsense/>")
)


@covers("simple-salesforce", "access token over TLS")
def test_begins_with_the_line_that_mock_serve_says(org: Stand, trusting: None) -> None:
    """Everybody's first try."""
    client: Salesforce = eval(org.https.line("simple-salesforce"), {"os": os, "Salesforce": Salesforce})  # noqa: S307

    assert 1 == client.query("SELECT Name FROM Organization")["totalSize"]


@covers("simple-salesforce", "query", "tooling query", "a query for what is not there is refused")
def test_queries(simple: Salesforce) -> None:
    """Reports."""
    people = simple.query_all("SELECT Username, Profile.Name FROM User WHERE Username LIKE 'd%'")["records"]
    jobs = simple.toolingexecute("query/", params={"q": "SELECT Id FROM DeployRequest"})
    with pytest.raises(SalesforceMalformedRequest) as refused:
        simple.query("SELECT Id FROM Nonsense__c")

    assert [("dana@acme.example", "System Administrator")] == [
        (one["Username"], one["Profile"]["Name"]) for one in people
    ]
    assert (0, True) == (jobs["totalSize"], jobs["done"])
    assert "INVALID_TYPE" == refused.value.content[0]["errorCode"]


@covers("simple-salesforce", "a dead session is told as one")
def test_tells_a_dead_session(simple: Salesforce, org: Stand) -> None:
    """Whoever catches SalesforceExpiredSession to log in again."""
    org.org.reset()

    with pytest.raises(SalesforceExpiredSession):
        simple.query("SELECT Id FROM Organization")


@covers("simple-salesforce", "access token")
def test_works_over_http_by_an_adapter(org: Stand, home: Path) -> None:
    """Tests of scripts, which have no certificate: its two sessions know where the org really is."""
    import requests

    class Plain(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args, **kwargs) -> requests.Response:
            request.url = (request.url or "").replace("https://", "http://", 1)
            return super().send(request, *args, **kwargs)

    with requests.Session() as session:
        session.mount("https://", Plain())
        simple = Salesforce(session_id=org.token, instance_url=org.url, session=session, version=VERSION)
        simple.mdapi._client.transport.session.mount("https://", Plain())

        assert 1 == simple.query("SELECT Name FROM Organization")["totalSize"]
        assert "Legacy ERP" == simple.mdapi.ConnectedApp.read("Legacy_ERP").label


@covers("simple-salesforce", "metadata types", "list", "list of an unknown type is refused")
def test_lists(simple: Salesforce) -> None:
    """Scripts that compare orgs."""
    import zeep

    mdapi = simple.mdapi
    types = {one.xmlName for one in mdapi.describe_metadata().metadataObjects}
    listed = mdapi.list_metadata([mdapi.ListMetadataQuery(type="ConnectedApp")])
    with pytest.raises(zeep.exceptions.Fault, match="INVALID_TYPE: Unknown type:Nonsense"):
        mdapi.list_metadata([mdapi.ListMetadataQuery(type="Nonsense")])

    assert {"ConnectedApp", "ExternalClientApplication", "OauthTokenExchangeHandler"} <= types
    assert {"Legacy_ERP", "Partner_Portal"} == {one.fullName for one in listed}


@covers("simple-salesforce", "retrieve by manifest, wildcards", "what is not there is named")
def test_retrieves(simple: Salesforce) -> None:
    """Backups. What is not there it leaves out of its own messages; the answer has it."""
    mdapi = simple.mdapi
    job, _ = mdapi.retrieve("x", unpackaged={"ConnectedApp": ["*", "Ghost"]}, single_package=True)
    state, error, _ = mdapi.check_retrieve_status(job)
    answer = mdapi.retrieve_retrieve_result(job, "false")
    _, _, _, content = mdapi.retrieve_zip(job)

    assert ("Succeeded", None) == (state, error)
    assert ["Entity of type 'ConnectedApp' named 'Ghost' cannot be found"] == [
        one.text for one in answer.iter("{http://soap.sforce.com/2006/04/metadata}problem")
    ]
    assert {"connectedApps/Legacy_ERP.connectedApp", "connectedApps/Partner_Portal.connectedApp", "package.xml"} == {
        *zipfile.ZipFile(io.BytesIO(content)).namelist()
    }


@covers("simple-salesforce", "readMetadata", "createMetadata", "updateMetadata", "upsertMetadata", "deleteMetadata")
def test_reads_and_writes_records(simple: Salesforce) -> None:
    """Scripts that change one record without a package."""
    mdapi = simple.mdapi
    kind = mdapi.ExternalClientApplication
    orders = kind(fullName="orders", contactEmail="iam@acme.example", label="One", distributionState="Local")
    kind.create(orders)
    orders.label = "Two"
    kind.update(orders)
    second = kind.read("orders").label
    orders.label = "Three"
    kind.upsert(orders)
    third, absent = kind.read(["orders", "ghost"])
    kind.delete("orders")

    assert ("Two", "Three", None) == (second, third.label, absent.fullName)
    assert {"Marketing_Dashboard"} == {
        one.fullName for one in mdapi.list_metadata([mdapi.ListMetadataQuery(type="ExternalClientApplication")])
    }


@covers(
    "simple-salesforce",
    "SOAP",
    "check only",
    "failures with line and column; nothing landed",
    "destructive changes",
)
def test_deploys(simple: Salesforce, org: Stand) -> None:
    """Pipelines that are scripts."""
    mdapi = simple.mdapi

    def deploy(data: bytes, **options: object) -> tuple:
        job, _ = mdapi.deploy(io.BytesIO(data), sandbox=False, **options)
        return mdapi.check_deploy_status(job)

    fresh = org.names()
    check, _, checked, _ = deploy(package(app("orders")), checkOnly=True)
    after_check = org.names()
    state, _, detail, _ = deploy(package(app("orders")))
    after = org.names()
    failed, _, wrong, _ = deploy(package(app("second"), BROKEN))
    files = {"package.xml": manifest({}), "destructiveChanges.xml": manifest({"ExternalClientApplication": ["orders"]})}
    removed, *_ = deploy(zipped(files))

    assert ("Succeeded", "1", fresh) == (check, checked["deployed_count"], after_check)
    assert ("Succeeded", "1", fresh | {"orders"}) == (state, detail["deployed_count"], after)
    assert "Failed" == failed
    (error,) = wrong["errors"]
    assert ("ExternalClientApplication", "externalClientApps/broken.eca") == (error["type"], error["file"])
    assert "invalid at this location in type ExternalClientApplication (4:" in error["message"]
    assert ("Succeeded", fresh) == (removed, org.names())
