"""Records that were purged: what is kept beside what is left of them, and when they are wanted whole again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from caspen_xero.seals import is_of
from caspen_xero.store.store import Store

PURGEABLE = ("clients", "contacts", "invoices", "payments", "credit_notes")
"""The tables of Caspen's records that can lose their details."""


@dataclass(frozen=True)
class Purged:
    """What is kept of a record that was purged, beside what is left of it: its seal, and the fingerprint of what goes to Xero."""

    seal: str
    fingerprint: str | None = None

    @classmethod
    def of(cls, kept: str | None) -> Purged | None:
        """As its row has it; None where it was not purged."""
        return cls(**json.loads(kept)) if kept else None

    def text(self) -> str:
        """As its row is to have it."""
        return json.dumps(asdict(self))

    def is_of(self, record: str) -> bool:
        """Whether it was this very record."""
        return is_of(self.seal, record)


_WAITS = "EXISTS (SELECT 1 FROM problems p WHERE p.invoice_id = i.id AND p.code = 'details-purged')"
_WANTED = {
    "clients": f"SELECT 1 FROM invoices i WHERE i.client_id = ? AND (i.purged IS NULL OR {_WAITS}) LIMIT 1",
    "contacts": f"SELECT 1 FROM invoices i WHERE i.record ->> 'invoice_to_id' = ? AND (i.purged IS NULL OR {_WAITS}) LIMIT 1",
    "invoices": f"SELECT 1 FROM invoices i WHERE i.id = ? AND {_WAITS}",
    "credit_notes": f"SELECT 1 FROM credit_notes n JOIN invoices i ON i.id = n.invoice_id WHERE n.id = ? AND {_WAITS}",
}


def is_wanted_again(store: Store, table: str, id_: str) -> bool:
    """Whether a record that was purged and has come again is needed: of a new invoice, or of one that waits for it."""
    return table in _WANTED and store.row(_WANTED[table], id_) is not None


def read_sources_again(store: Store) -> None:
    """Where an invoice waits for what was purged: Caspen's source is read from its beginning, though nothing is new there."""
    if store.row("SELECT 1 FROM problems WHERE code = 'details-purged' LIMIT 1"):
        store.run("DELETE FROM source_files")
        store.run("DELETE FROM feed_cursors")


def purged_ids(store: Store, table: str, ids: Iterable[str]) -> set[str]:
    """Which of these records of such a table were purged."""
    sql = f"SELECT id FROM {table} WHERE purged IS NOT NULL AND id IN ({{}})"
    return {row["id"] for row in store.rows_among(sql, ids)}
