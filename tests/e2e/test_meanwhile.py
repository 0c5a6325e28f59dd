"""What others do to the org, and to the files, while we plan and apply: nothing of it is hidden, undone or taken for ours."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from providers.mock import MockOrgError
from reconciler.model.address import Address
from reconciler.schema.body import canonical_value
from reconciler.schema.paths import field_at
from tests.e2e.build import APP, DANA, GLOBAL, LEGACY, POLICY, app, legacy, oidc, portal, scope
from tests.e2e.project import Project
from tests.e2e.served import App, behind
from tests.e2e.test_idempotence import through_the_wire

PARTNER, MARKETING = "ConnectedApp/Partner_Portal", "ExternalClientApplication/Marketing_Dashboard"
READ = 8
"""A plan has read the org before the request of this number."""
POINTS = 30
"""An apply of one step makes fewer requests; what is left is done when it is over."""

BEFORE = (portal(isPkceRequired=True, policies={}), legacy(label="ERP"), oidc(isPkceRequired=True), app("other"))
AFTER = (
    portal(isPkceRequired=True, isTokenExchangeEnabled=True, policies={}),
    legacy(label="ERP 2"),
    oidc(isPkceRequired=True),
    app("other"),
    app("new"),
)
EDITS = st.sampled_from(
    [
        (APP, "description", "theirs"),
        (APP, "label", "theirs"),
        (GLOBAL, "isSecretRequiredForRefreshToken", "false"),
        (GLOBAL, "callbackUrl", "https://theirs.example/cb"),
        (GLOBAL, "isTokenExchangeEnabled", "true"),
        (POLICY, "permittedUsersPolicyType", "AllSelfAuthorized"),
        (POLICY, "sessionTimeoutInMinutes", "30"),
        (LEGACY, "label", "theirs"),
        (LEGACY, "description", "theirs"),
        (LEGACY, "oauthConfig.isConsumerSecretOptional", "true"),
        ("OauthOidcSettings/OauthOidc", "isPkceRequired", "false"),
        ("ExternalClientApplication/other", "description", "theirs"),
        ("ExternalClientApplication/new", "description", "theirs"),
        (PARTNER, "oauthConfig.callbackUrl", "https://theirs.example/cb"),
        (PARTNER, "description", "theirs"),
        (MARKETING, "contactEmail", "theirs@theirs.example"),
    ]
)


@contextmanager
def project_in(fresh_org: Path) -> Iterator[Project]:
    """A project in a folder and an org of its own."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), fresh_org)
        try:
            yield project
        finally:
            project.org.close()


@contextmanager
def before_requests(doing: dict[int, list[Any]]) -> Iterator[None]:
    """Do things just before the requests of these numbers; what is left is done in the end."""
    number = 0

    def wrap(application: App) -> App:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            nonlocal number
            for action in doing.pop(number, []):
                action()
            number += 1
            return application(environ, start_response)

        return answer

    with behind(wrap):
        yield
    for actions in [doing.pop(point) for point in sorted(doing)]:
        for action in actions:
            action()


@through_the_wire
@given(edits=st.lists(st.tuples(st.integers(0, POINTS), EDITS), min_size=1, max_size=4), first=st.booleans())
def test_no_baseline_hides_what_others_change_while_an_apply_is_under_way(
    fresh_org: Path, edits: list[tuple[int, tuple[str, str, str]]], first: bool
):
    """Anything that was changed between the first and the last request is as it was, or drift; at a first apply, too."""
    with project_in(fresh_org) as project:
        if not first:
            project.declare(*BEFORE)
            project.apply()
        before = {(address, field): project.held(address, field) for _, (address, field, _) in edits}
        project.declare(*AFTER)
        doing: dict[int, list[Any]] = {}
        for point, (address, field, value) in edits:
            doing.setdefault(point, []).append(lambda a=address, f=field, v=value: attempt(project, a, f, v))
        with before_requests(doing):
            found = project.run("apply", "--auto-approve")
        assert found.code in (0, 4, 7), found.said
        event(f"exit {found.code}")
        if found.code == 4 and first:
            return
        drifted = project.drifted()
        landed = found.code != 4
        for _, (address, field, value) in edits:
            if first and any(edit == (address, field, value) and at < READ for at, edit in edits):
                # It was there when the org was seen for the first time.
                continue
            now = project.held(address, field)
            was = before[address, field]
            if landed and (address, field) in SENT:
                was = SENT[address, field]
            elif first and landed and (address, field) in DECLARED:
                was = DECLARED[address, field]
            seen = f"{address}.{field}" in drifted or address in drifted
            if now == value and not same(address, field, was, now):
                assert seen, (address, field, was, now, drifted, found.said)


