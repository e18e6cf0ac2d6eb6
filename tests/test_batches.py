"""Payments of a batch: by whichever id Xero shows them, each is told to Caspen once, none for another, none taken for deleted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import killed_at, told
from clinics import EFTPOS, Record, client, invoice, line
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pulling import payment, pull
from pushing import Clinic, begins_anew, commands_in

from caspen_xero.sandbox.money import payments
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.pulling.named import Named

DAY = "2026-11-20"
Part = tuple[str, str]
WAYS = ["batch", "invoice", "lists", "own"]


def numbers(many: int) -> list[str]:
    return [f"INV-{nth:04d}" for nth in range(1, many + 1)]


def of_220(clinic: Clinic, many: int) -> None:
    """Invoices of 220.00 each are in Xero, and a pull has seen them."""
    clinic.takes(client("1048237"), EFTPOS, *(invoice(number, [line("200.00")]) for number in numbers(many)))
    assert clinic.push().json["synced"] == many
    assert pull(clinic)["payments"] == 0
    clinic.forget_calls()


@pytest.fixture(params=WAYS)
def any_way(ready: Clinic, request: pytest.FixtureRequest) -> Clinic:
    """Four invoices in a Xero that does either."""
    ready.control("settings", batch_member_id=request.param)
    of_220(ready, 4)
    return ready


@pytest.fixture(params=["batch", "lists"])
def four(ready: Clinic, request: pytest.FixtureRequest) -> Clinic:
    """Four invoices in a Xero whose lists show the own ids of members, or the batch's in their place."""
    ready.control("settings", batch_member_id=request.param)
    of_220(ready, 4)
    return ready


def deposit(clinic: Clinic, *parts: Part, reconciled: bool = False, reference: str = "HICAPS") -> tuple[str, list[str]]:
    """One amount in the bank for parts of invoices: the id of the batch, and those of its members in their order."""
    by_number = clinic.in_xero()
    members = [{"Invoice": {"InvoiceID": by_number[n]["InvoiceID"]}, "Amount": amount} for n, amount in parts]
    wish = {"Account": {"Code": "090"}, "Date": DAY, "Reference": reference, "Payments": members}
    (batch,) = in_xero.writes(clinic, "PUT", "BatchPayments", {"BatchPayments": [wish]})["BatchPayments"]
    members_ids = [str(member["PaymentID"]) for member in batch["Payments"]]
    if reconciled:
        clinic.control(f"payments/{members_ids[0]}/reconcile")
    return str(batch["BatchPaymentID"]), members_ids


def is_deleted(clinic: Clinic, batch_id: str) -> None:
    in_xero.writes(clinic, "POST", f"BatchPayments/{batch_id}", {"Status": "DELETED"})


def told_of(clinic: Clinic) -> dict[str, Part]:
    """Number and amount of what was told, by id; no id is there twice."""
    records = told(clinic)
    assert len({record["id"] for record in records}) == len(records), "told twice"
    return {record["id"]: (record["invoice_number"], record["amount"]) for record in records}


def drift(clinic: Clinic) -> list[tuple[str, str]]:
    return [(row["number"], row["code"]) for row in clinic.cli("drift", "--json").json["drift"]]


def nothing_is_to_do(clinic: Clinic) -> None:
    """Neither way anything more is sent, told, missed or wrong."""
    before = told(clinic)
    clinic.forget_calls()
    assert pull(clinic)["payments"] == 0
    assert pull(clinic, "--full")["payments"] == 0
    assert clinic.push().exit_code == 0
    assert clinic.writes() == []
    assert told(clinic) == before
    assert clinic.unsynced() == []


def names(record: Record, xero_id: str, **more: Any) -> Record:
    """The payment, as an export says that it came from Xero."""
    return {**record, "xero_id": xero_id, "date": DAY, "updated_at": f"{DAY}T01:00:00Z", **more}


# --- what arrives


