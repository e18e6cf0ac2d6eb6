"""Changes after sync: the same document in Xero follows Caspen, unless a payment or a bookkeeper stands in the way."""

from __future__ import annotations

from decimal import Decimal

import in_xero
import pytest
from clinics import EFTPOS, PAYER, client, credit_note, invoice, line, payment
from pushing import Clinic, commands_in, same_figures


@pytest.fixture
def sent(ready: Clinic) -> Clinic:
    """One invoice of 165.00, in Xero from an earlier run."""
    ready.takes(EFTPOS, client("1048237", email="nell@example.org"), invoice(reference="NDIS 4711"))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


# --- the invoice follows


def test_an_invoice_edited_after_a_revert_updates_the_same_document(sent: Clinic) -> None:
    before = sent.in_xero()["INV-0001"]["InvoiceID"]
    sent.takes(invoice(status="draft"))
    assert sent.push().exit_code == 0
    assert sent.calls() == []  # a draft never syncs
    changed = invoice(lines=[line("99.99"), line("0.25", "3")], issue_date="2026-11-04", due_date="2026-11-20")
    sent.takes(changed)
    pushed = sent.push()
    assert (pushed.json["updated"], pushed.json["synced"]) == (1, 0)
    there = sent.in_xero()["INV-0001"]
    assert (there["InvoiceID"], there["DateString"][:10], there["Reference"]) == (before, "2026-11-04", "")
    assert same_figures(changed, there)
    assert in_xero.silent(sent)


def test_another_client_number_or_tax_mode_goes_to_the_same_document(sent: Clinic) -> None:
    before = sent.in_xero()["INV-0001"]["InvoiceID"]
    changed = invoice("INV-0009", id="inv_INV-0001", client_id="2", tax_mode="inclusive")
    sent.takes(client("2", "Mei", "Tanaka"), changed)
    assert sent.push().exit_code == 0
    (there,) = sent.state("Invoices")
    assert (there["InvoiceID"], there["InvoiceNumber"], there["LineAmountTypes"]) == (before, "INV-0009", "Inclusive")
    assert there["Contact"]["Name"] == "Mei Tanaka (Caspen 00002)"


def test_a_new_invoice_may_take_the_number_that_an_old_one_gave_up(sent: Clinic) -> None:
    sent.takes(invoice("INV-0002", id="inv_INV-0001"), invoice("INV-0001", [line("10.00")], id="inv_new"))
    assert sent.push().exit_code == 0
    assert {number: there["Total"] for number, there in sent.in_xero().items()} == {
        "INV-0002": Decimal("165.00"),
        "INV-0001": Decimal("11.00"),
    }


def test_an_update_whose_answer_was_lost_is_written_again_only_if_it_is_not_there(
    sent: Clinic, waits: list[float]
) -> None:
    for fault, day in (("drop-before", "2026-11-05"), ("500-before", "2026-11-06"), ("500-after", "2026-11-07")):
        sent.control("faults", kind=fault, path="Invoices", method="POST", count=9)
        sent.takes(invoice(issue_date=day))
        sent.push()
        sent.all_is_well_in_xero()
        assert sent.push().exit_code == 0
        assert sent.in_xero()["INV-0001"]["DateString"][:10] == day
        assert in_xero.silent(sent)


# --- with a payment or credit


@pytest.mark.parametrize("what", ["payment", "credit"])
def test_with_money_on_it_the_problem_lists_what_differs_and_nothing_is_written(sent: Clinic, what: str) -> None:
    sent.takes(payment("20.00", ("inv_INV-0001", "20.00")) if what == "payment" else credit_note())
    assert sent.push().exit_code == 0
    sent.takes(client("2", "Mei", "Tanaka"), invoice(lines=[line("120.00")], client_id="2", reference="NDIS 4711"))
    sent.forget_calls()
    assert sent.push().exit_code == 3
    problem = sent.problem()
    assert problem["code"] == "changed-after-payment"
    assert "line 1 price is 120.00 in Caspen, 150.00 in Xero" in problem["reason"]
    assert "total is 132.00 in Caspen, 165.00 in Xero" in problem["reason"]
    assert "Mei Tanaka (Caspen 00002) in Caspen, Nell Okafor (Caspen 48237) in Xero" in problem["reason"]
    assert [call for call in sent.writes() if call != "PUT Contacts"] == []
    assert in_xero.silent(sent)


