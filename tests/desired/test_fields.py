"""What stands in a field: lists, null, variables, secrets."""

from typing import Any

import pytest

from reconciler.schema.values import SecretRef
from tests.desired.build import APP, HANDLER, Folder, body, only

CONNECTED = "kind: ConnectedApp\nname: a\n"


def field(folder: Folder, text: str, **more: Any) -> dict[str, Any]:
    return only(folder.write(CONNECTED + text).load(**more)).body


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[https://a, https://b]", ["https://a", "https://b"]),
        ('"https://a\\nhttps://b\\r\\n\\n"', ["https://a", "https://b"]),
        ("|\n    https://a\n    https://b\n", ["https://a", "https://b"]),
        ("[' https://a ', '']", ["https://a"]),
        ("[]", []),
        ("''", []),
    ],
)
def test_lines_in_one_element_are_a_list(folder: Folder, text: str, expected: list[str]) -> None:
    """However it is written, it is the same set of URLs, and the plan for it is empty."""
    assert {"oauthConfig": {"callbackUrl": expected}} == field(folder, f"oauthConfig:\n  callbackUrl: {text}\n")


@pytest.mark.parametrize(
    ("text", "expected"), [("'Api, Web,, Api'", ["Api", "Web"]), ("[Api, ' Web', Api]", ["Api", "Web"]), ("null", None)]
)
def test_commas_in_one_element_are_a_list_without_repetitions(folder: Folder, text: str, expected: object) -> None:
    """The org drops them silently, so a plan would never be empty."""
    found = folder.write(APP + f"oauthSettings: {{commaSeparatedOauthScopes: {text}}}\n").load()

    assert expected == body(found, "ExtlClntAppOauthSettings/portal")["commaSeparatedOauthScopes"]


def test_omitted_null_and_empty_are_three_things(folder: Folder) -> None:
    """Not ours; the platform's default; none at all."""
    found = field(folder, "description: null\ninfoUrl: ''\npermissionSetName: []\noauthConfig: {}\n")

    assert {"description": None, "infoUrl": "", "permissionSetName": [], "oauthConfig": {}} == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contactEmail: null\n", "contactEmail is required and cannot be null"),
        ("oauthConfig: {consumerSecret: null}\n", "consumerSecret is a secret and cannot be null"),
        ("oauthConfig: {callbackUrl: [https://a, https://a]}\n", "'https://a' is given twice in callbackUrl"),
        ("permissionSetName: [A, A]\n", "'A' is given twice in permissionSetName"),
        ("profileName: [A, ' A']\n", "'A' is given twice in profileName"),
        ("permissionSetName: A\n", "permissionSetName must be a list, not the text 'A'"),
        ('oauthConfig: {callbackUrl: ["a\\nb"]}\n', "an entry of callbackUrl must be one line"),
        (
            "attributes: [{key: a, formula: b}, {key: a, formula: c}]\n",
            "a is given twice in attributes (items 1 and 2)",
        ),
        ("attributes: [{formula: b}]\n", "an item of attributes needs key: it is told apart by that"),
        ("attributes: {key: a}\n", "attributes must be a list, not a mapping"),
        ("oauthPolicy: {refreshTokenPolicy: immediate}\n", "'immediate' is not a value of refreshTokenPolicy"),
        ('label: "a\\x07b"\n', "the control character U+0007 is not allowed"),
        ('permissionSetName: ["\\0"]\n', "the control character U+0000 is not allowed"),
    ],
)
def test_what_a_field_cannot_hold_is_an_error(folder: Folder, text: str, message: str) -> None:
    """Each of these fails in the org, after minutes, or silently does something else."""
    (complaint,) = folder.write(CONNECTED + text).complaints()

    assert message == complaint.message
    assert complaint.mend


def test_an_entry_with_a_comma_is_an_error_where_commas_separate(folder: Folder) -> None:
    """The org would read two permission sets."""
    text = APP + "oauthPolicies: {commaSeparatedPermissionSet: ['A,B']}\n"
    assert [
        "an entry of commaSeparatedPermissionSet cannot hold a comma: Salesforce separates the entries by commas"
    ] == (folder.write(text).messages())


