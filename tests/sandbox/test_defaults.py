"""What Xero takes where nothing is said, and what it does silently: section by section as public reports have it."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

import pytest

from caspen_xero.sandbox.api.api import Api
from caspen_xero.sandbox.organisation.charts import CLASSES
from caspen_xero.sandbox.organisation.countries import COUNTRIES
from caspen_xero.sandbox.seam import Clock
from tests.sandbox.bookkeeper import Bookkeeper, Element


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def test_bank_transactions_have_their_tax_inside() -> None:
    """April 2026: 100.00 of money spent, no LineAmountTypes sent."""
    b = Bookkeeper()
    sent = {"Type": "RECEIVE", "Contact": {"Name": "Jo"}, "BankAccount": {"Code": "090"}, "LineItems": [b.line(110)]}
    made = b.put("BankTransactions", sent)
    assert (made["LineAmountTypes"], made["Total"], made["TotalTax"]) == ("Inclusive", 110, 10)
    said = b.put("BankTransactions", sent | {"LineAmountTypes": "Exclusive"})
    assert (said["LineAmountTypes"], said["Total"], said["TotalTax"]) == ("Exclusive", 121, 11)


@pytest.mark.parametrize(
    ("type_", "tax_type"),
    [
        ("EXPENSE", "INPUT"),
        ("OVERHEADS", "INPUT"),
        ("REVENUE", "OUTPUT"),
        ("SALES", "OUTPUT"),
        ("CURRLIAB", "BASEXCLUDED"),
    ],
)
def test_a_new_account_takes_the_tax_type_of_its_type(b: Bookkeeper, type_: str, tax_type: str) -> None:
    """April 2026, of an expense."""
    made = b.put("Accounts", {"Code": "999", "Name": "New", "Type": type_})
    assert made["TaxType"] == tax_type
    assert b.put("Accounts", {"Code": "998", "Name": "Another", "Type": type_, "TaxType": "INPUTTAXED"})["TaxType"] == (
        "INPUTTAXED"
    )


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("type_", sorted(set(CLASSES) - {"BANK"}))
def test_every_type_of_account_has_one_that_there_is(country: str, type_: str) -> None:
    b = Bookkeeper(country)
    made = b.put("Accounts", {"Code": "999", "Name": "New", "Type": type_})
    assert made["TaxType"] in {rate["TaxType"] for rate in b.list("TaxRates") if rate["Status"] == "ACTIVE"}


def test_an_organisations_id_is_its_tenants(b: Bookkeeper) -> None:
    """August 2026."""
    assert b.page("Organisation")["Organisations"][0]["OrganisationID"] == b.tenant
    other = b.api.add_organisation("Second Clinic", "NZ")
    assert other.organisation_id == other.tenant_id != b.tenant


def test_one_that_was_made_with_another_id_is_still_found() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    tenant = Api(db, Clock()).add_organisation("Harbour Street Physiotherapy").tenant_id
    db.execute(
        "UPDATE documents SET id = 'older', body = json_set(body, '$.OrganisationID', 'older') WHERE kind = 'Organisation'"
    )
    Api(db, Clock()).change_organisation(tenant, {"Class": "STANDARD"})
    assert [one.name for one in Api(db, Clock()).organisations()] == ["Harbour Street Physiotherapy"]


def test_by_its_id_a_bill_says_whether_it_was_sent_and_a_credit_note_does_not(b: Bookkeeper) -> None:
    """April 2026; where all keys are shown, as in September, a list of credit notes says it."""
    bill = b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY")
    note = b.credit_note()
    assert b.read("Invoices", bill["InvoiceID"])["SentToContact"] is False
    assert "SentToContact" not in note
    for ways, listed in (("left-out", False), ("shown", True)):
        b.ways["absent_keys"] = ways
        assert "SentToContact" not in b.read("CreditNotes", note["CreditNoteID"])
        assert ("SentToContact" in b.list("CreditNotes", page="1")[0]) is listed
        assert "SentToContact" not in b.list("Invoices", page="1")[0]


@pytest.mark.parametrize("status", ["SUBMITTED", "AUTHORISED"])
@pytest.mark.parametrize("kind", ["Invoices", "CreditNotes"])
def test_what_is_approved_is_not_emptied(b: Bookkeeper, kind: str, status: str) -> None:
    made = b.invoice(Status=status) if kind == "Invoices" else b.credit_note(Status=status)
    path = f"{kind}/{made[kind[:-1] + 'ID']}"
    assert b.refused("POST", path, {"LineItems": []}) == ["One or more line items must be specified"]
    assert b.read(*path.split("/"))["Total"] == 110


def test_a_paid_invoice_is_not_emptied_either(b: Bookkeeper) -> None:
    invoice = b.invoice()
    b.pay(invoice, 10)
    assert b.post(f"Invoices/{invoice['InvoiceID']}", {"LineItems": []})["Total"] == 110


def whole(b: Bookkeeper, **fields: object) -> Element:
    return b.draft(b.line("795.00", **fields))


def test_a_line_amount_of_nothing_beside_a_whole_discount_is_refused() -> None:
    """Xero-NetStandard#74 and #147, with their figures; without the LineAmount it is taken."""
    b = Bookkeeper()
    said = "The line total -795.00 does not match the expected line total 0.00"
    assert b.refused("PUT", "Invoices", whole(b, DiscountRate=100, LineAmount="0.00")) == [said]
    assert b.refused("PUT", "Invoices", whole(b, DiscountAmount=795, LineAmount=0)) == [said]
    cent = b.draft(b.line("0.01", DiscountRate=60, LineAmount="0.00"))
    assert b.refused("PUT", "Invoices", cent) == ["The line total -0.01 does not match the expected line total 0.00"]
    assert b.put("Invoices", whole(b, DiscountRate=100))["Total"] == 0
    assert b.put("Invoices", whole(b, DiscountAmount=795))["Total"] == 0
    assert b.put("Invoices", b.draft(b.line(0, LineAmount="0.00")))["Total"] == 0, "no discount"


