"""Both sides of the linked invoices, for whoever compares them: figures, what is paid in Caspen, and what stands in its way."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from caspen_xero.caspen.records import PAYS
from caspen_xero.store.mappings import Mappings


def linked_invoices(mappings: Mappings) -> Iterator[sqlite3.Row]:
    """Every invoice that stands in Xero, with both sides' figures, oldest first; one at a time, as there may be very many.

    `is_quiet`: nothing of it is left to send, nothing is wrong, and nobody has set it aside. `seen_at`: as pull last saw it.
    """
    yield from mappings.store.db.conn.execute(
        "SELECT v.*, v.is_done AND p.invoice_id IS NULL AND k.invoice_id IS NULL AS is_quiet, s.updated_at AS seen_at "
        "FROM linked_invoices v "
        "LEFT JOIN seen_invoices s ON s.tenant_id = v.tenant_id AND s.invoice_id = v.invoice_id "
        "LEFT JOIN (SELECT DISTINCT tenant_id, invoice_id FROM problems) p "
        "ON p.tenant_id = v.tenant_id AND p.invoice_id = v.invoice_id "
        "LEFT JOIN skips k ON k.invoice_id = v.invoice_id "
        "WHERE v.tenant_id = ? ORDER BY v.issue_date, v.number, v.invoice_id",
        (mappings.tenant_id,),
    )


def paid_in_caspen(mappings: Mappings) -> dict[str, Decimal]:
    """What is paid or credited of each invoice in Caspen, or was found in Xero and is about to be told there."""
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    sql = "SELECT invoice_id, amount FROM paid_in_caspen WHERE tenant_id IS NULL OR tenant_id = ?"
    for invoice_id, amount in mappings.store.db.conn.execute(sql, (mappings.tenant_id,)):
        paid[invoice_id] += Decimal(amount)
    return dict(paid)


def wanted_in_xero(mappings: Mappings) -> set[str]:
    """The Xero ids of the payments and credit notes that Caspen has and would have us find in Xero."""
    rows = mappings.store.rows(
        "SELECT l.xero_id FROM links l JOIN allocations a ON a.key = l.caspen_id JOIN payments p ON p.id = a.payment_id "
        f"WHERE l.tenant_id = ? AND l.kind = 'payment' AND p.status = '{PAYS}' "
        "UNION SELECT l.xero_id FROM links l JOIN credit_notes n ON n.id = l.caspen_id "
        "WHERE l.tenant_id = ? AND l.kind = 'allocation' AND n.status = 'issued' "
        "UNION SELECT x.xero_id FROM xero_payments x WHERE x.tenant_id = ? "
        "AND NOT EXISTS (SELECT 1 FROM found_and_named n WHERE n.tenant_id = x.tenant_id AND n.xero_id = x.xero_id "
        f"AND n.status <> '{PAYS}')",
        *[mappings.tenant_id] * 3,
    )
    return {row["xero_id"] for row in rows}


def archived_debtors(mappings: Mappings) -> list[sqlite3.Row]:
    """Clients (`caspen_id`, `name`, `updated_at`) whose contact was archived in Xero while something is due."""
    return mappings.store.rows(
        "SELECT DISTINCT c.caspen_id, k.name, k.updated_at FROM links c JOIN xero_contacts k ON k.tenant_id = c.tenant_id "
        "AND k.xero_id = c.xero_id JOIN invoices i ON i.client_id = c.caspen_id JOIN links l ON l.tenant_id = c.tenant_id "
        "AND l.kind = 'invoice' AND l.caspen_id = i.id WHERE c.tenant_id = ? AND c.kind = 'client' AND k.status = 'ARCHIVED' "
        "AND l.status = 'AUTHORISED' ORDER BY k.name",
        mappings.tenant_id,
    )
