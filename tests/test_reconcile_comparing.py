"""Both sides compared to the cent: equal books have no finds, and whatever was moved on either side is found by its name."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from bookkeeping import Bookkeeper, RandomDay
from clinics import CASH, EFTPOS, PAYER, client, credit_note, invoice, line, payment, random_clinic
from pulling import pull
from pushing import Clinic
from read_anew import ALL, Row, Rows, codes, compared, unequal
from test_lifecycle import Story

from caspen_xero.sync.reconciling.ledger import Asked, Compared

NOV = Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
LATER: dict[str, Any] = {"updated_at": "2026-12-01T00:00:00Z"}


# --- what is equal


@pytest.mark.parametrize("seed", range(4))
def test_clean_books_of_a_random_clinic_are_equal(ready: Clinic, seed: int) -> None:
    ready.takes(*random_clinic(seed, 60))
    assert ready.push().exit_code == 0
    found = compared(ready)
    assert unequal(found) == []
    assert len(found.invoices) == 60
    assert (found.information, found.left_out, found.money_left_out, found.others) == ([], [], [], [])


@pytest.mark.parametrize("seed", range(2))
def test_a_clinics_whole_life_is_equal_after_each_push(ready: Clinic, seed: int) -> None:
    story = Story(ready, seed, invoices=25)
    for events in (0, 20, 40, 60):
        story.life.happens(events)
        story.export()
        story.push_and_compare()
        drafts = {id_ for id_, record in story.life.invoices.items() if record["status"] == "draft"}
        for asked in (ALL, NOV, Asked(date(2026, 11, 8), date(2026, 11, 15), date(2026, 11, 10))):
            found = without_drafts(compared(ready, asked), drafts)
            assert unequal(found) == []
            assert found.information == []
            assert {why for _, why in found.money_left_out} <= {"invoice-left-out"}
            assert {one.why for one in found.left_out} <= {"draft", "void"}


def without_drafts(found: Compared, drafts: set[str]) -> Compared:
    """The same, without what Caspen has taken back to a draft while it stands in Xero."""
    found.finds = [one for one in found.finds if one.code != "gone-in-caspen" or one.invoice_id not in drafts]
    found.invoices = [pair for pair in found.invoices if pair.caspen is None or pair.caspen.id not in drafts]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_a_bookkeeper_receives_is_equal_once_caspen_was_told(
    synced: Clinic, bookkeeper: Bookkeeper, seed: int
) -> None:
    day = RandomDay(bookkeeper, ["INV-0001", "INV-0002", "INV-0003", "INV-0004"], Random(seed))
    for _ in range(12):
        day.do()
    waits = compared(synced)
    assert set(codes(waits)) <= {
        "payment-unknown-in-caspen",
        "credit-unknown-in-caspen",
        "credit-note-unknown-in-caspen",
    }
    assert len([one for one in waits.finds if one.invoice_id]) == len(bookkeeper.made)
    pull(synced)
    found = compared(synced)
    found.finds = [one for one in found.finds if one.code != "credit-note-unknown-in-caspen"]  # what is left of them
    found.credit_notes = [pair for pair in found.credit_notes if pair.caspen is not None]
    assert unequal(found) == []
    assert sum(pair.caspen.told for pair in found.payments if pair.caspen) == len(bookkeeper.made)


# --- what was moved


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """Three invoices of two clients in Xero: paid in two parts, credited, and neither; all is equal."""
    lines = [line("100.00"), line("50.00"), line("33.33", rate="tax_free")]
    ready.takes(
        EFTPOS,
        CASH,
        PAYER,
        client("1048237"),
        client("1048999", "Jo", "Marsh"),
        invoice("INV-0001", lines),
        invoice("INV-0002", [line("80.00"), line("20.00")], tax_mode="inclusive"),
        invoice("INV-0003", [line("75.00")], client_id="1048999", tax_mode="none", issue_date="2026-11-04"),
        payment("60.00", ("inv_INV-0001", "40.00"), ("inv_INV-0002", "20.00")),
        payment("15.00", ("inv_INV-0001", "15.00"), id_="pay_2", method_id="pmt_cash"),
        credit_note("CN-0001", [line("10.00"), line("5.00", rate="tax_free")]),
    )
    assert ready.push().exit_code == 0
    assert unequal(compared(ready)) == []
    ready.forget_calls()
    return ready


def one(rows: Rows, plural: str, **wanted: Any) -> Row:
    """The one document of which this is so."""
    (found,) = [row for row in rows[plural] if all(row.get(name) == value for name, value in wanted.items())]
    return found


def an_invoice(rows: Rows, number: str = "INV-0001") -> Row:
    return one(rows, "Invoices", InvoiceNumber=number)


def totals(row: Row, cents: str) -> None:
    for name in ("Total", "SubTotal", "AmountDue"):
        row[name] += Decimal(cents)


def payments_of(rows: Rows, amount: str) -> list[Row]:
    """A payment, in the list of all and inside its invoice."""
    inside = [each for row in rows["Invoices"] for each in row["Payments"]]
    return [row for row in (*rows["Payments"], *inside) if row["Amount"] == Decimal(amount)]


def moves_cent_between_lines(rows: Rows) -> None:
    first, second, _ = an_invoice(rows)["LineItems"]
    first["LineAmount"] += Decimal("0.01")
    second["LineAmount"] -= Decimal("0.01")


def moves_tax_between_lines(rows: Rows) -> None:
    first, second, _ = an_invoice(rows)["LineItems"]
    first["TaxAmount"] += Decimal("0.01")
    second["TaxAmount"] -= Decimal("0.01")


def adds_line(rows: Rows) -> None:
    row = an_invoice(rows)
    row["LineItems"].append(deepcopy(row["LineItems"][0]) | {"LineItemID": str(uuid4())})


def removes_line(rows: Rows) -> None:
    del an_invoice(rows)["LineItems"][1]


def doubles(rows: Rows, **otherwise: Any) -> None:
    """An invoice of the same contact, day and lines, that stands for none of Caspen's."""
    row = deepcopy(an_invoice(rows, "INV-0003"))
    row["LineItems"] = [each | {"LineItemID": str(uuid4())} for each in row["LineItems"]]
    rows["Invoices"].append(row | {"InvoiceID": str(uuid4()), "Payments": [], **otherwise})


