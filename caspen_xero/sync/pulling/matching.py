"""One invoice as Xero shows it now, beside what is known of it: what matching starts from, and what it has found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from caspen_xero.caspen.records import CreditNote as CaspenCreditNote
from caspen_xero.store.batches import Renaming
from caspen_xero.store.mappings import Link
from caspen_xero.store.seen_invoices import SeenInvoice, SeenNote
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.planning.payment_references import names_key
from caspen_xero.sync.pulling.ours import OfCaspen
from caspen_xero.xero.dealings import AppliedCredit
from caspen_xero.xero.documents import Invoice, Payment


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

    @property
    def payment_ids(self) -> set[str]:
        """Xero's ids of the payments and allocations that are linked or recorded."""
        return {one.xero_id for one in self.payment_links.values()} | {one.xero_id for one in self.recorded}


def under_own_ids(
    renaming: Renaming, links: Mapping[str, dict[str, Link]], recorded: Mapping[str, list[XeroPayment]]
) -> None:
    """Shows what is kept under the id of a batch under that of the member that it stands for. Both are by invoice and changed."""
    member, key = renaming.member, renaming.key
    if key is not None:
        links[member.invoice_id][key] = links[member.invoice_id][key].with_(xero_id=member.xero_id)
        return
    here = recorded[member.invoice_id]
    here[:] = [
        replace(one, xero_id=member.xero_id, told_as=member.batch_id) if one.xero_id == member.batch_id else one
        for one in here
    ]


@dataclass
class Matching:
    """One invoice as it is now. `unknown`: payments nobody knows yet; `to_read`: credits whose allocations have to be read;
    `to_look_up`: credit notes of ours that are no longer on it as they were, for what became of them; `looked_up`: those of them
    of which that is known, by CreditNoteID.

    `is_undecided`: what is unknown on it may be known, by an id that can't be learnt. `astray`: payments with a Reference of ours,
    and what Caspen says of them; `astray_credits`: the same for credit notes of ours that don't stand so in Caspen.
    """

    known: Known
    found: Invoice
    unknown: list[Payment] = field(default_factory=list)
    to_read: list[AppliedCredit] = field(default_factory=list)
    to_look_up: list[AppliedCredit] = field(default_factory=list)
    looked_up: dict[str, SeenNote] = field(default_factory=dict)
    own_credits: dict[str, AppliedCredit] = field(default_factory=dict)
    payment_links: list[Link] = field(default_factory=list)
    is_undecided: bool = False
    astray: list[tuple[Payment, OfCaspen]] = field(default_factory=list)
    astray_credits: list[tuple[AppliedCredit, OfCaspen]] = field(default_factory=list)

    @property
    def invoice_id(self) -> str:
        """The Caspen invoice's id."""
        return self.known.link.caspen_id

    @property
    def own_links(self) -> dict[str, Link]:
        """The links of Caspen's payments on the invoice, by key, with those that this look has made."""
        return {**self.known.payment_links, **{link.caspen_id: link for link in self.payment_links}}

    @property
    def has_nameless(self) -> bool:
        """Whether it shows a payment whose own id can't be learnt: any that it seems to lack may be that one."""
        return any(one.is_nameless for one in self.found.payments)

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
