"""Secrets written into source: what a string literal looks like, and what it is called."""

import binascii
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import log2
from typing import Final, NamedTuple

from reconciler.apex.code import Code
from reconciler.apex.lexer import Sort, Token


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SECRET_NAMES: Final = _words(
    "secret password passwd passphrase pwd apikey privatekey signingkey hmackey sharedkey encryptionkey secretkey"
    " credential accesstoken refreshtoken bearertoken authtoken apitoken securitytoken"
)
_OPEN_NAMES: Final = _words(
    "public cert jwks clientid consumerkey audience issuer tenant kid thumb fingerprint modulus exponent url uri"
    " endpoint host domain digit alphabet charset algorithm hex profile label message field path header pattern format"
    " claim scope nameof param version"
)
"""What is called like this is published, or is no value at all."""
_PLACEHOLDERS: Final = (
    "changeme",
    "replace",
    "your",
    "xxxx",
    "todo",
    "example",
    "dummy",
    "placeholder",
    "<",
    "{",
    "...",
)
_LONGEST: Final = 4096
"""Characters of a literal that are looked at."""


class Secret(NamedTuple):
    """A literal that looks like a secret: where it is and what it seems to be, never its value."""

    token: Token
    subject: str
    """The name that it is given, or `literal`."""
    what: str


def secrets(code: Code) -> Iterator[Secret]:
    """The literals of a class that look like secrets."""
    for at, token in enumerate(code.tokens):
        if token.sort is Sort.STRING and len(token.text) > 8:
            named = _name(code, at)
            what = _what(token.value[:_LONGEST], _flat(named))
            if what:
                yield Secret(token, named[:80] if _is_shown(code, at, named) else "literal", what)


MASK: Final = "(secret)"


def masked(source: str) -> str:
    """A class without the values of the literals that look like secrets, wherever they stand."""
    for text in {one.token.text for one in secrets(Code(source))}:
        source = source.replace(text, f"'{MASK}'")
    return source


def _is_shown(code: Code, at: int, named: str) -> bool:
    """Whether a name may be shown: a variable's always, a text's only if it is surely a name and no secret itself."""
    if named.isidentifier() and any(code.tokens[back].text == named for back in range(max(at - 130, 0), at)):
        return True
    return named.replace("-", "_").isidentifier() and _is_secret_name(_flat(named)) and not any(map(str.isdigit, named))


def _what(value: str, name: str) -> str:
    """Return what kind of secret a literal seems to be; empty if it seems to be none."""
    lower = value.lower()
    if "-----begin" in lower and "private key-----" in lower:
        return "a private key"
    if value.startswith("eyJ") and value.count(".") == 2 and len(value) > 60:
        return "a token"
    if _is_private_der(value):
        return "a private key"
    for scheme in ("Bearer ", "Basic "):
        if value.startswith(scheme) and len(value) >= len(scheme) + 16 and " " not in value[len(scheme) :]:
            return "a credential"
    for pair in value.replace("&", "\n").splitlines() if "=" in value else ():
        key, _, held = pair.strip().rpartition("?")[2].partition("=")
        if _is_secret_name(_flat(key)) and _is_no_word(held):
            return "a password or a secret"
    if any(word in name for word in _OPEN_NAMES) and not _is_secret_name(name):
        return ""
    if _is_secret_name(name):
        return "a password or a secret" if _is_no_word(value) else ""
    return "a key or a secret" if _is_random(value) else ""


def _name(code: Code, at: int) -> str:
    """What a literal is called: the variable, field, map key or method that it is given to."""
    # 'a' + 'b' + 'c' is one literal.
    for _ in range(64):
        if at < 2 or code.tokens[at - 1].key != "+" or code.tokens[at - 2].sort is not Sort.STRING:
            break
        at -= 2
    before = code.tokens[at - 1].key if at else ""
    if before in ("=", "+=", "=>", "==", ":", "!=") and at >= 2:
        return code.tokens[at - 2].value if code.tokens[at - 2].sort is Sort.STRING else code.tokens[at - 2].text
    if before == "," and at >= 2 and code.tokens[at - 2].sort is Sort.STRING:
        return code.tokens[at - 2].value  # put('client_secret', '…')
    if before == "(" and at >= 2 and code.tokens[at - 2].sort is Sort.WORD:
        return code.tokens[at - 2].text  # setPassword('…'), Blob.valueOf('…')
    return ""


def _flat(name: str) -> str:
    return "".join(char for char in name.lower()[:200] if char.isalnum())


def _is_secret_name(name: str) -> bool:
    return any(word in name for word in _SECRET_NAMES) and not name.endswith(("url", "name", "param", "field", "label"))


def _is_no_word(value: str) -> bool:
    """Whether it could be a secret: `client_secret`, `MyNamedCredential`, a sentence, an address or `<your secret>` is
    none."""
    if len(value) < 8 or any(word in value.lower() for word in _PLACEHOLDERS):
        return False
    if any(char.isspace() for char in value) or "://" in value or value.startswith(("callout:", "/")):
        return False
    return any(char.isdigit() or not (char.isalnum() or char in "_-.:") for char in value)


def _is_random(value: str) -> bool:
    """Whether a text is long, of one piece and without any pattern: capital and small letters and digits in disorder."""
    if not 32 <= len(value) <= _LONGEST or not all(char.isalnum() or char in "+/=_-" for char in value):
        return False
    if value.startswith("MII"):
        return False  # a certificate or a public key; a private one was seen before
    sorts = (any(map(str.isupper, value)), any(map(str.islower, value)), any(map(str.isdigit, value)))
    return all(sorts) and _entropy(value) >= 4.0 and not _is_alphabet(value)


def _is_alphabet(value: str) -> bool:
    """Whether a text is an alphabet, as `ABCDEFGHIJKLMNOPQRSTUVWXYZabc…`: each character follows the one before it."""
    following = sum(ord(b) - ord(a) == 1 for a, b in pairwise(value))
    return following * 2 > len(value)


def _entropy(value: str) -> float:
    return -sum(n / len(value) * log2(n / len(value)) for n in Counter(value).values())


def _is_private_der(value: str) -> bool:
    """Base64 of a private key: a sequence that starts with a version number (RFC 5958, RFC 8017 A.1.2, RFC 5915), where a
    certificate or a public key starts with another sequence."""
    if not value.startswith("M") or len(value) < 60:
        return False
    head = "".join(value[:40].split())[:32]
    try:
        data = binascii.a2b_base64(head)
    except (binascii.Error, ValueError):
        return False
    if len(data) < 8 or data[0] != 0x30:
        return False
    start = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    return start + 3 <= len(data) and data[start : start + 2] == b"\x02\x01" and data[start + 2] in (0, 1)
