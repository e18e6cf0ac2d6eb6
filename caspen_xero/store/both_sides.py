"""Both sides of the linked invoices, for whoever compares them: figures, what is paid in Caspen, and what stands in its way."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from caspen_xero.caspen.records import FINALISED, PAYS
from caspen_xero.store.mappings import OF_ANOTHER_AMOUNT, Mappings
from caspen_xero.store.store import utc_text
from caspen_xero.store.todo import ALL_INVOICES, IS_DONE

_NOTHING = "IN ('0', '0.0', '0.00')"
_MAY_DIFFER = f"""
    (i.status IN {FINALISED} AND COALESCE(l.status, '') IN ('VOIDED', 'DELETED')) OR i.status = 'draft'
    OR CAST(i.subtotal AS REAL) IS NOT CAST(l.subtotal AS REAL) OR CAST(i.tax AS REAL) IS NOT CAST(l.tax AS REAL)
    OR CAST(i.total AS REAL) IS NOT CAST(l.total AS REAL)
    OR COALESCE(l.amount_paid, '0') <> CASE m.payments WHEN 0 THEN '0' WHEN 1 THEN m.payment ELSE '' END
        AND NOT (COALESCE(m.payments, 0) = 0 AND COALESCE(l.amount_paid, '0') {_NOTHING})
    OR COALESCE(l.amount_credited, '0') <> CASE m.credits WHEN 0 THEN '0' WHEN 1 THEN m.credit ELSE '' END
        AND NOT (COALESCE(m.credits, 0) = 0 AND COALESCE(l.amount_credited, '0') {_NOTHING})
"""
"""Leaves out most of those that surely agree: one amount in two spellings is one number. Those that are left are looked at."""


def linked_invoices_that_may_differ(mappings: Mappings) -> Iterator[sqlite3.Row]:
    """The invoices in Xero, with both sides' figures, of which something may differ, oldest first; those set aside are left out.

    `is_quiet`: nothing of it is left to send, and no push has found anything wrong with it (`has_problem`). `seen_at`: as pull
    last saw it; `money_at`: what is paid and credited there, as it was. `shown`: of its link.
    """
    yield from mappings.store.db.conn.execute(
        "WITH money AS (SELECT invoice_id, SUM(kind = 'payment') AS payments, MIN(CASE kind WHEN 'payment' THEN amount END) "
        "AS payment, SUM(kind <> 'payment') AS credits, MIN(CASE WHEN kind <> 'payment' THEN amount END) AS credit "
        "FROM paid_in_caspen WHERE tenant_id IS NULL OR tenant_id = :tenant GROUP BY invoice_id), some AS MATERIALIZED ("
        f"SELECT i.id {ALL_INVOICES} LEFT JOIN money m ON m.invoice_id = i.id "
        f"WHERE l.caspen_id IS NOT NULL AND ({_MAY_DIFFER}) "
        "UNION SELECT invoice_id FROM seen_invoices INDEXED BY seen_invoices_found WHERE tenant_id = :tenant "
        "AND discrepancies <> '[]' UNION SELECT invoice_id FROM links INDEXED BY links_deleted WHERE tenant_id = :tenant "
        "AND kind = 'payment' AND status = 'DELETED' UNION SELECT l.invoice_id FROM links l "
        f"WHERE l.tenant_id = :tenant AND l.invoice_id IS NOT NULL AND {OF_ANOTHER_AMOUNT}) "
        "SELECT i.id AS invoice_id, i.number, i.issue_date, i.status, i.subtotal, i.tax, i.total, l.xero_id, "
        "l.status AS xero_status, l.subtotal AS xero_subtotal, l.tax AS xero_tax, l.total AS xero_total, l.amount_paid, "
        f"l.amount_credited, l.xero_updated_at, s.updated_at AS seen_at, {IS_DONE} AS is_done, l.shown, "
        "MAX(s.updated_at, COALESCE(s.money_at, '')) AS money_at, "
        f"{IS_DONE} AND p.invoice_id IS NULL AS is_quiet, p.invoice_id IS NOT NULL AS has_problem "
        "FROM some CROSS JOIN invoices i ON i.id = some.id "
        "CROSS JOIN links l ON l.tenant_id = :tenant AND l.kind = 'invoice' AND l.caspen_id = i.id "
        "LEFT JOIN seen_invoices s ON s.tenant_id = l.tenant_id AND s.invoice_id = i.id "
        "LEFT JOIN (SELECT DISTINCT tenant_id, invoice_id FROM problems) p "
        "ON p.tenant_id = l.tenant_id AND p.invoice_id = i.id "
        "WHERE i.id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id",
        {"tenant": mappings.tenant_id},
    )


def unsettled(mappings: Mappings) -> set[str]:
    """The invoices in Xero of which something is left to send, or of which a push has found something wrong, or that are set aside.

    What differs on one of these need not show.
    """
    rows = mappings.store.db.conn.execute(
        f"SELECT i.id AS invoice_id {ALL_INVOICES} WHERE l.caspen_id IS NOT NULL AND (NOT {IS_DONE} OR i.id IN "
        "(SELECT invoice_id FROM problems WHERE tenant_id = :tenant) OR i.id IN (SELECT invoice_id FROM skips))",
        {"tenant": mappings.tenant_id},
    )
    return {row["invoice_id"] for row in rows}


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
    """Invoices of which something that moves money was sent or linked since then: what is paid on them was not looked at since."""
    ids, at = list(invoice_ids), utc_text(moment)
    sent = (
        "SELECT DISTINCT d.invoice_id FROM journal j JOIN journal_documents d ON d.journal_id = j.id "
        "WHERE j.tenant_id = ? AND j.first_sent_at >= ? AND d.operation NOT IN ('update-invoice', 'authorise-invoice') "
        "AND d.invoice_id IN ({})"
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


def wanted_in_xero(mappings: Mappings) -> set[tuple[str, str]]:
    """The payments and credit notes that Caspen has and would have us find in Xero: the invoice of each by now, and its Xero id."""
    rows = mappings.store.rows(
        "SELECT a.invoice_id, l.xero_id FROM links l JOIN allocations a ON a.key = l.caspen_id "
        "JOIN payments p ON p.id = a.payment_id "
        f"WHERE l.tenant_id = ? AND l.kind = 'payment' AND p.status = '{PAYS}' "
        "UNION SELECT n.invoice_id, l.xero_id FROM links l JOIN credit_notes n ON n.id = l.caspen_id "
        "WHERE l.tenant_id = ? AND l.kind = 'allocation' AND n.status = 'issued' "
        "UNION SELECT x.invoice_id, x.xero_id FROM xero_payments x WHERE x.tenant_id = ? "
        "AND NOT EXISTS (SELECT 1 FROM found_and_named n WHERE n.tenant_id = x.tenant_id AND n.xero_id = x.xero_id "
        f"AND (n.status <> '{PAYS}' OR NOT EXISTS (SELECT 1 FROM allocations a WHERE a.payment_id = n.payment_id "
        "AND a.invoice_id = x.invoice_id)))",
        *[mappings.tenant_id] * 3,
    )
    return {(row["invoice_id"], row["xero_id"]) for row in rows}


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
        "SELECT invoice_id, xero_id, caspen_id, total, number FROM links INDEXED BY links_deleted "
        "WHERE tenant_id = ? AND kind = 'payment' AND status = 'DELETED' AND invoice_id IS NOT NULL",
        mappings.tenant_id,
    )
    return [
        RemovedPayment(row["invoice_id"], row["xero_id"], row["caspen_id"], Decimal(row["total"] or 0), row["number"])
        for row in rows
    ]


@dataclass(frozen=True)
class PaymentOfAnotherAmount:
    """A part of a payment of Caspen's, and what is linked to it in Xero though that is of another amount (`there`)."""

    invoice_id: str
    xero_id: str
    key: str
    amount: Decimal
    there: Decimal
    reference: str | None
    linked_at: str | None


