"""`TokenEndpoint`: what clients of an org are answered, of every provider that has one."""

from reconciler.model.oauth import Tokens
from tests.provider.conftest import Candidate, quiet, value_of
from tests.salesforce.build import app, global_oauth, oauth


def test_a_refusal_is_an_answer(changing: Candidate) -> None:
    """`verify` asks for what must be refused: no error of ours may come of it."""
    answer = changing.provider.ask_token({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"})

    assert (False, None) == (answer.granted, answer.tokens)
    assert answer.error


def test_nothing_is_known_of_a_strangers_token(changing: Candidate) -> None:
    key, secret = _client(changing)
    answer = changing.provider.introspect(Tokens("00Dnonsense"), {"client_id": key, "client_secret": secret})

    assert not answer.granted


def test_a_callback_that_is_not_registered_is_refused_before_a_login(changing: Candidate) -> None:
    key, _ = _client(changing)
    challenge = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    given = {"response_type": "code", "client_id": key, **challenge}

    assert changing.provider.authorize({**given, "redirect_uri": "https://acme.example/cb"}).granted
    assert not changing.provider.authorize({**given, "redirect_uri": "https://evil.example/cb"}).granted


def _client(changing: Candidate) -> tuple[str, str]:
    done = changing.provider.deploy(
        [app(), oauth(), global_oauth()],
        quiet,
        check_only=False,
        secrets=value_of,
        options={},
        started=lambda sent: None,
    )
    assert done.success, done.failures
    return changing.org.consumer("portal")
