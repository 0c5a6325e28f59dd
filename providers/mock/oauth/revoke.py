"""Revocation: ends a token that a client gives back."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from providers.mock.oauth import tokens
from providers.mock.oauth.refusals import Refused
from providers.mock.oauth.response import refusal
from providers.mock.org import Org
from providers.mock.state import sessions
from providers.mock.state.errors import Fault


def revoke(org: Org, request: Request) -> Response:
    """Answer `/services/oauth2/revoke`: 200 and nothing, or 400 (the Mobile SDK's page on revoking tokens).

    A refresh token takes its access tokens along. A session without an app takes all such sessions of its user along.
    """
    org.count("revoke")
    text = request.values.get("token", "")
    with org.writing() as world:
        found = tokens.find(world.db, text, "access", "refresh")
        if found is not None and found.what == "refresh":
            tokens.end_family(world.db, found)
        elif found is not None:
            tokens.end(world.db, found)
        else:
            try:
                user = sessions.session(world.db, text).user
            except Fault:
                return refusal(Refused("invalid_token", "invalid token"))
            world.db.execute("UPDATE user SET sessions = sessions + 1 WHERE id = ?", (user.id,))
    return Response(b"", 200)
