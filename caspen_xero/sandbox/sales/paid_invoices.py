"""What may still change of an invoice with payments or credits on it, and what becomes of an edit of its amounts."""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal

# What has no consequences, beside the lines' text, account and tracking (Xero's Invoices page).
PLAIN = ("DueDate", "Reference", "Url", "ExpectedPaymentDate", "PlannedPaymentDate", "BrandingThemeID")
_OPEN_TO_CHANGE = {*PLAIN, "InvoiceNumber", "ContactID", "SentToContact", "LineItems", "Updated"}
_LINE_FIXED = ("Quantity", "UnitAmount", "LineAmount", "TaxType", "TaxAmount", "DiscountRate", "DiscountAmount")


def edit_of_paid(ledger: Ledger, invoice: Body, sent: dict[str, Any]) -> dict[str, Any]:
    """An edit as it counts where payments or credits stand: what moves a line's amount is left out, unless edits of it are refused.

    Then no line goes either, and none moves. Refuses lines that don't say which of the invoice's they are: one integration's field
    notes, as is the ignoring.
    """
    if "LineItems" not in sent:
        return sent
    known = [line["LineItemID"] for line in invoice["LineItems"]]
    if nameless := [place for place, line in enumerate(sent["LineItems"]) if line.get("LineItemID") not in known]:
        text = messages.PAID_LINE_WITHOUT_ID()
        raise Refusal(text, inside={("LineItems", place): [text] for place in nameless})
    if ledger.ways.edit_of_paid == "refused":
        return sent
    edits = {line["LineItemID"]: line for line in sent["LineItems"]}
    kept = [
        {name: value for name, value in edits.get(line_id, {}).items() if name not in _LINE_FIXED}
        | {"LineItemID": line_id}
        for line_id in known
    ]
    return {name: value for name, value in sent.items() if name != "Total"} | {"LineItems": kept}


def check_edit_of_paid(before: Body, invoice: Body) -> None:
    """Refuses what may not change while payments or credits stand on the invoice (Xero's Invoices page)."""
    if before["Date"] != invoice["Date"]:
        raise Refusal(messages.DATE_HAS_PAYMENTS())
    by_credit_note = any(allocation["Source"] == "CreditNotes" for allocation in invoice["Allocations"])
    closed = {name for name in invoice if name not in _OPEN_TO_CHANGE and before.get(name) != invoice.get(name)}
    if by_credit_note and before["ContactID"] != invoice["ContactID"]:
        closed.add("ContactID")
    amounts = [
        [[line.get(name) for name in _LINE_FIXED] for line in document["LineItems"]] for document in (before, invoice)
    ]
    if closed or amounts[0] != amounts[1]:
        raise Refusal(messages.HAS_PAYMENTS())
