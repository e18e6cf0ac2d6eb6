"""The same money: which payments in Xero are which of Caspen's, on one invoice. One rule, for sending, telling and adopting. Pure.

Certain is our Reference alone (and a checked `xero_id`, which is `claims.py`). Equality proves nothing: a gap payment and its
rebate are often equal and of one day. So payments that may be the same are counted off against each other: of three in Caspen
and one in Xero, one is held on each side and two are sent; of one in Caspen and three in Xero, two are told. What is held is
neither sent nor told until a person says whether it is the same, or another one (`different`).

Two may be the same if their amounts are equal and their days are not more than a week apart (`NEAR`): a bank shows what was
paid at the desk a day or three later, over holidays five. Further apart they still may be, unless they are known to be in two
accounts and Xero's Reference names neither the payment nor its method. Where one of them has lost what it stood for, equal amounts
are enough: what stood for it was deleted and may have been entered anew (`was_there`), or Caspen was told of it and may have typed
it in (`is_told`), on whatever day and in whatever account.

What has no equal may still be the same money, entered otherwise: as one payment on one side, as several on the other (gap and
rebate, of which the bank shows the sum). Then the several make the one to the cent, and none is more than a week from it
(`sums_of`): all that may be one of them is held. That an amount is smaller says nothing.

A payment that is more than what is due in Xero can't be sent. Where money stands there that is none of Caspen's, it may be a
part of it, or the sum of several: that is held too, whatever its amount.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import TypeVar

from caspen_xero.sync.planning.payment_references import names_key

NEAR = 7 * date.resolution
"""So far apart may the days be on which both sides have the same money."""
_PARTS = (2, 3, 4)
"""So many payments may be what the other side has as one; among so many as are nearest to it in days they are looked for:"""
_NEAREST = 12


@dataclass(frozen=True)
class Claim:
    """A payment of Caspen's that may stand in Xero without our knowing its id. `key`: its allocation's.

    `was_there`: something stood for it in Xero, or it names what would, and that is gone there. `may_be_told`: Caspen was told of
    one of that amount on that invoice which is gone in Xero since, and may have typed it in.
    `references`: what this version or an earlier one wrote, or would write. `waits`: Caspen has it, it is wanted in Xero, and
    nothing there stands for it; else nothing but its Reference can say that one in Xero is it. `goes`: it would be sent; not one
    that says of itself that it came from Xero, though that is not there, or no longer. `account_id`: where it would go. `names`: of
    its method and of itself, as they may stand in a Reference that somebody else wrote.

    Two are no payment on this invoice in Caspen, and may be what stands on it in Xero all the same: `was_told`: Caspen was told of
    it (`key` is its id in Xero, where it is gone since), and whether Caspen has it is not known yet; `is_on_none`: its client has
    paid it, and it is on no invoice there.
    """

    key: str
    references: tuple[str, ...]
    amount: Decimal
    fingerprint: str
    waits: bool
    date: date | None = None
    account_id: str | None = None
    names: tuple[str, ...] = ()
    goes: bool = True
    was_there: bool = False
    may_be_told: bool = False
    was_told: bool = False
    is_on_none: bool = False

    @property
    def is_beside(self) -> bool:
        """Whether it is no payment of Caspen's on this invoice, so that it is neither sent nor linked."""
        return self.was_told or self.is_on_none


@dataclass(frozen=True)
class There:
    """A living payment on the invoice in Xero that stands for none of Caspen's. `is_told`: Caspen was told of it.

    `is_credit`: an allocation of an overpayment or a prepayment. `account_id` None: not known; a payment that is shown inside its
    invoice does not say it, and an allocation has none.
    """

    xero_id: str
    amount: Decimal | None
    date: date | None
    reference: str | None
    account_id: str | None = None
    batch_id: str | None = None
    is_told: bool = False
    is_credit: bool = False


