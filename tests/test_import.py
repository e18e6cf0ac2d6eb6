"""`import`: an export is in the store whole or not at all, nothing goes back to older, and reading it twice changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from clinics import TAX_RATES, client, invoice, line, random_clinic
from conftest import clean_environment, command_line
from pushing import Clinic


def written(folder: Path, *records: Mapping[str, Any] | str, name: str = "export.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records))
    return file


def stored(clinic: Clinic, table: str = "invoices") -> dict[str, dict[str, Any]]:
    return {row["id"]: json.loads(row["record"]) for row in clinic.sql(f"SELECT id, record FROM {table}")}


def everything(clinic: Clinic) -> str:
    """All that the store knows of Caspen, and which import last touched it."""
    tables = (
        "tax_rates",
        "payment_methods",
        "clients",
        "contacts",
        "invoices",
        "payments",
        "allocations",
        "credit_notes",
    )
    return json.dumps(
        {table: [dict(row) for row in clinic.sql(f"SELECT * FROM {table} ORDER BY id")] for table in tables}
    )


PAYMENT = {
    "object": "payment",
    "id": "pay_1",
    "date": "2026-11-03",
    "method_id": "pmt",
    "amount": "165.00",
    "status": "allocated",
    "allocations": [{"id": "all_1", "invoice_id": "inv_INV-0001", "amount": "165.00"}],
    "updated_at": "2026-11-03T00:00:00Z",
}
EXPORT: list[dict[str, Any]] = [
    *TAX_RATES,
    {"object": "payment_method", "id": "pmt", "name": "EFTPOS", "type": "eftpos"},
    client("1048237"),
    {"object": "contact", "id": "con_77", "company": "Plan Partners"},
    invoice("INV-0001"),
    PAYMENT,
]


def test_importing_twice_changes_nothing(ready: Clinic, tmp_path: Path) -> None:
    export = written(tmp_path, *EXPORT)
    first = ready.cli("import", export, "--json").json
    before = everything(ready)
    again = ready.cli("import", export, "--json").json
    assert (first["new"] + first["unchanged"], first["bad"]) == (len(EXPORT), 0)
    assert (again["unchanged"], again["new"], again["changed"]) == (len(EXPORT), 0, 0)
    assert everything(ready) == before


def test_the_order_of_the_records_does_not_matter(ready: Clinic, tmp_path: Path) -> None:
    assert ready.cli("import", written(tmp_path, *reversed(EXPORT))).exit_code == 0
    assert ready.push().json["synced"] == 1


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("clients", client("1048237", "Nell", updated_at="2026-11-03T00:00:00Z")),
        ("contacts", {"object": "contact", "id": "con_77", "company": "Now", "updated_at": "2026-11-03T00:00:00Z"}),
        ("tax_rates", {**TAX_RATES[0], "updated_at": "2026-11-03T00:00:00Z"}),
        (
            "payment_methods",
            {"object": "payment_method", "id": "p", "name": "Now", "updated_at": "2026-11-03T00:00:00Z"},
        ),
        ("invoices", invoice("INV-0001", reference="now", updated_at="2026-11-03T00:00:00Z")),
        ("payments", PAYMENT),
        (
            "credit_notes",
            {
                "object": "credit_note",
                "id": "crn_1",
                "number": "CN-1",
                "invoice_id": "inv_INV-0001",
                "date": "2026-11-03",
                "status": "issued",
                "lines": [],
                "subtotal": "40.00",
                "tax": "4.00",
                "total": "44.00",
                "updated_at": "2026-11-03T00:00:00Z",
            },
        ),
    ],
)
def test_a_record_never_goes_back_to_an_older_one(ready: Clinic, kind: str, record: dict[str, Any]) -> None:
    ready.takes(record)
    newest = stored(ready, kind)[record["id"]]
    older = {**record, "updated_at": "2026-11-02T00:00:00Z"}
    older |= {name: "then" for name in ("first_name", "company", "name", "reference", "number") if name in record}
    ready.takes(older)
    assert stored(ready, kind)[record["id"]] == newest
    ready.takes({**older, "updated_at": "2026-11-04T00:00:00Z"})
    assert "then" in json.dumps(stored(ready, kind)[record["id"]]) or kind == "payments"


def test_older_is_judged_by_time_not_by_spelling(ready: Clinic) -> None:
    ready.takes(invoice("INV-0001", reference="now", updated_at="2026-11-02T23:30:00Z"))
    ready.takes(invoice("INV-0001", reference="then", updated_at="2026-11-03T09:00:00+10:00"))  # 23:00 UTC
    assert stored(ready)["inv_INV-0001"]["reference"] == "now"


def test_bad_records_are_named_and_left_out_and_the_good_ones_kept(ready: Clinic, tmp_path: Path) -> None:
    export = written(
        tmp_path,
        client("1048237"),
        invoice("INV-0001"),
        {**invoice("INV-0002"), "total": "12,50"},
        {**invoice("INV-0003"), "lines": [line(quantity="1e3")]},
        '{"object": "invoice", "id": "inv_4", "status": ',
        {"object": "client"},
        invoice("INV-0005"),
    )
    result = ready.cli("import", export, "--json")
    assert result.exit_code == 3
    bad = {row["where"]: (row["field"], row["id"]) for row in result.json["bad_records"]}
    assert bad["line 3"] == ("total", "inv_INV-0002")
    assert bad["line 4"] == ("lines[0].quantity", "inv_INV-0003")
    assert {"line 5", "line 6"} <= set(bad)
    assert result.json["bad"] == 4
    assert set(stored(ready)) == {"inv_INV-0001", "inv_INV-0005"}
    told = ready.cli("import", export)
    assert f"{export}, line 3" in told.stderr
    assert "12,50" in told.stderr
    assert "4 bad records" in told.stderr


@pytest.mark.parametrize(
    ("ending", "code"),
    [('{"object": "client", "id": "9", "first_na', "broken-off"), ("[1, 2", "broken-off"), ("\x00\x01", "broken-off")],
)
def test_a_file_that_breaks_off_changes_nothing(ready: Clinic, tmp_path: Path, ending: str, code: str) -> None:
    before = everything(ready)
    export = tmp_path / "export.jsonl"
    export.write_text("".join(json.dumps(record) + "\n" for record in EXPORT) + ending)
    result = ready.cli("import", export, "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (1, code)
    assert everything(ready) == before


def test_one_broken_file_of_a_folder_keeps_the_others_out_too(ready: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    written(folder, *EXPORT, name="a.jsonl")
    (folder / "b.json").write_text('[{"object": "client", "id": "9"')
    before = everything(ready)
    assert ready.cli("import", folder).exit_code == 1
    assert everything(ready) == before


def test_what_is_no_json_or_not_there_exits_1(ready: Clinic, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("Dear Sir or Madam")
    assert ready.cli("import", tmp_path / "odd.json").exit_code == 1
    missing = ready.cli("import", tmp_path / "nothing.jsonl", "--json")
    assert (missing.exit_code, missing.json["error"]["code"]) == (1, "file-not-found")


def test_the_forms_of_one_export_come_to_the_same(ready: Clinic, tmp_path: Path) -> None:
    ready.cli("import", written(tmp_path, *EXPORT))
    lines = everything(ready)
    for name, text in (("array.json", json.dumps(EXPORT)), ("page.json", json.dumps({"data": EXPORT}, indent=1))):
        (tmp_path / name).write_text(text)
        assert ready.cli("import", tmp_path / name, "--json").json["unchanged"] == len(EXPORT)
    assert everything(ready) == lines


# --- the source


def test_push_reads_its_source_by_itself_and_only_when_it_changed(ready: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "caspen"
    folder.mkdir()
    written(folder, client("1048237"), invoice("INV-0001"))
    ready.cli("settings", "set", "--source", folder)
    assert ready.push().json["synced"] == 1
    imports = ready.sql("SELECT value FROM settings WHERE key = 'imports'")[0]["value"]
    assert ready.push().json["synced"] == 0
    assert ready.sql("SELECT value FROM settings WHERE key = 'imports'")[0]["value"] == imports
    written(folder, invoice("INV-0002"), name="later.jsonl")
    assert ready.push().json["synced"] == 1
    assert set(ready.in_xero()) == {"INV-0001", "INV-0002"}


def test_push_reads_csv_with_other_headings_by_the_columns_file_in_its_source(ready: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "caspen"
    folder.mkdir()
    (folder / "Invoices.csv").write_text(
        "\ufeffInvoice No;Client;Date;Item;Price;GST code;GST;Total;;\r\n"
        "INV-1;0012;3/11/2026;Visit;$1.500,00;tax_gst;150,00;1.650,00;;\r\n;;;;;;;;;\r\n",
        encoding="utf-8",
    )
    columns = (
        'dates = "?DD/MM/YYYY"\ndecimal = ","\nthousands = "."\ncurrency_signs = "$"\n'
        '[[file]]\nname = "Invoices.csv"\nkind = "invoices"\n[file.columns]\nnumber = "Invoice No"\nclient_id = "Client"\n'
        'issue_date = "Date"\nlines.description = "Item"\nlines.unit_price = "Price"\nlines.tax_rate_id = "GST code"\n'
        'tax = "GST"\ntotal = "Total"\n'
        '[file.constants]\nstatus = "open"\ncurrency = "AUD"\ntax_mode = "exclusive"\nlines.quantity = "1"\n'
        '[[file]]\nname = "Invoices.csv"\nkind = "clients"\n[file.columns]\nid = "Client"\nfirst_name = "Client"\n'
    )
    (folder / "columns.toml").write_text(columns)
    refused = ready.cli("settings", "set", "--source", folder)
    assert refused.exit_code == 0
    told = ready.cli("push", "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (1, "columns-unconfirmed")
    (folder / "columns.toml").write_text(columns.replace("?", ""))
    assert ready.push().json["synced"] == 1
    assert ready.in_xero()["INV-1"]["Total"] == 1650
    assert ready.push().json["synced"] == 0
    file = folder / "Invoices.csv"
    file.write_text(file.read_text("utf-8").replace("1.650,00", "1.65E+03"), encoding="utf-8")
    spoilt = ready.cli("push", "--json")
    assert spoilt.exit_code == 3
    assert "row 2, column 'Total'" in ready.cli("import", folder).stderr


def test_bad_records_at_the_source_are_told_and_the_rest_is_pushed(ready: Clinic, tmp_path: Path) -> None:
    ready.cli(
        "settings", "set", "--source", written(tmp_path, client("1048237"), invoice("INV-0001"), {"object": "client"})
    )
    for _ in range(2):  # told again until it is corrected
        pushed = ready.push()
        assert pushed.exit_code == 3
        assert "line 3" in pushed.stderr
    assert set(ready.in_xero()) == {"INV-0001"}


def test_a_source_that_is_gone_stops_the_push(ready: Clinic, tmp_path: Path) -> None:
    export = written(tmp_path, client("1048237"), invoice("INV-0001"))
    ready.cli("settings", "set", "--source", export)
    export.unlink()
    stopped = ready.push()
    assert (stopped.exit_code, stopped.json["error"]["code"]) == (1, "file-not-found")
    assert ready.writes() == []


def test_a_payment_or_credit_note_makes_its_invoice_be_looked_at_again(ready: Clinic) -> None:
    ready.takes(*EXPORT[:-1])
    ready.push()
    assert ready.listed()["INV-0001"]["sync_status"] == "synced"
    ready.takes(PAYMENT)
    assert ready.listed()["INV-0001"]["sync_status"] == "pending"


# --- a large one


def test_a_large_export_streams_in_bounded_memory(home: Path, tmp_path: Path) -> None:
    def peak_of_an_import(invoices: int) -> int:
        folder = tmp_path / f"{invoices}"
        folder.mkdir()
        some = [json.dumps(record) for record in random_clinic(1, 200) if record["object"] == "invoice"]
        with (folder / "export.jsonl").open("w") as export:
            for number in range(invoices):
                export.write(some[number % len(some)].replace("inv_INV-", f"inv_{number}_") + "\n")
        process = subprocess.Popen(
            command_line("import", str(folder), "--quiet"), env=clean_environment(CASPEN_XERO_HOME=str(folder / "home"))
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss  # kilobytes on Linux

    small, large = peak_of_an_import(100), peak_of_an_import(20_000)
    assert large - small < 30_000


@pytest.mark.parametrize("address", ["http://example.org/export", "HTTPS://someone:secret@example.org"])
def test_a_server_is_no_file_to_import_and_the_way_to_it_is_said(
    cli: Callable[..., Any], home: Path, address: str
) -> None:
    error = cli("import", address, "--json").json["error"]
    assert error["code"] == "source-is-a-server"
    assert "settings set --source URL" in error["fix"]
    assert "secret" not in str(error)


def test_what_holds_no_record_moves_nothing_and_a_new_place_for_payments_is_told(ready: Clinic, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir(), theirs.mkdir()
    ready.cli("import", written(ours, *EXPORT))
    assert ready.cli("import", written(ours, *EXPORT), "--json").json["payments_go_elsewhere"] is None
    columns = theirs / "columns.toml"
    columns.write_text('dates = "DD/MM/YYYY"\n')
    refused = ready.cli("import", columns, "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "no-feed-files")
    nothing_new = ready.cli("import", written(theirs, "[]", name="none.json"), "--json")
    assert (nothing_new.exit_code, nothing_new.json["payments_go_elsewhere"]) == (0, None)
    bad = ready.cli("import", written(theirs, {"object": "payment"}, name="bad.json"), "--json")
    assert (bad.exit_code, bad.json["payments_go_elsewhere"]) == (3, None)
    moved = ready.cli("import", written(theirs, TAX_RATES[0], name="other.jsonl"), "--json")
    places = {"before": str(ours / "caspen-updates.jsonl"), "now": str(theirs / "caspen-updates.jsonl")}
    assert moved.json["payments_go_elsewhere"] == places
    told = ready.cli("import", written(ours, *EXPORT), "--quiet").stderr
    assert all(place in told for place in places.values())
    assert "settings set --source PATH" in told
    assert not ready.cli("import", written(ours, *EXPORT), "--quiet").stderr
    (theirs / "x.xlsx").write_bytes(b"PK\x03\x04")
    assert "Save it as CSV" in ready.cli("settings", "set", "--source", theirs / "x.xlsx").stderr
    assert ready.cli("settings", "set", "--source", ours).exit_code == 0
    assert ready.cli("import", theirs / "other.jsonl", "--json").json["payments_go_elsewhere"] is None
