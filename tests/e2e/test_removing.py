"""docs/semantics.md (Removing): what a file no longer says is given up; what may be deleted, and who has to say so."""

import pytest

from tests.e2e.build import (
    APP,
    CODE,
    DANA,
    GLOBAL,
    HANDLER,
    LEGACY,
    OAUTH,
    POLICY,
    app,
    enablement,
    handler,
    handler_class,
    legacy,
    oidc,
    portal,
    scope,
)
from tests.e2e.project import Project


def released(project: Project) -> list[str]:
    return [".".join([one["address"], *one["path"]]) for one in project.plan()["released"]]


def test_removing_a_field_releases_it(project: Project):
    """*Removing a field … stops managing it (shown as released)*: the value stays, and an admin may change it."""
    project.declare(app(infoUrl="https://acme.example/info"))
    project.apply()
    project.declare(app())

    assert [f"{APP}.infoUrl"] == released(project)
    project.apply()
    assert ("https://acme.example/info", []) == (project.held(APP, "infoUrl"), released(project))
    project.org.set(APP, {"infoUrl": "https://acme.example/other"}, as_user=DANA)
    assert {} == project.planned()


@pytest.mark.parametrize("composite", [True, False], ids=["section", "document"])
def test_removing_a_satellite_releases_it(project: Project, composite: bool):
    """Taking a policy out of the files must not take it out of the org: the app would fall back to its defaults."""
    policies = {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}
    own = {"kind": "ExtlClntAppOauthConfigurablePolicies", "externalClientApplication": "portal", **policies}
    project.declare(*([portal(policies=policies)] if composite else [portal(), own]))
    project.apply()
    project.declare(portal())

    assert [POLICY] == released(project)
    project.apply()
    assert "AdminApprovedPreAuthorized" == project.held(POLICY, "permittedUsersPolicyType")
    assert (False, True) == (POLICY in project.managed, project.baseline[POLICY]["watched"])
    assert ({}, []) == (project.planned(), released(project))


def test_what_is_released_is_watched_like_everything_else(project: Project):
    """It is no longer ours to change. That another person opens it is news all the same."""
    project.declare(portal(policies={}), oidc(isPkceRequired=True))
    project.apply()
    project.declare(portal())
    project.apply()
    project.org.set(POLICY, {"sessionTimeoutInMinutes": "30"}, as_user=DANA)
    project.org.set("OauthOidcSettings/OauthOidc", {"isPkceRequired": "false"}, as_user=DANA)

    assert {
        f"{POLICY}.sessionTimeoutInMinutes": (None, 30),
        "OauthOidcSettings/OauthOidc.isPkceRequired": (True, False),
    } == project.drifted()
    assert {} == project.planned()


def test_removing_settings_releases_them(project: Project):
    """*… or settings document stops managing it*: an org without settings does not exist."""
    project.declare(app(), oidc(blockOAuthUnPwFlow=True))
    project.apply()
    project.declare(app())

    assert ["OauthOidcSettings/OauthOidc"] == released(project)
    project.apply()
    assert "true" == project.held("OauthOidcSettings/OauthOidc", "blockOAuthUnPwFlow")


REMOVED = {
    APP: lambda: [app()],
    HANDLER: lambda: [handler()],
    "OauthCustomScope/orders": lambda: [scope()],
    f"{HANDLER}/enablements/kept": lambda: [handler(), enablement("kept")],
}


@pytest.mark.parametrize("address", REMOVED)
def test_removing_what_we_applied_deletes_it(project: Project, address: str):
    """*Only apps, handlers, custom scopes and enablements are deleted by removal.*"""
    documents = REMOVED[address]()
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app("kept"), *documents)
    project.apply()
    project.declare(app("kept"), *documents[:-1])

    assert [f"delete {address}"] == list(project.planned())
    found = project.run("apply", "--auto-approve")
    assert (4, True) == (found.code, "--allow delete" in found.err)
    project.apply("--allow", "delete")
    assert [address, []] == [address, [a for a in project.baseline if a == address]]
    assert {} == project.planned()


