"""Lock dates: what binds everybody is told before a call; what depends on who connected, or on a draft, Xero is asked. Pure.

The end of year lock date binds all; the period lock date all but advisers, and nobody can read who connected; whether drafts
may stand in a locked period, sources disagree. Once Xero has refused something by such a lock date, the rest of the kind is
not sent, until that date is another or it is time to ask again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from caspen_xero.caspen.records import Invoice
from caspen_xero.outside_text import plain
from caspen_xero.store.holds import ORGANISATION, Hold, month_of
from caspen_xero.sync.planning.snapshot import InvoiceState, Snapshot
from caspen_xero.sync.planning.steps import Booking, StepKind
from caspen_xero.sync.planning.ways_out import about, way_out
from caspen_xero.sync.problems import Problem, ProblemCode
from caspen_xero.sync.setup.organisation import OrganisationFacts
from caspen_xero.xero.documents import UNAPPROVED


@dataclass(frozen=True)
class Lock:
    """The lock date that a booking falls on or before. `asked`: what is held once Xero has refused by it; None: it binds all."""

    day: date
    asked: Literal["post-in-period", "draft-in-period"] | None


def lock_over(booking: Booking | None, facts: OrganisationFacts) -> Lock | None:
    """The lock date that speaks against a booking, as far as we know the organisation."""
    if booking is None:
        return None
    period, year = facts.organisation.period_lock_date, facts.organisation.end_of_year_lock_date
    if booking.is_draft:
        latest = max((lock for lock in (period, year) if lock is not None), default=None)
        return Lock(latest, "draft-in-period") if latest is not None and booking.day <= latest else None
    if year is not None and booking.day <= year:
        return Lock(year, None)
    return Lock(period, "post-in-period") if period is not None and booking.day <= period else None


def locked(state: InvoiceState, booking: Booking, snapshot: Snapshot, subject: str = "") -> list[Problem]:
    """A period-locked problem where Xero is sure to refuse a booking by a lock date, or has just refused one like it."""
    lock = lock_over(booking, snapshot.facts)
    if lock is None:
        return []
    code, dated = ProblemCode.PERIOD_LOCKED, f"{booking.what} is dated {booking.day}"
    fix = way_out(code, about(state, snapshot))
    if lock.asked is None:
        reason = f"{dated}, and the end of year lock date in Xero, which binds everybody, is {lock.day}: move it there"
        return [Problem(code, state.invoice.id, reason, fix, subject)]
    held = snapshot.holds.get((lock.asked, ORGANISATION))
    if held is None or held.depends_on != lock.day.isoformat():
        return []
    return [Problem(code, state.invoice.id, f"{dated}; {held.reason}", fix, subject, held.xero_says, held.attempts)]


def refused_by(lock: Lock, booking: Booking, words: str | None) -> Hold:
    """What is held for the whole organisation once Xero has refused a booking by a lock date that does not bind everybody."""
    assert lock.asked is not None
    if lock.asked == "post-in-period":
        way_out = "move that date there, or let an adviser connect"
    else:
        way_out = "move that date there"
    reason = f"Xero refused {booking.what} of {booking.day} by its lock date of {lock.day}, and what is like it waits: {way_out}"
    return Hold(lock.asked, ORGANISATION, ProblemCode.PERIOD_LOCKED, reason, "", lock.day.isoformat(), words)


def approval_month(invoice: Invoice) -> str:
    """The month whose approvals an invoice uses up: that of Caspen's date, for Xero's is known only after a look."""
    return month_of(invoice.issue_date)


def booking_of(state: InvoiceState, kind: StepKind, snapshot: Snapshot) -> Booking | None:
    """What a step of the invoice itself books: on the earlier of its days, where Xero has another than Caspen."""
    if kind not in ("create-invoice", "update-invoice", "authorise-invoice", "void-invoice"):
        return None
    link, day = state.link, state.invoice.issue_date
    seen = snapshot.looks.invoices.get(link.xero_id) if link else None
    if seen is not None and seen.date is not None:
        day = seen.date if kind == "void-invoice" else min(day, seen.date)
    if kind == "authorise-invoice":
        return Booking(f"the draft {plain(state.invoice.number)}", day, approved_in=approval_month(state.invoice))
    wants_draft = snapshot.settings.invoice_status == "draft"
    is_draft = link.status in UNAPPROVED if link is not None else wants_draft
    what = "the void invoice" if kind == "void-invoice" else "the invoice"
    return Booking(f"{what} {plain(state.invoice.number)}", day, is_draft, approval_month(state.invoice))
