"""A payment's Reference in Xero: what a bookkeeper reads there, and ids that find it again: `EFTPOS pay_001/all_001`. Pure."""

from __future__ import annotations

from decimal import Decimal

from caspen_xero.caspen.records import PaymentMethod
from caspen_xero.store.clinic import AppliedPayment


def reference_of(payment: AppliedPayment, method: PaymentMethod | None) -> str:
    """What is written beside a payment: its method's name, its payment's id and its allocation's id."""
    return f"{_called(method)} {payment.key}"


def earlier_reference_of(payment: AppliedPayment, method: PaymentMethod | None) -> str:
    """What earlier versions wrote: without the payment's id, so that two payments could have the same."""
    return f"{_called(method)} {payment.allocation_id}"


def names(reference: str | None, payment: AppliedPayment) -> bool:
    """Whether a Reference in Xero holds the ids of this payment. A method's name may have changed since."""
    return names_key(reference, payment.key)


def names_key(reference: str | None, key: str) -> bool:
    """The same, for the key of an allocation (`allocation_key`)."""
    return (reference or "").rpartition(" ")[2] == key


def names_as_before(
    reference: str | None, amount: Decimal | None, payment: AppliedPayment, method: PaymentMethod | None
) -> bool:
    """Whether an earlier version may have written this Reference for this payment: it names it only together with the amount."""
    return reference == earlier_reference_of(payment, method) and amount == payment.amount


def _called(method: PaymentMethod | None) -> str:
    return " ".join(method.name.split())[:100] if method else "Payment"
