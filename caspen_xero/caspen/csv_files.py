"""The CSV form of the feed: one file per kind, and one more for what is inside an invoice, payment or credit note.

    tax_rates.csv   payment_methods.csv   clients.csv   contacts.csv
    invoices.csv      with invoice_lines.csv      by its column invoice_id
    payments.csv      with allocations.csv        by its column payment_id
    credit_notes.csv  with credit_note_lines.csv  by its column credit_note_id

Columns are named as the fields, nested ones with a dot (`address.city`, `discount.type`); an empty cell is null;
several phone numbers in one cell are separated by semicolons.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caspen_xero.outside_text import MOST, MOST_WORDS, plain, said

from .exact_json import TWICE
from .feed import BadRecord, FeedError, RawRecord, unreadable
from .plain_files import lines_of
from .readable import readable_of


@dataclass(frozen=True)
class _Inside:
    """The file that holds the lines or allocations of a kind, and the column that says whose they are."""

    stem: str
    field: str
    owner: str


_KINDS = {
    "tax_rates": "tax_rate",
    "payment_methods": "payment_method",
    "clients": "client",
    "contacts": "contact",
    "invoices": "invoice",
    "payments": "payment",
    "credit_notes": "credit_note",
}
_INSIDE = {
    "invoices": _Inside("invoice_lines", "lines", "invoice_id"),
    "payments": _Inside("allocations", "allocations", "payment_id"),
    "credit_notes": _Inside("credit_note_lines", "lines", "credit_note_id"),
}
_OUTSIDE = {inside.stem: stem for stem, inside in _INSIDE.items()}
_BOM = b"\xef\xbb\xbf"
_FIX = "Export it from Caspen again; nothing was imported"

Advance = Callable[[int], None]


def is_csv(file: Path) -> bool:
    """Whether the file's name ends in `.csv`."""
    return file.suffix.lower() == ".csv"


def is_csv_of_export(file: Path) -> bool:
    """Whether the file has one of the names that this module reads."""
    return is_csv(file) and (_stem(file) in _KINDS or _stem(file) in _OUTSIDE)


def with_siblings(files: Iterable[Path]) -> Iterator[Path]:
    """The files, and the one that a CSV file can't be read without. Raises `FeedError`: `not-csv`, `file-not-found`."""
    for file in files:
        yield file
        if not is_csv(file):
            continue
        if not is_csv_of_export(file):
            names = ", ".join(f"{stem}.csv" for stem in [*_KINDS, *_OUTSIDE])
            raise FeedError(
                "not-csv", f"{plain(file)} has no name that tells what it holds", f"Name it one of: {names}"
            )
        sibling = _INSIDE[_stem(file)].stem if _stem(file) in _INSIDE else _OUTSIDE.get(_stem(file))
        if sibling is not None:
            yield _beside(file, sibling)


def read_csv_files(files: list[Path], advance: Advance) -> Iterator[tuple[Path, Iterator[RawRecord | BadRecord]]]:
    """The unchecked records, file by file. `advance` is told the bytes read.

    A row with too many or too few cells is a `BadRecord`. Raises `FeedError` (`unreadable`, `not-csv`, `broken-off`)
    for a file that is no CSV or ends too early, and for such a row among lines and allocations: it could be anyone's.
    """
    for stem, kind in _KINDS.items():
        for file in files:
            if _stem(file) != stem:
                continue
            inside = _INSIDE.get(stem)
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
            yield RawRecord(row.where, {**row.fields, "object": kind})
        else:
            seen = readable_of({**row.fields, "object": kind})
            yield BadRecord(str(file), row.where, kind, _id_in(row), "", row.problem, seen)


def _read_with_parts(file: Path, kind: str, parts: "_Parts", advance: Advance) -> Iterator[RawRecord | BadRecord]:
    for found in _read_kind(file, kind, advance):
        if isinstance(found, RawRecord) and isinstance(found.data, dict):
            found.data[parts.inside.field] = parts.of(found.data.get("id"))
        elif isinstance(found, BadRecord):
            parts.of(found.id)
        yield found


class _Parts:
    """The lines or allocations of one file, by the record that they belong to."""

    def __init__(self, file: Path, inside: _Inside) -> None:
        self.file = file
        self.inside = inside
        self._rows: dict[str, list[_Row]] = {}
        self._ownerless: list[_Row] = []
        self._claimed: set[str] = set()

    @classmethod
    def read(cls, file: Path, inside: _Inside, advance: Advance) -> "_Parts":
        parts = cls(file, inside)
        for row in _rows(file, advance, needs=inside.owner):
            if row.problem is not None:
                raise FeedError("not-csv", f"{plain(file)}, {row.where}: {row.problem}", _FIX)
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

    def orphans(self, kind: str, file: Path) -> Iterator[BadRecord]:
        """What belongs to no record of `file`. To be read after that file."""
        for row in self._ownerless:
            wrong = "is missing" if row.fields.get(self.inside.owner) is None else "is there twice, with two values"
            yield BadRecord(str(self.file), row.where, None, _id_in(row), self.inside.owner, wrong)
        for owner, rows in self._rows.items():
            for row in rows if owner not in self._claimed else []:
                reason = f"{plain(file.name)} has no {kind.replace('_', ' ')} {said(owner, MOST)}"
                yield BadRecord(str(self.file), row.where, None, _id_in(row), self.inside.owner, reason)


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    fields: dict[str, Any]
    problem: str | None


def _id_in(row: _Row) -> str | None:
    found = row.fields.get("id")
    return found if isinstance(found, str) else None


def _rows(file: Path, advance: Advance, needs: str = "id") -> Iterator[_Row]:
    """The rows below the header, with their fields. The last row must be whole: a cut amount still looks like one."""
    try:
        with lines_of(file) as found:
            lines = _Lines(file, found, advance)
            reader = csv.reader(lines, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if needs not in header:
                raise FeedError("not-csv", f"{plain(file)} has no column {said(needs, MOST)} in its first line", _FIX)
            row: _Row | None = None
            start = reader.line_num + 1
            for cells in reader:
                if row is not None:
                    yield row
                row = _row(f"line {start}", header, cells) if any(cells) else None
                start = reader.line_num + 1
            if not lines.ended or (row is not None and row.problem is not None):
                raise _broken_off(file, reader.line_num, row, lines.ended)
            if row is not None:
                yield row
    except csv.Error as error:
        code = "broken-off" if "unexpected end" in str(error) else "not-csv"
        raise FeedError(code, f"{plain(file)}, line {reader.line_num}: {plain(error, MOST_WORDS)}", _FIX) from None


def _broken_off(file: Path, line: int, row: _Row | None, ended: bool) -> FeedError:
    why = row.problem if ended and row is not None else "it does not end with a line break, so its end may be missing"
    fix = _FIX if ended else "Export it from Caspen again; if nothing is missing, put an empty line at its end"
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
            raise FeedError("not-csv", f"{plain(self._file)}, line {number}: not UTF-8 text", _FIX) from None


def _row(where: str, header: list[str], cells: list[str]) -> _Row:
    fields: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        _put(fields, name, cell)
    wrong = len(cells) != len(header)
    return _Row(where, fields, f"has {len(cells)} cells, but there are {len(header)} columns" if wrong else None)


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
