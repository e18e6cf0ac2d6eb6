"""Everything that is wrong with one document is said at once, as recorded answers of 2018 and a test log of 2026 have it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.bookkeeper import Bookkeeper, Element

NO_DUE_DATE = "The document DueDate field must be specified."
TAKEN = {"Invoices": "Invoice # must be unique.", "CreditNotes": "Credit Note # must be unique."}
NO_EUR = "Organisation is not subscribed to currency EUR"
NO_CONTACT = "A Contact must be specified for this type of transaction"
NO_ACCOUNT, NO_TAX = "Account code or ID must be specified", "The TaxType field is mandatory"
LOCKED = "The document date cannot be before the period lock date, currently set at 30-Sep-2026"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def wrong(b: Bookkeeper, **fields: Any) -> Element:
    bare = {"Description": "Consultation", "UnitAmount": 100}
    usual = b.draft(b.line(TaxType="INPUT"), bare, Contact=None, DueDate=None, CurrencyCode="EUR")
    return usual | fields


def test_all_of_an_invoice(b: Bookkeeper) -> None:
    b.invoice(InvoiceNumber="C-1")
    b.change(PeriodLockDate="2026-09-30")
    said = b.refused("PUT", "Invoices", wrong(b, InvoiceNumber="C-1"))
    tax = "The TaxType code 'INPUT' cannot be used with account code '200'."
    assert said == [NO_EUR, TAKEN["Invoices"], NO_CONTACT, tax, NO_ACCOUNT, NO_TAX, NO_DUE_DATE, LOCKED]


def test_all_of_a_credit_note(b: Bookkeeper) -> None:
    b.credit_note(CreditNoteNumber="CR-1")
    b.change(PeriodLockDate="2026-09-30")
    said = b.refused("PUT", "CreditNotes", wrong(b, Type="ACCRECCREDIT", CreditNoteNumber="CR-1", LineItems=[]))
    assert said == [NO_EUR, TAKEN["CreditNotes"], NO_CONTACT, "One or more line items must be specified"]
    said = b.refused("PUT", "CreditNotes", wrong(b, Type="ACCRECCREDIT", CreditNoteNumber="CR-1"))
    assert said[-1] == LOCKED
    assert {NO_ACCOUNT, NO_TAX, TAKEN["CreditNotes"]} < set(said)


def test_all_of_a_line_stands_on_that_line_too(b: Bookkeeper) -> None:
    bad = {"Quantity": -1, "UnitAmount": 100, "ItemCode": "NOBODY"}
    answer = b.ask("PUT", "Invoices", b.draft(b.line(), bad))
    (element,) = json.loads(answer.body)["Elements"]
    of_line = [error["Message"] for error in element["LineItems"][1]["ValidationErrors"]]
    assert of_line == [
        "A Description must be specified for each line item",
        "Item code 'NOBODY' is not valid",
        NO_ACCOUNT,
        NO_TAX,
        "The quantity value '-1.0000' is invalid. Quantity must not be less than zero.",
    ]
    assert [error["Message"] for error in element["ValidationErrors"]] == of_line
    assert element["LineItems"][0]["ValidationErrors"] == []


def test_an_account_and_a_tax_type_that_cannot_be(b: Bookkeeper) -> None:
    line = b.line(AccountCode="460", TaxType="TAX001")
    for method in ("PUT", "POST"):
        assert b.refused(method, "Invoices", b.draft(line)) == [
            "Account code '460' has been archived, or has been deleted. Each line item must reference a valid account.",
            "The TaxType code TAX001 does not exist or cannot be used for this type of transaction",
        ]


def test_nothing_of_it_is_kept(b: Bookkeeper) -> None:
    b.refused("PUT", "Invoices", wrong(b, Contact={"Name": "Somebody new"}))
    assert b.list("Contacts") == b.list("Invoices") == []


def test_a_status_that_payments_forbid_and_lines_without_their_ids(b: Bookkeeper) -> None:
    """As CiviCRM's Xero extension lists them."""
    invoice = b.invoice()
    b.pay(invoice, 110)
    edit = {"Status": "SUBMITTED", "LineItems": [b.line()]}
    assert b.refused("POST", f"Invoices/{invoice['InvoiceID']}", edit) == [
        "The status SUBMITTED cannot be applied to the invoice because it has payments or credit notes allocated to it.",
        "To update fields on a paid invoice line item, you must supply a LineItemID",
    ]
    edit = {"Status": "DELETED", "LineItems": [b.line()]}
    assert b.refused("POST", f"Invoices/{invoice['InvoiceID']}", edit) == [
        "Invoice not of valid status for modification"
    ], "a document that ends is asked for nothing else"


