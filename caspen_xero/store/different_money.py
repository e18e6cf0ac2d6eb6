"""Which payments of Caspen's and of Xero's are not the same money though they look it: as a person has said, once and for all."""

from __future__ import annotations

from collections.abc import Iterable

from caspen_xero.store.mappings import Mappings


def pairs(mappings: Mappings) -> frozenset[tuple[str, str]]:
    """The key of an allocation in Caspen and the id of a payment in Xero, of each."""
    sql = "SELECT caspen_id, xero_id FROM different_money WHERE tenant_id = ?"
    return frozenset((row["caspen_id"], row["xero_id"]) for row in mappings.store.rows(sql, mappings.tenant_id))


def keep(mappings: Mappings, different: Iterable[tuple[str, str]]) -> None:
    """Keeps what a person has said."""
    for caspen_id, xero_id in different:
        mappings.store.run(
            "INSERT OR IGNORE INTO different_money (tenant_id, caspen_id, xero_id) VALUES (?, ?, ?)",
            mappings.tenant_id,
            caspen_id,
            xero_id,
        )
