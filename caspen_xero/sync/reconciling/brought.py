"""What a part of the reading has brought: documents of Xero's, and what can't be read; and how that is kept for a while.

Kept is what is compared and no more: of a client the name on a document, and neither address nor e-mail.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from caspen_xero.xero.answers import read, text_in
from caspen_xero.xero.dealings import CreditKind
from caspen_xero.xero.documents import CreditNote, Invoice, Payment
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.whole_lists import ID_NAMES, Plural

_KINDS: Mapping[Plural, type[Element]] = {"Invoices": Invoice, "Payments": Payment, "CreditNotes": CreditNote}


@dataclass(frozen=True)
class Odd:
    """A document that is there and can't be read, and the InvoiceIDs of the invoices that it is, or is on, as far as it says."""

    why: str
    invoice_ids: tuple[str, ...] = ()


@dataclass
class Brought:
    """Documents by their ids in Xero; `odd`: what can't be read, by its id, or by its words where it has none."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    credits: dict[str, tuple[CreditKind, CreditNote]] = field(default_factory=dict)
    odd: dict[str, Odd] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        """What it holds."""
        return self.invoices.keys() | self.payments.keys() | self.credits.keys() | self.odd.keys()

    def __contains__(self, id_: object) -> bool:
        return any(id_ in documents for documents in (self.invoices, self.payments, self.credits, self.odd))

    def __len__(self) -> int:
        return len(self.invoices) + len(self.payments) + len(self.credits) + len(self.odd)

    def take(self, more: Brought) -> None:
        """Takes in what was read later: it counts, whatever was read of the same document before."""
        for id_ in more.ids:
            self.drop(id_)
        self.invoices |= more.invoices
        self.payments |= more.payments
        self.credits |= more.credits
        self.odd |= more.odd

    def drop(self, id_: str) -> None:
        """Forgets a document."""
        for documents in (self.invoices, self.payments, self.credits, self.odd):
            documents.pop(id_, None)


def brought(plural: Plural, rows: Iterable[object]) -> Brought:
    """The elements of a page of such a list, read."""
    found = Brought()
    for row in rows:
        id_ = text_in(row, ID_NAMES[plural])
        try:
            document = read(_KINDS[plural], row)
            if id_ is None:
                raise Unreadable(f"one {document.called} of its list has no {ID_NAMES[plural]} that can be read")
        except Unreadable as error:
            found.odd[id_ or error.why] = Odd(error.why, tuple(_invoices_of(plural, row)))
            continue
        match document:
            case Invoice():
                found.invoices[id_] = document
            case Payment():
                found.payments[id_] = document
            case CreditNote():
                found.credits[id_] = ("credit_note", document)
    return found


def _invoices_of(plural: Plural, row: object) -> Iterable[str]:
    """The InvoiceIDs that an element which can't be read names all the same."""
    if not isinstance(row, Mapping):
        return
    allocations = row.get("Allocations") if plural == "CreditNotes" else None
    parts = allocations if isinstance(allocations, list) else [row]
    for part in parts:
        place = part if plural == "Invoices" else part.get("Invoice") if isinstance(part, Mapping) else None
        if id_ := text_in(place, "InvoiceID"):
            yield id_


# --- kept


def packed(found: Brought) -> bytes:
    """What was brought, in a compact form."""
    content = {
        "invoices": {id_: _plain(one) for id_, one in found.invoices.items()},
        "payments": {id_: _plain(one) for id_, one in found.payments.items()},
        "credits": {id_: [kind, _plain(one)] for id_, (kind, one) in found.credits.items()},
        "odd": {id_: [one.why, *one.invoice_ids] for id_, one in found.odd.items()},
    }
    return zlib.compress(json.dumps(content, default=_text, separators=(",", ":")).encode())


def unpacked(content: bytes) -> Brought:
    """The same again. Raises ValueError where it is none, as an earlier version may have kept it otherwise."""
    try:
        kept = json.loads(zlib.decompress(content))
        return Brought(
            {id_: read(Invoice, one) for id_, one in kept["invoices"].items()},
            {id_: read(Payment, one) for id_, one in kept["payments"].items()},
            {id_: (kind, read(CreditNote, one)) for id_, (kind, one) in kept["credits"].items()},
            {id_: Odd(why, tuple(ids)) for id_, (why, *ids) in kept["odd"].items()},
        )
    except (zlib.error, KeyError, TypeError, AttributeError, Unreadable) as error:
        raise ValueError("not a page that was kept") from error


def _plain(document: Element) -> dict[str, Any]:
    return document.model_dump(exclude_unset=True)  # what Xero left out stays left out


def _text(value: object) -> str:
    """Amounts with their exact digits, days and times."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # a time too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is in no document")
