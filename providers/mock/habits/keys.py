"""Consumer keys, secrets and certificates, which connected apps and external client apps treat alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.mock import ids
from providers.mock.errors import Refusal
from providers.mock.habits.texts import no_such
from providers.mock.record import Body, one, put
from providers.mock.world import Landing, World

# The guide says alphanumeric; keys that orgs generate also hold "." and "_", and sfdx-hardis restores such keys, so
# they must be accepted.
_KEY = re.compile(r"[A-Za-z0-9._]{8,256}")
_SECRET = re.compile(r"[A-Za-z0-9]{8,256}")


def fresh_key(landing: Landing, world: World) -> str:
    key = ids.consumer_key()
    world.claim_key(key, f"{landing.kind}/{landing.name}")
    return key


def claim(landing: Landing, key: str, world: World) -> None:
    """Take a key that the package brings, or refuse it."""
    if not _KEY.fullmatch(key):
        raise Refusal("The consumer key must be alphanumeric and between 8 and 256 characters long")
    if not world.claim_key(key, f"{landing.kind}/{landing.name}"):
        raise Refusal("The consumer key is already taken", "DUPLICATE_VALUE")


def keep_secret(landing: Landing, holder: Body) -> None:
    """Move a secret out of the record: it is settable when the app is created and never read back."""
    given = one(holder, "consumerSecret")
    holder.pop("consumerSecret", None)
    if landing.secret is None and given:
        if not _SECRET.fullmatch(given):
            raise Refusal("The consumer secret must be alphanumeric and between 8 and 256 characters long")
        landing.secret = given
    elif landing.secret is None:
        landing.secret = ids.consumer_secret()


def keep_certificate(holder: Body, old: Body | None, world: World) -> None:
    """Decide what leaving `certificate` out means, and hold the limits of requirement S003: 4,000 characters, 4 KB."""
    if world.switches.certificate_omitted_on_update == "kept" and "certificate" not in holder:
        put(holder, "certificate", one(old, "certificate"))
    text = one(holder, "certificate") or ""
    if len(text) > 4000 or len(text.encode()) >= 4096:
        raise Refusal("The certificate must be at most 4,000 characters long and smaller than 4 KB")


def check_signing(field: str, reference: str | None, world: World) -> Iterator[Refusal]:
    """Asset tokens are signed by a certificate of the org, which the record names by id (Metadata API guide)."""
    if reference and not world.certificate(reference):
        yield no_such(field, "Certificate", reference)


def check_callbacks(text: str | None) -> None:
    if len(text or "") > 2000:
        raise Refusal("Callback URL: data value too large (max length=2000)", "STRING_TOO_LONG")
