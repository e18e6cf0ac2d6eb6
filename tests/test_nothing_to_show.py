"""A list with nothing in it says so in a sentence, and shows no empty table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clinics import EFTPOS, client, invoice, payment
from pushing import Clinic


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("log", "Nothing was sent to Xero yet."),
        ("log --warnings", "Xero took nothing with a warning."),
        ("invoices list", "No invoice has been imported yet: caspen-xero import PATH"),
        ("contacts list", "No client or payer has been imported yet: caspen-xero import PATH"),
    ],
)
def test_what_is_empty_is_said(ready: Clinic, command: str, words: str) -> None:
    result = ready.cli(*command.split())
    assert (result.exit_code, result.stdout) == (0, f"{words}\n")


def test_what_was_asked_for_is_named(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    assert ready.cli("invoices", "list", "--status", "void").stdout == "No invoice is void.\n"
    assert ready.cli("log", "--invoice", "INV-0001").stdout == "Of invoice INV-0001 nothing was sent to Xero yet.\n"


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "unsynced",
        "unsynced INV-0001",
        "invoices list",
        "invoices show INV-0001",
        "log",
        "drift",
        "payments list",
        "payments list --to-enter",
        "taxes list",
        "settings show",
        "workspaces list",
    ],
)
def test_what_only_shows_the_store_needs_no_connection(cli: Any, tmp_path: Path, command: str) -> None:
    records = [EFTPOS, client("1048237"), invoice(), payment("5.00", ("inv_INV-0001", "5.00"))]
    file = tmp_path / "export.jsonl"
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    assert cli("import", file).exit_code == 0
    shown = cli(*command.split())
    assert shown.exit_code == 0, shown.stderr
    assert "caspen-xero push" not in shown.stdout
    assert "caspen-xero pull" not in shown.stdout
    if command.split()[0] in ("drift", "payments", "unsynced", "status"):
        assert "caspen-xero connect" in shown.stdout


def test_a_check_that_names_a_fix_is_not_shown_as_plainly_ok(ready: Clinic) -> None:
    checks = ready.cli("doctor", "--json").json["checks"]
    assert {bool(one["fix"]): one["state"] for one in checks if one["ok"]} == {False: "ok", True: "note"}
    shown = ready.cli("doctor").stdout.splitlines()
    assert [line.split("\t")[0] for line in shown if "\tsource\t" in line] == ["note"]
