"""Nothing is paid or credited twice: only what this very run has made needs no look, and what stands in Xero is linked or told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, killed_at, told
from clinics import EFTPOS, Record, client, credit_note, invoice, line, payment
from pushing import Clinic
from test_crash import kept, ten_minutes_pass

from caspen_xero.xero.client import XeroClient

CLIENTS = [client(f"{nth}") for nth in range(1, 41)]


@pytest.fixture
def paid(ready: Clinic) -> Clinic:
    """One invoice of 165.00 with a payment of 65.00 on it, both in Xero."""
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def forty(*, paid: bool = True) -> list[Record]:
    """Forty clients with an invoice of 165.00 each, of which 40.00 are paid and 44.00 credited."""
    records: list[Record] = [EFTPOS, *CLIENTS]
    for nth in range(1, 41):
        number = f"INV-{nth:04d}"
        records.append(invoice(number, client_id=f"{nth}"))
        if paid:
            records.append(payment("40.00", (f"inv_{number}", "40.00"), id_=f"pay_{nth}", client_id=f"{nth}"))
            records.append(credit_note(f"CN-{nth:04d}", invoice_id=f"inv_{number}"))
    return records


def amounts(clinic: Clinic) -> list[str]:
    """The amounts of all payments that live in Xero."""
    return sorted(str(one["Amount"]) for one in in_xero.payments(clinic))


def allocated(clinic: Clinic) -> list[str]:
    return [str(one["Amount"]) for note in clinic.state("CreditNotes") for one in note["Allocations"]]


class Killed(BaseException):
    """The machine was switched off."""


def dies_after(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A push that dies when Xero has done a write, before its answer comes."""
    send = XeroClient.send

    def dying(client: XeroClient, method: str, where: str, *arguments: Any, **more: Any) -> Any:
        answer = send(client, method, where, *arguments, **more)
        if where.endswith(path):
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(XeroClient, "send", dying)
        with pytest.raises(Killed):
            clinic.push()


