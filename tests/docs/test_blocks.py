"""Every block of every document works as it is typed."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec, patch

import pytest
import requests
import vcr
import yaml

import providers.mock
from providers.mock import open_org
from providers.mock.faults import script
from tests.docs import scene
from tests.docs.blocks import ROOT, Block, anchors, blocks, blocks_of, documents, links, read
from tests.docs.scene import applied, configure, documents_in, example, git, pull_request
from tests.docs.shell import commands, is_shell, lines_typed, parsed, run

LANGUAGES = ("console", "sh", "yaml", "python", "json", "text", "gitignore", "apex")
"""Apex is read by `tests/apex/test_worked_example.py`."""
NOT_RUN = {
    "reconciler mock serve --port 8443": "serves until it is stopped, at a port that may be taken; its words are parsed",
    "make demo": "runs as a test of its own (packaging), and installs; that the target exists is looked at here",
    "make test": "is what runs this",
    "make wheel": "installs; its wheel is built by a test of its own (packaging)",
    "reconciler verify --allow-commands order_portal": "needs what the block above it declares: run with it below",
}
"""How a block begins that is not run as a whole -> why."""


def of(*languages: str) -> list[Any]:
    return [pytest.param(block, id=block.id) for block in blocks() if block.language in languages]


def found(begins: str, document: str = "") -> Block:
    (one,) = (
        b for b in blocks() if b.document.startswith(document) and lines_typed(b.text).lstrip().startswith(begins)
    )
    return one


whole = pytest.mark.skipif(
    not os.environ.get("RECONCILER_DOCUMENTS"), reason="whole jobs and the demo take a minute: make documents runs them"
)
"""Marks what runs whole jobs. Their blocks are parsed in any case, and each of our commands in them is looked up."""


@pytest.fixture(scope="module")
def once_applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, applied to `dev`: to be copied, never to be used."""
    folder = example(tmp_path_factory.mktemp("applied") / "project")
    applied(folder, "dev")
    return folder


@pytest.fixture
def project(once_applied: Path, tmp_path: Path) -> Path:
    """The example, applied to `dev`."""
    shutil.copytree(once_applied, tmp_path / "project")
    return tmp_path / "project"


# -- all blocks ------------------------------------------------------------------------------------------------------


def test_every_block_says_in_which_language_it_is():
    """A block that no test knows what to do with would be the one that does not work."""
    assert [] == [f"{b.id} {b.language!r}" for b in blocks() if b.language not in LANGUAGES]
    assert 30 < len(blocks())


def test_an_indented_block_and_an_unknown_language_are_seen():
    """What this module rests on: a block that it overlooks is tried by nobody."""
    text = "a\n\n    indented\n\n```\nnone\n```\n\n```cobol\nx\n```\n"

    assert ["", "", "cobol"] == [block.language for block in blocks_of(text, "x.md")]


@pytest.mark.parametrize("document", documents())
def test_every_link_leads_somewhere(document: str):
    """Whoever follows one."""
    wrong = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (ROOT / document).parent / path if path else ROOT / document
        if not target.exists() or (anchor and anchor not in anchors(str(target.resolve().relative_to(ROOT)))):
            wrong.append(link)

    assert [] == wrong


@pytest.mark.parametrize("document", documents())
def test_every_file_that_is_named_like_a_document_exists(document: str):
    """`docs/ci.md` in a sentence is a link, too."""
    named = set(
        re.findall(
            r"`((?:docs|providers|reconciler|desired|tests|benchmarks)/[\w/.-]+\.(?:md|py|yaml|cls))`", read(document)
        )
    )

    assert set() == {name for name in named if not (ROOT / name).exists()}


# -- YAML ------------------------------------------------------------------------------------------------------------


def contents(block: Block) -> list[Any]:
    """Nothing for what is no YAML: that fails in the test which says so, and hides no other."""
    try:
        return documents_in(block.text)
    except (yaml.YAMLError, AssertionError):
        return []


def workflows(block: Block) -> list[dict[Any, Any]]:
    """The block as workflows of GitHub: a list of steps is put into a job."""
    content = contents(block)
    if len(content) == 1 and isinstance(content[0], list) and all("run" in one or "uses" in one for one in content[0]):
        return [{True: "push", "jobs": {"one": {"runs-on": "ubuntu-latest", "steps": content[0]}}}]
    return [one for one in content if isinstance(one, dict) and "jobs" in one]


