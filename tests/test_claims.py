"""A payment of Caspen's that says it came from Xero is believed only once it was seen there; ids inside a record are its own."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, told
from clinics import EFTPOS, client, credit_note, invoice, payment
from hypothesis import given
from hypothesis import strategies as st
from pushing import Clinic

from caspen_xero.caspen.records import allocation_key

SOMEBODYS = "3f2b6a51-9c1e-4b7e-8a35-0d9f6c1a2b3c"


def pays(amount: str, number: str = "INV-0001", id_: str = "pay_1", **more: Any) -> dict[str, Any]:
    """A payment on one invoice, whose allocation is called "1" as in every other payment."""
    record = payment(amount, (f"inv_{number}", amount), id_=id_, **more)
    record["allocations"][0]["id"] = "1"
    return record


@pytest.fixture
def unpaid(ready: Clinic) -> Clinic:
    """Two invoices of 165.00 in Xero, from an earlier run."""
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002"))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def paid(clinic: Clinic) -> list[tuple[str, Decimal]]:
    """Number and amount of every payment that lives in Xero."""
    return sorted((each["Invoice"]["InvoiceNumber"], each["Amount"]) for each in in_xero.payments(clinic))


# --- ids are unique only within their record


def test_allocations_of_one_id_are_as_many_payments_in_xero(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002"), pays("65.00"))
    assert ready.push().json["payments"] == 1
    ready.takes(pays("65.00", id_="pay_2"), pays("40.00", "INV-0002", id_="pay_3"))
    assert ready.push().json["payments"] == 2
    wanted = [("INV-0001", Decimal("65.00")), ("INV-0001", Decimal("65.00")), ("INV-0002", Decimal("40.00"))]
    assert paid(ready) == wanted
    ready.takes(pays("65.00", status="void"))
    assert ready.push().json["payments_deleted"] == 1
    assert paid(ready) == wanted[1:]
    assert in_xero.silent(ready)


def test_a_payment_that_names_one_allocation_twice_is_a_bad_record(ready: Clinic) -> None:
    twice = payment("65.00", ("inv_INV-0001", "40.00"), ("inv_INV-0001", "25.00"))
    twice["allocations"][1]["id"] = twice["allocations"][0]["id"]
    file = ready.home.parent / "twice.jsonl"
    file.write_text(json.dumps(twice))
    imported = ready.cli("import", "--json", file)
    assert imported.exit_code == 3
    (bad,) = imported.json["bad_records"]
    assert (bad["id"], bad["field"]) == ("pay_1", "allocations[1].id")


@given(st.tuples(*[st.text(min_size=1)] * 2), st.tuples(*[st.text(min_size=1)] * 2))
def test_no_two_pairs_of_ids_make_one_key_and_no_key_holds_a_space(one: tuple[str, str], two: tuple[str, str]) -> None:
    try:
        keys = allocation_key(*one), allocation_key(*two)
    except UnicodeEncodeError:
        return  # half a character: no record holds one
    assert (keys[0] == keys[1]) == (one == two)
    assert all(key.isascii() and not any(char.isspace() for char in key) for key in keys)


def test_a_reference_is_recognised_by_its_ids_though_the_methods_name_has_changed(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "65.00", reference="Card machine pay_1/1")
    unpaid.takes(pays("65.00"))
    assert unpaid.push().exit_code == 0
    assert paid(unpaid) == [("INV-0001", Decimal("65.00"))]


def test_our_ids_on_another_amount_are_a_persons_to_judge(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "60.00", reference="EFTPOS pay_1/1")
    unpaid.takes(pays("65.00"))
    assert unpaid.push().exit_code == 3
    assert unpaid.problem()["code"] == "payment-maybe-already-in-xero"
    assert paid(unpaid) == [("INV-0001", Decimal("60.00"))]


# --- what a payment says of itself


def refused(
    clinic: Clinic, number: str = "INV-0001", code: str = "payment-xero-id-wrong", state: str = "unsynced"
) -> str:
    """The reason why the claim of a payment on an invoice does not count; saying so once more takes no call."""
    (problem,) = [row for row in clinic.unsynced() if row["number"] == number and row["code"] == code]
    assert clinic.listed()[number]["sync_status"] == state
    clinic.forget_calls()
    assert clinic.push().exit_code == 3
    assert clinic.calls() == []
    assert problem["reason"] in [row["reason"] for row in clinic.unsynced()]
    return str(problem["reason"])


@pytest.mark.parametrize(
    "claim", ["nonsense", SOMEBODYS, "../../../connections", "a b\n", "00000000-0000-0000-0000-000000000000"]
)
def test_an_id_that_xero_does_not_know_pays_nothing_and_other_invoices_go_on(unpaid: Clinic, claim: str) -> None:
    unpaid.takes(pays("65.00", xero_id=claim), pays("40.00", "INV-0002", id_="pay_2"))
    assert unpaid.push().exit_code == 3
    called = [each["path"] for each in unpaid.requests()]
    assert not [path for path in called if "connections" in path or "nonsense" in path]
    assert "Xero has no such payment" in refused(unpaid)
    assert paid(unpaid) == [("INV-0002", Decimal("40.00"))]


def test_what_a_push_makes_in_the_same_run_can_hold_no_payment_from_xero(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), pays("165.00", xero_id=SOMEBODYS))
    assert ready.push().exit_code == 3
    assert "Xero has no such payment" in refused(ready)


def test_an_id_that_we_told_caspen_needs_no_call(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "65.00")
    assert unpaid.cli("pull").exit_code == 0
    unpaid.takes(pays("65.00", xero_id=told(unpaid)[0]["id"].upper()))
    unpaid.forget_calls()
    assert unpaid.push().exit_code == 0
    assert unpaid.calls() == []
    assert unpaid.unsynced() == []
    assert paid(unpaid) == [("INV-0001", Decimal("65.00"))]


def test_an_id_that_we_told_for_another_invoice_or_amount_pays_nothing(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0002", "65.00")
    assert unpaid.cli("pull").exit_code == 0
    id_ = told(unpaid)[0]["id"]
    unpaid.takes(pays("65.00", xero_id=id_))
    assert unpaid.push().exit_code == 3
    assert "there it is on INV-0002" in refused(unpaid)
    unpaid.takes(pays("40.00", "INV-0002", xero_id=id_))
    assert unpaid.push().exit_code == 3
    assert "there it is 65.00" in refused(unpaid, "INV-0002")
    unpaid.takes(pays("65.00", "INV-0002", xero_id=id_))
    assert unpaid.push().exit_code == 0
    assert unpaid.unsynced() == []


def test_a_store_that_has_told_nothing_looks_at_the_invoice_and_believes_what_it_sees(unpaid: Clinic) -> None:
    bookkeeper = Bookkeeper(unpaid.sandbox.url)
    by_hand = bookkeeper.pays("INV-0001", "30.00")
    bookkeeper.pays_together({"INV-0001": "20.00", "INV-0002": "10.00"})
    batch = next(id_ for id_, arrived in bookkeeper.made.items() if arrived.amount == 20)
    over = bookkeeper.receives_overpayment("INV-0001", "40.00")
    early = bookkeeper.receives_prepayment("INV-0001", "40.00")
    goodwill = bookkeeper.issues_credit_note("INV-0001", "40.00")
    allocated = {
        amount: bookkeeper.allocates(kind, credit_id, "INV-0001", amount)
        for kind, credit_id, amount in (
            ("overpayment", over, "15.00"),
            ("prepayment", early, "5.00"),
            ("credit_note", goodwill, "4.00"),
        )
    }
    claims = {"30.00": by_hand, "20.00": batch, **allocated}
    unpaid.takes(*(pays(amount, id_=f"pay_{n}", xero_id=id_) for n, (amount, id_) in enumerate(claims.items())))
    unpaid.forget_calls()
    assert unpaid.push().exit_code == 0
    assert unpaid.calls().count("GET Invoices") == 1
    assert unpaid.unsynced() == []
    assert unpaid.writes() == []
    assert in_xero.silent(unpaid)


def test_a_payment_that_is_elsewhere_in_xero_or_of_another_amount_or_deleted_there_pays_nothing(unpaid: Clinic) -> None:
    id_ = in_xero.pays(unpaid, "INV-0002", "65.00")
    unpaid.takes(pays("65.00", xero_id=id_))
    unpaid.push()
    assert "there it is on INV-0002" in refused(unpaid)
    id_ = in_xero.pays(unpaid, "INV-0001", "60.00")
    unpaid.takes(pays("65.00", xero_id=id_))
    unpaid.push()
    assert "there it is 60.00" in refused(unpaid)
    in_xero.writes(unpaid, "POST", f"Payments/{id_}", {"Status": "DELETED"})
    unpaid.takes(pays("60.00", xero_id=id_))
    unpaid.push()
    assert "and somebody deleted it there" in refused(unpaid, code="payment-removed-in-xero", state="differs")


def test_two_records_that_claim_one_payment_are_both_in_doubt_until_one_gives_way(unpaid: Clinic) -> None:
    id_ = in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(pays("65.00", xero_id=id_), pays("65.00", id_="pay_2", xero_id=id_))
    assert unpaid.push().exit_code == 3
    reasons = [row["reason"] for row in unpaid.unsynced()]
    assert len(reasons) == 2
    assert all("says the same of itself" in reason for reason in reasons)
    unpaid.takes(pays("65.00", id_="pay_2", status="void", xero_id=id_))
    assert unpaid.push().exit_code == 0
    assert unpaid.unsynced() == []
    assert paid(unpaid) == [("INV-0001", Decimal("65.00"))]


def test_a_payment_already_believed_stays_and_the_second_that_claims_it_is_the_problem(unpaid: Clinic) -> None:
    id_ = in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(pays("65.00", xero_id=id_))
    assert unpaid.push().exit_code == 0
    unpaid.takes(pays("65.00", id_="pay_2", xero_id=id_))
    assert unpaid.push().exit_code == 3
    (row,) = unpaid.unsynced()
    assert "its payment pay_2 " in row["reason"]


def test_a_payment_that_we_sent_ourselves_came_not_from_xero(unpaid: Clinic) -> None:
    unpaid.takes(pays("65.00"))
    assert unpaid.push().exit_code == 0
    (ours,) = in_xero.payments(unpaid)
    unpaid.takes(pays("65.00", id_="pay_2", xero_id=ours["PaymentID"]))
    assert unpaid.push().exit_code == 3
    assert "it stands for Caspen's payment pay_1/1" in refused(unpaid)


def test_an_allocation_of_our_own_credit_note_is_no_payment(unpaid: Clinic) -> None:
    unpaid.takes(credit_note())
    assert unpaid.push().exit_code == 0
    (note,) = unpaid.state("CreditNotes")
    unpaid.takes(pays("44.00", xero_id=note["Allocations"][0]["AllocationID"]))
    assert unpaid.push().exit_code == 3
    assert "Xero has no such payment" in refused(unpaid)


def test_of_a_split_payment_only_the_part_that_is_in_xero_counts(unpaid: Clinic) -> None:
    id_ = in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(payment("100.00", ("inv_INV-0001", "65.00"), ("inv_INV-0002", "35.00"), xero_id=id_))
    assert unpaid.push().exit_code == 3
    assert {row["number"]: row["code"] for row in unpaid.unsynced()} == {"INV-0002": "payment-xero-id-wrong"}
    assert paid(unpaid) == [("INV-0001", Decimal("65.00"))]


# --- the ways out


def test_without_the_wrong_id_the_payment_is_sent_and_with_the_right_one_it_is_linked(unpaid: Clinic) -> None:
    unpaid.takes(pays("65.00", xero_id="nonsense"), pays("40.00", "INV-0002", id_="pay_2", xero_id="nonsense too"))
    assert unpaid.push().exit_code == 3
    right = in_xero.pays(unpaid, "INV-0002", "40.00")
    unpaid.takes(pays("65.00"), pays("40.00", "INV-0002", id_="pay_2", xero_id=right))
    assert unpaid.push().exit_code == 0
    assert unpaid.unsynced() == []
    assert paid(unpaid) == [("INV-0001", Decimal("65.00")), ("INV-0002", Decimal("40.00"))]


def test_a_person_may_say_which_payment_it_is(unpaid: Clinic) -> None:
    unpaid.takes(pays("65.00", xero_id="nonsense"))
    assert unpaid.push().exit_code == 3
    assert "invoices link" not in unpaid.problem()["reason"]  # nothing there could be it
    in_xero.pays(unpaid, "INV-0001", "65.00")
    assert unpaid.push("INV-0001").exit_code == 3
    assert unpaid.run(unpaid.problem()["reason"]).exit_code == 0
    assert unpaid.push().exit_code == 0
    assert unpaid.unsynced() == []
    assert paid(unpaid) == [("INV-0001", Decimal("65.00"))]


def test_a_dry_run_says_what_does_not_count_and_keeps_nothing(unpaid: Clinic) -> None:
    unpaid.takes(pays("65.00", xero_id="nonsense"))
    before = unpaid.sql("SELECT * FROM holds") + unpaid.sql("SELECT * FROM problems")
    shown = unpaid.cli("push", "--dry-run")
    assert "payment-xero-id-wrong" in shown.stdout
    assert unpaid.sql("SELECT * FROM holds") + unpaid.sql("SELECT * FROM problems") == before


def test_a_payment_that_a_wrong_record_names_is_held_until_the_record_is_right_and_then_told_once(
    unpaid: Clinic,
) -> None:
    id_ = in_xero.pays(unpaid, "INV-0002", "65.00")
    unpaid.takes(pays("65.00", xero_id=id_))
    pulled = unpaid.cli("pull", "--json").json
    assert told(unpaid) == []
    assert [held["id"] for held in pulled["held"]] == [id_]
    assert unpaid.cli("pull", "--full", "--json").json["payments"] == 0
    unpaid.takes(pays("65.00"))
    unpaid.cli("pull")
    unpaid.cli("pull", "--full")
    assert [(record["id"], record["invoice_number"]) for record in told(unpaid)] == [(id_, "INV-0002")]


# --- what came from Xero and is gone since


def test_an_id_that_we_told_and_that_is_gone_in_xero_since_pays_nothing(unpaid: Clinic) -> None:
    bookkeeper = Bookkeeper(unpaid.sandbox.url)
    id_ = bookkeeper.pays("INV-0001", "65.00")
    assert unpaid.cli("pull").exit_code == 0
    bookkeeper.deletes(id_)
    assert unpaid.cli("pull").exit_code == 3
    assert unpaid.problem()["code"] == "payment-removed-in-xero"
    unpaid.takes(pays("65.00", xero_id=id_))
    assert unpaid.push().exit_code == 3
    assert "and somebody deleted it there; to have it sent anew, take its xero_id away" in refused(
        unpaid, code="payment-removed-in-xero", state="differs"
    )
    (row,) = unpaid.unsynced()
    assert (row["code"], "accept" in row["fix"]) == ("payment-removed-in-xero", True)
    assert unpaid.cli("invoices", "accept", "INV-0001").exit_code == 0
    assert unpaid.cli("sync").exit_code == 0
    assert unpaid.unsynced() == []
    unpaid.takes(pays("65.00"))  # as it says: without its xero_id it is sent anew
    assert unpaid.cli("sync").exit_code == 0
    assert paid(unpaid) == [("INV-0001", Decimal("65.00"))]


@pytest.mark.parametrize("is_seen_by_a_pull", [False, True])
def test_what_came_from_xero_and_is_deleted_is_one_row_that_goes_once_it_is_void(
    unpaid: Clinic, is_seen_by_a_pull: bool
) -> None:
    id_ = Bookkeeper(unpaid.sandbox.url).pays("INV-0001", "65.00")
    if is_seen_by_a_pull:
        unpaid.cli("pull")
    Bookkeeper(unpaid.sandbox.url).deletes(id_)
    unpaid.takes(pays("65.00", xero_id=id_))
    for _ in range(2):
        assert unpaid.cli("sync").exit_code == 3
        assert unpaid.problem()["code"] == "payment-removed-in-xero"
    unpaid.takes(pays("65.00", xero_id=id_, status="void"))
    assert unpaid.cli("sync").exit_code == 0
    assert (unpaid.unsynced(), paid(unpaid)) == ([], [])


def test_a_credit_in_xero_that_a_void_payment_stood_for_is_left_alone_and_told(unpaid: Clinic) -> None:
    bookkeeper = Bookkeeper(unpaid.sandbox.url)
    over = bookkeeper.receives_overpayment("INV-0001", "65.00")
    id_ = bookkeeper.allocates("overpayment", over, "INV-0001", "65.00")
    unpaid.takes(pays("65.00", xero_id=id_))
    assert unpaid.push().exit_code == 0
    unpaid.takes(pays("65.00", xero_id=id_, status="void"))
    assert unpaid.push().exit_code == 3
    assert unpaid.problem()["code"] == "payment-not-ours"
    assert unpaid.in_xero()["INV-0001"]["AmountCredited"] == Decimal("65.00")
    assert in_xero.silent(unpaid)


def test_two_parts_of_one_payment_on_one_invoice_are_named_as_what_they_are(unpaid: Clinic) -> None:
    id_ = in_xero.pays(unpaid, "INV-0001", "100.00")
    unpaid.takes(payment("100.00", ("inv_INV-0001", "60.00"), ("inv_INV-0001", "40.00"), xero_id=id_))
    assert unpaid.push().exit_code == 3
    assert {row["code"] for row in unpaid.unsynced()} == {"payment-xero-id-wrong"}
    assert all(
        "more than one part of that payment on this invoice says so" in row["reason"] for row in unpaid.unsynced()
    )
