"""Copies of the store: made by SQLite's own means, so that they are whole while others write; and a copy taken back.

Seven of those that are made by themselves are kept; one that a person made, named or put there is never deleted.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from caspen_xero.outside_text import plain
from caspen_xero.paths import leads_to_anothers
from caspen_xero.store.damage import BACKUPS, is_disk_full, told
from caspen_xero.store.errors import StoreCode, StoreError
from caspen_xero.store.judge import (
    BESIDE,
    Trouble,
    beside,
    changes_beside,
    damaged,
    faults,
    is_there,
    judge,
    judge_wholly,
    may_write,
    number_of,
    reading,
)

Reason = Literal["by-hand", "day", "migration", "replaced", "set-aside"]
KEPT = 7
ADOPT_DUE = "adopt_due"
"""The workspace's setting that makes the next push look up all of ours in Xero first."""

ELSEWHERE = ", or write it elsewhere: caspen-xero backup FILE"
_AGAIN = ", then run this again."
_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR)
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)

_MADE_BY_ITSELF = re.compile(r"\d{8}T\d{6}Z-(day|migration)(-\d+)?\.sqlite")
_NAMED_BY_US = re.compile(
    r"\d{8}T\d{6}Z-(day|migration|by-hand|replaced|set-aside)(-\d+)?\.sqlite(-wal|-shm|-journal)?"
)
_NO_COPY_TO_TAKE = re.compile(r"\d{8}T\d{6}Z-(replaced|set-aside)(-\d+)?\.sqlite")
_LEFT_BY_A_KILLED_RUN = re.compile(r"\.\d{8}T\d{6}Z-(day|migration)\b.*\.part(-\w+)?")


def back_up(path: Path, target: Path | None = None, reason: Reason = "by-hand") -> Path:
    """Copies a store to a new file (mode 0600), by default in its folder of copies; gives that file.

    Raises `StoreError`: `backup-exists`, `backup-failed`, or what is wrong with the store itself.
    """
    made = target or place_for(path, reason)
    if is_there(made):
        raise StoreError(StoreCode.BACKUP_EXISTS, f"{plain(made)} is there already.", "Give another name.")
    trouble = judge(path)
    if trouble is not None:
        raise told(path, trouble)
    try:
        with _new_file(made) as part:
            trouble = _copy(path, part)
            if trouble is not None:
                raise told(path, trouble)
            give_name(part, made)
    except (OSError, sqlite3.Error) as error:
        raise _failed(made, error) from error
    return made


def back_up_by_itself(path: Path, reason: Literal["day", "migration"]) -> Path:
    """The same without being asked; of earlier ones that were made so, the newest are kept. The caller holds the lock."""
    made = back_up(path, reason=reason)
    beside_it = [file for file in made.parent.iterdir() if file != made]
    others = [file for file in beside_it if _MADE_BY_ITSELF.fullmatch(file.name)]
    too_old = sorted(others, key=lambda file: file.name, reverse=True)[KEPT - 1 :]
    for file in (*too_old, *(file for file in beside_it if _LEFT_BY_A_KILLED_RUN.fullmatch(file.name))):
        with suppress(OSError):
            file.unlink()
    return made


def remove_copies(path: Path, keep: Path | None = None, *, whatever_for: bool = False) -> tuple[list[Path], list[Path]]:
    """Deletes the copies that were made without being asked, but for `keep`; gives those, and what is left beside them.

    `whatever_for`: also those that a person asked for, by the names that we gave them. Nothing is deleted through a link.
    """
    folder = path.parent / BACKUPS
    if folder.is_symlink():
        return [], [folder]
    if not folder.is_dir():
        return [], []
    removed, left = [], []
    for file in sorted(folder.iterdir()):
        is_ours = _LEFT_BY_A_KILLED_RUN.fullmatch(file.name) or (
            _NAMED_BY_US if whatever_for else _MADE_BY_ITSELF
        ).fullmatch(file.name)
        if file == keep or (file.is_dir() and not file.is_symlink()) or not is_ours:
            left.append(file)
        else:
            file.unlink()
            removed.append(file)
    return removed, [file for file in left if file != keep]


def place_for(path: Path, reason: Reason) -> Path:
    """A new name in the folder of copies, by time (UTC) and reason; the folder is made with mode 0700."""
    folder = path.parent / BACKUPS
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if leads_to_anothers(folder):
            raise OSError("it is a link to a folder of another user")
    except OSError as error:
        raise _failed(folder, error) from error
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{reason}"
    names = [f"{name}.sqlite", *(f"{name}-{number}.sqlite" for number in range(2, 1000))]
    return next(place for each in names if not is_there(place := folder / each))


