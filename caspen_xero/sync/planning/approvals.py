"""Drafts in Xero: approved where they may be, else left to a person or to wait. Pure."""

from __future__ import annotations

from caspen_xero.outside_text import plain
from caspen_xero.store.holds import APPROVE
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import overwrite_command
from caspen_xero.sync.planning.lock_dates import approval_month, booking_of
from caspen_xero.sync.planning.plan import Waiting
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import Expected
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.documents import UNAPPROVED

IS_DRAFT = Waiting(
    ProblemCode.WAITS_FOR_APPROVAL,
    "it is a draft in Xero; its payments and credit notes are sent once it is approved there",
)
TO_BE_APPROVED = "it is a draft in Xero, and no push has come to approve it yet"
UNDER_WAY = "something of it was sent, and no answer says whether it is in Xero: the next push looks"


def authorise(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Approves a draft of ours that has shown the right figures; one of somebody else's is for a person to approve."""
    if link.status not in UNAPPROVED or planner.snapshot.settings.invoice_status == "draft":
        return
    if planner.held(state, "authorise-invoice"):
        return
    if not link.made_by_us and state.invoice.id not in planner.snapshot.overwrite:
        _leave_to_a_person(planner, state, link)
        return
    booking = booking_of(state, "authorise-invoice", planner.snapshot)
    if has_no_approvals(planner, state) or (booking is not None and planner.is_locked(state, booking)):
        return
    planner.add(
        state,
        "authorise-invoice",
        detail="approve",
        body={"InvoiceID": link.xero_id, "Status": "AUTHORISED"},
        expected=Expected(link.fingerprint),
        target=link.xero_id,
    )


def _leave_to_a_person(planner: Planner, state: InvoiceState, link: Link) -> None:
    """A draft that caspen-xero did not make is looked at now and then, for somebody may have approved it."""
    reason = (
        f"in Xero it is a draft ({plain(link.status)}) that caspen-xero did not make: a person approves it there, or has it "
        f"approved as Caspen has it by {overwrite_command(state.invoice.number, state.invoice.id)}"
    )
    if link.xero_id in planner.snapshot.looks.invoices:
        planner.found(state, "authorise-invoice", ProblemCode.NEEDS_APPROVAL_IN_XERO, reason)
    else:
        planner.ask(state, "invoices", link.xero_id)
        planner.problem(state, ProblemCode.NEEDS_APPROVAL_IN_XERO, reason)


def has_no_approvals(planner: Planner, state: InvoiceState) -> bool:
    """Whether Xero has just approved no more invoices of that month; then this one waits.

    A plan's approvals are counted by the month of approval or, as one source says, of the invoice's date: so those of other months
    are still tried.
    """
    month = approval_month(state.invoice)
    if (APPROVE, month) not in planner.snapshot.holds:
        return False
    reason = (
        f"Xero approves no more invoices dated in {month} for now: the organisation's plan has only so many a month"
    )
    planner.plan.waiting[state.invoice.id] = Waiting(ProblemCode.NOT_PUSHED_YET, reason)
    return True


def wait_for_approval(planner: Planner, state: InvoiceState) -> None:
    """A draft takes neither payments nor credits: they wait until somebody has approved it in Xero."""
    planner.plan.waiting.setdefault(state.invoice.id, IS_DRAFT)
