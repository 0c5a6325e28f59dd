"""The token endpoint: hands each request to its flow, and answers with tokens or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from werkzeug.wrappers import Request, Response

from providers.mock.oauth import client_credentials, exchange, jwt_bearer, password, refresh, refusals, web_server
from providers.mock.oauth.grant import Grant, issued
from providers.mock.oauth.refusals import Refused
from providers.mock.oauth.request import TokenRequest, read
from providers.mock.oauth.response import answer, refusal
from providers.mock.org import Org
from providers.mock.state.world import World

# Device and code-and-credentials flows are not played: they are refused as grant types that no one knows.
_FLOWS: Mapping[str, Callable[[World, TokenRequest], Grant]] = {
    "authorization_code": web_server.run,
    "client_credentials": client_credentials.run,
    "password": password.run,
    "refresh_token": refresh.run,
    # Its answer has none of the further session ids that hybrid apps get.
    "urn:ietf:params:oauth:grant-type:hybrid-token-exchange": exchange.run,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": jwt_bearer.run,
    "urn:ietf:params:oauth:grant-type:token-exchange": exchange.run,
}


def token(org: Org, request: Request) -> Response:
    """Answer `/services/oauth2/token`: the tokens with 200, or a refusal with 400."""
    org.count("token")
    if request.method != "POST":
        return refusal(
            Refused("invalid_request", "must use HTTP POST")
        )  # quoted in several questions about the endpoint
    try:
        asked = read(request)
    except Refused as no:
        return refusal(no)
    flow = _FLOWS.get(asked["grant_type"])
    if flow is None:
        return refusal(refusals.unsupported_grant())
    with org.writing() as world:
        world.db.execute("SAVEPOINT flow")
        try:
            given = issued(world, asked.base, flow(world, asked))
        except Refused as no:
            if not no.leaves_traces:
                world.db.execute("ROLLBACK TO flow")
            world.db.execute("RELEASE flow")
            return refusal(no)
        world.db.execute("RELEASE flow")
    return answer(given)
