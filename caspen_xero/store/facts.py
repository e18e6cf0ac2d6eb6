"""What a store can tell of itself without saying whose it is: its steps, how many rows of what, codes, the last runs in numbers."""

from __future__ import annotations

import json
import re
from typing import Any

from caspen_xero.store import log
from caspen_xero.store.store import Store

RUNS = 20
SHOWN = frozenset({"invoice_status", "contact", "privacy", "payments"})
"""The settings whose value is one of a few words of ours."""

_COUNTED = {
    "problems": "SELECT code AS name, COUNT(*) AS n FROM problems GROUP BY code",
    "not_equal": "SELECT code AS name, COUNT(*) AS n FROM not_equal GROUP BY code",
    "holds": "SELECT step || ' ' || code AS name, COUNT(*) AS n FROM holds GROUP BY 1",
    "waiting": "SELECT code AS name, COUNT(*) AS n FROM waiting GROUP BY code",
    "writes": "SELECT state AS name, COUNT(*) AS n FROM journal GROUP BY state",
    "http_statuses": "SELECT COALESCE(http_status, 'none') AS name, COUNT(*) AS n FROM journal GROUP BY 1",
    "documents": "SELECT operation || ' ' || state AS name, COUNT(*) AS n FROM journal_documents GROUP BY 1",
    "links": "SELECT kind || ' ' || COALESCE(status, 'none') AS name, COUNT(*) AS n FROM links GROUP BY 1",
    "invoices": "SELECT status AS name, COUNT(*) AS n FROM invoices GROUP BY status",
    "payments": "SELECT status AS name, COUNT(*) AS n FROM payments GROUP BY status",
    "discrepancies": "SELECT d.value ->> 'code' AS name, COUNT(*) AS n FROM seen_invoices s, json_each(s.discrepancies) d "
    "GROUP BY 1",
}


def facts(store: Store) -> dict[str, Any]:
    """All of it, as plain values."""
    tables = [row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {
        "steps": [_word(row["name"]) for row in store.rows("SELECT name FROM _sqlite_migrations ORDER BY id")],
        "rows": {table: _count(store, table) for table in tables if table.isidentifier()},
        **{name: _counted(store, sql) for name, sql in _COUNTED.items()},
        "settings": _settings(store),
        "runs": _runs(store),
    }


def _count(store: Store, table: str) -> int:
    row = store.row(f'SELECT COUNT(*) AS n FROM "{table}"')
    return row["n"] if row else 0


def _counted(store: Store, sql: str) -> dict[str, int]:
    return {_words(str(row["name"])): row["n"] for row in store.rows(sql)}


def _settings(store: Store) -> dict[str, str]:
    """The names of the settings; a value only where it is one of a few words."""
    rows = store.rows("SELECT key, value FROM settings ORDER BY key")
    return {_word(row["key"]): _word(row["value"]) if row["key"] in SHOWN else "set" for row in rows}


def _runs(store: Store) -> list[dict[str, Any]]:
    sql = f"SELECT command, started_at, ended_at, exit_code, result FROM log ORDER BY id DESC LIMIT {RUNS}"
    return [
        {
            "command": _word(row["command"]),
            "started_at": row["started_at"],
            "ended_at": row["ended_at"],
            "exit_code": row["exit_code"],
            "numbers": _without_money(log.in_numbers(json.loads(row["result"]))),
        }
        for row in store.rows(sql)
    ]


def _without_money(numbers: Any) -> Any:
    """Counts and seconds, under our own names; whatever is called otherwise may be somebody's."""
    if not isinstance(numbers, dict):
        return numbers
    return {name: _without_money(value) for name, value in numbers.items() if re.fullmatch(r"[a-z_]{1,40}", name)}


def _word(text: str) -> str:
    """A word of ours; anything else is not said."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,60}", text) else "(not shown)"


def _words(text: str) -> str:
    return " ".join(map(_word_or_number, text.split())) or "none"


def _word_or_number(text: str) -> str:
    return text if text.isdigit() and len(text) == 3 else _word(text)
