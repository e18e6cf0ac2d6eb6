"""CSV files with any headings, read as a columns file says: rows become records, or are refused with the cell.

One record may stand on many rows, with its lines or allocations as rows; so may one client, on each row of an invoice. Where two
rows say different things of the same record it is refused: nobody knows which is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from caspen_xero.outside_text import MOST, plain, said

from .columns_file import Columns, FileColumns
from .csv_text import DAMAGED, Advance, SheetRow, rows_of, separator_in, text_of, without_hint
from .csv_values import CellError, currency_sign, read_cell
from .feed import BadRecord, FeedError, RawRecord
from .feed_fields import INSIDE, KINDS, OUTSIDE, cells_of
from .gathered import Gathered, put_together
from .readable import readable_of
from .values import read_decimal

Mapped = Iterator[tuple[Path, Iterator[RawRecord | BadRecord]]]


def read_mapped_files(described: Sequence[tuple[Columns, Sequence[Path]]], advance: Advance) -> Mapped:
    """The unchecked records, file by file, each file read by its own columns file. What they say of one record is put together,
    whichever columns files they are of. Raises `FeedError` for a file that is not as its columns file says.
    """
    sheets = [(file, one) for columns, files in described for file in files for one in columns.of(file)]
    parts: dict[str, dict[str, Gathered]] = {stem: {} for stem in OUTSIDE}
    told: set[Path] = set()
    claimed: set[tuple[str, str]] = set()

    def once(file: Path) -> Advance:
        if file in told:
            return lambda read: None
        told.add(file)
        return advance

    for file, one in sheets:
        if one.stem in OUTSIDE:
            put_together(parts[one.stem], _Sheet(file, one, once(file)).gathered(), INSIDE[OUTSIDE[one.stem]].field)
    wholes = {one.stem for _, one in sheets}
    for stem, whole in OUTSIDE.items():
        if parts[stem] and whole not in wholes:
            named = next(file for file, one in sheets if one.stem == stem)
            raise FeedError("file-not-found", f"{plain(named)} can't be read without {whole}", f"Describe {whole} too")
    for stem in KINDS:
        of_kind = [_Sheet(file, one, once(file)) for file, one in sheets if one.stem == stem]
        found_in: dict[Path, list[Gathered]] = {}
        for found in _gathered(stem, of_kind, parts, claimed).values():
            found_in.setdefault(found.file, []).append(found)
        for file, records in found_in.items():
            yield file, (_record(stem, found) for found in records)
    for stem, left in parts.items():
        for found in left.values():
            if (stem, found.id) not in claimed:
                yield found.file, iter([_orphan(found, stem)])


def _orphan(found: Gathered, stem: str) -> BadRecord:
    kind = KINDS[OUTSIDE[stem]].replace("_", " ")
    reason = f"no file has {'an' if kind[0] in 'aeiou' else 'a'} {kind} {said(found.id, MOST)}"
    return BadRecord(str(found.file), found.where, None, found.id, INSIDE[OUTSIDE[stem]].owner, reason, owner=found.id)


def _gathered(
    stem: str,
    sheets: Sequence[_Sheet],
    parts: Mapping[str, dict[str, Gathered]],
    claimed: set[tuple[str, str]],
) -> dict[str, Gathered]:
    """The records of one kind, whichever of its files they stand in."""
    inside = INSIDE.get(stem)
    known: dict[str, Gathered] = {}
    for sheet in sheets:
        if inside is not None and not sheet.has_parts and not parts[inside.stem]:
            words = f"{plain(sheet.file)} says nothing of {inside.field}, and no file of {inside.stem} was given"
            raise FeedError("bad-columns", words, f"Give the columns of {inside.field}.…, or describe {inside.stem}")
        put_together(known, sheet.gathered(), inside.field if inside else None)
    for found in known.values() if inside is not None else ():
        assert inside is not None
        claimed.add((inside.stem, found.id))
        others = parts[inside.stem].get(found.id)
        if others is not None and found.parts:
            found.refuse(found.where, inside.field, "stand in its rows and in a file of their own")
        elif others is not None:
            found.parts = others.parts
            found.places |= others.places
            found.wrong = found.wrong or others.wrong
    return known


def _record(stem: str, found: Gathered) -> RawRecord | BadRecord:
    kind = KINDS[stem]
    data = {**_nested(found.fields), "object": kind, "id": found.id}
    if stem in INSIDE:
        inside = INSIDE[stem].field
        data[inside] = [_part(part, number, inside) for number, part in enumerate(found.parts, 1)]
    _reckon(data)
    if found.wrong is not None:
        where, path, reason = found.wrong
        return BadRecord(str(found.file), where, kind, found.id, path, reason, readable_of(data))
    return RawRecord(found.where, data, found.places)


def _part(part: Mapping[str, object], number: int, inside: str) -> dict[str, Any]:
    data = _nested(part)
    if data.get("id") is None:
        data["id"] = data.get("invoice_id") if inside == "allocations" else str(number)
    return data


def _nested(flat: Mapping[str, object]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for path, value in flat.items():
        outer, dot, inner = path.partition(".")
        if not dot:
            data[path] = value
        elif value is not None:
            data.setdefault(outer, {})[inner] = value
    if isinstance(discount := data.get("discount"), dict):
        data["discount"] = _discount(discount)
    return data


def _discount(given: dict[str, Any]) -> dict[str, Any] | None:
    """A discount: a percent sign says which it is, where no column does; of nothing it is none."""
    value = given.get("value")
    if value is None:
        return None
    if isinstance(value, str) and value.endswith("%"):
        if given.get("type") not in (None, "percentage"):
            return given  # which the record refuses
        return {"type": "percentage", "value": value[:-1]}
    if given.get("type") is None:
        return None if _is_nothing(value) else {"type": "fixed", "value": value}
    return given


def _is_nothing(value: object) -> bool:
    try:
        return not Decimal(str(value))
    except InvalidOperation:
        return False


def _reckon(data: dict[str, Any]) -> None:
    """One of subtotal, tax and total, where no column has it and the other two are there."""
    missing = [name for name in ("subtotal", "tax", "total") if name not in data]
    if len(missing) != 1 or "lines" not in data:
        return
    try:
        sums = {name: read_decimal(data[name]) for name in ("subtotal", "tax", "total") if data.get(name) is not None}
    except PydanticCustomError:
        return
    if len(sums) == 2:
        whole = sums.get("total")
        rest = sums["subtotal"] + sums["tax"] if whole is None else whole - sums.get("tax", sums.get("subtotal", whole))
        data[missing[0]] = format(rest, "f")


class _Sheet:
    """One file as one kind of records: the columns that are read, with their places."""

    def __init__(self, file: Path, one: FileColumns, advance: Advance) -> None:
        self.file = file
        self._one = one
        self._fields = cells_of(one.stem)
        text, named = without_hint(text_of(file, one.encoding, advance))
        separator = one.separator or named or self._separator(text)
        self._rows = rows_of(file, text, separator)
        self._headings = self._header()
        self._at = self._columns()
        inside = INSIDE.get(one.stem)
        self._before = f"{inside.field}." if inside else None
        self._owner = INSIDE[OUTSIDE[one.stem]].owner if one.stem in OUTSIDE else None
        self._key = self._owner or ("id" if "id" in self._at else "number")
        self._signs: dict[str, tuple[str, str]] = {}
        self._needed = {heading: self._place(heading) for heading in (*one.only_where_filled, *one.leave_out)}

    @property
    def has_parts(self) -> bool:
        """Whether its rows are lines or allocations."""
        return self._before is not None and any(path.startswith(self._before) for path in self._at)

    # --- the header

    def _separator(self, text: str) -> str:
        row = self._one.header_row
        wanted = {_key(heading) for heading in (self._one.columns or {}).values()} or {
            "id" if self._one.stem in KINDS else INSIDE[OUTSIDE[self._one.stem]].owner
        }
        found = separator_in(
            text, row, lambda cells: wanted <= {key for cell in cells for key in (_key(cell), _bare(cell))}
        )
        return found or separator_in(text, row, lambda cells: len(cells) > 1) or ","

    def _header(self) -> list[str]:
        number = self._one.header_row
        row = next((row for row in self._rows if row.number >= number), None)
        if row is None or row.number != number:
            words = f"{plain(self.file)} has no headings in row {number}"
            raise FeedError("not-csv", words, "Say header_row in the columns file: the row that has the headings")
        return numbered_headings(row.cells)

    def _columns(self) -> dict[str, int]:
        if self._one.columns is not None:
            return {path: self._place(heading) for path, heading in self._one.columns.items()}
        found = {path: index for index, path in enumerate(self._headings) if path in self._fields and path}
        missing = [path for path, one in self._fields.items() if one.needed == "yes" and path not in found]
        if needed := [path for path in missing if "." not in path and path not in self._one.constants]:
            raise FeedError(
                "not-csv", f"{plain(self.file)} has no column {said(needed[0], MOST)} in its first row", self._how()
            )
        return found

    def _place(self, heading: str) -> int:
        keys = [_key(each) for each in self._headings]
        wanted = _key(heading)
        if wanted in keys:
            return keys.index(wanted)
        alike = [plain(each, 60) for each in self._headings if _bare(each) == wanted]
        if len(alike) > 1:
            words = f"{plain(self.file)} has {len(alike)} columns {said(heading, MOST)}"
            raise FeedError("bad-columns", words, f"Say which in the columns file: {' or '.join(alike)}")
        shown = ", ".join(said(each, 60) for each in self._headings if each)
        words = f"{plain(self.file)} has no column {said(heading, MOST)}; it has {shown or 'none'}"
        raise FeedError("bad-columns", words, self._how())

    def _how(self) -> str:
        return "Correct the columns file, or make it anew: caspen-xero schema feed --columns FILE.csv"

    # --- the rows

    def gathered(self) -> dict[str, Gathered]:
        """What the rows say, by the record that they belong to."""
        found: dict[str, Gathered] = {}
        above: str | None = None
        left_out: SheetRow | None = None  # the row above, where it is none and has an id of its own
        gone: dict[str, tuple[SheetRow, SheetRow]] = {}
        for row in self._rows:
            is_wanted = self._is_wanted(row)
            if self._one.blank_id_as_above and (own := self._own_id(row)) is not None:
                above, left_out = own, None if is_wanted else row
            elif is_wanted and left_out is not None and above is not None:
                gone.setdefault(above, (left_out, row))
                continue
            if not is_wanted:
                continue
            self._refuse_too_many(row)
            above = self._id_of(row, above)
            one = found.get(above)
            is_first = one is None
            if one is None:
                one = found[above] = Gathered(above, self.file, f"row {row.number}")
            self._read(row, one, is_first)
        for id_, (first, row) in gone.items():
            if id_ in found:
                words = f"is empty and goes on with row {first.number}, which is left out, but {said(id_, MOST)} is not"
                found[id_].refuse(self._where(row, self._key), self._key, words)
        return found

    def _own_id(self, row: SheetRow) -> str | None:
        """What stands in a row's own cell for the id, readable or not; a row that is left out may have it too."""
        try:
            value = self._value(row, self._key)
        except CellError:
            return _cell(row, self._at.get(self._key, -1))
        return value if isinstance(value, str) else None

    def _is_wanted(self, row: SheetRow) -> bool:
        if any(not _cell(row, self._needed[heading]).strip() for heading in self._one.only_where_filled):
            return False
        return not any(
            _cell(row, self._needed[heading]).strip().casefold() in words
            for heading, words in self._one.leave_out.items()
        )

    def _refuse_too_many(self, row: SheetRow) -> None:
        if any(cell.strip() for cell in row.cells[len(self._headings) :]):
            words = f"has {len(row.cells)} cells, but there are {len(self._headings)} columns"
            raise FeedError(
                "not-csv",
                f"{plain(self.file)}, row {row.number} {words}; nothing was imported",
                "A separator in a cell needs quotes around the cell: export it again, or say the separator",
            )

    def _id_of(self, row: SheetRow, above: str | None) -> str:
        """Whose row it is. One that is anyone's refuses the whole file: the record that it belongs to would lack it."""
        where = self._where(row, self._key)
        try:
            value = self._value(row, self._key)
        except CellError as error:
            raise FeedError("cell-damaged", f"{plain(self.file)}, {where}: {error}", DAMAGED) from None
        if isinstance(value, str):
            return value
        if self._one.blank_id_as_above and above is not None:
            return above
        fix = "Say only_where_filled or leave_out, where such rows are none; blank_id_as_above, where they go on above"
        raise FeedError("cell-damaged", f"{plain(self.file)}, {where} is empty; nothing was imported", fix)

    def _read(self, row: SheetRow, one: Gathered, is_first: bool) -> None:
        if not is_first and not self.has_parts and self._owner is None and self._one.stem in INSIDE:
            one.refuse(self._where(row, self._key), self._key, f"{said(one.id, MOST)} was there before, in {one.where}")
        part: dict[str, object] = {}
        for path in {**self._at, **dict.fromkeys(self._one.constants, -1)}:
            inner = self._of_a_part(path)
            name = inner or path
            place = self._where(row, path)
            try:
                value = self._value(row, path)
            except CellError as error:
                value = _cell(row, self._at.get(path, -1))
                one.refuse(place, self._full(path, len(one.parts)), str(error))
            if inner is not None:
                part[name] = value
                one.places[self._full(path, len(one.parts))] = place
            elif path != self._owner:
                one.agree(path, value, place, self._or_of_a_line(path))
        if self.has_parts or self._owner is not None:
            for path in self._one.constants:
                inner = self._of_a_part(path)
                if inner is not None and "." in inner and not self._filled(part, inner, path):
                    part[inner] = None  # of an object with nothing else in it
            one.parts.append(part)

    def _filled(self, part: Mapping[str, object], inner: str, path: str) -> bool:
        outer = f"{inner.partition('.')[0]}."
        return any(value is not None for name, value in part.items() if name.startswith(outer) and name != inner)

    def _value(self, row: SheetRow, path: str) -> object:
        if path in self._one.constants and path not in self._at:
            return self._one.constants[path]
        cell = _cell(row, self._at[path])
        if self._fields[path].type == "amount" and len(self._one.writing.currency_signs) > 1:
            self._refuse_other_sign(row, path, currency_sign(cell, self._one.writing))
        return read_cell(cell, path, self._fields[path], self._one.writing)

    def _refuse_other_sign(self, row: SheetRow, path: str, sign: str | None) -> None:
        """One column is of one currency: else the file is refused, for the first row may be the odd one."""
        if sign is None:
            return
        where = self._where(row, path)
        known, before = self._signs.setdefault(path, (sign, where))
        if known != sign:
            words = f"{where} has {said(sign, 60)}, but {before} has {said(known, 60)}"
            fix = "Export each currency to a file of its own, with its own currency below [file.constants]"
            raise FeedError("bad-columns", f"{plain(self.file)}, {words}; nothing was imported", fix)

    def _or_of_a_line(self, path: str) -> str:
        """That a column may be of each line, where a line has such a field too: then the columns file is wrong, not Caspen."""
        of_a_line = f"{self._before}{path}"
        if self._before is None or of_a_line not in self._fields or path not in self._at:
            return ""
        return f"; if that column is of each line, the columns file has to name it {of_a_line}"

    def _of_a_part(self, path: str) -> str | None:
        """The name of a field within its line or allocation; None for one of the record's own."""
        if self._owner is not None:
            return None if path == self._owner else path
        return path.removeprefix(self._before) if self._before and path.startswith(self._before) else None

    def _full(self, path: str, number: int) -> str:
        inner = self._of_a_part(path)
        if inner is None:
            return path
        outer = INSIDE[OUTSIDE[self._one.stem]].field if self._owner is not None else (self._before or "").rstrip(".")
        return f"{outer}[{number}].{inner}"

    def _where(self, row: SheetRow, path: str) -> str:
        if path not in self._at:
            return f"row {row.number}"
        where = f"row {row.number}, column {said(self._headings[self._at[path]], 60)}"
        return where if self._owner is None else f"{plain(self.file.name, 60)}, {where}"


def numbered_headings(cells: Sequence[str]) -> list[str]:
    """Headings as a columns file names them: those that are there more than once with `#1`, `#2`; empty ones at the end gone."""
    found = [" ".join(cell.split()) for cell in cells]
    while found and not found[-1]:
        found.pop()
    keys = [_key(each) for each in found]
    return [
        each if not each or keys.count(keys[n]) == 1 else f"{each}#{keys[: n + 1].count(keys[n])}"
        for n, each in enumerate(found)
    ]


def _key(heading: str) -> str:
    """A heading as it is compared. A `?` at its beginning would be a guess's mark in a columns file."""
    return " ".join(heading.casefold().split()).lstrip("?")


def _bare(heading: str) -> str:
    name, mark, number = _key(heading).rpartition("#")
    return name if mark and number.isdigit() else _key(heading)


def _cell(row: SheetRow, index: int) -> str:
    return row.cells[index] if 0 <= index < len(row.cells) else ""
