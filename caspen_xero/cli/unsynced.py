"""`unsynced`: which invoices are not in Xero, why, and what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session
from caspen_xero.cli.standing import basis, read_standing
from caspen_xero.errors import ExitCode
from caspen_xero.times import local

if TYPE_CHECKING:
    from caspen_xero.sync.books.books import Books


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "unsynced")(unsynced)


def unsynced(session: Session) -> int:
    """Show which invoices are not in Xero as they are in Caspen, why, since when, and the command that fixes it."""
    from caspen_xero.sync.unsynced import unsynced_rows

    books = read_standing(session)
    rows = unsynced_rows(session.store, session.known_mappings, session.settings, books)
    if session.output.json:
        session.output.document(
            {
                "unsynced": [
                    row | {"fix": session.output.command(row["fix"]), "choices": session.output.choices(row["choices"])}
                    for row in rows
                ]
            }
        )
    elif not rows:
        session.output.say(_why_none(session, books))
    else:
        _tell_unsynced(session, rows)
        session.output.say(f"{basis(session, books)}.")
    return ExitCode.ALL_WELL


def _why_none(session: Session, books: Books) -> str:
    """That nothing is unsynced, and on what that rests; nothing is said of invoices that nobody can know about."""
    from caspen_xero.sync.planning.ways_out import read_caspen

    if not sum(books.counts.values()):
        return f"Nothing is unsynced, as no invoice has been imported yet: {read_caspen(session.settings.source)}"
    told = f"Nothing is unsynced: {basis(session, books)}."
    if session.store.connection() is None:
        return f"{told} This workspace is not connected to Xero: caspen-xero connect"
    if session.store.adopt_is_due:
        return f"{told} That is as far as this store knows, but it may be an older one: caspen-xero adopt"
    return told


def _tell_unsynced(session: Session, rows: list[dict[str, Any]]) -> None:
    """The table, then each fix once. On a narrow terminal the reasons stand with the fixes: a column would be too thin."""
    narrow = session.output.is_narrow
    session.output.table(
        ("Invoice", "Client", "Date", "Total", "Why", "Since", "Tries"),
        [
            (
                row["number"] or row["invoice_id"],
                row["client"],
                row["date"],
                Decimal(row["total"]) if row["total"] is not None else None,
                row["code"] if narrow else Ours(f"{row['code']}: {row['reason']}"),
                local(row["first_failed_at"])[: 10 if narrow else None],
                row["attempts"],
            )
            for row in rows
        ],
        title="Not in Xero as in Caspen",
        narrow_without={"Date", "Tries"},
    )
    session.output.what_to_do(
        (
            row["fix"],
            row["number"] or row["invoice_id"],
            f"{row['code']}: {row['reason']}" if narrow else "",
            row["choices"],
        )
        for row in rows
    )
