"""Retention: what is over and old loses what says who it was and what for, in the file's bytes too; what proves that it went stays.

Of a purged record stay its ids, numbers, dates and amounts, its fingerprint, and a seal (`seals.py`) by which the same one is
known when it comes again. `docs/privacy.md` says of each table what goes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from caspen_xero.caspen.records import FINALISED, GONE, CreditNote, Invoice
from caspen_xero.outside_text import plain
from caspen_xero.seals import sealed
from caspen_xero.store import clinic, log, readings
from caspen_xero.store.proofs import DETAILS
from caspen_xero.store.purged import Purged
from caspen_xero.store.seen_invoices import DETAILS_EDITED
from caspen_xero.store.store import Store, utc_text

FingerprintOf = Callable[[Invoice | CreditNote], str]

_CLOSED = f"""
SELECT i.id FROM invoices i WHERE i.purged IS NULL AND i.status <> 'draft' AND i.issue_date < :day
AND COALESCE(i.updated_at, '') < :day
AND NOT EXISTS (SELECT 1 FROM links l WHERE l.kind = 'invoice' AND l.caspen_id = i.id AND NOT (l.done_up_to IS i.touched
    AND ((i.status IN {GONE} AND l.status IN ('VOIDED', 'DELETED')) OR (i.status IN {FINALISED} AND l.status IS 'PAID'))))
AND (i.status IN {GONE} OR i.issue_date < :start OR i.id IN (SELECT invoice_id FROM skips)
    OR EXISTS (SELECT 1 FROM links l WHERE l.kind = 'invoice' AND l.caspen_id = i.id))
AND NOT EXISTS (SELECT 1 FROM problems p WHERE p.invoice_id = i.id)
AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.invoice_id = i.id)
AND NOT EXISTS (SELECT 1 FROM bad_records b, json_each(b.invoices) c WHERE c.value = i.id)
AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.caspen_id = i.id)
AND NOT EXISTS (SELECT 1 FROM journal_documents d JOIN journal j ON j.id = d.journal_id
    WHERE j.state = 'sent' AND d.invoice_id = i.id)
AND NOT EXISTS (SELECT 1 FROM allocations a JOIN payments p ON p.id = a.payment_id
    WHERE a.invoice_id = i.id AND (p.date >= :day OR p.updated_at >= :day))
AND NOT EXISTS (SELECT 1 FROM credit_notes n WHERE n.invoice_id = i.id AND (n.date >= :day OR n.updated_at >= :day))
AND NOT EXISTS (SELECT 1 FROM xero_payments x
    WHERE x.invoice_id = i.id AND (x.delivered_at IS NULL OR COALESCE(x.date, x.found_at) >= :day))
AND NOT EXISTS (SELECT 1 FROM seen_invoices s, json_each(s.discrepancies) d
    WHERE s.invoice_id = i.id AND d.value ->> 'code' <> '{DETAILS_EDITED}')
AND NOT EXISTS (SELECT 1 FROM not_equal n WHERE n.invoice_id = i.id AND n.topic <> '{DETAILS}')
"""

_PURGED_INVOICES = "(SELECT id FROM invoices WHERE purged IS NOT NULL)"
_PEOPLE = """
SELECT c.id FROM {table} c WHERE c.purged IS NULL AND COALESCE(c.updated_at, '') < :day
AND NOT EXISTS (SELECT 1 FROM invoices i WHERE {theirs} = c.id AND i.purged IS NULL)
AND (c.updated_at IS NOT NULL OR EXISTS (SELECT 1 FROM invoices i WHERE {theirs} = c.id))
AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.caspen_id = '{kind}:' || c.id)
AND NOT EXISTS (SELECT 1 FROM journal_documents d JOIN journal j ON j.id = d.journal_id
    WHERE j.state = 'sent' AND d.caspen_id = '{kind}:' || c.id)
AND NOT EXISTS (SELECT 1 FROM links l WHERE l.kind = '{kind}' AND l.caspen_id = c.id AND l.made_by_us
    AND l.done_up_to IS NOT c.touched)
