"""The tables of a reconciliation: they add up whatever differs, agree with each other, and are 0.00 where both sides are equal."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import (
    NAMES,
    NOVEMBER,
    anything,
    day,
    document,
    equal_books,
    in_xero,
    money,
    money_in_xero,
    november,
    paid,
    pair,
)

from caspen_xero.sync.reconciling.bridge import SUMS, UNACCOUNTED
from caspen_xero.sync.reconciling.ledger import Asked, Compared, Document, Find, LeftOut, Line, MoneyPair, Pair
from caspen_xero.sync.reconciling.sums import tables_of
from caspen_xero.sync.reconciling.tables import Table

KEYS = [
    "differences",
    "bridge",
    "by_month",
    "by_tax_rate",
    "by_account",
    "payments",
    "debtors",
    "left_out",
    "recoded",
    "information",
    "others",
    "invoices",
    "payments_one_by_one",
    "credit_notes_one_by_one",
    "credits_one_by_one",
]
TYPES: dict[str, tuple[type, ...]] = {"amount": (Decimal,), "count": (int,), "date": (date,), "text": (str,)}
ZERO = Decimal("0.00")
Row = dict[str, Any]
Sums = dict[str, Decimal]


def made(compared: Compared, **facts: Any) -> dict[str, Table]:
    """The tables by their keys."""
    return {table.key: table for table in tables_of(compared, "AUD", **facts)}


def rows(table: Table) -> list[Row]:
    """Its rows by the keys of its columns."""
    return [dict(zip((column.key for column in table.columns), row, strict=True)) for row in table.rows]


def totals(table: Table) -> list[Row]:
    return rows(replace(table, rows=table.totals))


def total(table: Table, name: str, **where: str) -> Sums:
    """A column of the totals by currency, without those that are nothing."""
    found = {row["currency"]: row[name] for row in totals(table) if where.items() <= row.items()}
    return {currency: amount for currency, amount in found.items() if amount}


def bridge(tables: dict[str, Table], what: str = "Invoices", currency: str = "AUD") -> dict[str, tuple[int, Decimal]]:
    """Number and amount of each step."""
    found = [row for row in rows(tables["bridge"]) if (row["what"], row["currency"]) == (what, currency)]
    return {row["code"]: (row["number"], row["amount"]) for row in found}


def differences(table: Table) -> Iterator[tuple[str, Decimal]]:
    for row in (*rows(table), *totals(table)):
        yield from ((key, value) for key, value in row.items() if key.startswith("difference") and value is not None)


# --- whatever differs

some = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@some
@given(anything(), st.booleans())
def test_the_bridge_always_adds_up(compared: Compared, drafts_count: bool) -> None:
    tables = made(compared, drafts_count=drafts_count)
    there = _whole_of_xero(compared, drafts_count)
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows(tables["bridge"]):
        found[row["currency"], row["what"]].append(row)
    for key, steps in found.items():
        number, amount = steps[0]["number"], steps[0]["amount"]
        assert steps[0]["code"] == SUMS[0]
        for step in steps[1:]:
            assert step["code"] != UNACCOUNTED
            if step["code"] in SUMS:
                assert (step["number"], step["amount"]) == (number, amount)
            else:
                number, amount = number + step["number"], amount + step["amount"]
        assert [step["code"] for step in steps if step["code"] in SUMS] == list(SUMS)
        assert (number, amount) == there.pop(key, (0, ZERO))
    assert not there, "what is in Xero and in no bridge"


def _whole_of_xero(compared: Compared, drafts_count: bool) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """What counts in Xero in the period, added up without any pairs."""
    counts = {"stands", "draft"} if drafts_count else {"stands"}
    pairs = [*compared.invoices, *compared.credit_notes, *(Pair(None, one.xero) for one in compared.left_out)]
    there = [*(each.xero for each in pairs if each.xero), *compared.others]
    whole: defaultdict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, ZERO))
    for one in there:
        key = (one.currency, "Invoices" if one.kind == "invoice" else "Credit notes")
        if one.standing in counts and compared.asked.holds(one.day):
            whole[key] = (whole[key][0] + 1, whole[key][1] + one.total)
    for paid_there in (each.xero for each in compared.payments):
        if paid_there and paid_there.kind == "payment" and compared.asked.holds(paid_there.day):
            key = (paid_there.currency, "Payments")
            whole[key] = (whole[key][0] + 1, whole[key][1] + paid_there.amount)
    return dict(whole)


@some
@given(anything(), st.booleans())
def test_the_tables_agree_with_each_other(compared: Compared, drafts_count: bool) -> None:
    tables = made(compared, drafts_count=drafts_count)
    month, rate, account = tables["by_month"], tables["by_tax_rate"], tables["by_account"]
    for side, step in (
        ("caspen", ["to-be-in-xero"]),
        ("xero", ["caspens-in-xero", "unknown-in-caspen", "twice-in-xero"]),
    ):
        for figure, by in (("net", "subtotal"), ("tax", "tax"), ("total", "total")):
            invoices, notes = (total(month, f"{side}_{by}", what=what) for what in ("Invoices", "Credit notes"))
            assert total(rate, f"{side}_{figure}") == _plus(invoices, {key: -amount for key, amount in notes.items()})
        assert total(account, f"{side}_net") == total(rate, f"{side}_net")
        for what, key, table in (
            ("Invoices", "total", "invoices"),
            ("Credit notes", "total", "credit_notes_one_by_one"),
            ("Payments", "amount", "payments_one_by_one"),
        ):
            by_month = total(month, f"{side}_total", what=what)
            assert total(tables[table], f"{side}_{key}") == by_month
            steps = [{currency: _amount(tables, what, currency, code) for currency in ("AUD", "NZD")} for code in step]
            assert _plus(*steps) == by_month
        assert total(tables["payments"], f"{side}_amount") == total(month, f"{side}_total", what="Payments")
        assert total(tables["debtors"], f"{side}_due") == total(tables["invoices"], f"{side}_due")


def _amount(tables: dict[str, Table], what: str, currency: str, code: str) -> Decimal:
    return bridge(tables, what, currency).get(code, (0, ZERO))[1]


def _plus(*sums: Sums) -> Sums:
    """Sums by currency, added up."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in sums:
        for currency, amount in one.items():
            found[currency] += amount
    return {currency: amount for currency, amount in found.items() if amount}


