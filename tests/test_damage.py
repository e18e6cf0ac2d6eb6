"""A store that is damaged, lost or not ours is named with its way out; nothing in it is changed, and nothing said of invoices."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from clinics import client, invoice
from conftest import clean_environment
from pushing import Clinic
from running import another_run, contents
from test_backup import a_database_of_somebody_else, copies

from caspen_xero.packages import to_upgrade
from caspen_xero.store import backups
from caspen_xero.store.errors import StoreCode
from caspen_xero.store.store import Store

PAGE = (Path(__file__).parent.parent / "docs" / "store.md").read_text("utf-8")
EVERY_COMMAND = [
    "status",
    "unsynced",
    "push",
    "pull",
    "sync",
    "drift",
    "invoices list",
    "log",
    "settings show",
    "doctor",
]
A_CLAIM = re.compile(r"every finalised|agree|synced\b|Traceback")


@pytest.fixture
def sent(ready: Clinic) -> Clinic:
    """A clinic with an invoice in Xero, and a copy of its store from before that."""
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def files_of(clinic: Clinic) -> dict[str, bytes]:
    """The store and what stands beside it."""
    return {file.name: file.read_bytes() for file in sorted(clinic.store_file.parent.glob("store.sqlite*"))}


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def written_over(file: Path) -> None:
    file.write_bytes(b"what a broken disk left of a database" * 500)


def somebody_elses(file: Path) -> None:
    file.write_bytes(a_database_of_somebody_else(file.parent))
    (file.parent / "theirs.sqlite").unlink()


def somebody_elses_with_a_mark(file: Path) -> None:
    somebody_elses(file)
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute("PRAGMA application_id = 1234")


def without_tables(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as nothing:
        nothing.execute("PRAGMA journal_mode = WAL")


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20_000])


def cut_off_in_its_header(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:60])


def with_a_broken_schema(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[100:4096] = b"\xff" * 3996
    file.write_bytes(whole)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_link_that_leads_nowhere(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parent / "gone")


DAMAGE: list[tuple[Callable[[Path], None], str]] = [
    (emptied, "store-empty"),
    (without_tables, "store-empty"),
    (written_over, "store-no-database"),
    (somebody_elses, "store-foreign"),
    (somebody_elses_with_a_mark, "store-foreign"),
    (cut_off, "store-damaged"),
    (cut_off_in_its_header, "store-damaged"),
    (with_a_broken_schema, "store-damaged"),
    (a_folder, "store-not-a-file"),
    (a_link_that_leads_nowhere, "store-not-a-file"),
]


@pytest.mark.parametrize(("harm", "code"), DAMAGE, ids=lambda value: getattr(value, "__name__", ""))
def test_damage_is_named_with_the_copy_to_restore_and_left_as_it_is(
    sent: Clinic, harm: Callable[[Path], None], code: str
) -> None:
    harm(sent.store_file)
    left = None if sent.store_file.is_dir() else files_of(sent) if sent.store_file.exists() else None
    for command in EVERY_COMMAND:
        told = sent.cli(*command.split(), "--json")
        error = told.json["error"]
        assert (told.exit_code, error["code"]) == (1, code), command
        assert str(sent.store_file) in error["message"]
        assert not A_CLAIM.search(told.stdout + told.stderr)
    for_people = sent.cli("unsynced")
    assert (for_people.exit_code, for_people.stdout) == (1, "")
    assert left is None or files_of(sent) == left
    assert sent.calls() == []
    assert error["fix"] == f"caspen-xero restore {shlex.quote(str(copies(sent)[0]))}"
    assert sent.run(error["fix"]).exit_code == 0
    assert sent.sql("SELECT COUNT(*) AS n FROM invoices")[0]["n"] == 1


@pytest.mark.parametrize(("harm", "code"), DAMAGE, ids=lambda value: getattr(value, "__name__", ""))
def test_without_a_copy_the_way_out_is_to_move_it_away_and_begin_anew(
    sent: Clinic, harm: Callable[[Path], None], code: str
) -> None:
    shutil.rmtree(sent.home / "default" / "backups")
    harm(sent.store_file)
    fix = sent.cli("unsynced", "--json").json["error"]["fix"]
    assert fix == f"Move {sent.store_file} away, then: caspen-xero connect, then: caspen-xero adopt"
    sent.store_file.rename(sent.store_file.with_name("away"))
    assert sent.cli("status", "--json").exit_code == 0


def test_pages_that_cannot_be_read_are_named_when_they_are_met(sent: Clinic) -> None:
    page = {
        row["name"]: row["rootpage"] for row in sent.sql("SELECT name, rootpage FROM sqlite_master WHERE rootpage")
    }["invoices_states"]
    whole = bytearray(sent.store_file.read_bytes())
    whole[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    sent.store_file.write_bytes(whole)
    for command in ("unsynced", "push", "backup", "doctor"):
        told = sent.cli(*command.split(), "--json")
        assert told.exit_code == 1
        error = told.json["error"] if "error" in told.json else told.json["checks"][0] | {"code": "store-damaged"}
        assert error["code"] == "store-damaged"
        assert error["fix"].startswith("caspen-xero restore ")
    assert sent.writes() == []


def test_a_table_that_is_gone_is_damage(sent: Clinic) -> None:
    sent.sql("DROP VIEW paid_in_caspen")
    told = sent.cli("unsynced", "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (1, "store-damaged")
    assert sent.run(told.json["error"]["fix"]).exit_code == 0
    assert sent.cli("unsynced").exit_code == 0


def test_pages_that_only_a_whole_look_finds_are_told_by_doctor_and_make_no_copy(sent: Clinic) -> None:
    (page,) = (row["rootpage"] for row in sent.sql("SELECT rootpage FROM sqlite_master WHERE name = 'log'"))
    whole = bytearray(sent.store_file.read_bytes())
    whole[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    sent.store_file.write_bytes(whole)
    (check,) = [one for one in sent.cli("doctor", "--json").json["checks"] if one["name"] == "store"]
    assert (check["ok"], "is damaged" in check["message"]) == (False, True)
    sent.sql("DELETE FROM settings WHERE key = 'copied_on'")
    sent.takes(invoice("INV-0002"))
    before = copies(sent)
    pushed = sent.push()
    assert (pushed.exit_code, pushed.json["error"]["code"]) == (1, "store-damaged")
    assert sent.writes() == []
    assert copies(sent) == before


def test_a_copy_that_is_damaged_itself_is_not_offered(sent: Clinic) -> None:
    good = Path(sent.cli("backup", "--json").json["file"])
    later = good.with_name("20990101T000000Z-day.sqlite")
    later.write_bytes(good.read_bytes()[:-8192])
    emptied(sent.store_file)
    assert str(good) in sent.cli("status", "--json").json["error"]["fix"]


def test_a_store_of_a_newer_version_is_left_alone(sent: Clinic) -> None:
    sent.sql("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('caspen_xero', 'to_come')")
    with closing(sqlite3.connect(sent.store_file)) as now:
        before = list(now.iterdump())
    for command in EVERY_COMMAND:
        told = sent.cli(*command.split(), "--json")
        assert (told.exit_code, told.json["error"]["code"]) == (1, "store-newer")
        assert told.json["error"]["fix"] == to_upgrade()
    with closing(sqlite3.connect(sent.store_file)) as now:
        assert list(now.iterdump()) == before


# --- what stands beside it


def killed_while_it_was_open(clinic: Clinic) -> None:
    """A run that had changed something was killed: its last changes stand beside the store."""
    program = f"""
        import os, signal
        from pathlib import Path
        from caspen_xero.store.store import Store
        store = Store(Path({str(clinic.store_file)!r}))
        store.set_setting("last", "change")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=clean_environment(), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert set(files_of(clinic)) == {"store.sqlite", "store.sqlite-shm", "store.sqlite-wal"}


