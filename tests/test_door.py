"""Xero's door, whichever way it is: which organisation, format and scopes; and the id by which its support finds an answer."""

from __future__ import annotations

import re

import pytest
from clinics import EFTPOS, client, invoice, payment
from pushing import Clinic

WAYS = [
    {},
    {"unnamed_organisation": "refused", "without_accept": "refused", "missing_scope": "403"},
    {"unnamed_organisation": "any"},
]
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("ways", WAYS, ids=str)
def test_a_push_asks_for_all_that_xero_may_want_to_be_asked(ready: Clinic, ways: dict[str, str]) -> None:
    ready.control("settings", **ways)
    ready.takes(client("1048237"), invoice("INV-0001"), EFTPOS, payment("165.00", ("inv_INV-0001", "165.00")))
    assert ready.push().exit_code == 0
    assert ready.in_xero()["INV-0001"]["Status"] == "PAID"
    assert ready.cli("pull", "--json").exit_code == 0
    assert ready.unsynced() == []


def allow_less(clinic: Clinic) -> None:
    """The sign-in loses its scopes but one."""
    with clinic.sandbox.xero.transaction():
        clinic.sandbox.xero.db.execute("UPDATE identity_access_tokens SET scopes = 'accounting.contacts'")


@pytest.mark.parametrize("status", ["401", "403"])
@pytest.mark.parametrize("words", ["insufficient_scope", 'Bearer error="insufficent_scope"'])
def test_a_missing_scope_is_told_as_that_however_xero_says_it(ready: Clinic, status: str, words: str) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.control("settings", missing_scope=status, insufficient_scope=words)
    allow_less(ready)
    stopped = ready.push()
    assert stopped.exit_code == 4
    assert stopped.json["stopped"]["code"] == "missing-scope"
    assert not ready.in_xero()


def test_an_error_names_the_id_of_xeros_answer_for_xeros_support(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    allow_less(ready)
    assert ID.fullmatch(ready.push().json["stopped"]["xero_correlation_id"])
    for quiet in ((), ("--quiet",)):
        told = ready.cli("push", *quiet).stderr
        (line,) = [line for line in told.splitlines() if "Xero-Correlation-Id" in line]
        assert ID.search(line)
