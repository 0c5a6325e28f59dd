"""The username-password flow, for connected apps only, where the org has not blocked it."""

from __future__ import annotations

from providers.mock.oauth import admission, apps, refusals
from providers.mock.oauth.grant import Grant
from providers.mock.oauth.request import TokenRequest
from providers.mock.oauth.scopes import REFRESH
from providers.mock.state import sessions
from providers.mock.state.world import World


def run(world: World, request: TokenRequest) -> Grant:
    app = apps.asking(world, request)
    app.check_secret(request, required=True)
    if not app.is_connected:
        # External client apps do not support this flow (help.salesforce.com, remoteaccess_oauth_username_password_flow).
        raise refusals.unsupported_grant()
    if request["scope"] and world.switches.scope_parameter_refused:
        raise refusals.scope_not_taken()
    # A blocked flow answers as a wrong password does: which of the two it was is not said.
    user = sessions.by_password(world, request["username"], request["password"])
    if user is None or world.setting("OauthOidcSettings", "blockOAuthUnPwFlow"):
        raise refusals.authentication_failure()
    admission.check(world, app, user)
    # The same help page: no refresh token.
    return Grant(app, user, app.scopes - {REFRESH})
