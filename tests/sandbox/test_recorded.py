"""Answers have the shape of those recorded from demo companies: every key, in every view.

A New Zealand one showed in September 2026 also the keys that say nothing; a Global one of April 2026 left them out.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeper import NOWHERE, Bookkeeper, Element

CENTS_541, CENTS_500 = Decimal("541.25"), Decimal("500")


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper("NZ", absent_keys="shown")


def keys(text: str) -> set[str]:
    return set(text.split())


CREATED = keys(
    "Type InvoiceID InvoiceNumber Reference Prepayments Overpayments AmountDue AmountPaid SentToContact CurrencyRate"
    " IsDiscounted HasErrors InvoicePaymentServices UpdatedDateUTCString Contact DateString Date DueDateString DueDate"
    " BrandingThemeID Status LineAmountTypes LineItems SubTotal TotalTax Total UpdatedDateUTC CurrencyCode"
)
PAGED = CREATED | keys("Payments CreditNotes AmountCredited HasAttachments InvoiceAddresses")
LINE = keys("Description UnitAmount TaxType TaxAmount LineAmount AccountCode Tracking Quantity LineItemID AccountID")
CONTACT = keys(
    "ContactID ContactStatus Name EmailAddress BankAccountDetails Addresses Phones UpdatedDateUTC ContactGroups IsSupplier"
    " IsCustomer ContactPersons HasValidationErrors"
)
WRITTEN_CONTACT = CONTACT | keys("SalesTrackingCategories PurchasesTrackingCategories")
SHORT_CONTACT = keys("ContactID Name Addresses Phones ContactGroups ContactPersons HasValidationErrors")
CREDIT = keys(
    "CreditNoteID CreditNoteNumber ID HasErrors InvoiceAddresses AppliedAmount DateString Date LineItems Total"
)
PAYMENT = keys("PaymentID Date Amount Reference CurrencyRate HasAccount HasValidationErrors")


def inclusive(b: Bookkeeper, amount: Decimal, **fields: object) -> Element:
    return b.invoice(b.line(amount), LineAmountTypes="Inclusive", **fields)


def credited(b: Bookkeeper) -> tuple[Element, Element]:
    """An invoice that a credit note has paid."""
    invoice = inclusive(b, CENTS_541)
    note = b.credit_note(b.line(CENTS_541), {"Description": "Full credit"}, LineAmountTypes="Inclusive", DueDate=None)
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, CENTS_541)
    return invoice, note


def test_the_answer_to_creating_an_invoice(b: Bookkeeper) -> None:
    line = {"Description": "Recording", "Quantity": 2, "UnitAmount": Decimal("10.50"), "AccountCode": "200"}
    made = b.invoice(line, Contact={"ContactID": b.contact()}, Reference="recording", LineAmountTypes="Exclusive")
    assert set(made) == CREATED | {"StatusAttributeString"}
    assert set(made["Contact"]) == WRITTEN_CONTACT
    assert set(made["LineItems"][0]) == LINE | {"ValidationErrors"}
    assert made["LineItems"][0]["TaxType"] == "OUTPUT2", "the account's own"
    assert [made[name] for name in ("SubTotal", "TotalTax", "Total")] == [21, Decimal("3.15"), Decimal("24.15")]


def test_a_discounted_line_in_an_answer_to_a_draft(b: Bookkeeper) -> None:
    """An API explorer's answer of May 2021; its account was not known, so the line has neither account nor tax."""
    line = b.line(10000, Description="MFG XS21 (20% off standard rate)", DiscountRate=20)
    shown = b.invoice(line, Status="DRAFT")["LineItems"][0]
    recorded = {"UnitAmount": 10000, "LineAmount": 8000, "Quantity": 1, "DiscountRate": 20}
    recorded |= {"DiscountEnteredAsPercent": True, "DiscountAmount": 2000}
    assert {name: shown[name] for name in recorded} == recorded
    assert set(shown) == LINE | set(recorded) | {"ValidationErrors"}


