"""One thing moved somewhere in books that were equal: in Xero by a bookkeeper or by whatever went wrong, in Caspen by an export.

Each `Moved` says on which invoice it shows, under which code, and which figures either side must be named with. Where Xero's rules
allow an edit, it is made through them; all else is done to the ledger itself, and leaves no trace of a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import in_xero
from bookkeeping import Bookkeeper
from clinics import CASH, EFTPOS, Record, client, credit_note, invoice, line, payment
from pushing import Clinic

from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.sales.settlement import settle

NELL, BOB = "1048237", "1048238"
LATER = {"updated_at": "2026-12-01T00:00:00Z"}
Act = Callable[[Clinic], Any]
Figure = str | date | tuple[str, ...]
"""What must be read of one side: a text, a day in any form, or one of several texts."""


def lines_of_three() -> list[Record]:
    return [
        line("150.00", description="Initial consultation"),
        line("50.00", description="Follow-up"),
        line("40.00", rate="tax_free", description="Exercise band"),
    ]


RECORDS: dict[str, Record] = {
    each["id"]: each
    for each in (
        invoice("INV-0001", [line("200.00"), line("30.00", rate="tax_free"), line("100.00")]),  # 360.00, part paid
        invoice("INV-0002", [line("200.00")]),  # 220.00, credited in part
        invoice("INV-0003", lines_of_three()),  # 260.00, neither
        invoice("INV-0004", [line("150.00")], client_id=BOB, issue_date="2026-10-20", due_date="2026-11-03"),  # paid
        invoice("INV-0005", [line("99.95"), line("9.99", "3")], tax_mode="inclusive", issue_date="2026-11-20"),
        invoice("INV-0006", [line("80.00")], tax_mode="none", issue_date="2026-10-28"),  # credited in a later month
        invoice("INV-0007", status="draft"),
        invoice("INV-0008", status="void"),
        payment("110.00", ("inv_INV-0001", "110.00"), id_="pay_1"),
        payment(
            "165.00", ("inv_INV-0004", "165.00"), id_="pay_2", client_id=BOB, method_id="pmt_cash", date="2026-11-10"
        ),
        credit_note("CRN-0001", invoice_id="inv_INV-0002"),  # 44.00
        credit_note(
            "CRN-0002", [line("20.00")], invoice_id="inv_INV-0006", tax_mode="none", date="2026-11-12"
        ),  # 20.00
    )
}
PEOPLE: list[Record] = [client(NELL), client(BOB, "Bob", "Smith"), EFTPOS, CASH]


@dataclass(frozen=True)
class Moved:
    """`number`: of the invoice or credit note on which it shows; `code`: of the find, or one of several; `caspen`, `xero`: what is
    said of either side there. `besides`: other codes that may show with it, and `others`: other documents on which they may.
    """

    act: Act
    number: str
    code: str | tuple[str, ...]
    caspen: Sequence[Figure] = ()
    xero: Sequence[Figure] = ()
    besides: Sequence[str] = ()
    others: Sequence[str] = field(default=())

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.code,) if isinstance(self.code, str) else self.code


# --- what is done to the ledger of the local Xero itself


@contextmanager
def the_ledger(clinic: Clinic) -> Iterator[Ledger]:
    """Xero's books, without its rules."""
    tenant = clinic.tenant_id
    with clinic.sandbox.xero.transaction():
        yield Ledger(clinic.sandbox.xero.api.books, tenant)


def invoice_in(ledger: Ledger, number: str) -> Body:
    (found,) = ledger.by_number("Invoices", number)
    return found


def note_in(ledger: Ledger, number: str) -> Body:
    (found,) = ledger.by_number("CreditNotes", number)
    return found


def sums_up(document: Body) -> None:
    """Totals that are those of the lines."""
    amount = sum((each["LineAmount"] for each in document["LineItems"]), Decimal(0))
    document["TotalTax"] = sum((each["TaxAmount"] for each in document["LineItems"]), Decimal(0))
    inclusive = document["LineAmountTypes"] == "Inclusive"
    document["SubTotal"] = amount - document["TotalTax"] if inclusive else amount
    document["Total"] = document["SubTotal"] + document["TotalTax"]
    settle(document)


def alters(number: str, change: Callable[[Body], Any], kind: str = "Invoices") -> Act:
    """Changes a document, whatever Xero's rules say, and leaves its UpdatedDateUTC as it was."""

    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            found = invoice_in(ledger, number) if kind == "Invoices" else note_in(ledger, number)
            change(found)
            ledger.save(kind, found, changed=False)

    return does


def sets(number: str, kind: str = "Invoices", **fields: Any) -> Act:
    return alters(number, lambda document: document.update(fields), kind)


