"""One SQLite file: tables, connections, transactions. Knows nothing of what the rows mean.

Write-ahead log, so that readers never wait for a deployment; writers take the lock at BEGIN, so that several processes
may hold the same org open. One connection a thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from providers.mock.state.errors import MockOrgError

SCHEMA_VERSION = 2
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE user (
    id TEXT PRIMARY KEY, username TEXT NOT NULL COLLATE NOCASE UNIQUE, name TEXT NOT NULL, profile TEXT NOT NULL,
    active INTEGER NOT NULL, api_only INTEGER NOT NULL, permission_sets TEXT NOT NULL, created_at TEXT NOT NULL,
    email TEXT NOT NULL DEFAULT '', federation_identifier TEXT, sessions INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE component (
    kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, id TEXT NOT NULL, label TEXT, owner TEXT COLLATE NOCASE,
    body BLOB NOT NULL, content BLOB, secret TEXT,
    created_by TEXT NOT NULL, created_at TEXT NOT NULL, modified_by TEXT NOT NULL, modified_at TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX component_owner ON component (kind, owner) WHERE owner IS NOT NULL;
CREATE INDEX component_label ON component (kind, label) WHERE label IS NOT NULL;
CREATE TABLE consumer_key (key TEXT PRIMARY KEY, component TEXT) WITHOUT ROWID;
CREATE TABLE enablement (
    id TEXT NOT NULL, handler TEXT NOT NULL COLLATE NOCASE, target TEXT NOT NULL, app TEXT NOT NULL COLLATE NOCASE,
    run_as TEXT NOT NULL, is_default INTEGER NOT NULL, created_by TEXT NOT NULL, created_at TEXT NOT NULL,
    modified_by TEXT NOT NULL, modified_at TEXT NOT NULL,
    PRIMARY KEY (handler, target, app)
) WITHOUT ROWID;
CREATE INDEX enablement_app ON enablement (target, app);
CREATE TABLE job (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, what TEXT NOT NULL, user TEXT NOT NULL,
    created_at TEXT NOT NULL, started_at TEXT, completed_at TEXT, status TEXT NOT NULL,
    polls INTEGER NOT NULL DEFAULT 0, options TEXT NOT NULL, zip BLOB, result TEXT, fate TEXT
);
CREATE INDEX job_open ON job (what, status);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, action TEXT NOT NULL, section TEXT NOT NULL,
    display TEXT NOT NULL, created_by TEXT NOT NULL, created_at TEXT NOT NULL, delegate_user TEXT
);
CREATE TABLE call (operation TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""
# Since version 2. Tokens and codes are kept as digests: with the file alone no one can act as another user.
_OAUTH_TABLES = """
CREATE TABLE oauth_token (
    digest TEXT PRIMARY KEY, what TEXT NOT NULL, family TEXT NOT NULL, app_kind TEXT NOT NULL, app_name TEXT NOT NULL,
    app_id TEXT NOT NULL, user TEXT NOT NULL, scopes TEXT NOT NULL, issued_at INTEGER NOT NULL, used_at INTEGER NOT NULL,
    expires_at INTEGER, replaced INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX oauth_token_family ON oauth_token (family);
CREATE INDEX oauth_token_expiry ON oauth_token (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE subject_token (
    digest TEXT PRIMARY KEY, what TEXT NOT NULL, claims TEXT NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE key_pair (purpose TEXT PRIMARY KEY, pem TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE handler_rule (
    class TEXT PRIMARY KEY COLLATE NOCASE, issuer TEXT NOT NULL, audience TEXT NOT NULL, claim TEXT NOT NULL,
    user_field TEXT NOT NULL, creates INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE staged_credential (
    component TEXT PRIMARY KEY COLLATE NOCASE, id TEXT NOT NULL, key TEXT NOT NULL, secret TEXT NOT NULL,
    state TEXT NOT NULL, created_by TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE propagation (app_id TEXT PRIMARY KEY, changed_at TEXT NOT NULL, calls INTEGER NOT NULL) WITHOUT ROWID;
"""
_NAMES = (
    "meta", "user", "component", "consumer_key", "enablement", "job", "audit", "call",
    "oauth_token", "subject_token", "key_pair", "handler_rule", "propagation", "staged_credential",
)  # fmt: skip
_UPGRADES = {
    1: """
ALTER TABLE user ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN federation_identifier TEXT;
ALTER TABLE user ADD COLUMN sessions INTEGER NOT NULL DEFAULT 0;
UPDATE user SET email = username;
ALTER TABLE job ADD COLUMN fate TEXT;
"""
    + _OAUTH_TABLES,
}
"""What makes a file of that version one of the next."""


class Store:
    """The file of one org. Opens a connection for each thread that asks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            if not self.path.exists():
                # The file holds the org's secrets.
                self.path.touch(mode=0o600)
            # Closing happens in `close`, from whichever thread; each connection is otherwise used by one thread only.
            found = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
            found.row_factory = sqlite3.Row
            try:
                found.execute("PRAGMA journal_mode = WAL")
            except sqlite3.DatabaseError:
                found.close()
                raise MockOrgError(f"{self.path} is not a mock org: not a SQLite file") from None
            found.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = found
            with self._lock:
                self._open.append(found)
        return found

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction for reading: one consistent view of the org for as long as the block lasts."""
        connection = self._connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            # Where the disk is full, SQLite has rolled back already; here and below.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction for writing: all changes of the block are kept, or, when it raises, none."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def exists(self) -> bool:
        """Whether the file holds an org; raises `MockOrgError` for a database that is something else."""
        with self.read() as db:
            tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return False
            if "meta" not in tables or "component" not in tables:
                raise MockOrgError(f"{self.path} is not a mock org: its tables are other ones")
            version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            self._upgrade()
        return True

    def _upgrade(self) -> None:
        """Bring a file of an earlier version up to this one; raises `MockOrgError` for a later one."""
        with self.write() as db:
            # Another process may have been faster.
            version = db.execute("PRAGMA user_version").fetchone()[0]
            while version in _UPGRADES:
                _run(db, _UPGRADES[version])
                version += 1
                db.execute(f"PRAGMA user_version = {version}")
            if version != SCHEMA_VERSION:
                text = "was written by another version of the mock org; delete it to begin afresh"
                raise MockOrgError(f"{self.path} {text}")

    def leave(self) -> None:
        """Close the connection of this thread, which is about to end."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None:
            self._local.connection = None
            with self._lock:
                if found in self._open:
                    self._open.remove(found)
                    found.close()

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()


def create(db: sqlite3.Connection) -> None:
    """Make the tables anew, and empty, inside a transaction that is already open."""
    for name in _NAMES:
        db.execute(f"DROP TABLE IF EXISTS {name}")
    _run(db, _TABLES + _OAUTH_TABLES)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _run(db: sqlite3.Connection, statements: str) -> None:
    # Not `executescript`, which would commit the open transaction.
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)
