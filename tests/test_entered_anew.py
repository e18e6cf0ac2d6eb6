"""What is typed in by hand, or deleted and entered anew, on any day and in any account: it is the same, or asked about."""

from __future__ import annotations

from typing import Any

import in_xero
import pytest
from bookkeeping import told
from clinics import CASH
from pulling import payment
from pushing import Clinic, commands_in

LATER = {"updated_at": "2026-11-29T00:00:00Z"}


def elsewhere(clinic: Clinic, number: str, amount: str = "50.00") -> str:
    """A payment in Xero, 17 days after Caspen's, in another account and with no name that is Caspen's."""
    body = {"Account": {"Code": "091"}, "Amount": amount, "Date": "2026-11-20", "Reference": "Deposit"}
    made = in_xero.writes(clinic, "PUT", "Payments", {"Invoice": {"InvoiceNumber": number}, **body})
    return str(made["Payments"][0]["PaymentID"])


def deletes(clinic: Clinic, xero_id: str) -> None:
    in_xero.writes(clinic, "POST", f"Payments/{xero_id}", {"Status": "DELETED"})


def sent(clinic: Clinic) -> list[str]:
    return [str(one["Reference"]) for one in in_xero.payments(clinic) if "/" in str(one["Reference"])]


def told_ids(clinic: Clinic) -> list[str]:
    return [record["id"] for record in told(clinic)]


def sync(clinic: Clinic) -> Any:
    return clinic.cli("sync", "--json").json


def asked(clinic: Clinic) -> dict[str, Any]:
    problem: dict[str, Any] = clinic.problem()
    assert problem["code"] == "payment-maybe-already-in-xero", problem
    return problem


def answers(clinic: Clinic, xero_id: str, *, is_same: bool, number: str = "INV-0001") -> None:
    """Each printed way out is pasted; then nothing is asked, sent or told any more."""
    the_same, another = clinic.answers(number)
    assert the_same.endswith(xero_id)
    assert clinic.run(the_same if is_same else another).exit_code in (0, 3)
    sync(clinic)
    before = (in_xero.payments(clinic), told(clinic))
    for command in ("pull", "push", "sync"):
        clinic.cli(command)
    assert (in_xero.payments(clinic), told(clinic)) == before


both_ways = pytest.mark.parametrize("is_same", [True, False])


@both_ways
def test_what_caspen_was_told_of_and_typed_in_otherwise_is_asked_about(synced: Clinic, is_same: bool) -> None:
    synced.takes(CASH)
    synced.cli("settings", "set", "--payment-method", "Cash=091")
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    sync(synced)
    synced.takes({**payment(1, "INV-0001", "50.00"), "date": "2026-11-20", "method_id": CASH["id"]})
    sync(synced)
    assert (sent(synced), told_ids(synced)) == ([], [theirs])
    asked(synced)
    answers(synced, theirs, is_same=is_same)
    assert sent(synced) == ([] if is_same else ["Cash pay_1/all_1"])
    assert synced.unsynced() == []


@both_ways
@pytest.mark.parametrize("is_seen", [True, False])
def test_what_was_deleted_and_entered_anew_far_away_is_asked_about_first(
    synced: Clinic, is_seen: bool, is_same: bool
) -> None:
    synced.takes(payment(1, "INV-0001", "50.00"))
    sync(synced)
    (ours,) = in_xero.payments(synced)
    deletes(synced, ours["PaymentID"])
    if is_seen:
        sync(synced)
    theirs = elsewhere(synced, "INV-0001")
    for _ in range(2):
        sync(synced)
        assert (sent(synced), told_ids(synced)) == ([], [])
    assert asked(synced)["reason"] == (
        "the payment of 50.00 of 2026-11-03 may be in Xero already: 50.00 of 2026-11-20 (Deposit); "
        "what stood for it there was deleted"
    )
    answers(synced, theirs, is_same=is_same)
    assert sent(synced) == ([] if is_same else ["EFTPOS pay_1/all_1"])
    assert told_ids(synced) == ([] if is_same else [theirs])
    assert synced.unsynced() == []


@both_ways
def test_what_was_told_is_gone_entered_anew_far_away_and_typed_in_is_asked_about(synced: Clinic, is_same: bool) -> None:
    deleted = in_xero.pays(synced, "INV-0001", "50.00")
    sync(synced)
    deletes(synced, deleted)
    theirs = elsewhere(synced, "INV-0001")
    synced.takes(payment(1, "INV-0001", "50.00"))
    for _ in range(2):
        sync(synced)
        assert (sent(synced), told_ids(synced)) == ([], [deleted])
    (row,) = [one for one in synced.unsynced() if one["code"] == "payment-maybe-already-in-xero"]
    assert row["reason"].endswith("was deleted there since, and may have typed it in")
    the_same, another = commands_in(row["fix"])
    assert the_same == f"caspen-xero invoices link INV-0001 {theirs}"
    assert synced.run(the_same if is_same else another).exit_code in (0, 3)
    for _ in range(2):
        sync(synced)
        assert sent(synced) == ([] if is_same else ["EFTPOS pay_1/all_1"])
    if not is_same:  # then it may still be the one that Caspen was told of and has not taken in
        (row,) = [one for one in synced.unsynced() if one["code"] == "payment-maybe-already-in-xero"]
        assert synced.run(row["fix"]).exit_code in (0, 3)
        sync(synced)
        assert told_ids(synced) == [deleted, theirs]
    assert "payment-maybe-already-in-xero" not in {one["code"] for one in synced.unsynced()}
    assert sent(synced) == ([] if is_same else ["EFTPOS pay_1/all_1"])