def same(address: str, field: str, one: Any, other: Any) -> bool:
    """Whether two texts of the wire are one value: what is not there is the platform's default."""
    *_, last = field_at(Address.parse(address).struct, tuple(field.split(".")))
    return bool(canonical_value(last, one) == canonical_value(last, other))


SENT = {(LEGACY, "label"): "ERP 2", (GLOBAL, "isTokenExchangeEnabled"): "true"}
DECLARED = {
    ("OauthOidcSettings/OauthOidc", "isPkceRequired"): "true",
    (APP, "label"): "portal",
    (GLOBAL, "callbackUrl"): "https://portal.acme.example/callback",
}


def attempt(project: Project, address: str, field: str, value: str) -> None:
    """An edit as an admin would make it; what is not there yet cannot be edited."""
    try:
        project.org.set(address, {field: value}, as_user=DANA)
    except MockOrgError:
        event("the org refused the edit")


# --- the files -------------------------------------------------------------------------------------------------------


FILES = st.sampled_from(["desired/identity.yaml", "desired/PartnerIdpHandler.cls", "reconciler.yaml"])
CHANGE = st.sampled_from(["comment", "blank line", "gone", "renamed", "another beside it", "last byte"])


@through_the_wire
@given(name=FILES, change=CHANGE)
def test_a_plan_whose_files_have_changed_in_any_way_does_nothing(fresh_org: Path, name: str, change: str):
    """Never an effect that no reviewer saw, in the org or in the baseline."""
    with project_in(fresh_org) as project:
        project.declare(portal(), legacy(label="ERP"))
        project.source("PartnerIdpHandler", "public class PartnerIdpHandler {}")
        project.apply()
        project.declare(portal(isTokenExchangeEnabled=True), legacy(label="ERP"))
        assert 0 == project.run("plan", "--out", "plan.json").code
        content, baseline, writes = project.content(), project.baseline, project.org.write_calls
        _alter(project.root / name, change)

        found = project.run("apply", "plan.json")

        assert found.code in (3, 4), found.said
        assert (content, baseline, writes) == (project.content(), project.baseline, project.org.write_calls)


def _alter(file: Path, change: str) -> None:
    text = file.read_text(encoding="utf-8")
    mark = "//" if file.suffix == ".cls" else "#"
    match change:
        case "comment":
            file.write_text(f"{mark} later\n{text}", encoding="utf-8")
        case "blank line":
            file.write_text(f"{text}\n\n", encoding="utf-8")
        case "last byte":
            file.write_text(text[:-1], encoding="utf-8")
        case "gone":
            file.unlink()
        case "renamed" if file.suffix != ".cls":
            file.rename(file.with_name(f"more-{file.name}"))
        case _:
            shutil.copy(file, file.with_name(f"Another{file.suffix}"))
            file.write_text(f"{text}{mark} later\n", encoding="utf-8")


# --- a name is no identity -------------------------------------------------------------------------------------------


TEAMS = ("one", "two", "three")


