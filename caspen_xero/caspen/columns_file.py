"""`columns.toml`: which columns of a CSV file are which fields of the feed, and how the file writes dates and numbers.

A folder's own `columns.toml` holds for the CSV files in it. A text that begins with `?` is a guess which nobody has confirmed yet.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from caspen_xero.outside_text import MOST, MOST_WORDS, plain, said

from .csv_text import ENCODINGS, SEPARATORS
from .csv_values import CREDIT_OR_DEBIT, ISO_DAY, THOUSANDS, CellError, Writing, pattern_of
from .feed import FeedError, unreadable
from .feed_fields import INSIDE, KINDS, OUTSIDE, FeedField, cells_of

COLUMNS_FILE = "columns.toml"
_LARGEST = 1024 * 1024
_BOMS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DIALECT = (
    "encoding",
    "separator",
    "header_row",
    "dates",
    "times",
    "time_zone",
    "decimal",
    "thousands",
    "currency_signs",
)
_OF_A_FILE = (
    "name",
    "kind",
    "columns",
    "constants",
    "values",
    "formats",
    "digits",
    "fractions",
    "reverse_signs",
    "only_where_filled",
    "leave_out",
    "blank_id_as_above",
)


@dataclass(frozen=True)
class FileColumns:
    """What one kind of file holds, and where. `columns`: headings by field, None where the headings are the fields' own names."""

    name: str
    stem: str
    encoding: str = "utf-8"
    separator: str | None = None
    header_row: int = 1
    writing: Writing = field(default_factory=Writing)
    columns: Mapping[str, str] | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    only_where_filled: tuple[str, ...] = ()
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    blank_id_as_above: bool = False

    def is_of(self, file: Path) -> bool:
        """Whether a file's name is the one described; `*` stands for anything, and capitals don't matter."""
        return fnmatchcase(file.name.casefold(), self.name.casefold())


@dataclass(frozen=True)
class Columns:
    """A whole columns file. `ignore`: names of CSV files that are to be passed over."""

    path: Path
    files: tuple[FileColumns, ...]
    usual: FileColumns
    ignore: tuple[str, ...]

    def of(self, file: Path) -> list[FileColumns]:
        """What a file holds: as described, or by the feed's own name for it."""
        found = [one for one in self.files if one.is_of(file)]
        stem = file.stem.lower()
        if not found and (stem in KINDS or stem in OUTSIDE):
            return [replace(self.usual, name=file.name, stem=stem)]
        return found

    def ignores(self, file: Path) -> bool:
        """Whether a file is to be passed over."""
        return any(fnmatchcase(file.name.casefold(), name.casefold()) for name in self.ignore)


def columns_beside(file: Path) -> Path | None:
    """The columns file of a folder, or of the folder that a file is in, where there is one."""
    folder = file if file.is_dir() else file.parent
    found = folder / COLUMNS_FILE
    return found if found.exists() else None


def read_columns(path: Path) -> Columns:
    """The columns file. Raises `FeedError`: `unreadable`, `bad-columns`, `columns-unconfirmed`."""
    try:
        if not path.is_file():
            raise FeedError("file-not-found", f"{plain(path)} does not exist", "Check the path of the columns file")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > _LARGEST:
        raise _Wrong(path).error("it is too large to be a columns file")
    try:
        text = content.decode(
            "utf-16" if content[:2] in _BOMS_OF_UTF_16 else "utf-8-sig"
        )  # PowerShell's > writes UTF-16
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise _Wrong(path).error(f"it is no TOML: {plain(error, MOST_WORDS)}") from None
    _refuse_guesses(path, text, data)
    return _Wrong(path).columns(data)


def _refuse_guesses(path: Path, text: str, data: Mapping[str, Any]) -> None:
    guesses = [" ".join(keys) for keys, value in _texts(data, ()) if value.startswith("?")]
    if not guesses:
        return
    line = next((n for n, one in enumerate(text.splitlines(), 1) if re.search(r"""=.*["']\?""", one)), 1)
    count = "1 guess is" if len(guesses) == 1 else f"{len(guesses)} guesses are"
    named = ", ".join(plain(one, 60) for one in guesses[:5]) + (" ..." if len(guesses) > 5 else "")
    raise FeedError(
        "columns-unconfirmed",
        f"{plain(path)}: {count} not confirmed, from line {line} on: {named}; nothing was imported",
        'Read each, correct it where it is wrong, and take its "?" away',
    )


