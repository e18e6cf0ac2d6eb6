"""From Caspen's whole to Xero's whole, step by step: what is left out, what differs, and what Caspen knows nothing of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from caspen_xero.sync.reconciling.counting import ZERO, Counting
from caspen_xero.sync.reconciling.ledger import Document, Kind, Money, Pair
from caspen_xero.sync.reconciling.tables import Cell, Column, Table

WHOLE_OF_CASPEN, TO_BE_IN_XERO, CASPENS_IN_XERO, WHOLE_OF_XERO = SUMS = (
    "all-in-caspen",
    "to-be-in-xero",
    "caspens-in-xero",
    "all-in-xero",
)
"""The steps that are sums: each is what all steps since the first come to. The last is computed from what is in Xero alone."""

TOLD = "told"
ADDED = {TOLD: "plus found in Xero, told to Caspen"}
"""What Caspen counts as its own though its records do not have it yet."""
LEFT_OUT = {
    "draft": "less drafts",
    "void": "less void or deleted",
    "skipped": "less skipped",
    "before-start-date": "less from before the start date",
    "feed": "less left to the bank's feed",
    "invoice-left-out": "less on invoices that are left out",
    "held": "less held",
    "pending": "less not sent yet",
}
DIFFERS = {
    "missing-in-xero": "differs: not in Xero",
    "unreadable-in-xero": "differs: can't be read in Xero",
    "voided-in-xero": "differs: void or deleted in Xero",
    "draft-in-xero": "differs: a draft in Xero",
    "date": "differs: dated in or out of the period",
    "currency": "differs: another currency",
    "figures": "differs: other figures",
    "gone-in-caspen": "differs: void or a draft in Caspen",
}
UNKNOWN = {
    "unknown-in-caspen": "differs: not known in Caspen",
    "twice-in-xero": "differs: twice in Xero",
}
BESIDES = {
    "left-out-in-xero": "plus left out above, and in Xero",
    "others": "plus nobody's of Caspen's",
}
UNACCOUNTED = "not-accounted-for"
_TITLES = {"invoice": "Invoices", "credit_note": "Credit notes", "payment": "Payments"}


@dataclass
class _Step:
    """What one step adds: `number` and `amount` are signed, `concerned` counts what it is about."""

    number: int = 0
    amount: Decimal = ZERO
    concerned: int = 0

    def add(self, number: int, amount: Decimal) -> None:
        self.number, self.amount, self.concerned = self.number + number, self.amount + amount, self.concerned + 1


@dataclass
class _Bridge:
    """All steps of one kind, by currency and code."""

    steps: dict[str, dict[str, _Step]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(_Step)))

    def add(self, code: str, one: Document | Money, sign: int = 1) -> None:
        """A document or payment that a step adds, or takes away."""
        self.steps[one.currency][code].add(sign, sign * _amount(one))

    def moves(self, code: str, caspen: Document | Money, xero: Document | Money) -> None:
        """One that is on both sides, in the same currency, with another amount."""
        if by := _amount(xero) - _amount(caspen):
            self.steps[caspen.currency][code].add(0, by)


Whole = Mapping[str, Iterable[Document | Money]]
"""All that a side has, as it was read, by kind (`invoice`, `credit_note`, `payment`)."""


def bridge(counting: Counting, in_caspen: Whole | None = None, in_xero: Whole | None = None) -> Table:
    """The bridge of invoices, credit notes and payments of the period, for each currency.

    `in_caspen`, `in_xero`: what either side has in all, where that is at hand; what they do not tell of is gathered from what was
    compared. What is there and in no step is a step of its own, so that nothing can be lost on the way.
    """
    rows: list[list[Cell]] = []
    equal = True
    made = {"invoice": _documents(counting, "invoice"), "credit_note": _documents(counting, "credit_note")}
    made["payment"] = _payments(counting)
    for kind, one in made.items():
        _close(counting, one, kind, in_caspen or {}, in_xero or {})
    for currency in counting.in_order({counting.base_currency} | {each for one in made.values() for each in one.steps}):
        for kind, one in made.items():
            steps = one.steps.get(currency, {})
            if steps or (kind == "invoice" and currency == counting.base_currency):
                rows += _rows(currency, kind, steps)
                equal &= not any(_is_difference(code) and step.concerned for code, step in steps.items())
    about = "How all that Caspen has of the period becomes all that Xero has of it, step by step: what each adds or takes away."
    columns = (
        Column("currency", "Currency"),
        Column("what", "What"),
        Column("code", "Code", spare=True),
        Column("step", "Step"),
        Column("concerned", "How many", "count", spare=True),
        Column("number", "Number", "count"),
        Column("amount", "Amount", "amount"),
    )
    return Table("bridge", "From Caspen to Xero", about, columns, rows, is_equal=equal)


def has_unaccounted(table: Table) -> bool:
    """Whether a table is a bridge whose steps do not come to Xero's whole by themselves."""
    places = [place for place, column in enumerate(table.columns) if (table.key, column.key) == ("bridge", "code")]
    return any(row[place] == UNACCOUNTED for row in table.rows for place in places)


