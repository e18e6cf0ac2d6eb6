"""Caspen's source, read before anything is pulled or pushed; and what an import brought, for people and for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.progress import BYTES
from caspen_xero.cli.session import Session
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.caspen.feed import BadRecord
    from caspen_xero.store.bad_records import WithoutInvoice
    from caspen_xero.store.imports import ImportResult

SHOWN_BAD_RECORDS = 20
SHOWN_WITHOUT_INVOICE = 1000

NOT_IMPORTED = "Nothing of what was being read was taken in: the same command reads it again from its beginning."
"""Where an import is broken off."""


def read_source(session: Session, undone: str) -> ImportResult:
    """Reads what is new at the source, if one is set, and tells it; gives what was read.

    Raises `FeedError` where it can't be read; the message ends with `undone`: what was not done for that reason.
    """
    from caspen_xero.caspen.feed import FeedError
    from caspen_xero.store.imports import ImportResult

    try:
        result = import_source(session)
    except FeedError as error:
        raise FeedError(error.code, f"{error.message.rstrip('.')}. {undone}", error.fix, error.exit_code) from error
    if result is None:
        return ImportResult()
    if (result.read or result.bad_count) and not session.output.json:
        tell_import(session, result)
    else:
        _tell_bad_records(session, result)
    return result


def import_source(session: Session, source: str | None = None) -> ImportResult | None:
    """Reads what is new at the source into the store; None where no source is set, or nothing was written there since.

    `source`: one that is not set yet.
    """
    from caspen_xero.caspen.sources import is_url
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.sync.importing import import_new

    source = source or session.settings.source
    if not source:
        return None
    unit = "records" if is_url(source) else BYTES
    with session.kept(lambda: NOT_IMPORTED), session.output.progress("Importing", unit=unit) as progress:
        return import_new(session.store, source, progress, api_key=caspen_key(session, source))


def import_summary(result: ImportResult) -> dict[str, Any]:
    """An import in numbers, as JSON shows it."""
    return {
        "read": result.read,
        "new": sum(result.new.values()),
        "changed": sum(result.changed.values()),
        "unchanged": sum(result.unchanged.values()),
        "older": sum(result.older.values()),
        "bad": result.bad_count,
        "ignored": dict(result.ignored),
        "bad_records": [bad.as_json() for bad in result.bad],
        "without_invoice": [vars(one) for one in result.without_invoice[:SHOWN_WITHOUT_INVOICE]],
    }


def tell_import(session: Session, result: ImportResult) -> None:
    """An import in a line for people, with the records that could not be taken."""
    parts = [
        f"{sum(counts.values())} {word}"
        for word, counts in (("new", result.new), ("changed", result.changed), ("unchanged", result.unchanged))
        if counts
    ]
    if result.older:
        parts.append(f"{sum(result.older.values())} older than what is known")
    if result.ignored:
        kinds = ", ".join(f"{number} {plain(kind)}" for kind, number in sorted(result.ignored.items()))
        parts.append(f"passed over {kinds}")
    session.output.say(
        f"Imported {result.read} {'record' if result.read == 1 else 'records'}"
        + (f": {', '.join(parts)}." if parts else ".")
    )
    _tell_without_invoice(session, result)
    _tell_bad_records(session, result)


def _tell_without_invoice(session: Session, result: ImportResult) -> None:
    """An export may come in parts, so this is no fault; but what never gets its invoice would be in Xero never."""
    from caspen_xero.sync.planning.ways_out import read_caspen

    waiting = result.without_invoice
    if not waiting:
        return
    session.output.note(
        f"Not sent while their invoice is missing in what was imported: {some_without_invoice(waiting)}. Export those invoices "
        f"too, then: {read_caspen(session.settings.source)}"
    )


def some_without_invoice(waiting: Sequence[WithoutInvoice]) -> str:
    """The first few of what pays or credits invoices that were never imported, in words."""
    shown = ", ".join(f"{one.kind.replace('_', ' ')} {plain(one.id)} on {plain(one.invoice_id)}" for one in waiting[:5])
    return shown + (f" and {len(waiting) - 5} more" if len(waiting) > 5 else "")


def _tell_bad_records(session: Session, result: ImportResult) -> None:
    if session.output.held is not None:
        _note_bad_records(session, result)
        return
    for bad in result.bad[:SHOWN_BAD_RECORDS]:
        session.output.warn(_of_bad_record(bad))
    if result.bad_count > SHOWN_BAD_RECORDS:
        more = result.bad_count - SHOWN_BAD_RECORDS
        session.output.warn(f"... and {more} more bad {'record' if more == 1 else 'records'}.")
    if result.bad_count:
        is_one = result.bad_count == 1
        left_out = "1 bad record was" if is_one else f"{result.bad_count} bad records were"
        session.output.warn(f"{left_out} left out; correct {'it' if is_one else 'them'} in Caspen and import again.")


def _note_bad_records(session: Session, result: ImportResult) -> None:
    """Those that no invoice tells of itself, each known again wherever it stands in the next export."""
    alone = [bad for bad in result.bad if bad.readable is None or not bad.readable.invoice_ids]
    alike: Counter[str] = Counter()
    for bad in alone[:SHOWN_BAD_RECORDS]:
        key = f"bad record: {bad.kind} {bad.id} {bad.field} {bad.reason}"
        alike[key] += 1
        session.output.warn(
            f"{_of_bad_record(bad)}; it was left out.", "Correct it in Caspen.", key=f"{key} {alike[key]}"
        )


def _of_bad_record(bad: BadRecord) -> str:
    what = " ".join(plain(part) for part in (bad.kind, bad.id) if part)
    wrong = f"{plain(bad.field)} {bad.reason}".strip()
    return f"{plain(bad.file)}, {bad.where}: {what + ': ' if what else ''}{wrong}"
