"""The org behind the application: what tests and the command line hold in their hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from providers.mock import fresh, jobs, sessions, setup
from providers.mock.catalog import BY_NAME
from providers.mock.errors import MockOrgError
from providers.mock.landing import Arrival, land
from providers.mock.record import Body, local, one, parse, parser
from providers.mock.store import Store
from providers.mock.switches import Switches
from providers.mock.world import AuditRow, User, World, user_of

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
        """18 characters, 00D…; a reset draws a new one."""
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
        """Return a session of *username*, of the admin if none is given."""
        with self.reading() as world:
            user = self._person(world, username or self.admin_username)
            return sessions.issue(world.db, user, jwt=world.switches.jwt_tokens)

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
    ) -> None:
        """Change fields as an admin in Setup would; *delegate* is who had logged in as that admin, if somebody had.

        *address* is ``Kind/name``; a satellite's is ``Kind/<app>``, an enablement's
        ``OauthTokenExchangeHandler/<handler>/enablements/<app>``. Field names are dotted
        (``oauthConfig.isPkceRequired``), values are text, repeated elements take a comma separated list, None removes
        the element; ``body`` is the source of an Apex class. Judged like a deployment; raises ``MockOrgError``.
        """
        with self._in_setup(as_user, delegate) as world:
            setup.edit(world, address, changes)

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
        """Begin afresh in the same file: a new org with a new id. Switches stay as they are."""
        with self._store.write() as db:
            switches = db.execute("SELECT value FROM meta WHERE key = 'switches'").fetchone()["value"]
            fresh.fill(db, Switches.load(switches))

    def add_user(
        self,
        username: str,
        name: str = "",
        *,
        profile: str = "Standard User",
        is_active: bool = True,
        is_api_only: bool = False,
        permission_sets: tuple[str, ...] = (),
    ) -> None:
        """Add a person. One who is API only without such a profile gets the permission set ``API_Only``."""
        if is_api_only and profile not in fresh.API_ONLY_PROFILES:
            self.add_permission_set("API_Only", "API Only", ("ApiEnabled", "ApiUserOnly"))
            permission_sets = (*permission_sets, "API_Only")
        with self.writing() as world:
            if world.user(username) is not None:
                raise MockOrgError(f"{username} exists already")
            fresh.add_user(
                world,
                username,
                name or username.partition("@")[0],
                profile=profile,
                active=is_active,
                api_only=is_api_only,
                permission_sets=",".join(permission_sets),
                created=world.now,
            )

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
        world.remove(kind, name)
        row = (kind, name, world.new_id(BY_NAME[kind].prefix), label, owner, xml, content, None)
        by = (world.user_id, world.now, world.user_id, world.now)
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
        """The org as it is now. Deployments that are due happen first."""
        with self._store.read() as db:
            due = jobs.unfinished(db)
        if due:
            with self.writing():
                pass
        with self._store.read() as db:
            yield World(db)

    @contextmanager
    def reading_only(self) -> Iterator[World]:
        """The org as it is, with deployments still due: enough to know who is calling."""
        with self._store.read() as db:
            yield World(db)

    @contextmanager
    def writing(self, *, settle: bool = True) -> Iterator[World]:
        """A transaction. Deployments that are due happen first, unless the caller is about them."""
        with self._store.write() as db:
            world = World(db)
            if settle:
                jobs.settle(world)
            yield world
            world.save_meta()

    def count(self, operation: str, *, writes: bool = False) -> None:
        """Keep account of an API call."""
        with self._store.write() as db:
            for name in (operation, f"write:{operation}") if writes else (operation,):
                db.execute(
                    "INSERT INTO call VALUES (?, 1) ON CONFLICT (operation) DO UPDATE SET count = count + 1", (name,)
                )

    def close(self) -> None:
        """Close the file in all threads."""
        self._store.close()


def open_org(path: str | Path, *, create: bool = True, **switches: object) -> Org:
    """Open the org in file *path*, or make a fresh one there; keyword arguments are switches.

    Raises ``MockOrgError`` when the file is missing and *create* is off, or when it holds something else.
    """
    file = Path(path)
    if not file.exists() and not create:
        raise MockOrgError(f"there is no mock org at {file}")
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
