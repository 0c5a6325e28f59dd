"""The org in a test's or an admin's hands: a believable company, edits in Setup, seeding, a file that several share."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from providers.mock import MockOrgError, Org, mount, open_org, serve
from providers.mock.state.ids import checksum
from tests.mock.wire import NS, Wire, apex, app, enablement, handler, whole

GLOBAL = "ExtlClntAppGlobalOauthSettings"
DANA = "dana@acme.example"


def test_a_fresh_org_is_a_believable_company(org: Org, wire: Wire) -> None:
    """The demo has people, apps from before the restriction, and an app that nobody manages."""
    people = {user.username: (user.is_active, user.is_api_only) for user in org.users()}

    assert {
        "admin@acme.example": (True, False),
        DANA: (True, False),
        "eli@acme.example": (True, False),
        "integration@acme.example": (True, True),
        "former@acme.example": (False, False),
    } == people
    assert ("Acme", "MOCK1", False, "admin@acme.example") == (
        org.name,
        org.instance,
        org.is_sandbox,
        org.admin_username,
    )
    files = wire.retrieve(
        {kind: ["*"] for kind in ("ConnectedApp", "ExternalClientApplication", "PermissionSet", "Settings")}
    ).files
    assert "false" == wire.read("ConnectedApp", "Legacy_ERP", "oauthConfig", "isSecretRequiredForRefreshToken")
    assert {"externalClientApps/Marketing_Dashboard.eca", "connectedApps/Partner_Portal.connectedApp"} <= set(files)
    assert {f"permissionsets/{name}.permissionset" for name in ("Order_Portal_User", "Reporting_API")} <= set(files)
    assert [] == org.audit()


def test_names_in_setup_s_way(wire: Wire) -> None:
    """An app made in Setup has other record names than one made by deployment."""
    kinds = ("OauthSettings", "GlobalOauthSettings", "OauthConfigurablePolicies", "ConfigurablePolicies")
    found = wire.retrieve({f"ExtlClntApp{kind}": ["*"] for kind in kinds}).properties

    assert {f"Marketing_Dashboard_{end}" for end in ("oauth", "glbloauth", "oauthPlcy", "plcy")} <= {
        each["fullName"] for each in found.values()
    }


def test_no_two_orgs_share_an_id_or_a_key(tmp_path: Path) -> None:
    """Consumer keys are unique across Salesforce."""
    orgs = [open_org(tmp_path / f"{n}.db") for n in range(3)]
    keys = {Wire(org).read("ConnectedApp", "Legacy_ERP", "oauthConfig", "consumerKey") for org in orgs}

    assert (3, 3) == (len({org.org_id for org in orgs}), len(keys))
    for org in orgs:
        org.close()


def test_ids_carry_salesforce_s_checksum(org: Org) -> None:
    """Tools convert between 15 and 18 characters."""
    for record in [org.org_id, *(user.id for user in org.users())]:
        assert record[15:] == checksum(record[:15])


def test_the_checksum_of_a_known_id() -> None:
    """An id that Salesforce's own documents show in both lengths."""
    assert "IAC" == checksum("001A0000006Vm9u")
    assert "AAA" == checksum("000000000000000")
    assert "555" == checksum("ABCDEFGHIJKLMNO")


# -- Setup -------------------------------------------------------------------------------------------------------------


def test_an_edit_in_setup_changes_one_field_and_says_who(org: Org, wire: Wire) -> None:
    """The demo's drift: all other fields stay, and the trail names the person."""
    wire.deployed(*whole("order"))
    before = wire.retrieve({GLOBAL: ["order_glbloauth"]}).files

    org.set(f"{GLOBAL}/order", {"isSecretRequiredForTokenExchange": "true"}, as_user=DANA)

    found = wire.retrieve({GLOBAL: ["order_glbloauth"]})
    path = "extlClntAppGlobalOauthSets/order_glbloauth.ecaGlblOauth"
    assert before[path].replace(b"ForTokenExchange>false", b"ForTokenExchange>true") == found.files[path]
    assert "Dana Reyes" == found.properties[path]["lastModifiedByName"]
    row = org.audit()[0]
    assert (DANA, "External Client Apps", None) == (row.created_by, row.section, row.delegate_user)
    assert (
        DANA
        == wire.rows("SELECT CreatedBy.Username, Action, Section FROM SetupAuditTrail LIMIT 1")[0]["CreatedBy"][
            "Username"
        ]
    )
    assert 1 == org.write_calls


