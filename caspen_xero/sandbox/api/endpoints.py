"""The endpoints of the sandbox: what each reads, writes, shows and asks for in scopes."""

from __future__ import annotations

from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.resource import Resource, singular_of
from caspen_xero.sandbox.books.wire import is_id, read_id
from caspen_xero.sandbox.contacts.contacts import CONTACT_FIELDS, post_contact, put_contact
from caspen_xero.sandbox.contacts.views import show_contact, show_contact_summary, show_refused_contact
from caspen_xero.sandbox.money.bank import (
    BANK_FIELDS,
    post_bank_transaction,
    put_bank_transaction,
    show_bank_transaction,
    show_overpayment,
    show_prepayment,
)
from caspen_xero.sandbox.money.batch_payments import BATCH_FIELDS, post_batch, put_batch, show_batch
from caspen_xero.sandbox.money.payments import PAYMENT_FIELDS, post_payment, put_payment, show_payment
from caspen_xero.sandbox.organisation.accounts import ACCOUNT_FIELDS, post_account, put_account, show_account
from caspen_xero.sandbox.organisation.currencies import CURRENCY_FIELDS, put_currency, show_currency
from caspen_xero.sandbox.organisation.items import ITEM_FIELDS, post_item, put_item, show_item
from caspen_xero.sandbox.organisation.tax_rates import TAX_RATE_FIELDS, create_tax_rate, show_tax_rate, update_tax_rate
from caspen_xero.sandbox.organisation.themes import show_theme
from caspen_xero.sandbox.organisation.tracking import CATEGORY_FIELDS, post_category, put_category, show_category
from caspen_xero.sandbox.organisation.users import show_user
from caspen_xero.sandbox.sales.balances import show_balances
from caspen_xero.sandbox.sales.credit_notes import (
    CREDIT_NOTE_FIELDS,
    post_credit_note,
    put_credit_note,
    show_credit_note,
    show_refused_credit_note,
)
from caspen_xero.sandbox.sales.invoice_views import show_invoice, show_refused_invoice
from caspen_xero.sandbox.sales.invoices import INVOICE_FIELDS, post_invoice, put_invoice, sales_invoice_by_number


def _show_contact(desk: Desk, contact: Body, view: str) -> Body:
    if view == "summary":
        return show_contact_summary(contact)
    shown = show_contact(contact, view)
    return shown if view == "created" else shown | show_balances(desk.ledger, contact)


ENDPOINTS = {
    resource.kind.lower(): resource
    for resource in (
        Resource(
            "Accounts", "AccountID", ACCOUNT_FIELDS, show_account, put_account, post_account, paged=False, single=True
        ),
        Resource(
            "TaxRates",
            "TaxType",
            TAX_RATE_FIELDS,
            lambda _desk, rate, _view: show_tax_rate(rate),
            lambda desk, sent: (create_tax_rate(desk.ledger, sent), []),
            lambda desk, sent: (update_tax_rate(desk.ledger, sent), []),
            paged=False,
            changes=False,
            order="name_key",
            single=True,
        ),
        Resource(
            "Currencies",
            "Code",
            CURRENCY_FIELDS,
            show_currency,
            put_currency,
            paged=False,
            changes=False,
            single=True,
        ),
        Resource("Items", "ItemID", ITEM_FIELDS, show_item, put_item, post_item, paged=False, order="number_key"),
        Resource(
            "TrackingCategories",
            "TrackingCategoryID",
            CATEGORY_FIELDS,
            show_category,
            put_category,
            post_category,
            paged=False,
            changes=False,
            order="rowid",
            single=True,
        ),
        Resource("BrandingThemes", "BrandingThemeID", {}, show_theme, paged=False, changes=False, order="rowid"),
        Resource("Users", "UserID", {}, show_user, paged=False, order="rowid"),
        Resource(
            "Contacts",
            "ContactID",
            CONTACT_FIELDS,
            _show_contact,
            lambda desk, sent: (put_contact(desk.ledger, sent), []),
            lambda desk, sent: (post_contact(desk.ledger, sent), []),
            flag="HasValidationErrors",
            show_refused=show_refused_contact,
        ),
        Resource(
            "Invoices",
            "InvoiceID",
            INVOICE_FIELDS,
            show_invoice,
            put_invoice,
            post_invoice,
            flag="HasErrors",
            show_refused=show_refused_invoice,
        ),
        Resource(
            "CreditNotes",
            "CreditNoteID",
            CREDIT_NOTE_FIELDS,
            show_credit_note,
            put_credit_note,
            post_credit_note,
            flag="HasErrors",
            show_refused=show_refused_credit_note,
        ),
        Resource(
            "Payments", "PaymentID", PAYMENT_FIELDS, show_payment, put_payment, post_payment, flag="HasValidationErrors"
        ),
        Resource("BatchPayments", "BatchPaymentID", BATCH_FIELDS, show_batch, put_batch, post_batch, paged=False),
        Resource("Overpayments", "OverpaymentID", {}, show_overpayment),
        Resource("Prepayments", "PrepaymentID", {}, show_prepayment),
        Resource(
            "BankTransactions",
            "BankTransactionID",
            BANK_FIELDS,
            show_bank_transaction,
            put_bank_transaction,
            post_bank_transaction,
        ),
    )
}

