"""The bridge ends with all that Xero has; and nothing is said to be equal while the sums are not."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import in_xero
import moved
import pytest
from clinics import invoice, line
from moved import PEOPLE, RECORDS
from oddities import Field, OddWay
from proving import DIFFERS, EQUAL, Proved, proves, whole
from pushing import Clinic

from caspen_xero.sync.reconciling.findings import Findings
from caspen_xero.sync.reconciling.nobodys import Nobodys

NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")
PAYMENTS = "Payments"


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    return ready


def sells(clinic: Clinic, number: str, contact: str, day: str, **fields: object) -> None:
    """An invoice of 55.00 that was entered in Xero."""
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"ContactID": contact},
        "LineItems": [
            {"Description": "Room", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200", "TaxType": "OUTPUT"}
        ],
        "Date": day,
        "DueDate": day,
        "Status": "AUTHORISED",
        **fields,
    }
    in_xero.writes(clinic, "PUT", "Invoices", {"Invoices": [body]})


def steps(proved: Proved) -> dict[str, str]:
    """The steps of the payments' bridge in dollars, by code."""
    rows = proved.rows("bridge")
    return {row["code"]: row["amount"] for row in rows if (row["what"], row["currency"]) == (PAYMENTS, "AUD")}


def test_what_was_voided_in_xero_is_shown_under_the_account_that_it_was_sent_to(books: Clinic) -> None:
    before = {row["account"]: row["sent"] for row in proves(books, *NOVEMBER).rows("by_account")}
    in_xero.edits(books, "INV-0003", Status="VOIDED")
    after = {row["account"]: row["sent"] for row in proves(books, *NOVEMBER).rows("by_account")}
    assert after == before


def test_what_caspen_was_only_told_of_is_a_step_of_its_own(books: Clinic) -> None:
    """What stands in Caspen's export is the first line, and no more."""
    export = Decimal(steps(proves(books, *NOVEMBER))["all-in-caspen"])
    in_xero.pays(books, "INV-0003", "25.00")
    assert books.cli("pull").exit_code == EQUAL
    proved = proves(books, *NOVEMBER)
    assert (proved.exit_code, Decimal(steps(proved)["all-in-caspen"]), steps(proved)["told"]) == (
        EQUAL,
        export,
        "25.00",
    )
    assert Decimal(steps(proved)["to-be-in-xero"]) - Decimal(steps(proved)["all-in-caspen"]) == Decimal("25.00")


# --- all payments in Xero


@pytest.mark.parametrize("day", ["2026-11-02", "2026-10-02"], ids=["of the period", "from before it, and not read"])
def test_a_payment_on_what_is_nobodys_is_a_step_to_all_payments_in_xero(books: Clinic, day: str) -> None:
    before = steps(proves(books, *NOVEMBER))
    assert "others" not in before
    sells(books, "CAFE-1", moved.stranger(books), day)
    in_xero.pays(books, "CAFE-1", "55.00", "2026-11-10")
    proved = proves(books, *NOVEMBER)
    after = steps(proved)
    assert after == before | {"others": "55.00", "all-in-xero": str(Decimal(before["all-in-xero"]) + 55)}
    assert proved.exit_code == EQUAL
    assert "All payments in Xero" in str(proved.rows("bridge"))


def test_a_payment_on_what_is_left_out_and_in_xero_all_the_same_is_one_too(ready: Clinic) -> None:
    assert ready.cli("settings", "set", "--start-date", "2026-11-01").exit_code == 0
    old = {"issue_date": "2026-10-05", "due_date": "2026-10-19"}
    ready.takes(*PEOPLE, invoice("INV-0090", [line("50.00")], **old), invoice("INV-0091", [line("50.00")]))
    assert ready.push().exit_code == 0
    sells(ready, "INV-0090", moved.stranger(ready), "2026-10-05")
    in_xero.pays(ready, "INV-0090", "55.00", "2026-11-10")
    proved = proves(ready, *NOVEMBER)
    assert steps(proved)["left-out-in-xero"] == "55.00"
    assert proved.exit_code == EQUAL


def test_each_currency_has_its_own_payments_though_their_invoice_was_not_read(books: Clinic) -> None:
    in_xero.writes(books, "PUT", "Currencies", {"Code": "NZD"})
    sells(books, "CAFE-2", moved.stranger(books), "2026-10-02", CurrencyCode="NZD")
    in_xero.pays(books, "CAFE-2", "55.00", "2026-11-10")
    proved = proves(books, *NOVEMBER)
    assert whole(proved, PAYMENTS, "all-in-xero")["NZD"] == Decimal("55.00")
    assert "others" not in steps(proved)


def test_a_payment_that_is_deleted_counts_nowhere(books: Clinic) -> None:
    before = steps(proves(books, *NOVEMBER))
    sells(books, "CAFE-1", moved.stranger(books), "2026-10-02")
    id_ = in_xero.pays(books, "CAFE-1", "55.00", "2026-11-10")
    in_xero.writes(books, "POST", f"Payments/{id_}", {"Status": "DELETED"})
    assert steps(proves(books, *NOVEMBER)) == before


