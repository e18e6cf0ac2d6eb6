"""What a person is content with: said once for all that differs on an invoice now, taken back, and forgotten once it is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from caspen_xero.store import accepted as store_accepted
from caspen_xero.store import both_sides, clinic, holds, proofs
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.books.books import Books
from caspen_xero.sync.books.troubles import Trouble
from caspen_xero.sync.planning.accepting import document_key, key_of_all


def accept(mappings: Mappings, books: Books, invoice_id: str, now: datetime) -> list[Trouble]:
    """A person is content with all that differs on an invoice; gives what that is, none where there is nothing."""
    content = [one for one in books.troubles_of.get(invoice_id, ()) if one.may_be_accepted]
    told = {one.key for one in (*content, *books.accepted)}
    content += [one for one in books.moved_due_dates if one.invoice_id == invoice_id and one.key not in told]
    with mappings.store.write():
        found = _found(mappings)[invoice_id] if content else ()  # what one of these tells of in its own words too
        store_accepted.accept(mappings, invoice_id, [*(one.key for one in content), *found], now)
        if content:
            holds.release(mappings, "update-invoice", [invoice_id])  # of what is left as it is, nothing is held
    return content


def take_back(mappings: Mappings, invoice_id: str) -> bool:
    """A person is content no more with what differs on an invoice; whether one was."""
    known = [one for one in store_accepted.accepted(mappings) if one.invoice_id == invoice_id]
    store_accepted.forget(mappings, known)
    return bool(known)


def forget_what_is_over(mappings: Mappings, books: Books) -> None:
    """Forgets what was accepted, or found by a reconciliation, and stands no more.

    Two documents that are as they were stand, whatever tells of them now. Where something is left to do or wrong, what differs may
    only be hidden: that is judged once all is done. What a reconciliation has found, and a person has accepted, is judged by the
    next one: a payment that goes on the invoice meanwhile is no reason to ask anew.
    """
    accepted = store_accepted.accepted(mappings)
    ids = {one.invoice_id for one in accepted}
    now, links = clinic.invoices(mappings.store, ids), mappings.links("invoice", ids)
    standing = {one.key for one in (*books.troubles, *books.accepted)}
    standing |= {document_key(now[id_], links[id_].shown) for id_ in now.keys() & links.keys()}
    standing |= {key for some in _found(mappings).values() for key in some}
    unsettled = both_sides.unsettled(mappings)
    store_accepted.forget(
        mappings, [one for one in accepted if one.key not in standing and one.invoice_id not in unsettled]
    )
    proofs.forget_what_is_over(mappings, ids)


def _found(mappings: Mappings) -> Mapping[str, set[str]]:
    """The keys by which what reconciliations have found is accepted, whether it stands or not, by invoice id."""
    keys: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for invoice_id, code, subject, key in proofs.keys(mappings):
        keys[invoice_id, code, subject].add(key)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for (invoice_id, *_), some in keys.items():
        found[invoice_id].add(key_of_all(some))
    return found
