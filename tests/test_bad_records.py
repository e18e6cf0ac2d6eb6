"""Records that can't be read, or do not agree with themselves: each is named, kept as a problem of its invoice, and moves no money.

What is good goes on; once a good record comes, all is as if there had never been a bad one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, client, credit_note, invoice, payment
from pushing import Clinic

PAID = payment("165.00", ("inv_INV-0001", "165.00"))
HALF = payment("100.00", ("inv_INV-0001", "60.00"), ("inv_INV-0002", "40.00"))


def put_on(amount: str, *parts: str, **changes: Any) -> dict[str, Any]:
    """A payment with these parts of it on the first invoice."""
    return payment(amount, *(("inv_INV-0001", part) for part in parts)) | changes


def imports(clinic: Clinic, *records: Mapping[str, Any]) -> Any:
    """An import that may hold bad records."""
    clinic.imports += 1
    file = clinic.home.parent / f"part-{clinic.imports}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    result = clinic.cli("import", file, "--json")
    assert result.exit_code in (0, 3), result.stderr
    return result


def paid(clinic: Clinic) -> list[tuple[str, Decimal]]:
    """Number and amount of every living payment in Xero."""
    return sorted((one["Invoice"]["InvoiceNumber"], one["Amount"]) for one in in_xero.payments(clinic))


def reasons(clinic: Clinic) -> dict[str, str]:
    """The codes of `unsynced`, by number."""
    return {row["number"] or row["invoice_id"]: row["code"] for row in clinic.unsynced()}


@pytest.fixture
def begun(ready: Clinic) -> Clinic:
    """A clinic with two invoices, not pushed yet."""
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002"))
    return ready


DISAGREEING = {
    "more than the payment": (put_on("100.00", "165.00"), "allocations", "165.00"),
    "in sum more than the payment": (put_on("100.00", "60.00", "40.01"), "allocations", "100.01"),
    "a negative payment": (put_on("-165.00", "-165.00"), "amount", "-165.00"),
    "a payment of nothing": (put_on("0.00", "0.00"), "amount", "0.00"),
    "a negative part": (put_on("165.00", "165.00", "-10.00"), "allocations[1].amount", "-10.00"),
    "a part of nothing": (put_on("165.00", "165.00", "0"), "allocations[1].amount", "0"),
    "half a cent": (put_on("165.005", "165.005"), "amount", "165.005"),
    "half a cent put on it": (put_on("165.01", "165.005"), "allocations[0].amount", "165.005"),
    "no date": (put_on("165.00", "165.00", date="soon"), "date", "soon"),
    "no list of allocations": (put_on("165.00", allocations={"invoice_id": "inv_INV-0001"}), "allocations", ""),
}


@pytest.mark.parametrize("what", DISAGREEING)
def test_a_payment_that_does_not_agree_with_itself_pays_nothing_and_is_named(begun: Clinic, what: str) -> None:
    record, field, shown = DISAGREEING[what]
    imported = imports(begun, record)
    assert imported.exit_code == 3
    (bad,) = imported.json["bad_records"]
    assert (bad["kind"], bad["id"], bad["field"]) == ("payment", "pay_1", field)
    assert shown in bad["reason"]
    begun.push()
    assert (set(begun.in_xero()), paid(begun)) == ({"INV-0001", "INV-0002"}, [])
    if isinstance(record["allocations"], list) and record["allocations"]:
        problem = begun.problem()
        assert (problem["code"], problem["total"]) == ("bad-record", "165.00")
        assert "pay_1" in problem["reason"]
    assert "INV-0002" not in reasons(begun)
    imports(begun, PAID)
    assert begun.push().exit_code == 0
    assert paid(begun) == [("INV-0001", Decimal("165.00"))]
    assert begun.unsynced() == []


@pytest.mark.parametrize("status", ["refunded", "unallocated", "void", "deleted"])
def test_what_is_not_allocated_pays_nothing(begun: Clinic, status: str) -> None:
    assert imports(begun, PAID | {"status": status}).exit_code == 0
    assert begun.push().json["payments"] == 0
    assert paid(begun) == []
    assert begun.unsynced() == []
    assert Decimal(begun.listed()["INV-0001"]["amount_paid"]) == 0


@pytest.mark.parametrize("changed", [{}, {"allocations": []}])
def test_a_sent_payment_that_is_refunded_is_for_a_person_and_is_never_deleted_by_itself(
    begun: Clinic, changed: dict[str, Any]
) -> None:
    begun.takes(PAID)
    begun.push()
    begun.takes(PAID | {"status": "refunded", "updated_at": "2026-11-09T00:00:00Z"} | changed)
    for _ in range(2):
        assert begun.push().exit_code == 3
        assert paid(begun) == [("INV-0001", Decimal("165.00"))]
        problem = begun.problem()
        assert (problem["code"], "165.00" in problem["reason"]) == ("payment-refunded", True)
    begun.forget_calls()
    begun.push()
    assert begun.calls() == []  # it is known by now
    (sent,) = in_xero.payments(begun)
    in_xero.writes(begun, "POST", f"Payments/{sent['PaymentID']}", {"Status": "DELETED"})
    assert begun.run(problem["fix"].partition("then: ")[2]).exit_code == 0
    assert (paid(begun), begun.unsynced()) == ([], [])


def test_a_refund_that_is_booked_otherwise_ends_with_the_command_that_is_named(begun: Clinic) -> None:
    begun.takes(PAID)
    begun.push()
    begun.takes(PAID | {"status": "refunded", "updated_at": "2026-11-09T00:00:00Z"})
    begun.push()
    _, _, command = begun.problem()["reason"].rpartition(": ")
    assert begun.run(command).exit_code == 0
    assert begun.push().exit_code == 0
    assert (paid(begun), begun.unsynced()) == ([("INV-0001", Decimal("165.00"))], [])


def test_nothing_of_a_sent_payment_changes_while_its_newest_record_is_bad(begun: Clinic) -> None:
    begun.takes(HALF)
    begun.push()
    before = paid(begun)
    imports(begun, HALF | {"amount": "50.00"})
    begun.forget_calls()
    assert begun.push().exit_code == 3
    assert (paid(begun), begun.writes()) == (before, [])
    assert reasons(begun) == {"INV-0001": "bad-record", "INV-0002": "bad-record"}
    imports(begun, HALF)
    begun.push()
    assert (paid(begun), begun.unsynced()) == (before, [])


def test_once_a_good_record_has_come_no_invoice_says_that_it_is_bad(begun: Clinic) -> None:
    imports(begun, HALF | {"amount": "50.00"})
    begun.push()
    assert reasons(begun) == {"INV-0001": "bad-record", "INV-0002": "bad-record"}
    imports(begun, HALF)
    assert set(reasons(begun).values()) == {"not-pushed-yet"}
    begun.push("INV-0001")
    assert reasons(begun) == {"INV-0002": "not-pushed-yet"}
    begun.push()
    assert reasons(begun) == {}


def test_a_payment_that_waits_to_be_sent_is_not_sent_while_its_newest_record_is_bad(begun: Clinic) -> None:
    begun.takes(HALF)
    imports(begun, HALF | {"amount": "50.00"})
    begun.push()
    assert paid(begun) == []
    imports(begun, HALF)
    begun.push()
    assert paid(begun) == [("INV-0001", Decimal("60.00")), ("INV-0002", Decimal("40.00"))]


def test_a_bad_record_older_than_the_good_one_that_is_known_is_no_problem(begun: Clinic) -> None:
    begun.takes(PAID | {"updated_at": "2026-11-03T00:00:00Z"})
    assert imports(begun, PAID | {"amount": "1.00", "updated_at": "2020-01-01T00:00:00Z"}).exit_code == 3
    begun.push()
    assert (paid(begun), begun.unsynced()) == ([("INV-0001", Decimal("165.00"))], [])


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_record_counts_whichever_comes_first(begun: Clinic, order: int) -> None:
    bad = PAID | {"amount": "1.00", "updated_at": "2026-11-01T00:00:00Z"}
    imports(begun, *[bad, PAID | {"updated_at": "2026-11-02T00:00:00Z"}][::order])
    begun.push()
    assert (paid(begun), begun.unsynced()) == ([("INV-0001", Decimal("165.00"))], [])


# --- invoices

BAD_INVOICES: dict[str, dict[str, Any]] = {
    "no day": {"issue_date": "2026-02-30"},
    "a line of no kind": {"lines": ["consultation"]},
    "a discount of no kind": {"lines": [invoice()["lines"][0] | {"discount": {"type": "percentage", "value": "150"}}]},
    "no total": {"total": None},
    "another currency code": {"currency": "dollars"},
    "no client": {"client_id": None},
    "no such status": {"status": "finalised"},
    "no tax mode": {"tax_mode": "maybe"},
}


@pytest.mark.parametrize("what", BAD_INVOICES)
def test_a_finalised_invoice_with_a_bad_record_is_listed_until_a_good_one_comes(begun: Clinic, what: str) -> None:
    good = invoice("INV-0003")
    assert imports(begun, good | BAD_INVOICES[what]).exit_code == 3
    (row,) = [row for row in begun.unsynced() if row["code"] == "bad-record"]
    assert (row["number"], row["invoice_id"]) == ("INV-0003", "inv_INV-0003")
    assert next(iter(BAD_INVOICES[what])) in row["reason"]
    assert row["total"] in ("165.00", None)
    assert begun.cli("status", "--json").json["invoices"]["unsynced"] == 1
    assert begun.listed()["INV-0003"]["sync_status"] == "unsynced"
    pushed = begun.push()
    assert (pushed.exit_code, pushed.json["synced"], pushed.json["unsynced"]) == (3, 2, 1)
    assert reasons(begun) == {"INV-0003": "bad-record"}
    imports(begun, good)
    assert begun.push().exit_code == 0
    assert set(begun.in_xero()) == {"INV-0001", "INV-0002", "INV-0003"}
    assert begun.unsynced() == []
    assert begun.cli("status", "--json").json["bad_records"] == 0


@pytest.mark.parametrize("aside", [("invoices", "skip", "INV-0003"), ("settings", "set", "--start-date", "2026-11-03")])
def test_an_invoice_without_a_good_record_can_be_set_aside_and_is_said_to_be(
    begun: Clinic, aside: tuple[str, ...]
) -> None:
    imports(begun, invoice("INV-0003", client_id=None))
    begun.push()
    assert begun.cli(*aside).exit_code == 0
    pushed = begun.push()
    assert (pushed.exit_code, begun.unsynced()) == (0, [])
    assert begun.listed()["INV-0003"]["sync_status"] == "skipped"
    left_out = "1 skipped" if aside[1] == "skip" else "1 before the start date"
    assert left_out in " ".join(begun.cli("unsynced").stdout.split())


def test_a_dry_run_names_an_invoice_without_a_good_record_by_its_number(begun: Clinic) -> None:
    imports(begun, invoice("INV-0003", issue_date="soon"))
    assert "for INV-0003: bad-record" in begun.cli("push", "--dry-run").stdout


def test_an_invoice_without_an_id_is_known_by_its_number(begun: Clinic) -> None:
    imports(begun, {**invoice("INV-0003"), "id": None})
    begun.push()
    assert reasons(begun) == {"INV-0003": "bad-record"}
    imports(begun, invoice("INV-0003"))
    begun.push()
    assert begun.unsynced() == []


@pytest.mark.parametrize("status", ["draft", "void", "deleted"])
def test_a_bad_record_of_what_does_not_belong_in_xero_is_named_and_not_listed(begun: Clinic, status: str) -> None:
    assert imports(begun, invoice("INV-0003", status=status, issue_date="soon")).exit_code == 3
    begun.push()
    assert begun.unsynced() == []


def test_a_draft_that_is_finalised_by_a_bad_record_is_listed(begun: Clinic) -> None:
    begun.takes(invoice("INV-0003", status="draft"))
    imports(begun, invoice("INV-0003", issue_date="soon"))
    assert begun.push().json["unsynced"] == 1
    assert reasons(begun) == {"INV-0003": "bad-record"}


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize(
    ("aside", "where"),
    [
        ((), ("invoices_kept_back", "problem")),
        (("invoices", "skip", "INV-0003"), ("left_out", "set-aside")),
        (("settings", "set", "--start-date", "2026-11-03"), ("left_out", "before-start-date")),
    ],
)
def test_a_dry_run_counts_an_invoice_that_only_a_bad_record_finalises_once(
    begun: Clinic, aside: tuple[str, ...], where: tuple[str, str], is_known: bool
) -> None:
    if is_known:
        begun.takes(invoice("INV-0003", status="draft"))
    imports(begun, invoice("INV-0003", client_id=None))
    begun.push()
    if aside:
        assert begun.cli(*aside).exit_code == 0
    told = begun.push("--dry-run").json["summary"]
    numbers = {
        (kind, why): tally["number"] for kind in ("invoices_kept_back", "left_out") for why, tally in told[kind].items()
    }
    assert numbers == {where: 1}


def test_an_invoice_in_xero_stays_as_it_is_while_its_newest_record_is_bad(begun: Clinic) -> None:
    begun.takes(PAID)
    begun.push()
    before = begun.in_xero()
    for bad in ({"due_date": "soon"}, {"status": "void", "due_date": "soon"}):
        imports(begun, invoice(reference="changed") | bad)
        begun.forget_calls()
        assert begun.push().exit_code == 3
        assert (begun.writes(), begun.in_xero(), reasons(begun)) == ([], before, {"INV-0001": "bad-record"})
    assert begun.listed()["INV-0001"]["sync_status"] == "unsynced"
    begun.forget_calls()
    begun.push()
    assert begun.calls() == []
    imports(begun, invoice(reference="changed"))
    assert begun.push().exit_code == 0
    assert begun.in_xero()["INV-0001"]["Reference"] == "changed"


def test_the_same_bad_record_again_changes_nothing(begun: Clinic) -> None:
    begun.takes(PAID)
    begun.push()
    imports(begun, PAID | {"amount": "1.00"})
    begun.push()
    first = begun.problem()
    imports(begun, PAID | {"amount": "1.00"})
    begun.forget_calls()
    begun.push()
    assert (begun.calls(), begun.problem()["first_failed_at"]) == ([], first["first_failed_at"])


def test_the_fix_of_a_bad_record_works_as_printed(begun: Clinic) -> None:
    imports(begun, PAID | {"amount": "1.00"})
    begun.push()
    fix = begun.problem()["fix"]
    assert fix == "Correct it in Caspen, then: caspen-xero import PATH; caspen-xero push INV-0001"
    imports(begun, PAID)
    assert begun.run(fix.rpartition("; ")[2]).exit_code == 0
    assert paid(begun) == [("INV-0001", Decimal("165.00"))]


# --- credit notes

NOTE = credit_note()


@pytest.mark.parametrize(
    "bad",
    [
        {"total": "0.00"},
        {"total": "-44.00", "subtotal": "-40.00", "tax": "-4.00"},
        {"total": "44.005"},
        {"date": "soon"},
        {"lines": "all"},
    ],
)
def test_a_bad_credit_note_is_a_problem_of_its_invoice_and_is_not_sent(begun: Clinic, bad: dict[str, str]) -> None:
    assert imports(begun, NOTE | bad).exit_code == 3
    begun.push()
    assert in_xero.credit_notes(begun) == {}
    assert reasons(begun) == {"INV-0001": "bad-record"}
    imports(begun, NOTE)
    assert begun.push().exit_code == 0
    assert set(in_xero.credit_notes(begun)) == {"CN-0001"}


def test_nothing_of_a_sent_credit_note_changes_while_its_newest_record_is_bad(begun: Clinic) -> None:
    begun.takes(NOTE)
    begun.push()
    before = in_xero.credit_notes(begun)
    imports(begun, NOTE | {"status": "void", "date": "soon"})
    begun.forget_calls()
    assert begun.push().exit_code == 3
    assert (begun.writes(), in_xero.credit_notes(begun), reasons(begun)) == ([], before, {"INV-0001": "bad-record"})


@pytest.mark.parametrize(
    "figures",
    [
        {"total": "165.01"},
        {"subtotal": "149.00", "tax": "16.00"},
        {"subtotal": "150.005", "tax": "14.995"},
        {"subtotal": "150.00", "tax": "0.00", "total": "150.00"},
        {"subtotal": "50.00", "tax": "5.00", "total": "55.00"},
    ],
)
def test_figures_that_do_not_go_together_are_not_sent(begun: Clinic, figures: dict[str, str]) -> None:
    imports(begun, invoice("INV-0003") | figures)
    assert begun.push().exit_code == 3
    assert set(begun.in_xero()) == {"INV-0001", "INV-0002"}
    assert reasons(begun) == {"INV-0003": "totals-differ"}


# --- what comes before its invoice


def test_what_pays_or_credits_an_invoice_that_is_not_known_is_told_and_waits(ready: Clinic) -> None:
    imported = imports(ready, EFTPOS, client("1048237"), PAID, NOTE)
    assert (imported.exit_code, imported.json["bad"]) == (0, 0)
    assert imported.json["without_invoice"] == [
        {"kind": "credit_note", "id": "crn_CN-0001", "invoice_id": "inv_INV-0001"},
        {"kind": "payment", "id": "pay_1", "invoice_id": "inv_INV-0001"},
    ]
    status = ready.cli("status", "--json").json
    assert status["without_invoice"] == {"payments": 1, "credit_notes": 1}
    assert "never imported" in ready.cli("status").stdout
    said = ready.cli("import", ready.home.parent / f"part-{ready.imports}.jsonl")
    assert "payment pay_1 on inv_INV-0001" in said.stderr
    assert imports(ready, invoice()).json["without_invoice"] == []
    ready.push()
    assert len(in_xero.credit_notes(ready)) == 1
    assert ready.cli("status", "--json").json["without_invoice"] == {"payments": 0, "credit_notes": 0}


# --- after an upgrade


def as_before_this_rule(clinic: Clinic) -> None:
    """Makes the store one of the version that had no such rules."""
    with closing(sqlite3.connect(clinic.store_file)) as before:
        before.execute("DROP TABLE bad_records")
        before.execute("DELETE FROM _sqlite_migrations WHERE name = 'bad_records_are_kept'")
        before.commit()


def test_what_an_earlier_version_took_for_good_is_judged_anew_and_nothing_is_deleted(begun: Clinic) -> None:
    begun.takes(HALF)
    begun.push()
    before = paid(begun)
    begun.sql('UPDATE payments SET record = replace(record, \'"amount":"100.00"\', \'"amount":"50.00"\')')
    as_before_this_rule(begun)
    assert begun.push().exit_code == 3
    assert (paid(begun), reasons(begun)) == (before, {"INV-0001": "bad-record", "INV-0002": "bad-record"})


def test_links_and_claims_of_an_earlier_version_are_judged_by_what_xero_shows(begun: Clinic) -> None:
    begun.takes(HALF, PAID | {"id": "pay_9", "allocations": [], "xero_id": None})
    begun.push()
    first, second = in_xero.payments(begun)
    in_xero.writes(begun, "POST", f"Payments/{first['PaymentID']}", {"Status": "DELETED"})
    begun.sql(
        "UPDATE links SET xero_id = 'nonsense', made_by_us = 0 WHERE kind = 'payment' AND xero_id = ?",
        second["PaymentID"],
    )
    gone = first["Invoice"]["InvoiceNumber"]
    as_before_this_rule(begun)
    before = paid(begun)
    begun.push()
    assert paid(begun) == before  # what was linked to nonsense is found again by its reference
    assert reasons(begun) == {gone: "payment-removed-in-xero"}


def test_the_look_after_an_upgrade_is_taken_once(begun: Clinic) -> None:
    begun.takes(HALF)
    begun.push()
    as_before_this_rule(begun)
    begun.forget_calls()
    begun.push()
    assert (begun.calls() != [], begun.writes()) == (True, [])
    begun.forget_calls()
    begun.push()
    assert begun.calls() == []


def test_a_baseline_that_was_found_is_again_what_was_sent(begun: Clinic) -> None:
    """So an edit in Xero that an earlier version took for our own is not written over."""
    begun.push()
    lines = begun.in_xero()["INV-0001"]["LineItems"]
    in_xero.edits(begun, "INV-0001", LineItems=[{"LineItemID": lines[0]["LineItemID"], "Description": "Edited there"}])
    begun.sql("UPDATE links SET last_written = replace(last_written, 'Initial consultation', 'Edited there')")
    as_before_this_rule(begun)
    begun.push()
    begun.takes(
        invoice(lines=[invoice()["lines"][0] | {"description": "Changed in Caspen"}], updated_at="2026-11-09T00:00:00Z")
    )
    begun.push()
    assert begun.in_xero()["INV-0001"]["LineItems"][0]["Description"] == "Edited there"
    assert reasons(begun) == {"INV-0001": "changed-in-xero"}
