"""What is not to be in Xero, or not yet, stands apart with its amount; periods, days, currencies and zones count as they should."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import moved
import pytest
from clinics import TAX_RATES, client, credit_note, invoice, line, payment
from conftest import sign_in
from moved import BOB, PEOPLE, RECORDS
from proving import DIFFERS, EQUAL, Proved, Truth, debtors, is_equal, proves
from pushing import Clinic

from caspen_xero.sandbox.server import Sandbox

OCTOBER, NOVEMBER = ("--from", "2026-10-01", "--to", "2026-10-31"), ("--from", "2026-11-01", "--to", "2026-11-30")
ODD_RATE = {"object": "tax_rate", "id": "tax_odd", "name": "Odd rate", "rate": "7", "archived": False}


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """The books in which `moved` moves things."""
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    return ready


# --- what is left out


def left_out(proved: Proved, number: str) -> dict[str, Any]:
    (row,) = [row for row in proved.rows("left_out") if row["number"] == number]
    return row


def test_what_is_held_stands_apart_with_its_amount_and_why(books: Clinic) -> None:
    books.takes(
        ODD_RATE, invoice("INV-0100", [line("70.00", rate="tax_odd")], subtotal="70.00", tax="4.90", total="74.90")
    )
    assert books.push().exit_code == DIFFERS
    proved = proves(books)
    assert (proved.exit_code, proved.finds, proved.said["not_yet"]) == (DIFFERS, [], 1)
    row = left_out(proved, "INV-0100")
    assert "74.90" in row.values()
    assert any("tax rate" in str(value) for value in row.values()), row
    assert proved.said["compared"] == proved.said["proved"] == 6


def test_what_was_not_pushed_yet_stands_apart(books: Clinic) -> None:
    books.takes(invoice("INV-0100", [line("70.00")]))
    proved = proves(books)
    assert (proved.exit_code, proved.finds, proved.said["not_yet"]) == (DIFFERS, [], 1)
    assert "77.00" in left_out(proved, "INV-0100").values()
    books.push()
    is_equal(books)


def test_what_a_person_skips_stands_apart_and_is_no_difference(books: Clinic) -> None:
    books.takes(
        invoice("INV-0100", [line("70.00")]), credit_note("CRN-0100", [line("10.00")], invoice_id="inv_INV-0100")
    )
    books.takes(payment("5.00", ("inv_INV-0100", "5.00"), id_="pay_100"))
    assert books.cli("invoices", "skip", "INV-0100").exit_code == 0
    assert books.push().exit_code == 0
    proved = is_equal(books)
    assert "77.00" in left_out(proved, "INV-0100").values()
    assert "11.00" in left_out(proved, "CRN-0100").values()


def test_drafts_and_void_ones_stand_apart(books: Clinic) -> None:
    proved = is_equal(books)
    for number in ("INV-0007", "INV-0008"):
        assert RECORDS[f"inv_{number}"]["total"] in left_out(proved, number).values()


def test_what_is_from_before_the_start_date_stands_apart(ready: Clinic) -> None:
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--start-date", "2026-11-01", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    proved = is_equal(ready)
    assert "165.00" in left_out(proved, "INV-0004").values()
    assert "80.00" in left_out(proved, "INV-0006").values()
    assert proved.said["compared"] == 4


def test_one_from_before_the_start_date_that_was_typed_into_xero_stands_with_it(ready: Clinic) -> None:
    ready.takes(*PEOPLE, RECORDS["inv_INV-0003"], RECORDS["inv_INV-0004"])
    assert ready.cli("settings", "set", "--start-date", "2026-11-01").exit_code == 0
    assert ready.push().exit_code == 0
    moved.writes_an_invoice(ready, moved.stranger(ready), "INV-0004")
    proved = is_equal(ready)
    assert left_out(proved, "INV-0004")


SET_ASIDE: dict[str, tuple[moved.Act, str, str | None]] = {
    "nothing": (lambda clinic: None, "", "260.00"),
    "a cent": (moved.lines("INV-0003", (1, "150.01", None)), "total 260.01 in Xero", "260.01"),
    "its day": (moved.edits("INV-0003", Date="2026-11-04"), "date 2026-11-04 in Xero", "260.00"),
    "voided": (moved.edits("INV-0003", Status="VOIDED"), "is voided in Xero", None),
    "gone": (moved.loses("INV-0003"), "Xero does not have it", None),
}


@pytest.mark.parametrize(("act", "says", "total"), SET_ASIDE.values(), ids=SET_ASIDE)
def test_one_that_was_set_aside_after_it_was_sent_stands_apart_with_how_xero_has_it(
    books: Clinic, act: moved.Act, says: str, total: str | None
) -> None:
    books.cli("invoices", "skip", "INV-0003")
    act(books)
    proved = proves(books)
    assert (proved.exit_code, proved.finds, proved.said["compared"]) == (EQUAL, [], 5)
    row = left_out(proved, "INV-0003")
    assert (row["why"], row["caspen_total"], row["xero_total"]) == ("skipped", "260.00", total)
    assert says in (row["reason"] or "")
    assert bool(row["reason"]) == bool(says)


# --- a locked period


def test_a_locked_period_is_read_as_any_other(books: Clinic) -> None:
    books.control("organisation", PeriodLockDate="2026-10-31", EndOfYearLockDate="2026-10-31")
    is_equal(books)
    moved.sets("INV-0004", Date="2026-10-19")(books)
    proved = proves(books)
    assert {(row["number"], row["code"]) for row in proved.finds} == {("INV-0004", "date")}


def test_what_a_locked_period_keeps_out_is_held(books: Clinic) -> None:
    books.control("organisation", PeriodLockDate="2026-10-31")
    books.takes(invoice("INV-0100", [line("70.00")], issue_date="2026-10-15"))
    assert books.push("--refresh").exit_code == DIFFERS
    proved = proves(books, *OCTOBER)
    assert (proved.exit_code, proved.finds, proved.said["not_yet"]) == (DIFFERS, [], 1)
    assert "77.00" in left_out(proved, "INV-0100").values()
    assert proves(books, *NOVEMBER).finds == []  # it is owed at the end of November too


# --- periods, and debtors as at a day


@pytest.mark.parametrize(
    ("options", "owed", "compared"),
    [
        ((), "875.92", 6),
        (OCTOBER, "245.00", 2),  # INV-0004 is paid and INV-0006 credited since
        (NOVEMBER, "875.92", 4),
        ((*OCTOBER, "--as-at", "2026-11-09"), "931.00", 2),
        ((*OCTOBER, "--as-at", "2026-11-10"), "766.00", 2),
        ((*NOVEMBER, "--as-at", "2026-11-02"), "1085.00", 4),
        (("--to", "2026-10-20"), "165.00", 1),
        (("--from", "2026-11-20", "--to", "2026-11-20"), "875.92", 1),
    ],
)
def test_debtors_as_at_a_day_are_what_was_owed_then(
    books: Clinic, options: tuple[str, ...], owed: str, compared: int
) -> None:
    proved = is_equal(books, *options)
    assert debtors(proved, Truth(books)) == (Decimal(owed), Decimal(owed))
    assert len([row for row in proved.rows("invoices") if Decimal(row["caspen_total"] or 0)]) == compared


def test_a_credit_note_of_a_later_month_counts_in_its_own(books: Clinic) -> None:
    october, november = is_equal(books, *OCTOBER), is_equal(books, *NOVEMBER)
    named = [[row["number"] for row in proved.rows("credit_notes_one_by_one")] for proved in (october, november)]
    assert named == [[], ["CRN-0001", "CRN-0002"]]


def test_a_payment_counts_in_the_month_of_its_own_day(books: Clinic) -> None:
    october, november = is_equal(books, *OCTOBER), is_equal(books, *NOVEMBER)
    amounts = [
        sorted(Decimal(row["caspen_amount"]) for row in proved.rows("payments_one_by_one"))
        for proved in (october, november)
    ]
    assert amounts == [[], [Decimal("110.00"), Decimal("165.00")]]


@pytest.mark.parametrize("options", [OCTOBER, NOVEMBER])
def test_what_was_moved_out_of_the_period_on_one_side_is_named_with_both_days(
    books: Clinic, options: tuple[str, ...]
) -> None:
    """It is neither missing nor unknown."""
    in_xero.edits(books, "INV-0003", Date="2026-10-30")
    proved = proves(books, *options)
    assert {(row["number"], row["code"]) for row in proved.finds} == {("INV-0003", "date")}
    proved = proves(books)
    assert {(row["number"], row["code"]) for row in proved.finds} == {("INV-0003", "date")}


def test_what_differs_outside_the_period_is_not_asked_about(books: Clinic) -> None:
    moved.lines("INV-0004", (1, "149.99", None))(books)
    assert proves(books, *OCTOBER).exit_code == DIFFERS
    proved = proves(books, *NOVEMBER)
    assert {row["number"] for row in proved.finds} <= {"INV-0004"}  # its payment is of November
    assert not [row for row in proved.rows("by_month") if "2026-10" in str(row)] or proved.exit_code == EQUAL


def test_what_is_void_counts_nowhere(books: Clinic) -> None:
    in_xero.edits(books, "INV-0003", Status="VOIDED")
    books.takes({**RECORDS["inv_INV-0003"], "status": "void", "updated_at": "2026-12-01T00:00:00Z"})
    assert books.push().exit_code == 0
    proved = is_equal(books)
    assert debtors(proved, Truth(books))[0] == Decimal("615.92")
    assert left_out(proved, "INV-0003")


# --- time zones


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts this machine into a time zone."""

    def go(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield go
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # 25 hours lie between them
def test_days_are_the_same_days_wherever_the_machine_is(books: Clinic, zone: Callable[[str], None], name: str) -> None:
    zone(name)
    for options in ((), OCTOBER, NOVEMBER, ("--to", "2026-11-02")):
        is_equal(books, *options)
    moved.sets("INV-0003", Date="2026-11-03")(books)
    (row,) = proves(books).finds
    assert (row["code"], row["date"]) == ("date", "2026-11-02")


def test_the_period_ends_today_where_the_machine_is(books: Clinic, zone: Callable[[str], None]) -> None:
    zone("Pacific/Kiritimati")
    said = books.cli("reconcile", "--json").json
    today = datetime.now().astimezone().date().isoformat()
    assert (said["from"], said["to"], said["as_at"]) == (None, today, today)


def test_an_organisation_far_away_is_read_by_its_own_days(
    cli: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch, zone: Callable[[str], None]
) -> None:
    with Sandbox(auto_approve=True, country="US", minute_limit=100_000, day_limit=100_000) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        zone("Pacific/Auckland")
        sign_in(box.url, home)
        clinic = Clinic(cli, box, home)
        clinic.takes(*TAX_RATES, client("1048237"))
        assert cli("settings", "set", "--sales-account", "200", "--payment-account", "090").exit_code == 0
        clinic.takes(invoice(tax_mode="none", currency="USD"), payment("50.00", ("inv_INV-0001", "50.00")))
        assert clinic.push().exit_code == 0
        is_equal(clinic)
        is_equal(clinic, "--from", "2026-11-02", "--to", "2026-11-02")


# --- several currencies


@pytest.fixture
def abroad(books: Clinic) -> Clinic:
    """Two currencies more."""
    for code in ("NZD", "EUR"):
        in_xero.writes(books, "PUT", "Currencies", {"Code": code})
    books.takes(
        invoice("INV-0200", [line("100.00")], currency="NZD"),
        invoice("INV-0201", [line("100.00")], currency="EUR", client_id=BOB),
        credit_note("CRN-0200", [line("10.00")], invoice_id="inv_INV-0200"),
        payment("30.00", ("inv_INV-0201", "30.00"), id_="pay_200", client_id=BOB),
    )
    books.push("--refresh")
    return books


def test_currencies_are_apart_in_every_table(abroad: Clinic) -> None:
    waits = {
        row["number"] for row in abroad.unsynced()
    }  # money in another currency than the bank's may be left to a person
    proved = proves(abroad)
    assert proved.finds == []
    assert (proved.exit_code == EQUAL) == (not waits)
    truth = Truth(abroad)
    assert truth.caspens_invoices() == truth.xeros_invoices()
    for key in ("by_month", "by_tax_rate", "by_account", "debtors"):
        assert {row["currency"] for row in proved.rows(key)} == {"AUD", "NZD", "EUR"}, key
        assert {row["currency"] for row in proved.rows(f"{key}_totals")} == {"AUD", "NZD", "EUR"}, key


def test_a_cent_in_one_currency_is_not_lost_among_others(abroad: Clinic) -> None:
    moved.lines("INV-0200", (1, "100.01", None))(abroad)
    moved.lines("INV-0201", (1, "99.99", None))(abroad)
    finds = proves(abroad).finds
    assert {(row["number"], row["currency"]) for row in finds} == {("INV-0200", "NZD"), ("INV-0201", "EUR")}
    assert {Decimal(row["amount"]) for row in finds if row["code"] == "figures"} == {Decimal("0.01"), Decimal("-0.01")}
