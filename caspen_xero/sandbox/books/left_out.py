"""Keys that an answer leaves out where they would say nothing.

So a demo company answered in April 2026; another showed them all, empty, in September. The switch `absent_keys` chooses.
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
    "ContactID": {"EmailAddress": "", "FirstName": "", "LastName": ""},
    "PaymentType": {"CurrencyRate": None},  # a payment by itself always has its rate, one that a document lists has not
    "PaymentID": {"Reference": "", "CurrencyRate": 1},
    "InvoiceID": {"CurrencyRate": 1, "AmountCredited": 0},
    "CreditNoteID": {"CurrencyRate": 1},
    "HasAttachments": {"SentToContact": False},  # of what is read; the answer to a write says it
}
"""What says nothing in an element that has a key of this name; of two that it has, the first counts.

A rate of 1 is that of the organisation's own currency. Which documents lack theirs is a guess: in April 2026, the older half.
"""


def without_what_says_nothing(shown: Any) -> Any:
    """An answer, or a part of it, without the keys that say nothing."""
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
