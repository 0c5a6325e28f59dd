"""Consumer keys, secrets and certificates, which connected apps and external client apps treat alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from providers.mock.habits.texts import no_such
from providers.mock.record import Body, one, put
from providers.mock.state import ids
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Component, Landing, World, timestamp

# The guide says alphanumeric; keys that orgs generate also hold "." and "_", and sfdx-hardis restores such keys, so
# they must be accepted.
_KEY = re.compile(r"[A-Za-z0-9._]{8,256}")
_SECRET = re.compile(r"[A-Za-z0-9]{8,256}")


def fresh_key(landing: Landing, world: World) -> str:
    key = ids.consumer_key()
    world.claim_key(key, f"{landing.kind}/{landing.name}")
    return key


def claim(landing: Landing, key: str, world: World) -> None:
    """Reserve the consumer key that a package brings; refuse a malformed key or one that is taken."""
    if not _KEY.fullmatch(key):
        raise Refusal("The consumer key must be alphanumeric and between 8 and 256 characters long")
    if not world.claim_key(key, f"{landing.kind}/{landing.name}"):
        raise Refusal("The consumer key is already taken", "DUPLICATE_VALUE")


def keep_secret(landing: Landing, holder: Body) -> None:
    """Move the consumer secret out of the record, so that it is never read back; draw one if the app has none."""
    given = one(holder, "consumerSecret")
    holder.pop("consumerSecret", None)
    if landing.secret is None and given:
        if not _SECRET.fullmatch(given):
            raise Refusal("The consumer secret must be alphanumeric and between 8 and 256 characters long")
        landing.secret = given
    elif landing.secret is None:
        landing.secret = ids.consumer_secret()


def keep_certificate(holder: Body, old: Body | None, world: World) -> None:
    """Keep a `certificate` left out of an update if the switch says so; check S003's limits: 4,000 characters, 4 KB."""
    if world.switches.certificate_omitted_on_update == "kept" and "certificate" not in holder:
        put(holder, "certificate", one(old, "certificate"))
    text = one(holder, "certificate") or ""
    if len(text) > 4000 or len(text.encode()) >= 4096:
        raise Refusal("The certificate must be at most 4,000 characters long and smaller than 4 KB")


def check_signing(field: str, reference: str | None, world: World) -> Iterator[Refusal]:
    """Refuse an app whose asset tokens are signed by a certificate that the org does not have; records name it by id
    (Metadata API guide)."""
    if reference and not world.certificate(reference):
        yield no_such(field, "Certificate", reference)


def check_callbacks(text: str | None) -> None:
    if len(text or "") > 2000:
        raise Refusal("Callback URL: data value too large (max length=2000)", "STRING_TOO_LONG")


# -- the second set of an external client app --------------------------------------------------------------------------

_LASTS = 30 * 86_400_000
"""Milliseconds that a staged set waits, and that one works on which was rotated out: 30 days."""
_STAGED = "0eC"


@dataclass(frozen=True, slots=True)
class Spare:
    """A consumer key and secret beside the primary ones; `state` is Active (staged), Rotated or Expired."""

    id: str
    component: str
    key: str
    secret: str
    state: str
    created_by: str
    created_at: str
    expires_at: str

    @property
    def works(self) -> bool:
        return self.state != "Expired"


def spare(world: World, settings: Component) -> Spare | None:
    """Return the second set of the global OAuth settings `settings`; one that was rotated out is gone after 30 days."""
    row = world.db.execute(
        "SELECT * FROM staged_credential WHERE component = ?", (f"{settings.kind}/{settings.name}",)
    ).fetchone()
    if row is None:
        return None
    found = Spare(**dict(row))
    if found.expires_at > world.now:
        return found
    return None if found.state == "Rotated" else replace(found, state="Expired")


def secret_for(world: World, settings: Component, key: str) -> str | None:
    """Return the secret that goes with `key`, primary or second; None where the key works no more."""
    if key == one(settings.values(), "consumerKey"):
        return settings.secret
    found = spare(world, settings)
    return found.secret if found is not None and found.key == key and found.works else None


def stage(world: World, settings: Component) -> Spare:
    """Make a second consumer key and secret beside the primary ones."""
    address = f"{settings.kind}/{settings.name}"
    old = world.db.execute("SELECT * FROM staged_credential WHERE component = ?", (address,)).fetchone()
    if old is not None:
        forget_spare(world, Spare(**dict(old)))
    key = ids.consumer_key()
    world.claim_key(key, address)
    expires = timestamp(world.milliseconds + _LASTS)
    found = Spare(
        world.new_id(_STAGED), address, key, ids.consumer_secret(), "Active", world.user_id, world.now, expires
    )
    _keep(world, found)
    return found


def rotated_out(world: World, settings: Component, promoted: Spare, key: str, secret: str) -> Spare:
    """Store the former primary `key` and `secret` as the second set, in place of the one that was `promoted`."""
    expires = timestamp(world.milliseconds + _LASTS)
    found = replace(promoted, key=key, secret=secret, state="Rotated", expires_at=expires)
    _keep(world, found)
    return found


def forget_spare(world: World, found: Spare) -> None:
    world.db.execute("DELETE FROM staged_credential WHERE component = ?", (found.component,))
    world.db.execute("DELETE FROM consumer_key WHERE key = ?", (found.key,))


def _keep(world: World, found: Spare) -> None:
    world.db.execute(
        "REPLACE INTO staged_credential (component, id, key, secret, state, created_by, created_at, expires_at)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (
            found.component, found.id, found.key, found.secret, found.state,
            found.created_by, found.created_at, found.expires_at,
        ),
    )  # fmt: skip