def test_a_change_that_shows_nowhere_in_xero_is_no_change_after_payment(sent: Clinic) -> None:
    sent.takes(payment("20.00", ("inv_INV-0001", "20.00")))
    sent.push()
    sent.takes(invoice(lines=[line(item_code="IC001")], reference="NDIS 4711"))
    sent.forget_calls()
    assert sent.push().exit_code == 0
    assert sent.writes() == []
    assert in_xero.silent(sent)


def test_neither_is_one_where_xero_shows_a_discount_as_a_percentage_too(sent: Clinic) -> None:
    discounted = line("50.00", discount=("fixed", "5.00"))
    sent.takes(invoice("INV-0002", [discounted]), payment("20.00", ("inv_INV-0002", "20.00")))
    assert sent.push().exit_code == 0
    sent.takes(invoice("INV-0002", [discounted | {"item_code": "IC001"}]))
    sent.forget_calls()
    assert sent.push().exit_code == 0
    assert sent.writes() == []


def test_payment_taken_off_and_invoice_edited_in_one_export_both_arrive(sent: Clinic) -> None:
    sent.takes(payment("20.00", ("inv_INV-0001", "20.00")))
    sent.push()
    sent.takes(payment("20.00", ("inv_INV-0001", "20.00"), status="void"))
    sent.takes(invoice(lines=[line("10.00")]), payment("11.00", ("inv_INV-0001", "11.00"), id_="pay_2"))
    assert sent.push().exit_code == 0
    there = sent.in_xero()["INV-0001"]
    assert (there["Total"], there["Status"], len(in_xero.payments(sent))) == (Decimal("11.00"), "PAID", 1)


# --- void


def test_void_in_caspen_is_voided_in_xero(sent: Clinic) -> None:
    sent.takes(invoice(status="void"))
    assert sent.push().json["voided"] == 1
    assert sent.in_xero()["INV-0001"]["Status"] == "VOIDED"
    assert sent.listed()["INV-0001"]["sync_status"] == "void"
    assert in_xero.silent(sent)


