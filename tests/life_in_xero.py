"""What Xero holds of a clinic's life, in the shape of what it must hold, and every way in which the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from clinics import Record, owner_of


def found_in(state: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The same of what Xero has; nothing is there twice."""
    contacts = {contact["ContactID"]: contact for contact in state["Contacts"]}
    numbers = {invoice["InvoiceID"]: invoice["InvoiceNumber"] for invoice in state["Invoices"]}
    assert len(set(numbers.values())) == len(numbers)
    assert len({note["CreditNoteNumber"] for note in state["CreditNotes"]}) == len(state["CreditNotes"])
    owners = [owner_of(contact) for contact in contacts.values()]
    assert len(set(owners)) == len(owners)
    return {
        "invoices": {
            invoice["InvoiceNumber"]: {
                **{name: invoice[name] for name in ("Status", "LineAmountTypes", "CurrencyCode", "Reference")},
                **{name: invoice[name] for name in ("SubTotal", "TotalTax", "Total", "AmountPaid", "AmountCredited")},
                **({} if invoice["Status"] == "VOIDED" else {"AmountDue": invoice["AmountDue"]}),
                "ContactNumber": owner_of(contacts[invoice["Contact"]["ContactID"]]),
                "Date": invoice["DateString"][:10],
                "DueDate": invoice["DueDateString"][:10],
                "Lines": [_found_line(line, invoice["LineAmountTypes"]) for line in invoice["LineItems"]],
            }
            for invoice in state["Invoices"]
        },
        "payments": sorted(
            (
                payment["Invoice"]["InvoiceNumber"],
                payment["Amount"],
                _day_of(payment["Date"]),
                payment["Account"]["AccountID"],
                payment["Reference"],
            )
            for payment in state["Payments"]
            if payment["Status"] != "DELETED"
        ),
        "credit_notes": {
            note["CreditNoteNumber"]: {
                **{name: note[name] for name in ("Status", "SubTotal", "TotalTax", "Total")},
                "ContactNumber": None
                if note["Status"] == "VOIDED"
                else owner_of(contacts[note["Contact"]["ContactID"]]),
                "Date": note["DateString"][:10],
                "Allocations": [
                    (numbers[one["Invoice"]["InvoiceID"]], one["Amount"], _day_of(one["Date"]))
                    for one in note["Allocations"]
                ],
            }
            for note in state["CreditNotes"]
        },
        "contacts": {owner_of(contact): contact for contact in contacts.values()},
    }


def _found_line(line: Mapping[str, Any], types: str) -> tuple[str, str, str]:
    text, _, _ = line["Description"].partition(" (")
    return (text, line["AccountCode"], "" if types == "NoTax" else line["TaxType"])


def _day_of(text: str) -> str:
    milliseconds = int(text.removeprefix("/Date(").split("+")[0].rstrip(")/"))
    return (date(1970, 1, 1) + timedelta(milliseconds=milliseconds)).isoformat()


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Every way in which Xero is not as it must be, in words."""
    wrong: list[str] = []
    for kind in ("invoices", "credit_notes"):
        ours, theirs = expected[kind], found[kind]
        wrong += [f"{kind} {number} is missing" for number in sorted(set(ours) - set(theirs))]
        wrong += [f"{kind} {number} is too much" for number in sorted(set(theirs) - set(ours))]
        for number in sorted(set(ours) & set(theirs)):
            wrong += [
                f"{kind} {number} {name}: {ours[number][name]} expected, {theirs[number][name]} found"
                for name in ours[number]
                if ours[number][name] != theirs[number][name]
            ]
    missing, extra = list(expected["payments"]), []
    for payment in found["payments"]:
        missing.remove(payment) if payment in missing else extra.append(payment)
    wrong += [f"payment {payment} is missing" for payment in missing]
    wrong += [f"payment {payment} is too much" for payment in extra]
    for number, person in expected["contacts"].items():
        contact = found["contacts"].get(number)
        if contact is None:
            wrong.append(f"contact {number} is missing")
            continue
        wrong += [f"contact {number}: {what}" for what in _wrong_contact(person, contact)]
    return wrong


def _wrong_contact(person: Record, contact: Mapping[str, Any]) -> list[str]:
    wrong = []
    if not contact["Name"].startswith(f"{person['first_name']} {person['last_name']} (Caspen "):
        wrong.append(f"is called {contact['Name']}, not {person['first_name']} {person['last_name']}")
    if (contact.get("EmailAddress") or None) != person.get("email"):
        wrong.append(f"email {contact.get('EmailAddress')!r}, not {person.get('email')!r}")
    phones = [phone["PhoneNumber"] for phone in contact["Phones"] if phone["PhoneType"] == "DEFAULT"]
    if (phones[0] or None) != person.get("phone_number"):
        wrong.append(f"phone {phones}, not {person.get('phone_number')}")
    street = next(each for each in contact["Addresses"] if each["AddressType"] == "STREET")
    if (street.get("AddressLine1") or None) != (person.get("address") or {}).get("line1"):
        wrong.append(f"street {street}, not {person.get('address')}")
    return wrong
