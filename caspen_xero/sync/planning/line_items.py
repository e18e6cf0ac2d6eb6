"""The lines of a document in Xero's words, such that Xero's sums are Caspen's own figures. Pure.

Caspen's subtotal, tax and total are the truth. Xero rounds each line's amount and each line's tax to two places and then sums;
it seems to round half a cent up (seven of seven recorded lines that tell, but one report against), which is too little to stake a
cent on, so none is left to it: a line that ties goes as quantity 1 with its amount in cents, a tax that ties or that differs
from Caspen's goes as explicit `TaxAmount`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from caspen_xero.caspen.records import CreditNote, CreditNoteLine, Invoice, InvoiceLine, TaxMode
from caspen_xero.sync.planning.half_cents import in_cents, is_tie, money, nearest, spread
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.setup.settings import Privacy
from caspen_xero.sync.setup.taxes import NO_TAX


class CannotTranslate(Exception):
    """A document that Xero can't hold to the cent, or can't hold at all. `code` and `reason` are those of the problem."""

    def __init__(self, code: ProblemCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True)
class TaxChoice:
    """What a Caspen tax rate is in Xero. Percentages: Caspen's, and the one that Xero would calculate with."""

    tax_type: str
    caspen_percentage: Decimal
    xero_percentage: Decimal


@dataclass(frozen=True)
class Terms:
    """How the documents of one organisation are written: account, tax choices by Caspen rate id, and the settings."""

    sales_account: Mapping[str, str]
    taxes: Mapping[str, TaxChoice]
    privacy: Privacy = "full"
    invoice_status: Literal["AUTHORISED", "DRAFT"] = "AUTHORISED"


@dataclass(frozen=True)
class Figures:
    """Xero's lines, what they come to, and whether they lean on explicit tax amounts; as `Document` has it."""

    line_items: list[dict[str, Any]]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    explicit_tax: bool
    tells_tax: bool
    line_taxes: tuple[Decimal | None, ...]
    line_amounts: tuple[Decimal, ...]


def figures_of(
    lines: Sequence[InvoiceLine | CreditNoteLine],
    record: Invoice | CreditNote,
    terms: Terms,
    tax_mode: TaxMode,
    *,
    certain: bool = False,
) -> Figures:
    """Xero's lines for a record's, such that Xero's sums are the record's own figures.

    `certain`: every line in cents, every tax told. Raises `CannotTranslate` where no lines give them.
    """
    subtotal, tax, total = _own_totals(record, tax_mode)
    if not lines:
        raise CannotTranslate(ProblemCode.NO_LINES, "it has no lines, and Xero takes no document without")
    items = [_Item.of(line) for line in lines]
    amounts = _amounts(
        items, total if tax_mode == "inclusive" else subtotal, _sum_in_words(subtotal, tax, total, tax_mode)
    )
    choices = [_tax_choice(line, tax_mode, terms) for line in lines]
    should = f"its total less its subtotal is {money(tax)} ({money(total)} - {money(subtotal)})"
    taxes = _taxes(items, amounts, choices, tax, should, inclusive=tax_mode == "inclusive")
    told = _told_taxes(taxes, amounts, choices, inclusive=tax_mode == "inclusive", certain=certain)
    line_items = [
        _line_item(item, amount, choice, line_tax, terms, certain=certain)
        for item, amount, choice, line_tax in zip(items, amounts, choices, told, strict=True)
    ]
    explicit = any(line_tax is not None for line_tax in told)
    tells = explicit and _tells_tax(amounts, choices, tax, inclusive=tax_mode == "inclusive")
    whole = tuple(money(line_tax) if choice else None for line_tax, choice in zip(taxes, choices, strict=True))
    each = tuple(map(money, amounts))
    return Figures(line_items, money(subtotal), money(tax), money(total), explicit, tells, whole, each)


