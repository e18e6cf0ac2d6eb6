"""Invoices: PUT and POST, numbers, statuses, what may still change once paid, and what an answer shows."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.bookkeeper import NOWHERE, Bookkeeper, Element

NOT_VALID = ["Invoice not of valid status for modification"]
EDITED = ["This document cannot be edited as it has a payment or credit note allocated to it."]


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def post(b: Bookkeeper, invoice: Element, **fields: Any) -> Element:
    return b.post(f"Invoices/{invoice['InvoiceID']}", dict(fields))


def refused(b: Bookkeeper, invoice: Element, **fields: Any) -> list[str]:
    return b.refused("POST", f"Invoices/{invoice['InvoiceID']}", dict(fields))


def read(b: Bookkeeper, invoice: Element) -> Element:
    return b.read("Invoices", invoice["InvoiceID"])


# creating


def test_the_answer_to_a_create_has_the_recorded_keys(b: Bookkeeper) -> None:
    b.ways["absent_keys"] = "shown"
    made = b.invoice(Reference="recording")
    for key in (
        *("Type", "InvoiceID", "InvoiceNumber", "Reference", "Prepayments", "Overpayments", "AmountDue", "AmountPaid"),
        *(
            "SentToContact",
            "CurrencyRate",
            "IsDiscounted",
            "HasErrors",
            "UpdatedDateUTCString",
            "Contact",
            "DateString",
        ),
        *(
            "Date",
            "DueDateString",
            "DueDate",
            "Status",
            "LineAmountTypes",
            "LineItems",
            "SubTotal",
            "TotalTax",
            "Total",
        ),
        *("UpdatedDateUTC", "CurrencyCode"),
    ):
        assert key in made
    assert not {"Payments", "CreditNotes", "AmountCredited"} & set(made)
    assert (made["Date"], made["DateString"]) == ("/Date(1789344000000+0000)/", "2026-09-14T00:00:00")
    line = made["LineItems"][0]
    assert (line["Tracking"], line["ValidationErrors"], line["Quantity"]) == ([], [], 1)
    assert set(line) >= {"LineItemID", "AccountID", "AccountCode", "TaxType", "TaxAmount", "LineAmount", "UnitAmount"}


def test_numbers_are_given_in_turn_and_pass_over_taken_ones(b: Bookkeeper) -> None:
    b.invoice(InvoiceNumber="INV-0002")
    assert [b.invoice()["InvoiceNumber"] for _ in range(2)] == ["INV-0001", "INV-0003"]


def test_bills_need_no_number_and_may_share_one(b: Bookkeeper) -> None:
    bill = b.line(AccountCode="400", TaxType="INPUT")
    assert b.invoice(bill, Type="ACCPAY")["InvoiceNumber"] == ""
    first, second = (b.invoice(bill, Type="ACCPAY", InvoiceNumber="S-1") for _ in range(2))
    assert first["InvoiceID"] != second["InvoiceID"]


def test_the_date_defaults_to_today_where_the_organisation_is(b: Bookkeeper) -> None:
    evening = b.clock.now().replace(hour=20, minute=0)
    b.clock.move(evening - b.clock.now())
    draft = b.invoice(Date=None, Status="DRAFT")
    assert draft["DateString"][:10] == (evening + timedelta(days=1)).date().isoformat(), (
        "20:00 UTC is tomorrow in Sydney"
    )


def test_one_bad_element_keeps_the_whole_request_out(b: Bookkeeper) -> None:
    """summarizeErrors is true unless the request says otherwise (recorded answers)."""
    body = {"Invoices": [b.draft(InvoiceNumber="A"), b.draft(InvoiceNumber="B", Total=1)]}
    answer = b.ask("PUT", "Invoices", body)
    error = json.loads(answer.body)
    assert (answer.status, error["ErrorNumber"], error["Type"]) == (400, 10, "ValidationException")
    assert [element["InvoiceNumber"] for element in error["Elements"]] == ["B"]
    assert error["Elements"][0]["InvoiceID"] == NOWHERE
    assert b.list("Invoices") == b.list("Contacts") == []


def test_without_summary_each_element_has_its_own_fate(b: Bookkeeper) -> None:
    taken = b.draft(InvoiceNumber="A")
    first, again, other = b.send("PUT", "Invoices", taken, taken, b.draft())
    assert [one["StatusAttributeString"] for one in (first, again, other)] == ["OK", "ERROR", "OK"]
    assert (again["InvoiceID"], again["HasErrors"], again["InvoiceNumber"]) == (NOWHERE, True, "A")
    assert len(b.list("Invoices")) == 2


def test_a_body_may_hold_one_bare_element(b: Bookkeeper) -> None:
    assert b.ask("PUT", "Invoices", b.draft()).status == 200
    assert b.ask("PUT", "Invoices", [b.draft(), b.draft()]).status == 200
    assert len(b.list("Invoices")) == 3


def test_a_body_above_three_and_a_half_megabytes_is_refused(b: Bookkeeper) -> None:
    assert b.ask("PUT", "Invoices", b" " * 3_500_001).status == 413


def test_an_invoice_over_nothing_is_paid_at_once(b: Bookkeeper) -> None:
    free = b.invoice(b.line(100, DiscountRate=100))
    assert (free["Status"], free["AmountDue"], free["FullyPaidOnDate"]) == ("PAID", 0, "/Date(1789344000000+0000)/")


def test_a_line_of_text_only_has_no_amounts(b: Bookkeeper) -> None:
    line = b.invoice(b.line(), {"Description": "Thank you"})["LineItems"][1]
    assert set(line) == {"Description", "Tracking", "LineItemID", "ValidationErrors"}


def test_accounts_may_be_named_by_id(b: Bookkeeper) -> None:
    account = next(account for account in b.list("Accounts") if account["Name"] == "Consultations")
    line = b.line(AccountCode=None, AccountID=account["AccountID"], TaxType="EXEMPTOUTPUT")
    assert b.invoice(line)["LineItems"][0]["AccountCode"] == "201"


@pytest.mark.parametrize("status", ["DRAFT", "AUTHORISED"])
def test_a_line_that_costs_nothing_may_lose_its_account_and_tax_type(status: str) -> None:
    b = Bookkeeper(zero_price_lines="stripped")
    made = b.invoice(b.line(100), b.line(0, Quantity=2), b.line(100, DiscountRate=100), Status=status)
    dear, free, discounted = made["LineItems"]
    names = ("AccountCode", "AccountID", "TaxType")
    assert [name for name in names if name in free] == []
    assert (free["Quantity"], free["UnitAmount"], free["LineAmount"], free["TaxAmount"]) == (2, 0, 0, 0)
    assert all(name in line for name in names for line in (dear, discounted))
    lines = [{"LineItemID": line["LineItemID"], "Description": "x"} for line in made["LineItems"]]
    approved = post(b, made, LineItems=lines, Status="AUTHORISED")
    assert (approved["Total"], [line["Description"] for line in approved["LineItems"]]) == (110, ["x"] * 3)
    priced = {"LineItemID": free["LineItemID"], "UnitAmount": 5}
    assert refused(b, made, LineItems=[priced]) == [
        "Account code or ID must be specified",
        "The TaxType field is mandatory",
    ]


def test_a_draft_is_approved_though_a_line_that_costs_nothing_lost_its_account() -> None:
    b = Bookkeeper(zero_price_lines="stripped")
    assert post(b, b.invoice(b.line(100), b.line(0), Status="DRAFT"), Status="AUTHORISED")["Status"] == "AUTHORISED"


def test_or_it_keeps_them(b: Bookkeeper) -> None:
    free = b.invoice(b.line(100), b.line(0))["LineItems"][1]
    assert (free["AccountCode"], free["TaxType"]) == ("200", "OUTPUT")


def test_a_user_without_the_right_to_approve_gets_a_draft(b: Bookkeeper) -> None:
    b.change(Approver=False)
    draft = b.invoice()
    assert (draft["Status"], draft["StatusAttributeString"]) == ("DRAFT", "OK")


def test_foreign_currency_takes_the_rate_sent_or_the_days(b: Bookkeeper) -> None:
    b.ways["absent_keys"] = "shown"
    b.put("Currencies", {"Code": "NZD"})
    assert b.invoice(CurrencyCode="NZD", CurrencyRate="1.0912345678")["CurrencyRate"] == Decimal("1.091235")
    assert b.invoice(CurrencyCode="NZD")["CurrencyRate"] == Decimal("1.09")
    assert b.invoice()["CurrencyRate"] == 1


# editing


def test_post_with_a_known_number_edits_silently(b: Bookkeeper) -> None:
    first = b.invoice(InvoiceNumber="C-1")
    again = b.post("Invoices", {"InvoiceNumber": "C-1", "Reference": "overwritten"})
    assert (again["InvoiceID"], again["Reference"]) == (first["InvoiceID"], "overwritten")


def test_post_with_a_new_number_creates(b: Bookkeeper) -> None:
    assert b.post("Invoices", b.draft(InvoiceNumber="C-2"))["Status"] == "AUTHORISED"


def test_put_never_edits(b: Bookkeeper) -> None:
    first = b.invoice()
    second = b.put("Invoices", b.draft(InvoiceID=first["InvoiceID"]))
    assert second["InvoiceID"] != first["InvoiceID"]


@pytest.mark.parametrize("sent", ["DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"])
@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_what_a_draft_may_become(b: Bookkeeper, status: str, sent: str) -> None:
    assert post(b, b.invoice(Status=status), Status=sent)["Status"] == sent


@pytest.mark.parametrize("sent", ["DRAFT", "SUBMITTED", "DELETED", "PAID", "NONSENSE"])
def test_an_authorised_invoice_can_only_be_voided(b: Bookkeeper, sent: str) -> None:
    invoice = b.invoice()
    assert refused(b, invoice, Status=sent) == NOT_VALID
    assert post(b, invoice, Status="VOIDED")["Status"] == "VOIDED"


@pytest.mark.parametrize(("status", "end"), [("AUTHORISED", "VOIDED"), ("DRAFT", "DELETED")])
def test_void_and_deleted_is_the_end(b: Bookkeeper, status: str, end: str) -> None:
    invoice = b.invoice(Status=status, InvoiceNumber="C-1")
    post(b, invoice, Status=end)
    assert refused(b, invoice, Reference="x") == NOT_VALID
    assert b.refused("POST", "Invoices", b.draft(InvoiceNumber="C-1")) == NOT_VALID
    assert b.refused("PUT", "Invoices", b.draft(InvoiceNumber="c-1")) == ["Invoice # must be unique."]


def test_lines_follow_their_ids(b: Bookkeeper) -> None:
    invoice = b.invoice(b.line(10), b.line(20), b.line(30))
    first, second, _ = (line["LineItemID"] for line in invoice["LineItems"])
    kept = [{"LineItemID": second, "Description": "Changed"}, {"LineItemID": first, "Quantity": 2}, b.line(5)]
    edited = post(b, invoice, LineItems=kept)["LineItems"]
    assert [line["LineItemID"] for line in edited][:2] == [second, first]
    assert edited[2]["LineItemID"] not in [line["LineItemID"] for line in invoice["LineItems"]]
    assert [line["LineAmount"] for line in edited] == [20, 20, 5]
    assert edited[0]["Description"] == "Changed"


def test_a_line_names_an_item_that_a_person_has_made(b: Bookkeeper) -> None:
    b.api.add_item(b.tenant, "PHYSIO")
    invoice = b.invoice(b.line(10, ItemCode="PHYSIO"), b.line(20))
    first, second = (line["LineItemID"] for line in invoice["LineItems"])
    listed = b.page("Invoices", page="1")["Invoices"][0]
    assert [line.get("ItemCode") for line in listed["LineItems"]] == ["PHYSIO", None]
    post(b, invoice, LineItems=[{"LineItemID": first, "UnitAmount": 11}, {"LineItemID": second, "ItemCode": "PHYSIO"}])
    assert [line["ItemCode"] for line in read(b, invoice)["LineItems"]] == ["PHYSIO", "PHYSIO"]
    post(b, invoice, LineItems=[{"LineItemID": first, "ItemCode": ""}, b.line(20)])
    assert [line.get("ItemCode") for line in read(b, invoice)["LineItems"]] == [None, None]


def test_a_line_without_its_id_is_made_anew_and_a_bookkeepers_recoding_is_gone(b: Bookkeeper) -> None:
    invoice = b.invoice(b.line(10), b.line(20))
    ids = [line["LineItemID"] for line in invoice["LineItems"]]
    post(b, invoice, LineItems=[{"LineItemID": line_id, "AccountCode": "260"} for line_id in ids])
    assert [line["AccountCode"] for line in read(b, invoice)["LineItems"]] == ["260", "260"]
    post(b, invoice, LineItems=[b.line(10), b.line(20) | {"LineItemID": ids[1], "AccountCode": None}])
    first, second = read(b, invoice)["LineItems"]
    assert (first["AccountCode"], first["LineItemID"] in ids) == ("200", False)
    assert (second["AccountCode"], second["LineItemID"]) == ("260", ids[1])


def test_a_known_line_keeps_its_amount_where_nothing_changed_that_it_depends_on(b: Bookkeeper) -> None:
    sent = b.line(Quantity=3, LineAmount="10.00")
    del sent["UnitAmount"]
    invoice = b.invoice(sent)
    line_id = invoice["LineItems"][0]["LineItemID"]
    assert post(b, invoice, LineItems=[{"LineItemID": line_id, "Description": "x"}])["SubTotal"] == 10
    assert post(b, invoice, LineItems=[{"LineItemID": line_id, "Quantity": 4}])["SubTotal"] == Decimal("13.32")


def test_posting_back_an_unpaged_invoice_deletes_a_drafts_lines(b: Bookkeeper) -> None:
    draft = b.invoice(Status="DRAFT")
    post(b, draft, LineItems=b.list("Invoices")[0]["LineItems"])
    assert (read(b, draft)["LineItems"], read(b, draft)["Total"]) == ([], 0)
    assert refused(b, draft, Status="AUTHORISED") == ["One or more line items must be specified"]


def test_a_kept_line_keeps_its_own_tax(b: Bookkeeper) -> None:
    invoice = b.invoice(b.line(10, TaxAmount="0.99"))
    line_id = invoice["LineItems"][0]["LineItemID"]
    assert post(b, invoice, LineItems=[{"LineItemID": line_id, "Description": "x"}])["TotalTax"] == Decimal("0.99")
    assert post(b, invoice, LineItems=[{"LineItemID": line_id, "Quantity": 2}])["TotalTax"] == 2


def test_other_line_amount_types_count_the_lines_anew(b: Bookkeeper) -> None:
    invoice = b.invoice(b.line(110))
    assert post(b, invoice, LineAmountTypes="Inclusive")["Total"] == 110
    assert post(b, invoice, LineAmountTypes="NoTax")["TotalTax"] == 0


def test_a_paid_invoice_may_still_change_what_moves_no_money(b: Bookkeeper) -> None:
    invoice = b.invoice()
    b.pay(invoice, 110)
    line = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "Description": "Better words", "AccountCode": "260"}
    other = b.contact("Ann Other")
    edited = post(
        b,
        invoice,
        Reference="new",
        DueDate="2026-10-01",
        InvoiceNumber="C-9",
        Url="https://caspen.example.com/1",
        Contact={"ContactID": other},
        LineItems=[line],
    )
    assert (edited["Status"], edited["InvoiceNumber"], edited["Contact"]["ContactID"]) == ("PAID", "C-9", other)
    assert edited["LineItems"][0]["AccountCode"] == "260"


@pytest.fixture(params=["ignored", "refused"])
def edit_of_paid(request: pytest.FixtureRequest) -> Bookkeeper:
    """The books where an edit of a paid invoice's amounts is ignored, and those where it is refused."""
    return Bookkeeper(edit_of_paid=request.param)


