"""What sales invoices, bills and credit notes have in common: how one is filled in, checked and approved.

An invoice and a credit note differ in their names, in discounts (invoices of type ACCREC only) and in what settles them;
each has its own file.
"""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, FLAG, ID, NUMBER, WORD, Fields, Many, One, Text
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.wire import xero_date
from caspen_xero.sandbox.contacts.contacts import CONTACT_FIELDS
from caspen_xero.sandbox.organisation.organisations import fixed_id, switch
from caspen_xero.sandbox.sales.lines import (
    LINE_FIELDS,
    LineRules,
    build_lines,
    document_totals,
    read_line_amount_types,
    show_line,
    total_discount,
)
from caspen_xero.sandbox.sales.settlement import has_dealings
from caspen_xero.sandbox.sales.statuses import NEXT_STATUS, UNAPPROVED, is_complete

DOCUMENT_FIELDS: Fields = {
    "Type": WORD,
    "Contact": One(CONTACT_FIELDS),
    "Date": DATE,
    "DueDate": DATE,
    "Status": WORD,
    "LineAmountTypes": WORD,
    "LineItems": Many(LINE_FIELDS),
    "SubTotal": NUMBER,
    "TotalTax": NUMBER,
    "Total": NUMBER,
    "CurrencyCode": WORD,
    "CurrencyRate": NUMBER,
    "Reference": Text(255),
    "BrandingThemeID": ID,
    "SentToContact": FLAG,
}
# What an invoice shows of itself inside another document, beside its names (recorded answers).
EMPTY_INVOICE: Body = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "IsDiscounted": False,
    "InvoiceAddresses": [],
    "HasErrors": False,
    "InvoicePaymentServices": [],
    "LineItems": [],
}


def check_status(document: Body, status: str, name: str) -> None:
    """Refuses a status that may not follow, and one that payments and credits on the document stand in the way of."""
    if status == document["Status"] and NEXT_STATUS[status]:
        return
    if has_dealings(document) and status in ("VOIDED", *UNAPPROVED):
        raise Refusal(messages.STATUS_HAS_PAYMENTS(status=status, document=name.lower()))
    if status not in NEXT_STATUS[document["Status"]]:
        raise Refusal(messages.NOT_VALID_FOR_CHANGE(document=name))


def approved_or_draft(desk: Desk, status: str) -> str:
    """A user without the right to approve gets a draft back, without an error (a third party's probes)."""
    return "DRAFT" if status == "AUTHORISED" and not switch(desk.ledger, "Approver", True) else status


def fill_lines(desk: Desk, document: Body, sent: dict[str, Any], *, discounts: bool) -> None:
    """Sets LineAmountTypes, lines and totals from what was sent over what is there. Refuses a Total that is not their sum."""
    if "LineAmountTypes" in sent or "LineAmountTypes" not in document:
        document["LineAmountTypes"] = read_line_amount_types(sent.get("LineAmountTypes"))
    existing = document.get("LineItems", [])
    if "LineItems" in sent or "LineAmountTypes" in sent:
        elements = sent.get("LineItems", [{"LineItemID": line["LineItemID"]} for line in existing])
        rules = LineRules(
            desk.ledger,
            desk.rounding,
            desk.unit_places if "LineItems" in sent else 4,
            document["LineAmountTypes"],
            is_complete(document["Status"]),
            discounts=discounts,
        )
        document["LineItems"] = build_lines(rules, elements, existing)
    elif is_complete(document["Status"]):
        check_complete_lines(document["LineItems"])
    amounts = document_totals(document["LineItems"], document["LineAmountTypes"])
    document |= {"SubTotal": amounts.subtotal, "TotalTax": amounts.tax, "Total": amounts.total}
    if "Total" in sent and desk.rounding.cents(sent["Total"]) != amounts.total:
        raise Refusal(messages.TOTAL_NOT_SUM())


def check_complete_lines(lines: list[Body]) -> None:
    """What a draft's lines may lack, and an approved document's may not."""
    if not lines:
        raise Refusal(messages.LINES_MISSING())
    for line in lines:
        if not line.get("Description"):
            raise Refusal(messages.DESCRIPTION_MISSING())
        if "LineAmount" in line and "AccountID" not in line:
            raise Refusal(messages.ACCOUNT_CODE_NOT_VALID(code=""))


def check_text(sent: dict[str, Any], field: str) -> None:
    """Document numbers are printable ASCII (Xero's Invoices page)."""
    text = sent.get(field, "")
    if not (text.isascii() and text.isprintable()):
        raise Refusal(messages.NUMBER_NOT_PRINTABLE(field=field))


def branding_theme(ledger: Ledger) -> str:
    return fixed_id(ledger.tenant_id, "branding")


def show_lines(desk: Desk, document: Body, *, checked: bool = False) -> list[Body]:
    return [show_line(line, desk.rounding, desk.unit_places, checked=checked) for line in document["LineItems"]]


def show_amounts(desk: Desk, document: Body) -> Body:
    """The totals of a document, and its discount where there is one."""
    shown: Body = {"SubTotal": document["SubTotal"], "TotalTax": document["TotalTax"], "Total": document["Total"]}
    if discount := total_discount(document["LineItems"], desk.rounding):
        shown["TotalDiscount"] = discount
    return shown


def show_payments(document: Body) -> list[Body]:
    """Payments as a document lists them: no reconciliation, no batch (recorded answers)."""
    return [
        {
            "PaymentID": payment["PaymentID"],
            "Date": xero_date(payment["Date"]),
            "Amount": payment["Amount"],
            "Reference": payment.get("Reference", ""),
            "CurrencyRate": payment["CurrencyRate"],
            "HasAccount": False,
            "HasValidationErrors": False,
        }
        for payment in document["Payments"]
    ]


def show_allocations(ledger: Ledger, credit: Body) -> list[Body]:
    """The allocations of a credit note, an overpayment or a prepayment, as the credit lists them."""
    return [
        {
            "AllocationID": allocation["AllocationID"],
            "Amount": allocation["Amount"],
            "Date": xero_date(allocation["Date"]),
            "Invoice": {
                "InvoiceID": allocation["InvoiceID"],
                "InvoiceNumber": (ledger.find("Invoices", allocation["InvoiceID"]) or {}).get("InvoiceNumber", ""),
                **EMPTY_INVOICE,
            },
        }
        for allocation in credit["Allocations"]
    ]
