"""Money in Xero that pays an invoice without being a payment on it: an allocation of an overpayment or a prepayment, by its id."""

from __future__ import annotations

from caspen_xero.xero.calls import Client
from caspen_xero.xero.dealings import allocations_on, credits_on
from caspen_xero.xero.documents import DocumentRef, Payment
from caspen_xero.xero.reading import applied_credits, invoices_by_id


class AllocatedCredit(Payment):
    """What of an overpayment or a prepayment pays an invoice, as a payment under the id of its allocation."""

    called = "allocation"


def allocations_named(client: Client, invoice_xero_id: str, allocation_id: str) -> list[AllocatedCredit]:
    """The allocation with that id on an invoice, as a payment; none where it is not there."""
    invoice = invoices_by_id(client, [invoice_xero_id]).get(invoice_xero_id)
    credits = [one for one in credits_on(invoice) if one.kind != "credit_note"] if invoice else []
    read = applied_credits(client, credits)
    for credit in credits:
        for id_, (amount, day) in allocations_on(invoice_xero_id, credit, read.get(credit.credit_id)).items():
            if id_ == allocation_id:
                on = DocumentRef(invoice_id=invoice_xero_id)
                return [AllocatedCredit(payment_id=id_, invoice=on, amount=amount, date=day, status="AUTHORISED")]
    return []
