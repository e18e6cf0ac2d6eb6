"""A store's file, judged before SQLite may change anything in it: is it whole, is it ours, has something of it gone?"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from caspen_xero.outside_text import plain
from caspen_xero.store.errors import StoreCode
from caspen_xero.store.migrations import MARK, names_of_all

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
BESIDE = ("", "-wal", "-journal", "-shm")
"""The database itself, and what SQLite keeps beside it: `beside` puts these behind its name."""


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a file: its code, and words that go on after the file's name."""

    code: StoreCode
    words: str


NEWER = Trouble(StoreCode.NEWER, "was made by a newer version of caspen-xero")


def damaged(why: object) -> Trouble:
    """That a file is damaged, and what SQLite says of it."""
    return Trouble(StoreCode.DAMAGED, f"is damaged ({why})")


def beside(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps beside a database: `-wal` or `-journal`, with the last changes, or `-shm`."""
    return path.with_name(path.name + suffix)


def is_there(path: Path) -> bool:
    """Whether anything stands at a path, a link that leads nowhere too."""
    return path.exists() or path.is_symlink()


def link_in_place(path: Path) -> Path | None:
    """The symbolic link that stands in the place of a database, or of what SQLite keeps beside it."""
    return next((beside(path, suffix) for suffix in BESIDE if beside(path, suffix).is_symlink()), None)


def changes_beside(path: Path) -> Path | None:
    """The file beside a database that holds changes which are not in it yet, or were not taken back yet."""
    for suffix in ("-wal", "-journal"):
        with suppress(OSError):
            if beside(path, suffix).stat().st_size > 0:
                return beside(path, suffix)
    return None


def judge(path: Path) -> Trouble | None:
    """What is wrong with the file of a store; None where nothing is seen to be. It is only read, and not all of it."""
    if (link := link_in_place(path)) is not None:
        where = "is" if link == path else f"has {plain(link)} beside it, which is"
        return Trouble(StoreCode.NOT_A_FILE, f"{where} a symbolic link, and nothing is written through one")
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "is a folder" if stat.S_ISDIR(found.st_mode) else "is no file"
            return Trouble(StoreCode.NOT_A_FILE, what)
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        return Trouble(StoreCode.NOT_A_FILE, "is not there")
    except PermissionError:
        return Trouble(StoreCode.FORBIDDEN, "may not be read by this user")
    if not header:
        return Trouble(StoreCode.EMPTY, "is empty: nothing is in it any more")
    if not header.startswith(_MAGIC[: len(header)]):
        return Trouble(StoreCode.NO_DATABASE, "is no SQLite database")
    if len(header) < _HEADER or (found.st_size < _size_told(header) and changes_beside(path) is None):
        return Trouble(StoreCode.DAMAGED, "is cut off: a part of it is missing")
    try:
        with reading(path) as database:
            return _owner(database)
    except sqlite3.OperationalError:
        return None  # in use, or not to be opened: whoever opens it is told why
    except sqlite3.DatabaseError as error:
        return damaged(error)


def judge_wholly(path: Path) -> Trouble | None:
    """The same with every page looked at, and for a copy that is to be taken back: a newer version's is none to use."""
    trouble = judge(path)
    if trouble is not None:
        return trouble
    try:
        with reading(path) as database:
            if not applied(database) <= names_of_all():
                return NEWER
            return faults(database)
    except sqlite3.DatabaseError as error:
        return damaged(error)


def faults(database: sqlite3.Connection) -> Trouble | None:
    """What SQLite finds wrong when it looks at every page."""
    said = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    return None if said == "ok" else damaged(" ".join(said.split()))


def applied(database: sqlite3.Connection) -> set[str]:
    """The steps by which a store was made, and carried over since; none where it is no store of ours."""
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "_sqlite_migrations" not in tables:
        return set()
    steps = database.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'caspen_xero'")
    return {row[0] for row in steps}


def has_lost_changes(path: Path) -> bool:
    """Whether the changes that stood beside a store were taken away: SQLite deletes its `-shm` first and its `-wal` after that."""
    shm, wal = beside(path, "-shm"), beside(path, "-wal")
    return all(
        shm.exists() and not wal.exists() and shm.exists() for _ in range(3)
    )  # others may be closing, or opening it


def address_to_read(path: Path) -> str:
    """The URI under which SQLite only reads a database: where nothing stands beside it, it makes nothing there either."""
    return f"{path.absolute().as_uri()}?{'mode=ro' if changes_beside(path) else 'mode=ro&immutable=1'}"


def number_of(error: sqlite3.Error) -> int:
    """SQLite's number of an error, without what tells more than anybody needs."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The database opened to be read only; nothing is left beside it where nothing stands there."""
    with closing(sqlite3.connect(address_to_read(path), uri=True, timeout=10.0)) as database:
        yield database


def may_write(path: Path) -> bool:
    """Whether this user may write the file, and what SQLite keeps beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _size_told(header: bytes) -> int:
    """The size that a database says it has, in bytes; 0 where that is not up to date."""
    if header[24:28] != header[92:96]:
        return 0
    page = int.from_bytes(header[16:18], "big")
    return int.from_bytes(header[28:32], "big") * (65_536 if page == 1 else page)


def _owner(database: sqlite3.Connection) -> Trouble | None:
    """Whose database it is: by its mark; one that was made before there was one, by the steps that made it."""
    (mark,) = database.execute("PRAGMA application_id").fetchone()
    (things,) = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if mark == MARK or applied(database):
        return None
    if not (mark or things):
        return Trouble(StoreCode.EMPTY, "is empty: no table is in it")
    return Trouble(StoreCode.FOREIGN, "is a database of another program")
