"""No false findings: an org that nobody touched is reported as that, at every API version, however it writes things down.

Who is woken for nothing three times switches the drift check off. The first half applies real files of public
repositories; the second makes the org write the same thing in another way than when the baseline was taken, once for
each difference between what is deployed and what is read back that the Metadata API Developer Guide or a report names.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds import kind
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Since, SinceValue, Until
from tests.e2e.build import (
    APP,
    CODE,
    GLOBAL,
    HANDLER,
    LEGACY,
    OAUTH,
    PEM,
    POLICY,
    SECRET,
    Document,
    app,
    handler,
    handler_class,
    item,
    legacy,
    oidc,
    portal,
)
from tests.e2e.corpus import ENVIRONMENT, RealFile, furnish, real_files
from tests.e2e.project import Project
from tests.e2e.stage import Stage, copy_org, staged
from tests.e2e.test_corpus import REFUSED_BY_US

VERSIONS = ("60.0", "61.0", "62.0", "63.0")
NEWEST = "66.0"
FILES = [file for file in real_files() if str(file) not in REFUSED_BY_US]


# --- real files, at each API version ---------------------------------------------------------------------------------


def batches(files: list[RealFile], version: str) -> list[list[RealFile]]:
    """The files that a version has, in as few projects as their names allow: an org has each app and setting once."""
    found: list[tuple[set[str], list[RealFile]]] = []
    for file in files:
        if file.kind.since > float(version):
            continue
        taken = names(file)
        home = next((batch for batch in found if not batch[0] & taken), None)
        if home is None:
            home = (set(), [])
            found.append(home)
        home[0].update(taken)
        home[1].append(file)
    return [batch for _, batch in found]


def names(file: RealFile) -> set[str]:
    """What no second file may bring: addresses, the names of apps of either sort, consumer keys."""
    addresses = {file.address, *(f"app/{app}" for app in (file.app, file.record) if app)}
    keys = re.findall(r"<consumerKey>([^<]+)", file.data.decode("utf-8", "replace"))
    return {name.casefold() for name in (*addresses, *keys)}


def at_version(struct: type[Struct], body: Mapping[str, Any], version: float) -> dict[str, Any]:
    """A document without what an API version does not have."""
    found = {}
    for name, value in body.items():
        field = struct.fields().get(name)
        if field is not None:
            since, until, newer = field.mark(Since), field.mark(Until), field.mark(SinceValue)
            if (since is not None and since.version > version) or (until is not None and until.version < version):
                continue
            if newer is not None and isinstance(value, list) and version < 64:
                value = [one for one in value if one not in newer.values]
            if field.struct is not None and isinstance(value, dict):
                value = at_version(field.struct, value, version)
            elif field.struct is not None and isinstance(value, list):
                value = [at_version(field.struct, one, version) for one in value]
        found[name] = value
    return found


def documents(file: RealFile, version: str) -> list[Document]:
    return [at_version(kind(str(one["kind"])), one, float(version)) for one in (*file.company, file.document)]


CASES = [
    pytest.param(version, batch, id=f"{version}-{number}")
    for version in VERSIONS
    for number, batch in enumerate(batches(FILES, version), 1)
]


@pytest.mark.skipif(not FILES, reason="RECONCILER_CORPUS names no folder of real metadata files")
@pytest.mark.parametrize(("version", "batch"), CASES)
def test_real_configurations_that_nobody_touched_have_not_drifted(
    project: Project, tmp_path: Path, version: str, batch: list[RealFile]
):
    """Whoever takes over an org of many years, and checks it from another machine, or at another API version."""
    for file in batch:
        furnish(project, file)
    project.configure(api_version=version)
    project.declare(*(one for file in batch for one in documents(file, version)))
    project.apply(**ENVIRONMENT)

    assert {} == project.drifted()
    project.apply(**ENVIRONMENT)
    assert {} == project.drifted()
    assert {} == cloned(project, tmp_path / "clone", version).drifted()
    for other in (*VERSIONS, NEWEST):
        project.configure(api_version=other)
        assert {} == project.drifted(), f"read at {other}"


def cloned(project: Project, root: Path, version: str) -> Project:
    """A fresh checkout of the project on another machine, with the baseline that was committed."""
    root.mkdir()
    copy_org(project.database, root / "org.db")
    made = Project(root, root / "org.db")
    made.configure(api_version=version)
    baselines = Path(".reconciler", "baselines")
    for folder in (Path("desired"), baselines):
        shutil.rmtree(root / folder, ignore_errors=True)
        shutil.copytree(project.root / folder, root / folder)
    return made


# --- the same thing, written in another way --------------------------------------------------------------------------


def prepare(stage: Stage) -> None:
    """One record of each sort, with a list, a text, a switch and a secret in it."""
    owned = {"externalClientApplication": "portal"}
    stage.source("PartnerIdpHandler", handler_class())
    stage.declare(
        portal(consumerSecret={"secret": {"env": "PORTAL_SECRET"}}, certificate=PEM, label="Portal OAuth"),
        {
            "kind": "ExtlClntAppOauthConfigurablePolicies",
            **owned,
            "ipRelaxationPolicyType": "Enforce_RelaxRefresh",
            "refreshTokenPolicyType": "SpecificLifetime",
            "refreshTokenValidityPeriod": 8,
            "refreshTokenValidityUnit": "Hours",
            "commaSeparatedPermissionSet": ["Order_Portal_User", "Reporting_API"],
            "commaSeparatedProfile": ["Standard User", "System Administrator"],
        },
        app("second"),
        legacy(
            attributes=[{"key": "a", "formula": "'1'"}, {"key": "b", "formula": "'2'"}],
            ipRanges=[{"start": "10.0.0.1", "end": "10.0.0.9"}, {"start": "10.1.0.1", "end": "10.1.0.9"}],
            permissionSetName=["Order_Portal_User", "Reporting_API"],
            oauthConfig={
                "callbackUrl": ["https://a.acme.example/cb", "https://b.acme.example/cb"],
                "isAdminApproved": True,
                "scopes": ["Api", "Profile", "OfflineAccess"],
            },
        ),
        handler(enablements=[item("portal"), item("second")]),
        oidc(blockOAuthUnPwFlow=True),
    )
    stage.apply(PORTAL_SECRET=SECRET)
    assert {} == stage.drifted()


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, fresh_org: Path) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("untouched") / "project", fresh_org, prepare) as stage:
        yield stage


@pytest.fixture
def stage(applied: Stage) -> Stage:
    applied.restore()
    return applied


@dataclass(frozen=True)
class Spelling:
    """A record whose text reads otherwise than when the baseline was taken, and means the same."""

    address: str
    old: str
    """A regular expression."""
    new: str


def without(address: str, element: str) -> Spelling:
    return Spelling(address, rf"\s*<{element}>[^<]*</{element}>", "")


def text(address: str, element: str, new: str) -> Spelling:
    return Spelling(address, rf"<{element}>[^<]*</{element}>", f"<{element}>{new}</{element}>")


def repeated(address: str, element: str) -> Spelling:
    """The last of a repeated element comes first."""
    one = rf"\s*<{element}>(?:(?!</{element}>).)*</{element}>"
    return Spelling(address, rf"((?:{one})+)({one})", r"\2\1")


SPELLINGS = {
    # String values lose blanks at both ends; not every org has stored them like that.
    "blanks around a text": text(APP, "label", "  portal\n"),
    "blanks around an entry": text(POLICY, "commaSeparatedProfile", " Standard User ,System Administrator"),
    # Booleans with defaults appear once the org has seen the record, and go where an org leaves them out.
    "a switch at its default is left out": without(GLOBAL, "isTokenExchangeEnabled"),
    "a switch whose default is true is left out": without(GLOBAL, "isSecretRequiredForRefreshToken"),
    "a switch in a section is left out": without(LEGACY, "isConsumerSecretOptional"),
    "a setting at its default is left out": without("OauthOidcSettings/OauthOidc", "isPkceRequired"),
    "a policy at its default is left out": without(POLICY, "permittedUsersPolicyType"),
    "a boolean is a digit": Spelling(GLOBAL, "<isPkceRequired>true<", "<isPkceRequired>1<"),
    "an empty element": Spelling(APP, "<label>", "<description/><label>"),
    # Scopes have two vocabularies: what is deployed, and what is read back.
    "scopes under their deployed names": Spelling(
        LEGACY,
        r"<scopes>Basic</scopes>\s*<scopes>RefreshToken</scopes>",
        "<scopes>Email</scopes><scopes>Phone</scopes><scopes>OfflineAccess</scopes>",
    ),
    # The case of Enforce_relaxrefresh differs between what is sent, what is read and what the error text says.
    "the case of an IP relaxation": text(POLICY, "ipRelaxationPolicyType", "Enforce_RelaxRefresh"),
    "the case of a unit": text(POLICY, "refreshTokenValidityUnit", "HOURS"),
    # The order of lists in the read-back is not documented.
    "the order of scopes": repeated(LEGACY, "scopes"),
    "the order of permission sets": repeated(LEGACY, "permissionSetName"),
    "the order of addresses": repeated(LEGACY, "ipRanges"),
    "the order of attributes": repeated(LEGACY, "attributes"),
    "the order of enablements": repeated(HANDLER, "enablements"),
    "the order in a comma list": text(POLICY, "commaSeparatedPermissionSet", "Reporting_API,Order_Portal_User,"),
    "the order and the breaks of callback URLs": Spelling(
        LEGACY, "<callbackUrl>[^<]*", "<callbackUrl>https://b.acme.example/cb&#13;\n\n https://a.acme.example/cb\n"
    ),
    "the order of elements": Spelling(APP, r"(<label>[^<]*</label>)(.*)</External", r"\2\1</External"),
    # An order to rotate is carried out once, and reads back false or not at all.
    "an order to rotate is left out": without(GLOBAL, "shouldRotateConsumerSecret"),
    # A certificate is text that somebody has broken into lines.
    "the lines of a certificate": Spelling(GLOBAL, r"\nMIIBszCCARwCCQD\n", "&#13;\n  MIIBszCCARwCCQD&#13;\n\n"),
}


def rewritten(stage: Stage, one: Spelling) -> None:
    """Put the record into the org in the other spelling, changed by nobody."""
    kind_name, _, name = one.address.partition("/")
    with stage.org.reading() as world:
        found = world.satellite(kind_name, name) or world.component(kind_name, name)
    assert found is not None
    before = found.body.decode()
    after = re.sub(one.old, one.new, before, count=1, flags=re.DOTALL)
    assert before != after, before
    stage.org.load_component(kind_name, found.name, after.encode(), content=found.content)


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in SPELLINGS.items()])
def test_the_same_thing_written_in_another_way_is_no_drift(stage: Stage, one: Spelling):
    """Whoever runs the check every hour, on an org whose read-back nobody has promised to keep."""
    rewritten(stage, one)

    assert {} == stage.drifted()
    assert {} == stage.planned(PORTAL_SECRET=SECRET)


def test_what_the_org_adds_by_itself_is_no_drift(stage: Stage):
    """Keys, links, defaults and policies come into being with an app; its secret is never seen again."""
    came = {
        f"{GLOBAL}.consumerKey": stage.held(GLOBAL, "consumerKey"),
        f"{OAUTH}.oauthLink": stage.held(OAUTH, "oauthLink"),
        f"{APP}.orgScopedExternalApp": stage.held(APP, "orgScopedExternalApp"),
        f"{APP}.isProtected": stage.held(APP, "isProtected"),
        f"{GLOBAL}.shouldRotateConsumerKey": stage.held(GLOBAL, "shouldRotateConsumerKey"),
        "ExtlClntAppConfigurablePolicies/portal": stage.held("ExtlClntAppConfigurablePolicies/portal"),
        "ExtlClntAppConfigurablePolicies/second": stage.held("ExtlClntAppConfigurablePolicies/second"),
    }

    assert [] == [what for what, value in came.items() if value is None]
    assert None is stage.held(GLOBAL, "consumerSecret")
    assert ({}, {}) == (stage.drifted(), stage.planned(PORTAL_SECRET=SECRET))


def test_what_the_org_keeps_under_another_name_is_no_drift(stage: Stage):
    """What the files say is not what is read back, and there is nothing to do about it."""
    kept = (stage.held(LEGACY, "oauthConfig.scopes"), stage.held(POLICY, "ipRelaxationPolicyType"))

    assert (["Api", "Basic", "RefreshToken"], "Enforce_relaxrefresh") == kept
    assert ({}, {}) == (stage.drifted(), stage.planned(PORTAL_SECRET=SECRET))


def test_pkce_that_the_org_keeps_on_is_no_drift(project: Project):
    """A file says false, the org accepts it and holds true; for ever after that is not news."""
    project.declare(portal(isPkceRequired=False))
    project.apply()

    assert ("true", {}, {}) == (project.held(GLOBAL, "isPkceRequired"), project.drifted(), project.planned())


@pytest.mark.parametrize("readback", ["returned", "omitted"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_is_no_drift_whether_it_comes_back_or_not(project: Project, readback: str, version: str):
    """Reports disagree on whether an org returns it; in both sorts of org nothing has changed."""
    project.org.switch("certificate_readback", readback)
    project.configure(api_version=version)
    project.declare(portal(certificate=PEM), legacy(oauthConfig={"certificate": PEM}))
    project.apply()
    project.apply()

    assert ({}, {}) == (project.drifted(), project.planned())


@pytest.mark.parametrize(
    ("locale", "name"),
    [("en_US", "System Administrator"), ("ja", "システム管理者"), ("nl_NL", "Systeembeheerder")],
    ids=["en_US", "ja", "nl_NL"],
)
def test_profiles_in_the_orgs_language_are_no_drift(project: Project, locale: str, name: str):
    """Profiles are written as the org shows them, in its language."""
    project.org.switch("profile_locale", locale)
    project.declare(portal(policies={"commaSeparatedProfile": [name]}))
    project.apply()

    assert ({}, {}) == (project.drifted(), project.planned())


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\r\n"])
def test_the_line_ends_of_a_class_are_no_drift(stage: Stage, ending: str):
    """Editors and Git disagree on the last line, and on what ends one."""
    code = handler_class().rstrip("\n")
    code = code.replace("\n", "\r\n") if ending == "\r\n" else code
    with stage.org.reading() as world:
        found = world.component("ApexClass", "PartnerIdpHandler")
    assert found is not None
    stage.org.load_component("ApexClass", "PartnerIdpHandler", found.body, content=f"{code}{ending}".encode())

    assert {} == {where: what for where, what in stage.drifted().items() if where.startswith(CODE)}


def test_a_record_that_was_saved_and_not_changed_is_no_drift(stage: Stage):
    """Somebody opened a page in Setup, changed their mind twice, and saved."""
    someone = stage.person("dana@acme.example")
    someone.set(GLOBAL, "isDeviceFlowEnabled", True)
    someone.set(GLOBAL, "isDeviceFlowEnabled", False)

    assert {} == stage.drifted()


# --- another API version ---------------------------------------------------------------------------------------------


def newer_things(project: Project) -> None:
    """Values of fields that API version 60 does not have, set by the org's own admin before anybody watched."""
    project.org.set(
        OAUTH, {"assetTokenAudiences": "devices", "areAttributesIncludedInAssetToken": "true"}, as_user=ADMIN
    )
    project.org.set(POLICY, {"guestJwtTimeout": "15", "isGuestCodeCredFlowEnabled": "true"}, as_user=ADMIN)
    project.org.set("ExtlClntAppConfigurablePolicies/portal", {"startPage": "OAuth"}, as_user=ADMIN)
    project.org.set(GLOBAL, {"isCodeCredFlowEnabled": "true", "isDPopEnabled": "true"}, as_user=ADMIN)
    project.org.create(
        "ExtlClntAppOauthSecuritySettings/portal", {"tlsClientAuthCertParamValue": "CN=x"}, as_user=ADMIN
    )


