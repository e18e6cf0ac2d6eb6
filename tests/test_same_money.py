"""The same money on both sides: what may be there already is neither sent nor told, until a person says what it is, once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, told
from clinics import CASH, EFTPOS, TAX_RATES, client, invoice, line
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pulling import CLINIC, payment, pull
from pushing import Clinic, begins_anew, commands_in

from caspen_xero.sandbox.server import Sandbox

HICAPS = {"object": "payment_method", "id": "pmt_hicaps", "name": "HICAPS", "type": "other"}
LATER = {"updated_at": "2026-11-29T00:00:00Z"}
Command = tuple[str, ...]


def sync(clinic: Clinic) -> Any:
    return clinic.cli("sync", "--json").json


def sent(clinic: Clinic) -> list[str]:
    """What we have sent, by its references."""
    return [str(one["Reference"]) for one in in_xero.payments(clinic) if "/" in str(one["Reference"])]


def held(clinic: Clinic) -> list[str]:
    """The ids of what pull tells Caspen nothing of, as it may be the same money."""
    rows = pull(clinic).get("held", [])
    return [row["id"] for row in rows if row["code"] == "payment-maybe-already-in-xero"]


def nothing_is_left(clinic: Clinic) -> None:
    """Nobody is asked anything any more, and nothing is sent or told twice, whatever is run."""
    before = (in_xero.payments(clinic), told(clinic))
    for command in ("pull", "push", "sync", "push"):
        clinic.cli(command)
    assert (in_xero.payments(clinic), told(clinic)) == before
    assert clinic.unsynced() == []
    assert clinic.cli("drift", "--json").json["drift"] == []


# --- the same money on both sides


@pytest.mark.parametrize("day", ["2026-11-03", "2026-11-06", "2026-11-02"])
@pytest.mark.parametrize("first", [("pull",), ("push",), ("sync",)])
def test_what_stands_in_caspens_export_and_in_xero_is_neither_told_nor_sent_whatever_runs_first(
    synced: Clinic, first: Command, day: str
) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "110.00", day)
    synced.takes(payment(1, "INV-0001", "110.00"))
    synced.cli(*first)
    done = sync(synced)
    assert (done["pull"]["payments"], done["push"]["payments"]) == (0, 0)
    assert (told(synced), sent(synced)) == ([], [])
    (row,) = done["pull"]["held"]
    assert (row["id"], row["code"]) == (theirs, "payment-maybe-already-in-xero")
    problem = synced.problem()
    assert problem["code"] == row["code"]
    assert row["fix"] == problem["fix"]  # one question, told by both with the same two answers
    assert (
        problem["reason"] == f"the payment of 110.00 of 2026-11-03 may be in Xero already: 110.00 of {day} (Bank feed)"
    )


@pytest.mark.parametrize("orders", [("pull", "push"), ("push", "pull")])
def test_that_it_is_the_same_is_said_once(synced: Clinic, orders: Command) -> None:
    in_xero.pays(synced, "INV-0001", "110.00", "2026-11-06")
    synced.takes(payment(1, "INV-0001", "110.00"))
    for command in orders:
        synced.cli(command)
    the_same, _ = synced.answers()
    assert synced.run(the_same).exit_code == 0
    for command in orders:
        synced.cli(command)
    assert (told(synced), sent(synced)) == ([], [])
    nothing_is_left(synced)


@pytest.mark.parametrize("orders", [("pull", "push"), ("push", "pull")])
def test_that_it_is_another_is_said_once_then_it_is_told_and_what_caspen_makes_of_it_is_linked(
    synced: Clinic, orders: Command
) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "110.00", "2026-11-06")
    synced.takes(payment(1, "INV-0001", "110.00"))
    for command in orders:
        synced.cli(command)
    _, another = synced.answers()
    assert synced.run(another).exit_code == 0
    for command in orders:
        assert synced.cli(command).exit_code == 0
    assert sent(synced) == ["EFTPOS pay_1/all_1"]
    assert [record["id"] for record in told(synced)] == [theirs]
    synced.takes(payment(2, "INV-0001", "110.00", date="2026-11-06", xero_id=theirs))
    nothing_is_left(synced)


def test_that_it_is_another_holds_though_the_payment_can_not_be_sent_yet(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "110.00")
    synced.takes(payment(1, "INV-0001", "110.00"))
    sync(synced)
    assert synced.push("--pay-anyway", "INV-0001", "--max-writes", "0").json["payments"] == 0
    assert pull(synced)["payments"] == 1
    assert [record["id"] for record in told(synced)] == [theirs]
    assert synced.push().json["payments"] == 1
    assert synced.unsynced() == []


def test_a_gap_payment_and_its_rebate_are_two_and_each_in_xero_stands_for_one(synced: Clinic) -> None:
    synced.takes(HICAPS, payment(1, "INV-0001", "50.00"), payment(2, "INV-0001", "50.00", method_id="pmt_hicaps"))
    theirs = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-05", "HICAPS settlement")
    assert held(synced) == [theirs]
    assert synced.push().json["payments"] == 1
    assert sent(synced) == ["EFTPOS pay_1/all_1"]  # the bank names the method of the other
    assert synced.problem()["reason"].startswith(
        "the payment of 50.00 of 2026-11-03 may be in Xero already: 50.00 of 2026"
    )
    synced.run(synced.answers()[0])
    nothing_is_left(synced)


def test_of_three_in_xero_and_one_in_caspen_two_are_told(synced: Clinic) -> None:
    theirs = {in_xero.pays(synced, "INV-0001", "50.00", f"2026-11-0{day}") for day in (3, 4, 5)}
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-04"))
    (left,) = held(synced)
    assert {record["id"] for record in told(synced)} == theirs - {left}
    assert [record["date"] for record in told(synced)] == ["2026-11-03", "2026-11-05"]
    synced.push()
    assert synced.answers()[0] == f"caspen-xero invoices link INV-0001 {left}"
    synced.run(synced.answers()[0])
    synced.takes(*(payment(n, "INV-0001", "50.00", xero_id=id_) for n, id_ in enumerate(theirs - {left}, 5)))
    nothing_is_left(synced)


def test_what_was_told_and_comes_back_without_its_id_is_held_as_often_as_it_was_told(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    assert pull(synced)["payments"] == 1
    synced.takes(payment(1, "INV-0001", "50.00"), payment(2, "INV-0001", "50.00"))
    assert synced.push().json["payments"] == 1
    assert synced.answers()[0] == f"caspen-xero invoices link INV-0001 {theirs}"
    synced.run(synced.answers()[0])
    nothing_is_left(synced)


def test_weeks_apart_they_are_the_same_only_in_the_same_account(synced: Clinic) -> None:
    synced.cli("settings", "set", "--payment-method", "EFTPOS=090")
    elsewhere = {"Account": {"Code": "091"}, "Amount": "50.00", "Date": "2026-11-25", "Reference": "Deposit"}
    made = in_xero.writes(synced, "PUT", "Payments", {"Invoice": {"InvoiceNumber": "INV-0001"}, **elsewhere})
    here = in_xero.pays(synced, "INV-0002", "50.00", "2026-11-25")
    synced.takes(payment(1, "INV-0001", "50.00"), payment(2, "INV-0002", "50.00"))
    done = sync(synced)
    assert [record["id"] for record in told(synced)] == [made["Payments"][0]["PaymentID"]]
    assert [row["id"] for row in done["pull"]["held"]] == [here]
    assert sent(synced) == ["EFTPOS pay_1/all_1"]
    assert [row["number"] for row in synced.unsynced()] == ["INV-0002"]


# --- a part of it


def test_a_part_payment_is_shown_as_what_it_is_and_no_command_is_offered_that_can_not_work(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001", [line("100.00")]))  # 110.00 with GST
    ready.push()
    theirs = in_xero.pays(ready, "INV-0001", "60.00", "2026-11-05")
    mine = payment(1, "INV-0001", "110.00")
    ready.takes(mine)
    done = sync(ready)
    problem, (row,) = ready.problem(), done["pull"]["held"]
    both = "Caspen has a payment of 110.00 of 2026-11-03, Xero has 60.00 of 2026-11-05 (Bank feed)"
    both += "; in Xero 50.00 is still due, in Caspen 0.00"
    assert problem["reason"] == both
    assert (row["id"], row["message"]) == (theirs, f"it may be a part of other money: {both}")
    assert "--pay-anyway" not in problem["fix"] + row["fix"]
    assert (told(ready), sent(ready)) == ([], [])
    ready.push("--pay-anyway", "INV-0001")  # whoever types it all the same is told the same
    assert ready.problem()["reason"] == both
    parts = [{**mine["allocations"][0], "amount": "60.00"}]
    ready.takes({**mine, "amount": "60.00", "allocations": parts, **LATER})
    ready.push()
    assert ready.run(ready.answers()[0]).exit_code == 0
    nothing_is_left(ready)


def test_where_no_more_is_due_only_that_it_is_the_same_is_a_command(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001", [line("100.00")]))
    ready.push()
    theirs = in_xero.pays(ready, "INV-0001", "110.00", "2026-11-05")
    ready.takes(payment(1, "INV-0001", "110.00"))
    sync(ready)
    the_same, *correct_it = [
        f"caspen-xero invoices link INV-0001 {theirs}",
        "caspen-xero import PATH",
        "caspen-xero push INV-0001",
    ]
    assert ready.answers() == [the_same, *correct_it]
    assert ready.run(ready.answers()[0]).exit_code == 0
    nothing_is_left(ready)


# --- one on one side, several on the other


Part = tuple[str, str]
ONE: list[Part] = [("110.00", "2026-11-03")]
SEVERAL: list[Part] = [("60.00", "2026-11-04"), ("50.00", "2026-11-05")]


def stand(clinic: Clinic, caspen: list[Part], xero: list[Part]) -> list[str]:
    """So much is on an invoice of 220.00 on either side: the ids of what is in Xero."""
    clinic.takes(*(payment(nth, "INV-0001", amount, date=day) for nth, (amount, day) in enumerate(caspen, 1)))
    return [in_xero.pays(clinic, "INV-0001", amount, day) for amount, day in xero]


@pytest.mark.parametrize("orders", [("pull", "push"), ("push", "pull")])
@pytest.mark.parametrize(("caspen", "xero"), [(ONE, SEVERAL), (SEVERAL, ONE)])
def test_a_sum_to_the_cent_may_be_the_same_entered_otherwise_and_is_neither_sent_nor_told(
    synced: Clinic, caspen: list[Part], xero: list[Part], orders: Command
) -> None:
    theirs = stand(synced, caspen, xero)
    for command in orders:
        synced.cli(command)
    assert (told(synced), sent(synced)) == ([], [])
    rows, problems = sync(synced)["pull"]["held"], synced.unsynced()
    assert (sorted(row["id"] for row in rows), len(problems)) == (sorted(theirs), len(caspen))
    one = "110.00 of 2026-11-03 (EFTPOS pay_1/all_1)" if caspen is ONE else "110.00 of 2026-11-03 (Bank feed)"
    words = ["Bank feed"] * 2 if caspen is ONE else ["EFTPOS pay_1/all_1", "EFTPOS pay_2/all_2"]
    several = f"60.00 of 2026-11-04 ({words[0]}) and 50.00 of 2026-11-05 ({words[1]})"
    sides = ("Xero", "Caspen") if caspen is ONE else ("Caspen", "Xero")
    reason = f"{several} in {sides[0]} make 110.00, and {sides[1]} has {one}"
    reason += "; in Xero 110.00 is still due, in Caspen 110.00"
    assert {row["reason"] for row in problems} == {reason}
    assert {row["message"] for row in rows} == {f"it may be the same money, entered otherwise: {reason}"}
    (fix,) = {row["fix"] for row in (*rows, *problems)}
    assert fix.startswith(
        "If it is the same money, make the amounts agree in Caspen or in Xero, then: caspen-xero import PATH; "
    )
    assert fix.endswith(": caspen-xero push --pay-anyway INV-0001")


@pytest.mark.parametrize("orders", [("pull", "push"), ("push", "pull")])
@pytest.mark.parametrize(("caspen", "xero"), [(ONE, SEVERAL), (SEVERAL, ONE)])
def test_that_the_sum_is_other_money_is_said_once(
    synced: Clinic, caspen: list[Part], xero: list[Part], orders: Command
) -> None:
    theirs = stand(synced, caspen, xero)
    for command in orders:
        synced.cli(command)
    assert synced.run(synced.unsynced()[0]["fix"], -1).exit_code == 0
    for command in orders:
        assert synced.cli(command).exit_code == 0
    assert len(sent(synced)) == len(caspen)
    assert sorted(record["id"] for record in told(synced)) == sorted(theirs)
    synced.takes(
        *(payment(nth, "INV-0001", xero[nth][0], xero_id=id_, id=f"pay_of_{nth}") for nth, id_ in enumerate(theirs))
    )
    nothing_is_left(synced)


def test_that_the_sum_is_the_same_is_shown_by_making_the_amounts_agree(synced: Clinic) -> None:
    stand(synced, ONE, SEVERAL)
    sync(synced)
    mine = payment(1, "INV-0001", "60.00", **LATER)
    synced.takes(mine, payment(2, "INV-0001", "50.00"))
    synced.push("INV-0001")
    while rows := synced.unsynced():
        assert synced.run(rows[0]["fix"]).exit_code == 0
        synced.push("INV-0001")
    nothing_is_left(synced)
    assert (told(synced), sent(synced)) == ([], [])


@pytest.mark.parametrize(
    ("caspen", "xero"),
    [
        (ONE, [("60.00", "2026-11-03")]),
        (ONE, [("60.00", "2026-11-03"), ("49.99", "2026-11-03")]),
        (ONE, [("60.00", "2026-11-03"), ("50.00", "2026-11-11")]),
        ([("60.00", "2026-11-03")], ONE),
    ],
    ids=["less", "a cent less", "one of them later", "a part in Caspen"],
)
def test_what_is_merely_less_or_far_apart_goes_its_way(synced: Clinic, caspen: list[Part], xero: list[Part]) -> None:
    theirs = stand(synced, caspen, xero)
    done = sync(synced)
    assert "held" not in done["pull"]
    assert (len(told(synced)), len(sent(synced))) == (len(theirs), len(caspen))


def test_of_a_sum_of_what_is_more_than_is_due_no_command_says_that_it_is_other_money(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001", [line("100.00")]))
    ready.push()
    stand(ready, ONE, SEVERAL)
    sync(ready)
    assert " in Xero make 110.00, and Caspen has 110.00 of 2026-11-03" in ready.problem()["reason"]
    assert "--pay-anyway" not in ready.problem()["fix"]
    assert (told(ready), sent(ready)) == ([], [])


def test_where_the_bank_brings_payments_a_sum_is_asked_about_as_it_can_not_be_linked(synced: Clinic) -> None:
    synced.cli("settings", "set", "--payments", "off")
    theirs = stand(synced, ONE, SEVERAL)
    rows = sync(synced)["pull"]["held"]
    assert {row["id"] for row in rows} == set(theirs)
    assert all(row["fix"].endswith("; if it is other money, enter it in Caspen") for row in rows)


# --- deleted, and made anew


def test_what_was_deleted_and_entered_anew_in_xero_is_told_only_once_caspen_has_voided_its_own(synced: Clinic) -> None:
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.push()
    (ours,) = in_xero.payments(synced)
    in_xero.writes(synced, "POST", f"Payments/{ours['PaymentID']}", {"Status": "DELETED"})
    theirs = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-04")
    assert held(synced) == [theirs]
    assert told(synced) == []
    synced.takes(payment(1, "INV-0001", "50.00", status="void", **LATER))
    assert pull(synced)["payments"] == 1
    assert [record["id"] for record in told(synced)] == [theirs]


@pytest.mark.parametrize("orders", [("pull", "push"), ("push", "pull")])
def test_what_caspen_calls_by_an_id_that_is_not_there_may_be_what_is_there(synced: Clinic, orders: Command) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    synced.takes(payment(1, "INV-0001", "50.00", xero_id="00000000-0000-4000-8000-000000000000"))
    for command in orders:
        synced.cli(command)
    assert held(synced) == [theirs]
    the_same, another = commands_in(pull(synced)["held"][0]["fix"])
    assert {row["code"] for row in synced.unsynced()} == {"payment-xero-id-wrong", "payment-maybe-already-in-xero"}
    if orders[0] == "pull":
        assert synced.run(the_same).exit_code == 0
        nothing_is_left(synced)
    else:
        synced.run(another)  # what it then is, its own problem goes on to ask
        assert pull(synced)["payments"] == 1
        assert synced.problem()["code"] == "payment-xero-id-wrong"
    assert sent(synced) == []


def test_what_came_from_xero_and_was_made_anew_there_is_told_only_once_the_old_one_is_void(synced: Clinic) -> None:
    before = in_xero.pays(synced, "INV-0001", "50.00")
    sync(synced)
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=before))
    sync(synced)
    in_xero.writes(synced, "POST", f"Payments/{before}", {"Status": "DELETED"})
    anew = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-04")
    assert held(synced) == [anew]
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=before, status="void", **LATER))
    assert pull(synced)["payments"] == 1
    assert [record["id"] for record in told(synced)] == [before, anew]


@pytest.mark.parametrize("asked_first", [True, False])
def test_setting_aside_stops_sending_and_does_not_tell_caspen_what_it_may_have(
    synced: Clinic, asked_first: bool
) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00", "2026-11-04")
    synced.takes(payment(1, "INV-0001", "50.00"))
    if asked_first:
        assert sync(synced)["pull"]["held"]
    synced.cli("invoices", "skip", "INV-0001")
    assert [row["id"] for row in sync(synced)["pull"]["held"]] == [theirs]
    synced.cli("invoices", "unskip", "INV-0001")
    assert held(synced) == [theirs]
    assert (told(synced), sent(synced)) == ([], [])
    synced.push("INV-0001")
    assert synced.run(synced.answers()[0]).exit_code in (0, 3)
    nothing_is_left(synced)
    assert (told(synced), sent(synced)) == ([], [])


@pytest.mark.parametrize("first", ["by its id", "by hand", "as the bank brings it"])
def test_what_was_entered_anew_in_xero_and_linked_leaves_nothing_to_do_for_what_was_deleted_there(
    synced: Clinic, first: str
) -> None:
    x = in_xero.pays(synced, "INV-0001", "30.00")
    if first == "as the bank brings it":
        synced.cli("settings", "set", "--payments", "off")
    if first == "by its id":
        pull(synced)
    synced.takes(payment(1, "INV-0001", "30.00", xero_id=x if first == "by its id" else None))
    sync(synced)
    if first == "by hand":
        synced.run(synced.answers()[0])
    in_xero.writes(synced, "POST", f"Payments/{x}", {"Status": "DELETED"})
    y = in_xero.pays(synced, "INV-0001", "30.00")
    questions = [row["fix"] for row in sync(synced)["pull"].get("held", [])]
    for fix in questions:
        assert y in fix
        assert synced.run(commands_in(fix)[0]).exit_code == 0
    assert len(questions) == (0 if first == "as the bank brings it" else 1)
    nothing_is_left(synced)
    pull(synced, "--full")
    nothing_is_left(synced)
    assert synced.cli("payments", "list", "--json").json["payments"] == []
    assert [record["id"] for record in told(synced)] == ([x] if first == "by its id" else [])


def entered_anew(clinic: Clinic) -> tuple[str, str]:
    """The ids of a payment that Caspen was told of, and that somebody has deleted in Xero, and of the one entered there instead."""
    x = in_xero.pays(clinic, "INV-0001", "30.00")
    sync(clinic)
    in_xero.writes(clinic, "POST", f"Payments/{x}", {"Status": "DELETED"})
    return x, in_xero.pays(clinic, "INV-0001", "30.00", "2026-11-04")


def test_what_caspen_was_told_of_counts_as_what_it_may_have_until_its_export_shows_what_became_of_it(
    synced: Clinic,
) -> None:
    x, y = entered_anew(synced)
    assert [row["id"] for row in sync(synced)["pull"]["held"]] == [y]
    synced.takes(payment(1, "INV-0001", "30.00", xero_id=x))
    (question,) = sync(synced)["pull"]["held"]
    assert synced.run(commands_in(question["fix"])[0]).exit_code == 0
    nothing_is_left(synced)
    assert [record["id"] for record in told(synced)] == [x]


@pytest.mark.parametrize("payments", ["on", "off"])
def test_a_person_says_that_caspen_does_not_have_what_it_was_told_of(synced: Clinic, payments: str) -> None:
    synced.cli("settings", "set", "--payments", payments)
    x, y = entered_anew(synced)
    (question,) = sync(synced)["pull"]["held"]
    (another,) = commands_in(question["fix"])
    assert synced.run(another).exit_code == 3  # the one that is gone is still a difference
    assert sync(synced)["pull"]["payments"] == 1
    assert [record["id"] for record in told(synced)] == [x, y]
    accept = commands_in(synced.problem()["fix"])[-1]
    assert synced.run(accept).exit_code == 0
    synced.takes(payment(1, "INV-0001", "30.00", xero_id=y))
    sync(synced)
    nothing_is_left(synced)


def test_once_caspen_has_voided_what_it_was_told_of_the_new_one_is_told(synced: Clinic) -> None:
    x, y = entered_anew(synced)
    sync(synced)
    synced.takes(payment(1, "INV-0001", "30.00", xero_id=x, status="void"))
    sync(synced)
    assert [record["id"] for record in told(synced)] == [x, y]
    synced.takes(payment(2, "INV-0001", "30.00", xero_id=y))
    sync(synced)
    nothing_is_left(synced)


def test_of_what_is_gone_before_caspens_export_has_it_nothing_is_said_but_what_is_known(synced: Clinic) -> None:
    x = in_xero.pays(synced, "INV-0001", "55.00")
    sync(synced)
    in_xero.writes(synced, "POST", f"Payments/{x}", {"Status": "DELETED"})
    sync(synced)
    row = synced.problem()
    assert row["code"] == "payment-removed-in-xero"
    assert row["reason"] == (
        "in Caspen: told of it, and not in its export yet: payment of 55.00 (Bank feed); in Xero: it is gone since"
    )
    assert row["fix"].startswith("If Caspen took it in and Xero does not have it anew, void it there, then: ")
    assert synced.run(commands_in(row["fix"])[-1]).exit_code == 0
    nothing_is_left(synced)


def test_where_several_are_in_question_each_is_named_and_the_command_says_that_it_is_for_all(synced: Clinic) -> None:
    for day in ("2026-11-03", "2026-11-04"):
        in_xero.pays(synced, "INV-0001", "40.00", day)
    synced.takes(payment(1, "INV-0001", "40.00"), payment(2, "INV-0001", "40.00"))
    rows = [*sync(synced)["pull"]["held"], *synced.unsynced()]
    assert len(rows) == 4
    each = [f"40.00 of 2026-11-03 (EFTPOS pay_{n}/all_{n})" for n in (1, 2)]
    command = f"if all 2 in question are other ones ({', '.join(each)}): caspen-xero push --pay-anyway INV-0001"
    assert all(row["fix"].endswith(command) for row in rows)
    assert {row["reason"].split(" may be")[0] for row in synced.unsynced()} == {f"the payment of {one}" for one in each}
    assert synced.run(rows[0]["fix"], -1).exit_code == 0
    assert len(sent(synced)) == 2


def test_what_came_with_the_very_export_is_asked_about_first(synced: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    synced.cli("settings", "set", "--source", folder)

    def exports(*records: Any) -> None:
        text = "".join(json.dumps(record) + "\n" for record in (*TAX_RATES, *CLINIC, *records))
        (folder / "all.jsonl").write_text(text)

    in_xero.pays(synced, "INV-0001", "50.00")
    exports(payment(1, "INV-0001", "50.00"))
    sync(synced)
    (_, another) = synced.answers()
    in_xero.pays(synced, "INV-0001", "40.00")
    exports(payment(1, "INV-0001", "50.00"), payment(2, "INV-0001", "40.00"))
    assert synced.run(another).exit_code == 3
    assert sent(synced) == ["EFTPOS pay_1/all_1"]
    assert synced.problem()["reason"].startswith("the payment of 40.00")
    synced.run(synced.answers()[-1])
    assert sent(synced) == ["EFTPOS pay_1/all_1", "EFTPOS pay_2/all_2"]


def test_what_is_held_and_then_deleted_in_xero_is_asked_and_told_no_more(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    synced.takes(payment(1, "INV-0001", "50.00"))
    sync(synced)
    in_xero.writes(synced, "POST", f"Payments/{theirs}", {"Status": "DELETED"})
    done = sync(synced)
    assert ("held" in done["pull"], done["push"]["payments"]) == (False, 1)
    assert told(synced) == []
    nothing_is_left(synced)


def test_an_overpayment_that_leaves_too_little_due_is_not_told_before_the_payment_is_settled(ready: Clinic) -> None:
    ready.takes(EFTPOS, CASH, client("1048237"), invoice("INV-0001", [line("100.00")]))
    ready.push()
    bookkeeper = Bookkeeper(ready.sandbox.url)
    over = bookkeeper.receives_overpayment("INV-0001", "60.00")
    bookkeeper.allocates("overpayment", over, "INV-0001", "60.00")
    mine = payment(1, "INV-0001", "110.00")
    ready.takes(mine)
    done = sync(ready)
    assert [row["code"] for row in done["pull"]["held"]] == ["payment-maybe-already-in-xero"]
    assert "an allocated credit of 60.00 of 2026-11-20" in ready.problem()["reason"]
    assert (told(ready), sent(ready)) == ([], [])
    ready.takes({**mine, "status": "void", **LATER})
    assert sync(ready)["pull"]["payments"] == 1
    nothing_is_left(ready)


@pytest.mark.parametrize("is_same", [True, False])
@pytest.mark.parametrize("kind", ["overpayment", "prepayment"])
def test_what_was_paid_in_advance_may_be_the_payment_that_caspen_has_put_on_the_invoice(
    synced: Clinic, kind: str, is_same: bool
) -> None:
    bookkeeper = Bookkeeper(synced.sandbox.url)
    credit = getattr(bookkeeper, f"receives_{kind}")("INV-0001", "60.00")
    allocation = bookkeeper.allocates(kind, credit, "INV-0001", "55.00")
    synced.takes(payment(1, "INV-0001", "55.00"))
    done = sync(synced)
    assert (told(synced), sent(synced)) == ([], [])
    assert [row["fix"] for row in done["pull"]["held"]] == [synced.problem()["fix"]]
    the_same, another = synced.answers()
    assert synced.run(the_same if is_same else another).exit_code == 0
    assert sync(synced)["pull"]["payments"] == (0 if is_same else 1)
    assert [record["id"] for record in told(synced)] == ([] if is_same else [allocation])
    assert len(sent(synced)) == (0 if is_same else 1)
    nothing_is_left(synced)


# --- whatever happens on both sides


AMOUNTS, DAYS = st.sampled_from(["5.00", "5.00", "7.00"]), st.sampled_from(["2026-11-03", "2026-11-04", "2026-11-06"])
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["caspen", "xero", "caspen", "xero", "removes"]), AMOUNTS, DAYS),
    st.tuples(st.sampled_from(["pull", "push", "takes_in"])),
)


class Life:
    """A clinic of one invoice, and by amount what ought to be: what Caspen waits to send, and what stands in Xero for nothing."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic, self.made = clinic, 0
        self.waiting: Counter[str] = Counter()
        self.there: dict[str, str] = {}  # what stands for none of Caspen's: its amount by its id
        self.told: set[str] = set()
        self.denied: set[str] = set()  # what a person has said of that it is none of those that wait
        self.entered: dict[str, str] = {}

    def caspen(self, amount: str, day: str) -> None:
        self.made += 1
        self.clinic.takes(payment(self.made, "INV-0001", amount, date=day))
        self.waiting[amount] += 1

    def xero(self, amount: str, day: str) -> None:
        self.there[in_xero.pays(self.clinic, "INV-0001", amount, day)] = amount

    def removes(self, amount: str, day: str) -> None:
        """Somebody deletes in Xero what Caspen has not heard of."""
        for xero_id in [id_ for id_, one in self.there.items() if one == amount and id_ not in self.told][:1]:
            in_xero.writes(self.clinic, "POST", f"Payments/{xero_id}", {"Status": "DELETED"})
            del self.there[xero_id]
            self.pull()
            self.clinic.push("INV-0001")  # no waiting for the next look
            self._sent()

    def takes_in(self) -> None:
        """Caspen's next export has what it was told, under its ids; a push links that."""
        for xero_id in self.told & self.there.keys():
            self.made += 1
            self.clinic.takes(payment(self.made, "INV-0001", self.there[xero_id], xero_id=xero_id))
            self.entered[xero_id] = self.there.pop(xero_id)
        self.push()

    def pull(self) -> None:
        before = self._told()
        pull(self.clinic)
        new = self._told() - before
        others = Counter(self.there[id_] for id_ in self.there.keys() & self.denied - before)
        waiting = Counter(self.there[id_] for id_ in self.there.keys() - self.denied - before)
        told_now = Counter(self.there[id_] for id_ in new)
        assert told_now == others + (waiting - self.waiting), "of n in Xero and m in Caspen n-m are told"
        self.told |= new

    def push(self) -> None:
        self.clinic.push()
        self._sent()

    def _sent(self) -> None:
        """Of n in Caspen and m in Xero n-m were sent, and the rest waits."""
        left = self._in_question()
        rows = [row for row in self.clinic.unsynced() if row["code"] == "payment-maybe-already-in-xero"]
        assert Counter(row["reason"].split()[3] for row in rows) == left
        self.waiting = left

    def _in_question(self) -> Counter[str]:
        return self.waiting & Counter(amount for id_, amount in self.there.items() if id_ not in self.denied)

    def a_person_decides(self, is_same: bool) -> bool:
        """The first of the questions is answered, by the command that is printed; whether there was one.

        That it is another one is said of what is asked about on the invoice, and of nothing else: what Caspen was told of is asked
        about once it is none of the others.
        """
        self.push()
        rows = [row for row in self.clinic.unsynced() if row["code"] == "payment-maybe-already-in-xero"]
        if not rows:
            return False
        command = commands_in(rows[0]["fix"])[0 if is_same else -1]
        assert self.clinic.run(command).exit_code in (0, 3), command
        if is_same:
            amount = self.there.pop(command.split()[-1])
            self.waiting[amount] -= 1
        else:
            for row in rows:
                named = {command.split()[-1] for command in commands_in(row["fix"])[:-1]}
                self.denied |= (named - self.told) or named
            self.waiting = self._in_question()
        return True

    def _told(self) -> set[str]:
        ids = [record["id"] for record in told(self.clinic)]
        assert len(ids) == len(set(ids)), "told twice"
        return set(ids)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENTS, min_size=2, max_size=6), st.lists(st.booleans(), min_size=8, max_size=8), st.booleans())
