"""Putting together what a plan is made from, out of the store: what Caspen says, beside what is known of Xero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from caspen_xero.caspen.records import REFUNDED, Client, Contact, Invoice, payment_id_in
from caspen_xero.store import (
    accepted,
    batches,
    clinic,
    different_money,
    holds,
    known_contacts,
    outstanding,
    problems,
    seen_invoices,
    todo,
    xero_payments,
)
from caspen_xero.store.bad_records import bad_records_on
from caspen_xero.store.journal import contacts_made, payments_asked_to_delete, unsettled
from caspen_xero.store.known_contacts import KnownContact, name_key
from caspen_xero.store.mappings import Link, Mappings, by_invoice
from caspen_xero.store.purged import purged_ids
from caspen_xero.store.store import Store
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.planning.contact_matching import ContactBook, Party, is_partys
from caspen_xero.sync.planning.contact_numbers import GENERIC_ID, PartyKind, number_key
from caspen_xero.sync.planning.snapshot import (
    CaspenSide,
    ChangedParty,
    InvoiceState,
    Looks,
    Snapshot,
    link_as_seen,
)
from caspen_xero.sync.planning.translate import invoice_fingerprint
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.own_ids import members_shown
from caspen_xero.sync.sending.tax_amounts import keeps_tax
from caspen_xero.sync.setup.organisation import OrganisationFacts, pages_of
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
        bad_records=bad_records_on(store, invoices),
        tax_rates={rate.id: rate for rate in clinic.tax_rates(store)},
        methods={method.id: method for method in clinic.payment_methods(store)},
        lack_details=_lack_details(store, invoices.values()),
    )


def _lack_details(store: Store, invoices: Iterable[Invoice]) -> frozenset[str]:
    """The invoices of which something that is written with them was purged."""
    clients = purged_ids(store, "clients", (invoice.client_id for invoice in invoices))
    payers = purged_ids(store, "contacts", (invoice.invoice_to_id or "" for invoice in invoices))
    return frozenset(
        invoice.id
        for invoice in invoices
        if invoice.purged_as is not None or invoice.client_id in clients or invoice.invoice_to_id in payers
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
    pay_anyway: Mapping[str, Collection[str]] | None = None,
    asked_about: frozenset[tuple[str, str]] = frozenset(),
    is_named: bool = False,
    suggested_rates: Mapping[str, str] | None = None,
    ignore_holds: bool = False,
) -> Snapshot:
    """Puts what Caspen says beside what the store now knows of Xero; `ignore_holds`: as if none stood."""
    looks = looks or Looks()
    links = _links(mappings, caspen, looks)
    seen = _money_seen(looks, links.values())
    payment_links = _payment_links(mappings, caspen, looks)
    note_links = _note_links(mappings, caspen, looks)
    allocation_links = _allocation_links(mappings, caspen, looks, links)
    claims = {
        payment.xero_id
        for id_, payments in caspen.payments.items()
        for payment in payments
        if payment.xero_id and payment.key not in payment_links[id_]
    }
    states = [
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
            bad_records=tuple(caspen.bad_records.get(id_, ())),
            lacks_details=id_ in caspen.lack_details,
        )
        for id_, invoice in caspen.invoices.items()
    ]
    content = {one.key for one in accepted.accepted(mappings)}
    return Snapshot(
        invoices=[
            replace(state, is_accepted=state.document_key in content and state.invoice.id not in overwrite)
            for state in states
        ],
        facts=facts,
        settings=settings,
        keeps_tax=keeps_tax(mappings),
        tax_rates=caspen.tax_rates,
        tax_links={**(suggested_rates or {}), **mappings.tax_links()},
        account_links=mappings.account_links(),
        methods=caspen.methods,
        contacts=_contact_book(mappings, caspen.parties.values(), changed_parties, looks),
        holds={} if ignore_holds else holds.standing(mappings, now),
        unsettled=unsettled(mappings),
        unreadable=problems.reasons(mappings, ProblemCode.UNREADABLE_IN_XERO),
        settings_number=mappings.settings_number(),
        looks=looks,
        changed_parties=changed_parties,
        created=created,
        created_notes=created_notes,
        claimed=frozenset(mappings.links_to(seen)),
        refunded=_refunded(mappings.store, caspen, payment_links),
        deleted_by_us=_deleted_by_us(mappings, caspen, looks, links),
        told=recorded_and_there(mappings, claims),
        claimants=clinic.payments_naming(mappings.store, claims),
        claimed_by=mappings.links_to(claims),
        members=_members(mappings, looks) if claims else {},
        delivered=_delivered(mappings, seen),
        told_and_gone=told_and_gone_amounts(mappings),
        different=different_money.pairs(mappings),
        overwrite=overwrite,
        pay_anyway=pay_anyway or {},
        asked_about=asked_about,
        xero_pages=pages_of(mappings),
        is_named=is_named,
    )


def _refunded(store: Store, caspen: CaspenSide, links: Mapping[str, Mapping[str, Link]]) -> frozenset[str]:
    """Of the payments that stand in Xero and pay nothing in Caspen by now, those that are refunded, by Caspen's id."""
    paying = {payment.key for payments in caspen.payments.values() for payment in payments if payment.pays}
    others = {payment_id_in(key) for of_invoice in links.values() for key in of_invoice if key not in paying}
    return frozenset(id_ for id_, status in clinic.payment_statuses(store, others).items() if status == REFUNDED)


