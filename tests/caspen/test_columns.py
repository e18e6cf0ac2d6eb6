"""CSV files with any headings: read rightly, to the cent, or refused with the cell."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from clinics import credit_note, line, payment, random_clinic
from csv_dialects import DATES, ENCODINGS, NUMBERS, Dialect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caspen_xero.caspen.columns_file import COLUMNS_FILE, read_columns
from caspen_xero.caspen.columns_guess import guess_columns
from caspen_xero.caspen.feed import BadRecord, FeedError
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.records import parse_record

DIALECTS = st.builds(
    Dialect,
    seed=st.integers(0, 10_000),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(ENCODINGS),
    dates=st.sampled_from(sorted(DATES)),
    decimal=st.just("."),
    thousands=st.just(""),
    sign=st.sampled_from(["", "$", "A$", "€", "AUD"]),
    line_end=st.sampled_from(["\r\n", "\n", "\r"]),
    in_rows=st.booleans(),
    titles=st.sampled_from([0, 0, 2]),
    hint=st.booleans(),
    lost_zeros=st.booleans(),
).flatmap(
    lambda one: st.sampled_from(NUMBERS).map(
        lambda marks: Dialect(**{**vars(one), "decimal": marks[0], "thousands": marks[1]})
    )
)


def clinic(seed: int) -> list[dict[str, Any]]:
    """A clinic whose clients' numbers begin with zeros, with money, credit and words that CSV has to quote."""
    records = random_clinic(seed, 6)
    invoices = [record for record in records if record["object"] == "invoice"]
    first, second = invoices[0], invoices[1]
    first["lines"][0]["description"] = 'Band, "strong";\nblue\tand é'
    first["updated_at"] = "2026-11-02T03:04:05Z"
    records += [
        {"object": "payment_method", "id": "pmt_eftpos", "name": "EFTPOS", "type": None},
        {"object": "contact", "id": "0077", "company": "Plan Partners", "phone_numbers": ["0400", "0401"]},
        payment("1234567.89", (first["id"], "1234567.00"), (second["id"], "0.89"), id_="pay_1"),
        payment("12.00", (second["id"], "12.00"), id_="pay_2"),
        credit_note("CN-0001", [line("40.00"), line("1.50", "2")], invoice_id=second["id"]),
    ]
    for record in records:
        if record["object"] == "client":
            record["id"] = f"00{record['id']}"
            record["address"] = {"line1": "1 High St", "city": "Ærø", "postal_code": "0800"}
        if "client_id" in record:
            record["client_id"] = f"00{record['client_id']}"
    return records


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dialect=DIALECTS, seed=st.integers(0, 1_000))
def test_a_clinic_in_any_dialect_is_read_back_to_the_cent(dialect: Dialect, seed: int) -> None:
    records = clinic(seed)
    with tempfile.TemporaryDirectory() as folder:
        found = list(FileFeed([dialect.written(Path(folder), records)]).records())
    assert [one for one in found if isinstance(one, BadRecord)] == []
    wanted = {(record["object"], record["id"]): parse_record(record) for record in records}
    assert {(one.object, one.id): one for one in found if not isinstance(one, BadRecord)} == wanted


COLUMNS = """
dates = "DD/MM/YYYY"
thousands = ","
currency_signs = ["$"]
[[file]]
name = "Invoices*.csv"
kind = "invoices"
[file.columns]
number = "Invoice No"
client_id = "Client"
issue_date = "Date"
status = "Status"
lines.description = "Item"
lines.quantity = "Qty"
lines.unit_price = "Price"
lines.discount.value = "Off"
lines.tax_rate_id = "GST code"
subtotal = "Net"
total = "Total"
[file.constants]
currency = "AUD"
tax_mode = "exclusive"
[file.values.status]
"Sent" = "open"
"""
HEADER = "Invoice No,Client,Date,Status,Item,Qty,Price,Off,GST code,Net,Total,Notes,,"
GOOD = "INV-1,0012,28/11/2026,Sent,Visit,1,150.00,,GST,150.00,165.00,,,"


def read(folder: Path, *rows: str, columns: str = COLUMNS, header: str = HEADER) -> list[Any]:
    (folder / COLUMNS_FILE).write_text(columns)
    (folder / "Invoices-11.csv").write_text("\r\n".join([header, *rows, ""]), newline="")
    return list(FileFeed([folder]).records())


