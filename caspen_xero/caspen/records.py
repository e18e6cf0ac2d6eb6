"""The records of the Caspen billing feed, version 1: what a clinic's invoices, clients and payments look like to us.

Money, quantities and rates are `Decimal`, in the invoice's currency; dates are plain dates; times are aware and in UTC.
Records are frozen. Fields that the feed does not define are ignored; text stays as it came, control characters too. A field on
which no document in Xero depends stops nothing: an odd value there is left out (`Spare`; `Told` where Xero would have shown it).

    RecordError(ValueError)     a record that breaks the feed's shape: which field, and why
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, unquote

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .field_types import (
    Amount,
    Day,
    Description,
    Id,
    OptionalDay,
    OptionalId,
    OptionalMoment,
    Percentage,
    PhoneNumbers,
    Spare,
    Told,
    means,
    null_is_empty,
    null_is_false,
    or_left_out,
    or_nothing,
    share,
)
from .record_errors import RecordError, as_record_error, id_of
from .values import quoted, wrong

Kind = Literal["tax_rate", "payment_method", "client", "contact", "invoice", "payment", "credit_note"]
InvoiceStatus = Literal["draft", "open", "paid", "void", "deleted"]
PaymentStatus = Literal["allocated", "unallocated", "void", "refunded", "deleted"]
CreditNoteStatus = Literal["issued", "void", "deleted"]

FINALISED = ("open", "paid")
"""The statuses of an invoice that belongs in Xero. As text, this tuple and the next are also lists of SQL's."""

GONE = ("void", "deleted")
"""The statuses of an invoice, payment or credit note that is no more."""

UNALLOCATED: PaymentStatus = "unallocated"
"""The status of money that is on no invoice, whatever allocations it lists."""

PAYS: PaymentStatus = "allocated"
"""The one status of a payment that pays invoices, whatever allocations others list."""

REFUNDED: PaymentStatus = "refunded"
"""The status of a payment whose money went back: what was sent of it is for a person to decide, never deleted by itself."""

TaxMode = Literal["exclusive", "inclusive", "none"]
DiscountType = Literal["percentage", "fixed"]


class _Part(BaseModel):
    """Anything of a record. Whole numbers are taken where text is expected: ids, postcodes and item codes often are."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class _Record(_Part):
    id: Annotated[Id, means("The record's own id. The same id is the same record, in every later export", "inv_001")]
    updated_at: Annotated[
        OptionalMoment,
        means("When it was last changed in Caspen. An older record never replaces a newer one", "2026-11-02T03:04:05Z"),
    ] = None
    _fingerprint: str | None = PrivateAttr(default=None)

    @property
    def purged_as(self) -> str | None:
        """The fingerprint that it had before its details were purged; None where it is whole. No source can say this."""
        return self._fingerprint

    def as_purged(self, fingerprint: str) -> Self:
        """The same record, as what is left of one that had this fingerprint."""
        left = self.model_copy()
        left._fingerprint = fingerprint
        return left


class TaxRate(_Record):
    """A tax rate of the workspace; `rate` is a percentage."""

    object: Literal["tax_rate"] = "tax_rate"
    name: Annotated[str, means("What Caspen calls the rate", "GST")]
    rate: Annotated[Percentage, means("Per cent, from 0 to 100", "10")]
    archived: Annotated[bool, BeforeValidator(null_is_false), means("Whether it is no longer used", False)] = False


class PaymentMethod(_Record):
    """A way clients pay, such as a card or EFTPOS; `type` is Caspen's own word for it."""

    object: Literal["payment_method"] = "payment_method"
    name: Annotated[str, means("What Caspen calls it. `settings set --payment-method` names it so", "EFTPOS")]
    type: Annotated[Spare, means("Caspen's own word for it", "eftpos")] = None


class Address(_Part):
    """A postal address; any part may be unknown."""

    line1: Annotated[Told, means("Street and number", "1 High St")] = None
    line2: Annotated[Told, means("More of the street", "Unit 2")] = None
    city: Annotated[Told, means("City or suburb", "Sydney")] = None
    state: Annotated[Told, means("State or region", "NSW")] = None
    postal_code: Annotated[Told, means("Postcode, as text", "2000")] = None
    country_code: Annotated[Told, means("Country, in two letters", "AU")] = None


