"""The CSV form of the feed: one file per kind, and one more for what is inside an invoice, payment or credit note.

    tax_rates.csv   payment_methods.csv   clients.csv   contacts.csv
    invoices.csv      with invoice_lines.csv      by its column invoice_id
    payments.csv      with allocations.csv        by its column payment_id
    credit_notes.csv  with credit_note_lines.csv  by its column credit_note_id

Columns are named as the fields, nested ones with a dot (`address.city`, `discount.type`); an empty cell is null;
several phone numbers in one cell are separated by semicolons. Columns stand apart by commas, semicolons or tabs. Other headings,
dates and numbers are read by a columns file (`mapped_csv.py`).
"""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from caspen_xero.outside_text import MOST, MOST_WORDS, plain, said

from .csv_text import DAMAGED, END_MISSING, FIX, SEPARATORS, Advance, text_of
from .csv_values import damage_of_id
from .exact_json import TWICE
from .feed import BadRecord, FeedError, RawRecord, unreadable
from .feed_fields import INSIDE, KINDS, OUTSIDE, Inside
from .plain_files import lines_of
from .readable import readable_of

_BOM = b"\xef\xbb\xbf"
_BOMS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def is_csv(file: Path) -> bool:
    """Whether the file's name ends in `.csv`."""
    return file.suffix.lower() == ".csv"


def is_csv_of_export(file: Path) -> bool:
    """Whether the file has one of the names that this module reads."""
    return is_csv(file) and (_stem(file) in KINDS or _stem(file) in OUTSIDE)


def with_siblings(files: Iterable[Path]) -> Iterator[Path]:
    """The files, and the one that a CSV file can't be read without. Raises `FeedError`: `not-csv`, `file-not-found`."""
    for file in files:
        yield file
        if not is_csv(file):
            continue
        if not is_csv_of_export(file):
            names = ", ".join(f"{stem}.csv" for stem in [*KINDS, *OUTSIDE])
            raise FeedError(
                "not-csv",
                f"{plain(file)} has no name that tells what it holds",
                f"Name it one of: {names}; or say what its columns are: caspen-xero schema feed --columns FILE.csv",
            )
        sibling = INSIDE[_stem(file)].stem if _stem(file) in INSIDE else OUTSIDE.get(_stem(file))
        if sibling is not None:
            yield _beside(file, sibling)


def read_csv_files(files: list[Path], advance: Advance) -> Iterator[tuple[Path, Iterator[RawRecord | BadRecord]]]:
    """The unchecked records, file by file. `advance` is told the bytes read.

    A row with too many or too few cells is a `BadRecord`. Raises `FeedError` (`unreadable`, `not-csv`, `broken-off`)
    for a file that is no CSV or ends too early, and for such a row among lines and allocations: it could be anyone's.
    """
    for stem, kind in KINDS.items():
        for file in files:
            if _stem(file) != stem:
                continue
            inside = INSIDE.get(stem)
            if inside is None:
                yield file, _read_kind(file, kind, advance)
            else:
                parts = _Parts.read(_beside(file, inside.stem), inside, advance)
                yield file, _read_with_parts(file, kind, parts, advance)
                yield parts.file, parts.orphans(kind, file)


def _stem(file: Path) -> str:
    return file.stem.lower()


def _beside(file: Path, stem: str) -> Path:
    try:
        for sibling in sorted(file.parent.iterdir()):
            if is_csv(sibling) and _stem(sibling) == stem:
                return sibling
    except OSError as error:
        raise unreadable(file.parent, error) from error
    raise FeedError(
        "file-not-found", f"{plain(file)} can't be read without {plain(stem)}.csv beside it", f"Add {plain(stem)}.csv"
    )


def _read_kind(file: Path, kind: str, advance: Advance) -> Iterator[RawRecord | BadRecord]:
    for row in _rows(file, advance):
        if row.problem is None:
            yield RawRecord(row.where, {**row.fields, "object": kind}, dict(row.places))
        else:
            seen = readable_of({**row.fields, "object": kind})
            yield BadRecord(str(file), row.where, kind, _id_in(row), "", row.problem, seen)


