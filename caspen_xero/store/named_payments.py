"""What Caspen's exports have ever named by its `xero_id`: kept for ever, as a later export may say something else.

A payment that names one in Xero has it for the sum of its allocations on an invoice; without any, for all of its own amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from caspen_xero.store.store import Store


@dataclass(frozen=True)
class NamedPayment:
    """Caspen's payment `payment_id` once named a payment in Xero; `invoice_id` is None where it was on no invoice."""

    payment_id: str
    invoice_id: str | None
    amount: Decimal


def keep_named(
    store: Store, xero_id: str, payment_id: str, amount: Decimal, parts: Iterable[tuple[str, Decimal]]
) -> None:
    """Keeps what a payment names. `parts`: invoice and amount of each of its allocations."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for invoice_id, part in parts:
        sums[invoice_id] += part
    for invoice_id, named in (sums or {"": amount}).items():
        store.run(
            "INSERT OR IGNORE INTO named_payments (xero_id, payment_id, invoice_id, amount) VALUES (?, ?, ?, ?)",
            xero_id,
            payment_id,
            invoice_id,
            f"{named.normalize():f}",
        )


def ever_named(store: Store, xero_ids: Iterable[str]) -> dict[str, list[NamedPayment]]:
    """Who has ever named these payments and allocations in Xero, by Xero's id."""
    found: dict[str, list[NamedPayment]] = {}
    for row in store.rows_among("SELECT * FROM named_payments WHERE xero_id IN ({})", xero_ids):
        named = NamedPayment(row["payment_id"], row["invoice_id"] or None, Decimal(row["amount"]))
        found.setdefault(row["xero_id"], []).append(named)
    return found
