"""A 404 is a web page, whether Xero's books or what stands in front of them say it: no money is taken for gone on that word."""

from __future__ import annotations

import in_xero
from clinics import EFTPOS, client, credit_note, invoice, payment
from pushing import Clinic

PAID = payment("50.00", ("inv_INV-0001", "50.00"))


def answers_404(clinic: Clinic, method: str, path: str) -> None:
    """From now on the web server answers these requests once."""
    clinic.control("faults", kind="html", status=404, method=method, path=path)


def struck(clinic: Clinic) -> bool:
    return [fault["struck"] for fault in clinic.faults()] == [1]


def test_a_payment_whose_address_is_not_found_is_not_taken_for_deleted(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), PAID)
    assert ready.push().exit_code == 0
    answers_404(ready, "GET", "/api.xro/2.0/Payments/")
    ready.takes(PAID | {"status": "void", "updated_at": "2026-11-20T01:00:00Z"})
    assert ready.push().exit_code == 0
    assert struck(ready)
    assert in_xero.payments(ready) == [], "it was deleted in Xero, as Caspen has it"


def test_an_allocation_that_is_not_found_is_taken_back_all_the_same(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), credit_note())
    assert ready.push().exit_code == 0
    answers_404(ready, "DELETE", "/Allocations/")
    ready.takes(credit_note() | {"status": "void"})
    assert ready.push().exit_code == 0
    assert struck(ready)
    note = in_xero.credit_notes(ready)["CN-0001"]
    assert (note["Status"], note["Allocations"]) == ("VOIDED", [])


def test_a_write_to_an_address_that_is_not_found_is_tried_again_and_held_against_no_invoice(
    ready: Clinic, waits: list[float]
) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002"))
    answers_404(ready, "PUT", "/api.xro/2.0/Invoices")
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (0, 2), pushed.stdout
    assert struck(ready)
    assert list(ready.in_xero()) == ["INV-0001", "INV-0002"]