def _read_with_parts(file: Path, kind: str, parts: "_Parts", advance: Advance) -> Iterator[RawRecord | BadRecord]:
    for found in _read_kind(file, kind, advance):
        if isinstance(found, RawRecord) and isinstance(found.data, dict):
            owner = found.data.get("id")
            found.data[parts.inside.field] = parts.of(owner)
            yield RawRecord(found.where, found.data, {**found.places, **parts.places_of(owner)})
            continue
        elif isinstance(found, BadRecord):
            parts.of(found.id)
        yield found


class _Parts:
    """The lines or allocations of one file, by the record that they belong to."""

    def __init__(self, file: Path, inside: Inside) -> None:
        self.file = file
        self.inside = inside
        self._rows: dict[str, list[_Row]] = {}
        self._ownerless: list[_Row] = []
        self._claimed: set[str] = set()

    @classmethod
    def read(cls, file: Path, inside: Inside, advance: Advance) -> "_Parts":
        parts = cls(file, inside)
        for row in _rows(file, advance, needs=inside.owner):
            if row.problem is not None:
                raise FeedError("not-csv", f"{plain(file)}, {row.where}: {row.problem}", FIX)
            owner = row.fields.get(inside.owner)
            if not isinstance(owner, str):
                parts._ownerless.append(row)
            else:
                parts._rows.setdefault(owner, []).append(row)
        return parts

    def of(self, owner: object) -> list[dict[str, Any]]:
        """The parts of one record, which thereby have an owner."""
        if not isinstance(owner, str):
            return []
        self._claimed.add(owner)
        return [row.fields for row in self._rows.get(owner, [])]

    def places_of(self, owner: object) -> dict[str, str]:
        """Where the cells of one record's parts are."""
        rows = self._rows.get(owner, []) if isinstance(owner, str) else []
        name = plain(self.file.name, 60)
        return {
            f"{self.inside.field}[{number}].{path}": f"{name}, {where}"
            for number, row in enumerate(rows)
            for path, where in row.places
        }

    def orphans(self, kind: str, file: Path) -> Iterator[BadRecord]:
        """What belongs to no record of `file`. To be read after that file."""
        for row in self._ownerless:
            wrong = "is missing" if row.fields.get(self.inside.owner) is None else "is there twice, with two values"
            yield BadRecord(str(self.file), row.where, None, _id_in(row), self.inside.owner, wrong)
        for owner, rows in self._rows.items():
            for row in rows if owner not in self._claimed else []:
                reason = f"{plain(file.name)} has no {kind.replace('_', ' ')} {said(owner, MOST)}"
                id_, field = _id_in(row), self.inside.owner
                yield BadRecord(str(self.file), row.where, None, id_, field, reason, owner=owner)


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    fields: dict[str, Any]
    problem: str | None
    number: int = 0
    header: list[str] = field(default_factory=list)

    @property
    def places(self) -> Iterator[tuple[str, str]]:
        """Where each cell is, by its field. Rows are numbered as a spreadsheet numbers them."""
        return ((name, f"row {self.number}, column {said(name, 60)}") for name in self.header if name)


def _id_in(row: _Row) -> str | None:
    found = row.fields.get("id")
    return found if isinstance(found, str) else None


