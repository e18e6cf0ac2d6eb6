"""The commands that fixes and reasons print, each of which names its own invoice or contact and no other. Pure."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from caspen_xero.commands import each_command, name_for, naming, option, to_paste


def invoice_name(number: str | None, invoice_id: str) -> str:
    """What names an invoice in a command: its number; its id where it has none that can be pasted, else a handle for that."""
    return name_for(invoice_id, number or None)


def connected_first(fix: str, *, connected: bool) -> str:
    """The same way out; where no organisation is linked, a push or a pull begins with that."""
    return "caspen-xero connect" if not connected and fix in ("caspen-xero push", "caspen-xero pull") else fix


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


def push_command(number: str | None, invoice_id: str) -> str:
    """The command that tries one invoice again."""
    return to_paste("push", invoice_name(number, invoice_id))


def overwrite_command(number: str | None, invoice_id: str) -> str:
    """The command that sends Caspen's version of one invoice over what stands in Xero."""
    return to_paste(f"push {option('--overwrite', invoice_name(number, invoice_id))}")


def pay_anyway_command(number: str | None, invoice_id: str) -> str:
    """The command that sends payments of one invoice though Xero may have them."""
    return to_paste(f"push {option('--pay-anyway', invoice_name(number, invoice_id))}")


_OR_ACCEPT = "; if it may stay so: {accept}"
_WRITTEN_OVER = (
    "To write what Caspen says over it: {overwrite}; or change it in Caspen to match, then: {sync}" + _OR_ACCEPT
)
_PAYMENT_ANEW = (
    "Change the payment in Caspen to match, then: {sync}; or, where Xero is wrong, delete it there, then: caspen-xero pull; "
    "{pay_anyway}" + _OR_ACCEPT
)
_PUT_RIGHT = "Put it right in Xero, then: {reconcile}; or change it in Caspen to match, then: {sync}" + _OR_ACCEPT
_NOTE = (
    "Put the credit note right in Xero, then: {reconcile}; or void it in Caspen and issue another one there, then: {sync}"
    + _OR_ACCEPT
)
_SEE_IT = "See it in Xero, and put it right there, then: {reconcile}" + _OR_ACCEPT
_GONE_THERE = (
    "Void it in Caspen too, and issue it there under a new number if it is to be in Xero, then: {sync}" + _OR_ACCEPT
)
_TWICE = "Void the one of the two in Xero that is not to be there, then: {reconcile}" + _OR_ACCEPT
_WAYS_OUT = {
    **dict.fromkeys(("number", "contact", "date", "currency", "figures"), _WRITTEN_OVER),
    "due-date": (
        "Change it in Caspen to match, then: {sync}; or to write what Caspen says over it: {overwrite}" + _OR_ACCEPT
    ),
    **dict.fromkeys(("line", "line-missing-in-xero", "line-unknown-in-caspen"), _WRITTEN_OVER),
    **dict.fromkeys(("missing-in-xero", "voided-in-xero"), _GONE_THERE),
    "gone-in-caspen": "Void it in Xero too, or finalise it in Caspen again, then: {sync}" + _OR_ACCEPT,
    "twice-in-xero": _TWICE,
    "status": "Approve it in Xero, then: {reconcile}" + _OR_ACCEPT,
    "payment-missing-in-xero": (
        "To send it anew, delete what is left of it in Xero, then: caspen-xero pull; {pay_anyway}; or void the payment in Caspen "
        "too, then: {sync}" + _OR_ACCEPT
    ),
    "payment-unknown-in-caspen": (
        "To tell Caspen of it: caspen-xero pull; if it is wrong, delete it in Xero, then: {reconcile}" + _OR_ACCEPT
    ),
    "payment-amount": _PAYMENT_ANEW,
    "payment-date": _PAYMENT_ANEW,
    "credit-missing-in-xero": (
        "Put the credit note on the invoice again in Xero, then: {reconcile}; or void it in Caspen, then: {sync}"
        + _OR_ACCEPT
    ),
    "credit-unknown-in-caspen": (
        "To tell Caspen of it: caspen-xero pull; if it is wrong, take it off the invoice in Xero, then: {reconcile}"
        + _OR_ACCEPT
    ),
    "credit-amount": "Put the whole credit note on the invoice in Xero, then: {reconcile}; or void it in Caspen and issue another "
    "one there, then: {sync}" + _OR_ACCEPT,
    "credit-date": _PUT_RIGHT,
    "credit-note-missing-in-xero": "Void it in Caspen too, and issue another one there if it is to be, then: {sync}"
    + _OR_ACCEPT,
    "credit-note-voided-in-xero": "Void it in Caspen too, and issue another one there if it is to be, then: {sync}"
    + _OR_ACCEPT,
    "credit-note-gone-in-caspen": "Void it in Xero too, then: {reconcile}" + _OR_ACCEPT,
    "credit-note-status": "Approve it in Xero, and put it on the invoice, then: {reconcile}" + _OR_ACCEPT,
    **dict.fromkeys(
        (
            "credit-note-number",
            "credit-note-contact",
            "credit-note-date",
            "credit-note-currency",
            "credit-note-figures",
        ),
        _NOTE,
    ),
    "credit-note-line": _NOTE,
    **dict.fromkeys(("paid", "credited", "unreadable-in-xero"), _SEE_IT),
    "unknown-in-caspen": "Void it in Xero, then: {reconcile}; or enter it in Caspen, then: {sync}" + _OR_ACCEPT,
    "credit-note-unknown-in-caspen": "Void it in Xero, then: {reconcile}; or enter it in Caspen, then: {sync}"
    + _OR_ACCEPT,
}
"""What a person does about what a reconciliation has found, by the find's code: ways that can work."""


