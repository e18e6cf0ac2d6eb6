"""Messages about contacts, settings, and requests that can't be read at all."""

from __future__ import annotations

import json

from caspen_xero.sandbox.books import messages as m
from tests.sandbox.bookkeeper import Bookkeeper
from tests.sandbox.provocations import provokes
from tests.sandbox.provoked_by_documents import ELSEWHERE, put

NAME = "Jo Smith (Caspen 10001)"


def put_contact(b: Bookkeeper, **fields: object) -> list[str]:
    return b.refused("PUT", "Contacts", {"Name": "Somebody else"} | fields)


def whole(b: Bookkeeper, method: str, path: str, body: object, number: int, **params: str) -> list[str]:
    """The message of a request that is refused as a whole."""
    answer = b.ask(method, path, body, **params)
    assert answer.status == 400
    error = json.loads(answer.body)
    assert error["ErrorNumber"] == number
    assert "Elements" not in error or number == 10
    return [error["Message"]]


@provokes(
    m.CONTACT_NAME_TAKEN,
    "The contact name JO SMITH (caspen 10001) is already assigned to another contact. "
    "The contact name must be unique across all active contacts.",
)
def a_name_of_another_spelt_otherwise(b: Bookkeeper) -> list[str]:
    b.contact(NAME)
    return put_contact(b, Name="JO SMITH (caspen 10001)")


@provokes(m.CONTACT_NUMBER_TAKEN, "Another contact has this contact number. Please enter a different contact number.")
def a_number_of_an_archived_contact(b: Bookkeeper) -> list[str]:
    b.api.archive_contact(b.tenant, b.contact(NAME, ContactNumber="client-1"))
    return put_contact(b, ContactNumber="client-1")


@provokes(
    m.CONTACT_ARCHIVED,
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API.",
)
def restoring_a_contact_through_the_api(b: Bookkeeper) -> list[str]:
    contact_id = b.contact(NAME)
    b.post(f"Contacts/{contact_id}", {"ContactStatus": "ARCHIVED"})
    return b.refused("POST", f"Contacts/{contact_id}", {"ContactStatus": "ACTIVE"})


@provokes(
    m.CONTACT_ARCHIVED_NO_INVOICE,
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes.",
)
def invoicing_an_archived_contact(b: Bookkeeper) -> list[str]:
    contact_id = b.contact(NAME)
    invoice = b.invoice()
    b.api.archive_contact(b.tenant, contact_id)
    voiding = b.refused("POST", f"Invoices/{invoice['InvoiceID']}", {"Status": "VOIDED"})
    assert voiding == put(b, Contact={"ContactID": contact_id})
    return voiding


@provokes(m.CONTACT_STATUS_NOT_VALID, "The status 'ARCHIVED' is not valid for contacts")
def making_an_archived_contact(b: Bookkeeper) -> list[str]:
    return put_contact(b, ContactStatus="ARCHIVED")


@provokes(m.CONTACT_NAME_EMPTY, "Contact Name cannot be empty.")
def a_contact_without_a_name(b: Bookkeeper) -> list[str]:
    return put_contact(b, Name="")


@provokes(m.CONTACT_NAME_NOT_VALID, "The contact name Jo <b> is not valid")
def a_name_with_angle_brackets(b: Bookkeeper) -> list[str]:
    for name in (" Jo", "Jo ", "Jo  Smith"):
        assert put_contact(b, Name=name) == [f"The contact name {name} is not valid"]
    return put_contact(b, Name="Jo <b>")


@provokes(m.CONTACT_MISSING, "A Contact must be specified for this type of transaction")
def an_invoice_for_nobody(b: Bookkeeper) -> list[str]:
    return put(b, Contact=None)


@provokes(
    m.CONTACT_UNIDENTIFIED,
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber",
)
def an_invoice_for_an_email_address(b: Bookkeeper) -> list[str]:
    return put(b, Contact={"EmailAddress": "jo@example.com"})


@provokes(m.CONTACT_NOT_FOUND, "An existing Contact with the specified ContactID could not be found")
def an_invoice_for_an_unknown_id(b: Bookkeeper) -> list[str]:
    return put(b, Contact={"ContactID": ELSEWHERE})


@provokes(m.EMAIL_NOT_VALID, "Email address must be valid.")
def an_email_address_with_an_umlaut(b: Bookkeeper) -> list[str]:
    assert put_contact(b, EmailAddress="jo@") == put_contact(b, EmailAddress="jö@example.com")
    return put_contact(b, EmailAddress="jo at example.com")


@provokes(m.PERSONS_TOO_MANY, "A contact may have at most 5 contact persons")
def six_contact_persons(b: Bookkeeper) -> list[str]:
    return put_contact(b, ContactPersons=[{"FirstName": str(number)} for number in range(6)])


# settings


@provokes(m.ACCOUNT_CODE_TAKEN, "Please enter a unique Code.")
def an_account_code_used_before(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "Accounts", {"Code": "200", "Name": "More sales", "Type": "REVENUE"})


