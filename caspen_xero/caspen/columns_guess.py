"""A columns file to begin with, made from a CSV file's own headings and cells. Every guess in it is marked with a `?`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from caspen_xero.outside_text import UNSEEN, plain

from .columns_file import COLUMNS_FILE
from .csv_text import ENCODINGS, SEPARATORS, text_of, without_hint
from .csv_values import CREDIT_OR_DEBIT, CellError, Writing, damage_of_id, read_cell
from .feed import FeedError
from .feed_fields import INSIDE, OUTSIDE, FeedField, cells_of
from .heading_words import HEADINGS, bare, word_for
from .mapped_csv import numbered_headings

_LOOKED_AT = 2_000
"""Rows."""
_MOST_WORDS = 30
_DATES = (
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "MM-DD-YYYY",
    "YYYY/MM/DD",
    "D MMM YYYY",
    "DD-MMM-YYYY",
    "DD-MMM-YY",
    "MMM D, YYYY",
    "DD/MM/YY",
    "MM/DD/YY",
    "DD.MM.YY",
)
_TIMES = ("", " HH:mm", " HH:mm:ss", " H:mm A", " H:mm:ss A", "THH:mm:ss")
_NUMBERS = ((".", ""), (".", ","), (",", "."), (",", ""), (",", " "), (".", " "), (".", "'"))
_SIGN = re.compile(r"[^\W\d_]{1,3}\$?|\$|[\u20ac\u00a3\u00a5]")
_TWO_READINGS = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")
_FILE_NAMES = {
    "credit": "credit_notes",
    "payment": "payments",
    "receipt": "payments",
    "invoice": "invoices",
    "client": "clients",
    "patient": "clients",
    "customer": "clients",
    "tax": "tax_rates",
}
_KINDS_OF_FILES = "invoices, payments, ...: caspen-xero help feed names each kind"
_ALWAYS = {"lines.quantity": "1", "quantity": "1"}


@dataclass(frozen=True)
class _Looked:
    """What was seen of a file."""

    file: Path
    encoding: str | None
    separator: str
    header_row: int
    headings: list[str]
    rows: list[list[str]]

    def cells(self, heading: str) -> list[str]:
        """The cells below a heading that hold something."""
        at = self.headings.index(heading)
        return [row[at].strip() for row in self.rows if at < len(row) and row[at].strip()]


def guess_columns(file: Path) -> str:
    """The text of a columns file for a CSV file. Raises `FeedError` where it can't be read as one."""
    looked = _look(file)
    stem = _kind(looked)
    lines = [
        f"# {COLUMNS_FILE}: what the columns of {plain(file.name)} are. In the folder of the CSV files it is read by itself;",
        "# elsewhere: caspen-xero import --columns FILE PATH. Every text that begins with ? is a guess: nothing is imported",
        "# until you have read it, corrected it where it is wrong, and taken the ? away. Every field: caspen-xero schema feed",
        "",
        *_table(looked, stem, used := _columns(looked, stem)),
    ]
    headings = set(used.values())
    for other, columns in _others(looked, stem):
        lines += ["", *_table(looked, other, columns, only_where_filled=True)]
        headings |= set(columns.values())
    unused = [plain(heading, 80) for heading in looked.headings if heading and heading not in headings]
    lines += ["", f"# Not used: {', '.join(unused)}"] if unused else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


# --- looking


