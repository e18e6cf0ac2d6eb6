"""Keys that an answer leaves out where they would say nothing.

Recorded answers know both: what nobody has saved for years, or a person has typed in, has no such keys; what the API wrote has
them, empty. Which of the two a document is, is not modelled: the switch `absent_keys` chooses for all of them.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

_LINES = ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4")
_ADDRESS = (*_LINES, "City", "Region", "PostalCode", "Country", "AttentionTo")
_PHONE = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")

_SAYS_NOTHING: Mapping[str, Mapping[str, Any]] = {
    "PhoneType": dict.fromkeys(_PHONE, ""),
    "AddressType": dict.fromkeys(_ADDRESS, ""),
    "ContactID": {"EmailAddress": "", "FirstName": "", "LastName": "", "BankAccountDetails": ""},
    "PaymentType": {"CurrencyRate": None},  # a payment by itself always has its rate, one that a document lists has not
    "PaymentID": {"Reference": "", "CurrencyRate": 1},
    "InvoiceID": {"CurrencyRate": 1},
    "CreditNoteID": {"CurrencyRate": 1},
    "BankTransactionID": {"Reference": ""},
}
"""What says nothing in an element that has a key of this name; of two that it has, the first counts.

A rate of 1 is that of the organisation's own currency.
"""


def as_answered(shown: dict[str, Any], view: str) -> dict[str, Any]:
    """A document in a view, without the keys that say nothing: all of those, but for the answer to a write.

    What was just written shows its own keys, and so does the invoice of a payment; only of its contact the empty ones are left out.
    """
    if view != "created":
        left: dict[str, Any] = without_what_says_nothing(shown)
        return left
    left = dict(shown)
    if "Contact" in left:
        left["Contact"] = without_what_says_nothing(left["Contact"])
    if "Invoice" in left:
        left["Invoice"] = as_answered(left["Invoice"], view)
    return left


def without_what_says_nothing(shown: Any) -> Any:
    """A part of an answer without the keys that say nothing."""
    if isinstance(shown, list):
        return [without_what_says_nothing(one) for one in shown]
    if not isinstance(shown, dict):
        return shown
    nothing = ChainMap(*(dict(keys) for mark, keys in _SAYS_NOTHING.items() if mark in shown))
    return {
        name: without_what_says_nothing(value)
        for name, value in shown.items()
        if name not in nothing or value != nothing[name]
    }
