"""The chart of accounts: showing, adding, changing and archiving accounts, and which of them take payments."""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import FLAG, ID, WORD, Choice, Fields, One, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.wire import NOWHERE, new_id, xero_time
from caspen_xero.sandbox.organisation.charts import CLASSES
from caspen_xero.sandbox.organisation.countries import COUNTRIES
from caspen_xero.sandbox.organisation.currencies import CURRENCY_NAMES
from caspen_xero.sandbox.organisation.organisations import organisation_of

ACCOUNT_FIELDS: Fields = {
    "AccountID": ID,
    "Code": Text(10),
    "Name": Text(150),
    "Type": WORD,
    "Status": Choice(frozenset({"ACTIVE", "ARCHIVED", "DELETED"})),
    "Description": Text(4000),
    "BankAccountNumber": Text(),
    "BankAccountType": Choice(frozenset({"BANK", "CREDITCARD", "PAYPAL", "NONE", ""})),
    "CurrencyCode": Choice(frozenset(CURRENCY_NAMES)),
    "TaxType": WORD,
    "EnablePaymentsToAccount": FLAG,
    "ShowInExpenseClaims": FLAG,
}
ACCOUNT_OF = One({"AccountID": ID, "Code": Text()})
"""How a payment or a bank transaction names an account."""

# The reporting code of each class (recorded answers show the one of assets, the OpenAPI examples that of expenses).
_REPORTING = {
    "ASSET": ("ASS", "Assets"),
    "EQUITY": ("EQU", "Equity"),
    "EXPENSE": ("EXP", "Expense"),
    "LIABILITY": ("LIA", "Liabilities"),
    "REVENUE": ("REV", "Revenue"),
}


def show_account(_desk: Desk, account: Body, view: str) -> Body:
    """An account; where it is read, each has a BankAccountType, and by its id attachments (recorded answers)."""
    shown = {name: value for name, value in account.items() if name != "Updated"}
    if view != "created":
        shown = {"BankAccountType": ""} | shown | {"HasAttachments": False}
        shown |= {"Attachments": []} if view == "full" else {}
    return shown | {
        "ReportingCode": _REPORTING[account["Class"]][0],
        "ReportingCodeName": _REPORTING[account["Class"]][1],
        "UpdatedDateUTC": xero_time(account["Updated"]),
        "AddToWatchlist": False,
    }


def put_account(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """A new account: Name and Type, a Code unless it is a bank account, which has a BankAccountNumber instead."""
    bank = sent.get("Type") == "BANK"
    problems = [
        messages.ACCOUNT_FIELD_MISSING(field=name)
        for name in ("Name", "Type", *(() if bank else ("Code",)))
        if not sent.get(name)
    ]
    if problems:
        raise Refusal(*problems)
    if sent["Type"] not in CLASSES:
        raise Refusal(messages.TYPE_NOT_VALID(value=sent["Type"]))
    organisation = organisation_of(desk.ledger)
    account: Body = {
        "AccountID": new_id(),
        "Status": "ACTIVE",
        "TaxType": usual_tax_type(organisation["CountryCode"], sent["Type"]),
        "Type": sent["Type"],
        "Class": CLASSES[sent["Type"]],
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
    }
    if bank:
        account |= {"BankAccountType": "BANK", "CurrencyCode": organisation["BaseCurrency"]}
    return _take(desk.ledger, account, {name: value for name, value in sent.items() if name != "AccountID"}), []


def usual_tax_type(country: str, type_: str) -> str:
    """What an account of that type is taxed with unless it is said otherwise (April 2026, of an expense).

    As the chart's first account of its type is, else of its class (UNCONFIRMED).
    """
    chart = COUNTRIES[country].accounts
    alike = [account for account in chart if account.type == type_]
    alike += [
        account for account in chart if account.type == CLASSES[type_]
    ]  # REVENUE, EXPENSE: as their class is called
    return alike[0].tax_type if alike else COUNTRIES[country].no_tax


def post_account(desk: Desk, sent: dict[str, Any]) -> tuple[Body, list[str]]:
    """Changes an account, or archives it (`Status` ARCHIVED). System accounts stay as they are."""
    account = desk.ledger.find("Accounts", sent.get("AccountID", NOWHERE))
    if account is None:
        raise Refusal(messages.ACCOUNT_NOT_FOUND())
    if account.get("SystemAccount"):
        raise Refusal(messages.ACCOUNT_IS_SYSTEM())
    return _take(desk.ledger, account, {name: value for name, value in sent.items() if name != "Type"}), []


def delete_account(desk: Desk, account: Body) -> Body:
    """Deletes an account that is neither the system's nor a bank account (those are archived, Xero's Accounts page)."""
    if account.get("SystemAccount") or account["Type"] == "BANK":
        raise Refusal(messages.ACCOUNT_IS_SYSTEM())
    account["Status"] = "DELETED"
    desk.ledger.save("Accounts", account)
    return show_account(desk, account, "full")


def _take(ledger: Ledger, account: Body, sent: dict[str, Any]) -> Body:
    problems, anew = too_long(sent, ACCOUNT_FIELDS), account | sent
    if anew["Type"] == "BANK" and not anew.get("BankAccountNumber"):
        problems.append(messages.BANK_ACCOUNT_NUMBER_MISSING())
    for name, taken, message in (
        ("Code", ledger.by_number, messages.ACCOUNT_CODE_TAKEN),
        ("Name", ledger.by_name, messages.ACCOUNT_NAME_TAKEN),
    ):
        others = taken("Accounts", sent[name]) if sent.get(name) else []
        if any(other["AccountID"] != account["AccountID"] for other in others):
            problems.append(message())
    if "TaxType" in sent and ledger.find("TaxRates", sent["TaxType"]) is None:
        problems.append(messages.TAX_UNKNOWN(tax=sent["TaxType"]))
    if problems:
        raise Refusal(*problems)
    account |= sent
    ledger.save("Accounts", account)
    return account


def named_account(ledger: Ledger, named: dict[str, Any]) -> Body | None:
    """The account that an `ACCOUNT_OF` names, by its id or code."""
    if "AccountID" in named:
        return ledger.find("Accounts", named["AccountID"])
    return next(iter(ledger.by_number("Accounts", named["Code"])), None) if named.get("Code") else None


def payment_account(ledger: Ledger, sent: dict[str, Any] | None) -> Body:
    """The account that a payment goes to, by id or code: a bank account, or one with payments enabled."""
    if not sent or not any(sent.values()):
        raise Refusal(messages.PAYMENT_ACCOUNT_MISSING())
    account = named_account(ledger, sent)
    if account is None or account["Status"] != "ACTIVE":
        raise Refusal(messages.ACCOUNT_NOT_FOUND())
    if account["Type"] != "BANK" and not account["EnablePaymentsToAccount"]:
        raise Refusal(messages.ACCOUNT_NOT_PAYABLE())
    return account


def short_account(ledger: Ledger, account_id: str, *, named: bool = False) -> Body:
    """An account as a payment shows it: its id, and its code where it has one."""
    account = ledger.find("Accounts", account_id) or {}
    names = ("AccountID", "Code", "Name") if named else ("AccountID", "Code")
    return {name: account[name] for name in names if name in account}
