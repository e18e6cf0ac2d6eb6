"""The fields that filters and orders may name, and the values that they have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import KINDS, Body, folded
from caspen_xero.sandbox.organisation.tax_rates import effective_rate
from caspen_xero.sandbox.queries.where import Value
from caspen_xero.sandbox.sales.settlement import allocated, amount_due, paid

_DATES = ("Date", "DueDate", "FullyPaidOnDate", "ExpectedPaymentDate", "PlannedPaymentDate")
_MONEY: dict[str, Callable[[Body], Value]] = {
    "AmountDue": amount_due,
    "RemainingCredit": amount_due,
    "AmountPaid": paid,
    "AmountCredited": allocated,
    "EffectiveRate": effective_rate,
}
_DOCUMENT = (
    *(
        "Type",
        "Status",
        "Date",
        "DueDate",
        "Reference",
        "SubTotal",
        "TotalTax",
        "Total",
        "CurrencyCode",
        "CurrencyRate",
    ),
    *("UpdatedDateUTC", "LineAmountTypes", "SentToContact", "HasAttachments", "FullyPaidOnDate"),
    *("Contact.ContactID", "Contact.Name", "Contact.ContactNumber", "Contact.ContactStatus", "Contact.EmailAddress"),
)
_CREDIT = ("RemainingCredit",)
_TARGETS = ("Invoice", "CreditNote", "Overpayment", "Prepayment")
_PAID = ("Invoice.InvoiceID", "CreditNote.CreditNoteID", "Overpayment.OverpaymentID", "Prepayment.PrepaymentID")
FILTER_FIELDS: dict[str, tuple[str, ...]] = {
    "Invoices": (
        *("InvoiceID", "InvoiceNumber", "AmountDue", "AmountPaid", "AmountCredited", "Url", "BrandingThemeID"),
        *("ExpectedPaymentDate", "PlannedPaymentDate", *_DOCUMENT),
    ),
    "CreditNotes": ("CreditNoteID", "CreditNoteNumber", "BrandingThemeID", *_CREDIT, *_DOCUMENT),
    "Overpayments": ("OverpaymentID", *_CREDIT, *_DOCUMENT),
    "Prepayments": ("PrepaymentID", *_CREDIT, *_DOCUMENT),
    "BankTransactions": ("BankTransactionID", "IsReconciled", "BankAccount.AccountID", "BankAccount.Code", *_DOCUMENT),
    "Payments": (
        *("PaymentID", "PaymentType", "Status", "Date", "Amount", "Reference", "IsReconciled", "UpdatedDateUTC"),
        *("BatchPaymentID", "CurrencyRate", "BankAmount", "Account.AccountID", "Account.Code"),
        *("Invoice.InvoiceID", "Invoice.InvoiceNumber", "Invoice.Type", "Invoice.Reference", "CreditNote.CreditNoteID"),
        *("Invoice.Contact.ContactID", "Invoice.Contact.Name", "Invoice.Contact.ContactNumber"),
        *("Overpayment.OverpaymentID", "Prepayment.PrepaymentID"),
    ),
    "BatchPayments": (
        *("BatchPaymentID", "Type", "Status", "Date", "Reference", "TotalAmount", "IsReconciled", "UpdatedDateUTC"),
        *("Account.AccountID", "Account.Code"),
    ),
    "Contacts": (
        *("ContactID", "ContactNumber", "AccountNumber", "ContactStatus", "Name", "FirstName", "LastName"),
        *(
            "EmailAddress",
            "CompanyNumber",
            "TaxNumber",
            "IsCustomer",
            "IsSupplier",
            "UpdatedDateUTC",
            "DefaultCurrency",
        ),
    ),
    "Accounts": (
        *("AccountID", "Code", "Name", "Type", "Class", "Status", "TaxType", "SystemAccount", "Description"),
        *(
            "EnablePaymentsToAccount",
            "ShowInExpenseClaims",
            "BankAccountNumber",
            "BankAccountType",
            "CurrencyCode",
            "UpdatedDateUTC",
        ),
    ),
    "TaxRates": (
        *("Name", "TaxType", "Status", "ReportTaxType", "CanApplyToRevenue", "CanApplyToExpenses", "EffectiveRate"),
        *("CanApplyToAssets", "CanApplyToEquity", "CanApplyToLiabilities"),
    ),
    "Currencies": ("Code", "Description"),
    "Items": (
        *("ItemID", "Code", "Name", "Description", "PurchaseDescription", "IsSold", "IsPurchased", "UpdatedDateUTC"),
    ),
    "TrackingCategories": ("TrackingCategoryID", "Name", "Status"),
    "Users": ("UserID", "EmailAddress", "FirstName", "LastName", "IsSubscriber", "UpdatedDateUTC"),
}
# Of a contact, what holds no text holds nothing (pyxero#181 of its AccountNumber, and pyxero's own guards).
_NULLABLE = ("ContactNumber", "AccountNumber", "FirstName", "LastName", "EmailAddress", "CompanyNumber", "TaxNumber")
# Compared without regard to case and accents (Xero's Contacts page).
FOLDED = {"Contacts": ("Name", "EmailAddress", "AccountNumber")}


def lookup(desk: Desk, kind: str, body: Body, name: str) -> Value:
    """The value of a field that filters and orders may name."""
    value: Any
    if name in _MONEY:
        value = _MONEY[name](body)
    elif name == "UpdatedDateUTC":
        value = _moment(body["Updated"])
    elif name in _DATES:
        value = _day(body.get(name))
    elif "." in name:
        value = _related(desk, body, name)
    else:
        value = body.get(name, False if name == "HasAttachments" else None)
    if value == "" and name.rpartition(".")[2] in _NULLABLE:
        value = None
    if name in FOLDED.get(kind, ()) and isinstance(value, str):
        return folded(value)
    return value  # type: ignore[no-any-return]


def _related(desk: Desk, body: Body, name: str) -> Any:
    """A field of what the document belongs to: its contact, its account, or the document that a payment pays."""
    what, _, rest = name.partition(".")
    if what == "Contact":
        return (desk.ledger.find("Contacts", body.get("ContactID", "")) or {}).get(rest)
    if what in ("Account", "BankAccount"):
        return (desk.ledger.find("Accounts", body.get("AccountID", "")) or {}).get(rest)
    if name == "Invoice.InvoiceID":  # a refunded credit is shown as the payment's invoice too
        return body.get("TargetID")
    kind = f"{what}s"
    if what in _TARGETS and body.get("Target") == kind:
        target = desk.ledger.find(kind, body["TargetID"]) or {}
        return _related(desk, target, rest) if "." in rest else target.get(rest)
    return None


def _day(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)


def columns_of(kind: str) -> dict[str, str]:
    """The fields that a column of the books holds, which an SQL condition can name."""
    names = KINDS[kind]
    columns = {names.id: "id", names.type: "type", names.status: "status", "Reference": "reference"}
    if names.number:
        columns[names.number] = "number"
    if kind == "Payments":
        return columns | {name: "owner_id" for name in FILTER_FIELDS[kind] if name in _PAID}
    if kind == "Contacts":
        return columns | {"Name": "name_key"}
    return columns | {"Contact.ContactID": "owner_id"}
