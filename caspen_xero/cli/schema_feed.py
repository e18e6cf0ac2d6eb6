"""`schema feed`: what the feed's records hold, for a machine, for a spreadsheet, and for a CSV file with other headings."""

from __future__ import annotations

import io
import sys

from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain


def schema_feed(session: Session, csv: str | None, columns: str | None) -> None:
    """The JSON Schema; or, with `csv`, templates into that new folder; or, with `columns`, a columns file for that CSV file."""
    if csv is not None and columns is not None:
        raise SessionError(
            "usage", "--csv and --columns are two things.", "caspen-xero schema feed --help", ExitCode.USAGE
        )
    if csv is not None:
        _templates(session, csv)
    elif columns is not None:
        _columns(session, columns)
    else:
        from caspen_xero.caspen.feed_schema import feed_schema

        session.output.document(feed_schema())


def _templates(session: Session, folder: str) -> None:
    from caspen_xero.caspen.csv_templates import write_templates
    from caspen_xero.paths import given_path

    path = given_path(folder)
    files = write_templates(path)
    if session.output.json:
        session.output.document({"command": "schema", "files": [str(file) for file in files]})
        return
    session.output.say(*(plain(file) for file in files))
    session.output.note(
        "Each has the feed's headings; caspen-xero schema feed says what they mean. Write days as YYYY-MM-DD and numbers as "
        "1234.50, or say how you write them in a columns.toml beside them. A file that you don't need: delete it, and that of its "
        "lines."
    )


def _columns(session: Session, file: str) -> None:
    from caspen_xero.caspen.columns_guess import guess_columns
    from caspen_xero.paths import given_path

    text = guess_columns(given_path(file))
    if session.output.json:
        session.output.document({"command": "schema", "columns": text})
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as TOML is, also where it goes into a file on Windows
    session.output.say(*text.rstrip("\n").split("\n"))
    session.output.note(
        f"{text.count(chr(34) + '?')} guesses to confirm. Keep it as columns.toml beside the CSV files (... > columns.toml), "
        "correct it, take each ? away, and import them."
    )
