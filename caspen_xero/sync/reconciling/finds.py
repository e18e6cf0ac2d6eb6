"""What a reconciliation can find, by code: scripts rely on the codes, people read the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Group = Literal["document", "details", "money", "credit", "nobodys"]
"""What a find is about: an invoice itself, what of it a bookkeeper may have decided, its payments, its credits, or what Caspen
does not know."""

FINDS: Mapping[str, tuple[str, Group]] = {
    "missing-in-xero": ("not in Xero", "document"),
    "voided-in-xero": ("void or deleted in Xero", "document"),
    "gone-in-caspen": ("void, deleted or a draft in Caspen, and stands in Xero", "document"),
    "twice-in-xero": ("twice in Xero", "document"),
    "number": ("number", "document"),
    "contact": ("contact", "document"),
    "date": ("date", "document"),
    "due-date": ("due date", "details"),
    "status": ("status", "document"),
    "currency": ("currency", "document"),
    "figures": ("subtotal, tax or total", "document"),
    "line": ("a line's amount, tax or tax rate", "document"),
    "line-missing-in-xero": ("a line that is not in Xero", "document"),
    "line-unknown-in-caspen": ("a line that is not in Caspen", "document"),
    "paid": ("what is paid", "money"),
    "payment-missing-in-xero": ("a payment that is not in Xero", "money"),
    "payment-unknown-in-caspen": ("a payment that Caspen does not have", "money"),
    "payment-amount": ("a payment's amount", "money"),
    "payment-date": ("a payment's date", "money"),
    "credited": ("what is credited", "credit"),
    "credit-missing-in-xero": ("a credit note that is not on the invoice in Xero", "credit"),
    "credit-unknown-in-caspen": ("a credit on the invoice that Caspen does not have", "credit"),
    "credit-amount": ("what of a credit note is on the invoice", "credit"),
    "credit-date": ("the day on which a credit counts", "credit"),
    "credit-note-missing-in-xero": ("a credit note that is not in Xero", "credit"),
    "credit-note-voided-in-xero": ("a credit note that is void or deleted in Xero", "credit"),
    "credit-note-gone-in-caspen": ("a credit note that is void or deleted in Caspen, and stands in Xero", "credit"),
    "credit-note-number": ("a credit note's number", "credit"),
    "credit-note-contact": ("a credit note's contact", "credit"),
    "credit-note-date": ("a credit note's date", "credit"),
    "credit-note-currency": ("a credit note's currency", "credit"),
    "credit-note-status": ("a credit note's status", "credit"),
    "credit-note-figures": ("a credit note's subtotal, tax or total", "credit"),
    "credit-note-line": ("a line of a credit note", "credit"),
    "unknown-in-caspen": ("an invoice in Xero that Caspen does not have", "nobodys"),
    "credit-note-unknown-in-caspen": ("a credit note in Xero that Caspen does not have", "nobodys"),
    "unreadable-in-xero": ("can't be read in Xero", "document"),
}
"""By code: what it is in words, and what it is about."""

PAID_WITHOUT_PAYMENT = "paid-without-payment"
INFORMATION: Mapping[str, str] = {
    "recoded": "a line in another account than it was sent to",
    "text": "a line's text, or the reference",
    "payment-account": "a payment in another account than the one chosen now",
    "bank-day": "a payment that the bank's feed brought on another day",
    PAID_WITHOUT_PAYMENT: "paid in Caspen, and its records have no payment of it",
}
"""What is listed, and not counted: a bookkeeper's own decisions, and what Caspen says that no record bears out."""
