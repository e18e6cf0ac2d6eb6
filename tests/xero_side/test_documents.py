"""Xero's documents are read whatever it leaves out, and never through a float."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from caspen_xero.xero.codec import decode
from caspen_xero.xero.documents import Account, Contact, CreditNote, Invoice, Organisation, Payment, TaxRate
from caspen_xero.xero.elements import messages_of

PAGED_INVOICE = b"""{"Type":"ACCREC","InvoiceID":"60aa5d55-0000-4000-8000-000000000001","InvoiceNumber":"INV-0055",
 "Payments":[{"PaymentID":"p1","Date":"/Date(1789344000000+0000)/","Amount":4.15,"Reference":"CP-1","HasAccount":false}],
 "CreditNotes":[{"CreditNoteID":"c1","CreditNoteNumber":"CN-1","ID":"c1","AppliedAmount":10.00,"Total":10.00}],
 "Prepayments":[],"Overpayments":null,"AmountDue":10.00,"AmountPaid":4.15,"AmountCredited":10.00,"HasErrors":false,
 "UpdatedDateUTCString":"2026-09-14T09:29:59Z","UpdatedDateUTC":"/Date(1789378199100+0000)/",
 "Contact":{"ContactID":"k1","Name":"Ann (Caspen 7)","ContactStatus":"ACTIVE","SomethingNew":{"x":1}},
 "DateString":"2026-09-14T00:00:00","Date":"/Date(1789344000000+0000)/","DueDate":"/Date(1789948800000+0000)/",
 "Status":"AUTHORISED","LineAmountTypes":"Exclusive","SubTotal":21.0,"TotalTax":3.15,"Total":24.15,"CurrencyCode":"NZD",
 "LineItems":[{"Description":"only text","Tracking":[],"LineItemID":"l0"},
  {"UnitAmount":10.5001,"TaxType":"OUTPUT2","TaxAmount":3.15,"LineAmount":21.0,"AccountCode":"200","Quantity":2.0}]}"""


def test_an_invoice_of_a_page_is_read_exactly() -> None:
    invoice = Invoice.model_validate(decode(PAGED_INVOICE))
    assert (invoice.invoice_number, invoice.status, invoice.total) == ("INV-0055", "AUTHORISED", Decimal("24.15"))
    assert (invoice.date, invoice.due_date) == (date(2026, 9, 14), date(2026, 9, 21))
    assert invoice.updated_date_utc == datetime(2026, 9, 14, 9, 29, 59, 100000, tzinfo=UTC)
    assert str(invoice.line_items[1].unit_amount) == "10.5001"
    assert invoice.line_items[0].line_amount is None
    assert (invoice.payments[0].amount, invoice.payments[0].is_reconciled) == (Decimal("4.15"), None)
    assert invoice.credit_notes[0].applied_amount == Decimal("10.00")
    assert invoice.overpayments == []
    assert invoice.contact is not None
    assert invoice.contact.name == "Ann (Caspen 7)"


@pytest.mark.parametrize("model", [Invoice, CreditNote, Payment, Contact, Organisation])
def test_a_document_of_which_nothing_is_told_is_still_read(model: type[Invoice]) -> None:
    assert model.model_validate({}).model_fields_set == set()


def test_numbers_and_truths_written_as_text_are_read() -> None:
    told = {"Name": "GST on Income", "TaxType": "OUTPUT", "CanApplyToRevenue": "true", "EffectiveRate": "10.0000"}
    rate = TaxRate.model_validate(told | {"TaxComponents": [{"Name": "GST", "Rate": "10.0000"}]})
    assert (rate.can_apply_to_revenue, str(rate.effective_rate)) == (True, "10.0000")
    assert rate.tax_components[0].rate == Decimal("10.0000")
    assert TaxRate.model_validate(told | {"CanApplyToRevenue": "false"}).can_apply_to_revenue is False


@pytest.mark.parametrize("amount", [24.15, "1_000", "1e3", "NaN", True])
def test_an_amount_that_is_not_exact_is_refused(amount: object) -> None:
    with pytest.raises(ValidationError):
        Invoice.model_validate({"Total": amount})


def test_a_bank_account_without_a_code_and_lock_dates_are_read() -> None:
    assert Account.model_validate({"AccountID": "a1", "Name": "Bank", "Type": "BANK", "Class": "ASSET"}).code is None
    organisation = Organisation.model_validate({"PeriodLockDate": "/Date(1788134400000+0000)/"})
    assert organisation.period_lock_date == date(2026, 8, 31)


def test_every_message_is_found_however_deep_and_told_once() -> None:
    element = {
        "ValidationErrors": [{"Message": "A"}, {"Message": "B "}],
        "Contact": {"ValidationErrors": [{"Message": "C"}]},
        "LineItems": [{"ValidationErrors": [{"Message": "A"}, {}, {"Message": None}]}, {"Item": None}],
        "Warnings": [{"Message": "careful"}],
    }
    assert messages_of(element) == ["A", "B", "C"]
    assert messages_of({"HasErrors": False}) == []
