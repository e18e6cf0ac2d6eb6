"""Fetching from Xero what a plan asks for: contacts, invoices about to be changed or paid, payments and credits on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from caspen_xero.store import clinic
from caspen_xero.store.holds import Hold
from caspen_xero.store.journal import payments_asked_to_delete
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.sync.planning.plan import Plan
from caspen_xero.sync.planning.snapshot import Looks, SeenCredit, SeenNote
from caspen_xero.sync.planning.steps import ExpectedAllocation, ExpectedPayment, Step
from caspen_xero.sync.problems import ProblemCode, unreadable
from caspen_xero.sync.sending.own_ids import OwnIds
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.setup.contacts import read_contacts
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.answers import apart
from caspen_xero.xero.calls import Client
from caspen_xero.xero.dealings import allocations_on, credits_on
from caspen_xero.xero.documents import UNAPPROVED, CreditNote, Invoice, Payment
from caspen_xero.xero.reading import (
    applied_credits,
    batch_by_id,
    contacts_by_id,
    credits_by_id,
    deleted_payments_on,
    invoices_by_id,
    payment_by_id,
    payments_by_id,
    payments_on,
)


class Fetcher:
    """Answers what plans ask, once per run; what it saw is in `looks`. A dry run (`keeps` False) notes none of it in the store.

    `warnings`: sentences about contacts that can't be read.
    """

    def __init__(
        self, client: Callable[[], Client], mappings: Mappings, now: Callable[[], datetime], *, keeps: bool
    ) -> None:
        self.client, self.mappings, self.now, self.keeps = client, mappings, now, keeps
        self.looks = Looks()
        self._own_ids = OwnIds(mappings, client)
        self.contacts_read = False
        self.warnings: list[str] = []

    def answer(self, plan: Plan, *, anew: bool = False) -> bool:
        """Reads what the plan asks for and has not been seen; False where there was nothing to read."""
        asks, looks = plan.asks, self.looks
        contacts = asks.contacts and not self.contacts_read
        if contacts:
            self.read_contacts(anew=anew)
        looked = [
            self._look("contact_details", asks.contact_details, looks.contacts, self._look_at_contacts),
            self._look("invoices", asks.invoices, looks.invoices, self._look_at_invoices),
            self._look("payments", asks.payments, looks.payments, self._look_at_payments),
            self._look("credit_notes", asks.credit_notes, looks.notes, self._look_at_notes),
            self._look("credits", asks.credits, looks.credits, self._look_at_credits),
            self._look("deleted", asks.deleted, looks.deleted, self._look_at_deleted),
        ]
        return contacts or any(looked)

    def _look(self, what: str, asked: set[str], seen: Collection[str], look: Callable[[Sequence[str]], None]) -> bool:
        """Looks at what was not seen yet. What can't be read is noted as such, so that it is asked for once."""
        odd = self.looks.odd
        news = sorted(id_ for id_ in asked if id_ not in seen and (what, id_) not in odd)
        apart(news, look, lambda id_, error: odd.__setitem__((what, id_), unreadable(error.why)))
        return bool(news)

    def read_contacts(self, *, anew: bool = False) -> None:
        """Reads Xero's contacts, where this run has not done so yet."""
        if not self.contacts_read:
            odd = read_contacts(self.client(), self.mappings, anew=anew)
            self.warnings += [f"Left out: {one.why}." for one in odd]
            self.contacts_read = True

    def forget(self, steps: Iterable[Step]) -> None:
        """What was written since is no longer as it was seen."""
        looks = self.looks
        if not (looks.invoices or looks.credits or looks.deleted or looks.notes):
            return  # as in a first push: nothing was looked at
        for step in steps:
            expected = step.expected
            on = expected.invoice_xero_id if isinstance(expected, ExpectedPayment | ExpectedAllocation) else None
            for xero_id in (step.target, on, self._invoice_of(step)):
                looks.invoices.pop(xero_id or "", None)
                looks.credits.pop(xero_id or "", None)
                if step.kind == "delete-payment":
                    looks.deleted.pop(xero_id or "", None)
            if isinstance(expected, ExpectedAllocation):
                looks.notes.pop(step.target, None)

    def _invoice_of(self, step: Step) -> str | None:
        link = self.mappings.link("invoice", step.invoice_id) if step.invoice_id else None
        return link.xero_id if link else None

    def _look_at_contacts(self, ids: Sequence[str]) -> None:
        found = contacts_by_id(self.client(), ids)
        self.looks.contacts.update({xero_id: found.get(xero_id) for xero_id in ids})

    def _look_at_invoices(self, ids: Sequence[str]) -> None:
        found = invoices_by_id(self.client(), ids)
        # An invoice that Xero no longer knows is as good as deleted.
        seen = self._own_ids.of({id_: found.get(id_) or Invoice(invoice_id=id_, status="DELETED") for id_ in ids})
        self.looks.invoices.update(seen)
        self.looks.notes_on.update({id_: _credit_notes_on(invoice) for id_, invoice in seen.items()})
        if not self.keeps:
            return
        with self.mappings.store.write():
            self._own_ids.keep(seen)
            keep_as_seen(self.mappings, self.mappings.links_to(ids).values(), seen, self.now)

    def _look_at_deleted(self, ids: Sequence[str]) -> None:
        found = deleted_payments_on(self.client(), ids)
        self.looks.deleted.update({xero_id: found.get(xero_id, []) for xero_id in ids})

    def _look_at_credits(self, ids: Sequence[str]) -> None:
        """The allocations on invoices of credits that somebody made in Xero; those of our own credit notes are ours."""
        shown = {xero_id: credits_on(self.looks.invoices[xero_id]) for xero_id in ids}
        ours = self.mappings.links_to(credit.credit_id for credits in shown.values() for credit in credits)
        theirs = {xero_id: [one for one in credits if one.credit_id not in ours] for xero_id, credits in shown.items()}
        read = applied_credits(self.client(), (credit for credits in theirs.values() for credit in credits))
        for xero_id, credits in theirs.items():
            self.looks.credits[xero_id] = {
                id_: SeenCredit(credit.kind, amount, day, credit.number)
                for credit in credits
                for id_, (amount, day) in allocations_on(xero_id, credit, read.get(credit.credit_id)).items()
            }

    def _look_at_payments(self, ids: Sequence[str]) -> None:
        listed = payments_by_id(self.client(), ids) if len(ids) > 1 else {}
        for payment_id in ids:  # deleted ones are not surely in a list
            self._look_at_payment(payment_id, listed.get(payment_id) or payment_by_id(self.client(), payment_id))

    def _look_at_payment(self, payment_id: str, found: Payment | None) -> None:
        links = self.mappings.links_to([payment_id]).values()
        found = found or self._in_a_batch(payment_id, links)
        if found is None and not all(link.made_by_us for link in links):  # an allocation of a credit: nothing of ours
            self.looks.payments[payment_id] = Payment(payment_id=payment_id)
            return
        found = found or Payment(payment_id=payment_id, status="DELETED")
        self.looks.payments[payment_id] = found
        if found.status == "DELETED" and self.keeps:
            with self.mappings.store.write():
                for link in links:
                    self._note_as_deleted(link)

    def _in_a_batch(self, payment_id: str, links: Iterable[Link]) -> Payment | None:
        """What Xero knows by no id of a payment, but lists as a member of a batch: the one linked, else the batch itself."""
        if not is_id(payment_id):
            return None
        linked = {link.invoice_id: link for link in links if link.kind == "payment"}
        on = self.mappings.links("invoice", [id_ for id_ in linked if id_])
        listed = payments_on(self.client(), [link.xero_id for link in on.values()]) if on else {}
        for caspen_id, invoice in on.items():
            of_batch = [one for one in listed.get(invoice.xero_id, ()) if payment_id in (one.batch_id, one.payment_id)]
            of_batch.sort(key=lambda one: (one.amount != linked[caspen_id].total, one.status == "DELETED"))
            if of_batch:
                return of_batch[0]
        batch = None if linked else batch_by_id(self.client(), payment_id)
        return Payment(payment_id=payment_id, batch_payment_id=payment_id, status=batch.status) if batch else None

    def _note_as_deleted(self, link: Link) -> None:
        """What is gone in Caspen too, or was deleted by us, is forgotten; that somebody removed what Caspen has is kept."""
        keys = [link.caspen_id]
        by_us = link.xero_id in payments_asked_to_delete(self.mappings, keys)
        if by_us or not clinic.payments_of_our_own(self.mappings.store, keys):
            self.mappings.drop_link("payment", link.caspen_id)
        else:
            self.mappings.put_link(link.as_deleted())

    def _look_at_notes(self, ids: Sequence[str]) -> None:
        found = credits_by_id(self.client(), "credit_note", ids)
        for credit_note_id in ids:
            self._look_at_note(credit_note_id, found.get(credit_note_id))

    def _look_at_note(self, credit_note_id: str, note: CreditNote | None) -> None:
        allocations = {
            one.invoice.invoice_id: one.allocation_id
            for one in (note.allocations if note else ())
            if one.allocation_id and one.invoice and one.invoice.invoice_id
        }
        self.looks.notes[credit_note_id] = SeenNote(note.status if note else None, allocations)
        link = self.mappings.links_to([credit_note_id]).get(credit_note_id)
        if link is None or not self.keeps:
            return
        invoice = self.mappings.link("invoice", link.invoice_id or "")
        if invoice is None or invoice.xero_id not in allocations:  # taken back in Xero already
            self.mappings.drop_link("allocation", link.caspen_id)
        own = self.mappings.link("credit_note", link.caspen_id)
        if own is not None and note and note.status:  # a person may have approved or voided it
            self.mappings.put_link(own.with_(status=note.status))


def keep_as_seen(
    mappings: Mappings, links: Iterable[Link], seen: Mapping[str, Invoice], now: Callable[[], datetime]
) -> None:
    """Has the links of invoices follow what Xero shows of them (by InvoiceID); what was written there stays what it was."""
    records = Records(mappings, now)
    for link in links:
        found = seen[link.xero_id]
        records.link_invoice(
            link.caspen_id,
            found,
            made_by_us=link.made_by_us,
            fingerprint=link.fingerprint,
            done_up_to=link.done_up_to,
        )
        if found.status in UNAPPROVED:
            records.keep_hold(Hold("look-at-draft", link.caspen_id, ProblemCode.WAITS_FOR_APPROVAL, ""))


def _credit_notes_on(invoice: Invoice) -> dict[str, Decimal]:
    return {credit.credit_id: credit.applied for credit in credits_on(invoice) if credit.kind == "credit_note"}
