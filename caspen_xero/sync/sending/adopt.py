"""Documents whose number Xero already has: adopted where they are the same, else shown to a person to decide."""

from __future__ import annotations

from collections.abc import Sequence

from caspen_xero.store import holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.sync.planning.steps import Operation
from caspen_xero.sync.problems import quoted
from caspen_xero.sync.sending.recover import (
    ReadingClient,
    credit_notes_numbered,
    invoices_numbered,
    same_credit_note,
    same_invoice,
)
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.xero.documents import CreditNote, Invoice


def adopt_refused_invoices(
    client: ReadingClient, mappings: Mappings, settler: Settler, refused: Sequence[Operation]
) -> None:
    """Looks the numbers of refused invoices up; same contact and total: linked as not made by us, else `invoice-number-taken`."""
    found = invoices_numbered(client, [operation.number or "" for operation in refused])
    linked = mappings.links_to(str(element["InvoiceID"]) for element in found.values())
    for operation in refused:
        element = found.get(operation.number or "")
        if element is None:
            continue
        invoice = Invoice.model_validate(element)
        taken_by = linked.get(invoice.invoice_id or "")
        with mappings.store.write():
            if taken_by is None and same_invoice(element, operation.expected):
                settler.link_invoice(
                    operation.caspen_id, invoice, made_by_us=False, fingerprint=operation.expected.get("fingerprint")
                )
                settler.done["adopt-invoice"].add(operation.caspen_id)
                holds.release(mappings, "create-invoice", [operation.caspen_id])
                continue
            who = invoice.contact.name if invoice.contact else "another contact"
            reason = (
                f"Xero already has an invoice {operation.number}: {invoice.total or 0:.2f} for {who}, {invoice.status}; "
                f"Caspen's is {operation.expected.get('total')} ({operation.detail})"
            )
            name = quoted(operation.number or operation.caspen_id)
            burnt = f"Give it another number in Caspen, or: caspen-xero invoices skip {name}"
            holds.hold(
                mappings,
                Hold(
                    "create-invoice",
                    operation.caspen_id,
                    "invoice-number-taken",
                    reason,
                    burnt
                    if invoice.status in ("VOIDED", "DELETED")
                    else f"caspen-xero invoices link {name} {invoice.invoice_id}",
                    operation.depends_on,
                    "Invoice # must be unique.",
                ),
                settler.now(),
            )


def adopt_refused_credit_notes(
    client: ReadingClient, mappings: Mappings, settler: Settler, refused: Sequence[Operation]
) -> None:
    """The same for credit notes; one whose number stands for another document keeps Xero's refusal as its problem."""
    found = credit_notes_numbered(client, [operation.number or "" for operation in refused])
    linked = mappings.links_to(str(element["CreditNoteID"]) for element in found.values())
    for operation in refused:
        element = found.get(operation.number or "")
        if element is None or not same_credit_note(element, operation.expected):
            continue
        note = CreditNote.model_validate(element)
        if (note.credit_note_id or "") in linked:
            continue
        with mappings.store.write():
            mappings.put_link(
                Link(
                    kind="credit_note",
                    caspen_id=operation.caspen_id,
                    xero_id=note.credit_note_id or "",
                    made_by_us=False,
                    invoice_id=operation.invoice_id,
                    number=note.credit_note_number,
                    status=note.status,
                    fingerprint=operation.expected.get("fingerprint"),
                    subtotal=note.sub_total,
                    tax=note.total_tax,
                    total=note.total,
                )
            )
            _adopt_allocation(mappings, operation, note)
            holds.release(mappings, "create-credit-note", [operation.caspen_id])


def _adopt_allocation(mappings: Mappings, operation: Operation, note: CreditNote) -> None:
    """What of an adopted credit note is on its invoice already is not put there again."""
    link = mappings.link("invoice", operation.invoice_id or "")
    for allocation in note.allocations:
        if link is not None and allocation.invoice is not None and allocation.invoice.invoice_id == link.xero_id:
            mappings.put_link(
                Link(
                    kind="allocation",
                    caspen_id=operation.caspen_id,
                    xero_id=note.credit_note_id or "",
                    made_by_us=False,
                    invoice_id=operation.invoice_id,
                    number=allocation.allocation_id,
                    total=allocation.amount,
                )
            )
