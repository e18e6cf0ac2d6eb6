"""Looking into Xero for what a plan asks: contacts, invoices about to be changed or paid, payments and credits to be taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.invoices import UNAPPROVED
from caspen_xero.sync.planning.planner import Plan
from caspen_xero.sync.planning.snapshot import Looks
from caspen_xero.sync.planning.steps import Operation
from caspen_xero.sync.pulling.match_payments import allocations_on, shown_credits
from caspen_xero.sync.sending.recover import (
    ReadingClient,
    credit_by_id,
    credit_note_by_id,
    invoices_by_id,
    payment_by_id,
    read_contacts,
)
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.xero.documents import Invoice, Payment


class Looker:
    """Answers what plans ask, once per run; what it saw is in `looks`."""

    def __init__(
        self, client: Callable[[], ReadingClient], mappings: Mappings, settler: Settler, now: Callable[[], datetime]
    ) -> None:
        self.client, self.mappings, self.settler, self.now = client, mappings, settler, now
        self.looks = Looks()
        self.contacts_read = False

    def answer(self, plan: Plan, *, anew: bool = False) -> bool:
        """Reads what the plan asks for and has not been seen; False where there was nothing to read."""
        contacts = plan.asks_for_contacts and not self.contacts_read
        if contacts:
            read_contacts(self.client(), self.mappings, anew=anew)
            self.contacts_read = True
        invoices = sorted(plan.asks_for_invoices - set(self.looks.invoices))
        if invoices:
            self._look_at_invoices(invoices)
        payments = sorted(plan.asks_for_payments - set(self.looks.payments))
        for payment_id in payments:
            self._look_at_payment(payment_id)
        notes = sorted(plan.asks_for_credit_notes - set(self.looks.allocations))
        for credit_note_id in notes:
            self._look_at_allocations(credit_note_id)
        credited = sorted(plan.asks_for_credits - set(self.looks.credits))
        for xero_id in credited:
            self._look_at_credits(xero_id)
        return bool(contacts or invoices or payments or notes or credited)

    def forget(self, operations: list[Operation]) -> None:
        """What was written since is no longer as it was seen."""
        for operation in operations:
            for xero_id in (operation.target, operation.expected.get("invoice_xero_id"), self._invoice_of(operation)):
                self.looks.invoices.pop(str(xero_id), None)
                self.looks.credits.pop(str(xero_id), None)

    def _invoice_of(self, operation: Operation) -> str | None:
        link = self.mappings.link("invoice", operation.invoice_id) if operation.invoice_id else None
        return link.xero_id if link else None

    def _look_at_invoices(self, ids: list[str]) -> None:
        found = invoices_by_id(self.client(), ids)
        links = self.mappings.links_to(ids)
        with self.mappings.store.write():
            for xero_id in ids:
                # An invoice that Xero no longer knows is as good as deleted.
                seen = Invoice.model_validate(found.get(xero_id) or {"InvoiceID": xero_id, "Status": "DELETED"})
                self.looks.invoices[xero_id] = seen
                link = links.get(xero_id)
                if link is None:
                    continue
                self.settler.link_invoice(
                    link.caspen_id,
                    seen,
                    made_by_us=link.made_by_us,
                    fingerprint=link.fingerprint,
                    done_up_to=link.done_up_to,
                )
                if seen.status in UNAPPROVED:
                    holds.hold(self.mappings, Hold("look-at-draft", link.caspen_id, "pending", ""), self.now())

    def _look_at_credits(self, xero_id: str) -> None:
        """The allocations on an invoice of credits that somebody made in Xero; those of our own credit notes are ours."""
        shown = shown_credits(self.looks.invoices[xero_id])
        ours = self.mappings.links_to(credit.credit_id for credit in shown)
        self.looks.credits[xero_id] = {
            id_: amount
            for credit in shown
            if credit.credit_id not in ours
            for id_, (amount, _) in allocations_on(
                xero_id, credit, credit_by_id(self.client(), credit.kind, credit.credit_id)
            ).items()
        }

    def _look_at_payment(self, payment_id: str) -> None:
        found = payment_by_id(self.client(), payment_id)
        payment = Payment.model_validate(found or {"PaymentID": payment_id, "Status": "DELETED"})
        self.looks.payments[payment_id] = payment
        if payment.status == "DELETED":  # somebody was faster: nothing is left to delete
            for link in self.mappings.links_to([payment_id]).values():
                self.mappings.drop_link("payment", link.caspen_id)

    def _look_at_allocations(self, credit_note_id: str) -> None:
        note = credit_note_by_id(self.client(), credit_note_id) or {}
        allocations = {
            str((allocation.get("Invoice") or {}).get("InvoiceID")): str(allocation["AllocationID"])
            for allocation in note.get("Allocations") or []
            if allocation.get("AllocationID")
        }
        self.looks.allocations[credit_note_id] = allocations
        link = self.mappings.links_to([credit_note_id]).get(credit_note_id)
        if link is None:
            return
        invoice = self.mappings.link("invoice", link.invoice_id or "")
        if invoice is None or invoice.xero_id not in allocations:  # taken back in Xero already
            self.mappings.drop_link("allocation", link.caspen_id)
        if note.get("Status") in ("VOIDED", "DELETED"):  # by a person
            self.mappings.put_link(link.with_(status=str(note["Status"])))
