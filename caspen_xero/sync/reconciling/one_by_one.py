"""Everything that was compared, one by one, with what either side has of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from caspen_xero.sync.reconciling.counting import ZERO, Counting
from caspen_xero.sync.reconciling.debtors import Dues
from caspen_xero.sync.reconciling.ledger import Document, MoneyPair, Pair
from caspen_xero.sync.reconciling.tables import Cell, Column, Table

_DOCUMENT = (
    Column("currency", "Currency"),
    Column("number", "Number"),
    Column("client", "Client"),
    Column("caspen_date", "Date in Caspen", "date"),
    Column("xero_date", "Date in Xero", "date"),
    Column("caspen_status", "Status in Caspen"),
    Column("xero_status", "Status in Xero"),
    Column("caspen_total", "Caspen", "amount"),
    Column("xero_total", "Xero", "amount"),
    Column("difference", "Difference", "amount"),
)
_DUE = (
    Column("caspen_due", "Due in Caspen", "amount"),
    Column("xero_due", "Due in Xero", "amount"),
    Column("difference_due", "Difference in what is due", "amount"),
)
_IDS = (Column("caspen_id", "Id in Caspen", spare=True), Column("xero_id", "Id in Xero", spare=True))
_MONEY = (
    Column("currency", "Currency"),
    Column("invoice", "Invoice"),
    Column("client", "Client"),
    Column("caspen_date", "Date in Caspen", "date"),
    Column("xero_date", "Date in Xero", "date"),
    Column("reference", "Reference"),
    Column("caspen_amount", "Caspen", "amount"),
    Column("xero_amount", "Xero", "amount"),
    Column("difference", "Difference", "amount"),
)
_PAID = (
    Column("account", "Account in Xero"),
    Column("method", "Method in Caspen"),
    Column("told", "Known in Caspen by"),
)

_BESIDE = ("total", "amount", "due")
"""What stands in a column of each side; dates and statuses are finds where they matter."""


def invoices(counting: Counting, dues: Dues) -> Table:
    """Every invoice that was compared, or is on one side only: those of the period, and those from outside it that are owed."""
    rows = [row for pair in counting.compared.invoices for row in _document_rows(counting, pair, dues)]
    as_at = counting.compared.asked.as_at
    return _table(
        counting,
        "invoices",
        "Invoices, one by one",
        "Each invoice that is to be in Xero, or is known there only. A total is shown where it counts in the period; what is due "
        f"as at {as_at.day} {as_at:%b %Y}.",
        (*_DOCUMENT, *_DUE, *_IDS),
        rows,
    )


def credit_notes_one_by_one(counting: Counting) -> Table:
    """Every credit note that was compared, or is on one side only."""
    rows = [row for pair in counting.compared.credit_notes for row in _document_rows(counting, pair)]
    about = "Each credit note that is to be in Xero, or is known there only."
    title = "Credit notes, one by one"
    return _table(counting, "credit_notes_one_by_one", title, about, (*_DOCUMENT, *_IDS), rows)


def payments_one_by_one(counting: Counting) -> Table:
    """Every payment of the period that was compared, or is on one side only."""
    accounts = counting.compared.names.accounts

    def paid(pair: MoneyPair) -> list[Cell]:
        there = next((one.account for one in (pair.xero, pair.caspen) if one and one.account), "")
        caspen = pair.caspen
        told = "" if caspen is None else "what it was told" if caspen.told else "its own record"
        return [accounts.get(there) or there, caspen.method if caspen else "", told]

    rows = [row for pair in counting.payments for row in _money_rows(counting, pair, paid)]
    title, about = "Payments, one by one", "Each payment of the period that is to be in Xero, or is known there only."
    return _table(counting, "payments_one_by_one", title, about, (*_MONEY, *_PAID, *_IDS), rows)


def credits_one_by_one(counting: Counting) -> Table:
    """What was put on invoices of credit notes, overpayments and prepayments, on the day on which it counts."""
    rows = [row for pair in counting.credits for row in _money_rows(counting, pair, lambda pair: [])]
    title = "Credits on invoices, one by one"
    about = "What was put on invoices in the period of credit notes, overpayments and prepayments, by the day on which it counts."
    return _table(counting, "credits_one_by_one", title, about, (*_MONEY, *_IDS), rows)


def as_people_count(number: object) -> list[tuple[int, int, str]]:
    """By what numbers of documents are sorted: INV-9 before INV-10."""
    parts = re.findall(r"0*([0-9]+)|([^0-9]+)", str(number))
    return [(0, len(digits), digits) if digits else (1, 0, text.casefold()) for digits, text in parts]


def totals(counting: Counting, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """What the amounts of rows come to, for each currency: of a table whose first columns are the currency and some words."""
    sums: dict[str, list[Cell]] = {}
    for row in rows:
        total = sums.setdefault(str(row[0]), [ZERO if column.holds == "amount" else None for column in columns])
        for place, cell in enumerate(row):
            before = total[place]
            if isinstance(cell, Decimal) and isinstance(before, Decimal):
                total[place] = before + cell
    return [[currency, "Total", *sums[currency][2:]] for currency in counting.in_order(sums)]


def _table(
    counting: Counting, key: str, title: str, about: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]
) -> Table:
    """A long table: sorted by currency and number, with totals; a screen shows none of it."""

    def order(row: Sequence[Cell]) -> tuple[object, ...]:
        return counting.place_of(str(row[0])), as_people_count(row[1]), [str(cell) for cell in row]

    shown = sorted(rows, key=order)
    places = {column.key: place for place, column in enumerate(columns)}
    beside = [(places[f"caspen_{what}"], places[f"xero_{what}"]) for what in _BESIDE if f"caspen_{what}" in places]
    is_equal = all(row[caspen] == row[xero] for row in shown for caspen, xero in beside)
    return Table(key, title, about, columns, shown, totals(counting, columns, shown), brief=(), is_equal=is_equal)


def _document_rows(counting: Counting, pair: Pair, dues: Dues | None = None) -> Iterator[list[Cell]]:
    """A pair's row, where it is of the period or something is due on it; two where the sides have two currencies."""
    for one in _by_currency(pair):
        caspen, xero = one.caspen, one.xero
        total, there = counting.of_caspen(one), counting.of_xero(one)
        owed = [dues.of_caspen(caspen), dues.of_xero(xero)] if dues else []
        named = caspen or xero
        if named is None or not (any(owed) or any(side and _is_dated(counting, side) for side in (caspen, xero))):
            continue
        yield [
            named.currency,
            named.number,
            counting.party(named),
            *(side.day if side else None for side in (caspen, xero)),
            *(side.status if side else "" for side in (caspen, xero)),
            *_beside(total.total if total else None, there.total if there else None),
            *(_beside(*owed) if owed else ()),
            *(side.id if side else "" for side in (caspen, xero)),
        ]


