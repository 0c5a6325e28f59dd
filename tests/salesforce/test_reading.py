"""What cannot be read is named, and never guessed."""

import pytest

from providers.salesforce.files.archive import write_zip
from providers.salesforce.files.file_properties import FileProperties
from providers.salesforce.reading import Reading
from providers.salesforce.wire.metadata_api import Message, Retrieved
from reconciler.kinds import all_kinds
from reconciler.model.address import Address
from reconciler.model.live import LiveState, Modified, OrgInfo
from reconciler.xml.markup import NAMESPACE

APPS = "externalClientApps"
POLICIES = "extlClntAppPolicies"


def record(kind_name: str, inside: str = "") -> bytes:
    return f'<?xml version="1.0"?><{kind_name} xmlns="{NAMESPACE}">{inside}</{kind_name}>'.encode()


def properties(kind_name: str, name: str, path: str, *, installed: bool = False) -> FileProperties:
    return FileProperties(kind_name, "", name, path, "Dana Admin", "005x", "2026-01-02T03:04:05.000Z", installed)


def state(files: dict[str, bytes], *known: FileProperties, messages: tuple[Message, ...] = ()) -> LiveState:
    reading = Reading()
    reading.take(Retrieved(write_zip(files), known, messages), all_kinds().values())
    return reading.state(OrgInfo("00D000000000001EAA"))


def test_a_broken_file_makes_its_address_unreadable_and_nothing_else():
    """One damaged record must not hide a thousand good ones, nor look deleted."""
    live = state(
        {
            f"{APPS}/good.eca": record("ExternalClientApplication"),
            f"{APPS}/bad.eca": b"<oops",
            f"{APPS}/worse.eca": record("ConnectedApp"),
        }
    )

    assert [Address("ExternalClientApplication", "good")] == list(live.resources)
    assert {"ExternalClientApplication/bad", "ExternalClientApplication/worse"} == live.unreadable.keys()


def test_a_broken_satellite_hides_no_other_of_its_kind():
    """Nobody can tell any more whose it was: any app's that has none. Those that came are judged, and so is an app that is
    to be made."""
    kind = "ExtlClntAppConfigurablePolicies"
    live = state(
        {
            f"{POLICIES}/x.ecaPlcy": b"<oops",
            f"{POLICIES}/y.ecaPlcy": record(kind, "<externalClientApplication>good</externalClientApplication>"),
            f"{APPS}/good.eca": record("ExternalClientApplication"),
            f"{APPS}/without.eca": record("ExternalClientApplication"),
        }
    )

    assert {kind} == live.unreadable.keys()
    assert {"good": True, "without": False, "new": True, "ns__installed": False} == {
        app: live.reason_unreadable(Address(kind, app)) is None for app in ("good", "without", "new", "ns__installed")
    }


FORMS = (
    "Load of metadata from db failed for metadata of type:ConnectedApp and file name:Vendor_Sync.",
    "Load of metadata from db failed for metadata of type: ConnectedApp and file name: Vendor_Sync",
    "Entity of type 'ConnectedApp' named 'Vendor_Sync' could not be loaded",
    'Entity of type "ConnectedApp" with the name "Vendor_Sync" is broken',
    "The component 'Vendor_Sync' of type 'ConnectedApp' can't be retrieved",
    "ConnectedApp named Vendor_Sync: UNKNOWN_EXCEPTION",
    "INTERNAL_ERROR: connectedApps/Vendor_Sync.connectedApp: an unexpected error occurred",
    "Vendor_Sync.connectedApp cannot be retrieved",
    "You do not have permission to access ConnectedApp/Vendor_Sync",
    "You do not have access to the ConnectedApp 'Vendor_Sync'",
)


@pytest.mark.parametrize("problem", FORMS)
@pytest.mark.parametrize("file", ["package.xml", "unpackaged/package.xml", ""])
def test_a_message_that_names_one_record_hides_that_record_alone(problem: str, file: str):
    """A vendor's app that the org cannot load must not block the plan of everybody else's."""
    live = state({"connectedApps/Ours.connectedApp": record("ConnectedApp")}, messages=(Message(problem, file),))

    assert {"ConnectedApp/Vendor_Sync": problem} == live.unreadable
    assert live.reason_unreadable(Address("ConnectedApp", "Ours")) is None
    assert live.reason_unreadable(Address("ConnectedApp", "New")) is None


@pytest.mark.parametrize("file", ["unpackaged/connectedApps/Vendor_Sync.connectedApp", "Vendor_Sync.connectedApp"])
def test_the_file_of_a_message_names_the_record(file: str):
    """Whatever the words are."""
    live = state({}, messages=(Message("An unexpected error occurred", file),))

    assert {"ConnectedApp/Vendor_Sync"} == live.unreadable.keys()


@pytest.mark.parametrize(
    "problem",
    [
        "You do not have the proper permissions to access 'ConnectedApp'",
        "ConnectedApp: you cannot access 'Setup'",
        "ConnectedApp 'A' and ConnectedApp 'B' cannot be told apart",
    ],
)
def test_a_message_that_may_mean_the_kind_hides_the_kind(problem: str):
    """Absence must not be concluded from words that were guessed at."""
    live = state({}, messages=(Message(problem),))

    assert {"ConnectedApp"} == live.unreadable.keys()


def test_a_message_about_a_record_that_came_all_the_same_hides_nothing():
    """A warning is none of ours."""
    files = {"connectedApps/Ours.connectedApp": record("ConnectedApp")}

    assert {} == state(files, messages=(Message("slow", "connectedApps/Ours.connectedApp"),)).unreadable


