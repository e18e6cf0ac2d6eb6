"""A file of an export, line by line: nothing that may never answer, and no line that is too long to be one."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caspen_xero.outside_text import plain

from .feed import FeedError, unreadable

LARGEST = 256 * 1024 * 1024
"""Bytes of what has to be held whole: a line, or a document over several lines. JSON Lines and CSV may have any length."""


@contextmanager
def lines_of(file: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a file, with their ends. Raises `FeedError`: `unreadable`, `not-a-file`, `too-large`."""
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise no_file(file)
            yield iter(lambda: _short(file, stream.readline(LARGEST + 1)), b"")
    except OSError as error:
        raise unreadable(file, error) from error


def no_file(file: Path) -> FeedError:
    """The error for what stands in the place of a file."""
    fix = "Give a file or a folder; a pipe: caspen-xero import -"
    return FeedError("not-a-file", f"{plain(file)} is a pipe or a device", fix)


def too_large(file: Path) -> FeedError:
    """The error for what can't be held whole."""
    words = f"{plain(file)} holds more than {LARGEST // 1024 // 1024} MB in one piece; nothing was imported"
    return FeedError("too-large", words, "Export it as JSON Lines: one record on each line")


def _short(file: Path, line: bytes) -> bytes:
    if len(line) > LARGEST:
        raise too_large(file)
    return line
