"""How a word that a person looks for is held against what the store has: anywhere in it, whatever the case of its letters."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from caspen_xero.store.store import Store

_BEGINS_AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f-]{0,27})?")
_DIGITS = re.compile(r"\d+")


def prepared(store: Store) -> sqlite3.Connection:
    """The store's connection, which knows `folded(text)` and `in_order(text)` from now on."""
    connection: sqlite3.Connection = store.db.conn
    connection.create_function("folded", 1, _folded, deterministic=True)
    connection.create_function("in_order", 1, _natural, deterministic=True)
    return connection


def holds_each(columns: Sequence[str], words: Sequence[str], ids: Sequence[str] = ()) -> tuple[str, list[str]]:
    """SQL that each of these words stands in one of the columns, or that it begins an id or names it wholly; and its values."""
    sql, values = [], list[str]()
    for word in words:
        either = [f"instr(folded({column}), ?) > 0" for column in columns]
        values += [word.casefold()] * len(columns)
        for column in ids:
            either.append(f"{column} = ?")
            values.append(word)
            if may_begin_an_id(word):
                either.append(f"{column} LIKE ?")
                values.append(f"{word.lower()}%")
        sql.append(f"({' OR '.join(either)})")
    return " AND ".join(sql) or "1", values


def may_begin_an_id(word: str) -> bool:
    """Whether a word may be the beginning of an id of Xero's, as lists show it. What is all digits is a number of Caspen's."""
    return not word.isdigit() and _BEGINS_AN_ID.fullmatch(word.lower()) is not None


def ids_beginning(store: Store, tenant_id: str, beginning: str) -> list[str]:
    """The ids of Xero's that begin so, as far as the store knows any; none where it can't be the beginning of one."""
    if not may_begin_an_id(beginning):
        return []
    first, values = beginning.lower(), (tenant_id, beginning.lower(), f"{beginning.lower()}~")
    known = ("links", "xero_payments", "xero_contacts")
    found = [
        row["xero_id"]
        for table in known
        for row in store.rows(
            f"SELECT DISTINCT xero_id FROM {table} WHERE tenant_id = ? AND xero_id >= ? AND xero_id < ?", *values
        )
    ]
    return sorted({one for one in found if one.startswith(first)})


def invoices_by_xero_id(store: Store, tenant_id: str, beginning: str) -> list[str]:
    """The invoices of Caspen's that stand in Xero under an id that begins so, or that what has such an id is on."""
    if not may_begin_an_id(beginning):
        return []
    rows = store.rows(
        "SELECT DISTINCT invoice_id FROM links WHERE tenant_id = ? AND xero_id >= ? AND xero_id < ? AND invoice_id IS NOT NULL",
        tenant_id,
        beginning.lower(),
        f"{beginning.lower()}~",
    )
    return [row["invoice_id"] for row in rows]


def _folded(text: object) -> str:
    return "" if text is None else str(text).casefold()


def _natural(text: object) -> str:
    """A text by which `INV-9` stands before `INV-10`."""
    return _DIGITS.sub(lambda found: found[0].zfill(20), _folded(text))