def refused(folder: Path, *rows: str, **given: str) -> FeedError:
    with pytest.raises(FeedError) as error:
        read(folder, *rows, **given)
    return error.value


def test_one_invoice_on_many_rows_is_one_invoice_and_what_excel_leaves_at_the_end_is_nothing(tmp_path: Path) -> None:
    [one] = read(
        tmp_path, GOOD, "", 'INV-1,0012,28/11/2026,SENT,Band,2,"$1,234.50",10%,,150.00,165.00,x', ",,,,,,,,,,,,,", ""
    )
    assert (one.id, one.number, one.client_id, str(one.issue_date)) == ("INV-1", "INV-1", "0012", "2026-11-28")
    assert [(each.id, f"{each.unit_price}", each.tax_rate_id) for each in one.lines] == [
        ("1", "150.00", "GST"),
        ("2", "1234.50", None),
    ]
    assert one.lines[0].discount is None
    assert (one.lines[1].discount.type, f"{one.lines[1].discount.value}") == ("percentage", "10")
    assert (f"{one.tax}", f"{one.total}") == ("15.00", "165.00")  # total less subtotal, where no column has it


REFUSED_CELLS = [
    ("Date", "11/28/2026", "issue_date"),
    ("Date", "2026-11-28", "issue_date"),
    ("Date", "46354", "issue_date"),
    ("Date", "31/11/2026", "issue_date"),
    ("Date", "28/11/2026 10:00", "issue_date"),
    ("Date", "########", "issue_date"),
    ("Date", "", "issue_date"),
    ("Total", "1.234,50", "total"),
    ("Total", "12,50", "total"),
    ("Total", "1,23,456.00", "total"),
    ("Total", "165.00 €", "total"),
    ("Total", "1.65E+02", "total"),
    ("Total", "10%", "total"),
    ("Total", "#REF!", "total"),
    ("Total", "--1", "total"),
    ("Total", "(-1.00)", "total"),
    ("Total", "123456789012345.00", "total"),
    ("Net", "TRUE", "subtotal"),
    ("Status", "Awaiting", "status"),
    ("Client", "1.0482E+06", "client_id"),
    ("Client", "1,0482E+06", "client_id"),
    ("Client", "12345678901234500", "client_id"),
    ("Client", "1048237.0", "client_id"),
    ("Client", "1.048E7", "client_id"),
    ("Date", "28/11/0026", "issue_date"),
    ("Qty", "one", "lines[0].quantity"),
    ("Price", "", "lines[0].unit_price"),
    ("GST code", "1E+5", "lines[0].tax_rate_id"),
    ("Off", "150%", "lines[0].discount"),
]


def test_a_cell_that_can_not_be_read_is_named_with_its_row_as_excel_counts_its_column_and_what_is_in_it(
    tmp_path: Path,
) -> None:
    names = HEADER.split(",")
    for heading, cell, field in REFUSED_CELLS:
        cells = GOOD.split(",")
        cells[names.index(heading)] = f'"{cell}"'
        good, bad = read(tmp_path, GOOD, "", ",".join(cells).replace("INV-1", "INV-2"))
        assert isinstance(bad, BadRecord), (heading, cell)
        assert (good.id, bad.id, bad.field, bad.kind) == ("INV-1", "INV-2", field, "invoice")
        assert bad.where == f"row 4, column '{heading}'", (heading, cell)
        assert (cell.rstrip("%") in bad.reason) or bad.reason.startswith("is missing"), bad.reason
        assert bad.readable is not None
        assert bad.readable.invoice_ids == ("INV-2",)


def test_a_row_that_could_be_anyones_refuses_the_file_with_the_cell(tmp_path: Path) -> None:
    for id_ in ("1.0482E+06", "1.048E7", "1048237.0", "", "#N/A"):
        error = refused(tmp_path, GOOD, GOOD.replace("INV-1", id_))
        assert error.code == "cell-damaged"
        assert "row 3, column 'Invoice No'" in error.message
        assert id_ in error.message
    assert refused(tmp_path, f"{GOOD}1,2").code == "not-csv"
    assert refused(tmp_path, GOOD, header=HEADER.replace("Total", "Sum")).code == "bad-columns"
    assert "Net#1 or Net#2" in refused(tmp_path, GOOD, header=HEADER.replace("Notes", "Net")).fix


