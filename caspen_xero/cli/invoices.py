"""`invoices`: each invoice on both sides, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.invoice_links import InvoiceName, link, say_done, unlink
from caspen_xero.cli.invoices_list import list_
from caspen_xero.cli.invoices_show import show
from caspen_xero.cli.listed_invoice import find, links
from caspen_xero.cli.session import Session, SessionError, one_invoice
from caspen_xero.cli.standing import read_standing
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.sync.books.troubles import Trouble


def register(app: typer.Typer) -> None:
    """Adds `invoices` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "list", lists=True)(list_)
    command(group, "show")(show)
    command(group, "open")(open_)
    command(group, "skip")(skip)
    command(group, "unskip")(unskip)
    command(group, "accept")(accept)
    command(group, "unaccept")(unaccept)
    command(group, "link")(link)
    command(group, "unlink")(unlink)
    app.add_typer(group, name="invoices", help="Each invoice in Caspen and in Xero.")


def open_(session: Session, invoice: InvoiceName) -> int:
    """Open an invoice in Xero, in the browser.

    \b
    caspen-xero invoices open INV-0042
    """
    listed = find(session, invoice)
    link = links(session)(listed)
    if link is None:
        raise SessionError(
            "not-in-xero", f"Invoice {plain(listed.number or invoice)} is not in Xero.", "caspen-xero unsynced"
        )
    if session.output.json:
        session.output.document({"xero_url": link})
        return ExitCode.ALL_WELL
    import webbrowser

    session.output.link("", link)
    webbrowser.open(link)
    return ExitCode.ALL_WELL


def skip(
    session: Session,
    invoice: InvoiceName,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for whoever asks later.")] = None,
) -> int:
    """Set an invoice aside: it is handled by hand, and no longer counts as unsynced.

    \b
    caspen-xero invoices skip INV-0042 --reason "entered in Xero by hand"
    """
    from caspen_xero.store import skips

    with session.only_writer():
        found = one_invoice(session, invoice, or_bad=True)
        skips.skip(session.store, found, reason, session.now())
    back = to_paste("invoices unskip", name_for(found, invoice))
    return say_done(session, invoice, "is set aside", back, label="To take that back")


def unskip(session: Session, invoice: InvoiceName) -> int:
    """Let pushes take care of an invoice again.

    \b
    caspen-xero invoices unskip INV-0042
    """
    from caspen_xero.store import skips

    with session.only_writer():
        found = one_invoice(session, invoice, or_bad=True)
        if not skips.unskip(session.store, found):
            raise SessionError(
                "not-skipped", f"Invoice {plain(invoice)} was not set aside.", "caspen-xero invoices list"
            )
    return say_done(session, invoice, "is taken care of again", _push_of(session, found, invoice))


def _push_of(session: Session, invoice_id: str, name: str) -> str:
    """The push of an invoice; of all where there is only a bad record of it, for that can't be named."""
    from caspen_xero.store import clinic

    return (
        to_paste("push", name_for(invoice_id, name))
        if clinic.invoice_ids(session.store, invoice_id)
        else "caspen-xero push"
    )


def accept(session: Session, invoice: InvoiceName) -> int:
    """Be content with what differs on an invoice between Caspen and Xero: with just that, not with what may differ later.

    Xero's invoice stays as it is, and payments and credits go on there. `invoices unaccept` takes it back.

    \b
    caspen-xero invoices accept INV-0042
    """
    from caspen_xero.sync.books.acceptance import accept as accept_all

    with session.only_writer():
        books = read_standing(session)
        listed = find(session, invoice, books)
        name = name_for(listed.invoice_id, listed.number)
        content = accept_all(session.mappings, books, listed.invoice_id, session.now())
        if not content:
            raise _nothing_to_accept(listed.number or invoice, name, books.troubles_of.get(listed.invoice_id, ()))
    if not session.output.json:
        for one in content:
            first, *others = one.reason.split("; ")
            session.output.say(f"accepted: {one.code}: {first}", *(f"  {other}" for other in others))
        session.output.say(f"To take that back: {to_paste('invoices unaccept', name)}")
    is_to_go_on = any(one.last_tried_at is not None for one in content)  # a push has left it at that
    return say_done(
        session,
        invoice,
        "differs, and you are content with that",
        to_paste("push", name) if is_to_go_on else to_paste("invoices show", name),
    )


def unaccept(session: Session, invoice: InvoiceName) -> int:
    """Be content no more with what differs on an invoice: it is unsynced or differs again, until that is mended.

    \b
    caspen-xero invoices unaccept INV-0042
    """
    from caspen_xero.sync.books.acceptance import take_back

    with session.only_writer():
        listed = find(session, invoice)
        mappings = session.known_mappings
        if mappings is None or not take_back(mappings, listed.invoice_id):
            raise SessionError(
                "not-accepted",
                f"Nothing that differs on {plain(listed.number or invoice)} was accepted.",
                "caspen-xero invoices list --status differs",
            )
    name = name_for(listed.invoice_id, listed.number)
    return say_done(session, invoice, "is told of again as long as it differs", to_paste("invoices show", name))


def _nothing_to_accept(name: str, invoice_name: str, troubles: Sequence[Trouble]) -> SessionError:
    """Why there is nothing that one can accept: all is well, or what is wrong is for somebody to mend."""
    if not troubles:
        why = f"Nothing differs on {plain(name)} between Caspen and Xero that is not accepted."
        return SessionError("nothing-to-accept", why, "caspen-xero unsynced")
    first, more = troubles[0], len(troubles) - 1
    also = f" (of {more + 1} problems the first)" if more else ""
    why = f"What is wrong with {plain(name)} is no difference that one can accept{also}: {first.code}: {first.reason}"
    is_there = first.invoice.xero_invoice_id is not None  # then setting it aside could hide money in doubt
    aside = "" if is_there else f"; to set the invoice aside: {to_paste('invoices skip', invoice_name)}"
    return SessionError("nothing-to-accept", why, first.fix + aside)
