"""What pull has recorded and Caspen was not told yet, judged by what both sides hold now: to be told, known already, or held.

It may have waited for long: meanwhile Caspen can have learnt of the same money in another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain
from caspen_xero.store import xero_payments
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.mappings import Link, Mappings, by_invoice
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.problems import invoice_name, naming_its_own, pay_anyway_command
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.pulling.ours import SETTLE_ASTRAY, own_notes, own_payments
from caspen_xero.sync.pulling.same_money import claims_on, tell_apart
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.dealings import AppliedCredit
from caspen_xero.xero.documents import Payment


@dataclass(frozen=True)
class Held:
    """A payment that Caspen is not told of until a person has decided: why, and what to do."""

    payment: XeroPayment
    why: str
    fix: str


@dataclass
class Undelivered:
    """What waits, in the order in which it was found. `known`: Caspen has it already; `links`: those that are its own payments."""

    to_tell: list[XeroPayment] = field(default_factory=list)
    known: list[XeroPayment] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


def judge_undelivered(mappings: Mappings, settings: Settings, now: datetime) -> Undelivered:
    """Judges all that waits, from the store alone; keeps nothing."""
    undelivered = Undelivered()
    records = xero_payments.undelivered(mappings)
    ids = [record.xero_id for record in records]
    linked = mappings.links_to(ids)
    named = Named(mappings, ids)
    unknown: list[XeroPayment] = []
    for record in records:
        is_linked = record.xero_id in linked and linked[record.xero_id].kind == "payment"
        if is_linked or named.has(record.xero_id, record.invoice_id, record.amount):
            undelivered.known.append(record)
        elif who := named.disputed_by(record.xero_id):
            undelivered.held.append(_misnamed(record, who))
        else:
            unknown.append(record)
    _match(mappings, settings, unknown, undelivered, now)
    names = InvoiceNames(mappings.store)
    undelivered.held = [
        replace(held, fix=naming_its_own(held.fix, held.payment.invoice_id, names)) for held in undelivered.held
    ]
    return undelivered


def _match(
    mappings: Mappings, settings: Settings, records: Sequence[XeroPayment], undelivered: Undelivered, now: datetime
) -> None:
    """Judges what no payment in Caspen names, by the rule by which pull judges what it finds."""
    on: dict[str, list[Payment]] = {record.invoice_id: [] for record in records}
    for record in records:
        if record.credit_id is None:
            on[record.invoice_id].append(_as_payment(record))
    claims, seen = claims_on(mappings, settings, list(on)), xero_payments.seen_invoices(mappings, on)
    links = by_invoice(mappings.links_of_invoices("payment", on))
    undecided: set[str | None] = set()
    for invoice_id, payments in on.items():
        shown = seen[invoice_id].payments if invoice_id in seen else ()
        apart = tell_apart(invoice_id, payments, claims[invoice_id], links[invoice_id], shown, now)
        undelivered.links += apart.links
        undecided |= {payment.payment_id for payment in apart.undecided}
    own = {link.xero_id for link in undelivered.links}
    astray = own_payments(mappings.store, on) | _own_allocations(mappings, records)
    for record in records:
        if record.xero_id in own:
            undelivered.known.append(record)
        elif record.xero_id in undecided:
            undelivered.held.append(_in_question(record))
        elif record.xero_id in astray:
            undelivered.held.append(_astray(record, astray[record.xero_id]))
        else:
            undelivered.to_tell.append(record)


def _own_allocations(mappings: Mappings, records: Sequence[XeroPayment]) -> dict[str, str]:
    """By Xero's id, the allocations of credit notes of Caspen's, and the note's name."""
    credits = {
        record.xero_id: AppliedCredit("credit_note", record.credit_id, record.amount, record.reference)
        for record in records
        if record.kind == "credit_note" and record.credit_id
    }
    own = own_notes(mappings, credits.values())
    return {
        id_: f"credit note {plain(own[credit.credit_id].note.number)} is on {plain(own[credit.credit_id].invoice_name)}"
        for id_, credit in credits.items()
        if credit.credit_id in own
    }


def _as_payment(record: XeroPayment) -> Payment:
    return Payment(
        payment_id=record.xero_id,
        amount=record.amount,
        date=record.date,
        reference=record.reference,
        status="AUTHORISED",
    )


def _in_question(record: XeroPayment) -> Held:
    name = invoice_name(record.invoice_number, record.invoice_id)
    return Held(
        record,
        "it may be the same money as a payment of Caspen's of that day and amount, which is yet to be sent",
        f"If it is the same: {to_paste('invoices link', name, record.xero_id)}; "
        f"if it is another one: {pay_anyway_command(record.invoice_number, record.invoice_id)}",
    )


def _astray(record: XeroPayment, caspen: str) -> Held:
    return Held(
        record,
        f"it carries the name of one of Caspen's own: {caspen}",
        SETTLE_ASTRAY,
    )


def _misnamed(record: XeroPayment, names: Sequence[str]) -> Held:
    who = " and ".join(plain(name) for name in names[:5])
    return Held(
        record,
        f"Caspen's payments {who} both name it in their xero_id"
        if len(names) > 1
        else f"Caspen's payment {who} names it in its xero_id, but is not on this invoice with this amount",
        f"Correct payment {who} in Caspen, then: caspen-xero pull",
    )
