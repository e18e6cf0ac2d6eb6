"""Payments in Xero that Caspen names by its `xero_id`: it was told of them, if it had them on their invoice, for their amount.

What an export has once said counts for ever, though a later one voids that payment, drops it or says something else of it. One
that names a batch stands for as many of its members as it has parts, each on its invoice, for its amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from caspen_xero.caspen.records import payment_id_in
from caspen_xero.store import batches, clinic
from caspen_xero.store.batches import Member
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.named_payments import ever_named


class Named:
    """Who names these payments and allocations in Xero, now and ever."""

    def __init__(self, mappings: Mappings, xero_ids: Iterable[str], members: Iterable[Member] = ()) -> None:
        """`members`: of batches, that were seen just now; those seen before are known."""
        ids, store = set(xero_ids), mappings.store
        self._ever = ever_named(store, ids)
        self._living = clinic.payments_naming(store, self._ever)
        self._now = clinic.payment_ids_naming(store, self._ever)
        self._batch = {one.xero_id: one.batch_id for one in (*batches.among(mappings, ids), *members)}
        self._by_batch, self._left = _by_batch(mappings, set(self._batch.values()), members)

    def has(self, xero_id: str | None, invoice_id: str, amount: Decimal | None) -> bool:
        """Whether Caspen has had that payment, on that invoice and for that amount."""
        if xero_id in self._by_batch:
            return True
        living = self._living.get(xero_id or "", ())
        if len({one.payment_id for one in living}) > 1:
            return not _is_misnamed(invoice_id, amount, living)
        before = self._ever.get(xero_id or "", ())
        return any(one.invoice_id in (invoice_id, None) and one.amount == amount for one in before)

    def disputed_by(self, xero_id: str) -> list[str]:
        """The ids of Caspen's payments that name it now: where `has` says no, they do so for something else."""
        return self._now.get(xero_id) or self._left.get(self._batch.get(xero_id, ""), [])


def _is_misnamed(invoice_id: str, amount: Decimal | None, claimants: Sequence[AppliedPayment]) -> bool:
    """Whether living payments of Caspen's name a payment in Xero, but don't have it on its invoice, for its amount."""
    here = [one.amount for one in claimants if one.invoice_id == invoice_id]
    return sum(here, Decimal(0)) != amount


@dataclass(frozen=True)
class _Claim:
    """A part of Caspen's payment that names a batch. `amounts`: what it is, and was; `key`: of an allocation that is there now."""

    payment_id: str
    invoice_id: str | None
    amounts: frozenset[Decimal]
    key: str | None = None


def _by_batch(mappings: Mappings, batch_ids: set[str], seen: Iterable[Member]) -> tuple[set[str], dict[str, list[str]]]:
    """The members that payments which name their batch stand for; and by batch, the living payments that name it in vain."""
    claims = _claims(mappings, batch_ids)
    if not claims:
        return set(), {}
    members = {one.xero_id: one for one in (*batches.members_of(mappings, claims), *seen) if one.batch_id in claims}
    found: set[str] = set()
    links = mappings.links_to(members)
    for xero_id, link in links.items():
        own = claims[members[xero_id].batch_id]
        its = [claim for claim in own if claim.key == link.caspen_id] or [
            claim for claim in own if claim.payment_id == payment_id_in(link.caspen_id)
        ]
        if its:
            own.remove(its[0])
            found.add(xero_id)
    for member in batches.in_order(mappings, (one for id_, one in members.items() if id_ not in links)):
        own = claims[member.batch_id]
        fit = [one for one in own if one.invoice_id == member.invoice_id and member.amount in one.amounts]
        if fit:
            own.remove(min(fit, key=lambda one: one.key is None))
            found.add(member.xero_id)
    on = {(one.batch_id, one.invoice_id) for one in members.values()}
    left: defaultdict[str, list[str]] = defaultdict(list)
    now = clinic.payment_ids_naming(mappings.store, claims)
    for batch_id, own in claims.items():
        in_vain = {
            claim.payment_id
            for claim in own
            if (claim.key is not None and (batch_id, claim.invoice_id) in on)
            or (claim.invoice_id is None and claim.payment_id in now.get(batch_id, ()))
        }
        left[batch_id] = sorted(in_vain)
    return found, dict(left)


def _claims(mappings: Mappings, batch_ids: set[str]) -> dict[str, list[_Claim]]:
    """By batch, what names it: the parts that are there now, and what an earlier export had on an invoice where now is none."""
    ever = ever_named(mappings.store, batch_ids)
    living = clinic.payments_naming(mappings.store, ever)
    found: dict[str, list[_Claim]] = {}
    for batch_id, named in ever.items():
        before: defaultdict[tuple[str, str | None], set[Decimal]] = defaultdict(set)
        for one in named:
            before[one.payment_id, one.invoice_id].add(one.amount)
        parts = living.get(batch_id, [])
        for part in parts:
            amounts = {part.amount, *before.pop((part.payment_id, part.invoice_id), ())}
            found.setdefault(batch_id, []).append(
                _Claim(part.payment_id, part.invoice_id, frozenset(amounts), part.key)
            )
        gone = {key: amounts for key, amounts in before.items() if key[1] is not None or not _has_part(key[0], parts)}
        found.setdefault(batch_id, [])
        found[batch_id] += [_Claim(*key, frozenset(amounts)) for key, amounts in gone.items()]
    return found


def _has_part(payment_id: str, parts: Sequence[AppliedPayment]) -> bool:
    return any(part.payment_id == payment_id for part in parts)
