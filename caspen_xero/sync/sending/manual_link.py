"""`invoices link`: a person says that an invoice, or a payment of it, is in Xero already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from caspen_xero.errors import UserError
from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.store import clinic, holds, problems
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.sync.planning.claims import payment_fingerprint
from caspen_xero.sync.planning.steps import ExpectedPayment
from caspen_xero.sync.planning.translate import invoice_fingerprint
from caspen_xero.sync.problems import pay_anyway_command
from caspen_xero.sync.sending.own_ids import keep_members, members_among
from caspen_xero.sync.sending.records import Records
from caspen_xero.xero.addresses import ids_in
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES, Invoice, Payment
from caspen_xero.xero.reading import batch_by_id, invoices_by_id, payment_by_id, payments_on


class LinkError(UserError):
    """What was named can't stand for the invoice or its payment: `link-not-an-id`, `link-not-found`, `link-does-not-fit`."""


def link_to(client: Client, mappings: Mappings, invoice_id: str, name: str, now: datetime) -> str:
    """Links an invoice to the Xero invoice, or one of its payments to the Xero payment, with that id (or in that address).

    Gives what was done, in words. Raises `LinkError`.
    """
    found = ids_in(name)
    if not found:
        raise LinkError(
            "link-not-an-id", f"{said(name, MOST)} holds no Xero id.", "Copy it from the address of the page in Xero."
        )
    xero_id = found[-1].lower()
    invoice = invoices_by_id(client, [xero_id]).get(xero_id)
    if invoice is not None:
        return _link_invoice(mappings, invoice_id, invoice, now)
    payments = _payments_named(client, mappings, invoice_id, xero_id)
    if payments:
        return _link_payment(mappings, invoice_id, payments, now)
    if batch_by_id(client, xero_id) is not None:
        raise LinkError("link-does-not-fit", "That batch payment in Xero pays nothing on this invoice.")
    raise LinkError(
        "link-not-found", f"Xero has neither an invoice nor a payment {plain(xero_id)}.", "Check the id in Xero."
    )


def _payments_named(client: Client, mappings: Mappings, invoice_id: str, xero_id: str) -> list[Payment]:
    """The payment with that id; for the id of a batch, its members on this invoice."""
    payment = payment_by_id(client, xero_id)
    link = mappings.link("invoice", invoice_id)
    if link is None or (payment is not None and payment.batch_id is None):
        return [payment] if payment is not None else []
    listed = payments_on(client, [link.xero_id]).get(link.xero_id, [])
    with mappings.store.write():
        keep_members(mappings, list(members_among(invoice_id, listed)))
    named = [one for one in listed if xero_id in (one.payment_id, one.batch_id)]
    return named or ([payment] if payment is not None else [])


def _link_invoice(mappings: Mappings, invoice_id: str, found: Invoice, now: datetime) -> str:
    xero_id = found.invoice_id or ""
    _not_linked_elsewhere(mappings, xero_id, invoice_id)
    if found.type not in (None, "ACCREC") or found.status in GONE_STATUSES:
        raise LinkError(
            "link-does-not-fit", f"{plain(found.invoice_number)} is no living sales invoice ({plain(found.status)})."
        )
    invoice = clinic.invoices(mappings.store, [invoice_id])[invoice_id]
    with mappings.store.write():
        before = mappings.link("invoice", invoice_id)
        if before is not None and before.xero_id != xero_id:
            raise LinkError(
                "link-does-not-fit",
                f"{plain(invoice.number)} is linked to another Xero invoice ({plain(before.xero_id)}).",
            )
        Records(mappings, lambda: now).link_invoice(
            invoice_id,
            found,
            made_by_us=before is not None and before.made_by_us,
            fingerprint=invoice_fingerprint(invoice),
        )
        holds.make_invoices_due(mappings, [invoice_id])
        problems.replace_problems(mappings, invoice_id, [], now)
    return f"is linked to {plain(found.invoice_number)} in Xero ({found.total}, {plain(found.status)})"


def _link_payment(mappings: Mappings, invoice_id: str, payments: Sequence[Payment], now: datetime) -> str:
    """Links one of these to a payment of that amount that waits. More than one: members of one batch."""
    number = clinic.invoice_numbers(mappings.store, [invoice_id]).get(invoice_id)
    linked = mappings.links_to(one.payment_id or "" for one in payments)
    free = [one for one in payments if one.payment_id not in linked]
    if not free:
        stands_for = linked[payments[0].payment_id or ""]
        raise LinkError(
            "link-does-not-fit",
            f"That payment in Xero already stands for {plain(stands_for.caspen_id)} in Caspen.",
            f"If this invoice has another payment of that amount: {pay_anyway_command(number, invoice_id)}",
        )
    link = mappings.link("invoice", invoice_id)
    on = link.xero_id if link else None
    living = [one for one in free if one.invoice and one.invoice.invoice_id == on and one.status != "DELETED"]
    if not living:
        raise LinkError("link-does-not-fit", "That payment in Xero is not on this invoice, or is deleted.")
    waiting = [
        payment
        for payment in clinic.payments_on(mappings.store, [invoice_id]).get(invoice_id, [])
        if payment.pays and _waits(mappings.link("payment", payment.key))
    ]
    fit = [(payment, found) for found in living for payment in waiting if payment.amount == found.amount]
    if not fit:
        amounts = " and ".join(f"{one.amount or 0:.2f}" for one in living)
        there = ", ".join(f"{payment.amount:.2f}" for payment in waiting) or "none"
        raise LinkError(
            "link-does-not-fit",
            f"That payment in Xero is {amounts}; of this invoice's in Caspen wait to be linked: {there}.",
        )
    # Of several alike, the one that names it, else one of its day.
    fit.sort(key=lambda pair: (not _is_named(*pair), pair[0].date != pair[1].date))
    payment, found = fit[0]
    with mappings.store.write():
        Records(mappings, lambda: now).link_payment(
            payment.key,
            invoice_id,
            found.payment_id or "",
            ExpectedPayment(payment_fingerprint(payment), found.amount or Decimal(0), made_by_us=False),
            number=found.reference,
        )
        holds.make_invoices_due(mappings, [invoice_id])
    return f"has its payment of {payment.amount} linked to the one of {found.date} in Xero"


def _is_named(payment: AppliedPayment, found: Payment) -> bool:
    return payment.xero_id is not None and payment.xero_id in (found.payment_id, found.batch_id)


def _waits(link: Link | None) -> bool:
    """Whether nothing in Xero stands for a payment, or only what somebody has deleted there."""
    return link is None or link.is_deleted


def _not_linked_elsewhere(mappings: Mappings, xero_id: str, invoice_id: str) -> None:
    link = mappings.links_to([xero_id]).get(xero_id)
    if link is not None and invoice_id not in (link.caspen_id, link.invoice_id):
        raise LinkError("link-does-not-fit", f"That document already stands for {plain(link.caspen_id)} in Caspen.")
