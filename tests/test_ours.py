"""What carries our Reference, or is a credit note of ours, is never told to Caspen as new, whatever this store knows of it."""

from __future__ import annotations

from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, told
from pulling import credit_note, payment, pull
from pushing import Clinic

VOID = {"status": "void", "updated_at": "2026-11-04T00:00:00Z"}


def drift(clinic: Clinic) -> list[dict[str, Any]]:
    return list(clinic.cli("drift", "--json").json["drift"])


def is_told_of(clinic: Clinic, number: str, caspen: str) -> None:
    """A pull tells Caspen nothing, twice, and one row of `drift` says what Caspen has instead."""
    for _ in range(2):
        assert pull(clinic)["payments"] == 0
        (row,) = drift(clinic)
        assert (row["number"], row["code"], row["caspen"]) == (number, "payment-astray-in-xero", caspen)
    assert pull(clinic, "--dry-run")["payments"] == 0
    pulled = clinic.cli("pull")
    assert pulled.exit_code == 3
    assert "1 invoice differs:  caspen-xero unsynced" in pulled.stderr
    assert [(row["number"], row["code"]) for row in clinic.unsynced() if row["code"] != "not-pushed-yet"] == [
        (number, "payment-astray-in-xero")
    ]
    assert told(clinic) == []


def forgets_what_it_sent(clinic: Clinic) -> None:
    """The store as one is that is new or restored: its invoices are linked, and of its payments and credits nothing is known."""
    clinic.sql("DELETE FROM links WHERE kind <> 'invoice' AND kind <> 'client'")
    for table in ("journal_documents", "journal", "seen_invoices"):
        clinic.sql(f"DELETE FROM {table}")


# --- payments


@pytest.mark.parametrize(
    ("record", "caspen"),
    [
        (payment(1, "INV-0002", "50.00"), "payment pay_1 is on INV-0002"),
        (payment(1, "INV-0001", "50.00", status="void"), "payment pay_1 is void"),
        (payment(1, "INV-0001", "50.00", status="deleted", allocations=[]), "payment pay_1 is deleted"),
        (payment(1, "INV-0001", "50.00", status="unallocated", allocations=[]), "payment pay_1 is unallocated"),
        (payment(2, "INV-0002", "50.00"), "no payment pay_1/all_1 is known"),
    ],
    ids=["another invoice", "void", "deleted", "taken off", "unknown"],
)
def test_a_payment_with_our_reference_that_caspen_has_otherwise_is_told_of_and_is_no_news(
    synced: Clinic, bookkeeper: Bookkeeper, record: dict[str, Any], caspen: str
) -> None:
    bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS pay_1/all_1")
    synced.takes(record)
    is_told_of(synced, "INV-0001", caspen)


@pytest.mark.parametrize("amount", ["50.00", "60.00"])
def test_one_that_an_export_names_by_now_is_told_of_unless_that_is_for_its_amount(
    synced: Clinic, bookkeeper: Bookkeeper, amount: str
) -> None:
    theirs = bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS pay_1/all_1")
    is_told_of(synced, "INV-0001", "no payment pay_1/all_1 is known")
    synced.takes(payment(2, "INV-0001", amount, xero_id=theirs))
    assert len([row for row in drift(synced) if row["code"] == "payment-astray-in-xero"]) == (amount != "50.00")


