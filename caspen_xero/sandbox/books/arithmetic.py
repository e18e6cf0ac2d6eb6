"""The sandbox's own arithmetic: how Xero turns lines into amounts, tax and totals.

Each line's amount and each line's tax is rounded to 2 places, and the totals are sums of rounded lines (Xero's
rounding guide: 25.06, 25.61 and 25.63 at 15 % make 11.44 of tax, not 11.45). For tax-inclusive lines the tax is what
remains after taking the rounded net amount off (recorded: 541.25 at 15 % holds 70.60). Half a cent goes up: in recorded documents
all seven lines that tell do so, but no page of Xero's says it, and one old report has a discounted line cut off. `Rounding`
knows the other way, to even, too.
All amounts are in the document's currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
LARGEST_LINE = Decimal("9999999999.99")


@dataclass(frozen=True)
class Rounding:
    """Where a half goes: away from zero, or to the even digit."""

    mode: str

    def to_places(self, amount: Decimal, places: int) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-places), rounding=self.mode)

    def cents(self, amount: Decimal) -> Decimal:
        return self.to_places(amount, 2)


ROUNDINGS = {"half-up": Rounding(ROUND_HALF_UP), "half-even": Rounding(ROUND_HALF_EVEN)}


@dataclass(frozen=True)
class Amounts:
    """The totals of a document."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal


def line_amount(
    rounding: Rounding, quantity: Decimal, unit_amount: Decimal, discount_rate: Decimal, discount_amount: Decimal
) -> Decimal:
    """quantity x unit amount, less one discount (a percentage, or an amount for the whole line), to the cent."""
    gross = quantity * unit_amount
    if discount_rate:
        return rounding.cents(gross * (HUNDRED - discount_rate) / HUNDRED)
    return rounding.cents(gross - discount_amount)


def line_tax(rounding: Rounding, amount: Decimal, percentage: Decimal, line_amount_types: str) -> Decimal:
    """The tax of one line, to the cent; `amount` is the line's amount as its LineAmountTypes says."""
    if line_amount_types == "NoTax":
        return ZERO
    if line_amount_types == "Inclusive":
        return amount - rounding.cents(amount * HUNDRED / (HUNDRED + percentage))
    return rounding.cents(amount * percentage / HUNDRED)


def totals(lines: Sequence[tuple[Decimal, Decimal]], line_amount_types: str) -> Amounts:
    """Totals of (line amount, line tax) pairs."""
    amounts = sum((amount for amount, _ in lines), ZERO)
    tax = sum((tax for _, tax in lines), ZERO)
    if line_amount_types == "Inclusive":
        return Amounts(amounts - tax, tax, amounts)
    return Amounts(amounts, tax, amounts + tax)
