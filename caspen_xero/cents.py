"""Amounts as text, with their cents."""

from __future__ import annotations

from decimal import Decimal


def with_cents(amount: Decimal) -> Decimal:
    """An amount with its cents: `50.00` for `50.0`; more places are kept."""
    exponent = amount.as_tuple().exponent
    return amount.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -2 else amount


def money_text(amount: Decimal) -> str:
    """An amount as text, with its cents."""
    return f"{with_cents(amount):f}"
