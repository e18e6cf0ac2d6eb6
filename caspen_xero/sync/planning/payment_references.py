"""A payment's Reference in Xero: what a bookkeeper reads there, and ids that find it again: `EFTPOS pay_001/all_001`. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from caspen_xero.caspen.records import PaymentMethod, payment_id_in
from caspen_xero.store.clinic import AppliedPayment

LONG_ID = 6
"""From so many characters on an id of digits is no number that a bookkeeper would write, such as a day."""

_KEY = re.compile(r"(?:[\w.~-]|%[0-9A-F]{2})+/(?:[\w.~-]|%[0-9A-F]{2})+", re.ASCII)
_USUAL = "pay_"


def reference_of(payment: AppliedPayment, method: PaymentMethod | None) -> str:
    """What is written beside a payment: its method's name, its payment's id and its allocation's id."""
    return f"{method_named(method)} {payment.key}"


def earlier_reference_of(payment: AppliedPayment, method: PaymentMethod | None) -> str:
    """What earlier versions wrote: without the payment's id, so that two payments could have the same."""
    return f"{method_named(method)} {payment.allocation_id}"


def method_named(method: PaymentMethod | None) -> str:
    """What a Reference calls a payment's method."""
    return " ".join(method.name.split())[:100] if method else "Payment"


def last_word(reference: str | None) -> str:
    """The word of a Reference in which our ids would stand."""
    return (reference or "").rpartition(" ")[2]


def names(reference: str | None, payment: AppliedPayment) -> bool:
    """Whether a Reference in Xero holds the ids of this payment. A method's name may have changed since."""
    return names_key(reference, payment.key)


def names_key(reference: str | None, key: str) -> bool:
    """The same, for the key of an allocation (`allocation_key`)."""
    return last_word(reference) == key


def names_as_before(
    reference: str | None, amount: Decimal | None, payment: AppliedPayment, method: PaymentMethod | None
) -> bool:
    """Whether an earlier version may have written this Reference for this payment: it names it only together with the amount."""
    return reference == earlier_reference_of(payment, method) and amount == payment.amount


def named_as_before(
    reference: str | None,
    amount: Decimal | None,
    day: date | None,
    alike: Mapping[str, Sequence[AppliedPayment]],
    methods: Mapping[str, PaymentMethod],
    invoice_id: str | None = None,
) -> Iterator[AppliedPayment]:
    """The payments for which an earlier version may have written this Reference: of that day, or on this invoice of Caspen's.

    `alike`: Caspen's payments by their allocations' own ids.
    """
    for one in alike.get(last_word(reference), ()):
        is_near = one.date == day or one.invoice_id == invoice_id
        if is_near and names_as_before(reference, amount, one, methods.get(one.method_id or "")):
            yield one


def key_in(reference: str | None) -> str | None:
    """The last word of a Reference, where it has the form of an allocation's key."""
    last = last_word(reference)
    return last if _KEY.fullmatch(last) else None


def is_of_ours(key: str, payments: Collection[str]) -> bool:
    """Whether a key names one of these payments of Caspen's, though not an allocation that it has by now.

    A payment `3` is no reason to take a bookkeeper's `EFTPOS 3/11` for ours: its id has to be long, or to tell its kind.
    """
    payment_id = payment_id_in(key)
    return payment_id in payments and (len(payment_id) >= LONG_ID or "_" in payment_id)


def is_ours_by_form(reference: str | None, beginnings: Collection[str], methods: Collection[str]) -> bool:
    """Whether only we can have written a Reference whose payment is not known: a bookkeeper's `EFTPOS 3/11` is not ours.

    `beginnings`: how the ids of Caspen's payments begin; `methods`: the names of its payment methods. An id that begins like none
    has to be long, and stand behind the name of a method.
    """
    method, _, key = (reference or "").rpartition(" ")
    if not method or key_in(key) is None:
        return False
    payment_id = key.partition("/")[0]
    start = payment_id[: payment_id.find("_") + 1]
    if start:
        return start == _USUAL or start in beginnings
    return len(payment_id) >= LONG_ID and any(character.isdigit() for character in payment_id) and method in methods