@pytest.mark.parametrize("change", [{"LineAmountTypes": "Inclusive"}, {"LineAmountTypes": "NoTax", "Reference": "x"}])
def test_a_part_paid_invoice_refuses_what_moves_money(edit_of_paid: Bookkeeper, change: Element) -> None:
    b = edit_of_paid
    invoice = b.invoice()
    b.pay(invoice, 1)
    before = read(b, invoice)
    assert refused(b, invoice, **change) == EDITED
    assert read(b, invoice) == before


def settled(b: Bookkeeper, how: str) -> Element:
    """An invoice of two lines: part-paid, paid, or with a credit note on it."""
    invoice = b.invoice(b.line(100, TaxAmount="9.99"), b.line("0.1255", Quantity=3, DiscountRate=10))
    if how == "credited":
        b.allocate(f"CreditNotes/{b.credit_note(b.line(1))['CreditNoteID']}", invoice, 1)
    else:
        b.pay(invoice, 1 if how == "part-paid" else invoice["Total"])
    return read(b, invoice)


AMOUNTS: list[Element] = [
    {"Quantity": 2},
    {"UnitAmount": 50},
    {"UnitAmount": 50, "LineAmount": 50},
    {"LineAmount": 90},
    {"DiscountRate": 10},
    {"DiscountAmount": 5},
    {"TaxType": "EXEMPTOUTPUT"},
    {"TaxAmount": 1},
]


