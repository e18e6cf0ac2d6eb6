"""`invoices unlink`: a person takes back that an invoice, or a payment of it, is the one in Xero that it was linked to.

What stands in Xero stays there. All is as it was before the link: what was held then is held, and told, again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain
from caspen_xero.store import batches, clinic, holds, problems, seen_invoices, todo, waiting, xero_payments
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Link, LinkKind, Mappings
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.fix_commands import invoice_name, push_command, unlink_command
from caspen_xero.sync.planning.ways_out import fix_or_way_out
from caspen_xero.sync.problems import Problem, kept_code
from caspen_xero.sync.sending.manual_link import LinkError, name_alone, xero_id_in
from caspen_xero.sync.sending.side_by_side import about, once_in_caspen
from caspen_xero.xero.documents import GONE_STATUSES

_ON_AN_INVOICE: tuple[LinkKind, ...] = ("payment", "credit_note", "allocation")


@dataclass(frozen=True)
class Unlinked:
    """What was taken back: the invoice's own link, or those of payments. `told`: what Caspen was told of as found there."""

    what: Literal["invoice", "payment"]
    links: Sequence[Link]
    told: Sequence[XeroPayment] = ()


def unlink(mappings: Mappings, invoice_id: str, xero_id: str | None, now: datetime) -> Unlinked:
    """Takes back the link of an invoice, or of the payments of it that stand in Xero under an id (their own, or their batch's).

    Raises `LinkError` for what was not linked, and for what caspen-xero has made itself: that is in Xero by its doing.
    """
    number = name_alone(mappings, invoice_id)
    own = mappings.link("invoice", invoice_id)
    id_ = xero_id_in(xero_id) if xero_id is not None else None
    if id_ is None or (own is not None and own.xero_id == id_):
        return _unlink_invoice(mappings, invoice_id, number, own, now)
    return _unlink_payments(mappings, invoice_id, number, id_, now)


def _unlink_invoice(
    mappings: Mappings, invoice_id: str, number: str | None, link: Link | None, now: datetime
) -> Unlinked:
    name = plain(number or invoice_id)
    if link is None:
        raise LinkError("link-not-linked", f"{name} is linked to no invoice in Xero.", "caspen-xero invoices list")
    if link.made_by_us:
        again = once_in_caspen(mappings, push_command(number, invoice_id))
        skip = to_paste("invoices skip", invoice_name(number, invoice_id))
        raise LinkError(
            "link-not-by-hand",
            f"{name} in Xero is caspen-xero's own: it made it, or would make just that one. Unlinked, it could be sent twice.",
            f"If it is not to be in Xero, void it in Caspen, then: {again}; to leave it alone: {skip}",
        )
    on_it = [one for kind in _ON_AN_INVOICE for one in mappings.links_of_invoices(kind, [invoice_id])]
    ours = [one for one in on_it if one.made_by_us and one.status not in GONE_STATUSES]
    if ours:
        what = ", ".join(f"{one.kind.replace('_', ' ')} {plain(one.number or one.caspen_id)}" for one in ours[:5])
        then = once_in_caspen(mappings, push_command(number, invoice_id))
        raise LinkError(
            "link-in-use",
            f"On the invoice in Xero that {name} is linked to stands what caspen-xero has sent: {what}.",
            f"Void that in Caspen, then: {then}; {unlink_command(number, invoice_id)}",
        )
    recorded = xero_payments.recorded_on(mappings, [invoice_id]).get(invoice_id, [])
    with mappings.store.write():
        for one in on_it:
            mappings.drop_link(one.kind, one.caspen_id)
        mappings.drop_link("invoice", invoice_id)
        mappings.refuse_link("invoice", invoice_id, link.xero_id)
        xero_payments.forget_invoice(mappings, invoice_id)
        batches.forget(mappings, invoice_id)
        waiting.drop(mappings, [invoice_id])
        before = _held(mappings, invoice_id, number, holds.on(mappings, "create-invoice", [invoice_id]))
        problems.replace_problems(mappings, invoice_id, before, now)
    return Unlinked("invoice", [link], [one for one in recorded if one.delivered])


def _unlink_payments(mappings: Mappings, invoice_id: str, number: str | None, xero_id: str, now: datetime) -> Unlinked:
    ids = {xero_id} | {one.xero_id for one in batches.members_of(mappings, [xero_id])}
    links = [one for one in mappings.links_of_invoices("payment", [invoice_id]) if one.xero_id in ids]
    name = plain(number or invoice_id)
    if not links:
        raise LinkError(
            "link-not-linked",
            f"No payment of {name} is linked to {plain(xero_id)} in Xero.",
            to_paste("invoices show", invoice_name(number, invoice_id)),
        )
    _refuse_own(mappings, invoice_id, number, links)
    keys = [one.caspen_id for one in links]
    with mappings.store.write():
        for one in links:
            mappings.drop_link("payment", one.caspen_id)
        xero_payments.tell_again(mappings, [one.xero_id for one in links])
        seen_invoices.look_again(mappings, invoice_id)
        todo.do_again(mappings, [invoice_id])
        holds.make_due(mappings, keys)
        for problem in _held(mappings, invoice_id, number, holds.on(mappings, "create-payment", keys)):
            problems.add_problem(mappings, invoice_id, problem, now)
    return Unlinked("payment", links)


def _refuse_own(mappings: Mappings, invoice_id: str, number: str | None, links: Iterable[Link]) -> None:
    """Raises for a payment that caspen-xero has sent, or of which Caspen itself says which one in Xero it is."""
    again = once_in_caspen(mappings, push_command(number, invoice_id))
    applied = clinic.payments_keyed(mappings.store, [one.caspen_id for one in links])
    for link in links:
        payment = applied.get(link.caspen_id)
        amount = f"{link.total:.2f}" if link.total is not None else "unknown amount"
        if link.made_by_us:
            raise LinkError(
                "link-not-by-hand",
                f"caspen-xero has sent that payment of {amount} itself ({plain(link.number)}). Unlinked, it could be sent twice.",
                f"If it is not to be in Xero, void it in Caspen, then: {again}",
            )
        if payment is not None and payment.xero_id:
            raise LinkError(
                "link-not-by-hand",
                f"Caspen says itself that its payment {plain(payment.payment_id)} of {amount} is that one (its xero_id).",
                f"Correct its xero_id in Caspen, then: {again}",
            )


def _held(mappings: Mappings, invoice_id: str, number: str | None, held: Iterable[Hold]) -> list[Problem]:
    """What was held before a link is a problem again, with the way out that it had; the next push looks anew."""
    invoice = about(mappings, invoice_id, number)
    return [
        Problem(
            code := kept_code(hold.code),
            invoice_id,
            hold.reason,
            fix_or_way_out(hold.fix, code, invoice, hold.attempts),
            "" if hold.caspen_id == invoice_id else hold.caspen_id,
            hold.xero_says,
            hold.attempts,
        )
        for hold in held
    ]
