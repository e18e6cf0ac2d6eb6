"""Caspen's figures reach Xero to the cent, whichever way Caspen rounded them and whichever way Xero rounds half a cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from clinics import RATES, TAX_TYPES, Rounding, dollars, invoice, line
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caspen_xero.caspen.records import parse_record
from caspen_xero.sync.planning.half_cents import is_tie, nearest, spread
from caspen_xero.sync.planning.line_items import CannotTranslate, TaxChoice, Terms
from caspen_xero.sync.planning.translate import Document, translate_invoice
from caspen_xero.sync.setup.taxes import NO_TAX
from caspen_xero.xero.codec import encode

HALVES = (ROUND_HALF_UP, ROUND_HALF_EVEN)
CENT = Decimal("0.01")
TERMS = Terms(
    sales_account={"AccountID": "acc", "AccountCode": "200"},
    taxes={rate or NO_TAX: TaxChoice(TAX_TYPES[rate], RATES[rate], RATES[rate]) for rate in RATES},
)
XERO_RATES = {TAX_TYPES[rate]: RATES[rate] for rate in RATES}


def translated(record: Mapping[str, Any], terms: Terms = TERMS) -> Document:
    parsed = parse_record(record)
    assert parsed.object == "invoice"
    return translate_invoice(parsed, terms)


def in_xero(body: Mapping[str, Any], half: str, rates: Mapping[str, Decimal] = XERO_RATES) -> tuple[Decimal, ...]:
    """Subtotal, tax and total as Xero works them out, by its published rules; fails on what Xero would refuse."""
    amounts, taxes = Decimal(0), Decimal(0)
    for item in body["LineItems"]:
        amount = line_in_xero(item, half)
        tax = tax_in_xero(item, amount, body["LineAmountTypes"], rates, half)
        amounts, taxes = amounts + amount, taxes + tax
    if body["LineAmountTypes"] == "Inclusive":
        return amounts - taxes, taxes, amounts
    return amounts, taxes, amounts + taxes


def line_in_xero(item: Mapping[str, Any], half: str) -> Decimal:
    quantity, price = Decimal(item["Quantity"]), Decimal(item["UnitAmount"])
    rate, off = Decimal(item.get("DiscountRate", 0)), Decimal(item.get("DiscountAmount", 0))
    assert quantity >= 0, "Xero takes no negative quantity"
    assert not (rate and off), "Xero takes one kind of discount per line"
    assert quantity == quantity.quantize(Decimal("0.0001")), "Xero keeps four decimals of a quantity"
    assert price == price.quantize(Decimal("0.0001")), "Xero keeps four decimals of a price"
    assert 0 <= rate < 100, "a discount of all of its line"
    assert off == 0 or 0 < off < (quantity * price).quantize(CENT, half), "a discount of all of its line, or more"
    return (quantity * price * (100 - rate) / 100 - off).quantize(CENT, half)


def tax_in_xero(
    item: Mapping[str, Any], amount: Decimal, line_amount_types: str, rates: Mapping[str, Decimal], half: str
) -> Decimal:
    if line_amount_types == "NoTax":
        assert "TaxType" not in item
        assert "TaxAmount" not in item
        return Decimal(0)
    if "TaxAmount" in item:
        tax = Decimal(item["TaxAmount"])
        assert tax == tax.quantize(CENT)
        assert abs(tax) <= abs(amount), "Xero takes no tax above its line"
        return tax
    rate = rates[item["TaxType"]]
    if line_amount_types == "Inclusive":
        return amount - (amount * 100 / (100 + rate)).quantize(CENT, half)
    return (amount * rate / 100).quantize(CENT, half)


def figures(record: Mapping[str, Any]) -> tuple[Decimal, ...]:
    return tuple(Decimal(record[name]) for name in ("subtotal", "tax", "total"))


# --- what clinics may write

cents = st.integers(1, 300_000)
prices = st.one_of(
    st.builds(lambda n, places: Decimal(n).scaleb(-places), cents, st.sampled_from((2, 3, 4))),
    st.sampled_from([Decimal(text) for text in ("0", "0.005", "0.05", "0.15", "10.95", "33.3333", "-20.00", "-0.015")]),
)
quantities = st.one_of(
    st.sampled_from(["1", "2", "0.75", "0.5", "1.5", "0.25", "0.3333", "0", "10"]),
    st.integers(1, 99_999).map(lambda n: f"{Decimal(n).scaleb(-4)}"),
)
discounts = st.one_of(
    st.none(),
    st.tuples(st.just("percentage"), st.sampled_from(["0", "5", "10", "12.5", "33.33", "50", "99.99", "100", "7.125"])),
    st.tuples(st.just("fixed"), st.integers(0, 5_000).map(dollars)),
)
some_lines = st.builds(
    lambda price, quantity, rate, discount: line(f"{price:f}", quantity, rate=rate, discount=discount),
    prices,
    quantities,
    st.sampled_from(["tax_gst", "tax_free", None]),
    discounts,
)
small_lines = st.builds(lambda n, rate: line(dollars(n), rate=rate), st.integers(1, 9), st.sampled_from(["tax_gst"]))
invoice_lines = st.one_of(st.lists(some_lines, min_size=1, max_size=6), st.lists(small_lines, min_size=10, max_size=60))
tax_modes = st.sampled_from(["exclusive", "inclusive", "none"])
roundings = st.builds(Rounding, st.sampled_from(["line", "document"]), st.sampled_from(["up", "even"]), st.booleans())


@settings(max_examples=400, deadline=None)
@given(lines=invoice_lines, tax_mode=tax_modes, rounding=roundings)
@example(lines=[line("0.15", "0.1")], tax_mode="exclusive", rounding=Rounding("line", "even"))
@example(lines=[line("0.05")] * 30, tax_mode="exclusive", rounding=Rounding("document", "even"))
@example(lines=[line("10.95", "1.5", discount=("percentage", "50"))], tax_mode="inclusive", rounding=Rounding())
@example(lines=[line("100.00", discount=("percentage", "100"))], tax_mode="exclusive", rounding=Rounding())
@example(lines=[line("50.00"), line("-20.00")], tax_mode="exclusive", rounding=Rounding("document"))
def test_whatever_caspen_adds_up_xero_shows_the_same_cents(
    lines: list[dict[str, Any]], tax_mode: Any, rounding: Rounding
) -> None:
    record = invoice(lines=lines, tax_mode=tax_mode, rounding=rounding)
    if Decimal(record["total"]) < 0:
        with pytest.raises(CannotTranslate) as refused:
            translated(record)
        assert refused.value.code == "negative-total"
        return
    document = translated(record)
    for half in HALVES:
        assert in_xero(document.body, half) == figures(record), half
    assert (document.subtotal, document.tax, document.total) == figures(record)


@settings(max_examples=150, deadline=None)
@given(lines=invoice_lines, tax_mode=tax_modes, half=st.sampled_from(["up", "even"]))
def test_line_amounts_that_caspen_gives_itself_stand_in_xero_line_by_line(
    lines: list[dict[str, Any]], tax_mode: Any, half: Any
) -> None:
    rounding = Rounding("line", half)
    totals = rounding.totals(lines, tax_mode)
    if totals.total < 0 or totals.lines is None:
        return
    own = [
        {**each, "amount": dollars(amount), "tax": dollars(tax)}
        for each, (amount, tax) in zip(lines, totals.lines, strict=True)
    ]
    body = translated(invoice(lines=own, tax_mode=tax_mode, rounding=rounding)).body
    for item, (amount, tax) in zip(body["LineItems"], totals.lines, strict=True):
        for xeros in HALVES:
            shown = line_in_xero(item, xeros)
            assert shown == Decimal(dollars(amount))
            assert tax_in_xero(item, shown, body["LineAmountTypes"], XERO_RATES, xeros) == Decimal(dollars(tax))


@settings(max_examples=100, deadline=None)
@given(lines=invoice_lines, tax_mode=tax_modes, off=st.integers(1, 10_000), part=st.sampled_from(["subtotal", "tax"]))
def test_figures_that_no_rounding_explains_are_a_problem_and_never_sent(
    lines: list[dict[str, Any]], tax_mode: Any, off: int, part: str
) -> None:
    record = invoice(lines=lines, tax_mode=tax_mode)
    off += 2 * len(lines)  # more than every line moved by two cents
    for name in (part, "total"):
        record[name] = f"{Decimal(record[name]) + Decimal(off).scaleb(-2):.2f}"
    if Decimal(record["total"]) < 0:
        return
    with pytest.raises(CannotTranslate) as refused:
        translated(record)
    assert refused.value.code == "totals-differ"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"total": "165.01"}, "do not add up"),
        ({"subtotal": "150.005", "total": "165.005"}, "not whole cents"),
        ({"tax_mode": "none"}, "carry none"),
        ({"lines": []}, "no lines"),
    ],
)
def test_figures_that_contradict_themselves_say_what_is_wrong(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(CannotTranslate, match=why):
        translated(invoice(tax_mode="exclusive") | changes)


def test_a_plain_line_goes_as_caspen_wrote_it() -> None:
    body = translated(invoice(lines=[line("200.00", "0.75", discount=("percentage", "10"))])).body
    (item,) = body["LineItems"]
    assert (item["Quantity"], item["UnitAmount"], item["DiscountRate"]) == (Decimal("0.75"), 200, 10)
    assert item["Description"] == "Initial consultation"
    assert "TaxAmount" not in item


def test_a_line_that_ends_on_half_a_cent_goes_as_one_amount_with_the_true_price_in_words() -> None:
    body = translated(invoice(lines=[line("10.95", "1.5", rate="tax_free")])).body
    (item,) = body["LineItems"]
    assert (item["Quantity"], item["UnitAmount"]) == (1, Decimal("16.43"))
    assert item["Description"] == "Initial consultation (1.5 x 10.95)"


def test_a_fixed_discount_on_such_a_line_is_still_shown_as_a_discount() -> None:
    body = translated(invoice(lines=[line("10.95", "1.5", rate="tax_free", discount=("fixed", "5.00"))])).body
    (item,) = body["LineItems"]
    assert item["UnitAmount"] - item["DiscountAmount"] == Decimal("11.43")
    assert item["Description"].endswith("(1.5 x 10.95 less 5.00)")


@pytest.mark.parametrize(
    ("price", "discount", "told"),
    [
        ("45.00", ("percentage", "100"), "(2 x 45.00 less 100 %)"),
        ("45.00", ("fixed", "90.00"), "(2 x 45.00 less 90.00)"),
        ("13.913", ("fixed", "27.826"), "(2 x 13.913 less 27.826)"),
        ("0.01", ("percentage", "99"), "(2 x 0.01 less 99 %)"),
    ],
)
@pytest.mark.parametrize("certain", [False, True])
def test_what_is_discounted_to_nothing_costs_nothing_and_has_no_discount(
    price: str, discount: tuple[str, str], told: str, certain: bool
) -> None:
    parsed = parse_record(invoice(lines=[line(price, "2", discount=discount), line("10.00")]))
    assert parsed.object == "invoice"
    item = translate_invoice(parsed, TERMS, certain=certain).body["LineItems"][0]
    assert (item["Quantity"], str(item["UnitAmount"])) == (1, "0.00")
    assert item.keys().isdisjoint({"DiscountRate", "DiscountAmount"})
    assert item["Description"] == f"Initial consultation {told}"


def test_a_tax_of_half_a_cent_is_told_to_xero_and_the_document_says_that_it_leans_on_it() -> None:
    document = translated(invoice(lines=[line("0.25")]))
    assert document.body["LineItems"][0]["TaxAmount"] == Decimal("0.03")
    assert document.explicit_tax
    assert not translated(invoice(lines=[line("10.00")])).explicit_tax


def test_amounts_travel_as_exact_digits() -> None:
    sent = encode(translated(invoice(lines=[line("0.3333", "3")])).body)
    assert b'"UnitAmount":0.3333' in sent
    assert b"e-" not in sent.lower()


def test_a_rate_linked_to_another_percentage_still_gives_caspens_tax() -> None:
    terms = Terms(TERMS.sales_account, {"tax_gst": TaxChoice("OUTPUT15", Decimal(10), Decimal(15))})
    record = invoice(lines=[line("99.99"), line("0.05")])
    body = translated(record, terms).body
    assert in_xero(body, ROUND_HALF_UP, {"OUTPUT15": Decimal(15)}) == figures(record)


# --- cents by themselves


@given(st.lists(st.fractions(-500, 500, max_denominator=400), min_size=1, max_size=30), st.integers(-40, 40))
def test_spread_reaches_its_target_and_moves_no_amount_by_a_whole_cent(exact: list[Any], off: int) -> None:
    target = sum(nearest(amount) for amount in exact) + off
    found = spread(exact, target)
    if found is None:
        assert off != 0
        return
    assert sum(found) == target
    assert all(abs(amount - whole) < 1 for amount, whole in zip(exact, found, strict=True))


@given(st.fractions(-500, 500, max_denominator=400))
def test_nearest_is_within_half_a_cent_and_a_tie_is_exactly_half_way(exact: Any) -> None:
    assert abs(exact - nearest(exact)) <= 0.5
    assert is_tie(exact) == (abs(exact - nearest(exact)) == 0.5)
