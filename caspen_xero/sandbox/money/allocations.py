"""Allocations: what a credit note, an overpayment or a prepayment pays of an invoice, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import ZERO
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, ID, NUMBER, Fields
from caspen_xero.sandbox.books.ledger import KINDS, Body
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.resource import Resource
from caspen_xero.sandbox.books.wire import new_id, xero_date
from caspen_xero.sandbox.organisation.organisations import check_edit_by_lock_dates, check_lock_dates
from caspen_xero.sandbox.sales.documents import EMPTY_INVOICE
from caspen_xero.sandbox.sales.invoices import INVOICE_OF, named_invoice
from caspen_xero.sandbox.sales.settlement import amount_due, settle
from caspen_xero.sandbox.sales.statuses import APPROVED

ALLOCATION_FIELDS: Fields = {
    "AllocationID": ID,
    "Amount": NUMBER,
    "AppliedAmount": NUMBER,  # its name in XML (pyxero, xeroizer, xero-php); in JSON too (UNCONFIRMED)
    "Date": DATE,
    "Invoice": INVOICE_OF,
}
NAMES = {"CreditNotes": "Credit Note", "Overpayments": "Overpayment", "Prepayments": "Prepayment"}
_SALES = ("ACCRECCREDIT", "RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT")


@dataclass(frozen=True)
class Allocator:
    """Allocates one credit. It writes like any other endpoint: element by element."""

    kind: str
    credit_id: str

    def resource(self) -> Resource:
        """The `Allocations` endpoint below this credit."""
        return Resource("Allocations", "AllocationID", ALLOCATION_FIELDS, self._show, self.allocate)

    def allocate(self, desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
        """Books one allocation, dated the later of the two documents' dates whatever was sent (Xero's CreditNotes page)."""
        credit = desk.ledger.find(self.kind, self.credit_id)
        if credit is None:
            raise Refusal(messages.DOCUMENT_NOT_FOUND())
        name = NAMES[self.kind]
        invoice = named_invoice(desk.ledger, sent.get("Invoice", {}))
        amount = desk.rounding.cents(sent.get("Amount", sent.get("AppliedAmount", ZERO)))
        if amount <= 0:
            raise Refusal(messages.ALLOCATION_NOT_POSITIVE())
        if credit["Status"] not in APPROVED:
            raise Refusal(messages.ALLOCATION_NOT_AUTHORISED(document=name))
        if invoice["Type"] != ("ACCREC" if credit["Type"] in _SALES else "ACCPAY"):
            raise Refusal(messages.ALLOCATION_WRONG_TYPE(document=name))
        if invoice["ContactID"] != credit["ContactID"]:
            raise Refusal(messages.ALLOCATION_OTHER_CONTACT(document=name))
        if invoice["Status"] == "PAID":
            raise Refusal(messages.ALLOCATION_ALREADY_PAID())
        if invoice["Status"] != "AUTHORISED":
            raise Refusal(messages.ALLOCATION_INVOICE_NOT_AUTHORISED())
        if amount > amount_due(credit) or amount > amount_due(invoice):
            raise Refusal(messages.ALLOCATION_TOO_LARGE(document=name))
        day = max(credit["Date"], invoice["Date"])
        check_lock_dates(desk.ledger, day)
        allocation: Body = {"AllocationID": new_id(), "Amount": amount, "Date": day, "InvoiceID": invoice["InvoiceID"]}
        credit["Allocations"].append(allocation)
        entry = {name: allocation[name] for name in ("AllocationID", "Amount", "Date")}
        invoice["Allocations"].append(entry | {"Source": self.kind, "SourceID": self.credit_id})
        self._settle(desk, credit, invoice)
        return allocation, []

    def _settle(self, desk: Desk, credit: Body, invoice: Body) -> None:
        for kind, document in ((self.kind, credit), ("Invoices", invoice)):
            settle(document)
            desk.ledger.save(kind, document)

    def undo(self, desk: Desk, allocation_id: str) -> Body | None:
        """Takes an allocation back, and gives Xero's answer to it; None for an unknown allocation."""
        credit = desk.ledger.find(self.kind, self.credit_id)
        entries = credit["Allocations"] if credit else []
        allocation = next((entry for entry in entries if entry["AllocationID"] == allocation_id), None)
        if credit is None or allocation is None:
            return None
        check_edit_by_lock_dates(desk.ledger, allocation["Date"])
        invoice = desk.ledger.find("Invoices", allocation["InvoiceID"])
        if invoice is None:
            raise LookupError(f"allocation {allocation_id} belongs to no invoice")
        for document in (credit, invoice):
            document["Allocations"] = [
                entry for entry in document["Allocations"] if entry["AllocationID"] != allocation_id
            ]
        self._settle(desk, credit, invoice)
        return {
            "AllocationID": allocation_id,
            "Amount": allocation["Amount"],
            "Date": xero_date(allocation["Date"]),
            "Invoice": {"InvoiceID": allocation["InvoiceID"]},
            "IsDeleted": True,
        }

    def _show(self, _desk: Desk, allocation: Body, _view: str) -> Body:
        """The answer to a PUT names no AllocationID (Xero's description): read the credit before undoing one."""
        name = KINDS[self.kind].id.removesuffix("ID")
        return {
            "Amount": allocation["Amount"],
            "Date": xero_date(allocation["Date"]),
            "Invoice": {"InvoiceID": allocation["InvoiceID"], **EMPTY_INVOICE, "ValidationErrors": []},
            name: {f"{name}ID": self.credit_id, "ID": self.credit_id, "LineItems": []},
            "ValidationErrors": [],
        }
