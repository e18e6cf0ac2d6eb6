"""Which run is active is seen without taking anything from it, or from one that begins at that moment."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import clean_environment, command_line
from pushing import Clinic

from caspen_xero.cli.lock_holder import WHO_FILE, active_holder

_HOLDS = """
import sys
from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
for _ in range(int(sys.argv[1])):
    with Session(Output(), command="sync").only_writer():
        if sys.argv[2:]:
            print("held", flush=True)
            sys.stdin.read()
"""


def process(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process of its own that takes the workspace's lock so often; with a second argument it then waits."""
    return subprocess.Popen(
        [command_line()[0], "-c", _HOLDS, *arguments],
        env=clean_environment(CASPEN_XERO_HOME=str(home)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


@contextmanager
def holding(home: Path) -> Iterator[subprocess.Popen[str]]:
    with process(home, "1", "waits") as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        try:
            yield run
        finally:
            run.kill()


def test_a_run_is_active_till_it_ends_or_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "default"
    with holding(tmp_path) as run:
        found = active_holder(folder)
        assert found is not None
        assert found.process == run.pid
        assert f"(process {run.pid}), since " in found.in_words(datetime.now(UTC))
        assert found.command == "sync"
        run.communicate("")
        assert run.returncode == 0
        assert active_holder(folder) is None
        assert not (folder / WHO_FILE).exists()
    with holding(tmp_path) as run:
        assert active_holder(folder) is not None
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert (folder / WHO_FILE).exists()  # nobody was left to take it away
        assert active_holder(folder) is None


def test_who_looks_keeps_nobody_off(tmp_path: Path) -> None:
    with process(tmp_path, "500") as run:
        looks = 0
        while run.poll() is None:
            active_holder(tmp_path / "default")
            looks += 1
        assert run.stderr is not None
        assert (run.returncode, run.stderr.read()) == (0, "")
    assert looks > 500


def test_status_writes_nothing_and_takes_no_lock(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ready.home / "default"
    note = folder / WHO_FILE
    note.write_text(f'{{"command": "sync", "since": "{datetime.now(UTC).isoformat()}"}}')  # left by one that was killed
    ready.sql(
        "INSERT INTO log (tenant_id, command, started_at, result) VALUES ('', 'sync', '2026-11-28T00:00:00Z', '{}')"
    )
    before = (note.read_text(), note.stat().st_mtime_ns, note.stat().st_ino)

    def taken(*_: object, **__: object) -> None:
        raise AssertionError("the lock was taken")

    monkeypatch.setattr("filelock.FileLock.acquire", taken)
    told = ready.cli("status", "--json").json
    assert told["last_sync"]["ended"] == "interrupted"
    assert (note.read_text(), note.stat().st_mtime_ns, note.stat().st_ino) == before
