"""What must not be shown: every secret that this run has held is taken out of all that leaves the process.

Nothing of ours puts a secret into a text. But an org, a proxy or a program may repeat in an error what it was sent, and
Salesforce's own words are shown as they came. So whoever gets a secret or a token holds it here, and whatever is written
goes through `redacted`. One set for the whole process on purpose: a secret that only some parts know of gets out by the
others.
"""

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MARK = "[secret]"
SHORTEST = 6
"""Characters. A shorter one is found by trying, and taking it out would garble every text."""
_LINE = 16
"""Characters of a line of a key, from which on it is a secret of its own: messages are shown on one line."""

_held: set[str] = set()


def hold(secret: str) -> str:
    """Keep a secret out of everything that is written from now on. Returns it."""
    if len(secret) >= SHORTEST:
        _held.update(_forms(secret))
        lines = secret.splitlines() if "\n" in secret else []
        _held.update(one for one in lines if len(one) >= _LINE and not one.startswith("-----"))
    return secret


def redacted(text: str) -> str:
    """The text without the secrets that are held."""
    found = [one for one in _held if one in text]
    # The longest first: one may be a part of another.
    for one in sorted(found, key=len, reverse=True):
        text = text.replace(one, MARK)
    return text


def holds(data: bytes) -> bool:
    """Whether a secret that is held stands in these bytes."""
    return any(one.encode() in data for one in _held)


def _forms(secret: str) -> Iterator[str]:
    """As it is, and as texts carry it: in a URL, in JSON, in XML, in HTTP's Basic authentication."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield html.escape(secret)
    for before in range(3):
        # In base64, three bytes are four characters: what stands before shifts it, and the ends mix with what is beside.
        text = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        inner = text[(before * 8 + 5) // 6 : len(text) - (0 if (before + len(secret.encode())) % 3 == 0 else 1)]
        if len(inner) >= 2 * SHORTEST:
            yield inner
