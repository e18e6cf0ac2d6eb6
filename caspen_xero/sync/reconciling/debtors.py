"""What is owed as at a day: on each invoice, and by each client, as either side has it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from caspen_xero.sync.reconciling.counting import ZERO, Counting
from caspen_xero.sync.reconciling.ledger import Document, Pair
from caspen_xero.sync.reconciling.tables import Cell, Column, Table


@dataclass(frozen=True)
class Dues:
    """What was left to pay of each invoice at the end of a day (`asked.as_at`), each by its own side's dates.

    Of Caspen's it is the total less its payments and credits one by one; of Xero's it is what Xero itself says is due now, to
    which is added what was paid and credited after the day. None: it did not count yet, or does not stand.
    """

    counting: Counting

    def of_caspen(self, one: Document | None) -> Decimal | None:
        """Of an invoice of Caspen's that is compared: without the payments that are not to be in Xero, or not yet."""
        if one is None or not (one.standing == "stands" and one.day <= self.counting.compared.asked.as_at):
            return None
        return one.total - self._of_caspen.get(one.id, ZERO)

    def of_xero(self, one: Document | None) -> Decimal | None:
        """Of an invoice in Xero."""
        if one is None or not (self.counting.stands_in_xero(one) and one.day <= self.counting.compared.asked.as_at):
            return None
        return one.due + self._later_in_xero.get(one.id, ZERO)

    def left_out(self, one: Document) -> Decimal | None:
        """What its payments that are left out take away of what is owed on an invoice that is compared, as a negative amount."""
        return -self._left_out[one.id] if self.of_caspen(one) is not None and one.id in self._left_out else None

    def of_one_left_out(self, one: Document) -> Decimal | None:
        """Of an invoice that is left out itself, all its payments told."""
        due = self.of_caspen(one)
        return None if due is None else due - self._left_out.get(one.id, ZERO)

    @cached_property
    def _of_caspen(self) -> dict[str, Decimal]:
        """What was paid and credited by the day, by Caspen's invoice."""
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for pair in self.counting.money:
            if (one := pair.caspen) and one.day <= self.counting.compared.asked.as_at:
                paid[one.invoice] += one.amount
        return dict(paid)

    @cached_property
    def _left_out(self) -> dict[str, Decimal]:
        """The same of what is left out."""
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for one, _ in self.counting.compared.money_left_out:
            if one.day <= self.counting.compared.asked.as_at:
                paid[one.invoice] += one.amount
        return dict(paid)

    @cached_property
    def _later_in_xero(self) -> dict[str, Decimal]:
        """What was paid and credited after the day, by invoice in Xero."""
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for pair in self.counting.money:
            if (one := pair.xero) and one.day > self.counting.compared.asked.as_at:
                paid[one.invoice] += one.amount
        return dict(paid)


@dataclass
class _Debt:
    """What a client owes."""

    left_out: Decimal = ZERO
    caspen: Decimal = ZERO
    xero: Decimal = ZERO
    others: Decimal = ZERO

    def add(self, other: _Debt) -> None:
        self.left_out, self.caspen = self.left_out + other.left_out, self.caspen + other.caspen
        self.xero, self.others = self.xero + other.xero, self.others + other.others

    @property
    def is_anything(self) -> bool:
        return bool(self.left_out or self.caspen or self.xero or self.others)


_Debts = dict[tuple[str, str, str], _Debt]
"""By currency, contact and name: without a contact the name is who it is."""


def debtors(counting: Counting, dues: Dues) -> Table:
    """What each client owes on either side as at the day, with what is left out of the comparison beside it."""
    debts = _Debts()
    for pair in counting.compared.invoices:
        _add(counting, debts, pair, dues)
    for left in counting.compared.left_out:
        if left.document.kind == "invoice" and (due := dues.of_one_left_out(left.document)):
            _debt(counting, debts, left.document).left_out += due
        if left.xero and left.xero.kind == "invoice" and (due := dues.of_xero(left.xero)):
            _debt(counting, debts, left.xero).others += due
    for other in counting.others("invoice"):
        if due := dues.of_xero(other):
            _debt(counting, debts, other).others += due

    as_at = counting.compared.asked.as_at
    names = {key: _name(counting, key) for key in debts}
    order = sorted(debts, key=lambda key: (counting.place_of(key[0]), names[key].casefold(), key))
    totals: dict[str, _Debt] = {}
    for key in order:
        totals.setdefault(key[0], _Debt()).add(debts[key])
    columns = (
        Column("currency", "Currency"),
        Column("client", "Client"),
        Column("caspen_left_out", "Left out", "amount", spare=True),
        Column("caspen_due", "Caspen", "amount"),
        Column("xero_due", "Xero", "amount"),
        Column("difference", "Difference", "amount"),
        Column("xero_others", "Others in Xero", "amount", spare=True),
    )
    rows = {key: _cells(key[0], names[key], debts[key]) for key in order if debts[key].is_anything}
    differ = [row for key, row in rows.items() if debts[key].caspen != debts[key].xero]
    return Table(
        "debtors",
        f"Debtors as at {as_at.day} {as_at:%b %Y}",
        "What clients owe at the end of that day. Beside it what Caspen's own list and Xero's have besides: what is owed on "
        "invoices that are left out, less payments that are, and on invoices in Xero that are nobody's of Caspen's.",
        columns,
        list(rows.values()),
        [_cells(currency, "Total", totals[currency]) for currency in counting.in_order(totals)],
        brief=differ,
        is_equal=not differ,
    )


def _add(counting: Counting, debts: _Debts, pair: Pair, dues: Dues) -> None:
    """What is owed on an invoice that is compared."""
    caspen, xero = pair.caspen, pair.xero
    if caspen and (due := dues.of_caspen(caspen)):
        _debt(counting, debts, caspen).caspen += due
    if caspen and (left_out := dues.left_out(caspen)):
        _debt(counting, debts, caspen).left_out += left_out
    if xero and (due := dues.of_xero(xero)):
        # One contact may rightly stand for many clients; each is then asked for what is theirs.
        whose = caspen if caspen and caspen.id not in counting.of_another_contact else xero
        key = (xero.currency, whose.contact, "" if whose.contact else whose.party)
        debts.setdefault(key, _Debt()).xero += due


def _debt(counting: Counting, debts: _Debts, one: Document) -> _Debt:
    return debts.setdefault((one.currency, one.contact, "" if one.contact else one.party), _Debt())


def _name(counting: Counting, key: tuple[str, str, str]) -> str:
    _, contact, party = key
    return party or counting.compared.names.parties.get(contact) or counting.parties.get(contact) or contact


def _cells(currency: str, name: str, debt: _Debt) -> list[Cell]:
    return [currency, name, debt.left_out or None, debt.caspen, debt.xero, debt.xero - debt.caspen, debt.others or None]
