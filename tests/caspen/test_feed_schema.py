"""What `schema feed` and docs/feed.md say of the records is what the program takes."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from export_forms import clinic

from caspen_xero.caspen.feed_document import feed_document
from caspen_xero.caspen.feed_fields import INSIDE, KINDS, OUTSIDE, cells_of, fields_of
from caspen_xero.caspen.feed_schema import feed_schema
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.record_errors import RecordError
from caspen_xero.caspen.records import RECORD_TYPES, parse_record

ROOT = Path(__file__).parent.parent.parent


def test_docs_feed_is_what_the_models_say() -> None:
    assert (ROOT / "docs" / "feed.md").read_text("utf-8") == feed_document()


def test_every_field_has_a_meaning_and_an_example() -> None:
    for kind in RECORD_TYPES:
        for one in fields_of(kind):
            assert one.meaning, (kind, one.path)
            assert one.example != "" or not one.is_one_cell, (kind, one.path)


def test_the_examples_of_a_kind_are_a_record_of_it() -> None:
    for stem, kind in KINDS.items():
        record: dict[str, Any] = {"object": kind}
        for path, one in cells_of(stem).items():
            outer, _, inner = path.rpartition(".")
            holder = record
            for step in outer.split(".") if outer else ():
                is_list = stem in INSIDE and step == INSIDE[stem].field
                holder = holder.setdefault(step, [{}] if is_list else {})
                holder = holder[0] if isinstance(holder, list) else holder
            holder[inner] = [one.example] if one.type == "texts" else one.example
        left_out: list[str] = []
        assert parse_record(record, left_out).object == kind
        assert left_out == []


def test_the_schema_takes_what_the_program_takes_and_refuses_what_it_refuses() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = feed_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    samples = sorted((ROOT / "caspen_xero" / "cli").glob("sample_clinic*.jsonl"))
    good = [json.loads(line) for file in samples for line in file.read_text("utf-8").splitlines()]
    good += [*clinic(), {"object": "tax_rate", "id": 7, "name": "GST", "rate": 10, "archived": None, "more": [1]}]
    for record in good:
        parse_record(record)
        assert validator.is_valid(record), record["id"]
    needed = 0
    for record in clinic():
        for one in fields_of(record["object"]):
            if "." in one.path or one.path not in record:
                continue
            for value in (None, "12,50", {"an": "object"}, "gone"):
                changed = copy.deepcopy(record)
                if value == "gone":
                    del changed[one.path]
                else:
                    changed[one.path] = value
                try:
                    parse_record(changed)
                except (RecordError, ValueError):
                    needed += 1
                    assert not validator.is_valid(changed), (record["object"], one.path, value)
                else:
                    odd = value in ("12,50", {"an": "object"})  # the program leaves odd values of spare fields out
                    assert odd or validator.is_valid(changed), (record["object"], one.path, value)
    assert needed > 50


def test_the_templates_are_read_as_an_empty_export_and_never_written_over_anything(
    cli: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "templates"
    told = cli("schema", "feed", "--csv", folder)
    assert told.exit_code == 0
    assert sorted(file.stem for file in folder.iterdir()) == sorted([*KINDS, *OUTSIDE])
    assert list(FileFeed([folder]).records()) == []
    for stem in KINDS:
        with (folder / f"{stem}.csv").open(encoding="utf-8-sig", newline="") as file:
            headings = next(csv.reader(file))
        assert headings == [path for path in cells_of(stem) if not re.match(r"(lines|allocations)\.", path)]
    (folder / "clients.csv").write_text("kept")
    again = cli("schema", "feed", "--csv", folder, "--json")
    assert (again.exit_code, again.json["error"]["code"]) == (1, "folder-exists")
    assert (folder / "clients.csv").read_text() == "kept"


def test_schema_feed_on_the_command_line(cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli("schema", "feed").json == feed_schema()
    file = tmp_path / "Receipts.csv"
    file.write_text("Receipt No,Date Paid,Invoice No,Method,Amount\nR1,28/11/2026,INV-1,Visa,$10.00\n")
    guess = cli("schema", "feed", "--columns", file)
    assert guess.exit_code == 0
    assert 'allocations.invoice_id = "?Invoice No"' in guess.stdout
    (tmp_path / "columns.toml").write_text(guess.stdout)
    before = cli("import", file, "--json")
    assert (before.exit_code, before.json["error"]["code"]) == (1, "columns-unconfirmed")
    columns = tmp_path / "elsewhere.toml"
    (tmp_path / "columns.toml").rename(columns)
    filled = guess.stdout.replace('status = "?"', 'status = "allocated"').replace('"?"', '"Amount"').replace('"?', '"')
    columns.write_text(filled)
    assert cli("import", file, "--json").json["error"]["code"] == "not-csv"
    done = cli("import", "--columns", columns, file, "--json")
    assert (done.exit_code, done.json["new"], done.json["bad"]) == (0, 2, 0), done.stdout
    assert cli("schema", "feed", "--csv", "x", "--columns", "y").exit_code == 2
    assert cli("schema", "nothing").exit_code == 2
    columns.rename(tmp_path / "columns.toml")  # beside its files, where a source that is a folder finds it by itself
    assert cli("import", tmp_path, "--json").json["unchanged"] == 2
