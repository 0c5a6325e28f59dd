"""The calls in order, on an org that answers by script."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.client_assertions import ends, nobodys_key, tampered
from reconciler.engine.session import Session
from reconciler.engine.verify import verify
from reconciler.errors import InputError, UnreachableError
from reconciler.model.address import Address
from reconciler.model.oauth import TokenAnswer, Tokens
from reconciler.schema.values import Body, SecretRef
from reconciler.verify.inputs import Given
from reconciler.verify.verdicts import Standing, VerifyReport
from tests.verify.build import (
    GLOBAL,
    HANDLER,
    LEGACY,
    PORTAL,
    Script,
    ScriptedOrg,
    everything,
    exchanging,
    granted,
    refused,
    service,
    snapshot,
)

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwYXQifQ.c2lnbmF0dXJl"
REFRESHING = {"isSecretRequiredForRefreshToken": True, "isRefreshTokenRotationEnabled": True}


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class NoBaselines:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"verify asks for no baseline: {name}")


def run(
    desired: Mapping[Address, Body],
    answer: Script,
    given: Given | None = None,
    *names: str,
    wait: float = 0.0,
    others: Mapping[str, Given] | None = None,
    values: Mapping[str, str] | None = None,
    **more: Any,
) -> tuple[VerifyReport, ScriptedOrg, Clock]:
    org, clock = ScriptedOrg(desired, answer), Clock()
    held = {"subject_token": JWT, "client_secret": "right", **(values or {})}
    session = Session(
        org, NoBaselines(), snapshot(desired), secret=lambda ref: held.get(str(ref.target), str(ref.target))
    )
    section = {
        **({"portal": given if given is not None else everything()} if PORTAL in desired else {}),
        **(others or {}),
    }
    report = verify(session, section, names, org="dev", wait=wait, clock=clock, sleep=clock.sleep, **more)
    return report, org, clock


def well_behaved(form: Mapping[str, str]) -> TokenAnswer:
    """An org that does what `exchanging` declares. A refresh token names how often it was refreshed."""
    if form.get("client_secret") != "right":
        return refused("invalid_client")
    if form["grant_type"] == "client_credentials":
        return refused("unauthorized_client")
    if form["grant_type"] == "refresh_token":
        # Rotation: only the one that came last is taken, and there is one refresh in a run.
        return (
            granted("api", user="pat@acme.example", refresh="r2")
            if form["refresh_token"] == "r1" and first()
            else refused()
        )
    right = form.get("token_handler", "Idp") == "Idp" and form["subject_token_type"].endswith(":jwt")
    if not right or form["subject_token"] != JWT:
        return refused()
    if "scope" in form:
        return refused("invalid_scope")
    return granted("api", "refresh_token", user="pat@acme.example", refresh="r1")


_SEEN: list[str] = []


def first() -> bool:
    _SEEN.append("refresh")
    return len(_SEEN) == 1


@pytest.fixture(autouse=True)
def nothing_refreshed() -> None:
    _SEEN.clear()


def standings(report: VerifyReport) -> dict[str, str]:
    return {verdict.probe.id: str(verdict.standing) for verdict in report.verdicts}


def test_an_org_that_does_as_declared_keeps_every_promise():
    """Whoever runs this after each apply wants to see nothing."""
    report, _, _ = run(exchanging(**REFRESHING), well_behaved)

    assert {"as promised"} == set(standings(report).values()), standings(report)
    assert report.kept
    assert 19 == len(report.verdicts)


def test_every_token_is_given_back():
    """A verify that leaves sessions behind is a leak in itself."""
    report, org, _ = run(exchanging(**REFRESHING), well_behaved)

    granted_calls = sum(verdict.message.startswith("granted") for verdict in report.verdicts)
    # One more looks at the end whether the subject token still is good.
    assert granted_calls + 1 == org.revoked.count("access")
    assert {"r1", "r2"} <= set(org.revoked)


def test_tokens_are_given_back_when_the_org_breaks_off():
    """The network fails in the middle: what was granted before must not stay."""
    calls: list[Mapping[str, str]] = []

    def breaks_off(form: Mapping[str, str]) -> TokenAnswer:
        calls.append(form)
        if len(calls) == 2:
            raise UnreachableError("gone")
        return well_behaved(form)

    org = ScriptedOrg(exchanging(), breaks_off)
    session = Session(
        org,
        NoBaselines(),
        snapshot(exchanging()),
        secret=lambda ref: {"subject_token": JWT}.get(str(ref.target), "right"),
    )

    with pytest.raises(UnreachableError):
        verify(session, {"portal": everything()}, wait=0)
    assert ["access", "r1"] == org.revoked


def test_a_refusal_proves_nothing_where_nothing_succeeds():
    """A wrong subject token in the pipeline makes every call fail: that is no proof of safety."""
    report, org, _ = run(exchanging(), lambda _: refused())
    found = standings(report)

    promised = ("token_exchange.Idp", "token_exchange.default")
    assert ["broken", "broken"] == [found[id] for id in promised]
    assert {"not run"} == {found[id] for id in found if id not in (*promised, "client_credentials.off")}
    assert 3 == len(org.asked)


def test_a_subject_token_that_is_taken_once_proves_nothing_afterwards():
    """A handler that refuses a token it has seen refuses all that follows, right or wrong."""
    seen: list[str] = []

    def once(form: Mapping[str, str]) -> TokenAnswer:
        answer = well_behaved(form)
        if not answer.granted or form.get("subject_token") != JWT:
            return answer
        seen.append("taken")
        return answer if len(seen) == 1 else refused("invalid_grant", "seen before")

    def careless(form: Mapping[str, str]) -> TokenAnswer:
        return once({**form, "client_secret": "right"})

    found = standings(run(exchanging(default=False), careless)[0])

    assert "as promised" == found["token_exchange.Idp"]
    assert "not run" == found["token_exchange.no_secret"]
    assert "not run" == found["token_exchange.scope"]
    assert "as promised" == found["token_exchange.wrong_audience"]


def jwt_that_ends(exp: float) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("key", "exp", "probe"),
    [
        ("wrong_audience", 1, "token_exchange.wrong_audience"),
        ("not_preauthorised", 1, "token_exchange.not_preauthorised"),
        ("forged", 1, "token_exchange.forged"),
        ("expired", 99_999_999_999, "token_exchange.expired"),
    ],
)
def test_a_token_whose_time_is_wrong_proves_nothing(key: str, exp: float, probe: str):
    """A token from last week in a pipeline's secrets is refused for its age for ever, and looks like safety."""
    report, org, _ = run(exchanging(), well_behaved, values={key: jwt_that_ends(exp)})
    found = {verdict.probe.id: verdict for verdict in report.verdicts}

    assert ("not run", True) == (str(found[probe].standing), key in found[probe].message)
    assert jwt_that_ends(exp) not in {form.get("subject_token") for form in org.asked}


