"""Credit notes: made, approved and put on their invoice once, to the cent; and taken back as Caspen takes them back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, Record, client, credit_note, invoice, line, payment
from pushing import Clinic, same_figures

from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.money.allocations import Allocator
from caspen_xero.xero.client import XeroClient


@pytest.fixture
def credited(ready: Clinic) -> Clinic:
    """An invoice of 165.00 with a credit note of 44.00 on it, both in Xero."""
    ready.takes(EFTPOS, client("1048237"), invoice(), credit_note())
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def void(note: Record) -> Record:
    return note | {"status": "void"}


def test_a_credit_note_has_its_invoices_contact_account_and_tax_and_is_allocated_to_it(credited: Clinic) -> None:
    note, there = in_xero.credit_notes(credited)["CN-0001"], credited.in_xero()["INV-0001"]
    assert (note["Type"], note["Status"], note["RemainingCredit"]) == ("ACCRECCREDIT", "PAID", 0)
    assert note["Contact"]["ContactID"] == there["Contact"]["ContactID"]
    assert same_figures(credit_note(), note)
    (item,) = note["LineItems"]
    assert (item["AccountCode"], item["TaxType"], item["UnitAmount"]) == ("200", "OUTPUT", Decimal("40.00"))
    (allocation,) = note["Allocations"]
    assert (allocation["Invoice"]["InvoiceID"], allocation["Amount"]) == (there["InvoiceID"], Decimal("44.00"))
    assert (there["AmountCredited"], there["AmountDue"]) == (Decimal("44.00"), Decimal("121.00"))
    assert in_xero.silent(credited)


def test_the_push_counts_notes_and_allocations(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice(), credit_note())
    pushed = ready.push().json
    assert (pushed["credit_notes"], pushed["allocations"]) == (1, 1)
    assert next(call for call in ready.writes() if "CreditNotes" in call) == "PUT CreditNotes"


@pytest.mark.parametrize("tax_mode", ["exclusive", "inclusive", "none"])
def test_prices_carry_tax_as_the_invoices_do(ready: Clinic, tax_mode: Any) -> None:
    note = credit_note(lines=[line("33.33", "0.75"), line("0.25", rate="tax_free")], tax_mode=tax_mode)
    ready.takes(client("1048237"), invoice(tax_mode=tax_mode), note)
    assert ready.push().exit_code == 0
    assert same_figures(note, in_xero.credit_notes(ready)["CN-0001"])


def test_discounts_become_net_prices_for_xero_takes_none_on_credit_notes(ready: Clinic) -> None:
    note = credit_note(
        lines=[line("80.00", discount=("percentage", "12.5")), line("9.99", "3", discount=("fixed", "4.98"))]
    )
    ready.takes(client("1048237"), invoice(), note)
    assert ready.push().exit_code == 0
    assert same_figures(note, in_xero.credit_notes(ready)["CN-0001"])


def test_several_credit_notes_and_payments_share_one_invoice(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), credit_note(), credit_note("CN-0002", [line("10.00")]))
    ready.takes(payment("110.00", ("inv_INV-0001", "110.00")))
    assert ready.push().exit_code == 0
    there = ready.in_xero()["INV-0001"]
    assert (there["Status"], there["AmountPaid"], there["AmountCredited"]) == (
        "PAID",
        Decimal("110.00"),
        Decimal("55.00"),
    )
    assert in_xero.silent(ready)


def test_half_cents_go_as_a_draft_first_and_are_approved_once_they_are_right(ready: Clinic) -> None:
    note = credit_note(lines=[line("0.25")])  # 0.025 of tax
    ready.takes(client("1048237"), invoice(), note)
    assert ready.push().exit_code == 0
    assert same_figures(note, in_xero.credit_notes(ready)["CN-0001"])
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal(note["total"])


def test_a_note_that_xero_recomputes_is_never_approved(ready: Clinic) -> None:
    ready.control("organisation", KeepsTaxAmount=False)
    note = credit_note(lines=[line("0.24")] * 10) | {
        "subtotal": "2.40",
        "tax": "0.24",
        "total": "2.64",
    }  # Xero: 10 x 0.02
    ready.takes(client("1048237"), invoice(), note)
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "totals-differ"
    assert "0.24" in problem["reason"]
    assert "0.20" in problem["reason"]
    assert in_xero.credit_notes(ready)["CN-0001"]["Status"] == "DRAFT"
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == 0
    assert in_xero.silent(ready)


# --- taken back


@pytest.mark.parametrize("answer", ["wrapped", "bare"])
def test_a_void_credit_note_leaves_its_invoice_and_is_voided(credited: Clinic, answer: str) -> None:
    credited.control("settings", undone_allocation=answer)
    credited.takes(void(credit_note()))
    assert credited.push().exit_code == 0
    note = in_xero.credit_notes(credited)["CN-0001"]
    assert (note["Status"], note["Allocations"]) == ("VOIDED", [])
    assert credited.in_xero()["INV-0001"]["AmountDue"] == Decimal("165.00")
    assert in_xero.silent(credited)


@pytest.mark.parametrize("whole", [True, False], ids=["error 10", "an element of its own"])
def test_an_allocation_that_xero_refuses_is_told_in_its_words(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    words = "Credit Note cannot be allocated as amount is greater than amount outstanding"
    resource = Allocator.resource

    def refuses(*_: Any) -> Any:
        raise Refusal(words)

    monkeypatch.setattr(Allocator, "allocate", refuses)
    monkeypatch.setattr(Allocator, "resource", lambda self: replace(resource(self), single=whole))
    ready.takes(client("1048237"), invoice(), credit_note())
    pushed = ready.push()
    answer = ready.requests()[-1]
    assert (pushed.exit_code, answer["status"]) == (3, 400 if whole else 200)
    assert words in ready.problem()["xero_says"]


def test_a_note_that_was_void_before_any_push_never_goes(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice(), void(credit_note()))
    assert ready.push().exit_code == 0
    assert in_xero.credit_notes(ready) == {}


def test_an_invoice_voided_together_with_its_credit_note_is_voided_too(credited: Clinic) -> None:
    credited.takes(void(credit_note()), invoice(status="void"))
    assert credited.push().exit_code == 0
    assert credited.in_xero()["INV-0001"]["Status"] == "VOIDED"
    assert in_xero.credit_notes(credited)["CN-0001"]["Status"] == "VOIDED"


def test_an_allocation_taken_back_in_xero_already_is_not_missed(credited: Clinic) -> None:
    note = in_xero.credit_notes(credited)["CN-0001"]
    path = f"CreditNotes/{note['CreditNoteID']}/Allocations/{note['Allocations'][0]['AllocationID']}"
    in_xero.writes(credited, "DELETE", path)
    credited.takes(void(credit_note()))
    assert credited.push().exit_code == 0
    assert in_xero.credit_notes(credited)["CN-0001"]["Status"] == "VOIDED"
    assert in_xero.silent(credited)


# --- what stands in the way


def test_a_number_that_xero_has_for_the_same_note_is_adopted(credited: Clinic) -> None:
    credited.sql("DELETE FROM links WHERE kind IN ('credit_note', 'allocation')")  # as after losing the store
    credited.sql("UPDATE links SET done_up_to = NULL")
    assert credited.push().exit_code == 0
    assert list(in_xero.credit_notes(credited)) == ["CN-0001"]
    assert credited.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")


def test_a_locked_year_and_an_unlinked_rate_are_found_before_any_call(credited: Clinic) -> None:
    credited.control("organisation", EndOfYearLockDate="2026-11-30")
    credited.push("--refresh")
    credited.takes(credit_note("CN-0002", [line("10.00")]))
    credited.forget_calls()
    assert credited.push().exit_code == 3
    assert credited.problem()["code"] == "period-locked"
    assert credited.calls() == []


def test_a_change_of_its_reason_alone_changes_nothing_in_xero(credited: Clinic) -> None:
    credited.takes(credit_note() | {"reason": "Another reason"})
    assert credited.push().exit_code == 0
    assert credited.calls() == []


def test_a_credit_note_that_changed_after_it_was_sent_is_a_problem(credited: Clinic) -> None:
    credited.takes(credit_note(lines=[line("41.00")]))
    assert credited.push().exit_code == 3
    assert credited.problem()["code"] == "credit-note-changed"
    assert credited.writes() == []


# --- exactly once


class Killed(BaseException):
    """The machine was switched off."""


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("step", ["PUT CreditNotes", "PUT Allocations"])
def test_a_push_killed_between_note_and_allocation_ends_with_one_of_each(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    method, last = step.split()
    send = XeroClient.send

    def dying(client: XeroClient, sent: str, path: str, *arguments: Any, **more: Any) -> Any:
        fatal = sent == method and path.endswith(last)
        answer = send(client, sent, path, *arguments, **more) if after or not fatal else None
        if fatal:
            raise Killed
        return answer

    ready.takes(client("1048237"), invoice(), credit_note())
    with monkeypatch.context() as patched:
        patched.setattr(XeroClient, "send", dying)
        with pytest.raises(Killed):
            ready.push()
    assert ready.push().exit_code == 0
    note = in_xero.credit_notes(ready)["CN-0001"]
    assert [allocation["Amount"] for allocation in note["Allocations"]] == [Decimal("44.00")]
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")
    assert in_xero.silent(ready)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "500-after", "truncate"])
@pytest.mark.parametrize("path", ["CreditNotes.summarize", "Allocations"])
def test_lost_answers_double_neither_note_nor_allocation_nor_their_undoing(
    ready: Clinic, waits: list[float], fault: str, path: str
) -> None:
    ready.takes(client("1048237"), invoice(), credit_note())
    ready.control("faults", kind=fault, path=path, count=2)
    ready.push()
    assert ready.push().exit_code == 0
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")
    ready.control("faults", kind=fault, path="CreditNotes", count=2)
    ready.takes(void(credit_note()))
    ready.push()
    assert ready.push().exit_code == 0
    assert in_xero.credit_notes(ready)["CN-0001"]["Status"] == "VOIDED"
    assert in_xero.silent(ready)


@pytest.mark.parametrize("setting", [("--privacy", "generic"), ("--contact", "payer")])
def test_a_credit_note_goes_to_the_contact_that_its_invoice_has_whatever_was_set_since(
    ready: Clinic, setting: tuple[str, str]
) -> None:
    payer = {"object": "contact", "id": "con_77", "type": "plan_manager", "company": "Plan Partners"}
    ready.takes(client("1048237"), payer, invoice(invoice_to_id="con_77"))
    assert ready.push().exit_code == 0
    assert ready.cli("settings", "set", *setting).exit_code == 0
    ready.takes(credit_note())
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["contacts_created"], pushed.json["allocations"]) == (0, 0, 1)
    note = in_xero.credit_notes(ready)["CN-0001"]
    assert note["Contact"]["ContactID"] == ready.in_xero()["INV-0001"]["Contact"]["ContactID"]
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")
    assert in_xero.silent(ready)


def test_a_credit_note_follows_its_invoice_to_the_contact_that_a_bookkeeper_chose(ready: Clinic) -> None:
    ready.takes(client("1048237"), client("2", "Mei", "Tanaka"), invoice(), invoice("INV-0002", client_id="2"))
    assert ready.push().exit_code == 0
    other = ready.in_xero()["INV-0002"]["Contact"]["ContactID"]
    in_xero.edits(ready, "INV-0001", Contact={"ContactID": other})
    ready.takes(credit_note())
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "edited-in-xero"  # the answer to the allocation has shown it
    assert in_xero.credit_notes(ready)["CN-0001"]["Contact"]["ContactID"] == other
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")


def test_a_credit_note_that_a_bookkeeper_has_voided_already_needs_nothing_more(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice(), credit_note())
    assert ready.push().exit_code == 0
    note = in_xero.credit_notes(ready)["CN-0001"]
    path = f"CreditNotes/{note['CreditNoteID']}"
    in_xero.writes(ready, "DELETE", f"{path}/Allocations/{note['Allocations'][0]['AllocationID']}")
    in_xero.writes(ready, "POST", path, {"CreditNoteID": note["CreditNoteID"], "Status": "VOIDED"})
    ready.takes(void(credit_note()))
    assert (ready.push().exit_code, ready.unsynced()) == (0, [])
    assert in_xero.silent(ready)


def test_a_void_credit_note_that_a_bookkeeper_has_put_on_another_invoice_is_a_problem_that_is_told(
    ready: Clinic,
) -> None:
    ready.takes(client("1048237"), invoice(), invoice("INV-0002"), credit_note())
    assert ready.push().exit_code == 0
    note, other = in_xero.credit_notes(ready)["CN-0001"], ready.in_xero()["INV-0002"]["InvoiceID"]
    path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
    in_xero.writes(ready, "DELETE", f"{path}/{note['Allocations'][0]['AllocationID']}")
    allocation = {"Amount": 44, "Date": "2026-11-05", "Invoice": {"InvoiceID": other}}
    in_xero.writes(ready, "PUT", path, {"Allocations": [allocation]})
    ready.takes(void(credit_note()))
    assert ready.push().exit_code == 3
    assert ready.problem()["xero_says"]
    assert ready.in_xero()["INV-0002"]["AmountCredited"] == Decimal("44.00")
    assert in_xero.silent(ready)


def test_a_credit_note_that_can_not_go_is_asked_about_once(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice(), invoice("INV-0002"))
    assert ready.push().exit_code == 0
    there = ready.in_xero()
    in_xero.edits(ready, "INV-0002", Status="VOIDED")
    ready.control(f"contacts/{there['INV-0001']['Contact']['ContactID']}/archive")
    ready.takes(credit_note(), credit_note("CN-0002", invoice_id="inv_INV-0002"))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "contact-archived"
    assert ready.problem("INV-0002")["code"] == "voided-in-xero"
    assert in_xero.silent(ready)


# --- somebody else's


def by_hand(clinic: Clinic, status: str, number: str = "CN-0001") -> str:
    """A bookkeeper writes a credit note of 44.00 for the invoice's client; its CreditNoteID."""
    (contact,) = clinic.state("Contacts")
    note = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": number,
        "Contact": {"ContactID": contact["ContactID"]},
        "Date": "2026-11-05",
        "Status": status,
        "LineItems": [{"Description": "x", "Quantity": 1, "UnitAmount": 40, "AccountCode": "200", "TaxType": "OUTPUT"}],
    }
    return str(in_xero.writes(clinic, "PUT", "CreditNotes", {"CreditNotes": [note]})["CreditNotes"][0]["CreditNoteID"])


