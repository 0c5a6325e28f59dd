"""Answers of the OAuth endpoints: JSON that must not be cached."""

from __future__ import annotations

import json

from werkzeug.wrappers import Response

from providers.mock.oauth.refusals import Refused


def answer(value: object, status: int = 200) -> Response:
    return Response(
        json.dumps(value),
        status,
        content_type="application/json;charset=UTF-8",
        headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
    )


def refusal(no: Refused) -> Response:
    """Return the JSON answer for a refusal: a code and a description."""
    return answer({"error": no.error, "error_description": no.description}, no.status)