def place_in(folder: Path, path: Path) -> Path:
    """A new name in a folder that a person gave. Raises `StoreError` `backup-failed` where there is no such folder."""
    if not folder.is_dir():
        raise _no_folder(folder, folder, ELSEWHERE)
    return folder / place_for(path, "by-hand").name


def newest_in(folder: Path) -> Path:
    """The newest copy in a folder, by the time in its name, else by when it was written; never what a restore put aside.

    One that knows no organisation is taken only where none does.

    Raises `StoreError`: `backup-not-found`; `backup-unusable` where copies of several organisations lie there.
    """
    try:
        found = sorted((file for file in folder.glob("*.sqlite") if _is_to_be_taken(file)), key=_made_at, reverse=True)
    except OSError as error:
        words = f"{plain(folder)} can't be read: {error.strerror or error}."
        raise StoreError(StoreCode.BACKUP_NOT_FOUND, words, "Check its permissions") from error
    if not found:
        words = f"There is no copy in {plain(folder)}: no file *.sqlite that a backup made."
        raise StoreError(StoreCode.BACKUP_NOT_FOUND, words, "Copies are made by: caspen-xero backup")
    newest_of: dict[str, Path] = {}
    for file in found:
        if (whose := _organisation_in(file)) is not None:
            newest_of.setdefault(whose, file)
    if len(newest_of) > 1:
        those = "; ".join(f"{plain(whose)}: {plain(file.name)}" for whose, file in newest_of.items())
        words = f"In {plain(folder)} lie copies of {len(newest_of)} organisations. The newest of each: {those}."
        raise StoreError(StoreCode.BACKUP_UNUSABLE, words, "Say which: caspen-xero restore FILE")
    return next(iter(newest_of.values()), found[0])


def _is_to_be_taken(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and not _NO_COPY_TO_TAKE.fullmatch(file.name)


def _made_at(file: Path) -> tuple[str, int]:
    """When a copy was made, as text in UTC: a file that was carried elsewhere may be younger than what is in it."""
    written = file.stat().st_mtime_ns
    named = file.name[:16] if _NAMED_BY_US.fullmatch(file.name) else None
    return named or f"{datetime.fromtimestamp(written // 1_000_000_000, UTC):%Y%m%dT%H%M%SZ}", written


def _organisation_in(file: Path) -> str | None:
    """Whose books a copy holds, by the name of the organisation; None where it can't be read, or was not connected."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            row = database.execute("SELECT value FROM settings WHERE key = 'connection'").fetchone()
        return str(json.loads(row[0])["tenant_name"]) if row and row[0] else None
    except (sqlite3.Error, ValueError, LookupError, TypeError):
        return None


def check_copy(path: Path, file: Path) -> None:
    """Raises `StoreError` where a file can't take the place of the store `path`."""
    if not file.exists():
        raise StoreError(
            StoreCode.BACKUP_NOT_FOUND, f"There is no file {plain(file)}.", "Copies are made by: caspen-xero backup"
        )
    if path.exists() and file.samefile(path):
        raise StoreError(StoreCode.BACKUP_UNUSABLE, f"{plain(file)} is the store of this workspace itself.")
    with _taken_in(path, file):
        pass


def restore(path: Path, file: Path) -> Path | None:
    """Puts a copy in the place of the store, and gives where what stood there is now; None where nothing did.

    The caller holds the workspace's lock. A store in order is replaced in one transaction, so that whoever reads it meanwhile
    sees the old one or the new one; anything else is moved aside as it is. Raises `StoreError`, and then nothing has changed.
    """
    with _taken_in(path, file) as copy:
        try:
            if is_in_order(path):
                replaced = back_up(path, reason="replaced")
                if _fill(path, copy):
                    return replaced
            aside = _set_aside(path)
            os.replace(copy, path)
            return aside
        except (OSError, sqlite3.Error) as error:
            raise _failed(path, error, _AGAIN) from error


def is_in_order(path: Path) -> bool:
    """Whether a store stands there in which nothing is wrong: whoever replaces it should be asked."""
    if not is_there(path):
        return False
    trouble = judge_wholly(path)
    return trouble is None or trouble.code is StoreCode.NEWER


@contextmanager
def _taken_in(path: Path, file: Path) -> Iterator[Path]:
    """A private copy of a file beside the store, with its last changes folded in, that was found whole and may take its place."""
    if not file.is_file():
        raise _unusable(file, "is no file")
    if not os.access(file, os.R_OK):
        raise _unusable(file, "may not be read by this user")
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=path.parent) as folder:
            copy = Path(folder) / path.name
            shutil.copyfile(file, copy)
            if (changes := changes_beside(file)) is not None:
                shutil.copyfile(changes, copy.with_name(copy.name + changes.name.removeprefix(file.name)))
            copy.chmod(0o600)
            trouble = judge_wholly(copy)
            if trouble is not None:
                raise _unusable(file, trouble.words)
            with closing(sqlite3.connect(copy, isolation_level=None)) as database:
                database.execute("PRAGMA journal_mode = DELETE")
                database.execute(
                    "INSERT OR REPLACE INTO settings (tenant_id, key, value) VALUES ('', ?, '1')", [ADOPT_DUE]
                )
            yield copy
    except (OSError, sqlite3.Error) as error:
        raise _failed(path, error, _AGAIN) from error


