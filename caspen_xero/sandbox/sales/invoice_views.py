"""What Xero shows of an invoice: by itself, in lists, and refused."""

from __future__ import annotations

from decimal import Decimal

from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.resource import WHOLE
from caspen_xero.sandbox.books.wire import dated, updated, xero_date
from caspen_xero.sandbox.contacts.views import contact_in_document, show_refused_contact
from caspen_xero.sandbox.sales.discounts import is_discounted
from caspen_xero.sandbox.sales.documents import (
    EMPTY_INVOICE,
    show_amounts,
    show_branding_theme,
    show_lines,
    show_payments,
)
from caspen_xero.sandbox.sales.settlement import allocated, amount_due, paid
from caspen_xero.sandbox.sales.statuses import ENDED

_CREDIT_IDS = {"CreditNotes": "CreditNoteID", "Overpayments": "OverpaymentID", "Prepayments": "PrepaymentID"}


def show_invoice(desk: Desk, invoice: Body, view: str = "full") -> Body:
    """An invoice as Xero shows it (recorded answers say which keys stand in which view).

    `full`: by its id; `page`: in a paged list; `list`: without lines; `summary`; `created`: in the answer to a write.
    """
    contact = desk.ledger.find("Contacts", invoice["ContactID"]) or {}
    shown: Body = {name: invoice[name] for name in ("Type", "InvoiceID", "InvoiceNumber", "Reference")}
    if invoice.get("Url"):
        shown["Url"] = invoice["Url"]
    shown |= {"Prepayments": [], "Overpayments": []}
    if view != "created":
        shown |= _show_dealings(desk.ledger, invoice, view)
    if invoice["Type"] == "ACCREC":
        shown |= _show_sending(invoice, view) | show_branding_theme(desk.ledger, invoice, view)
    elif view == "full":  # a bill says it by its id only (recorded)
        shown["SentToContact"] = invoice["SentToContact"]
    shown |= {
        # The answer to voiding still names what was due; from the next GET on it is nothing (recorded).
        "AmountDue": invoice["Total"] if view == "created" and invoice["Status"] in ENDED else amount_due(invoice),
        "AmountPaid": paid(invoice),
        "CurrencyRate": invoice["CurrencyRate"],
        "IsDiscounted": any(is_discounted(line) for line in invoice["LineItems"]),
        "HasErrors": False,
        "InvoicePaymentServices": [],
        "Contact": contact_in_document(contact, view, of_invoice=True),
        "Status": invoice["Status"],
        "LineAmountTypes": invoice["LineAmountTypes"],
        "LineItems": [] if view == "list" else show_lines(desk, invoice, checked=view in WHOLE),
        "CurrencyCode": invoice["CurrencyCode"],
    }
    if view == "summary":
        for name in ("Payments", "HasAttachments", "LineItems"):
            del shown[name]
    for name in ("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"):
        shown |= dated(name, invoice.get(name))
    if "FullyPaidOnDate" in invoice:
        shown["FullyPaidOnDate"] = xero_date(invoice["FullyPaidOnDate"])
    return shown | show_amounts(desk, invoice) | updated(invoice["Updated"])


def _show_sending(invoice: Body, view: str) -> Body:
    """Lists say it of an invoice that was sent, and of no other; the answer to a write then has the address too (recorded)."""
    if not invoice["SentToContact"] and view not in WHOLE:
        return {}
    address = {"SentToEmailAddress": ""} if invoice["SentToContact"] and view == "created" else {}
    return {"SentToContact": invoice["SentToContact"]} | address


def _show_dealings(ledger: Ledger, invoice: Body, view: str) -> Body:
    """Payments and credits; where there are none, an invoice names neither them nor their sum by its id, in lists it does."""
    shown: Body = {"Payments": show_payments(ledger, invoice, view), "CreditNotes": []} | _credits(
        ledger, invoice, view
    )
    shown |= {"AmountCredited": allocated(invoice), "HasAttachments": False}
    if view != "full":
        return shown | {"InvoiceAddresses": []}
    if not shown["AmountCredited"]:
        del shown["AmountCredited"]
    return {name: value for name, value in shown.items() if value != []} | {"Attachments": []}


def show_refused_invoice(sent: Body) -> Body:
    """A refused invoice: what was sent, or stands in the books, and empty lists for the rest (recorded answers)."""
    shown = {name: value for name, value in EMPTY_INVOICE.items() if name != "LineItems"} | sent
    if "Contact" in sent:
        shown["Contact"] = show_refused_contact(sent["Contact"]) | {"HasValidationErrors": False}
    return shown


def show_standing(desk: Desk, invoice: Body) -> Body:
    """What the answer to a refused edit shows of the invoice, unless the edit said otherwise (recorded answers)."""
    names = ("Type", "InvoiceID", "LineAmountTypes", "SubTotal", "TotalTax", "Total", "CurrencyCode")
    shown: Body = {name: invoice[name] for name in names} | {"LineItems": show_lines(desk, invoice)}
    return shown | dated("Date", invoice["Date"]) | dated("DueDate", invoice.get("DueDate"))


def _credits(ledger: Ledger, invoice: Body, view: str) -> dict[str, list[Body]]:
    """The credit notes, overpayments and prepayments on an invoice: what of each was applied, without allocation ids."""
    shown: dict[str, list[Body]] = {}
    applied: dict[tuple[str, str], Decimal] = {}
    dates: dict[tuple[str, str], str] = {}
    for allocation in invoice["Allocations"]:
        key = (allocation["Source"], allocation["SourceID"])
        applied[key] = applied.get(key, Decimal(0)) + allocation["Amount"]
        dates[key] = allocation["Date"]
    for (kind, source_id), amount in applied.items():
        source = ledger.find(kind, source_id) or {}
        entry: Body = {_CREDIT_IDS[kind]: source_id, "ID": source_id, "AppliedAmount": amount}
        if kind == "CreditNotes":
            entry |= {"CreditNoteNumber": source["CreditNoteNumber"], "HasErrors": False, "InvoiceAddresses": []}
            entry |= {"CurrencyRate": source["CurrencyRate"]} if view == "full" else {}
        entry |= dated("Date", dates[kind, source_id]) | {"LineItems": [], "Total": source["Total"]}
        shown.setdefault(kind, []).append(entry)
    return shown
