"""What Xero shows of a contact: by itself, in a list, inside a document, and refused."""

from __future__ import annotations

from caspen_xero.sandbox.books.ledger import Body
from caspen_xero.sandbox.books.resource import WHOLE
from caspen_xero.sandbox.books.wire import xero_time
from caspen_xero.sandbox.contacts.contacts import ADDRESS_TYPES, PHONE_TYPES, SCALARS


def show_contact(contact: Body, view: str = "full") -> Body:
    """A contact as Xero shows it in a view of `Resource.show` (recorded answers say which keys stand in which).

    In the answer to a write, and inside a document, it has tracking categories; where it is read, attachments.
    """
    detail = view != "list"
    shown: Body = {"ContactID": contact["ContactID"], "ContactStatus": contact["ContactStatus"]}
    hidden = (
        () if detail else ("SalesDefaultLineAmountType", "PurchasesDefaultLineAmountType", "SalesDefaultAccountCode")
    )
    shown |= {name: contact[name] for name in SCALARS if name in contact and name not in hidden}
    shown["Addresses"] = [_address(contact, kind) for kind in ADDRESS_TYPES]
    shown["Phones"] = [_phone(contact, kind) for kind in PHONE_TYPES]
    shown["UpdatedDateUTC"] = xero_time(contact["Updated"])
    shown |= {"ContactGroups": [], "IsSupplier": contact["IsSupplier"], "IsCustomer": contact["IsCustomer"]}
    if view == "created":
        shown |= {"SalesTrackingCategories": [], "PurchasesTrackingCategories": []}
    else:
        shown |= {"HasAttachments": False} | ({"Attachments": []} if view == "full" else {})
    if detail:
        shown |= {
            name: contact[name] for name in ("PaymentTerms", "BatchPayments", "MergedToContactID") if name in contact
        }
        persons = {"FirstName": "", "LastName": "", "EmailAddress": "", "IncludeInEmails": False}
        shown["ContactPersons"] = [persons | person for person in contact["ContactPersons"]]
    else:
        shown["ContactPersons"] = []
    return shown | {"HasValidationErrors": False}


def _address(contact: Body, kind: str) -> Body:
    empty = {"AddressType": kind, "City": "", "Region": "", "PostalCode": "", "Country": ""}
    return empty | next((address for address in contact["Addresses"] if address["AddressType"] == kind), {})


def _phone(contact: Body, kind: str) -> Body:
    empty = {"PhoneType": kind, "PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
    return empty | next((phone for phone in contact["Phones"] if phone["PhoneType"] == kind), {})


def show_contact_summary(contact: Body) -> Body:
    """The light form of `summaryOnly=true`."""
    names = ("ContactNumber", "AccountNumber", "Name", "FirstName", "LastName", "EmailAddress", "CompanyNumber")
    shown: Body = {"ContactID": contact["ContactID"], "ContactStatus": contact["ContactStatus"]}
    shown |= {name: contact[name] for name in names if name in contact}
    shown |= {"UpdatedDateUTC": xero_time(contact["Updated"]), "IsSupplier": contact["IsSupplier"]}
    return shown | {"IsCustomer": contact["IsCustomer"], "HasValidationErrors": False}


_OF_INVOICES = ("IsSupplier", "IsCustomer", "SalesTrackingCategories", "PurchasesTrackingCategories")


def contact_in_list(contact: Body, *, numbered: bool = False) -> Body:
    """A document's contact in a list of documents: its id and name, and empty lists (recorded answers).

    `numbered`: its number too, where it has one; so lists of payments and bank transactions have it.
    """
    names = ("ContactID", "ContactNumber", "Name") if numbered else ("ContactID", "Name")
    named = {name: contact[name] for name in names if name in contact}
    return show_refused_contact(named) | {"HasValidationErrors": False}


def contact_in_document(contact: Body, view: str, *, of_invoice: bool = False) -> Body:
    """A document's contact in a view of the document; whole in an invoice, elsewhere without what it buys and sells (recorded)."""
    if view not in WHOLE:
        return contact_in_list(contact)
    shown = show_contact(contact, "created")
    return shown if of_invoice else {name: value for name, value in shown.items() if name not in _OF_INVOICES}


def contact_of_paid_invoice(contact: Body) -> Body:
    """The contact of the invoice that a payment shows whole (recorded answers)."""
    names = ("ContactID", "Name")
    return {name: contact[name] for name in names if name in contact} | {
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def show_refused_contact(sent: Body) -> Body:
    """A contact with what is known of it, and empty lists for the rest: so a refused one is answered (recorded)."""
    return {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []} | sent
