"""Reading documents from Xero: by their ids, by their numbers, and by what has changed; lists cut to what an address holds.

Of what was asked for, all is read, or `Unreadable` is raised: what can't be read is never taken for what is not there. `apart`
(answers.py) then leaves out no more than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal, TypeVar

from caspen_xero.xero.addresses import MOST_VALUES, Params, in_calls, is_id, named
from caspen_xero.xero.answers import elements, fields, moment_in, pages_of, read, readable, text_in
from caspen_xero.xero.calls import Client
from caspen_xero.xero.dealings import AppliedCredit, CreditKind
from caspen_xero.xero.documents import (
    GONE_STATUSES,
    Account,
    BatchPayment,
    Contact,
    ContactEntry,
    CreditNote,
    Currency,
    Invoice,
    Organisation,
    Payment,
    TaxRate,
)
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import NoAnswer, NotFound, Unreadable

_Document = TypeVar("_Document", bound=Element)

OVERLAP = timedelta(seconds=2)  # If-Modified-Since is accurate to the second; whether inclusive is UNCONFIRMED
CREDITS: Mapping[CreditKind, str] = {
    "credit_note": "CreditNotes",
    "overpayment": "Overpayments",
    "prepayment": "Prepayments",
}
"""The plurals of what can be allocated to an invoice."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_PAGE: Params = {
    "page": "1",
    "pageSize": "100",
}  # with a page, so that lines come along: an invoice read without has none
_PRICED_PAGE: Params = {**_PAGE, "unitdp": "4"}
_SALES_PAYMENTS: Params = {"where": 'PaymentType=="ACCRECPAYMENT"'}
_SALES: Params = {"where": 'Type=="ACCREC"', "order": "UpdatedDateUTC ASC", "unitdp": "4"}


# --- the organisation itself, and its lists

ListKind = Literal["Organisation", "Accounts", "TaxRates", "Currencies"]
ListElement = Organisation | Account | TaxRate | Currency
_PLURALS: Mapping[ListKind, str] = {"Organisation": "Organisations"}
LISTED: Mapping[ListKind, type[ListElement]] = {
    "Organisation": Organisation,
    "Accounts": Account,
    "TaxRates": TaxRate,
    "Currencies": Currency,
}
"""What the elements of these lists are."""


def whole_list(client: Client, kind: ListKind) -> tuple[list[ListElement], list[Unreadable]]:
    """One of these lists, and those of its elements that can't be read. Raises `NoAnswer` where there is no list to read."""
    found, odd = readable(LISTED[kind], elements(client.get(kind), _PLURALS.get(kind, kind)))
    if not found and (odd or kind == "Organisation"):
        raise odd[0] if odd else NoAnswer(f"its answer holds no {kind}")
    return found, odd


# --- by number


def invoices_numbered(client: Client, numbers: Sequence[str]) -> dict[str, Invoice]:
    """The sales invoices with these numbers as Xero has them, by number; voided and deleted ones too."""
    in_list = [number for number in numbers if "," not in number]
    # A comma parts the numbers of a list, so a number that holds one goes into a filter; alone, as on a large organisation Xero
    # refuses an OR of anything but ids (its Invoices page).
    alone = [number for number in numbers if "," in number]
    calls = in_calls(in_list, lambda some: {"InvoiceNumbers": ",".join(some), **_PRICED_PAGE})
    calls += in_calls(alone, lambda some: {"where": named("InvoiceNumber", some[0]), **_PRICED_PAGE}, most=1)
    found = _listed(client, "Invoices", Invoice, calls)
    return {one.invoice_number: one for one in found if one.type in (None, "ACCREC") and one.invoice_number}


def credit_notes_numbered(client: Client, numbers: Sequence[str]) -> dict[str, CreditNote]:
    """The sales credit notes with these numbers as Xero has them, by number."""
    calls = in_calls(
        numbers,
        lambda some: {"where": " OR ".join(named("CreditNoteNumber", number) for number in some), **_PRICED_PAGE},
    )
    found = _listed(client, "CreditNotes", CreditNote, calls)
    return {
        one.credit_note_number: one for one in found if one.type in (None, "ACCRECCREDIT") and one.credit_note_number
    }


# --- by id: what has no id's form can't be there, and is not asked for

BULK = 3
"""More calls than this, one after another: the whole list may be cheaper, in pages of a thousand."""