@pytest.mark.parametrize(
    ("reconciled", "who_says_so"), [(False, "batch-only"), (True, "batch-only"), (True, "members-too")]
)
@pytest.mark.parametrize("many", [1, 2])
def test_members_of_a_batch_arrive_once_each_under_their_own_ids(
    any_way: Clinic, many: int, reconciled: bool, who_says_so: str
) -> None:
    any_way.control("settings", batch_reconciled=who_says_so)
    parts = [(number, "50.00") for number in numbers(many)]
    _, ids = deposit(any_way, *parts, reconciled=reconciled)
    assert pull(any_way, "--dry-run")["payments"] == many
    assert pull(any_way)["payments"] == many
    assert told_of(any_way) == dict(zip(ids, parts, strict=True))
    shape = {(record["kind"], record["reconciled"], record["reference"]) for record in told(any_way)}
    assert shape == {("batch_payment", reconciled, "HICAPS")}
    nothing_is_to_do(any_way)


@pytest.mark.parametrize("way", WAYS)
def test_a_deposit_over_45_invoices_arrives_and_its_deletion_is_seen_on_each(ready: Clinic, way: str) -> None:
    ready.control("settings", batch_member_id=way)
    of_220(ready, 45)
    batch_id, ids = deposit(ready, *((number, "50.00") for number in numbers(45)), reconciled=False)
    assert pull(ready)["payments"] == 45
    assert set(told_of(ready)) == set(ids)
    nothing_is_to_do(ready)
    assert drift(ready) == []
    is_deleted(ready, batch_id)
    assert pull(ready)["payments"] == 0
    assert drift(ready) == [(number, "payment-gone-in-xero") for number in numbers(45)]


def test_several_deposits_whose_payments_say_nothing_of_the_bank_are_read_in_one_call(
    four: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "_short_batch", lambda ledger, batch_id: {"BatchPaymentID": batch_id})
    batches = [deposit(four, (number, "50.00"), reconciled=number == "INV-0004") for number in numbers(4)]
    is_deleted(four, batches[0][0])
    four.forget_calls()
    assert pull(four)["payments"] == 3
    assert sorted(record["reconciled"] for record in told(four)) == [False, False, True]
    assert [call for call in four.calls() if call.startswith("GET BatchPayments")] == ["GET BatchPayments"]
    nothing_is_to_do(four)


def test_what_is_gone_is_no_more_than_what_was_deleted(any_way: Clinic) -> None:
    gone, _ = deposit(any_way, ("INV-0001", "50.00"), ("INV-0002", "50.00"))
    deposit(any_way, ("INV-0001", "50.00"), ("INV-0003", "50.00"))
    assert pull(any_way)["payments"] == 4
    is_deleted(any_way, gone)
    for _ in range(2):
        assert pull(any_way, "--full")["payments"] == 0
        assert drift(any_way) == [(number, "payment-gone-in-xero") for number in ("INV-0001", "INV-0002")]


def test_two_members_on_one_invoice_stay_two(any_way: Clinic) -> None:
    parts = [("INV-0001", "50.00"), ("INV-0001", "50.00"), ("INV-0001", "20.00")]
    _, ids = deposit(any_way, *parts)
    assert pull(any_way)["payments"] == 3
    assert told_of(any_way) == dict(zip(ids, parts, strict=True))
    nothing_is_to_do(any_way)
    assert drift(any_way) == []


def test_a_pull_of_a_batch_takes_two_calls_where_lists_show_both_ids_and_the_next_takes_one(ready: Clinic) -> None:
    of_220(ready, 4)
    deposit(ready, *((number, "50.00") for number in numbers(4)), reconciled=True)
    assert pull(ready)["api_calls"] == 2
    assert pull(ready)["api_calls"] == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_pull_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(four: Clinic, moment: str) -> None:
    wanted: dict[str, Part] = {}
    for call in (1, 2, 3):
        parts = [(number, f"{call}.00") for number in numbers(3)]
        _, ids = deposit(four, *parts)
        wanted |= dict(zip(ids, parts, strict=True))
        with killed_at(four, call, moment, "pull"):
            pass
        pull(four)
        assert told_of(four) == wanted
    nothing_is_to_do(four)


# --- what Caspen says of it