@some
@given(anything(), st.booleans())
def test_debtors_are_what_is_left_of_each_invoice_by_then(compared: Compared, drafts_count: bool) -> None:
    as_at, counts = compared.asked.as_at, {"stands", "draft"} if drafts_count else {"stands"}
    owed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in compared.invoices:
        for side, one in (("caspen", each.caspen), ("xero", each.xero)):
            if one and one.day <= as_at and one.standing in ({"stands"} if side == "caspen" else counts):
                on = [got for got in (getattr(both, side) for both in compared.payments) if got]
                paid_by_then = sum((got.amount for got in on if got.invoice == one.id and got.day <= as_at), ZERO)
                owed[side, one.currency] += one.total - paid_by_then
    table = made(compared, drafts_count=drafts_count)["debtors"]
    for side in ("caspen", "xero"):
        expected = {currency: amount for (whose, currency), amount in owed.items() if whose == side and amount}
        assert total(table, f"{side}_due") == expected


@some
@given(anything())
def test_every_difference_is_xeros_less_caspens_and_totals_are_the_sums_of_rows(compared: Compared) -> None:
    tables = made(compared)
    assert list(tables) == KEYS
    for table in tables.values():
        keys = [column.key for column in table.columns]
        assert len(set(keys)) == len(keys)
        for row in (*rows(table), *totals(table)):
            for column in table.columns:
                assert row[column.key] is None or type(row[column.key]) in TYPES[column.holds], (table.key, column)
                if column.key.startswith("caspen_") and f"xero_{column.key[7:]}" in keys and column.holds == "amount":
                    named = f"difference_{column.key[7:]}"
                    by = row.get(named if named in keys else "difference")
                    if by is not None:
                        assert by == (row[f"xero_{column.key[7:]}"] or 0) - (row[column.key] or 0), (table.key, row)
        assert set(map(tuple, table.brief or ())) <= set(map(tuple, table.rows))
        if table.key in KEYS[3:7] + KEYS[11:]:
            for row in totals(table):
                own = [one for one in rows(table) if one["currency"] == row["currency"]]
                for key in (column.key for column in table.columns if column.holds == "amount"):
                    assert (row[key] or ZERO) == sum((one[key] or ZERO for one in own), ZERO), (table.key, key)
        if any(amount for _, amount in differences(table)):
            assert not table.is_equal, table.key


