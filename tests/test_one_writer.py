"""One run at a time writes in a workspace: what would change something waits its turn, what only shows something works."""

from __future__ import annotations

from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from clinics import TAX_RATES, client, invoice, line
from filelock import FileLock
from pushing import Clinic
from running import another_run, contents

from caspen_xero.sync.sending.journal import Journal

NELL = client("1048237", "Nell", "Okafor", email="nell@example.org")


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """A clinic with an invoice that was sent."""
    ready.takes(*TAX_RATES, NELL, invoice())
    assert ready.push().exit_code == 0
    return ready


def all_but_runs(clinic: Clinic) -> list[str]:
    """All that stands in the store but for the runs: one that was refused is noted too."""
    return [row for row in contents(clinic) if not row.startswith('INSERT INTO "log"')]


@pytest.mark.parametrize(
    "command",
    [
        "settings set --privacy generic",
        "settings set --sales-account 260 --payment-method EFTPOS=090",
        "settings set --source none",
        "taxes map GST OUTPUT",
        "taxes map --suggest",
        "taxes unmap GST",
        "connect --client-id TEST-APP --no-browser",
        "disconnect",
        "disconnect --local-only",
        "import {export}",
        "invoices skip INV-0001",
        "invoices unskip INV-0001",
        "invoices link INV-0001 60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1",
        "invoices unlink INV-0001",
        "push",
        "push --dry-run",
        "pull",
        "sync",
        "adopt",
    ],
)
def test_what_changes_something_is_refused_while_another_run_is_active(
    synced: Clinic, tmp_path: Path, command: str
) -> None:
    export = tmp_path / "more.jsonl"
    export.write_text("")
    before = all_but_runs(synced)
    with another_run(synced):
        refused = synced.cli(*command.format(export=export).split(), "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (7, "another-run")
    assert all_but_runs(synced) == before
    assert synced.cli("status", "--json").json["connected"]


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "unsynced",
        "invoices list",
        "invoices show INV-0001",
        "settings show",
        "settings accounts",
        "taxes list",
        "log",
        "drift",
        "doctor",
    ],
)
def test_what_only_shows_something_works_while_another_run_is_active(synced: Clinic, command: str) -> None:
    before = [row for row in contents(synced) if '"xero_lists"' not in row]
    with another_run(synced):
        shown = synced.cli(*command.split(), "--json")
    assert shown.exit_code == 0
    assert "error" not in shown.json
    assert [row for row in contents(synced) if '"xero_lists"' not in row] == before  # Xero's lists may be newer


def test_a_new_workspace_waits_for_nobody(clinic: Clinic) -> None:
    for file in clinic.store_file.parent.glob("store.sqlite*"):
        file.unlink()
    with another_run(clinic):
        shown = clinic.cli("status", "--json")
    assert (shown.exit_code, shown.json["connected"]) == (0, False)


def test_tax_rates_are_shown_as_they_stand_while_another_run_reads_the_source(
    connected: Path, clinic: Clinic, tmp_path: Path
) -> None:
    (tmp_path / "export").mkdir()
    assert clinic.cli("taxes", "map", "GST", "OUTPUT").exit_code == 0
    assert clinic.cli("settings", "set", "--source", tmp_path / "export").exit_code == 0
    clinic.takes(*TAX_RATES)
    with another_run(clinic):
        assert clinic.cli("taxes", "list", "--json").json["waiting"] == [{"rate": "GST", "tax_type": "OUTPUT"}]
    assert "waiting" not in clinic.cli("taxes", "list", "--json").json


def test_a_setting_changed_in_the_middle_of_a_push_is_refused_and_mixes_nothing(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.takes(*TAX_RATES, NELL, *(invoice(f"INV-{number:04}", [line(), line("20.00")]) for number in range(1, 4)))
    send, refusals = Journal.send, list[Any]()

    def change_and_send(journal: Journal, steps: Any) -> None:
        send(journal, steps)
        refusals.append(ready.cli("settings", "set", "--privacy", "generic", "--json"))
        refusals.append(ready.cli("taxes", "unmap", "GST", "--json"))
        # Somebody with a SQLite tool keeps to no lock.
        ready.sql("INSERT OR REPLACE INTO settings (tenant_id, key, value) VALUES ('', 'privacy', 'generic')")
        ready.sql("INSERT OR REPLACE INTO settings (tenant_id, key, value) VALUES ('', 'invoice_status', 'draft')")

    monkeypatch.setattr(Journal, "send", change_and_send)
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (0, 3)
    assert len(refusals) >= 4  # contacts, then invoices
    assert {(refused.exit_code, refused.json["error"]["code"]) for refused in refusals} == {(7, "another-run")}
    assert list(ready.contacts()) == ["Nell Okafor (Caspen 48237)"]
    for sent in ready.in_xero().values():
        assert sent["Status"] == "AUTHORISED"
        assert {row["Description"] for row in sent["LineItems"]} == {"Initial consultation"}


def test_a_walk_through_is_refused_before_anything_is_asked(synced: Clinic, terminal: Any) -> None:
    with another_run(synced):
        for command in (("settings", "set"), ("taxes", "map")):
            refused = terminal(*command)
            assert refused.exit_code == 7
            assert "Another caspen-xero run is active" in refused.stdout


def test_a_push_can_run_while_a_person_thinks_and_the_answers_wait_for_its_end(
    synced: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = FileLock(synced.home / "default" / "run.lock", thread_local=False)
    pushes: list[int] = []

    def pick(output: Any, title: str, options: Any, *, chosen: int | None = None, **more: Any) -> int | None:
        if not title.startswith("What of a client"):
            return chosen
        pushes.append(synced.push().exit_code)
        lock.acquire()  # the next one begins, and is at it when the last answer is given
        Timer(0.5, lock.release).start()
        return 2

    monkeypatch.setattr("caspen_xero.cli.settings.somebody_is_there", lambda output: True)
    monkeypatch.setattr("caspen_xero.cli.settings_walk.pick", pick)
    monkeypatch.setattr("caspen_xero.cli.settings_walk.ask", lambda *arguments, **more: "")
    assert synced.cli("settings", "set").exit_code == 0
    assert pushes == [0]
    assert synced.cli("settings", "show", "--json").json["settings"]["privacy"] == "generic"
