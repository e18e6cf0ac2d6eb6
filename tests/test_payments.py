"""Payments: what Caspen puts on an invoice is paid in Xero once, with its date, account and reference; and taken back again."""

from __future__ import annotations

from decimal import Decimal

import in_xero
import pytest
from clinics import CASH, EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic


@pytest.fixture
def paid(ready: Clinic) -> Clinic:
    """One invoice of 165.00 with a payment of 65.00 on it, both in Xero."""
    ready.takes(EFTPOS, CASH, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


@pytest.fixture
def unpaid(ready: Clinic) -> Clinic:
    """One invoice of 165.00 in Xero, from an earlier run."""
    ready.takes(EFTPOS, CASH, client("1048237"), invoice())
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


# --- sent


def test_a_payment_has_caspens_amount_and_date_and_a_reference_that_people_read(paid: Clinic) -> None:
    (there,) = in_xero.payments(paid)
    assert (there["Amount"], there["Reference"]) == (Decimal("65.00"), "EFTPOS pay_1/all_1a")
    assert there["Date"] == "/Date(1793664000000+0000)/"  # 3 November 2026, the payment's own date
    assert paid.in_xero()["INV-0001"]["AmountDue"] == Decimal("100.00")
    assert in_xero.silent(paid)


def test_each_payment_method_has_its_own_account_else_the_default(ready: Clinic) -> None:
    ready.takes(EFTPOS, CASH, client("1048237"), invoice())
    ready.takes(payment("10.00", ("inv_INV-0001", "10.00")))
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00"), id_="pay_2", method_id="pmt_cash"))
    ready.takes(payment("30.00", ("inv_INV-0001", "30.00"), id_="pay_3", method_id=None))
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().json["payments"] == 3
    codes = {there["Reference"]: there["Account"]["Code"] for there in in_xero.payments(ready)}
    assert codes == {"EFTPOS pay_1/all_1a": "090", "Cash pay_2/all_2a": "880", "Payment pay_3/all_3a": "090"}


def test_one_payment_over_several_invoices_is_one_xero_payment_each_and_the_rest_stays_out(ready: Clinic) -> None:
    parts = [("inv_INV-0001", "165.00"), ("inv_INV-0002", "35.00")]
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002"), payment("250.00", *parts))
    ready.takes(payment("40.00", id_="pay_2"))
    assert ready.push().json["payments"] == 2
    there = {each["Invoice"]["InvoiceNumber"]: each["Amount"] for each in in_xero.payments(ready)}
    assert there == {"INV-0001": Decimal("165.00"), "INV-0002": Decimal("35.00")}
    assert ready.in_xero()["INV-0001"]["Status"] == "PAID"
    assert ready.listed()["INV-0001"]["caspen_status"] == "paid"


def test_payments_of_a_hundred_known_invoices_are_looked_at_forty_at_a_time(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(100)))
    ready.push()
    ready.takes(*(payment("165.00", (f"inv_INV-{n:04d}", "165.00"), id_=f"pay_{n}") for n in range(100)))
    ready.forget_calls()
    assert ready.push().json["payments"] == 100
    assert ready.calls() == ["GET Invoices"] * 3 + ["PUT Payments"] * 2


def test_with_payments_off_none_go_and_once_on_they_do(ready: Clinic) -> None:
    ready.cli("settings", "set", "--payments", "off")
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 0
    assert in_xero.payments(ready) == []
    assert in_xero.silent(ready)
    ready.cli("settings", "set", "--payments", "on")
    assert ready.push().json["payments"] == 1
    assert len(in_xero.payments(ready)) == 1


