"""What a command works with: the workspace's folder, its store, its lock, its connection to Xero. All opened on first use."""

from __future__ import annotations

import errno
import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from caspen_xero.cli.lock_holder import Holder, active_holder, held_by, holder
from caspen_xero.cli.menu import on_a_terminal
from caspen_xero.cli.output import Output
from caspen_xero.cli.workspace_folders import DEFAULT, folder_of, is_there, make_folder
from caspen_xero.commands import name_for, to_connect, to_paste
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from caspen_xero.store.mappings import Mappings
    from caspen_xero.store.store import Store
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.setup.settings import Settings
    from caspen_xero.xero.client import XeroClient
    from caspen_xero.xero.connection import Connection
    from caspen_xero.xero.tokens import AccessTokens

AFTER_ANSWERS = 60.0
"""How many seconds what a person has just answered waits for another run to end."""


class SessionError(UserError):
    """A command can't start.

    `home-unusable`, `another-run` (exit code 7), `not-connected` (4), `other-host` (4).
    """


class Session:
    """One command's run in one workspace. Nothing is opened, created or imported before it is asked for."""

    def __init__(self, output: Output, workspace: str | None = None, command: str = "") -> None:
        self.output, self.command = output, command
        self.workspace = DEFAULT if workspace is None else workspace
        self.started_at = datetime.now(UTC)
        self._began = time.monotonic()
        self._calls_before = 0
        self._left_today: int | None = None
        output.under_way.calls = self.calls
        self.whole: str | None = None
        self.done: dict[str, Callable[[], dict[str, Any]]] = {}
        self.to_go_on: Callable[[], str] = lambda: ""
        self.goes_on: Callable[[], str] = lambda: ""
        self.told_done: list[Callable[[], Iterable[tuple[str, int]]]] = []
        self.noted: list[tuple[str, int]] = []
        self.ended_by: UserError | None = None
        self.patience = timedelta()
        self.books: Books | None = None
        """How they stand after what this command has done, where it has looked."""

    def so_far(self) -> dict[str, Any]:
        """What the command has done by now, for the JSON document of an error: as its own document would say it.

        `done` has a part for each engine that has begun; `whole` is the command that consists of a pull and a push.
        """
        told: dict[str, Any] = {}
        for part, done in self.done.items():
            # What has broken may be what the sum is read from; it is the error that has to be told.
            with suppress(Exception):
                told[part] = done()
        if self.whole is not None:
            return {"command": self.whole, "pull": None, "push": None} | told
        return {name: value for part in told.values() for name, value in part.items()}

    def done_in_words(self) -> list[tuple[str, int]]:
        """The same for people: each thing that was done, and how often. `told_done` has a part for each engine that has begun."""
        told: list[tuple[str, int]] = []
        for done in self.told_done:
            with suppress(Exception):
                told += done()
        return told

    @contextmanager
    def kept(self, words: Callable[[], str]) -> Iterator[None]:
        """Around a piece of work: what is kept of it where a person breaks it off, and how it goes on, as a sentence."""
        before, self.goes_on = self.goes_on, words
        yield
        self.goes_on = before  # not after an error: it is to be told then

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """How long this command has run, in seconds with one decimal."""
        return round(time.monotonic() - self._began, 1)

    def start_again(self) -> None:
        """Begins a second part of the same command, with a clock and a count of calls of its own."""
        self.started_at, self._began, self.books = self.now(), time.monotonic(), None
        if self.has_client:
            self._calls_before, _ = self.calls()
            self.__dict__.pop("client").close()

    @cached_property
    def folder(self) -> Path:
        """The workspace's folder below `CASPEN_XERO_HOME` (else the platform's data folder), made with mode 0700."""
        folder = folder_of(self.workspace)
        make_folder(folder)
        return folder

    @cached_property
    def store(self) -> Store:
        """The workspace's store, opened. One that an earlier version made is carried over while no other run is active."""
        from caspen_xero.store.store import Store

        store = Store(self.store_file, alone=self.only_writer)
        if store.is_new:
            self._tell_new_store()
        if store.has_lost_changes:
            self.output.warn(
                f"{plain(store.path)}-wal, which held the last changes of the store, was taken away: what the store says may be "
                "older than what was sent. The next push looks up all of ours in Xero first; so does now: caspen-xero adopt"
            )
        return store

    def known_folder(self) -> Path | None:
        """The workspace's folder, None where it can't be used: for who has something else to tell."""
        with suppress(Exception):
            return self.folder if self.workspace == DEFAULT or is_there(self.workspace) else None
        return None

    @property
    def store_file(self) -> Path:
        """The workspace's store, whether it is there or not."""
        return self.folder / "store.sqlite"

    def _tell_new_store(self) -> None:
        """A new store in a folder that was in use before: a person should know that, and how to have the earlier one again."""
        from caspen_xero.store.damage import newest_whole_copy, restore_command

        copy = newest_whole_copy(self.store_file)
        if copy is not None:
            self.output.warn(
                f"There was no store in {plain(self.folder)}, so a new one was made. To take back the newest copy of the earlier "
                f"one: {restore_command(copy)}"
            )
        elif (self.folder / "tokens.json").exists():
            self.output.warn(
                f"There was no store in {plain(self.folder)}, so a new one was made; the sign-in beside it belongs to an earlier "
                "one. If you have no copy of that to restore: caspen-xero connect, then: caspen-xero adopt"
            )

    @cached_property
    def connection(self) -> Connection:
        """The linked organisation. Raises `SessionError` `not-connected` (exit code 4) where there is none."""
        from caspen_xero.xero.connection import Connection, check_same_host

        stored = self.store.connection()
        if stored is None:
            raise SessionError(
                "not-connected",
                "This workspace is not connected to a Xero organisation.",
                to_connect(**self.store.last_way()),
                ExitCode.CONNECT_NEEDED,
            )
        connection = Connection.from_dict(stored)
        check_same_host(connection)
        self._mark(connection)
        return connection

    def _mark(self, connection: Connection) -> None:
        """Says on a terminal, once, that these are no real books: a trial looks like the real thing in all else."""
        from caspen_xero.xero.connection import where

        output, mark = self.output, where(connection.xero_url)
        if mark and not output.is_marked and not (output.json or output.quiet) and on_a_terminal():
            output.is_marked = True
            output.note(f"[{plain(connection.tenant_name)}: {mark}]")

    @cached_property
    def mappings(self) -> Mappings:
        """What this workspace knows of the linked organisation. Needs a connection."""
        from caspen_xero.store.mappings import Mappings

        return Mappings(self.store, self.connection.tenant_id)

    @property
    def known_mappings(self) -> Mappings | None:
        """The same, also where it is no longer linked: what was sent stays so. None where none ever was."""
        from caspen_xero.store.mappings import Mappings

        if self.store.connection():
            return self.mappings
        return Mappings(self.store, tenant) if (tenant := self.tenant_id) else None

    @property
    def last_known(self) -> Mappings:
        """The same for what only shows it: where no organisation ever was linked, there is nothing of one."""
        from caspen_xero.store.mappings import Mappings

        return self.known_mappings or Mappings(self.store, "")

    def next_run(self, command: Literal["push", "pull"]) -> str:
        """The command that brings on what a push or pull has still to do: `connect`, where no organisation is linked."""
        from caspen_xero.sync.fix_commands import connected_first

        return connected_first(f"caspen-xero {command}", connected=self.store.connection() is not None)

    @property
    def tenant_id(self) -> str:
        """The id of the organisation that is linked, or was last; "" where none was."""
        return self.store.known_tenant()

    @cached_property
    def tokens(self) -> AccessTokens:
        """The access tokens of the linked organisation, refreshed as needed."""
        from caspen_xero.xero.token_store import open_token_store
        from caspen_xero.xero.tokens import AccessTokens

        store = open_token_store(self.connection.token_store, self.connection.entry, self.folder)
        return AccessTokens(self.connection, store, self.folder / "token.lock")

    @cached_property
    def client(self) -> XeroClient:
        """A client of Xero's API for the linked organisation; no call is made by opening it."""
        from caspen_xero.xero.client import XeroClient
        from caspen_xero.xero.clock import XeroClock

        clock = XeroClock(now=self.now)
        output = self.output
        return XeroClient(self.connection, self.tokens, on_wait=output.waits, on_call=output.calls_xero, clock=clock)

    @property
    def has_client(self) -> bool:
        """Whether the client was opened."""
        return "client" in self.__dict__

    def calls(self) -> tuple[int, int | None]:
        """The calls to Xero of this whole command so far, and how many are left today, as Xero last said."""
        client = self.client if self.has_client else None
        if client is not None and client.calls_left_today is not None:
            self._left_today = client.calls_left_today
        return self._calls_before + (client.calls if client is not None else 0), self._left_today

    @cached_property
    def settings(self) -> Settings:
        """What a person has set, read once: a run asks for it under the workspace's lock, and keeps to it till its end."""
        from caspen_xero.sync.setup.settings import read_settings

        return read_settings(self.store)

    @contextmanager
    def only_writer(self, *, patience: float = 0) -> Iterator[None]:
        """Holds the workspace's lock. Raises `SessionError` `another-run` (exit code 7) where another run has it.

        `patience`: how many seconds to wait for that run to end, where a person's answers would be lost otherwise.
        """
        with self.writer_if_free(patience=patience) as is_free:
            if not is_free:
                other = holder(self.folder)
                which = f": {other.in_words(self.now())}" if other else ""
                raise SessionError(
                    "another-run",
                    f"Another caspen-xero run is active in this workspace{which}.",
                    "Wait for it to end.",
                    ExitCode.ANOTHER_RUN,
                )
            yield

    @contextmanager
    def writer_if_free(self, *, patience: float = 0) -> Iterator[bool]:
        """Holds the workspace's lock where no other run has it; gives whether it does. Nested use holds on to it."""
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=patience)
        except Timeout:
            yield False
            return
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            from caspen_xero.store.damage import read_only

            raise read_only(self.store_file, f" ({error.strerror})") from error
        is_first = self._lock.lock_counter == 1
        try:
            with held_by(self.folder, Holder(self.command, self.started_at)) if is_first else nullcontext():
                yield True
        finally:
            self._lock.release()

    def active_run(self) -> Holder | None:
        """The run that has the workspace's lock at this moment, as far as is known which; None where none has it."""
        return active_holder(self.folder)

    def refuse_if_busy(self) -> None:
        """Raises `another-run` where another run is active: before a person is asked what could not be saved then."""
        with self.only_writer():
            pass

    @cached_property
    def _lock(self) -> BaseFileLock:
        from filelock import FileLock

        path = self.folder / "run.lock"
        if path.is_symlink():
            raise SessionError(
                "home-unusable", f"{plain(path)} is a symbolic link, and nothing is written through one.", "Delete it."
            )
        return FileLock(path, mode=0o600)

    def close(self) -> None:
        """Closes what was opened."""
        self._calls_before, _ = self.calls()
        for name in ("client", "store"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()


def one_invoice(session: Session, name: str, *, or_bad: bool = False) -> str:
    """The id of the invoice that a person named by number or id; with `or_bad` one too of which there is only a bad record.

    Raises `SessionError` where none or several fit.
    """
    from caspen_xero.store import bad_records, clinic
    from caspen_xero.sync.planning.ways_out import read_caspen

    if not name.strip():
        words = "An invoice is named by its number or its id; that was empty."
        raise SessionError("invoice-not-named", words, "caspen-xero invoices list", ExitCode.USAGE)
    found = clinic.invoice_ids(session.store, name)
    lone = [] if found else bad_records.lone_ids(session.store, name)
    if or_bad and lone:
        found = lone
    if len(found) == 1:
        return found[0]
    if not found and lone:
        aside = to_paste("invoices skip", name_for(lone[0], name))
        raise SessionError(
            "invoice-bad-record",
            f"Of the invoice {plain(name)} there is only a bad record: caspen-xero unsynced",
            f"Correct it in Caspen, then: {read_caspen(session.settings.source)}; or set it aside: {aside}",
        )
    if not found:
        raise SessionError("invoice-not-found", f"There is no invoice {plain(name)}.", "caspen-xero invoices list")
    raise SessionError(
        "invoice-ambiguous",
        f"Several invoices have the number {plain(name)}.",
        f"Use the id: {', '.join(shlex.quote(name_for(id_)) for id_ in found[:10])}",
    )
