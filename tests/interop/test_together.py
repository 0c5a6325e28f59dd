"""What one client deploys, all others see, and so does our own `plan`: there is one org behind all protocols."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e.build import app as declared
from tests.e2e.build import legacy
from tests.e2e.project import Project, changes
from tests.interop.conftest import ASKED
from tests.interop.covers import CLIENTS, covers
from tests.interop.installed import NPM, run
from tests.interop.pipeline import Pipeline
from tests.interop.sf import Sf
from tests.interop.stand import Stand
from tests.interop.test_jsforce import DEPLOY, text
from tests.mock.wire import Piece, app, manifest, package

KIND = "ExternalClientApplication"
SEEN = "its deployment is seen by all others and by `reconciler plan`"
SEES = "it sees the deployments of all others"


@dataclass(frozen=True)
class Somebody:
    """A client as far as this matters."""

    deploy: Callable[[Piece], object]
    names: Callable[[], set[str]]
    """The external client apps that it sees."""


@pytest.fixture
def everybody(request: pytest.FixtureRequest) -> dict[str, Somebody]:
    """All clients that were asked for."""
    makers = {"sf": _sf, "jsforce": _jsforce, "simple-salesforce": _simple, "zeep": _zeep, "CumulusCI": _cci}
    assert {*makers} == {*CLIENTS}
    npm = () if ASKED == "all" else ("sf", "jsforce")
    return {name: make(request.getfixturevalue) for name, make in makers.items() if name not in npm}


def _sf(fixture: Callable) -> Somebody:
    sf = fixture("sf")

    def deploy(piece: Piece) -> None:
        sf.write(piece)
        sf("project deploy start", "--source-dir", "force-app")

    return Somebody(deploy, lambda: {one["fullName"] for one in sf("org list metadata", "--metadata-type", KIND)})


def _jsforce(fixture: Callable) -> Somebody:
    jsforce = fixture("jsforce")
    listed = "return (await conn.metadata.list([{ type: given.kind }], '64.0')).map((one) => one.fullName);"
    return Somebody(
        lambda piece: jsforce(DEPLOY, zip=text(package(piece)), way="deployRest", options={}),
        lambda: {*jsforce(listed, kind=KIND)},
    )


def _simple(fixture: Callable) -> Somebody:
    mdapi = fixture("simple").mdapi
    return Somebody(
        lambda piece: mdapi.check_deploy_status(mdapi.deploy(io.BytesIO(package(piece)), sandbox=False)[0]),
        lambda: {one.fullName for one in mdapi.list_metadata([mdapi.ListMetadataQuery(type=KIND)])},
    )


def _zeep(fixture: Callable) -> Somebody:
    strict = fixture("strict")
    return Somebody(
        lambda piece: strict.outcome(strict.start(package(piece, version="63.0"))),
        lambda: {one.fullName for one in strict.listMetadata([{"type": KIND}], 63.0)},
    )


def _cci(fixture: Callable) -> Somebody:
    cci = fixture("cci")

    def deploy(piece: Piece) -> None:
        cci.write("src", piece)
        cci("task", "run", "deploy", "--org", "mock", "-o", "path", "src")

    def names() -> set[str]:
        cci.file("package.xml", manifest({KIND: ["*"]}, "64.0").replace("><", ">\n<"))
        cci.file("all/.keep", "")
        cci(
            "task",
            "run",
            "retrieve_unpackaged",
            "--org",
            "mock",
            "-o",
            "path",
            "all",
            "-o",
            "package_xml",
            "package.xml",
        )
        return {path.stem for path in cci.project.glob("all/externalClientApps/*.eca")}

    return Somebody(deploy, names)


@covers("sf", SEEN, SEES)
@covers("jsforce", SEEN, SEES)
@covers("simple-salesforce", SEEN, SEES)
@covers("zeep", SEEN, SEES)
@covers("CumulusCI", SEEN, SEES)
def test_what_one_deploys_all_others_see(everybody: dict[str, Somebody], org: Stand, tmp_path: Path) -> None:
    """A team in which everybody has their own tool, and nobody may overwrite what they did not see."""
    apps = {name: f"by_{name.replace('-', '_')}" for name in everybody}
    for name, client in everybody.items():
        client.deploy(app(apps[name], label=f"By {name}"))
    project = Project(tmp_path / "reconciler", org.org.file)
    project.configure(mock=None, **yaml.safe_load(org.http.line("reconciler"))["orgs"]["served"])
    project.declare(*(declared(one, label="Ours") for one in apps.values()))
    planned = project.planned(**org.http.environment("reconciler"))
    project.org.close()

    there = {"Marketing_Dashboard", *apps.values()}
    assert dict.fromkeys(everybody, there) == {name: client.names() for name, client in everybody.items()}
    assert {f"update {KIND}/{one}": {"label": (f"By {name}", "Ours")} for name, one in apps.items()} == planned


@covers("sf", "`reconciler` takes its login, and its auth URL")
def test_reconciler_takes_what_the_salesforce_cli_has(
    fresh_sf: Sf, pipeline: Pipeline, org: Stand, tmp_path: Path
) -> None:
    """Whoever is logged in already, and whoever copies that login into a pipeline's secret."""
    fresh_sf(
        "org login sfdx-url", "--sfdx-url-file", fresh_sf.file("auth-url", pipeline.auth_url(org)), "--alias", "mine"
    )
    shown = fresh_sf("org auth show-sfdx-auth-url", "--target-org", "mine", "--no-prompt")["sfdxAuthUrl"]
    project = Project(tmp_path / "reconciler", org.org.file)
    project.declare(legacy(label="Ours"))
    logins = {"flow": "sf", "alias": "mine"}, {"flow": "sfdx_url", "auth_url": {"secret": {"env": "AUTH_URL"}}}
    given = {"RECONCILER_SF": str(NPM / "sf"), "AUTH_URL": shown, "REQUESTS_CA_BUNDLE": org.https.certificate}
    planned = []
    for login in logins:
        project.configure(mock=None, login=login)
        command = str(Path(sys.executable).with_name("reconciler")), "plan", "--output", "json"
        found = run(*command, cwd=project.root, env={**fresh_sf.env, **given})
        assert found.code == 0, found.said
        planned.append(changes(found.json))
    project.org.close()

    assert [{"update ConnectedApp/Legacy_ERP": {"label": ("Legacy ERP", "Ours")}}] * 2 == planned
