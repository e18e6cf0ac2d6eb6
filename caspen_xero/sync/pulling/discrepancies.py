"""What somebody changed in Xero on an invoice that we synced: payments and credits that are gone or differ, and edits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store.both_sides import PaymentOfAnotherAmount
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.seen_invoices import EDITED, PAYMENT_GONE, Discrepancy, DiscrepancyCode
from caspen_xero.store.store import utc_text
from caspen_xero.sync.planning.accepting import seal_of
from caspen_xero.sync.planning.compare import invoice_shape
from caspen_xero.sync.planning.edits import edits_of
from caspen_xero.sync.pulling.matching import Matching
from caspen_xero.xero.documents import GONE_STATUSES

ZERO = Decimal(0)
_CHANGED: DiscrepancyCode = "payment-changed-in-xero"
Told = tuple[DiscrepancyCode, str, str, str, tuple[str, ...]]
"""The code, what it is about, both sides in words, and the facts that differ."""


def find_discrepancies(
    matching: Matching,
    allocations: Mapping[str, Decimal],
    whole: bool,
    contacts: Mapping[str, KnownContact],
    now: datetime,
) -> list[Discrepancy]:
    """All that is changed there, each since it was first seen. `allocations`: amounts of other people's credits on the invoice;
    `whole` False: not all of them could be read, so none is taken for gone. `contacts`: by ContactID, to follow merges.
    """
    found, known = matching.found, matching.known
    told: list[Told] = [
        *_payments(matching, allocations, whole),
        *_doubled(matching),
        *(_credits(matching) if found.tells_its_dealings else ()),
        *_astray(matching),
    ]
    if known.link.last_written is not None and found.line_items and found.status not in GONE_STATUSES:
        shown, called = invoice_shape(found), found.contact.name if found.contact else None
        seal = seal_of(found, known.link, is_ours=known.link.made_by_us)
        edits = edits_of(known.link, opened(known.link.last_written, shown), shown, contacts, called)
        told += [(EDITED[is_details], "", ours, theirs, (seal,) if seal else ()) for is_details, ours, theirs in edits]
    before = known.before.discrepancies if known.before else ()
    since = {(one.code, one.subject, one.caspen, one.xero): one.since for one in before}
    at = utc_text(found.updated_date_utc or now)
    amounts = {payment.payment_id: money_text(payment.amount or ZERO) for payment, _ in matching.astray}
    return [
        Discrepancy(code, id_, ours, theirs, since.get((code, id_, ours, theirs), at), amounts.get(id_), facts)
        for code, id_, ours, theirs, facts in told
    ]


def payment_in_words(amount: Decimal, name: str) -> str:
    """A payment that ought to be in Xero. `name`: its Reference there, or what else it is known by."""
    return f"payment of {money_text(amount)} ({plain(name)})"


def of_another_amount(one: PaymentOfAnotherAmount) -> Discrepancy:
    """A payment of Caspen's for which something stands in Xero that has our Reference, and another amount."""
    facts = money_text(one.amount), money_text(one.there)
    ours = payment_in_words(one.amount, one.reference or one.key)
    return Discrepancy(_CHANGED, one.xero_id, ours, f"it is {facts[1]}", one.linked_at or "", facts=facts)


def _payments(matching: Matching, allocations: Mapping[str, Decimal], whole: bool) -> Iterator[Told]:
    """Payments and allocations that stood on the invoice, and now don't, or with another amount."""
    shown = {payment.payment_id: payment.amount for payment in matching.found.payments if payment.payment_id}
    shown |= allocations
    in_batches = {payment.batch_id for payment in matching.found.payments}  # two were recorded of one: it is there
    for xero_id, (amount, name) in _expected(matching).items():
        if xero_id in shown:
            there = shown[xero_id]
            if there is not None and there != amount:
                words = payment_in_words(amount, name), f"it is {money_text(there)}"
                yield _CHANGED, xero_id, *words, (money_text(amount), money_text(there))
        elif whole and not matching.has_nameless and xero_id not in in_batches:
            yield PAYMENT_GONE, xero_id, payment_in_words(amount, name), "it is gone", ()


def _doubled(matching: Matching) -> Iterator[Told]:
    """Payments of ours that stand there twice, with the same ids in their References: two homes sent them at the same moment."""
    for key, payments in matching.doubled().items():
        link = matching.own_links[key]
        there = " and ".join(f"{money_text(one.amount or ZERO)} ({plain(one.payment_id)})" for one in payments)
        ours = f"one payment of {money_text(link.total or ZERO)} ({plain(link.number or key)})"
        yield (
            "payment-twice-in-xero",
            link.xero_id,
            ours,
            f"it is there {'twice' if len(payments) == 2 else f'{len(payments)} times'}: {there}",
            tuple(sorted(f"{plain(one.payment_id)}: {money_text(one.amount or ZERO)}" for one in payments)),
        )


def _expected(matching: Matching) -> dict[str, tuple[Decimal, str]]:
    """Amount and name of every payment that ought to be there, by Xero's id."""
    recorded = matching.known.recorded
    expected = {one.xero_id: (one.amount, one.reference or one.kind_in_words) for one in recorded}
    for link in matching.own_links.values():
        if link.total is not None:
            expected.setdefault(link.xero_id, (link.total, link.number or link.caspen_id))
    return expected


def _credits(matching: Matching) -> Iterator[Told]:
    """Credit notes of Caspen's that stood on the invoice and no longer do, or with another amount."""
    names = {link.xero_id: link.number for link in matching.known.note_links.values()}
    for link in matching.known.allocation_links.values():
        credit = matching.own_credits.get(link.xero_id)
        if link.total is not None and (credit is None or credit.applied != link.total):
            theirs = f"{money_text(credit.applied)} of it is allocated" if credit else "it is not allocated"
            ours = f"credit note {plain(names.get(link.xero_id) or link.caspen_id)} of {money_text(link.total)}"
            note = matching.looked_up.get(link.xero_id)
            facts = (money_text(link.total), money_text(credit.applied) if credit else "")
            if note is not None and note.status in GONE_STATUSES:
                yield (
                    "credit-note-voided-in-xero",
                    link.xero_id,
                    ours,
                    f"it is {plain((note.status or '').lower())}",
                    facts,
                )
            elif note is not None and note.total not in (None, link.total):
                there = f"it is {money_text(note.total)}, and {theirs}"
                yield "credit-changed-in-xero", link.xero_id, ours, there, (*facts, money_text(note.total))
            else:
                yield "credit-gone-in-xero", link.xero_id, ours, theirs, facts


def _astray(matching: Matching) -> Iterator[Told]:
    """What is ours by what it carries, and not as Caspen has it."""
    for payment, caspen in matching.astray:
        amount = money_text(payment.amount or ZERO)
        there, facts = f"payment of {amount} ({plain(payment.reference)})", (*caspen.facts, amount)
        yield "payment-astray-in-xero", payment.payment_id or "", caspen.words, there, facts
    for credit, caspen in matching.astray_credits:
        applied = money_text(credit.applied)
        there, facts = f"{applied} of it is allocated here", (*caspen.facts, applied)
        yield "credit-astray-in-xero", credit.credit_id, caspen.words, there, facts
