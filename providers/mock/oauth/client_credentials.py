"""The client credentials flow: an app acts as the user that an admin chose for it."""

from __future__ import annotations

from providers.mock.oauth import admission, apps, refusals
from providers.mock.oauth.grant import Grant
from providers.mock.oauth.request import TokenRequest
from providers.mock.oauth.scopes import REFRESH
from providers.mock.state.world import World

# simple-salesforce/simple-salesforce#662 quotes the help page: these are not given.
_DROPPED = frozenset({"full", "web", REFRESH})
_ANYBODYS_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})


def run(world: World, request: TokenRequest) -> Grant:
    if request.base.partition("://")[2] in _ANYBODYS_HOSTS:
        # Only an org's own address takes this flow; many public runbooks quote the sentence.
        raise refusals.invalid_grant("request not supported on this domain")
    app = apps.asking(world, request)
    app.check_secret(request, required=True)
    if not (app.client_credentials and app.client_credentials_policy):
        raise refusals.flow_is_off("client credentials")
    if request["scope"] and world.switches.scope_parameter_refused:
        raise refusals.scope_not_taken()
    user = world.user(app.run_as)
    if user is None or not user.is_active:
        # Quoted by vendors, e.g. Sumo Logic's help on its Salesforce source; that an inactive user counts as none is ours.
        raise refusals.invalid_grant("no client credentials user enabled")
    if world.switches.client_credentials_user_api_only and not user.is_api_only:
        raise refusals.invalid_grant("the client credentials user must be an API Only user")  # ours
    admission.check(world, app, user)
    scopes = app.scopes - _DROPPED
    if not scopes:
        # Since Winter '26; several public runbooks quote the sentence.
        raise refusals.invalid_grant("no valid scopes defined")
    return Grant(app, user, scopes)
