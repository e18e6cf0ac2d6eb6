"""What a reconciliation has read of Xero, and how many calls that may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from caspen_xero.store import readings
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.reconciling.ledger import Asked
from caspen_xero.sync.reconciling.reader import Reader, ReadingClient
from caspen_xero.sync.reconciling.wanted import Wanted
from caspen_xero.xero.dealings import CreditKind, credits_on
from caspen_xero.xero.documents import CreditNote, Invoice, Payment
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.whole_lists import PAGE


@dataclass
class Reading:
    """Xero's documents as one moment had them (`read_at`, UTC), by their ids there.

    `invoices`: of the period and up to the day of the debtors, in every status; from before the period those that are open now,
    and those that may have been open on that day. `payments`: of sales invoices, from the period's first day on, or from the day
    after that of the debtors, deleted ones too. `credits`: credit notes from then on, and all credits that the invoices list, with
    their allocations. `odd`: what can't be read; `unreadable_ids`: the InvoiceIDs of what of that is an invoice, or is on one.
    `calls`: of all runs, `resumed_from`: when (UTC) an earlier one began it.
    """

    invoices: dict[str, Invoice]
    payments: dict[str, Payment]
    credits: dict[str, tuple[CreditKind, CreditNote]]
    began_at: datetime
    read_at: datetime
    calls: int
    resumed_from: datetime | None
    odd: list[Unreadable] = field(default_factory=list)
    unreadable_ids: set[str] = field(default_factory=set)
    _reader: Reader | None = field(default=None, repr=False, compare=False)
    _forget: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def also(self, ids: Iterable[str]) -> None:
        """Reads invoices that are not among these by their ids, whatever their day, and the credits that they list.

        What is not there stays out. Raises `TryLater`.
        """
        if self._reader is not None:
            self._reader.read_also(ids)
            self._note(self._reader)

    def finish(self) -> None:
        """Takes away the pages that are kept in case the reading does not come to its end: to be called once all was compared."""
        self._forget()

    def _note(self, reader: Reader) -> None:
        odd = reader.found.odd
        self.odd = [Unreadable(one.why) for one in odd.values()]
        on_invoices = {
            id_
            for id_, invoice in reader.found.invoices.items()
            if any(credit.credit_id in odd for credit in credits_on(invoice))
        }
        self.unreadable_ids = on_invoices.union(*(one.invoice_ids for one in odd.values()))
        self.read_at, self.calls = reader.at, reader.calls


def expected_calls(mappings: Mappings, asked: Asked, now: datetime | None = None) -> int:
    """About how many calls a reading will take, by what is known here and by what of it is kept: told before the first one.

    What others wrote in Xero is not known yet.
    """
    moment = now or datetime.now(UTC)
    kept = readings.under_way(mappings, moment)
    is_kept = kept is not None and (kept.first, kept.last, kept.as_at) == (asked.first, asked.last, asked.as_at)
    wanted = Wanted(asked, kept.began_at if kept is not None and is_kept else moment)
    expected = readings.expected(mappings, asked.first, wanted.upto, wanted.money_from)
    documents = {
        "invoices": expected.invoices,
        "open before": expected.older,
        "payments": expected.payments,
        "credit notes": expected.credit_notes,
    }
    pages = {name: max(1, -(-documents.get(name, 0) // PAGE)) for name in wanted.lists}
    done = readings.pages(mappings) if is_kept else []
    for page in done:
        if page.list in pages:
            pages[page.list] = 0 if page.is_last else max(1, pages[page.list] - 1)
    return sum(pages.values()) + 2  # what changed meanwhile: invoices, and credit notes


def read_xero(
    client: ReadingClient,
    mappings: Mappings,
    asked: Asked,
    *,
    tell: Callable[[int, int | None], None],
    now: datetime | None = None,
) -> Reading:
    """Reads Xero anew for a question, or goes on with what an earlier run read for the same one.

    `tell` is told after each page: the documents read, and all that there are as far as is known. Raises `TryLater` (a limit, the
    network, or books that do not stand still), in words that say how far it came, and any other `XeroError`: the same question
    goes on there.
    """
    reader = Reader(client, mappings, asked, tell, now or datetime.now(UTC))
    reader.read()
    found = reader.found
    reading = Reading(
        found.invoices,
        found.payments,
        found.credits,
        reader.began_at,
        reader.at,
        reader.calls,
        reader.resumed_from,
        _reader=reader,
        _forget=lambda: readings.forget(mappings),
    )
    reading._note(reader)
    return reading