@pytest.mark.parametrize("order", ["pull first", "push first", "sync"])
@pytest.mark.parametrize("claims", ["batch", "own", "both"])
def test_what_an_export_names_by_either_id_is_neither_told_nor_sent(four: Clinic, claims: str, order: str) -> None:
    parts = [("INV-0001", "50.00"), ("INV-0002", "30.00"), ("INV-0002", "30.00"), ("INV-0003", "20.00")]
    batch_id, ids = deposit(four, *parts)
    named = {"batch": [batch_id] * 3, "own": ids[:3], "both": [batch_id, ids[1], batch_id]}[claims]
    four.takes(*(names(payment(n, *parts[n]), id_) for n, id_ in enumerate(named)))
    if order == "sync":
        synced = four.cli("sync", "--json")
        assert synced.exit_code == 0, synced.stdout + synced.stderr
    if order == "push first":
        assert four.push().exit_code == 0
    assert pull(four)["payments"] == (0 if order == "sync" else 1)
    assert four.push().exit_code == 0
    assert told_of(four) == {ids[3]: parts[3]}
    nothing_is_to_do(four)
    assert drift(four) == []
    assert len(in_xero.payments(four)) == 4


def test_one_payment_in_caspen_may_stand_for_a_whole_batch(any_way: Clinic) -> None:
    parts = [(number, "50.00") for number in numbers(3)]
    batch_id, ids = deposit(any_way, *parts, ("INV-0004", "10.00"))
    whole = payment(1, "INV-0001", "150.00")
    whole["allocations"] = [
        {"id": f"all_{n}", "invoice_id": f"inv_{number}", "amount": amount, "date": DAY}
        for n, (number, amount) in enumerate(parts)
    ]
    any_way.takes(names(whole, batch_id))
    assert pull(any_way)["payments"] == 1
    assert any_way.push().exit_code == 0
    assert told_of(any_way) == {ids[3]: ("INV-0004", "10.00")}
    nothing_is_to_do(any_way)


def test_of_two_equal_members_the_one_that_is_not_named_arrives_and_stays_the_only_one(any_way: Clinic) -> None:
    batch_id, ids = deposit(any_way, ("INV-0001", "50.00"), ("INV-0001", "50.00"))
    any_way.takes(names(payment(1, "INV-0001", "50.00"), batch_id))
    assert pull(any_way)["payments"] == 1
    ((arrived, _),) = told_of(any_way).items()
    assert arrived in ids
    for _ in range(2):
        assert pull(any_way, "--full")["payments"] == 0
    assert any_way.push().exit_code == 0
    any_way.takes(names(payment(2, "INV-0001", "50.00"), arrived))
    nothing_is_to_do(any_way)
    assert drift(any_way) == []


def test_a_claim_of_another_amount_holds_what_it_may_mean_until_it_is_right(four: Clinic) -> None:
    batch_id, ids = deposit(four, ("INV-0001", "60.00"), ("INV-0002", "40.00"))
    four.takes(names(payment(1, "INV-0001", "100.00"), batch_id))
    pulled = four.cli("pull", "--json").json
    assert (pulled["payments"], {held["id"] for held in pulled["held"]}) == (0, set(ids))  # news is what may be told
    assert told(four) == []
    assert four.push().exit_code == 3
    problem = four.problem()
    assert problem["code"] == "payment-xero-id-wrong"
    assert "of that batch there is 60.00 on this invoice" in problem["reason"]
    four.forget_calls()
    assert four.push().exit_code == 3
    assert four.calls() == []
    four.takes(names(payment(1, "INV-0001", "60.00"), batch_id, updated_at=f"{DAY}T02:00:00Z"))
    assert four.push().exit_code == 0
    assert [(row["code"], row["sync_status"]) for row in four.unsynced()] == [("not-in-caspen-yet", "pending")]
    pull(four)
    assert told_of(four) == {ids[1]: ("INV-0002", "40.00")}
    nothing_is_to_do(four)


def test_a_claim_on_an_invoice_that_its_batch_does_not_pay_counts_for_nothing(four: Clinic) -> None:
    batch_id, _ = deposit(four, ("INV-0001", "60.00"))
    four.takes(names(payment(1, "INV-0002", "60.00"), batch_id))
    assert four.push().exit_code == 3
    assert "there it is a batch payment that pays nothing on this invoice" in four.problem("INV-0002")["reason"]
    assert len(in_xero.payments(four)) == 1


