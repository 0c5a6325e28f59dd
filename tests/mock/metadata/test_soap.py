"""The wire: liberal with what clients send, exact with what they get."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
import requests
from lxml import etree

from providers.mock import Org
from providers.mock.catalog import TYPES
from providers.mock.metadata import schema
from tests.mock.wire import NS, Wire, apex, app, enablement, handler, manifest, package, whole

X = f"{{{NS}}}"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


@pytest.fixture(scope="module")
def wsdl() -> etree.XMLSchema:
    """All of the WSDL's types and its response elements, as it ships."""
    found = etree.parse(str(schema.wsdl())).getroot().find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert found is not None
    # Written out and read again, so that the namespaces of the document around it come along.
    return etree.XMLSchema(etree.fromstring(etree.tostring(found)))


def check(wsdl: etree.XMLSchema, response: etree._Element) -> etree._Element:
    """Validate an answer; `zipFile` may be nil, as recorded real answers have it, which the schema forbids."""
    copy = etree.fromstring(etree.tostring(response))
    for nil in copy.iter(f"{X}zipFile"):
        nil.attrib.pop(f"{{{XSI}}}nil", None)
    wsdl.assertValid(copy)
    return response


def _pending(wire: Wire) -> str:
    """A deployment that waits."""
    wire.org.switch("deploy_polls", 5)
    job = wire.start(package(app("late")))
    wire.org.switch("deploy_polls", 0)
    return job


def test_every_answer_fits_the_wsdl(wire: Wire, wsdl: etree.XMLSchema) -> None:
    """A strict client dies on one element out of order."""
    wire.deployed(apex("Exchange"), *whole("order"), handler("Idp", enablement("order")))
    options = "<DeployOptions><checkOnly>true</checkOnly><testLevel>RunLocalTests</testLevel></DeployOptions>"
    data = base64.b64encode(package(app("bad", nonsense=1), app("good"))).decode()

    job = check(wsdl, wire.soap("deploy", f"<ZipFile>{data}</ZipFile>{options}")).findtext(f"{X}result/{X}id")
    for details in ("true", "false"):
        inner = f"<asyncProcessId>{job}</asyncProcessId><includeDetails>{details}</includeDetails>"
        check(wsdl, wire.soap("checkDeployStatus", inner))
    asked = manifest({"ConnectedApp": ["*", "Nobody"]}, root="unpackaged")
    asked = asked.partition("?>")[2]
    found = check(wsdl, wire.soap("retrieve", f"<retrieveRequest>{asked}</retrieveRequest>")).findtext(
        f"{X}result/{X}id"
    )
    for flag in ("false", "true"):
        inner = f"<asyncProcessId>{found}</asyncProcessId><includeZip>{flag}</includeZip>"
        check(wsdl, wire.soap("checkRetrieveStatus", inner))
    queries = "<queries><type>ConnectedApp</type></queries><queries><type>Settings</type></queries>"
    check(wsdl, wire.soap("listMetadata", f"{queries}<asOfVersion>63.0</asOfVersion>"))
    check(wsdl, wire.soap("describeMetadata", "<asOfVersion>63.0</asOfVersion>"))
    check(wsdl, wire.soap("describeValueType", f"<type>{{{NS}}}ConnectedApp</type>"))
    check(wsdl, wire.soap("cancelDeploy", f"<String>{_pending(wire)}</String>"))
    validation = wire.start(package(app("valid")), checkOnly=True, testLevel="RunLocalTests")
    wire.poll(validation)
    check(wsdl, wire.soap("deployRecentValidation", f"<validationId>{validation}</validationId>"))
    for new in ("renamed", "not a name"):
        inner = (
            f"<type>ExternalClientApplication</type><oldFullName>valid</oldFullName><newFullName>{new}</newFullName>"
        )
        check(wsdl, wire.soap("renameMetadata", inner))
    check(wsdl, wire.soap("deleteMetadata", "<type>ConnectedApp</type><fullNames>Nobody</fullNames>"))
    for kind, name in (
        ("ConnectedApp", "Legacy_ERP"),
        ("OauthTokenExchangeHandler", "Idp"),
        ("OauthOidcSettings", "OauthOidc"),
    ):
        inner = f"<type>{kind}</type><fullNames>{name}</fullNames>"
        check(wsdl, wire.soap("readMetadata", inner, path="/services/Soap/m/63.0"))


