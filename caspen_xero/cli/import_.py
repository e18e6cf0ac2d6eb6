"""`import`: Caspen's records into the local store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.progress import BYTES
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import NOT_IMPORTED, import_summary, tell_import
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "import", begins="asked")(import_)


def import_(
    session: Session,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files or folders of a Caspen export; - reads stdin.")
    ],
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="What the columns of the CSV files are; without it, columns.toml beside them."
        ),
    ] = None,
) -> int:
    """Read a Caspen export into the local store.

    Running it twice changes nothing. Bad records are reported and left out (exit code 3); a file that is no JSON, or
    breaks off, changes nothing at all (exit code 1).

    \b
    caspen-xero import ~/caspen-export
    caspen-xero import invoices.jsonl payments.jsonl
    caspen-xero import --columns columns.toml Invoices.csv
    unzip -p export.zip | caspen-xero import -
    """
    import sys

    from caspen_xero.sync.importing import import_paths
    from caspen_xero.sync.pulling.deliver import moved_by_import

    with (
        session.only_writer(),
        session.kept(lambda: NOT_IMPORTED),
        session.output.progress("Importing", unit=BYTES) as progress,
    ):
        result = import_paths(session.store, paths, progress, getattr(sys.stdin, "buffer", None), columns)
    moved = moved_by_import(session.store, session.settings.source, result.read_before)
    if session.output.json:
        there = {"before": moved[0] and str(moved[0]), "now": str(moved[1])} if moved is not None else None
        session.output.document({"command": "import", **import_summary(result), "payments_go_elsewhere": there})
    else:
        tell_import(session, result)
    if moved is not None:
        _tell_moved(session, *moved)
    return ExitCode.PARTLY if result.bad_count else ExitCode.ALL_WELL


def _tell_moved(session: Session, before: Path | None, now: Path) -> None:
    """That Caspen will be told of payments in another folder from now on."""
    where = f", and no longer to {plain(before)}" if before is not None else ""
    session.output.warn(
        f"Payments from Xero for Caspen go to {plain(now)} from now on{where}, as that is what was imported last.",
        "To have one place, whatever is imported, name Caspen's export: caspen-xero settings set --source PATH",
    )
