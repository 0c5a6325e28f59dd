"""docs/semantics.md (Unreadable; Namespaced components; References): what is refused, and says why; and which orgs are touched."""

from typing import Any

import pytest

from tests.e2e.build import POLICY, app, enablement, handler, handler_class, portal, record, scope
from tests.e2e.project import Project

COMMANDS = (("plan",), ("apply", "--auto-approve", "--allow", "delete"), ("drift",))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("known", ["declared", "baselined"])
def test_what_is_ours_and_cannot_be_read_ends_everything(project: Project, command: tuple[str, ...], known: str):
    """*`plan`, `apply` and `drift` name it and exit 5; absence is never concluded*: or all apps would be created anew."""
    project.declare(portal(policies={}), app("other"))
    project.apply()
    if known == "baselined":
        project.declare(app("other"))
    project.org.switch("unreadable_kinds", ["ExtlClntAppOauthConfigurablePolicies"])
    before = project.content()

    found = project.run(*command)

    assert (5, True, before) == (found.code, f"{POLICY} could not be read" in found.err, project.content())
    assert "INSUFFICIENT_ACCESS" in found.err


def test_a_kind_that_is_not_ours_may_be_unreadable(project: Project):
    """A login that sees external client apps only is enough for a project that has nothing else."""
    project.org.switch("unreadable_kinds", ["ConnectedApp", "OauthCustomScope"])
    project.declare(portal())

    project.apply()

    assert ({}, {}) == (project.planned(), project.drifted())


def test_strangers_that_were_unreadable_for_a_while_are_no_drift(project: Project):
    """A permission was missing during one apply: nothing had changed, so nothing must be reported afterwards."""
    project.declare(portal())
    project.apply()
    project.org.switch("unreadable_kinds", ["ConnectedApp"])
    project.declare(portal(isTokenExchangeEnabled=True))
    project.apply()
    project.org.switch("unreadable_kinds", [])

    assert {} == project.drifted()


def test_a_reference_to_nothing_is_not_checked_offline_and_an_error_with_the_org(project: Project):
    """*"Not checked" offline and an error once the org was asked*: a typo must not reach a deployment."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(handler(), enablement("order_portl"))

    offline, online = project.run("check"), project.run("plan")

    assert (0, True) == (
        offline.code,
        "externalClientApp points at ExternalClientApplication/order_portl, which no file declares" in offline.out,
    )
    assert (3, True) == (online.code, "neither declared nor in the org" in online.err)
    assert "desired/identity.yaml" in online.err


def test_a_reference_to_what_the_org_has_is_fine(project: Project):
    """Other teams' apps are there without being declared here."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(handler(), enablement("Marketing_Dashboard"), scope(assignedTo=[{"connectedApp": "Legacy_ERP"}]))

    project.apply()

    assert {} == project.planned()


def installed(project: Project) -> None:
    """An app that came with the package `acmepkg`; its policy is ours, so it has no namespace."""
    owner = "<externalClientApplication>acmepkg__Hub</externalClientApplication>"
    files = {
        "ExternalClientApplication": (
            "acmepkg__Hub",
            "<label>Hub</label><distributionState>Managed</distributionState>",
        ),
        "ExtlClntAppOauthSettings": ("acmepkg__Hub_oauth", owner),
        "ExtlClntAppOauthConfigurablePolicies": ("Hub_oauthPlcy", f"{owner}<label>Hub</label>"),
    }
    for kind, (name, inside) in files.items():
        project.org.load_component(kind, name, record(kind, inside))


HUB_POLICY = "ExtlClntAppOauthConfigurablePolicies/acmepkg__Hub"


