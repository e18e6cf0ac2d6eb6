"""`payments list`: a to-do list of what stands on one side only; a row comes and goes with the books."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper, RandomDay
from clinics import client, invoice, line
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pulling import CLINIC, NUMBERS, payment, pull
from pushing import Clinic, begins_anew

from caspen_xero.cli.output import Output
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.outstanding import maybe_not_in_caspen, not_in_xero
from caspen_xero.store.store import Store

LATER = {"updated_at": "2027-01-01T00:00:00Z"}


def outstanding(clinic: Clinic, *arguments: str) -> list[dict[str, Any]]:
    """The rows of `payments list --json`."""
    done = clinic.cli("payments", "list", "--json", *arguments)
    assert done.exit_code == 0, done.stdout + done.stderr
    return list(done.json["payments"])


def in_short(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, str | None]]:
    return [(row["direction"], row["number"], row["status"], row["code"]) for row in rows]


def held_ones(clinic: Clinic) -> set[str]:
    """What `payments list` holds back, by Xero's id or Caspen's."""
    return {row["xero_id"] or row["payment_id"] for row in outstanding(clinic) if row["status"] == "held"}


# --- from Xero to Caspen


def test_a_payment_in_xero_is_listed_until_caspens_export_has_it(synced: Clinic) -> None:
    assert outstanding(synced) == []
    theirs = in_xero.pays(synced, "INV-0001", "50.00", reference="Cash at desk")
    assert outstanding(synced) == []  # nobody has looked yet, and that is said
    assert "no pull has looked at all of Xero yet" in synced.cli("payments", "list").stdout
    pull(synced)
    (row,) = outstanding(synced)
    where = str(synced.home.parent / "caspen-updates.jsonl")
    assert row["found_at"]
    assert row["told_at"]
    assert row | {"found_at": "", "told_at": ""} == {
        "direction": "to_caspen",
        "status": "told",
        "code": None,
        "reason": "Caspen was told of it, and its export does not have it yet",
        "fix": "Have Caspen take it in, or enter it there",
        "number": "INV-0001",
        "invoice_id": "inv_INV-0001",
        "client": "Nell Okafor",
        "date": "2026-11-03",
        "amount": "50.00",
        "currency": "AUD",
        "kind": "payment",
        "method": None,
        "reference": "Cash at desk",
        "reconciled": False,
        "xero_id": theirs,
        "payment_id": None,
        "found_at": "",
        "told_at": "",
        "told_to": where,
    }
    said = synced.cli("payments", "list").stdout
    assert "In Xero, not yet in Caspen's export: 1 payment, 50.00 AUD." in said
    assert f"Caspen was told of 1 of these: written to caspen-updates.jsonl in {synced.home.parent}." in said
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=theirs))
    assert outstanding(synced) == []  # before a push too
    synced.push()
    assert outstanding(synced) == []
    assert "No payment waits on either side: by what" in synced.cli("payments", "list").stdout


def test_what_pull_could_not_deliver_is_listed_as_not_told(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "50.00")
    file = synced.home.parent / "caspen-updates.jsonl"
    file.mkdir()
    synced.cli("pull")
    (row,) = outstanding(synced, "--to-enter")
    assert (row["status"], row["told_at"], row["told_to"], row["fix"]) == ("not-told", None, None, "caspen-xero pull")
    file.rmdir()
    assert synced.run(row["fix"]).exit_code == 0
    assert [row["status"] for row in outstanding(synced)] == ["told"]


def test_allocated_credits_and_members_of_batches_are_listed_until_they_are_named(synced: Clinic) -> None:
    bookkeeper = Bookkeeper(synced.sandbox.url)
    credit = bookkeeper.receives_overpayment("INV-0002", "40.00")
    allocation = bookkeeper.allocates("overpayment", credit, "INV-0002", "15.00")
    batch = bookkeeper.pays_together({"INV-0002": "20.00", "INV-0003": "30.00"})
    pull(synced)
    kinds = [(row["number"], row["kind"], row["amount"]) for row in outstanding(synced)]
    assert kinds == [
        ("INV-0002", "batch_payment", "20.00"),
        ("INV-0002", "overpayment", "15.00"),
        ("INV-0003", "batch_payment", "30.00"),
    ]
    assert "2 payments and 1 allocated credit, 65.00 AUD" in synced.cli("payments", "list").stdout
    synced.takes(
        payment(1, "INV-0002", "20.00", xero_id=batch),
        payment(2, "INV-0003", "30.00", xero_id=batch),
        payment(3, "INV-0002", "15.00", xero_id=allocation),
    )
    assert outstanding(synced) == []


def test_what_was_deleted_in_xero_after_caspen_was_told_is_not_to_be_entered(synced: Clinic) -> None:
    bookkeeper = Bookkeeper(synced.sandbox.url)
    theirs = bookkeeper.pays("INV-0001", "50.00")
    pull(synced)
    bookkeeper.deletes(theirs)
    pull(synced)
    assert outstanding(synced) == []


def test_what_a_person_typed_in_is_not_to_be_entered_again_and_goes_once_it_is_linked(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00", day="2026-11-03")
    other = in_xero.pays(synced, "INV-0002", "20.00")
    pull(synced)
    assert [row["xero_id"] for row in outstanding(synced, "--to-enter")] == [theirs, other]
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-05"))  # typed in: it names nothing in Xero
    assert [row["xero_id"] for row in outstanding(synced, "--to-enter")] == [other]
    said = synced.cli("payments", "list", "--to-enter").stdout
    assert "Not listed, as it is held until a person has decided: 1 payment, 50.00 AUD." in said
    row = outstanding(synced)[0]
    assert (row["status"], row["xero_id"]) == ("held", theirs)
    same = row["fix"].split(";")[0].removeprefix("If it is the same: ")
    assert synced.run(same).exit_code == 0
    assert [row["xero_id"] for row in outstanding(synced)] == [other]
    synced.push()
    assert [row["xero_id"] for row in outstanding(synced)] == [other]


def test_of_an_invoice_that_is_set_aside_it_is_said_what_naming_it_does(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(payment(1, "INV-0001", "50.00"))
    assert synced.cli("invoices", "skip", "INV-0001").exit_code == 0
    (row,) = [one for one in outstanding(synced) if one["direction"] == "to_caspen"]
    assert row["status"] == "held"
    assert row["reason"].endswith("; its invoice is set aside, and a push that names it sends it all the same")


def test_what_caspen_names_for_something_else_is_held(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(payment(1, "INV-0001", "40.00", xero_id=theirs))
    to_caspen = [row for row in outstanding(synced) if row["direction"] == "to_caspen"]
    assert in_short(to_caspen) == [("to_caspen", "INV-0001", "held", "payment-xero-id-wrong")]
    assert "pay_1" in to_caspen[0]["reason"]
    assert to_caspen[0]["fix"] == "Correct payment pay_1 in Caspen, then: caspen-xero import PATH; caspen-xero pull"
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=theirs, **LATER))
    assert outstanding(synced) == []


# --- what may be the same money


def test_of_three_that_caspen_was_told_of_and_one_that_it_has_one_is_in_doubt_and_two_are_to_be_entered(
    synced: Clinic,
) -> None:
    theirs = [in_xero.pays(synced, "INV-0001", "50.00", f"2026-11-0{day}") for day in (3, 4, 5)]
    pull(synced)
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-04"))
    assert [row["xero_id"] for row in outstanding(synced, "--to-enter")] == [theirs[0], theirs[2]]
    assert in_short(outstanding(synced)) == [
        ("to_caspen", "INV-0001", "told", None),
        ("to_caspen", "INV-0001", "held", "payment-maybe-already-in-xero"),
        ("to_caspen", "INV-0001", "told", None),
        ("to_xero", "INV-0001", "held", "payment-maybe-already-in-xero"),
    ]
    synced.push()
    assert held_ones(synced) == {theirs[1], "pay_1"}
    assert synced.run(synced.answers()[0]).exit_code == 0
    assert [row["xero_id"] for row in outstanding(synced)] == [theirs[0], theirs[2]]


def test_of_one_that_caspen_was_told_of_and_three_that_it_has_two_are_sent(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(*(payment(nth, "INV-0001", "50.00", date=f"2026-11-0{nth + 2}") for nth in (1, 2, 3)))
    before = {row["payment_id"]: row["status"] for row in outstanding(synced) if row["payment_id"]}
    assert before == {"pay_1": "held", "pay_2": "pending", "pay_3": "pending"}
    assert synced.push().json["payments"] == 2
    assert [row["payment_id"] for row in outstanding(synced) if row["direction"] == "to_xero"] == ["pay_1"]


def test_where_no_more_is_due_no_command_is_listed_that_can_not_work(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "120.00")
    pull(synced)
    synced.takes(payment(1, "INV-0001", "120.00", date="2026-11-05"))
    before = outstanding(synced)
    assert [row["status"] for row in before] == ["held", "held"]
    synced.push()
    fix = synced.problem()["fix"]
    assert "more than the 100.00 that is left to pay in Xero" in fix
    for row in (*before, *outstanding(synced)):
        assert row["fix"] == fix
    assert synced.answers()[0] == f"caspen-xero invoices link INV-0001 {theirs}"


def test_what_is_months_apart_and_in_another_account_is_in_no_doubt(synced: Clinic) -> None:
    synced.cli("settings", "set", "--payment-method", "EFTPOS=090")
    elsewhere = {"Account": {"Code": "091"}, "Amount": "50.00", "Date": "2026-11-25", "Reference": "Deposit"}
    in_xero.writes(synced, "PUT", "Payments", {"Invoice": {"InvoiceNumber": "INV-0001"}, **elsewhere})
    synced.takes(payment(1, "INV-0001", "50.00"))
    pull(synced)
    assert [row["status"] for row in outstanding(synced)] == ["told", "pending"]
    synced.push()
    assert [row["status"] for row in outstanding(synced)] == ["told"]


def test_what_a_person_unlinks_caspen_was_not_told_of(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.cli("invoices", "link", "INV-0001", theirs)
    assert outstanding(synced) == []
    assert synced.cli("invoices", "unlink", "INV-0001", theirs).exit_code == 0
    assert {(row["told_at"], row["told_to"]) for row in outstanding(synced)} == {(None, None)}
    assert "Caspen was told" not in synced.cli("payments", "list").stdout


def test_where_a_feed_brings_payments_what_was_typed_in_after_it_was_told_is_linked_or_entered(synced: Clinic) -> None:
    synced.cli("settings", "set", "--payments", "off")
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(payment(1, "INV-0001", "50.00"))
    row = outstanding(synced)[0]
    same, _, another = row["fix"].partition("; ")
    assert (row["status"], another) == ("held", "if it is another one, enter it in Caspen")
    assert synced.run(same.removeprefix("If it is the same: ")).exit_code == 0
    assert outstanding(synced) == []
    assert theirs in same


# --- from Caspen to Xero


def test_a_payment_in_caspen_is_listed_until_a_push_has_sent_it(synced: Clinic) -> None:
    pull(synced)
    synced.takes(payment(1, "INV-0001", "50.00"), payment(2, "INV-0002", "20.00", status="void"))
    (row,) = outstanding(synced)
    assert (row["direction"], row["status"], row["code"], row["payment_id"], row["method"]) == (
        "to_xero",
        "pending",
        "not-pushed-yet",
        "pay_1",
        "EFTPOS",
    )
    assert outstanding(synced, "--to-enter") == []
    assert "Nothing is to be entered in Caspen" in synced.cli("payments", "list", "--to-enter").stdout
    said = synced.cli("payments", "list").stdout
    assert "In Caspen, not yet in Xero: 1 payment, 50.00 AUD." in said
    assert synced.run(row["fix"]).exit_code == 0
    assert outstanding(synced) == []


def test_why_a_payment_is_not_in_xero(synced: Clinic) -> None:
    bad = invoice("INV-0005", [line("10.00", rate="tax_unknown")])
    synced.takes(
        bad,
        invoice("INV-0006", [line("10.00")], issue_date="2020-01-01"),
        *(payment(nth, f"INV-000{nth}", "5.00") for nth in (1, 2, 3, 5, 6)),
        payment(7, "INV-0004", "7.00", xero_id="60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1"),
    )
    synced.cli("settings", "set", "--start-date", "2026-01-01")
    synced.cli("invoices", "skip", "INV-0002")
    in_xero.pays(synced, "INV-0003", "5.00", day="2026-11-04")
    synced.push()
    found = {
        row["number"]: (row["status"], row["code"]) for row in outstanding(synced) if row["direction"] == "to_xero"
    }
    assert found == {
        "INV-0002": ("left-out", "set-aside"),
        "INV-0003": ("held", "payment-maybe-already-in-xero"),
        "INV-0004": ("held", "payment-xero-id-wrong"),
        "INV-0005": ("held", "tax-rate-missing"),
        "INV-0006": ("left-out", "before-start-date"),
    }
    told = {row["number"]: row for row in synced.unsynced()}
    for row in outstanding(synced):
        if row["number"] in told and row["direction"] == "to_xero":
            assert row["fix"] == told[row["number"]]["fix"]
    said = synced.cli("payments", "list").stdout
    assert "In Caspen, not yet in Xero: 3 payments, 17.00 AUD." in said
    assert "1 payment, 5.00 AUD: stays out of Xero by choice, of invoices that are set aside." in said
    assert "1 payment, 5.00 AUD: stays out of Xero by choice, of invoices dated before the start date." in said


def test_a_payment_that_was_changed_in_caspen_is_listed_until_xero_shows_that(synced: Clinic) -> None:
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.push()

    def row_of(amount: str) -> dict[str, Any]:
        (row,) = outstanding(synced)
        assert row["amount"] == amount
        return row

    def now_is(amount: str, day: int) -> None:
        synced.takes(payment(1, "INV-0001", amount, updated_at=f"2026-12-0{day}T00:00:00Z"))

    now_is("40.00", 1)
    row = row_of("40.00")
    assert (row["status"], row["code"], "50.00" in row["reason"]) == ("pending", "not-pushed-yet", True)
    assert synced.run(row["fix"]).exit_code == 0
    assert outstanding(synced) == []
    (there,) = in_xero.payments(synced)
    synced.control(f"payments/{there['PaymentID']}/reconcile")
    now_is("30.00", 2)
    synced.push()
    row = row_of("30.00")
    assert (row["status"], row["code"]) == ("held", "payment-reconciled")
    assert row["reason"] == synced.problem()["reason"]
    assert "pay_1 was changed in Caspen and is 30.00 of 2026-11-03 there; the one in Xero, 40.00 of" in row["reason"]
    now_is("40.00", 3)
    assert outstanding(synced) == []


def test_a_payment_of_theirs_that_was_changed_in_caspen_is_listed_until_a_person_is_content(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    synced.takes(payment(1, "INV-0001", "50.00", date="2026-11-04"))
    synced.cli("invoices", "link", "INV-0001", theirs)
    synced.push()
    assert outstanding(synced) == []
    synced.takes(payment(1, "INV-0001", "30.00", **LATER))
    synced.push()
    (row,) = outstanding(synced)
    assert (row["status"], row["code"]) == ("held", "payment-not-ours")
    assert row["reason"] == "it is in Xero as 50.00"
    assert row["fix"] == synced.problem()["fix"]
    assert synced.cli("invoices", "accept", "INV-0001").exit_code == 0
    (row,) = outstanding(synced)
    assert (row["status"], row["code"], row["fix"]) == ("left-out", "payment-not-ours", "")


def test_a_payment_waits_for_its_invoice_and_for_its_approval(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), payment(1, "INV-0001", "5.00"))
    (row,) = outstanding(ready)
    assert (row["status"], row["code"], row["fix"]) == ("pending", "not-pushed-yet", "caspen-xero push")
    assert row["reason"] == "its invoice is not in Xero yet"
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.push()
    (row,) = outstanding(ready)
    assert (row["status"], row["code"]) == ("pending", "waits-for-approval")
    assert row["fix"].startswith("Approve it in Xero (http")
    assert row["fix"].endswith("), then: caspen-xero push INV-0001")
    ready.cli("settings", "set", "--invoice-status", "authorised")
    (row,) = outstanding(ready)
    (listed,) = ready.unsynced()
    for told in (row, listed):  # the next push approves it: nobody else has to
        assert (told["code"], told["fix"]) == ("not-pushed-yet", "caspen-xero push")
        assert told["reason"].endswith("it is a draft in Xero, and no push has come to approve it yet")
    assert ready.push().exit_code == 0
    assert (outstanding(ready), ready.unsynced()) == ([], [])


def test_a_payment_that_was_sent_without_an_answer_is_told_as_that(synced: Clinic) -> None:
    synced.takes(payment(1, "INV-0002", "20.00"))
    synced.control("faults", kind="drop-after", path="/Payments", method="PUT")
    synced.control("faults", kind="503", path="/api.xro/", method="GET", after=1, count=10)
    assert synced.push().exit_code != 0
    (row,) = outstanding(synced)
    (listed,) = synced.unsynced()
    assert row["reason"] == f"its invoice: {listed['reason']}"
    assert listed["reason"].startswith("something of it was sent, and no answer says whether it is in Xero")


def test_payments_that_settings_keep_back_are_no_to_do(synced: Clinic) -> None:
    synced.cli("settings", "set", "--payments", "off")
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.push()
    assert in_short(outstanding(synced)) == [("to_xero", "INV-0001", "left-out", "payments-off")]
    said = synced.cli("payments", "list").stdout
    assert "INV-0001" not in said
    assert "1 payment, 50.00 AUD: stays out of Xero by choice, as the bank feed brings them (payments are off)." in said
    in_xero.pays(synced, "INV-0001", "50.00")  # the feed has brought it
    pull(synced)
    assert outstanding(synced) == []


def test_a_payment_that_pull_sees_deleted_in_xero_is_listed_again(synced: Clinic) -> None:
    synced.takes(payment(1, "INV-0001", "50.00"))
    synced.push()
    assert outstanding(synced) == []
    (there,) = in_xero.payments(synced)
    Bookkeeper(synced.sandbox.url).deletes(there["PaymentID"])
    pull(synced)
    for command in (("pull",), ("push",)):
        synced.cli(*command)
        (row,) = outstanding(synced)
        assert (row["direction"], row["reason"]) == ("to_xero", "what stood for it in Xero was deleted there")
        assert (row["status"], row["code"]) == ("held", "payment-removed-in-xero")
        assert row["fix"] == synced.problem()["fix"]  # a push alone does not send it
    assert synced.cli("invoices", "accept", "INV-0001").exit_code == 0
    assert in_short(outstanding(synced)) == [("to_xero", "INV-0001", "left-out", "payment-removed-in-xero")]
    said = synced.cli("payments", "list").stdout
    assert "1 payment, 50.00 AUD: stays out of Xero by choice, deleted there, which a person has accepted." in said


def test_what_an_invoice_that_is_voided_in_xero_holds_back_is_listed_with_the_fix_of_unsynced(synced: Clinic) -> None:
    in_xero.edits(synced, "INV-0001", Status="VOIDED")
    synced.takes(payment(1, "INV-0001", "50.00"))
    for command in (("pull",), ("push",)):
        synced.cli(*command)
        (row,) = outstanding(synced)
        assert (row["status"], row["code"], row["reason"]) == (
            "held",
            "voided-in-xero",
            "its invoice is voided in Xero",
        )
        assert row["fix"] == synced.problem()["fix"]
    assert synced.cli("invoices", "accept", "INV-0001").exit_code == 0
    assert in_short(outstanding(synced)) == [("to_xero", "INV-0001", "left-out", "voided-in-xero")]


def test_what_came_from_xero_and_is_gone_there_is_listed_with_the_fix_of_unsynced(synced: Clinic) -> None:
    theirs = in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(payment(1, "INV-0001", "50.00", xero_id=theirs))
    synced.push()
    Bookkeeper(synced.sandbox.url).deletes(theirs)
    pull(synced)
    (row,) = outstanding(synced)
    problem = synced.problem()
    assert (row["status"], row["code"], row["fix"]) == ("held", problem["code"], problem["fix"])


# --- how it is shown


def read_csv(clinic: Clinic, *arguments: str) -> list[dict[str, str]]:
    done = clinic.cli("payments", "list", "--csv", *arguments)
    assert done.exit_code == 0
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_csv_has_the_same_rows_as_json(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "50.00", reference='Desk, "cash"')
    pull(synced)
    synced.takes(payment(1, "INV-0002", "20.00"))
    rows = outstanding(synced)
    assert [row["direction"] for row in rows] == ["to_caspen", "to_xero"]
    words = {None: "", True: "yes", False: "no"}
    assert read_csv(synced) == [
        {name: words[value] if value is None or isinstance(value, bool) else value for name, value in row.items()}
        for row in rows
    ]
    assert [row["reference"] for row in read_csv(synced, "--to-enter", "--quiet")] == ['Desk, "cash"']
    assert synced.cli("payments", "list", "--csv", "--json").exit_code == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1"])
def test_no_text_becomes_a_formula_and_amounts_stay_numbers(synced: Clinic, text: str) -> None:
    in_xero.pays(synced, "INV-0001", "50.00", reference=text)
    pull(synced)
    (row,) = read_csv(synced)
    assert row["reference"].startswith("'")
    assert row["amount"] == "50.00"


@given(st.text())
def test_whatever_a_text_is_it_stays_in_its_cell(text: str) -> None:
    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", written)
        Output().spreadsheet(("a", "b"), [(text, "end")])
    _, row = csv.reader(io.StringIO(written.getvalue()))
    assert (len(row), row[1]) == (2, "end")
    assert not row[0].lstrip().startswith(("=", "+", "-", "@"))
    assert "\x1b" not in row[0]


def test_a_narrow_terminal_shows_each_row_on_one_line(synced: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASPEN_XERO_COLUMNS", "80")
    in_xero.pays(synced, "INV-0001", "50.00", reference="Cash at desk")
    synced.takes(payment(1, "INV-0002", "20.00"))
    pulled = synced.cli("pull").stdout
    for said in (pulled, synced.cli("payments", "list").stdout, synced.cli("payments", "list", "--to-enter").stdout):
        rows = [line for line in said.splitlines() if "2026-11-03  " in line]
        assert rows
        assert all("INV-000" in row and "Nell Okafor" in row for row in rows), said


def test_sums_are_by_currency(ready: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.takes(
        client("1048237"),
        invoice("INV-0001"),
        invoice("INV-0002", currency="NZD"),
        payment(1, "INV-0001", "5.00"),
        payment(2, "INV-0002", "7.00"),
    )
    monkeypatch.setenv("CASPEN_XERO_COLUMNS", "80")
    said = ready.cli("payments", "list").stdout
    assert "In Caspen, not yet in Xero: 2 payments, 5.00 AUD and 7.00 NZD." in said
    assert "Currency" in said


def test_another_organisation_starts_with_its_own_list(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "50.00")
    pull(synced)
    synced.takes(payment(1, "INV-0002", "20.00"))
    with closing(Store(synced.store_file)) as store:
        assert len(maybe_not_in_caspen(Mappings(store, synced.tenant_id))) == 1
        assert maybe_not_in_caspen(Mappings(store, "another")) == []
        assert [row["xero_invoice_id"] is None for row in not_in_xero(Mappings(store, synced.tenant_id))] == [False]
        assert [row["xero_invoice_id"] for row in not_in_xero(Mappings(store, "another"))] == [None]


def test_what_was_purged_is_listed_without_its_words(synced: Clinic) -> None:
    in_xero.pays(synced, "INV-0001", "220.00", reference="For Nell")
    pull(synced)
    synced.sql("UPDATE clients SET name = NULL")
    synced.sql("UPDATE xero_payments SET record = json_set(record, '$.reference', NULL)")
    (row,) = outstanding(synced)
    assert (row["client"], row["reference"], row["amount"]) == (None, None, "220.00")
    assert "INV-0001" in synced.cli("payments", "list").stdout
    assert "For Nell" not in json.dumps(read_csv(synced))


# --- whatever happens


@pytest.mark.parametrize("seed", range(2))
def test_whatever_stands_on_one_side_only_is_listed_and_nothing_else(synced: Clinic, seed: int) -> None:
    random, bookkeeper = Random(seed), Bookkeeper(synced.sandbox.url)
    day = RandomDay(bookkeeper, NUMBERS, random)
    taken: dict[str, dict[str, Any]] = {}  # what Caspen has taken in, by its xero_id
    own: dict[str, dict[str, Any]] = {}  # what was paid in Caspen
    for nth in range(1, 9):
        for _ in range(3):
            day.do()
        pull(synced)
        untold = [id_ for id_ in bookkeeper.made if id_ not in taken]
        for id_ in random.sample(untold, len(untold) // 2):
            arrived = bookkeeper.made[id_]
            taken[id_] = payment(100 + len(taken), arrived.invoice_number, str(arrived.amount), xero_id=id_)
        paid = payment(
            nth, random.choice(NUMBERS), f"1.{nth:02d}", date="2026-10-01"
        )  # an amount that nobody else pays
        own[paid["id"]] = paid
        if nth % 3 == 0:
            gone = random.choice([id_ for id_ in own if own[id_]["status"] == "allocated"])
            own[gone] |= {"status": "void", **LATER}
        synced.takes(*taken.values(), *own.values())
        if nth % 2:
            synced.push()
            pull(synced)
        rows = outstanding(synced)
        there = {str(one["Reference"]).rpartition(" ")[2].partition("/")[0] for one in in_xero.payments(synced)}
        assert {
            row["xero_id"] for row in rows if row["direction"] == "to_caspen"
        } == bookkeeper.made.keys() - taken.keys()
        own_ones = {row["payment_id"] for row in rows if row["payment_id"] in own}
        assert own_ones == {id_ for id_ in own if own[id_]["status"] == "allocated"} - there
        assert all(row["reason"] for row in rows)


PAID = st.lists(
    st.tuples(
        st.sampled_from(["50.00", "50.00", "60.00", "120.00"]),
        st.sampled_from(["2026-11-03", "2026-11-05", "2026-12-24"]),
    ),
    max_size=3,
)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(PAID, PAID, PAID, st.booleans())
@example([("50.00", "2026-11-03")] * 3, [("50.00", "2026-11-03")], [], True)
@example([("120.00", "2026-11-03")], [("120.00", "2026-11-05"), ("60.00", "2026-11-05")], [], True)
@example([("60.00", "2026-11-03")], [("120.00", "2026-11-05")] * 2, [("50.00", "2026-11-05")], False)
def test_what_is_held_is_just_what_unsynced_and_drift_hold(
    sandbox: Sandbox,
    ready_home: Path,
    cli: Any,
    home: Path,
    told_of: list[tuple[str, str]],
    in_caspen: list[tuple[str, str]],
    found: list[tuple[str, str]],
    pulls_first: bool,
) -> None:
    clinic = begins_anew(Clinic(cli, sandbox, home), ready_home)
    clinic.takes(*CLINIC[:3])
    clinic.push()
    theirs = pays_up_to(clinic, Decimal(220), told_of)
    pull(clinic)
    ours = [payment(nth, "INV-0001", amount, date=day) for nth, (amount, day) in enumerate(in_caspen, 1)]
    clinic.takes(CLINIC[0], *ours)
    theirs += pays_up_to(clinic, Decimal(220) - sum((one[1] for one in theirs), Decimal(0)), found)
    pull(clinic)
    before = doubted(clinic)
    for command in ("pull", "push") if pulls_first else ("push", "pull"):
        clinic.cli(command)
    rows = outstanding(clinic)
    assert doubted(clinic) == before, "a push finds what was foreseen"
    everything = [row["xero_id"] or row["payment_id"] for row in rows]
    assert len(everything) == len(set(everything)), "each is listed once"
    assert {row["xero_id"] for row in rows if row["direction"] == "to_caspen"} == {one[0] for one in theirs}
    held = [row for row in rows if row["status"] == "held"]
    unsynced, drift = clinic.unsynced(), clinic.cli("drift", "--json").json["drift"]
    yet = {row["subject"]: (row["problem"], row["caspen"], row["fix"]) for row in drift}
    of_drift = {
        row["xero_id"]: (row["code"], row["reason"], row["fix"])
        for row in held
        if row["xero_id"] and not row["told_to"]
    }
    assert of_drift == yet
    by_list = [(row["code"], row["reason"], row["fix"]) for row in held if row["payment_id"]]
    of_push = [(row["code"], row["reason"], row["fix"]) for row in unsynced if row["sync_status"] == "unsynced"]
    assert Counter(by_list) == Counter(of_push)


def pays_up_to(clinic: Clinic, due: Decimal, paid: list[tuple[str, str]]) -> list[tuple[str, Decimal]]:
    """Enters payments in Xero as far as they are due there; their ids and amounts."""
    made = []
    for amount, day in paid:
        if Decimal(amount) <= due:
            made.append((in_xero.pays(clinic, "INV-0001", amount, day), Decimal(amount)))
            due -= Decimal(amount)
    return made


def doubted(clinic: Clinic) -> set[str]:
    """What `payments list` says may be the same money, by Xero's id or Caspen's."""
    rows = [row for row in outstanding(clinic) if row["code"] == "payment-maybe-already-in-xero"]
    return {row["xero_id"] or row["payment_id"] for row in rows}
