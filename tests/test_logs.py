"""What a run notes: every request, and nothing that is anybody's. A file that can't be written never ends a run."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from clinics import client, invoice, payment
from pushing import Clinic

from caspen_xero.cli import log_file
from caspen_xero.request_notes import address_noted, noted

BILL = invoice("INV-0001", client_id="1")


@pytest.fixture
def unsent(ready: Clinic) -> Clinic:
    ready.takes(client("1", "Nell", "Okafor"), BILL, payment("65.00", (BILL["id"], "65.00"), client_id="1"))
    return ready


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASPEN_XERO_LOG", str(tmp_path / "xero.log"))
    return tmp_path / "xero.log"


def test_every_request_is_noted_without_bodies_names_and_secrets(unsent: Clinic, file: Path) -> None:
    unsent.sql("DELETE FROM xero_lists")
    told = unsent.cli("push", "--yes", "--debug", "--workspace", "default")
    assert told.exit_code == 0, told.stderr
    noted = file.read_text()
    lines = noted.splitlines()
    assert {line.split(" ", 2)[2] for line in lines} <= set(told.stderr.splitlines())
    requests = [line for line in lines if "/api.xro/2.0/" in line]
    assert len(requests) == len(unsent.requests())
    assert any("PUT /api.xro/2.0/Invoices?summarizeErrors=false" in line for line in requests)
    assert all(": HTTP 200 in " in line and " ms; calls left: " in line for line in requests)
    tokens = json.loads((unsent.home / "default" / "tokens.json").read_text())
    secrets = [str(one) for one in tokens.values() if len(str(one)) > 8]
    for private in ("Nell", "Okafor", "INV-0001", "65.00", BILL["id"], "Bearer", unsent.sandbox.url, *secrets):
        assert private not in noted, private
    for step in (
        "Reading the organisation from Xero.",
        "Reading contacts from Xero, page 1.",
        "Planned 1 invoice: 3 steps left, 1 to be sent now.",
        "Sending 1 document to create (invoice).",
        "Sent 1 document to create (invoice): 1 taken, 0 refused.",
        "Planned 1 invoice: nothing left to send.",
    ):
        assert f" {step}\n" in noted, step
    assert " begins, version " in lines[0]
    assert " ends: exit code 0 after " in lines[-1]
    assert f"calls to Xero: {len(unsent.requests())} (" in lines[-1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    verbose = unsent.cli("push", "--verbose", "--json")
    assert json.loads(verbose.stdout)["command"] == "push"
    assert "push begins" in verbose.stderr
    assert "/api.xro/" not in verbose.stderr
    assert unsent.cli("status").stderr == ""


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://x/api.xro/2.0/Contacts?where=Name%3D%22Nell%22&page=2", "/api.xro/2.0/Contacts?where=*&page=2"),
        ("https://x/api.xro/2.0/Invoices?InvoiceNumbers=INV-1,INV-2", "/api.xro/2.0/Invoices?InvoiceNumbers=*"),
        ("https://x/api.xro/2.0/Invoices/INV-0001", "/api.xro/2.0/Invoices/*"),
        ("https://x/v1/invoices/4711/payments?code=abc", "/v1/invoices/*/payments?code=*"),
        ("https://x/v1/credit-notes?limit=100&cursor=nell", "/v1/credit-notes?limit=100&cursor=*"),
        ("https://nell:secret@x/nell/v1/clients?page=nell", "/*/v1/clients?page=*"),
        ("https://[", "*"),
    ],
)
def test_of_an_address_only_what_we_know_is_noted(address: str, words: str) -> None:
    assert address_noted(address) == words


def test_an_answer_that_breaks_off_is_noted_as_none(caplog: pytest.LogCaptureFixture) -> None:
    def ask() -> None:
        with noted("GET", "/") as answered:
            answered(httpx.Response(200))
            raise httpx.ReadError("Nell")

    with caplog.at_level(logging.DEBUG, "caspen_xero"), pytest.raises(httpx.ReadError):
        ask()
    assert "no whole answer (ReadError)" in caplog.text
    assert not [words for words in ("HTTP 200", "Nell") if words in caplog.messages[-1]]


def test_a_file_that_cannot_be_used_is_said_and_the_run_goes_on(
    unsent: Clinic, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> bool:
        told = unsent.cli("status")
        assert told.exit_code == 0
        return f"Warning: The log file {file} can't be written: " in told.stderr

    anothers = file.parent / "anothers"
    anothers.write_text("theirs")
    file.symlink_to(anothers)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert refused()
    monkeypatch.undo()
    monkeypatch.setenv("CASPEN_XERO_LOG", str(file))
    monkeypatch.setenv("CASPEN_XERO_HOME", str(unsent.home))
    monkeypatch.setenv("XERO_URL", unsent.sandbox.url)
    assert anothers.read_text() == "theirs"
    if me == 0:  # another's link to a file of ours
        os.chown(file, 1, 1, follow_symlinks=False)
        assert refused()
        assert anothers.read_text() == "theirs"
        os.chown(file, 0, 0, follow_symlinks=False)
    anothers.unlink()
    assert refused()  # it leads nowhere
    file.unlink()
    os.mkfifo(file)
    assert refused()
    file.unlink()
    file.mkdir()
    assert refused()
    file.rmdir()
    monkeypatch.setenv("CASPEN_XERO_LOG", str(unsent.home / "default" / "new.log"))
    assert "it is in a workspace's folder" in unsent.cli("status").stderr
    monkeypatch.setenv("CASPEN_XERO_LOG", str(file))
    file.write_text("a letter of mine")
    assert refused()
    assert file.read_text() == "a letter of mine"
    file.unlink()
    assert not refused()
    assert not refused()
    file.unlink()
    file.mkdir()
    quiet = [unsent.cli("push", "--quiet").stderr for _ in range(2)]
    assert [text.count("can't be written") for text in quiet] == [1, 0]  # the second time it is no news
    assert "can't be written" in unsent.cli("status", "--quiet").stderr
    file.rmdir()
    unsent.takes(invoice("INV-0002", client_id="1"))

    def full(self: Any, record: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log_file.LogFile, "shouldRollover", full)
    told = unsent.cli("push", "--yes")
    assert told.exit_code == 0
    assert told.stderr.count(f"The log file {file} can't be written: No space left on device.") == 1


def test_a_file_is_never_larger_than_it_may_be(unsent: Clinic, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 300)
    file.write_text("2026-11-28T01:02:03.004Z 17 earlier\n" * 20)
    file.chmod(0o644)
    for _ in range(10):
        assert unsent.cli("status").exit_code == 0
    kept = sorted(file.parent.glob("xero.log*"))
    assert [one.name for one in kept] == ["xero.log", *(f"xero.log.{number}" for number in range(1, 6))]
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 and one.stat().st_size <= 400 for one in kept)


def test_a_file_of_something_else_is_never_written_over(
    unsent: Clinic, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 300)
    file.write_text("2026-11-28T01:02:03.004Z 17 earlier\n" * 20)
    before = file.read_text()
    for name, held in (("xero.log.1", "a letter of mine"), ("xero.log.5", "")):
        theirs = file.with_name(name)
        theirs.write_text(held)
        told = unsent.cli("status")
        assert (told.exit_code, f"{theirs}, which an earlier part of it would be called" in told.stderr) == (0, True)
        assert (theirs.read_text(), file.read_text()) == (held, before)
        theirs.unlink()
    said: list[str] = []
    begun = log_file.LogFile(str(file), said.append)
    theirs.write_text("put there while it was open")
    begun.handle(logging.LogRecord("x", logging.INFO, "", 0, "a line", None, None))
    begun.close()
    assert (len(said), theirs.read_text()) == (1, "put there while it was open")
