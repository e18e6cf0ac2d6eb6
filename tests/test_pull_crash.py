"""Exactly once: a pull may be killed, cut off or unable to deliver at any moment, and the next one brings all to its end."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from bookkeeping import Bookkeeper, RandomDay, as_arrived, killed_at, killed_before, told, told_once
from pulling import NUMBERS, payment, pull
from pushing import Clinic
from running import another_run


def test_what_could_not_be_delivered_waits_for_the_next_pull(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.pays("INV-0001", "5.00")
    in_the_way = synced.home.parent / "caspen-updates.jsonl"
    in_the_way.mkdir()
    stuck = synced.cli("pull", "--json")
    assert (stuck.exit_code, stuck.json["stopped"]["code"]) == (1, "updates-not-writable")
    assert [row["code"] for row in synced.cli("drift", "--json").json["drift"]] == ["not-in-caspen-yet"]
    in_the_way.rmdir()
    assert pull(synced)["payments"] == 1
    assert told_once(told(synced)) == bookkeeper.made
    assert pull(synced)["payments"] == 0


def test_xero_gone_in_the_middle_exits_6_and_the_next_pull_brings_all(
    synced: Clinic, bookkeeper: Bookkeeper, waits: list[float]
) -> None:
    bookkeeper.pays("INV-0001", "5.00")
    synced.control("faults", kind="503", path="/api.xro/2.0/Payments", count=None)
    stopped = synced.cli("pull", "--json")
    assert (stopped.exit_code, stopped.json["stopped"]["code"], stopped.json["payments"]) == (6, "xero-no-answer", 0)
    synced.all_is_well_in_xero()
    assert pull(synced)["payments"] == 1
    assert told_once(told(synced)) == bookkeeper.made


def a_busy_day(bookkeeper: Bookkeeper) -> None:
    bookkeeper.pays("INV-0001", "5.00")
    bookkeeper.pays_together({"INV-0001": "6.00", "INV-0002": "7.00"})
    over = bookkeeper.receives_overpayment("INV-0003", "40.00")
    bookkeeper.allocates("overpayment", over, "INV-0003", "15.00")
    note = bookkeeper.issues_credit_note("INV-0004", "11.00")
    bookkeeper.allocates("credit_note", note, "INV-0004", "11.00")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_pull_killed_at_any_call_loses_and_doubles_nothing(
    synced: Clinic, bookkeeper: Bookkeeper, moment: str
) -> None:
    killed = 0
    for call in (1, 2, 3, 4, 5):
        a_busy_day(bookkeeper)
        with killed_at(synced, call, moment, "pull") as was_killed:
            killed += was_killed()
        pull(synced)
        assert told_once(told(synced)) == bookkeeper.made, f"killed {moment} call {call}"
    assert killed >= 4  # the invoices, the payments, an overpayment and a credit note


@pytest.mark.parametrize(
    "function",
    [
        "caspen_xero.store.xero_payments.record",
        "caspen_xero.store.seen_invoices.keep_seen",
        "caspen_xero.sync.pulling.deliver.append_updates",
        "caspen_xero.store.xero_payments.mark_delivered",
    ],
)
def test_a_pull_killed_between_its_steps_loses_and_doubles_nothing(
    synced: Clinic, bookkeeper: Bookkeeper, function: str
) -> None:
    a_busy_day(bookkeeper)
    assert killed_before(synced, function) == -9
    pull(synced)
    pull(synced)
    assert told_once(told(synced)) == bookkeeper.made


@pytest.mark.parametrize("seed", range(3))
def test_random_days_of_a_bookkeeper_arrive_exactly_once_whatever_is_killed(
    synced: Clinic, bookkeeper: Bookkeeper, seed: int
) -> None:
    random = Random(seed)
    day = RandomDay(bookkeeper, NUMBERS, random)
    ever: dict[str, Any] = {}
    for nth in range(1, 7):
        for _ in range(random.randint(1, 6)):
            day.do()
        if random.random() < 0.3:
            number = random.choice(NUMBERS)
            due = Decimal(synced.in_xero()[number]["AmountDue"])
            if due > 3:
                synced.takes(payment(nth, number, "3.00"))
                synced.push()
        if random.random() < 0.5:
            with killed_at(synced, random.randint(1, 4), random.choice(("before", "after")), "pull"):
                pass
        ever |= {record["id"]: as_arrived(record) for record in told(synced)}
        pull(synced)
        ever |= bookkeeper.made
        assert told_once(told(synced)) == ever
    ours = {
        json.loads(row["expected"])["reference"]
        for row in synced.sql("SELECT expected FROM journal_documents WHERE operation = 'create-payment'")
    }
    assert not ours & {record["reference"] for record in told(synced)}


def test_a_second_run_at_the_same_time_is_refused(synced: Clinic) -> None:
    with another_run(synced):
        refused = synced.cli("pull", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (7, "another-run")
