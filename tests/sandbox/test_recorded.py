"""Answers are as those recorded from demo companies: in their shape, both ways, and in what else was recorded of them.

The shapes, with their sources, are in `recorded/`; so is what is known to differ.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeper import NOWHERE, Bookkeeper, Element
from tests.sandbox.recorded.known import Found, found_differences, known_differences
from tests.sandbox.recorded.shape import NAMES, Seen, differences, format_of, recorded, shape_of
from tests.sandbox.recorded.situations import SITUATIONS

CENTS_541, CENTS_500 = Decimal("541.25"), Decimal("500")


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper("NZ", absent_keys="shown")


def keys(text: str) -> set[str]:
    return set(text.split())


# --- shapes


@pytest.mark.parametrize("name", NAMES)
def test_answers_differ_from_recorded_ones_only_where_it_is_known(name: str) -> None:
    """No other keys, every one that is always there, in recorded formats alone; and what may be absent is now there, now not."""
    known = list(known_differences())
    assert [found for found in found_differences([name]) if not any(one.covers(found) for one in known)] == []


def test_what_is_known_to_differ_still_does() -> None:
    found = found_differences()
    assert [one for one in known_differences() if not any(one.covers(each) for each in found)] == []


def test_every_shape_says_where_it_was_recorded_and_the_local_xero_comes_to_its_situation() -> None:
    parts = {part for name in NAMES for part in recorded(name).apart.values()}
    assert (set(SITUATIONS) | parts, set(SITUATIONS) & parts) == (set(NAMES), set())
    for shape in map(recorded, NAMES):
        assert shape.what
        assert all(source["elements"] and source["recorded"] for source in shape.sources)
        wholes = {path: seen for path, seen in shape.keys.items() if "." not in path}
        assert {seen.of for seen in wholes.values()} == {sum(source["elements"] for source in shape.sources)}


def test_a_difference_of_each_kind_is_found() -> None:
    """What the shapes are held against finds what is wrong."""
    theirs = {"A": Seen(2, 2, {"text"}), "B": Seen(1, 2, {"amount"}), "C": Seen(2, 2, {"list", "empty"})}
    theirs |= {"C[].D": Seen(1, 1, {"uuid"}), "E": Seen(1, 2, {"bool"})}

    def found(*elements: Element) -> set[Found]:
        return {("", *one) for one in differences(shape_of(elements), theirs)}

    uuid = NOWHERE
    whole: Element = {"A": "a b", "B": 1, "C": [{"D": uuid}], "E": True}
    bare: Element = {"A": "WORD", "C": []}
    assert found(whole, bare) == set()
    assert found(whole, whole) == {("", "B", "always there"), ("", "E", "always there")}
    assert found(bare, bare) == {("", "B", "never there"), ("", "E", "never there"), ("", "C[]", "never there")}
    assert found(whole, bare | {"F": 1}, bare | {"C": [{"D": uuid, "G": {"H": 1}}]}) == {
        ("", "F", "new"),
        ("", "C[].G", "new"),
    }
    assert found(whole, {"C": []}) == {("", "A", "missing")}
    assert found(whole, bare | {"C": [{}]}) == {("", "C[].D", "missing")}
    odd = bare | {"A": None, "B": Decimal("1.005"), "C": [{"D": "x y"}]}
    assert found(whole, odd) - {("", "B", "always there")} == {
        ("", "A", "as null"),
        ("", "B", "as number"),
        ("", "C[].D", "as text"),
    }


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("Date", "/Date(1789344000000+0000)/", "date"),
        ("UpdatedDateUTC", "/Date(1789344000123+0000)/", "time"),
        ("UpdatedDateUTC", "/Date(1789300000000+0000)/", "time"),
        ("DateTimeUTC", "/Date(1789344000123)/", "ticks"),
        ("DateString", "2026-09-14T00:00:00", "day"),
        ("UpdatedDateUTCString", "2026-09-14T09:29:59Z", "utc"),
        ("createdDateUtc", "2026-09-14T09:29:59.5165400", "moment"),
        ("Status", "PAID", "word"),
        ("Name", "XERO", "text"),
        ("Name", "", "blank"),
        ("InvoiceID", NOWHERE, "uuid"),
        ("Total", 5, "amount"),
        ("Total", 31.39, "amount"),
        ("UnitAmount", Decimal("10.5001"), "number"),
        ("HasErrors", False, "bool"),
        ("Extensions", {}, "object"),
        ("Payments", [], "empty"),
    ],
)
def test_formats_are_told_apart(key: str, value: object, name: str) -> None:
    assert format_of(key, value) == name


# --- what else was recorded


def inclusive(b: Bookkeeper, amount: Decimal, **fields: object) -> Element:
    return b.invoice(b.line(amount), LineAmountTypes="Inclusive", **fields)


def amounts(document: Element) -> list[Decimal]:
    return [document[name] for name in ("SubTotal", "TotalTax", "Total")]


def test_the_answer_to_creating_an_invoice(b: Bookkeeper) -> None:
    line = {"Description": "Recording", "Quantity": 2, "UnitAmount": Decimal("10.50"), "AccountCode": "200"}
    made = b.invoice(line, Contact={"ContactID": b.contact()}, Reference="recording", LineAmountTypes="Exclusive")
    assert made["LineItems"][0]["TaxType"] == "OUTPUT2", "the account's own"
    assert amounts(made) == [21, Decimal("3.15"), Decimal("24.15")]


def test_a_discounted_line_in_an_answer_to_a_draft(b: Bookkeeper) -> None:
    """An API explorer's answer of May 2021; its account was not known, so the line has neither account nor tax."""
    line = b.line(10000, Description="MFG XS21 (20% off standard rate)", DiscountRate=20)
    shown = b.invoice(line, Status="DRAFT")["LineItems"][0]
    told = {"UnitAmount": 10000, "LineAmount": 8000, "Quantity": 1, "DiscountRate": 20}
    told |= {"DiscountEnteredAsPercent": True, "DiscountAmount": 2000}
    assert {name: shown[name] for name in told} == told
    line_keys = {path for path in recorded("line.whole").keys if "." not in path} - {"Item", "ItemCode"}
    assert set(shown) == line_keys | set(told)


