"""Consumer credentials by REST: staged, rotated, revoked, as the tools that rotate secrets do it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from providers.mock import Org
from providers.mock.oauth import apps
from tests.mock.wire import Wire, setting, whole

ROOT = "/services/data/v65.0/apps/oauth"


class Vault:
    """A tool that rotates the secrets of one app."""

    def __init__(self, wire: Wire, app: str = "order") -> None:
        self.wire = wire
        (row,) = (each for each in wire.get(f"{ROOT}/usage").json()["apps"] if each["developerName"] == app)
        self.app = f"{ROOT}/credentials/{row['identifier']}"
        (self.consumer,) = wire.get(self.app).json()["consumers"]
        self.slot = self.consumer["stagedCredentialsUrl"]

    def send(self, method: str, path: str, body: object = None) -> requests.Response:
        return self.wire.session.request(method, f"{self.wire.base}{path}", json=body, headers=self.wire.bearer)

    def primary(self) -> tuple[str, str]:
        found = self.wire.get(self.consumer["url"], part="keyandsecret").json()
        return found["key"], found["secret"]

    def slots(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.wire.get(self.slot).json()["stagedCredentials"]
        return found

    def stage(self) -> dict[str, Any]:
        answer = self.send("POST", self.slot, {})
        assert 201 == answer.status_code, answer.text
        (found,) = answer.json()["stagedCredentials"]
        return dict(found)

    def works(self, key: str, secret: str) -> bool:
        """Whether the token endpoint takes them."""
        with self.wire.org.reading() as world:
            found = apps.by_key(world, key)
        return found is not None and found.secret == secret


@pytest.fixture
def vault(wire: Wire) -> Vault:
    wire.deployed(
        *whole("order"),
        setting("ExternalClientAppSettings", "ExternalClientApp", enableClientSecretInRestApiAccess=True),
    )
    return Vault(wire)


def test_a_rotation_never_leaves_a_client_without_a_secret(vault: Vault, org: Org) -> None:
    """Both sets work from staging until 30 days after the rotation; then the former one is gone."""
    old = vault.primary()
    staged = vault.stage()
    new = staged["key"], staged["secret"]
    assert ("Active", [True, True]) == (staged["state"], [vault.works(*each) for each in (old, new)])

    rotated = vault.send("PATCH", staged["url"], {"command": "rotate"})

    assert (200, "Rotated") == (rotated.status_code, rotated.json()["state"])
    assert (new, [old]) == (vault.primary(), [(each["key"], each["secret"]) for each in vault.slots()])
    assert new[0] == vault.wire.read("ExtlClntAppGlobalOauthSettings", "order_glbloauth", "consumerKey")
    assert [True, True] == [vault.works(*each) for each in (old, new)]
    assert not vault.works(new[0], old[1])
    org.pass_time(30 * 86_400 + 1)
    assert ([], [False, True]) == (vault.slots(), [vault.works(*each) for each in (old, new)])
    assert "Active" == vault.stage()["state"]


def test_what_was_rotated_out_can_be_revoked_at_once(vault: Vault) -> None:
    """After a leak nobody waits for 30 days."""
    old = vault.primary()
    staged = vault.stage()
    vault.send("PATCH", staged["url"], {"command": "rotate"})

    assert 204 == vault.send("DELETE", vault.slots()[0]["url"]).status_code
    assert ([], False, True) == (vault.slots(), vault.works(*old), vault.works(*vault.primary()))
    assert 404 == vault.send("DELETE", staged["url"]).status_code


def test_there_is_one_slot(vault: Vault, org: Org) -> None:
    """A tool must empty it first; what expired in it works no more, and may be replaced."""
    staged = vault.stage()

    refused = vault.send("POST", vault.slot, {})
    assert 400 == refused.status_code
    org.pass_time(30 * 86_400 + 1)
    (expired,) = vault.slots()
    assert ("Expired", False) == (expired["state"], vault.works(staged["key"], staged["secret"]))
    assert 400 == vault.send("PATCH", staged["url"], {"command": "rotate"}).status_code
    assert staged["id"] != vault.stage()["id"]


def test_the_secret_is_told_only_to_who_asks_for_it(vault: Vault) -> None:
    """`part` decides; without it, the key alone."""
    url = vault.consumer["url"]

    assert {"key"} == {"key", "secret"} & set(vault.wire.get(url).json())
    assert {"secret"} == {"key", "secret"} & set(vault.wire.get(url, part="secret").json())
    assert {"key", "secret"} <= set(vault.wire.get(url, part="keyandsecret").json())
    assert 400 == vault.wire.get(url, part="everything").status_code
    listed = json.dumps([vault.consumer, vault.wire.get(f"{ROOT}/usage").json()])
    assert vault.primary()[1] not in listed


def test_it_must_be_switched_on_and_allowed(vault: Vault, org: Org) -> None:
    """The setting, and two permissions: each by itself is not enough."""

    def asked(wire: Wire) -> tuple[int, str]:
        answer = wire.get(vault.app)
        return answer.status_code, "" if answer.ok else answer.json()[0]["message"]

    no = (403, "This feature is not currently enabled for this user.")
    assert (200, "") == asked(vault.wire)
    assert no == asked(Wire(org, "integration@acme.example"))
    org.add_permission_set("Rotator", permissions=("ApiEnabled", "ExternalClientAppDeveloper", "ViewClientSecret"))
    org.assign("integration@acme.example", "Rotator")
    assert (200, "") == asked(Wire(org, "integration@acme.example"))
    vault.wire.deployed(
        setting("ExternalClientAppSettings", "ExternalClientApp", enableClientSecretInRestApiAccess=False)
    )
    assert no == asked(vault.wire)


def test_staging_begins_with_version_65(vault: Vault) -> None:
    """Before, there is only reading."""
    older = vault.slot.replace("v65.0", "v64.0")

    assert 404 == vault.wire.get(older).status_code
    assert 200 == vault.wire.get(vault.app.replace("v65.0", "v64.0")).status_code


def test_the_list_of_apps_comes_in_pages(vault: Vault) -> None:
    """Whoever reads the first page only misses apps."""
    pages = [vault.wire.get(f"{ROOT}/usage", page=str(page), pageSize="1").json() for page in range(3)]

    assert [["Marketing_Dashboard"], ["order"], []] == [
        [each["developerName"] for each in page["apps"]] for page in pages
    ]
    assert [True, False, False] == [page["nextPageUrl"] is not None for page in pages]


def test_ids_of_others_lead_nowhere(vault: Vault) -> None:
    """Another app's consumer, a slot that was never there, a command that is none."""
    other = Vault(vault.wire, "Marketing_Dashboard")
    staged = vault.stage()

    assert 404 == vault.wire.get(f"{vault.app}/{other.consumer['id']}").status_code
    assert 404 == vault.wire.get(f"{ROOT}/credentials/0xI000000000000AAA").status_code
    assert 404 == vault.send("PATCH", f"{other.slot}/{staged['id']}", {"command": "rotate"}).status_code
    assert 400 == vault.send("PATCH", staged["url"], {"command": "burn"}).status_code


def test_an_app_that_goes_takes_its_credentials_along(vault: Vault) -> None:
    """A staged key of a deleted app must open nothing."""
    staged = vault.stage()

    vault.wire.destroy("ExternalClientApplication", "order")

    assert not vault.works(staged["key"], staged["secret"])
    vault.wire.deployed(*whole("order"))
    assert [] == Vault(vault.wire).slots()
