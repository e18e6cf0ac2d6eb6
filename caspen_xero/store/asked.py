"""The invoices that a person asks for, by words, client, days and state, in an order: found by SQL, so that few are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from caspen_xero.store.bad_records import lone_invoices
from caspen_xero.store.listing import STATE, SYNC_STATUSES, ListedInvoice, SyncStatus, list_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.searching import holds_each, prepared
from caspen_xero.store.store import Store

_PAID_HERE = (
    "COALESCE((SELECT SUM(a.amount) FROM allocations a JOIN payments p ON p.id = a.payment_id "
    "WHERE a.invoice_id = i.id AND p.status = 'allocated'), 0)"
)
ORDERS: Mapping[str, str] = {
    "date": "i.issue_date {0}, i.number {0}, i.id {0}",
    "number": "in_order(i.number) {0}, i.id {0}",
    "client": "folded(c.name) {0}, i.issue_date {0}, i.id {0}",
    "total": "CAST(i.total AS REAL) {0}, i.issue_date, i.id",
    "due": f"COALESCE(CAST(l.amount_due AS REAL), i.total - {_PAID_HERE}) {{0}}, i.issue_date, i.id",
    "status": "i.issue_date, i.number, i.id",
}
"""By what invoices can stand in order; those of one status stand oldest first."""
_AMOUNT = re.compile(r"\d[\d,]*(\.\d+)?")


@dataclass(frozen=True)
class AskedInvoices:
    """Which are asked for; `client`: a part of the name, or the id; `limit`: no more than so many, of those that come first."""

    words: Sequence[str] = ()
    client: str | None = None
    first: date | None = None
    last: date | None = None
    states: Collection[SyncStatus] = ()
    order: str = "date"
    backwards: bool = False
    limit: int | None = None

    @property
    def leaves_some_out(self) -> bool:
        """Whether it is less than all invoices, whatever the limit."""
        return bool(self.words or self.client or self.first or self.last or self.states)


def asked_invoices(
    store: Store,
    mappings: Mappings | None,
    start_date: str | None,
    asked: AskedInvoices,
    overlay: Mapping[str, SyncStatus],
) -> tuple[list[ListedInvoice], int]:
    """Those asked for, in their order, by their records alone, and how many there are whatever the limit.

    `overlay`: the states of invoices that are in another one than the records alone say. Those of which there is only a bad record
    come last.
    """
    ids = [id_ for id_, state in _found(store, mappings, start_date, asked, overlay) if _is_asked(asked, state)]
    ids += _lone(store, mappings, start_date, asked, overlay)
    wanted = ids if asked.limit is None else ids[: asked.limit]
    is_all = asked.limit is None and not asked.leaves_some_out
    place = {id_: number for number, id_ in enumerate(wanted)}
    listed = list_invoices(store, mappings, start_date, None if is_all else wanted)
    rows = [one for one in listed if one.invoice_id in place]
    return sorted(rows, key=lambda one: place[one.invoice_id]), len(ids)


def _is_asked(asked: AskedInvoices, state: SyncStatus) -> bool:
    return not asked.states or state in asked.states


def _found(
    store: Store,
    mappings: Mappings | None,
    start_date: str | None,
    asked: AskedInvoices,
    overlay: Mapping[str, SyncStatus],
) -> list[tuple[str, SyncStatus]]:
    """The ids of those with a good record that fit but for their state, each with its state."""
    where, values = _where(asked)
    asks_state = bool(asked.states) or asked.order == "status"  # which takes a while of very many
    given = [*([start_date or ""] if asks_state else []), mappings.tenant_id if mappings else "", *values]
    state = STATE.replace(":start", "?") if asks_state else "'synced'"
    rows = prepared(store).execute(
        f"SELECT i.id, {state} AS state FROM invoices i LEFT JOIN links l ON l.tenant_id = ? AND l.kind = 'invoice' "
        "AND l.caspen_id = i.id LEFT JOIN clients c ON c.id = i.client_id LEFT JOIN skips s ON s.invoice_id = i.id "
        f"WHERE {where} ORDER BY {ORDERS[asked.order].format('DESC' if asked.backwards else '')}",
        given,
    )
    found: list[tuple[str, SyncStatus]] = [(row["id"], overlay.get(row["id"], row["state"])) for row in rows]
    if asked.order == "status":
        found.sort(key=lambda one: SYNC_STATUSES.index(one[1]), reverse=asked.backwards)
    return found


def _where(asked: AskedInvoices) -> tuple[str, list[str]]:
    parts, values = list[str](), list[str]()
    for word in asked.words:
        payer = "(SELECT name FROM contacts p WHERE p.id = i.record ->> 'invoice_to_id')"
        columns = ("i.number", "c.name", "i.record ->> 'reference'", payer)
        sql, more = holds_each(columns, [word], ("i.id", "l.xero_id"))
        amount = _amount(word)
        parts.append(f"({sql} OR CAST(i.total AS NUMERIC) = CAST(? AS NUMERIC))" if amount else sql)
        values += [*more, *([amount] if amount else [])]
    if asked.client:
        sql, more = holds_each(("c.name",), [asked.client], ("i.client_id",))
        parts.append(sql)
        values += more
    for day, operator in ((asked.first, ">="), (asked.last, "<=")):
        if day is not None:
            parts.append(f"i.issue_date {operator} ?")
            values.append(day.isoformat())
    return " AND ".join(parts) or "1", values


def _amount(word: str) -> str | None:
    """A word as an amount, if it is one: `1,357.95`."""
    if _AMOUNT.fullmatch(word) is None:
        return None
    try:
        return f"{Decimal(word.replace(',', '')):f}"
    except InvalidOperation:
        return None


def _lone(
    store: Store,
    mappings: Mappings | None,
    start_date: str | None,
    asked: AskedInvoices,
    overlay: Mapping[str, SyncStatus],
) -> list[str]:
    """The ids of those of which there is nothing but a bad record, as far as it can be read."""
    ids = [one.bad.id for one in lone_invoices(store, start_date)]
    if not ids:
        return []
    known = {row["id"] for row in store.rows_among("SELECT id FROM invoices WHERE id IN ({})", ids)}
    lone = list_invoices(store, mappings, start_date, [id_ for id_ in ids if id_ not in known])
    return [
        one.invoice_id
        for one in lone
        if _is_asked(asked, overlay.get(one.invoice_id, one.sync_status)) and _fits(asked, one)
    ]


def _fits(asked: AskedInvoices, one: ListedInvoice) -> bool:
    texts = [(one.number or "").casefold(), one.client.casefold()]
    of_client = asked.client is None or asked.client.casefold() in texts[1] or asked.client == one.client_id
    day = one.issue_date
    dated = (asked.first is None or (day is not None and day >= asked.first)) and (
        asked.last is None or (day is not None and day <= asked.last)
    )
    return of_client and dated and all(_has(one, texts, word) for word in asked.words)


def _has(one: ListedInvoice, texts: Sequence[str], word: str) -> bool:
    amount = _amount(word)
    is_total = amount is not None and one.total == Decimal(amount)
    return is_total or word == one.invoice_id or any(word.casefold() in text for text in texts)
