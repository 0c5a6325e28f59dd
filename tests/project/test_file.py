"""The project file."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Complaint, InputError
from reconciler.project.file import load_project
from reconciler.project.filling import org_id_problem
from reconciler.project.org import Org
from reconciler.project.project import Project
from reconciler.schema.values import SecretRef

# As documents show it: references inside of braces are not YAML, and everybody writes them.
EXAMPLE = """\
project: acme-identity                     # baselines belong to (org id, project)
desired: desired
orgs:
  dev:
    mock: .reconciler/orgs/dev.db          # embedded mock org; the default for a first run
    variables: {integration_user: integration@acme.example}
  prod:
    instance_url: https://acme.my.salesforce.com
    org_id: 00D000000000001EAA             # pinned: another org is refused
    api_version: "63.0"                    # unset: the newest that both the org and our kinds know
    test_level: RunLocalTests              # and `tests: [...]`, for deployments that hold Apex
    login: {flow: jwt, client_id: ${env.SF_CLIENT_ID}, username: ci@acme.example, private_key: {secret: {file: server.key}}}
    protected: true
    variables: {integration_user: svc-idp@acme.example}
default_org: dev
"""


def load(folder: Path, text: str, **environment: str) -> Project:
    (folder / "reconciler.yaml").write_text(text)
    return load_project(folder / "reconciler.yaml", environment=environment)


def complaints(folder: Path, text: str) -> list[Complaint]:
    try:
        load(folder, text)
    except InputError as error:
        return list(error.complaints)
    return []


def org(text: str) -> str:
    return "project: a\norgs:\n  dev:\n" + "".join(f"    {line}\n" for line in text.splitlines())


def test_the_example_of_the_documents_is_read(tmp_path: Path) -> None:
    """It is what people start from."""
    project = load(tmp_path, EXAMPLE, SF_CLIENT_ID="3MVG9")

    assert ("acme-identity", (tmp_path / "desired",), tmp_path, "dev") == (
        project.name, project.desired, project.root, project.default_org,
    )  # fmt: skip
    assert (
        Org(
            "dev", mock=tmp_path / ".reconciler/orgs/dev.db", variables={"integration_user": "integration@acme.example"}
        )
        == project.org()
    )
    assert Org(
        "prod",
        instance_url="https://acme.my.salesforce.com",
        org_id="00D000000000001EAA",
        api_version="63.0",
        test_level="RunLocalTests",
        login={
            "flow": "jwt",
            "client_id": "3MVG9",
            "username": "ci@acme.example",
            "private_key": SecretRef("file", "server.key"),
        },
        protected=True,
        variables={"integration_user": "svc-idp@acme.example"},
    ) == project.org("prod")


def test_what_an_org_reads_from_the_environment_is_looked_for_when_it_is_used(tmp_path: Path) -> None:
    """The pipeline of the sandbox has no credentials of production."""
    project = load(tmp_path, EXAMPLE, SF_CLIENT_IDS="x")

    assert project.org("dev").mock is not None
    with pytest.raises(InputError) as error:
        project.org("prod")
    (complaint,) = error.value.complaints
    assert "the environment variable SF_CLIENT_ID is not set" == complaint.message
    assert "did you mean SF_CLIENT_IDS?" in complaint.mend
    assert complaint.place is not None
    assert ("reconciler.yaml", 12) == (complaint.place.file, complaint.place.line)


def test_a_wrong_value_from_the_environment_is_not_shown(tmp_path: Path) -> None:
    """A pull request could ask for any variable of the job, and read it in the log."""
    for key in ("org_id", "instance_url"):
        start = "" if key == "instance_url" else "mock: a\n"
        with pytest.raises(InputError) as wrong:
            load(tmp_path, org(f"{start}{key}: ${{env.ID}}"), ID="hunter2").org("dev")
        assert "hunter2" not in str(wrong.value), key


def test_values_from_the_environment_are_looked_at_too(tmp_path: Path) -> None:
    """A typing error in a pipeline's settings is as likely as one in a file."""
    text = org("instance_url: ${env.URL}\norg_id: ${env.ID}\nvariables: {a: x-${env.ID}, b: $${env.ID}}")
    good = load(tmp_path, text, URL="https://a.my.salesforce.com/", ID="00D000000000001").org("dev")

    assert ("https://a.my.salesforce.com", "00D000000000001") == (good.instance_url, good.org_id)
    assert {"a": "x-00D000000000001", "b": "${env.ID}"} == good.variables
    with pytest.raises(InputError) as error:
        load(tmp_path, text, URL="http://evil.example", ID="00D000000000001EAB").org("dev")
    assert 2 == len(error.value.complaints)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_break_at_the_end_of_a_variable_is_left_aside(tmp_path: Path, end: str) -> None:
    """`gh secret set` on Windows leaves one; the org would only say that it does not know the client."""
    text = 'project: p\norgs: {a: {instance_url: "${env.URL}", login: {flow: jwt, client_id: "${env.ID}", username: u, private_key: {secret: {env: K}}}}}'
    org = load(tmp_path, text, URL=f"https://acme.my.salesforce.com{end}", ID=f"3MVG9{end}").org()

    assert ("https://acme.my.salesforce.com", "3MVG9") == (org.instance_url, org.login["client_id"])