@through_the_wire
@given(
    remade=st.lists(st.tuples(st.integers(-1, POINTS), st.sampled_from(TEAMS)), min_size=1, max_size=3),
    left=st.sets(st.sampled_from(TEAMS)),
    replan=st.booleans(),
)
def test_a_record_that_others_made_anew_is_never_deleted_or_overwritten(
    fresh_org: Path, remade: list[tuple[int, str]], left: set[str], replan: bool
):
    """The name is ours, the record is another team's: with their keys, their tokens and their users."""
    with project_in(fresh_org) as project:
        project.declare(*(app(name, description="ours") for name in TEAMS))
        project.apply()
        project.declare(*(app(name, description="ours, later") for name in sorted(left)), app("kept"))
        theirs: dict[str, str] = {}
        doing: dict[int, list[Any]] = {}
        for point, name in remade:
            if point < 0:
                make_anew(project, name, theirs)
            else:
                doing.setdefault(point, []).append(lambda n=name: make_anew(project, n, theirs))
        with before_requests(doing):
            found = project.run("apply", "--auto-approve", "--allow", "delete")
        if replan:
            assert project.run("apply", "--auto-approve", "--allow", "delete").code in (0, 4, 7)

        assert found.code in (0, 4, 7), found.said
        for name, id in theirs.items():
            with project.org.reading() as world:
                kept = world.component("ExternalClientApplication", name)
            if kept is None or kept.id != id or "ours, later" == project.held(f"{kept.kind}/{name}", "description"):
                # It was made between our last look and the deployment: no client can close that gap, but it can be told.
                assert 7 == found.code, found.said
                continue
            assert (id, "theirs") == (kept.id, project.held(f"ExternalClientApplication/{name}", "description"))
            told = project.run("drift", "--output", "json").json["findings"]
            assert f"ExternalClientApplication/{name}" in {one["address"] for one in told}


def make_anew(project: Project, name: str, theirs: dict[str, str]) -> None:
    address = f"ExternalClientApplication/{name}"
    try:
        project.org.delete(address, as_user=DANA)
    except MockOrgError:
        event("it was gone already")
    fields = {"label": name, "contactEmail": "x@theirs.example", "description": "theirs"}
    project.org.create(address, fields, as_user=DANA)
    with project.org.reading() as world:
        theirs[name] = world.component("ExternalClientApplication", name).id


# --- everything is watched -------------------------------------------------------------------------------------------


@through_the_wire
@given(data=st.data())
def test_whatever_no_file_declares_is_watched(fresh_org: Path, data: st.DataObject):
    """300 apps that were there before us, and one callback URL that moves to a stranger's host."""
    with project_in(fresh_org) as project:
        project.declare(app("ours"))
        project.apply()
        edits = data.draw(
            st.dictionaries(
                st.sampled_from([(PARTNER, "oauthConfig.callbackUrl"), (PARTNER, "label"), (MARKETING, "description")]),
                st.sampled_from(["https://theirs.example/cb"]),
                min_size=1,
            )
        )
        for (address, field), value in edits.items():
            project.org.set(address, {field: value}, as_user=DANA)
        project.run("apply", "--auto-approve")

        found = project.run("drift", "--output", "json")

        told = {(one["address"], ".".join(one["path"])): one["unmanaged"] for one in found.json["findings"]}
        assert (2, dict.fromkeys(edits, True)) == (found.code, told)


