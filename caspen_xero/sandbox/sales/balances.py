"""What is owed with a contact."""

from __future__ import annotations

from decimal import Decimal

from caspen_xero.sandbox.books.arithmetic import ZERO
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.organisation.organisations import today
from caspen_xero.sandbox.sales.settlement import amount_due


def show_balances(ledger: Ledger, contact: Body) -> Body:
    """What is owed with this contact, both ways, and how much of it is overdue; shown where a contact is read, if anything is."""
    balances: Body = {}
    is_owed = False
    for name, kind in (("AccountsReceivable", "ACCREC"), ("AccountsPayable", "ACCPAY")):
        owed = [
            invoice
            for invoice in ledger.of_contact("Invoices", contact["ContactID"])
            if invoice["Type"] == kind and invoice["Status"] == "AUTHORISED"
        ]
        overdue = [invoice for invoice in owed if invoice.get("DueDate", "9") < today(ledger)]
        balances[name] = {"Outstanding": _due(owed), "Overdue": _due(overdue)}
        is_owed = is_owed or bool(owed)
    return {"Balances": balances} if is_owed else {}


def _due(invoices: list[Body]) -> Decimal:
    return sum((amount_due(invoice) for invoice in invoices), ZERO)
