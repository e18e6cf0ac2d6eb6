"""What an answer means: the link that a document now has, or the refusal that it met. Works from the journal's rows alone.

So the settling after an answer, after a crash, and after a look-up are one and the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.journal import EntryDocument
from caspen_xero.store.mappings import KnownContact, Link, LinkKind, Mappings
from caspen_xero.sync.planning.compare import contact_shape, invoice_shape
from caspen_xero.sync.problems import code_of
from caspen_xero.xero.documents import Allocation, Contact, CreditNote, Invoice, Payment, messages_of

NO_ID = "00000000-0000-0000-0000-000000000000"
GONE = "DELETED"  # of a payment or allocation: a pull has seen that it is gone, and the invoice's figures know
NEEDS_APPROVAL = (
    "Xero keeps it as a draft: whoever connected may not approve there; somebody who may has to approve it in Xero"
)
_IDENTITIES: dict[str, tuple[str, str]] = {  # what names the document in an answer: its number (or id), and its id
    "create-contact": ("ContactNumber", "ContactID"),
    "update-contact": ("ContactID", "ContactID"),
    "create-invoice": ("InvoiceNumber", "InvoiceID"),
    "update-invoice": ("InvoiceID", "InvoiceID"),
    "authorise-invoice": ("InvoiceID", "InvoiceID"),
    "void-invoice": ("InvoiceID", "InvoiceID"),
    "create-payment": ("Reference", "PaymentID"),
    "delete-payment": ("PaymentID", "PaymentID"),
    "create-credit-note": ("CreditNoteNumber", "CreditNoteID"),
    "authorise-credit-note": ("CreditNoteID", "CreditNoteID"),
    "void-credit-note": ("CreditNoteID", "CreditNoteID"),
}


@dataclass(frozen=True)
class Outcome:
    """How one document ended."""

    state: Literal["done", "refused"]
    xero_id: str | None
    message: str | None = None


def identity_of(operation: str, element: dict[str, Any]) -> str | None:
    """The number (or the id, for an update) by which an answer's element says which document it is."""
    field = _IDENTITIES[operation][0] if operation in _IDENTITIES else None
    found = element.get(field) if field else None
    return None if found in (None, "", NO_ID) else str(found)


