"""Books of thousands of invoices, each with a payment, one in 34 with a credit note: on both sides as a push has left them.

A push of so many takes minutes. So one invoice is pushed, and then copied in Xero's ledger and among the links that a push makes.
"""

from __future__ import annotations

import json
from contextlib import closing
from uuid import uuid4

from clinics import EFTPOS, Record, client, credit_note, invoice, line, payment
from moved import NELL, note_in, payment_of, the_ledger
from pushing import Clinic

from caspen_xero.store.store import Store

CREDITED = 34
"""Of so many invoices one has a credit note."""
Ids = dict[str, str]


def number_of(place: int) -> str:
    return f"INV-{place:05d}"


def records(place: int) -> list[Record]:
    """An invoice of 11.00, a payment of 1.00, and perhaps a credit note of 2.20."""
    number = number_of(place)
    made = [
        invoice(number, [line("10.00")]),
        payment("1.00", (f"inv_{number}", "1.00"), id_=f"pay_{number}"),
    ]
    if place % CREDITED == 1:
        made.append(credit_note(f"CN-{place:05d}", [line("2.00")], invoice_id=f"inv_{number}"))
    return made


def large(clinic: Clinic, count: int) -> Clinic:
    """A clinic with so many invoices, in order on both sides; nothing is left to be sent."""
    clinic.takes(client(NELL), EFTPOS, *records(1))
    assert clinic.push().exit_code == 0
    clinic.takes(*(record for place in range(2, count + 1) for record in records(place)))
    copies = {
        place: {kind: str(uuid4()) for kind in ("invoice", "line", "payment", "note")} for place in range(2, count + 1)
    }
    with the_ledger(clinic) as ledger:
        first, entry, paid = payment_of(ledger, number_of(1))
        note, (row,), (part,) = note_in(ledger, "CN-00001"), first["LineItems"], first["Allocations"]
        for place, ids in copies.items():
            number = number_of(place)
            money = {"PaymentID": ids["payment"], "Reference": f"EFTPOS pay_{number}/all_{number}a"}
            allocation = {"AllocationID": str(uuid4())}
            of_its_own = {
                "InvoiceID": ids["invoice"],
                "InvoiceNumber": number,
                "LineItems": [{**row, "LineItemID": ids["line"]}],
                "Payments": [{**entry, **money}],
                "Allocations": [],
            }
            if place % CREDITED == 1:
                of_its_own["Allocations"] = [{**part, **allocation, "SourceID": ids["note"]}]
                on_it = {**note["Allocations"][0], **allocation, "InvoiceID": ids["invoice"]}
                named = {"CreditNoteID": ids["note"], "CreditNoteNumber": f"CN-{place:05d}", "Reference": number}
                ledger.save("CreditNotes", {**note, **named, "Allocations": [on_it]}, changed=False)
            ledger.save("Invoices", {**first, **of_its_own}, changed=False)
            ledger.save("Payments", {**paid, **money, "TargetID": ids["invoice"]}, changed=False)
    _link(clinic, copies)
    status = clinic.cli("status", "--json").json
    assert (status["in_order"], status["invoices"]["synced"]) == (True, count), status
    clinic.forget_calls()
    return clinic


def _link(clinic: Clinic, copies: dict[int, Ids]) -> None:
    """The links of the first invoice, again for each copy."""
    with closing(Store(clinic.store_file)) as store, store.write():
        columns = ", ".join(row["name"] for row in store.rows("PRAGMA table_info(links)"))
        for link in map(dict, store.rows("SELECT * FROM links WHERE kind <> 'client'")):
            for place, ids in copies.items():
                if link["kind"] in ("credit_note", "allocation") and place % CREDITED != 1:
                    continue
                xero_id = ids[{"credit_note": "note", "allocation": "note"}.get(link["kind"], link["kind"])]
                texts = {name: value and str(value).replace("00001", f"{place:05d}") for name, value in link.items()}
                made = {name: texts[name] for name in ("caspen_id", "number", "invoice_id", "last_written")}
                made |= {"xero_id": xero_id}
                if link["kind"] == "invoice" and place % CREDITED != 1:
                    made |= {"amount_credited": "0.00", "amount_due": "10.00"}
                if link["lines"]:
                    made["lines"] = json.dumps([["lin_1", ids["line"]]])
                marks = ", ".join("?" * len(link))
                store.rows(f"INSERT INTO links ({columns}) VALUES ({marks})", *(link | made).values())
        store.rows(
            "UPDATE links SET done_up_to = (SELECT touched FROM invoices WHERE id = caspen_id) WHERE kind = 'invoice'"
        )
