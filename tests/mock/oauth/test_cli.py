"""The mock org's OAuth on the command line: what a desired file's `{command: …}` calls."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from providers.mock import open_org
from reconciler.cli.mock import mock_app
from tests.mock.oauth.client import AUDIENCE, ISSUER, peek

RULE = ("rule", "Exchange", "--issuer", ISSUER, "--audience", AUDIENCE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    file = tmp_path / "reconciler.yaml"
    file.write_text(
        "project: p\ndesired: desired\norgs:\n  dev:\n    mock: dev.db\ndefault_org: dev\n", encoding="utf-8"
    )
    return file


def run(project: Path, *words: str) -> str:
    done = CliRunner().invoke(mock_app, [*words, "--project", str(project)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def test_a_rule_is_declared_and_listed(project: Path) -> None:
    """Who comes later must see why a token is taken."""
    run(project, *RULE, "--claim", "mail", "--user", "Email", "--creates")

    assert f"Exchange: {ISSUER} for {AUDIENCE}, mail is the user's Email, makes users\n" == run(project, "rules")


def test_token_prints_a_token_and_nothing_else(project: Path) -> None:
    """It is read by a program."""
    run(project, *RULE)

    (token,) = run(project, "token", "eli.novak", "--expires-in", "60").splitlines()

    claims = peek(token)
    assert ("eli.novak", ISSUER, AUDIENCE, 60) == (
        claims["sub"],
        claims["iss"],
        claims["aud"],
        claims["exp"] - claims["iat"],
    )
    forged = run(project, "token", "eli.novak", "--forged").strip()
    assert jwt.get_unverified_header(token) == jwt.get_unverified_header(forged)
    assert run(project, "token", "eli.novak", "--type", "saml2", "--audience", "x", "--issuer", "y").strip()


def test_secret_prints_the_secret_and_nothing_else(project: Path) -> None:
    found = run(project, "secret", "Partner_Portal")

    assert f"{open_org(project.parent / 'dev.db').consumer('Partner_Portal')[1]}\n" == found


def test_users_tells_who_is_known_to_identity_providers(project: Path) -> None:
    """Whose name to ask a token for."""
    assert "to identity providers eli.novak" in run(project, "users")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("secret", "Nobody"), "the org has no app Nobody"),
        (("token", "x", "--type", "magic"), "there are jwt, id_token"),
    ],
)
def test_what_is_not_there_is_named(project: Path, words: tuple[str, ...], text: str) -> None:
    done = CliRunner().invoke(mock_app, [*words, "--project", str(project)])

    assert text in str(done.exception)