def test_parts_lists_and_removals_in_setup(org: Org, wire: Wire) -> None:
    """Dotted names, comma separated lists, None."""
    org.set(
        "ConnectedApp/Partner_Portal",
        {
            "oauthConfig.isPkceRequired": "true",
            "oauthConfig.scopes": "Api,Web",
            "oauthPolicy.refreshTokenPolicy": "zero",
            "description": "x",
        },
        as_user=DANA,
    )
    read = wire.retrieve({"ConnectedApp": ["Partner_Portal"]})
    path = "connectedApps/Partner_Portal.connectedApp"
    assert ["Api", "Web"] == read.texts(path, "oauthConfig", "scopes")
    assert "zero" == read.text(path, "oauthPolicy", "refreshTokenPolicy")

    org.set("ConnectedApp/Partner_Portal", {"description": None}, as_user=DANA)

    assert wire.read("ConnectedApp", "Partner_Portal", "description") is None


def test_an_admin_may_open_an_app_to_everybody(org: Org, wire: Wire) -> None:
    """The worst drift: the list of approved users stays and protects nothing any more."""
    place = "ConnectedApp/Partner_Portal"
    org.set(place, {"oauthConfig.isAdminApproved": "true", "permissionSetName": "Reporting_API"}, as_user=DANA)

    org.set(place, {"oauthConfig.isAdminApproved": "false"}, as_user=DANA)

    assert "false" == wire.read("ConnectedApp", "Partner_Portal", "oauthConfig", "isAdminApproved")
    assert "Reporting_API" == wire.read("ConnectedApp", "Partner_Portal", "permissionSetName")


def test_settings_and_enablements_in_setup(org: Org, wire: Wire) -> None:
    """Enabling an app, moving its user, taking it away again."""
    wire.deployed(apex("Exchange"), *whole("order"), handler("Idp"))
    place = "OauthTokenExchangeHandler/Idp/enablements/order"
    org.set("OauthOidcSettings/OauthOidc", {"blockOAuthUnPwFlow": "true"}, as_user=DANA)
    assert "true" == wire.read("OauthOidcSettings", "OauthOidc", "blockOAuthUnPwFlow", manifest="Settings")

    org.create(place, {"apexExecutionUser": "integration@acme.example"}, as_user=DANA)
    assert "false" == wire.read("OauthTokenExchangeHandler", "Idp", "enablements", "isDefault")
    org.set(place, {"apexExecutionUser": DANA, "isDefault": "true"}, as_user=DANA)
    assert DANA == wire.read("OauthTokenExchangeHandler", "Idp", "enablements", "apexExecutionUser")
    org.delete(place, as_user=DANA)

    assert wire.read("OauthTokenExchangeHandler", "Idp", "enablements") is None


def test_records_made_and_deleted_in_setup(org: Org, wire: Wire) -> None:
    """A satellite made in Setup has Setup's name; an app takes its satellites along."""
    org.create("ExternalClientApplication/rogue", {"label": "Rogue", "contactEmail": "x@acme.example"}, as_user=DANA)
    org.create("ExtlClntAppOauthSettings/rogue", {"commaSeparatedOauthScopes": "Full"}, as_user=DANA)

    assert "Full" == wire.read("ExtlClntAppOauthSettings", "rogue_oauth", "commaSeparatedOauthScopes")
    org.delete("ExternalClientApplication/rogue", as_user=DANA)
    assert not any("rogue" in name for name in wire.retrieve({"ExtlClntAppOauthSettings": ["*"]}).files)


def test_a_class_body_edited_in_setup(org: Org, wire: Wire) -> None:
    """The most critical drift of all."""
    wire.deployed(apex("Exchange"))

    org.set("ApexClass/Exchange", {"body": "public class Exchange { }"}, as_user=DANA)

    assert b"public class Exchange { }" == wire.retrieve({"ApexClass": ["Exchange"]}).files["classes/Exchange.cls"]


