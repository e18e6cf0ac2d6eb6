"""What is moved in `test_reconcile.py`: in Xero, and in Caspen where no push has told Xero of it.

Of each: who does what, where it shows, as what, what is said of Caspen, what of Xero, and what may show with it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import in_xero
import moved
from clinics import line
from moved import BOB, Moved, three

INV, PAID, NOTED = "INV-0003", "INV-0001", "INV-0002"
"""One that is neither paid nor credited, one with a payment, one with a credit note."""

LINES = ("line",)
A_RATE = (("EXEMPTOUTPUT", "GST Free"), ("BASEXCLUDED", "BAS Excluded"))
DOCUMENTS_IN_XERO: dict[str, Moved] = {
    "a cent on a line": Moved(moved.lines(INV, (1, "150.01", None)), INV, "figures", ["240.00"], ["240.01"], LINES),
    "a cent less on an inclusive line": Moved(
        moved.lines("INV-0005", (1, "99.94", None)), "INV-0005", "figures", ["129.92"], ["129.91"], LINES
    ),
    "a cent where nothing is taxed": Moved(
        moved.lines("INV-0006", (1, "80.01", None)), "INV-0006", "figures", ["80.00"], ["80.01"], LINES
    ),
    "a cent of tax": Moved(moved.lines(INV, (1, None, "15.01")), INV, "figures", ["20.00"], ["20.01"], LINES),
    "a cent of tax from one line to another": Moved(
        moved.lines(INV, (1, None, "15.01"), (2, None, "4.99")), INV, "line", ["15.00"], ["15.01"]
    ),
    "a cent from one line to another": Moved(
        moved.lines(INV, (1, "150.01", None), (2, "49.99", None)), INV, "line", ["150.00"], ["150.01"]
    ),
    "an amount from a taxed line to one that is not": Moved(
        moved.lines(INV, (1, "140.00", None), (3, "50.00", None)), INV, "line", ["150.00"], ["140.00"]
    ),
    "two lines exchanged": Moved(
        moved.lines(INV, (1, "50.00", "5.00"), (2, "150.00", "15.00")), INV, "line", ["150.00"], ["50.00"]
    ),
    "a tax rate of the same percentage": Moved(
        moved.rates(INV, 3, "BASEXCLUDED"), INV, "line", [A_RATE[0]], [A_RATE[1]]
    ),
    "a tax rate of another percentage": Moved(
        moved.rates(INV, 2, "EXEMPTOUTPUT", "0"), INV, "figures", ["20.00"], ["15.00"], LINES
    ),
    "a line removed": Moved(
        moved.alters(INV, moved.loses_a_line), INV, "line-missing-in-xero", ["40.00"], [], ["figures", "line"]
    ),
    "a line added": Moved(
        moved.alters(INV, moved.gains_a_line), INV, "line-unknown-in-caspen", [], ["10.00"], ["figures", "line"]
    ),
    "a line doubled": Moved(
        moved.alters(INV, moved.doubles_a_line), INV, "line-unknown-in-caspen", [], ["50.00"], ["figures", "line"]
    ),
    "a day": Moved(moved.edits(INV, Date="2026-11-03"), INV, "date", [date(2026, 11, 2)], [date(2026, 11, 3)]),
    "a day into another month": Moved(
        moved.edits(INV, Date="2026-10-31"), INV, "date", [date(2026, 11, 2)], [date(2026, 10, 31)]
    ),
    "the day of one that is paid": Moved(
        moved.sets(PAID, Date="2026-11-01"), PAID, "date", [date(2026, 11, 2)], [date(2026, 11, 1)]
    ),
    "a due date": Moved(
        moved.edits(INV, DueDate="2026-11-17"), INV, "due-date", [date(2026, 11, 16)], [date(2026, 11, 17)]
    ),
    "a number": Moved(moved.edits(INV, InvoiceNumber="INV-0033"), INV, "number", [INV], ["INV-0033"]),
    "another client's contact": Moved(moved.moves_to_bob, INV, "contact", ["Okafor"], ["Smith"]),
    "a stranger's contact": Moved(moved.moves_to_a_stranger, INV, "contact", ["Okafor"], ["Corner Cafe"]),
    "a currency": Moved(
        moved.sets(INV, CurrencyCode="NZD"), INV, "currency", ["AUD"], ["NZD"], besides=["figures", "due-date"]
    ),
    "back to a draft": Moved(moved.sets(INV, Status="DRAFT"), INV, "status", [], [("DRAFT", "draft")]),
    "back to an approver": Moved(moved.sets(INV, Status="SUBMITTED"), INV, "status", [], [("SUBMITTED", "submitted")]),
    "voided": Moved(
        moved.edits(INV, Status="VOIDED"), INV, "voided-in-xero", ["260.00"], [("VOIDED", "voided", "void")]
    ),
    "deleted": Moved(
        moved.sets(INV, Status="DELETED"), INV, "voided-in-xero", ["260.00"], [("DELETED", "deleted", "void")]
    ),
    "gone altogether": Moved(moved.loses(INV), INV, "missing-in-xero", ["260.00"]),
    "one with payments gone altogether": Moved(
        moved.loses(PAID), PAID, "missing-in-xero", ["360.00"], besides=["payment-missing-in-xero"]
    ),
    "doubled under its number": Moved(moved.doubles(INV, INV), INV, "twice-in-xero", [], ["260.00"]),
    "doubled under another number": Moved(
        moved.doubles(INV, "X-1"), "X-1", ("twice-in-xero", "unknown-in-caspen"), [], ["260.00"], others=[INV]
    ),
    "added to a client of ours": Moved(
        lambda clinic: moved.writes_an_invoice(clinic, moved.nells(clinic)), "X-1", "unknown-in-caspen", [], ["55.00"]
    ),
}
PAYMENTS_IN_XERO: dict[str, Moved] = {
    "a payment a cent less": Moved(
        moved.alters_the_payment(PAID, Amount=Decimal("109.99")), PAID, "payment-amount", ["110.00"], ["109.99"]
    ),
    "a payment a cent more": Moved(
        moved.alters_the_payment(PAID, Amount=Decimal("110.01")), PAID, "payment-amount", ["110.00"], ["110.01"]
    ),
    "one that paid all of it a cent less": Moved(
        moved.alters_the_payment("INV-0004", Amount=Decimal("164.99")),
        "INV-0004",
        "payment-amount",
        ["165.00"],
        ["164.99"],
        ["status"],
    ),
    "a payment's day": Moved(
        moved.alters_the_payment(PAID, Date="2026-11-04"),
        PAID,
        "payment-date",
        [date(2026, 11, 3)],
        [date(2026, 11, 4)],
    ),
    "a payment's day into another month": Moved(
        moved.alters_the_payment("INV-0004", Date="2026-10-30"),
        "INV-0004",
        "payment-date",
        [date(2026, 11, 10)],
        [date(2026, 10, 30)],
    ),
    "a payment on another invoice": Moved(
        moved.moves_the_payment(PAID, INV),
        PAID,
        "payment-missing-in-xero",
        ["110.00"],
        besides=["payment-unknown-in-caspen"],
        others=[INV],
    ),
    "a payment deleted": Moved(moved.deletes_the_payment, PAID, "payment-missing-in-xero", ["110.00"]),
    "a payment gone altogether": Moved(moved.loses_the_payment(PAID), PAID, "payment-missing-in-xero", ["110.00"]),
    "a payment doubled": Moved(moved.pays_again, PAID, "payment-unknown-in-caspen", [], ["110.00"]),
    "a payment added": Moved(
        lambda clinic: in_xero.pays(clinic, INV, "25.00"), INV, "payment-unknown-in-caspen", [], ["25.00"]
    ),
    "two payments together added": Moved(
        lambda clinic: moved.keeper(clinic).pays_together({PAID: "1.00", INV: "2.00"}),
        INV,
        "payment-unknown-in-caspen",
        [],
        ["2.00"],
        others=[PAID],
    ),
}
CREDITS_IN_XERO: dict[str, Moved] = {
    "a note a cent less": Moved(
        moved.alters_the_allocation("CRN-0001", NOTED, keeps_the_note=False, Amount=Decimal("43.99")),
        "CRN-0001",
        "credit-note-figures",
        ["44.00"],
        ["43.99"],
        ["credit-note-line", "credit-amount"],
        [NOTED],
    ),
    "a note's cent of tax": Moved(
        moved.lines("CRN-0001", (1, "39.99", "4.01"), kind="CreditNotes"),
        "CRN-0001",
        "credit-note-figures",
        ["40.00", "4.00"],
        ["39.99", "4.01"],
        ["credit-note-line"],
    ),
    "a note's day": Moved(
        moved.sets("CRN-0001", "CreditNotes", Date="2026-11-04"),
        "CRN-0001",
        "credit-note-date",
        [date(2026, 11, 5)],
        [date(2026, 11, 4)],
    ),
    "the day since when a credit counts": Moved(
        moved.alters_the_allocation("CRN-0001", NOTED, Date="2026-11-06"),
        NOTED,
        "credit-date",
        [date(2026, 11, 5)],
        [date(2026, 11, 6)],
        others=["CRN-0001"],
    ),
    "a note's number": Moved(
        moved.sets("CRN-0001", "CreditNotes", CreditNoteNumber="CRN-0011"),
        "CRN-0001",
        "credit-note-number",
        ["CRN-0001"],
        ["CRN-0011"],
    ),
    "a note's contact": Moved(
        moved.moves_the_note_to_another_contact, "CRN-0001", "credit-note-contact", ["Okafor"], ["Smith"]
    ),
    "a note's currency": Moved(
        moved.sets("CRN-0001", "CreditNotes", CurrencyCode="NZD"),
        "CRN-0001",
        "credit-note-currency",
        ["AUD"],
        ["NZD"],
        ["credit-note-figures", "credit-amount"],
    ),
    "a note's tax rate of the same percentage": Moved(
        moved.rates("CRN-0001", 1, "INPUT", kind="CreditNotes"), "CRN-0001", "credit-note-line"
    ),
    "a note back to a draft": Moved(
        moved.sets("CRN-0001", "CreditNotes", Status="DRAFT"),
        "CRN-0001",
        "credit-note-status",
        [],
        [("DRAFT", "draft")],
        ["credit-missing-in-xero"],
        [NOTED],
    ),
    "a note voided": Moved(
        moved.voids_the_note,
        "CRN-0001",
        "credit-note-voided-in-xero",
        ["44.00"],
        [],
        ["credit-missing-in-xero"],
        [NOTED],
    ),
    "a note gone altogether": Moved(
        moved.loses_the_note,
        "CRN-0001",
        "credit-note-missing-in-xero",
        ["44.00"],
        [],
        ["credit-missing-in-xero"],
        [NOTED],
    ),
    "a note doubled": Moved(
        moved.doubles_the_note("CRN-0001", "CRN-0099"), "CRN-0099", "credit-note-unknown-in-caspen", [], ["44.00"]
    ),
    "a note doubled under its number": Moved(
        moved.doubles_the_note("CRN-0001", "CRN-0001"),
        "CRN-0001",
        ("credit-note-unknown-in-caspen", "twice-in-xero"),
        [],
        ["44.00"],
    ),
    "a note added": Moved(
        lambda clinic: moved.keeper(clinic).issues_credit_note(INV, "22.00"),
        "CN-0001",
        "credit-note-unknown-in-caspen",
        [],
        ["22.00"],
        others=["CN-"],
    ),
    "a note taken off its invoice": Moved(
        moved.takes_the_credit_off, NOTED, "credit-missing-in-xero", ["44.00"], [], ["credit-note-status"], ["CRN-0001"]
    ),
    "a part of a note taken off": Moved(
        moved.puts_it_on(NOTED, "20.00"),
        NOTED,
        "credit-amount",
        ["44.00"],
        ["20.00"],
        ["credit-note-status"],
        ["CRN-0001"],
    ),
    "a note on another invoice": Moved(
        moved.puts_it_on(INV, "44.00"),
        NOTED,
        "credit-missing-in-xero",
        ["44.00"],
        [],
        ["credit-unknown-in-caspen"],
        [INV, "CRN-0001"],
    ),
    "a credit note added to an invoice": Moved(
        moved.credits_it("credit_note"),
        INV,
        "credit-unknown-in-caspen",
        [],
        ["22.00"],
        ["credit-note-unknown-in-caspen"],
        ["CN-"],
    ),
    "an overpayment put on an invoice": Moved(
        moved.credits_it("overpayment"), INV, "credit-unknown-in-caspen", [], ["22.00"]
    ),
    "a prepayment put on an invoice": Moved(
        moved.credits_it("prepayment"), INV, "credit-unknown-in-caspen", [], ["22.00"]
    ),
}

# --- moved in Caspen, and not sent

DOCUMENTS_IN_CASPEN: dict[str, Moved] = {
    "a cent of a price": Moved(
        moved.bills(*three(first=line("150.01"))), INV, "figures", ["240.01"], ["240.00"], LINES
    ),
    "a cent from one line to another": Moved(
        moved.bills(*three(first=line("150.01"), second=line("49.99"))), INV, "line", ["150.01"], ["150.00"]
    ),
    "a discount": Moved(
        moved.bills(*three(first=line("150.00", discount=("fixed", "0.10")))),
        INV,
        "figures",
        ["239.90"],
        ["240.00"],
        LINES,
    ),
    "a tax rate of another percentage": Moved(
        moved.bills(*three(third=line("40.00"))), INV, "figures", ["24.00"], ["20.00"], LINES
    ),
    "a tax rate of the same percentage": Moved(
        moved.bills(*three(third=line("40.00", rate=None))), INV, "line", [A_RATE[1]], [A_RATE[0]]
    ),
    "a line removed": Moved(
        moved.bills(*three()[:2]), INV, "line-unknown-in-caspen", [], ["40.00"], ["figures", "line"]
    ),
    "a line added": Moved(
        moved.bills(*three(), line("10.00")), INV, "line-missing-in-xero", ["10.00"], [], ["figures", "line"]
    ),
    "a day": Moved(
        moved.says("inv_INV-0003", issue_date="2026-11-01"), INV, "date", [date(2026, 11, 1)], [date(2026, 11, 2)]
    ),
    "a due date": Moved(
        moved.says("inv_INV-0003", due_date="2026-11-15"), INV, "due-date", [date(2026, 11, 15)], [date(2026, 11, 16)]
    ),
    "a number": Moved(moved.says("inv_INV-0003", number="INV-0033"), "INV-0033", "number", ["INV-0033"], [INV]),
    "a client": Moved(moved.says("inv_INV-0003", client_id=BOB), INV, "contact", ["Smith"], ["Okafor"]),
    "a currency": Moved(
        moved.says("inv_INV-0003", currency="NZD"), INV, "currency", ["NZD"], ["AUD"], ["figures", "due-date"]
    ),
    "voided": Moved(
        moved.says("inv_INV-0003", status="void"), INV, "gone-in-caspen", [("void", "Void")], [("260.00", "AUTHORISED")]
    ),
    "back to a draft": Moved(
        moved.says("inv_INV-0003", status="draft"),
        INV,
        "gone-in-caspen",
        [("draft", "Draft")],
        [("260.00", "AUTHORISED")],
    ),
    "deleted": Moved(
        moved.says("inv_INV-0003", status="deleted"), INV, "gone-in-caspen", ["deleted"], [("260.00", "AUTHORISED")]
    ),
}
MONEY_IN_CASPEN: dict[str, Moved] = {
    "a payment's cent": Moved(moved.pays("109.99"), PAID, "payment-amount", ["109.99"], ["110.00"]),
    "a payment's day": Moved(
        moved.pays("110.00", date="2026-11-04"), PAID, "payment-date", [date(2026, 11, 4)], [date(2026, 11, 3)]
    ),
    "a payment voided": Moved(moved.pays("110.00", status="void"), PAID, "payment-unknown-in-caspen", [], ["110.00"]),
    "a payment on another invoice": Moved(
        moved.pays("110.00", INV),
        PAID,
        "payment-unknown-in-caspen",
        [],
        ["110.00"],
        ["payment-missing-in-xero"],
        [INV],
    ),
    "a note's cent": Moved(
        moved.credits("39.99"),
        "CRN-0001",
        "credit-note-figures",
        ["39.99"],
        ["40.00"],
        ["credit-note-line", "credit-amount"],
        [NOTED],
    ),
    "a note's day": Moved(
        moved.credits("40.00", date="2026-11-06"),
        "CRN-0001",
        "credit-note-date",
        [date(2026, 11, 6)],
        [date(2026, 11, 5)],
        ["credit-date"],
        [NOTED],
    ),
    "a note voided": Moved(
        moved.credits("40.00", status="void"),
        "CRN-0001",
        "credit-note-gone-in-caspen",
        [],
        ["44.00"],
        ["credit-unknown-in-caspen"],
        [NOTED],
    ),
}
