"""A list with nothing in it says so in a sentence, and shows no empty table."""

from __future__ import annotations

import pytest
from clinics import client, invoice
from pushing import Clinic


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("log", "Nothing was sent to Xero yet."),
        ("log --warnings", "Xero took nothing with a warning."),
        ("invoices list", "No invoice has been imported yet."),
    ],
)
def test_what_is_empty_is_said(ready: Clinic, command: str, words: str) -> None:
    result = ready.cli(*command.split())
    assert (result.exit_code, result.stdout) == (0, f"{words}\n")


def test_what_was_asked_for_is_named(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    assert ready.cli("invoices", "list", "--status", "void").stdout == "No invoice is void.\n"
    assert ready.cli("log", "--invoice", "INV-0001").stdout == "Of invoice INV-0001 nothing was sent to Xero yet.\n"
