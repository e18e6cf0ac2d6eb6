"""What a plan is made from: some invoices with all that belongs to them, as plain values. Loading it is the only database work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from caspen_xero.caspen.records import CreditNote, Invoice, PaymentMethod
from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.store import clinic, holds, todo, xero_payments
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import KnownContact, Link, Mappings, name_key
from caspen_xero.store.store import Store
from caspen_xero.store.xero_payments import XeroPayment as RecordedPayment
from caspen_xero.sync.planning.contact_matching import GENERIC_ID, Party, PartyKind
from caspen_xero.sync.planning.translate import Document, Privacy, Terms, invoice_fingerprint
from caspen_xero.sync.setup.organisation import Reference
from caspen_xero.xero.documents import Invoice as XeroInvoice
from caspen_xero.xero.documents import Payment as XeroPayment


@dataclass(frozen=True)
class PushSettings:
    """The settings that decide what is sent and how.

    `keeps_tax_amount`: whether the organisation has shown that it keeps ours: "yes", or only where they decide half cents.
    """

    start_date: date | None = None
    payments: bool = True
    privacy: Privacy = "full"
    contact: Literal["client", "payer"] = "client"
    invoice_status: Literal["AUTHORISED", "DRAFT"] = "AUTHORISED"
    keeps_tax_amount: Literal["yes", "half-cents", "unknown"] = "unknown"

    @classmethod
    def of(cls, mappings: Mappings) -> PushSettings:
        """The settings as the store has them."""
        store = mappings.store
        start = store.setting("start_date")
        privacy = store.setting("privacy") or "full"
        kept = mappings.setting("keeps_tax_amount")
        return cls(
            start_date=date.fromisoformat(start) if start else None,
            payments=store.setting("payments") != "off",
            privacy="generic" if privacy == "generic" else "name-only" if privacy == "name-only" else "full",
            contact="payer" if store.setting("contact") == "payer" else "client",
            invoice_status="DRAFT" if store.setting("invoice_status") == "draft" else "AUTHORISED",
            keeps_tax_amount="yes" if kept == "yes" else "half-cents" if kept == "half-cents" else "unknown",
        )

    def must_prove_tax(self, document: Document) -> bool:
        """Whether a document leans on tax amounts of a kind that the organisation has not yet shown to keep."""
        unproven = self.keeps_tax_amount != "yes" if document.tells_tax else self.keeps_tax_amount == "unknown"
        return document.explicit_tax and unproven


@dataclass(frozen=True)
class InvoiceState:
    """One invoice, what belongs to it in Caspen, and what stands for each of these in Xero. `fingerprint`: that of the invoice."""

    invoice: Invoice
    fingerprint: str
    touched: int
    party: Party
    payer_name: str | None
    link: Link | None
    payments: list[AppliedPayment]
    payment_links: dict[str, Link]
    credit_notes: list[CreditNote]
    credit_note_links: dict[str, Link]
    allocation_links: dict[str, Link]


@dataclass(frozen=True)
class ContactBook:
    """What is known of Xero's contacts: links by party, contacts by number, by name and by id.

    `others`: those among the contacts by name that stand for another party already.
    """

    links: Mapping[tuple[str, str], Link]
    touched: Mapping[tuple[str, str], int]
    numbered: Mapping[str, list[KnownContact]]
    names: Mapping[str, list[KnownContact]]
    by_id: Mapping[str, KnownContact]
    others: frozenset[str]

    def named(self, name: str) -> list[KnownContact]:
        """Contacts of that name, archived ones too."""
        return self.names.get(name_key(name), [])


@dataclass
class Looks:
    """What this run has seen in Xero, by Xero's ids: invoices, payments, and the allocations of credit notes.

    `credits`: by InvoiceID, the amounts of the allocations on it that are not of our own credit notes, by AllocationID.
    """

    invoices: dict[str, XeroInvoice] = field(default_factory=dict)
    payments: dict[str, XeroPayment] = field(default_factory=dict)
    allocations: dict[str, dict[str, str]] = field(default_factory=dict)
    credits: dict[str, dict[str, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True)
class CaspenSide:
    """What Caspen says of some invoices: it can't change during a run, so it is loaded once for all plans of a slice.

    `written` keeps what was translated, by invoice, with the terms that it was translated by.
    """

    invoices: Mapping[str, Invoice]
    fingerprints: Mapping[str, str]
    touched: Mapping[str, int]
    parties: Mapping[str, Party]
    payers: Mapping[str, str]
    payments: Mapping[str, list[AppliedPayment]]
    credit_notes: Mapping[str, list[CreditNote]]
    tax_rates: Mapping[str, CaspenRate]
    methods: Mapping[str, PaymentMethod]
    written: dict[tuple[str, bool], tuple[Terms, Document]] = field(default_factory=dict)


def load_caspen_side(store: Store, invoice_ids: Iterable[str], settings: PushSettings) -> CaspenSide:
    """Reads what Caspen says of these invoices from the store, in their order."""
    ids = list(invoice_ids)
    found = clinic.invoices(store, ids)
    invoices = {id_: found[id_] for id_ in ids if id_ in found}
    parties, payers = _parties(store, invoices, settings)
    return CaspenSide(
        invoices=invoices,
        fingerprints={id_: invoice_fingerprint(invoice) for id_, invoice in invoices.items()},
        touched=todo.touched(store, invoices),
        parties=parties,
        payers=payers,
        payments=clinic.payments_on(store, invoices),
        credit_notes=clinic.credit_notes_on(store, invoices),
        tax_rates={rate.id: rate for rate in clinic.tax_rates(store)},
        methods={method.id: method for method in clinic.payment_methods(store)},
    )


@dataclass(frozen=True)
class Snapshot:
    """Everything that one plan looks at. `created`: invoices made in this run; `claimed`: Xero payments that stand for ours.

    Of the Xero ids that payments of Caspen's name themselves (`xero_id`): `told`, what we have recorded under it; `claimants`,
    Caspen's living payments that name it, on whatever invoice; `claimed_by`, the link of what it stands for already.
    """

    invoices: list[InvoiceState]
    reference: Reference
    settings: PushSettings
    tax_rates: Mapping[str, CaspenRate]
    tax_links: Mapping[str, str]
    account_links: Mapping[str, str]
    methods: Mapping[str, PaymentMethod]
    contacts: ContactBook
    holds: Mapping[tuple[str, str], Hold]
    settings_number: int
    looks: Looks
    written: dict[tuple[str, bool], tuple[Terms, Document]]
    created: frozenset[str] = frozenset()
    claimed: frozenset[str] = frozenset()
    told: Mapping[str, RecordedPayment] = field(default_factory=dict)
    claimants: Mapping[str, list[AppliedPayment]] = field(default_factory=dict)
    claimed_by: Mapping[str, Link] = field(default_factory=dict)
    overwrite: frozenset[str] = frozenset()
    pay_anyway: frozenset[str] = frozenset()
    taken_names: set[str] = field(default_factory=set)


def load_snapshot(
    mappings: Mappings,
    caspen: CaspenSide,
    reference: Reference,
    settings: PushSettings,
    now: datetime,
    *,
    looks: Looks | None = None,
    created: frozenset[str] = frozenset(),
    overwrite: frozenset[str] = frozenset(),
    pay_anyway: frozenset[str] = frozenset(),
    suggested_rates: Mapping[str, str] | None = None,
    ignore_holds: bool = False,
) -> Snapshot:
    """Puts what Caspen says beside what the store now knows of Xero; `ignore_holds`: as if none stood."""
    looks = looks or Looks()
    links = mappings.links("invoice", caspen.invoices)
    payment_links = _payment_links(mappings, caspen)
    note_links = _by_invoice(mappings.links_of_invoices("credit_note", caspen.invoices))
    allocation_links = _by_invoice(mappings.links_of_invoices("allocation", caspen.invoices))
    claims = {
        payment.xero_id
        for id_, payments in caspen.payments.items()
        for payment in payments
        if payment.xero_id and payment.key not in payment_links[id_]
    }
    return Snapshot(
        invoices=[
            InvoiceState(
                invoice=invoice,
                fingerprint=caspen.fingerprints[id_],
                touched=caspen.touched[id_],
                party=caspen.parties[id_],
                payer_name=caspen.payers.get(id_),
                link=links.get(id_),
                payments=caspen.payments.get(id_, []),
                payment_links=payment_links[id_],
                credit_notes=caspen.credit_notes.get(id_, []),
                credit_note_links=note_links[id_],
                allocation_links=allocation_links[id_],
            )
            for id_, invoice in caspen.invoices.items()
        ],
        reference=reference,
        settings=settings,
        tax_rates=caspen.tax_rates,
        tax_links={**(suggested_rates or {}), **mappings.tax_links()},
        account_links=mappings.account_links(),
        methods=caspen.methods,
        contacts=_contact_book(mappings, caspen.parties.values()),
        holds={} if ignore_holds else holds.standing(mappings, now),
        settings_number=mappings.settings_number(),
        looks=looks,
        written=caspen.written,
        created=created,
        claimed=frozenset(mappings.links_to(_payments_seen(looks, links.values()))),
        told=xero_payments.recorded(mappings, claims),
        claimants=clinic.payments_naming(mappings.store, claims),
        claimed_by=mappings.links_to(claims),
        overwrite=overwrite,
        pay_anyway=pay_anyway,
    )


def _payments_seen(looks: Looks, links: Iterable[Link]) -> list[str]:
    """The ids of all payments on the invoices that were looked at."""
    seen = (looks.invoices.get(link.xero_id) for link in links)
    return [payment.payment_id for invoice in seen if invoice for payment in invoice.payments if payment.payment_id]


def _party(invoice: Invoice, settings: PushSettings) -> Party:
    if settings.privacy == "generic":
        return Party("client", GENERIC_ID, None, settings.privacy)
    if settings.contact == "payer" and invoice.invoice_to_id:
        return Party("payer", invoice.invoice_to_id, None, settings.privacy)
    return Party("client", invoice.client_id, None, settings.privacy)


def _parties(
    store: Store, invoices: Mapping[str, Invoice], settings: PushSettings
) -> tuple[dict[str, Party], dict[str, str]]:
    """The parties with their records, and the name of the payer who is to stand in an invoice's reference."""
    parties = {id_: _party(invoice, settings) for id_, invoice in invoices.items()}
    clients = clinic.clients(store, [party.caspen_id for party in parties.values()])
    contacts = clinic.contacts(store, [i.invoice_to_id for i in invoices.values() if i.invoice_to_id])
    complete: dict[str, Party] = {}
    payers: dict[str, str] = {}
    for id_, party in parties.items():
        record = contacts.get(party.caspen_id) if party.kind == "payer" else clients.get(party.caspen_id)
        shared = party.kind == "payer" and party.caspen_id in clients
        complete[id_] = Party(party.kind, party.caspen_id, record, party.privacy, id_is_a_clients=shared)
        payer = contacts.get(invoices[id_].invoice_to_id or "")
        if payer and party.kind == "client" and settings.privacy != "generic":
            payers[id_] = Party("payer", payer.id, payer).full_name
    return complete, payers


