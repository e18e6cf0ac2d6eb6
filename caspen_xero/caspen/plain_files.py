"""A file of an export, line by line: nothing that may never answer, no spreadsheet, and no line that is too long to be one."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caspen_xero.outside_text import plain

from .feed import FeedError, unreadable

LARGEST = 256 * 1024 * 1024
"""Bytes of what has to be held whole: a line, or a document over several lines. JSON Lines and CSV may have any length."""


SHEET_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
_OLD_SHEET = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVE = b"PK\x03\x04"
"""How a ZIP archive begins, and so each newer spreadsheet."""


@contextmanager
def lines_of(file: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a file, with their ends.

    Raises `FeedError`: `unreadable`, `not-a-file`, `spreadsheet`, `archive`, `too-large`.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise no_file(file)
            refuse_sheet(file, stream.peek(8))
            yield iter(lambda: _short(file, stream.readline(LARGEST + 1)), b"")
    except OSError as error:
        raise unreadable(file, error) from error


def no_file(file: Path) -> FeedError:
    """The error for what stands in the place of a file."""
    fix = "Give a file or a folder; a pipe: caspen-xero import -"
    return FeedError("not-a-file", f"{plain(file)} is a pipe or a device", fix)


def is_sheet_by_name(file: Path) -> bool:
    """Whether a spreadsheet program would open the file as its own; not what Excel leaves beside an open one (`~$`)."""
    return file.suffix.lower() in SHEET_SUFFIXES and not file.name.startswith("~$")


def refuse_sheet(file: Path, beginning: bytes = b"", otherwise: str = "") -> None:
    """Raises `FeedError` `spreadsheet` or `archive` for a file that begins as one, or is named so. `otherwise`: another way out."""
    is_archive = beginning.startswith(_ARCHIVE)
    if is_archive and file.suffix.lower() == ".zip":
        words = f"{plain(file)} is a ZIP archive; nothing was imported"
        raise FeedError("archive", words, "Unpack it, and give the folder with its files")
    if is_archive or beginning.startswith(_OLD_SHEET) or is_sheet_by_name(file):
        words = f"{plain(file)} is a spreadsheet, and only its program can read it; nothing was imported"
        fix = f"Save it as CSV (in Excel: CSV UTF-8), each sheet to a file of its own{otherwise}"
        raise FeedError("spreadsheet", words, fix)


def too_large(file: Path) -> FeedError:
    """The error for what can't be held whole."""
    words = f"{plain(file)} holds more than {LARGEST // 1024 // 1024} MB in one piece; nothing was imported"
    return FeedError("too-large", words, "Export it as JSON Lines: one record on each line")


def _short(file: Path, line: bytes) -> bytes:
    if len(line) > LARGEST:
        raise too_large(file)
    return line