PostalAddress = Annotated[Address | None, WrapValidator(or_left_out)]


class Client(_Record):
    """A person that the clinic treats."""

    object: Literal["client"] = "client"
    title: Annotated[Spare, means("Title; it does not go to Xero", "Ms")] = None
    first_name: Annotated[str | None, means("First name: a part of the contact's name", "Nell")] = None
    last_name: Annotated[str | None, means("Last name: a part of the contact's name", "Okafor")] = None
    preferred_name: Annotated[Spare, means("Preferred name; it does not go to Xero", "Nell")] = None
    email: Annotated[Told, means("Email of the contact", "nell@example.org")] = None
    phone_number: Annotated[Told, means("Telephone of the contact", "+61400000001")] = None
    phone_numbers: Annotated[
        PhoneNumbers, means("More telephones. In a CSV cell they are separated by semicolons", "+61200000002")
    ] = ()
    address: Annotated[PostalAddress, means("Postal address of the contact")] = None


class Contact(_Record):
    """A third party who pays for a client ("Invoice to"), such as a health insurer or an NDIS plan manager."""

    object: Literal["contact"] = "contact"
    type: Annotated[Spare, means("Caspen's word for what they are", "plan_manager")] = None
    title: Annotated[Spare, means("Title; it does not go to Xero", "Mr")] = None
    first_name: Annotated[str | None, means("First name, where it is a person", "Pat")] = None
    last_name: Annotated[str | None, means("Last name, where it is a person", "Lim")] = None
    company: Annotated[str | None, means("Name of the company; it is then the contact's name", "Plan Partners")] = None
    email: Annotated[Told, means("Email of the contact", "ap@example.org")] = None
    phone_numbers: Annotated[
        PhoneNumbers, means("Telephones. In a CSV cell they are separated by semicolons", "+61200000003")
    ] = ()
    address: Annotated[PostalAddress, means("Postal address of the contact")] = None


class Discount(_Part):
    """`percentage`: 0 to 100 of the line; `fixed`: an amount off the line, in the invoice's currency."""

    type: Annotated[DiscountType, means("`percentage` of the line, or `fixed`: an amount off the line", "percentage")]
    value: Annotated[Amount, means("0 to 100, or the amount", "10")]

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if self.type == "percentage":
            share(self.value)
        elif self.value < 0:
            raise wrong(f"a discount of {self.value} is negative")
        return self


class _Line(_Part):
    id: Annotated[Id, means("The line's id; it need be unique only within its record", "lin_1")]
    description: Annotated[Description, means("What the line is for, as Xero shows it", "Initial consultation")] = ""
    item_code: Annotated[OptionalId, means("Code of the item or service", "IC001")] = None
    quantity: Annotated[Amount, means("How many, or hours", "1")]
    unit_price: Annotated[Amount, means("Price of one, with or without tax as `tax_mode` says", "150.00")]
    discount: Annotated[Discount | None, means("What is taken off the line")] = None
    tax_rate_id: Annotated[OptionalId, means("Id of the line's tax rate. Empty: no tax on this line", "tax_gst")] = None
    amount: Annotated[Amount | None, means("Caspen's own amount of the line", "135.00")] = None
    tax: Annotated[Amount | None, means("Caspen's own tax of the line", "13.50")] = None


class InvoiceLine(_Line):
    """A line of an invoice. `amount` and `tax` are Caspen's own figures for it, where the source carries them."""


class CreditNoteLine(_Line):
    """A credited line; `invoice_line_id` is the line of the invoice that it credits."""

    invoice_line_id: Annotated[Spare, means("The line of the invoice that it credits", "lin_1")] = None