def test_rows_that_disagree_about_their_invoice_refuse_it(tmp_path: Path) -> None:
    [bad] = read(tmp_path, GOOD, GOOD.replace("165.00", "166.00"))
    assert isinstance(bad, BadRecord)
    assert (bad.where, bad.field) == ("row 3, column 'Total'", "total")
    assert bad.reason == "'166.00', but row 2, column 'Total' has '165.00'"
    by_line = COLUMNS.replace('total = "Total"', 'total = "Total"\ntax = "Notes"')
    [bad] = read(tmp_path, GOOD[:-2] + "1.50,,", GOOD[:-2] + "9.00,,", columns=by_line)
    assert bad.reason.endswith("if that column is of each line, the columns file has to name it lines.tax")


def test_rows_can_be_left_out_go_on_above_and_credit_can_be_turned(tmp_path: Path) -> None:
    more = 'blank_id_as_above = true\nonly_where_filled = "Item"\nreverse_signs = ["total", "subtotal"]\n'
    columns = COLUMNS.replace("[file.columns]", f'{more}leave_out = {{ "Status" = ["Quote"] }}\n[file.columns]')
    turned = GOOD.replace(",150.00,165.00", ",-150.00,(165.00)")
    [one] = read(
        tmp_path,
        turned,
        ",,,,Band,1,1.00,,,,,,",
        GOOD.replace("Sent", "quote"),
        "Total,,,,,,,,,99,99,,",
        columns=columns,
    )
    assert ([each.description for each in one.lines], f"{one.total}") == (["Visit", "Band"], "165.00")


PAYMENTS = """
[[file]]
name = "pay*.csv"
kind = "payments"
blank_id_as_above = true
leave_out = { "Type" = ["Refund"] }
[file.columns]
id = "No"
date = "Date"
amount = "Amount"
updated_at = "Changed"
allocations.invoice_id = "Invoice"
allocations.amount = "On it"
[file.constants]
status = "allocated"
"""
P1 = "P1,,2026-11-28,300.00"


def payments(folder: Path, *files: Sequence[str]) -> list[Any]:
    (folder / COLUMNS_FILE).write_text(PAYMENTS)
    for number, rows in enumerate(files, 1):
        text = "\n".join(["No,Type,Date,Amount,Changed,Invoice,On it", *rows, ""])
        (folder / f"pay-{number}.csv").write_text(text)
    found = list(FileFeed([folder]).records())
    for file in folder.glob("pay-*.csv"):
        file.unlink()
    return found


def put_on(one: Any) -> list[tuple[str, str]]:
    return [(each.invoice_id, f"{each.amount}") for each in one.allocations]


def test_a_record_in_many_files_is_put_together_or_refused_and_no_file_name_decides(tmp_path: Path) -> None:
    both = [("I1", "100.00"), ("I2", "200.00")]
    first, second = f"{P1},,I1,100.00", f"{P1},,I2,200.00"
    for files in (
        [[first], [second]],
        [[first, second], [first, second]],
        [[first, second], [second, first], [second, first]],
    ):
        [one] = payments(tmp_path, *files)
        assert put_on(one) == both, files
    old, new = (f"{P1},2026-11-28T0{hour}:00:00Z,I{hour},{hour}00.00" for hour in (1, 2))
    for files in ([[old], [new]], [[new], [old]]):
        [one] = payments(tmp_path, *files)
        assert put_on(one) == [("I2", "200.00")]
    for files, field in (
        ([[first], [second.replace("300", "301")]], "amount"),
        ([[second.replace("300", "301")], [first]], "amount"),
        ([[first], [first, second]], "allocations"),  # the same twice, or once and one more
        ([[first], [first.replace(",100", ",99")]], "allocations"),
    ):
        [bad] = payments(tmp_path, *files)
        assert isinstance(bad, BadRecord), files
        assert (bad.id, bad.field) == ("P1", field)
        assert "pay-2.csv, row 2" in bad.where
        assert "pay-1.csv" in bad.reason


