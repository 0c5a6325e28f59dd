"""Conversations with an org, recorded over a real socket and replayed anywhere: the wire itself does not change unseen."""

import re
from pathlib import Path

import pytest
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

from tests.salesforce.build import app
from tests.salesforce.conversations import CONVERSATIONS, FOLDER, Conversation, deploy, provider_at, recorder
from tests.salesforce.scrub import everything_in

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there: what is not on tape fails."""
TOKEN = "any token will do".replace(" ", "-")

FORBIDDEN = {
    "a session id": rb"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{8,}",
    "a session id in SOAP": rb"<sessionId>(?!scrubbed<)",
    "a consumer secret": rb"<consumerSecret>(?!scrubbed<)[^<\s]",
    "the secret of the recording": rb"Aa1NotForTapes",
    "a consumer key": rb"3MVG9",
    "a bearer token": rb"(?i)bearer\s+[a-z0-9]",
    "a JSON web token": rb"eyJ[A-Za-z0-9_-]{10,}\.",
    "a private key": rb"PRIVATE KEY",
    "an authorization header": rb"(?i)authorization:",
    "an address of a person": rb"[\w.+-]+@(?![\w.-]*\bexample\b)[\w-]+\.\w+",
    "a path of a machine": rb"/(?:home|Users|tmp|root)/",
}


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
def test_a_recorded_conversation_is_held_again_word_by_word(conversation: Conversation):
    """A request that is new, other or missing is a change of what orgs get to see: it has to be meant."""
    with recorder("none").use_cassette(str(conversation.tape)) as tape:
        try:
            conversation.talk(provider_at(NOWHERE, TOKEN, conversation.way, waits=False))
        except CannotOverwriteExistingCassetteException as other:
            raise AssertionError("the org is asked something else: if that is meant, run `make cassettes`") from other

    assert tape.all_played


def test_a_request_that_is_not_on_tape_fails():
    """Otherwise these tests would pass whatever the client sends."""
    conversation = next(one for one in CONVERSATIONS if one.name == "deploy-by-rest")
    with recorder("none").use_cassette(str(conversation.tape)):
        provider = provider_at(NOWHERE, TOKEN, conversation.way, waits=False)
        provider.org()
        with pytest.raises(CannotOverwriteExistingCassetteException):
            deploy(provider, app(label="Another label"))


@pytest.mark.parametrize("tape", sorted(FOLDER.glob("*.yaml")), ids=lambda tape: tape.stem)
def test_a_cassette_holds_no_secret(tape: Path):
    """It is published with the project; base64 and zip hide nothing from whoever looks."""
    for text in _texts(yaml.safe_load(tape.read_text(encoding="utf-8"))):
        for layer in everything_in(text):
            for what, pattern in FORBIDDEN.items():
                assert not re.search(pattern, layer), f"{tape.name} holds {what}"


def test_the_search_for_secrets_finds_them():
    """A search that finds nothing anywhere proves nothing."""
    import base64

    from providers.salesforce.files.archive import write_zip
    from tests.salesforce.scrub import scrub_text

    packed = base64.b64encode(write_zip({"a": b"<consumerSecret>hunter2hunter2</consumerSecret>" * 3}))
    answer = b"<zipFile>" + packed + b"</zipFile>"
    found = [layer for layer in everything_in(answer) if re.search(FORBIDDEN["a consumer secret"], layer)]
    left = [layer for layer in everything_in(scrub_text(answer)) if re.search(FORBIDDEN["a consumer secret"], layer)]

    assert (1, 0) == (len(found), len(left))


def test_cassettes_are_small_and_all_of_them_are_used():
    """A reader has to be able to look through them."""
    assert {one.tape for one in CONVERSATIONS} == set(FOLDER.glob("*.yaml"))
    assert 60_000 > max(tape.stat().st_size for tape in FOLDER.glob("*.yaml"))


def _texts(value: object) -> list[bytes]:
    match value:
        case bytes():
            return [value]
        case str():
            return [value.encode()]
        case dict():
            return [f"{key}:".encode() for key in value] + [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
    return []