def test_an_invoice_read_by_its_id_names_no_empty_lists_of_dealings(b: Bookkeeper) -> None:
    invoice = inclusive(b, CENTS_541)
    note = b.credit_note(b.line(CENTS_541), LineAmountTypes="Inclusive", DueDate=None)
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, CENTS_541)
    read = b.read("Invoices", invoice["InvoiceID"])
    assert amounts(read) == [Decimal("470.65"), Decimal("70.60"), CENTS_541]
    assert (len(read["CreditNotes"]), read["AmountCredited"], "Payments" in read) == (1, CENTS_541, False)
    assert not {"CreditNotes", "AmountCredited"} & set(b.read("Invoices", b.invoice()["InvoiceID"]))
    state = b.api.state(b.tenant)["Invoices"]
    assert [(one["Payments"], one["AmountCredited"]) for one in state] == [([], CENTS_541), ([], 0)], (
        "the state always does"
    )


def test_a_page_of_invoices(b: Bookkeeper) -> None:
    b.pay(inclusive(b, CENTS_500), CENTS_500)
    (paid,) = b.list("Invoices", where='Type=="ACCREC"', page="1", pageSize="2")
    assert amounts(paid) == [Decimal("434.78"), Decimal("65.22"), CENTS_500]


@pytest.mark.parametrize("way", ["shown", "left-out"])
def test_lists_say_of_an_invoice_that_it_was_sent_and_not_that_it_was_not(way: str) -> None:
    b = Bookkeeper("NZ", absent_keys=way)
    unsent, sent = b.invoice(), b.invoice(SentToContact=True)
    assert (unsent["SentToContact"], "SentToEmailAddress" in unsent) == (False, False)
    assert (sent["SentToContact"], sent["SentToEmailAddress"]) == (True, "")
    assert [one.get("SentToContact") for one in b.list("Invoices", page="1")] == [None, True]
    assert [b.read("Invoices", one["InvoiceID"])["SentToContact"] for one in (unsent, sent)] == [False, True]


@pytest.mark.parametrize(("amount", "tax"), [("89.00", "11.61"), ("97.00", "12.65")])
def test_a_bill_has_neither_theme_nor_word_of_sending(b: Bookkeeper, amount: str, tax: str) -> None:
    line = b.line(Decimal(amount), AccountCode="445", TaxType="INPUT2")
    b.invoice(line, Type="ACCPAY", LineAmountTypes="Inclusive")
    bill = b.list("Invoices", page="1")[0]
    by_id = b.read("Invoices", bill["InvoiceID"])
    assert (by_id["SentToContact"], "BrandingThemeID" in by_id) == (False, False)
    assert not {"SentToContact", "BrandingThemeID"} & set(bill)
    assert bill["TotalTax"] == Decimal(tax)


