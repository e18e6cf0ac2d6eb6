"""Clients and payers as a list: each with the contact in Xero that it is, as last read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from caspen_xero.store.mappings import DELETED, DOUBTED, Mappings
from caspen_xero.store.searching import holds_each, prepared
from caspen_xero.store.store import Store

LinkState = Literal["linked", "doubted", "deleted", "not linked"]
"""`doubted`: linked by a number alone, which may be another's. `deleted`: it was seen to be gone in Xero."""


@dataclass(frozen=True)
class Party:
    """A client or payer. `contact_id`, `contact`, `number`, `xero_status`: the contact in Xero, None where there is none."""

    kind: Literal["client", "payer"]
    id: str
    name: str | None
    state: LinkState
    contact_id: str | None
    contact: str | None
    number: str | None
    xero_status: str | None
    made_by_us: bool


def list_parties(
    store: Store, mappings: Mappings | None, words: Sequence[str] = (), limit: int | None = None
) -> tuple[list[Party], int]:
    """Clients, then payers, by name: those that have each of these words, `limit` of them at the most; and how many there are.

    Whoever was purged has no name any more. What was linked without a record of Caspen's, such as the one contact of all
    clients, is there too.
    """
    where, values = holds_each(("p.name", "x.name", "x.number"), words, ("p.id", "l.xero_id"))
    rows = (
        prepared(store)
        .execute(
            "SELECT p.kind, p.id, p.name, l.xero_id, l.status, l.made_by_us, x.name AS contact, x.number, x.status AS xero_status "
            "FROM (SELECT 'client' AS kind, id, name FROM clients UNION ALL SELECT 'payer', id, name FROM contacts "
            "UNION ALL SELECT kind, caspen_id, NULL FROM links b WHERE b.tenant_id = ?1 AND ((kind = 'client' AND NOT EXISTS "
            "(SELECT 1 FROM clients WHERE id = b.caspen_id)) OR (kind = 'payer' AND NOT EXISTS "
            "(SELECT 1 FROM contacts WHERE id = b.caspen_id)))) p "
            "LEFT JOIN links l ON l.tenant_id = ?1 AND l.kind = p.kind AND l.caspen_id = p.id "
            "LEFT JOIN xero_contacts x ON x.tenant_id = ?1 AND x.xero_id = l.xero_id "
            f"WHERE {where} ORDER BY p.kind, p.name IS NULL, in_order(p.name), p.id",
            [mappings.tenant_id if mappings else "", *values],
        )
        .fetchall()
    )
    return [_party(row) for row in (rows if limit is None else rows[:limit])], len(rows)


def _party(row: dict[str, str]) -> Party:
    state: LinkState = "linked" if row["xero_id"] else "not linked"
    if row["status"] in (DOUBTED, DELETED):
        state = "doubted" if row["status"] == DOUBTED else "deleted"
    return Party(
        kind="payer" if row["kind"] == "payer" else "client",
        id=row["id"],
        name=row["name"],
        state=state,
        contact_id=row["xero_id"],
        contact=row["contact"],
        number=row["number"],
        xero_status=row["xero_status"],
        made_by_us=bool(row["made_by_us"]),
    )