ADMIN = "admin@acme.example"
DECLARED = portal(policies={"sessionTimeoutInMinutes": 15}) | {"policies": {"isEnabled": True}}


def taken_at(project: Project, version: str) -> None:
    """A baseline that was taken at one API version, of an org with newer things in it."""
    project.declare(DECLARED)
    project.configure(api_version=version)
    project.apply()
    newer_things(project)
    # What was there before anybody watched is in the baseline: it is taken anew.
    assert project.baseline_file is not None
    project.baseline_file.unlink()
    project.apply()
    assert {} == project.drifted()


@pytest.mark.parametrize("base", [*VERSIONS, NEWEST])
@pytest.mark.parametrize("read", [*VERSIONS, NEWEST])
def test_another_api_version_than_the_baselines_shows_no_drift(project: Project, base: str, read: str):
    """Whoever raises `api_version`, or whose org was upgraded over the weekend."""
    taken_at(project, base)

    project.configure(api_version=read)

    assert {} == project.drifted()


@pytest.mark.parametrize(("first", "then"), [("60.0", "63.0"), ("63.0", "60.0"), ("63.0", NEWEST), (NEWEST, "63.0")])
def test_an_apply_at_another_api_version_leaves_no_drift(project: Project, first: str, then: str):
    """The baseline says it is of the new version now, and holds records that were read at the old one."""
    taken_at(project, first)
    project.configure(api_version=then)

    project.apply()

    assert {} == project.drifted()
    project.configure(api_version=first)
    assert {} == project.drifted()
    project.apply()
    assert {} == project.drifted()


def test_what_both_versions_have_is_seen_across_them(project: Project):
    """The other side: nothing that matters hides behind a change of version."""
    taken_at(project, "60.0")
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user="dana@acme.example")

    project.configure(api_version="63.0")

    assert {f"{GLOBAL}.isSecretRequiredForRefreshToken": (True, False)} == project.drifted()


def test_fields_that_are_not_compared_are_said(project: Project):
    """An empty report must not read as "nothing changed" where nobody could look."""
    taken_at(project, "60.0")
    project.configure(api_version="63.0")

    (note,) = project.run("drift", "--output", "json").json["notes"]

    assert "the baseline was written at API version 60.0, the org is read at 63.0" in note
