"""Where an app sends people and tokens, and from where it may be used: callback and logout URLs, ranges of addresses."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from reconciler.model.address import Address
from reconciler.rules import Broken, NotChecked, Verdicts, rule
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE, WEB_SERVER
from reconciler.rules.unknowns import shown, some, unknown, unknowns
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path
from reconciler.world.apps import CALLBACKS, OAUTH, OAUTH_POLICY, SINGLE_LOGOUT, App, Setting
from reconciler.world.world import UNKNOWN, World

OAUTH_SETTINGS = "Salesforce Help, Enable OAuth Settings for API Integration"
SECURITY = "ExtlClntAppOauthSecuritySettings"
POLICY_LOGOUT = Setting("oauthPolicy.singleLogoutUrl", OAUTH_POLICY, "singleLogoutUrl")

MAX_CALLBACKS = 2000
"""Characters, all URLs of an app and the line breaks between them together."""
MAX_RANGES = 128
MAX_TOKEN_ADDRESSES = 256

_NEVER = frozenset(
    ["javascript", "vbscript", "data", "blob", "file", "filesystem", "about", "view-source", "ftp", "ws", "wss"]
)
"""Schemes that no app can own: a browser runs, shows or fetches what they name."""
_HOST_AND_PORT = re.compile(r"[A-Za-z0-9.\-]+:[0-9]+(?:[/?]|$)")


class Reach(Enum):
    """Who gets what is sent to a callback URL."""

    WEB = "a web site"
    LOOPBACK = "a program on the same machine"
    PLACEHOLDER = "nobody: a page of Salesforce that only says that it worked"
    APP = "whoever registered the scheme on the device"


@lru_cache(maxsize=4096)
def reach(url: str) -> Reach | None:
    """Who receives what is sent to a callback URL; `None` for a text that is no URL."""
    if wrongs(url):
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return Reach.APP
    host = parts.hostname or ""
    if parts.path == "/services/oauth2/success" and host.endswith(".salesforce.com"):
        return Reach.PLACEHOLDER
    return Reach.LOOPBACK if _is_loopback(host) else Reach.WEB


def reaches(app: App) -> frozenset[Reach]:
    """Who receives what is sent to the app's callback URLs; texts that are no URLs are left out."""
    urls = app.value(CALLBACKS)
    return frozenset(found for url in urls if (found := reach(url))) if some(urls) else frozenset()


@lru_cache(maxsize=4096)
def wrongs(url: str) -> tuple[tuple[str, str], ...]:
    """What is wrong with a callback URL, each with its mend. Nothing is decoded: it is compared letter by letter."""
    return tuple(_wrongs(url))


def _wrongs(url: str) -> Iterator[tuple[str, str]]:
    if " " in url or not url.isprintable():
        odd = next(c for c in url if c == " " or not c.isprintable())
        yield f"holds the blank or invisible character U+{ord(odd):04X}", "remove it; one URL is one entry"
        return
    if "*" in url:
        yield "holds a wildcard: it matches nothing, or more than it should", "write each URL in full"
    if "#" in url:
        yield "has a fragment, which RFC 6749 §3.1.2 forbids", "remove what begins with #"
    if not url.isascii():
        yield "holds letters outside of ASCII, which can look like others", "write the host in its xn-- form"
    if "\\" in url:
        yield "holds a backslash, which browsers read as a slash: the host may be another", "write / or %5C"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        yield f"is no URL ({shown(str(error))})", "write https://host/path"
        return
    yield from _wrong_parts(url, parts)


def _wrong_parts(url: str, parts: SplitResult) -> Iterator[tuple[str, str]]:
    if not parts.scheme or _HOST_AND_PORT.match(url):
        yield "has no scheme", f"write https://{shown(url.lstrip('/'))}"
    elif parts.scheme in _NEVER:
        yield f"has the scheme {parts.scheme}:, which no app can own", "write https://, or the scheme of the app"
    elif parts.scheme in ("http", "https"):
        host = shown(parts.hostname or "")
        if not host.strip("."):
            yield "names no host", f"write {parts.scheme}://host/path"
        elif "@" in parts.netloc:
            yield f"hides its host, {host}, behind an @", f"write {parts.scheme}://{host}/… if that is meant"
        if parts.scheme == "http" and host and not _is_loopback(host):
            yield "sends the authorization code unencrypted", "write https:// (http is for loopback addresses only)"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@rule(
    "OA06",
    Severity.HIGH,
    "Each callback URL is https, an app's own scheme or a loopback address, without wildcard or fragment, once, and all "
    "together have at most 2,000 characters",
    hurts="Whoever controls an address that should not be there receives the authorization codes of the people who log in.",
    source=f"{OAUTH_SETTINGS}, step 4; RFC 6749 §3.1.2; RFC 9700 §2.1; that loopback http works is a field report",
    good=WEB_SERVER.but(
        "[https://help.acme.example/callback]",
        "[https://help.acme.example/callback, 'http://localhost:1717/OauthRedirect']",
    ),
    bad=WEB_SERVER.but("https://help.acme.example/callback", "http://help.acme.example/callback"),
)
def callbacks(world: World) -> Verdicts:
    for app in world.apps():
        if app.value(CALLBACKS) is UNKNOWN:
            yield from unknowns(app, CALLBACKS)
            continue
        address, path = app.spot(CALLBACKS)
        urls = app.written(CALLBACKS)
        for url, times in Counter(urls).items():
            found = wrongs(url)
            if found:
                message = f"{shown(url)} {'; it '.join(what for what, _ in found)}"
                yield Broken(address, message, path, "; ".join(mend for _, mend in found), subject=shown(url))
            if times > 1:
                message = f"{shown(url)} is given {times} times"
                yield Broken(address, message, path, "keep one of them", subject=f"{shown(url)} again")
        total = len("\n".join(urls))
        if total > MAX_CALLBACKS:
            message = f"the callback URLs have {total:,} characters together, of {MAX_CALLBACKS:,} that fit"
            yield Broken(address, message, path, "move some to another app", subject="length")


