"""Credit notes: created, approved, allocated to their invoice, taken off it again, voided."""

from __future__ import annotations

from collections.abc import Sequence

from caspen_xero.outside_text import plain
from caspen_xero.store import clinic, holds
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.planning.kept import NotKept
from caspen_xero.sync.planning.same_invoice import heading_in_xero
from caspen_xero.sync.planning.steps import ExpectedAllocation, ExpectedDocument, Step
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.side_by_side import once_in_caspen
from caspen_xero.sync.sending.steps.specification import (
    LISTED,
    PRICED,
    Count,
    Found,
    Link,
    PricedWrite,
    Route,
    Write,
    edits_since,
    has_other_figures,
    is_as_we_would_write_it,
    own_among,
    same_document,
)
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import GONE_STATUSES, UNAPPROVED, Allocation, CreditNote
from caspen_xero.xero.elements import Element
from caspen_xero.xero.reading import credit_note_by_id, credit_notes_numbered


class CreateCreditNote(PricedWrite):
    """A credit note that is not in Xero."""

    kind = "create-credit-note"
    counts_as = Count("credit_notes", "credit notes")
    expected = ExpectedDocument
    route = Route("PUT", "CreditNotes", "CreditNotes", params=PRICED)
    id_field, named_by = "credit_note_id", "credit_note_number"
    makes_document = True

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, CreditNote)
        assert isinstance(step.expected, ExpectedDocument)
        records.link_credit_note(step, found)
        records.learn_from_tax(step.expected, found)
        if step.expected.status == "AUTHORISED":
            records.hold_if_unapproved(step, found.status, "authorise-credit-note")
        return found.credit_note_id or ""

    def keep_as_sent(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, CreditNote)
        return edits_since(found, step)

    def keep_lost(
        self, records: Records, step: Step, found: Element, lost: Sequence[NotKept], warnings: Sequence[str]
    ) -> list[str]:
        assert isinstance(found, CreditNote)
        if not has_other_figures(found, step, lost):
            records.hold_lost(step, "authorise-credit-note", "credit_note", lost, warnings)
        return []

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        found = credit_notes_numbered(client, [step.number or "" for step in steps])
        return own_among(mappings, steps, {number: (one.credit_note_id, one) for number, one in found.items()})

    def after_refusal(self, client: Client, records: Records, refused: Sequence[Step]) -> set[str]:
        """The same credit note under that number is linked; it is ours only where it shows all that we would write.

        Else both are shown. A draft that somebody else made is for them to approve: it is not taken over before
        that.
        """
        found = credit_notes_numbered(client, [step.number or "" for step in refused])
        taken = set(records.mappings.links_to(one.credit_note_id for one in found.values() if one.credit_note_id))
        adopted = set()
        for step in refused:
            one = found.get(step.number or "")
            if one is None:
                continue
            if not same_document(one, step) or (one.credit_note_id or "") in taken:
                records.keep_hold(_number_taken(records.mappings, step, one))
                continue
            if one.status in UNAPPROVED:
                records.keep_hold(_is_draft(records.mappings, step))
                continue
            with records.mappings.store.write():
                records.link_credit_note(step, one, made_by_us=is_as_we_would_write_it(one, step))
                _adopt_allocation(records, step, one)
                holds.release(records.mappings, self.kind, [step.caspen_id])
                adopted.add(step.caspen_id)
                taken.add(one.credit_note_id or "")
        return adopted


class AuthoriseCreditNote(Write):
    """A draft of ours that has shown the right figures."""

    kind = "authorise-credit-note"
    route = Route("POST", "CreditNotes", "CreditNotes", params=PRICED)
    id_field = named_by = "credit_note_id"

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, CreditNote)
        records.link_credit_note(step, found)
        records.hold_if_unapproved(step, found.status, "authorise-credit-note")
        return found.credit_note_id or ""

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        return {place: one for place, one in _known(client, steps).items() if one.status not in UNAPPROVED}


class VoidCreditNote(Write):
    """A credit note that is void in Caspen, once it is off its invoice."""

    kind = "void-credit-note"
    route = Route("POST", "CreditNotes", "CreditNotes", params=PRICED)
    id_field = named_by = "credit_note_id"

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, CreditNote)
        records.link_credit_note(step, found)
        return found.credit_note_id or ""

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        return {place: one for place, one in _known(client, steps).items() if one.status in GONE_STATUSES}


class AdoptAllocation(Link):
    """A credit note that is on its invoice in Xero already, with its whole amount."""

    kind = "adopt-allocation"
    expected = ExpectedAllocation

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(step.expected, ExpectedAllocation)
        note = records.mappings.link("credit_note", step.caspen_id)
        made_by_us = note is not None and note.made_by_us
        records.link_allocation(step, step.target, step.expected.amount, made_by_us=made_by_us)
        return step.target


