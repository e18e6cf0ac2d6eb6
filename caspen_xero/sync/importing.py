"""Caspen's changes into the store, from files or a URL: only what is new, and only whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from caspen_xero.caspen.feed import BadRecord, Feed, OnProgress, open_feed
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.records import Record
from caspen_xero.store.imports import ImportResult, import_records
from caspen_xero.store.store import Store, utc_text, utc_time


def import_paths(store: Store, paths: Sequence[str], on_progress: OnProgress | None = None) -> ImportResult:
    """Reads files and folders into the store. Raises `FeedError`; then the store is as it was."""
    feed = FileFeed(paths, on_progress)
    with store.write():
        result = import_records(store, feed.records())
        store.set_setting("last_import", str(Path(paths[-1]).expanduser().absolute()))
    result.ignored = feed.ignored
    return result


def import_new(
    store: Store, source: str, on_progress: OnProgress | None = None, *, api_key: str | None = None
) -> ImportResult | None:
    """Reads what is new at the source; None where nothing was written there since it was last read without a bad record.

    A server is asked for what changed since the last reading of that same server; its cursors move with what was read.
    """
    feed = open_feed(source, api_key=api_key, cursors=_cursors(store, source), on_progress=on_progress)
    try:
        fingerprint = feed.fingerprint
        known = store.row("SELECT signature FROM source_files WHERE path = ?", source)
        if fingerprint is not None and known and known["signature"] == fingerprint:
            return None
        # No transaction is open while a server is being asked.
        records: Iterable[Record | BadRecord] = feed.records() if fingerprint is not None else list(feed.records())
        return _import_and_remember(store, source, feed, records, fingerprint)
    finally:
        close = getattr(feed, "close", None)
        if close is not None:
            close()


def _import_and_remember(
    store: Store, source: str, feed: Feed, records: Iterable[Record | BadRecord], fingerprint: str | None
) -> ImportResult:
    with store.write():
        result = import_records(store, records)
        result.ignored = feed.ignored
        if fingerprint is None:
            _keep_cursors(store, source, feed.cursors)
        elif not result.bad_count:
            store.run(
                "INSERT INTO source_files (path, signature) VALUES (?, ?) "
                "ON CONFLICT (path) DO UPDATE SET signature = excluded.signature",
                source,
                fingerprint,
            )
    return result


def _cursors(store: Store, source: str) -> dict[str, datetime]:
    rows = store.rows("SELECT kind, cursor FROM feed_cursors WHERE source = ?", source)
    return {row["kind"]: moment for row in rows if (moment := utc_time(row["cursor"])) is not None}


def _keep_cursors(store: Store, source: str, cursors: Mapping[str, datetime]) -> None:
    """The cursors of this source and of no other: whoever goes back to an earlier one reads it anew."""
    store.run("DELETE FROM feed_cursors")
    for kind, moment in cursors.items():
        store.run("INSERT INTO feed_cursors (source, kind, cursor) VALUES (?, ?, ?)", source, kind, utc_text(moment))
