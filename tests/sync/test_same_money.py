"""The one rule for the same money: what is certain, what is held on both sides, what may be sent, and what is news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.sync.planning.same_money import NEAR, Claim, There, account_decides, tell_apart

DAY, FAR = date(2026, 11, 3), NEAR.days + 1
BANK, CLEARING = "bank", "clearing"


def claim(key: str = "pay_1/all_1", amount: str = "50", after: int = 0, account: str | None = BANK) -> Claim:
    names = (*key.split("/"), "eftpos")
    return Claim(
        key, (f"EFTPOS {key}",), Decimal(amount), "", True, DAY + timedelta(after), account, tuple(dict.fromkeys(names))
    )


def there(
    id_: str = "p-1", amount: str = "50", after: int = 0, reference: str = "Bank feed", account: str | None = None
) -> There:
    return There(id_, Decimal(amount), DAY + timedelta(after), reference, account)


@pytest.mark.parametrize(
    ("one", "is_held"),
    [
        (there(), True),
        (there(after=3), True),
        (there(after=-7), True),
        (there(amount="50.01"), False),
        (there(after=FAR, account=BANK), True),
        (there(after=FAR, account=CLEARING), False),
        (there(after=3, account=CLEARING), True),
        (there(after=FAR, account=CLEARING, reference="Eftpos 12 Nov"), True),
        (there(after=FAR, account=CLEARING, reference="Refund of pay_1"), True),
        (there(after=FAR), True),
    ],
)
def test_equal_ones_are_held_within_a_week_and_further_apart_unless_account_and_reference_speak_against_it(
    one: There, is_held: bool
) -> None:
    apart = tell_apart([claim()], [one])
    assert (list(apart.held), list(apart.in_question)) == ((["pay_1/all_1"], ["p-1"]) if is_held else ([], []))
    assert (apart.free, apart.news) == (([], []) if is_held else ([claim()], [one]))


def test_the_account_is_asked_for_only_where_it_decides() -> None:
    assert account_decides([claim()], [there(after=FAR)]) == {"p-1"}
    for one in (
        there(),
        there(after=FAR, account=BANK),
        there(after=FAR, amount="9"),
        there(after=FAR, reference="eftpos"),
    ):
        assert account_decides([claim()], [one]) == set()


def test_of_equal_ones_the_nearest_and_those_of_the_method_that_is_named_are_held() -> None:
    gap, rebate = claim("pay_1/a"), Claim("pay_2/b", (), Decimal(50), "", True, DAY, BANK, ("hicaps",))
    apart = tell_apart([gap, rebate], [there(reference="HICAPS 0311")])
    assert (list(apart.held), apart.free) == (["pay_2/b"], [gap])
    first, second = claim("pay_1/a", after=0), claim("pay_2/b", after=5)
    assert list(tell_apart([first, second], [there(after=6)]).held) == ["pay_2/b"]


def test_what_caspen_was_told_of_is_held_against_only_where_nothing_else_is() -> None:
    told = There("p-0", Decimal(50), DAY, None, is_told=True)
    assert list(tell_apart([claim()], [told]).held) == ["pay_1/all_1"]
    apart = tell_apart([claim()], [told, there(after=5)])
    assert (list(apart.in_question), apart.news) == (["p-1"], [told])


def test_our_reference_is_certain_whatever_else_is_equal() -> None:
    ours = there("p-2", reference="EFTPOS pay_1/all_1")
    apart = tell_apart([claim(), claim("pay_2/all_2")], [there(), ours])
    assert [(one.key, found.xero_id) for one, found in apart.certain] == [("pay_1/all_1", "p-2")]
    assert (list(apart.held), list(apart.in_question)) == (["pay_2/all_2"], ["p-1"])


def test_more_than_is_due_is_held_with_all_that_it_may_be_a_part_or_the_sum_of() -> None:
    apart = tell_apart([claim(amount="110")], [there(amount="60")], due=Decimal(50))
    assert (list(apart.held), list(apart.in_question)) == (["pay_1/all_1"], ["p-1"])
    assert tell_apart([claim(amount="110")], [there(amount="60")], due=Decimal(160)).held == {}
    parts = [claim("pay_1/a", "65"), claim("pay_2/b", "100")]
    apart = tell_apart(parts, [there(amount="165")], due=Decimal(0))
    assert (list(apart.held), apart.in_question["p-1"], apart.news) == (["pay_1/a", "pay_2/b"], parts, [])


def test_what_adds_up_to_the_cent_within_a_week_is_held_whichever_of_it_it_is() -> None:
    parts = [there("p-1", "60"), there("p-2", "50", after=7)]
    apart = tell_apart([claim(amount="110")], parts, Decimal(500))
    assert (apart.held["pay_1/all_1"], list(apart.in_question), apart.free, apart.news) == (
        parts,
        ["p-1", "p-2"],
        [],
        [],
    )
    both = [*parts, there("p-3", "70"), there("p-4", "40"), there("p-5", "9")]
    apart = tell_apart([claim(amount="110")], both, Decimal(500))
    assert (set(apart.in_question), [one.xero_id for one in apart.news]) == ({"p-1", "p-2", "p-3", "p-4"}, ["p-5"])
    for different in ({("pay_1/all_1", "p-1")}, {("pay_1/all_1", "p-2")}):
        assert tell_apart([claim(amount="110")], parts, Decimal(500), different).held == {}
    assert tell_apart([claim(amount="110")], [parts[0], there("p-2", "50", after=FAR)], Decimal(500)).held == {}


def test_what_has_an_equal_is_no_part_of_a_sum() -> None:
    apart = tell_apart([claim(amount="110")], [there("p-0", "110"), there("p-1", "60"), there("p-2", "50")])
    assert (list(apart.in_question), [one.xero_id for one in apart.news]) == (["p-0"], ["p-1", "p-2"])


@given(
    st.lists(st.integers(1, 9).map(str), max_size=4),
    st.lists(st.integers(1, 9).map(str), max_size=4),
    st.integers(0, 40).map(Decimal),
)
def test_what_is_sent_or_told_makes_nothing_that_is_left_on_the_other_side(
    caspen: list[str], xero: list[str], due: Decimal
) -> None:
    claims = [claim(f"pay_{nth}/a", amount) for nth, amount in enumerate(caspen)]
    others = [there(f"p-{nth}", amount) for nth, amount in enumerate(xero)]
    apart = tell_apart(claims, others, due)
    paired, taken = {one.key for one, _ in apart.pairs}, {one.xero_id for _, one in apart.pairs}
    ours = [one for one in claims if one.key not in paired]
    theirs = [one for one in others if one.xero_id not in taken]
    for many in range(1, 5):
        for some in combinations(theirs, many):
            makes = [one for one in ours if one.amount == sum(each.amount or 0 for each in some)]
            assert not (makes and (set(some) & set(apart.news) or set(makes) & set(apart.free)))
        for these in combinations(ours, many):
            made = [one for one in theirs if one.amount == sum(each.amount for each in these)]
            assert not (made and (set(made) & set(apart.news) or set(these) & set(apart.free)))


# --- whatever stands on either side

KEYS = [f"pay_{n}/all_{n}" for n in range(4)]
AMOUNTS, DAYS, ACCOUNTS = st.sampled_from(["5", "7"]), st.integers(0, 12), st.sampled_from([None, BANK, CLEARING])
CLAIMS = st.lists(
    st.builds(claim, st.sampled_from(KEYS), AMOUNTS, DAYS, ACCOUNTS), max_size=4, unique_by=lambda c: c.key
)
REFERENCES = st.sampled_from(["Bank feed", "eftpos 3", *(f"EFTPOS {key}" for key in KEYS)])
THERE = st.lists(
    st.builds(there, st.sampled_from(["p-0", "p-1", "p-2", "p-3"]), AMOUNTS, DAYS, REFERENCES, ACCOUNTS),
    max_size=4,
    unique_by=lambda one: one.xero_id,
)


def most_pairs(may: set[tuple[str, str]], keys: Sequence[str], ids: Sequence[str]) -> int:
    """How many can be the same at once, found by trying all."""
    few, many, turned = (keys, ids, False) if len(keys) <= len(ids) else (ids, keys, True)
    return max(
        sum(((b, a) if turned else (a, b)) in may for a, b in zip(few, order, strict=False))
        for order in permutations(many)
    )


@given(CLAIMS, THERE, st.sets(st.tuples(st.sampled_from(KEYS), st.sampled_from(["p-0", "p-1"]))))
def test_each_is_one_thing_and_as_many_are_held_as_may_be_the_same_at_once(
    claims: list[Claim], others: list[There], different: set[tuple[str, str]]
) -> None:
    apart = tell_apart(claims, others, None, different)
    ours = [one.key for one, _ in apart.certain] + list(apart.held) + [one.key for one in apart.free]
    theirs = [one.xero_id for _, one in apart.certain] + list(apart.in_question) + [one.xero_id for one in apart.news]
    assert Counter(ours) == Counter(one.key for one in claims)
    assert Counter(theirs) == Counter(one.xero_id for one in others)
    left = [one for one in claims if one.key in apart.held or one in apart.free]
    there_left = [one for one in others if one.xero_id in apart.in_question or one in apart.news]
    may = {(a.key, b.xero_id) for a in left for b in there_left if tell_apart([a], [b], None, different).held}
    assert may.isdisjoint(different)
    held = most_pairs(may, [a.key for a in left], [b.xero_id for b in there_left])
    assert (len(apart.held), len(apart.in_question)) == (held, held)
    for key, may_be in apart.held.items():
        assert {(key, one.xero_id) for one in may_be} == {pair for pair in may if pair[0] == key}


@given(st.lists(DAYS, max_size=5), st.lists(DAYS, max_size=5))
def test_of_n_equal_ones_and_m_as_many_are_held_and_the_rest_goes_its_way(caspen: list[int], xero: list[int]) -> None:
    claims = [claim(f"pay_{n}/a", after=min(day, NEAR.days)) for n, day in enumerate(caspen)]
    others = [there(f"p-{n}", after=min(day, NEAR.days)) for n, day in enumerate(xero)]
    for ours, theirs in ((claims, others), (claims[::-1], others[::-1])):
        apart = tell_apart(ours, theirs)
        assert len(apart.free) == max(0, len(claims) - len(others))
        assert len(apart.news) == max(0, len(others) - len(claims))


@given(CLAIMS, THERE, st.integers(0, 20).map(Decimal))
def test_what_is_free_fits_into_what_is_due_where_money_stands_there_for_nothing(
    claims: list[Claim], others: list[There], due: Decimal
) -> None:
    apart = tell_apart(claims, others, due)
    too_much = sum((one.amount for one in apart.free), Decimal(0)) > due
    assert not (too_much and apart.news)
