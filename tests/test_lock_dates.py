"""Lock dates: what binds everybody is told before a call; what depends on who connected, or on a draft, Xero is asked, once."""

from __future__ import annotations

import in_xero
import pytest
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic

IN, AFTER = {"issue_date": "2026-06-12", "due_date": "2026-06-26"}, {"issue_date": "2026-07-02"}
LOCK = "2026-06-30"
MANY = 120


def codes(clinic: Clinic) -> set[str]:
    return {row["code"] for row in clinic.unsynced()}


def in_june(*numbers: int) -> list[dict[str, object]]:
    return [invoice(f"INV-{number:04d}", **IN) for number in numbers]


def locks(clinic: Clinic, lock: str = "PeriodLockDate", *, adviser: bool = False, known: bool = True) -> None:
    """A person locks the books up to June. `known`: the organisation is read anew after that."""
    clinic.control("organisation", **{lock: LOCK}, Adviser=adviser)
    if known:
        clinic.push("--refresh")
    clinic.forget_calls()


def facts_are_old(clinic: Clinic) -> None:
    """A day has passed since the organisation was read."""
    clinic.sql("UPDATE xero_lists SET read_at = '2020-01-01T00:00:00Z'")


@pytest.mark.parametrize("known", [True, False])
def test_an_adviser_may_post_in_a_locked_period(ready: Clinic, known: bool) -> None:
    ready.takes(
        EFTPOS, client("1048237"), *in_june(1, 2), payment("65.00", ("inv_INV-0001", "65.00"), date="2026-06-15")
    )
    locks(ready, adviser=True, known=known)
    assert ready.push().exit_code == 0
    assert set(ready.in_xero()) == {"INV-0001", "INV-0002"}
    assert len(in_xero.payments(ready)) == 1
    assert in_xero.silent(ready)


@pytest.mark.parametrize("known", [True, False])
def test_nobody_else_may_and_that_is_asked_once_for_all(ready: Clinic, known: bool) -> None:
    ready.takes(client("1048237"), *in_june(*range(1, MANY + 1)), invoice("INV-9999", **AFTER))
    ready.push("--dry-run")  # the organisation is known as it was before
    ready.control("organisation", PeriodLockDate=LOCK)
    ready.forget_calls()
    assert ready.push(*(["--refresh"] if known else [])).exit_code == 3
    assert ready.writes() in (["PUT Contacts", "PUT Invoices", "PUT Invoices"], ["PUT Contacts", "PUT Invoices"])
    assert set(ready.in_xero()) == {"INV-9999"}
    rows = ready.unsynced()
    assert (len(rows), codes(ready)) == (MANY, {"period-locked"})
    for row in rows:
        assert f"the invoice {row['number']} is dated 2026-06-12; Xero refused the invoice INV-0001" in row["reason"]
        assert LOCK in row["reason"]
        assert "The document date cannot be before the period lock date" in row["xero_says"]
        assert (
            row["fix"] == "Move the lock date in Xero, then: caspen-xero push --refresh"
        )  # the same for all, so shown once
    assert in_xero.silent(ready)
    ready.takes(*in_june(MANY + 1))
    assert in_xero.silent(ready)
    assert len(ready.unsynced()) == MANY + 1


def held(clinic: Clinic) -> None:
    """Sixty invoices that Xero has refused, or would refuse, as their period is locked."""
    clinic.takes(client("1048237"), *in_june(*range(1, 61)))
    clinic.control("organisation", PeriodLockDate=LOCK)
    assert clinic.push("--refresh").exit_code == 3
    clinic.forget_calls()


def test_once_the_lock_date_is_seen_to_have_moved_all_go(ready: Clinic) -> None:
    held(ready)
    ready.control("organisation", PeriodLockDate="2026-05-31")
    facts_are_old(ready)
    assert ready.push().exit_code == 0
    assert len(ready.in_xero()) == 60


def test_a_lock_date_moved_to_another_locked_day_is_asked_anew(ready: Clinic) -> None:
    held(ready)
    ready.control("organisation", PeriodLockDate="2026-06-29")
    facts_are_old(ready)
    assert ready.push().exit_code == 3
    assert ready.writes() == ["PUT Invoices"]
    assert {row["reason"].split("lock date of ")[1][:10] for row in ready.unsynced()} == {"2026-06-29"}


