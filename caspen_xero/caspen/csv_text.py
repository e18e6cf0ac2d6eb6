"""A CSV file as text, in whatever dialect Excel wrote it: encodings, separators, and rows numbered as Excel numbers them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from caspen_xero.outside_text import MOST_WORDS, plain

from .feed import FeedError
from .plain_files import LARGEST, lines_of, too_large

FIX = "Export it from Caspen again; nothing was imported"
DAMAGED = (
    "Export it again, and don't save it from a spreadsheet: in this file it can't be mended any more. To look at the new one in a "
    "spreadsheet, open it with that column as text. Nothing was imported"
)
END_MISSING = "Export it from Caspen again; if nothing is missing, put an empty line at its end"
ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "mac-roman")
"""The encodings that a columns file may name. A byte order mark at the file's beginning says more than it does."""
SEPARATORS = {",": ",", ";": ";", "tab": "\t", "|": "|"}
_HINT = re.compile(r"sep=([^\r\n])(?:\r\n|\r|\n)", re.IGNORECASE)
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

Advance = Callable[[int], None]


@dataclass(frozen=True)
class SheetRow:
    """A row: its number as Excel counts, and its cells."""

    number: int
    cells: list[str]


def text_of(file: Path, encoding: str, advance: Advance = lambda read: None) -> str:
    """The file's whole text, by its byte order mark, else in this encoding. Raises `FeedError`: those of `lines_of`, `not-csv`."""
    pieces, size = [], 0
    with lines_of(file) as lines:
        for line in lines:
            size += len(line)
            if size > LARGEST:
                raise too_large(file)
            advance(len(line))
            pieces.append(line)
    content = b"".join(pieces)
    marked = next((name for mark, name in _BOMS.items() if content.startswith(mark)), None)
    if marked is None and encoding not in ("utf-8", "utf-16") and not content.isascii() and _is_utf8(content):
        words = f"{plain(file)} is written in UTF-8, and not in {encoding}"
        raise FeedError("not-csv", words, 'Say encoding = "utf-8" in the columns file')
    try:
        return content.decode(marked or encoding)
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        row = content[:at].count(b"\n") + 1
        words = f"{plain(file)}, row {row}: not {marked or encoding} text"
        fix = 'Save it as "CSV UTF-8" in Excel; or say its encoding, such as cp1252, in a columns file'
        raise FeedError("not-csv", words, fix) from None


def rows_of(file: Path, text: str, separator: str) -> Iterator[SheetRow]:
    """The rows that hold anything. The last must be whole: a cut amount still looks like one. Raises `FeedError`."""
    number, row = 0, None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            number += 1
            if row is not None:
                yield row
            row = SheetRow(number, cells) if any(cell.strip() for cell in cells) else None
    except csv.Error as error:
        code = "broken-off" if "unexpected end" in str(error) else "not-csv"
        raise FeedError(code, f"{plain(file)}, row {number + 1}: {plain(error, MOST_WORDS)}", FIX) from None
    if row is not None and not text.endswith(("\n", "\r")):
        words = f"{plain(file)} breaks off in row {row.number}: it does not end with a line break"
        raise FeedError("broken-off", f"{words}, so its end may be missing", END_MISSING)
    if row is not None:
        yield row


def without_hint(text: str) -> tuple[str, str | None]:
    """The text without Excel's own first line `sep=;`, and the separator that this names."""
    found = _HINT.match(text)
    return (text[found.end() :], found[1]) if found else (text, None)


def separator_in(text: str, row: int, is_header: Callable[[Sequence[str]], bool]) -> str | None:
    """The separator by which a row (its number as Excel counts) is the header that was looked for."""
    for separator in SEPARATORS.values():
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
            cells = next(islice(reader, row - 1, None), [])
        except csv.Error:
            continue
        if is_header([cell.strip() for cell in cells]):
            return separator
    return None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
