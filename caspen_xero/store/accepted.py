"""Differences between the two sides that a person is content with: each one, as it was, and not the next one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text


@dataclass(frozen=True)
class Accepted:
    """A difference of an invoice, by its `key`, and when a person was content with it (ISO 8601, UTC)."""

    invoice_id: str
    key: str
    at: str


def accept(mappings: Mappings, invoice_id: str, keys: Iterable[str], now: datetime) -> None:
    """A person is content with these differences (by their keys) of an invoice."""
    with mappings.store.write():
        for key in keys:
            mappings.store.run(
                "INSERT OR IGNORE INTO accepted (tenant_id, invoice_id, difference, accepted_at) VALUES (?, ?, ?, ?)",
                mappings.tenant_id,
                invoice_id,
                key,
                utc_text(now),
            )


def forget(mappings: Mappings, over: Iterable[Accepted]) -> None:
    """A person is content with these no more, or they stand no more: where one comes again, a person is told again."""
    with mappings.store.write():
        for one in over:
            mappings.store.run(
                "DELETE FROM accepted WHERE tenant_id = ? AND difference = ?", mappings.tenant_id, one.key
            )


def accepted(mappings: Mappings) -> list[Accepted]:
    """All differences that a person is content with."""
    sql = "SELECT invoice_id, difference, accepted_at FROM accepted WHERE tenant_id = ? ORDER BY accepted_at"
    rows = mappings.store.rows(sql, mappings.tenant_id)
    return [Accepted(row["invoice_id"], row["difference"], row["accepted_at"]) for row in rows]