def lines(number: str, *amounts: tuple[int, str | None, str | None], kind: str = "Invoices") -> Act:
    """Other amounts and taxes for lines by their places, from 1; the totals follow."""

    def change(document: Body) -> None:
        for place, amount, tax in amounts:
            each = document["LineItems"][place - 1]
            each |= {"LineAmount": Decimal(amount)} if amount else {}
            each |= {"TaxAmount": Decimal(tax)} if tax else {}
        sums_up(document)

    return alters(number, change, kind)


def rates(number: str, place: int, tax_type: str, tax: str | None = None, kind: str = "Invoices") -> Act:
    def change(document: Body) -> None:
        document["LineItems"][place - 1]["TaxType"] = tax_type
        if tax is not None:
            document["LineItems"][place - 1]["TaxAmount"] = Decimal(tax)
        sums_up(document)

    return alters(number, change, kind)


def loses_a_line(document: Body) -> None:
    del document["LineItems"][2]
    sums_up(document)


def gains_a_line(document: Body) -> None:
    free = document["LineItems"][2]
    money = {"UnitAmount": Decimal(10), "LineAmount": Decimal(10)}
    document["LineItems"].append({**free, "LineItemID": str(uuid4()), "Description": "Parking"} | money)
    sums_up(document)


def doubles_a_line(document: Body) -> None:
    document["LineItems"].append({**document["LineItems"][1], "LineItemID": str(uuid4())})
    sums_up(document)


def doubles(number: str, again: str) -> Act:
    """The same invoice once more, under that number."""

    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            of_its_own = {"InvoiceID": str(uuid4()), "InvoiceNumber": again}
            rows = [{**each, "LineItemID": str(uuid4())} for each in invoice_in(ledger, number)["LineItems"]]
            ledger.save("Invoices", {**invoice_in(ledger, number), **of_its_own, "LineItems": rows}, changed=False)

    return does


def doubles_the_note(number: str, again: str) -> Act:
    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            of_its_own = {"CreditNoteID": str(uuid4()), "CreditNoteNumber": again, "Allocations": []}
            copy = {**note_in(ledger, number), **of_its_own, "Status": "AUTHORISED"}
            ledger.save("CreditNotes", copy, changed=False)

    return does


def loses(number: str) -> Act:
    """An invoice is no longer there at all, nor are its payments."""

    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            found = invoice_in(ledger, number)
            for each in found["Payments"]:
                ledger.forget("Payments", each["PaymentID"])
            ledger.forget("Invoices", found["InvoiceID"])

    return does


def payment_of(ledger: Ledger, number: str) -> tuple[Body, Body, Body]:
    """The one payment on an invoice: the invoice, its entry there, and itself."""
    document = invoice_in(ledger, number)
    (entry,) = document["Payments"]
    found = ledger.find("Payments", entry["PaymentID"])
    assert found is not None
    return document, entry, found


def alters_the_payment(number: str, **fields: Any) -> Act:
    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            document, entry, found = payment_of(ledger, number)
            entry |= fields
            found |= fields
            settle(document)
            ledger.save("Payments", found, changed=False)
            ledger.save("Invoices", document, changed=False)

    return does


def moves_the_payment(number: str, to: str) -> Act:
    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            document, entry, found = payment_of(ledger, number)
            other = invoice_in(ledger, to)
            document["Payments"] = []
            other["Payments"] = [entry]
            found["TargetID"] = other["InvoiceID"]
            for each in (document, other):
                settle(each)
                ledger.save("Invoices", each, changed=False)
            ledger.save("Payments", found, changed=False)

    return does


def loses_the_payment(number: str) -> Act:
    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            document, _, found = payment_of(ledger, number)
            document["Payments"] = []
            settle(document)
            ledger.save("Invoices", document, changed=False)
            ledger.forget("Payments", found["PaymentID"])

    return does


def alters_the_allocation(note: str, number: str, *, keeps_the_note: bool = True, **fields: Any) -> Act:
    """What of a note is on an invoice, or since when; with `keeps_the_note` False the note's one line comes to as much."""

    def does(clinic: Clinic) -> None:
        with the_ledger(clinic) as ledger:
            document, credit = invoice_in(ledger, number), note_in(ledger, note)
            for each in (document, credit):
                each["Allocations"][0] |= fields
            if not keeps_the_note:
                (row,) = credit["LineItems"]
                row["LineAmount"] = fields["Amount"] - row["TaxAmount"]
                sums_up(credit)
            for kind, each in (("Invoices", document), ("CreditNotes", credit)):
                settle(each)
                ledger.save(kind, each, changed=False)

    return does


def moves_the_note_to_another_contact(clinic: Clinic) -> None:
    with the_ledger(clinic) as ledger:
        found = note_in(ledger, "CRN-0001")
        found["ContactID"] = invoice_in(ledger, "INV-0004")["ContactID"]
        ledger.save("CreditNotes", found, changed=False)


