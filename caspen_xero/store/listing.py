"""Invoices as people list them: Caspen's side, Xero's side, and how far they have come.

`sync/books/` says in which state an invoice is; what is said here of that knows nothing of problems and differences.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.caspen.records import FINALISED, GONE, PAYS
from caspen_xero.store.bad_records import LoneInvoice, lone_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.todo import ALL_INVOICES, IS_DONE

SyncStatus = Literal["synced", "unsynced", "differs", "pending", "draft", "skipped", "void"]
SYNC_STATUSES: tuple[SyncStatus, ...] = ("synced", "unsynced", "differs", "pending", "draft", "skipped", "void")


@dataclass(frozen=True)
class ListedInvoice:
    """One invoice on both sides. Amounts in its currency: Xero's where it is there, else Caspen's.

    `caspen_own_status` is what Caspen says; `caspen_status` what it will say once it has taken in what Xero shows as paid.
    `is_accepted`: it differs, and a person is content with that.
    """

    invoice_id: str
    number: str | None
    client_id: str
    client: str
    issue_date: date | None
    caspen_own_status: str
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
    is_accepted: bool = False


@dataclass(frozen=True)
class Counted:
    """So many invoices are in one state by what the two sides' records alone say. `before_start`: left out by the start date."""

    state: SyncStatus
    before_start: bool
    number: int


_SURELY_SYNCED = f"""i.status IN {FINALISED} AND l.done_up_to IS i.touched
    AND (l.status IS NULL OR l.status NOT IN ('DRAFT', 'SUBMITTED')) AND i.id NOT IN (SELECT invoice_id FROM skips)"""
"""Tells most of those that are: only counted."""
STATE = f"""CASE
    WHEN s.invoice_id IS NOT NULL THEN 'skipped'
    WHEN i.status IN {GONE} AND (l.caspen_id IS NULL OR {IS_DONE}) THEN 'void'
    WHEN i.status = 'draft' AND (l.caspen_id IS NULL OR {IS_DONE}) THEN 'draft'
    WHEN l.caspen_id IS NOT NULL THEN CASE WHEN {IS_DONE} THEN 'synced' ELSE 'pending' END
    WHEN COALESCE(i.issue_date, '') < :start THEN 'skipped'
    ELSE 'pending' END"""
"""The state, by the records alone, of an invoice `i` with its link `l`, and with `s` where a person has set it aside."""
_SQL = f"""
SELECT i.id, i.number, i.client_id, c.name AS client, i.purged, i.issue_date, i.status, i.total, i.currency,
    l.xero_id, l.status AS xero_status, l.amount_paid, l.amount_credited, l.amount_due, {STATE} AS state,
    EXISTS (SELECT 1 FROM xero_payments x WHERE x.tenant_id = :tenant AND x.invoice_id = i.id AND x.invoice_status = 'paid'
        AND NOT EXISTS (SELECT 1 FROM found_and_named n WHERE n.tenant_id = x.tenant_id AND n.xero_id = x.xero_id
            AND n.status <> '{PAYS}')) AS told_paid
FROM invoices i
LEFT JOIN clients c ON c.id = i.client_id
LEFT JOIN links l ON l.tenant_id = :tenant AND l.kind = 'invoice' AND l.caspen_id = i.id
LEFT JOIN skips s ON s.invoice_id = i.id
"""


def list_invoices(
    store: Store, mappings: Mappings | None, start_date: str | None, invoice_ids: Iterable[str] | None = None
) -> list[ListedInvoice]:
    """Every invoice (or those named), oldest first, then those of which there is only a bad record.

    Without a linked organisation nothing is in Xero.

    `start_date` (`YYYY-MM-DD`): what is dated before that day, and not in Xero, is left out by a person's choice.
    """
    wanted = None if invoice_ids is None else set(invoice_ids)
    where, given = "", {"tenant": mappings.tenant_id if mappings else "", "start": start_date or ""}
    if wanted is not None and not any("\0" in one for one in wanted):  # at which SQLite's JSON ends a text
        where, given = "WHERE i.id IN (SELECT value FROM json_each(:ids))", given | {"ids": json.dumps(sorted(wanted))}
    rows = store.db.conn.execute(f"{_SQL} {where} ORDER BY i.issue_date, i.number, i.id", given).fetchall()
    paid = _paid_in_caspen(store, wanted)
    listed = [_listed(row, paid.get(row["id"], Decimal(0))) for row in rows if wanted is None or row["id"] in wanted]
    lone = {one.bad.id: one for one in lone_invoices(store, start_date) if wanted is None or one.bad.id in wanted}
    if not lone:
        return listed
    known = [
        replace(one, sync_status=_status_of(lone.pop(one.invoice_id))) if one.invoice_id in lone else one
        for one in listed
    ]
    return [*known, *map(_lone, lone.values())]


def pending_invoices(store: Store, mappings: Mappings | None, start_date: str | None) -> list[ListedInvoice]:
    """Those that are pending by the records alone."""
    given = {"tenant": mappings.tenant_id if mappings else "", "start": start_date or ""}
    rows = store.db.conn.execute(f"SELECT id FROM ({_SQL}) WHERE state = 'pending'", given).fetchall()
    ids = [row["id"] for row in rows]
    return list_invoices(store, mappings, start_date, ids) if ids else []


def count_listed(store: Store) -> int:
    """How many invoices the list has: those known, and those of which there is only a bad record."""
    row = store.row("SELECT COUNT(*) AS n FROM invoices")
    lone = [one.bad.id for one in lone_invoices(store)]
    known = store.rows_among("SELECT id FROM invoices WHERE id IN ({})", lone)
    return (int(row["n"]) if row else 0) + len(lone) - len(known)


def count_invoices_by_state(store: Store, mappings: Mappings | None, start_date: str | None) -> list[Counted]:
    """The same in numbers, without the invoices of which there is only a bad record."""
    rows = store.db.conn.execute(
        f"WITH others AS MATERIALIZED (SELECT {STATE} AS state, s.invoice_id IS NULL AND l.caspen_id IS NULL "
        f"AND COALESCE(i.issue_date, '') < :start AS before_start {ALL_INVOICES} LEFT JOIN skips s ON s.invoice_id = i.id "
        f"WHERE NOT ({_SURELY_SYNCED})) SELECT state, before_start, COUNT(*) AS number FROM others GROUP BY 1, 2 UNION ALL "
        "SELECT 'synced', 0, (SELECT COUNT(*) FROM invoices) - (SELECT COUNT(*) FROM others)",
        {"tenant": mappings.tenant_id if mappings else "", "start": start_date or ""},
    ).fetchall()
    return [Counted(row["state"], bool(row["before_start"]), row["number"]) for row in rows]


def _listed(row: Any, paid: Decimal) -> ListedInvoice:
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
        caspen_own_status=row["status"],
        caspen_status="paid" if row["status"] == "open" and _is_paid(row) else row["status"],
        sync_status=row["state"],
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
        caspen_own_status=one.status or "",
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


def _paid_in_caspen(store: Store, invoice_ids: Iterable[str] | None) -> dict[str, Decimal]:
    sql = "SELECT invoice_id, amount FROM paid_in_caspen WHERE kind = 'payment'"
    rows = store.rows(sql) if invoice_ids is None else store.rows_among(f"{sql} AND invoice_id IN ({{}})", invoice_ids)
    paid: dict[str, Decimal] = {}
    for row in rows:
        paid[row["invoice_id"]] = paid.get(row["invoice_id"], Decimal(0)) + Decimal(row["amount"])
    return paid


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