def test_a_subject_token_that_has_expired_is_named():
    """Whoever reads `broken` looks into the org, and nothing is wrong there."""
    report, _, _ = run(exchanging(), lambda _: refused(), values={"subject_token": jwt_that_ends(1)})

    assert "broken" == standings(report)["token_exchange.Idp"]
    assert "the token of subject_token has expired: give a fresh one" == report.verdicts[0].mend


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "..", "e30.e30.e30", "x.bnVsbA.y", "x.eyJleHAiOiJhIn0.y", "x.eyJleHAiOjFlOTk5fQ.y"]
)
def test_what_tells_no_time_is_not_judged_by_it(token: str):
    """An opaque token, or one that only looks like a JWT."""
    assert ends(token) is None


def test_what_is_not_given_is_named():
    """Whoever sets it up has to know what to write, and where."""
    report, org, _ = run(exchanging(), well_behaved, Given())

    assert "give orgs.dev.verify.portal.subject_token" == report.verdicts[0].message
    assert [] == org.asked
    assert any("nothing could be run" in note for note in report.notes)
    assert report.kept


def test_strict_wants_every_promised_call():
    """A pipeline whose secret is gone must not stay green."""
    report, _, _ = run(exchanging(), well_behaved, Given(), strict=True)

    assert not report.kept
    assert not any(verdict.counts for verdict in report.verdicts)


def test_an_app_that_is_not_known_yet_is_asked_again():
    """Salesforce takes minutes until every server knows a new app."""
    unknown = [refused("invalid_client_id")] * 3

    report, _, clock = run(exchanging(), lambda form: unknown.pop() if unknown else well_behaved(form), wait=60)

    assert report.kept
    assert [5.0, 7.5, 11.25] == clock.slept


def test_waiting_ends_for_the_whole_run():
    """An app that is gone: each call would wait ten minutes otherwise."""
    report, _, clock = run(exchanging(), lambda _: refused("invalid_client_id"), wait=60)

    assert 60.0 == sum(clock.slept)
    assert {Standing.WAITING, Standing.NOT_RUN} == {verdict.standing for verdict in report.verdicts}
    assert not report.kept


