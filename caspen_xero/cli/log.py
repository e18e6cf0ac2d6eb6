"""`log`: what was sent to Xero, when, and with what answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.asked import (
    ClientPart,
    FirstDay,
    LastDay,
    Words,
    days_of,
    in_words,
    one_of,
    order_of,
    part_of,
)
from caspen_xero.cli.command import command
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.cli.story import answer_of, short_id, what_of
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.times import end_of, local, start_of

if TYPE_CHECKING:
    from caspen_xero.store.sent import AskedWrites

COLUMNS = (
    "first_sent_at",
    "answered_at",
    "operation",
    "number",
    "client",
    "state",
    "write_state",
    "http_status",
    "xero_id",
    "message",
    "warnings",
    "invoice_id",
    "caspen_id",
    "method",
    "path",
    "id",
    "invoice",
)
"""The fields of a row, in JSON and in CSV."""


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "log", lists=True)(log)


def log(
    session: Session,
    words: Words = None,
    client: ClientPart = None,
    first: FirstDay = None,
    last: LastDay = None,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only what is done, refused, missing, open or unknown."),
    ] = None,
    invoice: Annotated[
        str | None, typer.Option("--invoice", metavar="INVOICE", help="Only what belongs to this invoice.")
    ] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="Only what Xero took with a warning.")] = False,
    number: Annotated[
        int,
        typer.Option(
            "--limit", "--lines", "-n", metavar="N", min=1, max=1_000_000, help="How many documents at the most."
        ),
    ] = 50,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="FIELD", help="By sent, number, what or client; -sent: newest first."),
    ] = None,
) -> int:
    """Show what was sent to Xero, when, and with what answer, newest first.

    An id of Xero's is shown by its beginning, which every command takes for the whole.

    \b
    caspen-xero log --invoice INV-0042
    caspen-xero log --status refused --from 2026-11-01
    caspen-xero log --warnings
    """
    from caspen_xero.store import clinic
    from caspen_xero.store.sent import ANSWERS, ORDERS, AskedWrites, writes
    from caspen_xero.store.store import utc_text

    begin, end = days_of(first, last)
    client = part_of("--client", client)
    answers, order = one_of("--status", status, ANSWERS), order_of(sort, ORDERS)
    ids = None
    if invoice is not None and session.known_mappings is not None:
        ids = clinic.invoice_ids(session.store, invoice)
        if not ids:
            raise SessionError(
                "invoice-not-found", f"There is no invoice {plain(invoice)}.", "caspen-xero invoices list"
            )
    asked = AskedWrites(
        words=words or (),
        client=client,
        invoice_ids=ids,
        since=utc_text(start_of(begin)) if begin else None,
        before=utc_text(end_of(end)) if end else None,
        answers=answers,
        only_warned=warnings,
        order=order.by if order else "sent",
        backwards=order.backwards if order else True,
        limit=number,
    )
    mappings = session.known_mappings
    rows = writes(mappings, asked) if mappings is not None else []
    if session.output.is_for_scripts:
        session.output.listed({"log": rows}, "log", COLUMNS)
        return ExitCode.ALL_WELL
    if not rows:
        of_what, days = in_words(asked.words, client), in_words((), None, begin, end)
        session.output.say(_why_none(invoice, of_what, days, answers, warnings=warnings))
        return ExitCode.ALL_WELL
    _tell(session, rows)
    if len(rows) == number:
        _tell_how_many(session, asked)
    return ExitCode.ALL_WELL


def _tell(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    session.output.table(
        ("Sent", "What", "Number", "Answer", "HTTP", "Xero id", "Message"),
        [
            (
                local(row["first_sent_at"], seconds=True),
                Ours(row["operation"].replace("-", " ")),
                what_of(row),
                answer_of(row),
                row["http_status"],
                short_id(row["xero_id"]),
                Ours(plain(" ".join([row["message"] or "", *row["warnings"]]), 2 * MOST_WORDS)),
            )
            for row in rows
        ],
        narrow_without=("Xero id", "HTTP", "Message"),
        beside=("Answer", "HTTP", "Xero id", "Message"),
    )


def _tell_how_many(session: Session, asked: AskedWrites) -> None:
    from caspen_xero.store.sent import count_writes

    whole = count_writes(session.last_known, asked)
    if asked.limit is not None and whole > asked.limit:
        session.output.remark(f"{asked.limit:,} of {whole:,} documents; for more say --limit {whole}.")


def _why_none(invoice: str | None, of_what: str, days: str, answers: Sequence[str], *, warnings: bool) -> str:
    """That there is nothing, and of what."""
    if of_what or days or answers:
        which = f"{f' of invoice {plain(invoice)}' if invoice else ''}{of_what}"
        warned = ", and taken with a warning" if warnings else ""
        became = f" is {' or '.join(answers)}" if answers else ""
        return (
            f"Nothing{which} was sent to Xero{days}{warned}."
            if not answers
            else f"Nothing{which} that was sent{days}{warned}{became}."
        )
    what = "Xero took nothing with a warning" if warnings else "nothing was sent to Xero yet"
    return f"{f'Of invoice {plain(invoice)} {what}' if invoice else what[0].upper() + what[1:]}."
