"""Differences between the two sides that a person is content with: each one, as it was, and not the next one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text


def accept(mappings: Mappings, invoice_id: str, differences: Iterable[str], now: datetime) -> None:
    """A person is content with these differences (by their keys) of an invoice."""
    with mappings.store.write():
        for key in differences:
            mappings.store.run(
                "INSERT OR IGNORE INTO accepted (tenant_id, invoice_id, difference, accepted_at) VALUES (?, ?, ?, ?)",
                mappings.tenant_id,
                invoice_id,
                key,
                utc_text(now),
            )


def keep_accepted(mappings: Mappings, standing: Iterable[str]) -> None:
    """Forgets what was accepted and stands no more: where it comes again, a person is told again."""
    gone = accepted(mappings) - set(standing)
    with mappings.store.write():
        for key in gone:
            mappings.store.run("DELETE FROM accepted WHERE tenant_id = ? AND difference = ?", mappings.tenant_id, key)


def accepted(mappings: Mappings) -> set[str]:
    """The keys of all differences that a person is content with."""
    rows = mappings.store.rows("SELECT difference FROM accepted WHERE tenant_id = ?", mappings.tenant_id)
    return {row["difference"] for row in rows}