@dataclass(frozen=True)
class _Listing:
    """A list of Xero's: the parameters that ask for some ids (`most` in a call), and those of all that these may be among."""

    plural: str
    some: Callable[[Sequence[str]], Params]
    whole: Params
    most: int = MOST_VALUES

    def calls(self, ids: Iterable[str]) -> list[Params]:
        """The calls that ask for these ids and no others."""
        return in_calls(ids, self.some, self.most)

    def page(self, number: int) -> Params:
        """A page of them all."""
        return {**self.whole, "page": number, "pageSize": 1000}


def _named_by(plural: str) -> str:
    return f"{plural.removesuffix('s')}ID"


def _any_of(field: str, ids: Iterable[str]) -> str:
    return " OR ".join(f'{field}==guid("{id_}")' for id_ in ids)


_INVOICES = _Listing(
    "Invoices",
    lambda some: {"IDs": ",".join(some), **_PRICED_PAGE},
    {**_SALES, "order": "UpdatedDateUTC DESC"},  # what is asked for was mostly changed of late
)
_CONTACTS = _Listing(
    "Contacts", lambda some: {"IDs": ",".join(some), "includeArchived": "true", **_PAGE}, {"includeArchived": "true"}
)
_PAYMENTS = _Listing("Payments", lambda some: {"where": _any_of("PaymentID", some), **_PAGE}, _SALES_PAYMENTS)
_BATCHES = _Listing("BatchPayments", lambda some: {"where": _any_of("BatchPaymentID", some)}, {})


def invoices_by_id(client: Client, ids: Sequence[str]) -> dict[str, Invoice]:
    """Sales invoices with their lines and payments, by InvoiceID."""
    return _by_id(client, Invoice, _INVOICES, ids)


def contacts_by_id(client: Client, ids: Sequence[str]) -> dict[str, Contact]:
    """Contacts with their details, archived ones too, by ContactID."""
    return _by_id(client, Contact, _CONTACTS, ids)


def payments_by_id(client: Client, ids: Sequence[str], since: datetime | None = None) -> dict[str, Payment]:
    """Payments (reconciled or not, in a batch or not) by PaymentID. `since`: they have changed since then, as far as is known."""
    return _by_id(client, Payment, _PAYMENTS, ids, since)


def credits_by_id(
    client: Client, kind: CreditKind, ids: Sequence[str], since: datetime | None = None
) -> dict[str, CreditNote]:
    """Credit notes, overpayments or prepayments with their allocations, by id; `since` as of payments."""
    listing = _Listing(CREDITS[kind], lambda some: {"id": some[0]}, {}, most=1)  # each by its path
    found = _in_pages(client, CreditNote, listing, ids, since)
    alone = {id_: credit_by_id(client, kind, id_) for id_ in ids if id_ not in found}
    return found | {id_: one for id_, one in alone.items() if one is not None}


def applied_credits(
    client: Client, applied: Iterable[AppliedCredit], since: datetime | None = None
) -> dict[str, CreditNote]:
    """The credits that invoices list, with their allocations, by id; `since` as of payments."""
    wanted, found = list(applied), dict[str, CreditNote]()
    for kind in CREDITS:
        ids = list(dict.fromkeys(credit.credit_id for credit in wanted if credit.kind == kind))
        found |= credits_by_id(client, kind, ids, since)
    return found


def batches_by_id(client: Client, ids: Iterable[str]) -> dict[str, BatchPayment]:
    """Batches of payments by BatchPaymentID: several in a list, which Xero does not page; what it does not show, by itself."""
    wanted, found = list(filter(is_id, dict.fromkeys(ids))), dict[str, BatchPayment]()
    for params in _BATCHES.calls(wanted) if len(wanted) > 1 else []:
        rows = elements(client.get(_BATCHES.plural, params), _BATCHES.plural)
        found |= _among(wanted, rows, _BATCHES.plural, BatchPayment)
    alone = {id_: batch_by_id(client, id_) for id_ in wanted if id_ not in found}
    return found | {id_: one for id_, one in alone.items() if one is not None}


def _by_id(
    client: Client, kind: type[_Document], listing: _Listing, ids: Sequence[str], since: datetime | None = None
) -> dict[str, _Document]:
    """Documents by their ids, in few calls. Whatever pages of all have not shown is asked for by its id, so none is missed."""
    found = _in_pages(client, kind, listing, ids, since)
    left = [id_ for id_ in ids if is_id(id_) and id_ not in found]
    for params in listing.calls(left):
        rows = elements(client.get(listing.plural, params), listing.plural)
        found |= _among(left, rows, listing.plural, kind)
        _none_is_nameless(rows, _named_by(listing.plural), kind)
    return found


