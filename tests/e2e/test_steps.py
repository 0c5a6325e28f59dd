"""docs/semantics.md (Several steps), and what a failure leaves behind: all of a step lands or nothing, and the next apply goes on."""

from collections.abc import Iterator
from functools import partial

import pytest
import requests

from providers.salesforce import calls as client
from providers.salesforce.files.packing import Limits
from tests.e2e.build import APP, DANA, GLOBAL, app, enablement, handler, handler_class, oidc, portal, record, scope
from tests.e2e.project import Project
from tests.e2e.served import App, behind

TOO_LONG = [f"https://a.example/{'x' * 2000}"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform takes three files a deployment, manifests aside."""
    monkeypatch.setattr(client, "Limits", partial(Limits, files=6))


def test_a_refused_component_leaves_org_and_baseline_as_they_were(project: Project):
    """*A deployment that fails leaves org and baseline as they were*: nineteen good components must not land alone."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(), scope(), handler(), enablement("portal"))
    project.apply()
    org, baseline = project.content(), project.baseline_file.read_bytes()
    project.source("PartnerIdpHandler", handler_class(comment="better"))
    project.declare(
        portal(isTokenExchangeEnabled=True),
        portal("second", callbackUrl=TOO_LONG),
        scope(isPublic=True),
        handler(description="Better"),
        enablement("portal", isDefault=True),
    )

    found = project.run("apply", "--auto-approve")

    assert (6, True) == (found.code, "not landed" in found.out)
    assert (org, baseline) == (project.content(), project.baseline_file.read_bytes())


def test_a_first_apply_that_fails_manages_nothing_and_has_the_org_as_it_was(project: Project):
    """What others change until the next one must not pass for what was there."""
    before = project.content()
    project.declare(portal(), portal("second", callbackUrl=TOO_LONG))

    assert 6 == project.run("apply", "--auto-approve").code
    assert (before, {}, 0) == (project.content(), project.managed, project.run("drift").code)
    project.org.set("ConnectedApp/Partner_Portal", {"label": "Theirs"}, as_user=DANA)
    project.declare(portal())
    project.apply()
    assert {"ConnectedApp/Partner_Portal.label": ("Partner Portal", "Theirs")} == project.drifted()


def test_a_failed_deletion_leaves_everything(project: Project):
    """A class that is still in use, an app that somebody needs: the org says no to all of the step."""
    project.declare(app("a"), portal())
    project.apply()
    org, baseline = project.content(), project.baseline_file.read_bytes()
    project.declare(portal(callbackUrl=TOO_LONG))

    assert 6 == project.run("apply", "--auto-approve", "--allow", "delete").code
    assert (org, baseline) == (project.content(), project.baseline_file.read_bytes())


def test_the_org_s_words_stand_at_the_line_that_caused_them(project: Project):
    """Salesforce names a file that we made; people have to find theirs."""
    project.declare(app("fine"), portal(policies={"commaSeparatedPermissionSet": ["Nobody_Knows_Me"]}))

    found = project.run("apply", "--auto-approve")

    text = (project.root / "desired" / "identity.yaml").read_text(encoding="utf-8").splitlines()
    line = text.index("  commaSeparatedPermissionSet:") + 1
    assert "INVALID_FIELD: We couldn't find permission sets called Nobody_Knows_Me" in found.out
    assert (6, True) == (found.code, f"desired/identity.yaml:{line}" in found.out), found.out


def test_a_validation_names_the_line_too(project: Project):
    """`plan --validate` in a pull request is where most of these are seen."""
    project.declare(app("fine"), portal(policies={"commaSeparatedPermissionSet": ["Nobody_Knows_Me"]}))

    found = project.run("plan", "--validate")

    text = (project.root / "desired" / "identity.yaml").read_text(encoding="utf-8").splitlines()
    line = text.index("  commaSeparatedPermissionSet:") + 1
    assert (3, True) == (found.code, f"desired/identity.yaml:{line}" in found.err), found.err


def test_what_the_org_says_of_settings_stands_at_their_document(project: Project):
    """Settings are called `Settings/OauthOidc` by the org, and `OauthOidcSettings` by everybody else."""
    inside = "<blockOAuthUnPwFlow>false</blockOAuthUnPwFlow><enableSomethingNew>true</enableSomethingNew>"
    project.org.load_component("OauthOidcSettings", "OauthOidc", record("OauthOidcSettings", inside))
    project.declare(app("fine"), oidc(blockOAuthUnPwFlow=True))

    found = project.run("apply", "--auto-approve")

    assert (6, True) == (found.code, "desired/identity.yaml:6" in found.out), found.out


@pytest.mark.usefixtures("small")
def test_beyond_the_limits_there_are_several_steps(project: Project):
    """*Where the platform's limits force more*: related components stay together, and the result is the same."""
    project.declare(portal("a"), portal("b"), portal("c"))

    assert 3 == project.plan()["summary"]["steps"]
    project.apply()
    assert (3, {}, {}) == (project.org.calls["write:deployRequest"], project.planned(), project.drifted())


@pytest.mark.usefixtures("small")
def test_what_landed_is_written_at_once_and_what_did_not_is_listed(project: Project):
    """*Exit 6 lists each step as landed, not landed or unknown*; an apply that is cut off must know what it did."""
    project.declare(portal("a"), portal("b", callbackUrl=TOO_LONG), portal("c"))

    found = project.run("apply", "--auto-approve")

    assert 6 == found.code
    assert ["landed", "not landed", "not landed"] == [line.split(": ")[1].split(" (")[0] for line in steps(found.out)]
    assert {"a"} == {address.partition("/")[2] for address in project.managed}
    assert [None, None] == [project.held(f"ExternalClientApplication/{name}") for name in "bc"]


@pytest.mark.usefixtures("small")
def test_the_next_apply_goes_on_where_the_last_one_failed(project: Project):
    """*The next apply continues*: what landed is not sent again, and what the org made along with it is no drift."""
    project.declare(portal("a"), portal("b", callbackUrl=TOO_LONG), portal("c"))
    project.run("apply", "--auto-approve")
    assert {} == project.drifted()
    project.declare(portal("a"), portal("b"), portal("c"))

    assert {"b", "c"} == {change.rpartition("/")[2] for change in project.planned()}
    project.apply()
    assert ({}, {}) == (project.planned(), project.drifted())


@pytest.mark.usefixtures("small")
def test_a_stranger_that_changed_between_two_steps_is_still_reported(project: Project):
    """The baseline of the first step must not swallow what happened during the second."""
    project.declare(portal("a"), portal("b"), app("kept"))
    project.apply()
    project.org.set("ExternalClientApplication/kept", {"description": "Theirs"}, as_user=DANA)
    project.declare(portal("a", isTokenExchangeEnabled=True), portal("b", callbackUrl=TOO_LONG), app("kept"))

    project.run("apply", "--auto-approve")

    assert {"ExternalClientApplication/kept.description": (None, "Theirs")} == project.drifted()


@pytest.mark.usefixtures("small")
def test_a_deletion_comes_after_what_lets_go_of_it(project: Project):
    """In the last step, or the org would refuse it, or take the others along."""
    project.declare(*(portal(name) for name in "abc"))
    project.apply()
    project.declare(portal("a", isTokenExchangeEnabled=True), portal("b", isTokenExchangeEnabled=True))

    project.apply("--allow", "delete")

    assert (None, {}, {}) == (project.held("ExternalClientApplication/c"), project.planned(), project.drifted())


def test_a_lost_answer_is_found_again_and_never_sent_twice(project: Project):
    """The line drops while the org works: the org lists what it took, and that is known by what it does."""
    project.declare(portal())
    with behind(Losing("POST", "deployRequest")):
        project.apply()

    assert (1, {}) == (project.org.calls["write:deployRequest"], project.planned())


def test_a_lost_answer_is_unknown_where_the_org_does_not_show_its_deployments(project: Project):
    """It may have landed, and only the next look at the org can tell."""
    project.declare(portal())
    project.org.switch("unreadable_objects", {"DeployRequest"})
    with behind(Losing("POST", "deployRequest")):
        found = project.run("apply", "--auto-approve")

    assert (6, ["unknown"]) == (found.code, [line.split(": ")[1].split(" (")[0] for line in steps(found.out)])
    assert 1 == project.org.calls["write:deployRequest"]
    assert {} == project.managed
    project.apply()
    assert (1, {APP, GLOBAL}) == (project.org.calls["write:deployRequest"], {APP, GLOBAL} & set(project.baseline))


class Losing:
    """The org does what it is asked, and its answer to one kind of request gets lost."""

    def __init__(self, method: str, path: str) -> None:
        self._method, self._path = method, path

    def __call__(self, application: App) -> App:
        def answer(environ: dict, start_response: object) -> Iterator[bytes]:
            found = application(environ, start_response)
            if environ["REQUEST_METHOD"] == self._method and environ["PATH_INFO"].endswith(self._path):
                list(found)
                raise requests.ConnectionError("the line dropped")
            return found

        return answer


def steps(out: str) -> list[str]:
    """The lines that say what became of each step."""
    return [line for line in out.splitlines() if line.startswith(("Step ", "Deployment: "))]
