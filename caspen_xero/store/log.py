"""Every run in numbers: what it did, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from caspen_xero.store.store import Store, utc_text, utc_time


@dataclass(frozen=True)
class Run:
    """One run that has ended; times ISO 8601 in UTC, `result` as its JSON showed it."""

    started_at: str
    ended_at: str
    exit_code: int
    result: dict[str, Any]


def note(
    store: Store, tenant_id: str, command: str, started_at: datetime, exit_code: int, result: dict[str, Any]
) -> None:
    """Notes the end of a run."""
    store.run(
        "INSERT INTO log (tenant_id, command, started_at, ended_at, exit_code, result) VALUES (?, ?, ?, ?, ?, ?)",
        tenant_id,
        command,
        utc_text(started_at),
        utc_text(datetime.now(UTC)),
        exit_code,
        json.dumps(result, default=str),
    )


def in_numbers(result: Any) -> Any:
    """Of what a run did, only the numbers: neither names nor words."""
    if not isinstance(result, dict):
        return result if isinstance(result, bool | int | float) else None
    told = {name: in_numbers(value) for name, value in result.items() if isinstance(value, bool | int | float | dict)}
    return {name: value for name, value in told.items() if value != {}}


def last(store: Store, command: str) -> Run | None:
    """The last run of a command."""
    row = store.row("SELECT * FROM log WHERE command = ? ORDER BY id DESC LIMIT 1", command)
    return Run(row["started_at"], row["ended_at"], row["exit_code"], json.loads(row["result"])) if row else None


def last_good_push(store: Store) -> datetime | None:
    """When the last push ended that sent what could be sent (UTC)."""
    row = store.row("SELECT ended_at FROM log WHERE command = 'push' AND exit_code IN (0, 3) ORDER BY id DESC LIMIT 1")
    return utc_time(row["ended_at"]) if row else None
