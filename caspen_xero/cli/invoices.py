"""`invoices`: each invoice on both sides, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.invoice_links import InvoiceName, link, say_done, unlink
from caspen_xero.cli.output import in_words
from caspen_xero.cli.session import Session, SessionError, one_invoice
from caspen_xero.cli.standing import read_standing
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain, said
from caspen_xero.times import local

if TYPE_CHECKING:
    from caspen_xero.store.listing import ListedInvoice
    from caspen_xero.store.mappings import Mappings
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.books.troubles import Trouble


def register(app: typer.Typer) -> None:
    """Adds `invoices` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "list")(list_)
    command(group, "show")(show)
    command(group, "open")(open_)
    command(group, "skip")(skip)
    command(group, "unskip")(unskip)
    command(group, "accept")(accept)
    command(group, "unaccept")(unaccept)
    command(group, "link")(link)
    command(group, "unlink")(unlink)
    app.add_typer(group, name="invoices", help="Each invoice in Caspen and in Xero.")


def list_(
    session: Session,
    status: Annotated[
        str | None, typer.Option("--status", help="synced, unsynced, differs, pending, draft, skipped or void.")
    ] = None,
) -> int:
    """List every invoice with its sync status.

    \b
    caspen-xero invoices list --status unsynced
    """
    from caspen_xero.store.listing import SYNC_STATUSES, list_invoices

    if status is not None and status not in SYNC_STATUSES:
        raise SessionError(
            "bad-status", f"{plain(status)} is no sync status.", f"One of: {', '.join(SYNC_STATUSES)}.", ExitCode.USAGE
        )
    listed = list_invoices(session.store, session.known_mappings, session.settings.start_date)
    rows = [one for one in read_standing(session).judged(listed) if status in (None, one.sync_status)]
    if session.output.json:
        link = _links(session)
        session.output.document({"invoices": [_as_json(invoice, link(invoice)) for invoice in rows]})
        return ExitCode.ALL_WELL
    if not rows:
        session.output.say(f"No invoice is {status}." if listed else "No invoice has been imported yet.")
        return ExitCode.ALL_WELL
    session.output.table(
        ("Invoice", "Client", "Date", "Caspen", "Sync", "Xero", "Total", "Due"),
        [
            (
                invoice.number or invoice.invoice_id,
                invoice.client or ("(purged)" if invoice.details_purged else ""),
                invoice.issue_date,
                invoice.caspen_own_status,
                _in_words(invoice),
                invoice.xero_status,
                invoice.total,
                invoice.amount_due,
            )
            for invoice in rows
        ],
        narrow_without={"Due"},
    )
    session.output.say("1 invoice." if len(rows) == 1 else f"{len(rows)} invoices.")
    return ExitCode.ALL_WELL


def show(session: Session, invoice: InvoiceName) -> int:
    """Show one invoice: its figures on both sides, its problems, and what was sent.

    \b
    caspen-xero invoices show INV-0042
    """
    from caspen_xero.store.journal import writes

    books = read_standing(session)
    listed, mappings = _find(session, invoice, books), session.known_mappings
    problems = books.troubles_of.get(listed.invoice_id, ())
    accepted = [one for one in books.accepted if one.invoice_id == listed.invoice_id]
    sent = writes(mappings, 50, listed.invoice_id) if mappings else []
    edited = _edited(mappings, listed.invoice_id) if mappings else []
    if session.output.json:
        shown = ("code", "reason", "fix", "xero_says", "attempts", "first_failed_at", "last_tried_at")
        session.output.document(
            {
                "invoice": _as_json(listed, _links(session)(listed)),
                "problems": [
                    {key: getattr(problem, key) for key in shown}
                    | {
                        "fix": session.output.command(problem.fix),
                        "choices": session.output.choices(problem.choices),
                    }
                    for problem in problems
                ],
                "accepted": [
                    {"code": one.code, "reason": one.reason, "accepted_at": one.accepted_at} for one in accepted
                ],
                "writes": sent,
                "edited_in_xero": edited,
            }
        )
        return ExitCode.ALL_WELL
    link = _links(session)(listed)
    facts: list[tuple[str, Any]] = [
        ("Client", listed.client),
        ("Date", listed.issue_date),
        ("Total", _money(listed.total, listed.currency)),
        ("Paid", _money(listed.amount_paid, listed.currency)),
        ("Credited", _money(listed.amount_credited, listed.currency)),
        ("Due", _money(listed.amount_due, listed.currency)),
        ("In Caspen", listed.caspen_own_status),
        ("Sync", _in_words(listed).capitalize()),
        ("In Xero", listed.xero_status),
        ("Details", "purged here" if listed.details_purged else None),
    ]
    session.output.table(
        (f"Invoice {plain(listed.number or listed.invoice_id)}", ""), [fact for fact in facts if fact[1]]
    )
    if link:  # below the table, which would break it on a narrow screen
        session.output.say(f"Open in Xero: {link}", "")
    for problem in problems:
        session.output.say(f"{problem.code}: {problem.reason}", f"  -> {session.output.command(problem.fix)}")
        if problem.choices:
            session.output.say(f"     asks which: {in_words(problem.choices)}")
    for one in accepted:
        session.output.say(f"accepted {local(one.accepted_at)}: {one.code}: {one.reason}")
    if accepted:
        name = name_for(listed.invoice_id, listed.number)
        session.output.say(f"  -> to take that back: {to_paste('invoices unaccept', name)}")
    for edit in edited:
        session.output.say(f"edited in Xero: {edit['xero']} (sent: {edit['caspen']})")
    for row in sent:
        session.output.say(
            f"{local(row['first_sent_at'])}  {row['operation']}  {row['state']}  {plain(row['message'] or '', MOST_WORDS)}"
        )
        for warning in row["warnings"]:
            session.output.say(f"  Xero warned: {said(warning)}")
    return ExitCode.ALL_WELL


