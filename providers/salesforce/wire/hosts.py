"""Where credentials may go: Salesforce's own hosts over https, loopback, and nowhere else."""

import ipaddress
import re
from urllib.parse import urlsplit

from reconciler.errors import Complaint, RefusedError

SALESFORCE_DOMAINS = ("salesforce.com", "salesforce.mil", "sfcrmproducts.cn")
"""An org's API answers at its My Domain or at an instance under these: commercial, US government, and China. Lightning,
Setup and site hosts (`force.com` and the like) serve no Metadata API, so no credential has business there."""

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def is_loopback(host: str) -> bool:
    """True for this machine: `localhost`, 127.0.0.0/8, ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(instance_url: str) -> str:
    """Scheme, host and port of an org that credentials may be sent to. Raises RefusedError for any other place.

    Called before any credential is looked for: a project file is not trusted to choose who gets them.
    """
    try:
        url = urlsplit(instance_url.strip())
        host, port = (url.hostname or "").rstrip("."), url.port
    except ValueError:
        raise _refused("…", "it is no URL") from None
    if url.username is not None or url.password is not None:
        raise _refused(f"{url.scheme}://…@{host}", "it carries a user name; credentials stand under login")
    if url.path not in ("", "/") or url.query or url.fragment:
        # What follows may be a session id: people paste what stands in their browser.
        raise _refused(f"{url.scheme}://{host}/…", "it goes on after the host")
    if is_loopback(host) and url.scheme in ("http", "https"):
        shown = f"[{host}]" if ":" in host else host
        return f"{url.scheme}://{shown}" + (f":{port}" if port else "")
    if url.scheme != "https":
        raise _refused(instance_url, "it is not https")
    if not _HOST.fullmatch(host) or not any(host.endswith(f".{domain}") for domain in SALESFORCE_DOMAINS):
        raise _refused(instance_url, "it is no host of Salesforce", _api_host(host))
    if port not in (None, 443):
        raise _refused(instance_url, f"Salesforce does not listen on port {port}")
    return f"https://{host}"


_BROWSED = re.compile(r"([a-z0-9-]+(?:\.[a-z]+)?)\.(?:lightning\.force|my\.salesforce-setup)\.com")
"""Hosts that a browser shows, with a sandbox's partition; what stands before is the same at the host of the API
(https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm)."""


def _api_host(host: str) -> str:
    """The host of the org's API for a host that a browser shows (`…lightning.force.com`); empty for any other."""
    shown = _BROWSED.fullmatch(host)
    return f"https://{shown[1]}.my.salesforce.com" if shown else ""


def _refused(url: str, why: str, instead: str = "") -> RefusedError:
    where = instead or "the org's My Domain, e.g. https://acme.my.salesforce.com"
    return RefusedError(Complaint(f"credentials are not sent to {url!r}: {why}", mend=f"set instance_url to {where}"))
