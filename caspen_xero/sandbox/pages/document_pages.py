"""How the pages show documents: as rows of a list, and an invoice, a contact or a credit note as a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from caspen_xero.sandbox.books.wire import read_date
from caspen_xero.sandbox.organisation.organisations import Organisation
from caspen_xero.sandbox.pages.markup import Amount, Markup, button, facts, link, table, text

Document = dict[str, Any]
CONTACT_ROWS = "contacts"
PAYABLE = "AUTHORISED"


@dataclass(frozen=True)
class DocumentList:
    """A list of one kind of document: its heading, the API's name of the kind, and what a row shows."""

    title: str
    endpoint: str
    columns: Sequence[str]
    row: Callable[[Organisation, Document], Sequence[object]]


def _invoice_row(organisation: Organisation, invoice: Document) -> Sequence[object]:
    return (
        _invoice_link(organisation, invoice),
        _contact_link(organisation, invoice),
        _day(invoice, "Date"),
        _day(invoice, "DueDate"),
        invoice.get("Status"),
        _amount(invoice, "Total"),
        _amount(invoice, "AmountDue"),
        invoice.get("CurrencyCode"),
        _pay_button(organisation, invoice),
    )


def _contact_row(organisation: Organisation, contact: Document) -> Sequence[object]:
    return (
        link(f"{home(organisation)}/contacts/contact/{contact['ContactID']}", contact.get("Name")),
        contact.get("ContactNumber"),
        contact.get("EmailAddress"),
        contact.get("ContactStatus"),
    )


def _payment_row(organisation: Organisation, payment: Document) -> Sequence[object]:
    return (
        _day(payment, "Date"),
        _invoice_link(organisation, payment["Invoice"]) if payment.get("Invoice") else "",
        payment.get("Reference"),
        payment.get("PaymentType"),
        payment.get("Status"),
        _amount(payment, "Amount"),
    )


def _credit_note_row(organisation: Organisation, note: Document) -> Sequence[object]:
    return (
        link(
            f"{home(organisation)}/creditnotes/view/{note['CreditNoteID']}",
            note.get("CreditNoteNumber") or "Credit note",
        ),
        _contact_link(organisation, note),
        _day(note, "Date"),
        note.get("Status"),
        _amount(note, "Total"),
        _amount(note, "RemainingCredit"),
    )


# By the last part of the page's address.
LISTS = {
    "invoicing": DocumentList(
        "Invoices",
        "Invoices",
        ("Number", "Contact", "Date", "Due", "Status", "Total", "Amount due", "Currency", ""),
        _invoice_row,
    ),
    "contacts": DocumentList("Contacts", "Contacts", ("Name", "Number", "Email", "Status"), _contact_row),
    "payments": DocumentList(
        "Payments", "Payments", ("Date", "Invoice", "Reference", "Type", "Status", "Amount"), _payment_row
    ),
    "creditnotes": DocumentList(
        "Credit notes",
        "CreditNotes",
        ("Number", "Contact", "Date", "Status", "Total", "Remaining credit"),
        _credit_note_row,
    ),
}


def organisation_facts(body: Document) -> Markup:
    """What stands above an organisation's documents."""
    return facts(
        [
            ("Country", body.get("CountryCode")),
            ("Currency", body.get("BaseCurrency")),
            ("Short code", body.get("ShortCode")),
            ("Locked up to", _day(body, "PeriodLockDate")),
            ("Year locked up to", _day(body, "EndOfYearLockDate")),
        ]
    )


def invoice_page(organisation: Organisation, invoice: Document) -> str:
    """An invoice in full."""
    payments = [
        (_day(one, "Date"), one.get("Reference") or "Payment", _amount(one, "Amount"))
        for one in invoice.get("Payments") or []
    ]
    payments += [
        (_day(one, "Date"), f"Credit note {one.get('CreditNoteNumber', '')}", _amount(one, "AppliedAmount"))
        for one in invoice.get("CreditNotes") or []
    ]
    return (
        f"<h1>Invoice {text(invoice.get('InvoiceNumber'))}</h1><p>{_pay_button(organisation, invoice, main=True)}</p>"
        + facts(
            [
                ("Contact", _contact_link(organisation, invoice)),
                ("Status", invoice.get("Status")),
                ("Date", _day(invoice, "Date")),
                ("Due date", _day(invoice, "DueDate")),
                ("Reference", invoice.get("Reference")),
                ("Amounts are", invoice.get("LineAmountTypes")),
            ]
        )
        + _lines(invoice)
        + facts(
            [
                ("Subtotal", _amount(invoice, "SubTotal")),
                ("Total tax", _amount(invoice, "TotalTax")),
                ("Total", f"{_amount(invoice, 'Total')} {invoice.get('CurrencyCode', '')}"),
                ("Paid", _amount(invoice, "AmountPaid")),
                ("Credited", _amount(invoice, "AmountCredited")),
                ("Amount due", _amount(invoice, "AmountDue")),
            ]
        )
        + "<h2>Payments and credits</h2>"
        + table(("Date", "What", "Amount"), payments)
    )


