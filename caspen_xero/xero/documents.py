"""Xero's documents as we read them: every field that Xero may omit is optional, every unknown one is ignored.

They have the fields that something reads, and no others; `elements.py` has what these are made of.

Amounts are Decimal in the document's currency; dates are plain dates; times are UTC. Shapes follow Xero's OpenAPI
description and recorded answers of September 2026: a create's reply has fewer fields than a GET page, an invoice read
without `page` has no lines, and Xero's TaxRates page shows numbers and booleans as text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from caspen_xero.xero.elements import Amount, Day, Element, Loose, Moment, Text, Truth, day_field, listed

NO_ID = "00000000-0000-0000-0000-000000000000"
"""What Xero puts where a document that was not created would have its id."""

UNAPPROVED = ("DRAFT", "SUBMITTED")
"""The statuses of a document that nobody has approved yet: it takes neither payments nor credits."""

GONE_STATUSES = ("VOIDED", "DELETED")
"""The statuses of a document that is no more; its number stays taken."""


class TaxComponent(Element):
    """One part of a tax rate; `rate` in percent."""

    rate: Amount = None


class TaxRate(Element):
    """A tax rate of the organisation. Deleted rates are listed too; percentages have up to 4 places."""

    called, known_by = "tax rate", ("Name", "TaxType")

    name: str
    tax_type: str
    report_tax_type: Annotated[Text, Loose] = None
    status: Text = None
    can_apply_to_revenue: Truth = None
    display_tax_rate: Amount = None
    effective_rate: Amount = None
    tax_components: Annotated[list[TaxComponent], BeforeValidator(listed)] = []


class Organisation(Element):
    """The linked organisation. Lock dates are present only where they are set. Xero itself holds to all of it, whatever we read."""

    called, known_by = "organisation", ("Name",)

    name: Annotated[Text, Loose] = None
    short_code: Annotated[Text, Loose] = None
    base_currency: Annotated[Text, Loose] = None
    plan: Annotated[Text, Loose] = Field(default=None, validation_alias="Class")
    version: Annotated[Text, Loose] = None
    country_code: Annotated[Text, Loose] = None
    tax_number_name: Annotated[Text, Loose] = None
    period_lock_date: Annotated[Day, Loose] = None
    end_of_year_lock_date: Annotated[Day, Loose] = None


class Account(Element):
    """An account of the chart. A bank account may have no code."""

    called, known_by = "account", ("Name", "Code", "AccountID")

    account_id: str
    code: Text = None
    name: Text = None
    status: Text = None
    type: Text = None
    account_class: Text = Field(default=None, validation_alias="Class")
    enable_payments_to_account: Truth = None
    system_account: Text = None


class AccountRef(Element):
    """An account named inside another document."""

    account_id: Text = None
    code: Text = None


class Currency(Element):
    """A currency that the organisation has enabled."""

    called, known_by = "currency", ("Code", "Description")

    code: str


class Phone(Element):
    """One of a contact's telephone numbers."""

    phone_type: Text = None
    phone_number: Text = None


class Address(Element):
    """One of a contact's addresses: STREET or POBOX."""

    address_type: Text = None
    address_line1: Text = None
    address_line2: Text = None
    city: Text = None
    region: Text = None
    postal_code: Text = None
    country: Text = None


class ContactRef(Element):
    """The contact named inside another document."""

    contact_id: Text = None
    name: Annotated[Text, Loose] = None


class ContactEntry(Element):
    """A contact in the list: what clients are matched by. `merged_to_contact_id` appears when read by id or by page."""

    called, known_by = "contact", ("Name", "ContactNumber", "ContactID")

    contact_id: Text = None
    contact_number: Text = None
    contact_status: Text = None
    name: Text = None
    merged_to_contact_id: Text = None
    updated_date_utc: Moment = None


class Contact(Element):
    """A contact with its details."""

    called, known_by = "contact", ("Name", "ContactNumber", "ContactID")
    own_id = "contact_id"

    contact_id: Text = None
    contact_number: Text = None
    contact_status: Text = None
    merged_to_contact_id: Annotated[Text, Loose] = None
    name: Text = None
    first_name: Text = None
    last_name: Text = None
    email_address: Text = None
    phones: Annotated[list[Phone], BeforeValidator(listed)] = []
    addresses: Annotated[list[Address], BeforeValidator(listed)] = []


class DocumentRef(Element):
    """A document named inside another one: only the ids and numbers that Xero repeats there."""

    invoice_id: Text = None
    invoice_number: Annotated[Text, Loose] = None
    currency_code: Annotated[Text, Loose] = None
    updated_date_utc: Annotated[Moment, Loose] = None


class BatchPayment(Element):
    """A payment of several invoices in one bank line (`type` RECBATCH or PAYBATCH)."""

    called, known_by = "batch payment", ("Reference", "BatchPaymentID")

    batch_payment_id: Text = None
    reference: Text = None
    status: Text = None
    is_reconciled: Truth = None


