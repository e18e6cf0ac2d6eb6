"""What one report alone says of Xero, or reports disagree about: either way what is pushed is equal, or listed with the reason."""

from __future__ import annotations

from collections.abc import Callable

import in_xero
import pytest
from clinics import EFTPOS, client, invoice, line, payment
from pushing import Clinic, same_figures
from test_taxes import keep_in_xero

LATER = {"updated_at": "2026-12-01T00:00:00Z"}


@pytest.mark.parametrize("way", ["refused", "edited"])
def test_a_draft_that_was_deleted_in_xero_is_not_revived_by_its_number(ready: Clinic, way: str) -> None:
    ready.control("settings", number_of_deleted_draft=way)
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0002"))
    assert ready.push().exit_code == 0
    in_xero.edits(ready, "INV-0001", Status="DELETED")
    assert ready.cli("pull").exit_code in (0, 3)
    ready.cli("settings", "set", "--invoice-status", "authorised")
    ready.takes(invoice("INV-0001", [line("90.00")], **LATER))
    assert ready.push().exit_code == 3
    there = ready.in_xero()
    assert (there["INV-0001"]["Status"], there["INV-0002"]["Status"]) == ("DELETED", "AUTHORISED")
    assert ready.problem("INV-0001")["code"] == "voided-in-xero"
    assert ready.listed()["INV-0001"]["sync_status"] != "synced"
    assert in_xero.silent(ready)


@pytest.mark.parametrize("way", ["refused", "edited"])
def test_a_number_that_somebodys_deleted_draft_has_is_told_and_that_draft_left_alone(ready: Clinic, way: str) -> None:
    ready.control("settings", number_of_deleted_draft=way)
    somebodys = {
        "Type": "ACCREC",
        "Contact": {"Name": "Jo"},
        "InvoiceNumber": "INV-0001",
        "LineItems": [{"Description": "x"}],
    }
    made = in_xero.writes(ready, "PUT", "Invoices", somebodys)["Invoices"][0]
    in_xero.edits(ready, "INV-0001", Status="DELETED")
    ready.takes(client("1048237"), invoice("INV-0001"))
    assert ready.push().exit_code == 3
    there = ready.in_xero()["INV-0001"]
    assert (there["InvoiceID"], there["Status"], there["Total"]) == (made["InvoiceID"], "DELETED", 0)
    assert ready.problem()["reason"]
    assert not [call for call in ready.writes() if call.startswith("POST Invoices")]


def test_all_that_xero_has_against_an_invoice_is_told(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0000"))
    assert ready.push().exit_code == 0
    ready.control("accounts/200/archive")
    keep_in_xero(ready.sandbox, "OUTPUT", Status="DELETED")
    ready.takes(invoice("INV-0001", [line("10.95", "1.5", discount=("percentage", "50")), line("20.00")]))
    assert ready.push().exit_code == 3
    problem = ready.problem()
    for said in ("Account code '200' has been archived", "The TaxType code OUTPUT does not exist"):
        assert said in problem["xero_says"]
    assert "INV-0001" not in ready.in_xero()
    keep_in_xero(ready.sandbox, "OUTPUT", Status="ACTIVE")
    ready.cli("settings", "set", "--sales-account", "260")
    assert ready.push("--refresh").exit_code == 0
    assert ready.listed()["INV-0001"]["sync_status"] == "synced"


def test_a_number_that_is_taken_hides_nothing_else_that_xero_says(ready: Clinic) -> None:
    in_xero.writes(
        ready,
        "PUT",
        "Invoices",
        {"Type": "ACCREC", "Contact": {"Name": "Jo"}, "InvoiceNumber": "INV-0001"}
        | {"LineItems": [{"Description": "Somebody else's"}]},
    )
    ready.takes(client("1048237"), invoice("INV-0000"))
    assert ready.push().exit_code == 0
    ready.control("accounts/200/archive")
    ready.takes(invoice("INV-0001", [line("20.00")]))
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "invoice-number-taken"
    for said in ("Invoice # must be unique.", "Account code '200' has been archived"):
        assert said in problem["xero_says"]


def paid_by_hand(clinic: Clinic) -> None:
    in_xero.pays(clinic, "INV-0001", str(clinic.in_xero()["INV-0001"]["Total"]))


def voided_by_hand(clinic: Clinic) -> None:
    in_xero.edits(clinic, "INV-0001", Status="VOIDED")


@pytest.mark.parametrize(
    ("happens", "code"), [(paid_by_hand, "payment-maybe-already-in-xero"), (voided_by_hand, "voided-in-xero")]
)
def test_a_payment_that_xero_would_not_take_is_told_by_what_stands_there(
    ready: Clinic, happens: Callable[[Clinic], None], code: str
) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001"))
    assert ready.push().exit_code == 0
    before = len(in_xero.payments(ready))
    happens(ready)
    made = len(in_xero.payments(ready)) - before
    ready.takes(payment("5.00", ("inv_INV-0001", "5.00")))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == code
    assert len(in_xero.payments(ready)) - before == made


@pytest.mark.parametrize("plan", ["LEDGER", "NON_GST_CASHBOOK"])
def test_doctor_says_that_a_plan_has_no_sales_invoices_and_each_is_listed(ready: Clinic, plan: str) -> None:
    assert "plan" not in {check["name"] for check in ready.cli("doctor", "--json").json["checks"]}
    ready.control("organisation", Class=plan)
    checked = ready.cli("doctor", "--json")
    (check,) = [one for one in checked.json["checks"] if one["name"] == "plan"]
    assert (checked.exit_code, check["ok"], plan in check["message"]) == (1, False, True)
    records = [invoice("INV-0001"), invoice("INV-0002")]
    ready.takes(client("1048237"), *records)
    assert ready.push().exit_code == 3
    assert {row["number"]: row["xero_says"] for row in ready.unsynced()} == dict.fromkeys(
        ("INV-0001", "INV-0002"), "The organisation's plan does not include sales invoices"
    )
    assert ready.in_xero() == {}
    ready.control("organisation", Class="STANDARD")
    assert ready.run(check["fix"]).exit_code == 1, "two invoices are not there yet"
    assert ready.push("INV-0001", "INV-0002").exit_code == 0
    assert all(same_figures(record, ready.in_xero()[record["number"]]) for record in records)


def test_what_the_old_web_page_makes_of_a_discount_is_told_to_the_cent(ready: Clinic) -> None:
    exact, moved = [line("80.00", discount=("percentage", "12.5"))], [line("1000.00", discount=("fixed", "333.33"))]
    ready.takes(client("1048237"), invoice("INV-0001", exact), invoice("INV-0002", moved))
    assert ready.push().exit_code == 0
    for number in ("INV-0001", "INV-0002"):
        ready.control(f"invoices/{ready.in_xero()[number]['InvoiceID']}/save-in-old-page")
    ready.cli("pull")
    rows = ready.cli("drift", "--json").json["drift"]
    assert {row["number"] for row in rows} == {"INV-0002"}
    assert any("733.34" in row["caspen"] and "733.37" in row["xero"] for row in rows)
    assert ready.listed()["INV-0001"]["sync_status"] == "synced"
    assert ready.listed()["INV-0002"]["sync_status"] == "differs"
