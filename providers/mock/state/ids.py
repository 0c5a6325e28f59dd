"""Record ids, consumer keys and secrets that look like Salesforce's."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SUFFIX = string.ascii_uppercase + "012345"


def checksum(short: str) -> str:
    """Return the three letters that make a 15-character id safe where case is lost: one bit per upper-case letter."""
    return "".join(
        _SUFFIX[
            sum(
                1 << place
                for place, letter in enumerate(short[start : start + 5])
                if letter.isupper() and letter.isascii()
            )
        ]
        for start in (0, 5, 10)
    )


def short(text: object) -> str:
    """Return the first 15 characters of a record id of 15 or 18, which identify the record; "" for what is no id."""
    given = str(text or "")
    is_one = given.isalnum() and given.isascii() and given[15:] in {"", checksum(given[:15])}
    return given[:15] if is_one and len(given) in {15, 18} else ""


def record_id(prefix: str, pod: str, number: int) -> str:
    """Return an 18-character id: three letters for the object, `pod` for the instance, `number` in base 62."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    short = prefix + pod + digits.rjust(12 - len(pod), "0")
    return short + checksum(short)


def pod() -> str:
    """Return four characters that tell one org's ids from another's, drawn anew for each org."""
    return "".join(secrets.choice(ALPHABET) for _ in range(4))


def org_id() -> str:
    """Return a new organization id; 00D and then random, so that no two orgs share one."""
    short = "00D" + "".join(secrets.choice(ALPHABET) for _ in range(12))
    return short + checksum(short)


def consumer_key() -> str:
    """Return a consumer key: 85 characters that begin 3MVG9, as in the real files."""
    return "3MVG9" + "".join(secrets.choice(ALPHABET + "._") for _ in range(80))


def consumer_secret() -> str:
    """Return a consumer secret: 64 hexadecimal digits in capitals."""
    return secrets.token_hex(32).upper()
