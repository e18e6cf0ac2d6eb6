"""Our credit notes that are not on their invoice as they were: which of them have changed in Xero since they were looked up.

One that is on no invoice may be cut, or voided, and no invoice shows that. So one call asks for all notes that have changed
since the last pull but one, for as long as any such note stands; one that is void or deleted stays so, and is asked for no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from caspen_xero.store import seen_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.seen_invoices import SeenNote
from caspen_xero.store.store import utc_time
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES
from caspen_xero.xero.reading import OVERLAP, changed_credit_notes

NOTES_SINCE = "pull_notes_since"
"""The setting that has the moment, by Xero's clock, before which the last whole pull can have missed no change of a note."""


def changed_notes(client: Callable[[], Client], mappings: Mappings) -> dict[str, set[str]]:
    """By InvoiceID, the CreditNoteIDs of those that have changed."""
    watched = {
        invoice_id: {id_: note for id_, note in notes.items() if not _is_final(note)}
        for invoice_id, notes in seen_invoices.notes_looked_up(mappings)
    }
    changed: defaultdict[str, set[str]] = defaultdict(set)
    if not any(watched.values()):
        return changed
    since = utc_time(mappings.setting(NOTES_SINCE))
    for rows in changed_credit_notes(client(), since - OVERLAP if since else None):
        for id_, changed_at in rows:
            for invoice_id, notes in watched.items():
                # One that does not say which it is, or when it was changed, may be any.
                meant = notes if id_ is None else notes.keys() & {id_}
                changed[invoice_id] |= {
                    one for one in meant if changed_at is None or notes[one].updated_at != changed_at
                }
    return {invoice_id: notes for invoice_id, notes in changed.items() if notes}


def _is_final(note: SeenNote) -> bool:
    """Whether nothing more becomes of it: it is void or deleted, or Xero does not know it."""
    return note.status in GONE_STATUSES or note == SeenNote()