class Payment(Element):
    """A payment. Inside an invoice it lacks `is_reconciled`, `account`, `batch_payment` and the time of its last change.

    `payment_id` of a member of a batch: its own in most lists; read by itself, or inside an invoice that was, it can be the id of
    the batch (XeroAPI/xero-ruby#225, Xero-NetStandard#340).
    """

    called, known_by = "payment", ("Reference", "PaymentID")

    payment_id: Text = None
    batch_payment_id: Text = None
    invoice: DocumentRef | None = None
    account: Annotated[AccountRef | None, Loose] = None
    batch_payment: BatchPayment | None = None
    date: Day = day_field("Date")
    amount: Amount = None
    reference: Text = None
    status: Text = None
    is_reconciled: Truth = None
    updated_date_utc: Moment = None

    @property
    def batch_id(self) -> str | None:
        """The batch that it is in."""
        return self.batch_payment_id or (self.batch_payment.batch_payment_id if self.batch_payment else None)

    @property
    def is_nameless(self) -> bool:
        """Whether it shows the id of its batch in the place of its own."""
        return self.payment_id is not None and self.payment_id == self.batch_id

    @property
    def reconciled(self) -> bool | None:
        """Whether it, or the batch that it is in, is matched with the bank: members need not say so (XeroAPI/Xero-OpenAPI#205)."""
        return bool(self.batch_payment and self.batch_payment.is_reconciled) or self.is_reconciled


class AppliedDocument(Element):
    """A credit note, prepayment or overpayment as an invoice lists it: what of it was applied there."""

    credit_note_id: Text = None
    credit_note_number: Text = None
    prepayment_id: Text = None
    overpayment_id: Text = None
    id: Text = None
    applied_amount: Amount = None


class TrackedBy(Element):
    """A tracking category on a line, and the option chosen there."""

    name: Text = None
    option: Text = None
    tracking_category_id: Text = None
    tracking_option_id: Text = None


class Line(Element):
    """A line. A line of description only has no quantity, amount, tax or account."""

    line_item_id: Text = None
    description: Text = None
    quantity: Amount = None
    unit_amount: Amount = None
    line_amount: Amount = None
    discount_rate: Amount = None
    discount_amount: Amount = None
    item_code: Text = None
    account_id: Text = None
    account_code: Text = None
    tax_type: Text = None
    tax_amount: Amount = None
    tracking: Annotated[list[TrackedBy], BeforeValidator(listed)] = []


class Invoice(Element):
    """An invoice. `line_items` is empty, not absent, when it was read without paging: never send such a one back."""

    called, known_by = "invoice", ("InvoiceNumber", "InvoiceID")
    own_id = "invoice_id"

    invoice_id: Text = None
    invoice_number: Text = None
    reference: Text = None
    type: Text = None
    status: Text = None
    contact: ContactRef | None = None
    date: Day = day_field("Date")
    due_date: Day = day_field("DueDate")
    line_amount_types: Text = None
    line_items: Annotated[list[Line], BeforeValidator(listed)] = []
    currency_code: Text = None
    sub_total: Amount = None
    total_tax: Amount = None
    total: Amount = None
    amount_due: Amount = None
    amount_paid: Amount = None
    amount_credited: Amount = None
    payments: Annotated[list[Payment], BeforeValidator(listed)] = []
    credit_notes: Annotated[list[AppliedDocument], BeforeValidator(listed)] = []
    prepayments: Annotated[list[AppliedDocument], BeforeValidator(listed)] = []
    overpayments: Annotated[list[AppliedDocument], BeforeValidator(listed)] = []
    updated_date_utc: Moment = None

    @property
    def credited(self) -> Decimal | None:
        """What is credited to it: `amount_credited`, or what its lists come to, as Xero may leave that out where it is nothing.

        None where neither is told, as in the answer to a write.
        """
        if self.amount_credited is not None or not self._lists_credits:
            return self.amount_credited
        return sum((one.applied_amount or Decimal(0) for one in self._credits), Decimal(0))

    @property
    def tells_its_dealings(self) -> bool:
        """Whether what it does not list is not there: it names its payments and credits, or says that they come to nothing."""
        lists_payments = "payments" in self.model_fields_set and all(one.amount is not None for one in self.payments)
        return (self._lists_credits or self.amount_credited == 0) and (lists_payments or self.amount_paid == 0)

    @property
    def _lists_credits(self) -> bool:
        named = {"credit_notes", "overpayments", "prepayments"} <= self.model_fields_set
        return named and all(one.applied_amount is not None for one in self._credits)

    @property
    def _credits(self) -> tuple[AppliedDocument, ...]:
        return (*self.credit_notes, *self.overpayments, *self.prepayments)


class Allocation(Element):
    """What of a credit note, overpayment or prepayment went to an invoice. A create's reply may lack the id."""

    called, known_by = "allocation", ("AllocationID",)

    allocation_id: Text = None
    amount: Amount = None
    date: Annotated[Day, Loose] = day_field("Date")
    invoice: DocumentRef | None = None
    is_deleted: Truth = None


class CreditNote(Element):
    """A credit note, or (read from their own pages) an overpayment or prepayment with its allocations."""

    called, known_by = "credit note", ("CreditNoteNumber", "CreditNoteID", "OverpaymentID", "PrepaymentID")
    own_id = "credit_note_id"

    credit_note_id: Text = None
    credit_note_number: Text = None
    reference: Text = None
    type: Text = None
    status: Text = None
    contact: ContactRef | None = None
    date: Day = day_field("Date")
    line_amount_types: Text = None
    line_items: Annotated[list[Line], BeforeValidator(listed)] = []
    currency_code: Text = None
    sub_total: Amount = None
    total_tax: Amount = None
    total: Amount = None
    allocations: Annotated[list[Allocation], BeforeValidator(listed)] = []
    updated_date_utc: Annotated[Moment, Loose] = None
