"""The org inside one open transaction: what the checks of components read and write."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from providers.mock.catalog import BY_NAME, NEWEST, SATELLITES
from providers.mock.record import Body, one, parse, parts, true, write
from providers.mock.state import ids
from providers.mock.state.switches import Switches

TAKEN_ELSEWHERE = ("AnotherOrgHoldsThisConsumerKey0001", "AnotherOrgHoldsThisConsumerKey0002")
"""Consumer keys are unique across all of Salesforce; these belong to apps of orgs that this file does not hold."""

# How the profile that everyone has is called in other languages: the two that field reports quote.
_LOCALISED = {
    "ja": {"System Administrator": "システム管理者"},
    "nl_NL": {"System Administrator": "Systeembeheerder"},
}


@dataclass(frozen=True, slots=True)
class User:
    """A person or an integration that may log in; `profile` is the profile's label, `permission_sets` are API names."""

    id: str
    username: str
    name: str
    profile: str
    is_active: bool
    is_api_only: bool
    permission_sets: tuple[str, ...]
    email: str = ""
    federation_identifier: str | None = None
    """How an identity provider calls this person, if it does."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the setup audit trail; `created_by` is a username, `created_date` ISO 8601 in UTC."""

    id: str
    action: str
    section: str
    display: str
    created_by: str
    created_date: str
    delegate_user: str | None


@dataclass(frozen=True, slots=True)
class Component:
    """One component as it is stored; `body` is the file that a retrieve of the newest version gives."""

    kind: str
    name: str
    id: str
    owner: str | None
    body: bytes
    content: bytes | None
    secret: str | None
    created_by: str
    created_at: str
    modified_by: str
    modified_at: str

    def values(self) -> Body:
        return parse(self.body)


@dataclass(slots=True)
class Landing:
    """A component about to be written into the org: functions in `habits` complete `body` in place, or refuse it."""

    kind: str
    name: str
    body: Body
    content: bytes | None = None
    before: Component | None = None
    old: Body | None = None
    secret: str | None = None
    warnings: list[str] = field(default_factory=list)
    touches: bool = True
    """Off where only an enablement's row changes: its handler keeps who changed it last, and when."""


_COMPONENT = "kind, name, id, owner, body, content, secret, created_by, created_at, modified_by, modified_at"