@provokes(m.ACCOUNT_NAME_TAKEN, "Please enter a unique Name.")
def an_account_name_used_before(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "Accounts", {"Code": "299", "Name": "Sales", "Type": "REVENUE"})


@provokes(m.ACCOUNT_FIELD_MISSING, "Code must be specified for an account")
def an_account_without_a_code(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "Accounts", {"Name": "Petty cash", "Type": "CURRENT"})


@provokes(m.BANK_ACCOUNT_NUMBER_MISSING, "Please enter a valid Bank Account Number.")
def a_bank_account_without_a_number(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "Accounts", {"Code": "099", "Name": "Petty cash", "Type": "BANK"})


@provokes(m.ACCOUNT_IS_SYSTEM, "System accounts cannot be changed")
def renaming_the_debtors_account(b: Bookkeeper) -> list[str]:
    debtors = next(account for account in b.list("Accounts") if account.get("SystemAccount") == "DEBTORS")
    return b.refused("POST", f"Accounts/{debtors['AccountID']}", {"Name": "They owe us"})


@provokes(m.TAX_RATE_IS_SYSTEM, "System tax rates cannot be changed")
def renaming_gst(b: Bookkeeper) -> list[str]:
    return b.refused("POST", "TaxRates", {"TaxType": "OUTPUT", "Name": "Goods and services"})


@provokes(m.TAX_RATE_NOT_FOUND, "A tax rate with the specified TaxType could not be found")
def renaming_no_rate(b: Bookkeeper) -> list[str]:
    return b.refused("POST", "TaxRates", {"TaxType": "TAX009", "Name": "x"})


LEVY = {"Name": "Levy", "ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "Levy", "Rate": "2.5"}]}


@provokes(m.TAX_RATE_NAME_TAKEN, "A tax rate with this name already exists")
def a_rate_made_twice(b: Bookkeeper) -> list[str]:
    b.put("TaxRates", LEVY)
    return b.refused("PUT", "TaxRates", LEVY)


@provokes(m.TAX_RATE_FIELD_MISSING, "ReportTaxType must be specified for a tax rate")
def a_rate_for_no_report(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "TaxRates", LEVY | {"ReportTaxType": ""})


@provokes(m.TAX_COMPONENT_LOST, "Tax components cannot be removed or renamed")
def renaming_a_component(b: Bookkeeper) -> list[str]:
    b.put("TaxRates", LEVY)
    return b.refused("POST", "TaxRates", {"TaxType": "TAX002", "TaxComponents": [{"Name": "Toll", "Rate": 1}]})


@provokes(m.CURRENCY_NOT_VALID, "The currency code 'XXX' is not valid")
def a_currency_that_is_none(b: Bookkeeper) -> list[str]:
    return b.refused("PUT", "Currencies", {"Code": "XXX"})


# whole requests


@provokes(m.BODY_NOT_READABLE, "The request body could not be read: it is not JSON")
def a_body_that_breaks_off(b: Bookkeeper) -> list[str]:
    whole(b, "PUT", "Invoices", b"", 14)
    whole(b, "PUT", "Invoices", {"Invoices": []}, 14)
    whole(b, "PUT", "Invoices", {"Invoices": [b.draft(b.line("ten"))]}, 14)
    whole(b, "PUT", "Invoices", {"Invoices": [b.draft(Date="14/09/2026")]}, 14)
    return whole(b, "PUT", "Invoices", b'{"Invoices": [', 14)


@provokes(
    m.NO_DATA,
    "No data has been processed for this endpoint. "
    "This endpoint is expecting Allocation data to be specified in the request body.",
)
def no_allocations(b: Bookkeeper) -> list[str]:
    note = b.credit_note()
    return whole(b, "PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", {"Allocations": []}, 17)


@provokes(m.WHERE_NOT_READABLE, "Where clause invocation error: Syntax error '\\'")
def a_backslash_in_a_filter(b: Bookkeeper) -> list[str]:
    return whole(b, "GET", "Invoices", None, 16, where='Reference=="a\\"')


@provokes(m.ORDER_NOT_READABLE, "Order clause invocation error: 'Colour'")
def an_order_by_nothing(b: Bookkeeper) -> list[str]:
    return whole(b, "GET", "Invoices", None, 16, order="Colour")


@provokes(
    m.BROKEN,
    "An error occurred in Xero. Check the API Status page http://status.developer.xero.com for current service status. "
    "Contact the API support team at api@xero.com for more assistance.",
)
def a_method_of_a_field_that_holds_nothing(b: Bookkeeper) -> list[str]:
    b.contact(NAME)
    answer = b.ask("GET", "Contacts", where='AccountNumber.Contains("1")')
    error = json.loads(answer.body)
    assert (answer.status, error["ErrorNumber"], error["Type"]) == (500, 500, "UnknownErrorException")
    return [error["Message"]]


@provokes(m.VALIDATION, "A validation exception occurred")
def a_refused_element_of_a_summarized_request(b: Bookkeeper) -> list[str]:
    return whole(b, "PUT", "Invoices", {"Invoices": [b.draft(), b.draft(Total=1)]}, 10)