def find_fix(code: str, number: str | None, invoice_id: str | None, source: str | None) -> str:
    """What a person does about what a reconciliation has found of an invoice; of none of Caspen's, nobody can accept it.

    What no push writes over (payments, credits, what is void or not there) is not said to be mended by one. `source`: what Caspen's
    records are read from, where a person has said that.
    """
    words = _WAYS_OUT.get(code, _SEE_IT)
    if invoice_id is None:
        words, invoice_id = words.removesuffix(_OR_ACCEPT), ""
    named = (number, invoice_id)
    return words.format(
        overwrite=overwrite_command(*named),
        pay_anyway=pay_anyway_command(*named),
        accept=accept_command(*named),
        sync=to_paste("sync") if source else f"{to_paste('import PATH')}; {to_paste('sync')}",
        reconcile=to_paste("reconcile"),
    )


def reconcile_command(first: date | None, last: date, as_at: date) -> str:
    """The command that proves a period (`first` None: from the beginning), with the debtors as at a day."""
    since = [] if first is None else [option("--from", first.isoformat())]
    days = [*since, option("--to", last.isoformat()), option("--as-at", as_at.isoformat())]
    return to_paste(" ".join(["reconcile", *days]))


def accept_command(number: str | None, invoice_id: str) -> str:
    """The command by which a person is content with what differs on one invoice."""
    return to_paste("invoices accept", invoice_name(number, invoice_id))


def link_command(
    number: str | None, invoice_id: str, xero_id: str, *, force: bool = False, with_payments: bool = False
) -> str:
    """The command by which a person says that an invoice, or a payment of it, is the one in Xero with that id."""
    options = "".join([" --force" if force else "", " --with-payments" if with_payments else ""])
    return to_paste(f"invoices link{options}", invoice_name(number, invoice_id), xero_id)


def unlink_command(number: str | None, invoice_id: str, *xero_id: str) -> str:
    """The command that takes that back."""
    return to_paste("invoices unlink", invoice_name(number, invoice_id), *xero_id)


def contact_command(verb: str, kind: str, caspen_id: str, *more: str) -> str:
    """A command about the contact of a client or payer: `contacts link CLIENT XERO_ID`, `contacts unlink CLIENT`."""
    return to_paste(f"contacts {verb}", party_name(kind, caspen_id), *more)


def party_name(kind: str, caspen_id: str) -> str:
    """A client or payer as commands name them: by Caspen's id, or a handle of it where that can't be pasted."""
    return f"payer:{name_for(caspen_id)}" if kind == "payer" else name_for(caspen_id)
