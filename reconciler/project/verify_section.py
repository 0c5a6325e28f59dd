"""The part `verify:` of an org in the project file: what is given for each app, to run the flows that it promises."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import Place, suggestion
from reconciler.secret_refs import NoReferenceError, reference
from reconciler.verify.inputs import SECRETS, TEXTS, Given

RawPath = tuple[str | int, ...]
Note = Callable[[RawPath, str, str], None]
"""Told where, what is wrong, and what to do about it."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "subject_token_type": ("jwt", "id_token", "access_token", "refresh_token", "saml2"),
    "token_handler": ("name", "class"),
}
_KEYS = (*SECRETS, *TEXTS)
_FORM = "write order_portal: {subject_token: {secret: {env: SUBJECT_TOKEN}}}"


def given(raw: Any, at: RawPath, note: Note, root: Path, place: Callable[[RawPath], Place]) -> dict[str, Given]:
    """App's name or address -> what stands there for it. What is wrong is noted, and left out.

    Commands are let through, and refused where they would run.
    """
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        note(at, "verify must hold the names of apps", _FORM)
        return {}
    return {str(app): _app(section, (*at, app), note, root, place) for app, section in raw.items()}


def _app(section: Any, at: RawPath, note: Note, root: Path, place: Callable[[RawPath], Place]) -> Given:
    if not isinstance(section, dict):
        note(at, f"what is given for {at[-1]} must hold keys like subject_token", _FORM)
        return Given()
    secrets, texts = {}, {}
    for key, value in section.items():
        if key in SECRETS:
            try:
                secrets[key] = reference(key, value, root=root, allow_commands=True)
            except NoReferenceError as wrong:
                note((*at, key), wrong.message, wrong.mend)
        elif key not in TEXTS:
            note((*at, key), f"{key} is not a key of what is given for an app", suggestion(key, _KEYS, every=True))
        elif not isinstance(value, str) or not value.strip():
            note((*at, key), f"{key} must be a text", f"write {TEXTS[key]}")
        elif key in CHOICES and value not in CHOICES[key]:
            note((*at, key), f"{value!r} is not a {key}", f"one of: {', '.join(CHOICES[key])}")
        else:
            texts[key] = value.strip()
    return Given(secrets, texts, place(at))