def test_nobody_waits_where_an_unknown_app_is_what_was_promised():
    """An app that is switched off is not known for ever."""
    off = {**exchanging(), Address("ExtlClntAppConfigurablePolicies", "portal"): {"isEnabled": False}}
    report, _, clock = run(off, lambda _: refused("invalid_client_id"), wait=600)

    assert report.kept
    assert [] == clock.slept


def test_a_rotated_token_is_tried_last():
    """Tried before, it would end the token that is still to be refreshed."""
    _, org, _ = run(exchanging(**REFRESHING), well_behaved)
    tried = [
        (form["refresh_token"], form.get("client_secret") == "right") for form in org.asked if "refresh_token" in form
    ]

    assert [("r1", False), ("r1", False), ("r1", True), ("r1", True)] == tried


def test_a_refresh_that_should_have_been_refused_hands_its_token_on():
    """Without the secret it worked, and the token rotated: what follows needs the new one."""
    refreshed: list[str] = []

    def lax(form: Mapping[str, str]) -> TokenAnswer:
        if form["grant_type"] != "refresh_token":
            return well_behaved(form)
        if form["refresh_token"] in refreshed:
            return refused()
        refreshed.append(form["refresh_token"])
        return granted("api", user="pat@acme.example", refresh=f"r{len(refreshed) + 1}")

    found = standings(run(exchanging(**REFRESHING), lax)[0])

    assert ("broken", "broken") == (found["refresh.no_secret"], found["refresh.wrong_secret"])
    assert ("as promised", "as promised") == (found["refresh"], found["refresh.rotated"])


def test_no_refresh_token_is_not_the_same_as_a_dead_one():
    """Where none comes, rotation was not tried."""

    def without(form: Mapping[str, str]) -> TokenAnswer:
        answer = well_behaved(form)
        return granted(*answer.scopes, user=answer.username) if answer.granted else answer

    assert "not run" == standings(run(exchanging(**REFRESHING), without)[0])["refresh"]


def test_a_token_for_another_app_is_tried_on_a_closed_one():
    """Nobody's token opens an app that does not exchange any: not that of its neighbour either."""
    desired = {
        PORTAL: {},
        GLOBAL: {"isTokenExchangeEnabled": False},
        HANDLER: exchanging()[HANDLER],
        LEGACY: {"label": "ERP"},
    }
    report, org, _ = run(desired, lambda _: refused(), Given(), others={"erp": everything()})

    assert {JWT} == {form["subject_token"] for form in org.asked if "subject_token" in form}
    assert "as promised" == standings(report)["token_exchange.off.Idp"]


def test_a_secret_is_looked_up_once_an_app():
    """A command that asks an identity provider takes a second each time."""
    looked_up: list[str] = []
    org = ScriptedOrg(exchanging(), well_behaved)
    values = {"subject_token": JWT, "client_secret": "right"}

    def secret(ref: SecretRef) -> str:
        looked_up.append(str(ref.target))
        return values.get(str(ref.target), str(ref.target))

    verify(Session(org, NoBaselines(), snapshot(exchanging()), secret=secret), {"portal": everything()}, wait=0)

    assert 1 == looked_up.count("subject_token")
    assert len(looked_up) == len(set(looked_up))


def test_the_forged_token_differs_in_its_signature_alone():
    """Another payload would be refused for what it says."""
    given = Given(
        {key: SecretRef("env", key) for key in ("subject_token", "client_secret")}, {"user": "pat@acme.example"}
    )
    _, org, _ = run(exchanging(), well_behaved, given)
    (forged,) = {form["subject_token"] for form in org.asked if "subject_token" in form} - {JWT}

    assert JWT.rpartition(".")[0] == forged.rpartition(".")[0]
    assert len(JWT) == len(forged)


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c", "a.b.c.d", ""])
def test_what_is_no_jwt_is_not_tampered_with(token):
    """A request with half a token proves nothing."""
    assert "" == tampered(token)


def test_an_assertion_is_signed_and_names_client_user_and_audience():
    """The org has to see a client that only holds another key, or means another org."""
    import jwt

    desired: dict[Address, Body] = {LEGACY: {"oauthConfig": {"certificate": "PEM", "consumerKey": "k"}}}
    given = Given(
        {"private_key": SecretRef("env", "private_key")},
        {"username": "bot@acme.example", "audience": "https://acme.example"},
    )
    _, org, _ = run(
        desired, lambda _: granted("api", user="bot@acme.example"), None, "erp", others={"erp": given},
        values={"private_key": nobodys_key()},
    )  # fmt: skip
    sent = [form["assertion"] for form in org.asked if "assertion" in form]
    claims = [jwt.decode(one, options={"verify_signature": False}) for one in sent]

    assert [("k", "bot@acme.example")] * 3 == [(one["iss"], one["sub"]) for one in claims]
    assert ["https://acme.example", "https://acme.example", "https://somebody-else.invalid"] == [
        one["aud"] for one in claims
    ]


