"""The local SQLite file: opened safely, written in short transactions, readable by anybody with a SQLite tool."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from caspen_xero.errors import UserError
from caspen_xero.store.migrations import migrations, names_of_all

_MANY = 500  # values in one SQL list


class StoreError(UserError):
    """The store can't be used: `store-unusable`, or `store-newer` where a newer version of the tool made it."""


def utc_text(moment: datetime) -> str:
    """A time as the store keeps it: ISO 8601 in UTC with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_time(text: str | None) -> datetime | None:
    """The aware UTC time that `utc_text` wrote."""
    return datetime.fromisoformat(text) if text else None


class Store:
    """One workspace's store. The file is made with mode 0600; every write is one `BEGIN IMMEDIATE` transaction.

    `alone`: what is held while a store that an earlier version made is carried over; it raises where that can't be had.
    """

    def __init__(self, path: Path, alone: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        new = not path.exists()
        if new:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        path.chmod(0o600)
        self.path = path
        connection = sqlite3.connect(path, isolation_level=None, timeout=10.0)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.row_factory = sqlite3.Row
        self.db = Database(connection)
        try:
            self._migrate(alone)
        except BaseException:
            self.close()
            raise

    def _migrate(self, alone: Callable[[], AbstractContextManager[None]]) -> None:
        applied = {step.name for step in migrations.applied(self.db)}
        if not applied <= names_of_all():
            raise StoreError(
                "store-newer", "A newer version of caspen-xero made this store.", "pip install --upgrade caspen-xero"
            )
        if not migrations.pending(self.db):
            return
        with (
            alone() if applied else nullcontext(),
            self.write(),
        ):  # nobody is at work in a store that has nothing in it yet
            migrations.apply(self.db)

    def close(self) -> None:
        """Closes the file; the write-ahead log is folded in by SQLite."""
        with contextlib.suppress(sqlite3.Error):
            self.db.conn.close()

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction that holds the write lock from its start. Nested use joins the outer transaction."""
        if self.db.conn.in_transaction:
            yield
            return
        self.db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.conn.execute("COMMIT")
        except BaseException:
            if self.db.conn.in_transaction:
                self.db.conn.execute("ROLLBACK")
            raise

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query."""
        return self.db.conn.execute(sql, values).fetchall()

    def rows_among(self, sql: str, among: Iterable[str], *values: Any) -> list[sqlite3.Row]:
        """The rows of a query whose last condition is `IN ({})`, for any number of different values in it, list by list."""
        wanted = list(dict.fromkeys(among))
        lists = (wanted[start : start + _MANY] for start in range(0, len(wanted), _MANY))
        return [row for some in lists for row in self.rows(sql.format(", ".join("?" * len(some))), *values, *some)]

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self.db.conn.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Any) -> int:
        """Runs one writing statement in a transaction (the open one, if any); gives the number of rows it changed."""
        with self.write():
            return self.db.conn.execute(sql, values).rowcount

    def setting(self, key: str, tenant_id: str = "") -> str | None:
        """A setting of the workspace, or of one organisation."""
        row = self.row("SELECT value FROM settings WHERE tenant_id = ? AND key = ?", tenant_id, key)
        return row["value"] if row else None

    def set_setting(self, key: str, value: str | None, tenant_id: str = "") -> None:
        """Keeps a setting; None takes it away."""
        if value is None:
            self.run("DELETE FROM settings WHERE tenant_id = ? AND key = ?", tenant_id, key)
        else:
            self.run(
                "INSERT INTO settings (tenant_id, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (tenant_id, key) DO UPDATE SET value = excluded.value",
                tenant_id,
                key,
                value,
            )

    def connection(self) -> dict[str, Any] | None:
        """The linked organisation as the sign-in kept it (no secret is in it), or None."""
        value = self.setting("connection")
        return json.loads(value) if value else None

    def set_connection(self, connection: dict[str, Any] | None) -> None:
        """Keeps or forgets the linked organisation."""
        self.set_setting("connection", json.dumps(connection) if connection is not None else None)

    def entry(self) -> str:
        """The random name under which this store's secrets stand in the keyring; made once, never shared by two stores."""
        with self.write():
            name = self.setting("entry")
            if name is None:
                name = secrets.token_hex(8)
                self.set_setting("entry", name)
        return name
