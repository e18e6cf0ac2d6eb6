"""`drift`: what was changed in Xero and never goes to Caspen, or the other way round, is told with what to do about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bookkeeping import Bookkeeper, told
from clinics import EFTPOS, client, invoice, line
from pulling import credit_note, payment, pull
from pushing import Clinic


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """Two invoices of 220.00 in Xero, the first with a payment of 100.00 that we pushed."""
    ready.takes(client("1048237"), EFTPOS, *(invoice(n, [line("200.00")]) for n in ("INV-0001", "INV-0002")))
    ready.takes(payment(1, "INV-0001", "100.00"))
    assert ready.push().exit_code == 0
    pull(ready)
    assert drift(ready) == []
    return ready


def drift(clinic: Clinic) -> list[dict[str, Any]]:
    result = clinic.cli("drift", "--json")
    assert result.exit_code == 0
    return list(result.json["drift"])


def codes(clinic: Clinic) -> list[tuple[str | None, str]]:
    return [(row["number"], row["code"]) for row in drift(clinic)]


def our_payment(clinic: Clinic) -> str:
    (found,) = clinic.state("Payments")
    return str(found["PaymentID"])


def test_a_row_says_what_each_side_has_since_when_and_what_to_do(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.deletes(our_payment(synced))
    pull(synced)
    (row,) = drift(synced)
    assert row["seen_at"].startswith("20")
    assert {key: row[key] for key in row if key not in {"seen_at", "subject"}} == {
        "number": "INV-0001",
        "invoice_id": "inv_INV-0001",
        "code": "payment-gone-in-xero",
        "caspen": "payment of 100.00 (EFTPOS pay_1/all_1)",
        "xero": "it is gone",
        "fix": "To send it anew: caspen-xero push --pay-anyway INV-0001; if another payment there stands for it: caspen-xero "
        "invoices link INV-0001 XERO_PAYMENT_ID; or void the payment in Caspen too, then: caspen-xero import PATH; caspen-xero "
        "push INV-0001; if it may stay so: caspen-xero invoices accept INV-0001",
        "problem": "payment-removed-in-xero",
    }
    shown = synced.cli("drift").stdout
    assert "payment-gone-in-xero" in shown
    assert row["fix"] in shown


def test_push_and_pull_mention_the_count_in_one_line(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    assert "drift" not in synced.cli("push").stderr
    bookkeeper.deletes(our_payment(synced))
    bookkeeper.changes("INV-0002", date=date(2026, 11, 1))
    line = "2 invoices differ:  caspen-xero unsynced"
    assert line in synced.cli("pull").stderr.splitlines()
    assert line in synced.cli("push").stderr.splitlines()


def test_a_deleted_payment_of_ours_is_not_sent_again_and_caspen_hears_nothing(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.deletes(our_payment(synced))
    synced.forget_calls()
    assert pull(synced)["payments"] == 0
    synced.takes(client("1048237", "Nelly"))
    synced.push()
    assert [each["Status"] for each in synced.state("Payments")] == ["DELETED"]
    assert told(synced) == []
    since = drift(synced)[0]["seen_at"]
    bookkeeper.pays("INV-0001", "7.00")
    pull(synced)
    assert [row["seen_at"] for row in drift(synced)] == [since]
    synced.takes(payment(1, "INV-0001", "100.00", status="void", updated_at="2026-11-04T00:00:00Z"))
    assert synced.push().exit_code == 0
    assert codes(synced) == []


@pytest.mark.parametrize("kind", ["payment", "batch_payment", "overpayment"])
def test_what_came_from_xero_and_is_deleted_there_stays_in_caspen(
    synced: Clinic, bookkeeper: Bookkeeper, kind: str
) -> None:
    if kind == "payment":
        made = bookkeeper.pays("INV-0002", "220.00")
    elif kind == "batch_payment":
        made = bookkeeper.pays_together({"INV-0002": "220.00"})
    else:
        credit = bookkeeper.receives_overpayment("INV-0002", "220.00")
        made = bookkeeper.allocates("overpayment", credit, "INV-0002", "220.00")
    pull(synced)
    before = told(synced)
    assert drift(synced) == []
    if kind == "payment":
        bookkeeper.deletes(made)
    elif kind == "batch_payment":
        bookkeeper.deletes_batch(made)
    else:
        bookkeeper.takes_back("overpayment", credit, made)
    assert pull(synced)["payments"] == 0
    assert told(synced) == before
    assert codes(synced) == [("INV-0002", "payment-gone-in-xero")]
    listed = synced.listed()["INV-0002"]
    assert (listed["caspen_status"], listed["amount_due"]) == ("paid", "220.00")
    # Caspen follows: its next export has the payment, void.
    back = payment(9, "INV-0002", "220.00", xero_id=before[0]["id"], status="void")
    synced.takes(back)
    assert synced.push().exit_code == 0
    assert codes(synced) == []


@pytest.mark.parametrize("is_told", [False, True])
def test_a_payment_that_caspen_has_moved_since_is_missed_on_its_own_invoice_alone(
    synced: Clinic, bookkeeper: Bookkeeper, is_told: bool
) -> None:
    nth, amount, there, more = 1, "100.00", our_payment(synced), {}
    if is_told:
        nth, amount, there = 2, "30.00", bookkeeper.pays("INV-0001", "30.00")
        more = {"xero_id": there}
        synced.cli("sync")
        synced.takes(payment(nth, "INV-0001", amount, **more))
        synced.cli("sync")
    bookkeeper.deletes(there)
    synced.cli("sync")
    assert codes(synced) == [("INV-0001", "payment-gone-in-xero")]
    synced.takes(payment(nth, "INV-0002", amount, updated_at="2026-11-28T02:00:00Z", **more))
    for command in (("sync",), ("push", "INV-0001"), ("sync",)):
        synced.cli(*command)
        # What never stood on that invoice in Xero is sent there; what came from Xero is gone, wherever Caspen has it.
        assert {row["number"] for row in synced.unsynced()} == ({"INV-0002"} if is_told else set())
        assert {number for number, _ in codes(synced)} <= {"INV-0002"}


def test_a_payment_entered_again_with_our_reference_is_ours_again(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.deletes(our_payment(synced))
    pull(synced)
    bookkeeper.pays("INV-0001", "100.00", reference="EFTPOS pay_1/all_1")
    assert pull(synced)["payments"] == 0
    assert drift(synced) == []
    assert told(synced) == []
    bookkeeper.pays("INV-0001", "100.00", reference="EFTPOS pay_1/all_1")  # and a second one is one too many
    again = synced.cli("pull", "--json")
    assert (again.exit_code, again.json["payments"]) == (3, 0)
    assert codes(synced) == [("INV-0001", "payment-twice-in-xero")]


def test_a_payment_with_the_reference_of_one_that_caspen_has_voided_is_left_alone_and_told_of(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.deletes(our_payment(synced))
    synced.takes(payment(1, "INV-0001", "100.00", status="void", updated_at="2026-11-04T00:00:00Z"))
    synced.push()
    theirs = bookkeeper.pays("INV-0001", "100.00", reference="EFTPOS pay_1/all_1")
    assert pull(synced)["payments"] == 0
    assert synced.push().exit_code == 3
    assert [one["Status"] for one in synced.state("Payments") if one["PaymentID"] == theirs] == ["AUTHORISED"]
    assert told(synced) == []
    (row,) = drift(synced)
    assert (row["code"], row["caspen"], row["xero"]) == (
        "payment-astray-in-xero",
        "payment pay_1 is void",
        "payment of 100.00 (EFTPOS pay_1/all_1)",
    )


def test_what_drift_and_unsynced_call_by_two_names_is_explained(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    page = (Path(__file__).parent.parent / "docs" / "back-from-xero.md").read_text()
    bookkeeper.changes("INV-0002", date=date(2026, 11, 1))
    bookkeeper.deletes(str(synced.state("Payments")[0]["PaymentID"]))
    pull(synced)
    rows = synced.cli("drift", "--json").json["drift"]
    names = {(row["code"], row["problem"]) for row in rows}
    assert names == {
        ("invoice-edited-in-xero", "edited-in-xero"),
        ("payment-gone-in-xero", "payment-removed-in-xero"),
    }
    assert [one for one in names if f"| `{one[0]}` | `{one[1]}` |" not in page] == []


def test_an_invoice_voided_in_xero(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.changes("INV-0002", status="VOIDED")
    pull(synced)
    assert codes(synced) == [("INV-0002", "voided-in-xero")]
    assert synced.listed()["INV-0002"]["caspen_status"] == "open"
    synced.takes(invoice("INV-0002", [line("200.00")], status="void", updated_at="2026-11-05T00:00:00Z"))
    assert synced.push().exit_code == 0
    assert codes(synced) == []


def test_an_invoice_edited_in_xero(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.changes("INV-0001", reference="See note")
    pull(synced)
    (row,) = synced.cli("drift", "--json").json["information"]
    assert (row["code"], row["caspen"], row["xero"]) == (
        "details-edited-in-xero",
        "reference nothing",
        "reference See note",
    )
    assert drift(synced) == []
    assert "Edited in Xero" in synced.cli("drift").stdout
    assert "reference See note" in synced.cli("invoices", "show", "INV-0001").stdout
    bookkeeper.changes("INV-0001", reference="")
    pull(synced)
    assert synced.cli("drift", "--json").json == {"drift": [], "information": []}


def test_figures_changed_in_xero(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    found = bookkeeper.invoices()["INV-0002"]
    whole = bookkeeper.api.get_invoice(bookkeeper.tenant, found.invoice_id).invoices[0]
    whole.line_items[0].unit_amount = 190
    whole.line_items[0].line_amount = whole.line_items[0].tax_amount = None
    bookkeeper.changes("INV-0002", line_items=whole.line_items)
    pull(synced)
    assert ("INV-0002", "figures-differ") in codes(synced)
    assert told(synced) == []


def test_a_credit_note_whose_allocation_was_removed(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    synced.takes(credit_note(1, "INV-0002"))
    synced.push()
    pull(synced)
    assert drift(synced) == []
    (note,) = synced.state("CreditNotes")
    bookkeeper.takes_back("credit_note", note["CreditNoteID"], note["Allocations"][0]["AllocationID"])
    pull(synced)
    (row,) = drift(synced)
    assert (row["code"], row["caspen"]) == ("credit-gone-in-xero", "credit note CRN-0001 of 44.00")


def test_what_caspen_calls_paid_without_a_record_of_it_is_no_difference(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    synced.takes(invoice("INV-0002", [line("200.00")], status="paid", updated_at="2026-11-05T00:00:00Z"))
    assert synced.push().exit_code == 0
    assert drift(synced) == []
    bookkeeper.pays("INV-0002", "20.00")  # what was told to Caspen is part of it
    pull(synced)
    assert drift(synced) == []


def test_a_draft_in_caspen_that_stands_in_xero(synced: Clinic) -> None:
    synced.takes(invoice("INV-0002", [line("200.00")], status="draft", updated_at="2026-11-05T00:00:00Z"))
    synced.push()
    assert codes(synced) == [("INV-0002", "draft-in-caspen")]


def test_the_archived_contact_of_somebody_who_owes(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    (contact,) = synced.state("Contacts")
    synced.control(f"contacts/{contact['ContactID']}/archive")
    synced.takes(client("2", "Mei", "Tanaka"), invoice("INV-0003", client_id="2"))
    synced.push()  # a new client: Xero's contacts are read
    assert drift(synced) == []
    (row,) = synced.cli("drift", "--json").json["information"]
    assert (row["number"], row["code"]) == (None, "contact-archived")
    assert contact["Name"] in row["xero"]


def test_what_push_has_still_to_do_or_cannot_do_is_no_drift(synced: Clinic) -> None:
    synced.takes(payment(2, "INV-0002", "220.00"))
    assert drift(synced) == []
    synced.takes(payment(3, "INV-0002", "1.00"))
    synced.push()
    assert {row["number"] for row in synced.unsynced()} == {"INV-0002"}
    assert drift(synced) == []


def test_an_edit_that_caspen_has_followed_is_no_difference_from_the_push_that_sees_it(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.changes("INV-0002", date=date(2026, 11, 1))
    pull(synced)
    assert codes(synced) == [("INV-0002", "invoice-edited-in-xero")]
    synced.takes(invoice("INV-0002", [line("200.00")], issue_date="2026-11-01", updated_at="2026-11-09T00:00:00Z"))
    synced.forget_calls()
    assert synced.push().exit_code == 0
    assert (synced.writes(), codes(synced)) == ([], [])


def test_an_edited_invoice_that_caspen_has_deleted_with_its_number_is_voided_and_no_longer_told(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.changes("INV-0002", date=date(2026, 11, 1))
    pull(synced)
    synced.takes(invoice("INV-0002", [line("200.00")]) | {"status": "deleted", "number": None})
    assert drift(synced) == []  # the next push judges it
    assert synced.listed()[None]["sync_status"] == "pending"
    assert synced.push().exit_code == 0
    assert synced.in_xero()["INV-0002"]["Status"] == "VOIDED"
    assert (drift(synced), synced.unsynced()) == ([], [])


def test_the_count_is_that_of_now(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.changes("INV-0002", date=date(2026, 11, 1))
    pull(synced)
    assert "1 invoice differs" in synced.cli("push").stderr
    synced.cli("invoices", "skip", "INV-0001")
    bookkeeper.deletes(our_payment(synced))
    synced.cli("pull", "--quiet")
    synced.cli("invoices", "unskip", "INV-0001")
    assert len({row["number"] for row in drift(synced)}) == 2
    assert "2 invoices differ" in synced.cli("push").stderr