def _documents(counting: Counting, kind: Kind) -> _Bridge:
    """The steps of invoices, or of credit notes."""
    made, holds = _Bridge(), counting.compared.asked.holds
    unreadable, twice = counting.codes_of("unreadable-in-xero"), counting.codes_of("twice-in-xero")
    for pair in counting.pairs(kind):
        caspen = pair.caspen
        if caspen and holds(caspen.day) and caspen.standing != "stands":
            made.add("draft" if caspen.standing == "draft" else "void", caspen, -1)
        _differs(counting, made, pair, unreadable)
        if caspen is None and (xero := counting.of_xero(pair)):
            made.add("twice-in-xero" if xero.id in twice else "unknown-in-caspen", xero)
    for left in counting.left_out(kind):
        if holds(left.document.day):
            made.add(left.why, left.document, -1)
        if there := counting.in_xero(left.xero):
            made.add("left-out-in-xero", there)
    for other in counting.others(kind):
        if counting.in_xero(other):
            made.add("others", other)
    return made


def _differs(counting: Counting, made: _Bridge, pair: Pair, unreadable: set[str]) -> None:
    """What a pair differs by in the period."""
    caspen, xero = counting.of_caspen(pair), counting.of_xero(pair)
    if pair.caspen is None:
        return
    if caspen and xero and caspen.currency == xero.currency:
        made.moves("figures", caspen, xero)
        return
    if caspen and xero:
        code = "currency"
    elif caspen:
        code = _why_not(counting, pair, unreadable)
    else:
        code = "date" if pair.caspen.standing == "stands" else "gone-in-caspen"
    if caspen:
        made.add(code, caspen, -1)
    if xero:
        made.add(code, xero)


def _why_not(counting: Counting, pair: Pair, unreadable: set[str]) -> str:
    """Why what counts in Caspen does not in Xero."""
    if pair.xero is None:
        return "unreadable-in-xero" if pair.caspen and pair.caspen.id in unreadable else "missing-in-xero"
    if counting.stands_in_xero(pair.xero):
        return "date"
    return "draft-in-xero" if pair.xero.standing == "draft" else "voided-in-xero"


def _payments(counting: Counting) -> _Bridge:
    """The steps of payments. Credits are told of with the credit notes."""
    made, unreadable = _Bridge(), counting.codes_of("unreadable-in-xero")
    for pair in counting.payments:
        caspen, xero = counting.money_of_caspen(pair), counting.money_of_xero(pair)
        if pair.caspen is None:
            if xero:
                made.add("unreadable-in-xero" if xero.invoice in unreadable else "unknown-in-caspen", xero)
        elif caspen and xero and caspen.currency == xero.currency:
            made.moves("figures", caspen, xero)
        else:
            missing = "unreadable-in-xero" if pair.caspen.invoice in unreadable else "missing-in-xero"
            code = "currency" if caspen and xero else "date" if pair.xero else missing
            for one, sign in ((caspen, -1), (xero, 1)):
                if one:
                    made.add(code, one, sign)
    for money, step in counting.payments_of_others:
        if counting.dated(money):
            made.add(step, money)
    for money, reason in counting.compared.money_left_out:
        if money.kind == "payment" and counting.dated(money):
            made.add(reason, money, -1)
    return made


