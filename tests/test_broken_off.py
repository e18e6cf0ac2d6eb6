"""`--json` says all of what was done, whatever ends a run early: one document, with the error in it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import told
from clinics import client, invoice
from conftest import Cli, clean_environment, command_line
from filelock import FileLock
from pushing import Clinic
from typer.testing import CliRunner

from caspen_xero import interruption
from caspen_xero.caspen.feed import FeedError
from caspen_xero.cli import output, sync
from caspen_xero.cli import pull as pull_command
from caspen_xero.cli import push as push_command
from caspen_xero.cli import status as status_command
from caspen_xero.cli.app import app
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.cli.streams import NotTaken
from caspen_xero.interruption import SAME_SIGNAL
from caspen_xero.store import different_money, log, readings
from caspen_xero.store.errors import StoreError
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync import importing
from caspen_xero.sync.pulling import deliver
from caspen_xero.sync.pulling.pull import Pull
from caspen_xero.sync.pulling.undelivered import judge_undelivered
from caspen_xero.sync.sending.fetch import Fetcher
from caspen_xero.sync.sending.journal import Journal
from caspen_xero.sync.sending.push import Push
from caspen_xero.sync.setup.settings import read_settings
from caspen_xero.xero.errors import ConnectNeeded

PULL = {"command", "payments", "invoices_updated", "api_calls", "seconds"}
PUSH = {"command", "dry_run", "synced", "updated", "unsynced", "skipped", "payments", "api_calls", "seconds"}


def disk_full() -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[attr-defined]
    return error


ERRORS: dict[str, tuple[Callable[[], BaseException], int, str]] = {
    "Xero": (lambda: ConnectNeeded("connect-needed", "The sign-in ended.", "caspen-xero connect"), 4, "connect-needed"),
    "the source": (lambda: FeedError("source-unreadable", "It can't be read.", ""), 1, "source-unreadable"),
    "the store": (lambda: StoreError("store-damaged", "It is damaged.", ""), 1, "store-damaged"),
    "SQLite": (disk_full, 1, "store-full"),
    "the system": (lambda: OSError(5, "Input/output error", "somewhere"), 1, "system-error"),
    "Ctrl-C": (KeyboardInterrupt, 130, "interrupted"),
    "another run": (lambda: SessionError("another-run", "Busy.", "", 7), 7, "another-run"),
}
STAGES: dict[str, tuple[Any, str]] = {
    "before the pull": (pull_command, "pull_now"),
    "as the pull begins": (Pull, "run"),
    "in the middle of the pull": (Pull, "_take"),
    "before Caspen is told": (deliver, "judge_undelivered"),
    "while Caspen is told": (deliver, "append_updates"),
    "as the pull is noted": (log, "end"),
    "between pull and push": (Session, "start_again"),
    "before the push": (push_command, "push_now"),
    "as the push begins": (Push, "run"),
    "in the middle of the push": (Journal, "send"),
    "after a write": (Fetcher, "forget"),
    "as the push notes what is wrong": (Push, "_note"),
    "while the two sides are compared": (push_command, "note_standing"),
}


@pytest.fixture
def paid(ready: Clinic) -> Clinic:
    """A clinic with an invoice that was paid in Xero, and one that is to be sent; each has a client."""
    ready.takes(client("1"), client("2"), invoice("INV-0001", client_id="1"))
    assert ready.push().exit_code == 0
    in_xero.pays(ready, "INV-0001", "65.00")
    ready.takes(invoice("INV-0002", client_id="2"))
    ready.forget_calls()
    return ready


def ended_by(clinic: Clinic, stage: str, error: Callable[[], BaseException], monkeypatch: pytest.MonkeyPatch) -> Any:
    """`sync --json` which that error ends at that stage: the exit code, and the one document on stdout."""
    place, name = STAGES[stage]
    went = getattr(place, name)

    broke: list[str] = []

    def breaks(*arguments: Any, **more: Any) -> Any:
        if stage == "as the pull is noted" and broke:
            return went(*arguments, **more)  # how the whole has ended is noted after that
        broke.append(stage)
        if stage == "in the middle of the push" and clinic.writes() == []:
            return went(*arguments, **more)  # the contact goes, and then
        raise error()

    with monkeypatch.context() as broken:
        broken.setattr(place, name, breaks)
        if hasattr(sync, name):
            broken.setattr(sync, name, breaks)
        return clinic.cli("sync", "--json")


@pytest.mark.parametrize("stage", STAGES)
def test_whatever_ends_a_sync_both_halves_are_told(paid: Clinic, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    for nth, (name, (error, exit_code, code)) in enumerate(ERRORS.items(), 10):
        if stage == "after a write":  # what the one before wrote stays written
            paid.takes(invoice(f"INV-{nth}", client_id="2"))
        ended = ended_by(paid, stage, error, monkeypatch)
        document = ended.json
        assert document["command"] == "sync"
        assert {"pull", "push"} <= set(document)
        if "error" not in document:  # the engines end in words of their own, and what lies on no way breaks nothing
            in_an_engine = any(word in stage for word in ("push", "pull", "write"))
            own = {"the source"} if "told" in stage else {"Xero"} if in_an_engine else set()
            assert name in own or "compared" in stage, (stage, name)
            continue
        assert (ended.exit_code, document["error"]["code"]) == (exit_code, code), (stage, name)
        pull, push = document["pull"], document["push"]
        assert (pull is None) == (stage == "before the pull")
        assert pull is None or set(pull) >= PULL
        assert push is None or set(push) >= PUSH
        if stage in {
            "as the push begins",
            "in the middle of the push",
            "after a write",
            "as the push notes what is wrong",
        }:
            assert push is not None
        else:
            assert push is None or "push" in stage or "compared" in stage


def test_what_was_done_before_is_in_the_document(paid: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ended_by(paid, "in the middle of the push", disk_full, monkeypatch)
    document = ended.json
    assert (document["pull"]["payments"], document["push"]["contacts_created"]) == (1, 1)
    assert document["error"]["code"] == "store-full"
    assert [(each["invoice_number"], Decimal(each["amount"])) for each in told(paid)] == [("INV-0001", Decimal(65))]
    again = paid.cli("sync", "--json")
    assert (again.exit_code, again.json["pull"]["payments"], again.json["push"]["synced"]) == (0, 0, 1)


def test_a_mistake_of_ours_is_in_the_document_too_and_not_hidden(paid: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*arguments: Any) -> None:
        raise RuntimeError("what nobody thought of")

    monkeypatch.setattr(Journal, "send", breaks)
    ended = CliRunner().invoke(app, ["sync", "--json"])
    document = json.loads(ended.stdout)
    assert (ended.exit_code, document["pull"]["payments"], document["error"]["code"]) == (1, 1, "defect")
    assert document["error"]["message"].startswith("This is a fault of caspen-xero's own: RuntimeError in caspen_xero/")


@pytest.mark.parametrize("command", ["pull", "push"])
def test_a_pull_or_a_push_alone_says_what_it_did(paid: Clinic, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    ends = log.end

    def breaks(*arguments: Any, **more: Any) -> None:
        monkeypatch.setattr(log, "end", ends)
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "end", breaks)
    ended = paid.cli(command, "--json")
    assert (ended.exit_code, ended.json["command"], ended.json["error"]["code"]) == (130, command, "interrupted")
    assert ended.json["payments" if command == "pull" else "synced"] == 1


def test_a_sync_that_cannot_begin_says_that_neither_half_did(paid: Clinic) -> None:
    with FileLock(paid.home / "default" / "run.lock"):
        refused = paid.cli("sync", "--json")
    assert refused.exit_code == 7
    assert (refused.json["pull"], refused.json["push"]) == (None, None)


@pytest.mark.parametrize(
    ("signals", "done"),
    [([signal.SIGTERM], 1), ([signal.SIGINT], 1), ([signal.SIGINT, signal.SIGINT], 0)],
    ids=["SIGTERM", "Ctrl-C", "Ctrl-C twice"],
)
def test_a_sync_that_is_told_to_end_ends_after_the_call_under_way(
    paid: Clinic, signals: list[signal.Signals], done: int
) -> None:
    """As systemd, cron's time-outs and Ctrl-C do it, while Xero is at work on the first write. A second one ends it at once."""
    door = paid.sandbox.xero.gateway
    admit = door.admit
    process = subprocess.Popen(
        command_line("sync", "--json", "--max-age", "1h"),
        env=clean_environment(CASPEN_XERO_HOME=str(paid.home), XERO_URL=paid.sandbox.url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def ends(exchange: Any, fault: Any) -> Any:
        if exchange.method == "PUT":
            for place, number in enumerate(signals):
                time.sleep(1.2 * SAME_SIGNAL if place else 0)
                os.kill(process.pid, number)
            if len(signals) > 1:
                process.wait(timeout=20)
        return admit(exchange, fault)

    door.admit = ends  # type: ignore[method-assign]
    try:
        said, _ = process.communicate(timeout=30)
    finally:
        door.admit = admit  # type: ignore[method-assign]
    document = json.loads(said)
    assert (process.returncode, document["error"]["code"]) == (130, "interrupted")
    assert (document["pull"]["payments"], document["push"]["contacts_created"], document["push"]["synced"]) == (
        1,
        done,
        0,
    )
    assert ("1 contact created" in document["error"]["message"]) == bool(done)
    assert ("may have been broken off" in document["error"]["message"]) != bool(done)
    assert document["error"]["fix"] == "caspen-xero sync --max-age 1h"
    assert [tuple(row) for row in paid.sql("SELECT count(*) FROM journal WHERE state = 'sent'")] == [(1 - done,)]
    assert paid.cli("sync", "--json").exit_code == 0
    assert set(paid.in_xero()) == {"INV-0001", "INV-0002"}


def test_a_push_that_waits_ends_at_once_and_leaves_nothing_open(paid: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it waits for Xero's minute, and has sent nothing of what it waits for."""
    with monkeypatch.context() as waiting:
        waiting.setattr(interruption, "_state", interruption._State())
        waiting.setattr(interruption.time, "sleep", lambda seconds: interruption._heard(signal.SIGINT, None))
        paid.control("faults", kind="429-minute", path="/api.xro/2.0/Contacts", method="PUT", seconds=30)
        ended = paid.cli("push", "--json")
    assert (ended.exit_code, ended.json["contacts_created"], ended.json["error"]["code"]) == (130, 0, "interrupted")
    states = [row[0] for row in paid.sql("SELECT state FROM journal ORDER BY rowid DESC LIMIT 1")]
    assert states == ["not-sent"]
    assert paid.push().exit_code == 0
    assert set(paid.in_xero()) == {"INV-0001", "INV-0002"}


def test_what_caspen_was_told_apart_from_is_kept_with_each_record_that_it_was_told(
    paid: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told over HTTP, and broken off between two records: the first is not judged again."""
    in_xero.pays(paid, "INV-0001", "10.00")
    ended_by(paid, "while Caspen is told", disk_full, monkeypatch)

    class Feed:
        told = 0

        def __init__(self, *_: Any, **__: Any) -> None: ...

        def post_payment(self, *_: Any) -> None:
            Feed.told += 1
            if Feed.told == 2:
                raise KeyboardInterrupt

        def close(self) -> None: ...

    monkeypatch.setattr("caspen_xero.caspen.api.ApiFeed", Feed)
    with closing(Store(paid.store_file)) as store:
        mappings, settings = Mappings(store, paid.tenant_id), read_settings(store)
        at_caspen = replace(settings, source="https://caspen.example/v1")
        judged = judge_undelivered(mappings, settings, datetime.now(UTC))
        first, second = (one.xero_id for one in judged.to_tell)
        judged.unlike = {("pay_1/a", first), ("pay_1/a", second)}
        monkeypatch.setattr(deliver, "judge_undelivered", lambda *_: judged)
        with pytest.raises(KeyboardInterrupt):
            deliver.deliver(mappings, at_caspen, lambda: datetime.now(UTC))
        assert different_money.pairs(mappings) == {("pay_1/a", first)}


def test_an_interrupted_reconciliation_says_what_is_kept_and_that_it_goes_on_there(
    paid: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = readings.keep

    def keeps_one(*arguments: Any) -> None:
        keep(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(readings, "keep", keeps_one)
    ended = paid.cli("reconcile")
    kept = "What was read of Xero is kept for 7 days, 1 document so far: the same command goes on from there."
    assert (ended.exit_code, kept in ended.stderr) == (130, True), ended.stderr
    assert "-> caspen-xero reconcile" in ended.stderr


def test_an_interrupted_import_says_that_nothing_was_taken_in(paid: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*arguments: Any) -> None:
        raise KeyboardInterrupt

    file = paid.home.parent / "more.jsonl"
    file.write_text(json.dumps(client("77")))
    monkeypatch.setattr(importing, "import_records", breaks)
    ended = paid.cli("import", file)
    assert (ended.exit_code, "Nothing of what was being read was taken in" in ended.stderr) == (130, True)


def test_what_was_not_begun_in_all_workspaces_is_named(paid: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*arguments: Any) -> None:
        raise KeyboardInterrupt

    for name in ("north", "south"):
        assert paid.cli("workspaces", "add", name).exit_code == 0
        assert paid.cli("--workspace", name, "settings", "set", "--payments", "off").exit_code == 0
    monkeypatch.setattr(status_command, "read_standing", breaks)
    ended = paid.cli("status", "--all-workspaces")
    assert ended.exit_code == 130
    assert "Not begun: north, south. To go on:  caspen-xero status --all-workspaces" in ended.stderr


def test_ctrl_c_of_which_a_library_makes_an_error_of_its_own_ends_as_interrupted(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pydantic does where it comes while pydantic has us write a decimal."""

    def write(*_: Any) -> None:
        try:
            interruption._heard(signal.SIGINT, None)
        except KeyboardInterrupt:
            raise ValueError("Error calling function") from None

    monkeypatch.setattr(interruption._state, "heard_at", None)
    with monkeypatch.context() as broken:
        broken.setattr(importing, "import_records", write)
        (tmp_path / "export.jsonl").write_text(json.dumps(invoice("INV-0001")))
        ended = cli("import", tmp_path / "export.jsonl", "--json")
    assert (ended.exit_code, ended.json["error"]["code"]) == (130, "interrupted")


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_ctrl_c_while_the_program_is_loaded_ends_it_in_one_sentence(as_json: list[str], home: Path) -> None:
    script = f"""
import os, signal, sys
class Finds:
    def find_spec(self, name, *_):
        if name == "caspen_xero.cli.app":
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finds())
sys.argv = {["caspen-xero", "status", *as_json]}
from caspen_xero.cli.start import main
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=clean_environment(CASPEN_XERO_HOME=str(home)),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 130
    if as_json:
        assert (json.loads(ended.stdout)["error"]["code"], ended.stderr) == ("interrupted", "")
    else:
        assert (ended.stdout, ended.stderr) == ("", "Error: Interrupted.\n")


def test_a_sync_of_which_nobody_reads_the_pull_pushes(paid: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `| head`."""

    def nobody_reads(text: str) -> None:
        raise NotTaken(BrokenPipeError())

    monkeypatch.setattr(output, "give", nobody_reads)
    paid.cli("sync")
    assert set(paid.in_xero()) == {"INV-0001", "INV-0002"}