def test_what_was_told_and_is_gone_and_entered_anew_far_away_is_not_told_as_new(synced: Clinic) -> None:
    first = in_xero.pays(synced, "INV-0001", "50.00")
    sync(synced)
    deletes(synced, first)
    second = elsewhere(synced, "INV-0001")
    (row,) = sync(synced)["pull"]["held"]
    assert (row["id"], told_ids(synced)) == (second, [first])
    assert "that Caspen was told of before, which is gone in Xero since" in row["message"]


def move(clinic: Clinic, *, far: bool) -> str:
    """A payment of ours is moved to another invoice by hand, on both sides."""
    clinic.takes(payment(3, "INV-0004", "30.00"))
    sync(clinic)
    (ours,) = in_xero.payments(clinic)
    deletes(clinic, ours["PaymentID"])
    clinic.takes(payment(3, "INV-0003", "30.00", **LATER))
    return elsewhere(clinic, "INV-0003", "30.00") if far else in_xero.pays(clinic, "INV-0003", "30.00", "2026-11-03")


@both_ways
@pytest.mark.parametrize("far", [True, False])
def test_what_was_moved_on_both_sides_is_asked_about_and_was_never_removed(
    synced: Clinic, is_same: bool, far: bool
) -> None:
    theirs = move(synced, far=far)
    sync(synced)
    sync(synced)
    assert (sent(synced), told_ids(synced)) == ([], [])
    assert [(row["number"], row["code"]) for row in synced.unsynced()] == [
        ("INV-0003", "payment-maybe-already-in-xero")
    ]
    answers(synced, theirs, is_same=is_same, number="INV-0003")
    assert sent(synced) == ([] if is_same else ["EFTPOS pay_3/all_3"])
    assert told_ids(synced) == ([] if is_same else [theirs])
    assert synced.unsynced() == []


def test_what_was_deleted_on_one_invoice_and_moved_to_another_in_caspen_is_sent_there(synced: Clinic) -> None:
    synced.takes(payment(3, "INV-0004", "30.00"))
    sync(synced)
    (ours,) = in_xero.payments(synced)
    deletes(synced, ours["PaymentID"])
    sync(synced)
    synced.takes(payment(3, "INV-0003", "30.00", **LATER))
    sync(synced)
    assert sent(synced) == ["EFTPOS pay_3/all_3"]
    assert synced.unsynced() == []


@pytest.mark.parametrize("command", ["sync", "push"])
def test_that_it_is_another_is_not_said_of_what_nobody_was_asked_about(synced: Clinic, command: str) -> None:
    in_xero.pays(synced, "INV-0001", "50.00", "2026-11-04", "Rebate")
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.cli(command)
    another = synced.answers()[-1]
    true_one = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-03", "EFTPOS gap")
    synced.run(another)
    assert sent(synced) == []
    assert true_one in asked(synced)["fix"]
    synced.run(synced.answers()[0])
    sync(synced)
    assert sent(synced) == []
    assert len(in_xero.payments(synced)) == 2
    assert synced.unsynced() == []


@both_ways
@pytest.mark.parametrize("is_named", [True, False])
def test_what_is_voided_and_entered_anew_in_caspen_may_be_what_stood_for_the_first(
    synced: Clinic, is_named: bool, is_same: bool
) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-04")
    if is_named:
        sync(synced)
    named = {"xero_id": theirs} if is_named else {}
    synced.takes(payment(1, "INV-0001", "50.00", **named))
    sync(synced)
    if not is_named:
        synced.run(synced.answers()[0])
        sync(synced)
    synced.takes(payment(1, "INV-0001", "50.00", status="void", **named, **LATER))
    synced.takes(payment(2, "INV-0001", "50.00", date="2026-11-04", **LATER))
    sync(synced)
    assert sent(synced) == []
    rows = {row["code"]: row for row in synced.unsynced()}
    assert rows.keys() == {"payment-not-ours", "payment-maybe-already-in-xero"}
    the_same, another = commands_in(rows["payment-maybe-already-in-xero"]["fix"])
    assert the_same == f"caspen-xero invoices link INV-0001 {theirs}"
    assert synced.run(the_same if is_same else another).exit_code in (0, 3)
    sync(synced)
    assert sent(synced) == ([] if is_same else ["EFTPOS pay_2/all_2"])
    assert [row["code"] for row in synced.unsynced()] == ([] if is_same else ["payment-not-ours"])


def test_what_is_ours_is_taken_back_before_what_was_entered_anew_is_sent(synced: Clinic) -> None:
    synced.takes(payment(1, "INV-0001", "50.00"))
    sync(synced)
    synced.takes(payment(1, "INV-0001", "50.00", status="void", **LATER), payment(2, "INV-0001", "50.00", **LATER))
    sync(synced)
    assert sent(synced) == ["EFTPOS pay_2/all_2"]
    assert synced.unsynced() == []


@both_ways
def test_what_was_typed_in_is_asked_about_what_caspen_was_told_of_once_it_is_not_what_came_since(
    synced: Clinic, is_same: bool
) -> None:
    first = in_xero.pays(synced, "INV-0001", "50.00")
    sync(synced)
    second = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-04")
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-04"))
    sync(synced)
    the_same, another = synced.answers()
    assert the_same.endswith(second)
    synced.run(another)
    assert sent(synced) == []
    answers(synced, first, is_same=is_same)
    assert told_ids(synced) == [first, second]
    assert sent(synced) == ([] if is_same else ["EFTPOS pay_1/all_1"])