class Invoice(_Record):
    """An invoice. Its subtotal (without tax), tax and total are Caspen's own, and present on every finalised one."""

    object: Literal["invoice"] = "invoice"
    number: Annotated[OptionalId, means("Its number in Xero", "INV-0001")] = None
    status: Annotated[
        InvoiceStatus,
        means(
            "Only `open` and `paid` go to Xero; `paid` alone pays nothing there, payments are records of their own",
            "open",
        ),
    ]
    client_id: Annotated[Id, means("Id of the client who was treated", "1048237")]
    invoice_to_id: Annotated[OptionalId, means("Id of the contact who pays instead of the client", "con_77")] = None
    issue_date: Annotated[Day, means("The invoice's date", "2026-11-02")]
    due_date: Annotated[OptionalDay, means("When it is due", "2026-11-16")] = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), means("Three capital letters", "AUD")]
    tax_mode: Annotated[TaxMode, means("Whether prices are without tax, with tax, or have none", "exclusive")]
    reference: Annotated[str | None, means("Reference in Xero", "PO 4711")] = None
    lines: Annotated[tuple[InvoiceLine, ...], BeforeValidator(null_is_empty), means("What was invoiced")] = ()
    subtotal: Annotated[
        Amount | None, means("Caspen's own sum without tax: Xero must have it to the cent", "150.00")
    ] = None
    tax: Annotated[Amount | None, means("Caspen's own tax: Xero must have it to the cent", "15.00")] = None
    total: Annotated[Amount | None, means("Caspen's own sum with tax: Xero must have it to the cent", "165.00")] = None
    finalized_at: Annotated[
        OptionalMoment, WrapValidator(or_nothing), means("When it was finalised", "2026-11-02T03:04:05Z")
    ] = None
    url: Annotated[
        OptionalId,
        WrapValidator(or_left_out),
        means("Address of the invoice in Caspen, which Xero then links to", "https://example.org/invoices/1"),
    ] = None

    @model_validator(mode="after")
    def _finalised_is_complete(self) -> Self:
        if self.status in (*FINALISED, "void"):
            for field in ("number", "subtotal", "tax", "total"):
                if getattr(self, field) is None:
                    raise _wrong_in(field, f"is missing, but the invoice's status is {self.status}")
        return self


class Allocation(_Part):
    """The part of a payment that is put on one invoice."""

    id: Annotated[Id, means("The allocation's id; it need be unique only within its payment", "all_001")]
    invoice_id: Annotated[Id, means("Id of the invoice that is paid", "inv_001")]
    amount: Annotated[Amount, means("How much of the payment is for this invoice", "165.00")]
    date: Annotated[
        OptionalDay,
        WrapValidator(or_nothing),
        means("When it was put on the invoice. Xero gets the payment's date", "2026-11-03"),
    ] = None


def allocation_key(payment_id: str, allocation_id: str) -> str:
    """What names one allocation among all: `pay_001/all_001`. Ids inside a record are unique only within it.

    Both ids are percent-encoded, so that no two pairs make one key, and none holds a space.
    """
    return f"{quote(payment_id, safe='')}/{quote(allocation_id, safe='')}"


def rest_key(payment_id: str) -> str:
    """What names the part of a payment that is on no invoice, where an allocation's key would stand: `pay_001/`."""
    return allocation_key(payment_id, "")


def payment_id_in(key: str) -> str:
    """The id of the payment whose allocation, or rest, such a key names."""
    return unquote(key.partition("/")[0])


class Payment(_Record):
    """Money received; what is not in `allocations` is on no invoice. `xero_id`: it says that it came from Xero, with that id."""

    object: Literal["payment"] = "payment"
    client_id: Annotated[OptionalId, WrapValidator(or_nothing), means("Id of the client who paid", "1048237")] = None
    date: Annotated[Day, means("When the money came, as the bank shows it", "2026-11-03")]
    method_id: Annotated[OptionalId, means("Id of the payment method", "pmt_eftpos")] = None
    amount: Annotated[Amount, means("The whole payment", "165.00")]
    status: Annotated[PaymentStatus, means("Only `allocated` pays invoices", "allocated")]
    description: Annotated[Spare, means("A remark; it does not go to Xero", "At the desk")] = None
    xero_id: Annotated[
        OptionalId,
        means(
            "Of a payment that came from Xero: its id there. It is never sent", "b26fd49a-cbae-470a-a8f8-bcbc119e0379"
        ),
    ] = None
    allocations: Annotated[
        tuple[Allocation, ...],
        BeforeValidator(null_is_empty),
        means("What it pays. The rest is on no invoice, and stays out of Xero"),
    ] = ()

    @model_validator(mode="after")
    def _allocations_have_ids_of_their_own(self) -> Self:
        seen: set[str] = set()
        for place, allocation in enumerate(self.allocations):
            if allocation.id in seen:
                raise _wrong_in(
                    f"allocations[{place}].id",
                    f"{quoted(allocation.id)} is the id of another allocation of this payment",
                )
            seen.add(allocation.id)
        return self

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """What pays invoices is money, in whole cents, and no more of it than there is."""
        if self.status != PAYS:
            return self
        _money("amount", self.amount)
        for place, allocation in enumerate(self.allocations):
            _money(f"allocations[{place}].amount", allocation.amount)
        allocated = sum((allocation.amount for allocation in self.allocations), Decimal(0))
        if allocated > self.amount:
            raise _wrong_in("allocations", f"come to {allocated:f}, which is more than the payment's {self.amount:f}")
        return self


