"""The way out of a problem that has none of its own: who does what, and where, and then the command. Pure.

A command stands alone only where it mends something by itself. After the end of each comes a `;` or nothing, so that a program
can tell it from the words around it. What very many invoices share at once, such as a lock date, names none of them, so that it is
shown once. What Xero has refused twice is not offered once more as if nothing had been tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain
from caspen_xero.sync.fix_commands import (
    accept_command,
    contact_command,
    invoice_name,
    link_command,
    overwrite_command,
    pay_anyway_command,
    push_command,
)
from caspen_xero.sync.planning.contact_matching import party_of
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.problems import ProblemCode

APPROVE = "Approve it {there}, then: {push}"
MORE_APPROVALS = "Take a larger plan in Xero, or wait for the next month, then: {push}"
SETTLE_ASTRAY = (
    "Read Caspen's newest export: {pull}; what is still here then: correct it in Caspen, or remove it {there}"
)
REMOVED = (
    "To send it anew: {pay_anyway}; if another payment there stands for it: {link_payment}; or void the payment in Caspen too, "
    "then: {fresh}"
)
OR_ACCEPT = "; if it may stay so: {accept}"
MAKE_AGREE = "Make the figures agree, {there} or in Caspen, then: {fresh}"
REMOVED_FROM_OTHERS = (
    "Void the payment in Caspen too, then: {fresh}; one that is entered in Xero again comes to Caspen by itself"
    + OR_ACCEPT
)
"""The way out where a payment that was not sent from here, or that a bank feed brings, is gone."""
ONCE_UNPAID = (
    "Xero keeps that as it is while the invoice is paid or credited. To write what Caspen says over it, take the payment or credit "
    "off it {there}, then: {overwrite}; or change the invoice in Caspen to match, then: {fresh}"
)
"""The way out where Caspen's version is to be written over what Xero does not change now."""
CREDIT_CHANGED = (
    "Give the credit note its total again {there} and allocate it whole, or void it in Caspen and issue another, then: {sync}"
    + OR_ACCEPT
)
_BY_CODE = {
    ProblemCode.CONTACT_ARCHIVED: "Restore the contact in Xero, then: {push}",
    ProblemCode.PERIOD_LOCKED: "Move the lock date in Xero, then: caspen-xero push --refresh",
    ProblemCode.CURRENCY_NOT_ENABLED: "Add {currency} in Xero (Settings > Currencies), then: caspen-xero push --refresh",
    ProblemCode.CONTACT_NUMBER_TAKEN: (
        "If the contact in Xero is theirs: {link_contact}; else give one of the two another name, then: {fresh}"
    ),
    ProblemCode.INVOICE_NUMBER_TAKEN: "Give it another number in Caspen, or the other one in Xero, then: {renamed}",
    ProblemCode.CREDIT_NOTE_NUMBER_TAKEN: (
        "See the credit note of that number in Xero: approved, and with this contact, date and total, it is taken for this one; if "
        "it is another, void this one in Caspen and issue it under a new number; then: {fresh}"
    ),
    ProblemCode.TOTALS_DIFFER: MAKE_AGREE,
    ProblemCode.ACCOUNT_REFUSED: (
        "See which accounts can be used: caspen-xero settings accounts; make the refused one active in Xero, or choose another, "
        "then: {push}"
    ),
    ProblemCode.TAX_RATE_REFUSED: (
        "See which tax rates can be used: caspen-xero taxes list; put the refused one right in Xero, or link another, then: {push}"
    ),
    ProblemCode.NEEDS_APPROVAL_IN_XERO: APPROVE,
    ProblemCode.INVOICE_NOT_AUTHORISED: APPROVE,
    ProblemCode.APPROVAL_LIMIT: MORE_APPROVALS,
    ProblemCode.VOIDED_IN_XERO: (
        "If it is to go, void it in Caspen too; if not, issue it there under a new number; then: {sync}" + OR_ACCEPT
    ),
    ProblemCode.EDITED_IN_XERO: (
        "To write what Caspen says over it: {overwrite}; or change the invoice in Caspen to match, then: {fresh}"
        + OR_ACCEPT
    ),
    ProblemCode.PAYMENT_REMOVED_IN_XERO: REMOVED + OR_ACCEPT,
    ProblemCode.PAYMENT_CHANGED_IN_XERO: (
        f"Correct the payment in Caspen or {{there}}, so that the amounts agree, then: {{sync}}{OR_ACCEPT}"
    ),
    ProblemCode.PAYMENT_TWICE_IN_XERO: f"Delete one of the two {{there}}, then: caspen-xero pull{OR_ACCEPT}",
    ProblemCode.PAYMENT_ASTRAY_IN_XERO: SETTLE_ASTRAY + OR_ACCEPT,
    ProblemCode.CREDIT_ASTRAY_IN_XERO: (
        f"Allocate it to its own invoice {{there}}, or correct the credit note in Caspen, then: {{sync}}{OR_ACCEPT}"
    ),
    ProblemCode.CREDIT_GONE_IN_XERO: (
        f"Allocate the credit note again {{there}}, or void it in Caspen, then: {{sync}}{OR_ACCEPT}"
    ),
    ProblemCode.PAID_IN_CASPEN_ONLY: (
        f"Record the payment in Caspen, or reopen the invoice there, then: {{sync}}{OR_ACCEPT}"
    ),
    ProblemCode.PAID_IN_XERO_ONLY: f"Enter the payment in Caspen, or remove it {{there}}, then: {{sync}}{OR_ACCEPT}",
    ProblemCode.CHANGED_IN_XERO: (
        "To have it as it is in Caspen: {overwrite}; to keep what was edited, change it in Caspen to match, then: {fresh}"
        + OR_ACCEPT
    ),
    ProblemCode.CHANGED_AFTER_PAYMENT: (
        f"Take the payment or credit off it {{there}}, or change it back in Caspen, then: {{fresh}}{OR_ACCEPT}"
    ),
    ProblemCode.VOID_NOT_OURS: "Void it {there}, then: {push}; or have caspen-xero void it: {overwrite}",
    ProblemCode.VOID_HAS_PAYMENT: "Take the payment or credit off it {there}, then: {push}",
    ProblemCode.PAYMENT_REFUNDED: "Delete the payment {there}, then: {push}; or set the invoice aside: {skip}",
    ProblemCode.PAYMENT_EXCEEDS_DUE: (
        "See what is paid and credited on it {there}; put right what is wrong, there or in Caspen, then: {fresh}; if all is right "
        "as it stands there: {skip}"
    ),
    ProblemCode.PAYMENT_RECONCILED: (
        "Unreconcile the payment {there}, then: {push}; if it is right as it stands there: {skip}"
    ),
    ProblemCode.PAYMENT_NOT_OURS: (
        "If the payment is to go, delete it {there}, then: {push}; if it is right as it stands there, put Caspen's right, then: "
        "{fresh}" + OR_ACCEPT
    ),
    ProblemCode.CREDIT_NOTE_CHANGED: "Void the credit note in Caspen and issue another, then: {fresh}",
    ProblemCode.CREDIT_NOTE_ALLOCATED_IN_XERO: "Remove that allocation {there}, then: {push}",
    ProblemCode.CREDIT_NOTE_VOIDED_IN_XERO: (
        f"Void the credit note in Caspen, and issue another if one is due, then: {{fresh}}{OR_ACCEPT}"
    ),
    ProblemCode.CREDIT_NOTE_NOT_OURS: "Take the credit note off the invoice {there} and void it there, then: {push}",
    ProblemCode.NOT_AS_SENT: "Look at it {there}; to have it sent once more: {push}",
    ProblemCode.UNREADABLE_IN_XERO: "Open it {there} and save it anew, then: {push}",
    ProblemCode.XERO_REFUSED: "Put right what Xero says, {there} or in Caspen, then: {fresh}",
}
_AGAIN = (
    "Xero has not taken it as it was sent {{attempts}} times, so that another try alone won't help. {0}; or do by hand in Xero "
    "what is missing there, and set the invoice aside: {{skip}}"
)
_TRIED = frozenset(
    {
        ProblemCode.XERO_REFUSED,
        ProblemCode.ACCOUNT_REFUSED,
        ProblemCode.TAX_RATE_REFUSED,
        ProblemCode.NOT_AS_SENT,
    }
)
"""Codes of what was sent and did not do, whose way out is to send it once more."""


