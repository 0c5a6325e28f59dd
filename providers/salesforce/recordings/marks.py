"""What stands where something was scrubbed, and how it is found again.

A mark that an org itself holds would hide a change from a person who replays the recording. So text from an org that looks
like a mark is unmade before anything is scrubbed: what reads as a mark in a recording was made by us.
"""

import hmac
import re
from hashlib import sha256

GONE = "(scrubbed)"
"""In the place of a secret: the same for all, so that it tells nothing, not even whether two are equal."""
_DOMAIN = "scrubbed.invalid"
MARK = re.compile(rf"\(scrubbed(?: certificate [0-9a-f]{{16}})?\)|scrubbed-[0-9a-f]{{16}}@{re.escape(_DOMAIN)}")
_LIKE_A_MARK = re.compile(r"(?i)\(scrubbed|scrubbed(?=-[0-9a-f]{16}@)")


class Pseudonyms:
    """Pseudonyms: equal values get equal names under one key, so that two recordings can be compared without the values."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(…)"

    def address(self, text: str) -> str:
        """The pseudonym of an e-mail address or a username, which orgs compare without regard to case."""
        return f"scrubbed-{self._digest('address', text.casefold())}@{_DOMAIN}"

    def certificate(self, text: str) -> str:
        """The pseudonym of a certificate, however its lines are broken."""
        return f"(scrubbed certificate {self._digest('certificate', ''.join(text.split()))})"

    def _digest(self, sort: str, text: str) -> str:
        return hmac.new(self._key, f"{sort}:{text}".encode("utf-8", "surrogatepass"), sha256).hexdigest()[:16]


def unmade(text: str) -> str:
    """A text from an org, changed so that nothing in it looks like one of our marks."""
    return _LIKE_A_MARK.sub(lambda found: f"{found[0]}?", text) if "scrubbed" in text.casefold() else text


def pieces(text: str) -> tuple[str, ...]:
    """What is left of a scrubbed text before, between and after its marks; empty if nothing of it was scrubbed."""
    found = tuple(MARK.split(text)) if "scrubbed" in text else ()
    return found if len(found) > 1 else ()