def pays_on_another(rows: Rows) -> None:
    """A payment stands on another invoice, with the sums that follow from it."""
    before, after = an_invoice(rows), an_invoice(rows, "INV-0003")
    (moved,) = [each for each in before["Payments"] if each["Amount"] == 15]
    before["Payments"].remove(moved)
    after["Payments"].append(moved)
    for row, sign in ((before, 1), (after, -1)):
        row["AmountPaid"] -= sign * 15
        row["AmountDue"] += sign * 15
    whole = one(rows, "Payments", PaymentID=moved["PaymentID"])
    whole["Invoice"] = {"InvoiceID": after["InvoiceID"], "InvoiceNumber": "INV-0003"}


def deletes_payment(rows: Rows) -> None:
    row = an_invoice(rows)
    (gone,) = [each for each in row["Payments"] if each["Amount"] == 15]
    row["Payments"].remove(gone)
    row["AmountPaid"] -= 15
    row["AmountDue"] += 15
    one(rows, "Payments", PaymentID=gone["PaymentID"])["Status"] = "DELETED"


def doubles_payment(rows: Rows) -> None:
    row = an_invoice(rows)
    (twin,) = [dict(each) for each in row["Payments"] if each["Amount"] == 15]
    whole = dict(one(rows, "Payments", PaymentID=twin["PaymentID"]))
    twin["PaymentID"] = whole["PaymentID"] = str(uuid4())
    row["Payments"].append(twin)
    rows["Payments"].append(whole)
    row["AmountPaid"] += 15
    row["AmountDue"] -= 15


def takes_credit_off(rows: Rows) -> None:
    row = an_invoice(rows)
    note = one(rows, "CreditNotes", CreditNoteNumber="CN-0001")
    row["CreditNotes"], note["Allocations"] = [], []
    row["AmountCredited"] -= 16
    row["AmountDue"] += 16


def credit_counts_later(rows: Rows) -> None:
    (allocation,) = one(rows, "CreditNotes", CreditNoteNumber="CN-0001")["Allocations"]
    allocation["Date"] = allocation["DateString"] = "2026-12-01T00:00:00"