def test_a_draft_in_xero_is_deleted_instead(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(client("1048237"), invoice())
    ready.push()
    ready.takes(invoice(status="deleted"))
    assert ready.push().exit_code == 0
    assert ready.in_xero()["INV-0001"]["Status"] == "DELETED"
    assert in_xero.silent(ready)


def test_an_invoice_that_was_paid_in_xero_is_not_voided(sent: Clinic) -> None:
    in_xero.pays(sent, "INV-0001", "65.00")
    sent.takes(invoice(status="void"))
    assert sent.push().exit_code == 3
    assert sent.problem()["code"] == "void-has-payment"
    assert sent.writes() == []
    assert in_xero.silent(sent)
    assert len(in_xero.payments(sent)) == 1


def test_an_invoice_voided_in_xero_is_a_problem_as_its_number_is_gone(sent: Clinic) -> None:
    in_xero.edits(sent, "INV-0001", Status="VOIDED")
    sent.takes(invoice(lines=[line("10.00")]))
    assert sent.push().exit_code == 3
    assert sent.problem()["code"] == "voided-in-xero"
    assert sent.writes() == []


# --- edited in Xero


def test_an_edit_in_xero_is_shown_beside_caspens_and_overwritten_only_on_demand(sent: Clinic) -> None:
    in_xero.edits(sent, "INV-0001", Reference="PO 99")
    sent.takes(invoice(reference="NDIS 4712"))
    assert sent.push().exit_code == 3
    problem = sent.problem()
    assert problem["code"] == "changed-in-xero"
    assert "reference is NDIS 4712 in Caspen, PO 99 in Xero" in problem["reason"]
    assert sent.writes() == []
    assert in_xero.silent(sent)
    assert commands_in(problem["fix"])[0] == "caspen-xero push --overwrite INV-0001"
    assert sent.run(problem["fix"]).exit_code == 0
    assert sent.in_xero()["INV-0001"]["Reference"] == "NDIS 4712"
    assert in_xero.silent(sent)


def test_overwrite_brings_caspens_version_back_though_caspen_has_not_changed(sent: Clinic) -> None:
    in_xero.edits(sent, "INV-0001", Reference="PO 99")
    assert sent.push("--overwrite", "INV-0001").json["updated"] == 1
    assert sent.in_xero()["INV-0001"]["Reference"] == "NDIS 4711"
    sent.forget_calls()
    assert sent.push("--overwrite", "INV-0001").exit_code == 0
    assert sent.writes() == []


def test_an_edit_in_xero_that_says_what_caspen_says_now_is_no_conflict(sent: Clinic) -> None:
    in_xero.edits(sent, "INV-0001", DueDate="2026-12-24")
    sent.takes(invoice(due_date="2026-12-24", reference="NDIS 4712"))
    assert sent.push().exit_code == 0
    assert sent.in_xero()["INV-0001"]["Reference"] == "NDIS 4712"


# --- clients


def test_a_changed_client_changes_the_contact_that_we_made(sent: Clinic) -> None:
    sent.takes(
        client("1048237", "Nell", "Smith", phone_number="+61 400 1", address={"line1": "1 High St", "city": "Sydney"})
    )
    assert sent.push().json["contacts_updated"] == 1
    contact = sent.contacts()["Nell Smith (Caspen 48237)"]
    assert contact["EmailAddress"] == ""  # the client has none any more
    assert contact["Addresses"][0]["City"] == "Sydney"
    assert in_xero.silent(sent)


def test_a_contact_that_a_bookkeeper_edited_or_made_is_left_alone(sent: Clinic) -> None:
    contact_id = sent.contacts()["Nell Okafor (Caspen 48237)"]["ContactID"]
    in_xero.writes(
        sent, "POST", f"Contacts/{contact_id}", {"ContactID": contact_id, "EmailAddress": "right@example.org"}
    )
    theirs = in_xero.writes(sent, "PUT", "Contacts", {"Name": "Mei Tanaka (Caspen 00002)"})["Contacts"][0]["ContactID"]
    sent.takes(client("2", "Mei", "Tanaka"), invoice("INV-0002", client_id="2"))
    sent.push()
    sent.takes(client("1048237", "Nell", "Smith"), client("2", "Mei", "Smith", email="mei@example.org"))
    said = sent.cli("push").stderr
    assert "somebody has edited it in Xero too" in said
    assert "EmailAddress is nothing in Caspen, right@example.org in Xero" in said
    contacts = {each["ContactID"]: each for each in sent.state("Contacts")}
    assert contacts[contact_id]["Name"] == "Nell Okafor (Caspen 48237)"
    assert contacts[contact_id]["EmailAddress"] == "right@example.org"
    assert contacts[theirs]["Name"] == "Mei Tanaka (Caspen 00002)"
    assert in_xero.silent(sent)


def test_of_a_contact_what_only_a_bookkeeper_edited_stays_and_what_caspen_changed_follows(sent: Clinic) -> None:
    contact_id = sent.contacts()["Nell Okafor (Caspen 48237)"]["ContactID"]
    street = {"AddressType": "STREET", "AddressLine1": "2 Side St", "City": "Perth"}
    theirs = {"EmailAddress": "right@example.org", "Addresses": [street]}
    in_xero.writes(sent, "POST", f"Contacts/{contact_id}", {"ContactID": contact_id, **theirs})
    for last_name, phone in (("Smith", "+61 400 1"), ("Jones", "+61 400 2")):
        sent.takes(client("1048237", "Nell", last_name, email="nell@example.org", phone_number=phone))
        assert sent.push().json["contacts_updated"] == 1
        contact = sent.contacts()[f"Nell {last_name} (Caspen 48237)"]
        assert (contact["LastName"], contact["EmailAddress"]) == (last_name, "right@example.org")
        assert [one["PhoneNumber"] for one in contact["Phones"] if one["PhoneType"] == "DEFAULT"] == [phone]
        assert contact["Addresses"][0]["City"] == "Perth"
        assert in_xero.silent(sent)


def test_a_contact_update_whose_answer_was_lost_is_no_bookkeepers_edit(sent: Clinic, waits: list[float]) -> None:
    sent.control("faults", kind="500-after", path="Contacts", method="POST", count=9)
    sent.takes(client("1048237", "Nell", "Smith"))
    sent.push()
    sent.all_is_well_in_xero()
    sent.takes(client("1048237", "Nell", "Jones"))
    assert sent.push().exit_code == 0
    assert list(sent.contacts()) == ["Nell Jones (Caspen 48237)"]


def test_a_contact_merged_into_another_is_followed(sent: Clinic) -> None:
    into = in_xero.writes(sent, "PUT", "Contacts", {"Name": "Nell O."})["Contacts"][0]["ContactID"]
    old = sent.contacts()["Nell Okafor (Caspen 48237)"]["ContactID"]
    sent.control(f"contacts/{old}/merge", into=into)
    sent.takes(invoice("INV-0002"))
    assert sent.push().exit_code == 0
    assert sent.in_xero()["INV-0002"]["Contact"]["ContactID"] == into
    sent.takes(invoice(lines=[line("10.00")]))  # the merge has moved this one to the other contact
    assert sent.push().exit_code == 0
    assert in_xero.silent(sent)


def test_a_contact_archived_since_is_named_with_the_link_to_restore_it(sent: Clinic) -> None:
    contact_id = sent.contacts()["Nell Okafor (Caspen 48237)"]["ContactID"]
    sent.control(f"contacts/{contact_id}/archive")
    sent.takes(invoice("INV-0002"))
    assert sent.push().exit_code == 3
    problem = sent.problem("INV-0002")
    assert problem["code"] == "contact-archived"
    assert contact_id in problem["reason"]
    assert in_xero.silent(sent)
    sent.control(f"contacts/{contact_id}/restore")
    assert sent.run(problem["fix"]).exit_code == 0
    assert set(sent.in_xero()) == {"INV-0001", "INV-0002"}


def test_the_payer_is_the_contact_where_the_clinic_wants_so(ready: Clinic) -> None:
    ready.cli("settings", "set", "--contact", "payer")
    ready.takes(client("1048237"), PAYER, invoice(invoice_to_id="con_77"), invoice("INV-0002"))
    assert ready.push().exit_code == 0
    there = ready.in_xero()
    assert there["INV-0001"]["Contact"]["Name"] == "Plan Partners (Caspen 00077)"
    assert there["INV-0001"]["Reference"] == ""
    assert there["INV-0002"]["Contact"]["Name"] == "Nell Okafor (Caspen 48237)"


# --- what is there already


def test_an_invoice_of_the_same_contact_and_total_is_adopted_and_paid_but_never_changed(ready: Clinic) -> None:
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": "INV-0001",
        "Contact": {"Name": "Nell Okafor (Caspen 48237)"},
        "Date": "2026-11-02",
        "DueDate": "2026-11-16",
        "Status": "AUTHORISED",
        "LineItems": [
            {
                "Description": "Typed by hand",
                "Quantity": 1,
                "UnitAmount": 150,
                "AccountCode": "200",
                "TaxType": "OUTPUT",
            }
        ],
    }
    in_xero.writes(ready, "PUT", "Invoices", body)
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 0
    there = ready.in_xero()["INV-0001"]
    assert (there["AmountPaid"], there["LineItems"][0]["Description"]) == (Decimal("65.00"), "Typed by hand")
    assert in_xero.silent(ready)
    ready.takes(invoice("INV-0001", status="void"), payment("65.00", ("inv_INV-0001", "65.00"), status="void"))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "void-not-ours"
    assert ready.in_xero()["INV-0001"]["Status"] == "AUTHORISED"


