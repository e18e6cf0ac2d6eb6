"""Each switch of the local Xero, each way: what is pushed and paid is equal to the cent, or told with its reason and way out."""

from __future__ import annotations

from typing import get_args, get_type_hints

import in_xero
import pytest
from bookkeeping import told as told_to_caspen
from clinics import EFTPOS, client, invoice, line, random_clinic
from one_truth import true_to_the_books
from pulling import credit_note, payment
from pushing import Clinic, finalised, same_figures

from caspen_xero.sandbox.settings import Ways

WAYS = [
    (name, word)
    for name, words in get_type_hints(Ways).items()
    for word in get_args(words)
    if word != getattr(Ways(), name)
]


OWN = "INV-99001"


@pytest.mark.parametrize(("switch", "word"), WAYS, ids=[f"{name}={word}" for name, word in WAYS])
def test_a_clinic_goes_the_whole_way_with_each_switch_turned(ready: Clinic, switch: str, word: str) -> None:
    ready.control("settings", **{switch: word})
    records = random_clinic(len(switch + word), 12)
    free = line("95.00", discount=("percentage", "100"))
    records += [client("1048237"), EFTPOS, invoice(OWN, [line("200.00"), free])]
    ready.takes(*records, payment(1, OWN, "100.00"), credit_note(1, OWN))
    pushed = ready.push()
    told = {row["number"]: (row["reason"], row["fix"]) for row in ready.unsynced()}
    assert pushed.exit_code == (3 if told else 0)
    there = ready.in_xero()
    for number, record in finalised(records).items():
        assert all(told[number]) if number in told else same_figures(record, there[number]), number
    assert told.keys() <= {OWN}
    if OWN not in told:
        assert there[OWN]["AmountDue"] == 76
    in_xero.pays(ready, next(number for number in finalised(records) if there[number]["AmountDue"] > 5), "5.00")
    assert ready.cli("pull").exit_code == pushed.exit_code
    assert [record["amount"] for record in told_to_caspen(ready)] == ["5.00"]
    assert set(true_to_the_books(ready).values()) <= {"synced", "draft", "void", "unsynced"}
    assert in_xero.silent(ready) or told