class Settler:
    """Turns elements of answers into links and refusals; counts what was done, as sets of Caspen ids by operation."""

    def __init__(self, mappings: Mappings, now: Callable[[], datetime]) -> None:
        self.mappings, self.now = mappings, now
        self.done: defaultdict[str, set[str]] = defaultdict(set)
        self.refused: defaultdict[str, set[str]] = defaultdict(set)
        self._held: set[tuple[str, str]] = set()

    def settle(self, document: EntryDocument, element: dict[str, Any]) -> Outcome:
        """Settles one document by its element of an answer, or by what a look-up found."""
        words = _refusal_words(document.operation, element)
        if words is not None:
            self.refuse(document, words)
            return Outcome("refused", None, " ".join(words))
        step = (document.operation, document.caspen_id)
        self._held.discard(step)
        xero_id = self._SETTLE[document.operation](self, document, element)
        self.done[document.operation].add(document.caspen_id)
        if step not in self._held:  # done, but not as asked: that is not to be tried again at once
            holds.release(self.mappings, document.operation, [document.caspen_id])
        return Outcome("done", xero_id)

    def refuse(self, document: EntryDocument, words: Sequence[str]) -> None:
        """Notes Xero's refusal of one document, in Xero's words."""
        self.refused[document.operation].add(document.caspen_id)
        depends_on = str(document.expected.get("depends_on", ""))
        said = " ".join(words)
        holds.hold(
            self.mappings,
            Hold(
                document.operation,
                document.caspen_id,
                code_of(document.operation, words),
                f"Xero refused: {said}",
                depends_on=depends_on,
                xero_says=said,
            ),
            self.now(),
        )

    def link_contact(
        self, caspen_id: str, xero_id: str, *, made_by_us: bool, fingerprint: str | None, name: str, **more: Any
    ) -> None:
        """Links a party (`client:ID` or `payer:ID`) to a Xero contact."""
        kind, _, id_ = caspen_id.partition(":")
        link_kind: LinkKind = "payer" if kind == "payer" else "client"
        self.mappings.put_link(
            Link(
                link_kind,
                id_,
                xero_id,
                made_by_us,
                number=name,
                status="ACTIVE",
                fingerprint=fingerprint,
                linked_at=self.now(),
                **more,
            )
        )

    def link_invoice(
        self,
        caspen_id: str,
        found: Invoice,
        *,
        made_by_us: bool,
        fingerprint: str | None,
        done_up_to: int | None = None,
        written: bool = False,
    ) -> None:
        """Links an invoice to what Xero shows of it. `written`: it shows what we have just written, and nobody else's edits."""
        before = self.mappings.link("invoice", caspen_id)
        shown = invoice_shape(found) if written and found.line_items else before.last_written if before else None
        self.mappings.put_link(
            Link(
                kind="invoice",
                caspen_id=caspen_id,
                xero_id=found.invoice_id or (before.xero_id if before else ""),
                made_by_us=made_by_us,
                invoice_id=caspen_id,
                number=found.invoice_number or (before.number if before else None),
                status=found.status,
                fingerprint=fingerprint,
                done_up_to=done_up_to,
                last_written=shown,
                subtotal=_kept(found.sub_total, before, "subtotal"),
                tax=_kept(found.total_tax, before, "tax"),
                total=_kept(found.total, before, "total"),
                amount_paid=_kept(found.amount_paid, before, "amount_paid"),
                amount_credited=_kept(found.amount_credited, before, "amount_credited"),
                amount_due=_kept(found.amount_due, before, "amount_due"),
                xero_updated_at=found.updated_date_utc or (before.xero_updated_at if before else None),
                linked_at=before.linked_at if before else self.now(),
            )
        )

    def _created_contact(self, document: EntryDocument, element: dict[str, Any]) -> str:
        contact = Contact.model_validate(element)
        contact_id = contact.contact_id or ""
        name = contact.name or document.expected["name"]
        self.link_contact(
            document.caspen_id,
            contact_id,
            made_by_us=True,
            fingerprint=document.expected["fingerprint"],
            name=name,
            done_up_to=document.expected.get("touched"),
            last_written=contact_shape(element),
        )
        known = KnownContact(contact_id, name, document.number, contact.contact_status or "ACTIVE")
        self.mappings.put_contacts([known])
        return contact_id

    def _wrote_invoice(self, document: EntryDocument, element: dict[str, Any]) -> str:
        found = Invoice.model_validate(element)
        expected = document.expected
        self.link_invoice(
            document.caspen_id, found, made_by_us=True, fingerprint=expected.get("fingerprint"), written=True
        )
        self._learn_from_tax(expected, {"subtotal": found.sub_total, "tax": found.total_tax, "total": found.total})
        if expected.get("status") == "AUTHORISED" and found.status in {"DRAFT", "SUBMITTED"}:
            self._needs_approval(document)
        return found.invoice_id or ""

    def _updated_invoice(self, document: EntryDocument, element: dict[str, Any]) -> str:
        xero_id = self._wrote_invoice(document, element)
        link = self.mappings.link("invoice", document.caspen_id)
        expected = {key: Decimal(str(document.expected[key])) for key in ("subtotal", "tax", "total")}
        if link is not None and {key: getattr(link, key) for key in expected} != expected:
            reason = "Xero's figures are not Caspen's, though every amount was told"
            self._hold(document, "update-invoice", "totals-differ", reason)
        return xero_id

    def _authorised_invoice(self, document: EntryDocument, element: dict[str, Any]) -> str:
        found = Invoice.model_validate(element)
        link = self.mappings.link("invoice", document.caspen_id)
        fingerprint = link.fingerprint if link else document.expected.get("fingerprint")
        made_by_us = link.made_by_us if link else True
        self.link_invoice(document.caspen_id, found, made_by_us=made_by_us, fingerprint=fingerprint, written=True)
        if document.operation == "authorise-invoice" and found.status in {"DRAFT", "SUBMITTED"}:
            self._needs_approval(document)
        return found.invoice_id or ""

    def _needs_approval(self, document: EntryDocument) -> None:
        kind = "authorise-credit-note" if document.operation.endswith("credit-note") else "authorise-invoice"
        self._hold(document, kind, "needs-approval-in-xero", NEEDS_APPROVAL)

    def _hold(self, document: EntryDocument, operation: str, code: str, reason: str) -> None:
        self._held.add((operation, document.caspen_id))
        depends_on = str(document.expected.get("depends_on", ""))
        holds.hold(self.mappings, Hold(operation, document.caspen_id, code, reason, depends_on=depends_on), self.now())

    # --- payments

    def link_payment(
        self, caspen_id: str, invoice_id: str, xero_id: str, expected: Mapping[str, Any], **more: Any
    ) -> None:
        """Links an allocation of a Caspen payment to the Xero payment that stands for it."""
        self.mappings.put_link(
            Link(
                "payment",
                caspen_id,
                xero_id,
                invoice_id=invoice_id,
                fingerprint=expected.get("fingerprint"),
                total=Decimal(str(expected["amount"])),
                linked_at=self.now(),
                **more,
            )
        )

    def _created_payment(self, document: EntryDocument, element: dict[str, Any]) -> str:
        found = Payment.model_validate(element)
        xero_id, invoice_id = found.payment_id or "", document.invoice_id or ""
        before = self.mappings.link("payment", document.caspen_id)
        self.link_payment(
            document.caspen_id,
            invoice_id,
            xero_id,
            document.expected,
            made_by_us=True,
            number=document.number,
            status=found.status or "AUTHORISED",
        )
        # Where a pull has seen it before, the invoice's figures hold it already.
        if before is None or before.xero_id != xero_id:
            self._moved(invoice_id, paid=Decimal(str(document.expected["amount"])))
        return xero_id

    def _deleted_payment(self, document: EntryDocument, element: dict[str, Any]) -> str:
        link = self.mappings.link("payment", document.caspen_id)
        if link is not None:
            self.mappings.drop_link("payment", document.caspen_id)
            if link.status != GONE:
                self._moved(link.invoice_id or "", paid=-(link.total or Decimal(0)))
        return str(document.expected.get("target", ""))

    def _moved(self, invoice_id: str, *, paid: Decimal = Decimal(0), credited: Decimal = Decimal(0)) -> None:
        """What a payment or credit of ours did to its invoice in Xero, until it is next read."""
        link = self.mappings.link("invoice", invoice_id)
        if link is None or link.total is None:
            return
        amount_paid = (link.amount_paid or Decimal(0)) + paid
        amount_credited = (link.amount_credited or Decimal(0)) + credited
        due = link.total - amount_paid - amount_credited
        status = link.status if link.status not in {"AUTHORISED", "PAID"} else "AUTHORISED" if due else "PAID"
        self.mappings.put_link(
            link.with_(amount_paid=amount_paid, amount_credited=amount_credited, amount_due=due, status=status)
        )

    # --- credit notes

    def link_credit_note(self, document: EntryDocument, found: CreditNote, *, made_by_us: bool) -> None:
        """Links a credit note to what Xero shows of it."""
        before = self.mappings.link("credit_note", document.caspen_id)
        self.mappings.put_link(
            Link(
                kind="credit_note",
                caspen_id=document.caspen_id,
                xero_id=found.credit_note_id or (before.xero_id if before else ""),
                made_by_us=made_by_us,
                invoice_id=document.invoice_id,
                number=found.credit_note_number or document.number,
                status=found.status,
                fingerprint=document.expected.get("fingerprint"),
                subtotal=_kept(found.sub_total, before, "subtotal"),
                tax=_kept(found.total_tax, before, "tax"),
                total=_kept(found.total, before, "total"),
                xero_updated_at=found.updated_date_utc,
                linked_at=before.linked_at if before else self.now(),
            )
        )

    def _wrote_credit_note(self, document: EntryDocument, element: dict[str, Any]) -> str:
        found = CreditNote.model_validate(element)
        self.link_credit_note(document, found, made_by_us=True)
        shown = {"subtotal": found.sub_total, "tax": found.total_tax, "total": found.total}
        self._learn_from_tax(document.expected, shown)
        if document.expected.get("status") == "AUTHORISED" and found.status in {"DRAFT", "SUBMITTED"}:
            self._needs_approval(document)
        return found.credit_note_id or ""

    def _changed_credit_note(self, document: EntryDocument, element: dict[str, Any]) -> str:
        found = CreditNote.model_validate(element)
        self.link_credit_note(document, found, made_by_us=True)
        if document.operation == "authorise-credit-note" and found.status in {"DRAFT", "SUBMITTED"}:
            self._needs_approval(document)
        return found.credit_note_id or ""

    def _allocated(self, document: EntryDocument, element: dict[str, Any]) -> str:
        amount = Decimal(str(document.expected["amount"]))
        before = self.mappings.link("allocation", document.caspen_id)
        self.mappings.put_link(
            Link(
                "allocation",
                document.caspen_id,
                str(document.expected["target"]),
                made_by_us=True,
                invoice_id=document.invoice_id,
                number=Allocation.model_validate(element).allocation_id,
                total=amount,
                linked_at=self.now(),
            )
        )
        if before is None:
            self._moved(document.invoice_id or "", credited=amount)
        return str(document.expected["target"])

    def _removed_allocation(self, document: EntryDocument, element: dict[str, Any]) -> str:
        link = self.mappings.link("allocation", document.caspen_id)
        if link is not None:
            self.mappings.drop_link("allocation", document.caspen_id)
            if link.status != GONE:
                self._moved(document.invoice_id or "", credited=-(link.total or Decimal(0)))
        return str(document.expected["target"])

    def _updated_contact(self, document: EntryDocument, element: dict[str, Any]) -> str:
        contact = Contact.model_validate(element)
        kind, _, id_ = document.caspen_id.partition(":")
        link_kind: LinkKind = "payer" if kind == "payer" else "client"
        link = self.mappings.link(link_kind, id_)
        if link is not None:
            self.mappings.put_link(
                link.with_(
                    number=contact.name or link.number,
                    fingerprint=document.expected["fingerprint"],
                    done_up_to=document.expected["touched"],
                    last_written=contact_shape(element),
                )
            )
        return contact.contact_id or ""

    def _learn_from_tax(self, expected: Mapping[str, Any], shown: Mapping[str, Decimal | None]) -> None:
        """An organisation that has once returned our tax amounts unchanged is trusted to do so again."""
        if expected.get("explicit_tax") and all(shown[key] == Decimal(str(expected[key])) for key in shown):
            if expected.get("tells_tax"):
                self.mappings.set_setting("keeps_tax_amount", "yes")
            elif self.mappings.setting("keeps_tax_amount") is None:
                self.mappings.set_setting("keeps_tax_amount", "half-cents")

    _SETTLE: dict[str, Callable[[Settler, EntryDocument, dict[str, Any]], str]] = {  # noqa: RUF012 - a table of methods
        "create-contact": _created_contact,
        "update-contact": _updated_contact,
        "create-invoice": _wrote_invoice,
        "update-invoice": _updated_invoice,
        "authorise-invoice": _authorised_invoice,
        "void-invoice": _authorised_invoice,
        "create-payment": _created_payment,
        "delete-payment": _deleted_payment,
        "create-credit-note": _wrote_credit_note,
        "authorise-credit-note": _changed_credit_note,
        "void-credit-note": _changed_credit_note,
        "allocate-credit-note": _allocated,
        "remove-allocation": _removed_allocation,
    }


def _kept(new: Decimal | None, before: Link | None, column: str) -> Decimal | None:
    """An amount that an answer may lack: then what was known before stays."""
    return new if new is not None or before is None else getattr(before, column)


def _refusal_words(operation: str, element: dict[str, Any]) -> list[str] | None:
    """Xero's words where an element of an answer is a refusal, else None."""
    id_field = _IDENTITIES[operation][1] if operation in _IDENTITIES else None
    has_id = id_field is None or element.get(id_field) not in (None, "", NO_ID)
    if element.get("StatusAttributeString") == "ERROR" or not has_id:
        return messages_of(element) or ["Xero refused it without a reason."]
    return (messages_of(element) or None) if element.get("HasErrors") is True or id_field is None else None