class AllocateCreditNote(Write):
    """A credit note that is in Xero and not yet on its invoice."""

    kind = "allocate-credit-note"
    counts_as = Count("allocations", "allocations")
    expected = ExpectedAllocation
    route = Route("PUT", "CreditNotes/{id}/Allocations", "Allocations", batch=1, params=LISTED)
    id_field = named_by = None
    moves_money = True

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, Allocation)
        assert isinstance(step.expected, ExpectedAllocation)
        before = records.mappings.link("allocation", step.caspen_id)
        amount = step.expected.amount
        records.link_allocation(step, step.target, amount, made_by_us=True, number=found.allocation_id)
        if before is None:
            records.moved(step.invoice_id or "", credited=amount)
        return step.target

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        found: Found = {}
        for place, step in enumerate(steps):
            assert isinstance(step.expected, ExpectedAllocation)
            note = credit_note_by_id(client, step.target)
            for allocation in note.allocations if note else ():
                is_there = allocation.invoice and allocation.invoice.invoice_id == step.expected.invoice_xero_id
                if is_there and allocation.amount == step.expected.amount:
                    found[place] = allocation
        return found


class RemoveAllocation(Write):
    """A credit note that is void in Caspen and still on its invoice."""

    kind = "remove-allocation"
    route = Route("DELETE", "CreditNotes/{id}/Allocations/{other}", "Allocations", batch=1)
    id_field = named_by = None

    def record(self, records: Records, step: Step, found: Element) -> str:
        records.taken_back("allocation", step.caspen_id)
        return step.target

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        found: Found = {}
        for place, step in enumerate(steps):
            note = credit_note_by_id(client, step.target)
            if step.other not in {allocation.allocation_id for allocation in (note.allocations if note else ())}:
                found[place] = Allocation()
        return found


def _is_draft(mappings: Mappings, step: Step) -> Hold:
    reason = (
        f"Xero has a draft of the credit note {plain(step.number)} that caspen-xero did not make: once it is approved there, it is "
        "taken as this one; once it is deleted there, Caspen's needs another number"
    )
    words = holds.said(mappings, "create-credit-note", step.caspen_id)
    code = ProblemCode.CREDIT_NOTE_NUMBER_TAKEN
    return Hold("create-credit-note", step.caspen_id, code, reason, "", step.depends_on, words)


def _number_taken(mappings: Mappings, step: Step, found: CreditNote) -> Hold:
    """Another credit note has the number: both are shown; nobody can link them, as money would move."""
    there = heading_in_xero(found)
    who = found.contact.name if found.contact else None
    reason = (
        f"Xero already has a credit note {plain(step.number)}: {there['total']} {plain(there['currency'])} of {there['date']} for "
        f"{plain(who or 'another contact')}, {plain(found.status)}; Caspen's is {step.detail}"
    )
    stands_for = mappings.links_to([found.credit_note_id or ""]).get(found.credit_note_id or "")
    if stands_for is not None:
        reason += f"; that one stands for {plain(stands_for.caspen_id)} in Caspen"
    number = clinic.invoice_numbers(mappings.store, [step.invoice_id or ""]).get(step.invoice_id or "")
    where = "" if found.status in GONE_STATUSES or stands_for else ", or the other one in Xero"
    again = once_in_caspen(mappings, push_command(number, step.invoice_id or ""))
    fix = f"Give the credit note another number in Caspen{where}, then: {again}"
    words = holds.said(mappings, "create-credit-note", step.caspen_id)
    code = ProblemCode.CREDIT_NOTE_NUMBER_TAKEN
    return Hold("create-credit-note", step.caspen_id, code, reason, fix, step.depends_on, words)


def _known(client: Client, steps: Sequence[Step]) -> dict[int, CreditNote]:
    known = {place: credit_note_by_id(client, step.target) for place, step in enumerate(steps)}
    return {place: note for place, note in known.items() if note is not None}


def _adopt_allocation(records: Records, step: Step, note: CreditNote) -> None:
    """An adopted credit note that is whole on its invoice already is not put there again."""
    link = records.mappings.link("invoice", step.invoice_id or "")
    own = records.mappings.link("credit_note", step.caspen_id)
    for allocation in note.allocations:
        is_there = link and allocation.invoice is not None and allocation.invoice.invoice_id == link.xero_id
        if is_there and allocation.amount == note.total:
            records.link_allocation(
                step,
                note.credit_note_id or "",
                allocation.amount,
                made_by_us=own is not None and own.made_by_us,
                number=allocation.allocation_id,
            )
