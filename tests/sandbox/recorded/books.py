"""What the situations of the recorded answers are made with: contacts, books with all sorts of documents, and writes."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.sandbox.bookkeeper import Bookkeeper, Element

Situation = Callable[[Bookkeeper], list[Element]]
"""Brings the local Xero to a situation, and gives the elements that it answers there."""


class Situations(dict[str, Situation]):
    """Situations by the names of their shapes."""

    def of(self, name: str) -> Callable[[Situation], Situation]:
        """Keeps what it decorates under the name."""

        def keep(make: Situation) -> Situation:
            self[name] = make
            return make

        return keep


FULL = {
    "FirstName": "Jo",
    "LastName": "Low",
    "EmailAddress": "jo@example.com",
    "ContactNumber": "caspen-1",
    "BankAccountDetails": "00-0000-0000000-00",
    "TaxNumber": "00-000-000",
    "AccountsReceivableTaxType": "OUTPUT2",
    "AccountsPayableTaxType": "INPUT2",
    "DefaultCurrency": "NZD",
    "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "5550 1234", "PhoneAreaCode": "09", "PhoneCountryCode": "64"}],
    "Addresses": [
        {
            "AddressType": "STREET",
            "AddressLine1": "1 Quay St",
            "AddressLine2": "Level 2",
            "AddressLine3": "",
            "AddressLine4": "",
            "City": "Auckland",
            "Region": "AKL",
            "PostalCode": "1010",
            "Country": "New Zealand",
            "AttentionTo": "Jo",
        }
    ],
}
DETAILS = {name: FULL[name] for name in ("FirstName", "LastName", "EmailAddress", "Addresses")}
DETAILS["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": "5550 1234", "PhoneAreaCode": "09"}]
TRACKED = {
    "Name": "Region",
    "Option": "North",
    "TrackingCategoryID": "0a000000-0000-4000-8000-000000000001",
    "TrackingOptionID": "0a000000-0000-4000-8000-000000000002",
}


def written(b: Bookkeeper, method: str, path: str, element: Element, **params: str) -> list[Element]:
    """The elements of the answer to a write, with nothing said of errors, as they were recorded."""
    plural = path.partition("/")[0]
    answer = b.ask(method, path, {plural: [element]}, **params)
    assert answer.status == 200, answer.body
    found: list[Element] = json.loads(answer.body)[plural]
    return found


def refused(b: Bookkeeper, method: str, path: str, element: Element) -> list[Element]:
    answer = b.ask(method, path, {path: [element]})
    assert answer.status == 400, answer.body
    found: list[Element] = json.loads(answer.body)["Elements"]
    return found


def many_invoices(b: Bookkeeper) -> None:
    """Drafts, approved, credited, paid singly and in a batch; of contacts with and without details; in two currencies."""
    b.put("Currencies", {"Code": "USD"})
    b.contact("Jo Low (Caspen 2)", **FULL)
    b.invoice(b.line(10, ItemCode="ITEM", Tracking=[TRACKED]), Contact={"Name": "Jo Low (Caspen 2)"}, Reference="CP-1")
    b.invoice(b.line(30), Status="DRAFT", DueDate=None)
    b.invoice({"Description": "Words"}, Status="DRAFT")
    b.invoice(b.line(40), CurrencyCode="USD", SentToContact=True)
    credited, paid, one, two = (b.invoice(b.line(100)) for _ in range(4))
    b.allocate(f"CreditNotes/{b.credit_note(b.line(60))['CreditNoteID']}", credited, 50)
    b.pay(paid, 15)
    b.pay(paid, 100, Reference="EFTPOS 1")
    batch = [{"Invoice": {"InvoiceID": each["InvoiceID"]}, "Amount": 20} for each in (one, two)]
    b.put("BatchPayments", {"Account": {"Code": b.bank}, "Date": "2026-09-15", "Payments": batch})


def many_bills(b: Bookkeeper) -> None:
    """Bills as `many_invoices`."""
    line = b.line(89, AccountCode="445", TaxType="INPUT2")
    bills = [b.invoice(line, Type="ACCPAY", InvoiceNumber=number) for number in ("", "RPT-1", "RPT-2", "RPT-3")]
    b.invoice(line | {"Tracking": [TRACKED], "ItemCode": "ITEM"}, Type="ACCPAY", InvoiceNumber="RPT-4")
    note = b.credit_note(line, Type="ACCPAYCREDIT", CreditNoteNumber="CR-1")
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", bills[0], 50)
    b.pay(bills[1], bills[1]["Total"], Reference="FP 1")
    batch = [{"Invoice": {"InvoiceID": each["InvoiceID"]}, "Amount": 20} for each in bills[2:]]
    b.put("BatchPayments", {"Account": {"Code": b.bank}, "Date": "2026-09-15", "Payments": batch})