class CreditNote(_Record):
    """A credit note on one invoice, whose `tax_mode` it shares. Subtotal, tax and total are Caspen's own, positive."""

    object: Literal["credit_note"] = "credit_note"
    number: Annotated[Id, means("Its number in Xero", "CN-0001")]
    invoice_id: Annotated[Id, means("Id of the invoice that is credited; its tax mode holds here too", "inv_001")]
    date: Annotated[Day, means("The credit note's date", "2026-11-05")]
    status: Annotated[CreditNoteStatus, means("Only `issued` goes to Xero", "issued")]
    reason: Annotated[Spare, means("Why; it does not go to Xero", "Session cut short")] = None
    lines: Annotated[
        tuple[CreditNoteLine, ...], BeforeValidator(null_is_empty), means("What is credited, with positive amounts")
    ] = ()
    subtotal: Annotated[Amount, means("Caspen's own sum without tax, positive", "40.00")]
    tax: Annotated[Amount, means("Caspen's own tax, positive", "4.00")]
    total: Annotated[Amount, means("Caspen's own sum with tax, positive", "44.00")]

    @model_validator(mode="after")
    def _credits_something(self) -> Self:
        if self.status == "issued":
            _money("total", self.total)
        return self


def _money(field: str, amount: Decimal) -> None:
    """Raises for what is no sum of money that anybody pays or credits: nothing, less, or parts of a cent."""
    if amount <= 0:
        raise _wrong_in(field, f"{amount:f} is not more than zero")
    if amount * 100 % 1:
        raise _wrong_in(field, f"{amount:f} is not in whole cents")


def _wrong_in(field: str, reason: str) -> PydanticCustomError:
    """The error that refuses a field for what the rest of its record says."""
    return PydanticCustomError("feed", "{reason}", {"reason": reason, "field": field})


Record = Annotated[
    TaxRate | PaymentMethod | Client | Contact | Invoice | Payment | CreditNote, Field(discriminator="object")
]

RECORD_TYPES: dict[
    str,
    type[TaxRate]
    | type[PaymentMethod]
    | type[Client]
    | type[Contact]
    | type[Invoice]
    | type[Payment]
    | type[CreditNote],
] = {
    "tax_rate": TaxRate,
    "payment_method": PaymentMethod,
    "client": Client,
    "contact": Contact,
    "invoice": Invoice,
    "payment": Payment,
    "credit_note": CreditNote,
}
"""The model of each kind of record, in an order in which nothing names a record that comes later."""


def parse_record(data: Mapping[str, Any], left_out: list[str] | None = None) -> Record:
    """The record that `data` (one decoded JSON object) holds. Raises `RecordError` for the first thing wrong in it.

    `left_out` is filled with the fields that Xero would have shown, and that were left out for their odd values.
    """
    kind = data.get("object")
    if not isinstance(kind, str):
        raise RecordError(None, id_of(data), "object", "is missing: every record names its kind")
    model = RECORD_TYPES.get(kind)
    if model is None:
        raise RecordError(kind, id_of(data), "object", f"{quoted(kind)} is not a kind of record that the feed knows")
    try:
        return model.model_validate(data, context=left_out)
    except ValidationError as error:
        raise as_record_error(kind, data, error) from None
