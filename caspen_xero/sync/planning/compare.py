"""What an invoice shows, side by side: what we would write, what we wrote, and what Xero shows now. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from caspen_xero.outside_text import plain
from caspen_xero.xero.documents import Contact, CreditNote, Invoice, Line

Shape = dict[str, str]
"""What people see of an invoice, as text by name (`line 2 quantity`); amounts without trailing zeros."""

SHOWN = 6
ZERO, CENT = Decimal(0), Decimal("0.01")
FIGURES = ("total", "whole tax")
"""What of a shape Xero computes."""
HEADING = frozenset({"number", "contact", "date", "currency"})
"""What of a shape says which invoice it is, besides its figures: both sides have to agree on it."""
_BOTH_TELL = ("account", "tax type", "discounted by", "discount")
NEVER_EMPTY = frozenset({"number", "contact", "date", "currency", "amounts are", *FIGURES, "Name"})
DETAILS = frozenset({"reference", "due date", "description", "account", "tax type"})
_MONEY = ("price", "discounted by", *FIGURES)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LINE = re.compile(r"line (\d+) (.+)")
ADDRESS_TYPES = ("STREET", "POBOX")
ADDRESS_PARTS = ("AddressLine1", "AddressLine2", "City", "Region", "PostalCode", "Country")


def invoice_shape(found: Invoice) -> Shape:
    """What Xero shows of an invoice that was read with its lines."""
    return _shape(found, found.invoice_number, found.due_date)


def document_shape(found: Invoice | CreditNote) -> Shape:
    """The same of an invoice or a credit note."""
    return invoice_shape(found) if isinstance(found, Invoice) else _shape(found, found.credit_note_number, None)


def _shape(found: Invoice | CreditNote, number: str | None, due_date: date | None) -> Shape:
    shape = {
        "number": text_of(number),
        "contact": text_of(found.contact.contact_id if found.contact else None),
        "date": text_of(found.date),
        "due date": text_of(due_date),
        "reference": text_of(found.reference),
        "currency": text_of(found.currency_code),
        "amounts are": text_of(found.line_amount_types),
    }
    for place, line in enumerate(found.line_items, 1):
        told = line_shape(line, has_tax=found.line_amount_types != "NoTax")
        shape |= {f"line {place} {name}": value for name, value in told.items()}
    shape |= {"total": text_of(found.total), "whole tax": text_of(found.total_tax)}
    return {name: value for name, value in shape.items() if value}


def lacks_account(found: Invoice) -> bool:
    """Whether a line that costs something has no account: so no invoice is approved."""
    return any(line.line_amount and not (line.account_code or line.account_id) for line in found.line_items)


def line_shape(line: Line, *, has_tax: bool) -> Shape:
    """What a line shows, by name (`description`, `account`: its code, or its id where it has none, ...)."""
    shape = {
        "description": text_of(line.description),
        "quantity": text_of(line.quantity),
        "price": text_of(line.unit_amount),
        "discounted by": _discounted_by(line),
        # Where no amount has tax, Xero shows the account's own type.
        "tax type": text_of(line.tax_type) if has_tax else "",
        "account": text_of(line.account_code or line.account_id),
    }
    return {name: value for name, value in shape.items() if value}


def _discounted_by(line: Line) -> str:
    """What a line's discount comes to, "0" for none: Xero shows it as a percentage, as an amount or as both, whichever was sent."""
    if line.quantity is None or line.unit_amount is None:
        return ""
    gross, net = line.quantity * line.unit_amount, line.line_amount
    if net is None:
        rate, amount = line.discount_rate or ZERO, line.discount_amount or ZERO
        net = gross - (gross * rate / 100 if rate else amount)
    return text_of(abs(_cents(gross) - _cents(net)))


def field_of(name: str) -> str:
    """What a name in a shape is about, whichever line it is of: `description` of `line 2 description`."""
    found = _LINE.match(name)
    return found[2] if found else name


def is_detail(name: str) -> bool:
    """Whether what is called so, of an invoice or of a line of it, is a bookkeeper's to decide where no money moves with it."""
    return field_of(name) in DETAILS


