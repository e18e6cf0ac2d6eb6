"""Payments in Xero that Caspen names by its `xero_id`: it was told of them, if it had them on their invoice, for their amount.

What an export has once said counts for ever, though a later one voids that payment, drops it or says something else of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from caspen_xero.store import clinic
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.named_payments import ever_named
from caspen_xero.store.store import Store


class Named:
    """Who names these payments and allocations in Xero, now and ever."""

    def __init__(self, store: Store, xero_ids: Iterable[str]) -> None:
        ids = set(xero_ids)
        self._ever = ever_named(store, ids)
        self._living = clinic.payments_naming(store, self._ever)
        self._now = clinic.payment_ids_naming(store, self._ever)

    def has(self, xero_id: str | None, invoice_id: str, amount: Decimal | None) -> bool:
        """Whether Caspen has had that payment, on that invoice and for that amount."""
        living = self._living.get(xero_id or "", ())
        if len({one.payment_id for one in living}) > 1:
            return not _is_misnamed(invoice_id, amount, living)
        before = self._ever.get(xero_id or "", ())
        return any(one.invoice_id in (invoice_id, None) and one.amount == amount for one in before)

    def disputed_by(self, xero_id: str) -> list[str]:
        """The ids of Caspen's payments that name it now: where `has` says no, they do so for something else."""
        return self._now.get(xero_id, [])


def _is_misnamed(invoice_id: str, amount: Decimal | None, claimants: Sequence[AppliedPayment]) -> bool:
    """Whether living payments of Caspen's name a payment in Xero, but don't have it on its invoice, for its amount."""
    here = [one.amount for one in claimants if one.invoice_id == invoice_id]
    return sum(here, Decimal(0)) != amount
