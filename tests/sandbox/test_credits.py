"""Credit notes, overpayments and prepayments: what remains of them, and the invoices that they pay."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeper import Bookkeeper, Element


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def read(b: Bookkeeper, invoice: Element) -> Element:
    return b.read("Invoices", invoice["InvoiceID"])


def note_of(b: Bookkeeper, note: Element) -> Element:
    return b.read("CreditNotes", note["CreditNoteID"])


def test_an_allocation_is_dated_by_the_later_document(b: Bookkeeper) -> None:
    invoice, note = b.invoice(Date="2026-09-14"), b.credit_note(Date="2026-09-16")
    answer = b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, "60.50")
    assert answer["Date"] == "/Date(1789516800000+0000)/"
    assert "AllocationID" not in answer, "only the note itself tells it"
    allocation = note_of(b, note)["Allocations"][0]
    assert (allocation["Invoice"]["InvoiceID"], allocation["Amount"]) == (invoice["InvoiceID"], Decimal("60.5"))


def test_a_credit_note_is_paid_when_nothing_remains(b: Bookkeeper) -> None:
    first, second, note = b.invoice(), b.invoice(), b.credit_note()
    path = f"CreditNotes/{note['CreditNoteID']}"
    b.allocate(path, first, 60)
    assert (note_of(b, note)["Status"], note_of(b, note)["RemainingCredit"]) == ("AUTHORISED", 50)
    b.allocate(path, second, 50)
    assert (note_of(b, note)["Status"], note_of(b, note)["RemainingCredit"]) == ("PAID", 0)
    owed = read(b, first)
    assert (owed["AmountCredited"], owed["AmountPaid"], owed["AmountDue"]) == (60, 0, 50)
    assert (owed["CreditNotes"][0]["AppliedAmount"], owed["CreditNotes"][0]["Total"]) == (60, 110)


def test_a_full_credit_pays_the_invoice(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, 110)
    assert (read(b, invoice)["Status"], read(b, invoice)["AmountPaid"]) == ("PAID", 0)


def test_undoing_an_allocation_opens_both_again(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    path = f"CreditNotes/{note['CreditNoteID']}"
    b.allocate(path, invoice, 110)
    allocation_id = note_of(b, note)["Allocations"][0]["AllocationID"]
    answer = b.ask("DELETE", f"{path}/Allocations/{allocation_id}")
    assert (answer.status, b'"IsDeleted":true' in answer.body) == (200, True)
    assert (read(b, invoice)["Status"], note_of(b, note)["Status"]) == ("AUTHORISED", "AUTHORISED")
    assert (read(b, invoice)["AmountDue"], note_of(b, note)["RemainingCredit"]) == (110, 110)
    assert b.ask("DELETE", f"{path}/Allocations/{allocation_id}").status == 404


def test_a_refused_allocation_is_a_validation_exception_with_its_element(b: Bookkeeper) -> None:
    """xeroizer#320."""
    invoice, note = b.invoice(), b.credit_note(b.line(1))
    path, words = f"CreditNotes/{note['CreditNoteID']}/Allocations", "amount is greater than amount outstanding"
    answer = b.ask("PUT", path, {"Allocations": [b.share(invoice, 2)]})
    error = json.loads(answer.body, parse_float=Decimal)
    assert (answer.status, error["ErrorNumber"], error["Type"]) == (400, 10, "ValidationException")
    (element,) = error["Elements"]
    assert (element["Amount"], words in element["ValidationErrors"][0]["Message"]) == (2, True)
    (told,) = b.send("PUT", path, b.share(invoice, 2))
    assert (told["StatusAttributeString"], words in told["ValidationErrors"][0]["Message"]) == ("ERROR", True)
    assert note_of(b, note)["RemainingCredit"] == note["RemainingCredit"]


def test_an_allocation_moves_the_date_of_change_of_both(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, 1)
    assert read(b, invoice)["UpdatedDateUTC"] > invoice["UpdatedDateUTC"]
    assert note_of(b, note)["UpdatedDateUTC"] > note["UpdatedDateUTC"]


