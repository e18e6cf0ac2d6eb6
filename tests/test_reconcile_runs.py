"""A reconciliation from its first call to what is kept of it: limits, breaks, other runs, files, and what commands say since."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import in_xero
import moved
import pytest
from bookkeeping import killed_at
from clinics import client, invoice, line
from large_books import large, number_of
from moved import LATER, PEOPLE, RECORDS
from one_truth import ends, states
from proving import DIFFERS, TO, Proved, is_equal, proves
from pushing import Clinic, commands_in
from running import another_run

INV = "INV-0003"
TRY_AGAIN, ANOTHER_RUN, CONNECT, USAGE = 6, 7, 4, 2


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """The books in which `moved` moves things."""
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def reconcile(clinic: Clinic, *options: str | Path) -> Any:
    return clinic.cli("reconcile", "--to", TO, *options)


# --- calls


def test_a_reconciliation_writes_nothing_and_costs_few_calls(books: Clinic) -> None:
    proved = is_equal(books)
    assert books.writes() == []
    assert len(books.calls()) == proved.said["api_calls"] <= 8


def test_it_reads_xero_anew_each_time(books: Clinic) -> None:
    is_equal(books)
    moved.lines(INV, (1, "150.01", None))(books)  # which no answer about changes tells of
    assert proves(books).exit_code == DIFFERS


def of_so_many(clinic: Clinic, count: int) -> Proved:
    """Books of so many invoices, with a payment on each and a credit note on some, are proved to be equal."""
    large(clinic, count).control("clock", seconds=60)  # else all of it is new while it is read
    proved = is_equal(clinic)
    assert (proved.said["compared"], proved.said["proved"]) == (count, count)
    (invoices,) = [row for row in proved.rows("by_month_totals") if row["what"].lower() == "invoices"]
    assert Decimal(invoices["xero_total"]) == 11 * count
    assert len(clinic.calls()) == proved.said["api_calls"]
    return proved


def test_ten_thousand_invoices_cost_at_most_25_calls(ready: Clinic) -> None:
    assert of_so_many(ready, 10_000).said["api_calls"] <= 25


def test_what_was_moved_on_the_last_page_is_found(ready: Clinic) -> None:
    assert of_so_many(ready, 1_250).said["api_calls"] <= 8
    moved.lines(number_of(1_250), (1, "10.01", None))(ready)
    assert {row["number"] for row in proves(ready).finds} == {number_of(1_250)}


# --- what ends it, and going on


def whole_pages(clinic: Clinic) -> list[str]:
    """The pages of whole lists that were read, not of what has changed lately: each as its list, its question and its number."""
    found = []
    for one in clinic.requests():
        asked = {name.lower(): value for name, value in one["query"].items()}
        headers = {name.lower(): value for name, value in one["headers"].items()}
        what = one["path"].rpartition("/")[2]
        is_late = datetime.now(UTC).strftime("%Y-%m-%d") in headers.get("if-modified-since", "")
        if (
            one["status"] == 200
            and what in ("Invoices", "Payments", "CreditNotes")
            and "ids" not in asked
            and not is_late
        ):
            found.append(f"{what} {asked.get('where')} {asked.get('page')}")
    return found


@pytest.mark.parametrize("after", [1, 2])
def test_the_days_limit_ends_it_and_the_same_command_goes_on(books: Clinic, after: int) -> None:
    books.control(
        "faults", kind="429-day", path="/api.xro/2.0/(Invoices|Payments|CreditNotes)", after=after, seconds=40_000
    )
    stopped = reconcile(books, "--json")
    assert (stopped.exit_code, stopped.json["error"]["exit_code"]) == (TRY_AGAIN, TRY_AGAIN)
    assert "reconcile" in stopped.json["error"]["fix"] + stopped.json["error"]["message"]
    before = whole_pages(books)
    assert len(before) == after
    books.forget_calls()
    is_equal(books)
    assert not set(before) & set(whole_pages(books))


@pytest.mark.parametrize(("call", "moment"), [(1, "before"), (2, "after"), (3, "before"), (4, "after")])
def test_killed_at_any_call_the_next_one_ends_it(books: Clinic, call: int, moment: str) -> None:
    with killed_at(books, call, moment, "reconcile", "--to", TO):
        pass
    is_equal(books)
    with killed_at(books, call, moment, "reconcile", "--to", TO):
        pass
    moved.edits(INV, Date="2026-11-03")(books)  # after some of it was read
    proved = proves(books)
    assert {row["code"] for row in proved.finds} == {"date"}
    assert states(books)[f"inv_{INV}"] == "differs"


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "503", "500-before", "html", "truncate"])
def test_where_xero_does_not_answer_it_is_to_be_tried_again(books: Clinic, waits: list[float], kind: str) -> None:
    books.control("faults", kind=kind, path="/api.xro/2.0/Payments", count=None)
    stopped = reconcile(books, "--json")
    assert stopped.exit_code == TRY_AGAIN, stopped.stdout
    books.all_is_well_in_xero()
    is_equal(books)


def test_the_minutes_limit_is_waited_for(books: Clinic, waits: list[float]) -> None:
    books.control("faults", kind="429-minute", path="/api.xro/2.0/Payments", seconds=7)
    is_equal(books)


def test_one_at_a_time(books: Clinic) -> None:
    with another_run(books):
        refused = reconcile(books, "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (ANOTHER_RUN, "another-run")
    assert books.calls() == []


def test_without_a_sign_in_it_says_so(books: Clinic) -> None:
    assert books.cli("disconnect").exit_code == 0
    assert reconcile(books, "--json").exit_code == CONNECT


def test_what_changes_in_xero_while_it_is_read_is_seen_whole(books: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment that comes between the invoices' page and the payments' is no difference of its own making."""
    door = books.sandbox.xero.gateway
    leave = door.leave
    done: list[str] = []

    def and_then(admission: Any) -> None:
        leave(admission)
        if admission.request.path.startswith("Invoices") and not done:
            done.append(in_xero.pays(books, INV, "25.00"))

    monkeypatch.setattr(door, "leave", and_then)
    finds = proves(books).finds
    assert done
    assert [(row["number"], row["code"]) for row in finds] == [(INV, "payment-unknown-in-caspen")]


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "2026-11-31"),
        ("--from", "yesterday"),
        ("--from", "2027-01-01"),  # after the end
        ("--as-at", "soon"),
        ("--csv", "/dev/null/no/folder"),
        ("--html", "/dev/null/no/page.html"),
    ],
)
def test_what_cannot_be_meant_is_said_before_any_call(books: Clinic, options: tuple[str, ...]) -> None:
    refused = reconcile(books, "--json", *options)
    assert (refused.exit_code, refused.json["error"]["exit_code"]) in ((USAGE, USAGE), (1, 1)), refused.stdout
    assert books.calls() == []


