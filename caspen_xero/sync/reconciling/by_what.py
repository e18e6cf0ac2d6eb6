"""The period in sums: by month, by tax rate, by account, and payments by account and method, both sides beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from caspen_xero.sync.reconciling.counting import ZERO, Counting, less
from caspen_xero.sync.reconciling.ledger import Document, Line, Money, MoneyPair, Pair
from caspen_xero.sync.reconciling.tables import Cell, Column, Table

INVOICES, CREDIT_NOTES, PAYMENTS = "Invoices", "Credit notes", "Payments"
SALES = "Invoices less credit notes"
NOT_ON_A_LINE = "(on no line)"
NO_RATE, NO_ACCOUNT = "(no tax rate)", "(no account)"
NO_METHOD, TOLD, UNKNOWN = "(no method)", "(found in Xero)", "(not in Caspen)"
_CURRENCY = Column("currency", "Currency")


@dataclass
class _Sum:
    """What a side comes to: how many, without tax, the tax, and in all."""

    number: int = 0
    net: Decimal = ZERO
    tax: Decimal = ZERO
    total: Decimal = ZERO

    def add(self, number: int, net: Decimal, tax: Decimal, total: Decimal) -> None:
        self.number, self.net = self.number + number, self.net + net
        self.tax, self.total = self.tax + tax, self.total + total


@dataclass
class _Both:
    """Both sides of a row. `moved`: what of Caspen's counts here though it was meant for another account, less what went away from
    here: a bookkeeper decided so.
    """

    caspen: _Sum = field(default_factory=_Sum)
    xero: _Sum = field(default_factory=_Sum)
    moved: Decimal = ZERO

    def add(self, other: _Both, sign: int = 1) -> None:
        """Takes the figures of another row in, or away."""
        for mine, its in ((self.caspen, other.caspen), (self.xero, other.xero)):
            mine.add(sign * its.number, sign * its.net, sign * its.tax, sign * its.total)
        self.moved += sign * other.moved

    def takes(self, number: int, amount: Decimal) -> None:
        """What of Caspen's is moved here, or, of a negative number or amount, away."""
        self.caspen.add(number, amount, ZERO, amount)
        self.moved += amount

    def of(self, figure: Literal["net", "tax", "total"]) -> list[Decimal]:
        """Caspen's, Xero's, and by how much Xero's is more."""
        caspen, xero = (getattr(side, figure) for side in (self.caspen, self.xero))
        return [caspen, xero, xero - caspen]

    @property
    def is_equal(self) -> bool:
        """Whether the sides are the same to the cent."""
        caspen, xero = self.caspen, self.xero
        return (caspen.net, caspen.tax, caspen.total) == (xero.net, xero.tax, xero.total)


class _Sums(dict[tuple[str, ...], _Both]):
    """Rows by their names, of which the first is the currency."""

    def __missing__(self, key: tuple[str, ...]) -> _Both:
        self[key] = _Both()
        return self[key]

    def in_order(self, counting: Counting) -> list[tuple[tuple[str, ...], _Both]]:
        """The rows, sorted by currency and then by name; what is in brackets comes last."""
        return sorted(
            self.items(),
            key=lambda row: (counting.place_of(row[0][0]), [(name[:1] == "(", name.casefold()) for name in row[0][1:]]),
        )

    def totals(self, *names: str) -> _Sums:
        """What all rows of a currency come to, under these names."""
        totals = _Sums()
        for (currency, *_), row in self.items():
            totals[currency, *names].add(row)
        return totals


