"""Which payments of Caspen's and of Xero's are not the same money though they look it, once and for all: as a person has said, or
as Caspen had the one, and was told of the other as of what it did not have.
"""

from __future__ import annotations

from collections.abc import Iterable

from caspen_xero.store.mappings import Mappings


def pairs(mappings: Mappings) -> frozenset[tuple[str, str]]:
    """The key of an allocation in Caspen and the id of a payment in Xero, of each.

    What was said of money while it was on no invoice (`rest_key`) holds for it on whichever it is put.
    """
    sql = (
        "SELECT caspen_id, xero_id FROM different_money WHERE tenant_id = ?1 UNION SELECT a.key, d.xero_id FROM different_money d "
        "JOIN allocations a ON a.key > d.caspen_id AND a.key < rtrim(d.caspen_id, '/') || '0' "  # '0' comes after '/'
        "WHERE d.tenant_id = ?1 AND d.caspen_id LIKE '%/'"
    )
    return frozenset((row["caspen_id"], row["xero_id"]) for row in mappings.store.rows(sql, mappings.tenant_id))


def keep(mappings: Mappings, different: Iterable[tuple[str, str]]) -> None:
    """Keeps what a person has said, or what was told apart as Caspen was told."""
    for caspen_id, xero_id in different:
        mappings.store.run(
            "INSERT OR IGNORE INTO different_money (tenant_id, caspen_id, xero_id) VALUES (?, ?, ?)",
            mappings.tenant_id,
            caspen_id,
            xero_id,
        )
