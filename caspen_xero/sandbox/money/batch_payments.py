"""Batch payments: one amount in the bank for many invoices. A batch is made and deleted as a whole."""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.arithmetic import ZERO
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, FLAG, ID, NUMBER, WORD, Fields, Many, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.wire import NOWHERE, dated, new_id, updated
from caspen_xero.sandbox.money.payments import check_payment_date, record_payment, remove_payment
from caspen_xero.sandbox.organisation.accounts import ACCOUNT_OF, payment_account, short_account
from caspen_xero.sandbox.organisation.organisations import organisation_of, today
from caspen_xero.sandbox.sales.documents import EMPTY_INVOICE
from caspen_xero.sandbox.sales.invoices import INVOICE_OF, named_invoice

_TEXTS = {"Particulars": Text(12), "Code": Text(12), "Details": Text(18), "Narrative": Text(18)}
BATCH_FIELDS: Fields = {
    "BatchPaymentID": ID,
    "Account": ACCOUNT_OF,
    "Reference": Text(255),
    **_TEXTS,
    "Date": DATE,
    "Amount": NUMBER,
    "IsReconciled": FLAG,
    "Status": WORD,
    "Payments": Many(
        {
            "Invoice": INVOICE_OF,
            "Amount": NUMBER,
            "BankAccountNumber": Text(),
            "Particulars": Text(12),
            "Code": Text(12),
            "Details": Text(18),
            "Reference": Text(255),
        }
    ),
}


def put_batch(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """PUT: all payments of the batch, or none."""
    if problems := too_long(sent, BATCH_FIELDS):
        raise Refusal(*problems)
    if not sent.get("Payments"):
        raise Refusal(messages.BATCH_EMPTY())
    ledger = desk.ledger
    account = payment_account(ledger, sent.get("Account"))
    invoices = [named_invoice(ledger, member.get("Invoice", {})) for member in sent["Payments"]]
    if len({invoice["Type"] for invoice in invoices}) > 1:
        raise Refusal(messages.BATCH_MIXED())
    batch: Body = {
        "BatchPaymentID": new_id(),
        "AccountID": account["AccountID"],
        "Reference": sent.get("Reference", ""),
        "Date": sent.get("Date", today(ledger)),
        "Type": "RECBATCH" if invoices[0]["Type"] == "ACCREC" else "PAYBATCH",
        "Status": "AUTHORISED",
        "IsReconciled": sent.get("IsReconciled", False),
    }
    batch |= {name: sent[name] for name in _TEXTS if name in sent}
    payments, warnings, together = [], [], Together()
    for member, invoice in zip(sent["Payments"], invoices, strict=True):
        details = {"Reference": batch["Reference"]} | member
        details |= {"Date": batch["Date"], "IsReconciled": says_so(ledger, batch["IsReconciled"])}
        with together.also():
            warnings += check_payment_date(ledger, "Invoices", invoice, details)
        with together.also():
            payments.append(record_payment(desk, "Invoices", invoice, account, details, batch["BatchPaymentID"]))
    together.end()
    batch["PaymentIDs"] = [payment["PaymentID"] for payment in payments]
    batch["TotalAmount"] = sum((payment["Amount"] for payment in payments), ZERO)
    ledger.save("BatchPayments", batch)
    return batch, list(dict.fromkeys(warnings))


def says_so(ledger: Ledger, reconciled: bool) -> bool:
    """What the members of a batch say of its being reconciled."""
    return reconciled and ledger.ways.batch_reconciled == "members-too"


def post_batch(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """POST: deletes a batch and all its payments; nothing else of a batch can change."""
    batch_id = sent.get("BatchPaymentID", NOWHERE)
    batch = desk.ledger.find("BatchPayments", batch_id)
    if batch is None:
        raise Refusal(messages.DOCUMENT_NOT_FOUND(), shown={"BatchPaymentID": batch_id})
    standing: Body = {"BatchPaymentID": batch["BatchPaymentID"]}
    if set(sent) - {"BatchPaymentID", "Status"} or sent.get("Status") != "DELETED":
        raise Refusal(messages.PAYMENT_ONLY_STATUS(), shown=standing)
    if batch["Status"] == "DELETED":
        raise Refusal(messages.BATCH_NOT_VALID_FOR_CHANGE(), shown=standing)
    if batch["IsReconciled"]:  # UNCONFIRMED: that Xero refuses
        raise Refusal(messages.BATCH_RECONCILED(), shown=standing)
    for payment_id in batch["PaymentIDs"]:
        payment = desk.ledger.find("Payments", payment_id)
        if payment is not None:
            remove_payment(desk.ledger, payment)
    batch["Status"] = "DELETED"
    desk.ledger.save("BatchPayments", batch)
    return batch, []


def show_batch(desk: Desk, batch: Body, view: str = "full") -> Body:
    """A batch with its members: the payment's id and amount, and the invoice by its id only.

    The answer to deleting one names no members any more (the OpenAPI's example).
    """
    account = short_account(desk.ledger, batch["AccountID"])
    account |= {"CurrencyCode": _currency_of(desk.ledger, batch["AccountID"])}
    shown: Body = {"Account": account}
    names = ("Reference", *_TEXTS, "BatchPaymentID", "Type", "Status", "TotalAmount", "IsReconciled")
    shown |= {name: batch[name] for name in names if name in batch} | dated("Date", batch["Date"])
    members = [] if view == "created" and batch["Status"] == "DELETED" else batch["PaymentIDs"]
    shown["Payments"] = [_show_member(desk.ledger, payment_id) for payment_id in members]
    return shown | {"UpdatedDateUTC": updated(batch["Updated"])["UpdatedDateUTC"]}


def _currency_of(ledger: Ledger, account_id: str) -> str:
    account = ledger.find("Accounts", account_id) or {}
    return str(account.get("CurrencyCode") or organisation_of(ledger)["BaseCurrency"])


def _show_member(ledger: Ledger, payment_id: str) -> Body:
    payment = ledger.find("Payments", payment_id) or {}
    invoice = ledger.find("Invoices", payment["TargetID"]) or {}
    shown: Body = {"InvoiceID": invoice["InvoiceID"], "CurrencyCode": invoice["CurrencyCode"]}
    return {
        "Invoice": shown | EMPTY_INVOICE,
        "PaymentID": payment_id,
        "Amount": payment["Amount"],
        "BankAmount": payment["BankAmount"],
    }
