"""Invoices that Caspen calls paid though its records have no payment of all of it: in Xero, where payments pay, they are owed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.store import both_sides, clinic
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.documents import GONE_STATUSES


def paid_without_payment(mappings: Mappings, settings: Settings, invoice_ids: Iterable[str]) -> str:
    """What is to be said of those of these invoices that are in Xero; "" where nothing is.

    Where a bank feed brings the payments, they need no record.
    """
    links = mappings.links("invoice", invoice_ids)
    ids = [id_ for id_, link in links.items() if link.status not in GONE_STATUSES]
    if settings.feed_brings_payments:
        return ""
    paid, sums, number = both_sides.paid_in_caspen(mappings, ids), dict[str, Decimal](), 0
    for one in clinic.invoices(mappings.store, ids).values():
        lacks = (one.total or Decimal(0)) - paid.get(one.id, Decimal(0))
        if one.status == "paid" and lacks > 0:
            number += 1
            sums[one.currency] = sums.get(one.currency, Decimal(0)) + lacks
    return in_words(number, sums)


def in_words(number: int, sums: Mapping[str, Decimal], *, will: bool = False) -> str:
    """So many invoices, and what they lack payments of by currency; "" for none. `will`: they are not in Xero yet."""
    if not number:
        return ""
    amounts = " and ".join(f"{amount:,.2f} {plain(currency)}" for currency, amount in sorted(sums.items()))
    that = f"{amounts}: Xero {'will show' if will else 'shows'} that as owed."
    if number == 1:
        return f"1 invoice is paid in Caspen, but its records have no payment of {that}"
    return f"{number:,} invoices are paid in Caspen, but their records have no payments of {that}"
