"""The invoice itself: what it needs of itself, and how far it has come; created and voided here. Pure."""

from __future__ import annotations

from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.sync.fix_commands import unlink_command
from caspen_xero.sync.planning.approvals import authorise, has_no_approvals
from caspen_xero.sync.planning.as_written import address, totals_agree, written
from caspen_xero.sync.planning.contacts import contact_of
from caspen_xero.sync.planning.invoice_changes import change, mend, overwrite
from caspen_xero.sync.planning.kept import is_lost
from caspen_xero.sync.planning.linked_by_hand import leave_alone, may_be_anothers
from caspen_xero.sync.planning.lock_dates import booking_of
from caspen_xero.sync.planning.plan import Stage
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import Expected
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED

LOST = "Xero did not keep it as it was sent"


def plan_finalised(planner: Planner, state: InvoiceState, *, taking_back: bool) -> None:
    """Adds what a finalised invoice needs of itself. `taking_back`: payments or credits of it have to go first."""
    link = state.link
    if link is None:
        _create(planner, state)
    elif link.status in GONE_STATUSES:
        reason = f"it is {plain((link.status or '').lower())} in Xero, where its number can't be used again"
        planner.problem(state, ProblemCode.VOIDED_IN_XERO, reason)
    elif may_be_anothers(planner, state, link):
        leave_alone(planner, state, link)
    elif link.fingerprint is not None and link.fingerprint != state.fingerprint:
        why = LOST if is_lost(link.fingerprint) else "it has changed in Caspen"
        change(planner, state, link, why, taking_back=taking_back)
    elif state.invoice.id in planner.snapshot.overwrite and not taking_back:
        overwrite(planner, state, link)
    elif state.is_accepted or totals_agree(state, link):
        authorise(planner, state, link)
    else:
        mend(planner, state, link)


def _create(planner: Planner, state: InvoiceState) -> None:
    if planner.held(state, "create-invoice"):
        return
    document = written(planner, state)
    contact_id, possible = contact_of(planner, state) if document else (None, False)
    if document is None or not possible:
        return
    if document.body["Status"] == "AUTHORISED" and has_no_approvals(planner, state):
        return
    expected = address(planner, document, contact_id, state.fingerprint)
    planner.add(
        state,
        "create-invoice",
        detail=f"{document.total:.2f} {plain(state.invoice.currency)} for {plain(state.party.full_name or state.party.name())}",
        body=document.body if contact_id else None,
        expected=expected,
    )


def stage_of(planner: Planner, state: InvoiceState, *, blocked: bool, taking_back: bool) -> Stage:
    """How far an invoice has come, once what it needs of itself is planned."""
    link, drafts = state.link, planner.snapshot.settings.invoice_status == "draft"
    if blocked:
        return Stage.BLOCKED
    if link is None:  # one that will be a draft takes neither payments nor credits
        return Stage.WAITING if drafts or state.invoice.id in planner.plan.waiting else Stage.ABSENT
    if taking_back:
        return Stage.TAKING_BACK
    if link.status in UNAPPROVED:
        return Stage.CHANGING if not drafts and _is_changed(planner, state) else Stage.WAITING
    return Stage.OPEN if state.is_accepted or totals_agree(state, link) else Stage.CHANGING


def _is_changed(planner: Planner, state: InvoiceState) -> bool:
    return any(
        step.kind in ("authorise-invoice", "update-invoice") and step.invoice_id == state.invoice.id
        for step in planner.plan.steps
    )


def plan_void(planner: Planner, state: InvoiceState, *, taking_back: bool) -> None:
    """Adds what an invoice that is void (or deleted) in Caspen needs; one that never was in Xero needs nothing."""
    link = state.link
    if link is None or link.status in GONE_STATUSES or planner.held(state, "void-invoice"):
        return
    if link.keeps_money_out or (not link.made_by_us and state.invoice.id not in planner.snapshot.overwrite):
        reason = "it is void in Caspen, but caspen-xero did not make the invoice in Xero and leaves it alone"
        fix = unlink_command(state.invoice.number, state.invoice.id) if link.keeps_money_out else ""
        if link.xero_id in planner.snapshot.looks.invoices:
            planner.found(state, "void-invoice", ProblemCode.VOID_NOT_OURS, reason, fix)
        else:  # somebody may have voided it there
            planner.ask(state, "invoices", link.xero_id)
            planner.problem(state, ProblemCode.VOID_NOT_OURS, reason, fix)
        return
    booking = booking_of(state, "void-invoice", planner.snapshot)
    if booking is not None and planner.is_locked(state, booking):
        return
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    if not taking_back and seen is None:
        planner.ask(state, "invoices", link.xero_id)
    if seen is not None and ((seen.amount_paid or Decimal(0)) or (seen.credited or Decimal(0))) and not taking_back:
        reason = "it is void in Caspen, but has a payment or credit in Xero that caspen-xero can't take back"
        planner.found(state, "void-invoice", ProblemCode.VOID_HAS_PAYMENT, reason)
        return
    status = seen.status if seen is not None else link.status
    planner.add(
        state,
        "void-invoice",
        detail="void",
        body={"InvoiceID": link.xero_id, "Status": "DELETED" if status in UNAPPROVED else "VOIDED"}
        if seen is not None and not taking_back
        else None,
        expected=Expected(link.fingerprint),
        target=link.xero_id,
    )
