"""Records that come through a pipe: kept whole in a file of their own before any is read, as a file is read twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .feed import FeedError

STANDARD_INPUT = "-"
"""What stands for it among the paths."""

MOST = 256 * 1024 * 1024
"""Bytes. A pipe may have no end."""

_PIECE = 1024 * 1024


@contextmanager
def spooled(stream: BinaryIO | None) -> Iterator[Path]:
    """A file (JSON, or JSON Lines) with all that comes. Raises `FeedError`: `unreadable`, `too-large`."""
    with tempfile.TemporaryDirectory(prefix="caspen-xero-") as folder:
        file = Path(folder) / "standard-input.json"
        _fill(file, stream)
        yield file


def _fill(file: Path, stream: BinaryIO | None) -> None:
    try:
        if stream is None:
            raise OSError("it is closed")
        with file.open("wb") as spool:
            while piece := stream.read(_PIECE):
                if spool.tell() + len(piece) > MOST:
                    words = f"More than {MOST // 1024 // 1024} MB came through standard input; nothing was imported"
                    raise FeedError("too-large", words, "Save it to a file, and give that")
                spool.write(piece)
    except (OSError, ValueError) as error:  # ValueError: it was closed
        why = getattr(error, "strerror", None) or error
        raise FeedError("unreadable", f"Standard input can't be read: {why}", "Give a file or a folder") from None
