"""The ways to log in, by their names in the project file. Each checks at once what needs no secret, and logs in later."""

import os
from collections.abc import Callable, Mapping

from providers.salesforce.login import Credentials
from providers.salesforce.login.client_credentials import client_credentials
from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.jwt import jwt
from providers.salesforce.login.keys import Given
from providers.salesforce.login.password import password
from providers.salesforce.login.place import PRODUCTION, Access, is_login_host, my_domain, org_at
from providers.salesforce.login.sf import sf
from providers.salesforce.login.sfdx_url import sfdx_url
from providers.salesforce.wire.hosts import origin_of
from providers.salesforce.wire.session import OrgSession, token_of
from providers.salesforce.wire.surroundings import problems
from reconciler.errors import Complaint, InputError
from reconciler.provider import Secrets

EXAMPLE = "login: {flow: token, access_token: {secret: {env: SF_TOKEN}}}"


def token(given: Given, instance_url: str, _door: Door) -> Callable[[], Access]:
    """Takes `access_token` as it is. It cannot be renewed."""
    given.need("access_token")
    place = my_domain(instance_url, "token")
    return lambda: Access(token_of(given.text("access_token"), "login.access_token"), place)


FLOWS: Mapping[str, Callable[[Given, str, Door], Callable[[], Access]]] = {
    "token": token,
    "sfdx_url": sfdx_url,
    "sf": sf,
    "jwt": jwt,
    "client_credentials": client_credentials,
    "password": password,
}
FIXED = frozenset({"token"})
"""Ways that give the same token every time."""


def credentials(
    instance_url: str, login: Mapping[str, object], session: OrgSession, secrets: Secrets, door: Door | None = None
) -> Credentials:
    """Credentials for the org of `session`, which is bound here, or at the first login where only that tells the org.

    No secret is looked for now. Raises RefusedError for a host that gets no credentials, InputError for what is missing.
    """
    origin = origin_of(instance_url) if instance_url else ""
    flow = login.get("flow")
    if not isinstance(flow, str) or flow not in FLOWS:
        raise InputError(
            Complaint(
                f"login flow {flow!r} is not supported" if flow else "the org has no login",
                mend=f"supported: {', '.join(FLOWS)}, as in {EXAMPLE}",
            )
        )
    wrong = tuple(problems(origin or PRODUCTION, os.environ))
    if wrong:
        raise InputError(*wrong)
    log_in = FLOWS[flow](Given(flow, login, secrets), origin, door or Door())
    known = [] if is_login_host(origin) or not origin else [origin]

    def enter() -> str:
        access = log_in()
        if not known:
            known.append(access.origin)
            session.bind(access.origin)
        org_at(access.origin, access.origin, known[0])
        return access.token

    found = Credentials(enter, renewable=flow not in FIXED)
    if known:
        session.bind(known[0])
    else:
        session.bind_by(lambda: found.token)
    return found
