"""`drift`: where Caspen and Xero no longer agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import SIDES, Ours
from caspen_xero.cli.session import Session
from caspen_xero.cli.standing import basis, read_standing
from caspen_xero.errors import ExitCode
from caspen_xero.times import local

if TYPE_CHECKING:
    from caspen_xero.sync.pulling.drift import Drift


COLUMNS = (
    "number",
    "invoice_id",
    "code",
    "caspen",
    "xero",
    "seen_at",
    "fix",
    "subject",
    "problem",
)
"""The fields of a row, in JSON and in CSV."""


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "drift", lists=True)(drift)


def drift(session: Session) -> int:
    """Show where Caspen and Xero no longer agree, since when, and what to do. Changes nothing on either side.

    \b
    caspen-xero pull && caspen-xero drift
    """
    mappings, books = session.last_known, read_standing(session)
    rows, edited = books.differences, books.information
    if session.output.is_for_scripts:
        told = {"drift": _as_json(session, rows), "information": _as_json(session, edited)}
        if session.output.csv:  # where there is one table, the code says which is which
            told["drift"] += told["information"]
        session.output.listed(told, "drift", COLUMNS)
        return ExitCode.ALL_WELL
    but = " but what a person has accepted" if books.accepted else ""
    if edited:
        _tell(session, edited, "Edited in Xero")
    if rows:
        _tell(session, rows, "Caspen and Xero differ")
    elif not mappings.has_invoices():
        session.output.say(f"Nothing of Caspen's is known to be in Xero yet: {session.next_run('push')}")
    elif session.store.adopt_is_due:
        session.output.say(
            f"Nothing differs{but}: {basis(session, books)}. That is as far as this store knows, but it may be an older one: "
            "caspen-xero adopt"
        )
    else:
        session.output.say(f"Nothing differs{but}: {basis(session, books)}.")
    return ExitCode.ALL_WELL


def _as_json(session: Session, rows: Sequence[Drift]) -> list[dict[str, Any]]:
    return [row.as_json() | {"fix": session.output.command(row.fix)} for row in rows]


def _tell(session: Session, rows: Sequence[Drift], title: str) -> None:
    from caspen_xero.cli.tables import with_thousands

    session.output.table(
        ("Invoice", "What", *SIDES[:2], "Since"),
        [
            (row.number, row.code, *(Ours(with_thousands(side)) for side in (row.caspen, row.xero)), local(row.seen_at))
            for row in rows
        ],
        title=title,
        narrow_without=("Since",),
        beside=SIDES,
        keeps_numbers=True,
    )
    session.output.what_to_do((row.fix, row.number or row.xero, "", ()) for row in rows)
