"""The forms of desired documents: what becomes a resource, under which address, and what does not."""

import pytest

from reconciler.model.address import Address
from reconciler.model.declared import Lifecycle
from tests.desired.build import APP, CLASS, HANDLER, META, Folder, addresses, body, only

GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
POLICIES = "ExtlClntAppConfigurablePolicies/portal"


def test_an_app_and_its_sections_are_resources_of_their_own(folder: Folder) -> None:
    """In the org they are five records, and each can drift alone."""
    found = folder.write(
        APP
        + "label: P\nglobalOauthSettings: {callbackUrl: [https://a]}\noauthSettings: {}\npolicies: {isEnabled: true}\n"
    ).load()

    assert [
        "ExternalClientApplication/portal",
        POLICIES,
        GLOBAL,
        "ExtlClntAppOauthSettings/portal",
    ] == addresses(found)
    assert {"label": "P"} == body(found, "ExternalClientApplication/portal")
    assert {"callbackUrl": ["https://a"], "externalClientApplication": "portal"} == body(found, GLOBAL)


def test_a_satellite_may_be_a_document_of_its_own(folder: Folder) -> None:
    """The security team owns the policies, the app's team the rest."""
    text = "kind: ExtlClntAppConfigurablePolicies\nexternalClientApplication: portal\nisEnabled: true\n"
    found = folder.write(text).load()

    assert POLICIES == str(only(found).address)
    assert "" == only(found).record


@pytest.mark.parametrize(
    "text",
    [
        "kind: ExtlClntAppConfigurablePolicies\nexternalClientApplication: portal\nname: other\n",
        APP + "policies: {name: other}\n",
    ],
)
def test_a_satellite_may_name_its_record(folder: Folder, text: str) -> None:
    """Records made long ago are called what somebody called them."""
    assert "other" == folder.write(text).load().resources[Address.parse(POLICIES)].record


def test_settings_take_no_name(folder: Folder) -> None:
    """There is one in each org; a name would suggest that there could be two."""
    assert "OauthOidcSettings/OauthOidc" == str(only(folder.write("kind: OauthOidcSettings\n").load()).address)
    assert ["OauthOidcSettings takes no name: an org has one"] == folder.write(
        "kind: OauthOidcSettings\nname: x\n"
    ).messages()


def test_a_developer_name_is_filled_in_and_must_not_differ(folder: Folder) -> None:
    """Two names for one handler would be two handlers in the org."""
    assert {"developerName": "Idp"} == only(folder.write(HANDLER).load()).body
    assert ["developerName must repeat the name, Idp"] == folder.write(HANDLER + "developerName: Other\n").messages()


def test_the_enablements_of_a_handler_are_resources_and_authoritative(folder: Folder) -> None:
    """Whoever is not in the list loses access: that must be known even if the list is empty."""
    found = folder.write(
        HANDLER + "enablements:\n- {connectedApp: a, isDefault: true}\n- {externalClientApp: b}\n"
    ).load()

    assert {"connectedApp": "a", "isDefault": True} == body(found, "OauthTokenExchangeHandler/Idp/enablements/a")
    assert {"externalClientApp": "b"} == body(found, "OauthTokenExchangeHandler/Idp/enablements/b")
    assert "enablements" not in body(found, "OauthTokenExchangeHandler/Idp")
    assert frozenset({"Idp"}) == found.authoritative
    assert frozenset({"Idp"}) == folder.write(HANDLER + "enablements: []\n").load().authoritative
    assert frozenset() == folder.write(HANDLER).load().authoritative


def test_an_enablement_may_be_a_document_of_its_own_and_is_additive(folder: Folder) -> None:
    """The app's team enables its app without touching the handler's file."""
    text = (
        "kind: HandlerEnablement\nhandler: Idp\nexternalClientApp: portal\napexExecutionUser: a@b\nisDefault: false\n"
    )
    found = folder.write(text).load()

    assert ["OauthTokenExchangeHandler/Idp/enablements/portal"] == addresses(found)
    assert {"externalClientApp": "portal", "apexExecutionUser": "a@b", "isDefault": False} == only(found).body
    assert frozenset() == found.authoritative


