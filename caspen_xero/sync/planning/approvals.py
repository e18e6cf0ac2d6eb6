"""Drafts in Xero: approved where they may be, else left to a person or to wait. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from caspen_xero.outside_text import plain
from caspen_xero.store.holds import APPROVE
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import overwrite_command
from caspen_xero.sync.planning.lock_dates import approval_month, booking_of
from caspen_xero.sync.planning.plan import Waiting
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import AT_ONCE, Expected, ExpectedDocument, KeepsTax, Step, must_prove_tax
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.documents import UNAPPROVED

IS_DRAFT = Waiting(
    ProblemCode.WAITS_FOR_APPROVAL,
    "it is a draft in Xero; its payments and credit notes are sent once it is approved there",
)
TO_BE_APPROVED = "it is a draft in Xero, and no push has come to approve it yet"
UNDER_WAY = "something of it was sent, and no answer says whether it is in Xero: the next push looks"


def authorise(planner: Planner, state: InvoiceState, link: Link, *, waits: bool = False) -> None:
    """Approves a draft of ours that has shown the right figures; one of somebody else's is for a person to approve.

    `waits`: once an earlier step of this plan is done.
    """
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
        body=None if waits else {"InvoiceID": link.xero_id, "Status": "AUTHORISED"},
        expected=Expected(link.fingerprint),
        target=link.xero_id,
    )


def add_those_to_come(planner: Planner) -> None:
    """Adds the approval of each document that this plan leaves a draft at first: it waits till that has shown the right figures."""
    plan, states = planner.plan, {state.invoice.id: state for state in planner.snapshot.invoices}
    keeps, wants_drafts = plan.decided.keeps_tax, planner.snapshot.settings.invoice_status == "draft"
    if keeps is None:
        keeps = planner.snapshot.keeps_tax
    changed = [step for step in plan.steps if step.kind in ("update-invoice", "keep-invoice")]
    for step in changed:
        state = states[step.invoice_id or ""]
        if state.link is not None and (state.link.made_by_us or step.kind == "update-invoice"):
            authorise(planner, state, state.link, waits=True)
    keeps = _learnt(keeps, changed)
    drafts, keeps = _sent_as_drafts([step for step in plan.steps if step.kind == "create-invoice"], keeps)
    for step in () if wants_drafts else drafts:
        planner.add(states[step.invoice_id or ""], "authorise-invoice", detail="approve", body=None)
    notes = [step for step in plan.steps if step.kind == "create-credit-note"]
    for step in notes:
        if _proves_tax(step, keeps):
            planner.add(
                states[step.invoice_id or ""],
                "authorise-credit-note",
                caspen_id=step.caspen_id,
                number=step.number,
                detail="approve",
                body=None,
                booking=step.booking,
            )
    plan.decided.keeps_tax = _learnt(keeps, notes)


def _sent_as_drafts(new: list[Step], keeps: KeepsTax) -> tuple[list[Step], KeepsTax]:
    """Those of the new invoices that prove tax amounts: first as many as one call takes, then what these have left to prove."""
    drafts: dict[str, Step] = {}
    while proving := [one for one in new if one.caspen_id not in drafts and _proves_tax(one, keeps)][:AT_ONCE]:
        drafts |= {one.caspen_id: one for one in proving}
        keeps = _learnt(keeps, proving)
    return list(drafts.values()), keeps


def _proves_tax(step: Step, keeps: KeepsTax) -> bool:
    expected = step.expected
    if not isinstance(expected, ExpectedDocument) or not expected.explicit_tax:
        return False
    return must_prove_tax(keeps, tells_tax=expected.tells_tax)


def _learnt(keeps: KeepsTax, sent: Iterable[Step]) -> KeepsTax:
    """What is known once Xero has kept the tax amounts of these."""
    told = {
        one.expected.tells_tax
        for one in sent
        if isinstance(one.expected, ExpectedDocument) and one.expected.explicit_tax
    }
    if True in told:
        return "yes"
    return "half-cents" if told and keeps == "unknown" else keeps


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
