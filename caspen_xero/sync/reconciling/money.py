"""What of money is on an invoice on both sides: payments, and what of credits was put on it, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.sync.reconciling.caspen_side import OwnMoney
from caspen_xero.sync.reconciling.ledger import Money
from caspen_xero.sync.reconciling.xero_side import There

WhyMoneyLeftOut = Literal["feed", "held", "pending", "invoice-left-out"]
"""Why a payment or credit of Caspen's is not in Xero, or not yet; `held` and `pending` are not as they should be."""
MONEY_NOT_YET: tuple[WhyMoneyLeftOut, ...] = ("held", "pending")
_NEAR = timedelta(days=7)


@dataclass(frozen=True)
class Matched:
    """Money of one invoice: what is on both sides, and what is on one only. `rest`: further parts in Xero of what is paired."""

    pairs: Sequence[tuple[OwnMoney, There]]
    own: Sequence[OwnMoney]
    there: Sequence[There]
    rest: Sequence[tuple[OwnMoney, There]]


def match_money(own: Sequence[OwnMoney], there: Sequence[There], *, by_feed: bool) -> Matched:
    """Which of Caspen's is which of Xero's: by id, else by our Reference or a credit note's number.

    `by_feed`: the bank's feed brings Caspen's payments, so that what is of one amount and of about the same day is the same.
    """
    left_own, left_there = list(own), list(there)
    pairs, rest = list[tuple[OwnMoney, There]](), list[tuple[OwnMoney, There]]()

    def take(is_it: Callable[[OwnMoney, There], bool]) -> None:
        for mine in list(left_own):
            found = [one for one in left_there if is_it(mine, one)]
            if not found:
                continue
            first = min(found, key=lambda one: _unlikeness(mine, one))
            left_own.remove(mine)
            left_there.remove(first)
            pairs.append((mine, first))
            if mine.money.kind == "credit" and first.is_note and first.credit_id in mine.names:
                parts = [one for one in left_there if one.credit_id == first.credit_id]
                rest.extend((mine, one) for one in parts)
                left_there[:] = [one for one in left_there if one not in parts]

    take(lambda mine, one: bool(mine.names) and one.money.id == mine.names[0])
    take(lambda mine, one: one.money.id in mine.names or (bool(one.credit_id) and one.credit_id in mine.names))
    take(lambda mine, one: bool(one.batch_id) and one.batch_id in mine.names)
    take(_carries_our_name)
    if by_feed:
        take(_may_be_of_the_feed)
    return Matched(pairs, left_own, left_there, rest)


def _unlikeness(mine: OwnMoney, one: There) -> tuple[bool, timedelta]:
    return one.money.amount != mine.money.amount, abs(one.money.day - mine.money.day)


def _carries_our_name(mine: OwnMoney, one: There) -> bool:
    if mine.money.kind == "credit":
        return bool(mine.number) and not mine.names and one.is_note and one.number == mine.number
    return one.money.kind == "payment" and bool(mine.key) and one.money.reference.rpartition(" ")[2] == mine.key


def _may_be_of_the_feed(mine: OwnMoney, one: There) -> bool:
    is_payment = mine.money.kind == one.money.kind == "payment" and not mine.is_linked and not mine.came_from_xero
    return is_payment and mine.money.amount == one.money.amount and abs(mine.money.day - one.money.day) <= _NEAR


def as_paired(mine: OwnMoney, one: There) -> tuple[Money, Money]:
    """Both sides of a pair, each with what only the other one tells: Xero's with Caspen's method, Caspen's with the account of what
    was not sent from here.

    What Caspen holds for a payment may be a credit in Xero, by that AllocationID: it counts as what it is there. A payment that is
    in no list of payments that was read, as it is from before the period, tells no account; one in no invoice no currency.
    """
    account = one.money.account or mine.money.account
    currency = one.money.currency or mine.money.currency
    own_account = mine.money.account if mine.account_id else account
    day = one.money.day if one.is_dated else mine.money.day
    own = replace(mine.money, account=own_account, kind=one.money.kind)
    return own, replace(one.money, day=day, account=account, currency=currency, method=mine.money.method)


def in_words(money: Money) -> str:
    """A payment or credit as a person knows it."""
    what = "payment" if money.kind == "payment" else "credit"
    reference = (
        f" ({plain(money.reference)})" if money.reference else f" ({plain(money.method)})" if money.method else ""
    )
    return f"{what} of {money_text(money.amount)} of {money.day}{reference}"