def test_an_allocation_in_a_locked_period_stays_as_it_is(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    path = f"CreditNotes/{note['CreditNoteID']}"
    b.allocate(path, invoice, 1)
    b.change(PeriodLockDate="2026-09-30")
    assert "lock date" in b.refused("PUT", f"{path}/Allocations", b.share(invoice, 1))[0]
    allocation_id = note_of(b, note)["Allocations"][0]["AllocationID"]
    assert b.ask("DELETE", f"{path}/Allocations/{allocation_id}").status == 400


def test_a_credit_note_in_use_is_neither_voided_nor_repriced(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    path = f"CreditNotes/{note['CreditNoteID']}"
    b.allocate(path, invoice, 1)
    assert "VOIDED cannot be applied to the credit note" in b.refused("POST", path, {"Status": "VOIDED"})[0]
    assert b.refused("POST", path, {"LineItems": [b.line(1)]})[0].startswith("This document cannot be edited")
    assert b.post(path, {"Reference": "still fine"})["Reference"] == "still fine"


def test_statuses_of_a_credit_note(b: Bookkeeper) -> None:
    draft = b.credit_note(Status="DRAFT", CreditNoteNumber="CR-1")
    path = f"CreditNotes/{draft['CreditNoteID']}"
    assert b.post(path, {"Status": "AUTHORISED"})["RemainingCredit"] == 110
    assert b.refused("POST", path, {"Status": "DELETED"}) == ["Credit Note not of valid status for modification"]
    voided = b.post("CreditNotes", {"CreditNoteNumber": "CR-1", "Status": "VOIDED"})
    assert (voided["Status"], voided["RemainingCredit"]) == ("VOIDED", 0)


def test_the_list_shows_the_recorded_keys(b: Bookkeeper) -> None:
    b.ways["absent_keys"] = "shown"
    note = b.credit_note()
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", b.invoice(), 110)
    shown = b.list("CreditNotes", page="1")[0]
    for key in (
        *("CreditNoteID", "CreditNoteNumber", "SentToContact", "Payments", "ID", "HasErrors", "InvoiceAddresses"),
        *("CurrencyRate", "Type", "Reference", "RemainingCredit", "Allocations", "HasAttachments", "Contact", "Date"),
        *("UpdatedDateUTCString", "DateString", "BrandingThemeID", "Status", "LineAmountTypes", "LineItems"),
        *("SubTotal", "TotalTax", "Total", "UpdatedDateUTC", "CurrencyCode", "FullyPaidOnDate"),
    ):
        assert key in shown
    assert set(shown["Allocations"][0]) >= {"AllocationID", "Amount", "Date", "Invoice"}
    assert b.list("CreditNotes")[0]["LineItems"] == []


@pytest.mark.parametrize(
    ("kind", "money", "kind_id", "refund"),
    [
        ("Overpayments", "RECEIVE-OVERPAYMENT", "OverpaymentID", "AROVERPAYMENTPAYMENT"),
        ("Prepayments", "RECEIVE-PREPAYMENT", "PrepaymentID", "ARPREPAYMENTPAYMENT"),
    ],
)
def test_money_that_came_early_or_twice(b: Bookkeeper, kind: str, money: str, kind_id: str, refund: str) -> None:
    credit_id, invoice = b.receive(money, 33)[kind_id], b.invoice()
    b.allocate(f"{kind}/{credit_id}", invoice, 20)
    owed = read(b, invoice)
    assert (owed["AmountCredited"], owed["AmountDue"], owed[kind][0]["AppliedAmount"]) == (20, 90, 20)
    credit = b.read(kind, credit_id)
    assert (credit["RemainingCredit"], credit["Total"], credit["Type"]) == (13, 33, money)
    name = kind.removesuffix("s")
    wish = {name: {kind_id: credit_id}, "Account": {"Code": "090"}, "Amount": 13, "Date": "2026-09-17"}
    assert b.put("Payments", wish)["PaymentType"] == refund
    assert b.read(kind, credit_id)["Status"] == "PAID"
    allocation_id = credit["Allocations"][0]["AllocationID"]
    assert b.ask("DELETE", f"{kind}/{credit_id}/Allocations/{allocation_id}").status == 200
    assert b.read(kind, credit_id)["RemainingCredit"] == 20


def test_a_prepayment_is_taxed_and_an_overpayment_is_not(b: Bookkeeper) -> None:
    over, before = b.receive("RECEIVE-OVERPAYMENT", 33), b.receive("RECEIVE-PREPAYMENT", 33)
    assert (over["LineAmountTypes"], over["TotalTax"], before["TotalTax"]) == ("NoTax", 0, 3)


def test_deleting_the_bank_line_voids_what_it_brought(b: Bookkeeper) -> None:
    over_id = b.receive("RECEIVE-OVERPAYMENT", 5)["OverpaymentID"]
    assert b.post(f"BankTransactions/{over_id}", {"Status": "DELETED"})["Status"] == "DELETED"
    assert b.read("Overpayments", over_id)["Status"] == "VOIDED"