def test_a_command_as_state_is_an_error(folder: Folder) -> None:
    """Left there, it would break every client at every apply."""
    text = APP + "globalOauthSettings:\n  shouldRotateConsumerSecret: true\n"

    assert ["shouldRotateConsumerSecret: true would rotate at every apply"] == folder.write(text).messages()
    assert [] == folder.write(text.replace("true", "false")).messages()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${var.x}", "one"), ("'${var.x}-${var.y}'", "one-2"), ("a$${var.x}", "a${var.x}"), ("'$${'", "${"),
        ("$x", "$x"), ('"\\u0024{var.x}"', "one"), ("'$$${var.x}'", "$${var.x}"), ("${var.twice}", "${var.x}"),
    ],
)  # fmt: skip
def test_variables_stand_inside_of_texts(folder: Folder, text: str, expected: str) -> None:
    """One set of files for all orgs. A value is not looked through again: it may be anything."""
    variables = {"x": "one", "y": "2", "twice": "${var.x}", "unused": ""}
    assert {"label": expected} == field(folder, f"label: {text}\n", variables=variables)


def test_the_environment_goes_before_the_project_file(folder: Folder) -> None:
    """A pipeline overrides what the file says, for one run."""
    found = folder.write(CONNECTED + "label: ${var.x}\n").load(
        variables={"x": "file", "y": "unused"}, environment={"RECONCILER_VAR_x": "env", "RECONCILER_VAR_other": "1"}
    )

    assert {"label": "env"} == only(found).body
    assert {"x": "env"} == found.variables


def test_a_variable_may_be_true_or_a_number_where_the_field_is(folder: Folder) -> None:
    """Environment variables are always texts."""
    text = "sessionPolicy: {sessionTimeout: ${var.n}}\noauthConfig: {isPkceRequired: ${var.b}}\nlabel: ${var.b}\n"
    found = field(folder, text, variables={"n": "30", "b": "true"})

    assert {"sessionPolicy": {"sessionTimeout": 30}, "oauthConfig": {"isPkceRequired": True}, "label": "true"} == found
    assert ["isPkceRequired must be true or false, not the text 'yes'"] == folder.messages(
        variables={"n": "30", "b": "yes"}
    )