def test_a_payment_of_another_month_on_what_is_nobodys_is_in_that_one(books: Clinic) -> None:
    before = steps(proves(books, *NOVEMBER))
    sells(books, "CAFE-1", moved.stranger(books), "2026-11-02")
    in_xero.pays(books, "CAFE-1", "55.00", "2026-12-10")
    assert steps(proves(books, *NOVEMBER)) == before


# --- never equal while the sums are not


def test_sums_that_differ_though_nothing_is_found_are_not_equal(books: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    moved.lines("INV-0003", (1, "150.01", None))(books)
    assert proves(books).exit_code == DIFFERS
    monkeypatch.setattr(Findings, "of", lambda *args, **options: None)  # the comparing of one by one is blind
    done = books.cli("reconcile", "--json", "--to", "2026-12-31")
    assert (done.exit_code, done.json["equal"], done.json["differences"]) == (DIFFERS, False, [])
    assert {"bridge", "by_month", "by_account", "debtors"} <= {*done.json["unexplained"]}
    told = " ".join(books.cli("reconcile", "--to", "2026-12-31").stdout.split())
    assert "NOT EQUAL: The sums differ, though nothing was found one by one, in: From Caspen to Xero, By month" in told
    proof = books.cli("status", "--json").json["proof"]
    assert (proof["equal"], proof["unexplained"]) == (False, len(done.json["unexplained"]))
    said = " ".join(books.cli("status").stdout.split())
    assert "sums differed on" in said
    assert "equal to the cent" not in said


def test_a_bridge_that_does_not_close_is_not_equal_whatever_is_accepted(
    books: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved.sets("INV-0003", DueDate="2026-12-24")(books)
    proves(books)
    assert books.cli("invoices", "accept", "INV-0003").exit_code == 0
    sells(books, "CAFE-1", moved.stranger(books), "2026-11-02")
    proved = proves(books)
    assert (proved.exit_code, [one["accepted"] for one in proved.finds]) == (EQUAL, [True])
    monkeypatch.setattr(Nobodys, "sort", lambda self: None)  # what is nobody's gets lost
    done = books.cli("reconcile", "--json", "--to", "2026-12-31")
    assert (done.exit_code, done.json["equal"], done.json["unexplained"]) == (DIFFERS, False, ["bridge"])


# --- in one order


def test_differences_come_in_one_order_everywhere(books: Clinic, tmp_path: Path) -> None:
    """What nobody has accepted first, then by the date and the number of the invoice."""
    moved.sets("INV-0001", DueDate="2026-12-24")(books)
    proves(books)
    assert books.cli("invoices", "accept", "INV-0001").exit_code == 0
    later = {"issue_date": "2026-11-20", "due_date": "2026-12-04"}
    books.takes(invoice("INV-0010", [line("10.00")], **later), invoice("INV-0009", [line("10.00")], **later))
    assert books.push().exit_code in (0, 3)
    for number in ("INV-0010", "INV-0009", "INV-0003"):
        moved.sets(number, DueDate="2026-12-30")(books)
    moved.lines("INV-0010", (1, "10.01", None))(books)
    moved.writes_an_invoice(books, moved.nells(books), "A-1")
    page, folder = tmp_path / "page.html", tmp_path / "csv"
    proved = proves(books, "--html", str(page), "--csv", str(folder))
    told = [(one["number"], one["code"]) for one in proved.finds]
    numbers = list(dict.fromkeys(number for number, _ in told))
    assert numbers == ["INV-0003", "A-1", "INV-0009", "INV-0010", "INV-0001"], told
    assert [one["accepted"] for one in proved.finds] == [False] * (len(told) - 1) + [True]
    rows = list(csv.DictReader(io.StringIO((folder / "differences.csv").read_text("utf-8"))))
    assert [(row["number"], row["code"]) for row in rows] == told
    table = page.read_text("utf-8").split('id="differences"')[1].split("</table>")[0]
    shown = re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', table)
    assert shown == [number for number, _ in told]


def test_what_is_in_xero_and_can_not_be_read_is_never_called_equal(books: Clinic, way: OddWay) -> None:
    sells(books, "X-1", moved.stranger(books), "2026-11-05")
    (id_,) = [one["InvoiceID"] for one in books.state("Invoices") if one["InvoiceNumber"] == "X-1"]
    with way.odd(Field("Invoices", id_, "SubTotal", "much")):
        found = books.cli("reconcile", "--json", *NOVEMBER)
    assert found.exit_code == DIFFERS
    (row,) = found.json["differences"]
    assert (row["code"], row["invoice_id"]) == ("unreadable-in-xero", None)
    assert "X-1" in row["xero"]
    assert proves(books, *NOVEMBER).finds == []