# Of these the sandbox has none and makes none: a list of them is empty.
WITHOUT_ANY = {
    kind.lower(): kind
    for kind in (
        *("BankTransfers", "ContactGroups", "LinkedTransactions", "ManualJournals", "PurchaseOrders", "Quotes"),
        *("RepeatingInvoices", "Budgets"),
    )
}

# The granular scope of each endpoint; its `.read` twin is enough to read.
SCOPES = {
    "organisation": "accounting.settings",
    "accounts": "accounting.settings",
    "taxrates": "accounting.settings",
    "currencies": "accounting.settings",
    "items": "accounting.settings",
    "trackingcategories": "accounting.settings",
    "brandingthemes": "accounting.settings",
    "users": "accounting.settings",
    "contacts": "accounting.contacts",
    "invoices": "accounting.invoices",
    "creditnotes": "accounting.invoices",
    "payments": "accounting.payments",
    "batchpayments": "accounting.payments",
    "overpayments": "accounting.payments",
    "prepayments": "accounting.payments",
    "banktransactions": "accounting.banktransactions",
    "banktransfers": "accounting.banktransactions",
    "budgets": "accounting.budgets",
    "contactgroups": "accounting.contacts",
    "linkedtransactions": "accounting.invoices",
    "journals": "accounting.journals",  # no app here has this scope, or the next: always refused
    "paymentservices": "paymentservices",
    "manualjournals": "accounting.manualjournals",
    "purchaseorders": "accounting.invoices",
    "quotes": "accounting.invoices",
    "repeatinginvoices": "accounting.invoices",
}
# Both ways in which clients spell a path: pyxero reads `Organisations`, Zapier's writes below `Invoice`.
_SINGULAR = {singular_of(name): name for name in (*ENDPOINTS, *WITHOUT_ANY)}
_SPELLINGS = _SINGULAR | {"organisations": "organisation"}


def endpoint_of(path: str) -> str:
    """The endpoint that a path names, as `ENDPOINTS` and `SCOPES` spell it: in any letter case, singular or plural."""
    first = next((part.lower() for part in path.split("/") if part), "")
    return _SPELLINGS.get(first, first)


def read_one(ledger: Ledger, resource: Resource, name: str) -> Body | None:
    """The document that a path names: by its id; invoices, credit notes, contacts and items also by their number."""
    if found := ledger.find(resource.kind, read_id(name) if is_id(name) else name):
        return found
    if resource.kind == "Invoices":
        return sales_invoice_by_number(ledger, name)
    if resource.kind in ("CreditNotes", "Contacts", "Items"):
        return next(iter(ledger.by_number(resource.kind, name)), None)
    return None
