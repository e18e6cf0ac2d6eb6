"""Caspen's changes into the store, from files or a URL: only what is new, and only whole."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from caspen_xero.caspen.feed import BadRecord, Feed, FeedError, OnProgress
from caspen_xero.caspen.files import FileFeed
from caspen_xero.caspen.records import Record
from caspen_xero.caspen.sources import is_url, open_feed
from caspen_xero.caspen.standard_input import STANDARD_INPUT, spooled
from caspen_xero.paths import given_path
from caspen_xero.progress import counted
from caspen_xero.store import sources
from caspen_xero.store.imports import LAST_READ, ImportResult, import_records
from caspen_xero.store.purged import read_sources_again
from caspen_xero.store.store import Store

log = logging.getLogger(__name__)


def import_paths(
    store: Store,
    paths: Sequence[str],
    on_progress: OnProgress | None = None,
    standard_input: BinaryIO | None = None,
    columns: str | None = None,
) -> ImportResult:
    """Reads files and folders into the store; `-` is `standard_input`. `columns`: the columns file of the CSV files.

    Raises `FeedError`, or `UserError` for what is no path; then the store is as it was.
    """
    if any(map(is_url, paths)):
        words = "That is the address of a server, and only files are imported."
        raise FeedError("source-is-a-server", words, "caspen-xero settings set --source URL; then: caspen-xero push")
    named = [given_path(path) for path in paths if path != STANDARD_INPUT]
    columns_file = given_path(columns) if columns is not None else None
    if len(named) == len(paths):
        return _import_files(store, named, named, on_progress, columns_file)
    with spooled(standard_input) as spool:
        try:
            result = _import_files(store, [*named, spool], named, on_progress, columns_file)
        except FeedError as error:
            raise FeedError(error.code, _named(error.message, spool), error.fix, error.exit_code) from None
        result.bad = [replace(bad, file=_named(bad.file, spool)) for bad in result.bad]
        return result


def _named(text: str, spool: Path) -> str:
    """Words about what came through standard input, under that name."""
    return text.replace(str(spool), "standard input")


def _import_files(
    store: Store,
    files: Sequence[Path],
    named: Sequence[Path],
    on_progress: OnProgress | None,
    columns: Path | None,
) -> ImportResult:
    feed = FileFeed(files, on_progress, columns)
    log.info("Reading Caspen's records from files.")
    with store.write():
        result = import_records(store, feed.records())
        result.ignored = feed.ignored
        if named and result.read:
            result.read_before = store.setting(LAST_READ)
            store.set_setting(LAST_READ, str(named[-1].absolute()))
    _note(result)
    return result


def import_new(
    store: Store, source: str, on_progress: OnProgress | None = None, *, api_key: str | None = None
) -> ImportResult | None:
    """Reads what is new at the source; None where nothing was written there since it was last read without a bad record.

    A server is asked for what changed since the last reading of that same server; its cursors move with what was read.
    """
    read_sources_again(store)
    feed = open_feed(source, api_key=api_key, cursors=sources.cursors(store, source), on_progress=on_progress)
    try:
        fingerprint = feed.fingerprint
        if fingerprint is not None and sources.signature(store, source) == fingerprint:
            log.info("The source of Caspen's records is as it was when it was last read.")
            return None
        log.info("Reading Caspen's records from %s.", "the server" if is_url(source) else "files")
        # No transaction is open while a server is being asked.
        records: Iterable[Record | BadRecord] = feed.records() if fingerprint is not None else list(feed.records())
        return _import_and_remember(store, source, feed, records, fingerprint)
    finally:
        feed.close()


def _import_and_remember(
    store: Store, source: str, feed: Feed, records: Iterable[Record | BadRecord], fingerprint: str | None
) -> ImportResult:
    with store.write():
        result = import_records(store, records)
        result.ignored = feed.ignored
        if result.read:
            store.set_setting(LAST_READ, source if is_url(source) else str(Path(source).expanduser().absolute()))
        if fingerprint is None:
            cursors = dict(feed.cursors)
            if result.unread_payments:  # read again until it is good: what Caspen has is not known before that
                before = sources.cursors(store, source)
                cursors = {kind: at for kind, at in cursors.items() if kind != "payment"} | {
                    kind: at for kind, at in before.items() if kind == "payment"
                }
            sources.keep_cursors(store, source, cursors)
        elif not result.bad_count:
            sources.keep_signature(store, source, fingerprint)
    _note(result)
    return result


def _note(result: ImportResult) -> None:
    read = result.read + result.bad_count
    new, changed = (sum(counts.values()) for counts in (result.new, result.changed))
    log.info("Read %s: %d new, %d changed, %d bad.", counted(read, "record"), new, changed, result.bad_count)
