"""The invoice itself: created, changed by its id, approved, voided. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store.holds import APPROVE
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import overwrite_command, push_command, unlink_command
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.compare import (
    differences,
    field_of,
    invoice_shape,
    lacks_account,
    sent_shape,
    text_of,
    told,
)
from caspen_xero.sync.planning.contacts import contact_of, take_the_one_there
from caspen_xero.sync.planning.kept import is_lost
from caspen_xero.sync.planning.linked_by_hand import leave_alone, may_be_anothers, unlink_or_correct
from caspen_xero.sync.planning.lock_dates import approval_month, booking_of
from caspen_xero.sync.planning.merge import NO_MONEY, Base, Differences, Known, Merged, merge
from caspen_xero.sync.planning.plan import Stage, Waiting
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import Booking, Expected, ExpectedDocument
from caspen_xero.sync.planning.translate import CannotTranslate, Document
from caspen_xero.sync.planning.ways_out import ONCE_UNPAID, about, correct_it, way_out, worded
from caspen_xero.sync.problems import ProblemCode, figures_differ
from caspen_xero.sync.setup.taxes import percentage_of
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, Invoice

LOST = "Xero did not keep it as it was sent"
IS_DRAFT = Waiting(
    ProblemCode.WAITS_FOR_APPROVAL,
    "it is a draft in Xero; its payments and credit notes are sent once it is approved there",
)


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
        _change(planner, state, link, why, taking_back=taking_back)
    elif state.invoice.id in planner.snapshot.overwrite and not taking_back:
        _overwrite(planner, state, link)
    elif not totals_agree(state, link):
        _mend(planner, state, link)
    else:
        _authorise(planner, state, link)


def totals_agree(state: InvoiceState, link: Link) -> bool:
    """Whether Xero shows Caspen's subtotal, tax and total."""
    return (link.subtotal, link.tax, link.total) == _figures(state)


def expectation(document: Document, fingerprint: str) -> ExpectedDocument:
    """What an answer is held against."""
    return ExpectedDocument(
        fingerprint=fingerprint,
        subtotal=document.subtotal,
        tax=document.tax,
        total=document.total,
        explicit_tax=document.explicit_tax,
        tells_tax=document.tells_tax,
        status=document.body.get("Status"),
        issued=document.body["Date"],
        currency=document.body["CurrencyCode"],
        line_ids=document.line_ids,
    )


def _create(planner: Planner, state: InvoiceState) -> None:
    if planner.held(state, "create-invoice"):
        return
    document = _written(planner, state)
    contact_id, possible = contact_of(planner, state) if document else (None, False)
    if document is None or not possible:
        return
    if document.body["Status"] == "AUTHORISED" and _has_no_approvals(planner, state):
        return
    expected = address(planner, document, contact_id, state.fingerprint)
    planner.add(
        state,
        "create-invoice",
        detail=f"{document.total:.2f} {plain(state.invoice.currency)} for {plain(state.party.full_name or state.party.name())}",
        body=document.body if contact_id else None,
        expected=expected,
    )


def address(planner: Planner, document: Document, contact_id: str | None, fingerprint: str) -> ExpectedDocument:
    """Puts the contact on a new document, which stays a draft where it has yet to prove tax amounts; gives what is expected."""
    document.body["Contact"] = {"ContactID": contact_id}
    proves_tax = document.explicit_tax and planner.snapshot.must_prove_tax(tells_tax=document.tells_tax)
    if proves_tax:
        document.body["Status"] = "DRAFT"
    return replace(expectation(document, fingerprint), contact_id=contact_id, proves_tax=proves_tax)


def _written(planner: Planner, state: InvoiceState, *, certain: bool = False) -> Document | None:
    """The invoice as it is to stand in Xero, or None with the problems that keep it from that."""
    problems = checks.before_invoice(state, planner.snapshot)
    if problems or planner.terms is None:
        planner.plan.problems[state.invoice.id] += problems
        return None
    try:
        return planner.translations.of(state, planner.terms, certain=certain)
    except CannotTranslate as error:
        is_renamed = error.code is ProblemCode.INVOICE_NUMBER_INVALID
        planner.problem(state, error.code, error.reason, correct_it(state, planner.snapshot, is_renamed=is_renamed))
        return None


