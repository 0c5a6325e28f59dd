"""The class `Org`, by which tests and the command line open, change and inspect a mock org."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from providers.mock.catalog import BY_NAME
from providers.mock.metadata import fresh, jobs, setup
from providers.mock.metadata.landing import Arrival, land
from providers.mock.oauth import apps, handler_rule
from providers.mock.record import Body, local, one, parse, parser
from providers.mock.state import people, sessions
from providers.mock.state.errors import Fault, MockOrgError
from providers.mock.state.store import Store
from providers.mock.state.switches import Switches
from providers.mock.state.world import AuditRow, User, World, timestamp, user_of

_CLASS_META: Body = {"apiVersion": ["63.0"], "status": ["Active"]}


class Org:
    """One org in one file. Every property is read from the file, since another process may have changed it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- what it is ---------------------------------------------------------------------------------------------------

    def fact(self, key: str) -> str:
        with self._store.read() as db:
            return str(db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()["value"])

    @property
    def org_id(self) -> str:
        """The org's id: 18 characters, 00D…; a reset draws a new one."""
        return self.fact("org_id")

    @property
    def name(self) -> str:
        return self.fact("name")

    @property
    def instance(self) -> str:
        return self.fact("instance")

    @property
    def is_sandbox(self) -> bool:
        return self.fact("is_sandbox") == "true"

    @property
    def organization_type(self) -> str:
        return self.fact("organization_type")

    @property
    def admin_username(self) -> str:
        return self.fact("admin")

    @property
    def switches(self) -> Switches:
        return Switches.load(self.fact("switches"))

    def switch(self, name: str, value: object) -> None:
        """Choose one documented behaviour; see `Switches` for names. Kept in the file."""
        with self._store.write() as db:
            text = db.execute("SELECT value FROM meta WHERE key = 'switches'").fetchone()["value"]
            changed = Switches.load(text).having(name, value).dump()
            db.execute("UPDATE meta SET value = ? WHERE key = 'switches'", (changed,))

    # -- people -------------------------------------------------------------------------------------------------------

    def users(self) -> list[User]:
        with self._store.read() as db:
            return [user_of(row) for row in db.execute("SELECT * FROM user ORDER BY created_at, id")]

    def access_token(self, username: str | None = None) -> str:
        """Return a session of `username`, of the admin if none is given."""
        with self.reading() as world:
            user = self._person(world, username or self.admin_username)
            return sessions.issue(world.db, user, jwt=world.switches.jwt_tokens)

    def password(self, username: str) -> str:
        """Return the password of `username`; a login needs `security_token` behind it, unless a switch says otherwise."""
        with self.reading() as world:
            return sessions.password(world.db, self._person(world, username))

    def security_token(self, username: str) -> str:
        """Return the security token of `username`."""
        with self.reading() as world:
            return sessions.security_token(world.db, self._person(world, username))

    def end_sessions(self, username: str | None = None) -> None:
        """End the sessions of `username`, or of everyone: the next login gives another token. Refresh tokens stay."""
        with self.writing() as world:
            sessions.end(world.db, self._person(world, username).id if username else None)

    def consumer(self, app: str) -> tuple[str, str]:
        """Return consumer key and secret of an external client app or a connected app."""
        with self.reading() as world:
            found = apps.named(world, app)
            if found is None:
                raise MockOrgError(f"the org has no app {app} with OAuth settings; there are {apps.names(world)}")
            return found.key, found.secret

    def subject_token(
        self,
        subject: str,
        *,
        audience: str = "",
        issuer: str = "",
        token_type: str = "jwt",  # noqa: S107 (a kind of token)
        expires_in: int = 300,
        claims: Mapping[str, object] | None = None,
        forged: bool = False,
    ) -> str:
        """Return a token that the org's identity provider issues for `subject`, to be exchanged for one of the org.

        `token_type` is jwt, id_token, access_token, refresh_token or saml2. Without `issuer` or `audience` they are those
        of the only rule that there is. A `forged` one looks the same and is signed, or known, by no one.
        """
        # Loads what signs: 0.1 s that others need not wait for.
        from providers.mock.oauth import identity_provider  # noqa: PLC0415

        with self.writing() as world:
            return identity_provider.issue(
                world, subject, audience, issuer, token_type, expires_in, claims or {}, forged=forged
            )

    def set_rule(
        self, apex_class: str, *, issuer: str, audience: str, claim: str = "sub", user: str = "FederationIdentifier",
        creates: bool = False,
    ) -> None:  # fmt: skip
        """Say how an Apex token exchange handler is simulated, since no Apex runs here; replaces the class's former rule.

        It takes tokens of `issuer` for `audience` and finds the user whose field `user` (FederationIdentifier, Username
        or Email) is `claim`; with `creates` it makes a user where it may.
        """
        with self.writing() as world:
            handler_rule.declare(world, handler_rule.Rule(apex_class, issuer, audience, claim, user, creates))

    def rules(self) -> list[handler_rule.Rule]:
        """Return the rules that simulate Apex handlers."""
        with self.reading() as world:
            return handler_rule.rules(world)

    def pass_time(self, seconds: float) -> None:
        """Move the org's clock forward, by which tokens expire."""
        with self._store.write() as db:
            ahead = sessions.clock(db) + int(seconds * 1000)
            db.execute("UPDATE meta SET value = ? WHERE key = 'clock'", (str(ahead),))

    def set_active(self, username: str, is_active: bool) -> None:
        """Deactivate a user, who loses all tokens, or activate one again."""
        with self.writing() as world:
            found = world.user(username)
            if found is None:
                raise MockOrgError(f"{username} is nobody in this org")
            world.db.execute("UPDATE user SET active = ? WHERE id = ?", (is_active, found.id))
            if not is_active:
                sessions.end(world.db, found.id)
                world.db.execute("DELETE FROM oauth_token WHERE user = ?", (found.id,))

    def _person(self, world: World, username: str) -> User:
        user = world.user(username)
        if user is None or not user.is_active:
            active = [row["username"] for row in world.db.execute("SELECT username FROM user WHERE active ORDER BY id")]
            why = "is inactive" if user else "is nobody in this org"
            raise MockOrgError(f"{username} {why}; there are {', '.join(active)}")
        return user

    # -- edits in Setup -----------------------------------------------------------------------------------------------

    def set(
        self, address: str, changes: Mapping[str, str | None], *, as_user: str, delegate: str | None = None
    ) -> Mapping[str, str | None]:
        """Change fields as an admin in Setup would; `delegate` is the user who had logged in as that admin, if any.

        `address` is `Kind/name`; a satellite's is `Kind/<app>`, an enablement's
        `OauthTokenExchangeHandler/<handler>/enablements/<app>`. Field names are dotted
        (`oauthConfig.isPkceRequired`), values are text, repeated elements take a comma separated list, None removes
        the element; `body` is the source of an Apex class. Judged like a deployment; raises `MockOrgError`.
        Returns the fields that are as they were, with what they are: they were so already, or the org forces it.
        """
        with self._in_setup(as_user, delegate) as world:
            return setup.edit(world, address, changes)

    def create(
        self, address: str, fields: Mapping[str, str | None], *, as_user: str, delegate: str | None = None
    ) -> None:
        """Add a whole record in Setup; addresses and fields as for `set`."""
        with self._in_setup(as_user, delegate) as world:
            setup.create(world, address, fields)

    def delete(self, address: str, *, as_user: str, delegate: str | None = None) -> None:
        """Take a record away in Setup, with all that depends on it."""
        with self._in_setup(as_user, delegate) as world:
            setup.delete(world, address)

    @contextmanager
    def _in_setup(self, username: str, delegate: str | None) -> Iterator[World]:
        with self.writing() as world:
            world.user_id, world.in_setup = self._person(world, username).id, True
            world.delegate = self._person(world, delegate).username if delegate else None
            yield world

    def audit(self) -> list[AuditRow]:
        """Return the setup audit trail, newest first."""
        statement = (
            "SELECT audit.*, user.username FROM audit LEFT JOIN user ON user.id = audit.created_by ORDER BY number DESC"
        )
        with self._store.read() as db:
            return [
                AuditRow(
                    row["id"], row["action"], row["section"], row["display"],
                    row["username"] or row["created_by"], row["created_at"], row["delegate_user"],
                )
                for row in db.execute(statement)
            ]  # fmt: skip

    # -- seeding ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Begin afresh in the same file: a new org with a new id. Switches and rules stay as they are."""
        with self._store.write() as db:
            switches = db.execute("SELECT value FROM meta WHERE key = 'switches'").fetchone()["value"]
            kept = handler_rule.rules(World(db))
            fresh.fill(db, Switches.load(switches))
            for rule in kept:
                handler_rule.declare(World(db), rule)

    def add_user(
        self,
        username: str,
        name: str = "",
        *,
        profile: str = "Standard User",
        is_active: bool = True,
        is_api_only: bool = False,
        permission_sets: tuple[str, ...] = (),
        email: str = "",
        federation_identifier: str | None = None,
    ) -> None:
        """Add a user. One who is API only without a profile that says so gets the permission set `API_Only`."""
        if is_api_only and profile not in fresh.API_ONLY_PROFILES:
            self.add_permission_set("API_Only", "API Only", ("ApiEnabled", "ApiUserOnly"))
            permission_sets = (*permission_sets, "API_Only")
        with self.writing() as world:
            if world.user(username) is not None:
                raise MockOrgError(f"{username} exists already")
            taken = "SELECT 1 FROM user WHERE federation_identifier = ?"
            if federation_identifier and world.db.execute(taken, (federation_identifier,)).fetchone():
                raise MockOrgError(f"another user has the federation identifier {federation_identifier}")
            fresh.add_user(
                world,
                username,
                name or username.partition("@")[0],
                profile=profile,
                active=is_active,
                api_only=is_api_only,
                permission_sets=",".join(permission_sets),
                created=world.now,
                email=email,
                federation_identifier=federation_identifier,
            )

    def assign(self, username: str, permission_set: str) -> None:
        """Give a person a permission set, by its API name."""
        self._assigned(username, permission_set, people.assign, "has it already")

    def unassign(self, username: str, permission_set: str) -> None:
        """Take a permission set from a person."""
        self._assigned(username, permission_set, people.unassign, "has it not")

    def _assigned(self, username: str, name: str, change: Callable[[World, User, str], bool], otherwise: str) -> None:
        with self._seeding() as world:
            found = world.component("PermissionSet", name)
            if found is None:
                known = ", ".join(each.name for each in world.components("PermissionSet"))
                raise MockOrgError(f"there is no permission set {name}; there are {known}")
            if not change(world, self._person(world, username), found.name):
                raise MockOrgError(f"{username} {otherwise}: {found.name}")

    def add_permission_set(self, name: str, label: str = "", permissions: tuple[str, ...] = ()) -> None:
        with self._seeding() as world:
            fresh.add_permission_set(world, name, label or name, permissions)

    def add_profile(self, name: str, label: str = "", permissions: tuple[str, ...] = ()) -> None:
        with self._seeding() as world:
            fresh.add_profile(world, name, label or name, permissions)

    def add_apex_class(self, name: str, source: str) -> None:
        with self._seeding() as world:
            attempt = land(world, [Arrival("ApexClass", name, {**_CLASS_META}, source.encode())])
            for outcome in attempt.arrivals.values():
                if outcome.refusals:
                    raise MockOrgError(f"ApexClass/{name}: {outcome.refusals[0].text}")

    def load_component(
        self, kind: str, full_name: str, xml: bytes, by: str | None = None, content: bytes | None = None
    ) -> None:
        """Store a component as it is, unjudged: an org can hold what no schema knows. Replaces one of that name."""
        if kind not in BY_NAME:
            raise MockOrgError(f"{kind} is no kind of component; there are {', '.join(BY_NAME)}")
        try:
            root = etree.fromstring(xml, parser())
        except etree.XMLSyntaxError as broken:
            raise MockOrgError(f"{kind}/{full_name} is not XML: {broken.msg}") from None
        if local(root) != kind:
            raise MockOrgError(f"{kind}/{full_name}: the file's root is {local(root)}")
        with self._seeding(by) as world:
            self._load(world, kind, full_name, xml, content)

    def _load(self, world: World, kind: str, name: str, xml: bytes, content: bytes | None) -> None:
        body = parse(xml)
        owner = one(body, "externalClientApplication") if BY_NAME[kind].satellite else None
        label = one(body, "label") if kind == "PermissionSet" else None
        earlier = world.component(kind, name)
        world.remove(kind, name)
        id = earlier.id if earlier is not None else world.new_id(BY_NAME[kind].prefix)
        row = (kind, name, id, label, owner, xml, content, None)
        made = (world.user_id, world.now) if earlier is None else (earlier.created_by, earlier.created_at)
        by = (*made, world.user_id, world.now)
        world.db.execute("INSERT INTO component VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row + by)
        key = one(body, "consumerKey") or one(body, "oauthConfig", "consumerKey")
        if key:
            world.claim_key(key, f"{kind}/{name}")
        if kind == "OauthTokenExchangeHandler":
            world.keep_enablements(name, body)

    @contextmanager
    def _seeding(self, by: str | None = None) -> Iterator[World]:
        with self.writing() as world:
            world.user_id = self._person(world, by or self.admin_username).id
            yield world

    # -- for tests ----------------------------------------------------------------------------------------------------

    @property
    def calls(self) -> dict[str, int]:
        """How often each API operation was asked for, refused ones included."""
        with self._store.read() as db:
            return {row["operation"]: row["count"] for row in db.execute("SELECT * FROM call ORDER BY operation")}

    @property
    def write_calls(self) -> int:
        """How many API calls changed or tried to change the org: deployments (validations are none), CRUD, DML."""
        return sum(count for operation, count in self.calls.items() if operation.startswith("write:"))

    # -- for the application ------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[World]:
        """Open the org for reading, after carrying out the deployments that are due."""
        with self._store.read() as db:
            due = jobs.unfinished(db)
        if due:
            with self.writing():
                pass
        with self._store.read() as db:
            yield World(db)

    @contextmanager
    def reading_only(self) -> Iterator[World]:
        """Open the org for reading, without carrying out deployments that are due: enough to know who is calling."""
        with self._store.read() as db:
            yield World(db)

    @contextmanager
    def writing(self, *, settle: bool = True) -> Iterator[World]:
        """Open a transaction that may write; first carry out deployments that are due, unless `settle` is false."""
        with self._store.write() as db:
            world = World(db)
            if settle:
                jobs.settle(world)
            yield world
            world.save_meta()

    def count(self, operation: str, *, writes: bool = False, spends: bool = False) -> None:
        """Count an API call; one that `spends` also counts against the daily limit, as `spend` says."""
        with self._store.write() as db:
            for name in (operation, f"write:{operation}") if writes else (operation,):
                db.execute(
                    "INSERT INTO call VALUES (?, 1) ON CONFLICT (operation) DO UPDATE SET count = count + 1", (name,)
                )
            exceeded = spends and _spend(db)
        if exceeded:
            raise Fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)

    @property
    def api_requests(self) -> tuple[int, int]:
        """Return how many API requests were made today (UTC), and how many are allowed in a day."""
        with self._store.read() as db:
            _, used, most = _spent(db)
        return used, most

    def spend(self) -> None:
        """Count one API request against the daily limit; raises `Fault` when the limit is used up.

        Salesforce counts the last 24 hours; here a day ends at midnight.
        """
        with self._store.write() as db:
            exceeded = _spend(db)
        if exceeded:
            raise Fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)

    @property
    def file(self) -> Path:
        """The file that holds the org."""
        return self._store.path

    def leave(self) -> None:
        """Close this thread's connection to the file."""
        self._store.leave()

    def close(self) -> None:
        """Close the file in all threads."""
        self._store.close()


