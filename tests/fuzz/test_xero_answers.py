"""Whatever Xero answers, a command ends in order, and once Xero answers as ever the books are whole: nothing doubled, nothing lost.

Shortly with the other tests; at length by hand (`fuzzing.py` says how).
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from fuzzing import EXIT_CODES, corpus, fuzz
from hypothesis import strategies as st
from oddities import BODIES, HEADERS, NODES, Oddity, OddWay
from pushing import Clinic, begins_anew, finalised, same_figures

NUMBERS = [f"INV-{place:04d}" for place in range(1, 6)]
COMMANDS = (
    ("push",),
    ("push", "--refresh"),
    ("push", "--dry-run"),
    ("pull",),
    ("pull", "--full"),
    ("adopt",),
    ("doctor",),
    ("taxes", "list"),
    ("settings", "accounts"),
    ("status",),
    ("drift",),
    ("unsynced",),
    ("invoices", "show", "INV-0001"),
    ("invoices", "link", "INV-0005", "0662405e-334f-5d73-88aa-953f08afa390"),
)
PATHS = ("", "", "Invoices", "Payments", "Contacts", "CreditNotes", "Accounts", "TaxRates", "Organisation")

BEFORE = [
    EFTPOS,
    *(client(f"104823{place}", "Nell", f"Okafor {place}") for place in range(3)),
    *(
        invoice(number, [line("150.00"), line("33.33", "3")], client_id=f"104823{place % 3}")
        for place, number in enumerate(NUMBERS[:4])
    ),
    payment("100.00", ("inv_INV-0001", "60.00"), ("inv_INV-0002", "40.00"), client_id="1048230"),
    credit_note("CN-0001", invoice_id="inv_INV-0003"),
]
SINCE = [
    invoice("INV-0005", client_id="1048231"),
    invoice("INV-0002", [line("180.00")], client_id="1048231", updated_at="2026-11-05T03:04:05Z"),
    payment("50.00", ("inv_INV-0003", "30.00"), ("inv_INV-0004", "20.00"), id_="pay_2", client_id="1048232"),
]


def _starts(clinic: Clinic, ready_home: Path, *, half_way: bool) -> None:
    """The clinic as new: nothing is in Xero yet; or half way, with work on both sides since the last push."""
    begins_anew(clinic, ready_home)
    clinic.takes(*BEFORE)
    if half_way:
        clinic.push("--yes")
        in_xero.pays(clinic, "INV-0001", "25.00")
        in_xero.edits(clinic, "INV-0004", Reference="by hand")
    clinic.takes(*SINCE)


def _ends_in_order(clinic: Clinic, command: tuple[str, ...]) -> None:
    """No traceback (`cli` raises it), a documented exit code, one JSON document."""
    asks = ("--yes",) if command[0] == "push" and "--dry-run" not in command else ()
    result = clinic.cli(*command, *asks, "--json")
    assert result.exit_code in {*EXIT_CODES, 4}  # 4: an odd answer may be a sign-in's
    json.loads(result.stdout)


def _books_are_whole(clinic: Clinic) -> None:
    """After clean runs, every finalised invoice, payment and credit note is in Xero once and to the cent, or told of."""
    for command in (("push", "--refresh"), ("pull", "--full"), ("push", "--refresh")):
        _ends_in_order(clinic, command)
    told = {row["number"] for row in clinic.unsynced()}
    there = clinic.in_xero()
    for number, record in finalised([*BEFORE, *SINCE]).items():
        assert number in told or (number in there and same_figures(record, there[number])), f"{number} is lost"
    references = [each["Reference"] for each in in_xero.payments(clinic)]
    assert len(references) == len(set(references)), f"paid twice: {references}"
    by_hand = sum(each["Amount"] for each in in_xero.payments(clinic) if each["Reference"] == "Bank feed")
    ours = {each["Reference"]: each["Amount"] for each in in_xero.payments(clinic) if each["Reference"] != "Bank feed"}
    assert by_hand in (0, Decimal(25))
    assert set(ours.values()) <= {Decimal(60), Decimal(40), Decimal(30), Decimal(20)}
    assert len(ours) == 4 or told
    notes = in_xero.credit_notes(clinic)
    assert "CN-0001" in notes or told
    clinic.contacts()


def _play(clinic: Clinic, ready_home: Path, way: OddWay, case: dict[str, Any]) -> None:
    _starts(clinic, ready_home, half_way=case["half_way"])
    oddity = Oddity(**{**case["oddity"], "at": tuple(case["oddity"].get("at", ()))})
    with way.odd(oddity):
        _ends_in_order(clinic, tuple(case["command"]))
    _books_are_whole(clinic)


CASES = st.fixed_dictionaries(
    {
        "half_way": st.booleans(),
        "command": st.sampled_from([*COMMANDS[:2] * 4, *COMMANDS[2:5] * 2, *COMMANDS]),
        "oddity": st.fixed_dictionaries(
            {
                "answer": st.integers(0, 9),
                "path": st.sampled_from(PATHS),
                "what": st.sampled_from([*NODES * 3, *BODIES, *HEADERS]),
                "at": st.lists(st.integers(0, 40), min_size=1, max_size=6),
            }
        ),
    }
)


def test_whatever_xero_answers_the_books_are_whole_afterwards(
    ready: Clinic, ready_home: Path, way: OddWay, waits: list[float]
) -> None:
    fuzz(lambda case: _play(ready, ready_home, way, case), CASES, examples=8)


@pytest.mark.parametrize("file", corpus("xero-answers"), ids=lambda file: file.stem)
def test_what_was_once_not_whole(ready: Clinic, ready_home: Path, way: OddWay, waits: list[float], file: Path) -> None:
    _play(ready, ready_home, way, json.loads(file.read_text()))
