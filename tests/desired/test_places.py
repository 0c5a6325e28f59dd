"""Every value knows where it stands, once somebody asks."""

import pytest

from reconciler.model.address import Address
from tests.desired.build import Folder

TEXT = """\
kind: ExternalClientApplication
name: portal
label: Portal
globalOauthSettings:
  callbackUrl:
    - https://a
    - https://${var.host}
  idTokenConfig: {idTokenValidityInMinutes: 5}
oauthSettings:
  customAttributes:
    - {key: one, formula: a}
    - key: two
      formula: b
---
kind: OauthTokenExchangeHandler
name: Idp
enablements:
  - connectedApp: legacy
  - externalClientApp: portal
    isDefault: true
"""


@pytest.mark.parametrize(
    ("address", "path", "place", "snippet"),
    [
        ("ExternalClientApplication/portal", (), "1:1", "kind: ExternalClientApplication"),
        ("ExternalClientApplication/portal", ("label",), "3:1", "label: Portal"),
        ("ExternalClientApplication/portal", ("absent",), "1:1", "kind: ExternalClientApplication"),
        ("ExtlClntAppGlobalOauthSettings/portal", (), "4:1", "globalOauthSettings:"),
        ("ExtlClntAppGlobalOauthSettings/portal", ("callbackUrl", "https://b"), "7:7", "    - https://${var.host}"),
        ("ExtlClntAppGlobalOauthSettings/portal", ("callbackUrl", "1"), "7:7", "    - https://${var.host}"),
        (
            "ExtlClntAppGlobalOauthSettings/portal",
            ("idTokenConfig", "idTokenValidityInMinutes"),
            "8:19",
            "  idTokenConfig: {idTokenValidityInMinutes: 5}",
        ),
        ("ExtlClntAppOauthSettings/portal", ("customAttributes", "two", "formula"), "13:7", "      formula: b"),
        ("ExtlClntAppOauthSettings/portal", ("customAttributes", "one"), "11:7", "    - {key: one, formula: a}"),
        ("OauthTokenExchangeHandler/Idp/enablements/portal", ("isDefault",), "20:5", "    isDefault: true"),
        ("OauthTokenExchangeHandler/Idp/enablements/legacy", (), "18:5", "  - connectedApp: legacy"),
    ],
)
def test_fields_items_and_sections_are_found(
    folder: Folder, address: str, path: tuple[str, ...], place: str, snippet: str
) -> None:
    """`file:line` in a plan is where somebody starts to edit."""
    found = folder.write(TEXT).load(variables={"host": "b"}).resources[Address.parse(address)].origin

    assert f"desired/a.yaml:{place}" == str(found.at(path))
    assert snippet == found.at(path).snippet
    assert place.split(":", maxsplit=1)[0] == str(found.line) or path


def test_a_file_that_is_gone_by_now_still_has_a_name(folder: Folder) -> None:
    """A message about something else must not fail because of it."""
    origin = (
        folder.write(TEXT).load(variables={"host": "b"}).resources[Address("OauthTokenExchangeHandler", "Idp")].origin
    )
    (folder.desired / "a.yaml").unlink()

    assert "desired/a.yaml" == origin.at(("enablements",)).file


def test_lines_are_counted_as_editors_count_them(folder: Folder) -> None:
    """Files from Windows, and texts with umlauts before the column."""
    text = "kind: ConnectedApp\r\nname: a\r\nlabel: ä\r\nsessionPolicy: {policyAction: Blöck, sessionTimeout: x}\r\n"
    places = [str(c.place) for c in folder.write(text).complaints()]

    assert ["desired/a.yaml:4:17", "desired/a.yaml:4:38"] == places
