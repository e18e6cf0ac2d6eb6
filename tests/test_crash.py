"""Exactly once: a push may be killed, cut off or refused at any call, and the next one brings everything to its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pushing
import pytest
from clinics import client, invoice, line, random_clinic
from conftest import clean_environment, command_line
from pushing import Clinic, finalised, same_figures
from running import another_run

from caspen_xero.sandbox.identity.unauthorised import Refused
from caspen_xero.sandbox.trouble.faults import INTERNAL_ERROR
from caspen_xero.store.store import Store, utc_text

INVOICES = [
    invoice("INV-0001", client_id="1"),
    invoice("INV-0002", [line("0.25")], client_id="2"),  # half a cent of tax: a draft first, approved once it is right
    invoice("INV-0003", [line("0.24")] * 10, client_id="3", subtotal="2.40", tax="0.24", total="2.64"),
    invoice("INV-0004", client_id="4", tax_mode="inclusive"),
    *(invoice(f"INV-{number:04d}", client_id="4") for number in range(5, 56)),  # more than go in one call
]
CLIENTS = [client(str(number), "Nell", f"Okafor {number}") for number in range(1, 5)]
CLINIC = [*CLIENTS, *INVOICES]
FEW = [*CLIENTS, *INVOICES[:4]]
IN_XERO_ALREADY = {"Name": "Nell Okafor 4 (Caspen 00004)"}
A_WRITE = r"/api\.xro/2\.0/(Contacts|Invoices)\?summarizeErrors"
WRITES = 3  # contacts, invoices, their approval
CALLS = 8  # organisation, accounts, tax rates, contacts; contacts, invoices, their approval, the other invoices


@pytest.fixture
def unread(clinic: Clinic) -> Clinic:
    """A clinic that is ready to push and has read nothing of Xero today, so that a push makes every kind of call."""
    clinic.takes(*pushing.TAX_RATES, *CLINIC)
    clinic.cli("settings", "set", "--sales-account", "200", "--payment-account", "090")
    clinic.sql("DELETE FROM xero_lists")
    clinic.put_in_xero("Contacts", **IN_XERO_ALREADY)
    return clinic


def everything_is_there_once(clinic: Clinic, records: list[dict[str, Any]] = CLINIC) -> None:
    there, wanted = clinic.in_xero(), finalised(records)
    assert set(there) == set(wanted)
    assert all(same_figures(wanted[number], there[number]) for number in wanted)
    assert {document["Status"] for document in there.values()} == {"AUTHORISED"}
    assert len(clinic.contacts()) == 4
    assert clinic.unsynced() == []
    assert {row["sync_status"] for row in clinic.listed().values()} == {"synced"}
    clinic.forget_calls()
    again = clinic.push()
    assert (again.exit_code, clinic.calls()) == (0, [])


# --- killed


@contextmanager
def killed_at(clinic: Clinic, call: int, moment: str) -> Iterator[Callable[[], bool]]:
    """Runs a push as a process of its own and kills it at that call: before Xero does it, or after and before the answer.

    Gives a function that tells whether the process lived long enough to be killed.
    """
    door = clinic.sandbox.xero.gateway
    admit, leave = door.admit, door.leave
    seen = 0
    process = subprocess.Popen(
        command_line("push", "--quiet"),
        env=clean_environment(CASPEN_XERO_HOME=str(clinic.home), XERO_URL=clinic.sandbox.url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill() -> None:
        os.kill(process.pid, signal.SIGKILL)

    def before(exchange: Any, fault: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == call and moment == "before":
            kill()
            raise Refused(INTERNAL_ERROR)
        return admit(exchange, fault)

    def after(admission: Any) -> None:
        leave(admission)
        if seen == call and moment == "after":
            kill()

    door.admit, door.leave = before, after  # type: ignore[method-assign]
    try:
        process.wait(timeout=30)
        yield lambda: process.returncode == -signal.SIGKILL
    finally:
        door.admit, door.leave = admit, leave  # type: ignore[method-assign]


@contextmanager
def kept(clinic: Clinic) -> Iterator[Callable[[], None]]:
    """Both sides as they are now; the function given brings them back."""
    with closing(sqlite3.connect(":memory:")) as books, TemporaryDirectory() as folder:
        aside = Path(folder) / "home"
        shutil.copytree(clinic.home, aside)
        clinic.sandbox.xero.db.backup(books)

        def bring_back() -> None:
            shutil.rmtree(clinic.home)
            shutil.copytree(aside, clinic.home)
            books.backup(clinic.sandbox.xero.db)

        yield bring_back


def ten_minutes_pass(clinic: Clinic) -> None:
    """The write under way becomes too old to be repeated: Xero has forgotten its key."""
    for row in clinic.sql("SELECT id, first_sent_at FROM journal"):
        sent = datetime.fromisoformat(row["first_sent_at"]) - timedelta(minutes=10)
        clinic.sql("UPDATE journal SET first_sent_at = ? WHERE id = ?", utc_text(sent), row["id"])
    clinic.control("clock", seconds=600)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_push_killed_at_any_call_is_brought_to_its_end_by_the_next(unread: Clinic, moment: str) -> None:
    with kept(unread) as back_to_the_start:
        call = 0
        while True:
            call += 1
            with killed_at(unread, call, moment) as was_killed:
                if not was_killed():
                    break
            with kept(unread) as back_to_the_kill:
                assert unread.push().exit_code == 0, f"killed {moment} call {call}"
                everything_is_there_once(unread)
                back_to_the_kill()
                ten_minutes_pass(unread)
                assert unread.push().exit_code == 0, f"killed {moment} call {call}, ten minutes ago"
                everything_is_there_once(unread)
            back_to_the_start()
    assert call > CALLS
    everything_is_there_once(unread)


def test_a_write_that_may_still_be_under_way_is_repeated_with_its_key_and_not_looked_up(unread: Clinic) -> None:
    with killed_at(unread, 5, "after") as was_killed:
        assert was_killed()
    (sent,) = unread.sql("SELECT idempotency_key, body FROM journal WHERE state = 'sent'")
    unread.forget_calls()
    assert unread.push().exit_code == 0
    assert unread.calls()[:2] == ["GET Organisation", "PUT Contacts"]  # what time it is there, then again
    again = unread.requests()[1]
    assert again["headers"]["idempotency-key"] == sent["idempotency_key"]
    assert again["body"].encode() == bytes(sent["body"])


# --- answers that never come


@pytest.mark.parametrize(
    "trouble", ["drop-before", "drop-after", "500-before", "500-after", "503", "html", "truncate", "429-minute"]
)
@pytest.mark.parametrize("write", range(WRITES))
def test_a_lost_answer_is_settled_within_the_run(ready: Clinic, waits: list[float], trouble: str, write: int) -> None:
    ready.put_in_xero("Contacts", **IN_XERO_ALREADY)
    ready.takes(*FEW)
    ready.control("faults", kind=trouble, path=A_WRITE, after=write, seconds=1)
    assert ready.push().exit_code == 0
    (fault,) = ready.faults()
    assert fault["struck"] == 1
    everything_is_there_once(ready, FEW)


@pytest.mark.parametrize("trouble", ["drop-after", "500-after", "html", "503"])
def test_xero_gone_for_good_ends_the_push_and_the_next_one_goes_on(
    ready: Clinic, waits: list[float], trouble: str
) -> None:
    ready.takes(*FEW)
    ready.control("faults", kind=trouble, path="/api.xro/2.0/Invoices", count=None)
    stopped = ready.push()
    assert (stopped.exit_code, stopped.json["stopped"]["code"]) == (6, "xero-no-answer")
    assert {row["number"] for row in ready.unsynced()} == {record["number"] for record in INVOICES[:4]}
    ready.all_is_well_in_xero()
    assert ready.push().exit_code == 0
    everything_is_there_once(ready, FEW)


@pytest.mark.parametrize("seed", range(3))
def test_any_mix_of_troubles_ends_with_each_document_there_once(ready: Clinic, waits: list[float], seed: int) -> None:
    random = Random(seed)
    records = random_clinic(seed, invoices=100, clients=60)
    payments = [
        {
            "object": "payment",
            "id": f"pay_{each['number']}",
            "date": "2026-11-03",
            "amount": "1.00",
            "status": "allocated",
            "allocations": [{"id": f"all_{each['number']}", "invoice_id": each["id"], "amount": "1.00"}],
        }
        for each in finalised(records).values()
        if Decimal(each["total"]) > 1
    ]
    ready.takes(*records, *payments)
    for trouble in ("drop-before", "drop-after", "500-before", "500-after", "503", "html", "truncate", "429-minute"):
        ready.control(
            "faults", kind=trouble, path="/api.xro/", probability=0.05, seed=random.randint(0, 999), seconds=1
        )
    for _ in range(6):
        ready.push()
        if random.random() < 0.5:
            ten_minutes_pass(ready)
    ready.all_is_well_in_xero()
    assert ready.push("--refresh").exit_code == 0
    there, wanted = ready.in_xero(), finalised(records)
    assert set(there) == set(wanted)
    assert all(same_figures(wanted[number], there[number]) for number in wanted)
    assert len(ready.contacts()) == len(ready.state("Contacts")) == 60
    paid = sorted(payment["Reference"].split()[-1] for payment in ready.state("Payments"))
    assert paid == sorted(f"{payment['id']}/{payment['allocations'][0]['id']}" for payment in payments)
    ready.forget_calls()
    assert ready.push().exit_code == 0
    assert ready.calls() == []


def test_no_network_exits_6_and_nothing_is_lost(
    ready: Clinic, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(*FEW)
    nobody = f"http://localhost:{_free_port()}"
    there = ready.sql("SELECT value FROM settings WHERE key = 'connection'")[0]["value"]
    ready.sql("UPDATE settings SET value = ? WHERE key = 'connection'", there.replace(ready.sandbox.url, nobody))
    monkeypatch.setenv("XERO_URL", nobody)
    stopped = ready.push()
    assert (stopped.exit_code, stopped.json["stopped"]["code"]) == (6, "xero-unreachable")
    ready.sql("UPDATE settings SET value = ? WHERE key = 'connection'", there)
    monkeypatch.setenv("XERO_URL", ready.sandbox.url)
    assert ready.push().exit_code == 0
    everything_is_there_once(ready, FEW)


def test_the_day_limit_exits_6_and_the_next_day_goes_on(ready: Clinic) -> None:
    ready.takes(*FEW)
    ready.control("faults", kind="429-day", path="/api.xro/2.0/Invoices", seconds=40_000)
    stopped = ready.push()
    assert (stopped.exit_code, stopped.json["stopped"]["code"]) == (6, "xero-day-limit")
    assert ready.push().exit_code == 0
    everything_is_there_once(ready, FEW)


# --- odd answers


def answers_changed(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], list[Any]]) -> None:
    """Xero's answers to writes of invoices and contacts come with their elements changed."""
    door = clinic.sandbox.xero.gateway
    answer = door.answer

    def changed(admission: Any, exchange: Any, fault: Any) -> Any:
        given = answer(admission, exchange, fault)
        kind = admission.request.path
        if admission.request.method == "GET" or given.status != 200:
            return given
        document = json.loads(given.body, parse_float=str)
        document[kind] = change(document[kind])
        return replace(given, body=json.dumps(document).encode())

    monkeypatch.setattr(door, "answer", changed)