def _own_totals(record: Invoice | CreditNote, tax_mode: str) -> tuple[int, int, int]:
    """Caspen's subtotal, tax and total in cents."""
    if record.subtotal is None or record.tax is None or record.total is None:
        raise CannotTranslate(ProblemCode.TOTALS_DIFFER, "Caspen gives no subtotal, tax and total for it")
    figures = [in_cents(amount) for amount in (record.subtotal, record.tax, record.total)]
    subtotal, tax, total = (int(amount) for amount in figures)
    told = f"Caspen's subtotal {record.subtotal}, tax {record.tax} and total {record.total}"
    if any(amount.denominator != 1 for amount in figures):
        raise CannotTranslate(ProblemCode.TOTALS_DIFFER, f"{told} are not whole cents")
    if subtotal + tax != total:
        raise CannotTranslate(ProblemCode.TOTALS_DIFFER, f"{told} do not add up")
    if tax_mode == "none" and tax != 0:
        raise CannotTranslate(ProblemCode.TOTALS_DIFFER, f"{told} have tax, though its prices carry none")
    return subtotal, tax, total


def _sum_in_words(subtotal: int, tax: int, total: int, tax_mode: str) -> str:
    """What the lines should come to, by two of the figures: any one of the three may be reckoned, as no column had it."""
    match tax_mode:
        case "inclusive":
            return f"its subtotal and tax are {money(total)} ({money(subtotal)} + {money(tax)})"
        case "none":
            return f"its total is {money(total)}"
        case _:
            return f"its total less its tax is {money(subtotal)} ({money(total)} - {money(tax)})"


@dataclass(frozen=True)
class _Item:
    """A line with its exact figures in cents: `gross` is quantity x price, `net` that less the discount."""

    line: InvoiceLine | CreditNoteLine
    gross: Fraction
    net: Fraction

    @classmethod
    def of(cls, line: InvoiceLine | CreditNoteLine) -> _Item:
        gross = in_cents(line.unit_price) * Fraction(line.quantity)
        discount = line.discount
        if discount is None or discount.value == 0:
            return cls(line, gross, gross)
        if discount.type == "percentage":
            return cls(line, gross, gross * (100 - Fraction(discount.value)) / 100)
        return cls(line, gross, gross - in_cents(discount.value))

    @property
    def discounted(self) -> bool:
        return self.net != self.gross


def _amounts(items: list[_Item], target: int, should: str) -> list[int]:
    """Each line's amount in whole cents, adding up to what Caspen's figures say the lines come to: `should`, in words."""
    own = [item.line.amount for item in items]
    if all(amount is not None for amount in own):
        given = [in_cents(amount) for amount in own if amount is not None]
        near = all(abs(amount - item.net) < 1 for amount, item in zip(given, items, strict=True))
        if near and all(amount.denominator == 1 for amount in given) and sum(given) == target:
            return [int(amount) for amount in given]
    amounts = spread([item.net for item in items], target)
    if amounts is None:
        lines_give = money(sum(nearest(item.net) for item in items))
        raise CannotTranslate(ProblemCode.TOTALS_DIFFER, f"its lines come to {lines_give}, but {should}")
    return amounts


def _tax_choice(line: InvoiceLine | CreditNoteLine, tax_mode: str, terms: Terms) -> TaxChoice | None:
    if tax_mode == "none":
        return None
    rate = line.tax_rate_id or NO_TAX
    choice = terms.taxes.get(rate)
    if choice is None:
        raise CannotTranslate(ProblemCode.TAX_RATE_NOT_LINKED, rate)
    return choice


def _exact_tax(amount: int, percentage: Decimal, *, inclusive: bool) -> Fraction:
    rate = Fraction(percentage) / 100
    return amount - amount / (1 + rate) if inclusive else amount * rate


def _taxes(
    items: list[_Item],
    amounts: list[int],
    choices: list[TaxChoice | None],
    target: int,
    should: str,
    *,
    inclusive: bool,
) -> list[int]:
    """Each line's tax in cents, adding up to what Caspen's figures say the tax comes to: `should`, in words."""
    exact = [
        _exact_tax(amount, choice.caspen_percentage, inclusive=inclusive) if choice else Fraction(0)
        for amount, choice in zip(amounts, choices, strict=True)
    ]
    taxes = _own_line_taxes(items, exact, target)
    if taxes is None:
        taxes = spread(exact, target, whole_may_move=True)
    if taxes is None:
        lines_give = money(sum(nearest(tax) for tax in exact))
        raise CannotTranslate(ProblemCode.TOTALS_DIFFER, f"its lines' tax comes to {lines_give}, but {should}")
    return taxes