def _rows(file: Path, advance: Advance, needs: str = "id") -> Iterator[_Row]:
    """The rows below the header, with their fields. The last row must be whole: a cut amount still looks like one."""
    line = 0
    try:
        with _lines(file, advance) as lines:
            first = next(lines, "")
            separator = first.strip("\r\n")[4:] if _is_hint(first) else _separator(first, needs)
            reader = csv.reader(lines if _is_hint(first) else chain([first], lines), delimiter=separator, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if needs not in header:
                how = f"{FIX}; or say what its columns are: caspen-xero schema feed --columns FILE.csv"
                raise FeedError("not-csv", f"{plain(file)} has no column {said(needs, MOST)} in its first line", how)
            row: _Row | None = None
            start = reader.line_num + 1
            for number, cells in enumerate(reader, start=2):
                line = reader.line_num
                if row is not None:
                    yield row
                row = _row(file, start, number, header, cells, needs) if any(cells) else None
                start = reader.line_num + 1
            if not lines.ended or (row is not None and row.problem is not None):
                raise _broken_off(file, reader.line_num, row, lines.ended)
            if row is not None:
                yield row
    except csv.Error as error:
        code = "broken-off" if "unexpected end" in str(error) else "not-csv"
        raise FeedError(code, f"{plain(file)}, line {line + 1}: {plain(error, MOST_WORDS)}", FIX) from None


def _is_hint(line: str) -> bool:
    """Whether it is Excel's own first line, such as `sep=;`."""
    return len(line.strip("\r\n")) == 5 and line.lower().startswith("sep=")


def _separator(header: str, needs: str) -> str:
    found = (one for one in SEPARATORS.values() if needs in (name.strip(' "\r\n') for name in header.split(one)))
    return next(found, ",")


@contextmanager
def _lines(file: Path, advance: Advance) -> Iterator["_Lines"]:
    with lines_of(file) as found:
        first = next(found, b"")
        if not first.startswith(_BOMS_OF_UTF_16):
            yield _Lines(file, chain([first] if first else [], found), advance)
            return
    text = io.StringIO(text_of(file, "utf-8", advance), newline="")
    yield _Lines(file, (line.encode() for line in text), lambda read: None)


def _broken_off(file: Path, line: int, row: _Row | None, ended: bool) -> FeedError:
    why = row.problem if ended and row is not None else "it does not end with a line break, so its end may be missing"
    fix = FIX if ended else END_MISSING
    return FeedError("broken-off", f"{plain(file)} breaks off in line {line}: {why}", fix)


class _Lines:
    """The text lines of a file, for `csv.reader`; `ended` once a line break closed the last one."""

    def __init__(self, file: Path, stream: Iterable[bytes], advance: Advance) -> None:
        self._file = file
        self._numbered = enumerate(stream, start=1)
        self._advance = advance
        self.ended = True

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        number, line = next(self._numbered)
        self._advance(len(line))
        self.ended = line.endswith(b"\n")
        try:
            return (line.removeprefix(_BOM) if number == 1 else line).decode("utf-8")
        except UnicodeDecodeError:
            raise FeedError("not-csv", f"{plain(self._file)}, line {number}: not UTF-8 text", FIX) from None


def _row(file: Path, line: int, number: int, header: list[str], cells: list[str], needs: str) -> _Row:
    fields: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        if cell and (name in ("id", needs) or name.endswith("_id")) and (damage := damage_of_id(cell)):
            where = f"row {number}, column {said(name, 60)}"
            raise FeedError("cell-damaged", f"{plain(file)}, {where}: {damage}", DAMAGED)
        _put(fields, name, cell)
    cut = cells
    while len(cut) > len(header) and not cut[-1]:
        cut = cut[:-1]
    wrong = len(cut) != len(header)
    has = f"has {len(cells)} {'cell' if len(cells) == 1 else 'cells'}"
    there = "there is 1 column" if len(header) == 1 else f"there are {len(header)} columns"
    problem = f"{has}, but {there}" if wrong else None
    return _Row(f"line {line}", fields, problem, number, header)


def _put(fields: dict[str, Any], name: str, cell: str) -> None:
    outer, dot, inner = name.partition(".")
    if not cell:
        fields.setdefault(outer, None)  # an object with nothing in it is null
    elif not dot:
        _set(fields, name, [number.strip() for number in cell.split(";")] if name == "phone_numbers" else cell)
    elif fields.get(outer) is None:
        fields[outer] = {inner: cell}
    elif isinstance(fields[outer], dict):
        _set(fields[outer], inner, cell)
    else:
        fields[outer] = TWICE


def _set(fields: dict[str, Any], name: str, value: object) -> None:
    """A column may be there twice, but not with two values."""
    fields[name] = value if fields.get(name) in (None, value) else TWICE
