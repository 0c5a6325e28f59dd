"""Clients that others wrote, unmodified: zeep with the WSDL, and simple-salesforce."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import simple_salesforce
import zeep

from providers.mock import Org, mount
from providers.mock.metadata import schema
from tests.mock.wire import Wire, apex, app, enablement, handler, package, whole


@pytest.fixture
def sessions(org: Org) -> Iterator[tuple[requests.Session, str]]:
    session = requests.Session()
    yield session, mount(session, org)
    session.close()


def test_zeep_reads_every_answer_strictly(org: Org, wire: Wire, sessions: tuple[requests.Session, str]) -> None:
    """The WSDL is the contract: what zeep cannot read, no generated client can."""
    session, base = sessions
    client = zeep.Client(
        str(schema.wsdl()), transport=zeep.Transport(session=session), settings=zeep.Settings(strict=True)
    )
    service = client.create_service(
        "{http://soap.sforce.com/2006/04/metadata}MetadataBinding", f"{base}/services/Soap/m/63.0"
    )
    make = client.type_factory("http://soap.sforce.com/2006/04/metadata")
    headers = {"SessionHeader": {"sessionId": org.access_token()}}

    def call(operation: str, *arguments: Any) -> Any:
        return getattr(service, operation)(*arguments, _soapheaders=headers)

    flags = (
        "allowMissingFiles",
        "autoUpdatePackage",
        "checkOnly",
        "ignoreWarnings",
        "performRetrieve",
        "purgeOnDelete",
    )
    options = {**dict.fromkeys(flags, False), "rollbackOnError": True, "singlePackage": True, "testLevel": "NoTestRun"}
    pieces = [apex("Exchange"), *whole("order"), handler("Idp", enablement("order"))]
    for data, status in ((package(*pieces, version="63.0"), "Succeeded"), (package(app("bad", nonsense=1)), "Failed")):
        job = call("deploy", data, options)
        answer = call("checkDeployStatus", job.id, True).body.result
        assert status == answer.status
    assert "Element" in answer.details.componentFailures[0].problem

    request = make.RetrieveRequest(
        apiVersion=63.0,
        singlePackage=True,
        unpackaged=make.Package(
            types=[make.PackageTypeMembers(members=["*"], name="ExternalClientApplication")], version="63.0"
        ),
    )
    job = call("retrieve", request)
    result = call("checkRetrieveStatus", job.id, True)
    assert "externalClientApps/order.eca" in zipfile.ZipFile(io.BytesIO(result.zipFile)).namelist()
    assert {"order", "Marketing_Dashboard"} == {
        each.fullName for each in call("listMetadata", [{"type": "ExternalClientApplication"}], 63.0)
    }
    assert "ConnectedApp" in [each.xmlName for each in call("describeMetadata", 63.0).metadataObjects]
    kinds = {
        "ConnectedApp": "Legacy_ERP",
        "ExternalClientApplication": "order",
        "ExtlClntAppGlobalOauthSettings": "order_glbloauth",
        "ExtlClntAppOauthSettings": "order_oauth",
        "ExtlClntAppOauthConfigurablePolicies": "order_oauth_defaultPolicy",
        "ExtlClntAppConfigurablePolicies": "order_defaultPolicy",
        "OauthTokenExchangeHandler": "Idp",
        "OauthOidcSettings": "OauthOidc",
    }
    for kind, name in kinds.items():
        assert [name] == [record.fullName for record in call("readMetadata", kind, [name])], kind
    saved = call(
        "upsertMetadata", [make.ExternalClientApplication(fullName="other", contactEmail="a@b.example", label="x")]
    )
    assert [(True, True)] == [(each.success, each.created) for each in saved]
    assert call("renameMetadata", "ExternalClientApplication", "other", "another").success
    assert "INVALID_CROSS_REFERENCE_KEY" == call("renameMetadata", "ConnectedApp", "x", "y").errors[0].statusCode
    assert call("deleteMetadata", "ExternalClientApplication", ["another"])[0].success
    described = call("describeValueType", "{http://soap.sforce.com/2006/04/metadata}ExternalClientApplication")
    assert "contactEmail" in [each.name for each in described.valueTypeFields]
    validation = call("deploy", package(app("quick")), {**options, "checkOnly": True, "testLevel": "RunLocalTests"}).id
    call("checkDeployStatus", validation, False)
    quick = call("deployRecentValidation", validation)
    assert "Succeeded" == call("checkDeployStatus", quick, True).body.result.status
    org.switch("deploy_polls", 5)
    assert call("cancelDeploy", call("deploy", package(app("late")), options).id).done
    headers["CallOptions"] = {"client": "a/1"}
    assert call("describeMetadata", 63.0).partialSaveAllowed


def test_simple_salesforce_retrieves_deploys_and_queries(org: Org, sessions: tuple[requests.Session, str]) -> None:
    """The library that most scripts use, through adapters on its two sessions."""
    session, base = sessions
    client = simple_salesforce.Salesforce(
        session_id=org.access_token(), instance_url=base, session=session, version="64.0"
    )
    mdapi = client.mdapi
    mount(mdapi._client.transport.session, org)

    assert 1 == client.query("SELECT Id, Name FROM Organization")["totalSize"]
    job, _ = mdapi.retrieve("x", unpackaged={"ConnectedApp": ["*"]}, single_package=True)
    state, error, messages = mdapi.check_retrieve_status(job)
    assert ("Succeeded", None, []) == (state, error, messages)
    _, _, _, content = mdapi.retrieve_zip(job)
    assert "connectedApps/Legacy_ERP.connectedApp" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    archive = io.BytesIO(package(app("order")))
    job, _ = mdapi.deploy(archive, sandbox=False)
    done = mdapi.check_deploy_status(job)
    assert "Succeeded" == done[0]
    assert {"order", "Marketing_Dashboard"} == {
        each.fullName for each in mdapi.list_metadata([mdapi.ListMetadataQuery(type="ExternalClientApplication")])
    }
    assert "Legacy ERP" == mdapi.ConnectedApp.read("Legacy_ERP").label
    with pytest.raises(simple_salesforce.exceptions.SalesforceMalformedRequest, match="INVALID_TYPE"):
        client.query("SELECT Id FROM Account")
    assert base64.b64encode(content)