def _told_taxes(
    taxes: list[int], amounts: list[int], choices: list[TaxChoice | None], *, inclusive: bool, certain: bool
) -> list[int | None]:
    """Each line's tax in cents where Xero must be told it; None where Xero's own rounding gives Caspen's figure for certain."""
    told: list[int | None] = []
    for tax, amount, choice in zip(taxes, amounts, choices, strict=True):
        xeros = _exact_tax(amount, choice.xero_percentage, inclusive=inclusive) if choice else Fraction(0)
        for_certain = nearest(xeros) == tax and not is_tie(xeros) and not certain
        told.append(None if choice is None or for_certain else tax)
    return told


def _tells_tax(amounts: list[int], choices: list[TaxChoice | None], target: int, *, inclusive: bool) -> bool:
    """Whether Xero's own tax, with half cents gone either way, can't add up to Caspen's."""
    lowest = highest = 0
    for amount, choice in zip(amounts, choices, strict=True):
        xeros = _exact_tax(amount, choice.xero_percentage, inclusive=inclusive) if choice else Fraction(0)
        lowest += xeros.__floor__() if is_tie(xeros) else nearest(xeros)
        highest += xeros.__ceil__() if is_tie(xeros) else nearest(xeros)
    return not lowest <= target <= highest


def _own_line_taxes(items: list[_Item], exact: list[Fraction], target: int) -> list[int] | None:
    """The lines' own taxes, where Caspen gives them all and they belong to the total."""
    own = [item.line.tax for item in items]
    if any(tax is None for tax in own):
        return None
    given = [in_cents(tax) for tax in own if tax is not None]
    fits = all(tax.denominator == 1 and abs(tax - true) <= 1 for tax, true in zip(given, exact, strict=True))
    return [int(tax) for tax in given] if fits and sum(given) == target else None


def _line_item(
    item: _Item, amount: int, choice: TaxChoice | None, tax: int | None, terms: Terms, *, certain: bool
) -> dict[str, Any]:
    shape, explained = None if certain else _native(item, amount), ""
    if shape is None:
        shape, explained = _in_cents(item, amount), _true_price(item.line)
    body: dict[str, Any] = {
        "Description": _description(item.line, terms.privacy, explained),
        **shape,
        **terms.sales_account,
    }
    if choice is not None:
        body["TaxType"] = choice.tax_type
        if tax is not None:
            body["TaxAmount"] = money(tax)
    return body


def _native(item: _Item, amount: int) -> dict[str, Any] | None:
    """Quantity, price and discount as Caspen has them; None where Xero could make another amount of them, or refuse them."""
    line, discount = item.line, item.line.discount
    if is_tie(item.net) or nearest(item.net) != amount or line.quantity <= 0:
        return None
    if _places(line.quantity) > 4 or _places(line.unit_price) > 4:
        return None
    shape: dict[str, Any] = {"Quantity": line.quantity, "UnitAmount": line.unit_price}
    if discount is None or not item.discounted:
        return shape
    # A discount that takes off all of a line has been refused (Xero-NetStandard#74, xero-php-oauth2#288).
    if item.gross <= 0 or amount <= 0 or _places(discount.value) > 2 or isinstance(line, CreditNoteLine):
        return None
    shape["DiscountRate" if discount.type == "percentage" else "DiscountAmount"] = discount.value
    return shape


def _in_cents(item: _Item, amount: int) -> dict[str, Any]:
    """One piece at the line's amount, the discount as an amount (in the price where it is all of it, or on a credit note)."""
    gross = nearest(item.gross)
    if item.discounted and 0 < amount < gross and not isinstance(item.line, CreditNoteLine):
        return {"Quantity": 1, "UnitAmount": money(gross), "DiscountAmount": money(gross - amount)}
    return {"Quantity": 1, "UnitAmount": money(amount)}


def _true_price(line: InvoiceLine | CreditNoteLine) -> str:
    discount = line.discount
    less = ""
    if discount is not None and discount.value != 0:
        less = f" less {discount.value:f}{' %' if discount.type == 'percentage' else ''}"
    return f" ({line.quantity:f} x {line.unit_price:f}{less})"


def _description(line: InvoiceLine | CreditNoteLine, privacy: Privacy, explained: str) -> str:
    code = line.item_code
    text = (code or "Service") if privacy == "generic" else (line.description or code or "Service")
    text = text.strip() or "Service"
    return text[: 4000 - len(explained)] + explained


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
