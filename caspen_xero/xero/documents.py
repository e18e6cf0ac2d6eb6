"""Xero's documents as we read them: every field that Xero may omit is optional, every unknown one is ignored.

Amounts are Decimal in the document's currency; dates are plain dates; times are UTC. Shapes follow Xero's OpenAPI
description and recorded answers of September 2026: a create's reply has fewer fields than a GET page, an invoice read
without `page` has no lines, and Xero's TaxRates page shows numbers and booleans as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from caspen_xero.xero.codec import decode, encode, parse_date, parse_timestamp

__all__ = [
    "GONE_STATUSES",
    "NO_ID",
    "UNAPPROVED",
    "Account",
    "AccountRef",
    "Address",
    "Allocation",
    "AppliedDocument",
    "BatchPayment",
    "Contact",
    "CreditNote",
    "Currency",
    "DocumentRef",
    "Element",
    "Invoice",
    "Line",
    "Organisation",
    "Payment",
    "Phone",
    "TaxComponent",
    "TaxRate",
    "TrackedBy",
    "decode",
    "encode",
    "messages_of",
    "parse_date",
    "parse_timestamp",
    "warnings_of",
]

NO_ID = "00000000-0000-0000-0000-000000000000"
"""What Xero puts where a document that was not created would have its id."""

UNAPPROVED = ("DRAFT", "SUBMITTED")
"""The statuses of a document that nobody has approved yet: it takes neither payments nor credits."""

GONE_STATUSES = ("VOIDED", "DELETED")
"""The statuses of a document that is no more; its number stays taken."""

_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def _amount(value: Any) -> Any:
    """Decimals, whole numbers and plain text digits; never a float, never `1_000` or `1e3`."""
    if isinstance(value, str):
        if value.strip() == "":
            return None
        if not _PLAIN_NUMBER.fullmatch(value.strip()):
            raise ValueError("not a plain number")
        return Decimal(value.strip())
    if isinstance(value, float | bool):
        raise ValueError("amounts are read as Decimal")
    return value


def _truth(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": True, "false": False, "": None}.get(value.strip().lower(), value)
    return value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _listed(value: Any) -> Any:
    return [] if value is None else value


Amount = Annotated[Decimal | None, BeforeValidator(_amount)]
Truth = Annotated[bool | None, BeforeValidator(_truth)]
Text = Annotated[str | None, BeforeValidator(_text)]
Day = Annotated[date | None, BeforeValidator(parse_date)]
Moment = Annotated[datetime | None, BeforeValidator(parse_timestamp)]


def _pascal(name: str) -> str:
    """`invoice_id` -> `InvoiceID`, `updated_date_utc` -> `UpdatedDateUTC`."""
    return "".join({"id": "ID", "utc": "UTC"}.get(word, word.capitalize()) for word in name.split("_"))


def _day_field(name: str) -> Any:
    """A date: Xero's plain `...String` twin first, as it needs no reading of milliseconds."""
    return Field(default=None, validation_alias=AliasChoices(f"{name}String", name))