@pytest.mark.parametrize("again", [("--refresh",), ("INV-0060",)])
def test_whoever_asks_for_another_try_gets_one_and_an_adviser_gets_all_in(
    ready: Clinic, again: tuple[str, ...]
) -> None:
    held(ready)
    assert ready.push(*again).exit_code == 3
    assert ready.writes() == ["PUT Invoices"]
    assert len(ready.unsynced()) == 60
    ready.control("organisation", Adviser=True)
    assert in_xero.silent(ready)
    ready.push(*again)
    assert ready.push("--refresh").exit_code == 0
    assert len(ready.in_xero()) == 60


def test_as_time_passes_xero_is_asked_again_with_one_call(ready: Clinic) -> None:
    held(ready)
    ready.sql("UPDATE holds SET release_at = '2020-01-01T00:00:00Z'")
    ready.push()
    assert ready.writes() == ["PUT Invoices"]
    assert {row["attempts"] for row in ready.unsynced()} == {2}


# --- all else that is dated


def in_the_books(clinic: Clinic) -> None:
    """Invoices of June with a payment and a credit note, all in Xero."""
    clinic.takes(
        EFTPOS,
        client("1048237"),
        *in_june(1, 2, 3, 4),
        payment("20.00", ("inv_INV-0001", "20.00"), date="2026-06-15"),
        credit_note(invoice_id="inv_INV-0002", date="2026-06-15"),
    )
    assert clinic.push().exit_code == 0


CHANGES: dict[str, list[dict[str, object]]] = {
    "a changed invoice": [invoice("INV-0003", [line("99.00")], **IN)],
    "a void invoice": [invoice("INV-0003", status="void", **IN)],
    "an invoice moved out of it": [invoice("INV-0003", **AFTER)],
    "a new payment": [payment("5.00", ("inv_INV-0003", "5.00"), id_="pay_2", date="2026-06-16")],
    "a removed payment": [payment("20.00", ("inv_INV-0001", "20.00"), status="void", date="2026-06-15")],
    "a new credit note": [credit_note("CN-0002", [line("10.00")], invoice_id="inv_INV-0003", date="2026-06-16")],
    "a void credit note": [credit_note(invoice_id="inv_INV-0002", date="2026-06-15", status="void")],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", ["an adviser", "somebody else", "somebody else, told before", "a locked year"])
def test_every_change_in_a_locked_period_is_sent_or_told(ready: Clinic, who: str, change: str) -> None:
    in_the_books(ready)
    locks(ready, "EndOfYearLockDate" if who == "a locked year" else "PeriodLockDate", adviser=who != "somebody else")
    if who == "somebody else, told before":
        ready.control("organisation", Adviser=False)
        ready.takes(*in_june(5))
        ready.push()
        ready.forget_calls()
    before = ready.whole_state()
    ready.takes(*CHANGES[change])
    pushed = ready.push()
    if who == "an adviser":
        assert (pushed.exit_code, ready.unsynced()) == (0, [])
        assert ready.writes()
        assert in_xero.silent(ready)
        return
    assert pushed.exit_code == 3
    assert "period-locked" in codes(ready)
    assert all(LOCK in row["reason"] for row in ready.unsynced() if row["code"] == "period-locked")
    assert len(ready.writes()) == (1 if who == "somebody else" else 0)
    kinds = ("Invoices", "Payments", "CreditNotes")
    assert {kind: ready.whole_state()[kind] for kind in kinds} == {kind: before[kind] for kind in kinds}
    assert in_xero.silent(ready)
    ready.control("organisation", PeriodLockDate="", EndOfYearLockDate="")
    assert ready.run("caspen-xero push --refresh").exit_code == 0
    assert ready.unsynced() == []


# --- drafts


@pytest.mark.parametrize("lock", ["PeriodLockDate", "EndOfYearLockDate"])
@pytest.mark.parametrize("way", ["taken", "refused"])
def test_drafts_that_are_wanted_go_where_xero_takes_them(ready: Clinic, way: str, lock: str) -> None:
    ready.control("settings", draft_in_locked_period=way)
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), *in_june(*range(1, MANY + 1)))
    locks(ready, lock, known=False)
    pushed = ready.push("--refresh")
    if way == "taken":
        assert pushed.exit_code == 0
        assert {there["Status"] for there in ready.in_xero().values()} == {"DRAFT"}
        ready.takes(invoice("INV-0001", [line("99.00")], **IN), invoice("INV-0002", status="void", **IN))
        assert ready.push().exit_code == 0
        return
    assert (pushed.exit_code, codes(ready), len(ready.unsynced())) == (3, {"period-locked"}, MANY)
    assert ready.writes() == ["PUT Contacts", "PUT Invoices"]
    assert in_xero.silent(ready)
    ready.control("settings", draft_in_locked_period="taken")
    assert ready.push("--refresh").exit_code == 0