def came_again(code: ProblemCode, attempts: int | None) -> bool:
    """Whether the same try has had this end before, so that just the same way out is none."""
    return code in _TRIED and (attempts or 0) > 1


@dataclass(frozen=True)
class About:
    """An invoice as ways out speak of it: how commands name it, and where it is in Xero, in words.

    `source`: what a push reads by itself, if anything. `party`: the key of whom it is made out to; that and `currency` only the
    problems of a push need.
    """

    number: str | None
    invoice_id: str
    there: str
    source: str | None
    party: str = ""
    currency: str = ""


def about(state: InvoiceState, snapshot: Snapshot) -> About:
    """The invoice as a plan sees it."""
    invoice, source = state.invoice, snapshot.settings.source
    return About(invoice.number, invoice.id, there(state, snapshot), source, state.party.key, plain(invoice.currency))


def way_out(code: ProblemCode, invoice: About, attempts: int | None = None) -> str:
    """What a person does about a problem of an invoice, with its page in Xero, and the commands to paste."""
    if code not in _BY_CODE:
        return push_command(invoice.number, invoice.invoice_id)
    words = _AGAIN.format(_BY_CODE[code]) if came_again(code, attempts) else _BY_CODE[code]
    return worded(words, invoice, attempts)


def worded(words: str, invoice: About, attempts: int | None = None) -> str:
    """Words with the page and the commands of one invoice in the places of their names."""
    named = (invoice.number, invoice.invoice_id)
    push = push_command(*named)
    return words.format(
        there=invoice.there,
        push=push,
        fresh=after_caspen(push, invoice.source),
        renamed=after_caspen(push_command(None, invoice.invoice_id), invoice.source),
        sync=after_caspen("caspen-xero sync", invoice.source),
        pull=after_caspen("caspen-xero pull", invoice.source),
        overwrite=overwrite_command(*named),
        pay_anyway=pay_anyway_command(*named),
        accept=accept_command(*named),
        link_payment=link_command(*named, "XERO_PAYMENT_ID"),
        skip=to_paste("invoices skip", invoice_name(*named)),
        link_contact=contact_command("link", *party_of(invoice.party), "XERO_ID"),
        attempts=attempts,
        currency=invoice.currency,
    )