@pytest.mark.parametrize(
    ("address", "documents"),
    [
        ("ExternalClientApplication/Marketing_Dashboard", [app("Marketing_Dashboard", label="Marketing Dashboard")]),
        (LEGACY, [legacy()]),
    ],
)
def test_what_the_baseline_does_not_hold_is_never_deleted(project: Project, address: str, documents: list):
    """Somebody writes an app down, never applies, and removes the file: the app is as it was."""
    project.declare(app())
    project.apply()
    project.declare(app(), *documents)
    project.planned()
    project.declare(app())

    assert {} == project.planned()
    project.apply("--allow", "delete")
    assert project.held(address) is not None


def test_an_adopted_app_is_deleted_by_removal(project: Project):
    """What the baseline holds is ours, whoever made it."""
    project.declare(app(), legacy(label="Legacy ERP"))
    project.apply()
    project.declare(app())

    assert [f"delete {LEGACY}"] == list(project.planned())
    project.apply("--allow", "delete")
    assert None is project.held(LEGACY)


def test_removing_never_deletes_an_apex_class(project: Project):
    """Other code may call it; and a handler's class outlives the handler."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(app(), handler())
    project.apply()
    project.remove_source("PartnerIdpHandler")
    project.declare(app())

    assert [f"delete {HANDLER}"] == list(project.planned())
    project.apply("--allow", "delete")
    assert (None, True) == (project.held(HANDLER), project.held(CODE) is not None)


def test_an_app_takes_its_satellites_and_enablements_along(project: Project):
    """One removal, one line in the plan; and nothing of the app is left in the baseline."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(policies={}), app("kept"), handler(), enablement("portal"), enablement("kept"))
    project.apply()
    project.declare(app("kept"), handler(), enablement("kept"))

    assert {f"delete {APP}", f"delete {HANDLER}/enablements/portal"} == set(project.planned())
    project.apply("--allow", "delete")
    assert [] == [address for address in project.baseline if "portal" in address]
    assert [None] * 4 == [project.held(a) for a in (APP, GLOBAL, OAUTH, POLICY)]
    assert ({}, {}) == (project.planned(), project.drifted())


def test_protection_outlives_the_file(project: Project):
    """*`lifecycle.protect` is kept in the baseline too*: removing the file must not remove the protection with it."""
    project.declare(app(lifecycle={"protect": ["delete"]}), app("kept"))
    project.apply()
    project.declare(app("kept"))

    found = project.run("apply", "--auto-approve", "--allow", "delete")

    assert (4, True) == (found.code, "lifecycle.protect" in found.err)
    assert project.held(APP) is not None


def test_protection_that_is_added_or_lifted_alone_reaches_the_baseline(project: Project):
    """No field of the org changes, and still the next removal is decided by it."""
    project.declare(app(), app("kept"))
    project.apply()
    project.declare(app(lifecycle={"protect": ["delete"]}), app("kept"))
    project.apply()
    project.declare(app("kept"))
    assert 4 == project.run("apply", "--auto-approve", "--allow", "delete").code
    project.declare(app(), app("kept"))
    project.apply()
    project.declare(app("kept"))

    project.apply("--allow", "delete")

    assert None is project.held(APP)


def test_protection_of_an_app_counts_for_its_satellites(project: Project):
    """Whoever replaces a protected app would delete its settings along with it."""
    project.declare(portal() | {"lifecycle": {"protect": ["replace"]}})
    project.apply()

    found = project.run("apply", "--auto-approve", "--allow", "replace", "--replace", APP)

    assert (4, True) == (found.code, "lifecycle.protect" in found.err)


def test_empty_files_against_a_baseline_are_bad_input(project: Project):
    """*Empty desired files against a baseline that is not empty are exit 3*: a wrong checkout must not delete an org."""
    project.declare(portal())
    project.apply()
    before = project.content()
    project.declare()

    assert [3, 3] == [project.run(*c).code for c in (("plan",), ("apply", "--auto-approve", "--allow", "delete"))]
    assert before == project.content()


