"""Bank transactions, as far as overpayments and prepayments need them, and these two.

An overpayment is money beyond what was owed, and stands on the debtors' account without tax; a prepayment is money in
advance, with lines and tax like an invoice's. Both have the id of the bank transaction that made them (as the addresses
in Xero's examples show).
"""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, FLAG, ID, NUMBER, WORD, Fields, Many, One, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.resource import WHOLE
from caspen_xero.sandbox.books.wire import NOWHERE, dated, new_id, updated
from caspen_xero.sandbox.contacts.contacts import CONTACT_FIELDS, contact_for_document
from caspen_xero.sandbox.contacts.views import contact_in_document, contact_in_list
from caspen_xero.sandbox.organisation.accounts import ACCOUNT_OF, named_account, short_account
from caspen_xero.sandbox.organisation.currencies import check_currency, currency_rate
from caspen_xero.sandbox.organisation.organisations import (
    check_edit_by_lock_dates,
    check_lock_dates,
    organisation_of,
    today,
)
from caspen_xero.sandbox.organisation.themes import branding_theme
from caspen_xero.sandbox.sales.documents import show_allocations, show_lines, show_payments
from caspen_xero.sandbox.sales.lines import LINE_FIELDS, LineRules, build_lines, document_totals, read_line_amount_types
from caspen_xero.sandbox.sales.settlement import amount_due, has_dealings

BANK_FIELDS: Fields = {
    "BankTransactionID": ID,
    "Type": WORD,
    "Contact": One(CONTACT_FIELDS),
    "LineItems": Many(LINE_FIELDS),
    "BankAccount": ACCOUNT_OF,
    "IsReconciled": FLAG,
    "Date": DATE,
    "Reference": Text(255),
    "Url": Text(),
    "CurrencyCode": WORD,
    "CurrencyRate": NUMBER,
    "Status": WORD,
    "LineAmountTypes": WORD,
    "SubTotal": NUMBER,
    "TotalTax": NUMBER,
    "Total": NUMBER,
}
CREDIT_KINDS = {
    "RECEIVE-OVERPAYMENT": "Overpayments",
    "SPEND-OVERPAYMENT": "Overpayments",
    "RECEIVE-PREPAYMENT": "Prepayments",
    "SPEND-PREPAYMENT": "Prepayments",
}
TYPES = ("RECEIVE", "SPEND", *CREDIT_KINDS)