def fix_or_way_out(fix: str, code: ProblemCode, invoice: About, attempts: int | None = None) -> str:
    """What mends a problem: the way out of its kind where it has none of its own, or that has been tried in vain."""
    return way_out(code, invoice, attempts) if not fix or came_again(code, attempts) else fix


def correct_it(state: InvoiceState, snapshot: Snapshot, *, is_renamed: bool = False) -> str:
    """The way out of what only Caspen can put right. `is_renamed`: the invoice will have another number by then."""
    number = None if is_renamed else state.invoice.number
    again = after_caspen(push_command(number, state.invoice.id), snapshot.settings.source)
    return f"Correct it in Caspen, then: {again}"


def replace_note(state: InvoiceState, snapshot: Snapshot) -> str:
    """The way out where a credit note in Xero can't become Caspen's by itself."""
    return way_out(ProblemCode.CREDIT_NOTE_CHANGED, about(state, snapshot))


def after_caspen(command: str, source: str | None) -> str:
    """A command that knows what Caspen says by now. `source`: what it reads by itself, if anything."""
    return command if source else f"caspen-xero import PATH; {command}"


def read_caspen(source: str | None) -> str:
    """The command that reads what Caspen's export lacked. `source`: what a push reads by itself, if anything."""
    return "caspen-xero push" if source else "caspen-xero import PATH"


def there(state: InvoiceState, snapshot: Snapshot) -> str:
    """Where an invoice is in Xero, in words."""
    return snapshot.xero_pages.there(state.link.xero_id if state.link else None)