def test_answers_use_the_default_namespace(wire: Wire) -> None:
    """Clients look for bare tags in the text."""
    answer = wire.post_soap(f'<describeMetadata xmlns="{NS}"/>')

    assert f'<describeMetadataResponse xmlns="{NS}"><result>' in answer.text
    assert answer.headers["Content-Type"].startswith("text/xml")


@pytest.mark.parametrize(
    "body",
    [
        f'<retrieve xmlns="{NS}"><request><apiVersion>64.0</apiVersion>{{}}</request></retrieve>',
        f'<ns0:retrieve xmlns:ns0="{NS}"><ns0:retrieveRequest>{{}}</ns0:retrieveRequest></ns0:retrieve>',
        f'<met:retrieve xmlns:met="{NS}"><met:retrieveRequest><met:singlePackage>True</met:singlePackage>{{}}</met:retrieveRequest></met:retrieve>',
    ],
)
@pytest.mark.parametrize("suffix", ["", "/", "/00D000000000001EAA", "/deployRequest", "/deployRequest/09S000000000001"])
def test_each_client_s_way_to_retrieve_is_understood(wire: Wire, body: str, suffix: str) -> None:
    """Prefixes, parameter names, elements without a namespace, addresses: no two clients agree."""
    asked = "<unpackaged><types><members>*</members><name>ConnectedApp</name></types></unpackaged>"

    answer = wire.post_soap(body.format(asked), path=f"/services/Soap/m/64.0{suffix}")

    job = re.search(r"<id>(09S\w{15})</id>", answer.text)
    assert job is not None, answer.text
    done = wire.post_soap(
        f'<n1:checkRetrieveStatus xmlns:n1="{NS}"><n1:id>{job.group(1)}</n1:id></n1:checkRetrieveStatus>'
    )
    assert "<zipFile>UEs" in done.text
    assert "connectedApps/Legacy_ERP.connectedApp" in done.text


def test_stray_text_and_unknown_options_do_no_harm(wire: Wire) -> None:
    """One client really sends this."""
    data = base64.b64encode(package(app("order"))).decode()
    options = "<met:runAllTests>false</met:runAllTests><met:rollbackOnError>True</met:rollbackOnError> None None "
    body = f'<met:deploy xmlns:met="{NS}"><met:ZipFile>{data}</met:ZipFile><met:DeployOptions>{options}</met:DeployOptions></met:deploy>'

    answer = wire.post_soap(body)

    job = re.search(r"<id>(0Af\w{15})</id>", answer.text)
    assert job is not None
    assert ("Succeeded", True) == (wire.poll(job.group(1)).status, wire.poll(job.group(1)).result["rollbackOnError"])


def test_a_retrieve_is_packed_under_unpackaged_unless_it_is_single(wire: Wire) -> None:
    """Two clients find nothing otherwise."""
    found = wire.retrieve({"ConnectedApp": ["Legacy_ERP"]}, single=False)

    assert {"unpackaged/package.xml", "unpackaged/connectedApps/Legacy_ERP.connectedApp"} == set(found.files)
    assert "Package" == found.properties["unpackaged/package.xml"]["type"]
    assert "Legacy_ERP" == found.properties["unpackaged/connectedApps/Legacy_ERP.connectedApp"]["fullName"]


def test_a_missing_member_is_a_message(wire: Wire) -> None:
    """The Salesforce CLI reads type and name out of this text."""
    found = wire.retrieve({"ConnectedApp": ["Nobody"], "Nonsense": ["*"]})

    assert [
        "Entity of type 'ConnectedApp' named 'Nobody' cannot be found",
        "Entity type 'Nonsense' is unknown",
    ] == found.messages