def _deleted_by_us(mappings: Mappings, caspen: CaspenSide, looks: Looks, links: Mapping[str, Link]) -> frozenset[str]:
    """Of the invoices whose deleted payments were read, the Xero ids of those that we have asked Xero to delete."""
    read = [id_ for id_, link in links.items() if looks.deleted.get(link.xero_id)]
    keys = [payment.key for id_ in read for payment in caspen.payments.get(id_, ())]
    return frozenset(payments_asked_to_delete(mappings, keys))


def recorded_and_there(mappings: Mappings, xero_ids: Iterable[str]) -> dict[str, XeroPayment]:
    """What we have recorded of these payments in Xero, but for those that a pull has since seen gone from their invoice."""
    recorded = xero_payments.recorded(mappings, xero_ids)
    seen = seen_invoices.as_last_seen(mappings, (one.invoice_id for one in recorded.values()))

    def stands(one: XeroPayment) -> bool:
        shown = seen.get(one.invoice_id)
        return shown is None or one.xero_id in shown.payments or one.xero_id in shown.allocations

    return {id_: one for id_, one in recorded.items() if stands(one)}


def told_and_gone_amounts(mappings: Mappings) -> dict[str, set[Decimal]]:
    """By invoice, the amounts of what Caspen was told of, that is gone in Xero since, and that Caspen may have typed in."""
    found: defaultdict[str, set[Decimal]] = defaultdict(set)
    ids = outstanding.told_and_gone(mappings)
    for one in xero_payments.recorded(mappings, ids).values() if ids else ():
        found[one.invoice_id].add(one.amount)
    return dict(found)


def _delivered(mappings: Mappings, xero_ids: Iterable[str]) -> frozenset[str]:
    return frozenset(one.xero_id for one in xero_payments.recorded(mappings, xero_ids).values() if one.delivered)


def _members(mappings: Mappings, looks: Looks) -> dict[tuple[str, str], list[tuple[str, Decimal]]]:
    """The members of batches on the invoices that were looked at."""
    found: defaultdict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for one in batches.in_order(mappings, members_shown(mappings, looks.invoices)):
        found[one.batch_id, one.invoice_id].append((one.xero_id, one.amount))
    return found


def _money_seen(looks: Looks, links: Iterable[Link]) -> list[str]:
    """The ids of all payments and allocations on the invoices that were looked at."""
    seen: list[str] = []
    for link in links:
        invoice = looks.invoices.get(link.xero_id)
        seen += [payment.payment_id for payment in invoice.payments if payment.payment_id] if invoice else []
        seen += looks.credits.get(link.xero_id, ())
    return seen


def _party(invoice: Invoice, settings: Settings) -> Party:
    if settings.privacy == "generic":
        return _generic(settings)
    if settings.contact == "payer" and invoice.invoice_to_id:
        return _party_with("payer", invoice.invoice_to_id, None, settings)
    return _party_with("client", invoice.client_id, None, settings)


