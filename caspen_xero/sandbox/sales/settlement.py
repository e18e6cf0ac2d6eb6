"""What is still due on an invoice and what remains of a credit, and the statuses that follow from it."""

from __future__ import annotations

from decimal import Decimal

from caspen_xero.sandbox.books.arithmetic import ZERO
from caspen_xero.sandbox.books.ledger import Body
from caspen_xero.sandbox.sales.statuses import APPROVED, ENDED


def paid(document: Body) -> Decimal:
    """The sum of the payments of an invoice, or of the refunds of a credit."""
    return sum((payment["Amount"] for payment in document["Payments"]), ZERO)


def allocated(document: Body) -> Decimal:
    """The sum of the allocations: credited to an invoice, or used of a credit."""
    return sum((allocation["Amount"] for allocation in document["Allocations"]), ZERO)


def amount_due(document: Body) -> Decimal:
    """What is left: AmountDue of an invoice (zero once it is void or deleted), RemainingCredit of a credit."""
    if document["Status"] in ENDED:
        return ZERO
    return Decimal(document["Total"] - paid(document) - allocated(document))


def has_dealings(document: Body) -> bool:
    """Whether payments, refunds or allocations stand on the document."""
    return bool(document["Payments"] or document["Allocations"])


def settle(document: Body) -> None:
    """An approved document with nothing left is PAID, on the day of its last payment; with something left, AUTHORISED again."""
    if document["Status"] not in APPROVED:
        return
    document.pop("FullyPaidOnDate", None)
    if amount_due(document) > 0:
        document["Status"] = "AUTHORISED"
        return
    document["Status"] = "PAID"
    dates = [entry["Date"] for entry in (*document["Payments"], *document["Allocations"])]
    document["FullyPaidOnDate"] = max(dates, default=document["Date"])
