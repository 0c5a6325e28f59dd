"""docs/semantics.md (Never echoed back): keys, secrets, rotations and other orgs' links. What must not go over the wire again."""

import pytest

from tests.e2e.build import APP, GLOBAL, LEGACY, OAUTH, PEM, SECRET, legacy, portal, record
from tests.e2e.project import Project
from tests.e2e.served import overheard

ELSEWHERE = "00D000000000001"
OWNER = "<externalClientApplication>portal</externalClientApplication>"
FROM_ENV = {"secret": {"env": "PORTAL_SECRET"}}


def secret_of(project: Project, address: str) -> str | None:
    """The consumer secret that the org keeps to itself."""
    kind, _, name = address.partition("/")
    with project.org.reading() as world:
        found = world.satellite(kind, name) or world.component(kind, name)
        return found.secret if found is not None else None


def test_a_connected_app_is_updated_without_its_key(project: Project):
    """The org would answer "You cannot provide a Consumer Key", and nobody could change the app any more."""
    key = project.held(LEGACY, "oauthConfig.consumerKey")
    project.declare(legacy(label="ERP", oauthConfig={"isPkceRequired": True}))

    project.apply()

    assert ("ERP", key) == (project.held(LEGACY, "label"), project.held(LEGACY, "oauthConfig.consumerKey"))


def test_a_key_that_the_files_repeat_is_no_change_and_is_not_sent(project: Project):
    """People pull a file that has the key in it, and then change the label."""
    key = project.held(LEGACY, "oauthConfig.consumerKey")
    project.declare(legacy(label="ERP", oauthConfig={"consumerKey": key}))

    project.apply()

    assert (key, {}) == (project.held(LEGACY, "oauthConfig.consumerKey"), project.planned())


@pytest.mark.parametrize("kind", ["ConnectedApp", "ExternalClientApplication"])
def test_another_key_is_an_error_that_names_both(project: Project, kind: str):
    """*A desired `consumerKey` that differs from the live one*: a file of another org, or an app that was replaced."""
    wanted = "AnotherKeyThanTheOneThatTheOrgGave"
    project.declare(portal())
    project.apply()
    connected = kind == "ConnectedApp"
    key = project.held(LEGACY, "oauthConfig.consumerKey") if connected else project.held(GLOBAL, "consumerKey")
    project.declare(legacy(oauthConfig={"consumerKey": wanted}) if connected else portal(consumerKey=wanted))

    found = project.run("plan")

    assert (3, True, True) == (found.code, key in found.err, wanted in found.err)


def test_a_replacement_gets_the_key_that_the_files_ask_for(project: Project):
    """To give an integration its old key back in a refreshed sandbox."""
    project.declare(portal())
    project.apply()
    project.declare(portal(consumerKey="KeyOfTheSandboxBeforeItsRefresh1"))

    project.apply("--replace", APP, "--allow", "replace")

    assert "KeyOfTheSandboxBeforeItsRefresh1" == project.held(GLOBAL, "consumerKey")


def test_a_connected_app_can_be_replaced_where_the_org_allows_creation(project: Project):
    """Its own key is not sent along: the org would call it taken, or refuse it."""
    project.org.switch("allow_connected_app_creation", True)
    key = project.held(LEGACY, "oauthConfig.consumerKey")
    project.declare(legacy(label="ERP"))

    project.apply("--replace", LEGACY, "--allow", "replace")

    assert key != project.held(LEGACY, "oauthConfig.consumerKey")
    assert "https://erp.acme.example/oauth/callback" == project.held(LEGACY, "oauthConfig.callbackUrl")
    assert {} == project.planned()


def test_a_refused_replacement_leaves_the_app_alive(project: Project):
    """Since Spring '26 a connected app that is deleted cannot be made again: both go in one deployment, or neither."""
    before = project.content()
    project.declare(legacy(label="ERP"))

    found = project.run("apply", "--auto-approve", "--replace", LEGACY, "--allow", "replace")

    assert (6, before, {}) == (found.code, project.content(), project.managed)


