"""The records of the Caspen billing feed, version 1: what a clinic's invoices, clients and payments look like to us.

Money, quantities and rates are `Decimal`, in the invoice's currency; dates are plain dates; times are aware and in UTC.
Records are frozen. Fields that the feed does not define are ignored; text stays as it came, control characters too. A field on
which no document in Xero depends stops nothing: an odd value there is left out (`Spare`; `Told` where Xero would have shown it).

    RecordError(ValueError)     a record that breaks the feed's shape: which field, and why
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, unquote

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .record_errors import LONGEST_ID, RecordError, as_record_error, id_of
from .values import quoted, read_date, read_decimal, read_timestamp, wrong

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


def _blank_is_null(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _null_is_blank(value: object) -> object:
    return "" if value is None else value


def _null_is_empty(value: object) -> object:
    return () if value is None else value


def _null_is_false(value: object) -> object:
    return False if value is None else value


def _or_nothing(value: object, check: ValidatorFunctionWrapHandler) -> object:
    try:
        return check(value)
    except ValidationError:
        return None


def _or_left_out(value: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    try:
        return check(value)
    except ValidationError:
        if isinstance(info.context, list):
            info.context.append(info.field_name)
        return None


def _plain_phone_numbers(value: object) -> object:
    """Caspen does not document what an element of `phone_numbers` is: a text, or an object that holds one."""
    if not isinstance(value, list | tuple):
        return () if value is None else value
    found = (item.get("number") or item.get("phone_number") if isinstance(item, dict) else item for item in value)
    return tuple(number for number in found if number not in (None, ""))


def _share(value: Decimal) -> Decimal:
    if not 0 <= value <= 100:
        raise wrong(f"{value} is not a percentage between 0 and 100")
    return value


Id = Annotated[str, StringConstraints(pattern=r"\S", max_length=LONGEST_ID)]
OptionalId = Annotated[Id | None, BeforeValidator(_blank_is_null)]
_Plain = PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json")  # never 0E-7
Amount = Annotated[Decimal, BeforeValidator(read_decimal), _Plain]
Percentage = Annotated[Decimal, BeforeValidator(lambda value: _share(read_decimal(value))), _Plain]
Day = Annotated[dt.date, BeforeValidator(read_date)]
OptionalDay = Annotated[Day | None, BeforeValidator(_blank_is_null)]
Moment = Annotated[dt.datetime, BeforeValidator(read_timestamp)]
OptionalMoment = Annotated[Moment | None, BeforeValidator(_blank_is_null)]
Description = Annotated[str, BeforeValidator(_null_is_blank)]
Spare = Annotated[str | None, WrapValidator(_or_nothing)]
Told = Annotated[str | None, WrapValidator(_or_left_out)]
PhoneNumbers = Annotated[
    tuple[str, ...],
    BeforeValidator(_plain_phone_numbers),
    WrapValidator(_or_left_out),
    WrapValidator(lambda value, check: check(value) or ()),
]


class _Part(BaseModel):
    """Anything of a record. Whole numbers are taken where text is expected: ids, postcodes and item codes often are."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class _Record(_Part):
    id: Id
    updated_at: OptionalMoment = None
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
    name: str
    rate: Percentage
    archived: Annotated[bool, BeforeValidator(_null_is_false)] = False


class PaymentMethod(_Record):
    """A way clients pay, such as a card or EFTPOS; `type` is Caspen's own word for it."""

    object: Literal["payment_method"] = "payment_method"
    name: str
    type: Spare = None


class Address(_Part):
    """A postal address; any part may be unknown."""

    line1: Told = None
    line2: Told = None
    city: Told = None
    state: Told = None
    postal_code: Told = None
    country_code: Told = None


PostalAddress = Annotated[Address | None, WrapValidator(_or_left_out)]


class Client(_Record):
    """A person that the clinic treats."""

    object: Literal["client"] = "client"
    title: Spare = None
    first_name: str | None = None
    last_name: str | None = None
    preferred_name: Spare = None
    email: Told = None
    phone_number: Told = None
    phone_numbers: PhoneNumbers = ()
    address: PostalAddress = None


class Contact(_Record):
    """A third party who pays for a client ("Invoice to"), such as a health insurer or an NDIS plan manager."""

    object: Literal["contact"] = "contact"
    type: Spare = None
    title: Spare = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email: Told = None
    phone_numbers: PhoneNumbers = ()
    address: PostalAddress = None


class Discount(_Part):
    """`percentage`: 0 to 100 of the line; `fixed`: an amount off the line, in the invoice's currency."""

    type: DiscountType
    value: Amount

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if self.type == "percentage":
            _share(self.value)
        elif self.value < 0:
            raise wrong(f"a discount of {self.value} is negative")
        return self


class _Line(_Part):
    id: Id
    description: Description = ""
    item_code: OptionalId = None
    quantity: Amount
    unit_price: Amount
    discount: Discount | None = None
    tax_rate_id: OptionalId = None
    amount: Amount | None = None
    tax: Amount | None = None


class InvoiceLine(_Line):
    """A line of an invoice. `amount` and `tax` are Caspen's own figures for it, where the source carries them."""


class CreditNoteLine(_Line):
    """A credited line; `invoice_line_id` is the line of the invoice that it credits."""

    invoice_line_id: Spare = None


class Invoice(_Record):
    """An invoice. Its subtotal (without tax), tax and total are Caspen's own, and present on every finalised one."""

    object: Literal["invoice"] = "invoice"
    number: OptionalId = None
    status: InvoiceStatus
    client_id: Id
    invoice_to_id: OptionalId = None
    issue_date: Day
    due_date: OptionalDay = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    tax_mode: TaxMode
    reference: str | None = None
    lines: Annotated[tuple[InvoiceLine, ...], BeforeValidator(_null_is_empty)] = ()
    subtotal: Amount | None = None
    tax: Amount | None = None
    total: Amount | None = None
    finalized_at: Annotated[OptionalMoment, WrapValidator(_or_nothing)] = None
    url: Annotated[OptionalId, WrapValidator(_or_left_out)] = None

    @model_validator(mode="after")
    def _finalised_is_complete(self) -> Self:
        if self.status in (*FINALISED, "void"):
            for field in ("number", "subtotal", "tax", "total"):
                if getattr(self, field) is None:
                    raise _wrong_in(field, f"is missing, but the invoice's status is {self.status}")
        return self


class Allocation(_Part):
    """The part of a payment that is put on one invoice."""

    id: Id
    invoice_id: Id
    amount: Amount
    date: Annotated[OptionalDay, WrapValidator(_or_nothing)] = None


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
    client_id: Annotated[OptionalId, WrapValidator(_or_nothing)] = None
    date: Day
    method_id: OptionalId = None
    amount: Amount
    status: PaymentStatus
    description: Spare = None
    xero_id: OptionalId = None
    allocations: Annotated[tuple[Allocation, ...], BeforeValidator(_null_is_empty)] = ()

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
    number: Id
    invoice_id: Id
    date: Day
    status: CreditNoteStatus
    reason: Spare = None
    lines: Annotated[tuple[CreditNoteLine, ...], BeforeValidator(_null_is_empty)] = ()
    subtotal: Amount
    tax: Amount
    total: Amount

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
