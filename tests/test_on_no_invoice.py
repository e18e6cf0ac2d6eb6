"""What a client has paid in Caspen that is on no invoice there may be what Xero shows on one: nobody is told of it unasked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, told
from clinics import CASH, TAX_RATES, client, invoice, line, payment
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pulling import CLINIC
from pushing import Clinic, begins_anew, commands_in

from caspen_xero.sandbox.server import Sandbox

DOUBT = "payment-maybe-already-in-xero"


class Desk:
    """The clinic's desk: what it has entered in Caspen, which every export says whole."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic, self.export = clinic, clinic.home.parent / "export.jsonl"
        self.records: dict[str, dict[str, Any]] = {}
        self.changes = 0
        self.says(*TAX_RATES, *CLINIC, CASH)
        clinic.cli("settings", "set", "--source", self.export)

    def says(self, *records: Any) -> None:
        """What is entered or changed, in the export from now on."""
        for record in records:
            self.changes += 1
            self.records[record["id"]] = {**record, "updated_at": f"2026-12-01T00:00:{self.changes:02d}Z"}
        text = "".join(json.dumps(record) + "\n" for record in self.records.values())
        self.export.write_text(text)

    def puts(self, amount: str, number: str, id_: str = "pay_1") -> None:
        """Money that was on no invoice is put on one."""
        self.says(payment(amount, (f"inv_{number}", amount), id_=id_))

    def takes_in(self, xero_id: str) -> None:
        """What Caspen was told of."""
        record = next(one for one in told(self.clinic) if one["id"] == xero_id)
        part = (record["invoice_id"], record["amount"])
        self.says(payment(record["amount"], part, id_=f"pay_of_{xero_id}", xero_id=xero_id, date=record["date"]))


@pytest.fixture
def desk(ready: Clinic) -> Desk:
    """Four invoices of 220.00 of one client are in Xero."""
    desk = Desk(ready)
    assert ready.cli("sync", "--json").json["push"]["synced"] == 4
    return desk


def doubts(clinic: Clinic) -> dict[str, dict[str, Any]]:
    """What a sync holds, by Xero's id; `payments list` says it in the same words, and `unsynced` has its invoice."""
    held = {row["id"]: row for row in clinic.cli("sync", "--json").json["pull"].get("held", [])}
    rows = [row for row in clinic.cli("payments", "list", "--json").json["payments"] if row["status"] == "held"]
    listed = {row["xero_id"]: row for row in rows if row["direction"] == "to_caspen"}
    assert {id_: (row["reason"], row["fix"]) for id_, row in listed.items()} == {
        id_: (row["message"], row["fix"]) for id_, row in held.items()
    }
    own = [row for row in clinic.unsynced() if row["code"] == DOUBT]
    assert {row["number"] for row in own} == {row["number"] for row in listed.values()}
    return held


def told_ids(clinic: Clinic) -> list[str]:
    return [record["id"] for record in told(clinic)]


def nothing_is_left(desk: Desk) -> None:
    """Once Caspen has taken in what it was told, nobody is asked anything, and nothing more is sent or told."""
    for id_ in told_ids(desk.clinic):
        desk.takes_in(id_)
    before = (in_xero.payments(desk.clinic), told(desk.clinic))
    for command in ("sync", "pull", "push", "sync"):
        assert desk.clinic.cli(command).exit_code == 0
    assert (in_xero.payments(desk.clinic), told(desk.clinic)) == before
    assert desk.clinic.unsynced() == []
    assert desk.clinic.cli("payments", "list", "--json").json["payments"] == []


