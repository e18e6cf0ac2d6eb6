"""What differs and stands so costs no calls: a pull asks again only for what Xero or Caspen has changed since it was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, client, invoice, line
from pulling import credit_note, payment, pull
from pushing import Clinic

NUMBER = "INV-0001"
Act = Callable[[Clinic], object]


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """Three invoices of 220.00 in Xero; on the first a payment of 100.00 and a credit note of 44.00, both ours."""
    ready.takes(client("1048237"), EFTPOS, *(invoice(f"INV-000{n}", [line("200.00")]) for n in (1, 2, 3)))
    ready.takes(payment(1, NUMBER, "100.00"), credit_note(1, NUMBER))
    assert ready.push().exit_code == 0
    assert pull(ready)["payments"] == 0
    assert pull(ready)["api_calls"] == 1
    return ready


def others_are_changed(clinic: Clinic) -> None:
    """What was changed last in Xero is another invoice: a pull reads again what was changed within its last two seconds."""
    clinic.control("clock", seconds=60)
    in_xero.edits(clinic, "INV-0003", Reference="By hand")
    clinic.control("clock", seconds=60)


def bookkeeper(clinic: Clinic) -> Bookkeeper:
    return Bookkeeper(clinic.sandbox.url)


def note(clinic: Clinic) -> dict[str, Any]:
    (found,) = clinic.state("CreditNotes")
    return found


def takes_the_credit_off(clinic: Clinic) -> None:
    found = note(clinic)
    bookkeeper(clinic).takes_back("credit_note", found["CreditNoteID"], found["Allocations"][0]["AllocationID"])


def puts_the_credit_on(clinic: Clinic, number: str = NUMBER, amount: str = "44.00") -> None:
    bookkeeper(clinic).allocates("credit_note", note(clinic)["CreditNoteID"], number, amount)


def note_becomes(clinic: Clinic, **fields: Any) -> None:
    id_ = note(clinic)["CreditNoteID"]
    in_xero.writes(clinic, "POST", f"CreditNotes/{id_}", {"CreditNoteID": id_, **fields})


def voids_the_note(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    note_becomes(clinic, Status="VOIDED")


CUT = [{"Description": "Less", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200", "TaxType": "OUTPUT"}]


def cuts_the_note(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    note_becomes(clinic, LineItems=CUT)


def puts_a_part_on(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    puts_the_credit_on(clinic, amount="20.00")


def puts_it_elsewhere(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    puts_the_credit_on(clinic, "INV-0002")


def deletes_the_payment(clinic: Clinic) -> None:
    (found,) = in_xero.payments(clinic)
    bookkeeper(clinic).deletes(str(found["PaymentID"]))


def cuts_the_invoice(clinic: Clinic) -> None:
    (one,) = clinic.in_xero()["INV-0002"]["LineItems"]
    in_xero.edits(clinic, "INV-0002", LineItems=[{"LineItemID": one["LineItemID"], "UnitAmount": "100.00"}])


def moves_it(clinic: Clinic) -> None:
    other = clinic.put_in_xero("Contacts", Name="Somebody Else")
    in_xero.edits(clinic, "INV-0002", Contact={"ContactID": other["ContactID"]})


def merges_its_contact(clinic: Clinic) -> None:
    (own,) = (one for one in clinic.state("Contacts"))
    other = clinic.put_in_xero("Contacts", Name="Somebody Else")
    clinic.control(f"contacts/{own['ContactID']}/merge", into=other["ContactID"])


def links_by_force(clinic: Clinic) -> None:
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": "INV-0004",
        "Contact": {"ContactID": clinic.put_in_xero("Contacts", Name="Somebody Else")["ContactID"]},
        "LineItems": [{**CUT[0], "UnitAmount": 150}],
        "Date": "2026-11-02",
        "DueDate": "2026-11-16",
        "Status": "AUTHORISED",
    }
    in_xero.writes(clinic, "PUT", "Invoices", {"Invoices": [body]})
    clinic.takes(invoice("INV-0004", [line("200.00")]))
    other = clinic.in_xero()["INV-0004"]["InvoiceID"]
    assert clinic.cli("invoices", "link", "--force", "INV-0004", other).exit_code == 0


def sets_aside(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    pull(clinic)
    assert clinic.cli("invoices", "skip", NUMBER).exit_code == 0


def accepts(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    pull(clinic)
    assert clinic.cli("invoices", "accept", NUMBER).exit_code == 0


def pays_astray(clinic: Clinic) -> None:
    bookkeeper(clinic).pays("INV-0002", "50.00", reference="EFTPOS pay_9/all_9")


def allocates_an_overpayment(clinic: Clinic) -> None:
    over = bookkeeper(clinic).receives_overpayment("INV-0002", "60.00")
    bookkeeper(clinic).allocates("overpayment", over, "INV-0002", "50.00")


STANDING: dict[str, tuple[Act, int]] = {
    "nothing": (lambda clinic: None, 1),
    "voided invoice": (lambda clinic: in_xero.edits(clinic, "INV-0002", Status="VOIDED"), 1),
    "cut invoice": (cuts_the_invoice, 1),
    "deleted payment": (deletes_the_payment, 1),
    "moved contact": (moves_it, 1),
    "merged contact": (merges_its_contact, 1),
    "forced link": (links_by_force, 1),
    "payment astray": (pays_astray, 1),
    "overpayment allocated": (allocates_an_overpayment, 1),
    "voided credit note": (voids_the_note, 1),
    # A note that is on no invoice may be voided or cut, and no invoice shows it: one call asks for all changed notes.
    "removed allocation": (takes_the_credit_off, 2),
    "cut credit note": (cuts_the_note, 2),
    "part of a credit note": (puts_a_part_on, 2),
    "credit note elsewhere": (puts_it_elsewhere, 2),
    "set aside": (sets_aside, 2),
    "accepted": (accepts, 2),
}


@pytest.mark.parametrize(("act", "calls"), STANDING.values(), ids=STANDING)
def test_a_difference_that_stands_costs_no_more_than_nothing_wrong(synced: Clinic, act: Act, calls: int) -> None:
    act(synced)
    pull(synced)
    others_are_changed(synced)
    pull(synced)
    told = synced.unsynced()
    assert [pull(synced)["api_calls"] for _ in range(3)] == [calls] * 3
    assert synced.unsynced() == told


@pytest.mark.parametrize("then", [None, others_are_changed], ids=["at once", "later"])
@pytest.mark.parametrize(
    ("before", "after", "code", "says"),
    [
        (
            takes_the_credit_off,
            lambda c: note_becomes(c, Status="VOIDED"),
            "credit-note-voided-in-xero",
            "it is voided",
        ),
        (takes_the_credit_off, lambda c: note_becomes(c, LineItems=CUT), "credit-gone-in-xero", "it is 11.00"),
        (cuts_the_note, lambda c: note_becomes(c, Status="VOIDED"), "credit-note-voided-in-xero", "it is voided"),
        (takes_the_credit_off, lambda c: puts_the_credit_on(c, amount="20.00"), "credit-gone-in-xero", "20.00 of it"),
        (puts_a_part_on, lambda c: puts_the_credit_on(c, amount="10.00"), "credit-gone-in-xero", "30.00 of it"),
        (takes_the_credit_off, puts_the_credit_on, None, ""),
        (puts_a_part_on, lambda c: puts_the_credit_on(c, amount="24.00"), None, ""),
    ],
)
def test_what_becomes_of_a_note_after_it_was_seen_is_noticed(
    synced: Clinic, before: Act, after: Act, code: str | None, says: str, then: Act | None
) -> None:
    before(synced)
    pull(synced)
    for _ in range(2):
        if then:
            then(synced)
        pull(synced)
    after(synced)
    if then:
        then(synced)
    pull(synced)
    rows = [(row["code"], says in row["reason"]) for row in synced.unsynced()]
    assert rows == ([(code, True)] if code else [])


def test_any_number_of_notes_that_stand_so_cost_one_call_together(ready: Clinic) -> None:
    numbers = [f"INV-{n:04d}" for n in range(1, 13)]
    ready.takes(client("1048237"), *(invoice(one, [line("200.00")]) for one in (*numbers, "INV-0099")))
    ready.takes(*(credit_note(n, one) for n, one in enumerate(numbers, 1)))
    assert ready.push().exit_code == 0
    for one in ready.state("CreditNotes"):
        bookkeeper(ready).takes_back("credit_note", one["CreditNoteID"], one["Allocations"][0]["AllocationID"])
    pull(ready)
    ready.control("clock", seconds=60)
    in_xero.edits(ready, "INV-0099", Reference="By hand")
    pull(ready)
    assert [pull(ready)["api_calls"] for _ in range(3)] == [2] * 3
    assert len(ready.unsynced()) == len(numbers)


def test_what_is_astray_is_judged_again_once_caspen_has_anything_new(synced: Clinic) -> None:
    pays_astray(synced)
    pull(synced)
    others_are_changed(synced)
    pull(synced)
    (row,) = synced.unsynced()
    assert (row["number"], row["code"]) == ("INV-0002", "payment-astray-in-xero")
    synced.takes(payment(9, "INV-0002", "50.00"))
    assert pull(synced)["api_calls"] == 2
    assert synced.push().json["payments"] == 0
    assert synced.unsynced() == []
    pull(synced)
    assert pull(synced)["api_calls"] == 1
    assert len(in_xero.payments(synced)) == 2


def test_a_full_pull_asks_for_each_note_whatever_xero_lists_as_changed(
    synced: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes_the_credit_off(synced)
    pull(synced)
    monkeypatch.setattr("caspen_xero.sync.pulling.standing_notes.changed_credit_notes", lambda *_: [])
    note_becomes(synced, Status="VOIDED")
    others_are_changed(synced)
    pull(synced)
    pull(synced, "--full")
    assert synced.problem()["code"] == "credit-note-voided-in-xero"
