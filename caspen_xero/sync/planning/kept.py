"""Whether Xero keeps what was sent: a body beside the document that an answer shows, the whole and line by line. Pure.

What an answer does not tell is no difference, as its shapes differ; but a line that is told without its account or tax type has
none. What is only written otherwise is no difference either: spaces and line ends, trailing zeros, a discount under another key,
a price with fewer places that leaves the amount as it is. Lines without a price may lose account and tax type, and where no
amount has tax the tax type says nothing (quicktill#135, recorded answers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from caspen_xero.outside_text import plain
from caspen_xero.sync.planning.compare import shortened, text_of
from caspen_xero.xero.documents import Contact, CreditNote, Invoice, Line, Payment

ZERO = Decimal(0)
HALF_A_CENT = Decimal("0.005")
HALF_A_RATE = Decimal("0.0000005")
NO_TAX = "NoTax"


@dataclass(frozen=True)
class NotKept:
    """One thing that Xero shows otherwise than it was sent, as text; "" for nothing.

    `what`: "account", "tax type", "description", "line", ... `line`: the place of its line among those sent, or shown where none
    was sent, from 1; None for the document itself.
    """

    what: str
    sent: str
    shown: str
    line: int | None = None

    @property
    def is_left_out(self) -> bool:
        """Whether it is an account or a tax type that Xero took the line without: nobody can take one away from there."""
        return self.what in ("account", "tax type") and not self.shown

    @property
    def in_words(self) -> str:
        """`line 2: account was sent as 200, Xero shows none`."""
        place = "" if self.line is None else f"line {self.line}: "
        return f"{place}{self.what} was sent as {_or_none(self.sent)}, Xero shows {_or_none(self.shown)}"


_LOST = "lost "


def as_lost(fingerprint: str | None) -> str:
    """The fingerprint of a document that Xero did not keep as it was sent: that of nothing that Caspen says."""
    return fingerprint if fingerprint is not None and is_lost(fingerprint) else _LOST + (fingerprint or "")


def is_lost(fingerprint: str | None) -> bool:
    """Whether a link says that Xero did not keep what was sent."""
    return fingerprint is not None and fingerprint.startswith(_LOST)


def told_not_kept(found: Sequence[NotKept]) -> str:
    """Differences in words; "" for none."""
    return shortened([one.in_words for one in found])


def not_kept(body: Mapping[str, Any], found: Invoice | CreditNote) -> list[NotKept]:
    """What an invoice or credit note shows otherwise than its body says: header first, then line by line.

    Lines are matched by the LineItemID that was sent, else in order. A document that was read without lines says nothing of them.
    """
    number = (
        ("InvoiceNumber", found.invoice_number)
        if isinstance(found, Invoice)
        else ("CreditNoteNumber", found.credit_note_number)
    )
    heads = (
        ("number", body.get(number[0]), number[1]),
        ("contact", _part(body, "Contact", "ContactID"), found.contact.contact_id if found.contact else None),
        ("date", body.get("Date"), found.date),
        ("due date", body.get("DueDate"), found.due_date if isinstance(found, Invoice) else None),
        ("reference", body.get("Reference"), found.reference),
        ("currency", body.get("CurrencyCode"), found.currency_code),
        ("amounts are", body.get("LineAmountTypes"), found.line_amount_types),
    )
    differ = list(_texts(heads))
    if found.line_items and body.get("LineItems"):
        has_tax = NO_TAX not in (body.get("LineAmountTypes"), found.line_amount_types)
        for place, sent, shown in _pairs(body["LineItems"], found.line_items):
            differ += _lines_differ(place, sent, shown, has_tax=has_tax)
    return differ


def payment_not_kept(body: Mapping[str, Any], found: Payment) -> list[NotKept]:
    """What a payment shows otherwise than its body says: invoice, account, date, amount, reference."""
    account = found.account
    ids = (
        ("invoice", _part(body, "Invoice", "InvoiceID"), found.invoice.invoice_id if found.invoice else None),
        ("account", _part(body, "Account", "AccountID"), account.account_id if account else None),
        ("date", body.get("Date"), found.date),
        ("reference", body.get("Reference"), found.reference),
    )
    differ = list(_texts(ids))
    if found.amount is not None and "Amount" in body and _amount(body["Amount"]) != found.amount:
        differ.append(NotKept("amount", text_of(_amount(body["Amount"])), text_of(found.amount)))
    return differ


def contact_not_kept(body: Mapping[str, Any], found: Contact) -> list[NotKept]:
    """What a contact shows otherwise than its body says, of what it is known by: name and number."""
    told = (
        ("name", body.get("Name"), found.name),
        ("number", body.get("ContactNumber"), found.contact_number),
    )
    return list(_texts(told))


def _texts(told: Iterable[tuple[str, Any, Any]], line: int | None = None) -> Iterator[NotKept]:
    """Those of (what, sent, shown) that differ as text; what was not sent, or is not told, does not."""
    for what, sent, shown in told:
        if sent is not None and shown is not None and sent != shown:
            ours, theirs = text_of(sent), text_of(shown)
            if ours != theirs and not (what in _IDS and ours.casefold() == theirs.casefold()):
                yield NotKept(what, ours, theirs, line)


_IDS = frozenset({"contact", "invoice", "account"})


# --- lines


def _pairs(
    sent: Sequence[Mapping[str, Any]], shown: Sequence[Line]
) -> Iterator[tuple[int, Mapping[str, Any] | None, Line | None]]:
    """Lines that belong together, with their place; one that is missing, or that nobody sent, stands alone."""
    by_id = {line.line_item_id: line for line in shown if line.line_item_id}
    theirs: dict[int, Line] = {
        place: by_id[line["LineItemID"]] for place, line in enumerate(sent) if line.get("LineItemID") in by_id
    }
    known = {id(line) for line in theirs.values()}
    left = [line for line in shown if id(line) not in known]
    open_places = [place for place in range(len(sent)) if place not in theirs]
    theirs |= _in_order(open_places, sent, left)
    taken = {id(line) for line in theirs.values()}
    for place, line in enumerate(sent):
        yield place + 1, line, theirs.get(place)
    for place, extra in enumerate(shown):
        if id(extra) not in taken:
            yield place + 1, None, extra


def _in_order(places: Sequence[int], sent: Sequence[Mapping[str, Any]], shown: Sequence[Line]) -> dict[int, Line]:
    """Lines without an id in their order; where one is missing or too many, those that look alike stand together."""
    if len(places) == len(shown):
        return dict(zip(places, shown, strict=True))
    theirs: dict[int, Line] = {}
    start = 0
    for place in places:
        look = (text_of(sent[place].get("Description")), _line_amount(sent[place]))
        for later in range(start, len(shown)):
            if text_of(shown[later].description) == look[0] and _is_near(look[1], shown[later].line_amount):
                theirs[place], start = shown[later], later + 1
                break
    return theirs


def _lines_differ(
    place: int, sent: Mapping[str, Any] | None, shown: Line | None, *, has_tax: bool
) -> Iterator[NotKept]:
    if sent is None or shown is None:
        yield NotKept(
            "line", text_of((sent or {}).get("Description")), text_of(shown.description if shown else None), place
        )
        return
    yield from _texts([("description", sent.get("Description"), shown.description)], place)
    yield from _amounts_differ(place, sent, shown)
    is_told = shown.line_amount is not None or shown.unit_amount is not None
    if is_told and _amount(sent.get("UnitAmount")) != ZERO:
        yield from _account_differs(place, sent, shown)
        if has_tax and sent.get("TaxType") and sent["TaxType"] != shown.tax_type:
            yield NotKept("tax type", text_of(sent["TaxType"]), text_of(shown.tax_type), place)
    tax = _amount(sent.get("TaxAmount"))
    if has_tax and tax is not None and shown.tax_amount is not None and tax != shown.tax_amount:
        yield NotKept("tax amount", text_of(tax), text_of(shown.tax_amount), place)


def _account_differs(place: int, sent: Mapping[str, Any], shown: Line) -> Iterator[NotKept]:
    """By its id where both have one, else by its code; shown with neither, it is not there."""
    id_, code = sent.get("AccountID"), sent.get("AccountCode")
    if not (id_ or code):
        return
    named = text_of(code or id_)
    if not (shown.account_id or shown.account_code):
        yield NotKept("account", named, "", place)
    elif id_ and shown.account_id:
        if id_.casefold() != shown.account_id.casefold():
            yield NotKept("account", named, text_of(shown.account_code or shown.account_id), place)
    elif code and shown.account_code and code != shown.account_code:
        yield NotKept("account", named, text_of(shown.account_code), place)


def _amounts_differ(place: int, sent: Mapping[str, Any], shown: Line) -> Iterator[NotKept]:
    quantity, price = _amount(sent.get("Quantity")), _amount(sent.get("UnitAmount"))
    if quantity is not None and shown.quantity is not None and quantity != shown.quantity:
        yield NotKept("quantity", text_of(quantity), text_of(shown.quantity), place)
    if price is not None and shown.unit_amount is not None and not _is_as_good(price, shown.unit_amount):
        yield NotKept("price", text_of(price), text_of(shown.unit_amount), place)
    ours, theirs = _discounts(sent, shown)
    if abs(ours - theirs) > HALF_A_CENT + _left_by_rate(sent, shown):
        yield NotKept("discount", f"{ours:.2f}", f"{theirs:.2f}", place)
    amount = _line_amount(sent)
    if not _is_near(amount, shown.line_amount):
        yield NotKept("amount", f"{amount:.2f}", text_of(shown.line_amount), place)


def _is_as_good(sent: Decimal, shown: Decimal) -> bool:
    """Whether a price is the one that was sent, or that one with the fewer places (two or more) that it is shown with."""
    if sent == shown:
        return True
    exponent = shown.as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return places < 4 and abs(sent - shown) <= Decimal(5).scaleb(-places - 1)


def _gross(sent: Mapping[str, Any]) -> Decimal:
    """Quantity times price of a body's line, exact."""
    quantity = _amount(sent.get("Quantity"))
    return (Decimal(1) if quantity is None else quantity) * (_amount(sent.get("UnitAmount")) or ZERO)


