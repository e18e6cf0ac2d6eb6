"""Whole lists of Xero's, read page by page: sales invoices, payments and credit notes by their dates, and what has changed.

Filters and orders are those that Xero's own pages call optimised (Invoices, Payments, CreditNotes): a large organisation refuses
others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from caspen_xero.xero.addresses import Params
from caspen_xero.xero.answers import elements, fields, items_of, pages_of
from caspen_xero.xero.calls import Client
from caspen_xero.xero.listing import Listing

PAGE = 1_000
"""Documents on a page: the most that Xero gives."""

Plural = Literal["Invoices", "Payments", "CreditNotes"]
ID_NAMES: dict[Plural, str] = {"Invoices": "InvoiceID", "Payments": "PaymentID", "CreditNotes": "CreditNoteID"}

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_KINDS: dict[Plural, str] = {
    "Invoices": 'Type=="ACCREC"',
    "Payments": 'PaymentType=="ACCRECPAYMENT"',
    "CreditNotes": 'Type=="ACCRECCREDIT"',
}


@dataclass(frozen=True)
class WholeList:
    """A list to be read whole: of which kind, by which conditions beside that it is of sales, and what changed since when.

    `by_id`: in the order of the ids, so that a change moves no document from page to page; else in the order of their changes.
    """

    plural: Plural
    conditions: Sequence[str] = ()
    since: datetime | None = None

    @property
    def by_id(self) -> bool:
        """Whether it comes in the order of its ids: Xero's pages name that order for invoices alone."""
        return self.plural == "Invoices"

    @property
    def filter(self) -> Params:
        """The parameters that ask for it, but for order and page."""
        return {"where": " AND ".join([_KINDS[self.plural], *self.conditions]), "unitdp": "4"}

    @property
    def changed_since(self) -> datetime | None:
        """Since when. Asked so, Xero lists deleted payments too (a third party's live test); without it that is UNCONFIRMED."""
        return self.since or (_LONG_AGO if self.plural == "Payments" else None)


@dataclass(frozen=True)
class ListPage:
    """A page: its elements, unread, how many the list has in all (None where Xero does not say), and whether it is the last one."""

    elements: Sequence[Any]
    counted: int | None
    is_last: bool


def dated(first: date | None = None, last: date | None = None) -> list[str]:
    """The conditions for documents dated in a period; None: without that end."""
    return [*([f"Date>={_day(first)}"] if first else []), *([f"Date<={_day(last)}"] if last else [])]


def in_status(status: str) -> str:
    """The condition for documents of a status."""
    return f'Status=="{status}"'


def page_of(client: Client, whole: WholeList, number: int, guard: Listing) -> ListPage:
    """One page of a list (the first is 1), by its place. Raises `NoAnswer` where the pages would have no end (`guard`)."""
    order: Params = {"order": f"{ID_NAMES[whole.plural]} ASC"} if whole.by_id else {}
    params = {**whole.filter, **order, "page": number, "pageSize": PAGE}
    answer = client.get(whole.plural, params, since=whole.changed_since)
    rows = elements(answer, whole.plural)
    body = fields(answer)
    guard.came(number, body, rows, len(rows))
    pages = pages_of(body)
    is_more = bool(rows) and (len(rows) >= PAGE if pages is None else number < pages)
    return ListPage(rows, items_of(body), not is_more)


def guard_of(whole: WholeList) -> Listing:
    """What sees to it that the pages of a list end."""
    return Listing(whole.plural, ID_NAMES[whole.plural], PAGE)


def in_order_of_changes(client: Client, whole: WholeList, since: datetime | None = None) -> Iterator[list[Any]]:
    """All of a list that changed since then (None: all), unread, in pages from which no change moves anything away."""
    moments = [one for one in (since, whole.changed_since) if one is not None]
    yield from client.pages(
        whole.plural, key=whole.plural, params=whole.filter, since=max(moments) if moments else None
    )


def _day(day: date) -> str:
    return f"DateTime({day.year:04d},{day.month:02d},{day.day:02d})"
