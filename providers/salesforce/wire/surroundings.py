"""What this machine's settings say of the way to an org: a bundle of certificates, a proxy. Looked at before anything is sent.

A setting that leads nowhere is the runner's to mend. The HTTP library would say so late, in the words of its own inside, or
not at all.
"""

import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import should_bypass_proxies

from providers.salesforce.wire.hosts import is_loopback
from reconciler import files
from reconciler.errors import Complaint
from reconciler.files import FileError

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The first that is set counts (https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification)."""
MOST_BYTES = 16 * 1024 * 1024
"""Of a bundle; those of operating systems have a quarter of a megabyte."""
_EXAMPLE = "write it as http://HOST:PORT, or unset it"


def problems(origin: str, environment: Mapping[str, str]) -> Iterator[Complaint]:
    """Yield what is wrong with the settings that calls to `origin` go by. A proxy's address may hold a password: not
    shown."""
    url = urlsplit(origin)
    bundle = next((name for name in BUNDLES if environment.get(name)), "")
    if bundle and url.scheme == "https" and (problem := _no_bundle(Path(environment[bundle]))):
        yield Complaint(
            f"{bundle} names {environment[bundle]}, which {problem}",
            mend="set it to a file of certificates (PEM), or unset it",
        )
    wanted = (f"{url.scheme}_proxy", f"{url.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    proxy = next((name for name in wanted if environment.get(name)), "")
    no_proxy = environment.get("no_proxy") or environment.get("NO_PROXY")
    # Calls that do not leave this machine ask no proxy.
    if proxy and not is_loopback(url.hostname or "") and not should_bypass_proxies(origin, no_proxy):
        problem = _no_proxy(environment[proxy])
        if problem:
            yield Complaint(f"{proxy} names no proxy that can be used: {problem}", mend=_EXAMPLE)


def _no_bundle(path: Path) -> str:
    """Why certificates cannot be taken from a file or folder; empty if they can. A folder is taken as OpenSSL takes it."""
    if path.is_dir():
        return ""
    try:
        data = files.read(path, MOST_BYTES)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=data.decode("latin-1"))
    except FileError as wrong:
        return wrong.problem
    except (ssl.SSLError, ValueError):
        return "holds no certificates"
    return ""


def _no_proxy(text: str) -> str:
    try:
        # As `curl` and the HTTP library have it: a proxy without a scheme is one by HTTP.
        url = urlsplit(text if "://" in text else f"http://{text}")
        host = url.hostname
        _ = url.port
    except ValueError:
        return "it is no address with a port"
    if not host:
        return "it has no host"
    if url.scheme.startswith("socks"):
        return "" if find_spec("socks") else "a SOCKS proxy needs the package PySocks, which is not installed"
    return "" if url.scheme in ("http", "https") else "it is neither http nor https"
