"""The sandbox's arithmetic: recorded answers, Xero's rounding guide, and an independent re-computation in fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.bookkeeper import Bookkeeper, Element


def totals(document: Element) -> tuple[str, str, str]:
    return tuple(f"{document[name]:.2f}" for name in ("SubTotal", "TotalTax", "Total"))  # type: ignore[return-value]


def test_tax_is_rounded_per_line_and_then_summed() -> None:
    """Xero's rounding guide: 11.44, where rounding once would give 11.45."""
    b = Bookkeeper("NZ")
    invoice = b.invoice(b.line("25.06"), b.line("25.61"), b.line("25.63"))
    assert [line["TaxAmount"] for line in invoice["LineItems"]] == [Decimal("3.76"), Decimal("3.84"), Decimal("3.84")]
    assert totals(invoice) == ("76.30", "11.44", "87.74")


@pytest.mark.parametrize(
    ("amount", "expected"), [("541.25", ("470.65", "70.60", "541.25")), ("500.00", ("434.78", "65.22", "500.00"))]
)
def test_recorded_inclusive_amounts(amount: str, expected: tuple[str, str, str]) -> None:
    b = Bookkeeper("NZ")
    assert totals(b.invoice(b.line(amount), LineAmountTypes="Inclusive")) == expected


def test_recorded_exclusive_invoice() -> None:
    b = Bookkeeper("NZ")
    invoice = b.invoice(b.line("10.5", Quantity=2))
    assert totals(invoice) == ("21.00", "3.15", "24.15")
    assert invoice["AmountDue"] == Decimal("24.15")


@pytest.mark.parametrize(("rounding", "line", "tax"), [("half-up", "16.43", "1.64"), ("half-even", "16.42", "1.64")])
def test_half_a_cent_goes_either_way(rounding: str, line: str, tax: str) -> None:
    """1.5 x 10.95 = 16.425: which of the two Xero does is UNCONFIRMED."""
    b = Bookkeeper(rounding=rounding)
    shown = b.invoice(b.line("10.95", Quantity="1.5"))["LineItems"][0]
    assert (f"{shown['LineAmount']:.2f}", f"{shown['TaxAmount']:.2f}") == (line, tax)


def test_a_negative_half_cent_goes_away_from_zero() -> None:
    b = Bookkeeper()
    lines = b.invoice(b.line(100), b.line("-10.95", Quantity="1.5"))["LineItems"]
    assert lines[1]["LineAmount"] == Decimal("-16.43")


@pytest.mark.parametrize(
    ("discount", "amount"),
    [
        ({"DiscountRate": 10}, "90.00"),
        ({"DiscountRate": "33.33"}, "66.67"),
        ({"DiscountRate": 100}, "0.00"),
        ({"DiscountAmount": "0.01"}, "99.99"),
        ({"DiscountAmount": 100}, "0.00"),
    ],
)
def test_discounts(discount: Element, amount: str) -> None:
    b = Bookkeeper()
    invoice = b.invoice(b.line(50, Quantity=2, **discount))
    assert f"{invoice['LineItems'][0]['LineAmount']:.2f}" == amount
    assert invoice["IsDiscounted"] is True
    assert invoice["TotalDiscount"] == 100 - Decimal(amount)


def test_quantity_and_line_amount_make_the_price() -> None:
    b = Bookkeeper()
    line = b.line(Quantity=3, LineAmount="10.00")
    del line["UnitAmount"]
    shown = b.put("Invoices", b.draft(line), unitdp="4")
    assert shown["LineItems"][0]["UnitAmount"] == Decimal("3.3333")
    assert shown["LineItems"][0]["LineAmount"] == Decimal("10.00")


