"""`disconnect --purge`: nothing of anybody is left in the workspace, and what is in doubt is said before nobody knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pushing import Clinic, connected_to
from running import another_run
from test_last_net import raising
from test_purge import OLD, left_in
from typer.testing import CliRunner

from caspen_xero.cli.app import app
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.sync import importing
from caspen_xero.sync.sending.journal import Journal


class Killed(BaseException):
    """The machine was switched off."""


def dies(*arguments: Any) -> None:
    raise Killed


GONE = ("disconnect", "--purge", "--yes", "--local-only")


@pytest.fixture
def at_its_own_xero(cli: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """A clinic that may be disconnected from its Xero without any other test's being so."""
    with Sandbox(auto_approve=True) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        yield in_full_use(connected_to(box, cli, home), monkeypatch)


@pytest.fixture
def used(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    return in_full_use(ready, monkeypatch)


def in_full_use(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """A workspace with all that one can keep."""
    ready.takes(*OLD)
    assert ready.push().exit_code == 0
    assert ready.cli("backup").exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(importing, "FileFeed", raising(RuntimeError("Nell")))
        assert CliRunner().invoke(app, ["import", str(ready.home)]).exit_code == 1
    (ready.home / "default" / "caspen-key.json").write_text('{"secret": "Nell"}')
    (ready.home / "default" / ".new-abc.sqlite").write_text("Nell")
    (ready.home / "default" / ".restore-abc").mkdir()
    (ready.home / "default" / ".restore-abc" / "store.sqlite").write_text("Nell")
    return ready


def files(clinic: Clinic) -> set[str]:
    return {file.name for file in (clinic.home / "default").rglob("*") if file.is_file()}


def test_nothing_of_anybody_is_left(at_its_own_xero: Clinic) -> None:
    used = at_its_own_xero
    assert {"store.sqlite", "tokens.json"} < files(used)
    assert any((used.home / "default" / "defects").iterdir())
    document = used.cli("disconnect", "--purge", "--yes", "--json").json
    assert {name for name in files(used) if not name.endswith(".lock")} == set()
    assert (document["organisation"]["name"], document["disconnected_at_xero"]) == ("Demo Company (AU)", True)
    assert document["purged"]["in_xero"] == {
        "allocations": 1,
        "contacts": 1,
        "credit notes": 1,
        "invoices": 2,
        "payments": 1,
    }
    assert (document["purged"]["left"], document["purged"]["in_doubt"]) == ([], [])
    assert {"the sign-in", "store.sqlite", "caspen-key.json"} < set(document["purged"]["removed"])
    assert len(used.in_xero()) == 2
    assert used.cli("status", "--json").json["connected"] is False


def test_it_asks_and_enter_means_no(used: Clinic, terminal: Callable[..., Any]) -> None:
    before = files(used)
    assert terminal("disconnect", "--purge", "--local-only", typing=[("Delete all that is kept", "")]).exit_code == 0
    assert files(used) == before
    done = terminal("disconnect", "--purge", "--local-only", typing=[("Delete all that is kept", "y")])
    assert (done.exit_code, "What is in Xero stays there: " in done.stdout) == (0, True)
    assert "store.sqlite" not in files(used)


def test_where_nobody_can_be_asked_it_goes_on(used: Clinic) -> None:
    assert used.cli("disconnect", "--purge", "--local-only").exit_code == 0
    assert "store.sqlite" not in files(used)


def test_another_run_is_not_disturbed(used: Clinic) -> None:
    with another_run(used):
        assert used.cli("disconnect", "--purge", "--yes").exit_code == 7
    assert "store.sqlite" in files(used)


def test_what_is_in_doubt_is_said_first(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.takes(*OLD)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_settle", dies)
        with pytest.raises(Killed):
            ready.push()
    refused = ready.cli("disconnect", "--purge", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "writes-unsettled")
    assert "create contact caspen-1048237" in refused.json["error"]["message"]
    assert "store.sqlite" in files(ready)
    done = ready.cli(*GONE)
    assert done.exit_code == 0
    assert "create contact caspen-1048237" in done.stderr
    assert "store.sqlite" not in files(ready)


def test_nothing_is_deleted_through_a_link(used: Clinic, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    workspace = used.home / "default"
    (workspace / "backups").rename(elsewhere)
    (workspace / "backups").symlink_to(elsewhere)
    (workspace / ".restore-link").symlink_to(elsewhere)
    document = used.cli(*GONE, "--json").json
    assert list(elsewhere.iterdir())
    assert document["purged"]["left"] == [str(workspace / "backups")]


def test_a_damaged_store_goes_too(used: Clinic) -> None:
    used.store_file.write_text("Nell, in no database")
    done = used.cli(*GONE, "--json")
    assert done.exit_code == 0, done.stdout
    assert left_in(used.home / "default") == {}
    assert "keyring" in done.json["purged"]["left"][0]


def test_what_xero_can_not_be_told_stops_it_unless_it_is_local_only(used: Clinic) -> None:
    used.control("faults", kind="drop-before", path="/connections", count=None)
    refused = used.cli("disconnect", "--purge", "--yes")
    assert refused.exit_code == 6
    assert "caspen-xero disconnect --purge --local-only" in refused.stderr
    assert "store.sqlite" in files(used)
    assert used.cli(*GONE).exit_code == 0
    assert "store.sqlite" not in files(used)


def test_the_file_for_caspen_is_named_and_left(used: Clinic, tmp_path: Path) -> None:
    source = tmp_path / "export"
    source.mkdir()
    (source / "caspen-updates.jsonl").write_text(json.dumps({"object": "xero_payment", "id": "x"}) + "\n")
    used.cli("settings", "set", "--source", source)
    document = used.cli(*GONE, "--json").json
    assert document["purged"]["left"] == [f"{source / 'caspen-updates.jsonl'}: it is Caspen's to read"]
    assert (source / "caspen-updates.jsonl").exists()


def test_a_workspace_that_was_never_used_has_nothing_to_delete(cli: Any, home: Path) -> None:
    done = cli("disconnect", "--purge", "--yes", "--json")
    assert (done.exit_code, done.json["purged"]["removed"]) == (0, [])
    assert not (home / "default" / "store.sqlite").exists()
