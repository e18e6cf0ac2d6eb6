"""Lock dates: what may be dated on or before them, by whom, and what may still be changed there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bookkeeper import Bookkeeper

PERIOD, YEAR = "PeriodLockDate", "EndOfYearLockDate"
WORDS = {PERIOD: "period lock date", YEAR: "end of year lock date"}
UNAPPROVED = ("DRAFT", "SUBMITTED")
SET_AT = "lock date, currently set at 30-Sep-2026"
AS_IT_STANDS = "The document cannot be edited as it is currently dated before the "

Deed = tuple[str, str, dict[str, Any]]


def refusals(b: Bookkeeper, deed: Deed) -> list[str]:
    """Why it is refused; nothing where it is taken."""
    method, path, element = deed
    (answer,) = b.send(method, path, element)
    return [error["Message"] for error in answer.get("ValidationErrors", ())]


def posted_in_september(b: Bookkeeper) -> dict[str, Deed]:
    """What books something in September or takes it back, one deed each; what it is about stands there already."""
    invoice, to_void, paid, in_batch, credited = (b.invoice() for _ in range(5))
    note, to_spare = b.credit_note(), b.credit_note()
    payment = b.pay(paid, 10)
    batch = {"Account": {"Code": b.bank}, "Date": "2026-09-15"}
    batch["Payments"] = [{"Invoice": {"InvoiceID": in_batch["InvoiceID"]}, "Amount": 1}]
    made, gone = b.put("BatchPayments", batch), {"Status": "DELETED"}
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", credited, 1)
    return {
        "new invoice": ("PUT", "Invoices", b.draft(Date="2026-09-30")),
        "edited invoice": ("POST", f"Invoices/{invoice['InvoiceID']}", {"Reference": "x"}),
        "invoice moved out of it": ("POST", f"Invoices/{invoice['InvoiceID']}", {"Date": "2026-10-01"}),
        "void invoice": ("POST", f"Invoices/{to_void['InvoiceID']}", {"Status": "VOIDED"}),
        "new credit note": ("PUT", "CreditNotes", b.draft(Type="ACCRECCREDIT", Date="2026-09-30")),
        "edited credit note": ("POST", f"CreditNotes/{note['CreditNoteID']}", {"Reference": "x"}),
        "void credit note": ("POST", f"CreditNotes/{to_spare['CreditNoteID']}", {"Status": "VOIDED"}),
        "new allocation": ("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", b.share(credited, 1)),
        "new payment": ("PUT", "Payments", b.payment(paid, 1)),
        "deleted payment": ("POST", f"Payments/{payment['PaymentID']}", gone),
        "new batch": ("PUT", "BatchPayments", batch),
        "deleted batch": ("POST", f"BatchPayments/{made['BatchPaymentID']}", gone),
    }


@pytest.mark.parametrize("lock", [PERIOD, YEAR])
def test_nothing_is_booked_changed_or_taken_back_in_a_locked_period(lock: str) -> None:
    b = Bookkeeper()
    deeds = posted_in_september(b)
    b.change(**{lock: "2026-09-30"})
    for name, deed in deeds.items():
        (said,) = refusals(b, deed)
        new = name.startswith("new ")
        assert (said.endswith(SET_AT) and WORDS[lock] in said) if new else said == AS_IT_STANDS + WORDS[lock], name


def test_advisers_are_bound_by_the_end_of_year_lock_date_alone() -> None:
    b = Bookkeeper()
    deeds = posted_in_september(b)
    b.change(PeriodLockDate="2026-09-30", Adviser=True)
    assert {name: refusals(b, deed) for name, deed in deeds.items()} == {name: [] for name in deeds}
    again = posted_in_september(b)
    b.change(EndOfYearLockDate="2026-09-30")
    assert all(WORDS[YEAR] in refusals(b, deed)[0] for deed in again.values())


@pytest.mark.parametrize("adviser", [False, True])
def test_a_lock_covers_its_own_day_and_no_later_one(adviser: bool) -> None:
    b = Bookkeeper()
    b.change(PeriodLockDate="2026-09-30", EndOfYearLockDate="2026-06-30", Adviser=adviser)
    assert bool(refusals(b, ("PUT", "Invoices", b.draft(Date="2026-09-30")))) is not adviser
    assert WORDS[YEAR] in refusals(b, ("PUT", "Invoices", b.draft(Date="2026-06-30")))[0]
    assert b.invoice(Date="2026-10-01")["Status"] == "AUTHORISED"


@pytest.mark.parametrize("status", UNAPPROVED)
@pytest.mark.parametrize("lock", [PERIOD, YEAR])
def test_a_draft_may_be_dated_edited_and_deleted_in_a_locked_period_but_not_approved(lock: str, status: str) -> None:
    b = Bookkeeper()
    b.change(**{lock: "2026-09-30"})
    invoice, note = b.invoice(Status=status), b.credit_note(Status=status)
    for path in (f"Invoices/{invoice['InvoiceID']}", f"CreditNotes/{note['CreditNoteID']}"):
        assert b.post(path, {"Reference": "x"})["Reference"] == "x"
        (said,) = refusals(b, ("POST", path, {"Status": "AUTHORISED"}))
        assert said == f"The document date cannot be before the {WORDS[lock]}, currently set at 30-Sep-2026"
        assert b.read(*path.split("/"))["Status"] == status
        assert b.post(path, {"Status": "DELETED"})["Status"] == "DELETED"


@pytest.mark.parametrize("status", UNAPPROVED)
def test_or_drafts_are_refused_as_all_else_is(status: str) -> None:
    b = Bookkeeper(draft_in_locked_period="refused")
    invoice, note = b.invoice(Status=status), b.credit_note(Status=status)
    b.change(PeriodLockDate="2026-09-30")
    assert SET_AT in refusals(b, ("PUT", "Invoices", b.draft(Status=status)))[0]
    assert SET_AT in refusals(b, ("PUT", "CreditNotes", b.draft(Type="ACCRECCREDIT", Status=status)))[0]
    for path in (f"Invoices/{invoice['InvoiceID']}", f"CreditNotes/{note['CreditNoteID']}"):
        for change in ({"Reference": "x"}, {"Status": "DELETED"}):
            assert refusals(b, ("POST", path, change)) == [AS_IT_STANDS + WORDS[PERIOD]]
