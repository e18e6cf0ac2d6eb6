"""The feed from files: what breaks off changes nothing, what is merely wrong is left out, and big exports stream."""

import json
import tracemalloc
from pathlib import Path

import pytest
from export_forms import (
    FILE_FORMS,
    as_array,
    as_compact_array,
    as_csv,
    as_folder,
    as_json_lines,
    as_page,
    clinic,
    invoice,
)

from caspen_xero.caspen.feed import BadRecord, FeedError
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.records import Record


def read(*paths: Path) -> list[Record | BadRecord]:
    return list(FileFeed(paths).records())


def refused(*paths: Path) -> FeedError:
    with pytest.raises(FeedError) as error:
        read(*paths)
    return error.value


def outcome(*paths: Path) -> list[Record | BadRecord] | FeedError:
    try:
        return read(*paths)
    except FeedError as error:
        return error


@pytest.mark.parametrize("form", [as_array, as_compact_array, as_page, as_json_lines], ids=lambda form: form.__name__)
def test_a_file_cut_at_any_byte_is_refused_unless_only_whole_records_are_left(form, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = form(tmp_path, [{"object": "tax_rate", "id": f"tax_{n}", "name": "Ö", "rate": "10.50"} for n in range(2)])
    whole = file.read_bytes()
    complete = read(file)
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        left = outcome(file)
        if isinstance(left, FeedError):
            assert left.code in ("not-json", "broken-off")
            assert str(file) in left.message
        else:
            assert left
            assert left == complete[: len(left)]
            assert form is as_json_lines or left == complete


def test_a_csv_file_cut_at_any_byte_is_refused_unless_only_whole_rows_are_left(tmp_path: Path) -> None:
    folder = as_csv(tmp_path, [invoice(1), invoice(2)])
    for name in ("invoices.csv", "invoice_lines.csv"):
        whole = (folder / name).read_bytes()
        for length in range(len(whole)):
            (folder / name).write_bytes(whole[:length])
            left = outcome(folder)
            if isinstance(left, FeedError):
                assert left.code in ("not-csv", "broken-off")
            else:
                assert whole[:length].endswith(b"\n")
        (folder / name).write_bytes(whole)


def test_an_export_cut_inside_a_line_names_the_file_and_the_line(tmp_path: Path) -> None:
    file = as_json_lines(tmp_path, [invoice(1), invoice(2)])
    file.write_text(file.read_text()[:-20])
    error = refused(file)
    assert (error.code, error.exit_code) == ("broken-off", 1)
    assert f"{file} breaks off in line 2" in error.message
    assert error.fix


def test_a_line_that_is_no_json_is_left_out_while_more_follow(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text(f"{json.dumps(invoice(1))}\n\n{{oops\n{json.dumps(invoice(2))}\n")
    first, bad, second = read(file)
    assert (first.id, second.id) == ("inv_001", "inv_002")
    assert isinstance(bad, BadRecord)
    assert (bad.file, bad.where) == (str(file), "line 3")
    assert "is not JSON" in bad.reason


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"\xef\xbb\xbf", b"hello", b"<html>", b"\xff\xfe[\x00]\x00", b"[" * 100_000]
)
def test_a_file_that_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_bytes(content)
    assert refused(file).code in ("not-json", "broken-off")


def test_invalid_utf_8_is_refused_even_in_the_middle(tmp_path: Path) -> None:
    file = as_json_lines(tmp_path, clinic())
    file.write_bytes(file.read_bytes().replace(b"Nell", b"N\xe9ll"))
    error = refused(file)
    assert (error.code, "line 3" in error.message) == ("not-json", True)


def test_one_broken_file_of_a_folder_refuses_the_folder(tmp_path: Path) -> None:
    folder = as_folder(tmp_path, clinic())
    (folder / "z.json").write_text('[{"object": "invoice"')
    assert "z.json" in refused(folder).message


def test_one_record_may_stand_alone(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(invoice(7), indent=2))
    assert [record.id for record in read(file)] == ["inv_007"]


