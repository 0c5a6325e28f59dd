"""What an org's answer says about a promise."""

import pytest

from reconciler.model.live import OrgInfo
from reconciler.model.oauth import AuthorizeAnswer
from reconciler.schema.severity import Severity
from reconciler.verify.probe import Granted, Probe, Refused
from reconciler.verify.scopes import one_too_many, too_many
from reconciler.verify.verdicts import Standing, VerifyReport, judge
from tests.verify.build import exchanging, granted, probes, refused, service

PROMISES = probes(
    exchanging(callbackUrl=["https://a.example"], isPkceRequired=True, isRefreshTokenRotationEnabled=True)
)
MAIN, NO_SECRET = PROMISES["token_exchange.Idp"], PROMISES["token_exchange.no_secret"]


def verdict(probe: Probe, answer: object) -> tuple[str, str]:
    found = judge(probe, answer)
    return str(found.standing), found.id


def test_a_token_as_declared_is_as_promised():
    """Whoever reads 12 as promised believes it."""
    assert ("as promised", "") == verdict(MAIN, granted("api", "refresh_token", user="pat@acme.example"))


def test_what_is_promised_and_refused_is_broken():
    """Clients that do all as they should get no token."""
    found = judge(MAIN, refused("invalid_grant", "no such user"))

    assert (Standing.BROKEN, "verify.refused", Severity.HIGH) == (found.standing, found.id, found.severity)
    assert "invalid_grant: no such user" == found.quote


def test_what_is_to_be_refused_and_granted_is_broken():
    """Somebody gets in whom the files keep out."""
    found = judge(NO_SECRET, granted("api", user="pat@acme.example"))

    assert "granted, as pat@acme.example, although isSecretRequiredForTokenExchange is true" == found.message
    assert "verify.granted" == found.id


def test_the_right_refusal_is_as_promised_and_another_proves_nothing():
    """A rate limit that is taken for a refusal hides an open door."""
    assert ("as promised", "") == verdict(NO_SECRET, refused("invalid_client"))
    assert ("not run", "") == verdict(NO_SECRET, refused("rate_limit_exceeded"))


@pytest.mark.parametrize(
    ("user", "expected"),
    [("PAT@acme.example", "as promised"), ("root@acme.example", "broken"), ("", "as promised")],
)
def test_the_user_who_comes_out_is_compared(user, expected):
    """A handler that maps everybody to an administrator."""
    assert expected == verdict(MAIN, granted("api", user=user))[0]


def test_a_user_that_nobody_could_look_up_is_said_to_be_unknown():
    """Silence would be taken for the right user; and `--strict` counts it."""
    unseen, seen = judge(MAIN, granted("api")), judge(MAIN, granted("api", user="pat@acme.example"))

    assert "granted, as whom could not be looked up" == unseen.message
    assert (False, True) == tuple(VerifyReport(OrgInfo(""), (one,), strict=True).kept for one in (unseen, seen))


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (("api",), ("as promised", "")),
        (("api", "refresh_token", "offline_access", "id"), ("as promised", "")),
        (("api", "web"), ("broken", "verify.scopes")),
        (("api", "a_scope_of_tomorrow"), ("as promised", "")),
    ],
)
def test_no_more_scopes_than_declared(scopes, expected):
    """A token that may do more than was reviewed."""
    assert expected == verdict(MAIN, granted(*scopes, user="pat@acme.example"))


def test_full_is_the_worst_scope_to_have_too_much():
    """Everything that the user may do."""
    assert Severity.CRITICAL is judge(MAIN, granted("api", "full", user="pat@acme.example")).severity


def test_a_scope_that_is_quietly_left_out_is_as_good_as_refused():
    """An org that gives less than was asked for gives nothing away."""
    probe = PROMISES["token_exchange.scope"]

    assert "as promised" == verdict(probe, granted("api"))[0]
    assert "broken" == verdict(probe, granted("api", "full"))[0]


def test_rotation_brings_a_new_refresh_token():
    """A client that keeps the old one is cut off, and one that has to keep it is not protected."""
    probe = PROMISES["refresh"]

    assert ("as promised", "") == verdict(probe, granted("api", user="pat@acme.example", refresh="new"))
    assert ("broken", "verify.refresh") == verdict(probe, granted("api", user="pat@acme.example"))