def test_one_of_another_amount_is_no_news_and_differs_before_and_after_the_next_push(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS pay_1/all_1")
    synced.takes(payment(1, "INV-0001", "60.00"))
    assert pull(synced)["payments"] == 0
    for _ in range(2):
        assert synced.problem()["code"] == "payment-changed-in-xero"
        assert ("60.00" in synced.problem()["reason"], "50.00" in synced.problem()["reason"]) == (True, True)
        assert synced.push().exit_code == 3
    assert told(synced) == []


def test_one_of_another_amount_than_that_of_a_void_one_is_told_of_and_is_no_news(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS pay_1/all_1")
    synced.takes(payment(1, "INV-0001", "60.00", status="void"))
    is_told_of(synced, "INV-0001", "payment pay_1 is void")


def test_of_two_payments_with_one_reference_of_ours_none_is_news(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.push()
    second = bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS pay_1/all_1")
    pulled = synced.cli("pull", "--json")
    assert (pulled.exit_code, pulled.json["payments"]) == (3, 0)
    assert [row["code"] for row in drift(synced)] == ["payment-twice-in-xero"]
    assert told(synced) == []
    bookkeeper.deletes(second)
    pull(synced)
    assert drift(synced) == []


def test_a_payment_that_another_home_has_sent_is_known_once_caspens_export_has_it(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.pays("INV-0001", "50.00", reference="EFTPOS pay_1/all_1")
    is_told_of(synced, "INV-0001", "no payment pay_1/all_1 is known")
    synced.takes(payment(1, "INV-0001", "50.00"))
    assert pull(synced)["payments"] == 0
    assert drift(synced) == []
    assert synced.push().json["payments"] == 0
    assert len(synced.state("Payments")) == 1
    assert told(synced) == []
    assert pull(synced)["api_calls"] == 1


@pytest.mark.parametrize(
    ("reference", "amount"),
    [
        ("EFTPOS 1234", "50.00"),
        ("EFTPOS 3/11", "50.00"),
        ("Remittance 20261120/00123", "50.00"),
        ("Room 2 inv_001/1", "50.00"),
        ("pay_77/all_77", "50.00"),  # alone, without a method
        ("EFTPOS all_1", "49.00"),  # an earlier version's, of another amount
        ("EFTPOS all_77", "50.00"),
    ],
)
def test_a_reference_of_a_bookkeepers_is_not_taken_for_ours(
    synced: Clinic, bookkeeper: Bookkeeper, reference: str, amount: str
) -> None:
    synced.takes(payment(1, "INV-0001", "50.00", **VOID), payment(2, "INV-0002", "1.00", id="3"))
    theirs = bookkeeper.pays("INV-0001", amount, reference=reference)
    assert pull(synced)["payments"] == 1
    assert [record["id"] for record in told(synced)] == [theirs]


@pytest.mark.parametrize("reference", ["EFTPOS 5012345/1", "Direct debit pmt_9/1"])
def test_ids_of_other_forms_are_ours_where_caspens_own_are_such(
    synced: Clinic, bookkeeper: Bookkeeper, reference: str
) -> None:
    synced.takes(payment(1, "INV-0002", "1.00", id="pmt_1", status="void"))
    bookkeeper.pays("INV-0001", "50.00", reference=reference)
    is_told_of(synced, "INV-0001", f"no payment {reference.rpartition(' ')[2]} is known")


@pytest.mark.parametrize(
    ("number", "day", "is_ours"),
    [("INV-0001", "2026-11-20", True), ("INV-0002", "2026-11-03", True), ("INV-0002", "2026-11-20", False)],
)
def test_what_an_earlier_version_wrote_is_ours_with_its_amount_and_elsewhere_with_its_day(
    synced: Clinic, number: str, day: str, is_ours: bool
) -> None:
    synced.takes(payment(1, "INV-0001", "50.00", **VOID))
    in_xero.pays(synced, number, "50.00", day, reference="EFTPOS all_1")
    if is_ours:
        is_told_of(synced, number, "payment pay_1 is void")
    else:
        assert pull(synced)["payments"] == 1


def test_what_an_earlier_version_has_recorded_and_is_ours_is_held(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    updates = synced.home.parent / "caspen-updates.jsonl"
    updates.mkdir()
    bookkeeper.pays("INV-0001", "50.00", reference="Cash")
    assert synced.cli("pull").exit_code == 1
    updates.rmdir()
    synced.sql("UPDATE xero_payments SET record = json_set(record, '$.reference', 'EFTPOS pay_1/all_1')")
    (entry,) = pull(synced)["held"]
    assert entry["message"] == "it carries the name of one of Caspen's own: no payment pay_1/all_1 is known"
    assert told(synced) == []
    synced.takes(payment(1, "INV-0001", "50.00"))
    assert "held" not in pull(synced)
    assert told(synced) == []
    assert drift(synced) == []


# --- credit notes


@pytest.fixture
def credited(synced: Clinic) -> Clinic:
    """A credit note of 44.00 of Caspen's on INV-0001, in Xero."""
    synced.takes(credit_note(1, "INV-0001"))
    assert synced.push().json["credit_notes"] == 1
    pull(synced)
    assert drift(synced) == []
    return synced


def allocates_it_elsewhere(clinic: Clinic, bookkeeper: Bookkeeper, number: str, amount: str) -> None:
    (note,) = clinic.state("CreditNotes")
    bookkeeper.takes_back("credit_note", note["CreditNoteID"], note["Allocations"][0]["AllocationID"])
    bookkeeper.allocates("credit_note", note["CreditNoteID"], number, amount)


@pytest.mark.parametrize("knows_it", [True, False], ids=["linked", "by its number"])
@pytest.mark.parametrize("amount", ["44.00", "20.00"])
def test_our_credit_note_that_a_bookkeeper_allocates_to_another_invoice_is_told_of_and_is_no_news(
    credited: Clinic, bookkeeper: Bookkeeper, amount: str, knows_it: bool
) -> None:
    allocates_it_elsewhere(credited, bookkeeper, "INV-0002", amount)
    if not knows_it:
        forgets_what_it_sent(credited)
    for _ in range(2):
        assert pull(credited)["payments"] == 0
        row = next(row for row in drift(credited) if row["number"] == "INV-0002")
        assert (row["code"], row["caspen"], row["xero"]) == (
            "credit-astray-in-xero",
            "credit note CRN-0001 of 44.00 is on INV-0001",
            f"{amount} of it is allocated here",
        )
    assert told(credited) == []


@pytest.mark.parametrize("knows_it", [True, False], ids=["linked", "by its number"])
def test_a_part_of_our_credit_note_on_its_own_invoice_is_no_news(
    credited: Clinic, bookkeeper: Bookkeeper, knows_it: bool
) -> None:
    allocates_it_elsewhere(credited, bookkeeper, "INV-0001", "20.00")
    if not knows_it:
        forgets_what_it_sent(credited)
    assert pull(credited)["payments"] == 0
    assert told(credited) == []
    (row,) = drift(credited)
    assert row["code"] == ("credit-gone-in-xero" if knows_it else "credit-astray-in-xero")
    assert "20.00 of it is allocated" in row["xero"]


def test_a_credit_note_of_a_bookkeepers_is_news_still(credited: Clinic, bookkeeper: Bookkeeper) -> None:
    theirs = bookkeeper.issues_credit_note("INV-0002", "11.00")
    allocation = bookkeeper.allocates("credit_note", theirs, "INV-0002", "11.00")
    assert pull(credited)["payments"] == 1
    assert [record["id"] for record in told(credited)] == [allocation]


# --- what Caspen's exports have named


LATER = {"updated_at": "2026-11-22T00:00:00Z"}


@pytest.mark.parametrize(
    "later",
    [
        {"status": "void", "xero_id": None, "allocations": []},
        {"status": "deleted"},
        {"xero_id": None},
        {"xero_id": "00000000-0000-4000-8000-000000000000"},
        {"xero_id": None, "status": "unallocated", "allocations": []},
    ],
    ids=["voided", "deleted", "its id dropped", "another id", "taken off"],
)
@pytest.mark.parametrize("kind", ["payment", "allocation"])
def test_what_an_export_has_once_named_is_never_told_whatever_a_later_one_says(
    synced: Clinic, bookkeeper: Bookkeeper, later: dict[str, Any], kind: str
) -> None:
    if kind == "payment":
        named = bookkeeper.pays("INV-0001", "50.00")
    else:
        over = bookkeeper.receives_overpayment("INV-0001", "60.00")
        named = bookkeeper.allocates("overpayment", over, "INV-0001", "50.00")
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=named.upper()))
    synced.takes(payment(1, "INV-0001", "50.00", **{"xero_id": named, **later, **LATER}))
    synced.cli("invoices", "skip", "INV-0001")  # the payment in Caspen that may be the same money is no reason
    assert pull(synced)["payments"] == 0
    assert told(synced) == []


def test_what_only_an_older_export_names_was_delivered_too(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    named = bookkeeper.pays("INV-0001", "50.00")
    synced.takes(payment(1, "INV-0001", "50.00", status="void", **LATER))
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=named))
    assert pull(synced)["payments"] == 0
    assert told(synced) == []


@pytest.mark.parametrize(("number", "amount"), [("INV-0002", "50.00"), ("INV-0001", "40.00")])
@pytest.mark.parametrize("kind", ["payment", "allocation"])
def test_what_an_export_names_for_something_else_is_held_and_not_swallowed(
    synced: Clinic, bookkeeper: Bookkeeper, number: str, amount: str, kind: str
) -> None:
    if kind == "payment":
        named = bookkeeper.pays("INV-0001", "50.00")
    else:
        over = bookkeeper.receives_overpayment("INV-0001", "60.00")
        named = bookkeeper.allocates("overpayment", over, "INV-0001", "50.00")
    for status in ("allocated", "void"):
        synced.takes(payment(1, number, amount, xero_id=named, status=status))
        (entry,) = pull(synced)["held"]
        assert (entry["id"], "pay_1" in entry["message"]) == (named, True)
    assert told(synced) == []
    synced.takes(payment(1, number, amount, **VOID, xero_id=None))
    assert pull(synced)["payments"] == 1
    assert [record["id"] for record in told(synced)] == [named]
