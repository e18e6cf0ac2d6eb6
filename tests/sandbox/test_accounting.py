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
    """1.5 x 10.95 = 16.425: up, as recorded documents have it, or to even, which nobody has seen."""
    b = Bookkeeper(rounding=rounding)
    shown = b.invoice(b.line("10.95", Quantity="1.5"))["LineItems"][0]
    assert (f"{shown['LineAmount']:.2f}", f"{shown['TaxAmount']:.2f}") == (line, tax)


@pytest.mark.parametrize(
    ("half", "cents"),
    [("20.625", "20.63"), ("70.125", "70.13"), ("53.625", "53.63"), ("4.125", "4.13"), ("1.045", "1.05")],
)
def test_recorded_half_cents_go_up(half: str, cents: str) -> None:
    """Amounts of recorded documents; the quantity and price that they were made of don't matter here."""
    b = Bookkeeper()
    body = b.draft(b.line(half, TaxType="EXEMPTOUTPUT"))
    assert b.put("Invoices", body, unitdp="4")["LineItems"][0]["LineAmount"] == Decimal(cents)


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


@pytest.mark.parametrize("status", ["DRAFT", "AUTHORISED"])
@pytest.mark.parametrize(
    ("sent", "rate", "amount", "as_percent"),
    [
        ({"DiscountRate": 20}, "20", "20.00", True),
        ({"DiscountRate": "33.33"}, "33.33", "33.33", True),
        ({"DiscountRate": "7.125"}, "7.125", "7.12", True),
        ({"DiscountAmount": 20}, "20", "20", False),
        ({"DiscountAmount": "33.33"}, "33.33", "33.33", False),
        ({"DiscountRate": 5, "DiscountAmount": 20}, "5", "5.00", True),
        ({"DiscountRate": 0, "DiscountAmount": 20}, "20", "20", False),
    ],
)
def test_a_discount_is_shown_as_percentage_and_amount_whichever_was_sent(
    sent: Element, rate: str, amount: str, as_percent: bool, status: str
) -> None:
    b = Bookkeeper()
    made = b.invoice(b.line(50, Quantity=2, **sent), b.line(3), Status=status)
    for shown in (made, b.read("Invoices", made["InvoiceID"]), b.list("Invoices", page="1")[0]):
        line, plain = shown["LineItems"]
        assert (line["DiscountRate"], line["DiscountAmount"]) == (Decimal(rate), Decimal(amount))
        assert (line["DiscountEnteredAsPercent"], line["LineAmount"]) == (as_percent, 100 - Decimal(amount))
        assert not [name for name in plain if name.startswith("Discount")]


def test_the_percentage_of_a_discount_that_was_sent_as_an_amount_has_four_places() -> None:
    line = Bookkeeper().invoice(Bookkeeper().line("9.99", Quantity=3, DiscountAmount="4.98"))["LineItems"][0]
    assert (line["DiscountRate"], line["LineAmount"]) == (Decimal("16.6166"), Decimal("24.99"))


def test_lists_may_show_the_percentage_of_a_discount_alone() -> None:
    b = Bookkeeper(discount_in_lists="rate")
    made = b.invoice(b.line(100, DiscountAmount=20))
    listed = b.list("Invoices", page="1")[0]["LineItems"][0]
    assert {name: value for name, value in listed.items() if name.startswith("Discount")} == {"DiscountRate": 20}
    for shown in (made, b.read("Invoices", made["InvoiceID"])):
        assert shown["LineItems"][0]["DiscountAmount"] == 20


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_discounts_sent_as_amounts_may_be_recomputed_when_a_draft_is_approved(status: str) -> None:
    """333.33 off 1,000.00 is 33.33 %, and that is 333.30; 20 off 100 is 20 % and stays, with the tax that was sent."""
    lines = [("1000", {"DiscountAmount": "333.33"}), ("100", {"DiscountAmount": 20, "TaxAmount": 7})]
    lines += [("1000", {"DiscountRate": "33.333"}), ("10", {})]
    for way, first, second in (("kept", "666.67", "66.67"), ("recomputed", "666.70", "66.67")):
        b = Bookkeeper(discount_at_approval=way)
        draft = b.invoice(*(b.line(price, **more) for price, more in lines), Status=status)
        approved = b.post(f"Invoices/{draft['InvoiceID']}", {"Status": "AUTHORISED"})
        amounts = [Decimal(first), 80, Decimal("666.67"), 10]
        assert [line["LineAmount"] for line in approved["LineItems"]] == amounts
        assert [line["TaxAmount"] for line in approved["LineItems"]] == [Decimal(second), 7, Decimal("66.67"), 1]
        assert approved["Total"] == sum(amounts) + Decimal("141.34")
        edited = b.post(f"Invoices/{draft['InvoiceID']}", {"LineItems": [b.line(1000, DiscountAmount="333.33")]})
        assert edited["SubTotal"] == Decimal("666.67"), "only approval does it"
        direct = b.invoice(b.line(1000, DiscountAmount="333.33"))
        assert direct["SubTotal"] == Decimal("666.67")


@settings(max_examples=100, deadline=None)
@given(
    st.decimals("0.01", "40", places=2),
    st.decimals("0.01", "500", places=2),
    st.integers(0, 100),
    st.sampled_from(["DiscountRate", "DiscountAmount"]),
)
def test_posting_back_what_is_shown_of_a_discount_changes_nothing(
    quantity: Decimal, price: Decimal, hundredths: int, sent: str
) -> None:
    b = Bookkeeper(whole_discount="taken")
    share = Decimal(hundredths)
    wish = share if sent == "DiscountRate" else (quantity * price * share / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
    made = b.invoice(b.line(price, Quantity=quantity, **{sent: wish}), Status="DRAFT")
    names = ("LineItemID", "Description", "Quantity", "UnitAmount", "DiscountRate", "DiscountAmount", "LineAmount")
    back = [{name: line[name] for name in names if name in line} for line in made["LineItems"]]
    answer = b.post(f"Invoices/{made['InvoiceID']}", {"LineItems": back})
    assert answer["LineItems"] == made["LineItems"]


def test_a_discount_of_no_amount_on_a_negative_price_is_refused_and_one_of_no_percentage_is_not() -> None:
    """Xero-OpenAPI#429."""
    b = Bookkeeper()
    words = ["The discount rate '0.00' is invalid. Discount must not be greater than the line total."]
    assert b.refused("PUT", "Invoices", b.draft(b.line(100), b.line(-10, DiscountAmount=0))) == words
    assert b.invoice(b.line(100), b.line(-10, DiscountRate=0))["SubTotal"] == 90
    assert b.invoice(b.line(100, DiscountAmount=0))["IsDiscounted"] is False


def test_a_discount_in_cents_is_not_to_be_above_a_price_of_four_places() -> None:
    """xero-php-oauth2#288: 27.8260 off 27.8260 is 27.83 off."""
    b = Bookkeeper()
    body = b.draft(b.line("27.8260", DiscountAmount="27.8260"))
    words = ["The discount rate '27.83' is invalid. Discount must not be greater than the line total."]
    assert b.refused("PUT", "Invoices", body, unitdp="4") == words


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
