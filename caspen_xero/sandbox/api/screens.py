"""What a person does in Xero's own screens: archive and restore a contact, merge two, archive an account, add an item,
mark an invoice paid, reconcile a payment. The sandbox's control page and its tests call these; no API request can.

Each raises LookupError for an unknown id, and ValueError with Xero's words where Xero would refuse.
"""

from __future__ import annotations

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.money.batch_payments import says_so
from caspen_xero.sandbox.money.payments import record_payment
from caspen_xero.sandbox.sales.settlement import amount_due


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


def add_item(ledger: Ledger, code: str, name: str) -> None:
    """Adds an item that lines can name; it has neither prices nor accounts of its own."""
    if not code or len(code) > 30:
        raise ValueError("an item needs a Code of at most 30 characters")
    if ledger.find("Items", code) is not None:
        raise ValueError(f"there is an item {code} already")
    ledger.save("Items", {"Code": code, "Name": name})


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