def test_a_project_may_watch_only_what_it_manages(project: Project):
    """`watch: managed`: in an org of many teams each looks after its own."""
    file = project.root / "reconciler.yaml"
    file.write_text(f"watch: managed\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    project.declare(portal(policies={}))
    project.apply()
    project.org.set(PARTNER, {"oauthConfig.callbackUrl": "https://theirs.example/cb"}, as_user=DANA)
    project.org.set(POLICY, {"sessionTimeoutInMinutes": "30"}, as_user=DANA)

    assert {f"{POLICY}.sessionTimeoutInMinutes"} == set(project.drifted())


def test_a_pattern_accepts_all_that_it_fits(project: Project):
    """After a migration by another team, forty apps have another contact."""
    project.declare(app("ours"))
    project.apply()
    for address in (PARTNER, LEGACY):
        project.org.set(address, {"description": "moved", "label": "Moved"}, as_user=DANA)

    assert 3 == project.run("baseline", "accept", "ConnectedApp/Nothing*").code
    assert 0 == project.run("baseline", "accept", "ConnectedApp/*.description").code
    assert {f"{PARTNER}.label", f"{LEGACY}.label"} == set(project.drifted())
    found = project.run("baseline", "accept", "ConnectedApp/P*")
    assert (0, f"accepted {PARTNER}\n") == (found.code, found.out)
    assert {f"{LEGACY}.label"} == set(project.drifted())


def test_apps_that_are_in_no_file_are_counted(project: Project):
    """Whoever declares one app of three must not believe that all is under control."""
    project.declare(app("ours"))

    planned = project.run("plan").out.rstrip().splitlines()[-1]
    assert (
        "Plan: 1 to create, 0 to update, 0 to delete. 3 apps are in no file; reconciler pull takes them in." == planned
    )
    assert project.apply().out.rstrip().splitlines()[-1].startswith("Applied: 1 created")
    assert (
        "No changes. 3 apps are in no file; reconciler pull takes them in."
        == project.run("plan").out.rstrip().splitlines()[-1]
    )
    assert (
        "No drift. 3 apps are in no file; reconciler pull takes them in."
        == project.run("drift").out.rstrip().splitlines()[-1]
    )


def test_another_record_of_an_old_name_needs_a_word_to_be_taken_over(project: Project):
    project.declare(app(description="ours"))
    project.apply()
    make_anew(project, "portal", {})
    project.declare(app(description="ours, later"))

    refused = project.run("apply", "--auto-approve")
    assert (4, True) == (refused.code, "is another record of that name" in refused.err)
    project.apply("--allow", "takeover")
    assert "ours, later" == project.held(APP, "description")
    assert {} == {key: value for key, value in project.drifted().items() if key == APP}


def test_what_others_add_to_an_app_is_not_taken_for_what_the_org_made(project: Project):
    """An apply of something else, even of a scope of the same name, must not sweep a stranger's callback under the carpet."""
    project.declare(app("x"))
    project.apply()
    project.org.create("ExtlClntAppOauthSettings/x", {"commaSeparatedOauthScopes": "Full"}, as_user=DANA)
    before = set(project.drifted())
    project.declare(app("x"), scope("x"))
    project.apply()

    assert before
    assert before == set(project.drifted())


def test_a_weakening_that_a_replacement_sends_along_stays_drift(project: Project):
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    before = project.drifted()

    project.apply("--replace", APP, "--allow", "replace")

    assert before
    assert before == project.drifted()


def test_a_record_that_was_made_anew_between_steps_or_reads_is_another_record(project: Project):
    """The org says which record it made: what stands there when it is read back may be another one."""
    project.declare(app("one"))
    theirs: dict[str, str] = {}

    def again() -> None:
        if not theirs and project.held("ExternalClientApplication/one") is not None:
            make_anew(project, "one", theirs)

    with before_requests({point: [again] for point in range(POINTS)}):
        found = project.run("apply", "--auto-approve")
    assert (7, True) == (found.code, "is another record of that name" in found.out), found.said
    project.declare()
    assert 4 == project.run("apply", "--auto-approve", "--destroy", "--allow", "delete").code
    assert "theirs" == project.held("ExternalClientApplication/one", "description")


def test_a_variable_that_says_something_else_than_was_reviewed_is_refused(project: Project):
    """Nothing of it is sent, and another value would be adopted."""
    project.declare(app(description="${var.about}"))
    project.run("apply", "--auto-approve", RECONCILER_VAR_about="reviewed")
    project.run("baseline", "forget", APP)
    assert 0 == project.run("plan", "--out", "plan.json", RECONCILER_VAR_about="reviewed").code
    project.org.set(APP, {"description": "theirs"}, as_user=DANA)

    found = project.run("apply", "plan.json", RECONCILER_VAR_about="theirs")

    assert (4, True) == (found.code, "${var.about} has changed since" in found.err), found.said


def test_what_the_baseline_of_0_1_0_holds_is_not_deleted_before_its_id_is_known(project: Project):
    """It has names only, and the name may be another record's by now."""
    project.declare(app("one"), app("two"))
    project.apply()
    file = project.baseline_file
    old = json.loads(file.read_text(encoding="utf-8"))
    for entry in old["resources"].values():
        entry.pop("id", None)
        entry.pop("as_of", None)
    file.write_text(json.dumps({**old, "format": 1}), encoding="utf-8")
    project.declare(app("one"))

    refused = project.run("apply", "--auto-approve", "--allow", "delete")
    assert (4, True) == (refused.code, "may be another record" in refused.err), refused.said
    project.declare(app("one"), app("two"))
    project.apply()
    project.declare(app("one"))
    project.apply("--allow", "delete")


def test_a_plan_without_a_baseline_says_that_there_is_none(project: Project):
    """Lost, it would take what was removed from the files since out of sight, and nobody would know why nothing is deleted."""
    project.declare(app())
    assert "there is no baseline of this org yet" in " ".join(project.plan()["notes"])
    project.apply()
    assert "there is no baseline" not in " ".join(project.plan()["notes"])
