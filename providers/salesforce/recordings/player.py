"""Answers from a recording, in the place of an org. Strict: what was not recorded is an error, never a guess."""

import io
from collections.abc import Collection
from difflib import SequenceMatcher
from typing import Any
from urllib.parse import unquote_plus

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from providers.salesforce.recordings.file import MEND, ORIGIN, Interaction, Recording
from providers.salesforce.recordings.recorder import Request, request_of
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import Complaint, InputError, UnreachableError

_COMPARED = 4_000
"""So many characters of two requests are compared to find the nearest."""
_LOOKED_AT = 100
"""So many of those that could be meant: comparing is slow, and a recording may be of any size."""
_SHOWN = 120


class NotRecordedError(UnreachableError):
    """A request that the recording does not hold. There is no org to ask: as if it did not answer."""


class _Replayer(BaseAdapter):
    """Looks requests up in a recording."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._answers: dict[Request, Interaction] = {}
        for one in recording.interactions:
            if self._answers.setdefault(_request(one), one) is not one:
                # A reviewer would see the one, and the other would count.
                raise InputError(Complaint(f"the recording answers twice to {_shown(_request(one))}", mend=MEND))

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        asked = request_of(request)
        found = self._answers.get(asked)
        if found is None:
            raise NotRecordedError(_not_recorded(asked, self._answers))
        response = requests.Response()
        response.status_code = found.status
        response.headers = CaseInsensitiveDict({"Content-Type": found.content_type} if found.content_type else {})
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.raw = io.BytesIO(found.answer.encode("utf-8", "replace"))
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Do nothing: nothing was opened."""


def attach(session: OrgSession, recording: Recording) -> None:
    """Put a recording in the place of the org. No other address can be reached by the session any more."""
    session.adapters.clear()
    session.mount(f"{ORIGIN}/", _Replayer(recording))
    session.trust_env = False
    session.bind(ORIGIN)


def _request(one: Interaction) -> Request:
    return Request(one.method, one.path, one.body.encode("utf-8", "replace"))


def _not_recorded(asked: Request, recorded: Collection[Request]) -> Complaint:
    message = f"the recording does not hold this call: {_shown(asked)}"
    mend = "record again with this version: the recording is of another version, or was altered"
    best = max((_likeness(asked, one) for one in recorded), default=None)
    alike = [one for one in recorded if _likeness(asked, one) == best][:_LOOKED_AT]
    if not alike:
        return Complaint(message, mend=mend)
    nearest = max(alike, key=lambda one: _ratio(asked, one))
    return Complaint(f"{message}; the nearest is {_shown(nearest)}, {_difference(asked, nearest)}", mend=mend)


def _shown(request: Request) -> str:
    return f"{request.operation} ({request.method} {_short(unquote_plus(request.path))})"


def _likeness(asked: Request, other: Request) -> tuple[bool, bool, bool]:
    """How much two requests have in common: `query User` is nearer to `query Profile` than to `retrieve`."""
    verbs = [one.operation.partition(" ")[0] for one in (asked, other)]
    return asked.operation == other.operation, verbs[0] == verbs[1], asked.method == other.method


def _ratio(asked: Request, other: Request) -> float:
    ours, theirs = (f"{one.path} {one.body[:_COMPARED].decode('utf-8', 'replace')}" for one in (asked, other))
    return SequenceMatcher(None, ours, theirs).ratio()


def _difference(asked: Request, other: Request) -> str:
    """Where two requests part, and how each goes on."""
    for what, ours, theirs in (
        ("method", asked.method, other.method),
        ("path", unquote_plus(asked.path), unquote_plus(other.path)),
        ("body", asked.body.decode("utf-8", "replace"), other.body.decode("utf-8", "replace")),
    ):
        if ours != theirs:
            same = next((at for at, (one, two) in enumerate(zip(ours, theirs, strict=False)) if one != two), 0)
            begin = max(same - _SHOWN // 3, 0)
            here, there = (_short(text[begin:] or "nothing") for text in (ours, theirs))
            return f"which differs in its {what}: asked for {here!r}, recorded is {there!r}"
    return "which is the same"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
