"""Messages about invoices, credit notes and their lines."""

from __future__ import annotations

from caspen_xero.sandbox.books import messages as m
from tests.sandbox.bookkeeper import NOWHERE, Bookkeeper, Element
from tests.sandbox.provocations import provokes

ELSEWHERE = NOWHERE[:-1] + "1"
EDITED_WITH_PAYMENT = "This document cannot be edited as it has a payment or credit note allocated to it."


def put(b: Bookkeeper, *lines: Element, **fields: object) -> list[str]:
    return b.refused("PUT", "Invoices", b.draft(*lines, **fields))


def post(b: Bookkeeper, invoice: Element, **fields: object) -> list[str]:
    return b.refused("POST", f"Invoices/{invoice['InvoiceID']}", dict(fields))


def put_note(b: Bookkeeper, *lines: Element, **fields: object) -> list[str]:
    return b.refused("PUT", "CreditNotes", b.draft(*lines, **({"Type": "ACCRECCREDIT"} | fields)))


@provokes(m.INVOICE_NUMBER_TAKEN, "Invoice # must be unique.")
def a_number_that_a_void_invoice_keeps(b: Bookkeeper) -> list[str]:
    first = b.invoice(InvoiceNumber="C-1")
    b.post(f"Invoices/{first['InvoiceID']}", {"Status": "VOIDED"})
    return put(b, InvoiceNumber="C-1")


@provokes(m.CREDIT_NOTE_NUMBER_TAKEN, "Credit Note # must be unique.")
def a_credit_note_number_used_before(b: Bookkeeper) -> list[str]:
    b.credit_note(CreditNoteNumber="CR-1")
    return put_note(b, CreditNoteNumber="CR-1")


@provokes(m.INVOICE_NOT_FOUND, "An existing Invoice with the specified InvoiceID could not be found")
def an_edit_of_no_invoice(b: Bookkeeper) -> list[str]:
    return b.refused("POST", "Invoices", {"InvoiceID": ELSEWHERE, "Reference": "x"})


@provokes(m.CREDIT_NOTE_NOT_FOUND, "An existing Credit Note with the specified CreditNoteID could not be found")
def an_edit_of_no_credit_note(b: Bookkeeper) -> list[str]:
    return b.refused("POST", "CreditNotes", {"CreditNoteID": ELSEWHERE, "Reference": "x"})


@provokes(m.NOT_VALID_FOR_CHANGE, "Invoice not of valid status for modification")
def deleting_an_authorised_invoice(b: Bookkeeper) -> list[str]:
    return post(b, b.invoice(), Status="DELETED")


@provokes(m.NOT_VALID_FOR_CREATION, "Invoice not of valid status for creation")
def making_an_invoice_that_is_paid(b: Bookkeeper) -> list[str]:
    return put(b, Status="PAID")


