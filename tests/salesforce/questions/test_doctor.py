"""What an org tells of our permissions, and what is made of an org that tells little."""

import json

import pytest

from providers.mock import Org
from providers.salesforce.questions.doctor import lacking
from reconciler.errors import NotAllowedError, UnreachableError
from tests.salesforce.build import Answer, stubbed
from tests.salesforce.conftest import Connected, calls


def test_an_admin_may_deploy_and_others_are_told_what_they_lack(org: Org, connected: Connected):
    """An apply that would be refused at its very end should not begin."""
    assert connected(api_version="63.0").may_deploy() is None
    told = connected(api_version="63.0", as_user="eli@acme.example").may_deploy()

    assert told is not None
    assert "Modify Metadata Through Metadata API Functions (or Modify All Data)" in told
    assert "by a permission set" in told


def test_one_question_is_enough(connected: Connected):
    """It is asked before every apply, and calls are counted."""
    provider = connected(api_version="63.0")
    provider.may_deploy()

    assert 1 == calls(provider)


@pytest.mark.parametrize(
    ("held", "may"),
    [
        ({"ApiEnabled": True, "ModifyMetadata": True, "ModifyAllData": False}, True),
        ({"ApiEnabled": True, "ModifyMetadata": False, "ModifyAllData": True}, True),
        ({"ApiEnabled": True, "ModifyMetadata": False, "ModifyAllData": False}, False),
        ({"ApiEnabled": False, "ModifyMetadata": True, "ModifyAllData": True}, False),
        ({"ModifyMetadata": False}, True),
        ({}, True),
    ],
)
def test_only_what_is_known_to_be_missing_stops_anybody(held: dict[str, bool], may: bool):
    """An org that does not tell must not stop whoever could deploy."""
    assert may is (lacking(held) is None)


def refusal(code: str, status: int = 400) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps([{"errorCode": code, "message": "no"}]).encode()


def test_an_org_that_does_not_know_the_question_does_not_stop_us():
    """What a user may not see does not exist for a query."""
    provider, _ = stubbed(lambda _: refusal("INVALID_TYPE"))

    assert provider.may_deploy() is None


@pytest.mark.parametrize(
    ("answer", "error"), [(refusal("INVALID_SESSION_ID", 401), NotAllowedError), ((503, {}, b""), UnreachableError)]
)
def test_a_dead_login_and_a_dead_org_are_no_answer(answer: Answer, error: type[Exception]):
    """Those are errors of their own, and not a lack of permission."""
    provider, _ = stubbed(lambda _: answer)
    with pytest.raises(error):
        provider.may_deploy()
