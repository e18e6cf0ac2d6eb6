"""Contacts: who a document is for. Names are unique among active contacts, contact numbers among all of them."""

from __future__ import annotations

import re
from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.fields import FLAG, ID, WHOLE, WORD, Choice, Fields, Many, One, Text, too_long
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.wire import NOWHERE, new_id
from caspen_xero.sandbox.organisation.currencies import CURRENCY_NAMES

_ADDRESS = {
    "AddressType": WORD,
    **{f"AddressLine{n}": Text(500) for n in range(1, 5)},
    "City": Text(255),
    "Region": Text(255),
    "PostalCode": Text(50),
    "Country": Text(50),
    "AttentionTo": Text(255),
}
_PHONE = {"PhoneType": WORD, "PhoneNumber": Text(50), "PhoneAreaCode": Text(10), "PhoneCountryCode": Text(20)}
_PERSON = {"FirstName": Text(255), "LastName": Text(255), "EmailAddress": Text(255), "IncludeInEmails": FLAG}
_LINE_AMOUNT_TYPES = Choice(frozenset({"INCLUSIVE", "EXCLUSIVE", "NONE"}))
SCALARS: Fields = {
    "Name": Text(255),
    "ContactNumber": Text(50),
    "AccountNumber": Text(50),
    "FirstName": Text(255),
    "LastName": Text(255),
    "CompanyNumber": Text(50),
    "EmailAddress": Text(255),
    "BankAccountDetails": Text(),
    "TaxNumber": Text(50),
    "TaxNumberType": Choice(frozenset({"SSN", "EIN", "ITIN", "ATIN"})),
    "AccountsReceivableTaxType": WORD,
    "AccountsPayableTaxType": WORD,
    "DefaultCurrency": WORD,
    "SalesDefaultLineAmountType": _LINE_AMOUNT_TYPES,
    "PurchasesDefaultLineAmountType": _LINE_AMOUNT_TYPES,
    "SalesDefaultAccountCode": WORD,
    "PurchasesDefaultAccountCode": WORD,
    "XeroNetworkKey": Text(),
}
_TERMS = Choice(frozenset({"DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"}))
_TERM = One({"Day": WHOLE, "Type": _TERMS})
_BANK_DETAILS = One(
    {
        "BankAccountNumber": Text(),
        "BankAccountName": Text(),
        "Details": Text(18),
        "Code": Text(12),
        "Reference": Text(12),
    }
)
CONTACT_FIELDS: Fields = {
    "ContactID": ID,
    **SCALARS,
    "ContactStatus": WORD,
    "Addresses": Many(_ADDRESS),
    "Phones": Many(_PHONE),
    "ContactPersons": Many(_PERSON),
    "IsCustomer": FLAG,  # the system's: read only to be repeated in a refusal
    "IsSupplier": FLAG,
    "PaymentTerms": One({"Bills": _TERM, "Sales": _TERM}),
    "BatchPayments": _BANK_DETAILS,
}
ADDRESS_TYPES = ("STREET", "POBOX")
PHONE_TYPES = ("DEFAULT", "DDI", "FAX", "MOBILE")
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def put_contact(ledger: Ledger, sent: dict[str, Any]) -> Body:
    """PUT: a new contact; one with the name of an active contact, or with any contact's number, is refused."""
    return _create(ledger, {name: value for name, value in sent.items() if name != "ContactID"})


def post_contact(ledger: Ledger, sent: dict[str, Any]) -> Body:
    """POST: edits the contact with the id, the number or the name that was sent, in this order; else makes one."""
    contact = _match(ledger, sent)
    if contact is None:
        return _create(ledger, sent)
    if contact["ContactStatus"] != "ACTIVE":
        raise Refusal(messages.CONTACT_ARCHIVED(), shown={name: contact[name] for name in ("ContactID", "Name")})
    _edit(ledger, contact, sent)
    return contact


def _match(ledger: Ledger, sent: dict[str, Any]) -> Body | None:
    contact_id = sent.get("ContactID", NOWHERE)
    if contact_id != NOWHERE:
        contact = ledger.find("Contacts", contact_id)
        if contact is None:
            raise Refusal(messages.CONTACT_NOT_FOUND(), shown={"ContactID": contact_id})
        return contact
    if sent.get("ContactNumber"):
        numbered = ledger.by_number("Contacts", sent["ContactNumber"])
        if numbered:
            return numbered[0]
    named = ledger.by_name("Contacts", sent.get("Name", ""))
    active = [contact for contact in named if contact["ContactStatus"] == "ACTIVE"]
    # UNCONFIRMED: a name that only an archived contact has is taken as meaning that contact, and so is refused.
    return next(iter(active or named), None)


def _create(ledger: Ledger, sent: dict[str, Any]) -> Body:
    contact: Body = {
        "ContactID": new_id(),
        "ContactStatus": "ACTIVE",
        "EmailAddress": "",
        "BankAccountDetails": "",
        "Addresses": [],
        "Phones": [],
        "ContactPersons": [],
        "IsSupplier": False,
        "IsCustomer": False,
    }
    _check(ledger, contact, {"Name": ""} | sent, ("ACTIVE",))
    _take(contact, sent)
    ledger.save("Contacts", contact)
    return contact


def _edit(ledger: Ledger, contact: Body, sent: dict[str, Any]) -> None:
    _check(ledger, contact, sent, ("ACTIVE", "ARCHIVED"))
    _take(contact, sent)
    ledger.save("Contacts", contact)