def test_a_draft_that_a_bookkeeper_made_is_theirs_to_approve_and_then_taken_but_never_voided_by_us(
    ready: Clinic,
) -> None:
    ready.takes(client("1048237"), invoice())
    ready.push()
    id_ = by_hand(ready, "DRAFT")
    ready.takes(credit_note())
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "credit-note-number-taken"
    assert "a draft of the credit note CN-0001" in problem["reason"]
    assert in_xero.credit_notes(ready)["CN-0001"]["Status"] == "DRAFT"
    in_xero.writes(ready, "POST", f"CreditNotes/{id_}", {"CreditNoteID": id_, "Status": "AUTHORISED"})
    assert ready.run(problem["fix"], -1).exit_code == 0
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")
    ready.takes(void(credit_note()))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "credit-note-not-ours"
    assert in_xero.credit_notes(ready)["CN-0001"]["Status"] != "VOIDED"


def test_a_draft_that_an_earlier_version_took_over_is_not_approved_by_us_and_goes_on_once_it_is(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice(), credit_note())
    ready.push()
    id_ = by_hand(ready, "DRAFT", "CN-0007")
    ready.sql("DELETE FROM links WHERE kind = 'allocation'")
    ready.sql("UPDATE links SET made_by_us = 0, status = 'DRAFT', xero_id = ? WHERE kind = 'credit_note'", id_)
    ready.sql("UPDATE links SET done_up_to = NULL")
    ready.push()
    assert in_xero.credit_notes(ready)["CN-0007"]["Status"] == "DRAFT"
    problem = ready.problem()
    assert (problem["code"], ready.listed()["INV-0001"]["sync_status"]) == ("waits-for-approval", "pending")
    assert "did not make" in problem["reason"]
    assert problem["fix"].startswith("Approve it in Xero (http")
    assert problem["fix"].endswith("), then: caspen-xero push INV-0001")
    in_xero.writes(ready, "POST", f"CreditNotes/{id_}", {"CreditNoteID": id_, "Status": "AUTHORISED"})
    assert ready.push().exit_code == 0
    assert ready.unsynced() == []
    (allocation,) = in_xero.credit_notes(ready)["CN-0007"]["Allocations"]
    assert allocation["Amount"] == Decimal("44.00")