def by_month(counting: Counting) -> Table:
    """Invoices, credit notes and payments of each month, by each side's own dates."""
    sums, totals = _Sums(), _Sums()
    for what, pairs in ((INVOICES, counting.compared.invoices), (CREDIT_NOTES, counting.compared.credit_notes)):
        for one, is_xero in _documents(counting, pairs):
            side = _side(sums[one.currency, f"{one.day:%Y-%m}", what], is_xero)
            side.add(1, one.subtotal, one.tax, one.total)
    for _, money, is_xero in _payments(counting):
        side = _side(sums[money.currency, f"{money.day:%Y-%m}", PAYMENTS], is_xero)
        side.add(1, money.amount, ZERO, money.amount)
    for (currency, _, what), row in sums.items():
        totals[currency, "Total", what].add(row)
    for currency in {currency for currency, _, what in totals if what == CREDIT_NOTES}:
        sales = totals[currency, "Total", SALES]
        sales.add(totals[currency, "Total", INVOICES])
        sales.add(totals[currency, "Total", CREDIT_NOTES], -1)
    columns = (
        _CURRENCY,
        Column("month", "Month"),
        Column("what", "What"),
        Column("caspen_number", "Number in Caspen", "count", spare=True),
        Column("xero_number", "Number in Xero", "count", spare=True),
        *_beside("subtotal", "Without tax", spare=True),
        *_beside("tax", "Tax", spare=True),
        *_beside("total", "Total"),
    )

    def cells(key: tuple[str, ...], row: _Both) -> list[Cell]:
        what, numbers = key[2], (row.caspen.number, row.xero.number)
        taxed: list[Cell] = [*row.of("net"), *row.of("tax")]
        return [
            *key,
            *((None, None) if what == SALES else numbers),
            *([None] * len(taxed) if what == PAYMENTS else taxed),
            *row.of("total"),
        ]

    order = (INVOICES, CREDIT_NOTES, SALES, PAYMENTS)
    return Table(
        "by_month",
        "By month",
        "What is dated in each month on either side: invoices, credit notes and payments, with the difference.",
        columns,
        [cells(key, row) for key, row in _by_what(sums, counting, order)],
        [cells(key, row) for key, row in _by_what(totals, counting, order)],
        is_equal=all(row.is_equal and row.caspen.number == row.xero.number for row in sums.values()),
    )


def by_tax_rate(counting: Counting) -> Table:
    """Sales without tax and their tax, by Xero's tax rate; credit notes are taken away."""
    sums, names = _Sums(), counting.compared.names.rates
    for line, one, is_xero in _lines(counting):
        tax_type = line.rate
        name = names.get(tax_type) or tax_type or (line.text if line.text == NOT_ON_A_LINE else NO_RATE)
        _side(sums[one.currency, name, tax_type], is_xero).add(
            1, less(one) * line.net, less(one) * line.tax, less(one) * (line.net + line.tax)
        )
    columns = (
        _CURRENCY,
        Column("tax_rate", "Tax rate"),
        Column("tax_type", "Tax type in Xero", spare=True),
        *_beside("net", "Without tax"),
        *_beside("tax", "Tax"),
        *_beside("total", "With tax", spare=True),
    )

    def cells(key: tuple[str, ...], row: _Both) -> list[Cell]:
        return [*key, *row.of("net"), *row.of("tax"), *row.of("total")]

    return Table(
        "by_tax_rate",
        "By tax rate",
        "Invoices less credit notes of the period by tax rate, as the activity statement needs them.",
        columns,
        [cells(key, row) for key, row in sums.in_order(counting)],
        [cells(key, row) for key, row in sums.totals("Total", "").in_order(counting)],
        is_equal=all(row.is_equal for row in sums.values()),
    )


def by_account(counting: Counting) -> Table:
    """Sales without tax by account: as they were sent, what a bookkeeper recoded since, and as they stand in Xero."""
    sums = _Sums()

    def name(line: Line) -> str:
        unnamed = NOT_ON_A_LINE if line.text == NOT_ON_A_LINE else NO_ACCOUNT
        return counting.compared.names.accounts.get(line.account) or line.account or unnamed

    for line, one, is_xero in _lines(counting):
        net = less(one) * line.net
        _side(sums[one.currency, name(line)], is_xero).add(1, net, ZERO, net)
    counted = {side.id: caspen for caspen, side in _counted_with(counting)}
    for document, sent, there in counting.compared.recoded:
        if whose := counted.get(document.id):
            sums[whose.currency, name(sent)].takes(0, -less(whose) * sent.net)
            sums[whose.currency, name(there)].takes(0, less(whose) * sent.net)
    columns = (
        _CURRENCY,
        Column("account", "Account"),
        Column("sent", "As sent", "amount", spare=True),
        Column("recoded", "Recoded", "amount"),
        Column("caspen_net", "Caspen", "amount"),
        Column("xero_net", "Xero", "amount"),
        Column("difference", "Difference", "amount"),
    )

    def cells(key: tuple[str, ...], row: _Both) -> list[Cell]:
        return [*key, row.caspen.net - row.moved, row.moved or None, *row.of("net")]

    return Table(
        "by_account",
        "By account",
        "Invoices less credit notes of the period, without tax: as they were sent, what a bookkeeper recoded since, and what both "
        "sides come to then.",
        columns,
        [cells(key, row) for key, row in sums.in_order(counting)],
        [cells(key, row) for key, row in sums.totals("Total").in_order(counting)],
        is_equal=all(row.is_equal for row in sums.values()),
    )


