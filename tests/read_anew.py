"""A reading of the local Xero as a reconciliation makes one, and the two sides compared by it: for tests of the comparing alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from pushing import Clinic

from caspen_xero.sandbox.seam import ApiRequest
from caspen_xero.store.listing import list_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.books.books import read_books
from caspen_xero.sync.reconciling.comparing import compare_books
from caspen_xero.sync.reconciling.ledger import Asked, Compared, Find
from caspen_xero.sync.setup.settings import read_settings
from caspen_xero.xero.answers import read
from caspen_xero.xero.dealings import CreditKind
from caspen_xero.xero.documents import CreditNote, Invoice, Payment

_CREDITS: dict[CreditKind, str] = {
    "credit_note": "CreditNotes",
    "overpayment": "Overpayments",
    "prepayment": "Prepayments",
}
Row = dict[str, Any]
Rows = dict[str, list[Row]]
ALL = Asked(None, date(2027, 6, 30), date(2027, 6, 30))


@dataclass
class ReadAnew:
    """All of the local Xero, of a period or from the beginning. `asked_for`: what it was asked to read besides."""

    rows: Rows
    asked: Asked = ALL
    unreadable_ids: set[str] = field(default_factory=set)
    asked_for: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.asked.first or date.min
        everything = {row["InvoiceID"]: read(Invoice, row) for row in self.rows["Invoices"] if row["Type"] == "ACCREC"}
        self._all = everything
        self.invoices = {
            id_: one
            for id_, one in everything.items()
            if id_ not in self.unreadable_ids and one.date and (one.date >= first or one.status == "AUTHORISED")
        }
        payments = [read(Payment, row) for row in self.rows["Payments"] if row["PaymentType"] == "ACCRECPAYMENT"]
        self.payments = {one.payment_id or "": one for one in payments if one.date and one.date >= first}
        self.credits: dict[str, tuple[CreditKind, CreditNote]] = {}
        self._read_credits()

    def _read_credits(self) -> None:
        first = self.asked.first or date.min
        for kind, plural in _CREDITS.items():
            for row in self.rows[plural]:
                note = read(CreditNote, row)
                id_ = next(row[name] for name in ("CreditNoteID", "OverpaymentID", "PrepaymentID") if name in row)
                listed = {one.invoice.invoice_id for one in note.allocations if one.invoice}
                is_new = kind == "credit_note" and (note.date or first) >= first
                if is_new or listed & self.invoices.keys():
                    self.credits[id_] = kind, note

    def also(self, ids: Iterable[str]) -> None:
        """Reads invoices by id."""
        for id_ in ids:
            self.asked_for.append(id_)
            if id_ in self._all and id_ not in self.unreadable_ids:
                self.invoices[id_] = self._all[id_]
        self._read_credits()


def rows_in_xero(clinic: Clinic) -> Rows:
    """All of Xero's documents as its pages show them."""
    return {plural: list(_pages(clinic, plural)) for plural in ("Invoices", "Payments", *_CREDITS.values())}


def _pages(clinic: Clinic, plural: str) -> Iterator[Row]:
    params = {"page": "1", "pageSize": "1000", "unitdp": "4"}
    ask = ApiRequest("GET", plural, params, {}, b"", clinic.tenant_id)
    answer = clinic.sandbox.api.handle(ask)
    assert answer.status == 200, answer.body
    found = json.loads(answer.body, parse_float=Decimal)[plural]
    assert len(found) < 1000
    yield from found


def compared(
    clinic: Clinic,
    asked: Asked = ALL,
    *,
    changed: Callable[[Rows], object] | None = None,
    unreadable: Iterable[str] = (),
) -> Compared:
    """Both sides as they stand. `changed`: something is otherwise in Xero than its pages say."""
    rows = rows_in_xero(clinic)
    if changed is not None:
        changed(rows)
    reading = ReadAnew(rows, asked, set(unreadable))
    with closing(Store(clinic.store_file)) as store:
        mappings, settings = Mappings(store, clinic.tenant_id), read_settings(store)
        books = read_books(store, mappings, settings)
        listed = {one.invoice_id: one for one in books.judged(list_invoices(store, mappings, settings.start_date))}
        return compare_books(mappings, settings, asked, reading, listed, books)


def codes(found: Compared | Iterable[Find]) -> list[str]:
    """The codes of the finds, sorted."""
    return sorted(one.code for one in (found.finds if isinstance(found, Compared) else found))


def unequal(found: Compared) -> list[str]:
    """All that is not equal of what was compared, as the pairs themselves have it, whatever was found: the sums stand on these."""
    told = [str(one) for one in found.finds]
    for pair in (*found.invoices, *found.credit_notes):
        if pair.caspen is None or pair.xero is None:
            told.append(f"alone: {pair}")
            continue
        for what in ("number", "contact", "day", "currency", "subtotal", "tax", "total", "paid", "credited"):
            sides = getattr(pair.caspen, what), getattr(pair.xero, what)
            if sides[0] != sides[1] and (pair.caspen.kind == "invoice" or what not in ("paid", "credited")):
                told.append(f"{pair.caspen.number} {what}: {sides[0]}, {sides[1]}")
        lines = [sorted((one.rate, one.net, one.tax) for one in side.lines) for side in (pair.caspen, pair.xero)]
        if lines[0] != lines[1]:
            told.append(f"{pair.caspen.number} lines: {lines}")
    for money in found.payments:
        if money.caspen is None or money.xero is None:
            told.append(f"alone: {money}")
            continue
        for what in ("kind", "day", "amount", "currency", "account", "method"):
            both = getattr(money.caspen, what), getattr(money.xero, what)
            if both[0] != both[1]:
                told.append(f"{money.caspen.id} {what}: {both}")
    return told
