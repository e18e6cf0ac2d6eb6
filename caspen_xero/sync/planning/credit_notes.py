"""Credit notes: a Xero credit note with the same figures, then allocated to its invoice; taken back when void. Pure."""

from __future__ import annotations

from caspen_xero.caspen.records import CreditNote
from caspen_xero.outside_text import plain
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning import checks
from caspen_xero.sync.planning.accepting import key_of
from caspen_xero.sync.planning.approvals import wait_for_approval
from caspen_xero.sync.planning.as_written import address
from caspen_xero.sync.planning.contacts import contact_of
from caspen_xero.sync.planning.kept import is_lost
from caspen_xero.sync.planning.line_items import CannotTranslate
from caspen_xero.sync.planning.lock_dates import locked
from caspen_xero.sync.planning.plan import Stage, Waiting
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import Booking, Expected, ExpectedAllocation, StepKind
from caspen_xero.sync.planning.translate import Document, credit_note_fingerprint, translate_credit_note
from caspen_xero.sync.planning.ways_out import correct_it, replace_note
from caspen_xero.sync.problems import ProblemCode, figures_differ, kept_code
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED


def take_back(planner: Planner, state: InvoiceState) -> bool:
    """Undoes the allocation of credit notes that are void in Caspen, then voids them; whether any is still to go."""
    under_way = False
    for note in state.credit_notes:
        link = state.credit_note_links.get(note.id)
        if (
            note.status == "issued"
            or link is None
            or link.status in GONE_STATUSES
            or state.is_bad("credit_note", note.id)
        ):
            continue
        if not link.made_by_us:
            reason = f"the credit note {plain(note.number)} is void in Caspen; caspen-xero did not make the one in Xero"
            if planner.held(state, "void-credit-note", note.id):
                continue
            if link.xero_id in planner.snapshot.looks.notes:
                planner.found(state, "void-credit-note", ProblemCode.CREDIT_NOTE_NOT_OURS, reason, caspen_id=note.id)
            else:  # somebody may have voided it there
                planner.ask(state, "credit_notes", link.xero_id)
                planner.problem(state, ProblemCode.CREDIT_NOTE_NOT_OURS, reason, subject=note.id)
            continue
        allocation = state.allocation_links.get(note.id)
        seen = planner.snapshot.looks.notes.get(link.xero_id)
        held: StepKind = "remove-allocation" if allocation is not None else "void-credit-note"
        if seen is None and planner.hold_on(state, held, note.id) is None:
            planner.ask(state, "credit_notes", link.xero_id)
        if allocation is not None:
            taken = _allocation_of(note, state)
            if planner.held(state, "remove-allocation", note.id):
                continue
            if planner.is_locked(state, taken, note.id, seen_for="remove-allocation"):
                continue
            allocation_id = allocation.number or (
                seen.allocations.get(state.link.xero_id) if seen and state.link else ""
            )
            planner.add(
                state,
                "remove-allocation",
                caspen_id=note.id,
                number=note.number,
                detail=f"{note.total:.2f}",
                body={} if allocation_id else None,
                target=link.xero_id,
                other=allocation_id or "",
                booking=taken,
            )
        voided = Booking(f"the void credit note {plain(note.number)}", note.date, link.status in UNAPPROVED)
        if planner.held(state, "void-credit-note", note.id):
            continue
        if planner.is_locked(state, voided, note.id, seen_for="void-credit-note"):
            continue
        under_way = True
        planner.add(
            state,
            "void-credit-note",
            caspen_id=note.id,
            number=note.number,
            detail=f"{note.total:.2f}",
            body={"CreditNoteID": link.xero_id, "Status": "DELETED" if link.status in UNAPPROVED else "VOIDED"}
            if allocation is None and seen is not None
            else None,
            expected=Expected(link.fingerprint),
            target=link.xero_id,
            booking=voided,
        )
    return under_way


def plan_credit_notes(planner: Planner, state: InvoiceState) -> None:
    """Adds the credit notes and allocations that Xero does not have yet."""
    for note in state.credit_notes:
        if note.status == "issued" and not state.is_bad("credit_note", note.id):
            _plan_note(planner, state, note)