def test_the_policy_of_an_installed_app_is_ours(project: Project):
    """*Read-only, except their policies*: who may use an installed app is what a subscriber decides."""
    installed(project)
    own = {"kind": "ExtlClntAppOauthConfigurablePolicies", "externalClientApplication": "acmepkg__Hub"}
    project.declare(own | {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"})

    project.apply()

    assert "AdminApprovedPreAuthorized" == project.held(HUB_POLICY, "permittedUsersPolicyType")
    assert ({}, {}) == (project.planned(), project.drifted())


@pytest.mark.parametrize(
    "document",
    [
        app("acmepkg__Hub"),
        {
            "kind": "ExtlClntAppOauthSettings",
            "externalClientApplication": "acmepkg__Hub",
            "commaSeparatedOauthScopes": ["Full"],
        },
    ],
    ids=["app", "settings"],
)
def test_an_installed_component_is_read_only(project: Project, document: dict):
    """*Namespaced (installed) components are read-only*: said before anything is sent, not by the org afterwards."""
    installed(project)
    project.declare(document)
    before = project.org.write_calls

    found = project.run("apply", "--auto-approve")

    assert (4, before) == (found.code, project.org.write_calls), found.said


def test_a_certificate_is_written_by_name_and_sent_by_id(project: Project):
    """*Certificates are referenced by name and resolved to the org's ids*: an id means another thing in each org."""
    with project.org.reading() as world:
        certificate = world.component("Certificate", "Partner_Asset_Signing")
    document = portal()
    settings = {**document["oauthSettings"], "assetTokenSigningCertificate": "Partner_Asset_Signing"}
    project.declare({**document, "oauthSettings": settings})

    project.apply()

    assert certificate is not None
    held = project.held("ExtlClntAppOauthSettings/portal", "assetTokenSigningCertificate")
    assert (certificate.id[:15], {}, {}) == ((held or "")[:15], project.planned(), project.drifted())


@pytest.mark.parametrize("length", [15, 18])
def test_the_pinned_org_is_let_in(project: Project, length: int):
    """People copy an id from Setup, which has 15 characters, or from an API, which has 18."""
    project.configure(org_id=project.org.org_id[:length])
    project.declare(portal())

    project.apply()


def test_an_org_that_is_not_the_pinned_one_is_not_even_read(project: Project):
    """*Pinned: another org is refused*: production's files must not land in a sandbox, nor the other way round."""
    project.configure(org_id="00D000000000001EAA")
    project.declare(portal())

    found = project.run("apply", "--auto-approve")

    assert (4, True) == (found.code, project.org.org_id in found.err and "00D000000000001EAA" in found.err)
    assert (0, None) == (project.org.write_calls, project.org.calls.get("retrieve"))


def test_a_protected_org_takes_reviewed_plans_only(project: Project):
    """*`protected: true`*: nobody applies to production from the branch that he is just working on."""
    project.configure(protected=True)
    project.declare(portal())

    refused = project.run("apply", "--auto-approve")

    assert (4, True, 0) == (refused.code, "--allow protected" in refused.err, project.org.write_calls)
    assert 0 == project.run("plan", "--out", "plan.json").code
    assert 0 == project.run("apply", "plan.json").code
    assert 0 == project.run("apply", "--auto-approve").code


def test_a_protected_org_is_opened_by_name(project: Project):
    """In an emergency, and on the record."""
    project.configure(protected=True)
    project.declare(portal())

    project.apply("--allow", "protected")


def test_all_refusals_are_said_at_once(project: Project):
    """Whoever lifts one guard after the other runs the pipeline five times."""
    project.declare(app("a"), app("b", lifecycle={"protect": ["delete"]}), app("kept"))
    project.apply()
    project.declare(app("kept"))

    found = project.run("apply", "--auto-approve")

    assert (4, True, True) == (
        found.code,
        "ExternalClientApplication/a: would be deleted" in found.err,
        "ExternalClientApplication/b: is protected" in found.err,
    )


def test_a_plan_shows_the_refusals_and_ends_well(project: Project):
    """A plan is a question; whether it may be applied stands in it."""
    project.declare(app("a"), app("kept"))
    project.apply()
    project.declare(app("kept"))

    plan = project.plan()

    assert ("delete", "--allow delete", False) == (
        plan["refusals"][0]["guard"],
        plan["refusals"][0]["allow"],
        plan["applyable"],
    )


def test_fields_of_a_newer_api_version_are_said_before_anything_is_sent(project: Project):
    """An org at version 63 calls them "invalid at this location": nobody understands that."""
    project.configure(api_version="63.0")
    project.declare(portal(isDPopEnabled=True))

    found = project.run("plan")

    assert (3, True) == (found.code, "isDPopEnabled needs API version" in found.err)
    project.declare(portal())
    project.apply()
    assert {} == project.planned()


@pytest.mark.parametrize("email", [None, "", "  ", ...])
def test_a_new_app_without_a_contact_is_refused_by_its_plan(project: Project, email: Any) -> None:
    """The schema says optional and orgs say no: after an approval, in the middle of an apply."""
    declared = {key: value for key, value in app(contactEmail=email).items() if value is not ...}
    project.declare(declared)

    planned = project.run("plan")

    assert 3 == planned.code
    assert "contactEmail is required to create ExternalClientApplication/portal" in planned.err
    assert "identity.yaml:" in planned.err


def test_the_contact_of_an_app_is_not_taken_away(project: Project) -> None:
    """An org refuses that, too; what a file does not mention stays."""
    project.declare(app())
    project.apply()
    project.declare(app(contactEmail="", label="Another"))
    assert "contactEmail cannot be emptied" in project.run("plan").err

    unmentioned = app(label="Another")
    del unmentioned["contactEmail"]
    project.declare(unmentioned)

    assert ["update ExternalClientApplication/portal"] == list(project.planned())
