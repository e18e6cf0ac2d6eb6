"""Messages about payments, batches, allocations and bank transactions."""

from __future__ import annotations

from caspen_xero.sandbox.books import messages as m
from tests.sandbox.bookkeeper import Bookkeeper, Element
from tests.sandbox.provocations import provokes
from tests.sandbox.provoked_by_documents import ELSEWHERE

DELETE: Element = {"Status": "DELETED"}


def pay(b: Bookkeeper, invoice: Element, amount: object = 1, **fields: object) -> list[str]:
    return b.refused("PUT", "Payments", b.payment(invoice, amount, **fields))


def batch(b: Bookkeeper, *invoices: Element, **fields: object) -> Element:
    members = [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 1} for invoice in invoices]
    return {"Account": {"Code": "090"}, "Date": "2026-09-15", "Payments": members} | fields


def share(b: Bookkeeper, note: Element, invoice: Element, amount: object) -> list[str]:
    return b.refused("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", b.share(invoice, amount))


@provokes(m.PAYMENT_TOO_LARGE, "Payment amount exceeds the amount outstanding on this document")
def paying_more_than_is_due(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.pay(invoice, 100)
    return pay(b, invoice, "10.01")


@provokes(m.PAYMENT_EARLY, "The payment date is prior to the invoice date.")
def paying_before_the_invoice(b: Bookkeeper) -> list[str]:
    taken = b.pay(b.invoice(), 1, Date="2026-09-13")
    assert taken["StatusAttributeString"] == "WARNING"
    return [warning["Message"] for warning in taken["Warnings"]]


@provokes(m.PAYMENT_EARLY_REFUSED, "The payment date cannot be before the invoice date")
def paying_before_the_invoice_where_that_is_refused(_: Bookkeeper) -> list[str]:
    b = Bookkeeper(early_payment="refused")
    return pay(b, b.invoice(), Date="2026-09-13")


@provokes(m.PAYMENT_NOT_POSITIVE, "Payment amount must be greater than zero")
def paying_nothing(b: Bookkeeper) -> list[str]:
    return pay(b, b.invoice(), 0)


@provokes(m.PAYMENT_NOT_AUTHORISED, "Payments can only be made against Authorised documents")
def paying_a_draft(b: Bookkeeper) -> list[str]:
    return pay(b, b.invoice(Status="DRAFT"))


@provokes(m.PAYMENT_TARGET_MISSING, "A document must be specified for this payment")
def paying_into_the_void(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "Payments", {"Account": {"Code": "090"}, "Amount": 1})


@provokes(m.PAYMENT_ONLY_STATUS, "Only Status accepted for updates.")
def editing_a_payment(b: Bookkeeper) -> list[str]:
    payment = b.pay(b.invoice(), 10)
    return b.refused("POST", f"Payments/{payment['PaymentID']}", {"Amount": 11})


@provokes(m.PAYMENT_NOT_VALID_FOR_CHANGE, "Payment not of valid status for modification")
def deleting_a_payment_twice(b: Bookkeeper) -> list[str]:
    payment = b.pay(b.invoice(), 10)
    b.post(f"Payments/{payment['PaymentID']}", DELETE)
    return b.refused("POST", f"Payments/{payment['PaymentID']}", DELETE)


@provokes(m.PAYMENT_RECONCILED, "The payment cannot be deleted as it has been reconciled")
def deleting_a_reconciled_payment(b: Bookkeeper) -> list[str]:
    payment = b.pay(b.invoice(), 10, IsReconciled=True)
    return b.refused("POST", f"Payments/{payment['PaymentID']}", DELETE)


@provokes(m.PAYMENT_IN_BATCH, "Payments within a batch cannot be deleted.")
def deleting_one_of_a_batch(b: Bookkeeper) -> list[str]:
    member = b.put("BatchPayments", batch(b, b.invoice()))["Payments"][0]
    return b.refused("POST", f"Payments/{member['PaymentID']}", DELETE)


@provokes(m.ACCOUNT_NOT_FOUND, "Account could not be found")
def paying_into_an_unknown_account(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.api.archive_account(b.tenant, "091")
    assert pay(b, invoice, Account={"Code": "091"}) == pay(b, invoice, Account={"Code": "777"})
    return pay(b, invoice, Account={"AccountID": ELSEWHERE})


@provokes(m.PAYMENT_ACCOUNT_MISSING, "You must specify an Account code or Account ID for the payment")
def paying_into_no_account(b: Bookkeeper) -> list[str]:
    assert pay(b, b.invoice(), Account={"Code": ""}) == pay(b, b.invoice(), Account=None)
    return pay(b, b.invoice(), Account=None)


@provokes(
    m.ACCOUNT_NOT_PAYABLE, "Account type is invalid for a payment. It must be a bank account or have payments enabled"
)
def paying_into_sales(b: Bookkeeper) -> list[str]:
    return pay(b, b.invoice(), Account={"Code": "200"})


@provokes(m.BATCH_NOT_VALID_FOR_CHANGE, "Batch payment not of valid status for modification")
def deleting_a_batch_twice(b: Bookkeeper) -> list[str]:
    made = b.put("BatchPayments", batch(b, b.invoice()))
    wish = DELETE | {"BatchPaymentID": made["BatchPaymentID"]}
    b.post("BatchPayments", wish)
    return b.refused("POST", "BatchPayments", wish)


@provokes(m.BATCH_RECONCILED, "The batch payment cannot be deleted as it has been reconciled")
def deleting_a_reconciled_batch(b: Bookkeeper) -> list[str]:
    made = b.put("BatchPayments", batch(b, b.invoice()))
    b.api.reconcile_payment(b.tenant, made["Payments"][0]["PaymentID"])
    return b.refused("POST", f"BatchPayments/{made['BatchPaymentID']}", DELETE)


@provokes(m.BATCH_MIXED, "A batch payment must be for documents of one type")
def a_batch_in_and_out(b: Bookkeeper) -> list[str]:
    bill = b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY")
    return b.refused("PUT", "BatchPayments", batch(b, b.invoice(), bill))


@provokes(m.BATCH_EMPTY, "A batch payment must contain at least one payment")
def a_batch_of_nothing(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "BatchPayments", batch(b))


# allocations


@provokes(m.ALLOCATION_TOO_LARGE, "Credit Note cannot be allocated as amount is greater than amount outstanding")
def allocating_more_than_the_credit_holds(b: Bookkeeper) -> list[str]:
    note, large = b.credit_note(b.line(10)), b.invoice()
    small = b.invoice(b.line(1))
    assert share(b, note, small, 2) == share(b, note, large, 12)
    return share(b, note, large, 12)


@provokes(m.ALLOCATION_ALREADY_PAID, "The invoice you are trying to allocate to has already been paid off")
def allocating_to_a_paid_invoice(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.pay(invoice, 110)
    return share(b, b.credit_note(), invoice, 1)


@provokes(m.ALLOCATION_WRONG_TYPE, "Credit Note cannot be allocated to an incorrect invoice type")
def allocating_to_a_bill(b: Bookkeeper) -> list[str]:
    bill = b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY")
    return share(b, b.credit_note(), bill, 1)


@provokes(m.ALLOCATION_NOT_AUTHORISED, "Credit Note must be authorised before it can be allocated")
def allocating_a_draft(b: Bookkeeper) -> list[str]:
    return share(b, b.credit_note(Status="DRAFT"), b.invoice(), 1)


@provokes(m.ALLOCATION_INVOICE_NOT_AUTHORISED, "The invoice you are trying to allocate to is not authorised")
def allocating_to_a_draft(b: Bookkeeper) -> list[str]:
    return share(b, b.credit_note(), b.invoice(Status="DRAFT"), 1)


@provokes(m.ALLOCATION_OTHER_CONTACT, "Credit Note can only be allocated to invoices of the same contact")
def allocating_to_a_strangers_invoice(b: Bookkeeper) -> list[str]:
    return share(b, b.credit_note(), b.invoice(Contact={"Name": "A stranger"}), 1)


@provokes(m.ALLOCATION_NOT_POSITIVE, "The allocation amount must be greater than zero")
def allocating_nothing(b: Bookkeeper) -> list[str]:
    return share(b, b.credit_note(), b.invoice(), 0)


@provokes(m.DOCUMENT_NOT_FOUND, "The document with the supplied id was not found for this endpoint.")
def refunding_no_overpayment(b: Bookkeeper) -> list[str]:
    wish = {"Overpayment": {"OverpaymentID": ELSEWHERE}, "Account": {"Code": "090"}, "Amount": 1}
    return b.refused("PUT", "Payments", wish)


# the bank


def bank(b: Bookkeeper, **fields: object) -> list[str]:
    usual = {"Type": "RECEIVE", "Contact": {"Name": "Jo"}, "BankAccount": {"Code": "090"}, "LineItems": [b.line()]}
    return b.refused("PUT", "BankTransactions", usual | fields)


@provokes(m.BANK_ACCOUNT_MISSING, "A BankAccount must be specified for this type of transaction")
def receiving_nowhere(b: Bookkeeper) -> list[str]:
    return bank(b, BankAccount=None)


@provokes(m.BANK_ACCOUNT_NOT_VALID, "The BankAccount is not an active bank account")
def receiving_on_a_clearing_account(b: Bookkeeper) -> list[str]:
    return bank(b, BankAccount={"Code": "855"})


@provokes(m.BANK_TRANSACTION_IN_USE, "The transaction cannot be deleted as it has been allocated or refunded")
def deleting_an_overpayment_in_use(b: Bookkeeper) -> list[str]:
    over_id = b.receive("RECEIVE-OVERPAYMENT", 5)["OverpaymentID"]
    b.allocate(f"Overpayments/{over_id}", b.invoice(), 5)
    return b.refused("POST", f"BankTransactions/{over_id}", DELETE)


@provokes(m.BANK_TRANSACTION_NOT_VALID_FOR_CHANGE, "Bank transaction not of valid status for modification")
def editing_a_bank_transaction(b: Bookkeeper) -> list[str]:
    made = b.receive("RECEIVE", 5)
    return b.refused("POST", f"BankTransactions/{made['BankTransactionID']}", {"Reference": "x"})