def heading_of(shape: Mapping[str, str]) -> Shape:
    """What of a shape is about the whole document, without its figures."""
    return {name: value for name, value in shape.items() if name not in FIGURES and not _LINE.match(name)}


def lines_of(shape: Mapping[str, str]) -> list[Shape]:
    """The lines of a shape in their order, as `line_shape` gives them."""
    lines: dict[int, Shape] = {}
    for name, value in shape.items():
        if found := _LINE.match(name):
            lines.setdefault(int(found[1]), {})[found[2]] = value
    return [lines[place] for place in sorted(lines)]


def sent_shape(body: Mapping[str, Any], total: Decimal, tax: Decimal | None) -> Shape:
    """What the body of an invoice or credit note would show, with the total and tax that Caspen says."""
    kind = CreditNote if "CreditNoteNumber" in body else Invoice
    figures = {"total": text_of(total), "whole tax": text_of(tax)}
    return document_shape(kind.model_validate(body)) | {name: value for name, value in figures.items() if value}


def sent_contact_shape(body: Mapping[str, Any]) -> Shape:
    """What a contact's body would show."""
    return contact_shape(Contact.model_validate(body))


def contact_shape(found: Contact) -> Shape:
    """What Xero shows of a contact, of the parts that we write."""
    shape = {
        "Name": text_of(found.name),
        "FirstName": text_of(found.first_name),
        "LastName": text_of(found.last_name),
        "EmailAddress": text_of(found.email_address),
    }
    for phone in found.phones:
        if phone.phone_type == "DEFAULT":
            shape["Phone"] = text_of(phone.phone_number)
    for address in found.addresses:
        if address.address_type in ADDRESS_TYPES:
            parts = (address.address_line1, address.address_line2, address.city, address.region)
            told = zip(ADDRESS_PARTS, (*parts, address.postal_code, address.country), strict=True)
            shape |= {f"{address.address_type} {part}": text_of(value) for part, value in told}
    return {name: value for name, value in shape.items() if value}


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Where two shapes differ: (what, in the one, in the other).

    Some things count only where both tell: no document is without them, earlier versions kept them otherwise or not at all, or
    Xero may take them off a line that costs nothing.
    """
    both = {name for name in one if name in other}
    names = [
        name for name in {**one, **other} if name in both or not (name in NEVER_EMPTY or name.endswith(_BOTH_TELL))
    ]
    return [
        (name, one.get(name, ""), other.get(name, "")) for name in names if one.get(name, "") != other.get(name, "")
    ]


def name_in_words(name: str) -> str:
    """What a name in a shape is called."""
    return "tax" if name == "whole tax" else name


def in_words(name: str, value: str) -> str:
    """A value of a shape as people write it: money with its cents."""
    if field_of(name) in _MONEY and _NUMBER.fullmatch(value):
        return with_cents(value)
    return plain(value or "nothing")


def with_cents(amount: str) -> str:
    """A plain amount with at least its cents."""
    whole, _, part = amount.partition(".")
    return f"{whole}.{part:0<2}"


def told(found: list[tuple[str, str, str]]) -> str:
    """Differences in words: Caspen's side first."""
    parts = [
        f"{name_in_words(name)} is {in_words(name, ours)} in Caspen, {in_words(name, theirs)} in Xero"
        for name, ours, theirs in found
    ]
    return shortened(parts) or "nothing that shows"


def told_edits(found: list[tuple[str, str, str]]) -> str:
    """What somebody has edited in Xero, in words: what was sent first; "" for nothing."""
    parts = [
        f"{name_in_words(name)} was {in_words(name, ours)}, is {in_words(name, theirs)}" for name, ours, theirs in found
    ]
    return shortened(parts)


def shortened(parts: Sequence[str]) -> str:
    """The first of some differences in words, and how many more there are."""
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def text_of(value: object) -> str:
    """A value as shapes have it: amounts without trailing zeros, every run of spaces as one; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return " ".join(str(value).split())
