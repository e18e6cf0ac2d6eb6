"""Caspen's side: what changed there is found, what is not to be in Xero stands apart, and no setting makes equal books differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, PAYER, client, credit_note, invoice, line, payment
from pulling import pull
from pushing import Clinic
from read_anew import ALL, codes, compared, unequal

from caspen_xero.sync.reconciling.ledger import Asked

LATER: dict[str, Any] = {"updated_at": "2026-12-01T00:00:00Z"}


@pytest.fixture
def sent(ready: Clinic) -> Clinic:
    """Two invoices of 220.00, one of them with a payment of 20.00 and a credit note of 44.00."""
    ready.takes(EFTPOS, client("1048237"), client("1048999", "Jo", "Marsh"))
    ready.takes(invoice("INV-0001", [line("200.00")]), invoice("INV-0002", [line("200.00")]))
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00")), credit_note())
    assert ready.push().exit_code == 0
    return ready


# --- what changed in Caspen and was not sent

CHANGED: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "a cent": ([invoice("INV-0001", [line("200.01")], **LATER)], ["figures", "line"]),
    "a day": ([invoice("INV-0001", [line("200.00")], issue_date="2026-11-03", **LATER)], ["date"]),
    "a due day": ([invoice("INV-0001", [line("200.00")], due_date="2026-11-18", **LATER)], ["due-date"]),
    "a client": ([invoice("INV-0001", [line("200.00")], client_id="1048999", **LATER)], ["contact"]),
    "a rate": ([invoice("INV-0001", [line("200.00", rate="tax_free")], **LATER)], ["figures", "line"]),
    "a line more": (
        [invoice("INV-0001", [line("200.00"), line("1.00")], **LATER)],
        ["figures", "line-missing-in-xero"],
    ),
    "void": ([invoice("INV-0002", [line("200.00")], status="void", **LATER)], ["gone-in-caspen"]),
    "deleted": ([invoice("INV-0002", [line("200.00")], status="deleted", **LATER)], ["gone-in-caspen"]),
    "a draft again": ([invoice("INV-0002", [line("200.00")], status="draft", **LATER)], ["gone-in-caspen"]),
    "a payment's amount": ([payment("19.99", ("inv_INV-0001", "19.99"), **LATER)], ["payment-amount"]),
    "a payment's day": ([payment("20.00", ("inv_INV-0001", "20.00"), date="2026-11-04", **LATER)], ["payment-date"]),
    "a payment void": (
        [payment("20.00", ("inv_INV-0001", "20.00"), status="void", **LATER)],
        ["payment-unknown-in-caspen"],
    ),
    "a payment on another": (
        [payment("20.00", ("inv_INV-0002", "20.00"), **LATER)],
        ["payment-missing-in-xero", "payment-unknown-in-caspen"],
    ),
    "a credit note's cent": (
        [credit_note(lines=[line("40.01")], **LATER)],
        ["credit-amount", "credit-note-figures", "credit-note-line"],
    ),
    "a credit note's day": ([credit_note(date="2026-11-06", **LATER)], ["credit-date", "credit-note-date"]),
    "a credit note void": (
        [credit_note(status="void", **LATER)],
        ["credit-note-gone-in-caspen", "credit-unknown-in-caspen"],
    ),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_changed_in_caspen_is_found_until_a_push_has_sent_it(sent: Clinic, what: str) -> None:
    records, expected = CHANGED[what]
    sent.takes(*records)
    found = compared(sent)
    assert codes(found) == expected
    assert all("caspen-xero push" in each.fix or "caspen-xero sync" in each.fix for each in found.finds)
    if sent.push().exit_code == 0 and what not in ("a draft again",):
        assert unequal(compared(sent)) == []


# --- what is not to be in Xero, or not yet


def test_each_that_is_left_out_has_its_reason_and_its_amount(ready: Clinic) -> None:
    ready.cli("settings", "set", "--start-date", "2026-10-01")
    ready.takes(
        EFTPOS,
        client("1048237"),
        invoice("INV-0001"),
        invoice("INV-0002", [line("10.00", rate="tax_new")]),
        invoice("INV-0003", issue_date="2026-09-30"),
        invoice("INV-0004", status="draft"),
        invoice("INV-0005", status="void"),
        invoice("INV-0006"),
        payment("5.00", ("inv_INV-0002", "5.00")),
        credit_note(invoice_id="inv_INV-0003"),
    )
    assert ready.cli("invoices", "skip", "INV-0006").exit_code == 0
    assert ready.push().exit_code == 3
    ready.takes(invoice("INV-0007"))
    found = compared(ready)
    assert codes(found) == []
    left = {(each.document.number, each.why): each for each in found.left_out}
    assert set(left) == {
        ("INV-0002", "held"),
        ("INV-0003", "before-start-date"),
        ("CN-0001", "before-start-date"),
        ("INV-0004", "draft"),
        ("INV-0005", "void"),
        ("INV-0006", "skipped"),
        ("INV-0007", "pending"),
    }
    held, pending = left["INV-0002", "held"], left["INV-0007", "pending"]
    assert "tax_new" in held.reason
    assert held.fix
    assert held.document.total == 10
    assert pending.fix == "caspen-xero push INV-0007"
    assert {(money.amount, why) for money, why in found.money_left_out} == {
        (Decimal(5), "invoice-left-out"),
        (Decimal(44), "invoice-left-out"),
    }
    assert [pair.caspen.number for pair in found.invoices if pair.caspen] == ["INV-0001"]


def test_an_invoice_in_xero_of_the_number_of_one_left_out_stands_beside_it(ready: Clinic) -> None:
    ready.cli("settings", "set", "--start-date", "2026-10-01")
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0000", issue_date="2026-09-30"))
    assert ready.push().exit_code == 0
    contact = ready.in_xero()["INV-0001"]["Contact"]["ContactID"]
    typed_in(ready, "INV-0000", contact, day="2026-09-30")
    found = compared(ready)
    assert codes(found) == []
    (left,) = found.left_out
    assert left.xero is not None
    assert (left.why, left.xero.number, left.xero.total) == ("before-start-date", "INV-0000", Decimal("165.00"))


def typed_in(clinic: Clinic, number: str, contact: str, day: str = "2026-11-02") -> None:
    """An invoice that somebody has typed into Xero."""
    lines = [{"Description": "x", "Quantity": 1, "UnitAmount": 150, "AccountCode": "200", "TaxType": "OUTPUT"}]
    body = {"Type": "ACCREC", "Contact": {"ContactID": contact}, "Date": day, "DueDate": day, "InvoiceNumber": number}
    in_xero.writes(clinic, "PUT", "Invoices", body | {"Status": "AUTHORISED", "LineItems": lines})


def test_payments_that_wait_are_told_apart_from_those_that_are_missing(sent: Clinic) -> None:
    sent.takes(payment("30.00", ("inv_INV-0002", "30.00"), id_="pay_2"))
    found = compared(sent)
    assert codes(found) == []
    assert [(money.amount, why) for money, why in found.money_left_out] == [(Decimal(30), "pending")]
    sent.takes(payment("999.00", ("inv_INV-0001", "999.00"), id_="pay_3"))
    assert sent.push().exit_code == 3
    found = compared(sent)
    assert codes(found) == []
    assert [(money.amount, why) for money, why in found.money_left_out] == [(Decimal(999), "held")]


def test_payments_that_the_banks_feed_brings_are_no_difference(sent: Clinic) -> None:
    assert sent.cli("settings", "set", "--payments", "off").exit_code == 0
    sent.takes(payment("30.00", ("inv_INV-0002", "30.00"), id_="pay_2"))
    sent.takes(payment("31.00", ("inv_INV-0002", "31.00"), id_="pay_3"))
    assert sent.push().exit_code in (0, 3)
    in_xero.pays(sent, "INV-0002", "30.00", day="2026-11-05")
    found = compared(sent)
    assert codes(found) == []
    assert [(money.amount, why) for money, why in found.money_left_out] == [(Decimal(31), "feed")]


# --- settings, contacts and who made what


def with_payer(clinic: Clinic) -> None:
    clinic.cli("settings", "set", "--contact", "payer")


def by_name(clinic: Clinic) -> None:
    clinic.cli("settings", "set", "--privacy", "name-only")


def generic(clinic: Clinic) -> None:
    clinic.cli("settings", "set", "--privacy", "generic")


def drafts(clinic: Clinic) -> None:
    clinic.cli("settings", "set", "--invoice-status", "draft")


@pytest.mark.parametrize("sets", [with_payer, by_name, generic, drafts])
@pytest.mark.parametrize("then", [None, with_payer, by_name, generic])
def test_whatever_is_set_equal_books_are_equal(
    ready: Clinic, sets: Callable[[Clinic], None], then: Callable[[Clinic], None] | None
) -> None:
    sets(ready)
    described = line("100.00", description="Anxiety, first session", item_code="IC001")
    ready.takes(
        EFTPOS, PAYER, client("1048237"), invoice(lines=[described], invoice_to_id="con_77", reference="Plan 7")
    )
    if sets is not drafts:
        ready.takes(payment("20.00", ("inv_INV-0001", "20.00")), credit_note())
    assert ready.push().exit_code == 0
    if then is not None:
        then(ready)
    found = compared(ready)
    assert unequal(found) == []
    assert found.information == []


def test_a_contact_that_was_merged_is_the_same_once_a_pull_knows(sent: Clinic) -> None:
    ours, other = sent.in_xero()["INV-0001"]["Contact"], sent.put_in_xero("Contacts", Name="Nell O.")
    sent.control(f"contacts/{ours['ContactID']}/merge", into=other["ContactID"])
    pull(sent)
    assert unequal(compared(sent)) == []


def test_what_was_found_again_is_equal(sent: Clinic) -> None:
    for table in ("links", "journal_documents", "journal", "seen_invoices"):
        sent.sql(f"DELETE FROM {table}")
    assert sent.cli("adopt", "--json").exit_code == 0
    assert unequal(compared(sent)) == []


@pytest.mark.parametrize("price", ["150.00", "75.00"])
def test_what_somebody_else_typed_in_and_a_person_linked_is_compared_too(ready: Clinic, price: str) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"), invoice("INV-0009", [line(price)]))
    assert ready.push("INV-0001").exit_code == 0
    contact = ready.in_xero()["INV-0001"]["Contact"]["ContactID"]
    typed_in(ready, "TYPED-1", contact)
    xero_id = ready.in_xero()["TYPED-1"]["InvoiceID"]
    linked = ready.cli("invoices", "link", "--force", "INV-0009", xero_id)
    assert linked.exit_code == 0, linked.stderr
    found = compared(ready)
    expected = {"150.00": {"number", "due-date"}, "75.00": {"number", "due-date", "figures", "line"}}[price]
    assert {each.code for each in found.finds} == expected


def test_several_currencies_are_compared_each_in_its_own(ready: Clinic) -> None:
    in_xero.writes(ready, "PUT", "Currencies", {"Code": "NZD"})
    ready.takes(EFTPOS, client("1048237"), invoice("INV-0001", currency="NZD"), invoice("INV-0002"))
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00")), credit_note())
    assert ready.push().exit_code == 0
    found = compared(ready)
    assert unequal(found) == []
    assert {pair.xero.currency for pair in found.payments if pair.xero} == {"NZD"}
    assert {pair.xero.currency for pair in found.credit_notes if pair.xero} == {"NZD"}


# --- the way back


def test_what_caspen_was_told_of_is_its_own_once_it_says_so(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    paid = bookkeeper.pays("INV-0001", "50.00")
    over = bookkeeper.receives_overpayment("INV-0002", "40.00")
    credited = bookkeeper.allocates("overpayment", over, "INV-0002", "40.00")
    found = compared(synced)
    assert codes(found) == ["credit-unknown-in-caspen", "payment-unknown-in-caspen"]
    pull(synced)
    assert unequal(compared(synced)) == []
    day = {"date": "2026-11-20"}
    synced.takes(
        payment("50.00", ("inv_INV-0001", "50.00"), id_="pay_8", xero_id=paid, **day),
        payment("40.00", ("inv_INV-0002", "40.00"), id_="pay_9", xero_id=credited, **day),
    )
    found = compared(synced)
    assert unequal(found) == []
    assert not [pair for pair in found.payments if pair.caspen and pair.caspen.told]
    synced.takes(payment("50.00", ("inv_INV-0001", "50.00"), id_="pay_8", xero_id=paid, status="void", **day, **LATER))
    assert codes(compared(synced)) == ["payment-unknown-in-caspen"]


def test_a_batch_that_caspen_names_by_its_own_id_is_each_of_its_payments(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    batch = bookkeeper.pays_together({"INV-0001": "20.00", "INV-0002": "30.00"})
    pull(synced)
    assert unequal(compared(synced)) == []
    parts = ("inv_INV-0001", "20.00"), ("inv_INV-0002", "30.00")
    synced.takes(payment("50.00", *parts, id_="pay_8", xero_id=batch, date="2026-11-20"))
    assert unequal(compared(synced)) == []


# --- a person is content


def test_what_a_person_accepted_is_found_and_accepted(sent: Clinic) -> None:
    in_xero.edits(sent, "INV-0002", Date="2026-11-03")
    pull(sent)
    assert [(each.code, each.accepted) for each in compared(sent).finds] == [("date", False)]
    assert sent.cli("invoices", "accept", "INV-0002").exit_code == 0
    assert [(each.code, each.accepted) for each in compared(sent).finds] == [("date", True)]
    in_xero.edits(sent, "INV-0002", Date="2026-11-04")
    assert [(each.code, each.accepted) for each in compared(sent).finds] == [("date", False)]


# --- a period


def test_of_other_months_only_what_is_owed_or_moved_in_the_period_is_compared(ready: Clinic) -> None:
    october, november = "2026-10-05", "2026-11-05"
    ready.takes(
        EFTPOS,
        client("1048237"),
        *(invoice(f"INV-000{n}", [line("200.00")], issue_date=october, due_date=october) for n in (1, 2, 3)),
        invoice("INV-0004", issue_date=november),
        payment("220.00", ("inv_INV-0001", "220.00"), date=october),
        payment("220.00", ("inv_INV-0002", "220.00"), id_="pay_2", date=november),
    )
    assert ready.push().exit_code == 0
    asked = Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
    found = compared(ready, asked)
    assert unequal(found) == []
    assert [pair.caspen.number for pair in found.invoices if pair.caspen] == ["INV-0003", "INV-0004"]
    assert [pair.caspen.amount for pair in found.payments if pair.caspen] == [220]

    def moves(rows: Any) -> None:
        inside = [each for row in rows["Invoices"] for each in row["Payments"]]
        for row in (*rows["Payments"], *inside):
            if row["Reference"].endswith("pay_2/all_2a"):
                row["Date"] = "2026-10-31T00:00:00"

    assert codes(compared(ready, asked, changed=moves)) == ["payment-date"]
    assert codes(compared(ready, ALL, changed=moves)) == ["payment-date"]


def test_an_invoice_that_moved_out_of_the_period_in_xero_is_asked_for_and_found(sent: Clinic) -> None:
    def moves(rows: Any) -> None:
        (row,) = [each for each in rows["Invoices"] if each["InvoiceNumber"] == "INV-0002"]
        row |= {"DateString": "2026-10-31T00:00:00", "Status": "PAID"}

    asked = Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
    assert codes(compared(sent, asked, changed=moves)) == ["date"]


def test_a_credit_note_that_stands_though_its_invoice_is_void_on_both_sides_is_found(sent: Clinic) -> None:
    sent.takes(payment("20.00", ("inv_INV-0001", "20.00"), status="void", **LATER))
    sent.takes(credit_note(status="void", **LATER), invoice("INV-0001", [line("200.00")], status="void", **LATER))
    assert sent.push().exit_code == 0
    found = compared(sent)
    assert unequal(found) == []
    assert {(each.document.number, each.why) for each in found.left_out} == {("INV-0001", "void"), ("CN-0001", "void")}

    def stands(rows: Any) -> None:
        rows["CreditNotes"][0]["Status"] = "AUTHORISED"

    found = compared(sent, changed=stands)
    assert codes(found) == ["credit-note-gone-in-caspen"]
    assert [pair.xero.total for pair in found.credit_notes if pair.xero] == [44]


def test_a_credit_note_of_the_period_in_xero_alone_is_found_on_an_invoice_from_before(ready: Clinic) -> None:
    october, paid = "2026-10-05", Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
    ready.takes(client("1048237"), invoice("INV-0001", [line("40.00")], issue_date=october, due_date=october))
    ready.takes(credit_note(date=october))
    assert ready.push().exit_code == 0
    assert compared(ready, paid).credit_notes == []

    def moves(rows: Any) -> None:
        rows["CreditNotes"][0]["DateString"] = "2026-11-05T00:00:00"

    assert codes(compared(ready, paid, changed=moves)) == ["credit-note-date"]


def test_an_invoice_that_cant_be_read_is_told_as_that(sent: Clinic) -> None:
    xero_id = sent.in_xero()["INV-0002"]["InvoiceID"]
    found = compared(sent, unreadable=[xero_id])
    assert codes(found) == ["unreadable-in-xero"]
