"""A request to the token endpoint: a form, and the client's credentials in it or in the header."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers.mock.oauth.refusals import wrong_request

if TYPE_CHECKING:
    from werkzeug.wrappers import Request


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client sent; `base` is the address that it reached us at, without a slash at the end."""

    base: str
    form: dict[str, str]
    client_id: str
    secret: str

    def __getitem__(self, name: str) -> str:
        return self.form.get(name, "")


def read(request: Request) -> TokenRequest:
    """Read the form; a query string is not looked at, since secrets and tokens belong into the body (S003).

    Refuses what can be read in two ways (RFC 6749, 2.3 and 3.2): which of the two Salesforce believes is not documented.
    """
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise wrong_request("a parameter is given more than once")
    form = {name: str(value) for name, value in request.form.items()}
    try:
        basic = request.authorization
    except ValueError:
        # Werkzeug lets through what base64 says of letters beyond ASCII. A header that is none is none.
        basic = None
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    if basic is not None and basic.type == "basic":
        header = basic.username or "", basic.password or ""
        if client not in {"", header[0]} or secret not in {"", header[1]}:
            raise wrong_request("the header and the form hold different client credentials")
        client, secret = header
    return TokenRequest(request.host_url.rstrip("/"), form, client, secret)


def same(given: str, known: str) -> bool:
    """Whether two secrets are equal, compared in constant time; an empty `known` equals nothing."""
    return bool(known) and hmac.compare_digest(given.encode(), known.encode())
