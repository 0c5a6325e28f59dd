"""The essay of `reconciler/apex` explains the stages by an example: a reader who checks one answer has to find it true."""

import re

import pytest

from reconciler.apex.code import Code
from reconciler.apex.handler import Handler
from reconciler.apex.methods import VALIDATE
from tests.packaging.locked import ROOT

TEXT = (ROOT / "reconciler" / "apex" / "README.md").read_text(encoding="utf-8")
SOURCE = TEXT.partition("```apex\n")[2].partition("```")[0]
HANDLER = Handler(Code(SOURCE, "IdpHandler"))
YES = {True: "yes", False: "no"}
ANSWERS = {
    "validating": " ".join(method.name.text for method in HANDLER.validating),
    "token": " ".join(sorted(HANDLER.follow(method.parameters[2].name for method in HANDLER.overrides(VALIDATE)))),
    "verifications": " ".join(
        str(method.code.tokens[at].line) for method, places in HANDLER.verifications.items() for at in places
    ),
    "unverified_decodings": " ".join(str(spot.token.line) for spot in HANDLER.unverified_decodings()) or "none",
    "swallowed": " ".join(str(spot.token.line) for spot in HANDLER.swallowed()) or "none",
    **{f'checks("{claim}")': YES[HANDLER.checks(claim)] for claim in ("iss", "aud", "exp")},
}


def written() -> dict[str, str]:
    """What is asked -> the answer, as the essay's table has it."""
    rows = re.findall(r"^\| `([^|]+)` \| ([^|]+) \|", TEXT.partition("## A worked example")[2], re.MULTILINE)
    return {asked: answer.strip("`") for asked, answer in rows}


@pytest.mark.parametrize("asked", ANSWERS)
def test_the_essay_says_what_the_stages_find(asked: str) -> None:
    assert ANSWERS[asked] == written()[asked]


def test_every_answer_of_the_essay_is_looked_at() -> None:
    assert set(written()) == set(ANSWERS)