def test_a_payment_is_recorded_in_a_foreign_currency_too(ready: Clinic) -> None:
    in_xero.writes(ready, "PUT", "Currencies", {"Code": "NZD"})
    ready.takes(EFTPOS, client("1048237"), invoice(currency="NZD"), payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 0
    assert ready.in_xero()["INV-0001"]["AmountDue"] == Decimal("100.00")


# --- what keeps one back, while the rest goes on


def test_more_than_is_due_is_that_payments_problem_and_the_others_go(unpaid: Clinic) -> None:
    in_xero.edits(unpaid, "INV-0001", Reference="looked at")
    unpaid.takes(payment("170.00", ("inv_INV-0001", "170.00")))
    unpaid.takes(payment("5.00", ("inv_INV-0001", "5.00"), id_="pay_2"))
    assert unpaid.push().exit_code == 3
    problem = unpaid.problem()
    assert problem["code"] == "payment-exceeds-due"
    assert [there["Amount"] for there in in_xero.payments(unpaid)] == [Decimal("5.00")]


def test_an_unfit_account_is_found_before_any_write_and_the_other_payments_go(unpaid: Clinic) -> None:
    unpaid.cli("settings", "set", "--payment-method", "Cash=880")
    (account,) = [each for each in unpaid.state("Accounts") if each.get("Code") == "880"]
    unpaid.control(f"accounts/{account['AccountID']}/archive")
    unpaid.takes(payment("20.00", ("inv_INV-0001", "20.00"), method_id="pmt_cash"))
    unpaid.takes(payment("30.00", ("inv_INV-0001", "30.00"), id_="pay_2"))
    assert unpaid.push("--refresh").exit_code == 3
    assert unpaid.problem()["code"] == "payment-account-unfit"
    assert [there["Amount"] for there in in_xero.payments(unpaid)] == [Decimal("30.00")]


def test_a_payment_in_a_locked_year_makes_no_call(unpaid: Clinic) -> None:
    unpaid.control("organisation", EndOfYearLockDate="2026-11-30")
    unpaid.push("--refresh")
    unpaid.takes(payment("20.00", ("inv_INV-0001", "20.00")))
    unpaid.forget_calls()
    assert unpaid.push().exit_code == 3
    assert unpaid.problem()["code"] == "period-locked"
    assert unpaid.calls() == []


def test_payments_of_a_draft_wait_and_go_once_it_is_approved_in_xero(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")), credit_note())
    pushed = ready.cli("push")
    assert "INV-0001 waits: it is a draft in Xero" in pushed.stderr
    assert ready.listed()["INV-0001"]["sync_status"] == "pending"
    assert ready.problem()["code"] == "waits-for-approval"
    assert in_xero.payments(ready) == []
    in_xero.edits(ready, "INV-0001", Status="AUTHORISED")
    assert ready.push("INV-0001").exit_code == 0
    assert ready.in_xero()["INV-0001"]["AmountDue"] == Decimal("56.00")
    assert in_xero.silent(ready)


def test_a_draft_waits_by_what_xero_shows_of_it_and_no_longer_once_it_is_approved_there(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002"))
    assert ready.push().json["synced"] == 2
    ready.takes(payment("65.00", ("inv_INV-0001", "65.00")), invoice("INV-0002", [line("20.00")]))
    assert {row["number"]: row["code"] for row in ready.unsynced()} == {
        "INV-0001": "waits-for-approval",
        "INV-0002": "not-pushed-yet",  # it has changed, and that waits for nothing
    }
    ready.push()
    assert [(row["number"], row["code"]) for row in ready.unsynced()] == [("INV-0001", "waits-for-approval")]
    in_xero.edits(ready, "INV-0001", Status="AUTHORISED")
    assert ready.cli("pull").exit_code == 0
    problem = ready.problem()
    assert (ready.listed()["INV-0001"]["xero_status"], problem["code"]) == ("AUTHORISED", "not-pushed-yet")
    assert ready.run(problem["fix"]).exit_code == 0
    assert (len(in_xero.payments(ready)), ready.unsynced()) == (1, [])


# --- already there


def test_a_payment_made_by_hand_in_xero_is_not_doubled_but_a_person_decides(unpaid: Clinic) -> None:
    by_hand = in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00")))
    assert unpaid.push().exit_code == 3
    problem = unpaid.problem()
    assert problem["code"] == "payment-maybe-already-in-xero"
    assert "Bank feed" in problem["reason"]
    the_same, another = unpaid.answers()
    assert the_same == f"caspen-xero invoices link INV-0001 {by_hand}"
    assert another == "caspen-xero push --pay-anyway INV-0001"
    assert unpaid.run(the_same).exit_code == 0
    assert unpaid.push().exit_code == 0
    assert [there["PaymentID"] for there in in_xero.payments(unpaid)] == [by_hand]
    assert in_xero.silent(unpaid)


def test_pay_anyway_sends_ours_as_well(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00")))
    unpaid.push()
    assert unpaid.push("--pay-anyway", "INV-0001").exit_code == 0
    assert len(in_xero.payments(unpaid)) == 2
    assert in_xero.silent(unpaid)


def test_what_was_paid_by_hand_in_one_sum_is_not_paid_again_in_parts(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "165.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00")))
    unpaid.takes(payment("100.00", ("inv_INV-0001", "100.00"), id_="pay_2"))
    assert unpaid.push().exit_code == 3
    assert {row["code"] for row in unpaid.unsynced()} == {"payment-maybe-already-in-xero"}
    assert len(in_xero.payments(unpaid)) == 1


def test_a_question_about_a_payment_is_asked_once_not_at_every_push(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00")))
    unpaid.push()
    assert in_xero.silent(unpaid)
    assert unpaid.problem()["code"] == "payment-maybe-already-in-xero"


def test_a_payment_that_came_from_xero_is_adopted_without_a_question(unpaid: Clinic) -> None:
    by_hand = in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00"), xero_id=by_hand))
    assert unpaid.push().exit_code == 0
    assert unpaid.writes() == []
    assert [there["PaymentID"] for there in in_xero.payments(unpaid)] == [by_hand]
    assert in_xero.silent(unpaid)


# --- taken back


@pytest.mark.parametrize(
    "how", [{"status": "void"}, {"status": "deleted"}, {"status": "unallocated", "allocations": []}]
)
def test_a_payment_that_is_gone_in_caspen_is_deleted_in_xero(paid: Clinic, how: dict[str, object]) -> None:
    paid.takes(payment("65.00", ("inv_INV-0001", "65.00")) | how)
    assert paid.push().json["payments_deleted"] == 1
    assert in_xero.payments(paid) == []
    assert paid.in_xero()["INV-0001"]["AmountDue"] == Decimal("165.00")
    assert in_xero.silent(paid)


def test_a_payment_voided_and_taken_again_is_there_once(paid: Clinic) -> None:
    for status in ("void", "allocated", "void", "allocated"):
        paid.takes(payment("65.00", ("inv_INV-0001", "65.00"), status=status))
        assert paid.push().exit_code == 0
    assert [there["Amount"] for there in in_xero.payments(paid)] == [Decimal("65.00")]


def test_a_changed_payment_replaces_ours(paid: Clinic) -> None:
    paid.takes(payment("70.00", ("inv_INV-0001", "70.00"), date="2026-11-04"))
    assert paid.push().exit_code == 0
    assert [there["Amount"] for there in in_xero.payments(paid)] == [Decimal("70.00")]
    assert in_xero.silent(paid)


def test_money_moved_to_another_invoice_leaves_the_first_even_if_only_the_second_is_pushed(paid: Clinic) -> None:
    paid.takes(invoice("INV-0002"), payment("65.00", ("inv_INV-0002", "65.00")))
    assert paid.push("INV-0002").exit_code == 0
    (there,) = in_xero.payments(paid)
    assert there["Invoice"]["InvoiceNumber"] == "INV-0002"
    assert paid.in_xero()["INV-0001"]["AmountDue"] == Decimal("165.00")
    assert paid.push().exit_code == 0
    assert in_xero.silent(paid)


def test_a_reconciled_payment_is_not_deleted_and_the_problem_says_so(paid: Clinic) -> None:
    (there,) = in_xero.payments(paid)
    paid.control(f"payments/{there['PaymentID']}/reconcile")
    paid.takes(payment("65.00", ("inv_INV-0001", "65.00"), status="void"))
    assert paid.push().exit_code == 3
    problem = paid.problem()
    assert problem["code"] == "payment-reconciled"
    assert "unreconcile" in problem["reason"]
    assert paid.writes() == []
    assert in_xero.silent(paid)
    paid.control(f"payments/{there['PaymentID']}/reconcile", reconciled=False)
    assert paid.run(problem["fix"]).exit_code == 0
    assert in_xero.payments(paid) == []


def test_a_payment_made_in_xero_is_never_deleted_by_us(unpaid: Clinic) -> None:
    by_hand = in_xero.pays(unpaid, "INV-0001", "65.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00"), xero_id=by_hand))
    unpaid.push()
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00"), xero_id=by_hand, status="void"))
    assert unpaid.push().exit_code == 3
    assert unpaid.problem()["code"] == "payment-not-ours"
    reason = unpaid.problem()["reason"]
    assert reason.startswith(
        "its payment pay_1 of 65.00 of 2026-11-03 was removed in Caspen; the one in Xero, 65.00 of "
    )
    assert by_hand in reason
    assert [row["code"] for row in unpaid.cli("drift", "--json").json["drift"]] == ["payment-not-ours"]
    assert unpaid.writes() == []
    assert in_xero.silent(unpaid)
    in_xero.writes(unpaid, "POST", f"Payments/{by_hand}", {"Status": "DELETED"})  # the bookkeeper agrees
    assert unpaid.push("INV-0001").exit_code == 0


def test_a_member_of_a_batch_payment_is_the_bookkeepers_to_take_back(unpaid: Clinic) -> None:
    invoice_id = unpaid.in_xero()["INV-0001"]["InvoiceID"]
    body = {
        "Account": {"Code": "090"},
        "Date": "2026-11-03",
        "Payments": [{"Invoice": {"InvoiceID": invoice_id}, "Amount": 65}],
    }
    batch = in_xero.writes(unpaid, "PUT", "BatchPayments", {"BatchPayments": [body]})["BatchPayments"][0]
    member = batch["Payments"][0]["PaymentID"]
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00"), xero_id=member))
    assert unpaid.push().exit_code == 0
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00"), xero_id=member, status="void"))
    assert unpaid.push().exit_code == 3
    assert unpaid.problem()["code"] == "payment-not-ours"
    assert unpaid.writes() == []


def test_a_payment_deleted_by_somebody_in_xero_is_taken_as_gone(paid: Clinic) -> None:
    (there,) = in_xero.payments(paid)
    in_xero.writes(paid, "POST", f"Payments/{there['PaymentID']}", {"Status": "DELETED"})
    paid.takes(payment("65.00", ("inv_INV-0001", "65.00"), status="void"))
    assert paid.push().exit_code == 0
    assert paid.writes() == []
    assert in_xero.silent(paid)


# --- exactly once


@pytest.mark.parametrize("fault", ["drop-after", "drop-before", "500-after", "truncate"])
def test_a_payment_whose_answer_was_lost_is_not_sent_twice(ready: Clinic, waits: list[float], fault: str) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001", [line("60.00")]))
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00")), payment("20.00", ("inv_INV-0001", "20.00"), id_="pay_2"))
    ready.control("faults", kind=fault, path="Payments", method="PUT", count=2)
    ready.push()
    assert ready.push().exit_code == 0
    assert [there["Amount"] for there in in_xero.payments(ready)] == [Decimal("20.00")] * 2


def test_a_dry_run_shows_the_payment_that_takes_the_place_of_a_changed_one(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("20.00", ("inv_INV-0001", "20.00")))
    assert ready.push().exit_code == 0
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00"), date="2026-11-04"))
    planned = [step["operation"] for step in ready.push("--dry-run").json["plan"]]
    assert sorted(planned) == ["create-payment", "delete-payment"]
    assert ready.push().exit_code == 0
    assert [str(paid["Amount"]) for paid in in_xero.payments(ready)] == ["20.0"]
    assert in_xero.silent(ready)


def test_a_dry_run_plans_no_payments_or_credits_for_what_will_stay_a_draft(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("20.00", ("inv_INV-0001", "20.00")), credit_note())
    planned = [step["operation"] for step in ready.push("--dry-run").json["plan"]]
    assert planned == ["create-contact", "create-invoice"]


def test_payments_of_invoices_that_wait_for_the_plans_next_approvals_wait_with_them(ready: Clinic) -> None:
    ready.control("organisation", ApprovalLimit=1)
    parts = [("inv_INV-0003", "1.00")]
    invoices = [invoice(f"INV-000{number}") for number in (1, 2, 3)]
    ready.takes(EFTPOS, client("1048237"), *invoices, payment("1.00", *parts))
    pushed = ready.push().json
    assert (pushed["synced"], pushed["unsynced"], pushed["pending"]) == (1, 1, 1)
    assert "create-payment" not in [step["operation"] for step in ready.push("--dry-run").json["plan"]]


def test_a_dry_run_lists_no_payment_or_credit_of_an_invoice_that_can_not_be_sent(ready: Clinic) -> None:
    exempt = invoice(lines=[line(rate="tax_other")])
    other = {"object": "tax_rate", "id": "tax_other", "name": "Other", "rate": "0"}
    ready.takes(EFTPOS, other, client("1048237"), exempt, payment("50.00", ("inv_INV-0001", "50.00")))
    ready.takes(credit_note())
    assert ready.push("--dry-run").json["plan"] == []
    assert ready.problem()["code"] == "not-pushed-yet"
    assert ready.push().json["payments"] == 0
    assert ready.problem()["code"] == "tax-rate-not-linked"


# --- what a person says


def test_one_payment_by_hand_stands_for_one_of_two_alike_and_the_other_is_sent(unpaid: Clinic) -> None:
    by_hand = in_xero.pays(unpaid, "INV-0001", "50.00")
    unpaid.takes(*(payment("50.00", ("inv_INV-0001", "50.00"), id_=f"pay_{n}") for n in (1, 2)))
    assert unpaid.push().exit_code == 3
    assert len(in_xero.payments(unpaid)) == 2
    the_same, _ = unpaid.answers()
    assert the_same == f"caspen-xero invoices link INV-0001 {by_hand}"
    assert unpaid.run(the_same).exit_code == 0
    again = unpaid.run(the_same + " --json")
    assert again.exit_code == 1
    error = again.json["error"]
    assert error["code"] == "link-does-not-fit"
    assert unpaid.run(error["fix"].rpartition(": ")[2]).exit_code == 0
    assert unpaid.unsynced() == []
    assert [one["Amount"] for one in in_xero.payments(unpaid)] == [Decimal("50.00")] * 2
    assert len(unpaid.sql("SELECT DISTINCT xero_id FROM links WHERE kind = 'payment'")) == 2


def test_a_payment_of_another_amount_is_not_linked_whoever_says_so(unpaid: Clinic) -> None:
    by_hand = in_xero.pays(unpaid, "INV-0001", "50.00")
    unpaid.takes(payment("60.00", ("inv_INV-0001", "60.00")))
    said = unpaid.cli("invoices", "link", "INV-0001", by_hand, "--json")
    assert (said.exit_code, said.json["error"]["code"]) == (1, "link-does-not-fit")
    assert "50.00" in said.json["error"]["message"]
    assert "60.00" in said.json["error"]["message"]
    assert unpaid.sql("SELECT * FROM links WHERE kind = 'payment'") == []


def test_what_was_paid_by_hand_in_another_sum_has_no_fix_that_can_not_work(unpaid: Clinic) -> None:
    in_xero.pays(unpaid, "INV-0001", "150.00")
    unpaid.takes(payment("65.00", ("inv_INV-0001", "65.00")))
    assert unpaid.push().exit_code == 3
    problem = unpaid.problem()
    assert problem["code"] == "payment-maybe-already-in-xero"
    assert "65.00 of 2026-11-03, Xero has 150.00 of 2026-11-03 (Bank feed)" in problem["reason"]
    assert "in Xero 15.00 is still due, in Caspen 100.00" in problem["reason"]
    assert unpaid.answers() == ["caspen-xero import PATH", "caspen-xero push INV-0001"]


@pytest.mark.parametrize("decides", ["--pay-anyway", "--overwrite"])
def test_where_there_is_nothing_to_decide_that_is_said(paid: Clinic, decides: str) -> None:
    words = "There is nothing to decide about INV-0001: nothing was sent."
    told = paid.cli("push", decides, "INV-0001")
    assert told.exit_code == 0
    assert f"Note: {words}" in told.stderr
    assert paid.push(decides, "INV-0001").json["warnings"] == [words]
    assert paid.push("INV-0001").json["warnings"] == []
    if decides == "--pay-anyway":
        (theirs,) = in_xero.payments(paid)
        in_xero.writes(paid, "POST", f"Payments/{theirs['PaymentID']}", {"Status": "DELETED"})
    else:
        in_xero.edits(paid, "INV-0001", Reference="theirs")
    paid.cli("pull")
    decided = paid.push(decides, "INV-0001")
    assert (decided.exit_code, decided.json["warnings"]) == (0, [])
    assert paid.writes() != []
    assert paid.push(decides, "INV-0001").json["warnings"] == [words]
