"""`unsynced`: which invoices are not in Xero, why, and what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode

NARROW = 110


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "unsynced")(unsynced)


def unsynced(session: Session) -> int:
    """Show which invoices are not in Xero, why, since when, and the command that fixes it."""
    from caspen_xero.sync.unsynced import unsynced_rows

    rows = unsynced_rows(session.store, session.mappings if session.store.connection() else None, session.settings)
    if session.output.json:
        session.output.document({"unsynced": [row | {"fix": session.output.command(row["fix"])} for row in rows]})
    elif not rows:
        session.output.say(_why_none(session))
    else:
        _tell_unsynced(session, rows)
    return ExitCode.ALL_WELL


def _why_none(session: Session) -> str:
    """That nothing is unsynced; nothing is said of invoices that nobody can know about."""
    from caspen_xero.store.clinic import count_invoices
    from caspen_xero.store.listing import list_invoices

    store = session.store
    if not count_invoices(store):
        return "Nothing is unsynced, as no invoice has been imported yet: caspen-xero import PATH"
    if store.connection() is None:
        return "Nothing is unsynced, but this workspace is not connected to Xero: caspen-xero connect"
    if store.adopt_is_due:
        return "Nothing is unsynced as far as this store knows, but it may be an older one: caspen-xero adopt"
    listed = list_invoices(store, session.mappings, session.settings.start_date)
    left_out = sum(invoice.sync_status == "skipped" for invoice in listed)
    if not left_out:
        return "Nothing is unsynced: every finalised invoice is in Xero."
    return f"Nothing is unsynced: every finalised invoice is in Xero, but for {left_out} set aside or before the start date."


def _tell_unsynced(session: Session, rows: list[dict[str, Any]]) -> None:
    """The table, then each fix once. On a narrow terminal the reasons stand with the fixes: a column would be too thin."""
    narrow = session.output.console().width < NARROW
    session.output.table(
        ("Invoice", "Client", "Date", "Total", "Why", "Since", "Tries"),
        [
            (
                row["number"] or row["invoice_id"],
                row["client"],
                row["date"],
                Decimal(row["total"]) if row["total"] is not None else None,
                row["code"] if narrow else Ours(f"{row['code']}: {row['reason']}"),
                (row["first_failed_at"] or "")[: 10 if narrow else 16].replace("T", " "),
                row["attempts"],
            )
            for row in rows
        ],
        title="Unsynced invoices",
    )
    session.output.what_to_do(
        (row["fix"], row["number"] or row["invoice_id"], f"{row['code']}: {row['reason']}" if narrow else "")
        for row in rows
    )
