"""Clocks that are wrong, set, or stand still, and answers that wait: whatever they say, everything is in Xero once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import in_xero
import loopback
import pytest
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic, connected_to

from caspen_xero.cli.session import Session
from caspen_xero.sandbox.api import api
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.sync.sending.journal import Journal
from caspen_xero.sync.sending.push import Push
from caspen_xero.xero.client import XeroClient
from caspen_xero.xero.clock import XeroClock, steady

YEAR = 365 * 24 * 3600
PART = payment("40.00", ("inv_INV-0001", "40.00"))


class Killed(BaseException):
    """The machine was switched off."""


@dataclass
class Time:
    """Time in these tests: it passes in seconds at Xero, on a clock that nobody sets, and on this machine's own, as told.

    `asleep`: what happens in the next waits, instead of so many seconds passing.
    """

    clinic: Clinic
    patch: pytest.MonkeyPatch
    steady_gone: float = 0
    machine_gone: float = 0
    asleep: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.patch.setattr(Session, "now", lambda session: datetime.now(UTC) + timedelta(seconds=self.machine_gone))
        clock = partial(XeroClock, steady=lambda: steady() + self.steady_gone)
        self.patch.setattr("caspen_xero.xero.clock.XeroClock", clock)
        self.patch.setattr("caspen_xero.sync.sending.push.Journal", partial(Journal, sleep=self.wait))
        self.patch.setattr("caspen_xero.xero.client.XeroClient", partial(XeroClient, sleep=self.wait))

    def passes(self, seconds: float, *, machine: float | None = None, steady: float | None = None) -> None:
        """Goes on everywhere; on this machine's clock, and on the one that nobody sets, by other seconds where given."""
        self.clinic.control("clock", seconds=seconds)
        self.machine_gone += seconds if machine is None else machine
        self.steady_gone += seconds if steady is None else steady

    def wait(self, seconds: float) -> None:
        self.asleep.pop(0)() if self.asleep else self.passes(seconds)

    def kill_push(self, path: str, *arguments: str, done: bool) -> None:
        """A push that dies at its first write there: before Xero does it, or after. Nothing is noted any more."""
        send, note, died = XeroClient.send, Push._note, False

        def dying(client: XeroClient, method: str, at: str, body: bytes, **more: Any) -> Any:
            nonlocal died
            if at != path:
                return send(client, method, at, body, **more)
            died = True
            if done:
                send(client, method, at, body, **more)
            raise Killed

        with self.patch.context() as patched, contextlib.suppress(Killed):
            patched.setattr(XeroClient, "send", dying)
            patched.setattr(Push, "_note", lambda push, *arguments: None if died else note(push, *arguments))
            self.clinic.push(*arguments)
        assert died
        self.clinic.forget_calls()


