"""The SFDX auth URL, as `sf org auth show-sfdx-auth-url` shows it: an app, perhaps its secret, a refresh token, a host.

Source: https://developer.salesforce.com/docs/platform/salesforce-cli-reference/guide/cli_reference_org_login_sfdx-url.html
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers.salesforce.login.endpoint import Door
from providers.salesforce.login.keys import Given
from providers.salesforce.login.place import Access, is_login_host
from providers.salesforce.wire.hosts import origin_of
from providers.salesforce.wire.session import QUOTES
from reconciler.errors import Complaint, InputError, RefusedError
from reconciler.redaction import hold

_FORM = re.compile(
    r"force://(?:(?P<client>[\w.-]+={0,2}):(?P<secret>[\w.-]*={0,2}):)?(?P<token>[\w.-]+={0,2})@(?P<host>[\w:.\[\]-]+)/?",
    re.ASCII,
)
_CLI = "PlatformCLI"
"""The app of the Salesforce CLI itself, which URLs of the short form `force://refreshToken@host` belong to."""


@dataclass(frozen=True, slots=True, repr=False)
class SfdxUrl:
    """The parts of an SFDX auth URL."""

    client_id: str
    client_secret: str
    refresh_token: str
    host: str


def parse(text: str) -> SfdxUrl:
    """Read the URL, or the JSON that the Salesforce CLI puts around it. Raises InputError that shows nothing of it."""
    url = text.strip()
    if url.startswith("{"):
        try:
            found = json.loads(url)
        except (ValueError, RecursionError):
            found = {}
        inner = found.get("result", found)
        url = str(inner.get("sfdxAuthUrl", "")) if isinstance(inner, Mapping) else ""
    if len(url) > 2 and url[0] == url[-1] and url[0] in QUOTES:
        raise InputError(Complaint("login: auth_url stands in quotes", mend="take the quotes away"))
    match = _FORM.fullmatch(url)
    if match is None:
        raise InputError(
            Complaint(
                "login: auth_url holds no SFDX auth URL",
                mend="it looks like force://CLIENT_ID:CLIENT_SECRET:REFRESH_TOKEN@HOST, where the secret may be empty;"
                " `sf org auth show-sfdx-auth-url` shows it for an org that was logged in to by a browser",
            )
        )
    secret, token = hold(match["secret"] or ""), hold(match["token"])
    return SfdxUrl(match["client"] or _CLI, secret, token, match["host"])


def sfdx_url(given: Given, instance_url: str, door: Door) -> Callable[[], Access]:
    """Logs in with the refresh token of `auth_url`, at the host that stands in it.

    Where the project file pins another org, nothing is sent. A refresh token that Salesforce exchanges for a new one is
    followed while this process lives, and is not written anywhere.
    """
    given.need("auth_url")
    pinned = "" if is_login_host(instance_url) else instance_url
    exchanged: list[str] = []

    def log_in() -> Access:
        url = parse(given.text("auth_url"))
        place = _place(url.host, pinned)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": exchanged[-1] if exchanged else url.refresh_token,
            "client_id": url.client_id,
        }
        if url.client_secret:
            form["client_secret"] = url.client_secret
        # Using an exchanged refresh token again ends the new one too.
        access, answer = door.ask(place, form, "sfdx_url", pinned, once=True)
        if isinstance(answer.get("refresh_token"), str):
            exchanged.append(answer["refresh_token"])
        return access

    return log_in


def _place(host: str, pinned: str) -> str:
    """Where the token is asked for: the host in the URL, if it is one of Salesforce's, and the org that was meant."""
    if pinned and urlsplit(pinned).netloc == host.casefold():
        return pinned
    place = origin_of(f"https://{host}")
    if pinned and not is_login_host(place):
        raise RefusedError(
            Complaint(
                f"auth_url is for the org at {place}, and instance_url says {pinned}",
                mend="store the SFDX auth URL of the org that is meant, or mend instance_url",
            )
        )
    return place
