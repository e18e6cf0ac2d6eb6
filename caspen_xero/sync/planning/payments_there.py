"""Payments of ours that stand in Xero, or were deleted there, on whatever invoice: what a store has to know of them. Pure.

One that Caspen has put on another invoice since, or has taken back, is on no invoice where a push would look for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.claims import payment_fingerprint
from caspen_xero.sync.planning.payment_references import is_of_ours, key_in, named_as_before
from caspen_xero.xero.documents import Payment


@dataclass(frozen=True)
class Beside:
    """What the store says of the payments that Xero shows: Caspen's allocations by their keys and, as earlier versions named them,
    by their own ids; Caspen's payments, whatever became of them; its methods.

    `links`: of allocations, by their keys; `invoices`: of invoices, by InvoiceID; `claimed`: the ids of Xero payments that stand
    for something; `deleted_by_us`: of those that we have asked Xero to delete.
    """

    applied: Mapping[str, AppliedPayment]
    alike: Mapping[str, Sequence[AppliedPayment]]
    payments: Collection[str]
    methods: Mapping[str, PaymentMethod]
    links: Mapping[str, Link] = field(default_factory=dict)
    invoices: Mapping[str, Link] = field(default_factory=dict)
    claimed: Collection[str] = frozenset()
    deleted_by_us: Collection[str] = frozenset()


def key_of(shown: Payment, beside: Beside) -> str | None:
    """The key of the allocation that a payment in Xero was made for, if its payment is one of Caspen's.

    What an earlier version wrote has to agree in amount and day, as it names no payment.
    """
    key = key_in(shown.reference)
    if key is not None:
        return key if key in beside.applied or is_of_ours(key, beside.payments) else None
    before = named_as_before(shown.reference, shown.amount, shown.date, beside.alike, beside.methods)
    named = {one.key for one in before}
    return named.pop() if len(named) == 1 else None


def links_to_payments(shown: Iterable[Payment], beside: Beside) -> Iterator[Link]:
    """The links that are missing: to what stands where Caspen has not got it by now, and to what somebody has deleted.

    `shown`: in the order of their last changes. A link without an invoice: it stands on one that is none of ours. What stands where
    Caspen has it is found on its invoice.
    """
    by_key: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in shown:
        key = key_of(payment, beside)
        if key is not None:
            by_key[key].append(payment)
    for key, payments in by_key.items():
        link = beside.links.get(key)
        if link is not None and link.invoice_id is not None:
            continue
        living = [one for one in payments if one.status != "DELETED"]
        found = None
        if link is not None:
            found = _standing(key, [one for one in living if one.payment_id == link.xero_id], beside, is_linked=True)
        elif living:
            found = _standing(key, [one for one in living if one.payment_id not in beside.claimed], beside)
        else:
            found = _deleted(key, payments, beside)
        if found is not None and not (link is not None and link.invoice_id == found.invoice_id):
            yield found


def _standing(key: str, living: Sequence[Payment], beside: Beside, *, is_linked: bool = False) -> Link | None:
    payment = beside.applied.get(key)
    if payment is not None and payment.xero_id is not None:
        return None
    is_wanted = payment is not None and payment.pays
    on = [(one, beside.invoices.get(_invoice_of(one))) for one in living]
    its_own = payment.invoice_id if payment is not None and is_wanted else None
    if not is_linked and any(invoice and invoice.caspen_id == its_own for _, invoice in on):
        return None
    for one, invoice in sorted(on, key=lambda pair: pair[1] is None):
        if invoice is not None or is_wanted:
            return _link(key, one, payment, invoice.caspen_id if invoice else None)
    return None


def _deleted(key: str, deleted: Sequence[Payment], beside: Beside) -> Link | None:
    """Where we have deleted the last one ourselves, it is we who make it anew."""
    payment = beside.applied.get(key)
    if payment is None or not payment.is_our_own:
        return None
    last = deleted[-1]
    if last.payment_id in beside.deleted_by_us:
        return None
    return _link(key, last, payment, payment.invoice_id).as_deleted()


def _invoice_of(payment: Payment) -> str:
    return (payment.invoice.invoice_id if payment.invoice else None) or ""


def _link(key: str, there: Payment, payment: AppliedPayment | None, invoice_id: str | None) -> Link:
    """Ours to take back only where its amount, if Caspen still says one, is the one that we would have sent; no part of a batch."""
    amount = there.amount or Decimal(0)
    sent = replace(payment, amount=amount, date=there.date or payment.date) if payment else None
    return Link(
        "payment",
        key,
        there.payment_id or "",
        made_by_us=there.batch_id is None and (payment is None or payment.amount == amount),
        invoice_id=invoice_id,
        number=there.reference,
        status=there.status,
        fingerprint=payment_fingerprint(sent) if sent else None,
        total=amount,
    )
