"""What a plan is made from: some invoices with all that belongs to them, as plain values that nothing changes. Pure.

`sending/load.py` puts them together from the store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from caspen_xero.caspen.records import CreditNote, Invoice, PaymentMethod
from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.store.bad_records import KeptBadRecord
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Despite, Link
from caspen_xero.store.xero_payments import XeroPayment as RecordedPayment
from caspen_xero.sync.fix_commands import invoice_name
from caspen_xero.sync.planning.accepting import document_key, seal_of
from caspen_xero.sync.planning.contact_matching import ContactBook, Party
from caspen_xero.sync.planning.same_invoice import heading_in_xero
from caspen_xero.sync.planning.steps import KeepsTax
from caspen_xero.sync.setup.organisation import OrganisationFacts
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.dealings import CreditKind
from caspen_xero.xero.deeplinks import XeroPages
from caspen_xero.xero.documents import Contact as XeroContact
from caspen_xero.xero.documents import Invoice as XeroInvoice
from caspen_xero.xero.documents import Payment as XeroPayment


@dataclass(frozen=True)
class InvoiceState:
    """One invoice, what belongs to it in Caspen, and what stands for each of these in Xero. `fingerprint`: that of the invoice.

    `bad_records`: those that concern it; what they are of is as an earlier good record had it. `is_accepted`: a person is content
    with how Xero has it, though Caspen's version is another: it stays so.
    """

    invoice: Invoice
    fingerprint: str
    touched: int
    party: Party
    payer_name: str | None
    link: Link | None
    payments: tuple[AppliedPayment, ...]
    payment_links: Mapping[str, Link]
    credit_notes: tuple[CreditNote, ...]
    credit_note_links: Mapping[str, Link]
    allocation_links: Mapping[str, Link]
    bad_records: tuple[KeptBadRecord, ...] = ()
    is_accepted: bool = False
    lacks_details: bool = False
    """Something that is written with it was purged: of itself, its client or its payer."""

    def is_bad(self, kind: str, id_: str) -> bool:
        """Whether the newest record of this invoice, or of a payment or credit note of it, is a bad one."""
        return any(bad.kind == kind and bad.id == id_ for bad in self.bad_records)

    @property
    def document_key(self) -> str:
        """By what its version in Caspen beside what Xero shows is known; "" where that is not known."""
        return document_key(self.invoice, self.link.shown if self.link else None)

    @property
    def name(self) -> str:
        """The invoice as commands name it."""
        return invoice_name(self.invoice.number, self.invoice.id)


@dataclass(frozen=True)
class ChangedParty:
    """A client or payer who changed since their contact, made by us, was brought up to date. `touched`: the import's number."""

    party: Party
    link: Link
    touched: int


@dataclass(frozen=True)
class SeenNote:
    """A credit note as Xero has it: its status (None: it is not there), and its allocations: AllocationID by InvoiceID."""

    status: str | None
    allocations: Mapping[str, str]


@dataclass(frozen=True)
class SeenCredit:
    """An allocation of a credit on an invoice in Xero. `number`: of a credit note."""

    kind: CreditKind
    amount: Decimal
    date: date | None
    number: str | None


@dataclass
class Looks:
    """What this run has seen in Xero, by Xero's ids: contacts (None: not there), invoices, payments, and our credit notes.

    `credits`: by InvoiceID, the allocations on it that are not of our own credit notes, by AllocationID.
    `notes_on`: by InvoiceID, what of each credit note stood on it, by CreditNoteID; our own writes since change none of that.
    `deleted`: by InvoiceID, the payments that were deleted, in that order. `odd`: why what was asked for can't be read, by what it
    was asked for as (a field of `Asks`) and its id.
    """

    contacts: dict[str, XeroContact | None] = field(default_factory=dict)
    invoices: dict[str, XeroInvoice] = field(default_factory=dict)
    payments: dict[str, XeroPayment] = field(default_factory=dict)
    notes: dict[str, SeenNote] = field(default_factory=dict)
    credits: dict[str, dict[str, SeenCredit]] = field(default_factory=dict)
    notes_on: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    deleted: dict[str, list[XeroPayment]] = field(default_factory=dict)
    odd: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class CaspenSide:
    """What Caspen says of some invoices: it can't change during a run, so it is loaded once for all plans of a slice."""

    invoices: Mapping[str, Invoice]
    fingerprints: Mapping[str, str]
    touched: Mapping[str, int]
    parties: Mapping[str, Party]
    payers: Mapping[str, str]
    payments: Mapping[str, list[AppliedPayment]]
    credit_notes: Mapping[str, list[CreditNote]]
    bad_records: Mapping[str, list[KeptBadRecord]]
    tax_rates: Mapping[str, CaspenRate]
    methods: Mapping[str, PaymentMethod]
    lack_details: frozenset[str]


