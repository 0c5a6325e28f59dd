"""What must not be shown: every secret that this run has held is taken out of all that leaves the process.

Nothing of ours puts a secret into a text. But an org, a proxy or a program may repeat in an error what it was sent, and
Salesforce's own words are shown as they came: cut off, in capitals, in base64, escaped for Markdown by us. So whoever gets
a secret or a token holds it here, and whatever is written goes through `redacted`, which finds a secret as a whole and any
twelve letters and digits of it. One set for the whole process on purpose: a secret that only some parts know of gets out
by the others.
"""

import base64
import html
import json
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

MARK = "[secret]"
SHORTEST = 6
"""Characters. A shorter one is found by trying, and taking it out would garble every text."""
PIECE = 12
"""Letters and digits of a secret, from which on a piece of it is taken out, whatever stands between them."""
_GRAM, _STRIDE = 6, 7
"""Any twelve characters hold six that begin at a multiple of seven: so a large text is looked at in few places."""
_LONG = 10_000
"""Characters of a secret from which on it is not looked for in base64: no token is that long."""
_LINE = 16
"""Characters of a line of a key, from which on it is a secret of its own: messages are shown on one line."""
_HEAD = 160
_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(.*?)(?:-----END|\Z)", re.DOTALL)
_KEPT = b'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"<>\n'
"""Of a text that is looked through: letters and digits, and what ends a value of JSON, an element or a line. Anything
else may stand between the letters and digits of a secret."""
_DROPPED = bytes(code for code in range(256) if code not in _KEPT)
_SMALL = bytes(range(256)).lower()
_SESSION = re.compile(r"00D[A-Za-z0-9]{12,15}!(?:005[A-Za-z0-9]{12}\.)?")
"""A session id begins with the id of its org, which every output shows; that of a mock org goes on with its user's."""


class _Part(NamedTuple):
    """Letters and digits of a secret, in a row: pieces of it are looked for."""

    text: str
    small: bytes
    form: str
    """The text that it was made of."""


_held: set[str] = set()
_grams: dict[bytes, list[tuple[_Part, int]]] = {}


def is_jwt(token: str) -> bool:
    """Whether a token is a JSON web token: a head, claims and a signature."""
    return token.startswith("eyJ") and token.count(".") == 2


def hold(secret: str) -> str:
    """Keep a secret out of everything that is written from now on. Returns it."""
    if len(secret) < SHORTEST or secret in _held:
        return secret
    _held.update(_forms(secret))
    lines = [one for one in secret.splitlines() if len(one) >= _LINE and not one.startswith("-----")]
    if "\n" in secret:
        _held.update(lines)
    for part in _own(secret):
        _hold_pieces(part)
    return secret


def redacted(text: str) -> str:
    """The text without the secrets that are held, and without their pieces."""
    found = [one for one in _held if one in text]
    # The longest first: one may be a part of another.
    for one in sorted(found, key=len, reverse=True):
        text = text.replace(one, MARK)
    spans = [(begin, end) for begin, end, _ in _pieces(text)]
    if not spans:
        return text
    places = [at for at, code in enumerate(_ascii(text)) if code in _KEPT]
    parts, done = [], 0
    for begin, end in spans:
        parts += [text[done : places[begin]], MARK]
        done = places[end - 1] + 1
    return "".join([*parts, text[done:]])


def holds(data: bytes, *, besides: Collection[str] = frozenset()) -> bool:
    """Whether a secret that is held, or a piece of one, stands in these bytes; those in `besides` do not count."""
    if any(one.encode("utf-8", "surrogatepass") in data for one in _held if one not in besides):
        return True
    return any(part.form not in besides for _, _, part in _pieces(data.decode("latin-1")))


def held() -> frozenset[str]:
    """Everything that is held now, in each of its forms."""
    return frozenset(_held)


