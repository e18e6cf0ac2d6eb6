"""Caspen's documents in Xero's words. Pure: no clock, no network, no database.

Caspen's subtotal, tax and total are the truth. Xero rounds each line's amount and each line's tax to two places and then sums;
it seems to round half a cent up (seven of seven recorded lines that tell, but one report against), which is too little to stake a
cent on, so none is left to it: a line that ties goes as quantity 1 with its amount in cents, a tax that ties or that differs
from Caspen's goes as explicit `TaxAmount`.
"""

from __future__ import annotations

import hashlib
import json
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
from caspen_xero.xero.addresses import can_be_named

_LINE_AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "none": "NoTax"}


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
class Document:
    """A document for Xero: its body, the totals that Xero must show, and whether it leans on explicit tax amounts.

    `tells_tax`: the totals can't come out right unless Xero keeps those amounts; with half cents alone they might by chance.
    `line_ids`: what tells its lines apart, in their order: Caspen's own ids; empty where those don't. `line_taxes`: the
    tax of each line, told or not; None where its prices carry none. `line_amounts`: what each line comes to, its tax in it where
    prices include tax.
    """

    body: dict[str, Any]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    explicit_tax: bool
    tells_tax: bool
    line_ids: tuple[str, ...] = ()
    line_taxes: tuple[Decimal | None, ...] = ()
    line_amounts: tuple[Decimal, ...] = ()


def translate_invoice(
    invoice: Invoice, terms: Terms, payer_name: str | None = None, *, certain: bool = False
) -> Document:
    """An invoice as Xero's ACCREC invoice, its contact left to be filled in.

    `certain` leaves nothing at all to Xero's arithmetic: every line in cents, every tax told. Raises `CannotTranslate`
    where no body gives Caspen's totals.
    """
    number = invoice.number or ""
    if not number or len(number) > 255 or not number.isascii() or not number.isprintable():
        raise CannotTranslate(
            ProblemCode.INVOICE_NUMBER_INVALID, "Xero takes 1 to 255 plain characters as an invoice number"
        )
    if "," in number and not can_be_named("InvoiceNumber", number):  # such a one is looked up by a filter
        raise CannotTranslate(
            ProblemCode.INVOICE_NUMBER_INVALID, "Xero can't look up a number with a comma and a backslash"
        )
    figures = _figures(invoice.lines, invoice, terms, invoice.tax_mode, certain=certain)
    if in_cents(figures.total) < 0:
        raise CannotTranslate(ProblemCode.NEGATIVE_TOTAL, "Xero takes no invoice with a total below zero")
    body: dict[str, Any] = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {},
        "Date": invoice.issue_date,
        "DueDate": invoice.due_date or invoice.issue_date,
        "LineAmountTypes": _LINE_AMOUNT_TYPES[invoice.tax_mode],
        "CurrencyCode": invoice.currency,
        "Status": terms.invoice_status,
        "LineItems": figures.line_items,
    }
    private = terms.privacy == "generic"  # references and addresses may name the client, or the client's plan
    reference = "" if private else _reference(invoice.reference, payer_name)
    if reference:
        body["Reference"] = reference
    if invoice.url and "xero" not in invoice.url.casefold() and not private:
        body["Url"] = invoice.url
    return Document(
        body,
        figures.subtotal,
        figures.tax,
        figures.total,
        figures.explicit_tax,
        figures.tells_tax,
        _line_ids(invoice.lines),
        figures.line_taxes,
        figures.line_amounts,
    )


def _line_ids(lines: Sequence[InvoiceLine]) -> tuple[str, ...]:
    ids = tuple(line.id for line in lines)
    return ids if len(set(ids)) == len(ids) else ()


def translate_credit_note(note: CreditNote, invoice: Invoice, terms: Terms) -> Document:
    """A credit note as Xero's ACCRECCREDIT. Xero takes no discounts there: prices are net. Its tax mode is its invoice's."""
    if not can_be_named("CreditNoteNumber", note.number):
        raise CannotTranslate(
            ProblemCode.CREDIT_NOTE_NUMBER_INVALID,
            "its number is too long, or holds a backslash: Xero can't look it up",
        )
    figures = _figures(note.lines, note, terms, invoice.tax_mode)
    body: dict[str, Any] = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": note.number,
        "Contact": {},
        "Date": note.date,
        "LineAmountTypes": _LINE_AMOUNT_TYPES[invoice.tax_mode],
        "CurrencyCode": invoice.currency,
        "Status": "AUTHORISED",
        "Reference": invoice.number,
        "LineItems": figures.line_items,
    }
    return Document(
        body,
        figures.subtotal,
        figures.tax,
        figures.total,
        figures.explicit_tax,
        figures.tells_tax,
        line_taxes=figures.line_taxes,
        line_amounts=figures.line_amounts,
    )


