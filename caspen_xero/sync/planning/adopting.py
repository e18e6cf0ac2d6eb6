"""What of ours may be in Xero though this store does not know it: steps to look for there, of which none is sent. Pure.

Each is what a push would write, for that is how it is recognised. Locked periods, holds and the settings for payments keep none
back, as nothing is written; but what can't be translated yet, for want of a setting, can't be recognised either.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from caspen_xero.caspen.records import FINALISED, GONE, CreditNote
from caspen_xero.caspen.records import Invoice as CaspenInvoice
from caspen_xero.outside_text import plain
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.as_written import address
from caspen_xero.sync.planning.claims import adopt_payment
from caspen_xero.sync.planning.contact_matching import Match, Party, match_party, merged_into
from caspen_xero.sync.planning.contacts import link_contact
from caspen_xero.sync.planning.credit_notes import add_creation, adopt_allocation
from caspen_xero.sync.planning.line_items import CannotTranslate
from caspen_xero.sync.planning.money_on_invoice import claim_of, unclaimed
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.same_money import our_own
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.steps import ExpectedDocument
from caspen_xero.sync.planning.translate import Document, credit_note_fingerprint, translate_credit_note
from caspen_xero.xero.dealings import credits_on
from caspen_xero.xero.documents import GONE_STATUSES, Invoice

_UNKNOWN = ""
"""The fingerprint of what was sent of an invoice that was edited since."""


def contacts_there(planner: Planner) -> None:
    """Adds the links of parties to their contacts in Xero, for the invoices that are not linked yet."""
    linked = set(planner.snapshot.contacts.links)
    for state in _unlinked(planner.snapshot):
        party = state.party
        if (party.kind, party.caspen_id) in linked:
            continue
        linked.add((party.kind, party.caspen_id))
        known = _match(planner, party).known
        if known is None:
            continue
        link_contact(planner, party, known)


def invoices_there(planner: Planner) -> None:
    """Adds each invoice that is not linked as it would be sent; or what keeps it from being translated."""
    for state in _unlinked(planner.snapshot):
        invoice = state.invoice
        problems = [
            *checks.sales_account(invoice.id, planner.snapshot),
            *checks.tax_rates(invoice.id, invoice, invoice.tax_mode, planner.snapshot),
        ]
        if problems or planner.terms is None:
            planner.plan.problems[invoice.id] += problems
            continue
        document = _as_sent(planner, state)
        if document is None:  # it never went to Xero
            continue
        expected = address(planner, document, _contact_of(planner, state.party), state.fingerprint)
        detail = (
            f"{document.total:.2f} {plain(invoice.currency)} for {plain(state.party.full_name or state.party.name())}"
        )
        planner.add(state, "create-invoice", detail=detail, body=document.body, expected=expected)


def gone_invoices_there(planner: Planner) -> None:
    """Adds each invoice that is void, deleted or a draft in Caspen, but may be in Xero, as it would be known there."""
    for state, contact_id in _gone(planner):
        invoice = state.invoice
        body: dict[str, Any] | None = None
        expected = _as_recorded(invoice, invoice.issue_date, invoice.currency, state.fingerprint, contact_id)
        document = _as_sent(planner, state)
        if document is not None:  # without a body what is found is taken for somebody else's
            body, expected = document.body, address(planner, document, contact_id, state.fingerprint)
        planner.add(state, "create-invoice", detail=f"{plain(invoice.status)} in Caspen", body=body, expected=expected)


def edited_ones_there(planner: Planner) -> None:
    """Adds those that may have gone to Xero before they were edited: its number and contact alone say which it is."""
    for state, contact_id in _gone(planner):
        expected = ExpectedDocument(_UNKNOWN, currency=state.invoice.currency, contact_id=contact_id)
        planner.add(
            state, "create-invoice", detail=f"{plain(state.invoice.status)} in Caspen", body=None, expected=expected
        )


def gone_notes_there(planner: Planner) -> None:
    """Adds the credit notes that are void or deleted in Caspen, of linked invoices; asks for these first."""
    for state in planner.snapshot.invoices:
        notes = [n for n in state.credit_notes if n.status in GONE and n.number and n.id not in state.credit_note_links]
        if state.link is None or not notes:
            continue
        seen = planner.snapshot.looks.invoices.get(state.link.xero_id)
        if seen is None:
            planner.ask(state, "invoices", state.link.xero_id)
            continue
        contact_id = seen.contact.contact_id if seen.contact else None
        for note in notes:
            body: dict[str, Any] | None = None
            fingerprint = credit_note_fingerprint(note)
            expected = _as_recorded(note, note.date, state.invoice.currency, fingerprint, contact_id)
            document = _note_as_sent(planner, state, note)
            if document is not None:
                body, expected = document.body, address(planner, document, contact_id, fingerprint)
            planner.add(
                state,
                "create-credit-note",
                caspen_id=note.id,
                number=note.number,
                detail=f"{plain(note.status)} in Caspen",
                body=body,
                expected=expected,
            )


def money_there(planner: Planner) -> None:
    """Adds the payments and credits that stand on linked invoices in Xero, once those were looked at; asks for that first."""
    for state in planner.snapshot.invoices:
        link = state.link
        if link is None or link.status in GONE_STATUSES:
            continue
        payments, notes = list(_unlinked_payments(state)), list(_unlinked_notes(state))
        if not payments and not notes:
            continue
        seen = planner.snapshot.looks.invoices.get(link.xero_id)
        if seen is None:
            planner.ask(state, "invoices", link.xero_id)
            continue
        claims = [claim_of(payment, planner.snapshot.methods, {}, waits=True) for payment in payments]
        found = {claim.key: one for claim, one in our_own(claims, unclaimed(planner, state, seen))}
        for payment in payments:
            ours = found.get(payment.key)
            if ours is not None and ours.amount == payment.amount:
                adopt_payment(planner, state, payment, ours, made_by_us=True)
        for note, note_link in notes:
            if note_link is None:
                _look_for_note(planner, state, note, seen)
            elif any(one.credit_id == note_link.xero_id and one.applied == note.total for one in credits_on(seen)):
                adopt_allocation(planner, state, note, note_link, seen.invoice_id or "")


def _unlinked(snapshot: Snapshot) -> Iterator[InvoiceState]:
    return (state for state in snapshot.invoices if state.link is None and state.invoice.status in FINALISED)


def _gone(planner: Planner) -> Iterator[tuple[InvoiceState, str]]:
    """The invoices that are not linked and not to be in Xero, with their contacts there."""
    for state in planner.snapshot.invoices:
        if state.link is None and state.invoice.status not in FINALISED and state.invoice.number:
            contact_id = _contact_of(planner, state.party)
            if contact_id is not None:
                yield state, contact_id


def _match(planner: Planner, party: Party) -> Match:
    return match_party(party, planner.snapshot.contacts, planner.given)


def _contact_of(planner: Planner, party: Party) -> str | None:
    """The ContactID that an invoice of this party has, if it is there; an archived contact keeps its invoices."""
    book = planner.snapshot.contacts
    link = book.links.get((party.kind, party.caspen_id))
    if link is None:
        match = _match(planner, party)
        known = match.known or match.archived
    else:
        known = book.by_id.get(link.xero_id)
    if known is not None:
        return merged_into(known.xero_id, book.by_id)
    return link.xero_id if link else None


def _unlinked_payments(state: InvoiceState) -> Iterator[AppliedPayment]:
    """What a push would send as new: not what says that it came from Xero, which is judged by that."""
    for payment in state.payments:
        is_new = payment.key not in state.payment_links and not payment.xero_id
        if is_new and payment.pays:
            yield payment


def _unlinked_notes(state: InvoiceState) -> Iterator[tuple[CreditNote, Link | None]]:
    for note in state.credit_notes:
        link = state.credit_note_links.get(note.id)
        is_gone = link is not None and link.status in GONE_STATUSES
        if note.status == "issued" and note.id not in state.allocation_links and not is_gone:
            yield note, link


def _as_recorded(
    record: CaspenInvoice | CreditNote, issued: date, currency: str, fingerprint: str, contact_id: str | None
) -> ExpectedDocument:
    """What a record still says of the document that stood for it: a draft has no total, or another one."""
    return ExpectedDocument(fingerprint, total=record.total, issued=issued, currency=currency, contact_id=contact_id)


def _as_sent(planner: Planner, state: InvoiceState) -> Document | None:
    if planner.terms is None:
        return None
    try:
        return planner.translations.of(state, planner.terms)
    except CannotTranslate:
        return None


def _note_as_sent(planner: Planner, state: InvoiceState, note: CreditNote) -> Document | None:
    if planner.terms is None:
        return None
    try:
        return translate_credit_note(note, state.invoice, planner.terms)
    except CannotTranslate:
        return None


def _look_for_note(planner: Planner, state: InvoiceState, note: CreditNote, seen: Invoice) -> None:
    problems = [
        *checks.sales_account(state.invoice.id, planner.snapshot),
        *checks.tax_rates(state.invoice.id, note, state.invoice.tax_mode, planner.snapshot),
    ]
    if problems or planner.terms is None:
        planner.plan.problems[state.invoice.id] += problems
        return
    document = _note_as_sent(planner, state, note)
    if document is None:
        return
    contact_id = seen.contact.contact_id if seen.contact else None
    add_creation(planner, state, note, document, contact_id, ready=True)
