"""CumulusCI: pipelines of packages. It goes through simple-salesforce, so the org is served over TLS."""

import pytest

from tests.interop.covers import covers
from tests.interop.cumulusci import CumulusCi
from tests.interop.sf import Sf
from tests.interop.stand import Stand
from tests.mock.wire import Piece, app, file_of, manifest

ADMIN = "admin@acme.example"
BROKEN = Piece(
    "ExternalClientApplication", "broken", file_of("ExternalClientApplication", "    <label>b</label>\n    <nonsense/>")
)
ON = "--org", "mock"
WAYS = pytest.mark.parametrize(
    "way",
    [
        pytest.param((), marks=covers("CumulusCI", "SOAP"), id="soap"),
        pytest.param(("-o", "rest_deploy", "true"), marks=covers("CumulusCI", "REST"), id="rest"),
    ],
)


@covers("CumulusCI", "a login of the Salesforce CLI", "who am I")
def test_takes_an_org_of_the_salesforce_cli(fresh_sf: Sf, cci: CumulusCi, org: Stand) -> None:
    """Whoever is logged in with `sf` already."""
    fresh_sf(org.https.line("sf").removeprefix("sf "))
    cci("org", "import", "mock", "taken")
    info = cci("org", "info", "taken")

    assert org.org.org_id in info
    assert ADMIN in info


@covers("CumulusCI", "access token over TLS", "retrieve by manifest, wildcards")
def test_retrieves(cci: CumulusCi) -> None:
    """Backups."""
    types = {"ConnectedApp": ["*"], "ExternalClientApplication": ["Marketing_Dashboard"]}
    # It takes the outermost element off line by line, so everything must not stand in one.
    cci.file("package.xml", manifest(types, "64.0").replace("><", ">\n<"))
    cci.file("src/.keep", "")
    cci("task", "run", "retrieve_unpackaged", *ON, "-o", "path", "src", "-o", "package_xml", "package.xml")

    assert {"Legacy_ERP.connectedApp", "Partner_Portal.connectedApp", "Marketing_Dashboard.eca", "package.xml"} == {
        path.name for path in (cci.project / "src").rglob("*.*") if path.is_file() and path.name != ".keep"
    }


@WAYS
@covers("CumulusCI", "in metadata format", "check only", "failures with line and column; nothing landed")
def test_deploys(cci: CumulusCi, org: Stand, way: tuple[str, ...]) -> None:
    """Pipelines: a check, a deployment, and one with a mistake of which nothing may land."""
    before = org.names()
    cci.write("good", app("orders"))
    # By REST it asks the org to keep what is right in a deployment that fails: there, nothing is.
    cci.write("bad", BROKEN) if way else cci.write("bad", app("second"), BROKEN)
    deploy = "task", "run", "deploy", *ON, *way, "-o", "path"
    cci(*deploy, "good", "-o", "check_only", "true")
    checked = org.names()
    cci(*deploy, "good")
    landed = org.names()
    said = cci.refused(*deploy, "bad")

    assert (before, before | {"orders"}) == (checked, landed)
    assert "nonsense invalid at this location in type ExternalClientApplication (4:16)" in said
    assert ("on line 4, col 16" if not way else "at line 4:16") in said
    assert landed == org.names()


@covers("CumulusCI", "destructive changes")
def test_removes_what_is_named(cci: CumulusCi, org: Stand) -> None:
    """Whoever takes a package off an org again."""
    before = org.names()
    cci.write("src", app("orders"))
    cci.write("gone")
    cci.file("gone/destructiveChanges.xml", manifest({"ExternalClientApplication": ["orders"]}))
    cci("task", "run", "deploy", *ON, "-o", "path", "src")
    between = org.names()
    cci("task", "run", "deploy", *ON, "-o", "path", "gone")

    assert (before | {"orders"}, before) == (between, org.names())


@covers("CumulusCI", "a dead session is told as one")
def test_tells_a_dead_session(cci: CumulusCi, org: Stand) -> None:
    """Whoever runs last week's pipeline again."""
    org.org.reset()
    said = cci.refused("task", "run", "describe_metadatatypes", *ON)

    assert "401 Client Error: UNAUTHORIZED" in said
