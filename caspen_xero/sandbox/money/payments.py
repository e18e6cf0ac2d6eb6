"""Payments of invoices and refunds of credits: made, deleted (never edited), and what Xero shows of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import ZERO
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, FLAG, ID, NUMBER, WORD, Fields, One, Text, too_long
from caspen_xero.sandbox.books.ledger import KINDS, Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.resource import WHOLE
from caspen_xero.sandbox.books.wire import NOWHERE, dated, new_id, updated, xero_date
from caspen_xero.sandbox.contacts.views import contact_in_list, contact_of_paid_invoice
from caspen_xero.sandbox.organisation.accounts import ACCOUNT_OF, payment_account, short_account
from caspen_xero.sandbox.organisation.organisations import (
    check_edit_by_lock_dates,
    check_lock_dates,
    organisation_of,
    today,
)
from caspen_xero.sandbox.sales.documents import EMPTY_INVOICE, show_payments
from caspen_xero.sandbox.sales.invoice_views import show_invoice
from caspen_xero.sandbox.sales.invoices import INVOICE_OF, sales_invoice_by_number
from caspen_xero.sandbox.sales.settlement import amount_due, settle

_FOR_THE_BANK = {"BankAccountNumber": Text(), "Particulars": Text(), "Details": Text()}
PAYMENT_FIELDS: Fields = {
    "PaymentID": ID,
    "Invoice": INVOICE_OF,
    "InvoiceNumber": Text(),
    "CreditNote": One({"CreditNoteID": ID, "CreditNoteNumber": Text()}),
    "CreditNoteNumber": Text(),
    "Overpayment": One({"OverpaymentID": ID}),
    "Prepayment": One({"PrepaymentID": ID}),
    "Account": ACCOUNT_OF,
    "Code": Text(),
    "Date": DATE,
    "CurrencyRate": NUMBER,
    "Amount": NUMBER,
    "BankAmount": NUMBER,
    "Reference": Text(),  # no maximum is documented; 300 characters came back unchanged (third party's live test)
    "IsReconciled": FLAG,
    "Status": WORD,
    **_FOR_THE_BANK,
}
_TARGETS = {
    "Invoice": ("Invoices", messages.INVOICE_NOT_FOUND),
    "CreditNote": ("CreditNotes", messages.CREDIT_NOTE_NOT_FOUND),
    "Overpayment": ("Overpayments", messages.DOCUMENT_NOT_FOUND),
    "Prepayment": ("Prepayments", messages.DOCUMENT_NOT_FOUND),
}
_PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
}
# How a payment's `Invoice` names the type of a credit that it refunds.
_SHOWN_TYPES = {
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENT",
}


def put_payment(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """PUT: one payment of one document."""
    if problems := too_long(sent, PAYMENT_FIELDS):
        raise Refusal(*problems)
    kind, target = _target(desk.ledger, sent)
    together, account, warnings = Together(), {}, []
    with together.also():
        account = payment_account(desk.ledger, sent.get("Account") or {"Code": sent.get("Code", "")})
    with together.also():
        warnings = check_payment_date(desk.ledger, kind, target, sent)
    with together.also():
        check_payment(desk, target, sent)
    together.end()
    return record_payment(desk, kind, target, account, sent), warnings


def post_payment(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """POST: deletes the payment with the id, which is all that may change of one; without an id, a new payment."""
    payment_id = sent.get("PaymentID", NOWHERE)
    if payment_id == NOWHERE:
        return put_payment(desk, sent)
    payment = desk.ledger.find("Payments", payment_id)
    if payment is None:
        raise Refusal(messages.DOCUMENT_NOT_FOUND(), shown={"PaymentID": payment_id})
    standing: Body = {"PaymentID": payment_id}
    if set(sent) - {"PaymentID", "Status"} or sent.get("Status") != "DELETED":
        raise Refusal(messages.PAYMENT_ONLY_STATUS(), shown=standing)
    if payment["Status"] == "DELETED":
        raise Refusal(messages.PAYMENT_NOT_VALID_FOR_CHANGE(), shown=standing)
    if payment.get("BatchPaymentID"):
        raise Refusal(messages.PAYMENT_IN_BATCH(), shown=standing)
    if payment["IsReconciled"]:  # UNCONFIRMED: that Xero refuses
        raise Refusal(messages.PAYMENT_RECONCILED(), shown=standing)
    remove_payment(desk.ledger, payment)
    return payment, []


def _target(ledger: Ledger, sent: dict[str, Any]) -> tuple[str, Body]:
    """The document that is paid or refunded, by its id or number."""
    for name, (kind, message) in _TARGETS.items():
        named = dict(sent.get(name, {}))
        if f"{name}Number" in sent:
            named.setdefault(f"{name}Number", sent[f"{name}Number"])
        if not named:
            continue
        target: Body | None = None
        if f"{name}ID" in named:
            target = ledger.find(kind, named[f"{name}ID"])
        elif name == "Invoice" and named.get("InvoiceNumber"):
            target = sales_invoice_by_number(ledger, named["InvoiceNumber"])
        elif named.get(f"{name}Number"):
            target = next(iter(ledger.by_number(kind, named[f"{name}Number"])), None)
        if target is None:
            raise Refusal(message())
        return kind, target
    raise Refusal(messages.PAYMENT_TARGET_MISSING())


def check_payment_date(ledger: Ledger, kind: str, target: Body, sent: dict[str, Any]) -> list[str]:
    """A warning for a payment dated before its invoice (recorded in April 2026); refused where the ledger's ways say so."""
    if kind != "Invoices" or sent.get("Date", today(ledger)) >= target["Date"]:
        return []
    if ledger.ways.early_payment == "refused":
        raise Refusal(messages.PAYMENT_EARLY_REFUSED())
    return [messages.PAYMENT_EARLY()]