@dataclass(frozen=True)
class Snapshot:
    """Everything that one plan looks at. `created` and `created_notes`: the invoices and credit notes that this run has made, by
    answers that say so; `claimed`: Xero payments that stand for ours; `deleted_by_us`: those that we have asked Xero to delete.

    `is_named`: a person has named these invoices. `refunded`: the payments (by Caspen's id) that stand in Xero and are refunded.
    `xero_pages`: where the organisation's documents open in a browser.
    `unsettled`: why Xero's answer about a step can't be read, by kind and record; `unreadable`: why a pull could not read an
    invoice.

    Of the Xero ids that payments of Caspen's name themselves (`xero_id`): `told`, what we have recorded under it; `claimants`,
    Caspen's living payments that name it, on whatever invoice; `claimed_by`, the link of what it stands for already.
    `members`: by batch and Caspen invoice, of those that were looked at, the ids and amounts of the batch's payments there, in the
    order in which Caspen's that name the batch stand for them.

    `delivered`: of the payments on the invoices that were looked at, those that Caspen was told of. `told_and_gone`: by
    invoice, the amounts of what Caspen was told of and is gone there since. `different`: payments of
    Caspen's (by key) and of Xero's (by id) that are known not to be the same money. `asked_about`: such
    pairs of which a person can have been asked who wants to `pay_anyway`.
    """

    invoices: Sequence[InvoiceState]
    facts: OrganisationFacts
    settings: Settings
    keeps_tax: KeepsTax
    tax_rates: Mapping[str, CaspenRate]
    tax_links: Mapping[str, str]
    account_links: Mapping[str, str]
    methods: Mapping[str, PaymentMethod]
    contacts: ContactBook
    holds: Mapping[tuple[str, str], Hold]
    settings_number: int
    looks: Looks
    changed_parties: Sequence[ChangedParty] = ()
    created: frozenset[str] = frozenset()
    created_notes: frozenset[str] = frozenset()
    claimed: frozenset[str] = frozenset()
    deleted_by_us: frozenset[str] = frozenset()
    refunded: frozenset[str] = frozenset()
    unsettled: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, RecordedPayment] = field(default_factory=dict)
    claimants: Mapping[str, list[AppliedPayment]] = field(default_factory=dict)
    claimed_by: Mapping[str, Link] = field(default_factory=dict)
    members: Mapping[tuple[str, str], Sequence[tuple[str, Decimal]]] = field(default_factory=dict)
    delivered: frozenset[str] = frozenset()
    told_and_gone: Mapping[str, Collection[Decimal]] = field(default_factory=dict)
    different: frozenset[tuple[str, str]] = frozenset()
    overwrite: frozenset[str] = frozenset()
    pay_anyway: Mapping[str, Collection[str]] = field(default_factory=dict)
    asked_about: frozenset[tuple[str, str]] = frozenset()
    xero_pages: XeroPages = field(default_factory=XeroPages)
    is_named: bool = False


def is_only_ours(link: Link) -> bool:
    """Whether all that has happened to an invoice in Xero, up to what was last seen of it, was our own doing."""
    until, seen = link.only_ours_until, link.xero_updated_at
    return until is not None and seen is not None and until >= seen


FOLLOWED = ("status", "subtotal", "tax", "total", "amount_paid", "amount_credited", "amount_due")
"""The fields of an invoice's link that follow what Xero shows."""


def link_as_seen(link: Link, found: XeroInvoice) -> Link:
    """An invoice's link with the status and amounts that Xero shows; what we wrote there stays what it was."""
    shown: dict[str, Any] = {
        "status": found.status,
        "subtotal": found.sub_total,
        "tax": found.total_tax,
        "total": found.total,
        "amount_paid": found.amount_paid,
        "amount_credited": found.credited,
        "amount_due": found.amount_due,
        "xero_updated_at": found.updated_date_utc,
    }
    told = {name: value for name, value in shown.items() if value is not None}
    seal = seal_of(found, link, is_ours=link.made_by_us)
    return link.with_(**told, despite=still_despite(link.despite, found), shown=seal)


def still_despite(despite: Despite | None, found: XeroInvoice) -> Despite | None:
    """What of the differences in spite of which an invoice was linked Xero still shows.

    That it is the same debt was said of what Xero showed then: of another contact or currency it has to be said again.
    """
    if despite is None:
        return None
    shown = {name: text for name, text in heading_in_xero(found).items() if text}
    left = {name: (ours, shown.get(name, theirs)) for name, (ours, theirs) in despite.differences.items()}
    left = {name: sides for name, sides in left.items() if sides[0] != sides[1]}
    is_as_meant = all(sides == despite.differences[name] for name, sides in left.items())
    return replace(despite, differences=left, with_payments=despite.with_payments and is_as_meant) if left else None
