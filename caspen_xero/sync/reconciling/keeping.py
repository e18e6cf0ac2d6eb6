"""What comes of a proof is kept: in numbers for `status`, what it has found of each invoice for all that say how that stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from caspen_xero.outside_text import plain
from caspen_xero.store import accepted as store_accepted
from caspen_xero.store import proofs
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.proofs import OF_CONTACTS, KeptProof, NotEqual
from caspen_xero.sync.planning.accepting import key_of_all, key_of_find
from caspen_xero.sync.reconciling.finds import FINDS
from caspen_xero.sync.reconciling.ledger import Compared, Find, Pair
from caspen_xero.sync.reconciling.proof import Proof


def keep(mappings: Mappings, proof: Proof, compared: Compared, updated_at: Mapping[str, datetime | None]) -> None:
    """Keeps a proof and its finds, these in the place of what earlier proofs have found of the same invoices, or parts of them.

    `updated_at`: by InvoiceID the `UpdatedDateUTC` of every invoice that was read. What a person has accepted of what push or pull
    tells of an invoice is told by these alone.
    """
    content, up_to = _content_with(mappings), max(filter(None, updated_at.values()), default=None)
    some = _by_invoice(proof.finds)
    differ = {id_ for id_, finds in some.items() if not all(one.accepted for one in finds)}
    told = [one for one in _alike(proof.finds, compared) if not one.find.accepted or one.key in content]
    accepted = {one.kept.invoice_id for one in told} - differ
    there = _in_xero(mappings, compared, {one.kept.invoice_id for one in told})
    kept = KeptProof(
        began_at=proof.began_at,
        read_at=proof.read_at,
        first=proof.asked.first,
        last=proof.asked.last,
        as_at=proof.asked.as_at,
        compared=proof.compared,
        proved=proof.proved,
        not_yet=proof.not_yet,
        money_not_yet=proof.money_not_yet,
        differ=len(differ),
        accepted=len(accepted),
        settled=len(some.keys() - differ - accepted),
        unknown=sum(one.invoice_id is None and not one.accepted for one in proof.finds),
        calls=proof.calls,
        xero_up_to=up_to,
        unexplained=len(proof.unexplained),
    )
    found = [
        replace(one.kept, xero_updated_at=updated_at.get(there.get(one.kept.invoice_id, "")) or up_to) for one in told
    ]
    proofs.keep(mappings, kept, found, _covered(compared), _parts(compared))


def with_accepted(mappings: Mappings, compared: Compared) -> list[Find]:
    """All finds; those with which a person was content, when an earlier proof had found just the same, are `accepted`."""
    content = _content_with(mappings)
    if not content:
        return compared.finds
    as_before = {id(one.find) for one in _alike(compared.finds, compared) if one.key in content}
    return [replace(one, accepted=True) if id(one) in as_before else one for one in compared.finds]


def _content_with(mappings: Mappings) -> set[str]:
    return {one.key for one in store_accepted.accepted(mappings)}


def _by_invoice(finds: Sequence[Find]) -> Mapping[str, list[Find]]:
    """The finds that are of invoices of Caspen's."""
    found: defaultdict[str, list[Find]] = defaultdict(list)
    for one in finds:
        if one.invoice_id is not None:
            found[one.invoice_id].append(one)
    return found


def _in_xero(mappings: Mappings, compared: Compared, invoice_ids: Set[str]) -> dict[str, str]:
    """The InvoiceIDs of invoices of Caspen's."""
    linked = {id_: link.xero_id for id_, link in mappings.links("invoice", invoice_ids).items()}
    return linked | {pair.caspen.id: pair.xero.id for pair in compared.invoices if pair.caspen and pair.xero}


@dataclass(frozen=True)
class _Told:
    """A find of an invoice of Caspen's as it is kept. `key`: by which a person has accepted it, and what is told with it as one."""

    find: Find
    kept: NotEqual
    key: str


def _alike(finds: Sequence[Find], compared: Compared) -> list[_Told]:
    people, pairs = _people(compared), _pairs(compared)
    kept = [(find, _kept(find, pairs, people)) for find in finds if find.invoice_id is not None]
    keys: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for _, one in kept:
        keys[one.invoice_id, one.code, one.subject].add(one.key)
    return [_Told(find, one, key_of_all(keys[one.invoice_id, one.code, one.subject])) for find, one in kept]


def _kept(find: Find, pairs: Mapping[str, Mapping[str, Pair]], people: Set[str]) -> NotEqual:
    what, topic = FINDS[find.code]
    sides = _contacts(find, pairs[find.code]) if find.code in OF_CONTACTS else (find.caspen, find.xero)
    caspen, xero = (_nameless(side, people) for side in sides)
    invoice_id = find.invoice_id or ""
    key = key_of_find(invoice_id, find.code, find.subject, caspen, xero)
    return NotEqual(invoice_id, find.code, topic, find.subject, what, caspen, xero, key)


def _people(compared: Compared) -> set[str]:
    """What clients, payers and contacts are called, as it is put into words."""
    pairs = [*compared.invoices, *compared.credit_notes]
    documents = [*compared.others, *(side for pair in pairs for side in (pair.caspen, pair.xero) if side)]
    return {plain(name) for name in (*(one.party for one in documents), *compared.names.parties.values()) if name}


def _nameless(words: str, people: Set[str]) -> str:
    """The same without a name at its end."""
    ends = [place for place, sign in enumerate(words) if sign == ","]
    return next((words[:end] for end in ends if words[end + 1 :].strip() in people), words)


def _contacts(find: Find, pairs: Mapping[str, Pair]) -> tuple[str, str]:
    """The ContactIDs of both sides of a find that is about them."""
    named = (pairs.get(one or "") for one in (find.subject, find.xero_id, find.invoice_id))
    pair = next(filter(None, named), Pair(None, None))
    return pair.caspen.contact if pair.caspen else "", pair.xero.contact if pair.xero else ""


def _pairs(compared: Compared) -> Mapping[str, Mapping[str, Pair]]:
    """Invoices, and credit notes, by all that names them, for the codes of finds that are about their contacts."""
    both = {"contact": compared.invoices, "credit-note-contact": compared.credit_notes}
    return {
        code: {name: pair for pair in some for one in (pair.caspen, pair.xero) if one for name in (one.number, one.id)}
        for code, some in both.items()
    }


def _covered(compared: Compared) -> set[str]:
    """The invoices of Caspen's that a proof says all of."""
    compared_ones = {pair.caspen.id for pair in compared.invoices if pair.caspen}
    return compared_ones | {one.document.id for one in compared.left_out if one.document.kind == "invoice"}


def _parts(compared: Compared) -> set[str]:
    """The payments and credit notes that it has compared, on whatever invoice, as subjects of finds begin."""
    sides = [side for pair in compared.payments for side in (pair.caspen, pair.xero)]
    notes = [side for pair in compared.credit_notes for side in (pair.caspen, pair.xero)]
    numbers = {plain(one.number) for one in notes if one and one.number}
    return {plain(one.id) for one in (*sides, *notes) if one} | numbers | {f"credit note {each}" for each in numbers}