def test_lines_in_files_of_their_own_that_overlap_are_there_once(tmp_path: Path) -> None:
    whole = "id,number,status,client_id,issue_date,currency,tax_mode,subtotal,tax,total"
    row = "i1,INV-1,{},c1,2026-11-28,AUD,exclusive,2,0,2"
    (tmp_path / COLUMNS_FILE).write_text(
        '[[file]]\nname = "inv*.csv"\nkind = "invoices"\n[[file]]\nname = "lin*.csv"\nkind = "invoice_lines"\n'
    )
    for month in ("Dec", "Nov"):
        (tmp_path / f"inv-{month}.csv").write_text(f"{whole}\n{row.format('open')}\n")
        (tmp_path / f"lin-{month}.csv").write_text("invoice_id,id,quantity,unit_price\ni1,,1,1\ni1,,1,1\n")
    [one] = FileFeed([tmp_path]).records()
    assert len(one.lines) == 2  # type: ignore[union-attr]
    (tmp_path / "inv-Dec.csv").write_text(f"{whole}\n{row.format('void')}\n")
    [bad] = FileFeed([tmp_path]).records()
    assert isinstance(bad, BadRecord)
    assert (bad.field, bad.reason) == ("status", "'open', but inv-Dec.csv, row 2, column 'status' has 'void'")


def test_rows_that_go_on_with_a_row_that_is_left_out_are_left_out_too(tmp_path: Path) -> None:
    first = f"{P1},,I1,100.00"
    refund = "R1,Refund,2026-11-28,30.00,,I8,30.00"
    going_on, more = ",,,,,I9,50.00", ",,,,,I2,5.00"
    for rows, on in (
        ([first, refund, going_on], [("I1", "100.00")]),
        ([refund, going_on, first, more], [("I1", "100.00"), ("I2", "5.00")]),
        ([first, refund.replace("R1", "1.0E+06"), going_on], [("I1", "100.00")]),
        ([first, ",Refund,,,,I8,30.00", more], [("I1", "100.00"), ("I2", "5.00")]),
        ([first, refund.replace("R1", "P1")], [("I1", "100.00")]),
    ):
        [one] = payments(tmp_path, rows)
        assert put_on(one) == on, rows
    for rows in ([first, refund.replace("R1", "P1"), going_on], [refund.replace("R1", "P1"), going_on, first]):
        [bad] = payments(tmp_path, rows)
        assert isinstance(bad, BadRecord)
        assert (bad.id, bad.field) == ("P1", "id")
        assert "which is left out" in bad.reason
    filled = COLUMNS.replace("[file.columns]", 'blank_id_as_above = true\nonly_where_filled = "Notes"\n[file.columns]')
    rows = (GOOD.replace(",,,", ",x,,"), GOOD.replace("INV-1", "INV-2"), ",,,,Band,1,1.00,,,,,x,,")
    [one] = read(tmp_path, *rows, columns=filled)
    assert len(one.lines) == 1


def test_a_file_that_nobody_described_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "Receipts.csv").write_text("No,Amount\n1,2\n")
    assert "Receipts.csv" in refused(tmp_path, GOOD).message
    assert len(read(tmp_path, GOOD, columns=f'ignore = ["receipts*.csv"]\n{COLUMNS}')) == 1
    (tmp_path / "Receipts.csv").unlink()
    before = FileFeed([tmp_path]).fingerprint
    (tmp_path / COLUMNS_FILE).write_text(COLUMNS + "\n# read again\n")
    assert FileFeed([tmp_path]).fingerprint != before


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_feeds_own_headings_need_no_columns_file_in_any_of_excels_forms(
    encoding: str, separator: str, tmp_path: Path
) -> None:
    rows = [
        ["id", "name", "rate", "archived", "", ""],
        ["tax_gst", "GST é", "10", "FALSE", "", ""],
        ["", "", "", "", "", ""],
    ]
    text = "".join(separator.join(row) + "\r\n" for row in rows)
    (tmp_path / "tax_rates.csv").write_bytes(text.encode(encoding))
    wanted = parse_record({"object": "tax_rate", "id": "tax_gst", "name": "GST é", "rate": "10"})
    assert list(FileFeed([tmp_path]).records()) == [wanted]


