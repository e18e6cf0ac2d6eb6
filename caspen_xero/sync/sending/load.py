"""Putting together what a plan is made from, out of the store: what Caspen says, beside what is known of Xero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from caspen_xero.caspen.records import Client, Contact, Invoice
from caspen_xero.store import batches, clinic, holds, todo, xero_payments
from caspen_xero.store.journal import payments_asked_to_delete
from caspen_xero.store.mappings import KnownContact, Link, Mappings, by_invoice, name_key
from caspen_xero.store.store import Store
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.planning.contact_matching import GENERIC_ID, Party, PartyKind
from caspen_xero.sync.planning.snapshot import (
    CaspenSide,
    ChangedParty,
    ContactBook,
    InvoiceState,
    Looks,
    Snapshot,
    link_as_seen,
)
from caspen_xero.sync.planning.translate import invoice_fingerprint
from caspen_xero.sync.sending.own_ids import members_shown
from caspen_xero.sync.sending.tax_amounts import keeps_tax
from caspen_xero.sync.setup.organisation import OrganisationFacts
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED

SLICE = 1000
"""How many invoices a run has in memory at a time."""


def load_caspen_side(store: Store, invoice_ids: Iterable[str], settings: Settings) -> CaspenSide:
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


def load_snapshot(
    mappings: Mappings,
    caspen: CaspenSide,
    facts: OrganisationFacts,
    settings: Settings,
    now: datetime,
    *,
    looks: Looks | None = None,
    changed_parties: Sequence[ChangedParty] = (),
    created: frozenset[str] = frozenset(),
    created_notes: frozenset[str] = frozenset(),
    overwrite: frozenset[str] = frozenset(),
    pay_anyway: frozenset[str] = frozenset(),
    is_named: bool = False,
    suggested_rates: Mapping[str, str] | None = None,
    ignore_holds: bool = False,
) -> Snapshot:
    """Puts what Caspen says beside what the store now knows of Xero; `ignore_holds`: as if none stood."""
    looks = looks or Looks()
    links = _links(mappings, caspen, looks)
    payment_links = _payment_links(mappings, caspen, looks)
    note_links = _note_links(mappings, caspen, looks)
    allocation_links = _allocation_links(mappings, caspen, looks, links)
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
                payments=tuple(caspen.payments.get(id_, ())),
                payment_links=payment_links[id_],
                credit_notes=tuple(caspen.credit_notes.get(id_, ())),
                credit_note_links=note_links[id_],
                allocation_links=allocation_links[id_],
            )
            for id_, invoice in caspen.invoices.items()
        ],
        facts=facts,
        settings=settings,
        keeps_tax=keeps_tax(mappings),
        tax_rates=caspen.tax_rates,
        tax_links={**(suggested_rates or {}), **mappings.tax_links()},
        account_links=mappings.account_links(),
        methods=caspen.methods,
        contacts=_contact_book(mappings, caspen.parties.values(), changed_parties),
        holds={} if ignore_holds else holds.standing(mappings, now),
        settings_number=mappings.settings_number(),
        looks=looks,
        changed_parties=changed_parties,
        created=created,
        created_notes=created_notes,
        claimed=frozenset(mappings.links_to(_payments_seen(looks, links.values()))),
        deleted_by_us=_deleted_by_us(mappings, caspen, looks, links),
        told=_told(mappings, claims),
        claimants=clinic.payments_naming(mappings.store, claims),
        claimed_by=mappings.links_to(claims),
        members=_members(mappings, looks) if claims else {},
        overwrite=overwrite,
        pay_anyway=pay_anyway,
        is_named=is_named,
    )


def _deleted_by_us(mappings: Mappings, caspen: CaspenSide, looks: Looks, links: Mapping[str, Link]) -> frozenset[str]:
    """Of the invoices whose deleted payments were read, the Xero ids of those that we have asked Xero to delete."""
    read = [id_ for id_, link in links.items() if looks.deleted.get(link.xero_id)]
    keys = [payment.key for id_ in read for payment in caspen.payments.get(id_, ())]
    return frozenset(payments_asked_to_delete(mappings, keys))


def _told(mappings: Mappings, claims: Iterable[str]) -> dict[str, XeroPayment]:
    """What we have recorded of the payments that are claimed, but for those that a pull has since seen gone from their invoice."""
    recorded = xero_payments.recorded(mappings, claims)
    seen = xero_payments.seen_invoices(mappings, (one.invoice_id for one in recorded.values()))

    def stands(one: XeroPayment) -> bool:
        shown = seen.get(one.invoice_id)
        return shown is None or one.xero_id in shown.payments or one.xero_id in shown.allocations

    return {id_: one for id_, one in recorded.items() if stands(one)}


def _members(mappings: Mappings, looks: Looks) -> dict[tuple[str, str], list[tuple[str, Decimal]]]:
    """The members of batches on the invoices that were looked at."""
    found: defaultdict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for one in batches.in_order(mappings, members_shown(mappings, looks.invoices)):
        found[one.batch_id, one.invoice_id].append((one.xero_id, one.amount))
    return found


def _payments_seen(looks: Looks, links: Iterable[Link]) -> list[str]:
    """The ids of all payments on the invoices that were looked at."""
    seen = (looks.invoices.get(link.xero_id) for link in links)
    return [payment.payment_id for invoice in seen if invoice for payment in invoice.payments if payment.payment_id]


def _party(invoice: Invoice, settings: Settings) -> Party:
    if settings.privacy == "generic":
        return Party("client", GENERIC_ID, None, settings.privacy)
    if settings.contact == "payer" and invoice.invoice_to_id:
        return Party("payer", invoice.invoice_to_id, None, settings.privacy)
    return Party("client", invoice.client_id, None, settings.privacy)


def _parties(
    store: Store, invoices: Mapping[str, Invoice], settings: Settings
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


def load_changed_parties(mappings: Mappings, settings: Settings) -> list[ChangedParty]:
    """The clients and payers who changed since their contact, made by us, was last brought up to date."""
    changed = todo.contacts_to_do(mappings)
    ids = {kind: [id_ for one, id_, _ in changed if one == kind] for kind, _, _ in changed}
    links = {kind: mappings.links(kind, those) for kind, those in ids.items()}
    records: dict[str, Mapping[str, Client | Contact]] = {
        "client": clinic.clients(mappings.store, ids.get("client", ())),
        "payer": clinic.contacts(mappings.store, ids.get("payer", ())),
    }
    return [
        ChangedParty(Party(kind, id_, records[kind].get(id_), settings.privacy), links[kind][id_], touched)
        for kind, id_, touched in changed
        if id_ in links[kind]
    ]


def _contact_book(mappings: Mappings, parties: Iterable[Party], changed_parties: Iterable[ChangedParty]) -> ContactBook:
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
        for party in (*unlinked, *(change.party for change in changed_parties))
        for name in (party.name(), party.name(unique=True), party.name(unique=True, attempt=1))
    ]
    for contact in mappings.contacts_named(wanted):
        names[name_key(contact.name)].append(contact)
    by_id = mappings.contacts(link.xero_id for link in links.values())
    same_names = mappings.links_to(contact.xero_id for contacts in names.values() for contact in contacts)
    return ContactBook(links, touched, numbered, names, by_id, frozenset(same_names))


def _links(mappings: Mappings, caspen: CaspenSide, looks: Looks) -> dict[str, Link]:
    """The links of the invoices, as Xero shows them where this run has looked."""
    links = mappings.links("invoice", caspen.invoices)
    seen = {id_: looks.invoices.get(link.xero_id) for id_, link in links.items()}
    return {id_: link_as_seen(link, found) if (found := seen[id_]) else link for id_, link in links.items()}


def _note_links(mappings: Mappings, caspen: CaspenSide, looks: Looks) -> defaultdict[str, dict[str, Link]]:
    """The Xero credit notes of each invoice; one that this run has seen approved or gone in Xero says so."""

    def as_seen(link: Link) -> Link:
        note = looks.notes.get(link.xero_id)
        by_a_person = note is not None and (note.status in GONE_STATUSES or link.status in UNAPPROVED)
        return link.with_(status=note.status) if note is not None and by_a_person else link

    return by_invoice(as_seen(link) for link in mappings.links_of_invoices("credit_note", caspen.invoices))


def _allocation_links(
    mappings: Mappings, caspen: CaspenSide, looks: Looks, links: Mapping[str, Link]
) -> defaultdict[str, dict[str, Link]]:
    """What of the credit notes is on each invoice in Xero; not what this run has seen taken off there already."""

    def stands(link: Link) -> bool:
        note, invoice = looks.notes.get(link.xero_id), links.get(link.invoice_id or "")
        if note is None or invoice is None:
            return note is None
        return invoice.xero_id in note.allocations or link.xero_id in looks.notes_on.get(invoice.xero_id, ())

    found = mappings.links_of_invoices("allocation", caspen.invoices)
    return by_invoice(link for link in found if stands(link))


def _payment_links(mappings: Mappings, caspen: CaspenSide, looks: Looks) -> defaultdict[str, dict[str, Link]]:
    """The Xero payments of each invoice; one that this run has seen deleted says so where Caspen has it still, else it is no more.

    An allocation that was moved to it, but stands on another one in Xero, counts too.
    """
    found = by_invoice(mappings.links_of_invoices("payment", caspen.invoices))
    applied = {payment.key: id_ for id_, payments in caspen.payments.items() for payment in payments}
    for link in mappings.links("payment", applied).values():
        found[applied[link.caspen_id]][link.caspen_id] = link
    gone = {id_ for id_, payment in looks.payments.items() if payment.status == "DELETED"}
    if not gone:
        return found
    applied_here = (payment for payments in caspen.payments.values() for payment in payments)
    own = {payment.key for payment in applied_here if payment.is_our_own}
    for of_invoice in found.values():
        for key, link in [(key, link) for key, link in of_invoice.items() if link.xero_id in gone]:
            if key in own:
                of_invoice[key] = link.as_deleted()
            else:
                del of_invoice[key]
    return found
