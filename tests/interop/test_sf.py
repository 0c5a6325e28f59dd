"""The Salesforce CLI: logging in, looking, retrieving."""

from tests.interop.covers import covers
from tests.interop.sf import Sf, states
from tests.interop.stand import Stand
from tests.mock.wire import Wire, apex, app, component, enablement, handler, oauth, whole

ADMIN = "admin@acme.example"
DASHBOARD = "Marketing_Dashboard"
SCOPE = component(
    "OauthCustomScope", "orders", description="d", developerName="orders", isPublic=False, masterLabel="Orders"
)


@covers("sf", "access token", "who am I")
def test_logs_in_with_an_access_token(fresh_sf: Sf, org: Stand) -> None:
    """Everybody's first try: the line that `mock serve` says."""
    made = fresh_sf(org.http.line("sf").removeprefix("sf "))
    shown = fresh_sf("org display", "--target-org", "mock")

    assert (ADMIN, org.org.org_id, "Acme", False) == tuple(
        made[key] for key in ("username", "orgId", "name", "isDevHub")
    )
    assert (ADMIN, org.org.org_id, "Connected") == (shown["username"], shown["id"], shown["connectedStatus"])


@covers("sf", "access token over TLS")
def test_logs_in_over_tls(fresh_sf: Sf, org: Stand) -> None:
    """Whoever wants the mock org to look like an org."""
    made = fresh_sf(org.https.line("sf").removeprefix("sf "))

    assert (ADMIN, f"{org.tls}/") == (made["username"], made["instanceUrl"])


@covers("sf", "a dead session is told as one")
def test_tells_a_dead_token(fresh_sf: Sf, org: Stand) -> None:
    """Whoever pasted the token of an org that was reset."""
    org.org.reset()
    error = fresh_sf.refused(org.http.line("sf").removeprefix("sf "))

    assert "AuthCodeUsernameRetrievalError" == error["name"]
    assert "Session expired or invalid" in error["message"]


@covers("sf", "metadata types", "list", "list of an unknown type is refused")
def test_lists(sf: Sf) -> None:
    """Whoever looks around before writing a manifest."""
    types = {one["xmlName"]: one["directoryName"] for one in sf("org list metadata-types")["metadataObjects"]}
    listed = sf("org list metadata", "--metadata-type", "ConnectedApp")
    error = sf.refused("org list metadata", "--metadata-type", "Nonsense")

    assert "oauthtokenexchangehandlers" == types["OauthTokenExchangeHandler"]
    assert {"Legacy_ERP", "Partner_Portal"} == {one["fullName"] for one in listed}
    assert "Ada Admin" == listed[0]["lastModifiedByName"]
    assert ("sf:INVALID_TYPE", "INVALID_TYPE: Unknown type:Nonsense") == (error["name"], error["message"])


@covers("sf", "query", "tooling query", "a query for what is not there is refused")
def test_queries(sf: Sf) -> None:
    """Whoever looks for the id of a user."""
    users = sf("data query", "--query", f"SELECT Username, Profile.Name FROM User WHERE Username = '{ADMIN}'")
    sf.write(app("orders"))
    sf("project deploy start", "--source-dir", "force-app")
    jobs = sf("data query", "--use-tooling-api", "--query", "SELECT Status, CheckOnly FROM DeployRequest")
    error = sf.refused("data query", "--query", "SELECT Id FROM Nonsense__c")

    assert [(ADMIN, "System Administrator")] == [(one["Username"], one["Profile"]["Name"]) for one in users["records"]]
    assert [("Succeeded", False)] == [(one["Status"], one["CheckOnly"]) for one in jobs["records"]]
    assert "INVALID_TYPE" == error["name"]


@covers("sf", "manifest of the whole org")
def test_writes_a_manifest_of_the_org(sf: Sf) -> None:
    """Whoever starts a repository from an org: hundreds of calls at once, most for types that there are not."""
    sf("project generate manifest", "--from-org", ADMIN)
    text = (sf.project / "package.xml").read_text(encoding="utf-8")

    assert f"<members>{DASHBOARD}</members>\n        <name>ExternalClientApplication</name>" in text
    assert "<members>OauthOidc</members>" in text