def check_payment(desk: Desk, target: Body, sent: dict[str, Any]) -> None:
    """Refuses more than is left, a document not approved or settled already, and a locked date: all of it at once."""
    together, amount = Together(), _amount(desk, sent)
    with together.also():
        check_lock_dates(desk.ledger, sent.get("Date", today(desk.ledger)))
    with together.also():
        if amount <= 0:
            raise Refusal(messages.PAYMENT_NOT_POSITIVE())
    with together.also():
        if target["Status"] != "AUTHORISED":
            raise Refusal(messages.PAYMENT_NOT_AUTHORISED())
    with together.also():
        if amount > amount_due(target):
            raise Refusal(messages.PAYMENT_TOO_LARGE())
    together.end()


def _amount(desk: Desk, sent: dict[str, Any]) -> Decimal:
    return desk.rounding.cents(sent.get("Amount", ZERO))


def record_payment(
    desk: Desk, kind: str, target: Body, account: Body, sent: dict[str, Any], batch_id: str = ""
) -> Body:
    """Books a payment against a document and settles it. Refuses what `check_payment` does."""
    ledger, day, amount = desk.ledger, sent.get("Date", today(desk.ledger)), _amount(desk, sent)
    check_payment(desk, target, sent)
    rate, bank_amount = _bank_side(desk, target, amount, sent)
    payment: Body = {
        "PaymentID": new_id(),
        "Date": day,
        "Amount": amount,
        "BankAmount": bank_amount,
        "Reference": sent.get("Reference", ""),
        "CurrencyRate": rate,
        "PaymentType": _PAYMENT_TYPES[target["Type"]],
        "Status": "AUTHORISED",
        "IsReconciled": sent.get("IsReconciled", False),
        "AccountID": account["AccountID"],
        "Target": kind,
        "TargetID": target[KINDS[kind].id],
    }
    payment |= {name: sent[name] for name in _FOR_THE_BANK if name in sent}
    if batch_id:
        payment["BatchPaymentID"] = batch_id
    ledger.save("Payments", payment)
    names = ("PaymentID", "BatchPaymentID", "Date", "Amount", "Reference", "CurrencyRate")
    target["Payments"].append({name: payment[name] for name in names if name in payment})
    settle(target)
    ledger.save(kind, target)
    return payment