def _close(counting: Counting, made: _Bridge, kind: str, in_caspen: Whole, in_xero: Whole) -> None:
    """The first line and the last, each from its own side alone; what no step explains between them is a step of its own."""
    here = in_caspen[kind] if kind in in_caspen else _known_in_caspen(counting, kind)
    there = in_xero[kind] if kind in in_xero else _known_in_xero(counting, kind)
    if kind == "payment":
        there = [counting.listed(one) if isinstance(one, Money) else one for one in there]
    holds = counting.compared.asked.holds
    here = [one for one in here if one.kind == kind and holds(one.day)]
    first, told = _total(one for one in here if not _is_told(one)), _total(one for one in here if _is_told(one))
    last = _total(one for one in there if one.kind == kind and _counts(counting, one))
    for currency in {*first, *told, *last, *made.steps}:
        steps = made.steps[currency]
        if currency in told:
            steps[TOLD] = told[currency]
        steps[WHOLE_OF_CASPEN], steps[WHOLE_OF_XERO] = first.get(currency, _Step()), last.get(currency, _Step())
        adding = [step for code, step in steps.items() if code not in SUMS or code == WHOLE_OF_CASPEN]
        number = steps[WHOLE_OF_XERO].number - sum(step.number for step in adding)
        amount = steps[WHOLE_OF_XERO].amount - sum((step.amount for step in adding), ZERO)
        if number or amount:
            steps[UNACCOUNTED] = _Step(number, amount, abs(number) or 1)


def _is_told(one: Document | Money) -> bool:
    return isinstance(one, Money) and one.told


def _counts(counting: Counting, one: Document | Money) -> bool:
    return bool(counting.in_xero(one) if isinstance(one, Document) else counting.dated(one))


def _known_in_caspen(counting: Counting, kind: str) -> Iterator[Document | Money]:
    """All that is known of Caspen's of a kind."""
    compared = counting.compared
    if kind == "payment":
        yield from (pair.caspen for pair in counting.money if pair.caspen)
        yield from (money for money, _ in compared.money_left_out)
        return
    pairs = compared.invoices if kind == "invoice" else compared.credit_notes
    yield from (pair.caspen for pair in pairs if pair.caspen)
    yield from (left.document for left in compared.left_out)


def _known_in_xero(counting: Counting, kind: str) -> Iterator[Document | Money]:
    """All that is known of Xero's of a kind."""
    compared = counting.compared
    if kind == "payment":
        yield from (pair.xero for pair in counting.money if pair.xero)
        return
    pairs = compared.invoices if kind == "invoice" else compared.credit_notes
    for one in (*(pair.xero for pair in pairs), *(left.xero for left in compared.left_out), *compared.others):
        if one:
            yield one


def _total(them: Iterable[Document | Money]) -> dict[str, _Step]:
    """What there is in all, by currency; each document and payment once."""
    total: dict[str, _Step] = {}
    for one in {(one if isinstance(one, Money) else one.id): one for one in them}.values():
        total.setdefault(one.currency, _Step()).add(1, _amount(one))
    return total


def _amount(one: Document | Money) -> Decimal:
    return one.total if isinstance(one, Document) else one.amount


def _rows(currency: str, kind: str, steps: Mapping[str, _Step]) -> Iterator[list[Cell]]:
    """The rows of one kind in one currency: the sums, and between them the steps that there are."""
    sofar = _Step()
    left_out = ADDED | LEFT_OUT | {code: f"less {code}" for code in steps if code not in _KNOWN}
    sums = (
        ({WHOLE_OF_CASPEN: ""}, WHOLE_OF_CASPEN, "All in Caspen"),
        (left_out, TO_BE_IN_XERO, "To be in Xero"),
        (DIFFERS, CASPENS_IN_XERO, "Caspen's in Xero"),
        (
            UNKNOWN | BESIDES | {UNACCOUNTED: "differs: not accounted for"},
            WHOLE_OF_XERO,
            "All payments in Xero" if kind == "payment" else "All in Xero",
        ),
    )
    for between, code, words in sums:
        for each, text in between.items():
            if step := steps.get(each):
                sofar.number, sofar.amount = sofar.number + step.number, sofar.amount + step.amount
                if each != code:
                    yield [currency, _TITLES[kind], each, text, step.concerned, step.number, step.amount]
        last = steps.get(code, _Step()) if code == WHOLE_OF_XERO else sofar
        yield [currency, _TITLES[kind], code, words, None, last.number, last.amount]


def _is_difference(code: str) -> bool:
    """Whether a step shows something that is not equal."""
    return code in DIFFERS or code in UNKNOWN or code == UNACCOUNTED


_KNOWN = {*SUMS, *ADDED, *LEFT_OUT, *DIFFERS, *UNKNOWN, *BESIDES, UNACCOUNTED}