def test_more_claims_than_members_are_the_problem(four: Clinic) -> None:
    batch_id, ids = deposit(four, ("INV-0001", "60.00"), ("INV-0002", "60.00"))
    assert pull(four)["payments"] == 2
    four.takes(*(names(payment(n, "INV-0001", "60.00"), batch_id) for n in (1, 2)))
    assert four.push().exit_code == 3
    problem = four.problem()
    assert problem["code"] == "payment-xero-id-wrong"
    assert "all of that batch stands for other payments of Caspen's" in problem["reason"]
    assert len(in_xero.payments(four)) == 2
    assert set(told_of(four)) == set(ids)


# --- links by hand, and taking back


@pytest.mark.parametrize("by", ["batch", "own"])
def test_a_person_may_link_a_member_by_either_id(any_way: Clinic, by: str) -> None:
    batch_id, ids = deposit(any_way, ("INV-0001", "50.00"), ("INV-0001", "30.00"), ("INV-0002", "20.00"))
    any_way.takes(payment(1, "INV-0001", "30.00", date=DAY), payment(2, "INV-0001", "50.00", date=DAY))
    asked = [batch_id, batch_id] if by == "batch" else [ids[1], ids[0]]
    for xero_id in asked:
        linked = any_way.cli("invoices", "link", "INV-0001", xero_id)
        assert linked.exit_code == 0, linked.stderr
    again = any_way.cli("invoices", "link", "INV-0001", asked[0])
    assert (again.exit_code, "already stands for" in again.stderr) == (1, True)
    assert any_way.push().exit_code == 0
    assert pull(any_way)["payments"] == 1
    assert told_of(any_way) == {ids[2]: ("INV-0002", "20.00")}
    nothing_is_to_do(any_way)
    assert drift(any_way) == []


def test_a_batch_that_does_not_pay_the_invoice_is_not_linked(four: Clinic) -> None:
    batch_id, _ = deposit(four, ("INV-0001", "50.00"))
    four.takes(payment(1, "INV-0002", "50.00", date=DAY))
    refused = four.cli("invoices", "link", "INV-0002", batch_id)
    assert refused.exit_code == 1
    assert "That batch payment in Xero pays nothing on this invoice." in refused.stderr


@pytest.mark.parametrize("reference", ["HICAPS", "EFTPOS pay_1/all_1"])
@pytest.mark.parametrize("reconciled", [False, True])
def test_a_member_is_never_deleted_by_us_and_the_reason_is_said_once(
    four: Clinic, reference: str, reconciled: bool
) -> None:
    batch_id, _ = deposit(four, ("INV-0001", "50.00"), ("INV-0002", "20.00"), reference=reference)
    ours = payment(1, "INV-0001", "50.00", date=DAY)
    four.takes(ours if "pay_1" in reference else names(ours, batch_id))
    assert four.push().exit_code == 0
    if reconciled:
        (first, _) = in_xero.payments(four)
        four.control(f"payments/{first['PaymentID']}/reconcile")
    four.takes({**ours, "status": "void", "updated_at": "2026-11-21T00:00:00Z"})
    four.forget_calls()
    for _ in range(2):
        assert four.push().exit_code == 3
        problem = four.problem()
        assert problem["code"] == "payment-not-ours"
        assert "is part of a batch payment, which can only be deleted there, and as a whole" in problem["reason"]
        assert four.writes() == []
    four.forget_calls()
    four.push()
    assert four.calls() == []
    assert len(in_xero.payments(four)) == 2


def test_a_member_that_a_push_looks_at_by_itself_is_not_taken_for_deleted(any_way: Clinic) -> None:
    batch_id, _ = deposit(any_way, ("INV-0001", "50.00"))
    any_way.takes(names(payment(1, "INV-0001", "50.00"), batch_id))
    assert any_way.push().exit_code == 0
    any_way.takes(payment(2, "INV-0001", "10.00"))
    assert any_way.push("--pay-anyway", "INV-0001").json["payments"] == 1
    assert any_way.unsynced() == []
    assert len(any_way.sql("SELECT 1 FROM links WHERE kind = 'payment' AND status IS NOT 'DELETED'")) == 2
    nothing_is_to_do(any_way)