def pipelines(block: Block) -> list[dict[str, Any]]:
    """The block as pipelines of GitLab."""
    return [
        one
        for one in contents(block)
        if isinstance(one, dict) and all(isinstance(job, dict) and "script" in job for job in one.values())
    ]


def projects(block: Block) -> list[dict[str, Any]]:
    """The block as project files: what is said of one org, or of its login, is put into one."""
    content = next(iter(contents(block)), None) if "kind:" not in block.text else None
    if not isinstance(content, dict):
        return []
    if "login" in content:
        content = {"prod": content}
    if content.keys() == {"prod"} and "login" in content["prod"]:
        content = {"orgs": content}
    if "orgs" not in content:
        return []
    content = {"project": "acme", "desired": "desired", **content}
    for org in content["orgs"].values():
        org.setdefault("variables", scene.VARIABLES)
        if "mock" not in org and "instance_url" not in org:
            org["instance_url"] = "https://acme.my.salesforce.com"
    return [content]


def desired(block: Block) -> list[Any]:
    return [one for one in contents(block) if isinstance(one, dict) and "kind" in one]


def faults(block: Block) -> list[Any]:
    return [one for one in contents(block) if isinstance(one, dict) and one.keys() == {"faults"}]


SHAPES = (workflows, pipelines, projects, desired, faults)


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml_is_yaml_for_everybody_and_something_that_is_tried(block: Block):
    """Whoever has an editor, a hook or a CI that reads YAML by the book."""
    assert 1 == sum(bool(shape(block)) for shape in SHAPES), documents_in(block.text)