def _spent(db: sqlite3.Connection) -> tuple[str, int, int]:
    """Return today's date, how many API requests were made today, and how many are allowed in a day."""
    keys = "('api_requests', 'switches')"
    meta = {row["key"]: row["value"] for row in db.execute(f"SELECT key, value FROM meta WHERE key IN {keys}")}  # noqa: S608
    today = timestamp(sessions.clock(db))[:10]
    day, _, count = meta.get("api_requests", "").partition(" ")
    return today, int(count) if day == today else 0, Switches.load(meta["switches"]).daily_api_requests


def _spend(db: sqlite3.Connection) -> bool:
    """Count one API request; return whether it exceeds the daily limit."""
    today, used, most = _spent(db)
    db.execute(
        "INSERT INTO meta VALUES ('api_requests', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"{today} {used + 1}",),
    )
    return used >= most


def open_org(path: str | Path, *, create: bool = True, **switches: object) -> Org:
    """Open the org in file `path`, or make a fresh one there; keyword arguments are switches.

    Raises `MockOrgError` when the file is missing and `create` is off, or when it holds something else.
    """
    file = Path(path)
    if not file.exists() and not create:
        raise MockOrgError(f"there is no mock org at {file}")
    # SQLite would wait for a pipe, and make a new org in the place of one on a share that is away.
    if (file.exists() or file.is_symlink()) and not file.is_file():
        raise MockOrgError(f"{file} is not a mock org: it is no plain file, or a link that leads nowhere")
    file.parent.mkdir(parents=True, exist_ok=True)
    store = Store(file)
    if not store.exists():
        with store.write() as db:
            # Another process may have been faster.
            if not store.exists():
                fresh.fill(db, Switches())
    org = Org(store)
    for name, value in switches.items():
        org.switch(name, value)
    return org