@provokes(m.HAS_PAYMENTS, EDITED_WITH_PAYMENT)
def a_paid_invoice_with_its_tax_inside(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.pay(invoice, 110)
    return post(b, invoice, LineAmountTypes="Inclusive")


@provokes(m.PAID_LINE_WITHOUT_ID, "To update fields on a paid invoice line item, you must supply a LineItemID")
def another_line_on_a_paid_invoice(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.pay(invoice, 110)
    return post(b, invoice, LineItems=[b.line(90)])


@provokes(
    m.STATUS_HAS_PAYMENTS,
    "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it.",
)
def voiding_a_part_paid_invoice(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.pay(invoice, 1)
    return post(b, invoice, Status="VOIDED")


@provokes(m.DATE_HAS_PAYMENTS, "Date cannot be changed on an invoice that has payment or credit notes allocated to it.")
def another_date_on_a_part_paid_invoice(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.pay(invoice, 1)
    return post(b, invoice, Date="2026-09-13")


@provokes(m.SENT_NOT_AUTHORISED, "Only AUTHORISED invoices may have SentToContact updated.")
def a_draft_marked_as_sent(b: Bookkeeper) -> list[str]:
    draft = b.invoice(Status="DRAFT", SentToContact=True)
    assert (draft["StatusAttributeString"], draft["SentToContact"]) == ("WARNING", False)
    return [warning["Message"] for warning in draft["Warnings"]]


@provokes(m.TOTAL_NOT_SUM, "The invoice total does not equal the sum of the lines.")
def a_total_that_is_not_the_sum(b: Bookkeeper) -> list[str]:
    return put(b, Total="110.01")


@provokes(m.TOTAL_NEGATIVE, "Invoice with a total less than 0 cannot be created.")
def an_invoice_below_zero(b: Bookkeeper) -> list[str]:
    return put(b, b.line(-1))


@provokes(m.APPROVAL_LIMIT, "You have reached the limit of invoices you can approve")
def one_approval_too_many_this_month(b: Bookkeeper) -> list[str]:
    b.change(ApprovalLimit=2)
    b.invoice()
    b.invoice()
    return put(b)


@provokes(m.PLAN_WITHOUT_INVOICING, "The organisation's plan does not include sales invoices")
def an_invoice_in_a_plan_without_invoicing(b: Bookkeeper) -> list[str]:
    b.change(Class="LEDGER")
    assert b.invoice(b.line(AccountCode="400", TaxType="INPUT"), Type="ACCPAY")
    return put(b, Status="DRAFT")


@provokes(m.LINES_MISSING, "One or more line items must be specified")
def an_invoice_without_lines(b: Bookkeeper) -> list[str]:
    assert post(b, b.invoice(), LineItems=[]) == put(b, LineItems=[])
    return post(b, b.invoice(Status="SUBMITTED"), LineItems=[])


@provokes(m.TYPE_NOT_VALID, "The Type 'ACCREK' is not valid for this document")
def an_unknown_type(b: Bookkeeper) -> list[str]:
    return put(b, Type="ACCREK")


@provokes(m.LINE_AMOUNT_TYPES_NOT_VALID, "The LineAmountTypes 'Gross' is not valid")
def unknown_line_amount_types(b: Bookkeeper) -> list[str]:
    return put(b, LineAmountTypes="Gross")


@provokes(m.DUE_DATE_MISSING, "The document DueDate field must be specified.")
def approved_without_a_due_date(b: Bookkeeper) -> list[str]:
    return put(b, DueDate=None)


@provokes(m.NUMBER_NOT_PRINTABLE, "InvoiceNumber may only contain printable ASCII characters")
def a_number_with_an_umlaut(b: Bookkeeper) -> list[str]:
    return put(b, InvoiceNumber="Ä-1")


@provokes(m.URL_NOT_VALID, "The Url must be a valid absolute url and must not contain the word xero")
def a_link_to_xero(b: Bookkeeper) -> list[str]:
    assert put(b, Url="invoices/1") == put(b, Url="https://xero.example.com/1")
    return put(b, Url="https://go.xero.com/1")


@provokes(m.PERIOD_LOCKED, "The document date cannot be before the period lock date, currently set at 14-Sep-2026")
def an_invoice_on_the_lock_date(b: Bookkeeper) -> list[str]:
    b.change(PeriodLockDate="2026-09-14")
    return put(b)


@provokes(m.YEAR_LOCKED, "The document date cannot be before the end of year lock date, currently set at 30-Jun-2027")
def a_payment_in_a_closed_year(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.change(EndOfYearLockDate="2027-06-30")
    return b.refused("PUT", "Payments", b.payment(invoice, 1))


@provokes(m.EDIT_PERIOD_LOCKED, "The document cannot be edited as it is currently dated before the period lock date")
def voiding_in_a_closed_period(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.change(PeriodLockDate="2026-09-30")
    return b.refused("POST", f"Invoices/{invoice['InvoiceID']}", {"Status": "VOIDED"})


@provokes(m.EDIT_YEAR_LOCKED, "The document cannot be edited as it is currently dated before the end of year lock date")
def an_edit_in_a_closed_year(b: Bookkeeper) -> list[str]:
    invoice = b.invoice()
    b.change(EndOfYearLockDate="2027-06-30", Adviser=True)
    return b.refused("POST", f"Invoices/{invoice['InvoiceID']}", {"Reference": "x"})


@provokes(m.CURRENCY_NOT_SUBSCRIBED, "Organisation is not subscribed to currency EUR")
def a_currency_of_others(b: Bookkeeper) -> list[str]:
    return put(b, CurrencyCode="EUR")


@provokes(m.FIELD_TOO_LONG, "The Reference field must not be longer than 255 characters")
def a_long_reference(b: Bookkeeper) -> list[str]:
    return put(b, Reference="x" * 256)


# lines


@provokes(m.ACCOUNT_CODE_NOT_VALID, "Account code '610' is not a valid code for this document.")
def a_line_on_the_debtors_account(b: Bookkeeper) -> list[str]:
    for code in ("090", "777"):
        assert put(b, b.line(AccountCode=code)) == [f"Account code '{code}' is not a valid code for this document."]
    return put(b, b.line(AccountCode="610"))


@provokes(
    m.ACCOUNT_CODE_ARCHIVED,
    "Account code '460' has been archived, or has been deleted. Each line item must reference a valid account.",
)
def a_line_on_an_archived_account(b: Bookkeeper) -> list[str]:
    return put(b, b.line(AccountCode="460"))


def warned(draft: Element) -> list[str]:
    assert draft["StatusAttributeString"] == "WARNING"
    return [warning["Message"] for warning in draft["Warnings"]]


@provokes(m.ACCOUNT_MISSING, "Account code or ID must be specified")
def approving_a_draft_without_account(b: Bookkeeper) -> list[str]:
    line = {name: value for name, value in b.line().items() if name != "AccountCode"}
    assert put(b, line) == ["Account code or ID must be specified"]
    return post(b, b.invoice(line, Status="DRAFT"), Status="AUTHORISED")


@provokes(m.TAX_MISSING, "The TaxType field is mandatory")
def approving_a_draft_without_account_and_tax_type(b: Bookkeeper) -> list[str]:
    line = {"Description": "Consultation", "UnitAmount": 100}
    both = ["Account code or ID must be specified", "The TaxType field is mandatory"]
    assert put(b, line) == both
    said = post(b, b.invoice(line, Status="DRAFT"), Status="AUTHORISED")
    assert said == both
    return said


@provokes(m.ACCOUNT_REMOVED, "Account code '777' has been removed as it does not match a recognised account.")
def a_draft_on_an_unknown_account(b: Bookkeeper) -> list[str]:
    return warned(b.invoice(b.line(AccountCode="777"), Status="DRAFT"))


@provokes(m.TAX_REMOVED, "The TaxType code TAX001 has been removed as it cannot be used here.")
def a_draft_with_a_deleted_tax_rate(b: Bookkeeper) -> list[str]:
    return warned(b.invoice(b.line(TaxType="TAX001"), Status="DRAFT"))


@provokes(m.TAX_NOT_FOR_ACCOUNT, "The TaxType code 'INPUT' cannot be used with account code '200'.")
def tax_on_expenses_on_an_income_account(b: Bookkeeper) -> list[str]:
    return put(b, b.line(TaxType="INPUT"))


@provokes(m.TAX_UNKNOWN, "The TaxType code TAX001 does not exist or cannot be used for this type of transaction")
def a_deleted_tax_rate(b: Bookkeeper) -> list[str]:
    assert put(b, b.line(TaxType="GST")) == [
        "The TaxType code GST does not exist or cannot be used for this type of transaction"
    ]
    return put(b, b.line(TaxType="TAX001"))


@provokes(m.LINE_TOTAL_WRONG, "The line total 1.00 does not match the expected line total 100.00")
def a_line_amount_that_does_not_follow(b: Bookkeeper) -> list[str]:
    return put(b, b.line(LineAmount="1.00"))


@provokes(m.TAX_ABOVE_LINE, "The tax amount cannot be greater than the line amount!")
def more_tax_than_money(b: Bookkeeper) -> list[str]:
    return put(b, b.line(TaxAmount="100.01"))


@provokes(
    m.DISCOUNT_NOT_VALID, "The discount rate '150.00' is invalid. Discount must not be greater than the line total."
)
def a_discount_above_the_line(b: Bookkeeper) -> list[str]:
    assert put(b, b.line(DiscountAmount=150)) == put(b, b.line(DiscountRate=150))
    return put(b, b.line(DiscountRate=150))


@provokes(m.DISCOUNT_NOT_HERE, "Discounts are only supported on sales invoices")
def a_discount_on_a_credit_note(b: Bookkeeper) -> list[str]:
    assert put(b, b.line(AccountCode="400", TaxType="INPUT", DiscountRate=5), Type="ACCPAY") == put_note(
        b, b.line(DiscountAmount=5)
    )
    return put_note(b, b.line(DiscountRate=5))


@provokes(m.QUANTITY_NEGATIVE, "The quantity value '-2.0000' is invalid. Quantity must not be less than zero.")
def a_quantity_below_zero(b: Bookkeeper) -> list[str]:
    return put(b, b.line(), b.line(Quantity=-2))


@provokes(m.LINE_TOO_LARGE, "The line amount exceeds the maximum of 9999999999.99")
def ten_billion(b: Bookkeeper) -> list[str]:
    return put(b, b.line("10000000000.00"))


@provokes(m.DESCRIPTION_MISSING, "A Description must be specified for each line item")
def an_approved_line_without_a_word(b: Bookkeeper) -> list[str]:
    b.invoice(b.line(Description=""), Status="DRAFT")
    return put(b, b.line(Description=""))


@provokes(m.ITEM_UNKNOWN, "Item code 'PHYSIO' is not valid")
def an_item_that_nobody_made(b: Bookkeeper) -> list[str]:
    return put(b, b.line(ItemCode="PHYSIO"))


@provokes(m.TRACKING_TOO_MANY, "A line item may have at most 2 tracking categories")
def three_tracking_categories(b: Bookkeeper) -> list[str]:
    return put(b, b.line(Tracking=[{"Name": name, "Option": "x"} for name in ("Site", "Team", "Room")]))