def _texts(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield keys, value
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from _texts(inner, (*keys, key))
    for inner in value if isinstance(value, list) else ():
        yield from _texts(inner, keys)


@dataclass(frozen=True)
class _Wrong:
    """Reads a decoded columns file; whatever is wrong in it is said with its place."""

    path: Path

    def error(self, words: str, fix: str = "") -> FeedError:
        return FeedError(
            "bad-columns",
            f"{plain(self.path)}: {words}",
            fix or "What it may hold, made anew from your file: caspen-xero schema feed --columns FILE.csv",
        )

    def columns(self, data: Mapping[str, Any]) -> Columns:
        self.known(data, ("file", "ignore", *_DIALECT), "at its beginning")
        usual = self.dialect(data, FileColumns("", ""), "at its beginning")
        files = data.get("file", [])
        if not isinstance(files, list) or not all(isinstance(one, dict) for one in files):
            raise self.error("each described file begins with [[file]]")
        ignore = self.texts(data, "ignore", "at its beginning")
        return Columns(self.path, tuple(self.file(one, n, usual) for n, one in enumerate(files, 1)), usual, ignore)

    def file(self, data: Mapping[str, Any], number: int, usual: FileColumns) -> FileColumns:
        name, kind = data.get("name"), data.get("kind")
        where = f"in [[file]] {number}" + (f" ({plain(name)})" if isinstance(name, str) else "")
        self.known(data, (*_OF_A_FILE, *_DIALECT), where)
        if not isinstance(name, str) or not name.strip() or "/" in name:
            raise self.error(f"{where}, name is not the name of a file, such as Invoices*.csv")
        stems = [*KINDS, *OUTSIDE]
        if kind not in stems:
            raise self.error(f"{where}, kind is not one of {', '.join(stems)}")
        assert isinstance(kind, str)
        fields = cells_of(kind)
        one = self.dialect(data, usual, where)
        columns = self.by_field(data, "columns", fields, where) if "columns" in data else None
        for path, heading in (columns or {}).items():
            if not isinstance(heading, str) or not heading.strip():
                raise self.error(f"{where}, columns: {path} names no heading; leave it out where there is none")
        constants = {
            path: self.constant(fields[path], value, where)
            for path, value in self.by_field(data, "constants", fields, where).items()
        }
        values = self.by_field(data, "values", fields, where)
        digits = self.by_field(data, "digits", fields, where)
        if not all(isinstance(many, int) and 0 < many <= 30 for many in digits.values()):
            raise self.error(f"{where}, digits: each is a number from 1 to 30")
        formats = self.by_field(data, "formats", fields, where)
        for form in formats.values():
            self.form(form, where)
        times = [path for path in formats if fields[path].type == "time"]
        if times and one.writing.zone is None:
            raise self.error(f'{where}: {times[0]} has a form, so time_zone is needed, such as "Australia/Sydney"')
        writing = replace(
            one.writing,
            formats=formats,
            digits=digits,
            words={path: self.words(path, words, fields[path], where) for path, words in values.items()},
            fractions=frozenset(self.fields(data, "fractions", fields, where)),
            reversed=frozenset(self.fields(data, "reverse_signs", fields, where)),
        )
        found = replace(
            one,
            name=name.strip(),
            stem=kind,
            writing=writing,
            columns=columns,
            constants=constants,
            only_where_filled=self.texts(data, "only_where_filled", where),
            leave_out=self.left_out(data, where),
            blank_id_as_above=self.yes_or_no(data, "blank_id_as_above", where),
        )
        self.complete(found, fields, where)
        return found

    def complete(self, one: FileColumns, fields: Mapping[str, FeedField], where: str) -> None:
        """Raises for a field that every record needs, and that this file would never have."""
        if one.columns is None:
            return
        given = {*one.columns, *one.constants}
        if twice := sorted(set(one.columns) & set(one.constants)):
            raise self.error(f"{where}: {twice[0]} has a column and a constant")
        inside = INSIDE.get(one.stem)
        in_rows = inside is not None and any(path.startswith(f"{inside.field}.") for path in one.columns)
        for path, each in fields.items():
            first, _, rest = path.partition(".")
            of_parts = inside is not None and first == inside.field
            own = path == "id" and ("number" in given or one.stem in OUTSIDE)  # made, where there is none
            if each.needed == "no" or own or (of_parts and (not in_rows or rest == "id")):
                continue
            if "discount." in path or path in given:
                continue
            sums = {"subtotal", "tax", "total"}
            if path in sums and sums - given == {path}:
                continue  # reckoned from the other two
            raise self.error(
                f"{where}: nothing is said of {path}, which a record needs",
                f"Give its column below [file.columns], or what it always is below [file.constants]: {path}",
            )

    def dialect(self, data: Mapping[str, Any], usual: FileColumns, where: str) -> FileColumns:
        encoding = self.one_of(data, "encoding", {name: name for name in ENCODINGS}, usual.encoding, where)
        separator = self.one_of(data, "separator", SEPARATORS | {"\t": "\t"}, usual.separator, where)
        header = data.get("header_row", usual.header_row)
        if not isinstance(header, int) or isinstance(header, bool) or not 1 <= header <= 1000:
            raise self.error(f"{where}, header_row is not the number of a row")
        old = usual.writing
        dates, times = data.get("dates", old.dates), data.get("times", old.times)
        for form in (dates, times):
            if form is not None:
                self.form(form, where)
        zone = self.zone(data["time_zone"], where) if "time_zone" in data else old.zone
        if times is not None and zone is None:
            raise self.error(f'{where}: times needs time_zone, such as "Australia/Sydney"')
        decimal = self.one_of(data, "decimal", {".": ".", ",": ","}, old.decimal, where)
        thousands = self.one_of(data, "thousands", {one: one for one in THOUSANDS}, old.thousands, where)
        if thousands and thousands == decimal:
            raise self.error(f"{where}: decimal and thousands are the same")
        signs = self.texts(data, "currency_signs", where) if "currency_signs" in data else old.currency_signs
        if any(re.search(r"[0-9.,\-()%]|^$", sign) for sign in signs):
            raise self.error(f"{where}, currency_signs: a sign holds no digits or marks of a number")
        if turned := [sign for sign in signs if {*re.findall(r"[^\W\d_]+", sign.casefold())} & {*CREDIT_OR_DEBIT}]:
            raise self.error(
                f"{where}, currency_signs: {said(turned[0], MOST)} says whether an amount is credit or debit",
                "Export the amounts with a minus sign instead",
            )
        writing = replace(
            old,
            dates=dates,
            times=times,
            zone=zone,
            decimal=decimal or ".",
            is_stated="decimal" in data or old.is_stated,
            thousands=thousands or "",
            currency_signs=tuple(sorted(signs, key=len, reverse=True)),
        )
        return replace(usual, encoding=encoding or "utf-8", separator=separator, header_row=header, writing=writing)

    # --- one value

    def known(self, data: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
        for name in data:
            if name not in names:
                raise self.error(f"{where}: {said(name, MOST)} is none of {', '.join(names)}")

    def one_of(
        self, data: Mapping[str, Any], name: str, known: Mapping[str, str], usual: str | None, where: str
    ) -> str | None:
        if name not in data:
            return usual
        found = known.get(data[name]) if isinstance(data[name], str) else None
        if found is None:
            raise self.error(f"{where}, {name} is not one of {', '.join(repr(one) for one in known)}")
        return found

    def yes_or_no(self, data: Mapping[str, Any], name: str, where: str) -> bool:
        found = data.get(name, False)
        if not isinstance(found, bool):
            raise self.error(f"{where}, {name} is neither true nor false")
        return found

    def texts(self, data: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
        found = data.get(name, [])
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self.error(f"{where}, {name} is not a list of texts")
        return tuple(found)

    def fields(
        self, data: Mapping[str, Any], name: str, fields: Mapping[str, FeedField], where: str
    ) -> tuple[str, ...]:
        for path in self.texts(data, name, where):
            self.field(path, fields, f"{where}, {name}")
        return self.texts(data, name, where)

    def field(self, path: str, fields: Mapping[str, FeedField], where: str) -> None:
        if path not in fields:
            raise self.error(f"{where}: {said(path, MOST)} is none of {', '.join(fields)}")

    def by_field(
        self, data: Mapping[str, Any], name: str, fields: Mapping[str, FeedField], where: str
    ) -> dict[str, Any]:
        """A table by field; `lines.quantity = ...` and `"lines.quantity" = ...` are the same."""
        found: dict[str, Any] = {}

        def take(table: object, before: str) -> None:
            if not isinstance(table, dict):
                raise self.error(f"{where}, {name}: {said(before.rstrip('.'), MOST)} holds others")
            for key, value in table.items():
                path = before + key
                if path not in fields and isinstance(value, dict) and any(f.startswith(f"{path}.") for f in fields):
                    take(value, f"{path}.")
                else:
                    self.field(path, fields, f"{where}, {name}")
                    found[path] = value

        take(data.get(name, {}), "")
        return found

    def words(self, path: str, words: object, one: FeedField, where: str) -> dict[str, str]:
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            raise self.error(f'{where}, values: {path} is a table such as {{ "Sent" = "open" }}')
        for word in words.values():
            if one.words and word not in one.words:
                raise self.error(f"{where}, values: {path}: {said(word, MOST)} is none of {', '.join(one.words)}")
        return {key.strip().casefold(): word for key, word in words.items()}

    def constant(self, one: FeedField, value: object, where: str) -> str:
        if value == "":
            raise self.error(f"{where}, constants: {one.path} is empty; say what it is, or take the line out")
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.error(f"{where}, constants: {one.path} is not a text")
        if one.words and value not in one.words:
            words = f"{said(value, MOST)} is none of {', '.join(one.words)}"
            raise self.error(f"{where}, constants: {one.path}: {words}")
        return str(value)

    def left_out(self, data: Mapping[str, Any], where: str) -> dict[str, frozenset[str]]:
        found = data.get("leave_out", {})
        if not isinstance(found, dict):
            raise self.error(f'{where}, leave_out is a table such as {{ "Type" = ["Quote"] }}')
        return {
            heading: frozenset(word.strip().casefold() for word in self.texts(found, heading, f"{where}, leave_out"))
            for heading in found
        }

    def form(self, form: object, where: str) -> None:
        try:
            if not isinstance(form, str):
                raise CellError(f"{said(form, MOST)} is no form of a date, such as {ISO_DAY}")
            pattern_of(form)
        except CellError as error:
            raise self.error(f"{where}: {error}") from None

    def zone(self, name: object, where: str) -> ZoneInfo:
        try:
            return ZoneInfo(name if isinstance(name, str) else "")
        except (ValueError, OSError, LookupError):
            raise self.error(
                f'{where}: this machine knows no time zone {said(name, MOST)}, such as "Australia/Sydney"'
            ) from None
