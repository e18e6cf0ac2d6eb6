"""Cents without a doubt: exact fractions, rounding, and the spreading of a total over lines so that no half cent is left over.

Everything is counted in whole cents (`int`) or exact `Fraction`s of them; floats do not occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction


def in_cents(amount: Decimal) -> Fraction:
    """An amount of money as an exact number of cents."""
    return Fraction(amount) * 100


def money(cents: int) -> Decimal:
    """Whole cents as an amount with two decimals."""
    return Decimal(cents).scaleb(-2)


def nearest(cents: Fraction) -> int:
    """The nearest whole cent; a half goes away from zero."""
    above, below = cents.numerator, cents.denominator
    whole = (2 * abs(above) + below) // (2 * below)
    return whole if above >= 0 else -whole


def is_tie(cents: Fraction) -> bool:
    """Whether an amount lies exactly half-way between two cents, where half-up and half-even part."""
    return cents.denominator == 2


def spread(exact: Sequence[Fraction], target: int, *, whole_may_move: bool = False) -> list[int] | None:
    """Whole cents for each exact amount that add up to `target`, each less than a cent from its exact amount.

    Amounts are rounded to the nearest; what is left over goes, a cent each, where the fraction lost is largest. With
    `whole_may_move`, amounts that are whole cents may give or take one cent as well, after all others. None where `target` is out
    of reach: then the figures do not belong together.
    """
    cents = [nearest(amount) for amount in exact]
    missing = target - sum(cents)
    if missing == 0:
        return cents
    step = 1 if missing > 0 else -1
    wish = [(amount - whole) * step for amount, whole in zip(exact, cents, strict=True)]
    movable = [index for index in range(len(cents)) if wish[index] > 0 or (whole_may_move and exact[index] != 0)]
    movable.sort(key=lambda index: wish[index], reverse=True)
    if len(movable) < abs(missing):
        return None
    for index in movable[: abs(missing)]:
        cents[index] += step
    return cents