def test_an_invoice_read_by_its_id_names_no_empty_lists_of_dealings(b: Bookkeeper) -> None:
    invoice, _ = credited(b)
    read = b.read("Invoices", invoice["InvoiceID"])
    assert set(read) == PAGED - keys("Payments InvoiceAddresses") | keys("Attachments FullyPaidOnDate")
    assert set(read["CreditNotes"][0]) == CREDIT | {"CurrencyRate"}
    assert set(read["Contact"]) == WRITTEN_CONTACT
    assert set(read["LineItems"][0]) == LINE | {"ValidationErrors"}
    assert [read[name] for name in ("SubTotal", "TotalTax", "Total")] == [
        Decimal("470.65"),
        Decimal("70.60"),
        CENTS_541,
    ]
    assert "CreditNotes" not in b.read("Invoices", b.invoice()["InvoiceID"])
    assert b.api.state(b.tenant)["Invoices"][0]["Payments"] == [], "the sandbox's own state always does"


def test_a_page_of_invoices(b: Bookkeeper) -> None:
    credited(b)
    b.pay(inclusive(b, CENTS_500), CENTS_500)
    by_credit, by_payment = b.list("Invoices", where='Type=="ACCREC"', page="1", pageSize="2")
    assert set(by_credit) == set(by_payment) == PAGED | {"FullyPaidOnDate"}
    assert set(by_credit["CreditNotes"][0]) == CREDIT
    assert set(by_payment["Payments"][0]) == PAYMENT
    assert set(by_payment["Contact"]) == SHORT_CONTACT
    assert set(by_payment["LineItems"][0]) == LINE
    assert [by_payment[name] for name in ("SubTotal", "TotalTax", "Total")] == [
        Decimal("434.78"),
        Decimal("65.22"),
        CENTS_500,
    ]


@pytest.mark.parametrize(("amount", "tax"), [("89.00", "11.61"), ("97.00", "12.65")])
def test_a_bill_has_neither_theme_nor_word_of_sending(b: Bookkeeper, amount: str, tax: str) -> None:
    line = b.line(Decimal(amount), AccountCode="445", TaxType="INPUT2")
    b.invoice(line, Type="ACCPAY", LineAmountTypes="Inclusive")
    bill = b.list("Invoices", page="1")[0]
    assert set(bill) == PAGED - keys("SentToContact BrandingThemeID")
    assert bill["TotalTax"] == Decimal(tax)


def test_the_answer_to_voiding_still_names_what_was_due(b: Bookkeeper) -> None:
    invoice = b.invoice()
    void = {
        "InvoiceID": invoice["InvoiceID"],
        "Status": "VOIDED",
        "Contact": {"ContactID": b.list("Contacts")[0]["ContactID"]},
    }
    answer = b.post("Invoices", void | {"Date": "2026-09-14"})
    assert set(answer) == CREATED | {"StatusAttributeString"}
    assert (answer["Status"], answer["AmountDue"]) == ("VOIDED", 115)
    assert b.read("Invoices", invoice["InvoiceID"])["AmountDue"] == 0


def test_a_refused_edit_of_an_invoice(b: Bookkeeper) -> None:
    invoice, contact = b.invoice(), b.list("Contacts")[0]["ContactID"]
    delete = {
        "InvoiceID": invoice["InvoiceID"],
        "Status": "DELETED",
        "Contact": {"ContactID": contact},
        "Date": "2026-09-14",
    }
    refused = b.send("POST", "Invoices", delete)[0]
    assert set(refused) == keys(
        "Type InvoiceID Payments CreditNotes Prepayments Overpayments IsDiscounted InvoiceAddresses HasErrors"
        " InvoicePaymentServices Contact DateString Date DueDateString DueDate Status LineAmountTypes LineItems SubTotal"
        " TotalTax Total CurrencyCode StatusAttributeString ValidationErrors"
    )
    assert (refused["Status"], refused["Total"], refused["HasErrors"]) == ("DELETED", 115, True)
    assert set(refused["Contact"]) == SHORT_CONTACT - {"Name"} | {"ValidationErrors"}
    assert set(refused["LineItems"][0]) == LINE


