"""Caspen's changes into the store, from files or a URL: only what is new, and only whole."""

from __future__ import annotations

from collections.abc import Sequence

from caspen_xero.caspen.feed import Feed, OnProgress, open_feed
from caspen_xero.caspen.files import FileFeed
from caspen_xero.store.imports import ImportResult, import_records
from caspen_xero.store.store import Store


def import_paths(store: Store, paths: Sequence[str], on_progress: OnProgress | None = None) -> ImportResult:
    """Reads files and folders into the store. Raises `FeedError`; then the store is as it was."""
    feed = FileFeed(paths, on_progress)
    with store.write():
        result = import_records(store, feed.records())
        store.set_setting("last_import", paths[-1])
    return result


def import_new(store: Store, source: str, on_progress: OnProgress | None = None) -> ImportResult | None:
    """Reads what is new at the source; None where nothing was written there since it was last read without a bad record."""
    feed = open_feed(source, on_progress=on_progress)
    fingerprint = feed.fingerprint
    known = store.row("SELECT signature FROM source_files WHERE path = ?", source)
    if fingerprint is not None and known and known["signature"] == fingerprint:
        return None
    return _import_and_remember(store, source, feed, fingerprint)


def _import_and_remember(store: Store, source: str, feed: Feed, fingerprint: str | None) -> ImportResult:
    with store.write():
        result = import_records(store, feed.records())
        if fingerprint is not None and not result.bad_count:
            store.run(
                "INSERT INTO source_files (path, signature) VALUES (?, ?) "
                "ON CONFLICT (path) DO UPDATE SET signature = excluded.signature",
                source,
                fingerprint,
            )
    return result