@pytest.mark.parametrize("caspen_first", [True, False])
def test_that_it_is_the_same_is_shown_by_putting_it_on_the_invoice(desk: Desk, caspen_first: bool) -> None:
    if caspen_first:
        desk.says(payment("110.00"))
        assert doubts(desk.clinic) == {}
    theirs = in_xero.pays(desk.clinic, "INV-0001", "110.00", "2026-11-06")
    desk.says(payment("110.00"))
    (row,) = doubts(desk.clinic).values()
    assert (row["id"], row["code"]) == (theirs, DOUBT)
    assert row["message"] == (
        "it may be the same money as 110.00 of 2026-11-03 (EFTPOS pay_1), which is on no invoice in Caspen"
    )
    assert row["fix"] == (
        "If it is: put it on INV-0001 in Caspen, then: caspen-xero sync; if it is another one: caspen-xero push "
        "--pay-anyway INV-0001"
    )
    assert desk.clinic.problem()["reason"] == f"in Caspen: {row['message']}; in Xero: payment of 110.00 of 2026-11-06"
    assert desk.clinic.problem()["fix"] == row["fix"]
    assert told(desk.clinic) == []
    desk.puts("110.00", "INV-0001")
    desk.clinic.run(row["fix"])
    the_same, _ = desk.clinic.answers()
    assert the_same == f"caspen-xero invoices link INV-0001 {theirs}"
    assert desk.clinic.run(the_same).exit_code == 0
    nothing_is_left(desk)
    assert (told(desk.clinic), len(in_xero.payments(desk.clinic))) == ([], 1)


def test_that_it_is_another_one_is_said_once_wherever_that_money_is_put_later(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "110.00", "2026-11-06")
    desk.says(payment("110.00"))
    (row,) = doubts(desk.clinic).values()
    assert desk.clinic.run(row["fix"], -1).exit_code == 0
    assert doubts(desk.clinic) == {}
    assert told_ids(desk.clinic) == [theirs]
    desk.puts("110.00", "INV-0001")
    assert desk.clinic.cli("sync", "--json").json["push"]["payments"] == 1
    nothing_is_left(desk)
    assert len(in_xero.payments(desk.clinic)) == 2


def test_it_is_in_doubt_on_each_invoice_and_an_answer_is_for_that_one(desk: Desk) -> None:
    one, two, three = (in_xero.pays(desk.clinic, f"INV-000{nth}", "110.00") for nth in (1, 2, 3))
    desk.says(payment("110.00"))
    rows = doubts(desk.clinic)
    assert rows.keys() == {one, two, three}
    desk.clinic.run(rows[one]["fix"], -1)
    assert doubts(desk.clinic).keys() == {two, three}
    assert told_ids(desk.clinic) == [one]
    desk.puts("110.00", "INV-0002")
    desk.clinic.run(rows[two]["fix"])
    assert told_ids(desk.clinic) == [one, three]
    assert desk.clinic.run(desk.clinic.answers("INV-0002")[0]).exit_code == 0
    nothing_is_left(desk)
    assert len(in_xero.payments(desk.clinic)) == 3


def test_it_counts_and_ones_own_on_the_invoice_come_first(desk: Desk) -> None:
    theirs = [in_xero.pays(desk.clinic, "INV-0001", "50.00", f"2026-11-0{day}") for day in (3, 4, 5)]
    desk.says(payment("50.00", ("inv_INV-0001", "50.00")), payment("50.00", id_="pay_2"))
    rows = doubts(desk.clinic)
    assert told_ids(desk.clinic) == [theirs[2]]
    assert rows.keys() == set(theirs[:2])
    assert all("(EFTPOS pay_2)" not in row["message"] for row in rows.values())
    assert desk.clinic.run(rows[theirs[0]]["fix"]).exit_code == 0
    (row,) = doubts(desk.clinic).values()
    assert (row["id"], "(EFTPOS pay_2), which is on no" in row["message"]) == (theirs[1], True)
    desk.clinic.run(row["fix"], -1)
    desk.clinic.cli("pull")
    nothing_is_left(desk)
    assert sorted(told_ids(desk.clinic)) == sorted(theirs[1:])


