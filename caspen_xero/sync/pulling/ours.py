"""Money in Xero that is ours by what it carries, though nothing here stands for it: our Reference, or a credit note of ours.

A new store, a restored one or a copied home knows nothing of what another has sent; and a bookkeeper may allocate our credit
note to another invoice. None of it is news to Caspen: it shows in `drift` until the two sides agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from caspen_xero.caspen.records import PAYS, CreditNote, payment_id_in
from caspen_xero.cents import money_text
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.store.clinic import AppliedPayment
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.planning.payment_references import (
    is_of_ours,
    is_ours_by_form,
    key_in,
    last_word,
    method_named,
    named_as_before,
)
from caspen_xero.xero.dealings import AppliedCredit
from caspen_xero.xero.documents import Payment


class OfCaspen(NamedTuple):
    """What Caspen says of something of its own that stands in Xero otherwise: in words, and the ids, statuses and amounts of it."""

    words: str
    facts: tuple[str, ...]


def own_payments(store: Store, payments: Mapping[str, Sequence[Payment]]) -> dict[str, OfCaspen]:
    """By PaymentID, those with a Reference of ours, and what Caspen says of the payment that it names.

    `payments`: by the Caspen invoice that they are on. Of a Reference that an earlier version wrote the amount has to agree, and on
    another invoice than Caspen's the day too.
    """
    asked = [(invoice_id, payment) for invoice_id, some in payments.items() for payment in some if payment.reference]
    return _References(store, [payment.reference or "" for _, payment in asked]).ours(asked) if asked else {}


class _References:
    """What Caspen's records say of the payments that some References may name."""

    def __init__(self, store: Store, references: Sequence[str]) -> None:
        keys = {key for reference in references if (key := key_in(reference))}
        self._store = store
        self._methods = {method.id: method for method in clinic.payment_methods(store)}
        self._names = {method_named(method) for method in (*self._methods.values(), None)}
        self._keyed = clinic.payments_keyed(store, keys)
        self._statuses = clinic.payment_statuses(store, {payment_id_in(key) for key in keys})
        self._beginnings = clinic.payment_id_beginnings(store) if keys - self._keyed.keys() else set()
        self._alike = clinic.payments_put_on_as(store, map(last_word, references))

    def ours(self, asked: Iterable[tuple[str, Payment]]) -> dict[str, OfCaspen]:
        """By PaymentID, what Caspen says of those that are ours."""
        told = {payment.payment_id or "": self._told(invoice_id, payment) for invoice_id, payment in asked}
        return {id_: one for id_, one in told.items() if one is not None}

    def _told(self, invoice_id: str, payment: Payment) -> OfCaspen | None:
        """What Caspen says of the payment that a Reference names; None where it is none of ours."""
        key = key_in(payment.reference)
        meant = self._keyed.get(key or "")
        if meant is None:
            asked = (payment.reference, payment.amount, payment.date, self._alike, self._methods, invoice_id)
            meant = next(named_as_before(*asked), None)
        if meant is not None:
            return self._differs(meant, invoice_id, payment.amount)
        if key is None:
            return None
        payment_id = payment_id_in(key)
        status = self._statuses.get(payment_id)
        if not (is_of_ours(key, self._statuses) or is_ours_by_form(payment.reference, self._beginnings, self._names)):
            return None
        if status in (None, PAYS):
            return OfCaspen(f"no payment {plain(key)} is known", (key,))
        return OfCaspen(f"payment {plain(payment_id)} is {plain(status)}", (payment_id, str(status)))

    def _differs(self, meant: AppliedPayment, invoice_id: str, amount: Decimal | None) -> OfCaspen:
        name, facts = (
            f"payment {plain(meant.payment_id)}",
            (meant.payment_id, str(meant.status), meant.invoice_id, money_text(meant.amount)),
        )
        if not meant.pays:
            return OfCaspen(f"{name} is {plain(meant.status)}", facts)
        if meant.invoice_id != invoice_id:
            number = clinic.invoice_numbers(self._store, [meant.invoice_id]).get(meant.invoice_id)
            return OfCaspen(f"{name} is on {plain(number or meant.invoice_id)}", facts)
        if meant.amount != amount:
            return OfCaspen(f"{name} is {money_text(meant.amount)}", facts)
        return OfCaspen(f"{name} has another one in Xero", facts)


@dataclass(frozen=True)
class OwnNote:
    """A credit note of Caspen's that stands in Xero, and the name of the invoice that it belongs to."""

    note: CreditNote
    invoice_name: str


def own_notes(mappings: Mappings, credits: Iterable[AppliedCredit]) -> dict[str, OwnNote]:
    """Those credits in Xero that are credit notes of Caspen's: by their link, else by a number that is not linked yet."""
    numbers = {credit.credit_id: credit.number or "" for credit in credits if credit.kind == "credit_note"}
    if not numbers:
        return {}
    links = mappings.links_to(numbers)  # a credit note's own, or its allocation's: both name the note
    linked = clinic.credit_notes(mappings.store, [link.caspen_id for link in links.values()])
    numbered = clinic.credit_notes_numbered(mappings.store, [numbers[id_] for id_ in numbers if id_ not in links])
    taken = mappings.links("credit_note", [note.id for note in numbered.values()])
    found = {id_: note for id_, link in links.items() if (note := linked.get(link.caspen_id)) is not None}
    for id_, number in numbers.items():
        if id_ not in links and number in numbered and numbered[number].id not in taken:
            found[id_] = numbered[number]
    names = clinic.invoice_numbers(mappings.store, [note.invoice_id for note in found.values()])
    return {id_: OwnNote(note, plain(names.get(note.invoice_id) or note.invoice_id)) for id_, note in found.items()}
