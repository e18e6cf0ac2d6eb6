"""The statuses of invoices, bills and credit notes. Those of overpayments and prepayments are some of them."""

from __future__ import annotations

UNAPPROVED = ("DRAFT", "SUBMITTED")
NEW = (*UNAPPROVED, "AUTHORISED")
"""What a new document may be."""
APPROVED = ("AUTHORISED", "PAID")
"""What takes payments and allocations."""
ENDED = ("VOIDED", "DELETED")

# What may follow which status by POST; PAID is the system's, and only repeats itself.
NEXT_STATUS = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID", "AUTHORISED", "VOIDED"},
    "VOIDED": set[str](),
    "DELETED": set[str](),
}


def is_complete(status: str) -> bool:
    """Whether a document of this status must have everything: accounts, descriptions, a due date."""
    return status not in ("DRAFT", "DELETED")
