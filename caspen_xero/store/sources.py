"""What was read of Caspen's sources: files as they were, and how far a server was read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from caspen_xero.store.store import Store, utc_text, utc_time


def signature(store: Store, source: str) -> str | None:
    """What a source looked like when it was last read whole without a bad record."""
    row = store.row("SELECT signature FROM source_files WHERE path = ?", source)
    return str(row["signature"]) if row else None


def keep_signature(store: Store, source: str, signature: str) -> None:
    """Keeps what a source looked like."""
    store.run(
        "INSERT INTO source_files (path, signature) VALUES (?, ?) "
        "ON CONFLICT (path) DO UPDATE SET signature = excluded.signature",
        source,
        signature,
    )


def cursors(store: Store, source: str) -> dict[str, datetime]:
    """How far a server was read, by kind of record (UTC)."""
    rows = store.rows("SELECT kind, cursor FROM feed_cursors WHERE source = ?", source)
    return {row["kind"]: moment for row in rows if (moment := utc_time(row["cursor"])) is not None}


def keep_cursors(store: Store, source: str, cursors: Mapping[str, datetime]) -> None:
    """Keeps the cursors of this source and of no other: whoever goes back to an earlier one reads it anew."""
    store.run("DELETE FROM feed_cursors")
    for kind, moment in cursors.items():
        store.run("INSERT INTO feed_cursors (source, kind, cursor) VALUES (?, ?, ?)", source, kind, utc_text(moment))