def _plan_note(planner: Planner, state: InvoiceState, note: CreditNote) -> None:
    link = state.credit_note_links.get(note.id)
    if link is None:
        _create(planner, state, note)
    elif link.status in GONE_STATUSES:
        gone = plain((link.status or "").lower())
        reason = f"the credit note {plain(note.number)} is {gone} in Xero; its number can't be used again"
        code = ProblemCode.CREDIT_NOTE_VOIDED_IN_XERO
        key = key_of(code, state.invoice.id, link.xero_id, f"{note.total:.2f}", "")
        planner.problem(state, code, reason, subject=note.id, about=key)
    elif is_lost(link.fingerprint):
        held = planner.snapshot.holds.get(("authorise-credit-note", note.id))
        reason = held.reason if held else f"Xero did not keep the credit note {plain(note.number)} as it was sent"
        code = kept_code(held.code) if held else ProblemCode.NOT_AS_SENT
        fix = replace_note(state, planner.snapshot)
        says = held.xero_says if held else None
        planner.problem(state, code, reason, fix, subject=note.id, xero_says=says)
    elif link.fingerprint is not None and link.fingerprint != credit_note_fingerprint(note):
        reason = f"the credit note {plain(note.number)} has changed in Caspen since it was sent"
        planner.problem(state, ProblemCode.CREDIT_NOTE_CHANGED, reason, subject=note.id)
    elif (link.subtotal, link.tax, link.total) != (note.subtotal, note.tax, note.total):
        figures = (note.subtotal, note.tax, note.total)
        shown = (link.subtotal, link.tax, link.total)
        reason = figures_differ(f"the figures of credit note {plain(note.number)} differ", figures, shown)
        fix = replace_note(state, planner.snapshot)
        planner.problem(state, ProblemCode.TOTALS_DIFFER, reason, fix, subject=note.id)
    elif link.status in UNAPPROVED and not link.made_by_us:
        reason = f"its credit note {plain(note.number)} is a draft in Xero that caspen-xero did not make; it waits for its approval"
        planner.plan.waiting.setdefault(state.invoice.id, Waiting(ProblemCode.WAITS_FOR_APPROVAL, reason))
        if link.xero_id not in planner.snapshot.looks.notes:  # for a person may have approved it
            planner.ask(state, "credit_notes", link.xero_id)
    elif link.status in UNAPPROVED:
        booking = Booking(f"the draft credit note {plain(note.number)}", note.date)
        if not (planner.held(state, "authorise-credit-note", note.id) or planner.is_locked(state, booking, note.id)):
            planner.add(
                state,
                "authorise-credit-note",
                caspen_id=note.id,
                number=note.number,
                detail="approve",
                body={"CreditNoteID": link.xero_id, "Status": "AUTHORISED"},
                expected=Expected(link.fingerprint),
                target=link.xero_id,
                booking=booking,
            )
            if note.id not in state.allocation_links and note.total:
                _allocate(planner, state, note, None)
    elif note.id not in state.allocation_links and note.total:
        _allocate(planner, state, note, link)


def _create(planner: Planner, state: InvoiceState, note: CreditNote) -> None:
    if planner.held(state, "create-credit-note", note.id):
        return
    link, stage = state.link, planner.stages[state.invoice.id]
    if stage is Stage.BLOCKED:
        return
    problems = [
        *checks.details(state, planner.snapshot.settings.source, note),
        *checks.tax_rates(state.invoice.id, note, state.invoice.tax_mode, planner.snapshot),
        *locked(state, _booking_of(note), planner.snapshot, note.id),
        *checks.sales_account(state.invoice.id, planner.snapshot),
    ]
    if problems or planner.terms is None:
        planner.plan.problems[state.invoice.id] += problems
        return
    document = _translated(planner, state, note)
    if document is None:
        return
    if link is None and stage is Stage.WAITING:
        return
    ready = stage is Stage.OPEN
    contact_id, possible = _contact(planner, state) if ready or link is None else (None, True)
    if not possible:
        return
    if stage is Stage.WAITING:
        wait_for_approval(planner, state)
        return
    if add_creation(planner, state, note, document, contact_id, ready=ready) and note.total:
        _add_allocation(planner, state, note)


def add_creation(
    planner: Planner, state: InvoiceState, note: CreditNote, document: Document, contact_id: str | None, *, ready: bool
) -> bool:
    """Adds the step that makes a credit note, or by which one that is there already is known; gives whether it did."""
    expected = address(planner, document, contact_id, credit_note_fingerprint(note))
    return planner.add(
        state,
        "create-credit-note",
        caspen_id=note.id,
        number=note.number,
        detail=f"{note.total:.2f} on {plain(state.invoice.number)}",
        body=document.body if ready and contact_id else None,
        expected=expected,
        booking=_booking_of(note),
    )


def _booking_of(note: CreditNote) -> Booking:
    return Booking(f"the credit note {plain(note.number)}", note.date)


def _allocation_of(note: CreditNote, state: InvoiceState) -> Booking:
    """What puts a credit note on its invoice is dated as the later of the two (Xero's CreditNotes page)."""
    return Booking(f"the allocation of credit note {plain(note.number)}", max(note.date, state.invoice.issue_date))


