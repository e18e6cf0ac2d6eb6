"""A small clinic's export, and every form that the feed can take it in."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Raw = dict[str, Any]


def invoice(nth: int = 1, /, **changes: Any) -> Raw:
    """An open invoice of one consultation and two bands; `changes` replace its fields."""
    return {
        "object": "invoice",
        "id": f"inv_{nth:03}",
        "number": f"INV-{nth:04}",
        "status": "open",
        "client_id": "1048237",
        "invoice_to_id": None,
        "issue_date": "2026-11-02",
        "due_date": "2026-11-16",
        "currency": "AUD",
        "tax_mode": "exclusive",
        "reference": None,
        "lines": [
            {
                "id": f"lin_{nth}a",
                "description": "Initial consultation",
                "item_code": "IC001",
                "quantity": "1",
                "unit_price": "150.00",
                "discount": {"type": "percentage", "value": "10"},
                "tax_rate_id": "tax_gst",
            },
            {
                "id": f"lin_{nth}b",
                "description": 'Exercise band, "strong"\nblue',
                "quantity": "2",
                "unit_price": "12.50",
                "discount": {"type": "fixed", "value": "5.00"},
                "tax_rate_id": "tax_gst",
            },
        ],
        "subtotal": "155.00",
        "tax": "15.50",
        "total": "170.50",
        "finalized_at": "2026-11-02T03:04:05Z",
        "updated_at": f"2026-11-02T03:{nth // 60 % 60:02}:{nth % 60:02}Z",
        **changes,
    }


def payment(nth: int = 1, /, **changes: Any) -> Raw:
    """A payment of 100.00, half of it on one invoice; `changes` replace its fields."""
    return {
        "object": "payment",
        "id": f"pay_{nth:03}",
        "client_id": "1048237",
        "date": "2026-11-03",
        "method_id": "pmt_eftpos",
        "amount": "100.00",
        "status": "allocated",
        "description": None,
        "xero_id": None,
        "allocations": [{"id": f"all_{nth}", "invoice_id": f"inv_{nth:03}", "amount": "50.00", "date": "2026-11-03"}],
        "updated_at": "2026-11-03T01:00:00Z",
        **changes,
    }


def clinic(invoices: int = 3) -> list[Raw]:
    """Every kind of record, and as many invoices as asked for."""
    return [
        {"object": "tax_rate", "id": "tax_gst", "name": "GST", "rate": "10", "archived": False},
        {"object": "payment_method", "id": "pmt_eftpos", "name": "EFTPOS", "type": "eftpos"},
        {
            "object": "client",
            "id": "1048237",
            "first_name": "Nell",
            "last_name": "Okafor",
            "email": "nell@example.org",
            "phone_number": "+61400000001",
            "phone_numbers": ["+61400000001", "+61200000002"],
            "address": {"line1": "1 High St", "line2": None, "city": "Sydney", "postal_code": "2000"},
        },
        {"object": "client", "id": "cli_01HQFQ9QWT", "first_name": "Łucja", "last_name": None, "address": None},
        {"object": "contact", "id": "con_77", "type": "plan_manager", "company": "Plan Partners"},
        *(invoice(number) for number in range(1, invoices + 1)),
        payment(1),
        payment(2, status="unallocated", allocations=[]),
        payment(3, xero_id="b26fd49a-cbae-470a-a8f8-bcbc119e0379"),
        {
            "object": "credit_note",
            "id": "crn_001",
            "number": "CN-0001",
            "invoice_id": "inv_002",
            "date": "2026-11-05",
            "status": "issued",
            "reason": "Session cut short",
            "lines": [
                {
                    "id": "crl_1",
                    "invoice_line_id": "lin_2a",
                    "description": "Initial consultation",
                    "quantity": "1",
                    "unit_price": "40.00",
                    "tax_rate_id": "tax_gst",
                }
            ],
            "subtotal": "40.00",
            "tax": "4.00",
            "total": "44.00",
            "updated_at": "2026-11-05T00:00:00Z",
        },
    ]


def as_array(folder: Path, records: list[Raw]) -> Path:
    return _written(folder / "export.json", json.dumps(records, indent=2))


def as_compact_array(folder: Path, records: list[Raw]) -> Path:
    return _written(folder / "export.json", json.dumps(records))


def as_page(folder: Path, records: list[Raw]) -> Path:
    page = {"data": records, "links": {"prev": None, "next": None}}
    return _written(folder / "export.json", json.dumps(page, indent=1))


def as_json_lines(folder: Path, records: list[Raw]) -> Path:
    return _written(folder / "export.jsonl", "".join(json.dumps(record) + "\n" for record in records))


def as_json_lines_with_bom(folder: Path, records: list[Raw]) -> Path:
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    return _written(folder / "export.ndjson", "\ufeff" + "\r\n".join(lines))


def as_folder(folder: Path, records: list[Raw]) -> Path:
    """Split over files of every JSON form, with other things lying about."""
    export = folder / "export"
    export.mkdir()
    as_json_lines(export, records[::3])
    _written(export / "b.json", json.dumps(records[1::3]))
    _written(export / "c.json", json.dumps({"data": records[2::3]}, indent=1))
    _written(export / "caspen-updates.jsonl", '{"object": "xero_payment", "id": "x"}\n{"half')
    _written(export / ".hidden.json", "no JSON")
    _written(export / "read me.txt", "no JSON")
    return export


def as_csv(folder: Path, records: list[Raw]) -> Path:
    """One file per kind, and one for the lines or allocations of a kind."""
    export = folder / "csv"
    export.mkdir(exist_ok=True)
    for kind, stem in CSV_FILES.items():
        of_kind = [record for record in records if record["object"] == kind]
        field, inside, owner = CSV_INSIDE.get(kind, ("", "", ""))
        if inside:
            parts = [{owner: record["id"], **part} for record in of_kind for part in record.get(field) or []]
            write_csv(export / f"{inside}.csv", parts, owner)
        write_csv(export / f"{stem}.csv", [{k: v for k, v in r.items() if k != field} for r in of_kind], "id")
    return export


CSV_FILES = {
    "tax_rate": "tax_rates",
    "payment_method": "payment_methods",
    "client": "clients",
    "contact": "contacts",
    "invoice": "invoices",
    "payment": "payments",
    "credit_note": "credit_notes",
}
CSV_INSIDE = {
    "invoice": ("lines", "invoice_lines", "invoice_id"),
    "payment": ("allocations", "allocations", "payment_id"),
    "credit_note": ("lines", "credit_note_lines", "credit_note_id"),
}


def write_csv(file: Path, rows: list[Raw], first: str) -> Path:
    """The rows below a header of all their columns, `first` and `id` always among them."""
    flat = [dict(_flat(row)) for row in rows]
    columns = list(dict.fromkeys([first, "id", *(name for row in flat for name in row)]))
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(flat)
    return file


def _flat(row: Raw) -> list[tuple[str, object]]:
    cells: list[tuple[str, object]] = []
    for name, value in row.items():
        if isinstance(value, dict):
            cells += [(f"{name}.{inner}", cell) for inner, cell in value.items()]
        elif isinstance(value, list):
            cells.append((name, ";".join(map(str, value))))
        else:
            cells.append((name, value))
    return cells


def _written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8", newline="")
    return file


FILE_FORMS: dict[str, Callable[[Path, list[Raw]], Path]] = {
    "array": as_array,
    "compact array": as_compact_array,
    "page": as_page,
    "JSON Lines": as_json_lines,
    "JSON Lines with BOM": as_json_lines_with_bom,
    "folder": as_folder,
    "CSV": as_csv,
}
