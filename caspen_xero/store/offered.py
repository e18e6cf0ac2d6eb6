"""Names that stand in a store, for a shell to offer: read at once, from the file alone, without changing or making anything.

It imports nothing of ours: a person who has pressed Tab waits for it. Whatever is wrong with the file, nothing is offered.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

MOST = 200
"""How many names of one kind are offered at the most."""
Names = list[tuple[tuple[str, ...], str]]
"""Of each thing the names by which it can be given, the best first, and what a person reads beside it."""

_OF_THE_ORGANISATION = """SELECT body FROM xero_lists WHERE kind = ? ORDER BY tenant_id =
    (SELECT value FROM settings WHERE key = 'last_tenant') DESC, read_at DESC LIMIT 1"""


def offered(file: Path, kind: str, begin: str) -> Names:
    """The names of one kind that begin so, or all of a kind of which there are few."""
    with (
        suppress(sqlite3.Error, OSError, ValueError, TypeError, KeyError, AttributeError),
        closing(_opened(file)) as store,
    ):
        return list(_KINDS[kind](store, begin))
    return []


def _opened(file: Path) -> sqlite3.Connection:
    """The store, only read. What SQLite keeps beside it is used where another run has it open, and never made."""
    in_use = all(file.with_name(file.name + suffix).exists() for suffix in ("-wal", "-shm"))
    if not file.is_file() or (not in_use and os.path.exists(f"{file}-journal")):
        raise OSError
    address = f"{file.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    return sqlite3.connect(address, uri=True, timeout=0.05)


def _invoices(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The newest invoices whose number begins so, with date and total."""
    rows = store.execute(
        "SELECT number, id, issue_date, total, currency FROM invoices "
        "WHERE substr(COALESCE(number, id), 1, ?1) = ?2 COLLATE NOCASE OR (?1 > 0 AND substr(id, 1, ?1) = ?2) "
        "ORDER BY issue_date DESC, number DESC LIMIT ?3",
        (len(begin), begin, MOST),
    )
    for number, id_, day, total, currency in rows:
        names = (number, id_) if number and number[: len(begin)].lower() == begin.lower() else (id_,)
        yield names, " ".join(word for word in (day, total, currency) if word)


def _unsynced(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The invoices with which something is wrong now, with what that is."""
    rows = store.execute(
        "SELECT COALESCE(i.number, i.id), MIN(p.code) FROM problems p JOIN invoices i ON i.id = p.invoice_id "
        "WHERE substr(COALESCE(i.number, i.id), 1, ?) = ? COLLATE NOCASE GROUP BY i.id ORDER BY i.issue_date DESC LIMIT ?",
        (len(begin), begin, MOST),
    )
    for name, code in rows:
        yield (name,), code


def _parties(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Clients, then payers, as commands name them, with their names."""
    rows = store.execute(
        "SELECT id, name FROM (SELECT id, name, 0 AS place FROM clients UNION ALL "
        "SELECT 'payer:' || id, name, 1 FROM contacts) WHERE substr(id, 1, ?) = ? ORDER BY place, name, id LIMIT ?",
        (len(begin), begin, MOST),
    )
    for id_, name in rows:
        yield (id_,), name or ""


def _rates(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, id_, rate in store.execute(
        "SELECT name, id, rate FROM tax_rates ORDER BY archived, name LIMIT ?", (MOST,)
    ):
        yield (name, id_), f"{rate} %" if rate else ""


def _methods(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, id_, type_ in store.execute("SELECT name, id, type FROM payment_methods ORDER BY name LIMIT ?", (MOST,)):
        yield (name, id_), type_ or ""


def _codes(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The codes of what is wrong with invoices now, with how many have it."""
    rows = store.execute(
        "SELECT code, COUNT(DISTINCT invoice_id) FROM problems GROUP BY code ORDER BY 2 DESC LIMIT ?", (MOST,)
    )
    for code, number in rows:
        yield (code,), f"{number} invoice{'' if number == 1 else 's'}"


def _list_of_xero(store: sqlite3.Connection, kind: str) -> list[dict[str, Any]]:
    row = store.execute(_OF_THE_ORGANISATION, (kind,)).fetchone()
    return [one for one in json.loads(row[0]) if one.get("status", "ACTIVE") == "ACTIVE"] if row else []


def _sales_accounts(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for one in _list_of_xero(store, "Accounts"):
        if one.get("account_class") == "REVENUE":
            yield _account(one)


def _payment_accounts(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for one in _list_of_xero(store, "Accounts"):
        if one.get("type") == "BANK" or one.get("enable_payments_to_account"):
            yield _account(one)


def _account(one: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    names = tuple(str(one[name]) for name in ("code", "name", "account_id") if one.get(name))
    return names, str(one.get("name", "")) if one.get("code") else ""


def _tax_types(store: sqlite3.Connection, begin: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for one in _list_of_xero(store, "TaxRates"):
        if one.get("can_apply_to_revenue", True) and one.get("tax_type"):
            yield (str(one["tax_type"]),), str(one.get("name", ""))


_KINDS = {
    "invoice": _invoices,
    "unsynced": _unsynced,
    "party": _parties,
    "rate": _rates,
    "method": _methods,
    "code": _codes,
    "sales-account": _sales_accounts,
    "payment-account": _payment_accounts,
    "tax-type": _tax_types,
}