def test_a_locked_document_is_asked_for_nothing_else(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    b.change(PeriodLockDate="2026-09-30")
    edited = "The document cannot be edited as it is currently dated before the period lock date"
    for path in (f"Invoices/{invoice['InvoiceID']}", f"CreditNotes/{note['CreditNoteID']}"):
        assert b.refused("POST", path, {"LineItems": [], "CurrencyCode": "EUR"}) == [edited]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_payment_of_what_is_paid_already(b: Bookkeeper, method: str) -> None:
    """Help pages of Chargebee, Ignition and EZRentOut name the two together."""
    invoice = b.invoice()
    b.pay(invoice, 110)
    assert b.refused(method, "Payments", b.payment(invoice, 1)) == [NOT_AUTHORISED, TOO_MUCH]
    assert b.refused(method, "Payments", b.payment(b.invoice(), 111)) == [TOO_MUCH]
    assert b.refused(method, "Payments", b.payment(b.invoice(Status="DRAFT"), 1)) == [NOT_AUTHORISED]


def test_all_of_a_payment(b: Bookkeeper) -> None:
    invoice = b.invoice(Status="DRAFT")
    b.change(PeriodLockDate="2026-09-30")
    said = b.refused("PUT", "Payments", b.payment(invoice, 111, Account={"Code": "777"}))
    assert said == ["Account could not be found", LOCKED, NOT_AUTHORISED, TOO_MUCH]


def test_all_members_of_a_batch(b: Bookkeeper) -> None:
    draft, small = b.invoice(Status="DRAFT"), b.invoice(b.line(1))
    members = [{"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": 50} for one in (draft, small)]
    batch = {"Account": {"Code": b.bank}, "Date": "2026-09-15", "Payments": members}
    assert b.refused("PUT", "BatchPayments", batch) == [NOT_AUTHORISED, TOO_MUCH]
    assert b.list("Payments") == []


def test_all_of_a_bank_transaction(b: Bookkeeper) -> None:
    b.change(PeriodLockDate="2026-09-30")
    sent = {"Type": "RECEIVE", "Date": "2026-09-14", "LineItems": [b.line(AccountCode="460")]}
    assert b.refused("PUT", "BankTransactions", sent) == [
        "A BankAccount must be specified for this type of transaction",
        NO_CONTACT,
        "Account code '460' has been archived, or has been deleted. Each line item must reference a valid account.",
        LOCKED,
    ]


def test_all_of_a_contact(b: Bookkeeper) -> None:
    said = [
        "The status 'GDPRREQUEST' is not valid for contacts",
        "Contact Name cannot be empty.",
        "Email address must be valid.",
    ]
    bad = {"Name": " ", "EmailAddress": "nobody", "ContactStatus": "GDPRREQUEST"}
    assert b.refused("PUT", "Contacts", bad) == said
    assert b.refused("POST", f"Contacts/{b.contact('Ann')}", bad) == said
    assert b.refused("PUT", "Contacts", {"EmailAddress": "nobody"}) == said[1:]


def test_all_of_a_bank_account(b: Bookkeeper) -> None:
    """Cashflow360's help page names the two together."""
    said = b.refused("PUT", "Accounts", {"Code": "090", "Name": "Sales", "Type": "BANK"})
    assert said == [
        "Please enter a valid Bank Account Number.",
        "Please enter a unique Code.",
        "Please enter a unique Name.",
    ]
