"""One exit code, one meaning: a pipeline decides by it and reads nothing else."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from providers.salesforce import calls as client
from providers.salesforce.wire.polling import Patience
from reconciler.baseline.store import Store
from tests.e2e.build import APP, DANA, GLOBAL, LEGACY, app, legacy, portal
from tests.e2e.project import Project, Terminal
from tests.e2e.served import behind, closed_port, executable, rewriting, served

READING = (["plan"], ["apply", "--auto-approve"], ["drift"], ["baseline", "list"])
"""Commands that ask the org."""

Prepare = Callable[[Project], Any]


@dataclass(frozen=True)
class Case:
    """A command, what was done before it, its exit code, and a word that its output must hold."""

    code: int
    command: str
    says: str
    before: Prepare = lambda _: None


def applied(project: Project, *documents: Any) -> None:
    project.declare(*(documents or (portal(),)))
    project.apply()


def weakened(project: Project) -> None:
    applied(project)
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)


def relabelled(project: Project) -> None:
    """Drift that opens nothing."""
    applied(project)
    project.org.set(APP, {"infoUrl": "https://acme.example/info"}, as_user=DANA)


def emptied(project: Project) -> None:
    applied(project)
    project.declare()


def removed(project: Project) -> None:
    applied(project, portal(), app("other"))
    project.declare(app("other"))


def declared(*documents: Any) -> Prepare:
    return lambda project: project.declare(*documents)


def misspelt(project: Project) -> None:
    project.declare(app(labl="Portal"))


def overlong(project: Project) -> None:
    """What our schema lets through and the org does not."""
    applied(project)
    project.declare(portal(callbackUrl=[f"https://a.example/{'x' * 2000}"]))


def plan_file(project: Project, text: str) -> None:
    (project.root / "plan.json").write_text(text, encoding="utf-8")


def another_org(project: Project) -> None:
    project.configure(org_id="00D000000000001EAA")


def no_permission(project: Project) -> None:
    project.configure(login={"username": "eli@acme.example"})


def nothing_of_kind(project: Project) -> None:
    applied(project)
    project.org.switch("unreadable_kinds", ["ExternalClientApplication"])


CASES = [
    Case(0, "plan", "No changes."),
    Case(0, "plan", "Plan: 3 to create", declared(portal())),
    Case(0, "plan --detailed-exitcode", "No changes.", applied),
    Case(0, "apply --auto-approve", "Applied: 3 created", declared(portal())),
    Case(0, "apply --auto-approve", "No changes.", applied),
    Case(0, "drift", "No drift.", applied),
    Case(0, "drift --fail-on high", "Drift: 1 finding (1 low).", relabelled),
    Case(0, "drift --fail-on critical", "Drift: 1 finding (1 high).", weakened),
    Case(0, "drift --against desired", "No drift.", applied),
    Case(0, "check", "no findings", declared(portal())),
    Case(0, "baseline list", APP, applied),
    Case(0, f"baseline show {APP}", "contactEmail", applied),
    Case(0, f"baseline accept {GLOBAL}", "accepted", weakened),
    Case(0, f"baseline forget {APP}", "forgot", applied),
    Case(0, "mock users", DANA),
    Case(0, f"mock set {LEGACY} label=ERP --as {DANA}", "changed label"),
    Case(0, "mock audit", ""),
    Case(0, "mock reset", "new org 00D"),
    Case(0, "--help", "Usage"),
    Case(0, "--version", "reconciler"),
    Case(2, "plan --detailed-exitcode", "Plan: 3 to create", declared(portal())),
    Case(2, "drift", "Drift: 1 finding (1 low).", relabelled),
    Case(2, "drift --fail-on high", "Drift: 1 finding (1 high).", weakened),
    Case(2, "drift --against desired", "Drift: 3 findings", declared(portal())),
    Case(3, "plan", "labl is not a field", misspelt),
    Case(3, "apply --auto-approve", "labl is not a field", misspelt),
    Case(4, "drift", "the files are left aside", misspelt),
    Case(3, "drift --against desired", "labl is not a field", misspelt),
    Case(3, "check", "labl is not a field", misspelt),
    Case(3, "plan", "declare nothing", emptied),
    Case(3, "apply --auto-approve", "declare nothing", emptied),
    Case(3, "plan --colour", "--colour"),
    Case(3, "blueprint", "blueprint"),
    Case(3, "", "which command?"),
    Case(3, "baseline", "which command?"),
    Case(3, "plan --org prod", "'prod' is not an org"),
    Case(3, "plan --output yaml", "no such format"),
    Case(3, f"plan --target {APP}", "neither declared nor managed"),
    Case(3, "plan --target Application/portal", "is not a kind"),
    Case(3, f"plan --replace {GLOBAL}", "cannot be replaced", declared(portal())),
    Case(3, "apply --auto-approve --allow everything", "no such guard"),
    Case(3, "apply plan.json", "plan.json does not exist"),
    Case(3, "apply plan.json", "not a saved plan", lambda project: plan_file(project, "{}")),
    Case(3, "drift --fail-on bad", "--fail-on"),
    Case(3, "drift --against origin", "write baseline or desired"),
    Case(3, "baseline show ConnectedApp/None", "not in the baseline", applied),
    Case(3, "baseline accept ConnectedApp/Nobody", "neither in the baseline nor in the org", applied),
    Case(3, f"baseline forget {LEGACY}", "not managed", applied),
    Case(3, f"mock set ConnectedApp/Nobody label=X --as {DANA}", "the org has no ConnectedApp/Nobody"),
    Case(3, f"mock set {LEGACY} label --as {DANA}", "is not FIELD=VALUE"),
    Case(3, f"mock set {LEGACY} label=X --as nobody@acme.example", "is nobody in this org"),
    Case(4, "drift", "no baseline", declared(portal())),
    Case(4, "baseline list", "no baseline"),
    Case(4, "apply --auto-approve", "--allow delete", removed),
    Case(4, "apply", "no terminal", declared(portal())),
    Case(4, "plan", "pins", another_org),
    Case(4, "apply --auto-approve", "pins", another_org),
    Case(4, "drift", "pins", another_org),
    Case(5, "plan", "does not allow this", no_permission),
    Case(5, "apply --auto-approve", "does not allow this", no_permission),
    Case(5, "drift", "does not allow this", no_permission),
    Case(5, "plan", "could not be read", nothing_of_kind),
    Case(5, "apply --auto-approve", "could not be read", nothing_of_kind),
    Case(5, "drift", "could not be read", nothing_of_kind),
    Case(6, "apply --auto-approve", "not landed", overlong),
    Case(3, "plan --validate", "the org would refuse", overlong),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.command} {case.says}".replace("/", "|"))
def test_each_outcome_has_its_exit_code(project: Project, case: Case):
    """A pipeline that takes a refusal for a success deploys nothing and says that all is well."""
    case.before(project)

    found = project.run(*case.command.split())

    assert (case.code, True) == (found.code, case.says in found.said), found.said


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not wait between its tries."""
    monkeypatch.setattr(client, "Patience", partial(replace, Patience(backoff=0.0)))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_an_org_that_does_not_answer_is_a_failure_and_no_finding(project: Project, command: list[str]):
    """A scheduled check must not call an outage drift, nor a refusal."""
    project.configure(mock=None, instance_url=closed_port(), login={"flow": "token", "access_token": env("TOKEN")})

    found = project.run(*command, TOKEN="00D000000000001!abc")

    assert (1, True) == (found.code, "cannot be reached" in found.err)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_an_expired_token_is_not_allowed(project: Project, command: list[str]):
    """Whoever is called at night must know at once that only the login is wrong."""
    with served(project.org) as url:
        project.configure(mock=None, instance_url=url, login={"flow": "token", "access_token": env("TOKEN")})

        found = project.run(*command, TOKEN="00D000000000001!expired")

    assert (5, True) == (found.code, "does not accept the login" in found.err)
    assert "!expired" not in found.said