def test_a_star_leaves_out_what_a_package_installed(wire: Wire, org: Org) -> None:
    """Asked for by name it comes."""
    xml = f'<ConnectedApp xmlns="{NS}"><contactEmail>a@b.example</contactEmail><label>x</label></ConnectedApp>'
    org.load_component("ConnectedApp", "pkg__Their_App", xml.encode())

    assert not any("pkg__" in name for name in wire.retrieve({"ConnectedApp": ["*"]}).files)
    found = wire.retrieve({"ConnectedApp": ["pkg__Their_App"]}).properties["connectedApps/pkg__Their_App.connectedApp"]
    assert ("installed", "pkg") == (found["manageableState"], found["namespacePrefix"])


def test_an_unreadable_kind_says_so(wire: Wire, org: Org) -> None:
    """An empty answer would be taken for an empty org."""
    org.switch("unreadable_kinds", {"ConnectedApp"})

    found = wire.retrieve({"ConnectedApp": ["*"], "ExternalClientApplication": ["*"]})

    assert ["INSUFFICIENT_ACCESS: You do not have the proper permissions to access ConnectedApp"] == found.messages
    assert "externalClientApps/Marketing_Dashboard.eca" in found.files
    assert "sf:INSUFFICIENT_ACCESS" in wire.fault("listMetadata", "<queries><type>ConnectedApp</type></queries>")


def test_too_many_files_fail_a_retrieve(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's text, so that a client that splits can be tested."""
    monkeypatch.setattr("providers.mock.metadata.retrieve.MAX_FILES", 2)
    asked = manifest({"ConnectedApp": ["*"]}, root="unpackaged").partition("?>")[2]
    job = wire.soap("retrieve", f"<retrieveRequest>{asked}</retrieveRequest>").findtext(f"{X}result/{X}id")

    result = wire.soap("checkRetrieveStatus", f"<asyncProcessId>{job}</asyncProcessId>").find(f"{X}result")

    assert result is not None
    assert ("Failed", "LIMIT_EXCEEDED") == (result.findtext(f"{X}status"), result.findtext(f"{X}errorStatusCode"))
    assert "LIMIT_EXCEEDED: Too many files in retrieve call, limit is: 2" == result.findtext(f"{X}errorMessage")


def test_a_retrieve_goes_through_its_states(wire: Wire, org: Org) -> None:
    """And the old status call, which one client still polls with, moves it on too."""
    org.switch("retrieve_polls", 2)
    asked = manifest({"ConnectedApp": ["*"]}, root="unpackaged").partition("?>")[2]
    job = wire.soap("retrieve", f"<retrieveRequest>{asked}</retrieveRequest>").findtext(f"{X}result/{X}id")

    statuses = []
    for operation in ("checkStatus", "checkRetrieveStatus", "checkStatus"):
        result = wire.soap(operation, f"<asyncProcessId>{job}</asyncProcessId>").find(f"{X}result")
        assert result is not None
        statuses.append(result.findtext(f"{X}done"))
    assert ["false", "false", "true"] == statuses


def test_listing_knows_three_queries_and_its_types(wire: Wire) -> None:
    """A client that asks for everything at once must split."""
    query = "<queries><type>ConnectedApp</type></queries>"

    assert 6 == len(wire.soap("listMetadata", query * 3).findall(f"{X}result"))
    assert "sf:LIMIT_EXCEEDED" in wire.fault("listMetadata", query * 4)
    assert "sf:INVALID_TYPE INVALID_TYPE: Unknown type:X" == wire.fault(
        "listMetadata", "<queries><type>X</type></queries>"
    )


def test_headers_that_mean_nothing_here_are_taken(wire: Wire) -> None:
    """Tools name themselves and ask for logs."""
    headers = (
        f'<CallOptions xmlns="{NS}"><client>tool/1</client></CallOptions>'
        f'<m:DebuggingHeader xmlns:m="{NS}"><m:categories><m:category>All</m:category><m:level>Debug</m:level></m:categories>'
        "<m:debugLevel>None</m:debugLevel></m:DebuggingHeader>"
    )

    assert wire.soap("listMetadata", "<queries><type>ConnectedApp</type></queries>", headers=headers) is not None


def test_several_hundred_unknown_types_cost_little(wire: Wire) -> None:
    """`sf project generate manifest --from-org` asks for each by itself and lives on the faults."""
    faults = {wire.fault("listMetadata", f"<queries><type>Type{n}</type></queries>")[:15] for n in range(50)}

    assert {"sf:INVALID_TYPE"} == faults


def test_an_unknown_operation_and_a_broken_envelope_are_faults(wire: Wire) -> None:
    """Never a traceback."""
    assert "No operation available for request" in wire.fault("renameEverything")
    for data in (b"", b"<a", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<e:Envelope xmlns:e='x'/>"):
        answer = wire.session.post(f"{wire.base}/services/Soap/m/66.0", data=data)
        assert (500, True) == (answer.status_code, "<faultcode>soapenv:Client</faultcode>" in answer.text)


@pytest.mark.parametrize("version", ["30.0", "67.0", "99"])
def test_an_unknown_version_is_refused(wire: Wire, version: str) -> None:
    """A client of the future must not believe that it was understood."""
    assert "sf:UNSUPPORTED_API_VERSION" in wire.fault("describeMetadata", path=f"/services/Soap/m/{version}")


@pytest.mark.parametrize("token", ["", "nonsense", "00D000000000001!AQ.x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMDUifQ."])
def test_no_session_no_answer(wire: Wire, token: str) -> None:
    """The fault code has no attributes: clients search the text for it."""
    assert wire.fault("describeMetadata", token=token).startswith("sf:INVALID_SESSION_ID INVALID_SESSION_ID: ")
    answer = requests.Session.get(
        wire.session, f"{wire.base}/services/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"}
    )
    assert (401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]) == (
        answer.status_code,
        answer.json(),
    )


def test_a_reset_ends_all_sessions(wire: Wire, org: Org) -> None:
    """A new org has a new id and knows nobody's token."""
    before = org.org_id

    org.reset()

    assert before != org.org_id
    assert 401 == wire.get("/services/oauth2/userinfo").status_code


def test_jwt_tokens_work_on_rest_and_not_on_soap(org: Org) -> None:
    """Whoever switches JWTs on for the CI app locks its SOAP client out."""
    org.switch("jwt_tokens", True)
    wire = Wire(org)

    assert "SOAP API does not support JWT-based access tokens" in wire.fault("describeMetadata")
    wire.deployed(app("order"))
    forged = wire.token[:-4] + "AAAA"
    assert 401 == Wire(org, token=forged).get("/services/oauth2/userinfo").status_code


def test_a_user_without_the_permission_cannot_use_the_metadata_api(org: Org) -> None:
    """What `doctor` must recognise."""
    wire = Wire(org, "eli@acme.example")

    assert "ModifyAllData or ModifyMetadata" in wire.fault("describeMetadata")
    assert 403 == wire.get("/services/data/v66.0/metadata/deployRequest/0Af000000000001").status_code
    assert "eli@acme.example" == wire.get("/services/oauth2/userinfo").json()["preferred_username"]


def test_either_way_to_deploy_can_be_closed(wire: Wire, org: Org) -> None:
    """A client must find the other one."""
    org.switch("rest_deploy_refused", True)
    url = f"{wire.base}/services/data/v66.0/metadata/deployRequest"
    files = {
        "json": ("", '{"deployOptions": {}}', "application/json"),
        "file": ("p.zip", package(app("order")), "application/zip"),
    }
    assert 403 == wire.session.post(url, headers=wire.bearer, files=files).status_code

    org.switch("soap_deploy_refused", True)

    assert "sf:INSUFFICIENT_ACCESS" in wire.fault("deploy", "<ZipFile></ZipFile><DeployOptions/>")


def test_both_namings_of_multipart_parts_work(wire: Wire) -> None:
    """`json` first or `entity_content` last; options as strings or null."""
    url = f"{wire.base}/services/data/v66.0/metadata/deployRequest"
    options = {
        "deployOptions": {"checkOnly": "false", "purgeOnDelete": "false", "testLevel": None, "rollbackOnError": True}
    }
    files = [
        ("file", ("package.xml", package(app("order")), "application/zip")),
        ("entity_content", (None, json.dumps(options), "application/json")),
    ]

    answer = wire.session.post(url, headers=wire.bearer, files=files)

    assert 201 == answer.status_code
    assert [] == answer.json()["deployResult"]["details"]["componentSuccesses"]
    assert "Succeeded" == wire.poll(answer.json()["id"]).status


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"file": ("p.zip", b"x", "application/zip")}, "INVALID_MULTIPART_REQUEST"),
        ({"json": (None, "{", "application/json"), "file": ("p.zip", b"x", "application/zip")}, "JSON_PARSER_ERROR"),
        ({"json": (None, "[" * 100_000, "application/json"), "file": ("p.zip", b"x", "application/zip")}, "JSON_PARSER_ERROR"),
        ({"json": (None, '{"deployOptions": [1]}', "application/json"), "file": ("p.zip", b"x", "application/zip")}, "JSON_PARSER_ERROR"),
    ],
)  # fmt: skip
def test_a_broken_upload_is_a_400(wire: Wire, files: dict[str, Any], code: str) -> None:
    """Never a traceback."""
    answer = wire.session.post(
        f"{wire.base}/services/data/v66.0/metadata/deployRequest", headers=wire.bearer, files=files
    )

    assert (400, code) == (answer.status_code, answer.json()[0]["errorCode"])


# -- CRUD --------------------------------------------------------------------------------------------------------------


def eca(name: str, extra: str = "", prefix: str = "") -> str:
    inner = f"<fullName>{name}</fullName><contactEmail>a@b.example</contactEmail>{extra}"
    return (
        f'<metadata xmlns:xsi="{XSI}" xmlns:ns0="{NS}" xsi:type="{prefix}ExternalClientApplication">{inner}</metadata>'
    )


def outcomes(response: etree._Element) -> list[tuple[str | None, str | None]]:
    return [
        (each.findtext(f"{X}success"), each.findtext(f"{X}errors/{X}statusCode"))
        for each in response.findall(f"{X}result")
    ]


def test_crud_writes_reads_and_deletes(wire: Wire, wsdl: etree.XMLSchema) -> None:
    """Each component succeeds or fails by itself."""
    made = check(wsdl, wire.soap("createMetadata", eca("a") + eca("b", "<nonsense/>") + eca("c", prefix="ns0:")))
    assert [("true", None), ("false", "INVALID_FIELD"), ("true", None)] == outcomes(made)
    assert [("false", "DUPLICATE_DEVELOPER_NAME")] == outcomes(wire.soap("createMetadata", eca("a")))
    assert [("false", "INVALID_CROSS_REFERENCE_KEY")] == outcomes(wire.soap("updateMetadata", eca("b")))
    upserted = check(wsdl, wire.soap("upsertMetadata", eca("a", "<label>x</label>") + eca("d")))
    assert ["false", "true"] == [each.findtext(f"{X}created") for each in upserted.findall(f"{X}result")]
    read = wire.soap(
        "readMetadata", "<type>ExternalClientApplication</type><fullNames>a</fullNames><fullNames>zz</fullNames>"
    )
    records = read.findall(f"{X}result/{X}records")
    assert ["x", None] == [each.findtext(f"{X}label") for each in records]
    assert "true" == records[1].get(f"{{{XSI}}}nil")
    gone = wire.soap(
        "deleteMetadata", "<type>ExternalClientApplication</type><fullNames>a</fullNames><fullNames>zz</fullNames>"
    )
    assert [("true", None), ("false", "INVALID_CROSS_REFERENCE_KEY")] == outcomes(gone)