def invoice_fingerprint(invoice: Invoice) -> str:
    """A fingerprint of all that goes to Xero of an invoice: two equal ones need no update. One that was purged has that it had."""
    return _fingerprint(invoice, exclude={"status", "finalized_at", "updated_at"})


def credit_note_fingerprint(note: CreditNote) -> str:
    """A fingerprint of all that goes to Xero of a credit note."""
    return _fingerprint(note, exclude={"status", "updated_at", "reason"})


def _fingerprint(record: Invoice | CreditNote, exclude: set[str]) -> str:
    if record.purged_as is not None:
        return record.purged_as
    fingerprint = json.dumps(record.model_dump(mode="json", exclude=exclude), sort_keys=True, default=str)
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:32]


def _reference(own: str | None, payer_name: str | None) -> str:
    parts = [part for part in (own, f"Invoice to {payer_name}" if payer_name else None) if part]
    return " | ".join(parts)[:255]


@dataclass(frozen=True)
class _Figures:
    line_items: list[dict[str, Any]]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    explicit_tax: bool
    tells_tax: bool
    line_taxes: tuple[Decimal | None, ...]
    line_amounts: tuple[Decimal, ...]


def _figures(
    lines: Sequence[InvoiceLine | CreditNoteLine],
    record: Invoice | CreditNote,
    terms: Terms,
    tax_mode: TaxMode,
    *,
    certain: bool = False,
) -> _Figures:
    """Xero's lines for a record's, such that Xero's sums are the record's own figures."""
    subtotal, tax, total = _own_totals(record, tax_mode)
    if not lines:
        raise CannotTranslate(ProblemCode.NO_LINES, "it has no lines, and Xero takes no document without")
    items = [_Item.of(line) for line in lines]
    amounts = _amounts(items, total if tax_mode == "inclusive" else subtotal)
    choices = [_tax_choice(line, tax_mode, terms) for line in lines]
    taxes = _taxes(items, amounts, choices, tax, inclusive=tax_mode == "inclusive")
    told = _told_taxes(taxes, amounts, choices, inclusive=tax_mode == "inclusive", certain=certain)
    line_items = [
        _line_item(item, amount, choice, line_tax, terms, certain=certain)
        for item, amount, choice, line_tax in zip(items, amounts, choices, told, strict=True)
    ]
    explicit = any(line_tax is not None for line_tax in told)
    tells = explicit and _tells_tax(amounts, choices, tax, inclusive=tax_mode == "inclusive")
    whole = tuple(money(line_tax) if choice else None for line_tax, choice in zip(taxes, choices, strict=True))
    each = tuple(map(money, amounts))
    return _Figures(line_items, money(subtotal), money(tax), money(total), explicit, tells, whole, each)


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


def _amounts(items: list[_Item], target: int) -> list[int]:
    """Each line's amount in whole cents, adding up to what Caspen says the lines come to."""
    own = [item.line.amount for item in items]
    if all(amount is not None for amount in own):
        given = [in_cents(amount) for amount in own if amount is not None]
        near = all(abs(amount - item.net) < 1 for amount, item in zip(given, items, strict=True))
        if near and all(amount.denominator == 1 for amount in given) and sum(given) == target:
            return [int(amount) for amount in given]
    amounts = spread([item.net for item in items], target)
    if amounts is None:
        lines_give = money(sum(nearest(item.net) for item in items))
        raise CannotTranslate(
            ProblemCode.TOTALS_DIFFER, f"its lines come to {lines_give}, but Caspen says {money(target)}"
        )
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
    *,
    inclusive: bool,
) -> list[int]:
    """Each line's tax in cents, adding up to what Caspen says the tax comes to."""
    exact = [
        _exact_tax(amount, choice.caspen_percentage, inclusive=inclusive) if choice else Fraction(0)
        for amount, choice in zip(amounts, choices, strict=True)
    ]
    taxes = _own_line_taxes(items, exact, target)
    if taxes is None:
        taxes = spread(exact, target, whole_may_move=True)
    if taxes is None:
        lines_give = money(sum(nearest(tax) for tax in exact))
        raise CannotTranslate(
            ProblemCode.TOTALS_DIFFER, f"its lines' tax comes to {lines_give}, but Caspen says {money(target)}"
        )
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
