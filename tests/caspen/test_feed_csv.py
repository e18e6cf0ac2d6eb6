"""The CSV form: a part without its whole, or a whole without its parts, is never passed over in silence."""

from pathlib import Path

import pytest
from export_forms import as_csv, clinic, invoice, payment

from caspen_xero.caspen.feed import BadRecord, FeedError
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.records import parse_record


def refused(*paths: Path) -> FeedError:
    with pytest.raises(FeedError) as error:
        list(FileFeed(paths).records())
    return error.value


@pytest.mark.parametrize("given", ["invoices.csv", "invoice_lines.csv", "INVOICES.CSV"])
def test_either_file_of_a_pair_brings_the_other(given: str, tmp_path: Path) -> None:
    folder = as_csv(tmp_path, [invoice(1)])
    if given.isupper():
        (folder / "invoices.csv").rename(folder / given)
    assert list(FileFeed([folder / given]).records()) == [parse_record(invoice(1))]


@pytest.mark.parametrize("missing", ["invoice_lines.csv", "allocations.csv", "credit_note_lines.csv", "payments.csv"])
def test_a_missing_half_is_refused(missing: str, tmp_path: Path) -> None:
    folder = as_csv(tmp_path, clinic())
    (folder / missing).unlink()
    error = refused(folder)
    assert (error.code, missing in error.message) == ("file-not-found", True)


def test_lines_of_no_invoice_are_reported(tmp_path: Path) -> None:
    folder = as_csv(tmp_path, [invoice(1), payment(1)])
    with (folder / "allocations.csv").open("a") as file:
        file.write("pay_404,all_404,inv_001,5.00,2026-11-03\r\n")
    [bad] = [record for record in FileFeed([folder]).records() if isinstance(record, BadRecord)]
    assert (bad.id, bad.field, bad.where) == ("all_404", "payment_id", "line 3")
    assert bad.reason == "payments.csv has no payment 'pay_404'"


def test_a_row_of_too_few_cells_in_the_middle_is_left_out(tmp_path: Path) -> None:
    folder = as_csv(tmp_path, clinic())
    file = folder / "clients.csv"
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([header, "cli_7,client", *rows, ""]))
    found = list(FileFeed([file]).records())
    assert isinstance(found[0], BadRecord)
    assert (found[0].id, found[0].where) == ("cli_7", "line 2")
    assert [record.id for record in found[1:]] == ["1048237", "cli_01HQFQ9QWT"]


def test_a_row_of_too_few_cells_among_lines_refuses_the_import(tmp_path: Path) -> None:
    folder = as_csv(tmp_path, [invoice(1), payment(1)])
    file = folder / "allocations.csv"
    header, row = file.read_text().splitlines()
    file.write_text(f"{header}\npay_001,all_9\n{row}\n")
    assert refused(folder).code == "not-csv"


@pytest.mark.parametrize("content", [b"", b"name;rate\nGST;10\n", b'id,name\n"a"b,c\n', b"id,name\nN\xe9,x\n"])
def test_a_file_that_is_no_csv_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "tax_rates.csv").write_bytes(content)
    assert refused(tmp_path).code == "not-csv"


def test_a_last_row_that_may_have_been_cut_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "tax_rates.csv").write_text("id,name,rate\ntax_gst,GST,1")
    error = refused(tmp_path)
    assert error.code == "broken-off"
    assert "put an empty line at its end" in error.fix


def test_other_csv_files_of_a_folder_are_passed_over_but_not_one_given_by_name(tmp_path: Path) -> None:
    folder = as_csv(tmp_path, [invoice(1)])
    (folder / "appointments.csv").write_text("id\n1\n")
    assert [record.id for record in FileFeed([folder]).records()] == ["inv_001"]
    assert refused(folder / "appointments.csv").code == "not-csv"


def test_a_header_with_bom_and_spaces_is_understood(tmp_path: Path) -> None:
    (tmp_path / "tax_rates.csv").write_text("\ufeffid, name ,rate,archived\ntax_gst,GST,10,false\n\n", encoding="utf-8")
    [rate] = FileFeed([tmp_path]).records()
    assert rate == parse_record({"object": "tax_rate", "id": "tax_gst", "name": "GST", "rate": "10"})
