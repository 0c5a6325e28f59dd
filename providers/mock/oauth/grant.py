"""Issues tokens to a client whose request a flow has accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from providers.mock.oauth import openid, tokens
from providers.mock.oauth.apps import App
from providers.mock.oauth.scopes import REFRESH
from providers.mock.state.world import User, World


@dataclass(frozen=True, slots=True)
class Grant:
    """A flow's decision: which app gets tokens for which user. Renewals also set `family` and `granted_at`."""

    app: App
    user: User
    scopes: frozenset[str]
    gives_refresh: bool = False
    nonce: str = ""
    family: str = ""
    granted_at: int | None = None


def issued(world: World, base: str, grant: Grant) -> dict[str, Any]:
    """Issue the tokens and return the answer, which has no `issued_token_type`, unlike RFC 8693 ("token exchange")."""
    app, user = grant.app, grant.user
    family = grant.family or tokens.new_family()
    access = tokens.access(world, base, app, user.id, grant.scopes, family)
    at, identity = str(world.milliseconds), openid.identity_url(world, base, user)
    # help.salesforce.com, remoteaccess_oauth_web_server_flow: signed with the consumer secret, over id and issued_at.
    signature = hmac.new(app.secret.encode(), f"{identity}{at}".encode(), hashlib.sha256).digest()
    answer = {
        "access_token": access,
        "signature": base64.b64encode(signature).decode(),
        "scope": " ".join(sorted(grant.scopes)),
        "instance_url": base,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": at,
    }
    if grant.gives_refresh and REFRESH in grant.scopes:
        answer["refresh_token"] = tokens.refresh(world, app, user.id, grant.scopes, family, grant.granted_at)
    if "openid" in grant.scopes:
        answer["id_token"] = openid.id_token(world, base, app, user, access, grant.nonce)
    return answer