def _check(ledger: Ledger, contact: Body, sent: dict[str, Any], statuses: tuple[str, ...]) -> None:
    """Refuses what can't be of a contact, all of it at once; `statuses`: which it may get."""
    problems = too_long(sent, CONTACT_FIELDS)
    if sent.get("ContactStatus", "ACTIVE") not in statuses:
        problems.append(messages.CONTACT_STATUS_NOT_VALID(status=sent["ContactStatus"]))
    name = sent.get("Name")
    if name is not None and not name.strip():
        problems.append(messages.CONTACT_NAME_EMPTY())
    elif name is not None:
        if "<" in name or ">" in name or name != name.strip() or "  " in name or _CONTROL.search(name):
            problems.append(messages.CONTACT_NAME_NOT_VALID(name=name))
        if any(_is_other(other, contact) for other in ledger.by_name("Contacts", name)):
            problems.append(messages.CONTACT_NAME_TAKEN(name=name))
    if sent.get("ContactNumber") and any(
        other["ContactID"] != contact["ContactID"] for other in ledger.by_number("Contacts", sent["ContactNumber"])
    ):
        problems.append(messages.CONTACT_NUMBER_TAKEN())
    persons = sent.get("ContactPersons", [])
    emails = [sent.get("EmailAddress", ""), *(person.get("EmailAddress", "") for person in persons)]
    if any(email and not _EMAIL.match(email) for email in emails):
        problems.append(messages.EMAIL_NOT_VALID())
    if len(persons) > 5:
        problems.append(messages.PERSONS_TOO_MANY())
    if sent.get("DefaultCurrency", "AUD") not in CURRENCY_NAMES:
        problems.append(messages.CURRENCY_NOT_VALID(code=sent["DefaultCurrency"]))
    if problems:
        raise Refusal(*problems)


def _is_other(other: Body, contact: Body) -> bool:
    return bool(other["ContactID"] != contact["ContactID"] and other["ContactStatus"] == "ACTIVE")


def _take(contact: Body, sent: dict[str, Any]) -> None:
    """Takes over what was sent: addresses and phones type by type; a list of persons replaces the one before.

    What is empty in them is not kept, so that a contact sent back as it is shown is no change.
    """
    for name in (*SCALARS, "ContactStatus", "PaymentTerms", "BatchPayments"):
        if name in sent:
            contact[name] = sent[name]
    if "ContactPersons" in sent:
        contact["ContactPersons"] = [_filled(person) for person in sent["ContactPersons"]]
    for name, key, types in (("Addresses", "AddressType", ADDRESS_TYPES), ("Phones", "PhoneType", PHONE_TYPES)):
        for element in sent.get(name, []):
            if element.get(key) in types:
                by_type = {kept[key]: kept for kept in contact[name]} | {element[key]: _filled(element)}
                contact[name] = [by_type[type_] for type_ in types if len(by_type.get(type_, ())) > 1]


def _filled(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value}


def contact_for_document(ledger: Ledger, sent: dict[str, Any] | None) -> Body:
    """The contact of a document, as `_found_or_made` says. A refusal is repeated at the element's Contact."""
    try:
        return _found_or_made(ledger, sent)
    except Refusal as refusal:
        refusal.inside["Contact", 0] = refusal.messages
        raise


def _found_or_made(ledger: Ledger, sent: dict[str, Any] | None) -> Body:
    """The contact of a document: found by id, number or active name; else a new one by that name (Xero staff's answer).

    Fields beside the ones that identify it edit the contact, and contact persons that were not sent are dropped.
    """
    if sent is None:
        raise Refusal(messages.CONTACT_MISSING())
    contact_id = sent.get("ContactID", NOWHERE)
    name, number = sent.get("Name", ""), sent.get("ContactNumber", "")
    contact: Body | None = None
    if contact_id != NOWHERE:
        contact = ledger.find("Contacts", contact_id)
        if contact is None:
            raise Refusal(messages.CONTACT_NOT_FOUND())
    elif number and (numbered := ledger.by_number("Contacts", number)):
        contact = numbered[0]
    elif name:
        active = (found for found in ledger.by_name("Contacts", name) if found["ContactStatus"] == "ACTIVE")
        contact = next(active, None)
    if contact is None:
        if not name and not number:
            raise Refusal(messages.CONTACT_UNIDENTIFIED())
        if not name.strip():
            raise Refusal(messages.CONTACT_NAME_EMPTY())
        return _create(ledger, {key: value for key, value in sent.items() if key != "ContactID"})
    refuse_archived(contact)
    # Found by its name, a contact keeps its own spelling of it.
    finding = ("ContactID", "ContactStatus") if contact_id != NOWHERE or number else ("ContactStatus", "Name")
    extra = {key: value for key, value in sent.items() if key not in finding}
    if any(contact.get(key) != value for key, value in extra.items() if key in SCALARS or value):
        _edit(ledger, contact, {"ContactPersons": []} | extra)
    return contact


def refuse_archived(contact: Body) -> None:
    """An archived contact takes no invoice, no credit note, no edit of one, and no voiding."""
    if contact["ContactStatus"] != "ACTIVE":
        raise Refusal(messages.CONTACT_ARCHIVED_NO_INVOICE())


def note_dealings(ledger: Ledger, contact: Body, *, sales: bool) -> None:
    """A contact becomes a customer or supplier with its first approved document; its UpdatedDateUTC stays (a known blind spot)."""
    name = "IsCustomer" if sales else "IsSupplier"
    if not contact[name]:
        contact[name] = True
        ledger.save("Contacts", contact, changed=False)
