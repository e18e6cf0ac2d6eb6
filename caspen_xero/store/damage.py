"""What is wrong with the store, in words with the way out: the copy to restore, or how to begin anew and lose nothing."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

from caspen_xero.commands import can_be_pasted, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.packages import to_upgrade
from caspen_xero.store.errors import StoreCode, StoreError
from caspen_xero.store.judge import BESIDE, Trouble, beside, is_there, judge, judge_wholly, number_of

BACKUPS = "backups"
"""The folder of a workspace's copies, beside its store."""

MAKE_ROOM = "Make room on its disk, then run this again."

_ROOM = 65_536
_BEGINS_WITH_ITS_TIME = re.compile(r"\d{8}T\d{6}Z-.*\.sqlite")

_BY_SQLITE = {
    sqlite3.SQLITE_CORRUPT: (StoreCode.DAMAGED, "is damaged"),
    sqlite3.SQLITE_NOTADB: (StoreCode.NO_DATABASE, "is no SQLite database"),
    sqlite3.SQLITE_READONLY: (StoreCode.READ_ONLY, "can be read, but not written"),
    sqlite3.SQLITE_PERM: (StoreCode.FORBIDDEN, "may not be read by this user"),
    sqlite3.SQLITE_FULL: (StoreCode.FULL, "can't grow: its disk is full"),
    sqlite3.SQLITE_BUSY: (StoreCode.LOCKED, "is in use by another program"),
    sqlite3.SQLITE_LOCKED: (StoreCode.LOCKED, "is in use by another program"),
}


def copies(path: Path) -> list[Path]:
    """The copies beside a store, newest first, as their names say."""
    folder = path.parent / BACKUPS
    found = (file for file in folder.glob("*.sqlite") if file.is_file() and _BEGINS_WITH_ITS_TIME.fullmatch(file.name))
    return sorted(found, key=lambda file: (file.name[:16], file.stat().st_mtime_ns), reverse=True)


def newest_whole_copy(path: Path) -> Path | None:
    """The newest copy beside a store that can be taken back, if there is one."""
    return next((copy for copy in copies(path) if judge_wholly(copy) is None), None)


def restore_command(copy: Path) -> str:
    """The command that takes a copy back."""
    return to_paste("restore", str(copy) if can_be_pasted(str(copy)) else "FILE")


def check(path: Path) -> None:
    """Raises `StoreError` where the file can't be opened as a store, before anything in it is changed."""
    trouble = judge(path)
    if trouble is not None:
        raise told(path, trouble)


def told(path: Path, trouble: Trouble) -> StoreError:
    """Trouble with a store as a person is told of it."""
    exit_code = ExitCode.ANOTHER_RUN if trouble.code is StoreCode.LOCKED else None
    return StoreError(
        trouble.code, f"The local store {plain(path)} {trouble.words}.", _way_out(path, trouble.code), exit_code
    )


def explained(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite says of a store, in words."""
    number = number_of(error)
    code, words = _BY_SQLITE.get(number, (StoreCode.UNUSABLE, "can't be used"))
    if "locked" in str(error):
        code, words = _BY_SQLITE[sqlite3.SQLITE_BUSY]
    elif number in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and is_disk_full(path):
        code, words = _BY_SQLITE[sqlite3.SQLITE_FULL]
    elif str(error).startswith(("no such table", "no such column")):
        code, words = StoreCode.DAMAGED, "is not whole"
    elif number == sqlite3.SQLITE_CANTOPEN and (found := judge(path)) is not None:
        return told(path, found)
    return told(path, Trouble(code, f"{words} ({plain(error)})" if code is not StoreCode.LOCKED else words))


def is_disk_full(path: Path) -> bool:
    """Whether there is no room for what SQLite keeps beside a store; it says "disk I/O error" then."""
    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False


def read_only(path: Path, why: str = "") -> StoreError:
    """That a store can't be written."""
    return told(path, Trouble(StoreCode.READ_ONLY, f"can be read, but not written{why}"))


def _way_out(path: Path, code: StoreCode) -> str:
    match code:
        case StoreCode.LOCKED:
            return "Close it, then run this again."
        case StoreCode.NEWER:
            return to_upgrade()
        case StoreCode.FULL:
            return MAKE_ROOM
        case StoreCode.READ_ONLY:
            return (
                f"Let this user write {plain(path)} and its folder, or copy the folder {plain(path.parent.parent)} to where they "
                "can and set CASPEN_XERO_HOME to that."
            )
        case StoreCode.FORBIDDEN:
            return f"Run this as the user who owns {plain(path)}, or let this user read and write it."
        case StoreCode.UNUSABLE:
            return "Check its disk and your permissions: caspen-xero doctor"
    copy = newest_whole_copy(path)
    if copy is not None:
        return restore_command(copy)
    away = " and ".join(str(file) for suffix in BESIDE if is_there(file := beside(path, suffix)))
    return f"Move {away} away, then: caspen-xero connect, then: caspen-xero adopt"