def _contact(planner: Planner, state: InvoiceState) -> tuple[str | None, bool]:
    """The contact that the invoice has in Xero: that of another can't be put on it. Settings or a person may have changed it."""
    link, snapshot = state.link, planner.snapshot
    own = snapshot.contacts.links.get((state.party.kind, state.party.caspen_id))
    known = snapshot.contacts.by_id.get(own.xero_id) if own else None
    if link is None or state.invoice.id in snapshot.created:
        return contact_of(planner, state)
    if (
        known is not None
        and known.status != "ACTIVE"
        and (link.last_written or {}).get("contact") in (None, known.xero_id)
    ):
        return contact_of(planner, state)  # archived or merged
    seen = snapshot.looks.invoices.get(link.xero_id)
    if seen is None:
        planner.ask(state, "invoices", link.xero_id)
        return None, True
    its_contact = seen.contact.contact_id if seen.contact else None
    return (its_contact, True) if its_contact else contact_of(planner, state)


def _translated(planner: Planner, state: InvoiceState, note: CreditNote) -> Document | None:
    assert planner.terms is not None
    try:
        return translate_credit_note(note, state.invoice, planner.terms)
    except CannotTranslate as error:
        reason, fix = f"the credit note {plain(note.number)}: {error.reason}", correct_it(state, planner.snapshot)
        planner.problem(state, error.code, reason, fix, subject=note.id)
        return None


def _allocate(planner: Planner, state: InvoiceState, note: CreditNote, link: Link | None) -> None:
    """`link`: what it is in Xero; None while that is a draft which this plan approves first."""
    stage = planner.stages[state.invoice.id]
    if stage is Stage.BLOCKED or planner.held(state, "allocate-credit-note", note.id):
        return
    booking = _allocation_of(note, state)
    if planner.is_locked(state, booking, note.id):
        return
    on, snapshot = state.link if stage is Stage.OPEN else None, planner.snapshot
    is_new = state.invoice.id in snapshot.created and note.id in snapshot.created_notes
    if link is not None and on is not None and not is_new:
        if on.xero_id not in snapshot.looks.notes_on:
            planner.ask(state, "invoices", on.xero_id)
            on = None
        elif not _clear_to_allocate(planner, state, note, link, on):
            return
    _add_allocation(planner, state, note, link, on)


def _add_allocation(
    planner: Planner, state: InvoiceState, note: CreditNote, link: Link | None = None, on: Link | None = None
) -> None:
    """`link`: what the credit note is in Xero; `on`: the invoice there that takes it. It waits for both."""
    booking = _allocation_of(note, state)
    planner.add(
        state,
        "allocate-credit-note",
        caspen_id=note.id,
        number=note.number,
        detail=f"{note.total:.2f} to {plain(state.invoice.number)}",
        body={"Amount": note.total, "Date": booking.day, "Invoice": {"InvoiceID": on.xero_id}}
        if link is not None and on is not None
        else None,
        expected=ExpectedAllocation(amount=note.total, invoice_xero_id=state.link.xero_id if state.link else ""),
        target=link.xero_id if link else "",
        booking=booking,
    )


def _clear_to_allocate(planner: Planner, state: InvoiceState, note: CreditNote, link: Link, on_invoice: Link) -> bool:
    """Whether what Xero shows on the invoice leaves room for this credit note; else it is there already, or a person decides."""
    applied = planner.snapshot.looks.notes_on[on_invoice.xero_id].get(link.xero_id)
    if applied == note.total:
        adopt_allocation(planner, state, note, link, on_invoice.xero_id)
        return False
    if applied is not None:
        reason = (
            f"of its credit note {plain(note.number)} of {note.total:.2f} somebody has put {applied:.2f} on the invoice in Xero: "
            "remove that there, and push puts the whole of it"
        )
        planner.found(
            state, "allocate-credit-note", ProblemCode.CREDIT_NOTE_ALLOCATED_IN_XERO, reason, caspen_id=note.id
        )
        return False
    due = None if on_invoice.amount_due is None else on_invoice.amount_due - planner.promised[state.invoice.id]
    if due is not None and note.total > due:
        reason = f"the credit note {plain(note.number)} of {note.total:.2f} is more than the {due:.2f} that Xero shows as due"
        planner.found(state, "allocate-credit-note", ProblemCode.PAYMENT_EXCEEDS_DUE, reason, caspen_id=note.id)
        return False
    planner.promised[state.invoice.id] += note.total
    return True


def adopt_allocation(planner: Planner, state: InvoiceState, note: CreditNote, link: Link, invoice_xero_id: str) -> None:
    """Links what is there already: a credit note that is wholly on its invoice in Xero."""
    planner.add(
        state,
        "adopt-allocation",
        caspen_id=note.id,
        number=note.number,
        detail=f"{note.total:.2f} is there already",
        body={},
        expected=ExpectedAllocation(amount=note.total, invoice_xero_id=invoice_xero_id),
        target=link.xero_id,
    )
