"""JWT bearer: we sign who we are with a private key; the org knows the certificate. What a pipeline should use.

Source: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm, RFC 7523.
"""

import time
from collections.abc import Callable

from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.keys import Given
from providers.salesforce.login.place import Access, is_login_host, login_host
from providers.salesforce.wire.hosts import origin_of
from reconciler.client_assertions import signed

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def jwt(given: Given, instance_url: str, door: Door, now: Callable[[], float] = time.time) -> Callable[[], Access]:
    """Logs in with `client_id`, `username` and `private_key`.

    The token is asked for at instance_url; without one, where people log in. The audience is where people of this org
    log in, which a sandbox's My Domain is not, unless `audience` says otherwise.
    """
    given.need("client_id", "username", "private_key")
    people = login_host(instance_url, given.flag("sandbox"))
    place = instance_url or people
    audience = origin_of(given.text("audience")) if given.keys.get("audience") else people
    pinned = "" if is_login_host(place) else instance_url

    def log_in() -> Access:
        who, key = (given.text("client_id"), given.text("username")), given.text("private_key")
        assertion = signed(*who, audience, now(), key, section="login")
        access, _ = door.ask(place, {"grant_type": GRANT, "assertion": assertion}, "jwt", pinned, audience=audience)
        return access

    return log_in
