"""Copies of the store, and a copy taken back: whole whatever happens meanwhile, and nothing that stood there is lost."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clinics import client, invoice
from pushing import Clinic
from running import another_run, contents

from caspen_xero.store import backups
from caspen_xero.store.store import Store

AUTOMATIC = 7


@pytest.fixture
def sent(ready: Clinic) -> Clinic:
    """A clinic with an invoice in Xero."""
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push().exit_code == 0
    return ready


def copies(clinic: Clinic) -> list[Path]:
    return sorted((clinic.home / "default" / "backups").glob("*"))


def numbers_in(file: Path) -> set[str]:
    """The invoices in a copy, as anybody with a SQLite tool sees them."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row[0] for row in database.execute("SELECT number FROM invoices")}


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


# --- backup


def test_a_copy_is_whole_private_and_of_one_file(sent: Clinic, tmp_path: Path) -> None:
    made = sent.cli("backup", tmp_path / "copy.sqlite", "--json").json
    file = tmp_path / "copy.sqlite"
    assert made == {
        "command": "backup",
        "file": str(file),
        "bytes": file.stat().st_size,
        "store": str(sent.store_file),
    }
    assert (mode_of(file), numbers_in(file)) == (0o600, {"INV-0001"})
    assert [each.name for each in tmp_path.glob("copy*")] == ["copy.sqlite"]


def test_a_copy_without_a_name_goes_to_the_workspaces_folder(sent: Clinic) -> None:
    before = copies(sent)
    made = Path(sent.cli("backup", "--json").json["file"])
    assert sorted({*before, made}) == copies(sent)
    assert made.name.endswith("-by-hand.sqlite")
    assert mode_of(made.parent) == 0o700


