"""The same invoice in Xero brought up to what Caspen says by now, or why that is left to a person. Pure."""

from __future__ import annotations

from dataclasses import replace

from caspen_xero.seals import opened
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.planning.approvals import authorise
from caspen_xero.sync.planning.as_written import expectation, own_figures, totals_agree, written
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
from caspen_xero.sync.planning.linked_by_hand import unlink_or_correct
from caspen_xero.sync.planning.merge import NO_MONEY, Base, Differences, Known, Merged, merge
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import Booking, ExpectedDocument
from caspen_xero.sync.planning.translate import Document
from caspen_xero.sync.planning.ways_out import MAKE_AGREE, ONCE_UNPAID, OR_ACCEPT, about, way_out, worded
from caspen_xero.sync.problems import ProblemCode, figures_differ
from caspen_xero.sync.setup.taxes import percentage_of
from caspen_xero.xero.documents import UNAPPROVED, Invoice

ACCEPTED = "it stays in Xero as it is: a person is content with what differs"


def overwrite(planner: Planner, state: InvoiceState, link: Link) -> None:
    """A person wants Caspen's version, though only Xero's may have changed: written if anybody has edited it there."""
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    shown, was_written = invoice_shape(seen) if seen else {}, link.last_written
    is_edited = was_written is None or bool(differences(opened(was_written, shown), shown))
    if seen is None or is_edited or not link.made_by_us or lacks_account(seen):
        change(planner, state, link, "it was edited in Xero")
    elif not totals_agree(state, link):
        mend(planner, state, link)
    else:
        authorise(planner, state, link)


def change(planner: Planner, state: InvoiceState, link: Link, why: str, *, taking_back: bool = False) -> None:
    """Caspen's invoice is not what was sent: the same Xero document is updated, if nothing speaks against it.

    `taking_back`: once its payments or credits are gone.
    """
    if not state.is_accepted and planner.held(state, "update-invoice"):
        return
    document = written(planner, state)
    contact_id, possible = contact_of(planner, state) if document else (None, False)
    if document is None or not possible:
        return
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    if seen is None:
        planner.ask(state, "invoices", link.xero_id)
        planner.add(state, "update-invoice", detail=why, body=None, target=link.xero_id)
        return
    merged = _merged(planner, state, link, document, contact_id, seen)
    if state.is_accepted and not (_is_details(merged) and totals_agree(state, link)):
        _keep(planner, state, link, document, merged, ACCEPTED, waits=taking_back)
    elif not merged.changes and not merged.against and totals_agree(state, link):
        _keep(planner, state, link, document, merged, "nothing that shows in Xero has changed", waits=taking_back)
    elif (seen.amount_paid or seen.credited) and not taking_back:
        _change_of_a_paid_one(planner, state, link, document, merged, why)
    elif not _conflicts(planner, state, link, merged, why) and not _is_locked(planner, state, seen):
        _update(planner, state, link, document, merged, why, waits=taking_back)


def _is_details(merged: Merged) -> bool:
    """Whether nothing that both sides have to agree on would change."""
    return not merged.against and merged.changes <= NO_MONEY - {"number"}


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
        way = worded(ONCE_UNPAID + OR_ACCEPT, about(state, planner.snapshot)) if is_wanted else ""
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
    wrong = [*merged.left, *merged.against]
    if merged.against:
        reason = f"{why}, and it was also edited in Xero: {_told(planner, state, link, wrong)}"
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
    planner: Planner, state: InvoiceState, link: Link, document: Document, merged: Merged, why: str, *, waits: bool
) -> None:
    """What has changed in Caspen shows nowhere in Xero, or a person is content with what does not: nothing is sent."""
    planner.add(
        state,
        "keep-invoice",
        detail=why,
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


def mend(planner: Planner, state: InvoiceState, link: Link) -> None:
    """Xero's figures are not Caspen's: written once more by id with nothing left to round, else a problem."""
    held = planner.hold_on(state, "update-invoice")
    if held is not None and held.code == ProblemCode.CHANGED_IN_XERO:
        planner.held(state, "update-invoice")
        return
    if held is not None or not link.made_by_us or link.amount_paid or link.amount_credited:
        if link.shown is None:  # what a person may be content with has to be known whole
            planner.ask(state, "invoices", link.xero_id)
        figures = [figure for figure in own_figures(state) if figure is not None]
        shown = (link.subtotal, link.tax, link.total)
        reason = figures_differ("the figures differ", figures, shown)
        its = about(state, planner.snapshot)
        fix = unlink_or_correct(state) if link.despite is not None else worded(MAKE_AGREE, its)
        fix += worded(OR_ACCEPT, its)
        attempts = held.attempts if held else None
        planner.problem(state, ProblemCode.TOTALS_DIFFER, reason, fix, attempts=attempts, about=state.document_key)
        return
    seen = planner.snapshot.looks.invoices.get(link.xero_id)
    if seen is None:
        planner.ask(state, "invoices", link.xero_id)
        planner.add(state, "update-invoice", detail="mend the figures", body=None, target=link.xero_id)
        return
    document = written(planner, state, certain=True)
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