def _fill(path: Path, copy: Path) -> bool:
    """Writes a copy over a store in one transaction; False where SQLite can't, as their pages are of different sizes."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10.0)) as store, reading(copy) as database:
            database.backup(store, progress=_not_for_ever)
    except sqlite3.OperationalError as error:
        if number_of(error) == sqlite3.SQLITE_READONLY:
            return False
        raise
    return True


def _set_aside(path: Path) -> Path | None:
    """Moves what stands in the store's place to the copies, byte for byte, with what stands beside it."""
    there = [suffix for suffix in BESIDE if is_there(beside(path, suffix))]
    if not there:
        return None
    aside = place_for(path, "set-aside")
    for suffix in reversed(there):
        if suffix or not _is_named_too(path, aside):
            os.rename(beside(path, suffix), beside(aside, suffix))
    return beside(aside, there[0])


def _is_named_too(path: Path, aside: Path) -> bool:
    """Gives a file a second name, where its disk knows such: then there is always something in its place."""
    try:
        os.link(path, aside, follow_symlinks=False)
    except OSError:
        return False
    return True


def _copy(path: Path, part: Path) -> Trouble | None:
    """Copies a store into a file as one consistent state; gives what is wrong with it."""
    try:
        with _source(path) as source, closing(sqlite3.connect(part, isolation_level=None)) as database:
            source.backup(database, progress=_not_for_ever)
            database.execute("PRAGMA journal_mode = DELETE")  # so that it is one file, and stays one
            return faults(database)
    except sqlite3.DatabaseError as error:
        if number_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return damaged(error)
        raise


@contextmanager
def _source(path: Path) -> Iterator[sqlite3.Connection]:
    """The store, to be copied while others may write."""
    if not may_write(path) or is_disk_full(path):
        with reading(path) as database:
            yield database
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10.0)) as database:
        yield database


def _not_for_ever(status: int, remaining: int, total: int) -> None:
    """Called at each try of a copy: SQLite has waited by then for whoever is writing."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise sqlite3.OperationalError("database is locked")


@contextmanager
def _new_file(made: Path) -> Iterator[Path]:
    """An empty file (mode 0600) beside one that is to be made; deleted where it came to nothing."""
    descriptor, name = tempfile.mkstemp(prefix=f".{made.name}-", suffix=".part", dir=made.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
    finally:
        for suffix in BESIDE:
            beside(part, suffix).unlink(missing_ok=True)


def give_name(part: Path, made: Path) -> None:
    """Gives a file its name, unless another has it: then `FileExistsError` is raised."""
    try:
        os.link(part, made)
    except FileExistsError:
        raise
    except OSError:  # a disk that knows no links
        if is_there(made):
            raise FileExistsError(f"{plain(made)} is there already") from None
        os.rename(part, made)


def _failed(made: Path, error: Exception, otherwise: str = ELSEWHERE) -> StoreError:
    """Why a file could not be written, and what is to be done about that cause. `otherwise`: what is possible besides, or then."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_FOLDER:
        return _no_folder(made, made.parent, otherwise)
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, sqlite3.Error) and is_disk_full(made):
        why = "its disk is full"
    what = "Let this user write there" if number in _NO_RIGHT else "Make room on the disk"
    return StoreError(StoreCode.BACKUP_FAILED, f"{plain(made)} could not be written: {why}.", what + otherwise)


def _no_folder(made: Path, folder: Path, otherwise: str) -> StoreError:
    words = f"{plain(made)} could not be written: there is no folder {plain(folder)}."
    return StoreError(StoreCode.BACKUP_FAILED, words, f"Mount its disk, or make the folder{otherwise}")


def _unusable(file: Path, words: str) -> StoreError:
    return StoreError(
        StoreCode.BACKUP_UNUSABLE, f"{plain(file)} {words}: it can't take the store's place.", "Give another copy."
    )