@pytest.fixture
def time(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(ready, monkeypatch)


@pytest.fixture
def unpaid(ready: Clinic, time: Time) -> Clinic:
    """One invoice of 165.00 in Xero, and a part payment of 40.00 that is not there yet: one too many would go through."""
    ready.takes(EFTPOS, client("1048237"), invoice())
    assert ready.push().exit_code == 0
    ready.takes(PART)
    ready.forget_calls()
    return ready


@pytest.fixture
def new(ready: Clinic, time: Time) -> Clinic:
    """An invoice that is not in Xero; its client is, and what is read once a day was read."""
    ready.takes(client("1048237"), invoice("INV-0000"))
    assert ready.push().exit_code == 0
    ready.takes(invoice())
    ready.forget_calls()
    return ready


def the_payment_is_there_once(clinic: Clinic) -> None:
    (there,) = in_xero.payments(clinic)
    assert (there["Amount"], there["Reference"]) == (Decimal("40.00"), "EFTPOS pay_1/all_1a")
    assert clinic.unsynced() == []
    assert in_xero.silent(clinic)


def the_invoice_is_there_once(clinic: Clinic) -> None:
    assert set(clinic.in_xero()) == {"INV-0000", "INV-0001"}
    assert clinic.unsynced() == []
    assert in_xero.silent(clinic)


def sent(clinic: Clinic, kind: str) -> list[str]:
    """The key of each write of a kind that went out, in order."""
    writes = (one for one in clinic.requests() if one["method"] == "PUT" and one["path"].endswith(kind))
    return [one["headers"]["idempotency-key"] for one in writes]


def noted_key(clinic: Clinic) -> str:
    """The key of the one write whose answer is unknown."""
    (row,) = clinic.sql("SELECT idempotency_key FROM journal WHERE state = 'sent'")
    return str(row["idempotency_key"])


def sent_as_before(clinic: Clinic, request: dict[str, Any]) -> int:
    """A request of the log once more, to the byte; gives the status of its answer."""
    kept = json.loads(json.loads((clinic.home / "default" / "tokens.json").read_text())["access"])
    headers = {"Authorization": f"Bearer {kept['token']}", "Xero-tenant-id": clinic.tenant_id}
    headers |= {name: request["headers"][name] for name in ("accept", "content-type", "idempotency-key")}
    url = f"{clinic.sandbox.url}{request['path']}?{request['query']}"
    return loopback.put(url, content=request["body"], headers=headers).status_code


# --- judged when it goes


@pytest.mark.parametrize("done", [True, False], ids=["done", "never-arrived"])
def test_a_replay_that_has_to_wait_past_the_time_of_its_key_is_not_sent(unpaid: Clinic, time: Time, done: bool) -> None:
    time.kill_push("Payments", done=done)
    key = noted_key(unpaid)
    time.passes(285)
    unpaid.control("faults", kind="429-minute", path="/Payments", method="PUT", count=2, seconds=50)
    assert unpaid.push().exit_code == 0
    assert sent(unpaid, "Payments").count(key) == (
        0 if done else 1
    )  # a look finds what is there; else one wait is too much
    the_payment_is_there_once(unpaid)


def test_an_invoice_that_has_to_wait_past_the_time_of_its_key_is_looked_up(new: Clinic, time: Time) -> None:
    time.kill_push("Invoices", "--refresh", done=True)
    key = noted_key(new)
    time.passes(285)
    new.control("faults", kind="429-minute", path="/Invoices", method="PUT", count=2, seconds=50)
    assert new.push().exit_code == 0
    assert sent(new, "Invoices") == [key]  # refused for the limit, and not sent again after that
    the_invoice_is_there_once(new)


SUSPENDED: dict[str, dict[str, float]] = {
    "all clocks go on": {},
    "the machine's clock was set back": {"machine": -3000},
    "only the machine's clock went on": {"steady": 0},
}


@pytest.mark.parametrize("trouble", ["drop-after", "drop-before", "500-after"])
@pytest.mark.parametrize("clocks", SUSPENDED.values(), ids=SUSPENDED)
def test_a_payment_is_there_once_though_the_machine_slept_before_it_was_sent_again(
    unpaid: Clinic, time: Time, trouble: str, clocks: dict[str, float]
) -> None:
    unpaid.control("faults", kind=trouble, path="/Payments", method="PUT")
    time.asleep = [lambda: time.passes(600, **clocks)]
    assert unpaid.push().exit_code == 0
    assert time.asleep == []
    keys = sent(unpaid, "Payments")
    assert len(set(keys)) == len(keys)  # none was used again after ten minutes
    the_payment_is_there_once(unpaid)


@pytest.mark.parametrize("clocks", SUSPENDED.values(), ids=SUSPENDED)
def test_an_invoice_is_looked_up_where_the_machine_slept_before_it_was_sent_again(
    new: Clinic, time: Time, clocks: dict[str, float]
) -> None:
    new.control("faults", kind="drop-after", path="/Invoices", method="PUT")
    time.asleep = [lambda: time.passes(600, **clocks)]
    assert new.push("--refresh").exit_code == 0  # which tells Xero's time before
    assert len(sent(new, "Invoices")) == 1
    the_invoice_is_there_once(new)


def test_an_allocation_is_looked_up_before_it_is_sent_again(ready: Clinic, time: Time) -> None:
    ready.takes(client("1048237"), invoice())
    assert ready.push().exit_code == 0
    ready.takes(credit_note(lines=[line("10.00")]))
    ready.forget_calls()
    ready.control("faults", kind="drop-after", path="/Allocations", method="PUT")
    assert ready.push().exit_code == 0
    assert len(sent(ready, "Allocations")) == 1
    assert ready.in_xero()["INV-0001"]["AmountCredited"] == Decimal("11.00")


def test_a_payment_that_never_arrived_goes_again_with_its_key_after_a_look(unpaid: Clinic, time: Time) -> None:
    unpaid.control("faults", kind="drop-before", path="/Payments", method="PUT")
    assert unpaid.push().exit_code == 0
    first, again = sent(unpaid, "Payments")
    assert first == again
    assert unpaid.calls() == [
        "GET Invoices",  # before it is paid, then before it is paid again
        "PUT Payments",
        "GET Invoices",
        "PUT Payments",
    ]
    the_payment_is_there_once(unpaid)


def test_a_payment_that_arrives_late_does_not_meet_another_of_its_kind(unpaid: Clinic, time: Time) -> None:
    """The answer to a second try comes from what stands in front of Xero: the first may still be under way, and arrive now."""
    unpaid.control("faults", kind="drop-before", path="/Payments", method="PUT")
    unpaid.control("faults", kind="503", path="/Payments", method="PUT")
    late: list[int] = []

    def arrives() -> None:
        (first, *_) = [one for one in unpaid.requests() if one["method"] == "PUT"]
        late.append(sent_as_before(unpaid, first))

    time.asleep = [lambda: None, arrives]
    unpaid.push()
    if not late:
        arrives()
    assert late == [200]
    the_payment_is_there_once(unpaid)


def test_a_key_is_as_old_as_the_first_request_that_may_have_arrived(new: Clinic, time: Time) -> None:
    """Six minutes of waiting for a limit, in which Xero did nothing, are no reason to look up what is under way."""
    new.control("faults", kind="429-minute", path="/Invoices", method="PUT", count=8, seconds=45)
    new.control("faults", kind="drop-after", path="/Invoices", method="PUT")
    new.forget_calls()
    assert new.push().exit_code == 0
    assert len(set(sent(new, "Invoices"))) == 1
    assert new.writes() == new.calls()  # nothing was looked up
    the_invoice_is_there_once(new)


# --- from one run to the next


@pytest.mark.parametrize("machine", [-3600, 1, 590, YEAR], ids=["back", "almost-still", "right", "a-year-on"])
@pytest.mark.parametrize("done", [True, False], ids=["done", "never-arrived"])
def test_after_ten_minutes_nothing_goes_again_whatever_this_machines_clock_says(
    unpaid: Clinic, time: Time, machine: float, done: bool
) -> None:
    time.kill_push("Payments", done=done)
    key = noted_key(unpaid)
    time.passes(600, machine=machine)
    assert unpaid.push().exit_code == 0
    assert key not in sent(unpaid, "Payments")
    the_payment_is_there_once(unpaid)


@pytest.mark.parametrize("machine", [-3600, 60], ids=["back", "right"])
@pytest.mark.parametrize("done", [True, False], ids=["done", "never-arrived"])
def test_after_a_minute_an_invoice_goes_again_with_its_key_once_xero_has_told_the_time(
    new: Clinic, time: Time, machine: float, done: bool
) -> None:
    time.kill_push("Invoices", "--refresh", done=done)
    key = noted_key(new)
    time.passes(60, machine=machine)
    assert new.push().exit_code == 0
    assert new.calls() == ["GET Organisation", "PUT Invoices"]
    assert sent(new, "Invoices") == [key]
    the_invoice_is_there_once(new)


def test_a_write_of_an_earlier_version_whose_answer_was_lost_is_looked_up(new: Clinic, time: Time) -> None:
    time.kill_push("Invoices", done=True)
    new.sql("UPDATE journal SET first_sent_at_xero = NULL")
    assert new.push().exit_code == 0
    assert sent(new, "Invoices") == []
    the_invoice_is_there_once(new)


# --- where Xero tells no time


@pytest.mark.parametrize("done", [True, False], ids=["done", "never-arrived"])
def test_without_a_date_header_the_answers_own_time_does(new: Clinic, time: Time, done: bool) -> None:
    new.control("settings", date_header=False)
    time.kill_push("Invoices", "--refresh", done=done)
    key = noted_key(new)
    time.passes(60, machine=-3600)
    assert new.push().exit_code == 0
    assert sent(new, "Invoices") == [key]
    time.passes(-60)
    the_invoice_is_there_once(new)


@pytest.mark.parametrize("done", [True, False], ids=["done", "never-arrived"])
@pytest.mark.parametrize("path", ["Payments", "Invoices"])
def test_without_any_time_of_xeros_it_is_looked_up(
    ready: Clinic, time: Time, monkeypatch: pytest.MonkeyPatch, path: str, done: bool
) -> None:
    tells_no_time(ready, monkeypatch)
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0000"), invoice())
    if path == "Payments":
        assert ready.push().exit_code == 0
        ready.takes(PART)
    time.kill_push(path, done=done)
    key = noted_key(ready)
    time.passes(5)
    assert ready.push().exit_code == 0
    assert key not in sent(ready, path)
    if path == "Payments":
        the_payment_is_there_once(ready)
    the_invoice_is_there_once(ready)


@pytest.mark.parametrize("trouble", ["drop-before", "drop-after"])
def test_without_any_time_of_xeros_a_run_still_knows_how_long_it_has_run(
    new: Clinic, time: Time, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """A look that sees nothing may come too early: what is under way must not meet the same invoice under another key."""
    tells_no_time(new, monkeypatch)
    new.control("faults", kind=trouble, path="/Invoices", method="PUT")
    assert new.push().exit_code == 0
    assert len(set(sent(new, "Invoices"))) == 1
    assert new.calls().count("GET Invoices") == 1
    the_invoice_is_there_once(new)


def tells_no_time(clinic: Clinic, patch: pytest.MonkeyPatch) -> None:
    clinic.control("settings", date_header=False)
    whole = api.envelope

    def without_time(*arguments: Any) -> Any:
        return {name: value for name, value in whole(*arguments).items() if name != "DateTimeUTC"}

    patch.setattr(api, "envelope", without_time)


# --- what waits, or was read, by a clock that was wrong


def test_what_waits_by_a_clock_that_was_a_year_ahead_is_due_once_it_is_right(ready: Clinic, time: Time) -> None:
    ready.takes(client("1048237"), invoice())
    time.machine_gone = YEAR
    ready.control("faults", kind="html", status=400, path="/Invoices", method="PUT")
    assert ready.push().exit_code == 3
    ready.forget_calls()
    assert ready.push().exit_code == 3
    assert ready.writes() == []  # while that clock goes on, it waits
    time.machine_gone = 0
    assert ready.push().exit_code == 0
    assert set(ready.in_xero()) == {"INV-0001"}


def test_what_waits_by_a_clock_that_was_a_year_behind_is_due_once_it_is_right(ready: Clinic, time: Time) -> None:
    ready.takes(client("1048237"), invoice())
    time.machine_gone = -YEAR
    ready.control("faults", kind="html", status=400, path="/Invoices", method="PUT")
    assert ready.push().exit_code == 3
    time.machine_gone = 0
    assert ready.push().exit_code == 0


@pytest.mark.parametrize("by", [YEAR, -YEAR])
def test_what_is_read_once_a_day_is_read_again_once_the_clock_is_right(ready: Clinic, time: Time, by: int) -> None:
    time.machine_gone = by
    ready.takes(client("1048237"), invoice())
    assert ready.push("--refresh").exit_code == 0
    time.machine_gone = 0
    ready.takes(invoice("INV-0002"))
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert "GET Organisation" in ready.calls()


@pytest.mark.parametrize("by", [YEAR, -YEAR])
def test_a_pull_by_a_wrong_clock_passes_nothing_by(ready: Clinic, time: Time, by: int) -> None:
    ready.takes(client("1048237"), invoice())
    time.machine_gone = by
    assert ready.push().exit_code == 0
    assert ready.cli("pull", "--json").exit_code == 0
    time.machine_gone = 0
    in_xero.pays(ready, "INV-0001", "20.00")
    assert ready.cli("pull", "--json").json["payments"] == 1
    last_full = ready.sql("SELECT value FROM settings WHERE key = 'pull_full_at'")[0]["value"]
    assert abs(datetime.fromisoformat(last_full) - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize("by", [YEAR, -YEAR])
def test_a_push_that_a_wrong_clock_noted_is_of_no_known_age(
    ready: Clinic, time: Time, monkeypatch: pytest.MonkeyPatch, by: int
) -> None:
    assert ready.push().exit_code == 0
    assert ready.cli("status", "--max-age", "26h").exit_code == 0
    time.machine_gone = by
    told = ready.cli("status", "--max-age", "26h")
    assert told.exit_code == 1
    assert ("by a clock that was wrong" in told.stderr) is (by < 0)
    assert ready.cli("status", "--max-age", "26h", "--json").json["too_old"] is True


@pytest.mark.parametrize("by", [YEAR, -YEAR, 3 * 3600, -3 * 3600])
def test_a_sign_in_kept_by_a_wrong_clock_still_works(
    home: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, by: int
) -> None:
    """The access token kept is over, or good, whatever the time that is written beside it says."""
    with Sandbox(auto_approve=True) as box:  # its own, for the sign-in that tests share must not grow old
        monkeypatch.setenv("XERO_URL", box.url)
        clinic = connected_to(box, cli, home)
        file = home / "default" / "tokens.json"
        kept = json.loads(file.read_text())
        access = json.loads(kept["access"])
        access["expires_at"] = (datetime.now(UTC) + timedelta(seconds=by)).isoformat()
        file.write_text(json.dumps({**kept, "access": json.dumps(access)}))
        clinic.control("clock", seconds=1900)  # Xero's own
        clinic.takes(client("1048237"), invoice())
        assert clinic.push().exit_code == 0


# --- told


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, "this machine's is the same as Xero's"),
        (110, "this machine's is 2 minutes ahead of Xero's"),
        (600, "this machine's is 10 minutes ahead of Xero's"),
        (-7200, "this machine's is 2 hours behind Xero's"),
    ],
)
def test_doctor_compares_this_machines_clock_with_xeros(ready: Clinic, time: Time, ahead: int, words: str) -> None:
    time.machine_gone = ahead
    (check,) = [one for one in ready.cli("doctor", "--json").json["checks"] if one["name"] == "clock"]
    assert (check["message"], check["ok"]) == (words, abs(ahead) <= 120)
    assert bool(check["fix"]) is not check["ok"]


@pytest.mark.parametrize(("ahead", "is_told"), [(0, False), (110, False), (-110, False), (130, True), (-130, True)])
def test_a_push_says_that_the_clocks_differ_by_more_than_two_minutes(
    new: Clinic, time: Time, ahead: int, is_told: bool
) -> None:
    time.machine_gone = ahead
    for arguments in (("push",), ("push", "--json"), ("push", "--quiet")):
        new.takes(invoice(f"INV-{new.imports:04d}"))
        assert ("This machine's clock is 2 minutes" in new.cli(*arguments).stderr) is is_told
