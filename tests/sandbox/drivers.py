"""Other people's clients, unchanged, in front of the sandbox: Xero's own SDK and pyxero, and one way to tell both a story.

What is turned is where they look for Xero: pyxero's `credentials.base_url`, which is its own to set, and below the SDK, which has
Xero's hosts built in, where a network would lead it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

import httpx
import pytest
from xero import Xero
from xero.auth import OAuth2Credentials
from xero.exceptions import XeroBadRequest, XeroNotFound
from xero_python.accounting import (
    Account,
    AccountingApi,
    Allocation,
    Allocations,
    Contact,
    Contacts,
    CreditNote,
    CreditNotes,
    Invoice,
    Invoices,
    LineItem,
    Payment,
    PaymentDelete,
    Payments,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import AccountingBadRequestException, NotFoundException
from xero_python.identity import IdentityApi

from tests.sandbox.led_here import LedHere
from tests.sandbox.signing_in import WebApp

DAY, DUE, LATER = date(2026, 9, 14), date(2026, 9, 28), date(2026, 9, 16)


class Sdk:
    """The SDK as it comes from the registry, signed in to the first organisation by a client id and secret.

    Hosts, OAuth and all else are its own: what it is given is a token that has run out, so its first call renews it.
    """

    def __init__(self, url: str) -> None:
        web = WebApp(url)
        tokens = web.sign_in()
        self.held: dict[str, Any] = tokens | {"scope": tokens["scope"].split(), "expires_at": 0}
        self.saved: list[dict[str, Any]] = []
        configuration = Configuration()  # what is handed to it counts in the first one of a process only
        configuration.oauth2_token = OAuth2Token(web.client_id, web.secret)
        client = ApiClient(configuration, oauth2_token_getter=lambda: self.held, oauth2_token_saver=self.save)
        client.rest_client.pool_manager = LedHere(url)
        self.client, self.api, self.identity = client, AccountingApi(client), IdentityApi(client)
        self.tenant = self.identity.get_connections()[0].tenant_id
        web.http.close()

    def save(self, token: dict[str, Any]) -> None:
        self.held = token
        self.saved.append(token)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: getattr(self.api, name)(self.tenant, *args, **options)

    def close(self) -> None:
        self.client.rest_client.pool_manager.clear()


def pyxero(url: str, http: httpx.Client) -> Xero:
    """pyxero with the token that `http` has; it needs OAUTHLIB_INSECURE_TRANSPORT, as no http is good enough for its library."""
    token = {"access_token": http.headers["Authorization"].removeprefix("Bearer "), "token_type": "Bearer"}
    credentials = OAuth2Credentials("test-app", "", token=token, tenant_id=http.headers["Xero-Tenant-Id"])
    credentials.base_url = url
    return Xero(credentials)


@dataclass(frozen=True)
class Document:
    """What the story asks of an invoice or a credit note."""

    id: str
    number: str
    status: str
    open: Decimal
    due: date | None = None


class Client(Protocol):
    """One client's way to write and read what the story needs."""

    def contact(self, name: str) -> str: ...

    def draft(self, contact_id: str, description: str, quantity: str, price: str) -> Document: ...

    def approve(self, invoice_id: str) -> Document: ...

    def invoice(self, invoice_id: str) -> Document: ...

    def found(self, where: str, order: str, page: int) -> list[str]: ...

    def changed_since(self, moment: datetime) -> list[str]: ...

    def pay(self, invoice_id: str, amount: str) -> str: ...

    def take_back(self, payment_id: str) -> None: ...

    def credit(self, contact_id: str, price: str) -> Document: ...

    def allocate(self, note_id: str, invoice_id: str, amount: str) -> None: ...

    def note(self, note_id: str) -> tuple[Document, list[str]]: ...

    def undo(self, note_id: str, allocation_id: str) -> None: ...

    def void(self, invoice_id: str) -> Document: ...

    def refused(self, deed: Callable[[], Any]) -> list[str]: ...

    def misses(self, deed: Callable[[], Any]) -> bool: ...


