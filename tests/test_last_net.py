"""Whatever goes wrong that nobody thought of ends in words: what it was and where, that nothing is lost, and how to go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clinics import EFTPOS, client, invoice, payment
from conftest import clean_environment
from pushing import Clinic
from pydantic import TypeAdapter
from typer.testing import CliRunner, Result

from caspen_xero.cli import for_scripts
from caspen_xero.cli.app import app
from caspen_xero.cli.session import Session
from caspen_xero.store import log
from caspen_xero.sync import importing
from caspen_xero.sync.sending.journal import Journal

PRIVATE = "Nell Okafor of 1 High St"


def odd_value() -> None:
    TypeAdapter(int).validate_python(PRIVATE)


def endless() -> None:
    endless()


def raising(error: BaseException) -> Callable[..., None]:
    def breaks(*arguments: Any, **more: Any) -> None:
        raise error

    return breaks


FAULTS: dict[str, Callable[..., None]] = {
    "RuntimeError": raising(RuntimeError(PRIVATE)),
    "KeyError": raising(KeyError(PRIVATE)),
    "AssertionError": raising(AssertionError(PRIVATE)),
    "MemoryError": raising(MemoryError()),
    "UnicodeEncodeError": lambda *arguments, **more: "\ud800".encode() and None,
    "ValidationError": lambda *arguments, **more: odd_value(),
    "RecursionError": lambda *arguments, **more: endless(),
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def reports(home: Path) -> list[Path]:
    return sorted((home / "default" / "defects").glob("*"))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_ours_is_told_in_words_and_the_next_run_goes_on(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("20.00", ("inv_INV-0001", "20.00")))
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_settle", FAULTS[kind])  # Xero has answered, and nobody knows yet
        ended = run("push")
        told = run("push", "--json")
    assert (ended.exit_code, told.exit_code) == (1, 1)
    for words in (ended.stderr, json.loads(told.stdout)["error"]["message"]):
        assert f"{kind} in caspen_xero/sync/sending/journal.py:" in words
        assert ", while pushing. Nothing is lost: " in words
    assert "caspen-xero doctor --bundle" in ended.stderr
    assert json.loads(told.stdout)["command"] == "push"
    shown = ended.output + told.output
    assert "Traceback" not in shown
    assert "Nell" not in shown
    assert ready.push().exit_code == 0
    assert len(ready.in_xero()) == len(ready.contacts()) == 1
    assert len(ready.state("Payments")) == 1


def test_it_says_what_it_was_doing(ready: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importing, "FileFeed", raising(RuntimeError(PRIVATE)))
    assert ", while reading Caspen's records. " in run("import", str(tmp_path)).stderr


@pytest.mark.parametrize("place", ["so far", "rendering", "closing"])
def test_also_where_the_telling_breaks(ready: Clinic, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice())
    if place == "so far":
        monkeypatch.setattr(Session, "so_far", raising(RuntimeError(PRIVATE)))
        monkeypatch.setattr(Journal, "send", raising(RuntimeError(PRIVATE)))
    elif place == "rendering":
        monkeypatch.setattr(for_scripts, "_json_value", raising(RuntimeError(PRIVATE)))
        monkeypatch.setattr(log, "end", raising(RuntimeError(PRIVATE)))
    else:
        monkeypatch.setattr(Session, "close", raising(RuntimeError(PRIVATE)))
    ended = run("push", "--json")
    assert ended.exit_code == 1
    document = json.loads(ended.stdout)
    assert place == "closing" or document["error"]["code"] == "defect"
    assert "Nell" not in ended.output
    assert "Traceback" not in ended.output


def test_what_is_kept_of_it_holds_nothing_of_anybodys(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice())
    monkeypatch.setattr(Journal, "send", raising(RuntimeError(PRIVATE)))
    for _ in range(7):
        run("push")
    kept = reports(ready.home)
    assert len(kept) == 5
    for file in kept:
        assert file.stat().st_mode & 0o777 == 0o600
        assert "sync/sending/push.py:" in file.read_text()
        assert not [word for word in ("Nell", "Okafor", str(Path.home()), str(ready.home)) if word in file.read_text()]


def test_a_link_in_the_place_of_the_reports_is_not_followed(
    ready: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (ready.home / "default" / "defects").symlink_to(elsewhere)
    monkeypatch.setattr(Journal, "send", raising(RuntimeError(PRIVATE)))
    assert run("push").exit_code == 1
    assert list(elsewhere.iterdir()) == []


OUTSIDE = {
    "the command's module": "import sys; sys.modules['caspen_xero.cli.status'] = None",
    "an argument": "import typer.core; typer.core.TyperOption.consume_value = lambda *a, **m: 1 / 0",
    "a thread": (
        "import threading, caspen_xero.cli.status as s; old = s._last_run\n"
        "def broken(*a): t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join(); return old(*a)\n"
        "s._last_run = broken"
    ),
}


@pytest.mark.parametrize("where", OUTSIDE)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_breaks_outside_a_command_is_told_too(home: Path, where: str, *, as_json: bool) -> None:
    (home / "ours").mkdir(parents=True)
    program = f"{OUTSIDE[where]}\nfrom caspen_xero.cli.app import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program, "status", "--workspace", "ours", *(["--json"] if as_json else [])],
        capture_output=True,
        text=True,
        env=clean_environment(CASPEN_XERO_HOME=str(home)) | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    document = json.loads(ended.stdout) if as_json else {}
    if where == "a thread":
        assert (ended.returncode, document.get("error")) == (0, None)
        assert "Warning: This is a fault of caspen-xero's own: ZeroDivisionError" in ended.stderr
    else:
        assert ended.returncode == 1
        assert not as_json or document["error"]["code"] == "defect"
        assert as_json or "Error: This is a fault of caspen-xero's own" in ended.stderr
        assert "caspen-xero doctor --workspace ours --bundle" in ended.stdout + ended.stderr
    assert list((home / "ours" / "defects").iterdir())


def test_who_wants_to_see_all_of_it_sets_a_variable(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice())
    monkeypatch.setenv("CASPEN_XERO_DEBUG", "1")
    monkeypatch.setattr(Journal, "send", raising(RuntimeError("what it says")))
    ended = run("push", "--json")
    assert "RuntimeError: what it says" in ended.stderr
    assert json.loads(ended.stdout)["error"]["code"] == "defect"