def _look(file: Path) -> _Looked:
    encoding = None
    try:
        text = text_of(file, "utf-8")
    except FeedError as error:
        if error.code != "not-csv":
            raise
        encoding = ENCODINGS[2]
        text = text_of(file, encoding)
    text, named = without_hint(text)
    best: tuple[int, str, list[list[str]]] = (0, ",", [])
    for separator in [named] if named else SEPARATORS.values():
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            rows = list(islice(reader, _LOOKED_AT))
        except csv.Error:
            continue
        if (widest := max(map(_filled, rows[:20]), default=0)) > best[0]:
            best = (widest, separator, rows)
    widest, separator, rows = best
    if not widest:
        raise FeedError("not-csv", f"{plain(file)} has no headings", "Give a CSV file with a row of headings")
    header = next(n for n, row in enumerate(rows) if _filled(row) == widest)
    return _Looked(file, encoding, separator, header + 1, numbered_headings(rows[header]), rows[header + 1 :])


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _kind(looked: _Looked) -> str:
    name = bare(looked.file.stem)
    scores = {stem: len(_columns(looked, stem)) for stem in HEADINGS}
    for word, stem in _FILE_NAMES.items():
        if word in name:
            scores[stem] += 4
            break
    best = max(scores, key=lambda stem: scores[stem])
    found = _columns(looked, best)
    if best == "invoices" and "lines.quantity" in found and not {"issue_date", "total", "subtotal"} & set(found):
        return "invoice_lines"
    return best


def _columns(looked: _Looked, stem: str) -> dict[str, str]:
    """The heading that each field may have, each used once."""
    if stem in OUTSIDE:
        whole = _columns(looked, OUTSIDE[stem])
        inside = INSIDE[OUTSIDE[stem]]
        owner = whole.get("id") or whole.get("number")
        parts = {k.removeprefix(f"{inside.field}."): v for k, v in whole.items() if k.startswith(f"{inside.field}.")}
        return ({inside.owner: owner} if owner else {}) | parts
    left = {heading: bare(heading.split("#")[0]) for heading in looked.headings if heading}
    found: dict[str, str] = {}
    for field, words in HEADINGS[stem].items():
        for word in words.split("|"):
            heading = next((each for each, key in left.items() if key == bare(word)), None)
            if heading is not None:
                found[field] = heading
                del left[heading]
                break
    return found


