"""What a bookkeeper does in Xero while a clinic lives: what Caspen has too, what only she knows, what she takes away or edits."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import in_xero
from clinics import Record, owner_of
from pushing import Clinic

State = Mapping[str, list[dict[str, Any]]]


def key_of(payment: Mapping[str, Any]) -> str:
    """The ids of Caspen's payment and allocation that a payment's Reference in Xero names."""
    return str(payment.get("Reference") or "").rpartition(" ")[2]


@dataclass(frozen=True)
class Part:
    """A part of one of Caspen's payments on one invoice, as an export has it."""

    key: str
    number: str
    amount: Decimal
    date: str
    xero_id: str | None = None


@dataclass
class Desk:
    """The bookkeeper. What she has done, so that it can be asked after.

    `stand_ins`: payments that she entered because Caspen has them and Xero did not, by PaymentID.
    `own`: money that only she knows of; `corrected`: payments of ours that she entered anew.
    `deleted`: parts of Caspen's payments whose payment in Xero she deleted.
    `edits`: what she wrote into an invoice's field; `names`: those that she gave to clients' contacts, with those that they had.
    `taken_back`: credit notes and the invoices that she took them off, of those `settled`: an allocation that is taken back leaves
    no trace in Xero, so that only a home that knew of it can miss it.
    """

    random: Random
    stand_ins: dict[str, Part] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    deleted: dict[str, Part] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)
    edits: dict[tuple[str, str], str] = field(default_factory=dict)
    settled: set[tuple[str, str]] = field(default_factory=set)
    taken_back: set[tuple[str, str]] = field(default_factory=set)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)

    def does_something(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """One thing, if there is anything to do; what it was, in words."""
        acts = [
            self.enters_what_caspen_has,
            self.enters_what_caspen_has,
            self.records_money,
            self.deletes_one_of_ours,
            self.edits_an_invoice,
            self.edits_an_invoice,
            self.renames_a_contact,
            self.allocates_a_credit,
            self.takes_a_credit_back,
            self.enters_ours_otherwise,
        ]
        self.random.shuffle(acts)
        for act in acts:
            try:
                done = act(clinic, state, parts)
            except AssertionError:  # Xero refuses
                continue
            if done is not None:
                return done
        return None

    def enters_what_caspen_has(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """A payment by hand that Caspen has on an invoice and Xero does not show."""
        there = {key_of(payment) for payment in living(state)} | {part.key for part in self.stand_ins.values()}
        due = due_by_number(state)
        missing = [
            part
            for part in parts.values()
            if part.key not in there and part.xero_id is None and part.amount <= due.get(part.number, 0)
        ]
        if not missing:
            return None
        part = self.random.choice(missing)
        made = in_xero.pays(clinic, part.number, str(part.amount), part.date)
        self.stand_ins[made] = part
        return f"enters {part.amount} on {part.number} by hand, Caspen's {part.key}"

    def records_money(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """A payment that Caspen does not know of."""
        due = {number: amount for number, amount in due_by_number(state).items() if amount > 3}
        if not due:
            return None
        number = self.random.choice(sorted(due))
        amount = Decimal(self.random.randint(100, int(due[number] * 100) // 3)) / 100
        if any(part.number == number and part.amount == amount for part in parts.values()):
            return None
        self.own.add(in_xero.pays(clinic, number, str(amount), "2026-11-22", "Cheque"))
        return f"records {amount} on {number} that Caspen does not know of"

    def deletes_one_of_ours(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """A payment that caspen-xero made, while Caspen still has it as it is there."""
        ours = [payment for payment in living(state) if _is_part(payment, parts.get(key_of(payment)))]
        if not ours:
            return None
        payment = self.random.choice(ours)
        in_xero.writes(clinic, "POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
        part = parts[key_of(payment)]
        if sum(key_of(one) == part.key for one in living(state)) == 1:  # of one that is there twice the other stays
            self.deleted[part.key] = part
        return f"deletes {part.key} of {part.amount} on {part.number}"

    def enters_ours_otherwise(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """A payment of ours again, with our reference but another amount, after she deleted it."""
        there = {key_of(payment) for payment in living(state)} | self._entered(state)
        due = due_by_number(state)
        free = [
            one for one in self.deleted.values() if one.key not in there and 2 < one.amount <= due.get(one.number, 0)
        ]
        if not free:
            return None
        part = self.random.choice(free)
        self.corrected.add(in_xero.pays(clinic, part.number, str(part.amount - 1), part.date, f"Corrected {part.key}"))
        return f"enters {part.key} anew with 1.00 less"

    def _entered(self, state: State) -> set[str]:
        """Those of Caspen's payments for which one that she entered stands."""
        return {self.stand_ins[one["PaymentID"]].key for one in living(state) if one["PaymentID"] in self.stand_ins}

    def renames_a_contact(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """The name of a client's contact."""
        ours = [contact for contact in state["Contacts"] if contact.get("ContactNumber")]
        if not ours:
            return None
        contact = self.random.choice(ours)
        name = f"{contact['Name'].partition(' (')[0]} of Suite {self.random.randint(1, 99)}"
        wish = {"ContactID": contact["ContactID"], "Name": name}
        in_xero.writes(clinic, "POST", f"Contacts/{contact['ContactID']}", wish)
        self.names[str(owner_of(contact))] = (name, contact["Name"])
        return f"renames {contact['Name']} to {name}"

    def takes_a_credit_back(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """The allocation of a credit note of ours."""
        ours = [(note, one) for note in state["CreditNotes"] for one in note["Allocations"]]
        if not ours:
            return None
        note, one = self.random.choice(ours)
        in_xero.writes(clinic, "DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{one['AllocationID']}")
        numbers = {each["InvoiceID"]: each["InvoiceNumber"] for each in state["Invoices"]}
        number = numbers[one["Invoice"]["InvoiceID"]]
        self.taken_back |= {(note["CreditNoteNumber"], number)} & self.settled
        return f"takes {note['CreditNoteNumber']} off {number}"

    def edits_an_invoice(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """Its reference or its due date."""
        open_ones = sorted(due_by_number(state))
        if not open_ones:
            return None
        number, name = self.random.choice(open_ones), self.random.choice(("Reference", "DueDate"))
        value = (
            f"By hand {self.random.randint(1, 99)}" if name == "Reference" else f"2027-01-{self.random.randint(10, 28)}"
        )
        in_xero.edits(clinic, number, **{name: value})
        self.edits[number, name] = value
        return f"writes {name} {value} into {number}"

    def allocates_a_credit(self, clinic: Clinic, state: State, parts: Mapping[str, Part]) -> str | None:
        """A part of a credit note of ours that is not allocated yet."""
        due = due_by_number(state)
        contacts = {one["InvoiceNumber"]: one["Contact"]["ContactID"] for one in state["Invoices"]}
        free = [note for note in state["CreditNotes"] if note["Status"] == "AUTHORISED" and note["RemainingCredit"] > 1]
        for note in free:
            fits = sorted(number for number in due if contacts[number] == note["Contact"]["ContactID"])
            if fits:
                number = self.random.choice(fits)
                amount = min(Decimal(4), note["RemainingCredit"], due[number])
                number_or_id = {"InvoiceNumber": number}
                path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
                in_xero.writes(clinic, "PUT", path, {"Amount": str(amount), "Invoice": number_or_id})
                self.taken_back.discard((note["CreditNoteNumber"], number))
                return f"allocates {amount} of {note['CreditNoteNumber']} to {number}"
        return None


def _is_part(payment: Mapping[str, Any], part: Part | None) -> bool:
    return part is not None and (payment["Amount"], payment["Invoice"]["InvoiceNumber"]) == (part.amount, part.number)


def living(state: State) -> list[dict[str, Any]]:
    """The payments that stand."""
    return [payment for payment in state["Payments"] if payment["Status"] != "DELETED"]


def allocations(state: State) -> set[tuple[str, str]]:
    """Numbers of credit notes, with those of the invoices that they are on."""
    numbers = {each["InvoiceID"]: each["InvoiceNumber"] for each in state["Invoices"]}
    return {
        (note["CreditNoteNumber"], numbers[one["Invoice"]["InvoiceID"]])
        for note in state["CreditNotes"]
        for one in note["Allocations"]
    }


def due_by_number(state: State) -> dict[str, Decimal]:
    """What is due on each approved invoice."""
    return {one["InvoiceNumber"]: one["AmountDue"] for one in state["Invoices"] if one["Status"] == "AUTHORISED"}


def parts_of(payments: Mapping[str, Record], invoices: Mapping[str, Record]) -> dict[str, Part]:
    """The parts of Caspen's payments that stand on invoices, by key."""
    return {
        f"{payment['id']}/{part['id']}": Part(
            f"{payment['id']}/{part['id']}",
            invoices[part["invoice_id"]]["number"],
            Decimal(part["amount"]),
            payment["date"],
            payment.get("xero_id"),
        )
        for payment in deepcopy(list(payments.values()))
        if payment["status"] == "allocated"
        for part in payment["allocations"]
    }
