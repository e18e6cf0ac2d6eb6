"""Bad records of Caspen's, as far as they can be read: kept until a good one comes, so that the invoices they concern say so.

While the newest record of an invoice, payment or credit note is bad, nothing of it is sent, changed or taken back; what an earlier
good record said of it stays in its own table.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from caspen_xero.caspen.feed import BadRecord, RawRecord, check_record
from caspen_xero.caspen.readable import Readable
from caspen_xero.caspen.records import FINALISED, GONE, PAYS, Record
from caspen_xero.commands import handle, is_handle
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.store.store import Store, utc_text


@dataclass(frozen=True)
class KeptBadRecord:
    """A bad record: its kind and id, what is wrong with it, and its place (a file and line) when it was last read."""

    kind: str
    id: str
    wrong: str
    place: str


@dataclass(frozen=True)
class LoneInvoice:
    """A finalised invoice, by all that can be read of its bad record, of which the store has no good one that says so."""

    bad: KeptBadRecord
    number: str | None
    status: str | None
    client_id: str | None
    client: str
    day: date | None
    total: Decimal | None
    currency: str
    is_set_aside: bool


class BadRecords:
    """The bad records of one import, and of those before it. `number`: the import's, by which invoices are touched."""

    def __init__(self, store: Store, number: int) -> None:
        self._store, self._number = store, number
        store.run("DELETE FROM bad_records WHERE NOT has_id AND number IS NULL")  # what is still so comes again
        rows = store.rows("SELECT kind, id, number FROM bad_records")
        self._standing = {(row["kind"], row["id"]) for row in rows}
        self._numbers = {(row["kind"], row["number"]) for row in rows}

    def keep(self, bad: BadRecord) -> None:
        """Keeps what can be read of a bad record, unless a newer good one is known."""
        readable = bad.readable
        if readable is None or _is_outdated(self._store, readable):
            return
        if readable.kind == "invoice" and not readable.has_id:
            readable = _as_known(self._store, readable)
        keep(self._store, readable, _wrong(bad), f"{plain(Path(bad.file))}, {plain(bad.where)}", self._number)
        self._standing.add((readable.kind, readable.id))
        self._numbers.add((readable.kind, readable.number))

    def mended(self, record: Record) -> None:
        """A good record has come: a bad one of its id, or without an id but of its number, is settled unless it is newer."""
        kind, number = record.object, getattr(record, "number", None)
        if (kind, record.id) not in self._standing and (number is None or (kind, number) not in self._numbers):
            return
        updated_at = utc_text(record.updated_at) if record.updated_at else None
        rows = self._store.rows(
            "SELECT * FROM bad_records WHERE kind = ? AND (id = ? OR (number = ? AND NOT has_id)) "
            "AND (? IS NULL OR updated_at IS NULL OR updated_at <= ?)",
            kind,
            record.id,
            number,
            updated_at,
            updated_at,
        )
        for row in rows:
            self._store.run("DELETE FROM bad_records WHERE kind = ? AND id = ?", kind, row["id"])
            self._store.run(
                "DELETE FROM problems WHERE subject = ?", f"{kind}:{row['id']}"
            )  # of it, nothing is bad any more
            _touch(self._store, kind, row["id"], json.loads(row["invoices"]), self._number)


def keep(store: Store, readable: Readable, wrong: str, place: str, number: int) -> None:
    """Keeps a bad record in the place of what was kept of it; the invoices that it concerns are looked at again if that is new."""
    invoices = json.dumps(readable.invoice_ids)
    before = store.row("SELECT * FROM bad_records WHERE kind = ? AND id = ?", readable.kind, readable.id)
    row = {
        "kind": readable.kind,
        "id": readable.id,
        "has_id": int(readable.has_id),
        "number": readable.number,
        "status": readable.status,
        "client_id": readable.client_id,
        "day": readable.day.isoformat() if readable.day else None,
        "total": f"{readable.total:f}" if readable.total is not None else None,
        "currency": readable.currency,
        "invoices": invoices,
        "updated_at": utc_text(readable.updated_at) if readable.updated_at else None,
        "wrong": wrong,
        "place": place,
    }
    if before is not None and dict(before) == row:
        return
    store.run(
        f"INSERT OR REPLACE INTO bad_records ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values()
    )
    concerned = {*readable.invoice_ids, *(json.loads(before["invoices"]) if before else ())}
    _touch(store, readable.kind, readable.id, concerned, number)


def _as_known(store: Store, readable: Readable) -> Readable:
    """A bad record of an invoice without an id is that of the one invoice that has its number."""
    known = store.rows("SELECT id FROM invoices WHERE number = ?", readable.number)
    if len(known) != 1:
        return readable
    return replace(readable, id=known[0]["id"], invoice_ids=(known[0]["id"],))


def _wrong(bad: BadRecord) -> str:
    return plain(f"{bad.field} {bad.reason}", MOST_WORDS)


def _is_outdated(store: Store, readable: Readable) -> bool:
    """Whether a good record of it is known that is newer than the bad one."""
    if readable.updated_at is None:
        return False
    table = {"invoice": "invoices", "payment": "payments", "credit_note": "credit_notes"}[readable.kind]
    known = store.row(f"SELECT updated_at FROM {table} WHERE id = ?", readable.id)
    return known is not None and (known["updated_at"] or "") > utc_text(readable.updated_at)


def _touch(store: Store, kind: str, id_: str, invoice_ids: Iterable[str], number: int) -> None:
    """Has the invoices that a record concerns looked at by the next push: those named, and those that its good record is on."""
    concerned = set(invoice_ids)
    if kind == "payment":
        concerned |= {
            row["invoice_id"] for row in store.rows("SELECT invoice_id FROM allocations WHERE payment_id = ?", id_)
        }
    elif kind == "credit_note":
        concerned |= {row["invoice_id"] for row in store.rows("SELECT invoice_id FROM credit_notes WHERE id = ?", id_)}
    for invoice_id in concerned:
        store.run("UPDATE invoices SET touched = ? WHERE id = ?", number, invoice_id)


