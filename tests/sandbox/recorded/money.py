"""The situations of payments, bank transactions, settings, and of what stands around the elements of an answer."""

from __future__ import annotations

import json
from typing import Any

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.bookkeeper import Bookkeeper, Element
from tests.sandbox.recorded.books import FULL, TRACKED, Situations, many_invoices, written
from tests.sandbox.signing_in import App

MONEY = Situations()


def of_type(elements: list[Element], kind: str) -> list[Element]:
    return [element for element in elements if kind in (element.get("Type"), element.get("PaymentType"))]


# --- payments


@MONEY.of("payment.created")
def _payment_created(b: Bookkeeper) -> list[Element]:
    lines = b.line(100, ItemCode="ITEM", Tracking=[TRACKED])
    invoice = b.invoice(lines, Reference="CP-1", SentToContact=True)
    return written(b, "PUT", "Payments", b.payment(invoice, 1, Date="2026-09-01"))


@MONEY.of("payment.deleted")
def _payment_deleted(b: Bookkeeper) -> list[Element]:
    invoice = b.invoice(b.line(100), Reference="CP-1")
    gone, *_ = [b.pay(invoice, 1), b.pay(invoice, 2), b.pay(invoice, 3, Reference="EFTPOS 1")]
    return written(b, "POST", f"Payments/{gone['PaymentID']}", {"Status": "DELETED"})


@MONEY.of("payment.by_id")
def _payment_by_id(b: Bookkeeper) -> list[Element]:
    invoice = b.invoice(b.line(100, ItemCode="ITEM"), Reference="CP-1")
    member = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": invoice["Total"]}
    b.put("BatchPayments", {"Account": {"Code": b.bank}, "Date": "2026-09-15", "Payments": [member]})
    return [b.read("Payments", b.list("Payments")[0]["PaymentID"])]


@MONEY.of("payment.in_page")
def _payments_in_page(b: Bookkeeper) -> list[Element]:
    many_invoices(b)
    return b.list("Payments", page="1")


@MONEY.of("payment.in_list")
def _payments_in_list(b: Bookkeeper) -> list[Element]:
    many_invoices(b)
    return b.list("Payments")


# --- money in the bank


def spent(b: Bookkeeper, **fields: Any) -> Element:
    line = {"Description": "Supplies", "Quantity": 1, "UnitAmount": 20, "AccountCode": "445"}
    usual: Element = {"Type": "SPEND", "Contact": {"Name": "Jo Low (Caspen 2)"}, "BankAccount": {"Code": b.bank}}
    return usual | {"Date": "2026-09-16", "Reference": "CP-1", "LineItems": [line]} | fields


@MONEY.of("bank_transaction.created")
def _spent_created(b: Bookkeeper) -> list[Element]:
    return written(b, "PUT", "BankTransactions", spent(b))


@MONEY.of("bank_transaction.by_id")
def _spent_by_id(b: Bookkeeper) -> list[Element]:
    return [b.read("BankTransactions", b.put("BankTransactions", spent(b))["BankTransactionID"])]


@MONEY.of("bank_transaction.in_page")
def _spent_in_page(b: Bookkeeper) -> list[Element]:
    tracked = [spent(b)["LineItems"][0] | {"Tracking": [TRACKED]}]
    full = {"ContactID": b.contact("Mo Low (Caspen 3)", **FULL)}
    for fields in ({"Reference": None}, {"LineItems": tracked}, {"Contact": full}):
        b.put("BankTransactions", {name: value for name, value in spent(b, **fields).items() if value is not None})
    return b.list("BankTransactions", page="1")


# --- settings


@MONEY.of("connection")
def _connections(b: Bookkeeper) -> list[Element]:
    with Sandbox(auto_approve=True) as box:
        app = App(box.url)
        app.sign_in()
        found: list[Element] = app.http.get("/connections").json()
        app.http.close()
    return found


@MONEY.of("bank_account.in_list")
def _bank_accounts(b: Bookkeeper) -> list[Element]:
    return of_type(b.list("Accounts"), "BANK")


@MONEY.of("account.in_list")
def _accounts(b: Bookkeeper) -> list[Element]:
    return [account for account in b.list("Accounts") if account["Type"] != "BANK"]


@MONEY.of("bank_account.by_id")
def _bank_account_by_id(b: Bookkeeper) -> list[Element]:
    return [b.read("Accounts", account["AccountID"]) for account in of_type(b.list("Accounts"), "BANK")]


@MONEY.of("account.created")
def _account_created(b: Bookkeeper) -> list[Element]:
    return written(b, "PUT", "Accounts", {"Code": "X1", "Name": "Extra", "Type": "REVENUE"})


@MONEY.of("account.updated")
def _account_updated(b: Bookkeeper) -> list[Element]:
    made = b.put("Accounts", {"Code": "X1", "Name": "Extra", "Type": "REVENUE"})
    return written(b, "POST", "Accounts", {"AccountID": made["AccountID"], "Description": "More"})


@MONEY.of("organisation")
def _organisation(b: Bookkeeper) -> list[Element]:
    b.change(PeriodLockDate="2020-06-30")
    return b.page("Organisation")["Organisations"]  # type: ignore[no-any-return]


@MONEY.of("tax_rate")
def _tax_rates(b: Bookkeeper) -> list[Element]:
    return b.list("TaxRates")


# --- what stands around the elements


@MONEY.of("envelope.of_a_page")
def _pages(b: Bookkeeper) -> list[Element]:
    kinds = ("Invoices", "Contacts", "CreditNotes", "Payments", "BankTransactions")
    return [without_elements(b.page(kind, page="1")) for kind in kinds]


@MONEY.of("envelope")
def _envelopes(b: Bookkeeper) -> list[Element]:
    lists = ("Invoices", "Contacts", "CreditNotes", "Payments", "Accounts", "TaxRates", "Organisation")
    answer = b.ask("PUT", "Contacts", {"Contacts": [{"Name": "Jo"}]})
    pages = [*map(b.page, lists), b.page("Accounts", page="1"), json.loads(answer.body)]
    return [without_elements(page) for page in pages]


def without_elements(page: Element) -> Element:
    return {name: value for name, value in page.items() if not isinstance(value, list)}