def answer_is_lost(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The same; and Xero has forgotten its key before the next push."""
    dies_after(clinic, monkeypatch, path)
    ten_minutes_pass(clinic)
    clinic.forget_calls()


def holds_are_due(clinic: Clinic) -> None:
    """So much time has passed that what is held is tried again by itself."""
    clinic.sql("UPDATE holds SET release_at = ''")


def removed_by_the_bookkeeper(clinic: Clinic) -> None:
    (there,) = in_xero.payments(clinic)
    in_xero.writes(clinic, "POST", f"Payments/{there['PaymentID']}", {"Status": "DELETED"})


# --- what a first push costs


def test_what_a_run_has_made_itself_is_paid_and_credited_without_a_look(ready: Clinic) -> None:
    ready.takes(*forty())
    assert ready.push().exit_code == 0
    assert (len(in_xero.payments(ready)), len(allocated(ready))) == (40, 40)
    assert [call for call in ready.calls() if call.startswith("GET Invoices")] == []


@pytest.mark.parametrize("lies", ["it says nothing of when it was changed", "it is old", "it is paid"])
def test_what_an_answer_does_not_show_as_new_is_looked_at(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, lies: str
) -> None:
    door = ready.sandbox.xero.gateway
    answer = door.answer
    other = {
        "it says nothing of when it was changed": (b'"UpdatedDateUTC":', b'"Changed":'),
        "it is old": (b'"UpdatedDateUTC":"/Date(1', b'"UpdatedDateUTC":"/Date(0'),
        "it is paid": (b'"AmountPaid":0', b'"AmountPaid":1'),
    }[lies]

    def odd(admission: Any, exchange: Any, fault: Any) -> Any:
        given = answer(admission, exchange, fault)
        if (admission.request.method, admission.request.path) != ("PUT", "Invoices"):
            return given
        return type(given)(given.status, given.body.replace(*other), given.content_type, given.headers)

    monkeypatch.setattr(door, "answer", odd)
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    ready.push()
    assert "GET Invoices" in ready.calls()


def test_a_second_part_of_an_invoice_that_only_we_have_changed_costs_one_look(paid: Clinic) -> None:
    for nth in (2, 3):
        paid.takes(payment("10.00", ("inv_INV-0001", "10.00"), id_=f"pay_{nth}"))
        paid.forget_calls()
        assert paid.push().exit_code == 0
        assert paid.calls() == ["GET Invoices", "PUT Payments"]


# --- somebody was there in between


def test_a_payment_entered_by_hand_on_an_invoice_whose_answer_was_lost_is_not_doubled(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("40.00", ("inv_INV-0001", "40.00")))
    answer_is_lost(ready, monkeypatch, "Invoices")
    in_xero.pays(ready, "INV-0001", "40.00")
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "payment-maybe-already-in-xero"
    assert amounts(ready) == ["40.0"]


def test_a_push_killed_between_invoice_and_payment_doubles_nothing_that_was_entered_by_hand(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("40.00", ("inv_INV-0001", "40.00")))
    ready.sql("DELETE FROM xero_lists")
    call = 0
    with kept(ready) as back_to_the_start:
        while not ready.state("Invoices"):
            back_to_the_start()
            call += 1
            with killed_at(ready, call, "after", "push") as was_killed:
                assert was_killed()
        in_xero.pays(ready, "INV-0001", "40.00")
        assert ready.push().exit_code == 3
        assert ready.problem()["code"] == "payment-maybe-already-in-xero"
        assert amounts(ready) == ["40.0"]


# --- two stores


@contextmanager
def at_the_other_home(clinic: Clinic, other: Path) -> Iterator[None]:
    """While this lasts the clinic is used at its other home; the sign-in is the same."""
    here, tokens = clinic.home.with_name("first"), "default/tokens.json"
    clinic.home.rename(here)
    other.rename(clinic.home)
    shutil.copy(here / tokens, clinic.home / tokens)
    try:
        yield
    finally:
        shutil.copy(clinic.home / tokens, here / tokens)
        clinic.home.rename(other)
        here.rename(clinic.home)


def nothing_is_there_twice(clinic: Clinic) -> None:
    assert len(clinic.in_xero()) == 40
    assert amounts(clinic) == ["40.0"] * 40
    assert sorted(allocated(clinic)) == ["44.0"] * 40
    assert len(clinic.contacts()) == 40


def everything_is_linked(clinic: Clinic) -> None:
    kinds = clinic.sql("SELECT kind, COUNT(*) AS n FROM links GROUP BY kind")
    assert {row["kind"]: row["n"] for row in kinds} == dict.fromkeys(
        ("client", "invoice", "payment", "credit_note", "allocation"), 40
    )
    assert clinic.unsynced() == []
    assert in_xero.silent(clinic)


@pytest.mark.parametrize("seconds", [0, 120, 3600])
def test_a_home_copied_to_another_machine_doubles_nothing(ready: Clinic, tmp_path: Path, seconds: int) -> None:
    ready.takes(*forty())
    other = tmp_path / "other"
    shutil.copytree(ready.home, other)
    assert ready.push().exit_code == 0
    ready.control("clock", seconds=seconds)
    with at_the_other_home(ready, other):
        assert ready.push().exit_code == 0
        nothing_is_there_twice(ready)
        everything_is_linked(ready)
        ready.cli("pull")
        assert told(ready) == []
    everything_is_linked(ready)


@pytest.mark.parametrize("call", [6, 7, 8, 9, 10])
def test_the_other_home_goes_on_where_the_first_was_killed(ready: Clinic, tmp_path: Path, call: int) -> None:
    ready.takes(*forty())
    other = tmp_path / "other"
    shutil.copytree(ready.home, other)
    with killed_at(ready, call, "after", "push") as was_killed:
        assert was_killed()
    with at_the_other_home(ready, other):
        assert ready.push().exit_code == 0
        nothing_is_there_twice(ready)
        everything_is_linked(ready)
    assert ready.push().exit_code == 0
    nothing_is_there_twice(ready)
    everything_is_linked(ready)


@pytest.mark.parametrize("seconds", [0, 120, 3600])
def test_a_store_begun_anew_doubles_nothing_and_tells_caspen_nothing(ready: Clinic, seconds: int) -> None:
    ready.takes(*forty())
    assert ready.push().exit_code == 0
    for table in ("links", "journal_documents", "journal", "holds", "problems"):
        ready.sql(f"DELETE FROM {table}")
    ready.control("clock", seconds=seconds)
    assert ready.push().exit_code == 0
    nothing_is_there_twice(ready)
    everything_is_linked(ready)
    ready.cli("pull")
    assert told(ready) == []


# --- credit notes


@pytest.fixture
def lost_allocation(ready: Clinic, waits: list[float]) -> Clinic:
    """An invoice of 165.00 and a credit note of 44.00 in Xero; whether it was put on the invoice is not known: it was not."""
    ready.takes(EFTPOS, client("1048237"), invoice(), credit_note())
    ready.control("faults", kind="drop-before", path="/Allocations", count=4)
    assert ready.push().exit_code == 6
    ready.all_is_well_in_xero()
    ten_minutes_pass(ready)
    ready.forget_calls()
    return ready


def by_hand(clinic: Clinic, amount: str) -> str:
    """The bookkeeper puts a part of our credit note on the invoice."""
    (note,) = clinic.state("CreditNotes")
    made = Bookkeeper(clinic.sandbox.url).allocates("credit_note", note["CreditNoteID"], "INV-0001", amount)
    clinic.forget_calls()
    return made


def test_another_amount_of_a_credit_note_on_the_invoice_is_not_ours_and_is_told(lost_allocation: Clinic) -> None:
    theirs = by_hand(lost_allocation, "4.00")
    assert lost_allocation.push().exit_code == 3
    problem = lost_allocation.problem()
    assert problem["code"] == "credit-note-allocated-in-xero"
    assert "4.00" in problem["reason"]
    assert lost_allocation.sql("SELECT 1 FROM links WHERE kind = 'allocation'") == []
    assert in_xero.silent(lost_allocation)
    assert allocated(lost_allocation) == ["4.0"]
    (note,) = lost_allocation.state("CreditNotes")
    Bookkeeper(lost_allocation.sandbox.url).takes_back("credit_note", note["CreditNoteID"], theirs)
    assert lost_allocation.run(problem["fix"]).exit_code == 0
    assert allocated(lost_allocation) == ["44.0"]
    assert in_xero.silent(lost_allocation)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_credit_note_that_somebody_has_put_on_its_invoice_is_linked(lost_allocation: Clinic, forgets: bool) -> None:
    by_hand(lost_allocation, "44.00")
    if forgets:
        lost_allocation.sql("DELETE FROM journal_documents")
        lost_allocation.sql("DELETE FROM journal")
    assert lost_allocation.push().exit_code == 0
    assert lost_allocation.writes() == []
    assert allocated(lost_allocation) == ["44.0"]
    assert in_xero.silent(lost_allocation)
    lost_allocation.takes(credit_note() | {"status": "void"})
    assert lost_allocation.push().exit_code == 0
    assert allocated(lost_allocation) == []


def test_a_credit_note_of_more_than_is_due_is_told_and_not_sent(lost_allocation: Clinic) -> None:
    in_xero.pays(lost_allocation, "INV-0001", "150.00")
    assert lost_allocation.push().exit_code == 3
    problem = lost_allocation.problem()
    assert (problem["code"], "15.00" in problem["reason"]) == ("payment-exceeds-due", True)
    assert lost_allocation.writes() == []
    assert in_xero.silent(lost_allocation)


def test_an_adopted_credit_note_of_which_a_part_is_on_the_invoice_is_not_taken_for_the_whole(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), credit_note())
    assert ready.push().exit_code == 0
    (note,) = ready.state("CreditNotes")
    keeper = Bookkeeper(ready.sandbox.url)
    keeper.takes_back("credit_note", note["CreditNoteID"], note["Allocations"][0]["AllocationID"])
    keeper.allocates("credit_note", note["CreditNoteID"], "INV-0001", "4.00")
    for table in ("links", "journal_documents", "journal"):
        ready.sql(f"DELETE FROM {table}")
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "credit-note-allocated-in-xero"
    assert allocated(ready) == ["4.0"]


# --- payments by their reference


def test_our_ids_on_another_amount_are_never_paid_anyway_and_the_fix_works(paid: Clinic) -> None:
    paid.sql("DELETE FROM links WHERE kind = 'payment'")
    paid.takes(payment("60.00", ("inv_INV-0001", "60.00")))
    for anyway in ((), ("--pay-anyway", "INV-0001")):
        assert paid.push(*anyway).exit_code == 3
        problem = paid.problem()
        assert problem["code"] == "payment-maybe-already-in-xero"
        assert "--pay-anyway" not in problem["reason"] + problem["fix"]
        assert amounts(paid) == ["65.0"]
    paid.takes(payment("65.00", ("inv_INV-0001", "65.00"), updated_at="2026-12-01T00:00:00Z"))
    assert paid.run(problem["fix"], -1).exit_code == 0
    assert (amounts(paid), paid.unsynced()) == (["65.0"], [])


def test_our_ids_on_another_amount_are_told_though_a_pull_has_seen_them_first(paid: Clinic) -> None:
    paid.sql("DELETE FROM links WHERE kind = 'payment'")
    paid.sql("DELETE FROM journal_documents WHERE operation = 'create-payment'")
    paid.takes(payment("60.00", ("inv_INV-0001", "60.00")))
    for command in ("pull", "push"):
        assert paid.cli(command).exit_code == 3
        assert told(paid) == []
        problem = paid.problem()
        assert problem["code"] == "payment-changed-in-xero"
        assert ("60.00" in problem["reason"], "65.00" in problem["reason"]) == (True, True)
    assert amounts(paid) == ["65.0"]
    paid.takes(payment("65.00", ("inv_INV-0001", "65.00"), updated_at="2026-12-01T00:00:00Z"))
    assert paid.push().exit_code == 0
    assert (amounts(paid), paid.unsynced()) == (["65.0"], [])


def test_of_two_payments_with_our_reference_one_is_linked_and_there_is_never_a_third(paid: Clinic) -> None:
    in_xero.pays(paid, "INV-0001", "60.00", reference="EFTPOS pay_1/all_1a")
    in_xero.pays(paid, "INV-0001", "40.00", reference="EFTPOS pay_1/all_1a")
    paid.sql("DELETE FROM links WHERE kind = 'payment'")
    paid.sql("UPDATE links SET done_up_to = NULL")
    assert paid.push().exit_code == 0
    assert amounts(paid) == ["40.0", "60.0", "65.0"]
    (link,) = paid.sql("SELECT xero_id FROM links WHERE kind = 'payment'")
    assert link["xero_id"] in {one["PaymentID"] for one in in_xero.payments(paid) if one["Amount"] == 65}


# --- deleted in Xero


def test_a_payment_of_ours_that_somebody_deleted_is_told_and_sent_anew_only_when_asked_for(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    assert paid.cli("pull").exit_code == 3
    assert paid.push().exit_code == 3
    problem = paid.problem()
    assert problem["code"] == "payment-removed-in-xero"
    assert "65.00 of 2026-11-03" in problem["reason"]
    assert in_xero.silent(paid)
    holds_are_due(paid)
    assert paid.push().exit_code == 3
    assert amounts(paid) == []
    assert paid.run(problem["fix"]).exit_code == 0
    assert (amounts(paid), paid.unsynced()) == (["65.0"], [])
    assert in_xero.silent(paid)
    assert paid.cli("pull").exit_code == 0
    assert in_xero.silent(paid)
    paid.takes(payment("60.00", ("inv_INV-0001", "60.00")))  # and it can change as any other
    assert paid.push().exit_code == 0
    assert amounts(paid) == ["60.0"]
    assert in_xero.silent(paid)


def test_a_push_that_looks_at_the_invoice_sees_that_a_payment_of_it_is_gone(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.takes(payment("10.00", ("inv_INV-0001", "10.00"), id_="pay_2"))
    assert paid.push().exit_code == 3
    assert paid.problem()["code"] == "payment-removed-in-xero"
    assert amounts(paid) == ["10.0"]
    for _ in range(2):
        holds_are_due(paid)
        assert paid.push().exit_code == 3
    assert amounts(paid) == ["10.0"]


def test_a_store_that_does_not_know_of_its_payment_tells_that_it_was_deleted(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.sql("DELETE FROM links WHERE kind = 'payment'")
    paid.sql("UPDATE links SET done_up_to = NULL")
    assert paid.cli("pull").exit_code == 0
    assert paid.push().exit_code == 3
    problem = paid.problem()
    assert problem["code"] == "payment-removed-in-xero"
    paid.takes(payment("10.00", ("inv_INV-0001", "10.00"), id_="pay_2"))
    for _ in range(2):
        holds_are_due(paid)
        assert paid.push().exit_code == 3
        assert paid.problem()["code"] == "payment-removed-in-xero"
    assert amounts(paid) == ["10.0"]
    assert paid.run(problem["fix"]).exit_code == 0
    assert (amounts(paid), paid.unsynced()) == (["10.0", "65.0"], [])


def test_our_own_change_of_the_invoice_hides_no_deleted_payment(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.sql("DELETE FROM links WHERE kind = 'payment'")
    paid.takes(invoice(lines=[line("160.00")], updated_at="2026-12-01T00:00:00Z"))
    assert paid.push().exit_code == 3
    assert str(paid.in_xero()["INV-0001"]["Total"]) == "176.0"
    assert paid.problem()["code"] == "payment-removed-in-xero"
    assert amounts(paid) == []


def test_an_old_answer_played_back_is_not_the_last_word_on_a_payment(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payment was deleted before its answer, which had been lost, was given once more; and a pull had passed by."""
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("40.00", ("inv_INV-0001", "40.00")))
    dies_after(ready, monkeypatch, "Payments")
    removed_by_the_bookkeeper(ready)
    ready.cli("pull")
    ready.push()
    ready.cli("pull")
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "payment-removed-in-xero"
    assert amounts(ready) == []