def test_a_number_taken_by_another_invoice_shows_both_and_link_or_skip_ends_it(ready: Clinic) -> None:
    ready.takes(client("1048237"), client("2", "Mei", "Tanaka"), invoice("INV-0001", client_id="2", id="inv_other"))
    ready.push()
    ready.sql("DELETE FROM links WHERE kind = 'invoice'")
    ready.sql("DELETE FROM invoices")
    ready.takes(invoice(lines=[line("10.00")]))
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "invoice-number-taken"
    assert "165.00 AUD of 2026-11-02 for Mei Tanaka" in problem["reason"]
    assert "11.00" in problem["reason"]
    assert in_xero.silent(ready)
    skipped = ready.cli("invoices", "skip", "INV-0001", "--reason", "typed by hand")
    assert skipped.exit_code == 0
    assert ready.push().json["skipped"] == 1
    assert ready.unsynced() == []
    ready.cli("invoices", "unskip", "INV-0001")
    assert ready.push().exit_code == 3
    there = ready.in_xero()["INV-0001"]["InvoiceID"]
    assert (
        "invoices link" not in problem["fix"]
    )  # it is Mei Tanaka's: only a person can say that it is Nell's all the same
    assert ready.cli("invoices", "link", "--force", "INV-0001", there).exit_code == 0
    assert ready.listed()["INV-0001"]["xero_invoice_id"] == there
    assert ready.in_xero()["INV-0001"]["Total"] == Decimal("165.00")


