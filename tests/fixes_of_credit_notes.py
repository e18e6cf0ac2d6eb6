"""Cases of the codes of credit notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import in_xero
from clinics import credit_note, invoice, line, payment
from oddities import Field
from ways_out import ID, NUMBER, Cases, Scene

from caspen_xero.sync.problems import ProblemCode as Code

CASES = Cases()
LATER = {"updated_at": "2026-11-09T00:00:00Z"}
NOTE = credit_note()
"""Of 44.00."""
ANOTHER = credit_note("CN-0002", id="crn_another")


def gone(note: dict[str, Any] = NOTE) -> dict[str, Any]:
    return note | {"status": "void"} | LATER


def note_id(scene: Scene, number: str = "CN-0001") -> str:
    return str(in_xero.credit_notes(scene.clinic)[number]["CreditNoteID"])


def theirs(scene: Scene, status: str = "AUTHORISED", price: int = 40, number: str = "CN-0001") -> str:
    """A credit note for Nell that a bookkeeper wrote, 44.00; gives its CreditNoteID."""
    (contact,) = scene.clinic.state("Contacts")
    one = {"Description": "x", "Quantity": 1, "UnitAmount": price, "AccountCode": "200", "TaxType": "OUTPUT"}
    body = {"Type": "ACCRECCREDIT", "CreditNoteNumber": number, "Date": "2026-11-05", "Status": status}
    body |= {"Contact": {"ContactID": contact["ContactID"]}, "LineItems": [one]}
    made = in_xero.writes(scene.clinic, "PUT", "CreditNotes", {"CreditNotes": [body]})
    return str(made["CreditNotes"][0]["CreditNoteID"])


def taken_off(scene: Scene) -> None:
    note = in_xero.credit_notes(scene.clinic)["CN-0001"]
    for one in note["Allocations"]:
        in_xero.writes(scene.clinic, "DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{one['AllocationID']}")


def becomes(scene: Scene, status: str, number: str = "CN-0001") -> None:
    id_ = note_id(scene, number)
    in_xero.writes(scene.clinic, "POST", f"CreditNotes/{id_}", {"CreditNoteID": id_, "Status": status})


@CASES.way(Code.CREDIT_NOTE_NUMBER_TAKEN)
def a_draft_of_that_number_is_approved(scene: Scene) -> Iterator[None]:
    scene.sent()
    theirs(scene, "DRAFT")
    scene.then_caspen_says(NOTE)
    yield
    becomes(scene, "AUTHORISED")
    scene.in_caspen(NOTE)


@CASES.way(Code.CREDIT_NOTE_NUMBER_TAKEN)
def another_number_is_given(scene: Scene) -> Iterator[None]:
    scene.sent()
    theirs(scene, price=7)
    scene.then_caspen_says(NOTE)
    yield
    scene.in_caspen(gone(), ANOTHER)


@CASES.way(Code.CREDIT_NOTE_NUMBER_INVALID)
def its_number_is_corrected(scene: Scene) -> Iterator[None]:
    scene.begins(invoice(), NOTE | {"number": "CN\\1"})
    yield
    scene.in_caspen(NOTE | LATER)


@CASES.way(Code.CREDIT_NOTE_CHANGED)
def a_changed_one_is_issued_anew(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    scene.then_caspen_says(credit_note(lines=[line("50.00")]) | LATER)
    yield
    scene.in_caspen(gone(), ANOTHER)


@CASES.way(Code.CREDIT_NOTE_ALLOCATED_IN_XERO)
def a_part_is_taken_off(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    scene.clinic.sql("DELETE FROM links WHERE kind = 'allocation'")
    part = {"Amount": "10.00", "Invoice": {"InvoiceID": scene.invoice_id()}}
    in_xero.writes(scene.clinic, "PUT", f"CreditNotes/{note_id(scene)}/Allocations", part)
    scene.then_caspen_says(invoice(reference="Touched", **LATER))
    yield
    taken_off(scene)


@CASES.way(Code.CREDIT_NOTE_VOIDED_IN_XERO, 0, 1)
def one_that_is_void_there_is_voided_in_caspen(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    becomes(scene, "VOIDED")
    scene.clinic.sql("UPDATE links SET status = 'VOIDED' WHERE kind = 'credit_note'")
    scene.clinic.sql("DELETE FROM links WHERE kind = 'allocation'")
    scene.clinic.push(NUMBER)
    yield
    scene.in_caspen(gone(), ANOTHER)


@CASES.way(Code.CREDIT_NOTE_NOT_OURS)
def somebody_elses_is_voided_there(scene: Scene) -> Iterator[None]:
    scene.sent()
    theirs(scene)
    scene.then_caspen_says(NOTE | {"lines": [line("40.00", description="Another")]})
    scene.then_caspen_says(gone())
    yield
    taken_off(scene)
    becomes(scene, "VOIDED")


@CASES.way(Code.WAITS_FOR_APPROVAL)
def the_draft_that_an_earlier_version_took_over_is_approved(scene: Scene) -> Iterator[None]:
    scene.sent(NOTE)
    taken_off(scene)
    id_ = theirs(scene, "DRAFT", number="CN-0007")
    scene.clinic.sql("DELETE FROM links WHERE kind = 'allocation'")
    scene.clinic.sql("UPDATE links SET made_by_us = 0, status = 'DRAFT', xero_id = ? WHERE kind = 'credit_note'", id_)
    scene.clinic.sql("UPDATE links SET done_up_to = NULL")
    scene.clinic.push()
    yield
    becomes(scene, "AUTHORISED", "CN-0007")


def on_a_paid_one(scene: Scene) -> None:
    scene.sent(payment("165.00", (ID, "165.00")))
    scene.then_caspen_says(NOTE)


@CASES.way(Code.PAYMENT_EXCEEDS_DUE, 0, 1)
def room_is_made_for_a_credit(scene: Scene) -> Iterator[None]:
    on_a_paid_one(scene)
    yield
    scene.in_caspen(payment("121.00", (ID, "121.00"), **LATER))


@CASES.way(Code.PAYMENT_EXCEEDS_DUE, 2, apart=True)
def a_credit_on_a_paid_one_stays_open(scene: Scene) -> Iterator[None]:
    on_a_paid_one(scene)
    yield


@CASES.way(Code.TOTALS_DIFFER)
def one_with_other_figures_is_issued_anew(scene: Scene) -> Iterator[None]:
    with scene.way.odd(Field("CreditNotes", "CN-0001", "Total", 45)):
        scene.begins(invoice(), NOTE)
    yield
    scene.in_caspen(gone(), ANOTHER)


@CASES.way(Code.NOT_AS_SENT)
def one_that_came_back_otherwise_is_issued_anew(scene: Scene) -> Iterator[None]:
    other = [{"Description": "Else", "Quantity": 1, "UnitAmount": 40, "AccountCode": "200", "TaxType": "OUTPUT"}]
    with scene.way.odd(Field("CreditNotes", "CN-0001", "LineItems", other)):
        scene.begins(invoice(), NOTE)
    yield
    scene.in_caspen(gone(), ANOTHER)


@CASES.way(Code.XERO_REFUSED)
def one_that_xero_refuses_goes_once_it_is_put_right(scene: Scene) -> Iterator[None]:
    scene.xero_says("PUT", "CreditNotes", "Something that nobody has seen yet")
    scene.begins(invoice(), NOTE)
    yield
    scene.xero_is_right_again()
    scene.in_caspen(NOTE)


@CASES.way(Code.XERO_REFUSED, 2, apart=True)
def an_allocation_that_xero_refuses_for_ever_is_done_by_hand(scene: Scene) -> Iterator[None]:
    scene.xero_says("PUT", "CreditNotes/", "Something that nobody has seen yet")
    scene.begins(invoice(), NOTE)
    scene.clinic.push(NUMBER)
    yield