def a_note(rows: Rows, **fields: Any) -> None:
    one(rows, "CreditNotes", CreditNoteNumber="CN-0001").update(fields)


def voids_the_note(rows: Rows) -> None:
    takes_credit_off(rows)
    a_note(rows, Status="VOIDED")


def loses_the_note(rows: Rows) -> None:
    takes_credit_off(rows)
    rows["CreditNotes"].clear()


def cent_more(rows: Rows) -> None:
    row = an_invoice(rows)
    row["LineItems"][0]["LineAmount"] += Decimal("0.01")
    totals(row, "0.01")


MOVED: dict[str, tuple[Callable[[Rows], object], list[str]]] = {
    "a cent more": (cent_more, ["figures", "line"]),
    "a cent of the totals alone": (lambda rows: totals(an_invoice(rows), "0.01"), ["figures"]),
    "a cent between two lines": (moves_cent_between_lines, ["line", "line"]),
    "a cent between two lines' taxes": (moves_tax_between_lines, ["line", "line"]),
    "another rate": (lambda rows: an_invoice(rows)["LineItems"][2].update(TaxType="BASEXCLUDED"), ["line"]),
    "a line too many": (adds_line, ["line-unknown-in-caspen"]),
    "a line too few": (removes_line, ["line-missing-in-xero"]),
    "another number": (lambda rows: an_invoice(rows).update(InvoiceNumber="INV-0001A"), ["number"]),
    "another day": (lambda rows: an_invoice(rows).update(DateString="2026-11-03T00:00:00"), ["date"]),
    "another due date": (lambda rows: an_invoice(rows).update(DueDateString="2026-11-17T00:00:00"), ["due-date"]),
    "another contact": (
        lambda rows: an_invoice(rows).update(Contact=an_invoice(rows, "INV-0003")["Contact"]),
        ["contact"],
    ),
    "another currency": (lambda rows: an_invoice(rows).update(CurrencyCode="NZD"), ["currency"]),
    "a draft": (lambda rows: an_invoice(rows, "INV-0003").update(Status="DRAFT"), ["status"]),
    "void": (lambda rows: an_invoice(rows, "INV-0003").update(Status="VOIDED"), ["voided-in-xero"]),
    "gone": (
        lambda rows: rows["Invoices"].remove(an_invoice(rows, "INV-0003")),
        ["missing-in-xero"],
    ),
    "twice by number": (doubles, ["twice-in-xero"]),
    "twice but for its number": (lambda rows: doubles(rows, InvoiceNumber="X-1"), ["twice-in-xero"]),
    "one more of a client": (
        lambda rows: doubles(rows, InvoiceNumber="X-1", DateString="2026-11-09T00:00:00"),
        ["unknown-in-caspen"],
    ),
    "a payment's amount": (
        lambda rows: [row.update(Amount=Decimal("14.99")) for row in payments_of(rows, "15.00")],
        ["paid", "payment-amount"],
    ),
    "a payment's day": (
        lambda rows: [row.update(Date="2026-11-04T00:00:00") for row in payments_of(rows, "15.00")],
        ["payment-date"],
    ),
    "a payment on another invoice": (
        pays_on_another,
        ["payment-missing-in-xero", "payment-unknown-in-caspen"],
    ),
    "a payment deleted": (deletes_payment, ["payment-missing-in-xero"]),
    "a payment twice": (doubles_payment, ["payment-unknown-in-caspen"]),
    "what is paid in all": (lambda rows: an_invoice(rows).update(AmountPaid=Decimal("55.01")), ["paid"]),
    "what is due": (lambda rows: an_invoice(rows).update(AmountDue=Decimal("1.00")), ["paid"]),
    "a credit taken off": (takes_credit_off, ["credit-missing-in-xero"]),
    "a credit of another day": (credit_counts_later, ["credit-date"]),
    "a credit note's number": (lambda rows: a_note(rows, CreditNoteNumber="CN-0002"), ["credit-note-number"]),
    "a credit note's day": (lambda rows: a_note(rows, DateString="2026-11-06T00:00:00"), ["credit-note-date"]),
    "a credit note's currency": (lambda rows: a_note(rows, CurrencyCode="NZD"), ["credit-note-currency"]),
    "a credit note's contact": (
        lambda rows: a_note(rows, Contact=an_invoice(rows, "INV-0003")["Contact"]),
        ["credit-note-contact"],
    ),
    "a credit note's cent": (lambda rows: a_note(rows, Total=Decimal("16.01")), ["credit-note-figures"]),
    "a credit note's line": (
        lambda rows: one(rows, "CreditNotes", CreditNoteNumber="CN-0001")["LineItems"][0].update(TaxType="BASEXCLUDED"),
        ["credit-note-line"],
    ),
    "a credit note that is void": (
        voids_the_note,
        ["credit-missing-in-xero", "credit-note-voided-in-xero"],
    ),
    "a credit note that is gone": (
        loses_the_note,
        ["credit-missing-in-xero", "credit-note-missing-in-xero"],
    ),
}