@example([(side, "5.00", "2026-11-03") for side in ("caspen", "xero") * 2], [True, False] * 4, True)
@example([(side, "5.00", "2026-11-03") for side in ("xero", "caspen", "xero")], [True] * 8, False)
@example([(side, "5.00", "2026-11-03") for side in ("caspen", "xero", "xero")], [False] * 8, False)
@example([(side, "5.00", "2026-11-03") for side in ("caspen", "xero", "xero")], [False] * 8, True)
@example([(side, "5.00", "2026-11-03") for side in ("caspen", "xero", "xero", "caspen")], [False, True] * 4, False)
@example([(side, "5.00", "2026-11-03") for side in ("xero", "xero", "caspen", "xero")], [False, False, True] * 3, False)
def test_whatever_happens_no_money_is_there_twice_and_after_a_persons_words_nothing_waits(
    sandbox: Sandbox,
    ready_home: Path,
    cli: Callable[..., Any],
    home: Path,
    events: list[tuple[str, ...]],
    words: list[bool],
    pulls_first: bool,
) -> None:
    clinic = begins_anew(Clinic(cli, sandbox, home), ready_home)
    clinic.takes(*CLINIC[:3])
    clinic.push()
    life = Life(clinic)
    for what, *how in events:
        getattr(life, what)(*how)
    for command in ("pull", "push") if pulls_first else ("push", "pull"):
        getattr(life, command)()
    for is_same in words:
        if not life.a_person_decides(is_same):
            break
        if pulls_first:
            life.pull()
    else:
        assert not life.a_person_decides(True)
    life.pull()
    assert +life.waiting == Counter()
    assert life.there.keys() == life.told & life.there.keys(), "what is not Caspen's was told"
    life.takes_in()
    nothing_is_left(clinic)
    links = clinic.sql("SELECT xero_id FROM links WHERE kind = 'payment'")
    living = {str(one["PaymentID"]) for one in in_xero.payments(clinic)}
    assert Counter(row["xero_id"] for row in links) == Counter(living), (
        "each in Xero stands for one in Caspen, and for one only"
    )
