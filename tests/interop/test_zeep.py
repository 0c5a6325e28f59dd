"""zeep, strict, with the WSDL that simple-salesforce ships: what it cannot read, no generated client can."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zeep

from tests.interop.covers import covers
from tests.interop.stand import Stand
from tests.interop.strict import NS, VERSION, Strict
from tests.mock.wire import apex, app, enablement, handler, package, whole

RECORDS = {
    "ApexClass": "Exchange",
    "ConnectedApp": "Legacy_ERP",
    "ExternalClientApplication": "orders",
    "ExtlClntAppConfigurablePolicies": "orders_defaultPolicy",
    "ExtlClntAppGlobalOauthSettings": "orders_glbloauth",
    "ExtlClntAppOauthConfigurablePolicies": "orders_oauth_defaultPolicy",
    "ExtlClntAppOauthSettings": "orders_oauth",
    "OauthCustomScope": "renamed",
    "OauthOidcSettings": "OauthOidc",
    "OauthTokenExchangeHandler": "Idp",
    "PermissionSet": "Order_Portal_User",
    "Profile": "Admin",
}


@covers("zeep", "SOAP", "check only", "created, changed, unchanged", "failures with line and column; nothing landed")
@covers(
    "zeep", "validate, quick deploy, report", "cancel", "retrieve by manifest, wildcards", "what is not there is named"
)
@covers(
    "zeep",
    "metadata types",
    "list",
    "readMetadata",
    "createMetadata",
    "updateMetadata",
    "upsertMetadata",
    "deleteMetadata",
)
@covers("zeep", "access token over TLS", "each operation, read strictly, valid by the WSDL's schema")
def test_reads_every_answer_strictly(strict: Strict, org: Stand) -> None:
    """Java and .NET clients, which are made from the WSDL and refuse what it does not say."""
    _deploys(strict, org)
    _retrieves(strict)
    _looks_around(strict)
    _writes(strict)
    _reads(strict)

    assert [] == strict.wrong
    assert strict.operations == strict.asked


def _deploys(strict: Strict, org: Stand) -> None:
    pieces = [apex("Exchange"), *whole("orders"), handler("Idp", enablement("orders"))]
    checked = strict.start(package(*pieces, version="63.0"), checkOnly=True, testLevel="RunLocalTests")
    validation = strict.outcome(checked)
    quick = strict.checkDeployStatus(strict.deployRecentValidation(checked.id), True).body.result
    repeated = strict.outcome(strict.start(package(*pieces, version="63.0")))
    failed = strict.outcome(strict.start(package(app("second"), app("bad", nonsense=1), version="63.0")))
    org.org.switch("deploy_polls", 1000)
    waiting = strict.start(package(app("never"), version="63.0"))
    canceled = strict.cancelDeploy(waiting.id)
    org.org.switch("deploy_polls", 0)

    assert (True, "Succeeded") == (validation.checkOnly, validation.status)
    assert (False, "Succeeded") == (quick.checkOnly, quick.status)
    assert {"Exchange", "orders", "orders_oauth", "orders_glbloauth", "Idp"} == {
        one.fullName for one in quick.details.componentSuccesses if one.created
    }
    assert {"package.xml"} == {
        one.fullName for one in repeated.details.componentSuccesses if one.created or one.changed
    }
    assert [("bad", 5)] == [(one.fullName, one.lineNumber) for one in failed.details.componentFailures]
    assert (waiting.id, True, "Canceled") == (canceled.id, canceled.done, strict.outcome(waiting).status)


def _retrieves(strict: Strict) -> None:
    make = strict.make
    types = [make.PackageTypeMembers(members=["*", "ghost"], name="ExternalClientApplication")]
    asked = make.RetrieveRequest(
        apiVersion=VERSION, singlePackage=True, unpackaged=make.Package(types=types, version="63.0")
    )
    result = strict.checkRetrieveStatus(strict.retrieve(asked).id, True)

    assert "externalClientApps/orders.eca" in zipfile.ZipFile(io.BytesIO(result.zipFile)).namelist()
    absent = "Entity of type 'ExternalClientApplication' named 'ghost' cannot be found"
    assert [absent] == [one.problem for one in result.messages]


def _looks_around(strict: Strict) -> None:
    described = strict.describeValueType(f"{{{NS}}}OauthTokenExchangeHandler")
    listed = strict.listMetadata([{"type": "ExternalClientApplication"}], VERSION)

    assert "ExternalClientApplication" in [one.xmlName for one in strict.describeMetadata(VERSION).metadataObjects]
    assert {"enablements", "tokenHandlerApex"} <= {one.name for one in described.valueTypeFields}
    assert {"orders", "Marketing_Dashboard"} == {one.fullName for one in listed}


def _writes(strict: Strict) -> None:
    def record(name: str, label: str) -> Any:
        fields = {"contactEmail": "a@b.example", "label": label, "distributionState": "Local"}
        return strict.make.ExternalClientApplication(fullName=name, **fields)

    about = {"developerName": "orders", "description": "d", "isPublic": False, "masterLabel": "Orders"}
    created = strict.createMetadata([record("third", "One")])
    scope = strict.createMetadata([strict.make.OauthCustomScope(fullName="orders", **about)])
    updated = strict.updateMetadata([record("third", "Two")])
    again = strict.createMetadata([record("third", "Again")])
    upserted = strict.upsertMetadata([record("third", "Three"), record("fourth", "Four")])
    (third,) = strict.readMetadata("ExternalClientApplication", ["third"])
    renamed = strict.renameMetadata("OauthCustomScope", "orders", "renamed")
    deleted = strict.deleteMetadata("ExternalClientApplication", ["fourth", "ghost"])

    assert [True, True, True, False] == [one.success for one in (*created, *scope, *updated, *again)]
    assert [("third", False), ("fourth", True)] == [(one.fullName, one.created) for one in upserted]
    assert "Three" == third.label
    assert renamed.success
    assert [True, False] == [one.success for one in deleted]


def _reads(strict: Strict) -> None:
    for kind, name in RECORDS.items():
        assert [name] == [one.fullName for one in strict.readMetadata(kind, [name])], kind


@covers("zeep", "access token", "a dead session is told as one", "list of an unknown type is refused")
def test_is_told_what_is_wrong(org: Stand, home: Path) -> None:
    """Whoever catches faults by their code."""
    strict = Strict(org.http.line("zeep"), org.token)
    with strict.session:
        with pytest.raises(zeep.exceptions.Fault) as unknown:
            strict.listMetadata([{"type": "Nonsense"}], VERSION)
        org.org.reset()
        with pytest.raises(zeep.exceptions.Fault) as dead:
            strict.describeMetadata(VERSION)

    assert ("sf:INVALID_TYPE", "INVALID_TYPE: Unknown type:Nonsense") == (unknown.value.code, unknown.value.message)
    assert "sf:INVALID_SESSION_ID" == dead.value.code