@pytest.mark.parametrize("entry", ["7", '"text"', "null", "[]", "true"])
def test_what_is_no_record_at_all_is_a_bad_record(entry: str, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(f"[\n{json.dumps(invoice(1))},\n{entry}]")
    good, bad = read(file)
    assert isinstance(bad, BadRecord)
    assert (good.id, bad.where) == ("inv_001", "record 2")


def test_kinds_that_the_feed_does_not_know_are_counted_and_passed_over(tmp_path: Path) -> None:
    others = [
        {"object": "appointment", "id": "1"},
        {"object": "appointment", "id": "2"},
        {"object": "xero_payment", "id": "3"},
    ]
    feed = FileFeed([as_array(tmp_path, [invoice(1), *others])])
    assert [record.id for record in feed.records()] == ["inv_001"]
    assert feed.ignored == {"appointment": 2, "xero_payment": 1}


def test_our_own_updates_file_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "caspen-updates.jsonl").write_text("{half a li")
    (tmp_path / "caspen-xero-bundle-20261129T165359Z.json").write_text("{}")
    file = as_json_lines(tmp_path, [invoice(1)])
    assert len(read(tmp_path)) == len(read(file, tmp_path / "caspen-updates.jsonl")) == 1
    for ours in sorted(tmp_path.glob("caspen-*")):
        with pytest.raises(FeedError, match="holds no record") as alone:
            read(ours)
        assert alone.value.code == "no-feed-files"


def test_a_spreadsheet_is_said_to_be_one_however_it_is_named_and_never_passed_over(tmp_path: Path) -> None:
    from caspen_xero.caspen.columns_guess import guess_columns

    as_json_lines(tmp_path, [invoice(1)])
    old, new = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"PK\x03\x04aaaa"
    (tmp_path / "~$Payments.xlsx").write_bytes(b"owner")
    (tmp_path / "Report.xlsx").write_bytes(new)  # none of an export's names
    assert len(read(tmp_path)) == 1
    for name, content, code in [
        ("Payments.xlsx", new, "spreadsheet"),
        ("payments.xls", b"<table></table>", "spreadsheet"),
        ("payments.json", old, "spreadsheet"),
        ("invoices.csv", new, "spreadsheet"),
        ("all.zip", new, "archive"),
    ]:
        sheet = tmp_path / name
        sheet.write_bytes(content)
        for look in (lambda given=sheet: read(given), lambda given=sheet: guess_columns(given)):
            with pytest.raises(FeedError, match=name) as by_name:
                look()
            assert by_name.value.code == code
            assert ("CSV" in by_name.value.fix) == (code == "spreadsheet")
        if code == "spreadsheet":
            with pytest.raises(FeedError, match=name):
                read(tmp_path)
        sheet.unlink()
    only = tmp_path / "only"
    only.mkdir()
    (only / "What I saved.ods").write_bytes(new)
    with pytest.raises(FeedError, match="What I saved"):
        read(only)


def test_a_path_given_twice_is_read_once(tmp_path: Path) -> None:
    file = as_json_lines(tmp_path, [invoice(1)])
    assert len(read(file, tmp_path, file)) == 1


@pytest.mark.parametrize(
    ("again", "wrong"),
    [
        ('"total": "1.00"', "total"),
        ('"total": "170.50"', ""),
        ('"id": "inv_2"', "id"),
        ('"lines": []', "lines"),
        ('"finalized_at": "2026-11-01T00:00:00Z"', ""),
    ],
)
def test_a_key_that_is_there_twice_with_two_values_has_none(again: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text(json.dumps(invoice(1))[:-1] + f", {again}}}\n")
    [record] = read(file)
    found = (record.field, record.reason) if isinstance(record, BadRecord) else ("", "")
    assert found == (wrong, "is there twice, with two values" if wrong else "")


@pytest.mark.parametrize("form", FILE_FORMS)
def test_the_fingerprint_changes_with_the_files_and_only_then(form: str, tmp_path: Path) -> None:
    path = FILE_FORMS[form](tmp_path, clinic())
    before = FileFeed([path]).fingerprint
    read(path)
    assert FileFeed([path]).fingerprint == before
    file = next(path.glob("[ei]*")) if path.is_dir() else path  # the export itself, or invoices.csv
    file.write_bytes(file.read_bytes() + b"\n")
    assert FileFeed([path]).fingerprint != before


def test_json_lines_stream_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "big.jsonl"
    with file.open("w") as stream:
        stream.writelines(json.dumps(invoice(number)) + "\n" for number in range(10_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in FileFeed([file]).records()) == 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000 < file.stat().st_size
