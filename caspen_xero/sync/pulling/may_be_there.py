"""Caspen's payments that may stand in Xero without our knowing, from the store: what we have sent, and what is yet to be sent.

And what is no payment on the invoice in Caspen, but may be what stands on it in Xero: money that is on no invoice, and what Caspen
was told of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from caspen_xero.outside_text import plain
from caspen_xero.store import batches, clinic, outstanding, xero_payments
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.store.xero_payments import SentPayment, XeroPayment
from caspen_xero.sync.planning.money_on_invoice import claim_of
from caspen_xero.sync.planning.payment_references import method_named
from caspen_xero.sync.planning.same_money import Claim, There
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.sending.load import recorded_and_there, told_and_gone_amounts


@dataclass(frozen=True)
class MaybeThere:
    """`awaited`: no payment in Xero is known to stand, or to have stood, for it. `named`: its `xero_id`, if it has one."""

    claim: Claim
    awaited: bool
    named: str | None = None


def maybe_there(mappings: Mappings, invoice_ids: Sequence[str]) -> dict[str, list[MaybeThere]]:
    """By invoice, Caspen's payments that may be there; of one that is set aside too: Caspen has them, though nothing is sent."""
    store = mappings.store
    methods = {method.id: method for method in clinic.payment_methods(store)}
    account_links = mappings.account_links()
    applied = clinic.payments_on(store, invoice_ids)
    sent = xero_payments.sent_payments(mappings, invoice_ids)
    links = mappings.links("payment", [one.key for some in applied.values() for one in some])
    told = told_and_gone_amounts(mappings)
    gone = {key for key, link in links.items() if link.is_deleted}  # it may have stood on another invoice
    return {
        id_: [
            *(_sent(one) for one in sent.get(id_, [])),
            *(
                MaybeThere(
                    claim_of(
                        one,
                        methods,
                        account_links,
                        waits=one.pays,
                        was_there=one.key in gone,
                        may_be_told=one.amount in told.get(id_, ()),
                    ),
                    one.pays,
                    one.xero_id,
                )
                for one in applied.get(id_, [])
            ),
        ]
        for id_ in invoice_ids
    }


def _sent(sent: SentPayment) -> MaybeThere:
    return MaybeThere(Claim(sent.key, (sent.reference,), sent.amount, sent.fingerprint, waits=False), sent.unknown)


def told_and_gone(mappings: Mappings) -> list[XeroPayment]:
    """What Caspen was told of, is gone in Xero since, and none of its exports has had yet: Caspen may have taken it in."""
    ids = outstanding.told_and_gone(mappings)
    if not ids:
        return []
    recorded, named = xero_payments.recorded(mappings, ids), Named(mappings, ids)
    return [
        recorded[id_]
        for id_ in ids
        if not (named.has(id_, recorded[id_].invoice_id, recorded[id_].amount) or named.disputed_by(id_))
    ]


def claim_of_told(told: XeroPayment) -> Claim:
    """What Caspen was told of as one that Caspen may have."""
    names = (told.reference.casefold(),) if told.reference else ()
    return Claim(told.xero_id, (), told.amount, "", True, told.date, told.account_id, names, goes=False, was_told=True)


def on_no_invoice(mappings: Mappings, invoice_ids: Sequence[str], living: Collection[str]) -> dict[str, list[Claim]]:
    """By invoice, what its client has paid that is on no invoice in Caspen; but for what names a payment that stands in Xero.

    `living`: the ids of payments that do, and that are not recorded yet.
    """
    store = mappings.store
    found = clinic.money_on_no_invoice(store, invoice_ids)
    if not found:
        return {}
    named = {one.xero_id for some in found.values() for one in some if one.xero_id is not None}
    standing = named & {*living, *recorded_and_there(mappings, named), *mappings.links_to(named)}
    standing |= {one.batch_id for one in batches.members_of(mappings, named)}
    methods = {method.id: method for method in clinic.payment_methods(store)}
    account_links = mappings.account_links()

    def claim(rest: AppliedPayment) -> Claim:
        name = f"{method_named(methods.get(rest.method_id or ''))} {plain(rest.payment_id)}"
        as_applied = claim_of(rest, methods, account_links, waits=True)
        return replace(as_applied, references=(name,), goes=False, is_on_none=True)

    return {id_: [claim(one) for one in some if one.xero_id not in standing] for id_, some in found.items()}


def unlinked(maybe: Iterable[MaybeThere], links: Mapping[str, Link], shown: Collection[str | None]) -> list[Claim]:
    """Those for which nothing stands: what stood for them is gone, or nothing ever did.

    `links`: of Caspen's payments on that invoice, by key; `shown`: the ids of all payments that Xero shows on it, and of their
    batches. What is linked, not shown, and not known to be deleted is known again by its Reference only. What says that it came
    from Xero waits where what it names is not shown.
    """
    found: list[Claim] = []
    for one in maybe:
        link = links.get(one.claim.key)
        if one.named is not None and (one.named in shown or not (link is None or link.is_deleted)):
            continue
        if link is None and one.awaited:
            found.append(one.claim)
        elif link is not None and link.xero_id not in shown:
            found.append(one.claim if link.is_deleted else replace(one.claim, waits=False))
    return found


def link_of(invoice_id: str, own: Claim, there: There, now: datetime, *, made_by_us: bool) -> Link:
    """One of another amount than Caspen's (then without a fingerprint), or of a batch, is nobody's to take back but a person's."""
    agrees = there.amount == own.amount
    return Link(
        "payment",
        own.key,
        there.xero_id,
        made_by_us=made_by_us and agrees and there.batch_id is None,
        invoice_id=invoice_id,
        number=there.reference,
        status="AUTHORISED",
        fingerprint=own.fingerprint if agrees else None,
        total=there.amount,
        linked_at=now,
    )