class WithPyxero:
    """Sends XML, reads JSON."""

    def __init__(self, xero: Xero) -> None:
        self.xero = xero

    def contact(self, name: str) -> str:
        return str(self.xero.contacts.put({"Name": name, "EmailAddress": "jo@example.com"})[0]["ContactID"])

    def draft(self, contact_id: str, description: str, quantity: str, price: str) -> Document:
        lines = [_line(description, quantity, price)]
        wish = {"Type": "ACCREC", "Contact": {"ContactID": contact_id}, "Date": DAY, "DueDate": DUE, "Status": "DRAFT"}
        return self._document(self.xero.invoices.put(wish | {"LineItems": lines})[0])

    def approve(self, invoice_id: str) -> Document:
        """As its own documentation has it: what was read goes back whole, with one word changed."""
        read = self.xero.invoices.get(invoice_id)[0]
        return self._document(self.xero.invoices.save(read | {"Status": "AUTHORISED"})[0])

    def invoice(self, invoice_id: str) -> Document:
        return self._document(self.xero.invoices.get(invoice_id)[0])

    def found(self, where: str, order: str, page: int) -> list[str]:
        return [one["InvoiceNumber"] for one in self.xero.invoices.filter(raw=where, order=order, page=page)]

    def changed_since(self, moment: datetime) -> list[str]:
        return [one["InvoiceNumber"] for one in self.xero.invoices.filter(since=moment)]

    def pay(self, invoice_id: str, amount: str) -> str:
        wish = {"Invoice": {"InvoiceID": invoice_id}, "Account": {"Code": "090"}, "Date": LATER, "Amount": amount}
        return str(self.xero.payments.put(wish)[0]["PaymentID"])

    def take_back(self, payment_id: str) -> None:
        assert self.xero.payments.delete(payment_id)[0]["Status"] == "DELETED"

    def credit(self, contact_id: str, price: str) -> Document:
        wish = {"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact_id}, "Date": LATER, "Status": "AUTHORISED"}
        made = self.xero.creditnotes.put(wish | {"LineItems": [_line("Not attended", "1", price)]})[0]
        return self._document(made)

    def allocate(self, note_id: str, invoice_id: str, amount: str) -> None:
        self.xero.creditnotes.put_allocation(note_id, {"Amount": amount, "Invoice": {"InvoiceID": invoice_id}})

    def note(self, note_id: str) -> tuple[Document, list[str]]:
        read = self.xero.creditnotes.get(note_id)[0]
        return self._document(read), [one["AllocationID"] for one in read["Allocations"]]

    def undo(self, note_id: str, allocation_id: str) -> None:
        assert self.xero.creditnotes.delete_allocation(note_id, allocation_id)["Allocations"][0]["IsDeleted"]

    def void(self, invoice_id: str) -> Document:
        return self._document(self.xero.invoices.save({"InvoiceID": invoice_id, "Status": "VOIDED"})[0])

    def refused(self, deed: Callable[[], Any]) -> list[str]:
        try:
            deed()
        except XeroBadRequest as error:
            return list(error.errors)
        raise AssertionError("this was taken")

    def misses(self, deed: Callable[[], Any]) -> bool:
        try:
            deed()
        except XeroNotFound:
            return True
        return False

    def _document(self, read: dict[str, Any]) -> Document:
        invoice = "InvoiceID" in read
        due = read["DueDate"].date() if invoice else None
        number = read["InvoiceNumber" if invoice else "CreditNoteNumber"]
        remains = Decimal(str(read["AmountDue" if invoice else "RemainingCredit"]))
        return Document(read["InvoiceID" if invoice else "CreditNoteID"], number, read["Status"], remains, due)


def _line(description: str, quantity: str, price: str) -> dict[str, str]:
    what = {"Description": description, "Quantity": quantity, "UnitAmount": price}
    return what | {"AccountCode": "200", "TaxType": "OUTPUT"}


class WithSdk:
    """Sends and reads JSON."""

    def __init__(self, sdk: Sdk) -> None:
        self.sdk = sdk

    def contact(self, name: str) -> str:
        wish = Contacts(contacts=[Contact(name=name, email_address="jo@example.com")])
        return str(self.sdk.create_contacts(wish).contacts[0].contact_id)

    def draft(self, contact_id: str, description: str, quantity: str, price: str) -> Document:
        wish = Invoice(type="ACCREC", contact=Contact(contact_id=contact_id), date=DAY, due_date=DUE, status="DRAFT")
        wish.line_items = [self._line(description, quantity, price)]
        return self._invoice(self.sdk.create_invoices(Invoices(invoices=[wish])))

    def approve(self, invoice_id: str) -> Document:
        return self._change(invoice_id, "AUTHORISED")

    def invoice(self, invoice_id: str) -> Document:
        return self._invoice(self.sdk.get_invoice(invoice_id))

    def found(self, where: str, order: str, page: int) -> list[str]:
        return [one.invoice_number for one in self.sdk.get_invoices(where=where, order=order, page=page).invoices]

    def changed_since(self, moment: datetime) -> list[str]:
        return [one.invoice_number for one in self.sdk.get_invoices(if_modified_since=moment).invoices]

    def pay(self, invoice_id: str, amount: str) -> str:
        wish = Payment(invoice=Invoice(invoice_id=invoice_id), account=Account(code="090"), date=LATER)
        wish.amount = Decimal(amount)
        return str(self.sdk.create_payments(Payments(payments=[wish])).payments[0].payment_id)

    def take_back(self, payment_id: str) -> None:
        assert self.sdk.delete_payment(payment_id, PaymentDelete(status="DELETED")).payments[0].status == "DELETED"

    def credit(self, contact_id: str, price: str) -> Document:
        wish = CreditNote(type="ACCRECCREDIT", contact=Contact(contact_id=contact_id), date=LATER, status="AUTHORISED")
        wish.line_items = [self._line("Not attended", "1", price)]
        return self._note(self.sdk.create_credit_notes(CreditNotes(credit_notes=[wish])))

    def allocate(self, note_id: str, invoice_id: str, amount: str) -> None:
        share = Allocation(invoice=Invoice(invoice_id=invoice_id), amount=Decimal(amount), date=LATER)
        self.sdk.create_credit_note_allocation(note_id, Allocations(allocations=[share]))

    def note(self, note_id: str) -> tuple[Document, list[str]]:
        answer = self.sdk.get_credit_note(note_id)
        return self._note(answer), [one.allocation_id for one in answer.credit_notes[0].allocations]

    def undo(self, note_id: str, allocation_id: str) -> None:
        """It undoes the allocation and can't read Xero's answer to that (xero-python#159)."""
        with pytest.raises(ValueError, match="Invalid value for `invoice`"):
            self.sdk.delete_credit_note_allocations(note_id, allocation_id)

    def void(self, invoice_id: str) -> Document:
        return self._change(invoice_id, "VOIDED")

    def refused(self, deed: Callable[[], Any]) -> list[str]:
        try:
            deed()
        except AccountingBadRequestException as error:
            return [one["Message"] for element in error.error_data["Elements"] for one in element["ValidationErrors"]]
        raise AssertionError("this was taken")

    def misses(self, deed: Callable[[], Any]) -> bool:
        try:
            deed()
        except NotFoundException:
            return True
        return False

    def _change(self, invoice_id: str, status: str) -> Document:
        return self._invoice(self.sdk.update_invoice(invoice_id, Invoices(invoices=[Invoice(status=status)])))

    def _line(self, description: str, quantity: str, price: str) -> LineItem:
        what = LineItem(description=description, quantity=Decimal(quantity), unit_amount=Decimal(price))
        what.account_code, what.tax_type = "200", "OUTPUT"
        return what

    def _invoice(self, answer: Any) -> Document:
        one = answer.invoices[0]
        return Document(one.invoice_id, one.invoice_number, one.status, one.amount_due, one.due_date)

    def _note(self, answer: Any) -> Document:
        one = answer.credit_notes[0]
        return Document(one.credit_note_id, one.credit_note_number, one.status, one.remaining_credit)
