"""What keeps an invoice (or a part of it) out of Xero: stable codes, in a bookkeeper's words, with the command that fixes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from caspen_xero.outside_text import MOST, said

_CORRECTED = "correct it in Caspen, import it, then `caspen-xero push INVOICE`"


class ProblemCode(StrEnum):
    """Every code that `unsynced` can show, with its meaning and the way out, as the table of docs/unsynced.md has them.

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
    NOT_PUSHED_YET = "not-pushed-yet", "no push has sent it yet", "`caspen-xero push`"
    TAX_RATE_NOT_LINKED = (
        "tax-rate-not-linked",
        "a line's tax rate has no Xero rate",
        "`caspen-xero taxes map RATE`, which asks for the Xero rate",
    )
    TAX_RATE_UNFIT = (
        "tax-rate-unfit",
        "the linked Xero rate is gone, or can't be used on sales",
        "`caspen-xero taxes map RATE`, which asks for another",
    )
    TAX_RATE_MISSING = (
        "tax-rate-missing",
        "a line's tax rate was never imported",
        "export tax rates too, then `caspen-xero push`; without a source `caspen-xero import PATH` first",
    )
    SALES_ACCOUNT_MISSING = (
        "sales-account-missing",
        "no account for invoice lines was chosen, or it is gone",
        "`caspen-xero settings accounts sales`, which asks for one",
    )
    SALES_ACCOUNT_UNFIT = (
        "sales-account-unfit",
        "the account chosen for invoice lines takes none",
        "`caspen-xero settings accounts sales`, which asks for one",
    )
    PAYMENT_ACCOUNT_MISSING = (
        "payment-account-missing",
        "no account for its payments was chosen, or it is gone",
        "`caspen-xero settings accounts payments [METHOD]`, which asks for one",
    )
    PAYMENT_ACCOUNT_UNFIT = (
        "payment-account-unfit",
        "the account chosen for its payments takes none",
        "`caspen-xero settings accounts payments [METHOD]`, which asks for one",
    )
    DETAILS_PURGED = (
        "details-purged",
        "it has to be written, but details of it, its client or its payer were purged",
        "have Caspen's export read again: `caspen-xero push INVOICE`; without a source `caspen-xero import PATH` first",
    )
    CLIENT_MISSING = (
        "client-missing",
        "its client or payer was never imported",
        "export clients and contacts too, then `caspen-xero push`; without a source `caspen-xero import PATH` first",
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
        "add it in Xero, then `caspen-xero push --refresh`",
    )
    INVOICE_NUMBER_TAKEN = (
        "invoice-number-taken",
        "Xero has another invoice of that number",
        "give one of them another number, then `caspen-xero push INVOICE`; if it is the same: "
        "`caspen-xero invoices link INVOICE XERO_ID`",
    )
    LINKED_WITH_DIFFERENCES = (
        "linked-with-differences",
        "a person linked it to an invoice in Xero of another contact or currency; nothing is written, paid or credited there",
        "`caspen-xero invoices unlink INVOICE`; if it is the same debt: "
        "`caspen-xero invoices link --force --with-payments INVOICE XERO_ID`",
    )
    CONTACT_NUMBER_TAKEN = (
        "contact-number-taken",
        "Xero has another contact of that number or name",
        "see both; `caspen-xero contacts link CLIENT XERO_ID`, with that one or with another, then `caspen-xero push INVOICE`",
    )
    CREDIT_NOTE_NUMBER_TAKEN = (
        "credit-note-number-taken",
        "Xero has another credit note of that number",
        "see it in Xero: approve it if it is the same, else issue this one under a new number; then `caspen-xero push INVOICE`",
    )
    INVOICE_NUMBER_INVALID = "invoice-number-invalid", "Xero can't hold it as it is", _CORRECTED
    CREDIT_NOTE_NUMBER_INVALID = "credit-note-number-invalid", "Xero can't hold it as it is", _CORRECTED
    NO_LINES = "no-lines", "Xero can't hold it as it is", _CORRECTED
    NEGATIVE_TOTAL = "negative-total", "Xero can't hold it as it is", _CORRECTED
    TOTALS_DIFFER = (
        "totals-differ",
        "Caspen's figures do not add up, or Xero shows others",
        "make them agree, in Caspen or in Xero, then `caspen-xero push INVOICE`",
    )
    ACCOUNT_REFUSED = (
        "account-refused",
        "Xero refused an account",
        "`caspen-xero settings accounts`; make it active in Xero or choose another, then `caspen-xero push INVOICE`",
    )
    TAX_RATE_REFUSED = (
        "tax-rate-refused",
        "Xero refused a tax rate of a line",
        "`caspen-xero taxes list`; put it right in Xero or link another, then `caspen-xero push INVOICE`",
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
    VOIDED_IN_XERO = (
        "voided-in-xero",
        "somebody voided or deleted it in Xero",
        "void it in Caspen too, or issue it there under a new number; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    EDITED_IN_XERO = (
        "edited-in-xero",
        "its number, contact, date, currency or figures are others in Xero than in Caspen",
        "undo that in Xero, or `caspen-xero push --overwrite INVOICE`; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    CHANGED_IN_XERO = (
        "changed-in-xero",
        "it changed in Caspen, and somebody edited it in Xero",
        "`caspen-xero push --overwrite INVOICE`; or change it in Caspen to match, then `caspen-xero push INVOICE`; "
        "`caspen-xero invoices accept INVOICE` if it may stay so",
    )
    CHANGED_AFTER_PAYMENT = (
        "changed-after-payment",
        "what moves money changed in Caspen, but it has a payment or credit in Xero",
        "take that back in Xero, or change it back in Caspen, then `caspen-xero push INVOICE`; "
        "`caspen-xero invoices accept INVOICE` if it may stay so",
    )
    VOID_NOT_OURS = (
        "void-not-ours",
        "void in Caspen; caspen-xero did not make the one in Xero",
        "void it in Xero, then `caspen-xero push INVOICE`; or `caspen-xero push --overwrite INVOICE`",
    )
    VOID_HAS_PAYMENT = (
        "void-has-payment",
        "void in Caspen; in Xero it has a payment or credit that caspen-xero did not make",
        "take that back in Xero, then `caspen-xero push INVOICE`",
    )
    PAYMENT_MAYBE_ALREADY_IN_XERO = (
        "payment-maybe-already-in-xero",
        "Xero has a payment that may be the same money, or a part of it: neither is sent nor told before a person has said",
        "`caspen-xero invoices link INVOICE XERO_ID` if it is the same, `caspen-xero push --pay-anyway INVOICE` if another",
    )
    PAYMENT_ASTRAY_IN_XERO = (
        "payment-astray-in-xero",
        "a payment in Xero carries the name of one of Caspen's, and is not as Caspen has it",
        "read Caspen's newest export; else correct it in Caspen, or remove it in Xero",
    )
    PAYMENT_REMOVED_IN_XERO = (
        "payment-removed-in-xero",
        "the payment was in Xero, and somebody deleted it there",
        "`caspen-xero push --pay-anyway INVOICE` sends it anew; `caspen-xero invoices link INVOICE XERO_ID` if another one there "
        "stands for it; or void it in Caspen",
    )
    PAYMENT_CHANGED_IN_XERO = (
        "payment-changed-in-xero",
        "a payment has another amount in Xero than in Caspen",
        "correct it in Caspen or in Xero; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    PAYMENT_TWICE_IN_XERO = (
        "payment-twice-in-xero",
        "one payment of Caspen's stands in Xero twice",
        "delete one of the two in Xero, then `caspen-xero pull`",
    )
    PAID_IN_CASPEN_ONLY = (
        "paid-in-caspen-only",
        "more is paid or credited in Caspen than in Xero",
        "correct it where it is wrong; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    PAID_IN_XERO_ONLY = (
        "paid-in-xero-only",
        "more is paid or credited in Xero than in Caspen",
        "enter it in Caspen, or remove it in Xero; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    NOT_IN_CASPEN_YET = (
        "not-in-caspen-yet",
        "a payment was found in Xero, and Caspen has not been told of it",
        "`caspen-xero pull`",
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
    PAYMENT_EXCEEDS_DUE = (
        "payment-exceeds-due",
        "it is more than what is due in Xero",
        "put right what is wrong, in Xero or in Caspen, then `caspen-xero push INVOICE`; or `caspen-xero invoices skip INVOICE`",
    )
    PAYMENT_RECONCILED = (
        "payment-reconciled",
        "removed in Caspen, reconciled in Xero",
        "unreconcile it in Xero, then `caspen-xero push INVOICE`; or `caspen-xero invoices skip INVOICE`",
    )
    PAYMENT_NOT_OURS = (
        "payment-not-ours",
        "removed or changed in Caspen; the one in Xero was made there, is in a batch, or has another amount",
        "delete it in Xero if it is to go, or put Caspen's right, then `caspen-xero push INVOICE`; or "
        "`caspen-xero invoices accept INVOICE`",
    )
    CREDIT_NOTE_CHANGED = (
        "credit-note-changed",
        "the credit note changed in Caspen after it was sent",
        "void it in Caspen and issue another, then `caspen-xero push INVOICE`",
    )
    CREDIT_NOTE_ALLOCATED_IN_XERO = (
        "credit-note-allocated-in-xero",
        "somebody put another amount of the credit note on the invoice in Xero",
        "remove that allocation in Xero, then `caspen-xero push INVOICE`",
    )
    CREDIT_NOTE_VOIDED_IN_XERO = (
        "credit-note-voided-in-xero",
        "somebody voided or deleted the credit note in Xero",
        "void it in Caspen, and issue another if one is due, then `caspen-xero push INVOICE`",
    )
    CREDIT_GONE_IN_XERO = (
        "credit-gone-in-xero",
        "a credit note that stood on the invoice in Xero no longer does, or with another amount",
        "allocate it in Xero again, or void it in Caspen; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    CREDIT_ASTRAY_IN_XERO = (
        "credit-astray-in-xero",
        "a credit note of Caspen's is allocated in Xero otherwise than in Caspen",
        "allocate it to its own invoice in Xero, or correct it in Caspen",
    )
    CREDIT_NOTE_NOT_OURS = (
        "credit-note-not-ours",
        "the credit note is void in Caspen; caspen-xero did not make the one in Xero",
        "take it off the invoice and void it in Xero, then `caspen-xero push INVOICE`",
    )
    INVOICE_NOT_AUTHORISED = (
        "invoice-not-authorised",
        "Xero takes payments on approved invoices only",
        "approve it in Xero, then `caspen-xero push INVOICE`",
    )
    NOT_AS_SENT = (
        "not-as-sent",
        "Xero took it, but shows something else than was sent",
        "look at it in Xero; `caspen-xero push --overwrite INVOICE`, of a payment `caspen-xero push INVOICE`, sends it once more",
    )
    NOT_EQUAL_IN_XERO = (
        "not-equal-in-xero",
        "a reconciliation found it otherwise in Xero than in Caspen",
        "as it says, by what was found: `caspen-xero push --overwrite INVOICE`, `caspen-xero pull`, or put right in Caspen or "
        "Xero, then `caspen-xero reconcile`; `caspen-xero invoices accept INVOICE` if it may stay so",
    )
    UNREADABLE_IN_XERO = (
        "unreadable-in-xero",
        "what Xero answers about it can't be read, so nobody knows what is there",
        "open it in Xero and save it anew, then `caspen-xero pull` and `caspen-xero push INVOICE`: both read it again",
    )
    XERO_REFUSED = (
        "xero-refused",
        "Xero said no; its own words stand in the reason",
        "put right what they say, then `caspen-xero push INVOICE`; or do it by hand, and `caspen-xero invoices skip INVOICE`",
    )


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
    `about`: the key of the two documents, Caspen's and Xero's, where it is that they are not equal (`planning/accepting.py`).
    """

    code: ProblemCode
    invoice_id: str
    reason: str
    fix: str
    subject: str = ""
    xero_says: str | None = None
    attempts: int | None = None
    about: str = ""

    def __post_init__(self) -> None:
        check_code(self.code)


SETTING_CODES = frozenset(
    {ProblemCode.SALES_ACCOUNT_MISSING, ProblemCode.PAYMENT_ACCOUNT_MISSING, ProblemCode.TAX_RATE_NOT_LINKED}
)
"""Problems of the settings: where there is nothing else, a push exits with 5."""


DIFFERENCES = frozenset(
    {
        ProblemCode.VOIDED_IN_XERO,
        ProblemCode.EDITED_IN_XERO,
        ProblemCode.PAYMENT_REMOVED_IN_XERO,
        ProblemCode.PAYMENT_CHANGED_IN_XERO,
        ProblemCode.PAYMENT_TWICE_IN_XERO,
        ProblemCode.PAYMENT_ASTRAY_IN_XERO,
        ProblemCode.PAYMENT_NOT_OURS,
        ProblemCode.PAID_IN_CASPEN_ONLY,
        ProblemCode.PAID_IN_XERO_ONLY,
        ProblemCode.CREDIT_GONE_IN_XERO,
        ProblemCode.CREDIT_ASTRAY_IN_XERO,
        ProblemCode.CREDIT_NOTE_VOIDED_IN_XERO,
        ProblemCode.CREDIT_NOTE_ALLOCATED_IN_XERO,
        ProblemCode.NOT_EQUAL_IN_XERO,
    }
)
"""What makes an invoice that is in Xero differ: its figures, status, payments or credits are not equal on the two sides."""


ABOUT_DOCUMENTS = frozenset({ProblemCode.CHANGED_IN_XERO, ProblemCode.CHANGED_AFTER_PAYMENT})
"""Problems of an invoice that has changed in Caspen, with which a person may be content too: Xero's stays as it is."""


FACT_CODES = frozenset(
    {
        ProblemCode.PERIOD_LOCKED,
        ProblemCode.ACCOUNT_REFUSED,
        ProblemCode.TAX_RATE_REFUSED,
        ProblemCode.CURRENCY_NOT_ENABLED,
    }
)
"""Refusals that mean that the organisation, its accounts or tax rates are no longer as we last read them."""


def read_again(there: str) -> str:
    """The way out of what only a pull has to read. `there`: where it is in Xero, in words."""
    return f"Open it {there} and save it anew, then: caspen-xero pull"


def unreadable(why: str) -> str:
    """The reason of `unreadable-in-xero`. `why`: what of an answer can't be read."""
    return f"Xero's answer can't be read: {why}"


def figures_differ(what: str, caspen: Iterable[Decimal], xero: Iterable[Decimal | None]) -> str:
    """Figures in Xero that are not Caspen's, (subtotal, tax, total) of both, in words."""
    return f"{what}: Caspen has {_in_words(caspen)}; Xero has {_in_words(xero)}"


def _in_words(figures: Iterable[Decimal | None]) -> str:
    named = zip(("subtotal", "tax", "total"), figures, strict=True)
    return ", ".join(f"{name} {'unknown' if value is None else f'{value:.2f}'}" for name, value in named)