class Element(BaseModel):
    """What every element of an answer can carry: its own status and its own errors."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=_pascal, populate_by_name=True)

    status_attribute_string: Text = None
    has_errors: Truth = None


class TaxComponent(Element):
    """One part of a tax rate; `rate` in percent."""

    rate: Amount = None


class TaxRate(Element):
    """A tax rate of the organisation. Deleted rates are listed too; percentages have up to 4 places."""

    name: str
    tax_type: str
    status: Text = None
    can_apply_to_revenue: Truth = None
    display_tax_rate: Amount = None
    effective_rate: Amount = None
    tax_components: Annotated[list[TaxComponent], BeforeValidator(_listed)] = []


class Organisation(Element):
    """The linked organisation. Lock dates are present only where they are set."""

    name: Text = None
    short_code: Text = None
    base_currency: Text = None
    period_lock_date: Day = None
    end_of_year_lock_date: Day = None


class Account(Element):
    """An account of the chart. A bank account may have no code."""

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


class Contact(Element):
    """A contact. `merged_to_contact_id` appears when read by id or by page."""

    contact_id: Text = None
    contact_number: Text = None
    contact_status: Text = None
    name: Text = None
    first_name: Text = None
    last_name: Text = None
    email_address: Text = None
    phones: Annotated[list[Phone], BeforeValidator(_listed)] = []
    addresses: Annotated[list[Address], BeforeValidator(_listed)] = []
    merged_to_contact_id: Text = None
    updated_date_utc: Moment = None


class DocumentRef(Element):
    """A document named inside another one: only the ids and numbers that Xero repeats there."""

    invoice_id: Text = None
    invoice_number: Text = None
    credit_note_id: Text = None
    updated_date_utc: Moment = None


class BatchPayment(Element):
    """A payment of several invoices in one bank line (`type` RECBATCH or PAYBATCH)."""

    batch_payment_id: Text = None
    reference: Text = None
    status: Text = None
    is_reconciled: Truth = None


class Payment(Element):
    """A payment. Inside an invoice it lacks `is_reconciled`, `account`, `batch_payment` and the time of its last change.

    `payment_id` of a member of a batch: its own in most lists; read by itself, or inside an invoice that was, it can be the id of
    the batch (XeroAPI/xero-ruby#225, Xero-NetStandard#340).
    """

    payment_id: Text = None
    batch_payment_id: Text = None
    invoice: DocumentRef | None = None
    account: AccountRef | None = None
    batch_payment: BatchPayment | None = None
    date: Day = _day_field("Date")
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
    tracking: Annotated[list[TrackedBy], BeforeValidator(_listed)] = []


class Invoice(Element):
    """An invoice. `line_items` is empty, not absent, when it was read without paging: never send such a one back."""

    invoice_id: Text = None
    invoice_number: Text = None
    reference: Text = None
    type: Text = None
    status: Text = None
    contact: Contact | None = None
    date: Day = _day_field("Date")
    due_date: Day = _day_field("DueDate")
    line_amount_types: Text = None
    line_items: Annotated[list[Line], BeforeValidator(_listed)] = []
    currency_code: Text = None
    sub_total: Amount = None
    total_tax: Amount = None
    total: Amount = None
    amount_due: Amount = None
    amount_paid: Amount = None
    amount_credited: Amount = None
    payments: Annotated[list[Payment], BeforeValidator(_listed)] = []
    credit_notes: Annotated[list[AppliedDocument], BeforeValidator(_listed)] = []
    prepayments: Annotated[list[AppliedDocument], BeforeValidator(_listed)] = []
    overpayments: Annotated[list[AppliedDocument], BeforeValidator(_listed)] = []
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

    allocation_id: Text = None
    amount: Amount = None
    date: Day = _day_field("Date")
    invoice: DocumentRef | None = None
    is_deleted: Truth = None


class CreditNote(Element):
    """A credit note, or (read from their own pages) an overpayment or prepayment with its allocations."""

    credit_note_id: Text = None
    credit_note_number: Text = None
    reference: Text = None
    type: Text = None
    status: Text = None
    contact: Contact | None = None
    date: Day = _day_field("Date")
    line_amount_types: Text = None
    line_items: Annotated[list[Line], BeforeValidator(_listed)] = []
    currency_code: Text = None
    sub_total: Amount = None
    total_tax: Amount = None
    total: Amount = None
    allocations: Annotated[list[Allocation], BeforeValidator(_listed)] = []
    updated_date_utc: Moment = None


def messages_of(element: Any) -> list[str]:
    """Xero's words about one element: every `ValidationErrors` in it, however deep, each message once."""
    return list(dict.fromkeys(_messages(element, "ValidationErrors")))


def warnings_of(element: Any) -> list[str]:
    """Xero's words about what it took all the same: every `Warnings` in an element, however deep, each message once."""
    return list(dict.fromkeys(_messages(element, "Warnings")))


def _messages(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _messages(inner, key)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key and isinstance(inner, list):
                for entry in inner:
                    message = entry.get("Message") if isinstance(entry, Mapping) else entry
                    if isinstance(message, str) and message.strip():
                        yield message.strip()
            else:
                yield from _messages(inner, key)
