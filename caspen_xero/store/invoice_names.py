"""Which invoice a name means: all of them at once, by the same rule by which commands look for one (`clinic.invoice_ids`)."""

from __future__ import annotations

from collections import defaultdict

from caspen_xero.commands import handle, is_handle
from caspen_xero.store.store import Store

_FOLDED = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")  # as SQLite's NOCASE does


class InvoiceNames:
    """The names of all invoices, read when one is first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers: dict[str, str | None] | None = None
        self._ids: defaultdict[str, set[str]] = defaultdict(set)

    def number(self, invoice_id: str) -> str | None:
        """Caspen's number of an invoice, if it has one."""
        return self._read().get(invoice_id)

    def means(self, name: str) -> set[str]:
        """The ids of the invoices that a person may mean: that id, else that number."""
        if name in self._read():
            return {name}
        found = self._ids.get(name.translate(_FOLDED), set())
        return found or ({id_ for id_ in self._read() if handle(id_) == name} if is_handle(name) else set())

    def _read(self) -> dict[str, str | None]:
        if self._numbers is None:
            self._numbers = {row["id"]: row["number"] for row in self._store.rows("SELECT id, number FROM invoices")}
            for invoice_id, number in self._numbers.items():
                if number:
                    self._ids[number.translate(_FOLDED)].add(invoice_id)
        return self._numbers
