"""What was sent to Xero, and what became of it, for whoever looks: a row for each document, found by SQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.searching import holds_each, prepared

Answer = Literal["done", "refused", "missing", "open", "unknown"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
"""What became of a document; `unknown`: no answer has come."""
ORDERS: Mapping[str, str] = {
    "sent": "j.id {}, d.position {}",
    "number": "in_order(d.number) {}, j.id {}",
    "what": "d.operation {}, j.id {}",
    "client": "folded(c.name) {}, j.id {}",
}
"""By what rows can stand in order."""
_ANSWER = "CASE j.state WHEN 'sent' THEN 'unknown' ELSE d.state END"
_COLUMNS = (
    "j.id, j.first_sent_at, j.answered_at, j.method, j.path, j.http_status, j.state AS write_state, d.operation, "
    "d.caspen_id, d.invoice_id, i.number AS invoice, d.number, d.state, d.xero_id, d.message, d.warnings"
)
_FROM = (
    "FROM journal j JOIN journal_documents d ON d.journal_id = j.id LEFT JOIN invoices i ON i.id = d.invoice_id "
    "LEFT JOIN clients c ON c.id = i.client_id"
)


@dataclass(frozen=True)
class AskedWrites:
    """Which writes are asked for. `since` and `before`: when they were sent, as the store keeps times; `order`: one of `ORDERS`."""

    words: Sequence[str] = ()
    client: str | None = None
    invoice_ids: Sequence[str] | None = None
    since: str | None = None
    before: str | None = None
    answers: Sequence[str] = ()
    only_warned: bool = False
    order: str = "sent"
    backwards: bool = True
    limit: int | None = None


def writes(mappings: Mappings, asked: AskedWrites) -> list[dict[str, Any]]:
    """What was sent, newest first unless asked otherwise, one row for each document."""
    where, values = _where(mappings, asked)
    order = ORDERS[asked.order].replace("{}", "DESC" if asked.backwards else "")
    if asked.order == "sent" and asked.backwards:
        order = "j.id DESC, d.position"  # the documents of one write as they were sent
    limit = "" if asked.limit is None else f" LIMIT {asked.limit}"
    connection = prepared(mappings.store)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, c.name AS client {_FROM} WHERE {where} ORDER BY {order}{limit}", values
    )
    return [{**row, "warnings": json.loads(row["warnings"])} for row in rows.fetchall()]


def count_writes(mappings: Mappings, asked: AskedWrites) -> int:
    """How many there are, whatever the limit."""
    where, values = _where(mappings, asked)
    row = prepared(mappings.store).execute(f"SELECT COUNT(*) AS n {_FROM} WHERE {where}", values).fetchone()
    return int(row["n"])


def documents_sent(mappings: Mappings, invoice_id: str) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """What was sent of one invoice, oldest first: each row as `writes` gives it, and the document as it left; None where it was
    purged."""
    asked = AskedWrites(invoice_ids=[invoice_id], backwards=False)
    where, values = _where(mappings, asked)
    rows = prepared(mappings.store).execute(
        f"SELECT {_COLUMNS}, c.name AS client, d.position, j.body {_FROM} WHERE {where} ORDER BY j.id, d.position",
        values,
    )
    return [(_without_body(row), _document(row)) for row in rows.fetchall()]


def _where(mappings: Mappings, asked: AskedWrites) -> tuple[str, list[Any]]:
    parts, values = ["j.tenant_id = ?"], list[Any]([mappings.tenant_id])
    if asked.invoice_ids is not None:
        parts.append(f"d.invoice_id IN ({', '.join('?' * len(asked.invoice_ids))})")
        values += asked.invoice_ids
    if asked.since is not None:
        parts.append("j.first_sent_at >= ?")
        values.append(asked.since)
    if asked.before is not None:
        parts.append("j.first_sent_at < ?")
        values.append(asked.before)
    if asked.answers:
        parts.append(f"{_ANSWER} IN ({', '.join('?' * len(asked.answers))})")
        values += asked.answers
    if asked.only_warned:
        parts.append("d.warnings <> '[]'")
    searched = (
        (asked.words, ("d.number", "replace(d.operation, '-', ' ')", "d.message", "d.warnings", "i.number", "c.name")),
        (
            [asked.client] if asked.client else [],
            ("c.name", "CASE WHEN d.operation LIKE '%-contact' THEN d.number END"),
        ),
    )
    for words, columns in searched:
        if words:
            is_client = columns[0] == "c.name"
            ids = ("c.id",) if is_client else ("d.xero_id", "d.invoice_id", "d.caspen_id")
            sql, more = holds_each(columns, list(words), ids)
            parts.append(sql)
            values += more
    return " AND ".join(parts), values


def _without_body(row: sqlite3.Row) -> dict[str, Any]:
    told = {name: row[name] for name in row.keys() if name not in ("body", "position")}  # noqa: SIM118 - a Row is no dict
    return {**told, "warnings": json.loads(row["warnings"])}


def _document(row: sqlite3.Row) -> dict[str, Any] | None:
    """A document out of the body that it travelled in, perhaps with others."""
    if not row["body"]:
        return None
    whole = json.loads(bytes(row["body"]), parse_float=Decimal)
    if not isinstance(whole, dict):
        return None
    lists = [value for value in whole.values() if isinstance(value, list)]
    if len(whole) == 1 and lists:
        (documents,) = lists
        return dict(documents[row["position"]]) if row["position"] < len(documents) else None
    return whole
