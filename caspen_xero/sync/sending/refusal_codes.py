"""The code of what Xero refuses, by its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from caspen_xero.sync.problems import ProblemCode

_NUMBER_TAKEN = {
    "contact": ProblemCode.CONTACT_NUMBER_TAKEN,
    "invoice": ProblemCode.INVOICE_NUMBER_TAKEN,
    "credit-note": ProblemCode.CREDIT_NOTE_NUMBER_TAKEN,
}

# Xero's words are matched loosely, to name a refusal. On a match depends how long what is like it waits; never what is sent.
_KNOWN_WORDS: tuple[tuple[str, ProblemCode | Mapping[str, ProblemCode]], ...] = (
    (
        r"lock(ed|ing)?[ -]?date|(locked|closed)[ -](\w+ )?(period|year)|(period|year)\b.{0,40}\b(is|been) (locked|closed)",
        ProblemCode.PERIOD_LOCKED,
    ),
    (r"contact.*archived|archived contact", ProblemCode.CONTACT_ARCHIVED),
    (r"limit of invoices you can approve", ProblemCode.APPROVAL_LIMIT),
    (r"must be unique|already assigned to another contact|this contact number", _NUMBER_TAKEN),
    (
        r"account code.*(not a valid|archived|deleted)|account could not be found|account code or (id must|account id)"
        r"|account must be valid",
        ProblemCode.ACCOUNT_REFUSED,
    ),
    (r"taxtype code|taxtype field|tax rate must be valid", ProblemCode.TAX_RATE_REFUSED),
    (r"not subscribed to currency", ProblemCode.CURRENCY_NOT_ENABLED),
    (r"amount exceeds the amount", ProblemCode.PAYMENT_EXCEEDS_DUE),
    (r"only be made against authorised", ProblemCode.INVOICE_NOT_AUTHORISED),
)


def code_of(operation: str, messages: Iterable[str]) -> ProblemCode:
    """The code of a refusal of an operation in Xero's own words; `xero-refused` where we don't know them."""
    words = " ".join(messages).casefold()
    codes = next((codes for pattern, codes in _KNOWN_WORDS if re.search(pattern, words)), ProblemCode.XERO_REFUSED)
    if isinstance(codes, ProblemCode):
        return codes
    return codes.get(operation.split("-", 1)[1], ProblemCode.XERO_REFUSED)