def put_bank_transaction(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """PUT: money received or spent; with the types of CREDIT_KINDS also an overpayment or a prepayment."""
    ledger, together = desk.ledger, Together()
    if sent.get("Type") not in TYPES:
        raise Refusal(messages.TYPE_NOT_VALID(value=sent.get("Type", "")))
    if sent.get("Status", "AUTHORISED") != "AUTHORISED":
        raise Refusal(messages.NOT_VALID_FOR_CREATION(document="Bank transaction"))
    transaction: Body = {
        "BankTransactionID": new_id(),
        "Type": sent["Type"],
        "Date": sent.get("Date", today(ledger)),
        "Reference": sent.get("Reference", ""),
        "IsReconciled": sent.get("IsReconciled", False),
        "Status": "AUTHORISED",
    } | {name: sent[name] for name in ("Url",) if name in sent}
    with together.also():
        if problems := too_long(sent, BANK_FIELDS):
            raise Refusal(*problems)
    with together.also():
        transaction |= _account_and_currency(ledger, sent)
    with together.also():
        transaction["ContactID"] = contact_for_document(ledger, sent.get("Contact"))["ContactID"]
    with together.also():
        transaction |= _money(desk, sent)
    with together.also():
        check_lock_dates(ledger, transaction["Date"])
    together.end()
    ledger.save("BankTransactions", transaction)
    if kind := CREDIT_KINDS.get(transaction["Type"]):
        ledger.save(kind, _credit(ledger, kind, transaction))
    return transaction, []


def _account_and_currency(ledger: Ledger, sent: dict[str, Any]) -> Body:
    account = _bank_account(ledger, sent.get("BankAccount"))
    currency = str(sent.get("CurrencyCode", account.get("CurrencyCode", organisation_of(ledger)["BaseCurrency"])))
    check_currency(ledger, currency)
    rate = currency_rate(ledger, currency, sent.get("CurrencyRate"))
    return {"AccountID": account["AccountID"], "CurrencyCode": currency, "CurrencyRate": rate}


def _bank_account(ledger: Ledger, sent: dict[str, Any] | None) -> Body:
    if not sent:
        raise Refusal(messages.BANK_ACCOUNT_MISSING())
    account = named_account(ledger, sent)
    if account is None or account["Type"] != "BANK" or account["Status"] != "ACTIVE":
        raise Refusal(messages.BANK_ACCOUNT_NOT_VALID())
    return account


def _money(desk: Desk, sent: dict[str, Any]) -> Body:
    """Lines and totals; the tax is inside the amounts unless it is said otherwise (April 2026)."""
    if not sent.get("LineItems"):
        raise Refusal(messages.LINES_MISSING())
    over = CREDIT_KINDS.get(sent["Type"]) == "Overpayments"
    types = "NoTax" if over else read_line_amount_types(sent.get("LineAmountTypes", "Inclusive"))
    # An overpayment's line needs no account: there is only one that it can stand on.
    rules = LineRules(
        desk.ledger, desk.rounding, desk.unit_places, types, complete=not over, discounts=False, control_accounts=over
    )
    lines = build_lines(rules, sent["LineItems"], [])
    amounts = document_totals(lines, types)
    if "Total" in sent and desk.rounding.cents(sent["Total"]) != amounts.total:
        raise Refusal(messages.TOTAL_NOT_SUM())
    if amounts.total <= 0:
        raise Refusal(messages.TOTAL_NEGATIVE())
    totals = {"SubTotal": amounts.subtotal, "TotalTax": amounts.tax, "Total": amounts.total}
    return {"LineAmountTypes": types, "LineItems": lines, **totals}


def _credit(ledger: Ledger, kind: str, transaction: Body) -> Body:
    names = ("Type", "ContactID", "Date", "Reference", "Status", "CurrencyCode", "CurrencyRate", "LineAmountTypes")
    amounts = ("LineItems", "SubTotal", "TotalTax", "Total")
    credit: Body = {name: transaction[name] for name in (*names, *amounts)}
    credit |= {"Payments": [], "Allocations": [], "BrandingThemeID": branding_theme(ledger)}
    return credit | {f"{kind.removesuffix('s')}ID": transaction["BankTransactionID"]}


def post_bank_transaction(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """POST: creates, or with an id deletes (`Status` DELETED). Other edits are knowingly left out."""
    transaction_id = sent.get("BankTransactionID", NOWHERE)
    if transaction_id == NOWHERE:
        return put_bank_transaction(desk, sent)
    transaction = desk.ledger.find("BankTransactions", transaction_id)
    if transaction is None:
        raise Refusal(messages.DOCUMENT_NOT_FOUND())
    standing = show_bank_transaction(desk, transaction, "list")
    if sent.get("Status") != "DELETED" or transaction["Status"] != "AUTHORISED":
        raise Refusal(messages.BANK_TRANSACTION_NOT_VALID_FOR_CHANGE(), shown=standing)
    check_edit_by_lock_dates(desk.ledger, transaction["Date"])
    kind = CREDIT_KINDS.get(transaction["Type"], "")
    if credit := desk.ledger.find(kind, transaction_id):
        if has_dealings(credit):
            raise Refusal(messages.BANK_TRANSACTION_IN_USE(), shown=standing)
        credit["Status"] = "VOIDED"
        desk.ledger.save(kind, credit)
    transaction["Status"] = "DELETED"
    desk.ledger.save("BankTransactions", transaction)
    return transaction, []


def show_bank_transaction(desk: Desk, transaction: Body, view: str = "full") -> Body:
    contact = desk.ledger.find("Contacts", transaction["ContactID"]) or {}
    names = ("BankTransactionID", "Type", "Reference", "IsReconciled", "CurrencyRate", "Status", "LineAmountTypes")
    shown: Body = {name: transaction[name] for name in (*names, "SubTotal", "TotalTax", "Total", "CurrencyCode")}
    shown |= {name: transaction[name] for name in ("Url",) if name in transaction}
    if kind := CREDIT_KINDS.get(transaction["Type"]):
        shown[f"{kind.removesuffix('s')}ID"] = transaction["BankTransactionID"]
    shown |= {
        "BankAccount": short_account(desk.ledger, transaction["AccountID"], named=True),
        "Contact": contact_in_document(contact, view) if view in WHOLE else contact_in_list(contact, numbered=True),
        "LineItems": [] if view == "list" else show_lines(desk, transaction, checked=view in WHOLE),
        "UpdatedDateUTC": updated(transaction["Updated"])["UpdatedDateUTC"],
    }
    if view != "created":
        shown |= {"HasAttachments": False} | ({"Attachments": []} if view == "full" else {})
        if transaction["CurrencyRate"] == 1:  # recorded in the answers to writes alone; of other currencies UNCONFIRMED
            del shown["CurrencyRate"]
    return shown | dated("Date", transaction["Date"])


def show_overpayment(desk: Desk, credit: Body, view: str = "full") -> Body:
    return {"OverpaymentID": credit["OverpaymentID"], "ID": credit["OverpaymentID"]} | _show_credit(desk, credit, view)


def show_prepayment(desk: Desk, credit: Body, view: str = "full") -> Body:
    shown: Body = {"PrepaymentID": credit["PrepaymentID"], "ID": credit["PrepaymentID"]}
    shown |= {"BrandingThemeID": credit["BrandingThemeID"], "InvoiceNumber": credit["Reference"]}
    return shown | _show_credit(desk, credit, view)


def _show_credit(desk: Desk, credit: Body, view: str) -> Body:
    contact = desk.ledger.find("Contacts", credit["ContactID"]) or {}
    names = (
        "Type",
        "Reference",
        "CurrencyRate",
        "Status",
        "LineAmountTypes",
        "SubTotal",
        "TotalTax",
        "Total",
        "CurrencyCode",
    )
    shown: Body = {name: credit[name] for name in names}
    shown |= {
        "RemainingCredit": amount_due(credit),
        "Allocations": show_allocations(desk.ledger, credit),
        "Payments": show_payments(desk.ledger, credit, view),
        "HasAttachments": False,
        "Contact": contact_in_document(contact, view),
        "LineItems": [] if view == "list" else show_lines(desk, credit),
    }
    return shown | dated("Date", credit["Date"]) | updated(credit["Updated"])