@pytest.mark.parametrize(
    "change",
    [
        lambda elements: elements[::-1],
        lambda elements: elements[:-1],
        lambda elements: [],
        lambda elements: elements * 2,
    ],
    ids=["in another order", "one missing", "none", "all of them twice"],
)
def test_each_element_of_an_answer_is_known_by_its_number(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], list[Any]]
) -> None:
    ready.takes(*CLINIC)
    with monkeypatch.context() as odd:
        answers_changed(ready, odd, change)
        assert ready.push().exit_code == 0
    everything_is_there_once(ready)


def test_two_invoices_of_one_number_are_never_taken_for_one_after_a_crash(ready: Clinic) -> None:
    ready.takes(client("1"), *(invoice("INV-0001", client_id="1", id=id_) for id_ in ("inv_a", "inv_b")))
    with killed_at(ready, 4, "after") as was_killed:  # organisation, contacts; a contact, the invoices
        assert was_killed()
    assert len(ready.in_xero()) == 1
    ten_minutes_pass(ready)
    assert ready.push().exit_code == 3
    assert len(ready.in_xero()) == 1
    assert [row["code"] for row in ready.unsynced()] == ["invoice-number-taken"]


def test_a_batch_that_is_refused_whole_goes_again_in_smaller_parts(ready: Clinic) -> None:
    ready.takes(*CLINIC)
    ready.control("faults", kind="html", status=400, path="/api.xro/2.0/Invoices", method="PUT")
    assert ready.push().exit_code == 0
    everything_is_there_once(ready)