@dataclass(frozen=True)
class Sum:
    """One on the one side, and several on the other that make it to the cent."""

    claims: tuple[Claim, ...]
    there: tuple[There, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The keys and Xero's ids of all that it has."""
        return *(claim.key for claim in self.claims), *(one.xero_id for one in self.there)

    def has(self, name: str) -> bool:
        """Whether it has the one of that key or Xero's id."""
        return name in self.names


@dataclass(frozen=True)
class Apart:
    """What is what. `certain`: our own; `pairs`: those that are held, one of Caspen's for one of Xero's; `sums`: one for several.

    `held`: by key, the claims that are not to be sent, each with all that it may be, its pair first; `in_question`: by Xero's
    id, what is not to be told, with all of Caspen's that it may be, or may have to do with. `free`: to be sent; `news`: Caspen
    does not have it. `room`: what is still due in Xero after all that is free (None: not known).

    `unlike`: pairs of one amount, of what is sent and what is news: by their days and accounts they are two.
    """

    certain: list[tuple[Claim, There]]
    pairs: list[tuple[Claim, There]]
    held: Mapping[str, list[There]]
    in_question: Mapping[str, list[Claim]]
    free: list[Claim]
    news: list[There]
    room: Decimal | None
    sums: Sequence[Sum] = ()
    unlike: Collection[tuple[str, str]] = ()

    @property
    def asked(self) -> tuple[Claim, ...]:
        """Those of Caspen's payments of which a person is asked whether they are other money: one answer is for all of them."""
        asked = [*(claim for claim, _ in self.pairs), *(claim for one in self.sums for claim in one.claims)]
        return tuple(dict.fromkeys(claim for claim in asked if not claim.is_beside))

    def may_be_said_of(self, claim: Claim) -> set[tuple[str, str]]:
        """The pairs that a person was asked about, and may say are not the same: of what is merely less, that would not help."""
        alike = {one.xero_id for one in asked_first(self.held.get(claim.key, ())) if one.amount == claim.amount}
        names = dict.fromkeys(name for one in self.sums for name in one.names)
        shown = [next(one for one in self.sums if one.has(name)) for name in names]  # to each, the likeliest
        alike |= {one.xero_id for some in shown if some.has(claim.key) for one in some.there}
        return {(claim.key, xero_id) for xero_id in alike}

    def with_sums(self, sums: Sequence[Sum]) -> Apart:
        """The same, with money beside the invoice that what was news so far may be a part or the sum of."""
        in_question = {id_: list(some) for id_, some in self.in_question.items()}
        here = {one.xero_id for one in self.news}
        for one in sums:
            _puts_in_question(one, in_question, here)
        news = [one for one in self.news if one.xero_id not in in_question]
        return replace(self, in_question=in_question, news=news, sums=[*self.sums, *sums])

    @property
    def asked_after(self) -> Mapping[str, list[Claim]]:
        """By Xero's id, what may only be money beside the invoice: a person is asked about that once none of `asked` is left.

        Of the sums that one is in, they are asked about the likeliest.
        """
        only = {id_: some for id_, some in self.in_question.items() if all(claim.is_beside for claim in some)}
        sums = {id_: next((each for each in self.sums if each.has(id_)), None) for id_ in only}
        return {id_: list(one_sum.claims) if (one_sum := sums[id_]) else some for id_, some in only.items()}


def tell_apart(
    claims: Sequence[Claim],
    there: Sequence[There],
    due: Decimal | None = None,
    different: Collection[tuple[str, str]] = (),
) -> Apart:
    """Tells apart what is on one invoice. `due`: what Xero shows as due there.

    `different`: the pairs (key, Xero's id) of which a person has said that they are not the same.
    """
    certain = our_own([claim for claim in claims if claim.goes], there)
    ours, theirs = {claim.key for claim, _ in certain}, {one.xero_id for _, one in certain}
    waiting = [claim for claim in claims if claim.waits and claim.key not in ours]
    others = [one for one in there if one.xero_id not in theirs]
    sides = _Sides(waiting, others, different)
    pairs = sides.paired()
    paired, taken = {claim.key for claim, _ in pairs}, {one.xero_id for _, one in pairs}
    held = {claim.key: [mine, *(one for one in sides.may_be(claim) if one != mine)] for claim, mine in pairs}
    in_question = {one.xero_id: sides.may_be_of(one) for one in others if one.xero_id in taken}
    # Beside money of no invoice, ours on this one may still be it: push knows nothing of such money, and has to find the same.
    by_own = {one.xero_id for claim, one in pairs if not claim.is_beside}
    left = [one for one in others if one.xero_id not in by_own]
    own = [claim for claim in waiting if claim.key not in paired and not claim.is_beside]
    sums = sums_of(own, left, different)
    for one_sum in sums:
        _puts_in_question(one_sum, in_question, {one.xero_id for one in left})
        for claim in one_sum.claims:
            of_claim = held.setdefault(claim.key, [])
            of_claim += [one for one in one_sum.there if one not in of_claim]
    free: list[Claim] = []
    for claim in own:
        parts = [one for one in left if (claim.key, one.xero_id) not in different]
        if claim.key in held or not claim.goes:
            continue
        if due is not None and claim.amount > due and parts:
            held[claim.key] = parts
            for one in parts:
                in_question.setdefault(one.xero_id, []).append(claim)
            continue
        free.append(claim)
        due = None if due is None else max(due - claim.amount, Decimal(0))
    news = [one for one in left if one.xero_id not in in_question]
    unlike = {(claim.key, one.xero_id) for claim in own for one in news if _is_unlike(claim, one)}
    return Apart(certain, pairs, held, in_question, free, news, due, sums, unlike)


def asked_first(there: Iterable[There]) -> list[There]:
    """Of all that a payment may be, what a person is asked about; what Caspen was told of once it is none of the others."""
    some = list(there)
    return [one for one in some if not one.is_told] or some


def sums_of(claims: Sequence[Claim], there: Sequence[There], different: Collection[tuple[str, str]] = ()) -> list[Sum]:
    """Where several on one side make one on the other to the cent, all of them near: every such way, the likeliest first."""

    def near(claim: Claim, one: There) -> bool:
        return _is_near(claim, one) and (claim.key, one.xero_id) not in different

    found: list[Sum] = []
    for claim in claims:
        parts = [(one, one.amount, _days(claim, one)) for one in there if near(claim, one)]
        found += [Sum((claim,), some) for some in _adding_up(parts, claim.amount)]
    for one in there:
        wanted = [(claim, claim.amount, _days(claim, one)) for claim in claims if near(claim, one)]
        found += [Sum(some, (one,)) for some in _adding_up(wanted, one.amount)]
    return sorted(found, key=lambda each: sum(_days(claim, one) for claim in each.claims for one in each.there))


_Part = TypeVar("_Part", Claim, There)


def _adding_up(parts: Iterable[tuple[_Part, Decimal | None, int]], total: Decimal | None) -> list[tuple[_Part, ...]]:
    """The groups of parts that make a total; each part with its amount and how many days it is away."""
    fitting = [(one, amount, days) for one, amount, days in parts if amount and total and 0 < amount < total]
    fitting = sorted(fitting, key=lambda part: part[2])[:_NEAREST]
    groups = (some for many in _PARTS for some in combinations(fitting, many))
    return [tuple(one for one, *_ in some) for some in groups if sum(amount for _, amount, _ in some) == total]


def _puts_in_question(one_sum: Sum, in_question: dict[str, list[Claim]], here: Collection[str]) -> None:
    for one in one_sum.there:
        if one.xero_id in here:
            claims = in_question.setdefault(one.xero_id, [])
            claims += [claim for claim in one_sum.claims if claim not in claims]


def our_own(claims: Iterable[Claim], there: Iterable[There]) -> list[tuple[Claim, There]]:
    """What we made ourselves, by its Reference: each stands for one of Caspen's at most. Its amount may be another by now."""
    free, found = list(claims), list[tuple[Claim, There]]()
    # One of the very amount comes first: somebody may have entered another one with the same Reference.
    written = [one for one in there if not one.is_credit]
    for one in sorted(written, key=lambda one: not any(_names(one, claim, exactly=True) for claim in free)):
        own = next((claim for claim in free if _names(one, claim, exactly=True)), None) or next(
            (claim for claim in free if _names(one, claim, exactly=False)), None
        )
        if own is not None:
            found.append((own, one))
            free = [claim for claim in free if claim.key != own.key]
    return found


def account_decides(claims: Iterable[Claim], there: Iterable[There]) -> set[str]:
    """The Xero ids of payments that would be told from all of Caspen's if only their accounts were known."""
    waiting = [claim for claim in claims if claim.waits]
    return {
        one.xero_id
        for one in there
        if one.account_id is None
        and not one.is_credit
        and (alike := [claim for claim in waiting if claim.amount == one.amount])
        and not any(_is_likely(claim, one) for claim in alike)
    }


def _names(one: There, claim: Claim, *, exactly: bool) -> bool:
    if exactly:
        is_written = one.reference in claim.references or names_key(one.reference, claim.key)
        return is_written and one.amount == claim.amount
    return names_key(one.reference, claim.key)


def _is_near(claim: Claim, one: There) -> bool:
    return claim.date is None or one.date is None or abs(one.date - claim.date) <= NEAR


def _days(claim: Claim, one: There) -> int:
    return abs(one.date - claim.date).days if claim.date and one.date else NEAR.days


def _is_named(claim: Claim, one: There) -> bool:
    """Whether a Reference that somebody else wrote names the payment or its method."""
    reference = f" {(one.reference or '').casefold()} "
    return any(f" {name} " in reference for name in claim.names)


def _is_likely(claim: Claim, one: There) -> bool:
    """Whether two of one amount may be the same whatever account they are in."""
    has_lost_its_own = claim.was_there or claim.may_be_told or claim.was_told or one.is_told
    return has_lost_its_own or _is_near(claim, one) or _is_named(claim, one)


def _may_be(claim: Claim, one: There) -> bool:
    if claim.amount != one.amount:
        return False
    is_elsewhere = None not in (claim.account_id, one.account_id) and claim.account_id != one.account_id
    return _is_likely(claim, one) or not is_elsewhere


def _is_unlike(claim: Claim, one: There) -> bool:
    return claim.amount == one.amount and not _may_be(claim, one)


def _unlikeness(claim: Claim, one: There) -> tuple[object, ...]:
    """By how little two are alike, where they may be the same: method and reference first, then days, then accounts."""
    return (
        not claim.goes,
        one.is_told,
        not _is_named(claim, one),
        _days(claim, one),
        claim.account_id != one.account_id,
        one.xero_id,
        claim.key,
    )


@dataclass
class _Sides:
    """What waits in Caspen, and what stands in Xero for nothing: paired so that as many as can be have another."""

    waiting: Sequence[Claim]
    others: Sequence[There]
    different: Collection[tuple[str, str]]
    _of: dict[str, Claim] = field(default_factory=dict)

    def may_be(self, claim: Claim) -> list[There]:
        return sorted(
            (one for one in self.others if self._may(claim, one)), key=lambda one: _unlikeness(claim, one)[:-1]
        )

    def may_be_of(self, one: There) -> list[Claim]:
        return sorted(
            (claim for claim in self.waiting if self._may(claim, one)), key=lambda claim: _unlikeness(claim, one)
        )

    def paired(self) -> list[tuple[Claim, There]]:
        """What Caspen was told of is paired last: it may well have come to Caspen as what it was told as."""
        likeliest = {one.xero_id: _unlikeness(claims[0], one) for one in self.others if (claims := self.may_be_of(one))}
        by_id = {one.xero_id: one for one in self.others}
        for xero_id in sorted(likeliest, key=lambda id_: (by_id[id_].is_told, likeliest[id_])):
            self._pair(by_id[xero_id], set())
        holders = {claim.key: by_id[xero_id] for xero_id, claim in self._of.items()}
        return [(claim, holders[claim.key]) for claim in self.waiting if claim.key in holders]

    def _pair(self, one: There, tried: set[str]) -> bool:
        """Gives this one a claim, if need be by giving another one another claim."""
        taken = {claim.key: xero_id for xero_id, claim in self._of.items()}
        claims = [claim for claim in self.may_be_of(one) if claim.key not in tried]
        for claim in sorted(claims, key=lambda claim: claim.key in taken):
            tried.add(claim.key)
            other = next((two for two in self.others if two.xero_id == taken.get(claim.key)), None)
            if other is None or self._pair(other, tried):
                self._of[one.xero_id] = claim
                return True
        return False

    def _may(self, claim: Claim, one: There) -> bool:
        return (claim.key, one.xero_id) not in self.different and _may_be(claim, one)
