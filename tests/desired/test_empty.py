"""Empty is not given: a text that is not there must not switch a protection off, or take a permission away."""

from pathlib import Path

import pytest

from reconciler.errors import Complaint, InputError
from reconciler.project.file import load_project
from tests.desired.build import APP, HANDLER, Folder, body, only

EMPTY = ("", " ", "\n\t", "\u00a0")
LOGIN = "login: {flow: jwt, client_id: a, username: b, private_key: {secret: {env: K}}}\n"
REMOTE = "instance_url: https://acme.my.salesforce.com\n"


def _complaints(folder: Path, section: str, **environment: str) -> list[Complaint]:
    """What is wrong with the org `prod` of a project."""
    lines = "".join(f"    {line}\n" for line in section.splitlines())
    text = f"project: a\norgs:\n  prod:\n{lines}"
    return _of_project(folder, text, **environment)


def _of_project(folder: Path, text: str, **environment: str) -> list[Complaint]:
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")
    try:
        load_project(folder / "reconciler.yaml", environment=environment).org("prod")
    except InputError as error:
        return list(error.complaints)
    return []


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    "section",
    [
        "instance_url: ${env.X}\n" + LOGIN,
        "instance_url: https://${env.X}acme.my.salesforce.com\n" + LOGIN,
        REMOTE + "org_id: ${env.X}\n" + LOGIN,
        REMOTE + "org_id: 00D000000000001${env.X}\n" + LOGIN,
        REMOTE + LOGIN.replace("client_id: a", "client_id: ${env.X}"),
        REMOTE + LOGIN.replace("username: b", "username: ${env.X}"),
        REMOTE + LOGIN.replace("username: b", "username: b, audience: ${env.X}"),
        "mock: o.db\nlogin: {username: ${env.X}}\n",
        "mock: o.db\nvariables: {x: ${env.X}}\n",
        "mock: o.db\nvariables: {x: a${env.X}b}\n",
    ],
)
def test_an_empty_variable_of_the_environment_is_named_with_its_line(tmp_path: Path, section: str, empty: str) -> None:
    """So arrives what a pipeline does not define. As a pin it would mean any org."""
    (complaint,) = _complaints(tmp_path, section, X=empty)

    assert ("the environment variable X is empty", True) == (
        complaint.message,
        "set it where this runs" in complaint.mend,
    )
    assert complaint.place is not None
    assert "${env.X}" in complaint.place.snippet


@pytest.mark.parametrize(
    ("key", "rest"),
    [
        ("instance_url", LOGIN),
        ("org_id", REMOTE + LOGIN),
        ("api_version", REMOTE + LOGIN),
        ("test_level", REMOTE + LOGIN),
        ("tests", REMOTE + LOGIN),
        ("protected", REMOTE + LOGIN),
        ("mock", ""),
    ],
)
@pytest.mark.parametrize("written", ["", '""', "' '", "~", "null"])
def test_a_key_behind_which_nothing_stands_is_named_with_its_line(
    tmp_path: Path, key: str, rest: str, written: str
) -> None:
    """`protected:` with its value forgotten, or taken away by a template, was no protection at all."""
    said = _complaints(tmp_path, f"{rest}{key}: {written}\n")

    assert f"{key} is empty" in [complaint.message for complaint in said]
    assert [4 + rest.count("\n")] == [c.place.line for c in said if c.place and c.message == f"{key} is empty"]


@pytest.mark.parametrize("key", ["flow", "client_id", "username", "private_key", "audience"])
@pytest.mark.parametrize("written", ["''", "' '", "~"])
def test_no_part_of_a_login_is_empty(tmp_path: Path, key: str, written: str) -> None:
    """A login as nobody is none."""
    parts = {"flow": "jwt", "client_id": "a", "username": "b", "private_key": "{secret: {env: K}}", key: written}
    section = f"{REMOTE}login: {{{', '.join(f'{name}: {value}' for name, value in parts.items())}}}\n"

    said = _complaints(tmp_path, section)

    assert [5] * len(said) == [complaint.place.line for complaint in said if complaint.place]
    assert said


@pytest.mark.parametrize(
    "line", ["default_org: ''", "default_org:", "desired: ''", "desired:", "project: ''", "project:"]
)
def test_no_key_of_a_project_is_empty(tmp_path: Path, line: str) -> None:
    """`desired: ${…}` that a template left empty would be the whole folder."""
    key = line.partition(":")[0]
    text = "" if key == "project" else "project: a\n"

    said = _of_project(tmp_path, f"{text}orgs: {{prod: {{mock: o.db}}}}\n{line}\n")

    assert [True] == [key in complaint.message or "'' cannot name" in complaint.message for complaint in said]