@pytest.mark.parametrize("block", [p for p in of("yaml") if projects(p.values[0])])
def test_project_files_are_loaded(block: Block, tmp_path: Path):
    """Whoever pastes one, or a part of one."""
    folder = example(tmp_path / "project")
    for content in projects(block):
        (folder / "reconciler.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        for org in content["orgs"]:
            done = run(f"reconciler check --org {org} --fail-on critical", folder, env={"SF_CLIENT_ID": "3MVG9"})
            assert ("", 0) == (done.err, done.code)


def test_the_two_files_of_your_own_org_are_green(tmp_path: Path):
    """The very first thing that somebody does: paste both, check, plan, apply, and look for drift."""
    folder = tmp_path / "own"
    (folder / "desired").mkdir(parents=True)
    (folder / "reconciler.yaml").write_text(found("project: acme-identity", "README").text, encoding="utf-8")
    (folder / "desired" / "portal.yaml").write_text(
        found("kind: ExternalClientApplication", "README").text, encoding="utf-8"
    )
    check, plan = run("reconciler check --fail-on info", folder), run("reconciler plan --fail-on low", folder)

    assert (0, 0) == (check.code, plan.code), check.out + check.err + plan.out + plan.err
    assert "no findings" in check.out
    assert "Findings on what changes" not in plan.out
    rest = "reconciler apply --auto-approve && reconciler drift && reconciler check --org prod"
    assert 0 == run(rest, folder, env={"SF_CLIENT_ID": "3MVG9"}).code


def test_four_lines_manage_an_app_and_change_nothing(project: Path):
    """Whoever begins with 300 apps and has a day for it (README, "Your own org")."""
    assert "four lines are enough" in read("README.md")
    folder = project
    for file in (folder / "desired").rglob("*.*"):
        file.unlink()
    four = "kind: ExternalClientApplication\nname: order_portal\nlabel: Order portal\ncontactEmail: iam@acme.example\n"
    (folder / "desired" / "apps.yaml").write_text(four, encoding="utf-8")
    script = """
    rm -r .reconciler/baselines
    reconciler plan --detailed-exitcode && reconciler apply --auto-approve
    reconciler mock set ExtlClntAppGlobalOauthSettings/order_portal isSecretRequiredForTokenExchange=false --as dana@acme.example
    """
    done = run(script, folder)
    drift = run("reconciler drift", folder)

    assert 0 == done.code, done.out + done.err
    assert 2 == drift.code
    assert "order_portal.isSecretRequiredForTokenExchange: true → false" in drift.out
    assert "dana@acme.example" in drift.out


@pytest.mark.parametrize("block", [p for p in of("yaml") if faults(p.values[0])])
def test_fault_scripts_are_scripts(block: Block):
    """Whoever copies one."""
    assert script.parse(block.text)


JOB = {"runs-on", "environment", "steps", "permissions", "if", "needs", "env", "timeout-minutes", "concurrency"}
STEP = {"uses", "run", "with", "env", "if", "id", "name"}
ON = {"pull_request", "push", "schedule", "workflow_dispatch"}
GITLAB = {"image", "rules", "variables", "script", "artifacts", "stage", "environment", "before_script", "cache"}


@pytest.mark.parametrize("block", [p for p in of("yaml") if workflows(p.values[0])])
def test_workflows_have_the_form_that_github_asks_for(block: Block):
    """Whoever pushes one: a key that GitHub does not know makes it refuse the file."""
    for workflow in workflows(block):
        assert {"name", True, "permissions", "jobs"} >= workflow.keys()  # YAML 1.1 reads `on` as true
        events = workflow[True] if isinstance(workflow[True], dict) else {workflow[True]: None}
        assert ON >= events.keys()
        for job in workflow["jobs"].values():
            assert JOB >= job.keys() >= {"runs-on", "steps"}
            for step in job["steps"]:
                assert STEP >= step.keys()
                assert 1 == len({"uses", "run"} & step.keys())
                assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", step["uses"])
                assert all(isinstance(value, str) for value in step.get("env", {}).values())


@pytest.mark.parametrize("block", [p for p in of("yaml") if pipelines(p.values[0])])
def test_pipelines_have_the_form_that_gitlab_asks_for(block: Block):
    """The same for GitLab."""
    for pipeline in pipelines(block):
        for job in pipeline.values():
            assert GITLAB >= job.keys()
            lines = [job["script"]] if isinstance(job["script"], str) else job["script"]
            assert all(isinstance(line, str) for line in lines)


def scripts(block: Block) -> list[str]:
    """Everything that a block gives to a shell."""
    if block.language in ("console", "sh"):
        return [lines_typed(block.text)]
    steps = [s for w in workflows(block) for job in w["jobs"].values() for s in job["steps"] if "run" in s]
    jobs = [job["script"] for pipeline in pipelines(block) for job in pipeline.values()]
    return [s["run"] for s in steps] + ["\n".join([job] if isinstance(job, str) else job) for job in jobs]


@pytest.mark.parametrize("block", [p for p in of("console", "sh", "yaml") if scripts(p.values[0])])
def test_what_a_shell_gets_is_a_script_and_our_commands_exist(block: Block):
    """Whoever types a flag that this version does not have."""
    for one in scripts(block):
        is_shell(one)
        for words in commands(one):
            parsed(words)


def test_commands_are_found_wherever_they_stand():
    """A command that is overlooked is parsed by nobody."""
    text = 'x=$(reconciler plan --org a) && reconciler drift > f 2>&1 | tail; reconciler check \\\n  --live  # why\n: "reconciler"\n'

    assert [["plan", "--org", "a"], ["drift"], ["check", "--live"]] == list(commands(text))


def expressions(text: str) -> str:
    return re.sub(r"\$\{\{.*?\}\}", "7", text)


def steps(block: Block, folder: Path, answers: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
    """Run the steps of a workflow, or the script of a pipeline, one after the other; what others were called with."""
    called: list[str] = []
    todo = [
        (s["run"], s.get("env", {}))
        for w in workflows(block)
        for j in w["jobs"].values()
        for s in j["steps"]
        if "run" in s
    ]
    todo += [(one, {}) for one in scripts(block) if not workflows(block)]
    for text, own in todo:
        done = run(text, folder, answers, {**env, **{key: expressions(value) for key, value in own.items()}})
        assert 0 == done.code, f"{text}\n{done.out}\n{done.err}"
        called += done.calls
    return called


def base_branch(tmp_path: Path, *orgs: str) -> Path:
    """What `main` holds: the example, the lists of what is installed, and baselines of the orgs that were applied."""
    base = example(tmp_path / "base")
    for name in ("requirements.txt", "run.txt"):
        (base / name).write_text("", encoding="utf-8")
    (base / ".gitignore").write_text(found(".reconciler/*", "README").text, encoding="utf-8")
    applied(base, *orgs)
    return base


@whole
@pytest.mark.parametrize("orgs", [(), ("prod",)], ids=["no baseline yet", "a baseline"])
@pytest.mark.parametrize("begins", ["on: pull_request\n", "plan:\n  image:"], ids=["GitHub", "GitLab"])
def test_the_job_of_a_pull_request_runs_from_the_first_one_on(tmp_path: Path, begins: str, orgs: tuple[str, ...]):
    """Whoever opens the very first pull request; and whoever would smuggle a project file or a baseline in."""
    folder = pull_request(base_branch(tmp_path, *orgs), tmp_path / "clone")
    (folder / "reconciler.yaml").write_text("project: mallory\norgs: {prod: {mock: elsewhere.db}}\n", encoding="utf-8")
    baselines = folder / ".reconciler" / "baselines"
    baselines.mkdir(parents=True, exist_ok=True)
    (baselines / "00D000000000001.mallory.json").write_text("{}", encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "mine")
    env = {
        "GITHUB_BASE_REF": "main",
        "GITHUB_REPOSITORY": "acme/identity",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    called = steps(found(begins, "docs/ci.md"), folder, {}, env)

    assert "added_by_pr" in (folder / "plan.md").read_text(encoding="utf-8")
    assert scene.PROJECT == yaml.safe_load((folder / "reconciler.yaml").read_text(encoding="utf-8"))
    assert not (baselines / "00D000000000001.mallory.json").exists()
    assert "GitLab" in begins or "pip install -r requirements.txt" in called


@whole
def test_a_merge_request_plans_what_the_merge_brings_about(tmp_path: Path):
    """A branch that is behind: its plan would undo what others have merged."""
    base = base_branch(tmp_path)
    folder = pull_request(base, tmp_path / "clone")
    merged = "kind: ExternalClientApplication\nname: merged_since\nlabel: M\ncontactEmail: iam@acme.example\n"
    (base / "desired" / "merged.yaml").write_text(merged, encoding="utf-8")
    git(base, "add", "-A")
    git(base, "commit", "-qm", "merged meanwhile")
    steps(found("plan:\n  image:", "docs/ci.md"), folder, {}, {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"})
    plan = (folder / "plan.md").read_text(encoding="utf-8")

    assert "added_by_pr" in plan
    assert "merged_since" in plan


@whole
@pytest.mark.parametrize("fails", [False, True])
def test_the_comment_of_a_plan_is_edited_and_no_other(tmp_path: Path, fails: bool):
    """Whoever wrote another comment between two runs; and whoever reads the old plan of a run that now fails."""
    block = found("on: pull_request\n", "docs/ci.md")
    folder = pull_request(base_branch(tmp_path), tmp_path / "clone")
    env = {"GITHUB_BASE_REF": "main", "GITHUB_REPOSITORY": "acme/identity"}
    first = steps(block, folder, {}, env)
    marker = (folder / "plan.md").read_text(encoding="utf-8").splitlines()[0]
    answer = f"""case "$*" in *--paginate*) case "$*" in *'{marker}'*) echo 77;; esac;; esac"""
    if fails:
        (folder / "desired" / "added.yaml").write_text("kind: Nothing\n", encoding="utf-8")
        plan = next(
            s["run"]
            for w in workflows(block)
            for j in w["jobs"].values()
            for s in j["steps"]
            if "reconciler" in s.get("run", "") and "plan.md" in s["run"]
        )
        assert 3 == run(plan, folder, {}, env).code
        comment = [s for w in workflows(block) for j in w["jobs"].values() for s in j["steps"]][-1]
        done = run(comment["run"], folder, {"gh": answer}, {**env, "NUMBER": "7"})
        again = list(done.calls)
    else:
        again = steps(block, folder, {"gh": answer}, env)

    assert any(call.startswith("gh pr comment 7 --body-file plan.md") for call in first)
    assert any(
        "gh api --method PATCH repos/acme/identity/issues/comments/77 --field body=@plan.md" in call for call in again
    )
    assert not any(call.startswith("gh pr comment") for call in again)


@whole
def test_the_nightly_job_the_recording_and_the_forks_plan_run(tmp_path: Path):
    """A fork's pull request: a scheduled job records, and the plan of the fork comes from that without any login."""
    base = base_branch(tmp_path, "prod")
    folder = pull_request(base, tmp_path / "clone")
    shutil.copytree(base / ".reconciler" / "orgs", folder / ".reconciler" / "orgs")
    steps(found("on: {schedule:", "docs/ci.md"), folder, {}, {})
    steps(found("name: record", "docs/cassettes.md"), folder, {}, {})
    recording = tmp_path / "recorded.json"
    recording.write_bytes((folder / "org.json").read_bytes())
    brings = f"""case "$*" in *download*) cp {recording} org.json;; *list*) echo 5;; esac"""
    called = steps(found("name: plan", "docs/cassettes.md"), folder, {"gh": brings}, {"GITHUB_BASE_REF": "main"})

    assert "REPLAY" in (folder / "plan.md").read_text(encoding="utf-8")
    assert "gh run download 5 --name org" in [call.strip() for call in called]


# -- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of("console", "sh"))
def test_commands_run_as_they_are_typed(block: Block, project: Path):
    """Whoever types a document from top to bottom, in the example."""
    text = lines_typed(block.text)
    if any(text.startswith(begins) for begins in NOT_RUN):
        targets = set(re.findall(r"(?m)^([\w-]+):", read("Makefile")))
        assert targets >= set(re.findall(r"(?m)^make ([\w-]+)", text))
        return
    (project / "lost.yaml").write_text(found("faults:\n  - {call: [deploy", "docs/faults").text, encoding="utf-8")
    done = run(text, project, {"jq": "cat served.json > /dev/null && echo answer"})

    assert 0 == done.code, f"{text}\n{done.out}\n{done.err}"


def test_nothing_is_left_out_without_a_reason():
    """A reason for a block that is gone hides the next one that begins so."""
    typed = [lines_typed(block.text) for block in blocks() if block.language in ("console", "sh")]

    assert set() == {begins for begins in NOT_RUN if not any(text.startswith(begins) for text in typed)}


def test_the_flags_of_the_benchmarks_exist():
    """They take a quarter of an hour, so they are not run here."""
    typed = set(re.findall(r"--[\w-]+", found("python -m benchmarks", "benchmarks").text))

    assert set() == {flag for flag in typed if f'"{flag}"' not in read("benchmarks/__main__.py")}


@whole
def test_verify_against_the_mock_org_runs_as_it_is_written(tmp_path: Path):
    """Whoever follows "Against the mock org"; and what is shown at the top of the page is what comes out."""
    folder = example(tmp_path / "project")
    given = next(b for b in blocks() if b.document == "docs/verify.md" and "mock: .reconciler" in b.text)
    (own,) = documents_in(given.text)[0]["orgs"].values()
    configure(folder, {"verify": own["verify"]})
    content = yaml.safe_load((folder / "reconciler.yaml").read_text(encoding="utf-8"))
    content["orgs"]["dev"]["verify"] = own["verify"]
    (folder / "reconciler.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    applied(folder, "dev")
    rule = "reconciler mock rule PartnerIdpTokenHandler --issuer https://idp.partners.acme.example/ --audience https://acme.my.salesforce.com"
    assert 0 == run(rule, folder).code
    block = found("reconciler verify --allow-commands", "docs/verify")
    kept = run(lines_typed(block.text), folder)
    assert 0 == kept.code, kept.out + kept.err

    weakened = "reconciler mock set ExtlClntAppGlobalOauthSettings/order_portal isSecretRequiredForTokenExchange=false --as dana@acme.example"
    assert 0 == run(weakened, folder).code
    broken = run(lines_typed(block.text), folder)
    assert 7 == broken.code
    shown = found("ExternalClientApplication/order_portal", "docs/verify").text
    assert_shown(shown.replace("orgs.prod", "orgs.dev"), broken.out)


# -- Python ----------------------------------------------------------------------------------------------------------


class MyClient:
    """Stands for the client of whoever reads the page: it asks nothing, so the page's own assertion must fail."""

    def __init__(self, url: str, verify: object) -> None:
        assert url.startswith("https://")
        assert verify


def faults_page(text: str, folder: Path) -> None:
    with pytest.raises(AssertionError):
        exec(compile(text, "faults.md", "exec"), {"MyClient": MyClient})  # noqa: S102


def recording(text: str, folder: Path) -> None:
    assert 0 == run("reconciler drift --record org.json", folder).code
    exec(compile(text, "cassettes.md", "exec"), {"vcr": vcr, "requests": requests})  # noqa: S102


def mock_org(text: str, folder: Path) -> None:
    with patch.object(providers.mock, "serve", create_autospec(providers.mock.serve)):
        exec(compile(text, "mock.md", "exec"), {"requests": requests})  # noqa: S102


def oauth(text: str, folder: Path) -> None:
    exec(compile(text, "mock.md", "exec"), {"org": open_org(folder / ".reconciler" / "orgs" / "dev.db")})  # noqa: S102


PYTHON: Mapping[str, Callable[[str, Path], None]] = {
    "from providers.mock import Faults, open_org, serving": faults_page,
    "with vcr.use_cassette": recording,
    "from providers.mock import Faults, mount": mock_org,
    "key, secret = org.consumer": oauth,
}


@pytest.mark.parametrize("block", of("python"))
def test_python_runs(block: Block, project: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever copies a line into a test."""
    (does,) = (does for begins, does in PYTHON.items() if block.text.startswith(begins))
    monkeypatch.chdir(project)
    does(block.text, project)


# -- what is shown ---------------------------------------------------------------------------------------------------


def plain(line: str) -> str:
    """A line without what is another one in each run."""
    line = re.sub(r"00D\w{12,15}|0Af\w{12,15}", "ID", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", line)
    line = re.sub(r"in [\d.]+ s\b|\d+ (?:seconds?|minutes?|hours?|days?) ago", "SOON", line)
    return " ".join(line.split())


def assert_shown(block: str, output: str) -> None:
    """All lines of the block come out in their order. `…` stands for any number of lines."""
    ahead = [plain(line) for line in output.splitlines()]
    for line in map(plain, block.splitlines()):
        if line in ("", "…"):
            continue
        assert line in ahead, f"{line!r} is not (or not there) in:\n{output}"
        ahead = ahead[ahead.index(line) + 1 :]


def shown_of_the_demo(block: Block, folder: Path) -> None:
    done = run(f"sh {ROOT}/docs/demo.sh $(command -v reconciler)", folder)
    assert 0 == done.code, done.err
    assert_shown(block.text, done.out)


def shown_of_a_replay(block: Block, folder: Path) -> None:
    done = run("reconciler drift --record org.json && reconciler plan --replay org.json", folder)
    assert_shown(re.sub("5 hours", "0 seconds", block.text), re.sub(r", [^,]*? ago", ", 0 seconds ago", done.out))


def shown_of_a_verify(block: Block, folder: Path) -> None:
    assert "broken" in block.text  # compared above, with an org that was weakened


def shown_requirements(block: Block, folder: Path) -> None:
    first, second = block.text.splitlines()
    assert "-r run.txt" == first
    assert second.startswith("sf-reconciler @ https://")
    assert 'name = "sf-reconciler"' in read("pyproject.toml")


def shown_layers(block: Block, folder: Path) -> None:
    named = re.findall(r"[a-z_]+", block.text)
    missing = [
        n for n in named if not (ROOT / "reconciler" / n).is_dir() and not (ROOT / f"reconciler/{n}.py").exists()
    ]
    assert [] == missing
    assert all(f"reconciler.{name}" in read("pyproject.toml") for name in named)


TEXTS: Mapping[str, Callable[[Block, Path], None]] = {
    "$ reconciler check": shown_of_the_demo,
    "REPLAY of a recording": shown_of_a_replay,
    "ExternalClientApplication/order_portal": shown_of_a_verify,
    "-r run.txt": shown_requirements,
    "errors, security": shown_layers,
}


@whole
@pytest.mark.parametrize("block", of("text"))
def test_what_is_shown_is_what_comes_out(block: Block, project: Path):
    """Whoever compares their screen with the page."""
    (compares,) = (compares for begins, compares in TEXTS.items() if block.text.startswith(begins))
    compares(block, project)


# -- what is committed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ignored", [found(".reconciler/*", "README").text, read(".gitignore")], ids=["README", "ours"])
def test_baselines_are_committed_and_nothing_else_of_the_folder(ignored: str, project: Path):
    """Whoever runs `git add -A` after the first apply."""
    folder = project
    (folder / ".gitignore").write_text(ignored, encoding="utf-8")
    for name in ("00D.acme.journal", "00D.acme.lock", "00D.acme.owner"):
        (folder / ".reconciler" / "baselines" / name).touch()
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    kept = [name for name in git(folder, "ls-files").splitlines() if name.startswith(".reconciler/")]

    assert 1 == len(kept)
    assert re.fullmatch(r"\.reconciler/baselines/\w+\.acme-identity\.json", kept[0])


def test_what_the_pipeline_of_the_readme_writes_is_not_committed(project: Path):
    """A saved plan on a branch is applied by mistake, and a report in the history names people."""
    (project / ".gitignore").write_text(found(".reconciler/*", "README").text, encoding="utf-8")
    written = set(
        re.findall(r"(?:--out |--output \w+=)([\w.]+)", read("README.md").partition("reconciler plan --org prod")[2])
    )
    for name in written:
        (project / name).touch()
    git(project, "init", "-q")
    git(project, "add", "-A")

    assert {"plan.json", "plan.md", "drift.html"} <= written
    assert set() == written & set(git(project, "ls-files").splitlines())


def test_no_live_org_has_been_seen_is_said_at_the_top():
    """Whoever would trust production to it on the first day."""
    assert "No live org has been seen yet" in read("README.md")[:1_500]
