"""`verify:` of an org in the project file."""

from pathlib import Path

import pytest

from reconciler.schema.values import SecretRef
from tests.project.test_file import complaints, load

START = "project: a\norgs:\n  prod:\n    mock: a.db\n"


def test_what_is_given_for_an_app_is_references_and_names(tmp_path: Path) -> None:
    """No token stands in a file."""
    text = """\
    verify:
      order_portal:
        client_secret: {secret: {env: PORTAL_SECRET}}
        subject_token: {secret: {command: [idp-token, alice]}}
        subject_token_type: id_token
        user: alice@acme.example
"""
    given = load(tmp_path, START + text).org("prod").verify["order_portal"]

    assert SecretRef("command", ("idp-token", "alice")) == given.secrets["subject_token"]
    assert {"subject_token_type": "id_token", "user": "alice@acme.example"} == given.texts
    assert given.place is not None
    assert ("reconciler.yaml", 6) == (given.place.file, given.place.line)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("    verify: [order_portal]\n", "verify must hold the names of apps", 5),
        ("    verify: {order_portal: soon}\n", "what is given for order_portal must hold keys", 5),
        ("    verify: {p: {subject_tokn: x}}\n", "subject_tokn is not a key", 5),
        ("    verify: {p: {subject_token: eyJ.a.b}}\n", "subject_token is a secret and cannot stand in a file", 5),
        ("    verify:\n      p:\n        subject_token_type: saml\n", "'saml' is not a subject_token_type", 7),
        ("    verify:\n      p:\n        token_handler: id\n", "'id' is not a token_handler", 7),
        ("    verify:\n      p:\n        user: [a]\n", "user must be a text", 7),
        ("    verify:\n      p:\n        private_key: {secret: {file: ../key.pem}}\n", "leads out of the project", 7),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, says: str, line: int) -> None:
    """A token that nobody reads verifies nothing."""
    (found,) = complaints(tmp_path, START + text)

    assert says in found.message
    assert found.place is not None
    assert line == found.place.line
    assert found.mend


def test_a_secret_that_stands_there_is_not_repeated(tmp_path: Path) -> None:
    """An error message goes into logs, and a token that was written by mistake with it."""
    (found,) = complaints(tmp_path, START + "    verify: {p: {client_secret: canary-0123456789}}\n")

    assert "canary" not in repr(found)
