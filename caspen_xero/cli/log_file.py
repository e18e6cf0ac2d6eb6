"""The file in which runs note their work: our own, for nobody else to read, and never larger than it may be."""

from __future__ import annotations

import io
import logging
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler

from caspen_xero.cli.output import one_line
from caspen_xero.cli.workspace_folders import state_home
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.paths import given_path

_BEGINS = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+ ")
"""How each line of ours begins."""
LARGEST, KEPT = 1_000_000, 5
"""Bytes of a file before the next one begins, and how many earlier ones are kept."""


class LogFile(RotatingFileHandler):
    """Adds to the file of that name. Raises `OSError` or `UserError` where it can't be used.

    `on_failure` is told once, in words, where it can't be written any more, such as on a full disk.
    """

    def __init__(self, path: str, on_failure: Callable[[str], None]) -> None:
        place = given_path(path)
        if place.is_symlink():
            if hasattr(os, "geteuid") and place.lstat().st_uid != os.geteuid():
                raise OSError("it is a link of another user's")  # who may have it lead to a file of ours
            place = place.resolve(strict=True)
        if state_home().resolve() in place.resolve().parent.parents:
            raise OSError("it is in a workspace's folder")
        self._on_failure: Callable[[str], None] | None = on_failure
        super().__init__(place, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", delay=True)
        self._must_have_its_names()
        self.stream = self._open()
        self.setLevel(logging.DEBUG)

    def _open(self) -> io.TextIOWrapper:
        return _open_own(self.baseFilename)

    def doRollover(self) -> None:
        """Begins a new file, and keeps this one as FILE.1. Raises `OSError` where something else has such a name."""
        self._must_have_its_names()
        super().doRollover()

    def _must_have_its_names(self) -> None:
        for number in range(1, KEPT + 1):
            earlier = f"{self.baseFilename}.{number}"
            if os.path.lexists(earlier) and not _is_ours(earlier):
                raise OSError(
                    f"{plain(earlier)}, which an earlier part of it would be called, is a file of something else"
                )

    def format(self, record: logging.LogRecord) -> str:
        """A line, with the time in UTC and the process."""
        at = datetime.fromtimestamp(record.created, UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z {record.process} {one_line(record.getMessage())}"

    def handleError(self, record: logging.LogRecord) -> None:
        """Says once what has gone wrong; the run goes on."""
        tell, self._on_failure = self._on_failure, None
        if tell is not None:
            tell(why(sys.exc_info()[1]))

    def close(self) -> None:
        """Closes it; what could not be written is lost."""
        with suppress(OSError):
            super().close()


def why(error: BaseException | None) -> str:
    """What went wrong, in words."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else error
    return plain(words, MOST_WORDS).rstrip(".")


def _is_ours(path: str) -> bool:
    """Whether a file was begun here, by this user."""
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
            return False
        with open(path, "rb") as file:
            return _BEGINS.match(file.read(60)) is not None
    except OSError:
        return False


def _open_own(path: str) -> io.TextIOWrapper:
    """Opens a file to add to it; a new one is for nobody else, an old one becomes so."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no file")
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            raise OSError("it belongs to another user")
        if found.st_size and not _BEGINS.match(os.read(descriptor, 60)):
            raise OSError("it is a file of something else")
        if hasattr(os, "fchmod") and found.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")
    except BaseException:
        os.close(descriptor)
        raise