def test_the_same_commands_work_over_a_socket(project: Project):
    """The embedded org is a convenience; a real org is behind HTTP."""
    project.declare(portal())
    with served(project.org) as url:
        project.configure(mock=None, instance_url=url, login={"flow": "token", "access_token": env("TOKEN")})
        token = project.org.access_token()

        assert 0 == project.run("apply", "--auto-approve", TOKEN=token).code
        assert 0 == project.run("plan", "--detailed-exitcode", TOKEN=token).code
        assert 0 == project.run("drift", TOKEN=token).code


def test_a_held_lock_refuses_an_apply_and_names_the_holder(project: Project):
    """Two pipelines at once would overwrite each other's baseline."""
    project.declare(portal())
    with Store(project.root / ".reconciler" / "baselines", "acme").lock(project.org.org_id):
        found = project.run("apply", "--auto-approve")

        assert (4, True) == (found.code, f"process {os.getpid()}" in found.err)
        assert 0 == project.run("plan").code
    project.apply()


def test_an_answer_other_than_yes_refuses(project: Project):
    """`y` by habit is not consent to change who may log in."""
    project.declare(portal())
    before = project.content()

    found = project.run("apply", stdin=Terminal("y"))

    assert (4, True) == (found.code, "not confirmed" in found.err)
    assert before == project.content()


