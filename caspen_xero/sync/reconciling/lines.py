"""Lines in cents: what each line of Caspen's comes to where the document's own figures are the truth. Pure.

The rule (decision 2): a line's amount, and its tax, is the nearest whole cent; what is then left of the document's figure goes a
cent each where the fraction lost is largest, and a tax of whole cents may move last. Half a cent, and equal fractions, may go
either way, so one document can have several such spreads: of these the one nearest to what Xero shows counts. Where Caspen
tells cents for every line, and they belong to the document, they are the truth themselves.

Everything is counted in cents, as `Fraction` or `int`; floats do not occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from caspen_xero.caspen.records import CreditNoteLine, InvoiceLine, TaxMode
from caspen_xero.sync.reconciling.ledger import ExactLine

Cents = tuple[Fraction, Fraction]
"""A line's amount (with its tax in it where prices include tax) and its tax."""


def cents_of(amount: Decimal) -> Fraction:
    """An amount of money in cents."""
    return Fraction(amount) * 100


def money_of(cents: Fraction | int) -> Decimal:
    """Cents as money: with two decimals, or exactly what they are where they are no whole cents."""
    exact = Fraction(cents)
    if exact.denominator == 1:
        return Decimal(exact.numerator).scaleb(-2)
    return Decimal(exact.numerator) / Decimal(exact.denominator) / 100


def exact_line(line: InvoiceLine | CreditNoteLine, percentage: Decimal) -> ExactLine:
    """A line before anybody rounds it: quantity times price, less its discount. `percentage`: of its tax rate."""
    amount = Fraction(line.quantity) * cents_of(line.unit_price)
    if line.discount is not None:
        off = Fraction(line.discount.value)
        amount -= amount * off / 100 if line.discount.type == "percentage" else off * 100
    return ExactLine(
        amount=amount,
        percentage=percentage,
        rate_id=line.tax_rate_id,
        text=line.description or line.item_code or "",
        own_amount=None if line.amount is None else cents_of(line.amount),
        own_tax=None if line.tax is None else cents_of(line.tax),
    )


@dataclass(frozen=True)
class Figures:
    """A document's own subtotal, tax and total, in cents."""

    subtotal: Fraction
    tax: Fraction
    total: Fraction


def counted(
    lines: Sequence[ExactLine],
    figures: Figures,
    tax_mode: TaxMode,
    there: Sequence[Cents | None],
    *,
    by_rule: bool,
) -> list[Cents]:
    """What each line of Caspen's counts: of all that the rule allows, what is nearest to `there` (Xero's, None where it has none).

    `by_rule` False: the lines in Xero were written by somebody else, and may be rounded otherwise by less than a cent each.
    """
    target = figures.total if tax_mode == "inclusive" else figures.subtotal
    amounts = _amounts(lines, target, [one and one[0] for one in there], by_rule=by_rule)
    if tax_mode == "none":
        return [(amount, Fraction(0)) for amount in amounts]
    taxes = _taxes(lines, amounts, figures.tax, tax_mode, [one and one[1] for one in there], by_rule=by_rule)
    return list(zip(amounts, taxes, strict=True))


def _amounts(
    lines: Sequence[ExactLine], target: Fraction, there: Sequence[Fraction | None], *, by_rule: bool
) -> list[Fraction]:
    exact = [line.amount for line in lines]
    own = _own([line.own_amount for line in lines], target)
    if own is not None and all(abs(mine - true) < 1 for mine, true in zip(own, exact, strict=True)):
        return own
    if own is not None and own == list(there):
        return own
    return _nearest_spread(exact, target, there, by_rule=by_rule) or own or _forced(exact, target, there)


def _taxes(
    lines: Sequence[ExactLine],
    amounts: Sequence[Fraction],
    target: Fraction,
    tax_mode: TaxMode,
    there: Sequence[Fraction | None],
    *,
    by_rule: bool,
) -> list[Fraction]:
    exact = [_tax_in(amount, line.percentage, tax_mode) for amount, line in zip(amounts, lines, strict=True)]
    own = _own([line.own_tax for line in lines], target)
    if own is not None and all(abs(mine - true) <= 1 for mine, true in zip(own, exact, strict=True)):
        return own
    spread = _nearest_spread(exact, target, there, by_rule=by_rule, whole_may_move=True)
    return spread or _forced(exact, target, there)


def _tax_in(amount: Fraction, percentage: Decimal, tax_mode: TaxMode) -> Fraction:
    rate = Fraction(percentage) / 100
    return amount * rate / (1 + rate) if tax_mode == "inclusive" else amount * rate


def _own(given: Sequence[Fraction | None], target: Fraction) -> list[Fraction] | None:
    """Caspen's own cents, where it tells them for every line and they are whole and come to the document's figure."""
    own = [one for one in given if one is not None]
    is_whole = len(own) == len(given) and all(one.denominator == 1 for one in own)
    return own if own and is_whole and sum(own) == target else None


def _nearest_spread(
    exact: Sequence[Fraction],
    target: Fraction,
    there: Sequence[Fraction | None],
    *,
    by_rule: bool,
    whole_may_move: bool = False,
) -> list[Fraction] | None:
    """The spread of `target` that is nearest to `there`; None where none comes to it."""
    if not by_rule and _is_within_a_cent(exact, target, there):
        return [one for one in there if one is not None]
    if target.denominator != 1:
        return None
    broken = [place for place, one in enumerate(exact) if one.denominator != 1]
    whole = [place for place, one in enumerate(exact) if one.denominator == 1]
    cents = [Fraction(floor(one)) for one in exact]
    upwards = int(target - sum(cents))  # so many of the broken ones are rounded up

    def is_there(place: int, value: int) -> bool:
        return there[place] == value

    broken.sort(key=lambda place: (cents[place] - exact[place], not is_there(place, ceil(exact[place]))))
    for place in broken[: max(0, upwards)]:
        cents[place] += 1
    left = upwards - len(broken) if upwards > len(broken) else min(upwards, 0)
    if left == 0:
        return cents
    step = 1 if left > 0 else -1
    movable = [place for place in whole if exact[place] != 0] if whole_may_move else []
    movable.sort(key=lambda place: not is_there(place, int(exact[place]) + step))
    if len(movable) < abs(left):
        return None
    for place in movable[: abs(left)]:
        cents[place] += step
    return cents


def _is_within_a_cent(exact: Sequence[Fraction], target: Fraction, there: Sequence[Fraction | None]) -> bool:
    given = [one for one in there if one is not None]
    if len(given) != len(exact) or sum(given) != target:
        return False
    return all(abs(one - true) <= 1 for one, true in zip(given, exact, strict=True))


def _forced(exact: Sequence[Fraction], target: Fraction, there: Sequence[Fraction | None]) -> list[Fraction]:
    """Cents for lines that don't belong to their document's figure by any rule, as where a tax rate was another one then.

    Xero's where these come to the figure; else the nearest cents, the rest on the largest, so that they come to it too.
    """
    given = [one for one in there if one is not None]
    if len(given) == len(exact) and sum(given) == target:
        return given
    cents = [Fraction(floor(one + Fraction(1, 2))) for one in exact]
    if cents:
        largest = max(range(len(cents)), key=lambda place: abs(exact[place]))
        cents[largest] += target - sum(cents)
    return cents
