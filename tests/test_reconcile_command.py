"""`reconcile`: what is asked and refused, what a person sees, what a script gets, and what is written where."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import proofs
import pytest
from proofs import FIGURES, PAYMENT, STRANGE, money
from pushing import Clinic
from rich.cells import cell_len

from caspen_xero.cli import output
from caspen_xero.cli.streams import NotTaken
from caspen_xero.commands import each_on_its_own
from caspen_xero.sync.reconciling import prove as seam
from caspen_xero.sync.reconciling.bridge import UNACCOUNTED
from caspen_xero.sync.reconciling.ledger import Asked
from caspen_xero.sync.reconciling.proof import Proof
from caspen_xero.sync.reconciling.tables import Column, Table
from caspen_xero.xero.errors import LimitReached

Proves = Callable[[Proof], list[Asked]]


@pytest.fixture
def proves(monkeypatch: pytest.MonkeyPatch) -> Proves:
    """Has each reconciliation find this, dated as it was asked; gives the list of what was asked."""

    def finds(found: Proof) -> list[Asked]:
        seen: list[Asked] = []

        def prove(*given: Any, announce: Callable[[int], None], tell: Callable[[int, int | None], None]) -> Proof:
            seen.append(given[3])
            announce(found.calls)
            tell(1, 2)
            return replace(found, asked=given[3])

        monkeypatch.setattr(seam, "prove", prove)
        return seen

    return finds


def nobody_reads(text: str) -> None:
    raise NotTaken(BrokenPipeError())


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


# --- what is asked


def test_without_options_it_is_all_until_today_and_debtors_as_at_that_day(clinic: Clinic, proves: Proves) -> None:
    asked = proves(proofs.equal())
    assert clinic.cli("reconcile").exit_code == 0
    (one,) = asked
    assert (one.first, one.as_at) == (None, one.last)
    assert abs((one.last - date.today()).days) <= 1


def test_a_period_and_a_day_are_taken_as_they_are_typed(clinic: Clinic, proves: Proves) -> None:
    asked = proves(proofs.equal())
    clinic.cli("reconcile", "--from", "2026-10-01", "--to", "2026-10-31")
    clinic.cli("reconcile", "--to", "2026-10-31", "--as-at", "2026-09-30")
    assert asked == [
        Asked(date(2026, 10, 1), date(2026, 10, 31), date(2026, 10, 31)),
        Asked(None, date(2026, 10, 31), date(2026, 9, 30)),
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--from", "1 Nov"), "bad-date"),
        (("--to", "2026-02-30"), "bad-date"),
        (("--as-at", "20261130"), "bad-date"),
        (("--as-at", ""), "bad-date"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), "bad-period"),
        (("--from", "2099-01-01"), "bad-period"),
        (("--from", "0001-01-01", "--to", "2026-12-31"), "bad-date"),
        (("--from", "1999-12-31"), "bad-date"),
        (("--to", "9999-12-31"), "bad-date"),
        (("--as-at", "9999-12-31"), "bad-date"),
        (("--as-at", "2101-01-01"), "bad-date"),
        (("--csv", ""), "bad-path"),
        (("--csv", "{tmp}/no/such"), "place-unusable"),
        (("--csv", "{tmp}/file.html"), "place-unusable"),
        (("--html", "{tmp}/no/page.html"), "place-unusable"),
        (("--html", "{tmp}/page.txt"), "place-unusable"),
        (("--html", "{tmp}/file.html"), "place-unusable"),
        (("--html", "{tmp}/folder.html"), "place-unusable"),
        (("--csv", "{tmp}/export"), "place-unusable"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    clinic: Clinic, proves: Proves, tmp_path: Path, options: tuple[str, ...], code: str
) -> None:
    asked = proves(proofs.equal())
    (tmp_path / "file.html").write_text("<h1>A page of somebody else</h1>")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "invoices.csv").write_text("id,number\n")
    done = clinic.cli("reconcile", "--json", *(one.format(tmp=tmp_path) for one in options))
    assert (done.exit_code, done.json["error"]["code"]) == (2, code)
    assert done.json["error"]["fix"]
    assert asked == []
    assert clinic.calls() == []
    assert (tmp_path / "export" / "invoices.csv").read_text() == "id,number\n"
    assert (tmp_path / "file.html").read_text() == "<h1>A page of somebody else</h1>"


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever runs this may write anywhere")
def test_a_folder_that_may_not_be_written_is_told_before_anything_is_read(
    clinic: Clinic, proves: Proves, tmp_path: Path
) -> None:
    asked = proves(proofs.equal())
    (tmp_path / "locked").mkdir(mode=0o500)
    for option in (("--csv", tmp_path / "locked"), ("--html", tmp_path / "locked" / "page.html")):
        done = clinic.cli("reconcile", "--json", *option)
        assert (done.exit_code, done.json["error"]["code"]) == (2, "place-unusable")
    assert asked == []


def test_the_tables_do_not_go_where_caspens_records_are_read_from(
    clinic: Clinic, proves: Proves, tmp_path: Path
) -> None:
    asked = proves(proofs.equal())
    source = tmp_path / "source"
    source.mkdir()
    (source / "clinic.jsonl").write_text(
        json.dumps({"object": "tax_rate", "id": "t", "name": "GST", "rate": "10"}) + "\n"
    )
    assert clinic.cli("settings", "set", "--source", source).exit_code == 0
    for folder in (source, source / ".." / "source"):
        done = clinic.cli("reconcile", "--json", "--csv", folder)
        assert (done.exit_code, done.json["error"]["code"]) == (2, "place-unusable")
    assert asked == []
    assert [file.name for file in source.iterdir()] == ["clinic.jsonl"]


def test_a_sign_in_that_is_gone_is_told_as_everywhere(clinic: Clinic, home: Path) -> None:
    (home / "default" / "tokens.json").unlink()
    assert clinic.cli("reconcile").exit_code == 4


def test_the_days_limit_ends_it_with_6_and_its_own_words(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: Any, **__: Any) -> Proof:
        raise LimitReached("day", 3600)

    monkeypatch.setattr(seam, "prove", stops)
    done = clinic.cli("reconcile")
    assert done.exit_code == 6
    assert "it goes on where it stopped" in done.stderr


# --- what a person sees


def test_equal_books_are_said_to_be_equal_with_how_many_and_when(clinic: Clinic, proves: Proves) -> None:
    proves(proofs.equal(1204))
    done = clinic.cli("reconcile", "--from", "2026-11-01", "--to", "2026-11-30")
    assert done.exit_code == 0
    assert "EQUAL TO THE CENT: 1,204 invoices, with their lines, payments and credit notes." in done.stdout
    assert "Caspen and Demo Company (AU) in Xero" in done.stdout
    assert "2026-11-01 to 2026-11-30, amounts in AUD" in done.stdout
    assert "as at 2026-11-30" in done.stdout
    assert "in about 9 calls" in done.stderr
    assert "What to do" not in done.stdout
    assert "INV-0007" not in done.stdout  # not thousands of equal rows
    assert "In full in --html FILE and --csv DIR: " in done.stdout
    assert len(done.stdout.splitlines()) < 60


def test_each_difference_is_shown_with_both_figures_and_what_to_do_once(clinic: Clinic, proves: Proves) -> None:
    proves(proofs.unequal(FIGURES, replace(FIGURES, code="due-date", caspen="2026-11-15", xero="2026-11-16"), STRANGE))
    done = clinic.cli("reconcile")
    assert done.exit_code == 3
    assert "NOT EQUAL: 1 of 3 invoices differs; 1 document in Xero is not in Caspen (3 differences)." in done.stdout
    for words in ("subtotal 100.00, tax 10.00, total 110.00", "subtotal 100.00, tax 10.01, total 110.01", "2026-11-16"):
        assert words in done.stdout
    for line in each_on_its_own(FIGURES.fix):
        assert done.stdout.count(f"  {line}\n") == 1
    assert "for INV-0001" in done.stdout
    assert done.stdout.index("Differences") < done.stdout.index("By month: DIFFERS")


def test_what_a_person_has_accepted_is_shown_and_is_no_failure(clinic: Clinic, proves: Proves) -> None:
    proves(proofs.unequal(replace(FIGURES, accepted=True)))
    done = clinic.cli("reconcile")
    assert done.exit_code == 0
    assert "but for what a person has accepted on 1 invoice." in done.stdout
    assert "(accepted)" in done.stdout
    assert "What to do" not in done.stdout


def test_what_is_not_in_xero_yet_ends_it_with_3(clinic: Clinic, proves: Proves) -> None:
    proves(replace(proofs.equal(), not_yet=2))
    done = clinic.cli("reconcile")
    assert done.exit_code == 3
    assert "NOT COMPLETE: 2 invoices of Caspen's are not in Xero yet." in done.stdout
    proves(replace(proofs.equal(), money_not_yet=1))
    done = clinic.cli("reconcile")
    assert done.exit_code == 3
    assert "NOT COMPLETE: 1 payment or credit note of Caspen's is not in Xero yet." in done.stdout


def test_tables_that_differ_are_never_said_to_be_equal(clinic: Clinic, proves: Proves) -> None:
    proves(replace(proofs.equal(), tables=proofs.tables(off="0.01")))
    done = clinic.cli("reconcile")
    assert done.exit_code == 3
    told = " ".join(done.stdout.split())
    assert "NOT EQUAL: The sums differ, though nothing was found one by one, in: " in told
    assert "By month, By tax rate" in told
    assert "TO THE CENT" not in told
    told = clinic.cli("reconcile", "--json").json
    assert (told["equal"], told["differences"], told["unexplained"][:2]) == (False, [], ["bridge", "by_month"])
    assert "The sums differ" in " ".join(clinic.cli("reconcile", "--quiet").stderr.split())
    waits = replace(proofs.equal(), tables=proofs.tables(off="0.01"), money_not_yet=1)
    proves(waits)
    told = " ".join(clinic.cli("reconcile").stdout.split())
    assert "NOT EQUAL: The sums differ" in told
    assert "What is there is equal" not in told


def test_what_a_person_has_accepted_is_no_reason_for_a_bridge_that_does_not_close(
    clinic: Clinic, proves: Proves
) -> None:
    found = proofs.unequal(replace(FIGURES, accepted=True))
    assert found.is_equal
    columns = proofs.columns(("code", "Code"), ("amount", "Amount", "amount"))
    open_one = Table(
        "bridge", "From Caspen to Xero", "", columns, [[UNACCOUNTED, proofs.money("0.01")]], is_equal=False
    )
    proves(replace(found, tables=[open_one, *found.tables[1:]]))
    done = clinic.cli("reconcile")
    assert done.exit_code == 3
    words = "The sums differ, though what was found one by one does not account for it, in: From Caspen to Xero."
    assert words in " ".join(done.stdout.split())


def test_a_period_without_invoices_is_not_said_to_be_proved(clinic: Clinic, proves: Proves) -> None:
    proves(proofs.equal(0))
    done = clinic.cli("reconcile")
    assert done.exit_code == 0
    assert "NOTHING TO COMPARE" in done.stdout


def test_a_head_is_on_one_line_where_there_is_room(
    clinic: Clinic, proves: Proves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    columns = proofs.columns(("tax_rate", "Tax rate"), *proofs.BOTH)
    rows = [["GST", *proofs.both("22000000", "22000000", "2200000", "2200000")]]
    proves(replace(proofs.equal(), tables=[Table("by_tax_rate", "By tax rate", "", columns, rows)]))
    said = clinic.cli("reconcile").stdout
    assert re.search(r"^Tax rate +Figure +Caspen +Xero +Difference", said, re.MULTILINE), said


@pytest.mark.parametrize("columns", [30, 40, 57, 70, 80, 200])
def test_what_a_screen_does_not_show_of_a_table_is_named_and_the_difference_is_shown(
    clinic: Clinic, proves: Proves, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    sent = ("sent", "As sent", "amount"), ("recoded", "Recoded", "amount")
    number = ("caspen_number", "Number in Caspen", "count"), ("xero_number", "Number in Xero", "count")
    titles = proofs.columns(
        ("account", "Account"), *number, *sent, *proofs.ONE, spare=("sent", "caspen_number", "xero_number")
    )
    amounts = ("1111111.11", "2222222.22", "3333333.33", "4444444.44", "1111111.12")
    rows = [["200 Sales", 7, 8, *map(proofs.money, amounts)]]
    table = Table("by_account", "By account", "", titles, rows)
    proves(replace(proofs.equal(), tables=[table]))
    said = clinic.cli("reconcile").stdout.partition("By account")[2]
    assert all(cell_len(line) <= columns for line in said.splitlines())
    shown, _, told = " ".join(said.split()).partition(" Not shown, as the screen is too narrow: ")
    gone = told.partition(". ")[0].split(", ")
    for column, cell in zip(titles, rows[0], strict=True):
        words = f"{cell:,.2f}" if isinstance(cell, Decimal) else str(cell)
        assert (f" {words} " in f"{shown} ") != (column.title in gone), (column.title, said)
    assert "Difference" not in gone


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_no_amount_is_broken_on_any_screen(
    clinic: Clinic, proves: Proves, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    tables = proofs.tables(20_000, off="12345.67", currencies=("AUD", "NZD"))
    proves(replace(proofs.unequal(), tables=tables))
    said = clinic.cli("reconcile").stdout
    assert max(map(len, said.splitlines())) <= columns
    for amount in ("2,200,000.00", "2,212,345.67", "12,345.67"):
        assert re.search(rf"(?<!\S){amount}(?!\S)", said)
    assert "AUD" in said
    assert "NZD" in said


def test_invoices_from_outside_the_period_are_told_from_those_that_were_compared(
    clinic: Clinic, proves: Proves
) -> None:
    titles = proofs.columns(("number", "Number"), ("caspen_date", "Date in Caspen", "date"), *proofs.ONE)
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 9, 3)]
    rows = [[f"INV-{day:%m%d}", day, *proofs.both("110", "110")] for day in days]
    proves(replace(proofs.equal(2), tables=[Table("invoices", "Invoices, one by one", "", titles, rows, brief=[])]))
    said = " ".join(clinic.cli("reconcile", "--from", "2026-11-01", "--to", "2026-11-30").stdout.split())
    assert "2 invoices, with their lines" in said
    assert "one by one (4: 2 of the period, and 2 from outside it that are not settled as at 30 Nov 2026)" in said


def test_what_differs_from_outside_the_period_is_not_counted_in_it(clinic: Clinic, proves: Proves) -> None:
    before = replace(FIGURES, number="INV-0900", invoice_id="inv_900")
    proves(replace(proofs.unequal(FIGURES, before), from_outside=frozenset({"inv_900"})))
    said = " ".join(clinic.cli("reconcile", "--from", "2026-11-01", "--to", "2026-11-30").stdout.split())
    assert "1 of 3 invoices differs; 1 invoice from outside the period differs (2 differences)." in said


def test_a_quiet_run_says_nothing_of_equal_books_and_one_sentence_of_others(clinic: Clinic, proves: Proves) -> None:
    proves(proofs.equal())
    done = clinic.cli("reconcile", "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    proves(proofs.unequal())
    done = clinic.cli("reconcile", "--quiet", "--to", "2026-11-30")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "Demo Company (AU), from the beginning to 2026-11-30: NOT EQUAL: 2 of 3 invoices differ" in done.stderr


def test_each_command_of_a_fix_is_on_a_line_of_its_own(clinic: Clinic, proves: Proves) -> None:
    odd = "caspen-xero invoices accept 'INV; 1'"
    proves(
        proofs.unequal(replace(FIGURES, fix=f"Put Caspen's right, then: caspen-xero pull; if it may stay so: {odd}"))
    )
    said = clinic.cli("reconcile").stdout.splitlines()
    begins = said.index("  Put Caspen's right, then:")
    assert said[begins + 1 : begins + 4] == ["    caspen-xero pull", "  if it may stay so:", f"    {odd}"]


def test_a_fix_of_many_invoices_is_told_once_for_all_of_them(clinic: Clinic, proves: Proves) -> None:
    finds = [
        replace(
            FIGURES, number=f"INV-{number:04}", invoice_id=str(number), fix=FIGURES.fix.replace("0001", f"{number:04}")
        )
        for number in range(1, 100)
    ]
    proves(proofs.unequal(*finds, invoices=100))
    said = clinic.cli("reconcile").stdout
    assert said.count("--overwrite") == 1
    assert "    caspen-xero push --overwrite INVOICE\n" in said
    assert "      for INV-0001, INV-0002, " in said
    assert "INV-0099" in said.partition("What to do:")[2]


def test_names_from_outside_forge_no_line(clinic: Clinic, proves: Proves) -> None:
    odd = "\nError: forged\x1b[2J [red]"
    proves(proofs.unequal(replace(FIGURES, number=f"INV{odd}", party=odd, caspen=f"contact{odd}", subject=odd)))
    done = clinic.cli("reconcile")
    assert not [line for line in done.stdout.splitlines() if line.strip().startswith("Error")]
    assert "\x1b" not in done.stdout


def test_a_run_is_in_the_log_as_it_ended(clinic: Clinic, proves: Proves) -> None:
    from contextlib import closing

    from caspen_xero.store import log
    from caspen_xero.store.store import Store

    proves(proofs.unequal())
    clinic.cli("reconcile")
    with closing(Store(clinic.home / "default" / "store.sqlite")) as store:
        last = log.last(store, "reconcile")
    assert last is not None
    assert (last.exit_code, last.result["compared"], last.result["found"]) == (3, 3, 3)


# --- for scripts


def test_json_has_the_finds_and_every_table_by_its_key(clinic: Clinic, proves: Proves) -> None:
    proves(proofs.unequal(FIGURES, PAYMENT, STRANGE))
    done = clinic.cli("reconcile", "--json", "--from", "2026-11-01", "--to", "2026-11-30")
    told = done.json
    assert done.exit_code == 3
    assert {name: told[name] for name in ("command", "organisation", "from", "to", "as_at", "began_at", "read_at")} == {
        "command": "reconcile",
        "organisation": "Demo Company (AU)",
        "from": "2026-11-01",
        "to": "2026-11-30",
        "as_at": "2026-11-30",
        "began_at": "2026-11-30T08:01:12Z",
        "read_at": "2026-11-30T08:01:12Z",
    }
    assert (told["equal"], told["compared"], told["proved"], told["not_yet"]) == (False, 3, 1, 0)
    assert told["tenant_id"]
    first, _, strange = told["differences"]
    assert first == {
        "code": "figures",
        "what": "subtotal, tax or total",
        "number": "INV-0001",
        "invoice_id": "inv_0001",
        "client": "Theodora van der Meulen-Castellanos",
        "xero_id": FIGURES.xero_id,
        "subject": None,
        "date": "2026-11-01",
        "caspen": FIGURES.caspen,
        "xero": FIGURES.xero,
        "currency": "AUD",
        "amount": "0.01",
        "accepted": False,
        "fix": FIGURES.fix,
    }
    assert (strange["invoice_id"], strange["caspen"], strange["fix"]) == (None, None, None)
    assert told["information"] == []
    (month,) = told["by_month"]
    assert (month["caspen_net"], month["xero_net"], month["difference_net"]) == ("330.00", "330.01", "0.01")
    assert told["by_month_totals"][0]["kind"] is None
    assert [row["number"] for row in told["invoices"]] == ["INV-0001", "INV-0002", "INV-0003"]
    assert (told["csv"], told["html"]) == (None, None)
    assert told["seconds"] >= 0


def test_every_command_names_the_workspace_that_was_named(clinic: Clinic, proves: Proves, tmp_path: Path) -> None:
    left_out = proofs.tables()[-2]
    fixed = replace(left_out, columns=[*left_out.columns, Column("fix", "What to do")])
    rows = [[*row, "caspen-xero push INV-0099"] for row in left_out.rows]
    proves(replace(proofs.unequal(FIGURES), tables=[replace(fixed, rows=rows)]))
    (clinic.home / "default").rename(clinic.home / "north")
    written = ("--csv", tmp_path / "tables", "--html", tmp_path / "page.html")
    told = clinic.cli("reconcile", "--workspace", "north", "--json", *written).json
    wanted = "caspen-xero push --workspace north"
    assert f"{wanted} --overwrite INV-0001" in told["differences"][0]["fix"]
    assert told["left_out"][0]["fix"] == f"{wanted} INV-0099"
    assert f"{wanted} INV-0099" in (tmp_path / "tables" / "left_out.csv").read_text()
    assert f"{wanted} --overwrite INV-0001" in (tmp_path / "page.html").read_text()
    assert f"{wanted} --overwrite INV-0001" in clinic.cli("reconcile", "--workspace", "north").stdout


# --- what is written


def test_csv_is_a_folder_with_a_file_for_each_table(clinic: Clinic, proves: Proves, tmp_path: Path) -> None:
    table = proofs.tables()[-1]
    odd = replace(
        table, key="left_out", rows=[["=1+1", date(2026, 11, 1), "Zoë", "AUD", *proofs.both("-5", "-5", "0", "0")]]
    )
    proves(replace(proofs.unequal(), tables=[*proofs.tables(off="0.01")[:3], odd]))
    folder = tmp_path / "november"
    done = clinic.cli("reconcile", "--csv", folder)
    assert done.exit_code == 3
    assert sorted(file.name for file in folder.iterdir()) == [
        "bridge.csv",
        "by_month.csv",
        "by_tax_rate.csv",
        "left_out.csv",
        "proof.csv",
    ]
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    (row,) = rows_of(folder / "left_out.csv")
    assert (row["number"], row["client"], row["caspen_total"]) == ("'=1+1", "Zoë", "-5.00")
    (month,) = rows_of(folder / "by_month.csv")  # no row of totals
    assert month["difference_net"] == "0.01"
    (about,) = rows_of(folder / "proof.csv")
    assert (about["organisation"], about["equal"], about["compared"]) == ("Demo Company (AU)", "no", "3")
    assert f"Written: {folder}" in done.stdout


def test_what_is_to_be_written_is_written_also_where_the_screens_reader_leaves(
    clinic: Clinic, proves: Proves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `| head`."""
    proves(proofs.equal())
    monkeypatch.setattr(output, "give", nobody_reads)
    clinic.cli("reconcile", "--csv", tmp_path / "november", "--html", tmp_path / "november.html")
    assert (tmp_path / "november.html").is_file()
    assert (tmp_path / "november" / "proof.csv").is_file()


