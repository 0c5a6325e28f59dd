"""The Salesforce CLI: deploying. The table that it prints at the end is what its users believe."""

import pytest

from tests.interop.covers import covers
from tests.interop.sf import Sf, states
from tests.interop.stand import Stand
from tests.mock.wire import Piece, apex, app, enablement, file_of, global_oauth, handler, oauth

REST = {"SF_ORG_METADATA_REST_DEPLOY": "true"}
WAYS = pytest.mark.parametrize(
    "way",
    [
        pytest.param({}, marks=covers("sf", "SOAP"), id="soap"),
        pytest.param(REST, marks=covers("sf", "REST"), id="rest"),
    ],
)
ALL = "--source-dir", "force-app"
BROKEN = Piece(
    "ExternalClientApplication", "broken", file_of("ExternalClientApplication", "    <label>b</label>\n    <nonsense/>")
)


@WAYS
@covers("sf", "by source", "created, changed, unchanged")
def test_says_what_became_of_each_component(sf: Sf, org: Stand, way: dict[str, str]) -> None:
    """Whoever reads the table to see whether anything happened at all."""
    sf.write(
        apex("Exchange"), app("orders"), oauth("orders"), global_oauth("orders"), handler("Idp", enablement("orders"))
    )
    first = sf("project deploy start", *ALL, **way)
    sf.write(app("orders", label="Orders"))
    second = sf("project deploy start", *ALL, **way)

    components = (
        "ApexClass Exchange",
        "ExternalClientApplication orders",
        "ExtlClntAppGlobalOauthSettings orders_glbloauth",
        "ExtlClntAppOauthSettings orders_oauth",
        "OauthTokenExchangeHandler Idp",
    )
    assert {f"Created {one}" for one in components} == states(first)
    assert {
        f"{'Changed' if one == 'ExternalClientApplication orders' else 'Unchanged'} {one}" for one in components
    } == states(second)


@WAYS
@covers("sf", "failures with line and column; nothing landed")
def test_says_where_a_file_is_wrong(sf: Sf, org: Stand, way: dict[str, str]) -> None:
    """Whoever looks for the mistake; and nothing of the rest may have landed."""
    sf.write(app("orders"), BROKEN)
    result = sf.refused("project deploy start", *ALL, **way)
    (failed,) = (one for one in result["files"] if one["state"] == "Failed")

    assert ("Failed", 1, 2) == tuple(
        result[key] for key in ("status", "numberComponentErrors", "numberComponentsTotal")
    )
    assert ("broken", 4, "Error") == (failed["fullName"], failed["lineNumber"], failed["problemType"])
    assert failed["columnNumber"] > 1
    assert "nonsense invalid at this location in type ExternalClientApplication" in failed["error"]
    assert not {"orders", "broken"} & org.names()


@covers("sf", "by manifest", "check only")
def test_a_dry_run_by_manifest_changes_nothing(sf: Sf, org: Stand) -> None:
    """A pull request's check, and the deployment after it was merged."""
    sf.write(app("orders"), app("left_out"))
    manifest = "--manifest", sf.manifest("package.xml", {"ExternalClientApplication": ["orders"]})
    dry = sf("project deploy start", *manifest, "--dry-run")
    before = org.names()
    wet = sf("project deploy start", *manifest)

    assert (True, {"Created ExternalClientApplication orders"}) == (dry["checkOnly"], states(dry))
    assert "orders" not in before
    assert (False, {"Created ExternalClientApplication orders"}) == (wet["checkOnly"], states(wet))
    assert before | {"orders"} == org.names()


@covers("sf", "in metadata format")
def test_deploys_a_folder_in_metadata_format(sf: Sf, org: Stand) -> None:
    """Pipelines that came from Ant: the files lie one folder down in the zip."""
    piece = app("orders")
    sf.manifest("mdapi/package.xml", {"ExternalClientApplication": ["orders"]})
    sf.file(f"mdapi/{piece.path}", piece.body)
    result = sf("project deploy start", "--metadata-dir", "mdapi")

    assert {"Created ExternalClientApplication orders"} == states(result)


@WAYS
@covers("sf", "validate, quick deploy, report")
def test_deploys_a_validation_quickly(sf: Sf, org: Stand, way: dict[str, str]) -> None:
    """Change windows: validated in the afternoon, deployed at night."""
    sf.write(app("orders"))
    validated = sf("project deploy validate", *ALL, **way)
    before = org.names()
    quick = sf("project deploy quick", "--job-id", validated["id"], **way)
    report = sf("project deploy report", "--job-id", quick["id"], **way)

    assert (True, "Succeeded") == (validated["checkOnly"], validated["status"])
    assert "orders" not in before
    assert {"Created ExternalClientApplication orders"} == states(quick)
    assert (quick["id"], False, "Succeeded", 1) == tuple(
        report[key] for key in ("id", "checkOnly", "status", "numberComponentsDeployed")
    )
    assert "orders" in org.names()


@covers("sf", "start, report, resume")
def test_comes_back_to_a_deployment(sf: Sf, org: Stand) -> None:
    """Whoever's connection broke while the org was busy."""
    org.org.switch("deploy_polls", 2)
    sf.write(app("orders"))
    started = sf("project deploy start", *ALL, "--async")
    report = sf("project deploy report", "--use-most-recent")
    resumed = sf("project deploy resume", "--use-most-recent")

    assert (started["id"], "Pending") == (report["id"], report["status"])
    assert (started["id"], "Succeeded") == (resumed["id"], resumed["status"])
    assert {"Created ExternalClientApplication orders"} == states(resumed)


@covers("sf", "cancel")
def test_cancels_a_deployment(sf: Sf, org: Stand) -> None:
    """Whoever deployed the wrong branch."""
    org.org.switch("deploy_polls", 1000)
    sf.write(app("orders"))
    started = sf("project deploy start", *ALL, "--async")
    canceled = sf("project deploy cancel", "--job-id", started["id"])
    org.org.switch("deploy_polls", 0)

    assert (started["id"], "Canceled", "Ada Admin") == tuple(
        canceled[key] for key in ("id", "status", "canceledByName")
    )
    assert "orders" not in org.names()


@covers("sf", "destructive changes", "what is not there is named")
def test_deletes_by_a_destructive_manifest(sf: Sf, org: Stand) -> None:
    """Whoever removes an app: what is gone, and what was never there."""
    sf.write(apex("Exchange"), handler("Idp"), handler("Other"))
    sf("project deploy start", *ALL)
    removed = sf.manifest("removed.xml", {"OauthTokenExchangeHandler": ["Idp", "Ghost"]})
    after = sf("project deploy start", "--manifest", sf.manifest("none.xml", {}), "--post-destructive-changes", removed)
    sf.write(app("orders"))
    other = sf.manifest("other.xml", {"OauthTokenExchangeHandler": ["Other"]})
    apps = sf.manifest("apps.xml", {"ExternalClientApplication": ["orders"]})
    before = sf("project deploy start", "--manifest", apps, "--pre-destructive-changes", other)
    warnings = {one["problem"] for one in after["details"]["componentSuccesses"] if one.get("problem")}
    # In the table the CLI shows what was removed only where nothing else was deployed.
    deleted = {one["fullName"] for one in before["details"]["componentSuccesses"] if one["deleted"]}

    assert {"Deleted OauthTokenExchangeHandler Idp"} == states(after)
    assert {"No OauthTokenExchangeHandler named: Ghost found"} == warnings
    assert ({"Created ExternalClientApplication orders"}, {"Other"}) == (states(before), deleted)
    assert set() == org.names("OauthTokenExchangeHandler")