def test_all_or_none_rolls_back(wire: Wire) -> None:
    """With the header, one mistake keeps all out."""
    header = f'<AllOrNoneHeader xmlns="{NS}"><allOrNone>true</allOrNone></AllOrNoneHeader>'

    made = wire.soap("createMetadata", eca("a") + eca("b", "<nonsense/>"), headers=header)

    assert [("false", "ALL_OR_NONE_OPERATION_ROLLED_BACK"), ("false", "INVALID_FIELD")] == outcomes(made)
    assert not any("/a.eca" in name for name in wire.retrieve({"ExternalClientApplication": ["*"]}).files)


def test_crud_takes_ten_components_of_one_type(wire: Wire) -> None:
    """Beyond that a client must split."""
    assert "sf:LIMIT_EXCEEDED" in wire.fault("createMetadata", "".join(eca(f"a{n}") for n in range(11)))
    other = eca("b").replace("ExternalClientApplication", "ConnectedApp")
    assert "sf:INVALID_TYPE" in wire.fault("createMetadata", eca("a") + other)
    assert "sf:INVALID_TYPE" in wire.fault("createMetadata", eca("a").replace("ExternalClientApplication", "ApexClass"))


def test_describing_names_folders_and_suffixes_as_clients_insist(wire: Wire) -> None:
    """Irregular abbreviations are a known source of failed deployments."""
    found = wire.soap("describeMetadata", "<asOfVersion>66.0</asOfVersion>").findall(f"{X}result/{X}metadataObjects")
    described = {
        each.findtext(f"{X}xmlName"): (each.findtext(f"{X}directoryName"), each.findtext(f"{X}suffix"))
        for each in found
    }

    assert {one.manifest_name: (one.folder, one.suffix) for one in TYPES} == described
    older = wire.soap("describeMetadata", "<asOfVersion>63.0</asOfVersion>")
    assert b"ExtlClntAppOauthSecuritySettings" not in etree.tostring(older)


# -- REST --------------------------------------------------------------------------------------------------------------


def test_versions_are_offered_ascending_and_without_a_session(wire: Wire) -> None:
    """One client takes the last, another the largest."""
    found = wire.session.get(f"{wire.base}/services/data").json()

    assert [f"{version}.0" for version in range(60, 67)] == [each["version"] for each in found]


def test_what_is_not_there_is_a_404_with_salesforce_s_sentence(wire: Wire) -> None:
    """A 500 would be retried for a quarter of a minute; another sentence ends the Salesforce CLI."""
    for path in (
        "/nothing",
        "/services/data/v66.0/tooling/sobjects/SourceMember/describe",
        "/services/data/v99.0",
    ):
        answer = wire.get(path)
        assert (404, [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]) == (
            answer.status_code,
            answer.json(),
        )


def test_the_login_of_the_salesforce_cli_is_answered(wire: Wire, org: Org) -> None:
    """The calls that it makes, with the versions that it hard-codes."""
    info = wire.get("/services/oauth2/userinfo").json()
    user = wire.get(f"/services/data/v51.0/sobjects/User/{info['user_id']}").json()
    scratch = wire.get("/services/data/v51.0/query", q="SELECT Id FROM ScratchOrgInfo limit 1")
    identity = wire.session.get(wire.get("/services/data/v66.0").json()["identity"], headers=wire.bearer).json()

    assert (org.org_id, org.admin_username) == (info["organization_id"], user["Username"])
    assert (400, "INVALID_TYPE") == (scratch.status_code, scratch.json()[0]["errorCode"])
    assert info["user_id"] == identity["user_id"]
    found = wire.get(f"/services/data/v66.0/sobjects/Organization/{org.org_id}").json()
    assert ("Developer Edition", False) == (found["OrganizationType"], found["IsSandbox"])


def test_calls_are_counted(wire: Wire, org: Org) -> None:
    """A test can say: no write call."""
    wire.retrieve({"ConnectedApp": ["*"]})
    assert ({"checkRetrieveStatus": 1, "retrieve": 1}, 0) == (org.calls, org.write_calls)

    wire.deploy(app("order", nonsense=1))

    assert 1 == org.write_calls