@pytest.mark.parametrize("written", [True, False], ids=["files as they were", "files gone"])
def test_destroy_deletes_what_we_applied_and_releases_the_rest(project: Project, written: bool):
    """*Unless `plan --destroy` was asked for*: to take a test project out of an org again."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(policies={}), oidc(isPkceRequired=True), scope(), handler(), enablement("portal"))
    project.apply()
    if not written:
        project.declare()
        project.remove_source("PartnerIdpHandler")

    assert {f"delete {a}" for a in (APP, HANDLER, "OauthCustomScope/orders")} == set(project.planned("--destroy"))
    assert 4 == project.run("apply", "--auto-approve", "--destroy").code
    project.apply("--destroy", "--allow", "delete")
    assert [None] * 3 == [project.held(a) for a in (APP, HANDLER, "OauthCustomScope/orders")]
    assert (True, "true") == (
        project.held(CODE) is not None,
        project.held("OauthOidcSettings/OauthOidc", "isPkceRequired"),
    )
    assert ({}, {}) == (project.managed, project.drifted())


def test_destroy_leaves_strangers_alone(project: Project):
    """The apps that were there before us are there after us."""
    strangers = [LEGACY, "ConnectedApp/Partner_Portal", "ExternalClientApplication/Marketing_Dashboard"]
    before = [project.held(address) for address in strangers]
    project.declare(app())
    project.apply()

    project.apply("--destroy", "--allow", "delete")

    assert before == [project.held(address) for address in strangers]


def test_a_replacement_is_only_ever_asked_for(project: Project):
    """*Replacing an app is only ever asked for by `--replace ADDRESS`*, and allowed by name."""
    project.declare(portal())
    project.apply()
    key = project.held(GLOBAL, "consumerKey")

    found = project.run("apply", "--auto-approve", "--replace", APP)
    assert (4, True) == (found.code, "--allow replace" in found.err)
    assert {f"replace {APP}", f"replace {GLOBAL}"} < set(project.planned("--replace", APP))
    project.apply("--replace", APP, "--allow", "replace")
    assert key != project.held(GLOBAL, "consumerKey")
    assert ({}, {}) == (project.planned(), project.drifted())


def test_a_replaced_app_keeps_what_no_file_declares(project: Project):
    """Its policy, and its place in a handler, are in the org only; the removal takes them along."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(), handler(), enablement("portal"))
    project.apply()
    project.org.set(POLICY, {"sessionTimeoutInMinutes": "30"}, as_user=DANA)

    project.apply("--replace", APP, "--allow", "replace")

    assert "30" == project.held(POLICY, "sessionTimeoutInMinutes")
    assert "portal" == project.held(HANDLER, "enablements")["externalClientApp"][0]
    assert {} == project.planned()


def test_a_scope_that_an_app_still_uses_is_not_deleted(project: Project):
    """The scope's file is gone, the app's still names it: an error now is better than a refusal by the org."""
    document = portal()
    settings = {**document["oauthSettings"], "commaSeparatedCustomScopes": ["orders"]}
    project.declare(scope(), {**document, "oauthSettings": settings})
    project.apply()
    project.declare({**document, "oauthSettings": settings})
    before = project.content()

    found = project.run("apply", "--auto-approve", "--allow", "delete")

    assert (3, before) == (found.code, project.content()), found.said


def test_a_name_in_other_letters_is_not_created(project: Project):
    """For the org `legacy_erp` is `Legacy_ERP`: what the plan calls a new app would overwrite the old one."""
    project.org.switch("allow_connected_app_creation", True)
    project.declare({**legacy(label="ERP", contactEmail="it@acme.example"), "name": "legacy_erp"})

    found = project.run("apply", "--auto-approve")

    assert "+ ConnectedApp/legacy_erp" not in found.out, found.said
