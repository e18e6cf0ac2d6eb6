"""Payments that stand on one side only, found by SQL: of very many that stand on both, none is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from caspen_xero.caspen.records import FINALISED, PAYS
from caspen_xero.store.mappings import DELETED, Mappings
from caspen_xero.store.seen_invoices import PAYMENT_GONE

_NAMED_RIGHTLY = (
    "SELECT 1 FROM named_payments n WHERE n.xero_id = x.xero_id AND n.invoice_id IN (x.invoice_id, '') "
    "AND n.amount = rtrim(rtrim(x.amount, '0'), '.')"  # as `keep_named` writes an amount
)

_GONE = (
    "SELECT 1 FROM seen_invoices s, json_each(s.discrepancies) d WHERE s.tenant_id = ?1 AND s.invoice_id = x.invoice_id "
    f"AND d.value ->> 'code' = '{PAYMENT_GONE}' AND d.value ->> 'subject' = x.xero_id"
)


def maybe_not_in_caspen(mappings: Mappings, invoice_ids: Iterable[str] | None = None) -> list[sqlite3.Row]:
    """What was found in Xero, still stands there as last seen, and may not be in Caspen: not told yet, or told and then neither
    linked nor named by an export by its own id, on its invoice, for its amount. (A batch's id may name it.)

    `xero_id`, `found_at`, `told_at`, `told_to`; of its invoice `number`, `currency` and `client`, as far as they are known.
    `invoice_ids`: only on these.
    """
    sql = (
        "SELECT x.xero_id, x.found_at, CASE WHEN x.told_to IS NOT NULL THEN x.delivered_at END AS told_at, x.told_to, "
        "i.number, i.currency, c.name AS client FROM xero_payments x LEFT JOIN invoices i ON i.id = x.invoice_id "
        "LEFT JOIN clients c ON c.id = i.client_id WHERE x.tenant_id = ?1 "
        "AND (x.delivered_at IS NULL OR (NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = ?1 AND l.xero_id = x.xero_id "
        f"AND l.kind = 'payment') AND NOT EXISTS ({_NAMED_RIGHTLY}))) "
        f"AND NOT EXISTS ({_GONE}) "
    )
    order = "ORDER BY x.date, i.number, x.seq"
    if invoice_ids is None:
        return mappings.store.rows(f"{sql} {order}", mappings.tenant_id)
    return mappings.store.rows_among(f"{sql} AND x.invoice_id IN ({{}}) {order}", invoice_ids, mappings.tenant_id)


def told_and_gone(mappings: Mappings) -> list[str]:
    """The Xero ids of what Caspen was told of, that stands for no payment of Caspen's, and that a pull has seen gone since."""
    rows = mappings.store.rows(
        "SELECT x.xero_id FROM xero_payments x WHERE x.tenant_id = ?1 AND x.delivered_at IS NOT NULL AND x.told_to IS NOT NULL "
        "AND x.invoice_id IN (SELECT invoice_id FROM seen_invoices WHERE tenant_id = ?1 AND discrepancies <> '[]') "
        "AND NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = ?1 AND l.xero_id = x.xero_id AND l.kind = 'payment') "
        f"AND EXISTS ({_GONE}) ORDER BY x.seq",
        mappings.tenant_id,
    )
    return [row["xero_id"] for row in rows]


_IS_OTHER = (
    f"l.status IS NOT '{DELETED}' AND l.invoice_id IS a.invoice_id AND CAST(l.total AS REAL) <> CAST(a.amount AS REAL)"
)
_UNLINKED = (
    f"SELECT a.*, CASE l.status WHEN '{DELETED}' THEN l.xero_id END AS gone_id, "
    "l.xero_id IS NOT NULL AND l.invoice_id IS NOT a.invoice_id AS is_linked, "
    f"CASE WHEN {_IS_OTHER} THEN l.xero_id END AS other_id, CASE WHEN {_IS_OTHER} THEN l.total END AS other_amount "
    "FROM allocations a LEFT JOIN links l ON l.tenant_id = ?1 AND l.kind = 'payment' AND l.caspen_id = a.key "
    f"WHERE l.status IS '{DELETED}' OR l.invoice_id IS NOT a.invoice_id OR ({_IS_OTHER})"
)
"""Few, as a rule: so they come first, and the rest is looked up for them alone."""
_FOUND_HERE = (
    "SELECT 1 FROM found_and_named n JOIN xero_payments x ON x.tenant_id = n.tenant_id AND x.xero_id = n.xero_id "
    "WHERE n.tenant_id = ?1 AND n.payment_id = p.id AND x.invoice_id = a.invoice_id"
)
_WRONG = (
    "SELECT 1 FROM problems w WHERE w.tenant_id = ?1 AND w.invoice_id = a.invoice_id "
    "AND w.subject IN (a.key, 'payment:' || p.id)"
)


def not_in_xero(mappings: Mappings) -> list[sqlite3.Row]:
    """The parts of Caspen's payments on finalised invoices for which nothing stands in Xero on that invoice, or in another amount.

    What names a payment that pull has found on that invoice is that very payment, unless a push has found something wrong with it.

    `key`, `payment_id`, `amount`, `date`, `method`, `invoice_id`, `number`, `issue_date`, `currency`, `client`; `gone_id`: of what
    stood for it and was deleted there; `other_id`, `other_amount`: of what stands for it in another amount; `is_elsewhere`: that
    stands on another invoice; `claims`: it says that it came from Xero; `is_set_aside`: its invoice; `xero_invoice_id` and
    `xero_status`: what that is in Xero, and how.
    """
    return mappings.store.rows(
        f"WITH a AS MATERIALIZED ({_UNLINKED}) "
        "SELECT a.key, a.payment_id, a.amount, p.date, m.name AS method, a.invoice_id, i.number, i.issue_date, i.currency, "
        "c.name AS client, a.gone_id, a.other_id, a.other_amount, a.is_linked AS is_elsewhere, "
        "p.xero_id IS NOT NULL AS claims, k.invoice_id IS NOT NULL AS is_set_aside, "
        "v.xero_id AS xero_invoice_id, v.status AS xero_status "
        "FROM a JOIN payments p ON p.id = a.payment_id JOIN invoices i ON i.id = a.invoice_id "
        "LEFT JOIN clients c ON c.id = i.client_id LEFT JOIN payment_methods m ON m.id = p.method_id "
        "LEFT JOIN skips k ON k.invoice_id = i.id "
        "LEFT JOIN links v ON v.tenant_id = ?1 AND v.kind = 'invoice' AND v.caspen_id = i.id "
        f"WHERE p.status = '{PAYS}' AND i.status IN {FINALISED} "
        f"AND (p.xero_id IS NULL OR a.gone_id IS NOT NULL OR a.other_id IS NOT NULL OR NOT EXISTS ({_FOUND_HERE}) "
        f"OR EXISTS ({_WRONG})) "
        "ORDER BY p.date, i.number, a.key",
        mappings.tenant_id,
    )
