"""Xero's own SDK drives the sandbox through every document's life over HTTP, and its models read every answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from xero_python.accounting import (
    Account,
    Accounts,
    AccountType,
    Allocation,
    Allocations,
    BankTransaction,
    BankTransactions,
    BatchPayment,
    BatchPaymentDelete,
    BatchPayments,
    Contact,
    Contacts,
    CreditNote,
    CreditNotes,
    Currency,
    CurrencyCode,
    Invoice,
    Invoices,
    LineItem,
    Payment,
    PaymentDelete,
    Payments,
    TaxComponent,
    TaxRate,
    TaxRates,
)
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException, NotFoundException

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.drivers import Sdk
from tests.sandbox.invoicing import INVOICES, make_invoice
from tests.sandbox.signing_in import App

DAY, LATER = date(2026, 9, 14), date(2026, 9, 28)


@pytest.fixture
def sdk(box: Sandbox) -> Iterator[Sdk]:
    one = Sdk(box.url)
    yield one
    one.close()


def line(amount: str = "100.00", **fields: Any) -> LineItem:
    usual = {"description": "Consultation", "quantity": Decimal(1), "account_code": "200", "tax_type": "OUTPUT"}
    return LineItem(unit_amount=Decimal(amount), **(usual | fields))


def an_invoice(contact: Contact, *lines: LineItem, **fields: Any) -> Invoice:
    usual: dict[str, Any] = {"type": "ACCREC", "date": DAY, "due_date": LATER, "status": "AUTHORISED"}
    return Invoice(
        contact=Contact(contact_id=contact.contact_id), line_items=list(lines or (line(),)), **(usual | fields)
    )


@pytest.fixture
def jo(sdk: Sdk) -> Contact:
    wish = Contact(name="Jo Smith (Caspen 10001)", contact_number="client-1", email_address="jo@example.com")
    return sdk.create_contacts(Contacts(contacts=[wish])).contacts[0]


def test_the_life_of_an_invoice_through_the_sdks_own_sign_in(box: Sandbox, sdk: Sdk, jo: Contact) -> None:
    assert len(sdk.saved) == 1  # renewed by the secret at its first call
    wish = an_invoice(jo, line("100.00", discount_rate=Decimal(10)), invoice_number="PY-1", status="DRAFT")
    made = sdk.create_invoices(Invoices(invoices=[wish])).invoices[0]
    sdk.update_invoice(made.invoice_id, Invoices(invoices=[Invoice(status="AUTHORISED")]))
    box.clock.move(timedelta(minutes=31))
    sdk.held["expires_at"] = 0
    pay = Payment(invoice=Invoice(invoice_id=made.invoice_id), account=Account(code="090"), amount=99, date=LATER)
    paid = sdk.create_payment(pay).payments[0]
    assert len(sdk.saved) == 2
    assert sdk.saved[0]["refresh_token"] != sdk.saved[1]["refresh_token"]
    found = sdk.get_invoices(where='Type=="ACCREC" AND Status=="PAID"', page=1, page_size=10).invoices
    assert [(one.invoice_number, one.amount_paid) for one in found] == [("PY-1", 99)]
    assert sdk.delete_payment(paid.payment_id, PaymentDelete(status="DELETED")).payments[0].status == "DELETED"
    voided = sdk.update_invoice(made.invoice_id, Invoices(invoices=[Invoice(status="VOIDED")])).invoices[0]
    assert voided.status == "VOIDED"
    connection = sdk.identity.get_connections()[0]
    assert connection.tenant_name == "Demo Company (AU)"
    sdk.client.revoke_oauth2_token()
    assert sdk.held["refresh_token"] is None
    assert not box.xero.db.execute("SELECT * FROM identity_connections").fetchall()


def test_the_sdk_with_a_wrong_secret_gets_no_new_token(box: Sandbox, sdk: Sdk) -> None:
    box.xero.settings.turn({"clients": {"web-app": "another secret"}})
    sdk.held["expires_at"] = 0
    with pytest.raises(HTTPStatusException) as refusal:
        sdk.get_organisations()
    assert (refusal.value.status, refusal.value.body) == (400, b'{"error": "invalid_client"}')


def test_the_sdk_as_a_custom_connection_names_no_organisation(sdk: Sdk) -> None:
    sdk.client.get_client_credentials_token()
    assert len(sdk.saved) == 2
    assert sdk.api.get_organisations("").organisations[0].name == "Demo Company (AU)"


def test_reads_the_organisation_and_its_settings(sdk: Sdk) -> None:
    organisation = sdk.get_organisations().organisations[0]
    assert organisation.base_currency.value == "AUD"
    assert organisation.short_code.startswith("!")
    assert sdk.get_organisation_actions().actions
    accounts = {account.code: account for account in sdk.get_accounts().accounts}
    assert accounts["090"].type.value == "BANK"
    assert accounts["860"].system_account == "ROUNDING"
    assert sdk.get_account(accounts["200"].account_id).accounts[0].name == "Sales"
    rates = {rate.tax_type: rate for rate in sdk.get_tax_rates().tax_rates}
    assert rates["OUTPUT"].effective_rate == 10
    assert "DELETED" in {rate.status for rate in rates.values()}
    assert sdk.get_tax_rate_by_tax_type("EXEMPTOUTPUT").tax_rates[0].name == "GST Free Income"
    assert [currency.code.value for currency in sdk.get_currencies().currencies] == ["AUD"]


def test_settings_can_be_added_and_retired(sdk: Sdk) -> None:
    made = sdk.create_account(Account(code="444", name="Laundry", type=AccountType.EXPENSE)).accounts[0]
    renamed = sdk.update_account(made.account_id, Accounts(accounts=[Account(name="Linen")])).accounts[0]
    assert (renamed.name, renamed._class) == ("Linen", "EXPENSE")
    assert sdk.delete_account(made.account_id).accounts[0].status == "DELETED"
    wish = TaxRate(name="Levy", report_tax_type="OUTPUT", tax_components=[TaxComponent(name="Levy", rate=2.5)])
    rate = sdk.create_tax_rates(TaxRates(tax_rates=[wish])).tax_rates[0]
    assert (rate.tax_type, rate.effective_rate) == ("TAX002", Decimal("2.5"))
    gone = sdk.update_tax_rate(TaxRates(tax_rates=[TaxRate(tax_type="TAX002", status="DELETED")])).tax_rates[0]
    assert gone.status == "DELETED"
    sdk.create_tax_rates(
        TaxRates(tax_rates=[TaxRate(name="Second levy", report_tax_type="OUTPUT", tax_components=wish.tax_components)])
    )
    by_name = sdk.update_tax_rate(TaxRates(tax_rates=[TaxRate(name="Second levy", status="DELETED")])).tax_rates[0]
    assert (by_name.tax_type, by_name.status) == ("TAX003", "DELETED")
    assert sdk.create_currency(Currency(code=CurrencyCode.NZD, description="Dollar")).currencies[0].code.value == "NZD"


def test_life_of_a_contact(sdk: Sdk, jo: Contact) -> None:
    assert {address.address_type for address in jo.addresses} == {"STREET", "POBOX"}
    assert {phone.phone_type for phone in jo.phones} == {"DEFAULT", "DDI", "FAX", "MOBILE"}
    assert sdk.get_contact_by_contact_number("client-1").contacts[0].contact_id == jo.contact_id
    sdk.update_contact(jo.contact_id, Contacts(contacts=[Contact(first_name="Jo")]))
    read = sdk.get_contact(jo.contact_id).contacts[0]
    assert (read.first_name, read.email_address) == ("Jo", "jo@example.com")
    found = sdk.get_contacts(where='Name=="JO SMITH (caspen 10001)"', page=1, page_size=10)
    assert (found.pagination.item_count, found.contacts[0].contact_id) == (1, jo.contact_id)
    archived = sdk.update_contact(jo.contact_id, Contacts(contacts=[Contact(contact_status="ARCHIVED")])).contacts[0]
    assert archived.contact_status == "ARCHIVED"
    assert sdk.get_contacts().contacts == []
    assert len(sdk.get_contacts(include_archived=True).contacts) == 1
    with pytest.raises(AccountingBadRequestException) as refusal:
        sdk.update_contact(jo.contact_id, Contacts(contacts=[Contact(first_name="J")]))
    assert refusal.value.error_data["Elements"][0]["ContactID"] == jo.contact_id


def test_life_of_an_invoice(sdk: Sdk, jo: Contact) -> None:
    wish = an_invoice(jo, line("10.955", quantity=Decimal("1.5"), discount_rate=Decimal(10)), status="DRAFT")
    made = sdk.create_invoices(Invoices(invoices=[wish]), unitdp=4, summarize_errors=False).invoices[0]
    assert (made.status, made.status_attribute_string, made.invoice_number) == ("DRAFT", "OK", "INV-0001")
    assert (made.sub_total, made.total_tax, made.total) == (Decimal("14.79"), Decimal("1.48"), Decimal("16.27"))
    read = sdk.get_invoice("INV-0001", unitdp=4).invoices[0]
    assert read.line_items[0].unit_amount == Decimal("10.955")
    assert (read.date, read.due_date) == (DAY, LATER)
    change = Invoices(invoices=[Invoice(reference="Session 12", status="AUTHORISED")])
    approved = sdk.update_invoice(made.invoice_id, change).invoices[0]
    assert (approved.status, approved.amount_due) == ("AUTHORISED", Decimal("16.27"))
    listed = sdk.get_invoices(where='Reference=="Session 12"', page=1, statuses=["AUTHORISED"])
    assert [invoice.invoice_id for invoice in listed.invoices] == [made.invoice_id]
    assert sdk.get_invoices(i_ds=[made.invoice_id]).invoices[0].line_items == []
    voided = sdk.update_invoice(made.invoice_id, Invoices(invoices=[Invoice(status="VOIDED")])).invoices[0]
    assert (voided.status, voided.amount_due) == ("VOIDED", Decimal("16.27"))  # still what was due, as recorded
    assert sdk.get_invoice(made.invoice_id).invoices[0].amount_due == 0
    with pytest.raises(AccountingBadRequestException) as refusal:
        sdk.create_invoices(Invoices(invoices=[an_invoice(jo, invoice_number="INV-0001")]))
    assert refusal.value.reason == "Invoice # must be unique."


def test_each_element_answers_for_itself(sdk: Sdk, jo: Contact) -> None:
    wishes = [
        an_invoice(jo, invoice_number="A"),
        an_invoice(jo, invoice_number="A"),
        an_invoice(jo, invoice_number="B"),
    ]
    answer = sdk.create_invoices(Invoices(invoices=wishes), summarize_errors=False).invoices
    assert [invoice.status_attribute_string for invoice in answer] == ["OK", "ERROR", "OK"]
    assert answer[1].invoice_id == "00000000-0000-0000-0000-000000000000"
    assert answer[1].validation_errors[0].message == "Invoice # must be unique."
    assert answer[1].date == DAY


def test_life_of_a_payment(sdk: Sdk, jo: Contact) -> None:
    invoice = sdk.create_invoices(Invoices(invoices=[an_invoice(jo)])).invoices[0]
    wish = Payment(
        invoice=Invoice(invoice_id=invoice.invoice_id),
        account=Account(code="090"),
        amount=Decimal("110.00"),
        date=DAY,
        reference="EFTPOS alloc-1",
    )
    paid = sdk.create_payments(Payments(payments=[wish])).payments[0]
    assert (paid.status, paid.payment_type, paid.invoice.status) == ("AUTHORISED", "ACCRECPAYMENT", "PAID")
    found = sdk.get_payments(where='Reference=="EFTPOS alloc-1"').payments[0]
    assert found.invoice.invoice_number == invoice.invoice_number
    read = sdk.get_invoice(invoice.invoice_id).invoices[0]
    assert (read.payments[0].payment_id, read.fully_paid_on_date) == (paid.payment_id, DAY)
    gone = sdk.delete_payment(paid.payment_id, PaymentDelete(status="DELETED")).payments[0]
    assert gone.status == "DELETED"
    assert sdk.get_payment(paid.payment_id).payments[0].status == "DELETED"
    assert sdk.get_invoice(invoice.invoice_id).invoices[0].status == "AUTHORISED"
    single = sdk.create_payment(wish).payments[0]
    assert single.amount == Decimal("110.00")


def test_life_of_a_batch_payment(sdk: Sdk, jo: Contact) -> None:
    invoices = sdk.create_invoices(Invoices(invoices=[an_invoice(jo), an_invoice(jo)])).invoices
    members = [Payment(invoice=Invoice(invoice_id=one.invoice_id), amount=Decimal(40)) for one in invoices]
    wish = BatchPayment(account=Account(code="090"), date=DAY, reference="HICAPS 14 Sep", payments=members)
    batch = sdk.create_batch_payment(BatchPayments(batch_payments=[wish])).batch_payments[0]
    assert (batch.type, batch.total_amount, len(batch.payments)) == ("RECBATCH", 80, 2)
    row = sdk.get_payments().payments[0]
    assert (row.payment_id, row.batch_payment_id) == (batch.payments[0].payment_id, batch.batch_payment_id)
    assert sdk.get_payment(row.payment_id).payments[0].batch_payment_id == batch.batch_payment_id
    assert row.batch_payment.total_amount == 80
    with pytest.raises(AccountingBadRequestException):
        sdk.delete_payment(row.payment_id, PaymentDelete(status="DELETED"))
    delete = BatchPaymentDelete(status="DELETED", batch_payment_id=batch.batch_payment_id)
    assert sdk.delete_batch_payment(delete).batch_payments[0].status == "DELETED"
    assert sdk.get_batch_payment(batch.batch_payment_id).batch_payments[0].status == "DELETED"
    assert {payment.status for payment in sdk.get_payments().payments} == {"DELETED"}
    assert sdk.get_batch_payments().batch_payments[0].date == DAY


def test_life_of_a_credit_note(sdk: Sdk, jo: Contact, box: Sandbox) -> None:
    invoice = sdk.create_invoices(Invoices(invoices=[an_invoice(jo)])).invoices[0]
    wish = CreditNote(
        type="ACCRECCREDIT",
        contact=Contact(contact_id=jo.contact_id),
        date=LATER,
        status="AUTHORISED",
        line_items=[line("50.00")],
    )
    note = sdk.create_credit_notes(CreditNotes(credit_notes=[wish])).credit_notes[0]
    assert (note.credit_note_number, note.total, note.remaining_credit) == ("CN-0001", 55, 55)
    share = Allocation(invoice=Invoice(invoice_id=invoice.invoice_id), amount=Decimal("33.00"), date=DAY)
    answer = sdk.create_credit_note_allocation(note.credit_note_id, Allocations(allocations=[share])).allocations[0]
    assert (answer.amount, answer.date, answer.allocation_id) == (33, LATER, None)
    read = sdk.get_credit_note(note.credit_note_id).credit_notes[0]
    assert (read.remaining_credit, read.allocations[0].invoice.invoice_id) == (22, invoice.invoice_id)
    owed = sdk.get_invoice(invoice.invoice_id).invoices[0]
    assert (owed.amount_credited, owed.amount_due, owed.credit_notes[0].applied_amount) == (33, 77, 33)
    refund = Payment(credit_note=CreditNote(credit_note_id=note.credit_note_id), account=Account(code="090"))
    refund.amount, refund.date = Decimal(22), LATER
    assert sdk.create_payments(Payments(payments=[refund])).payments[0].payment_type == "ARCREDITPAYMENT"
    assert sdk.get_credit_notes(page=1).credit_notes[0].status == "PAID"
    box.xero.settings.turn({"undone_allocation": "bare"})  # as Xero's description has it
    undone = sdk.delete_credit_note_allocations(note.credit_note_id, read.allocations[0].allocation_id)
    assert undone.is_deleted
    assert sdk.get_invoice(invoice.invoice_id).invoices[0].amount_due == 110


def test_life_of_an_overpayment_and_a_prepayment(sdk: Sdk, jo: Contact, box: Sandbox) -> None:
    box.xero.settings.turn({"undone_allocation": "bare"})
    invoice = sdk.create_invoices(Invoices(invoices=[an_invoice(jo)])).invoices[0]
    over = BankTransaction(
        type="RECEIVE-OVERPAYMENT",
        contact=Contact(contact_id=jo.contact_id),
        bank_account=Account(code="090"),
        date=DAY,
        line_items=[LineItem(description="Paid twice", quantity=1, unit_amount=Decimal(30), account_code="610")],
    )
    before = BankTransaction(
        type="RECEIVE-PREPAYMENT",
        contact=Contact(contact_id=jo.contact_id),
        bank_account=Account(code="090"),
        date=DAY,
        line_items=[line("20.00")],
    )
    made = sdk.create_bank_transactions(BankTransactions(bank_transactions=[over, before])).bank_transactions
    over_id, pre_id = made[0].overpayment_id, made[1].prepayment_id
    assert (made[0].total, made[1].total) == (30, 20)
    share = Allocation(invoice=Invoice(invoice_id=invoice.invoice_id), amount=Decimal(10), date=DAY)
    sdk.create_overpayment_allocations(over_id, Allocations(allocations=[share]))
    sdk.create_prepayment_allocations(pre_id, Allocations(allocations=[share]))
    owed = sdk.get_invoice(invoice.invoice_id).invoices[0]
    assert (owed.amount_due, owed.amount_credited) == (90, 20)
    assert (owed.overpayments[0].applied_amount, owed.prepayments[0].applied_amount) == (10, 10)
    overpayment = sdk.get_overpayment(over_id).overpayments[0]
    assert (overpayment.remaining_credit, overpayment.line_amount_types.value) == (20, "NoTax")
    undone = sdk.delete_overpayment_allocations(over_id, overpayment.allocations[0].allocation_id)
    assert undone.is_deleted
    prepayment = sdk.get_prepayments(page=1).prepayments[0]
    assert (prepayment.remaining_credit, prepayment.total_tax) == (10, Decimal("1.82"))
    sdk.delete_prepayment_allocations(pre_id, prepayment.allocations[0].allocation_id)
    assert sdk.get_invoice(invoice.invoice_id).invoices[0].amount_due == 110
    assert sdk.get_bank_transaction(over_id).bank_transactions[0].overpayment_id == over_id
    assert len(sdk.get_overpayments().overpayments) == 1


def test_what_is_not_there_is_no_json(sdk: Sdk) -> None:
    with pytest.raises(NotFoundException):
        sdk.get_invoice("00000000-0000-0000-0000-000000000001")


def test_only_changes_are_read(sdk: Sdk, jo: Contact, box: Sandbox) -> None:
    sdk.create_invoices(Invoices(invoices=[an_invoice(jo)]))
    now = box.xero.clock.now()
    assert len(sdk.get_invoices(if_modified_since=now - timedelta(minutes=1), page=1).invoices) == 1
    assert sdk.get_invoices(if_modified_since=now + timedelta(minutes=1), page=1).invoices == []


def test_each_app_finds_the_invoices_that_it_made(sdk: Sdk, jo: Contact, box: Sandbox) -> None:
    mine = sdk.create_invoices(Invoices(invoices=[an_invoice(jo)])).invoices[0]
    other = App(box.url, client_id="another-app")
    other.sign_in()
    theirs = make_invoice(other.http, "THEIRS-1")
    assert [one.invoice_id for one in sdk.get_invoices(created_by_my_app=True).invoices] == [mine.invoice_id]
    found = other.http.get(INVOICES, params={"createdByMyApp": "true"}).json()["Invoices"]
    assert [one["InvoiceID"] for one in found] == [theirs["InvoiceID"]]
    assert len(sdk.get_invoices().invoices) == 2
    other.http.close()