def _money_rows(counting: Counting, pair: MoneyPair, more: Callable[[MoneyPair], list[Cell]]) -> Iterator[list[Cell]]:
    """A payment's or credit's row, where it is of the period; two where the sides have two currencies."""
    for one in _by_currency(pair):
        caspen, xero = one.caspen, one.xero
        named, amount, there = caspen or xero, counting.dated(caspen), counting.dated(xero)
        if named is None or not (amount or there):
            continue
        yield [
            named.currency,
            *counting.named(named),
            *(side.day if side else None for side in (caspen, xero)),
            named.reference or (xero.reference if xero else ""),
            *_beside(amount.amount if amount else None, there.amount if there else None),
            *more(one),
            *(side.id if side else "" for side in (caspen, xero)),
        ]


_Sides = TypeVar("_Sides", Pair, MoneyPair)


def _by_currency(pair: _Sides) -> list[_Sides]:
    """A pair, or its sides alone where they have two currencies: no sum goes across them."""
    if pair.caspen and pair.xero and pair.caspen.currency != pair.xero.currency:
        return [replace(pair, xero=None), replace(pair, caspen=None)]
    return [pair]


def _is_dated(counting: Counting, one: Document) -> bool:
    return counting.compared.asked.holds(one.day)


def _beside(caspen: Decimal | None, xero: Decimal | None) -> list[Cell]:
    """Both amounts and by how much Xero's is more; an amount that does not count is none."""
    both: list[Cell] = [None if one is None else ZERO + one for one in (caspen, xero)]
    return [*both, ZERO + (xero or ZERO) - (caspen or ZERO)]
