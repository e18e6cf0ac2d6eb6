"""What was found is over once something was done about it, and what a person has accepted is just what was found then."""

from __future__ import annotations

from datetime import date
from typing import Any

import in_xero
import moved
import pytest
from clinics import invoice, line, payment
from moved import LATER, PEOPLE, RECORDS, Act
from proving import DIFFERS, EQUAL, proves
from pushing import Clinic, commands_in

INV = "INV-0003"


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """The books in which `moved` moves things."""
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    return ready


def status_says(clinic: Clinic) -> str:
    """What `status` says of the last proof, in one line."""
    words = " ".join(clinic.cli("status").stdout.split())
    return words.partition(" Proved ")[2].partition(" To do ")[0].partition(" Store ")[0]


def accepted(clinic: Clinic) -> None:
    """A moved due date is found, and a person is content with it."""
    moved.sets(INV, DueDate="2026-12-24")(clinic)
    assert proves(clinic).exit_code == DIFFERS
    assert clinic.cli("invoices", "accept", INV).exit_code == 0
    assert proves(clinic).exit_code == EQUAL


NEXT: dict[str, tuple[Act, set[str]]] = {
    "a line": (moved.lines(INV, (1, "1150.00", "115.00")), {"figures", "line"}),
    "a line, through Xero's rules": (
        lambda clinic: in_xero.edits(
            clinic,
            INV,
            LineItems=[
                {**each, "UnitAmount": "1150.00", "LineAmount": "1150.00", "TaxAmount": "115.00"} if not place else each
                for place, each in enumerate(_lines_sent(clinic))
            ],
        ),
        {"figures", "line"},
    ),
    "a payment": (lambda clinic: in_xero.pays(clinic, INV, "50.00"), {"payment-unknown-in-caspen"}),
    "voided": (moved.edits(INV, Status="VOIDED"), {"voided-in-xero"}),
    "gone altogether": (moved.loses(INV), {"missing-in-xero"}),
    "another date": (moved.edits(INV, Date="2026-11-01"), {"date"}),
    "another due date": (moved.edits(INV, DueDate="2026-12-25"), {"due-date"}),
}


def _lines_sent(clinic: Clinic) -> list[dict[str, Any]]:
    names = ("LineItemID", "Description", "AccountCode", "TaxType")
    figures = ("Quantity", "UnitAmount", "LineAmount", "TaxAmount")
    return [
        {name: each[name] for name in names} | {name: str(each[name]) for name in figures}
        for each in clinic.in_xero()[INV]["LineItems"]
    ]


@pytest.mark.parametrize(("act", "codes"), NEXT.values(), ids=NEXT)
def test_who_has_accepted_one_thing_has_not_accepted_the_next(books: Clinic, act: Act, codes: set[str]) -> None:
    accepted(books)
    act(books)
    for _ in range(2):  # the next run says so too
        proved = proves(books)
        assert proved.exit_code == DIFFERS
        assert {row["code"] for row in proved.finds if not row["accepted"]} == codes
        assert status_says(books).startswith("1 of 6 invoices differs (")
        assert books.listed()[INV]["sync_status"] == "differs"
    books.cli("pull")
    is_told = codes == {"payment-unknown-in-caspen"}  # which Caspen knows by now
    assert proves(books).exit_code == (EQUAL if is_told else DIFFERS)


@pytest.mark.parametrize(
    ("act", "codes"),
    [
        (moved.loses(INV), {"missing-in-xero"}),
        (moved.edits(INV, DueDate="2026-12-25"), {"due-date"}),
        (lambda clinic: in_xero.pays(clinic, INV, "50.00"), {"payment-unknown-in-caspen"}),
    ],
)
def test_who_has_accepted_what_a_pull_tells_has_not_accepted_the_next(books: Clinic, act: Act, codes: set[str]) -> None:
    in_xero.edits(books, INV, Date="2026-11-01")
    assert books.cli("pull").exit_code == DIFFERS
    assert books.cli("invoices", "accept", INV).exit_code == 0
    assert proves(books).exit_code == EQUAL
    act(books)
    for _ in range(2):
        proved = proves(books)
        assert {row["code"] for row in proved.finds if not row["accepted"]} >= codes, proved.finds
        assert books.listed()[INV]["sync_status"] == "differs"
        assert books.unsynced() != []
    assert books.cli("invoices", "accept", INV).exit_code == 0
    assert proves(books).exit_code == EQUAL


def test_a_payment_that_goes_on_an_invoice_is_no_reason_to_ask_again(books: Clinic) -> None:
    accepted(books)
    books.takes(payment("50.00", (f"inv_{INV}", "50.00"), id_="pay_9"))
    assert books.push().exit_code == EQUAL
    proved = proves(books)
    assert proved.exit_code == EQUAL
    assert [(row["code"], row["accepted"]) for row in proved.finds] == [("due-date", True)]


# --- over, once something was done about it


def test_a_payment_that_a_pull_has_told_of_is_no_longer_unknown(books: Clinic) -> None:
    in_xero.pays(books, INV, "25.00")
    proves(books)
    assert books.problem(INV)["code"] == "not-equal-in-xero"
    books.run("caspen-xero pull")
    assert books.unsynced() == []
    assert status_says(books).endswith("1 new, changed or sent since: caspen-xero reconcile")
    assert proves(books).exit_code == EQUAL


def test_what_was_voided_in_caspen_and_then_in_xero_is_over(books: Clinic) -> None:
    books.takes({**RECORDS["pay_1"], **LATER, "status": "void"}, {**_note(), **LATER, "status": "void"})
    proved = proves(books)
    assert {row["fix"] for row in proved.finds} == {"caspen-xero push INV-0001", "caspen-xero push INV-0002"}
    assert books.push().exit_code == EQUAL
    assert books.unsynced() == []
    assert "2 changed since" in status_says(books)
    assert proves(books).exit_code == EQUAL


def _note() -> dict[str, Any]:
    (note,) = [each for each in RECORDS.values() if each.get("number") == "CRN-0001"]
    return note


def test_what_was_written_over_is_over(books: Clinic) -> None:
    moved.sets(INV, Date="2026-11-01")(books)
    proves(books)
    (overwrite,) = {one for row in books.unsynced() for one in commands_in(row["fix"]) if "--overwrite" in one}
    assert books.run(overwrite).exit_code == EQUAL
    assert books.unsynced() == []
    assert proves(books).exit_code == EQUAL


def test_what_nobody_did_anything_about_stands_whatever_is_done_elsewhere(books: Clinic) -> None:
    moved.lines(INV, (1, "150.01", None))(books)
    proves(books)
    books.takes(invoice("INV-0100", [line("10.00")]), payment("5.00", ("inv_INV-0001", "5.00"), id_="pay_9"))
    assert books.push().exit_code == DIFFERS
    assert {row["number"] for row in books.unsynced()} == {INV}
    assert date(2026, 11, 2).isoformat() in str(proves(books).finds)