PROVES_TAX = [line("0.25"), line("0.25")]


@pytest.mark.parametrize("way", ["taken", "refused"])
@pytest.mark.parametrize("adviser", [False, True])
def test_what_goes_as_a_draft_first_is_not_left_there_unsaid(ready: Clinic, adviser: bool, way: str) -> None:
    ready.control("settings", draft_in_locked_period=way)
    ready.takes(client("1048237"), invoice("INV-0001", PROVES_TAX, **IN), invoice("INV-0002", PROVES_TAX, **IN))
    locks(ready, adviser=adviser, known=False)
    pushed = ready.push("--refresh")
    are_there = adviser or way == "taken"
    assert ready.writes().count("POST Invoices") == int(are_there), "they were drafts first"
    if not adviser:
        assert pushed.exit_code == 3
        assert codes(ready) == {"period-locked"}
        assert {row["sync_status"] for row in ready.listed().values()} == {"unsynced"}
        what = "the draft INV-000" if are_there else "the invoice INV-000"
        assert all(what in row["reason"] for row in ready.unsynced())
        assert in_xero.silent(ready)
        ready.takes(invoice("INV-0003", PROVES_TAX, **IN))  # by now it is known that it would be left a draft
        assert in_xero.silent(ready)
        ready.control("organisation", PeriodLockDate="")
        pushed = ready.push("--refresh")
    assert pushed.exit_code == 0
    assert {there["Status"] for there in ready.in_xero().values()} == {"AUTHORISED"}


def test_in_a_locked_year_nothing_goes_as_a_draft_that_could_not_be_approved(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0001", PROVES_TAX, **IN))
    locks(ready, "EndOfYearLockDate")
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "period-locked"
    assert ready.in_xero() == {}


def test_doctor_says_whom_each_lock_date_binds(ready: Clinic) -> None:
    ready.control("organisation", PeriodLockDate=LOCK, EndOfYearLockDate="2025-06-30")
    (check,) = [one for one in ready.cli("doctor", "--json").json["checks"] if one["name"] == "lock dates"]
    assert (
        check["message"] == "the books are locked up to 2025-06-30 for everybody, up to 2026-06-30 for all but advisers"
    )


# --- approvals


@pytest.mark.parametrize("counts", ["approval-month", "invoice-date"])
def test_approvals_of_a_small_plan_are_tried_month_by_month(ready: Clinic, counts: str) -> None:
    ready.control("settings", approval_limit_counts=counts)
    ready.control("organisation", ApprovalLimit=20)
    months = ("2026-04", "2026-05", "2026-06")
    dated = [(month, f"INV-{month[-1]}{nth:03d}") for month in months for nth in range(25)]
    ready.takes(
        client("1048237"),
        *(invoice(number, issue_date=f"{month}-10", due_date=f"{month}-20") for month, number in dated),
    )
    assert ready.push().exit_code == 3
    there = ready.in_xero().values()
    assert len(there) == (20 if counts == "approval-month" else 60)
    assert ready.writes().count("PUT Invoices") <= len(months) + 1
    waiting = {row["number"]: row["reason"] for row in ready.unsynced() if row["code"] == "not-pushed-yet"}
    assert waiting
    for month, number in dated:
        assert number not in waiting or f"dated in {month} for now" in waiting[number]
    assert in_xero.silent(ready)
    ready.control("organisation", ApprovalLimit=None)
    assert ready.push("--refresh").exit_code == 0
    assert len(ready.in_xero()) == 75
