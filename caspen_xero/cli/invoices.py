"""`invoices`: each invoice on both sides, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.session import Session, SessionError, one_invoice
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain, said

if TYPE_CHECKING:
    from caspen_xero.store.listing import ListedInvoice
    from caspen_xero.store.mappings import Mappings

InvoiceName = Annotated[str, typer.Argument(metavar="INVOICE", help="Its number or id.")]


def register(app: typer.Typer) -> None:
    """Adds `invoices` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "list")(list_)
    command(group, "show")(show)
    command(group, "open")(open_)
    command(group, "skip")(skip)
    command(group, "unskip")(unskip)
    command(group, "link")(link)
    app.add_typer(group, name="invoices", help="Each invoice in Caspen and in Xero.")


def list_(
    session: Session,
    status: Annotated[
        str | None, typer.Option("--status", help="synced, unsynced, pending, draft, skipped or void.")
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
    listed = list_invoices(session.store, _mappings(session), session.settings.start_date)
    rows = [invoice for invoice in listed if status in (None, invoice.sync_status)]
    if session.output.json:
        link = _links(session)
        session.output.document({"invoices": [_as_json(invoice, link(invoice)) for invoice in rows]})
        return ExitCode.ALL_WELL
    session.output.table(
        ("Invoice", "Client", "Date", "Caspen", "Sync", "Xero", "Total", "Due"),
        [
            (
                invoice.number or invoice.invoice_id,
                invoice.client or ("(purged)" if invoice.details_purged else ""),
                invoice.issue_date,
                invoice.caspen_status,
                invoice.sync_status,
                invoice.xero_status,
                invoice.total,
                invoice.amount_due,
            )
            for invoice in rows
        ],
    )
    session.output.say(f"{len(rows)} invoices.")
    return ExitCode.ALL_WELL


def show(session: Session, invoice: InvoiceName) -> int:
    """Show one invoice: its figures on both sides, its problems, and what was sent.

    \b
    caspen-xero invoices show INV-0042
    """
    from caspen_xero.store import problems as store_problems
    from caspen_xero.store.invoice_names import InvoiceNames
    from caspen_xero.store.journal import writes
    from caspen_xero.sync.problems import named_rightly

    listed, mappings = _find(session, invoice), _mappings(session)
    found = store_problems.problems(mappings, listed.invoice_id) if mappings else []
    names = InvoiceNames(session.store)
    problems = [named_rightly(row, listed.invoice_id, names) for row in found]
    sent = writes(mappings, 50, listed.invoice_id) if mappings else []
    edited = _edited(mappings, listed.invoice_id) if mappings else []
    if session.output.json:
        shown = ("code", "reason", "fix", "xero_says", "attempts", "first_failed_at", "last_tried_at")
        session.output.document(
            {
                "invoice": _as_json(listed, _links(session)(listed)),
                "problems": [
                    {key: problem[key] for key in shown} | {"fix": session.output.command(problem["fix"])}
                    for problem in problems
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
        ("In Caspen", listed.caspen_status),
        ("Sync", listed.sync_status.capitalize()),
        ("In Xero", listed.xero_status),
        ("Open in Xero", link),
        ("Details", "purged here, by caspen-xero purge" if listed.details_purged else None),
    ]
    session.output.table(
        (f"Invoice {plain(listed.number or listed.invoice_id)}", ""), [fact for fact in facts if fact[1]]
    )
    for problem in problems:
        session.output.say(f"{problem['code']}: {problem['reason']}", f"  -> {problem['fix']}")
    for one in edited:
        session.output.say(f"edited in Xero: {one['xero']} (sent: {one['caspen']})")
    for row in sent:
        session.output.say(
            f"{row['first_sent_at'][:16]}  {row['operation']}  {row['state']}  {plain(row['message'] or '', MOST_WORDS)}"
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
    return _say_done(session, invoice, "is set aside", to_paste("invoices unskip", name_for(found, invoice)))


def unskip(session: Session, invoice: InvoiceName) -> int:
    """Let pushes take care of an invoice again."""
    from caspen_xero.store import skips

    with session.only_writer():
        found = one_invoice(session, invoice, or_bad=True)
        if not skips.unskip(session.store, found):
            raise SessionError(
                "not-skipped", f"Invoice {plain(invoice)} was not set aside.", "caspen-xero invoices list"
            )
    return _say_done(session, invoice, "is taken care of again", _push_of(session, found, invoice))


def _push_of(session: Session, invoice_id: str, name: str) -> str:
    """The push of an invoice; of all where there is only a bad record of it, for that can't be named."""
    from caspen_xero.store import clinic

    return (
        to_paste("push", name_for(invoice_id, name))
        if clinic.invoice_ids(session.store, invoice_id)
        else "caspen-xero push"
    )


def link(
    session: Session,
    invoice: InvoiceName,
    xero_id: Annotated[str, typer.Argument(metavar="XERO_ID", help="InvoiceID or PaymentID, or the address in Xero.")],
) -> int:
    """Link an invoice, or a payment of it, to what is in Xero already, so that it is not sent a second time.

    \b
    caspen-xero invoices link INV-0042 60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1
    """
    from caspen_xero.sync.sending.manual_link import link_to

    with session.only_writer():
        found = one_invoice(session, invoice)
        told = link_to(session.client, session.mappings, found, xero_id, session.now())
    return _say_done(session, invoice, told, to_paste("push", name_for(found, invoice)))


def _say_done(session: Session, invoice: str, what: str, next_command: str) -> int:
    if session.output.json:
        session.output.document({"invoice": invoice, "done": what})
    else:
        session.output.say(f"Invoice {plain(invoice)} {what}.")
        session.output.note(f"Next: {next_command}")
    return ExitCode.ALL_WELL


def _find(session: Session, name: str) -> ListedInvoice:
    from caspen_xero.store.listing import list_invoices

    found = one_invoice(session, name)
    return list_invoices(session.store, _mappings(session), session.settings.start_date, found)[0]


def _mappings(session: Session) -> Mappings | None:
    return session.mappings if session.store.connection() else None


def _links(session: Session) -> Callable[[ListedInvoice], str | None]:
    """A function that gives the address at which an invoice opens in Xero, or None where it is not there."""
    if session.store.connection() is None:
        return lambda listed: None
    from caspen_xero.sync.setup.organisation import known_organisation
    from caspen_xero.xero.deeplinks import XERO_PAGES, invoice_link
    from caspen_xero.xero.hosts import base_url

    facts = known_organisation(session.mappings)
    short_code = facts.organisation.short_code if facts else None
    stored = session.connection.xero_url
    base = base_url(stored) if stored else XERO_PAGES  # a browser may be sent there
    return lambda listed: invoice_link(short_code, listed.xero_invoice_id or "", base)


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
        "sync_status": listed.sync_status,
        "xero_invoice_id": listed.xero_invoice_id,
        "xero_status": listed.xero_status,
        "xero_url": link,
        "total": text(listed.total),
        "amount_paid": text(listed.amount_paid),
        "amount_credited": text(listed.amount_credited),
        "amount_due": text(listed.amount_due),
        "currency": listed.currency,
    } | ({"details_purged": True} if listed.details_purged else {})