def test_a_folder_stands_for_its_project_file(tmp_path: Path) -> None:
    """As in `terraform -chdir=`, `make -C`."""
    load(tmp_path, "project: p\norgs: {a: {mock: a.db}}")
    (tmp_path / "empty").mkdir()

    assert tmp_path.resolve() == load_project(tmp_path, environment={}).root
    with pytest.raises(InputError, match=r"there is no reconciler.yaml in the folder .*empty"):
        load_project(tmp_path / "empty", environment={})


def test_a_misspelled_project_file_is_answered_with_the_one_beside_it(tmp_path: Path) -> None:
    load(tmp_path, "project: p\norgs: {a: {mock: a.db}}")

    with pytest.raises(InputError) as raised:
        load_project(tmp_path / "reconcilier.yaml", environment={})
    assert f"did you mean {tmp_path / 'reconciler.yaml'}?" == raised.value.complaints[0].mend


def test_a_working_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(InputError, match="the folder that this was started in is gone"):
        load_project(None, environment={})


def test_an_unknown_org_is_named_with_what_there_is(tmp_path: Path) -> None:
    """Nobody applies to production because `prodd` fell back to something."""
    with pytest.raises(InputError) as error:
        load(tmp_path, EXAMPLE).org("prodd")
    (complaint,) = error.value.complaints

    assert "'prodd' is not an org of this project" == complaint.message
    assert "did you mean prod? (one of: dev, prod)" == complaint.mend


def test_without_a_default_the_only_org_is_meant_and_of_several_none(tmp_path: Path) -> None:
    """A guess would be right until the second org comes."""
    assert "dev" == load(tmp_path, org("mock: a")).org().name
    with pytest.raises(InputError, match="there are several orgs"):
        load(tmp_path, EXAMPLE.replace("default_org: dev\n", "")).org()