def test_the_answer_to_voiding_still_names_what_was_due(b: Bookkeeper) -> None:
    invoice = b.invoice()
    answer = b.post("Invoices", {"InvoiceID": invoice["InvoiceID"], "Status": "VOIDED", "Date": "2026-09-14"})
    assert (answer["Status"], answer["AmountDue"]) == ("VOIDED", 115)
    assert b.read("Invoices", invoice["InvoiceID"])["AmountDue"] == 0


def test_a_refused_edit_of_an_invoice(b: Bookkeeper) -> None:
    invoice = b.invoice()
    (refused,) = b.send("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "Status": "DELETED"})
    assert (refused["Status"], refused["Total"], refused["HasErrors"]) == ("DELETED", 115, True)


def test_a_refused_contact(b: Bookkeeper) -> None:
    wish = {"Name": "Jo", "EmailAddress": "jo@example.com", "IsCustomer": True}
    wish |= {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "09 111 1111"}]}
    assert b.put("Contacts", wish)["IsCustomer"] is False
    answer = b.ask("PUT", "Contacts", {"Contacts": [wish]})
    (element,) = json.loads(answer.body)["Elements"]
    assert (answer.status, element["ContactID"], element["IsCustomer"]) == (400, NOWHERE, True)
    assert element["Phones"] == [{"PhoneType": "DEFAULT", "PhoneNumber": "09 111 1111", "ValidationErrors": []}]


def test_a_refused_edit_of_an_archived_contact(b: Bookkeeper) -> None:
    contact = b.contact()
    archive = {"ContactID": contact, "ContactStatus": "ARCHIVED"}
    b.post("Contacts", archive)
    refused = b.send("POST", "Contacts", archive)[0]
    assert (refused["ContactID"], refused["ContactStatus"], refused["Addresses"]) == (contact, "ARCHIVED", [])


def test_a_contact_inside_a_document_is_whole_in_an_invoice_alone(b: Bookkeeper) -> None:
    dealings = keys("IsSupplier IsCustomer SalesTrackingCategories PurchasesTrackingCategories")
    invoice, note = b.invoice(), b.credit_note()
    assert set(invoice["Contact"]) - set(note["Contact"]) == dealings
    assert set(invoice["Contact"]) - set(b.receive("RECEIVE", 5)["Contact"]) == dealings
    named = keys("ContactID Name ContactPersons HasValidationErrors")
    assert set(b.pay(invoice, 5)["Invoice"]["Contact"]) == named
    b.contact("Mo", ContactNumber="caspen-2")
    b.pay(b.invoice(Contact={"Name": "Mo"}), 5)
    numbers = [one["Invoice"]["Contact"].get("ContactNumber") for one in b.list("Payments")]
    assert numbers == [None, "caspen-2"], "in lists, where it has one"


def test_the_answer_to_a_payment_lists_the_invoices_other_payments(b: Bookkeeper) -> None:
    """Recorded of deleting one of four; that creating one does so too is UNCONFIRMED."""
    invoice = b.invoice()
    first = b.pay(invoice, 1)
    assert "Payments" not in first["Invoice"]
    second = b.pay(invoice, 2)
    assert [one["PaymentID"] for one in second["Invoice"]["Payments"]] == [first["PaymentID"]]


def test_what_is_owed_is_told_both_ways_or_not_at_all(b: Bookkeeper) -> None:
    b.contact("Mo")
    b.invoice(Contact={"Name": "Jo"})
    nothing = {"Outstanding": 0, "Overdue": 0}
    told = {one["Name"]: one.get("Balances") for one in b.list("Contacts")}
    assert (told["Mo"], told["Jo"]["AccountsPayable"]) == (None, nothing)
    assert told["Jo"]["AccountsReceivable"]["Outstanding"] == 115


def test_a_tracking_category_on_a_line_names_its_option_by_id_only_where_one_document_is_read(b: Bookkeeper) -> None:
    ids = {"TrackingCategoryID": NOWHERE.replace("0", "1"), "TrackingOptionID": NOWHERE.replace("0", "2")}
    sent = {"Name": "Region", "Option": "North"} | ids
    made = b.invoice(b.line(Tracking=[sent]))
    assert (
        made["LineItems"][0]["Tracking"] == b.read("Invoices", made["InvoiceID"])["LineItems"][0]["Tracking"] == [sent]
    )
    (listed,) = b.list("Invoices", page="1")[0]["LineItems"][0]["Tracking"]
    assert listed == {name: sent[name] for name in ("Name", "Option", "TrackingCategoryID")} | {"Options": []}
    lines = [made["LineItems"][0] | {"Tracking": [listed]}]
    b.post("Invoices", {"InvoiceID": made["InvoiceID"], "LineItems": lines})
    (kept,) = b.read("Invoices", made["InvoiceID"])["LineItems"][0]["Tracking"]
    assert kept == {name: sent[name] for name in ("Name", "Option", "TrackingCategoryID")}, "a line keeps what was sent"


