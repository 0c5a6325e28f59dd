"""Client credentials: the app logs in as itself, and runs as the user that its policies name.

Source: https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
"""

from collections.abc import Callable

from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.keys import Given
from providers.salesforce.login.place import Access, my_domain


def client_credentials(given: Given, instance_url: str, door: Door) -> Callable[[], Access]:
    """Logs in with `client_id` and `client_secret`, at the org's My Domain: nowhere else this flow is answered."""
    given.need("client_id", "client_secret")
    place = my_domain(instance_url, "client_credentials")

    def log_in() -> Access:
        client = given.text("client_id"), given.text("client_secret")
        access, _ = door.ask(place, {"grant_type": "client_credentials"}, "client_credentials", place, basic=client)
        return access

    return log_in