def _others(looked: _Looked, stem: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What else the same rows tell: the clients of invoices, and the tax rates and payment methods that they name."""
    found = _columns(looked, stem)
    if stem == "invoices" and "client_id" in found:
        people = {field: heading for field, heading in _columns(looked, "clients").items() if field != "id"}
        taken = {heading for field, heading in found.items() if field not in ("client_id", "reference")}
        people = {field: heading for field, heading in people.items() if heading not in taken}
        yield "clients", {"id": found["client_id"]} | (people or {"first_name": found["client_id"]})
    tax = found.get("lines.tax_rate_id") or found.get("tax_rate_id")
    if tax:
        yield "tax_rates", {"id": tax, "name": tax, "rate": tax}
    if "method_id" in found:
        yield "payment_methods", {"id": found["method_id"], "name": found["method_id"]}


# --- writing


def _table(looked: _Looked, stem: str, columns: dict[str, str], *, only_where_filled: bool = False) -> list[str]:
    fields = cells_of(stem)
    lines = ["[[file]]", f"name = {_text(looked.file.name)}  # * stands for anything: Invoices-*.csv"]
    lines.append(f"kind = {_text('?' + stem)}  # {_KINDS_OF_FILES}")
    lines += _dialect(looked, columns, fields)
    if only_where_filled:
        lines.append(f"only_where_filled = [{_text(columns['id'])}]")
    lines += ["", "[file.columns]  # field = heading"]
    lines += [
        _line(field, "?" + columns[field], _example(looked, columns[field])) for field in fields if field in columns
    ]
    missing = list(_missing(stem, columns, fields))
    constants = [(field, _constant(field)) for field in missing if field in _OFTEN_CONSTANT]
    lines += [_line(field, "?", "no heading looks like it") for field in missing if field not in _OFTEN_CONSTANT]
    if constants:
        lines += ["", "[file.constants]  # what is the same in every row"]
        lines += [_line(field, "?" + guess, _words(fields[field])) for field, guess in constants]
    for field, heading in columns.items():
        lines += _values(looked, stem, field, heading, fields)
    return lines


_OFTEN_CONSTANT = ("currency", "tax_mode", "status", "lines.quantity", "quantity")


def _constant(field: str) -> str:
    return _ALWAYS.get(field, "")


def _missing(stem: str, columns: Iterable[str], fields: dict[str, FeedField]) -> Iterator[str]:
    given = set(columns)
    inside = f"{INSIDE[stem].field}." if stem in INSIDE else None
    in_rows = inside is not None and any(field.startswith(inside) for field in given)
    sums = {"subtotal", "tax", "total"}
    for field, one in fields.items():
        if one.needed == "no" or field in given or "discount." in field or field.endswith("lines.id"):
            continue
        if field == "id" and ("number" in given or stem in OUTSIDE):
            continue
        if inside is not None and field.startswith(inside) and (not in_rows or field == f"{inside}id"):
            continue
        if field in sums and sums - given == {field}:
            continue
        yield field


def _dialect(looked: _Looked, columns: dict[str, str], fields: dict[str, FeedField]) -> Iterator[str]:
    if looked.encoding:
        yield f"encoding = {_text('?' + looked.encoding)}  # {', '.join(ENCODINGS)}: look whether names read rightly"
    name = (
        next(name for name, sign in SEPARATORS.items() if sign == looked.separator)
        if looked.separator in (*SEPARATORS.values(),)
        else looked.separator
    )
    yield f"separator = {_text(name)}"
    if looked.header_row > 1:
        yield f"header_row = {looked.header_row}"
    dates = [looked.cells(columns[f]) for f in columns if fields[f].type == "date"]
    if cells := [cell for each in dates for cell in each]:
        forms = [form + time for form in _DATES for time in _TIMES if _all_read(cells, form + time)]
        if forms != ["YYYY-MM-DD"]:
            other = f"; it may also be {', '.join(forms[1:4])}" if len(forms) > 1 else ""
            seen = max(cells, key=lambda cell: [int(part) for part in re.findall("[0-9]+", cell)][:1])
            yield f"dates = {_text('?' + (forms[0] if forms else ''))}  # {plain(seen, 40)}{other}"
    if any(fields[f].type == "time" for f in columns):
        cells = [cell for f in columns if fields[f].type == "time" for cell in looked.cells(columns[f])]
        forms = [form + time for form in _DATES for time in _TIMES[1:] if _all_read(cells, form + time)]
        if forms and not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", cells[0]):
            yield f"times = {_text('?' + forms[0])}  # {plain(cells[0], 40)}"
            yield f"time_zone = {_text('?Australia/Sydney')}"
    yield from _numbers({columns[f]: looked.cells(columns[f]) for f in columns if fields[f].type == "amount"})


def _numbers(by_heading: Mapping[str, Sequence[str]]) -> Iterator[str]:
    cells = [cell for of_one in by_heading.values() for cell in of_one]
    if not cells:
        return
    cells = [cell for cell in cells if not re.fullmatch(r".*[0-9][eE][-+]?[0-9]+", cell)] or cells
    signs = _signs(cells)[:6]
    amount = cells_of("invoices")["total"]
    for decimal, thousands in _NUMBERS:
        writing = Writing(
            decimal=decimal,
            is_stated=True,
            thousands=thousands,
            currency_signs=tuple(sorted(signs, key=len, reverse=True)),
        )
        if all(_reads(cell.rstrip("%"), amount, writing) for cell in cells):
            longest = max(cells, key=len)
            if (found := _of_two_readings(cells)) is not None:
                number, mark = found
                read = (
                    f"{number} is then {number.replace(mark, '')}; with {_text(mark)} it is {number.replace(mark, '.')}"
                )
                yield f"decimal = {_text('?,' if mark == '.' else '?.')}  # {read}: say which"
                yield f"thousands = {_text('?' + mark)}  # with decimal = {_text(mark)}: thousands = {_text('')}"
            elif (decimal, thousands) != (".", ""):
                yield f"decimal = {_text('?' + decimal)}  # {plain(longest, 40)}"
                yield f"thousands = {_text('?' + thousands) if thousands else _text('')}"
            break
    else:
        yield f"# Not all numbers are written alike, such as {plain(cells[0], 40)}: what can't be read is refused with its cell."
    if turned := next((cell for cell in cells if _says_its_side(cell)), None):
        yield f"# {plain(turned, 40)} says credit or debit and is refused: export amounts with a minus sign instead."
    mixed = next((heading for heading, of_one in by_heading.items() if len(_signs(of_one)) > 1), None)
    if mixed is not None:
        signs_there = ", ".join(plain(sign, 10) for sign in _signs(by_heading[mixed])[:6])
        yield f"# {plain(mixed, 60)} has more than one currency sign: {signs_there}. Export each currency to its own file."
    elif signs:
        yield f"currency_signs = [{', '.join(_text('?' + sign) for sign in signs)}]"


def _signs(cells: Iterable[str]) -> list[str]:
    found = {sign for cell in cells for sign in _SIGN.findall(cell)}
    return sorted(sign for sign in found if sign.casefold() not in ("e", *CREDIT_OR_DEBIT))


def _says_its_side(cell: str) -> bool:
    return any(sign.casefold() in CREDIT_OR_DEBIT for sign in _SIGN.findall(cell))


def _of_two_readings(cells: Sequence[str]) -> tuple[str, str] | None:
    """A number and its mark, where all marks may be those of thousands or those of decimals: 1.200."""
    marked = [re.sub(r"[^0-9.,]", "", cell).strip(".,") for cell in cells]
    marked = [cell for cell in marked if "." in cell or "," in cell]
    found = [_TWO_READINGS.fullmatch(cell) for cell in marked]
    marks = {one[1] for one in found if one is not None}
    return (marked[0], marks.pop()) if marked and all(found) and len(marks) == 1 else None


def _all_read(cells: Sequence[str], form: str) -> bool:
    day = cells_of("invoices")["issue_date"]
    return bool(cells) and all(_reads(cell, day, Writing(dates=form)) for cell in cells)


def _reads(cell: str, one: FeedField, writing: Writing) -> bool:
    try:
        return read_cell(cell, one.path, one, writing) is not None
    except CellError:
        return False


def _values(looked: _Looked, stem: str, field: str, heading: str, fields: dict[str, FeedField]) -> Iterator[str]:
    """What the words of a column mean, where the feed has few words for it."""
    one = fields[field]
    said = list(dict.fromkeys(looked.cells(heading)))
    if stem == "tax_rates" and field == "rate":
        guesses = {word: (found[0] if (found := re.findall(r"[0-9]+(?:\.[0-9]+)?", word)) else "") for word in said}
        note = "the rate in per cent"
    elif one.type == "word":
        guesses = {word: word_for(stem, word) or "" for word in said if word.casefold() not in one.words}
        note = _words(one)
    else:
        return
    if guesses:
        yield ""
        yield f"[file.values.{field}]  # {note}"
        yield from (f"{_text(word)} = {_text('?' + guess)}" for word, guess in islice(guesses.items(), _MOST_WORDS))


def _example(looked: _Looked, heading: str) -> str:
    cells = looked.cells(heading)
    if damaged := next((cell for cell in cells if damage_of_id(cell)), None):
        return f"{plain(damaged, 40)}: a spreadsheet has spoilt this column; export it again"
    return f"such as {plain(cells[0], 40)}" if cells else "all its cells are empty"


def _words(one: FeedField) -> str:
    return " or ".join(one.words) if one.words else f"such as {one.example}"


def _line(field: str, value: str, note: str) -> str:
    return f"{field} = {_text(value)}  # {note}"


def _text(text: str) -> str:
    """A text as TOML writes it, with nothing that a terminal obeys."""
    quoted = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    return UNSEEN.sub(lambda found: f"\\U{ord(found[0]):08x}", quoted)
