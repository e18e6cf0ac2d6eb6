"""`reconcile`: the proof that both sides are equal, on the screen, for scripts, for a spreadsheet and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.asked import day_of
from caspen_xero.cli.command import command
from caspen_xero.cli.proved import under_way
from caspen_xero.cli.reconcile_files import FolderOfTables, PageFile, not_where_caspens_records_are
from caspen_xero.cli.reconcile_screen import tell_proof
from caspen_xero.cli.reconcile_words import DIFFERENCES, in_words, verdict, what_it_is
from caspen_xero.cli.runs import begins, ends
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.cli.source import read_source
from caspen_xero.cli.standing import read_standing
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain
from caspen_xero.times import local_day

if TYPE_CHECKING:
    from caspen_xero.sync.reconciling.ledger import Asked, Find
    from caspen_xero.sync.reconciling.proof import Proof
    from caspen_xero.sync.reconciling.tables import Column, Table


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "reconcile")(reconcile)


def reconcile(
    session: Session,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day of the period. [default: from the beginning]"),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day of the period. [default: today]")
    ] = None,
    as_at: Annotated[
        str | None, typer.Option("--as-at", metavar="DATE", help="The day of the debtors. [default: the last day]")
    ] = None,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="DIR", help="Write a folder of CSV files, one for each table.")
    ] = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write one page to print, and to file with the month.")
    ] = None,
) -> int:
    """Prove that Caspen and Xero are equal, from a fresh reading of both: each document, then all of it in sums.

    Invoices with their lines, payments, credit notes; by month, tax rate and account; what clients owe as at a day. Nothing is
    changed in Xero or Caspen. Exit code 0: all is equal; 3: it is not. What an interrupted run has read of Xero, the same command
    takes up again.

    \b
    caspen-xero reconcile
    caspen-xero reconcile --from 2026-11-01 --to 2026-11-30 --html november.html
    caspen-xero reconcile --as-at 2026-06-30 --csv year-end
    """
    asked = _asked(session, first, last, as_at)
    tables = FolderOfTables(csv) if csv is not None else None
    page = PageFile(html) if html is not None else None
    begins(session, "reconcile")
    with session.only_writer():
        if tables is not None:
            not_where_caspens_records_are(tables.path, session.settings.source)
        read_source(session, f"Nothing was compared with {plain(session.connection.tenant_name)}.")
        proof = _with_its_workspace(session, _prove(session, asked))
        code = ExitCode.ALL_WELL if proof.is_equal else ExitCode.PARTLY
        ends(session, "reconcile", code, _in_numbers(session, proof))
    try:  # before it is told: whoever reads it may stop
        if page is not None:
            from caspen_xero.cli.reconcile_page import page_of

            page.write(page_of(session, proof))
        if tables is not None:
            tables.write(session, proof)
    except UserError:
        tell_proof(session, proof, has_tables=False, has_page=False)
        raise
    written = [one.path.absolute() for one in (page, tables) if one is not None]
    tell_proof(session, proof, has_tables=tables is not None, has_page=page is not None)
    for path in written:
        session.output.say(f"Written: {plain(path)}")
    if session.output.json:
        session.output.document(_as_json(session, proof, tables, page))
    elif session.output.quiet and not proof.is_equal:
        session.output.warn(f"{what_it_is(session, proof)}: {verdict(proof)}", _again(proof.asked))
    return code


def _asked(session: Session, first: str | None, last: str | None, as_at: str | None) -> Asked:
    """The period and the day, as they were typed. Raises `SessionError` (usage) `bad-date`, `bad-period`."""
    from caspen_xero.sync.reconciling.ledger import Asked

    begin, end = day_of("--from", first), day_of("--to", last) or local_day(session.now())
    if begin is not None and begin > end:
        until = end if last is not None else f"today, {end}"
        words = f"The period has no day: it begins on {begin} and ends on {until}."
        raise SessionError("bad-period", words, "Give a --to that is not before --from.", ExitCode.USAGE)
    return Asked(begin, end, day_of("--as-at", as_at) or end)


def _prove(session: Session, asked: Asked) -> Proof:
    """Reads what both sides are made of by now, and compares; the caller holds the workspace's lock."""
    from caspen_xero.store.listing import list_invoices
    from caspen_xero.sync.reconciling.prove import prove

    mappings, settings = session.mappings, session.settings
    books = read_standing(session)
    listed = books.judged(list_invoices(session.store, mappings, settings.start_date))

    def announce(calls: int) -> None:
        left = session.client.calls_left_today
        of_the_day = f"; {left} are left today" if left is not None else ""
        session.output.note(f"Reading it anew from Xero, in about {calls} {_calls(calls)}{of_the_day}.")

    with (
        session.kept(lambda: _kept_of_reading(session)),
        session.output.progress("Reading Xero", unit="documents", is_about=True) as progress,
    ):
        return prove(
            session.client,
            mappings,
            settings,
            asked,
            books,
            {one.invoice_id: one for one in listed},
            announce=announce,
            tell=progress,
        )