def test_a_copy_goes_into_a_folder_under_a_name_of_its_own(sent: Clinic, tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    made = Path(sent.cli("backup", tmp_path / "safe", "--json").json["file"])
    assert made.parent == tmp_path / "safe"


@pytest.mark.parametrize("given", ["away/", "away/copy.sqlite"])
def test_no_folder_is_told_as_such_and_nothing_is_made_in_its_place(sent: Clinic, tmp_path: Path, given: str) -> None:
    error = sent.cli("backup", f"{tmp_path}/{given}", "--json").json["error"]
    assert (error["code"], f"there is no folder {tmp_path}/away" in error["message"]) == ("backup-failed", True)
    assert error["fix"].startswith("Mount its disk, or make the folder")
    assert not (tmp_path / "away").exists()


def test_a_file_that_is_there_is_never_written_over(sent: Clinic, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    refused = sent.cli("backup", tmp_path / "mine", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "backup-exists")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_copy_is_made_while_another_run_writes_and_holds_one_state(sent: Clinic, tmp_path: Path) -> None:
    with another_run(sent), closing(sqlite3.connect(sent.store_file, isolation_level=None)) as other:
        other.execute("UPDATE invoices SET number = 'A'")
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE invoices SET number = 'B'")
        assert sent.cli("backup", tmp_path / "copy.sqlite").exit_code == 0
        other.execute("COMMIT")
    assert numbers_in(tmp_path / "copy.sqlite") == {"A"}


def test_there_is_nothing_to_copy_before_there_is_a_store(cli: Callable[..., Any], home: Path) -> None:
    refused = cli("backup", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "store-missing")
    assert not list(home.rglob("*.sqlite"))


def test_no_secret_is_in_a_copy(sent: Clinic, tmp_path: Path) -> None:
    sent.cli("backup", tmp_path / "copy.sqlite")
    tokens = (sent.home / "default" / "tokens.json").read_text()
    everything = (tmp_path / "copy.sqlite").read_bytes()
    secrets = [word for word in tokens.replace("\\", "").split('"') if len(word) > 20 and "-" not in word[:4]]
    assert secrets
    assert [word for word in secrets if word.encode() in everything] == []


# --- copies that are made without being asked


def test_each_days_first_push_leaves_a_copy_of_what_was_before_it(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push("--dry-run").exit_code == 0
    assert copies(ready) == []
    assert ready.push().exit_code == 0
    (copy,) = copies(ready)
    assert (copy.name.endswith("-day.sqlite"), mode_of(copy), numbers_in(copy)) == (True, 0o600, {"INV-0001"})
    with closing(sqlite3.connect(copy)) as before:
        assert before.execute("SELECT COUNT(*) FROM journal").fetchone() == (0,)
    ready.takes(invoice("INV-0002"))
    ready.push()
    assert copies(ready) == [copy]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    ready.sql("UPDATE settings SET value = ? WHERE key = 'copied_on'", yesterday)
    ready.push()
    assert copies(ready) == [copy]  # nothing was left to send
    ready.takes(invoice("INV-0003"))
    ready.cli("sync")
    assert len(copies(ready)) == 2


def test_seven_are_kept_and_what_a_person_named_or_put_there_stays(sent: Clinic) -> None:
    folder = sent.home / "default" / "backups"
    mine = [folder / name for name in ("mine.sqlite", "20200101T000000Z-by-hand.sqlite", "20200101T000000Z-day.txt")]
    for file in mine:
        file.write_text("mine")
    for number in range(1, 20):
        (folder / f"202001{number:02d}T000000Z-day.sqlite").write_text("")
    sent.sql("DELETE FROM settings WHERE key = 'copied_on'")
    sent.takes(invoice("INV-0002"))
    assert sent.push().exit_code == 0
    assert all(file.read_text() == "mine" for file in mine)
    kept = [file for file in copies(sent) if file not in mine]
    assert (len(kept), kept[0].name) == (AUTOMATIC, "20200115T000000Z-day.sqlite")


def test_what_a_killed_run_left_of_a_copy_goes_with_the_next(sent: Clinic) -> None:
    folder = sent.home / "default" / "backups"
    left = folder / ".20200101T000000Z-day.sqlite-abc123.part"
    others = [folder / ".20200101T000000Z-by-hand.sqlite-abc123.part", folder / ".mine.part"]
    for file in (left, *others):
        file.write_text("")
    backups.back_up_by_itself(sent.store_file, "day")
    assert (left.exists(), all(file.exists() for file in others)) == (False, True)


def test_a_copy_that_was_just_made_is_kept_though_the_clock_was_set_back(
    sent: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sent.home / "default" / "backups"
    for number in range(1, 9):
        (folder / f"209901{number:02d}T000000Z-day.sqlite").write_text("")
    made = backups.back_up_by_itself(sent.store_file, "day")
    assert made.exists()


@pytest.mark.parametrize("trouble", ["no room", "a file in its place"])
def test_a_push_goes_on_where_todays_copy_cannot_be_made_and_says_so(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    with monkeypatch.context() as full:
        if trouble == "no room":
            full.setattr(backups, "_copy", _no_room)
        else:
            (ready.home / "default" / "backups").write_text("")
        pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (0, 1)
    assert "Today's copy of the store could not be made" in pushed.stderr
    assert not list((ready.home / "default").glob("**/*.part"))


def _no_room(path: Path, part: Path) -> None:
    part.write_bytes(b"x" * 4096)
    raise OSError(28, "No space left on device")


# --- restore


@pytest.fixture
def copied(sent: Clinic, tmp_path: Path) -> Path:
    """A copy of that clinic's store, after which the clinic has sent one invoice more."""
    sent.cli("backup", tmp_path / "copy.sqlite")
    sent.takes(invoice("INV-0002"))
    assert sent.push().exit_code == 0
    return tmp_path / "copy.sqlite"


def test_where_nobody_can_be_asked_it_goes_on_and_what_it_replaced_is_kept(sent: Clinic, copied: Path) -> None:
    restored = sent.cli("restore", copied, "--json")
    assert restored.exit_code == 0
    assert set(sent.listed()) == {"INV-0001"}
    assert numbers_in(Path(restored.json["replaced"])) == {"INV-0001", "INV-0002"}


def test_a_person_is_asked_and_enter_means_no(sent: Clinic, copied: Path, terminal: Callable[..., Any]) -> None:
    shown = terminal("restore", str(copied), typing=[("[y/N]", "")])
    assert (shown.exit_code, "Nothing was changed." in shown.stdout) == (0, True)
    assert set(sent.listed()) == {"INV-0001", "INV-0002"}
    shown = terminal("restore", str(copied), typing=[("[y/N]", "y")])
    assert (shown.exit_code, "caspen-xero adopt" in shown.stdout) == (0, True)
    assert set(sent.listed()) == {"INV-0001"}


def test_a_restore_says_what_it_did_and_keeps_what_it_replaced(sent: Clinic, copied: Path) -> None:
    before = copied.read_bytes()
    restored = sent.cli("restore", copied, "--yes", "--json").json
    kept = Path(restored.pop("replaced"))
    assert restored == {
        "command": "restore",
        "file": str(copied),
        "store": str(sent.store_file),
        "organisation": "Demo Company (AU)",
        "invoices": 1,
        "signed_in": True,
        "next": ["caspen-xero import PATH", "caspen-xero adopt", "caspen-xero sync"],
    }
    assert (numbers_in(kept), mode_of(kept), mode_of(sent.store_file)) == ({"INV-0001", "INV-0002"}, 0o600, 0o600)
    assert copied.read_bytes() == before
    assert sent.sql("SELECT value FROM settings WHERE key = 'adopt_due'")[0]["value"] == "1"
    assert sent.cli("restore", kept, "--yes").exit_code == 0
    assert set(sent.listed()) == {"INV-0001", "INV-0002"}


def test_of_a_folder_the_newest_copy_is_taken_unless_several_organisations_lie_there(
    sent: Clinic, copied: Path, tmp_path: Path
) -> None:
    safe = tmp_path / "safe"
    safe.mkdir()
    assert sent.cli("restore", safe, "--json").json["error"]["code"] == "backup-not-found"
    newest = safe / "20261101T000000Z-by-hand.sqlite"
    for name in (newest.name, "20260101T000000Z-day.sqlite", "20270101T000000Z-replaced.sqlite"):
        (safe / name).write_bytes(copied.read_bytes())
    assert sent.cli("restore", safe, "--json").json["file"] == str(newest)
    other = safe / "20260202T000000Z-by-hand.sqlite"
    other.write_bytes(copied.read_bytes())
    with closing(sqlite3.connect(other)) as database:
        database.execute("UPDATE settings SET value = replace(value, 'Demo Company', 'North') WHERE key = 'connection'")
        database.commit()
    error = sent.cli("restore", safe, "--json").json["error"]
    assert (error["code"], newest.name in error["message"], other.name in error["message"]) == (
        "backup-unusable",
        True,
        True,
    )


def test_where_a_source_is_set_adopt_reads_it(sent: Clinic, tmp_path: Path) -> None:
    source = tmp_path / "export"
    source.mkdir()
    assert sent.cli("settings", "set", "--source", source).exit_code == 0
    assert sent.cli("backup", tmp_path / "copy.sqlite").exit_code == 0
    following = sent.cli("restore", tmp_path / "copy.sqlite", "--yes", "--json").json["next"]
    assert following == ["caspen-xero adopt", "caspen-xero sync"]


def test_who_reads_the_store_meanwhile_reads_the_old_one_or_the_new_one(sent: Clinic, copied: Path) -> None:
    with closing(sqlite3.connect(sent.store_file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT COUNT(*) FROM invoices").fetchone() == (2,)
        assert sent.cli("restore", copied, "--yes").exit_code == 0
        assert reader.execute("SELECT COUNT(*) FROM invoices").fetchone() == (2,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT COUNT(*) FROM invoices").fetchone() == (1,)
    assert set(sent.listed()) == {"INV-0001"}


def test_a_restore_waits_for_its_turn(sent: Clinic, copied: Path) -> None:
    with another_run(sent):
        refused = sent.cli("restore", copied, "--yes", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (7, "another-run")
    assert set(sent.listed()) == {"INV-0001", "INV-0002"}


@pytest.mark.parametrize("present", ["missing", "empty", "no database", "cut off", "foreign", "a folder"])
def test_a_restore_needs_no_question_where_the_store_is_of_no_use_and_moves_it_aside(
    sent: Clinic, copied: Path, present: str
) -> None:
    for file in sent.store_file.parent.glob("store.sqlite-*"):
        file.unlink()
    whole = sent.store_file.read_bytes()
    sent.store_file.unlink()
    left: bytes | None = b""
    match present:
        case "missing":
            left = None
        case "no database":
            left = b"nothing of a database" * 500
        case "cut off":
            left = whole[: len(whole) // 2]
        case "foreign":
            left = a_database_of_somebody_else(copied.parent)
    if present == "a folder":
        sent.store_file.mkdir()
    elif left is not None:
        sent.store_file.write_bytes(left)
    restored = sent.cli("restore", copied, "--json")
    assert restored.exit_code == 0, restored.stdout
    assert set(sent.listed()) == {"INV-0001"}
    if present == "missing":
        assert restored.json["replaced"] is None
    elif present == "a folder":
        assert Path(restored.json["replaced"]).is_dir()
    else:
        assert Path(restored.json["replaced"]).read_bytes() == left


def a_database_of_somebody_else(folder: Path) -> bytes:
    file = folder / "theirs.sqlite"
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        theirs.execute("INSERT INTO notes (text) VALUES ('mine')")
        theirs.commit()
    return file.read_bytes()


@pytest.mark.parametrize("given", ["nothing", "text", "cut off", "foreign", "newer", "itself", "a folder"])
def test_what_is_no_whole_store_of_ours_takes_no_stores_place(sent: Clinic, copied: Path, given: str) -> None:
    file = copied.parent / "given.sqlite"
    match given:
        case "text":
            file.write_text("no database at all\n" * 1000)
        case "cut off":
            file.write_bytes(copied.read_bytes()[:-8192])
        case "foreign":
            file.write_bytes(a_database_of_somebody_else(copied.parent))
        case "newer":
            file.write_bytes(copied.read_bytes())
            with closing(sqlite3.connect(file)) as newer:
                newer.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('caspen_xero', 'to_come')")
                newer.commit()
        case "itself":
            file = sent.store_file
        case "a folder":
            file.mkdir()
    before = contents(sent)
    refused = sent.cli("restore", file, "--yes", "--json")
    wanted = "backup-not-found" if given in ("nothing", "a folder") else "backup-unusable"
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, wanted)
    assert contents(sent) == before
    assert not list(sent.store_file.parent.glob(".restore-*"))


def test_a_copy_with_its_last_changes_beside_it_is_restored_with_them(sent: Clinic, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sent.store_file)) as other:
        other.execute("UPDATE invoices SET number = 'INV-0009'")
        other.commit()
        for suffix in ("", "-wal"):
            (tmp_path / f"moved.sqlite{suffix}").write_bytes(Path(f"{sent.store_file}{suffix}").read_bytes())
    assert (tmp_path / "moved.sqlite-wal").stat().st_size
    assert sent.cli("restore", tmp_path / "moved.sqlite", "--yes").exit_code == 0
    assert set(sent.listed()) == {"INV-0009"}


def test_a_copy_from_another_machine_says_that_it_needs_connect(sent: Clinic, copied: Path) -> None:
    (sent.home / "default" / "tokens.json").unlink()
    told = sent.cli("restore", copied, "--yes")
    assert "Its sign-in is not on this machine." in told.stdout
    assert told.stdout.splitlines()[-4:] == [
        "  caspen-xero connect --token-store file",
        "  caspen-xero import PATH",
        "  caspen-xero adopt",
        "  caspen-xero sync",
    ]


def test_a_full_disk_ends_a_restore_and_changes_nothing(
    sent: Clinic, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(sent)
    with monkeypatch.context() as full:
        full.setattr(backups, "_copy", _no_room)
        refused = sent.cli("restore", copied, "--yes", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "backup-failed")
    assert contents(sent) == before


def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new_one(
    sent: Clinic, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*arguments: Any) -> None:
        raise Killed

    for place in ("_fill", "_set_aside"):
        with monkeypatch.context() as killed:
            killed.setattr(backups, place, die)
            if place == "_set_aside":
                sent.store_file.write_bytes(b"damaged" * 1000)
            with pytest.raises(Killed):
                backups.restore(sent.store_file, copied)
        if place == "_fill":
            assert set(sent.listed()) == {"INV-0001", "INV-0002"}
    assert sent.cli("restore", copied).exit_code == 0
    assert set(sent.listed()) == {"INV-0001"}


def test_a_new_workspace_says_that_copies_of_an_earlier_store_are_there(sent: Clinic) -> None:
    for file in sent.store_file.parent.glob("store.sqlite*"):
        file.unlink()
    told = sent.cli("status", "--json")
    (command,) = [line.partition("caspen-xero ")[2] for line in told.stderr.splitlines() if "restore" in line]
    assert sent.cli(*command.split(), "--yes").exit_code == 0
    assert set(sent.listed()) == {"INV-0001"}
    assert sent.cli("status").stderr == ""


def test_a_store_that_is_new_where_a_sign_in_is_left_says_what_to_do(sent: Clinic) -> None:
    for file in [*sent.store_file.parent.glob("store.sqlite*"), *copies(sent)]:
        file.unlink()
    told = sent.cli("status").stderr
    assert "caspen-xero connect, then: caspen-xero adopt" in told


def test_two_runs_that_make_one_store_at_once_have_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, link = tmp_path / "store.sqlite", os.link

    def late(source: Any, target: Any) -> None:
        with monkeypatch.context() as other:
            other.setattr(os, "link", link)
            with closing(Store(path)) as first:
                first.set_setting("who", "first")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with closing(Store(path)) as second:
        assert (second.setting("who"), second.is_new) == ("first", False)
    assert [file.name for file in tmp_path.iterdir()] == ["store.sqlite"]
