"""The journal's rows: each HTTP write before it is sent, and each of its documents until it is done or refused."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text, utc_time

EntryState = Literal["sent", "answered", "looked-up", "not-sent"]
DocumentState = Literal["open", "done", "refused", "missing"]


@dataclass(frozen=True)
class EntryDocument:
    """One document of a write: its operation, its record, and what the answer is held against.

    `message`: what was said of it; of an open one, why Xero's answer about it can't be read.
    """

    position: int
    operation: str
    caspen_id: str
    invoice_id: str | None
    number: str | None
    expected: Mapping[str, Any]
    state: DocumentState = "open"
    message: str | None = None


@dataclass(frozen=True)
class Entry:
    """One HTTP write: the exact bytes, the key that Xero knows it by, and when it was first sent (UTC).

    `first_sent_at` is by this machine's clock; `first_sent_at_xero` by Xero's, at the earliest, None where that is not known.
    """

    id: int
    method: str
    path: str
    params: Mapping[str, str]
    body: bytes
    idempotency_key: str
    first_sent_at: datetime
    first_sent_at_xero: datetime | None
    documents: Sequence[EntryDocument]


def write_entry(
    mappings: Mappings,
    method: str,
    path: str,
    params: Mapping[str, str],
    body: bytes,
    documents: Sequence[EntryDocument],
    now: datetime,
    xero_now: datetime | None = None,
) -> Entry:
    """Journals a write that is about to be sent; committed before this returns.

    Its idempotency key is random and its own, used for every try of it: no other store's write, though the bytes be the same,
    can be answered in its place.
    """
    key = secrets.token_hex(16)
    with mappings.store.write():
        mappings.store.run(
            "INSERT INTO journal (tenant_id, method, path, params, body, idempotency_key, state, first_sent_at, "
            "first_sent_at_xero) VALUES (?, ?, ?, ?, ?, ?, 'sent', ?, ?)",
            mappings.tenant_id,
            method,
            path,
            json.dumps(dict(params)),
            body,
            key,
            utc_text(now),
            utc_text(xero_now) if xero_now else None,
        )
        last = mappings.store.row("SELECT last_insert_rowid() AS id")
        assert last is not None
        for document in documents:
            mappings.store.run(
                "INSERT INTO journal_documents (journal_id, position, operation, caspen_id, invoice_id, number, expected, state) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 'open')",
                last["id"],
                document.position,
                document.operation,
                document.caspen_id,
                document.invoice_id,
                document.number,
                json.dumps(dict(document.expected), default=str),
            )
    return Entry(last["id"], method, path, params, body, key, now, xero_now, tuple(documents))


def sent_first(mappings: Mappings, entry: Entry, now: datetime, xero_now: datetime | None) -> Entry:
    """Notes when the first request that may have arrived went out; committed before this returns."""
    mappings.store.run(
        "UPDATE journal SET first_sent_at = ?, first_sent_at_xero = ? WHERE id = ?",
        utc_text(now),
        utc_text(xero_now) if xero_now else None,
        entry.id,
    )
    return replace(entry, first_sent_at=now, first_sent_at_xero=xero_now)


def open_entries(mappings: Mappings) -> list[Entry]:
    """Writes whose answer is not known, oldest first: what a crash or a lost answer left behind."""
    rows = mappings.store.rows(
        "SELECT * FROM journal WHERE tenant_id = ? AND state = 'sent' ORDER BY id", mappings.tenant_id
    )
    return [_entry(mappings, row) for row in rows]


def answered_entries(mappings: Mappings, operations: Sequence[str]) -> Iterator[Entry]:
    """Writes of these kinds that were answered, or looked up since, oldest first; one at a time, as there may be very many."""
    kinds = ", ".join("?" * len(operations))
    rows = mappings.store.db.conn.execute(
        "SELECT id FROM journal j WHERE tenant_id = ? AND state NOT IN ('sent', 'not-sent') AND EXISTS (SELECT 1 FROM "
        f"journal_documents d WHERE d.journal_id = j.id AND d.position = 0 AND d.operation IN ({kinds})) ORDER BY id",
        (mappings.tenant_id, *operations),
    ).fetchall()
    for row in rows:
        yield _entry(mappings, mappings.store.rows("SELECT * FROM journal WHERE id = ?", row["id"])[0])


def _entry(mappings: Mappings, row: sqlite3.Row) -> Entry:
    return Entry(
        id=row["id"],
        method=row["method"],
        path=row["path"],
        params=json.loads(row["params"]),
        body=bytes(row["body"]),
        idempotency_key=row["idempotency_key"],
        first_sent_at=utc_time(row["first_sent_at"]) or datetime.min.replace(tzinfo=UTC),
        first_sent_at_xero=utc_time(row["first_sent_at_xero"]),
        documents=_documents(mappings, row["id"]),
    )


def _documents(mappings: Mappings, entry_id: int) -> list[EntryDocument]:
    rows = mappings.store.rows("SELECT * FROM journal_documents WHERE journal_id = ? ORDER BY position", entry_id)
    return [
        EntryDocument(
            position=row["position"],
            operation=row["operation"],
            caspen_id=row["caspen_id"],
            invoice_id=row["invoice_id"],
            number=row["number"],
            expected=json.loads(row["expected"]),
            state=row["state"],
            message=row["message"],
        )
        for row in rows
    ]


def end_entry(
    mappings: Mappings,
    entry: Entry,
    state: EntryState,
    now: datetime,
    http_status: int | None = None,
    answer: str | None = None,
) -> None:
    """Notes how a write ended."""
    mappings.store.run(
        "UPDATE journal SET state = ?, answered_at = ?, http_status = ?, answer = ? WHERE id = ?",
        state,
        utc_text(now),
        http_status,
        answer,
        entry.id,
    )


def end_document(
    mappings: Mappings,
    entry: Entry,
    position: int,
    state: DocumentState,
    xero_id: str | None,
    message: str | None,
    warnings: Sequence[str] = (),
) -> None:
    """Notes how one document of a write ended, and Xero's warnings about it."""
    mappings.store.run(
        "UPDATE journal_documents SET state = ?, xero_id = ?, message = ?, warnings = ? WHERE journal_id = ? AND position = ?",
        state,
        xero_id,
        message,
        json.dumps(list(warnings), ensure_ascii=False),
        entry.id,
        position,
    )


