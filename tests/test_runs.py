"""Exit codes, the log and `status` tell how runs ended, the same way each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from clinics import TAX_RATES, client, invoice, line
from conftest import clean_environment, command_line
from pushing import Clinic

from caspen_xero.sandbox.identity.unauthorised import Refused
from caspen_xero.sandbox.trouble.faults import INTERNAL_ERROR
from caspen_xero.xero.client import XeroClient

NELL = client("1048237", "Nell", "Okafor", email="nell@example.org")
UNKNOWN_RATE = {"object": "tax_rate", "id": "tax_odd", "name": "Levy", "rate": "0", "archived": False}
LINKED, UNLINKED = [line()], [line(tax_rate_id="tax_odd")]


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """A clinic with an invoice that was sent."""
    ready.takes(*TAX_RATES, NELL, invoice())
    assert ready.push().exit_code == 0
    return ready


@pytest.fixture
def in_melbourne(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Australia/Melbourne")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def status(clinic: Clinic) -> dict[str, Any]:
    return dict(clinic.cli("status", "--json").json)


def shown(clinic: Clinic, fact: str) -> str:
    """A fact as `status` shows it to people."""
    lines = clinic.cli("status").stdout.splitlines()
    return next((" ".join(one.split()).removeprefix(f"{fact} ") for one in lines if one.strip().startswith(fact)), "")


# --- exit codes


def test_one_invoice_that_can_not_go_among_others_that_did_ends_each_push_alike(ready: Clinic) -> None:
    ready.takes(*TAX_RATES, UNKNOWN_RATE, NELL, *(invoice(f"INV-{n:04}") for n in range(1, 6)))
    ready.takes(invoice("INV-0009", UNLINKED))
    assert [ready.push().exit_code for _ in range(3)] == [3, 3, 3]
    assert ready.cli("sync").exit_code == 3
    assert ready.cli("status", "--max-age", "1h").exit_code == 0


def test_where_nothing_can_be_sent_and_nothing_is_there_that_is_said_each_time(ready: Clinic) -> None:
    ready.takes(*TAX_RATES, UNKNOWN_RATE, NELL, invoice("INV-0009", UNLINKED))
    assert [ready.push().exit_code for _ in range(3)] == [5, 5, 5]
    assert ready.cli("sync").exit_code == 5
    assert ready.cli("status", "--max-age", "1h").exit_code == 1
    assert "nothing could be sent" in shown(ready, "Last push")


@pytest.mark.parametrize("seed", range(8))
def test_a_push_with_nothing_changed_since_ends_as_the_one_before(ready: Clinic, seed: int) -> None:
    dice = Random(seed)
    records: list[dict[str, Any]] = [client(f"c{n}", f"Client{n}", "Lee") for n in range(3)]
    for n in range(dice.randint(1, 6)):
        lines = dice.choice([LINKED, UNLINKED, [line("-20.00"), line()]])
        record = invoice(f"INV-{n:04}", lines, client_id=f"c{dice.randrange(3)}")
        record |= dice.choice([{}, {}, {"status": "draft"}, {"status": "void"}, {"total": "1.00"}])
        records.append(record)
    ready.cli("import", _export(ready, [*TAX_RATES, UNKNOWN_RATE, *records]))
    if dice.random() < 0.3:
        ready.cli("settings", "set", "--start-date", "2030-01-01")
    codes = {command: [ready.cli(command).exit_code for _ in range(3)] for command in ("push", "sync")}
    assert all(len(set(each)) == 1 for each in codes.values()), codes


def _export(clinic: Clinic, records: list[dict[str, Any]]) -> Path:
    file = clinic.home.parent / "random.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


# --- how runs ended


def test_status_says_how_the_last_runs_ended(synced: Clinic) -> None:
    synced.takes(UNKNOWN_RATE, invoice("INV-0002", UNLINKED))
    assert synced.cli("sync").exit_code == 3
    told = status(synced)
    assert [told[name]["ended"] for name in ("last_push", "last_pull", "last_sync")] == ["partly", "ok", "partly"]
    assert told["last_good_push"] == told["last_sync"]["ended_at"]
    assert shown(synced, "Last push").endswith(": partly, 0 synced, 1 unsynced")


def test_a_pull_ends_alike_for_the_same_facts_whether_a_push_follows_or_not(synced: Clinic) -> None:
    synced.takes(UNKNOWN_RATE, invoice("INV-0002", UNLINKED))
    assert synced.push().exit_code == 3
    for command in ("pull", "sync", "pull"):
        assert synced.cli(command).exit_code == 3
        last = status(synced)["last_pull"]
        assert (last["ended"], last["exit_code"]) == ("partly", 3), command
    synced.cli("taxes", "map", "Levy", "EXEMPTOUTPUT")
    assert synced.cli("sync").exit_code == 0  # what the pull has seen the push has mended
    assert synced.cli("pull").exit_code == 0
    assert status(synced)["last_pull"]["ended"] == "ok"


@pytest.mark.parametrize("command", ["push", "pull", "sync"])
def test_a_dead_sign_in_is_how_the_run_ended(synced: Clinic, command: str) -> None:
    synced.takes(invoice("INV-0002"))
    good = status(synced)["last_good_push"]
    (synced.home / "default" / "tokens.json").unlink()
    assert synced.cli(command).exit_code == 4
    told = status(synced)
    for run in {"push": ["push"], "pull": ["pull"], "sync": ["push", "pull", "sync"]}[command]:
        last = told[f"last_{run}"]
        assert (last["ended"], last["exit_code"], last["error"]["code"]) == ("stopped", 4, "not-connected")
        assert "stopped: There is no sign-in" in shown(synced, f"Last {run}")
    assert told["last_good_push"] == good
    assert (told["sign_in"]["works"], told["sign_in"]["until"]) == (False, None)
    assert "does not work: there is no sign-in" in shown(synced, "Sign-in")


@pytest.mark.parametrize("trouble", ["a dead sign-in", "the network"])
def test_a_sync_of_which_one_half_failed_is_no_good_push(synced: Clinic, trouble: str) -> None:
    good = status(synced)["last_good_push"]
    if trouble == "the network":
        synced.control("faults", kind="503", path="/Invoices", method="GET", count=10)
    else:
        (synced.home / "default" / "tokens.json").unlink()
    ended = synced.cli("sync")
    assert ended.exit_code == (6 if trouble == "the network" else 4)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("  ->")]
    assert [line for line in said if line.startswith("Error: ")] == said[-1:]  # the one error is the last that is said
    told = status(synced)
    assert (told["last_push"]["ended"], told["last_good_push"]) == ("ok", good)  # nothing was to be sent
    assert shown(synced, "Last good push") != ""


def test_a_push_of_named_invoices_is_no_good_push_of_all(synced: Clinic) -> None:
    synced.takes(invoice("INV-0002"), invoice("INV-0003"))
    good = status(synced)["last_good_push"]
    assert synced.push("INV-0002").exit_code == 0
    told = status(synced)
    assert (told["last_push"]["named"], told["last_good_push"]) == (1, good)
    assert shown(synced, "Last push").endswith(": ok, only what was named (1), 1 synced, 0 unsynced")
    assert shown(synced, "Last good push") != ""


def test_without_any_good_push_that_is_what_is_said(ready: Clinic) -> None:
    told = ready.cli("status", "--max-age", "26h")
    assert (told.exit_code, told.stderr) == (1, "Error: There has been no good push yet.\n  -> caspen-xero push\n")


def test_a_run_that_never_reached_xero_is_told_too(synced: Clinic, tmp_path: Path) -> None:
    source = tmp_path / "export"
    source.mkdir()
    synced.cli("settings", "set", "--source", source)
    (source / "all.jsonl").write_text("{")
    assert synced.cli("sync").exit_code == 1
    told = status(synced)
    assert {told[f"last_{run}"]["error"]["code"] for run in ("push", "pull", "sync")} == {
        told["last_sync"]["error"]["code"]
    }
    assert [told[f"last_{run}"]["command"] for run in ("push", "pull", "sync")] == ["sync"] * 3
    assert str(source) in told["last_push"]["error"]["message"]
    assert synced.cli("status", "--max-age", "1h").exit_code == 0  # the push before it was good


def test_a_run_that_another_one_kept_off_says_by_which_and_since_when(
    synced: Clinic, in_melbourne: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = XeroClient.send
    told: list[Any] = []

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        told.append(synced.cli("pull"))
        told.append((status(synced), shown(synced, "Last push")))
        return send(*arguments, **options)

    synced.takes(invoice("INV-0002"))
    monkeypatch.setattr(XeroClient, "send", meanwhile)
    assert synced.push().exit_code == 0
    refused, (during, words) = told[:2]
    began = datetime.fromisoformat(during["last_push"]["started_at"]).astimezone()
    assert refused.exit_code == 7
    active = f"push (process {os.getpid()}), since {began:%H:%M AEDT}"
    assert f"Another caspen-xero run is active in this workspace: {active}." in refused.stderr
    assert (during["last_push"]["ended"], during["interrupted"]) == (None, [])
    assert words == f"running since {began:%Y-%m-%d %H:%M AEDT}"
    after = status(synced)
    assert (after["last_push"]["ended"], after["last_pull"]["exit_code"]) == ("ok", 7)
    assert after["last_pull"]["error"]["code"] == "another-run"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["push", "sync"])
def test_a_run_that_was_broken_off_is_told_as_that(synced: Clinic, command: str, how: signal.Signals) -> None:
    synced.takes(invoice("INV-0002"))
    with broken_off(synced, command, how) as began:
        told = status(synced)
    last = told["last_push"]
    assert (last["command"], last["ended"]) == (command, "interrupted")
    assert "interrupted" in shown(synced, "Last push")
    assert told["interrupted"] == ([{"command": command, "started_at": began}] if how is signal.SIGKILL else [])
    assert last["exit_code"] == (None if how is signal.SIGKILL else 130)
    assert synced.cli("status", "--max-age", "1h").exit_code == 0
    assert synced.push().exit_code == 0
    told = status(synced)
    assert (told["last_push"]["ended"], told["interrupted"]) == ("ok", [])


@contextmanager
def broken_off(clinic: Clinic, command: str, how: signal.Signals) -> Iterator[str]:
    """A run that ends by this signal at its first call of Xero; gives when it had begun."""
    door = clinic.sandbox.xero.gateway
    admit = door.admit
    process = subprocess.Popen(
        command_line(command, "--quiet"),
        env=clean_environment(CASPEN_XERO_HOME=str(clinic.home), XERO_URL=clinic.sandbox.url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def at_the_first_call(exchange: Any, fault: Any) -> Any:
        os.kill(process.pid, how)
        process.wait(timeout=20)
        raise Refused(INTERNAL_ERROR)

    door.admit = at_the_first_call  # type: ignore[method-assign]
    try:
        process.wait(timeout=30)
        (row,) = clinic.sql("SELECT started_at FROM log WHERE command = ? AND id > 1 ORDER BY id LIMIT 1", command)
        yield row["started_at"]
    finally:
        door.admit = admit  # type: ignore[method-assign]
        process.kill()


def test_a_killed_run_is_not_taken_for_the_one_that_is_active(synced: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    synced.takes(invoice("INV-0002"))
    with broken_off(synced, "pull", signal.SIGKILL) as began:
        pass
    send, told = XeroClient.send, list[Any]()

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        told.append(status(synced))
        return send(*arguments, **options)

    monkeypatch.setattr(XeroClient, "send", meanwhile)
    assert synced.push().exit_code == 0
    assert (told[0]["last_push"]["ended"], told[0]["last_pull"]["ended"]) == (None, "interrupted")
    assert told[0]["interrupted"] == [{"command": "pull", "started_at": began}]


# --- what else is known without asking


def test_status_says_until_when_the_sign_in_lasts_and_how_many_calls_are_left_as_last_seen(synced: Clinic) -> None:
    synced.forget_calls()
    told = status(synced)
    connected = datetime.fromisoformat(
        json.loads(synced.sql("SELECT value FROM settings WHERE key = 'connection'")[0]["value"])["connected_at"]
    )
    assert told["sign_in"]["kind"] == "pkce"
    assert told["sign_in"]["works"] is True
    assert datetime.fromisoformat(told["sign_in"]["until"]) >= connected + timedelta(days=60)
    left = told["calls_left_today"]
    assert 0 < left["left"] < 1_000_000
    assert datetime.now(UTC) - datetime.fromisoformat(left["as_of"]) < timedelta(minutes=2)
    assert f"{left['left']} of Xero's limit for the day" in shown(synced, "Calls left")
    assert synced.calls() == []


def test_a_sign_in_lasts_from_when_it_was_last_renewed(synced: Clinic) -> None:
    before = status(synced)["sign_in"]["until"]
    tokens = synced.home / "default" / "tokens.json"
    kept = json.loads(tokens.read_text())
    tokens.write_text(json.dumps({name: value for name, value in kept.items() if name != "access"}))
    assert synced.cli("pull").exit_code == 0
    assert status(synced)["sign_in"]["until"] > before


# --- times


def test_people_read_local_times_with_the_zone_and_scripts_utc(synced: Clinic, in_melbourne: None) -> None:
    synced.takes(UNKNOWN_RATE, invoice("INV-0002", UNLINKED))
    synced.push()
    last = status(synced)["last_push"]["ended_at"]
    assert last.endswith("Z")
    here = datetime.fromisoformat(last).astimezone()
    assert here.utcoffset() == timedelta(hours=11)
    assert shown(synced, "Last push").startswith(f"{here:%Y-%m-%d %H:%M} AEDT: partly")
    for command in (("log",), ("unsynced", "--all"), ("invoices", "show", "INV-0001")):
        words = synced.cli(*command).stdout
        assert f"{here:%Y-%m-%d %H:%M}" in words
        assert "AEDT" in words
        assert "AEDT" not in synced.cli(*command, "--json").stdout