def _line_amount(sent: Mapping[str, Any]) -> Decimal | None:
    """What a body's line comes to, exact: Xero rounds it to cents. None where no price was sent."""
    amount = _amount(sent.get("LineAmount"))
    if amount is not None or sent.get("UnitAmount") is None:
        return amount
    gross = _gross(sent)
    return gross - _comes_to(gross, _amount(sent.get("DiscountRate")), _amount(sent.get("DiscountAmount")))


def _discounts(sent: Mapping[str, Any], shown: Line) -> tuple[Decimal, Decimal]:
    """What a line's discount comes to as it was sent, and as it is shown.

    Xero shows rate and amount whichever was sent, and may round the other: the one that was sent is the one to look at.
    """
    gross, rate, amount = _gross(sent), _amount(sent.get("DiscountRate")), _amount(sent.get("DiscountAmount"))
    ours = _comes_to(gross, rate, amount)
    if rate and shown.discount_rate is not None:
        return ours, _comes_to(gross, shown.discount_rate, None)
    if amount and shown.discount_amount is not None:
        return ours, shown.discount_amount
    return ours, _comes_to(gross, shown.discount_rate, shown.discount_amount)


def _left_by_rate(sent: Mapping[str, Any], shown: Line) -> Decimal:
    """What a percentage of four places, the only one shown, may be away from the amount that was sent."""
    is_rate_alone = sent.get("DiscountAmount") is not None and shown.discount_amount is None
    return abs(_gross(sent)) * HALF_A_RATE if is_rate_alone else ZERO


def _comes_to(gross: Decimal, rate: Decimal | None, amount: Decimal | None) -> Decimal:
    """A discount in money; of both, the rate counts (xero-php-oauth2#152)."""
    return gross * rate / 100 if rate else amount or ZERO


def _is_near(exact: Decimal | None, shown: Decimal | None) -> bool:
    """Whether an amount is the exact one in cents, whichever way half a cent goes; what is not told is."""
    return exact is None or shown is None or abs(exact - shown) <= HALF_A_CENT


# --- values


def _part(body: Mapping[str, Any], name: str, id_: str) -> Any:
    """The id of what a body names."""
    return (body.get(name) or {}).get(id_)


def _amount(value: Any) -> Decimal | None:
    return None if value is None else value if isinstance(value, Decimal) else Decimal(str(value))


def _or_none(text: str) -> str:
    return plain(text) or "none"
