"""The catalogue of Xero's words: every message that the books refuse with, and where its text is from.

A text whose source begins with UNCONFIRMED is our own wording of a rule (the rule's source, if any, follows it). Clients
should match loosely, and never depend on a text for correctness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RECORDED = "recorded answers of September 2026"
LIVE_TEST = "a third party's live test, 28 September 2026"
TEST_LOG = "a third party's test log, 3 September 2026"
OF_2018 = "recorded answers of 2018 (minimul/xero-api)"
OF_2026 = "recorded answers of April 2026 (NangoHQ/integration-templates)"
OPENAPI = "Xero's OpenAPI description"
HELP = "vendors' help pages"
OWN = "UNCONFIRMED: our wording"


@dataclass(frozen=True)
class Message:
    """One message: call it with its values to get the text."""

    template: str
    source: str

    def __call__(self, **values: Any) -> str:
        return self.template.format(**values)


# Invoices and credit notes
INVOICE_NUMBER_TAKEN = Message("Invoice # must be unique.", f"{OPENAPI}; {LIVE_TEST}")
CREDIT_NOTE_NUMBER_TAKEN = Message("Credit Note # must be unique.", "an SDK issue thread (Xero-Net#257)")
INVOICE_NOT_FOUND = Message("An existing Invoice with the specified InvoiceID could not be found", HELP)
CREDIT_NOTE_NOT_FOUND = Message("An existing Credit Note with the specified CreditNoteID could not be found", OPENAPI)
NOT_VALID_FOR_CHANGE = Message("{document} not of valid status for modification", f"{RECORDED} (Invoice)")
NOT_VALID_FOR_CREATION = Message("{document} not of valid status for creation", f"{HELP} (Invoice)")
HAS_PAYMENTS = Message("This document cannot be edited as it has a payment or credit note allocated to it.", HELP)
PAID_LINE_WITHOUT_ID = Message(
    "To update fields on a paid invoice line item, you must supply a LineItemID", "one integration's field notes"
)
STATUS_HAS_PAYMENTS = Message(
    "The status {status} cannot be applied to the {document} because it has payments or credit notes allocated to it.",
    f"{HELP} (invoice)",
)
DATE_HAS_PAYMENTS = Message(
    "Date cannot be changed on an invoice that has payment or credit notes allocated to it.", HELP
)
SENT_NOT_AUTHORISED = Message(
    "Only AUTHORISED invoices may have SentToContact updated.", "Xero's Invoices page (a warning)"
)
TOTAL_NOT_SUM = Message(
    "The invoice total does not equal the sum of the lines.", "an issue thread of an SDK (xeroizer)"
)
TOTAL_NEGATIVE = Message(
    "Invoice with a total less than 0 cannot be created.", f"{HELP}; UNCONFIRMED: the end of the sentence"
)
APPROVAL_LIMIT = Message("You have reached the limit of invoices you can approve", "Xero's and vendors' help pages")
PLAN_WITHOUT_INVOICING = Message(
    "The organisation's plan does not include sales invoices", f"{OWN}; {HELP} (Splose 4735175, Link My Books 8347591)"
)
LINES_MISSING = Message("One or more line items must be specified", HELP)
TYPE_NOT_VALID = Message("The Type '{value}' is not valid for this document", OWN)
LINE_AMOUNT_TYPES_NOT_VALID = Message("The LineAmountTypes '{value}' is not valid", OWN)
DUE_DATE_MISSING = Message("The document DueDate field must be specified.", f"{TEST_LOG}; several public repositories")
NUMBER_NOT_PRINTABLE = Message("{field} may only contain printable ASCII characters", f"{OWN}; Xero's Invoices page")
URL_NOT_VALID = Message("The Url must be a valid absolute url and must not contain the word xero", OWN)
PERIOD_LOCKED = Message(
    "The document date cannot be before the period lock date, currently set at {day}",
    f"{HELP}; UNCONFIRMED: its end, and that payments and allocations are refused in the same words",
)
YEAR_LOCKED = Message(
    "The document date cannot be before the end of year lock date, currently set at {day}",
    f"{HELP}; UNCONFIRMED: that payments and allocations are refused in the same words",
)
EDIT_PERIOD_LOCKED = Message(
    "The document cannot be edited as it is currently dated before the period lock date",
    f"{OWN}, after the one for a locked year",
)
EDIT_YEAR_LOCKED = Message(
    "The document cannot be edited as it is currently dated before the end of year lock date",
    f"{HELP}; UNCONFIRMED: that deleting a payment or an allocation is refused in the same words",
)
CURRENCY_NOT_SUBSCRIBED = Message("Organisation is not subscribed to currency {currency}", HELP)
FIELD_TOO_LONG = Message("The {field} field must not be longer than {limit} characters", OWN)

# Lines
ACCOUNT_CODE_NOT_VALID = Message("Account code '{code}' is not a valid code for this document.", HELP)
ACCOUNT_CODE_ARCHIVED = Message(
    "Account code '{code}' has been archived, or has been deleted. Each line item must reference a valid account.", HELP
)
ACCOUNT_MISSING = Message("Account code or ID must be specified", f"{OF_2018}; a third party's live log")
ACCOUNT_REMOVED = Message(
    "Account code '{code}' has been removed as it does not match a recognised account.",
    f"{OPENAPI} (a warning, of a manual journal)",
)
TAX_MISSING = Message("The TaxType field is mandatory", f"{OF_2018}; a third party's live log")
TAX_REMOVED = Message("The TaxType code {tax} has been removed as it cannot be used here.", f"{OWN} (a warning)")
TAX_NOT_FOR_ACCOUNT = Message(
    "The TaxType code '{tax}' cannot be used with account code '{code}'.", "Xero's TaxRates page"
)
TAX_UNKNOWN = Message(
    "The TaxType code {tax} does not exist or cannot be used for this type of transaction", "a sample of Xero's"
)
LINE_TOTAL_WRONG = Message(
    "The line total {given} does not match the expected line total {expected}", "many public repositories"
)
TAX_ABOVE_LINE = Message("The tax amount cannot be greater than the line amount!", HELP)
DISCOUNT_NOT_VALID = Message(
    "The discount rate '{rate}' is invalid. Discount must not be greater than the line total.", "SDK issue threads"
)
DISCOUNT_NOT_HERE = Message(
    "Discounts are only supported on sales invoices", f"{OWN}; Xero's Invoices and CreditNotes pages"
)
QUANTITY_NEGATIVE = Message("The quantity value '{quantity}' is invalid. Quantity must not be less than zero.", HELP)
LINE_TOO_LARGE = Message("The line amount exceeds the maximum of 9999999999.99", f"{OWN}; Xero's Invoices page")
DESCRIPTION_MISSING = Message("A Description must be specified for each line item", f"{OWN}; Xero's Invoices page")
ITEM_UNKNOWN = Message("Item code '{code}' is not valid", OWN)
TRACKING_TOO_MANY = Message("A line item may have at most 2 tracking categories", f"{OWN}; Xero's Invoices page")

# Contacts
CONTACT_NAME_TAKEN = Message(
    "The contact name {name} is already assigned to another contact. "
    "The contact name must be unique across all active contacts.",
    RECORDED,
)
CONTACT_NUMBER_TAKEN = Message(
    "Another contact has this contact number. Please enter a different contact number.", HELP
)
CONTACT_ARCHIVED = Message(
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API.",
    RECORDED,
)
CONTACT_ARCHIVED_NO_INVOICE = Message(
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes.",
    HELP,
)
CONTACT_STATUS_NOT_VALID = Message("The status '{status}' is not valid for contacts", HELP)
CONTACT_NAME_EMPTY = Message("Contact Name cannot be empty.", HELP)
CONTACT_NAME_NOT_VALID = Message("The contact name {name} is not valid", f"{OWN}; Xero's Contacts page")
CONTACT_MISSING = Message("A Contact must be specified for this type of transaction", HELP)
CONTACT_UNIDENTIFIED = Message(
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber",
    OPENAPI,
)
CONTACT_NOT_FOUND = Message("An existing Contact with the specified ContactID could not be found", OWN)
EMAIL_NOT_VALID = Message("Email address must be valid.", HELP)
PERSONS_TOO_MANY = Message("A contact may have at most 5 contact persons", f"{OWN}; Xero's Contacts page")

# Payments
PAYMENT_TOO_LARGE = Message("Payment amount exceeds the amount outstanding on this document", OPENAPI)
PAYMENT_NOT_POSITIVE = Message("Payment amount must be greater than zero", OWN)
PAYMENT_NOT_AUTHORISED = Message("Payments can only be made against Authorised documents", HELP)
PAYMENT_EARLY = Message("The payment date is prior to the invoice date.", f"{OF_2026} (a warning)")
PAYMENT_EARLY_REFUSED = Message("The payment date cannot be before the invoice date", OWN)
PAYMENT_TARGET_MISSING = Message("A document must be specified for this payment", OWN)
PAYMENT_ONLY_STATUS = Message("Only Status accepted for updates.", "an SDK issue thread (xero-node)")
PAYMENT_NOT_VALID_FOR_CHANGE = Message("Payment not of valid status for modification", OWN)
PAYMENT_RECONCILED = Message("The payment cannot be deleted as it has been reconciled", OWN)
PAYMENT_IN_BATCH = Message("Payments within a batch cannot be deleted.", f"{HELP} (Bookeo 2576895, EZRentOut)")
PAYMENT_ACCOUNT_MISSING = Message(
    "You must specify an Account code or Account ID for the payment", f"{HELP} (bill.com 115003224643)"
)
ACCOUNT_NOT_FOUND = Message("Account could not be found", HELP)
ACCOUNT_NOT_PAYABLE = Message(
    "Account type is invalid for a payment. It must be a bank account or have payments enabled", OWN
)
BATCH_NOT_VALID_FOR_CHANGE = Message("Batch payment not of valid status for modification", OWN)
BATCH_RECONCILED = Message("The batch payment cannot be deleted as it has been reconciled", OWN)
BATCH_MIXED = Message("A batch payment must be for documents of one type", OWN)
BATCH_EMPTY = Message("A batch payment must contain at least one payment", OWN)

# Allocations, overpayments, prepayments
ALLOCATION_TOO_LARGE = Message(
    "{document} cannot be allocated as amount is greater than amount outstanding", "SDK issue threads (Credit Note)"
)
ALLOCATION_ALREADY_PAID = Message(
    "The invoice you are trying to allocate to has already been paid off", "SDK issue threads"
)
ALLOCATION_WRONG_TYPE = Message(
    "{document} cannot be allocated to an incorrect invoice type", "SDK issue threads (Credit Note)"
)
ALLOCATION_NOT_AUTHORISED = Message("{document} must be authorised before it can be allocated", OWN)
ALLOCATION_INVOICE_NOT_AUTHORISED = Message("The invoice you are trying to allocate to is not authorised", OWN)
ALLOCATION_OTHER_CONTACT = Message("{document} can only be allocated to invoices of the same contact", OWN)
ALLOCATION_NOT_POSITIVE = Message("The allocation amount must be greater than zero", OWN)
DOCUMENT_NOT_FOUND = Message("The document with the supplied id was not found for this endpoint.", HELP)
BANK_ACCOUNT_MISSING = Message("A BankAccount must be specified for this type of transaction", OWN)
BANK_ACCOUNT_NOT_VALID = Message("The BankAccount is not an active bank account", OWN)
BANK_TRANSACTION_IN_USE = Message("The transaction cannot be deleted as it has been allocated or refunded", OWN)
BANK_TRANSACTION_NOT_VALID_FOR_CHANGE = Message("Bank transaction not of valid status for modification", OWN)

# Accounts, tax rates, currencies
ACCOUNT_CODE_TAKEN = Message("Please enter a unique Code.", f"{HELP} (Cashflow360 360002014411)")
ACCOUNT_NAME_TAKEN = Message("Please enter a unique Name.", f"{OWN}, after the one for a code")
BANK_ACCOUNT_NUMBER_MISSING = Message("Please enter a valid Bank Account Number.", f"{HELP} (Cashflow360 360002014411)")
ACCOUNT_FIELD_MISSING = Message("{field} must be specified for an account", f"{OWN}; Xero's Accounts page")
ACCOUNT_IS_SYSTEM = Message("System accounts cannot be changed", OWN)
TAX_RATE_IS_SYSTEM = Message("System tax rates cannot be changed", f"{OWN}; Xero's TaxRates page")
TAX_RATE_NOT_FOUND = Message("A tax rate with the specified TaxType could not be found", OWN)
TAX_RATE_NAME_TAKEN = Message("A tax rate with this name already exists", OWN)
TAX_RATE_FIELD_MISSING = Message("{field} must be specified for a tax rate", f"{OWN}; Xero's TaxRates page")
TAX_COMPONENT_LOST = Message("Tax components cannot be removed or renamed", f"{OWN}; Xero's TaxRates page")
CURRENCY_NOT_VALID = Message("The currency code '{code}' is not valid", OWN)

# Items and tracking categories
ITEM_CODE_MISSING = Message("Price List Item Code must be supplied", "an SDK issue thread (calcinai/xero-php#528)")
ITEM_CODE_TAKEN = Message("Price List Item with Code '{code}' already exists", OPENAPI)
ITEM_NOT_FOUND = Message("An existing Item with the specified ItemID could not be found", OWN)
TRACKING_NAME_MISSING = Message("A name must be specified for tracking categories and options", OWN)
TRACKING_CATEGORY_TAKEN = Message("A tracking category with this name already exists", OWN)
TRACKING_OPTION_TAKEN = Message(
    "For each specified tracking option the name must be unique", "an SDK issue thread (calcinai/xero-php#920)"
)
TRACKING_CATEGORIES_FULL = Message(
    "An organisation can have at most 2 active tracking categories", f"{OWN}; Xero's TrackingCategories page"
)
TRACKING_NOT_FOUND = Message("An existing tracking category or option with the specified id could not be found", OWN)

# Everything
BODY_NOT_READABLE = Message("The request body could not be read: {reason}", OWN)
XML_NOT_READABLE = Message(
    "Xml for post data was invalid, {reason}", "an SDK issue thread (calcinai/xero-php#832); UNCONFIRMED: what follows"
)
XML_NOT_RECOGNISED = Message(
    "The element '{name}' was not recognised. "
    "Ensure the element name has the correct case and that there are no duplicate elements of the same name.",
    "SDK issue threads (pyxero#105, pyxero#156, Xero-Net#257)",
)
XML_DATE_NOT_VALID = Message("The string '{value}' is not a valid AllXsd value.", "a public repository's tests")
NO_DATA = Message(
    "No data has been processed for this endpoint. "
    "This endpoint is expecting {what} data to be specified in the request body.",
    OWN,
)
WHERE_NOT_READABLE = Message("Where clause invocation error: {reason}", "a third party's probes")
ORDER_NOT_READABLE = Message("Order clause invocation error: {reason}", OWN)
BROKEN = Message(
    "An error occurred in Xero. Check the API Status page http://status.developer.xero.com for current service status. "
    "Contact the API support team at api@xero.com for more assistance.",
    "an SDK issue thread (pyxero#181)",
)
VALIDATION = Message("A validation exception occurred", RECORDED)