def timestamp(milliseconds: int) -> str:
    """Return ISO 8601 as the API writes it: `2026-01-31T09:00:00.000Z`."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def user_of(row: sqlite3.Row) -> User:
    sets = tuple(name for name in str(row["permission_sets"]).split(",") if name)
    return User(
        row["id"], row["username"], row["name"], row["profile"], bool(row["active"]), bool(row["api_only"]), sets,
        row["email"], row["federation_identifier"],
    )  # fmt: skip


class World:
    """An open transaction and facts that most decisions need. A savepoint's rollback does not reset ids and clock."""

    def __init__(self, db: sqlite3.Connection, user_id: str = "", *, in_setup: bool = False) -> None:
        self.db, self.user_id, self.in_setup = db, user_id, in_setup
        self.delegate: str | None = None
        meta = {row["key"]: row["value"] for row in db.execute("SELECT key, value FROM meta")}
        self.org_id, self._pod, self._number = meta["org_id"], meta["pod"], int(meta["number"])
        self.switches = Switches.load(meta["switches"])
        self.version = NEWEST
        self._clock = max(time.time_ns() // 1_000_000, int(meta["clock"]) + 1)
        self.now = timestamp(self._clock)

    @property
    def milliseconds(self) -> int:
        """The org's clock; `now` is the same moment as text. It never goes back, and `Org.pass_time` moves it on."""
        return self._clock

    def save_meta(self) -> None:
        """Write the clock and the id counter, as the last thing before a commit."""
        for key, value in (("number", self._number), ("clock", self._clock)):
            self.db.execute("UPDATE meta SET value = ? WHERE key = ?", (str(value), key))

    def new_id(self, prefix: str) -> str:
        self._number += 1
        return ids.record_id(prefix, self._pod, self._number)

    # -- reading ------------------------------------------------------------------------------------------------------

    def component(self, kind: str, name: str) -> Component | None:
        statement = f"SELECT {_COMPONENT} FROM component WHERE kind = ? AND name = ?"  # noqa: S608
        row = self.db.execute(statement, (kind, name)).fetchone()
        return None if row is None else Component(*row)

    def satellite(self, kind: str, app: str) -> Component | None:
        """Return the record of `kind` that belongs to external client app `app`, whatever it is called."""
        statement = f"SELECT {_COMPONENT} FROM component WHERE kind = ? AND owner = ?"  # noqa: S608
        row = self.db.execute(statement, (kind, app)).fetchone()
        return None if row is None else Component(*row)

    def has(self, kind: str, name: str) -> bool:
        found = self.db.execute("SELECT 1 FROM component WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return found is not None

    def certificate(self, reference: str) -> bool:
        """Whether a certificate has that id, in either length."""
        statement = "SELECT 1 FROM component WHERE kind = 'Certificate' AND substr(id, 1, 15) = ?"
        return self.db.execute(statement, (reference[:15],)).fetchone() is not None

    def components(self, kind: str) -> Iterator[Component]:
        statement = f"SELECT {_COMPONENT} FROM component WHERE kind = ? ORDER BY name COLLATE BINARY"  # noqa: S608
        for row in self.db.execute(statement, (kind,)):
            yield Component(*row)

    def user(self, username: str) -> User | None:
        row = self.db.execute("SELECT * FROM user WHERE username = ?", (username,)).fetchone()
        return None if row is None else user_of(row)

    def active_user(self, username: str | None) -> bool:
        found = self.user(username) if username else None
        return found is not None and found.is_active

    def labelled(self, kind: str, label: str) -> bool:
        found = self.db.execute("SELECT 1 FROM component WHERE kind = ? AND label = ?", (kind, label)).fetchone()
        return found is not None

    def profile(self, label: str) -> bool:
        """Whether a profile is shown by this name in the org's language."""
        names = _LOCALISED.get(self.switches.profile_locale, {})
        back = {shown: english for english, shown in names.items()}
        return label not in names and self.labelled("Profile", back.get(label, label))

    def profile_name(self, label: str) -> str:
        """Return the name of a profile in the org's language."""
        return _LOCALISED.get(self.switches.profile_locale, {}).get(label, label)

    def setting(self, kind: str, name: str) -> bool:
        found = self.component(kind, BY_NAME[kind].singleton)
        return found is not None and true(found.values(), name)

    # -- writing ------------------------------------------------------------------------------------------------------

    def claim_key(self, key: str, address: str) -> bool:
        """Give consumer `key` to the component `address`; False where another one holds it."""
        row = self.db.execute("SELECT component FROM consumer_key WHERE key = ?", (key,)).fetchone()
        if row is None:
            self.db.execute("INSERT INTO consumer_key VALUES (?, ?)", (key, address))
        return row is None or row["component"] == address

    def release_keys(self, address: str) -> None:
        self.db.execute("DELETE FROM consumer_key WHERE component = ?", (address,))
        self.db.execute("DELETE FROM staged_credential WHERE component = ?", (address,))

    def save(self, landing: Landing) -> str:
        """Write a component; return "created", "changed" or "unchanged" (which leaves who and when as they were)."""
        body, before = write(landing.kind, landing.body), landing.before
        one_of = BY_NAME[landing.kind]
        owner = one(landing.body, "externalClientApplication") if one_of.satellite else None
        label = one(landing.body, "label") if landing.kind == "PermissionSet" else None
        if before is None:
            values = (
                landing.kind,
                landing.name,
                self.new_id(one_of.prefix),
                label,
                owner,
                body,
                landing.content,
                landing.secret,
            )
            by = (self.user_id, self.now, self.user_id, self.now)
            self.db.execute("INSERT INTO component VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", values + by)
        elif (body == before.body or landing.body == landing.old) and landing.content == before.content:
            if landing.secret != before.secret:
                secret = (landing.secret, landing.kind, landing.name)
                self.db.execute("UPDATE component SET secret = ? WHERE kind = ? AND name = ?", secret)
            return "unchanged"
        else:
            self.db.execute(
                "UPDATE component SET label = coalesce(?, label), owner = ?, body = ?, content = ?, secret = ?,"
                " modified_by = ?, modified_at = ? WHERE kind = ? AND name = ?",
                (
                    label,
                    owner,
                    body,
                    landing.content,
                    landing.secret,
                    self.user_id if landing.touches else before.modified_by,
                    self.now if landing.touches else before.modified_at,
                    landing.kind,
                    landing.name,
                ),
            )
        if landing.kind == "OauthTokenExchangeHandler":
            self.keep_enablements(landing.name, landing.body)
        return "created" if before is None else "changed"

    def keep_enablements(self, handler: str, body: Body) -> None:
        """Give each enablement of `handler` a row with an id, and touch only those that changed."""
        wanted = {}
        for enablement in parts(body, "enablements"):
            target = "ConnectedApp" if "connectedApp" in enablement else "ExternalClientApplication"
            app = one(enablement, "connectedApp") or one(enablement, "externalClientApp") or ""
            wanted[target, app.lower()] = (app, true(enablement, "isDefault"), one(enablement, "apexExecutionUser"))
        for row in self.db.execute("SELECT target, app FROM enablement WHERE handler = ?", (handler,)).fetchall():
            if (row["target"], row["app"].lower()) not in wanted:
                key = (handler, row["target"], row["app"])
                self.db.execute("DELETE FROM enablement WHERE handler = ? AND target = ? AND app = ?", key)
        for (target, _), (app, is_default, run_as) in wanted.items():
            row = (self.new_id("1NG"), handler, target, app, run_as or "", is_default)
            self.db.execute(
                "INSERT INTO enablement VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (handler, target, app) DO UPDATE"
                " SET run_as = excluded.run_as, is_default = excluded.is_default, modified_by = excluded.modified_by,"
                " modified_at = excluded.modified_at"
                " WHERE run_as <> excluded.run_as OR is_default <> excluded.is_default",
                (*row, self.user_id, self.now, self.user_id, self.now),
            )

    def remove(self, kind: str, name: str) -> None:
        """Delete one component and the keys and rows that are its alone; `habits` says what else goes with it."""
        self.db.execute("DELETE FROM component WHERE kind = ? AND name = ?", (kind, name))
        self.release_keys(f"{kind}/{name}")
        if kind == "OauthTokenExchangeHandler":
            self.db.execute("DELETE FROM enablement WHERE handler = ?", (name,))

    def remove_satellites(self, app: str) -> None:
        for kind in SATELLITES:
            while (found := self.satellite(kind, app)) is not None:
                self.remove(kind, found.name)

    def audit(self, action: str, section: str, display: str) -> None:
        row = (self.new_id("0Ym"), action, section, display, self.user_id, self.now, self.delegate)
        self.db.execute(
            "INSERT INTO audit (id, action, section, display, created_by, created_at, delegate_user)"
            " VALUES (?,?,?,?,?,?,?)",
            row,
        )
