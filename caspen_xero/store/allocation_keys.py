"""The migration that names allocations by payment and allocation; until then the allocation's own id named them.

Two payments whose allocations were both called "1" had become one. So the table is made anew from the payments' records, and
what stands in Xero goes to the allocation whose content was sent. What no allocation has any more keeps a key without a payment.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from sqlite_utils import Database

_TABLE = """
CREATE TABLE allocations_by_payment (
    key TEXT PRIMARY KEY, payment_id TEXT NOT NULL REFERENCES payments (id), id TEXT NOT NULL, invoice_id TEXT NOT NULL,
    amount TEXT NOT NULL, date TEXT, UNIQUE (payment_id, id))
"""


@dataclass(frozen=True)
class _Allocation:
    key: str
    invoice_id: str
    content: str
    had_the_id: bool


def key_allocations(db: Database) -> None:
    """Carries a store over; runs inside the migration's transaction."""
    db.execute("UPDATE payments SET xero_id = lower(trim(xero_id)) WHERE xero_id IS NOT NULL")
    allocations = _rebuild(db)
    _rename_links(db, allocations)
    for rowid, id_, invoice_id, content in db.execute(
        "SELECT rowid, caspen_id, invoice_id, expected ->> 'content' FROM journal_documents "
        "WHERE operation IN ('create-payment', 'delete-payment')"
    ).fetchall():
        key = _key_of(allocations[id_], id_, invoice_id, content)
        db.execute("UPDATE journal_documents SET caspen_id = ? WHERE rowid = ?", (key, rowid))
    for rowid, id_ in db.execute(
        "SELECT rowid, caspen_id FROM refusals WHERE operation IN ('create-payment', 'delete-payment')"
    ).fetchall():
        key = _key_of(allocations[id_], id_, None, None)
        db.execute("UPDATE refusals SET caspen_id = ? WHERE rowid = ?", (key, rowid))
    for rowid, id_, invoice_id in db.execute("SELECT rowid, subject, invoice_id FROM problems").fetchall():
        if any(one.invoice_id == invoice_id for one in allocations[id_]):
            key = _key_of(allocations[id_], id_, invoice_id, None)
            db.execute("UPDATE problems SET subject = ? WHERE rowid = ?", (key, rowid))


def _rebuild(db: Database) -> defaultdict[str, list[_Allocation]]:
    """The table anew, from the payments' records; gives its rows by the allocation's own id."""
    owners = dict(db.execute("SELECT id, payment_id FROM allocations").fetchall())
    found: defaultdict[str, list[_Allocation]] = defaultdict(list)
    db.execute(_TABLE)
    payments = db.execute("SELECT id, date, method_id, record FROM payments").fetchall()
    for payment_id, date, method_id, record in payments:
        own = {
            one["id"]: one for one in json.loads(record).get("allocations", ())
        }  # of two of one id the last, as before
        for id_, one in own.items():
            key = f"{quote(payment_id, safe='')}/{quote(id_, safe='')}"
            db.execute(
                "INSERT INTO allocations_by_payment VALUES (?, ?, ?, ?, ?, ?)",
                (key, payment_id, id_, one["invoice_id"], one["amount"], one.get("date")),
            )
            content = f"{Decimal(one['amount']).normalize():f}|{date}|{method_id or ''}"
            found[id_].append(_Allocation(key, one["invoice_id"], content, owners.get(id_) == payment_id))
    db.execute("DROP TABLE allocations")
    db.execute("ALTER TABLE allocations_by_payment RENAME TO allocations")
    db.execute("CREATE INDEX allocations_invoice ON allocations (invoice_id)")
    came_back = {one.invoice_id for alike in found.values() for one in alike if not one.had_the_id}
    _look_again_at(db, came_back)
    return found


def _rename_links(db: Database, allocations: defaultdict[str, list[_Allocation]]) -> None:
    """Links go to the key; those that stand on nothing but a payment's own `xero_id` are judged anew by the next push."""
    believed = db.execute(
        "SELECT l.tenant_id, l.caspen_id, l.invoice_id FROM links l JOIN payments p ON p.xero_id = lower(l.xero_id) "
        "WHERE l.kind = 'payment' AND NOT l.made_by_us"
    ).fetchall()
    for tenant_id, id_, _ in believed:
        db.execute("DELETE FROM links WHERE tenant_id = ? AND kind = 'payment' AND caspen_id = ?", (tenant_id, id_))
    _look_again_at(db, {invoice_id for _, _, invoice_id in believed})
    for tenant_id, id_, invoice_id, content in db.execute(
        "SELECT tenant_id, caspen_id, invoice_id, content FROM links WHERE kind = 'payment'"
    ).fetchall():
        key = _key_of(allocations[id_], id_, invoice_id, content)
        db.execute(
            "UPDATE links SET caspen_id = ? WHERE tenant_id = ? AND kind = 'payment' AND caspen_id = ?",
            (key, tenant_id, id_),
        )


def _look_again_at(db: Database, invoice_ids: set[str]) -> None:
    for invoice_id in invoice_ids:
        db.execute("UPDATE links SET settled = NULL WHERE kind = 'invoice' AND caspen_id = ?", (invoice_id,))


def _key_of(alike: list[_Allocation], id_: str, invoice_id: str | None, content: str | None) -> str:
    """Of the allocations of one id, the one that was meant: by what was sent, then by its invoice, then the one that had the id."""
    if not alike:
        return f"/{quote(id_, safe='')}"
    return max(alike, key=lambda one: (one.content == content, one.invoice_id == invoice_id, one.had_the_id)).key
