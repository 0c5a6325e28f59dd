"""The refresh token flow, with rotation."""

from __future__ import annotations

from providers.mock.oauth import admission, apps, refusals, tokens
from providers.mock.oauth.grant import Grant
from providers.mock.oauth.request import TokenRequest
from providers.mock.state.world import World, user_of


def run(world: World, request: TokenRequest) -> Grant:
    app = apps.asking(world, request)
    app.check_secret(request, required=app.needs_secret_for_refresh)
    if request["scope"] and world.switches.scope_parameter_refused:
        raise refusals.scope_not_taken()
    token = tokens.find(world.db, request["refresh_token"], "refresh")
    if token is None or token.app_id != app.id:
        raise refusals.expired_token()
    if token.is_replaced:
        # Help article 005316711: who uses a replaced token again ends the current one and all access tokens with it.
        tokens.end_family(world.db, token)
        raise refusals.expired_token(leaves_traces=True)
    row = world.db.execute("SELECT * FROM user WHERE id = ?", (token.user,)).fetchone()
    if row is None or not row["active"]:
        raise refusals.expired_token()
    tokens.check_refresh_policy(world, app, token)
    user = user_of(row)
    admission.check(world, app, user)
    # Without rotation the answer holds no refresh token: the client keeps the one it has.
    tokens.use(world, token, replaced=app.rotates)
    return Grant(app, user, token.scopes, gives_refresh=app.rotates, family=token.family, granted_at=token.issued_at)