@pytest.mark.parametrize("fault", ["drop-after", "truncate"])
def test_two_credit_notes_of_one_number_are_never_one_in_xero(ready: Clinic, waits: list[float], fault: str) -> None:
    ready.takes(client("1048237"), invoice(), credit_note(), credit_note() | {"id": "crn_other"})
    ready.control("faults", kind=fault, path="CreditNotes.summarize", count=4)
    ready.push()
    assert ready.push().exit_code == 3
    linked = ready.sql("SELECT xero_id FROM links WHERE kind = 'credit_note'")
    assert len(linked) == 1
    assert ready.problem()["code"] == "credit-note-number-taken"
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("44.00")


# --- how many calls that takes


def test_many_that_are_taken_back_are_looked_at_in_one_call(ready: Clinic) -> None:
    numbers = [f"{nth:04d}" for nth in range(1, 13)]
    notes = [credit_note(f"CN-{number}", invoice_id=f"inv_INV-{number}") for number in numbers]
    ready.takes(client("1048237"), *(invoice(f"INV-{number}") for number in numbers), *notes)
    assert ready.push().exit_code == 0
    ready.takes(*map(void, notes))
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert [call for call in ready.calls() if call.startswith("GET CreditNotes")] == ["GET CreditNotes"]
    assert {note["Status"] for note in in_xero.credit_notes(ready).values()} == {"VOIDED"}
    assert in_xero.silent(ready)
