"""Documents of Xero's that are asked for by their ids; one that can't be read takes none of the others along."""

from __future__ import annotations

from collections.abc import Sequence

from caspen_xero.sync.reconciling.brought import Brought, Odd
from caspen_xero.xero.answers import apart
from caspen_xero.xero.calls import Client
from caspen_xero.xero.dealings import CreditKind
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.reading import credits_by_id, invoices_by_id


def invoices(client: Client, ids: Sequence[str]) -> Brought:
    """Sales invoices with these InvoiceIDs; what is not there is left out."""
    found = Brought()

    def look(some: Sequence[str]) -> None:
        found.invoices |= invoices_by_id(client, some)

    def odd(id_: str, error: Unreadable) -> None:
        found.odd[id_] = Odd(error.why, (id_,))

    apart(ids, look, odd)
    return found


def credits(client: Client, kind: CreditKind, ids: Sequence[str]) -> Brought:
    """Credit notes, overpayments or prepayments with these ids, as `invoices`."""
    found = Brought()

    def look(some: Sequence[str]) -> None:
        found.credits |= {id_: (kind, one) for id_, one in credits_by_id(client, kind, some).items()}

    def odd(id_: str, error: Unreadable) -> None:
        found.odd[id_] = Odd(error.why)

    apart(ids, look, odd)
    return found
