"""A clinic's export as other programs write it: any headings, dates, numbers and encodings, and the columns file that says so."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from export_forms import CSV_FILES, CSV_INSIDE

Raw = dict[str, Any]
Cells = dict[str, object]

DATES = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD.MM.YY": "%d.%m.%y",
    "D MMM YYYY": "%d %b %Y",
    "DD/MM/YYYY H:mm A": "%d/%m/%Y 12:00 AM",
}
NUMBERS = [(".", ""), (".", ","), (",", "."), (",", ""), (",", " "), (".", "'")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]
IDS = ("id", "client_id", "invoice_id", "number", "tax_rate_id", "payment_id", "credit_note_id", "method_id")


@dataclass(frozen=True)
class Dialect:
    """How a program writes CSV."""

    seed: int
    separator: str
    encoding: str
    dates: str
    decimal: str
    thousands: str
    sign: str
    line_end: str
    in_rows: bool
    titles: int
    hint: bool
    lost_zeros: bool

    def written(self, folder: Path, records: Sequence[Raw]) -> Path:
        """The folder with the export in it, and its `columns.toml`."""
        random = Random(self.seed)
        top: Raw = {"dates": self.dates, "decimal": self.decimal, "thousands": self.thousands}
        top |= {"time_zone": "Australia/Sydney", "times": "DD/MM/YYYY HH:mm:ss", "header_row": self.titles + 1}
        top["encoding"] = {"utf-8-sig": "utf-8"}.get(self.encoding, self.encoding)
        top["currency_signs"] = [self.sign] if self.sign else []
        if random.random() < 0.5 and not self.hint:
            top["separator"] = {"\t": "tab"}.get(self.separator, self.separator)
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in top.items())
        for kind, stem in CSV_FILES.items():
            of_kind = [record for record in records if record["object"] == kind]
            if not of_kind:
                continue
            field, inside, owner = CSV_INSIDE.get(kind, ("", "", ""))
            whole = [{k: v for k, v in record.items() if k not in ("object", field)} for record in of_kind]
            parts = [{owner: record["id"], **part} for record in of_kind for part in record.get(field) or []]
            if field and self.in_rows and all(record.get(field) for record in of_kind):
                rows = [
                    {**_flat(one), **{f"{field}.{k}": v for k, v in _flat(part).items()}}
                    for one, record in zip(whole, of_kind, strict=True)
                    for part in record[field]
                ]
                text += self._file(folder, random, stem, rows)
            else:
                text += self._file(folder, random, stem, list(map(_flat, whole)))
                text += self._file(folder, random, inside, list(map(_flat, parts))) if field else ""
        (folder / "columns.toml").write_text(text, encoding="utf-8")
        return folder

    def _file(self, folder: Path, random: Random, stem: str, rows: list[Cells]) -> str:
        fields = list(dict.fromkeys(name for row in rows for name in row))
        if not fields:
            return ""
        random.shuffle(fields)
        headings = {
            name: f"{random.choice(['Das', 'Le', 'The'])} {name.replace('.', ' of ').upper()}é" for name in fields
        }
        name = f"{random.choice(['Export of', 'My'])} {stem} {random.randrange(100)}.csv"
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.separator, lineterminator=self.line_end)
        if self.hint:
            text.write(f"sep={self.separator}{self.line_end}")
        for _ in range(self.titles):
            writer.writerow(["A title"])
        empty = [""] * random.randrange(3)
        writer.writerow([headings[name] for name in fields] + empty)
        for row in rows:
            writer.writerow([self._cell(name, row.get(name), random) for name in fields] + empty)
            if random.random() < 0.1:
                writer.writerow([""] * (len(fields) + len(empty)))
        text.write(self.line_end * random.randrange(3))
        (folder / name).write_bytes(text.getvalue().encode(self.encoding))
        lines = ["[[file]]", f"name = {json.dumps(name.rsplit(' ', 1)[0] + ' *.csv')}", f"kind = {json.dumps(stem)}"]
        lines += ["[file.columns]", *(f"{name} = {json.dumps(headings[name])}" for name in fields)]
        if "status" in fields:
            said = {str(row["status"]) for row in rows}
            lines += [
                "[file.values]",
                f"status = {{ {', '.join(f'{json.dumps(_word(w))} = {json.dumps(w)}' for w in said)} }}",
            ]
        if self.lost_zeros and stem in ("clients", "contacts"):
            lines += ["[file.digits]", f"id = {9 if stem == 'clients' else 4}"]
        if self.lost_zeros and stem in ("invoices", "payments"):
            lines += ["[file.digits]", "client_id = 9"]
        return "\n".join(lines) + "\n"

    def _cell(self, name: str, value: object, random: Random) -> str:
        last = name.rsplit(".", 1)[-1]
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).upper()
        if last in ("issue_date", "due_date", "date"):
            written = date.fromisoformat(str(value)).strftime(DATES[self.dates])
            return written.lstrip("0") if self.dates != "YYYY-MM-DD" else written
        if last.endswith("_at"):
            moment = datetime.fromisoformat(str(value)) + timedelta(hours=11)  # Sydney's summer
            return moment.strftime("%d/%m/%Y %H:%M:%S")
        if last in ("quantity", "unit_price", "amount", "subtotal", "tax", "total", "value"):
            return self._number(str(value), random, bare=last in ("quantity", "value"))
        if last == "rate":
            return f"{self._number(str(value), random, bare=True)}{random.choice(['', '%', ' %'])}"
        if last == "status":
            return _word(str(value))
        text = str(value)
        if self.lost_zeros and last in ("client_id", "id") and text.isdigit() and text.startswith("0"):
            return text.lstrip("0")
        if last in IDS and random.random() < 0.2:
            return f'="{text}"'
        return text

    def _number(self, value: str, random: Random, *, bare: bool) -> str:
        number = Decimal(value)
        whole, _, cents = f"{abs(number):f}".partition(".")
        grouped = f"{int(whole):,}".replace(",", self.thousands) if random.random() < 0.7 else whole
        text = grouped + (self.decimal + cents if cents else "")
        minus = number < 0
        if self.sign and not bare:
            text = random.choice([f"{self.sign}{text}", f"{self.sign} {text}", f"{text} {self.sign}", text])
        return random.choice([f"-{text}", f"({text})"]) if minus else text


def _word(word: str) -> str:
    return f"Is {word.title()}!"


def _flat(row: Raw) -> Cells:
    cells: Cells = {}
    for name, value in row.items():
        if isinstance(value, dict):
            cells |= {f"{name}.{inner}": cell for inner, cell in value.items()}
        elif isinstance(value, list):
            cells[name] = ";".join(map(str, value))
        else:
            cells[name] = value
    return cells
