"""Payments that are in a batch, under their own ids: what reads an invoice from Xero shows it to the engine only after this.

Lists show each with both ids; but an invoice may show the id of the batch in the place of its member's (XeroAPI/xero-ruby#225,
Xero-NetStandard#340), and then many payments have one id. What each is called by itself is in the list of payments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from caspen_xero.store import batches, xero_payments
from caspen_xero.store.batches import Member
from caspen_xero.store.mappings import Mappings, by_invoice
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Invoice, Payment
from caspen_xero.xero.reading import payments_on


class OwnIds:
    """Gives payments their own ids, from what the store knows of their batches, else by a call."""

    def __init__(self, mappings: Mappings, client: Callable[[], Client]) -> None:
        self.mappings, self._client = mappings, client

    def of(self, invoices: Mapping[str, Invoice], unfound: Collection[str] = frozenset()) -> dict[str, Invoice]:
        """Invoices (by InvoiceID) with the ids that their payments have by themselves; no call is made where they show these.

        `unfound`: ids that Xero knows no payment by. One whose own id can't be learnt stays `is_nameless`.
        """
        doubtful = self._doubtful(invoices, unfound)
        if not doubtful:
            return dict(invoices)
        named = dict(invoices)
        for id_, caspen_id in _caspen_ids(self.mappings, doubtful).items():
            kept = [one for one in self._known_members(doubtful[id_]) if one.invoice_id == caspen_id]
            named[id_] = _named(invoices[id_], doubtful[id_], kept)
        still = {id_ for id_, ids in doubtful.items() if ids & _ids(named[id_])}
        if still:
            listed = payments_on(self._client(), still)
            for id_ in still:
                members = list(members_among(id_, listed.get(id_, ())))
                named[id_] = _named(named[id_], doubtful[id_], members)
            known = {member.batch_id for member in self._known_members(set().union(*doubtful.values()))}
            for id_ in still:
                of_batches = known | _doubled(invoices) | {one.batch_id or "" for one in listed.get(id_, ())}
                named[id_] = _nameless(named[id_], doubtful[id_] & of_batches)
        return named

    def keep(self, invoices: Mapping[str, Invoice]) -> None:
        """Keeps which payments of linked invoices are in which batch, and under their own ids what was kept under a batch's."""
        keep_members(self.mappings, members_shown(self.mappings, invoices))

    def _known_members(self, ids: Iterable[str]) -> list[Member]:
        return batches.members_of(self.mappings, ids)

    def _doubtful(self, invoices: Mapping[str, Invoice], unfound: Collection[str]) -> dict[str, set[str]]:
        """By InvoiceID, the ids shown that are a batch's, or may be: without a call nobody can tell a batch of one."""
        shown = {id_ for invoice in invoices.values() for id_ in _ids(invoice)}
        if not shown:
            return {}
        batch_ids = {member.batch_id for member in self._known_members(shown)} | set(unfound)
        batch_ids |= _doubled(invoices)
        batch_ids |= {one.payment_id or "" for each in invoices.values() for one in each.payments if one.is_nameless}
        found = {id_: _ids(invoice) & batch_ids for id_, invoice in invoices.items()}
        for id_, strange in self._in_place_of_others(invoices).items():
            found[id_] |= strange
        return {id_: ids for id_, ids in found.items() if ids}

    def _in_place_of_others(self, invoices: Mapping[str, Invoice]) -> dict[str, set[str]]:
        """Ids that nobody knows, on invoices that lack a known payment of just that amount: it may be the same one."""
        ids = {id_ for invoice in invoices.values() for id_ in _ids(invoice)}
        unknown = ids - xero_payments.known_ids(self.mappings, ids)
        strange = {id_: one for id_, one in invoices.items() if _ids(one) & unknown}
        caspen_ids = _caspen_ids(self.mappings, strange)
        if not caspen_ids:
            return {}
        links = by_invoice(self.mappings.links_of_invoices("payment", caspen_ids.values()))
        recorded = xero_payments.recorded_on(self.mappings, caspen_ids.values())
        found: dict[str, set[str]] = {}
        for id_, caspen_id in caspen_ids.items():
            here = _ids(strange[id_])
            missing = {one.total for one in links[caspen_id].values() if one.xero_id not in here and not one.is_deleted}
            missing |= {one.amount for one in recorded.get(caspen_id, ()) if one.xero_id not in here}
            payments = [one for one in strange[id_].payments if one.payment_id in unknown and one.batch_id is None]
            found[id_] = {one.payment_id or "" for one in payments if one.amount in missing}
        return found


def keep_members(mappings: Mappings, members: Sequence[Member]) -> None:
    """Keeps that these are in their batches, and under their own ids what was kept under a batch's."""
    if members:
        batches.keep(mappings, members)
        batches.rename(mappings, batches.renamings(mappings, members))


def members_shown(mappings: Mappings, invoices: Mapping[str, Invoice]) -> list[Member]:
    """The members of batches that linked invoices show, by their own ids."""
    shown = {id_: [one for one in invoice.payments if one.batch_id] for id_, invoice in invoices.items()}
    caspen_ids = _caspen_ids(mappings, (id_ for id_, payments in shown.items() if payments))
    found = [member for id_, caspen_id in caspen_ids.items() for member in members_among(caspen_id, shown[id_])]
    return sorted(found, key=lambda one: one.xero_id)


def _caspen_ids(mappings: Mappings, xero_ids: Iterable[str]) -> dict[str, str]:
    links = mappings.links_to(xero_ids)
    return {id_: link.caspen_id for id_, link in links.items() if link.kind == "invoice"}


def _living(invoice: Invoice) -> list[str]:
    return [one.payment_id for one in invoice.payments if one.payment_id and one.status != "DELETED"]


def _ids(invoice: Invoice) -> set[str]:
    return set(_living(invoice))


def _doubled(invoices: Mapping[str, Invoice]) -> set[str]:
    """Ids that are shown more than once: no payment's own is."""
    shown = Counter(id_ for invoice in invoices.values() for id_ in _living(invoice))
    return {id_ for id_, times in shown.items() if times > 1}


def _nameless(invoice: Invoice, ids: Collection[str]) -> Invoice:
    """The invoice with what is shown under these ids of batches saying so."""
    payments = [
        one.model_copy(update={"batch_payment_id": one.payment_id}) if one.payment_id in ids else one
        for one in invoice.payments
    ]
    return invoice.model_copy(update={"payments": payments})


def members_among(invoice_id: str, payments: Iterable[Payment]) -> Iterator[Member]:
    """Those of an invoice's living payments that are in a batch and show their own ids."""
    for one in payments:
        has_both = one.payment_id and one.batch_id and not one.is_nameless
        if has_both and one.amount is not None and one.status != "DELETED":
            yield Member(one.payment_id or "", one.batch_id or "", invoice_id, one.amount)


def _named(invoice: Invoice, doubtful: Collection[str], members: Sequence[Member]) -> Invoice:
    """The invoice with the own ids of those of its payments whose batches these members are of."""
    shown = _ids(invoice)
    free = sorted((one for one in members if one.xero_id not in shown), key=lambda one: one.xero_id)
    payments: list[Payment] = []
    for one in invoice.payments:
        same = [each for each in free if (each.batch_id, each.amount) == (one.payment_id, one.amount)]
        if same and one.payment_id in doubtful and one.status != "DELETED":
            free.remove(same[0])
            one = one.model_copy(update={"payment_id": same[0].xero_id, "batch_payment_id": same[0].batch_id})
        payments.append(one)
    return invoice.model_copy(update={"payments": payments})