@pytest.mark.parametrize("what", MOVED)
def test_what_was_moved_in_xero_is_found_with_both_figures(books: Clinic, what: str) -> None:
    change, expected = MOVED[what]
    found = compared(books, changed=change)
    assert codes(found) == expected
    assert unequal(found)
    for each in found.finds:
        assert each.caspen != each.xero
        assert each.fix
        assert each.number
        assert each.party
        assert not each.accepted
        assert each.invoice_id or each.code in ("unknown-in-caspen", "twice-in-xero")


# --- what is told, and what is nobody's

TOLD: dict[str, tuple[Callable[[Rows], object], list[str]]] = {
    "another account": (lambda rows: an_invoice(rows)["LineItems"][0].update(AccountCode="260"), ["recoded"]),
    "another text": (lambda rows: an_invoice(rows)["LineItems"][0].update(Description="Consult"), ["text"]),
    "a line of words": (lambda rows: an_invoice(rows)["LineItems"].append({"Description": "Thank you"}), ["text"]),
    "a payment in another account": (
        lambda rows: [row["Account"].update(Code="880") for row in rows["Payments"] if row["Amount"] == 15],
        ["payment-account"],
    ),
}


@pytest.mark.parametrize("what", TOLD)
def test_what_a_bookkeeper_may_decide_is_told_and_no_difference(books: Clinic, what: str) -> None:
    change, expected = TOLD[what]
    found = compared(books, changed=change)
    assert codes(found) == []
    assert codes(found.information) == expected
    assert len(found.recoded) == (what == "another account")
    assert all(each.caspen != each.xero for each in found.information)


def test_what_is_of_no_client_of_caspens_stands_apart(books: Clinic) -> None:
    contact = {"ContactID": str(uuid4()), "Name": "The landlord"}

    def lets(rows: Rows) -> None:
        doubles(rows, InvoiceNumber="RENT-1", Contact=contact)
        doubles(rows, InvoiceNumber="RENT-2", Contact=contact, Status="VOIDED")
        note = one(rows, "CreditNotes", CreditNoteNumber="CN-0001")
        others = {"CreditNoteID": str(uuid4()), "CreditNoteNumber": "R-1", "Contact": contact, "Allocations": []}
        rows["CreditNotes"].append(deepcopy(note) | others)

    found = compared(books, changed=lets)
    assert unequal(found) == []
    assert [(each.kind, each.number, each.party) for each in found.others] == [
        ("invoice", "RENT-1", "The landlord"),
        ("credit_note", "R-1", "The landlord"),
    ]


def test_a_credit_note_of_a_client_that_caspen_does_not_have_is_found(books: Clinic) -> None:
    def credits(rows: Rows) -> None:
        note = one(rows, "CreditNotes", CreditNoteNumber="CN-0001")
        ours = {"CreditNoteID": str(uuid4()), "CreditNoteNumber": "GOODWILL", "Allocations": []}
        rows["CreditNotes"].append(deepcopy(note) | ours)

    found = compared(books, changed=credits)
    assert [(each.code, each.number, each.amount) for each in found.finds] == [
        ("credit-note-unknown-in-caspen", "GOODWILL", Decimal("-16.00"))
    ]
