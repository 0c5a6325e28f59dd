"""Where a login goes, and whether the org that it names is the one that was meant."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers.salesforce.wire.hosts import is_loopback, origin_of
from reconciler.errors import Complaint, InputError, RefusedError

PRODUCTION, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
"""Where people of any org log in. No org's API answers there."""
_SANDBOX = re.compile(r"\.(sandbox|scratch)\.my\.|--[a-z0-9-]+\.my\.|(^|\.)cs\d+\.")
"""Hosts of sandboxes and scratch orgs, with enhanced domains and before them
(https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm)."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a login gives: a token, and the org that it is for."""

    token: str
    origin: str

    def __repr__(self) -> str:
        return f"Access(…, {self.origin!r})"


def is_login_host(origin: str) -> bool:
    """Whether this is one of the hosts where people of any org log in."""
    return origin in (PRODUCTION, SANDBOX)


def is_sandbox(origin: str) -> bool:
    """Whether the host is a sandbox's or a scratch org's, as far as its name tells."""
    return origin == SANDBOX or bool(_SANDBOX.search(urlsplit(origin).hostname or ""))


def login_host(origin: str, sandbox: bool | None) -> str:
    """Return the host to log in at: by `sandbox`, or, where that is not given, by the host's name."""
    return SANDBOX if (is_sandbox(origin) if sandbox is None else sandbox) else PRODUCTION


def my_domain(origin: str, flow: str) -> str:
    """The org's own host. Raises InputError where the project file names none."""
    if not origin or is_login_host(origin):
        what = f"{origin} is not an org's own address" if origin else "the org has neither instance_url nor mock"
        raise InputError(
            Complaint(
                f"{what}, which the login flow {flow} needs",
                mend="set instance_url to the org's My Domain, e.g. https://acme.my.salesforce.com",
            )
        )
    return origin


def org_at(url: str, asked: str, pinned: str) -> str:
    """The origin of the org that a login at `asked` names. Raises RefusedError if the token is not for that place.

    What is pinned is the project file's instance_url, or empty. A login that answers with another org is refused: the
    token would be that org's, and what the files say is not for it.
    """
    try:
        found = urlsplit(url)
        origin = origin_of(f"{found.scheme}://{found.netloc}")
    except (ValueError, RefusedError):
        origin = ""
    here, there = (is_loopback(urlsplit(one).hostname or "") for one in (asked, origin))
    if not origin or here != there:
        raise RefusedError(
            Complaint(
                f"the login at {asked} names {_shown(url)} as the org, which gets no credentials of ours",
                mend="log in at a host of Salesforce; an org's API answers at its My Domain, https://….my.salesforce.com",
            )
        )
    if pinned and origin != pinned:
        raise RefusedError(
            Complaint(
                f"the login is for the org at {origin}, and instance_url says {pinned}",
                mend=f"log in to the org that is meant; if it is this one, under a new My Domain, with enhanced domains, "
                f"or by its instance's name, set instance_url to {origin}",
            )
        )
    return origin


def _shown(url: str) -> str:
    """The host of an address, to be shown: what follows it may be anything, a secret too."""
    try:
        return repr((urlsplit(url).hostname or url)[:200])
    except ValueError:
        return "no host"
