"""What an invoice in Xero shows, held against what we know: our own payments, what was recorded before, and what is new. Pure.

A payment is ours by its id, else by its Reference: also where the answer to our push was lost. What Caspen knows of already
never becomes a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from caspen_xero.caspen.records import GONE
from caspen_xero.caspen.records import CreditNote as CaspenCreditNote
from caspen_xero.cents import money_text, with_cents
from caspen_xero.outside_text import plain
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Link
from caspen_xero.store.seen_invoices import PAYMENT_GONE, SeenInvoice, SeenNote
from caspen_xero.store.xero_payments import PaymentKind, XeroPayment
from caspen_xero.sync.planning.same_money import There, our_own
from caspen_xero.sync.planning.snapshot import FOLLOWED, link_as_seen
from caspen_xero.sync.pulling.discrepancies import find_discrepancies
from caspen_xero.sync.pulling.matching import Known, Matching
from caspen_xero.sync.pulling.may_be_there import MaybeThere, link_of, unlinked
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.pulling.ours import OfCaspen, OwnNote
from caspen_xero.xero.dealings import AppliedCredit, allocations_on, credits_on
from caspen_xero.xero.documents import UNAPPROVED, CreditNote, Invoice, Payment

ZERO = Decimal(0)


@dataclass(frozen=True)
class Reconciled:
    """What is to be kept of a matching: new records, links, and how the invoice looks now.

    `waits_no_more`: it was a draft when it was last seen, and is none any more. `withdrawn`: the Xero ids of payments that were
    recorded, and are gone before Caspen was told of them.
    """

    payments: list[XeroPayment]
    links: list[Link]
    seen: SeenInvoice
    updated: bool
    waits_no_more: bool = False
    withdrawn: frozenset[str] = frozenset()


def match_invoice(known: Known, found: Invoice, own: Mapping[str, OwnNote]) -> Matching:
    """What an invoice shows, its credits told apart: ours (`own`), those unchanged since they were read, and those to read."""
    matching = Matching(known, found)
    before = known.before
    for credit in credits_on(found):
        if _is_ours(credit, known):
            matching.own_credits[credit.credit_id] = credit
            if credit.credit_id in own and _is_partly_there(credit, own[credit.credit_id].note, known):
                matching.astray_credits.append((credit, _belongs(own[credit.credit_id])))
        elif credit.credit_id in own:
            matching.astray_credits.append((credit, _belongs(own[credit.credit_id])))
        elif not (
            before is not None
            and before.updated_at == found.updated_date_utc
            and before.credits.get(credit.credit_id) == credit.applied
        ):
            matching.to_read.append(credit)
    issued = {note.id for note in known.notes} if found.tells_its_dealings else ()
    for link in (one for id_, one in known.allocation_links.items() if id_ in issued):
        there = matching.own_credits.get(link.xero_id)
        if there is not None and there.applied == link.total:
            continue
        if before is not None and link.xero_id in before.notes:
            matching.looked_up[link.xero_id] = before.notes[link.xero_id]
        else:
            matching.to_look_up.append(there or AppliedCredit("credit_note", link.xero_id, ZERO, None))
    return matching


def _is_partly_there(credit: AppliedCredit, note: CaspenCreditNote, known: Known) -> bool:
    """Whether somebody has allocated another amount of our credit note than we would."""
    return note.id not in known.allocation_links and credit.applied != note.total


def _belongs(own: OwnNote) -> OfCaspen:
    note = own.note
    name = f"credit note {plain(note.number)} of {money_text(note.total)}"
    words = f"{name} is {plain(note.status)}" if note.status in GONE else f"{name} is on {plain(own.invoice_name)}"
    return OfCaspen(words, (note.id, str(note.status), note.invoice_id, money_text(note.total)))


def _is_ours(credit: AppliedCredit, known: Known) -> bool:
    """Whether it is a credit note that Caspen has on this very invoice, whoever allocated it."""
    if credit.kind != "credit_note":
        return False
    if any(link.xero_id == credit.credit_id for link in known.note_links.values()):
        return True
    return any(  # made by us, but its answer was lost
        note.id not in known.note_links and note.number == credit.number and note.total == credit.applied
        for note in known.notes
    )


def recognise(matching: Matching, unknown: Iterable[Payment], maybe: Sequence[MaybeThere], now: datetime) -> None:
    """Tells our own payments among those with unknown ids from others. Whether these are news is judged before Caspen is told."""
    shown = {payment.payment_id for payment in matching.found.payments}
    links = matching.known.payment_links
    named = {one.payment_id or "": one for one in unknown if not one.is_nameless}
    ours = [one for one in maybe if one.named is None]
    own = our_own(unlinked(ours, links, shown), [_there(one) for one in named.values()])
    matching.payment_links += [
        link_of(matching.invoice_id, claim, one, now, made_by_us=claim.key not in links) for claim, one in own
    ]
    known = {one.xero_id for _, one in own}
    known |= {one.payment_id or "" for payments in matching.doubled().values() for one in payments}
    matching.unknown = [one for id_, one in named.items() if id_ not in known]
    matching.is_undecided = matching.has_nameless


def _there(payment: Payment) -> There:
    return There(payment.payment_id or "", payment.amount, payment.date, payment.reference, batch_id=payment.batch_id)


def set_aside(matching: Matching, own: Mapping[str, OfCaspen]) -> None:
    """Takes those out of the unknown payments that carry a Reference of ours (`own`: what Caspen says of them, by PaymentID)."""
    matching.astray = [(one, own[one.payment_id or ""]) for one in matching.unknown if one.payment_id in own]
    matching.unknown = [one for one in matching.unknown if one.payment_id not in own]


def reconcile(
    matching: Matching,
    payments: Mapping[str, Payment],
    credits: Mapping[str, CreditNote],
    known_ids: set[str],
    named: Named,
    contacts: Mapping[str, KnownContact],
    judged_by: str,
    now: datetime,
) -> Reconciled:
    """What follows from a matching, once what it asked for was read. `payments` and `credits` are by Xero's ids.

    `known_ids`, `named`: the allocations that are recorded or linked, and those that Caspen names. `contacts`: those that the
    invoices were written to, and are no longer on, by ContactID. `judged_by`: what Caspen has (`seen_invoices.caspen_now`).
    """
    found, known = matching.found, matching.known
    records = [
        record
        for payment in matching.unknown
        if (record := _payment_record(matching, payment, payments.get(payment.payment_id or ""))) is not None
    ]
    applied = {credit.credit_id: credit.applied for credit in credits_on(found)}
    before = known.before.allocations if known.before else {}
    unread = {credit.credit_id for credit in matching.to_read}
    allocations = {id_: (c, used) for id_, (c, used) in before.items() if c in applied and c not in unread}
    whole = found.tells_its_dealings
    for credit in matching.to_read:
        document = credits.get(credit.credit_id)
        here = allocations_on(found.invoice_id, credit, document)
        allocations |= {id_: (credit.credit_id, amount) for id_, (amount, _) in here.items()}
        whole = whole and sum((amount for amount, _ in here.values()), ZERO) == credit.applied
        records += [
            _record(matching, id_, credit.kind, amount, day, None, _reference_of(document), credit_id=credit.credit_id)
            for id_, (amount, day) in here.items()
            if id_ not in known_ids and not named.has(id_, matching.invoice_id, amount)
        ]
    link = link_as_seen(known.link, found)
    matching.looked_up |= {
        one.credit_id: SeenNote(note.status, note.total, note.updated_date_utc)
        if (note := credits.get(one.credit_id))
        else SeenNote()
        for one in matching.to_look_up
    }
    seen, withdrawn = _less_untold(known, _seen(matching, allocations, whole, contacts, judged_by, now))
    gone = _gone(known, seen) if found.tells_its_dealings else []
    if any(one.kind == "payment" for one in gone) or any(one.fingerprint is None for one in matching.payment_links):
        link = link.with_(done_up_to=None)  # the next push says that it is gone, or that it is of another amount
    links = [link, *matching.payment_links, *_own_allocations(matching, now), *gone]
    # An answer to a write lacks some amounts: one that was never told is taken for zero.
    updated = any((getattr(link, name) or ZERO) != (getattr(known.link, name) or ZERO) for name in FOLLOWED)
    waits_no_more = known.link.status in UNAPPROVED and link.status not in UNAPPROVED
    return Reconciled(records, links, seen, updated, waits_no_more, withdrawn)


def _less_untold(known: Known, seen: SeenInvoice) -> tuple[SeenInvoice, frozenset[str]]:
    """What is gone before Caspen was told of it concerns nobody any more."""
    untold = {one.xero_id for one in known.recorded if not one.delivered}
    untold -= {link.xero_id for link in known.payment_links.values()}
    gone = frozenset(one.subject for one in seen.discrepancies if one.code == PAYMENT_GONE) & untold
    return replace(seen, discrepancies=[one for one in seen.discrepancies if one.subject not in gone]), gone


def _payment_record(matching: Matching, row: Payment, read: Payment | None) -> XeroPayment | None:
    """The record of a payment; None where it was deleted since the invoice was read, or no answer tells its amount."""
    payment = read or row
    amount = payment.amount if payment.amount is not None else row.amount
    if payment.status == "DELETED" or amount is None:
        return None
    batch = payment.batch_payment
    reference = payment.reference or (batch.reference if batch else None) or row.reference
    return _record(
        matching,
        row.payment_id or "",
        "batch_payment" if payment.batch_id or row.batch_id else "payment",
        amount,
        payment.date or row.date,
        payment.reconciled,
        reference,
        account_id=payment.account.account_id if payment.account else None,
    )


def _record(
    matching: Matching,
    xero_id: str,
    kind: PaymentKind,
    amount: Decimal,
    day: Any,
    reconciled: bool | None,
    reference: str | None,
    *,
    credit_id: str | None = None,
    account_id: str | None = None,
) -> XeroPayment:
    found = matching.found
    return XeroPayment(
        xero_id=xero_id,
        kind=kind,
        invoice_id=matching.invoice_id,
        invoice_number=matching.known.number,
        date=day,
        amount=with_cents(amount),
        reconciled=reconciled,
        reference=reference or None,
        invoice_status="paid" if found.status == "PAID" else "open",
        amount_due=with_cents(found.amount_due or ZERO),
        credit_id=credit_id,
        account_id=account_id,
    )


def _reference_of(document: CreditNote | None) -> str | None:
    return (document.credit_note_number or document.reference) if document else None


def _gone(known: Known, seen: SeenInvoice) -> list[Link]:
    """The links of payments and allocations that are gone in Xero, so that nobody waits for what is no longer there."""
    missing = {one.subject for one in seen.discrepancies if one.code == PAYMENT_GONE}
    payments = [link for link in known.payment_links.values() if link.xero_id in missing]
    allocations = [link for link in known.allocation_links.values() if link.xero_id not in seen.credits]
    return [link.as_deleted() for link in (*payments, *allocations) if not link.is_deleted]


def _own_allocations(matching: Matching, now: datetime) -> list[Link]:
    """Links for credit notes of ours that stand whole on their invoice although we never learnt that they got there."""
    links = []
    for note in matching.known.notes:
        note_link = matching.known.note_links.get(note.id)
        credit = matching.own_credits.get(note_link.xero_id) if note_link else None
        if note_link and credit and note.id not in matching.known.allocation_links and credit.applied == note.total:
            links.append(
                Link(
                    "allocation",
                    note.id,
                    note_link.xero_id,
                    made_by_us=note_link.made_by_us,
                    invoice_id=matching.invoice_id,
                    total=credit.applied,
                    linked_at=now,
                )
            )
    return links


def _seen(
    matching: Matching,
    allocations: Mapping[str, tuple[str, Decimal]],
    whole: bool,
    contacts: Mapping[str, KnownContact],
    judged_by: str,
    now: datetime,
) -> SeenInvoice:
    found, known = matching.found, matching.known
    hangs_on_caspen = matching.astray or matching.astray_credits or matching.looked_up
    return SeenInvoice(
        invoice_id=matching.invoice_id,
        xero_id=known.link.xero_id,
        updated_at=found.updated_date_utc,
        payments=frozenset(payment.payment_id for payment in found.payments if payment.payment_id),
        allocations=allocations,
        credits={credit.credit_id: credit.applied for credit in credits_on(found)},
        discrepancies=find_discrepancies(
            matching, {id_: amount for id_, (_, amount) in allocations.items()}, whole, contacts, now
        ),
        # What is nameless is looked at again, though Xero changes nothing of the invoice; what is astray or taken off, once
        # anything changes in Caspen.
        whole=whole and not matching.is_undecided,
        notes=matching.looked_up,
        judged_by=judged_by if hangs_on_caspen else None,
    )