def _kept_of_reading(session: Session) -> str:
    """How much of a reading that is broken off is kept, and how it goes on."""
    from caspen_xero.store.readings import KEPT_FOR

    read = under_way(session)
    if read is None or not read["documents"]:
        return "Nothing of Xero is kept yet: the same command begins anew."
    documents = "1 document" if read["documents"] == 1 else f"{read['documents']:,} documents"
    return f"What was read of Xero is kept for {KEPT_FOR.days} days, {documents} so far: the same command goes on from there."


def _with_its_workspace(session: Session, proof: Proof) -> Proof:
    """A proof in which every command to paste names the workspace that was named."""
    if session.output.workspace is None:
        return proof

    def named(row: Sequence[Any], columns: Sequence[Column]) -> list[Any]:
        are_fixes = (column.key == "fix" for column in columns)
        return [
            session.output.command(cell) if is_fix and cell else cell
            for cell, is_fix in zip(row, are_fixes, strict=True)
        ]

    return replace(
        proof,
        finds=[replace(one, fix=session.output.command(one.fix)) for one in proof.finds],
        information=[replace(one, fix=session.output.command(one.fix)) for one in proof.information],
        tables=[replace(one, rows=[named(row, one.columns) for row in one.rows]) for one in proof.tables],
    )


def _again(asked: Asked) -> str:
    from caspen_xero.sync.fix_commands import reconcile_command

    return reconcile_command(asked.first, asked.last, asked.as_at)


def _calls(number: int) -> str:
    return "call" if number == 1 else "calls"


def _in_numbers(session: Session, proof: Proof) -> dict[str, Any]:
    """A proof in numbers, as JSON shows it and the log keeps it."""
    return {
        "command": "reconcile",
        "from": proof.asked.first,
        "to": proof.asked.last,
        "as_at": proof.asked.as_at,
        "equal": proof.is_equal,
        "compared": proof.compared,
        "proved": proof.proved,
        "not_yet": proof.not_yet,
        "money_not_yet": proof.money_not_yet,
        "unexplained": [table.key for table in proof.unexplained],
        "found": len(proof.finds),
        "api_calls": session.client.calls if session.has_client else 0,
        "seconds": session.seconds(),
    }


def _as_json(session: Session, proof: Proof, tables: FolderOfTables | None, page: PageFile | None) -> dict[str, Any]:
    """The whole proof. Each table stands under its key, its closing rows under `<key>_totals`."""
    numbers = _in_numbers(session, proof)
    document: dict[str, Any] = {
        "command": "reconcile",
        "organisation": session.connection.tenant_name,
        "tenant_id": session.connection.tenant_id,
        **{name: numbers[name] for name in ("from", "to", "as_at")},
        "began_at": proof.began_at,
        "read_at": proof.read_at,
        "resumed_from": proof.resumed_from,
        **{name: numbers[name] for name in ("equal", "compared", "proved", "not_yet", "money_not_yet", "unexplained")},
        "differences": [_find_as_json(one) for one in proof.finds],
        "information": [_find_as_json(one) for one in proof.information],
    }
    for table in proof.tables:
        if table.key not in (DIFFERENCES, "information"):
            document[table.key] = _rows(table, table.rows)
            document[f"{table.key}_totals"] = _rows(table, table.totals)
    return document | {
        "csv": str(tables.path.absolute()) if tables is not None else None,
        "html": str(page.path.absolute()) if page is not None else None,
        "reading_calls": proof.calls,
        "api_calls": numbers["api_calls"],
        "seconds": numbers["seconds"],
    }


def _find_as_json(one: Find) -> dict[str, Any]:
    return {
        "code": one.code,
        "what": in_words(one.code),
        "number": one.number or None,
        "invoice_id": one.invoice_id,
        "client": one.party or None,
        "xero_id": one.xero_id,
        "subject": one.subject or None,
        "date": one.day,
        "caspen": one.caspen or None,
        "xero": one.xero or None,
        "currency": one.currency or None,
        "amount": one.amount,
        "accepted": one.accepted,
        "fix": one.fix or None,
    }


def _rows(table: Table, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    keys = [column.key for column in table.columns]
    return [{key: cell if cell != "" else None for key, cell in zip(keys, row, strict=True)} for row in rows]