def test_a_refresh_token_that_was_used_is_dead():
    """Whoever stole it stays in."""
    assert ("broken", "verify.refresh") == verdict(PROMISES["refresh.rotated"], granted("api", refresh="again"))


def test_an_app_that_is_not_known_yet_is_told_apart():
    """A pipeline that verifies right after an apply: the app is not wrong, it is new."""
    found = judge(MAIN, refused("invalid_client_id"), waited=600)

    assert (Standing.WAITING, "verify.waiting") == (found.standing, found.id)
    assert found.counts
    assert "still, after 600 s" in found.message


def test_before_anybody_logs_in():
    """What a browser would be shown: a login form, or an error."""
    assert ("as promised", "") == verdict(PROMISES["web_server"], AuthorizeAnswer(302))
    assert ("as promised", "") == verdict(
        PROMISES["web_server.unregistered"], AuthorizeAnswer(400, "redirect_uri_mismatch")
    )
    assert ("broken", "verify.granted") == verdict(PROMISES["web_server.unregistered"], AuthorizeAnswer(302))
    assert ("broken", "verify.granted") == verdict(PROMISES["web_server.no_pkce"], AuthorizeAnswer(302))


def test_an_org_that_stumbles_breaks_no_promise():
    """A pipeline that is red because of Salesforce's bad night is not looked at the next time."""
    assert ("not run", "") == verdict(PROMISES["web_server"], AuthorizeAnswer(500, "http_500"))
    assert "broken" == verdict(PROMISES["web_server"], AuthorizeAnswer(403, "http_403"))[0]


def test_a_finding_names_the_setting_and_is_the_same_in_every_run():
    """Whoever gets the alert has to know where to look, and once only."""
    finding = judge(NO_SECRET, granted("api")).finding()

    assert ("ExtlClntAppGlobalOauthSettings/portal", ("isSecretRequiredForTokenExchange",)) == (
        str(finding.address),
        finding.path,
    )
    assert finding.key == judge(NO_SECRET, granted("web", user="eve@acme.example")).finding().key


@pytest.mark.parametrize("declared", [["Api"], ["Web", "Full"], ["SFApiPlatform", "Api"]])
def test_every_declared_scope_may_be_granted(declared):
    """An app that has what it asked for."""
    names = {"Api": "api", "Web": "web", "Full": "full", "SFApiPlatform": "sfap_api"}

    assert [] == too_many([names[one] for one in declared], declared, (), ())
    assert one_too_many(declared) not in {names[one] for one in declared}


@pytest.mark.parametrize(
    ("granted", "declared", "extra"),
    [
        (["full", "api", "openid"], ["Full"], []),
        (["full", "refresh_token"], ["Full"], ["refresh_token"]),
        (["full", "api"], ["Api"], ["full"]),
    ],
)
def test_what_full_contains_is_not_too_much(granted, declared, extra):
    """Whoever may do everything gets no more by its parts; a refresh token is none of them."""
    assert extra == too_many(granted, declared, (), ())


@pytest.mark.parametrize(
    ("error", "description", "expected"),
    [
        ("invalid_app_access", "user is not admin approved to access this app", "as promised"),
        ("OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app", "as promised"),
        ("invalid_grant", "user hasn't approved this consumer", "not run"),
        ("inactive_user", "user is inactive", "not run"),
    ],
)
def test_who_is_kept_out_for_another_reason_proves_nothing(error, description, expected):
    """An app that is open to all users asks each for their approval: to the pipeline that looks the same."""
    assert expected == verdict(PROMISES["token_exchange.not_preauthorised"], refused(error, description))[0]


def test_a_stranger_who_is_only_not_approved_has_a_user_by_now():
    """The handler made one, although the files say that it must not."""
    no = refused("OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app")

    assert "broken" == verdict(PROMISES["token_exchange.unknown_user"], no)[0]


def test_custom_scopes_are_known_by_name():
    """A custom scope of somebody else opens what its owner put behind it."""
    assert ["orders"] == too_many(["api", "orders"], ["Api"], (), ("orders",))
    assert [] == too_many(["api", "orders"], ["Api"], ("orders",), ("orders",))


def test_success_and_refusal_are_what_probes_expect():
    """A probe that expects neither would pass whatever happens."""
    for probe in (*PROMISES.values(), *probes(service()).values()):
        assert isinstance(probe.expects, Granted | Refused)
        assert isinstance(probe.expects, Granted) or probe.expects.codes