def credit_note_page(organisation: Organisation, note: Document) -> str:
    """A credit note in full."""
    allocations = [
        (_day(one, "Date"), _invoice_link(organisation, one.get("Invoice") or {}), _amount(one, "Amount"))
        for one in note.get("Allocations") or []
    ]
    return (
        f"<h1>Credit note {text(note.get('CreditNoteNumber'))}</h1>"
        + facts(
            [
                ("Contact", _contact_link(organisation, note)),
                ("Status", note.get("Status")),
                ("Date", _day(note, "Date")),
                ("Reference", note.get("Reference")),
            ]
        )
        + _lines(note)
        + facts(
            [
                ("Total tax", _amount(note, "TotalTax")),
                ("Total", f"{_amount(note, 'Total')} {note.get('CurrencyCode', '')}"),
                ("Remaining credit", _amount(note, "RemainingCredit")),
            ]
        )
        + "<h2>Allocated to</h2>"
        + table(("Date", "Invoice", "Amount"), allocations)
    )


def contact_page(contact: Document) -> str:
    """A contact with its addresses and phone numbers."""
    names = ("ContactNumber", "ContactStatus", "FirstName", "LastName", "EmailAddress", "AccountNumber")
    addresses = (
        "AddressLine1",
        "AddressLine2",
        "AddressLine3",
        "AddressLine4",
        "City",
        "Region",
        "PostalCode",
        "Country",
    )
    pairs: list[tuple[str, object]] = [(name, contact.get(name)) for name in names]
    for phone in contact.get("Phones") or []:
        parts = (phone.get(name) for name in ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber"))
        pairs.append((f"Phone {phone.get('PhoneType', '')}", " ".join(part for part in parts if part)))
    for address in contact.get("Addresses") or []:
        lines = (address.get(name) for name in addresses)
        pairs.append((f"Address {address.get('AddressType', '')}", ", ".join(line for line in lines if line)))
    return f"<h1>{text(contact.get('Name'))}</h1>" + facts(pairs)


def _lines(document: Document) -> str:
    rows = [
        (
            line.get("Description"),
            Amount(line.get("Quantity", "")),
            Amount(line.get("UnitAmount", "")),
            _discount(line),
            line.get("AccountCode"),
            line.get("TaxType"),
            _amount(line, "TaxAmount"),
            _amount(line, "LineAmount"),
        )
        for line in document.get("LineItems") or []
    ]
    return table(("Description", "Quantity", "Price", "Discount", "Account", "Tax rate", "Tax", "Amount"), rows)


def _discount(line: Document) -> Amount:
    if line.get("DiscountEnteredAsPercent"):
        return Amount(f"{line['DiscountRate']} %")
    return Amount(line.get("DiscountAmount", ""))


def home(organisation: Organisation) -> str:
    """Where the pages of an organisation are, as in Xero's links."""
    return f"/app/{quote(organisation.short_code, safe='!')}"


def _invoice_link(organisation: Organisation, invoice: Document) -> Markup:
    target = f"{home(organisation)}/invoicing/view/{invoice.get('InvoiceID', '')}"
    return link(target, invoice.get("InvoiceNumber") or "(no number)")


def _contact_link(organisation: Organisation, document: Document) -> Markup:
    contact = document.get("Contact") or {}
    return link(f"{home(organisation)}/contacts/contact/{contact.get('ContactID', '')}", contact.get("Name"))


def _pay_button(organisation: Organisation, invoice: Document, *, main: bool = False) -> Markup:
    if invoice.get("Status") != PAYABLE or not invoice.get("AmountDue"):
        return Markup()
    return button(f"{home(organisation)}/invoicing/view/{invoice['InvoiceID']}/paid", "Mark as paid", main=main)


def _day(document: Document, name: str) -> str:
    """The plain date of a document, from its `...String` field or from Xero's milliseconds."""
    written = document.get(f"{name}String") or document.get(name)
    return read_date(written) if written else ""


def _amount(document: Document, name: str) -> Amount:
    """Money with its cents; nothing where the document doesn't say."""
    value = document.get(name)
    return Amount("" if value is None else f"{value:,.2f}")