@pytest.mark.parametrize("how", ["part-paid", "paid", "credited"])
@pytest.mark.parametrize("change", AMOUNTS, ids=lambda change: "+".join(change))
def test_other_amounts_on_a_paid_invoice_are_ignored_and_the_rest_is_taken(
    b: Bookkeeper, how: str, change: Element
) -> None:
    invoice = settled(b, how)
    first = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "Description": "Better words", "AccountCode": "260"}
    answer = post(b, invoice, LineItems=[first | change], Reference="new", Total=1)
    after = read(b, invoice)
    assert answer["StatusAttributeString"] == "OK"
    assert (after["Reference"], after["UpdatedDateUTC"] > invoice["UpdatedDateUTC"]) == ("new", True)
    assert [(line["Description"], line["AccountCode"]) for line in after["LineItems"]] == [
        ("Better words", "260"),
        ("Consultation", "200"),
    ], "the line that was left out stays"
    for shown in (answer, after):
        words = {"Description", "AccountCode", "AccountID"}
        amounts = [{name: line[name] for name in set(line) - words} for line in shown["LineItems"]]
        assert amounts == [{name: line[name] for name in set(line) - words} for line in invoice["LineItems"]]
        names = ("Total", "TotalTax", "SubTotal", "AmountDue", "Status")
        assert [shown[name] for name in names] == [invoice[name] for name in names]


