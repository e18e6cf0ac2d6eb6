"""What keeps an invoice (or a part of it) out of Xero: stable codes, in a bookkeeper's words, with the command that fixes it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Problem:
    """One reason why one invoice is not wholly in Xero.

    `subject` names the part it is about ("" for the invoice itself), so that two payments can each have the same problem.
    """

    code: str
    invoice_id: str
    reason: str
    fix: str
    subject: str = ""
    xero_says: str | None = None
    attempts: int | None = None


SETTING_CODES = frozenset({"sales-account-missing", "payment-account-missing", "tax-rate-not-linked"})
"""Problems of the settings: where there is nothing else, a push exits with 5."""


FACT_CODES = frozenset({"period-locked", "account-refused", "tax-rate-refused", "currency-not-enabled"})
"""Refusals that mean that the organisation, its accounts or tax rates are no longer as we last read them."""


def quoted(name: str) -> str:
    """A name as a shell takes it, for commands to paste; control characters never get into one."""
    return shlex.quote(" ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", name).split()))


def push_command(number: str | None, invoice_id: str) -> str:
    """The command that tries one invoice again."""
    return f"caspen-xero push {quoted(number or invoice_id)}"


def lock_date_problem(invoice_id: str, what: str, day: date, lock: date) -> Problem:
    """A document dated in a period that the organisation has locked."""
    return Problem(
        "period-locked",
        invoice_id,
        f"{what} is dated {day}, and the books in Xero are locked up to {lock}",
        "caspen-xero push --refresh",
    )


def totals_problem(
    invoice_id: str, what: str, caspen: Iterable[Decimal], xero: Iterable[Decimal | None], fix: str
) -> Problem:
    """Figures in Xero that are not Caspen's: (subtotal, tax, total) of both."""
    return Problem(
        "totals-differ", invoice_id, f"{what}: Caspen has {_in_words(caspen)}; Xero has {_in_words(xero)}", fix
    )


def _in_words(figures: Iterable[Decimal | None]) -> str:
    named = zip(("subtotal", "tax", "total"), figures, strict=True)
    return ", ".join(f"{name} {'unknown' if value is None else f'{value:.2f}'}" for name, value in named)


_KNOWN_WORDS = (  # Xero's words are matched loosely, to name a refusal; nothing depends on a match
    (r"lock date", "period-locked"),
    (r"contact.*archived|archived contact", "contact-archived"),
    (r"limit of invoices you can approve", "approval-limit"),
    (r"must be unique|already assigned to another contact|this contact number", "number-taken"),
    (r"account code.*(not a valid|archived|deleted)|account could not be found", "account-refused"),
    (r"taxtype code", "tax-rate-refused"),
    (r"not subscribed to currency", "currency-not-enabled"),
    (r"amount exceeds the amount", "payment-exceeds-due"),
    (r"only be made against authorised", "invoice-not-authorised"),
)


def code_of(operation: str, messages: Iterable[str]) -> str:
    """The stable code of a refusal of an operation in Xero's own words; `xero-refused` where we don't know them."""
    words = " ".join(messages).casefold()
    code = next((code for pattern, code in _KNOWN_WORDS if re.search(pattern, words)), "xero-refused")
    if code == "number-taken":
        return f"{operation.split('-', 1)[1]}-number-taken"
    return code
