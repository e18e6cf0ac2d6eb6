"""One JSON file of the feed: an array, a `{"data": [...]}` page, one bare record, or JSON Lines.

What the file is follows from its first line. A whole JSON value on it: every line is one (JSON Lines; a compact
document is the same thing with one line). Else the file is one document over several lines, read whole.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from caspen_xero.outside_text import plain

from .exact_json import NotJson, decode
from .feed import BadRecord, FeedError, RawRecord, expand_page
from .plain_files import LARGEST, lines_of, too_large

_BOM = b"\xef\xbb\xbf"
_LINE_SUFFIXES = (".jsonl", ".ndjson")
_FIX = "Export it from Caspen again; nothing was imported"


def read_json_file(file: Path, advance: Callable[[int], None]) -> Iterator[RawRecord | BadRecord]:
    """The file's records, unchecked. `advance` is told the bytes read.

    A line that is no JSON is a `BadRecord` while lines follow it. Raises `FeedError`: those of `lines_of`, `not-json`, or
    `broken-off` where the last line or the document ends too early.
    """
    with lines_of(file) as found:
        lines = _text_lines(file, found, advance)
        first = next(lines, None)
        if first is None:
            raise FeedError("not-json", f"{plain(file)} is empty", _FIX)
        opening = _decoded(*first)
        one_per_line = file.suffix.lower() in _LINE_SUFFIXES and not first[1].lstrip().startswith("[")
        if opening.problem is None or one_per_line:
            yield from _read_lines(file, opening, lines)
        else:
            yield from _read_document(file, first, lines)


def _text_lines(file: Path, stream: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    for number, line in enumerate(stream, start=1):
        advance(len(line))
        if number == 1:
            line = line.removeprefix(_BOM)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise FeedError("not-json", f"{plain(file)}, line {number}: not UTF-8 text", _FIX) from None
        if text and not text.isspace():
            yield number, text


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    data: Any
    problem: NotJson | None


def _decoded(number: int, text: str) -> _Line:
    try:
        return _Line(number, decode(text), None)
    except NotJson as error:
        return _Line(number, None, error)


def _read_lines(file: Path, first: _Line, rest: Iterator[tuple[int, str]]) -> Iterator[RawRecord | BadRecord]:
    doubtful: _Line | None = None  # no JSON: a bad line if another follows, else the file may break off here
    for line in chain([first], (_decoded(*following) for following in rest)):
        if doubtful is not None:
            yield _bad_line(file, doubtful)
            doubtful = None
        if line.problem is not None:
            doubtful = line
            continue
        page = expand_page(line.data)
        if page is None:
            yield RawRecord(f"line {line.number}", line.data)
        else:
            yield from _numbered(page, "" if line is first else f"line {line.number}, ")
    if doubtful is not None and doubtful.problem is not None:
        if doubtful.problem.is_too_deep:
            yield _bad_line(file, doubtful)
        else:
            raise FeedError(
                "broken-off", f"{plain(file)} breaks off in line {doubtful.number}: {_words(doubtful)}", _FIX
            )


def _bad_line(file: Path, line: _Line) -> BadRecord:
    return BadRecord(str(file), f"line {line.number}", None, None, "", f"is not JSON: {_words(line)}")


def _words(line: _Line) -> str:
    problem = line.problem
    return "" if problem is None else str(problem) if problem.is_too_deep else f"{problem} (column {problem.column})"


def _read_document(file: Path, first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[RawRecord]:
    skipped = first[0] - 1  # blank lines before the first
    text = "".join(_with_blank_lines(file, first, rest))
    try:
        data = decode(text)
    except NotJson as error:
        raise _document_error(file, error, skipped) from None
    page = expand_page(data)
    yield from [RawRecord("record 1", data)] if page is None else _numbered(page, "")


def _with_blank_lines(file: Path, first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[str]:
    """The lines as they stood, so that an error's line number is the file's. Raises `FeedError` `too-large`."""
    expected, size = first[0], 0
    for number, text in chain([first], rest):
        size += number - expected + len(text)
        if size > LARGEST:
            raise too_large(file)
        yield "\n" * (number - expected) + text
        expected = number + 1


def _document_error(file: Path, error: NotJson, skipped: int) -> FeedError:
    line = error.line + skipped
    if error.is_too_deep:
        return FeedError("not-json", f"{plain(file)} is too deeply nested to be an export", _FIX)
    if error.breaks_off:
        return FeedError("broken-off", f"{plain(file)} breaks off in line {line}: {error}", _FIX)
    return FeedError("not-json", f"{plain(file)}, line {line}, column {error.column}: not JSON: {error}", _FIX)


def _numbered(page: list[Any], before: str) -> Iterator[RawRecord]:
    for number, data in enumerate(page, start=1):
        yield RawRecord(f"{before}record {number}", data)