def test_what_excel_did_to_the_feeds_own_files_is_refused_with_the_cell_or_read_by_one_line(tmp_path: Path) -> None:
    note = {
        "invoices.csv": "id,number,status,client_id,issue_date,currency,tax_mode,subtotal,tax,total\n"
        "inv_1,INV-1,open,1,28/11/2026,AUD,exclusive,1,0,1\n",
        "invoice_lines.csv": "invoice_id,id,quantity,unit_price\ninv_1,1,1,1\n",
    }
    for name, text in note.items():
        (tmp_path / name).write_text(text)
    [bad] = FileFeed([tmp_path]).records()
    assert isinstance(bad, BadRecord)
    assert (bad.where, bad.reason.split(" is ")[0]) == ("row 2, column 'issue_date'", "'28/11/2026'")
    (tmp_path / COLUMNS_FILE).write_text('dates = "DD/MM/YYYY"\n')
    [good] = FileFeed([tmp_path]).records()
    assert str(good.issue_date) == "2026-11-28"  # type: ignore[union-attr]
    (tmp_path / COLUMNS_FILE).unlink()
    (tmp_path / "invoices.csv").write_text(
        note["invoices.csv"].replace("open,1,28/11/2026", "open,1048237.0,2026-11-28")
    )
    with pytest.raises(FeedError, match=r"row 2, column 'client_id': '1048237\.0'"):
        list(FileFeed([tmp_path]).records())
    (tmp_path / "invoices.csv").write_text(note["invoices.csv"].replace("inv_1", "1.0482E+06"))
    with pytest.raises(FeedError, match=r"row 2, column 'id': '1\.0482E\+06'"):
        list(FileFeed([tmp_path]).records())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("nonsense = 1", "nonsense"),
        ('dates = "DD/MM"', "DD/MM"),
        ('dates = "QQQQ"', "QQQQ"),
        ('times = "DD/MM/YYYY HH:mm"', "time_zone"),
        ('time_zone = "Mars/Olympus"', "Mars/Olympus"),
        ('decimal = ","\nthousands = ","', "the same"),
        ('currency_signs = ["$", "$ Cr"]', "credit or debit"),
        ('encoding = "rot13"', "encoding"),
        ("[[file]]", "name"),
        ('[[file]]\nname = "x.csv"\nkind = "cats"', "kind"),
        ('[[file]]\nname = "x.csv"\nkind = "clients"\n[file.columns]\nname = "N"', "name"),
        ('[[file]]\nname = "x.csv"\nkind = "clients"\n[file.columns]\nfirst_name = "N"', "nothing is said of id"),
        ('[[file]]\nname = "x.csv"\nkind = "tax_rates"\n[file.columns]\nid = "I"\nrate = "R"\nname = ""', "heading"),
        ("= nothing", "no TOML"),
        ("ignore = 3", "ignore"),
        ("header_row = 0", "header_row"),
        ('[[file]]\nname = "x.csv"\nkind = "invoices"\n[file.values.status]\n"Sent" = "gone"', "gone"),
    ],
)
def test_a_columns_file_that_is_wrong_is_refused_with_its_place(wrong: str, told: str, tmp_path: Path) -> None:
    error = refused(tmp_path, GOOD, columns=wrong)
    assert error.code == "bad-columns"
    assert told in error.message


def test_a_spreadsheet_beside_a_columns_file_is_refused_until_it_is_to_be_passed_over(tmp_path: Path) -> None:
    (tmp_path / "More of it.xlsx").write_bytes(b"PK\x03\x04")
    error = refused(tmp_path, GOOD)
    assert error.code == "spreadsheet"
    [ignore] = re.findall(r'ignore = \["More of it.xlsx"\]', error.fix)
    assert len(read(tmp_path, GOOD, columns=f"{ignore}\n{COLUMNS}")) == 1


def test_a_guess_is_imported_once_it_is_confirmed_and_not_before(tmp_path: Path) -> None:
    semicolons = [HEADER.replace(",", ";"), GOOD.replace(",", ";").replace("150.00;165.00", "150,00;165,00")]
    (tmp_path / "Invoices-11.csv").write_text("\n".join(semicolons).replace("1;150.00", "1;1.150,00") + "\n")
    guess = guess_columns(tmp_path / "Invoices-11.csv")
    assert 'dates = "?DD/MM/YYYY"' in guess
    (tmp_path / COLUMNS_FILE).write_text(guess)
    with pytest.raises(FeedError) as error:
        FileFeed([tmp_path])
    assert (error.value.code, str(guess.count('"?')) in error.value.message) == ("columns-unconfirmed", True)
    filled = guess.replace('currency = "?"', 'currency = "AUD"').replace('tax_mode = "?"', 'tax_mode = "exclusive"')
    (tmp_path / COLUMNS_FILE).write_text(filled.replace('"GST" = "?"', '"GST" = "10"').replace('"?', '"'))
    found = {one.object: one for one in FileFeed([tmp_path]).records() if not isinstance(one, BadRecord)}
    assert {kind: one.id for kind, one in found.items()} == {"invoice": "INV-1", "client": "0012", "tax_rate": "GST"}
    assert f"{found['invoice'].lines[0].unit_price}" == "1150.00"  # type: ignore[union-attr]