def test_an_answer_for_ones_own_is_none_for_what_is_on_no_invoice(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.says(payment("50.00", ("inv_INV-0001", "50.00")), payment("50.00", id_="pay_2"))
    doubts(desk.clinic)
    desk.clinic.run(desk.clinic.problem()["fix"], -1)
    (row,) = doubts(desk.clinic).values()
    assert (row["id"], "(EFTPOS pay_2), which is on no" in row["message"]) == (theirs, True)
    assert told(desk.clinic) == []
    desk.clinic.run(row["fix"], -1)
    desk.clinic.cli("pull")
    nothing_is_left(desk)


def test_where_others_are_in_question_on_the_invoice_these_are_settled_first(desk: Desk) -> None:
    mine, theirs = (in_xero.pays(desk.clinic, "INV-0001", amount) for amount in ("50.00", "70.00"))
    desk.says(payment("50.00", ("inv_INV-0001", "50.00")), payment("70.00", id_="pay_2"))
    fix = doubts(desk.clinic)[theirs]["fix"]
    assert fix.endswith(
        "if it is another one, say so once the other payments in question on this invoice are settled: caspen-xero unsynced"
    )
    desk.clinic.run(doubts(desk.clinic)[mine]["fix"], -1)
    assert doubts(desk.clinic).keys() == {theirs}
    desk.clinic.run(doubts(desk.clinic)[theirs]["fix"], -1)
    desk.clinic.cli("pull")
    nothing_is_left(desk)


def test_where_one_command_is_for_several_it_says_so(desk: Desk) -> None:
    two = {in_xero.pays(desk.clinic, "INV-0001", amount) for amount in ("50.00", "70.00")}
    desk.says(payment("50.00"), payment("70.00", id_="pay_2"))
    fixes = {row["fix"] for row in doubts(desk.clinic).values()}
    (fix,) = fixes
    assert fix.endswith("; if all 2 of which this is said are other ones: caspen-xero push --pay-anyway INV-0001")
    desk.clinic.run(fix, -1)
    desk.clinic.cli("pull")
    assert set(told_ids(desk.clinic)) == two


@pytest.mark.parametrize(
    ("record", "is_held"),
    [
        (payment("110.00", ("inv_INV-0002", "60.00")), True),  # 50.00 of it is on none
        (payment("110.00", ("inv_INV-0002", "60.00"), ("inv_INV-0003", "50.00")), False),
        (payment("50.00", status="unallocated", date="2026-10-01"), True),
        (payment("60.00"), False),
        (payment("40.00"), False),
        (payment("50.00", client_id="1048238"), False),
        (payment("50.00", client_id=None), False),
        (payment("50.00", status="void"), False),
        (payment("50.00", status="refunded"), False),
        (payment("-50.00"), False),
        (payment("50.00", xero_id="00000000-0000-4000-8000-000000000000"), True),
    ],
    ids=[
        "a rest",
        "no rest",
        "weeks before",
        "more",
        "less",
        "another client's",
        "nobody's",
        "void",
        "refunded",
        "paid out",
        "names what is not there",
    ],
)
def test_it_is_what_its_client_has_paid_and_is_on_no_invoice(desk: Desk, record: Any, is_held: bool) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.says(client("1048238", "Ida", "Other"), record)
    assert list(doubts(desk.clinic)) == ([theirs] if is_held else [])
    assert told_ids(desk.clinic) == ([] if is_held else [theirs])


def test_what_is_another_clients_by_now_is_theirs(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.says(client("1048238", "Ida", "Other"), payment("50.00"))
    assert list(doubts(desk.clinic)) == [theirs]
    desk.says(payment("50.00", client_id="1048238"))
    assert doubts(desk.clinic) == {}
    assert told_ids(desk.clinic) == [theirs]


def test_what_names_the_one_that_stands_in_xero_is_that_one(desk: Desk) -> None:
    first = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.clinic.cli("sync")
    desk.says(payment("50.00", xero_id=first))
    second = in_xero.pays(desk.clinic, "INV-0002", "50.00")
    assert doubts(desk.clinic) == {}
    assert told_ids(desk.clinic) == [first, second]
    desk.takes_in(second)
    in_xero.writes(desk.clinic, "POST", f"Payments/{first}", {"Status": "DELETED"})
    anew = in_xero.pays(desk.clinic, "INV-0003", "50.00")
    assert list(doubts(desk.clinic)) == [anew]


def test_what_caspen_was_told_of_may_be_what_was_then_entered_on_no_invoice(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.clinic.cli("sync")
    desk.says(payment("50.00"))
    desk.clinic.cli("sync")
    (row,) = desk.clinic.cli("payments", "list", "--json").json["payments"]
    assert (row["xero_id"], row["status"], row["code"]) == (theirs, "held", DOUBT)
    desk.clinic.run(row["fix"], -1)
    (row,) = desk.clinic.cli("payments", "list", "--json").json["payments"]
    assert row["status"] == "told"
    nothing_is_left(desk)


def test_what_came_with_the_very_export_is_asked_about_first(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.says(payment("50.00"))
    (row,) = doubts(desk.clinic).values()
    desk.says(payment("50.00", id_="pay_2"))
    desk.clinic.run(row["fix"], -1)
    (row,) = doubts(desk.clinic).values()
    assert (row["id"], "(EFTPOS pay_2)" in row["message"]) == (theirs, True)
    assert told(desk.clinic) == []


def test_a_dry_run_decides_nothing(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.says(payment("50.00"))
    assert list(doubts(desk.clinic)) == [theirs]
    desk.clinic.push("--pay-anyway", "INV-0001", "--dry-run")
    assert list(doubts(desk.clinic)) == [theirs]


@pytest.mark.parametrize("is_same", [True, False])
def test_where_the_bank_brings_payments_it_is_asked_too_as_nothing_can_be_linked(desk: Desk, is_same: bool) -> None:
    desk.clinic.cli("settings", "set", "--payments", "off")
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.says(payment("50.00"))
    (row,) = doubts(desk.clinic).values()
    if is_same:
        desk.puts("50.00", "INV-0001")
    desk.clinic.run(row["fix"], 0 if is_same else -1)
    desk.clinic.cli("sync")
    assert told_ids(desk.clinic) == ([] if is_same else [theirs])
    nothing_is_left(desk)


def test_what_was_paid_in_advance_on_both_sides_is_the_same_though_it_is_allocated_later_in_xero(desk: Desk) -> None:
    bookkeeper = Bookkeeper(desk.clinic.sandbox.url)
    credit = bookkeeper.receives_prepayment("INV-0001", "60.00")
    allocation = bookkeeper.allocates("prepayment", credit, "INV-0001", "60.00")
    desk.says(payment("60.00", date="2026-09-01"))
    assert list(doubts(desk.clinic)) == [allocation]
    assert told(desk.clinic) == []


def test_what_caspen_was_told_of_and_is_gone_and_what_is_on_no_invoice_are_asked_about_together(desk: Desk) -> None:
    before = in_xero.pays(desk.clinic, "INV-0001", "50.00")
    desk.clinic.cli("sync")
    in_xero.writes(desk.clinic, "POST", f"Payments/{before}", {"Status": "DELETED"})
    theirs = in_xero.pays(desk.clinic, "INV-0001", "50.00", "2026-11-04")
    desk.says(payment("50.00"))
    (row,) = doubts(desk.clinic).values()
    assert row["message"] == (
        "it may be the same money as 50.00 of 2026-11-03 (EFTPOS pay_1), which is on no invoice in Caspen, or the payment of 50.00 "
        "of 2026-11-03 that Caspen was told of before, which is gone in Xero since and not in Caspen's export yet"
    )
    assert row["fix"] == (
        "If it is what is on no invoice: put it on INV-0001 in Caspen, then: caspen-xero sync; if Caspen has the one that it was "
        "told of, or will take it in: what to do is said here once its export has it; if it is neither: caspen-xero push "
        "--pay-anyway INV-0001"
    )
    desk.clinic.run(row["fix"], -1)
    desk.clinic.cli("pull")
    assert told_ids(desk.clinic) == [before, theirs]


# --- in parts


@pytest.mark.parametrize("is_same", [True, False])
def test_one_deposit_on_several_invoices_in_xero_may_be_one_on_no_invoice(desk: Desk, is_same: bool) -> None:
    one, two = in_xero.pays(desk.clinic, "INV-0001", "60.00"), in_xero.pays(desk.clinic, "INV-0002", "50.00")
    desk.says(payment("110.00"))
    rows = doubts(desk.clinic)
    assert rows.keys() == {one, two}
    assert {row["message"] for row in rows.values()} == {
        "it may be the same money, entered otherwise: 60.00 of 2026-11-03 (Bank feed) and 50.00 of 2026-11-03 (Bank feed) in Xero "
        "make 110.00, and Caspen has 110.00 of 2026-11-03 (EFTPOS pay_1), which is on no invoice there"
    }
    assert rows[one]["fix"] == (
        "If it is: put it in Caspen where it is in Xero, then: caspen-xero sync; if it is another one: caspen-xero push "
        "--pay-anyway INV-0001"
    )
    if is_same:
        desk.says(payment("110.00", ("inv_INV-0001", "60.00"), ("inv_INV-0002", "50.00")))
        desk.clinic.run(rows[one]["fix"])
        for number in ("INV-0001", "INV-0002"):
            assert desk.clinic.run(desk.clinic.answers(number)[0]).exit_code in (0, 3)
    else:
        desk.clinic.run(rows[one]["fix"], -1)
        desk.clinic.cli("pull")
    assert set(told_ids(desk.clinic)) == (set() if is_same else {one, two})
    nothing_is_left(desk)
    assert len(in_xero.payments(desk.clinic)) == 2


def test_several_on_no_invoice_may_be_one_in_xero(desk: Desk) -> None:
    theirs = in_xero.pays(desk.clinic, "INV-0001", "110.00")
    desk.says(payment("60.00"), payment("50.00", id_="pay_2"))
    (row,) = doubts(desk.clinic).values()
    assert row["id"] == theirs
    assert row["message"] == (
        "it may be the same money, entered otherwise: 60.00 of 2026-11-03 (EFTPOS pay_1) and 50.00 of 2026-11-03 (EFTPOS pay_2) in "
        "Caspen, which are on no invoice there, make 110.00, and Xero has 110.00 of 2026-11-03 (Bank feed)"
    )
    desk.puts("60.00", "INV-0001")
    desk.puts("50.00", "INV-0001", "pay_2")
    desk.clinic.run(row["fix"])
    assert told(desk.clinic) == []
    assert desk.clinic.unsynced()[0]["fix"] == doubts(desk.clinic)[theirs]["fix"]
    assert len(in_xero.payments(desk.clinic)) == 1


def test_of_several_that_it_may_be_each_is_asked_about(desk: Desk) -> None:
    for number, amount in (("INV-0001", "60.00"), ("INV-0002", "50.00")):
        in_xero.pays(desk.clinic, number, amount, "2026-11-06")
    desk.says(payment("110.00"), payment("110.00", id_="pay_2", date="2026-11-05"))
    for nth in (2, 1):
        rows = doubts(desk.clinic)
        assert len(rows) == 2
        assert all(f"(EFTPOS pay_{nth}), which" in row["message"] for row in rows.values())
        desk.clinic.run(next(iter(rows.values()))["fix"], -1)
    assert doubts(desk.clinic) == {}
    nothing_is_left(desk)


def test_of_another_client_it_is_no_sum(desk: Desk) -> None:
    desk.says(client("1048238", "Ida", "Other"), invoice("INV-0009", [line("200.00")], client_id="1048238"))
    desk.clinic.cli("sync")
    theirs = [in_xero.pays(desk.clinic, "INV-0001", "60.00"), in_xero.pays(desk.clinic, "INV-0009", "50.00")]
    desk.says(payment("110.00"))
    assert doubts(desk.clinic) == {}
    assert sorted(told_ids(desk.clinic)) == sorted(theirs)


# --- whatever happens on both sides

ON, AMOUNTS = st.sampled_from(["INV-0001", "INV-0002"]), st.sampled_from(["5.00", "5.00", "7.00"])
EVENTS = st.lists(st.tuples(st.sampled_from(["both", "caspen", "xero", "own", "sync"]), ON, AMOUNTS), max_size=6)


class Life:
    """What was truly paid: each money on one invoice, for one amount, and who knows of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.made = desk, 0
        self.there: dict[str, tuple[str, str]] = {}
        self.news: list[tuple[str, str]] = []
        self.on_none: dict[str, tuple[str, str, bool]] = {}  # the last: whether it is in Xero too
        self.to_link: list[tuple[str, str]] = []
        self.truth: list[tuple[str, str]] = []

    def happens(self, what: str, number: str, amount: str) -> None:
        if what == "sync":
            self.desk.clinic.cli("sync")
            return
        self.truth.append((number, amount))
        self.made += 1
        if what in ("both", "xero"):
            theirs = in_xero.pays(self.desk.clinic, number, amount)
            self.there[theirs] = (number, amount)
            self.news += [(number, amount)] if what == "xero" else []
        if what in ("both", "caspen"):
            self.on_none[f"pay_{self.made}"] = (number, amount, what == "both")
            self.desk.says(payment(amount, id_=f"pay_{self.made}"))
        elif what == "own":
            self.desk.puts(amount, number, f"pay_{self.made}")

    def a_person_answers(self) -> bool:
        """One question, by what is true; whether there was one. Who has several on an invoice first says what is the same."""
        held = self.desk.clinic.cli("sync", "--json").json["pull"].get("held", [])
        rows = [row for row in held if row["code"] == DOUBT]
        for row in rows:
            if self._is_the_same(row):
                return True
        for row in rows:
            command = commands_in(row["fix"])[-1]
            if "--pay-anyway" in command:
                assert self.desk.clinic.run(command).exit_code in (0, 3)
                return True
        assert rows == []
        return False

    def _is_the_same(self, row: dict[str, Any]) -> bool:
        on = self.there[row["id"]]
        if "put it on" not in row["fix"]:
            if on in self.to_link:
                self.to_link.remove(on)
                assert self.desk.clinic.run(row["fix"]).exit_code in (0, 3)
                return True
            return False
        same = next((id_ for id_, (*its, is_both) in self.on_none.items() if is_both and tuple(its) == on), None)
        if same is None:
            return False
        number, amount, _ = self.on_none.pop(same)
        self.desk.puts(amount, number, same)
        self.to_link.append(on)
        assert self.desk.clinic.run(row["fix"]).exit_code in (0, 3)
        return True

    def the_rest_is_put_on_its_invoice(self) -> None:
        for id_, (number, amount, _) in self.on_none.items():
            self.desk.puts(amount, number, id_)
        self.on_none.clear()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(EVENTS, st.booleans())
@example([("both", "INV-0001", "5.00"), ("xero", "INV-0002", "5.00"), ("own", "INV-0001", "5.00")], False)
@example([(what, "INV-0001", "5.00") for what in ("both", "xero", "caspen", "both")], True)
def test_whatever_happens_each_money_is_on_both_sides_once(
    sandbox: Sandbox,
    ready_home: Path,
    cli: Callable[..., Any],
    home: Path,
    events: list[tuple[str, str, str]],
    is_put_early: bool,
) -> None:
    desk = Desk(begins_anew(Clinic(cli, sandbox, home), ready_home))
    desk.clinic.cli("sync")
    life = Life(desk)
    for event in events:
        life.happens(*event)
    while life.a_person_answers():
        if is_put_early and not any(is_both for *_, is_both in life.on_none.values()):
            life.the_rest_is_put_on_its_invoice()
    assert not life.to_link
    for id_ in told_ids(desk.clinic):
        desk.takes_in(id_)
    life.the_rest_is_put_on_its_invoice()
    while life.a_person_answers():
        pass
    nothing_is_left(desk)
    assert sorted(life.there[id_] for id_ in told_ids(desk.clinic)) == sorted(life.news)
    numbers = {one["InvoiceID"]: number for number, one in desk.clinic.in_xero().items()}
    there = [(numbers[one["Invoice"]["InvoiceID"]], f"{one['Amount']:.2f}") for one in in_xero.payments(desk.clinic)]
    assert sorted(there) == sorted(life.truth)
