"""What must be so after everything that befell a clinic and its homes, said by Caspen's records and Xero's books alone.

Each function gives what is wrong, in words; nothing is right only because caspen-xero thinks so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from clinic_life import Life, as_document
from clinics import owner_of
from desk import Desk, Part, State, allocations, key_of, living
from life_in_xero import found_in

LIVE = ("open", "paid")


def twice_in_xero(state: State, life: Life, desk: Desk, parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    """What stands twice in Xero, as (what it is about, in words)."""
    try:
        found_in(state)
    except AssertionError as error:
        yield "", f"a number or a contact stands twice in Xero: {error}"
    ours: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    known = {f"{payment['id']}/" for payment in life.payments.values()}
    for payment in living(state):
        key = key_of(payment)
        if f"{key.partition('/')[0]}/" in known:
            ours[key].append(payment)
        elif payment["PaymentID"] not in {*desk.own, *desk.stand_ins}:
            yield key, f"nobody's payment {payment['Reference']} of {payment['Amount']}"
    for key, payments in ours.items():
        # One that she entered anew, of a part that Caspen has moved since, is on an invoice that no payment of ours is for.
        astray = [one for one in payments if one["PaymentID"] in desk.corrected and not _is_on(one, parts.get(key))]
        if len(payments) - len(astray) > 1:
            where = ", ".join(f"{one['Amount']} on {one['Invoice']['InvoiceNumber']}" for one in payments)
            yield key, f"payment {key} stands {len(payments)} times in Xero: {where}"
    stands = {payment["PaymentID"] for payment in living(state)}
    for id_, part in desk.stand_ins.items():
        again = [payment for payment in ours.get(part.key, []) if payment["PaymentID"] not in desk.corrected]
        if id_ in stands and again and parts.get(part.key) == part:
            yield part.key, f"payment {part.key} stands beside the {part.amount} that was entered by hand for it"
    for key, part in desk.deleted.items():
        again = [payment for payment in ours[key] if payment["PaymentID"] not in desk.corrected]
        if again and parts.get(key) == part:
            yield key, f"payment {key} of {part.amount} was deleted in Xero and is made again"
    yield from _made_again(state, life, desk)
    for owner, number in Counter(owner_of(contact) for contact in state["Contacts"]).items():
        if owner not in life.clients or number > 1:
            yield str(owner), f"contact number {owner} stands {number} times in Xero"


def _is_on(payment: Mapping[str, Any], part: Part | None) -> bool:
    return part is not None and part.number == payment["Invoice"]["InvoiceNumber"]


def _made_again(state: State, life: Life, desk: Desk) -> Iterator[tuple[str, str]]:
    """Credit notes of ours that were taken off their invoices by hand, and are on them again."""
    issued = {note["number"] for note in life.credit_notes.values() if note["status"] == "issued"}
    for number, on in allocations(state) & desk.taken_back:
        if number in issued:
            yield number, f"credit note {number} was taken off {on} by hand and is on it again"


def falsely_told(state: State, life: Life, records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What Caspen was told though it has it: all that its exports name in `xero_id` it was told before."""
    for id_, times in Counter(record["id"] for record in records).items():
        if times > 1:
            yield f"{id_} was told {times} times"
    payments = {payment["PaymentID"]: payment for payment in state["Payments"]}
    numbers = {note["number"] for note in life.credit_notes.values()}
    ours = {
        allocation["AllocationID"]: note["CreditNoteNumber"]
        for note in state["CreditNotes"]
        if note["CreditNoteNumber"] in numbers
        for allocation in note["Allocations"]
    }
    for record in records:
        about = f"{record['kind']} {record['id']} of {record['amount']} on {record['invoice_number']}"
        payment = payments.get(record["id"])
        if payment is not None and key_of(payment).partition("/")[0] in life.payments:
            yield f"{about}: it is Caspen's own {payment['Reference']}"
        if record["id"] in ours:
            yield f"{about}: it is an allocation of Caspen's own {ours[record['id']]}"


def not_told(state: State, life: Life, desk: Desk, parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    """Where Xero is not as Caspen says, as (invoice number, in words): each must be among what a person is told."""
    found = found_in(state)
    payments: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for payment in living(state):
        payments[payment["Invoice"]["InvoiceNumber"]].append(payment)
    for invoice in life.invoices.values():
        number, shown = invoice["number"], found["invoices"].get(invoice["number"])
        if invoice["status"] in LIVE:
            if shown is None:
                yield number, "it is not in Xero"
                continue
            if shown["Status"] not in ("AUTHORISED", "PAID"):
                yield number, f"it is {shown['Status']} in Xero"
            for name, value in as_document(invoice).items():
                if shown[name] != value and desk.edits.get((number, name)) != shown[name]:
                    yield number, f"{name}: {value} in Caspen, {shown[name]} in Xero"
        elif invoice["status"] in ("void", "deleted") and shown and shown["Status"] not in ("VOIDED", "DELETED"):
            yield number, f"it is {invoice['status']} in Caspen, {shown['Status']} in Xero"
        if shown is not None:
            yield from _payments(number, payments[number], life, [p for p in parts.values() if p.number == number])
    yield from _credit_notes(state, life, found)
    yield from _names(state, life, desk)
    for (number, name), value in desk.edits.items():
        shown = found["invoices"].get(number)
        if shown and shown["Status"] in ("AUTHORISED", "PAID") and shown[name] != value:
            yield number, f"{name} {value} was written by hand, {shown[name]} stands there"


def _payments(
    number: str, there: Sequence[Mapping[str, Any]], life: Life, parts: Sequence[Part]
) -> Iterator[tuple[str, str]]:
    amounts = {key_of(payment): payment["Amount"] for payment in there}
    ids = {payment["PaymentID"]: payment["Amount"] for payment in there}
    for part in parts:
        amount = amounts.pop(part.key, None) if part.xero_id is None else ids.get(part.xero_id)
        if amount != part.amount and not (part.xero_id and amount is None):
            yield number, f"payment {part.key} of {part.amount}: {amount} in Xero"
    for key, amount in amounts.items():
        if key.partition("/")[0] in life.payments:
            yield number, f"payment {key} of {amount} is not in Caspen"


def _names(state: State, life: Life, desk: Desk) -> Iterator[tuple[str, str]]:
    """Names that were given by hand stay, while Caspen's own stays as it was."""
    for contact in state["Contacts"]:
        owner = str(owner_of(contact))
        given, before = desk.names.get(owner, (contact["Name"], ""))
        person = life.clients[owner]
        if contact["Name"] != given and before.startswith(f"{person['first_name']} {person['last_name']} (Caspen "):
            yield "", f"contact {owner} was named {given} by hand, {contact['Name']} stands there"


def _credit_notes(state: State, life: Life, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for note in life.credit_notes.values():
        invoice, shown = life.invoices[note["invoice_id"]], found["credit_notes"].get(note["number"])
        taken: defaultdict[str, Decimal] = defaultdict(Decimal)
        for number, amount, _ in shown["Allocations"] if shown else []:
            taken[number] += amount
        if note["status"] == "issued":
            if not shown:
                yield invoice["number"], f"credit note {note['number']} is not in Xero"
            elif taken != {invoice["number"]: Decimal(note["total"])}:
                yield invoice["number"], f"credit note {note['number']} of {note['total']}: allocated {dict(taken)}"
        elif shown and shown["Status"] != "VOIDED":
            yield invoice["number"], f"credit note {note['number']} is {note['status']}, in Xero {shown['Status']}"