def test_the_same_places_are_written_again(clinic: Clinic, proves: Proves, tmp_path: Path) -> None:
    folder, page = tmp_path / "november", tmp_path / "november.html"
    proves(proofs.unequal())
    clinic.cli("reconcile", "--csv", folder, "--html", page)
    proves(proofs.equal())
    done = clinic.cli("reconcile", "--csv", folder, "--html", page, "--json")
    assert (done.exit_code, done.json["csv"], done.json["html"]) == (0, str(folder), str(page))
    assert rows_of(folder / "proof.csv")[0]["equal"] == "yes"
    assert "EQUAL TO THE CENT" in page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_place_that_vanished_meanwhile_is_told_and_nothing_half_is_left(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()

    def prove(*given: Any, **_: Any) -> Proof:
        folder.rmdir()
        return replace(proofs.equal(), asked=given[3])

    monkeypatch.setattr(seam, "prove", prove)
    done = clinic.cli("reconcile", "--html", folder / "page.html")
    assert done.exit_code == 1
    assert "EQUAL TO THE CENT" in done.stdout  # what was found is said all the same
    assert "could not be written" in done.stderr
    assert not folder.exists()


def test_a_full_disk_leaves_what_was_there(
    clinic: Clinic, proves: Proves, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "november"
    proves(proofs.equal())
    assert clinic.cli("reconcile", "--csv", folder).exit_code == 0
    before = {file.name: file.read_text() for file in folder.iterdir()}
    proves(replace(proofs.equal(4), tables=proofs.tables(4)))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert clinic.cli("reconcile", "--csv", folder).exit_code == 1
    assert {file.name: file.read_text() for file in folder.iterdir()} == before


def by_key(rows: list[dict[str, Any]], key: str) -> Mapping[str, Any]:
    return {row[key]: row for row in rows}


def test_every_decimal_of_a_script_is_exact(clinic: Clinic, proves: Proves) -> None:
    proves(replace(proofs.equal(), tables=proofs.tables(1, off="0.00")))
    told = clinic.cli("reconcile", "--json").json
    assert Decimal(by_key(told["invoices"], "number")["INV-0001"]["caspen_total"]) == money("110")


def test_the_document_names_every_code_and_every_table(clinic: Clinic) -> None:
    from caspen_xero.sync.reconciling.finds import FINDS, INFORMATION

    document = (Path(__file__).parent.parent / "docs" / "reconcile.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", document, re.MULTILINE))
    assert {code: rows.get(code) for code in FINDS} == {code: words for code, (words, _) in FINDS.items()}
    assert {code: rows.get(code) for code in INFORMATION} == dict(INFORMATION)
    tables = {key for key in clinic.cli("reconcile", "--json").json if key.endswith("_totals")}
    chapter = document.partition("## The tables")[2].partition("\n## ")[0]
    assert [key for key in tables if f"`{key.removesuffix('_totals')}`" not in chapter] == []
