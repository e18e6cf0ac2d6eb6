"""What stands on an invoice beside payments: credit notes, overpayments and prepayments, and what of them was allocated to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from caspen_xero.xero.documents import AppliedDocument, CreditNote, Invoice

CreditKind = Literal["credit_note", "overpayment", "prepayment"]


@dataclass(frozen=True)
class AppliedCredit:
    """A credit note, overpayment or prepayment on an invoice, and what of it was applied there, in the invoice's currency."""

    kind: CreditKind
    credit_id: str
    applied: Decimal
    number: str | None


def credits_on(invoice: Invoice) -> list[AppliedCredit]:
    """The credits on an invoice, one for each credit note, overpayment or prepayment."""
    kinds: tuple[tuple[CreditKind, Sequence[AppliedDocument]], ...] = (
        ("credit_note", invoice.credit_notes),
        ("overpayment", invoice.overpayments),
        ("prepayment", invoice.prepayments),
    )
    found: dict[str, AppliedCredit] = {}
    for kind, entries in kinds:
        for entry in entries:
            credit_id = entry.credit_note_id or entry.overpayment_id or entry.prepayment_id or entry.id
            if credit_id:
                before = found[credit_id].applied if credit_id in found else Decimal(0)
                applied = (entry.applied_amount or Decimal(0)) + before
                found[credit_id] = AppliedCredit(kind, credit_id, applied, entry.credit_note_number)
    return list(found.values())


def allocations_on(
    invoice_id: str | None, credit: AppliedCredit, document: CreditNote | None
) -> dict[str, tuple[Decimal, date | None]]:
    """The allocations of a credit to one invoice, amount and date by id. `document`: the credit as it was read, None if it is gone.

    Xero's description gives every allocation an id. UNCONFIRMED: that every answer carries it; one without is told apart by its
    credit, invoice and place.
    """
    here: dict[str, tuple[Decimal, date | None]] = {}
    for allocation in document.allocations if document else ():
        target = allocation.invoice.invoice_id if allocation.invoice else None
        if target == invoice_id and not allocation.is_deleted and allocation.amount:
            id_ = allocation.allocation_id or f"{credit.credit_id}-{invoice_id}-{len(here) + 1}"
            here[id_] = (allocation.amount, allocation.date or (document.date if document else None))
    return here
