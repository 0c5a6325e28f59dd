"""Introspection: tells an app that may ask whether a token is good, and whose it is."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from providers.mock.oauth import apps, openid, tokens
from providers.mock.oauth.refusals import Refused
from providers.mock.oauth.request import read
from providers.mock.oauth.response import answer, refusal
from providers.mock.org import Org
from providers.mock.state.world import user_of

_UNKNOWN = {"active": False}


def introspect(org: Org, request: Request) -> Response:
    """Answer `/services/oauth2/introspect` ("introspection"): an app's own tokens, or all if it may.

    The answer for a token that is not the app's is that of one that does not exist.
    """
    org.count("introspect")
    with org.writing() as world:
        try:
            form = read(request)
            app = apps.asking(world, form)
            app.check_secret(form, required=True)
        except Refused as no:
            return refusal(no)
        token = tokens.find(world.db, form["token"], "access", "refresh")
        if token is None or not (app.introspects_all or token.app_id == app.id):
            return answer(_UNKNOWN)
        holder = apps.of_token(world, token.app_kind, token.app_name, token.app_id)
        row = world.db.execute("SELECT * FROM user WHERE id = ? AND active", (token.user,)).fetchone()
        if holder is None or row is None or token.is_replaced:
            return answer(_UNKNOWN)
        try:
            if token.what == "refresh":
                tokens.check_refresh_policy(world, holder, token)
        except Refused:
            return answer(_UNKNOWN)
        if token.expires_at is not None and token.expires_at <= world.milliseconds:
            return answer(_UNKNOWN)
        user, issued = user_of(row), token.issued_at // 1000
        told = {
            "active": True,
            "scope": " ".join(sorted(token.scopes)),
            "client_id": holder.key,
            "username": user.username,
            "sub": openid.identity_url(world, form.base, user),
            "token_type": f"{token.what}_token",
            "iat": issued,
            "nbf": issued,
        }
        return answer(told if token.expires_at is None else {**told, "exp": token.expires_at // 1000})