def test_a_list_of_tests_holds_no_empty_name(tmp_path: Path) -> None:
    """Salesforce would run other tests than were meant."""
    section = f"{REMOTE}test_level: RunSpecifiedTests\ntests: [A, '']\n{LOGIN}"

    assert ["tests holds an empty text"] == [complaint.message for complaint in _complaints(tmp_path, section)]


@pytest.mark.parametrize("name", [*EMPTY])
def test_an_org_is_not_named_by_nothing(tmp_path: Path, name: str) -> None:
    """The default org is for those who name none."""
    (tmp_path / "reconciler.yaml").write_text("project: a\norgs: {dev: {mock: o.db}}\n", encoding="utf-8")

    with pytest.raises(InputError, match="the name of the org is empty"):
        load_project(tmp_path / "reconciler.yaml", environment={}).org(name)


FIELDS = {
    "a set": "oauthPolicies: {commaSeparatedPermissionSet: ['${var.x}']}\n",
    "a set beside others": "oauthPolicies: {commaSeparatedPermissionSet: [A, '${var.x}']}\n",
    "a set in one text": "oauthPolicies: {commaSeparatedPermissionSet: '${var.x}'}\n",
    "an entry in one text": "oauthPolicies: {commaSeparatedPermissionSet: 'A,${var.x}'}\n",
    "lines": "globalOauthSettings: {callbackUrl: ['${var.x}']}\n",
    "lines in one text": 'globalOauthSettings: {callbackUrl: "https://a\\n${var.x}"}\n',
    "a value of a list of values": "distributionState: ${var.x}\n",
    "true or false": "policies: {isEnabled: '${var.x}'}\n",
    "a number": "oauthPolicies: {refreshTokenValidityPeriod: '${var.x}'}\n",
}


@pytest.mark.parametrize("where", FIELDS)
@pytest.mark.parametrize("empty", EMPTY)
def test_nothing_becomes_empty_by_the_environment(folder: Folder, where: str, empty: str) -> None:
    """An empty variable took every permission set off an app: nobody could log in, and the apply ended with 0."""
    text = APP + FIELDS[where]

    said = folder.write(text).complaints(variables={"x": "known"}, environment={"RECONCILER_VAR_x": empty})

    assert ["the environment variable RECONCILER_VAR_x is empty"] == [complaint.message for complaint in said]
    assert [3] == [complaint.place.line for complaint in said if complaint.place]


@pytest.mark.parametrize("where", FIELDS)
@pytest.mark.parametrize("empty", EMPTY)
def test_nor_does_what_takes_something_away_by_a_variable_of_the_project(
    folder: Folder, where: str, empty: str
) -> None:
    """Whoever wants no entries writes [] where everybody sees it."""
    assert 1 == len(folder.write(APP + FIELDS[where]).complaints(variables={"x": empty}))


@pytest.mark.parametrize(
    "text",
    [
        HANDLER + "tokenHandlerApex: ${var.x}\n",
        HANDLER + "masterLabel: ${var.x}\n",
        "kind: ConnectedApp\nname: a\ncontactEmail: ${var.x}\n",
    ],
)
def test_a_reference_and_a_required_field_do_not_become_empty(folder: Folder, text: str) -> None:
    """A handler without its class lets everybody in, or nobody."""
    assert 1 == len(folder.write(text).complaints(variables={"x": ""}))


def test_a_name_does_not_become_empty(folder: Folder) -> None:
    """It would be another resource."""
    assert folder.write("kind: ConnectedApp\nname: '${var.x}'\n").complaints(variables={"x": ""})
    assert folder.write("kind: HandlerEnablement\nhandler: Idp\nexternalClientApp: '${var.x}'\n").complaints(
        variables={"x": ""}
    )


def test_a_variable_may_be_empty_where_the_project_says_so(folder: Folder) -> None:
    """A suffix that production has not, a description that it does not need."""
    text = "kind: ConnectedApp\nname: app${var.suffix}\nlabel: App${var.suffix}\ninfoUrl: '${var.suffix}'\n"

    found = only(folder.write(text).load(variables={"suffix": ""}))

    assert ("app", "App", "") == (found.address.name, found.body["label"], found.body["infoUrl"])


def test_what_is_written_empty_stays_so(folder: Folder) -> None:
    """`[]` takes all entries away: that is a decision, and is reviewed."""
    found = folder.write(APP + "oauthPolicies: {commaSeparatedPermissionSet: []}\n").load()

    assert [] == body(found, "ExtlClntAppOauthConfigurablePolicies/portal")["commaSeparatedPermissionSet"]


def test_a_variable_that_is_empty_and_unused_stops_nobody(folder: Folder) -> None:
    """A pipeline sets what other projects need."""
    assert [] == folder.write(APP + "label: a\n").complaints(environment={"RECONCILER_VAR_other": ""})