"""
_KINDS = (("clients", "client", "i.client_id"), ("contacts", "payer", "i.record ->> 'invoice_to_id'"))


def purge(
    store: Store, before: datetime, start_date: str | None, fingerprint_of: FingerprintOf, *, dry_run: bool = False
) -> Counter[str]:
    """Purges what is over and older than `before`, in one transaction; gives how many of each kind. `dry_run`: counts only.

    `start_date` (`YYYY-MM-DD`): what is dated before that day and not in Xero is not to go there.
    """
    counts: Counter[str] = Counter()
    store.db.conn.execute("PRAGMA secure_delete = ON")
    with suppress(_OnlyCounted), store.write():
        day = {"day": before.date().isoformat(), "start": start_date or ""}
        counts["invoices"] = _purge_invoices(store, [row["id"] for row in _rows(store, _CLOSED, day)], fingerprint_of)
        counts["credit_notes"] = _purge_notes(store, fingerprint_of)
        counts["payments"] = _purge_payments(store, day)
        for table, kind, theirs in _KINDS:
            found = _rows(store, _PEOPLE.format(table=table, kind=kind, theirs=theirs), day)
            counts[table] = _purge_people(store, table, kind, [row["id"] for row in found])
        counts["xero_contacts"] = _forget_contacts(store)
        counts["writes"] = _purge_journal(store, utc_text(before))
        counts["runs"] = _purge_log(store, utc_text(before))
        _purge_bad_records(store, utc_text(before))
        readings.forget_all(store)
        if dry_run:
            raise _OnlyCounted
    return counts


def wipe(store: Store) -> bool:
    """Leaves nothing that was purged in the file's bytes; False where another program reads it, so that some may be there still."""
    connection = store.db.conn
    connection.execute("VACUUM")
    row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not row[0]


class _OnlyCounted(Exception):
    """Ends the transaction of a dry run."""


def _rows(store: Store, sql: str, values: Mapping[str, str]) -> list[Any]:
    return store.db.conn.execute(sql, values).fetchall()


def _purge_invoices(store: Store, ids: list[str], fingerprint_of: FingerprintOf) -> int:
    for id_, invoice in clinic.invoices(store, ids).items():
        _keep_less(store, "invoices", id_, fingerprint_of(invoice))
        store.run("UPDATE skips SET reason = NULL WHERE invoice_id = ?", id_)
        store.run("UPDATE links SET number = NULL WHERE kind = 'payment' AND NOT made_by_us AND invoice_id = ?", id_)
        store.run("UPDATE xero_payments SET record = json_set(record, '$.reference', NULL) WHERE invoice_id = ?", id_)
        store.run("UPDATE seen_invoices SET discrepancies = '[]' WHERE invoice_id = ?", id_)
        store.run("DELETE FROM not_equal WHERE invoice_id = ?", id_)
        _seal_links(store, "invoice", id_)
    return len(ids)


def _purge_notes(store: Store, fingerprint_of: FingerprintOf) -> int:
    rows = store.rows(f"SELECT id FROM credit_notes WHERE purged IS NULL AND invoice_id IN {_PURGED_INVOICES}")
    for id_, note in clinic.credit_notes(store, [row["id"] for row in rows]).items():
        _keep_less(store, "credit_notes", id_, fingerprint_of(note))
    return len(rows)


def _purge_payments(store: Store, day: Mapping[str, str]) -> int:
    sql = (
        "SELECT p.id FROM payments p WHERE p.purged IS NULL AND p.date < :day AND COALESCE(p.updated_at, '') < :day AND "
        f"NOT EXISTS (SELECT 1 FROM allocations a WHERE a.payment_id = p.id AND a.invoice_id NOT IN {_PURGED_INVOICES})"
    )
    rows = store.db.conn.execute(sql, {"day": day["day"]}).fetchall()
    for row in rows:
        _keep_less(store, "payments", row["id"])
    return len(rows)


def _purge_people(store: Store, table: str, kind: str, ids: list[str]) -> int:
    for id_ in ids:
        _keep_less(store, table, id_)
        store.run(f"UPDATE {table} SET name = NULL WHERE id = ?", id_)
        store.run("UPDATE links SET number = NULL WHERE kind = ? AND caspen_id = ?", kind, id_)
        _seal_links(store, kind, id_)
    return len(ids)


def _keep_less(store: Store, table: str, id_: str, fingerprint: str | None = None) -> None:
    """Takes out of a record all that may say who or what; what it was is sealed."""
    row = store.row(f"SELECT record FROM {table} WHERE id = ?", id_)
    assert row is not None
    kept = Purged(sealed(row["record"]), fingerprint).text()
    less = json.dumps(_less(json.loads(row["record"])))
    store.run(f"UPDATE {table} SET record = ?, purged = ? WHERE id = ?", less, kept, id_)


_PART = {
    "client": (),
    "contact": (),
    "invoice": (
        "number",
        "status",
        "client_id",
        "invoice_to_id",
        "issue_date",
        "due_date",
        "currency",
        "tax_mode",
        "lines",
        "subtotal",
        "tax",
        "total",
        "finalized_at",
    ),
    "payment": ("client_id", "date", "method_id", "amount", "status", "xero_id", "allocations"),
    "credit_note": ("number", "invoice_id", "date", "status", "lines", "subtotal", "tax", "total"),
}
"""What stays of a record, by its kind; of a line all but its text and its item."""