def test_a_credit_notes_line_of_text_has_text_only(b: Bookkeeper) -> None:
    b.credit_note(b.line(CENTS_541), {"Description": "Full credit"})
    (note,) = b.list("CreditNotes", page="1")
    assert set(note["LineItems"][1]) == keys("Description Tracking LineItemID")


def test_the_organisation_and_its_settings(b: Bookkeeper) -> None:
    bank = b.list("Accounts", where='Code=="090"')[0]
    assert (bank["TaxType"], bank["ReportingCode"], bank["ReportingCodeName"]) == ("NONE", "ASS", "Assets")
    assert [rate["TaxType"] for rate in b.list("TaxRates")] == [
        *("INPUT", "OUTPUT", "INPUT2", "OUTPUT2", "GSTONIMPORTS", "NONE", "ZERORATED")
    ], "by name, those given up among them"


# --- what says nothing

NO_ADDRESSES = [{"AddressType": "STREET"}, {"AddressType": "POBOX"}]
NO_PHONES = [{"PhoneType": kind} for kind in ("DEFAULT", "DDI", "FAX", "MOBILE")]


@pytest.fixture
def april() -> Bookkeeper:
    return Bookkeeper("NZ")


def test_a_contact_without_details_leaves_their_keys_out(april: Bookkeeper) -> None:
    made = april.put("Contacts", {"Name": "Jo", "Phones": [{"PhoneType": "FAX", "PhoneNumber": ""}]})
    assert (made["EmailAddress"], made["Addresses"][0]["City"], made["Phones"][0]["PhoneNumber"]) == ("", "", "")
    details = {"EmailAddress", "FirstName", "LastName", "BankAccountDetails"}
    inside = april.invoice(Contact={"Name": "Jo"})["Contact"]
    for shown in (inside, april.read("Contacts", made["ContactID"]), *april.list("Contacts", page="1")):
        assert not details & set(shown)
        assert (shown["Addresses"], shown["Phones"]) == (NO_ADDRESSES, NO_PHONES)
    street = {"AddressType": "STREET", "AddressLine1": "1 Quay St", "City": "Auckland"}
    april.post("Contacts", {"EmailAddress": "jo@example.com", "Addresses": [street], "ContactID": made["ContactID"]})
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


def test_a_written_payment_without_reference_never_has_an_empty_one(b: Bookkeeper) -> None:
    invoice = b.invoice()
    paid = b.pay(invoice, 5)
    assert "Reference" not in paid
    assert b.read("Payments", paid["PaymentID"])["Reference"] == ""
    (other,) = b.pay(invoice, 5)["Invoice"]["Payments"]
    assert "Reference" not in other


def test_an_invoice_in_the_organisations_currency_leaves_out_what_says_nothing(april: Bookkeeper) -> None:
    made = april.invoice(april.line(100))
    note = april.credit_note(april.line(100))
    nothing = keys("CurrencyRate BrandingThemeID")
    assert nothing <= set(made) & set(note), "what was just written shows them"
    assert not nothing & set(april.list("Invoices", page="1")[0])
    assert not nothing & set(april.read("Invoices", made["InvoiceID"]))
    assert not nothing & set(april.read("CreditNotes", note["CreditNoteID"]))
    theme = april.invoice(BrandingThemeID=NOWHERE.replace("0", "1"))
    assert april.read("Invoices", theme["InvoiceID"])["BrandingThemeID"] == theme["BrandingThemeID"]
    assert "CurrencyRate" not in april.read("BankTransactions", april.receive("RECEIVE", 5)["BankTransactionID"])


def test_the_sandboxs_own_state_shows_every_key(april: Bookkeeper) -> None:
    april.pay(april.invoice(), 50)
    state = april.api.state(april.tenant)
    assert {"EmailAddress"} <= set(state["Contacts"][0])
    assert {"CurrencyRate", "AmountCredited", "BrandingThemeID"} <= set(state["Invoices"][0])
    assert {"Reference"} <= set(state["Payments"][0])
