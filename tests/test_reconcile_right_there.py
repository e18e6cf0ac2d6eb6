"""Right in Xero is what Caspen says and what was sent for it: not what happens to stand there, nor what was sent by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import in_xero
import moved
import pytest
from clinics import PAYER, client, credit_note, invoice, line, payment
from moved import LATER, PEOPLE, RECORDS
from pushing import Clinic
from read_anew import ALL, Row, Rows, codes, compared, unequal

from caspen_xero.sync.reconciling.ledger import Asked, Compared, Find

NOV = Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
OCT = Asked(date(2026, 10, 1), date(2026, 10, 31), date(2026, 10, 31))


@pytest.fixture
def books(ready: Clinic) -> Clinic:
    """The books in which `moved` moves things."""
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.cli("settings", "set", "--payment-method", "Cash=880").exit_code == 0
    assert ready.push().exit_code == 0
    return ready


def one(rows: Rows, plural: str, **wanted: str) -> Row:
    """The one document of which this is so."""
    (found,) = [row for row in rows[plural] if all(row.get(name) == value for name, value in wanted.items())]
    return found


def the_find(found: Compared) -> Find:
    (only,) = found.finds
    return only


def typed_in(clinic: Clinic, number: str, contact_id: str, amount: int = 200) -> str:
    """An invoice that a bookkeeper enters in Xero; gives its InvoiceID."""
    item = {
        "Description": "Consultation",
        "Quantity": 1,
        "UnitAmount": amount,
        "AccountCode": "200",
        "TaxType": "OUTPUT",
    }
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"ContactID": contact_id},
        "LineItems": [item],
        "Date": "2026-11-02",
        "DueDate": "2026-11-16",
        "Status": "AUTHORISED",
    }
    return str(in_xero.writes(clinic, "PUT", "Invoices", body)["Invoices"][0]["InvoiceID"])


def adds_contact(clinic: Clinic, name: str) -> str:
    return str(in_xero.writes(clinic, "PUT", "Contacts", {"Name": name})["Contacts"][0]["ContactID"])


# --- what is gone in Caspen and was never sent


@pytest.mark.parametrize(("number", "words"), [("INV-0008", "it is void"), ("INV-0007", "it is a draft")])
def test_what_is_gone_in_caspen_is_found_in_xero_though_it_was_never_sent(
    books: Clinic, number: str, words: str
) -> None:
    typed_in(books, number, moved.nells(books), amount=50)
    found = compared(books)
    find = the_find(found)
    assert (find.code, find.number, find.invoice_id, find.amount) == (
        "gone-in-caspen",
        number,
        f"inv_{number}",
        Decimal("55.00"),
    )
    assert words in find.caspen
    assert "55.00" in find.xero
    assert [
        pair.xero.number for pair in found.invoices if pair.xero and pair.caspen and pair.caspen.id == f"inv_{number}"
    ]
    assert number not in {left.document.number for left in found.left_out}
    assert books.cli("reconcile", "--to", "2026-12-31").exit_code == 3


def test_what_is_set_aside_stays_left_out_though_its_number_stands_in_xero(books: Clinic) -> None:
    books.takes(invoice("INV-0100", [line("10.00")]))
    assert books.cli("invoices", "skip", "INV-0100").exit_code == 0
    typed_in(books, "INV-0100", moved.nells(books), amount=50)
    found = compared(books)
    assert found.finds == []
    (left,) = [each for each in found.left_out if each.document.number == "INV-0100"]
    assert (left.why, left.document.total, left.xero and left.xero.total) == (
        "skipped",
        Decimal("11.00"),
        Decimal("55.00"),
    )


def test_a_void_credit_note_is_found_in_xero_though_it_was_never_sent(books: Clinic) -> None:
    books.takes(credit_note("CRN-0009", [line("10.00")], invoice_id="inv_INV-0003", status="void"))
    assert books.push().exit_code == 0
    assert codes(compared(books)) == []
    moved.doubles_the_note("CRN-0001", "CRN-0009")(books)
    find = the_find(compared(books))
    assert (find.code, find.invoice_id, find.amount) == ("credit-note-gone-in-caspen", "inv_INV-0003", Decimal(-44))
    assert ("void" in find.caspen, "44.00" in find.xero) == (True, True)


# --- whose it is


def contacts(found: Compared, number: str) -> tuple[str, str]:
    """The ContactIDs of both sides of an invoice."""
    (pair,) = [each for each in found.invoices if each.xero and each.xero.number == number]
    assert pair.caspen
    assert pair.xero
    return pair.caspen.contact, pair.xero.contact


def in_contact(clinic: Clinic, number: str) -> str:
    return str(clinic.in_xero()[number]["Contact"]["ContactID"])


def test_an_invoice_stays_with_the_payer_it_was_written_to(books: Clinic) -> None:
    assert books.cli("settings", "set", "--contact", "payer").exit_code == 0
    books.takes(PAYER, invoice("INV-0400", [line("10.00")], invoice_to_id="con_77"))
    assert books.push().exit_code == 0
    payer, nell = in_contact(books, "INV-0400"), moved.nells(books)
    assert payer != nell
    assert unequal(compared(books)) == []
    in_xero.edits(books, "INV-0400", Contact={"ContactID": nell})
    found = compared(books)
    assert codes(found) == ["contact"]
    assert contacts(found, "INV-0400") == (payer, nell)


def test_an_invoice_of_a_client_does_not_move_to_the_contact_of_all_clients(books: Clinic) -> None:
    assert books.cli("settings", "set", "--privacy", "generic").exit_code == 0
    books.takes(invoice("INV-0020", [line("10.00")]))
    assert books.push().exit_code == 0
    assert books.cli("settings", "set", "--privacy", "full").exit_code == 0
    everybody, nell = in_contact(books, "INV-0020"), moved.nells(books)
    assert unequal(compared(books)) == []
    in_xero.edits(books, "INV-0003", Contact={"ContactID": everybody})
    found = compared(books)
    assert codes(found) == ["contact"]
    assert contacts(found, "INV-0003") == (nell, everybody)


def test_an_invoice_that_was_sent_to_a_contact_of_neither_client_nor_payer_is_found(books: Clinic) -> None:
    """As by a mistake of what sends: the store, too, says that it was written there."""
    stranger, nell = adds_contact(books, "Corner Cafe"), moved.nells(books)
    moved.sets("INV-0003", ContactID=stranger)(books)
    rewrites(books, "INV-0003", contact=stranger)
    found = compared(books)
    assert codes(found) == ["contact"]
    assert contacts(found, "INV-0003") == (nell, stranger)


def test_a_contact_that_was_merged_is_followed(books: Clinic) -> None:
    into = adds_contact(books, "Nell O.")
    books.control(f"contacts/{moved.nells(books)}/merge", into=into)
    assert books.cli("pull").exit_code == 0
    assert codes(compared(books)) == []


def test_an_invoice_that_was_linked_in_spite_of_its_contact_is_found_wherever_it_moves(books: Clinic) -> None:
    first, second = adds_contact(books, "Corner Cafe"), adds_contact(books, "Second Cafe")
    xero_id = typed_in(books, "INV-0050", first)
    books.takes(client("1048299", "Zoe", "New"), invoice("INV-0050", [line("200.00")], client_id="1048299"))
    assert books.cli("invoices", "link", "--force", "INV-0050", xero_id).exit_code == 0
    assert "Corner Cafe" in the_find(compared(books)).xero
    in_xero.edits(books, "INV-0050", Contact={"ContactID": second})
    find = the_find(compared(books))
    assert (find.code, find.caspen, find.xero, find.accepted) == ("contact", "Zoe New", "Second Cafe", False)


# --- tax types


def rewrites(clinic: Clinic, number: str, **fields: str) -> None:
    """The store says that this was sent. `_` stands for a space."""
    (row,) = clinic.sql("SELECT last_written FROM links WHERE kind = 'invoice' AND number = ?", number)
    written = json.loads(row["last_written"]) | {name.replace("_", " "): text for name, text in fields.items()}
    clinic.sql("UPDATE links SET last_written = ? WHERE kind = 'invoice' AND number = ?", json.dumps(written), number)


def taxed_otherwise(rows: Rows) -> None:
    """The line without tax of INV-0003 has another tax type, of no tax too."""
    one(rows, "Invoices", InvoiceNumber="INV-0003")["LineItems"][2]["TaxType"] = "BASEXCLUDED"


def test_a_tax_type_that_was_sent_by_mistake_does_not_prove_itself(books: Clinic) -> None:
    rewrites(books, "INV-0003", line_3_tax_type="BASEXCLUDED")
    found = compared(books, changed=taxed_otherwise)
    assert [(each.code, each.subject) for each in found.finds] == [("line", "line 3")]


def test_a_tax_type_counts_as_sent_where_its_rate_was_linked_anew_since(books: Clinic) -> None:
    assert books.cli("taxes", "map", "--force", "GST free", "BASEXCLUDED").exit_code == 0
    assert codes(compared(books)) == []
    assert codes(compared(books, changed=taxed_otherwise)) == ["line"]


def test_a_tax_type_counts_as_sent_where_its_rate_is_linked_to_none_any_more(books: Clinic) -> None:
    assert books.cli("taxes", "unmap", "GST free").exit_code == 0
    assert codes(compared(books)) == []
    assert codes(compared(books, changed=taxed_otherwise)) == ["line"]


@pytest.mark.parametrize(
    ("kind", "number", "code"), [("Invoices", "INV-0006", "line"), ("CreditNotes", "CRN-0002", "credit-note-line")]
)
def test_what_we_sent_without_tax_has_no_tax_type(books: Clinic, kind: str, number: str, code: str) -> None:
    def gives_it_a_rate(rows: Rows) -> None:
        name = "InvoiceNumber" if kind == "Invoices" else "CreditNoteNumber"
        document = one(rows, kind, **{name: number})
        document["LineAmountTypes"] = "Exclusive"
        for each in document["LineItems"]:
            each |= {"TaxType": "EXEMPTOUTPUT", "TaxAmount": Decimal(0)}

    found = compared(books, changed=gives_it_a_rate)
    assert codes(found) == [code]
    assert unequal(found) != []


def test_what_somebody_else_made_may_have_a_tax_type_where_caspen_says_none(books: Clinic) -> None:
    xero_id = typed_in(books, "INV-0050", moved.nells(books), amount=0)
    books.takes(invoice("INV-0050", [line("0.00")], tax_mode="none"))
    assert books.cli("invoices", "link", "--force", "INV-0050", xero_id).exit_code == 0
    assert codes(compared(books)) == []


# --- money


def fed(clinic: Clinic, paid: str, brought: str) -> str:
    """Caspen's payment of one day, which the bank's feed brings on another; gives its PaymentID."""
    assert clinic.cli("settings", "set", "--payments", "off").exit_code == 0
    clinic.takes(
        *PEOPLE,
        invoice("INV-0001", [line("100.00")], issue_date="2026-10-01", due_date="2026-10-15"),
        payment("110.00", ("inv_INV-0001", "110.00"), date=paid),
    )
    assert clinic.push().exit_code == 0
    return in_xero.pays(clinic, "INV-0001", "110.00", brought)


def is_of_the_bank(found: Compared, day: date) -> bool:
    (pair,) = found.payments
    told = [(each.code, each.caspen, each.xero) for each in found.information]
    assert told == [("bank-day", "2026-10-30", str(day))]
    return unequal(found) == [] and pair.caspen is not None and pair.caspen.day == day


@pytest.mark.parametrize("asked", [OCT, NOV, ALL], ids=["October", "November", "all"])
def test_what_the_feed_brings_counts_on_the_banks_day(ready: Clinic, asked: Asked) -> None:
    fed(ready, "2026-10-30", "2026-11-02")
    assert is_of_the_bank(compared(ready, asked), date(2026, 11, 2))
    assert ready.cli("pull").exit_code == 0
    assert is_of_the_bank(compared(ready, asked), date(2026, 11, 2))
    assert ready.push().exit_code == 0
    assert is_of_the_bank(compared(ready, asked), date(2026, 11, 2))


def test_what_we_sent_ourselves_does_not_move_with_the_bank(books: Clinic) -> None:
    assert books.cli("settings", "set", "--payments", "off").exit_code == 0
    moved.alters_the_payment("INV-0004", Date="2026-11-20")(books)
    assert codes(compared(books)) == ["payment-date"]


@dataclass(frozen=True)
class Later:
    """Something of December in the proof of November. `inside`: the same, moved into November in Xero."""

    record: dict[str, Any]
    inside: Callable[[Rows], object]
    code: str


def moves(plural: str, day: str, **wanted: str) -> Callable[[Rows], object]:
    def change(rows: Rows) -> None:
        document = one(rows, plural, **wanted)
        document |= {"DateString": f"{day}T00:00:00", "Date": day}
        for each in one(rows, "Invoices", InvoiceNumber="INV-0003")["Payments"]:
            each["Date"] = day if plural == "Payments" else each["Date"]

    return change


LATER_ONES = {
    "a payment": Later(
        payment("50.00", ("inv_INV-0003", "50.00"), id_="pay_9", date="2026-12-01"),
        moves("Payments", "2026-11-30", Reference="EFTPOS pay_9/all_9a"),
        "payment-date",
    ),
    "a credit note": Later(
        credit_note("CRN-0100", [line("10.00")], invoice_id="inv_INV-0003", date="2026-12-01"),
        moves("CreditNotes", "2026-11-30", CreditNoteNumber="CRN-0100"),
        "credit-note-date",
    ),
}


@pytest.mark.parametrize("what", LATER_ONES)
def test_what_is_later_than_all_that_is_asked_is_of_no_account(books: Clinic, what: str) -> None:
    later = LATER_ONES[what]
    books.takes(later.record)
    waits = compared(books, NOV)
    assert (waits.finds, waits.money_left_out) == ([], [])
    assert "CRN-0100" not in {each.document.number for each in waits.left_out}
    assert books.cli("reconcile", "--from", "2026-11-01", "--to", "2026-11-30").exit_code == 0
    year = compared(books)
    assert [*year.money_left_out, *(each for each in year.left_out if each.why == "pending")] != []

    assert books.push().exit_code == 0
    assert codes(compared(books, NOV)) == []
    assert later.code in codes(compared(books, NOV, changed=later.inside))


@pytest.mark.parametrize("what", LATER_ONES)
def test_what_is_moved_among_later_days_is_of_no_account_either(books: Clinic, what: str) -> None:
    later = LATER_ONES[what]
    books.takes(later.record)
    assert books.push().exit_code == 0
    within = {"a payment": "Payments", "a credit note": "CreditNotes"}[what]
    known = {"Reference": "EFTPOS pay_9/all_9a"} if what == "a payment" else {"CreditNoteNumber": "CRN-0100"}
    on_the_fifth = moves(within, "2026-12-05", **known)
    assert codes(compared(books, NOV, changed=on_the_fifth)) == []
    assert later.code in codes(compared(books, changed=on_the_fifth))


def test_of_two_payments_that_claim_one_it_is_said_that_the_other_has_it(books: Clinic) -> None:
    xero_id = in_xero.pays(books, "INV-0003", "25.00")
    assert books.cli("pull").exit_code == 0
    for id_ in ("pay_7", "pay_8"):
        books.takes(payment("25.00", ("inv_INV-0003", "25.00"), id_=id_, xero_id=xero_id))
    find = the_find(compared(books))
    assert (find.code, find.xero) == ("payment-missing-in-xero", "another payment of Caspen's stands for it")


def test_what_a_pull_would_tell_of_is_put_right_by_a_pull(books: Clinic) -> None:
    xero_id = in_xero.pays(books, "INV-0003", "25.00")
    find = the_find(compared(books))
    assert (find.code, find.subject) == ("payment-unknown-in-caspen", xero_id)
    assert find.fix.startswith("To tell Caspen of it: caspen-xero pull; ")
    assert books.run(find.fix).exit_code == 0
    assert codes(compared(books)) == []


def test_what_a_pull_has_told_of_and_caspen_has_void_needs_a_person(books: Clinic) -> None:
    xero_id = in_xero.pays(books, "INV-0003", "25.00")
    assert books.cli("pull").exit_code == 0
    recorded = payment("25.00", ("inv_INV-0003", "25.00"), id_="pay_7", xero_id=xero_id)
    books.takes(recorded)
    assert codes(compared(books)) == []
    books.takes(recorded | {"status": "void"} | LATER)
    found = [each for each in compared(books).finds if each.code == "payment-unknown-in-caspen"]
    assert [each.fix for each in found if each.fix != "caspen-xero pull"] != []
