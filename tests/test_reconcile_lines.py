"""What each line of Caspen's counts: a spread that the rule allows is taken as it is, a cent moved against the rule is not."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from clinics import RATES, Rounding, dollars, invoice, line, random_invoice

from caspen_xero.caspen.records import Invoice, parse_record
from caspen_xero.sync.planning.line_items import TaxChoice, Terms, figures_of
from caspen_xero.sync.reconciling.lines import Cents, Figures, cents_of, counted, exact_line

TERMS = Terms(
    {"AccountCode": "200"},
    {rate or "no tax": TaxChoice("X", percentage, percentage) for rate, percentage in RATES.items()},
)


def read(record: dict[str, Any]) -> Invoice:
    found = parse_record(record)
    assert isinstance(found, Invoice)
    return found


def counts(record: Invoice, there: Sequence[Cents | None], *, by_rule: bool = True) -> list[Cents]:
    """What the lines count beside these."""
    exact = [exact_line(each, RATES[each.tax_rate_id]) for each in record.lines]
    figures = Figures(*(cents_of(one or Decimal(0)) for one in (record.subtotal, record.tax, record.total)))
    return counted(exact, figures, record.tax_mode, there, by_rule=by_rule)


def cents(*pairs: tuple[int, int]) -> list[Cents]:
    """Amounts and taxes of lines."""
    return [(Fraction(amount), Fraction(tax)) for amount, tax in pairs]


def as_sent(record: Invoice) -> list[Cents]:
    """Each line as push would write it."""
    figures = figures_of(record.lines, record, TERMS, record.tax_mode)
    pairs = zip(figures.line_amounts, figures.line_taxes, strict=True)
    return [(cents_of(amount), cents_of(tax or Decimal(0))) for amount, tax in pairs]


def with_own_cents(random: Random, record: dict[str, Any]) -> dict[str, Any]:
    """The same, with Caspen's own figures for each line, rounded line by line."""
    rounding = Rounding("line", random.choice(("up", "even")), random.random() < 0.5)
    totals = rounding.totals(record["lines"], record["tax_mode"])
    if totals.total < 0 or totals.lines is None:
        return record
    own = [
        {**each, "amount": dollars(amount), "tax": dollars(tax)}
        for each, (amount, tax) in zip(record["lines"], totals.lines, strict=True)
    ]
    figures = {"subtotal": dollars(totals.subtotal), "tax": dollars(totals.tax), "total": dollars(totals.total)}
    return record | figures | {"lines": own}


@pytest.mark.parametrize("seed", range(300))
def test_what_was_sent_is_what_counts_and_a_moved_cent_is_not(seed: int) -> None:
    random = Random(seed)
    made = random_invoice(random, "INV-0001")
    record = read(with_own_cents(random, made) if random.random() < 0.3 else made)
    there = as_sent(record)
    assert counts(record, there) == there
    alone = counts(record, [None] * len(there))
    assert sum(tax for _, tax in alone) == cents_of(record.tax or Decimal(0))
    if len(there) > 1:
        moved = list(there)
        for place, cent in zip(random.sample(range(len(there)), 2), (1, -1), strict=True):
            moved[place] = moved[place][0], moved[place][1] + cent
        assert counts(record, moved) != moved


def test_half_a_cent_and_equal_fractions_may_go_either_way() -> None:
    record = read(invoice(lines=[line("0.05"), line("0.05")], subtotal="0.10", tax="0.01", total="0.11"))
    for taxes in ((1, 0), (0, 1)):
        there = cents(*((5, tax) for tax in taxes))
        assert counts(record, there) == there
    assert counts(record, cents((5, 2), (5, -1))) != cents((5, 2), (5, -1))


def test_what_caspen_tells_of_each_line_is_the_truth() -> None:
    own = [line("0.05", amount="0.05", tax="0.01"), line("0.05", amount="0.05", tax="0.00")]
    record = read(invoice(lines=own, subtotal="0.10", tax="0.01", total="0.11"))
    assert counts(record, cents((5, 0), (5, 1))) == cents((5, 1), (5, 0))


def test_lines_of_somebody_else_may_be_rounded_otherwise_by_less_than_a_cent() -> None:
    record = read(invoice(lines=[line("10.04"), line("10.06")]))  # taxes of 1.004 and 1.006: 1.00 and 1.01
    there = cents((1004, 101), (1006, 100))
    assert counts(record, there, by_rule=False) == there
    assert counts(record, there) == cents((1004, 100), (1006, 101))


def test_figures_that_belong_to_no_rate_of_now_are_spread_over_the_lines_all_the_same() -> None:
    """As where the rate was another one when the invoice was made."""
    record = read(invoice(lines=[line("100.00"), line("50.00")], subtotal="150.00", tax="22.50", total="172.50"))
    there = cents((10000, 1500), (5000, 750))
    assert counts(record, there) == there
    assert sum(tax for _, tax in counts(record, [None, None])) == 2250