def test_a_killed_run_leaves_nothing_to_be_told(sent: Clinic) -> None:
    killed_while_it_was_open(sent)
    told = sent.cli("unsynced")
    assert (told.exit_code, told.stderr) == (0, "")
    assert sent.sql("SELECT value FROM settings WHERE key = 'last'")[0]["value"] == "change"


def test_a_lost_wal_is_told_and_all_of_ours_is_looked_up_before_anything_is_sent(sent: Clinic) -> None:
    killed_while_it_was_open(sent)
    Path(f"{sent.store_file}-wal").unlink()
    told = sent.cli("unsynced")
    assert told.exit_code == 0
    assert f"{sent.store_file}-wal" in told.stderr
    assert "caspen-xero adopt" in told.stderr
    assert told.stdout.startswith("Nothing is unsynced: 1 of 1 finalised invoice is in Xero and equal")
    assert told.stdout.endswith("as far as this store knows, but it may be an older one: caspen-xero adopt\n")
    assert sent.sql("SELECT value FROM settings WHERE key = 'adopt_due'")[0]["value"] == "1"
    for command in ("drift", "status", "doctor"):
        assert "caspen-xero adopt" in sent.cli(command).stdout


def test_a_lost_wal_of_which_a_part_was_in_the_file_already_is_damage(sent: Clinic) -> None:
    killed_while_it_was_open(sent)
    Path(f"{sent.store_file}-wal").unlink()
    (page,) = (row["rootpage"] for row in sent.sql("SELECT rootpage FROM sqlite_master WHERE name = 'log'"))
    whole = bytearray(sent.store_file.read_bytes())
    whole[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    sent.store_file.write_bytes(whole)
    Path(f"{sent.store_file}-shm").write_bytes(b"")
    for command in EVERY_COMMAND:
        told = sent.cli(*command.split(), "--json")
        assert (told.exit_code, told.json["error"]["code"]) == (1, "store-damaged")
        Path(f"{sent.store_file}-wal").unlink(missing_ok=True)
        Path(f"{sent.store_file}-shm").write_bytes(b"")


@pytest.mark.parametrize("kind", ["-wal", "-journal"])
def test_changes_without_their_store_are_never_put_into_another_one(sent: Clinic, kind: str) -> None:
    killed_while_it_was_open(sent)
    sent.store_file.unlink()
    Path(f"{sent.store_file}-wal").rename(f"{sent.store_file}{kind}")
    left = files_of(sent)
    told = sent.cli("unsynced", "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (1, "store-missing")
    assert f"{sent.store_file}{kind}" in told.json["error"]["message"]
    assert files_of(sent) == left
    assert sent.run(told.json["error"]["fix"]).exit_code == 0
    assert sent.sql("SELECT COUNT(*) AS n FROM settings WHERE key = 'last'")[0]["n"] == 0
    aside = {file.name.partition(".sqlite")[2]: file.read_bytes() for file in copies(sent) if "set-aside" in file.name}
    assert aside[kind] == left[f"store.sqlite{kind}"]


# --- a disk or a user that may not write


def as_a_user_who_may_not_write(clinic: Clinic, *arguments: str, program: str = "") -> Any:
    """Runs `caspen-xero` where `os.access` and the system say that this user may not write in the workspace."""
    code = f"""
        import errno, os, sqlite3, sys
        folder = {str(clinic.home)!r}
        access, opened, connect = os.access, os.open, sqlite3.connect

        def denied(path):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        def may(path, mode, **how):
            return not (mode & os.W_OK and str(path).startswith(folder)) and access(path, mode, **how)

        def opens(path, flags, *more, **how):
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return denied(path) if writes and str(path).startswith(folder) else opened(path, flags, *more, **how)

        def connects(path, *more, **how):
            if "mode=ro" not in str(path) and folder in str(path):
                raise AssertionError("opened to be written: " + str(path))
            return connect(path, *more, **how)

        os.access, os.open, sqlite3.connect = may, opens, connects
        os.chmod = lambda path, *more, **how: denied(path)
        from caspen_xero.cli.app import main
        sys.argv = ["caspen-xero", *{list(arguments)!r}]
        main()
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=clean_environment(CASPEN_XERO_HOME=str(clinic.home), XERO_URL=clinic.sandbox.url),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["status", "unsynced", "drift", "invoices list", "invoices show INV-0001", "log"])
def test_what_only_shows_something_works_on_a_disk_that_can_only_be_read(sent: Clinic, command: str) -> None:
    wanted = sent.cli(*command.split(), "--json").stdout
    before = files_of(sent)
    shown = as_a_user_who_may_not_write(sent, *command.split(), "--json")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, wanted, "")
    assert files_of(sent) == before


@pytest.mark.parametrize("command", ["push", "pull", "sync", "settings set --privacy generic", "restore FILE --yes"])
def test_what_changes_something_says_that_the_disk_can_only_be_read(sent: Clinic, command: str) -> None:
    before = contents(sent)
    words = command.replace("FILE", str(copies(sent)[0])).split()
    refused = as_a_user_who_may_not_write(sent, *words, "--json")
    assert refused.returncode == 1
    assert '"code": "store-read-only"' in refused.stdout, refused.stdout + refused.stderr
    assert str(sent.store_file) in refused.stdout
    assert contents(sent) == before
    assert sent.calls() == []


def test_a_copy_can_be_made_of_a_store_that_can_only_be_read(sent: Clinic, tmp_path: Path) -> None:
    made = as_a_user_who_may_not_write(sent, "backup", str(tmp_path / "copy.sqlite"))
    assert made.returncode == 0, made.stdout + made.stderr
    assert sent.cli("restore", tmp_path / "copy.sqlite", "--yes").exit_code == 0


def test_a_real_user_without_the_right_to_write_reads_and_is_told(sent: Clinic) -> None:
    """The same with the system's own words, where this test may take another user's place."""
    for file in [sent.home, *sent.home.rglob("*")]:
        file.chmod(0o555 if file.is_dir() else 0o444)
    program = f"""
        import sys
        from pathlib import Path
        from caspen_xero.store.store import Store, names_of_all
        import os
        names_of_all()  # imports what another user may not read
        if os.geteuid() == 0:
            os.setuid(65534)
        elif os.access({str(sent.store_file)!r}, os.W_OK):
            sys.exit(0)
        store = Store(Path({str(sent.store_file)!r}))
        assert store.is_read_only and store.row("SELECT number FROM invoices")["number"] == "INV-0001"
        try:
            store.set_setting("x", "y")
        except Exception as error:
            assert error.code == "store-read-only", error
        else:
            raise AssertionError
    """
    temporary = Path(tempfile.gettempdir())
    above = [folder for folder in sent.home.parents if folder.is_relative_to(temporary) and folder != temporary]
    modes = {folder: folder.stat().st_mode for folder in above}
    for folder in above:
        folder.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
        )
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)
        for file in [sent.home, *sent.home.rglob("*")]:
            file.chmod(0o700 if file.is_dir() else 0o600)
    assert done.returncode == 0, done.stderr


def test_a_disk_that_is_full_when_the_store_is_opened_is_named(
    sent: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_room(store: Store) -> None:  # as SQLite has it where its `-shm` finds no room
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 19 << 8  # type: ignore[attr-defined]
        raise error

    full = shutil.disk_usage(tmp_path)._replace(free=0)
    with monkeypatch.context() as disk:
        disk.setattr(Store, "_prepare", no_room)
        assert sent.cli("status", "--json").json["error"]["code"] == "store-unusable"
        disk.setattr(shutil, "disk_usage", lambda path: full)
        refused = sent.cli("status", "--json")
        looked = sent.cli("doctor", "--json")
    assert (looked.exit_code, [check["ok"] for check in looked.json["checks"]]) == (1, [False, False])
    assert looked.json["checks"][0]["fix"].startswith("Make room")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "store-full")
    assert str(sent.store_file) in refused.json["error"]["message"]


# --- an earlier version's store


def test_a_store_is_copied_before_it_is_carried_over(sent: Clinic) -> None:
    made_by_an_earlier_version(sent)
    before = contents(sent)
    assert sent.cli("status").exit_code == 0
    (copy,) = [file for file in copies(sent) if file.name.endswith("-migration.sqlite")]
    with closing(sqlite3.connect(copy)) as earlier:
        assert list(earlier.iterdump()) == before
    assert contents(sent) != before
    assert sent.cli("restore", copy, "--yes").exit_code == 0
    assert set(sent.listed()) == {"INV-0001"}


def test_a_store_is_not_carried_over_where_it_cannot_be_copied(sent: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    made_by_an_earlier_version(sent)
    before = contents(sent)

    def no_room(path: Path, part: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(backups, "_copy", no_room)
        refused = sent.cli("status", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "backup-failed")
    assert "was left as it is" in refused.json["error"]["message"]
    assert contents(sent) == before
    assert sent.cli("status", "--json").exit_code == 0


def test_no_copy_is_made_of_a_store_that_another_run_is_at(sent: Clinic) -> None:
    made_by_an_earlier_version(sent)
    before = copies(sent)
    with another_run(sent):
        assert sent.cli("status", "--json").exit_code == 7
    assert copies(sent) == before


def made_by_an_earlier_version(clinic: Clinic) -> None:
    """The store as it was before files were marked as ours."""
    with closing(sqlite3.connect(clinic.store_file)) as store:
        store.execute("DELETE FROM _sqlite_migrations WHERE name = 'marked_as_ours'")
        store.execute("PRAGMA application_id = 0")
        store.commit()


# --- what is said where nothing is known


def test_nothing_is_said_of_invoices_that_nobody_has_imported(cli: Callable[..., Any], home: Path) -> None:
    told = cli("unsynced")
    words = "Nothing is unsynced, as no invoice has been imported yet: caspen-xero import PATH\n"
    assert (told.exit_code, told.stdout) == (0, words)
    assert cli("unsynced", "--json").json == {"unsynced": []}


def test_nothing_is_said_of_invoices_before_there_is_a_connection(
    cli: Callable[..., Any], caspen: Callable[..., None]
) -> None:
    caspen(client("1048237"), invoice("INV-0001", status="draft"))
    said = "Nothing is unsynced: no finalised invoice is to be in Xero."
    words = f"{said} This workspace is not connected to Xero: caspen-xero connect\n"
    assert cli("unsynced").stdout == words


def test_what_was_left_out_is_not_called_sent(sent: Clinic) -> None:
    told = "Nothing is unsynced: 1 of 1 finalised invoice is in Xero and equal (as they were sent; no pull has looked since)"
    assert sent.cli("unsynced").stdout == f"{told}.\n"
    sent.takes(invoice("INV-0002"))
    sent.cli("invoices", "skip", "INV-0002")
    assert sent.cli("unsynced").stdout == f"{told}; 1 skipped.\n"


def test_nothing_is_said_to_agree_before_anything_was_sent(ready: Clinic) -> None:
    assert ready.cli("drift").stdout == "Nothing of Caspen's is known to be in Xero yet: caspen-xero push\n"


# --- the book


def test_the_page_on_the_store_lists_its_codes() -> None:
    section = PAGE.partition("| Code of the store | Meaning |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", section, re.MULTILINE) == [
        (str(code), code.meaning) for code in StoreCode
    ]


def test_a_store_says_in_its_header_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(Store(path)) as store:
        assert store.row("PRAGMA application_id")[0] == int.from_bytes(b"Cxst", "big")  # type: ignore[index]
    assert path.read_bytes()[68:72] == b"Cxst"
    assert os.listdir(tmp_path) == ["store.sqlite"]
