"""How the books stand, in words: the same ones at the end of a push, a pull and a sync, in `status`, `unsynced` and `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caspen_xero.cli.session import Session
from caspen_xero.times import local_today

if TYPE_CHECKING:
    from caspen_xero.sync.books.books import Books

LOOK = "caspen-xero unsynced"


def read_standing(session: Session) -> Books:
    """How all invoices stand, as push and pull last saw both sides."""
    from caspen_xero.sync.books.books import read_books

    return read_books(session.store, session.known_mappings, session.settings)


def note_standing(session: Session) -> Books:
    """The same after a push or pull; what was accepted, and no longer stands, is forgotten."""
    from caspen_xero.sync.books.acceptance import forget_what_is_over

    session.books = books = read_standing(session)
    forget_what_is_over(session.mappings, books)
    return books


def tell_standing(session: Session, books: Books, *, after_counts: bool = False) -> None:
    """One line at the end of a command: what is wrong, or on what it rests that nothing is.

    `after_counts`: below numbers that are of some invoices only, this one is of all.
    """
    told, in_all = basis(session, books), "In all: " if after_counts else ""
    session.output.note(
        f"{in_all}{trouble_in_words(books)}:  {LOOK}" if books.troubles else f"{told[0].upper()}{told[1:]}."
    )


def trouble_in_words(books: Books) -> str:
    """How many invoices are unsynced and differ."""
    parts = [
        f"{number} {'invoice' if number == 1 else 'invoices'} {one if number == 1 else many}"
        for number, one, many in (
            (books.unsynced, "is unsynced", "are unsynced"),
            (books.differing, "differs", "differ"),
        )
        if number
    ]
    return " and ".join(parts)


def basis(session: Session, books: Books) -> str:
    """What is in Xero and equal, as of when, and what is left out of that: true also where it is nothing."""
    if not sum(books.counts.values()):
        return "no invoice has been imported yet"
    are = "is" if books.finalised == 1 else "are"
    parts = [
        f"{books.counts['synced']} of {books.finalised} finalised {'invoice' if books.finalised == 1 else 'invoices'} "
        f"{are} in Xero and equal{_as_seen(session, books)}"
        if books.finalised
        else "no finalised invoice is to be in Xero"
    ]
    left_out = [
        (books.unsynced, "unsynced"),
        (books.differing, "differing"),
        (books.content_with, "differing as accepted"),
        (books.counts["pending"], "pending"),
        (books.set_aside, "skipped"),
        (books.before_start, "before the start date"),
    ]
    rest = ", ".join(f"{number} {what}" for number, what in left_out if number)
    return "; ".join([*parts, rest] if rest else parts)


def _as_seen(session: Session, books: Books) -> str:
    """When Xero was last looked at as a whole; what was sent since is as Xero answered then."""
    if not books.counts["synced"]:
        return ""
    if books.seen_at is None:
        return " (as they were sent; no pull has looked since)"
    seen = f"as seen {local_today(books.seen_at, session.now())}"
    return f" ({seen}, and as they were sent since)" if books.some_sent_since else f" ({seen})"
