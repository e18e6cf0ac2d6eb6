"""Invoices that a person has set aside: pushes pass them over, and they are not unsynced."""

from __future__ import annotations

from datetime import datetime

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store, utc_text


def count_skipped(mappings: Mappings) -> int:
    """How many invoices a person has set aside."""
    row = mappings.store.row("SELECT COUNT(*) AS n FROM skips")
    return int(row["n"]) if row else 0


def invoice_ids(store: Store) -> set[str]:
    """The invoices that are set aside."""
    return {row["invoice_id"] for row in store.rows("SELECT invoice_id FROM skips")}


def skip(store: Store, invoice_id: str, reason: str | None, now: datetime) -> None:
    """Sets an invoice aside for good: pushes pass it over and it is no longer unsynced."""
    store.run(
        "INSERT INTO skips (invoice_id, reason, skipped_at) VALUES (?, ?, ?) ON CONFLICT (invoice_id) DO UPDATE SET "
        "reason = excluded.reason",
        invoice_id,
        reason,
        utc_text(now),
    )


def unskip(store: Store, invoice_id: str) -> bool:
    """Takes an invoice back among those that pushes look after; False where it was not set aside."""
    return bool(store.run("DELETE FROM skips WHERE invoice_id = ?", invoice_id))


def reason(store: Store, invoice_id: str) -> str | None:
    """Why a person has set an invoice aside, if they said so."""
    row = store.row("SELECT reason FROM skips WHERE invoice_id = ?", invoice_id)
    return row["reason"] if row else None