@pytest.mark.parametrize("by", ["batch", "own"])
def test_a_member_that_no_id_finds_is_looked_for_in_the_list(four: Clinic, by: str) -> None:
    batch_id, ids = deposit(four, ("INV-0001", "50.00"), ("INV-0002", "30.00"))
    four.control("faults", kind="html", status=404, path="/Payments/[0-9a-f]{8}-", method="GET", count=None)
    four.takes(payment(1, "INV-0001", "50.00", date=DAY))
    linked = four.cli("invoices", "link", "INV-0001", batch_id if by == "batch" else ids[0])
    assert linked.exit_code == 0, linked.stderr
    assert four.push().exit_code == 0
    assert pull(four)["payments"] == 1
    four.takes(payment(1, "INV-0001", "50.00", status="void", updated_at="2026-11-21T00:00:00Z"))
    assert four.push().exit_code == 3
    assert "is part of a batch payment" in four.problem()["reason"]
    assert four.faults()[0]["struck"] > 0
    assert len(in_xero.payments(four)) == 2


def test_deposits_of_one_payment_each_take_no_call_for_each(ready: Clinic) -> None:
    ready.control("settings", batch_member_id="lists", batch_reconciled="members-too")
    of_220(ready, 30)
    wanted = [deposit(ready, (number, "50.00"))[1][0] for number in numbers(30)]
    assert pull(ready)["api_calls"] <= 8
    assert set(told_of(ready)) == set(wanted)
    nothing_is_to_do(ready)