def test_variables_stand_in_names_references_and_lists(folder: Folder) -> None:
    """An app is called differently in a sandbox."""
    text = (
        "kind: ConnectedApp\nname: app_${var.x}\noauthConfig:\n"
        "  consumerSecret: {secret: {env: SECRET_${var.x}}}\n  scopes: [${var.scope}]\npermissionSetName: ['P_${var.x}']\n"
    )
    found = only(folder.write(text).load(variables={"x": "dev", "scope": "Api"}))

    assert "app_dev" == found.address.name
    assert {"consumerSecret": SecretRef("env", "SECRET_dev"), "scopes": ["Api"]} == found.body["oauthConfig"]
    assert ["P_dev"] == found.body["permissionSetName"]


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("${var.usr}", "the variable usr has no value", "did you mean user?"),
        ("${var.other}", "the variable other has no value", "RECONCILER_VAR_other"),
        ("${env.HOME}", "${env.HOME}: desired files read nothing of the environment", "${var.home}"),
        ("'${user}'", "${user} is no variable", "${var.name}"),
        ("'${var.x y}'", "${var.x y} is no variable", "${var.name}"),
        ("'${var.user'", "${ is not closed", "$${"),
    ],
)
def test_what_is_no_variable_is_an_error_before_any_call(folder: Folder, text: str, message: str, mend: str) -> None:
    """An app that runs as the user `${var.usr}` is found out in production otherwise."""
    (complaint,) = folder.write(CONNECTED + f"label: {text}\n").complaints(
        variables={"user": "a"}, environment={"HOME": "/"}
    )

    assert message == complaint.message
    assert mend in complaint.mend


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{secret: {env: PORTAL_SECRET}}", SecretRef("env", "PORTAL_SECRET")),
        ("{secret: {file: secrets/portal}}", SecretRef("file", "secrets/portal")),
        ("\n    secret:\n      env: PORTAL_SECRET\n", SecretRef("env", "PORTAL_SECRET")),
        ("{secret: {command: [vault, read, x]}}", SecretRef("command", ("vault", "read", "x"))),
    ],
)
def test_a_secret_is_a_reference(folder: Folder, text: str, expected: SecretRef) -> None:
    """Files are read by everybody."""
    found = field(folder, f"oauthConfig:\n  consumerSecret: {text}\n", allow_commands=True)

    assert {"oauthConfig": {"consumerSecret": expected}} == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hunter2", "consumerSecret is a secret and cannot stand in a file"),
        ("12345", "consumerSecret is a secret and cannot stand in a file"),
        ("''", "consumerSecret is a secret and cannot stand in a file"),
        ("[hunter2]", "consumerSecret is a secret and cannot stand in a file"),
        ("{source: env, target: hunter2}", "consumerSecret is a secret and cannot stand in a file"),
        ("{secret: hunter2}", "consumerSecret: a secret comes from one of env, file and command"),
        ("{secret: {vault: hunter2}}", "consumerSecret: a secret comes from one of env, file and command"),
        ("{secret: {env: 'hunter2!'}}", "consumerSecret: this is not the name of an environment variable"),
        ("{secret: {env: [a]}}", "consumerSecret: env must be a text"),
        ("{secret: {file: /etc/passwd}}", "consumerSecret: the path '/etc/passwd' is absolute"),
        ("{secret: {file: ../x}}", "consumerSecret: the path '../x' leads out of the project folder"),
        ("{secret: {file: link/x}}", "consumerSecret: the path 'link/x' leads out of the project folder"),
        ("{secret: {command: vault}}", "consumerSecret: a command is a list of texts"),
        ("{secret: {command: [vault]}}", "consumerSecret: commands are not run unless they are allowed"),
    ],
)
def test_what_is_no_reference_is_an_error_that_never_shows_it(folder: Folder, text: str, message: str) -> None:
    """The log of the pipeline that says so is public."""
    (folder.root / "link").symlink_to("/etc")
    (complaint,) = folder.write(CONNECTED + f"oauthConfig:\n  consumerSecret: {text}\n").complaints()

    assert message == complaint.message
    assert "hunter2" not in repr(complaint)
    assert complaint.mend


@pytest.mark.parametrize(
    "text",
    [
        "consumerSecert: hunter2\n",
        "oauthConfig: {clientSecret: hunter2, callbackUrl: 1}\n",
        "oauthConfig: {consumerSecret: hunter2, callbackUrl: 1}\n",
        "password: hunter2\n",
        "oauthConfig:\n  consumerSecret: |\n    hunter2\n  isPkceRequired: 1\n",
        "oauthConfig:\n  callbackUrl: 1\n  # consumerSecret: hunter2\nlable: x # consumerSecret: hunter2\n",
        "oauthConfig:\n  consumerSecret: hunter2\n label: x\n",
        "private_key: -----BEGIN hunter2\n",
    ],
)
def test_a_secret_beside_a_mistake_is_not_shown_either(folder: Folder, text: str) -> None:
    """Also where the mistake is in the name of the secret."""
    complaints = folder.write(CONNECTED + text).complaints()

    assert complaints
    assert "hunter2" not in repr(complaints)