def payments(counting: Counting) -> Table:
    """Payments of the period by the account that they were paid into, and by Caspen's method."""
    sums, accounts = _Sums(), counting.compared.names.accounts

    def key(pair: MoneyPair, account: str) -> tuple[str, str]:
        return accounts.get(account) or account or NO_ACCOUNT, _method(pair)

    for pair, money, is_xero in _payments(counting):
        there = pair.xero.account if pair.xero else ""
        chosen, found = key(pair, money.account or there), key(pair, there or money.account)
        _side(sums[money.currency, *chosen], is_xero).add(1, money.amount, ZERO, money.amount)
        if not is_xero and chosen != found:
            sums[money.currency, *chosen].takes(-1, -money.amount)
            sums[money.currency, *found].takes(1, money.amount)
    columns = (
        _CURRENCY,
        Column("account", "Account"),
        Column("method", "Method"),
        Column("caspen_number", "Number in Caspen", "count", spare=True),
        Column("xero_number", "Number in Xero", "count", spare=True),
        Column("caspen_amount", "Caspen", "amount"),
        Column("xero_amount", "Xero", "amount"),
        Column("difference", "Difference", "amount"),
        Column("moved", "Chosen for another account", "amount", spare=True),
    )

    def cells(key: tuple[str, ...], row: _Both) -> list[Cell]:
        return [*key, row.caspen.number, row.xero.number, *row.of("total"), row.moved or None]

    return Table(
        "payments",
        "Payments by account and method",
        "Payments of the period by the account that they are in, and by Caspen's payment method. What was to go to another account "
        "counts where a bookkeeper has put it.",
        columns,
        [cells(key, row) for key, row in sums.in_order(counting)],
        [cells(key, row) for key, row in sums.totals("Total", "").in_order(counting)],
        is_equal=all(row.is_equal for row in sums.values()),
    )


def _beside(figure: str, title: str, *, spare: bool = False) -> list[Column]:
    """The columns of a figure: Caspen's, Xero's and the difference. That of what counts in the end is named by that alone."""
    keys = (f"caspen_{figure}", f"xero_{figure}", "difference" if figure == "total" else f"difference_{figure}")
    titles = [f"{title}, {side}" for side in ("Caspen", "Xero", "difference")]
    return [Column(key, each, "amount", spare) for key, each in zip(keys, titles, strict=True)]


def _documents(counting: Counting, pairs: Iterable[Pair]) -> Iterator[tuple[Document, bool]]:
    """The documents that count on either side, and whether it is Xero's."""
    for pair in pairs:
        if caspen := counting.of_caspen(pair):
            yield caspen, False
        if xero := counting.of_xero(pair):
            yield xero, True


def _lines(counting: Counting) -> Iterator[tuple[Line, Document, bool]]:
    """The lines of all that counts; what its lines do not come to of a document is a line of its own, so that nothing is lost."""
    for one, is_xero in _documents(counting, (*counting.compared.invoices, *counting.compared.credit_notes)):
        for line in one.lines:
            yield line, one, is_xero
        net = one.subtotal - sum((line.net for line in one.lines), ZERO)
        tax = one.tax - sum((line.tax for line in one.lines), ZERO)
        if net or tax:
            yield Line(net, tax, "", "", NOT_ON_A_LINE), one, is_xero


def _payments(counting: Counting) -> Iterator[tuple[MoneyPair, Money, bool]]:
    """The payments that count on either side, each with its pair, and whether it is Xero's."""
    for pair in counting.payments:
        if caspen := counting.money_of_caspen(pair):
            yield pair, caspen, False
        if xero := counting.money_of_xero(pair):
            yield pair, xero, True


def _counted_with(counting: Counting) -> Iterator[tuple[Document, Document]]:
    """Each of Caspen's documents that counts, with itself and with the one in Xero."""
    for pair in (*counting.compared.invoices, *counting.compared.credit_notes):
        if caspen := counting.of_caspen(pair):
            yield from ((caspen, side) for side in (pair.caspen, pair.xero) if side)


def _method(pair: MoneyPair) -> str:
    if pair.caspen is None:
        return UNKNOWN
    return pair.caspen.method or (TOLD if pair.caspen.told else NO_METHOD)


def _side(row: _Both, is_xero: bool) -> _Sum:
    return row.xero if is_xero else row.caspen


def _by_what(sums: _Sums, counting: Counting, order: Sequence[str]) -> list[tuple[tuple[str, ...], _Both]]:
    """The rows by currency and month, and in each as a person reads them."""
    return sorted(sums.items(), key=lambda row: (counting.place_of(row[0][0]), row[0][1], order.index(row[0][2])))
