"""Files as people keep them in public repositories: written down, applied, and carried through an org unharmed."""

import re
from typing import Any

import pytest

from tests.e2e.corpus import ENVIRONMENT, RealFile, furnish, real_files
from tests.e2e.project import Project

FILES = real_files()
pytestmark = pytest.mark.skipif(not FILES, reason="RECONCILER_CORPUS names no folder of real metadata files")

REFUSED_BY_US = {"ConnectedApp/25__Thespis": "'ID' is not a value of scopes"}
"""Files that our loader refuses as they are -> what it says. This one holds scopes that Salesforce never had."""
NO_SUCH_ELEMENT = {
    "ConnectedApp/25__Thespis": "isConsumerKeyOptional",
    "ExternalClientAppSettings/01__ExternalClientApp": "enableExternalClientApps",
    "ExternalClientAppSettings/16__ExternalClientApp": "enableExternalClientApps",
    "OauthOidcSettings/05__OauthOidc": "enableHdlessFgtPswFlow",
    "OauthOidcSettings/09__OauthOidc": "enableHdlessFgtPswFlow",
}
"""Records with an element that no schema knows. The mock org names what it does not know, so we see that it was sent."""

ONE_FIELD: dict[str, tuple[str, Any]] = {
    "ConnectedApp": ("contactPhone", "+49 1"),
    "ConnectedAppSettings": ("enableSkipUserProvisioningWizardWelcomePage", True),
    "ExternalClientAppSettings": ("enableClientSecretInRestApiAccess", True),
    "ExternalClientApplication": ("contactPhone", "+49 1"),
    "ExtlClntAppConfigurablePolicies": ("startUrl", "https://acme.example/start"),
    "ExtlClntAppGlobalOauthSettings": ("isIntrospectAllTokens", True),
    "ExtlClntAppOauthConfigurablePolicies": ("sessionTimeoutInMinutes", 17),
    "ExtlClntAppOauthSecuritySettings": ("tlsClientAuthCertParamValue", "CN=acme"),
    "ExtlClntAppOauthSettings": ("singleLogoutUrl", "https://acme.example/logout"),
    "OauthCustomScope": ("isPublic", True),
    "OauthOidcSettings": ("isPkceRequired", True),
    "OauthTokenExchangeHandler": ("isSaml2Supported", True),
}
"""A field of each kind that no file of the corpus holds with this value."""

NEVER_KEPT = {"consumerSecret", "oauthLink", "orgScopedExternalApp", "shouldRotateConsumerKey", "isPkceRequired"}
"""What the org hides, gives anew, does once, or forces."""
SPELT = dict.fromkeys(("Profile", "Email", "Address", "Phone"), "Basic") | {"OfflineAccess": "RefreshToken"}


def each(files: list[RealFile]) -> Any:
    return pytest.mark.parametrize("file", files, ids=str)


@each(FILES)
def test_a_real_file_that_is_written_down_is_applied_once(project: Project, file: RealFile):
    """Whoever moves an existing configuration into a project must end with an empty plan."""
    furnish(project, file)
    project.configure(api_version=file.api_version)
    project.declare(*file.company, file.document)

    found = project.run("apply", "--auto-approve", **ENVIRONMENT)

    expected = REFUSED_BY_US.get(str(file), "")
    assert (3 if expected else 0, True) == (found.code, expected in found.said), found.said
    if not expected:
        writes = project.org.write_calls
        assert ({}, {}) == (project.planned(), project.drifted())
        project.apply()
        assert writes == project.org.write_calls


@each(FILES)
def test_managing_one_field_changes_nothing_else_of_a_real_record(project: Project, file: RealFile):
    """A record that somebody set up years ago, odd values and all: one field is ours, the rest must survive."""
    furnish(project, file)
    project.configure(api_version=file.api_version)
    name, value = ONE_FIELD[file.kind.__name__]
    hold(project, file)
    before = project.held(file.address)
    identity = {
        key: file.document[key] for key in ("kind", "name", "externalClientApplication") if key in file.document
    }
    project.declare(*file.company, {**identity, name: value})

    found = project.run("apply", "--auto-approve")

    expected = NO_SUCH_ELEMENT.get(str(file), "")
    said = f"{expected} invalid at this location" if expected else ""
    assert (6 if expected else 0, True) == (found.code, said in found.said), found.said
    if not expected:
        wanted = str(value).lower() if isinstance(value, bool) else str(value)
        assert [] == lost({**before, name: [wanted]}, project.held(file.address))


def hold(project: Project, file: RealFile) -> None:
    """Put the file into the org as it is, in the company that it needs."""
    data = file.data
    if file.app:
        data = re.sub(rb"(<externalClientApplication>)\w+__", rb"\1", data)
        project.declare(*file.company)
        project.apply()
        with project.org.reading() as world:
            found = world.satellite(file.kind.__name__, file.app)
        project.org.load_component(file.kind.__name__, found.name if found is not None else file.record, data)
    else:
        project.org.load_component(file.kind.__name__, file.record, data)


def lost(before: Any, after: Any, place: str = "") -> list[str]:
    """Where something of a record is no longer what it was. What the org adds, and how it spells, does not count."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = before.keys() - NEVER_KEPT
        return [line for name in sorted(names) for line in lost(before[name], after.get(name), f"{place}.{name}")]
    if isinstance(before, list) and isinstance(after, list) and any(isinstance(one, dict) for one in before):
        pairs = zip(sorted(before, key=str), sorted(after, key=str), strict=False)
        return [line for one, other in pairs for line in lost(one, other, place)] + (
            [] if len(before) == len(after) else [f"{place}: {len(before)} became {len(after)}"]
        )
    return [] if words(before) in (set(), words(after)) else [f"{place}: {before!r} became {after!r}"]


def words(value: Any) -> set[str]:
    """The entries of a list, however it is kept; each under the name that the org gives it."""
    texts = value if isinstance(value, list) else [value or ""]
    found = {word.strip() for text in texts for word in re.split("[,\r\n]", str(text)) if word.strip()}
    return {SPELT.get(word, word) for word in found}
