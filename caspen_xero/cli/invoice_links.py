"""`invoices link` and `unlink`: a person says what in Xero an invoice, or a payment of it, is; or that it is not that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.menu import confirm, somebody_is_there
from caspen_xero.cli.output import SIDES, Cell, Ours
from caspen_xero.cli.session import AFTER_ANSWERS, Session, one_invoice
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.sync.sending.manual_link import Candidate

InvoiceName = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number or id.")]


def link(
    session: Session,
    invoice: InvoiceName,
    xero_id: Annotated[str, typer.Argument(metavar="XERO_ID", help="InvoiceID or PaymentID, or the address in Xero.")],
    force: Annotated[bool, typer.Option("--force", help="Link an invoice though it differs.")] = False,
    with_payments: Annotated[
        bool,
        typer.Option(
            "--with-payments",
            help="With --force: it is the same debt, whatever contact and currency say; payments go there.",
        ),
    ] = False,
) -> int:
    """Link an invoice, or a payment of it, to what is in Xero already, so that it is not sent a second time.

    Number, contact, date, currency, total and tax are compared first. Where they differ, you are asked; without a terminal nothing
    is linked, unless you say --force. A payment is only ever linked to one of the same amount.

    \b
    caspen-xero invoices link INV-0042 60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1
    """
    from caspen_xero.sync.sending.manual_link import Candidate, link_payment, named_in_xero

    with session.only_writer():
        found = one_invoice(session, invoice)
        xero_id = whole_id(session, xero_id)
        named = named_in_xero(session.client, session.mappings, found, xero_id)
        if not isinstance(named, Candidate):
            told = link_payment(session.client, session.mappings, found, named, session.now())
            return say_done(session, invoice, told, to_paste("push", name_for(found, invoice)))
        _show(session, named)
        if force or not named.differences:
            return _link(session, invoice, named, with_payments=with_payments)
    if not _may_link(session, named):
        return ExitCode.ALL_WELL
    with session.only_writer(patience=AFTER_ANSWERS):
        now = named_in_xero(session.client, session.mappings, found, xero_id)
        if not isinstance(now, Candidate) or now.facts != named.facts:  # it was changed while a person was thinking
            raise _refusal(session, now if isinstance(now, Candidate) else named)
        return _link(session, invoice, now, with_payments=with_payments)


def _may_link(session: Session, candidate: Candidate) -> bool:
    """Whether a person at a terminal links it all the same; Enter means no. Raises where nobody can be asked."""
    if not somebody_is_there(session.output):
        raise _refusal(session, candidate)
    if confirm(session.output, "They differ. Link them all the same?"):
        return True
    session.output.say("Nothing was linked.")
    return False


def _refusal(session: Session, candidate: Candidate) -> Exception:
    from caspen_xero.sync.sending.manual_link import refusal

    return refusal(session.mappings, candidate)


def _link(session: Session, invoice: str, candidate: Candidate, *, with_payments: bool) -> int:
    from caspen_xero.sync.sending.manual_link import link_invoice, what_push_does

    told = link_invoice(session.mappings, candidate, session.now(), with_payments=with_payments)
    next_push = what_push_does(session.mappings, session.settings, candidate)
    differences = [
        {"what": one.what, "caspen": one.caspen or None, "xero": one.xero or None} for one in candidate.differences
    ]
    more = {"differences": differences, "push": session.output.command(next_push)}
    following = to_paste("push", name_for(candidate.invoice_id, invoice))
    return say_done(session, invoice, told, following, [f"Next, {next_push}"] if next_push else [], more)


def _show(session: Session, candidate: Candidate) -> None:
    """Both sides; of what is caspen-xero's own nothing is to be compared."""
    if not candidate.facts:
        return
    found = candidate.found
    rows: list[tuple[Cell, ...]] = [
        (one.what.capitalize(), Ours(plain(one.caspen)), Ours(plain(one.xero)), "differs" if one.differs else "")
        for one in candidate.facts
    ]
    paid = "" if found.amount_paid is None else f"{found.amount_paid:.2f}"
    rows += [("Status", "", found.status, ""), ("Paid", "", paid, "")]
    shown = 4 if any(row[-1] for row in rows) else 3
    session.output.table(
        ("", *SIDES)[:shown], [row[:shown] for row in rows], beside=SIDES, keeps_numbers=True, is_report=True
    )


_COMPARED_ANEW = (
    "Next, push compares that with Xero anew: what there may be it is asked about, and where nothing may be, it is sent. If Caspen "
    "has it twice, void one there first."
)


def unlink(
    session: Session,
    invoice: InvoiceName,
    xero_id: Annotated[
        str | None,
        typer.Argument(metavar="[XERO_ID]", help="Of a payment: its PaymentID; without one, the invoice itself."),
    ] = None,
) -> int:
    """Take back that an invoice, or a payment of it, is what it was linked to in Xero. What stands in Xero stays there.

    What caspen-xero has sent itself is not unlinked, for it could be sent twice.

    \b
    caspen-xero invoices unlink INV-0042
    """
    from caspen_xero.sync.sending.manual_unlink import unlink as take_back

    with session.only_writer():
        found = one_invoice(session, invoice)
        undone = take_back(session.mappings, found, xero_id and whole_id(session, xero_id), session.now())
    following = to_paste("push", name_for(found, invoice))
    if undone.what == "payment":
        those = "payment" if len(undone.links) == 1 else "payments"
        told = f"has its {those} of {' and '.join(f'{one.total or 0:.2f}' for one in undone.links)} linked to nothing in Xero"
        return say_done(session, invoice, told, following, [_COMPARED_ANEW])
    (link,) = undone.links
    lines = ["Next, push looks for it anew: while its number is taken in Xero, it is invoice-number-taken."]
    lines += [
        f"Caspen was told of a payment of {one.amount:.2f} on it ({plain(one.xero_id)}): remove it there, if it is not Caspen's."
        for one in undone.told
    ]
    return say_done(session, invoice, f"is no longer linked to {plain(link.number)} in Xero", following, lines)


def whole_id(session: Session, xero_id: str) -> str:
    """An id of Xero's that was named by its beginning, as lists show it; any other name stays as it is."""
    from caspen_xero.store.searching import ids_beginning

    found = ids_beginning(session.store, session.tenant_id, xero_id.strip())
    return found[0] if len(found) == 1 else xero_id


def say_done(
    session: Session,
    invoice: str,
    what: str,
    next_command: str,
    lines: list[str] | None = None,
    more: dict[str, Any] | None = None,
    label: str = "Next",
) -> int:
    """Says what was done with an invoice, what follows from it, and the command that comes next, or what else one may want."""
    from caspen_xero.store import clinic

    if session.output.json:
        session.output.document({"invoice": invoice, "done": what, **(more or {})})
    else:
        number = next(
            iter(clinic.invoice_numbers(session.store, clinic.invoice_ids(session.store, invoice)).values()), ""
        )
        session.output.say(f"Invoice {plain(number or invoice)} {what}.", *(lines or ()))
        session.output.note(f"{label}: {next_command}")
    return ExitCode.ALL_WELL
