"""Which payments on an invoice in Xero are Caspen's own, and which are news to Caspen: one rule, wherever it is asked.

A payment is ours by its Reference, also where the answer to our push was lost; or by its amount, where the bank feed brings this
clinic's payments. One that may be the same money as a payment which is yet to be sent is neither: a person decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from caspen_xero.store import clinic, skips, xero_payments
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.store.xero_payments import SentPayment
from caspen_xero.sync.planning.claims import payment_fingerprint
from caspen_xero.sync.planning.payment_references import earlier_reference_of, names_key, reference_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import Payment


@dataclass(frozen=True)
class Claim:
    """A payment of Caspen's that may stand in Xero without our knowing its id. `key`: its allocation's.

    `references`: what this version or an earlier one wrote, or would write.

    `awaited`: no payment in Xero is known to stand, or to have stood, for it.
    `by_amount`: the bank feed brings this clinic's payments, so an equal amount is the same money. `date`: of one that is yet to
    be sent; a payment in Xero of that amount and date may be the same money, which a person decides when it is pushed.
    """

    key: str
    references: tuple[str, ...]
    amount: Decimal
    fingerprint: str
    awaited: bool
    by_amount: bool = False
    date: date | None = None


@dataclass(frozen=True)
class Apart:
    """Payments in Xero, told apart: `links` for Caspen's own, those that a person has to decide on, and those that are new."""

    links: list[Link]
    undecided: list[Payment]
    new: list[Payment]


def tell_apart(
    invoice_id: str,
    payments: Iterable[Payment],
    claims: Sequence[Claim],
    links: Mapping[str, Link],
    shown: Collection[str | None],
    now: datetime,
) -> Apart:
    """Tells payments on one invoice apart; each claim stands for one of them at most. Pure.

    `links`: of Caspen's payments on that invoice, by key; `shown`: the ids of all payments that Xero shows on it. A payment with
    our reference where ours is gone was entered in its place: it stands for it, but was not made by us.
    """
    free = [one for one in claims if _is_free(one, links, shown)]
    by_reference, rest = _pair_up(payments, free, by_amount=False)
    paired = {claim.key for _, claim in by_reference}
    # An amount alone names no payment that stood, or stands, for another one.
    new_here = [claim for claim in free if claim.key not in links and claim.key not in paired]
    by_amount, rest = _pair_up(rest, [claim for claim in new_here if claim.by_amount], by_amount=True)
    found = [_link(invoice_id, payment, claim, claim.key not in links, now) for payment, claim in by_reference]
    found += [_link(invoice_id, payment, claim, False, now) for payment, claim in by_amount]
    recognised = {link.caspen_id for link in found}
    in_question = {(claim.amount, claim.date) for claim in new_here if claim.date and claim.key not in recognised}
    undecided = [payment for payment in rest if (payment.amount, payment.date) in in_question]
    return Apart(found, undecided, [payment for payment in rest if payment not in undecided])


def _pair_up(
    payments: Iterable[Payment], claims: Sequence[Claim], *, by_amount: bool
) -> tuple[list[tuple[Payment, Claim]], list[Payment]]:
    """The payments that are Caspen's own, each with its claim, and the rest."""
    free, pairs, rest = list(claims), list[tuple[Payment, Claim]](), list[Payment]()
    for payment in payments:
        own = _claim_of(payment, free, by_amount=by_amount)
        if own is None:
            rest.append(payment)
        else:
            pairs.append((payment, own))
            free = [claim for claim in free if claim.key != own.key]
    return pairs, rest


def _is_free(claim: Claim, links: Mapping[str, Link], shown: Collection[str | None]) -> bool:
    """Whether a payment of Caspen's may be one that nobody knows: what stands for it is gone, or nothing ever stood for it."""
    return links[claim.key].xero_id not in shown if claim.key in links else claim.awaited


def _link(invoice_id: str, payment: Payment, own: Claim, made_by_us: bool, now: datetime) -> Link:
    """One of another amount than Caspen's (then without a fingerprint), or of a batch, is nobody's to take back but a person's."""
    agrees = payment.amount == own.amount
    return Link(
        "payment",
        own.key,
        payment.payment_id or "",
        made_by_us=made_by_us and agrees and payment.batch_id is None,
        invoice_id=invoice_id,
        number=payment.reference,
        status="AUTHORISED",
        fingerprint=own.fingerprint if agrees else None,
        total=payment.amount,
        linked_at=now,
    )


def _claim_of(payment: Payment, claims: Sequence[Claim], *, by_amount: bool) -> Claim | None:
    same = [claim for claim in claims if claim.amount == payment.amount]
    if by_amount:
        return next(iter(same), None)
    for claim in same:
        if payment.reference in claim.references:
            return claim
    return next((claim for claim in claims if names_key(payment.reference, claim.key)), None)


def claims_on(mappings: Mappings, settings: Settings, invoice_ids: Sequence[str]) -> dict[str, list[Claim]]:
    """By invoice, the payments of Caspen's that may be there: what we have sent, and what we are about to send."""
    store = mappings.store
    methods = {method.id: method for method in clinic.payment_methods(store)}
    applied = clinic.payments_on(store, invoice_ids)
    sent = xero_payments.sent_payments(mappings, invoice_ids)
    set_aside = skips.invoice_ids(store)

    def about_to_send(payment: AppliedPayment) -> Claim:
        method = methods.get(payment.method_id or "")
        return Claim(
            payment.key,
            (reference_of(payment, method), earlier_reference_of(payment, method)),
            payment.amount,
            payment_fingerprint(payment),
            awaited=payment.pays,
            by_amount=settings.feed_brings_payments and payment.pays,
            date=payment.date if payment.pays and payment.invoice_id not in set_aside else None,
        )

    return {
        id_: [
            *(_sent(one) for one in sent.get(id_, [])),
            *(about_to_send(payment) for payment in applied.get(id_, []) if payment.xero_id is None),
        ]
        for id_ in invoice_ids
    }


def _sent(sent: SentPayment) -> Claim:
    return Claim(sent.key, (sent.reference,), sent.amount, sent.fingerprint, awaited=sent.unknown)
