"""What keeps an invoice (or a part of it) out of Xero: stable codes, in a bookkeeper's words, with the command that fixes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, Self

from caspen_xero.commands import each_command, name_for, naming, option, to_paste
from caspen_xero.outside_text import MOST, harmless, said


class ProblemCode(StrEnum):
    """Every code that `unsynced` can show, with its meaning and the way out, as the README's table has them.

    `unsynced --json` promises these to scripts: a code is never taken away, and never means something else.
    """

    meaning: str
    way_out: str

    def __new__(cls, code: str, meaning: str, way_out: str) -> Self:
        problem = str.__new__(cls, code)
        problem._value_, problem.meaning, problem.way_out = code, meaning, way_out
        return problem

    BAD_RECORD = (
        "bad-record",
        "its record, or one of a payment or credit note of it, can't be read or does not agree with itself",
        "correct it in Caspen, import it (or let a push read the source), then `caspen-xero push INVOICE`",
    )
    NOT_PUSHED_YET = "not-pushed-yet", "no push has reached it", "`caspen-xero push`"
    TAX_RATE_NOT_LINKED = (
        "tax-rate-not-linked",
        "a line's tax rate has no Xero rate",
        "`caspen-xero taxes map RATE TAX_TYPE`",
    )
    TAX_RATE_UNFIT = (
        "tax-rate-unfit",
        "the linked Xero rate is gone, or can't be used on sales",
        "link another: `caspen-xero taxes map RATE TAX_TYPE`",
    )
    TAX_RATE_MISSING = (
        "tax-rate-missing",
        "a line's tax rate was never imported",
        "export tax rates too, `caspen-xero import PATH`",
    )
    SALES_ACCOUNT_MISSING = (
        "sales-account-missing",
        "no account for invoice lines was chosen, or it is gone",
        "`caspen-xero settings set --sales-account CODE`",
    )
    SALES_ACCOUNT_UNFIT = (
        "sales-account-unfit",
        "the account chosen for invoice lines takes none",
        "`caspen-xero settings set --sales-account CODE`",
    )
    PAYMENT_ACCOUNT_MISSING = (
        "payment-account-missing",
        "no account for its payments was chosen, or it is gone",
        "`caspen-xero settings set --payment-account CODE`",
    )
    PAYMENT_ACCOUNT_UNFIT = (
        "payment-account-unfit",
        "the account chosen for its payments takes none",
        "`caspen-xero settings set --payment-account CODE`",
    )
    DETAILS_PURGED = (
        "details-purged",
        "it has to be written, but details of it, its client or its payer were purged",
        "have Caspen's export read again: `caspen-xero import PATH`, then `caspen-xero push INVOICE`",
    )
    CLIENT_MISSING = (
        "client-missing",
        "its client or payer was never imported",
        "export clients and contacts too, `caspen-xero import PATH`",
    )
    CONTACT_ARCHIVED = (
        "contact-archived",
        "its contact is archived in Xero",
        "restore it there, then `caspen-xero push INVOICE`",
    )
    WAITS_FOR_APPROVAL = (
        "waits-for-approval",
        "a draft in Xero; its payments and credit notes wait for its approval",
        "approve it in Xero, then `caspen-xero push INVOICE`",
    )
    PERIOD_LOCKED = (
        "period-locked",
        "its date is in a period that is locked in Xero",
        "move the lock date in Xero, or let an adviser connect, then `caspen-xero push --refresh`; or skip it",
    )
    CURRENCY_NOT_ENABLED = (
        "currency-not-enabled",
        "the organisation has not enabled its currency",
        "enable it in Xero, then `caspen-xero push --refresh`",
    )
    INVOICE_NUMBER_TAKEN = (
        "invoice-number-taken",
        "Xero has another invoice of that number",
        "see both; `caspen-xero invoices link INVOICE XERO_ID` if it is the same",
    )
    CONTACT_NUMBER_TAKEN = (
        "contact-number-taken",
        "Xero has another contact of that number or name",
        "see both; `caspen-xero contacts link CLIENT XERO_ID`, then `caspen-xero push INVOICE`",
    )
    CREDIT_NOTE_NUMBER_TAKEN = (
        "credit-note-number-taken",
        "Xero has another credit note of that number",
        "see it in Xero, then `caspen-xero push INVOICE`",
    )
    INVOICE_NUMBER_INVALID = "invoice-number-invalid", "Xero can't hold it as it is", "correct it in Caspen"
    CREDIT_NOTE_NUMBER_INVALID = "credit-note-number-invalid", "Xero can't hold it as it is", "correct it in Caspen"
    NO_LINES = "no-lines", "Xero can't hold it as it is", "correct it in Caspen"
    NEGATIVE_TOTAL = "negative-total", "Xero can't hold it as it is", "correct it in Caspen"
    TOTALS_DIFFER = (
        "totals-differ",
        "Caspen's figures do not add up, or Xero shows others",
        "correct it in Caspen, or look at it in Xero",
    )
    ACCOUNT_REFUSED = (
        "account-refused",
        "Xero refused an account",
        "`caspen-xero doctor`, then `caspen-xero push INVOICE`",
    )
    TAX_RATE_REFUSED = (
        "tax-rate-refused",
        "Xero refused a tax rate of a line",
        "`caspen-xero doctor`, then `caspen-xero push INVOICE`",
    )
    NEEDS_APPROVAL_IN_XERO = (
        "needs-approval-in-xero",
        "a draft in Xero: who connected may not approve it, or caspen-xero did not make it",
        "approve it in Xero, then `caspen-xero push INVOICE`; or `caspen-xero push --overwrite INVOICE` approves Caspen's version",
    )
    APPROVAL_LIMIT = (
        "approval-limit",
        "the organisation's plan has no approvals left for a month",
        "upgrade it in Xero; where Xero counts by the day of approval, the next month will do",
    )
    VOIDED_IN_XERO = "voided-in-xero", "somebody voided or deleted it in Xero", "`caspen-xero invoices skip INVOICE`"
    CHANGED_IN_XERO = (
        "changed-in-xero",
        "it changed in Caspen, and somebody edited it in Xero",
        "`caspen-xero push --overwrite INVOICE`, or skip it",
    )
    CHANGED_AFTER_PAYMENT = (
        "changed-after-payment",
        "what moves money changed in Caspen, but it has a payment or credit in Xero",
        "take that back in Xero first",
    )
    VOID_NOT_OURS = (
        "void-not-ours",
        "void in Caspen; caspen-xero did not make the one in Xero",
        "void it in Xero, or `caspen-xero push --overwrite INVOICE`",
    )
    VOID_HAS_PAYMENT = (
        "void-has-payment",
        "void in Caspen; in Xero it has a payment or credit that caspen-xero did not make",
        "take that back in Xero, then `caspen-xero push INVOICE`",
    )
    PAYMENT_MAYBE_ALREADY_IN_XERO = (
        "payment-maybe-already-in-xero",
        "Xero shows a payment like it",
        "`caspen-xero invoices link INVOICE XERO_ID`, or `caspen-xero push --pay-anyway INVOICE`",
    )
    PAYMENT_REMOVED_IN_XERO = (
        "payment-removed-in-xero",
        "the payment was in Xero, and somebody deleted it there",
        "`caspen-xero push --pay-anyway INVOICE` sends it anew; or void it in Caspen",
    )
    PAYMENT_XERO_ID_WRONG = (
        "payment-xero-id-wrong",
        "it says that it came from Xero, but is not there, on another invoice, of another amount, or claimed twice",
        "correct its `xero_id` in Caspen, then `caspen-xero push INVOICE`",
    )
    PAYMENT_REFUNDED = (
        "payment-refunded",
        "refunded in Caspen after it was sent; what stands in Xero is for a person to decide",
        "delete the payment in Xero, then `caspen-xero push INVOICE`; or `caspen-xero invoices skip INVOICE`",
    )
    PAYMENT_EXCEEDS_DUE = "payment-exceeds-due", "it is more than what is due in Xero", "look at the invoice in Xero"
    PAYMENT_RECONCILED = "payment-reconciled", "removed in Caspen, reconciled in Xero", "unreconcile it in Xero first"
    PAYMENT_NOT_OURS = (
        "payment-not-ours",
        "removed or changed in Caspen; the one in Xero was made there, is in a batch, or has another amount",
        "look at the invoice in Xero",
    )
    CREDIT_NOTE_CHANGED = (
        "credit-note-changed",
        "the credit note changed in Caspen after it was sent",
        "void it in Caspen and issue another",
    )
    CREDIT_NOTE_ALLOCATED_IN_XERO = (
        "credit-note-allocated-in-xero",
        "somebody put another amount of the credit note on the invoice in Xero",
        "remove that allocation in Xero, then `caspen-xero push INVOICE`",
    )
    CREDIT_NOTE_VOIDED_IN_XERO = (
        "credit-note-voided-in-xero",
        "somebody voided or deleted the credit note in Xero",
        "void it in Caspen and issue another",
    )
    CREDIT_NOTE_NOT_OURS = (
        "credit-note-not-ours",
        "the credit note is void in Caspen; caspen-xero did not make the one in Xero",
        "look at the credit note in Xero",
    )
    INVOICE_NOT_AUTHORISED = (
        "invoice-not-authorised",
        "Xero takes payments on approved invoices only",
        "approve it in Xero",
    )
    NOT_AS_SENT = (
        "not-as-sent",
        "Xero took it, but shows something else than was sent",
        "look at it in Xero; `caspen-xero push --overwrite INVOICE` sends it once more",
    )
    UNREADABLE_IN_XERO = (
        "unreadable-in-xero",
        "what Xero answers about it can't be read, so nobody knows what is there",
        "look at it in Xero, then `caspen-xero pull` and `caspen-xero push INVOICE`: both read it again",
    )
    XERO_REFUSED = "xero-refused", "Xero said no; its own words stand in the reason", "as they say"


_BY_NAME = {str(code): code for code in ProblemCode}


def kept_code(name: str) -> ProblemCode:
    """The code that the store has kept; `xero-refused` for one of another version that this one does not know."""
    return _BY_NAME.get(name, ProblemCode.XERO_REFUSED)


def check_code(name: str) -> None:
    """Raises ValueError for what is no code of a problem: nothing is kept, or shown, under such a one."""
    if name not in _BY_NAME:
        raise ValueError(f"{said(name, MOST)} is no code of a problem: scripts are promised those of ProblemCode")


@dataclass(frozen=True)
class Problem:
    """One reason why one invoice is not wholly in Xero.

    `subject` names the part it is about ("" for the invoice itself), so that two payments can each have the same problem.
    """

    code: ProblemCode
    invoice_id: str
    reason: str
    fix: str
    subject: str = ""
    xero_says: str | None = None
    attempts: int | None = None

    def __post_init__(self) -> None:
        check_code(self.code)


SETTING_CODES = frozenset(
    {ProblemCode.SALES_ACCOUNT_MISSING, ProblemCode.PAYMENT_ACCOUNT_MISSING, ProblemCode.TAX_RATE_NOT_LINKED}
)
"""Problems of the settings: where there is nothing else, a push exits with 5."""


FACT_CODES = frozenset(
    {
        ProblemCode.PERIOD_LOCKED,
        ProblemCode.ACCOUNT_REFUSED,
        ProblemCode.TAX_RATE_REFUSED,
        ProblemCode.CURRENCY_NOT_ENABLED,
    }
)
"""Refusals that mean that the organisation, its accounts or tax rates are no longer as we last read them."""


def invoice_name(number: str | None, invoice_id: str) -> str:
    """What names an invoice in a command: its number; its id where it has none that can be pasted, else a handle for that."""
    return name_for(invoice_id, number or None)


class InvoiceNamesLike(Protocol):
    """Which invoices a name means, and which number an invoice has (the store's `InvoiceNames`)."""

    def means(self, name: str) -> set[str]: ...
    def number(self, invoice_id: str) -> str | None: ...


def naming_its_own(text: str, invoice_id: str, names: InvoiceNamesLike) -> str:
    """A fix or a reason of an invoice, in which every command that names an invoice names this one, and means no other.

    A number may have become that of two invoices, or another's; a payment's hold may have been found on another invoice of it.
    """

    def means_it(name: str) -> bool:
        return names.means(name) == {invoice_id}

    def of_its_own() -> str:
        number = names.number(invoice_id)
        return invoice_name(number if number is not None and means_it(number) else None, invoice_id)

    return each_command(text, lambda ours: naming(ours, lambda name: name if means_it(name) else of_its_own()))


def named_rightly(row: Mapping[str, Any], invoice_id: str, names: InvoiceNamesLike) -> dict[str, Any]:
    """A row with a reason and a fix, both `naming_its_own`."""
    return {**row, **{part: naming_its_own(harmless(row[part]), invoice_id, names) for part in ("reason", "fix")}}


def push_command(number: str | None, invoice_id: str) -> str:
    """The command that tries one invoice again."""
    return to_paste("push", invoice_name(number, invoice_id))


def overwrite_command(number: str | None, invoice_id: str) -> str:
    """The command that sends Caspen's version of one invoice over what stands in Xero."""
    return to_paste(f"push {option('--overwrite', invoice_name(number, invoice_id))}")


def pay_anyway_command(number: str | None, invoice_id: str) -> str:
    """The command that sends payments of one invoice though Xero may have them."""
    return to_paste(f"push {option('--pay-anyway', invoice_name(number, invoice_id))}")


def contact_command(verb: str, kind: str, caspen_id: str, *more: str) -> str:
    """A command about the contact of a client or payer: `contacts link CLIENT XERO_ID`, `contacts unlink CLIENT`."""
    return to_paste(f"contacts {verb}", party_name(kind, caspen_id), *more)


def party_name(kind: str, caspen_id: str) -> str:
    """A client or payer as commands name them: by Caspen's id, or a handle of it where that can't be pasted."""
    return f"payer:{name_for(caspen_id)}" if kind == "payer" else name_for(caspen_id)


def unreadable(why: str) -> str:
    """The reason of `unreadable-in-xero`. `why`: what of an answer can't be read."""
    return f"Xero's answer can't be read: {why}"


def correct_it(number: str | None, invoice_id: str) -> str:
    """The fix for what only Caspen can put right."""
    return f"Correct it in Caspen, then: {push_command(number, invoice_id)}"


def figures_differ(what: str, caspen: Iterable[Decimal], xero: Iterable[Decimal | None]) -> str:
    """Figures in Xero that are not Caspen's, (subtotal, tax, total) of both, in words."""
    return f"{what}: Caspen has {_in_words(caspen)}; Xero has {_in_words(xero)}"


def _in_words(figures: Iterable[Decimal | None]) -> str:
    named = zip(("subtotal", "tax", "total"), figures, strict=True)
    return ", ".join(f"{name} {'unknown' if value is None else f'{value:.2f}'}" for name, value in named)


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
        r"account code.*(not a valid|archived|deleted)|account could not be found|account code or id must",
        ProblemCode.ACCOUNT_REFUSED,
    ),
    (r"taxtype code|taxtype field", ProblemCode.TAX_RATE_REFUSED),
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