def test_a_refused_contact(b: Bookkeeper) -> None:
    wish = {"Name": "Jo", "EmailAddress": "jo@example.com", "IsCustomer": True}
    wish |= {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "09 111 1111"}]}
    assert b.put("Contacts", wish)["IsCustomer"] is False
    answer = b.ask("PUT", "Contacts", {"Contacts": [wish]})
    (element,) = json.loads(answer.body)["Elements"]
    assert (answer.status, element["ContactID"], element["IsCustomer"]) == (400, NOWHERE, True)
    assert set(element) == keys(
        "ContactID Name EmailAddress Addresses Phones ContactGroups IsCustomer ContactPersons HasValidationErrors"
        " ValidationErrors"
    )
    assert element["Phones"] == [{"PhoneType": "DEFAULT", "PhoneNumber": "09 111 1111", "ValidationErrors": []}]


def test_a_refused_edit_of_an_archived_contact(b: Bookkeeper) -> None:
    contact = b.contact()
    archive = {"ContactID": contact, "ContactStatus": "ARCHIVED"}
    assert set(b.post("Contacts", archive)) == WRITTEN_CONTACT | {"StatusAttributeString"}
    refused = b.send("POST", "Contacts", archive)[0]
    assert set(refused) == SHORT_CONTACT | keys("ContactStatus StatusAttributeString ValidationErrors")
    assert (refused["ContactID"], refused["ContactStatus"], refused["Addresses"]) == (contact, "ARCHIVED", [])


def test_contacts_by_id_and_in_lists(b: Bookkeeper) -> None:
    contact = b.contact()
    listed = CONTACT | {"HasAttachments"}
    assert set(b.read("Contacts", contact)) == listed | {"Attachments"}
    assert set(b.list("Contacts", page="1")[0]) == set(b.list("Contacts")[0]) == listed


def test_a_page_of_credit_notes(b: Bookkeeper) -> None:
    credited(b)
    (note,) = b.list("CreditNotes", page="1")
    assert set(note) == keys(
        "CreditNoteID CreditNoteNumber SentToContact Payments ID HasErrors InvoiceAddresses CurrencyRate Type Reference"
        " RemainingCredit Allocations HasAttachments UpdatedDateUTCString Contact DateString Date BrandingThemeID Status"
        " LineAmountTypes LineItems SubTotal TotalTax Total UpdatedDateUTC CurrencyCode FullyPaidOnDate"
    )
    assert set(note["Allocations"][0]) == keys("AllocationID Amount Date Invoice")
    assert set(note["Allocations"][0]["Invoice"]) == keys(
        "InvoiceID InvoiceNumber Payments CreditNotes Prepayments Overpayments IsDiscounted InvoiceAddresses HasErrors"
        " InvoicePaymentServices LineItems"
    )
    assert set(note["LineItems"][1]) == keys("Description Tracking LineItemID")


def test_the_organisation_and_its_settings(b: Bookkeeper) -> None:
    organisation = b.page("Organisation")["Organisations"][0]
    assert set(organisation) >= keys(
        "Name LegalName PaysTax Version OrganisationType BaseCurrency CountryCode IsDemoCompany OrganisationStatus TaxNumber"
        " FinancialYearEndDay FinancialYearEndMonth SalesTaxBasis SalesTaxPeriod DefaultSalesTax DefaultPurchasesTax"
        " CreatedDateUTC OrganisationEntityType Timezone ShortCode OrganisationID Edition Class Addresses Phones ExternalLinks"
        " PaymentTerms"
    )
    assert "+" not in organisation["CreatedDateUTC"]
    bank = b.list("Accounts", where='Code=="090"')[0]
    assert set(bank) == keys(
        "AccountID Code Name Status Type TaxType Class EnablePaymentsToAccount ShowInExpenseClaims BankAccountNumber"
        " BankAccountType CurrencyCode ReportingCode ReportingCodeName HasAttachments UpdatedDateUTC AddToWatchlist"
    )
    assert (bank["TaxType"], bank["ReportingCode"], bank["ReportingCodeName"]) == ("NONE", "ASS", "Assets")
    rates = b.list("TaxRates")
    assert [rate["TaxType"] for rate in rates] == [
        *("INPUT", "OUTPUT", "INPUT2", "OUTPUT2", "GSTONIMPORTS", "NONE", "ZERORATED")
    ], "by name, those given up among them"
    assert set(rates[0]) == keys(
        "Name TaxType ReportTaxType CanApplyToAssets CanApplyToEquity CanApplyToExpenses CanApplyToLiabilities"
        " CanApplyToRevenue DisplayTaxRate EffectiveRate Status TaxComponents"
    )