def leave_open(mappings: Mappings, entry: Entry, position: int, why: str) -> None:
    """Notes why one document of a write is open though Xero has answered: what it says of it can't be read."""
    mappings.store.run(
        "UPDATE journal_documents SET message = ? WHERE journal_id = ? AND position = ?", why, entry.id, position
    )


def unsettled(mappings: Mappings) -> dict[tuple[str, str], str]:
    """The documents that are left open so, by operation and record, and why."""
    rows = mappings.store.rows(
        "SELECT d.operation, d.caspen_id, d.message FROM journal j JOIN journal_documents d ON d.journal_id = j.id "
        "WHERE j.tenant_id = ? AND j.state = 'sent' AND d.state = 'open' AND d.message IS NOT NULL",
        mappings.tenant_id,
    )
    return {(row["operation"], row["caspen_id"]): row["message"] for row in rows}


def sent_from_here(mappings: Mappings, operation: str, caspen_ids: Iterable[str]) -> set[str]:
    """Which of these records this store has sent, or may have: what never left it or was refused is not there by our doing."""
    sql = (
        "SELECT DISTINCT d.caspen_id FROM journal_documents d JOIN journal j ON j.id = d.journal_id WHERE j.tenant_id = ? "
        "AND d.operation = ? AND j.state <> 'not-sent' AND d.state <> 'refused' AND d.caspen_id IN ({})"
    )
    return {row["caspen_id"] for row in mappings.store.rows_among(sql, caspen_ids, mappings.tenant_id, operation)}


def contacts_made(mappings: Mappings, keys: Iterable[str]) -> set[tuple[str, str]]:
    """Which contacts in Xero this store has made for these parties (`client:ID` or `payer:ID`): key and ContactID."""
    sql = (
        "SELECT d.caspen_id, d.xero_id FROM journal_documents d JOIN journal j ON j.id = d.journal_id WHERE j.tenant_id = ? "
        "AND d.operation = 'create-contact' AND d.state = 'done' AND d.caspen_id IN ({})"
    )
    return {(row["caspen_id"], row["xero_id"]) for row in mappings.store.rows_among(sql, keys, mappings.tenant_id)}


def payments_asked_to_delete(mappings: Mappings, keys: Iterable[str]) -> set[str]:
    """The Xero ids of payments that we have ever asked Xero to delete, of those that stood for these allocations of Caspen's."""
    sql = (
        "SELECT d.expected ->> 'target' AS xero_id FROM journal_documents d JOIN journal j ON j.id = d.journal_id "
        "WHERE d.operation = 'delete-payment' AND j.tenant_id = ? AND j.state <> 'not-sent' AND d.state <> 'refused' "
        "AND d.caspen_id IN ({})"
    )
    return {row["xero_id"] for row in mappings.store.rows_among(sql, keys, mappings.tenant_id) if row["xero_id"]}


def invoices_under_way(mappings: Mappings) -> set[str]:
    """The invoices of which something may have been sent, and nobody knows whether it is in Xero."""
    rows = mappings.store.rows(
        "SELECT DISTINCT d.invoice_id FROM journal j JOIN journal_documents d ON d.journal_id = j.id "
        "WHERE j.tenant_id = ? AND j.state = 'sent' AND d.state = 'open' AND d.invoice_id IS NOT NULL",
        mappings.tenant_id,
    )
    return {row["invoice_id"] for row in rows}


def deleted_from_here(mappings: Mappings, xero_ids: Iterable[str]) -> set[str]:
    """Those of these payments in Xero that we have deleted there."""
    sql = (
        "SELECT DISTINCT d.expected ->> 'target' AS xero_id FROM journal_documents d JOIN journal j ON j.id = d.journal_id "
        "WHERE d.operation = 'delete-payment' AND d.state = 'done' AND j.tenant_id = ? AND d.expected ->> 'target' IN ({})"
    )
    return {row["xero_id"] for row in mappings.store.rows_among(sql, xero_ids, mappings.tenant_id)}


def has_open_entries(mappings: Mappings) -> bool:
    """Whether an earlier run left a write whose answer is unknown."""
    sql = "SELECT 1 FROM journal WHERE tenant_id = ? AND state = 'sent' LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id) is not None