def loses_the_note(clinic: Clinic) -> None:
    with the_ledger(clinic) as ledger:
        document, credit = invoice_in(ledger, "INV-0002"), note_in(ledger, "CRN-0001")
        document["Allocations"] = []
        ledger.save("Invoices", document, changed=False)
        ledger.forget("CreditNotes", credit["CreditNoteID"])


# --- what a bookkeeper does


def edits(number: str, **fields: Any) -> Act:
    return lambda clinic: in_xero.edits(clinic, number, **fields)


def keeper(clinic: Clinic) -> Bookkeeper:
    return Bookkeeper(clinic.sandbox.url)


def moves_to_bob(clinic: Clinic) -> None:
    in_xero.edits(clinic, "INV-0003", Contact={"ContactID": clinic.in_xero()["INV-0004"]["Contact"]["ContactID"]})


def moves_to_a_stranger(clinic: Clinic) -> None:
    in_xero.edits(clinic, "INV-0003", Contact={"ContactID": stranger(clinic)})


def stranger(clinic: Clinic) -> str:
    """A contact in Xero that is nobody's of Caspen's."""
    return str(in_xero.writes(clinic, "PUT", "Contacts", {"Name": "Corner Cafe"})["Contacts"][0]["ContactID"])


def writes_an_invoice(clinic: Clinic, contact: str, number: str = "X-1", kind: str = "ACCREC") -> None:
    """One of 55.00 that no record of Caspen's is for."""
    body = {
        "Type": kind,
        "InvoiceNumber": number,
        "Contact": {"ContactID": contact},
        "LineItems": [
            {
                "Description": "Room",
                "Quantity": 1,
                "UnitAmount": 50,
                "AccountCode": "200" if kind == "ACCREC" else "400",
                "TaxType": "OUTPUT" if kind == "ACCREC" else "INPUT",
            }
        ],
        "Date": "2026-11-09",
        "DueDate": "2026-11-16",
        "Status": "AUTHORISED",
    }
    in_xero.writes(clinic, "PUT", "Invoices", {"Invoices": [body]})


def nells(clinic: Clinic) -> str:
    return str(clinic.in_xero()["INV-0003"]["Contact"]["ContactID"])


def deletes_the_payment(clinic: Clinic) -> None:
    with the_ledger(clinic) as ledger:
        found = payment_of(ledger, "INV-0001")[2]["PaymentID"]
    keeper(clinic).deletes(str(found))


def pays_again(clinic: Clinic) -> None:
    in_xero.pays(clinic, "INV-0001", "110.00", reference="EFTPOS pay_1/all_1a")


def note(clinic: Clinic) -> Body:
    return in_xero.credit_notes(clinic)["CRN-0001"]


def takes_the_credit_off(clinic: Clinic) -> None:
    found = note(clinic)
    keeper(clinic).takes_back("credit_note", found["CreditNoteID"], found["Allocations"][0]["AllocationID"])


def puts_it_on(number: str, amount: str) -> Act:
    def does(clinic: Clinic) -> None:
        takes_the_credit_off(clinic)
        keeper(clinic).allocates("credit_note", note(clinic)["CreditNoteID"], number, amount)

    return does


def voids_the_note(clinic: Clinic) -> None:
    takes_the_credit_off(clinic)
    id_ = note(clinic)["CreditNoteID"]
    in_xero.writes(clinic, "POST", f"CreditNotes/{id_}", {"CreditNoteID": id_, "Status": "VOIDED"})


def credits_it(kind: str) -> Act:
    """Credit of hers on an invoice that Caspen has credited nothing on."""

    def does(clinic: Clinic) -> None:
        hand = keeper(clinic)
        made = (
            hand.issues_credit_note("INV-0003", "22.00")
            if kind == "credit_note"
            else getattr(hand, f"receives_{kind}")("INV-0003", "22.00")
        )
        hand.allocates(kind, made, "INV-0003", "22.00")

    return does


# --- what changes in Caspen, and no push has told Xero of


def says(id_: str, **fields: Any) -> Act:
    """A record of Caspen's changes."""
    return lambda clinic: clinic.takes({**RECORDS[id_], **LATER, **fields})


def bills(*rows: Record) -> Act:
    """INV-0003 has other lines in Caspen."""
    return lambda clinic: clinic.takes(invoice("INV-0003", rows) | LATER)


def pays(amount: str, number: str = "INV-0001", id_: str = "pay_1", **more: Any) -> Act:
    return lambda clinic: clinic.takes(payment(amount, (f"inv_{number}", amount), id_=id_, **(LATER | more)))


def credits(price: str, number: str = "CRN-0001", **more: Any) -> Act:
    return lambda clinic: clinic.takes(
        credit_note(number, [line(price)], **({"invoice_id": "inv_INV-0002"} | LATER | more))
    )


def three(**other: Record) -> list[Record]:
    """The lines of INV-0003, with others in the places that are named `first`, `second`, `third`."""
    places = ("first", "second", "third")
    return [other.get(place, own) for place, own in zip(places, lines_of_three(), strict=True)]
