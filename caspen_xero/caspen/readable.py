"""What can be read of a record that is bad: enough to name it, and the invoices that it concerns.

A finalised invoice whose record is wrong somewhere must still be listed, and so must one whose payment is.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticCustomError

from .values import read_date, read_decimal, read_timestamp

KINDS = ("invoice", "payment", "credit_note")
"""The kinds whose bad records are kept: those that carry money. As text, this tuple is also a list of SQL's."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST = 200
"""Characters of a text that is kept of a bad record; what is longer names nothing."""


@dataclass(frozen=True)
class Readable:
    """The parts of a bad invoice, payment or credit note that could be read; each None where it could not.

    `id`: its own; where it has none, its number, else a hash of the whole (`has_id` is False then). `invoice_ids`: the invoice that
    it is, or those that it is put on. `total` in `currency`, with no more than cents; `updated_at` in UTC.
    """

    kind: str
    id: str
    has_id: bool
    number: str | None
    status: str | None
    client_id: str | None
    day: dt.date | None
    total: Decimal | None
    currency: str | None
    invoice_ids: tuple[str, ...]
    updated_at: dt.datetime | None


def readable_of(data: Mapping[str, Any]) -> Readable | None:
    """What can be read of a decoded record; None for the kinds that carry no money."""
    kind = data.get("object")
    if kind not in KINDS:
        return None
    own, number = _text(data.get("id")), _text(data.get("number"))
    id_ = own or number or _hash(data)
    return Readable(
        kind=kind,
        id=id_,
        has_id=own is not None,
        number=number,
        status=_text(data.get("status")),
        client_id=_text(data.get("client_id")),
        day=_read(read_date, data.get("issue_date" if kind == "invoice" else "date")),
        total=_amount(data.get("amount" if kind == "payment" else "total")),
        currency=code if isinstance(code := data.get("currency"), str) and _CURRENCY.fullmatch(code) else None,
        invoice_ids=tuple(dict.fromkeys([id_] if kind == "invoice" else _invoices_named(data))),
        updated_at=_read(read_timestamp, data.get("updated_at")),
    )


def _invoices_named(data: Mapping[str, Any]) -> list[str]:
    allocations = data.get("allocations")
    parts = [one for one in allocations if isinstance(one, Mapping)] if isinstance(allocations, list | tuple) else []
    return [id_ for one in (data, *parts) if (id_ := _text(one.get("invoice_id"))) is not None]


def _text(value: object) -> str | None:
    """A text or whole number, as records take them; None for all else, and for what names nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        text = str(value)
        text.encode()
    except ValueError:  # more digits than Python writes, or half a character
        return None
    return text if text.strip() and len(text) <= _LONGEST else None


def _amount(value: object) -> Decimal | None:
    amount = _read(read_decimal, value)
    return None if amount is None or amount * 100 % 1 else amount


def _read(reader: Any, value: object) -> Any:
    try:
        return reader(value)
    except (PydanticCustomError, ValueError):
        return None


def _hash(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        repr(sorted(data.items(), key=lambda item: str(item[0]))).encode("utf-8", "replace")
    ).hexdigest()[:16]