def _less(record: dict[str, Any]) -> dict[str, Any]:
    stays = ("object", "id", *_PART[record["object"]])
    less = {name: value for name, value in record.items() if name in stays}
    if "lines" in less:
        less["lines"] = [
            {name: value for name, value in line.items() if name not in ("description", "item_code")}
            for line in less["lines"]
        ]
    return less


def _seal_links(store: Store, kind: str, id_: str) -> None:
    """Seals the texts of what was last written of an invoice, or all of a contact: an edit there is still seen to be one."""
    for row in store.rows(
        "SELECT tenant_id, last_written FROM links WHERE kind = ? AND caspen_id = ? AND last_written IS NOT NULL",
        kind,
        id_,
    ):
        written = {
            name: sealed(text) if kind != "invoice" or name == "reference" or name.endswith(" description") else text
            for name, text in json.loads(row["last_written"]).items()
        }
        store.run(
            "UPDATE links SET last_written = ? WHERE tenant_id = ? AND kind = ? AND caspen_id = ?",
            json.dumps(written),
            row["tenant_id"],
            kind,
            id_,
        )


def _forget_contacts(store: Store) -> int:
    """Xero's contacts as last read go, but for those of clients and payers that stay; a client without link has all read anew."""
    gone = store.run(
        "DELETE FROM xero_contacts WHERE NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = xero_contacts.tenant_id "
        "AND l.xero_id = xero_contacts.xero_id AND ((l.kind = 'client' AND l.caspen_id IN (SELECT id FROM clients WHERE purged "
        "IS NULL)) OR (l.kind = 'payer' AND l.caspen_id IN (SELECT id FROM contacts WHERE purged IS NULL))))"
    )
    if gone:
        store.run("DELETE FROM settings WHERE key = 'contacts_cursor'")
    return gone


def _purge_journal(store: Store, before: str) -> int:
    """What was sent and answered, of writes whose fate is known: the keys, ids, amounts and fingerprints stay."""
    old = "SELECT id FROM journal WHERE state <> 'sent' AND COALESCE(answered_at, first_sent_at) < ?"
    store.run(
        "UPDATE journal_documents SET message = NULL, warnings = '[]', expected = json_remove(expected, '$.name', '$.shape', "
        f"'$.kept', '$.own', '$.seen', '$.depends_on') WHERE journal_id IN ({old})",
        before,
    )
    return store.run(
        f"UPDATE journal SET body = x'', answer = NULL WHERE (body <> x'' OR answer IS NOT NULL) AND id IN ({old})",
        before,
    )


def _purge_log(store: Store, before: str) -> int:
    """Of an old run stay its numbers, and the code of what stopped it."""
    found = 0
    for row in store.rows("SELECT id, result, error FROM log WHERE started_at < ?", before):
        numbers = json.dumps(log.in_numbers(json.loads(row["result"])))
        error = log.code_alone(row["error"])
        if (numbers, error) != (row["result"], row["error"]):
            store.run("UPDATE log SET result = ?, error = ? WHERE id = ?", numbers, error, row["id"])
            found += 1
    return found


def _purge_bad_records(store: Store, before: str) -> None:
    """What is wrong with an old bad record may quote it: the field stays."""
    for row in store.rows(
        "SELECT kind, id, wrong FROM bad_records WHERE COALESCE(updated_at, day, ?) < ?", before, before
    ):
        wrong = f"{row['wrong'].split(' ')[0]} (what it holds was purged)"
        store.run("UPDATE bad_records SET wrong = ? WHERE kind = ? AND id = ?", wrong, row["kind"], row["id"])


# --- before all of it is deleted


def in_doubt(store: Store) -> list[str]:
    """What was sent to Xero and has no answer, in words."""
    rows = store.rows(
        "SELECT d.operation, d.number, d.caspen_id FROM journal_documents d JOIN journal j ON j.id = d.journal_id "
        "WHERE j.state = 'sent' ORDER BY j.id, d.position"
    )
    return [f"{row['operation'].replace('-', ' ')} {plain(row['number'] or row['caspen_id'])}" for row in rows]


def untold(store: Store) -> int:
    """How many payments that were found in Xero Caspen was not told of."""
    row = store.row("SELECT COUNT(*) AS n FROM xero_payments WHERE delivered_at IS NULL")
    return row["n"] if row else 0


def in_xero(store: Store) -> dict[str, int]:
    """How much of each kind stands in Xero by what is known here, made by us or linked."""
    rows = store.rows(
        "SELECT kind, COUNT(*) AS n FROM links WHERE COALESCE(status, '') NOT IN ('DELETED', 'VOIDED') GROUP BY kind ORDER BY kind"
    )
    words = {"client": "contacts", "payer": "contacts", "credit_note": "credit notes"}
    counts: Counter[str] = Counter()
    for row in rows:
        counts[words.get(row["kind"], f"{row['kind']}s")] += row["n"]
    return dict(counts)
