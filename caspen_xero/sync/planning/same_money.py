"""The same money: which payments in Xero are which of Caspen's, on one invoice. One rule, for sending, telling and adopting. Pure.

Certain is our Reference alone (and a checked `xero_id`, which is `claims.py`). Equality proves nothing: a gap payment and its
rebate are often equal and of one day. So payments that may be the same are counted off against each other: of three in Caspen
and one in Xero, one is held on each side and two are sent; of one in Caspen and three in Xero, two are told. What is held is
neither sent nor told until a person says whether it is the same, or another one (`different`).

Two may be the same if their amounts are equal and their days are not more than a week apart (`NEAR`): a bank shows what was
paid at the desk a day or three later, over holidays five. Further apart they still may be, unless they are known to be in two
accounts and Xero's Reference names neither the payment nor its method.

A payment that is more than what is due in Xero can't be sent. Where money stands there that is none of Caspen's, it may be a
part of it, or the sum of several: that is held too, whatever its amount.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from caspen_xero.sync.planning.payment_references import names_key

NEAR = 7 * date.resolution
"""So far apart may the days be on which both sides have the same money."""


@dataclass(frozen=True)
class Claim:
    """A payment of Caspen's that may stand in Xero without our knowing its id. `key`: its allocation's.

    `references`: what this version or an earlier one wrote, or would write. `waits`: Caspen has it, it is wanted in Xero, and
    nothing there stands for it; else nothing but its Reference can say that one in Xero is it. `goes`: it would be sent; not one
    that says of itself that it came from Xero, though that is not there, or no longer. `account_id`: where it would go. `names`: of
    its method and of itself, as they may stand in a Reference that somebody else wrote. `was_told`: Caspen was told of it (`key` is
    its id in Xero, where it is gone since), and whether Caspen has it is not known yet.
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
    was_told: bool = False


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
class Apart:
    """What is what. `certain`: our own; `pairs`: those that are held, one of Caspen's for one of Xero's.

    `held`: by key, the claims that are not to be sent, each with all that it may be, its pair first; `in_question`: by Xero's
    id, what is not to be told, with all of Caspen's that it may be. `free`: to be sent; `news`: Caspen does not have it. `room`:
    what is still due in Xero after all that is free (None: not known).
    """

    certain: list[tuple[Claim, There]]
    pairs: list[tuple[Claim, There]]
    held: Mapping[str, list[There]]
    in_question: Mapping[str, list[Claim]]
    free: list[Claim]
    news: list[There]
    room: Decimal | None

    @property
    def asked(self) -> tuple[Claim, ...]:
        """Those of Caspen's payments of which a person is asked whether they are other money: one answer is for all of them."""
        return tuple(claim for claim, _ in self.pairs if not claim.was_told)


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
    paired, taken = {claim.key: one for claim, one in pairs}, {one.xero_id for _, one in pairs}
    held = {claim.key: [mine, *(one for one in sides.may_be(claim) if one != mine)] for claim, mine in pairs}
    in_question = {one.xero_id: sides.may_be_of(one) for one in others if one.xero_id in taken}
    left = [one for one in others if one.xero_id not in taken]
    free: list[Claim] = []
    for claim in waiting:
        parts = [one for one in left if (claim.key, one.xero_id) not in different]
        if claim.key in paired or not claim.goes:
            continue
        if due is not None and claim.amount > due and parts:
            held[claim.key] = parts
            for one in parts:
                in_question.setdefault(one.xero_id, []).append(claim)
            continue
        free.append(claim)
        due = None if due is None else max(due - claim.amount, Decimal(0))
    return Apart(certain, pairs, held, in_question, free, [one for one in left if one.xero_id not in in_question], due)


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
        and not any(_is_near(claim, one) or _is_named(claim, one) for claim in alike)
    }


def _names(one: There, claim: Claim, *, exactly: bool) -> bool:
    if exactly:
        is_written = one.reference in claim.references or names_key(one.reference, claim.key)
        return is_written and one.amount == claim.amount
    return names_key(one.reference, claim.key)


def _is_near(claim: Claim, one: There) -> bool:
    return claim.date is None or one.date is None or abs(one.date - claim.date) <= NEAR


def _is_named(claim: Claim, one: There) -> bool:
    """Whether a Reference that somebody else wrote names the payment or its method."""
    reference = f" {(one.reference or '').casefold()} "
    return any(f" {name} " in reference for name in claim.names)


def _may_be(claim: Claim, one: There) -> bool:
    if claim.amount != one.amount:
        return False
    is_elsewhere = None not in (claim.account_id, one.account_id) and claim.account_id != one.account_id
    return _is_near(claim, one) or not is_elsewhere or _is_named(claim, one)


def _unlikeness(claim: Claim, one: There) -> tuple[object, ...]:
    """By how little two are alike, where they may be the same: method and reference first, then days, then accounts."""
    days = abs(one.date - claim.date).days if claim.date and one.date else NEAR.days
    return (
        not claim.goes,
        one.is_told,
        not _is_named(claim, one),
        days,
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
        for xero_id in sorted(likeliest, key=likeliest.__getitem__):
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
