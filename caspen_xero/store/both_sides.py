"""Both sides of the linked invoices, for whoever compares them: figures, what is paid in Caspen, and what stands in its way."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from caspen_xero.caspen.records import FINALISED, PAYS
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text

_NOTHING = "IN ('0', '0.0', '0.00')"
_MAY_DIFFER = f"""
    (v.status IN {FINALISED} AND COALESCE(v.xero_status, '') IN ('VOIDED', 'DELETED')) OR v.status = 'draft'
    OR (s.discrepancies IS NOT NULL AND s.discrepancies <> '[]')
    OR v.invoice_id IN (SELECT invoice_id FROM links WHERE tenant_id = :tenant AND kind = 'payment' AND status = 'DELETED')
    OR CAST(v.subtotal AS REAL) IS NOT CAST(v.xero_subtotal AS REAL) OR CAST(v.tax AS REAL) IS NOT CAST(v.xero_tax AS REAL)
    OR CAST(v.total AS REAL) IS NOT CAST(v.xero_total AS REAL)
    OR COALESCE(v.amount_paid, '0') <> CASE m.payments WHEN 0 THEN '0' WHEN 1 THEN m.payment ELSE '' END
        AND NOT (COALESCE(m.payments, 0) = 0 AND COALESCE(v.amount_paid, '0') {_NOTHING})
    OR COALESCE(v.amount_credited, '0') <> CASE m.credits WHEN 0 THEN '0' WHEN 1 THEN m.credit ELSE '' END
        AND NOT (COALESCE(m.credits, 0) = 0 AND COALESCE(v.amount_credited, '0') {_NOTHING})
"""
"""Leaves out most of those that surely agree: one amount in two spellings is one number. Those that are left are looked at."""


def linked_invoices_that_may_differ(mappings: Mappings) -> Iterator[sqlite3.Row]:
    """The invoices in Xero, with both sides' figures, of which something may differ, oldest first; those set aside are left out.

    `is_quiet`: nothing of it is left to send, and no push has found anything wrong with it (`has_problem`). `seen_at`: as pull
    last saw it.
    """
    yield from mappings.store.db.conn.execute(
        "WITH money AS (SELECT invoice_id, SUM(kind = 'payment') AS payments, MIN(CASE kind WHEN 'payment' THEN amount END) "
        "AS payment, SUM(kind <> 'payment') AS credits, MIN(CASE WHEN kind <> 'payment' THEN amount END) AS credit "
        "FROM paid_in_caspen WHERE tenant_id IS NULL OR tenant_id = :tenant GROUP BY invoice_id) "
        "SELECT v.*, v.is_done AND p.invoice_id IS NULL AS is_quiet, p.invoice_id IS NOT NULL AS has_problem, "
        "s.updated_at AS seen_at FROM linked_invoices v "
        "LEFT JOIN seen_invoices s ON s.tenant_id = v.tenant_id AND s.invoice_id = v.invoice_id "
        "LEFT JOIN (SELECT DISTINCT tenant_id, invoice_id FROM problems) p "
        "ON p.tenant_id = v.tenant_id AND p.invoice_id = v.invoice_id "
        "LEFT JOIN money m ON m.invoice_id = v.invoice_id "
        f"WHERE v.tenant_id = :tenant AND v.invoice_id NOT IN (SELECT invoice_id FROM skips) AND ({_MAY_DIFFER}) "
        "ORDER BY v.issue_date, v.number, v.invoice_id",
        {"tenant": mappings.tenant_id},
    )


def paid_in_caspen(mappings: Mappings, invoice_ids: Iterable[str]) -> dict[str, Decimal]:
    """What is paid or credited of each invoice in Caspen, or was found in Xero and is about to be told there."""
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    sql = "SELECT invoice_id, amount FROM paid_in_caspen WHERE (tenant_id IS NULL OR tenant_id = ?) AND invoice_id IN ({})"
    for row in mappings.store.rows_among(sql, invoice_ids, mappings.tenant_id):
        paid[row["invoice_id"]] += Decimal(row["amount"])
    return dict(paid)


def some_linked_after(mappings: Mappings, at: datetime) -> bool:
    """Whether anything of Caspen's was sent, or found in Xero, after a moment (UTC)."""
    sql = "SELECT 1 FROM links WHERE tenant_id = ? AND kind IN ('invoice', 'payment', 'allocation') AND linked_at > ? LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id, utc_text(at)) is not None


def moved_since(mappings: Mappings, invoice_ids: Iterable[str], moment: datetime) -> set[str]:
    """Invoices of which something was sent, or linked, since then: what Xero shows as paid on them was not looked at since."""
    ids, at = list(invoice_ids), utc_text(moment)
    sent = (
        "SELECT DISTINCT d.invoice_id FROM journal j JOIN journal_documents d ON d.journal_id = j.id "
        "WHERE j.tenant_id = ? AND j.first_sent_at >= ? AND d.invoice_id IN ({})"
    )
    linked = (
        "SELECT DISTINCT invoice_id FROM links WHERE tenant_id = ? AND kind IN ('payment', 'allocation') AND linked_at >= ? "
        "AND invoice_id IN ({})"
    )
    return {
        row["invoice_id"]
        for sql in (sent, linked)
        for row in mappings.store.rows_among(sql, ids, mappings.tenant_id, at)
    }


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


@dataclass(frozen=True)
class RemovedPayment:
    """A payment that stood in Xero, and that a push or pull has seen to be gone. `key`: its allocation's; its Reference there."""

    invoice_id: str
    xero_id: str
    key: str
    amount: Decimal
    reference: str | None


def removed_payments(mappings: Mappings) -> list[RemovedPayment]:
    """All that are known to be gone in Xero, whether Caspen still has them or not."""
    rows = mappings.store.rows(
        "SELECT invoice_id, xero_id, caspen_id, total, number FROM links WHERE tenant_id = ? AND kind = 'payment' "
        "AND status = 'DELETED' AND invoice_id IS NOT NULL",
        mappings.tenant_id,
    )
    return [
        RemovedPayment(row["invoice_id"], row["xero_id"], row["caspen_id"], Decimal(row["total"] or 0), row["number"])
        for row in rows
    ]


def archived_debtors(mappings: Mappings) -> list[sqlite3.Row]:
    """Clients (`caspen_id`, `name`, `updated_at`) whose contact was archived in Xero while something is due."""
    return mappings.store.rows(
        "SELECT DISTINCT c.caspen_id, k.name, k.updated_at FROM links c JOIN xero_contacts k ON k.tenant_id = c.tenant_id "
        "AND k.xero_id = c.xero_id JOIN invoices i ON i.client_id = c.caspen_id JOIN links l ON l.tenant_id = c.tenant_id "
        "AND l.kind = 'invoice' AND l.caspen_id = i.id WHERE c.tenant_id = ? AND c.kind = 'client' AND k.status = 'ARCHIVED' "
        "AND l.status = 'AUTHORISED' ORDER BY k.name",
        mappings.tenant_id,
    )
