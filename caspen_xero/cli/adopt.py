"""`adopt`: looks up all of ours in Xero and links what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.runs import begins, ends
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import read_source
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.sync.sending.adopt import AdoptResult
    from caspen_xero.sync.sending.other_homes import FoundInXero


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "adopt")(adopt)


def adopt(session: Session) -> int:
    """Look up all of ours in Xero and link what is there; nothing is sent. For a new store, a restored one, or a second home.

    A push does this by itself when it finds something of ours that this store did not send. Where it has stopped because
    another home sends too, end that one first; then this lets this store send again.

    \b
    caspen-xero adopt
    """
    from caspen_xero.sync.sending.adopt import Adopt

    begins(session, "adopt")
    with session.only_writer():
        read = read_source(session, f"Nothing was looked up in {plain(session.connection.tenant_name)}.")
        with session.output.progress("Looking up", unit="invoices") as progress:
            engine = Adopt(session.mappings, session.settings, lambda: session.client, session.now, progress=progress)
            session.told_done.append(lambda: _linked(engine.result))
            result = engine.run()
        code = _exit_code(result, read.bad_count)
        summary = _summary(result, session.seconds())
        ends(session, "adopt", code, summary, result.stopped)
    if session.output.json:
        session.output.document(summary)
    else:
        _tell(session, result)
    return code


def tell_found(session: Session, found: FoundInXero) -> None:
    """One line for people about what of ours was in Xero though this store did not send it."""
    if found:
        session.output.note(found.in_words())


def _exit_code(result: AdoptResult, bad_records: int) -> int:
    codes: set[int] = {result.stopped.exit_code} if result.stopped is not None else set()
    if result.problems or result.warnings or bad_records:
        codes.add(ExitCode.PARTLY)
    return worst_of(codes)


def _summary(result: AdoptResult, seconds: float) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "command": "adopt",
        "invoices": len(result.invoices),
        "payments": len(result.payments),
        "credit_notes": len(result.credit_notes),
        "allocations": len(result.allocations),
        "contacts_linked": len(result.contacts),
        "unsynced": len(result.problems),
        "found_in_xero": result.found.as_json(),
        "api_calls": result.api_calls,
        "seconds": seconds,
    }
    if result.warnings:
        summary["warnings"] = result.warnings
    if result.stopped is not None:
        summary["stopped"] = result.stopped.as_json()
    return summary


def _linked(result: AdoptResult) -> list[tuple[str, int]]:
    """What was linked, in words and numbers."""
    return [
        ("invoices linked", len(result.invoices)),
        ("payments linked", len(result.payments)),
        ("credit notes linked", len(result.credit_notes)),
        ("allocations linked", len(result.allocations)),
        ("contacts linked", len(result.contacts)),
    ]


def _tell(session: Session, result: AdoptResult) -> None:
    output = session.output
    for line in result.linked_rates:
        output.note(line)
    for line in result.warnings:
        output.warn(line)
    linked = [(what, number) for what, number in _linked(result) if number]
    if linked:
        output.facts(f"Found in {plain(session.connection.tenant_name)}", linked)
    elif result.stopped is None:
        output.say(f"Nothing of ours is in {plain(session.connection.tenant_name)} that this store does not know.")
    tell_found(session, result.found)
    if result.problems:
        number = len(result.problems)
        were = "1 invoice was" if number == 1 else f"{number} invoices were"
        output.note(f"{were} not taken in. See why, and what to do:  caspen-xero unsynced")
    if result.stopped is not None:
        output.error(result.stopped)