@pytest.mark.parametrize("order", ["shouldRotateConsumerKey", "shouldRotateConsumerSecret"])
def test_an_order_to_rotate_is_never_echoed(project: Project, order: str):
    """A record that reads back `true` would rotate its key at each of our deployments."""
    project.declare(portal())
    project.apply()
    key = project.held(GLOBAL, "consumerKey")
    text = f"{OWNER}<consumerKey>{key}</consumerKey><{order}>true</{order}>"
    name = "ExtlClntAppGlobalOauthSettings"
    project.org.load_component(name, "portal_glbloauth", record(name, text))
    project.declare(portal(isTokenExchangeEnabled=True))

    # The org warns when it rotates, and a deployment that was not told to ignore warnings fails then.
    project.apply()

    assert (key, "true") == (project.held(GLOBAL, "consumerKey"), project.held(GLOBAL, "isTokenExchangeEnabled"))


def test_an_order_to_rotate_in_the_files_is_refused_or_not_sent(project: Project):
    """*Never state*: written down it would rotate at every apply."""
    project.declare(portal())
    project.apply()
    key = project.held(GLOBAL, "consumerKey")
    project.declare(portal(shouldRotateConsumerKey=True, isTokenExchangeEnabled=True))

    project.run("apply", "--auto-approve")

    assert key == project.held(GLOBAL, "consumerKey")


def linked(project: Project, **links: str) -> None:
    document = portal()
    project.declare(
        {
            **document,
            **{k: v for k, v in links.items() if k != "oauthLink"},
            "oauthSettings": {**document["oauthSettings"], **{k: v for k, v in links.items() if k == "oauthLink"}},
        }
    )


@pytest.mark.parametrize("applied", [False, True], ids=["on create", "on update"])
def test_links_of_another_org_are_never_sent(project: Project, applied: bool):
    """*`oauthLink` and `orgScopedExternalApp` of another org*: a file that was retrieved elsewhere breaks the deploy."""
    if applied:
        project.declare(portal(isTokenExchangeEnabled=True))
        project.apply()
    linked(project, oauthLink=f"{ELSEWHERE}:888000000000001", orgScopedExternalApp=f"{ELSEWHERE}:portal")

    project.apply()

    ours = project.org.org_id[:15]
    assert project.held(OAUTH, "oauthLink").startswith(ours)
    assert f"{ours}:portal" == project.held(APP, "orgScopedExternalApp")
    assert {} == project.planned()


def test_a_link_of_another_org_that_is_live_is_not_echoed(project: Project):
    """A refreshed sandbox still holds production's links."""
    project.declare(portal())
    project.apply()
    foreign = {
        "ExternalClientApplication": ("portal", f"<orgScopedExternalApp>{ELSEWHERE}:portal</orgScopedExternalApp>"),
        "ExtlClntAppOauthSettings": ("portal_oauth", f"{OWNER}<oauthLink>{ELSEWHERE}:888000000000001</oauthLink>"),
    }
    for kind, (name, inside) in foreign.items():
        project.org.load_component(kind, name, record(kind, inside))
    project.declare(portal() | {"oauthSettings": {"commaSeparatedOauthScopes": ["RefreshToken"]}})

    with overheard() as sent:
        project.apply()

    assert {"externalClientApps/portal.eca", "extlClntAppOauthSettings/portal_oauth.ecaOauth"} < set(sent)
    assert [] == [path for path, data in sent.items() if ELSEWHERE.encode() in data]


def test_write_only_values_are_sent_on_create_only(project: Project):
    """*Write-only values are sent on create only*; and the org has what the reference led to."""
    project.declare(portal(consumerSecret=FROM_ENV))
    project.apply(PORTAL_SECRET=SECRET)
    project.declare(portal(consumerSecret=FROM_ENV, isTokenExchangeEnabled=True))

    project.apply(PORTAL_SECRET="anotherSecret1234567890")

    assert SECRET == secret_of(project, GLOBAL)


def test_an_update_does_not_need_the_secret(project: Project):
    """A pipeline that only updates has no business with secrets: an unset variable must not stop it."""
    project.declare(portal(consumerSecret=FROM_ENV))
    project.apply(PORTAL_SECRET=SECRET)
    project.declare(portal(consumerSecret=FROM_ENV, isTokenExchangeEnabled=True))

    project.apply()

    assert SECRET == secret_of(project, GLOBAL)