def _in_pages(
    client: Client, kind: type[_Document], listing: _Listing, ids: Sequence[str], since: datetime | None
) -> dict[str, _Document]:
    """Those that pages of all of them (changed since then) show, read for as long as these are fewer than calls by ids.

    The first page says how many there are.
    """
    left, found, page = [id_ for id_ in dict.fromkeys(ids) if is_id(id_)], dict[str, _Document](), 1
    sample = left[:400]
    by_ids = len(listing.calls(sample)) / max(1, len(sample))  # calls for each, as ids are all of one length
    is_cheaper = len(left) * by_ids > BULK
    while is_cheaper:
        answer = client.get(listing.plural, listing.page(page), since=since)
        found |= _among(left, elements(answer, listing.plural), listing.plural, kind)
        left = [id_ for id_ in left if id_ not in found]
        is_cheaper = 0 < (pages_of(fields(answer)) or 0) - page < len(left) * by_ids
        page += 1
    return found


def _among(ids: Iterable[str], rows: Iterable[object], plural: str, kind: type[_Document]) -> dict[str, _Document]:
    wanted, name = set(ids), _named_by(plural)
    return {id_: read(kind, row) for row in rows if (id_ := text_in(row, name)) in wanted and id_ is not None}


def _none_is_nameless(rows: Iterable[object], name: str, kind: type[Element]) -> None:
    """Raises `Unreadable` where an element does not say which one it is: any that was asked for may be that one."""
    for row in rows:
        if text_in(row, name) is None:
            read(kind, row)
            raise Unreadable(f"one {kind.called} of its answer has no {name} that can be read")


def deleted_payments_on(client: Client, invoice_ids: Iterable[str]) -> dict[str, list[Payment]]:
    """The deleted payments of invoices, by InvoiceID, that which was deleted last at the end: an invoice does not show them."""
    listed = payments_on(client, invoice_ids)
    return {id_: gone for id_, rows in listed.items() if (gone := [one for one in rows if one.status == "DELETED"])}


def payments_on(client: Client, invoice_ids: Iterable[str]) -> dict[str, list[Payment]]:
    """The payments of invoices, deleted ones too, by InvoiceID, in the order of their last changes.

    A list, so each has its own PaymentID, and the BatchPaymentID of the batch that it is in. Asked for by what has changed since
    long ago: so Xero lists deleted ones too (a third party's live test); whether it does without a date is UNCONFIRMED.
    """
    wanted = set(filter(is_id, invoice_ids))
    calls = in_calls(
        sorted(wanted), lambda some: {"where": _any_of("Invoice.InvoiceID", some), "page": 1, "pageSize": 1000}
    )
    if len(calls) > BULK:
        pages = pages_of(fields(client.get("Payments", _PAYMENTS.page(1), since=_LONG_AGO)))
        calls = [_SALES_PAYMENTS] if 0 < (pages or 0) < len(calls) else calls
    found: defaultdict[str, list[Payment]] = defaultdict(list)
    for params in calls:
        for rows in client.pages("Payments", key="Payments", params=params, since=_LONG_AGO):
            payments, odd = readable(Payment, rows)
            if odd:  # on which invoice it is can't be read either
                raise odd[0]
            for payment in payments:
                if payment.invoice and payment.invoice.invoice_id in wanted:
                    found[payment.invoice.invoice_id].append(payment)
    return {id_: sorted(rows, key=lambda one: one.updated_date_utc or _LONG_AGO) for id_, rows in found.items()}


def sales_payments(client: Client) -> Iterator[tuple[list[Payment], list[Unreadable]]]:
    """All payments on sales invoices, deleted ones too, page by page, in the order of their last changes; and what can't be read.

    Asked for as `payments_on` does.
    """
    for rows in client.pages("Payments", key="Payments", params=_SALES_PAYMENTS, since=_LONG_AGO):
        yield readable(Payment, rows)


def payment_by_id(client: Client, payment_id: str) -> Payment | None:
    """A payment as Xero has it (deleted ones too), under its own id; or None, as for the id of a batch.

    UNCONFIRMED: that a member of a batch is found by its own id (recorded once); `payments_on` lists it in any case.
    """
    found = _one(client, "Payments", Payment, payment_id)
    if found is None or found.batch_id is None:
        return found
    return None if found.batch_id == payment_id.lower() else found.model_copy(update={"payment_id": payment_id.lower()})