# --- as a Global demo company answered in April 2026

NO_ADDRESSES = [{"AddressType": "STREET"}, {"AddressType": "POBOX"}]
NO_PHONES = [{"PhoneType": kind} for kind in ("DEFAULT", "DDI", "FAX", "MOBILE")]


@pytest.fixture
def april() -> Bookkeeper:
    return Bookkeeper("NZ")


def test_a_contact_without_details_leaves_their_keys_out(april: Bookkeeper) -> None:
    made = april.put("Contacts", {"Name": "Jo", "FirstName": "", "Phones": [{"PhoneType": "FAX", "PhoneNumber": ""}]})
    for shown in (made, april.read("Contacts", made["ContactID"]), *april.list("Contacts", page="1")):
        assert not {"EmailAddress", "FirstName", "LastName"} & set(shown)
        assert (shown["Addresses"], shown["Phones"]) == (NO_ADDRESSES, NO_PHONES)
    street = {"AddressType": "STREET", "AddressLine1": "1 Quay St", "City": "Auckland"}
    details = {"EmailAddress": "jo@example.com", "Addresses": [street]}
    april.post("Contacts", details | {"ContactID": made["ContactID"]})
    shown = april.read("Contacts", made["ContactID"])
    assert (shown["EmailAddress"], shown["Addresses"][0]) == ("jo@example.com", street)


def test_a_payment_to_which_no_reference_was_given_has_none(april: Bookkeeper) -> None:
    invoice = april.invoice(april.line(100))
    paid = april.pay(invoice, 50)
    bare = keys("PaymentID Date Amount HasAccount HasValidationErrors")
    (nested,) = april.read("Invoices", invoice["InvoiceID"])["Payments"]
    assert set(nested) == bare == set(april.list("Invoices", page="1")[0]["Payments"][0])
    for shown in (paid, april.read("Payments", paid["PaymentID"]), *april.list("Payments", page="1")):
        assert ("Reference" in shown, shown["CurrencyRate"]) == (False, 1)
    named = april.pay(invoice, 10, Reference="EFTPOS 1")
    assert named["Reference"] == "EFTPOS 1"


def test_an_invoice_in_the_organisations_currency_leaves_out_what_says_nothing(april: Bookkeeper) -> None:
    made = april.invoice(april.line(100))
    nothing = keys("CurrencyRate AmountCredited SentToContact")
    assert set(made) == CREATED - {"CurrencyRate"} | {"StatusAttributeString"}
    assert set(april.list("Invoices", page="1")[0]) == PAGED - nothing
    assert not nothing & set(april.read("Invoices", made["InvoiceID"]))
    note = april.credit_note(april.line(100))
    assert not nothing & set(april.read("CreditNotes", note["CreditNoteID"]))
    april.allocate(f"CreditNotes/{note['CreditNoteID']}", made, 50)
    assert april.read("Invoices", made["InvoiceID"])["AmountCredited"] == 50


def test_the_sandboxs_own_state_shows_every_key(april: Bookkeeper) -> None:
    april.pay(april.invoice(), 50)
    state = april.api.state(april.tenant)
    assert {"EmailAddress"} <= set(state["Contacts"][0])
    assert {"CurrencyRate", "AmountCredited"} <= set(state["Invoices"][0])
    assert {"Reference"} <= set(state["Payments"][0])