def test_a_sum_that_may_be_in_thousands_is_asked_for_and_refused_until_it_is_said(tmp_path: Path) -> None:
    names = HEADER.split(",")
    cells = GOOD.split(",")
    for name, cell in (("Net", "3.500"), ("Total", "-1.200")):
        one = [cell if heading == name else each for heading, each in zip(names, cells, strict=True)]
        [bad] = read(tmp_path, ",".join(one))
        assert isinstance(bad, BadRecord)
        assert f"may be {cell.lstrip('-').replace('.', '')} or {cell.lstrip('-')}" in bad.reason
    priced = GOOD.replace("150.00,,", "0.125,,")  # a price may have three
    assert not isinstance(read(tmp_path, priced)[0], BadRecord)
    row = GOOD.replace("150.00", "3.500").replace("165.00", "3.500")
    for decimal, thousands, total in ((",", ".", "3500"), (".", "", "3.500")):
        said = COLUMNS.replace('thousands = ","', f'decimal = "{decimal}"\nthousands = "{thousands}"')
        [one] = read(tmp_path, row, columns=said)
        assert f"{one.total}" == total
    file = tmp_path / "Invoices-11.csv"
    for cell, lines in (
        ("1.200", ['decimal = "?,"  # 1.200 is then 1200; with "." it is 1.200: say which', 'thousands = "?."']),
        ("$1,200", ['decimal = "?."  # 1,200 is then 1200; with "," it is 1.200: say which', 'thousands = "?,"']),
        ("0.125", []),
        ("1.20", []),
    ):
        file.write_text(f'Invoice No,Qty,Net,Total\n1,1,"{cell}",\n2,1,40,"{cell}"\n')
        guess = guess_columns(file)
        assert all(line in guess for line in lines), guess
        assert ("decimal" in guess) == bool(lines)


def test_a_sign_says_one_currency_and_no_side_of_the_books(tmp_path: Path) -> None:
    file = tmp_path / "Invoices-11.csv"
    for cells, told in (
        (("100.00 CR", "50.00 DR"), "# 100.00 CR says credit or debit"),
        (("5.00 Cr", "5.00"), "# 5.00 Cr says credit or debit"),
        (("$100.00", "€50.00"), "# Total has more than one currency sign: $, €"),
        (("$100.00", "50.00"), 'currency_signs = ["?$"]'),
    ):
        file.write_text("\n".join(["Invoice No,Total", *(f"{n},{cell}" for n, cell in enumerate(cells)), ""]))
        guess = guess_columns(file)
        assert told in guess, guess
        assert ("currency_signs" in guess) == told.startswith("currency_signs")
    columns = COLUMNS.replace('["$"]', '["$", "€"]')
    for total in ("€165.00", "(165.00 €)", "-€165.00"):
        rows = (GOOD.replace("165.00", "$165.00"), GOOD.replace("INV-1", "INV-2").replace("165.00", total))
        for order in (rows, rows[::-1]):
            error = refused(tmp_path, *order, columns=columns)
            assert error.code == "bad-columns"
            assert "row 3, column 'Total' has " in error.message
    one, other = read(tmp_path, GOOD.replace("165.00", "€165.00"), GOOD.replace("INV-1", "INV-2"), columns=columns)
    assert f"{one.total} {other.total}" == "165.00 165.00"


