"""What is left to do: invoices, clients and payers that a push may have something to send of, and facts about such a set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from caspen_xero.caspen.records import FINALISED
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store

_DRAFTS = "SELECT caspen_id FROM links WHERE tenant_id = ?1 AND kind = 'invoice' AND status IN ('DRAFT', 'SUBMITTED')"


def invoices_to_do(mappings: Mappings, start_date: str | None, *, drafts_are_done: bool) -> list[str]:
    """Ids of invoices that may need something, oldest first.

    Those finalised or already in Xero of which the last change is not done; not the skipped ones, nor unlinked ones dated before
    `start_date` (`YYYY-MM-DD`). `drafts_are_done`: what is a draft in Xero is to be one.
    """
    is_open = "l.done_up_to IS NOT i.touched"
    if not drafts_are_done:
        is_open = f"({is_open} OR (i.status IN {FINALISED} AND i.id IN ({_DRAFTS})))"
    rows = mappings.store.rows(
        "SELECT i.id FROM invoices i LEFT JOIN links l ON l.tenant_id = ?1 AND l.kind = 'invoice' AND l.caspen_id = i.id "
        f"WHERE {is_open} AND (l.xero_id IS NOT NULL OR (i.status IN {FINALISED} AND i.issue_date >= ?2)) "
        "AND i.id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id",
        mappings.tenant_id,
        start_date or "",
    )
    return [row["id"] for row in rows]


def contacts_to_do(mappings: Mappings) -> list[tuple[Literal["client", "payer"], str, int]]:
    """Clients and payers (kind, id, import number) who changed since their contact, made by us, was last brought up to date."""
    found: list[tuple[Literal["client", "payer"], str, int]] = []
    tables: tuple[tuple[Literal["client", "payer"], str], ...] = (("client", "clients"), ("payer", "contacts"))
    for kind, table in tables:
        rows = mappings.store.rows(
            f"SELECT c.id, c.touched FROM {table} c JOIN links l ON l.tenant_id = ? AND l.kind = ? AND l.caspen_id = c.id "
            "WHERE l.made_by_us AND l.done_up_to IS NOT c.touched",
            mappings.tenant_id,
            kind,
        )
        found += [(kind, row["id"], row["touched"]) for row in rows]
    return found


def touched(
    store: Store, ids: Iterable[str], table: Literal["invoices", "clients", "contacts"] = "invoices"
) -> dict[str, int]:
    """The import number that last changed each invoice (client, contact)."""
    return {
        row["id"]: row["touched"]
        for row in store.rows_among(f"SELECT id, touched FROM {table} WHERE id IN ({{}})", ids)
    }


def has_links(mappings: Mappings) -> bool:
    """Whether any invoice was ever linked to this organisation, by us or by a person."""
    sql = "SELECT 1 FROM links WHERE tenant_id = ? AND kind = 'invoice' LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id) is not None


def has_sent(mappings: Mappings) -> bool:
    """Whether any invoice of this organisation was made by us."""
    sql = "SELECT 1 FROM links WHERE tenant_id = ? AND kind = 'invoice' AND made_by_us LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id) is not None


def has_begun(mappings: Mappings) -> bool:
    """Whether a push of all that is due was ever begun for this organisation."""
    return mappings.setting("begun") is not None


def begin(mappings: Mappings) -> None:
    """A push of all that is due may begin: nobody asks before the next ones."""
    mappings.set_setting("begun", "yes")


def finalised(mappings: Mappings, invoice_ids: Sequence[str]) -> list[tuple[date, Decimal, str]]:
    """Issue date, total and currency of those among invoices that are finalised, oldest first."""
    found = [
        (date.fromisoformat(row["issue_date"]), Decimal(row["total"]), row["currency"])
        for row in mappings.store.rows_among(
            f"SELECT issue_date, total, currency FROM invoices WHERE status IN {FINALISED} AND id IN ({{}})",
            invoice_ids,
        )
    ]
    return sorted(found)


def other_currency(mappings: Mappings, invoice_ids: Sequence[str], base: str) -> bool:
    """Whether an invoice among these is in another currency than `base`."""
    sql = "SELECT 1 FROM invoices WHERE currency <> ? AND id IN ({}) LIMIT 1"
    return bool(mappings.store.rows_among(sql, invoice_ids, base))


def do_again(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """Has the next push look at these invoices again."""
    for invoice_id in invoice_ids:
        mappings.store.run(
            "UPDATE links SET done_up_to = NULL WHERE tenant_id = ? AND kind = 'invoice' AND caspen_id = ?",
            mappings.tenant_id,
            invoice_id,
        )


def do_again_for_clients(mappings: Mappings, ids: Iterable[str]) -> None:
    """The same for all invoices of these clients or payers."""
    sql = "SELECT id FROM invoices WHERE client_id IN ({0}) OR record ->> 'invoice_to_id' IN ({0})"
    for caspen_id in ids:
        do_again(mappings, [row["id"] for row in mappings.store.rows(sql.format("?1"), caspen_id)])


def look_at_unsent_payments(mappings: Mappings) -> None:
    """Has invoices whose payments stayed out of Xero looked at again by the next push."""
    mappings.store.run(
        "UPDATE links SET done_up_to = NULL WHERE tenant_id = ? AND kind = 'invoice' AND caspen_id IN (SELECT invoice_id FROM "
        "allocations WHERE key NOT IN (SELECT caspen_id FROM links WHERE tenant_id = ? AND kind = 'payment'))",
        mappings.tenant_id,
        mappings.tenant_id,
    )