def _edited(mappings: Mappings, invoice_id: str) -> list[dict[str, Any]]:
    """What of an invoice a bookkeeper has edited in Xero, as pull last saw it: each side in words, and since when."""
    from caspen_xero.store.xero_payments import seen_invoices
    from caspen_xero.sync.pulling.drift import DETAILS

    seen = seen_invoices(mappings, [invoice_id]).get(invoice_id)
    return [
        {"caspen": one.caspen, "xero": one.xero, "since": one.since}
        for one in (seen.discrepancies if seen else ())
        if one.code == DETAILS
    ]


def open_(session: Session, invoice: InvoiceName) -> int:
    """Open an invoice in Xero, in the browser."""
    listed = _find(session, invoice)
    link = _links(session)(listed)
    if link is None:
        raise SessionError(
            "not-in-xero", f"Invoice {plain(listed.number or invoice)} is not in Xero.", "caspen-xero unsynced"
        )
    if session.output.json:
        session.output.document({"xero_url": link})
        return ExitCode.ALL_WELL
    import webbrowser

    session.output.say(link)
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
    return say_done(session, invoice, "is set aside", to_paste("invoices unskip", name_for(found, invoice)))


def unskip(session: Session, invoice: InvoiceName) -> int:
    """Let pushes take care of an invoice again."""
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
        listed = _find(session, invoice, books)
        name = name_for(listed.invoice_id, listed.number)
        content = accept_all(session.mappings, books, listed.invoice_id, session.now())
        if not content:
            raise _nothing_to_accept(listed.number or invoice, name, books.troubles_of.get(listed.invoice_id, ()))
    if not session.output.json:
        for one in content:
            session.output.say(f"accepted: {one.code}: {one.reason}")
        session.output.say(f"To take that back: {to_paste('invoices unaccept', name)}")
    is_to_go_on = any(one.last_tried_at is not None for one in content)  # a push has left it at that
    return say_done(
        session,
        invoice,
        "differs with your consent",
        to_paste("push", name) if is_to_go_on else to_paste("invoices show", name),
    )


def unaccept(session: Session, invoice: InvoiceName) -> int:
    """Be content no more with what differs on an invoice: it is unsynced or differs again, until that is mended.

    \b
    caspen-xero invoices unaccept INV-0042
    """
    from caspen_xero.sync.books.acceptance import take_back

    with session.only_writer():
        listed = _find(session, invoice)
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


def _find(session: Session, name: str, books: Books | None = None) -> ListedInvoice:
    """The invoice that a person named; in its state, where it is told how the books stand."""
    from caspen_xero.store.listing import list_invoices

    found = one_invoice(session, name)
    listed = list_invoices(session.store, session.known_mappings, session.settings.start_date, [found])
    return (books.judged(listed) if books else listed)[0]


def _in_words(invoice: ListedInvoice) -> str:
    return f"{invoice.sync_status} (accepted)" if invoice.is_accepted else invoice.sync_status


def _links(session: Session) -> Callable[[ListedInvoice], str | None]:
    """A function that gives the address at which an invoice opens in Xero, or None where it is not there."""
    if (mappings := session.known_mappings) is None:
        return lambda listed: None
    from caspen_xero.sync.setup.organisation import pages_of

    pages = pages_of(mappings)
    return lambda listed: pages.invoice(listed.xero_invoice_id)


def _money(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else f"{amount:,.2f} {plain(currency)}"


def _as_json(listed: ListedInvoice, link: str | None) -> dict[str, Any]:
    def text(amount: Decimal | None) -> str | None:
        return None if amount is None else f"{amount:.2f}"

    return {
        "number": listed.number,
        "invoice_id": listed.invoice_id,
        "client": listed.client,
        "caspen_status": listed.caspen_status,
        "caspen_own_status": listed.caspen_own_status,
        "sync_status": listed.sync_status,
        "xero_invoice_id": listed.xero_invoice_id,
        "xero_status": listed.xero_status,
        "xero_url": link,
        "total": text(listed.total),
        "amount_paid": text(listed.amount_paid),
        "amount_credited": text(listed.amount_credited),
        "amount_due": text(listed.amount_due),
        "currency": listed.currency,
        "accepted": listed.is_accepted,
    } | ({"details_purged": True} if listed.details_purged else {})
