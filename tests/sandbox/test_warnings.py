"""What is taken with a warning: a draft without the account or tax type that can't be there, a payment before its invoice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.bookkeeper import Bookkeeper, Element

REMOVED = "has been removed"


def words(element: Element) -> list[str]:
    assert element["StatusAttributeString"] == "WARNING"
    return [warning["Message"] for warning in element["Warnings"]]


@pytest.mark.parametrize("code", ["777", "460", "090", "610"])
def test_a_draft_is_made_without_an_account_that_cannot_be(code: str) -> None:
    b = Bookkeeper()
    draft = b.invoice(b.line(AccountCode=code), b.line(50), Status="DRAFT")
    assert words(draft) == [f"Account code '{code}' {REMOVED} as it does not match a recognised account."]
    without, whole = draft["LineItems"]
    assert not {"AccountID", "AccountCode"} & set(without)
    assert (without["TaxType"], whole["AccountCode"]) == (b.income, "200")
    assert draft["Total"] == Decimal("165.00")


def test_it_has_no_tax_type_then_unless_one_was_sent() -> None:
    b = Bookkeeper()
    line = {"Description": "Consultation", "UnitAmount": 100, "AccountCode": "777"}
    draft = b.invoice(line, Status="DRAFT")
    assert "TaxType" not in draft["LineItems"][0]
    assert (draft["TotalTax"], draft["Total"]) == (0, 100)


def test_a_draft_is_made_without_a_tax_type_that_cannot_be() -> None:
    b = Bookkeeper()
    draft = b.invoice(b.line(TaxType="INPUT", TaxAmount=10), Status="DRAFT")
    assert words(draft) == [f"The TaxType code INPUT {REMOVED} as it cannot be used here."]
    (line,) = draft["LineItems"]
    assert "TaxType" not in line
    assert (line["AccountCode"], draft["TotalTax"]) == ("200", 0)


def test_an_edit_of_a_draft_loses_them_too_and_an_approved_one_refuses_it() -> None:
    b = Bookkeeper()
    draft = b.invoice(Status="DRAFT")
    path = f"Invoices/{draft['InvoiceID']}"
    edited = b.post(path, {"LineItems": [b.line(AccountCode="777")]})
    assert "AccountID" not in edited["LineItems"][0]
    assert b.refused("POST", path, {"Status": "AUTHORISED"}) == ["Account code or ID must be specified"]
    b.post(path, {"LineItems": [b.line()], "Status": "AUTHORISED"})
    assert REMOVED not in b.refused("POST", path, {"LineItems": [b.line(AccountCode="777")]})[0]


def test_credit_notes_are_warned_of_as_invoices_are() -> None:
    b = Bookkeeper()
    assert REMOVED in words(b.credit_note(b.line(AccountCode="777"), Status="DRAFT"))[0]


@pytest.mark.parametrize(
    ("switch", "field", "value"),
    [("unknown_account_in_draft", "AccountCode", "777"), ("unknown_tax_type_in_draft", "TaxType", "INPUT")],
)
def test_or_the_draft_is_refused(switch: str, field: str, value: str) -> None:
    b = Bookkeeper(**{switch: "refused"})
    assert b.refused("PUT", "Invoices", b.draft(b.line(**{field: value}), Status="DRAFT"))


def test_an_early_payment_is_taken_with_a_warning() -> None:
    b = Bookkeeper()
    first, second = b.invoice(), b.invoice()
    assert words(b.pay(first, 1, Date="2026-09-13")) == ["The payment date is prior to the invoice date."]
    assert "Warnings" not in b.pay(first, 1, Date="2026-09-14")
    members = [{"Invoice": {"InvoiceID": each["InvoiceID"]}, "Amount": 1} for each in (first, second)]
    batch = {"Account": {"Code": "090"}, "Date": "2026-09-13", "Payments": members}
    b.ask("PUT", "BatchPayments", {"BatchPayments": [batch]})
    assert b.read("Invoices", second["InvoiceID"])["AmountPaid"] == 1


def test_or_an_early_payment_is_refused_in_a_batch_too() -> None:
    b = Bookkeeper(early_payment="refused")
    invoice = b.invoice()
    assert b.refused("PUT", "Payments", b.payment(invoice, 1, Date="2026-09-13"))
    member = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 1}
    batch = {"Account": {"Code": "090"}, "Date": "2026-09-13", "Payments": [member]}
    assert b.ask("PUT", "BatchPayments", {"BatchPayments": [batch]}).status == 400
