"""`schema`: the shapes of what goes in and what comes out, as JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

FEED = "feed"


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "schema")(schema)


def schema(
    session: Session,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WHAT", help="A command, such as push or invoices list, or feed. Without one all are listed."
        ),
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Of the feed: write empty CSV files with its headings into a new folder."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="FILE.csv", help="Of the feed: print a columns file for a CSV with other headings."),
    ] = None,
) -> None:
    """Show the JSON Schema of what a command gives with --json, or of Caspen's records (feed).

    Of the feed it also makes what helps to bring records here as CSV.

    \b
    caspen-xero schema unsynced
    caspen-xero schema feed --csv templates
    caspen-xero schema feed --columns Invoices.csv > columns.toml
    """
    from caspen_xero.cli.shapes.every import SHAPES, schema_of

    name = " ".join(words or [])
    if name == FEED:
        from caspen_xero.cli.schema_feed import schema_feed

        schema_feed(session, csv, columns)
    elif csv is not None or columns is not None:
        raise SessionError("usage", "--csv and --columns are of the feed.", "caspen-xero schema --help", ExitCode.USAGE)
    elif not name:
        if session.output.json:
            session.output.document({"schemas": [*SHAPES, FEED]})
        session.output.say(*SHAPES, FEED)
    elif name in SHAPES:
        Output(json=True).document(schema_of(name))
    else:
        near = [one for one in SHAPES if one.startswith(f"{name} ")]
        fix = "; ".join(f"caspen-xero schema {one}" for one in near) or "caspen-xero schema"
        raise SessionError("unknown-command", f"{plain(name)} gives no JSON document.", fix, ExitCode.USAGE)
