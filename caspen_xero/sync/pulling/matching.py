"""One invoice as Xero shows it now, beside what is known of it: what matching starts from, and what it has found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from caspen_xero.caspen.records import CreditNote as CaspenCreditNote
from caspen_xero.store.mappings import Link
from caspen_xero.store.xero_payments import SeenInvoice, XeroPayment
from caspen_xero.sync.planning.payment_references import names_key
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

    `is_undecided`: a payment on it waits for a person to say whether it is one of Caspen's. `astray`: payments with a Reference of
    ours, and what Caspen says of them in words; `astray_credits`: the same for credit notes of ours that don't stand so in Caspen.
    """

    known: Known
    found: Invoice
    unknown: list[Payment] = field(default_factory=list)
    to_read: list[AppliedCredit] = field(default_factory=list)
    own_credits: dict[str, AppliedCredit] = field(default_factory=dict)
    payment_links: list[Link] = field(default_factory=list)
    is_undecided: bool = False
    astray: list[tuple[Payment, str]] = field(default_factory=list)
    astray_credits: list[tuple[AppliedCredit, str]] = field(default_factory=list)

    @property
    def invoice_id(self) -> str:
        """The Caspen invoice's id."""
        return self.known.link.caspen_id

    @property
    def own_links(self) -> dict[str, Link]:
        """The links of Caspen's payments on the invoice, by key, with those that this look has made."""
        return {**self.known.payment_links, **{link.caspen_id: link for link in self.payment_links}}

    def doubled(self) -> dict[str, list[Payment]]:
        """Living payments that name the same one of Caspen's, by its key: the one that stands for it, and others beside it."""
        shown = [payment for payment in self.found.payments if payment.status != "DELETED"]
        ids = {payment.payment_id for payment in shown}
        same = {
            key: [one for one in shown if one.payment_id == link.xero_id or names_key(one.reference, key)]
            for key, link in self.own_links.items()
            if link.xero_id in ids
        }
        return {key: payments for key, payments in same.items() if len(payments) > 1}
