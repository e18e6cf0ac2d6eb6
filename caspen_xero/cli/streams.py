"""Writing to stdout and stderr, where they take it, and how wide what people read there may be."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from caspen_xero.errors import UserError

OUR_COLUMNS = "CASPEN_XERO_COLUMNS"
"""The variable by which lists are laid out as for a screen of that many columns, also in a pipe."""


class NotTaken(UserError):
    """The result could not be written to where it was to go; `reader_left` if whoever read it has gone, who need not be told."""

    def __init__(self, error: OSError) -> None:
        self.reader_left = isinstance(error, BrokenPipeError)
        super().__init__("result-not-written", f"The result could not be written: {error.strerror or error}.", "")


def give(text: str) -> None:
    """Writes a part of the result."""
    with giving():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def giving() -> Iterator[None]:
    """While a part of the result is written. Raises `NotTaken` where the disk is full, or nobody reads any more."""
    try:
        yield
    except OSError as error:
        write_no_more(sys.stdout)
        raise NotTaken(error) from None


def tell(text: str) -> None:
    """Writes talk to stderr; where that can't be, nobody is told, and all goes on."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        write_no_more(sys.stderr)


def write_no_more(stream: Any) -> None:
    """Has a stream that takes nothing any more lead nowhere, so that it is not tried again when the program ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def leads_nowhere(stream: Any) -> bool:
    """Whether a stream takes nothing any more, so that nobody reads it."""
    with suppress(OSError, ValueError):
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))
    return False


def is_screen(stream: Any) -> bool:
    """Whether a person looks at what goes there, or it is to be laid out as if one did."""
    return stream.isatty() or _columns(OUR_COLUMNS) is not None


def width_of(stream: Any) -> int:
    """The columns of a screen; in a pipe or a file as many as a report is to have."""
    asked = _columns(OUR_COLUMNS) or _columns("COLUMNS")
    if asked is not None or not stream.isatty():
        return asked or 200
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or 80
    return 80


def _columns(variable: str) -> int | None:
    """The columns that a variable asks for, where it is a number."""
    columns = os.environ.get(variable, "")
    return int(columns) if columns.isascii() and columns.isdigit() and 0 < int(columns) <= 10_000 else None