def test_a_message_about_a_satellite_is_about_any_app_that_has_none():
    """What a record is called says nothing about whose it is."""
    said = "Load of metadata from db failed for metadata of type:ExtlClntAppConfigurablePolicies and file name:x_plcy."
    live = state({f"{APPS}/portal.eca": record("ExternalClientApplication")}, messages=(Message(said),))

    assert {"ExtlClntAppConfigurablePolicies": said} == live.unreadable


def test_satellites_and_enablements_go_by_the_names_that_their_owners_have():
    """What refers to a record may be in other letters: it is the same record."""
    handler = "<enablements><externalClientApp>PORTAL</externalClientApp></enablements>"
    policies = "<externalClientApplication>Portal</externalClientApplication>"
    live = state(
        {
            f"{APPS}/portal.eca": record("ExternalClientApplication"),
            f"{POLICIES}/p.ecaPlcy": record("ExtlClntAppConfigurablePolicies", policies),
            "oauthtokenexchangehandlers/Idp.oauthtokenexchangehandler": record("OauthTokenExchangeHandler", handler),
        }
    )

    assert {
        "ExternalClientApplication/portal", "ExtlClntAppConfigurablePolicies/portal", "OauthTokenExchangeHandler/Idp",
        "OauthTokenExchangeHandler/Idp/enablements/portal",
    } == set(map(str, live.resources))  # fmt: skip
    assert {"portal"} == {a.name for a, one in live.resources.items() if one.address == a and a.kind.startswith("Extl")}


def test_a_satellite_without_an_app_goes_by_its_own_name():
    """It exists, so it is shown."""
    live = state(
        {f"{POLICIES}/orphan.ecaPlcy": record("ExtlClntAppConfigurablePolicies", "<isEnabled>true</isEnabled>")}
    )

    assert [Address("ExtlClntAppConfigurablePolicies", "orphan")] == list(live.resources)


def test_a_class_that_is_not_utf8_is_unreadable():
    """Its body would be sent back as something else."""
    live = state(
        {
            "classes/X.cls": b"// \xe9t\xe9",
            "classes/X.cls-meta.xml": record("ApexClass", "<apiVersion>63.0</apiVersion><status>Active</status>"),
        }
    )

    assert "not UTF-8" in live.unreadable["ApexClass/X"]


def test_names_and_people_come_from_the_org_not_from_file_names():
    """A file name may be an encoded form of the name."""
    path = f"{APPS}/A%2EB.eca"
    live = state({path: record("ExternalClientApplication")}, properties("ExternalClientApplication", "A.B", path))

    found = live.resources[Address("ExternalClientApplication", "A.B")]
    assert "A.B" == found.record
    assert Modified("Dana Admin", "005x", "2026-01-02T03:04:05.000Z") == found.modified


def test_both_layouts_of_a_retrieve_are_understood():
    """With a folder `unpackaged` or without: it depends on one flag of the call."""
    path = f"unpackaged/{APPS}/portal.eca"
    live = state({path: record("ExternalClientApplication")}, properties("ExternalClientApplication", "portal", path))

    assert "Dana Admin" == live.resources[Address("ExternalClientApplication", "portal")].modified.by


def test_what_a_package_installed_is_marked():
    """It is read-only: a plan that wants to change it must say so before the org does."""
    path = f"{APPS}/ns__portal.eca"
    live = state(
        {path: record("ExternalClientApplication")},
        properties("ExternalClientApplication", "ns__portal", path, installed=True),
    )

    assert live.resources[Address("ExternalClientApplication", "ns__portal")].installed


@pytest.mark.parametrize(
    ("message", "unreadable"),
    [
        ("Entity of type 'ApexClass' named 'X' cannot be found", set()),
        ("Entity of type 'Settings' named 'OauthOidc' cannot be found", set()),
        ("Entity type 'ConnectedApp' is not available in this organization", {"ConnectedApp"}),
        ("You do not have the proper permissions to access ConnectedAppSettings.", {"ConnectedAppSettings"}),
        (
            "Entity type 'Settings' is unknown",
            {"ConnectedAppSettings", "ExternalClientAppSettings", "OauthOidcSettings"},
        ),
        ("An unexpected error occurred. ErrorId: 7", set(all_kinds()) - {"ExternalClientApplication"}),
    ],
)
def test_a_message_is_about_the_kinds_that_it_names(message: str, unreadable: set[str]):
    """A message that names none may be about any kind that brought nothing; then none of them is judged."""
    live = state({f"{APPS}/portal.eca": record("ExternalClientApplication")}, messages=(Message(message),))

    assert unreadable == live.unreadable.keys()
    assert set() == {text for text in live.unreadable.values() if text != message}


def test_files_of_other_kinds_are_passed_over():
    """An org may send more than was asked for."""
    files = {"package.xml": b"<x/>", "profiles/Admin.profile": b"<x/>", "settings/Security.settings": b"<x/>"}

    assert {} == state(files).resources


def test_a_write_only_value_never_enters_the_model():
    """Not even if the org gives it back: a secret in a baseline is a secret in a repository."""
    config = "<oauthConfig><callbackUrl>x</callbackUrl><consumerSecret>hunter2hunter2</consumerSecret></oauthConfig>"
    live = state({"connectedApps/a.connectedApp": record("ConnectedApp", config)})

    assert {"oauthConfig": {"callbackUrl": "x"}} == live.resources[Address("ConnectedApp", "a")].body
