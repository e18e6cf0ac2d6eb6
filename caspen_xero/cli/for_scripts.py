"""What a program reads on stdout: one JSON document or one spreadsheet, as text. Nothing here knows of a screen."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from caspen_xero.outside_text import UNSEEN, harmless
from caspen_xero.scrubbing import scrubbed

Field = str | Decimal | int | date | bool | None


def as_json(document: Mapping[str, Any], *, in_ascii: bool) -> str:
    """A document as text. Amounts are decimal strings, times ISO 8601 in UTC; what can't be seen is written as its number."""
    text = scrubbed(json.dumps(document, default=_json_value, ensure_ascii=in_ascii, indent=2))
    lines = (UNSEEN.sub(lambda char: json.dumps(char[0])[1:-1], line) for line in text.split("\n"))
    return "\n".join(lines) + "\n"


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Field]]) -> str:
    """A spreadsheet as text: a row of names, then these. Amounts stay numbers, and no text becomes a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return scrubbed(text.getvalue())


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def _csv_cell(value: Field) -> str:
    """A cell of a spreadsheet. What it would compute, or call a program with, is made text by an apostrophe."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, Decimal | int | date):
        return str(_json_value(value)) if not isinstance(value, int) else str(value)
    text = harmless(value)
    return f"'{text}" if _FORMULA.match(text) else text


def one_field(value: Any) -> Field:
    """What a field of a document is in one cell: of several things each, one after the other."""
    if isinstance(value, dict):
        value = value.get("command", "")
    if isinstance(value, list | tuple):
        return "; ".join(str(one_field(one)) for one in value)
    field: Field = value
    return field