def test_unit_amounts_have_two_places_unless_four_are_asked_for() -> None:
    b = Bookkeeper()
    coarse = b.invoice(b.line("0.1255", Quantity=1000))
    assert (coarse["LineItems"][0]["UnitAmount"], coarse["SubTotal"]) == (Decimal("0.13"), 130)
    fine = b.put("Invoices", b.draft(b.line("0.1255", Quantity=1000)), unitdp="4")
    assert (fine["LineItems"][0]["UnitAmount"], fine["SubTotal"]) == (Decimal("0.1255"), Decimal("125.5"))
    assert b.read("Invoices", fine["InvoiceID"])["LineItems"][0]["UnitAmount"] == Decimal("0.13")
    assert b.read("Invoices", fine["InvoiceID"], unitdp="4")["LineItems"][0]["UnitAmount"] == Decimal("0.1255")
    assert b.read("Invoices", fine["InvoiceID"])["SubTotal"] == Decimal("125.5")


def test_a_sent_tax_amount_is_kept() -> None:
    """Third party's live test: any tax up to the line's amount comes back unchanged."""
    b = Bookkeeper()
    invoice = b.invoice(*(b.line(1, TaxAmount=tax) for tax in ("0.04", "0.03", "0.03")))
    assert totals(invoice) == ("3.00", "0.10", "3.10")
    b.change(KeepsTaxAmount=False)
    assert totals(b.invoice(b.line(1, TaxAmount="0.04"))) == ("1.00", "0.10", "1.10")


def test_no_tax_and_free_of_tax() -> None:
    b = Bookkeeper()
    assert totals(b.invoice(b.line(100), LineAmountTypes="NoTax")) == ("100.00", "0.00", "100.00")
    assert totals(b.invoice(b.line(100, TaxType="EXEMPTOUTPUT"))) == ("100.00", "0.00", "100.00")
    without = b.line(100)
    del without["TaxType"]
    assert b.invoice(without)["LineItems"][0]["TaxType"] == "OUTPUT", "the account's own rate"


def test_answers_hold_the_exact_digits() -> None:
    b = Bookkeeper()
    body = b.ask("PUT", "Invoices", {"Invoices": [b.draft(b.line("0.1"), b.line("0.2"), b.line("100.00"))]}).body
    assert b'"SubTotal":100.3,' in body
    assert b'"TotalTax":10.03,' in body


# an independent re-computation


def rounded(amount: Fraction, mode: str) -> Fraction:
    cents = amount * 100
    whole = abs(cents).numerator // abs(cents).denominator
    rest = abs(cents) - whole
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and (mode == "half-up" or whole % 2 == 1))
    return Fraction(whole + up, 100) * (1 if cents >= 0 else -1)


lines = st.lists(
    st.fixed_dictionaries(
        {
            "Quantity": st.decimals("0", "40", places=4),
            "UnitAmount": st.decimals("0", "500", places=4),
            "DiscountRate": st.one_of(st.just(Decimal(0)), st.decimals("0", "100", places=2)),
            "TaxType": st.sampled_from(["OUTPUT", "EXEMPTOUTPUT", "BASEXCLUDED"]),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(lines, st.sampled_from(["Exclusive", "Inclusive", "NoTax"]), st.sampled_from(["half-up", "half-even"]))
def test_totals_equal_an_independent_computation(wishes: list[dict[str, Any]], types: str, mode: str) -> None:
    b = Bookkeeper(rounding=mode)
    subtotal = tax = Fraction(0)
    for wish in wishes:
        gross = Fraction(wish["Quantity"]) * Fraction(wish["UnitAmount"])
        amount = rounded(gross * (100 - Fraction(wish["DiscountRate"])) / 100, mode)
        rate = Fraction(10 if wish["TaxType"] == "OUTPUT" and types != "NoTax" else 0)
        if types == "Inclusive":
            net = rounded(amount / (1 + rate / 100), mode)
            subtotal, tax = subtotal + net, tax + amount - net
        else:
            subtotal, tax = subtotal + amount, tax + rounded(amount * rate / 100, mode)
    sent = [b.line(**wish) for wish in wishes]
    invoice = b.put("Invoices", b.draft(*sent, LineAmountTypes=types), unitdp="4")
    assert (Fraction(invoice["SubTotal"]), Fraction(invoice["TotalTax"])) == (subtotal, tax)
    assert Fraction(invoice["Total"]) == subtotal + tax == Fraction(invoice["AmountDue"])
    assert invoice["Status"] == ("AUTHORISED" if subtotal + tax else "PAID")
