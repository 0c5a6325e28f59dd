"""The part `verify:` of an org in the project file: what is given for each app, to run the flows that it promises."""

from collections.abc import Mapping
from typing import Any

from reconciler.project.section import Notes, Section, secret, text
from reconciler.verify.inputs import SECRETS, TEXTS, Given
from reconciler.yaml.events import RawPath

CHOICES: Mapping[str, tuple[str, ...]] = {
    "subject_token_type": ("jwt", "id_token", "access_token", "refresh_token", "saml2"),
    "token_handler": ("name", "class"),
}
_FORM = "write order_portal: {subject_token: {secret: {env: SUBJECT_TOKEN}}}"
APP = Section(
    "what is given for an app",
    dict.fromkeys(SECRETS, secret) | {key: text(words, CHOICES.get(key, ())) for key, words in TEXTS.items()},
)


def given(raw: Any, at: RawPath, notes: Notes) -> dict[str, Given]:
    """Read what is given for each app, by the app's name or address. What is wrong is noted, and left out."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        notes(at, "verify must hold the names of apps", _FORM)
        return {}
    return {str(app): _app(section, (*at, app), notes) for app, section in raw.items()}


def _app(section: Any, at: RawPath, notes: Notes) -> Given:
    if not isinstance(section, dict):
        notes(at, f"what is given for {at[-1]} must hold keys like subject_token", _FORM)
        return Given()
    values = APP.read(section, at, notes) or {}
    secrets = {key: value for key, value in values.items() if key in SECRETS}
    texts = {key: value for key, value in values.items() if key in TEXTS}
    return Given(secrets, texts, notes.place(at))