def test_yes_applies(project: Project):
    """And the plan is shown before the question, on standard error."""
    project.declare(portal())

    found = project.run("apply", stdin=Terminal("yes"))

    assert (0, True) == (found.code, "Plan: 3 to create" in found.err)


def test_an_org_that_silently_drops_a_value_is_not_converged(project: Project):
    """The guide says of `pluginExecutionUser` that an invalid user is silently removed on deploy."""
    project.declare(legacy(pluginExecutionUser="nobody@acme.example"))

    found = project.run("apply", "--auto-approve")

    assert (7, True) == (found.code, "pluginExecutionUser" in found.out), found.said
    assert "Not converged" in found.out


def test_an_org_that_rewrites_a_value_is_not_converged(project: Project):
    """A habit of the platform that nobody has described yet must not end as a success."""
    project.declare(portal(policies={"sessionTimeoutInMinutes": 30}))
    with behind(rewriting(b"<sessionTimeoutInMinutes>30<", b"<sessionTimeoutInMinutes>60<")):
        found = project.run("apply", "--auto-approve")

    assert (7, True) == (found.code, "sessionTimeoutInMinutes" in found.out), found.said


def test_ctrl_c_at_the_question_is_interrupted_and_frees_the_lock(project: Project):
    """A person who changes their mind must be able to start again."""
    project.declare(portal())

    def pressed() -> None:
        raise KeyboardInterrupt

    found = project.run("apply", stdin=Terminal("", pressed))

    assert (130, True) == (found.code, "interrupted" in found.err)
    assert {} == project.baseline
    project.apply()


@pytest.mark.parametrize(
    ("command", "stage"),
    [("plan", "retrieving"), ("apply --auto-approve", "deploying"), ("drift", "retrieving")],
)
def test_ctrl_c_while_the_org_works_is_interrupted(project: Project, command: str, stage: str):
    """A CI runner that cancels a job must not read it as a finding."""
    if command == "drift":
        applied(project)
    project.declare(portal())
    project.org.switch("retrieve_polls" if stage == "retrieving" else "deploy_polls", 10_000)

    found = executable(project, *command.split(), interrupt_at=stage)

    assert (130, False) == (found.code, "Traceback" in found.err), found.err


def test_an_apply_that_was_interrupted_is_continued(project: Project):
    """The org went on by itself: the next apply adopts what landed and asks for nothing twice."""
    project.declare(portal())
    project.org.switch("deploy_polls", 10_000)
    executable(project, "apply", "--auto-approve", interrupt_at="deploying 3 components")
    project.org.switch("deploy_polls", 0)

    project.apply()

    assert "portal" == project.held(APP, "label")
    assert {} == project.planned()
    assert 1 == project.org.calls["write:deployRequest"]


@pytest.mark.parametrize(
    ("code", "command"),
    [(2, "plan --detailed-exitcode"), (3, "plan --nonsense"), (4, "drift")],
)
def test_the_executable_ends_with_the_same_codes(project: Project, code: int, command: str):
    """What the shell sees is what counts."""
    project.declare(portal(callbackUrl=[f"https://a.example/{'x' * 2000}"]))

    found = executable(project, *command.split())

    assert (code, False) == (found.code, "Traceback" in found.err), found.err


def test_an_unexpected_error_is_a_failure_without_a_traceback(project: Project):
    """A defect of ours must not look like any of the other outcomes."""
    project.declare(portal())
    (project.root / "sitecustomize.py").write_text(BROKEN, encoding="utf-8")

    found = executable(project, "plan", PYTHONPATH=str(project.root))

    assert (1, False) == (found.code, "Traceback" in found.err), found.err


BROKEN = """
import reconciler.engine.plan
reconciler.engine.plan.draft.draft = None
"""


def env(name: str) -> dict[str, Any]:
    return {"secret": {"env": name}}
