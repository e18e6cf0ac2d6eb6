"""A clinic that lives: invoices finalised, paid, credited, reverted, edited and voided as Caspen lets one, and what Xero must show.

Nothing here uses the project's own arithmetic or planning: `expected` is worked out from the clinic's records alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from clinics import TAX_RATES, TAX_TYPES, Record, Rounding, client, dollars, random_invoice

METHODS: list[Record] = [
    {"object": "payment_method", "id": "pmt_eftpos", "name": "EFTPOS", "type": "eftpos"},
    {"object": "payment_method", "id": "pmt_cash", "name": "Cash", "type": "cash"},
    {"object": "payment_method", "id": "pmt_own", "name": "Gift  card", "type": "other"},
]
METHOD_NAMES: dict[str | None, str] = {
    "pmt_eftpos": "EFTPOS",
    "pmt_cash": "Cash",
    "pmt_own": "Gift card",
    None: "Payment",
}
PAYERS: list[Record] = [
    {"object": "contact", "id": "con_1", "type": "plan_manager", "company": "Plan Partners", "email": "ap@example.org"},
    {"object": "contact", "id": "con_2", "type": "payer", "first_name": "Rae", "last_name": "Ng"},
]
PAYER_NAMES = {"con_1": "Plan Partners", "con_2": "Rae Ng"}
_SHOWN = {"exclusive": "Exclusive", "inclusive": "Inclusive", "none": "NoTax"}
_LIVE = ("open", "paid")


@dataclass
class Life:
    """One clinic's Caspen. `sent` holds each invoice as it was when a push last found it finalised.

    `renumbers`: a draft may get another number or client; then only the store that sent it can tell it from another invoice.
    """

    random: Random
    clients: dict[str, Record] = field(default_factory=dict)
    invoices: dict[str, Record] = field(default_factory=dict)
    payments: dict[str, Record] = field(default_factory=dict)
    credit_notes: dict[str, Record] = field(default_factory=dict)
    sent: dict[str, Record] = field(default_factory=dict)
    sent_notes: set[str] = field(default_factory=set)
    changed: list[Record] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    count: int = 0
    renumbers: bool = True

    @classmethod
    def begun(cls, seed: int, invoices: int, clients: int = 6, *, renumbers: bool = True) -> Life:
        """A clinic with a history, none of it in Xero yet."""
        life = cls(Random(seed), renumbers=renumbers)
        for place in range(clients):
            life._new_client(place)
        for _ in range(invoices):
            life.new_invoice()
        for _ in range(invoices):
            life.new_payment()
        for _ in range(invoices // 3):
            life.new_credit_note()
        return life

    # --- what happens in a clinic

    def happens(self, events: int) -> None:
        """So many events, of all kinds that Caspen allows."""
        kinds = (
            (3, self.new_invoice),
            (5, self.new_payment),
            (3, self.new_credit_note),
            (2, self.payment_voided),
            (2, self.allocation_removed),
            (2, self.allocation_changed),
            (2, self.allocation_moved),
            (2, self.payment_edited),
            (2, self.credit_note_voided),
            (6, self.reverted),
            (6, self.finalised_again),
            (2, self.voided),
            (1, self.deleted),
            (2, self.client_edited),
        )
        weights = [weight for weight, _ in kinds]
        for _ in range(events):
            (_, event) = self.random.choices(kinds, weights)[0]
            if event() is not False:
                self.happened.append(event.__name__)

    def new_invoice(self) -> None:
        record = random_invoice(self.random, self._number("INV"), self.random.choice(list(self.clients)))
        record["status"] = self.random.choices(("open", "draft"), (9, 1))[0]
        if self.random.random() < 0.2:
            record["invoice_to_id"] = self.random.choice(list(PAYER_NAMES))
        if self.random.random() < 0.3:
            record["reference"] = f"NDIS {self.random.randint(1, 9999)}"
        self._date(record)
        self._keep(self.invoices, record)

    def new_payment(self) -> bool:
        """Money from a client on one to three of their invoices, some of it perhaps on none."""
        payer = self.random.choice(list(self.clients))
        owed = [invoice for invoice in self._owing() if invoice["client_id"] == payer]
        self.random.shuffle(owed)
        chosen = owed[: self.random.choice((1, 1, 1, 2, 3))]
        parts = [self._allocation(invoice, place) for place, invoice in enumerate(chosen, 1)]
        rest = self.random.choice((0, 0, 0, 1234))
        if not parts and not rest:
            return False
        payment = {
            "object": "payment",
            "id": self._id("pay"),
            "client_id": payer,
            "date": self._day(),
            "method_id": self.random.choice((*(method["id"] for method in METHODS), None)),
            "amount": str(sum((Decimal(part["amount"]) for part in parts), Decimal(rest) / 100)),
            "status": "allocated" if parts else "unallocated",
            "allocations": parts,
        }
        self._keep(self.payments, payment)
        return True

    def payment_from_xero(self, record: Mapping[str, Any]) -> None:
        """Caspen records what it was told of; on its invoice, if that still owes as much."""
        invoice, amount = self.invoices[record["invoice_id"]], Decimal(record["amount"])
        fits = invoice["status"] == "open" and amount * 100 <= self._due_cents(invoice)
        part = {"id": "1", "invoice_id": invoice["id"], "amount": record["amount"], "date": record["date"]}
        payment = {
            "object": "payment",
            "id": self._id("pay"),
            "client_id": invoice["client_id"],
            "date": record["date"],
            "method_id": None,
            "amount": record["amount"],
            "status": "allocated" if fits else "unallocated",
            "allocations": [part] if fits else [],
            "xero_id": record["id"],
        }
        self._keep(self.payments, payment)

    def new_credit_note(self) -> bool:
        """Some lines of an invoice that still owes something, wholly or in part."""
        owing = self._owing()
        if not owing:
            return False
        invoice = self.random.choice(owing)
        lines = [
            {
                "id": f"crl_{place}",
                "invoice_line_id": line["id"],
                "description": line["description"],
                "quantity": line["quantity"] if self.random.random() < 0.5 else "1",
                "unit_price": str(self.random.randint(1, 9000) / Decimal(100)),
                "tax_rate_id": line["tax_rate_id"],
            }
            for place, line in enumerate(self.random.sample(invoice["lines"], min(2, len(invoice["lines"]))), 1)
        ]
        rounding = Rounding(self.random.choice(("line", "document")), self.random.choice(("up", "even")))
        totals = rounding.totals(lines, invoice["tax_mode"])
        if not 0 < totals.total <= self._due_cents(invoice):
            return False
        note = {
            "object": "credit_note",
            "id": self._id("crn"),
            "number": self._number("CN"),
            "invoice_id": invoice["id"],
            "date": self._day(),
            "status": "issued",
            "reason": "Session cut short",
            "lines": lines,
            "subtotal": dollars(totals.subtotal),
            "tax": dollars(totals.tax),
            "total": dollars(totals.total),
        }
        self._keep(self.credit_notes, note)
        return True

    def payment_voided(self) -> bool:
        payment = self._pick(self.payments, lambda one: one["status"] in ("allocated", "unallocated"))
        if payment is None:
            return False
        if self.random.random() < 0.5:
            payment["allocations"] = []
        payment["status"] = self.random.choice(("void", "deleted"))
        return self._keep(self.payments, payment)

    def allocation_removed(self) -> bool:
        payment = self._pick(self.payments, lambda one: one["status"] == "allocated" and one["allocations"])
        if payment is None:
            return False
        payment["allocations"].pop(self.random.randrange(len(payment["allocations"])))
        payment["status"] = "allocated" if payment["allocations"] else "unallocated"
        return self._keep(self.payments, payment)

    def allocation_changed(self) -> bool:
        payment = self._pick(self.payments, lambda one: one["status"] == "allocated" and one["allocations"])
        if payment is None:
            return False
        allocation = self.random.choice(payment["allocations"])
        most = self._due_cents(self.invoices[allocation["invoice_id"]]) + int(Decimal(allocation["amount"]) * 100)
        allocation["amount"] = dollars(self.random.randint(1, most))
        parts = sum((Decimal(part["amount"]) for part in payment["allocations"]), Decimal(0))
        payment["amount"] = str(max(Decimal(payment["amount"]), parts))  # it is put on invoices with no more than it is
        return self._keep(self.payments, payment)

    def allocation_moved(self) -> bool:
        """The same money to another invoice; Caspen may or may not keep the allocation's id."""
        payment = self._pick(self.payments, lambda one: one["status"] == "allocated" and one["allocations"])
        owing = self._owing()
        if payment is None or not owing:
            return False
        allocation = self.random.choice(payment["allocations"])
        target = self.random.choice(owing)
        if target["id"] == allocation["invoice_id"]:
            return False
        allocation["invoice_id"] = target["id"]
        allocation["amount"] = dollars(min(int(Decimal(allocation["amount"]) * 100), self._due_cents(target)))
        if self.random.random() < 0.5:
            allocation["id"] = str(max(int(part["id"]) for part in payment["allocations"]) + 1)
        return self._keep(self.payments, payment)

    def payment_edited(self) -> bool:
        payment = self._pick(self.payments, lambda one: one["status"] == "allocated")
        if payment is None:
            return False
        payment[self.random.choice(("date", "method_id"))] = None
        payment["date"] = payment["date"] or self._day()
        return self._keep(self.payments, payment)

    def credit_note_voided(self) -> bool:
        note = self._pick(self.credit_notes, lambda one: one["status"] == "issued")
        if note is None:
            return False
        note["status"] = self.random.choice(("void", "void", "deleted"))
        return self._keep(self.credit_notes, note)

    def reverted(self) -> bool:
        """Back to draft; what was paid or credited is taken off it first, as Caspen demands."""
        invoice = self._pick(self.invoices, lambda one: one["status"] == "open")
        if invoice is None:
            return False
        self._free(invoice)
        invoice["status"] = "draft"
        return self._keep(self.invoices, invoice)

    def finalised_again(self) -> bool:
        """A draft is edited, perhaps in everything, and finalised."""
        invoice = self._pick(self.invoices, lambda one: one["status"] == "draft")
        if invoice is None:
            return False
        chance = self.random.random
        if chance() < 0.6:
            new = random_invoice(self.random, invoice["number"], invoice["client_id"])
            invoice |= {name: new[name] for name in ("lines", "tax_mode", "subtotal", "tax", "total")}
        if chance() < 0.4:
            self._date(invoice)
        if chance() < 0.4:
            invoice["reference"] = self.random.choice((None, "PO 7", "A new reference"))
        if chance() < 0.3 and self.renumbers:
            invoice["client_id"] = self.random.choice(list(self.clients))
        if chance() < 0.2 and self.renumbers:
            invoice["number"] = self._number("INV")
        if chance() < 0.3:
            invoice["invoice_to_id"] = self.random.choice((None, *PAYER_NAMES))
        if chance() < 0.2:
            invoice["due_date"] = None
        invoice["status"] = "open"
        return self._keep(self.invoices, invoice)

    def voided(self) -> bool:
        invoice = self._pick(self.invoices, lambda one: one["status"] == "open")
        if invoice is None:
            return False
        self._free(invoice)
        invoice["status"] = "void"
        return self._keep(self.invoices, invoice)

    def deleted(self) -> bool:
        invoice = self._pick(self.invoices, lambda one: one["status"] == "draft")
        if invoice is None:
            return False
        invoice["status"] = "deleted"
        return self._keep(self.invoices, invoice)

    def client_edited(self) -> bool:
        person = deepcopy(self.random.choice(list(self.clients.values())))
        what = self.random.choice(("last_name", "email", "phone_number", "address"))
        person[what] = {
            "last_name": f"Renamed {self.random.randint(1, 99)}",
            "email": self.random.choice((f"new{self.random.randint(1, 99)}@example.org", None)),
            "phone_number": self.random.choice(("+61 400 111 222", None)),
            "address": self.random.choice(({"line1": "9 Low Rd", "city": "Perth", "country_code": "AU"}, None)),
        }[what]
        return self._keep(self.clients, person)

    # --- how it leaves Caspen

    def export(self, folder: Path, *, whole: bool) -> Path:
        """An export in random splits: all there is, or what has changed since the last one."""
        records = [
            *self.clients.values(),
            *self.invoices.values(),
            *self.payments.values(),
            *self.credit_notes.values(),
        ]
        if whole:
            records = [*TAX_RATES, *METHODS, *PAYERS, *records]
        else:
            known = {record["id"] for record in self.changed}
            records = [record for record in records if record["id"] in known]
        self.changed.clear()
        self.random.shuffle(records)
        folder.mkdir(parents=True)
        parts = min(self.random.randint(1, 6), len(records) or 1)
        for place in range(parts):
            some = records[place::parts]
            form = self.random.choice(("lines", "array", "page"))
            if form == "lines" and some:
                (folder / f"{place}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in some))
            else:
                (folder / f"{place}.json").write_text(json.dumps(some if form == "array" else {"data": some}))
        return folder

    def pushed(self) -> None:
        """A push has seen the clinic as it is now."""
        for id_, invoice in self.invoices.items():
            if invoice["status"] in _LIVE:
                self.sent[id_] = deepcopy(invoice)
        self.sent_notes |= {id_ for id_, note in self.credit_notes.items() if note["status"] == "issued"}

    # --- what Xero must show

    def expected(self, accounts: Mapping[str | None, str]) -> dict[str, Any]:
        """Invoices and credit notes by number, and payments; `accounts`: AccountIDs by payment method (None: default)."""
        return {
            "invoices": {as_sent["number"]: self._expected_invoice(id_, as_sent) for id_, as_sent in self.sent.items()},
            "payments": sorted(
                (
                    self.sent[part["invoice_id"]]["number"],
                    Decimal(part["amount"]),
                    payment["date"],
                    accounts.get(payment["method_id"], accounts[None]),
                    f"{METHOD_NAMES[payment['method_id']]} {payment['id']}/{part['id']}",
                )
                for payment, part in self._allocations()
            ),
            "credit_notes": {
                note["number"]: self._expected_note(note)
                for note in self.credit_notes.values()
                if note["id"] in self.sent_notes
            },
            "contacts": {each["client_id"]: self.clients[each["client_id"]] for each in self.sent.values()},
        }

    def _expected_invoice(self, id_: str, sent: Record) -> dict[str, Any]:
        gone = self.invoices[id_]["status"] in ("void", "deleted")
        paid = sum(
            (Decimal(part["amount"]) for _, part in self._allocations() if part["invoice_id"] == id_), Decimal(0)
        )
        credited = sum((Decimal(note["total"]) for note in self._notes_on(id_)), Decimal(0))
        due = Decimal(sent["total"]) - paid - credited
        return {
            **as_document(sent),
            "Status": "VOIDED" if gone else "PAID" if due == 0 else "AUTHORISED",
            "AmountPaid": paid,
            "AmountCredited": credited,
            # What Xero calls due on a voided invoice is nobody's concern.
            **({} if gone else {"AmountDue": due}),
        }

    def _expected_note(self, note: Record) -> dict[str, Any]:
        invoice, gone = self.sent[note["invoice_id"]], note["status"] != "issued"
        taken = [] if gone else [(invoice["number"], Decimal(note["total"]), max(note["date"], invoice["issue_date"]))]
        return {
            "Status": "VOIDED" if gone else "PAID",
            "ContactNumber": None if gone else invoice["client_id"],
            "Date": note["date"],
            "SubTotal": Decimal(note["subtotal"]),
            "TotalTax": Decimal(note["tax"]),
            "Total": Decimal(note["total"]),
            "Allocations": taken,
        }

    # --- small things

    def _allocations(self) -> list[tuple[Record, Record]]:
        return [
            (payment, part)
            for payment in self.payments.values()
            if payment["status"] == "allocated"
            for part in payment["allocations"]
        ]

    def _notes_on(self, invoice_id: str) -> list[Record]:
        notes = self.credit_notes.values()
        return [note for note in notes if note["invoice_id"] == invoice_id and note["status"] == "issued"]

    def _due_cents(self, invoice: Record) -> int:
        paid = sum(
            (Decimal(p["amount"]) for _, p in self._allocations() if p["invoice_id"] == invoice["id"]), Decimal(0)
        )
        credited = sum((Decimal(note["total"]) for note in self._notes_on(invoice["id"])), Decimal(0))
        return int((Decimal(invoice["total"]) - paid - credited) * 100)

    def _owing(self) -> list[Record]:
        return [one for one in self.invoices.values() if one["status"] == "open" and self._due_cents(one) > 0]

    def _allocation(self, invoice: Record, place: int) -> Record:
        """A part of a payment. Its id is unique only within the payment: every payment has a "1"."""
        due = self._due_cents(invoice)
        cents = due if self.random.random() < 0.5 else self.random.randint(1, due)
        return {"id": str(place), "invoice_id": invoice["id"], "amount": dollars(cents), "date": self._day()}

    def _free(self, invoice: Record) -> None:
        for payment in [deepcopy(one) for one in self.payments.values()]:
            left = [part for part in payment["allocations"] if part["invoice_id"] != invoice["id"]]
            if payment["status"] == "allocated" and left != payment["allocations"]:
                payment |= {"allocations": left, "status": "allocated" if left else "unallocated"}
                self._keep(self.payments, payment)
        for note in [deepcopy(one) for one in self._notes_on(invoice["id"])]:
            self._keep(self.credit_notes, note | {"status": "void"})

    def _pick(self, among: Mapping[str, Record], fits: Callable[[Record], Any]) -> Record | None:
        found = [one for one in among.values() if fits(one)]
        return deepcopy(self.random.choice(found)) if found else None

    def _keep(self, among: dict[str, Record], record: Record) -> bool:
        self.count += 1
        record["updated_at"] = f"2026-11-20T{self.count // 3600:02d}:{self.count // 60 % 60:02d}:{self.count % 60:02d}Z"
        among[record["id"]] = record
        self.changed.append(record)
        return True

    def _new_client(self, place: int) -> None:
        # Some share a name, and even the last five digits.
        id_ = f"{place}1048{place % 3}37" if place % 2 else f"cli_{place}{self.random.choice('AB')}77"
        name = ("Nell", "Okafor") if place in (1, 4) else ("Ana", f"Person {place}")
        email = self.random.choice((None, "someone@example.org"))
        self._keep(self.clients, client(id_, *name, email=email, phone_number="+61 400 000 000"))

    def _date(self, record: Record) -> None:
        issued = date(2026, 11, 1) + timedelta(self.random.randint(0, 20))
        record["issue_date"] = issued.isoformat()
        record["due_date"] = self.random.choice((None, (issued + timedelta(14)).isoformat()))

    def _day(self) -> str:
        return (date(2026, 11, 1) + timedelta(self.random.randint(0, 20))).isoformat()

    def _id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count:05d}"

    def _number(self, kind: str) -> str:
        self.count += 1
        return f"{kind}-{self.count:05d}"


def as_document(invoice: Record) -> dict[str, Any]:
    """What Xero must show of a finalised invoice itself, whatever was paid or credited."""
    payer = invoice["invoice_to_id"]
    reference = [invoice["reference"], f"Invoice to {PAYER_NAMES[payer]}" if payer else None]
    return {
        "ContactNumber": invoice["client_id"],
        "Date": invoice["issue_date"],
        "DueDate": invoice["due_date"] or invoice["issue_date"],
        "Reference": " | ".join(part for part in reference if part),
        "LineAmountTypes": _SHOWN[invoice["tax_mode"]],
        "CurrencyCode": "AUD",
        "SubTotal": Decimal(invoice["subtotal"]),
        "TotalTax": Decimal(invoice["tax"]),
        "Total": Decimal(invoice["total"]),
        "Lines": [_expected_line(line, invoice["tax_mode"]) for line in invoice["lines"]],
    }


def _expected_line(line: Record, tax_mode: str) -> tuple[str, str, str]:
    tax_type = "" if tax_mode == "none" else TAX_TYPES[line["tax_rate_id"]]
    return (line["description"], "200", tax_type)