@covers("sf", "retrieve by manifest, wildcards")
def test_retrieves_by_manifest(sf: Sf, org: Stand) -> None:
    """The first commit of an org's configuration: of every kind that matters to identity, under its own path."""
    Wire(org.org).deployed(apex("Exchange"), *whole("orders"), handler("Idp", enablement("orders")), SCOPE)
    kinds = ("ApexClass", "ConnectedApp", "ExternalClientApplication", "ExtlClntAppConfigurablePolicies")
    kinds += ("ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthConfigurablePolicies", "ExtlClntAppOauthSettings")
    kinds += ("OauthCustomScope", "OauthTokenExchangeHandler", "Settings")
    found = sf("project retrieve start", "--manifest", sf.manifest("package.xml", {kind: ["*"] for kind in kinds}))

    assert {
        "ApexClass Exchange",
        "ConnectedApp Legacy_ERP",
        "ConnectedApp Partner_Portal",
        f"ExternalClientApplication {DASHBOARD}",
        "ExternalClientApplication orders",
        f"ExtlClntAppConfigurablePolicies {DASHBOARD}_plcy",
        "ExtlClntAppConfigurablePolicies orders_defaultPolicy",
        f"ExtlClntAppGlobalOauthSettings {DASHBOARD}_glbloauth",
        "ExtlClntAppGlobalOauthSettings orders_glbloauth",
        f"ExtlClntAppOauthConfigurablePolicies {DASHBOARD}_oauthPlcy",
        "ExtlClntAppOauthConfigurablePolicies orders_oauth_defaultPolicy",
        f"ExtlClntAppOauthSettings {DASHBOARD}_oauth",
        "ExtlClntAppOauthSettings orders_oauth",
        "OauthCustomScope orders",
        "OauthTokenExchangeHandler Idp",
        *(f"Settings {name}" for name in ("ConnectedApp", "ExternalClientApp", "OauthOidc")),
    } == {state.removeprefix("Created ") for state in states(found)}
    assert "<label>Marketing Dashboard</label>" in sf.read(app(DASHBOARD))
    assert "<externalClientApp>orders</externalClientApp>" in sf.read(handler("Idp"))


@covers("sf", "retrieve by name or by source", "what is not there is named")
def test_retrieves_what_is_named(sf: Sf, org: Stand) -> None:
    """Whoever brings the changes of a colleague into their files, and one whose app is gone."""
    named = sf("project retrieve start", "--metadata", f"ExternalClientApplication:{DASHBOARD}", "ConnectedApp:Ghost")
    org.org.set(f"ExternalClientApplication/{DASHBOARD}", {"description": "Figures"}, as_user="dana@acme.example")
    sf("project retrieve start", "--source-dir", "force-app/main/default/externalClientApps")

    assert {f"Created ExternalClientApplication {DASHBOARD}", "Failed ConnectedApp Ghost"} == states(named)
    assert ["Entity of type 'ConnectedApp' named 'Ghost' cannot be found"] == [
        one["error"] for one in named["files"] if one["state"] == "Failed"
    ]
    assert "<description>Figures</description>" in sf.read(app(DASHBOARD))


@covers("sf", "retrieve in metadata format")
def test_retrieves_in_metadata_format(sf: Sf) -> None:
    """Pipelines that came from Ant."""
    types = {"ExternalClientApplication": [DASHBOARD], "ExtlClntAppOauthSettings": ["*"]}
    manifest = sf.manifest("package.xml", types)
    sf("project retrieve start", "--manifest", manifest, "--target-metadata-dir", "mdapi", "--unzip")
    (folder,) = (path.parent for path in (sf.project / "mdapi").rglob("package.xml"))

    assert {"package.xml", app(DASHBOARD).path, oauth(DASHBOARD).path} == {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }
