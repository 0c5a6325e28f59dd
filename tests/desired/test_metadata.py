"""Metadata files as desired state: a project of the Salesforce CLI, or a package, is read as it is."""

import json

import pytest

from reconciler.desired import load
from reconciler.model.address import Address
from tests.desired.build import Folder

NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
PORTAL = f"""{HEAD}<ConnectedApp {NAMESPACE}>
    <!-- ours -->
    <contactEmail>it@acme.example</contactEmail>
    <label>Portal ${{x}}</label>
    <oauthConfig>
        <callbackUrl>https://a.example/cb
https://b.example/cb</callbackUrl>
        <isAdminApproved>true</isAdminApproved>
        <scopes>Api</scopes>
        <scopes>RefreshToken</scopes>
    </oauthConfig>
</ConnectedApp>
"""
SETTINGS = f"""{HEAD}<ExtlClntAppOauthSettings {NAMESPACE}>
    <commaSeparatedOauthScopes>Api, Web</commaSeparatedOauthScopes>
    <externalClientApplication>shop</externalClientApplication>
    <label>shop</label>
</ExtlClntAppOauthSettings>
"""
OIDC = f"{HEAD}<OauthOidcSettings {NAMESPACE}><isPkceRequired>true</isPkceRequired></OauthOidcSettings>"
APP = Address("ConnectedApp", "Portal")


@pytest.mark.parametrize(
    "names",
    [
        (
            "connectedApps/Portal.connectedApp-meta.xml",
            "x/shop_oauth.ecaOauth-meta.xml",
            "settings/OauthOidc.settings-meta.xml",
        ),
        (
            "connectedApps/Portal.connectedApp",
            "extlClntAppOauthSettings/shop_oauth.ecaOauth",
            "settings/OauthOidc.settings",
        ),
    ],
)
def test_both_formats_are_read_as_they_are(folder: Folder, names) -> None:
    """The team whose apps have been in an SFDX project for years."""
    folder.write(dict(zip(names, (PORTAL, SETTINGS, OIDC), strict=True)) | {"package.xml": "<Package/>"})

    found = folder.load().resources

    assert {
        "contactEmail": "it@acme.example",
        "label": "Portal ${x}",
        "oauthConfig": {
            "callbackUrl": ["https://a.example/cb", "https://b.example/cb"],
            "isAdminApproved": True,
            "scopes": ["Api", "RefreshToken"],
        },
    } == found[APP].body
    satellite = found[Address("ExtlClntAppOauthSettings", "shop")]
    assert ("shop_oauth", ["Api", "Web"]) == (satellite.record, satellite.body["commaSeparatedOauthScopes"])
    assert {"isPkceRequired": True} == found[Address("OauthOidcSettings", "OauthOidc")].body


def test_each_field_has_its_line_and_column(folder: Folder) -> None:
    folder.write({"Portal.connectedApp-meta.xml": PORTAL})

    origin = folder.load().resources[APP].origin

    place = origin.at(("oauthConfig", "isAdminApproved"))
    assert ("desired/Portal.connectedApp-meta.xml", 9, 9) == (place.file, place.line, place.column)
    assert "        <isAdminApproved>true</isAdminApproved>" == place.snippet
    assert (5, 5) == (origin.at(("label",)).line, origin.at(("label",)).column)
    assert 10 == origin.at(("oauthConfig", "scopes")).line


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("</label>", "</lable>", "not well-formed XML: Opening and ending tag mismatch: label line 5 and lable", 5),
        (
            "<ConnectedApp ",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><ConnectedApp ",
            "a document type declaration is not allowed",
            1,
        ),
        (NAMESPACE, "", "the root element is ConnectedApp, not ConnectedApp of", 2),
        ("<scopes>Api<", "<scopes>Apy<", "'Apy' is not a value of scopes", 10),
        ("<isAdminApproved>true", "<isAdminApproved>yes", "isAdminApproved must be true or false", 9),
        ("</oauthConfig>", "    <consumerSecret>hunter2</consumerSecret>\n    </oauthConfig>", "consumerSecret", 12),
    ],
)
def test_what_is_wrong_is_said_with_its_place(folder: Folder, old, new, message, line) -> None:
    """S002's closing tag that does not fit, and whatever else a file may hold."""
    text = PORTAL.replace(old, new, 1)
    assert text != PORTAL
    folder.write({"Portal.connectedApp-meta.xml": text})

    first, *_ = folder.complaints()

    assert message in first.message
    assert ("desired/Portal.connectedApp-meta.xml", line) == (first.place.file, first.place.line)
    assert first.mend
    assert not any("hunter2" in str(one) for one in folder.complaints())