def test_members_whose_own_ids_no_list_tells_are_told_once_it_does(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.control("settings", batch_member_id="lists")
    of_220(ready, 3)
    parts = [("INV-0001", "50.00"), ("INV-0001", "50.00"), ("INV-0002", "30.00")]
    _, ids = deposit(ready, *parts)
    in_xero.pays(ready, "INV-0003", "1.00")
    with monkeypatch.context() as patched:
        patched.setattr("caspen_xero.sync.sending.own_ids.payments_on", lambda client, ids: {})
        for _ in range(2):
            pull(ready)
            assert list(told_of(ready).values()) == [("INV-0003", "1.00")]
            assert drift(ready) == [("INV-0001", "paid-in-xero-only"), ("INV-0002", "paid-in-xero-only")]
    assert pull(ready)["payments"] == 3
    assert {id_: part for id_, part in told_of(ready).items() if id_ in ids} == dict(zip(ids, parts, strict=True))
    nothing_is_to_do(ready)
    assert drift(ready) == []


# --- stores of earlier versions


def as_before(clinic: Clinic, batch_id: str, told_as: list[str], *, delivered: bool = True) -> None:
    """The store as an earlier version left it that was shown the batch's id: of all its members it could record only one."""
    kept, *rest = told_as
    for xero_id in rest:
        clinic.sql("DELETE FROM xero_payments WHERE xero_id = ?", xero_id)
    clinic.sql(
        "UPDATE xero_payments SET xero_id = ?, record = json_set(record, '$.id', ?) WHERE xero_id = ?",
        *(batch_id, batch_id, kept),
    )
    if not delivered:
        clinic.sql("UPDATE xero_payments SET delivered_at = NULL")
    for table in ("batch_members", "seen_invoices"):
        clinic.sql(f"DELETE FROM {table}")
    file = clinic.home.parent / "caspen-updates.jsonl"
    file.write_text(json.dumps({**told(clinic)[0], "id": batch_id}) + "\n" if delivered else "")


@pytest.mark.parametrize("delivered", [True, False])
def test_what_was_told_under_the_batchs_id_is_not_told_again_and_the_rest_is(four: Clinic, delivered: bool) -> None:
    parts = [("INV-0001", "50.00"), ("INV-0001", "50.00"), ("INV-0002", "30.00")]
    batch_id, ids = deposit(four, *parts)
    assert pull(four)["payments"] == 3
    as_before(four, batch_id, [record["id"] for record in told(four)], delivered=delivered)
    pull(four, "--full")
    arrived = told_of(four)
    assert Counter(arrived.values()) == Counter(parts)
    assert batch_id in arrived
    assert len(arrived.keys() & set(ids)) == 2
    four.takes(names(payment(1, *arrived[batch_id]), batch_id))
    assert four.push().exit_code == 0
    nothing_is_to_do(four)
    assert drift(four) == []


def test_a_link_under_the_batchs_id_stands_for_its_member(any_way: Clinic) -> None:
    batch_id, ids = deposit(any_way, ("INV-0001", "50.00"), ("INV-0002", "30.00"))
    any_way.takes(payment(1, "INV-0001", "50.00", date=DAY))
    assert any_way.cli("invoices", "link", "INV-0001", ids[0]).exit_code == 0
    any_way.sql("UPDATE links SET xero_id = ? WHERE kind = 'payment'", batch_id)
    any_way.sql("DELETE FROM batch_members")
    assert any_way.push("--dry-run").exit_code == 0
    assert pull(any_way, "--full", "--dry-run")["payments"] == 1
    assert pull(any_way, "--full")["payments"] == 1
    assert told_of(any_way) == {ids[1]: ("INV-0002", "30.00")}
    assert [row["xero_id"] for row in any_way.sql("SELECT xero_id FROM links WHERE kind = 'payment'")] == [ids[0]]
    nothing_is_to_do(any_way)
    assert drift(any_way) == []


def test_a_link_under_the_batchs_id_that_a_push_looks_at_is_not_taken_for_deleted(any_way: Clinic) -> None:
    batch_id, ids = deposit(any_way, ("INV-0001", "50.00"), ("INV-0002", "30.00"))
    any_way.takes(payment(1, "INV-0001", "50.00", date=DAY))
    assert any_way.cli("invoices", "link", "INV-0001", ids[0]).exit_code == 0
    any_way.sql("UPDATE links SET xero_id = ? WHERE kind = 'payment'", batch_id)
    any_way.sql("DELETE FROM batch_members")
    any_way.takes(payment(2, "INV-0001", "10.00", date=DAY))
    for _ in range(2):
        assert any_way.push("--dry-run").json["unsynced"] == 0
    assert any_way.push().json["payments"] == 1
    assert len(in_xero.payments(any_way)) == 3
    assert any_way.unsynced() == []


# --- a proof for what no example shows


@st.composite
def days(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """What happens, in order: money comes alone or in a batch, goes again, Caspen enters it by some id, Xero shows it otherwise."""
    part = st.tuples(st.sampled_from(numbers(3)), st.sampled_from(["5.00", "7.00"]))
    event = st.one_of(
        st.tuples(st.just("batch"), st.lists(part, min_size=1, max_size=4)),
        st.tuples(st.just("single"), part),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("enter"), st.tuples(st.integers(0, 9), st.sampled_from(["own", "batch"]))),
        st.tuples(st.just("way"), st.sampled_from(["own", "invoice", "batch", "lists"])),
        st.tuples(st.just("run"), st.sampled_from(["pull", "pull --full", "push"])),
    )
    return draw(st.lists(event, min_size=3, max_size=12))


class Life:
    """A clinic and what ought to be: each money in Xero stands in Caspen by one payment or was told once."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.batches: dict[str, list[tuple[str, Part]]] = {}
        self.singles: dict[str, Part] = {}
        self.entered: dict[str, Part] = {}
        self.gone: set[str] = set()

    def do(self, what: str, how: Any) -> None:
        getattr(self, f"_{what}")(how)

    def _batch(self, parts: list[Part]) -> None:
        batch_id, ids = deposit(self.clinic, *parts)
        self.batches[batch_id] = list(zip(ids, parts, strict=True))

    def _single(self, part: Part) -> None:
        self.singles[in_xero.pays(self.clinic, *part, day=DAY)] = part

    def _delete(self, nth: int) -> None:
        untouched = {
            id_: parts for id_, parts in self.batches.items() if not any(one in self.entered for one, _ in parts)
        }
        untouched = {id_: parts for id_, parts in untouched.items() if id_ not in self.gone}
        if untouched:
            batch_id = list(untouched)[nth % len(untouched)]
            self.gone.add(batch_id)
            is_deleted(self.clinic, batch_id)
            self._run("pull")  # nobody enters what is gone

    def _enter(self, how: tuple[int, str]) -> None:
        """Caspen enters a payment that is in Xero and that it was not told of: by its own id, or by its batch's."""
        nth, by = how
        known = {record["id"] for record in told(self.clinic)} | self.entered.keys()
        living = {one["PaymentID"] for one in in_xero.payments(self.clinic)}
        free = [
            (batch_id, own_id, part)
            for batch_id, members in self.batches.items()
            for own_id, part in members
            if own_id not in known and own_id in living
        ]
        if free:
            batch_id, own_id, part = free[nth % len(free)]
            twins = [one for one in free if one[0] == batch_id and one[2] == part]
            mixed = [one for one, its in self.batches[batch_id] if its == part and one in known]
            if by == "batch" and mixed:
                return  # which of the twins it stands for, nobody could say
            for number, one in enumerate(twins if by == "batch" else [(batch_id, own_id, part)]):
                self.entered[one[1]] = part
                record = payment(len(self.entered) + number * 1000, *part)
                self.clinic.takes(names(record, batch_id if by == "batch" else own_id))

    def _way(self, way: str) -> None:
        self.clinic.control("settings", batch_member_id=way)

    def _run(self, command: str) -> None:
        result = self.clinic.cli(*command.split(), "--json")
        in_order = self.clinic.cli("status", "--json").json["in_order"]
        assert result.exit_code == (0 if in_order else 3), result.stdout + result.stderr

    def _a_person_says_that_it_is_another(self) -> bool:
        """What may be what Caspen was told of, and is gone since, is held; whether there was any."""
        rows = [row for row in self.clinic.unsynced() if row["code"] == "payment-maybe-already-in-xero"]
        if not rows:
            return False
        living = {one["PaymentID"] for one in in_xero.payments(self.clinic)}
        gone = [part for id_, part in told_of(self.clinic).items() if id_ not in living]
        assert rows[0]["number"] in {number for number, _ in gone}, "held, though nothing that was told is gone"
        command = commands_in(rows[0]["fix"])[-1]
        assert self.clinic.run(command).exit_code in (0, 3), command
        return True

    def holds(self) -> None:
        """At the end all that ever stood in Xero is either told once, or entered, and nothing was sent."""
        self._run("pull")
        self._run("push")
        self._run("pull --full")
        while self._a_person_says_that_it_is_another():
            self._run("pull")
        arrived = told_of(self.clinic)
        in_batches = {id_: part for parts in self.batches.values() for id_, part in parts}
        everything = self.singles | in_batches
        living = {one["PaymentID"] for one in in_xero.payments(self.clinic)}
        assert living <= everything.keys(), "we sent something"
        assert not arrived.keys() & self.entered.keys(), "told though Caspen has it"
        assert living <= arrived.keys() | self.entered.keys(), "neither told nor entered"
        assert {id_: everything[id_] for id_ in arrived} == arrived
        assert not [code for _, code in drift(self.clinic) if code != "payment-gone-in-xero"]
        gone = {id_ for id_ in arrived if id_ not in living}
        subjects = {row["discrepancies"] for row in self.clinic.sql("SELECT discrepancies FROM seen_invoices")}
        missed = {
            one["subject"] for text in subjects for one in json.loads(text) if one["code"] == "payment-gone-in-xero"
        }
        assert missed == gone
        assert {row["code"] for row in self.clinic.unsynced()} == ({"payment-removed-in-xero"} if gone else set())


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(days())
@example([("batch", [("INV-0001", "5.00")])] * 2 + [("delete", 0), ("batch", [("INV-0001", "5.00")]), ("delete", 0)])
def test_whatever_happens_each_money_is_known_once(
    sandbox: Sandbox, ready_home: Path, cli: Callable[..., Any], home: Path, day: list[tuple[str, Any]]
) -> None:
    clinic = begins_anew(Clinic(cli, sandbox, home), ready_home)
    of_220(clinic, 3)
    life = Life(clinic)
    for what, how in day:
        life.do(what, how)
    life.holds()


def test_what_names_a_batch_stands_for_as_many_members_as_it_has_parts(ready: Clinic) -> None:
    of_220(ready, 2)
    batch_id, ids = deposit(ready, ("INV-0001", "50.00"), ("INV-0001", "50.00"), ("INV-0002", "50.00"))
    pull(ready)
    ready.takes(names(payment(1, "INV-0001", "50.00"), batch_id))
    with closing(Store(ready.store_file)) as store:
        named = Named(Mappings(store, ready.tenant_id), ids)
        on = ("inv_INV-0001", "inv_INV-0001", "inv_INV-0002")
        had = [named.has(id_, invoice_id, Decimal("50.00")) for id_, invoice_id in zip(ids, on, strict=True)]
        assert Counter(had[:2]) == {True: 1, False: 1}
        assert had[2] is False
        assert [named.disputed_by(id_) for id_ in ids] == [[], [], []]