@pytest.mark.parametrize(
    ("address", "changes", "as_user", "message"),
    [
        ("ConectedApp/Legacy_ERP", {}, DANA, "ConectedApp is no kind of component; did you mean ConnectedApp?"),
        ("ConnectedApp/Legacy_EPR", {}, DANA, "the org has no ConnectedApp/Legacy_EPR; did you mean Legacy_ERP?"),
        (f"{GLOBAL}/Marketing_Dashbord", {}, DANA, "did you mean Marketing_Dashboard?"),
        ("ConnectedApp", {}, DANA, "ConnectedApp is no address: write Kind/name"),
        ("ConnectedApp/Legacy_ERP", {"lable": "x"}, DANA, "ConnectedApp has no field lable; did you mean label?"),
        ("ConnectedApp/Legacy_ERP", {"oauthConfig.isPkceRequird": "x"}, DANA, "did you mean isPkceRequired?"),
        ("ConnectedApp/Legacy_ERP", {"oauthConfig": "x"}, DANA, "oauthConfig of ConnectedApp has fields of its own"),
        ("ConnectedApp/Legacy_ERP", {"label.x": "x"}, DANA, "label of ConnectedApp is a single value"),
        ("ConnectedApp/Legacy_ERP", {"oauthConfig.isPkceRequired": "yes"}, DANA, "'yes' is not a valid value for the type xsd:boolean"),
        ("ConnectedApp/Legacy_ERP", {"label": None}, DANA, "Required field is missing: label"),
        ("ConnectedApp/Legacy_ERP", {"label": "x"}, "nobody@acme.example", "nobody@acme.example is nobody in this org; there are admin@acme.example,"),
        ("ConnectedApp/Legacy_ERP", {"label": "x"}, "former@acme.example", "former@acme.example is inactive"),
    ],
)  # fmt: skip
def test_a_mistake_in_setup_is_one_clear_line(
    org: Org, address: str, changes: dict[str, str | None], as_user: str, message: str
) -> None:
    """Whoever types the command learns what to type instead."""
    with pytest.raises(MockOrgError) as refused:
        org.set(address, changes, as_user=as_user)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_connected_apps_cannot_be_made_in_setup(org: Org) -> None:
    """Nor twice anything else."""
    with pytest.raises(MockOrgError, match="can no longer be created"):
        org.create("ConnectedApp/New", {"label": "x"}, as_user=DANA)
    with pytest.raises(MockOrgError, match="already has"):
        org.create("ExternalClientApplication/Marketing_Dashboard", {}, as_user=DANA)
    with pytest.raises(MockOrgError, match="the org has no ExternalClientApplication/x"):
        org.delete("ExternalClientApplication/x", as_user=DANA)


# -- seeding and switches ----------------------------------------------------------------------------------------------


def test_a_component_can_be_loaded_as_it_is(org: Org, wire: Wire) -> None:
    """An org holds what no schema knows; a client must carry it along, and an edit in Setup leaves it alone."""
    xml = f'<?xml version="1.0"?>\n<!-- c --><ConnectedApp xmlns="{NS}">\r\n<label>x</label><contactEmail>a@b.example</contactEmail><future>1</future></ConnectedApp>'
    org.load_component("ConnectedApp", "Odd", xml.encode(), by=DANA)
    found = wire.retrieve({"ConnectedApp": ["Odd"]})
    assert xml.encode() == found.files["connectedApps/Odd.connectedApp"]
    assert "Dana Reyes" == found.properties["connectedApps/Odd.connectedApp"]["createdByName"]

    org.set("ConnectedApp/Odd", {"label": "y"}, as_user=DANA)

    assert ("1", "y") == (wire.read("ConnectedApp", "Odd", "future"), wire.read("ConnectedApp", "Odd", "label"))
    for kind, data in (("Nonsense", b"<a/>"), ("ConnectedApp", b"<a"), ("ConnectedApp", b"<a/>")):
        with pytest.raises(MockOrgError):
            org.load_component(kind, "x", data)


def test_people_and_what_they_hold_can_be_added(org: Org, wire: Wire) -> None:
    """Tests need their own cast."""
    org.add_permission_set("Deployers", permissions=("ModifyMetadata",))
    org.add_profile("Ops", "Operations")
    org.add_user("ci@acme.example", profile="Operations", permission_sets=("Deployers",))
    org.add_apex_class("Exchange", "public class Exchange extends Auth.Oauth2TokenExchangeHandler {}")

    Wire(org, "ci@acme.example").deployed(*whole("order"), handler("Idp", enablement("order", user="ci@acme.example")))
    assert "ci@acme.example" in [user.username for user in org.users()]
    with pytest.raises(MockOrgError, match="exists already"):
        org.add_user("ci@acme.example")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pkce_forced", True, "did you mean pkce_forced_on_eca?"),
        ("pkce_forced_on_eca", "yes", "takes a bool"),
        ("deploy_polls", -1, "takes a int"),
        ("certificate_readback", "sometimes", "is one of returned, omitted"),
        ("unreadable_kinds", {"Nonsense"}, "takes metadata types"),
    ],
)
def test_a_switch_that_does_not_exist_is_refused(org: Org, name: str, value: object, message: str) -> None:
    """A test that sets nothing proves nothing."""
    with pytest.raises(MockOrgError, match=re.escape(message)):
        org.switch(name, value)