def test_elements_that_no_kind_has_are_named_and_compared_with_nothing(folder: Folder) -> None:
    said: list[str] = []
    folder.write({"Portal.connectedApp-meta.xml": PORTAL.replace("<label>", "<newThing>1</newThing><label>")})

    found = load.load([folder.desired], root=folder.root, variables={}, environment={}, tell=said.append)

    assert "newThing" not in found.resources[APP].body
    assert ["not compared, since no kind has it: desired/Portal.connectedApp-meta.xml: newThing"] == said


def test_a_yaml_document_lies_over_a_metadata_file(folder: Folder) -> None:
    """What differs from the project's own tree stands in one place, field by field; a field in both is said."""
    over = "kind: ConnectedApp\nname: portal\nlabel: Ours\noauthConfig: {isPkceRequired: true}\nlifecycle: {protect: [delete]}\n"
    folder.write({"Portal.connectedApp-meta.xml": PORTAL, "over.yaml": over})
    said: list[str] = []

    found = load.load([folder.desired], root=folder.root, variables={}, environment={}, tell=said.append)

    (resource,) = found.resources.values()
    assert ("Ours", True, True) == (
        resource.body["label"],
        resource.body["oauthConfig"]["isPkceRequired"],
        resource.body["oauthConfig"]["isAdminApproved"],
    )
    assert {"delete"} == resource.lifecycle.protect
    assert "desired/over.yaml" == resource.origin.at(("label",)).file
    assert ("desired/Portal.connectedApp-meta.xml", 9) == (
        resource.origin.at(("oauthConfig", "isAdminApproved")).file,
        resource.origin.at(("oauthConfig", "isAdminApproved")).line,
    )
    assert ["in YAML too, which counts: ConnectedApp/portal.label (desired/over.yaml)"] == said


def test_two_metadata_files_of_one_record_are_an_error(folder: Folder) -> None:
    folder.write({"a/Portal.connectedApp-meta.xml": PORTAL, "b/portal.connectedApp": PORTAL})

    (complaint,) = folder.complaints()

    assert "declared twice" in complaint.message


def test_a_project_of_the_salesforce_cli_brings_its_directories_and_what_it_ignores(folder: Folder) -> None:
    project = {"packageDirectories": [{"path": "force-app", "default": True}, {"path": "more"}, {"path": "gone"}]}
    default = "force-app/main/default"
    folder.write(
        {
            "sfdx-project.json": json.dumps(project),
            ".forceignore": "# comment\n**/Old.*\nmore/skipped/\n",
            f"{default}/connectedApps/Portal.connectedApp-meta.xml": PORTAL,
            f"{default}/connectedApps/Old.connectedApp-meta.xml": "broken",
            "more/settings/OauthOidc.settings-meta.xml": OIDC,
            "more/skipped/x.ecaOauth-meta.xml": "broken",
            "elsewhere/y.ecaOauth-meta.xml": "broken",
            f"{default}/lwc/a/a.js": "",
            f"{default}/lwc/a/a.js-meta.xml": "<x/>",
            f"{default}/classes/Big.cls": "public class Big {}",
            f"{default}/classes/Big.cls-meta.xml": f"<ApexClass {NAMESPACE}><apiVersion>63.0</apiVersion></ApexClass>",
        }
    )
    said: list[str] = []

    found = load.load([folder.desired], root=folder.root, variables={}, environment={}, tell=said.append)

    assert {APP, Address("OauthOidcSettings", "OauthOidc")} == found.resources.keys()
    assert ["3 files of other types (js 2, cls 1)"] == said


def test_of_many_classes_only_those_are_declared_that_a_record_runs(folder: Folder) -> None:
    meta = f"<ApexClass {NAMESPACE}><apiVersion>63.0</apiVersion><status>Active</status></ApexClass>"
    runs = PORTAL.replace("<label>", "<plugin>Runs</plugin>\n    <label>")
    classes = {f"classes/{name}.cls": f"public class {name} {{}}" for name in ("Runs", "Other")}
    metas = {f"{name}-meta.xml": meta for name in classes}
    folder.write({"Portal.connectedApp-meta.xml": runs, **classes, **metas})

    assert {APP, Address("ApexClass", "Runs")} == folder.load().resources.keys()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "this is no project of the Salesforce CLI"),
        ('{"packageDirectories": "x"}', "this is no project of the Salesforce CLI"),
        ('{"packageDirectories": [{"path": "../.."}]}', "leads out of the project"),
        ("[" * 100_000, "this is no project of the Salesforce CLI"),
    ],
)
def test_a_broken_project_of_the_salesforce_cli_is_an_error(folder: Folder, content, message) -> None:
    folder.write({"sfdx-project.json": content})

    (complaint,) = folder.complaints()

    assert message in complaint.message
    assert "desired/sfdx-project.json" == complaint.place.file