def test_both_forms_of_enablements_for_one_handler_name_both_places(folder: Folder) -> None:
    """The list would delete what the document adds."""
    folder.write(
        {
            "a.yaml": HANDLER + "enablements: []\n",
            "b.yaml": "kind: HandlerEnablement\nhandler: Idp\nconnectedApp: x\n",
        }
    )
    (complaint,) = folder.complaints()

    assert "desired/b.yaml:1:1" == str(complaint.place)
    assert "desired/a.yaml:3:1" == str(complaint.also)


@pytest.mark.parametrize(
    ("second", "place"),
    [
        ("kind: ExtlClntAppConfigurablePolicies\nexternalClientApplication: portal\n", "desired/b.yaml:1:1"),
        ("kind: ExternalClientApplication\nname: portal\n", "desired/b.yaml:1:1"),
        ("kind: ExternalClientApplication\nname: PORTAL\n", "desired/b.yaml:1:1"),
    ],
)
def test_the_same_thing_written_twice_names_both_places(folder: Folder, second: str, place: str) -> None:
    """Which of the two would win is luck. For the org, names that differ in case are the same."""
    folder.write({"a.yaml": APP + "policies:\n  isEnabled: true\n", "b.yaml": second})
    (complaint,) = folder.complaints()

    assert "is declared twice" in complaint.message
    assert place == str(complaint.place)
    assert complaint.also is not None
    assert "desired/a.yaml" == complaint.also.file


def test_protection_counts_for_an_app_and_its_sections_and_ignoring_for_the_one_named(folder: Folder) -> None:
    """A protected app whose OAuth settings are deleted lets nobody in either."""
    lifecycle = "lifecycle: {protect: [delete], ignore: [label, globalOauthSettings.idTokenConfig.idTokenAudience]}\n"
    found = folder.write(APP + "globalOauthSettings: {}\n" + lifecycle).load().resources

    assert (
        Lifecycle(frozenset({"delete"}), (("label",),))
        == found[Address.parse("ExternalClientApplication/portal")].lifecycle
    )
    expected = Lifecycle(frozenset({"delete"}), (("idTokenConfig", "idTokenAudience"),))
    assert expected == found[Address.parse(GLOBAL)].lifecycle


def test_an_ignored_path_may_go_through_a_key_with_dots(folder: Folder) -> None:
    """Ranges of addresses are told apart by their addresses."""
    ignore = "[ipRanges.10.0.0.1-10.0.0.9.description, ipRanges.10.0.0.1-10.0.0.2]"
    text = f"kind: ConnectedApp\nname: a\nlifecycle: {{ignore: {ignore}}}\n"
    assert (
        ("ipRanges", "10.0.0.1-10.0.0.9", "description"),
        ("ipRanges", "10.0.0.1-10.0.0.2"),
    ) == only(folder.write(text).load()).lifecycle.ignore


def test_an_ignored_field_of_an_enablement_stands_with_its_handler(folder: Folder) -> None:
    """The list has no place for a lifecycle of its own."""
    text = HANDLER + "enablements: [{connectedApp: a}]\nlifecycle: {ignore: [enablements.a.isDefault]}\n"
    found = folder.write(text).load().resources

    assert (("isDefault",),) == found[Address.parse("OauthTokenExchangeHandler/Idp/enablements/a")].lifecycle.ignore
    assert () == found[Address.parse("OauthTokenExchangeHandler/Idp")].lifecycle.ignore


@pytest.mark.parametrize(
    ("lifecycle", "message"),
    [
        ("[delete]", "lifecycle must have the keys protect and ignore"),
        ("{protekt: [delete]}", "protekt is not a key of lifecycle"),
        ("{protect: delete}", "protect must be a list of texts"),
        ("{protect: [update]}", "'update' is nothing that lifecycle.protect can forbid"),
        ("{ignore: [lable]}", "lable is not a field of ExternalClientApplication"),
        ("{ignore: [label.x]}", "label has no fields of its own"),
        ("{ignore: [policies]}", "policies is a whole section"),
        ("{ignore: [policies.label]}", "policies is no section here"),
        ("{ignore: [oauthSettings.labl]}", "labl is not a field of ExtlClntAppOauthSettings"),
    ],
)
def test_a_lifecycle_that_says_nothing_is_an_error(folder: Folder, lifecycle: str, message: str) -> None:
    """A protection with a typing error protects nothing."""
    (complaint,) = folder.write(APP + f"oauthSettings: {{}}\nlifecycle: {lifecycle}\n").complaints()

    assert message == complaint.message
    assert complaint.mend