def _authorise(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Approves a draft of ours that has shown the right figures; one of somebody else's is for a person to approve."""
    if link.status not in UNAPPROVED or planner.snapshot.settings.invoice_status == "draft":
        return
    if planner.held(state, "authorise-invoice"):
        return
    if not link.made_by_us and state.invoice.id not in planner.snapshot.overwrite:
        _leave_to_a_person(planner, state, link)
        return
    booking = booking_of(state, "authorise-invoice", planner.snapshot)
    if _has_no_approvals(planner, state) or (booking is not None and planner.is_locked(state, booking)):
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


def _has_no_approvals(planner: Planner, state: InvoiceState) -> bool:
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
    return Stage.OPEN if totals_agree(state, link) else Stage.CHANGING


def wait_for_approval(planner: Planner, state: InvoiceState) -> None:
    """A draft takes neither payments nor credits: they wait until somebody has approved it in Xero."""
    planner.plan.waiting.setdefault(state.invoice.id, IS_DRAFT)


def _is_changed(planner: Planner, state: InvoiceState) -> bool:
    return any(
        step.kind in ("authorise-invoice", "update-invoice") and step.invoice_id == state.invoice.id
        for step in planner.plan.steps
    )


# --- changes


def _overwrite(planner: Planner, state: InvoiceState, link: Link) -> None:
    """A person wants Caspen's version, though only Xero's may have changed: written if anybody has edited it there."""
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    shown, was_written = invoice_shape(seen) if seen else {}, link.last_written
    is_edited = was_written is None or bool(differences(opened(was_written, shown), shown))
    if seen is None or is_edited or not link.made_by_us or lacks_account(seen):
        _change(planner, state, link, "it was edited in Xero")
    elif not totals_agree(state, link):
        _mend(planner, state, link)
    else:
        _authorise(planner, state, link)


def _change(planner: Planner, state: InvoiceState, link: Link, why: str, *, taking_back: bool = False) -> None:
    """Caspen's invoice is not what was sent: the same Xero document is updated, if nothing speaks against it.

    `taking_back`: once its payments or credits are gone.
    """
    if planner.held(state, "update-invoice"):
        return
    document = _written(planner, state)
    contact_id, possible = contact_of(planner, state) if document else (None, False)
    if document is None or not possible:
        return
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    if seen is None:
        planner.ask(state, "invoices", link.xero_id)
        planner.add(state, "update-invoice", detail=why, body=None, target=link.xero_id)
        return
    merged = _merged(planner, state, link, document, contact_id, seen)
    if not merged.changes and not merged.against and totals_agree(state, link):
        _keep(planner, state, link, document, merged, waits=taking_back)
    elif (seen.amount_paid or seen.credited) and not taking_back:
        _change_of_a_paid_one(planner, state, link, document, merged, why)
    elif not _conflicts(planner, state, link, merged, why) and not _is_locked(planner, state, seen):
        _update(planner, state, link, document, merged, why, waits=taking_back)


def _merged(
    planner: Planner, state: InvoiceState, link: Link, document: Document, contact_id: str | None, seen: Invoice
) -> Merged:
    """Caspen's version and what a bookkeeper decided, in one."""
    document.body["Contact"] = {"ContactID": contact_id}
    overwrite = state.invoice.id in planner.snapshot.overwrite
    facts = planner.snapshot.facts
    known = Known(
        percentages={rate.tax_type: percentage_of(rate) for rate in facts.tax_rates},
        archived=frozenset(one.account_id for one in facts.accounts if one.status not in (None, "ACTIVE")),
    )
    return merge(document, seen, Base(link.last_written, link.lines), known, overwrite=overwrite)


def _change_of_a_paid_one(
    planner: Planner, state: InvoiceState, link: Link, document: Document, merged: Merged, why: str
) -> None:
    """Xero changes nothing that moves money on an invoice with payments: only what moves none is sent.

    Its contact only where a person wants Caspen's version, and no credit is on it: with one, Xero keeps it (Invoices page).
    """
    seen = planner.snapshot.looks.invoices[link.xero_id]
    is_wanted = state.invoice.id in planner.snapshot.overwrite
    may_change = NO_MONEY | {"contact"} if is_wanted and not seen.credited else NO_MONEY
    against_money = [one for one in merged.against if field_of(one[0]) not in NO_MONEY]
    if merged.changes - may_change or against_money or not totals_agree(state, link):
        wrong = differences(merged.own, invoice_shape(seen))
        reason = f"{why}, but has a payment or credit in Xero: {_told(planner, state, link, wrong)}"
        way = worded(ONCE_UNPAID, about(state, planner.snapshot)) if is_wanted else ""
        fix = _or_link_contact(planner, state, ProblemCode.CHANGED_AFTER_PAYMENT, wrong, way)
        planner.found(state, "update-invoice", ProblemCode.CHANGED_AFTER_PAYMENT, reason, fix)
    elif not _conflicts(planner, state, link, merged, why) and not _is_locked(planner, state, seen):
        _update(planner, state, link, document, merged, why)


def _or_link_contact(
    planner: Planner, state: InvoiceState, code: ProblemCode, wrong: Differences, way: str = ""
) -> str:
    """The way out of a difference; where the contact is among what differs, the one there may be the right one."""
    link_it = ""
    if any(what == "contact" for what, _, _ in wrong):
        link_it = take_the_one_there(planner, state, push_command(state.invoice.number, state.invoice.id))
    return "; ".join((way or way_out(code, about(state, planner.snapshot)), link_it)) if link_it else way


def _conflicts(planner: Planner, state: InvoiceState, link: Link, merged: Merged, why: str) -> bool:
    """Whether somebody else's work stands where Caspen's change would go; then a person decides."""
    if state.invoice.id in planner.snapshot.overwrite or (link.made_by_us and not merged.against):
        return False
    seen = planner.snapshot.looks.invoices[link.xero_id]
    wrong = merged.against
    if merged.against:
        reason = f"{why}, and it was also edited in Xero: {_told(planner, state, link, merged.against)}"
    else:
        wrong = differences(merged.own, invoice_shape(seen))
        reason = f"{why}, and it was not made by caspen-xero: {_told(planner, state, link, wrong)}"
    fix = _or_link_contact(planner, state, ProblemCode.CHANGED_IN_XERO, wrong)
    planner.found(state, "update-invoice", ProblemCode.CHANGED_IN_XERO, reason, fix)
    return True


def _is_locked(planner: Planner, state: InvoiceState, seen: Invoice) -> bool:
    """Whether the invoice in Xero is dated in a locked period: then that is its problem."""
    if seen.date is None:
        return False
    standing = Booking("the invoice in Xero", seen.date, seen.status in UNAPPROVED)
    return planner.is_locked(state, standing, seen_for="update-invoice")


def _keep(
    planner: Planner, state: InvoiceState, link: Link, document: Document, merged: Merged, *, waits: bool
) -> None:
    """What has changed in Caspen shows nowhere in Xero: nothing is sent."""
    planner.add(
        state,
        "keep-invoice",
        detail="nothing that shows in Xero has changed",
        body=None if waits else merged.body,
        expected=replace(
            _merged_expectation(document, merged, state),
            seen=invoice_shape(planner.snapshot.looks.invoices[link.xero_id]),
        ),
        target=link.xero_id,
    )


def _told(planner: Planner, state: InvoiceState, link: Link, found: Differences) -> str:
    """Differences in words, with the contacts' names."""
    seen = planner.snapshot.looks.invoices[link.xero_id]
    names = (state.party.name(), seen.contact.name or "" if seen.contact else "")
    whole = [(what, *names) if what == "contact" else (what, ours, theirs) for what, ours, theirs in found]
    if seen.total is not None and seen.total != state.invoice.total and "total" not in {what for what, _, _ in found}:
        whole.insert(0, ("total", text_of(state.invoice.total), text_of(seen.total)))
    return told(whole)


def _mend(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Xero's figures are not Caspen's: written once more by id with nothing left to round, else a problem."""
    held = planner.hold_on(state, "update-invoice")
    if held is not None and held.code == ProblemCode.CHANGED_IN_XERO:
        planner.held(state, "update-invoice")
        return
    if held is not None or not link.made_by_us or link.amount_paid or link.amount_credited:
        figures = [figure for figure in _figures(state) if figure is not None]
        shown = (link.subtotal, link.tax, link.total)
        reason = figures_differ("the figures differ", figures, shown)
        fix = unlink_or_correct(state) if link.despite is not None else ""
        planner.problem(state, ProblemCode.TOTALS_DIFFER, reason, fix, attempts=held.attempts if held else None)
        return
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    if seen is None:
        planner.ask(state, "invoices", link.xero_id)
        planner.add(state, "update-invoice", detail="mend the figures", body=None, target=link.xero_id)
        return
    document = _written(planner, state, certain=True)
    contact_id, possible = contact_of(planner, state) if document else (None, False)
    if document is None or not possible:
        return
    merged = _merged(planner, state, link, document, contact_id, seen)
    if merged.against and state.invoice.id not in planner.snapshot.overwrite:
        reason = "it was edited in Xero since it was sent: " + _told(planner, state, link, merged.against)
        fix = _or_link_contact(planner, state, ProblemCode.CHANGED_IN_XERO, merged.against)
        planner.found(state, "update-invoice", ProblemCode.CHANGED_IN_XERO, reason, fix)
        return
    _update(planner, state, link, document, merged, "mend the figures")


def _update(
    planner: Planner,
    state: InvoiceState,
    link: Link,
    document: Document,
    merged: Merged,
    detail: str,
    *,
    waits: bool = False,
) -> None:
    seen = planner.snapshot.looks.invoices[link.xero_id]
    # What an update leaves out stays in Xero, so a reference that is gone is said to be empty.
    body = {"InvoiceID": link.xero_id, "Reference": "", **merged.body}
    if seen.status in UNAPPROVED:
        body["Status"] = seen.status  # approved in a step of its own, once its figures are right
    else:
        del body["Status"]
    planner.add(
        state,
        "update-invoice",
        detail=detail,
        body=body if body["Contact"]["ContactID"] and not waits else None,
        expected=replace(
            _merged_expectation(document, merged, state),
            status=body.get("Status"),
            shape=sent_shape(body, document.total, document.tax),
            seen=invoice_shape(seen),
        ),
        target=link.xero_id,
    )


def _merged_expectation(document: Document, merged: Merged, state: InvoiceState) -> ExpectedDocument:
    expected = expectation(document, state.fingerprint)
    return replace(expected, own=merged.own, line_ids=merged.line_ids)


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


def _figures(state: InvoiceState) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return (state.invoice.subtotal, state.invoice.tax, state.invoice.total)