@pytest.mark.parametrize("change", AMOUNTS, ids=lambda change: "+".join(change))
def test_or_they_are_refused_and_the_rest_with_them(change: Element) -> None:
    b = Bookkeeper(edit_of_paid="refused")
    invoice = settled(b, "part-paid")
    lines = [{"LineItemID": line["LineItemID"]} for line in invoice["LineItems"]]
    assert refused(b, invoice, LineItems=[lines[0] | change, lines[1]], Reference="new") == EDITED
    assert refused(b, invoice, LineItems=lines[:1]) == EDITED
    assert read(b, invoice) == invoice


@pytest.mark.parametrize("how", ["part-paid", "paid", "credited"])
@pytest.mark.parametrize("named", [{}, {"LineItemID": NOWHERE}, {"LineItemID": NOWHERE[:-1] + "1"}])
def test_on_a_paid_invoice_every_line_says_which_it_is(edit_of_paid: Bookkeeper, how: str, named: Element) -> None:
    b = edit_of_paid
    invoice = settled(b, how)
    known = {"LineItemID": invoice["LineItems"][0]["LineItemID"]}
    answer = b.send("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "LineItems": [known, b.line() | named]})[0]
    words = [{"Message": "To update fields on a paid invoice line item, you must supply a LineItemID"}]
    assert (answer["ValidationErrors"], answer["LineItems"][1]["ValidationErrors"]) == (words, words)
    assert read(b, invoice) == invoice


def test_an_invoice_paid_by_credit_note_keeps_its_contact(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note(b.line(1))
    b.allocate(f"CreditNotes/{note['CreditNoteID']}", invoice, 1)
    assert refused(b, invoice, Contact={"Name": "Ann Other"}) == EDITED


def test_a_locked_period_takes_no_edit_no_void_and_no_move_into_it(b: Bookkeeper) -> None:
    invoice, later = b.invoice(), b.invoice(Date="2026-10-01", DueDate="2026-10-01")
    b.change(PeriodLockDate="2026-09-30")
    for change in ({"Reference": "x"}, {"Status": "VOIDED"}, {"Date": "2026-10-02"}):
        assert "period lock date" in refused(b, invoice, **change)[0]
    assert "period lock date" in refused(b, later, Date="2026-09-30")[0]
    b.change(PeriodLockDate=None)
    assert post(b, invoice, Reference="x")["Reference"] == "x"


def test_an_approval_counts_once_however_it_comes(b: Bookkeeper) -> None:
    b.change(ApprovalLimit=1)
    drafts = [b.invoice(Status="DRAFT") for _ in range(2)]
    post(b, drafts[0], Status="AUTHORISED")
    post(b, drafts[0], Reference="edited")
    assert refused(b, drafts[1], Status="AUTHORISED") == ["You have reached the limit of invoices you can approve"]
    b.clock.move(timedelta(days=32))
    assert post(b, drafts[1], Status="AUTHORISED")["Status"] == "AUTHORISED"


def test_or_approvals_are_counted_by_the_month_of_the_invoices_date() -> None:
    b = Bookkeeper(approval_limit_counts="invoice-date")
    b.change(ApprovalLimit=1)
    b.invoice(Date="2026-09-14")
    b.clock.move(timedelta(days=32))
    assert b.refused("PUT", "Invoices", b.draft(Date="2026-09-30")) == [
        "You have reached the limit of invoices you can approve"
    ]
    assert b.invoice(Date="2026-10-01")["Status"] == "AUTHORISED"


def test_some_edits_leave_the_date_of_change_alone(b: Bookkeeper) -> None:
    """Known blind spots: a line's account; DueDate and SentToContact of a part-paid invoice."""
    invoice = b.invoice()
    line_id = invoice["LineItems"][0]["LineItemID"]
    post(b, invoice, LineItems=[{"LineItemID": line_id, "AccountCode": "260"}])
    assert read(b, invoice)["UpdatedDateUTC"] == invoice["UpdatedDateUTC"]
    post(b, invoice, DueDate="2026-10-01")
    assert read(b, invoice)["UpdatedDateUTC"] > invoice["UpdatedDateUTC"]
    b.pay(invoice, 1)
    before = read(b, invoice)
    post(b, invoice, DueDate="2026-10-02", SentToContact=True)
    after = read(b, invoice)
    assert (after["UpdatedDateUTC"], after["SentToContact"]) == (before["UpdatedDateUTC"], True)


def test_a_refused_edit_names_the_invoice_that_it_meant(b: Bookkeeper) -> None:
    invoice = b.invoice()
    answer = b.send("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "Status": "DELETED"})[0]
    assert (answer["InvoiceID"], answer["HasErrors"]) == (invoice["InvoiceID"], True)
    assert "InvoiceNumber" not in answer, "as recorded: only what was sent, and what the edit would have touched"


@pytest.mark.parametrize("kind", ["Invoices", "CreditNotes", "Contacts"])
def test_a_refused_edit_of_what_is_not_there_repeats_the_id(b: Bookkeeper, kind: str) -> None:
    name, unknown = f"{kind[:-1]}ID", "11111111-1111-1111-1111-111111111111"
    assert b.send("POST", kind, {name: unknown})[0][name] == unknown


def test_a_list_of_ids_is_approved_in_one_request(b: Bookkeeper) -> None:
    drafts = [b.invoice(Status="DRAFT") for _ in range(3)]
    wishes = [{"InvoiceID": draft["InvoiceID"], "Status": "AUTHORISED"} for draft in drafts]
    answer = b.send("POST", "Invoices", *wishes)
    assert [one["Status"] for one in answer] == ["AUTHORISED"] * 3
    assert [one["InvoiceID"] for one in answer] == [draft["InvoiceID"] for draft in drafts]


# endpoints


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Invoices/INV-9999", 404),
        ("GET", f"Invoices/{NOWHERE}", 404),
        ("GET", "Nothing", 404),
        ("GET", "Invoices/INV/0001", 404),
        ("GET", "Invoices/INV-0001/History", 501),
        ("DELETE", "Invoices", 501),
        ("PUT", "Overpayments", 501),
        ("POST", "Organisation", 501),
    ],
)
def test_what_is_not_there(b: Bookkeeper, method: str, path: str, status: int) -> None:
    answer = b.ask(method, path, {"x": 1})
    assert answer.status == status
    assert answer.content_type.startswith("text/html" if status == 404 else "application/json")


def test_each_endpoint_asks_for_its_scope(b: Bookkeeper) -> None:
    scope = b.api.required_scope
    assert scope("GET", "Invoices") == {"accounting.invoices", "accounting.invoices.read"}
    assert scope("PUT", "CreditNotes/x/Allocations") == {"accounting.invoices"}
    assert scope("POST", "Payments/x") == {"accounting.payments"}
    assert scope("GET", "TaxRates") == {"accounting.settings", "accounting.settings.read"}
    assert scope("GET", "Moons") is None
