"""`unsynced`: which invoices are not in Xero, why, and what to do: by cause, then row by row, then all of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.output import CURRENCY, Ours, in_words
from caspen_xero.cli.session import Session, SessionError, one_invoice
from caspen_xero.cli.standing import LOOK, basis, read_standing
from caspen_xero.cli.story import COLUMNS, tell_story
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.times import local, local_day

if TYPE_CHECKING:
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.causes import Cause

NAMED = 3
"""So many invoices of a cause are named."""


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "unsynced", lists=True)(unsynced)


def unsynced(
    session: Session,
    which: Annotated[
        str | None,
        typer.Argument(metavar="[CODE|INVOICE]", help="The rows of one cause, or the whole story of one invoice."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every row, not only a sum for each cause.")] = False,
) -> int:
    """Show what is not in Xero as it is in Caspen: by cause, how many invoices, what they come to, and the command that fixes it.

    \b
    caspen-xero unsynced
    caspen-xero unsynced tax-rate-not-linked
    caspen-xero unsynced INV-0042
    """
    from caspen_xero.sync.causes import causes_of
    from caspen_xero.sync.problems import ProblemCode
    from caspen_xero.sync.unsynced import unsynced_rows

    books = read_standing(session)
    rows = unsynced_rows(session.store, session.known_mappings, session.settings, books)
    code = (which or "").strip().lower()
    is_code = code in {str(one) for one in ProblemCode}
    if which is not None and not is_code:
        return _tell_one(session, which, rows, books)
    if is_code:
        rows = [row for row in rows if row["code"] == code]
    if session.output.is_for_scripts:
        session.output.listed({"unsynced": _for_scripts(session, rows)}, "unsynced", COLUMNS)
    elif not rows:
        session.output.say(f"Nothing is unsynced as {code}." if is_code else _why_none(session, books))
    else:
        if everything or is_code:
            _tell_rows(session, rows)
        else:
            _tell_causes(session, rows, causes_of(rows))
        session.output.say(f"{basis(session, books)}.")
    return ExitCode.ALL_WELL


def _for_scripts(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "total": None if row["total"] is None else Decimal(row["total"]),
            "fix": session.output.command(row["fix"]),
            "choices": session.output.choices(row["choices"]),
        }
        for row in rows
    ]


def _why_none(session: Session, books: Books) -> str:
    """That nothing is unsynced, and on what that rests; nothing is said of invoices that nobody can know about."""
    from caspen_xero.sync.planning.ways_out import read_caspen

    if not sum(books.counts.values()):
        return f"Nothing is unsynced, as no invoice has been imported yet: {read_caspen(session.settings.source)}"
    told = f"Nothing is unsynced: {basis(session, books)}."
    if session.store.connection() is None:
        return f"{told} This workspace is not connected to Xero: caspen-xero connect"
    if session.store.adopt_is_due:
        return f"{told} That is as far as this store knows, but it may be an older one: caspen-xero adopt"
    return told


# --- by cause


def _tell_causes(session: Session, rows: Sequence[Mapping[str, Any]], causes: Sequence[Cause]) -> None:
    """The answer first, then each cause in a few lines, most money first."""
    from caspen_xero.sync.causes import sums_of

    say, ids = session.output.say, {row["invoice_id"] for row in rows}
    told = "1 invoice is" if len(ids) == 1 else f"{len(ids):,} invoices are"
    say(f"{told} not in Xero as in Caspen{_coming_to(sums_of(rows))}.", "")
    for cause in causes:
        _tell_cause(session, cause)
    name = _name(causes[0].troubles[0])
    say(f"Every row: {LOOK} --all", f"All of one invoice: {to_paste('unsynced', name)}")


def _tell_cause(session: Session, cause: Cause) -> None:
    say, first, count = session.output.say, cause.troubles[0], len(cause.invoices)
    invoices = "1 invoice" if count == 1 else f"{count:,} invoices"
    times = f" {len(cause.troubles):,} times" if len(cause.troubles) > count else ""
    since = f", since {local_day(cause.first_failed_at)}" if cause.first_failed_at else ""
    say(f"{invoices}{_coming_to(cause.sums)}: {cause.code}{times}{since}", f"  {cause.reason}")
    named = ", ".join(_named(row) for row in cause.invoices[:NAMED])
    more = f", and {count - NAMED:,} more: {to_paste('unsynced', cause.code)}" if count > NAMED else ""
    say(f"  {named}{more}")
    if not cause.shares_its_way_out:
        of_each = f"; of each: {to_paste('unsynced', cause.code)}" if count > 1 else ""
        say(f"  of {plain(_called(first))} the way out is this{of_each}")
    say(f"  -> {first['fix']}")
    if first["choices"]:
        say(f"     asks which: {in_words(first['choices'])}")
    say()


def _coming_to(sums: Mapping[str, Decimal]) -> str:
    """`, 61,234.00 AUD and 100.00 NZD`; "" where none has a total yet."""
    told = [f"{amount:,.2f} {plain(currency)}".rstrip() for currency, amount in sums.items()]
    return f", {' and '.join(told)}" if told else ""


def _named(row: Mapping[str, Any]) -> str:
    client = f" ({plain(row['client'])})" if row["client"] else ""
    return f"{plain(_called(row))}{client}"


def _called(row: Mapping[str, Any]) -> str:
    return str(row["number"] or row["invoice_id"])


def _name(row: Mapping[str, Any]) -> str:
    """What names the invoice of a row in a command."""
    return name_for(row["invoice_id"], row["number"])


# --- row by row


def _tell_rows(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """The table, then each fix once. On a screen the reasons stand with the fixes: a column would be too thin for them."""
    on_screen = session.output.is_for_a_screen
    session.output.table(
        ("Invoice", "Client", "Date", "Total", CURRENCY, "Why", "Since", "Tries"),
        [
            (
                _called(row),
                row["client"],
                row["date"],
                Decimal(row["total"]) if row["total"] is not None else None,
                row["currency"],
                row["code"] if on_screen else Ours(f"{row['code']}: {row['reason']}"),
                local(row["first_failed_at"])[: 10 if on_screen else None],
                row["attempts"],
            )
            for row in rows
        ],
        title="Not in Xero as in Caspen",
        narrow_without=("Tries", "Date", "Since", "Client"),
    )
    session.output.what_to_do(
        (row["fix"], _called(row), f"{row['code']}: {row['reason']}" if on_screen else "", row["choices"])
        for row in rows
    )


# --- all of one


def _tell_one(session: Session, which: str, rows: Sequence[Mapping[str, Any]], books: Books) -> int:
    """The whole story of one invoice, also of one with which nothing is wrong."""
    try:
        found = one_invoice(session, which, or_bad=True)
    except SessionError as error:
        if error.code != "invoice-not-found":
            raise
        words = f"There is no invoice {plain(which)}, and no cause of that name."
        raise SessionError(error.code, words, f"{LOOK}; or: caspen-xero invoices list") from None
    own = [row for row in rows if row["invoice_id"] == found]
    return tell_story(session, found, own, _for_scripts(session, own), books)