def test_switches_stay_in_the_file_and_outlive_a_reset(tmp_path: Path) -> None:
    """The embedded org and the served one are the same."""
    first = open_org(tmp_path / "org.db", deploy_polls=3)
    second = open_org(tmp_path / "org.db")

    assert (3, first.org_id) == (second.switches.deploy_polls, second.org_id)
    first.reset()
    assert (3, first.org_id) == (second.switches.deploy_polls, second.org_id)
    first.close()
    second.close()


def test_a_reset_is_a_fresh_org(org: Org) -> None:
    """With nothing of the old one."""
    Wire(org).deployed(app("order"))

    org.reset()

    wire = Wire(org)
    assert not any("order" in name for name in wire.retrieve({"ExternalClientApplication": ["*"]}).files)
    assert [] == org.audit()


def test_a_file_that_is_no_org_is_refused(tmp_path: Path) -> None:
    """And left alone."""
    text = tmp_path / "notes.txt"
    text.write_text("these are my notes, and they are long enough to be no empty database " * 20)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (a)")
    db.close()

    for path in (text, other):
        with pytest.raises(MockOrgError, match="is not a mock org"):
            open_org(path)
    with pytest.raises(MockOrgError, match="there is no mock org"):
        open_org(tmp_path / "missing.db", create=False)
    assert text.read_text().startswith("these are my notes")


# -- several at once ---------------------------------------------------------------------------------------------------


def test_several_clients_may_deploy_at_once(tmp_path: Path) -> None:
    """The embedded org of one process and the served one of another share a file."""
    open_org(tmp_path / "org.db").close()
    failed: list[str] = []

    def work(number: int) -> None:
        org = open_org(tmp_path / "org.db")
        for turn in range(5):
            done = Wire(org).deploy(*whole(f"app{number}_{turn}"))
            failed.extend(done.problems)
        org.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    org = open_org(tmp_path / "org.db")
    assert ([], 21) == (failed, len(Wire(org).rows("SELECT Id FROM ExternalClientApplication")))
    org.close()


def test_a_mount_catches_only_its_own_address(org: Org) -> None:
    """A token must not be answered, or sent, under another name."""
    session = requests.Session()

    base = mount(session, org)

    assert base.endswith(".invalid")
    assert type(session.get_adapter(f"{base}/services/data")) is not type(
        session.get_adapter(f"{base}.example/services/data")
    )
    assert "https://one.invalid/x" == mount(session, org, "https://one.invalid/x/")
    assert 7 == len(session.get(f"{base}/services/data").json())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", ""])  # noqa: S104
def test_an_org_is_served_on_loopback_only(org: Org, host: str) -> None:
    """It has no passwords."""
    with pytest.raises(ValueError, match="loopback"):
        serve(org, host)


SCRIPT = """
import sys
from providers.mock import open_org, serve
org = open_org(sys.argv[1])
serve(org, ready=lambda at: print(at.url, org.access_token(), flush=True))
print("ended", flush=True)
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "org.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url, token = process.stdout.readline().split()
        yield process, url, token
        process.kill()


def test_an_org_is_served_over_http_and_ends_cleanly(
    tmp_path: Path, served: tuple[subprocess.Popen[str], str, str]
) -> None:
    """What another process changes is seen here; SIGTERM ends it without a traceback."""
    process, url, token = served
    org = open_org(tmp_path / "org.db", create=False)
    wire = Wire(org, base=url, token=token)
    wire.deployed(*whole("order"))
    assert (
        "order"
        in wire.retrieve({"ExternalClientApplication": ["order"]}).properties["externalClientApps/order.eca"][
            "fullName"
        ]
    )
    org.set("ExternalClientApplication/order", {"description": "from outside"}, as_user=DANA)
    assert "from outside" == wire.read("ExternalClientApplication", "order", "description")

    process.send_signal(signal.SIGTERM)

    assert ("ended\n", 0) == (process.communicate(timeout=20)[0], process.returncode)
    wire.session.close()
    org.close()


def test_importing_costs_next_to_nothing() -> None:
    """The command line names this package before it knows whether it needs it."""
    code = "import sys, providers.mock; print([name for name in ('lxml', 'werkzeug', 'http.server', 'sqlite3') if name in sys.modules and name not in before])"
    code = f"import sys, providers; before = set(sys.modules); {code}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)

    assert "[]\n" == done.stdout
