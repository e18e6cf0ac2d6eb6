"""Repeating what stands is no change: UpdatedDateUTC stays where it was (recorded of contacts and accounts)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.bookkeeper import Bookkeeper, Element

Make = Callable[[Bookkeeper], str]
ADDRESS = {"AddressType": "POBOX", "AddressLine1": "1 High Street", "City": "Sydney"}


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def draft(b: Bookkeeper) -> str:
    lines = (
        b.line(100, TaxAmount="9.99"),
        b.line("0.25", Quantity="1.5", DiscountAmount="0.01"),
        {"Description": "Thanks"},
    )
    return str(b.invoice(*lines, Status="DRAFT", Reference="r", Url="https://caspen.example.com/1")["InvoiceID"])


def approved(b: Bookkeeper) -> str:
    return str(b.invoice(b.line(100), b.line(3, DiscountRate="33.33"), LineAmountTypes="Inclusive")["InvoiceID"])


def part_paid(b: Bookkeeper) -> str:
    invoice_id = approved(b)
    b.pay({"InvoiceID": invoice_id}, 1)
    return invoice_id


def paid(b: Bookkeeper) -> str:
    invoice = b.invoice()
    b.pay(invoice, invoice["Total"])
    return str(invoice["InvoiceID"])


def bill(b: Bookkeeper) -> str:
    return str(b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY", InvoiceNumber="S-1")["InvoiceID"])


def bare_contact(b: Bookkeeper) -> str:
    return b.contact()


def full_contact(b: Bookkeeper) -> str:
    return b.contact(
        EmailAddress="jo@example.com",
        Addresses=[ADDRESS],
        Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "0400 000 000"}],
        ContactPersons=[{"FirstName": "Pat", "IncludeInEmails": True}],
        PaymentTerms={"Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"}},
    )


def draft_note(b: Bookkeeper) -> str:
    return str(b.credit_note(Status="DRAFT")["CreditNoteID"])


def allocated_note(b: Bookkeeper) -> str:
    note = b.credit_note(b.line(10))
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", b.invoice(), 11)
    return str(note["CreditNoteID"])


def own_account(b: Bookkeeper) -> str:
    return str(b.put("Accounts", {"Code": "299", "Name": "Splints", "Type": "REVENUE"})["AccountID"])


CASES = [
    *(("Invoices", make) for make in (draft, approved, part_paid, paid, bill)),
    *(("Contacts", make) for make in (bare_contact, full_contact)),
    *(("CreditNotes", make) for make in (draft_note, allocated_note)),
    ("Accounts", own_account),
]
CHANGES: dict[str, Element] = {
    "Invoices": {"Reference": "new"},
    "Contacts": {"FirstName": "New"},
    "CreditNotes": {"Reference": "new"},
    "Accounts": {"Description": "new"},
}


def read(b: Bookkeeper, kind: str, document_id: str) -> Element:
    return b.read(kind, document_id, unitdp="4")


@pytest.mark.parametrize(("kind", "make"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_a_document_posted_back_as_it_is_shown_does_not_change(kind: str, make: Make) -> None:
    b = Bookkeeper()
    document_id = make(b)
    stands = read(b, kind, document_id)
    for _ in range(2):
        answer = b.post(f"{kind}/{document_id}", stands, unitdp="4")
        assert answer["UpdatedDateUTC"] == stands["UpdatedDateUTC"]
        assert read(b, kind, document_id) == stands
    b.post(f"{kind}/{document_id}", CHANGES[kind])
    assert read(b, kind, document_id)["UpdatedDateUTC"] > stands["UpdatedDateUTC"]


@pytest.mark.parametrize(("kind", "make"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_neither_does_one_of_which_a_part_is_repeated(kind: str, make: Make) -> None:
    b = Bookkeeper()
    document_id = make(b)
    b.post(f"{kind}/{document_id}", CHANGES[kind])
    stands = read(b, kind, document_id)
    b.post(f"{kind}/{document_id}", CHANGES[kind])
    assert read(b, kind, document_id) == stands


def test_lines_without_their_ids_are_new_and_so_a_change(b: Bookkeeper) -> None:
    invoice = b.invoice(b.line())
    b.post(f"Invoices/{invoice['InvoiceID']}", {"LineItems": [b.line()]})
    assert b.read("Invoices", invoice["InvoiceID"])["UpdatedDateUTC"] > invoice["UpdatedDateUTC"]


def test_an_address_is_emptied_part_by_part(b: Bookkeeper) -> None:
    contact_id = b.contact(Addresses=[ADDRESS, {"AddressType": "STREET", "City": "Perth"}])
    b.post(f"Contacts/{contact_id}", {"Addresses": [ADDRESS | {"City": ""}]})
    street, box = b.read("Contacts", contact_id)["Addresses"]
    assert (street["City"], box.get("City"), box["AddressLine1"]) == ("Perth", None, "1 High Street")
    b.post(f"Contacts/{contact_id}", {"Addresses": [{"AddressType": "STREET", "City": ""}]})
    assert "City" not in b.read("Contacts", contact_id)["Addresses"][0]