def test_a_xero_that_refuses_everything_is_not_asked_once_for_every_invoice(ready: Clinic) -> None:
    ready.takes(*CLINIC)
    ready.control("faults", kind="html", status=400, path="/api.xro/2.0/Invoices", method="PUT", count=None)
    assert ready.push().exit_code in {1, 3}
    assert len(ready.writes()) <= 20
    ready.all_is_well_in_xero()
    ready.push("--refresh")
    everything_is_there_once(ready)


def test_invoices_too_large_for_one_call_go_in_several(ready: Clinic) -> None:
    long = [line("1.00", description="x" * 4_000)] * 30
    large = [invoice(f"INV-{number:04d}", long, client_id="1") for number in range(1, 41)]
    ready.takes(client("1"), *large)
    assert ready.push().json["synced"] == 40
    assert max(len(each["body"]) for each in ready.requests()) < 3_500_000
    assert ready.writes().count("PUT Invoices") > 1


# --- this machine


def test_a_second_push_at_the_same_time_exits_7_and_sends_nothing(ready: Clinic) -> None:
    ready.takes(*FEW)
    with another_run(ready):
        second = subprocess.run(
            command_line("push", "--json"),
            env=clean_environment(CASPEN_XERO_HOME=str(ready.home), XERO_URL=ready.sandbox.url),
            capture_output=True,
            check=False,
        )
    assert second.returncode == 7
    assert b"another-run" in second.stdout
    assert ready.calls() == []
    assert ready.push().exit_code == 0