def test_the_columns_files_that_the_documentation_shows_are_taken(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "caspens-records.md").read_text("utf-8")
    shown = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for text in shown:
        (tmp_path / COLUMNS_FILE).write_text(text)
        read_columns(tmp_path / COLUMNS_FILE)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cells=st.lists(st.text(max_size=12), min_size=1, max_size=12),
    junk=st.binary(max_size=60),
    toml=st.text(max_size=60),
)
def test_whatever_stands_in_the_files_is_a_record_or_refused_in_words(cells: list[str], junk: bytes, toml: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / COLUMNS_FILE).write_text(COLUMNS, encoding="utf-8")
        file = folder / "Invoices.csv"
        header = HEADER.encode() + b"\n"
        row = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells).encode("utf-8", "replace") + b"\n"
        for content in (junk, header + junk, header + row, header + row + junk, header + GOOD.encode() + b"\n" + row):
            file.write_bytes(content)
            for work in (lambda: list(FileFeed([folder]).records()), lambda: guess_columns(file)):
                with contextlib.suppress(FeedError):
                    work()
        for text in (toml, COLUMNS + toml, "[[file]]\n" + toml):
            (folder / COLUMNS_FILE).write_text(text, encoding="utf-8", errors="replace")
            with contextlib.suppress(FeedError):
                FileFeed([folder])


def test_folders_of_which_each_has_its_own_columns_are_put_together(tmp_path: Path) -> None:
    north, south = tmp_path / "north", tmp_path / "south"
    for folder in (north, south):
        folder.mkdir()
    american = COLUMNS.replace("DD/MM/YYYY", "MM/DD/YYYY").replace('number = "Invoice No"', 'number = "Number"')
    header = HEADER.replace("Invoice No", "Number")
    in_american = GOOD.replace("28/11/2026", "11/28/2026")

    def both(of_south: str) -> list[Any]:
        read(north, GOOD)
        with contextlib.suppress(FeedError):
            read(south, of_south, columns=american, header=header)
        orders = ([north, south], [south, north])
        found = [list(FileFeed(folders).records()) for folders in orders]
        assert [len(each) for each in found] == [len(found[0])] * 2
        return found[0]

    [one] = both(in_american)
    assert str(one.issue_date) == "2026-11-28"
    assert [each.number for each in both(in_american.replace("INV-1", "INV-2"))] == ["INV-1", "INV-2"]
    [bad] = both(in_american.replace("165.00", "175.00"))
    assert isinstance(bad, BadRecord)
    assert (bad.field, "north/Invoices-11.csv, row 2" in f"{bad.where}{bad.reason}") == ("total", True)


@pytest.mark.parametrize("is_mapped", [True, False])
def test_an_id_that_lacks_the_zeros_which_others_have_is_refused_with_its_cell(tmp_path: Path, is_mapped: bool) -> None:
    def with_clients(*ids: str) -> Any:
        (tmp_path / "clients.csv").write_text("".join(["id,first_name\n", *(f"{id_},Nell\n" for id_ in ids)]))
        if is_mapped:
            return lambda: read(tmp_path, GOOD.replace("0012", "12"))
        columns = "id,number,client_id,status,issue_date,currency,tax_mode,subtotal,tax,total\n"
        (tmp_path / "invoices.csv").write_text(f"{columns}i,INV-1,12,open,2026-11-28,AUD,exclusive,1.00,0.00,1.00\n")
        (tmp_path / "invoice_lines.csv").write_text("invoice_id,id,description,quantity,unit_price\ni,1,Visit,1,1.00\n")
        return lambda: list(FileFeed([tmp_path]).records())

    for ids in (["0012"], ["0345", "0999"]):
        with pytest.raises(FeedError) as told:
            with_clients(*ids)()
        assert told.value.code == "cell-damaged"
        assert re.search(r"nvoices(-11)?\.csv, row 2, column '?(Client|client_id)'?: '12'", told.value.message), (
            told.value
        )
        assert "clients.csv, row 2" in told.value.message
    for ids in (["12"], ["12", "1000"], ["A012"], ["01", "12"]):
        assert not [one for one in with_clients(*ids)() if isinstance(one, BadRecord)]


def test_lines_whose_invoice_has_its_zeros_elsewhere_are_refused_with_the_cell(tmp_path: Path) -> None:
    columns = "id,number,client_id,status,issue_date,currency,tax_mode,subtotal,tax,total\n"
    (tmp_path / "invoices.csv").write_text(f"{columns}007,INV-1,c,open,2026-11-28,AUD,exclusive,1.00,0.00,1.00\n")
    (tmp_path / "invoice_lines.csv").write_text("invoice_id,id,description,quantity,unit_price\n7,1,Visit,1,1.00\n")
    with pytest.raises(FeedError, match=r"invoice_lines\.csv, line 2: '7' has fewer digits than '007'"):
        list(FileFeed([tmp_path]).records())
