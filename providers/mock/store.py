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

from providers.mock.errors import MockOrgError

SCHEMA_VERSION = 1
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE user (
    id TEXT PRIMARY KEY, username TEXT NOT NULL COLLATE NOCASE UNIQUE, name TEXT NOT NULL, profile TEXT NOT NULL,
    active INTEGER NOT NULL, api_only INTEGER NOT NULL, permission_sets TEXT NOT NULL, created_at TEXT NOT NULL
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
    polls INTEGER NOT NULL DEFAULT 0, options TEXT NOT NULL, zip BLOB, result TEXT
);
CREATE INDEX job_open ON job (what, status);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, action TEXT NOT NULL, section TEXT NOT NULL,
    display TEXT NOT NULL, created_by TEXT NOT NULL, created_at TEXT NOT NULL, delegate_user TEXT
);
CREATE TABLE call (operation TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""
_NAMES = ("meta", "user", "component", "consumer_key", "enablement", "job", "audit", "call")


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
        """One consistent view of the org for as long as the block lasts."""
        connection = self._connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block lands, or, when it raises, nothing."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def exists(self) -> bool:
        """Whether the file holds an org; raises ``MockOrgError`` for a database that is something else."""
        with self.read() as db:
            tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return False
            if "meta" not in tables or "component" not in tables:
                raise MockOrgError(f"{self.path} is not a mock org: its tables are other ones")
            version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            raise MockOrgError(f"{self.path} was written by another version of the mock org; delete it to begin afresh")
        return True

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()


def create(db: sqlite3.Connection) -> None:
    """Make the tables anew inside a transaction that is already open: whatever they held is gone."""
    for name in _NAMES:
        db.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