@pytest.mark.parametrize(
    "text",
    ["label: {secret: {env: X}}\n", "permissionSetName: [{secret: {env: X}}]\n", "oauthConfig: {secret: {env: X}}\n"],
)
def test_a_reference_where_no_secret_belongs_is_an_error(folder: Folder, text: str) -> None:
    """It would put a secret into a field that everybody can read."""
    (message,) = folder.write(CONNECTED + text).messages()

    assert message.endswith("is not a secret, so a secret reference cannot stand there")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("enablements:\n", "enablements must be a list"),
        ("enablements: {connectedApp: a}\n", "enablements must be a list"),
        ("enablements: [a]\n", "an enablement must hold an app and a user"),
        ("enablements: [{isDefault: true}]\n", "this enablement names no app"),
        ("enablements: [{connectedApp: a, externalClientApp: b}]\n", "this enablement names both an external client app and a connected app"),
        ("enablements: [{connectedApp: a}, {externalClientApp: a}]\n", "OauthTokenExchangeHandler/Idp/enablements/a is declared twice"),
        ("enablements: [{connectedApp: a b}]\n", "'a b' is not an API name: it holds a blank; only letters, digits and underscores may stand there"),
        ("enablements: [{connectedApp: null}]\n", "this enablement names no app"),
        ("enablements: [{connectedApp: a, apexExecutionUser: null}]\n", "apexExecutionUser is required and cannot be null"),
        ("enablements: [{connectedApp: a, isDefault: 'yes'}]\n", "isDefault must be true or false, not the text 'yes'"),
    ],
)  # fmt: skip
def test_an_enablement_names_one_app(folder: Folder, text: str, message: str) -> None:
    """Otherwise the org refuses the whole handler."""
    assert [message] == folder.write(HANDLER + text).messages()


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("30d", "write refreshTokenValidityPeriod: 30 and refreshTokenValidityUnit: Days"),
        ("12 hours", "write refreshTokenValidityPeriod: 12 and refreshTokenValidityUnit: Hours"),
        ("3M", "write refreshTokenValidityPeriod: 3 and refreshTokenValidityUnit: Months"),
        ("'30'", "write refreshTokenValidityPeriod: 30, without quotes"),
        ("a month", "write digits alone"),
    ],
)
def test_a_number_with_its_unit_is_answered_with_how_it_is_written(folder: Folder, text: str, mend: str) -> None:
    """`30d` is how other tools write it."""
    (complaint,) = folder.write(APP + f"oauthPolicies: {{refreshTokenValidityPeriod: {text}}}\n").complaints()

    assert mend == complaint.mend


@pytest.mark.parametrize(
    "text",
    [
        "0123456",
        "+4930123456",
        "12e3",
        "0x10",
        "0o17",
        "007",
        "1.0",
        "17.00",
        "true",
        "False",
        "-0",
        ".5",
        "2024-01-01",
        "on",
    ],
)
def test_a_text_is_what_stands_in_the_file_also_where_yaml_sees_a_number(folder: Folder, text: str) -> None:
    """A phone number without its zero, or in octal, reaches nobody; and the plan for it would never be empty."""
    found = field(folder, f"contactPhone: {text} # ours\nmobileAppConfig: {{devicePlatform: ios, version: {text}}}\n")

    assert {"contactPhone": text, "mobileAppConfig": {"devicePlatform": "ios", "version": text}} == found


def test_numbers_in_lists_keys_and_aliases_are_texts_too(folder: Folder) -> None:
    """A profile may be called 007, and an attribute's key 1."""
    found = field(
        folder,
        "label: &a 0042\ndescription: *a\nprofileName: [007, true]\n"
        "attributes: [{key: 01, formula: 1.50}]\ninfoUrl: x-${var.v}\n",
        variables={"v": "1"},
    )

    assert {"label": "0042", "description": "0042", "profileName": ["007", "true"]} == {
        name: found[name] for name in ("label", "description", "profileName")
    }
    assert [{"key": "01", "formula": "1.50"}] == found["attributes"]


def test_null_is_not_a_text(folder: Folder) -> None:
    """It means the platform's default, and in a list nothing."""
    assert {"description": None} == field(folder, "description: ~\n")
    assert ["name must be a text"] == folder.write("kind: ConnectedApp\nname: null\n").messages()


def test_numbers_and_switches_stay_numbers_and_switches(folder: Folder) -> None:
    """Only where the schema wants a text is the text taken."""
    found = field(folder, "sessionPolicy: {sessionTimeout: 030}\noauthConfig: {isPkceRequired: True}\n")

    assert {"sessionPolicy": {"sessionTimeout": 30}, "oauthConfig": {"isPkceRequired": True}} == found
    assert ["sessionTimeout must be a whole number, not the number 1.5"] == folder.write(
        CONNECTED + "sessionPolicy: {sessionTimeout: 1.5}\n"
    ).messages()


def test_items_that_differ_in_letters_alone_are_one_item(folder: Folder) -> None:
    """The org would refuse the second one, or keep either."""
    text = "kind: OauthCustomScope\nname: orders\nassignedTo: [{connectedApp: Portal}, {connectedApp: portal}]\n"

    assert ["portal is given twice in assignedTo (items 1 and 2)"] == folder.write(text).messages()
