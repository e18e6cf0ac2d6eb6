"""`import`: Caspen's records into the local store."""

from __future__ import annotations

from typing import Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.progress import BYTES
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import import_summary, tell_import
from caspen_xero.errors import ExitCode


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

    with session.only_writer(), session.output.progress("Importing", unit=BYTES) as progress:
        result = import_paths(session.store, paths, progress, getattr(sys.stdin, "buffer", None), columns)
    if session.output.json:
        session.output.document({"command": "import", **import_summary(result)})
    else:
        tell_import(session, result)
    return ExitCode.PARTLY if result.bad_count else ExitCode.ALL_WELL
