"""Payments: adopted where they are in Xero already, created, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from caspen_xero.outside_text import plain
from caspen_xero.store.mappings import DELETED, Mappings
from caspen_xero.sync.planning.kept import NotKept, payment_not_kept
from caspen_xero.sync.planning.payment_references import names_key
from caspen_xero.sync.planning.steps import ExpectedPayment, ExpectedRemoval, Step
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.steps.specification import LISTED, Count, Found, Link, Route, Write
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Payment
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.reading import invoices_by_id, payment_by_id


class AdoptPayment(Link):
    """A payment that is in Xero already: made there, or by us when nobody learnt of it."""

    kind = "adopt-payment"
    expected = ExpectedPayment

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(step.expected, ExpectedPayment)
        records.link_payment(step.caspen_id, step.invoice_id or "", step.target, step.expected, number=step.number)
        return step.target


class NoteRemovedPayment(Link):
    """A payment of ours that somebody has deleted in Xero, and of which this store knew nothing."""

    kind = "note-removed-payment"
    expected = ExpectedRemoval

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(step.expected, ExpectedRemoval)
        was = ExpectedPayment(step.expected.fingerprint, step.expected.amount)
        records.link_payment(
            step.caspen_id, step.invoice_id or "", step.target, was, number=step.number, status=DELETED
        )
        return step.target


class CreatePayment(Write):
    """An allocation of a Caspen payment that Xero does not have."""

    kind = "create-payment"
    counts_as = Count("payments", "payments")
    expected = ExpectedPayment
    route = Route("PUT", "Payments", "Payments", params=LISTED)
    id_field, named_by = "payment_id", "reference"
    moves_money = True

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _invoice_changed_at(found)

    def names(self, step: Step) -> tuple[str, ...]:
        assert isinstance(step.expected, ExpectedPayment)
        return (*super().names(step), step.expected.reference)

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, Payment)
        assert isinstance(step.expected, ExpectedPayment)
        xero_id, invoice_id = found.payment_id or "", step.invoice_id or ""
        before = records.mappings.link("payment", step.caspen_id)
        records.link_payment(
            step.caspen_id,
            invoice_id,
            xero_id,
            step.expected,
            number=step.number,
            status=found.status or "AUTHORISED",
        )
        # Where a pull has seen it before, the invoice's figures hold it already.
        if before is None or before.xero_id != xero_id:
            records.moved(invoice_id, paid=step.expected.amount)
        return xero_id

    def not_kept(self, body: Mapping[str, Any], found: Element) -> list[NotKept]:
        assert isinstance(found, Payment)
        return payment_not_kept(body, found)

    def keep_lost(
        self, records: Records, step: Step, found: Element, lost: Sequence[NotKept], warnings: Sequence[str]
    ) -> list[str]:
        # Pushed once more, it is deleted, as one that has changed in Caspen is, and made anew.
        records.hold_lost(step, "delete-payment", "payment", lost, warnings)
        return []

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        invoices = invoices_by_id(client, [_invoice_of(step) for step in steps])
        linked = mappings.links_to(
            one.payment_id for invoice in invoices.values() for one in invoice.payments if one.payment_id
        )
        found: Found = {}
        taken: set[str] = set()
        for place, step in enumerate(steps):
            invoice = invoices.get(_invoice_of(step))
            for one in invoice.payments if invoice else ():
                # Earlier versions could give two payments one Reference: each is one of Xero's, and its own.
                id_ = one.payment_id or ""
                is_anothers = id_ in taken or (id_ in linked and linked[id_].caspen_id != step.caspen_id)
                if _is_it(one, step) and not is_id(id_):
                    raise Unreadable(f"the payment {plain(one.reference)} has a PaymentID that can't be read")
                if _is_it(one, step) and not is_anothers:
                    found[place] = one
                    taken.add(id_)
                    break
        return found


class DeletePayment(Write):
    """A payment of ours that is void, removed or changed in Caspen."""

    kind = "delete-payment"
    counts_as = Count("payments_deleted", "payments deleted")
    route = Route("POST", "Payments/{id}", "Payments", batch=1)
    id_field = named_by = "payment_id"

    def wrapped(self, steps: Sequence[Step]) -> dict[str, Any]:
        return dict(steps[0].body or {})

    def bodies(self, wrapped: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [dict(wrapped)]

    def leaves_invoice_at(self, found: Element) -> datetime | None:
        return _invoice_changed_at(found)

    def record(self, records: Records, step: Step, found: Element) -> str:
        records.taken_back("payment", step.caspen_id)
        return step.target

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        known = {place: payment_by_id(client, step.target) for place, step in enumerate(steps)}
        return {place: one for place, one in known.items() if one is not None and one.status == "DELETED"}


def _invoice_of(step: Step) -> str:
    assert isinstance(step.expected, ExpectedPayment)
    return step.expected.invoice_xero_id


def _invoice_changed_at(found: Element) -> datetime | None:
    return found.invoice.updated_date_utc if isinstance(found, Payment) and found.invoice else None


def _is_it(one: Payment, step: Step) -> bool:
    """Whether a payment on an invoice is the one that was to be written."""
    assert isinstance(step.expected, ExpectedPayment)
    is_named = one.reference == step.number or names_key(one.reference, step.caspen_id)
    return is_named and one.status != "DELETED" and one.amount == step.expected.amount and one.batch_id is None