def batch_by_id(client: Client, batch_id: str) -> BatchPayment | None:
    """A batch of payments (deleted ones too), or None."""
    return _one(client, "BatchPayments", BatchPayment, batch_id)


def credit_note_by_id(client: Client, credit_note_id: str) -> CreditNote | None:
    """A credit note with its allocations, or None."""
    return _one(client, "CreditNotes", CreditNote, credit_note_id, {"unitdp": "4"})


def credit_by_id(client: Client, kind: CreditKind, credit_id: str) -> CreditNote | None:
    """A credit note, overpayment or prepayment with its allocations, or None."""
    return _one(client, CREDITS[kind], CreditNote, credit_id)


# --- what has changed

_AHEAD = timedelta(days=1)


def latest(client: Client, *moments: datetime | None) -> datetime | None:
    """The latest of these times of changes; one that is yet to come is none: it would hide all changes till then."""
    until = client.clock.now() + _AHEAD
    return max((one for one in moments if one and one.year >= 2000 and one <= until), default=None)


@dataclass(frozen=True)
class InvoicePage:
    """A page of sales invoices by their date of change. Only those that are asked for are read whole: most are not ours."""

    rows: Sequence[object]

    @cached_property
    def moments(self) -> list[datetime | None]:
        """When each was last changed (UTC), as far as they say."""
        return [moment_in(text_in(row, "UpdatedDateUTC")) for row in self.rows]

    @cached_property
    def ids(self) -> list[str]:
        """Their InvoiceIDs; "" for one that can't be read: any of ours may be that one."""
        return [text_in(row, "InvoiceID") or "" for row in self.rows]

    @property
    def standing(self) -> dict[str, str]:
        """The numbers of those that are neither void nor deleted, by InvoiceID."""
        return {
            id_: number
            for id_, row in zip(self.ids, self.rows, strict=True)
            if (number := text_in(row, "InvoiceNumber")) and text_in(row, "Status") not in GONE_STATUSES
        }

    def invoices(self, ids: Iterable[str]) -> dict[str, Invoice]:
        """Those of the page with these ids, by id. Raises `Unreadable`."""
        by_id = dict(zip(self.ids, self.rows, strict=True))
        return {id_: read(Invoice, by_id[id_]) for id_ in ids}


def changed_invoices(client: Client, since: datetime | None) -> Iterator[InvoicePage]:
    """The organisation's sales invoices that changed since then (all for None), with lines and payments, page by page."""
    for rows in client.pages("Invoices", key="Invoices", params=_SALES, since=since):
        yield InvoicePage(rows)


def changed_contacts(client: Client, since: datetime | None) -> Iterator[tuple[list[ContactEntry], list[Unreadable]]]:
    """The contacts that changed since then, archived ones too, page by page; and those of each page that can't be read."""
    # Not summaryOnly: whether that shows MergedToContactID and ContactNumber is UNCONFIRMED.
    for rows in client.pages("Contacts", key="Contacts", params={"includeArchived": "true"}, since=since):
        yield readable(ContactEntry, rows)


def _listed(client: Client, plural: str, kind: type[_Document], calls: Iterable[Params]) -> Iterator[_Document]:
    for params in calls:
        for element in elements(client.get(plural, params), plural):
            yield read(kind, element)


def _one(
    client: Client, plural: str, kind: type[_Document], id_: str, params: Params | None = None
) -> _Document | None:
    """One document, or None.

    Xero's 404 for an unknown id is a web page, and so is that of whatever stands in front of it: the one is not told from the other
    (recorded answers). What could be money is not taken for gone on that word: its list, which is always there, has the last one.
    """
    if not is_id(id_):
        return None
    try:
        found = elements(client.get(f"{plural}/{id_}", params), plural)
    except NotFound:
        found = []
    if not found:
        filtered = {**_PAGE, **(params or {}), "where": _any_of(_named_by(plural), [id_])}
        found = elements(client.get(plural, filtered), plural)
    return read(kind, found[0]) if found else None


def changed_credit_notes(client: Client, since: datetime | None) -> Iterator[list[tuple[str | None, datetime | None]]]:
    """The CreditNoteIDs of the credit notes that changed since then (all for None), and when each did, as far as they say.

    UNCONFIRMED: that void and deleted ones are among them; a full pull asks for each.
    """
    for rows in client.pages("CreditNotes", key="CreditNotes", since=since):
        yield [(text_in(row, "CreditNoteID"), moment_in(text_in(row, "UpdatedDateUTC"))) for row in rows]
