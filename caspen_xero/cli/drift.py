"""`drift`: where Caspen and Xero no longer agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode

if TYPE_CHECKING:
    from caspen_xero.sync.pulling.drift import Drift


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "drift")(drift)


def drift(session: Session) -> int:
    """Show where Caspen and Xero no longer agree, since when, and what to do. Changes nothing on either side.

    \b
    caspen-xero pull && caspen-xero drift
    """
    from caspen_xero.store.todo import has_links
    from caspen_xero.sync.pulling.drift import find_drift

    found = find_drift(session.mappings, session.settings)
    rows = [row for row in found if not row.is_information]
    edited = [row for row in found if row.is_information]
    if session.output.json:
        session.output.document({"drift": _as_json(session, rows), "information": _as_json(session, edited)})
        return ExitCode.ALL_WELL
    if edited:
        _tell(session, edited, "Edited in Xero")
    if rows:
        _tell(session, rows, "Caspen and Xero differ")
    elif not has_links(session.mappings):
        session.output.say("Nothing of Caspen's is known to be in Xero yet: caspen-xero push")
    elif session.store.adopt_is_due:
        session.output.say(
            "Caspen and Xero agree as far as this store knows, but it may be an older one: caspen-xero adopt"
        )
    else:
        session.output.say("Caspen and Xero agree, as far as the last push and pull have seen.")
    return ExitCode.ALL_WELL


def count_drift(session: Session) -> int:
    """On how many things the two sides differ, if a person is to be told."""
    from caspen_xero.sync.pulling.drift import find_drift

    is_told = not session.output.quiet and not session.output.json
    found = find_drift(session.mappings, session.settings) if is_told else ()
    return sum(not row.is_information for row in found)


def tell_drift_count(session: Session, count: int) -> None:
    """One line for people where the two sides differ."""
    if count:
        things = "1 thing is" if count == 1 else f"{count} things are"
        session.output.note(f"{things} not the same in Caspen and Xero:  caspen-xero drift")


def _as_json(session: Session, rows: list[Drift]) -> list[dict[str, Any]]:
    return [row.as_json() | {"fix": session.output.command(row.fix)} for row in rows]


def _tell(session: Session, rows: list[Drift], title: str) -> None:
    from caspen_xero.sync.pulling.drift import by_fix

    session.output.table(
        ("Invoice", "What", "In Caspen", "In Xero", "Since"),
        [
            (row.number, row.code, Ours(row.caspen), Ours(row.xero), (row.seen_at or "")[:16].replace("T", " "))
            for row in rows
        ],
        title=title,
    )
    session.output.what_to_do((fix, name, "") for fix, names in by_fix(rows).items() for name in names)