def _bank_side(desk: Desk, target: Body, amount: Decimal, sent: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Rate and amount in the bank account: by what was sent, else the document's rate; 1 in the organisation's currency."""
    if target["CurrencyCode"] == organisation_of(desk.ledger)["BaseCurrency"]:
        return Decimal(1), amount
    if sent.get("BankAmount"):
        bank_amount = desk.rounding.cents(sent["BankAmount"])
        return desk.rounding.to_places(amount / bank_amount, 6), bank_amount
    rate = sent.get("CurrencyRate") or target["CurrencyRate"]
    return rate, desk.rounding.cents(amount / rate)


def remove_payment(ledger: Ledger, payment: Body) -> None:
    """Deletes a payment: it stays readable as DELETED, and what it paid is open again. A locked date refuses."""
    check_edit_by_lock_dates(ledger, payment["Date"])
    payment["Status"] = "DELETED"
    ledger.save("Payments", payment)
    target = ledger.find(payment["Target"], payment["TargetID"])
    if target is None:
        raise LookupError(f"payment {payment['PaymentID']} belongs to no document")
    target["Payments"] = [entry for entry in target["Payments"] if entry["PaymentID"] != payment["PaymentID"]]
    settle(target)
    ledger.save(payment["Target"], target)


def show_payment(desk: Desk, payment: Body, view: str = "full") -> Body:
    """A payment as Xero shows it, with the document that it belongs to as its `Invoice`."""
    whole = view in WHOLE
    shown: Body = {"PaymentID": payment["PaymentID"]}
    if batch_id := payment.get("BatchPaymentID"):
        if view == "full" and desk.ledger.ways.batch_member_id in ("batch", "lists"):
            shown["PaymentID"] = batch_id
        shown |= {"BatchPaymentID": batch_id, "BatchPayment": _short_batch(desk.ledger, batch_id)}
    shown["Date"] = xero_date(payment["Date"])
    names = ("BankAmount", "Amount", "Reference", "CurrencyRate", "PaymentType", "Status", "IsReconciled")
    shown |= {name: payment[name] for name in (*names, *_FOR_THE_BANK) if name in payment}
    shown |= {"HasAccount": True, "Account": short_account(desk.ledger, payment["AccountID"], named=whole)}
    target = desk.ledger.find(payment["Target"], payment["TargetID"]) or {}
    if payment["Target"] == "Invoices":
        shown["Invoice"] = _paid_invoice(desk, target, payment, view) if whole else _short_invoice(desk.ledger, target)
    else:
        name = payment["Target"].removesuffix("s")
        shown["Invoice"] = _credit_as_invoice(desk.ledger, target, payment["TargetID"])
        shown[name] = {f"{name}ID": payment["TargetID"], "ID": payment["TargetID"], "LineItems": []}
        if name == "CreditNote":
            shown[name]["CreditNoteNumber"] = target["CreditNoteNumber"]
    if view == "created" and not payment["Reference"]:
        del shown["Reference"]
    return shown | updated(payment["Updated"]) | {"HasValidationErrors": False}


def _paid_invoice(desk: Desk, invoice: Body, payment: Body, view: str) -> Body:
    """The invoice of one payment: with little of its contact; in the answer to a write, with its other payments (recorded)."""
    contact = desk.ledger.find("Contacts", invoice["ContactID"]) or {}
    shown = show_invoice(desk, invoice, view) | {"Contact": contact_of_paid_invoice(contact)}
    shown = {name: value for name, value in shown.items() if name not in ("HasAttachments", "Attachments")}
    if view == "created":
        others = [one for one in invoice["Payments"] if one["PaymentID"] != payment["PaymentID"]]
        shown |= {"Payments": show_payments(desk.ledger, {"Payments": others}, view)} if others else {}
    return shown


def _short_batch(ledger: Ledger, batch_id: str) -> Body:
    batch = ledger.find("BatchPayments", batch_id)
    if batch is None:  # the batch is still being made
        return {"BatchPaymentID": batch_id}
    names = ("BatchPaymentID", "Type", "Status", "TotalAmount", "IsReconciled")
    shown: Body = {"Account": {"AccountID": batch["AccountID"]}, **dated("Date", batch["Date"])}
    return (
        shown | {name: batch[name] for name in names} | {"UpdatedDateUTC": updated(batch["Updated"])["UpdatedDateUTC"]}
    )


def _short_invoice(ledger: Ledger, invoice: Body) -> Body:
    contact = ledger.find("Contacts", invoice["ContactID"]) or {}
    return {
        "Type": invoice["Type"],
        "InvoiceID": invoice["InvoiceID"],
        "InvoiceNumber": invoice["InvoiceNumber"],
        **EMPTY_INVOICE,
        "Contact": contact_in_list(contact, numbered=True),
        "CurrencyCode": invoice["CurrencyCode"],
    }


def _credit_as_invoice(ledger: Ledger, credit: Body, credit_id: str) -> Body:
    contact = ledger.find("Contacts", credit["ContactID"]) or {}
    return {
        "Type": _SHOWN_TYPES.get(credit["Type"], credit["Type"]),
        "InvoiceID": credit_id,
        "InvoiceNumber": credit.get("CreditNoteNumber", ""),
        **EMPTY_INVOICE,
        "Contact": contact_in_list(contact, numbered=True),
        "CurrencyCode": credit["CurrencyCode"],
    }
