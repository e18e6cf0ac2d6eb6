"""One invoice as Xero shows it now, beside what is known of it: what matching starts from, and what it has found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caspen_xero.caspen.records import CreditNote as CaspenCreditNote
from caspen_xero.store.mappings import Link
from caspen_xero.store.xero_payments import SeenInvoice, XeroPayment
from caspen_xero.xero.documents import AppliedCredit, Invoice, Payment


@dataclass(frozen=True)
class Known:
    """What is known of one invoice: its link, how it was last seen, and what of Caspen's stands on it."""

    link: Link
    number: str | None
    before: SeenInvoice | None
    payment_links: Mapping[str, Link]
    allocation_links: Mapping[str, Link]
    note_links: Mapping[str, Link]
    notes: Sequence[CaspenCreditNote]
    recorded: Sequence[XeroPayment]


@dataclass
class Matching:
    """One invoice as it is now. `unknown`: payments nobody knows yet; `to_read`: credits whose allocations have to be read.

    `is_undecided`: a payment on it waits for a person to say whether it is one of Caspen's.
    """

    known: Known
    found: Invoice
    unknown: list[Payment] = field(default_factory=list)
    to_read: list[AppliedCredit] = field(default_factory=list)
    own_credits: dict[str, AppliedCredit] = field(default_factory=dict)
    payment_links: list[Link] = field(default_factory=list)
    is_undecided: bool = False

    @property
    def invoice_id(self) -> str:
        """The Caspen invoice's id."""
        return self.known.link.caspen_id