def test_a_key_that_is_none_is_said_to_be_none_and_not_shown():
    """A certificate in place of the key, and a log that keeps what it was."""
    desired: dict[Address, Body] = {LEGACY: {"oauthConfig": {"certificate": "PEM", "consumerKey": "k"}}}
    given = Given({"private_key": SecretRef("env", "private_key")}, {"username": "bot@acme.example"})

    with pytest.raises(InputError, match="private_key holds no RSA private key") as wrong:
        run(desired, lambda _: refused(), None, "erp", others={"erp": given}, values={"private_key": "no-key-at-all"})
    assert "no-key-at-all" not in repr(wrong.value.complaints)


@pytest.mark.parametrize("name", ["portal", "ExternalClientApplication/portal"])
def test_an_app_is_named_by_name_or_address(name):
    """As it stands in the file, or as every other command names it."""
    report, _, _ = run({**service(), LEGACY: {}}, lambda _: refused(), Given(), name)

    assert (PORTAL,) == report.apps


def test_a_name_that_nobody_declares_is_an_error_with_what_was_meant():
    """A typing error in a pipeline would verify nothing for ever."""
    with pytest.raises(InputError, match="portl is no app that the files declare") as wrong:
        run(exchanging(), well_behaved, None, "portl")
    assert "portal" in wrong.value.complaints[0].mend

    with pytest.raises(InputError, match="verify: porta is no app"):
        run(exchanging(), well_behaved, others={"porta": Given()})


def test_tokens_are_never_shown():
    """A report, a log or a traceback that holds a token is a leak."""
    report, org, _ = run(exchanging(**REFRESHING), well_behaved)

    assert "Tokens(…)" == repr(Tokens("access", "refresh"))
    assert JWT not in repr(report)
    assert "right" not in repr([verdict.quote for verdict in report.verdicts])
    assert all(token not in repr(granted("api", access=token)) for token in ("canary-of-a-token",))
    assert org.asked


CODES = {PORTAL: {}, GLOBAL: {"isConsumerSecretOptional": False, "callbackUrl": ["https://a.example/cb"]}}


@pytest.mark.parametrize(
    ("wrong", "none", "expected"),
    [
        ("invalid_client", "invalid_client", ["as promised", "as promised"]),
        ("invalid_client", "invalid_grant", ["as promised", "broken"]),
        ("invalid_grant", "invalid_grant", ["not run", "not run"]),
    ],
)
def test_a_made_up_code_tells_whether_the_secret_is_asked_for(wrong, none, expected):
    """An org that looks at the code first must not be accused of doing without the secret."""

    def answer(form: Mapping[str, str]) -> TokenAnswer:
        if form["grant_type"] != "authorization_code":
            return refused()
        return refused(wrong if "client_secret" in form else none)

    found = standings(run(CODES, answer, Given())[0])

    assert expected == [found["web_server.code.wrong_secret"], found["web_server.code.no_secret"]]


BOTH = {
    **exchanging(isIntrospectAllTokens=False),
    LEGACY: {"oauthConfig": {"isClientCredentialEnabled": True, "consumerKey": "erp"}},
}
ERP = Given({"client_secret": SecretRef("env", "client_secret")})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (refused("inactive"), "as promised"),
        (granted("api", access=""), "broken"),
        (refused("invalid_client"), "not run"),
    ],
)
def test_an_app_is_asked_about_a_token_of_another_one(told, expected):
    """Whoever has one app's secret could watch the tokens of all."""

    def answer(form: Mapping[str, str]) -> TokenAnswer:
        return granted("api", access="of-the-erp") if form["client_id"] == "erp" else well_behaved(form)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedOrg, "introspected", told)
        report, org, _ = run(BOTH, answer, others={"erp": ERP})

    assert expected == standings(report)["introspection.anothers"]
    assert ["of-the-erp"] == [form["introspected"] for form in org.asked if "introspected" in form]
    given_out = [form for form in org.asked if form.get("client_id") == "erp" and "grant_type" in form]
    assert len(given_out) == org.revoked.count("of-the-erp")


def test_without_another_app_there_is_nothing_to_ask_about():
    """Its own tokens an app may always ask about."""
    report, _, _ = run(exchanging(isIntrospectAllTokens=False), well_behaved)

    assert "not run" == standings(report)["introspection.anothers"]
