"""docs/recovery.md, each list of commands run as it is printed: all is in Xero once after it, and in Caspen's file too."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import webbrowser
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import keyring
import loopback
import pytest
from clinics import TAX_RATES, client, invoice
from pulling import EFTPOS, credit_note, payment
from pushing import Clinic
from xero_side.keyrings import MemoryKeyring

DOC = (Path(__file__).parent.parent / "docs" / "recovery.md").read_text("utf-8")
SAFE = "/mnt/safe/"
CRON_LINE = next(line for line in DOC.splitlines() if line.endswith(f"caspen-xero backup {SAFE}"))


def blocks(chapter: str) -> list[list[str]]:
    """The lists of commands of a chapter, line by line."""
    text = DOC.partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    assert text, f"docs/recovery.md has no chapter {chapter}"
    return [body.splitlines() for body in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


RECORDS = [*TAX_RATES, EFTPOS, *(client(str(number), "Nell", f"Okafor {number}") for number in range(1, 5))]
EARLY = [invoice(f"INV-000{number}", client_id=str(number)) for number in (1, 2)]
LATE = [invoice(f"INV-000{number}", client_id=str(number)) for number in (3, 4)]


class Machine:
    """A person at a machine whose home folder is a test's own, with a clinic's export and a browser that Xero approves in."""

    def __init__(self, clinic: Clinic, folder: Path, terminal: Callable[..., Any]) -> None:
        self.clinic, self.folder, self.terminal = clinic, folder, terminal
        self.copy = self.safe = folder / "safe"
        self.safe.mkdir()
        self.export = folder / "caspen-export"
        self.export.mkdir()

    def writes(self, *records: dict[str, Any]) -> None:
        """What Caspen exports by now."""
        (self.export / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))

    def runs(self, lines: list[str]) -> None:
        """Runs each line as it is printed; a question is answered with yes."""
        for line in lines:
            if not line.startswith("caspen-xero "):
                subprocess.run(["bash", "-c", line], check=True)
                continue
            words = [os.path.expanduser(word.replace(SAFE, f"{self.safe}/")) for word in shlex.split(line)[1:]]
            if words[0] == "restore" and self.clinic.store_file.exists() and self.clinic.cli("status").exit_code == 0:
                done = self.terminal(*words, typing=[("[y/N]", "y")])
            else:
                done = self.clinic.cli(*words)
            assert done.exit_code == 0, f"{line}\n{done.stdout}{done.stderr}"

    def loses_all(self) -> None:
        """The disk is gone, with the store, its copies and the sign-in."""
        shutil.rmtree(self.clinic.home)

    def all_is_there_once(self) -> None:
        assert {number: each["AmountPaid"] for number, each in self.clinic.in_xero().items()} == {
            "INV-0001": Decimal(65),
            "INV-0002": Decimal(10),
            "INV-0003": Decimal(20),
            "INV-0004": Decimal(0),
        }
        assert sorted(each["Reference"] for each in in_xero.payments(self.clinic)) == [
            "Bank feed",
            "EFTPOS pay_1/all_1",
            "EFTPOS pay_3/all_3",
        ]
        assert {number: note["RemainingCredit"] for number, note in in_xero.credit_notes(self.clinic).items()} == {
            "CRN-0001": 0
        }
        assert len(self.clinic.contacts()) == 4
        told = [json.loads(line) for line in (self.export / "caspen-updates.jsonl").read_text().splitlines()]
        assert [(each["invoice_number"], each["amount"]) for each in told] == [("INV-0002", "10.00")]
        assert self.clinic.unsynced() == []
        assert (
            "Nothing is unsynced: 4 of 4 finalised invoices are in Xero and equal" in self.clinic.cli("unsynced").stdout
        )
        self.clinic.forget_calls()
        assert self.clinic.push().exit_code == 0
        assert self.clinic.writes() == []


@pytest.fixture
def machine(
    ready: Clinic, tmp_path: Path, terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """A clinic of which a copy was taken in the middle of its life, under the names that the document uses."""
    at_home = tmp_path / "at home"
    at_home.mkdir()
    monkeypatch.setenv("HOME", str(at_home))
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr(webbrowser, "open", lambda url: loopback.get(url, follow_redirects=True, timeout=20).is_success)
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    one = Machine(ready, at_home, terminal)
    (at_home / ".local/share").mkdir(parents=True)
    (at_home / ".local/share/caspen-xero").symlink_to(ready.home)
    one.writes(*RECORDS, *EARLY, payment(1, "INV-0001", "65.00"))
    assert ready.cli("settings", "set", "--source", one.export).exit_code == 0
    assert ready.cli("sync").exit_code == 0
    one.runs([" ".join(CRON_LINE.split()[5:])])
    copy = one.copy = next(one.safe.glob("*-by-hand.sqlite"))
    shutil.copy(copy, one.safe / "20250101T000000Z-by-hand.sqlite")
    shutil.copy(copy, one.safe / "20990101T000000Z-replaced.sqlite")
    day = next((ready.home / "default" / "backups").glob("*-day.sqlite"))
    day.unlink()
    shutil.copy(copy, day.with_name("20261128T061500Z-day.sqlite"))
    in_xero.pays(ready, "INV-0002", "10.00")
    one.writes(
        *RECORDS,
        *EARLY,
        *LATE,
        payment(1, "INV-0001", "65.00"),
        payment(3, "INV-0003", "20.00"),
        credit_note(1, "INV-0004"),
    )
    assert ready.cli("sync").exit_code == 0
    yield one
    keyring.set_keyring(before)


def test_this_machine_died_with_a_copy(machine: Machine) -> None:
    machine.loses_all()
    machine.runs(blocks("This machine died")[0])
    machine.all_is_there_once()


def test_this_machine_died_without_a_copy(machine: Machine) -> None:
    machine.loses_all()
    machine.runs(blocks("This machine died")[1])
    machine.all_is_there_once()


def test_an_old_copy_was_restored(machine: Machine) -> None:
    machine.runs(blocks("I restored an old copy")[0])
    machine.all_is_there_once()


def test_what_caspens_file_has_already_is_not_said_to_be_written_again(machine: Machine) -> None:
    for given in ("restore /mnt/safe/", "adopt"):
        machine.runs([f"caspen-xero {given}"])
    told = machine.clinic.cli("pull").stdout
    assert "1 payment was in " in told
    assert "not written again" in told
    assert "written to" not in told


def test_an_old_folder_was_brought_back_by_something_else(machine: Machine) -> None:
    for file in machine.clinic.store_file.parent.glob("store.sqlite*"):
        file.unlink()
    shutil.copy(machine.copy, machine.clinic.store_file)
    machine.runs(blocks("I restored an old copy")[1])
    machine.all_is_there_once()


def test_the_clinic_moved_to_another_machine(machine: Machine) -> None:
    on_the_old_one, on_the_new_one = blocks("We moved to another machine")
    machine.runs(on_the_old_one)
    assert machine.clinic.push().exit_code == 4
    machine.loses_all()
    machine.runs(on_the_new_one)
    machine.all_is_there_once()


def test_the_store_is_damaged_and_there_is_a_copy(machine: Machine) -> None:
    machine.clinic.store_file.write_bytes(machine.clinic.store_file.read_bytes()[:-20_000])
    lines = blocks("The store is damaged")[0]
    shown = machine.clinic.cli("unsynced", "--json").json["error"]["fix"]
    assert Path(shlex.split(shown)[-1]).name == Path(shlex.split(lines[0])[-1]).name
    machine.runs(lines)
    machine.all_is_there_once()


def test_the_store_is_damaged_and_there_is_no_copy(machine: Machine) -> None:
    shutil.rmtree(machine.clinic.store_file.parent / "backups")
    machine.clinic.store_file.write_bytes(b"")
    machine.runs(blocks("The store is damaged")[1])
    machine.runs(blocks("This machine died")[1])
    machine.all_is_there_once()


def test_every_list_of_commands_is_run_here() -> None:
    chapters = re.findall(r"^## (.+)$", DOC, re.MULTILINE)
    assert {chapter: len(blocks(chapter)) for chapter in chapters} == {
        "Before anything happens": 0,
        "This machine died": 2,
        "I restored an old copy": 2,
        "We moved to another machine": 2,
        "The store is damaged": 2,
    }
