"""Reading documents from Xero: by their ids, by their numbers, and by what has changed; lists cut to what an address holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from caspen_xero.xero.addresses import Params, in_calls, is_id, named
from caspen_xero.xero.answers import elements, read
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import (
    GONE_STATUSES,
    Account,
    Contact,
    CreditKind,
    CreditNote,
    Currency,
    Element,
    Invoice,
    Organisation,
    Payment,
    TaxRate,
)
from caspen_xero.xero.errors import NoAnswer, NotFound

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
_SALES: Params = {"where": 'Type=="ACCREC"', "order": "UpdatedDateUTC ASC", "unitdp": "4"}


# --- the organisation itself, and its lists

ListKind = Literal["Organisation", "Accounts", "TaxRates", "Currencies"]
_LISTS: Mapping[ListKind, tuple[str, type[Element]]] = {
    "Organisation": ("Organisations", Organisation),
    "Accounts": ("Accounts", Account),
    "TaxRates": ("TaxRates", TaxRate),
    "Currencies": ("Currencies", Currency),
}


def whole_list(client: Client, kind: ListKind) -> list[dict[str, Any]]:
    """One of these lists as Xero sends it, every element of it readable. Raises `NoAnswer` for anything else."""
    plural, document = _LISTS[kind]
    body = client.get(kind).json()
    listed = body.get(plural) if isinstance(body, Mapping) else None
    if not isinstance(listed, list) or (kind == "Organisation" and not listed):
        raise NoAnswer(f"its answer holds no {kind}")
    for element in listed:
        read(document, element)
    return listed


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


def invoices_by_id(client: Client, ids: Sequence[str]) -> dict[str, Invoice]:
    """Invoices with their lines and payments, by InvoiceID."""
    calls = in_calls(filter(is_id, ids), lambda some: {"IDs": ",".join(some), **_PRICED_PAGE})
    return {one.invoice_id: one for one in _listed(client, "Invoices", Invoice, calls) if one.invoice_id}


def contacts_by_id(client: Client, ids: Sequence[str]) -> dict[str, Contact]:
    """Contacts with their details, archived ones too, by ContactID."""
    calls = in_calls(filter(is_id, ids), lambda some: {"IDs": ",".join(some), "includeArchived": "true", **_PAGE})
    return {one.contact_id: one for one in _listed(client, "Contacts", Contact, calls) if one.contact_id}


def payments_by_id(client: Client, ids: Sequence[str]) -> dict[str, Payment]:
    """Payments (reconciled or not, in a batch or not) by PaymentID; asks as `payment_calls` says."""
    found = _listed(client, "Payments", Payment, payment_calls(ids))
    return {one.payment_id: one for one in found if one.payment_id}


def payment_calls(ids: Sequence[str]) -> list[Params]:
    """The parameters of the calls that it takes to read payments by their ids."""
    return in_calls(
        filter(is_id, ids),
        lambda some: {"where": " OR ".join(f'PaymentID==guid("{id_}")' for id_ in some), **_PAGE},
    )


def deleted_payments_on(client: Client, invoice_ids: Iterable[str]) -> dict[str, list[Payment]]:
    """The deleted payments of invoices, by InvoiceID, that which was deleted last at the end: an invoice does not show them.

    Asked for by what has changed since long ago: so Xero lists deleted ones too (a third party's live test); whether it does
    without a date is UNCONFIRMED.
    """
    found: defaultdict[str, list[Payment]] = defaultdict(list)
    calls = in_calls(
        filter(is_id, invoice_ids),
        lambda some: {
            "where": " OR ".join(f'Invoice.InvoiceID==guid("{id_}")' for id_ in some),
            "page": 1,
            "pageSize": 1000,
        },
    )
    for params in calls:
        for rows in client.pages("Payments", key="Payments", params=params, since=_LONG_AGO):
            for payment in (read(Payment, row) for row in rows):
                if payment.status == "DELETED" and payment.invoice and payment.invoice.invoice_id:
                    found[payment.invoice.invoice_id].append(payment)
    return {id_: sorted(deleted, key=lambda one: one.updated_date_utc or _LONG_AGO) for id_, deleted in found.items()}


def sales_payments(client: Client) -> Iterator[list[Payment]]:
    """All payments on sales invoices, deleted ones too, page by page, in the order of their last changes.

    Asked for as `deleted_payments_on` does.
    """
    params: Params = {"where": 'PaymentType=="ACCRECPAYMENT"'}
    for rows in client.pages("Payments", key="Payments", params=params, since=_LONG_AGO):
        yield [read(Payment, row) for row in rows]


def payment_by_id(client: Client, payment_id: str) -> Payment | None:
    """A payment as Xero has it (deleted ones too), or None."""
    return _one(client, "Payments", Payment, payment_id)


def credit_note_by_id(client: Client, credit_note_id: str) -> CreditNote | None:
    """A credit note with its allocations, or None."""
    return _one(client, "CreditNotes", CreditNote, credit_note_id, {"unitdp": "4"})


def credit_by_id(client: Client, kind: CreditKind, credit_id: str) -> CreditNote | None:
    """A credit note, overpayment or prepayment with its allocations, or None."""
    return _one(client, CREDITS[kind], CreditNote, credit_id)


# --- what has changed


@dataclass(frozen=True)
class InvoicePage:
    """A page of sales invoices by their date of change. Only those that are asked for are read whole: most are not ours."""

    rows: Sequence[Mapping[str, Any]]

    @property
    def moments(self) -> list[datetime | None]:
        """When each was last changed (UTC), as far as they say."""
        headings = ({"UpdatedDateUTC": row.get("UpdatedDateUTC")} for row in self.rows)
        return [read(Invoice, heading).updated_date_utc for heading in headings]

    @property
    def ids(self) -> list[str]:
        """Their InvoiceIDs."""
        return [str(row.get("InvoiceID")) for row in self.rows]

    @property
    def standing(self) -> dict[str, str]:
        """The numbers of those that are neither void nor deleted, by InvoiceID."""
        return {
            str(row.get("InvoiceID")): str(row["InvoiceNumber"])
            for row in self.rows
            if row.get("InvoiceNumber") and row.get("Status") not in GONE_STATUSES
        }

    def invoices(self, ids: Iterable[str]) -> dict[str, Invoice]:
        """Those of the page with these ids, by id."""
        by_id = dict(zip(self.ids, self.rows, strict=True))
        return {id_: read(Invoice, by_id[id_]) for id_ in ids}


def changed_invoices(client: Client, since: datetime | None) -> Iterator[InvoicePage]:
    """The organisation's sales invoices that changed since then (all for None), with lines and payments, page by page."""
    for rows in client.pages("Invoices", key="Invoices", params=_SALES, since=since):
        yield InvoicePage(rows)


def changed_contacts(client: Client, since: datetime | None) -> Iterator[list[Contact]]:
    """The contacts that changed since then, archived ones too, page by page."""
    # Not summaryOnly: whether that shows MergedToContactID and ContactNumber is UNCONFIRMED.
    for rows in client.pages("Contacts", key="Contacts", params={"includeArchived": "true"}, since=since):
        yield [read(Contact, row) for row in rows]


def changed_among(
    client: Client, plural: str, kind: type[_Document], ids: Iterable[str], since: datetime
) -> dict[str, _Document]:
    """What the list of what changed since then shows of some documents (`Payments`, `CreditNotes`, ...), by id."""
    name, wanted = f"{plural.removesuffix('s')}ID", set(ids)
    pages = client.pages(plural, key=plural, since=since)
    return {row[name]: read(kind, row) for page in pages for row in page if row.get(name) in wanted}


def _listed(client: Client, plural: str, kind: type[_Document], calls: Iterable[Params]) -> Iterator[_Document]:
    for params in calls:
        for element in elements(client.get(plural, params), plural):
            yield read(kind, element)


def _one(
    client: Client, plural: str, kind: type[_Document], id_: str, params: Params | None = None
) -> _Document | None:
    if not is_id(id_):
        return None
    try:
        found = elements(client.get(f"{plural}/{id_}", params), plural)
    except NotFound:
        return None
    return read(kind, found[0]) if found else None