def test_the_project_file_is_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People work in the folder of their team."""
    (tmp_path / "reconciler.yaml").write_text(EXAMPLE)
    (tmp_path / "desired" / "team").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "desired" / "team")

    assert tmp_path.resolve() == load_project(None, environment={}).root


def test_no_project_file_says_how_to_write_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it says is a project file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        load_project(None, environment={})
    with pytest.raises(InputError, match="does not exist"):
        load_project(tmp_path / "other.yaml", environment={})
    mend = error.value.complaints[0].mend

    assert "dev" == load(tmp_path, mend.split("\n", 1)[1]).org().name


TABLE: list[tuple[str, str, str, str]] = [
    ("", "1", "a project file is one document with the key project:", "write it like this:"),
    ("- a\n", "1:1", "a project file is one document with the key project:", "write it like this:"),
    ("project: a\n", "1:1", "orgs must hold at least one org", "write it like this:"),
    ("orgs: {dev: {mock: a}}\n", "1:1", "project is missing", "add project: and a name"),
    ("project: a\norgs: {dev: }\n", "2:8", "the org dev must hold mock: or instance_url:", "write one below it"),
    ("project: a\norg: 1\norgs: {dev: {mock: a}}\n", "2:1", "org is not a key of the project file", "did you mean orgs?"),
    ("project: 1\norgs: {dev: {mock: a}}\n", "1:1", "project must be text, not the number 1", "put it in quotes"),
    ("project: a\ndesired: ../x\norgs: {dev: {mock: a}}\n", "2:1", "desired must be inside of the project folder", "write a relative path"),
    ("project: a\ndesired: /etc\norgs: {dev: {mock: a}}\n", "2:1", "desired must be inside of the project folder", "write a relative path"),
    ("project: a\norgs:\n  dev:\n    mock: ../a.db\n", "4:5", "mock must be inside of the project folder", "write a relative path"),
    ("project: a\norgs: {dev: {mock: a}}\ndefault_org: dew\n", "3:1", "'dew' is not an org of this project", "did you mean dev?"),
    ("project: a\nproject: b\norgs: {dev: {mock: a}}\n", "2:1", "project is given twice", "remove one of the two"),
    (org("protected: true"), "3:3", "dev: neither mock nor instance_url is given", "write exactly one of the two"),
    (org("mock: a\ninstance_url: https://a.b"), "3:3", "dev: both mock and instance_url are given", "write exactly one of the two"),
    (org("mock: a\ninstance_urll: x"), "5:5", "instance_urll is not a key of an org", "did you mean instance_url?"),
    (org("mock: a\nprotected: yes"), "5:5", "protected must be true or false, not the text 'yes'", "write true"),
    (org("instance_url: http://a.example"), "4:5", "this is not the address of an org", "write https:// and the host"),
    (org("instance_url: https://a@b.example"), "4:5", "this is not the address of an org", "write https:// and the host"),
    (org("instance_url: https://b.example/path"), "4:5", "this is not the address of an org", "write https:// and the host"),
    (org("mock: a\norg_id: 00D000000000001EAB"), "5:5", "this is not the id of an org: its last three characters", "it is shown in Setup"),
    (org("mock: a\norg_id: 123"), "5:5", "org_id must be text, not the number 123", "put it in quotes"),
    (org("mock: a\napi_version: 63.0"), "5:5", "api_version must be text, not the number 63.0", "put it in quotes"),
    (org('mock: a\napi_version: "v63"'), "5:5", "'v63' is not an API version", 'write it like "63.0"'),
    (org("mock: a\ntest_level: RunLocal"), "5:5", "'RunLocal' is not a value of test_level", "did you mean RunLocalTests?"),
    (org("mock: a\ntest_level: RunSpecifiedTests"), "5:5", "tests is missing", "write tests: [MyTest]"),
    (org("mock: a\ntests: [A]"), "5:5", "tests is only for RunSpecifiedTests", "remove it"),
    (org("mock: a\nlogin: jwt"), "5:5", "login must hold keys like flow and username", "write login: {flow: …}"),
    (org("mock: a\nlogin: {client_secret: hunter2}"), "5:13", "client_secret is a secret and cannot stand in a file", "write a reference"),
    (org("mock: a\nlogin: {password: ${env.PW}}"), "5:13", "password is a secret and cannot stand in a file", "write password: {secret: {env: PW}}"),
    (org("mock: a\nlogin: {username: {secret: {vault: hunter2}}}"), "5:13", "username: a secret comes from one of env, file and command", "write a reference"),
    (org("mock: a\nlogin: {username: [a]}"), "5:13", "username must be a text", "write a text"),
    (org("mock: a\nlogin: {username: ${var.x}}"), "5:13", "${var.x} is not known here", "write ${env.NAME}"),
    (org("mock: a\nvariables: [a]"), "5:5", "variables must be names and texts", "write variables: {name: text}"),
    (org("mock: a\nvariables: {a-b: x}"), "5:17", "'a-b' is not a variable's name", "use letters, digits and underscores"),
    (org("mock: a\nvariables: {a: true}"), "5:17", "the variable a must be a text", "put it in quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "mend"), TABLE)
def test_a_mistake_is_named_with_its_place_and_its_mend(
    tmp_path: Path, text: str, place: str, message: str, mend: str
) -> None:
    """The first file that anybody writes."""
    (complaint,) = complaints(tmp_path, text)

    assert f"reconciler.yaml:{place}" == str(complaint.place)
    assert complaint.message.startswith(message)
    assert complaint.mend.startswith(mend)


def test_all_mistakes_are_told_together_and_no_secret_with_them(tmp_path: Path) -> None:
    """One a run is a morning."""
    text = (
        org("mocks: a\nlogin: {password: hunter2, acces_token: hunter2}\norg_id: x\nvariables: {a: 1}")
        + "defualt_org: x\n"
    )
    found = complaints(tmp_path, text)

    assert 5 <= len(found)
    assert "hunter2" not in repr(found)
    assert found == sorted(found, key=lambda c: (c.place.line, c.place.column) if c.place else (0, 0))


@pytest.mark.parametrize("text", ["a: [", "\xff", "project: a\x00", "a: " + "[" * 100_000, "x" * 2_000_000])
def test_a_broken_project_file_is_an_error(tmp_path: Path, text: str) -> None:
    """A traceback on the first run is the last run."""
    (tmp_path / "reconciler.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError):
        load_project(tmp_path / "reconciler.yaml", environment={})


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("00D000000000001EAA", True), ("00D000000000001", True), ("00Dbm000004ELiDEAW", True), ("00Dbm000004ELiDEAX", False),
        ("001000000000001", False), ("00D00000000000", False), ("00D000000000001EA", False), ("00d000000000001EAA", False),
    ],
)  # fmt: skip
def test_an_org_id_is_checked_by_its_checksum(text: str, good: bool) -> None:
    """A letter whose case was lost in a spreadsheet is another org."""
    assert good is (org_id_problem(text) is None)


def test_a_project_shows_neither_environment_nor_secrets(tmp_path: Path) -> None:
    """It ends up in the message of an assertion one day."""
    shown: Any = repr(load(tmp_path, EXAMPLE, TOKEN="hunter2"))

    assert "hunter2" not in shown