def _generic(settings: Settings) -> Party:
    return _party_with("client", GENERIC_ID, None, settings)


def _party_with(kind: PartyKind, id_: str, record: Client | Contact | None, settings: Settings) -> Party:
    return Party(kind, id_, record, settings.privacy, settings.number_prefix)


def _parties(
    store: Store, invoices: Mapping[str, Invoice], settings: Settings
) -> tuple[dict[str, Party], dict[str, str]]:
    """The parties with their records, and the name of the payer who is to stand in an invoice's reference."""
    parties = {id_: _party(invoice, settings) for id_, invoice in invoices.items()}
    clients = clinic.clients(store, [p.caspen_id for p in parties.values() if p.kind == "client" and not p.is_generic])
    contacts = clinic.contacts(store, [i.invoice_to_id for i in invoices.values() if i.invoice_to_id])
    complete: dict[str, Party] = {}
    payers: dict[str, str] = {}
    for id_, party in parties.items():
        record = contacts.get(party.caspen_id) if party.kind == "payer" else clients.get(party.caspen_id)
        complete[id_] = _party_with(party.kind, party.caspen_id, record, settings)
        payer = contacts.get(invoices[id_].invoice_to_id or "")
        if payer and party.kind == "client" and settings.privacy != "generic":
            payers[id_] = Party("payer", payer.id, payer).full_name
    return complete, payers


def has_contact_of_ours(mappings: Mappings, settings: Settings) -> bool:
    """Whether a contact in Xero, as last read, is by its number one of Caspen's, though this store has not linked it."""
    numbered: dict[str, list[KnownContact]] = defaultdict(list)
    for contact in known_contacts.unlinked_with_numbers(mappings):
        numbered[contact.number or ""].append(contact)
    if not numbered:
        return False
    store = mappings.store
    parties = [_party_with("client", id_, None, settings) for id_ in clinic.client_ids(store)]
    parties += [_party_with("payer", id_, None, settings) for id_ in clinic.contact_ids(store)]
    alike = [p for p in (*parties, _generic(settings)) if not numbered.keys().isdisjoint(_numbers(p))]
    records: dict[str, Mapping[str, Client | Contact]] = {
        "client": clinic.clients(store, [p.caspen_id for p in alike if p.kind == "client"]),
        "payer": clinic.contacts(store, [p.caspen_id for p in alike if p.kind == "payer"]),
    }
    return any(
        is_partys(replace(party, record=records[party.kind].get(party.caspen_id)), contact, made=False)
        for party in alike
        for number in _numbers(party)
        for contact in numbered.get(number, ())
    )


def _numbers(party: Party) -> tuple[str, ...]:
    return (*party.numbers, *party.bare_numbers)


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
        ChangedParty(_party_with(kind, id_, records[kind].get(id_), settings), links[kind][id_], touched)
        for kind, id_, touched in changed
        if id_ in links[kind]
    ]


def _contact_book(
    mappings: Mappings, parties: Iterable[Party], changed_parties: Iterable[ChangedParty], looks: Looks
) -> ContactBook:
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
    for contact in known_contacts.numbered(mappings, (number for party in unlinked for number in _numbers(party))):
        numbered[number_key(contact.number or "")].append(contact)
    names: dict[str, list[KnownContact]] = defaultdict(list)
    wanted = [
        name
        for party in (*unlinked, *(change.party for change in changed_parties))
        for name in (party.name(), party.name(unique=True), party.name(unique=True, attempt=1))
    ]
    for contact in known_contacts.named(mappings, wanted):
        names[name_key(contact.name)].append(contact)
    alike = [contact.xero_id for contacts in (*names.values(), *numbered.values()) for contact in contacts]
    alike += [id_ for one in looks.invoices.values() if one.contact and (id_ := one.contact.contact_id)]
    return ContactBook(
        links,
        touched,
        numbered,
        names,
        by_id=known_contacts.by_id(mappings, [*(link.xero_id for link in links.values()), *alike]),
        others=mappings.links_to(alike),
        made=frozenset(contacts_made(mappings, (party.key for party in unlinked)) if numbered else ()),
        refused=frozenset(mappings.refused_links()),
    )


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
