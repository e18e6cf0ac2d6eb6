"""`log`: what was sent to Xero, when, and with what answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.times import local


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "log")(log)


def log(
    session: Session,
    number: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=1_000_000, help="How many documents at the most.")
    ] = 50,
    invoice: Annotated[str | None, typer.Option("--invoice", help="Only what belongs to this invoice.")] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="Only what Xero took with a warning.")] = False,
) -> int:
    """Show what was sent to Xero, when, and with what answer, newest first.

    \b
    caspen-xero log --invoice INV-0042
    caspen-xero log --warnings
    """
    from caspen_xero.store import clinic
    from caspen_xero.store.journal import writes

    rows: list[dict[str, Any]] = []
    if (mappings := session.known_mappings) is not None:
        ids = clinic.invoice_ids(session.store, invoice) if invoice else [None]
        if not ids:
            raise SessionError(
                "invoice-not-found", f"There is no invoice {plain(invoice)}.", "caspen-xero invoices list"
            )
        rows = [row for id_ in ids for row in writes(mappings, number, id_, only_warned=warnings)]
    if session.output.json:
        session.output.document({"log": rows})
        return ExitCode.ALL_WELL
    if not rows:
        what = "Xero took nothing with a warning" if warnings else "nothing was sent to Xero yet"
        session.output.say(f"{f'Of invoice {plain(invoice)} {what}' if invoice else what[0].upper() + what[1:]}.")
        return ExitCode.ALL_WELL
    session.output.table(
        ("Sent", "What", "Number", "Answer", "HTTP", "Xero id", "Message"),
        [
            (
                local(row["first_sent_at"], seconds=True),
                row["operation"].replace("-", " "),
                row["number"],
                row["state"] if row["write_state"] != "sent" else "unknown",
                row["http_status"],
                row["xero_id"],
                Ours(plain(" ".join([row["message"] or "", *row["warnings"]]), 2 * MOST_WORDS)),
            )
            for row in rows
        ],
        narrow_without={"HTTP", "Xero id"},
    )
    return ExitCode.ALL_WELL
