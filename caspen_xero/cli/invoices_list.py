"""`invoices list`: invoices with how far each has come; all of them, or those that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from caspen_xero.cli.asked import ClientPart, FirstDay, LastDay, Words, days_of, in_words, one_of, order_of, part_of
from caspen_xero.cli.listed_invoice import as_json, links, state_in_words
from caspen_xero.cli.output import CURRENCY
from caspen_xero.cli.session import Session
from caspen_xero.cli.standing import read_standing
from caspen_xero.errors import ExitCode

if TYPE_CHECKING:
    from caspen_xero.store.asked import AskedInvoices
    from caspen_xero.store.listing import ListedInvoice

SCREENFUL = 200
"""Invoices that a terminal is given where nobody has said how many."""
COLUMNS = (
    "number",
    "invoice_id",
    "client",
    "date",
    "caspen_status",
    "caspen_own_status",
    "sync_status",
    "accepted",
    "xero_status",
    "total",
    "amount_paid",
    "amount_credited",
    "amount_due",
    "currency",
    "xero_invoice_id",
    "xero_url",
)
"""The fields of a row in CSV."""


def list_(
    session: Session,
    words: Words = None,
    client: ClientPart = None,
    first: FirstDay = None,
    last: LastDay = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only those that are synced, unsynced, differs, pending, draft, skipped or void; may be given again.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            min=1,
            max=10_000_000,
            help="At most so many: the newest, or the first by --sort.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="FIELD",
            help="By date, number, client, total, due or status; with a dash before it (-total) the last come first.",
        ),
    ] = None,
) -> int:
    """List invoices with their sync status: all of them, or those with a word, of a client, of some days, in some state.

    A word may be a part of a number, of the client's or payer's name or of the reference, a total, or the beginning of Xero's id.

    \b
    caspen-xero invoices list --status unsynced
    caspen-xero invoices list okafor --from 2026-11-01 --sort -total
    caspen-xero invoices list 165.00
    """
    from caspen_xero.store.asked import ORDERS, AskedInvoices, asked_invoices
    from caspen_xero.store.listing import SYNC_STATUSES

    begin, end = days_of(first, last)
    client = part_of("--client", client)
    states, order = one_of("--status", status, SYNC_STATUSES), order_of(sort, ORDERS)
    most = limit
    if limit is None and session.output.is_for_a_screen:
        most = SCREENFUL
    newest_first = order is None and most is not None
    asked = AskedInvoices(
        words=words or (),
        client=client,
        first=begin,
        last=end,
        states=[one for one in SYNC_STATUSES if one in states],
        order=order.by if order else "date",
        backwards=order.backwards if order else newest_first,
        limit=most,
    )
    books = read_standing(session)
    listed, whole = asked_invoices(
        session.store, session.known_mappings, session.settings.start_date, asked, books.overlay
    )
    rows = books.judged(listed)
    if newest_first and limit is None:
        rows.reverse()  # the newest stands where a person looks first, above the prompt
    if session.output.is_for_scripts:
        link = links(session)
        session.output.listed({"invoices": [as_json(one, link(one)) for one in rows]}, "invoices", COLUMNS)
    elif not rows:
        session.output.say(_why_none(asked, session.settings.source))
    else:
        _tell(session, rows)
        session.output.remark(_how_many(len(rows), whole, is_limited=limit is not None, is_newest=newest_first))
    return ExitCode.ALL_WELL


def _tell(session: Session, rows: Sequence[ListedInvoice]) -> None:
    session.output.table(
        ("Invoice", "Client", "Date", "Caspen", "Sync", "Xero", "Total", "Due", CURRENCY),
        [
            (
                invoice.number or invoice.invoice_id,
                invoice.client or ("(purged)" if invoice.details_purged else ""),
                invoice.issue_date,
                invoice.caspen_own_status,
                state_in_words(invoice),
                invoice.xero_status,
                invoice.total,
                invoice.amount_due,
                invoice.currency,
            )
            for invoice in rows
        ],
        narrow_without=("Due", "Xero", "Caspen", "Date", "Client"),
    )


def _how_many(shown: int, whole: int, *, is_limited: bool, is_newest: bool) -> str:
    if shown == whole:
        return "1 invoice." if shown == 1 else f"{shown:,} invoices."
    which = f"The newest {shown:,}" if is_newest else f"The first {shown:,}"
    more = "" if is_limited else f"; for all of them say --limit {whole}"
    return f"{which} of {whole:,} invoices{more}."


def _why_none(asked: AskedInvoices, source: str | None) -> str:
    """That there is none, and of what."""
    from caspen_xero.sync.planning.ways_out import read_caspen

    if not asked.leaves_some_out:
        return f"No invoice has been imported yet: {read_caspen(source)}"
    what = in_words(asked.words, asked.client, asked.first, asked.last, dated="dated")
    return f"No invoice{what} is {' or '.join(asked.states)}." if asked.states else f"There is no invoice{what}."