def test_a_missing_secret_is_bad_input_and_nothing_lands(project: Project):
    """Where a secret is needed, its absence is said before anything is deployed."""
    project.declare(portal(consumerSecret=FROM_ENV))
    before = project.content()

    found = project.run("apply", "--auto-approve")

    assert (3, True, before) == (found.code, "PORTAL_SECRET" in found.err, project.content())


def test_a_changed_reference_plans_nothing_and_says_so(project: Project):
    """*Plans nothing and says that it is not compared*: or people believe that the secret was changed."""
    project.declare(portal(consumerSecret=FROM_ENV))
    project.apply(PORTAL_SECRET=SECRET)
    assert [] == project.plan()["notes"]
    project.declare(portal(consumerSecret={"secret": {"env": "NEW_SECRET"}}))

    plan = project.plan()

    assert ([], True) == (plan["resource_changes"], "is not compared, as it is sent on create only" in plan["notes"][0])
    project.apply()
    assert SECRET == secret_of(project, GLOBAL)


def test_a_changed_reference_is_still_said_after_an_apply(project: Project):
    """The apply did not send it, so the files and the org still differ."""
    project.declare(portal(consumerSecret=FROM_ENV))
    project.apply(PORTAL_SECRET=SECRET)
    project.declare(portal(consumerSecret={"secret": {"env": "NEW_SECRET"}}, isTokenExchangeEnabled=True))
    project.apply()

    assert "is not compared, as it is sent on create only" in "".join(project.plan()["notes"])


@pytest.mark.parametrize("readback", ["returned", "omitted"])
def test_a_certificate_is_sent_again_with_every_update(project: Project, readback: str):
    """Leaving it out clears it, and all clients with a signed assertion are locked out."""
    project.org.switch("certificate_readback", readback)
    project.declare(portal(certificate=PEM))
    project.apply()
    assert ({}, {}) == (project.planned(), project.drifted())
    project.declare(portal(certificate=PEM, isTokenExchangeEnabled=True))

    project.apply()

    assert PEM.split() == (certificate(project) or "").split()
    assert ({}, {}) == (project.planned(), project.drifted())


def test_a_connected_app_s_certificate_is_sent_again_too(project: Project):
    """There it stands inside of a section."""
    project.org.switch("certificate_readback", "omitted")
    project.declare(legacy(oauthConfig={"certificate": PEM}))
    project.apply()
    project.declare(legacy(label="ERP", oauthConfig={"certificate": PEM}))

    project.apply()

    with project.org.reading() as world:
        held = world.component("ConnectedApp", "Legacy_ERP").values()["oauthConfig"][0].get("certificate", [""])
    assert (PEM.split(), {}, {}) == (held[0].split(), project.planned(), project.drifted())


def test_a_certificate_that_is_no_longer_written_down_stays_in_the_org(project: Project):
    """Released means that it stays as it is; where the org does not give it back, only we still know it."""
    project.org.switch("certificate_readback", "omitted")
    project.declare(portal(certificate=PEM))
    project.apply()
    project.declare(portal())
    project.apply()
    assert {} == project.drifted()
    project.declare(portal(isTokenExchangeEnabled=True))

    project.apply()

    assert PEM.split() == (certificate(project) or "").split()
    assert {} == project.drifted()


def test_a_new_certificate_is_sent(project: Project):
    """Also where the old one never came back."""
    project.org.switch("certificate_readback", "omitted")
    project.declare(portal(certificate=PEM))
    project.apply()
    other = PEM.replace("MIIB", "MIIC")
    project.declare(portal(certificate=other))

    assert [f"update {GLOBAL}"] == list(project.planned())
    project.apply()
    assert (other.split(), {}) == ((certificate(project) or "").split(), project.planned())


def certificate(project: Project) -> str | None:
    """What the org keeps, whether or not it gives it back."""
    with project.org.reading() as world:
        found = world.satellite("ExtlClntAppGlobalOauthSettings", "portal")
        held = found.values().get("certificate") if found is not None else None
    return str(held[0]) if held else None
