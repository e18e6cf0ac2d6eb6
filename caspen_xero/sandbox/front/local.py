"""The local Xero as a whole, without HTTP: its parts around one database and one clock."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from caspen_xero.sandbox.api.api import Api
from caspen_xero.sandbox.front.gateway import Gateway
from caspen_xero.sandbox.identity.identity import Identity
from caspen_xero.sandbox.identity.openid import OpenId
from caspen_xero.sandbox.identity.signin import SignIn
from caspen_xero.sandbox.organisation.countries import demo_company
from caspen_xero.sandbox.organisation.tenants import Tenants
from caspen_xero.sandbox.request_log import RequestLog
from caspen_xero.sandbox.seam import Clock
from caspen_xero.sandbox.settings import Settings, Switches
from caspen_xero.sandbox.trouble.faults import Faults
from caspen_xero.sandbox.trouble.idempotency import IdempotencyKeys
from caspen_xero.sandbox.trouble.limits import Limits

APP_NAME = "caspen-xero"


class LocalXero:
    """Everything that the sandbox is. All of it but faults and the limits' counts is kept in `data`, if given."""

    def __init__(
        self,
        *,
        data: Path | None = None,
        country: str = "AU",
        organisations: Sequence[str] = (),
        auto_approve: bool = False,
        minute_limit: int = 60,
        minute_seconds: float = 60,
        day_limit: int = 1_000,
        rounding: str = "half-up",
        switches: Mapping[str, str] | None = None,
        clients: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.country, self.more_organisations = country, tuple(organisations)
        self.db = _opened(data)
        self._turn = threading.Lock()
        self.clock = clock or Clock()
        self.settings = Settings(self.db, Switches(auto_approve=auto_approve, clients=dict(clients or {})), switches)
        self.clock.move(timedelta(seconds=self.settings.now.clock_offset))
        self.api = Api(self.db, self.clock, rounding=rounding, app_name=APP_NAME, ways=lambda: self.settings.now)
        self.tenants = Tenants(self.api.books)
        self.identity = Identity(self.db, self.clock)
        self.limits = Limits(self.clock, minute=minute_limit, minute_seconds=minute_seconds, day=day_limit)
        self.keys = IdempotencyKeys(self.db, self.clock)
        self.faults = Faults()
        self.log = RequestLog(self.db, self.clock)
        self.open_id = OpenId(self.identity)
        self.sign_in = SignIn(self.identity, self.tenants, self.settings, APP_NAME)
        self.gateway = Gateway(self.api, self.identity, self.limits, self.keys, self.settings)
        with self.transaction():
            self._found_organisations()

    def _found_organisations(self) -> None:
        if self.api.organisations():
            self.api.furnish_all()
            return
        self.api.add_organisation(demo_company(self.country), self.country)
        for name in self.more_organisations:
            self.api.add_organisation(name, self.country)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One request: everything in it is committed together, or not at all; one at a time, whichever the thread."""
        with self._turn:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def move_clock(self, by: timedelta) -> None:
        """Moves the sandbox's time; it stays moved over a restart."""
        self.clock.move(by)
        self.settings.turn({"clock_offset": self.clock.offset.total_seconds()})

    def reset(self) -> None:
        """As it was when it first started: books, log, limits, keys, faults, switches and clock. Sign-ins stay good."""
        self.api.reset()
        self.log.clear()
        self.limits.forget()
        self.keys.forget()
        self.faults.clear()
        self.settings.as_started()
        self.clock.move(-self.clock.offset)
        self._found_organisations()

    def close(self) -> None:
        """Closes the database."""
        self.db.close()


def _made_for_owner(data: Path) -> None:
    """Makes the file, if there is none, for nobody else to read; what SQLite keeps beside it is made the same.

    Raises OSError where a link stands in its place, or something that is no file: nothing is written through those.
    """
    for suffix in ("", "-wal", "-shm", "-journal"):
        if data.with_name(data.name + suffix).is_symlink():
            raise OSError(f"{data.name}{suffix} is a symbolic link")
    if data.exists() and not data.is_file():
        raise OSError("it is no file")
    with suppress(FileExistsError):
        os.close(os.open(data, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _opened(data: Path | None) -> sqlite3.Connection:
    """The database, in autocommit: `transaction` says where a transaction begins and ends."""
    if data is not None:
        data.parent.mkdir(parents=True, exist_ok=True)
        _made_for_owner(data)
    db = sqlite3.connect(data or ":memory:", isolation_level=None, check_same_thread=False, timeout=1)
    db.execute("PRAGMA journal_mode = WAL")
    if data is not None and data.stat().st_mode & 0o077:  # a database, so it is ours
        data.chmod(0o600)
    db.execute("PRAGMA synchronous = NORMAL")  # safe when the process is killed; only a power cut may lose the newest
    return db
