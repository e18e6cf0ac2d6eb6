"""The local SQLite file: opened safely, written in short transactions, readable by anybody with a SQLite tool."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from caspen_xero.outside_text import plain
from caspen_xero.store import backups, damage
from caspen_xero.store.errors import StoreCode, StoreError
from caspen_xero.store.judge import (
    NEWER,
    Trouble,
    address_to_read,
    changes_beside,
    faults,
    has_lost_changes,
    is_there,
    may_write,
)
from caspen_xero.store.migrations import migrations, names_of_all

_MANY = 500  # values in one SQL list
_KNEW_LOCAL, _KNEW_REAL = "knew_local_xero", "knew_real_xero"
_LAST_WAY = "last_way"  # a setting: how it was signed in to, of which kind and kept where
_LAST_TENANT = "last_tenant"  # a setting: the id of the organisation that is linked, or was last


def utc_text(moment: datetime) -> str:
    """A time as the store keeps it: ISO 8601 in UTC with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_time(text: str | None) -> datetime | None:
    """The aware UTC time that `utc_text` wrote."""
    return datetime.fromisoformat(text) if text else None


class Store:
    """One workspace's store. The file is made with mode 0600; every write is one `BEGIN IMMEDIATE` transaction.

    `alone`: what is held while a store that an earlier version made is carried over; it raises where that can't be had. Raises
    `StoreError` where the file can't be used; then it is as it was. `is_new`: there was none. `has_lost_changes`: what stood
    beside it was taken away, so it may be an earlier state. `is_read_only`: it can't be written here, and is only read.
    """

    def __init__(self, path: Path, alone: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self.path = path
        self.is_new = not is_there(path) and _made_new(path)
        damage.check(path)
        self.has_lost_changes = not self.is_new and has_lost_changes(path)
        self.is_read_only = not may_write(path)
        try:
            self.db = Database(self._opened())
            try:
                self._prepare()
                if self.has_lost_changes and (trouble := faults(self.db.conn)) is not None:
                    raise damage.told(path, trouble)  # a part of them was in the file already
                self._migrate(alone)
                if self.has_lost_changes and not self.is_read_only:
                    self.set_adopt_due(True)
            except BaseException:
                self.close()
                raise
        except sqlite3.DatabaseError as error:
            if self.is_read_only and (changes := changes_beside(path)) is not None:
                raise damage.read_only(path, f", and its last changes, in {plain(changes)}, not read") from error
            raise damage.explained(path, error) from error

    def _opened(self) -> sqlite3.Connection:
        if self.is_read_only:
            return sqlite3.connect(address_to_read(self.path), uri=True, isolation_level=None)
        _keep_to_owner(self.path)
        return sqlite3.connect(self.path, isolation_level=None, timeout=10.0)

    def _prepare(self) -> None:
        connection = self.db.conn
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA busy_timeout = 10000")
        if not self.is_read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    def _migrate(self, alone: Callable[[], AbstractContextManager[None]]) -> None:
        applied = {step.name for step in migrations.applied(self.db)}
        if not applied <= names_of_all():
            raise damage.told(self.path, NEWER)
        if not migrations.pending(self.db):
            return
        if self.is_read_only:
            raise damage.read_only(self.path, ", and an earlier version of caspen-xero made it")
        with alone():
            self._back_up_first()
            with self.write():
                migrations.apply(self.db)

    def _back_up_first(self) -> None:
        """A store is not carried over without a copy of it as it was: that would be the one step with no way back."""
        try:
            backups.back_up_by_itself(self.path, "migration")
        except StoreError as error:
            if error.code != StoreCode.BACKUP_FAILED:
                raise
            undone = "An earlier version made the store; it is not carried over without a copy, and was left as it is."
            raise StoreError(error.code, f"{error.message} {undone}", damage.MAKE_ROOM) from error

    def trouble(self) -> StoreError | None:
        """What is wrong with the store, every page of it looked at; or that it can't be written."""
        found = faults(self.db.conn)
        if found is not None:
            return damage.told(self.path, found)
        return damage.read_only(self.path) if self.is_read_only else None

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
        if self.is_read_only:
            raise damage.read_only(self.path)
        self.db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.conn.execute("COMMIT")
        except BaseException:
            if self.db.conn.in_transaction:
                self.db.conn.execute("ROLLBACK")
            raise

    @contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        """While it lasts, a write that has to wait for another program gives up at once instead of after ten seconds."""
        self.db.conn.execute("PRAGMA busy_timeout = 200")
        try:
            yield
        finally:
            self.db.conn.execute("PRAGMA busy_timeout = 10000")

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

    def state(self) -> tuple[int, int]:
        """Where it is the same as before, nothing was written in between, neither here nor by another program."""
        (version,) = self.rows("PRAGMA data_version")
        return self.db.conn.total_changes, version[0]

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

    @property
    def adopt_is_due(self) -> bool:
        """Whether all of ours is to be looked up before anything is sent: something unknown was found, or an old store is back."""
        return self.setting(backups.ADOPT_DUE) is not None

    def set_adopt_due(self, is_due: bool) -> None:
        """Has all of ours looked up before anything else is sent, or no longer."""
        self.set_setting(backups.ADOPT_DUE, "1" if is_due else None)

    def connection(self) -> dict[str, Any] | None:
        """The linked organisation as the sign-in kept it (no secret is in it), or None."""
        value = self.setting("connection")
        return json.loads(value) if value else None

    def set_connection(self, connection: dict[str, Any] | None) -> None:
        """Keeps or forgets the linked organisation; of which one it was, the id stays."""
        known = connection or self.connection()
        with self.write():
            if known is not None:
                self.set_setting(_LAST_TENANT, known["tenant_id"])
                self.set_setting(_LAST_WAY, json.dumps({key: known.get(key) for key in ("kind", "token_store")}))
                self.set_setting(_KNEW_LOCAL if known.get("xero_url") else _KNEW_REAL, known.get("xero_url") or "yes")
            self.set_setting("connection", json.dumps(connection) if connection is not None else None)

    def last_way(self) -> dict[str, str | None]:
        """How this workspace is signed in, or was last: its `kind`, and its `token_store`; None for what is not known."""
        value = self.setting(_LAST_WAY)
        known = self.connection() or (json.loads(value) if value else {})
        return {key: known.get(key) for key in ("kind", "token_store")}

    def known_tenant(self) -> str:
        """The id of the organisation that is linked, or was last: what is known of Xero is known of that one. "" where none was."""
        connection = self.connection()
        return connection["tenant_id"] if connection else self.setting(_LAST_TENANT) or ""

    def knew_local(self) -> str:
        """The address of the Xero, not the real one, that was connected here at some time; "" where none is known."""
        return self.setting(_KNEW_LOCAL) or ""

    def knew_real(self) -> bool:
        """Whether the real Xero was connected here at some time, as far as is known."""
        return self.setting(_KNEW_REAL) is not None

    def entry(self) -> str:
        """The random name under which this store's secrets stand in the keyring; made once, never shared by two stores."""
        with self.write():
            name = self.setting("entry")
            if name is None:
                name = secrets.token_hex(8)
                self.set_setting("entry", name)
        return name


def _made_new(path: Path) -> bool:
    """Makes a new store, whole or not at all, unless another run has made one by now; then that is the store."""
    if (left := changes_beside(path)) is not None:
        words = f"is not there, but what belongs to it is: {plain(left)}. Put it back, or restore a copy"
        raise damage.told(path, Trouble(StoreCode.MISSING, words))
    try:
        descriptor, name = tempfile.mkstemp(prefix=".new-", suffix=".sqlite", dir=path.parent)
    except OSError as error:
        raise damage.read_only(path.parent, f" ({error.strerror})") from error
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            migrations.apply(Database(connection))
        backups.give_name(Path(name), path)
    except FileExistsError:
        return False
    except sqlite3.DatabaseError as error:
        raise damage.explained(path, error) from error
    finally:
        Path(name).unlink(missing_ok=True)
    return True


def _keep_to_owner(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        with contextlib.suppress(OSError):  # a disk that knows no owners
            path.chmod(0o600)
