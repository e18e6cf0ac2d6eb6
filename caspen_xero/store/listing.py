"""Invoices as people list them: Caspen's side, Xero's side, and how far they have come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.caspen.records import GONE, PAYS
from caspen_xero.store.bad_records import LoneInvoice, lone_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store

SyncStatus = Literal["synced", "unsynced", "pending", "draft", "skipped", "void"]
SYNC_STATUSES: tuple[SyncStatus, ...] = ("synced", "unsynced", "pending", "draft", "skipped", "void")


@dataclass(frozen=True)
class ListedInvoice:
    """One invoice on both sides. Amounts in its currency: Xero's where it is there, else Caspen's."""

    invoice_id: str
    number: str | None
    client_id: str
    client: str
    issue_date: date | None
    caspen_status: str
    sync_status: SyncStatus
    total: Decimal | None
    currency: str
    amount_paid: Decimal
    amount_credited: Decimal
    amount_due: Decimal | None
    xero_invoice_id: str | None
    xero_status: str | None
    details_purged: bool = False


_SQL = f"""
SELECT i.id, i.number, i.client_id, c.name AS client, i.purged, i.issue_date, i.status, i.total, i.currency,
    l.xero_id, l.xero_status, l.is_done, l.amount_paid, l.amount_credited, l.amount_due,
    s.invoice_id AS skipped,
    (SELECT COUNT(*) FROM problems p WHERE p.tenant_id = :tenant AND p.invoice_id = i.id) AS problems,
    EXISTS (SELECT 1 FROM xero_payments x WHERE x.tenant_id = :tenant AND x.invoice_id = i.id AND x.invoice_status = 'paid'
        AND NOT EXISTS (SELECT 1 FROM found_and_named n WHERE n.tenant_id = x.tenant_id AND n.xero_id = x.xero_id
            AND n.status <> '{PAYS}')) AS told_paid
FROM invoices i
LEFT JOIN clients c ON c.id = i.client_id
LEFT JOIN linked_invoices l ON l.tenant_id = :tenant AND l.invoice_id = i.id
LEFT JOIN skips s ON s.invoice_id = i.id
"""


def list_invoices(
    store: Store, mappings: Mappings | None, start_date: str | None, invoice_id: str | None = None
) -> list[ListedInvoice]:
    """Every invoice (or the one named), oldest first, then those of which there is only a bad record.

    Without a linked organisation nothing is in Xero.

    `start_date` (`YYYY-MM-DD`): what is dated before that day, and not in Xero, is left out by a person's choice.
    """
    tenant = mappings.tenant_id if mappings else ""
    where = "WHERE i.id = :invoice " if invoice_id else ""
    rows = store.db.conn.execute(
        f"{_SQL} {where} ORDER BY i.issue_date, i.number, i.id", {"tenant": tenant, "invoice": invoice_id}
    ).fetchall()
    paid = _paid_in_caspen(store, invoice_id)
    listed = [_listed(row, start_date or "", paid.get(row["id"], Decimal(0))) for row in rows]
    lone = {one.bad.id: one for one in lone_invoices(store, start_date) if invoice_id in (None, one.bad.id)}
    if not lone:
        return listed
    known = [
        replace(one, sync_status=_status_of(lone.pop(one.invoice_id))) if one.invoice_id in lone else one
        for one in listed
    ]
    return [*known, *map(_lone, lone.values())]


def _listed(row: Any, start_date: str, paid: Decimal) -> ListedInvoice:
    in_xero = row["xero_id"] is not None
    total = _decimal(row["total"])
    amount_paid = _decimal(row["amount_paid"]) if in_xero else paid
    amount_credited = _decimal(row["amount_credited"]) if in_xero else Decimal(0)
    due = _decimal(row["amount_due"]) if in_xero else None
    if due is None and total is not None:
        due = total - (amount_paid or Decimal(0)) - (amount_credited or Decimal(0))
    return ListedInvoice(
        invoice_id=row["id"],
        number=row["number"],
        client_id=row["client_id"],
        client=row["client"] or "",
        issue_date=date.fromisoformat(row["issue_date"]) if row["issue_date"] else None,
        caspen_status="paid" if row["status"] == "open" and _is_paid(row) else row["status"],
        sync_status=_sync_status(row, start_date),
        total=total,
        currency=row["currency"] or "",
        amount_paid=amount_paid or Decimal(0),
        amount_credited=amount_credited or Decimal(0),
        amount_due=due,
        xero_invoice_id=row["xero_id"],
        xero_status=row["xero_status"],
        details_purged=row["purged"] is not None,
    )


def _status_of(one: LoneInvoice) -> SyncStatus:
    return "skipped" if one.is_set_aside else "unsynced"


def _lone(one: LoneInvoice) -> ListedInvoice:
    """An invoice of which there is nothing but a bad record."""
    return ListedInvoice(
        invoice_id=one.bad.id,
        number=one.number,
        client_id=one.client_id or "",
        client=one.client,
        issue_date=one.day,
        caspen_status=one.status or "",
        sync_status=_status_of(one),
        total=one.total,
        currency=one.currency,
        amount_paid=Decimal(0),
        amount_credited=Decimal(0),
        amount_due=one.total,
        xero_invoice_id=None,
        xero_status=None,
    )


def _is_paid(row: Any) -> bool:
    """Whether Xero shows an invoice as paid, or did when pull told Caspen so: what is deleted there later changes nothing."""
    return row["xero_status"] == "PAID" or bool(row["told_paid"])


def _sync_status(row: Any, start_date: str) -> SyncStatus:
    in_xero = row["xero_id"] is not None
    if row["skipped"]:
        return "skipped"
    if row["problems"]:
        return "unsynced"
    if row["status"] in GONE and (not in_xero or row["is_done"]):
        return "void"
    if row["status"] == "draft" and not in_xero:
        return "draft"
    if in_xero:
        return "synced" if row["is_done"] else "pending"
    return "skipped" if (row["issue_date"] or "") < start_date else "pending"


def _paid_in_caspen(store: Store, invoice_id: str | None) -> dict[str, Decimal]:
    one = " AND invoice_id = ?" if invoice_id else ""
    rows = store.rows(
        f"SELECT invoice_id, amount FROM paid_in_caspen WHERE kind = 'payment'{one}",
        *([invoice_id] if invoice_id else []),
    )
    paid: dict[str, Decimal] = {}
    for row in rows:
        paid[row["invoice_id"]] = paid.get(row["invoice_id"], Decimal(0)) + Decimal(row["amount"])
    return paid


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