def test_a_disk_that_fills_up_at_any_point_ends_the_push_in_words_and_doubles_nothing(
    ready: Clinic, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(*FEW)
    with kept(ready) as back_to_the_start:
        for room in range(100):
            with monkeypatch.context() as full:
                full.setattr(Store, "__init__", _on_a_disk_with(room, Store.__init__))
                ended = ready.push()
            if ended.exit_code == 0:
                break
            assert (ended.exit_code, ended.json["error"]["code"]) == (1, "store-full")
            assert "full" in ended.json["error"]["message"]
            assert ready.push().exit_code == 0
            everything_is_there_once(ready, FEW)
            back_to_the_start()
    assert room > 3
    everything_is_there_once(ready, FEW)


def test_a_full_disk_during_an_import_leaves_the_store_as_it_was(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export = tmp_path / "many.jsonl"
    export.write_text("".join(f'{{"object": "client", "id": "{n}", "first_name": "N"}}\n' for n in range(5_000)))
    with monkeypatch.context() as full:
        full.setattr(Store, "__init__", _on_a_disk_with(3, Store.__init__))
        ended = ready.cli("import", export, "--json")
    assert (ended.exit_code, ended.json["error"]["code"]) == (1, "store-full")
    assert ready.sql("SELECT COUNT(*) AS n FROM clients")[0]["n"] == 0
    assert ready.cli("import", export).exit_code == 0


def test_a_damaged_store_is_named_and_left_alone(ready: Clinic) -> None:
    ready.store_file.write_bytes(b"this is no database, but what a broken disk left of one" * 200)
    ended = ready.push()
    assert (ended.exit_code, ended.json["error"]["code"]) == (1, "store-no-database")
    assert ready.store_file.read_bytes().startswith(b"this is no database")
    assert ready.calls() == []


def test_a_clock_set_back_is_no_reason_to_send_twice(unread: Clinic) -> None:
    with killed_at(unread, 6, "after") as was_killed:
        assert was_killed()
    tomorrow = utc_text(datetime.now(UTC) + timedelta(days=1))
    unread.sql("UPDATE journal SET first_sent_at = ? WHERE state = 'sent'", tomorrow)
    unread.control("clock", seconds=600)
    assert unread.push().exit_code == 0
    everything_is_there_once(unread)


def _on_a_disk_with(more_pages: int, opened: Callable[..., None]) -> Callable[..., None]:
    """How a store is opened on a disk that has room for so many more pages."""

    def open_store(self: Store, path: Path, **how: Any) -> None:
        opened(self, path, **how)
        (pages,) = self.db.conn.execute("PRAGMA page_count").fetchone()
        self.db.conn.execute(f"PRAGMA max_page_count = {pages + more_pages}")

    return open_store


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
