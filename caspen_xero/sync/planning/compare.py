"""What an invoice shows, side by side: what we would write, what we wrote, and what Xero shows now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from caspen_xero.xero.documents import Contact, CreditNote, Invoice

Shape = dict[str, str]
"""What people see of an invoice, as text by name (`line 2 quantity`); amounts without trailing zeros."""

SHOWN = 6
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
        "number": _text(number),
        "contact": _text(found.contact.contact_id if found.contact else None),
        "date": _text(found.date),
        "due date": _text(due_date),
        "reference": _text(found.reference),
        "currency": _text(found.currency_code),
        "amounts are": _text(found.line_amount_types),
    }
    for place, line in enumerate(found.line_items, 1):
        shape |= {
            f"line {place} description": _text(line.description),
            f"line {place} quantity": _text(line.quantity),
            f"line {place} price": _text(line.unit_amount),
            f"line {place} discount": _text(line.discount_rate or line.discount_amount),
            # Where no amount has tax, Xero shows the account's own type.
            f"line {place} tax type": "" if found.line_amount_types == "NoTax" else _text(line.tax_type),
        }
    shape["total"] = _text(found.total)
    return {name: value for name, value in shape.items() if value}


def body_shape(body: Mapping[str, Any], total: Decimal) -> Shape:
    """What an invoice's body would show, with the total that Caspen says."""
    return invoice_shape(Invoice.model_validate(body)) | {"total": _text(total)}


def sent_shape(body: Mapping[str, Any], total: Decimal, found: Invoice | CreditNote) -> Shape:
    """What the body of an invoice or credit note would show, in the words in which Xero shows it where nobody has edited it.

    Xero shows a discount that was sent as an amount as a percentage too, and then that is what people see.
    """
    sent = type(found).model_validate(body)
    shape = document_shape(sent)
    for place, (ours, theirs) in enumerate(zip(sent.line_items, found.line_items, strict=False), 1):
        if ours.discount_amount and not ours.discount_rate and ours.discount_amount == theirs.discount_amount:
            shape[f"line {place} discount"] = _text(theirs.discount_rate or theirs.discount_amount)
    return shape | {"total": _text(total)}


def sent_contact_shape(body: Mapping[str, Any]) -> Shape:
    """What a contact's body would show."""
    return contact_shape(Contact.model_validate(body))


def contact_shape(found: Contact) -> Shape:
    """What Xero shows of a contact, of the parts that we write."""
    shape = {
        "Name": _text(found.name),
        "FirstName": _text(found.first_name),
        "LastName": _text(found.last_name),
        "EmailAddress": _text(found.email_address),
    }
    for phone in found.phones:
        if phone.phone_type == "DEFAULT":
            shape["Phone"] = _text(phone.phone_number)
    for address in found.addresses:
        if address.address_type in ADDRESS_TYPES:
            parts = (address.address_line1, address.address_line2, address.city, address.region)
            told = zip(ADDRESS_PARTS, (*parts, address.postal_code, address.country), strict=True)
            shape |= {f"{address.address_type} {part}": _text(value) for part, value in told}
    return {name: value for name, value in shape.items() if value}


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Where two shapes differ: (what, in the one, in the other). A total counts only where both have one."""
    names = [name for name in {**one, **other} if name != "total" or (name in one and name in other)]
    return [
        (name, one.get(name, ""), other.get(name, "")) for name in names if one.get(name, "") != other.get(name, "")
    ]


def told(found: list[tuple[str, str, str]]) -> str:
    """Differences in words: Caspen's side first."""
    parts = [f"{name} is {ours or 'nothing'} in Caspen, {theirs or 'nothing'} in Xero" for name, ours, theirs in found]
    return _shortened(parts) or "nothing that shows"


def told_edits(found: list[tuple[str, str, str]]) -> str:
    """What somebody has edited in Xero, in words: what was sent first; "" for nothing."""
    parts = [f"{name} was {ours or 'nothing'}, is {theirs or 'nothing'}" for name, ours, theirs in found]
    return _shortened(parts)


def _shortened(parts: Sequence[str]) -> str:
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return " ".join(str(value).split())
