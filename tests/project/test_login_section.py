"""`login:` of the project file: what is wrong in it is told with its place, before anything is asked or looked for."""

from pathlib import Path

import pytest

from reconciler.project.login_section import FLOWS
from reconciler.schema.values import SecretRef
from tests.project.test_file import complaints, load, org

REMOTE = "instance_url: https://acme.my.salesforce.com\n"
GOOD = [
    "login: {flow: token, access_token: {secret: {env: SF_TOKEN}}}",
    "login: {flow: sfdx_url, auth_url: {secret: {env: SFDX_AUTH_URL}}}",
    "login: {flow: sf, alias: my-org}",
    "login: {flow: jwt, client_id: 3MVG9, username: ci@acme.example, private_key: {secret: {file: server.key}}}",
    "login: {flow: jwt, client_id: {secret: {env: ID}}, username: a, private_key: {secret: {env: KEY}}, sandbox: true}",
    "login: {flow: jwt, client_id: 3, username: a, private_key: {secret: {env: K}}, audience: https://test.salesforce.com}",
    "login: {flow: client_credentials, client_id: 3MVG9, client_secret: {secret: {env: SECRET}}}",
    "login: {flow: password, username: ci@acme.example, password: {secret: {env: PW}}}",
    "login: {flow: password, username: a, password: {secret: {env: PW}}, security_token: {secret: {env: T}}, sandbox: false}",
]


@pytest.mark.parametrize("text", GOOD)
def test_every_way_can_be_written(tmp_path: Path, text: str) -> None:
    """What docs/logins.md shows."""
    assert [] == complaints(tmp_path, org(REMOTE + text))


@pytest.mark.parametrize(("name", "flow"), FLOWS.items())
def test_the_example_in_a_mend_is_right(tmp_path: Path, name: str, flow: object) -> None:
    """People paste it."""
    example = FLOWS[name].example(name).replace("env: …", "env: X").replace("…", "x")

    assert [] == complaints(tmp_path, org(REMOTE + example))


def test_what_is_read_is_what_is_written(tmp_path: Path) -> None:
    """References stay references."""
    login = load(tmp_path, org(REMOTE + GOOD[4])).org("dev").login

    assert {
        "flow": "jwt",
        "client_id": SecretRef("env", "ID"),
        "username": "a",
        "private_key": SecretRef("env", "KEY"),
        "sandbox": True,
    } == login


@pytest.mark.parametrize(
    ("text", "place", "message", "mend"),
    [
        ("login: {flow: jtw}", "5:13", "'jtw' is no way to log in", "did you mean jwt?"),
        ("login: {flow: 7}", "5:13", "7 is no way to log in", "one of: token, sfdx_url, sf, jwt"),
        ("login: {username: a}", "5:5", "login has no flow", "add flow: token, sfdx_url"),
        ("login: {flow: sf}", "5:5", "login: alias is missing", "write it, as in login: {flow: sf, alias: …}"),
        ("login: {flow: sf, alais: a, alias: b}", "5:23", "alais is not a key of login by sf", "did you mean alias?"),
        ("login: {flow: sf, alias: b, program: evil}", "5:33", "program is not a key of login by sf", "one of: flow, alias"),
        ("login: {flow: sf, alias: ''}", "5:23", "alias is empty", "write it, as in"),
        ("login: {flow: sf, alias: true}", "5:23", "alias must be a text", "put it in quotes"),
        ("login: {flow: sf, alias: {secret: {env: A}}}", "5:23", "alias is no secret", "write it as a text"),
        ("login: {flow: token, access_token: hunter2}", "5:26", "access_token is a secret", "write a reference"),
        ("login: {flow: sfdx_url, auth_url: force://a:b:hunter2@c}", "5:29", "auth_url is a secret", "write a reference"),
        ("login: {flow: sfdx_url, auth_url: ${env.URL}}", "5:29", "auth_url is a secret", "write auth_url: {secret: {env: URL}}"),
        ("login: {flow: password, username: a, password: {secret: {env: P}}, client_id: x}", "5:72",
         "client_id is not a key of login by password", "one of: flow, username, password"),
        ("login: {flow: jwt, client_id: a, username: b, private_key: {secret: {env: K}}, sandbox: yes}", "5:84",
         "sandbox must be true or false", "write sandbox: true"),
        ("login: {flow: jwt, client_id: a, username: b, private_key: {secret: {file: ../server.key}}}", "5:51",
         "private_key: the path '../server.key' leads out of the project folder", "put the file into the project folder"),
        ("login: {flow: jwt, client_id: a, username: b, private_key: {secret: {file: /etc/key}}}", "5:51",
         "private_key: the path '/etc/key' is absolute", "put the file into the project folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_its_mend(
    tmp_path: Path, text: str, place: str, message: str, mend: str
) -> None:
    """A login that fails in the pipeline costs a push for every guess."""
    (complaint,) = complaints(tmp_path, org(REMOTE + text))

    assert (f"reconciler.yaml:{place}", True, True) == (
        str(complaint.place), complaint.message.startswith(message), complaint.mend.startswith(mend),
    ), complaint  # fmt: skip
    assert "hunter2" not in repr(complaint)


def test_all_missing_keys_are_told_at_once(tmp_path: Path) -> None:
    """One a run is a morning."""
    found = complaints(tmp_path, org(REMOTE + "login: {flow: jwt}"))

    assert ["client_id", "username", "private_key"] == [one.message.split()[1] for one in found]


@pytest.mark.parametrize(("name", "flow"), FLOWS.items())
def test_an_org_needs_no_address_where_the_login_tells_it(tmp_path: Path, name: str, flow: object) -> None:
    """Of the others the token would have nowhere to go."""
    text = org(FLOWS[name].example(name).replace("env: …", "env: X").replace("…", "x"))

    assert FLOWS[name].finds_org is (not complaints(tmp_path, text))


def test_a_mock_org_has_a_user_and_no_flow(tmp_path: Path) -> None:
    """It has no passwords either."""
    assert [] == complaints(tmp_path, org("mock: a\nlogin: {username: dana@acme.example}"))
    (complaint,) = complaints(tmp_path, org("mock: a\nlogin: {flow: jwt}"))
    assert "flow is not a key of the login of a mock org" == complaint.message