@rule(
    "OA09",
    Severity.HIGH,
    "A single logout URL is absolute and https",
    hurts="People who log out of Salesforce stay logged in at the app: the request goes nowhere, or unencrypted.",
    source=f"{OAUTH_SETTINGS}, step 18",
    good=CONNECTED_TOKEN_EXCHANGE.but(
        "  scopes: [Api]", "  scopes: [Api]\n  singleLogoutUrl: https://partners.acme.example/logout"
    ),
    bad=CONNECTED_TOKEN_EXCHANGE.but("  scopes: [Api]", "  scopes: [Api]\n  singleLogoutUrl: /logout"),
)
def logout_urls(world: World) -> Verdicts:
    for app in world.apps():
        for setting in (SINGLE_LOGOUT, POLICY_LOGOUT):
            url = app.value(setting)
            address, path = app.spot(setting)
            if url is UNKNOWN:
                yield from unknowns(app, setting)
            elif url and (reach(str(url)) in (None, Reach.APP) or urlsplit(str(url)).scheme != "https"):
                message = f"singleLogoutUrl is {shown(str(url))}, which is no absolute https URL"
                yield Broken(address, message, path, "write singleLogoutUrl: https://host/path")


RANGES = WEB_SERVER.but(
    "oauthPolicies:\n",
    """\
  trustedIpRanges:
  - {startIpAddress: 192.0.2.1, endIpAddress: 192.0.2.20}
  - {startIpAddress: '2001:db8::1', endIpAddress: '2001:db8::ff'}
oauthPolicies:
""",
)
"""A web application that only trusts two ranges of addresses."""


@rule(
    "OA17",
    Severity.HIGH,
    "Each range of addresses begins before it ends and is of one family; an external client app has at most 128, and those "
    "for refresh tokens hold at most 256 addresses together",
    hurts="The org refuses the deployment, or the people and programs that were meant to be let in stay outside.",
    source="Metadata API Developer Guide, ExtlClntAppOauthSettings; Salesforce Help, Set an IP Allowlist for Refresh "
    "Tokens. No limit is documented for a connected app's ipRanges",
    good=RANGES,
    bad=RANGES.but("endIpAddress: 192.0.2.20", "endIpAddress: 192.0.1.20"),
)
def ranges(world: World) -> Verdicts:
    for app in world.apps():
        for address, name, start, end in _range_fields(app):
            found = world.value(address, (name,))
            if found is UNKNOWN:
                yield unknown(world, address, (name,))
            elif isinstance(found, Mapping):
                yield from _judged_ranges(address, name, {k: (_end(i, start), _end(i, end)) for k, i in found.items()})


def _range_fields(app: App) -> tuple[tuple[Address, str, str, str], ...]:
    if app.is_connected:
        return ((app.address, "ipRanges", "start", "end"),)
    return (
        (app.satellite(OAUTH), "trustedIpRanges", "startIpAddress", "endIpAddress"),
        (app.satellite(SECURITY), "tokenIpRanges", "startIpAddress", "endIpAddress"),
    )


def _end(item: object, name: str) -> str:
    return str(item.get(name) or "") if isinstance(item, Mapping) else ""


def _judged_ranges(address: Address, name: str, found: Mapping[str, tuple[str, str]]) -> Iterator[Broken | NotChecked]:
    total = 0
    for key, (start, end) in found.items():
        size = _size(start, end)
        if isinstance(size, int):
            total += size
        else:
            path: Path = (name, key)
            yield Broken(address, f"{shown(start)} to {shown(end)}: {size[0]}", path, size[1], subject=shown(key))
    if len(found) > MAX_RANGES and name != "ipRanges":
        message = f"{name} has {len(found)} ranges, of {MAX_RANGES} that are allowed"
        yield Broken(address, message, (name,), "join ranges that touch", subject="ranges")
    if name == "tokenIpRanges" and total > MAX_TOKEN_ADDRESSES:
        message = f"{name} holds {total:,} addresses together, of {MAX_TOKEN_ADDRESSES} that are allowed"
        yield Broken(
            address, message, (name,), "list only the addresses that the client really has", subject="addresses"
        )


def _size(start: str, end: str) -> int | tuple[str, str]:
    """How many addresses a range holds; or what is wrong with it, and the mend."""
    try:
        first, last = ipaddress.ip_address(start.strip()), ipaddress.ip_address(end.strip())
    except ValueError as error:
        return shown(str(error)), "write two addresses, such as 192.0.2.1 and 192.0.2.20"
    if first.version != last.version:
        return f"one is IPv{first.version}, the other IPv{last.version}", "write two ranges, one for each family"
    if int(first) > int(last):
        return "it ends before it begins", "swap the two"
    return int(last) - int(first) + 1
