"""What a person does in Xero's own screens: archive and restore a contact, merge two, archive an account, add an item,
mark an invoice paid, save one in the old web page, reconcile a payment.

Each raises LookupError for an unknown id, and ValueError with Xero's words where Xero would refuse.
"""

from __future__ import annotations

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.money.batch_payments import says_so
from caspen_xero.sandbox.money.payments import record_payment
from caspen_xero.sandbox.organisation.items import put_item
from caspen_xero.sandbox.sales.documents import round_discounts
from caspen_xero.sandbox.sales.settlement import amount_due, has_dealings
from caspen_xero.sandbox.sales.statuses import NEW


def _found(ledger: Ledger, kind: str, document_id: str) -> Body:
    found = ledger.find(kind, document_id)
    if found is None:
        raise LookupError(f"{kind} has no {document_id}")
    return found


def archive_contact(ledger: Ledger, contact_id: str) -> None:
    contact = _found(ledger, "Contacts", contact_id)
    contact["ContactStatus"] = "ARCHIVED"
    ledger.save("Contacts", contact)


def restore_contact(ledger: Ledger, contact_id: str) -> None:
    """Un-archives a contact, which the API can't; not while an active one has its name."""
    contact = _found(ledger, "Contacts", contact_id)
    others = ledger.by_name("Contacts", contact["Name"])
    if any(other["ContactStatus"] == "ACTIVE" and other["ContactID"] != contact_id for other in others):
        raise ValueError(messages.CONTACT_NAME_TAKEN(name=contact["Name"]))
    contact["ContactStatus"] = "ACTIVE"
    ledger.save("Contacts", contact)


def merge_contacts(ledger: Ledger, contact_id: str, into_id: str) -> None:
    """Merges a contact into another: its documents move there, it is archived and says where it went."""
    contact, into = _found(ledger, "Contacts", contact_id), _found(ledger, "Contacts", into_id)
    if contact_id == into_id:
        raise ValueError("a contact can't be merged into itself")
    for kind in ("Invoices", "CreditNotes", "Overpayments", "Prepayments", "BankTransactions"):
        for document in ledger.of_contact(kind, contact_id):
            document["ContactID"] = into_id
            ledger.save(kind, document)
    contact |= {"ContactStatus": "ARCHIVED", "MergedToContactID": into_id}
    ledger.save("Contacts", contact)
    ledger.save("Contacts", into)


def archive_account(ledger: Ledger, account_id: str) -> None:
    """Archives an account, named by its id or its code."""
    named = ledger.by_number("Accounts", account_id)
    account = named[0] if named else _found(ledger, "Accounts", account_id)
    account["Status"] = "ARCHIVED"
    ledger.save("Accounts", account)


def add_item(desk: Desk, code: str, name: str) -> None:
    """Adds an item that lines can name; it has neither prices nor accounts of its own."""
    try:
        put_item(desk, {"Code": code, "Name": name})
    except Refusal as refusal:
        raise ValueError("; ".join(refusal.messages)) from refusal


def mark_paid(desk: Desk, invoice_id: str, reconciled: bool) -> str:
    """Pays what is due on an invoice, today, into the first bank account. Gives the payment's id."""
    invoice = _found(desk.ledger, "Invoices", invoice_id)
    banks = desk.ledger.select("Accounts", "type = 'BANK' AND status = 'ACTIVE'", suffix="ORDER BY rowid")
    if not banks:
        raise ValueError(messages.ACCOUNT_NOT_FOUND())
    sent = {"Amount": amount_due(invoice), "IsReconciled": reconciled}
    try:
        with desk.ledger.all_or_nothing("control"):
            payment = record_payment(desk, "Invoices", invoice, banks[0], sent)
    except Refusal as refusal:
        raise ValueError("; ".join(refusal.messages)) from refusal
    return str(payment["PaymentID"])


def save_in_old_page(desk: Desk, invoice_id: str) -> None:
    """Saves an invoice in the old web page, which keeps 2 places of a discount's percentage (community.breww.com 1035)."""
    invoice = _found(desk.ledger, "Invoices", invoice_id)
    if has_dealings(invoice) or invoice["Status"] not in NEW:
        raise ValueError(messages.NOT_VALID_FOR_CHANGE(document="Invoice"))
    round_discounts(desk, invoice, rates=True)
    desk.ledger.save("Invoices", invoice)


def reconcile_payment(ledger: Ledger, payment_id: str, reconciled: bool = True) -> None:
    """Matches a payment, or the batch that it is in, with a line of the bank statement; or takes the match off."""
    payment = _found(ledger, "Payments", payment_id)
    batch_id = payment.get("BatchPaymentID")
    if batch_id is None:
        _match(ledger, payment_id, reconciled)
        return
    batch = _found(ledger, "BatchPayments", batch_id)
    batch["IsReconciled"] = reconciled
    ledger.save("BatchPayments", batch)
    for member_id in batch["PaymentIDs"]:
        _match(ledger, member_id, says_so(ledger, reconciled))


def _match(ledger: Ledger, payment_id: str, reconciled: bool) -> None:
    payment = _found(ledger, "Payments", payment_id)
    if payment["IsReconciled"] != reconciled:
        payment["IsReconciled"] = reconciled
        ledger.save("Payments", payment)