@settings(max_examples=40, deadline=None)
@given(anything(), st.randoms(use_true_random=False))
def test_the_order_in_which_it_was_read_shows_nowhere(compared: Compared, chance: random.Random) -> None:
    before = tables_of(compared, "AUD")
    for name in ("invoices", "credit_notes", "payments", "left_out", "money_left_out", "others", "finds"):
        chance.shuffle(getattr(compared, name))
    assert tables_of(compared, "AUD") == before


@some
@given(equal_books())
def test_equal_books_are_equal_to_the_cent_everywhere(compared: Compared) -> None:
    for table in tables_of(compared, "AUD"):
        assert table.is_equal, table
        assert [found for found in differences(table) if found[1] != ZERO] == []
        assert table.key not in ("debtors",) or table.brief == []
        assert UNACCOUNTED not in str(table.rows)


# --- what counts where


def test_each_side_counts_on_its_own_day() -> None:
    moved = document("INV-1", on="30")
    tables = made(november(Pair(moved, in_xero(moved, day=day("2026-12-01"))), pair("INV-2", "55.00")))
    assert bridge(tables) == {
        "all-in-caspen": (2, Decimal("165.00")),
        "to-be-in-xero": (2, Decimal("165.00")),
        "date": (-1, Decimal("-110.00")),
        "caspens-in-xero": (1, Decimal("55.00")),
        "all-in-xero": (1, Decimal("55.00")),
    }
    (row,) = rows(tables["by_month"])
    assert (row["month"], row["caspen_number"], row["xero_number"], row["difference"]) == (
        "2026-11",
        2,
        1,
        Decimal("-110.00"),
    )
    (row, _) = rows(tables["invoices"])
    assert (row["caspen_total"], row["xero_total"], row["difference"]) == (Decimal("110.00"), None, Decimal("-110.00"))
    assert (row["caspen_date"], row["xero_date"]) == (day("30"), day("2026-12-01"))


def test_one_dated_into_the_period_in_xero_alone_is_named_and_counted() -> None:
    later = document("INV-1", on="2026-12-02")
    tables = made(november(Pair(later, in_xero(later, day=day("30")))))
    assert bridge(tables)["date"] == (1, Decimal("110.00"))
    assert total(tables["by_month"], "difference", what="Invoices") == {"AUD": Decimal("110.00")}
    assert not tables["bridge"].is_equal


def test_what_is_left_out_stands_between_the_wholes_with_its_reason() -> None:
    held = LeftOut(document("INV-3"), "held", "no sales account is chosen", "caspen-xero settings accounts sales")
    early = LeftOut(document("INV-4", "22.00"), "before-start-date", xero=in_xero(document("INV-4", "22.00")))
    outside = LeftOut(document("INV-5", on="2026-12-01"), "pending")
    draft = LeftOut(document("INV-6", "33.00", standing="draft"), "draft")
    compared = november(pair("INV-1"), left_out=[draft, early, outside, held])
    compared.money_left_out = [(money("INV-3", "10.00"), "invoice-left-out"), (money("INV-1", "20.00"), "feed")]
    tables = made(compared)
    assert bridge(tables) == {
        "all-in-caspen": (4, Decimal("275.00")),
        "draft": (-1, Decimal("-33.00")),
        "before-start-date": (-1, Decimal("-22.00")),
        "held": (-1, Decimal("-110.00")),
        "to-be-in-xero": (1, Decimal("110.00")),
        "caspens-in-xero": (1, Decimal("110.00")),
        "left-out-in-xero": (1, Decimal("22.00")),
        "all-in-xero": (2, Decimal("132.00")),
    }
    assert bridge(tables, "Payments")["to-be-in-xero"] == (0, ZERO)
    left = rows(tables["left_out"])
    assert [(row["why"], row["what"], row["number"] or row["invoice"]) for row in left] == [
        ("held", "Invoice", "INV-3"),
        ("before the start date", "Invoice", "INV-4"),
        ("draft in Caspen", "Invoice", "INV-6"),
        ("left to the bank's feed", "Payment", "INV-1"),
        ("its invoice is left out", "Payment", "INV-3"),
    ]
    assert (left[0]["reason"], left[0]["fix"]) == ("no sales account is chosen", "caspen-xero settings accounts sales")
    assert (left[1]["xero_number"], left[1]["xero_total"]) == ("INV-4", Decimal("22.00"))
    assert [row["number"] for row in totals(tables["left_out"])] == ["All: 1"] * 5
    assert not tables["left_out"].is_equal
    assert tables["bridge"].is_equal