def test_or_a_whole_discount_is_taken_or_refused_in_any_form() -> None:
    b = Bookkeeper(whole_discount="taken")
    assert b.put("Invoices", whole(b, DiscountRate=100, LineAmount="0.00"))["Total"] == 0
    b = Bookkeeper(whole_discount="refused")
    for discount in ({"DiscountRate": 100}, {"DiscountAmount": 795}):
        (said,) = b.refused("PUT", "Invoices", whole(b, **discount))
        assert "Discount must not be greater than the line total." in said
    assert b.put("Invoices", whole(b, DiscountAmount="794.99"))["SubTotal"] == Decimal("0.01")


def deleted_draft(b: Bookkeeper) -> str:
    draft = b.invoice(Status="DRAFT", InvoiceNumber="C-1")
    b.post(f"Invoices/{draft['InvoiceID']}", {"Status": "DELETED"})
    return str(draft["InvoiceID"])


def test_the_number_of_a_deleted_draft_stays_taken() -> None:
    """xero-php-oauth2#257."""
    b = Bookkeeper()
    deleted_draft(b)
    again = b.draft(InvoiceNumber="C-1")
    assert b.refused("POST", "Invoices", again) == ["Invoice not of valid status for modification"]
    assert b.refused("PUT", "Invoices", again) == ["Invoice # must be unique."]


def test_or_a_post_with_it_edits_the_deleted_draft() -> None:
    b = Bookkeeper(number_of_deleted_draft="edited")
    invoice_id = deleted_draft(b)
    again = b.draft(b.line(5), InvoiceNumber="C-1")
    assert b.refused("PUT", "Invoices", again) == ["Invoice # must be unique."]
    assert b.refused("POST", f"Invoices/{invoice_id}", {"Reference": "x"}) == [
        "Invoice not of valid status for modification"
    ]
    taken = b.post("Invoices", again)
    assert (taken["InvoiceID"], taken["Status"], taken["SubTotal"]) == (invoice_id, "AUTHORISED", 5)
    b.post(f"Invoices/{taken['InvoiceID']}", {"Status": "VOIDED"})
    assert b.refused("POST", "Invoices", again) == ["Invoice not of valid status for modification"], "void is no draft"