def bad_records_on(store: Store, invoice_ids: Iterable[str] | None = None) -> dict[str, list[KeptBadRecord]]:
    """The bad records that concern invoices (None: all), by invoice id: their own, and those of payments and credit notes."""
    wanted = None if invoice_ids is None else set(invoice_ids)
    found: defaultdict[str, list[KeptBadRecord]] = defaultdict(list)
    for row in store.rows("SELECT * FROM bad_records ORDER BY kind, id"):
        concerned = set(json.loads(row["invoices"]))
        if row["kind"] == "payment":
            sql = "SELECT invoice_id FROM allocations WHERE payment_id = ?"
            concerned |= {one["invoice_id"] for one in store.rows(sql, row["id"])}
        elif row["kind"] == "credit_note":
            sql = "SELECT invoice_id FROM credit_notes WHERE id = ?"
            concerned |= {one["invoice_id"] for one in store.rows(sql, row["id"])}
        for invoice_id in concerned if wanted is None else concerned & wanted:
            found[invoice_id].append(_kept(row))
    return found


def lone_ids(store: Store, name: str) -> list[str]:
    """The ids of the invoices of which there is only a bad record that a person may mean: by id, by number, or by handle."""
    rows = store.rows(
        "SELECT id, number FROM bad_records WHERE kind = 'invoice' AND id NOT IN (SELECT id FROM invoices)"
    )
    by_id = [row["id"] for row in rows if row["id"] == name]
    by_number = [row["id"] for row in rows if (row["number"] or "").casefold() == name.casefold()]
    return by_id or by_number or [row["id"] for row in rows if is_handle(name) and handle(row["id"]) == name]


def lone_invoices(store: Store, start_date: str | None = None) -> list[LoneInvoice]:
    """The invoices that stand nowhere but in a bad record, and may be finalised by it, oldest first.

    `start_date` (`YYYY-MM-DD`): what is dated before that day is set aside, as is what a person has set aside.
    """
    rows = store.rows(
        "SELECT b.*, c.name AS client, s.invoice_id IS NOT NULL OR COALESCE(b.day, ?1) < ?1 AS is_set_aside "
        "FROM bad_records b LEFT JOIN clients c ON c.id = b.client_id LEFT JOIN skips s ON s.invoice_id = b.id "
        f"LEFT JOIN invoices i ON i.id = b.id WHERE b.kind = 'invoice' AND COALESCE(b.status, '') NOT IN {('draft', *GONE)} "
        f"AND (i.id IS NULL OR (i.status NOT IN {FINALISED} AND NOT EXISTS (SELECT 1 FROM links l WHERE l.kind = 'invoice' "
        "AND l.caspen_id = i.id))) ORDER BY b.day, b.number, b.id",
        start_date or "",
    )
    return [
        LoneInvoice(
            _kept(row),
            row["number"],
            row["status"],
            row["client_id"],
            row["client"] or "",
            date.fromisoformat(row["day"]) if row["day"] else None,
            Decimal(row["total"]) if row["total"] is not None else None,
            row["currency"] or "",
            bool(row["is_set_aside"]),
        )
        for row in rows
    ]


def _kept(row: Any) -> KeptBadRecord:
    return KeptBadRecord(row["kind"], row["id"], row["wrong"], row["place"])


def count(store: Store) -> int:
    """How many bad records of invoices, payments and credit notes stand."""
    row = store.row("SELECT COUNT(*) AS n FROM bad_records")
    return int(row["n"]) if row else 0


@dataclass(frozen=True)
class WithoutInvoice:
    """A payment's part or a credit note (`kind`, `id`) on an invoice that Caspen's data does not have (yet)."""

    kind: str
    id: str
    invoice_id: str


def without_invoice(store: Store) -> list[WithoutInvoice]:
    """What pays or credits an invoice that was never imported: an export may come in parts, so it waits for the rest."""
    rows = store.rows(
        "SELECT w.* FROM (SELECT 'payment' AS kind, p.id, a.invoice_id FROM allocations a JOIN payments p ON p.id = a.payment_id "
        f"WHERE p.status = '{PAYS}' UNION ALL SELECT 'credit_note', id, invoice_id FROM credit_notes WHERE status = 'issued') w "
        "WHERE NOT EXISTS (SELECT 1 FROM invoices i WHERE i.id = w.invoice_id) AND NOT EXISTS (SELECT 1 FROM bad_records b "
        "WHERE b.kind = 'invoice' AND b.id = w.invoice_id) ORDER BY w.kind, w.id, w.invoice_id"
    )
    return [WithoutInvoice(row["kind"], row["id"], row["invoice_id"]) for row in rows]


def judge_what_is_stored(store: Store) -> None:
    """Holds the records of earlier imports against the rules of this version: those that break one are bad records from now on."""
    number = int(store.setting("imports") or "0") + 1
    store.set_setting("imports", str(number))
    for table in ("payments", "credit_notes"):
        for row in store.rows(f"SELECT record, updated_at FROM {table} WHERE purged IS NULL"):
            data: dict[str, Any] = json.loads(row["record"], parse_float=Decimal)
            data |= {"updated_at": row["updated_at"]} if row["updated_at"] else {}
            bad = check_record(RawRecord("an earlier import", data), "the store", {})
            if isinstance(bad, BadRecord) and bad.readable is not None:
                keep(store, bad.readable, _wrong(bad), "read by an earlier import", number)