def test_an_apex_class_is_read_from_its_two_files(folder: Folder) -> None:
    """Line ends differ from machine to machine; the org keeps LF."""
    meta = META.replace(
        "<status>",
        "<packageVersions><majorNumber>1</majorNumber><minorNumber>2</minorNumber><namespace>ns</namespace>"
        "</packageVersions>\n    <status>",
    )
    folder.write({"deep/down/Idp.cls": "public class Idp {\r\n}\r\n\r\n", "deep/down/Idp.cls-meta.xml": meta})
    found = only(folder.load())

    assert Address("ApexClass", "Idp") == found.address
    assert {
        "apiVersion": 63.0,
        "content": "public class Idp {\n}\n",
        "packageVersions": [{"majorNumber": 1, "minorNumber": 2, "namespace": "ns"}],
        "status": "Active",
    } == found.body
    assert "desired/deep/down/Idp.cls:1" == str(found.origin.at(("content",)))
    assert "desired/deep/down/Idp.cls-meta.xml:3" == str(found.origin.at(("apiVersion",)))


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + META.split("\n", 1)[1].replace(
    "63.0", "&b;"
)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"Idp.cls": CLASS}, "Idp.cls-meta.xml is missing beside this file"),
        ({"Idp.cls-meta.xml": META}, "Idp.cls is missing beside this file"),
        ({"Idp.cls": "", "Idp.cls-meta.xml": META}, "the file is empty"),
        ({"Idp.cls": b"\xff", "Idp.cls-meta.xml": META}, "byte 0xff is not UTF-8"),
        ({"Idp.cls": "a\x00", "Idp.cls-meta.xml": META}, "the file holds NUL characters: it is no text"),
        ({"I dp.cls": CLASS, "I dp.cls-meta.xml": META}, "'I dp': it holds a blank"),
        ({"Idp.cls": CLASS, "Idp.cls-meta.xml": "<a"}, "not valid XML"),
        ({"Idp.cls": CLASS, "Idp.cls-meta.xml": BOMB}, "a document type is not allowed"),
        ({"Idp.cls": CLASS, "Idp.cls-meta.xml": "<a/>"}, "this is no ApexClass"),
        ({"Idp.cls": CLASS, "Idp.cls-meta.xml": META.replace("status", "state")}, "state is not a field of ApexClass"),
        ({"Idp.cls": CLASS, "Idp.cls-meta.xml": META.replace("63.0", "new")}, "apiVersion must be a number, not 'new'"),
        ({"Idp.cls": CLASS, "Idp.cls-meta.xml": META.replace("Active", "On")}, "'On' is not a value of status"),
        (
            {"Idp.cls": CLASS, "Idp.cls-meta.xml": META.replace("<apiVersion>63.0</apiVersion>", "")},
            "apiVersion is missing",
        ),
        ({"a.yaml": "kind: ApexClass\nname: Idp\n"}, "an Apex class is declared by its source"),
    ],
)
def test_an_apex_class_with_something_wrong_is_an_error(folder: Folder, files: dict[str, str], message: str) -> None:
    """A handler without its class denies every login."""
    (complaint,) = folder.write(files).complaints()

    assert complaint.message.startswith(message)
    assert complaint.mend or "XML" in message


def test_the_digest_follows_every_byte_and_name(folder: Folder) -> None:
    """A saved plan is only applied to the files that it was made from."""
    digests = {
        folder.write({"a.yaml": APP}).load().digest,
        folder.write({"a.yaml": APP + "# a comment\n"}).load().digest,
        folder.write({"b.yaml": "# only a comment\n"}).load().digest,
        folder.write({"Idp.cls": CLASS, "Idp.cls-meta.xml": META}).load().digest,
        folder.write({"Idp.cls": CLASS + "\n"}).load().digest,
    }

    assert 5 == len(digests)
    assert folder.load().digest in digests


def test_no_files_are_an_empty_state(folder: Folder) -> None:
    """Whether that is meant is for the planner to ask."""
    assert {} == folder.write({"README.md": "no yaml", ".hidden/a.yaml": "x: [", ".a.yaml": "["}).load().resources