def _contact_book(mappings: Mappings, parties: Iterable[Party]) -> ContactBook:
    distinct = {(party.kind, party.caspen_id): party for party in parties}
    links: dict[tuple[str, str], Link] = {}
    touched: dict[tuple[str, str], int] = {}
    tables: tuple[tuple[PartyKind, Literal["clients", "contacts"]], ...] = (
        ("client", "clients"),
        ("payer", "contacts"),
    )
    for kind, table in tables:
        ids = [caspen_id for party_kind, caspen_id in distinct if party_kind == kind]
        links |= {(kind, caspen_id): link for caspen_id, link in mappings.links(kind, ids).items()}
        touched |= {(kind, caspen_id): at for caspen_id, at in todo.touched(mappings.store, ids, table).items()}
    unlinked = [party for key, party in distinct.items() if key not in links]
    numbered: dict[str, list[KnownContact]] = defaultdict(list)
    for contact in mappings.contacts_numbered(party.number for party in unlinked):
        numbered[contact.number or ""].append(contact)
    names: dict[str, list[KnownContact]] = defaultdict(list)
    wanted = [
        name
        for party in unlinked
        for name in (party.name(), party.name(unique=True), party.name(unique=True, attempt=1))
    ]
    for contact in mappings.contacts_named(wanted):
        names[name_key(contact.name)].append(contact)
    by_id = mappings.contacts(link.xero_id for link in links.values())
    same_names = mappings.links_to(contact.xero_id for contacts in names.values() for contact in contacts)
    return ContactBook(links, touched, numbered, names, by_id, frozenset(same_names))


def _payment_links(mappings: Mappings, caspen: CaspenSide) -> defaultdict[str, dict[str, Link]]:
    """The Xero payments of each invoice; an allocation that was moved to it, but stands on another one in Xero, counts too."""
    found = _by_invoice(mappings.links_of_invoices("payment", caspen.invoices))
    applied = {payment.key: id_ for id_, payments in caspen.payments.items() for payment in payments}
    for link in mappings.links("payment", applied).values():
        found[applied[link.caspen_id]][link.caspen_id] = link
    return found


def _by_invoice(links: Iterable[Link]) -> defaultdict[str, dict[str, Link]]:
    found: defaultdict[str, dict[str, Link]] = defaultdict(dict)
    for link in links:
        found[link.invoice_id or ""][link.caspen_id] = link
    return found