@pytest.mark.parametrize("why", ["draft", "void", "skipped", "before-start-date"])
def test_what_is_left_out_for_good_is_no_difference(why: Any) -> None:
    tables = made(november(pair("INV-1"), left_out=[LeftOut(document("INV-2"), why)]))
    assert [key for key, table in tables.items() if not table.is_equal] == []


def test_void_documents_count_nowhere_and_are_listed() -> None:
    here, there = (
        document("INV-1", standing="gone", status="void"),
        in_xero(document("INV-1"), standing="gone", status="VOIDED"),
    )
    tables = made(november(Pair(here, there)))
    assert bridge(tables)["void"] == (-1, Decimal("-110.00"))
    assert bridge(tables)["all-in-xero"] == (0, ZERO)
    assert not rows(tables["by_month"])
    (row,) = rows(tables["invoices"])
    assert (row["caspen_status"], row["xero_status"], row["caspen_total"], row["xero_total"]) == (
        "void",
        "VOIDED",
        None,
        None,
    )
    assert [key for key, table in tables.items() if not table.is_equal] == []


@pytest.mark.parametrize(
    ("each", "step", "by"),
    [
        (Pair(document("INV-1"), None), "missing-in-xero", -110),
        (Pair(document("INV-1"), in_xero(document("INV-1"), standing="gone")), "voided-in-xero", -110),
        (Pair(document("INV-1"), in_xero(document("INV-1"), standing="draft")), "draft-in-xero", -110),
        (Pair(document("INV-1", standing="gone"), in_xero(document("INV-1"))), "gone-in-caspen", 110),
        (Pair(document("INV-1", standing="draft"), in_xero(document("INV-1"))), "gone-in-caspen", 110),
        (Pair(document("INV-1"), in_xero(document("INV-1", "110.01"))), "figures", Decimal("0.01")),
        (Pair(None, in_xero(document("INV-1"))), "unknown-in-caspen", 110),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_of_difference_is_a_step_and_shows_in_every_sum(each: Pair, step: str, by: Decimal | int) -> None:
    tables = made(november(each, pair("INV-2")))
    assert bridge(tables)[step][1] == by
    for key in ("by_month", "by_tax_rate", "debtors", "invoices"):
        name = "difference"
        assert sum((row[name] for row in rows(tables[key])), ZERO) == by, key
        assert not tables[key].is_equal, key
    assert not tables["bridge"].is_equal


def test_a_document_twice_in_xero_and_one_that_cannot_be_read_are_named_so() -> None:
    twice, unreadable = in_xero(document("INV-1"), id="x-again"), document("INV-3")
    compared = november(pair("INV-1"), Pair(None, twice), Pair(unreadable, None))
    compared.finds = [
        Find("twice-in-xero", "INV-1", "inv-1", "x-again", "Nell", "once", "twice", "AUD"),
        Find("unreadable-in-xero", "INV-3", "inv-3", None, "Nell", "110.00", "it can't be read", "AUD"),
    ]
    steps = bridge(made(compared))
    assert (steps["twice-in-xero"][0], steps["unreadable-in-xero"][0]) == (1, -1)
    assert steps["caspens-in-xero"][0] == 1


def test_a_draft_in_xero_counts_where_invoices_are_sent_as_drafts() -> None:
    compared = november(Pair(document("INV-1"), in_xero(document("INV-1"), standing="draft", status="DRAFT")))
    assert [key for key, table in made(compared, drafts_count=True).items() if not table.is_equal] == []
    assert not made(compared)["debtors"].is_equal


def test_another_currency_is_taken_from_the_one_and_added_to_the_other() -> None:
    tables = made(november(Pair(document("INV-1"), in_xero(document("INV-1"), currency="NZD"))))
    assert bridge(tables)["currency"] == (-1, Decimal("-110.00"))
    assert bridge(tables, currency="NZD")["currency"] == (1, Decimal("110.00"))
    assert [(row["currency"], row["difference"]) for row in rows(tables["invoices"])] == [
        ("AUD", Decimal("-110.00")),
        ("NZD", Decimal("110.00")),
    ]


def test_the_organisations_currency_comes_first_in_every_table() -> None:
    compared = november(pair("INV-1", currency="AED"), pair("INV-2"), payments=[paid("INV-2", "5.00")])
    compared.payments.append(paid("INV-1", "5.00", currency="AED"))
    for table in made(compared).values():
        currencies = [row["currency"] for row in rows(table)]
        assert currencies == sorted(currencies, key="AUD".__ne__), table.key
    assert {row["currency"] for row in totals(made(compared)["debtors"])} == {"AUD", "AED"}


def test_a_payment_whose_currency_xero_does_not_tell_is_in_that_of_its_invoice() -> None:
    compared = november(pair("INV-1", currency="NZD"))
    one, older = money("INV-1", "20.00", currency="NZD"), money("INV-0", "10.00", currency="NZD")
    alone = money_in_xero(money("INV-1", "5.00", currency=""))
    compared.payments = [MoneyPair(each, money_in_xero(each, currency="")) for each in (one, older)]
    tables = made(compared)
    assert [key for key, table in tables.items() if not table.is_equal and key not in ("debtors", "invoices")] == []
    compared.payments.append(MoneyPair(None, alone))
    assert bridge(made(compared), "Payments", "NZD")["unknown-in-caspen"] == (1, Decimal("5.00"))


def test_what_is_told_of_in_two_places_does_not_count_twice() -> None:
    compared = november(pair("INV-1"))
    one = compared.invoices[0].xero
    assert one is not None
    compared.others = [one]
    steps = bridge(made(compared))
    assert (steps[UNACCOUNTED], steps["all-in-xero"]) == ((-1, Decimal("-110.00")), (1, Decimal("110.00")))


def test_what_was_read_and_is_in_no_step_is_told() -> None:
    compared = november(pair("INV-1"))
    lost = in_xero(document("INV-9", "9.00"))
    one = compared.invoices[0].xero
    assert one is not None
    found = made(compared, in_xero={"invoice": [one, lost]})
    assert bridge(found)[UNACCOUNTED] == (1, Decimal("9.00"))
    assert not found["bridge"].is_equal
    found = made(compared, in_caspen={"invoice": [document("INV-1"), document("INV-8", "8.00")]})
    assert bridge(found)[UNACCOUNTED] == (-1, Decimal("-8.00"))
    assert UNACCOUNTED not in bridge(made(compared, in_xero={"invoice": [one]}))


# --- by tax rate and account


def test_credit_notes_take_away_from_tax_rates_and_accounts() -> None:
    note = document("CN-1", "11.00", kind="credit_note")
    tables = made(november(pair("INV-1"), credit_notes=[Pair(note, in_xero(note))]))
    (row,) = rows(tables["by_tax_rate"])
    assert (row["tax_rate"], row["caspen_net"], row["caspen_tax"], row["caspen_total"]) == (
        "GST on Income",
        Decimal("90.00"),
        Decimal("9.00"),
        Decimal("99.00"),
    )
    assert [row["caspen_net"] for row in rows(tables["by_account"])] == [Decimal("90.00")]
    assert [(row["what"], row["caspen_total"]) for row in totals(tables["by_month"])] == [
        ("Invoices", Decimal("110.00")),
        ("Credit notes", Decimal("11.00")),
        ("Invoices less credit notes", Decimal("99.00")),
    ]


def test_a_cent_of_tax_moved_between_rates_shows_though_no_total_changes() -> None:
    def one(first: str, second: str) -> Document:
        lines = [
            Line(Decimal("50.00"), Decimal(first), "OUTPUT", "200"),
            Line(Decimal("50.00"), Decimal(second), "OUTPUT2", "200"),
        ]
        return document("INV-1", lines=lines)

    tables = made(november(Pair(one("5.00", "5.00"), in_xero(one("5.01", "4.99")))))
    assert [row["difference_tax"] for row in rows(tables["by_tax_rate"])] == [Decimal("0.01"), Decimal("-0.01")]
    assert not tables["by_tax_rate"].is_equal
    assert tables["by_month"].is_equal
    assert tables["invoices"].is_equal


def test_a_recoded_line_is_listed_and_no_difference() -> None:
    here = document("INV-1")
    there = in_xero(here, lines=[replace(here.lines[0], account="210")])
    tables = made(november(Pair(here, there), recoded=[(here, here.lines[0], there.lines[0])]))
    by_account = {row["account"]: row for row in rows(tables["by_account"])}
    assert [by_account["200 Sales"][key] for key in ("sent", "recoded", "caspen_net", "xero_net", "difference")] == [
        Decimal("100.00"),
        Decimal("-100.00"),
        ZERO,
        ZERO,
        ZERO,
    ]
    assert by_account["210 Products"]["recoded"] == by_account["210 Products"]["xero_net"] == Decimal("100.00")
    (row,) = rows(tables["recoded"])
    assert (row["number"], row["sent_to"], row["is_in"]) == ("INV-1", "200 Sales", "210 Products")
    assert [key for key, table in tables.items() if not table.is_equal] == []


def test_an_account_is_one_by_its_code_and_by_its_id() -> None:
    here = document("INV-1", account="id-200")
    payment = money("INV-1", "10.00", account="id-090")
    compared = november(Pair(here, in_xero(here, lines=[replace(here.lines[0], account="200")])))
    compared.payments = [MoneyPair(payment, money_in_xero(payment, account="090"))]
    tables = made(compared)
    assert [row["account"] for row in rows(tables["by_account"])] == ["200 Sales"]
    assert [(row["account"], row["moved"]) for row in rows(tables["payments"])] == [("090 Bank", None)]


def test_what_is_on_no_line_is_not_lost() -> None:
    here = document("INV-1")
    tables = made(november(Pair(here, in_xero(here, lines=[]))))
    for key, name in (("by_tax_rate", "tax_rate"), ("by_account", "account")):
        assert rows(tables[key])[-1][name] == "(on no line)"
        assert total(tables[key], "difference") == {}
        assert not tables[key].is_equal


# --- payments and debtors


def test_payments_by_account_and_method_count_where_they_are() -> None:
    elsewhere = money("INV-1", "20.00")
    told = money("INV-1", "5.00", account="", method="", told=True)
    compared = november(
        pair("INV-1"), payments=[paid("INV-1", "50.00"), MoneyPair(told, money_in_xero(told, account="091"))]
    )
    compared.payments += [MoneyPair(elsewhere, money_in_xero(elsewhere, account="091"))]
    compared.payments += [MoneyPair(None, money_in_xero(money("INV-1", "1.00")))]
    found = {(row["account"], row["method"]): row for row in rows(made(compared)["payments"])}
    assert {key: (row["caspen_amount"], row["xero_amount"], row["moved"]) for key, row in found.items()} == {
        ("090 Bank", "Cash"): (Decimal("50.00"), Decimal("50.00"), Decimal("-20.00")),
        ("091", "Cash"): (Decimal("20.00"), Decimal("20.00"), Decimal("20.00")),
        ("091", "(found in Xero)"): (Decimal("5.00"), Decimal("5.00"), None),
        ("090 Bank", "(not in Caspen)"): (ZERO, Decimal("1.00"), None),
    }
    assert not made(compared)["payments"].is_equal


def test_payments_on_what_is_nobodys_are_no_difference() -> None:
    compared = november(pair("INV-1"), others=[in_xero(document("A-7"), contact="else")])
    compared.payments = [MoneyPair(None, money_in_xero(money("A-7", "30.00")))]
    tables = made(compared)
    assert [key for key, table in tables.items() if not table.is_equal] == []
    assert bridge(tables, "Payments")["others"] == (1, Decimal("30.00"))
    assert not rows(tables["payments"])


def test_a_payment_on_an_invoice_that_is_not_compared_names_it() -> None:
    compared = november(payments=[paid("INV-OLD", "10.00")])
    compared.names = replace(NAMES, invoices={"inv-old": ("INV-OLD", "Nell Okafor")})
    (row,) = rows(made(compared)["payments_one_by_one"])
    assert (row["invoice"], row["client"], row["told"]) == ("INV-OLD", "Nell Okafor", "its own record")


@pytest.mark.parametrize(
    ("as_at", "owed"),
    [
        ("2026-11-02", None),
        ("2026-11-03", "110.00"),
        ("2026-11-10", "60.00"),
        ("2026-12-05", "49.00"),
        ("2026-12-31", "9.00"),
    ],
)
def test_debtors_as_at_a_day_are_what_was_owed_at_its_end(as_at: str, owed: str | None) -> None:
    credit = money("INV-1", "11.00", "2026-12-05", kind="credit")
    payments = [
        paid("INV-1", "50.00", "10"),
        paid("INV-1", "40.00", "2026-12-31"),
        MoneyPair(credit, money_in_xero(credit)),
    ]
    note = document("CN-1", "11.00", "2026-12-05", kind="credit_note")
    compared = november(pair("INV-1"), payments=payments, credit_notes=[Pair(note, in_xero(note))])
    compared.asked = replace(NOVEMBER, as_at=day(as_at))
    tables = made(compared)
    expected = [] if owed is None else [(Decimal(owed), Decimal(owed), ZERO)]
    found = [(row["caspen_due"], row["xero_due"], row["difference"]) for row in rows(tables["debtors"])]
    assert found == expected
    assert tables["debtors"].brief == []
    assert not rows(tables["credit_notes_one_by_one"]), "it is of a later month"
    assert [key for key, table in tables.items() if not table.is_equal] == []


def test_an_older_invoice_that_is_owed_is_among_debtors_and_in_no_sum_of_the_period() -> None:
    tables = made(november(pair("INV-0", on="2026-09-30"), pair("INV-1", "55.00")))
    assert total(tables["debtors"], "caspen_due") == {"AUD": Decimal("165.00")}
    assert total(tables["by_month"], "caspen_total", what="Invoices") == {"AUD": Decimal("55.00")}
    (row, _) = rows(tables["invoices"])
    assert (row["number"], row["caspen_total"], row["caspen_due"]) == ("INV-0", None, Decimal("110.00"))


def test_debtors_name_the_client_who_differs() -> None:
    other = document("INV-2", contact="ed", party="Ed Li")
    compared = november(pair("INV-1"), Pair(other, in_xero(other)))
    compared.payments = [MoneyPair(None, money_in_xero(money("INV-2", "0.01")))]
    table = made(settled_again(compared))["debtors"]
    assert [row[1:] for row in table.brief or ()] == [
        ["Ed Li", None, Decimal("110.00"), Decimal("109.99"), Decimal("-0.01"), None]
    ]
    assert [row["client"] for row in rows(table)] == ["Ed Li", "Nell Okafor"]


def settled_again(compared: Compared) -> Compared:
    return november(*compared.invoices, payments=compared.payments)


def test_one_contact_may_stand_for_all_clients_and_another_one_is_a_difference() -> None:
    here = document("INV-1")
    for_all = Pair(here, in_xero(here, contact="everybody", party="All clients"))
    assert made(november(for_all))["debtors"].is_equal
    compared = november(for_all)
    compared.finds = [Find("contact", "INV-1", "inv-1", "x-inv-1", "Nell", "Nell", "All clients", "AUD")]
    table = made(compared)["debtors"]
    assert [(row["client"], row["caspen_due"], row["xero_due"]) for row in rows(table)] == [
        ("All clients", ZERO, Decimal("110.00")),
        ("Nell Okafor", Decimal("110.00"), ZERO),
    ]


def test_what_is_left_out_stands_beside_what_is_owed() -> None:
    compared = november(pair("INV-1"), left_out=[LeftOut(document("INV-2", "50.00"), "held")])
    compared.money_left_out = [
        (money("INV-1", "30.00"), "feed"),
        (money("INV-2", "20.00"), "invoice-left-out"),
        (money("INV-2", "30.00", "2026-12-01"), "invoice-left-out"),
    ]
    compared.others = [in_xero(document("A-1", "7.00"))]
    (row,) = rows(made(compared)["debtors"])
    assert (row["caspen_left_out"], row["caspen_due"], row["xero_due"], row["xero_others"]) == (
        None,  # 30.00 are left on the one, and 30.00 were paid on the other
        Decimal("110.00"),
        Decimal("110.00"),
        Decimal("7.00"),
    )


# --- what is read one by one


def test_differences_come_first_by_what_nobody_has_accepted_then_by_number() -> None:
    def find(code: str, number: str, accepted: bool = False) -> Find:
        return Find(
            code, number, number.lower(), None, "Nell", "110.00", "110.01", "AUD", Decimal("0.01"), accepted=accepted
        )

    compared = november()
    compared.finds = [
        find("date", "INV-2", accepted=True),
        find("payment-amount", "INV-10"),
        find("figures", "INV-9"),
        find("date", "INV-9"),
        find("new-code", "INV-9"),
    ]
    table = made(compared)["differences"]
    assert [(row["number"], row["code"], row["accepted"]) for row in rows(table)] == [
        ("INV-9", "date", ""),
        ("INV-9", "figures", ""),
        ("INV-9", "new-code", ""),
        ("INV-10", "payment-amount", ""),
        ("INV-2", "date", "accepted"),
    ]
    assert not table.is_equal
    compared.finds = [find("date", "INV-2", accepted=True)]
    assert made(compared)["differences"].is_equal


def test_numbers_of_any_length_are_sorted() -> None:
    numbers = ["", "9", "0010", "9" * 6_000, "A-2", "a-10", "A-10b", "²"]
    table = made(november(*(pair(number, id=str(place)) for place, number in enumerate(numbers))))["invoices"]
    assert [row["number"] for row in rows(table)] == ["", "9", "0010", "9" * 6_000, "A-2", "a-10", "A-10b", "²"]


def test_others_are_listed_and_of_these_drafts_are_not_counted() -> None:
    others = [in_xero(document("A-2")), in_xero(document("A-1", standing="draft"), status="DRAFT")]
    tables = made(november(others=others))
    assert [(row["what"], row["number"]) for row in rows(tables["others"])] == [
        ("Invoice", "A-2"),
        ("Invoice, not counted", "A-1"),
    ]
    assert bridge(tables)["others"] == (1, Decimal("110.00"))


def test_information_is_told_and_not_counted() -> None:
    compared = november(pair("INV-1"))
    compared.information = [Find("text", "INV-1", "inv-1", "x-inv-1", "Nell", "Consultation", "Check-up", "AUD")]
    tables = made(compared)
    assert [row["what"] for row in rows(tables["information"])] == ["a line's text, or the reference"]
    assert [key for key, table in tables.items() if not table.is_equal] == []


def test_nothing_to_compare_gives_every_table() -> None:
    tables = made(Compared(Asked(None, day("30"), day("30"))))
    assert list(tables) == KEYS
    assert [row["amount"] for row in rows(tables["bridge"])] == [ZERO] * len(SUMS)
    assert all(
        table.is_equal and all(not row or len(row) == len(table.columns) for row in table.rows)
        for table in tables.values()
    )


def test_a_document_of_no_amount_that_is_missing_is_counted() -> None:
    free = Pair(document("INV-1", "0.00"), None)
    tables = made(november(free, pair("INV-2")))
    assert bridge(tables)["missing-in-xero"] == (-1, ZERO)
    (row,) = rows(tables["by_month"])
    assert (row["caspen_number"], row["xero_number"], row["difference"]) == (2, 1, ZERO)
    assert [key for key in ("bridge", "by_month", "invoices") if tables[key].is_equal] == []


def test_two_payments_that_are_one_in_xero_are_counted() -> None:
    compared = november(pair("INV-1"), payments=[paid("INV-1", "10.00")])
    compared.payments += [
        MoneyPair(money("INV-1", "5.00"), None),
        MoneyPair(None, money_in_xero(money("INV-1", "5.00"))),
    ]
    (here, there) = rows(made(compared)["payments"])
    assert [row["difference"] for row in (here, there)] == [Decimal("-5.00"), Decimal("5.00")]
    compared.payments[2:] = [MoneyPair(None, money_in_xero(money("INV-1", "2.50", day_))) for day_ in ("6", "7")]
    assert [(row["caspen_number"], row["xero_number"]) for row in totals(made(compared)["payments"])] == [(2, 3)]
    assert not made(compared)["by_month"].is_equal


def test_lists_show_what_is_dated_in_the_period() -> None:
    compared = november(pair("INV-1"), payments=[paid("INV-1", "1.00"), paid("INV-1", "2.00", "2026-12-01")])
    compared.others = [in_xero(document("A-1")), in_xero(document("A-2", on="2026-10-31"))]
    tables = made(compared)
    assert [row["caspen_amount"] for row in rows(tables["payments_one_by_one"])] == [Decimal("1.00")]
    assert [row["number"] for row in rows(tables["others"])] == ["A-1"]