def _own(secret: str) -> Iterator[str]:
    """The parts of a secret of which no piece stands anywhere else."""
    keys = _KEY.findall(secret)
    for key in keys:
        # Behind what a certificate shows of it: its sort and the public numbers.
        body = "".join(key.split())
        yield body[len(body) // 2 :]
    if secret.startswith(("PD", "PH")):
        # A SAML assertion, XML in base64: behind its id it holds names, and often its issuer's certificate.
        yield secret[:_HEAD]
    elif is_jwt(secret):
        # A JSON web token is worth nothing without its signature, and its claims are names.
        yield secret.rpartition(".")[2]
    elif not keys and not re.search(r"\s|://|^\{", secret):
        # An address or a JSON text holds much that is no secret; whoever takes it apart holds what is.
        session = _SESSION.match(secret)
        yield secret[session.end() :] if session else secret


def _forms(secret: str) -> Iterator[str]:
    """As it is, and as texts carry it: in a URL, in JSON, in XML, in HTTP's Basic authentication, as digits."""
    yield secret
    for safe in ("", "/"):
        yield quote(secret, safe=safe)
    yield quote_plus(secret)
    for only_ascii in (True, False):
        yield json.dumps(secret, ensure_ascii=only_ascii)[1:-1]
    for quotes in (True, False):
        yield html.escape(secret, quote=quotes)
    yield html.escape(secret).replace("&#x27;", "&apos;")
    yield secret.encode("utf-8", "surrogatepass").hex()
    yield from _in_base64(secret)


def _in_base64(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        # Three bytes are four characters: what stands before shifts it, and the ends mix with what is beside.
        text = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = text[(before * 8 + 5) // 6 : len(text) - (0 if (before + len(data)) % 3 == 0 else 1)]
        if len(inner) >= 2 * SHORTEST:
            yield inner


def _hold_pieces(secret: str) -> None:
    """Make the pieces of a secret known: of what is in disorder. A word that is in a password is in every text."""
    forms = [secret]
    if len(secret) <= _LONG:
        forms += [secret.encode("utf-8", "surrogatepass").hex(), *_in_base64(secret)]
    for form in forms:
        text = re.sub(r"[^0-9A-Za-z]+", "", form)
        part = _Part(text, text.lower().encode(), form)
        for at in range(len(text) - _GRAM + 1):
            known = _grams.setdefault(part.small[at : at + _GRAM], [])
            if all(other.small != part.small for other, _ in known):
                known.append((part, at))


def _pieces(text: str) -> Iterator[tuple[int, int, _Part]]:
    """Where pieces stand: begin, end (counted in what is left of the text without what is dropped), and of what."""
    bare = _ascii(text).translate(_SMALL, _DROPPED) if _grams else b""
    done = 0
    for at in [at for at in range(0, len(bare) - _GRAM + 1, _STRIDE) if bare[at : at + _GRAM] in _grams]:
        for part, there in _grams[bare[at : at + _GRAM]] if at >= done else ():
            begin, end = _widened(bare, at, part.small, there, done)
            if end - begin >= PIECE and _in_disorder(part.text[there - (at - begin) : there + (end - at)]):
                yield begin, end, part
                done = end
                break


def _ascii(text: str) -> bytes:
    """A byte for each character."""
    return text.encode("ascii", "replace")


def _widened(bare: bytes, at: int, secret: bytes, there: int, least: int) -> tuple[int, int]:
    """How far two texts agree around a place."""
    before, after = 0, _GRAM
    while at - before > least and there > before and bare[at - before - 1] == secret[there - before - 1]:
        before += 1
    while at + after < len(bare) and there + after < len(secret) and bare[at + after] == secret[there + after]:
        after += 1
    return at - before, at + after


def _in_disorder(text: str) -> bool:
    """Whether nobody would write this by chance: with digits, or with capitals among small letters."""
    return any(map(str.isdigit, text)) or (any(map(str.isupper, text)) and any(map(str.islower, text)))