def test_a_dry_run_tells_that_a_payment_was_deleted_and_keeps_nothing(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.sql("DELETE FROM links WHERE kind = 'payment'")
    paid.sql("UPDATE links SET done_up_to = NULL")
    assert "payment-removed-in-xero" in paid.cli("push", "--dry-run").stdout
    assert paid.sql("SELECT 1 FROM links WHERE kind = 'payment'") == []


def test_another_payment_may_stand_for_the_deleted_one(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.cli("pull")
    paid.push()
    stands_for_it = in_xero.pays(paid, "INV-0001", "65.00")
    fix = paid.problem()["fix"].replace("XERO_PAYMENT_ID", stands_for_it)
    assert paid.run(fix, 1).exit_code == 0
    assert paid.push().exit_code == 0
    assert (amounts(paid), paid.unsynced()) == (["65.0"], [])


def test_a_deleted_payment_entered_again_with_our_reference_stands_for_it_once_more(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.cli("pull")
    assert paid.push().exit_code == 3
    in_xero.pays(paid, "INV-0001", "65.00", reference="EFTPOS pay_1/all_1a")
    holds_are_due(paid)
    assert paid.push().exit_code == 0
    assert (amounts(paid), paid.unsynced()) == (["65.0"], [])
    assert in_xero.silent(paid)


def test_a_deleted_payment_that_caspen_then_voids_is_no_problem_any_more(paid: Clinic) -> None:
    removed_by_the_bookkeeper(paid)
    paid.cli("pull")
    assert paid.push().exit_code == 3
    paid.takes(payment("65.00", ("inv_INV-0001", "65.00"), status="void"))
    assert paid.push().exit_code == 0
    assert paid.unsynced() == []
    assert in_xero.silent(paid)


def test_a_payment_deleted_before_its_lost_answer_was_recovered_stays_deleted_and_is_told(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("40.00", ("inv_INV-0001", "40.00")))
    answer_is_lost(ready, monkeypatch, "Payments")
    removed_by_the_bookkeeper(ready)
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "payment-removed-in-xero"
    assert amounts(ready) == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_our_own_delete_and_make_anew_may_be_killed_at_any_call(paid: Clinic, moment: str) -> None:
    paid.takes(payment("70.00", ("inv_INV-0001", "70.00"), date="2026-11-04"))
    with kept(paid) as back_to_the_start:
        call = 0
        while True:
            call += 1
            with killed_at(paid, call, moment, "push") as was_killed:
                if not was_killed():
                    break
            with kept(paid) as back_to_the_kill:
                for passes in (False, True):
                    if passes:
                        ten_minutes_pass(paid)
                    assert paid.push().exit_code == 0, f"killed {moment} call {call}"
                    assert (amounts(paid), paid.unsynced()) == (["70.0"], [])
                    assert in_xero.silent(paid)
                    back_to_the_kill()
            back_to_the_start()
    assert call > 3


def test_many_invoices_are_asked_for_deleted_payments_in_few_calls(ready: Clinic) -> None:
    ready.takes(*forty(paid=False))
    assert ready.push().exit_code == 0
    for number in ready.in_xero():
        in_xero.edits(ready, number, Reference="looked at")
    ready.takes(*(payment("40.00", (f"inv_INV-{nth:04d}", "40.00"), id_=f"pay_{nth}") for nth in range(1, 41)))
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert ready.calls() == ["GET Invoices", *["GET Payments"] * 2, "PUT Payments"]
    asked = [each for each in ready.requests() if each["path"].endswith("/Payments") and each["method"] == "GET"]
    assert all("if-modified-since" in each["headers"] for each in asked)
    assert amounts(ready) == ["40.0"] * 40


def test_a_line_of_half_a_cent_is_approved_and_paid_without_a_look(ready: Clinic) -> None:
    ready.takes(
        EFTPOS, client("1048237"), invoice("INV-0001", [line("0.25")]), payment("0.20", ("inv_INV-0001", "0.20"))
    )
    assert ready.push().exit_code == 0
    assert "GET Invoices" not in ready.calls()
    assert [one["Amount"] for one in in_xero.payments(ready)] == [Decimal("0.20")]


def test_a_deleted_payment_that_has_another_amount_in_caspen_by_now_is_told_as_it_was(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001"), payment("40.00", ("inv_INV-0001", "40.00")))
    ready.push()
    (there,) = in_xero.payments(ready)
    in_xero.writes(ready, "POST", f"Payments/{there['PaymentID']}", {"Status": "DELETED"})
    ready.takes(payment("60.00", ("inv_INV-0001", "60.00")))
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "payment-removed-in-xero"
    assert " was in Xero as 40.00, and somebody deleted it there" in problem["reason"]
    assert in_xero.payments(ready) == []
