"""The commands that fixes and reasons print, each of which names its own invoice or contact and no other. Pure."""

from __future__ import annotations

from typing import Protocol

from caspen_xero.commands import each_command, name_for, naming, option, to_paste


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


def push_command(number: str | None, invoice_id: str) -> str:
    """The command that tries one invoice again."""
    return to_paste("push", invoice_name(number, invoice_id))


def overwrite_command(number: str | None, invoice_id: str) -> str:
    """The command that sends Caspen's version of one invoice over what stands in Xero."""
    return to_paste(f"push {option('--overwrite', invoice_name(number, invoice_id))}")


def pay_anyway_command(number: str | None, invoice_id: str) -> str:
    """The command that sends payments of one invoice though Xero may have them."""
    return to_paste(f"push {option('--pay-anyway', invoice_name(number, invoice_id))}")


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
