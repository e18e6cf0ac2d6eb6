"""Trouble with the store's file, by its code. The table of docs/store.md is compared with this one."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from caspen_xero.errors import UserError


class StoreCode(StrEnum):
    """What can be wrong with the store or with a copy of it; scripts are promised these codes."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        trouble = str.__new__(cls, code)
        trouble._value_, trouble.meaning = code, meaning
        return trouble

    EMPTY = "store-empty", "the file is there, but nothing is in it"
    NO_DATABASE = "store-no-database", "the file is no SQLite database"
    FOREIGN = "store-foreign", "it is a database of another program; it is left as it is"
    DAMAGED = "store-damaged", "it is cut off, or pages of it can't be read"
    NEWER = "store-newer", "a newer version of caspen-xero made it"
    MISSING = "store-missing", "it is not there, though what belongs to it is; or there is none yet to copy"
    NOT_A_FILE = (
        "store-not-a-file",
        "a folder, a symbolic link, or something else that is no file, stands in its place or beside it",
    )
    FORBIDDEN = "store-forbidden", "this user may not read it"
    READ_ONLY = "store-read-only", "it can be read, but not written: what only shows something works"
    FULL = "store-full", "its disk is full"
    LOCKED = "store-locked", "another program has it in use (exit code 7)"
    UNUSABLE = "store-unusable", "anything else that SQLite says of it"
    BACKUP_FAILED = "backup-failed", "a copy of it could not be made"
    BACKUP_EXISTS = "backup-exists", "a file of that name is there already, and is left as it is"
    BACKUP_NOT_FOUND = "backup-not-found", "there is no such file to restore, or no copy in the folder"
    BACKUP_UNUSABLE = (
        "backup-unusable",
        "the file to restore is no whole store of caspen-xero; or the folder has copies of several organisations",
    )


class StoreError(UserError):
    """The store, or a copy of it, can't be used; `code` is one of `StoreCode`."""