@pytest.mark.parametrize("plan", ["LEDGER", "GST_CASHBOOK", "NON_GST_CASHBOOK"])
def test_a_plan_without_invoicing_holds_bills_and_credit_notes_only(b: Bookkeeper, plan: str) -> None:
    b.change(Class=plan)
    for method in ("PUT", "POST"):
        assert b.refused(method, "Invoices", b.draft()) == ["The organisation's plan does not include sales invoices"]
    assert b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY")["Status"] == "AUTHORISED"


def test_the_old_web_page_keeps_two_places_of_a_discounts_percentage(b: Bookkeeper) -> None:
    invoice = b.invoice(b.line(1000, DiscountAmount="333.33"), b.line(1000, DiscountRate="33.333"), b.line(10))
    assert invoice["SubTotal"] == Decimal("1343.34")
    b.api.save_in_old_page(b.tenant, invoice["InvoiceID"])
    saved = b.read("Invoices", invoice["InvoiceID"])
    assert [line["LineAmount"] for line in saved["LineItems"]] == [Decimal("666.70"), Decimal("666.70"), 10]
    assert [line.get("DiscountRate") for line in saved["LineItems"]] == [Decimal("33.33"), Decimal("33.33"), None]
    b.pay(saved, 1)
    with pytest.raises(ValueError, match="not of valid status"):
        b.api.save_in_old_page(b.tenant, invoice["InvoiceID"])


def test_what_the_description_lets_a_client_write_is_kept(b: Bookkeeper) -> None:
    """Xero's OpenAPI description names these as fields that are written, beside those of the other tests."""
    details = {"BankAccountNumber": "06200010203040", "BankAccountName": "Jo", "Details": "Clinic"}
    contact = b.read("Contacts", b.contact(TaxNumberType="EIN", BatchPayments=details))
    assert (contact["TaxNumberType"], contact["BatchPayments"]) == ("EIN", details)
    told = {"Particulars": "July", "Details": "Physio", "BankAccountNumber": "06200010203041"}
    payment = b.read("Payments", b.pay(b.invoice(), 1, **told)["PaymentID"])
    assert {name: payment[name] for name in told} == told
    received = b.receive("RECEIVE", 5, Url="https://clinic.example/5")
    assert b.read("BankTransactions", received["BankTransactionID"])["Url"] == "https://clinic.example/5"
    assert b.ask("PUT", "Contacts", {"Name": "Ann", "TaxNumberType": "ABN"}).status == 400


READ_ONLY = {
    "Invoices": ("AmountDue", "AmountPaid", "AmountCredited", "FullyPaidOnDate", "UpdatedDateUTC", "HasAttachments"),
    "CreditNotes": ("RemainingCredit", "UpdatedDateUTC", "HasAttachments", "SentToContact"),
    "Contacts": ("UpdatedDateUTC", "HasAttachments", "IsCustomer", "Balances", "MergedToContactID"),
}
OTHERWISE = {
    **dict.fromkeys(("AmountDue", "AmountPaid", "AmountCredited", "RemainingCredit"), 1),
    **dict.fromkeys(("FullyPaidOnDate", "UpdatedDateUTC"), "/Date(0+0000)/"),
    **dict.fromkeys(("HasAttachments", "SentToContact", "IsCustomer"), True),
    "Balances": {"AccountsReceivable": {"Outstanding": 1, "Overdue": 1}},
    "MergedToContactID": "00000000-0000-0000-0000-000000000001",
}


@pytest.mark.parametrize("kind", READ_ONLY)
def test_what_is_read_only_is_not_taken_though_it_is_sent(b: Bookkeeper, kind: str) -> None:
    made = {"Invoices": b.invoice, "CreditNotes": b.credit_note, "Contacts": lambda: {"ContactID": b.contact("Ann")}}
    path = f"{kind}/{made[kind]()[kind[:-1] + 'ID']}"
    b.ways["absent_keys"] = "shown"
    before = b.read(*path.split("/"))
    b.post(path, {name: OTHERWISE[name] for name in READ_ONLY[kind]})
    assert b.read(*path.split("/")) == before