# --- what is written


class _Page(HTMLParser):
    """What stands in a page: tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def test_the_page_is_one_file_that_needs_nothing_else(books: Clinic, tmp_path: Path) -> None:
    moved.lines(INV, (1, "150.01", None))(books)
    books.takes(client("1048239", "<script>alert(1)</script>", "& Co"), invoice("INV-0100", client_id="1048239"))
    assert books.push().exit_code in (0, DIFFERS)
    file = tmp_path / "proof.html"
    assert reconcile(books, "--html", file).exit_code == DIFFERS
    text = file.read_text("utf-8")
    page = _Page(text)
    names = [tag for tag, _ in page.tags]
    assert not {"script", "iframe", "img", "object", "embed", "video", "audio"} & set(names)
    assert not re.search(r"@import|url\(|https?://[^\s\"<]*\.(?:css|js|woff2?|png)", text)
    assert "<script>alert" not in text
    assert (names.count("h1"), names.count("title"), names.count("html")) == (1, 1, 1)
    assert dict(page.tags)["html"].get("lang")
    anchors = [attrs["href"] for tag, attrs in page.tags if tag == "a" and str(attrs.get("href", "")).startswith("#")]
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert anchors
    assert len(ids) == len(set(ids))
    assert {str(one)[1:] for one in anchors} <= set(ids)
    for said in (INV, "240.00", "240.01", "Demo Company (AU)", "INV-0001"):
        assert said in page.said, said
    assert page.said.index("240.01") < page.said.index("INV-0001")  # the differences first
    assert "print" in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_table_is_a_file_of_its_own(books: Clinic, tmp_path: Path) -> None:
    books.takes(client("1048239", "=cmd|' /C calc'!A0", "+1"), invoice("INV-0100", client_id="1048239"))
    books.push()
    moved.lines(INV, (1, "150.01", None))(books)
    folder = tmp_path / "proof"
    written = json.loads(reconcile(books, "--csv", folder, "--json").stdout)
    tables = {name for name, rows in written.items() if isinstance(rows, list) and not name.endswith("_totals")}
    files = {one.stem: one for one in folder.iterdir()}
    assert {"differences", "bridge", "by_month", "by_tax_rate", "by_account", "payments", "debtors", "invoices"} <= set(
        files
    )
    assert set(files) >= tables - {"information", "unexplained"}
    for key, file in files.items():
        assert file.suffix == ".csv"
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        assert len(rows) == len(written.get(key, rows)), key
        for row in rows:
            assert not any(str(value).startswith(("=", "+", "@")) for value in row.values()), (key, row)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with files["differences"].open(encoding="utf-8-sig", newline="") as opened:
        assert [row["number"] for row in csv.DictReader(opened)] == [row["number"] for row in written["differences"]]


def test_a_page_that_stood_there_is_whole_whatever_happens(books: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "month"
    folder.mkdir()
    file = folder / "proof.html"
    assert reconcile(books, "--html", file).exit_code == 0
    filed = file.read_bytes()
    books.control("faults", kind="429-day", path="/api.xro/2.0/Payments")
    assert reconcile(books, "--html", file).exit_code == TRY_AGAIN
    assert file.read_bytes() == filed
    assert os.listdir(folder) == ["proof.html"]
    moved.edits(INV, Date="2026-11-03")(books)
    assert reconcile(books, "--html", file).exit_code == DIFFERS
    assert file.read_bytes() != filed


def test_a_screen_of_80_columns_shows_sums_and_differences_alone(books: Clinic, screen: Callable[..., Any]) -> None:
    many = [invoice(f"INV-{n:04d}", [line("10.00")]) for n in range(300, 400)]
    books.takes(*many)
    assert books.push().exit_code == 0
    moved.lines(INV, (1, "150.01", None))(books)
    shown = screen("reconcile", "--to", TO)
    assert shown.exit_code == DIFFERS
    assert max(len(row.rstrip()) for row in shown.screen.splitlines()) <= 80
    assert len(shown.screen.splitlines()) < 150
    for said in (INV, "240.00", "240.01"):
        assert said in shown.screen, said
    assert "INV-0350" not in shown.screen


def test_the_fix_of_a_find_can_be_pasted_and_mends_it(books: Clinic) -> None:
    (first, *_) = books.in_xero()[INV]["LineItems"]
    moved.edits(INV, LineItems=[{"LineItemID": first["LineItemID"], "UnitAmount": "150.01"}])(books)
    (row,) = [row for row in proves(books).finds if row["code"] == "figures"]
    commands = commands_in(row["fix"])
    assert commands
    (overwrite,) = [one for one in commands if "--overwrite" in one]
    assert books.run(overwrite).exit_code == 0
    assert books.in_xero()[INV]["Total"] == Decimal("260.00")
    is_equal(books)


# --- what is kept


def status(clinic: Clinic) -> str:
    return " ".join(clinic.cli("status").stdout.split())


def test_status_says_what_was_proved(books: Clinic) -> None:
    assert "proof" not in books.cli("status", "--json").json or books.cli("status", "--json").json["proof"] is None
    is_equal(books)
    assert re.search(r"equal to the cent on \d+ \w+.*6 invoices", status(books), re.IGNORECASE), status(books)
    assert books.cli("status", "--json").json["proof"]


def test_a_find_differs_in_every_command_until_it_is_mended_and_proved_again(books: Clinic) -> None:
    assert ends(books, "pull") == 0
    books.control("clock", seconds=60)
    moved.edits("INV-0005", Reference="By hand")(books)
    assert ends(books, "pull") == 0
    moved.lines(INV, (1, "150.01", None))(books)
    assert ends(books, "pull") == 0  # which hears of changes alone
    assert set(states(books).values()) == {"synced", "draft", "void"}
    assert proves(books).exit_code == DIFFERS
    assert states(books)[f"inv_{INV}"] == "differs"
    rows = books.unsynced()
    assert rows
    assert all(row["number"] == INV and row["fix"] for row in rows)
    assert "equal to the cent" not in status(books)
    assert ends(books, "pull") == DIFFERS
    assert ends(books, "push") == DIFFERS
    moved.lines(INV, (1, "150.00", None))(books)
    is_equal(books)
    assert set(states(books).values()) == {"synced", "draft", "void"}
    assert ends(books, "pull") == 0


def test_a_find_of_money_differs_until_the_money_is_right(books: Clinic) -> None:
    moved.alters_the_payment("INV-0001", Amount=Decimal("109.99"))(books)
    assert proves(books).exit_code == DIFFERS
    assert states(books)["inv_INV-0001"] == "differs"
    moved.alters_the_payment("INV-0001", Amount=Decimal("110.00"))(books)
    is_equal(books)
    assert states(books)["inv_INV-0001"] == "synced"


def test_what_a_person_accepts_is_told_and_no_longer_counted(books: Clinic) -> None:
    moved.lines(INV, (1, "150.01", None))(books)
    assert proves(books).exit_code == DIFFERS
    assert books.cli("invoices", "accept", INV).exit_code == 0
    proved = proves(books)
    assert (proved.exit_code, proved.said["equal"]) == (0, True)
    assert proved.finds
    assert all(row["accepted"] for row in proved.finds)
    assert states(books)[f"inv_{INV}"] == "differs"
    moved.lines(INV, (1, "150.02", None))(books)  # that is another difference
    assert proves(books).exit_code == DIFFERS


def test_what_a_person_accepts_of_a_document_hides_no_money_on_it(books: Clinic) -> None:
    moved.edits("INV-0001", Reference="so that Xero has changed it")(books)
    moved.sets("INV-0001", Date="2026-11-01")(books)
    assert proves(books).exit_code == DIFFERS
    assert books.cli("invoices", "accept", "INV-0001").exit_code == 0
    assert proves(books).exit_code == 0
    moved.alters_the_payment("INV-0001", Amount=Decimal("109.99"))(books)
    proved = proves(books)
    assert [row["code"] for row in proved.finds if not row["accepted"]] == ["payment-amount"]


def test_a_proof_of_another_period_takes_no_find_away(books: Clinic) -> None:
    moved.lines(INV, (1, "150.01", None))(books)
    assert proves(books).exit_code == DIFFERS
    is_equal(books, "--from", "2026-10-01", "--to", "2026-10-31")
    assert states(books)[f"inv_{INV}"] == "differs"


def test_what_is_edited_and_pulled_is_told_once(books: Clinic) -> None:
    """What a pull has found a reconciliation finds too, and the invoice has one row of it."""
    moved.edits(INV, Date="2026-11-03")(books)
    assert ends(books, "pull") == DIFFERS
    before = [(row["number"], row["code"]) for row in books.unsynced()]
    assert proves(books).exit_code == DIFFERS
    assert [(row["number"], row["code"]) for row in books.unsynced()] == before
    assert states(books)[f"inv_{INV}"] == "differs"


def test_what_is_sent_after_a_proof_is_not_called_proved(books: Clinic) -> None:
    is_equal(books)
    books.takes({**RECORDS["inv_INV-0005"], **LATER, "due_date": "2026-11-30"})
    assert books.push().exit_code == 0
    books.takes(invoice("INV-0100", [line("70.00")]))
    assert books.push().exit_code == 0
    assert re.search(r"6 invoices|since", status(books)), status(books)
    assert states(books)["inv_INV-0100"] == "synced"
    is_equal(books)


def test_purge_and_disconnect_take_it_away(books: Clinic) -> None:
    moved.lines(INV, (1, "150.01", None))(books)
    proves(books)
    assert books.cli("disconnect", "--purge", "--yes").exit_code == 0
    assert not books.store_file.exists() or "150.01" not in books.store_file.read_bytes().decode("latin-1")
