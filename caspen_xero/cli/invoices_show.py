"""`invoices show`: one invoice on both sides beside each other, what is wrong with it, and what was sent of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import compress
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.invoice_links import InvoiceName
from caspen_xero.cli.listed_invoice import as_json, find, links, state_in_words
from caspen_xero.cli.output import SIDES, Cell, Ours, in_words
from caspen_xero.cli.session import Session
from caspen_xero.cli.standing import read_standing
from caspen_xero.cli.story import answer_of, nothing_sent, short_id
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain, said
from caspen_xero.times import local

if TYPE_CHECKING:
    from caspen_xero.store.listing import ListedInvoice
    from caspen_xero.store.mappings import Mappings
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.books.troubles import Trouble
    from caspen_xero.sync.two_sides import SideRow, Value

MOST_WRITES = 50
"""The newest writes that are shown; `log --invoice` has all."""


def show(session: Session, invoice: InvoiceName) -> int:
    """Show one invoice: both sides beside each other with lines, payments and credit notes, what is wrong, and what was sent.

    What differs is marked. Xero's side is as the last push or pull has seen it.

    \b
    caspen-xero invoices show INV-0042
    """
    from caspen_xero.store.sent import AskedWrites, writes
    from caspen_xero.sync.paid_without_payment import paid_without_payment
    from caspen_xero.sync.two_sides import two_sides

    books = read_standing(session)
    listed, mappings = find(session, invoice, books), session.known_mappings
    problems = books.troubles_of.get(listed.invoice_id, ())
    accepted = [one for one in books.accepted if one.invoice_id == listed.invoice_id]
    asked = AskedWrites(invoice_ids=[listed.invoice_id], limit=MOST_WRITES)
    sent = writes(mappings, asked) if mappings else []
    edited = _edited(mappings, listed.invoice_id) if mappings else []
    seen = [one for one in books.seen_otherwise if one.invoice_id == listed.invoice_id]
    rows = two_sides(session.store, mappings, listed.invoice_id, seen, problems, accepted)
    if session.output.json:
        session.output.document(
            _document(session, listed, problems, accepted)
            | {"writes": sent, "edited_in_xero": edited, "both_sides": [_side_as_json(row) for row in rows]}
        )
        return ExitCode.ALL_WELL
    _tell_head(session, listed)
    _tell_sides(session, listed, rows)
    if mappings and (owed := paid_without_payment(mappings, session.settings, [listed.invoice_id])):
        session.output.say(owed)
    _tell_problems(session, problems)
    _tell_accepted(session, listed, accepted)
    for edit in edited:
        session.output.say(f"edited in Xero: {edit['xero']} (sent: {edit['caspen']})")
    _tell_history(session, listed, sent, books)
    return ExitCode.ALL_WELL


def _document(
    session: Session, listed: ListedInvoice, problems: Sequence[Trouble], accepted: Sequence[Trouble]
) -> dict[str, Any]:
    shown = ("code", "reason", "fix", "xero_says", "attempts", "first_failed_at", "last_tried_at")
    return {
        "invoice": as_json(listed, links(session)(listed)),
        "problems": [
            {key: getattr(problem, key) for key in shown}
            | {"fix": session.output.command(problem.fix), "choices": session.output.choices(problem.choices)}
            for problem in problems
        ],
        "accepted": [{"code": one.code, "reason": one.reason, "accepted_at": one.accepted_at} for one in accepted],
    }


def _side_as_json(row: SideRow) -> dict[str, Any]:
    def text(value: Value) -> str | date | None:
        return f"{value:.2f}" if isinstance(value, Decimal) else value or None

    return {
        "part": row.part,
        "what": row.what,
        "caspen": text(row.caspen),
        "xero": text(row.xero),
        "differs": bool(row.mark),
        "mark": row.mark or None,
        "accepted": row.is_accepted,
        "note": row.note or None,
    }


def _edited(mappings: Mappings, invoice_id: str) -> list[dict[str, Any]]:
    """What of an invoice a bookkeeper has edited in Xero, as pull last saw it: each side in words, and since when."""
    from caspen_xero.store.seen_invoices import as_last_seen
    from caspen_xero.sync.pulling.drift import DETAILS

    seen = as_last_seen(mappings, [invoice_id]).get(invoice_id)
    return [
        {"caspen": one.caspen, "xero": one.xero, "since": one.since}
        for one in (seen.discrepancies if seen else ())
        if one.code == DETAILS
    ]


# --- for people


def _tell_head(session: Session, listed: ListedInvoice) -> None:
    client = f" of {plain(listed.client)}" if listed.client else ""
    purged = "; details purged here" if listed.details_purged else ""
    session.output.say(
        f"Invoice {plain(listed.number or listed.invoice_id)}{client}: {state_in_words(listed).capitalize()}{purged}"
    )
    if link := links(session)(listed):
        session.output.link("Open in Xero:", link)


def _tell_sides(session: Session, listed: ListedInvoice, rows: Sequence[SideRow]) -> None:
    cells: list[tuple[Cell, ...]] = []
    before = ""
    for row in rows:
        if not (row.caspen or row.xero or row.mark):
            continue
        what = row.what.capitalize() if row.part == "invoice" else row.what
        if row.part.startswith("line"):
            what = row.part.capitalize() if row.part != before else ""
        elif row.part != "invoice":
            what = f"{row.part.capitalize()} {row.what}"
        before = row.part
        mark = ", ".join(filter(None, (row.note or row.mark, "accepted" if row.is_accepted else "")))
        cells.append((Ours(plain(what)), _cell(row.caspen), _cell(row.xero), mark))
    is_there = bool(listed.xero_invoice_id)
    has = (True, True, is_there or any(cell[2] for cell in cells), any(cell[3] for cell in cells))
    if cells:
        session.output.table(
            list(compress((f"In {plain(listed.currency)}", *SIDES), has)),
            [list(compress(cell, has)) for cell in cells],
            beside=SIDES,
            keeps_numbers=True,
            is_report=True,
        )
    if not is_there:
        session.output.say("In Xero: not there.")


def _cell(value: Value) -> Ours:
    """A value as text, so that amounts and words may stand in one column; words may take two lines."""
    return Ours(
        f"{value:,.2f}" if isinstance(value, Decimal) else plain(value if value is not None else "", MOST_WORDS)
    )


def _tell_problems(session: Session, problems: Sequence[Trouble]) -> None:
    for problem in problems:
        session.output.say(f"{problem.code}: {problem.reason}", f"  -> {session.output.command(problem.fix)}")
        if problem.choices:
            session.output.say(f"     asks which: {in_words(problem.choices)}")


def _tell_accepted(session: Session, listed: ListedInvoice, accepted: Sequence[Trouble]) -> None:
    for one in accepted:
        session.output.say(f"accepted {local(one.accepted_at)}: {one.code}: {one.reason}")
    if accepted:
        name = name_for(listed.invoice_id, listed.number)
        session.output.say(f"  -> to take that back: {to_paste('invoices unaccept', name)}")


def _tell_history(session: Session, listed: ListedInvoice, sent: Sequence[dict[str, Any]], books: Books) -> None:
    """What was sent of it, newest first, with Xero's words."""
    if not sent:
        session.output.say(nothing_sent(listed.sync_status))
        return
    session.output.table(
        ("Sent", "What", "Number", "Answer", "Xero id", "Message"),
        [
            (
                local(row["first_sent_at"], seconds=True),
                Ours(row["operation"].replace("-", " ")),
                row["number"],
                answer_of(row),
                short_id(row["xero_id"]),
                Ours(plain(row["message"] or "", MOST_WORDS)),
            )
            for row in sent
        ],
        title="What was sent",
        narrow_without=("Xero id", "Number", "Message"),
        beside=("Answer", "Xero id", "Message"),
        is_report=True,
    )
    for row in sent:
        for warning in row["warnings"]:
            session.output.say(f"Xero warned: {said(warning)}")
    name = name_for(listed.invoice_id, listed.number)
    session.output.say(f"Each with what was in it: {to_paste('unsynced', name)}")