def payments_of_another_amount(mappings: Mappings) -> list[PaymentOfAnotherAmount]:
    """All of them, where Caspen's still pays that invoice."""
    rows = mappings.store.rows(
        "SELECT l.invoice_id, l.xero_id, a.key, a.amount, l.total, l.number, l.linked_at FROM links l "
        "JOIN allocations a ON a.key = l.caspen_id AND a.invoice_id = l.invoice_id JOIN payments p ON p.id = a.payment_id "
        f"WHERE l.tenant_id = ? AND {OF_ANOTHER_AMOUNT} AND p.status = '{PAYS}' ORDER BY a.key",
        mappings.tenant_id,
    )
    found = [
        PaymentOfAnotherAmount(
            row["invoice_id"],
            row["xero_id"],
            row["key"],
            Decimal(row["amount"]),
            Decimal(row["total"] or 0),
            row["number"],
            row["linked_at"],
        )
        for row in rows
    ]
    return [one for one in found if one.amount != one.there]


def archived_debtors(mappings: Mappings) -> list[sqlite3.Row]:
    """Clients (`caspen_id`, `name`, `updated_at`) whose contact was archived in Xero while something is due."""
    return mappings.store.rows(
        "SELECT DISTINCT c.caspen_id, k.name, k.updated_at FROM xero_contacts k CROSS JOIN links c "
        "ON c.tenant_id = k.tenant_id AND c.xero_id = k.xero_id CROSS JOIN invoices i ON i.client_id = c.caspen_id "
        "CROSS JOIN links l ON l.tenant_id = k.tenant_id AND l.kind = 'invoice' AND l.caspen_id = i.id "
        "WHERE k.tenant_id = ? AND k.status = 'ARCHIVED' AND c.kind = 'client' AND l.status = 'AUTHORISED' ORDER BY k.name",
        mappings.tenant_id,
    )