def test_a_number_that_was_voided_in_xero_is_burnt(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    ready.push()
    in_xero.edits(ready, "INV-0001", Status="VOIDED")
    ready.sql("DELETE FROM links WHERE kind = 'invoice'")
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert (problem["code"], "another number" in problem["fix"]) == ("invoice-number-taken", True)


# --- before any call


def test_a_locked_year_is_found_before_any_write_and_lifted_by_refresh(sent: Clinic) -> None:
    sent.control("organisation", EndOfYearLockDate="2026-11-30")
    sent.push("--refresh")
    sent.takes(invoice("INV-0002"), invoice("INV-0003", issue_date="2026-12-01"), invoice(lines=[line("10.00")]))
    sent.forget_calls()
    assert sent.push().exit_code == 3
    assert {row["number"]: row["code"] for row in sent.unsynced()} == {
        "INV-0001": "period-locked",
        "INV-0002": "period-locked",
    }
    assert sent.writes() == ["PUT Invoices"]
    assert "INV-0003" in sent.in_xero()
    sent.control("organisation", EndOfYearLockDate="")
    assert sent.push("--refresh").exit_code == 0


def test_an_archived_sales_account_is_found_before_any_write_with_the_fix(sent: Clinic) -> None:
    (account,) = [each for each in sent.state("Accounts") if each.get("Code") == "200"]
    sent.control(f"accounts/{account['AccountID']}/archive")
    sent.takes(invoice("INV-0002"))
    sent.push("--refresh")
    problem = sent.problem("INV-0002")
    assert problem["code"] == "sales-account-unfit"
    assert sent.writes() == []
    assert sent.chooses(problem).exit_code == 0
    assert sent.push().exit_code == 0


def test_a_tax_rate_deleted_in_xero_is_found_before_any_write(sent: Clinic) -> None:
    rate = {"Name": "Old GST", "ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "GST", "Rate": 10}]}
    made = in_xero.writes(sent, "PUT", "TaxRates", rate)["TaxRates"][0]
    assert sent.cli("taxes", "map", "GST", made["TaxType"]).exit_code == 0
    in_xero.writes(sent, "POST", "TaxRates", {"Name": "Old GST", "TaxType": made["TaxType"], "Status": "DELETED"})
    sent.takes(invoice("INV-0002"))
    sent.push("--refresh")
    problem = sent.problem("INV-0002")
    assert problem["code"] == "tax-rate-unfit"
    assert sent.writes() == []
    assert sent.chooses(problem).exit_code == 0
    assert sent.push().exit_code == 0


def test_currencies_are_asked_for_once_and_only_if_an_invoice_needs_to_know(sent: Clinic) -> None:
    sent.takes(*(invoice(f"INV-{n:04d}", currency="EUR") for n in range(2, 5)))
    assert sent.push().exit_code == 3
    assert {row["code"] for row in sent.unsynced()} == {"currency-not-enabled"}
    assert sent.calls() == ["GET Currencies"]
    in_xero.writes(sent, "PUT", "Currencies", {"Code": "EUR"})
    what, _, command = sent.unsynced()[0]["fix"].rpartition(", then: ")
    assert what == "Add EUR in Xero (Settings > Currencies)"
    assert sent.run(command).exit_code == 0
    assert {there["CurrencyCode"] for there in sent.in_xero().values()} == {"AUD", "EUR"}


def test_when_the_plan_has_no_approvals_left_it_is_said_once_and_approving_stops(ready: Clinic) -> None:
    ready.control("organisation", ApprovalLimit=20)
    ready.takes(client("1048237"), *(invoice(f"INV-{n:04d}") for n in range(1, 121)))
    assert ready.push().exit_code == 3
    codes = [row["code"] for row in ready.unsynced()]
    assert codes.count("approval-limit") == 1
    assert len([there for there in ready.in_xero().values() if there["Status"] == "AUTHORISED"]) == 20
    assert ready.writes().count("PUT Invoices") <= 2  # not one for each of the rest
    assert in_xero.silent(ready)
    ready.control("organisation", ApprovalLimit=None)
    assert ready.push("--refresh").exit_code == 0
    assert len(ready.in_xero()) == 120


# --- approval


def test_payments_and_credits_of_what_needs_approval_wait_for_it(ready: Clinic) -> None:
    ready.control("organisation", Approver=False)
    ready.takes(EFTPOS, client("1048237"), invoice(), credit_note(), payment("20.00", ("inv_INV-0001", "20.00")))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "needs-approval-in-xero"
    assert in_xero.payments(ready) == []
    assert in_xero.silent(ready)
    ready.control("organisation", Approver=True)
    in_xero.edits(ready, "INV-0001", Status="AUTHORISED")
    assert ready.push("INV-0001").exit_code == 0
    assert ready.in_xero()["INV-0001"]["AmountDue"] == Decimal("101.00")
    assert in_xero.silent(ready)


def test_totals_that_xero_will_not_keep_are_shown_on_both_sides_and_never_approved(ready: Clinic) -> None:
    ready.control("organisation", KeepsTaxAmount=False)
    told = invoice("INV-0001", [line("0.24")] * 10, subtotal="2.40", tax="0.24", total="2.64")  # Xero: 10 x 0.02
    ready.takes(EFTPOS, client("1048237"), told, payment("2.64", ("inv_INV-0001", "2.64")))
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "totals-differ"
    assert "2.64" in problem["reason"]
    assert "2.60" in problem["reason"]
    assert (ready.in_xero()["INV-0001"]["Status"], in_xero.payments(ready)) == ("DRAFT", [])
    assert in_xero.silent(ready)
